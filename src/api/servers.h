/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TTMEM_API_SERVERS_H
#define TTMEM_API_SERVERS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * servers_place - the directories where a server may be, in the order in which they are asked:
 * those of $TTMEM_SOCKET_DIR, /run/ttmem, $XDG_RUNTIME_DIR/ttmem. `to` is "" for one whose name is
 * too long. Return: false when there are no more.
 */
bool servers_place(unsigned index, char *to, size_t size);

#endif
