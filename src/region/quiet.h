/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Around system calls of ours in somebody else's thread. They must not change errno, and must not be
 * the place where a thread ends that another one has cancelled: open, close, fallocate, connect and
 * sendmsg are cancellation points, and a lock that is held there would be held for ever.
 *
 *     quiet_auto quiet = quiet_begin();
 */
#ifndef TTMEM_REGION_QUIET_H
#define TTMEM_REGION_QUIET_H

#include <errno.h>
#include <pthread.h>

struct quiet {
	int saved_errno;
	int cancel_state;
};

static inline struct quiet quiet_begin(void)
{
	struct quiet quiet = {.saved_errno = errno, .cancel_state = PTHREAD_CANCEL_ENABLE};

	(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &quiet.cancel_state);
	return quiet;
}

static inline void quiet_end(const struct quiet *quiet)
{
	(void)pthread_setcancelstate(quiet->cancel_state, NULL);
	errno = quiet->saved_errno;
}

#define quiet_auto __attribute__((cleanup(quiet_end), unused)) struct quiet

#endif
