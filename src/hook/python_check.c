/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is this interpreter what its version says? First a look at the chain of
 * frames that dies of nothing, then, as soon as an event comes with the GIL
 * held, a comparison with Python's own functions. Frees come that way.
 */
#include "hook/python_frame.h"
#include "hook/python_lines.h"
#include "hook/safe_read.h"

#define CHAIN_MAX    64u
#define COMPARED_MAX 3u

static const char not_there[] = "the frames of this Python are not where those of its version are";

/* Bytes of code of a sound code object: its instructions cannot lie elsewhere. */
#define LASTI_MAX (64 << 20)

static bool type_is(uint64_t object, uint64_t type)
{
	uint64_t found;

	return safe_read_word(object + PYTHON_OBJECT_TYPE, &found) == 0 && found == type;
}

static bool follow_is(uint64_t object, uint16_t at, uint64_t type)
{
	uint64_t to;

	return at == PYTHON_NO_OFFSET || (safe_read_word(object + at, &to) == 0 && type_is(to, type));
}

static bool is_sound(const struct python *python, uint64_t frame, uint64_t code)
{
	const struct python_layout *at = &python->at;
	int64_t lasti;

	if (!type_is(code, python->code_type) || !follow_is(code, at->code_file, python->text_type) ||
	    !follow_is(code, at->code_name, python->text_type) ||
	    !follow_is(code, at->code_qualname, python->text_type) ||
	    !follow_is(code, at->code_lines, python->bytes_type))
		return false;
	if (at->frame_lasti != PYTHON_NO_OFFSET) {
		int32_t units;

		if (safe_read(frame + at->frame_lasti, &units, sizeof units) < 0)
			return false;
		lasti = 2 * (int64_t)units;
	} else {
		uint64_t instr;

		if (safe_read_word(frame + at->frame_instr, &instr) < 0)
			return false;
		lasti = (int64_t)(instr - (code + at->code_start));
	}
	return lasti >= -2 && lasti < LASTI_MAX && lasti % 2 == 0;
}

/* Frames of Python that were found sound; -1: one was not. */
static int walk_safely(const struct python *python, uint64_t thread)
{
	const struct python_layout *at = &python->at;
	uint64_t frame, code;
	int sound = 0;

	if (safe_read_word(thread + at->thread_frame, &frame) < 0)
		return -1;
	if (at->cframe_frame != PYTHON_NO_OFFSET && frame &&
	    safe_read_word(frame + at->cframe_frame, &frame) < 0)
		return -1;
	for (unsigned i = 0; frame && i < CHAIN_MAX; i++) {
		char owner = 0;

		if ((at->frame_owner != PYTHON_NO_OFFSET &&
		     safe_read(frame + at->frame_owner, &owner, 1) < 0) ||
		    safe_read_word(frame + at->frame_code, &code) < 0)
			return -1;
		if (owner < 0 || owner > PYTHON_OWNER_C ||
		    (owner != PYTHON_OWNER_C && !is_sound(python, frame, code)))
			return -1;
		sound += owner != PYTHON_OWNER_C;
		if (safe_read_word(frame + at->frame_back, &frame) < 0)
			return -1;
	}
	return sound;
}

bool python_look(struct python *python)
{
	uint64_t thread = python_thread(python);
	uint32_t unseen = PYTHON_UNSEEN;
	int sound = thread ? walk_safely(python, thread) : 0;

	if (sound < 0)
		return python_give_up(python, not_there);
	return sound > 0 && (__atomic_compare_exchange_n(&python->state, &unseen, PYTHON_SEEN, 0,
							 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) ||
			     unseen != PYTHON_OFF);
}

typedef void *(*pointer_function)(void);
typedef void *(*pointer_of_function)(void *);
typedef int (*int_function)(void);
typedef int (*int_of_function)(void *);
typedef int (*line_function)(void *, int);
typedef void (*void_function)(void *);

#define CALL(python, id, type) ((type)(python)->call[PYTHON_##id])

static bool holds_gil(const struct python *python)
{
	void *mine = CALL(python, THIS_THREAD, pointer_function)();

	return mine && CALL(python, CURRENT_THREAD, pointer_function)() == mine;
}

/* Our frame against Python's. */
static bool is_equal(const struct python *python, const struct python_frame *ours, void *theirs)
{
	void *code = CALL(python, FRAME_CODE, pointer_of_function)(theirs);
	bool is_code = (uint64_t)(uintptr_t)code == ours->code;
	struct python_line line;

	CALL(python, DECREF, void_function)(code);
	if (!is_code || !python_line_find(python, ours->code, ours->lasti, &line))
		return false;
	int line_of_code = CALL(python, CODE_LINE, line_function)(code, (int)ours->lasti);
	int line_of_frame = CALL(python, FRAME_LINE, int_of_function)(theirs);

	/* with a debugger the frame says where the debugger is */
	return (line_of_code > 0 ? line_of_code : 0) == (int)line.line &&
	       (line_of_frame == line_of_code || line_of_frame > 0);
}

/* 1: some frames, all equal; 0: no frames; -1: a difference. */
static int compare_chain(const struct python *python)
{
	struct python_frame ours = {0};
	void *theirs = CALL(python, FRAME, pointer_function)(); /* borrowed */
	uint64_t at = python_top(python, python_thread(python));
	int compared = 0;
	bool is_ours = false; /* only what PyFrame_GetBack gave has to be given back */

	while (theirs && compared >= 0 && (unsigned)compared < COMPARED_MAX) {
		bool is_there;

		while ((is_there = python_frame_read(python, at, &ours)) &&
		       !python_frame_is_complete(python, &ours))
			at = python_back(python, ours.frame);
		void *next = CALL(python, FRAME_BACK, pointer_of_function)(theirs);

		compared = is_there && is_equal(python, &ours, theirs) ? compared + 1 : -1;
		if (is_ours)
			CALL(python, DECREF, void_function)(theirs);
		is_ours = true;
		theirs = next;
		at = is_there ? python_back(python, ours.frame) : 0;
	}
	if (theirs && is_ours)
		CALL(python, DECREF, void_function)(theirs);
	return compared > 0 ? 1 : compared;
}

bool python_compare(struct python *python)
{
	uint32_t seen = PYTHON_SEEN, idle = 0;

	if (python_thread(python) == 0 || !holds_gil(python) ||
	    !__atomic_compare_exchange_n(&python->is_checking, &idle, 1, 0, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		return false;
	int result = 0;

	/*
	 * Frame objects are made for it: no collection may run here, in the middle of somebody's
	 * destructor; and an exception that is on its way must not be lost.
	 */
	if (!CALL(python, ERROR, pointer_function)()) {
		int was_on = CALL(python, GC_DISABLE, int_function)();

		result = compare_chain(python);
		if (was_on)
			(void)CALL(python, GC_ENABLE, int_function)();
	}
	if (result < 0)
		(void)python_give_up(python, "its frames are not those that Python itself names");
	else if (result > 0)
		(void)__atomic_compare_exchange_n(&python->state, &seen, PYTHON_CHECKED, 0,
						  __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
	__atomic_store_n(&python->is_checking, 0, __ATOMIC_RELEASE);
	return result != 0;
}
