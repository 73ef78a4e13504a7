/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared texts, each in memory once, with a reference count. */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	uint32_t holders, n;
	char bytes[]; /* n, and a NUL */
};

/* Whether t has exactly these bytes; NULL has none. */
bool text_is(const struct text *t, const char *bytes, size_t n);
/* Takes a reference. NULL is legal. */
struct text *text_hold(struct text *t);
/* A reference to `like` if it has these bytes; else a new text. NULL: out of memory. */
struct text *text_new(struct text *like, const char *bytes, size_t n);
/* Drops a reference: the last one frees the text. NULL is legal. */
void text_drop(struct text *t);

#endif
