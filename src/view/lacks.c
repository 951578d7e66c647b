/* SPDX-License-Identifier: Apache-2.0 */
#include "view/lacks.h"

#include <inttypes.h>

#include "model/capability.h"

/* Whole machines are started with one environment: the same reason again and again says nothing. */
#define SITELESS_MAX 3u

static void line(struct text *text, const struct snapshot *snapshot, const struct process *process,
		 const char *what, const struct capability *c)
{
	text_printf(text, "Process %" PRIu32 ", %s: ", process->pid, what);
	text_escape(text, c->reason ? snapshot_text(snapshot, c->reason) : "no reason given", 0,
		    false);
	text_putc(text, '\n');
}

void lacks_none(struct text *text, const struct snapshot *snapshot)
{
	bool is_whole = true;

	for (uint32_t i = 0; i < snapshot->process_count; i++)
		is_whole &= !incomplete_reason(snapshot, &snapshot->processes[i]);
	text_puts(text, is_whole ? "No live buffers.\n" : "No live buffers that are known.\n");
}

void lacks_incomplete(struct text *text, const struct snapshot *snapshot)
{
	for (uint32_t i = 0; i < snapshot->process_count; i++) {
		const struct process *p = &snapshot->processes[i];
		const struct capability *c = incomplete_reason(snapshot, p);

		if (c)
			line(text, snapshot, p, "before the attach", c);
	}
}

void lacks_siteless(struct text *text, const struct snapshot *snapshot)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < snapshot->process_count; i++) {
		const struct process *p = &snapshot->processes[i];
		const struct capability *c = siteless_reason(snapshot, p);

		/* where Python cannot be read there is the native stack */
		if (c && count++ < SITELESS_MAX)
			line(text, snapshot, p,
			     c->state == AVAILABLE_FAILED ? "lines of Python" : "who allocates", c);
	}
	if (count > SITELESS_MAX)
		text_printf(text, "%" PRIu32 " more processes do not tell who allocates: ttmem doctor\n",
			    count - SITELESS_MAX);
}
