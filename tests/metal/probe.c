/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second preload beside the hook: writes down what the dispatcher reserves
 * of the kernel-config ring, one line a dispatch, to $TTMEM_PROBE_LOG: bytes
 * asked for on worker cores, address and bytes given. Nothing of ttmem is in
 * it, so that what the hook says can be compared with it.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct result {
	uint64_t wait;
	const struct entry {
		uint32_t address, bytes, unknown;
	} *const *entries; /* a vector of them */
};

typedef struct result (*reserve_function)(void *, const uint32_t *const *);

struct result reserve(void *manager, const uint32_t *const *sizes)
	__asm__("_ZN2tt8tt_metal21WorkerConfigBufferMgr7reserveERKSt6vectorIjSaIjEE")
		__attribute__((visibility("default")));
struct result reserve(void *manager, const uint32_t *const *sizes)
{
	void *library = dlopen("libtt_metal.so", RTLD_NOLOAD | RTLD_LAZY);
	void *address =
		dlsym(library, "_ZN2tt8tt_metal21WorkerConfigBufferMgr7reserveERKSt6vectorIjSaIjEE");
	const char *path = getenv("TTMEM_PROBE_LOG");
	reserve_function real;
	char line[96];

	memcpy(&real, &address, sizeof real);
	struct result result = real(manager, sizes);
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;

	if (fd >= 0) {
		int n = snprintf(line, sizeof line, "%u %u %u\n", sizes[0][0],
				 result.entries[0][0].address, result.entries[0][0].bytes);

		(void)!write(fd, line, (size_t)n);
		(void)close(fd);
	}
	return result;
}
