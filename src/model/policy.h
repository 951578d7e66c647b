/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may see what. Applied once, on a finished snapshot, before anything is
 * written: no view and no route decides for itself.
 *
 * Totals are for everybody: a card that is full is everybody's problem. Names,
 * commands, buffers and failed requests are the owner's.
 */
#ifndef TTMEM_MODEL_POLICY_H
#define TTMEM_MODEL_POLICY_H

#include "model/snapshot.h"

enum policy_share {
	SHARE_OWN,   /* a viewer sees the details of own processes */
	SHARE_GROUP, /* and of those with the same primary group */
	SHARE_ALL,
};

struct policy_viewer {
	bool anonymous; /* over TCP: devices and totals only */
	uint32_t uid, gid;
};

/* policy_allows - may this viewer see the details of this process? Root may see all. */
bool policy_allows(const struct process *process, const struct policy_viewer *viewer,
		   enum policy_share share);
/* policy_apply - takes everything out of the snapshot that this viewer may not see */
void policy_apply(struct snapshot *snapshot, const struct policy_viewer *viewer,
		  enum policy_share share);

#endif
