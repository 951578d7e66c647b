/* SPDX-License-Identifier: Apache-2.0 */
#include "region/memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

/* High enough to be out of the way, low enough not to blow up the descriptor table. */
#define FD_FIRST 900

/* A signal that keeps arriving could otherwise keep us here. */
#define RETRIES 64

static int first_number = FD_FIRST;

void memfd_numbers_from(int number)
{
	__atomic_store_n(&first_number, number < FD_FIRST ? number : FD_FIRST, __ATOMIC_RELAXED);
}

static int memfd_raw(const char *name, unsigned flags)
{
	/* by number: the hook must load where libc is older than the call */
	return (int)syscall(SYS_memfd_create, name, flags);
}

static int memfd_out_of_the_way(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC,
			 __atomic_load_n(&first_number, __ATOMIC_RELAXED));

	if (high < 0)
		return fd; /* a low RLIMIT_NOFILE: keep the number we have */
	(void)close(fd);
	return high;
}

/* ftruncate(2) beyond RLIMIT_FSIZE does not only fail: it kills, by SIGXFSZ. */
static bool is_within_limit(uint64_t bytes)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
	       (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= bytes);
}

int memfd_create_sealed(const char *name, uint64_t bytes, unsigned mode)
{
	if (!is_within_limit(bytes))
		return -EFBIG;
	/* NOEXEC_SEAL first: with vm.memfd_noexec=2 nothing else is allowed; old kernels say EINVAL */
	int fd = memfd_raw(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_raw(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	fd = memfd_out_of_the_way(fd);
	if (ftruncate(fd, (off_t)bytes) < 0 || fchmod(fd, mode) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
		int r = -errno;

		(void)close(fd);
		return r;
	}
	return fd;
}

int memfd_identity(int fd, uint64_t *ret_device, uint64_t *ret_inode)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	*ret_device = st.st_dev;
	*ret_inode = st.st_ino;
	return 0;
}

bool memfd_is(int fd, uint64_t device, uint64_t inode)
{
	uint64_t d = 0, i = 0;

	return memfd_identity(fd, &d, &i) == 0 && d == device && i == inode;
}

static int memfd_fallocate(int fd, int mode, uint64_t offset, uint64_t bytes)
{
	for (int i = 0; i < RETRIES; i++) {
		if (fallocate(fd, mode, (off_t)offset, (off_t)bytes) == 0)
			return 0;
		if (errno != EINTR)
			break;
	}
	return -errno;
}

int memfd_back(int fd, uint64_t offset, uint64_t bytes)
{
	return memfd_fallocate(fd, 0, offset, bytes);
}

int memfd_give_back(int fd, uint64_t offset, uint64_t bytes)
{
	return memfd_fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, bytes);
}

int memfd_lock(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};

	return fcntl(fd, F_SETLK, &lock) < 0 ? -errno : 0;
}
