/* SPDX-License-Identifier: Apache-2.0 */
#include "analyse/books.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "analyse/ranges.h"

#define HINT                                                                                       \
	"do not trust these figures; report it with the output of ttmem --format=json and the "    \
	"version of TT-Metal"

/* What a memory object belongs to, for sentences. */
struct owner {
	const char *kind; /* "allocator", "chip" */
	uint64_t number;
	enum memory_type type;
};

static void expect(struct books *books, bool holds, const struct owner *owner, const char *format,
		   ...) __attribute__((format(printf, 4, 5)));

static void expect(struct books *books, bool holds, const struct owner *owner, const char *format,
		   ...)
{
	char sentence[256];
	va_list args;

	books->checked++;
	if (holds || books->wrong++ >= BOOKS_SENTENCES)
		return;
	va_start(args, format);
	(void)vsnprintf(sentence, sizeof sentence, format, args);
	va_end(args);
	findings_add(books->findings, FINDING_ERROR, "books", HINT, "%s %" PRIu64 ", %s: %s",
		     owner->kind, owner->number, memory_type_name(owner->type), sentence);
}

/* a + b = sum, where all are known */
static void expect_sum(struct books *books, const struct owner *owner, const char *where,
		       struct fact used, struct fact unused, struct fact whole)
{
	uint64_t sum;

	if (!fact_is_known(used) || !fact_is_known(unused) || !fact_is_known(whole))
		return;
	bool fits = !__builtin_add_overflow(used.value, unused.value, &sum);

	expect(books, fits && sum == whole.value, owner,
	       "%" PRIu64 " bytes occupied and %" PRIu64 " free are not the %" PRIu64
	       " allocatable %s",
	       used.value, unused.value, whole.value, where);
}

static void expect_times(struct books *books, const struct owner *owner, const char *what,
			 struct fact bank, struct fact banks, struct fact all)
{
	uint64_t product;

	if (!fact_is_known(bank) || !fact_is_known(banks) || !fact_is_known(all))
		return;
	bool fits = !__builtin_mul_overflow(bank.value, banks.value, &product);

	expect(books, fits && product == all.value, owner,
	       "%" PRIu64 " bytes %s in each of %" PRIu64 " banks are not the %" PRIu64 " in all",
	       bank.value, what, banks.value, all.value);
}

static void expect_limit(struct books *books, const struct owner *owner, const char *what,
			 struct fact part, const char *limit_is, struct fact limit)
{
	if (!fact_is_known(part) || !fact_is_known(limit))
		return;
	expect(books, part.value <= limit.value, owner,
	       "%" PRIu64 " bytes %s are more than %s of %" PRIu64, part.value, what, limit_is,
	       limit.value);
}

static void expect_equal(struct books *books, const struct owner *owner, const char *what,
			 struct fact figure, uint64_t value, const char *found)
{
	if (!fact_is_known(figure))
		return;
	expect(books, figure.value == value, owner,
	       "it says %" PRIu64 " %s, and there are %" PRIu64 " %s", figure.value, what, value,
	       found);
}

static void check_memory(struct books *books, const struct owner *owner, const struct memory *m)
{
	expect_sum(books, owner, "in all", m->occupied_bytes, m->free_bytes, m->allocatable_bytes);
	expect_sum(books, owner, "in a bank", m->bank_allocated_bytes, m->bank_free_bytes,
		   m->bank_size_bytes);
	expect_times(books, owner, "occupied", m->bank_allocated_bytes, m->banks,
		     m->occupied_bytes);
	expect_times(books, owner, "free", m->bank_free_bytes, m->banks, m->free_bytes);
	expect_times(books, owner, "allocatable", m->bank_size_bytes, m->banks,
		     m->allocatable_bytes);
	expect_times(books, owner, "in the largest hole", m->bank_largest_free_bytes, m->banks,
		     m->largest_free_bytes);
	expect_limit(books, owner, "in the largest hole", m->bank_largest_free_bytes,
		     "all free ones", m->bank_free_bytes);
	expect_limit(books, owner, "requested", m->requested_bytes, "the peak",
		     m->peak_requested_bytes);
	expect_limit(books, owner, "occupied", m->occupied_bytes, "the peak",
		     m->peak_occupied_bytes);
}

