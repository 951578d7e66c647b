/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocates from stacks of every shape, and writes down what glibc's backtrace()
 * says of each at the very place where the hook looks as well.
 *
 *   standin-stacks LIBRARY PLUGIN PLUGIN
 *   standin-stacks LIBRARY bench COUNT    ns for an allocation and its end, below thirteen calls
 *
 * One JSON document on standard output, {"pid", "same_address", "buffers": {address: [[file,
 * offset], ...]}}; then it waits for its input to close.
 */
#include "control.hpp"

#include <alloca.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <unistd.h>

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#define NOINLINE __attribute__((noinline))

namespace {
decltype(standin_open) *open_mesh;
decltype(standin_alloc) *alloc_buffer;
decltype(standin_free) *free_buffer;
decltype(standin_address) *address_of;
void *mesh;

using Stack = std::vector<std::pair<std::string, uint64_t>>;
std::map<uint64_t, Stack> stacks;
std::map<void *, std::pair<std::string, uint64_t>> places; /* while no code is unloaded */
std::mutex mutex;
thread_local void *seen[80];
thread_local int seen_count;

/* The listener: called by the real track_allocate. */
NOINLINE void look()
{
	seen_count = backtrace(seen, 80);
}

/* File and offset of the call before a return address, by the kernel's list: not the hook's way. */
std::pair<std::string, uint64_t> place_of(uint64_t call)
{
	std::ifstream maps("/proc/self/maps");
	std::string line;

	while (std::getline(maps, line)) {
		uint64_t start, end, offset;
		int path = 0;

		if (sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %*s %*s %n", &start,
			   &end, &offset, &path) >= 3 && call >= start && call < end)
			return {line.substr(path), call - start + offset};
	}
	return {"?", 0};
}

NOINLINE void allocate()
{
	char error[100] = "";
	void *buffer = alloc_buffer(mesh, 0, 2048, 2048, 0, error, sizeof error);
	Stack stack;

	if (!buffer) {
		fprintf(stderr, "standin-stacks: %s\n", error);
		exit(3);
	}
	std::lock_guard<std::mutex> guard(mutex);
	/* look() itself, track_allocate, the hook where it left a frame: then what is compared */
	for (int i = 2; i < seen_count && stack.size() < 32; i++) {
		auto found = places.try_emplace(seen[i]);

		if (found.second)
			found.first->second = place_of(reinterpret_cast<uint64_t>(seen[i]) - 1);
		if (found.first->second.first.find("libttmem-hook") == std::string::npos)
			stack.push_back(found.first->second);
	}
	stacks[address_of(buffer)] = stack;
	asm volatile(""); /* no tail call */
}

volatile int sink;

/* Frames of every kind, calling each other at random. */
NOINLINE void plain(std::mt19937 &random, int depth);
NOINLINE void with_alloca(std::mt19937 &random, int depth);
NOINLINE void aligned(std::mt19937 &random, int depth);
NOINLINE void large(std::mt19937 &random, int depth);
NOINLINE void many_arguments(std::mt19937 &random, int depth, int a, int b, int c, int d, int e, int f);

NOINLINE void next(std::mt19937 &random, int depth)
{
	if (depth == 0) {
		allocate();
	} else {
		switch (random() % 6) {
		case 0: plain(random, depth - 1); break;
		case 1: with_alloca(random, depth - 1); break;
		case 2: aligned(random, depth - 1); break;
		case 3: large(random, depth - 1); break;
		case 4: many_arguments(random, depth - 1, 1, 2, 3, 4, 5, 6); break;
		default: {
			std::function<void()> f = [&random, depth] {
				next(random, depth - 1);
				sink = sink + 1;
			};
			f();
		}
		}
	}
	sink = sink + 1;
}

NOINLINE void plain(std::mt19937 &random, int depth)
{
	next(random, depth);
	sink = sink + 1;
}

NOINLINE void with_alloca(std::mt19937 &random, int depth)
{
	char *room = static_cast<char *>(alloca(16 + random() % 300));

	room[0] = 1;
	next(random, depth);
	sink = sink + room[0];
}

NOINLINE void aligned(std::mt19937 &random, int depth)
{
	alignas(128) volatile char room[128];
	char *more = static_cast<char *>(alloca(1 + random() % 100));

	room[0] = more[0] = 1;
	next(random, depth);
	sink = sink + room[0] + more[0];
}

