/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places that allocate: what an operation is called, the user's line of Python,
 * and the native stack where one was taken.
 *
 * A snapshot has each site once, whichever process it was found in: sites are
 * equal when all their texts are. Buffers and failures name them by number.
 */
#ifndef TTMEM_MODEL_SITE_H
#define TTMEM_MODEL_SITE_H

#include <stdbool.h>
#include <stdint.h>

struct snapshot;

#define SITE_DEPTH_MAX 32u

/* One call of a native stack. */
struct site_frame {
	uint32_t module; /* string_id of the file's path; 0: in no file */
	uint32_t symbol; /* string_id of the function; 0: not resolved */
	uint64_t offset; /* of the call in the file, in bytes */
};

struct site {
	uint32_t op;	   /* string_ids; 0: not known */
	uint32_t file;
	uint32_t function;
	uint32_t tag;	   /* what the program says that it is for */
	uint32_t line;	   /* 0: not known */
	uint32_t first_frame, frame_count; /* into snapshot.frames, innermost first */
	uint8_t	 before_attach; /* from before the hook came in: nobody can know */
};

/* A site in the making; its strings belong to the caller and may be empty, never NULL. */
struct site_texts {
	const char *op, *file, *function;
	const char *tag; /* NULL: none */
	uint32_t line;
	bool before_attach;
	uint32_t frame_count;
	struct {
		const char *module, *symbol;
		uint64_t offset;
	} frames[SITE_DEPTH_MAX];
};

/*
 * snapshot_intern_site - the number of the site with these texts, which is added when it is new.
 * A site that says nothing at all is number 0, "not known". Return: 0 or -ENOMEM.
 */
int snapshot_intern_site(struct snapshot *snapshot, const struct site_texts *texts,
			 uint32_t *ret_number);
/* snapshot_site - by number; NULL for 0 and for a number there is no site of */
const struct site *snapshot_site(const struct snapshot *snapshot, uint32_t number);

#endif
