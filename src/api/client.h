/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking a server: one GET or POST over its Unix socket. Small on purpose: HTTP/1.0,
 * a reply of known length, a deadline for the first byte, none of the rest of
 * HTTP. A server that works on the answer, or would if it had a processor, is
 * waited for longer than one that hangs.
 */
#ifndef TTMEM_API_CLIENT_H
#define TTMEM_API_CLIENT_H

#include "base/buffer.h"

/* A server that does not begin to answer in this time, and does nothing, is as good as none. */
#define CLIENT_PATIENCE_MS 200

/* What is asked for by POST takes time: /v1/verify waits a second for a process. */
#define CLIENT_POST_PATIENCE_MS 3000

/*
 * client_get - the body of a reply with status 200.
 * Return: 0; -ENOENT: there is no such socket; -ECONNREFUSED: nobody serves it; -ETIMEDOUT;
 * -EACCES, -ESRCH: status 403, 404; -EPROTO: not an answer that we understand, or another status;
 * -errno.
 */
int client_get(const char *socket_path, const char *target, struct text *ret_body);
/* client_post - the same with POST, without a body, and with more patience */
int client_post(const char *socket_path, const char *target, struct text *ret_body);

#endif
