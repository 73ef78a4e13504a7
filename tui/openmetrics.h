/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --openmetrics: the last reading as a file for node_exporter's textfile collector. For the host: sums since
 * the start and the interval's percentiles; for the OPENMETRICS_GROUPS commands, users or cgroups with the highest
 * LAG%: the interval's numbers. So the number of label sets is bounded, whatever names processes have.
 */
#ifndef OPENMETRICS_H
#define OPENMETRICS_H

#include "options.h"

#define OPENMETRICS_GROUPS 20

/* The host's sums, in base units. */
struct openmetrics {
	uint64_t run_ns, switches, wakeups, forks, calls, call_errors, tx_bytes, rx_bytes, retransmits;
	uint64_t self_cpu_ns, cost_ns;
	struct sample_lost lost;
};

/* Adds a reading to the sums, writes a temporary file and renames it into place. 0 or -errno. */
int openmetrics_write(struct openmetrics *om, const struct options *o, struct model *m);

#endif
