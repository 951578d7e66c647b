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
#include <time.h>
#include <unistd.h>

#include "base/files.h"
#include "collect/collect.h"
#include "tool/exit_codes.h"
#include "tool/obtain.h"
#include "tool/options.h"
#include "tool/output.h"
#include "tool/view_options.h"
#include "view/memory_report.h"

/* A program that allocates all the time is looked at again that often, so far apart. */
#define LOOKS	   20
#define LOOK_NS	   2000000
#define PIDS_NAMED 8 /* in an error */

static const struct option_row rows[] = {
    {"pid", 'p', ARGUMENT_REQUIRED, "PID", "the process; may be left out when there is only one"},
    {"no-server", 0, ARGUMENT_NONE, NULL, "do not ask a server, look at the processes"},
    {0},
};

enum { ROW_PID, ROW_NO_SERVER };

struct request {
	uint32_t pid; /* 0: the only one */
	bool no_server;
	const char *directory;
};

/* A server gives processes and buffers in two documents, our own look both in one. */
struct moment {
	struct snapshot picture, listing;
	bool from_server;
	uint32_t process; /* in the picture */
};

static const struct snapshot *listing_of(const struct moment *moment)
{
	return moment->from_server ? &moment->listing : &moment->picture;
}

static void moment_clear(struct moment *moment)
{
	snapshot_clear(&moment->picture);
	snapshot_clear(&moment->listing);
}

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

static int not_for_us(uint32_t pid)
{
	output_error("denied", "ask root", "process %" PRIu32 " belongs to another user", pid);
	return EXIT_PERMISSION;
}

static int no_such_process(uint32_t pid)
{
	struct stat status;
	char path[32];

	(void)snprintf(path, sizeof path, "/proc/%" PRIu32, pid);
	if (geteuid() != 0 && stat(path, &status) == 0 && status.st_uid != geteuid())
		return not_for_us(pid);
	output_error("not_found", "ttmem lists those that do",
		     "no process %" PRIu32 " reports its memory", pid);
	return EXIT_NOT_FOUND;
}

/* A pid may have been used before: the living process is meant, else the one that ended last. */
static int find_process(const struct snapshot *picture, uint32_t pid, uint32_t *ret_process)
{
	uint32_t found = SNAPSHOT_NONE;

	for (uint32_t i = 0; i < picture->process_count; i++)
		if (picture->processes[i].pid == pid &&
		    (found == SNAPSHOT_NONE || picture->processes[i].state == PROCESS_LIVE))
			found = i;
	if (found == SNAPSHOT_NONE)
		return no_such_process(pid);
	if (picture->processes[found].hidden)
		return not_for_us(pid);
	*ret_process = found;
	return 0;
}

static int several(const struct snapshot *picture, uint32_t count)
{
	text_auto list = TEXT_INIT;
	uint32_t named = 0;

	for (uint32_t i = 0; i < picture->process_count && named < PIDS_NAMED; i++) {
		const struct process *p = &picture->processes[i];

		if (p->state != PROCESS_LIVE || p->hidden)
			continue;
		text_printf(&list, "%s%" PRIu32 " (%.60s)", named++ ? ", " : "", p->pid,
			    snapshot_text(picture, p->command));
	}
	if (count > named)
		text_printf(&list, " and %" PRIu32 " more", count - named);
	output_error("usage", "choose one with --pid", "several processes report their memory: %s",
		     list.failed ? "" : list.bytes);
	return EXIT_USAGE;
}

static int only_process(const struct snapshot *picture, uint32_t *ret_process)
{
	uint32_t count = 0, hidden = 0;

	for (uint32_t i = 0; i < picture->process_count; i++) {
		const struct process *p = &picture->processes[i];

		if (p->state != PROCESS_LIVE)
			continue;
		hidden += p->hidden;
		if (!p->hidden && count++ == 0)
			*ret_process = i;
	}
	if (count == 1)
		return 0;
	if (count)
		return several(picture, count);
	if (hidden)
		output_error("denied", "ask root",
			     "all processes that report their memory belong to other users");
	else
		output_error("not_found", "start it with ttmem run",
			     "no process reports its memory");
	return hidden ? EXIT_PERMISSION : EXIT_NOT_FOUND;
}

static int choose(const struct request *request, struct moment *moment)
{
	return request->pid ? find_process(&moment->picture, request->pid, &moment->process)
			    : only_process(&moment->picture, &moment->process);
}

/* The same allocator in the list of buffers; SNAPSHOT_NONE: it holds none. */
static uint32_t listed_allocator(const struct moment *moment, uint32_t allocator)
{
	const struct snapshot *listing = &moment->listing;
	uint32_t pid = moment->picture.processes[moment->process].pid;
	uint32_t id = moment->picture.allocators[allocator].id;

	if (!moment->from_server)
		return allocator;
	for (uint32_t i = 0; i < listing->allocator_count; i++)
		if (listing->allocators[i].id == id &&
		    listing->processes[listing->allocators[i].process].pid == pid)
			return i;
	return SNAPSHOT_NONE;
}

/* Are the listed buffers what the allocator counts? Else something happened in between. */
static bool agrees(const struct moment *moment, uint32_t allocator)
{
	const struct snapshot *listing = listing_of(moment);
	uint64_t buffers[MEMORY_TYPES] = {0}, bank_bytes[MEMORY_TYPES] = {0};
	uint32_t listed = listed_allocator(moment, allocator);

	for (uint32_t i = 0; i < listing->buffer_count; i++) {
		const struct buffer *b = &listing->buffers[i];

		if (b->allocator != listed || b->type >= MEMORY_TYPES)
			continue;
		buffers[b->type]++;
		bank_bytes[b->type] += b->bank_bytes;
	}
	for (int type = 0; type < MEMORY_TYPES; type++) {
		const struct memory *m = &moment->picture.allocators[allocator].memory[type];

		if (fact_is_known(m->buffers) &&
		    (m->buffers.value != buffers[type] ||
		     m->bank_allocated_bytes.value != bank_bytes[type]))
			return false;
	}
	return true;
}

