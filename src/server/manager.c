/* SPDX-License-Identifier: Apache-2.0 */
#include "server/manager.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The first descriptor that a manager passes. */
#define FIRST_FD 3

#define NAME_FORMAT "t-%u-%u-%u-%u"

static void send_to_manager(const char *text, int fd)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = path ? strlen(path) : 0;
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof fd)];
	} control = {0};
	char copy[256];

	if (length == 0 || length >= sizeof address.sun_path)
		return;
	memcpy(address.sun_path, path, length);
	if (address.sun_path[0] == '@') /* an abstract name */
		address.sun_path[0] = '\0';
	(void)snprintf(copy, sizeof copy, "%s", text);
	struct iovec iov = {copy, strlen(copy)};
	struct msghdr msg = {
		.msg_name = &address,
		.msg_namelen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};

	if (fd >= 0) {
		msg.msg_control = control.space;
		msg.msg_controllen = sizeof control.space;
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(cmsg), &fd, sizeof fd);
	}
	int socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (socket_fd < 0)
		return;
	(void)sendmsg(socket_fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)close(socket_fd);
}

void manager_ready(void)
{
	send_to_manager("READY=1", -1);
}

void manager_stopping(void)
{
	send_to_manager("STOPPING=1", -1);
}

void manager_store(int table, uint32_t pid, uint32_t uid, uint32_t gid, uint32_t line)
{
	char text[128];

	/* FDPOLL=0: the manager would drop a descriptor that it believes to be hung up */
	(void)snprintf(text, sizeof text, "FDSTORE=1\nFDPOLL=0\nFDNAME=" NAME_FORMAT, pid, uid, gid,
		       line);
	send_to_manager(text, table);
}

void manager_unstore(uint32_t pid, uint32_t uid, uint32_t gid, uint32_t line)
{
	char text[128];

	(void)snprintf(text, sizeof text, "FDSTOREREMOVE=1\nFDNAME=" NAME_FORMAT, pid, uid, gid,
		       line);
	send_to_manager(text, -1);
}

static void take_socket(struct manager_inherited *inherited, int fd)
{
	int type = 0;
	socklen_t length = sizeof type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_SEQPACKET &&
	    inherited->registrations < 0)
		inherited->registrations = fd;
	else if (type == SOCK_STREAM && inherited->api < 0)
		inherited->api = fd;
	else
		(void)close(fd);
}

static void take(struct manager_inherited *inherited, int fd, const char *name)
{
	struct manager_stored stored = {.fd = fd};

	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (sscanf(name, NAME_FORMAT, &stored.pid, &stored.uid, &stored.gid, &stored.line) == 4)
		inherited->stored[inherited->stored_count++] = stored;
	else
		take_socket(inherited, fd);
}

int manager_inherit(struct manager_inherited *ret_inherited)
{
	struct manager_inherited inherited = {.registrations = -1, .api = -1};
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	const char *names = getenv("LISTEN_FDNAMES");
	long fds = pid && count && strtol(pid, NULL, 10) == getpid() ? strtol(count, NULL, 10) : 0;

	fds = fds < 0 ? 0 : fds > MANAGER_FDS_MAX ? MANAGER_FDS_MAX : fds;
	inherited.stored = calloc((size_t)fds + 1, sizeof *inherited.stored);
	if (!inherited.stored)
		return -ENOMEM;
	for (long i = 0; i < fds; i++) {
		size_t length = names ? strcspn(names, ":") : 0;
		char name[128];

		(void)snprintf(name, sizeof name, "%.*s", (int)length, names ? names : "");
		take(&inherited, FIRST_FD + (int)i, name);
		if (names)
			names += length + (names[length] == ':');
	}
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	*ret_inherited = inherited;
	return 0;
}
