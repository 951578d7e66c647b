/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ttmem run: starts a program under the hook. Without --report nothing of us
 * stays: the program takes our place. With it we stay as parent, pass signals
 * and the way it ended on, and say at the end what its memory was like.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"
#include "tool/exit_codes.h"
#include "tool/hook_path.h"
#include "tool/options.h"
#include "tool/output.h"
#include "tool/report.h"

static const struct option_row rows[] = {
	{"report", 'r', ARGUMENT_OPTIONAL, "FILE",
	 "at the end print peaks, failures and what was never freed, or left when a device closed "
	 "(default: stderr)",
	 NULL},
	{0},
};

struct request {
	bool report;
	const char *file;
};

static int on_option(void *context, unsigned row, const char *value)
{
	struct request *request = context;

	(void)row;
	request->report = true;
	request->file = value;
	return 0;
}

/* Return: 0 or exit code. */
static int set_preload(void)
{
	char path[PATH_MAX];
	char *value;
	int r = hook_path(path, sizeof path);

	if (r < 0)
		return hook_refused(path, r);
	r = hook_preload(getenv("LD_PRELOAD"), path, &value);
	if (r == 0) {
		r = setenv("LD_PRELOAD", value, 1);
		free(value);
	}
	if (r == 0)
		return 0;
	output_error("failed", NULL, "run: out of memory");
	return EXIT_NOT_STARTED;
}

static int exec_command(char **argv)
{
	(void)execvp(argv[0], argv);
	int error = errno;

	output_error("failed", NULL, "run: %s: %s", argv[0], strerror(error));
	return error == ENOENT ? EXIT_NO_COMMAND : EXIT_CANNOT_RUN;
}

/* What a user or a supervisor sends to the program it thinks it started. */
static void forwarded_signals(sigset_t *set)
{
	static const int signals[] = {SIGINT,  SIGTERM, SIGHUP,	 SIGQUIT, SIGUSR1,
				      SIGUSR2, SIGCONT, SIGTSTP, SIGWINCH, SIGALRM,
				      SIGPOLL, SIGURG,	SIGPWR,	 SIGXCPU,  SIGVTALRM};

	(void)sigemptyset(set);
	(void)sigaddset(set, SIGCHLD);
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		(void)sigaddset(set, signals[i]);
	for (int i = SIGRTMIN; i <= SIGRTMAX; i++)
		(void)sigaddset(set, i);
}

/*
 * A signal from the terminal goes to the whole foreground group, the child
 * included; passing it on would deliver it twice. Those come from the kernel,
 * as do timers set before we became ttmem: these the child has not seen.
 */
static void forward(const struct signalfd_siginfo *info, pid_t child)
{
	int number = (int)info->ssi_signo;
	bool of_terminal = number == SIGINT || number == SIGQUIT || number == SIGTSTP ||
			   number == SIGHUP || number == SIGWINCH || number == SIGCONT;

	if (number == SIGCHLD || (of_terminal && info->ssi_code == SI_KERNEL))
		return;
	(void)kill(child, number);
}

static int wait_for(pid_t child, int signals, struct report *report)
{
	struct pollfd fds[2] = {{.fd = signals, .events = POLLIN},
				{.fd = report_descriptor(report), .events = POLLIN}};
	int status;

	for (;;) {
		struct signalfd_siginfo info;

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return EXIT_FAILED << 8;
		if (fds[1].revents)
			report_receive(report);
		while (read(signals, &info, sizeof info) == sizeof info)
			forward(&info, child);
		pid_t done = waitpid(child, &status, WNOHANG | WUNTRACED);

		if (done != child)
			continue;
		if (!WIFSTOPPED(status))
			return status;
		/* stopped: stop as well, for the shell's job control; SIGCONT is passed on above */
		(void)kill(getpid(), SIGSTOP);
	}
}

/* Ends the way the child ended; a death by signal is repeated, without a core of our own. */
static int end_like(int status)
{
	const struct rlimit none = {0, 0};
	sigset_t all;

	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	/* a core_pattern that is a pipe does not look at the limit */
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)fflush(NULL);
	(void)signal(WTERMSIG(status), SIG_DFL);
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_UNBLOCK, &all, NULL);
	(void)kill(getpid(), WTERMSIG(status));
	return 128 + WTERMSIG(status);
}

/* In the child: everything as if the program had been started in our place. */
static int start(char **argv, const sigset_t *mask, const struct sigaction *child_action,
		 pid_t parent)
{
	(void)sigaction(SIGCHLD, child_action, NULL);
	(void)sigprocmask(SIG_SETMASK, mask, NULL);
	/* who kills the process that it started, with no way to pass it on, means the program */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		return EXIT_NOT_STARTED;
	return exec_command(argv);
}

/* Return: exit code of the whole, or -errno when nothing was started. */
static int run_under(struct report *report, FILE *out, char **argv)
{
	const struct sigaction as_usual = {.sa_handler = SIG_DFL};
	struct sigaction before;
	sigset_t set, old;
	pid_t self = getpid();

	forwarded_signals(&set);
	(void)sigprocmask(SIG_BLOCK, &set, &old);
	/* ignored by who started us, children would vanish without being waited for */
	(void)sigaction(SIGCHLD, &as_usual, &before);
	fd_auto signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	pid_t child = signals < 0 ? -1 : fork();

	if (child < 0)
		return -errno;
	if (child == 0)
		_exit(start(argv, &old, &before, self));
	(void)signal(SIGPIPE, SIG_IGN);
	int status = wait_for(child, signals, report);

	report_receive(report);
	int r = report_print(report, out);

	if (out != stderr && fclose(out) != 0)
		r = -errno;
	if (r < 0)
		output_error("failed", NULL, "run: the report is not complete: %s", strerror(-r));
	report_finish(report);
	return end_like(status);
}

static int run_and_report(const struct request *request, char **argv)
{
	static struct report report;
	/* opened first: a report that cannot be written is better known before a long run */
	FILE *out = request->file ? fopen(request->file, "we") : stderr;

	if (!out) {
		output_error("failed", "choose another --report=FILE",
			     "run: cannot write the report to %s: %s", request->file,
			     strerror(errno));
		return EXIT_NOT_STARTED;
	}
	int r = report_prepare(&report);

	if (r == 0) {
		r = run_under(&report, out, argv);
		if (r >= 0)
			return r;
		report_finish(&report);
	}
	output_error("failed", "run it without --report", "run: no report can be made: %s",
		     strerror(-r));
	return EXIT_NOT_STARTED;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct request request = {0};
	int rest, r = options_parse(command, argc, argv, on_option, &request, &rest);

	if (r >= 0)
		return r;
	if (rest >= argc)
		return usage_error(command, "which command?");
	r = set_preload();
	if (r != 0)
		return r;
	return request.report ? run_and_report(&request, argv + rest) : exec_command(argv + rest);
}

const struct command command_run = {
	.name = "run",
	.synopsis = "[--report[=FILE]] [--] COMMAND [ARGUMENT...]",
	.summary = "Starts a program so that its device memory can be seen.",
	.options = rows,
	.run = run,
	.notes = VARIABLES_NOTE,
};
