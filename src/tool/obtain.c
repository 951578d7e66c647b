/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/obtain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/client.h"
#include "api/json.h"
#include "base/clock.h"
#include "tool/servers.h"

#define SOCKET "api.sock"

/* Buffers are asked for in one page: the most that a table can hold, times a few processes. */
#define TARGET_BUFFERS	"/v1/buffers?limit=1000000"
#define TARGET_SNAPSHOT "/v1/snapshot"
#define TARGET_HOLES	"/v1/snapshot?largest_free=1"

static int read_reply(const char *path, const struct collect_options *options,
		      struct snapshot *ret_snapshot)
{
	text_auto body = TEXT_INIT;
	const char *target = options->buffers	    ? TARGET_BUFFERS
			     : options->largest_free ? TARGET_HOLES
						     : TARGET_SNAPSHOT;
	int r = client_get(path, target, &body);

	if (r < 0)
		return r;
	return options->buffers ? json_read_buffers(body.bytes, body.length, ret_snapshot)
				: json_read_snapshot(body.bytes, body.length, ret_snapshot);
}

/*
 * Asks one server. Return: 0; -ENOENT without a word when it is not there; any
 * other failure is said.
 */
static int ask(const char *directory, const struct collect_options *options,
	       struct snapshot *ret_snapshot)
{
	char path[256];
	int n = snprintf(path, sizeof path, "%s/" SOCKET, directory);

	if (n < 0 || (size_t)n >= sizeof path)
		return -ENOENT;
	int r = read_reply(path, options, ret_snapshot);

	if (r < 0 && r != -ENOENT && r != -ENOTDIR)
		fprintf(stderr, "ttmem: the server at %s does not answer (%s); looking myself\n",
			directory,
			r == -ETIMEDOUT ? "no reply in time" : strerror(-r));
	return r;
}

static int ask_any(const struct collect_options *options, struct snapshot *ret_snapshot)
{
	const char *list = getenv("TTMEM_SOCKET_DIR");
	char directory[256];
	int r = -ENOENT;

	/* a root of one's own is no server's, unless one is named */
	if (options->root && !(list && *list))
		return -ENOENT;
	for (unsigned i = 0; r == -ENOENT && servers_place(i, directory, sizeof directory); i++)
		if (directory[0])
			r = ask(directory, options, ret_snapshot);
	return r;
}

int obtain_snapshot(const struct collect_options *options, bool no_server,
		    struct snapshot *ret_snapshot, struct collect_notes *ret_notes)
{
	/* the child of `ttmem run --report` has its parent's socket in the list: no server is there */
	if (!no_server && ask_any(options, ret_snapshot) == 0) {
		if (ret_notes)
			*ret_notes = (struct collect_notes){0};
		return 0;
	}
	return collect_local(options, ret_snapshot, ret_notes);
}
