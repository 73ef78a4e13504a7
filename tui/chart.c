/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Charts of the process page: see chart.h. The ranges of durations do not depend on the data, so that nothing moves
 * from reading to reading and processes can be compared. */
#include "chart.h"

#include <stdio.h>
#include <string.h>

#include "format.h"
#include "idle.h"
#include "names.h"
#include "severity.h"

#define LABEL_CELLS 6
#define SHARE_CELLS 8 /* "# " and " 99.9%" around the name */
#define SHARE_GAP 2
#define BAR_LABEL "where its time goes"

/* What a state looks like without colours: neighbours in the bar differ. */
static const struct {
	uint32_t block;
	char letter;
} looks[LT_STATES] = {
	[LT_RUN] = { 0x2588, '#' },	  [LT_WAKEQ] = { 0x2593, 'Q' }, [LT_PREEMPT] = { 0x2592, 'P' },
	[LT_THROTTLED] = { 0x2593, 'T' }, [LT_DISK] = { 0x2588, 'D' },	[LT_MEMORY] = { 0x2592, 'M' },
	[LT_BLOCK] = { 0x2593, 'B' },	  [LT_LOCK] = { 0x2592, 'L' },	[LT_NET] = { 0x2593, 'N' },
	[LT_POLL] = { 0xb7, '-' },	  [LT_SLEEP] = { 0xb7, '.' },	[LT_IO] = { 0x2592, 'I' },
	[LT_OTHER] = { 0xb7, 'o' },
};

static uint32_t look_of(const struct grid *g, int state)
{
	return g->blocks ? looks[state].block : (uint32_t)looks[state].letter;
}

static bool is_idle(const struct row *r, int state)
{
	const struct idle_turns turns = { !(r->off & 1 << SAMPLE_TURNS), r->open_answers, r->open_upstream };

	return idle_state(&turns, (enum lt_state)state, LT_CALL_NONE);
}

/* What it did and what was in its way, then idle time. */
static void draw_bar(struct grid *g, int y, int x, int cells, const struct row *r)
{
	uint64_t sum = 0;
	int at = 0;

	for (int i = 0; i < 2 * LT_STATES && r->wall_ns; i++) {
		int state = i % LT_STATES, end;
		bool idle = is_idle(r, state);

		if (idle != (i >= LT_STATES))
			continue;
		sum += r->time_ns[state];
		end = (int)((double)sum * cells / (double)r->wall_ns + 0.5);
		for (; at < end && at < cells; at++)
			grid_put(g, y, x + at, look_of(g, state), idle ? STYLE_DEAD : STYLE_STATE + (enum style)state);
	}
}

/* "idle 86%  12.0 thread-s/s" */
static void draw_bar_sum(struct grid *g, int y, int cells, const struct row *r)
{
	char buf[64], n[16];
	uint64_t idle_ns = 0;

	for (int state = 0; state < LT_STATES; state++)
		if (is_idle(r, state))
			idle_ns += r->time_ns[state];
	format_percent(n, sizeof(n), r->wall_ns ? (double)idle_ns * 100 / (double)r->wall_ns : 0);
	snprintf(buf, sizeof(buf), "idle %s%%  %.1f thread-s/s", n, (double)r->wall_ns / (double)r->interval_ns);
	grid_right(g, y, g->cols - cells, cells, STYLE_DIM, buf);
}

/* "▓ wakeq 1.0%": returns the cells used. */
static int draw_share(struct grid *g, int y, int x, int state, const struct row *r)
{
	char n[16], buf[32];
	bool any = r->time_ns[state] > 0;
	int used;

	format_percent(n, sizeof(n), r->wall_ns ? (double)r->time_ns[state] * 100 / (double)r->wall_ns : 0);
	snprintf(buf, sizeof(buf), " %s", names_state((uint8_t)state));
	grid_put(g, y, x, look_of(g, state), is_idle(r, state) ? STYLE_DEAD : STYLE_STATE + (enum style)state);
	used = 1 + grid_text(g, y, x + 1, g->cols - x - 1, any ? STYLE_NORMAL : STYLE_DIM, buf);
	snprintf(buf, sizeof(buf), " %s%%", any ? n : "0");
	return used + grid_text(g, y, x + used, g->cols - x - used, any ? STYLE_STRONG : STYLE_DIM, buf);
}

static int share_cells(int state)
{
	return (int)strlen(names_state((uint8_t)state)) + SHARE_CELLS;
}

