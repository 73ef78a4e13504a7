/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which processes are in focus: those that are asked for, then those that lag most. Each has a slot. A process that
 * lags comes in at once and leaves after FOCUS_QUIET readings without lag; when all slots are taken, the one that lags
 * least gives way. A slot is not reused while threads of the one that had it are still counted as waiting. Pure.
 */
#ifndef FOCUS_H
#define FOCUS_H

#include <stdbool.h>
#include <stdint.h>

#include "lagtop.h"

#define FOCUS_QUIET 10
#define FOCUS_LEAST_PERMILLE 1 /* of the interval: less is no lag */

struct focus_process {
	uint32_t pid;
	uint64_t start_ns;
	uint64_t lag_ns; /* in the interval */
	bool asked;	 /* by the user: cursor, page, tags, options */
};

struct focus_place {
	enum { FOCUS_FREE, FOCUS_TAKEN, FOCUS_DRAINS } state;
	struct focus_process process;
	uint64_t since_ns;
	uint32_t quiet; /* readings in a row in which it did not lag and was not asked for */
};

struct focus {
	struct focus_place place[LT_FOCUS_SLOTS];
};

/* After a reading, taken at now_ns, of n processes by pid and start. waiting: the slots with waiting threads.
 * Overwrites `processes`. */
void focus_choose(struct focus *f, struct focus_process *processes, uint32_t n, uint64_t interval_ns, uint64_t now_ns,
		  uint32_t waiting);

/* The slot of a process; -1: it has none. */
int focus_slot(const struct focus *f, uint32_t pid, uint64_t start_ns);

#endif
