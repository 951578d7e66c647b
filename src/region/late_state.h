/* SPDX-License-Identifier: Apache-2.0 */
/* What the hook says of itself to somebody who reads the process's memory: `ttmem attach`. */
#ifndef TTMEM_REGION_LATE_STATE_H
#define TTMEM_REGION_LATE_STATE_H

#include <stdint.h>

#define LATE_MAGIC UINT64_C(0x004554414c6d656d) /* "memLATE\0" */

enum late_state {
	LATE_IDLE = 0,	   /* loaded, and nobody has asked for anything; preloaded ones stay so */
	LATE_ATTACHED = 1, /* slots are patched */
	LATE_DETACHED = 2,
	LATE_PRELOADED = 3, /* asked to attach, and found that the loader had done it */
};

struct late_status {
	uint64_t magic;
	uint32_t state; /* enum late_state; stored last */
	uint32_t slots; /* patched */
	char	 entry[16];
};

#endif
