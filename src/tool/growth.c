/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ttmem growth: what rises and never falls. A server has watched already; without
 * one it takes the window itself, with as many looks as the verdict needs.
 */
#include "view/growth.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "analyse/growth.h"
#include "api/json_rows.h"
#include "base/clock.h"
#include "base/duration.h"
#include "tool/exit_codes.h"
#include "tool/filters.h"
#include "tool/obtain.h"
#include "view/sites.h"

#define WINDOW_NS     UINT64_C(300000000000)
#define LOOKS	      30u /* in a window, without a server */
#define OLD_LOOKS     6u  /* what has been there for so many is old */
#define EVERY_MIN_NS  UINT64_C(50000000)
#define EVERY_MAX_NS  UINT64_C(10000000000)

static const struct option_row rows[] = {
	{"format", 0, ARGUMENT_REQUIRED, "FORMAT",
	 "table (default), json or csv[,noheader][,nounits]", "table,json,csv"},
	VIEW_OTHER_ROWS,
	FILTER_ROWS("buffers"),
	{"window", 'w', ARGUMENT_REQUIRED, "TIME",
	 "look back so far, e.g. 90s (default 5m, with a server at most 10m)", NULL},
	{"top", 'n', ARGUMENT_REQUIRED, "N", "only the first N of the table", NULL},
	{0},
};

enum { ROW_FILTER = VIEW_OPTION_COUNT, ROW_WINDOW = ROW_FILTER + FILTER_COUNT, ROW_TOP };

struct request {
	struct view_options view;
	struct filter_options filters;
	uint64_t window_ns;
	uint32_t top;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

static int on_option(void *context, unsigned row, const char *value)
{
	struct request *request = context;

	if (row == VIEW_ROW_FORMAT)
		return view_format(&request->view, value) || request->view.format == FORMAT_JSONL
			       ? EXIT_USAGE
			       : 0;
	if (row == ROW_TOP)
		return filter_number(value, &request->top);
	if (row == ROW_WINDOW)
		return duration_parse(value, &request->window_ns) < 0 ? EXIT_USAGE : 0;
	return row >= ROW_FILTER ? filter_option(&request->filters, row - ROW_FILTER, value)
				 : view_option(&request->view, row, value);
}

/* One look. The results are cleared unless it is the last one. Return: 0 or -errno. */
static int look(struct growth *growth, const struct obtain_sites *wanted,
		struct snapshot *ret_snapshot, struct site_list *ret_list)
{
	uint64_t kept_ns = growth->old_ns, now_ns = clock_monotonic_ns();

	/* every look is at all processes, so what was old at the last one is the same for all */
	growth_begin(growth, now_ns);
	const struct tally_cut cut = {growth->old_ns, kept_ns};
	int r = obtain_sites_here(wanted, GROUP_SITE, &cut, ret_snapshot, ret_list);

	if (r < 0)
		return r;
	for (uint32_t i = 0; r == 0 && i < ret_snapshot->process_count; i++) {
		const struct process *p = &ret_snapshot->processes[i];

		r = growth_scanned(growth, p->pid, p->started_ns, p->event);
		r = r == -ENOSPC ? 0 : r;
	}
	if (r == 0)
		r = growth_add(growth, ret_snapshot, ret_list);
	growth_end(growth);
	if (r < 0) {
		site_list_clear(ret_list);
		snapshot_clear(ret_snapshot);
	}
	return r;
}

static void show_progress(uint64_t passed_ns, uint64_t window_ns)
{
	char passed[STYLE_CELL], window[STYLE_CELL];

	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\rttmem: no server, watching: %s of %s (Ctrl-C: that is enough)  ",
			age_text(passed_ns, passed), age_text(window_ns, window));
}

static void end_progress(void)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%79s\r", "");
}

/* Until the window is over or somebody has had enough; the last look's lists are the answer's. */
static int watch(const struct request *request, const struct obtain_sites *wanted,
		 struct snapshot *ret_snapshot, struct site_list *ret_list)
{
	uint64_t begin = clock_monotonic_ns(), every = request->window_ns / LOOKS, now;
	sigset_t interrupt, before;
	int r;

	every = every < EVERY_MIN_NS ? EVERY_MIN_NS : every > EVERY_MAX_NS ? EVERY_MAX_NS : every;
	struct growth growth = {.old_after_ns = OLD_LOOKS * every};

	(void)signal(SIGINT, on_interrupt);
	/* it comes while we rest, and so never just before that */
	(void)sigemptyset(&interrupt);
	(void)sigaddset(&interrupt, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &interrupt, &before);
	for (;;) {
		r = look(&growth, wanted, ret_snapshot, ret_list);
		now = clock_monotonic_ns();
		if (r < 0 || interrupted || now - begin >= request->window_ns)
			break;
		site_list_clear(ret_list);
		snapshot_clear(ret_snapshot);
		show_progress(now - begin, request->window_ns);
		const struct timespec pause = {(time_t)(every / UINT64_C(1000000000)),
					       (long)(every % UINT64_C(1000000000))};

		(void)ppoll(NULL, 0, &pause, &before);
	}
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	(void)signal(SIGINT, SIG_DFL);
	end_progress();
	if (r == 0) {
		/* a little more, for looks come late */
		growth_select(&growth, ret_snapshot, ret_list, now, request->window_ns + every);
		ret_list->window_ns = request->window_ns;
		ret_list->interval_ns = every;
	}
	growth_clear(&growth);
	return r;
}

static int write_list(const struct request *request, const struct snapshot *snapshot,
		      const struct site_list *list)
{
	const struct query_csv csv = {request->view.no_header, request->view.no_units};
	text_auto text = TEXT_INIT;

	if (request->view.format == FORMAT_JSON) {
		json_write_growth(&text, snapshot, list);
		text_putc(&text, '\n');
	} else if (request->view.format == FORMAT_CSV) {
		sites_write_csv(&text, snapshot, list, &csv, true);
	} else {
		struct style style = view_style(&request->view);

		growth_write(&text, snapshot, &style, list, request->top);
	}
	return view_print(&text);
}

static int once(void *context)
{
	const struct request *request = context;
	struct obtain_sites wanted = {
		request->filters.filter, request->view.root, request->view.no_server};
	struct snapshot snapshot;
	struct site_list list;
	int r = filter_resolve(&request->filters, &request->view, &wanted.filter);

	if (r)
		return r;
	if (obtain_growth(&wanted, request->window_ns, &snapshot, &list) < 0) {
		r = watch(request, &wanted, &snapshot, &list);
		if (r < 0)
			return view_failed(r);
	}
	r = write_list(request, &snapshot, &list);
	site_list_clear(&list);
	snapshot_clear(&snapshot);
	return r;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct request request = {.filters.filter.type = -1, .window_ns = WINDOW_NS};
	int rest, r = options_parse(command, argc, argv, on_option, &request, &rest);

	if (r >= 0)
		return r;
	if (rest < argc)
		return usage_error(command, "what is %s?", argv[rest]);
	return view_repeat(&request.view, once, &request);
}

const struct command command_growth = {
	.name = "growth",
	.synopsis = "[OPTIONS]",
	.summary = "Lists places whose live bytes only add up, and when memory will be full.",
	.options = rows,
	.run = run,
};
