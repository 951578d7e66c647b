/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TTMEM_BASE_CLOCK_H
#define TTMEM_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

uint64_t clock_realtime_ns(void);
uint64_t clock_monotonic_ns(void);
/* clock_rfc3339 - "2026-11-25T06:00:00.123Z" into at least 32 bytes */
void clock_rfc3339(uint64_t realtime_ns, char *to, size_t size);

/* clock_thread_cpu_ns - processor time of this thread; 0 where the kernel does not tell */
uint64_t clock_thread_cpu_ns(void);

#endif
