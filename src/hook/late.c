/* SPDX-License-Identifier: Apache-2.0 */
#include "hook/late.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hook/hook.h"
#include "hook/now.h"
#include "hook/slots.h"
#include "region/memfd.h"

#define READ_BACK_NS UINT64_C(1000000000)
#define DESCRIPTORS  8 /* table, control page, copies, and what is open for a moment */

LATE_EXPORT extern struct late_status ttmem_hook_status;
struct late_status ttmem_hook_status = {.magic = LATE_MAGIC, .entry = "preload"};

uint64_t late_due_ns = UINT64_MAX;

const char *late_entry(void)
{
	return ttmem_hook_status.entry;
}

static void become(enum late_state state)
{
	ttmem_hook_status.slots = slots_count();
	__atomic_store_n(&ttmem_hook_status.state, state, __ATOMIC_RELEASE);
}

static bool is_switched_off(void)
{
	const char *off = getenv("TTMEM");

	return off && strcmp(off, "off") == 0;
}

static void name_entry(const char *entry)
{
	size_t n = strnlen(entry, sizeof ttmem_hook_status.entry - 1);

	memset(ttmem_hook_status.entry, 0, sizeof ttmem_hook_status.entry);
	memcpy(ttmem_hook_status.entry, entry, n);
}

/* The table's descriptors stay where there is room for them: someone is waiting for us. */
static void stay_in_descriptor_table(void)
{
	char text[1024];
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (fd >= 0)
		(void)close(fd);
	if (n <= 0)
		return;
	text[n] = '\0';
	const char *size = strstr(text, "FDSize:");

	if (size)
		memfd_numbers_from((int)strtol(size + 7, NULL, 10) - DESCRIPTORS);
}

/* Everything is ready before the first slot leads to us. */
static int attach(struct metal *metal, const char *entry)
{
	bool is_attached = ttmem_hook_status.state == LATE_ATTACHED;
	int found = slots_find(metal);

	if (found < 0)
		return found;
	if (found == 0) {
		become(LATE_PRELOADED);
		return 0;
	}
	if (!is_attached) {
		name_entry(entry);
		stay_in_descriptor_table();
		/* Python comes before any device is opened: no table before there is something in it */
		hook_late_begin(metal, strcmp(entry, "python") != 0);
	}
	int r;

	while ((r = slots_patch()) == -EAGAIN && slots_find(metal) > 0)
		;
	if (r < 0) {
		(void)slots_restore();
		hook_late_end(metal);
		become(LATE_IDLE);
		return r;
	}
	__atomic_store_n(&late_due_ns, hook_now_ns() + READ_BACK_NS, __ATOMIC_RELAXED);
	become(LATE_ATTACHED);
	return 0;
}

int ttmem_hook_attach(const char *entry)
{
	int saved_errno = errno, r;
	struct metal *metal = metal_get();

	if (is_switched_off())
		return -ECANCELED;
	if (!metal)
		return -ENOENT;
	r = hook_late_take();
	if (r < 0)
		return r;
	r = attach(metal, entry ? entry : "attach");
	hook_late_give();
	errno = saved_errno;
	return r;
}

static int detach(struct metal *metal)
{
	if (ttmem_hook_status.state != LATE_ATTACHED)
		return slots_find(metal) == 0 ? -EPERM : 0;
	int r = slots_restore();

	if (r < 0)
		return r;
	__atomic_store_n(&late_due_ns, UINT64_MAX, __ATOMIC_RELAXED);
	hook_late_end(metal);
	become(LATE_DETACHED);
	return 0;
}

int ttmem_hook_detach(void)
{
	int saved_errno = errno, r;
	struct metal *metal = metal_get();

	if (!metal)
		return 0;
	r = hook_late_take();
	if (r < 0)
		return r;
	r = detach(metal);
	hook_late_give();
	errno = saved_errno;
	return r;
}

/* Whoever attaches or detaches right now does not need us to look. */
void late_repair(uint64_t time_ns)
{
	uint64_t due = __atomic_load_n(&late_due_ns, __ATOMIC_RELAXED);
	int saved_errno = errno;

	if (time_ns < due || hook_late_take() < 0)
		return;
	/* once more if it was needed: the resolver may have many to bind */
	__atomic_store_n(&late_due_ns, slots_repair() > 0 ? time_ns + READ_BACK_NS : UINT64_MAX,
			 __ATOMIC_RELAXED);
	hook_late_give();
	errno = saved_errno;
}
