/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much memory lagtop may use: the machine's, and the limits of its memory control groups, of version 1 or 2, up to
 * the root. Its BPF maps are charged to them like its own pages.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdint.h>

struct memory {
	uint64_t ram_bytes;   /* the machine's; 0: unknown */
	uint64_t limit_bytes; /* the tightest group's; UINT64_MAX: none has one below ram_bytes */
	uint64_t free_bytes; /* in the group with the least free memory; file cache counts as free; UINT64_MAX: no limit
			      */
};

/* Reads some small files below root ("": the real ones); what cannot be read is no limit. */
void memory_look(struct memory *m, const char *root);
/* A share of the machine's memory, but no more than another share of the group's limit. */
uint64_t memory_share(const struct memory *m, uint64_t of_ram, uint64_t of_limit);
/* Whether an eighth of the limit would still be free after allocating so much more: the rest of lagtop grows, too. */
int memory_has(const struct memory *m, uint64_t bytes);
/* How much memory the history may have, given what it wants and has: it is cut first, as soon as less than a quarter of
 * the limit is free. */
uint64_t memory_for_past(const struct memory *m, uint64_t wanted, uint64_t has);

#endif
