/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that does what it is told: one command a line on standard input,
 * one JSON document a line as the answer. Loads the stand-in as Python loads
 * TT-Metal: by dlopen, RTLD_LOCAL.
 *
 *   standin-app LIBRARY
 */
#include "control.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cinttypes>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {
template <typename F> F *function(void *library, const char *name)
{
	auto *f = reinterpret_cast<F *>(dlsym(library, name));

	if (!f) {
		fprintf(stderr, "standin-app: no %s\n", name);
		exit(3);
	}
	return f;
}

#define CONTROL(name) decltype(standin_##name) *name
struct Control {
	CONTROL(open);
	CONTROL(submesh);
	CONTROL(close);
	CONTROL(alloc);
	CONTROL(free);
	CONTROL(alloc_begin);
	CONTROL(alloc_end);
	CONTROL(free_begin);
	CONTROL(free_end);
	CONTROL(view);
	CONTROL(view_end);
	CONTROL(capture);
	CONTROL(abandon);
	CONTROL(address);
	CONTROL(stats);
	CONTROL(blocks);
	CONTROL(slow);
	CONTROL(program);
	CONTROL(program_beside);
	CONTROL(kernel);
	CONTROL(cb);
	CONTROL(dfb);
	CONTROL(scratch);
	CONTROL(binaries);
	CONTROL(binaries_users);
	CONTROL(resize);
	CONTROL(dispatch);
	CONTROL(program_end);
} control;

struct Live {
	void *buffer;
	int mesh, type;
};

std::map<int, void *> meshes;
std::map<int, Live> buffers;
std::map<int, void *> programs;
int next_program;
int next_mesh, next_buffer;
char **arguments;

int type_of(const std::string &name)
{
	return name == "l1" ? 1 : name == "l1_small" ? 3 : name == "trace" ? 4 : 0;
}

void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

int take(int mesh, int type, uint64_t size, uint64_t page, uint32_t cores, std::string &error)
{
	char text[256] = "";
	void *b = control.alloc(meshes.at(mesh), type, size, page, cores, text, sizeof text);

	if (!b) {
		error = text;
		return -1;
	}
	buffers[next_buffer] = {b, mesh, type};
	return next_buffer++;
}

void drop(int id)
{
	control.free(buffers.at(id).buffer);
	buffers.erase(id);
}

void stats(int mesh)
{
	static const int types[] = {0, 1, 3, 4};
	static const char *const names[] = {"dram", "l1", "l1_small", "trace"};

	printf("{");
	for (int i = 0; i < 4; i++) {
		uint64_t s[5];
		std::vector<uint64_t> blocks(2 * 65536);

		control.stats(meshes.at(mesh), types[i], s);
		size_t n = control.blocks(meshes.at(mesh), types[i], blocks.data(), 65536);

		printf("%s\"%s\":{\"banks\":%" PRIu64 ",\"size_bytes\":%" PRIu64
		       ",\"allocated_bytes\":%" PRIu64 ",\"free_bytes\":%" PRIu64
		       ",\"largest_free_bytes\":%" PRIu64 ",\"blocks\":[",
		       i ? "," : "", names[i], s[0], s[1], s[2], s[3], s[4]);
		for (size_t b = 0; b < n && b < 65536; b++)
			printf("%s[%" PRIu64 ",%" PRIu64 "]", b ? "," : "", blocks[2 * b],
			       blocks[2 * b + 1]);
		printf("]}");
	}
	say("}");
}

/* Random history of one thread over buffers of its own; what lives at the end is handed back. */
std::vector<void *> history(int mesh, int steps, unsigned seed)
{
	std::mt19937 random(seed);
	std::vector<void *> mine;
	char text[256];

	for (int i = 0; i < steps; i++) {
		if (!mine.empty() && random() % 100 < 45) {
			size_t at = random() % mine.size();
			control.free(mine[at]);
			mine[at] = mine.back();
			mine.pop_back();
			continue;
		}
		uint64_t page = 32u << random() % 8;
		void *b = control.alloc(meshes.at(mesh), random() % 2, page * (1 + random() % 500), page, 0,
					text, sizeof text);
		if (b)
			mine.push_back(b);
	}
	return mine;
}

void keep(int mesh, const std::vector<void *> &mine)
{
	for (void *b : mine)
		buffers[next_buffer++] = {b, mesh, 0};
}

void threads(int mesh, int steps, int count)
{
	std::vector<std::vector<void *>> results(count);
	std::vector<std::thread> all;

	for (int i = 0; i < count; i++)
		all.emplace_back([&, i] { results[i] = history(mesh, steps, 100 + i); });
	for (auto &t : all)
		t.join();
	for (auto &mine : results)
		keep(mesh, mine);
	say("{\"live\":%zu}", buffers.size());
}

