/* SPDX-License-Identifier: Apache-2.0 */
/* From the figures of a message to what was wrong, and by how many bytes. */
#ifndef TTMEM_ANALYSE_VERDICT_H
#define TTMEM_ANALYSE_VERDICT_H

#include "analyse/error_text.h"

enum verdict_kind {
	VERDICT_UNKNOWN = 0,
	VERDICT_FULL,	    /* more than is free, in pieces or not */
	VERDICT_FRAGMENTED, /* as much is free, but not in one piece */
	VERDICT_TOO_LARGE,  /* more than an empty bank */
	VERDICT_REGION,	    /* more than a region that was sized when the device was opened */
	VERDICT_CLASH,
	VERDICT_BEYOND_L1,
	VERDICT_CONFIG_RING,
	VERDICT_BUFFER_TOO_SMALL,
	VERDICT_OUT_OF_MEMORY, /* no room, and the message does not say how much there was */
	VERDICTS
};

struct verdict {
	enum verdict_kind kind;
	struct fact short_bytes; /* needs - has; absent when the message does not tell */
	struct fact needs, has;
	const char *needs_name, *has_name; /* of the two figures; static, NULL when absent */
};

/* verdict_key - "full", "fragmented", ...: for JSON */
const char *verdict_key(enum verdict_kind kind);
/* verdict_of - NULL: no message was found */
struct verdict verdict_of(const struct error_text *error);

#endif
