/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the charges of all CPUs (struct lt_focus) and subtracts those of the last reading: who kept the
 * processes in focus waiting for a CPU. Waits that are still open count up to now, against the process that runs.
 * Pure: memory in, charges out.
 */
#ifndef BLAME_H
#define BLAME_H

#include "sample.h"

struct blame_charge {
	uint32_t slot;
	uint32_t kind; /* enum sample_blame */
	uint32_t pid;  /* SAMPLE_BLAME_CPU: the process that ran */
	uint64_t start_ns;
	int64_t ns;
};

struct blame {
	struct blame_cpu *cpu; /* [n_cpus] */
	uint32_t n_cpus;
	struct blame_charge *charges; /* of this reading, by slot, the greatest first; all above 0 */
	uint32_t n, cap;
	uint32_t waiting; /* bit set of the slots that have waiting threads */
	uint64_t moved_ns[LT_FOCUS_SLOTS];
};

int blame_init(struct blame *b, uint32_t n_cpus); /* 0 or -ENOMEM */
void blame_free(struct blame *b);

/* from: [n_cpus], written meanwhile. runs: [n_cpus]: who runs there. start_of: when the process with that pid started.
 * 0 or -ENOMEM. */
int blame_read(struct blame *b, const struct lt_focus *from, const struct lt_runqueue *runs,
	       uint64_t (*start_of)(void *ctx, uint32_t pid), void *ctx, uint64_t now_ns);

#endif
