/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a check-up found: one line for each thing that was looked at, what came
 * of it, and what to do. Messages may hold bytes from strangers: views escape.
 *
 * A failed allocation is remembered and later findings are left out, so whoever
 * makes them checks once, at the end; nothing that was found is silently lost.
 */
#ifndef TTMEM_MODEL_FINDINGS_H
#define TTMEM_MODEL_FINDINGS_H

#include <stdbool.h>
#include <stdint.h>

enum finding_state {
	FINDING_OK = 0,
	FINDING_WARNING = 1, /* something could be seen that is not, or may mislead */
	FINDING_ERROR = 2,   /* something is wrong */
	FINDING_UNKNOWN = 3, /* could not be looked at, and nothing says that it is wrong */
	FINDING_STATES
};

/* finding_state_name - "ok", "warning", "error", "unknown" */
const char *finding_state_name(enum finding_state state);

struct finding {
	enum finding_state state;
	char *subject; /* "process 4211": what was looked at */
	char *check;   /* "books": a word for programs */
	char *message;
	char *hint; /* what to do; "" only when all is well */
};

struct findings {
	struct finding *rows;
	uint32_t count, capacity;
	bool failed; /* memory ran out */
	char subject[96];
};

#define FINDINGS_INIT                                                                              \
	{                                                                                          \
		0                                                                                  \
	}

/* findings_subject - what the following findings are about */
void findings_subject(struct findings *findings, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* findings_add - `hint` is copied; "" only with FINDING_OK */
void findings_add(struct findings *findings, enum finding_state state, const char *check,
		  const char *hint, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* findings_wrong - warnings and errors */
uint32_t findings_wrong(const struct findings *findings);
void findings_clear(struct findings *findings);

#endif
