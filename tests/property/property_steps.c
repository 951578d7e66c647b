/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a reader sees between any two instructions of a writer.
 *
 * Reason: a process is stopped, killed or loses its processor where it happens to be. A harness that
 * kills at random finds the wide gaps; this one goes through each kind of event one instruction at a
 * time (PTRACE_SINGLESTEP) and reads the table after every one of them, as of a process that ended
 * there. Each part of what is read must be that of before or that of after the event, or carry the
 * mark of a half finished one; what says that it is whole must be one of the two as a whole; and what
 * has become new must not become old again.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collect/tables.h"
#include "region/reader.h"
#include "region/writer.h"

#define SLOTS	    (16 * 1024u)
#define BLOCK_SLOTS (REGION_BLOCK_BYTES / sizeof(struct region_slot))
#define STEPS_MAX   200000u /* a sanitizer makes five steps of one; more is an event without an end */
#define HEAD_FROM   1032u /* behind the sequence word */
#define HEAD_WORDS  46u

static const char *scene_name = "start";
static uint32_t step_number;

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s, step %" PRIu32 ": %s\n", __FILE__, __LINE__,  \
				scene_name, step_number, #condition);                              \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

/* ---- the process that is stepped through ---- */

static struct region_writer *writer;

static struct region_allocator allocator_of(uint32_t i)
{
	struct region_allocator a = {.object = 100 + i, .device = 200 + i, .chip_count = 2};

	a.geometry[0] = (struct region_geometry){.banks = 12, .bank_bytes = 1 << 30};
	a.chips[0].chip_id = i % 32;
	return a;
}

static uint64_t object_of(uint32_t i)
{
	return UINT64_C(0x550000001000) + (uint64_t)i * 0x150;
}

static int alloc_in(uint32_t i, uint32_t allocator, uint32_t site)
{
	struct region_buffer b = {.object = object_of(i),
				  .allocator = 100 + allocator,
				  .device = 200 + allocator,
				  .address = 4096 + i,
				  .requested_bytes = 30 + i % 7,
				  .bank_bytes = 32,
				  .site = site};

	return region_writer_alloc(writer, &b);
}

static void add_allocator(uint32_t i)
{
	const struct region_allocator a = allocator_of(i);
	uint32_t row;

	CHECK(region_writer_allocator_add(writer, &a, 1, &row) == 0);
}

static int add_program(uint32_t i, uint32_t ranges, bool restated)
{
	static const struct region_kernel kernels[2] = {{.name = "reader"}, {.name = "writer"}};
	struct region_program_range all[4] = {{.address = i, .bytes = 16, .kind = 2}};
	struct region_home home;

	CHECK(region_writer_home(writer, 200, &home));
	const struct region_program_found found = {
		.row = {.object = object_of(i),
			.program_id = 7 + ranges,
			.allocator = home.row,
			.kernel_count = 2,
			.range_count = ranges,
			.core_bytes = 64 * ranges},
		.kernels = kernels,
		.ranges = all,
		.is_restated = restated,
	};

	return region_writer_program_add(writer, &found, 5);
}

static struct region_text text_of(const char *text)
{
	return (struct region_text){.start = text, .bytes = (uint32_t)strlen(text)};
}

static void act_alloc(void)
{
	CHECK(alloc_in(1, 0, 0) == 0);
}

static void act_free(void)
{
	CHECK(region_writer_free(writer, object_of(1)));
}

static void act_free_unknown(void)
{
	CHECK(!region_writer_free(writer, object_of(7)));
}

/* Next comes the first slot of a block that has no memory yet. */
static void fill_blocks(void)
{
	uint32_t i = 10000;

	while (writer->live < writer->blocks_backed * BLOCK_SLOTS)
		CHECK(alloc_in(i++, 0, 0) == 0);
}

static void empty_all(void)
{
	for (uint32_t i = 0; i < 40000; i++)
		(void)region_writer_free(writer, object_of(i));
}

static uint32_t last_of_block;

