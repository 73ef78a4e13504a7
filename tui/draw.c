/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The frame around the table: title, meters, tabs, key line. What does not fit is left out by rank, never truncated. */
#include "draw.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cost.h"
#include "disk_draw.h"
#include "format.h"
#include "keys.h"
#include "menu_draw.h"
#include "names.h"
#include "page_draw.h"
#include "severity.h"
#include "timeline_draw.h"
#include "trail.h"

#define METERS_MIN_ROWS 16 /* below: one line of meters */
#define PRESSURE_MIN_ROWS 30
#define FORKS_MIN_ROWS 40
#define PRESSURE_WARN 10 /* % of the time in which some threads were stalled */
#define METER_LEVELS 7	 /* of 8: meters are on adjacent lines */
#define METER_LABEL 10
#define SEGMENTS 16
#define TIMELINE_MIN_LINES 3
#define LAST_KEY_CELLS 6 /* " qQuit" */

/* A line of pieces, aligned left or right. If they do not fit, pieces use their brief form, then pieces are left out,
 * the highest rank first. */
struct segment {
	char text[96], brief[32]; /* brief: "" if it has none */
	enum style style;
	int rank;
	bool right, gone;
};

struct line {
	struct segment segment[SEGMENTS];
	int n;
};

static void line_add_brief(struct line *l, bool right, int rank, enum style style, const char *text, const char *brief)
{
	struct segment *s = &l->segment[l->n];

	if (l->n == SEGMENTS || !*text)
		return;
	*s = (struct segment){ .style = style, .rank = rank, .right = right };
	snprintf(s->text, sizeof(s->text), "%s", text);
	snprintf(s->brief, sizeof(s->brief), "%s", brief);
	l->n++;
}

static void line_add(struct line *l, bool right, int rank, enum style style, const char *text)
{
	line_add_brief(l, right, rank, style, text, "");
}

static int line_width(const struct line *l, int gap)
{
	int need = 0;

	for (int i = 0; i < l->n; i++)
		if (!l->segment[i].gone)
			need += grid_width(l->segment[i].text) + (need ? gap : 0);
	return need;
}

static bool is_worse(const struct line *l, int a, int b)
{
	return l->segment[a].rank >= l->segment[b].rank;
}

/* Draws a line into the cells [left, right), with `gap` cells between pieces. */
static void line_draw(struct line *l, struct grid *g, int y, int left, int right, int gap)
{
	while (line_width(l, gap) > right - left) {
		int worst = -1;

		for (int i = 0; i < l->n; i++)
			if (*l->segment[i].brief && !l->segment[i].gone && (worst < 0 || is_worse(l, i, worst)))
				worst = i;
		if (worst >= 0) {
			strcpy(l->segment[worst].text, l->segment[worst].brief);
			l->segment[worst].brief[0] = 0;
			continue;
		}
		for (int i = 0; i < l->n; i++)
			if (l->segment[i].rank && !l->segment[i].gone && (worst < 0 || is_worse(l, i, worst)))
				worst = i;
		if (worst < 0)
			break;
		l->segment[worst].gone = true;
	}
	for (int i = l->n - 1; i >= 0; i--) {
		const struct segment *s = &l->segment[i];

		if (!s->right || s->gone)
			continue;
		right -= grid_width(s->text);
		grid_text(g, y, right, g->cols - right, s->style, s->text);
		right -= gap;
	}
	for (int i = 0; i < l->n; i++) {
		const struct segment *s = &l->segment[i];

		if (!s->right && !s->gone)
			left += grid_text(g, y, left, right - left, s->style, s->text) + gap;
	}
}

/* "45.0s ago of 12m": the reading shown, and how far back the kept readings go. */
static void add_past(struct line *l, const struct view *v)
{
	uint64_t newest_ns = history_time(&v->history, 0), ago_ns = newest_ns - history_time(&v->history, v->back);
	char ago[24], of[24], buf[64];

	format_ns(ago, sizeof(ago), ago_ns);
	format_ns(of, sizeof(of), newest_ns - history_time(&v->history, v->history.n - 1));
	snprintf(buf, sizeof(buf), "%s ago of %s", ago, of);
	line_add(l, true, 0, STYLE_WARN, buf);
}

