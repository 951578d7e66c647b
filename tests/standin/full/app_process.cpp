/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that do to the process what real programs do to theirs. */
#include "app.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

namespace app {
namespace {
[[noreturn]] void fail(const char *what)
{
	throw std::runtime_error(std::string(what) + ": " + strerror(errno));
}

std::string exec(Words &)
{
	execv("/proc/self/exe", arguments);
	fail("exec");
}

std::string each(const std::string &commands)
{
	std::istringstream in(commands);
	std::string one, answers;

	while (std::getline(in, one, ';'))
		answers += (answers.empty() ? "" : ",") + run(one);
	return "[" + answers + "]";
}

/* "fork MESH N" is short for this. */
std::string child_commands(const std::string &rest)
{
	std::istringstream in(rest);
	unsigned mesh, count;
	char more;

	if (in >> mesh >> count && !(in >> more))
		return "freefirst; many " + number(mesh) + " " + number(count);
	return rest;
}

/* The child's answer is the only one; it ends when the pipe's other end, ours, is closed. */
std::string fork_child(Words &words)
{
	std::string commands = child_commands(words.rest());
	int pipes[2];

	if (pipe(pipes) < 0)
		fail("pipe");
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		char c;

		close(pipes[1]);
		std::string answers = each(commands);
		say(object({{"child", number(getpid())}, {"answers", answers}}));
		while (read(pipes[0], &c, 1) > 0)
			;
		_exit(0);
	}
	close(pipes[0]);
	fcntl(pipes[1], F_SETFD, FD_CLOEXEC);
	return "";
}

std::string thread(Words &words)
{
	std::string command = words.rest(), answer;
	long tid = 0;
	std::thread t([&] {
		tid = syscall(SYS_gettid);
		answer = run(command);
	});

	t.join();
	return object({{"thread", number(tid)}, {"answer", answer.empty() ? "null" : answer}});
}

/* A file of somebody else at a number that may have been ours. */
std::string foreign(Words &words)
{
	int number_wanted = static_cast<int>(words.number());
	std::string path = words.next_or("");
	char made[] = "/tmp/standin-foreign-XXXXXX";
	int fd = path.empty() ? mkstemp(made) : open(path.c_str(), O_RDWR | O_CREAT, 0600);

	if (fd < 0)
		fail("foreign");
	if (path.empty())
		path = made;
	if (fd != number_wanted) {
		if (dup2(fd, number_wanted) < 0)
			fail("dup2");
		close(fd);
	}
	return object({{"foreign", number(number_wanted)}, {"path", quoted(path)}});
}

std::string closefrom(Words &words)
{
	unsigned first = static_cast<unsigned>(words.number());
	std::string path = words.next_or("-");

	if (syscall(SYS_close_range, first, ~0u, 0) < 0)
		fail("close_range");
	if (path != "-") {
		int fd = open(path.c_str(), O_RDWR | O_CREAT, 0600);

		if (fd < 0)
			fail(path.c_str());
		for (int n = 900; n < 910; n++)
			dup2(fd, n);
	}
	return object({{"closed", number(first)}});
}

std::string limit(Words &words)
{
	static const std::map<std::string, int> names = {
		{"as", RLIMIT_AS},     {"fsize", RLIMIT_FSIZE}, {"nofile", RLIMIT_NOFILE},
		{"data", RLIMIT_DATA}, {"stack", RLIMIT_STACK}, {"memlock", RLIMIT_MEMLOCK},
	};
	auto found = names.find(words.next());
	rlimit r;

	if (found == names.end())
		throw std::invalid_argument("no such limit");
	if (getrlimit(static_cast<__rlimit_resource>(found->second), &r) < 0)
		fail("getrlimit");
	r.rlim_cur = words.number();
	if (setrlimit(static_cast<__rlimit_resource>(found->second), &r) < 0)
		fail("setrlimit");
	return object({{"limit", "0"}});
}

std::string hold(Words &words)
{
	uint64_t seconds = words.number_or(0);

	say(object({{"hold", "true"}}));
	if (seconds)
		sleep(static_cast<unsigned>(seconds));
	else
		for (;;)
			pause();
	return "";
}

std::string next_descriptor(Words &)
{
	int fd = open("/dev/null", O_RDONLY);

	close(fd);
	return object({{"fd", number(fd)}});
}
} // namespace

void add_process_commands(Commands &c)
{
	c["fork"] = fork_child;
	c["exec"] = exec;
	c["thread"] = thread;
	c["foreign"] = foreign;
	c["closefrom"] = closefrom;
	c["rlimit"] = limit;
	c["limit"] = limit;
	c["hold"] = hold;
	c["fd"] = next_descriptor;
	c["sleep"] = [](Words &words) {
		uint64_t ms = words.number();
		usleep(static_cast<useconds_t>(ms * 1000));
		return object({{"slept", number(ms)}});
	};
	c["chroot"] = [](Words &words) {
		return object({{"chroot", number(chroot(words.next().c_str()))}});
	};
	c["system"] = [](Words &words) {
		return object({{"status", number(system(words.rest().c_str()))}});
	};
	c["crash"] = [](Words &) -> std::string {
		raise(SIGKILL);
		return "";
	};
	c["exit"] = [](Words &words) -> std::string {
		exit(static_cast<int>(words.number_or(0)));
	};
}
} // namespace app
