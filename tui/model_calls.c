/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System calls summed over threads: one row per call, found through a table indexed by LT_CALL. The latency of a row is
 * the whole duration, as its caller saw it. An unfinished call is counted as in flight, with its age and its part of
 * the interval.
 */
#include "model_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grow.h"
#include "idle.h"

void row_watched(struct row *r, const struct sample *s)
{
	r->off = r->levels = 0;
	for (int f = 0; f < SAMPLE_FAMILIES; f++)
		r->off |= (uint8_t)(!s->probe[f].on << f);
	if (s->probe[SAMPLE_SYSCALL].on)
		r->levels = (uint8_t)(1 << s->probe[SAMPLE_SYSCALL].level);
}

void row_watched_too(struct row *r, const struct sample *s)
{
	struct row more;

	row_watched(&more, s);
	r->off &= more.off;
	r->levels |= more.levels;
}

void row_limit_durations(struct row *r)
{
	if (!row_has_durations(r))
		r->service = (struct model_dist){ 0 };
	r->service.about = row_estimated(r);
	r->service.max_at_least |= row_estimated(r);
}

/* The slot of a call, created if there is none. NULL: out of memory. */
static struct row *call_row(struct call_table *c, const struct sample *s, uint32_t call, struct call_slot **slot)
{
	uint16_t *place = &c->slot_of[call % CALL_KEYS];
	struct row *r;

	if (!*place) {
		uint32_t old = c->cap_slots, n = c->list.n + 1;

		if (!GROW(c->list.rows, c->list.cap, n) || !GROW(c->slots, c->cap_slots, n))
			return NULL;
		if (c->cap_slots > old)
			memset(c->slots + old, 0, (c->cap_slots - old) * sizeof(*c->slots));
		r = &c->list.rows[c->list.n];
		*r = (struct row){ .kind = MODEL_CALL,
				   .call = call % CALL_KEYS,
				   .comm = "",
				   .cmdline = "",
				   .cgroup = "",
				   .killer_comm = "",
				   .unknown = s->unknown,
				   .net = &row_no_net };
		row_watched(r, s);
		*place = (uint16_t)++c->list.n;
	}
	*slot = &c->slots[*place - 1];
	r = &c->list.rows[*place - 1];
	row_watched_too(r, s);
	return r;
}

static int slot_add_errno(struct call_slot *slot, uint32_t error, uint64_t count)
{
	uint32_t i = 0;

	while (i < slot->n_errnos && slot->errnos[i].error != error)
		i++;
	if (i == slot->n_errnos) {
		if (!GROW(slot->errnos, slot->cap_errnos, i + 1))
			return -ENOMEM;
		slot->errnos[i] = (struct model_errno){ .error = error };
		slot->n_errnos++;
	}
	slot->errnos[i].count += count;
	return 0;
}

static void row_add_wait(struct row *r, uint64_t wait_ns)
{
	if (wait_ns == SAMPLE_UNKNOWN || r->call_wait_ns == SAMPLE_UNKNOWN)
		r->call_wait_ns = SAMPLE_UNKNOWN;
	else
		r->call_wait_ns += wait_ns;
}

static int add_call(struct call_table *c, const struct sample *s, const struct sample_thread *t,
		    const struct sample_call *call)
{
	struct call_slot *slot;
	struct row *r = call_row(c, s, call->call, &slot);

	if (!r)
		return -ENOMEM;
	r->calls += call->count;
	r->call_errors += call->errors;
	r->call_total_ns += call->total_ns;
	r->call_time_ns += call->time_ns;
	r->idle_ns += idle_in_call(s, t, call->call, call->wait_ns);
	row_add_wait(r, call->wait_ns);
	tally_add_dist(&slot->latency, s, &call->latency);
	for (uint32_t i = 0; i < call->n_errnos; i++) {
		const struct sample_errno *e = &s->errnos[call->first_errno + i];

		if (slot_add_errno(slot, e->error, e->count) < 0)
			return -ENOMEM;
	}
	return 0;
}

int call_table_add_thread(struct call_table *c, const struct sample *s, const struct sample_thread *t, uint32_t only)
{
	const struct sample_work *w = t->work == SAMPLE_NONE ? NULL : &s->works[t->work];
	struct call_slot *slot;
	struct row *r;

	for (uint32_t i = 0; w && i < w->n_calls; i++) {
		const struct sample_call *call = &s->calls[w->first_call + i];

		if ((only == LT_CALL_NONE || call->call == only) && add_call(c, s, t, call) < 0)
			return -ENOMEM;
	}
	if (t->call == LT_CALL_NONE || t->state == LT_DEAD || (only != LT_CALL_NONE && t->call != only))
		return 0;
	r = call_row(c, s, t->call, &slot);
	if (!r)
		return -ENOMEM;
	r->in_flight++;
	if (t->call_age_ns >= r->oldest_ns) {
		r->oldest_ns = t->call_age_ns;
		r->oldest_at_least = t->flags & SAMPLE_THREAD_AT_LEAST;
	}
	if (!w) {
		uint64_t in_call_ns = t->call_age_ns < t->wall_ns ? t->call_age_ns : t->wall_ns;

		r->call_time_ns += in_call_ns;
		r->idle_ns += idle_in_call(s, t, t->call, in_call_ns);
		row_add_wait(r, s->probe[SAMPLE_SCHED].on ? in_call_ns : SAMPLE_UNKNOWN);
	}
	return 0;
}

static int by_count(const void *a, const void *b)
{
	const struct model_errno *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return (x->error > y->error) - (x->error < y->error);
}

void call_table_finish(struct call_table *c)
{
	for (uint32_t i = 0; i < c->list.n; i++) {
		struct row *r = &c->list.rows[i];
		struct call_slot *slot = &c->slots[i];

		r->service = tally_dist(&slot->latency);
		row_limit_durations(r);
		r->idle = r->idle_ns > r->call_time_ns / 2;
		if (slot->n_errnos > 1)
			qsort(slot->errnos, slot->n_errnos, sizeof(*slot->errnos), by_count);
		r->errnos = slot->errnos;
		r->n_errnos = slot->n_errnos;
	}
}

void call_table_clear(struct call_table *c)
{
	for (uint32_t i = 0; i < c->list.n; i++) {
		c->slot_of[c->list.rows[i].call] = 0;
		tally_clear(&c->slots[i].latency);
		c->slots[i].n_errnos = 0;
	}
	c->list.n = 0;
}

void call_table_free(struct call_table *c)
{
	for (uint32_t i = 0; i < c->cap_slots; i++)
		free(c->slots[i].errnos);
	free(c->slots);
	free(c->list.rows);
}
