/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page of one process: its budget, latencies, calls, threads, connections; charts are drawn by chart.c. */
#include "page_draw.h"

#include <stdio.h>
#include <string.h>

#include "cgroup.h"
#include "chart.h"
#include "format.h"
#include "names.h"

static const char *const tab_titles[PAGE_TABS] = { "Calls", "Threads", "Connections", "Peers", "Culprits", "Heatmap" };

/* How long ago its last reading was taken, which is shown below. */
static void add_ago(const struct view *v, char *buf, size_t size)
{
	const struct page *p = &v->page;
	size_t len = strlen(buf);
	char ago[24];

	if (p->last == UINT32_MAX || p->last == v->back)
		return;
	format_ns(ago, sizeof(ago), history_time(&v->history, v->back) - history_time(&v->history, p->last));
	snprintf(buf + len, size - len, ", %s ago", ago);
}

static void draw_identity(const struct view *v, struct grid *g, int y)
{
	const struct row *r = &v->page.row;
	const struct sample *s = model_sample(view_model(v));
	char name[512], buf[192], when[24], group[96];
	int x, cells, right = g->cols;

	if (v->page.gone && !r->interval_ns) {
		snprintf(buf, sizeof(buf), " %u is not in this reading", v->page.pid);
		grid_text(g, y, 0, g->cols, STYLE_WARN, buf);
		return;
	}
	format_ns(when, sizeof(when), s->uptime_ns > r->start_ns ? s->uptime_ns - r->start_ns : 0);
	format_clean(group, sizeof(group), cgroup_name(name, sizeof(name), r->cgroup), 28, g->utf8);
	if (v->page.gone || r->exited) {
		if (!r->exited)
			snprintf(buf, sizeof(buf), "gone");
		else if (r->exit_code < 0)
			snprintf(buf, sizeof(buf), "killed: %s", column_ended(r, name, sizeof(name)));
		else
			snprintf(buf, sizeof(buf), "exited, status %d", r->exit_code);
		add_ago(v, buf, sizeof(buf));
		format_clean(name, sizeof(name), buf, right - 1, g->utf8);
		right -= grid_width(name) + 1;
		grid_text(g, y, right, g->cols - right, STYLE_BAD, name);
	} else {
		snprintf(buf, sizeof(buf), "%u thread%s%s%s  up %s", r->threads, r->threads == 1 ? "" : "s",
			 *group && g->cols >= 90 ? "  " : "", g->cols >= 90 ? group : "", when);
		right -= grid_width(buf) + 1;
		grid_text(g, y, right, g->cols - right, STYLE_DIM, buf);
	}
	snprintf(buf, sizeof(buf), " %u ", r->pid);
	x = grid_text(g, y, 0, right, STYLE_STRONG, buf);
	if (r->own_user && g->cols >= 60) {
		format_clean(name, sizeof(name), names_user(r->uid), 16, g->utf8);
		x += grid_text(g, y, x, right - x, STYLE_DIM, name) + 1;
	}
	right -= 2;
	cells = right > x ? right - x : 0;
	if (*r->cmdline && strlen(r->cmdline) <= (size_t)cells)
		format_clean(name, sizeof(name), r->cmdline, cells, g->utf8);
	else
		column_format(column_find("command"), r, g->utf8, name, sizeof(name), cells);
	grid_text(g, y, x, right - x, STYLE_STRONG, name);
}

static void draw_tabs(struct view *v, struct grid *g, int y)
{
	int x = 0;

	v->page_tabs_y = y;
	for (int i = 0; i < PAGE_TABS; i++) {
		char buf[32];

		v->page_tab_x[i] = x;
		snprintf(buf, sizeof(buf), " %s ", tab_titles[i]);
		x += grid_text(g, y, x, g->cols - x, i == (int)v->page.tab ? STYLE_TAB : STYLE_NORMAL, buf);
		v->page_tab_x[i + 1] = x;
	}
	/* Calls and threads are known for the interval only. */
	if (v->page.row.totals && v->page.tab != PAGE_HEATMAP)
		grid_right(g, y, x + 1, g->cols - x - 2, STYLE_WARN,
			   g->cols - x > 24 ? "interval (totals above)" : "interval");
	else if (g->cols - x > 24)
		grid_right(g, y, x, g->cols - x - 1, STYLE_DIM, "Tab next, Esc back");
}

/* Why a tab of an exited process is empty, and how to see its last reading. */
static void draw_none(const struct view *v, struct grid *g, int y)
{
	const struct page *p = &v->page;
	char buf[80];

	if (p->last == UINT32_MAX)
		snprintf(buf, sizeof(buf), "none of its readings are kept any more");
	else
		snprintf(buf, sizeof(buf), "it had exited by then; [ goes back: %u reading%s to its last",
			 p->last - v->back, p->last - v->back == 1 ? "" : "s");
	grid_fill(g, y, 0, g->cols, ' ', STYLE_NORMAL);
	grid_text(g, y, 1, g->cols - 1, STYLE_DIM, buf);
}

/* The time that the summary covers: the interval, all since the start, or the last interval of an exited process. */
static void fill_histogram(const struct view *v, enum lt_dist dist, uint64_t count[HIST_BUCKETS])
{
	const struct page *p = &v->page;

	if (p->row.totals)
		model_histogram_total(view_model(v), p->pid, p->start_ns, dist, count);
	else if (p->last != UINT32_MAX)
		history_histogram(&v->history, p->last, p->pid, p->start_ns, dist, count);
}

struct latency {
	const char *title, *brief;
	enum lt_dist dist;
	uint8_t needs; /* 1 << enum sample_family */
};

