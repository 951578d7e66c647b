/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a Buffer says of itself.
 *
 * From 0.79.0 on every figure has an exported accessor. Before, size, type,
 * layout, device and allocator are fields, at the same offsets in all 18
 * releases from 0.60.1 to 0.78.0 (tests/releases checks them in the machine
 * code). They are believed only after a self-check on a live object: fields
 * that also have an accessor must agree with it.
 */
#include <string.h>

#include "hook/metal.h"
#include "hook/safe_read.h"

/* Offsets in Buffer, 0.60.1..0.78.0 */
#define FIELD_DEVICE	0x10
#define FIELD_SIZE	0x18
#define FIELD_TYPE	0x20
#define FIELD_LAYOUT	0x24
#define FIELD_ALLOCATOR 0x40
#define FIELD_ADDRESS	0x50
#define FIELD_PAGE_SIZE 0x58
#define FIELD_BYTES	0x60

/* tt::tt_metal::BufferType */
enum { TYPE_DRAM = 0, TYPE_L1 = 1, TYPE_SYSTEM = 2, TYPE_L1_SMALL = 3, TYPE_TRACE = 4, TYPES = 5 };

/* Our memory types: DRAM, L1, L1_SMALL, TRACE; 0xff is not device memory. */
static const uint8_t memory_type[TYPES] = {0, 1, 0xff, 2, 3};

typedef uint64_t (*get64)(const void *);
typedef uint32_t (*get32)(const void *);

static uint64_t call64(const struct metal *metal, enum metal_symbol symbol, const void *object)
{
	return ((get64)metal->symbol[symbol])(object);
}

static uint32_t call32(const struct metal *metal, enum metal_symbol symbol, const void *object)
{
	return ((get32)metal->symbol[symbol])(object);
}

static uint64_t field64(const uint8_t *object, size_t offset)
{
	uint64_t value;

	memcpy(&value, object + offset, sizeof value);
	return value;
}

static uint32_t field32(const uint8_t *object, size_t offset)
{
	uint32_t value;

	memcpy(&value, object + offset, sizeof value);
	return value;
}

/* Do the numbers of a copy of the fields agree with the accessors? */
static bool numbers_agree(const struct metal *metal, const void *buffer, const uint8_t *copy,
			  uint64_t allocator, bool allocated)
{
	uint64_t size = field64(copy, FIELD_SIZE), page = field64(copy, FIELD_PAGE_SIZE);
	uint32_t type = field32(copy, FIELD_TYPE);
	bool l1 = type == TYPE_L1 || type == TYPE_L1_SMALL;
	bool dram = type == TYPE_DRAM || type == TYPE_TRACE;

	if (type >= TYPES || page != call64(metal, METAL_SYMBOL_buffer_page_size, buffer))
		return false;
	if (page != 0 && (size / page & UINT32_MAX) !=
				 call32(metal, METAL_SYMBOL_buffer_num_pages, buffer))
		return false;
	if (l1 != (bool)(call32(metal, METAL_SYMBOL_buffer_is_l1, buffer) & 0xff) ||
	    dram != (bool)(call32(metal, METAL_SYMBOL_buffer_is_dram, buffer) & 0xff))
		return false;
	if (allocated && (field64(copy, FIELD_ADDRESS) & UINT32_MAX) !=
				 call32(metal, METAL_SYMBOL_buffer_address, buffer))
		return false;
	return allocator == 0 || allocator == field64(copy, FIELD_ALLOCATOR);
}

/*
 * Do the fields of this live object agree with its accessors, and with the
 * allocator that was just called for it (0: not seen)? `allocated`: address()
 * may be asked (it throws otherwise). For a first meeting: it reads with care.
 */
static bool fields_agree(const struct metal *metal, const void *buffer, uint64_t allocator,
			 bool allocated)
{
	static const enum metal_symbol needed[] = {
		METAL_SYMBOL_buffer_page_size, METAL_SYMBOL_buffer_num_pages,
		METAL_SYMBOL_buffer_is_l1,     METAL_SYMBOL_buffer_is_dram,
		METAL_SYMBOL_buffer_address,
	};
	uint8_t copy[FIELD_BYTES];
	uint32_t chip;

	for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
		if (!metal->symbol[needed[i]])
			return false;
	return safe_read((uint64_t)(uintptr_t)buffer, copy, sizeof copy) == 0 &&
	       numbers_agree(metal, buffer, copy, allocator, allocated) &&
	       metal_chip_id(metal, field64(copy, FIELD_DEVICE), &chip);
}

/*
 * Would fields that have changed places have been noticed? In a buffer of one
 * page, size and page size are the same number; in an interleaved DRAM buffer
 * type and layout are both 0.
 */
static bool tells_fields_apart(const uint8_t *buffer)
{
	return field64(buffer, FIELD_SIZE) != field64(buffer, FIELD_PAGE_SIZE) &&
	       field32(buffer, FIELD_TYPE) != field32(buffer, FIELD_LAYOUT);
}

