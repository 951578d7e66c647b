/* SPDX-License-Identifier: Apache-2.0 */
/* Below a list of buffers: what is not in it, and why, by process. */
#ifndef TTMEM_VIEW_LACKS_H
#define TTMEM_VIEW_LACKS_H

#include "base/buffer.h"
#include "model/snapshot.h"

/* lacks_none - instead of an empty list: nothing is live, or nothing that is known */
void lacks_none(struct text *text, const struct snapshot *snapshot);
/* lacks_incomplete - a line for each process that holds more than is listed: its hook came late */
void lacks_incomplete(struct text *text, const struct snapshot *snapshot);
/* lacks_siteless - lines for processes that do not tell who allocates */
void lacks_siteless(struct text *text, const struct snapshot *snapshot);

#endif