/* The latencies that are shown side by side: that of its answers for a process that answers, and as many of the others
 * as there is room for. Returns their number. */
#define LATENCIES 3
static int latencies(const struct view *v, int cols, const struct latency *shown[LATENCIES])
{
	static const struct latency all[LATENCIES] = {
		{ "response time", "resp", LT_DIST_RESPONSE, 1 << SAMPLE_TURNS },
		{ "wake-up latency", "wake", LT_DIST_WAKEUP, 1 << SAMPLE_SCHED },
		/* Without the scheduler's family a call's sleep is not known. */
		{ "system calls", "calls", LT_DIST_SERVICE, 1 << SAMPLE_SCHED },
	};
	int most = cols >= 110 ? 3 : 2, n = 0;

	for (int i = !v->page.answers; i < LATENCIES && n < most; i++)
		shown[n++] = &all[i];
	return n;
}

/* Says so if it is not known. */
static bool latency_known(const struct view *v, struct grid *g, int y, int x, int cells, const struct latency *l)
{
	if (!(v->page.row.off & l->needs))
		return true;
	grid_text(g, y, x, cells, STYLE_DIM,
		  l->needs == 1 << SAMPLE_SCHED ? "the sched family is off: not known"
						: "the turns family is off: not known");
	return false;
}

/* Likewise if the level leaves its calls' durations out, or too few for an estimate. */
static bool durations_known(const struct view *v, struct grid *g, int y, int x, int cells, const struct latency *l)
{
	const struct row *r = &v->page.row;

	if (l->dist != LT_DIST_SERVICE || !r->levels || row_has_durations(r))
		return true;
	grid_text(g, y, x, cells, STYLE_DIM,
		  row_estimated(r) ? "system calls: too few for an estimate" : "system calls: only counted");
	return false;
}

static void draw_histograms(const struct view *v, struct grid *g, int y, int lines)
{
	const struct latency *shown[LATENCIES];
	int n = latencies(v, g->cols, shown), width = (g->cols - 3 * (n - 1)) / n;

	for (int i = 0; i < n; i++) {
		uint64_t count[HIST_BUCKETS] = { 0 };
		int x = i ? i * (width + 3) : 1, cells = i == n - 1 ? g->cols - x : width;

		for (int line = 0; i && line < lines; line++)
			grid_put(g, y + line, x - 2, g->blocks ? 0x2502 : '|', STYLE_DIM);
		if (!latency_known(v, g, y, x, cells, shown[i]) || !durations_known(v, g, y, x, cells, shown[i]))
			continue;
		fill_histogram(v, shown[i]->dist, count);
		chart_summary(g, y, x, cells, cells >= 54 ? shown[i]->title : shown[i]->brief,
			      &v->page.row.dist[shown[i]->dist]);
		chart_histogram(g, y + 1, x, cells - 1, lines - 1, count);
	}
}

struct heat {
	const struct view *v;
	enum lt_dist dist;
};

static uint64_t heat_of_process(const void *of, uint32_t back, uint64_t count[HIST_BUCKETS])
{
	const struct heat *heat = of;
	const struct page *p = &heat->v->page;

	return history_histogram(&heat->v->history, back, p->pid, p->start_ns, heat->dist, count);
}

/* Columns are readings, the newest on the right. */
static void draw_heatmaps(const struct view *v, struct grid *g, int y, int lines)
{
	const struct latency *shown[LATENCIES];
	int n = latencies(v, g->cols, shown), width = (g->cols - 2 * (n - 1)) / n;

	for (int i = 0; i < n; i++) {
		int x = i ? i * (width + 2) : 1, cells = i == n - 1 ? g->cols - x : i ? width : width - 1;

		if (!latency_known(v, g, y, x, cells, shown[i]))
			continue;
		grid_text(g, y, x, cells, STYLE_HEADER, shown[i]->title);
		if (cells >= 30)
			grid_right(g, y, x + cells - 3, 3, STYLE_HEADER, "now");
		chart_heatmap(g, y + 1, x, cells, lines - 1, &v->history, v->back, heat_of_process,
			      &(struct heat){ v, shown[i]->dist });
	}
}

#define CONTEXT_MIN_ROWS 20

static void draw_context(const char *text, struct grid *g, int y)
{
	char clean[CONTEXT_TEXT * 3];

	format_clean(clean, sizeof(clean), text, g->cols - 2, g->utf8);
	grid_text(g, y, 1, g->cols - 2, STYLE_NORMAL, clean);
}

void page_draw(struct view *v, struct grid *g)
{
	struct page *p = &v->page;
	int y = 1, lines;

	draw_identity(v, g, y++);
	if (v->page.gone && !p->row.interval_ns)
		return;
	y += chart_budget(g, y, g->rows, &p->row);
	if (*p->context && g->rows >= CONTEXT_MIN_ROWS)
		draw_context(p->context, g, y++);
	if (g->rows >= 20) {
		lines = g->rows >= 32 ? 9 : 5;
		if (g->rows >= 30)
			y++;
		draw_histograms(v, g, y, lines);
		y += lines;
		if (g->rows >= 30)
			y++;
	}
	draw_tabs(v, g, y++);
	lines = g->rows - y - 1;
	if (lines < 1)
		return;
	if (p->tab == PAGE_HEATMAP)
		draw_heatmaps(v, g, y, lines);
	else
		table_draw(&p->tables[p->tab], g, y, lines, &v->wants);
	if (p->tab != PAGE_HEATMAP && lines > 1 && !p->tables[p->tab].n && p->last != v->back)
		draw_none(v, g, y + 1);
}
