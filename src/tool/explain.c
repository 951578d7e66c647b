/* SPDX-License-Identifier: Apache-2.0 */
/* ttmem explain: what an error of TT-Metal about memory meant, and what would change it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyse/error_place.h"
#include "analyse/tally.h"
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
	 "no text: the last failure that was recorded", NULL},
	{"failure", 0, ARGUMENT_REQUIRED, "N",
	 "no text: failure N of the process, as ttmem failures lists them", NULL},
	{"ascii", 0, ARGUMENT_NONE, NULL, "draw with plain ASCII characters", NULL},
	{"width", 0, ARGUMENT_REQUIRED, "COLUMNS", "draw that wide, at least 80", NULL},
	{"no-server", 0, ARGUMENT_NONE, NULL, "do not ask a server, look at the processes", NULL},
	{0},
};

enum { ROW_FORMAT, ROW_FILE, ROW_PID, ROW_LAST, ROW_FAILURE, ROW_ASCII, ROW_WIDTH, ROW_NO_SERVER };

struct request {
	struct view_options view;
	const char *file;
	uint32_t pid;
	bool last;
	uint64_t failure; /* 0: none */
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
	case ROW_FAILURE:
		return parse_u64(value, &request->failure) < 0 || request->failure == 0 ? EXIT_USAGE
											: 0;
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

/* Which failures are meant; what is 0 or not known may be anything. */
struct wanted {
	uint32_t pid;
	uint64_t number;
	const struct error_text *error; /* what a text says of it; NULL */
};

static bool equal_if_known(struct fact wanted, struct fact found)
{
	return fact_is_known(wanted) && fact_is_known(found) && wanted.value == found.value;
}

/* Is it the failure that a text tells of? By figures that hardly come twice. */
static bool is_told(const struct error_text *error, const struct failure *failure)
{
	const struct fact *f = error->figures;

	if (failure->kind == FAILURE_CLASH)
		return equal_if_known(f[FIGURE_END], failure->end_address) &&
		       equal_if_known(f[FIGURE_LOWEST], failure->lowest_address);
	return equal_if_known(f[FIGURE_REQUESTED], failure->requested_bytes);
}

static bool is_wanted(const struct wanted *wanted, const struct process *process,
		      const struct failure *failure)
{
	return (!wanted->pid || process->pid == wanted->pid) &&
	       (!wanted->number || failure->number == wanted->number) &&
	       (!wanted->error || is_told(wanted->error, failure));
}

/* The newest that is wanted; chooses its process. *ret_others: another process has one as well. */
static const struct failure *choose_failure(struct circumstances *c, const struct wanted *wanted,
					    bool *ret_others)
{
	const struct failure *newest = NULL;

	*ret_others = false;
	for (uint32_t i = 0; i < c->picture.process_count; i++) {
		const struct process *process = &c->picture.processes[i];

		for (uint32_t j = 0; j < process->failures.count; j++) {
			const struct failure *one =
				&c->picture.failures[process->failures.first + j];

			if (!is_wanted(wanted, process, one))
				continue;
			*ret_others |= newest && c->process != process;
			if (newest && newest->age_ns <= one->age_ns)
				continue;
			newest = one;
			c->process = process;
		}
	}
	return newest;
}

/* What one bank would have had to give, if it was interleaved: the record does not tell. */
static struct fact need_of(const struct failure *failure, const struct fit_bank *bank)
{
	const struct fit_request request = {failure->requested_bytes.value,
					    failure->page_bytes.value, 0};
	uint64_t bytes;

	if (fit_bank_bytes(&request, bank, &bytes) < 0)
		return fact_absent(REASON_NONE);
	/* it did not fit, so it was sharded, over fewer banks */
	if (fact_is_known(failure->bank_largest_free_bytes) &&
	    bytes <= failure->bank_largest_free_bytes.value)
		return fact_absent(REASON_NONE);
	return fact_estimate(bytes, REASON_NONE);
}

/* Of a program: what its check compared. */
static struct error_text program_error_of(const struct failure *failure)
{
	struct error_text error = {.kind = ERROR_CLASH, .seen = 1, .type = failure->type};
	bool beyond = fact_is_known(failure->end_address);