/* The states that a row knows: a recording may be older than one. Returns their number. */
static int known_states(const struct row *r, int states[LT_STATES])
{
	int n = 0;

	for (int state = 0; state < LT_STATES; state++) {
		if (!counter_has(&r->unknown, (unsigned)state))
			states[n++] = state;
	}
	return n;
}

/* How many of n states fit on a line, in columns as wide as the widest, so that they take one line or two. 0: no room
 * for columns. */
static int share_columns(int room, const int *states, int n, int width[LT_STATES])
{
	for (int lines = 1; lines <= 2; lines++) {
		int columns = (n + lines - 1) / lines, used = (columns - 1) * SHARE_GAP;

		memset(width, 0, LT_STATES * sizeof(*width));
		for (int i = 0; i < n; i++)
			if (share_cells(states[i]) > width[i % columns]) {
				used += share_cells(states[i]) - width[i % columns];
				width[i % columns] = share_cells(states[i]);
			}
		if (used <= room)
			return columns;
	}
	return 0;
}

int chart_budget(struct grid *g, int y, int screen_rows, const struct row *r)
{
	int x = 1, left = g->cols >= 64 ? (int)strlen(BAR_LABEL) + 2 : 1, right = g->cols >= 64 ? 27 : 0, used = 1;
	int states[LT_STATES], n_states = known_states(r, states), width[LT_STATES], columns;

	if (r->off & 1 << SAMPLE_SCHED) {
		grid_text(g, y, 1, g->cols - 1, STYLE_DIM, "the sched family is off: where its time goes is not known");
		return 1;
	}
	if (left > 1)
		grid_text(g, y, 1, left, STYLE_NORMAL, BAR_LABEL);
	draw_bar(g, y, left, g->cols - left - right - 1, r);
	if (right && r->interval_ns)
		draw_bar_sum(g, y, right, r);
	if (screen_rows < 14)
		return used;
	columns = share_columns(g->cols - 2, states, n_states, width);
	for (int i = 0; i < n_states; i++) {
		if (columns ? i && i % columns == 0 : x + share_cells(states[i]) > g->cols) {
			used++;
			x = 1;
		}
		draw_share(g, y + used, x, states[i], r);
		x += columns ? width[i % columns] + SHARE_GAP : share_cells(states[i]) + 1;
	}
	return used + 1;
}

void chart_summary(struct grid *g, int y, int x, int cells, const char *title, const struct model_dist *d)
{
	const struct {
		const char *name;
		uint64_t ns;
		bool at_least, wide;
	} parts[] = {
		{ "p50", d->p50_ns, false, false },
		{ "p90", d->p90_ns, false, true },
		{ "p99", d->p99_ns, false, false },
		{ "max", d->max_ns, d->max_at_least, false },
	};
	int used = grid_text(g, y, x, cells, STYLE_STRONG, title);

	if (!d->count) {
		grid_text(g, y, x + used + 2, cells - used - 2, STYLE_DIM, "none in this interval");
		return;
	}
	for (int i = 0; i < 4; i++) {
		char ns[16], buf[40];

		if (parts[i].wide && cells < 62)
			continue;
		format_ns(ns, sizeof(ns), parts[i].ns);
		snprintf(buf, sizeof(buf), "%s%s",
			 d->about	      ? "~"
			 : !parts[i].at_least ? ""
			 : g->utf8	      ? "\u2265"
					      : ">",
			 ns);
		used += cells >= 62 ? 2 : 1;
		if (used + (int)strlen(parts[i].name) + 1 + grid_width(buf) > cells)
			return;
		used += grid_text(g, y, x + used, cells - used, STYLE_DIM, parts[i].name) + 1;
		used += grid_text(g, y, x + used, cells - used, severity_duration((double)parts[i].ns, STYLE_NORMAL),
				  buf);
	}
}

/* Ranges of durations, from each edge to the next; the first is 0. */
#define EDGES_MAX 24
static int make_edges(uint64_t edge[EDGES_MAX], int lines)
{
	static const int steps[3][3] = { { 1 }, { 1, 3 }, { 1, 2, 5 } };
	int per_decade = lines >= 22 ? 3 : lines >= 15 ? 2 : 1, n = 1;

	edge[0] = 0;
	if (lines < 8) { /* two decades per line */
		for (uint64_t ns = 10000; ns <= 1000000000 && n < lines; ns *= 100)
			edge[n++] = ns;
		return n;
	}
	for (uint64_t decade = 1000; decade <= 1000000000; decade *= 10)
		for (int i = 0; i < per_decade && n < lines; i++)
			edge[n++] = decade * (uint64_t)steps[per_decade - 1][i];
	return n;
}

