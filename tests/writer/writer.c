/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process with a table and no TT-Metal: it allocates what it is told, at the sites
 * it is told. Servers and tools see it as they see a program under the hook.
 *
 *     writer [CHIPS]
 *
 * One command a line, fields apart by tabs, %XX for any byte in them, and an answer,
 * "ok" or "error WHY":
 *
 *     alloc KEY BYTES TYPE OP FILE LINE FUNCTION [TAG]    "" where a text is not known
 *     before KEY BYTES TYPE                         from before the hook came in
 *     many KEY COUNT SITES BYTES                    that many, over so many sites
 *     free KEY [COUNT]
 *     close                                         the device, which is opened again
 *     fail BYTES TYPE OP FILE LINE FUNCTION
 *     capability NAME STATE DETAIL
 *     unlock                   as one that has handed out its table and not locked it again yet
 *     lose [CHANGE]            its table's descriptor is closed; CHANGE: and it has noticed
 *     hello                    once more to the server
 *     exec                     becomes another program, with a table of its own
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "region/send.h"
#include "region/writer.h"

#define FIELDS_MAX 10
#define OBJECT(key) (UINT64_C(0x7f0000000000) + (uint64_t)(key) * 0x260)
#define ALLOCATOR 1
#define DEVICE	  2

static struct region_writer *writer;
static uint64_t next_address[REGION_MEMORY_TYPES];
static uint32_t chips_open;

static const struct region_geometry geometry[REGION_MEMORY_TYPES] = {
	{12, 32, 1072693184, 1048640},
	{64, 16, 1376928, 105824},
	{64, 16, 16384, 1482752},
	{12, 32, 0, 1073741824},
};

static uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static int open_device(uint32_t chips)
{
	struct region_allocator row = {.object = ALLOCATOR, .device = DEVICE, .arch = 2,
				       .chip_count = chips, .l1_bytes_per_core = 1499136};
	uint32_t at;

	memcpy(row.geometry, geometry, sizeof row.geometry);
	for (uint32_t i = 0; i < chips; i++)
		row.chips[i] = (struct region_chip){.unique_id = UINT64_C(1000000000000000001) + i,
						    .chip_id = i,
						    .flags = REGION_CHIP_HAS_UNIQUE_ID};
	return region_writer_allocator_add(writer, &row, now_ns(), &at);
}

static int create(uint32_t chips)
{
	const struct region_identity identity = {.entry = "writer", .metal_version = "0.81.1"};

	writer = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (writer == MAP_FAILED)
		return -1;
	int r = region_writer_create(writer, &identity);

	if (r < 0)
		return r;
	region_writer_capability(writer, "buffers", CAPABILITY_PRESENT, NULL);
	region_writer_capability(writer, "frees", CAPABILITY_PRESENT, NULL);
	region_writer_capability(writer, "sites", CAPABILITY_PRESENT, NULL);
	return open_device(chips);
}

/* To the server whose directory $TTMEM_SOCKET_DIR names first; none is no error. */
static void say_hello(void)
{
	const char *directory = getenv("TTMEM_SOCKET_DIR");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int table = region_writer_share(writer);
	struct registration message = {.magic = REGISTRATION_MAGIC,
				       .version = REGISTRATION_VERSION,
				       .start_ticks = region_writer_start_ticks(writer)};

	(void)snprintf(address.sun_path, sizeof address.sun_path, "%.*s/" REGISTRATION_SOCKET,
		       directory ? (int)strcspn(directory, ":") : 0, directory);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		(void)send_registration(fd, &message, table, writer->control_fd);
	(void)close(fd);
	region_writer_unshare(writer, table);
}

