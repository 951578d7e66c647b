/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool/exit_codes.h"
#include "tool/output.h"

#define OPTIONS_MAX 40
#define HELP_VALUE  1000

static int has_arg(enum argument argument)
{
	return argument == ARGUMENT_NONE       ? no_argument
	       : argument == ARGUMENT_REQUIRED ? required_argument
					       : optional_argument;
}

void options_help(const struct command *command)
{
	printf("usage: ttmem %s%s%s\n\n%s\n\noptions:\n", command->name,
	       command->name[0] ? " " : "", command->synopsis, command->summary);
	for (const struct option_row *row = command->options; row->name; row++) {
		char left[64], letter[8] = "    ";

		if (row->letter)
			(void)snprintf(letter, sizeof letter, "-%c, ", row->letter);
		(void)snprintf(left, sizeof left, "%s--%s%s%s%s", letter, row->name,
			       has_arg(row->argument) == optional_argument   ? "[="
			       : has_arg(row->argument) == required_argument ? "="
									     : "",
			       row->argument_name ? row->argument_name : "",
			       has_arg(row->argument) == optional_argument ? "]" : "");
		printf("  %-28s %s\n", left, row->help);
	}
	printf("  %-28s %s\n", "-h, --help", "this text");
	if (command->notes)
		printf("\n%s", command->notes);
}

void options_list(const struct command *command)
{
	for (const struct option_row *row = command->options; row->name; row++) {
		const char *name = row->argument_name ? row->argument_name : "";
		bool detached = row->argument == ARGUMENT_OPTIONAL_NUMBER;
		bool optional = detached || row->argument == ARGUMENT_OPTIONAL;

		printf("option\t%s\t--%s\t", command->name, row->name);
		if (row->letter)
			printf("-%c", row->letter);
		printf("\t%s%s%s%s\t%s\t%s\n", optional ? "[" : "",
		       optional && !detached ? "=" : "", name, optional ? "]" : "",
		       row->values ? row->values : "", row->help);
	}
}

/* The letters of a table, in getopt's notation; '+': the first operand ends the options. */
static void letters_of(const struct command *command, char *letters)
{
	char *p = letters;

	if (!command->operands_anywhere)
		*p++ = '+';
	*p++ = ':';
	for (const struct option_row *row = command->options; row->name; row++) {
		if (!row->letter)
			continue;
		*p++ = row->letter;
		for (int i = 0; i < has_arg(row->argument); i++)
			*p++ = ':';
	}
	*p++ = 'h';
	*p = '\0';
}

static int row_of_letter(const struct command *command, int letter)
{
	for (int i = 0; command->options[i].name; i++)
		if (command->options[i].letter == letter)
			return i;
	return -1;
}

static const char *detached_number(int argc, char **argv)
{
	if (optind < argc && isdigit((unsigned char)argv[optind][0]))
		return argv[optind++];
	return NULL;
}

/* getopt tells a letter it does not know; a long one, unknown or ambiguous, is the last word. */
static int unknown_option(const struct command *command, char **argv)
{
	if (optopt > ' ' && optopt < 0x7f)
		return usage_error(command, "no option -%c", optopt);
	return usage_error(command, "no option %s, or more than one that starts so",
			   argv[optind - 1]);
}

/* Is JSON asked for anywhere? An error before that option should come as JSON as well. */
static void look_for_format(const struct command *command, int argc, char **argv)
{
	static const char *const forms[] = {"--format", "-format"};
	bool known = false;

	for (const struct option_row *row = command->options; row->name; row++)
		known |= strcmp(row->name, "format") == 0;
	for (int i = 1; known && i < argc; i++)
		for (int f = 0; f < 2; f++) {
			size_t n = strlen(forms[f]);

			if (strncmp(argv[i], forms[f], n) != 0)
				continue;
			if (strcmp(argv[i] + n, "=json") == 0 ||
			    (!argv[i][n] && i + 1 < argc && strcmp(argv[i + 1], "json") == 0))
				output_errors_as(FORMAT_JSON);
		}
}

int options_parse(const struct command *command, int argc, char **argv, option_handler *handler,
		  void *context, int *ret_rest)
{
	struct option longs[OPTIONS_MAX + 2] = {{0}};
	char letters[3 * OPTIONS_MAX + 4];
	int n = 0, value;

	for (; command->options[n].name && n < OPTIONS_MAX; n++)
		longs[n] = (struct option){command->options[n].name,
					   has_arg(command->options[n].argument), NULL,
					   HELP_VALUE + 1 + n};
	longs[n] = (struct option){"help", no_argument, NULL, HELP_VALUE};
	letters_of(command, letters);
	look_for_format(command, argc, argv);
	optind = 1;
	opterr = 0;
	while ((value = getopt_long_only(argc, argv, letters, longs, NULL)) != -1) {
		if (value == HELP_VALUE || value == 'h') {
			options_help(command);
			return EXIT_OK;
		}
		int row = value > HELP_VALUE ? value - HELP_VALUE - 1
					     : row_of_letter(command, value);

		if (value == ':')
			return usage_error(command, "%s needs an argument", argv[optind - 1]);
		if (value == '?' || row < 0)
			return unknown_option(command, argv);
		const char *argument = optarg;

		if (!argument && command->options[row].argument == ARGUMENT_OPTIONAL_NUMBER)
			argument = detached_number(argc, argv);
		int r = handler(context, (unsigned)row, argument);

		if (r != 0)
			return usage_error(command, "--%s: %s is not understood",
					   command->options[row].name,
					   argument ? argument : "nothing");
	}
	*ret_rest = optind;
	return -1;
}

int parse_u64(const char *text, uint64_t *ret_value)
{
	char *end;

	errno = 0;
	if (!text || !isdigit((unsigned char)text[0]))
		return -EINVAL;
	/* a leading 0 is no octal here: ids are padded with it */
	uint64_t value = strtoull(text, &end, strncmp(text, "0x", 2) == 0 ? 16 : 10);

	if (errno || *end)
		return -EINVAL;
	*ret_value = value;
	return 0;
}

int parse_size(const char *text, uint64_t *ret_bytes)
{
	static const char units[] = "KMGTP";
	char *end;

	if (!text || !isdigit((unsigned char)text[0]))
		return -EINVAL;
	double value = strtod(text, &end);

	while (*end == ' ')
		end++;
	const char *unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;

	if (unit) {
		end++;
		for (const char *p = units; p <= unit; p++)
			value *= 1024;
		if (*end == 'i')
			end++;
	}
	if (toupper((unsigned char)*end) == 'B')
		end++;
	if (*end || !isfinite(value) || value < 0 || value > 9e18)
		return -EINVAL;
	*ret_bytes = (uint64_t)value;
	return 0;
}

int usage_error(const struct command *command, const char *format, ...)
{
	char message[512], hint[64];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(message, sizeof message, format, args);
	va_end(args);
	(void)snprintf(hint, sizeof hint, "see ttmem %s%s--help", command->name,
		       command->name[0] ? " " : "");
	output_error("usage", hint, "%s", message);
	return EXIT_USAGE;
}