/* A child that allocates, frees one buffer of its parent's, and waits for its input to close. */
void fork_child(int mesh, int count)
{
	int pipes[2];

	if (pipe(pipes) < 0)
		exit(3);
	pid_t pid = fork();

	if (pid == 0) {
		std::string error;
		char c;

		close(pipes[1]);
		if (!buffers.empty())
			drop(buffers.begin()->first);
		for (int i = 0; i < count; i++)
			take(mesh, 0, 4096, 2048, 0, error);
		say("{\"child\":%d}", getpid());
		while (read(pipes[0], &c, 1) > 0)
			;
		_exit(0);
	}
	close(pipes[0]);
	fcntl(pipes[1], F_SETFD, FD_CLOEXEC);
}

/* Everything from `first` up is closed; then a foreign file sits on every number up to 1000. */
void closefrom(unsigned first, const char *foreign)
{
	syscall(SYS_close_range, first, ~0u, 0);
	if (strcmp(foreign, "-") != 0) {
		int fd = open(foreign, O_RDWR | O_CREAT, 0600);
		for (int n = 900; n < 910; n++)
			dup2(fd, n);
	}
	say("{\"closed\":%u}", first);
}

/* Looks into all files that are open, and so drops the locks that this process holds on them. */
void look_into_files()
{
	int looked = 0;

	for (int fd = 3; fd < 1000; fd++) {
		int again = open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDONLY | O_NONBLOCK);

		if (again >= 0) {
			close(again);
			looked++;
		}
	}
	say("{\"looked\":%d}", looked);
}

void limit(const std::string &what, uint64_t bytes)
{
	rlimit r = {bytes, RLIM_INFINITY};

	getrlimit(what == "as" ? RLIMIT_AS : RLIMIT_FSIZE, &r);
	r.rlim_cur = bytes;
	say("{\"limit\":%d}", setrlimit(what == "as" ? RLIMIT_AS : RLIMIT_FSIZE, &r));
}

void loop(int mesh, int count)
{
	std::string error;
	auto start = std::chrono::steady_clock::now();

	for (int i = 0; i < count; i++) {
		int id = take(mesh, 0, 2048, 2048, 0, error);
		if (id < 0)
			break;
		drop(id);
	}
	double ns = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();

	say("{\"ns\":%.1f}", ns / count);
}

/*
 * From the first event of the process on, for so long: up to 5,000 buffers and down again. How
 * often did this thread go to sleep meanwhile? (Being put off the processor is no sleep.) It does
 * so itself `naps` times, for a test of the measure.
 */
void switches(double seconds, int naps)
{
	std::string error;
	rusage before, after;
	auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
	uint64_t pairs = 0;

	getrusage(RUSAGE_THREAD, &before);
	meshes[next_mesh] = control.open(1, 0, 0);
	for (; std::chrono::steady_clock::now() < end; pairs += 5000) {
		int first = next_buffer;

		for (int i = 0; i < 5000; i++)
			take(next_mesh, 0, 2048, 2048, 0, error);
		for (int i = 5000; i-- > 0;)
			drop(first + i);
		if (naps-- > 0)
			std::this_thread::sleep_for(std::chrono::milliseconds(1));
	}
	getrusage(RUSAGE_THREAD, &after);
	next_mesh++;
	say("{\"voluntary\":%ld,\"pairs\":%" PRIu64 "}", after.ru_nvcsw - before.ru_nvcsw, pairs);
}

void many(int mesh, int count)
{
	std::string error;
	int made = 0;

	while (made < count && take(mesh, 0, 32, 32, 0, error) >= 0)
		made++;
	say("{\"made\":%d}", made);
}

void free_all()
{
	while (!buffers.empty()) /* from the end, which keeps the stand-in's floor where it is */
		drop(buffers.rbegin()->first);
	say("{\"live\":0}");
}

void close_mesh(int mesh)
{
	control.close(meshes.at(mesh));
	meshes.erase(mesh);
	for (auto it = buffers.begin(); it != buffers.end();) {
		if (it->second.mesh == mesh) {
			control.abandon(it->second.buffer);
			it = buffers.erase(it);
		} else {
			++it;
		}
	}
	say("{\"closed\":%d}", mesh);
}

void dispatch(int program, int count)
{
	char text[256] = "";
	auto start = std::chrono::steady_clock::now();
	int r = control.dispatch(programs.at(program), count, text, sizeof text);
	double ns = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();

	if (r < 0)
		say("{\"error\":\"%s\"}", text);
	else
		say("{\"dispatched\":%d,\"ns\":%.1f}", count, ns / count);
}

