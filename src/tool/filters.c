/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/filters.h"

#include <inttypes.h>

#include "tool/exit_codes.h"
#include "tool/obtain.h"
#include "tool/select.h"

int filter_number(const char *value, uint32_t *ret_number)
{
	uint64_t number;

	if (parse_u64(value, &number) < 0 || number == 0 || number > UINT32_MAX)
		return EXIT_USAGE;
	*ret_number = (uint32_t)number;
	return 0;
}

int filter_option(struct filter_options *options, unsigned row, const char *value)
{
	struct buffer_filter *filter = &options->filter;
	enum memory_type type;

	switch (row) {
	case FILTER_PID:
		return filter_number(value, &filter->pid);
	case FILTER_CHIP:
		options->chip = value;
		return *value ? 0 : EXIT_USAGE;
	case FILTER_TYPE:
		if (memory_type_parse(value, &type) < 0)
			return EXIT_USAGE;
		filter->type = (int)type;
		return 0;
	case FILTER_OP:
		filter->op = value;
		return *value ? 0 : EXIT_USAGE;
	case FILTER_SITE:
		filter->site = value;
		return *value ? 0 : EXIT_USAGE;
	case FILTER_TAG:
		filter->tag = value;
		return *value ? 0 : EXIT_USAGE;
	default:
		return EXIT_USAGE;
	}
}

/* The chip that -i means, as the unique id that buffers carry. Return: 0 or exit code. */
static int resolve_chip(const char *chip, const struct snapshot *picture,
			struct buffer_filter *filter)
{
	const struct device *devices = SPAN_START(picture->devices, picture->machine_devices);
	bool found = false;

	if (!chip)
		return 0;
	for (uint32_t i = 0; i < picture->machine_devices.count && !found; i++) {
		found = fact_is_known(devices[i].unique_id) &&
			select_matches(picture, &devices[i], chip);
		if (found)
			filter->unique_id = devices[i].unique_id.value;
	}
	filter->by_chip = true;
	if (found)
		return 0;
	output_error("not_found", "ttmem lists the chips", "no chip %s is in use", chip);
	return EXIT_NOT_FOUND;
}

static int resolve_pid(const struct snapshot *picture, uint32_t pid)
{
	if (pid == 0)
		return 0;
	for (uint32_t i = 0; i < picture->process_count; i++)
		if (picture->processes[i].pid == pid)
			return 0;
	output_error("not_found", "ttmem lists those that do",
		     "no process %" PRIu32 " reports its memory", pid);
	return EXIT_NOT_FOUND;
}

int filter_resolve_in(const struct filter_options *options, const struct snapshot *picture,
		      struct buffer_filter *filter)
{
	int r = resolve_pid(picture, filter->pid);

	return r ? r : resolve_chip(options->chip, picture, filter);
}

int filter_resolve(const struct filter_options *options, const struct view_options *view,
		   struct buffer_filter *filter)
{
	const struct collect_options wanted = {.cards = true, .root = view->root};
	struct snapshot picture;

	if (!filter->pid && !options->chip)
		return 0;
	int r = obtain_snapshot(&wanted, view->no_server, &picture, NULL);

	if (r < 0)
		return view_failed(r);
	r = filter_resolve_in(options, &picture, filter);
	snapshot_clear(&picture);
	return r;
}
