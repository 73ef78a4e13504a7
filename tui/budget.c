/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "budget.h"

#include <string.h>

#define SECOND_NS 1000000000ULL
#define READINGS_OVER 3
#define FIRST_WAIT_NS (30 * SECOND_NS)
#define LONGEST_WAIT_NS (600 * SECOND_NS)
#define TRIAL_NS (60 * SECOND_NS)   /* a level that holds for so long was no mistake */
#define WINDOW_NS (600 * SECOND_NS) /* with at most four changes */
#define ROOM 0.8		    /* of the budget: below it a trial may succeed */
#define WORTHWHILE 0.1		    /* of the budget: what a level must save if it does not fit */

static void change(struct budget *b, uint32_t level, uint64_t t_ns)
{
	b->on_trial = level < b->level;
	b->level = level;
	b->readings_over = 0;
	memmove(&b->changed_ns[1], &b->changed_ns[0], sizeof(b->changed_ns) - sizeof(b->changed_ns[0]));
	b->changed_ns[0] = t_ns;
}

/* The first lower level that fits; if none does, the last one that still saves enough; if none does, the present
 * one. */
static uint32_t level_down(const struct budget *b, const double *percent, uint32_t levels)
{
	uint32_t best = b->level;

	for (uint32_t i = b->level + 1; i < levels; i++) {
		if (percent[i] <= b->percent)
			return i;
		if (percent[b->level] - percent[i] >= WORTHWHILE * b->percent)
			best = i;
	}
	return best;
}

static bool step_down(struct budget *b, uint64_t t_ns, const double *percent, uint32_t levels)
{
	uint32_t level = level_down(b, percent, levels);

	b->is_over = level == b->level;
	if (b->is_over)
		return false;
	if (!b->on_trial || t_ns - b->changed_ns[0] >= TRIAL_NS)
		b->wait_ns = FIRST_WAIT_NS;
	else if (b->wait_ns < LONGEST_WAIT_NS / 2)
		b->wait_ns *= 2;
	else
		b->wait_ns = LONGEST_WAIT_NS;
	change(b, level, t_ns);
	return true;
}

/* The last two changes, one up and, if it fails, one down make four. */
static bool may_try(const struct budget *b, uint64_t t_ns)
{
	uint64_t third_ns = b->changed_ns[2];

	return t_ns - b->changed_ns[0] >= b->wait_ns && (!third_ns || t_ns - third_ns >= WINDOW_NS);
}

/* The first level above that fits with room to spare; or the nearest one above whose cost is not known; or the present
 * one. */
static uint32_t level_up(const struct budget *b, const double *percent)
{
	for (uint32_t i = 0; i < b->level; i++)
		if (percent[i] >= 0 && percent[i] <= ROOM * b->percent)
			return i;
	for (uint32_t i = b->level; i-- > 0 && percent[b->level] <= ROOM * b->percent;)
		if (percent[i] < 0)
			return i;
	return b->level;
}

bool budget_step(struct budget *b, uint64_t t_ns, const double *percent, uint32_t levels)
{
	uint32_t level;

	b->is_over = false;
	if (b->percent <= 0) {
		b->readings_over = 0;
		if (b->level)
			change(b, 0, t_ns);
		return b->on_trial && b->changed_ns[0] == t_ns;
	}
	if (percent[b->level] <= b->percent)
		b->readings_over = 0;
	else if (++b->readings_over >= READINGS_OVER)
		return step_down(b, t_ns, percent, levels);
	level = level_up(b, percent);
	if (level == b->level || b->readings_over || !may_try(b, t_ns))
		return false;
	change(b, level, t_ns);
	return true;
}
