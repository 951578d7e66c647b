/* SPDX-License-Identifier: Apache-2.0 */
/* ttmem explain: what an error of TT-Metal about memory meant, and what would change it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/json.h"
#include "base/files.h"
#include "tool/circumstances.h"
#include "tool/exit_codes.h"
#include "tool/view_options.h"
#include "view/explain.h"

/* Of a longer text its end is read: the last message counts. */
#define TEXT_BYTES_MAX (UINT64_C(16) << 20)

/* So many buffers are named. */
#define NAMED_MAX 20u

static const struct option_row rows[] = {
	{"format", 0, ARGUMENT_REQUIRED, "FORMAT", "table (default) or json", "table,json"},
	{"file", 'f', ARGUMENT_REQUIRED, "FILE", "read the text from FILE; -: standard input", NULL},
	{"pid", 'p', ARGUMENT_REQUIRED, "PID", "it happened in this process", NULL},
	{"last", 0, ARGUMENT_NONE, NULL,
	 "no text: the last failed allocation that was recorded", NULL},
	{"ascii", 0, ARGUMENT_NONE, NULL, "draw with plain ASCII characters", NULL},
	{"width", 0, ARGUMENT_REQUIRED, "COLUMNS", "draw that wide, at least 80", NULL},
	{"no-server", 0, ARGUMENT_NONE, NULL, "do not ask a server, look at the processes", NULL},
	{0},
};

enum { ROW_FORMAT, ROW_FILE, ROW_PID, ROW_LAST, ROW_ASCII, ROW_WIDTH, ROW_NO_SERVER };

struct request {
	struct view_options view;
	const char *file;
	uint32_t pid;
	bool last;
};

static int on_option(void *context, unsigned row, const char *value)
{
	struct request *request = context;
	uint64_t number;

	switch (row) {
	case ROW_FORMAT:
		return view_option(&request->view, VIEW_ROW_FORMAT, value);
	case ROW_FILE:
		request->file = value;
		return 0;
	case ROW_PID:
		if (parse_u64(value, &number) < 0 || number == 0 || number > UINT32_MAX)
			return EXIT_USAGE;
		request->pid = (uint32_t)number;
		return 0;
	case ROW_LAST:
		request->last = true;
		return 0;
	case ROW_ASCII:
		return view_option(&request->view, VIEW_ROW_ASCII, value);
	case ROW_WIDTH:
		return view_option(&request->view, VIEW_ROW_WIDTH, value);
	default:
		return view_option(&request->view, VIEW_ROW_NO_SERVER, value);
	}
}

/* All of a file, or its last part. Return: 0 or -errno. */
static int read_end(int fd, struct text *ret_text)
{
	static char block[1 << 16];

	for (;;) {
		ssize_t n = read(fd, block, sizeof block);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return ret_text->failed ? -ENOMEM : 0;
		text_append(ret_text, block, (size_t)n);
		if (ret_text->failed)
			return -ENOMEM;
		if (ret_text->length < 2 * TEXT_BYTES_MAX)
			continue;
		memmove(ret_text->bytes, ret_text->bytes + ret_text->length - TEXT_BYTES_MAX,
			TEXT_BYTES_MAX);
		ret_text->length = TEXT_BYTES_MAX;
	}
}

static int read_file(const char *path, struct text *ret_text)
{
	bool standard = strcmp(path, "-") == 0;
	fd_auto fd = standard ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	int r = standard || fd >= 0 ? read_end(standard ? STDIN_FILENO : fd, ret_text) : -errno;

	if (r == 0)
		return 0;
	output_error("unreadable", NULL, "cannot read %s: %s",
		     standard ? "standard input" : path, strerror(-r));
	return r == -ENOENT ? EXIT_NOT_FOUND : r == -EACCES ? EXIT_PERMISSION : EXIT_FAILED;
}

/* One word that is a file's name is that file; anything else is the text itself. */
static bool is_file(char *const *operands, int count)
{
	struct stat st;

	if (count != 1 || strcmp(operands[0], "-") == 0)
		return count == 1;
	if (strpbrk(operands[0], " \n"))
		return stat(operands[0], &st) == 0 && S_ISREG(st.st_mode);
	/* a name that is not there is a mistake in it, and no text */
	return stat(operands[0], &st) == 0 || strchr(operands[0], '/') != NULL;
}

