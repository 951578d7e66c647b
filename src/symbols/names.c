/* SPDX-License-Identifier: Apache-2.0 */
#include "symbols/names.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define STEPS_MAX 4000
#define DEPTH_MAX 48
#define PREFIXES_MAX 16

/* Reads a mangled name and writes a short one; a step that fails stops everything. */
struct reader {
	const char *at;
	char *out;
	size_t length; /* of what was written */
	int quiet;     /* > 0: read, do not write */
	int depth, steps;
	/* what S_, S0_, S1_ ... stand for, as far as they are parts of the name itself */
	size_t prefix_start[PREFIXES_MAX], prefix_end[PREFIXES_MAX];
	int prefixes;
	bool prefixes_done; /* later ones are not parts of the name */
	size_t last_start, last_end; /* of the last component, for constructors */
};

static bool read_name(struct reader *r);
static bool read_type(struct reader *r);
static bool read_encoding(struct reader *r);

static bool enter(struct reader *r)
{
	return ++r->depth <= DEPTH_MAX && ++r->steps <= STEPS_MAX;
}

static bool leave(struct reader *r, bool result)
{
	r->depth--;
	return result;
}

static void put(struct reader *r, const char *text, size_t length)
{
	if (r->quiet)
		return;
	if (length > NAME_SHORT_BYTES - 1 - r->length)
		length = NAME_SHORT_BYTES - 1 - r->length;
	memmove(r->out + r->length, text, length);
	r->length += length;
	r->out[r->length] = '\0';
}

static void puts_(struct reader *r, const char *text)
{
	put(r, text, strlen(text));
}

static bool take(struct reader *r, char c)
{
	if (*r->at != c)
		return false;
	r->at++;
	return true;
}

/* Base 36 with a closing underscore, as behind S and T: "_" is 0, "0_" is 1. -1: it is none. */
static int read_sequence(struct reader *r)
{
	int number = 0;

	if (take(r, '_'))
		return 0;
	for (; isdigit((unsigned char)*r->at) || isupper((unsigned char)*r->at); r->at++) {
		if (number > 10000)
			return -1;
		number = number * 36 + (isdigit((unsigned char)*r->at) ? *r->at - '0'
								       : *r->at - 'A' + 10);
	}
	return take(r, '_') ? number + 1 : -1;
}

static bool read_source_name(struct reader *r)
{
	size_t length = 0;

	while (isdigit((unsigned char)*r->at)) {
		length = length * 10 + (size_t)(*r->at++ - '0');
		if (length > 65535)
			return false;
	}
	if (length == 0 || strnlen(r->at, length) < length)
		return false;
	r->last_start = r->length;
	if (length >= 10 && memcmp(r->at, "_GLOBAL__N", 10) == 0)
		puts_(r, "(anonymous)");
	else
		put(r, r->at, length);
	r->last_end = r->length;
	r->at += length;
	return true;
}

static bool read_literal(struct reader *r)
{
	if (strncmp(r->at, "_Z", 2) == 0) {
		r->at += 2;
		return read_encoding(r) && take(r, 'E');
	}
	if (!read_type(r))
		return false;
	while (isalnum((unsigned char)*r->at) && *r->at != 'E')
		r->at++;
	return take(r, 'E');
}

/* The few that occur in the arguments of templates; the rest is not understood. */
static bool read_expression(struct reader *r)
{
	bool result = false;

	if (!enter(r))
		return leave(r, false);
	if (take(r, 'L')) {
		result = read_literal(r);
	} else if (*r->at == 'T') {
		result = read_type(r);
	} else if (strncmp(r->at, "sp", 2) == 0) {
		r->at += 2;
		result = read_expression(r);
	} else if (strncmp(r->at, "tl", 2) == 0 || strncmp(r->at, "il", 2) == 0) {
		bool typed = *r->at == 't';

		r->at += 2;
		result = !typed || read_type(r);
		while (result && *r->at != 'E')
			result = read_expression(r);
		result = result && take(r, 'E');
	}
	return leave(r, result);
}