NOINLINE void large(std::mt19937 &random, int depth)
{
	volatile char room[5000];

	room[random() % sizeof room] = 1;
	next(random, depth);
	sink = sink + room[17];
}

NOINLINE void many_arguments(std::mt19937 &random, int depth, int a, int b, int c, int d, int e, int f)
{
	next(random, depth);
	sink = sink + a + b + c + d + e + f;
}

NOINLINE int recurse(int depth)
{
	if (depth == 0)
		allocate();
	else
		sink = sink + recurse(depth - 1);
	return depth;
}

NOINLINE void from_a_catch()
{
	try {
		throw 1;
	} catch (...) {
		allocate();
	}
	sink = sink + 1;
}

void random_paths(unsigned seed, int count)
{
	std::mt19937 random(seed);

	for (int i = 0; i < count; i++)
		next(random, static_cast<int>(random() % 12));
}

/* Twice from the same place: the second time from memory. */
NOINLINE void again_and_again()
{
	for (int i = 0; i < 3; i++)
		allocate();
	sink = sink + 1;
}

/* Two files with other frames, at one address after the other. Return: was it the same address? */
bool plugins(char **files)
{
	void *where[2];

	for (int i = 0; i < 2; i++) {
		void *plugin = dlopen(files[i], RTLD_NOW);

		if (!plugin) {
			fprintf(stderr, "standin-stacks: %s\n", dlerror());
			exit(3);
		}
		where[i] = dlsym(plugin, "plugin_call");
		for (int n = 0; n < 2; n++)
			reinterpret_cast<void (*)(void (*)())>(where[i])(allocate);
		dlclose(plugin);
		places.clear();
	}
	return where[0] == where[1];
}

/* Best of many short rounds: in one of them the machine did nothing else. */
NOINLINE double pair_ns(int count)
{
	char error[100] = "";
	double best = 1e9;

	for (int round = 0; round < 200; round++) {
		auto start = std::chrono::steady_clock::now();

		for (int i = 0; i < count; i++)
			free_buffer(alloc_buffer(mesh, 0, 2048, 2048, 0, error, sizeof error));
		double ns = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() -
								     start)
				    .count() /
			    count;
		best = ns < best ? ns : best;
	}
	return best;
}

NOINLINE double pair_below(int depth, int count)
{
	double ns = depth ? pair_below(depth - 1, count) : pair_ns(count);

	sink = sink + depth;
	return ns;
}

void print(bool same_address)
{
	bool first = true;

	printf("{\"pid\":%d,\"same_address\":%s,\"buffers\":{", getpid(),
	       same_address ? "true" : "false");
	for (auto &[address, stack] : stacks) {
		printf("%s\"%" PRIu64 "\":[", first ? "" : ",", address);
		for (size_t i = 0; i < stack.size(); i++)
			printf("%s[\"%s\",%" PRIu64 "]", i ? "," : "", stack[i].first.c_str(),
			       stack[i].second);
		printf("]");
		first = false;
	}
	printf("}}\n");
	fflush(stdout);
}

template <typename F> F *function(void *library, const char *name)
{
	return reinterpret_cast<F *>(dlsym(library, name));
}
} // namespace

int main(int argc, char **argv)
{
	void *library = argc == 4 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : nullptr;

	if (!library)
		return 2;
	open_mesh = function<decltype(standin_open)>(library, "standin_open");
	alloc_buffer = function<decltype(standin_alloc)>(library, "standin_alloc");
	free_buffer = function<decltype(standin_free)>(library, "standin_free");
	address_of = function<decltype(standin_address)>(library, "standin_address");
	mesh = open_mesh(1, 0, 0);
	if (strcmp(argv[2], "bench") == 0) {
		printf("%f\n", pair_below(10, atoi(argv[3])));
		return 0;
	}
	*function<void (*)()>(library, "standin_on_allocate") = look;
	again_and_again();
	for (int depth = 0; depth < 60; depth += 7)
		recurse(depth);
	from_a_catch();
	random_paths(1, 300);
	random_paths(1, 300); /* the same again */
	const char *count = getenv("STACKS_COUNT"); /* more of them at once */
	std::vector<std::thread> threads;
	for (unsigned i = 0; i < 4; i++)
		threads.emplace_back(random_paths, 10 + i, count ? atoi(count) : 100);
	for (auto &thread : threads)
		thread.join();
	print(plugins(argv + 2));
	while (getchar() != EOF)
		;
	return 0;
}
