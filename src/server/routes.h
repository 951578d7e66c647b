/* SPDX-License-Identifier: Apache-2.0 */
/* What each path answers; docs/api.md describes every route. No HTTP library in here. */
#ifndef TTMEM_SERVER_ROUTES_H
#define TTMEM_SERVER_ROUTES_H

#include <stdint.h>

#include "base/buffer.h"
#include "model/policy.h"

struct server;

struct route_request {
	const char *method;
	const char *path;
	struct policy_viewer viewer;
	const char *if_none_match; /* NULL: none */
	uint64_t token;	    /* what an earlier call for the same request left; 0: the first call */
	uint64_t waited_ns; /* since the first call */
	/* argument - value of a query parameter, "" without a value, NULL when absent */
	const char *(*argument)(const struct route_request *request, const char *name);
};

struct route_response {
	unsigned status;
	struct text body; /* freed by the caller */
	char etag[24];	  /* "" for none */
	uint64_t token;	  /* not 0: not ready, call again with it in a few milliseconds */
};

void routes_answer(struct server *server, const struct route_request *request,
		   struct route_response *response);

#endif