static void add_family(struct line *l, int family, const struct sample_probe *p, bool blocks)
{
	const char *mark = blocks ? (p->on ? "\u25cf" : "\u25cb") : p->on ? "on" : "OFF";
	bool exact = p->on && p->level == LT_LEVEL_EXACT;
	char buf[48];

	snprintf(buf, sizeof(buf), "%s %s%s%s", sample_family_name[family], mark, p->on && !exact ? " " : "",
		 p->on && !exact ? sample_level_name[p->level] : "");
	line_add(l, true, exact ? 6 : 2, exact ? STYLE_GOOD : p->on ? STYLE_WARN : STYLE_BAD, buf);
}

/* "replay 4d02h ago" */
static void add_replay(struct line *l, const struct view *v, const struct sample *s)
{
	char ago[24], buf[48];

	if (v->realtime_ns <= s->realtime_ns) {
		line_add(l, true, 5, STYLE_WARN, "replay");
		return;
	}
	format_ns(ago, sizeof(ago), v->realtime_ns - s->realtime_ns);
	snprintf(buf, sizeof(buf), "replay %s ago", ago);
	line_add_brief(l, true, 5, STYLE_WARN, buf, "replay");
}

/* "live · web-07 · 0.2 s": how late the newest reading is. */
static void add_stream(struct line *l, const struct view *v, const struct sample *s, bool utf8)
{
	const char *dot = utf8 ? "\u00b7" : "-";
	char host[40], buf[96];

	format_clean(host, sizeof(host), s->host, 9, utf8);
	if (v->source_ended)
		snprintf(buf, sizeof(buf), "ENDED %s %s", dot, host);
	else
		snprintf(buf, sizeof(buf), "live %s %s %s %.1f s", dot, host, dot, (double)view_stream_age(v) / 1e9);
	line_add(l, true, 1, v->source_ended ? STYLE_BAD : STYLE_WARN, buf);
}

static void draw_title(const struct view *v, struct grid *g)
{
	const struct sample *s = model_sample(view_model(v));
	struct line l = { .n = 0 };
	char buf[96], clean[72], when[32];
	struct tm tm;
	time_t t;

	line_add(&l, false, 0, STYLE_NAME, v->settings.differs ? "lagtop*" : "lagtop");
	trail_text(v, buf, sizeof(buf), g->cols / 2, g->utf8);
	line_add(&l, false, 0, STYLE_KEY, buf);
	if (!s) {
		line_draw(&l, g, 0, 0, g->cols, 2);
		return;
	}
	format_clean(clean, sizeof(clean), s->host, 40, g->utf8);
	line_add(&l, false, v->streams ? 8 : 3, STYLE_STRONG, clean);
	format_clean(clean, sizeof(clean), s->kernel, 24, g->utf8);
	line_add(&l, false, 8, STYLE_NORMAL, clean);
	snprintf(buf, sizeof(buf), "%u CPU%s", s->cpus_online, s->cpus_online == 1 ? "" : "s");
	line_add(&l, false, 7, STYLE_NORMAL, buf);
	format_ns(when, sizeof(when), s->uptime_ns);
	snprintf(buf, sizeof(buf), "up %s", when);
	line_add(&l, false, 9, STYLE_NORMAL, buf);
	for (int i = 0; i < SAMPLE_FAMILIES; i++) {
		if (!s->probe[i].on && !*s->probe[i].reason) /* a recording that is older than the family */
			continue;
		add_family(&l, i, &s->probe[i], g->blocks);
	}
	if (s->self.over_budget)
		line_add(&l, true, 2, STYLE_BAD, "over budget");
	if (v->back)
		add_past(&l, v);
	if (v->paused)
		line_add(&l, true, 0, STYLE_WARN, "PAUSED");
	if (v->streams)
		add_stream(&l, v, s, g->utf8);
	else if (v->source_ended)
		line_add(&l, true, 1, STYLE_WARN, "END");
	else if (!v->source_live)
		add_replay(&l, v, s);
	if (v->recorded_bytes) {
		format_bytes(when, sizeof(when), (double)v->recorded_bytes);
		snprintf(buf, sizeof(buf), "%srec %s", g->blocks ? "\u25cf " : "", when);
		line_add_brief(&l, true, 4, STYLE_BAD, buf, "rec");
	}
	snprintf(buf, sizeof(buf), "%.3g s", v->delay_s);
	if (!v->streams) /* it is the recorder's */
		line_add(&l, true, 4, STYLE_NORMAL, buf);
	t = (time_t)(s->realtime_ns / 1000000000);
	localtime_r(&t, &tm);
	strftime(buf, sizeof(buf), "%H:%M:%S", &tm);
	line_add(&l, true, 1, STYLE_STRONG, buf);
	line_draw(&l, g, 0, 0, g->cols, 2);
}

