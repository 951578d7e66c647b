/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A check-up: what was gathered, once, and the checks that each look at a part
 * of it and add what they find. Private to `ttmem doctor`.
 */
#ifndef TTMEM_TOOL_DOCTOR_H
#define TTMEM_TOOL_DOCTOR_H

#include "collect/collect.h"
#include "model/findings.h"

/* The most that a server is asked for; a longer list is not whole. */
#define DOCTOR_BUFFERS_MAX 1000000u

/* A picture and the buffers of the same moment, per process. */
struct doctor_look {
	bool is_there;
	struct snapshot picture, listing; /* of one's own look the listing is the picture */
	uint64_t *events; /* per process of the picture: its event before; != after: it moved */
};

struct doctor {
	struct findings *findings;
	const char *root_path; /* NULL: "/" */
	bool no_server;
	int root;
	struct doctor_look own, served;
	struct collect_notes notes; /* of our own look */
	char socket[256];	    /* of the server that answered */
};

/* doctor_still - is the listing of this process one cut in time with the picture? */
static inline bool doctor_still(const struct doctor_look *look, uint32_t process)
{
	return look->events && look->events[process] == look->picture.processes[process].event;
}

/* doctor_live - index of the live process with a table and this pid; SNAPSHOT_NONE */
uint32_t doctor_live(const struct doctor_look *look, uint32_t pid);
/*
 * doctor_same - the process of another look in this one; SNAPSHOT_NONE. A server may live in
 * another PID namespace, so what counts is how the process numbers itself and when its table was
 * made.
 */
uint32_t doctor_same(const struct doctor_look *look, const struct process *process);

/* doctor_find_servers - where one may be; sets `socket` to that of the first that answers */
void doctor_find_servers(struct doctor *doctor);
/* doctor_look_own, doctor_look_served - fill the looks; the latter says what it met. 0 or -errno.
 */
int doctor_look_own(struct doctor *doctor);
int doctor_look_served(struct doctor *doctor);
void doctor_look_clear(struct doctor_look *look);

/* The checks, one file each; all of them only add findings. */
void doctor_check_machine(struct doctor *doctor);   /* hook, driver, cards, chips */
void doctor_check_servers(struct doctor *doctor);   /* whom the one that answered misses */
void doctor_check_processes(struct doctor *doctor); /* what each reports, and why others do not */
int doctor_check_books(
    struct doctor *doctor); /* figures, sums, the allocators' own. 0 or -ENOMEM */

#endif
