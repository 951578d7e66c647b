/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of routes share. Private to src/server. */
#ifndef TTMEM_SERVER_ROUTE_PARTS_H
#define TTMEM_SERVER_ROUTE_PARTS_H

#include "server/routes.h"
#include "server/server.h"
#include "view/selection.h"

typedef void route_handler(struct server *server, const struct route_request *request,
			   struct route_response *response);

route_handler route_sites, route_growth; /* routes_sites.c */

/* route_fail - the answer becomes an error; `hint` may be NULL */
void route_fail(struct route_response *response, unsigned status, const char *code,
		const char *message, const char *hint);
void route_fail_errno(struct route_response *response, int error);
void route_bad_argument(struct route_response *response, const char *name);
/* route_filter_arguments - of lists of buffers. Return: false with the response made. */
bool route_filter_arguments(const struct route_request *request, struct route_response *response,
			    struct buffer_filter *filter);

#endif
