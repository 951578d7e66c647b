/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/json.h"
#include "tool/exit_codes.h"

static enum format errors_as = FORMAT_TABLE;
static int data_fd = STDOUT_FILENO;

void output_errors_as(enum format format)
{
	errors_as = format;
}

int output_to(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0) {
		output_error("cannot_write", "choose another file", "cannot write %s: %s", path,
			     strerror(errno));
		return EXIT_FAILED;
	}
	data_fd = fd;
	return 0;
}

int output_write(int fd, const struct text *text)
{
	size_t at = 0;

	while (at < text->length) {
		ssize_t n = write(fd, text->bytes + at, text->length - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += (size_t)n;
	}
	return 0;
}

void output_error(const char *code, const char *hint, const char *message, ...)
{
	text_auto what = TEXT_INIT, line = TEXT_INIT;
	char buffer[1024];
	va_list args;

	va_start(args, message);
	(void)vsnprintf(buffer, sizeof buffer, message, args);
	va_end(args);
	if (errors_as == FORMAT_JSON || errors_as == FORMAT_JSONL) {
		json_write_error(&line, code, buffer, hint);
		text_putc(&line, '\n');
		if (output_write(STDOUT_FILENO, &line) == 0)
			return;
	}
	/* arguments and paths are in it, and those come from anywhere */
	text_escape(&what, buffer, 0, false);
	fprintf(stderr, "ttmem: %s%s%s\n", what.bytes ? what.bytes : buffer, hint ? ": " : "",
		hint ? hint : "");
}

int output_text(const struct text *text)
{
	int r = text->failed ? -ENOMEM : output_write(data_fd, text);

	if (r < 0 && r != -EPIPE)
		fprintf(stderr, "ttmem: cannot write: %s\n", strerror(-r));
	return r;
}

int output_close(int exit_code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return exit_code;
	if (errno != EPIPE)
		fprintf(stderr, "ttmem: cannot write to standard output: %s\n", strerror(errno));
	return exit_code == EXIT_OK && errno != EPIPE ? EXIT_FAILED : exit_code;
}
