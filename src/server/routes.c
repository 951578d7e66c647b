/* SPDX-License-Identifier: Apache-2.0 */
#include "server/routes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "base/clock.h"
#include "collect/verify.h"
#include "server/http.h"
#include "server/route_parts.h"
#include "server/server.h"
#include "view/selection.h"

#define LIMIT_DEFAULT 1000u
#define LIMIT_MAX     1000000u

void route_fail(struct route_response *response, unsigned status, const char *code,
		 const char *message, const char *hint)
{
	text_free(&response->body);
	response->etag[0] = '\0';
	response->status = status;
	json_write_error(&response->body, code, message, hint);
}

void route_fail_errno(struct route_response *response, int error)
{
	route_fail(response, 500, "internal", strerror(-error), NULL);
}

static int parse_number(const char *text, uint64_t max, uint64_t *ret_value)
{
	char *end;

	if (!text || text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	uint64_t value = strtoull(text, &end, 10);

	if (errno || *end || value > max)
		return -EINVAL;
	*ret_value = value;
	return 0;
}

void route_bad_argument(struct route_response *response, const char *name)
{
	char message[96];

	(void)snprintf(message, sizeof message, "the value of %s is not understood", name);
	route_fail(response, 400, "bad_argument", message, "docs/api.md lists the parameters");
}

/* An optional number; false (with the response made) when it is there and bad. */
static bool number_argument(const struct route_request *request, struct route_response *response,
			    const char *name, uint64_t max, uint64_t *value)
{
	const char *text = request->argument(request, name);

	if (!text || parse_number(text, max, value) == 0)
		return true;
	route_bad_argument(response, name);
	return false;
}

static bool flag_argument(const struct route_request *request, const char *name)
{
	const char *text = request->argument(request, name);

	return text && strcmp(text, "0") != 0 && strcmp(text, "false") != 0;
}

/*
 * The event numbers of all tables, and who asks: two viewers with the same
 * events see different things.
 */
static bool not_modified(struct server *server, const struct route_request *request,
			 struct route_response *response, uint64_t variant)
{
	uint64_t sum = registry_event_sum(&server->registry) +
		       sampler_changes(&server->sources.sampler);

	sum = (sum ^ request->viewer.uid ^ variant << 32) * UINT64_C(0x100000001b3);
	(void)snprintf(response->etag, sizeof response->etag, "\"%016" PRIx64 "\"", sum);
	if (!request->if_none_match || strcmp(request->if_none_match, response->etag) != 0)
		return false;
	response->status = 304;
	return true;
}

static void route_snapshot(struct server *server, const struct route_request *request,
			   struct route_response *response)
{
	struct collect_options options = {.largest_free = flag_argument(request, "largest_free"),
					  .programs = true};
	struct snapshot snapshot;

	bool brief = flag_argument(request, "brief");

	if (not_modified(server, request, response,
			 (uint64_t)options.largest_free + (brief ? 6 : 0)))
		return;
	int r = server_snapshot(server, &options, &request->viewer, &snapshot);

	if (r < 0)
		return route_fail_errno(response, r);
	snapshot.is_brief = brief;
	json_write_snapshot(&response->body, &snapshot);
	snapshot_clear(&snapshot);
}

/* The same document with one of its lists empty: one schema for three routes. */
static void route_part(struct server *server, const struct route_request *request,
		       struct route_response *response, bool devices)
{
	struct collect_options options = {.largest_free = flag_argument(request, "largest_free"),
					  .programs = true};
	struct snapshot snapshot;

	if (not_modified(server, request, response, devices ? 3 : 5))
		return;
	int r = server_snapshot(server, &options, &request->viewer, &snapshot);

	if (r < 0)
		return route_fail_errno(response, r);
	if (devices) {
		snapshot.process_count = 0;
	} else {
		snapshot.machine_devices.count = 0;
		snapshot.card_count = 0;
	}
	json_write_snapshot(&response->body, &snapshot);
	snapshot_clear(&snapshot);
}

static void route_devices(struct server *server, const struct route_request *request,
			  struct route_response *response)
{
	route_part(server, request, response, true);
}

static void route_processes(struct server *server, const struct route_request *request,
			    struct route_response *response)
{
	route_part(server, request, response, false);
}

static bool order_argument(const struct route_request *request, struct route_response *response,
			   enum buffer_order *order)
{
	static const struct {
		const char *name;
		enum buffer_order order;
	} orders[] = {{"slot", ORDER_SLOT}, {"size", ORDER_SIZE},	{"bank", ORDER_BANK},
		      {"age", ORDER_AGE},   {"address", ORDER_ADDRESS}, {"pid", ORDER_PID}};
	const char *text = request->argument(request, "sort");

	for (size_t i = 0; text && i < sizeof orders / sizeof orders[0]; i++)
		if (strcmp(text, orders[i].name) == 0) {
			*order = orders[i].order;
			return true;
		}
	if (text)
		route_bad_argument(response, "sort");
	return !text;
}

bool route_filter_arguments(const struct route_request *request, struct route_response *response,
			    struct buffer_filter *filter)
{
	const char *type = request->argument(request, "type");
	enum memory_type parsed = MEMORY_DRAM;
	uint64_t pid = 0;

	filter->by_chip = request->argument(request, "chip") != NULL;
	if (!number_argument(request, response, "pid", UINT32_MAX, &pid) ||
	    !number_argument(request, response, "chip", UINT64_MAX, &filter->unique_id) ||
	    !number_argument(request, response, "min_bytes", UINT64_MAX, &filter->min_bytes) ||
	    !order_argument(request, response, &filter->order))
		return false;
	filter->pid = (uint32_t)pid;
	if (type && memory_type_parse(type, &parsed) < 0) {
		route_bad_argument(response, "type");
		return false;
	}
	filter->type = type ? (int)parsed : -1;
	filter->op = request->argument(request, "op");
	filter->site = request->argument(request, "site");
	filter->tag = request->argument(request, "tag");
	return true;
}

/* The document of a page, and the cursor of the next one when there is one. */
static void write_page(struct route_response *response, const struct snapshot *snapshot,
		       const uint32_t *indices, uint32_t count, uint64_t first, uint64_t limit)
{
	uint64_t total = snapshot->is_counted	? snapshot->buffers_passing
			 : snapshot->is_limited ? snapshot_buffers_total(snapshot)
						: count;
	uint64_t left = first < count ? count - first : 0;
	uint32_t shown = (uint32_t)(left < limit ? left : limit);

	json_write_buffers(&response->body, snapshot, indices + (first < count ? first : count),
			   shown);
	if (response->body.failed || response->body.length == 0)
		return;
	response->body.length--; /* the closing brace moves behind the cursor */
	if (total > first + shown)
		text_printf(&response->body, ",\"cursor\":\"%" PRIu64 "\"}", first + shown);
	else
		text_puts(&response->body, ",\"cursor\":null}");
}

/*
 * The snapshot that the buffers are taken from: of now or, with `failure`, of
 * the moment when that allocation failed. False with the response made.
 */
static bool buffers_snapshot(struct server *server, const struct route_request *request,
			     struct route_response *response, const struct collect_options *options,
			     struct snapshot *ret_snapshot)
{
	struct failure_table *table = NULL;
	uint64_t number = 0;

	if (!number_argument(request, response, "failure", UINT64_MAX, &number))
		return false;
	if (number) {
		table = failures_find(&server->failures, number);
		if (!table) {
			route_fail(response, 404, "no_failure", "there is no such failure any more",
			     "/v1/failures lists those that are kept");
			return false;
		}
	}
	int r = table ? server_failure_snapshot(server, table, &request->viewer, ret_snapshot)
		      : server_snapshot(server, options, &request->viewer, ret_snapshot);

	if (r < 0)
		route_fail_errno(response, r);
	return r == 0;
}

static bool choice_passes(const void *argument, const struct snapshot *snapshot,
			  const struct buffer *buffer)
{
	return buffer_passes(argument, snapshot, buffer);
}

static uint64_t choice_key(const void *argument, const struct snapshot *snapshot,
			   const struct buffer *buffer)
{
	return buffer_key(argument, snapshot, buffer);
}

static void route_buffers(struct server *server, const struct route_request *request,
			  struct route_response *response)
{
	struct collect_options options = {.buffers = true, .buffers_only = true};
	struct buffer_filter filter = {.order = ORDER_SLOT};
	struct collect_choice choice = {
		.passes = choice_passes, .key = choice_key, .argument = &filter};
	uint64_t limit = LIMIT_DEFAULT, cursor = 0;
	uint32_t *indices, count;
	struct snapshot snapshot;

	options.stacks = flag_argument(request, "stack");
	if (!route_filter_arguments(request, response, &filter) ||
	    !number_argument(request, response, "limit", LIMIT_MAX, &limit) ||
	    !number_argument(request, response, "cursor", UINT32_MAX, &cursor))
		return;
	if (limit == 0) /* a page that leads to itself */
		return route_bad_argument(response, "limit");
	options.pid = filter.pid;
	/* a page needs no more than what comes before its end */
	uint64_t end = cursor + limit < UINT32_MAX ? cursor + limit : UINT32_MAX;

	filter.sorted = choice.count = (uint32_t)end;
	/* in slot order and without a filter the rest need not even be looked at */
	if (filter.order == ORDER_SLOT && filter.type < 0 && !filter.by_chip &&
	    filter.min_bytes == 0 && !filter.op && !filter.site && end != 0)
		options.slot_limit = (uint32_t)end;
	else
		options.choice = &choice;
	if (!buffers_snapshot(server, request, response, &options, &snapshot))
		return;
	int r = buffers_select(&snapshot, &filter, &indices, &count);
	if (r < 0) {
		route_fail_errno(response, r);
	} else {
		write_page(response, &snapshot, indices, count, cursor, limit);
		free(indices);
	}
	snapshot_clear(&snapshot);
}

/* Behind the document's last member: the tables that this viewer may ask for. */
static void write_kept(struct server *server, const struct route_request *request,
		       struct route_response *response)
{
	bool any = false;

	if (response->body.failed || response->body.length == 0)
		return;
	response->body.length--; /* the closing brace */
	text_puts(&response->body, ",\"kept\":[");
	for (uint32_t i = server->failures.count; i-- > 0;) {
		const struct failure_table *table = &server->failures.tables[i];
		const struct process owner = {.uid = table->uid, .gid = table->gid};
		char time[40];

		if (!policy_allows(&owner, &request->viewer, server->options.share))
			continue;
		clock_rfc3339(table->time_ns, time, sizeof time);
		text_printf(&response->body,
			    "%s{\"number\":%" PRIu64 ",\"pid\":%u,\"uid\":%u,\"time\":\"%s\""
			    ",\"failure\":%" PRIu64 ",\"left_out\":%" PRIu64 "}",
			    any ? "," : "", table->number, table->pid, table->uid, time,
			    table->failure, table->left_out);
		any = true;
	}
	text_puts(&response->body, "]}");
}

static void route_failures(struct server *server, const struct route_request *request,
			   struct route_response *response)
{
	const struct collect_options options = {0};
	struct snapshot snapshot;
	uint32_t kept = 0;
	int r = server_snapshot(server, &options, &request->viewer, &snapshot);

	if (r < 0)
		return route_fail_errno(response, r);
	for (uint32_t i = 0; i < snapshot.process_count; i++)
		if (snapshot.processes[i].failure_count)
			snapshot.processes[kept++] = snapshot.processes[i];
	snapshot.process_count = kept;
	snapshot.machine_devices.count = 0;
	snapshot.card_count = 0;
	json_write_snapshot(&response->body, &snapshot);
	snapshot_clear(&snapshot);
	write_kept(server, request, response);
}

static void route_server(struct server *server, const struct route_request *request,
			 struct route_response *response)
{
	const struct registry *registry = &server->registry;
	struct text *body = &response->body;
	char started[40], now[40];

	(void)request;
	clock_rfc3339(server->started_ns, started, sizeof started);
	clock_rfc3339(clock_realtime_ns(), now, sizeof now);
	text_printf(body,
		    "{\"schema\":\"ttmem.server/1\",\"time\":\"%s\",\"version\":\"" TTMEM_VERSION
		    "\",\"started\":\"%s\",\"tables\":{\"live\":%u,\"exited\":%u,\"accepted\":%" PRIu64
		    "},\"refused\":{",
		    now, started, registry->count - registry->dead, registry->dead,
		    registry->accepted);
	for (enum refusal i = 0; i < REFUSALS; i++)
		text_printf(body, "%s\"%s\":%" PRIu64, i ? "," : "", refusal_name(i),
			    registry->refused[i]);
	text_printf(body,
		    "},\"sampling\":{\"count\":%" PRIu64 ",\"cpu_ns\":%" PRIu64
		    "},\"connections\":%u,\"at_start\":{\"processes_seen\":%u,"
		    "\"processes_denied\":%u,\"tables_refused\":%u}}",
		    server->samples, server->sample_cpu_ns, http_connections(server->http),
		    server->notes.processes_seen, server->notes.processes_denied,
		    server->notes.tables_refused);
}

static void route_healthz(struct server *server, const struct route_request *request,
			  struct route_response *response)
{
	(void)server;
	(void)request;
	text_puts(&response->body, "{\"status\":\"ok\"}");
}

static void write_answers(struct text *body, const struct verify_answer *answers, int count)
{
	static const char *const equal[] = {
		[VERIFY_EQUAL] = "true", [VERIFY_DIFFERENT] = "false", [VERIFY_MOVED] = "null"};

	for (int i = 0; i < count; i++)
		text_printf(body,
			    "%s{\"allocator\":%u,\"type\":\"%s\",\"ours\":{"
			    "\"allocated_bytes\":%" PRIu64 "},\"allocator_says\":{"
			    "\"size_bytes\":%" PRIu64 ",\"allocated_bytes\":%" PRIu64
			    ",\"free_bytes\":%" PRIu64 ",\"largest_free_bytes\":%" PRIu64
			    "},\"equal\":%s}",
			    i ? "," : "", answers[i].allocator, memory_type_key(answers[i].type),
			    answers[i].our_bytes, answers[i].size_bytes,
			    answers[i].allocated_bytes, answers[i].free_bytes,
			    answers[i].largest_free_bytes, equal[answers[i].result]);
}

static void route_verify(struct server *server, const struct route_request *request,
			 struct route_response *response)
{
	static struct verify_answer answers[VERIFY_ANSWERS_MAX];
	uint64_t pid = 0;

	if (!request->argument(request, "pid"))
		return route_bad_argument(response, "pid");
	if (!number_argument(request, response, "pid", UINT32_MAX, &pid))
		return;
	struct entry *entry = registry_find(&server->registry, (uint32_t)pid);

	if (!entry)
		return route_fail(response, 404, "no_process", "no live process with this pid reports",
			    "/v1/processes lists those that do");
	if (request->viewer.anonymous ||
	    (request->viewer.uid != 0 && request->viewer.uid != entry->uid))
		return route_fail(response, 403, "denied", "this process belongs to another user",
			    "ask as its owner or as root");
	if (!entry->control)
		return route_fail(response, 409, "no_control", "the process gave no control page", NULL);
	uint64_t token = request->token ? request->token
					: verify_ask(entry->control, entry->line);
	int count = verify_read(&entry->map, token, answers);

	if (count <= 0 && request->waited_ns < VERIFY_NS) {
		response->token = token;
		return;
	}
	text_printf(&response->body,
		    "{\"schema\":\"ttmem.verify/1\",\"pid\":%u,\"state\":\"%s\",\"answers\":[",
		    entry->pid, count > 0 ? "answered" : "idle");
	write_answers(&response->body, answers, count);
	text_puts(&response->body, "]}");
}

static const struct {
	const char *method, *path;
	route_handler *handler;
} routes[] = {
	{"GET", "/v1/snapshot", route_snapshot},   {"GET", "/v1/processes", route_processes},
	{"GET", "/v1/devices", route_devices},	   {"GET", "/v1/buffers", route_buffers},
	{"GET", "/v1/failures", route_failures},   {"GET", "/v1/server", route_server},
	{"GET", "/v1/sites", route_sites},	   {"GET", "/v1/growth", route_growth},
	{"GET", "/healthz", route_healthz},	   {"POST", "/v1/verify", route_verify},
};

void routes_answer(struct server *server, const struct route_request *request,
		   struct route_response *response)
{
	bool known = false;

	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
		if (strcmp(request->path, routes[i].path) != 0)
			continue;
		known = true;
		if (strcmp(request->method, routes[i].method) == 0)
			return routes[i].handler(server, request, response);
	}
	if (known)
		route_fail(response, 405, "method", "this path takes another method", NULL);
	else
		route_fail(response, 404, "no_route", "there is no such path",
		     "docs/api.md lists the routes");
}
