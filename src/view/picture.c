/* SPDX-License-Identifier: Apache-2.0 */
#include "view/picture.h"

#include <time.h>

#include "view/devices.h"
#include "view/processes.h"

/* Bars that are wider than this tell no more; only a long command is worth more columns. */
#define WIDTH_ENOUGH 140u

static void driver(struct text *line, const struct snapshot *snapshot)
{
	if (snapshot->driver_version) {
		text_puts(line, "   driver ");
		text_escape(line, snapshot_text(snapshot, snapshot->driver_version), 14, false);
	} else {
		text_puts(line, snapshot->has_driver || snapshot->card_count ? "   driver unknown"
									      : "   no driver");
	}
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
	driver(&line, snapshot);
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
