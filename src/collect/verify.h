/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking a process to compare its table with what its allocators say of
 * themselves. The question is a number in a line of its control page; it
 * answers at its next allocation or free, in the table, type by type.
 */
#ifndef TTMEM_COLLECT_VERIFY_H
#define TTMEM_COLLECT_VERIFY_H

#include "model/memory.h"
#include "region/reader.h"

/* How long an answer is waited for. */
#define VERIFY_NS UINT64_C(950000000)

#define VERIFY_ANSWERS_MAX (REGION_ALLOCATORS_MAX * REGION_MEMORY_TYPES)

enum verify_result {
	VERIFY_EQUAL,
	VERIFY_DIFFERENT,
	VERIFY_MOVED, /* another event came in between: nothing can be said */
};

/* What one allocator said of one memory type; all figures are per bank. */
struct verify_answer {
	uint32_t allocator;
	enum memory_type type;
	enum verify_result result;
	uint64_t our_bytes;
	uint64_t size_bytes, allocated_bytes, free_bytes, largest_free_bytes; /* theirs */
};

/*
 * verify_map_control - a page that somebody gave us, for writing; NULL unless it is one that nobody
 * can truncate under us, which would be a way to kill us
 */
struct control_page *verify_map_control(int fd);
/* verify_ask - through a line of the page. Return: the number to find the answers by. */
uint64_t verify_ask(struct control_page *control, uint32_t line);
/*
 * verify_read - the answers to a question. An allocator answers type by type, and we may look in
 * the middle of it: half an answer is none yet.
 * Return: how many there are, 0: none yet; -ENOMEM.
 */
int verify_read(const struct region_map *map, uint64_t request,
		struct verify_answer answers[VERIFY_ANSWERS_MAX]);
/*
 * verify_process - asks a process that this user may look at, and waits for its answers, without
 * a server. Return: how many, 0: it made no allocation meanwhile; -ESRCH: there is no such
 * process, or it keeps no control page; -errno.
 */
int verify_process(uint32_t pid, struct verify_answer answers[VERIFY_ANSWERS_MAX]);

#endif
