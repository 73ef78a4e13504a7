/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpulist.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

/* The next range, "0-3" or "8"; false: there is none. */
static bool next(const char **at, uint32_t *first, uint32_t *last)
{
	char *end;

	if (!isdigit((unsigned char)**at))
		return false;
	*first = *last = (uint32_t)strtoul(*at, &end, 10);
	if (*end == '-')
		*last = (uint32_t)strtoul(end + 1, &end, 10);
	*at = *end == ',' ? end + 1 : end;
	return *first <= *last;
}

uint32_t cpulist_last(const char *list)
{
	uint32_t first, last = 0;

	while (next(&list, &first, &last))
		;
	return last;
}

int cpulist_place(const char *list, uint32_t cpu)
{
	uint32_t first, last, before = 0;

	while (next(&list, &first, &last)) {
		if (cpu >= first && cpu <= last)
			return (int)(before + cpu - first);
		before += last - first + 1;
	}
	return -EINVAL;
}