static int read_text(const struct command *command, const struct request *request, char **operands,
		     int count, struct text *ret_text)
{
	if (request->file && count > 0)
		return usage_error(command, "either --file or a text");
	if (request->file)
		return read_file(request->file, ret_text);
	if (is_file(operands, count))
		return read_file(operands[0], ret_text);
	if (count == 0 && isatty(STDIN_FILENO))
		return usage_error(command, "no text: give it as an argument, a file or on "
					    "standard input, or use --last");
	if (count == 0)
		return read_file("-", ret_text);
	for (int i = 0; i < count; i++) {
		text_puts(ret_text, operands[i]);
		text_putc(ret_text, ' ');
	}
	return 0;
}

/* The newest failure of a process; NULL. */
static const struct failure *newest_failure(const struct snapshot *snapshot,
					    const struct process *process)
{
	const struct failure *newest = NULL;

	for (uint32_t i = 0; i < process->failures.count; i++) {
		const struct failure *one = &snapshot->failures[process->failures.first + i];

		if (!newest || one->age_ns < newest->age_ns)
			newest = one;
	}
	return newest;
}

/*
 * The newest of all processes, or of that with `pid`, or of a request of so many bytes; chooses the
 * process.
 */
static const struct failure *choose_failure(struct circumstances *c, uint32_t pid,
					    struct fact requested)
{
	const struct failure *newest = NULL;

	for (uint32_t i = 0; i < c->picture.process_count; i++) {
		const struct process *process = &c->picture.processes[i];
		const struct failure *one = newest_failure(&c->picture, process);

		if (!one || (pid && process->pid != pid) ||
		    (fact_is_known(requested) && one->requested_bytes != requested.value) ||
		    (newest && newest->age_ns <= one->age_ns))
			continue;
		newest = one;
		c->process = process;
	}
	return newest;
}

/* What one bank would have had to give, if it was interleaved: the record does not tell. */
static struct fact need_of(const struct failure *failure, const struct fit_bank *bank)
{
	const struct fit_request request = {failure->requested_bytes, failure->page_bytes, 0};
	uint64_t bytes;

	if (fit_bank_bytes(&request, bank, &bytes) < 0)
		return fact_absent(REASON_NONE);
	/* it did not fit, so it was sharded, over fewer banks */
	if (fact_is_known(failure->bank_largest_free_bytes) &&
	    bytes <= failure->bank_largest_free_bytes.value)
		return fact_absent(REASON_NONE);
	return fact_estimate(bytes, REASON_NONE);
}

/* A recorded failure as if it had been read in a text. */
static struct error_text error_of(const struct circumstances *c, const struct failure *failure)
{
	struct error_text error = {
		.kind = ERROR_NO_SPACE, .what = "an allocation", .seen = 1, .type = failure->type};
	struct span span = c->process->allocators;

	error.figures[FIGURE_REQUESTED] = fact_of(failure->requested_bytes);
	error.figures[FIGURE_FREE] = failure->bank_free_bytes;
	error.figures[FIGURE_LARGEST] = failure->bank_largest_free_bytes;
	for (uint32_t i = 0; i < span.count && fact_is_known(failure->type); i++) {
		const struct allocator *one = &c->picture.allocators[span.first + i];
		struct fit_bank bank;

		if (!fact_is_known(failure->allocator) || one->id != failure->allocator.value ||
		    holdings_bank(one, (enum memory_type)failure->type.value, &bank) < 0)
			continue;
		error.figures[FIGURE_BANKS] = fact_of(bank.banks);
		error.figures[FIGURE_BANK_SIZE] = fact_of(bank.end - bank.start);
		error.figures[FIGURE_NEED] = need_of(failure, &bank);
	}
	return error;
}

static int by_size(const void *a, const void *b, void *context)
{
	const struct snapshot *snapshot = context;
	uint64_t x = snapshot->buffers[*(const uint32_t *)a].bank_bytes;
	uint64_t y = snapshot->buffers[*(const uint32_t *)b].bank_bytes;

	return x < y ? 1 : x > y ? -1 : 0;
}

/* Which buffers of the process are to be named; without them the verdict stands as well. */
static void name_buffers(struct circumstances *c, bool failed, struct explanation *e,
			 struct holdings *held)
{
	const struct error_text *error = error_list_last(e->list);
	/* programs lie in L1, and so does what is in their way */
	enum memory_type type = fact_is_known(error->type)
					? (enum memory_type)error->type.value
					: MEMORY_L1;
	const struct allocator *allocator = circumstances_allocator(c, type);
	struct fit_bank bank;

