/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times as people write them: see when.h. */
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

bool when_parse(const char *text, struct when *w)
{
	static const char *const clocks[] = { "%H:%M:%S", "%H:%M" };
	static const char *const dates[] = { "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M",
					     "%Y-%m-%d %H:%M", "%Y-%m-%d" };
	struct tm tm;
	bool utc;
	size_t i;

	if (*text == '-' || *text == '+')
		return parse_distance(text, w);
	for (i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		if (!parse_as(text, clocks[i], &tm, &utc) || utc)
			continue;
		*w = (struct when){ WHEN_CLOCK, (tm.tm_hour * 60 + tm.tm_min) * 60 + tm.tm_sec };
		return true;
	}
	for (i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		if (!parse_as(text, dates[i], &tm, &utc))
			continue;
		*w = (struct when){ WHEN_DATE, utc ? timegm(&tm) : mktime(&tm) };
		return w->s >= 0;
	}
	return false;
}

/* The first such time of day not before first_ns; a night that changes the clocks is the library's to know. */
static uint64_t resolve_clock(int64_t s, uint64_t first_ns)
{
	time_t first = (time_t)(first_ns / NSEC_PER_SEC), found;
	struct tm day, tm;
	int after;

	localtime_r(&first, &day);
	for (after = 0; after < 2; after++) {
		tm = day;
		tm.tm_mday += after;
		tm.tm_hour = (int)(s / 3600);
		tm.tm_min = (int)(s / 60 % 60);
		tm.tm_sec = (int)(s % 60);
		tm.tm_isdst = -1;
		found = mktime(&tm);
		if (found >= first)
			break;
	}
	return (uint64_t)found * NSEC_PER_SEC;
}

uint64_t when_resolve(const struct when *w, uint64_t first_ns, uint64_t last_ns)
{
	uint64_t ns = (uint64_t)w->s * NSEC_PER_SEC;

	switch (w->kind) {
	case WHEN_CLOCK:
		return resolve_clock(w->s, first_ns);
	case WHEN_DATE:
		return ns;
	case WHEN_BEFORE_END:
		return last_ns > ns ? last_ns - ns : 0;
	case WHEN_AFTER_START:
		return first_ns + ns;
	default:
		return 0;
	}
}
