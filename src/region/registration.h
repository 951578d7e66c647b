/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one message from a process to a server: "here is my table".
 *
 * Sent over a SOCK_SEQPACKET connection to register.sock with two descriptors:
 * the table, opened read-only, and the control page. The connection is closed
 * at once; message and descriptors wait in the server's queue, even if the
 * sender dies. Who sent it is what the kernel says (SO_PEERCRED), never what
 * stands here; the answer is a heartbeat in the line named here.
 */
#ifndef TTMEM_REGION_REGISTRATION_H
#define TTMEM_REGION_REGISTRATION_H

#include <stdint.h>

#define REGISTRATION_MAGIC   UINT64_C(0x004745526d656d74) /* "tmemREG\0" */
#define REGISTRATION_VERSION 1u
#define REGISTRATION_SOCKET  "register.sock"
#define REGISTRATION_FDS     2 /* table, control page */

struct registration {
	uint64_t magic;
	uint32_t version;
	uint32_t line;	      /* the server's line in the control page, 0..CONTROL_SERVERS_MAX - 1 */
	uint64_t start_ticks; /* of the sender: field 22 of its /proc/PID/stat */
	uint32_t kind;	      /* enum registration_kind */
	uint32_t pid;	      /* of an adopted process, as the sender sees it; else 0 */
};

enum registration_kind {
	REGISTRATION_TABLE = 0,
	REGISTRATION_FAILURE = 1, /* a copy made when an allocation failed */
	REGISTRATION_ADOPTED = 2, /* root found this table of process `pid` and hands it over */
};

_Static_assert(sizeof(struct registration) == 32, "the message is a contract");

/* Lines of the control page that tools without a server may take; the hook gives out those below. */
#define REGISTRATION_LINES 6u

#endif
