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
#include "tool/report.h"

static const struct option_row rows[] = {
	{"report", 'r', ARGUMENT_OPTIONAL, "FILE",
	 "at the end print peaks, failures and what was never freed (default: stderr)"},
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

static int set_preload(void)
{
	char path[PATH_MAX];
	char *value;
	int r = hook_path(path, sizeof path);

	if (r < 0) {
		report_error(FORMAT_TABLE, "no_hook", "set TTMEM_HOOK, or install ttmem again",
			     r == -EINVAL
				     ? "the path of the hook has a blank or a colon, which "
				       "LD_PRELOAD cannot carry: %s"
				     : "the hook is not there: %s",
			     path);
		return r;
	}
	r = hook_preload(getenv("LD_PRELOAD"), path, &value);
	if (r < 0)
		return r;
	r = setenv("LD_PRELOAD", value, 1) < 0 ? -errno : 0;
	free(value);
	return r;
}

static int exec_command(char **argv)
{
	(void)execvp(argv[0], argv);
	int error = errno;

	fprintf(stderr, "ttmem: run: %s: %s\n", argv[0], strerror(error));
	return error == ENOENT ? EXIT_NO_COMMAND : EXIT_CANNOT_RUN;
}

/* What a user or a supervisor sends to the program it thinks it started. */
static void forwarded_signals(sigset_t *set)
{
	static const int signals[] = {SIGINT,  SIGTERM, SIGHUP,	 SIGQUIT, SIGUSR1,
				      SIGUSR2, SIGCONT, SIGTSTP, SIGWINCH, SIGALRM};

	(void)sigemptyset(set);
	(void)sigaddset(set, SIGCHLD);
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		(void)sigaddset(set, signals[i]);
}

/*
 * A signal from the terminal goes to the whole foreground group, the child
 * included; passing it on would deliver it twice. Those come from the kernel.
 */
static void forward(const struct signalfd_siginfo *info, pid_t child)
{
	if (info->ssi_signo == SIGCHLD || info->ssi_code == SI_KERNEL)
		return;
	(void)kill(child, (int)info->ssi_signo);
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
		/* stopped: stop as well, so that the shell's job control works */
		(void)kill(getpid(), SIGSTOP);
		(void)kill(child, SIGCONT);
	}
}

/* Ends the way the child ended; a death by signal is repeated, without a core of our own. */
static int end_like(int status)
{
	const struct rlimit none = {0, 0};
	sigset_t all;

	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)fflush(NULL);
	(void)signal(WTERMSIG(status), SIG_DFL);
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_UNBLOCK, &all, NULL);
	(void)kill(getpid(), WTERMSIG(status));
	return 128 + WTERMSIG(status);
}

static int print_report(struct report *report, const char *file)
{
	FILE *out = file ? fopen(file, "we") : stderr;

	if (!out) {
		fprintf(stderr, "ttmem: run: cannot write the report to %s: %s\n", file,
			strerror(errno));
		return -errno;
	}
	int r = report_print(report, out);

	if (file && fclose(out) != 0)
		r = -errno;
	return r;
}

static int run_and_report(const struct request *request, char **argv)
{
	struct report report;
	sigset_t set, old;
	int r = report_prepare(&report);

	if (r < 0) {
		fprintf(stderr, "ttmem: run: no report: %s\n", strerror(-r));
		return EXIT_FAILED;
	}
	forwarded_signals(&set);
	(void)sigprocmask(SIG_BLOCK, &set, &old);
	fd_auto signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	pid_t child = signals < 0 ? -1 : fork();

	if (child < 0) {
		fprintf(stderr, "ttmem: run: cannot start: %s\n", strerror(errno));
		report_finish(&report);
		return EXIT_FAILED;
	}
	if (child == 0) {
		(void)sigprocmask(SIG_SETMASK, &old, NULL);
		(void)signal(SIGPIPE, SIG_DFL);
		_exit(exec_command(argv));
	}
	int status = wait_for(child, signals, &report);

	report_receive(&report);
	(void)print_report(&report, request->file);
	report_finish(&report);
	return end_like(status);
}

static int run(const struct command *command, int argc, char **argv)
{
	struct request request = {0};
	int rest, r = options_parse(command, argc, argv, on_option, &request, &rest);

	if (r >= 0)
		return r;
	if (rest >= argc)
		return usage_error(command, "which command?");
	if (set_preload() < 0)
		return EXIT_FAILED;
	if (request.report)
		return run_and_report(&request, argv + rest);
	(void)signal(SIGPIPE, SIG_DFL);
	return exec_command(argv + rest);
}

const struct command command_run = {
	.name = "run",
	.synopsis = "[--report[=FILE]] [--] COMMAND [ARGUMENT...]",
	.summary = "Starts a program so that its device memory can be seen.",
	.options = rows,
	.run = run,
};
