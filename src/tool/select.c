/* SPDX-License-Identifier: Apache-2.0 */
#include "tool/select.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "model/capability.h"
#include "tool/exit_codes.h"
#include "tool/options.h"
#include "tool/output.h"

#define WORD_MAX 64

/* "0000:01:00.0", the "00000000:01:00.0" of nvidia-smi, and "01:00.0" of domain 0. */
static bool same_address(const char *address, const char *word)
{
	unsigned a[4], b[4] = {0};
	int end = 0;

	if (sscanf(address, "%x:%x:%x.%x", &a[0], &a[1], &a[2], &a[3]) != 4)
		return false;
	if (sscanf(word, "%x:%x:%x.%x%n", &b[0], &b[1], &b[2], &b[3], &end) != 4 || word[end]) {
		b[0] = 0;
		end = 0;
		if (sscanf(word, "%x:%x.%x%n", &b[1], &b[2], &b[3], &end) != 3 || word[end])
			return false;
	}
	return memcmp(a, b, sizeof a) == 0;
}

static bool same_serial(struct fact serial, const char *word)
{
	char hex[24];

	if (!fact_is_known(serial) || strlen(word) != 16)
		return false;
	(void)snprintf(hex, sizeof hex, "%016llX", (unsigned long long)serial.value);
	return strcasecmp(hex, word) == 0;
}

bool select_matches(const struct snapshot *snapshot, const struct device *device, const char *word)
{
	const struct card *card = snapshot_card(snapshot, device);
	uint64_t number;

	if (card && (same_address(snapshot_text(snapshot, card->pci_address), word) ||
		     same_serial(card->serial, word)))
		return true;
	if (parse_u64(word, &number) < 0)
		return false;
	return number == device->number ||
	       (fact_is_known(device->unique_id) && number == device->unique_id.value);
}

/* Return: how many devices the word means: a PCI address may mean both chips of a board. */
static uint32_t mark(const struct snapshot *snapshot, const char *word, bool *keep)
{
	const struct device *devices = SPAN_START(snapshot->devices, snapshot->machine_devices);
	uint32_t matches = 0;

	for (uint32_t i = 0; i < snapshot->machine_devices.count; i++)
		if (select_matches(snapshot, &devices[i], word)) {
			keep[i] = true;
			matches++;
		}
	return matches;
}

int select_devices(struct snapshot *snapshot, const char *list)
{
	uint32_t count = snapshot->machine_devices.count;

	if (!list)
		return 0;
	bool *keep = calloc((size_t)count + 1, sizeof *keep);

	if (!keep)
		return EXIT_FAILED;
	for (const char *at = list; *at;) {
		size_t length = strcspn(at, ",");
		char word[WORD_MAX];

		(void)snprintf(word, sizeof word, "%.*s", (int)length, at);
		if (length >= sizeof word || mark(snapshot, word, keep) == 0) {
			output_error("not_found", "ttmem -L lists the devices", "no device %.*s",
				     (int)length, at);
			free(keep);
			return EXIT_NOT_FOUND;
		}
		at += length + (at[length] == ',');
	}
	snapshot_select(snapshot, keep);
	free(keep);
	return 0;
}

int select_no_device(const struct snapshot *snapshot, const struct process *process)
{
	const struct capability *c = incomplete_reason(snapshot, process);

	if (c)
		output_error("not_found", "ask again when it has allocated or freed something",
			     "what process %" PRIu32 " has open is not known: %s", process->pid,
			     snapshot_text(snapshot, c->reason));
	else
		output_error("not_found", NULL, "process %" PRIu32 " has no open device",
			     process->pid);
	return EXIT_NOT_FOUND;
}
