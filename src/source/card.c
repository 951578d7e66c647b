/* SPDX-License-Identifier: Apache-2.0 */
#include "source/card.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "source/card_users.h"

/* What the driver hands out for a chip that is dead, or a sensor that is not there. */
#define ALL_ONES UINT32_MAX

/* The same after the conversions of drivers before 2.9: some of them look like values. */
static const uint64_t converted_ones[] = {
	4095937, 65535999, 65535000, UINT64_C(4294966296), 1110490560, UINT64_C(4293967296),
};

static bool is_converted_ones(uint64_t raw)
{
	for (size_t i = 0; i < sizeof converted_ones / sizeof converted_ones[0]; i++)
		if (raw == converted_ones[i])
			return true;
	return false;
}

enum place { IN_CLASS, IN_PCI, IN_HWMON, PLACES };

enum form { FORM_DECIMAL, FORM_HEX, FORM_SIGNED, FORM_TEMPERATURE, FORM_LINK_SPEED };

struct attribute {
	const char *file;
	uint8_t place, form;
	bool moves; /* else it only changes with a reset */
	bool is_sensor; /* all ones: the board has none */
	size_t offset; /* of the fact in the reading */
	uint64_t divide; /* to the unit of the fact, rounded to nearest */
	uint64_t max;	 /* of the fact; more cannot be */
};

#define TEMPERATURE_MAX		   149u
#define TEMPERATURE_BELOW_ZERO_MAX 40u

#define AT(member) offsetof(struct card_reading, member)

static const struct attribute attributes[] = {
	{"temp1_input", IN_HWMON, FORM_TEMPERATURE, true, false, AT(telemetry.temperature_c), 1000, TEMPERATURE_MAX},
	{"power1_input", IN_HWMON, FORM_DECIMAL, true, false, AT(telemetry.power_w), 1000000, 2000},
	{"curr1_input", IN_HWMON, FORM_DECIMAL, true, false, AT(telemetry.current_a), 1000, 2000},
	{"in0_input", IN_HWMON, FORM_DECIMAL, true, false, AT(telemetry.voltage_mv), 1, 2000},
	{"fan1_input", IN_HWMON, FORM_DECIMAL, true, true, AT(telemetry.fan_rpm), 1, 30000},
	{"tt_aiclk", IN_CLASS, FORM_DECIMAL, true, false, AT(telemetry.aiclk_mhz), 1, 5000},
	{"tt_heartbeat", IN_CLASS, FORM_DECIMAL, true, false, AT(telemetry.heartbeat), 1, ALL_ONES - 1},
	{"temp1_max", IN_HWMON, FORM_TEMPERATURE, false, false, AT(telemetry.temperature_limit_c), 1000, TEMPERATURE_MAX},
	{"power1_max", IN_HWMON, FORM_DECIMAL, false, false, AT(telemetry.power_limit_w), 1000000, 2000},
	{"curr1_max", IN_HWMON, FORM_DECIMAL, false, false, AT(telemetry.current_limit_a), 1000, 2000},
	{"in0_max", IN_HWMON, FORM_DECIMAL, false, false, AT(telemetry.voltage_limit_mv), 1, 2000},
	{"tt_axiclk", IN_CLASS, FORM_DECIMAL, false, false, AT(telemetry.axiclk_mhz), 1, 5000},
	{"tt_arcclk", IN_CLASS, FORM_DECIMAL, false, false, AT(telemetry.arcclk_mhz), 1, 5000},
	{"tt_therm_trip_count", IN_CLASS, FORM_DECIMAL, false, false, AT(telemetry.thermal_trips), 1, ALL_ONES - 1},
	{"tt_serial", IN_CLASS, FORM_HEX, false, false, AT(serial), 1, UINT64_MAX - 1},
	{"tt_asic_id", IN_CLASS, FORM_HEX, false, false, AT(asic_id), 1, UINT64_MAX - 1},
	{"device", IN_PCI, FORM_HEX, false, false, AT(device_id), 1, 0xfffe},
	{"subsystem_device", IN_PCI, FORM_HEX, false, false, AT(subsystem_id), 1, 0xfffe},
	{"current_link_speed", IN_PCI, FORM_LINK_SPEED, false, false, AT(link.generation), 1, 9},
	{"max_link_speed", IN_PCI, FORM_LINK_SPEED, false, false, AT(link.generation_max), 1, 9},
	{"current_link_width", IN_PCI, FORM_DECIMAL, false, false, AT(link.width), 1, 32},
	{"max_link_width", IN_PCI, FORM_DECIMAL, false, false, AT(link.width_max), 1, 32},
	{"numa_node", IN_PCI, FORM_SIGNED, false, false, AT(link.numa_node), 1, 4096},
};

