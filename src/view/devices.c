/* SPDX-License-Identifier: Apache-2.0 */
#include "view/devices.h"

#include <inttypes.h>
#include <stdio.h>

#include "analyse/clash_gap.h"
#include "view/figures.h"

#define NAME_COLUMNS	14
#define COMPACT_NAME	17
#define ADDRESS_COLUMNS 14
#define WIDE		100u /* from here there is room for clock and unique id */

void device_name(struct text *text, const struct snapshot *snapshot, const struct device *device)
{
	const struct card *card = snapshot_card(snapshot, device);

	if (card && card->board) {
		text_escape(text, snapshot_text(snapshot, card->board), 16, false);
		if (card->chips > 1)
			text_puts(text, device->remote ? " R" : " L");
	} else if (card) {
		text_puts(text, "board unknown");
	} else if (fact_is_known(device->unique_id)) {
		text_printf(text, "chip %" PRIu64, device->unique_id.value);
	} else {
		text_printf(text, "chip id %" PRIu32, device->chip_id);
	}
}

static void temperature(struct text *text, const struct style *style, const struct telemetry *t)
{
	char cell[STYLE_CELL] = "-";

	if (fact_is_known(t->temperature_c))
		(void)snprintf(cell, sizeof cell, "%" PRId64 "%s", fact_signed(t->temperature_c),
			       style->unicode ? "°C" : "C");
	text_pad(text, ' ', 5 - (style_columns(cell) < 5 ? style_columns(cell) : 5));
	text_puts(text, cell);
}

static void power(struct text *text, const struct telemetry *t)
{
	char now[STYLE_CELL], limit[STYLE_CELL];

	if (!fact_is_known(t->power_w))
		text_printf(text, "%12s", "-");
	else if (!fact_is_known(t->power_limit_w))
		text_printf(text, "%10s W", fact_number(t->power_w, now));
	else
		text_printf(text, "%4s / %3s W", fact_number(t->power_w, now),
			    fact_number(t->power_limit_w, limit));
}

static void clock_mhz(struct text *text, const struct telemetry *t)
{
	char cell[STYLE_CELL];

	if (fact_is_known(t->aiclk_mhz))
		text_printf(text, "%6s MHz", fact_number(t->aiclk_mhz, cell));
	else
		text_printf(text, "%10s", "-");
}

static void pad_to(struct text *line, unsigned column)
{
	unsigned at = line->bytes ? style_columns(line->bytes) : 0;

	text_pad(line, ' ', at < column ? column - at : 1);
}

/* Right-aligned, where it does not fit it is left out. */
static void at_right(struct text *line, const struct style *style, const char *string)
{
	unsigned inner = style->width - 4, at = style_columns(line->bytes);
	unsigned columns = style_columns(string);

	if (at + columns + 2 > inner)
		return;
	text_pad(line, ' ', inner - at - columns);
	text_puts(line, string);
}

static void address(struct text *line, const struct snapshot *snapshot, const struct card *card)
{
	if (card->pci_address)
		text_escape(line, snapshot_text(snapshot, card->pci_address), ADDRESS_COLUMNS - 1,
			    false);
	else
		text_puts(line, "-");
}

static void unique_id(struct text *line, const struct style *style, const struct device *device)
{
	char id[STYLE_CELL];

	if (style->width < WIDE || !fact_is_known(device->unique_id))
		return;
	(void)snprintf(id, sizeof id, "chip %" PRIu64, device->unique_id.value);
	at_right(line, style, id);
}

static void head_on_card(struct text *line, const struct snapshot *snapshot,
			 const struct style *style, const struct device *d)
{
	const struct card *card = snapshot_card(snapshot, d);

	pad_to(line, 4 + NAME_COLUMNS);
	address(line, snapshot, card);
	pad_to(line, 4 + NAME_COLUMNS + ADDRESS_COLUMNS);
	if (d->remote) {
		text_printf(line, "  no telemetry: behind device %" PRIu32, card->number);
	} else {
		temperature(line, style, &card->telemetry);
		power(line, &card->telemetry);
		clock_mhz(line, &card->telemetry);
	}
	unique_id(line, style, d);
}

static void head_off_card(struct text *line, const struct snapshot *snapshot,
			  const struct device *d)
{
	const char *arch = arch_name(d->arch);

	text_printf(line, "   %s", arch ? arch : "architecture unknown");
	if (!fact_is_known(d->unique_id))
		text_puts(line, "   ! unique id unknown");
	else if (snapshot->card_count)
		text_puts(line, "   ! matches no card");
}

