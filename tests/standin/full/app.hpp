/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of standin-app. A command is a function from its words to one JSON
 * document; nothing is printed on the way, so that commands can run in a thread
 * or a child and their answers can be put into another's.
 */
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

#include "standin.h"

namespace app {
#define STANDIN_FUNCTIONS(X)                                                                       \
	X(generation) X(open) X(submesh) X(close) X(alloc) X(view) X(free) X(describe) X(capture)  \
	X(cb) X(cb_end) X(statistics) X(blocks) X(events)

/* The control functions of the library, found by dlsym. */
struct Library {
#define MEMBER(name) decltype(&::standin_##name) name;
	STANDIN_FUNCTIONS(MEMBER)
#undef MEMBER
};
extern Library standin;
void library_open(const char *path);

/* The words of a command. next() throws when there is none left. */
class Words {
public:
	explicit Words(const std::string &line) : in_(line) {}
	std::string next();
	uint64_t number();
	std::string next_or(const std::string &fallback);
	uint64_t number_or(uint64_t fallback);
	std::string rest();

private:
	std::istringstream in_;
};

using Command = std::function<std::string(Words &)>;
using Commands = std::map<std::string, Command>;

void add_memory_commands(Commands &commands);  /* app_memory.cpp */
void add_process_commands(Commands &commands); /* app_process.cpp */

extern char **arguments; /* of main() */

/* Runs one line; whatever goes wrong becomes {"error": ...}. */
std::string run(const std::string &line);
/* Writes a line to standard output at once. */
void say(const std::string &document);

std::string quoted(const std::string &text);
/* {"a":1,"b":2} from {{"a", "1"}, {"b", "2"}} */
std::string object(std::initializer_list<std::pair<const char *, std::string>> members);
template <typename N> std::string number(N n) { return std::to_string(n); }
} // namespace app
