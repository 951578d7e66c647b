/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every target shares: libFuzzer's entry point, and bytes taken from the
 * front of an input. Run by libFuzzer (make fuzz) or by replay.c (make test).
 */
#ifndef TTMEM_TESTS_FUZZ_H
#define TTMEM_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libFuzzer's name, hence the spelling */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Holds in NDEBUG builds too, and names what broke. */
#define FUZZ_CHECK(condition)                                                                      \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

struct input {
	const uint8_t *data;
	size_t size;
};

/* Copies at most `size` bytes; what the input does not have is zero. Return: bytes copied. */
static inline size_t input_take(struct input *input, void *to, size_t size)
{
	size_t n = input->size < size ? input->size : size;

	memset(to, 0, size);
	if (n)
		memcpy(to, input->data, n);
	input->data += n;
	input->size -= n;
	return n;
}

static inline uint8_t input_byte(struct input *input)
{
	uint8_t byte;

	input_take(input, &byte, 1);
	return byte;
}

#endif
