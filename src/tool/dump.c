/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ttmem dump: the files of TT-Metal's MemoryReporter, from outside the process.
 *
 * One set of three files for each open allocator, as TT-Metal has one for the
 * device that it is called with. All figures come from one list of buffers, so
 * the files of a set agree with each other whatever the program does meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "model/capability.h"
#include "tool/exit_codes.h"
#include "tool/moment.h"
#include "tool/options.h"
#include "tool/output.h"
#include "tool/select.h"
#include "view/memory_report.h"

static const struct option_row rows[] = {
	{"pid", 'p', ARGUMENT_REQUIRED, "PID", "the process; may be left out when there is only one",
	 NULL},
	{"no-server", 0, ARGUMENT_NONE, NULL, "do not ask a server, look at the processes", NULL},
	{0},
};

enum { ROW_PID, ROW_NO_SERVER };

struct request {
	uint32_t pid; /* 0: the only one */
	bool no_server;
	const char *directory;
};

static int on_option(void *context, unsigned row, const char *value)
{
	struct request *request = context;
	uint64_t number;

	if (row == ROW_NO_SERVER) {
		request->no_server = true;
		return 0;
	}
	if (parse_u64(value, &number) < 0 || number == 0 || number > UINT32_MAX)
		return EXIT_USAGE;
	request->pid = (uint32_t)number;
	return 0;
}

static bool is_open(const struct snapshot *picture, uint32_t allocator)
{
	return !fact_is_known(picture->allocators[allocator].closed_ns);
}

/* Whole or not at all: a reader of the old file keeps the old one. */
static int replace_file(int directory, const char *name, const struct text *text)
{
	char temporary[128];

	(void)snprintf(temporary, sizeof temporary, ".%s.%d", name, (int)getpid());
	int fd = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	if (fd < 0)
		return -errno;
	int r = output_write(fd, text);

	/* quota and network file systems may say only now that it did not work */
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0 && renameat(directory, temporary, directory, name) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(directory, temporary, 0);
	return r;
}

static int cannot_write(const char *directory, const char *name, int error)
{
	output_error("write_failed", NULL, "cannot write %.800s%s%s: %s", directory,
		     name ? "/" : "", name ? name : "", strerror(-error));
	return EXIT_FAILED;
}

