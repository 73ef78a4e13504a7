/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Charts of the process page: the time in each state (the budget), histograms, the heatmap. Durations are ns. */
#ifndef CHART_H
#define CHART_H

#include "grid.h"
#include "history.h"
#include "model.h"

/* The budget as a stacked bar with numbers below; fewer lines on a low screen. Returns the lines used. */
int chart_budget(struct grid *g, int y, int screen_rows, const struct row *r);

/* "run queue  p50 4us  p99 3.10ms  max 12ms" */
void chart_summary(struct grid *g, int y, int x, int cells, const char *title, const struct model_dist *d);
/* A bar per range of durations, on `lines` lines. */
void chart_histogram(struct grid *g, int y, int x, int cells, int lines, const uint64_t count[HIST_BUCKETS]);

/* Durations over the readings kept, the newest (`back` ago) at the right. read adds what `of` had in a reading to dense
 * counts, and returns the number of events. */
void chart_heatmap(struct grid *g, int y, int x, int cells, int lines, const struct history *h, uint32_t back,
		   uint64_t (*read)(const void *of, uint32_t back, uint64_t count[HIST_BUCKETS]), const void *of);

#endif
