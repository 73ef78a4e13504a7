/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turns the system call family off and on while lagtop runs, by a key or to keep to the budget: its hooks are detached,
 * and cost nothing. It changes right after a reading; a reading counts as on only if the hooks were attached in its
 * whole interval, so that no number is short.
 */
#include "probe_kernel.h"

#include <errno.h>
#include <math.h>

/* The drain thread reads records, too. */
static void with_calls(struct probe *p, bool on)
{
	pthread_mutex_lock(&p->lock);
	p->memory.with_calls = on;
	pthread_mutex_unlock(&p->lock);
}

/* Counts again from now on: what threads did meanwhile was not seen. */
static int calls_again(struct probe *p)
{
	int err;

	pthread_mutex_lock(&p->lock);
	p->skel->bss->lt_seed_calls = true;
	err = probe_iterate(p->seed_link);
	p->skel->bss->lt_seed_calls = false;
	pthread_mutex_unlock(&p->lock);
	if (!err)
		err = probe_attach(p, SAMPLE_SYSCALL);
	if (!err)
		p->skel->data->lt_calls_on = true;
	return err;
}

static void calls_off(struct probe *p, const char *reason)
{
	struct family *f = &p->family[SAMPLE_SYSCALL];

	p->skel->data->lt_calls_on = false;
	probe_detach(p, SAMPLE_SYSCALL);
	with_calls(p, false);
	p->calls = CALLS_DETACHED;
	f->on = false;
	snprintf(f->reason, sizeof(f->reason), "%s", reason);
}

static void calls_on(struct probe *p)
{
	struct family *f = &p->family[SAMPLE_SYSCALL];
	int err = calls_again(p);

	if (err) {
		p->calls = CALLS_NEVER;
		snprintf(f->reason, sizeof(f->reason), "the kernel refuses to attach to system calls again: %s",
			 strerror(-err));
		return;
	}
	/* The next reading is the one that later ones are compared with. */
	with_calls(p, true);
	p->calls = CALLS_BEGIN;
}

void probe_family_begin(struct probe *p)
{
	/* Where they are attached through perf, that needs a capability that has been dropped. */
	if (p->family[SAMPLE_SYSCALL].on && !strcmp(p->family[SAMPLE_SYSCALL].by, "tp_btf"))
		p->calls = CALLS_ATTACHED;
}

void probe_family_want(struct probe *p, bool calls, const char *reason)
{
	struct family *f = &p->family[SAMPLE_SYSCALL];

	if (p->calls == CALLS_BEGIN) {
		p->calls = CALLS_ATTACHED;
		f->on = true;
		f->reason[0] = '\0';
	}
	if (calls && p->calls == CALLS_DETACHED)
		calls_on(p);
	else if (!calls && p->calls == CALLS_ATTACHED)
		calls_off(p, reason);
}

/* What watching costs the worst-hit of the processes that use more than half a CPU, with and without its calls being
 * watched. */
static void worst_process(const struct sample *s, double percent[2])
{
	double call_ns = s->self.per_call_ns == SAMPLE_UNKNOWN ? 0 : (double)s->self.per_call_ns;
	double switch_ns = s->self.per_switch_ns == SAMPLE_UNKNOWN ? 0 : (double)s->self.per_switch_ns;

	for (uint32_t i = 0; i < s->n_processes; i++) {
		const struct sample_process *process = &s->processes[i];
		double run_ns = 0, calls = 0, switches = 0, switches_percent, calls_percent;

		for (uint32_t j = 0; j < process->n_threads; j++) {
			uint32_t index = s->threads[process->first_thread + j].work;
			const struct sample_work *w = index == SAMPLE_NONE ? NULL : &s->works[index];

			if (!w)
				continue;
			run_ns += (double)w->time_ns[LT_RUN];
			calls += (double)w->counter[COUNTER_calls];
			switches += (double)w->counter[COUNTER_voluntary] + (double)w->counter[COUNTER_involuntary];
		}
		if (run_ns * 2 <= (double)s->interval_ns)
			continue;
		switches_percent = switches * switch_ns * 100 / run_ns;
		calls_percent = calls * call_ns * 100 / run_ns;
		percent[0] = fmax(percent[0], switches_percent + calls_percent);
		percent[1] = fmax(percent[1], switches_percent);
	}
}

void probe_family_budget(struct probe *p, struct sample *s)
{
	double all_ns = (double)s->interval_ns * s->cpus_online, percent[2], worst[2] = { 0 };
	bool at_least;

	/* While it is calibrated, that is most of the cost. */
	if (p->cost.slices || p->cost.runs || !all_ns)
		return;
	percent[0] = cost_percent(s, &at_least);
	percent[1] = fmax(0, percent[0] - p->calls_ns * 100 / all_ns);
	worst_process(s, worst);
	percent[0] = fmax(percent[0], worst[0]);
	percent[1] = fmax(percent[1], worst[1]);
	if (budget_step(&p->budget, s->t_ns, percent, p->calls == CALLS_NEVER ? 1 : 2) && p->budget.level)
		snprintf(p->over, sizeof(p->over), "over the budget of %.3g %%: it cost %.3g %% (key b, --budget)",
			 p->budget.percent, percent[0]);
	s->self.over_budget = p->budget.is_over;
}