static bool is_open(const struct snapshot *picture, uint32_t allocator)
{
	return !fact_is_known(picture->allocators[allocator].closed_ns);
}

static bool moment_is_one_cut(const struct moment *moment)
{
	struct span all = moment->picture.processes[moment->process].allocators;

	if (!listing_of(moment)->consistent)
		return false;
	for (uint32_t a = all.first; a < all.first + all.count; a++)
		if (is_open(&moment->picture, a) && !agrees(moment, a))
			return false;
	return true;
}

static int look(const struct request *request, struct moment *ret_moment)
{
	const struct collect_options with_buffers = {.buffers = true, .pid = request->pid};
	const struct collect_options without = {0};
	struct moment moment = {0};
	int r = obtain_snapshot(&with_buffers, request->no_server, &moment.listing, NULL);

	if (r < 0)
		return r;
	moment.from_server = moment.listing.server != 0;
	if (moment.from_server) {
		r = obtain_snapshot(&without, false, &moment.picture, NULL);
		/* it stopped in between: what it said is only half of it */
		if (r == 0 && !moment.picture.server)
			r = -ECONNREFUSED;
	} else {
		moment.picture = moment.listing;
		snapshot_init(&moment.listing);
	}
	if (r < 0)
		moment_clear(&moment);
	else
		*ret_moment = moment;
	return r;
}

/*
 * The chosen process at one moment; after LOOKS the last one is taken as it is
 * and *ret_is_cut is false. Return: exit code.
 */
static int look_well(const struct request *request, struct moment *ret_moment, bool *ret_is_cut)
{
	const struct timespec pause = {.tv_nsec = LOOK_NS};
	struct moment moment;

	for (int n = 1;; n++) {
		int r = look(request, &moment);

		if (r < 0)
			return view_failed(r);
		r = choose(request, &moment);
		if (r) {
			moment_clear(&moment);
			return r;
		}
		*ret_is_cut = moment_is_one_cut(&moment);
		if (*ret_is_cut || n == LOOKS)
			break;
		moment_clear(&moment);
		(void)nanosleep(&pause, NULL);
	}
	*ret_moment = moment;
	return 0;
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

static int write_files(const struct request *request, int directory, const char *prefix,
		       struct memory_report *report)
{
	for (int file = 0; file < MEMORY_REPORT_FILES; file++) {
		char name[64];

		(void)snprintf(name, sizeof name, "%s%s", prefix, memory_report_name(file));
		int r = replace_file(directory, name, &report->files[file]);

		if (r < 0)
			return cannot_write(request->directory, name, r);
		printf("%s/%s\n", request->directory, name);
	}
	return 0;
}

static int cannot_report(uint32_t pid, int error)
{
	if (error == -ENODATA)
		output_error("unknown", "ttmem --format=json says why, under capabilities",
			     "the banks or buffers of process %" PRIu32 " are not known", pid);
	else if (error == -ERANGE)
		output_error("moving", "try again, or stop it meanwhile",
			     "process %" PRIu32 " allocates too fast to be read", pid);
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

static int write_sets(const struct request *request, const struct moment *moment, int directory)
{
	const struct snapshot *picture = &moment->picture;
	const struct process *process = &picture->processes[moment->process];
	struct span all = process->allocators;
	bool only = open_count(picture, all) == 1;
	int r = 0;

	for (uint32_t a = all.first; r == 0 && a < all.first + all.count; a++) {
		struct memory_report report;
		char prefix[32] = "";

		if (!is_open(picture, a))
			continue;
		if (!only)
			(void)snprintf(prefix, sizeof prefix, "allocator%" PRIu32 "_",
				       picture->allocators[a].id);
		r = memory_report_write(picture, a, listing_of(moment), listed_allocator(moment, a),
					snapshot_text(picture, process->metal_version), &report);
		if (r < 0)
			return cannot_report(process->pid, r);
		r = write_files(request, directory, prefix, &report);
		memory_report_clear(&report);
	}
	return r;
}

/* What the reader of the files has to know and the files cannot say. */
static void say_doubts(const struct moment *moment, bool is_cut)
{
	const struct process *process = &moment->picture.processes[moment->process];
	const struct losses *l = &process->losses;
	uint64_t lost = l->full + l->memory + l->allocator + l->key;

	if (!is_cut)
		fprintf(stderr,
			"ttmem: process %" PRIu32 " allocated while it was read: the files"
			" show buffers of slightly different moments\n",
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

static int dump(const struct request *request)
{
	struct moment moment;
	bool is_cut;
	int r = look_well(request, &moment, &is_cut);

	if (r)
		return r;
	const struct process *process = &moment.picture.processes[moment.process];

	if (open_count(&moment.picture, process->allocators) == 0) {
		output_error("not_found", NULL, "process %" PRIu32 " has no open device",
			     process->pid);
		moment_clear(&moment);
		return EXIT_NOT_FOUND;
	}
	fd_auto directory = open_directory(request->directory);

	r = directory < 0 ? cannot_write(request->directory, NULL, directory)
			  : write_sets(request, &moment, directory);
	if (r == 0)
		say_doubts(&moment, is_cut);
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
