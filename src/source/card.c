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

#define WORMHOLE_PCI 0x401eu

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
	{"device", IN_PCI, FORM_HEX, false, false, AT(device_id), 1, 0xfffe},
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

/* An id is the card's own: what it was before a reset it is during one, too. */
static struct fact kept(struct fact last, struct fact now)
{
	if (fact_is_known(now) || now.reason == REASON_NO_ATTRIBUTE || !fact_is_known(last))
		return now;
	return fact_stale(last.value, now.reason);
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
static struct fact temperature(uint64_t raw, const struct attribute *a, uint64_t divide,
			       struct tally *tally)
{
	const uint64_t error = 32768000, wrap = 65536000;

	if (raw == 0 || raw == error || raw >= wrap)
		return impossible(tally);
	bool below_zero = raw > error;
	uint64_t degrees = rounded(below_zero ? wrap - raw : raw, divide);

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

/* `divide` is the attribute's own, or what a driver that is known to be wrong needs instead. */
static struct fact attribute_value(const struct attribute *a, const char *text, uint64_t divide,
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
		return temperature(value, a, divide, tally);
	if (a->is_sensor && value == ALL_ONES)
		return fact_absent(REASON_NO_SENSOR);
	value = rounded(value, divide);
	if (value > a->max)
		return impossible(tally);
	tally->good++;
	return fact_of(value);
}

/* One line without a NUL in it: behind one there would be something that nobody compares. */
static ssize_t read_text(int directory, const char *file, char *to, size_t size)
{
	ssize_t n = directory < 0 ? directory : file_read_line_at(directory, file, to, size);

	return n >= 0 && strlen(to) != (size_t)n ? -EINVAL : n;
}

/* Stays as it is when the driver does not give one, which a reset can be the reason of. */
static void read_card_type(int class, struct card_reading *reading)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	char text[sizeof reading->card_type];
	ssize_t n = read_text(class, "tt_card_type", text, sizeof text);

	if (n > 0 && strchr(letters, text[0]) &&
	    text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0' &&
	    strcmp(text, "unknown") != 0) {
		memset(reading->card_type, 0, sizeof reading->card_type);
		memcpy(reading->card_type, text, (size_t)n);
	}
}

/* Four bytes with dots between. */
static bool is_version(const char *text)
{
	unsigned parts = 0;

	for (const char *p = text;; p++) {
		char *end;

		if (!isdigit((unsigned char)*p) || strtoul(p, &end, 10) > 255)
			return false;
		parts++;
		p = end;
		if (*p != '.')
			return *p == '\0' && parts == 4;
	}
}

static void read_firmware(int class, struct card_reading *reading)
{
	char text[sizeof reading->firmware];
	ssize_t n = read_text(class, "tt_fw_bundle_ver", text, sizeof text);
	bool good = n > 0 && is_version(text) && strcmp(text, "255.255.255.255") != 0 &&
		    strcmp(text, "0.0.0.0") != 0;

	memset(reading->firmware, 0, sizeof reading->firmware);
	if (good)
		memcpy(reading->firmware, text, (size_t)n);
}

/* Domain, bus, device, function: digits of a number, and nothing behind them. */
static bool is_pci_address(const char *name)
{
	int end = 0;

	return name[strspn(name, "0123456789abcdef:.")] == '\0' &&
	       sscanf(name, "%*8x:%*2x:%*2x.%*1x%n", &end) == 0 && end > 0 && name[end] == '\0';
}

static void read_pci_address(int class, struct card_reading *reading)
{
	char target[256];
	ssize_t n;

	do {
		n = readlinkat(class, "device", target, sizeof target - 1);
	} while (n < 0 && errno == EINTR);
	target[n > 0 ? n : 0] = '\0';
	const char *slash = strrchr(target, '/'), *name = slash ? slash + 1 : target;

	if (strlen(name) < sizeof reading->pci_address && is_pci_address(name))
		(void)snprintf(reading->pci_address, sizeof reading->pci_address, "%s", name);
}

/* Return: descriptor or -errno, also that of the directory it is in. */
static int open_directory(int at, const char *path)
{
	return at < 0 ? at : file_open_at(at, path, O_RDONLY | O_DIRECTORY);
}

/* After a reset there may be two; the one with the highest number is the live one. */
static int open_hwmon(int class)
{
	int at = open_directory(class, "device/hwmon");
	DIR *directory = at < 0 ? NULL : fdopendir(at);
	char best[32] = "";
	long highest = -1;

	if (at < 0)
		return at;
	if (!directory) {
		(void)close(at);
		return -ENOMEM;
	}
	for (struct dirent *entry; (entry = file_next_entry(directory));) {
		long k = strncmp(entry->d_name, "hwmon", 5) == 0
				 ? strtol(entry->d_name + 5, NULL, 10)
				 : -1;

		if (k <= highest || strlen(entry->d_name) >= sizeof best)
			continue;
		highest = k;
		(void)snprintf(best, sizeof best, "%s", entry->d_name);
	}
	int fd = highest >= 0 ? open_directory(at, best) : errno ? -errno : -ENOENT;

	(void)closedir(directory);
	return fd;
}

/*
 * Two old drivers are wrong by a factor: before 1.34 a Wormhole's temperature, which the chip gives
 * in sixteenths, was multiplied by 64 and not by 1000/16.
 */
static bool is_wormhole_before(struct driver_version driver, uint32_t minor, uint64_t device_id)
{
	return driver.major == 1 && driver.minor < minor && device_id == WORMHOLE_PCI;
}

static struct fact read_attribute(const struct attribute *a, int directory, uint64_t divide,
				  struct tally *tally)
{
	char text[64];
	ssize_t n = read_text(directory, a->file, text, sizeof text);

