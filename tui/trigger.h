/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --when and --exec: rows that begin to match an expression are marked in their reading, and a command gets the first
 * of them. It runs beside lagtop, with lagtop's user and what is left of its privileges, one at a time, and not again
 * within ten seconds; nothing waits for it.
 */
#ifndef TRIGGER_H
#define TRIGGER_H

#include <sys/types.h>

#include "alert.h"
#include "options.h"

#define TRIGGER_MARKS 8 /* of a reading, at most */

struct trigger {
	struct alert alert;
	pid_t child;	 /* 0: none */
	uint64_t ran_ns; /* when it was started; 0: never */
};

void trigger_init(struct trigger *t, const struct options *o);
/* Adds marks to the reading that the model has seen last. now_ns: any clock. Returns their number, or -errno. */
int trigger_check(struct trigger *t, const struct options *o, struct model *m, struct sample *s, uint64_t now_ns);
void trigger_free(struct trigger *t);

#endif
