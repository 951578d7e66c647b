/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/error_text.h"

#include <string.h>

#include "analyse/error_forms.h"
#include "analyse/error_tokens.h"

/* Words that may stand between two key words in a row, and where there is "..". */
#define GAP	 3u
#define GAP_WIDE 24u

/* A message's figures stand so near to its key words. */
#define MESSAGE_MAX 240u

/* Between a label and its number. */
#define FILLERS_MAX 4
#define FILLERS	    "is|was|are|be|only|just|about|currently|now|the|a|an|of|total|b|byte|bytes|dest"

/* Here another message, or none, begins. */
#define BOUNDARY "statically|tt_fatal|tt_throw|backtrace|traceback|runtimeerror"

/* A piece of a pattern: up to the next blank. */
struct piece {
	const char *start;
	size_t length;
};

static struct piece next_piece(const char **pattern)
{
	const char *p = *pattern + strspn(*pattern, " ");
	struct piece piece = {p, strcspn(p, " ")};

	*pattern = p + piece.length;
	return piece;
}

static bool piece_is(struct piece piece, const char *word)
{
	return strlen(word) == piece.length && memcmp(piece.start, word, piece.length) == 0;
}

static bool is_boundary(const struct token *token)
{
	return token_is(token, BOUNDARY, sizeof BOUNDARY - 1);
}

/* The next token at `at` or a little later that is this word; 0: none. Gives the one behind it. */
static uint64_t find_word(struct tokens *tokens, uint64_t at, struct piece word, uint64_t gap)
{
	for (uint64_t i = at; i <= at + gap; i++) {
		const struct token *token = token_at(tokens, i);

		if (!token)
			return 0;
		if (token_is(token, word.start, word.length))
			return i + 1;
		if (is_boundary(token))
			return 0;
	}
	return 0;
}

/* Most tokens are no message's first word, and their first letter tells. */
static bool may_start(const struct token *token, const char *words)
{
	if (token->is_number)
		return false;
	for (; *words && *words != ' '; words++) {
		if (*words == token->letter)
			return true;
		words += strcspn(words, "| ");
		if (*words != '|')
			break;
	}
	return false;
}

/* Do key words start exactly here? Return: the token behind the last one; 0: no. */
static uint64_t match_words(struct tokens *tokens, uint64_t at, const char *words)
{
	const struct token *token = token_at(tokens, at);
	uint64_t gap = 0;

	if (!token || !may_start(token, words))
		return 0;
	while (*words) {
		struct piece piece = next_piece(&words);

		if (piece_is(piece, "..")) {
			gap = GAP_WIDE;
			continue;
		}
		at = find_word(tokens, at, piece, gap);
		if (at == 0)
			return 0;
		gap = GAP;
	}
	return at;
}

/*
 * Does a label start exactly here? Its number comes out as a fact, absent when it does not fit
 * 64 bits.
 */
static bool match_label(struct tokens *tokens, uint64_t at, uint64_t end, const char *label,
			struct fact *ret_fact)
{
	struct fact fact = fact_absent(REASON_NONE);
	bool first = true;

	while (*label) {
		struct piece piece = next_piece(&label);
		bool number = piece_is(piece, "#") || piece_is(piece, "?");
		const struct token *token;
		int fillers = 0;

		for (;; at++, fillers++) {
			token = at < end ? token_at(tokens, at) : NULL;
			if (!token || (number ? token->is_number
					      : token_is(token, piece.start, piece.length)))
				break;
			if (first || fillers == FILLERS_MAX ||
			    !token_is(token, FILLERS, sizeof FILLERS - 1))
				return false;
		}
		if (!token)
			return false;
		if (piece_is(piece, "#"))
			fact = token->is_known ? fact_of(token->value) : fact_absent(REASON_NONE);
		at++;
		first = false;
	}
	*ret_fact = fact;
	return true;
}

static struct fact find_label(struct tokens *tokens, uint64_t start, uint64_t end,
			      const char *label)
{
	struct fact fact = fact_absent(REASON_NONE);

	for (uint64_t at = start; at < end && token_at(tokens, at); at++)
		if (match_label(tokens, at, end, label, &fact))
			break;
	return fact;
}

/* Four numbers behind "range": [0-0 - 7-7], [(x=0,y=0) - (x=7,y=7)]. */
static void find_range(struct tokens *tokens, uint64_t start, uint64_t end, struct fact *corners)
{
	struct fact found[4];
	unsigned count = 0;
	uint64_t at = start;

	while (at < end && !token_is(token_at(tokens, at), "range", 5))
		at++;
	for (at++; at < end && count < 4; at++) {
		const struct token *token = token_at(tokens, at);

		if (!token)
			return;
		if (token->is_number)
			found[count++] = fact_of(token->value);
		else if (!token_is(token, "x|y", 3))
			return;
	}
	if (count == 4)
		memcpy(corners, found, sizeof found);
}

