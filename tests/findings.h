/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a checker found: how often each rule was broken, with the first examples. A zeroed one is empty. */
#ifndef FINDINGS_H
#define FINDINGS_H

#include <stddef.h>
#include <stdint.h>

#define FINDINGS_RULES 64
#define FINDINGS_EXAMPLES 3

struct findings {
	struct finding {
		const char *rule;
		uint64_t times;
		char example[FINDINGS_EXAMPLES][320];
	} of[FINDINGS_RULES]; /* in the order in which they were first broken */
	size_t n;
};

/* rule: a string literal; it was broken. */
void findings_add(struct findings *f, const char *rule, const char *example, ...) __attribute__((format(printf, 3, 4)));
/* As TAP comments; whose: what was checked. */
void findings_print(const struct findings *f, const char *whose);

#endif
