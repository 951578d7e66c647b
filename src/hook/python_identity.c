/* SPDX-License-Identifier: Apache-2.0 */
#include "hook/python_identity.h"

#define LINES_BYTES_MAX 1024u

uint64_t python_content_lines(const struct python *python, uint64_t code, uint64_t lines_bytes)
{
	uint64_t table = python_word(code + python->at.code_lines);
	const uint8_t *p = (const uint8_t *)(uintptr_t)(table + PYTHON_BYTES_DATA);
	uint64_t file = python_text_identity(python, python_word(code + python->at.code_file));
	uint64_t lines;

	if (lines_bytes > python_word(table + PYTHON_BYTES_LENGTH))
		return 1;
	if (lines_bytes > LINES_BYTES_MAX)
		lines = python_mix(python_hash_bytes(p, LINES_BYTES_MAX / 2),
				   python_hash_bytes(p + lines_bytes - LINES_BYTES_MAX / 2,
						     LINES_BYTES_MAX / 2));
	else
		lines = python_hash_bytes(p, lines_bytes);
	return python_mix(file, lines) | 1;
}
