/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measures on this machine what an event costs now: a system call, and a wakeup together with the switch to the thread
 * that was woken. It measures CPU time, so that other load does not matter, in short batches of which it takes the
 * lower quartile, so that interrupts do not matter either.
 */
#ifndef CALIBRATE_H
#define CALIBRATE_H

#include <stdbool.h>
#include <stdint.h>

enum calibrate_event { CALIBRATE_CALL, CALIBRATE_WAKE, CALIBRATE_EVENTS };

/* The calls in one wake: one wakes, and the woken thread waits again. */
#define CALIBRATE_CALLS_OF_WAKE 2
#define CALIBRATE_BATCHES 256

struct calibrate_series {
	double ns[CALIBRATE_BATCHES]; /* CPU time of one event, one number per batch */
	uint32_t n;
};

/* Keeps the calling thread on a CPU, or on the present one if that is not possible. Returns it, or -errno. */
int calibrate_pin(int cpu);
/* Adds batches to the series, as many as fit; both threads of a wake run on the calling thread's CPU, where it must
 * have been pinned. Stops early if *stop becomes true. 0 or -errno. */
int calibrate_run(enum calibrate_event event, struct calibrate_series *series, uint32_t batches, const bool *stop);
/* CPU ns of one event; *noise_ns is how uncertain it is. 0: nothing was measured. */
double calibrate_result(const struct calibrate_series *series, double *noise_ns);

#endif
