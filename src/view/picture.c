/* SPDX-License-Identifier: Apache-2.0 */
#include "view/picture.h"

#include <inttypes.h>
#include <time.h>

#include "view/figures.h"
#include "view/processes.h"

/* Bars that are wider than this tell no more; only a long command is worth more columns. */
#define WIDTH_ENOUGH 140u

static const char *plural(uint32_t count, const char *one, const char *many)
{
	return count == 1 ? one : many;
}

static void heading(struct text *text, const struct snapshot *snapshot, const struct style *style)
{
	text_auto line = TEXT_INIT;
	time_t seconds = (time_t)(snapshot->time_ns / UINT64_C(1000000000));
	struct tm tm;
	char when[64] = "";

	if (localtime_r(&seconds, &tm))
		(void)strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &tm);
	style_tone(&line, style, TONE_BOLD);
	text_puts(&line, "ttmem " TTMEM_VERSION);
	style_tone(&line, style, TONE_PLAIN);
	text_printf(&line, "   %" PRIu32 " %s, %" PRIu32 " %s", snapshot->machine_devices.count,
		    plural(snapshot->machine_devices.count, "device", "devices"),
		    snapshot->process_count,
		    plural(snapshot->process_count, "process", "processes"));
	text_puts(&line, snapshot->server ? "   server " : "   no server");
	unsigned used = style_columns(line.bytes) + style_columns(when);
	unsigned room = used + 2 < style->width - 4 ? style->width - 4 - used - 1 : 1;

	if (snapshot->server)
		text_escape(&line, snapshot_text(snapshot, snapshot->server), room, false);
	used = style_columns(line.bytes) + style_columns(when);
	text_pad(&line, ' ', used < style->width - 4 ? style->width - 4 - used : 1);
	text_puts(&line, when);
	style_row(text, style, &line);
}

static void device(struct text *text, const struct snapshot *snapshot, const struct style *style,
		   uint32_t index)
{
	const struct device *d = &snapshot->devices[snapshot->machine_devices.first + index];
	text_auto line = TEXT_INIT;
	const char *arch = arch_name(d->arch);
	char cell[STYLE_CELL];

	text_printf(&line, "%3" PRIu32 " ", index);
	style_tone(&line, style, TONE_BOLD);
	if (fact_is_known(d->unique_id))
		text_printf(&line, "chip %" PRIu64, d->unique_id.value);
	else
		text_printf(&line, "chip id %" PRIu32, d->chip_id);
	style_tone(&line, style, TONE_PLAIN);
	text_printf(&line, "   %s", arch ? arch : "architecture unknown");
	if (!fact_is_known(d->unique_id))
		text_puts(&line, "   ! unique id unknown");
	style_row(text, style, &line);
	for (enum memory_type type = 0; type < MEMORY_TYPES; type++)
		if (!figures_is_empty(&d->memory[type]))
			figures_row(text, style, type, &d->memory[type],
				    fact_size(d->memory[type].largest_free_bytes, cell));
}

static void devices_box(struct text *text, const struct snapshot *snapshot,
			const struct style *style)
{
	figures_heading(text, style, "Device", "Largest hole");
	style_rule(text, style, RULE_DOUBLE);
	for (uint32_t i = 0; i < snapshot->machine_devices.count; i++) {
		if (i)
			style_rule(text, style, RULE_MIDDLE);
		device(text, snapshot, style, i);
	}
}

/* As wide as allowed, but no wider than there is something to show. */
static struct style fitted(const struct snapshot *snapshot, const struct style *style)
{
	struct style fit = *style;
	unsigned wanted = processes_columns(snapshot);

	if (wanted < WIDTH_ENOUGH)
		wanted = WIDTH_ENOUGH;
	if (fit.width > wanted)
		fit.width = wanted;
	if (fit.width < STYLE_WIDTH_MIN)
		fit.width = STYLE_WIDTH_MIN;
	return fit;
}

void picture_write(struct text *text, const struct snapshot *snapshot, const struct style *style)
{
	const struct style fit = fitted(snapshot, style);

	style_rule(text, &fit, RULE_TOP);
	heading(text, snapshot, &fit);
	style_rule(text, &fit, RULE_MIDDLE);
	if (snapshot->machine_devices.count) {
		devices_box(text, snapshot, &fit);
		style_rule(text, &fit, RULE_MIDDLE);
	}
	processes_box(text, snapshot, &fit);
	style_rule(text, &fit, RULE_BOTTOM);
}
