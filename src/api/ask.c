/* SPDX-License-Identifier: Apache-2.0 */
#include "api/ask.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/client.h"
#include "api/json.h"
#include "api/servers.h"

#define SOCKET "api.sock"

/* Buffers are asked for in one page: the most that a table can hold, times a few processes. */
#define TARGET_BUFFERS	"/v1/buffers?limit=1000000"
#define TARGET_FAILURES "/v1/failures"
#define TARGET_SNAPSHOT "/v1/snapshot"
#define TARGET_HOLES	"/v1/snapshot?largest_free=1"
#define TARGET_PICTURE	"/v1/snapshot?largest_free=1&brief=1"

static int read_snapshot(const char *json, size_t length, void *result)
{
	return json_read_snapshot(json, length, result);
}

static int read_buffers(const char *json, size_t length, void *result)
{
	return json_read_buffers(json, length, result);
}

static int read_reply(const char *path, const struct ask_question *question)
{
	text_auto body = TEXT_INIT;
	int r = client_get(path, question->target, &body);

	return r < 0 ? r : question->read(body.bytes, body.length, question->result);
}

/* Asks one server. Return: 0; -ENOENT without a complaint when it is not there; -errno. */
static int ask(const char *directory, const struct ask_question *question,
	       struct ask_complaint *complaint)
{
	char path[256];
	int n = snprintf(path, sizeof path, "%s/" SOCKET, directory);

	if (n < 0 || (size_t)n >= sizeof path)
		return -ENOENT;
	int r = read_reply(path, question);

	if (r < 0 && r != -ENOENT && r != -ENOTDIR && complaint) {
		complaint->error = r;
		(void)snprintf(complaint->directory, sizeof complaint->directory, "%s", directory);
	}
	return r;
}

static int ask_any(const struct ask_question *question, struct ask_complaint *complaint)
{
	char directory[256];
	int r = -ENOENT;

	for (unsigned i = 0; r == -ENOENT && servers_place(i, directory, sizeof directory); i++)
		if (directory[0])
			r = ask(directory, question, complaint);
	return r;
}

/* What is wanted of a process named by pid; the server answers for the others otherwise. */
static struct ask_question question_of(const struct collect_options *options, struct snapshot *result)
{
	struct ask_question question = {
		.read = options->buffers ? read_buffers : read_snapshot,
		.result = result,
	};

	const char *stacks = options->stacks ? "&stack=1" : "";

	if (options->buffers && options->pid)
		(void)snprintf(question.target, sizeof question.target,
			       TARGET_BUFFERS "%s&pid=%u", stacks, options->pid);
	else if (options->buffers)
		(void)snprintf(question.target, sizeof question.target, TARGET_BUFFERS "%s",
			       stacks);
	else
		(void)snprintf(question.target, sizeof question.target, "%s",
			       options->brief	       ? TARGET_PICTURE
			       : options->largest_free ? TARGET_HOLES
						       : TARGET_SNAPSHOT);
	return question;
}

static void no_complaint(struct ask_complaint *complaint)
{
	if (complaint)
		*complaint = (struct ask_complaint){.error = 0};
}

int ask_question(const struct ask_question *question, struct ask_complaint *ret_complaint)
{
	no_complaint(ret_complaint);
	return ask_any(question, ret_complaint);
}

bool ask_may_ask(const char *root, bool no_server)
{
	/* the child of `ttmem run --report` has its parent's socket in the list: no server is there */
	const char *named = getenv("TTMEM_SOCKET_DIR");

	/* a root of one's own is no server's, unless one is named */
	return !no_server && (!root || (named && *named));
}

int ask_server(const char *directory, const struct collect_options *options,
	       struct snapshot *ret_snapshot, struct ask_complaint *ret_complaint)
{
	struct ask_question question = question_of(options, ret_snapshot);

	no_complaint(ret_complaint);
	if (directory)
		return ask(directory, &question, ret_complaint);
	return ask_may_ask(options->root, false) ? ask_any(&question, ret_complaint) : -ENOENT;
}

int ask_snapshot(const struct collect_options *options, bool no_server,
		 struct snapshot *ret_snapshot, struct collect_notes *ret_notes,
		 struct ask_complaint *ret_complaint)
{
	no_complaint(ret_complaint);
	if (no_server || ask_server(NULL, options, ret_snapshot, ret_complaint) != 0)
		return collect_local(options, ret_snapshot, ret_notes);
	if (ret_notes)
		*ret_notes = (struct collect_notes){0};
	return 0;
}

struct kept {
	uint32_t pid;
	uint64_t failure, number;
};

static int read_kept(const char *json, size_t length, void *result)
{
	struct kept *kept = result;

	return json_read_kept(json, length, kept->pid, kept->failure, &kept->number);
}

int ask_failed_moment(uint32_t pid, uint64_t failure, struct snapshot *ret_buffers,
		      struct ask_complaint *ret_complaint)
{
	struct kept kept = {.pid = pid, .failure = failure};
	struct ask_question question = {TARGET_FAILURES, read_kept, &kept};

	no_complaint(ret_complaint);
	int r = ask_any(&question, ret_complaint);

	if (r < 0)
		return r;
	question = (struct ask_question){.read = read_buffers, .result = ret_buffers};
	(void)snprintf(question.target, sizeof question.target, TARGET_BUFFERS "&failure=%" PRIu64,
		       kept.number);
	return ask_any(&question, ret_complaint);
}

int ask_failures(bool no_server, struct snapshot *ret_snapshot,
		 struct ask_complaint *ret_complaint)
{
	const struct collect_options options = {0};
	struct ask_question question = {TARGET_FAILURES, read_snapshot, ret_snapshot};

	no_complaint(ret_complaint);
	if (!no_server && ask_any(&question, ret_complaint) == 0)
		return 0;
	return collect_local(&options, ret_snapshot, NULL);
}
