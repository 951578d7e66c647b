/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a check-up looks at: the machine with all buffers, once by ourselves and
 * once through a server. A process whose event number is the same before and
 * after its buffers were listed held still; one that never does is taken as it
 * is, and its sums are not checked.
 */
#include "tool/doctor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/client.h"
#include "api/json.h"

#define LOOKS	10
#define LOOK_NS 2000000

uint32_t doctor_live(const struct doctor_look *look, uint32_t pid)
{
	for (uint32_t i = 0; look->is_there && i < look->picture.process_count; i++) {
		const struct process *p = &look->picture.processes[i];

		if (p->pid == pid && p->source == SOURCE_HOOK && p->state == PROCESS_LIVE)
			return i;
	}
	return SNAPSHOT_NONE;
}

uint32_t doctor_same(const struct doctor_look *look, const struct process *process)
{
	for (uint32_t i = 0; look->is_there && i < look->picture.process_count; i++) {
		const struct process *p = &look->picture.processes[i];

		/* JSON has milliseconds */
		if (p->source == SOURCE_HOOK && p->state == PROCESS_LIVE &&
		    p->inner_pid == process->inner_pid &&
		    p->started_ns / 1000000 == process->started_ns / 1000000)
			return i;
	}
	return SNAPSHOT_NONE;
}

void doctor_look_clear(struct doctor_look *look)
{
	snapshot_clear(&look->picture);
	snapshot_clear(&look->listing);
	free(look->events);
	*look = (struct doctor_look){0};
}

/* Event numbers of `other` for the processes of the picture; one that is not there has none. */
static int note_events(struct doctor_look *look, const struct snapshot *other, bool *ret_still)
{
	const struct doctor_look them = {.is_there = true, .picture = *other};

	look->events = calloc((size_t)look->picture.process_count + 1, sizeof *look->events);
	if (!look->events)
		return -ENOMEM;
	*ret_still = true;
	for (uint32_t i = 0; i < look->picture.process_count; i++) {
		const struct process *p = &look->picture.processes[i];
		uint32_t same = doctor_live(&them, p->pid);

		look->events[i] = same == SNAPSHOT_NONE ? UINT64_MAX : other->processes[same].event;
		if (p->source == SOURCE_HOOK && p->state == PROCESS_LIVE)
			*ret_still &= doctor_still(look, i);
	}
	return 0;
}

static void pause_between(void)
{
	const struct timespec pause = {.tv_nsec = LOOK_NS};

	(void)nanosleep(&pause, NULL);
}

static int look_once(struct doctor *doctor, bool *ret_still)
{
	const struct collect_options whole = {
	    .buffers = true, .largest_free = true, .cards = true, .root = doctor->root_path};
	const struct collect_options again = {0};
	struct doctor_look *look = &doctor->own;
	struct snapshot after;
	int r = collect_local(&whole, &look->picture, &doctor->notes);

	if (r < 0)
		return r;
	look->is_there = true;
	r = collect_local(&again, &after, NULL);
	if (r < 0)
		return r;
	r = note_events(look, &after, ret_still);
	snapshot_clear(&after);
	return r;
}

int doctor_look_own(struct doctor *doctor)
{
	bool still = false;
	int r = 0;

	for (int n = 1; r == 0 && n <= LOOKS; n++) {
		doctor_look_clear(&doctor->own);
		r = look_once(doctor, &still);
		if (still)
			break;
		pause_between();
	}
	return r;
}

static int ask(const char *socket, const char *target, bool buffers, struct snapshot *ret_snapshot)
{
	text_auto body = TEXT_INIT;
	int r = client_get(socket, target, &body);

	if (r < 0)
		return r;
	return buffers ? json_read_buffers(body.bytes, body.length, ret_snapshot)
		       : json_read_snapshot(body.bytes, body.length, ret_snapshot);
}

static int ask_once(struct doctor *doctor, bool *ret_still)
{
	struct doctor_look *look = &doctor->served;
	struct snapshot before;
	int r = ask(doctor->socket, "/v1/snapshot", false, &before);

	if (r < 0)
		return r;
	r = ask(doctor->socket, "/v1/buffers?limit=1000000", true, &look->listing);
	if (r == 0)
		r = ask(doctor->socket, "/v1/snapshot?largest_free=1", false, &look->picture);
	if (r == 0) {
		look->is_there = true;
		r = note_events(look, &before, ret_still);
	}
	snapshot_clear(&before);
	return r;
}

int doctor_look_served(struct doctor *doctor)
{
	bool still = false;

	if (!doctor->socket[0])
		return 0;
	for (int n = 1; n <= LOOKS; n++) {
		doctor_look_clear(&doctor->served);
		int r = ask_once(doctor, &still);

		if (r == -ENOMEM)
			return r;
		if (r < 0) {
			doctor_look_clear(&doctor->served);
			findings_subject(doctor->findings, "server at %s", doctor->socket);
			findings_add(doctor->findings, FINDING_ERROR, "server",
				     "look at its log (journalctl -u ttmemd) and restart it",
				     "it does not show the machine: %s", strerror(-r));
			return 0;
		}
		if (still)
			break;
		pause_between();
	}
	return 0;
}