static struct fact find_type(struct tokens *tokens, uint64_t start, uint64_t end)
{
	for (uint64_t at = start; at < end; at++) {
		const struct token *token = token_at(tokens, at);

		if (!token)
			break;
		for (enum memory_type type = 0; type < MEMORY_TYPES; type++) {
			const char *key = memory_type_key(type);

			if (token_is(token, key, strlen(key)))
				return fact_of(type);
		}
	}
	return fact_absent(REASON_NONE);
}

static struct error_text read_message(struct tokens *tokens, const struct error_form *form,
				      uint64_t start, uint64_t end)
{
	struct error_text error = {.kind = form->kind, .what = form->what, .seen = 1};

	for (const struct error_label *row = form->labels; row->label; row++)
		if (!fact_is_known(error.figures[row->figure]))
			error.figures[row->figure] = find_label(tokens, start, end, row->label);
	find_range(tokens, start, end, &error.figures[FIGURE_X0]);
	if (form->kind == ERROR_NO_SPACE)
		error.type = find_type(tokens, start, end);
	return error;
}

static bool is_complete(const struct error_text *error)
{
	return fact_is_known(error->figures[FIGURE_ASKED]) &&
	       fact_is_known(error->figures[FIGURE_AVAILABLE]);
}

/* Where the message that starts here ends: before the next one. */
static uint64_t find_end(struct tokens *tokens, uint64_t at)
{
	uint64_t limit = at + MESSAGE_MAX;

	for (; at < limit; at++) {
		const struct token *token = token_at(tokens, at);

		if (!token || is_boundary(token))
			break;
		for (size_t i = 0; i < error_form_count; i++)
			if (!error_forms[i].strict &&
			    match_words(tokens, at, error_forms[i].words))
				return at;
	}
	return at;
}

/* The message that starts at a token. Return: the token to go on with; 0: none starts here. */
static uint64_t message_at(struct tokens *tokens, uint64_t at, struct error_text *ret_error)
{
	for (size_t i = 0; i < error_form_count; i++) {
		const struct error_form *form = &error_forms[i];
		uint64_t behind = match_words(tokens, at, form->words);

		if (behind == 0)
			continue;
		uint64_t start = at < form->back ? 0 : at - form->back;
		uint64_t end = find_end(tokens, behind);
		struct error_text error = read_message(tokens, form, start, end);

		if (form->strict && !is_complete(&error))
			continue;
		*ret_error = error;
		return end;
	}
	return 0;
}

/* Is everything that `poor` says also in `rich`? */
static bool says_no_more(const struct error_text *poor, const struct error_text *rich)
{
	if (poor->kind != rich->kind || strcmp(poor->what, rich->what) != 0)
		return false;
	if (fact_is_known(poor->type) &&
	    (!fact_is_known(rich->type) || poor->type.value != rich->type.value))
		return false;
	for (int i = 0; i < FIGURES; i++)
		if (fact_is_known(poor->figures[i]) &&
		    (!fact_is_known(rich->figures[i]) ||
		     poor->figures[i].value != rich->figures[i].value))
			return false;
	return true;
}

static void list_remove(struct error_list *list, uint32_t index)
{
	memmove(&list->errors[index], &list->errors[index + 1],
		(list->count - index - 1) * sizeof list->errors[0]);
	list->count--;
}

/* A repetition moves its message to the end: it is the last that was said. */
static void list_add(struct error_list *list, struct error_text error)
{
	for (uint32_t i = list->count; i-- > 0;)
		if (says_no_more(&error, &list->errors[i])) {
			size_t at = error.at;

			error = list->errors[i];
			error.at = at;
			error.seen++;
			list_remove(list, i);
			break;
		}
	if (list->count == ERRORS_MAX) {
		list_remove(list, 0);
		list->dropped++;
	}
	list->errors[list->count++] = error;
}

void error_text_read(const char *bytes, size_t length, struct error_list *ret_list)
{
	struct tokens tokens;
	uint64_t at = 0;

	*ret_list = (struct error_list){0};
	tokens_begin(&tokens, bytes, length);
	while (token_at(&tokens, at)) {
		/* before the message is read: its first words may not be kept so long */
		size_t offset = (size_t)(token_at(&tokens, at)->start - bytes);
		struct error_text error;
		uint64_t next = message_at(&tokens, at, &error);

		if (next == 0) {
			at++;
			continue;
		}
		error.at = offset;
		list_add(ret_list, error);
		at = next;
	}
}

const struct error_text *error_list_last(const struct error_list *list)
{
	return list->count ? &list->errors[list->count - 1] : NULL;
}
