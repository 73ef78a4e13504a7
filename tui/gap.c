/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time of which a recording has no reading: see gap.h. */
#include "gap.h"

#include <stdio.h>
#include <stdlib.h>

#define GAP_LEAST_NS 100000000ULL
#define STEP_NS 1000000000LL /* clocks that differ by less are of the same boot */

/* From the end of the last reading to the end of this one, by the time since boot, which nobody sets. By the clock if
 * another run of lagtop made this one, and the machine was started again in between. */
static uint64_t elapsed_ns(const struct gap *last, const struct sample *s)
{
	int64_t by_clock = (int64_t)(s->realtime_ns - last->realtime_ns);
	int64_t by_uptime = (int64_t)(s->uptime_ns - last->uptime_ns);
	bool same_run = s->number > last->number, same_boot = llabs(by_clock - by_uptime) < STEP_NS;

	if (by_uptime > 0 && (same_run || same_boot))
		return (uint64_t)by_uptime;
	return by_clock > 0 ? (uint64_t)by_clock : 0;
}

void gap_add(struct gap *last, struct sample *s, const char *wrong)
{
	uint64_t ns = last->begun ? elapsed_ns(last, s) : 0;

	ns = ns > s->interval_ns ? ns - s->interval_ns : 0;
	s->gap_ns = *wrong || (ns > GAP_LEAST_NS && ns > s->interval_ns / 2) ? ns : 0;
	if (*wrong || s->gap_ns)
		snprintf(s->gap_why, sizeof(s->gap_why), "%s", *wrong ? wrong : "nothing was recorded");
	*last = (struct gap){ true, s->number, s->uptime_ns, s->realtime_ns };
}