/*
 * Sleeps in a system call with known values in the registers that it must leave alone, and says what
 * it returned and whether they are the same: somebody may have borrowed this thread meanwhile.
 */
void asleep(long milliseconds)
{
	timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
	alignas(16) uint64_t in[4] = {1, 0x0123456789abcdef, 3, ~0ull}, out[12] = {};
	auto start = std::chrono::steady_clock::now();

	const void *all[3] = {in, out, &time}, *at = all;

	asm volatile("mov (%%rdi), %%r8\n mov 8(%%rdi), %%r9\n mov 16(%%rdi), %%rdi\n"
		     "movdqu (%%r8), %%xmm0\n movdqu 16(%%r8), %%xmm15\n"
		     "mov $0x11, %%rbx\n mov $0x22, %%r12\n mov $0x33, %%r13\n"
		     "mov $0x44, %%r14\n mov $0x55, %%r15\n mov $0x66, %%r10\n"
		     "xor %%esi, %%esi\n mov $35, %%eax\n syscall\n"
		     "movdqu %%xmm0, (%%r9)\n movdqu %%xmm15, 16(%%r9)\n"
		     "mov %%rbx, 32(%%r9)\n mov %%r12, 40(%%r9)\n mov %%r13, 48(%%r9)\n"
		     "mov %%r14, 56(%%r9)\n mov %%r15, 64(%%r9)\n mov %%r10, 72(%%r9)\n"
		     "mov %%rax, 80(%%r9)\n"
		     : "+D"(at)
		     :
		     : "rax", "rbx", "rcx", "rsi", "r8", "r9", "r10", "r11", "r12", "r13",
		       "r14", "r15", "xmm0", "xmm15", "memory");
	double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
	bool same = memcmp(in, out, sizeof in) == 0;

	for (int i = 0; i < 6; i++)
		same = same && out[4 + i] == 0x11u * (i + 1);
	say("{\"result\":%ld,\"same\":%s,\"ms\":%.1f}", static_cast<long>(out[10]),
	    same ? "true" : "false", ms);
}

/* Loads the hook as Python would, and tells it who asks; or tells it to go. */
void late(const std::string &path, const char *entry)
{
	static void *hook;

	if (!hook)
		hook = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
	if (!hook) {
		say("{\"error\":\"%s\"}", dlerror());
		return;
	}
	int r = entry ? function<int(const char *)>(hook, "ttmem_hook_attach")(entry)
		      : function<int()>(hook, "ttmem_hook_detach")();

	say("{\"result\":%d}", r);
}

/* Loads a library for itself, or unloads it; says whether its memory is gone. */
void plugin(const std::string &path)
{
	static void *handle;
	bool is_loading = !path.empty();

	if (is_loading)
		handle = dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL);
	else
		dlclose(handle);
	say("{\"plugin\":%s}", !is_loading || handle ? "true" : "false");
}

int no_object(dl_phdr_info *, size_t, void *)
{
	return 1;
}

/*
 * Children of a process in which another thread allocates all the while. Each takes the lock of the
 * loader, as it would to load something or to throw. How many of them wait for it until they are
 * ended?
 */
void forks(int mesh, int count)
{
	std::atomic<bool> is_over{false};
	int hung = 0;
	std::thread other([&] {
		for (unsigned seed = 0; !is_over; seed++)
			for (void *b : history(mesh, 1000, seed))
				control.free(b);
	});

	for (int i = 0; i < count && !hung; i++) {
		int status = 0;
		pid_t pid = fork();

		if (pid == 0) {
			alarm(120); /* for ever, on any machine */
			dl_iterate_phdr(no_object, nullptr);
			_exit(0);
		}
		waitpid(pid, &status, 0);
		hung += !WIFEXITED(status);
	}
	is_over = true;
	other.join();
	say("{\"hung\":%d}", hung);
}

std::atomic<bool> starving, starved;

/* Its event is over and the buffer still there: what comes between has a processor with others only. */
void starve(int id, int cpu)
{
	void *buffer = buffers.at(id).buffer;

	buffers.erase(id);
	std::thread([buffer, cpu] {
		cpu_set_t one;

		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		sched_setaffinity(0, sizeof one, &one);
		control.free_begin(buffer);
		setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), 19);
		starving = true;
		sched_yield();
		control.free_end(buffer);
		starved = true;
		for (volatile int i = 0; i < 10000000; i = i + 1)
			;
	}).detach();
	while (!starving)
		usleep(100);
	say("{\"starving\":%d}", !starved);
}