/* The slow half of fields_are_good: until a known build or a telling buffer settles it. */
static bool examine_fields(struct metal *metal, const void *buffer, uint64_t allocator,
			   uint32_t verdict)
{
	bool agree = verdict == METAL_FIELDS_UNCHECKED
			     ? fields_agree(metal, buffer, allocator, true)
			     : numbers_agree(metal, buffer, buffer, allocator, true);

	verdict = !agree							 ? METAL_FIELDS_BAD
		  : metal->version != NULL || tells_fields_apart(buffer) ? METAL_FIELDS_GOOD
									 : METAL_FIELDS_PROVISIONAL;
	/* relaxed: whoever comes later comes to the same verdict or a better one */
	__atomic_store_n(&metal->fields, verdict, __ATOMIC_RELAXED);
	return agree;
}

static bool fields_are_good(struct metal *metal, const void *buffer, uint64_t allocator)
{
	uint32_t verdict = __atomic_load_n(&metal->fields, __ATOMIC_RELAXED);

	if (__builtin_expect(verdict == METAL_FIELDS_GOOD || verdict == METAL_FIELDS_NOT_NEEDED, 1))
		return true;
	return verdict != METAL_FIELDS_BAD && examine_fields(metal, buffer, allocator, verdict);
}

/*
 * The allocator of a buffer whose allocation we did not see. allocator() gives
 * the public Allocator, a facade whose first word is the AllocatorImpl.
 */
static uint64_t allocator_by_accessor(const struct metal *metal, const void *buffer)
{
	uint64_t object = 0;

	(void)safe_read_word(call64(metal, METAL_SYMBOL_buffer_allocator, buffer), &object);
	return object;
}

/* Type, layout, size, device, allocator: by accessor or, where they are checked, by field. */
static bool read_common(const struct metal *metal, const void *buffer, uint64_t allocator,
			bool by_field, struct region_buffer *b)
{
	uint32_t type, layout;

	if (by_field) {
		const uint8_t *p = buffer;

		type = field32(p, FIELD_TYPE);
		layout = field32(p, FIELD_LAYOUT);
		b->requested_bytes = field64(p, FIELD_SIZE);
		b->device = field64(p, FIELD_DEVICE);
		b->allocator = allocator ? allocator : field64(p, FIELD_ALLOCATOR);
	} else {
		type = call32(metal, METAL_SYMBOL_buffer_type, buffer) & 0xff;
		layout = call32(metal, METAL_SYMBOL_buffer_layout, buffer);
		b->requested_bytes = call64(metal, METAL_SYMBOL_buffer_size, buffer);
		b->device = call64(metal, METAL_SYMBOL_buffer_device, buffer);
		b->allocator = allocator ? allocator : allocator_by_accessor(metal, buffer);
	}
	if (type >= TYPES || memory_type[type] == 0xff)
		return false;
	b->type = memory_type[type];
	b->layout = (uint8_t)(layout & 0xf);
	b->object = (uint64_t)(uintptr_t)buffer;
	b->page_bytes = call64(metal, METAL_SYMBOL_buffer_page_size, buffer);
	return true;
}

/* std::optional<uint32_t> comes back in one register: the value, and a flag in bit 32. */
static uint32_t cores_of(const struct metal *metal, const void *buffer)
{
	if (!metal->symbol[METAL_SYMBOL_buffer_num_cores])
		return REGION_NONE;
	uint64_t cores = call64(metal, METAL_SYMBOL_buffer_num_cores, buffer);

	return cores >> 32 & 0xff ? (uint32_t)cores : REGION_NONE;
}

bool metal_buffer_read(struct metal *metal, const void *buffer, uint64_t allocator,
		       struct region_buffer *ret_buffer)
{
	struct region_buffer b = {0};

	if (!fields_are_good(metal, buffer, allocator) || !metal->symbol[METAL_SYMBOL_buffer_address] ||
	    !metal->symbol[METAL_SYMBOL_buffer_bank_bytes] ||
	    !metal->symbol[METAL_SYMBOL_buffer_page_size])
		return false;
	/* the accessor returns 32 bits; a bank of a chip is not larger than that */
	b.address = call32(metal, METAL_SYMBOL_buffer_address, buffer);
	if (b.address == 0)
		return false;
	if (!read_common(metal, buffer, allocator, metal->fields != METAL_FIELDS_NOT_NEEDED, &b))
		return false;
	b.bank_bytes = call64(metal, METAL_SYMBOL_buffer_bank_bytes, buffer);
	b.pages = b.page_bytes ? (b.requested_bytes + b.page_bytes - 1) / b.page_bytes : UINT64_MAX;
	b.cores = b.layout ? cores_of(metal, buffer) : REGION_NONE;
	*ret_buffer = b;
	return true;
}

bool metal_buffer_request(struct metal *metal, const void *buffer, uint64_t allocator,
			  struct region_buffer *ret_buffer)
{
	struct region_buffer b = {0};
	uint32_t verdict = __atomic_load_n(&metal->fields, __ATOMIC_RELAXED);

	if (verdict != METAL_FIELDS_NOT_NEEDED && verdict != METAL_FIELDS_GOOD &&
	    (verdict == METAL_FIELDS_BAD || !fields_agree(metal, buffer, allocator, false)))
		return false;
	if (!metal->symbol[METAL_SYMBOL_buffer_page_size] ||
	    !read_common(metal, buffer, allocator, verdict != METAL_FIELDS_NOT_NEEDED, &b))
		return false;
	*ret_buffer = b;
	return true;
}