static bool read_argument(struct reader *r)
{
	bool result;

	if (!enter(r))
		return leave(r, false);
	switch (*r->at) {
	case 'L':
		r->at++;
		result = read_literal(r);
		break;
	case 'X':
		r->at++;
		result = read_expression(r) && take(r, 'E');
		break;
	case 'J':
		r->at++;
		result = true;
		for (int i = 0; result && *r->at != 'E'; i++) {
			r->quiet += i > 0;
			result = *r->at && read_argument(r);
			r->quiet -= i > 0;
		}
		result = result && take(r, 'E');
		break;
	case 'T':
		if (r->at[1] == 'y' || r->at[1] == 'n' || r->at[1] == 'p') {
			/* parameters of a lambda's own: a type, a value, a pack */
			char kind = r->at[1];

			r->at += 2;
			result = kind == 'y' || (kind == 'n' ? read_type(r) : read_argument(r));
			break;
		}
		if (r->at[1] == 'k') { /* a constraint, then what it constrains */
			r->at += 2;
			r->quiet++;
			result = read_name(r);
			r->quiet--;
			result = result && read_argument(r);
			break;
		}
		result = read_type(r);
		break;
	default:
		result = read_type(r);
	}
	return leave(r, result);
}

/* "<First>", "<First, ...>" or "<...>"; what an argument is called shows only when it is a class. */
static bool read_arguments(struct reader *r)
{
	size_t before = r->length, start;
	bool result = true;

	if (!enter(r))
		return leave(r, false);
	r->at++; /* the I */
	r->prefixes_done = true;
	puts_(r, "<");
	start = r->length;
	for (int i = 0; result && *r->at != 'E'; i++) {
		r->quiet += i > 0;
		result = *r->at && read_argument(r);
		r->quiet -= i > 0;
		if (i == 0 && r->length == start)
			puts_(r, "...");
		else if (i == 1 && (r->length < start + 3 ||
				    memcmp(r->out + r->length - 3, "...", 3) != 0))
			puts_(r, ", ...");
	}
	if (!result && !r->quiet) { /* nothing half said */
		r->length = before;
		r->out[before] = '\0';
		puts_(r, "<...>");
		return leave(r, false);
	}
	puts_(r, ">");
	return leave(r, result && take(r, 'E'));
}

static bool read_lambda(struct reader *r)
{
	bool result = true;

	r->at++;
	if (take(r, 't')) {
		puts_(r, "(unnamed)");
	} else if (take(r, 'l')) {
		r->quiet++;
		while (result && *r->at != 'E')
			result = *r->at && read_argument(r);
		r->quiet--;
		result = result && take(r, 'E');
		puts_(r, "(lambda)");
	} else {
		return false;
	}
	while (isdigit((unsigned char)*r->at))
		r->at++;
	return result && take(r, '_');
}

static bool read_operator(struct reader *r)
{
	static const char names[][2][12] = {
		{"cl", "()"},  {"ix", "[]"},  {"aS", "="},   {"eq", "=="}, {"ne", "!="},
		{"lt", "<"},   {"gt", ">"},   {"le", "<="},  {"ge", ">="}, {"ss", "<=>"},
		{"pl", "+"},   {"mi", "-"},   {"ml", "*"},   {"dv", "/"},  {"rm", "%"},
		{"ls", "<<"},  {"rs", ">>"},  {"pL", "+="},  {"mI", "-="}, {"mL", "*="},
		{"dV", "/="},  {"pp", "++"},  {"mm", "--"},  {"nt", "!"},  {"pt", "->"},
		{"de", "*"},   {"ad", "&"},   {"an", "&"},   {"or", "|"},  {"eo", "^"},
		{"co", "~"},   {"ng", "-"},   {"aa", "&&"},  {"oo", "||"}, {"cm", ","},
		{"nw", " new"}, {"na", " new[]"}, {"dl", " delete"}, {"da", " delete[]"}};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strncmp(r->at, names[i][0], 2) == 0) {
			r->at += 2;
			puts_(r, "operator");
			puts_(r, names[i][1]);
			return true;
		}
	if (strncmp(r->at, "cv", 2) != 0)
		return false;
	r->at += 2;
	puts_(r, "operator ");
	size_t before = r->length;
	bool result = read_type(r);

	if (r->length == before)
		puts_(r, "(type)");
	return result;
}

