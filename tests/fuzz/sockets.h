/* SPDX-License-Identifier: Apache-2.0 */
/* For targets that sit behind a socket: a listener, and the count of open descriptors. */
#ifndef TTMEM_TESTS_FUZZ_SOCKETS_H
#define TTMEM_TESTS_FUZZ_SOCKETS_H

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fuzz.h"

/* An abstract address that the kernel picks: nothing to remove afterwards. */
static inline int listener_open(int type, struct sockaddr_un *address, socklen_t *length)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	FUZZ_CHECK(fd >= 0);
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	FUZZ_CHECK(bind(fd, (struct sockaddr *)address, sizeof address->sun_family) == 0);
	*length = sizeof *address;
	FUZZ_CHECK(getsockname(fd, (struct sockaddr *)address, length) == 0);
	FUZZ_CHECK(listen(fd, 8) == 0);
	return fd;
}

/* The lowest free number: the same before and after, if nothing leaks. */
static inline int next_number(void)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

	FUZZ_CHECK(fd >= 0);
	(void)close(fd);
	return fd;
}

#endif
