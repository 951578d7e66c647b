/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the calls that its arguments name and says what came of each: the other
 * side of the test of libttmem-faults. Built like ttmem, so that the checked
 * variants of the functions are met as well.
 *
 *   probe open PATH | path PATH | openat NAME | read SIZE | whole SIZE | pread OFFSET | readlink
 * PATH | stat PATH | fstatat NAME | access PATH | list PATH | fopen PATH | threads N ...
 *
 * openat and fstatat start from what was opened last; threads N is N threads
 * that read what was opened last from its start, a hundred times each.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define THREADS 16
#define ROUNDS	100

static int last = -1;

static void say(const char *verb, long result, const char *text)
{
	printf("%s %s %.*s\n", verb, result < 0 ? strerrorname_np(errno) : "ok",
	       result < 0 ? 0 : (int)result, text);
}

static void do_read(const char *verb, size_t size)
{
	char text[256];
	ssize_t n = read(last, text, size);

	say(verb, n, text);
}

/* To the end, as attributes are read. */
static void do_whole(size_t size)
{
	char text[4096];
	size_t filled = 0;
	ssize_t n;

	while ((n = read(last, text + filled, size)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		filled += (size_t)n;
	}
	say("whole", n < 0 ? -1 : (long)filled, text);
}

static void do_list(const char *path)
{
	DIR *directory = opendir(path);
	long entries = 0;

	errno = 0;
	while (directory && readdir(directory))
		entries++;
	if (directory && !errno)
		printf("list ok %ld\n", entries);
	else
		say("list", -1, "");
	if (directory)
		closedir(directory);
}

static void *reader(void *argument)
{
	char text[64];

	for (int i = 0; i < ROUNDS; i++) {
		if (pread(last, text, sizeof text, 0) < 0)
			abort();
	}
	return argument;
}

static void do_threads(int count)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < count && i < THREADS; i++)
		pthread_create(&threads[i], NULL, reader, NULL);
	for (int i = 0; i < count && i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("threads ok %d\n", count * ROUNDS);
}

static void do_file(const char *path)
{
	FILE *file = fopen(path, "re");

	say("fopen", file ? 0 : -1, "");
	if (file)
		fclose(file);
}

int main(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i += 2) {
		const char *verb = argv[i], *what = argv[i + 1];
		char text[256];
		struct stat st;

		if (strcmp(verb, "open") == 0)
			say(verb, (last = open(what, O_RDONLY | O_CLOEXEC)) < 0 ? -1 : 0, "");
		else if (strcmp(verb, "openat") == 0)
			say(verb, (last = openat(last, what, O_RDONLY | O_CLOEXEC)) < 0 ? -1 : 0,
			    "");
		else if (strcmp(verb, "path") == 0)
			say(verb, (last = open(what, O_PATH | O_CLOEXEC)) < 0 ? -1 : 0, "");
		else if (strcmp(verb, "read") == 0)
			do_read(verb, strtoul(what, NULL, 10));
		else if (strcmp(verb, "whole") == 0)
			do_whole(strtoul(what, NULL, 10));
		else if (strcmp(verb, "pread") == 0)
			say(verb, pread(last, text, 100, strtol(what, NULL, 10)), text);
		else if (strcmp(verb, "readlink") == 0)
			say(verb, readlink(what, text, strlen(what) + 100), text);
		else if (strcmp(verb, "stat") == 0)
			say(verb, stat(what, &st), "");
		else if (strcmp(verb, "fstatat") == 0)
			say(verb, fstatat(last, what, &st, 0), "");
		else if (strcmp(verb, "access") == 0)
			say(verb, access(what, R_OK), "");
		else if (strcmp(verb, "list") == 0)
			do_list(what);
		else if (strcmp(verb, "fopen") == 0)
			do_file(what);
		else if (strcmp(verb, "threads") == 0)
			do_threads(atoi(what));
		else
			return 2;
	}
	return 0;
}
