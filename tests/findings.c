/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "findings.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct finding *finding_of(struct findings *f, const char *rule)
{
	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(f->of[i].rule, rule))
			return &f->of[i];
	assert(f->n < FINDINGS_RULES);
	f->of[f->n] = (struct finding){ .rule = rule };
	return &f->of[f->n++];
}

void findings_add(struct findings *f, const char *rule, const char *example, ...)
{
	struct finding *finding = finding_of(f, rule);
	va_list args;

	if (finding->times++ >= FINDINGS_EXAMPLES)
		return;
	va_start(args, example);
	vsnprintf(finding->example[finding->times - 1], sizeof(finding->example[0]), example, args);
	va_end(args);
}

void findings_print(const struct findings *f, const char *whose)
{
	for (size_t i = 0; i < f->n; i++) {
		printf("# %s: %s: %llu times\n", whose, f->of[i].rule, (unsigned long long)f->of[i].times);
		for (size_t e = 0; e < FINDINGS_EXAMPLES && e < f->of[i].times; e++)
			printf("#     %s\n", f->of[i].example[e]);
	}
	fflush(stdout);
}
