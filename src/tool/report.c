/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/report.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/collect.h"
#include "region/receive.h"
#include "view/failures.h"
#include "view/places.h"
#include "view/style.h"

/* Of the buffers never freed, the largest are named. */
#define LARGEST_SHOWN 5
/* Of the sites that leave something when a device closes, those that leave most. */
#define SITES_SHOWN 20
/* Of the failures, the last ones. */
#define FAILURES_SHOWN 5

#define SEND_MS 2000

int report_prepare(struct report *report)
{
	const char *base = getenv("XDG_RUNTIME_DIR"), *present = getenv("TTMEM_SOCKET_DIR");
	char path[PATH_MAX], list[PATH_MAX];

	*report = (struct report){.socket = -1};
	if (!base || access(base, W_OK) < 0)
		base = "/tmp";
	int n = snprintf(report->directory, sizeof report->directory, "%s/ttmem-run.XXXXXX", base);

	/* the socket's name has to fit a socket address as well */
	if (n < 0 || (size_t)n + sizeof REGISTRATION_SOCKET >= sizeof report->directory)
		(void)snprintf(report->directory, sizeof report->directory,
			       "/tmp/ttmem-run.XXXXXX");
	if (!mkdtemp(report->directory))
		return -errno;
	(void)snprintf(path, sizeof path, "%s/" REGISTRATION_SOCKET, report->directory);
	report->socket = receive_listen(path, 0600);
	if (report->socket < 0) {
		(void)rmdir(report->directory);
		return report->socket;
	}
	(void)snprintf(list, sizeof list, "%s%s%s", report->directory,
		       present && *present ? ":" : "", present ? present : "");
	return setenv("TTMEM_SOCKET_DIR", list, 1) < 0 ? -errno : 0;
}

int report_descriptor(const struct report *report)
{
	return report->socket;
}

/* The hook repeats itself until somebody answers; the same file is the same table. */
static bool is_known(const struct report *report, int fd)
{
	struct stat a, b;

	if (fstat(fd, &a) < 0)
		return true;
	for (uint32_t i = 0; i < report->count; i++)
		if (fstat(report->tables[i].fd, &b) == 0 && a.st_ino == b.st_ino &&
		    a.st_dev == b.st_dev)
			return true;
	return false;
}

/*
 * The sender is between connect and send for microseconds, or without a processor for longer; our own
 * children deserve that wait. One that is killed there closes its end.
 */
static int receive_soon(int connection, struct received *received)
{
	struct pollfd wait = {.fd = connection, .events = POLLIN};
	int r = receive_message(connection, received);

	if (r != -EAGAIN || poll(&wait, 1, SEND_MS) <= 0)
		return r;
	return receive_message(connection, received);
}

static void keep(struct report *report, struct received *received)
{
	if (is_known(report, received->table))
		return;
	if (report->count == REPORT_TABLES_MAX) {
		report->ignored++;
		return;
	}
	report->tables[report->count++] =
		(struct report_table){received->table, received->pid, received->uid};
	received->table = -1;
}

void report_receive(struct report *report)
{
	struct received received;
	int connection;

	while ((connection = receive_accept(report->socket)) >= 0) {
		if (receive_soon(connection, &received) == 0) {
			/* a copy made at a failed allocation is no other process */
			if (received.message.kind != REGISTRATION_FAILURE)
				keep(report, &received);
			receive_close(&received);
		}
		(void)close(connection);
	}
}

static void print_type(FILE *out, const struct snapshot *snapshot, const struct allocator *a,
		       enum memory_type type)
{
	char requested[STYLE_CELL], occupied[STYLE_CELL], size[STYLE_CELL];
	const struct memory *m = &a->memory[type];

	fprintf(out, "    %-8s peak %10s requested, %10s occupied of %10s; %" PRIu64
		     " allocations, %" PRIu64 " failed\n",
		memory_type_name(type), fact_size(m->peak_requested_bytes, requested),
		fact_size(m->peak_occupied_bytes, occupied), fact_size(m->allocatable_bytes, size),
		a->allocs[type], a->failures[type]);
	(void)snapshot;
}

