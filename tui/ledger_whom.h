/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who kept a thread in focus asleep: what was charged at the last reading. Used by ledger_thread.c only. */
#ifndef LEDGER_WHOM_H
#define LEDGER_WHOM_H

#include "ledger_thread.h"

struct kept_because;

/* Appends to out->because what was charged since the last reading, the wait for a lock that goes on at end_ns included:
 * for each state no more than the thread spent in it. *kept: NULL at first. 0 or -ENOMEM. */
int ledger_whom_subtract(const struct ledger_memory *m, const struct lt_record *r, struct kept_because **kept,
			 uint64_t word, uint64_t end_ns, struct sample_work *work, struct sample *out);

#endif
