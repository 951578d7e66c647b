/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TTMEM_BASE_SOCKET_H
#define TTMEM_BASE_SOCKET_H

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* socket_address - the address of a Unix socket in the file system. 0 or -ENAMETOOLONG. */
static inline int socket_address(const char *path, struct sockaddr_un *ret_address)
{
	size_t length = strlen(path);

	if (length >= sizeof ret_address->sun_path)
		return -ENAMETOOLONG;
	*ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(ret_address->sun_path, path, length + 1);
	return 0;
}

#endif
