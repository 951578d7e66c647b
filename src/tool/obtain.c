/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/obtain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void say(const struct ask_complaint *complaint)
{
	if (complaint->error < 0)
		fprintf(stderr, "ttmem: the server at %s does not answer (%s); looking myself\n",
			complaint->directory,
			complaint->error == -ETIMEDOUT ? "no reply in time"
						       : strerror(-complaint->error));
}

int obtain_ask(const struct ask_question *question)
{
	struct ask_complaint complaint;
	int r = ask_question(question, &complaint);

	say(&complaint);
	return r;
}

int obtain_snapshot(const struct collect_options *options, bool no_server,
		    struct snapshot *ret_snapshot, struct collect_notes *ret_notes)
{
	struct ask_complaint complaint;
	int r = ask_snapshot(options, no_server, ret_snapshot, ret_notes, &complaint);

	say(&complaint);
	return r;
}

int obtain_failed_moment(uint32_t pid, uint64_t failure, struct snapshot *ret_buffers)
{
	struct ask_complaint complaint;
	int r = ask_failed_moment(pid, failure, ret_buffers, &complaint);

	say(&complaint);
	return r;
}

int obtain_failures(bool no_server, struct snapshot *ret_snapshot)
{
	struct ask_complaint complaint;
	int r = ask_failures(no_server, ret_snapshot, &complaint);

	say(&complaint);
	return r;
}
