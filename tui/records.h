/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes records that are no longer needed off the BPF programs' free list, a chunk at a time, so that its memory can be
 * freed. All other free records stay on that list: many threads may be created at once.
 */
#ifndef RECORDS_H
#define RECORDS_H

#include <stdint.h>

struct ledger_memory;

#define RECORDS_MOST 4 /* chunks at a time: removing each waits for an RCU grace period */

/* Withdraws up to `most` chunks whose records are all free: chunk[i] is then the caller's to remove. Never chunk 0, and
 * never all that are free. Returns how many. */
uint32_t records_withdraw(struct ledger_memory *m, uint32_t most, uint32_t chunk[RECORDS_MOST]);

#endif
