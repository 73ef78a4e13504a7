/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much longer than usual a process lets its clients wait. */
#ifndef MODEL_SLOWER_H
#define MODEL_SLOWER_H

#include "model.h"

/* If the p99 of the interval's response times is more than twice the median of those of the last readings with answers
 * (past, without this reading; NULL: none): the time by which the slowest hundredth of the answers took longer than
 * that median, at least. Else, and with too few readings to tell, 0. */
uint64_t model_slower_ns(const struct model_dist *response, const struct model_sparkline *past);

#endif
