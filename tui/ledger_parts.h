/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parts of the time in a state (LT_COUNTERS_PARTS), as of a reading's T. A part is never longer than the state was, and
 * never decreases.
 */
#ifndef LEDGER_PARTS_H
#define LEDGER_PARTS_H

#include "ledger.h"

/* Of a thread with that word and that much completed time on CPUs; what its current state adds included. */
void ledger_parts_read(const struct ledger_memory *m, uint32_t slot, uint64_t word, uint64_t run_ns, uint64_t t_ns,
		       uint64_t part[LT_N_PARTS]);

/* to[] = now[] - last[], at most the growth of the states' times; last[] becomes what was reported. */
void ledger_parts_subtract(uint64_t to[LT_N_PARTS], const uint64_t now[LT_N_PARTS], uint64_t last[LT_N_PARTS],
			   const uint64_t time_ns[LT_STATES]);

#endif
