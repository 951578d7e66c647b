/* SPDX-License-Identifier: Apache-2.0 */
/* The other end of a registration: one message from one connection, checked. */
#ifndef TTMEM_REGION_RECEIVE_H
#define TTMEM_REGION_RECEIVE_H

#include <stdint.h>

#include "region/registration.h"

struct received {
	struct registration message;
	uint32_t pid, uid, gid; /* of the sender, from the kernel; pid 0: in no namespace of ours */
	int pidfd;		/* -1 where the kernel gives none */
	int table, control;	/* owned by the caller */
};

/*
 * receive_listen - a SOCK_SEQPACKET listener at DIRECTORY/register.sock, with a backlog for
 * thousands. Return: descriptor (non-blocking), or -errno.
 */
int receive_listen(const char *path, unsigned mode);
/*
 * receive_accept - the next connection in the queue. Return: descriptor (non-blocking); -EAGAIN when
 * none waits; another -errno.
 */
int receive_accept(int listener);
/*
 * receive_message - the message of a connection; the connection stays the caller's. Return: 0;
 * -EAGAIN when it has not been sent yet (the sender is between connect and send); -EBADMSG for
 * garbage or a connection without a message (nothing is kept open); another -errno.
 */
int receive_message(int connection, struct received *ret_received);
/* receive_close - closes all descriptors of a message */
void receive_close(struct received *received);

#endif
