/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where CPython keeps what a frame chain leads to: one row for each minor
 * version, x86-64, release build with a GIL. Within a minor version they do
 * not move; a version without a row is never guessed.
 */
#ifndef TTMEM_HOOK_PYTHON_LAYOUT_H
#define TTMEM_HOOK_PYTHON_LAYOUT_H

#include <stdint.h>

#define PYTHON_NO_OFFSET UINT16_MAX

/* Where an object with a __dict__ keeps the values of its first attributes. */
enum python_values {
	PYTHON_VALUES_DICT,    /* 3.10: dict at tp_dictoffset */
	PYTHON_VALUES_POINTER, /* 3.11: pointer in front of the object, or a dict */
	PYTHON_VALUES_TAGGED,  /* 3.12: the same word is either of the two */
	PYTHON_VALUES_INLINE,  /* 3.13: in the object itself, or a dict */
};

struct python_layout {
	uint16_t minor;
	/* of the thread: its frame, or what leads to it at `cframe_frame` */
	uint16_t thread_frame, cframe_frame;
	/* of a frame; `lasti` is an int in units of two bytes, else there is a pointer `instr` */
	uint16_t frame_code, frame_back, frame_instr, frame_lasti, frame_owner, frame_self;
	uint16_t code_file, code_name, code_qualname, code_first_line, code_lines;
	uint16_t code_start, code_first_traceable, code_version;
	/* of a string: the characters, where they are ASCII and where not */
	uint16_t text_ascii, text_other;
	uint16_t values; /* enum python_values */
};

/* Owner of a frame that only marks a way through C: it has no code of its own. */
#define PYTHON_OWNER_GENERATOR 1
#define PYTHON_OWNER_C	       3

/* The same in all four. */
#define PYTHON_OBJECT_TYPE   8
#define PYTHON_TEXT_LENGTH   16
#define PYTHON_TEXT_HASH     24 /* of bytes as well; -1: not made yet */
#define PYTHON_NO_HASH	     UINT64_MAX
#define PYTHON_TEXT_STATE    32
#define PYTHON_BYTES_LENGTH  16
#define PYTHON_BYTES_DATA    32
#define PYTHON_TYPE_NAME     24
#define PYTHON_TYPE_FLAGS    168
#define PYTHON_TYPE_DICT_AT  288
#define PYTHON_DICT_VALUES   40
/* In front of an object with a managed dict: the dict, and in 3.11 its values before that. */
#define PYTHON_DICT_BEFORE   24
#define PYTHON_VALUES_BEFORE 32
/* 3.13: values lie behind the object's head, and begin with four counts */
#define PYTHON_INLINE_VALUES 16
#define PYTHON_INLINE_VALID  3
#define PYTHON_INLINE_FIRST  8
#define PYTHON_FLAG_INLINE   (UINT64_C(1) << 2)
#define PYTHON_FLAG_MANAGED  (UINT64_C(1) << 4)

/* python_layout_find - of 3.MINOR; NULL when it is not known */
const struct python_layout *python_layout_find(unsigned minor);
/*
 * python_layout_agrees - 3.13 and later describe themselves at the start of _PyRuntime. Return: NULL;
 * or why the description does not go with the layout. `runtime` is read safely.
 */
const char *python_layout_agrees(const struct python_layout *layout, uint64_t runtime);

#endif
