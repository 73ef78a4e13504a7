/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order of rows: by a column, or as a tree of parents and children, siblings by the column. */
#ifndef ARRANGE_H
#define ARRANGE_H

#include "column.h"

/* Sorts n pointers. Rows with equal numbers in `sort` (mostly zeros) are ordered by `then` (may be NULL); `reverse`
 * applies to `sort` only. With tree, children follow their parent and each row's depth is set (0: its parent is not
 * among the rows). 0, or -ENOMEM: sorted, but not as a tree. */
int arrange_rows(struct row **rows, size_t n, const struct column *sort, bool reverse, const struct column *then,
		 bool tree);

#endif
