/* SPDX-License-Identifier: Apache-2.0 */
/* Where a server may be, whether it answers, what it could not find, and whom it does not know. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/client.h"
#include "api/json_doctor.h"
#include "tool/doctor.h"
#include "api/servers.h"

/* Whoever may write there may put a socket of his own in its place. */
static void check_directory(struct doctor *doctor, const char *directory)
{
	struct stat st;

	if (stat(directory, &st) < 0)
		return;
	if ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX))
		findings_add(doctor->findings, FINDING_WARNING, "socket", "chmod o-w it",
			     "everybody may write to its directory");
	else if (st.st_uid != 0 && st.st_uid != geteuid())
		findings_add(
		    doctor->findings, FINDING_UNKNOWN, "socket",
		    "processes hand their tables to it only with its uid in TTMEM_SERVER_UID",
		    "its directory belongs to user %u, who is neither root nor you",
		    (unsigned)st.st_uid);
}

static void say_silence(struct doctor *doctor, int error)
{
	if (error == -ECONNREFUSED)
		findings_add(doctor->findings, FINDING_WARNING, "server",
			     "start ttmemd again, or remove the socket",
			     "its socket is there, and nobody serves it");
	else if (error == -EACCES || error == -EPERM)
		findings_add(doctor->findings, FINDING_WARNING, "server",
			     "its directory has to be searchable and api.sock writable for you",
			     "you may not connect to it");
	else
		findings_add(doctor->findings, FINDING_WARNING, "server",
			     "look at its log (journalctl -u ttmemd) and restart it",
			     "it does not answer: %s",
			     error == -ETIMEDOUT ? "no reply in time" : strerror(-error));
}

static void say_refusals(struct doctor *doctor, const struct server_facts *facts)
{
	if (facts->refused_limit)
		findings_add(doctor->findings, FINDING_WARNING, "refusals",
			     "end processes that are not needed; their tables are seen without a "
			     "server",
			     "tables that it refused: %" PRIu64 "; it, or one user, had too many",
			     facts->refused_limit);
	if (facts->refused_table || facts->refused_message)
		findings_add(doctor->findings, FINDING_WARNING, "refusals",
			     "its log says whose; use hook and server of one version",
			     "not understood and refused: tables %" PRIu64 ", messages %" PRIu64,
			     facts->refused_table, facts->refused_message);
	if (facts->processes_denied)
		findings_add(doctor->findings, FINDING_UNKNOWN, "refusals",
			     "their tables come at their next allocation, or by ttmem adopt (root)",
			     "processes that it was not allowed to look at when it started: %" PRIu64,
			     facts->processes_denied);
}

static void say_server(struct doctor *doctor, const struct server_facts *facts)
{
	if (strcmp(facts->version, TTMEM_VERSION) != 0)
		findings_add(doctor->findings, FINDING_WARNING, "server",
			     "restart it after an update, and use tool and server of one version",
			     "it is version %s, and this tool is " TTMEM_VERSION,
			     facts->version[0] ? facts->version : "unknown");
	else
		findings_add(doctor->findings, FINDING_OK, "server", "",
			     "it answers and knows %" PRIu64 " live processes", facts->live);
	say_refusals(doctor, facts);
}

static void check_place(struct doctor *doctor, const char *directory, bool *found)
{
	text_auto body = TEXT_INIT;
	struct server_facts facts;
	char socket[sizeof doctor->socket];
	int n = snprintf(socket, sizeof socket, "%s/api.sock", directory);

	if (n < 0 || (size_t)n >= sizeof socket)
		return;
	int r = client_get(socket, "/v1/server", &body);

	if (r == -ENOENT || r == -ENOTDIR)
		return;
	*found = true;
	findings_subject(doctor->findings, "server at %s", directory);
	check_directory(doctor, directory);
	if (r == 0)
		r = json_read_server(body.bytes, body.length, &facts);
	if (r < 0) {
		say_silence(doctor, r);
		return;
	}
	say_server(doctor, &facts);
	if (!doctor->socket[0])
		memcpy(doctor->socket, socket, sizeof socket);
}

void doctor_find_servers(struct doctor *doctor)
{
	const char *list = getenv("TTMEM_SOCKET_DIR");
	char directory[sizeof doctor->socket];
	bool found = false;

	findings_subject(doctor->findings, "server");
	if (doctor->no_server || (doctor->root_path && !(list && *list))) {
		findings_add(doctor->findings, FINDING_UNKNOWN, "server",
			     "leave out --no-server and --root", "none is asked");
		return;
	}
	for (unsigned i = 0; servers_place(i, directory, sizeof directory); i++)
		if (directory[0])
			check_place(doctor, directory, &found);
	if (!found)
		findings_add(doctor->findings, FINDING_UNKNOWN, "server",
			     "start ttmemd, to see processes of others and those that have ended",
			     "none runs; ttmem looks at the processes itself");
}

void doctor_check_servers(struct doctor *doctor)
{
	const struct snapshot *own = &doctor->own.picture;

	for (uint32_t i = 0; doctor->served.is_there && i < own->process_count; i++) {
		const struct process *p = &own->processes[i];

		if (p->source != SOURCE_HOOK || p->state != PROCESS_LIVE ||
		    doctor_same(&doctor->served, p) != SNAPSHOT_NONE)
			continue;
		findings_subject(doctor->findings, "process %u", p->pid);
		findings_add(
		    doctor->findings, FINDING_WARNING, "registration",
		    "it registers when it allocates: mount the server's directory into its "
		    "container and name it in TTMEM_SOCKET_DIR, name the server's user in "
		    "TTMEM_SERVER_UID, or hand it over: ttmem adopt (root)",
		    "it has a table, and the server does not know it");
	}
}
