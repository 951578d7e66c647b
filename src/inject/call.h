/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of functions in a stopped thread of another process, below its own stack.
 *
 * A function returns to the `syscall` instruction that the thread was waiting in; the stop at the
 * entry of that system call says that it is back, and the call is not made. So no signal is needed,
 * and no word of the program's code is changed. All signals are blocked meanwhile.
 */
#ifndef TTMEM_INJECT_CALL_H
#define TTMEM_INJECT_CALL_H

#include "inject/thread.h"

/*
 * call_begin - must come before the first call; call_end before thread_release. call_text - a place
 * on the thread's stack for a string, its address in the process; it holds until the next one.
 */
int call_begin(struct thread *thread);
int call_end(struct thread *thread);
int call_text(struct thread *thread, const char *text, uint64_t *ret_address);
/*
 * call_function - Return: 0 with its result; -EFAULT: it crashed, and the program did not notice;
 * -ETIMEDOUT: it hangs; -ESRCH: the process is gone. After an error only thread_release may follow.
 */
int call_function(struct thread *thread, uint64_t function, uint64_t a, uint64_t b,
		  uint64_t *ret_result);

#endif
