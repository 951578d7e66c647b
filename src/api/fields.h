/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lists of fields: for each object of the JSON, what its fields are called,
 * where they lie in the snapshot, and what they mean. Writer and reader, later
 * CSV and help, walk the same rows, so they cannot disagree.
 *
 * However a field is stored, it is handed around as a struct fact: a number and
 * whether it is known.
 */
#ifndef TTMEM_API_FIELDS_H
#define TTMEM_API_FIELDS_H

#include <stddef.h>

#include "model/site_row.h"
#include "model/snapshot.h"

/* What a field looks like in JSON. */
enum field_type {
	FIELD_NUMBER,
	FIELD_SIGNED, /* a number in two's complement */
	FIELD_FLAG,   /* a boolean */
	FIELD_HEX,    /* 64 bits as 16 hex digits, as the kernel driver writes them */
	FIELD_ID,   /* 64 bits as a decimal string */
	FIELD_TIME, /* RFC 3339 */
	FIELD_WORD, /* a number that has a name */
	FIELD_TEXT, /* a string of the pool; the empty one is null */
	FIELD_OPEN, /* a boolean: true while the fact (of closing) is absent */
};

/* How it lies in the struct. */
enum field_storage { STORED_FACT, STORED_U64, STORED_U32, STORED_U8 };

/* The value that stands for "not known" where the storage is a plain number. */
enum field_null { NULL_NEVER, NULL_ZERO, NULL_MAX };

/* The names of the values 0 .. count - 1; NULL for a value without one. */
struct field_words {
	const char *(*word)(unsigned value);
	unsigned count;
};

struct field {
	const char *path; /* "banks", or "bank.size_bytes": in an object of its own inside; also deeper */
	enum field_type type;
	enum field_storage storage;
	size_t offset;
	enum field_null null;
	enum fact_reason reason; /* of a null by `null` */
	bool may_not_apply;	 /* null with REASON_NONE needs no excuse */
	const struct field_words *words;
	const char *unit; /* "bytes", "ns", "" */
	const char *null_when;
	const char *help;
};

struct field_list {
	const char *object; /* its heading in docs/api.md */
	const struct field *fields;
	size_t count;
};

/* What an allocator counts for one memory type, gathered from its arrays. */
struct field_counts {
	struct fact base_address;
	struct fact alignment_bytes;
	uint64_t allocs, frees, failures;
};

struct field_counts field_counts_of(const struct allocator *allocator, enum memory_type type);
void field_counts_to(const struct field_counts *counts, struct allocator *allocator,
		     enum memory_type type);

extern const struct field_list memory_fields;	  /* of struct memory */
extern const struct field_list device_fields;	  /* of struct device */
extern const struct field_list l1_fields;	  /* of struct l1_summary */
extern const struct field_list clash_gap_fields; /* of struct device, likewise */
extern const struct field_list place_fields;	  /* of struct device: the machine's own entries */
extern const struct field_list card_fields;	  /* of struct card */
extern const struct field_list process_fields;	  /* of struct process */
extern const struct field_list capability_fields; /* of struct capability */
extern const struct field_list failure_fields;	  /* of struct failure */
extern const struct field_list loss_fields;	  /* of struct losses */
extern const struct field_list allocator_fields;  /* of struct allocator */
extern const struct field_list count_fields;	  /* of struct field_counts */
extern const struct field_list site_fields;	  /* of struct site, without its op */
extern const struct field_list owner_fields;	  /* of struct site: what stands beside it */
extern const struct field_list buffer_fields;	  /* of struct buffer */
extern const struct field_list site_row_fields;	  /* of struct site_row */
extern const struct field_list growth_fields;	  /* of struct site_row: what grows */
extern const struct field_list watch_fields;	  /* of struct site_list */

/* All of the above but owner_fields, for what walks them: the test of docs/api.md, help. */
extern const struct field_list *const field_lists[];
extern const size_t field_list_count;

/* field_name - without the names of inner objects */
const char *field_name(const struct field *field);
/* field_load - of `object`, a struct of the list's kind; FIELD_TEXT gives the string_id */
struct fact field_load(const void *object, const struct field *field);
/* field_store - the other way; an absent fact becomes the value that stands for it */
void field_store(void *object, const struct field *field, struct fact fact);
/* field_word - the name of a value; NULL when it has none */
const char *field_word(const struct field *field, uint64_t value);
/* field_word_value - the other way: FACT_OK, or absent */
struct fact field_word_value(const struct field *field, const char *word);

#endif
