/* SPDX-License-Identifier: Apache-2.0 */
#include "region/register.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "region/quiet.h"
#include "region/send.h"

#define MS_NS	     UINT64_C(1000000)
#define DELAY_MIN_NS (10 * MS_NS)
#define DELAY_MAX_NS (5000 * MS_NS)

/* A server writes its heartbeat every second; this much silence means it is gone or stopped. */
#define SILENCE_NS (3000 * MS_NS)

/* How often a heartbeat is looked at while all is well. */
#define LOOK_NS (1000 * MS_NS)

/* The socket path of line `line`, from $TTMEM_SOCKET_DIR (a colon list) and the usual places. */
static bool socket_path(uint32_t line, struct sockaddr_un *address)
{
	const char *list = getenv("TTMEM_SOCKET_DIR"), *runtime = getenv("XDG_RUNTIME_DIR");
	size_t room = sizeof address->sun_path;
	int n = -1;

	while (list && *list) {
		size_t length = strcspn(list, ":");

		if (length && line-- == 0) {
			n = snprintf(address->sun_path, room, "%.*s/" REGISTRATION_SOCKET,
				     (int)length, list);
			return n > 0 && (size_t)n < room;
		}
		list += length + (list[length] == ':');
	}
	if (line == 0)
		n = snprintf(address->sun_path, room, "/run/ttmem/" REGISTRATION_SOCKET);
	else if (line == 1 && runtime && *runtime)
		n = snprintf(address->sun_path, room, "%s/ttmem/" REGISTRATION_SOCKET, runtime);
	return n > 0 && (size_t)n < room;
}

/* Root, ourselves, or a uid that the user of this process named: "N[,N...]". */
static bool is_trusted(uint32_t uid)
{
	const char *list = getenv("TTMEM_SERVER_UID");
	char *end;

	if (uid == 0 || uid == (uint32_t)getuid() || uid == (uint32_t)geteuid())
		return true;
	while (list && *list) {
		unsigned long named = strtoul(list, &end, 10);

		if (end != list && named == uid)
			return true;
		list = *end == ',' ? end + 1 : NULL;
	}
	return false;
}

/* A connection to a server that may have our table; -1 when there is none. Never waits. */
static int connect_to(uint32_t line)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct ucred peer;
	socklen_t length = sizeof peer;

	if (!socket_path(line, &address))
		return -1;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && is_trusted(peer.uid))
		return fd;
	(void)close(fd);
	return -1;
}

static void try_server(struct region_writer *writer, uint32_t line)
{
	int socket = connect_to(line);

	if (socket < 0)
		return;
	int table = region_writer_share(writer);

	if (table >= 0) {
		const struct registration message = {
			.magic = REGISTRATION_MAGIC,
			.version = REGISTRATION_VERSION,
			.line = line,
			.start_ticks = region_writer_start_ticks(writer),
			.kind = REGISTRATION_TABLE,
		};

		(void)send_registration(socket, &message, table, writer->control_fd);
		region_writer_unshare(writer, table);
	}
	(void)close(socket);
}

/* Is the server of this line alive, as far as its heartbeat tells? */
static bool is_answering(struct registrar_server *server, const struct region_writer *writer,
			 uint32_t line, uint64_t now_ns)
{
	uint64_t beat =
		__atomic_load_n(&writer->control->servers[line].heartbeat_ns, __ATOMIC_ACQUIRE);

	/* only whether it moves: the server's clock may lie in another time namespace */
	if (beat != server->heartbeat) {
		server->heartbeat = beat;
		server->heartbeat_since_ns = now_ns;
	}
	return beat != 0 && now_ns - server->heartbeat_since_ns < SILENCE_NS;
}

static uint64_t look_at_server(struct registrar_server *server, struct region_writer *writer,
			       uint32_t line, uint64_t now_ns)
{
	if (is_answering(server, writer, line, now_ns)) {
		server->delay_ns = 0;
		return now_ns + LOOK_NS;
	}
	if (now_ns < server->next_try_ns)
		return server->next_try_ns;
	try_server(writer, line);
	server->delay_ns = server->delay_ns == 0		   ? DELAY_MIN_NS
			   : server->delay_ns < DELAY_MAX_NS / 2 ? 2 * server->delay_ns
								   : DELAY_MAX_NS;
	server->next_try_ns = now_ns + server->delay_ns;
	return server->next_try_ns;
}

static void send_copy(struct region_writer *writer, int copy)
{
	for (uint32_t line = 0; line < REGISTRATION_LINES; line++) {
		const struct registration message = {
			.magic = REGISTRATION_MAGIC,
			.version = REGISTRATION_VERSION,
			.line = line,
			.start_ticks = region_writer_start_ticks(writer),
			.kind = REGISTRATION_FAILURE,
		};
		int socket = connect_to(line);

		if (socket < 0)
			continue;
		(void)send_registration(socket, &message, copy, writer->control_fd);
		(void)close(socket);
	}
}

void register_failed_moment(struct region_writer *writer, uint64_t now_ns)
{
	quiet_auto quiet = quiet_begin();
	int copy = region_writer_copy(writer, now_ns);

	if (copy >= 0) {
		send_copy(writer, copy);
		(void)close(copy);
	}
}

void register_due(struct registrar *registrar, struct region_writer *writer, uint64_t now_ns)
{
	uint64_t next = UINT64_MAX;
	quiet_auto quiet = quiet_begin();

	if (__atomic_exchange_n(&registrar->busy, 1, __ATOMIC_ACQUIRE))
		return;
	for (uint32_t line = 0; line < REGISTRATION_LINES; line++) {
		struct sockaddr_un address;

		if (!socket_path(line, &address))
			continue;
		uint64_t due = look_at_server(&registrar->servers[line], writer, line, now_ns);

		next = due < next ? due : next;
	}
	__atomic_store_n(&registrar->next_look_ns, next, __ATOMIC_RELAXED);
	__atomic_store_n(&registrar->busy, 0, __ATOMIC_RELEASE);
}
