/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one thing that the process may ask its own hook: the highest figures
 * since the last time it asked. libttmem finds this by its name, so the name
 * and struct region_peak never change.
 */
#include "hook/hook.h"

/*
 * ttmem_hook_take_peaks - see region_writer_take_peaks. Return: rows; 0 as long as there is no table.
 */
__attribute__((visibility("default"))) uint32_t ttmem_hook_take_peaks(struct region_peak *peaks,
								      uint32_t room);

uint32_t ttmem_hook_take_peaks(struct region_peak *peaks, uint32_t room)
{
	struct region_writer *writer = hook_writer_present();

	return writer ? region_writer_take_peaks(writer, peaks, room) : 0;
}
