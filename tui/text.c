/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared texts: see text.h. */
#include "text.h"

#include <stdlib.h>
#include <string.h>

bool text_is(const struct text *t, const char *bytes, size_t n)
{
	return t ? t->n == n && !memcmp(t->bytes, bytes, n) : !n;
}

struct text *text_hold(struct text *t)
{
	if (t)
		t->holders++;
	return t;
}

struct text *text_new(struct text *like, const char *bytes, size_t n)
{
	struct text *t;

	if (like && text_is(like, bytes, n))
		return text_hold(like);
	if (n >= UINT32_MAX)
		return NULL;
	t = malloc(sizeof(*t) + n + 1);
	if (!t)
		return NULL;
	*t = (struct text){ .holders = 1, .n = (uint32_t)n };
	memcpy(t->bytes, bytes, n);
	t->bytes[n] = '\0';
	return t;
}

void text_drop(struct text *t)
{
	if (t && !--t->holders)
		free(t);
}
