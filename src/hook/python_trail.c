/* SPDX-License-Identifier: Apache-2.0 */
#include "hook/python_trail.h"

void python_trail_add(struct python *python, const struct python_frame *frame,
		      const struct python_place *inner, const struct python_place *user)
{
	if (!python_trail_fits(inner->code | user->code, (uint64_t)(inner->lasti | user->lasti)) ||
	    !python_trail_fits(inner->type, user->lines_bytes))
		return;
	/* what cannot be told from what comes after it is followed each time */
	if (inner->type == 0 || inner->identity == 0 || user->identity == 0)
		return;
	const uint64_t words[PYTHON_WORDS] = {
		[PYTHON_TRAIL_INNER] = python_trail_word(inner->code, (uint64_t)inner->lasti),
		[PYTHON_TRAIL_USER] = python_trail_word(user->code, (uint64_t)user->lasti),
		[PYTHON_TRAIL_INNER_IDENTITY] = inner->identity,
		[PYTHON_TRAIL_USER_IDENTITY] = user->identity,
		[PYTHON_TRAIL_OP] = user->op,
		[PYTHON_TRAIL_CLASS] = python_trail_word(inner->type, user->lines_bytes),
		[PYTHON_TRAIL_CONTENT] = user->content,
	};
	struct python_entry *set = python_trail_set(python, frame, words[PYTHON_TRAIL_INNER],
						    words[PYTHON_TRAIL_USER]);
	bool is_there[2];

	for (unsigned way = 0; way < 2; way++)
		is_there[way] = python_trail_is_at(&set[way], words[PYTHON_TRAIL_INNER],
						   words[PYTHON_TRAIL_USER]);
	python_entry_write(python_entry_to_write(set, is_there), words, user->site);
	__atomic_store_n(&python->trail_code, inner->code, __ATOMIC_RELAXED);
}
