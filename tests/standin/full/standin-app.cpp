/* SPDX-License-Identifier: Apache-2.0 */
/*
 * standin-app LIBRARY: a program that does what it is told.
 *
 * Loads the library as Python loads TT-Metal (dlopen, RTLD_NOW, RTLD_LOCAL), says
 * {"pid":N}, and then reads one command a line and answers one JSON document a
 * line; empty lines and lines from # on are passed over. It ends with its input.
 * TYPE is dram, l1, l1_small, trace or system; numbers are decimal or 0x...
 * A command that cannot be done answers {"error":"..."}.
 *
 * Devices
 *   open CHIPS L1_SMALL TRACE [parent|noparent]     {"mesh":0}
 *       CHIPS: how many from 0 on, or ID[:UNIQUE_ID[:PCI]],... ("2," is chip 2 alone).
 *       One chip gets a parent nobody sees, as open_device does it; several do not.
 *   submesh MESH FIRST [COUNT]                      {"mesh":1}
 *   close MESH                                      {"closed":0,"left":2}
 * Memory
 *   alloc MESH TYPE SIZE PAGE [CORES [LAYOUT]]      {"buffer":0,"address":1048640}
 *                                                   {"error":"...","code":-2}
 *   free BUFFER                                     {"freed":0}
 *   view MESH [ADDRESS SIZE PAGE [TYPE]]            {"view":true,"buffer":1}
 *       without an address: made and dropped at once, {"view":true}
 *   fail MESH TYPE                                  {"error":"...","code":-2}
 *   validate MESH                                   {"error":"...","code":-1}
 *   capture begin | end | MESH SIZE                 {"capture":true}
 *       MESH SIZE: begins, allocates, and ends; what a capture made goes with its end
 *   cb MESH ADDRESS SIZE X0 Y0 X1 Y1                {"cb":true}
 *   cbfree MESH                                     {"cb":false}
 * Histories
 *   random MESH N SEED                              {"live":123}
 *   threads MESH N THREADS                          {"live":456}
 *   many MESH N                                     {"made":1000}     no Buffer for each chip
 *   freeall                                         {"live":0}        newest first
 *   freefirst                                       {"freed":0}       oldest; null: none left
 *   loop MESH N                                     {"ns":120.5,"pairs":1000}
 * The truth, past everything a hook may sit in
 *   stats MESH                    {"dram":{"banks","base","size_bytes","allocated_bytes",
 *                                 "free_bytes","largest_free_bytes","blocks":[[address,size],..]},
 *                                 "l1":..,"l1_small":..,"trace":..}
 *   blocks MESH TYPE              {"blocks":[[address,size,"taken"|"free"],...]}
 *   list                          {"buffers":[{"buffer","mesh","type","layout","address","size",
 *                                 "page_size","bank_bytes","cores","allocated","object"},...]}
 *   events                        {"track_allocate":N,"track_deallocate":N,
 *                                 "track_allocate_cb":N,"track_deallocate_cb":N}
 *   generation                    {"generation":79}
 * The process
 *   fork [COMMAND ; COMMAND ...]  {"child":PID,"answers":[...]}, by the child, which then waits
 *       until its parent ends; "fork MESH N": frees one buffer of the parent's, makes N
 *   exec                          {"pid":N} again, by the new program
 *   thread COMMAND                {"thread":TID,"answer":{...}}
 *   closefrom N [FILE|-]          {"closed":3}        and FILE on the numbers 900 to 909
 *   foreign FD [FILE]             {"foreign":5,"path":"..."}
 *   rlimit NAME VALUE             {"limit":0}         NAME: as fsize nofile memlock data stack
 *   chroot DIRECTORY              {"chroot":0}
 *   system COMMAND                {"status":0}
 *   fd                            {"fd":3}            the next free descriptor number
 *   sleep MILLISECONDS            {"slept":10}
 *   hold [SECONDS]                {"hold":true}       then sleeps, without SECONDS for ever
 *   crash                         SIGKILL, no answer
 *   exit [CODE]                   no answer; meshes stay open, as in a program that forgets them
 */
#include "app.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>

namespace app {
Library standin;
char **arguments;

void library_open(const char *path)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!library) {
		fprintf(stderr, "standin-app: %s\n", dlerror());
		exit(3);
	}
#define FIND(name)                                                                                 \
	standin.name = reinterpret_cast<decltype(standin.name)>(dlsym(library, "standin_" #name)); \
	if (!standin.name) {                                                                       \
		fprintf(stderr, "standin-app: %s has no standin_" #name "\n", path);               \
		exit(3);                                                                           \
	}
	STANDIN_FUNCTIONS(FIND)
#undef FIND
}

std::string Words::next()
{
	std::string word;

	if (!(in_ >> word))
		throw std::invalid_argument("a word is missing");
	return word;
}

std::string Words::next_or(const std::string &fallback)
{
	std::string word;
	return in_ >> word ? word : fallback;
}

static uint64_t to_number(const std::string &word)
{
	size_t used = 0;
	uint64_t n = std::stoull(word, &used, 0);

	if (used != word.size() || word[0] == '-')
		throw std::invalid_argument(word + " is no number");
	return n;
}

uint64_t Words::number() { return to_number(next()); }

uint64_t Words::number_or(uint64_t fallback)
{
	std::string word = next_or("");
	return word.empty() ? fallback : to_number(word);
}

std::string Words::rest()
{
	std::string text;

	std::getline(in_ >> std::ws, text);
	return text;
}

std::string quoted(const std::string &text)
{
	std::string out = "\"";

	for (unsigned char c : text) {
		char escape[8];

		if (c < 0x20 || c == '"' || c == '\\') {
			snprintf(escape, sizeof escape, "\\u%04x", c);
			out += escape;
		} else {
			out += static_cast<char>(c);
		}
	}
	return out + "\"";
}

std::string object(std::initializer_list<std::pair<const char *, std::string>> members)
{
	std::string out = "{";

	for (const auto &[name, value] : members)
		out += (out.size() > 1 ? ",\"" : "\"") + std::string(name) + "\":" + value;
	return out + "}";
}

static const Commands &commands()
{
	static const Commands all = [] {
		Commands c;

		add_memory_commands(c);
		add_process_commands(c);
		return c;
	}();
	return all;
}

std::string run(const std::string &line)
{
	try {
		Words words(line);
		std::string verb = words.next();
		auto command = commands().find(verb);

		if (command == commands().end())
			throw std::invalid_argument("unknown command " + verb);
		return command->second(words);
	} catch (const std::exception &e) {
		return object({{"error", quoted(e.what())}});
	}
}

void say(const std::string &document)
{
	fwrite((document + "\n").c_str(), 1, document.size() + 1, stdout);
	fflush(stdout);
}
} // namespace app

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: standin-app LIBRARY\n");
		return 2;
	}
	app::arguments = argv;
	app::library_open(argv[1]);
	app::say(app::object({{"pid", app::number(getpid())}}));
	std::string line;

	while (std::getline(std::cin, line)) {
		size_t start = line.find_first_not_of(" \t");

		if (start == std::string::npos || line[start] == '#')
			continue;
		std::string answer = app::run(line);
		if (!answer.empty())
			app::say(answer);
	}
	/* meshes that are still open stay so, as in a program that forgets them */
	return 0;
}
