/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz target as an ordinary test: every file of the corpus, once, and every
 * one again cut short at each byte, which is the commonest accident.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>

#include "fuzz.h"

#define INPUT_MAX 65536u
#define CUTS_MAX  256u

static size_t slurp(const char *path, uint8_t *bytes)
{
	FILE *file = fopen(path, "rb");

	if (!file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(1);
	}
	size_t n = fread(bytes, 1, INPUT_MAX, file);

	(void)fclose(file);
	return n;
}

static void replay(const uint8_t *bytes, size_t size)
{
	/* a copy of its own size, so that a sanitizer sees a read past the end */
	uint8_t *copy = malloc(size ? size : 1);

	FUZZ_CHECK(copy);
	memcpy(copy, bytes, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

int main(int argc, char **argv)
{
	static uint8_t bytes[INPUT_MAX];
	unsigned files = 0;

	for (int i = 1; i < argc; i++) {
		DIR *directory = opendir(argv[i]);

		if (!directory) {
			fprintf(stderr, "%s: %s\n", argv[i], strerror(errno));
			return 1;
		}
		for (struct dirent *entry; (entry = readdir(directory));) {
			char path[PATH_MAX];

			if (entry->d_name[0] == '.')
				continue;
			(void)snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
			size_t size = slurp(path, bytes), step = 1 + size / CUTS_MAX;

			/* said before it runs: if it crashes, this is the file */
			printf("# %s\n", entry->d_name);
			(void)fflush(stdout);
			replay(bytes, size);
			for (size_t cut = 0; cut < size; cut += step)
				replay(bytes, cut);
			files++;
		}
		(void)closedir(directory);
	}
	printf("# %u files\n", files);
	return files == 0;
}
