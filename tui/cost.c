/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cost.h"

#include <math.h>

enum cost_event cost_event_of(enum lt_prog prog)
{
	static const uint8_t events[LT_PROGS] = {
		[LT_PROG_ENTER] = COST_CALL,	[LT_PROG_EXIT] = COST_CALL,	[LT_PROG_SWITCH] = COST_SWITCH,
		[LT_PROG_WAKING] = COST_SWITCH, [LT_PROG_WAKEUP] = COST_SWITCH,
	};

	return events[prog];
}

/* What remains of an event's added time, per run of a program. */
static double around_of(enum cost_event event, double added_ns, const struct cost_timed timed[LT_PROGS])
{
	int programs = 0;

	for (int i = 0; i < LT_PROGS; i++) {
		if (cost_event_of(i) != event || !timed[i].runs)
			continue;
		added_ns -= (double)timed[i].ns / (double)timed[i].runs;
		programs++;
	}
	return programs && added_ns > 0 ? added_ns / programs : 0;
}

static double added(double with_ns, double without_ns)
{
	return with_ns > without_ns ? with_ns - without_ns : 0;
}

struct cost_calibration cost_calibrate(const struct cost_measured *without, const struct cost_measured *with,
				       uint32_t calls_of_wake, const struct cost_timed timed[LT_PROGS])
{
	struct cost_calibration c = { .known = without->call_ns > 0 && without->wake_ns > 0 && with->call_ns > 0 &&
					       with->wake_ns > 0 };

	if (!c.known)
		return c;
	c.call_ns = added(with->call_ns, without->call_ns);
	c.switch_ns = added(with->wake_ns, without->wake_ns + calls_of_wake * c.call_ns);
	c.call_noise_ns = hypot(with->call_noise_ns, without->call_noise_ns);
	c.switch_noise_ns = hypot(hypot(with->wake_noise_ns, without->wake_noise_ns), calls_of_wake * c.call_noise_ns);
	c.around_ns[COST_CALL] = around_of(COST_CALL, c.call_ns, timed);
	c.around_ns[COST_SWITCH] = around_of(COST_SWITCH, c.switch_ns, timed);
	c.around_ns[COST_OTHER] = c.around_ns[COST_SWITCH] > 0 ? c.around_ns[COST_SWITCH] : c.around_ns[COST_CALL];
	return c;
}

/* From timed runs to all: one run in LT_SELF_MASK + 1 times itself. */
static double whole(uint64_t timed)
{
	return (double)timed * (LT_SELF_MASK + 1);
}

double cost_self(const struct cost_calibration *c, const struct cost_timed timed[LT_PROGS], struct sample_self *self)
{
	double ns[COST_EVENTS] = { 0 }, calls = whole(timed[LT_PROG_EXIT].runs),
	       switches = whole(timed[LT_PROG_SWITCH].runs), all_ns = 0, own_ns = 0, runs = 0;

	for (int i = 0; i < LT_PROGS; i++) {
		own_ns += whole(timed[i].ns);
		runs += whole(timed[i].runs);
		ns[cost_event_of(i)] += whole(timed[i].ns) + whole(timed[i].runs) * c->around_ns[cost_event_of(i)];
	}
	for (int i = 0; i < COST_EVENTS; i++)
		all_ns += ns[i];
	self->bpf_ns = (uint64_t)own_ns;
	self->bpf_runs = (uint64_t)runs;
	self->cost_ns = c->known ? self->cpu_ns + (uint64_t)all_ns : SAMPLE_UNKNOWN;
	self->per_call_ns = c->known && calls > 0 ? (uint64_t)(ns[COST_CALL] / calls) : SAMPLE_UNKNOWN;
	self->per_switch_ns = c->known && switches > 0 ? (uint64_t)(ns[COST_SWITCH] / switches) : SAMPLE_UNKNOWN;
	return ns[COST_CALL];
}

/* CPU time of the programs and what the kernel adds around them, as far as it is known. */
static double kernel_ns(const struct sample_self *self)
{
	if (self->cost_ns != SAMPLE_UNKNOWN)
		return (double)(self->cost_ns > self->cpu_ns ? self->cost_ns - self->cpu_ns : 0);
	return self->bpf_ns == SAMPLE_UNKNOWN ? 0 : (double)self->bpf_ns;
}

double cost_percent(const struct sample *s, bool *at_least)
{
	double all_ns = (double)s->interval_ns * s->cpus_online;

	*at_least = s->self.cost_ns == SAMPLE_UNKNOWN;
	return all_ns > 0 ? ((double)s->self.cpu_ns + kernel_ns(&s->self)) * 100 / all_ns : 0;
}

double cost_per_run_ns(const struct sample *s)
{
	return s->self.bpf_ns == SAMPLE_UNKNOWN || !s->self.bpf_runs ? 0
								     : kernel_ns(&s->self) / (double)s->self.bpf_runs;
}