/* Sa, Ss and their like. Return: they were one of them. */
static bool read_standard(struct reader *r)
{
	static const char *const names[][2] = {
		{"Sa", "std::allocator"}, {"Sb", "std::basic_string"}, {"Ss", "std::string"},
		{"Si", "std::istream"},   {"So", "std::ostream"},      {"Sd", "std::iostream"}};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strncmp(r->at, names[i][0], 2) == 0) {
			r->at += 2;
			puts_(r, names[i][1]);
			return true;
		}
	return false;
}

static bool read_substitution(struct reader *r)
{
	if (read_standard(r))
		return true;
	r->at++;
	int number = read_sequence(r);

	if (number < 0)
		return false;
	if (number < r->prefixes)
		put(r, r->out + r->prefix_start[number],
		    r->prefix_end[number] - r->prefix_start[number]);
	else
		puts_(r, "?");
	return true;
}

/* A component without template arguments. */
static bool read_unqualified(struct reader *r)
{
	bool result = false;

	(void)take(r, 'L'); /* of one file only */
	if (isdigit((unsigned char)*r->at)) {
		result = read_source_name(r);
	} else if (*r->at == 'U') {
		result = read_lambda(r);
	} else if (*r->at == 'C' && r->at[1] >= '1' && r->at[1] <= '5') {
		r->at += 2;
		put(r, r->out + r->last_start, r->last_end - r->last_start);
		result = true;
	} else if (*r->at == 'D' && r->at[1] >= '0' && r->at[1] <= '5') {
		r->at += 2;
		puts_(r, "~");
		put(r, r->out + r->last_start, r->last_end - r->last_start);
		result = true;
	} else if (islower((unsigned char)*r->at)) {
		result = read_operator(r);
	}
	while (result && take(r, 'B')) { /* a tag of its ABI */
		r->quiet++;
		result = read_source_name(r);
		r->quiet--;
	}
	return result;
}

static void add_prefix(struct reader *r, size_t start)
{
	if (r->prefixes_done || r->quiet || r->prefixes == PREFIXES_MAX)
		return;
	r->prefix_start[r->prefixes] = start;
	r->prefix_end[r->prefixes++] = r->length;
}

static bool read_component(struct reader *r, bool first)
{
	if (*r->at == 'I')
		return read_arguments(r);
	if (!first)
		puts_(r, "::");
	if (strncmp(r->at, "St", 2) == 0) {
		r->at += 2;
		puts_(r, "std");
		return true;
	}
	if (*r->at == 'S')
		return read_substitution(r);
	if (*r->at == 'T')
		return read_type(r);
	return read_unqualified(r);
}

static bool read_nested(struct reader *r)
{
	size_t start = r->length;
	bool result = true;

	while (*r->at == 'r' || *r->at == 'V' || *r->at == 'K' || *r->at == 'R' || *r->at == 'O' ||
	       *r->at == 'H')
		r->at++;
	for (bool first = true; result && *r->at != 'E'; first = false) {
		bool is_new = !(*r->at == 'S' && (r->at[1] == 't' || r->at[1] == '_' ||
						  isdigit((unsigned char)r->at[1]) ||
						  isupper((unsigned char)r->at[1])));

		result = *r->at && ++r->steps <= STEPS_MAX && read_component(r, first);
		/* the whole name is no prefix of itself */
		if (result && is_new && *r->at != 'E')
			add_prefix(r, start);
		if (*r->at == 'M')
			r->at++;
	}
	return result && take(r, 'E');
}

