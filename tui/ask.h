/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whom the user wants in focus: --pid, --focus, and what is looked at on the screen. Those added first go first. */
#ifndef ASK_H
#define ASK_H

#include "options.h"
#include "source.h"

struct ask {
	struct source_process process[LT_FOCUS_SLOTS];
	uint32_t n;
};

/* The process of a row; ignored if it has none, or has ended, or there are enough. */
void ask_process(struct ask *a, const struct row *r);

/* The processes of the command line's options, as of the last reading. 0 or -ENOMEM. */
int ask_options(struct ask *a, const struct options *o, struct model *m);

/* Adds those of b, as far as there is room. */
void ask_more(struct ask *a, const struct ask *b);

/* Tells a live source. */
void ask_source(const struct ask *a, struct source *src);

#endif
