/* SPDX-License-Identifier: Apache-2.0 */
#include "hook/python_op.h"

#include <string.h>

#include "hook/safe_read.h"

/* Are the attributes of its objects where python_op_name() looks for them? */
static bool has_usual_values(const struct python *python, uint64_t class)
{
	uint64_t flags, wanted = PYTHON_FLAG_MANAGED;

	if (python->at.values == PYTHON_VALUES_INLINE)
		wanted |= PYTHON_FLAG_INLINE;
	return python->at.values == PYTHON_VALUES_DICT ||
	       (safe_read_word(class + PYTHON_TYPE_FLAGS, &flags) == 0 &&
		(flags & wanted) == wanted);
}

uint64_t python_op_class(const struct python *python, const struct python_frame *frame)
{
	uint64_t self, class, name;
	char text[16];

	if (safe_read_word(frame->frame + python->at.frame_self, &self) < 0 || self == 0 ||
	    safe_read_word(self + PYTHON_OBJECT_TYPE, &class) < 0 ||
	    safe_read_word(class + PYTHON_TYPE_NAME, &name) < 0 ||
	    safe_read_string(name, text, sizeof text) < 0 || !has_usual_values(python, class))
		return 0;
	return strcmp(text, "FastOperation") == 0 || strcmp(text, "Operation") == 0 ? class : 0;
}
