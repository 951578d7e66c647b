/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `ttmem run --report` prints: it is a server for one program. Processes
 * hand their tables over by registration, so the tables of short-lived ones
 * and the last state of every one outlive them.
 */
#ifndef TTMEM_TOOL_REPORT_H
#define TTMEM_TOOL_REPORT_H

#include <stdint.h>
#include <stdio.h>

#define REPORT_TABLES_MAX 1024

struct report_table {
	int fd; /* of the table */
	uint32_t pid, uid;
};

struct report {
	int socket;
	char directory[108];
	uint32_t count, ignored;
	struct report_table tables[REPORT_TABLES_MAX];
};

/*
 * report_prepare - makes a private socket directory and puts it first in TTMEM_SOCKET_DIR.
 * Return: 0 or -errno. End with report_finish.
 */
int report_prepare(struct report *report);
/* report_descriptor - readable when somebody registers */
int report_descriptor(const struct report *report);
/* report_receive - takes all that wait; never blocks */
void report_receive(struct report *report);
/* report_print - the report itself. Return: 0 or -errno. */
int report_print(const struct report *report, FILE *out);
void report_finish(struct report *report);

#endif