static int level_linear(uint64_t value, uint64_t top)
{
	uint64_t level = top ? (value * METER_LEVELS + top - 1) / top : 0;

	return !top ? 0 : !level ? 1 : level > METER_LEVELS ? METER_LEVELS : (int)level;
}

/* Durations: the scale of the rows' sparklines. */
static int level_duration(uint64_t value)
{
	return value == SAMPLE_UNKNOWN || !value
		       ? 0
		       : column_spark_height(MODEL_SPARK_WAKE, (uint8_t)(hist_bucket(value) + 1));
}

struct meter {
	const char *label, *brief;
	const uint64_t *values; /* of the last minute; NULL: no sparkline */
	uint64_t top;		/* 0: the highest of the minute */
	bool duration;
	char text[48];
	enum style style;
};

static void draw_minute(struct grid *g, int y, int x, int cells, const struct meter *m, const struct model_host *h)
{
	uint64_t top = m->top;

	if (cells > MODEL_SPARK)
		cells = MODEL_SPARK;
	for (int i = 0; !m->top && i < cells && i < (int)h->minute.n; i++) {
		uint64_t value = m->values[(h->minute.at + MODEL_SPARK - 1 - (uint32_t)i) % MODEL_SPARK];

		if (value != SAMPLE_UNKNOWN && value > top)
			top = value;
	}
	for (int i = 0; i < cells && i < (int)h->minute.n; i++) {
		uint64_t value = m->values[(h->minute.at + MODEL_SPARK - 1 - (uint32_t)i) % MODEL_SPARK];
		int level = m->duration ? level_duration(value) : level_linear(value, top);

		if (value == SAMPLE_UNKNOWN)
			continue;
		grid_spark(g, y, x + cells - 1 - i, level,
			   m->duration ? table_spark_style(MODEL_SPARK_WAKE, (uint8_t)(hist_bucket(value) + 1))
				       : STYLE_SPARK);
	}
}

static void meter_duration(struct meter *m, bool on, bool known, uint64_t ns)
{
	if (!on || !known) {
		snprintf(m->text, sizeof(m->text), "%s", on ? "-" : "off");
		m->style = STYLE_DIM;
		return;
	}
	format_ns(m->text, sizeof(m->text), ns);
	m->style = severity_duration((double)ns, STYLE_STRONG);
}

static void meter_rate(struct meter *m, bool on, uint64_t n, uint64_t interval_ns, bool bad)
{
	char buf[24];

	m->style = !on || !n ? STYLE_DIM : bad ? STYLE_WARN : STYLE_STRONG;
	if (!on) {
		snprintf(m->text, sizeof(m->text), "off");
		return;
	}
	format_count(buf, sizeof(buf), interval_ns ? (double)n * 1e9 / (double)interval_ns : 0);
	snprintf(m->text, sizeof(m->text), "%s/s", buf);
}

enum {
	METER_CPU,
	METER_WAKE,
	METER_WAKEUPS,
	METER_CALLS,
	METER_CALL99,
	METER_ERRORS,
	METER_NET,
	METER_SRTT,
	METER_RETRANS,
	METER_PRESSURE, /* as many as there are resources */
	METER_FORKS = METER_PRESSURE + SAMPLE_RESOURCES,
	METER_EXECS,
	METER_EXITS,
	METERS
};

