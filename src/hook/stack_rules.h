/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How to leave one function, for one address in it: what .eh_frame says of the
 * caller's frame, reduced to what x86-64 compilers make of it. The stack pointer
 * at the call is rsp or rbp plus a distance (or, where main() aligns its stack,
 * a word found by rbp), the return address lies below it, and rbp is untouched
 * or saved somewhere. Whatever says more has no rule: the stack is cut there.
 */
#ifndef TTMEM_HOOK_STACK_RULES_H
#define TTMEM_HOOK_STACK_RULES_H

#include <stdbool.h>
#include <stdint.h>

enum stack_cfa {
	STACK_CFA_NONE = 0, /* there is no caller: the outermost function of a thread */
	STACK_CFA_RSP = 1,  /* rsp + offset */
	STACK_CFA_RBP = 2,  /* rbp + offset */
	STACK_CFA_AT_RBP = 3, /* the word at rbp + offset */
};

enum stack_rbp {
	STACK_RBP_SAME = 0,
	STACK_RBP_AT_CFA = 1, /* saved at CFA + offset */
	STACK_RBP_AT_RBP = 2, /* saved at rbp + offset */
};

struct stack_rule {
	uint8_t cfa, rbp; /* enum stack_cfa, enum stack_rbp */
	int32_t cfa_offset, rbp_offset; /* bytes */
};

/*
 * stack_rule_build - the rule for an address, from the frame description that covers it. Both `fde`
 * and the CIE it names are read in place, within the lengths they state.
 * `start`: of the function, `address`: in it, below the return address.
 * Return: 0; -ENOTSUP for what is not understood, or for the frame of a signal.
 */
int stack_rule_build(const uint8_t *fde, uint64_t start, uint64_t address,
		     struct stack_rule *ret_rule);

#endif
