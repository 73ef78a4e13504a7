/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "why.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "format.h"

/* The parts of LAG, and what is said of the greatest one. */
static const struct rule {
	const char *words, *brief;
	uint32_t states; /* bit set of 1 << enum lt_state */
} rules[] = {
	{ "waits for CPU", "CPU", 1 << LT_WAKEQ | 1 << LT_PREEMPT },
	{ "quota", "quota", 1 << LT_THROTTLED },
	{ "disk", "disk", 1 << LT_DISK },
	{ "memory", "mem", 1 << LT_MEMORY },
	{ "blocked in kernel", "block", 1 << LT_BLOCK },
};

static uint64_t part_ns(const struct row *r, const struct rule *rule)
{
	uint64_t ns = 0;

	for (int state = 0; state < LT_STATES; state++)
		if (rule->states >> state & 1)
			ns = counter_sum(ns, r->time_ns[state]);
	return ns;
}

/* NULL: none. Of two that are equal the first. */
static const struct rule *greatest(const struct row *r, int *percent)
{
	const struct rule *best = NULL;
	uint64_t most = 0, lag_ns = 0, ns;

	if (r->off & 1 << SAMPLE_SCHED)
		return NULL;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		ns = part_ns(r, &rules[i]);
		lag_ns = counter_sum(lag_ns, ns);
		if (ns > most) {
			most = ns;
			best = &rules[i];
		}
	}
	if (lag_ns < r->interval_ns / 1000 * WHY_LEAST_PERMILLE)
		return NULL;
	*percent = best ? (int)((double)most * 100 / (double)lag_ns + 0.5) : 0;
	return best;
}

bool why_say(const struct row *r, char buf[WHY_SIZE])
{
	int percent;
	const struct rule *rule = greatest(r, &percent);

	if (rule)
		snprintf(buf, WHY_SIZE, "%s %d%%", rule->words, percent);
	return rule;
}

int why_fit(const struct row *r, bool utf8, char *buf, size_t size, int cells)
{
	const struct rule *rule;
	char share[16];
	int percent, share_cells, used;

	if (r->off & 1 << SAMPLE_SCHED)
		return format_clean(buf, size, "-", cells, utf8);
	rule = greatest(r, &percent);
	if (!rule)
		return format_clean(buf, size, utf8 ? "·" : ".", cells, utf8);
	share_cells = snprintf(share, sizeof(share), " %d%%", percent);
	used = format_clean(buf, size, rule->words, INT_MAX, utf8);
	if (used + share_cells > cells)
		used = format_clean(buf, size, rule->brief, cells - share_cells, utf8);
	if (used + share_cells > cells)
		return format_clean(buf, size, share + 1, cells, utf8);
	snprintf(buf + strlen(buf), size - strlen(buf), "%s", share);
	return used + share_cells;
}