/* The CPUs' use by threads, after what others took. */
static void meter_cpu(struct meter *m, const struct model_host *h, bool on)
{
	const struct sample_cpu_times *t = &h->cpu_times;
	uint64_t permille = h->minute.cpu_permille[(h->minute.at + MODEL_SPARK - 1) % MODEL_SPARK];
	uint64_t irq_ns = t->irq_ns == SAMPLE_UNKNOWN ? 0 : counter_sum(t->irq_ns, t->softirq_ns);
	double all_ns = (double)h->interval_ns * h->cpus;
	char buf[24];
	size_t at;

	*m = (struct meter){ "CPU", "CPU", h->minute.cpu_permille, 1000, false, "off", STYLE_DIM };
	if (!on)
		return;
	m->text[0] = '\0';
	if (t->steal_ns && t->steal_ns != SAMPLE_UNKNOWN) {
		format_percent(buf, sizeof(buf), (double)t->steal_ns * 100 / all_ns);
		snprintf(m->text, sizeof(m->text), "steal %s ", buf);
	}
	at = strlen(m->text);
	if (irq_ns) {
		format_percent(buf, sizeof(buf), (double)irq_ns * 100 / all_ns);
		snprintf(m->text + at, sizeof(m->text) - at, "irq %s ", buf);
	}
	at = strlen(m->text);
	format_percent(buf, sizeof(buf), (double)permille / 10);
	snprintf(m->text + at, sizeof(m->text) - at, "%s %%", buf);
	m->style = permille >= 900 ? STYLE_WARN : STYLE_STRONG;
}

/* "0.24/0.04 %": some and full. Of the CPU the kernel counts no full for the machine as a whole. */
/* What the network stack dropped in the interval. */
static uint64_t dropped(const struct model_host *h)
{
	static const enum sample_stack drops[] = { STACK_listen_drops, STACK_tcp_receive_drops,
						   STACK_udp_receive_drops };
	uint64_t sum = 0;

	for (size_t i = 0; i < sizeof(drops) / sizeof(drops[0]); i++)
		if (h->stack[drops[i]] != SAMPLE_UNKNOWN)
			sum = counter_sum(sum, h->stack[drops[i]]);
	return sum;
}

static void meter_net(struct meter *m, const struct model_host *h, bool on, bool blocks)
{
	double s_per_interval = h->interval_ns ? 1e9 / (double)h->interval_ns : 0;
	char rx[24], tx[24], drops[24] = "";

	*m = (struct meter){ "network", "net", h->minute.net_bytes_per_s, 0, false, "off", STYLE_DIM };
	if (!on)
		return;
	m->style = STYLE_STRONG;
	if (dropped(h)) {
		format_count(rx, sizeof(rx), (double)dropped(h) * s_per_interval);
		snprintf(drops, sizeof(drops), "drops %.10s/s ", rx);
		m->style = STYLE_WARN;
	}
	format_bytes(rx, sizeof(rx), (double)h->rx_bytes * s_per_interval);
	format_bytes(tx, sizeof(tx), (double)h->tx_bytes * s_per_interval);
	snprintf(m->text, sizeof(m->text), blocks ? "%s\u2193%.10s \u2191%.10s" : "%s<%.10s >%.10s", drops, rx, tx);
}

static void meter_pressure(struct meter *m, const struct model_host *h, enum sample_resource resource)
{
	static const char *const labels[SAMPLE_RESOURCES] = { "pressure", "memory", "io" };
	const struct sample_pressure *p = &h->pressure[resource];
	double percent = 100 / (double)h->interval_ns;
	char some[16], full[16];

	*m = (struct meter){
		labels[resource], labels[resource], h->minute.pressure_permille[resource], 1000, false, "-", STYLE_DIM
	};
	if (p->some_ns == SAMPLE_UNKNOWN)
		return;
	m->style = (double)p->some_ns * percent >= PRESSURE_WARN ? STYLE_WARN : STYLE_STRONG;
	format_percent(some, sizeof(some), (double)p->some_ns * percent);
	format_percent(full, sizeof(full), p->full_ns == SAMPLE_UNKNOWN ? 0 : (double)p->full_ns * percent);
	if (resource == SAMPLE_CPU)
		snprintf(m->text, sizeof(m->text), "cpu %s %%", some);
	else
		snprintf(m->text, sizeof(m->text), "%s/%s %%", some, full);
}

static bool has_pressure(const struct model_host *h)
{
	bool has = false;

	for (int i = 0; i < SAMPLE_RESOURCES; i++)
		has |= h->pressure[i].some_ns != SAMPLE_UNKNOWN;
	return has;
}

static void meter_estimated(struct meter *m)
{
	memmove(m->text + 1, m->text, sizeof(m->text) - 1);
	m->text[0] = '~';
	m->text[sizeof(m->text) - 1] = '\0';
}

