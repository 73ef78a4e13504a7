/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel's delay accounting says about a thread: the oracle of waits for memory. */
#ifndef TASKSTATS_H
#define TASKSTATS_H

#include <linux/taskstats.h>
#include <stdint.h>

struct taskstats taskstats_of(int64_t tid);

#endif