static void edge_label(char *buf, size_t size, const uint64_t *edge, int n, int i)
{
	static const char *const units[] = { "ns", "us", "ms", "s" };
	uint64_t ns = i ? edge[i] : edge[1];
	int unit = 0;

	for (; ns >= 1000 && unit < 3; unit++)
		ns /= 1000;
	snprintf(buf, size, "%s%u%s", i ? (i == n - 1 ? ">" : "") : "<", (unsigned)ns, units[unit]);
}

/* Sorts buckets into the ranges by their middle: a bucket is narrower than any range. */
static void fill_ranges(uint64_t sum[EDGES_MAX], const uint64_t *edge, int n, const uint64_t count[HIST_BUCKETS])
{
	for (uint32_t b = 0; b < HIST_BUCKETS; b++) {
		uint64_t middle = b == HIST_BUCKETS - 1 ? hist_floor(b) : (hist_floor(b) + hist_floor(b + 1)) / 2;
		int i = n - 1;

		if (!count[b])
			continue;
		while (i && edge[i] > middle)
			i--;
		sum[i] += count[b];
	}
}

void chart_histogram(struct grid *g, int y, int x, int cells, int lines, const uint64_t count[HIST_BUCKETS])
{
	uint64_t edge[EDGES_MAX], sum[EDGES_MAX] = { 0 }, top = 0;
	int n = make_edges(edge, lines), room = cells - LABEL_CELLS - 2 - 6;

	fill_ranges(sum, edge, n, count);
	for (int i = 0; i < n; i++)
		top = sum[i] > top ? sum[i] : top;
	for (int i = 0; i < n; i++) {
		char buf[24];
		int eighths = top ? (int)((double)sum[i] * room * 8 / (double)top + 0.5) : 0;

		edge_label(buf, sizeof(buf), edge, n, i);
		grid_right(g, y + i, x, LABEL_CELLS, STYLE_DIM, buf);
		grid_put(g, y + i, x + LABEL_CELLS + 1, g->blocks ? 0x258f : '|', STYLE_DIM);
		if (!sum[i])
			continue;
		if (!eighths) /* however few, show that there are some */
			eighths = 1;
		grid_bar(g, y + i, x + LABEL_CELLS + 2, room, eighths, severity_duration((double)edge[i], STYLE_SPARK));
		format_count(buf, sizeof(buf), (double)sum[i]);
		grid_text(g, y + i, x + LABEL_CELLS + 3 + (eighths + 7) / 8, 6, STYLE_DIM, buf);
	}
}

/* What share of a reading's events fell into a range: more than 0, 1 %, 10 %, 30 %, 60 %. */
static int heat(uint64_t count, uint64_t of)
{
	static const uint64_t permille[] = { 10, 100, 300, 600 };
	int level = 0;

	while (level < 4 && count * 1000 > of * permille[level])
		level++;
	return level;
}

void chart_heatmap(struct grid *g, int y, int x, int cells, int lines, const struct history *h, uint32_t back,
		   uint64_t (*read)(const void *of, uint32_t back, uint64_t count[HIST_BUCKETS]), const void *of)
{
	static const uint32_t blocks[GRID_HEATS] = { 0x2591, 0x2592, 0x2593, 0x2588, 0x2588 };
	static const char letters[GRID_HEATS + 1] = ".:+*#";
	uint64_t edge[EDGES_MAX];
	int n = make_edges(edge, lines), left = LABEL_CELLS + 1;

	for (int i = 0; i < n; i++) {
		char buf[24];

		edge_label(buf, sizeof(buf), edge, n, i);
		grid_right(g, y + n - 1 - i, x, LABEL_CELLS, STYLE_DIM, buf);
		grid_fill(g, y + n - 1 - i, x + left, cells - left, ' ', STYLE_DIM);
	}
	for (int column = 0; column < cells - left; column++) {
		uint64_t count[HIST_BUCKETS] = { 0 }, sum[EDGES_MAX] = { 0 }, events;

		if (back + (uint32_t)column >= h->n)
			break;
		events = read(of, back + (uint32_t)column, count);
		fill_ranges(sum, edge, n, count);
		for (int i = 0; i < n; i++) {
			int level = heat(sum[i], events);

			if (sum[i])
				grid_put(g, y + n - 1 - i, x + cells - 1 - column,
					 g->blocks ? blocks[level] : (uint32_t)letters[level],
					 STYLE_HEAT + (enum style)level);
		}
	}
}
