/* SPDX-License-Identifier: Apache-2.0 */
/* Where a view's snapshot comes from: a server, else our own look at the machine. */
#ifndef TTMEM_TOOL_OBTAIN_H
#define TTMEM_TOOL_OBTAIN_H

#include "api/ask.h"
#include "collect/collect.h"
#include "view/selection.h"

/*
 * obtain_ask - the first server there is. Return: 0; -ENOENT without a word when there is none; any
 * other failure is said on stderr.
 */
int obtain_ask(const struct ask_question *question);

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

/* Who wants to know what of sites. */
struct obtain_sites {
	struct buffer_filter filter; /* resolved */
	const char *root;
	bool no_server;
};

/*
 * obtain_sites - live bytes in groups: of a server, else added up here. Return: 0 or -errno; clear
 * both results.
 */
int obtain_sites(const struct obtain_sites *wanted, enum group_by by,
		 struct snapshot *ret_snapshot, struct site_list *ret_list);
/* obtain_sites_here - the same without asking anybody; `cut`: of what is old, or NULL */
int obtain_sites_here(const struct obtain_sites *wanted, enum group_by by,
		      const struct tally_cut *cut,
		      struct snapshot *ret_snapshot, struct site_list *ret_list);
/*
 * obtain_growth - what a server knows to grow. Return: 0; -ENOENT: there is none, one has to watch
 * oneself; -errno.
 */
int obtain_growth(const struct obtain_sites *wanted, uint64_t window_ns,
		  struct snapshot *ret_snapshot, struct site_list *ret_list);

#endif