/* The next free gives a block back: so many are empty as stay. */
static void empty_blocks(void)
{
	empty_all();
	for (uint32_t i = 0; i < 9 * BLOCK_SLOTS; i++)
		CHECK(alloc_in(10000 + i, 0, 0) == 0);
	for (uint32_t i = 9 * BLOCK_SLOTS; i-- > 0;) {
		last_of_block = 10000 + i;
		if (i % BLOCK_SLOTS == 0 && writer->blocks_empty == 4 + writer->blocks_backed / 8)
			return;
		CHECK(region_writer_free(writer, object_of(10000 + i)));
	}
}

static void act_free_last_of_block(void)
{
	uint32_t backed = writer->blocks_backed;

	CHECK(region_writer_free(writer, object_of(last_of_block)));
	CHECK(writer->blocks_backed == backed - 1);
}

static void act_fail(void)
{
	const struct region_failure failure = {.requested_bytes = 77, .time_ns = 9, .site = 3};

	region_writer_fail(writer, &failure);
}

static void fill_failures(void)
{
	for (uint32_t i = 0; i < REGION_FAILURES_MAX + 3; i++) {
		const struct region_failure failure = {.requested_bytes = 1000 + i};

		region_writer_fail(writer, &failure);
	}
}

static void act_add_allocator(void)
{
	add_allocator(1);
}

static void some_memory(void)
{
	for (uint32_t i = 20; i < 24; i++)
		CHECK(alloc_in(i, 1, 0) == 0);
}

static void act_close(void)
{
	region_writer_close_device(writer, 201, 11);
}

/* All rows but that of allocator 0 are of closed devices, and the next one takes the oldest. */
static void use_up_rows(void)
{
	for (uint32_t i = 1; writer->allocators_used < REGION_ALLOCATORS_MAX; i++) {
		add_allocator(i);
		CHECK(alloc_in(30, i, 0) == 0);
		region_writer_close_device(writer, 200 + i, 12);
	}
}

static void act_add_program(void)
{
	CHECK(add_program(50, 3, false) == 0);
}

static void act_dispatch(void)
{
	CHECK(region_writer_program_dispatch(writer, object_of(50), 6) == 0);
}

static void act_restate(void)
{
	CHECK(add_program(50, 4, true) == 0);
}

static void act_end_program(void)
{
	CHECK(region_writer_program_end(writer, object_of(50)));
}

static void act_site(void)
{
	static const uint64_t frames[3] = {17, 18, 19};
	const struct region_site_found found = {
		.op = text_of("ttnn.matmul"),
		.file = text_of("/a/model.py"),
		.function = text_of("forward"),
		.line = 7,
		.depth = 3,
		.frames = frames,
	};

	CHECK(region_writer_site(writer, &found) != 0);
}

static void act_tag(void)
{
	CHECK(region_writer_site_tag(writer, 1, text_of("kv-cache")) == 2);
}

static void act_module(void)
{
	static const uint8_t build_id[20] = {1, 2, 3};

	CHECK(region_writer_module(writer, text_of("/lib/x.so"), build_id, sizeof build_id) == 0);
}

static void act_capability(void)
{
	region_writer_capability(writer, "buffers", CAPABILITY_MISSING, "no such symbol");
}

static void act_capability_again(void)
{
	region_writer_capability(writer, "buffers", CAPABILITY_PRESENT, NULL);
}

static void act_verify(void)
{
	const struct region_verify verify = {.request = 3, .their_total = 5, .their_free = 6};

	region_writer_verify(writer, 0, 0, &verify);
}

static void lose_table(void)
{
	CHECK(alloc_in(2, 0, 1) == 0 && alloc_in(3, 0, 2) == 0);
	close(writer->table_fd);
}

static void act_move(void)
{
	writer->checked_ns = 0;
	region_writer_tick(writer, UINT64_C(5000000000));
}

static void fill_and_lose(void)
{
	fill_blocks();
	close(writer->table_fd);
}

static void act_share(void)
{
	int fd = region_writer_share(writer);

	CHECK(fd >= 0);
	region_writer_unshare(writer, fd);
}

enum { GRADUAL = 1, MOVES = 2, LOCKS = 4 };

