/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which container a process belongs to, as far as its cgroup path tells. The
 * path is what runtimes happen to write, so this looks for 64 hex digits and
 * for Kubernetes' pod names, wherever they stand.
 */
#ifndef TTMEM_SOURCE_CGROUP_H
#define TTMEM_SOURCE_CGROUP_H

#include <stdint.h>

struct container {
	char id[65];  /* 64 hex digits, "" for none */
	char pod[37]; /* uid of the Kubernetes pod, "" for none */
};

/* cgroup_parse - from the text of /proc/PID/cgroup; never fails */
void cgroup_parse(const char *text, struct container *ret_container);
/* cgroup_of - of a process of this machine; nothing found when it cannot be read */
void cgroup_of(uint32_t pid, struct container *ret_container);

#endif
