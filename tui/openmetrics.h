/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --openmetrics: a file for node_exporter's textfile collector. For the host and for groups of processes: sums and
 * histograms since the start, and the last interval's percentiles and shares.
 */
#ifndef OPENMETRICS_H
#define OPENMETRICS_H

#include "openmetrics_groups.h"
#include "options.h"

/* The host's sums, in base units. */
struct openmetrics {
	uint64_t run_ns, switches, wakeups, forks, calls, call_errors, tx_bytes, rx_bytes, retransmits;
	uint64_t self_cpu_ns, cost_ns;
	struct sample_lost lost;
	struct openmetrics_groups *groups; /* NULL before the first reading */
	bool written;
};

/* Adds a reading to the sums, writes a temporary file and renames it into place. 0 or -errno. */
int openmetrics_write(struct openmetrics *om, const struct options *o, struct model *m);
/* Without `keep` it removes the file: nobody takes old numbers for those of a lagtop that runs. */
void openmetrics_close(struct openmetrics *om, const struct options *o, bool keep);

#endif