static void fill_meters(const struct view *v, struct grid *g, struct meter m[METERS])
{
	const struct model_host *h = model_host(view_model(v));
	const struct sample *s = model_sample(view_model(v));
	bool sched = s->probe[SAMPLE_SCHED].on, calls = s->probe[SAMPLE_SYSCALL].on, net = s->probe[SAMPLE_NET].on;

	meter_cpu(&m[METER_CPU], h, sched);
	m[METER_WAKE] = (struct meter){ "wake-up p99", "wake p99", h->minute.wake_p99_ns, 0, true, "", STYLE_DIM };
	meter_duration(&m[METER_WAKE], sched, h->wakeup.count, h->wakeup.p99_ns);
	m[METER_WAKEUPS] = (struct meter){ .label = "wakeups", .brief = "wakeups" };
	meter_rate(&m[METER_WAKEUPS], sched, h->wakeups, h->interval_ns, false);
	m[METER_CALLS] = (struct meter){ "syscalls", "calls", h->minute.calls_per_s, 0, false, "", STYLE_DIM };
	meter_rate(&m[METER_CALLS], calls, h->calls_count, h->interval_ns, false);
	m[METER_CALL99] = (struct meter){ "syscall p99", "call p99", h->minute.call_p99_ns, 0, true, "", STYLE_DIM };
	meter_duration(&m[METER_CALL99], calls && sched, h->calls.count, h->calls.p99_ns);
	if (h->calls_estimated && h->calls.count)
		meter_estimated(&m[METER_CALL99]);
	m[METER_ERRORS] = (struct meter){ .label = "errors", .brief = "errors" };
	meter_rate(&m[METER_ERRORS], calls, h->call_errors, h->interval_ns, false);
	meter_net(&m[METER_NET], h, net, g->blocks);
	m[METER_SRTT] = (struct meter){ "srtt p50", "srtt p50", h->minute.srtt_ns, 0, true, "", STYLE_DIM };
	meter_duration(&m[METER_SRTT], net, h->srtt_p50_ns != SAMPLE_UNKNOWN && h->srtt_p50_ns, h->srtt_p50_ns);
	m[METER_RETRANS] = (struct meter){ .label = "retrans", .brief = "retrans" };
	meter_rate(&m[METER_RETRANS], net, h->retransmits, h->interval_ns, true);
	for (int i = 0; i < SAMPLE_RESOURCES; i++)
		meter_pressure(&m[METER_PRESSURE + i], h, (enum sample_resource)i);
	m[METER_FORKS] = (struct meter){ .label = "forks", .brief = "forks" };
	meter_rate(&m[METER_FORKS], sched, h->forks, h->interval_ns, false);
	m[METER_EXECS] = (struct meter){ .label = "execs", .brief = "execs" };
	meter_rate(&m[METER_EXECS], sched, h->execs, h->interval_ns, false);
	m[METER_EXITS] = (struct meter){ .label = "exits", .brief = "exits" };
	meter_rate(&m[METER_EXITS], sched, h->exits, h->interval_ns, false);
}

static void draw_meter(const struct view *v, struct grid *g, int y, int x, int cells, int label, int value,
		       const struct meter *m)
{
	/* A long value shortens its sparkline. */
	if (grid_width(m->text) > value)
		value = grid_width(m->text);
	if (value > cells - grid_width(m->brief) - 1)
		value = cells - grid_width(m->brief) - 1;
	grid_text(g, y, x, label, STYLE_NORMAL, grid_width(m->label) < label ? m->label : m->brief);
	if (m->values && m->style != STYLE_DIM && cells - label - value - 1 > 3)
		draw_minute(g, y, x + label, cells - label - value - 1, m, model_host(view_model(v)));
	grid_right(g, y, x + cells - value, value, m->style, m->text);
}

