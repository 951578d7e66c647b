/* SPDX-License-Identifier: Apache-2.0 */
#include "source/sampler.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/task.h"

/* A worker that has not come to the next card by then, and waits in the kernel, is stuck. */
#define PATIENCE_NS UINT64_C(50000000)
#define PATIENCE_MS 50

/* One that does not wait wants a processor: on a loaded machine it gets one long before this. */
#define STARVED_NS UINT64_C(2000000000)

/* A reading that the usual round a second would have replaced by then. */
#define OLD_NS UINT64_C(1500000000)

#define VERSION_ALPHABET "0123456789.-+_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Telemetry of a card may come two minutes after the card; identity is asked again till then. */
#define LATE_NS	      UINT64_C(180000000000)
#define LATE_EVERY_NS UINT64_C(5000000000)

enum phase { PHASE_IDLE, PHASE_BUSY };

/*
 * A card. The worker writes the reading that is not current, then makes it so.
 * Only the owner of the sampler starts rounds, so what it reads from is not
 * written before it starts the next one.
 */
struct slot {
	bool used;
	bool wants_identity;
	bool was_slow; /* atomic: the last reading waited, as for a reset */
	uint32_t number;
	uint64_t inode;	  /* of its directory: another one is another card */
	uint64_t first_ns;
	uint64_t identity_ns;
	int phase;	  /* enum phase, atomic */
	uint64_t busy_ns; /* since when, atomic */
	pid_t worker;	  /* atomic: the thread that reads it; 0: it has not said so yet */
	uint32_t current; /* atomic: of its two readings */
};

struct sampler_shared {
	uint32_t cursor; /* atomic: the next slot of this round */
	uint64_t changes; /* atomic */
	int root, finished;
	struct driver_version driver;
	struct slot slots[SAMPLER_CARDS_MAX];
	/* apart from the slots: of a place without a card no page is ever touched */
	struct card_reading readings[SAMPLER_CARDS_MAX][2];
};

static struct card_reading *reading_of(struct sampler_shared *shared, const struct slot *slot,
				       uint32_t which)
{
	return &shared->readings[slot - shared->slots][which];
}

static struct card_reading *current_reading(struct sampler_shared *shared, const struct slot *slot)
{
	return reading_of(shared, slot, __atomic_load_n(&slot->current, __ATOMIC_ACQUIRE));
}

static bool same_reading(const struct card_reading *a, const struct card_reading *b)
{
	size_t skip = offsetof(struct card_reading, time_ns) + sizeof a->time_ns;

	return a->state == b->state &&
	       memcmp((const char *)a + skip, (const char *)b + skip, sizeof *a - skip) == 0;
}

static void read_slot(struct sampler_shared *shared, struct slot *slot)
{
	uint32_t current = __atomic_load_n(&slot->current, __ATOMIC_RELAXED);
	struct card_reading *next = reading_of(shared, slot, 1 - current);
	const struct card_reading *last = reading_of(shared, slot, current);
	uint64_t start_ns = clock_monotonic_ns();

	*next = *last;
	next->number = slot->number;
	if (slot->wants_identity)
		card_read_bus(shared->root, next);
	if (!last->has_identity) {
		/* so that a card which is stuck from the start has a name */
		__atomic_store_n(&slot->current, 1 - current, __ATOMIC_RELEASE);
		current = 1 - current;
		last = next;
		next = reading_of(shared, slot, 1 - current);
		*next = *last;
	}
	card_read(shared->root, shared->driver, slot->wants_identity, next);
	__atomic_store_n(&slot->was_slow, next->time_ns - start_ns > PATIENCE_NS, __ATOMIC_RELAXED);
	if (!same_reading(last, next))
		(void)__atomic_fetch_add(&shared->changes, 1, __ATOMIC_RELAXED);
	/* release: who sees the index sees the reading */
	__atomic_store_n(&slot->current, 1 - current, __ATOMIC_RELEASE);
}

