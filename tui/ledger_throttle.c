/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger_throttle.h"

static uint64_t at_most(uint64_t ns, uint64_t limit_ns)
{
	return ns < limit_ns ? ns : limit_ns;
}

void ledger_wait_read(struct ledger_wait *w, const struct lt_record *record)
{
	const struct lt_sched *sched = &record->sched;

	w->task = ledger_load(&record->who.task);
	w->queue = ledger_load(&sched->wait_queue);
	w->throttle_ns = ledger_load(&sched->wait_throttle_ns);
	w->clock_ns = ledger_load(&sched->wait_clock_ns);
	w->throttled_ns = 0;
	w->throttled = false;
}

/* The clock of an idle CPU is stopped: what it would show is computed from its offset to CLOCK_MONOTONIC. */
void ledger_wait_split(const struct ledger_memory *m, struct ledger_wait *w, uint64_t word, uint64_t t_ns)
{
	struct lt_throttle_look look = { .task = w->task, .queue = w->queue };
	uint64_t clock_ns = t_ns - w->clock_ns, total_ns;

	if (!LT_FOR_CPU(LT_WORD_STATE(word)) || !w->queue || !w->clock_ns || !m->throttle ||
	    !m->throttle(m->throttle_ctx, &look))
		return;
	total_ns = look.throttle.total_ns;
	if (look.throttle.since_ns && clock_ns > look.throttle.since_ns)
		total_ns += clock_ns - look.throttle.since_ns;
	if (total_ns > w->throttle_ns)
		w->throttled_ns = at_most(total_ns - w->throttle_ns, t_ns - LT_WORD_SINCE(word));
	w->throttled = w->throttled_ns && look.throttle.since_ns;
}

void ledger_wait_cut(struct ledger_wait *w, uint64_t word, uint64_t throttled_ns, uint64_t t_ns)
{
	uint64_t wait_ns = t_ns - LT_WORD_SINCE(word);

	if (!LT_FOR_CPU(LT_WORD_STATE(word)))
		return;
	w->throttled_ns = at_most(throttled_ns, wait_ns);
	w->throttled = wait_ns && w->throttled_ns == wait_ns;
}
