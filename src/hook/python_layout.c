/* SPDX-License-Identifier: Apache-2.0 */
#include "hook/python_layout.h"

#include <stddef.h>
#include <string.h>

#include "hook/safe_read.h"

#define NONE PYTHON_NO_OFFSET

static const struct python_layout layouts[] = {
	{
		.minor = 10,
		.thread_frame = 24, .cframe_frame = NONE,
		.frame_code = 32, .frame_back = 24, .frame_instr = NONE, .frame_lasti = 96,
		.frame_owner = NONE, .frame_self = 352,
		.code_file = 104, .code_name = 112, .code_qualname = NONE,
		.code_first_line = 40, .code_lines = 120,
		.code_start = NONE, .code_first_traceable = NONE, .code_version = NONE,
		.text_ascii = 48, .text_other = 72,
		.values = PYTHON_VALUES_DICT,
	},
	{
		.minor = 11,
		.thread_frame = 56, .cframe_frame = 8,
		.frame_code = 32, .frame_back = 48, .frame_instr = 56, .frame_lasti = NONE,
		.frame_owner = 69, .frame_self = 72,
		.code_file = 112, .code_name = 120, .code_qualname = 128,
		.code_first_line = 72, .code_lines = 136,
		.code_start = 184, .code_first_traceable = 168, .code_version = NONE,
		.text_ascii = 48, .text_other = 72,
		.values = PYTHON_VALUES_POINTER,
	},
	{
		.minor = 12,
		.thread_frame = 56, .cframe_frame = 0,
		.frame_code = 0, .frame_back = 8, .frame_instr = 56, .frame_lasti = NONE,
		.frame_owner = 70, .frame_self = 72,
		.code_file = 112, .code_name = 120, .code_qualname = 128,
		.code_first_line = 68, .code_lines = 136,
		.code_start = 192, .code_first_traceable = 176, .code_version = 92,
		.text_ascii = 40, .text_other = 56,
		.values = PYTHON_VALUES_TAGGED,
	},
	{
		.minor = 13,
		.thread_frame = 72, .cframe_frame = NONE,
		.frame_code = 0, .frame_back = 8, .frame_instr = 56, .frame_lasti = NONE,
		.frame_owner = 70, .frame_self = 72,
		.code_file = 112, .code_name = 120, .code_qualname = 128,
		.code_first_line = 68, .code_lines = 136,
		.code_start = 200, .code_first_traceable = 184, .code_version = 92,
		.text_ascii = 40, .text_other = 56,
		.values = PYTHON_VALUES_INLINE,
	},
};

const struct python_layout *python_layout_find(unsigned minor)
{
	for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++)
		if (layouts[i].minor == minor)
			return &layouts[i];
	return NULL;
}

/* Words of _Py_DebugOffsets of 3.13, by their number. */
enum {
	WORD_COOKIE = 0,
	WORD_VERSION = 1,
	WORD_FREE_THREADED = 2,
	WORD_THREAD_FRAME = 23,
	WORD_FRAME_BACK = 29,
	WORD_FRAME_CODE = 30,
	WORD_FRAME_INSTR = 31,
	WORD_FRAME_SELF = 32,
	WORD_FRAME_OWNER = 33,
	WORD_CODE_FILE = 35,
	WORD_CODE_NAME = 36,
	WORD_CODE_QUALNAME = 37,
	WORD_CODE_LINES = 38,
	WORD_CODE_FIRST_LINE = 39,
	WORD_CODE_START = 43,
	WORDS = 44,
};

const char *python_layout_agrees(const struct python_layout *layout, uint64_t runtime)
{
	const struct {
		unsigned word;
		uint64_t value;
	} wanted[] = {
		{WORD_THREAD_FRAME, layout->thread_frame},
		{WORD_FRAME_BACK, layout->frame_back},
		{WORD_FRAME_CODE, layout->frame_code},
		{WORD_FRAME_INSTR, layout->frame_instr},
		{WORD_FRAME_SELF, layout->frame_self},
		{WORD_FRAME_OWNER, layout->frame_owner},
		{WORD_CODE_FILE, layout->code_file},
		{WORD_CODE_NAME, layout->code_name},
		{WORD_CODE_QUALNAME, layout->code_qualname},
		{WORD_CODE_LINES, layout->code_lines},
		{WORD_CODE_FIRST_LINE, layout->code_first_line},
		{WORD_CODE_START, layout->code_start},
	};
	uint64_t words[WORDS];

	if (layout->minor < 13)
		return NULL;
	if (runtime == 0 || safe_read(runtime, words, sizeof words) < 0 ||
	    memcmp(&words[WORD_COOKIE], "xdebugpy", 8) != 0)
		return "this Python does not describe itself";
	if (words[WORD_FREE_THREADED])
		return "Python without a GIL is not supported";
	if ((words[WORD_VERSION] >> 16 & 0xff) != layout->minor)
		return "this Python describes another version";
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
		if (words[wanted[i].word] != wanted[i].value)
			return "this Python is laid out unlike others of its version";
	return NULL;
}