static void work(struct sampler_shared *shared)
{
	uint64_t one = 1;
	uint32_t i;

	while ((i = __atomic_fetch_add(&shared->cursor, 1, __ATOMIC_ACQ_REL)) < SAMPLER_CARDS_MAX) {
		struct slot *slot = &shared->slots[i];
		int idle = PHASE_IDLE;

		if (!__atomic_load_n(&slot->used, __ATOMIC_ACQUIRE) ||
		    !__atomic_compare_exchange_n(&slot->phase, &idle, PHASE_BUSY, false,
						 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			continue;
		__atomic_store_n(&slot->worker, gettid(), __ATOMIC_RELAXED);
		__atomic_store_n(&slot->busy_ns, clock_monotonic_ns(), __ATOMIC_RELEASE);
		read_slot(shared, slot);
		__atomic_store_n(&slot->worker, 0, __ATOMIC_RELAXED);
		/* release: the reading is whole before anybody else may touch the slot */
		__atomic_store_n(&slot->phase, PHASE_IDLE, __ATOMIC_RELEASE);
	}
	while (write(shared->finished, &one, sizeof one) < 0 && errno == EINTR)
		;
}

static void *thread_body(void *argument)
{
	work(argument);
	return NULL;
}

static int start_thread(struct sampler_shared *shared)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all, before;

	(void)pthread_attr_init(&attributes);
	(void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	(void)pthread_attr_setstacksize(&attributes, 128 * 1024);
	/* signals are for the loop */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	int r = pthread_create(&thread, &attributes, thread_body, shared);

	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attributes);
	return -r;
}

/* The child may outlive us by seconds: it must hold nothing that somebody waits for. */
static void child_body(struct sampler_shared *shared)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int low = shared->root < shared->finished ? shared->root : shared->finished;
	int high = shared->root < shared->finished ? shared->finished : shared->root;

	for (int fd = 0; fd < 3 && null >= 0; fd++)
		(void)dup2(null, fd);
	if (low > 3)
		(void)close_range(3, (unsigned)low - 1, 0);
	if (high - low > 1)
		(void)close_range((unsigned)low + 1, (unsigned)high - 1, 0);
	(void)close_range((unsigned)high + 1, ~0u, 0);
	work(shared);
	_exit(0);
}

static int start_process(struct sampler *sampler)
{
	for (size_t i = 0; i < sizeof sampler->children / sizeof sampler->children[0]; i++) {
		if (sampler->children[i])
			continue;
		pid_t pid = fork();

		if (pid == 0)
			child_body(sampler->shared);
		if (pid < 0)
			return -errno;
		sampler->children[i] = pid;
		return 0;
	}
	return -EAGAIN;
}

static void reap(struct sampler *sampler)
{
	for (size_t i = 0; i < sizeof sampler->children / sizeof sampler->children[0]; i++)
		if (sampler->children[i] && waitpid(sampler->children[i], NULL, WNOHANG) != 0)
			sampler->children[i] = 0;
}

static void start_worker(struct sampler *sampler, uint64_t now_ns)
{
	int r = sampler->workers == SAMPLER_THREADS ? start_thread(sampler->shared)
						    : start_process(sampler);

	sampler->progress_ns = now_ns;
	sampler->first_cursor = sampler->last_cursor;
	/* none to be had: the cards keep their last readings, and their age tells */
	if (r < 0)
		sampler->in_round = false;
}

int sampler_init(struct sampler *sampler, int root, enum sampler_workers workers)
{
	*sampler = (struct sampler){.root = root, .workers = workers, .finished = -1};
	sampler->shared = mmap(NULL, sizeof *sampler->shared, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sampler->shared == MAP_FAILED) {
		sampler->shared = NULL;
		return -errno;
	}
	sampler->finished = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (sampler->finished < 0) {
		int r = -errno;

		sampler_finish(sampler);
		return r;
	}
	sampler->shared->root = root;
	sampler->shared->finished = sampler->finished;
	return 0;
}

/* Does its worker wait in the kernel? What cannot be told counts as yes. */
static bool worker_waits(const struct slot *slot)
{
	pid_t worker = __atomic_load_n(&slot->worker, __ATOMIC_RELAXED);

	return worker != 0 && task_state(worker) != 'R';
}

/* How long the round may stand still before the next worker passes over the card. */
static uint64_t patience_ns(const struct sampler *sampler, uint32_t cursor)
{
	/* nobody has taken a card since the last worker was started: none can be what it waits for */
	if (cursor == sampler->first_cursor || cursor == 0 || cursor > SAMPLER_CARDS_MAX)
		return STARVED_NS;
	const struct slot *slot = &sampler->shared->slots[cursor - 1];

	return __atomic_load_n(&slot->phase, __ATOMIC_ACQUIRE) == PHASE_BUSY && worker_waits(slot)
		       ? PATIENCE_NS
		       : STARVED_NS;
}

static bool any_busy(const struct sampler *sampler)
{
	for (uint32_t i = 0; i < SAMPLER_CARDS_MAX; i++)
		if (__atomic_load_n(&sampler->shared->slots[i].phase, __ATOMIC_ACQUIRE) ==
		    PHASE_BUSY)
			return true;
	return false;
}