static void mark(struct text *text, const struct style *style, enum tone tone, const char *words)
{
	text_auto line = TEXT_INIT;

	text_pad(&line, ' ', FIGURES_INDENT);
	style_tone(&line, style, tone);
	text_printf(&line, "! %s", words);
	style_tone(&line, style, TONE_PLAIN);
	style_row(text, style, &line);
}

static void mark_state(struct text *text, const struct snapshot *snapshot,
		       const struct style *style, const struct device *d)
{
	const struct card *card = snapshot_card(snapshot, d);
	char words[128], age[STYLE_CELL];

	if (!card || d->remote)
		return;
	if (card->state == CARD_RESET)
		mark(text, style, TONE_WARN, "being reset: no telemetry until it is done");
	if (card->state == CARD_GONE)
		mark(text, style, TONE_BAD, "does not answer: nothing can be read from it");
	if (card->state == CARD_STUCK && fact_is_known(card->age_ns)) {
		(void)snprintf(words, sizeof words,
			       "the driver does not answer: telemetry is %s old",
			       age_text(card->age_ns.value, age));
		mark(text, style, TONE_WARN, words);
	} else if (card->state == CARD_STUCK) {
		mark(text, style, TONE_WARN, "the driver does not answer");
	}
}

/*
 * How full the fullest core is, which the sums of all banks hide: what is reserved and what
 * programs take is in no bank's figures.
 */
static void core_row(struct text *text, const struct style *style, const struct device *d)
{
	const struct l1_summary *l1 = &d->l1;
	struct fact bank_free = d->memory[MEMORY_L1].bank_free_bytes;
	text_auto line = TEXT_INIT;
	char size[STYLE_CELL], percent[STYLE_CELL];

	if (!fact_is_known(l1->core_bytes) || !fact_is_known(l1->resident_bytes) ||
	    !fact_is_known(bank_free) || bank_free.value > l1->core_bytes.value)
		return;
	uint64_t programs = l1->resident_bytes.value, whole = l1->core_bytes.value;
	uint64_t left = bank_free.value > programs ? bank_free.value - programs : 0;

	if (fact_is_known(d->memory[MEMORY_L1_SMALL].bank_free_bytes))
		left += d->memory[MEMORY_L1_SMALL].bank_free_bytes.value;
	if (left > whole)
		return;

	text_pad(&line, ' ', FIGURES_INDENT);
	text_printf(&line, "L1 core  %s free", size_text(left, size));
	text_printf(&line, " of %s, %s in programs", size_text(whole, size),
		    size_text(programs, percent));
	text_pad(&line, ' ', 2);
	text_printf(&line, "%5s  ", percent_text(whole - left, whole, percent));
	unsigned at = style_columns(line.bytes), inner = style->width - 4;

	if (at + 8 <= inner)
		style_bar(&line, style, whole - left, whole, inner - at < 24 ? inner - at : 24);
	style_row(text, style, &line);
}

/* A program that reaches no higher than one before it still fits, but not by much. */
static void mark_clash_gap(struct text *text, const struct style *style, const struct device *d)
{
	const struct clash_gap *gap = &d->clash_gap;
	int64_t trend = (int64_t)gap->trend_bytes.value;
	text_auto words = TEXT_INIT;
	char size[STYLE_CELL];

	if (!clash_gap_is_small(gap, d->memory[MEMORY_L1].bank_size_bytes))
		return;
	text_printf(&words, "%s of L1 between programs and the lowest buffer",
		    size_text(gap->bytes.value, size));
	if (fact_is_known(gap->trend_bytes) && trend != 0)
		text_printf(&words, ", %s%s in a minute", trend < 0 ? "-" : "+",
			    size_text(trend < 0 ? 0 - (uint64_t)trend : (uint64_t)trend, size));
	if (!words.failed)
		mark(text, style, TONE_WARN, words.bytes);
}

