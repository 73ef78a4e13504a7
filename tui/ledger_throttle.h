/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much of a wait for a CPU was throttled until a reading's T. Of a wait that goes on, no more is counted as
 * throttled (or as the rest) than will be at its end, so that no time ever decreases.
 */
#ifndef LEDGER_THROTTLE_H
#define LEDGER_THROTTLE_H

#include "ledger.h"

struct ledger_wait {
	uint64_t task, queue, throttle_ns, clock_ns; /* as in struct lt_record */
	uint64_t throttled_ns;			     /* of the wait that goes on at T */
	bool throttled;				     /* it is at T */
};

/* From the record: what belongs to its word. */
void ledger_wait_read(struct ledger_wait *w, const struct lt_record *record);

/* Of a wait that goes on. Asks for its queue's throttle clock. */
void ledger_wait_split(const struct ledger_memory *m, struct ledger_wait *w, uint64_t word, uint64_t t_ns);

/* Of a wait that ended after T, throttled for so long in all. */
void ledger_wait_cut(struct ledger_wait *w, uint64_t word, uint64_t throttled_ns, uint64_t t_ns);

#endif
