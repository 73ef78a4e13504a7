/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kept readings as one line, the oldest at the left: see timeline_draw.h. */
#include "timeline_draw.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "format.h"

#define CELLS_MIN 8

/* What a cell has: the greatest counts. */
enum sign { SIGN_NONE, SIGN_TIME, SIGN_GAP, SIGN_MARK };

static const struct {
	uint32_t utf8, ascii;
	enum style style;
} signs[] = {
	[SIGN_NONE] = { ' ', ' ', STYLE_NORMAL },
	[SIGN_TIME] = { 0x2500, '-', STYLE_DIM },
	[SIGN_GAP] = { 0x2591, ':', STYLE_WARN },
	[SIGN_MARK] = { 0x25c6, '+', STYLE_KEY },
};

bool timeline_wanted(const struct view *v)
{
	for (uint32_t back = 0; back < v->history.n; back++)
		if (history_moment(&v->history, back)->gap || history_moment(&v->history, back)->marked)
			return true;
	return false;
}

/* A mark that says why; NULL: none. */
static const struct sample_mark *reason(const struct sample *s)
{
	for (uint32_t i = 0; i < s->n_marks; i++)
		if (s->marks[i].kind != SAMPLE_MARK_HAND)
			return &s->marks[i];
	return NULL;
}

/* "after a gap of 12m: nothing was recorded", about the reading shown; "": nothing. */
static void describe(const struct view *v, const struct grid *g, char *buf, size_t size)
{
	const struct sample *s = model_sample(view_model(v));
	const struct history_moment *moment = history_moment(&v->history, v->back);
	const struct sample_mark *m = reason(s);
	char text[SAMPLE_GAP_SIZE + 64], ns[24];

	buf[0] = '\0';
	if (!moment->marked && !*s->gap_why)
		return;
	if (!moment->marked)
		snprintf(text, sizeof(text), "after a gap of %s: %s", format_ns(ns, sizeof(ns), s->gap_ns), s->gap_why);
	else if (m)
		snprintf(text, sizeof(text), "%s: %s", m->expr, m->text);
	else
		snprintf(text, sizeof(text), "marked by hand");
	format_clean(buf, size, text, g->cols / 2, g->utf8);
}

static void clock_text(char buf[16], uint64_t realtime_ns)
{
	time_t second = (time_t)(realtime_ns / 1000000000);
	struct tm tm;

	if (!localtime_r(&second, &tm) || !strftime(buf, 16, "%H:%M:%S", &tm))
		buf[0] = '\0';
}

static void put_sign(struct grid *g, int y, int x, enum sign sign, bool shown)
{
	grid_put(g, y, x, g->utf8 ? signs[sign].utf8 : signs[sign].ascii, shown ? STYLE_TAB : signs[sign].style);
}

/* Each reading takes its share of the cells, and so does the gap before it, but both are seen. */
static void draw_cells(const struct view *v, struct grid *g, int y, int x, int cells)
{
	const struct history *h = &v->history;
	double all_ns = 0, ns = 0;
	enum sign sign[1000] = { SIGN_NONE };
	int at = 0, from, shown = 0;

	if (cells > (int)(sizeof(sign) / sizeof(sign[0])))
		cells = (int)(sizeof(sign) / sizeof(sign[0]));
	for (uint32_t back = 0; back < h->n; back++) {
		const struct history_moment *m = history_moment(h, back);

		all_ns += (double)m->interval_ns + (back + 1 < h->n ? (double)m->gap_ns : 0);
	}
	for (uint32_t back = h->n; back-- && all_ns > 0;) {
		const struct history_moment *m = history_moment(h, back);

		from = at;
		ns += back + 1 < h->n ? (double)m->gap_ns : 0;
		at = (int)(ns / all_ns * cells);
		for (int i = from; m->gap && i <= at && i < cells; i++)
			sign[i] = SIGN_GAP;
		ns += (double)m->interval_ns;
		for (; at < cells && at <= (int)(ns / all_ns * cells); at++)
			sign[at] = sign[at] > SIGN_TIME ? sign[at] : SIGN_TIME;
		at = at ? at - 1 : 0;
		if (m->marked)
			sign[at] = SIGN_MARK;
		if (back == v->back)
			shown = at < cells ? at : cells - 1;
	}
	for (int i = 0; i < cells; i++)
		put_sign(g, y, x + i, sign[i], i == shown);
}

void timeline_draw(const struct view *v, struct grid *g, int y)
{
	const struct history *h = &v->history;
	char first[16], last[16], text[400];
	int x, right = g->cols - 1;

	clock_text(first, history_moment(h, h->n - 1)->realtime_ns);
	clock_text(last, history_moment(h, 0)->realtime_ns);
	describe(v, g, text, sizeof(text));
	right -= grid_width(*text ? text : last);
	grid_text(g, y, right, g->cols - right, *text ? STYLE_WARN : STYLE_DIM, *text ? text : last);
	x = 1 + grid_text(g, y, 1, right - 1, STYLE_DIM, first) + 1;
	if (right - 1 - x >= CELLS_MIN)
		draw_cells(v, g, y, x, right - 1 - x);
}