#define ATTRIBUTES (sizeof attributes / sizeof attributes[0])

/* What one look at a card came to, for its state. The PCI bus answers for a dead chip, too. */
struct tally {
	unsigned good, resetting, failed, impossible;
};

static struct fact absent_by_errno(int error, struct tally *tally)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return fact_absent(REASON_NO_ATTRIBUTE);
	case ENODATA:
		tally->resetting++;
		return fact_absent(REASON_RESET);
	case EACCES:
	case EPERM:
		return (struct fact){.state = FACT_DENIED, .reason = REASON_PERMISSION};
	default:
		tally->failed++;
		return fact_absent(REASON_READ);
	}
}

static struct fact impossible(struct tally *tally)
{
	tally->impossible++;
	return fact_absent(REASON_IMPOSSIBLE);
}

static int parse_number(const char *text, int base, uint64_t *ret_value)
{
	char *end;

	/* strtoull would take blanks and signs */
	if (base == 16 ? !isxdigit((unsigned char)text[0]) : !isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	*ret_value = strtoull(text, &end, base);
	return errno || *end ? -EINVAL : 0;
}

static uint64_t rounded(uint64_t value, uint64_t divide)
{
	return value / divide + (value % divide >= (divide + 1) / 2);
}

/* Millidegrees. The driver decodes the chip's signed value as unsigned: below zero is up there. */
static struct fact temperature(uint64_t raw, const struct attribute *a, struct tally *tally)
{
	const uint64_t error = 32768000, wrap = 65536000;

	if (raw == 0 || raw == error || raw >= wrap)
		return impossible(tally);
	bool below_zero = raw > error;
	uint64_t degrees = rounded(below_zero ? wrap - raw : raw, a->divide);

	if (degrees > (below_zero ? TEMPERATURE_BELOW_ZERO_MAX : a->max))
		return impossible(tally);
	tally->good++;
	return fact_of(below_zero ? (uint64_t)-(int64_t)degrees : degrees);
}

static struct fact link_speed(const char *text)
{
	static const char *const speeds[] = {"2.5", "5", "8", "16", "32", "64"};

	for (size_t i = 0; i < sizeof speeds / sizeof speeds[0]; i++) {
		size_t n = strlen(speeds[i]);

		if (strncmp(text, speeds[i], n) == 0 &&
		    (text[n] == ' ' || strncmp(text + n, ".0 ", 3) == 0))
			return fact_of(i + 1);
	}
	return fact_absent(REASON_IMPOSSIBLE);
}

static struct fact attribute_value(const struct attribute *a, const char *text,
				   struct tally *tally)
{
	uint64_t value;

	if (a->form == FORM_LINK_SPEED)
		return link_speed(text);
	if (a->form == FORM_SIGNED && text[0] == '-')
		return fact_absent(REASON_NONE);
	if (a->form == FORM_HEX && strncmp(text, "0x", 2) == 0)
		text += 2;
	if (parse_number(text, a->form == FORM_HEX ? 16 : 10, &value) < 0)
		return impossible(tally);
	if (a->place == IN_HWMON && is_converted_ones(value))
		return impossible(tally);
	if (a->form == FORM_TEMPERATURE)
		return temperature(value, a, tally);
	if (a->is_sensor && value == ALL_ONES)
		return fact_absent(REASON_NO_SENSOR);
	value = rounded(value, a->divide);
	if (value > a->max)
		return impossible(tally);
	tally->good++;
	return fact_of(value);
}

/* A word of a driver in a small alphabet; "" for anything else, and for what it calls unknown. */
static void read_word(int directory, const char *file, const char *alphabet, char *to, size_t size)
{
	ssize_t n = directory < 0 ? -1 : file_read_line_at(directory, file, to, size);

	if (n <= 0 || to[strspn(to, alphabet)] || strcmp(to, "unknown") == 0 ||
	    strcmp(to, "255.255.255.255") == 0 || strcmp(to, "0.0.0.0") == 0)
		to[0] = '\0';
}

static void read_pci_address(int class, struct card_reading *reading)
{
	char target[256];
	ssize_t n = readlinkat(class, "device", target, sizeof target - 1);

	target[n > 0 ? n : 0] = '\0';
	const char *slash = strrchr(target, '/'), *name = slash ? slash + 1 : target;

	if (strlen(name) < sizeof reading->pci_address &&
	    name[strspn(name, "0123456789abcdefABCDEF:.")] == '\0')
		(void)snprintf(reading->pci_address, sizeof reading->pci_address, "%s", name);
}

static int open_directory(int at, const char *path)
{
	return openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* After a reset there may be two; the one with the highest number is the live one. */
static int open_hwmon(int class)
{
	int at = open_directory(class, "device/hwmon");
	DIR *directory = at < 0 ? NULL : fdopendir(at);
	char best[32] = "";
	long highest = -1;

	if (!directory) {
		if (at >= 0)
			(void)close(at);
		return -1;
	}
	for (struct dirent *entry; (entry = readdir(directory));) {
		long k = strncmp(entry->d_name, "hwmon", 5) == 0
				 ? strtol(entry->d_name + 5, NULL, 10)
				 : -1;

		if (k <= highest || strlen(entry->d_name) >= sizeof best)
			continue;
		highest = k;
		(void)snprintf(best, sizeof best, "%s", entry->d_name);
	}
	int fd = highest < 0 ? -1 : open_directory(at, best);

	(void)closedir(directory);
	return fd;
}

static void read_attributes(const int places[PLACES], bool identity, struct card_reading *reading,
			    struct tally *tally)
{
	struct tally bus = {0};

	for (size_t i = 0; i < ATTRIBUTES; i++) {
		const struct attribute *a = &attributes[i];
		struct tally *count = a->place == IN_PCI ? &bus : tally;
		char text[64];

		if (!a->moves && !identity)
			continue;
		ssize_t n = places[a->place] < 0
				    ? -ENOENT
				    : file_read_line_at(places[a->place], a->file, text, sizeof text);
		struct fact fact = n < 0 ? absent_by_errno((int)-n, count)
					 : attribute_value(a, text, count);

		memcpy((char *)reading + a->offset, &fact, sizeof fact);
	}
}

/* Two old drivers are known to be wrong by a factor. */
static void mend(struct driver_version driver, struct card_reading *reading)
{
	struct telemetry *t = &reading->telemetry;

	if (driver.major != 1 || reading->device_id.value != 0x401e)
		return;
	/* before 1.34 a temperature in sixteenths was multiplied by 64, not by 1000/16 */
	if (driver.minor < 34 && t->temperature_c.state == FACT_OK)
		t->temperature_c.value = rounded(t->temperature_c.value * 1000, 1024);
	/* 1.27 gave milliwatts for microwatts: no more than 0 or 1 W is left of it */
	if (driver.minor == 27)
		t->power_w = t->power_limit_w = fact_absent(REASON_IMPOSSIBLE);
}

static enum card_state state_of(const struct tally *tally)
{
	if (tally->resetting)
		return CARD_RESET;
	return tally->good == 0 && tally->failed + tally->impossible > 0 ? CARD_GONE : CARD_OK;
}

void card_read(int root, struct driver_version driver, bool identity, struct card_reading *reading)
{
	struct tally tally = {0};
	char path[64];

	(void)snprintf(path, sizeof path, "sys/class/tenstorrent/tenstorrent!%u", reading->number);
	fd_auto class = open_directory(root, path);
	fd_auto pci = class < 0 ? -1 : open_directory(class, "device");
	fd_auto hwmon = class < 0 ? -1 : open_hwmon(class);
	const int places[PLACES] = {class, pci, hwmon};

	read_attributes(places, identity, reading, &tally);
	if (identity) {
		read_pci_address(class, reading);
		read_word(class, "tt_card_type", "abcdefghijklmnopqrstuvwxyz0123456789-",
			  reading->card_type, sizeof reading->card_type);
		read_word(class, "tt_fw_bundle_ver", "0123456789.", reading->firmware,
			  sizeof reading->firmware);
	}
	mend(driver, reading);
	card_read_users(root, reading);
	reading->state = class < 0 ? CARD_GONE : (uint8_t)state_of(&tally);
	reading->has_identity = reading->has_identity || identity;
	reading->time_ns = clock_monotonic_ns();
}

bool card_lacks_telemetry(const struct card_reading *reading)
{
	return !fact_is_known(reading->telemetry.temperature_c) ||
	       !fact_is_known(reading->serial) || !reading->card_type[0];
}
