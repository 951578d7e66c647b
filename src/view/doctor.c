/* SPDX-License-Identifier: Apache-2.0 */
#include "view/doctor.h"

#include <string.h>

#define INDENT 5u /* of "[ok] " */

static void mark(struct text *text, const struct style *style, enum finding_state state)
{
	static const struct {
		const char *mark;
		enum tone tone;
	} marks[FINDING_STATES] = {
	    [FINDING_OK] = {"[ok]", TONE_GOOD},
	    [FINDING_WARNING] = {"[!!]", TONE_WARN},
	    [FINDING_ERROR] = {"[!!]", TONE_BAD},
	    [FINDING_UNKNOWN] = {"[--]", TONE_DIM},
	};

	style_tone(text, style, marks[state].tone);
	text_puts(text, marks[state].mark);
	style_tone(text, style, TONE_PLAIN);
	text_putc(text, ' ');
}

/* Words of an escaped sentence, as many as fit a line; the first line has begun at the indent. */
static void wrap(struct text *text, const struct style *style, const char *sentence)
{
	unsigned used = INDENT;

	for (const char *word = sentence; *word;) {
		size_t length = strcspn(word, " ");
		text_auto one = TEXT_INIT;

		text_append(&one, word, length);
		unsigned columns = one.bytes ? style_columns(one.bytes) : 0;

		if (used > INDENT && used + 1 + columns > style->width) {
			text_putc(text, '\n');
			text_pad(text, ' ', INDENT);
			used = INDENT;
		} else if (used > INDENT) {
			text_putc(text, ' ');
			used++;
		}
		text_append(text, word, length);
		used += columns;
		word += length;
		word += strspn(word, " ");
	}
	text_putc(text, '\n');
}

static void write_one(struct text *text, const struct style *style, const struct finding *row)
{
	text_auto sentence = TEXT_INIT, hint = TEXT_INIT;

	mark(text, style, row->state);
	text_escape(&sentence, row->subject, 0, false);
	text_puts(&sentence, ": ");
	text_escape(&sentence, row->message, 0, false);
	wrap(text, style, sentence.bytes ? sentence.bytes : "");
	text->failed |= sentence.failed;
	if (!row->hint[0])
		return;
	text_puts(&hint, "-> ");
	text_escape(&hint, row->hint, 0, false);
	text_pad(text, ' ', INDENT);
	wrap(text, style, hint.bytes ? hint.bytes : "");
	text->failed |= hint.failed;
}

void doctor_write(struct text *text, const struct findings *findings, const struct style *style)
{
	uint32_t counts[FINDING_STATES] = {0};

	for (uint32_t i = 0; i < findings->count; i++) {
		counts[findings->rows[i].state]++;
		write_one(text, style, &findings->rows[i]);
	}
	uint32_t wrong = findings_wrong(findings);

	style_tone(text, style, wrong ? TONE_BAD : TONE_BOLD);
	if (wrong)
		text_printf(text, "%u finding%s", wrong, wrong == 1 ? "" : "s");
	else
		text_puts(text, "nothing is wrong");
	style_tone(text, style, TONE_PLAIN);
	text_printf(text, "; %u ok, %u not checked\n", counts[FINDING_OK], counts[FINDING_UNKNOWN]);
}
