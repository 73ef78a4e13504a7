/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How closely to watch, so that it costs no more than a budget: the controller, without a clock and without a probe.
 * Levels count from 0, exact, to the cheapest. It goes down when three readings in a row are over the budget, to the
 * first level that fits; it goes up to the first one that fits with room to spare, or as a trial to one whose cost is
 * not known. After each failed trial it waits twice as long, and it never goes up if that could lead to a fifth change
 * within ten minutes.
 */
#ifndef BUDGET_H
#define BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#define BUDGET_DEFAULT 5 /* percent */
#define BUDGET_MIN 0.1
#define BUDGET_NEVER 1e9 /* percent: a level that is not available */
#define BUDGET_MAX 100

struct budget {
	double percent; /* 0: no limit */
	uint32_t level;
	bool is_over; /* and no level helps */

	uint32_t readings_over;
	uint64_t changed_ns[3]; /* the last ones, the newest first; 0: none */
	uint64_t wait_ns;	/* before the next trial */
	bool on_trial;		/* the last change was one up */
};

/* After each reading. percent: the cost at each level, measured for the present one, predicted for others; negative:
 * not known, but never for lower ones. Returns whether b->level has changed. */
bool budget_step(struct budget *b, uint64_t t_ns, const double *percent, uint32_t levels);

#endif
