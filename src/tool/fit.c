/* SPDX-License-Identifier: Apache-2.0 */
/* ttmem fit: would this fit now? */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tool/circumstances.h"
#include "tool/exit_codes.h"
#include "tool/select.h"
#include "tool/view_options.h"
#include "view/fit.h"
#include "view/lacks.h"

/* A tile of bfloat16, the page of nearly every tensor. */
#define PAGE_BYTES 2048

/* The largest that any chip has, for a release that does not say. */
#define ALIGNMENT_DRAM 64
#define ALIGNMENT_L1   16

#define GO_MAX 1000u

static const struct option_row rows[] = {
	VIEW_OPTION_ROWS,
	{"type", 't', ARGUMENT_REQUIRED, "TYPE", "L1 (default), DRAM, L1_SMALL or TRACE", NULL},
	{"page", 0, ARGUMENT_REQUIRED, "SIZE",
	 "page size (default 2048, a tile of bfloat16; sharded: one page a core)", NULL},
	{"cores", 0, ARGUMENT_REQUIRED, "CORES",
	 "sharded over so many cores, or over a range like 0,0-7,7", NULL},
	{"program", 0, ARGUMENT_NONE, NULL, "a program that needs SIZE of L1 on each core", NULL},
	{"pid", 'p', ARGUMENT_REQUIRED, "PID", "in this process", NULL},
	{"allocator", 0, ARGUMENT_REQUIRED, "ID", "from this allocator of it", NULL},
	{0},
};

enum { ROW_TYPE = VIEW_OPTION_COUNT, ROW_PAGE, ROW_CORES, ROW_PROGRAM, ROW_PID, ROW_ALLOCATOR };

struct request {
	struct view_options view;
	struct fit_request fit;
	enum memory_type type;
	bool is_program;
	uint32_t pid;
	struct fact allocator;
	uint64_t last_x, last_y; /* of the cores that were named */
	bool has_range;
};

/* "64", or rectangles as people and TT-Metal write them: "0,0-7,7", "[(x=0,y=0) - (x=7,y=7)]" */
static int parse_cores(struct request *request, const char *value)
{
	uint64_t numbers[4], cores = 0;
	unsigned count = 0, all = 0;

	for (const char *p = value; *p;) {
		if (!isdigit((unsigned char)*p)) {
			p++;
			continue;
		}
		char *end;

		numbers[count++] = strtoull(p, &end, 10);
		p = end;
		all++;
		if (numbers[count - 1] > 1000000)
			return EXIT_USAGE;
		if (count < 4)
			continue;
		if (numbers[2] < numbers[0] || numbers[3] < numbers[1])
			return EXIT_USAGE;
		cores += (numbers[2] - numbers[0] + 1) * (numbers[3] - numbers[1] + 1);
		request->last_x = numbers[2] > request->last_x ? numbers[2] : request->last_x;
		request->last_y = numbers[3] > request->last_y ? numbers[3] : request->last_y;
		request->has_range = true;
		count = 0;
	}
	if (all == 1)
		cores = numbers[0];
	if ((all != 1 && count != 0) || cores == 0 || cores > UINT32_MAX)
		return EXIT_USAGE;
	request->fit.cores = (uint32_t)cores;
	return 0;
}

static int parse_number(const char *value, uint64_t least, uint64_t *ret_number)
{
	if (parse_u64(value, ret_number) < 0 || *ret_number < least || *ret_number > UINT32_MAX)
		return EXIT_USAGE;
	return 0;
}

static int on_option(void *context, unsigned row, const char *value)
{
	struct request *request = context;
	uint64_t number = 0;
	int r;

	switch (row) {
	case ROW_TYPE:
		return memory_type_parse(value, &request->type) < 0 ? EXIT_USAGE : 0;
	case ROW_PAGE:
		r = parse_size(value, &request->fit.page_bytes);
		return r < 0 || request->fit.page_bytes == 0 ? EXIT_USAGE : 0;
	case ROW_CORES:
		return parse_cores(request, value);
	case ROW_PROGRAM:
		request->is_program = true;
		return 0;
	case ROW_PID:
		r = parse_number(value, 1, &number);
		request->pid = (uint32_t)number;
		return r;
	case ROW_ALLOCATOR:
		r = parse_number(value, 0, &number);
		request->allocator = fact_of(number);
		return r;
	default:
		return view_option(&request->view, row, value);
	}
}

