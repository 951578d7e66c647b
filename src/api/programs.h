/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TTMEM_API_PROGRAMS_H
#define TTMEM_API_PROGRAMS_H

#include "base/buffer.h"
#include "model/snapshot.h"

/* json_write_programs - {"schema":"ttmem.programs/1",...}, one line, no newline at the end */
void json_write_programs(struct text *text, const struct snapshot *snapshot);

#endif
