/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registration message, as the server receives it. Reason: whoever may
 * reach the socket may send anything, and a descriptor that leaks with each bad
 * message ends the server. So after each message as many are open as before,
 * and what is accepted came whole.
 *
 * Input: how many descriptors, how they are spread over control messages,
 * then the bytes of the message (0 bytes: the peer closes without one).
 */
#include <errno.h>

#include "region/format.h"
#include "region/receive.h"
#include "sockets.h"

#define FDS_MAX 12u

static void add_descriptors(struct msghdr *msg, struct cmsghdr **at, unsigned count)
{
	int fds[FDS_MAX];

	if (count == 0)
		return;
	for (unsigned i = 0; i < count; i++)
		fds[i] = STDERR_FILENO;
	struct cmsghdr *c = *at;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	msg->msg_controllen += CMSG_SPACE(count * sizeof(int));
	*at = (struct cmsghdr *)(void *)((uint8_t *)c + CMSG_SPACE(count * sizeof(int)));
}

static void send_message(int peer, struct input *input)
{
	union {
		struct cmsghdr header;
		char space[2 * CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control = {0};
	unsigned count = input_byte(input) % (FDS_MAX + 1);
	unsigned first = count ? input_byte(input) % (count + 1) : 0;
	/* sendmsg only reads it */
	struct iovec iov = {(void *)(uintptr_t)input->data, input->size};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space};
	struct cmsghdr *at = &control.header;

	if (input->size == 0)
		return;
	add_descriptors(&msg, &at, first);
	add_descriptors(&msg, &at, count - first);
	if (msg.msg_controllen == 0)
		msg.msg_control = NULL;
	FUZZ_CHECK(sendmsg(peer, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)input->size);
}

static void check_accepted(const struct received *received)
{
	FUZZ_CHECK(received->message.magic == REGISTRATION_MAGIC);
	FUZZ_CHECK(received->message.version == REGISTRATION_VERSION);
	FUZZ_CHECK(received->message.line < REGISTRATION_LINES &&
		   received->message.line < CONTROL_SERVERS_MAX);
	FUZZ_CHECK(received->table >= 0 && received->control >= 0);
	FUZZ_CHECK(received->pid == (uint32_t)getpid() && received->uid == getuid());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int listener = -1;
	static struct sockaddr_un address;
	static socklen_t length;
	struct input input = {data, size};
	struct received received;

	if (listener < 0)
		listener = listener_open(SOCK_SEQPACKET, &address, &length);
	int before = next_number();
	int peer = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	FUZZ_CHECK(peer >= 0);
	FUZZ_CHECK(connect(peer, (struct sockaddr *)&address, length) == 0);
	int connection = receive_accept(listener);

	FUZZ_CHECK(connection >= 0);
	FUZZ_CHECK(receive_message(connection, &received) == -EAGAIN);
	/* more than a packet holds is refused by the kernel before anybody sees it */
	if (size < 4096)
		send_message(peer, &input);
	(void)close(peer);

	int r = receive_message(connection, &received);

	FUZZ_CHECK(r == 0 || r == -EBADMSG);
	if (r == 0) {
		check_accepted(&received);
		receive_close(&received);
	}
	(void)close(connection);
	FUZZ_CHECK(next_number() == before);
	FUZZ_CHECK(receive_accept(listener) == -EAGAIN);
	return 0;
}