void sampler_finish(struct sampler *sampler)
{
	if (!sampler->shared)
		return;
	reap(sampler);
	/* a thread that is stuck comes back to this memory and to the descriptor */
	if (sampler->workers == SAMPLER_THREADS &&
	    (any_busy(sampler) || (sampler->in_round && !sampler_mind(sampler, clock_monotonic_ns()))))
		return;
	(void)munmap(sampler->shared, sizeof *sampler->shared);
	if (sampler->finished >= 0)
		(void)close(sampler->finished);
	sampler->shared = NULL;
	sampler->finished = -1;
}

static struct slot *slot_of(struct sampler_shared *shared, uint32_t number, uint64_t inode)
{
	struct slot *free_slot = NULL;

	for (uint32_t i = 0; i < SAMPLER_CARDS_MAX; i++) {
		struct slot *slot = &shared->slots[i];

		if (slot->used && slot->number == number && slot->inode == inode)
			return slot;
		if (!slot->used && !free_slot &&
		    __atomic_load_n(&slot->phase, __ATOMIC_ACQUIRE) == PHASE_IDLE)
			free_slot = slot;
	}
	return free_slot;
}

static void take_card(struct sampler *sampler, uint32_t number, uint64_t inode, uint64_t now_ns,
		      bool seen[SAMPLER_CARDS_MAX])
{
	struct slot *slot = slot_of(sampler->shared, number, inode);

	if (!slot)
		return;
	if (!slot->used) {
		memset(slot, 0, sizeof *slot);
		memset(reading_of(sampler->shared, slot, 0), 0, sizeof(struct card_reading));
		slot->number = current_reading(sampler->shared, slot)->number = number;
		slot->inode = inode;
		slot->first_ns = now_ns;
		__atomic_store_n(&slot->used, true, __ATOMIC_RELEASE);
	}
	seen[slot - sampler->shared->slots] = true;
	if (__atomic_load_n(&slot->phase, __ATOMIC_ACQUIRE) == PHASE_BUSY)
		return;
	const struct card_reading *last = current_reading(sampler->shared, slot);

	/* at arrival, after anything that looked like a reset, and while something may still come */
	slot->wants_identity = !last->has_identity || last->state != CARD_OK ||
			       __atomic_load_n(&slot->was_slow, __ATOMIC_RELAXED) ||
			       (card_lacks_telemetry(last) && now_ns - slot->first_ns < LATE_NS &&
				now_ns - slot->identity_ns >= LATE_EVERY_NS);
	if (slot->wants_identity)
		slot->identity_ns = now_ns;
}

/* N of "tenstorrent!N" */
static bool card_number(const char *name, uint32_t *ret_number)
{
	static const char prefix[] = "tenstorrent!";
	char *end;

	if (strncmp(name, prefix, sizeof prefix - 1) != 0 ||
	    !isdigit((unsigned char)name[sizeof prefix - 1]))
		return false;
	unsigned long number = strtoul(name + sizeof prefix - 1, &end, 10);

	*ret_number = (uint32_t)number;
	return *end == '\0' && number < 100000;
}

static void find_cards(struct sampler *sampler, uint64_t now_ns)
{
	bool seen[SAMPLER_CARDS_MAX] = {false};
	int fd = file_open_at(sampler->root, "sys/class/tenstorrent", O_RDONLY | O_DIRECTORY);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	uint32_t number;

	if (!directory && fd >= 0)
		(void)close(fd);
	sampler->has_class = directory != NULL;
	bool failed = !directory && fd != -ENOENT;

	for (struct dirent *entry; directory && (entry = file_next_entry(directory));)
		if (card_number(entry->d_name, &number))
			take_card(sampler, number, entry->d_ino, now_ns, seen);
	/* a list that breaks off does not say that the rest is gone */
	if (directory) {
		failed = errno != 0;
		(void)closedir(directory);
	}
	for (uint32_t i = 0; i < SAMPLER_CARDS_MAX; i++) {
		struct slot *slot = &sampler->shared->slots[i];

		if (!slot->used || seen[i] || failed ||
		    __atomic_load_n(&slot->phase, __ATOMIC_ACQUIRE) == PHASE_BUSY)
			continue;
		__atomic_store_n(&slot->used, false, __ATOMIC_RELEASE);
		(void)__atomic_fetch_add(&sampler->shared->changes, 1, __ATOMIC_RELAXED);
	}
}

