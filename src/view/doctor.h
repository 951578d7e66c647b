/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a check-up found, for people: a line for each check with a mark, under
 * it what to do. The mark says it all without its colour:
 * [ok], [!!] for a finding, [--] for what could not be checked.
 */
#ifndef TTMEM_VIEW_DOCTOR_H
#define TTMEM_VIEW_DOCTOR_H

#include "model/findings.h"
#include "view/style.h"

void doctor_write(struct text *text, const struct findings *findings, const struct style *style);

#endif
