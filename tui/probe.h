/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The live source: loads and attaches the BPF programs, reads their maps, reaps exited threads.
 * The only user of libbpf and of the skeleton.
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdio.h>

#include "source.h"

struct probe_options {
	bool off[SAMPLE_FAMILIES];	     /* families left out */
	uint32_t max_threads;		     /* at most so many records; 0: as needed */
	bool verbose;			     /* libbpf's messages to stderr */
	double budget_percent;		     /* of the CPU time of all CPUs; 0: no limit */
	bool readonly;			     /* drop CAP_KILL and CAP_SYS_NICE, too */
	enum source_connections connections; /* at the first reading */
	bool cpus;			     /* sample the CPUs' run queues, likewise */
};

/* Loads, attaches, seeds. NULL: why holds one sentence that says what is missing and what to do. */
struct source *probe_open(const struct probe_options *o, char *why, size_t why_size);

/* --check: prints what works and what does not, and why. Returns the exit status: 0 all, 3 some, 1 none. */
int probe_check(const struct probe_options *o, FILE *out);

#endif
