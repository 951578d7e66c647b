/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Python of this process: whose line allocates, read without the GIL.
 *
 * While a thread is inside a call from Python, its frames stand still: only the
 * thread itself pushes and pops them, and each running frame owns its code
 * object, which owns names and line table. So they may be read although the GIL
 * was released. Nothing is called that takes the GIL, a reference or memory.
 *
 * The trap is a code object that is freed and whose address serves another one:
 * what is remembered is believed only if what the frame says now is the same
 * (python_site.c). The other trap is an interpreter laid out differently: first
 * a look through safe_read, then, at the first event that happens to hold the
 * GIL, a comparison with what Python itself says (python_check.c). Any
 * difference switches this off for good, with the reason.
 */
#ifndef TTMEM_HOOK_PYTHON_H
#define TTMEM_HOOK_PYTHON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hook/python_layout.h"
#include "region/writer.h"

struct python_cache;

enum python_state {
	PYTHON_UNSEEN = 0,  /* no frame was looked at yet */
	PYTHON_SEEN = 1,    /* a first chain was sound; sites are taken, not compared yet */
	PYTHON_CHECKED = 2, /* compared with Python's own answer */
	PYTHON_OFF = 3,     /* see `reason` */
};

/* Functions of the interpreter, in the order of python.c's list of names. */
enum python_function {
	PYTHON_THIS_THREAD,    /* PyGILState_GetThisThreadState */
	PYTHON_CURRENT_THREAD, /* PyThreadState_GetUnchecked: equal to the former with the GIL held */
	PYTHON_FINALIZING,     /* Py_IsFinalizing */
	PYTHON_ERROR,	       /* PyErr_Occurred */
	PYTHON_GC_DISABLE,     /* these two do not exist in 3.9 */
	PYTHON_GC_ENABLE,
	PYTHON_FRAME,	       /* PyEval_GetFrame */
	PYTHON_FRAME_CODE,     /* PyFrame_GetCode */
	PYTHON_FRAME_BACK,     /* PyFrame_GetBack */
	PYTHON_FRAME_LINE,     /* PyFrame_GetLineNumber */
	PYTHON_CODE_LINE,      /* PyCode_Addr2Line */
	PYTHON_DECREF,	       /* Py_DecRef */
	PYTHON_FUNCTIONS,
};

typedef void (*python_address)(void);

struct python {
	uint32_t state; /* enum python_state; only grows */
	struct python_layout at;
	uint64_t code_type, text_type, bytes_type;
	struct python_cache *cache;
	uint64_t trail_code; /* the code that ran the last operation with a trail (python_trail.h) */
	python_address call[PYTHON_FUNCTIONS];
	/* not for every event */
	uint32_t is_checking;
	const char *reason; /* of PYTHON_OFF */
	char	    version[32];
};

extern struct python *python_found;

/* python_find - python_get while there is none: looks for one every now and then */
struct python *python_find(void);
/* python_get - NULL while there is no interpreter in this process. Any thread, any time; cheap. */
static inline struct python *python_get(void)
{
	/* acquire: pairs with the compare-and-swap */
	struct python *python = __atomic_load_n(&python_found, __ATOMIC_ACQUIRE);

	return __builtin_expect(python != NULL, 1) ? python : python_find();
}

/* python_give_up - off for good, with the reason. Return: false. */
bool python_give_up(struct python *python, const char *reason);

/*
 * python_site - the site of the innermost frame of the user on this thread; REGION_SITE_UNKNOWN
 * where Python does not know the thread, or is going down.
 */
uint32_t python_site(struct python *python, struct region_writer *writer);
/*
 * python_look - reads a first chain of frames safely. Return: has a sound one been seen, so that
 * frames may be read directly?
 */
bool python_look(struct python *python);
/*
 * python_compare - if this thread holds the GIL, compares its frames with what Python says. For
 * frees, where it is held, and other events. Return: true if this has settled the question.
 */
bool python_compare(struct python *python);

static inline uint32_t python_state(const struct python *python)
{
	return __atomic_load_n(&python->state, __ATOMIC_ACQUIRE);
}

#endif