static void check_allocator(struct books *books, const struct allocator *a)
{
	struct owner owner = {"allocator", a->id, MEMORY_DRAM};

	for (; owner.type < MEMORY_TYPES; owner.type++) {
		const struct memory *m = &a->memory[owner.type];

		check_memory(books, &owner, m);
		expect_equal(books, &owner, "live buffers", m->buffers,
			     a->allocs[owner.type] - a->frees[owner.type],
			     "allocated and not freed");
	}
}

static struct owner chip_owner(const struct device *device, enum memory_type type)
{
	if (fact_is_known(device->unique_id))
		return (struct owner){"chip", device->unique_id.value, type};
	return (struct owner){"chip id", device->chip_id, type};
}

static void check_device(struct books *books, const struct device *device)
{
	for (enum memory_type type = 0; type < MEMORY_TYPES; type++) {
		struct owner owner = chip_owner(device, type);

		check_memory(books, &owner, &device->memory[type]);
	}
}

void books_process(struct books *books, const struct snapshot *picture, uint32_t process)
{
	const struct process *p = &picture->processes[process];

	for (uint32_t i = 0; i < p->allocators.count; i++)
		check_allocator(books, &picture->allocators[p->allocators.first + i]);
	for (uint32_t i = 0; i < p->devices.count; i++)
		check_device(books, &picture->devices[p->devices.first + i]);
}

static bool is_same_chip(const struct device *a, const struct device *b)
{
	if (fact_is_known(a->unique_id) != fact_is_known(b->unique_id))
		return false;
	return fact_is_known(a->unique_id) ? a->unique_id.value == b->unique_id.value
					   : a->chip_id == b->chip_id;
}

/* Adds what a process's chip holds. Return: whether that is known. */
static bool add_held(const struct device *device, enum memory_type type, uint64_t *requested,
		     uint64_t *buffers)
{
	const struct memory *m = &device->memory[type];

	return fact_is_known(m->requested_bytes) && fact_is_known(m->buffers) &&
	       !__builtin_add_overflow(*requested, m->requested_bytes.value, requested) &&
	       !__builtin_add_overflow(*buffers, m->buffers.value, buffers);
}

/* A chip of the machine against the same chip in all live processes. */
static void check_shared(struct books *books, const struct snapshot *picture,
			 const struct device *device, enum memory_type type)
{
	const struct memory *m = &device->memory[type];
	struct owner owner = chip_owner(device, type);
	uint64_t requested = 0, buffers = 0;
	bool any = false;

	for (uint32_t p = 0; p < picture->process_count; p++) {
		const struct process *process = &picture->processes[p];

		for (uint32_t i = 0; process->state == PROCESS_LIVE && i < process->devices.count;
		     i++) {
			const struct device *mine = &picture->devices[process->devices.first + i];

			if (!is_same_chip(device, mine))
				continue;
			if (!add_held(mine, type, &requested, &buffers))
				return;
			any = true;
		}
	}
	if (!any)
		return;
	expect_equal(books, &owner, "bytes requested", m->requested_bytes, requested,
		     "in its processes");
	expect_equal(books, &owner, "live buffers", m->buffers, buffers, "in its processes");
}

void books_machine(struct books *books, const struct snapshot *picture)
{
	for (uint32_t i = 0; i < picture->machine_devices.count; i++) {
		const struct device *device = &picture->devices[picture->machine_devices.first + i];

		check_device(books, device);
		for (enum memory_type type = 0; type < MEMORY_TYPES; type++)
			check_shared(books, picture, device, type);
	}
}

/* The buffers of one allocator and type: their sums and their ranges. */
struct listed {
	uint64_t requested, bank_bytes, buffers;
	bool fits; /* the sums, and every range in its bank */
	struct range *ranges;
	size_t count;
};