/* It may be loaded, unloaded or replaced while we run; the file is the driver's, not a card's. */
static void find_driver(struct sampler *sampler)
{
	struct driver_version *v = &sampler->shared->driver;
	ssize_t n = file_read_line_at(sampler->root, "sys/module/tenstorrent/version",
				      sampler->driver, sizeof sampler->driver);

	if (n <= 0 || strlen(sampler->driver) != (size_t)n ||
	    sampler->driver[strspn(sampler->driver, VERSION_ALPHABET)])
		sampler->driver[0] = '\0';
	sampler->has_driver =
		n > 0 || faccessat(sampler->root, "sys/module/tenstorrent", F_OK, 0) == 0;
	if (sscanf(sampler->driver, "%u.%u", &v->major, &v->minor) != 2)
		*v = (struct driver_version){0};
}

void sampler_begin(struct sampler *sampler, uint64_t now_ns)
{
	uint64_t count;

	if (sampler->in_round && !sampler_mind(sampler, now_ns))
		return;
	reap(sampler);
	if (sampler->rounds % 16 == 0)
		find_driver(sampler);
	find_cards(sampler, now_ns);
	sampler->rounds++;
	(void)!read(sampler->finished, &count, sizeof count);
	bool any = false;

	for (uint32_t i = 0; i < SAMPLER_CARDS_MAX; i++)
		any |= sampler->shared->slots[i].used;
	if (!any)
		return;
	/* release: the worker sees the slots as they were set up */
	__atomic_store_n(&sampler->shared->cursor, 0, __ATOMIC_RELEASE);
	sampler->last_cursor = 0;
	sampler->in_round = true;
	start_worker(sampler, now_ns);
}

bool sampler_mind(struct sampler *sampler, uint64_t now_ns)
{
	uint32_t cursor = __atomic_load_n(&sampler->shared->cursor, __ATOMIC_ACQUIRE);
	uint64_t count;

	if (!sampler->in_round)
		return true;
	/* somebody has reached the end: whoever is still busy is stuck, and was passed over */
	if (read(sampler->finished, &count, sizeof count) == (ssize_t)sizeof count) {
		sampler->in_round = false;
		return true;
	}
	if (cursor != sampler->last_cursor) {
		sampler->last_cursor = cursor;
		sampler->progress_ns = now_ns;
	} else if (now_ns - sampler->progress_ns > PATIENCE_NS &&
		   now_ns - sampler->progress_ns > patience_ns(sampler, cursor)) {
		start_worker(sampler, now_ns);
	}
	return !sampler->in_round;
}

void sampler_wait(struct sampler *sampler)
{
	struct pollfd wait = {.fd = sampler->finished, .events = POLLIN};

	while (!sampler_mind(sampler, clock_monotonic_ns()))
		(void)poll(&wait, 1, PATIENCE_MS + 1);
}

/*
 * A worker that had no processor for a moment looks much the same, so a card counts as stuck only
 * when its last reading is old as well.
 */
static bool is_stuck(struct slot *slot, const struct card_reading *reading, uint64_t now_ns)
{
	uint64_t since_ns = __atomic_load_n(&slot->busy_ns, __ATOMIC_ACQUIRE);

	if (now_ns < reading->time_ns || now_ns - reading->time_ns < OLD_NS)
		return false;

	if (__atomic_load_n(&slot->phase, __ATOMIC_ACQUIRE) != PHASE_BUSY || now_ns <= since_ns)
		return false;
	return now_ns - since_ns > STARVED_NS ||
	       (now_ns - since_ns > PATIENCE_NS && worker_waits(slot));
}

static int by_number(const void *a, const void *b)
{
	const struct sampler_card *x = a, *y = b;

	return (x->reading->number > y->reading->number) - (x->reading->number < y->reading->number);
}

uint32_t sampler_cards(const struct sampler *sampler, uint64_t now_ns,
		       struct sampler_card cards[SAMPLER_CARDS_MAX])
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < SAMPLER_CARDS_MAX; i++) {
		struct slot *slot = &sampler->shared->slots[i];

		if (!slot->used)
			continue;
		const struct card_reading *reading = current_reading(sampler->shared, slot);
		bool stuck = is_stuck(slot, reading, now_ns);

		cards[count++] = (struct sampler_card){
			.reading = reading,
			.state = stuck || reading->time_ns == 0 ? CARD_STUCK
								: (enum card_state)reading->state,
			.age_ns = reading->time_ns == 0		? UINT64_MAX
				  : now_ns > reading->time_ns ? now_ns - reading->time_ns
							      : 0,
		};
	}
	qsort(cards, count, sizeof cards[0], by_number);
	return count;
}

uint64_t sampler_changes(const struct sampler *sampler)
{
	return __atomic_load_n(&sampler->shared->changes, __ATOMIC_RELAXED);
}
