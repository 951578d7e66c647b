/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our hash of what Python has not hashed: names of files and parts of line
 * tables. Reason: it alone tells a code object from one that had its address
 * before, so there must be no byte that it leaves out, whatever the length.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hook/python_text.h"

#define LENGTHS 150u

/* Each byte of a text of each length makes a difference, and none beside it does. */
static void test_every_byte_counts(void **state)
{
	uint8_t bytes[LENGTHS + 2];

	(void)state;
	for (unsigned length = 0; length <= LENGTHS; length++) {
		for (unsigned i = 0; i < sizeof bytes; i++)
			bytes[i] = (uint8_t)(i * 7);
		uint64_t hash = python_hash_bytes(bytes + 1, length);

		for (unsigned i = 0; i < length + 2; i++) {
			bytes[i] ^= 1;
			bool is_inside = i >= 1 && i <= length;

			assert_int_equal(python_hash_bytes(bytes + 1, length) != hash, is_inside);
			bytes[i] ^= 1;
		}
	}
}

/* Texts of equal bytes differ by their length; so do those of which one begins as the other. */
static void test_length_counts(void **state)
{
	static const uint8_t fills[] = {0, '/', 0xff};
	uint64_t hashes[LENGTHS];
	uint8_t bytes[LENGTHS];

	(void)state;
	for (unsigned fill = 0; fill < sizeof fills; fill++) {
		memset(bytes, fills[fill], sizeof bytes);
		for (unsigned length = 0; length < LENGTHS; length++) {
			hashes[length] = python_hash_bytes(bytes, length);
			for (unsigned shorter = 0; shorter < length; shorter++)
				assert_int_not_equal(hashes[shorter], hashes[length]);
		}
	}
}

/* Two places in a name that change together, as in /job1/job1.py and /job2/job2.py. */
static void test_bytes_do_not_cancel(void **state)
{
	uint8_t bytes[64];

	(void)state;
	for (unsigned length = 2; length <= sizeof bytes; length++) {
		memset(bytes, 'a', sizeof bytes);
		uint64_t hash = python_hash_bytes(bytes, length);

		for (unsigned a = 0; a < length; a++) {
			for (unsigned b = 0; b < a; b++) {
				bytes[a] ^= 3;
				bytes[b] ^= 3;
				assert_int_not_equal(python_hash_bytes(bytes, length), hash);
				bytes[a] ^= 3;
				bytes[b] ^= 3;
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_byte_counts),
		cmocka_unit_test(test_length_counts),
		cmocka_unit_test(test_bytes_do_not_cancel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
