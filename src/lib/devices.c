/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/lib.h"

void lib_memory(const struct memory *from, uint32_t type, ttmemMemory_t *to)
{
	*to = (ttmemMemory_t){
		.version = TTMEM_MEMORY_VERSION,
		.type = type,
		.requested_bytes = lib_value(from->requested_bytes),
		.occupied_bytes = lib_value(from->occupied_bytes),
		.allocatable_bytes = lib_value(from->allocatable_bytes),
		.free_bytes = lib_value(from->free_bytes),
		.largest_free_bytes = lib_value(from->largest_free_bytes),
		.banks = lib_value(from->banks),
		.bank_size_bytes = lib_value(from->bank_size_bytes),
		.bank_allocated_bytes = lib_value(from->bank_allocated_bytes),
		.bank_free_bytes = lib_value(from->bank_free_bytes),
		.bank_largest_free_bytes = lib_value(from->bank_largest_free_bytes),
		.buffers = lib_value(from->buffers),
		.peak_requested_bytes = lib_value(from->peak_requested_bytes),
		.peak_occupied_bytes = lib_value(from->peak_occupied_bytes),
	};
}

/* By index among the machine's; NULL: there is none. */
static const struct device *device_at(ttmemSnapshot_t snapshot, uint32_t index)
{
	struct span all = snapshot->picture.machine_devices;

	return index < all.count ? &snapshot->picture.devices[all.first + index] : NULL;
}

/* The device as one process has it; NULL: it does not use it. */
static const struct device *device_of(const struct snapshot *picture, const struct device *device,
				      uint32_t pid)
{
	for (uint32_t i = 0; i < picture->process_count; i++) {
		struct span own = picture->processes[i].devices;

		for (uint32_t j = 0; picture->processes[i].pid == pid && j < own.count; j++)
			if (device_same(&picture->devices[own.first + j], device))
				return &picture->devices[own.first + j];
	}
	return NULL;
}

ttmemReturn_t ttmemDeviceGetCount(ttmemSnapshot_t snapshot, uint32_t *count)
{
	if (!snapshot || !count)
		return TTMEM_ERROR_INVALID_ARGUMENT;
	*count = snapshot->picture.machine_devices.count;
	return TTMEM_SUCCESS;
}

ttmemReturn_t ttmemDeviceGetInfo(ttmemSnapshot_t snapshot, uint32_t index, ttmemDevice_t *device)
{
	static const struct card none;

	if (!snapshot || !device)
		return TTMEM_ERROR_INVALID_ARGUMENT;
	if (device->version != TTMEM_DEVICE_VERSION)
		return TTMEM_ERROR_VERSION;
	const struct snapshot *picture = &snapshot->picture;
	const struct device *from = device_at(snapshot, index);
	const struct card *card = from ? snapshot_card(picture, from) : NULL;

	if (!from)
		return TTMEM_ERROR_NOT_FOUND;
	bool is_used = false;

	for (uint32_t i = 0; i < picture->process_count && !is_used; i++)
		is_used = device_of(picture, from, picture->processes[i].pid) != NULL;
	/* the driver's figures are those of the board's first chip */
	const struct telemetry *t = card && !from->remote ? &card->telemetry : &none.telemetry;

	*device = (ttmemDevice_t){
		.version = TTMEM_DEVICE_VERSION,
		.number = from->number,
		.arch = from->arch,
		.is_remote = from->remote,
		.chip_id = is_used ? from->chip_id : TTMEM_NONE,
		.unique_id = lib_value(from->unique_id),
		.tensix_cores = lib_value(from->tensix_cores),
		.dram_physical_bytes = lib_value(from->dram_physical_bytes),
		.l1_physical_bytes = lib_value(from->l1_physical_bytes),
		.board = card ? lib_text(picture, card->board) : NULL,
		.pci_address = card ? lib_text(picture, card->pci_address) : NULL,
		.temperature_c = lib_value(t->temperature_c),
		.power_w = lib_value(t->power_w),
		.aiclk_mhz = lib_value(t->aiclk_mhz),
	};
	return TTMEM_SUCCESS;
}

ttmemReturn_t ttmemDeviceGetMemory(ttmemSnapshot_t snapshot, uint32_t index, uint32_t pid,
				   uint32_t type, ttmemMemory_t *memory)
{
	if (!snapshot || !memory || type >= MEMORY_TYPES)
		return TTMEM_ERROR_INVALID_ARGUMENT;
	if (memory->version != TTMEM_MEMORY_VERSION)
		return TTMEM_ERROR_VERSION;
	const struct device *device = device_at(snapshot, index);

	if (device && pid)
		device = device_of(&snapshot->picture, device, pid);
	if (!device)
		return TTMEM_ERROR_NOT_FOUND;
	lib_memory(&device->memory[type], type, memory);
	return TTMEM_SUCCESS;
}
