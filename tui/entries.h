/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The free entries of the pool of calls. The kernel side has as many as it may need until somebody looks again, those
 * of the first chunks before those of later ones; the rest is kept here, by chunk: so a chunk that nobody needs any
 * more comes to lie here whole, and can be given back.
 */
#ifndef ENTRIES_H
#define ENTRIES_H

#include <stdbool.h>
#include <stdint.h>

struct ledger_memory;

/* What lies here of a chunk. */
struct entries {
	uint32_t first, n; /* chained; index + 1 */
	bool was_whole;	   /* when entries_idle looked last */
};

/* A new chunk, all zero, at its place in call_chunks: its first n entries are free. 0 or -ENOMEM. */
int entries_add(struct ledger_memory *m, uint32_t chunk, uint32_t n);
/* A zeroed entry that is in no chain any more; at once to the kernel side if it has less than it may need. */
void entries_put(struct ledger_memory *m, uint32_t index);
/* Lets the kernel side have calls_wanted, if there are so many. */
void entries_feed(struct ledger_memory *m);
/* A chunk that nobody needs, nor did when it was asked last; it is out of the pool then. 0: none, for the first one
 * stays. */
uint32_t entries_idle(struct ledger_memory *m);
void entries_free(struct ledger_memory *m);

#endif
