/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The documents of a check-up: what it found, and what it reads of a server
 * besides snapshots. docs/api.md describes them.
 */
#ifndef TTMEM_API_JSON_DOCTOR_H
#define TTMEM_API_JSON_DOCTOR_H

#include "base/buffer.h"
#include "collect/verify.h"
#include "model/findings.h"

/* json_write_findings - {"schema":"ttmem.doctor/1",...}, one line, no newline at the end */
void json_write_findings(struct text *text, const struct findings *findings, uint64_t time_ns);

/* What a server says of itself; a count that it does not tell is 0. */
struct server_facts {
	char version[32];
	uint64_t live;
	uint64_t refused_message, refused_table, refused_limit; /* both limits together */
	uint64_t processes_denied, tables_refused;		/* when it started */
};

/* json_read_server - of GET /v1/server. Return: 0; -EBADMSG. */
int json_read_server(const char *json, size_t length, struct server_facts *ret_facts);
/* json_read_verify - of POST /v1/verify. Return: how many answers; -EBADMSG; -ENOMEM. */
int json_read_verify(const char *json, size_t length,
		     struct verify_answer answers[VERIFY_ANSWERS_MAX]);

#endif
