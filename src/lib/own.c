/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the process may ask of its own table. The hook may have been preloaded
 * (its names are everybody's) or loaded later (they are not): both are found.
 */
#include <dlfcn.h>
#include <string.h>

#include "lib/lib.h"

#define HOOK_NAME "libttmem-hook.so"

_Static_assert(sizeof(ttmemPeak_t) == sizeof(struct region_peak), "one layout, two names");

typedef uint32_t take_peaks(struct region_peak *peaks, uint32_t room);

static take_peaks *find_hook(void)
{
	void *symbol = dlsym(RTLD_DEFAULT, "ttmem_hook_take_peaks");
	take_peaks *take = NULL;

	if (!symbol) {
		/* neither loads it nor keeps it */
		void *hook = dlopen(HOOK_NAME, RTLD_LAZY | RTLD_NOLOAD);

		symbol = hook ? dlsym(hook, "ttmem_hook_take_peaks") : NULL;
		if (hook)
			(void)dlclose(hook);
	}
	memcpy(&take, &symbol, sizeof take);
	return take;
}

static uint32_t take(struct region_peak *peaks, uint32_t room)
{
	take_peaks *hook = find_hook();
	uint32_t rows = hook ? hook(peaks, room) : 0;
	struct region_writer *writer = rows == 0 ? lib_report_writer() : NULL;

	return writer ? region_writer_take_peaks(writer, peaks, room) : rows;
}

ttmemReturn_t ttmemOwnTakePeaks(uint32_t version, uint64_t *count, ttmemPeak_t *peaks)
{
	if (version != TTMEM_PEAK_VERSION)
		return TTMEM_ERROR_VERSION;
	if (!count)
		return TTMEM_ERROR_INVALID_ARGUMENT;
	uint32_t room = !peaks			 ? 0
			: *count > TTMEM_PEAKS_MAX ? TTMEM_PEAKS_MAX
						   : (uint32_t)*count;
	uint32_t rows = take((struct region_peak *)(void *)peaks, room);

	if (rows == 0)
		return TTMEM_ERROR_NOT_FOUND;
	*count = rows;
	return peaks && rows > room ? TTMEM_ERROR_INSUFFICIENT_SIZE : TTMEM_SUCCESS;
}
