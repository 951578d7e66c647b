/* SPDX-License-Identifier: Apache-2.0 */
#include "base/loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

/*
 * One event at a time: a callback may remove any other watch, and an event
 * already fetched for it would then call into freed memory.
 */
#define EVENTS_AT_ONCE 1
#define ROUNDS_MAX     64

int loop_init(struct loop *loop)
{
	*loop = (struct loop){.epoll = epoll_create1(EPOLL_CLOEXEC)};
	return loop->epoll < 0 ? -errno : 0;
}

void loop_finish(struct loop *loop)
{
	if (loop->epoll >= 0)
		(void)close(loop->epoll);
	loop->epoll = -1;
}

int loop_add(struct loop *loop, struct loop_watch *watch)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = watch};

	return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, watch->fd, &event) < 0 ? -errno : 0;
}

void loop_remove(struct loop *loop, struct loop_watch *watch)
{
	(void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
}

int loop_once(struct loop *loop, int timeout_ms)
{
	for (int round = 0; round < ROUNDS_MAX && !loop->stopping; round++) {
		struct epoll_event event;
		int n = epoll_wait(loop->epoll, &event, EVENTS_AT_ONCE, round ? 0 : timeout_ms);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n <= 0)
			return 0;
		struct loop_watch *watch = event.data.ptr;

		watch->ready(watch);
	}
	return 0;
}
