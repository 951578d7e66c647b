/* SPDX-License-Identifier: Apache-2.0 */
#include "api/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/socket.h"
#include "base/task.h"

/* Between looks at what a server does that is silent, and how long one may work, or rest, then. */
#define LOOK_MS	   20
#define WORKING_MS 30000
#define RESTING_MS 200

/* When it cannot be told: it is outside of our namespace, or /proc is not to be had. */
#define UNKNOWN_MS 1000

/* How long the queue may be full. */
#define QUEUE_MS 2000

/* Once it has begun, a long reply may take its time, but not stand still. */
#define STILL_MS 2000

#define REPLY_BYTES_MAX ((size_t)1 << 30)

/* Between looks at a queue that was full. */
#define QUEUE_LOOK_NS 5000000

/*
 * A Unix socket connects at once or, with its queue full, says EAGAIN: many ask at this moment, or
 * nobody accepts. The first passes in milliseconds.
 */
static int connect_patiently(int fd, const struct sockaddr_un *address)
{
	const struct timespec look = {.tv_nsec = QUEUE_LOOK_NS};
	uint64_t end_ns = clock_monotonic_ns() + QUEUE_MS * UINT64_C(1000000);

	while (connect(fd, (const struct sockaddr *)address, sizeof *address) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		if (clock_monotonic_ns() >= end_ns)
			return -ETIMEDOUT;
		(void)nanosleep(&look, NULL);
	}
	return 0;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address;
	int r = socket_address(path, &address);

	if (r < 0)
		return r;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	r = connect_patiently(fd, &address);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	return fd;
}

static int send_request(int fd, const char *method, const char *target)
{
	text_auto request = TEXT_INIT;

	text_printf(&request, "%s %s HTTP/1.0\r\nHost: ttmem\r\n\r\n", method, target);
	if (request.failed)
		return -ENOMEM;
	ssize_t n = send(fd, request.bytes, request.length, MSG_NOSIGNAL);

	return n == (ssize_t)request.length ? 0 : n < 0 ? -errno : -EPROTO;
}

/* Waits for what is readable. Return: 1; 0: not in this time; -errno. */
static int readable(int fd, int patience_ms)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	int r;

	while ((r = poll(&wait, 1, patience_ms)) < 0 && errno == EINTR)
		;
	return r < 0 ? -errno : r;
}

/*
 * The time is up and nothing came. Who hangs, waits or is stopped; who is late, works. Return: as
 * readable().
 */
static int readable_late(int fd)
{
	struct ucred peer = {0};
	socklen_t length = sizeof peer;
	int working = 0, resting = 0, unknown = 0, r = 0;

	(void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length);
	while (r == 0 && working < WORKING_MS && resting < RESTING_MS && unknown < UNKNOWN_MS) {
		switch (peer.pid > 0 ? task_state(peer.pid) : '\0') {
		case 'R':
		case 'D':
			working += LOOK_MS;
			resting = 0;
			break;
		case '\0':
			unknown += LOOK_MS;
			break;
		case 'T':
		case 't':
			return 0;
		default:
			resting += LOOK_MS;
		}
		r = readable(fd, LOOK_MS);
	}
	return r;
}

static int receive_all(int fd, int patience_ms, struct text *reply)
{
	char piece[1 << 14];
	bool has_begun = false;

	for (;;) {
		int ready = readable(fd, has_begun ? STILL_MS : patience_ms);

		if (ready == 0)
			ready = readable_late(fd);
		if (ready <= 0)
			return ready < 0 ? ready : -ETIMEDOUT;
		ssize_t n = recv(fd, piece, sizeof piece, 0);

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return reply->failed ? -ENOMEM : 0;
		if (reply->length + (size_t)n > REPLY_BYTES_MAX)
			return -EPROTO;
		text_append(reply, piece, (size_t)n);
		has_begun = true;
	}
}

/* The body's length as announced; SIZE_MAX when it is not. */
static size_t announced_length(const char *head)
{
	static const char name[] = "\r\ncontent-length:";
	const char *line = strcasestr(head, name);

	return line ? strtoull(line + sizeof name - 1, NULL, 10) : SIZE_MAX;
}

/* Of a whole head. Return: 0 for 200, else an error. */
static int status_of(const char *head)
{
	if (strncmp(head, "HTTP/1.", 7) != 0)
		return -EPROTO;
	switch (strtoul(head + 8, NULL, 10)) {
	case 200:
		return 0;
	case 403:
		return -EACCES;
	case 404:
		return -ESRCH;
	default:
		return -EPROTO;
	}
}

static int ask(const char *socket_path, const char *method, const char *target, int patience_ms,
	       struct text *ret_body)
{
	text_auto reply = TEXT_INIT;
	fd_auto fd = connect_to(socket_path);

	if (fd < 0)
		return fd;
	int r = send_request(fd, method, target);

	if (r == 0)
		r = receive_all(fd, patience_ms, &reply);
	if (r < 0)
		return r;
	char *end = reply.bytes ? strstr(reply.bytes, "\r\n\r\n") : NULL;

	if (!end)
		return -EPROTO;
	*end = '\0';
	r = status_of(reply.bytes);
	if (r < 0)
		return r;
	size_t head = (size_t)(end - reply.bytes) + 4, length = reply.length - head;

	if (announced_length(reply.bytes) != length)
		return -EPROTO;
	text_append(ret_body, reply.bytes + head, length);
	return ret_body->failed ? -ENOMEM : 0;
}

int client_get(const char *socket_path, const char *target, struct text *ret_body)
{
	return ask(socket_path, "GET", target, CLIENT_PATIENCE_MS, ret_body);
}

int client_post(const char *socket_path, const char *target, struct text *ret_body)
{
	return ask(socket_path, "POST", target, CLIENT_POST_PATIENCE_MS, ret_body);
}
