/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts that many have in common, each in memory once: whoever has one holds it. */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	uint32_t holders, n;
	char bytes[]; /* n, and a NUL */
};

/* Whether t says just that; NULL says nothing. */
bool text_is(const struct text *t, const char *bytes, size_t n);
/* One more holder. NULL is legal. */
struct text *text_hold(struct text *t);
/* `like`, held once more, if it says that; else a new text. NULL: out of memory. */
struct text *text_new(struct text *like, const char *bytes, size_t n);
/* One holder less: the last one frees it. NULL is legal. */
void text_drop(struct text *t);

#endif
