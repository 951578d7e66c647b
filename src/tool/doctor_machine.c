/* SPDX-License-Identifier: Apache-2.0 */
/* The ground everything stands on: our hook, the driver, the cards and their chips. */
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/files.h"
#include "tool/doctor.h"
#include "tool/hook_path.h"

#define TENSTORRENT_PCI 0x1e52ul
#define WORMHOLE	2u

struct version {
	unsigned major, minor;
};

static bool is_older(struct version version, unsigned major, unsigned minor)
{
	return version.major < major || (version.major == major && version.minor < minor);
}

/* Bytes 0..19 of an ELF file say for which machine it is. Return: 0 or -errno. */
static int machine_of(const char *path, Elf64_Half *ret_machine)
{
	fd_auto fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf64_Ehdr head;

	if (fd < 0)
		return -errno;
	ssize_t n = read(fd, &head, sizeof head);

	if (n < 0)
		return -errno;
	if (n != (ssize_t)sizeof head || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
	    head.e_type != ET_DYN)
		return -ENOEXEC;
	*ret_machine = head.e_machine;
	return 0;
}

static void check_hook(struct doctor *doctor)
{
	const char *off = getenv("TTMEM");
	char path[PATH_MAX] = "";
	Elf64_Half hook = EM_NONE, own = EM_NONE;
	int r = hook_path(path, sizeof path);

	findings_subject(doctor->findings, "hook");
	if (r == 0)
		r = machine_of(path, &hook);
	if (r < 0)
		findings_add(
		    doctor->findings, FINDING_ERROR, "hook",
		    "install ttmem again, or set TTMEM_HOOK to a path without blanks and colons",
		    "%s cannot be loaded into programs: %s", path, strerror(-r));
	else if (machine_of("/proc/self/exe", &own) == 0 && own != hook)
		findings_add(doctor->findings, FINDING_ERROR, "hook",
			     "install the ttmem of this machine's architecture",
			     "%s is for another architecture", path);
	else
		findings_add(doctor->findings, FINDING_OK, "hook", "", "ttmem run loads %s", path);
	if (off && strcmp(off, "off") == 0)
		findings_add(doctor->findings, FINDING_WARNING, "off", "unset TTMEM",
			     "TTMEM=off is set here: programs that are started from here keep no "
			     "table");
}

