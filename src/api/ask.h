/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a snapshot comes from: the first server there is, else our own look at
 * the machine. Says nothing itself: what went wrong on the way is handed back
 * for those who may print.
 */
#ifndef TTMEM_API_ASK_H
#define TTMEM_API_ASK_H

#include "collect/collect.h"

/* A server that is there but does not answer. */
struct ask_complaint {
	char directory[256];
	int error; /* negative errno; 0: no complaint */
};

#define ASK_TARGET_MAX 2048

/* One question to a server, and who understands the answer. */
struct ask_question {
	char target[ASK_TARGET_MAX];
	int (*read)(const char *json, size_t length, void *result);
	void *result;
};

/*
 * ask_question - asks the first server there is. Return: 0; -ENOENT: there is none; another -errno:
 * it did not answer (ret_complaint, which may be NULL).
 */
int ask_question(const struct ask_question *question, struct ask_complaint *ret_complaint);
/* ask_may_ask - or is it the viewer's wish to look without a server? */
bool ask_may_ask(const char *root, bool no_server);

/*
 * ask_server - the picture that `options` want, from the server in this directory, or (NULL) from
 * the first of the usual ones. Return: 0;
 * -ENOENT: there is none; another -errno: it did not answer (ret_complaint, which may be NULL).
 */
int ask_server(const char *directory, const struct collect_options *options, struct snapshot *ret_snapshot,
	       struct ask_complaint *ret_complaint);
/*
 * ask_snapshot - the same, and from our own look when no server answers or `no_server`.
 * Return: 0 or -errno. ret_notes and ret_complaint may be NULL; notes are zeros when a server told.
 */
int ask_snapshot(const struct collect_options *options, bool no_server,
		 struct snapshot *ret_snapshot, struct collect_notes *ret_notes,
		 struct ask_complaint *ret_complaint);
/* ask_failures - a picture of the processes that have had failures. Return: as ask_snapshot. */
int ask_failures(bool no_server, struct snapshot *ret_snapshot,
		 struct ask_complaint *ret_complaint);
/*
 * ask_failed_moment - the buffers of a process as they were at its failure of this number, which
 * only a server keeps. Return: 0; -ENOENT: no server, or it has none; -errno.
 */
int ask_failed_moment(uint32_t pid, uint64_t failure, struct snapshot *ret_buffers,
		      struct ask_complaint *ret_complaint);

#endif
