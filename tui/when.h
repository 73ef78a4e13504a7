/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Times as people write them, for --at: 03:15 or 03:15:30 (the first such time of a recording, local),
 * 2026-11-22T03:15 with or without seconds, a blank for the T, Z behind it for UTC; -10m before the recording's end,
 * +90s after its start (s, m, h, d).
 */
#ifndef WHEN_H
#define WHEN_H

#include <stdbool.h>
#include <stdint.h>

enum when_kind { WHEN_NONE, WHEN_CLOCK, WHEN_DATE, WHEN_BEFORE_END, WHEN_AFTER_START };

struct when {
	enum when_kind kind;
	int64_t s; /* since midnight, since 1970, before the end, after the start */
};

/* False: not a time. */
bool when_parse(const char *text, struct when *w);
/* CLOCK_REALTIME, for a recording from first_ns to last_ns. */
uint64_t when_resolve(const struct when *w, uint64_t first_ns, uint64_t last_ns);

#endif
