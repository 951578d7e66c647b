/* SPDX-License-Identifier: Apache-2.0 */
/* Where a view's snapshot comes from: a server, else our own look at the machine. */
#ifndef TTMEM_TOOL_OBTAIN_H
#define TTMEM_TOOL_OBTAIN_H

#include "collect/collect.h"

/*
 * obtain_snapshot - asks the first server there is ($TTMEM_SOCKET_DIR, /run/ttmem,
 * $XDG_RUNTIME_DIR/ttmem), unless `no_server`; collects itself when there is none, and says so in
 * one line on stderr when one is there but does not answer.
 * Return: 0 or -errno. ret_notes is filled when it was collected here.
 */
int obtain_snapshot(const struct collect_options *options, bool no_server,
		    struct snapshot *ret_snapshot, struct collect_notes *ret_notes);

/*
 * obtain_failed_moment - the buffers of a process as they were at its failure of this number, which
 * only a server keeps. Return: 0; -ENOENT: no server, or it has none; -errno.
 */
int obtain_failed_moment(uint32_t pid, uint64_t failure, struct snapshot *ret_buffers);
/* obtain_failures - a picture of the processes that have had failures. Return: as obtain_snapshot. */
int obtain_failures(bool no_server, struct snapshot *ret_snapshot);

#endif
