/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What watching costs this machine: lagtop's own CPU time, its BPF programs as they time themselves, and what the
 * kernel adds around a program (the trampoline, the slow way through a system call), which only a comparison shows: the
 * same event with and without the programs, minus the programs' own time.
 */
#ifndef COST_H
#define COST_H

#include "lagtop.h"
#include "sample.h"

/* Programs of one event; COST_OTHER: of events that are not measured; the kernel is assumed to add as much around
 * them. */
enum cost_event { COST_OTHER, COST_CALL, COST_SWITCH, COST_EVENTS };

/* Timed runs, and their time. */
struct cost_timed {
	uint64_t runs, ns;
};

/* CPU ns of a call and of a wakeup with its switch, as measured; calls_of_wake are part of the latter. */
struct cost_measured {
	double call_ns, wake_ns;
	double call_noise_ns, wake_noise_ns;
};

struct cost_calibration {
	bool known;
	double around_ns[COST_EVENTS]; /* what the kernel adds, for each run of a program */
	double call_ns, switch_ns;     /* added to a call; to a switch and its wakeup */
	double call_noise_ns, switch_noise_ns;
};

enum cost_event cost_event_of(enum lt_prog prog);

/* timed: the programs' timed runs while their own event was measured. */
struct cost_calibration cost_calibrate(const struct cost_measured *without, const struct cost_measured *with,
				       uint32_t calls_of_wake, const struct cost_timed timed[LT_PROGS]);

/* The members of *self that are sums over programs, from the runs that were timed in the interval; cpu_ns is there
 * already. Returns what calls took of it, as far as it is known. */
double cost_self(const struct cost_calibration *c, const struct cost_timed timed[LT_PROGS], struct sample_self *self);

/* Percent of the CPU time of all CPUs. *at_least: what the kernel adds is not known, and not included. */
double cost_percent(const struct sample *s, bool *at_least);
/* CPU ns per run of a program, likewise; 0: none ran. */
double cost_per_run_ns(const struct sample *s);

#endif
