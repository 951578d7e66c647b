/* SPDX-License-Identifier: Apache-2.0 */
#include "server/http.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <microhttpd.h>

#include "base/clock.h"
#include "server/routes.h"
#include "server/server.h"

#define MEMORY_EACH	    (48u * 1024) /* a request of up to 16 KiB, and its reply's head */
#define IDLE_SECONDS	    30u
/* For a request to be there, or for anything to be read of its reply. */
#define DEADLINE_NS	    (UINT64_C(5) * 1000000000)
/* For the whole reply. */
#define REPLY_NS	    (UINT64_C(120) * 1000000000)

struct peer {
	struct peer *next;
	struct http *http;
	int fd;
	uint32_t uid, gid;
	uint64_t since_ns; /* of connecting, of the last finished request, or of progress */
	uint64_t reply_ns; /* since when a reply is on its way; 0: none is */
	int unread;	   /* of it, in the socket, when we looked last */
};

/* One request; lives from its first callback to its completion. */
struct exchange {
	struct exchange *next; /* among those that wait */
	struct MHD_Connection *connection;
	uint64_t token, since_ns;
};

struct http {
	struct loop_watch watch; /* the library's epoll descriptor */
	struct server *server;
	struct MHD_Daemon *daemon;
	struct peer *peers;
	struct exchange *waiting;
	uint32_t count;
};

static void on_ready(struct loop_watch *watch)
{
	struct http *http = (struct http *)(void *)((char *)watch - offsetof(struct http, watch));

	(void)MHD_run(http->daemon);
}

/*
 * A user may hold three quarters of what the others leave: however much some
 * take, the next one finds room, and root always does.
 */
static bool over_quota(const struct http *http, uint32_t uid)
{
	uint32_t mine = 0;

	for (const struct peer *p = http->peers; p; p = p->next)
		mine += p->uid == uid;
	return uid != 0 && mine > (HTTP_CONNECTIONS_MAX - (http->count - mine)) / 4 * 3;
}

static void peer_begin(struct http *http, struct MHD_Connection *connection, void **context)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct peer *peer = calloc(1, sizeof *peer);
	struct ucred credentials = {.uid = UINT32_MAX, .gid = UINT32_MAX};
	socklen_t length = sizeof credentials;

	if (!peer || !info)
		return free(peer);
	(void)getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length);
	*peer = (struct peer){.next = http->peers,
			      .http = http,
			      .fd = info->connect_fd,
			      .uid = credentials.uid,
			      .gid = credentials.gid,
			      .since_ns = clock_monotonic_ns()};
	http->peers = peer;
	http->count++;
	*context = peer;
	if (over_quota(http, peer->uid))
		(void)shutdown(peer->fd, SHUT_RDWR);
}

static void peer_end(struct http *http, struct peer *peer)
{
	struct peer **link = &http->peers;

	while (*link && *link != peer)
		link = &(*link)->next;
	if (*link)
		*link = peer->next;
	http->count--;
	free(peer);
}

static void on_connection(void *argument, struct MHD_Connection *connection, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		peer_begin(argument, connection, context);
	else if (*context)
		peer_end(argument, *context);
}

static struct peer *peer_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

/* route_request with the connection behind it, for its query parameters. */
struct request {
	struct route_request route;
	struct MHD_Connection *connection;
};

static const char *argument(const struct route_request *route, const char *name)
{
	const struct request *request = (const struct request *)(const void *)route;
	const char *value = NULL;

	if (MHD_lookup_connection_value_n(request->connection, MHD_GET_ARGUMENT_KIND, name,
					  strlen(name), &value, NULL) != MHD_YES)
		return NULL;
	return value ? value : "";
}

/* A NUL would end paths and values early for all behind it: such text stays as it came. */
static size_t unescape(void *context, struct MHD_Connection *connection, char *text)
{
	(void)context;
	(void)connection;
	return strstr(text, "%00") ? strlen(text) : MHD_http_unescape(text);
}

