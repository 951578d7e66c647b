/* SPDX-License-Identifier: Apache-2.0 */
#include "hook/python_op.h"

#include <string.h>

#include "hook/safe_read.h"

/* In front of an object with a managed dict: the dict, and in 3.11 its values before that. */
#define DICT_BEFORE   24u
#define VALUES_BEFORE 32u
/* 3.13: values lie behind the object's head, and begin with four counts */
#define INLINE_VALUES 16u
#define INLINE_VALID  3u
#define INLINE_FIRST  8u

/* Are the attributes of its objects where first_value() looks for them? */
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

/* Address of the first value of a dict that shares its keys with others of the class; 0: none. */
static uint64_t shared_values(const struct python *python, uint64_t dict)
{
	uint64_t values = dict ? python_word(dict + PYTHON_DICT_VALUES) : 0;

	return values && python->at.values == PYTHON_VALUES_INLINE ? values + INLINE_FIRST : values;
}

static uint64_t first_value(const struct python *python, uint64_t self, uint64_t class)
{
	uint64_t word;

	switch ((enum python_values)python->at.values) {
	case PYTHON_VALUES_DICT:
		word = python_word(class + PYTHON_TYPE_DICT_AT);
		/* negative: counted from the end of an object of variable size */
		return word && word < 4096 ? shared_values(python, python_word(self + word)) : 0;
	case PYTHON_VALUES_POINTER:
		word = python_word(self - VALUES_BEFORE);
		return word ? word : shared_values(python, python_word(self - DICT_BEFORE));
	case PYTHON_VALUES_TAGGED:
		word = python_word(self - DICT_BEFORE);
		return word & 1 ? word + 1 : shared_values(python, word);
	case PYTHON_VALUES_INLINE:
		if (((const uint8_t *)(uintptr_t)(self + INLINE_VALUES))[INLINE_VALID])
			return self + INLINE_VALUES + INLINE_FIRST;
		return shared_values(python, python_word(self - DICT_BEFORE));
	}
	return 0;
}

uint64_t python_op_name(const struct python *python, const struct python_frame *frame,
			uint64_t class)
{
	uint64_t self = python_word(frame->frame + python->at.frame_self);

	uint64_t at = first_value(python, self, class);
	uint64_t name = at ? python_word(at) : 0;

	return name && python_word(name + PYTHON_OBJECT_TYPE) == python->text_type ? name : 0;
}
