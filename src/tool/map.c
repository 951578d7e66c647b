/* SPDX-License-Identifier: Apache-2.0 */
/* ttmem map: the address range of one bank of a device. */
#include <errno.h>
#include <stdlib.h>

#include "analyse/holdings.h"
#include "tool/exit_codes.h"
#include "tool/obtain.h"
#include "tool/select.h"
#include "tool/view_options.h"
#include "view/bank_map.h"
#include "view/lacks.h"

static const struct option_row rows[] = {
	VIEW_OPTION_ROWS,
	{"id", 'i', ARGUMENT_REQUIRED, "DEVICE",
	 "device: number, unique id, serial number or PCI address", NULL},
	{"type", 't', ARGUMENT_REQUIRED, "TYPE", "L1 (default), DRAM, L1_SMALL or TRACE", NULL},
	{0},
};

enum { ROW_ID = VIEW_OPTION_COUNT, ROW_TYPE };

struct request {
	struct view_options view;
	const char *device;
	enum memory_type type;
};

/* What a map is made of; filled from the picture, then from the list of buffers. */
struct survey {
	const struct snapshot *picture, *buffers;
	const struct device *device;
	enum memory_type type;
	struct range bank;
	struct bank_owner *owners;
	uint32_t owner_count;
	struct bank_buffer *found;
	size_t found_count;
};

static int on_option(void *context, unsigned row, const char *value)
{
	struct request *request = context;

	switch (row) {
	case ROW_ID:
		request->device = value;
		return *value ? 0 : EXIT_USAGE;
	case ROW_TYPE:
		return memory_type_parse(value, &request->type) < 0 ? EXIT_USAGE : 0;
	default:
		return view_option(&request->view, row, value);
	}
}

/* Open allocators over the device, and the range from the lowest to the highest of their banks. */
static int find_owners(struct survey *s)
{
	const struct snapshot *picture = s->picture;

	s->owners = calloc((size_t)picture->allocator_count + 1, sizeof *s->owners);
	if (!s->owners)
		return -ENOMEM;
	for (uint32_t i = 0; i < picture->allocator_count; i++) {
		const struct allocator *one = &picture->allocators[i];
		struct fit_bank bank;

		if (fact_is_known(one->closed_ns) || !snapshot_covers(picture, one, s->device) ||
		    picture->processes[one->process].state != PROCESS_LIVE ||
		    holdings_bank(one, s->type, &bank) < 0 || bank.start >= bank.end)
			continue;
		if (s->owner_count == 0 || bank.start < s->bank.start)
			s->bank.start = bank.start;
		if (s->owner_count == 0 || bank.end > s->bank.end)
			s->bank.end = bank.end;
		s->owners[s->owner_count++] = (struct bank_owner){
			.pid = picture->processes[one->process].pid,
			.allocator_id = one->id,
		};
	}
	return s->owner_count ? 0 : -ENODATA;
}

/* The owner of each allocator of the list, which knows allocators by pid and id only. */
static uint32_t *owners_of_list(const struct survey *s)
{
	const struct snapshot *list = s->buffers;
	uint32_t *owners = malloc(((size_t)list->allocator_count + 1) * sizeof *owners);

	for (uint32_t i = 0; owners && i < list->allocator_count; i++) {
		const struct allocator *one = &list->allocators[i];

		owners[i] = BANK_NONE;
		for (uint32_t o = 0; o < s->owner_count && owners[i] == BANK_NONE; o++)
			if (s->owners[o].allocator_id == one->id &&
			    s->owners[o].pid == list->processes[one->process].pid)
				owners[i] = o;
	}
	return owners;
}

static int find_buffers(struct survey *s)
{
	const struct snapshot *list = s->buffers;
	uint32_t *owners = owners_of_list(s);

	s->found = malloc(((size_t)list->buffer_count + 1) * sizeof *s->found);
	if (!owners || !s->found) {
		free(owners);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < list->buffer_count; i++) {
		const struct buffer *b = &list->buffers[i];
		uint32_t owner = owners[b->allocator];
		uint64_t end;

		if (b->type != s->type || owner == BANK_NONE || b->bank_bytes == 0 ||
		    __builtin_add_overflow(b->address, b->bank_bytes, &end))
			continue;
		s->found[s->found_count++] = (struct bank_buffer){{b->address, end}, owner, i};
		s->owners[owner].buffers++;
		s->owners[owner].bank_bytes += b->bank_bytes;
	}
	free(owners);
	return 0;
}

