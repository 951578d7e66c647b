/* SPDX-License-Identifier: Apache-2.0 */
#include "source/procfs.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"

/* How old an answer may be. Pids differ, so that they are not all looked at in the same request. */
#define KEEP_NS	       UINT64_C(4000000000)
#define KEEP_SPREAD_NS UINT64_C(125000000)

/* The number behind "Name:" at the start of a line of /proc/PID/status. */
static bool status_number(const char *status, const char *name, uint64_t *ret_value)
{
	size_t n = strlen(name);

	for (const char *line = status; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, n) != 0)
			continue;
		line += n + strspn(line + n, " \t");
		if (!isdigit((unsigned char)*line))
			return false;
		*ret_value = strtoull(line, NULL, 10);
		return true;
	}
	return false;
}

static struct fact status_bytes(const char *status, const char *name)
{
	uint64_t kib;

	/* a process that has ended has no memory, and no line of it */
	if (!status_number(status, name, &kib))
		return fact_absent(REASON_NONE);
	return kib > UINT64_MAX >> 10 ? fact_absent(REASON_IMPOSSIBLE) : fact_of(kib << 10);
}

/* Its number in the innermost PID namespace, the last of the line; its own where there is none. */
static uint32_t inner_pid(const char *status, uint32_t pid)
{
	const char *line = strstr(status, "\nNSpid:");
	size_t length = line ? strcspn(line + 1, "\n") : 0;
	const char *end = line ? line + 1 + length : NULL, *p = end;

	while (p && p > line && isdigit((unsigned char)p[-1]))
		p--;
	unsigned long inner = p && p < end ? strtoul(p, NULL, 10) : 0;

	return inner && inner <= INT32_MAX ? (uint32_t)inner : pid;
}

static void read_status(int directory, struct process_facts *facts)
{
	char status[4096];
	uint64_t id;

	ssize_t n = file_read_at(directory, "status", status, sizeof status);

	facts->host_bytes = facts->pinned_bytes =
		fact_absent(n == -EACCES || n == -EPERM ? REASON_PERMISSION : REASON_READ);
	if (n <= 0)
		return;
	facts->inner_pid = inner_pid(status, facts->pid);
	facts->uid = status_number(status, "Uid:", &id) ? (uint32_t)id : UINT32_MAX;
	facts->gid = status_number(status, "Gid:", &id) ? (uint32_t)id : UINT32_MAX;
	facts->host_bytes = status_bytes(status, "VmRSS:");
	facts->pinned_bytes = status_bytes(status, "VmPin:");
}

static void read_command(int directory, struct process_facts *facts)
{
	ssize_t n = file_read_at(directory, "cmdline", facts->command, sizeof facts->command);

	/* a kernel thread or a zombie has no arguments left, only a name */
	if (n <= 0) {
		n = file_read_at(directory, "comm", facts->command, sizeof facts->command);
		while (n > 0 && facts->command[n - 1] == '\n')
			n--;
	}
	facts->command_bytes = n > 0 ? (uint32_t)n : 0;
	while (facts->command_bytes && facts->command[facts->command_bytes - 1] == '\0')
		facts->command_bytes--;
}

/* Field 22 of stat; the second field is a name in parentheses that may hold anything. */
static uint64_t start_ticks(int directory)
{
	char stat[1024];

	if (file_read_at(directory, "stat", stat, sizeof stat) <= 0)
		return 0;
	char *p = strrchr(stat, ')');

	for (int field = 2; p && field < 22; field++) {
		p = strchr(p + 1, ' ');
	}
	return p ? strtoull(p + 1, NULL, 10) : 0;
}

/* The line stands behind those of all cores; on a big machine that is some way down. */
static uint64_t boot_time_s(struct process_cache *cache)
{
	char stat[32768];

	if (cache->boot_s == 0 && file_read_at(cache->root, "proc/stat", stat, sizeof stat) > 0)
		(void)status_number(stat, "btime", &cache->boot_s);
	return cache->boot_s;
}

static void read_process(struct process_cache *cache, uint32_t pid,
			 struct process_facts *ret_facts)
{
	char path[40], text[4096];
	long ticks_per_s = sysconf(_SC_CLK_TCK);

	*ret_facts = (struct process_facts){
		.pid = pid, .inner_pid = pid, .uid = UINT32_MAX, .gid = UINT32_MAX};
	(void)snprintf(path, sizeof path, "proc/%u", pid);
	fd_auto directory = file_open_at(cache->root, path, O_RDONLY | O_DIRECTORY);

	if (directory < 0)
		return;
	ret_facts->exists = true;
	read_status(directory, ret_facts);
	read_command(directory, ret_facts);
	uint64_t ticks = start_ticks(directory), boot = ticks ? boot_time_s(cache) : 0;

	if (boot && ticks_per_s > 0)
		ret_facts->started_ns = boot * UINT64_C(1000000000) +
					ticks * (UINT64_C(1000000000) / (uint64_t)ticks_per_s);
	if (file_read_at(directory, "cgroup", text, sizeof text) <= 0)
		text[0] = '\0';
	cgroup_parse(text, &ret_facts->container);
}

uint64_t process_start_ticks(uint32_t pid)
{
	char path[40];

	(void)snprintf(path, sizeof path, "/proc/%u", pid);
	fd_auto directory = file_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);

	return directory < 0 ? 0 : start_ticks(directory);
}

bool process_is(uint32_t pid, uint32_t inner, uint64_t ticks)
{
	char path[40], status[4096];

	(void)snprintf(path, sizeof path, "/proc/%u/status", pid);
	return ticks != 0 && process_start_ticks(pid) == ticks &&
	       file_read_at(AT_FDCWD, path, status, sizeof status) > 0 &&
	       inner_pid(status, pid) == inner;
}

int process_cache_init(struct process_cache *cache, int root)
{
	cache->root = root;
	cache->boot_s = 0;
	/* untouched pages of it cost nothing */
	cache->entries = calloc(PROCESS_CACHE_ENTRIES, sizeof *cache->entries);
	return cache->entries ? 0 : -ENOMEM;
}

void process_cache_clear(struct process_cache *cache)
{
	free(cache->entries);
	cache->entries = NULL;
}

const struct process_facts *process_cache_get(struct process_cache *cache, uint32_t pid,
					      uint64_t now_ns)
{
	/* two pids that share an entry cost a look each time, no more */
	struct process_cache_entry *entry = &cache->entries[pid % PROCESS_CACHE_ENTRIES];
	uint64_t keep_ns = KEEP_NS + pid % 16 * KEEP_SPREAD_NS;

	if (entry->read_ns == 0 || entry->facts.pid != pid || now_ns - entry->read_ns > keep_ns) {
		read_process(cache, pid, &entry->facts);
		entry->read_ns = now_ns;
	}
	return &entry->facts;
}
