/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How closely system calls are watched (enum lt_level), changed while lagtop runs, by a key or to keep to the budget.
 * It changes right after a reading. Counts go on through each change except those from and to off: a reading counts as
 * on only if the hooks were attached in its whole interval. The reading after a change is only as exact as the worse of
 * the two levels, so that no number is false.
 */
#include "probe_kernel.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ENTER "sys_enter"
#define EXIT "sys_exit"

static void level_set(struct probe *p, enum lt_level level)
{
	__atomic_store_n(&p->skel->bss->lt_level, level, __ATOMIC_SEQ_CST);
	p->level = level;
}

/* The drain thread reads records, too. */
static void with_calls(struct probe *p, bool on)
{
	pthread_mutex_lock(&p->lock);
	p->memory.with_calls = on;
	pthread_mutex_unlock(&p->lock);
}

static int calls_seed(struct probe *p, enum lt_seed_calls how)
{
	int err;

	pthread_mutex_lock(&p->lock);
	p->skel->bss->lt_seed_calls = how;
	err = probe_iterate(p->seed_link);
	p->skel->bss->lt_seed_calls = LT_SEED_CALLS_NOT;
	pthread_mutex_unlock(&p->lock);
	return err;
}

/* Counts again from now on: what threads did meanwhile was not seen. */
static int calls_again(struct probe *p)
{
	int err = calls_seed(p, LT_SEED_CALLS_BEGIN);

	if (!err)
		err = probe_attach(p, SAMPLE_SYSCALL, EXIT);
	if (!err)
		err = calls_seed(p, LT_SEED_CALLS_CHECK);
	return err;
}

static void calls_off(struct probe *p)
{
	level_set(p, LT_LEVEL_OFF);
	probe_detach(p, SAMPLE_SYSCALL, NULL);
	with_calls(p, false);
	p->calls = CALLS_DETACHED;
	p->family[SAMPLE_SYSCALL].on = false;
}

/* sys_enter is attached before the level says so, and detached after the level no longer does. */
static int enter_switch(struct probe *p, enum lt_level level)
{
	int err = 0;

	if (level < LT_LEVEL_EXITS && p->level >= LT_LEVEL_EXITS)
		err = probe_attach(p, SAMPLE_SYSCALL, ENTER);
	if (err)
		return err;
	level_set(p, level);
	if (level == LT_LEVEL_EXITS)
		probe_detach(p, SAMPLE_SYSCALL, ENTER);
	return 0;
}

static void calls_on(struct probe *p, enum lt_level level)
{
	struct family *f = &p->family[SAMPLE_SYSCALL];
	int err = p->calls == CALLS_DETACHED ? calls_again(p) : 0;

	if (!err)
		err = enter_switch(p, level);
	if (err) {
		calls_off(p);
		p->calls = CALLS_NEVER;
		snprintf(f->reason, sizeof(f->reason), "the kernel refuses to attach to system calls again: %s",
			 strerror(-err));
		return;
	}
	/* The next reading is the one that later ones are compared with. */
	if (p->calls == CALLS_DETACHED)
		p->calls = CALLS_BEGIN;
	with_calls(p, true);
}

/* Whether the level can be changed to that one. Without the scheduler's hooks a sample cannot be told from a call that
 * slept. */
static bool can_have(const struct probe *p, enum lt_level level)
{
	if (level == p->level)
		return true;
	if (level == LT_LEVEL_SAMPLED && !p->family[SAMPLE_SCHED].on)
		return false;
	return p->calls != CALLS_NEVER || (p->level <= LT_LEVEL_SAMPLED && level <= LT_LEVEL_SAMPLED);
}

static void level_want(struct probe *p, enum lt_level level, const char *reason)
{
	struct family *f = &p->family[SAMPLE_SYSCALL];
	enum lt_level before = p->level;

	if (p->calls == CALLS_BEGIN) {
		p->calls = CALLS_ATTACHED;
		f->on = true;
	}
	p->shown = before;
	if (level != before && can_have(p, level)) {
		snprintf(f->reason, sizeof(f->reason), "%s", level ? reason : p->calls_reason);
		if (level == LT_LEVEL_OFF)
			calls_off(p);
		else
			calls_on(p, level);
		if (p->level > p->shown || before == LT_LEVEL_OFF)
			p->shown = p->level;
		probe_cost_again(p);
	}
	pthread_mutex_lock(&p->lock);
	p->memory.estimated = p->shown == LT_LEVEL_SAMPLED;
	pthread_mutex_unlock(&p->lock);
}

