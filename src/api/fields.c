/* SPDX-License-Identifier: Apache-2.0 */
#include "api/fields.h"

#include <string.h>

const char *field_name(const struct field *field)
{
	const char *dot = strrchr(field->path, '.');

	return dot ? dot + 1 : field->path;
}

static uint64_t load_plain(const uint8_t *at, enum field_storage storage, uint64_t *ret_max)
{
	uint64_t u64;
	uint32_t u32;

	switch (storage) {
	case STORED_U8:
		*ret_max = UINT8_MAX;
		return *at;
	case STORED_U32:
		*ret_max = UINT32_MAX;
		memcpy(&u32, at, sizeof u32);
		return u32;
	default:
		*ret_max = UINT64_MAX;
		memcpy(&u64, at, sizeof u64);
		return u64;
	}
}

struct fact field_load(const void *object, const struct field *field)
{
	const uint8_t *at = (const uint8_t *)object + field->offset;
	struct fact fact;
	uint64_t max;

	if (field->storage == STORED_FACT) {
		memcpy(&fact, at, sizeof fact);
		return fact;
	}
	uint64_t value = load_plain(at, field->storage, &max);

	if ((field->null == NULL_ZERO && value == 0) || (field->null == NULL_MAX && value == max))
		return fact_absent(field->reason);
	return fact_of(value);
}

void field_store(void *object, const struct field *field, struct fact fact)
{
	uint8_t *at = (uint8_t *)object + field->offset;
	uint64_t value = fact_is_known(fact) ? fact.value
			 : field->null == NULL_MAX ? UINT64_MAX
						   : 0;
	uint32_t u32 = value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;

	switch (field->storage) {
	case STORED_FACT:
		memcpy(at, &fact, sizeof fact);
		break;
	case STORED_U64:
		memcpy(at, &value, sizeof value);
		break;
	case STORED_U32:
		memcpy(at, &u32, sizeof u32);
		break;
	case STORED_U8:
		*at = value > UINT8_MAX ? UINT8_MAX : (uint8_t)value;
		break;
	}
}

const char *field_word(const struct field *field, uint64_t value)
{
	return value < field->words->count ? field->words->word((unsigned)value) : NULL;
}

struct fact field_word_value(const struct field *field, const char *word)
{
	for (unsigned value = 0; word && value < field->words->count; value++) {
		const char *name = field->words->word(value);

		if (name && strcmp(name, word) == 0)
			return fact_of(value);
	}
	return fact_absent(field->reason);
}

struct field_counts field_counts_of(const struct allocator *allocator, enum memory_type type)
{
	/* without geometry there is no range that could start anywhere */
	struct fact banks = allocator->memory[type].banks;

	return (struct field_counts){
		.base_address = fact_is_known(banks) ? fact_of(allocator->base_address[type])
						     : banks,
		.alignment_bytes = allocator->alignment_bytes[type]
					   ? fact_of(allocator->alignment_bytes[type])
					   : fact_absent(REASON_NOT_EXPORTED),
		.allocs = allocator->allocs[type],
		.frees = allocator->frees[type],
		.failures = allocator->failures[type],
	};
}

void field_counts_to(const struct field_counts *counts, struct allocator *allocator,
		     enum memory_type type)
{
	allocator->base_address[type] =
		fact_is_known(counts->base_address) ? counts->base_address.value : 0;
	allocator->alignment_bytes[type] = fact_is_known(counts->alignment_bytes) &&
						   counts->alignment_bytes.value <= UINT32_MAX
					   ? (uint32_t)counts->alignment_bytes.value
					   : 0;
	allocator->allocs[type] = counts->allocs;
	allocator->frees[type] = counts->frees;
	allocator->failures[type] = counts->failures;
	allocator->has_held[type] = counts->allocs != 0;
}
