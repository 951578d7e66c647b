/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is on this machine: devices, processes and the largest buffers.
 *
 *     cc query.c $(pkg-config --cflags --libs ttmem)
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ttmem/ttmem.h>

/* Names come from strangers: nothing but printable ASCII reaches the terminal. */
static void print_safely(const char *text)
{
	for (; text && *text; text++)
		putchar(*text >= ' ' && *text <= '~' ? *text : '?');
}

static void print_value(ttmemValue_t value)
{
	if (value.state == TTMEM_STATE_UNKNOWN || value.state == TTMEM_STATE_DENIED)
		printf(" -");
	else
		printf(" %s%" PRIu64, value.state == TTMEM_STATE_ESTIMATE ? "~" : "", value.value);
}

static void print_devices(ttmemSnapshot_t snapshot)
{
	uint32_t count = 0, i, type;

	ttmemDeviceGetCount(snapshot, &count);
	for (i = 0; i < count; i++) {
		ttmemDevice_t device;

		device.version = TTMEM_DEVICE_VERSION;
		if (ttmemDeviceGetInfo(snapshot, i, &device) != TTMEM_SUCCESS)
			continue;
		printf("device %" PRIu32 " %s\n", device.number,
		       device.board ? device.board : "not on a card that is known");
		for (type = 0; type < TTMEM_MEMORY_TYPES; type++) {
			ttmemMemory_t memory;

			memory.version = TTMEM_MEMORY_VERSION;
			if (ttmemDeviceGetMemory(snapshot, i, 0, type, &memory) != TTMEM_SUCCESS)
				continue;
			printf("  %s occupied", ttmemMemoryTypeString(type));
			print_value(memory.occupied_bytes);
			printf(" of");
			print_value(memory.allocatable_bytes);
			printf(" bytes\n");
		}
	}
}

static void print_processes(ttmemSnapshot_t snapshot)
{
	uint64_t count = 0, i;
	ttmemProcess_t *processes;

	/* how many, then all of them: a snapshot does not change in between */
	ttmemProcessGetList(snapshot, TTMEM_PROCESS_VERSION, &count, NULL);
	processes = calloc(count ? count : 1, sizeof *processes);
	if (processes && ttmemProcessGetList(snapshot, TTMEM_PROCESS_VERSION, &count, processes) ==
				 TTMEM_SUCCESS)
		for (i = 0; i < count; i++) {
			printf("process %" PRIu32 " (%s) %" PRIu64 " buffers: ", processes[i].pid,
			       processes[i].entry ? processes[i].entry : "not seen",
			       processes[i].live_buffers);
			print_safely(processes[i].command);
			putchar('\n');
		}
	free(processes);
}

static int by_size(const void *a, const void *b)
{
	const ttmemBuffer_t *x = a, *y = b;

	return x->requested_bytes < y->requested_bytes ? 1
	       : x->requested_bytes > y->requested_bytes ? -1
							  : 0;
}

/* " ttnn.matmul at model.py (Attention.forward) [kv-cache]", as much of it as is known */
static void print_place(const ttmemBuffer_t *buffer)
{
	const char *const parts[] = {buffer->op, buffer->site_file, buffer->site_function, buffer->tag};
	static const char *const before[] = {" ", " at ", " (", " ["}, *const after[] = {"", "", ")", "]"};
	int i;

	for (i = 0; i < 4; i++) {
		if (!parts[i])
			continue;
		fputs(before[i], stdout);
		print_safely(parts[i]);
		fputs(after[i], stdout);
	}
	putchar('\n');
}

static void print_buffers(ttmemSnapshot_t snapshot)
{
	uint64_t count = 0, i;
	ttmemBuffer_t *buffers;

	ttmemBufferGetList(snapshot, TTMEM_BUFFER_VERSION, &count, NULL);
	buffers = calloc(count ? count : 1, sizeof *buffers);
	if (buffers &&
	    ttmemBufferGetList(snapshot, TTMEM_BUFFER_VERSION, &count, buffers) == TTMEM_SUCCESS) {
		qsort(buffers, count, sizeof *buffers, by_size);
		for (i = 0; i < count && i < 8; i++) {
			printf("buffer of %" PRIu32 ": %s at 0x%" PRIx64 ", %" PRIu64 " bytes",
			       buffers[i].pid, ttmemMemoryTypeString(buffers[i].type),
			       buffers[i].address, buffers[i].requested_bytes);
			print_place(&buffers[i]);
		}
	}
	free(buffers);
}

int main(int argc, char **argv)
{
	ttmemOpenOptions_t where;
	ttmemTakeOptions_t what;
	ttmemHandle_t handle;
	ttmemSnapshot_t snapshot = NULL;
	ttmemReturn_t result;

	memset(&where, 0, sizeof where);
	where.version = TTMEM_OPEN_OPTIONS_VERSION;
	where.root = argc > 1 ? argv[1] : NULL;
	memset(&what, 0, sizeof what);
	what.version = TTMEM_TAKE_OPTIONS_VERSION;
	what.flags = TTMEM_TAKE_BUFFERS;
	result = ttmemOpen(&where, &handle);
	if (result == TTMEM_SUCCESS) {
		result = ttmemSnapshotTake(handle, &what, &snapshot);
		ttmemClose(handle);
	}
	if (result != TTMEM_SUCCESS) {
		fprintf(stderr, "query: %s\n", ttmemErrorString(result));
		return 1;
	}
	print_devices(snapshot);
	print_processes(snapshot);
	print_buffers(snapshot);
	ttmemSnapshotRelease(snapshot);
	return 0;
}
