/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Times for --at: 03:15 or 03:15:30 (the first such time of a recording, local, also where an hour occurs twice),
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
	int64_t s;	/* since midnight, since 1970, before the end, after the start */
	int64_t span_s; /* of a time of day or date: 03:15 is any second of that minute */
};

/* False: not a time. */
bool when_parse(const char *text, struct when *w);

/* The readings of a recording, one after the other. The clock may have been set meanwhile: the elapsed time is not
 * affected, and the search for a time of day restarts there. */
struct when_walk {
	bool begun, back;		/* back: the clock was set back before this reading */
	uint64_t first_ns, realtime_ns; /* of the first and the last one */
	uint64_t elapsed_ns, step_ns;	/* since the first; since the one before */
	uint64_t target_ns;
};

/* Adds the next reading, taken at that CLOCK_REALTIME. */
void when_step(struct when_walk *walk, uint64_t realtime_ns);
/* Whether it is the first of that time or after it; total_ns: elapsed_ns of the last reading. Asked after each step. */
bool when_reached(const struct when *w, struct when_walk *walk, uint64_t total_ns);

#endif