/* Like mkdir -p. Return: descriptor or -errno. */
static int open_directory(const char *path)
{
	char part[4096];
	size_t length = strlen(path);

	if (length >= sizeof part)
		return -ENAMETOOLONG;
	for (size_t i = 1; i <= length; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		/* what is there may be anything, what cannot be made is told by open */
		if (mkdir(part, 0777) < 0 && errno != EEXIST && path[i] == '\0')
			return -errno;
	}
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* One allocator's files. */
struct set {
	char prefix[32];
	struct memory_report report;
};

/* All sets are made before the first is written: a process that cannot be told of leaves no half. */
struct sets {
	struct set *sets;
	uint32_t count, capacity;
};

static void sets_clear(struct sets *sets)
{
	for (uint32_t i = 0; i < sets->count; i++)
		memory_report_clear(&sets->sets[i].report);
	free(sets->sets);
}

static int cannot_report(const struct moment *moment, int error)
{
	uint32_t pid = moment->picture.processes[moment->process].pid;

	if (error == -ENODATA)
		output_error("unknown", "ttmem --format=json says why, under capabilities",
			     "the banks or buffers of process %" PRIu32 " are not known", pid);
	else if (error == -ERANGE && !moment->is_cut)
		output_error("moving", "try again, or stop it meanwhile",
			     "process %" PRIu32 " allocates too fast to be read", pid);
	else if (error == -ERANGE)
		output_error("impossible", NULL,
			     "the buffers of process %" PRIu32 " overlap or lie outside their bank",
			     pid);
	else
		output_error("failed", NULL, "cannot report: %s", strerror(-error));
	return EXIT_FAILED;
}

static uint32_t open_count(const struct snapshot *picture, struct span allocators)
{
	uint32_t count = 0;

	for (uint32_t a = allocators.first; a < allocators.first + allocators.count; a++)
		count += is_open(picture, a);
	return count;
}

static int add_set(const struct moment *moment, uint32_t allocator, struct sets *sets)
{
	const struct snapshot *picture = &moment->picture;
	struct set *set = &sets->sets[sets->count];
	string_id version = picture->processes[moment->process].metal_version;
	int r = memory_report_write(picture, allocator, &moment->listing,
				    moment_listed_allocator(moment, allocator),
				    snapshot_text(picture, version), &set->report);

	if (r < 0)
		return r;
	if (sets->capacity > 1)
		(void)snprintf(set->prefix, sizeof set->prefix, "allocator%" PRIu32 "_",
			       picture->allocators[allocator].id);
	sets->count++;
	return 0;
}

static int make_sets(const struct moment *moment, struct sets *ret_sets)
{
	struct span all = moment->picture.processes[moment->process].allocators;
	struct sets sets = {.capacity = open_count(&moment->picture, all)};
	int r = 0;

	sets.sets = calloc(sets.capacity, sizeof *sets.sets);
	if (!sets.sets)
		return -ENOMEM;
	for (uint32_t a = all.first; r == 0 && a < all.first + all.count; a++)
		if (is_open(&moment->picture, a))
			r = add_set(moment, a, &sets);
	if (r < 0)
		sets_clear(&sets);
	else
		*ret_sets = sets;
	return r;
}

static int write_set(const char *path, int directory, const struct set *set)
{
	for (enum memory_report_file file = 0; file < MEMORY_REPORT_FILES; file++) {
		char name[64];

		(void)snprintf(name, sizeof name, "%s%s", set->prefix, memory_report_name(file));
		int r = replace_file(directory, name, &set->report.files[file]);

		if (r < 0)
			return cannot_write(path, name, r);
		printf("%s/%s\n", path, name);
	}
	return 0;
}

static int write_sets(const char *path, const struct sets *sets)
{
	fd_auto directory = open_directory(path);
	int r = 0;

	if (directory < 0)
		return cannot_write(path, NULL, directory);
	for (uint32_t i = 0; r == 0 && i < sets->count; i++)
		r = write_set(path, directory, &sets->sets[i]);
	return r;
}

/* Without these a buffer that is gone would stay in the files. */
static bool frees_are_known(const struct moment *moment)
{
	const struct snapshot *picture = &moment->picture;
	struct span all = picture->processes[moment->process].capabilities;

	for (uint32_t i = all.first; i < all.first + all.count; i++) {
		const struct capability *c = &picture->capabilities[i];
		const char *name = snapshot_text(picture, c->name);

		if ((c->state == AVAILABLE_MISSING || c->state == AVAILABLE_FAILED) &&
		    (strcmp(name, "frees") == 0 || strcmp(name, "close") == 0))
			return false;
	}
	return true;
}

/* What the reader of the files has to know and the files cannot say. */
static void say_doubts(const struct moment *moment)
{
	const struct process *process = &moment->picture.processes[moment->process];
	const struct losses *l = &process->losses;
	uint64_t lost = l->full + l->memory + l->allocator + l->key;

	if (!moment->is_cut)
		fprintf(stderr,
			"ttmem: process %" PRIu32 " allocated while it was read: the files"
			" show buffers of slightly different moments\n",
			process->pid);
	if (!frees_are_known(moment))
		fprintf(stderr,
			"ttmem: the TT-Metal of process %" PRIu32 " does not tell of all frees:"
			" the files may show buffers that are gone\n",
			process->pid);
	if (incomplete_reason(&moment->picture, process))
		fprintf(stderr,
			"ttmem: the files may not show what process %" PRIu32
			" held when the hook came: ttmem doctor tells why\n",
			process->pid);
	if (lost)
		fprintf(stderr,
			"ttmem: %" PRIu64 " buffers of process %" PRIu32
			" were not recorded and may be missing in the files\n",
			lost, process->pid);
	if (!process->metal_version)
		fprintf(stderr,
			"ttmem: process %" PRIu32 " runs a build of TT-Metal that is not"
			" known: labels are those of release 0.63 and later\n",
			process->pid);
}

static int dump_moment(const char *path, const struct moment *moment)
{
	struct sets sets;
	int r = make_sets(moment, &sets);

	if (r < 0)
		return cannot_report(moment, r);
	r = write_sets(path, &sets);
	sets_clear(&sets);
	if (r == 0)
		say_doubts(moment);
	return r;
}

static int dump(const struct request *request)
{
	struct moment moment;
	int r = moment_take(request->pid, request->no_server, &moment);

	if (r)
		return r;
	const struct process *process = &moment.picture.processes[moment.process];

	if (open_count(&moment.picture, process->allocators) == 0) {
		r = select_no_device(&moment.picture, process);
	} else {
		r = dump_moment(request->directory, &moment);
	}
	moment_clear(&moment);
	return r;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct request request = {0};
	int rest, r = options_parse(command, argc, argv, on_option, &request, &rest);

	if (r >= 0)
		return r;
	if (rest == argc)
		return usage_error(command, "the directory for the files is missing");
	if (rest + 1 < argc)
		return usage_error(command, "what is %s?", argv[rest + 1]);
	request.directory = argv[rest];
	return dump(&request);
}

const struct command command_dump = {
	.name = "dump",
	.synopsis = "[--pid=PID] DIR",
	.summary = "Writes the CSV files of ttnn.dump_device_memory_state, from outside.",
	.options = rows,
	.run = run,
};
