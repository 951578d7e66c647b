/* SPDX-License-Identifier: Apache-2.0 */
#include "base/duration.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S 86400

int duration_parse(const char *text, uint64_t *ret_ns)
{
	static const struct {
		const char *unit;
		double seconds;
	} units[] = {{"", 1}, {"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}};
	char *end;

	/* strtod would also take blanks, signs, "inf" and "nan" */
	if ((*text < '0' || *text > '9') && *text != '.')
		return -EINVAL;
	double number = strtod(text, &end);

	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		double seconds = number * units[i].seconds;

		if (strcmp(end, units[i].unit) != 0)
			continue;
		if (!(seconds > 0 && seconds <= DAY_S))
			return -EINVAL;
		*ret_ns = (uint64_t)(seconds * 1e9);
		return 0;
	}
	return -EINVAL;
}