static enum MHD_Result reply(struct MHD_Connection *connection, struct route_response *response)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(
		response->body.length, response->body.bytes, MHD_RESPMEM_MUST_FREE);

	if (!r) {
		text_free(&response->body);
		return MHD_NO;
	}
	(void)MHD_add_response_header(r, "Content-Type", "application/json");
	(void)MHD_add_response_header(r, "Cache-Control", "no-cache");
	if (response->etag[0])
		(void)MHD_add_response_header(r, "ETag", response->etag);
	enum MHD_Result result = MHD_queue_response(connection, response->status, r);

	MHD_destroy_response(r);
	return result;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_bytes, void **request_context)
{
	struct http *http = context;
	struct peer *peer = peer_of(connection);
	struct exchange *exchange = *request_context;

	(void)version;
	(void)upload;
	if (!exchange) { /* the headers are there; the body may follow */
		exchange = calloc(1, sizeof *exchange);
		if (!exchange)
			return MHD_NO;
		exchange->connection = connection;
		exchange->since_ns = clock_monotonic_ns();
		*request_context = exchange;
		return MHD_YES;
	}
	if (*upload_bytes) { /* no route takes one */
		*upload_bytes = 0;
		return MHD_YES;
	}
	struct request request = {
		.route = {.method = method,
			  .path = url,
			  .viewer = {.anonymous = !peer,
				     .uid = peer ? peer->uid : UINT32_MAX,
				     .gid = peer ? peer->gid : UINT32_MAX},
			  .if_none_match = MHD_lookup_connection_value(
				  connection, MHD_HEADER_KIND, "If-None-Match"),
			  .token = exchange->token,
			  .waited_ns = clock_monotonic_ns() - exchange->since_ns,
			  .argument = argument},
		.connection = connection,
	};
	struct route_response response = {.status = 200};

	routes_answer(http->server, &request.route, &response);
	if (response.token) {
		exchange->token = response.token;
		exchange->next = http->waiting;
		http->waiting = exchange;
		text_free(&response.body);
		MHD_suspend_connection(connection);
		return MHD_YES;
	}
	if (response.body.failed) {
		text_free(&response.body);
		return MHD_NO;
	}
	/* the time that it took us is not the client's */
	if (peer) {
		peer->since_ns = peer->reply_ns = clock_monotonic_ns();
		peer->unread = 0;
	}
	return reply(connection, &response);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **request_context,
			 enum MHD_RequestTerminationCode code)
{
	struct peer *peer = peer_of(connection);

	(void)context;
	(void)code;
	free(*request_context);
	*request_context = NULL;
	if (peer) {
		peer->since_ns = clock_monotonic_ns();
		peer->reply_ns = 0;
	}
}

int http_start(struct server *server, int listener, struct http **ret_http)
{
	struct http *http = calloc(1, sizeof *http);

	if (!http)
		return -ENOMEM;
	http->server = server;
	http->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, http,
		MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT, HTTP_CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_EACH,
		MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, http, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
		MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL,
		MHD_OPTION_END);
	const union MHD_DaemonInfo *info =
		http->daemon ? MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;

	if (!info) {
		free(http);
		return -EIO;
	}
	http->watch = (struct loop_watch){info->epoll_fd, on_ready};
	int r = loop_add(&server->loop, &http->watch);

	if (r < 0) {
		MHD_stop_daemon(http->daemon);
		free(http);
		return r;
	}
	*ret_http = http;
	return 0;
}

/*
 * Does it take what it asked for? While we have no processor nothing comes, which is not its fault:
 * it has read all that was there.
 */
static bool has_read(struct peer *peer, uint64_t now_ns)
{
	int before = peer->unread;

	return peer->reply_ns && now_ns - peer->reply_ns <= REPLY_NS &&
	       ioctl(peer->fd, SIOCOUTQ, &peer->unread) == 0 &&
	       (peer->unread == 0 || peer->unread != before);
}

void http_tick(struct http *http, uint64_t now_monotonic_ns)
{
	for (struct peer *p = http->peers; p; p = p->next) {
		if (has_read(p, now_monotonic_ns))
			p->since_ns = now_monotonic_ns;
		else if (now_monotonic_ns > p->since_ns && now_monotonic_ns - p->since_ns > DEADLINE_NS)
			(void)shutdown(p->fd, SHUT_RDWR);
	}
	(void)MHD_run(http->daemon);
}

/* Those that wait look again: MHD calls their handler anew. */
static void resume_all(struct http *http)
{
	struct exchange *exchange = http->waiting;

	http->waiting = NULL;
	while (exchange) {
		struct exchange *next = exchange->next;

		exchange->next = NULL;
		MHD_resume_connection(exchange->connection);
		exchange = next;
	}
}

bool http_is_waiting(const struct http *http)
{
	return http->waiting != NULL;
}

void http_look_again(struct http *http)
{
	resume_all(http);
	(void)MHD_run(http->daemon);
}

uint32_t http_connections(const struct http *http)
{
	return http->count;
}

void http_stop(struct http *http)
{
	if (!http)
		return;
	loop_remove(&http->server->loop, &http->watch);
	/* the library must not be stopped with a connection suspended */
	resume_all(http);
	MHD_stop_daemon(http->daemon);
	free(http);
}