static void device_full(struct text *text, const struct snapshot *snapshot,
			const struct style *style, const struct device *d)
{
	text_auto line = TEXT_INIT;
	char cell[STYLE_CELL];

	text_printf(&line, "%3" PRIu32 " ", d->number);
	style_tone(&line, style, TONE_BOLD);
	device_name(&line, snapshot, d);
	style_tone(&line, style, TONE_PLAIN);
	if (snapshot_card(snapshot, d))
		head_on_card(&line, snapshot, style, d);
	else
		head_off_card(&line, snapshot, d);
	style_row(text, style, &line);
	mark_state(text, snapshot, style, d);
	for (enum memory_type type = 0; type < MEMORY_TYPES; type++)
		if (!figures_is_empty(&d->memory[type]))
			figures_row(text, style, type, &d->memory[type],
				    fact_size(d->memory[type].largest_free_bytes, cell));
	core_row(text, style, d);
	mark_clash_gap(text, style, d);
}

static unsigned compact_bar(const struct style *style)
{
	unsigned fixed = 4 + 4 + COMPACT_NAME + ADDRESS_COLUMNS + 5 + 12 + 2 * 7 +
			 (style->width >= WIDE ? 10 : 0);

	return style->width > fixed + 4 ? (style->width - fixed) / 2 : 2;
}

static void compact_memory(struct text *line, const struct style *style, const struct memory *m)
{
	char cell[STYLE_CELL] = "-";
	bool known = fact_is_known(m->occupied_bytes) && fact_is_known(m->allocatable_bytes);

	text_puts(line, "  ");
	if (known) {
		style_bar(line, style, m->occupied_bytes.value, m->allocatable_bytes.value,
			  compact_bar(style));
		(void)percent_text(m->occupied_bytes.value, m->allocatable_bytes.value, cell);
	} else {
		text_pad(line, ' ', compact_bar(style));
	}
	text_printf(line, "%5s", cell);
}

static char compact_mark(const struct card *card)
{
	return card && card->state != CARD_OK ? '!' : ' ';
}

static void device_compact(struct text *text, const struct snapshot *snapshot,
			   const struct style *style, const struct device *d)
{
	static const struct telemetry none;
	const struct card *card = snapshot_card(snapshot, d);
	const struct telemetry *t = card && !d->remote ? &card->telemetry : &none;
	text_auto line = TEXT_INIT, name = TEXT_INIT;

	device_name(&name, snapshot, d);
	text_printf(&line, "%3" PRIu32 "%c", d->number, compact_mark(card));
	text_escape(&line, name.bytes ? name.bytes : "", COMPACT_NAME - 1, false);
	pad_to(&line, 4 + COMPACT_NAME);
	if (card)
		address(&line, snapshot, card);
	pad_to(&line, 4 + COMPACT_NAME + ADDRESS_COLUMNS);
	temperature(&line, style, t);
	power(&line, t);
	if (style->width >= WIDE)
		clock_mhz(&line, t);
	compact_memory(&line, style, &d->memory[MEMORY_DRAM]);
	compact_memory(&line, style, &d->memory[MEMORY_L1]);
	style_row(text, style, &line);
}

static void compact_heading(struct text *text, const struct style *style, const char *title)
{
	text_auto line = TEXT_INIT;

	style_tone(&line, style, TONE_BOLD);
	text_puts(&line, title);
	pad_to(&line, 4 + COMPACT_NAME);
	text_puts(&line, "PCI address");
	pad_to(&line, 4 + COMPACT_NAME + ADDRESS_COLUMNS);
	text_printf(&line, "%5s%12s", "Temp", "Power");
	if (style->width >= WIDE)
		text_printf(&line, "%10s", "Clock");
	text_printf(&line, "  %-*s", (int)compact_bar(style) + 5, "DRAM used");
	text_printf(&line, "  %-*s", (int)compact_bar(style) + 5, "L1 used");
	style_tone(&line, style, TONE_PLAIN);
	style_row(text, style, &line);
}

void devices_box(struct text *text, const struct snapshot *snapshot, const struct style *style)
{
	struct span machine = snapshot->machine_devices;
	bool compact = machine.count > DEVICES_FULL_MAX;
	char title[STYLE_CELL];

	(void)snprintf(title, sizeof title, "%" PRIu32 " device%s", machine.count,
		       machine.count == 1 ? "" : "s");
	if (compact)
		compact_heading(text, style, title);
	else
		figures_heading(text, style, title, "Largest hole");
	style_rule(text, style, RULE_DOUBLE);
	for (uint32_t i = 0; i < machine.count; i++) {
		const struct device *d = &snapshot->devices[machine.first + i];

		if (i && !compact)
			style_rule(text, style, RULE_MIDDLE);
		if (compact)
			device_compact(text, snapshot, style, d);
		else
			device_full(text, snapshot, style, d);
	}
}
