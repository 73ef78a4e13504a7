/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Readings of a machine with many processes, for tests and measurements of what they cost. */
#ifndef LARGE_SAMPLE_H
#define LARGE_SAMPLE_H

#include "sample.h"

/* `processes` processes of one thread each, of which `active` (different ones in every reading) ran, waited and made
 * calls. One in a hundred exits in each reading, and as many are created. */
void large_sample_fill(struct sample *s, uint32_t number, uint32_t processes, uint32_t active);

#endif