static const struct scene {
	const char *name;
	void (*prepare)(void);
	void (*act)(void);
	int flags;
} scenes[] = {
	{"alloc", NULL, act_alloc, 0},
	/* a free and an alloc in one */
	{"alloc of an object that is live", NULL, act_alloc, GRADUAL},
	{"free", NULL, act_free, 0},
	{"free of an unknown object", NULL, act_free_unknown, 0},
	{"alloc in a new block", fill_blocks, act_alloc, 0},
	{"free that gives a block back", empty_blocks, act_free_last_of_block, 0},
	{"failure", empty_all, act_fail, 0},
	{"failure in a full ring", fill_failures, act_fail, 0},
	{"allocator", NULL, act_add_allocator, 0},
	/* each of its buffers leaves by itself, and all of that is marked */
	{"close of a device", some_memory, act_close, GRADUAL},
	{"allocator in a used row", use_up_rows, act_add_allocator, 0},
	{"program", NULL, act_add_program, 0},
	{"dispatch", NULL, act_dispatch, 0},
	{"program described anew", NULL, act_restate, 0},
	{"end of a program", NULL, act_end_program, 0},
	/* its names come before it, one by one */
	{"site", NULL, act_site, GRADUAL},
	{"site with a tag", NULL, act_tag, GRADUAL},
	{"module", NULL, act_module, GRADUAL},
	{"capability", NULL, act_capability, 0},
	{"capability once more", NULL, act_capability_again, 0},
	{"verification", NULL, act_verify, 0},
	{"table handed out", NULL, act_share, LOCKS},
	{"table that moves", lose_table, act_move, MOVES},
	{"table that moves in an alloc", fill_and_lose, act_alloc, MOVES},
};

#define SCENES (sizeof scenes / sizeof scenes[0])

static void halt(void)
{
	(void)syscall(SYS_kill, getpid(), SIGSTOP);
}