static int hex(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* In place; a NUL is none of the bytes. */
static void decode(char *field)
{
	char *to = field;

	for (const char *p = field; *p; p++) {
		if (*p == '%' && hex(p[1]) >= 0 && hex(p[2]) >= 0) {
			*to++ = (char)(hex(p[1]) << 4 | hex(p[2]));
			p += 2;
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
}

static struct region_text text_of(const char *string)
{
	return (struct region_text){.start = string, .bytes = (uint32_t)strlen(string)};
}

static uint32_t site_of(char *const *op)
{
	const struct region_site_found found = {.op = text_of(op[0]),
						.file = text_of(op[1]),
						.line = (uint32_t)strtoul(op[2], NULL, 10),
						.function = text_of(op[3])};

	return region_writer_site(writer, &found);
}

static uint8_t type_of(const char *word)
{
	static const char *const words[] = {"dram", "l1", "l1_small", "trace"};
	uint8_t type = 0;

	while (type < 3 && strcmp(word, words[type]) != 0)
		type++;
	return type;
}

static int alloc(uint64_t key, uint64_t bytes, uint8_t type, uint32_t site)
{
	uint64_t bank = ((bytes + geometry[type].banks - 1) / geometry[type].banks + 31) / 32 * 32;
	struct region_buffer b = {.object = OBJECT(key),
				  .allocator = ALLOCATOR,
				  .device = DEVICE,
				  .address = geometry[type].base_address + next_address[type],
				  .requested_bytes = bytes,
				  .bank_bytes = bank,
				  .page_bytes = 2048,
				  .pages = (bytes + 2047) / 2048,
				  .time_ns = now_ns(),
				  .cores = REGION_NONE,
				  .site = site,
				  .thread = (uint32_t)getpid(),
				  .type = type};

	/* what is freed is not given out again: nobody here looks at holes */
	next_address[type] = (next_address[type] + bank) % (geometry[type].bank_bytes + 1);
	return region_writer_alloc(writer, &b);
}

static int many(uint64_t key, uint64_t count, uint64_t sites, uint64_t bytes)
{
	char function[32], line[24], op[] = "ttnn.add", file[] = "/srv/app/many.py";
	int r = 0;

	for (uint64_t i = 0; r == 0 && i < count; i++) {
		char *const texts[] = {op, file, line, function};

		(void)snprintf(line, sizeof line, "%" PRIu64, i % sites + 1);
		(void)snprintf(function, sizeof function, "f%" PRIu64, i % sites);
		r = alloc(key + i, bytes, 0, site_of(texts));
	}
	return r;
}

static int release(uint64_t key, uint64_t count)
{
	int r = 0;

	for (uint64_t i = 0; i < count; i++)
		r = region_writer_free(writer, OBJECT(key + i)) ? r : -1;
	return r;
}

static void fail(char *const *f)
{
	struct region_failure failure;

	memset(&failure, 0xff, sizeof failure);
	failure.kind = 0;
	failure.time_ns = now_ns();
	failure.requested_bytes = strtoull(f[1], NULL, 10);
	failure.page_bytes = 2048;
	failure.allocator = 0;
	failure.type = type_of(f[2]);
	failure.thread = (uint32_t)getpid();
	failure.free_bytes_per_bank = failure.largest_bytes_per_bank = 1024;
	failure.site = site_of(f + 3);
	region_writer_fail(writer, &failure);
}

static int moment(char **f, unsigned count)
{
	static char path[] = "/proc/self/exe";
	struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_len = 1};

	if (strcmp(f[0], "unlock") == 0)
		return fcntl(writer->table_fd, F_SETLK, &lock);
	if (strcmp(f[0], "hello") == 0) {
		say_hello();
		return 0;
	}
	if (strcmp(f[0], "lose") == 0) {
		if (close(writer->table_fd) < 0)
			return -1;
		writer->checked_ns = 0;
		if (count == 2)
			region_writer_tick(writer, now_ns());
		return 0;
	}
	if (strcmp(f[0], "exec") == 0)
		return execl(path, path, NULL);
	return -1;
}

static int command(char **f, unsigned count)
{
#define NUMBER(i) strtoull(f[i], NULL, 10)
	if (strcmp(f[0], "alloc") == 0 && count == 8)
		return alloc(NUMBER(1), NUMBER(2), type_of(f[3]), site_of(f + 4));
	if (strcmp(f[0], "alloc") == 0 && count == 9)
		return alloc(NUMBER(1), NUMBER(2), type_of(f[3]),
			     region_writer_site_tag(writer, site_of(f + 4), text_of(f[8])));
	if (strcmp(f[0], "before") == 0 && count == 4)
		return alloc(NUMBER(1), NUMBER(2), type_of(f[3]), REGION_SITE_BEFORE_ATTACH);
	if (strcmp(f[0], "many") == 0 && count == 5)
		return many(NUMBER(1), NUMBER(2), NUMBER(3), NUMBER(4));
	if (strcmp(f[0], "free") == 0 && (count == 2 || count == 3))
		return release(NUMBER(1), count == 3 ? NUMBER(2) : 1);
	if (strcmp(f[0], "close") == 0 && count == 1) {
		region_writer_close_device(writer, DEVICE, now_ns());
		return open_device(chips_open);
	}
	if (strcmp(f[0], "fail") == 0 && count == 7) {
		fail(f);
		return 0;
	}
	if (strcmp(f[0], "capability") == 0 && count == 4) {
		region_writer_capability(writer, f[1], (enum capability_state)NUMBER(2), f[3]);
		return 0;
	}
	return moment(f, count);
}

int main(int argc, char **argv)
{
	char *line = NULL, *f[FIELDS_MAX];
	size_t room = 0;

	chips_open = argc > 1 ? (uint32_t)atoi(argv[1]) : 1;
	if (create(chips_open) < 0) {
		puts("error no table");
		return 1;
	}
	say_hello();
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	printf("%d\n", getpid());
	while (getline(&line, &room, stdin) > 0) {
		char *rest = line;
		unsigned count = 0;

		line[strcspn(line, "\n")] = '\0';
		while (count < FIELDS_MAX && (f[count] = strsep(&rest, "\t")))
			decode(f[count++]);
		int r = command(f, count);

		printf(r < 0 ? "error %d\n" : "ok\n", r);
	}
	free(line);
	return 0;
}