	error.what = "the memory of a program";
	error.figures[FIGURE_PROGRAM] = failure->program;
	if (failure->kind == FAILURE_CLASH) {
		error.figures[FIGURE_END] = failure->end_address;
		error.figures[FIGURE_LOWEST] = failure->lowest_address;
		return error;
	}
	error.kind = beyond ? ERROR_BEYOND_L1 : ERROR_CONFIG_RING;
	error.figures[FIGURE_ASKED] = beyond ? failure->end_address : failure->needed_bytes;
	error.figures[FIGURE_AVAILABLE] = failure->limit_bytes;
	return error;
}

/* A recorded failure as if it had been read in a text. */
static struct error_text allocation_error_of(const struct circumstances *c, const struct failure *failure)
{
	struct error_text error = {
		.kind = ERROR_NO_SPACE, .what = "an allocation", .seen = 1, .type = failure->type};
	struct span span = c->process->allocators;

	error.figures[FIGURE_REQUESTED] = failure->requested_bytes;
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

static struct error_text error_of(const struct circumstances *c, const struct failure *failure)
{
	return failure->kind == FAILURE_ALLOCATION ? allocation_error_of(c, failure)
						   : program_error_of(failure);
}

static int by_size(const void *a, const void *b, void *context)
{
	const struct snapshot *snapshot = context;
	uint64_t x = snapshot->buffers[*(const uint32_t *)a].bank_bytes;
	uint64_t y = snapshot->buffers[*(const uint32_t *)b].bank_bytes;

	return x < y ? 1 : x > y ? -1 : 0;
}

/* That which the failure names, else the one that is the most likely. */
static const struct allocator *allocator_of(const struct circumstances *c,
					    const struct failure *failure, enum memory_type type)
{
	struct span span = c->process->allocators;

	for (uint32_t i = 0; failure && fact_is_known(failure->allocator) && i < span.count; i++)
		if (c->picture.allocators[span.first + i].id == failure->allocator.value)
			return &c->picture.allocators[span.first + i];
	return circumstances_allocator(c, type);
}

/* Who holds all of that memory. Without the means for it the verdict stands as well. */
static void name_owners(struct circumstances *c, const struct holdings *held,
			struct fact banks, struct explanation *e)
{
	struct tallies tallies = {0};
	int r = 0;

	for (size_t i = 0; r == 0 && i < held->count; i++)
		r = tallies_add(&tallies, &c->buffers.buffers[held->indices[i]]);
	/* the list of buffers does not have the geometry */
	for (uint32_t i = 0; i < c->buffers.allocator_count; i++)
		for (int type = 0; type < MEMORY_TYPES; type++)
			c->buffers.allocators[i].memory[type].banks = banks;
	if (r == 0)
		(void)tallies_fold(&tallies, &c->buffers, GROUP_SITE, &e->owners);
	tallies_clear(&tallies);
}

/* Which buffers of the process are to be named; without them the verdict stands as well. */
static void name_buffers(struct circumstances *c, const struct failure *failure,
			 struct explanation *e, struct holdings *held)
{
	const struct error_text *error = error_list_last(e->list);
	/* programs lie in L1, and so does what is in their way */
	enum memory_type type = fact_is_known(error->type)
					? (enum memory_type)error->type.value
					: MEMORY_L1;
	const struct allocator *allocator = allocator_of(c, failure, type);
	struct fit_bank bank;

