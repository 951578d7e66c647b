/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A level-triggered epoll loop: descriptors with a callback, and one deadline
 * that the owner moves. Everything runs on the thread that calls loop_run.
 */
#ifndef TTMEM_BASE_LOOP_H
#define TTMEM_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

/* A watched descriptor; embedded in its owner, which must outlive the watch. */
struct loop_watch {
	int fd;
	void (*ready)(struct loop_watch *watch);
};

struct loop {
	int epoll;
	bool stopping;
};

int loop_init(struct loop *loop);
void loop_finish(struct loop *loop);
/* loop_add - watches for input. Return: 0 or -errno. The descriptor stays the caller's. */
int loop_add(struct loop *loop, struct loop_watch *watch);
void loop_remove(struct loop *loop, struct loop_watch *watch);
/* loop_once - waits at most timeout_ms (-1: for ever) and calls what is ready. 0 or -errno. */
int loop_once(struct loop *loop, int timeout_ms);

#endif
