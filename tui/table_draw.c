/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A table drawn: header and rows. Column widths depend on the columns and the width of the screen only, so that
 * nothing jumps from reading to reading. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "format.h"
#include "severity.h"
#include "table.h"

#define SPARK_MIN_CELLS 8
#define SPARK_FLOOR_CELLS 7  /* "12.3us " */
#define SPARK_FLOOR_LEAST 16 /* cells of a sparkline that shows its floor */
#define SPARK_MOST_CELLS (MODEL_SPARK + SPARK_FLOOR_CELLS)
#define MARK_CELLS 1	  /* dead, tagged */
#define REST_CELLS 16	  /* minimum width of the last text column */
#define CGROUP_CELLS 25	  /* "pod 01234567 0123456789ab" */
#define WHY_COLS 60	  /* a narrower screen has no room for WHY */
#define WHY_TREE_COLS 100 /* nor one with the branches of a tree */
#define WHY_MIN_CELLS 10
#define WHY_MAX_CELLS 40

/* The columns that do not scroll: they identify the row. */
static bool is_fixed(const struct column *c, int at)
{
	return (at == 0 && c->show != SHOW_SPARK) || (at < 3 && c->flags & COLUMN_FIXED);
}

/* How many of the last columns share what the others leave: a text, or COMMAND and WHY. *n is reduced if there is no
 * room for WHY. */
static int rest_columns(const struct column *const *all, int *n, int cols, bool tree)
{
	if (*n > 2 && all[*n - 1]->flags & COLUMN_WHY) {
		if (cols >= (tree ? WHY_TREE_COLS : WHY_COLS))
			return all[*n - 2]->show == SHOW_TEXT ? 2 : 1;
		--*n;
	}
	return *n > 1 && all[*n - 1]->show == SHOW_TEXT;
}

/* The cells that they get at least. */
static int rest_least(const struct table *t, int rest, int cols)
{
	int least = t->kind == MODEL_CONNECTION ? cols / 10 : cols < 70 ? cols / 4 : REST_CELLS;

	if (!rest)
		return 0;
	if (t->kind == MODEL_CGROUP && cols >= 70)
		return CGROUP_CELLS + (rest > 1 ? 1 + WHY_MIN_CELLS : 0);
	if (rest == 1)
		return least;
	least = WHY_MIN_CELLS + (cols < 100 ? least / 2 : least);
	return least < cols / 4 ? cols / 4 : least;
}

static void show(struct table *t, const struct column *c, int x, int cells)
{
	t->shown[t->n_shown].column = c;
	t->shown[t->n_shown].x = x;
	t->shown[t->n_shown++].cells = cells;
}

/* The last columns, in the cells from x on. */
static void lay_out_rest(struct table *t, const struct column *const *last, int rest, int x, int cols)
{
	int why = rest < 2 ? 0 : (cols - x - 1) / 2;

	if (rest < 1 || x >= cols)
		return;
	if (why > WHY_MAX_CELLS)
		why = WHY_MAX_CELLS;
	if (t->kind == MODEL_CGROUP && why > cols - x - CGROUP_CELLS - 1)
		why = cols - x - CGROUP_CELLS - 1;
	if (rest > 1 && why < WHY_MIN_CELLS)
		why = WHY_MIN_CELLS;
	show(t, last[0], x, cols - x - (why ? why + 1 : 0));
	if (why)
		show(t, last[1], cols - why, why);
}

