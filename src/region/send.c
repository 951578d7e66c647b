/* SPDX-License-Identifier: Apache-2.0 */
#include "region/send.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

int send_registration(int connection, const struct registration *message, int table, int control)
{
	struct registration copy = *message;
	int fds[REGISTRATION_FDS] = {table, control};
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof fds)];
	} ancillary = {0};
	struct iovec iov = {&copy, sizeof copy};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = ancillary.space,
		.msg_controllen = sizeof ancillary.space,
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof fds);
	memcpy(CMSG_DATA(cmsg), fds, sizeof fds);
	if (sendmsg(connection, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return -errno;
	return 0;
}
