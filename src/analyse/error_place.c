/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/error_place.h"

#include <ctype.h>
#include <string.h>

/* Between two frames of Python's there are a line of source and one of marks, rarely more. */
#define GAP_LINES 12

/* pytest prints whole functions between its frames. */
#define PYTEST_GAP_LINES 600

/* Before each line of an error; "ERROR" and "Exception" begin like that as well, and are none. */
#define PYTEST_MARK "E  "

struct line {
	const char *start, *end;
};

/* The line that ends before `end`. Return: false at the start of the text. */
static bool line_above(const char *bytes, const char *end, struct line *ret_line)
{
	if (end <= bytes)
		return false;
	const char *stop = end - 1; /* its newline */
	const char *start = stop;

	while (start > bytes && start[-1] != '\n')
		start--;
	*ret_line = (struct line){start, stop};
	return true;
}

static bool begins(const char *p, const char *end, const char *word)
{
	size_t length = strlen(word);

	return (size_t)(end - p) >= length && memcmp(p, word, length) == 0;
}

static const char *find(const char *p, const char *end, const char *word)
{
	for (; p < end; p++)
		if (begins(p, end, word))
			return p;
	return NULL;
}

/* Digits, at most nine. Return: behind them, NULL: none. */
static const char *read_number(const char *p, const char *end, uint32_t *ret_number)
{
	uint32_t number = 0;
	int digits = 0;

	for (; p < end && isdigit((unsigned char)*p) && digits < 9; p++, digits++)
		number = number * 10 + (uint32_t)(*p - '0');
	*ret_number = number;
	return digits && (p == end || !isdigit((unsigned char)*p)) ? p : NULL;
}

/* "in forward" to the end of the line, if that is what comes. */
static void read_function(const char *p, const char *end, struct error_place *place)
{
	while (end > p && isspace((unsigned char)end[-1]))
		end--;
	if (!begins(p, end, "in "))
		return;
	place->function = p + 3;
	place->function_length = (size_t)(end - place->function);
}

/*   File "model.py", line 12, in forward */
static bool read_python_frame(const struct line *line, struct error_place *ret_place)
{
	static const char behind_file[] = "\", line ";
	const char *p = line->start;

	while (p < line->end && (*p == ' ' || *p == '\t'))
		p++;
	if (!begins(p, line->end, "File \""))
		return false;
	struct error_place place = {.file = p + 6};
	const char *quote = find(place.file, line->end, behind_file);

	if (!quote || quote == place.file)
		return false;
	place.file_length = (size_t)(quote - place.file);
	p = read_number(quote + strlen(behind_file), line->end, &place.line);
	if (!p)
		return false;
	if (begins(p, line->end, ", "))
		read_function(p + 2, line->end, &place);
	*ret_place = place;
	return true;
}

/* model.py:12: in forward, or with the name of an error or nothing in the end */
static bool read_pytest_frame(const struct line *line, struct error_place *ret_place)
{
	struct error_place place = {.file = line->start};
	const char *dot = find(line->start, line->end, ".py:");

	if (!dot || dot == line->start || memchr(line->start, ' ', (size_t)(dot - line->start)))
		return false;
	place.file_length = (size_t)(dot + 3 - place.file);
	const char *p = read_number(dot + 4, line->end, &place.line);

	if (!p || p == line->end || *p++ != ':')
		return false;
	while (p < line->end && *p == ' ')
		p++;
	read_function(p, line->end, &place);
	*ret_place = place;
	return true;
}

/* As the hook sees it: what is installed as ttnn, a checkout of TT-Metal, and no file at all. */
static bool is_of_ttnn(const struct error_place *place)
{
	const char *end = place->file + place->file_length;

	return place->file[0] == '<' || find(place->file, end, "-packages/ttnn/") ||
	       find(place->file, end, "ttnn/ttnn/");
}

bool error_place_find(const char *bytes, size_t length, size_t at, struct error_place *ret_place)
{
	const char *end = bytes + (at < length ? at : length);
	struct line line;
	unsigned gap = 0, gap_max;

	/* what stands before the message in its own line: pytest marks those of an error */
	while (end > bytes && end[-1] != '\n')
		end--;
	bool is_pytest = begins(end, bytes + length, PYTEST_MARK);

	gap_max = is_pytest ? PYTEST_GAP_LINES : GAP_LINES;
	for (; gap <= gap_max && line_above(bytes, end, &line); end = line.start, gap++) {
		struct error_place place;

		/* above it begins another error, or another test */
		if (begins(line.start, line.end, "Traceback (most recent") ||
		    begins(line.start, line.end, "____"))
			return false;
		if (!read_python_frame(&line, &place) &&
		    !(is_pytest && read_pytest_frame(&line, &place)))
			continue;
		gap = 0;
		if (is_of_ttnn(&place))
			continue;
		*ret_place = place;
		return true;
	}
	return false;
}