static void lay_out(struct table *t, int cols, bool tree)
{
	const struct column *all[TABLE_COLUMNS];
	const struct column *spark = NULL;
	int n = table_columns(t, all), fixed = 0, x = MARK_CELLS, skipped = 0;
	int rest = rest_columns(all, &n, cols, tree), rest_cells = rest_least(t, rest, cols), last = n - rest, room;

	t->n_shown = 0;
	t->more_right = false;
	while (fixed < last && is_fixed(all[fixed], fixed))
		fixed++;
	if (t->skip > last - fixed - 1)
		t->skip = last - fixed > 0 ? last - fixed - 1 : 0;
	t->more_left = t->skip > 0;
	for (int i = 0; i < last; i++) {
		if (all[i]->show == SHOW_SPARK) {
			spark = all[i];
			continue;
		}
		if (i >= fixed && skipped < t->skip) {
			skipped++;
			continue;
		}
		if (i > 0 && x + all[i]->width + 1 + rest_cells > cols) {
			t->more_right = true;
			break;
		}
		show(t, all[i], x, all[i]->width);
		x += all[i]->width + 1;
	}
	room = cols - x - rest_cells - 1;
	if (spark && !t->more_right && room >= SPARK_MIN_CELLS) {
		int cells = room <= 20 ? room : room < 60 ? 20 + (room - 20) / 2 : 40 + (room - 60) / 2;

		show(t, spark, x + 1, cells < SPARK_MOST_CELLS ? cells : SPARK_MOST_CELLS);
		x += t->shown[t->n_shown - 1].cells + 2;
	}
	if (rest == 1 && x + 1 < cols)
		x++;
	lay_out_rest(t, &all[last], rest, x, cols);
}

enum style table_spark_style(enum model_spark kind, uint8_t level)
{
	if (kind == MODEL_SPARK_NET || !level)
		return STYLE_SPARK;
	return severity_duration((double)hist_floor(level - 1U), STYLE_SPARK);
}

static enum style value_style(const struct column *c, const struct row *r)
{
	struct value v = column_value(c, r);
	double n = v.type == VALUE_INT ? (double)v.i : v.type == VALUE_REAL ? v.real : 0;

	if (r->exited)
		return STYLE_DEAD;
	if (v.type == VALUE_TEXT)
		return r->kernel ? STYLE_DIM : STYLE_NORMAL;
	if (v.type == VALUE_NONE || n == 0 || (c->flags & COLUMN_IDLE && r->idle))
		return STYLE_DIM;
	if (c->flags & COLUMN_BAD || (c->flags & COLUMN_FAILS && r->call_errors * SEVERITY_WARN_ERRORS >= r->calls))
		return STYLE_WARN;
	if (c->flags & COLUMN_LAG)
		return severity_lag(n);
	/* A call's whole duration includes its sleep: a long one is not bad. */
	if (c->flags & COLUMN_LATENCY && r->kind != MODEL_CALL && r->kind != MODEL_CALLER)
		return severity_duration(n, STYLE_NORMAL);
	return STYLE_NORMAL;
}

static void draw_header(const struct table *t, struct grid *g, int y)
{
	bool totals = t->n && t->order[0]->totals;

	grid_fill(g, y, 0, g->cols, ' ', STYLE_HEADER);
	for (int i = 0; i < t->n_shown; i++) {
		const struct column *c = t->shown[i].column;
		char title[32];
		enum style style = c == t->sort ? STYLE_SORTED : STYLE_HEADER;
		int x = t->shown[i].x, cells = t->shown[i].cells, end = x + cells;

		snprintf(title, sizeof(title), "%s", column_title(c, t->kind));
		if (totals && (c->show == SHOW_RATE || c->show == SHOW_BYTES_RATE))
			title[strcspn(title, "/")] = '\0';
		if (c->flags & COLUMN_LEFT || c->show == SHOW_SPARK)
			end = x + grid_text(g, y, x, cells, style, title);
		else
			grid_right(g, y, x, cells, style, title);
		if (c->show == SHOW_SPARK && x + cells - end > 5)
			grid_right(g, y, end, x + cells - end, STYLE_HEADER, "now");
		/* The natural order of texts is a to z, of numbers largest first. */
		if (c == t->sort) {
			bool up = t->reverse != (c->show == SHOW_TEXT);

			grid_put(g, y, end, g->blocks ? (up ? 0x25b2 : 0x25bc) : (up ? '^' : 'v'), STYLE_SORTED);
		}
	}
	if (t->more_left)
		grid_put(g, y, 0, '<', STYLE_KEY);
	if (t->more_right)
		grid_put(g, y, g->cols - 1, '>', STYLE_KEY);
}

