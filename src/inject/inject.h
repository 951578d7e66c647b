/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bringing the hook into a running process, and asking it to go: dlopen(), dlsym() and the hook's own
 * functions are called there, in one thread that waits anyway.
 *
 * The caller has found out that the process is one that can take it; here is only what the kernel and
 * the process itself say. All of it is done in a child, which outlives a caller that is killed; signals to
 * the caller are held back meanwhile. Of whoever else injects at that moment one waits for the other.
 */
#ifndef TTMEM_INJECT_INJECT_H
#define TTMEM_INJECT_INJECT_H

#include <stdint.h>

#include "region/late_state.h"

#define INJECT_TEXT_BYTES 256u

struct injection {
	struct late_status status; /* what the hook says; magic 0: it is not there */
	uint64_t stopped_ns;	   /* how long the one thread stood still */
	uint64_t starved_ns;	   /* of it, how long it was only waiting for a processor */
	int	 result;	   /* of the hook: 0 or a negative errno of late.h */
	char	 text[INJECT_TEXT_BYTES]; /* what the loader said, after -ELIBACC */
};

/*
 * inject_status - reads the hook's status without stopping anything. 0; -ENOENT: no such process;
 * -EPERM, -EACCES: not allowed; -errno.
 */
int inject_status(uint32_t pid, struct late_status *ret_status);
/*
 * inject_attach - loads `library` if it is not there and calls ttmem_hook_attach("attach"). `is_own`:
 * the process does not see that file; it gets a copy in memory.
 * Return: 0 with `result`; -EPERM, -EACCES: the kernel forbids it; -ESRCH: it is gone; -EBUSY: it is
 * stopped; -ETIMEDOUT: no thread in a good place, or the call hangs; -ENOSYS: no glibc; -ELIBACC:
 * the loader refuses, see `text`; -EFAULT: it crashed there.
 */
int inject_attach(uint32_t pid, const char *library, int is_own, struct injection *ret_injection);
/* inject_detach - calls ttmem_hook_detach(); -ENOENT: the hook is not there */
int inject_detach(uint32_t pid, struct injection *ret_injection);

#endif
