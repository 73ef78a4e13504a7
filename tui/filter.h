/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter language: which rows are shown.
 *
 *   cpu>5 and user=root       columns by name, = != < <= > >= with their shown values
 *   wake99>=5ms, tx>1.5M, lag>10%, calls>20k      times need a unit (ns us ms s m h d)
 *   command~"^nginx: w"       ~ and !~: POSIX extended regular expression, in texts
 *   not (postgres or redis)   a single word: somewhere in the command line, a call, an address
 *
 * `and` binds tighter than `or` and may be left out. Words and expressions without a capital letter ignore case. An
 * unknown value (-) matches no comparison.
 */
#ifndef FILTER_H
#define FILTER_H

#include "column.h"

struct filter;

/* NULL: invalid; *at is the offset of the error, and why says what was expected. Only spaces: every row matches. */
struct filter *filter_parse(const char *text, size_t *at, char *why, size_t why_size);
void filter_free(struct filter *f); /* NULL is legal */

bool filter_holds(const struct filter *f, const struct row *r);

/* The kinds of row (bit set, as in struct column) in which all its columns mean something. */
unsigned int filter_kinds(const struct filter *f);

#endif
