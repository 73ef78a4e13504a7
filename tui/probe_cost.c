/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calibrates what watching costs (cost.h), in threads of its own: without the programs while the verifier works on
 * them, with them in slices after the first readings. So the first screen does not have to wait.
 */
#include "probe_kernel.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define WITHOUT_CALLS 40 /* batches */
#define WITHOUT_WAKES 40
#define SLICES 3
#define SLICE_CALLS 50
#define SLICE_WAKES 70
#define SLICES_AGAIN 1 /* after a change of the level, so that the next one is not delayed */

/* Only the main thread takes signals. */
int probe_thread(pthread_t *thread, void *(*run)(void *), void *arg)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = -pthread_create(thread, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err;
}

static void *measure_without(void *arg)
{
	struct probe *p = arg;
	struct probe_cost *cost = &p->cost;

	cost->cpu = calibrate_pin(-1);
	if (cost->cpu >= 0) {
		calibrate_run(CALIBRATE_CALL, &cost->without[CALIBRATE_CALL], WITHOUT_CALLS, &cost->stop);
		calibrate_run(CALIBRATE_WAKE, &cost->without[CALIBRATE_WAKE], WITHOUT_WAKES, &cost->stop);
	}
	return NULL;
}

/* What the programs of that CPU have timed so far; false: not known. */
static bool timed_read(const struct probe *p, int cpu, struct cost_timed timed[LT_PROGS])
{
	int place = probe_cpus_place((uint32_t)cpu);
	struct lt_cpu *of_cpu = place >= 0 && place < p->n_cpus ? calloc((size_t)p->n_cpus, sizeof(*of_cpu)) : NULL;
	uint32_t zero = 0;
	bool good = of_cpu && !bpf_map_lookup_elem(bpf_map__fd(p->skel->maps.lt_cpus), &zero, of_cpu);

	for (int i = 0; good && i < LT_PROGS; i++)
		timed[i] = (struct cost_timed){ of_cpu[place].self[i].runs, of_cpu[place].self[i].ns };
	free(of_cpu);
	return good;
}

/* One event with the programs: of the programs' timed runs in that time, keeps those of that event. */
static void measure_event(struct probe *p, int cpu, enum calibrate_event event, uint32_t batches)
{
	enum cost_event of = event == CALIBRATE_CALL ? COST_CALL : COST_SWITCH;
	struct cost_timed before[LT_PROGS], after[LT_PROGS];
	struct probe_cost *cost = &p->cost;

	if (!timed_read(p, cpu, before) || calibrate_run(event, &cost->with[event], batches, &cost->stop) ||
	    !timed_read(p, cpu, after))
		return;
	for (int i = 0; i < LT_PROGS; i++) {
		if (cost_event_of(i) != of)
			continue;
		cost->timed[i].runs += after[i].runs - before[i].runs;
		cost->timed[i].ns += after[i].ns - before[i].ns;
	}
}

static void *measure_slice(void *arg)
{
	struct probe *p = arg;
	int cpu = calibrate_pin(p->cost.cpu);

	if (cpu >= 0) {
		measure_event(p, cpu, CALIBRATE_CALL, SLICE_CALLS);
		measure_event(p, cpu, CALIBRATE_WAKE, SLICE_WAKES);
	}
	__atomic_store_n(&p->cost.done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void join(struct probe_cost *cost)
{
	if (cost->runs)
		pthread_join(cost->thread, NULL);
	cost->runs = false;
}

void probe_cost_begin(struct probe *p)
{
	p->cost.runs = !probe_thread(&p->cost.thread, measure_without, p);
	p->cost.slices = SLICES;
}

void probe_cost_loaded(struct probe *p)
{
	join(&p->cost);
}

static struct cost_measured measured(const struct calibrate_series series[CALIBRATE_EVENTS])
{
	struct cost_measured m;

	m.call_ns = calibrate_result(&series[CALIBRATE_CALL], &m.call_noise_ns);
	m.wake_ns = calibrate_result(&series[CALIBRATE_WAKE], &m.wake_noise_ns);
	return m;
}

static void forget_slices(struct probe_cost *cost)
{
	memset(cost->with, 0, sizeof(cost->with));
	memset(cost->timed, 0, sizeof(cost->timed));
	cost->stale = false;
}

static void take_slice(struct probe *p)
{
	struct probe_cost *cost = &p->cost;
	struct cost_measured without, with;

	if (cost->stale) {
		forget_slices(cost);
		return;
	}
	without = measured(cost->without);
	with = measured(cost->with);
	cost->at[p->level] = cost_calibrate(&without, &with, CALIBRATE_CALLS_OF_WAKE, cost->timed);
}

void probe_cost_again(struct probe *p)
{
	p->cost.slices = p->level == LT_LEVEL_OFF ? 0 : SLICES_AGAIN;
	if (p->cost.runs)
		p->cost.stale = true;
	else
		forget_slices(&p->cost);
}

const struct cost_calibration *probe_cost_now(const struct probe *p)
{
	for (int level = (int)p->level; level >= 0; level--)
		if (p->cost.at[level].known)
			return &p->cost.at[level];
	for (int level = (int)p->level; level < LT_LEVELS - 1; level++)
		if (p->cost.at[level].known)
			return &p->cost.at[level];
	return &p->cost.at[LT_LEVEL_OFF];
}

/* What a call adds at a level: as it was measured here; at a level that has not been used yet, as on other machines. */
static double call_ns(const struct probe *p, enum lt_level level)
{
	static const double usual_ns[LT_LEVELS] = { 263, 169, 125, 0 };
	const struct cost_calibration *now = probe_cost_now(p), *at = &p->cost.at[level];
	ptrdiff_t known = now - p->cost.at;

	if (level == LT_LEVEL_OFF)
		return 0;
	if (at->known)
		return at->call_ns;
	return usual_ns[known] > 0 ? now->call_ns * usual_ns[level] / usual_ns[known] : 0;
}

double probe_cost_share(const struct probe *p, enum lt_level level)
{
	double now_ns = call_ns(p, p->level);

	if (level == p->level)
		return 1;
	return now_ns > 0 ? call_ns(p, level) / now_ns : level == LT_LEVEL_OFF ? 0 : -1;
}

void probe_cost_slice(struct probe *p)
{
	struct probe_cost *cost = &p->cost;

	if (cost->runs) {
		if (!__atomic_load_n(&cost->done, __ATOMIC_ACQUIRE))
			return;
		join(cost);
		take_slice(p);
	}
	/* A family that is off would be measured as one that costs nothing. */
	if (!cost->slices || p->calls == CALLS_DETACHED || p->calls == CALLS_BEGIN)
		return;
	cost->slices--;
	cost->done = false;
	cost->runs = !probe_thread(&cost->thread, measure_slice, p);
}

void probe_cost_check(struct probe *p, FILE *out)
{
	const struct cost_calibration *c;

	do {
		probe_cost_slice(p);
		join(&p->cost);
		take_slice(p);
	} while (p->cost.slices);
	c = probe_cost_now(p);
	if (c->known)
		fprintf(out, "cost          %.0f ±%.0f ns a system call, %.0f ±%.0f ns a wakeup and its switch\n",
			c->call_ns, c->call_noise_ns, c->switch_ns, c->switch_noise_ns);
}

void probe_cost_free(struct probe *p)
{
	__atomic_store_n(&p->cost.stop, true, __ATOMIC_RELEASE);
	join(&p->cost);
}