/* What the lowest height stands for, then the heights. */
static void draw_spark(struct grid *g, int y, int x, int cells, const struct column *c, const struct row *r)
{
	enum model_spark kind = c->spark;
	const struct model_sparkline *s = r->spark ? &r->spark[kind] : NULL;
	struct column_spark scale;
	char floor[16];
	double low;

	if (!s)
		return;
	scale = column_spark_scale(s);
	if (scale.low && cells >= SPARK_FLOOR_LEAST) {
		low = (double)hist_floor(scale.low - 1U);
		if (kind == MODEL_SPARK_NET)
			format_bytes(floor, sizeof(floor), low);
		else
			format_ns(floor, sizeof(floor), (uint64_t)low);
		grid_right(g, y, x, SPARK_FLOOR_CELLS - 1, STYLE_DIM, floor);
		x += SPARK_FLOOR_CELLS;
		cells -= SPARK_FLOOR_CELLS;
	}
	if (cells > MODEL_SPARK) { /* without the lowest value there is more room than values */
		x += cells - MODEL_SPARK;
		cells = MODEL_SPARK;
	}
	for (int i = 0; i < cells; i++) {
		uint8_t level = s->level[(s->at + (MODEL_SPARK - cells) + i) % MODEL_SPARK];

		grid_spark(g, y, x + i, column_spark_level(&scale, level),
			   r->exited ? STYLE_DEAD : table_spark_style(kind, level));
	}
}

/* The lines of a row in the tree: returns the cells used. Rows deeper than half of the width are drawn there. */
static int draw_branch(struct grid *g, int y, int x, int cells, const struct row *r)
{
	static const char *const lines[][2] = { { "\u2502 ", "| " },
						{ "\u251c\u2500", "|-" },
						{ "\u2514\u2500", "`-" } };
	uint32_t levels = r->depth, most = cells > 3 ? (uint32_t)cells / 4 : 1;

	if (levels > most)
		levels = most;
	for (uint32_t i = 0; i < levels; i++) {
		uint32_t level = r->depth - levels + i + 1;
		bool goes_on = level < 64 && r->branches >> level & 1, own = level == r->depth;

		if (goes_on || own)
			grid_text(g, y, x + (int)i * 2, 2, STYLE_DIM, lines[own ? 2 - goes_on : 0][!g->blocks]);
	}
	return (int)levels * 2;
}

static void draw_text(struct grid *g, int y, int x, int cells, enum style style, const char *text, const char *search)
{
	const char *hit = *search ? strcasestr(text, search) : NULL;

	grid_text(g, y, x, cells, style, text);
	if (hit) {
		char head[512], match[TABLE_TEXT];

		snprintf(head, sizeof(head), "%.*s", (int)(hit - text), text);
		snprintf(match, sizeof(match), "%.*s", (int)strlen(search), hit);
		int at = grid_width(head);

		if (at < cells)
			grid_text(g, y, x + at, cells - at, STYLE_MATCH, match);
	}
}

#define COMMAND_LEAST 6 /* cells for a killed process's command if it and its killer do not both fit */

/* How an exited process ended, to the right of its command, in so many cells. Returns how many are left for the
 * command. */
static int draw_ended(struct grid *g, int y, int x, int cells, const struct row *r, int command)
{
	char ended[128], buf[512];
	int left = cells - COMMAND_LEAST - 1, width;

	column_ended(r, ended, sizeof(ended));
	width = format_clean(buf, sizeof(buf), ended, INT_MAX, g->utf8);
	if (command + 1 + width > cells) {
		if (r->exit_code >= 0 || left <= 0)
			return cells;
		if (width > left) /* the killer's pid says more than its name */
			ended[strcspn(ended, "(")] = '\0';
		width = format_clean(buf, sizeof(buf), ended, left, g->utf8);
	}
	grid_text(g, y, x + cells - width, width, r->exit_code < 0 ? STYLE_BAD : STYLE_DEAD, buf);
	return cells - width - 1;
}

