/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/moment.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tool/exit_codes.h"
#include "tool/obtain.h"
#include "tool/output.h"
#include "tool/view_options.h"

/* The most that obtain.c asks a server for. */
#define LISTED_MAX 1000000u

/* A program that allocates all the time is looked at again that often, so far apart. */
#define LOOKS	   20
#define LOOK_NS	   2000000
#define PIDS_NAMED 8 /* in an error */

static int not_for_us(uint32_t pid)
{
	output_error("denied", "ask root", "process %" PRIu32 " belongs to another user", pid);
	return EXIT_PERMISSION;
}

static int no_such_process(uint32_t pid)
{
	struct stat status;
	char path[32];

	(void)snprintf(path, sizeof path, "/proc/%" PRIu32, pid);
	if (geteuid() != 0 && stat(path, &status) == 0 && status.st_uid != geteuid())
		return not_for_us(pid);
	output_error("not_found", "ttmem lists those that do",
		     "no process %" PRIu32 " reports its memory", pid);
	return EXIT_NOT_FOUND;
}

/* A pid may have been used before: the living process is meant, else one that ended. */
static int find_process(const struct snapshot *picture, uint32_t pid, uint32_t *ret_process)
{
	uint32_t found = SNAPSHOT_NONE;

	for (uint32_t i = 0; i < picture->process_count; i++)
		if (picture->processes[i].pid == pid &&
		    picture->processes[i].source == SOURCE_HOOK &&
		    (found == SNAPSHOT_NONE || picture->processes[i].state == PROCESS_LIVE))
			found = i;
	if (found == SNAPSHOT_NONE)
		return no_such_process(pid);
	if (picture->processes[found].hidden)
		return not_for_us(pid);
	*ret_process = found;
	return 0;
}

static int several(const struct snapshot *picture, uint32_t count)
{
	text_auto list = TEXT_INIT;
	uint32_t named = 0;

	for (uint32_t i = 0; i < picture->process_count && named < PIDS_NAMED; i++) {
		const struct process *p = &picture->processes[i];

		if (p->state != PROCESS_LIVE || p->source != SOURCE_HOOK || p->hidden)
			continue;
		text_printf(&list, "%s%" PRIu32 " (%.60s)", named++ ? ", " : "", p->pid,
			    snapshot_text(picture, p->command));
	}
	if (count > named)
		text_printf(&list, " and %" PRIu32 " more", count - named);
	output_error("usage", "choose one with --pid", "several processes report their memory: %s",
		     list.failed ? "" : list.bytes);
	return EXIT_USAGE;
}

static int only_process(const struct snapshot *picture, uint32_t *ret_process)
{
	uint32_t count = 0, hidden = 0;

	for (uint32_t i = 0; i < picture->process_count; i++) {
		const struct process *p = &picture->processes[i];

		if (p->state != PROCESS_LIVE || p->source != SOURCE_HOOK)
			continue;
		hidden += p->hidden;
		if (!p->hidden && count++ == 0)
			*ret_process = i;
	}
	if (count == 1)
		return 0;
	if (count)
		return several(picture, count);
	if (hidden)
		output_error("denied", "ask root",
			     "all processes that report their memory belong to other users");
	else
		output_error("not_found", "start it with ttmem run",
			     "no process reports its memory");
	return hidden ? EXIT_PERMISSION : EXIT_NOT_FOUND;
}

static int choose(const struct snapshot *picture, uint32_t pid, uint32_t *ret_process)
{
	return pid ? find_process(picture, pid, ret_process) : only_process(picture, ret_process);
}

uint32_t moment_listed_allocator(const struct moment *moment, uint32_t allocator)
{
	const struct snapshot *listing = &moment->listing;
	uint32_t pid = moment->picture.processes[moment->process].pid;
	uint32_t id = moment->picture.allocators[allocator].id;

	for (uint32_t i = 0; i < listing->allocator_count; i++)
		if (listing->allocators[i].id == id &&
		    listing->processes[listing->allocators[i].process].pid == pid)
			return i;
	return SNAPSHOT_NONE;
}

/* The picture alone, with the process that is meant. Return: exit code. */
static int look(bool no_server, uint32_t pid, struct snapshot *ret_picture, uint32_t *ret_process)
{
	const struct collect_options options = {.pid = pid};
	int r = obtain_snapshot(&options, no_server, ret_picture, NULL);

	if (r < 0)
		return view_failed(r);
	r = choose(ret_picture, pid, ret_process);
	if (r)
		snapshot_clear(ret_picture);
	return r;
}

/* Looks until `event` stays. Return: exit code. */
static int look_at(bool no_server, uint32_t pid, uint64_t event, struct moment *ret_moment)
{
	const struct collect_options options = {.buffers = true, .pid = pid};
	const struct timespec pause = {.tv_nsec = LOOK_NS};
	struct moment moment = {0};

	for (int n = 1;; n++) {
		int r = obtain_snapshot(&options, no_server, &moment.listing, NULL);

		r = r < 0 ? view_failed(r) : look(no_server, pid, &moment.picture, &moment.process);
		if (r) {
			snapshot_clear(&moment.listing);
			return r;
		}
		uint64_t now = moment.picture.processes[moment.process].event;

		/* a server that stopped meanwhile counts pids in its own way */
		moment.is_cut = now == event && !moment.listing.server == !moment.picture.server;
		if (moment.is_cut || n == LOOKS)
			break;
		event = now;
		moment_clear(&moment);
		(void)nanosleep(&pause, NULL);
	}
	if (moment.listing.server && moment.listing.buffer_count >= LISTED_MAX) {
		output_error("too_many", "add --no-server",
			     "the server does not list so many buffers at once");
		moment_clear(&moment);
		return EXIT_FAILED;
	}
	*ret_moment = moment;
	return 0;
}

int moment_take(uint32_t wanted, bool no_server, struct moment *ret_moment)
{
	struct snapshot before;
	uint32_t process;
	int r = look(no_server, wanted, &before, &process);

	if (r)
		return r;
	uint32_t pid = before.processes[process].pid;
	uint64_t event = before.processes[process].event;

	snapshot_clear(&before);
	return look_at(no_server, pid, event, ret_moment);
}

void moment_clear(struct moment *moment)
{
	snapshot_clear(&moment->picture);
	snapshot_clear(&moment->listing);
}
