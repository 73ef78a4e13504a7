/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sleeping threads: waiting until one sleeps, and the state that lagtop shows for it. */
#ifndef ASLEEP_H
#define ASLEEP_H

#include "live.h"

void asleep_wait(int64_t tid); /* until it has left its CPU */
/* The smallest share that a state had of the process's wall time in any of the readings from the from-th on. */
double asleep_share(struct live *l, size_t from, int64_t pid, const char *state);

#endif
