/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling servers about our table: at the first event, and again when a server
 * does not answer or has stopped answering. Never waits for anybody.
 *
 * Pure bookkeeping lives in the root page, which a fork clears: a child
 * registers its own table as if there had never been one.
 */
#ifndef TTMEM_REGION_REGISTER_H
#define TTMEM_REGION_REGISTER_H

#include <stdint.h>

#include "region/registration.h"
#include "region/writer.h"

struct registrar_server {
	uint64_t next_try_ns;
	uint64_t delay_ns;
	uint64_t heartbeat;	 /* last value seen in the server's line */
	uint64_t heartbeat_since_ns; /* since when it has that value */
};

struct registrar {
	uint64_t next_look_ns; /* nothing to do before; read at every allocation */
	uint32_t busy;	       /* a thread is at it */
	uint32_t reserved;
	struct registrar_server servers[REGISTRATION_LINES];
};

/*
 * register_tick - to be called with the time of an allocation. One compare, except when a server
 * is due; then a handful of system calls that never block.
 */
void register_due(struct registrar *registrar, struct region_writer *writer, uint64_t now_ns);
static inline void register_tick(struct registrar *registrar, struct region_writer *writer,
				 uint64_t now_ns)
{
	if (__builtin_expect(now_ns >= __atomic_load_n(&registrar->next_look_ns, __ATOMIC_RELAXED),
			     0))
		register_due(registrar, writer, now_ns);
}

/*
 * register_failed_moment - what lay in memory when something failed: a copy of the table for all
 * servers, which readers find as well. At most one a second.
 */
void register_failed_moment(struct region_writer *writer, uint64_t now_ns);

#endif