/* Returns the lines used. */
static int draw_meters(const struct view *v, struct grid *g, int y)
{
	struct meter m[METERS];
	bool wide = g->cols >= 100;
	int third = wide ? 20 : 17, gap = wide ? 4 : 2, first, second, lines = 0;
	const struct model_host *h = model_host(view_model(v));

	fill_meters(v, g, m);
	if (g->rows < METERS_MIN_ROWS || g->cols < 64) {
		struct line l = { .n = 0 };
		static const int pick[] = { METER_CPU, METER_WAKE, METER_CALL99, METER_ERRORS, METER_NET };

		for (int i = 0; i < 5; i++) {
			char buf[80];

			snprintf(buf, sizeof(buf), "%s %s", m[pick[i]].brief, m[pick[i]].text);
			line_add(&l, false, i, m[pick[i]].style, buf);
		}
		line_draw(&l, g, y, 0, g->cols, 2);
		return 1;
	}
	first = (g->cols - third - 2 * gap) / 2 + (wide ? 0 : 3);
	second = g->cols - third - 2 * gap - first;
	if (first > METER_LABEL + MODEL_SPARK + 15)
		first = METER_LABEL + MODEL_SPARK + 15;
	if (second > 15 + MODEL_SPARK + 8)
		second = 15 + MODEL_SPARK + 8;
	for (int i = 0; i < METERS / 3; i++) {
		if ((i == METER_PRESSURE / 3 && !(g->rows >= PRESSURE_MIN_ROWS && has_pressure(h))) ||
		    (i == METER_FORKS / 3 && g->rows < FORKS_MIN_ROWS))
			continue;
		draw_meter(v, g, y, 0, first, METER_LABEL, 14, &m[i * 3]);
		draw_meter(v, g, y, first + gap, second, wide ? 15 : 9, 7, &m[i * 3 + 1]);
		draw_meter(v, g, y++, first + second + 2 * gap, third, 9, third - 9, &m[i * 3 + 2]);
		lines++;
	}
	return lines;
}

static const char *kind_name(enum model_kind kind, bool brief)
{
	static const char *const names[][2] = {
		{ "processes", "proc" },   { "threads", "thr" }, { "commands", "cmd" }, { "users", "user" },
		{ "cgroups", "cgrp" },	   { "calls", "call" },	 { "sockets", "sock" }, { "callers", "proc" },
		{ "device rows", "rows" }, { "CPUs", "CPUs" },
	};

	return names[kind][brief];
}

static void add_losses(struct line *l, struct view *v, const struct sample *s)
{
	uint64_t sum = losses_that_show(s, model_host(view_model(v)), view_main(v)->kind);
	char buf[64], n[24];

	if (!sum)
		return;
	format_count(n, sizeof(n), (double)sum);
	snprintf(buf, sizeof(buf), "lost %s", n);
	line_add(l, true, 1, STYLE_BAD, buf);
}

/* The views' tabs. Returns where they end. */
static int draw_tabs(struct view *v, struct grid *g, int y)
{
	bool narrow = g->cols < 68, brief = g->cols < 100;
	char buf[96];
	int x = 0;

	v->tabs_y = y;
	for (size_t i = 0; i < column_views_count; i++) {
		const struct column_view *view = &column_views[i];
		bool on = i == v->at;

		v->tab_x[i] = x;
		/* Only the active tab has a space to its right: the others leave that cell to the next tab. */
		snprintf(buf, sizeof(buf),
			 on	  ? " %zu %s "
			 : narrow ? " %zu"
				  : " %zu %s",
			 i + 1, brief && !on ? view->brief : view->title);
		x += grid_text(g, y, x, g->cols - x, on ? STYLE_TAB : STYLE_NORMAL, buf);
		if (!on)
			grid_put(g, y, v->tab_x[i] + 1, '1' + (uint32_t)i, STYLE_KEY);
		v->tab_x[i + 1] = x;
	}
	return x;
}

/* What restricts or changes the rows: the filter, the call, totals. */
static void add_wants(struct line *l, struct view *v, const struct grid *g, int room)
{
	struct model_query q = { .kind = view_main(v)->kind };
	char buf[96], clean[40];

	if (v->wants.filter[0]) {
		format_clean(clean, sizeof(clean), v->wants.filter, room > 36 ? 16 : 5, g->utf8);
		snprintf(buf, sizeof(buf), "\\%s", clean);
		line_add(l, true, 1, STYLE_WARN, buf);
	}
	if (v->call != LT_CALL_NONE)
		line_add(l, true, 1, STYLE_WARN, names_call(v->call));
	selection_narrow(&v->wants.selection, &q);
	if (view_totals(v) && model_has_totals(&q))
		line_add(l, true, 2, STYLE_WARN, "totals");
}

