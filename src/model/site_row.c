/* SPDX-License-Identifier: Apache-2.0 */
#include "model/site_row.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[GROUPS] = {"site", "op", "file", "tag", "type", "thread"};

const char *found_by_name(unsigned found_by)
{
	return found_by == FOUND_BY_AGE ? "age" : "rise";
}

const char *group_by_name(enum group_by by)
{
	return by < GROUPS ? names[by] : names[GROUP_SITE];
}

int group_by_parse(const char *text, enum group_by *ret_by)
{
	for (int by = 0; by < GROUPS; by++)
		if (strcmp(text, names[by]) == 0) {
			*ret_by = (enum group_by)by;
			return 0;
		}
	return -EINVAL;
}

void site_list_clear(struct site_list *list)
{
	free(list->rows);
	*list = (struct site_list){0};
}