	e->picture = &c->picture;
	if (!allocator || circumstances_buffers(c, failed) < 0 ||
	    holdings_of(&c->buffers, c->process->pid, allocator->id, type, held) < 0)
		return;
	e->process = c->process;
	e->buffers = &c->buffers;
	e->is_moment = c->is_moment;
	e->way = in_the_way_of(error, &e->verdict, held,
			       holdings_bank(allocator, type, &bank) < 0 ? NULL : &bank);
	if (e->way.by_size)
		qsort_r(held->indices, held->count, sizeof *held->indices, by_size, &c->buffers);
	e->named = held->indices + e->way.first;
	e->named_count = e->way.count < NAMED_MAX ? (uint32_t)e->way.count : NAMED_MAX;
}

static int write_explanation(const struct request *request, const struct explanation *e)
{
	text_auto text = TEXT_INIT;

	if (request->view.format == FORMAT_JSON) {
		explain_write_json(&text, e);
		text_putc(&text, '\n');
	} else {
		struct style style = view_style(&request->view);

		explain_write(&text, e, &style);
	}
	int r = output_text(&text);

	if (r < 0 && r != -EPIPE)
		return EXIT_FAILED;
	return e->verdict.kind == VERDICT_UNKNOWN ? EXIT_FAILED : EXIT_OK;
}

/* `failed`: it is the process's last failed allocation, whose moment a server may have kept. */
static int explain(const struct request *request, struct circumstances *c, bool failed,
		   const struct error_list *list)
{
	struct explanation e = {
		.list = list,
		.verdict = verdict_of(error_list_last(list)),
		.recorded = request->last,
	};
	struct holdings held = {0};

	if (c && c->process && e.verdict.kind != VERDICT_UNKNOWN)
		name_buffers(c, failed, &e, &held);
	int r = write_explanation(request, &e);

	holdings_clear(&held);
	return r;
}

static int explain_last(const struct request *request)
{
	struct circumstances c;
	struct error_list list = {.count = 1};
	int r = circumstances_open(request->view.no_server, &c);

	if (r < 0)
		return view_failed(r);
	const struct failure *failure = choose_failure(&c, request->pid, fact_absent(REASON_NONE));

	if (failure) {
		list.errors[0] = error_of(&c, failure);
		r = explain(request, &c, true, &list);
	} else {
		output_error("not_found", "give the text of the error instead",
			     "no failed allocation is recorded");
		r = EXIT_NOT_FOUND;
	}
	circumstances_close(&c);
	return r;
}

/*
 * The process of a text: that which has a record of just this request, else the only one there is.
 * *ret_failed: it was its last failed allocation. Return: as circumstances_choose.
 */
static int choose_process(struct circumstances *c, uint32_t pid, const struct error_text *error,
			  bool *ret_failed)
{
	struct fact requested =
		error ? error->figures[FIGURE_REQUESTED] : fact_absent(REASON_NONE);

	*ret_failed = fact_is_known(requested) && choose_failure(c, pid, requested);
	return *ret_failed ? 0 : circumstances_choose(c, pid);
}

static int explain_text(const struct request *request, const struct text *text)
{
	struct circumstances c;
	struct error_list list;
	bool failed;

	error_text_read(text->bytes ? text->bytes : "", text->length, &list);
	int r = circumstances_open(request->view.no_server, &c);

	/* the text is enough; who names a process wants that one */
	if (r < 0)
		return request->pid ? view_failed(r) : explain(request, NULL, false, &list);
	r = choose_process(&c, request->pid, error_list_last(&list), &failed);
	if (r < 0 && request->pid) {
		output_error("not_found", "ttmem lists those that do",
			     "no process %u reports its memory", request->pid);
		r = EXIT_NOT_FOUND;
	} else {
		r = explain(request, &c, failed, &list);
	}
	circumstances_close(&c);
	return r;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct request request = {.file = NULL};
	text_auto text = TEXT_INIT;
	int rest, r = options_parse(command, argc, argv, on_option, &request, &rest);

	if (r >= 0)
		return r;
	if (request.last && (request.file || rest < argc))
		return usage_error(command, "either --last or a text");
	if (request.last)
		return explain_last(&request);
	r = read_text(command, &request, argv + rest, argc - rest, &text);
	return r ? r : explain_text(&request, &text);
}

const struct command command_explain = {
	.name = "explain",
	.synopsis = "[OPTIONS] [TEXT | FILE | -]",
	.summary = "Tells what an error of TT-Metal about memory meant, and what would make it fit.",
	.options = rows,
	.run = run,
	.operands_anywhere = true,
};
