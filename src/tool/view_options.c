/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/view_options.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "tool/exit_codes.h"

int view_interval(struct view_options *view, const char *value, bool milliseconds)
{
	char *end = NULL;
	double seconds = value ? strtod(value, &end) / (milliseconds ? 1000 : 1) : 5;

	if ((value && (end == value || *end)) || !(seconds >= 0.001 && seconds <= 1e6))
		return EXIT_USAGE;
	view->interval_ms = (uint64_t)(seconds * 1000 + 0.5);
	return 0;
}

int view_format(struct view_options *view, const char *value)
{
	static const char *const names[] = {"table", "json", "jsonl", "csv"};
	bool is_csv = false;

	for (const char *word = value; *word;) {
		size_t length = strcspn(word, ",");
		enum format format = 0;

		while (format <= FORMAT_CSV && (strlen(names[format]) != length ||
						strncmp(word, names[format], length) != 0))
			format++;
		if (format <= FORMAT_CSV && word == value)
			view->format = format;
		else if (strncmp(word, "noheader", length) == 0 && length == 8 && is_csv)
			view->no_header = true;
		else if (strncmp(word, "nounits", length) == 0 && length == 7 && is_csv)
			view->no_units = true;
		else
			return EXIT_USAGE;
		is_csv = view->format == FORMAT_CSV;
		word += length + (word[length] == ',');
		while (*word == ' ')
			word++;
	}
	output_errors_as(view->format);
	return *value ? 0 : EXIT_USAGE;
}

int view_option(struct view_options *view, unsigned row, const char *value)
{
	uint64_t number;

	switch (row) {
	case VIEW_ROW_FORMAT:
		if (strcmp(value, "table") != 0 && strcmp(value, "json") != 0)
			return EXIT_USAGE;
		return view_format(view, value);
	case VIEW_ROW_LOOP:
		return view_interval(view, value, false);
	case VIEW_ROW_COUNT:
		return parse_u64(value, &view->count) < 0 || view->count == 0 ? EXIT_USAGE : 0;
	case VIEW_ROW_ROOT:
		view->root = value;
		return 0;
	case VIEW_ROW_NO_SERVER:
		view->no_server = true;
		return 0;
	case VIEW_ROW_ASCII:
		view->ascii = true;
		return 0;
	case VIEW_ROW_WIDTH:
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
	uint64_t interval = view->interval_ms, count = view->count;
	struct timespec next;

	/* a reader that goes away is an error code of write(2), not a death */
	(void)signal(SIGPIPE, SIG_IGN);
	if (interval == 0)
		interval = count ? 5000 : 0;
	(void)clock_gettime(CLOCK_MONOTONIC, &next);
	for (uint64_t i = 1;; i++) {
		int r = once(context);

		if (r != EXIT_OK)
			return r == -EPIPE ? EXIT_OK : r;
		if (interval == 0 || i == count)
			return EXIT_OK;
		next.tv_sec += (time_t)(interval / 1000);
		next.tv_nsec += (long)(interval % 1000) * 1000000;
		if (next.tv_nsec >= 1000000000) {
			next.tv_sec++;
			next.tv_nsec -= 1000000000;
		}
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) == EINTR)
			;
	}
}

int view_print(const struct text *text)
{
	int r = output_text(text);

	return r == 0 || r == -EPIPE ? r : EXIT_FAILED;
}

int view_failed(int error)
{
	bool denied = error == -EACCES || error == -EPERM;

	output_error("collect_failed", denied ? "ask root" : "is /proc mounted?",
		     "cannot look at the processes of this machine: %s", strerror(-error));
	return denied ? EXIT_PERMISSION : EXIT_FAILED;
}
