/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots built by hand, for the tests of api and view. */
#ifndef TTMEM_TESTS_SNAPSHOTS_H
#define TTMEM_TESTS_SNAPSHOTS_H

#include "model/site_row.h"
#include "model/snapshot.h"

/* One live process with three buffers on one chip; the examples of docs/api.md. */
void snapshot_simple(struct snapshot *ret_snapshot);
/*
 * Everything that is odd: a mesh and a submesh with estimates, an exited process, failures,
 * losses, missing capabilities, a chip without unique id, figures that are not known.
 */
void snapshot_odd(struct snapshot *ret_snapshot);
/*
 * snapshot_simple, and the rows that its buffers add up to, as if they grew; `odd`: by operation,
 * with figures that are not known.
 */
void snapshot_rows(struct snapshot *ret_snapshot, struct site_list *ret_list, bool odd);
/* snapshot_simple with every string from a stranger replaced by these bytes */
void snapshot_hostile(struct snapshot *ret_snapshot, const char *bytes, size_t length);

#endif