/* What the totals count and the list does not have: of other users, or beyond the list's length. */
static struct fact left_out(const struct survey *s)
{
	struct fact live = s->device->memory[s->type].buffers;

	if (!fact_is_known(live))
		return fact_absent(REASON_NONE);
	return fact_of(live.value > s->found_count ? live.value - s->found_count : 0);
}

static int write_map(const struct request *request, const struct survey *s,
		     const struct bank_map *map)
{
	const struct bank_view view = {
		.device = s->device,
		.type = s->type,
		.map = map,
		.owners = s->owners,
		.owner_count = s->owner_count,
		.buffers = s->buffers,
		.left_out = left_out(s),
	};
	text_auto text = TEXT_INIT;

	if (request->view.format == FORMAT_JSON) {
		bank_map_write_json(&text, &view);
		text_putc(&text, '\n');
	} else {
		struct style style = view_style(&request->view);

		bank_map_write(&text, &view, &style);
		lacks_incomplete(&text, s->buffers);
	}
	return view_print(&text);
}

static int map_device(const struct request *request, const struct snapshot *picture,
		      const struct snapshot *buffers, const struct device *device)
{
	struct survey s = {
		.picture = picture, .buffers = buffers, .device = device, .type = request->type};
	struct bank_map map = {.count = 0};
	int r = find_owners(&s);

	if (r == 0)
		r = find_buffers(&s);
	if (r == 0)
		r = bank_map_make(s.bank, s.found, s.found_count, &map);
	if (r == 0) {
		r = write_map(request, &s, &map);
	} else if (r == -ENODATA) {
		output_error("not_found", "ttmem lists who uses it",
			     "no process that reports its memory has %s of device %u open",
			     memory_type_name(request->type), device->number);
		r = EXIT_NOT_FOUND;
	} else {
		r = view_failed(r);
	}
	bank_map_clear(&map);
	free(s.owners);
	free(s.found);
	return r;
}

/* The one device that is meant; without a word the only one that somebody allocates on. */
static int choose(const struct request *request, const struct snapshot *picture,
		  const struct device **ret_device)
{
	const struct device *devices = SPAN_START(picture->devices, picture->machine_devices);
	const struct device *chosen = NULL;
	uint32_t matches = 0;

	for (uint32_t i = 0; i < picture->machine_devices.count; i++) {
		bool fits = request->device
				    ? select_matches(picture, &devices[i], request->device)
				    : fact_is_known(devices[i].memory[request->type].buffers);

		if (fits) {
			chosen = &devices[i];
			matches++;
		}
	}
	*ret_device = chosen;
	if (matches == 1)
		return 0;
	if (matches > 1)
		output_error("not_found", "name one with -i, by its number or unique id",
			     "more than one device is meant");
	else
		output_error("not_found", "ttmem -L lists the devices; ttmem tells who is not seen yet",
			     "no device %s", request->device ? request->device : "is in use");
	return EXIT_NOT_FOUND;
}

static int map_from(const struct request *request, const struct snapshot *picture,
		    const struct snapshot *buffers)
{
	const struct device *device;
	int r = choose(request, picture, &device);

	return r ? r : map_device(request, picture, buffers, device);
}

static int once(void *context)
{
	const struct request *request = context;
	struct collect_options options = {
		.buffers = true, .cards = true, .root = request->view.root};
	struct snapshot buffers, picture;
	int r = obtain_snapshot(&options, request->view.no_server, &buffers, NULL);

	if (r < 0)
		return view_failed(r);
	if (!buffers.server) {
		r = map_from(request, &buffers, &buffers);
	} else {
		/* a server's list of buffers has neither devices nor geometry */
		options.buffers = false;
		r = obtain_snapshot(&options, request->view.no_server, &picture, NULL);
		if (r < 0) {
			r = view_failed(r);
		} else {
			r = map_from(request, &picture, &buffers);
			snapshot_clear(&picture);
		}
	}
	snapshot_clear(&buffers);
	return r;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct request request = {.type = MEMORY_L1};
	int rest, r = options_parse(command, argc, argv, on_option, &request, &rest);

	if (r >= 0)
		return r;
	if (rest < argc)
		return usage_error(command, "what is %s?", argv[rest]);
	return view_repeat(&request.view, once, &request);
}

const struct command command_map = {
	.name = "map",
	.synopsis = "[OPTIONS]",
	.summary = "Shows the address range of a bank: holes, who holds what, what to release.",
	.options = rows,
	.run = run,
};
