/* SPDX-License-Identifier: Apache-2.0 */
#include "model/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *finding_state_name(enum finding_state state)
{
	static const char *const names[FINDING_STATES] = {"ok", "warning", "error", "unknown"};

	return names[state];
}

void findings_subject(struct findings *findings, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(findings->subject, sizeof findings->subject, format, args);
	va_end(args);
}

static void free_row(struct finding *row)
{
	free(row->subject);
	free(row->check);
	free(row->message);
	free(row->hint);
}

static bool reserve(struct findings *findings)
{
	uint32_t larger = findings->capacity ? findings->capacity * 2 : 32;

	if (findings->count < findings->capacity)
		return true;
	struct finding *memory = realloc(findings->rows, larger * sizeof *memory);

	if (!memory)
		return false;
	findings->rows = memory;
	findings->capacity = larger;
	return true;
}

void findings_add(struct findings *findings, enum finding_state state, const char *check,
		  const char *hint, const char *format, ...)
{
	struct finding row = {.state = state};
	va_list args;

	if (findings->failed)
		return;
	va_start(args, format);
	if (vasprintf(&row.message, format, args) < 0)
		row.message = NULL;
	va_end(args);
	row.subject = strdup(findings->subject);
	row.check = strdup(check);
	row.hint = strdup(hint);
	if (!row.message || !row.subject || !row.check || !row.hint || !reserve(findings)) {
		free_row(&row);
		findings->failed = true;
		return;
	}
	findings->rows[findings->count++] = row;
}

uint32_t findings_wrong(const struct findings *findings)
{
	uint32_t wrong = 0;

	for (uint32_t i = 0; i < findings->count; i++)
		wrong += findings->rows[i].state == FINDING_WARNING ||
			 findings->rows[i].state == FINDING_ERROR;
	return wrong;
}

void findings_clear(struct findings *findings)
{
	for (uint32_t i = 0; i < findings->count; i++)
		free_row(&findings->rows[i]);
	free(findings->rows);
	*findings = (struct findings)FINDINGS_INIT;
}