/* What the worst of the processes that use more than half a CPU loses, at each level. */
static void worst_process(const struct sample *s, const struct ledger_activity *activity, const double share[LT_LEVELS],
			  double percent[LT_LEVELS])
{
	double call_ns = s->self.per_call_ns == SAMPLE_UNKNOWN ? 0 : (double)s->self.per_call_ns;
	double switch_ns = s->self.per_switch_ns == SAMPLE_UNKNOWN ? 0 : (double)s->self.per_switch_ns;

	for (uint32_t i = 0; i < s->n_processes; i++) {
		const struct ledger_activity *a = &activity[i];
		double run_ns = (double)a->run_ns, switches_ns = (double)a->switches * switch_ns;

		if (run_ns * 2 <= (double)s->interval_ns)
			continue;
		for (int level = 0; level < LT_LEVELS; level++)
			percent[level] = fmax(percent[level],
					      (switches_ns + (double)a->calls * call_ns * share[level]) * 100 / run_ns);
	}
}

/* The cost at each level: BUDGET_NEVER, or negative if it is not known. */
static void foresee(const struct probe *p, const struct sample *s, double percent[LT_LEVELS])
{
	double all_ns = (double)s->interval_ns * s->cpus_online, calls_percent = p->calls_ns * 100 / all_ns;
	double share[LT_LEVELS], base_percent;
	bool at_least;

	base_percent = fmax(0, cost_percent(s, &at_least) - calls_percent);
	for (int level = 0; level < LT_LEVELS; level++) {
		share[level] = fmax(0, probe_cost_share(p, level));
		percent[level] = base_percent + calls_percent * share[level];
	}
	worst_process(s, ledger_activity(p->ledger), share, percent);
	for (int level = 0; level < LT_LEVELS; level++) {
		if (p->calls_unwanted ? level != (int)p->budget.level : !can_have(p, level))
			percent[level] = BUDGET_NEVER;
		else if (level < (int)p->level && p->level == LT_LEVEL_OFF)
			percent[level] = -1;
	}
}

static void budget_judge(struct probe *p, struct sample *s)
{
	double percent[LT_LEVELS];
	uint32_t level = p->budget.level;

	/* While it is calibrated, that is most of the cost. */
	if (p->cost.slices || p->cost.runs || !s->interval_ns)
		return;
	foresee(p, s, percent);
	if (budget_step(&p->budget, s->t_ns, percent, LT_LEVELS) && p->budget.level > level)
		snprintf(p->over, sizeof(p->over), "over the budget of %.3g %%: it cost %.3g %% (key b, --budget)",
			 p->budget.percent, percent[level]);
	s->self.over_budget = p->budget.is_over;
}

/* The last digit stays in force. */
static enum lt_level level_next(struct probe *p)
{
	int level = *p->levels - '0';

	if (p->levels[1])
		p->levels++;
	return level >= 0 && level < LT_LEVELS ? (enum lt_level)level : LT_LEVEL_EXACT;
}

void probe_family_next(struct probe *p, struct sample *s)
{
	if (!p->levels)
		budget_judge(p, s);
	if (p->levels)
		level_want(p, level_next(p), "for a test");
	else if (p->calls_unwanted)
		level_want(p, LT_LEVEL_OFF, "turned off by key F");
	else
		level_want(p, p->budget.level, p->over);
}

void probe_family_begin(struct probe *p)
{
	struct family *f = &p->family[SAMPLE_SYSCALL];

	p->level = f->on ? LT_LEVEL_EXACT : LT_LEVEL_OFF;
	p->shown = p->level;
	snprintf(p->calls_reason, sizeof(p->calls_reason), "%s", f->reason);
	if (f->on && !f->fixed)
		p->calls = CALLS_ATTACHED;
	p->levels = secure_getenv("LAGTOP_LEVELS");
	if (p->levels)
		level_want(p, level_next(p), "for a test");
}
