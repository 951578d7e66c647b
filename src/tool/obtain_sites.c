/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "analyse/tally.h"
#include "api/json_rows.h"
#include "tool/obtain.h"

#define SERVER_WINDOW_MAX_NS UINT64_C(600000000000)

struct answer {
	struct snapshot *snapshot;
	struct site_list *list;
};

static int read_sites(const char *json, size_t length, void *result)
{
	const struct answer *answer = result;

	return json_read_sites(json, length, answer->snapshot, answer->list);
}

static int read_growth(const char *json, size_t length, void *result)
{
	const struct answer *answer = result;

	return json_read_growth(json, length, answer->snapshot, answer->list);
}

/* A value of a query: whatever is not plain as %XX. */
static void put_value(struct text *target, const char *name, const char *value)
{
	if (!value)
		return;
	text_printf(target, "&%s=", name);
	for (const char *p = value; *p; p++)
		if ((*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z') ||
		    (*p >= 'a' && *p <= 'z') || strchr("-._~/", *p))
			text_putc(target, *p);
		else
			text_printf(target, "%%%02X", (unsigned char)*p);
}

static void put_filter(struct text *target, const struct buffer_filter *filter)
{
	if (filter->pid)
		text_printf(target, "&pid=%" PRIu32, filter->pid);
	if (filter->by_chip)
		text_printf(target, "&chip=%" PRIu64, filter->unique_id);
	if (filter->type >= 0)
		put_value(target, "type", memory_type_key((enum memory_type)filter->type));
	put_value(target, "op", filter->op);
	put_value(target, "site", filter->site);
	put_value(target, "tag", filter->tag);
}

/* Return: 0; -ENOENT: nobody is to be asked, or there; -errno. */
static int ask(const struct obtain_sites *wanted, const struct text *target,
	       int (*read)(const char *json, size_t length, void *result), struct answer *answer)
{
	struct ask_question question = {.read = read, .result = answer};

	if (target->failed)
		return -ENOMEM;
	if (target->length >= sizeof question.target)
		return -E2BIG;
	if (!ask_may_ask(wanted->root, wanted->no_server))
		return -ENOENT;
	memcpy(question.target, target->bytes, target->length + 1);
	return obtain_ask(&question);
}

static bool passes(const void *argument, const struct snapshot *snapshot,
		   const struct buffer *buffer)
{
	return buffer_passes(argument, snapshot, buffer);
}

int obtain_sites_here(const struct obtain_sites *wanted, enum group_by by,
		      const struct tally_cut *cut,
		      struct snapshot *ret_snapshot, struct site_list *ret_list)
{
	struct tallies tallies = {.by_thread = by == GROUP_THREAD,
				  .cut = cut ? *cut : (struct tally_cut){0}};
	const struct collect_tally tally = {&tallies, passes, &wanted->filter};
	const struct collect_options options = {
		.buffers = true, .tally = &tally, .pid = wanted->filter.pid, .root = wanted->root};
	int r = collect_local(&options, ret_snapshot, NULL);

	if (r == 0) {
		r = tallies_fold(&tallies, ret_snapshot, by, ret_list);
		if (r < 0)
			snapshot_clear(ret_snapshot);
	}
	tallies_clear(&tallies);
	return r;
}

int obtain_sites(const struct obtain_sites *wanted, enum group_by by,
		 struct snapshot *ret_snapshot, struct site_list *ret_list)
{
	struct answer answer = {ret_snapshot, ret_list};
	text_auto target = TEXT_INIT;

	text_printf(&target, "/v1/sites?by=%s", group_by_name(by));
	put_filter(&target, &wanted->filter);
	if (ask(wanted, &target, read_sites, &answer) == 0)
		return 0;
	return obtain_sites_here(wanted, by, NULL, ret_snapshot, ret_list);
}

int obtain_growth(const struct obtain_sites *wanted, uint64_t window_ns,
		  struct snapshot *ret_snapshot, struct site_list *ret_list)
{
	struct answer answer = {ret_snapshot, ret_list};
	text_auto target = TEXT_INIT;

	/* more than a server remembers */
	if (window_ns > SERVER_WINDOW_MAX_NS)
		return -ENOENT;
	text_printf(&target, "/v1/growth?window=%" PRIu64 "ms", window_ns / 1000000);
	put_filter(&target, &wanted->filter);
	return ask(wanted, &target, read_growth, &answer);
}
