/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key words of TT-Metal's messages, as data.
 *
 * `words` are a message's key words in order: "a|b" is either, "grow*" any word that starts so,
 * ".." lets a stretch of other words lie between. `labels` tell a figure by what stands beside it:
 * "#" is the number, "?" a number that is passed over; small words and units between them do not
 * matter. The first label of a figure that is found counts.
 */
#ifndef TTMEM_ANALYSE_ERROR_FORMS_H
#define TTMEM_ANALYSE_ERROR_FORMS_H

#include "analyse/error_text.h"

struct error_label {
	uint8_t figure; /* enum error_figure */
	const char *label; /* NULL ends the list */
};

struct error_form {
	enum error_kind kind;
	uint8_t back;	/* figures may stand so many tokens before the key words */
	bool strict;	/* common words: only with both ASKED and AVAILABLE is it a message */
	const char *words;
	const char *what;
	const struct error_label *labels;
};

extern const struct error_form error_forms[];
extern const size_t error_form_count;

#endif