	if (n == -EINVAL)
		return impossible(tally);
	return n < 0 ? absent_by_errno((int)-n, tally) : attribute_value(a, text, divide, tally);
}

static void read_attributes(const int places[PLACES], struct driver_version driver, bool identity,
			    struct card_reading *reading, struct tally *tally)
{
	for (size_t i = 0; i < ATTRIBUTES; i++) {
		const struct attribute *a = &attributes[i];
		struct fact *to = (void *)((char *)reading + a->offset);
		bool sixteenths = to == &reading->telemetry.temperature_c &&
				  is_wormhole_before(driver, 34, reading->device_id.value);

		if (a->place == IN_PCI || (!a->moves && !identity))
			continue;
		struct fact fact = read_attribute(a, places[a->place],
						  sixteenths ? 1024 : a->divide, tally);

		*to = to == &reading->serial || to == &reading->asic_id ? kept(*to, fact) : fact;
	}
	/* 1.27 gave milliwatts for microwatts: no more than 0 or 1 W is left of it */
	if (is_wormhole_before(driver, 28, reading->device_id.value))
		reading->telemetry.power_w = reading->telemetry.power_limit_w =
			fact_absent(REASON_IMPOSSIBLE);
}

static enum card_state state_of(const struct tally *tally, bool has_pci)
{
	if (tally->resetting)
		return CARD_RESET;
	return tally->good == 0 && (!has_pci || tally->failed + tally->impossible > 0) ? CARD_GONE
										       : CARD_OK;
}

static int open_class(int root, const struct card_reading *reading)
{
	char path[64];

	(void)snprintf(path, sizeof path, "sys/class/tenstorrent/tenstorrent!%u", reading->number);
	return open_directory(root, path);
}

void card_read_bus(int root, struct card_reading *reading)
{
	struct tally tally = {0};
	fd_auto class = open_class(root, reading);
	fd_auto pci = open_directory(class, "device");

	for (size_t i = 0; i < ATTRIBUTES; i++) {
		const struct attribute *a = &attributes[i];
		struct fact fact;

		if (a->place != IN_PCI)
			continue;
		fact = read_attribute(a, pci, a->divide, &tally);
		memcpy((char *)reading + a->offset, &fact, sizeof fact);
	}
	read_pci_address(class, reading);
	reading->has_pci = pci >= 0;
}

void card_read(int root, struct driver_version driver, bool identity, struct card_reading *reading)
{
	struct tally tally = {0};
	fd_auto class = open_class(root, reading);
	fd_auto hwmon = open_hwmon(class);
	const int places[PLACES] = {[IN_CLASS] = class, [IN_HWMON] = hwmon};

	read_attributes(places, driver, identity, reading, &tally);
	if (identity) {
		read_card_type(class, reading);
		read_firmware(class, reading);
	}
	card_read_users(root, reading);
	reading->state = class < 0 ? CARD_GONE : (uint8_t)state_of(&tally, reading->has_pci);
	reading->has_identity = reading->has_identity || identity;
	reading->time_ns = clock_monotonic_ns();
}

bool card_lacks_telemetry(const struct card_reading *reading)
{
	return !fact_is_known(reading->telemetry.temperature_c) ||
	       !fact_is_known(reading->serial) || !reading->card_type[0];
}
