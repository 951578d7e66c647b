/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text as words and numbers, without what logs put around it: colours, dates, levels, names of
 * files and processes at the start of a line, punctuation everywhere. Line breaks are blanks.
 *
 * Tokens have a number; the newest TOKENS_RING that were asked for are kept.
 */
#ifndef TTMEM_ANALYSE_ERROR_TOKENS_H
#define TTMEM_ANALYSE_ERROR_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOKENS_RING 1024u

struct token {
	const char *start;
	uint32_t length;
	char letter; /* the first one, small */
	bool is_number;
	bool has_unit;
	bool is_known;	/* the number fits 64 bits */
	uint64_t value; /* bytes, if the unit was a larger one */
};

struct tokens {
	const char *at, *end;
	bool line_start;
	uint64_t count; /* read so far */
	struct token ring[TOKENS_RING];
};

void tokens_begin(struct tokens *tokens, const char *bytes, size_t length);
/* token_read - one more into the ring; false at the end */
bool token_read(struct tokens *tokens);
/* token_at - NULL behind the last one; also for one that is no longer kept */
static inline const struct token *token_at(struct tokens *tokens, uint64_t number)
{
	/* one more: it may be the unit of this one */
	while (tokens->count <= number + 1)
		if (!token_read(tokens))
			break;
	if (number >= tokens->count || tokens->count - number > TOKENS_RING)
		return NULL;
	return &tokens->ring[number % TOKENS_RING];
}
/* token_is - is it one of these words? "a|b*|c", any case; false for a number or NULL */
bool token_is(const struct token *token, const char *words, size_t length);

#endif