/* Commands in which the hook comes late; false: it is none of them. */
bool late_command(const std::string &verb, std::istringstream &in)
{
	std::string path, entry;
	uint64_t a = 0, b = 0, c = 0;

	if (verb == "late" || verb == "leave") {
		in >> path >> entry;
		late(path, verb == "late" ? entry.c_str() : nullptr);
	} else if (verb == "load" || verb == "unload") {
		in >> path;
		plugin(path);
	} else if (verb == "asleep") {
		in >> a;
		asleep(static_cast<long>(a));
	} else if (verb == "starve") {
		in >> a >> b;
		starve(static_cast<int>(a), static_cast<int>(b));
	} else if (verb == "starved") {
		say("{\"starved\":%d}", starved.load());
	} else if (verb == "begin") {
		in >> a >> b >> c;
		buffers[next_buffer] = {control.alloc_begin(meshes.at(static_cast<int>(a)), b, c),
					static_cast<int>(a), 0};
		say("{\"buffer\":%d}", next_buffer++);
	} else if (verb == "commit") {
		in >> a;
		control.alloc_end(buffers.at(static_cast<int>(a)).buffer);
		say("{\"committed\":%" PRIu64 "}", a);
	} else if (verb == "untrack") {
		in >> a;
		control.free_begin(buffers.at(static_cast<int>(a)).buffer);
		say("{\"untracked\":%" PRIu64 "}", a);
	} else if (verb == "release") {
		in >> a;
		control.free_end(buffers.at(static_cast<int>(a)).buffer);
		buffers.erase(static_cast<int>(a));
		say("{\"released\":%" PRIu64 "}", a);
	} else {
		return false;
	}
	return true;
}

/* Commands about programs; false: it is none of them. */
bool program_command(const std::string &verb, std::istringstream &in)
{
	int program = 0;
	uint32_t n[6] = {};
	std::string word, name;

	in >> program; /* of `program` itself: the mesh */
	if (verb == "program" || verb == "beside") {
		in >> n[0] >> n[1] >> n[2] >> n[3];
		programs[next_program] = verb == "program" ? control.program(meshes.at(program), n)
							  : control.program_beside(programs.at(program), n);
		say("{\"program\":%d}", next_program++);
		return true;
	}
	if (verb == "dispatch") {
		in >> n[0];
		dispatch(program, n[0] ? n[0] : 1);
		return true;
	}
	if (verb == "kernel") {
		in >> word >> name >> n[0] >> n[1] >> n[2] >> n[3] >> n[4] >> n[5];
		control.kernel(programs.at(program), word == "compute" ? 2 : word == "ncrisc",
			       name.c_str(), n, n[4], n[5]);
	} else if (verb == "cb") {
		in >> n[4] >> word >> n[0] >> n[1] >> n[2] >> n[3];
		control.cb(programs.at(program), n[4], word == "global", n);
	} else if (verb == "dfb") {
		in >> n[4] >> n[5] >> word >> n[0] >> n[1] >> n[2] >> n[3];
		control.dfb(programs.at(program), n[4], n[5], word == "borrowed" ? 1 : word == "alias" ? 2 : 0, n);
	} else if (verb == "scratch") {
		in >> n[0] >> n[1];
		control.scratch(programs.at(program), n[0], n[1]);
	} else if (verb == "binaries") {
		in >> n[0];
		control.binaries(programs.at(program), buffers.at(n[0]).buffer);
	} else if (verb == "users") {
		say("{\"users\":%ld}", control.binaries_users(programs.at(program)));
		return true;
	} else if (verb == "resize") {
		in >> n[0] >> n[1];
		control.resize(programs.at(program), n[0], n[1]);
	} else if (verb == "end") {
		control.program_end(programs.at(program));
		programs.erase(program);
	} else if (verb == "slow") {
		control.slow(program);
	} else {
		return false;
	}
	say("{\"done\":true}");
	return true;
}

