/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether somebody who is silent works or waits. Time alone cannot tell: on a
 * loaded machine one that is ready to run may be without a processor for long.
 */
#ifndef TTMEM_BASE_TASK_H
#define TTMEM_BASE_TASK_H

#include <sys/types.h>

/* task_state - of a process or thread, the kernel's letter: R, S, D, T, Z ...; '\0': not known */
char task_state(pid_t task);

#endif
