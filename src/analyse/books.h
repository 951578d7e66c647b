/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do the figures of a snapshot agree with each other? Pure checks of what must
 * be true to the byte, whoever made the snapshot:
 *
 * - per allocator and chip: occupied + free = allocatable, in a bank and over
 *   all banks; figures over all banks are those of one bank x banks; a largest
 *   hole is no larger than all holes; no figure is above its peak; live buffers
 *   are those allocated and not freed
 * - a chip of the machine requests what its chips in all live processes request
 * - totals are the sums over the listed buffers, which lie in their bank and
 *   never overlap
 *
 * What is not known is not checked. Figures come from strangers, so sums may
 * not even fit: then they do not agree.
 */
#ifndef TTMEM_ANALYSE_BOOKS_H
#define TTMEM_ANALYSE_BOOKS_H

#include "model/findings.h"
#include "model/snapshot.h"

/* A table that lies lies a thousand times; so many sentences of one subject are enough. */
#define BOOKS_SENTENCES 8u

struct books {
	struct findings *findings;
	uint64_t checked, wrong;
};

/*
 * books_process - the figures of one process of a picture, its allocators and chips. Each one that
 * is wrong becomes a finding of the present subject.
 */
void books_process(struct books *books, const struct snapshot *picture, uint32_t process);
/* books_machine - the machine's own chips */
void books_machine(struct books *books, const struct snapshot *picture);
/*
 * books_listing - of the same process: totals against the buffers of `listing`, which is of the
 * same event and may be the picture itself. Return: 0 or -ENOMEM.
 */
int books_listing(struct books *books, const struct snapshot *picture, uint32_t process,
		  const struct snapshot *listing);
/* books_close - one finding for all that agreed, or for what was too much to be said */
void books_close(struct books *books, const char *what);

#endif
