/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records that nobody needs any more leave the BPF programs' free list, a chunk at a time, so that its memory can be
 * freed. All other free records are on that list: many threads may be born at once.
 */
#ifndef RECORDS_H
#define RECORDS_H

#include <stdint.h>

struct ledger_memory;

#define RECORDS_MOST 4 /* chunks at a time: each is unmapped with a wait for the kernel's readers */

/* Withdraws up to `most` chunks whose records are all free: chunk[i] is then the caller's to remove. Never chunk 0, and
 * never all that are free. Returns how many. */
uint32_t records_withdraw(struct ledger_memory *m, uint32_t most, uint32_t chunk[RECORDS_MOST]);

#endif
