/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parsing times: see when.h. */
#include "when.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NSEC_PER_SEC 1000000000ULL
#define SPAN_MAX_S (100LL * 365 * 86400)

/* -10m, +90s. */
static bool parse_distance(const char *text, struct when *w)
{
	static const char units[] = "smhd";
	static const int64_t seconds[] = { 1, 60, 3600, 86400 };
	const char *unit;
	char *end;

	if (text[1] < '0' || text[1] > '9')
		return false;
	errno = 0;
	w->s = strtoll(text + 1, &end, 10);
	unit = *end && !end[1] ? strchr(units, *end) : NULL;
	if (errno || !unit || w->s > SPAN_MAX_S / seconds[unit - units])
		return false;
	w->s *= seconds[unit - units];
	w->kind = *text == '-' ? WHEN_BEFORE_END : WHEN_AFTER_START;
	return true;
}

/* Whole of text by a format of strptime; "Z" may follow. */
static bool parse_as(const char *text, const char *format, struct tm *tm, bool *utc)
{
	const char *end;

	*tm = (struct tm){ .tm_isdst = -1, .tm_mday = 1 };
	end = strptime(text, format, tm);
	*utc = end && *end == 'Z';
	return end && !end[*utc];
}

/* The first instant, not before from_s, at which local clocks show this; if they skip it in spring, what mktime
 * returns. */
static time_t first_local(const struct tm *wanted, time_t from_s)
{
	static const int summer[] = { 1, 0, -1 };
	struct tm tm, shown;
	time_t best = -1, at;

	for (size_t i = 0; i < sizeof(summer) / sizeof(summer[0]); i++) {
		tm = *wanted;
		tm.tm_isdst = summer[i];
		at = mktime(&tm);
		localtime_r(&at, &shown);
		if (summer[i] < 0 ? best >= 0 : shown.tm_hour != wanted->tm_hour || shown.tm_min != wanted->tm_min)
			continue;
		if (at >= from_s && (best < 0 || at < best))
			best = at;
	}
	return best;
}

bool when_parse(const char *text, struct when *w)
{
	static const struct {
		const char *format;
		int64_t span_s;
	} clocks[] = { { "%H:%M:%S", 1 }, { "%H:%M", 60 } }, dates[] = { { "%Y-%m-%dT%H:%M:%S", 1 },
									 { "%Y-%m-%d %H:%M:%S", 1 },
									 { "%Y-%m-%dT%H:%M", 60 },
									 { "%Y-%m-%d %H:%M", 60 },
									 { "%Y-%m-%d", 86400 } };
	struct tm tm;
	bool utc;

	*w = (struct when){ WHEN_NONE, 0, 0 };
	if (*text == '-' || *text == '+')
		return parse_distance(text, w);
	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		if (!parse_as(text, clocks[i].format, &tm, &utc) || utc)
			continue;
		*w = (struct when){ WHEN_CLOCK, (tm.tm_hour * 60 + tm.tm_min) * 60 + tm.tm_sec, clocks[i].span_s };
		return true;
	}
	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		if (!parse_as(text, dates[i].format, &tm, &utc))
			continue;
		*w = (struct when){ WHEN_DATE, utc ? timegm(&tm) : first_local(&tm, 0), dates[i].span_s };
		return w->s >= 0 && w->s <= INT64_MAX / (int64_t)NSEC_PER_SEC;
	}
	return false;
}

/* The first instant, not before from_ns, at which local clocks show that time of day. */
static uint64_t first_clock(int64_t s, uint64_t from_ns)
{
	time_t from_s = (time_t)((from_ns + NSEC_PER_SEC - 1) / NSEC_PER_SEC), found;
	struct tm day, tm;

	localtime_r(&from_s, &day);
	for (int after = 0; after < 3; after++) {
		tm = day;
		tm.tm_mday += after;
		tm.tm_hour = 12; /* so that the day is the right one */
		tm.tm_min = tm.tm_sec = 0;
		tm.tm_isdst = -1;
		mktime(&tm);
		tm.tm_hour = (int)(s / 3600);
		tm.tm_min = (int)(s / 60 % 60);
		tm.tm_sec = (int)(s % 60);
		found = first_local(&tm, from_s);
		if (found >= 0)
			return (uint64_t)found * NSEC_PER_SEC;
	}
	return UINT64_MAX;
}

void when_step(struct when_walk *walk, uint64_t realtime_ns)
{
	walk->back = !walk->begun || realtime_ns < walk->realtime_ns;
	if (!walk->back)
		walk->step_ns = realtime_ns - walk->realtime_ns;
	if (!walk->begun)
		walk->first_ns = realtime_ns;
	else /* if the clock was set back: as long as the step before */
		walk->elapsed_ns += walk->step_ns;
	walk->begun = true;
	walk->realtime_ns = realtime_ns;
}

bool when_reached(const struct when *w, struct when_walk *walk, uint64_t total_ns)
{
	uint64_t ns = (uint64_t)w->s * NSEC_PER_SEC, span_ns = (uint64_t)w->span_s * NSEC_PER_SEC, from_ns;

	switch (w->kind) {
	case WHEN_BEFORE_END:
		return walk->elapsed_ns + ns >= total_ns;
	case WHEN_AFTER_START:
		return walk->elapsed_ns >= ns;
	case WHEN_CLOCK:
	case WHEN_DATE:
		/* At the first reading it may be that time already. After that, it comes between two readings. */
		if (walk->back) {
			from_ns = walk->realtime_ns < span_ns ? 0 : walk->realtime_ns - span_ns + 1;
			walk->target_ns = w->kind == WHEN_CLOCK ? first_clock(w->s, from_ns)
					  : ns >= from_ns	? ns
								: UINT64_MAX;
		}
		return walk->target_ns <= walk->realtime_ns;
	default:
		return true;
	}
}