static void print_allocator(FILE *out, const struct snapshot *snapshot, const struct allocator *a)
{
	bool any = false;

	for (enum memory_type type = 0; type < MEMORY_TYPES; type++)
		any |= a->has_held[type] || a->failures[type];
	if (!any)
		return;
	fprintf(out, "  allocator %u on", a->id);
	for (uint32_t i = 0; i < a->chips.count; i++) {
		const struct chip *chip = &snapshot->chips[a->chips.first + i];

		if (fact_is_known(chip->unique_id))
			fprintf(out, " chip %" PRIu64, chip->unique_id.value);
		else
			fprintf(out, " chip id %u", chip->chip_id);
	}
	fprintf(out, "%s\n", a->chips.count > 1 ? " (figures per chip)" : "");
	for (enum memory_type type = 0; type < MEMORY_TYPES; type++)
		if (a->has_held[type] || a->failures[type])
			print_type(out, snapshot, a, type);
}

static int larger(const void *a, const void *b)
{
	const struct buffer *x = a, *y = b;

	return x->requested_bytes > y->requested_bytes	 ? -1
	       : x->requested_bytes < y->requested_bytes ? 1
							 : 0;
}

static void print_place(FILE *out, const struct snapshot *snapshot, uint32_t site)
{
	text_auto place = TEXT_INIT;

	if (place_sentence(&place, snapshot, site) && place.bytes)
		fprintf(out, ": %s", place.bytes);
	fputc('\n', out);
}

/* How many, and what and where the last ones were. */
static void print_failures(FILE *out, const struct snapshot *snapshot, const struct process *p)
{
	fprintf(out, "  failed allocations: %" PRIu64 "\n", p->failure_count);
	for (uint32_t i = 0; i < p->failures.count && i < FAILURES_SHOWN; i++) {
		const struct failure *f = &snapshot->failures[p->failures.first + i];
		text_auto what = TEXT_INIT;

		failure_write(&what, f);
		fprintf(out, "    %s", what.bytes ? what.bytes : "");
		print_place(out, snapshot, f->site);
	}
}

/* With the place that allocated it, which is where to look for the free that is missing. */
static void print_leftover(FILE *out, const struct snapshot *snapshot, const struct buffer *b)
{
	char size[STYLE_CELL];

	fprintf(out, "    %-8s %10s at %#" PRIx64, memory_type_name((enum memory_type)b->type),
		size_text(b->requested_bytes, size), b->address);
	print_place(out, snapshot, b->site);
}

static const char *buffers_word(uint64_t count)
{
	return count == 1 ? "buffer" : "buffers";
}

static void print_left_row(FILE *out, const struct snapshot *snapshot, const struct leftover *row)
{
	char size[STYLE_CELL];

	fprintf(out, "    %-8s %10s in %" PRIu64 " %s", memory_type_name((enum memory_type)row->type),
		size_text(row->requested_bytes, size), row->buffers, buffers_word(row->buffers));
	print_place(out, snapshot, row->site);
}

/* By site: so many buffers may be left behind that only their sums were kept. */
static void print_left_at_close(FILE *out, const struct snapshot *snapshot, const struct process *p)
{
	const struct leftover *rows = SPAN_START(snapshot->leftovers, p->leftovers);
	uint64_t told = 0, others = 0, other_bytes = 0;
	char size[STYLE_CELL];

	if (p->losses.left_at_close == 0)
		return;
	fprintf(out, "  buffers left when their device was closed: %" PRIu64 "\n",
		p->losses.left_at_close);
	for (uint32_t i = 0; i < p->leftovers.count; i++) {
		told += rows[i].buffers;
		if (i < SITES_SHOWN) {
			print_left_row(out, snapshot, &rows[i]);
			continue;
		}
		others += rows[i].buffers;
		other_bytes += rows[i].requested_bytes;
	}
	if (others)
		fprintf(out, "    %-8s %10s in %" PRIu64 " %s of %u more sites\n", "",
			size_text(other_bytes, size), others, buffers_word(others),
			p->leftovers.count - SITES_SHOWN);
	if (told < p->losses.left_at_close)
		fprintf(out, "    %" PRIu64 " %s, and there was no room to note whose\n",
			p->losses.left_at_close - told,
			buffers_word(p->losses.left_at_close - told));
}

