/* SPDX-License-Identifier: Apache-2.0 */
#include "view/stacks.h"

#include <inttypes.h>
#include <string.h>

#define INDENT 6

static void write_frame(struct text *text, const struct snapshot *snapshot,
			const struct site_frame *frame)
{
	const char *symbol = snapshot_text(snapshot, frame->symbol);
	const char *module = snapshot_text(snapshot, frame->module);
	const char *slash = strrchr(module, '/');

	text_pad(text, ' ', INDENT);
	text_escape(text, *symbol ? symbol : "-", 0, false);
	text_puts(text, "  ");
	text_escape(text, !*module ? "-" : slash ? slash + 1 : module, 0, false);
	text_printf(text, "+%#" PRIx64 "\n", frame->offset);
}

void stack_write(struct text *text, const struct snapshot *snapshot, uint32_t site)
{
	const struct site *found = snapshot_site(snapshot, site);

	for (uint32_t i = 0; found && i < found->frame_count; i++)
		write_frame(text, snapshot, &snapshot->frames[found->first_frame + i]);
}
