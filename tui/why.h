/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The WHY column: the greatest part of a row's LAG, of its waits for locks that somebody held and for answers in words,
 * with its share of them all. From the row alone; the rules are one table (why.c). Not `lagtop why`, whose sentences
 * are made in verdict.c and verdict_rules.c.
 */
#ifndef WHY_H
#define WHY_H

#include "model.h"

#define WHY_SIZE 128

/* Lag below so many thousandths of the interval has no reason: every thread waits some microseconds. */
#define WHY_LEAST_PERMILLE 1

/* "waits for CPU 60%"; raw bytes. False: it does not lag, or it is not known whether it does. */
bool why_say(const struct row *r, char buf[WHY_SIZE]);

/* The same as clean text of at most `cells` columns: in fewer words if there is no room; the share is never cut off.
 * "·" for a row that does not lag, "-" for one of which that is not known. Returns the cells. */
int why_fit(const struct row *r, bool utf8, char *buf, size_t size, int cells);

#endif
