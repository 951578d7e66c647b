/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a process keeps no table: what /proc tells of how it was started.
 *
 * All of it is a hint: the process may change between two looks, and most of it
 * is only for its owner and root. What could not be looked at is not said.
 */
#ifndef TTMEM_SOURCE_INSPECT_H
#define TTMEM_SOURCE_INSPECT_H

#include <stdbool.h>
#include <stdint.h>

#define INSPECT_PATH_BYTES 512u

struct inspection {
	bool exists;
	bool is_denied; /* its memory map is not for us */
	bool has_maps;	/* the next two are known */
	bool has_metal, has_hook;
	char metal[INSPECT_PATH_BYTES]; /* the library of TT-Metal that it has loaded */
	bool is_static;			/* no dynamic loader: nothing can be preloaded */
	bool is_secure;	      /* setuid or file capabilities: the loader ignores LD_PRELOAD */
	bool has_environment; /* the next three are known, as of its start */
	bool is_off;	      /* TTMEM=off */
	bool is_preloaded;
	char preload[INSPECT_PATH_BYTES]; /* the entry of LD_PRELOAD that names the hook */
	bool preload_is_missing;	  /* ... and in its file system there is no such file */
	bool other_mounts, other_pids;	  /* it lives in another mount or PID namespace */
};

/* inspect_process - `root` is a directory with a proc in it. Never fails. */
void inspect_process(int root, uint32_t pid, struct inspection *ret_inspection);

/* inspect_hides_processes - is /proc below root mounted with hidepid, so that others are not seen?
 */
bool inspect_hides_processes(int root);

#endif