	e->picture = &c->picture;
	if (failure && failure->site) {
		e->site_in = &c->picture;
		e->site = failure->site;
	}
	if (!allocator || circumstances_buffers(c, failure ? failure->number : 0) < 0 ||
	    holdings_of(&c->buffers, c->process->pid, allocator->id, type, held) < 0)
		return;
	e->process = c->process;
	e->buffers = &c->buffers;
	e->is_moment = c->is_moment;
	e->way = in_the_way_of(error, &e->verdict, held,
			       holdings_bank(allocator, type, &bank) < 0 ? NULL : &bank);
	if (e->way.by_size)
		qsort_r(held->indices, held->count, sizeof *held->indices, by_size, &c->buffers);
	name_owners(c, held, allocator->memory[type].banks, e);
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

/* What no record tells, a traceback in the text may. Without the means for it there is no place. */
static void read_place(const struct text *text, struct explanation *e, struct snapshot *told)
{
	char file[PATH_MAX], function[256];
	struct error_place place;

	if (!error_place_find(text->bytes, text->length, error_list_last(e->list)->at, &place))
		return;
	(void)snprintf(file, sizeof file, "%.*s", (int)place.file_length, place.file);
	(void)snprintf(function, sizeof function, "%.*s", (int)place.function_length,
		       place.function ? place.function : "");
	const struct site_texts texts = {
		.op = "", .file = file, .function = function, .line = place.line};

	if (place.file_length >= sizeof file || snapshot_intern_site(told, &texts, &e->site) < 0)
		return;
	e->site_in = told;
	e->is_raised = true;
}

/*
 * `failure`: the record of it, whose moment a server may have kept; NULL: there is none.
 * `text`: where the message was read; NULL: in a record.
 */
static int explain(const struct request *request, struct circumstances *c,
		   const struct failure *failure, const struct error_list *list,
		   const struct text *text)
{
	struct explanation e = {
		.list = list,
		.verdict = verdict_of(error_list_last(list)),
		.recorded = request->last || request->failure,
	};
	struct holdings held = {0};
	struct snapshot told;

	snapshot_init(&told);
	if (c && c->process && e.verdict.kind != VERDICT_UNKNOWN)
		name_buffers(c, failure, &e, &held);
	if (text && !e.site_in && e.verdict.kind != VERDICT_UNKNOWN)
		read_place(text, &e, &told);
	int r = write_explanation(request, &e);

	snapshot_clear(&told);
	site_list_clear(&e.owners);
	holdings_clear(&held);
	return r;
}

static int explain_recorded(const struct request *request)
{
	const struct wanted wanted = {.pid = request->pid, .number = request->failure};
	struct circumstances c;
	bool others;
	struct error_list list = {.count = 1};
	int r = circumstances_open(request->view.no_server, &c);

	if (r < 0)
		return view_failed(r);
	const struct failure *failure = choose_failure(&c, &wanted, &others);

	if (failure && !(request->failure && others)) {
		list.errors[0] = error_of(&c, failure);
		r = explain(request, &c, failure, &list, NULL);
	} else {
		if (failure)
			output_error("not_found", "name one with --pid",
				     "more than one process has such a failure");
		else
			output_error("not_found", "ttmem failures lists them; or give the text of it",
				     request->failure ? "no such failure is recorded"
						      : "no failure is recorded");
		r = EXIT_NOT_FOUND;
	}
	circumstances_close(&c);
	return r;
}

/*
 * The process of a text: that which has a record of just this, else the only one there is.
 * Return: as circumstances_choose.
 */
static int choose_process(struct circumstances *c, uint32_t pid, const struct error_text *error,
			  const struct failure **ret_failure)
{
	const struct wanted wanted = {.pid = pid, .error = error};
	bool others;

	*ret_failure = error ? choose_failure(c, &wanted, &others) : NULL;
	return *ret_failure ? 0 : circumstances_choose(c, pid);
}

static int explain_text(const struct request *request, const struct text *text)
{
	struct circumstances c;
	struct error_list list;
	const struct failure *failure;

	error_text_read(text->bytes ? text->bytes : "", text->length, &list);
	int r = circumstances_open(request->view.no_server, &c);

	/* the text is enough; who names a process wants that one */
	if (r < 0)
		return request->pid ? view_failed(r) : explain(request, NULL, NULL, &list, text);
	r = choose_process(&c, request->pid, error_list_last(&list), &failure);
	if (r < 0 && request->pid) {
		output_error("not_found", "ttmem lists those that do",
			     "no process %u reports its memory", request->pid);
		r = EXIT_NOT_FOUND;
	} else {
		r = explain(request, &c, failure, &list, text);
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
	bool recorded = request.last || request.failure;

	if (recorded && (request.file || rest < argc || (request.last && request.failure)))
		return usage_error(command, "either --last, --failure or a text");
	if (recorded)
		return explain_recorded(&request);
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
