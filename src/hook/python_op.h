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
/*
 * python_op_name - the str that is the operation's name, its first attribute; 0 if it is not where
 * it should be. `self`, which is of that class, belongs to the running frame, and the name to it.
 */
uint64_t python_op_name(const struct python *python, const struct python_frame *frame,
			uint64_t class);

#endif
