/* SPDX-License-Identifier: Apache-2.0 */
#include "region/receive.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "region/format.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/* The kernel caps it at net.core.somaxconn, usually 4096. */
#define BACKLOG 4096

/* More than asked for, so that a message with too many is seen and they are closed. */
#define FDS_ROOM 8

int receive_listen(const char *path, unsigned mode)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof address.sun_path)
		return -ENAMETOOLONG;
	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || chmod(path, mode) < 0 ||
	    listen(fd, BACKLOG) < 0) {
		int r = -errno;

		(void)close(fd);
		return r;
	}
	return fd;
}

/* All descriptors that came along; the first two are kept, the rest is closed. */
static bool take_descriptors(struct msghdr *msg, struct received *received)
{
	int *wanted[REGISTRATION_FDS] = {&received->table, &received->control};
	size_t total = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		for (size_t i = 0; i < count; i++, total++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (total < REGISTRATION_FDS)
				*wanted[total] = fd;
			else
				(void)close(fd);
		}
	}
	return total == REGISTRATION_FDS && !(msg->msg_flags & MSG_CTRUNC);
}

static int pidfd_of_peer(int connection, uint32_t pid)
{
	int fd = -1;
	socklen_t length = sizeof fd;

	if (getsockopt(connection, SOL_SOCKET, SO_PEERPIDFD, &fd, &length) == 0)
		return fd;
	/* older kernels: the pid may be another process by now; callers compare start times */
	return pid ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
}

static int take_message(int connection, struct received *received)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(FDS_ROOM * sizeof(int))];
	} control;
	struct iovec iov = {&received->message, sizeof received->message};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof control.space,
	};
	struct ucred peer;
	socklen_t length = sizeof peer;
	ssize_t n = recvmsg(connection, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return -errno;
	bool complete = take_descriptors(&msg, received);

	if (!complete || n != (ssize_t)sizeof received->message || (msg.msg_flags & MSG_TRUNC) ||
	    received->message.magic != REGISTRATION_MAGIC ||
	    received->message.version != REGISTRATION_VERSION ||
	    received->message.line >= REGISTRATION_LINES ||
	    received->message.kind > REGISTRATION_ADOPTED)
		return -EBADMSG;
	if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return -errno;
	received->pid = peer.pid > 0 ? (uint32_t)peer.pid : 0;
	received->uid = peer.uid;
	received->gid = peer.gid;
	received->pidfd = pidfd_of_peer(connection, received->pid);
	return 0;
}

int receive_accept(int listener)
{
	int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	return connection < 0 ? -errno : connection;
}

int receive_message(int connection, struct received *ret_received)
{
	struct received received = {.pidfd = -1, .table = -1, .control = -1};
	int r = take_message(connection, &received);

	if (r < 0)
		receive_close(&received);
	else
		*ret_received = received;
	return r;
}

void receive_close(struct received *received)
{
	int *all[] = {&received->pidfd, &received->table, &received->control};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		if (*all[i] >= 0)
			(void)close(*all[i]);
		*all[i] = -1;
	}
}
