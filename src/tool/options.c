/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "api/json.h"
#include "tool/exit_codes.h"

#define OPTIONS_MAX 40
#define HELP_VALUE  1000

void options_help(const struct command *command)
{
	printf("usage: ttmem %s%s%s\n\n%s\n\noptions:\n", command->name, command->name[0] ? " " : "",
	       command->synopsis, command->summary);
	for (const struct option_row *row = command->options; row->name; row++) {
		char left[64], letter[8] = "    ";

		if (row->letter)
			(void)snprintf(letter, sizeof letter, "-%c, ", row->letter);
		(void)snprintf(left, sizeof left, "%s--%s%s%s%s", letter, row->name,
			       row->argument == ARGUMENT_OPTIONAL   ? "[="
			       : row->argument == ARGUMENT_REQUIRED ? "="
								    : "",
			       row->argument_name ? row->argument_name : "",
			       row->argument == ARGUMENT_OPTIONAL ? "]" : "");
		printf("  %-28s %s\n", left, row->help);
	}
	printf("  %-28s %s\n", "-h, --help", "this text");
}

static int has_arg(enum argument argument)
{
	return argument == ARGUMENT_NONE       ? no_argument
	       : argument == ARGUMENT_OPTIONAL ? optional_argument
					       : required_argument;
}

/* The letters of a table, in getopt's notation; '+': operands end the options. */
static void letters_of(const struct command *command, char *letters)
{
	char *p = letters;

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

/* "-l 2": an optional argument may stand apart, as with nvidia-smi, if it looks like a number. */
static const char *detached_number(int argc, char **argv)
{
	if (optind < argc && isdigit((unsigned char)argv[optind][0]))
		return argv[optind++];
	return NULL;
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
	optind = 1;
	opterr = 0;
	while ((value = getopt_long_only(argc, argv, letters, longs, NULL)) != -1) {
		if (value == HELP_VALUE || value == 'h') {
			options_help(command);
			return EXIT_OK;
		}
		if (value == ':')
			return usage_error(command, "%s needs an argument", argv[optind - 1]);
		int row = value > HELP_VALUE ? value - HELP_VALUE - 1
					     : row_of_letter(command, value);

		if (value == '?' || row < 0)
			return usage_error(command, "unknown option %s", argv[optind - 1]);
		const char *argument = optarg;

		if (!argument && command->options[row].argument == ARGUMENT_OPTIONAL)
			argument = detached_number(argc, argv);
		int r = handler(context, (unsigned)row, argument);

		if (r != 0)
			return usage_error(command, "--%s: not understood: %s",
					   command->options[row].name, argument ? argument : "");
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
	uint64_t value = strtoull(text, &end, 0);

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

static int parse_interval(const char *value, uint64_t *ret_ms)
{
	char *end = NULL;
	double seconds = value ? strtod(value, &end) : 5;

	if ((value && (end == value || *end)) || !(seconds >= 0.01 && seconds <= 1e6))
		return EXIT_USAGE;
	*ret_ms = (uint64_t)(seconds * 1000 + 0.5);
	return 0;
}

int view_option(struct view_options *view, unsigned row, const char *value)
{
	uint64_t number;

	switch (row) {
	case 0:
		if (strcmp(value, "table") != 0 && strcmp(value, "json") != 0)
			return EXIT_USAGE;
		view->format = strcmp(value, "json") == 0 ? FORMAT_JSON : FORMAT_TABLE;
		return 0;
	case 1:
		return parse_interval(value, &view->interval_ms);
	case 2:
		return parse_u64(value, &view->count) < 0 || view->count == 0 ? EXIT_USAGE : 0;
	case 3:
		view->ascii = true;
		return 0;
	case 4:
		if (parse_u64(value, &number) < 0 || number < STYLE_WIDTH_MIN || number > 1000)
			return EXIT_USAGE;
		view->width = (unsigned)number;
		return 0;
	default:
		return EXIT_USAGE;
	}
}

static bool locale_is_utf8(void)
{
	const char *name = getenv("LC_ALL");

	/* the same order as setlocale(3), without loading a locale */
	if (!name || !*name)
		name = getenv("LC_CTYPE");
	if (!name || !*name)
		name = getenv("LANG");
	return name && (strcasestr(name, "utf-8") || strcasestr(name, "utf8"));
}

struct style view_style(const struct view_options *view)
{
	struct winsize window = {0};
	const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
	bool terminal = isatty(STDOUT_FILENO);
	struct style style = {
		.width = view->width,
		.unicode = !view->ascii && locale_is_utf8(),
		.colour = terminal && !(no_colour && *no_colour) && term &&
			  strcmp(term, "dumb") != 0,
	};

	if (style.width == 0 && terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0)
		style.width = window.ws_col;
	if (style.width < STYLE_WIDTH_MIN)
		style.width = STYLE_WIDTH_MIN;
	return style;
}

int view_repeat(const struct view_options *view, int (*once)(void *context), void *context)
{
	for (uint64_t i = 1;; i++) {
		int r = once(context);

		if (r == -EPIPE)
			return EXIT_OK;
		if (r != EXIT_OK)
			return r;
		if (view->interval_ms == 0 || i == view->count)
			return EXIT_OK;
		struct timespec pause = {(time_t)(view->interval_ms / 1000),
					 (long)(view->interval_ms % 1000) * 1000000};

		(void)nanosleep(&pause, NULL);
	}
}

int write_out(const struct text *text)
{
	size_t at = 0;

	if (text->failed)
		return -ENOMEM;
	while (at < text->length) {
		ssize_t n = write(STDOUT_FILENO, text->bytes + at, text->length - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += (size_t)n;
	}
	return 0;
}

int usage_error(const struct command *command, const char *format, ...)
{
	va_list args;

	fputs("ttmem: ", stderr);
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nttmem: see ttmem %s%s--help\n", command->name,
		command->name[0] ? " " : "");
	return EXIT_USAGE;
}

void report_error(enum format format, const char *code, const char *hint, const char *message, ...)
{
	char text[512];
	va_list args;

	va_start(args, message);
	(void)vsnprintf(text, sizeof text, message, args);
	va_end(args);
	fprintf(stderr, "ttmem: %s\n", text);
	if (hint)
		fprintf(stderr, "ttmem: %s\n", hint);
	if (format == FORMAT_JSON) {
		text_auto json = TEXT_INIT;

		json_write_error(&json, code, text, hint);
		text_putc(&json, '\n');
		(void)write_out(&json);
	}
}
