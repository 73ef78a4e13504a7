/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The free entries of the pool of calls. The BPF programs have as many as they may need until the next check, from the
 * lowest chunks first; the rest is kept here, by chunk: eventually all entries of a chunk that is no longer needed are
 * here, and it can be freed.
 */
#ifndef ENTRIES_H
#define ENTRIES_H

#include <stdbool.h>
#include <stdint.h>

struct ledger_memory;

/* A chunk's entries that are kept here. */
struct entries {
	uint32_t first, n; /* chained; index + 1 */
	bool was_whole;	   /* at the last entries_idle */
};

/* A new chunk, all zero, at its place in call_chunks: its first n entries are free. 0 or -ENOMEM. */
int entries_add(struct ledger_memory *m, uint32_t chunk, uint32_t n);
/* Takes a zeroed entry that is no longer in a chain; it goes to the BPF programs at once if they have too few. */
void entries_put(struct ledger_memory *m, uint32_t index);
/* Fills the BPF programs' free list up to calls_wanted, if there are so many. */
void entries_feed(struct ledger_memory *m);
/* A chunk that is not needed, neither now nor at the last call; it is removed from the pool. 0: none (chunk 0 is never
 * removed). */
uint32_t entries_idle(struct ledger_memory *m);
void entries_free(struct ledger_memory *m);

#endif