static void draw_row(const struct table *t, struct grid *g, int y, const struct row *r, const struct table_wants *w)
{
	char buf[2048];

	if (r->focus_since_ns)
		grid_put(g, y, 0, g->utf8 && g->blocks ? 0x2022 : 'o', STYLE_DIM);
	if (r->exited)
		grid_put(g, y, 0, g->utf8 && g->blocks ? 0x2020 : '+', STYLE_DEAD);
	if (w->n_tags && table_tagged(w, table_key(r)))
		grid_put(g, y, 0, '*', STYLE_WARN);
	for (int i = 0; i < t->n_shown; i++) {
		const struct column *c = t->shown[i].column;
		int x = t->shown[i].x, cells = t->shown[i].cells;
		bool why = i + 1 < t->n_shown && t->shown[i + 1].column->flags & COLUMN_WHY;
		bool rest = (i == t->n_shown - 1 || why) && c->show == SHOW_TEXT && !(c->flags & COLUMN_WHY);

		if (c->show == SHOW_SPARK) {
			draw_spark(g, y, x, cells, c, r);
			continue;
		}
		if (rest) {
			int indent = draw_branch(g, y, x, cells, r);

			x += indent;
			cells -= indent;
			if (r->exited && r->kind == MODEL_PROCESS &&
			    why) /* how it ended stands where others have WHY */
				cells += t->shown[++i].cells + 1;
			if (r->exited && r->kind == MODEL_PROCESS)
				cells = draw_ended(g, y, x, cells, r,
						   column_format(c, r, g->utf8, buf, sizeof(buf), INT_MAX));
		}
		column_format(c, r, g->utf8, buf, sizeof(buf), cells);
		if (c->flags & COLUMN_LEFT)
			draw_text(g, y, x, cells, value_style(c, r), buf, w->search);
		else
			grid_right(g, y, x, cells, value_style(c, r), buf);
	}
}

static void draw_fold(const struct table *t, struct grid *g, int y)
{
	char buf[64];

	snprintf(buf, sizeof(buf), "%u idle: Enter %s them", t->idle, t->folded ? "shows" : "folds");
	grid_text(g, y, MARK_CELLS, g->cols - MARK_CELLS, STYLE_DIM, buf);
}

void table_draw(struct table *t, struct grid *g, int y, int lines, const struct table_wants *w)
{
	uint32_t all = t->n + (t->idle > 0);

	t->y = y;
	t->lines = lines > 1 ? lines - 1 : 0;
	lay_out(t, g->cols, w->tree);
	draw_header(t, g, y);
	if (t->cursor < t->top)
		t->top = t->cursor;
	if (t->lines && t->cursor >= t->top + (uint32_t)t->lines)
		t->top = t->cursor - (uint32_t)t->lines + 1;
	if (t->top && t->top + (uint32_t)t->lines > all)
		t->top = all > (uint32_t)t->lines ? all - (uint32_t)t->lines : 0;
	for (int i = 0; i < t->lines; i++) {
		const struct row *r = table_row(t, t->top + (uint32_t)i);

		if (t->top + (uint32_t)i >= all)
			break;
		if (r)
			draw_row(t, g, y + 1 + i, r, w);
		else
			draw_fold(t, g, y + 1 + i);
		if (t->top + (uint32_t)i == t->cursor && !t->unfocused)
			grid_select(g, y + 1 + i, 0, g->cols);
	}
	if (t->n == 0 && t->lines > 0)
		grid_text(g, y + 1, 1, g->cols - 1, STYLE_DIM,
			  t->unknown	 ? "not collected in this reading"
			  : w->filter[0] ? "no row matches the filter"
					 : "none");
}