static void fill_page(struct fit_request *fit)
{
	if (fit->page_bytes)
		return;
	fit->page_bytes = fit->cores ? fit->bytes / fit->cores + (fit->bytes % fit->cores != 0)
				     : PAGE_BYTES;
}

static void name_removal(struct fit_answer *answer, const struct holdings *held, size_t first,
			 size_t count)
{
	answer->go = held->indices + first;
	answer->go_total = (uint32_t)count;
	answer->go_count = count < GO_MAX ? (uint32_t)count : GO_MAX;
	for (size_t i = first; i < first + count; i++)
		answer->go_bytes += held->ranges[i].end - held->ranges[i].start;
}

/* A program grows from the low end of L1 up and has to end below the lowest buffer. */
static void answer_program(struct fit_answer *answer, const struct holdings *held,
			   struct range *holes)
{
	const struct fit_bank *bank = &answer->bank;
	uint64_t size = bank->end - bank->start, need = answer->request.bytes;
	uint64_t lowest = held->count && held->ranges[0].start < bank->end ? held->ranges[0].start
									   : bank->end;
	size_t count = 0;

	answer->need_bytes = need;
	answer->hole_bytes = lowest > bank->start ? lowest - bank->start : 0;
	answer->largest_bytes = answer->hole_bytes;
	answer->fits = need <= answer->hole_bytes;
	answer->never = need > size;
	if (answer->fits) {
		holes[0] = (struct range){bank->start, lowest};
		answer->hole_count = 1;
	}
	while (!answer->fits && count < held->count &&
	       held->ranges[count].start - bank->start < need)
		count++;
	name_removal(answer, held, 0, count);
}

static void answer_buffer(struct fit_answer *answer, const struct holdings *held,
			  struct range *holes, size_t hole_count)
{
	struct fit_removal removal;

	for (size_t i = 0; i < hole_count; i++) {
		uint64_t bytes = holes[i].end - holes[i].start;

		if (bytes > answer->hole_bytes)
			answer->hole_bytes = bytes;
		if (bytes >= answer->need_bytes)
			holes[answer->hole_count++] = holes[i];
	}
	answer->fits = answer->hole_count > 0;
	answer->largest_bytes =
		fit_largest_bytes(&answer->request, &answer->bank, answer->hole_bytes);
	if (answer->fits)
		return;
	if (fit_removal(&answer->bank, held->ranges, held->count, answer->need_bytes, &removal) < 0)
		answer->never = true;
	else
		name_removal(answer, held, removal.first, removal.count);
}

static int write_answer(const struct request *request, const struct fit_answer *answer)
{
	text_auto text = TEXT_INIT;

	if (request->view.format == FORMAT_JSON) {
		fit_write_json(&text, answer);
		text_putc(&text, '\n');
	} else {
		struct style style = view_style(&request->view);

		fit_write(&text, answer, &style);
		lacks_incomplete(&text, answer->buffers);
	}
	int r = output_text(&text);

	return r == 0 ? answer->fits ? EXIT_OK : EXIT_FAILED : r == -EPIPE ? r : EXIT_FAILED;
}

static int answer_from(const struct request *request, struct fit_answer *answer,
		       const struct holdings *held)
{
	struct range *holes = malloc((held->count + 1) * sizeof *holes);
	size_t count;
	int r;

	if (!holes)
		return view_failed(-ENOMEM);
	count = fit_holes(&answer->bank, held->ranges, held->count, holes);
	for (size_t i = 0; i < count; i++)
		answer->free_bytes += holes[i].end - holes[i].start;
	answer->holes = holes;
	if (request->is_program)
		answer_program(answer, held, holes);
	else
		answer_buffer(answer, held, holes, count);
	r = write_answer(request, answer);
	free(holes);
	return r;
}

