/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which sleeps are idle: a wait for the next request or for a point in time, with nobody waiting for the process
 * meanwhile. Not a wait for an answer, a lock, a disk or a CPU, which is in the way of something.
 */
#ifndef IDLE_H
#define IDLE_H

#include "sample.h"

/* A process's turns at the reading. */
struct idle_turns {
	bool known;
	struct sample_open answers, upstream;
};

/* Whether a sleep in a state is idle; call: the one that the thread is in, or LT_CALL_NONE. */
bool idle_state(const struct idle_turns *turns, enum lt_state state, uint32_t call);

struct idle_turns idle_turns_of(const struct sample *s, const struct sample_thread *t);

/* How much of wait_ns, asleep in a call, was idle. */
uint64_t idle_in_call(const struct sample *s, const struct sample_thread *t, uint32_t call, uint64_t wait_ns);

#endif
