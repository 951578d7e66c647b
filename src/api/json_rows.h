/* SPDX-License-Identifier: Apache-2.0 */
/* What sites hold, and which of them grow, as JSON and back. */
#ifndef TTMEM_API_JSON_ROWS_H
#define TTMEM_API_JSON_ROWS_H

#include "base/buffer.h"
#include "model/site_row.h"
#include "model/snapshot.h"

/* json_write_sites - {"schema":"ttmem.sites/1",...}: the snapshot has processes, chips and sites */
void json_write_sites(struct text *text, const struct snapshot *snapshot,
		      const struct site_list *list);
/* json_write_growth - {"schema":"ttmem.growth/1",...}, likewise */
void json_write_growth(struct text *text, const struct snapshot *snapshot,
		       const struct site_list *list);

/* json_write_site_rows - the array of ttmem.sites/1 alone, for other documents */
void json_write_site_rows(struct text *text, const struct snapshot *snapshot,
			  const struct site_list *list);
/* json_write_site_members - "op":...,"site":... of a site by number, for other documents */
void json_write_site_members(struct text *text, const struct snapshot *snapshot, uint32_t site);

/*
 * json_read_sites, json_read_growth - the other way. Of processes the snapshot has the pid, and an
 * allocator for each row, with chips only. Return: 0; -EBADMSG; -ENOMEM.
 */
int json_read_sites(const char *json, size_t length, struct snapshot *ret_snapshot,
		    struct site_list *ret_list);
int json_read_growth(const char *json, size_t length, struct snapshot *ret_snapshot,
		     struct site_list *ret_list);

#endif