/* Boards by the PCI bus, whether or not there is a driver for them. */
static unsigned count_boards(int root)
{
	int fd = openat(root, "sys/bus/pci/devices", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *devices = fd < 0 ? NULL : fdopendir(fd);
	unsigned count = 0;

	for (struct dirent *entry; devices && (entry = readdir(devices));) {
		char path[300], vendor[32];

		(void)snprintf(path, sizeof path, "%s/vendor", entry->d_name);
		if (entry->d_name[0] != '.' &&
		    file_read_line_at(dirfd(devices), path, vendor, sizeof vendor) > 0)
			count += strtoul(vendor, NULL, 16) == TENSTORRENT_PCI;
	}
	if (devices)
		(void)closedir(devices);
	else if (fd >= 0)
		(void)close(fd);
	return count;
}

static void check_no_driver(struct doctor *doctor, unsigned boards)
{
	if (boards)
		findings_add(
		    doctor->findings, FINDING_ERROR, "driver",
		    "install tt-kmd and load it: modprobe tenstorrent",
		    "%u Tenstorrent cards are on the PCI bus, and the driver is not loaded",
		    boards);
	else
		findings_add(doctor->findings, FINDING_OK, "driver", "",
			     "not loaded, and no Tenstorrent card is on the PCI bus: only mock "
			     "clusters can be seen here");
}

static void check_version(struct doctor *doctor, const char *text)
{
	struct version version;
	struct findings *f = doctor->findings;

	if (sscanf(text, "%u.%u", &version.major, &version.minor) != 2) {
		findings_add(f, FINDING_UNKNOWN, "driver", "see /sys/module/tenstorrent/version",
			     "loaded; its version is not known");
		return;
	}
	if (is_older(version, 2, 5))
		findings_add(f, FINDING_WARNING, "driver_users", "update tt-kmd to 2.7 or newer",
			     "version %s does not tell who has a card open (2.5 does)", text);
	else if (is_older(version, 2, 7))
		findings_add(f, FINDING_WARNING, "driver_users", "update tt-kmd to 2.7 or newer",
			     "version %s numbers processes as they see themselves: in a container, "
			     "not as they are seen from here",
			     text);
	if (is_older(version, 2, 9))
		findings_add(
		    f, FINDING_WARNING, "driver_reset", "update tt-kmd to 2.9 or newer",
		    "version %s gives figures that cannot be while a card is reset; they are "
		    "not shown, and a reset is not told",
		    text);
	else
		findings_add(f, FINDING_OK, "driver", "", "version %s", text);
}

static void check_driver(struct doctor *doctor)
{
	const struct snapshot *s = &doctor->own.picture;
	unsigned boards = count_boards(doctor->root);

	findings_subject(doctor->findings, "driver");
	if (!s->has_driver && s->card_count == 0) {
		check_no_driver(doctor, boards);
		return;
	}
	check_version(doctor, snapshot_text(s, s->driver_version));
	if (s->card_count == 0 && boards)
		findings_add(doctor->findings, FINDING_ERROR, "cards",
			     "dmesg | grep -i tenstorrent says why",
			     "it is loaded and has made no device of the %u cards on the PCI bus",
			     boards);
	else if (s->card_count == 0)
		findings_add(doctor->findings, FINDING_OK, "cards", "",
			     "no card is on the PCI bus");
}

static void check_state(struct doctor *doctor, const struct card *card)
{
	static const char *const texts[CARD_STATES][2] = {
	    [CARD_STUCK] =
		{"a read of the driver does not come back: its figures are old",
		 "wait ten seconds; if it stays, dmesg says why, and tt-smi -r resets it"},
	    [CARD_RESET] = {"it is being reset", "look again in a minute"},
	    [CARD_GONE] = {"it is listed, and nothing of it can be read",
			   "is it being reset? else: is it on the PCI bus (lspci -d 1e52:)? load "
			   "the driver again"},
	};

	if (card->state != CARD_OK && card->state < CARD_STATES)
		findings_add(doctor->findings,
			     card->state == CARD_GONE ? FINDING_ERROR : FINDING_WARNING, "card",
			     texts[card->state][1], "%s", texts[card->state][0]);
}

static const char *telemetry_hint(const struct snapshot *s, const struct card *card, uint8_t reason)
{
	struct version firmware;
	const char *text = snapshot_text(s, card->firmware);
	bool known = sscanf(text, "%u.%u", &firmware.major, &firmware.minor) == 2;

	if (reason == REASON_IMPOSSIBLE)
		return "wait for the end of a reset; if it stays, tt-smi -r resets the card";
	if (reason != REASON_NO_ATTRIBUTE)
		return "look again; dmesg may say why";
	if (card->arch == WORMHOLE && (!known || is_older(firmware, 18, 4)))
		return "it comes up to two minutes after a reset; firmware before 18.4 never "
		       "tells: "
		       "update it";
	return "it comes up to two minutes after a reset; else update driver and firmware";
}

static void check_telemetry(struct doctor *doctor, const struct card *card)
{
	const struct snapshot *s = &doctor->own.picture;
	const struct {
		const char *name;
		struct fact fact;
	} vital[] = {{"temperature", card->telemetry.temperature_c},
		     {"power", card->telemetry.power_w},
		     {"clock", card->telemetry.aiclk_mhz}};
	text_auto missing = TEXT_INIT;
	uint8_t reason = REASON_NONE;

	for (size_t i = 0; i < sizeof vital / sizeof vital[0]; i++) {
		if (fact_is_known(vital[i].fact))
			continue;
		reason = reason ? reason : vital[i].fact.reason;
		text_printf(&missing, "%s%s (%s)", missing.length ? ", " : "", vital[i].name,
			    fact_reason_text((enum fact_reason)vital[i].fact.reason));
	}
	if (missing.failed)
		doctor->findings->failed = true;
	else if (missing.length)
		findings_add(doctor->findings, FINDING_WARNING, "telemetry",
			     telemetry_hint(s, card, reason), "not known: %s", missing.bytes);
	else if (card->state == CARD_OK)
		findings_add(doctor->findings, FINDING_OK, "telemetry", "",
			     "temperature, power and clock are known");
}

static void check_users(struct doctor *doctor, const struct card *card)
{
	if (!fact_is_known(card->handles))
		findings_add(doctor->findings, FINDING_WARNING, "users",
			     "update tt-kmd to 2.7 or newer; in a container, mount /proc without "
			     "subset=pid",
			     "it is not known who has it open: %s",
			     fact_reason_text((enum fact_reason)card->handles.reason));
	else if (fact_is_known(card->foreign_handles) && card->foreign_handles.value)
		findings_add(
		    doctor->findings, FINDING_WARNING, "namespace",
		    "run ttmem on the host, outside of this container, or let ttmemd run there",
		    "%" PRIu64 " of %" PRIu64
		    " descriptors belong to processes in namespaces that are not seen from "
		    "here",
		    card->foreign_handles.value, card->handles.value);
	else
		findings_add(doctor->findings, FINDING_OK, "users", "", "opened by %u process%s",
			     card->users.count, card->users.count == 1 ? "" : "es");
}

static void check_cards(struct doctor *doctor)
{
	const struct snapshot *s = &doctor->own.picture;

	for (uint32_t i = 0; i < s->card_count; i++) {
		const struct card *card = &s->cards[i];
		const char *board = snapshot_text(s, card->board);

		findings_subject(doctor->findings, "card %u (%.40s)", card->number,
				 board[0] ? board : "unknown board");
		check_state(doctor, card);
		if (card->state == CARD_GONE || card->state == CARD_RESET)
			continue;
		check_telemetry(doctor, card);
		check_users(doctor, card);
	}
}

static void check_chips(struct doctor *doctor)
{
	const struct snapshot *s = &doctor->own.picture;

	for (uint32_t i = 0; i < s->machine_devices.count; i++) {
		const struct device *device = &s->devices[s->machine_devices.first + i];

		if (device->card != SNAPSHOT_NONE)
			continue;
		if (fact_is_known(device->unique_id))
			findings_subject(doctor->findings, "chip %" PRIu64,
					 device->unique_id.value);
		else
			findings_subject(doctor->findings, "chip id %u", device->chip_id);
		if (s->card_count == 0)
			findings_add(doctor->findings, FINDING_UNKNOWN, "card",
				     "nothing to do for a mock cluster; else load the driver",
				     "a process uses it, and there are no cards");
		else
			findings_add(
			    doctor->findings, FINDING_WARNING, "card",
			    "nothing to do for a mock cluster; else update tt-kmd to 2.3 or "
			    "newer, which tells the chips' numbers",
			    "a process uses it, and it is no card's of this machine");
	}
}

void doctor_check_machine(struct doctor *doctor)
{
	check_hook(doctor);
	check_driver(doctor);
	check_cards(doctor);
	check_chips(doctor);
}