static bool read_local(struct reader *r)
{
	if (!read_encoding(r) || !take(r, 'E'))
		return false;
	if (take(r, 's')) /* a string in it */
		return true;
	if (take(r, 'd')) { /* a default argument */
		while (isdigit((unsigned char)*r->at))
			r->at++;
		if (!take(r, '_'))
			return false;
	}
	puts_(r, "::");
	if (!read_name(r))
		return false;
	if (*r->at == '_' && isdigit((unsigned char)r->at[1])) {
		r->at += 2;
	} else if (r->at[0] == '_' && r->at[1] == '_') {
		r->at += 2;
		while (isdigit((unsigned char)*r->at))
			r->at++;
		return take(r, '_');
	}
	return true;
}

static bool read_name(struct reader *r)
{
	bool result;

	if (!enter(r))
		return leave(r, false);
	if (take(r, 'N'))
		return leave(r, read_nested(r));
	if (take(r, 'Z'))
		return leave(r, read_local(r));
	if (strncmp(r->at, "St", 2) == 0) {
		r->at += 2;
		puts_(r, "std::");
		result = read_unqualified(r);
	} else if (*r->at == 'S') {
		result = read_substitution(r);
	} else {
		size_t start = r->length;

		result = read_unqualified(r);
		if (result && *r->at == 'I')
			add_prefix(r, start);
	}
	if (result && *r->at == 'I')
		result = read_arguments(r);
	return leave(r, result);
}

/* Types of one or two letters. Return: it was one of them. */
static bool read_builtin(struct reader *r)
{
	if (*r->at && strchr("vwbcahstijlmxynofdegz", *r->at)) {
		r->at++;
		return true;
	}
	if (*r->at == 'D' && r->at[1] && strchr("dfheisunac", r->at[1])) {
		r->at += 2;
		return true;
	}
	return false;
}

static bool read_types_until_end(struct reader *r)
{
	bool result = true;

	r->quiet++;
	while (result && *r->at != 'E') {
		if ((*r->at == 'R' || *r->at == 'O') && r->at[1] == 'E')
			r->at++;
		else
			result = *r->at && read_type(r);
	}
	r->quiet--;
	return result && take(r, 'E');
}

static bool read_compound(struct reader *r)
{
	switch (*r->at++) {
	case 'F':
		(void)take(r, 'Y');
		return read_types_until_end(r);
	case 'A':
		while (isdigit((unsigned char)*r->at))
			r->at++;
		return take(r, '_') && read_type(r);
	case 'M': {
		r->quiet++;
		bool result = read_type(r) && read_type(r);

		r->quiet--;
		return result;
	}
	case 'D':
		if (take(r, 'p'))
			return read_type(r);
		return take(r, 'o') && *r->at == 'F' && read_type(r);
	case 'T':
		return read_sequence(r) >= 0 && (*r->at != 'I' || read_arguments(r));
	default:
		return false;
	}
}

static bool read_type(struct reader *r)
{
	bool result;

	if (!enter(r))
		return leave(r, false);
	while (*r->at && strchr("rVKPROCG", *r->at))
		r->at++;
	if (read_builtin(r))
		result = true;
	else if (*r->at && strchr("FAMDT", *r->at))
		result = read_compound(r);
	else
		result = read_name(r);
	return leave(r, result);
}

/* A function: its name, and where somebody else follows, its parameters. */
static bool read_encoding(struct reader *r)
{
	bool result;

	if (!enter(r))
		return leave(r, false);
	result = read_name(r);
	r->prefixes_done = true;
	r->quiet++;
	while (result && *r->at && *r->at != 'E' && *r->at != '.' && *r->at != '$')
		result = read_type(r);
	r->quiet--;
	return leave(r, result);
}

void name_short(const char *mangled, char ret_name[NAME_SHORT_BYTES])
{
	struct reader r = {.at = mangled, .out = ret_name};

	ret_name[0] = '\0';
	if (strncmp(mangled, "_Z", 2) != 0) {
		put(&r, mangled, strcspn(mangled, "@")); /* the rest is its version */
		return;
	}
	r.at += 2;
	/* parameters are of no interest: only the name has to be understood */
	bool result = read_name(&r);

	if (r.length == 0)
		puts_(&r, mangled);
	else if (!result && (r.length < 5 || memcmp(r.out + r.length - 5, "<...>", 5) != 0))
		puts_(&r, "...");
}
