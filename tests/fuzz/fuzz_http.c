/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request as the server gets it: over its socket, through the HTTP library,
 * to the routes and back. Reason: everybody may write to that socket. So each
 * request ends, what we answer is one of our statuses with a readable JSON
 * document, and neither a connection nor a descriptor is left.
 *
 * Input: one byte of how, then the target (path and query), or with FLAG_RAW
 * the whole request. A target may hold line ends, so headers are reached too.
 *
 * The server has a table and a failed allocation, but no control page of the
 * process: /v1/verify is refused and never waits, else an input took a second.
 */
#include <errno.h>
#include <sys/mman.h>

#include <yyjson.h>

#include "base/clock.h"
#include "region/writer.h"
#include "server/http.h"
#include "server/server.h"
#include "sockets.h"

#define REQUEST_MAX 8192u
#define QUIET_ROUNDS 20u /* turns of the loop; a reply needs two or three */
#define FLAG_RAW    4u	  /* else the low bits choose a method */

/* A table with buffers of two types; a descriptor of our own. */
static int table_open(void)
{
	struct region_identity identity = {.entry = "fuzz", .slots_max = REGION_BLOCK_SLOTS};
	struct region_allocator row = {.object = 1, .device = 2, .arch = 2, .chip_count = 1};
	struct region_writer *writer = mmap(NULL, sizeof *writer, PROT_READ | PROT_WRITE,
					    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t at;

	FUZZ_CHECK(writer != MAP_FAILED && region_writer_create(writer, &identity) == 0);
	row.chips[0] = (struct region_chip){.unique_id = 1000, .flags = REGION_CHIP_HAS_UNIQUE_ID};
	for (uint32_t type = 0; type < REGION_MEMORY_TYPES; type++)
		row.geometry[type] = (struct region_geometry){
			.banks = 12, .alignment = 32, .bank_bytes = 1 << 20, .base_address = 4096};
	FUZZ_CHECK(region_writer_allocator_add(writer, &row, 1, &at) == 0);
	for (uint32_t i = 0; i < 20; i++) {
		struct region_buffer b = {.object = 4096 + 8 * i, .allocator = 1, .device = 2,
					  .address = 4096 + 4096 * i, .requested_bytes = 1000 + i,
					  .bank_bytes = 2048, .page_bytes = 1024, .pages = 3,
					  .cores = REGION_NONE, .type = (uint8_t)(i % 2)};

		FUZZ_CHECK(region_writer_alloc(writer, &b) == 0);
	}
	int fd = fcntl(writer->table_fd, F_DUPFD_CLOEXEC, 0);

	FUZZ_CHECK(fd >= 0);
	return fd;
}

static void server_open(struct server *server, struct sockaddr_un *address, socklen_t *length)
{
	int listener = listener_open(SOCK_STREAM, address, length), table = table_open();
	struct received failed = {.table = table, .pid = (uint32_t)getpid(), .uid = getuid()};

	(void)snprintf(server->directory, sizeof server->directory, "fuzz");
	FUZZ_CHECK(loop_init(&server->loop) == 0);
	FUZZ_CHECK(registry_init(&server->registry, &server->loop, 16) == 0);
	FUZZ_CHECK(failures_add(&server->failures, &failed) == 0);
	registry_adopt(&server->registry, table, -1, 1, getuid(), getgid());
	FUZZ_CHECK(server->registry.accepted == 1);
	/* a directory without devices */
	FUZZ_CHECK(collect_sources_open(&server->sources, "/proc/self/ns", SAMPLER_THREADS) == 0);
	FUZZ_CHECK(http_start(server, listener, &server->http) == 0);
}

static size_t make_request(struct input *input, char *request, bool *ret_head)
{
	static const char *const methods[] = {"GET", "POST", "HEAD", "get"};
	unsigned how = input_byte(input);
	int target_bytes = input->size < 4096 ? (int)input->size : 4096;
	size_t n;

	*ret_head = !(how & FLAG_RAW) && how % 4 == 2;
	if (how & FLAG_RAW) {
		n = (size_t)target_bytes;
		memcpy(request, input->data, n);
		/* whether a raw one is a HEAD we would have to parse as well as the library */
		*ret_head = memmem(request, n, "HEAD", 4) != NULL;
		return n;
	}
	n = (size_t)snprintf(request, REQUEST_MAX, "%s ", methods[how % 4]);
	memcpy(request + n, input->data, (size_t)target_bytes);
	n += (size_t)target_bytes;
	*ret_head = *ret_head || memmem(request, n, "HEAD", 4) != NULL;
	return n + (size_t)snprintf(request + n, REQUEST_MAX - n,
				    " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
}

static void turn(struct server *server)
{
	FUZZ_CHECK(loop_once(&server->loop, 0) == 0);
	http_tick(server->http, clock_monotonic_ns());
}

/* Turns the loop until the server has closed or has nothing more to say. Return: bytes. */
static size_t exchange(struct server *server, int peer, char *reply, size_t room)
{
	size_t got = 0;

	for (unsigned quiet = 0; quiet < QUIET_ROUNDS; quiet++) {
		turn(server);
		ssize_t n = recv(peer, reply + got, room - got, MSG_DONTWAIT);

		if (n == 0 || (n < 0 && errno == ECONNRESET)) /* closed, or with bytes unread */
			break;
		FUZZ_CHECK(n > 0 || errno == EAGAIN);
		if (n < 0)
			continue;
		got += (size_t)n;
		quiet = 0;
	}
	FUZZ_CHECK(got < room);
	return got;
}

static bool is_our_status(unsigned status)
{
	static const unsigned ours[] = {200, 304, 400, 403, 404, 405, 409};

	for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
		if (status == ours[i])
			return true;
	return false;
}

/* The first of the replies (a raw input may be several requests), when it is ours. */
static void check_reply(char *reply, size_t length, bool head)
{
	unsigned status = 0;
	size_t body_bytes = 0;

	reply[length] = '\0';
	char *body = strstr(reply, "\r\n\r\n"), *at;

	if (length == 0 || !body)
		return;
	FUZZ_CHECK(sscanf(reply, "HTTP/1.%*1[01] %3u ", &status) == 1);
	*body = '\0';
	body += 4;
	if (!strstr(reply, "\r\nContent-Type: application/json"))
		return; /* the library's own */
	FUZZ_CHECK(is_our_status(status));
	if (status == 304 || head)
		return;
	at = strstr(reply, "\r\nContent-Length: ");
	FUZZ_CHECK(at && sscanf(at + 18, "%zu", &body_bytes) == 1);
	FUZZ_CHECK(body_bytes <= length - (size_t)(body - reply));
	yyjson_doc *doc = yyjson_read(body, body_bytes, 0);

	FUZZ_CHECK(doc);
	FUZZ_CHECK((status == 200) == !yyjson_obj_get(yyjson_doc_get_root(doc), "error"));
	yyjson_doc_free(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct server server;
	static struct sockaddr_un address;
	static socklen_t length;
	static char request[REQUEST_MAX], reply[1 << 20];
	struct input input = {data, size};
	bool head;

	if (!server.http)
		server_open(&server, &address, &length);
	int before = next_number();
	int peer = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	FUZZ_CHECK(peer >= 0 && connect(peer, (struct sockaddr *)&address, length) == 0);
	size_t n = make_request(&input, request, &head);

	if (n)
		FUZZ_CHECK(send(peer, request, n, MSG_NOSIGNAL) == (ssize_t)n);
	FUZZ_CHECK(shutdown(peer, SHUT_WR) == 0);
	check_reply(reply, exchange(&server, peer, reply, sizeof reply - 1), head);
	(void)close(peer);
	for (unsigned i = 0; i < QUIET_ROUNDS && http_connections(server.http); i++)
		turn(&server);
	FUZZ_CHECK(http_connections(server.http) == 0);
	FUZZ_CHECK(!http_is_waiting(server.http));
	FUZZ_CHECK(next_number() == before);
	return 0;
}
