/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The checker of impossible values for `lagtop --csv`, of any table: lines come in order, the header first. A
 * quoted field may hold line ends, so a row may be several lines.
 */
#ifndef IMPOSSIBLE_CSV_H
#define IMPOSSIBLE_CSV_H

#include "impossible.h"

#define CSV_COLUMNS 128

struct impossible_csv {
	struct findings found;
	uint64_t rows;		       /* checked */
	const struct impossible *json; /* knows the states' names; NULL: their sum is not checked */
	double cpus;
	double interrupted;	       /* errors of calls that the reading before counted; /s */
	char *header, *row;	       /* row may still be incomplete */
	const char *name[CSV_COLUMNS]; /* in header */
	bool is_text[CSV_COLUMNS];
	size_t columns;
	char time[32];	/* of the reading that the next row belongs to */
	double run_sum; /* Σ of its rows' CPU% */
};

void impossible_csv_line(struct impossible_csv *c, const char *line);
void impossible_csv_free(struct impossible_csv *c);

#endif