/* "12 of 345 processes" */
static void add_count(struct line *l, const struct table *t)
{
	char buf[96], n[24], brief[32];

	if (t->unknown)
		snprintf(n, sizeof(n), "-");
	else if (t->current == t->of)
		snprintf(n, sizeof(n), "%u", t->of);
	else
		snprintf(n, sizeof(n), "%u of %u", t->current, t->of);
	snprintf(buf, sizeof(buf), "%s %s", n, kind_name(t->kind, false));
	snprintf(brief, sizeof(brief), "%s %s", n, kind_name(t->kind, true));
	if (strlen(n) > 4) /* leave room for the cost */
		brief[strlen(n)] = 0;
	line_add_brief(l, true, 5, STYLE_NORMAL, buf, brief);
}

/* What watching costs: its share of the machine, and per run of a program. */
static void add_cost(struct line *l, const struct sample *s)
{
	double per_run_ns = cost_per_run_ns(s);
	char buf[96], brief[32], n[24];
	bool at_least;

	if (!s->interval_ns)
		return;
	format_percent(n, sizeof(n), cost_percent(s, &at_least));
	snprintf(brief, sizeof(brief), "cost %s%s%%", at_least ? ">" : "", n);
	snprintf(buf, sizeof(buf), per_run_ns > 0 ? "%s %.0fns" : "%s", brief, per_run_ns);
	line_add_brief(l, true, 6, STYLE_DIM, buf, brief);
}

static void draw_tab_line(struct view *v, struct grid *g, int y)
{
	const struct sample *s = model_sample(view_model(v));
	struct line l = { .n = 0 };
	int x = draw_tabs(v, g, y), room = g->cols - x - 1;

	if (!s)
		return;
	add_wants(&l, v, g, room);
	add_count(&l, view_main(v));
	add_cost(&l, s);
	add_losses(&l, v, s);
	if (room > 0)
		line_draw(&l, g, y, x + 1, g->cols, 2);
}

static const char *row_label(const struct view *v, const struct key_row *row)
{
	const char *label = v->page.open && row->page_label ? row->page_label : row->label;

	return label && *label ? label : NULL;
}

static void draw_keys(const struct view *v, struct grid *g, int y)
{
	const struct key_row *last = key_rows + key_rows_count - 1;
	char name[16];
	int x = 0;

	if (v->message_ns > v->now_ns) {
		char clean[sizeof(v->message) * 2];

		format_clean(clean, sizeof(clean), v->message, g->cols - 1, g->utf8);
		grid_text(g, y, 1, g->cols - 1, v->message_style, clean);
		return;
	}
	while (last > key_rows && !row_label(v, last))
		last--;
	for (size_t i = 0; i < key_rows_count; i++) {
		const char *label = row_label(v, &key_rows[i]), *key;

		if (!label)
			continue;
		key = key_label(key_rows[i].keys[0], name);
		/* Leaves room for the last one, which says how to quit. */
		if (&key_rows[i] != last && x + 1 + grid_width(key) + grid_width(label) + LAST_KEY_CELLS > g->cols)
			continue;
		x += grid_text(g, y, x, g->cols - x, STYLE_NORMAL, " ");
		x += grid_text(g, y, x, g->cols - x, STYLE_KEY, key);
		x += grid_text(g, y, x, g->cols - x, STYLE_DIM, label);
	}
}

static void draw_frame(struct view *v, struct grid *g)
{
	int y = 1, lines;

	if (view_table(v))
		view_table(v)->unfocused = v->on_title;
	draw_title(v, g);
	if (v->on_title)
		grid_select(g, 0, 0, g->cols);
	draw_keys(v, g, g->rows - 1);
	if (!model_sample(view_model(v))) {
		char buf[64];

		if (v->source_ended)
			snprintf(buf, sizeof(buf), "this recording has no readings");
		else
			snprintf(buf, sizeof(buf), "waiting for the first reading");
		grid_text(g, g->rows > 4 ? 2 : 1, 1, g->cols - 1, STYLE_DIM, buf);
		return;
	}
	if (v->page.open) {
		page_draw(v, g);
		return;
	}
	y += draw_meters(v, g, y);
	draw_tab_line(v, g, y++);
	if (v->disk.open)
		y += disk_draw(v, g, y);
	lines = g->rows - y - 1;
	if (lines > TIMELINE_MIN_LINES && timeline_wanted(v))
		timeline_draw(v, g, y + --lines);
	if (lines > 0)
		table_draw(view_main(v), g, y, lines, &v->wants);
}

void draw(struct view *v, struct grid *g)
{
	grid_clear(g);
	draw_frame(v, g);
	if (v->mode != MODE_TABLE)
		menu_draw(v, g);
}
