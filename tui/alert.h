/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --fail-if: whether a row has matched an expression in as many consecutive readings as asked for. */
#ifndef ALERT_H
#define ALERT_H

#include "filter.h"

struct alert {
	const struct filter *expression;
	uint64_t readings;	  /* consecutive; 1 or more */
	bool once;		  /* only in the first reading in which it has done so */
	struct alert_row *counts; /* rows that match it now, and for how many readings */
};

/* Takes a reading's rows; moves those that have matched it for long enough to the front. Returns their number,
 * or -ENOMEM. */
int alert_check(struct alert *a, struct row **rows, int n);
/* Frees the counts, but not the expression. */
void alert_free(struct alert *a);

#endif