static void play(void)
{
	const struct region_identity identity = {.entry = "test",
						 .slots_max = SLOTS,
						 .programs_max = REGION_PROGRAMS_UNIT,
						 .sites_max = REGION_SITES_UNIT};

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	CHECK(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
	writer = mmap(NULL, sizeof *writer, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(writer != MAP_FAILED);
	CHECK(region_writer_create(writer, &identity) == 0);
	add_allocator(0);
	for (size_t i = 0; i < SCENES; i++) {
		scene_name = scenes[i].name;
		if (scenes[i].prepare)
			scenes[i].prepare();
		halt();
		scenes[i].act();
		halt();
		CHECK(region_writer_is_valid(writer));
	}
	_exit(0);
}

/* ---- the reader ---- */

enum part { ROWS, TOTALS, VERIFY, FAILURES, SLOTS_LIVE, PROGRAMS, SITES, CAPABILITIES, PARTS };

static const char *const part_names[PARTS] = {"allocators", "totals",	"verify", "failures",
					      "slots",	    "programs", "sites",  "capabilities"};

struct look {
	uint64_t part[PARTS]; /* a hash of what was read */
	bool marked[PARTS];   /* as the reader says: half finished */
	bool whole;	      /* it says that nothing happened meanwhile */
	bool there;
	uint32_t head[HEAD_WORDS];
};

static uint64_t hash(uint64_t seed, const void *bytes, size_t size)
{
	const uint8_t *p = bytes;

	for (; size >= 8; p += 8, size -= 8) {
		uint64_t word;

		memcpy(&word, p, sizeof word);
		seed = (seed ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		seed ^= seed >> 29;
	}
	while (size-- > 0)
		seed = (seed ^ *p++) * UINT64_C(0x100000001b3);
	return seed;
}

/* But for the sequence word, which also tells when. */
static uint64_t hash_row(uint64_t seed, const void *row, size_t size)
{
	return hash(seed, (const uint8_t *)row + 8, size - 8);
}

static void look_at_image(const struct region_image *image, struct look *look)
{
	for (uint32_t i = 0; i < image->row_count; i++) {
		const struct region_row *row = &image->rows[i];

		/* how many chips it has is not when it is open */
		look->part[ROWS] = hash_row(look->part[ROWS], &row->allocator, sizeof row->allocator);
		for (uint32_t type = 0; type < REGION_MEMORY_TYPES; type++) {
			look->part[TOTALS] = hash_row(look->part[TOTALS], &row->totals[type],
						      sizeof row->totals[type]);
			look->part[VERIFY] = hash_row(look->part[VERIFY], &row->verify[type],
						      sizeof row->verify[type]);
			look->marked[TOTALS] |= row->torn[type];
		}
	}
	look->marked[ROWS] = image->torn != 0;
	/* the oldest of a full ring makes room for the newest */
	for (uint32_t i = 0; i < image->failure_count && i + 1 < REGION_FAILURES_MAX; i++)
		look->part[FAILURES] = hash_row(look->part[FAILURES], &image->failures[i],
						sizeof image->failures[i]);
	/* newest first, whoever is missing */
	for (uint32_t i = 1; i < image->failure_count; i++)
		CHECK(image->failures[i - 1].seq > image->failures[i].seq);
	for (uint32_t i = 0; i < image->capability_count; i++) {
		const struct region_capability *c = &image->capabilities[i];

		look->part[CAPABILITIES] = hash(look->part[CAPABILITIES], c->name, strlen(c->name));
		look->part[CAPABILITIES] =
			hash(look->part[CAPABILITIES], c->detail, strlen(c->detail));
		look->part[CAPABILITIES] = hash(look->part[CAPABILITIES], &c->state, sizeof c->state);
	}
	/* that of a half written one is not told */
	look->marked[CAPABILITIES] = image->capability_count == 0;
	memcpy(look->head, (const uint8_t *)&image->head + HEAD_FROM, sizeof look->head);
}

static void look_at_slots(const struct region_slots *slots, struct look *look)
{
	for (uint32_t i = 0; i < slots->count; i++)
		look->part[SLOTS_LIVE] += hash_row(1, &slots->slots[i], sizeof slots->slots[i]);
	look->marked[SLOTS_LIVE] = !slots->consistent;
}

static void look_at_programs(const struct region_programs *programs, struct look *look)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < programs->count; i++) {
		struct region_program p = programs->programs[i];

		sum = hash(sum, programs->kernels + p.first_kernel,
			   p.kernel_count * sizeof *programs->kernels);
		sum = hash(sum, programs->ranges + p.first_range,
			   p.range_count * sizeof *programs->ranges);
		/* each whole by itself */
		p.last_dispatch = p.dispatches = p.last_ns = 0;
		p.first_kernel = p.first_range = 0;
		sum = hash_row(sum, &p, sizeof p);
	}
	look->part[PROGRAMS] = sum;
	look->marked[PROGRAMS] = !programs->consistent;
}

static void look_at_sites(const struct region_sites *sites, struct look *look)
{
	uint64_t sum = sites->count;

	for (uint32_t i = 1; i < sites->count; i++) {
		const struct region_site *s = &sites->sites[i];
		const uint32_t names[] = {s->op, s->file, s->function, s->tag};
		const uint64_t *frames = NULL;
		uint32_t depth = region_sites_stack(sites, s, &frames);

		for (unsigned n = 0; n < sizeof names / sizeof names[0]; n++) {
			const char *name = region_sites_string(sites, names[n]);

			CHECK(names[n] == 0 || *name);
			sum = hash(sum, name, strlen(name) + 1);
		}
		CHECK(depth != 0 || s->stack == 0);
		sum = hash(sum, frames, depth * sizeof *frames);
		sum = hash(sum, &s->line, sizeof s->line);
	}
	for (uint32_t i = 0; i < sites->module_count; i++) {
		const struct region_site_module *m = &sites->modules[i];
		const char *path = region_sites_string(sites, m->path);

		CHECK(*path);
		sum = hash(hash(sum, path, strlen(path)), m->build_id, m->build_id_bytes);
	}
	look->part[SITES] = sum;
}

/* Return: 0; what region_map_open said. */
static int look_at_table(int fd, struct look *look)
{
	struct region_map map;
	struct region_image image;
	struct region_slots slots;
	struct region_programs programs;
	struct region_sites sites;
	int r = region_map_open(fd, &map);

	if (r != 0)
		return r;
	if (region_is_moved(&map)) {
		region_map_close(&map);
		return 1;
	}
	CHECK(region_map_freeze(&map) == 0);
	CHECK(region_read_image(&map, &image) == 0);
	CHECK(region_read_slots(&map, UINT32_MAX, &slots) == 0);
	CHECK(region_read_programs(&map, &programs) == 0);
	CHECK(region_read_sites(&map, &sites) == 0);
	look->there = true;
	look_at_image(&image, look);
	look_at_slots(&slots, look);
	look_at_programs(&programs, look);
	look_at_sites(&sites, look);
	look->whole = image.torn == 0 && slots.consistent && programs.consistent &&
		      image.head.seq % 2 == 0;
	region_sites_clear(&sites);
	region_programs_clear(&programs);
	region_slots_clear(&slots);
	region_image_clear(&image);
	region_map_close(&map);
	return 0;
}

static int found_state;

static int note_state(void *argument, struct region_map *map, uint32_t pid, uint32_t uid,
		      enum process_state state)
{
	const pid_t *child = argument;

	(void)map;
	(void)uid;
	if (pid == (uint32_t)*child)
		found_state = (int)state;
	return 0;
}

/* Who has no lock on its table for a moment is alive all the same. */
static void check_is_alive(int fd, pid_t child)
{
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_len = 1};
	const struct collect_options options = {.pid = (uint32_t)child};

	CHECK(fcntl(fd, F_GETLK, &lock) == 0);
	if (lock.l_type != F_UNLCK)
		return;
	found_state = -1;
	CHECK(tables_visit(&options, note_state, &child, NULL) == 0);
	CHECK(found_state == PROCESS_LIVE);
}

