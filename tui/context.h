/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In which circumstances a process or thread waits: the CPU it ran on last, those it may use, its nice value and
 * policy, what its control groups allow. Helper threads read them from /proc, only of those that are asked about.
 */
#ifndef CONTEXT_H
#define CONTEXT_H

#include <stdbool.h>

#include "cgroup_limits.h"

#define CONTEXT_TEXT 256
#define CONTEXT_CPUS 32

struct context {
	int32_t cpu, nice;	    /* the CPU that it runs on, or ran on last */
	uint32_t policy, priority;  /* as the kernel's SCHED_*; of real time, else 0 */
	uint32_t n_allowed;	    /* CPUs that it may use; 0: not known */
	char allowed[CONTEXT_CPUS]; /* their list, cut; "": not known */
	uint64_t rss_bytes;
	struct cgroup_limits limits;
};

/* As of this reading, or of the last one at which helpers were fast enough; NULL: not known (yet). It waits for the
 * helpers, but at most some ms per reading. Valid until the next call of context_update. Main thread only. */
const struct context *context_of(uint32_t tid, uint64_t start_ns);
/* Once per reading: asks anew about those that were asked about since the last time, forgets the others. */
void context_update(void);

/* "other", "batch", "idle", "fifo", "rr", "deadline", "ext"; NULL: no such policy. */
const char *context_policy(uint32_t policy);
/* In words. Names are raw. */
void context_text(const struct context *c, char buf[CONTEXT_TEXT]);

/* Reads it from a folder of /proc. False: there is nothing to read. */
bool context_read(struct context *c, int dir, const struct cgroup_mounts *mounts);

#endif
