/* SPDX-License-Identifier: Apache-2.0 */
/* The operation whose __call__ a frame of the framework runs: `self`, and its name. */
#ifndef TTMEM_HOOK_PYTHON_OP_H
#define TTMEM_HOOK_PYTHON_OP_H

#include "hook/python_frame.h"

/* python_self_class - class of a frame's first local, 0: it has none */
static inline uint64_t python_self_class(const struct python *python,
					 const struct python_frame *frame)
{
	uint64_t self = python_word(frame->frame + python->at.frame_self);

	return self ? python_word(self + PYTHON_OBJECT_TYPE) : 0;
}

/*
 * python_op_class - is the first local of this frame an operation? Read safely. Return: its class,
 * which python_op_name believes from then on; 0: no.
 */
uint64_t python_op_class(const struct python *python, const struct python_frame *frame);

/* Address of the first value of a dict that shares its keys with others of the class; 0: none. */
static inline uint64_t python_shared_values(const struct python *python, uint64_t dict)
{
	uint64_t values = dict ? python_word(dict + PYTHON_DICT_VALUES) : 0;

	return values && python->at.values == PYTHON_VALUES_INLINE ? values + PYTHON_INLINE_FIRST
								   : values;
}

/* Address of the first attribute of an object; 0: it is somewhere else. */
static inline uint64_t python_first_value(const struct python *python, uint64_t self,
					  uint64_t class)
{
	uint64_t word;

	switch ((enum python_values)python->at.values) {
	case PYTHON_VALUES_DICT:
		word = python_word(class + PYTHON_TYPE_DICT_AT);
		/* negative: counted from the end of an object of variable size */
		return word && word < 4096 ? python_shared_values(python, python_word(self + word))
					   : 0;
	case PYTHON_VALUES_POINTER:
		word = python_word(self - PYTHON_VALUES_BEFORE);
		return word ? word
			    : python_shared_values(python, python_word(self - PYTHON_DICT_BEFORE));
	case PYTHON_VALUES_TAGGED:
		word = python_word(self - PYTHON_DICT_BEFORE);
		return word & 1 ? word + 1 : python_shared_values(python, word);
	case PYTHON_VALUES_INLINE:
		word = self + PYTHON_INLINE_VALUES;
		if (((const uint8_t *)(uintptr_t)word)[PYTHON_INLINE_VALID])
			return word + PYTHON_INLINE_FIRST;
		return python_shared_values(python, python_word(self - PYTHON_DICT_BEFORE));
	}
	return 0;
}

/*
 * python_op_name - the str that is the operation's name, its first attribute; 0 if it is not where
 * it should be. `self`, which is of that class, belongs to the running frame, and the name to it.
 * Inline: between events its code is cold, and a call is one more line of it.
 */
static inline uint64_t python_op_name(const struct python *python,
				      const struct python_frame *frame, uint64_t class)
{
	uint64_t self = python_word(frame->frame + python->at.frame_self);
	uint64_t at = python_first_value(python, self, class);
	uint64_t name = at ? python_word(at) : 0;

	return name && python_word(name + PYTHON_OBJECT_TYPE) == python->text_type ? name : 0;
}

#endif
