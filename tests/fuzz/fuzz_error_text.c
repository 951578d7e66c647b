/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Error texts, as `ttmem explain` gets them from files and standard input.
 * Reason: they are whatever somebody found in a log. Whatever it is, the list
 * stays within its bounds, what is said to be short is what is said to be
 * missing, and the same bytes give the same answer twice.
 */
#include "analyse/error_place.h"
#include "analyse/verdict.h"
#include "fuzz.h"

static void check(const struct error_text *error)
{
	struct verdict verdict = verdict_of(error);

	FUZZ_CHECK(error->kind != ERROR_NONE && error->what && error->seen > 0);
	FUZZ_CHECK(verdict.kind < VERDICTS && *verdict_key(verdict.kind));
	if (!fact_is_known(verdict.short_bytes))
		return;
	FUZZ_CHECK(verdict.needs_name && verdict.has_name);
	FUZZ_CHECK(verdict.short_bytes.value > 0);
	FUZZ_CHECK(verdict.has.value + verdict.short_bytes.value == verdict.needs.value);
}

/* Wherever one asks, the answer is a piece of the text above that place. */
static void check_place(const char *bytes, size_t size, size_t at)
{
	struct error_place place;

	if (!error_place_find(bytes, size, at, &place))
		return;
	FUZZ_CHECK(place.file_length > 0 && place.file >= bytes &&
		   place.file + place.file_length <= bytes + (at < size ? at : size));
	if (place.function)
		FUZZ_CHECK(place.function > place.file &&
			   place.function + place.function_length <= bytes + (at < size ? at : size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error_list list, again;

	error_text_read((const char *)data, size, &list);
	FUZZ_CHECK(list.count <= ERRORS_MAX);
	for (uint32_t i = 0; i < list.count; i++)
		check(&list.errors[i]);
	for (uint32_t i = 0; i < list.count; i++)
		check_place((const char *)data, size, list.errors[i].at);
	check_place((const char *)data, size, size);
	error_text_read((const char *)data, size, &again);
	FUZZ_CHECK(again.count == list.count && again.dropped == list.dropped);
	return 0;
}
