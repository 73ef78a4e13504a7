/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last readings, kept in bounded memory, so that one can step back. */
#ifndef HISTORY_H
#define HISTORY_H

#include "sample.h"

struct history {
	struct sample **samples; /* oldest first, owned */
	uint32_t n, cap;
	uint64_t bytes, max_bytes;
	struct sample *spare; /* an emptied one, for the next reading */
};

#define HISTORY_MIN 4 /* readings kept whatever their size: the model leans on the last two */

/* An empty sample to read into, or NULL. It belongs to the caller until history_add. */
struct sample *history_take(struct history *h);
/* Hands a sample taken back unread. */
void history_drop(struct history *h, struct sample *s);
/* Adds the newest reading, forgets the oldest beyond max_bytes. 0 or -ENOMEM (then it is freed). */
int history_add(struct history *h, struct sample *s);
/* back readings ago, 0: the newest; NULL: not kept. */
struct sample *history_at(const struct history *h, uint32_t back);
void history_free(struct history *h);

#endif
