/* SPDX-License-Identifier: Apache-2.0 */
#include "hook/safe_read.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* Where process_vm_readv(2) is forbidden (old container profiles), the same by another door. */
static int read_proc_mem(uint64_t address, void *to, size_t bytes)
{
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -EPERM;
	ssize_t n = pread(fd, to, bytes, (off_t)address);

	(void)close(fd);
	return n == (ssize_t)bytes ? 0 : -EFAULT;
}

int safe_read(uint64_t address, void *to, size_t bytes)
{
	int saved_errno = errno;
	struct iovec local = {.iov_base = to, .iov_len = bytes};
	struct iovec remote = {.iov_base = (void *)(uintptr_t)address, .iov_len = bytes};
	int r = 0;

	/* the process itself, so the kernel asks for no permission */
	ssize_t n = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);

	if (n < 0 && errno != EFAULT)
		r = read_proc_mem(address, to, bytes);
	else if (n != (ssize_t)bytes)
		r = -EFAULT;
	errno = saved_errno;
	return r;
}

int safe_read_word(uint64_t address, uint64_t *ret_word)
{
	uint64_t word;
	int r = safe_read(address, &word, sizeof word);

	if (r == 0)
		*ret_word = word;
	return r;
}

int safe_read_string(uint64_t address, char *to, size_t size)
{
	const uint64_t page = 4096;
	size_t n = 0;

	while (n < size - 1) {
		size_t piece = (size_t)(page - (address + n) % page);

		if (piece > size - 1 - n)
			piece = size - 1 - n;
		int r = safe_read(address + n, to + n, piece);

		if (r < 0)
			return r;
		if (memchr(to + n, '\0', piece))
			return 0;
		n += piece;
	}
	to[n] = '\0';
	return 0;
}