bool command(std::istringstream in)
{
	std::string verb, word, error;
	uint64_t a = 0, b = 0, c = 0;
	uint32_t cores = 0;

	in >> verb;
	if (verb == "open") {
		in >> a >> b >> c;
		meshes[next_mesh] = control.open(static_cast<int>(a), b, c);
		say("{\"mesh\":%d}", next_mesh++);
	} else if (verb == "submesh") {
		in >> a >> b;
		meshes[next_mesh] = control.submesh(meshes.at(static_cast<int>(a)), static_cast<int>(b));
		say("{\"mesh\":%d}", next_mesh++);
	} else if (verb == "close") {
		in >> a;
		close_mesh(static_cast<int>(a));
	} else if (verb == "alloc") {
		in >> a >> word >> b >> c >> cores;
		int id = take(static_cast<int>(a), type_of(word), b, c, cores, error);
		if (id < 0)
			say("{\"error\":\"%s\"}", error.c_str());
		else
			say("{\"buffer\":%d,\"address\":%" PRIu64 "}", id,
			    control.address(buffers[id].buffer));
	} else if (verb == "free") {
		in >> a;
		drop(static_cast<int>(a));
		say("{\"freed\":%" PRIu64 "}", a);
	} else if (verb == "view") {
		in >> a;
		void *view = control.view(meshes.at(static_cast<int>(a)), 4096);
		control.view_end(view);
		say("{\"view\":true}");
	} else if (verb == "capture") {
		in >> a >> b;
		control.capture(meshes.at(static_cast<int>(a)), b);
		say("{\"capture\":true}");
	} else if (verb == "stats") {
		in >> a;
		stats(static_cast<int>(a));
	} else if (verb == "many") {
		in >> a >> b;
		many(static_cast<int>(a), static_cast<int>(b));
	} else if (verb == "freeall") {
		free_all();
	} else if (verb == "random") {
		in >> a >> b >> c;
		keep(static_cast<int>(a), history(static_cast<int>(a), static_cast<int>(b),
						  static_cast<unsigned>(c)));
		say("{\"live\":%zu}", buffers.size());
	} else if (verb == "threads") {
		in >> a >> b >> c;
		threads(static_cast<int>(a), static_cast<int>(b), static_cast<int>(c));
	} else if (verb == "fork") {
		in >> a >> b;
		fork_child(static_cast<int>(a), static_cast<int>(b));
	} else if (verb == "forks") {
		in >> a >> b;
		forks(static_cast<int>(a), static_cast<int>(b));
	} else if (verb == "exec") {
		execv("/proc/self/exe", arguments);
	} else if (verb == "closefrom") {
		in >> a >> word;
		closefrom(static_cast<unsigned>(a), word.c_str());
	} else if (verb == "look_into_files") {
		look_into_files();
	} else if (verb == "closeone") {
		in >> a;
		::close(static_cast<int>(a));
		say("{\"closed\":%u}", static_cast<unsigned>(a));
	} else if (verb == "limit") {
		in >> word >> a;
		limit(word, a);
	} else if (verb == "loop") {
		in >> a >> b;
		loop(static_cast<int>(a), static_cast<int>(b));
	} else if (verb == "switches") {
		double seconds = 0;

		in >> seconds >> a;
		switches(seconds, static_cast<int>(a));
	} else if (verb == "chroot") {
		in >> word;
		say("{\"chroot\":%d}", chroot(word.c_str()));
	} else if (verb == "system") {
		std::getline(in, word);
		say("{\"status\":%d}", system(word.c_str()));
	} else if (verb == "fd") { /* the next free descriptor number */
		int fd = open("/dev/null", O_RDONLY);
		close(fd);
		say("{\"fd\":%d}", fd);
	} else if (verb == "setuid") {
		in >> a;
		say("{\"setuid\":%d}", setresuid(a, a, a));
	} else if (verb == "crash") {
		raise(SIGKILL);
	} else {
		return late_command(verb, in) || program_command(verb, in);
	}
	return true;
}
} // namespace

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	arguments = argv;
	/* at once, as Python does it, or each function at its first call */
	void *library = dlopen(argv[1], (getenv("STANDIN_LAZY") ? RTLD_LAZY : RTLD_NOW) | RTLD_LOCAL);

	if (!library) {
		fprintf(stderr, "standin-app: %s\n", dlerror());
		return 3;
	}
#define FIND(name) control.name = function<decltype(standin_##name)>(library, "standin_" #name)
	FIND(open);
	FIND(submesh);
	FIND(close);
	FIND(alloc);
	FIND(free);
	FIND(alloc_begin);
	FIND(alloc_end);
	FIND(free_begin);
	FIND(free_end);
	FIND(view);
	FIND(view_end);
	FIND(capture);
	FIND(abandon);
	FIND(address);
	FIND(stats);
	FIND(blocks);
	FIND(slow);
	FIND(program);
	FIND(program_beside);
	FIND(kernel);
	FIND(cb);
	FIND(dfb);
	FIND(scratch);
	FIND(binaries);
	FIND(binaries_users);
	FIND(resize);
	FIND(dispatch);
	FIND(program_end);
	say("{\"pid\":%d}", getpid());
	std::string line;
	while (std::getline(std::cin, line) && command(std::istringstream(line)))
		;
	return 0;
}
