/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parsing /proc/diskstats (Documentation/admin-guide/iostats.rst). */
#include "diskstats.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grow.h"

/* Numbers after the name: 11 before Linux 4.18, 15 before 5.5, 17 since then. Later ones may append more. */
#define NUMBERS 17
#define NUMBERS_MIN 11

/* The numbers of a line, from after the name. Returns how many, up to NUMBERS. */
static int take_numbers(const char *at, const char *end, uint64_t n[NUMBERS])
{
	int count = 0;
	char *after;

	while (count < NUMBERS) {
		while (at < end && *at == ' ')
			at++;
		if (at == end || !isdigit((unsigned char)*at))
			break;
		n[count++] = strtoull(at, &after, 10);
		at = after;
	}
	return count;
}

static bool parse_line(const char *line, const char *end, struct diskstats *d)
{
	uint64_t n[NUMBERS] = { 0 };
	int used = 0;

	*d = (struct diskstats){ 0 };
	if (sscanf(line, "%u %u %31s%n", &d->major, &d->minor, d->name, &used) != 3 || line + used > end ||
	    (line + used < end && line[used] != ' ') || take_numbers(line + used, end, n) < NUMBERS_MIN)
		return false;
	for (int i = 0; i < 3; i++) {
		/* In flight, busy and their product come in between. */
		const uint64_t *from = n + (i < 2 ? i * 4 : 11);

		d->op[i].count = from[0];
		d->op[i].merged = from[1];
		d->op[i].sectors = from[2];
		d->op[i].ms = (uint32_t)from[3];
	}
	d->op[LT_DISK_FLUSH].count = n[15];
	d->op[LT_DISK_FLUSH].ms = (uint32_t)n[16];
	d->in_flight = n[8];
	d->busy_ms = (uint32_t)n[9];
	return true;
}

/* A device's partitions follow it: its name, a p if that ends in a digit, and a number. */
static bool is_partition(const struct diskstats *d, const struct diskstats *whole)
{
	size_t len = strlen(whole->name);
	const char *rest = d->name + len;

	if (strncmp(d->name, whole->name, len) != 0 || !len)
		return false;
	if (isdigit((unsigned char)whole->name[len - 1]) && *rest++ != 'p')
		return false;
	return *rest && strspn(rest, "0123456789") == strlen(rest);
}

int diskstats_parse(const char *text, struct diskstats **disks)
{
	size_t n = 0, cap = 0;
	struct diskstats d;

	*disks = NULL;
	for (const char *line = text, *end; *line; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		if (!parse_line(line, end, &d) || (n && is_partition(&d, &(*disks)[n - 1])))
			continue;
		if (!GROW(*disks, cap, n + 1)) {
			free(*disks);
			*disks = NULL;
			return -ENOMEM;
		}
		(*disks)[n++] = d;
	}
	return (int)n;
}
