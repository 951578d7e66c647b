/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One JSON object from a list of fields: figures as they stand, null for what
 * is not known, and the reasons beside them. Private to src/api.
 *
 * Everything is appended to the text at once, without a tree: a snapshot of a
 * busy machine has 30,000 figures. Only the reasons wait, since they stand last.
 */
#ifndef TTMEM_API_ENCODE_H
#define TTMEM_API_ENCODE_H

#include "api/fields.h"
#include "base/buffer.h"

/* More than any object has fields. */
#define ENCODE_NOTES_MAX 48u

/* Why a field is null, an estimate or old. */
struct encode_note {
	const char *path;
	uint8_t reason; /* enum fact_reason */
	uint8_t state;	/* enum fact_state */
};

struct encoded {
	struct text *text;
	const struct snapshot *snapshot; /* whose strings; NULL where no field is a text */
	bool has_members;
	uint32_t note_count;
	struct encode_note notes[ENCODE_NOTES_MAX];
};

/* encode_begin - opens an object at the end of the text */
void encode_begin(struct encoded *object, struct text *text, const struct snapshot *snapshot);
/* encode_fields - every field of the list from `from`, a struct of its kind */
void encode_fields(struct encoded *object, const struct field_list *list, const void *from);
/* encode_key - of the member whose value the caller appends next; needs no escape */
void encode_key(struct encoded *object, const char *name);
/* encode_reason - says why a member that the caller has written as null is so */
void encode_reason(struct encoded *object, const char *path, enum fact_reason reason);
/* encode_end - adds the reasons, last, so that the figures stand first */
void encode_end(struct encoded *object);

/* encode_text - bytes from strangers as valid UTF-8; the empty string as null. Is it null? */
bool encode_text(struct text *text, const char *string);
void encode_number(struct text *text, uint64_t number);
/* encode_fact - a member that is a number, null when it is not known; no reason is written */
void encode_fact(struct encoded *object, const char *name, struct fact fact);
/* encode_flag - a boolean member */
void encode_flag(struct encoded *object, const char *name, bool value);
/* encode_id - 64 bits do not fit a double, so ids travel as decimal strings. Is it null? */
bool encode_id(struct text *text, struct fact id);

#endif
