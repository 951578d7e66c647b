/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TTMEM_BASE_DURATION_H
#define TTMEM_BASE_DURATION_H

#include <stdint.h>

/* duration_parse - "90", "90s", "1.5m", "1h": at most a day. Return: 0 or -EINVAL. */
int duration_parse(const char *text, uint64_t *ret_ns);

#endif
