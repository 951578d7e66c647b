/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of functions in a stopped thread of another process, below its own stack.
 *
 * A function returns to an address where nothing is; the fault is seen by us and never delivered, so
 * that no word of the program's code is changed and a call takes a single stop. All other signals are
 * blocked meanwhile. A program that ignores SIGSEGV must be left alone: the kernel would forget that.
 */
#ifndef TTMEM_INJECT_CALL_H
#define TTMEM_INJECT_CALL_H

#include "inject/thread.h"

/*
 * call_begin - must come before the first call. call_text - a place on the thread's stack for a
 * string, its address in the process; it holds until the next one.
 */
int call_begin(struct thread *thread);
int call_text(struct thread *thread, const char *text, uint64_t *ret_address);
/*
 * call_function - Return: 0 with its result; -EFAULT: it crashed, and the program did not notice;
 * -ETIMEDOUT: it hangs; -ESRCH: the process is gone. After an error only thread_release may follow.
 */
int call_function(struct thread *thread, uint64_t function, uint64_t a, uint64_t b,
		  uint64_t *ret_result);

#endif
