/* SPDX-License-Identifier: Apache-2.0 */
/* One frame of this thread, read directly: the chain guarantees it (see python.h). */
#ifndef TTMEM_HOOK_PYTHON_FRAME_H
#define TTMEM_HOOK_PYTHON_FRAME_H

#include "hook/python.h"

struct python_frame {
	uint64_t frame, code;
	int64_t	 lasti; /* bytes from the start of the code to the instruction */
};

#define PYTHON_SHIMS_MAX 64u /* ways through C between two frames of Python */

static inline uint64_t python_word(uint64_t address)
{
	return *(const uint64_t *)(uintptr_t)address;
}

static inline uint32_t python_half(uint64_t address)
{
	return *(const uint32_t *)(uintptr_t)address;
}

/* python_thread - this thread's state; 0 where Python does not know it, or is going down */
static inline uint64_t python_thread(const struct python *python)
{
	typedef void *(*pointer_function)(void);
	typedef int (*int_function)(void);

	/* threads that do not hold the GIL then lose their state under their feet */
	if (((int_function)python->call[PYTHON_FINALIZING])())
		return 0;
	return (uint64_t)(uintptr_t)((pointer_function)python->call[PYTHON_THIS_THREAD])();
}

/* python_top - the innermost frame of a thread, 0: none */
static inline uint64_t python_top(const struct python *python, uint64_t thread)
{
	uint64_t top = python_word(thread + python->at.thread_frame);

	if (python->at.cframe_frame != PYTHON_NO_OFFSET && top)
		top = python_word(top + python->at.cframe_frame);
	return top;
}

static inline uint64_t python_back(const struct python *python, uint64_t frame)
{
	return python_word(frame + python->at.frame_back);
}

/* python_frame_read - this frame, or the next one out that has code. Return: false: there is none. */
static inline bool python_frame_read(const struct python *python, uint64_t at,
				     struct python_frame *ret_frame)
{
	const struct python_layout *layout = &python->at;

	for (unsigned i = 0; at && i < PYTHON_SHIMS_MAX; i++, at = python_back(python, at)) {
		if (layout->frame_owner != PYTHON_NO_OFFSET &&
		    *(const char *)(uintptr_t)(at + layout->frame_owner) == PYTHON_OWNER_C)
			continue;
		uint64_t code = python_word(at + layout->frame_code);
		int64_t lasti;

		if (layout->frame_lasti != PYTHON_NO_OFFSET)
			lasti = 2 * (int64_t)(int32_t)python_half(at + layout->frame_lasti);
		else
			lasti = (int64_t)(python_word(at + layout->frame_instr) -
					  (code + layout->code_start));
		*ret_frame = (struct python_frame){at, code, lasti};
		return code != 0;
	}
	return false;
}

/*
 * python_frame_is_complete - as Python has it: a frame that has not come past its first
 * instructions does not count yet
 */
static inline bool python_frame_is_complete(const struct python *python,
					    const struct python_frame *frame)
{
	const struct python_layout *layout = &python->at;

	return layout->code_first_traceable == PYTHON_NO_OFFSET ||
	       *(const char *)(uintptr_t)(frame->frame + layout->frame_owner) ==
		       PYTHON_OWNER_GENERATOR ||
	       frame->lasti >=
		       2 * (int64_t)(int32_t)python_half(frame->code + layout->code_first_traceable);
}

#endif
