/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of what the user looks at, and its accessors: see view.h. */
#include "view.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "search.h"

#define MESSAGE_NS 4000000000ULL

int view_init(struct view *v, const struct options *o, bool live)
{
	*v = (struct view){ .options = o,
			    .delay_s = o->delay_s,
			    .budget_percent = o->probe.budget_percent,
			    .source_live = live,
			    .rows_kind = o->group,
			    .settings.delay_s = 1 };
	trigger_init(&v->trigger, o);
	v->wants.selection = o->selection;
	v->wants.no_kernel = true;
	v->call = LT_CALL_NONE;
	table_init(&v->callers, &column_callers);
	table_init(&v->who, &column_who);
	v->wants.tree = o->tree;
	if (o->threads)
		v->rows_kind = MODEL_THREAD;
	if (o->filter)
		snprintf(v->wants.filter, sizeof(v->wants.filter), "%s", o->filter);
	v->history.max_bytes = v->history_bytes = o->history_bytes ? o->history_bytes : 32 << 20;
	for (size_t i = 0; i < column_views_count && i < VIEW_TABLES; i++) {
		table_init(&v->tables[i], &column_views[i]);
		if (&column_views[i] == o->view)
			v->at = i;
	}
	if (o->sort) {
		v->tables[v->at].sort = o->sort;
		v->tables[v->at].reverse = o->sort_reverse;
	}
	v->live = model_new();
	return v->live ? 0 : -ENOMEM;
}

void view_free(struct view *v)
{
	crowd_free(&v->crowd);
	trigger_free(&v->trigger);
	model_free(v->live);
	model_free(v->past);
	history_free(&v->history);
	for (size_t i = 0; i < VIEW_TABLES; i++)
		table_free(&v->tables[i]);
	table_free(&v->callers);
	table_free(&v->who);
	for (int i = 0; i < PAGE_HEATMAP; i++)
		table_free(&v->page.tables[i]);
	free(v->page.texts);
	free(v->menu.targets);
	filter_free(v->filter);
	free(v->wants.tags);
	free(v->settings.saved);
}

uint64_t view_stream_age(const struct view *v)
{
	int64_t age_ns = (int64_t)(v->now_ns - history_time(&v->history, 0)) - v->stream_ns;

	return age_ns > 0 ? (uint64_t)age_ns : 0;
}

bool view_filter(struct view *v, const char *text)
{
	struct filter *f;

	v->filter_why[0] = 0;
	f = *text ? filter_parse(text, &v->filter_at, v->filter_why, sizeof(v->filter_why)) : NULL;
	if (*text && !f)
		return false;
	if (text != v->wants.filter)
		snprintf(v->wants.filter, sizeof(v->wants.filter), "%s", text);
	filter_free(v->filter);
	v->filter = v->wants.selection.filter = f;
	return true;
}

bool view_filter_long(const struct view *v)
{
	const char *asked = v->options->filter;

	return asked && strlen(asked) >= TABLE_TEXT && !strncmp(asked, v->wants.filter, TABLE_TEXT - 1);
}

/* `past` has only seen the readings that a sparkline needs, not all since the start. */
bool view_totals(const struct view *v)
{
	return v->totals && !v->back;
}

struct model *view_model(const struct view *v)
{
	return v->back && v->past ? v->past : v->live;
}

uint64_t view_owner(const struct view *v, const struct row *r)
{
	struct model_query q = { .kind = MODEL_PROCESS, .no_dead = true };
	uint64_t start_ns = 0;
	struct row *rows;
	int n;

	if (r->kind == MODEL_PROCESS || r->kind == MODEL_CALLER || r->kind == MODEL_CULPRIT)
		return r->start_ns;
	/* A pid may have had two processes in one interval: a thread belongs to the last one that started before it, a
	 * socket to the last one. */
	n = model_rows(view_model(v), &q, &rows);
	for (int i = 0; i < n; i++)
		if (rows[i].pid == r->pid && (r->kind != MODEL_THREAD || rows[i].start_ns <= r->start_ns))
			start_ns = rows[i].start_ns;
	return start_ns;
}

bool view_is_process(const struct view *v)
{
	return v->tables[v->at].view->kind == MODEL_PROCESS;
}

/* Rows of the view as it is now. */
enum model_kind view_kind(const struct view *v)
{
	if (v->call != LT_CALL_NONE)
		return MODEL_CALLER;
	if (v->disk.open)
		return MODEL_PROCESS;
	return view_is_process(v) ? v->rows_kind : v->tables[v->at].view->kind;
}

#define CHEAP_CONNECTIONS 5000
#define LOOK_AGAIN 32 /* readings after which their number is checked again */

bool view_wants_connections(const struct view *v)
{
	const struct sample *s = model_sample(v->live);

	if (v->page.open || v->tables[v->at].view->spark == MODEL_SPARK_NET || !s)
		return true;
	return s->has_connections ? s->n_connections < CHEAP_CONNECTIONS : s->number % LOOK_AGAIN == 0;
}

void view_ask(struct view *v, struct ask *ask)
{
	struct table *t = view_main(v);
	const struct row *r = table_cursor(t);

	ask->n = 0;
	if (v->page.open) /* the table below is not arranged: its rows may be gone */
		ask_process(ask, &v->page.row);
	else if (r)
		ask_process(ask, r);
	ask_more(ask, &v->asked);
	for (uint32_t i = 0; !v->page.open && v->wants.n_tags && i < t->n; i++)
		if (table_tagged(&v->wants, table_key(t->order[i])))
			ask_process(ask, t->order[i]);
}

struct table *view_main(struct view *v)
{
	if (v->disk.open)
		return &v->who;
	return v->call == LT_CALL_NONE ? &v->tables[v->at] : &v->callers;
}

struct table *view_table(struct view *v)
{
	if (!v->page.open)
		return view_main(v);
	return v->page.tab == PAGE_HEATMAP ? NULL : &v->page.tables[v->page.tab];
}

bool view_search(struct view *v, int direction)
{
	struct table *t = view_table(v);
	uint32_t n = t->n;
	struct search q;
	bool found;

	search_for(&q, v->wants.search, model_sample(view_model(v)));
	t->n += t->folded ? t->idle : 0; /* what the cursor is on does not fold */
	found = direction ? search_next(&q, t, direction, v->now_ns) : search_best(&q, t, v->now_ns);
	t->n = n;
	return found;
}

void view_say(struct view *v, enum style style, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(v->message, sizeof(v->message), format, ap);
	va_end(ap);
	v->message_style = style;
	v->message_ns = v->now_ns + MESSAGE_NS;
}
