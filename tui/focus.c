/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "focus.h"

#include <stdlib.h>

static bool same(const struct focus_process *a, const struct focus_process *b)
{
	return a->pid == b->pid && a->start_ns == b->start_ns;
}

int focus_slot(const struct focus *f, uint32_t pid, uint64_t start_ns)
{
	const struct focus_process p = { .pid = pid, .start_ns = start_ns };

	for (int i = 0; i < LT_FOCUS_SLOTS; i++)
		if (f->place[i].state == FOCUS_TAKEN && same(&f->place[i].process, &p))
			return i;
	return -1;
}

/* Less than zero: a has more right to a slot than b. */
static int by_right(const void *x, const void *y)
{
	const struct focus_process *a = x, *b = y;

	if (a->asked != b->asked)
		return a->asked ? -1 : 1;
	if (a->lag_ns != b->lag_ns)
		return a->lag_ns > b->lag_ns ? -1 : 1;
	return a->pid != b->pid ? (a->pid > b->pid) - (a->pid < b->pid)
				: (a->start_ns > b->start_ns) - (a->start_ns < b->start_ns);
}

/* By pid and start. */
static int by_identity(const void *x, const void *y)
{
	const struct focus_process *a = x, *b = y;

	return a->pid != b->pid ? (a->pid > b->pid) - (a->pid < b->pid)
				: (a->start_ns > b->start_ns) - (a->start_ns < b->start_ns);
}

/* Notes what the processes with a slot did; those that are gone, or have long been quiet, leave. */
static void look(struct focus *f, const struct focus_process *processes, uint32_t n, uint64_t least_ns,
		 uint32_t waiting)
{
	for (uint32_t i = 0; i < LT_FOCUS_SLOTS; i++) {
		struct focus_place *p = &f->place[i];
		const struct focus_process *now;

		if (p->state == FOCUS_DRAINS && !(waiting >> i & 1))
			p->state = FOCUS_FREE;
		if (p->state != FOCUS_TAKEN)
			continue;
		now = n ? bsearch(&p->process, processes, n, sizeof(*processes), by_identity) : NULL;
		if (!now) {
			p->state = FOCUS_DRAINS;
			continue;
		}
		p->process = *now;
		p->quiet = now->asked || now->lag_ns >= least_ns ? 0 : p->quiet + 1;
		if (p->quiet >= FOCUS_QUIET)
			p->state = FOCUS_DRAINS;
	}
}

/* The one with the least right to its slot. NULL: none has one. */
static struct focus_place *weakest(struct focus *f)
{
	struct focus_place *least = NULL;

	for (int i = 0; i < LT_FOCUS_SLOTS; i++) {
		struct focus_place *p = &f->place[i];

		if (p->state != FOCUS_TAKEN)
			continue;
		if (!least || p->quiet > least->quiet ||
		    (p->quiet == least->quiet && by_right(&p->process, &least->process) > 0))
			least = p;
	}
	return least;
}

/* One that has a slot keeps it against one that lags hardly more. */
static bool gives_way(const struct focus_process *has, const struct focus_process *wants)
{
	if (has->asked || wants->asked)
		return wants->asked && !has->asked;
	return wants->lag_ns / 2 > has->lag_ns;
}

void focus_choose(struct focus *f, struct focus_process *processes, uint32_t n, uint64_t interval_ns, uint64_t now_ns,
		  uint32_t waiting)
{
	uint64_t least_ns = interval_ns / 1000 * FOCUS_LEAST_PERMILLE;
	uint32_t slot = 0, candidates = 0;

	look(f, processes, n, least_ns, waiting);
	for (uint32_t i = 0; i < n; i++)
		if (processes[i].asked || processes[i].lag_ns >= least_ns)
			processes[candidates++] = processes[i];
	if (candidates)
		qsort(processes, candidates, sizeof(*processes), by_right);
	for (uint32_t i = 0; i < candidates && i < LT_FOCUS_SLOTS; i++) {
		struct focus_place *least;

		if (focus_slot(f, processes[i].pid, processes[i].start_ns) >= 0)
			continue;
		while (slot < LT_FOCUS_SLOTS && f->place[slot].state != FOCUS_FREE)
			slot++;
		if (slot < LT_FOCUS_SLOTS) {
			f->place[slot] = (struct focus_place){ FOCUS_TAKEN, processes[i], now_ns, 0 };
			continue;
		}
		/* Its slot is free from the next reading on. */
		least = weakest(f);
		if (least && gives_way(&least->process, &processes[i]))
			least->state = FOCUS_DRAINS;
	}
}
