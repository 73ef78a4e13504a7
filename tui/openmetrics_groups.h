/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What --openmetrics adds up over the readings: counters and histograms of groups (commands, users, control groups).
 * The first OPENMETRICS_GROUPS groups have a place each, until none of their processes has been seen for an hour; the
 * others share one. So a counter never falls while its group is there, and the number of label sets is bounded.
 */
#ifndef OPENMETRICS_GROUPS_H
#define OPENMETRICS_GROUPS_H

#include "selection.h"

#define OPENMETRICS_GROUPS 100
#define OPENMETRICS_LABEL_RAW 300				/* of a name, before it is escaped */
#define OPENMETRICS_LABEL_SIZE (2 * OPENMETRICS_LABEL_RAW + 24) /* with a number */

/* Upper ends of buckets: 2^10 ns (1 us) to 2^34 ns (17 s), ends of buckets of include/hist.h, too. */
#define OPENMETRICS_EDGE_FIRST 10
#define OPENMETRICS_EDGES (HIST_MAX_SHIFT - OPENMETRICS_EDGE_FIRST + 1)

struct openmetrics_hist {
	uint64_t count[OPENMETRICS_EDGES]; /* up to each end, those before it included */
	uint64_t all;
	double sum_ns; /* from the middles of buckets: at most 12.5 % off */
};

/* The distributions that have histograms. */
struct openmetrics_dist {
	enum lt_dist dist;
	const char *name; /* as the object in JSON */
	const char *help;
};
#define OPENMETRICS_DISTS 4
extern const struct openmetrics_dist openmetrics_dists[OPENMETRICS_DISTS];

struct openmetrics_place {
	char *key;			    /* NULL: free */
	char label[OPENMETRICS_LABEL_SIZE]; /* different from those of all others */
	uint64_t counter[LT_COUNTERS];
	struct counter_set known;
	struct openmetrics_hist hist[OPENMETRICS_DISTS];
	uint64_t seen_ns;      /* a reading's t_ns */
	const struct row *row; /* of this reading; NULL: not there, or not selected */
};

struct openmetrics_groups {
	struct openmetrics_place place[OPENMETRICS_GROUPS + 1]; /* the last: of all others */
	struct openmetrics_hist host[OPENMETRICS_DISTS];
};

/* Adds a reading. rows: the selected groups, those first that get a place first. 0 or -ENOMEM. */
int openmetrics_groups_add(struct openmetrics_groups *g, const struct selection *s, enum model_kind kind,
			   struct row **rows, size_t n, struct model *m);
void openmetrics_groups_free(struct openmetrics_groups *g);

/* A label's value: valid UTF-8, and backslash, quote and newline escaped. */
void openmetrics_label(char buf[OPENMETRICS_LABEL_SIZE], const char *raw);

#endif
