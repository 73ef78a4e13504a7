/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One device in one direction: what it did, its latencies, their histogram, and earlier readings. */
#include "disk_draw.h"

#include <stdio.h>

#include "cgroup.h"
#include "chart.h"
#include "column.h"
#include "format.h"
#include "names.h"

#define SUMMARY_LINES LT_DISK_PARTS
#define CHARTS_MIN_ROWS 22

/* NULL: it is not in this reading. */
static const struct row *find_row(const struct view *v)
{
	struct model_query q = { .kind = MODEL_DISK };
	const struct view_disk *d = &v->disk;
	struct row *rows;
	int n = model_rows(view_model(v), &q, &rows);

	for (int i = 0; i < n; i++)
		if (rows[i].disk->sample->major == d->major && rows[i].disk->sample->minor == d->minor &&
		    rows[i].disk->sample->op == d->op)
			return &rows[i];
	return NULL;
}

static void draw_identity(const struct view *v, struct grid *g, int y, const struct row *r)
{
	static const char *const shown[] = { "ops", "bytes", "busy", "inflight", "avg", "merged", "carriers" };
	char buf[96], number[24];
	int x;

	snprintf(buf, sizeof(buf), " %s %s", v->disk.name, names_disk_op(v->disk.op));
	x = grid_text(g, y, 0, g->cols, STYLE_STRONG, buf);
	if (!r) {
		grid_text(g, y, x + 2, g->cols - x - 2, STYLE_WARN, "is not in this reading");
		return;
	}
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		const struct column *c = column_find(shown[i]);

		column_format(c, r, g->utf8, number, sizeof(number), 12);
		snprintf(buf, sizeof(buf), "  %s %s", c->title, number);
		if (x + grid_width(buf) < g->cols)
			x += grid_text(g, y, x, g->cols - x, STYLE_NORMAL, buf);
	}
}

static void draw_summaries(struct grid *g, int y, int cells, const struct row *r)
{
	static const char *const titles[LT_DISK_PARTS] = { "request", "queue", "device" };

	for (int p = 0; p < LT_DISK_PARTS; p++)
		chart_summary(g, y + p, 1, cells - 1, titles[p], &r->disk->latency[p]);
}

static uint64_t heat_of_disk(const void *of, uint32_t back, uint64_t count[HIST_BUCKETS])
{
	const struct view *v = of;

	return history_disk_histogram(&v->history, back, v->disk.major, v->disk.minor, v->disk.op, LT_DISK_TOTAL,
				      count);
}

static void draw_charts(const struct view *v, struct grid *g, int y, int lines)
{
	uint64_t count[HIST_BUCKETS] = { 0 };
	int half = g->cols / 2;

	heat_of_disk(v, v->back, count);
	chart_histogram(g, y + SUMMARY_LINES, 1, half - 2, lines - SUMMARY_LINES, count);
	grid_text(g, y, half + 1, g->cols - half - 1, STYLE_HEADER, "requests");
	grid_right(g, y, g->cols - 4, 3, STYLE_HEADER, "now");
	chart_heatmap(g, y + 1, half + 1, g->cols - half - 2, lines - 1, &v->history, v->back, heat_of_disk, v);
}

/* Who asked for it, as far as they fit, the most bytes first. */
static void draw_groups(const struct view *v, struct grid *g, int y, const struct row *r)
{
	const struct sample *s = model_sample(view_model(v));
	const struct sample_disk *d = r->disk->sample;
	char buf[192], name[160], clean[160], bytes[16], ops[16];
	double seconds = (double)r->interval_ns / 1e9;
	int x = grid_text(g, y, 1, g->cols - 1, STYLE_HEADER, "control groups");

	if (!d->groups_known)
		grid_text(g, y, x + 3, g->cols - x - 3, STYLE_DIM,
			  d->op == LT_DISK_FLUSH ? "none: a flush concerns everything written"
						 : "not known (--check says why)");
	for (uint32_t i = 0; i < d->n_groups; i++) {
		const struct sample_disk_group *group = &s->disk_groups[d->first_group + i];

		if (group->name)
			cgroup_name(name, sizeof(name), sample_text(s, group->name));
		else
			snprintf(name, sizeof(name), "#%llu", (unsigned long long)group->id);
		format_clean(clean, sizeof(clean), name, 40, g->utf8);
		snprintf(buf, sizeof(buf), "  %s %s/s %s/s", clean,
			 format_bytes(bytes, sizeof(bytes), (double)group->bytes / seconds),
			 format_count(ops, sizeof(ops), (double)group->count / seconds));
		if (x + 1 + grid_width(buf) > g->cols)
			break;
		x += grid_text(g, y, x + 1, g->cols - x - 1, STYLE_NORMAL, buf);
	}
}

int disk_draw(const struct view *v, struct grid *g, int y)
{
	int lines = g->rows >= 40 ? 13 : g->rows >= CHARTS_MIN_ROWS ? 8 : g->rows >= 16 ? SUMMARY_LINES : 0;
	const struct row *r = find_row(v);

	draw_identity(v, g, y, r);
	if (!lines)
		return 1;
	if (r && !(r->off & 1 << SAMPLE_DISK)) {
		draw_summaries(g, y + 1, lines > SUMMARY_LINES ? g->cols / 2 : g->cols, r);
		if (lines > SUMMARY_LINES)
			draw_charts(v, g, y + 1, lines);
	} else if (r) {
		grid_text(g, y + 1, 1, g->cols - 1, STYLE_DIM, "the disk family is off: latencies are not known");
	}
	if (r)
		draw_groups(v, g, y + 1 + lines, r);
	grid_text(g, y + 2 + lines, 1, g->cols - 1, STYLE_HEADER, "who waits for disks, this one and others");
	return lines + 3;
}
