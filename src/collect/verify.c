/* SPDX-License-Identifier: Apache-2.0 */
#include "collect/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/files.h"
#include "collect/tables.h"
#include "region/registration.h"

/* The hook gives lines below REGISTRATION_LINES to servers, and this one to nobody. */
#define OWN_LINE (CONTROL_SERVERS_MAX - 1)
_Static_assert(OWN_LINE >= REGISTRATION_LINES, "a line that is no server's");

#define LOOK_NS 5000000

struct control_page *verify_map_control(int fd)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	if (fd < 0 || seals < 0 || (seals & (F_SEAL_SHRINK | F_SEAL_GROW)) == 0 ||
	    fstat(fd, &st) < 0 || st.st_size != (off_t)sizeof(struct control_page))
		return NULL;
	void *page =
	    mmap(NULL, sizeof(struct control_page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return page == MAP_FAILED ? NULL : page;
}

uint64_t verify_ask(struct control_page *control, uint32_t line)
{
	uint64_t request = clock_monotonic_ns() | 1;

	__atomic_store_n(&control->servers[line].verify_request, request, __ATOMIC_RELEASE);
	/* release: the process that sees the bell sees the request as well */
	(void)__atomic_fetch_add(&control->doorbell, 1, __ATOMIC_RELEASE);
	return request;
}

static struct verify_answer answer_of(const struct region_row *row, enum memory_type type)
{
	const struct region_verify *v = &row->verify[type];

	return (struct verify_answer){
	    .allocator = row->id,
	    .type = type,
	    .result = v->our_event == 0				? VERIFY_MOVED
		      : v->our_bank_bytes == v->their_allocated ? VERIFY_EQUAL
								: VERIFY_DIFFERENT,
	    .our_bytes = v->our_bank_bytes,
	    .size_bytes = v->their_total,
	    .allocated_bytes = v->their_allocated,
	    .free_bytes = v->their_free,
	    .largest_free_bytes = v->their_largest,
	};
}

int verify_read(const struct region_map *map, uint64_t request,
		struct verify_answer answers[VERIFY_ANSWERS_MAX])
{
	struct region_image image;
	int count = 0, r = region_read_image(map, &image);

	if (r < 0)
		return r;
	for (uint32_t i = 0; i < image.row_count && i < REGION_ALLOCATORS_MAX; i++)
		for (enum memory_type type = 0; type < MEMORY_TYPES; type++)
			if (image.rows[i].verify[type].request == request &&
			    !image.rows[i].allocator.closed_ns)
				answers[count++] = answer_of(&image.rows[i], type);
	region_image_clear(&image);
	return count % MEMORY_TYPES == 0 ? count : 0;
}

struct question {
	struct control_page *control;
	struct verify_answer *answers;
	int count;
	bool asked;
};

static int ask_table(void *argument, struct region_map *map, uint32_t pid, uint32_t uid,
		     enum process_state state)
{
	const struct timespec pause = {.tv_nsec = LOOK_NS};
	struct question *question = argument;

	(void)pid;
	(void)uid;
	if (state != PROCESS_LIVE)
		return 0;
	uint64_t end = clock_monotonic_ns() + VERIFY_NS;
	uint64_t request = verify_ask(question->control, OWN_LINE);

	question->asked = true;
	do {
		(void)nanosleep(&pause, NULL);
		question->count = verify_read(map, request, question->answers);
	} while (question->count == 0 && clock_monotonic_ns() < end);
	return question->count < 0 ? question->count : 0;
}

int verify_process(uint32_t pid, struct verify_answer answers[VERIFY_ANSWERS_MAX])
{
	const struct collect_options options = {.pid = pid};
	struct question question = {.answers = answers};
	fd_auto fd = tables_open_control(pid);

	struct control_page *page = verify_map_control(fd);

	if (!page)
		return -ESRCH;
	question.control = page;
	int r = tables_visit(&options, ask_table, &question, NULL);

	(void)munmap(page, sizeof *page);
	return r < 0 ? r : question.asked ? question.count : -ESRCH;
}
