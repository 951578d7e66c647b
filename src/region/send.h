/* SPDX-License-Identifier: Apache-2.0 */
/* Sending a registration: used by the hook for its own table and by root for those of others. */
#ifndef TTMEM_REGION_SEND_H
#define TTMEM_REGION_SEND_H

#include "region/registration.h"

/* send_registration - message and descriptors over a connection; never waits. Return: 0 or -errno. */
int send_registration(int connection, const struct registration *message, int table, int control);

#endif