/* The first of its descriptors that is one of a table, -1: none. */
static int table_descriptor(pid_t child)
{
	static const char prefix[] = "/memfd:" REGION_NAME " (";
	char path[64], target[sizeof prefix];
	int found = -1;

	(void)snprintf(path, sizeof path, "/proc/%d/fd", (int)child);
	DIR *fds = opendir(path);

	CHECK(fds);
	for (struct dirent *entry; found < 0 && (entry = readdir(fds));) {
		ssize_t n = readlinkat(dirfd(fds), entry->d_name, target, sizeof target - 1);

		if (n == (ssize_t)sizeof target - 1 && memcmp(target, prefix, (size_t)n) == 0)
			found = (int)strtol(entry->d_name, NULL, 10);
	}
	(void)closedir(fds);
	return found;
}

/* As the tool finds it, among its descriptors. */
static void look_at_process(pid_t child, struct look *look)
{
	int number = table_descriptor(child);
	char path[64];

	*look = (struct look){.whole = false};
	if (number < 0)
		return;
	(void)snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)child, number);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	if (look_at_table(fd, look) == 0)
		check_is_alive(fd, child);
	close(fd);
}

/* ---- both ---- */

/* The bytes as they were at the last look: most instructions change nothing in the table. */
struct shadow {
	int fd;
	uint8_t *bytes;
	struct region_map map;
	blkcnt_t blocks;
};

static void shadow_open(struct shadow *shadow, pid_t child, int fd)
{
	char path[64];
	struct stat st;

	(void)snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)child, fd);
	*shadow = (struct shadow){.fd = open(path, O_RDONLY | O_CLOEXEC)};
	CHECK(shadow->fd >= 0 && fstat(shadow->fd, &st) == 0);
	CHECK(region_map_open(shadow->fd, &shadow->map) == 0);
	shadow->blocks = -1;
	shadow->bytes = calloc(1, shadow->map.bytes);
	CHECK(shadow->bytes);
}

static void shadow_close(struct shadow *shadow)
{
	region_map_close(&shadow->map);
	close(shadow->fd);
	free(shadow->bytes);
}

static bool shadow_differs(struct shadow *shadow)
{
	struct region_map *map = &shadow->map;
	struct stat st;
	bool differs = false;

	CHECK(fstat(shadow->fd, &st) == 0);
	if (st.st_blocks != shadow->blocks) {
		/* not frozen: only to know again which pages are there */
		int fd = map->fd;

		CHECK(region_map_freeze(map) == 0);
		map->fd = fd;
		shadow->blocks = st.st_blocks;
		differs = true;
	}
	for (uint64_t page = 0; page < map->page_count; page++) {
		uint64_t at = page * REGION_PAGE_BYTES;
		uint64_t n = map->bytes - at < REGION_PAGE_BYTES ? map->bytes - at : REGION_PAGE_BYTES;

		if (!(map->pages[page / 8] >> (page % 8) & 1) ||
		    memcmp(shadow->bytes + at, map->base + at, n) == 0)
			continue;
		memcpy(shadow->bytes + at, map->base + at, n);
		differs = true;
	}
	return differs;
}