static void add_buffer(struct listed *listed, const struct buffer *b, uint64_t base, uint64_t end)
{
	uint64_t stop = 0;

	listed->buffers++;
	listed->fits &=
	    !__builtin_add_overflow(listed->requested, b->requested_bytes, &listed->requested) &&
	    !__builtin_add_overflow(listed->bank_bytes, b->bank_bytes, &listed->bank_bytes) &&
	    !__builtin_add_overflow(b->address, b->bank_bytes, &stop);
	if (!listed->fits || b->bank_bytes == 0)
		return;
	listed->fits &= b->address >= base && stop <= end;
	listed->ranges[listed->count++] = (struct range){b->address, stop};
}

static bool is_of(const struct snapshot *listing, const struct buffer *b, uint32_t pid, uint32_t id,
		  enum memory_type type)
{
	return b->type == type && listing->allocators[b->allocator].id == id &&
	       listing->processes[b->process].pid == pid;
}

static void check_ranges(struct books *books, const struct owner *owner, const struct memory *m,
			 struct listed *listed, uint64_t base, uint64_t end)
{
	/* the union would hide an overlap, so its bytes tell of one */
	listed->count = ranges_union(listed->ranges, listed->count);
	uint64_t covered = ranges_bytes(listed->ranges, listed->count, base, end);

	expect(books, covered == listed->bank_bytes, owner,
	       "its buffers take %" PRIu64 " bytes in a bank, but cover only %" PRIu64
	       ": some overlap",
	       listed->bank_bytes, covered);
	if (fact_is_known(m->bank_size_bytes))
		expect_equal(books, owner, "bytes in the largest hole", m->bank_largest_free_bytes,
			     ranges_largest_hole(listed->ranges, listed->count, base, end),
			     "between its buffers");
}

static int check_listed(struct books *books, const struct snapshot *listing, uint32_t pid,
			const struct allocator *a, enum memory_type type)
{
	const struct memory *m = &a->memory[type];
	bool has_bank = fact_is_known(m->bank_size_bytes);
	uint64_t base = has_bank ? a->base_address[type] : 0, end = UINT64_MAX;
	struct owner owner = {"allocator", a->id, type};
	struct listed listed = {.fits = true};

	if (has_bank && __builtin_add_overflow(base, m->bank_size_bytes.value, &end))
		end = base; /* no such bank: nothing lies in it */
	listed.ranges = malloc(((size_t)listing->buffer_count + 1) * sizeof *listed.ranges);
	if (!listed.ranges)
		return -ENOMEM;
	for (uint32_t i = 0; i < listing->buffer_count; i++)
		if (is_of(listing, &listing->buffers[i], pid, a->id, type))
			add_buffer(&listed, &listing->buffers[i], base, end);
	expect_equal(books, &owner, "bytes requested", m->requested_bytes, listed.requested,
		     "in its buffers");
	expect_equal(books, &owner, "bytes allocated in a bank", m->bank_allocated_bytes,
		     listed.bank_bytes, "in its buffers");
	expect_equal(books, &owner, "live buffers", m->buffers, listed.buffers, "in the list");
	expect(books, listed.fits, &owner, "a buffer lies outside of its bank");
	int r = listed.fits ? ranges_sort(listed.ranges, listed.count) : 0;

	if (r == 0 && listed.fits)
		check_ranges(books, &owner, m, &listed, base, end);
	free(listed.ranges);
	return r;
}

int books_listing(struct books *books, const struct snapshot *picture, uint32_t process,
		  const struct snapshot *listing)
{
	const struct process *p = &picture->processes[process];
	int r = 0;

	for (uint32_t i = 0; i < p->allocators.count; i++)
		for (enum memory_type type = 0; r == 0 && type < MEMORY_TYPES; type++)
			r = check_listed(books, listing, p->pid,
					 &picture->allocators[p->allocators.first + i], type);
	return r;
}

void books_close(struct books *books, const char *what)
{
	if (books->wrong == 0)
		findings_add(books->findings, FINDING_OK, "books", "",
			     "%s: %" PRIu64 " figures agree", what, books->checked);
	else if (books->wrong > BOOKS_SENTENCES)
		findings_add(books->findings, FINDING_ERROR, "books", HINT,
			     "%s: %" PRIu64 " of %" PRIu64 " figures are wrong, not only these",
			     what, books->wrong, books->checked);
	books->checked = books->wrong = 0;
}