static int fit_in(const struct request *request, struct circumstances *c,
		  const struct allocator *allocator)
{
	struct fit_answer answer = {
		.pid = c->process->pid,
		.allocator_id = allocator->id,
		.type = request->type,
		.is_program = request->is_program,
		.request = request->fit,
	};
	struct holdings held;
	int r = holdings_bank(allocator, request->type, &answer.bank);

	if (r < 0) {
		output_error("unknown_geometry", NULL,
			     "this TT-Metal does not export the size of its banks");
		return EXIT_FAILED;
	}
	if (request->has_range && allocator->grid_x && allocator->grid_y &&
	    (request->last_x >= allocator->grid_x || request->last_y >= allocator->grid_y)) {
		output_error("usage", NULL, "the compute grid is %u x %u cores", allocator->grid_x,
			     allocator->grid_y);
		return EXIT_USAGE;
	}
	if (answer.bank.alignment == 0) {
		answer.is_aligned_by_guess = true;
		answer.bank.alignment =
			request->type == MEMORY_DRAM || request->type == MEMORY_TRACE
				? ALIGNMENT_DRAM
				: ALIGNMENT_L1;
	}
	if (!request->is_program &&
	    fit_bank_bytes(&answer.request, &answer.bank, &answer.need_bytes) < 0)
		answer.need_bytes = UINT64_MAX; /* more than 64 bits can tell, or no banks at all */
	r = circumstances_buffers(c, 0);
	if (r == 0)
		r = holdings_of(&c->buffers, answer.pid, allocator->id, request->type, &held);
	if (r < 0)
		return view_failed(r);
	answer.buffers = &c->buffers;
	r = answer_from(request, &answer, &held);
	holdings_clear(&held);
	return r;
}

static const struct allocator *allocator_by_id(const struct circumstances *c, uint64_t id)
{
	struct span span = c->process->allocators;

	for (uint32_t i = 0; i < span.count; i++)
		if (c->picture.allocators[span.first + i].id == id)
			return &c->picture.allocators[span.first + i];
	return NULL;
}

static int not_found(const struct request *request, int error)
{
	if (error == -ENOTUNIQ)
		output_error("not_found", "name one with --pid",
			     "more than one process reports its memory");
	else if (request->pid)
		output_error("not_found", "ttmem lists those that do",
			     "no process %u reports its memory", request->pid);
	else
		output_error("not_found", "start one with ttmem run",
			     "no process reports its memory");
	return EXIT_NOT_FOUND;
}

static int once(void *context)
{
	const struct request *request = context;
	const struct allocator *allocator;
	struct circumstances c;
	int r = circumstances_open(request->view.no_server, &c);

	if (r < 0)
		return view_failed(r);
	r = circumstances_choose(&c, request->pid);
	if (r < 0) {
		r = not_found(request, r);
	} else {
		allocator = fact_is_known(request->allocator)
				    ? allocator_by_id(&c, request->allocator.value)
				    : circumstances_allocator(&c, request->type);
		if (allocator) {
			r = fit_in(request, &c, allocator);
		} else if (c.process->allocators.count == 0) {
			r = select_no_device(&c.picture, c.process);
		} else {
			output_error("not_found", "ttmem --format=json lists them",
				     "process %u has no such allocator", c.process->pid);
			r = EXIT_NOT_FOUND;
		}
	}
	circumstances_close(&c);
	return r;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct request request = {.type = MEMORY_L1, .allocator = fact_absent(REASON_NONE)};
	int rest, r = options_parse(command, argc, argv, on_option, &request, &rest);

	if (r >= 0)
		return r;
	if (rest + 1 != argc)
		return usage_error(command, "one SIZE is needed, like 64KiB or 1000000");
	if (parse_size(argv[rest], &request.fit.bytes) < 0 || request.fit.bytes == 0)
		return usage_error(command, "%s is no size", argv[rest]);
	if (request.is_program && request.type != MEMORY_L1)
		return usage_error(command, "a program lies in L1");
	fill_page(&request.fit);
	return view_repeat(&request.view, once, &request);
}

const struct command command_fit = {
	.name = "fit",
	.synopsis = "[OPTIONS] SIZE",
	.summary = "Tells whether a buffer or a program would fit now: exit code 0 yes, 1 no.",
	.options = rows,
	.run = run,
	.operands_anywhere = true,
};