static struct look looks[STEPS_MAX];

static void check_part(const struct scene *scene, uint32_t part, const struct look *after,
		       uint32_t steps)
{
	bool is_new = false;

	for (step_number = 0; step_number < steps; step_number++) {
		const struct look *l = &looks[step_number];
		bool is_after = l->part[part] == after->part[part];

		if (!l->there)
			continue;
		if (!is_after && l->part[part] != looks[0].part[part] && !l->marked[part] &&
		    !(scene->flags & (GRADUAL | MOVES) && !l->whole)) {
			fprintf(stderr, "%s, step %" PRIu32 " of %" PRIu32 ": %s of neither before nor after\n",
				scene->name, step_number, steps, part_names[part]);
			exit(1);
		}
		CHECK(!is_new || is_after || l->marked[part]);
		is_new |= is_after && !l->marked[part] && looks[0].part[part] != after->part[part];
	}
}

/* But for what is marked. */
static bool is_all_of(const struct look *look, const struct look *other)
{
	for (uint32_t part = 0; part < PARTS; part++)
		if (!look->marked[part] && look->part[part] != other->part[part])
			return false;
	return true;
}

static void check_steps(const struct scene *scene, const struct look *after, uint32_t steps)
{
	CHECK(after->there && after->whole && (looks[0].whole || scene->flags & MOVES));
	for (uint32_t part = 0; part < PARTS; part++)
		check_part(scene, part, after, steps);
	for (step_number = 0; step_number < steps; step_number++) {
		const struct look *l = &looks[step_number];

		for (uint32_t i = 0; l->there && !(scene->flags & (GRADUAL | MOVES)) && i < HEAD_WORDS; i++)
			CHECK(l->head[i] == looks[0].head[i] || l->head[i] == after->head[i]);
		if (l->whole)
			CHECK(is_all_of(l, &looks[0]) || is_all_of(l, after));
	}
}

static void wait_for(pid_t child, int signal_number, const char *what)
{
	int status;

	CHECK(waitpid(child, &status, __WALL) == child);
	if (!WIFSTOPPED(status) || WSTOPSIG(status) != signal_number) {
		fprintf(stderr, "%s: %s: status %#x\n", scene_name, what, (unsigned)status);
		exit(1);
	}
}

/* Return: how many steps it took. */
static uint32_t run_scene(const struct scene *scene, pid_t child)
{
	bool is_moving = scene->flags & MOVES;
	struct shadow shadow;
	struct look after;
	int status;

	scene_name = scene->name;
	wait_for(child, SIGSTOP, "before");
	if (!is_moving)
		shadow_open(&shadow, child, table_descriptor(child));
	for (step_number = 0; step_number < STEPS_MAX; step_number++) {
		if (is_moving || scene->flags & LOCKS || shadow_differs(&shadow))
			look_at_process(child, &looks[step_number]);
		else
			looks[step_number] = looks[step_number - 1];
		/* a table is copied byte by byte: here the system calls between its parts must do */
		CHECK(ptrace(is_moving ? PTRACE_SYSCALL : PTRACE_SINGLESTEP, child, NULL, NULL) == 0);
		CHECK(waitpid(child, &status, __WALL) == child && WIFSTOPPED(status));
		if (WSTOPSIG(status) == SIGSTOP)
			break;
		CHECK(WSTOPSIG(status) == SIGTRAP);
	}
	CHECK(step_number < STEPS_MAX);
	uint32_t steps = step_number;

	if (!is_moving)
		shadow_close(&shadow);
	look_at_process(child, &after);
	check_steps(scene, &after, steps);
	CHECK(ptrace(PTRACE_CONT, child, NULL, NULL) == 0);
	return steps;
}

int main(void)
{
	pid_t child = fork();
	int status;

	CHECK(child >= 0);
	if (child == 0)
		play();
	for (size_t i = 0; i < SCENES; i++)
		printf("%s: %" PRIu32 " steps\n", scenes[i].name, run_scene(&scenes[i], child));
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return 0;
}
