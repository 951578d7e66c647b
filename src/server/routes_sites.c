/* SPDX-License-Identifier: Apache-2.0 */
/* What sites hold, and which of them grow. */
#include <string.h>

#include "api/json_rows.h"
#include "base/clock.h"
#include "base/duration.h"
#include "server/route_parts.h"

/* The rows by `by` that this viewer may see. False with the response made. */
static bool take_rows(struct server *server, const struct route_request *request,
		      struct route_response *response, enum group_by by,
		      struct snapshot *ret_snapshot, struct site_list *ret_list)
{
	struct buffer_filter filter;

	memset(&filter, 0, sizeof filter);
	if (!route_filter_arguments(request, response, &filter))
		return false;
	int r = server_sites(server, &filter, by, &request->viewer, ret_snapshot, ret_list);

	if (r < 0)
		route_fail_errno(response, r);
	return r == 0;
}

void route_sites(struct server *server, const struct route_request *request,
		 struct route_response *response)
{
	const char *word = request->argument(request, "by");
	enum group_by by = GROUP_SITE;
	struct snapshot snapshot;
	struct site_list list;

	if (word && group_by_parse(word, &by) < 0)
		return route_bad_argument(response, "by");
	watch_ask(&server->watch, clock_monotonic_ns());
	if (!take_rows(server, request, response, by, &snapshot, &list))
		return;
	growth_last_minute(&server->watch.growth, &snapshot, &list, clock_monotonic_ns());
	json_write_sites(&response->body, &snapshot, &list);
	site_list_clear(&list);
	snapshot_clear(&snapshot);
}

void route_growth(struct server *server, const struct route_request *request,
		  struct route_response *response)
{
	const char *word = request->argument(request, "window");
	uint64_t window_ns = WATCH_WINDOW_NS, now_ns = clock_monotonic_ns();
	struct snapshot snapshot;
	struct site_list list;

	if (word && (duration_parse(word, &window_ns) < 0 || window_ns > WATCH_KEPT_NS))
		return route_bad_argument(response, "window");
	watch_ask(&server->watch, now_ns);
	if (!take_rows(server, request, response, GROUP_SITE, &snapshot, &list))
		return;
	growth_select(&server->watch.growth, &snapshot, &list, now_ns, window_ns);
	list.interval_ns = watch_interval(&server->watch);
	list.is_slowed = watch_is_slowed(&server->watch);
	list.old_after_ns = watch_old_after(&server->watch);
	json_write_growth(&response->body, &snapshot, &list);
	site_list_clear(&list);
	snapshot_clear(&snapshot);
}
