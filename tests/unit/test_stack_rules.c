/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is made of .eh_frame. Reason: a rule that is wrong sends the walk through
 * a stack to words that are no frames; what is not understood has to be refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hook/stack_rules.h"

#define START UINT64_C(0x401000)

/* A CIE and an FDE behind it, as gcc writes them: "zR", 4-byte pointers, factors 1 and -8. */
struct section {
	uint8_t bytes[512];
	size_t length, fde;
};

static void put(struct section *s, const void *bytes, size_t length)
{
	memcpy(s->bytes + s->length, bytes, length);
	s->length += length;
}

static void put32(struct section *s, size_t value)
{
	uint32_t word = (uint32_t)value;

	put(s, &word, sizeof word);
}

static void close_record(struct section *s, size_t start)
{
	uint32_t length = (uint32_t)(s->length - start - 4);

	memcpy(s->bytes + start, &length, sizeof length);
}

static void build(struct section *s, const char *augmentation, const void *program, size_t length)
{
	/* version 1, names, 1, -8, return address in 16, augmentation: pointers are sdata4 pcrel */
	static const uint8_t factors[] = {1, 0x78, 16, 1, 0x1b};
	/* rsp + 8; the return address at CFA - 8 */
	static const uint8_t initial[] = {0x0c, 7, 8, 0x80 | 16, 1};

	memset(s, 0, sizeof *s);
	put32(s, 0);
	put32(s, 0);
	put(s, "\1", 1);
	put(s, augmentation, strlen(augmentation) + 1);
	put(s, factors, sizeof factors);
	put(s, initial, sizeof initial);
	close_record(s, 0);
	s->fde = s->length;
	put32(s, 0);
	put32(s, s->length);
	put32(s, 0);
	put32(s, 100);
	put(s, "\0", 1);
	put(s, program, length);
	close_record(s, s->fde);
}

static int rule_at(const struct section *s, uint64_t offset, struct stack_rule *ret_rule)
{
	return stack_rule_build(s->bytes + s->fde, START, START + offset, ret_rule);
}

#define assert_rule(rule, cfa_, offset_, rbp_, rbp_offset_)                                        \
	do {                                                                                       \
		assert_int_equal((rule).cfa, cfa_);                                                \
		assert_int_equal((rule).cfa_offset, offset_);                                      \
		assert_int_equal((rule).rbp, rbp_);                                                \
		assert_int_equal((rule).rbp_offset, rbp_offset_);                                  \
	} while (0)

static void test_frame_pointer(void **state)
{
	/* push rbp; mov rsp,rbp; ...; leave; ret; and a part behind it */
	static const uint8_t program[] = {0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6,
					  0x02, 40, 0x0a, 0x0c, 7, 8, 0xc6, 0x41, 0x0b};
	struct section s;
	struct stack_rule rule;

	(void)state;
	build(&s, "zR", program, sizeof program);
	assert_int_equal(rule_at(&s, 0, &rule), 0);
	assert_rule(rule, STACK_CFA_RSP, 8, STACK_RBP_SAME, 0);
	assert_int_equal(rule_at(&s, 1, &rule), 0);
	assert_rule(rule, STACK_CFA_RSP, 16, STACK_RBP_AT_CFA, -16);
	assert_int_equal(rule_at(&s, 43, &rule), 0);
	assert_rule(rule, STACK_CFA_RBP, 16, STACK_RBP_AT_CFA, -16);
	assert_int_equal(rule_at(&s, 44, &rule), 0);
	assert_rule(rule, STACK_CFA_RSP, 8, STACK_RBP_SAME, 0);
	assert_int_equal(rule_at(&s, 45, &rule), 0);
	assert_rule(rule, STACK_CFA_RBP, 16, STACK_RBP_AT_CFA, -16);
}

static void test_aligned_main(void **state)
{
	/* lea 8(%rsp),%r10; ...; the CFA is then the word at rbp - 8, rbp itself at rbp */
	static const uint8_t program[] = {0x45, 0x0c, 10, 0, 0x49, 0x10, 6, 2, 0x76, 0,
					  0x45, 0x0f, 3, 0x76, 0x78, 0x06};
	struct section s;
	struct stack_rule rule;

	(void)state;
	build(&s, "zR", program, sizeof program);
	assert_true(rule_at(&s, 6, &rule) < 0); /* by r10: not followed */
	assert_int_equal(rule_at(&s, 19, &rule), 0);
	assert_rule(rule, STACK_CFA_AT_RBP, -8, STACK_RBP_AT_RBP, 0);
}

static void test_outermost(void **state)
{
	static const uint8_t program[] = {0x07, 16};
	struct section s;
	struct stack_rule rule;

	(void)state;
	build(&s, "zR", program, sizeof program);
	assert_int_equal(rule_at(&s, 50, &rule), 0);
	assert_int_equal(rule.cfa, STACK_CFA_NONE);
}

static void test_refused(void **state)
{
	static const struct {
		const char *why, *augmentation;
		uint8_t program[12], length;
	} cases[] = {
		{"a signal's frame", "zRS", {0}, 1},
		{"an operation of the future", "zR", {0x3f}, 1},
		{"a CFA that is computed", "zR", {0x0f, 2, 0x77, 8}, 4},
		{"a return address elsewhere", "zR", {0x80 | 16, 3}, 2},
		{"a return address in a register", "zR", {0x09, 16, 3}, 3},
		{"rbp in a register", "zR", {0x09, 6, 3}, 3},
		{"a restored state that was not kept", "zR", {0x0b}, 1},
		{"an operand that is cut off", "zR", {0x0c, 0x87}, 2},
		{"a block longer than the record", "zR", {0x0f, 100, 0x76}, 3},
		{"a CFA by a register that is not followed", "zR", {0x0d, 3}, 2},
	};
	struct section s;
	struct stack_rule rule;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		build(&s, cases[i].augmentation, cases[i].program, cases[i].length);
		if (rule_at(&s, 50, &rule) == 0)
			fail_msg("not refused: %s", cases[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frame_pointer),
		cmocka_unit_test(test_aligned_main),
		cmocka_unit_test(test_outermost),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
