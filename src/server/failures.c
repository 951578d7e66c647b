/* SPDX-License-Identifier: Apache-2.0 */
#include "server/failures.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"

static void drop(struct failures *failures, uint32_t index)
{
	region_map_close(&failures->tables[index].map);
	memmove(&failures->tables[index], &failures->tables[index + 1],
		(failures->count - index - 1) * sizeof failures->tables[0]);
	failures->count--;
}

/* The oldest of a user; FAILURES_MAX when there is none. */
static uint32_t oldest_of(const struct failures *failures, uint32_t uid, uint32_t *ret_count)
{
	uint32_t oldest = FAILURES_MAX;

	*ret_count = 0;
	for (uint32_t i = failures->count; i-- > 0;)
		if (failures->tables[i].uid == uid) {
			oldest = i;
			++*ret_count;
		}
	return oldest;
}

static void make_room(struct failures *failures, uint64_t bytes, uint32_t uid)
{
	uint64_t sum = bytes;
	uint32_t of_user, oldest = oldest_of(failures, uid, &of_user);

	if (uid != 0 && of_user >= FAILURES_UID_MAX)
		drop(failures, oldest);
	for (uint32_t i = 0; i < failures->count; i++)
		sum += failures->tables[i].bytes;
	while (failures->count == FAILURES_MAX ||
	       (failures->count > 0 && sum > FAILURES_BYTES_MAX)) {
		sum -= failures->tables[0].bytes;
		drop(failures, 0);
	}
}

int failures_add(struct failures *failures, const struct received *received)
{
	struct failure_table table = {
		.time_ns = clock_realtime_ns(),
		.pid = received->pid,
		.uid = received->uid,
		.gid = received->gid,
	};
	struct region_image image;
	struct stat st;

	if (fstat(received->table, &st) < 0)
		return -errno;
	for (uint32_t i = 0; i < failures->count; i++)
		if (failures->tables[i].inode == st.st_ino && failures->tables[i].device == st.st_dev)
			return -EEXIST;
	table.inode = st.st_ino;
	table.device = st.st_dev;
	table.bytes = (uint64_t)st.st_blocks * 512;
	if (table.bytes > FAILURES_BYTES_MAX / 2)
		return -EFBIG;
	int r = region_map_open(received->table, &table.map);

	if (r != 0)
		return r;
	(void)region_map_freeze(&table.map); /* nobody writes it any more */
	r = region_read_image(&table.map, &image);
	if (r < 0) {
		region_map_close(&table.map);
		return r;
	}
	table.left_out = image.head.left_out;
	table.failure = image.head.failures_count;
	region_image_clear(&image);
	make_room(failures, table.bytes, table.uid);
	table.number = ++failures->accepted;
	failures->tables[failures->count++] = table;
	return 0;
}

struct failure_table *failures_find(struct failures *failures, uint64_t number)
{
	for (uint32_t i = 0; i < failures->count; i++)
		if (failures->tables[i].number == number)
			return &failures->tables[i];
	return NULL;
}

void failures_clear(struct failures *failures)
{
	while (failures->count)
		drop(failures, failures->count - 1);
}