static void print_live(FILE *out, struct snapshot *snapshot)
{
	if (snapshot->buffer_count == 0)
		return;
	qsort(snapshot->buffers, snapshot->buffer_count, sizeof *snapshot->buffers, larger);
	for (uint32_t i = 0; i < snapshot->buffer_count && i < LARGEST_SHOWN; i++)
		print_leftover(out, snapshot, &snapshot->buffers[i]);
}

static void print_leftovers(FILE *out, struct snapshot *snapshot, const struct process *p)
{
	fprintf(out, "  buffers never freed: %u at the end\n", snapshot->buffer_count);
	print_live(out, snapshot);
	print_left_at_close(out, snapshot, p);
}

static void print_process(FILE *out, struct snapshot *snapshot)
{
	struct process *p = &snapshot->processes[0];
	text_auto command = TEXT_INIT;

	text_escape(&command, snapshot_text(snapshot, p->command), 100, true);
	fprintf(out, "process %u: %s\n", p->pid, command.bytes ? command.bytes : "");
	for (uint32_t i = 0; i < p->allocators.count; i++)
		print_allocator(out, snapshot, &snapshot->allocators[p->allocators.first + i]);
	print_failures(out, snapshot, p);
	print_leftovers(out, snapshot, p);
	if (p->losses.full + p->losses.memory + p->losses.allocator + p->losses.key)
		fprintf(out, "  not recorded: %" PRIu64 " buffers\n",
			p->losses.full + p->losses.memory + p->losses.allocator + p->losses.key);
}

/* A process that was killed as soon as it had moved has no other table here: this is its last one. */
static bool came_again(const struct report *report, const struct report_table *table,
		       const struct region_map *map)
{
	const struct region_head *head = (const struct region_head *)(const void *)map->base;
	bool found = false;

	for (uint32_t i = 0; i < report->count && !found; i++) {
		struct region_map other;

		if (&report->tables[i] == table || region_map_open(report->tables[i].fd, &other) != 0)
			continue;
		found = report->tables[i].pid == table->pid && !region_is_moved(&other) &&
			memcmp(((const struct region_head *)(const void *)other.base)->random_id,
			       head->random_id, sizeof head->random_id) == 0;
		region_map_close(&other);
	}
	return found;
}

static int print_table(FILE *out, const struct report *report, const struct report_table *table)
{
	const struct collect_options options = {.buffers = true, .leftovers = true};
	struct collection collection;
	struct region_map map;
	struct snapshot snapshot;
	int r = region_map_open(table->fd, &map);

	if (r != 0)
		return r < 0 ? r : -EBADMSG;
	if (region_is_moved(&map) && came_again(report, table, &map)) {
		region_map_close(&map);
		return 0;
	}
	collection_init(&collection, &options);
	r = collection_add_table(&collection, &map, table->pid, table->uid, PROCESS_EXITED);
	if (r == 0)
		r = collection_finish(&collection, &snapshot);
	if (r == 0) {
		print_process(out, &snapshot);
		snapshot_clear(&snapshot);
	}
	collection_clear(&collection);
	region_map_close(&map);
	return r;
}

int report_print(const struct report *report, FILE *out)
{
	int result = 0;

	fprintf(out, "ttmem report\n");
	if (report->count == 0)
		fprintf(out, "no process allocated device memory\n");
	for (uint32_t i = 0; i < report->count; i++) {
		int r = print_table(out, report, &report->tables[i]);

		if (r < 0) {
			fprintf(out, "process %u: its table cannot be read: %s\n",
				report->tables[i].pid, strerror(-r));
			result = r;
		}
	}
	if (report->ignored)
		fprintf(out, "%u more processes are not shown\n", report->ignored);
	return fflush(out) != 0 ? -errno : result;
}

void report_finish(struct report *report)
{
	char path[PATH_MAX];

	for (uint32_t i = 0; i < report->count; i++)
		(void)close(report->tables[i].fd);
	(void)close(report->socket);
	(void)snprintf(path, sizeof path, "%s/" REGISTRATION_SOCKET, report->directory);
	(void)unlink(path);
	(void)rmdir(report->directory);
}
