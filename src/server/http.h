/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP on api.sock, by libmicrohttpd. What it does not do is done here: a
 * deadline for whole requests (its own timeout only sees inactivity, so a
 * client that trickles would stay for ever), and a quota per uid.
 */
#ifndef TTMEM_SERVER_HTTP_H
#define TTMEM_SERVER_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"

#define HTTP_CONNECTIONS_MAX 1024u

struct http;
struct server;

/* http_start - serves on a listening socket, which it takes over. Return: 0 or -errno. */
int http_start(struct server *server, int listener, struct http **ret_http);
/* http_tick - cuts off connections that are past their deadline */
void http_tick(struct http *http, uint64_t now_monotonic_ns);
/* http_is_waiting - are there requests that want http_look_again in a few milliseconds? */
bool http_is_waiting(const struct http *http);
void http_look_again(struct http *http);
uint32_t http_connections(const struct http *http);
void http_stop(struct http *http);

#endif
