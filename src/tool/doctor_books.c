/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The books on live data: figures against each other (analyse/books.h), totals
 * against the buffers, and both against what the process's allocators say.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "analyse/books.h"
#include "api/client.h"
#include "api/json_doctor.h"
#include "tool/doctor.h"

static int check_process(struct books *books, const struct doctor_look *look, uint32_t process,
			 const char *from)
{
	const struct snapshot *listing =
	    look->listing.process_count ? &look->listing : &look->picture;
	const struct process *p = &look->picture.processes[process];
	int r = 0;

	findings_subject(books->findings, "process %u%s", p->pid, from);
	books_process(books, &look->picture, process);
	if (p->hidden) {
		books_close(books, "what is shown");
		findings_add(books->findings, FINDING_UNKNOWN, "sums",
			     "ask as its owner or as root",
			     "it belongs to another user: its buffers are not shown");
	} else if (!doctor_still(look, process)) {
		books_close(books, "figures");
		findings_add(books->findings, FINDING_UNKNOWN, "sums", "look again when it is idle",
			     "it allocates too fast for its buffers to be listed at one moment");
	} else if (listing->buffer_count >= DOCTOR_BUFFERS_MAX && look->picture.server) {
		books_close(books, "figures");
		findings_add(books->findings, FINDING_UNKNOWN, "sums", "add --no-server",
			     "the server does not list so many buffers at once");
	} else {
		r = books_listing(books, &look->picture, process, listing);
		books_close(books, "figures and sums over buffers");
	}
	return r;
}

static int check_look(struct doctor *doctor, const struct doctor_look *look, const char *from)
{
	struct books books = {.findings = doctor->findings};
	int r = 0;

	for (uint32_t i = 0; look->is_there && r == 0 && i < look->picture.process_count; i++) {
		const struct process *p = &look->picture.processes[i];

		if (p->source == SOURCE_HOOK && p->state == PROCESS_LIVE)
			r = check_process(&books, look, i, from);
	}
	if (r == 0 && look->is_there && look->picture.machine_devices.count) {
		findings_subject(doctor->findings, "machine%s", from);
		books_machine(&books, &look->picture);
		books_close(&books, "chips");
	}
	return r;
}

/* By the server, if it knows the process. Return: how many answers, or -errno. */
static int ask(struct doctor *doctor, const struct process *p,
	       struct verify_answer answers[VERIFY_ANSWERS_MAX])
{
	uint32_t served = doctor_same(&doctor->served, p);
	text_auto body = TEXT_INIT;
	char target[64];

	if (served == SNAPSHOT_NONE)
		return verify_process(p->pid, answers);
	(void)snprintf(target, sizeof target, "/v1/verify?pid=%u",
		       doctor->served.picture.processes[served].pid);
	int r = client_post(doctor->socket, target, &body);

	return r < 0 ? r : json_read_verify(body.bytes, body.length, answers);
}

static void say_answers(struct doctor *doctor, const struct verify_answer *answers, int count)
{
	unsigned equal = 0, moved = 0, said = 0;

	for (int i = 0; i < count; i++) {
		const struct verify_answer *a = &answers[i];

		equal += a->result == VERIFY_EQUAL;
		moved += a->result == VERIFY_MOVED;
		if (a->result == VERIFY_DIFFERENT && said++ < BOOKS_SENTENCES)
			findings_add(
			    doctor->findings, FINDING_ERROR, "verify",
			    "do not trust its figures; report it with the version of TT-Metal",
			    "allocator %u, %s: we count %" PRIu64
			    " bytes in a bank, the allocator %" PRIu64,
			    a->allocator, memory_type_name(a->type), a->our_bytes,
			    a->allocated_bytes);
	}
	if (said)
		return;
	if (equal)
		findings_add(doctor->findings, FINDING_OK, "verify", "",
			     "%u figures are equal to its allocators' own", equal);
	else
		findings_add(doctor->findings, FINDING_UNKNOWN, "verify", "look again",
			     "it allocated while it answered (%u figures)", moved);
}

static bool can_verify(struct doctor *doctor, const struct snapshot *picture,
		       const struct process *p)
{
	for (uint32_t i = 0; i < p->capabilities.count; i++) {
		const struct capability *c = &picture->capabilities[p->capabilities.first + i];

		if (strcmp(snapshot_text(picture, c->name), "verify") != 0 ||
		    c->state == AVAILABLE_PRESENT)
			continue;
		/* "report": a runtime that keeps its own books */
		bool is_report = strcmp(snapshot_text(picture, p->entry), "report") == 0;

		findings_add(doctor->findings, FINDING_UNKNOWN, "verify",
			     is_report ? "nothing to do"
				       : "use a release of TT-Metal that exports it",
			     "its allocators cannot be asked: %s",
			     snapshot_text(picture, c->reason));
		return false;
	}
	return true;
}

static void verify(struct doctor *doctor, const struct doctor_look *look, uint32_t process)
{
	static struct verify_answer answers[VERIFY_ANSWERS_MAX];
	const struct process *p = &look->picture.processes[process];

	findings_subject(doctor->findings, "process %u", p->pid);
	if (p->hidden || !can_verify(doctor, &look->picture, p))
		return;
	int r = ask(doctor, p, answers);

	if (r > 0)
		say_answers(doctor, answers, r);
	else if (r == 0)
		findings_add(doctor->findings, FINDING_UNKNOWN, "verify",
			     "look again while it allocates or frees",
			     "it was asked to compare itself with its allocators, but made no "
			     "allocation within a second");
	else if (r == -EACCES || r == -EPERM)
		findings_add(doctor->findings, FINDING_UNKNOWN, "verify",
			     "ask as its owner or as root",
			     "it belongs to another user and may not be asked");
	else
		findings_add(doctor->findings, FINDING_UNKNOWN, "verify",
			     "look again; as root when it belongs to another user",
			     "it cannot be asked: %s",
			     r == -ESRCH ? "it ended, or gives no control page" : strerror(-r));
}

static void verify_all(struct doctor *doctor, const struct doctor_look *look, bool unless_own)
{
	for (uint32_t i = 0; look->is_there && i < look->picture.process_count; i++) {
		const struct process *p = &look->picture.processes[i];

		if (p->source == SOURCE_HOOK && p->state == PROCESS_LIVE &&
		    !(unless_own && doctor_same(&doctor->own, p) != SNAPSHOT_NONE))
			verify(doctor, look, i);
	}
}

int doctor_check_books(struct doctor *doctor)
{
	int r = check_look(doctor, &doctor->own, "");

	if (r == 0)
		r = check_look(doctor, &doctor->served, " at the server");
	if (r < 0)
		return r;
	verify_all(doctor, &doctor->own, false);
	verify_all(doctor, &doctor->served, true);
	return 0;
}
