/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The checker of impossible values: what no line of `lagtop --json` may contain, whatever the machine did. A value is
 * impossible when it is negative, more than fits into the interval or the time since boot, not the sum of its parts, or
 * contradicts what earlier lines said of the process. Lines come in order. The names of the states and of the
 * distributions are taken from the objects.
 */
#ifndef IMPOSSIBLE_H
#define IMPOSSIBLE_H

#include <stdbool.h>

#include "findings.h"

/* Two exceptions that the rules allow: a call that a handler interrupts counts when it returns to the handler and fails
 * (EINTR) after it, perhaps a reading later; where the scheduler's events of a task are hidden (lost.switches), a call
 * may have another's wait, and two threads may overlap on the same CPU. */
#define IMPOSSIBLE_STATES 24
#define IMPOSSIBLE_NAMES 256

struct impossible {
	struct findings found;
	uint64_t readings, processes;	   /* checked */
	char state[IMPOSSIBLE_STATES][16]; /* the names in time_ns */
	size_t n_states;
	char name[IMPOSSIBLE_NAMES][16]; /* of processes that begin with `names_begin` (NULL: none are kept) */
	size_t n_names;
	const char *names_begin;
	struct identity *identities;	  /* the processes of the last readings */
	bool switches_lost;		  /* in the last reading */
	int64_t untold_calls, lost_calls; /* so far: in no row; in `lost` */
	int64_t exits, exited, untold;	  /* counted by the host; rows; counted in `lost` */
};

/* Checks one line, newline or not. */
void impossible_line(struct impossible *c, const char *line);
/* After the last line, on a machine that is idle again: checks that every exited process was shown. */
void impossible_end(struct impossible *c);
bool impossible_saw(const struct impossible *c, const char *name);
void impossible_free(struct impossible *c);

#endif
