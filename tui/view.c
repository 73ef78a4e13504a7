// SPDX-License-Identifier: GPL-2.0-or-later
/* What the user looks at, and what keys do to it: see view.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "names.h"
#include "view.h"

#define MESSAGE_NS 4000000000ULL

int view_init(struct view *v, const struct options *o, bool live)
{
	*v = (struct view){ .delay_s = o->delay_s, .source_live = live, .rows_kind = o->group, .settings.delay_s = 1 };
	v->wants.options = *o;
	v->call = LT_CALL_NONE;
	table_init(&v->callers, &column_callers);
	v->wants.tree = o->tree;
	if (o->threads)
		v->rows_kind = MODEL_THREAD;
	if (o->filter)
		snprintf(v->wants.filter, sizeof(v->wants.filter), "%s", o->filter);
	v->history.max_bytes = o->history_bytes ? o->history_bytes : 32 << 20;
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
	model_free(v->live);
	model_free(v->past);
	history_free(&v->history);
	for (size_t i = 0; i < VIEW_TABLES; i++)
		table_free(&v->tables[i]);
	table_free(&v->callers);
	page_close(v);
	menu_free(v);
	filter_free(v->filter);
	free(v->wants.tags);
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
	v->filter = v->wants.options.expression = f;
	return true;
}

bool view_filter_long(const struct view *v)
{
	const char *asked = v->wants.options.filter;

	return asked && strlen(asked) >= TABLE_TEXT && !strncmp(asked, v->wants.filter, TABLE_TEXT - 1);
}

/* `past` has seen the readings that a sparkline needs, not all since the start. */
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

	if (r->kind == MODEL_PROCESS || r->kind == MODEL_CALLER)
		return r->start_ns;
	/* A pid may have two owners in one interval: a thread is of the last before it, a socket of the last. */
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

#define CHEAP_CONNECTIONS 5000
#define LOOK_AGAIN 32 /* readings after which many may have become few */

bool view_wants_connections(const struct view *v)
{
	const struct sample *s = model_sample(v->live);

	if (v->page.open || v->tables[v->at].view->spark == MODEL_SPARK_NET || !s)
		return true;
	return s->has_connections ? s->n_connections < CHEAP_CONNECTIONS : s->number % LOOK_AGAIN == 0;
}

struct table *view_main(struct view *v)
{
	return v->call == LT_CALL_NONE ? &v->tables[v->at] : &v->callers;
}

struct table *view_table(struct view *v)
{
	if (!v->page.open)
		return view_main(v);
	return v->page.tab == PAGE_HEATMAP ? NULL : &v->page.tables[v->page.tab];
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

/* Brings `past` to the reading `back` ago: one step if it stands right before, else from as many
 * readings as a sparkline shows. */
static int look_back(struct view *v)
{
	const struct sample *s = v->back ? history_at(&v->history, v->back) : NULL;
	uint32_t from = v->back, number = s ? s->number : 0; /* s does not outlive two others */

	if (!s || (v->past && v->past_number == number))
		return 0;
	if (!v->past || v->past_number + 1 != number) {
		model_free(v->past);
		v->past = model_new();
		if (!v->past)
			return -ENOMEM;
		while (from + 1 < v->history.n && from - v->back < MODEL_SPARK)
			from++;
	}
	for (uint32_t back = from;; back--) {
		const struct sample *older = history_at(&v->history, back);
		int err = older ? model_update(v->past, older) : -ENOMEM;

		if (err || back == v->back) {
			v->past_number = number;
			return err;
		}
	}
}

static void forget_past(struct view *v)
{
	model_free(v->past);
	v->past = NULL;
	v->past_number = 0;
}

/* What the columns do not show, said once: the first, and whether there is more. */
static void say_missing(struct view *v, const struct sample *s)
{
	int n = 0, first = 0;

	for (int i = SAMPLE_FAMILIES - 1; i >= 0; i--)
		if (*s->probe[i].reason) {
			first = i;
			n++;
		}
	if (n)
		view_say(v, STYLE_WARN, "%s %s%s: %s", sample_family_name[first], s->probe[first].on ? "on" : "off",
			 n > 1 ? " (more: --check)" : "", s->probe[first].reason);
}

int view_reading(struct view *v, struct sample *s)
{
	bool frozen = v->paused || v->back;
	int err;

	/* The model of the past leans on a sample: it goes before that sample may. */
	if (!frozen || v->back + HISTORY_MIN >= v->history.n)
		forget_past(v);
	err = model_update(v->live, s);
	if (!err)
		err = history_add(&v->history);
	if (err)
		return err;
	if (v->history.n == 1)
		say_missing(v, s);
	if (frozen && v->history.n > 1) {
		v->back++;
		if (v->back >= v->history.n) {
			v->back = v->history.n - 1;
			view_say(v, STYLE_WARN, "memory for the past is full (--history): the oldest reading moves on");
		}
	}
	return view_arrange(v);
}

/* Rows of the view as it is now. */
static enum model_kind shown_kind(const struct view *v)
{
	if (v->call != LT_CALL_NONE)
		return MODEL_CALLER;
	return view_is_process(v) ? v->rows_kind : v->tables[v->at].view->kind;
}

int view_arrange(struct view *v)
{
	struct model_query q = {
		.kind = shown_kind(v), .totals = view_totals(v), .no_dead = v->no_dead, .call = v->call
	};
	uint32_t current = UINT32_MAX;
	struct row *rows;
	int n, err;

	err = look_back(v);
	if (err)
		return err;
	if (!model_sample(view_model(v)))
		return 0;
	if (v->page.open)
		return page_arrange(v);
	batch_narrow(&v->wants.options, &q);
	n = model_rows(view_model(v), &q, &rows);
	if (n < 0)
		return n;
	if (q.kind == MODEL_PROCESS)
		current = model_sample(view_model(v))->n_processes;
	view_main(v)->unknown = q.kind == MODEL_CONNECTION && !model_sample(view_model(v))->has_connections;
	return table_arrange(view_main(v), q.kind, rows, (uint32_t)n, current < (uint32_t)n ? current : (uint32_t)n,
			     &v->wants, v->now_ns);
}

static void choose_view(struct view *v, size_t at)
{
	if (at >= column_views_count || at >= VIEW_TABLES)
		return;
	v->at = v->settings.view = at;
	v->call = LT_CALL_NONE;
	v->settings_changed = true;
	if (v->page.open)
		page_close(v);
}

static void step_back(struct view *v, int by)
{
	uint32_t oldest = v->history.n ? v->history.n - 1 : 0;

	if (by > 0 && v->back >= oldest)
		view_say(v, STYLE_NORMAL, "no older reading is kept");
	else if (by < 0 && v->back == 0)
		view_say(v, STYLE_NORMAL, "this is the newest reading");
	else if (by > 0)
		v->back = v->back + (uint32_t)by < oldest ? v->back + (uint32_t)by : oldest;
	else
		v->back = v->back > (uint32_t)-by ? v->back - (uint32_t)-by : 0;
}

static void toggle_pause(struct view *v)
{
	v->paused = !v->paused && !v->back;
	v->back = 0;
}

static void toggle_tag(struct view *v)
{
	const struct row *r = table_cursor(view_table(v));
	struct table_wants *w = &v->wants;
	uint64_t key;

	if (!r || r->kind != MODEL_PROCESS) {
		view_say(v, STYLE_NORMAL, "only processes can be tagged");
		return;
	}
	key = table_key(r);
	for (uint32_t i = 0; i < w->n_tags; i++) {
		if (w->tags[i] == key) {
			w->tags[i] = w->tags[--w->n_tags];
			table_move(view_table(v), 1, v->now_ns);
			return;
		}
	}
	if (w->n_tags == w->cap_tags) {
		uint32_t cap = w->cap_tags ? w->cap_tags * 2 : 16;
		uint64_t *tags = realloc(w->tags, cap * sizeof(*tags));

		if (!tags)
			return;
		w->tags = tags;
		w->cap_tags = cap;
	}
	w->tags[w->n_tags++] = key;
	table_move(view_table(v), 1, v->now_ns);
}

/* The processes of a group: by a filter, which Esc forgets. */
static void show_members(struct view *v, const struct row *r)
{
	const char *column = r->kind == MODEL_COMMAND ? "comm" : r->kind == MODEL_USER ? "user" : "cgroup";
	char text[TABLE_TEXT];
	int len =
		snprintf(text, sizeof(text), "%s=\"%s\"", column, r->kind == MODEL_USER ? names_user(r->uid) : r->comm);

	if (len >= (int)sizeof(text) || !view_filter(v, text)) {
		view_filter(v, "");
		view_say(v, STYLE_WARN, "the name of this group does not fit into a filter");
		return;
	}
	v->rows_kind = MODEL_PROCESS;
}

/* Who makes a call: Esc goes back to the calls. */
static void show_callers(struct view *v, uint32_t call)
{
	if (v->page.open)
		page_close(v);
	while (v->tables[v->at].view->kind != MODEL_CALL)
		v->at = (v->at + 1) % column_views_count;
	v->call = call;
	table_home(&v->callers);
}

static void enter(struct view *v)
{
	const struct row *r = view_table(v) ? table_cursor(view_table(v)) : NULL;

	if (!r || (v->page.open && r->kind != MODEL_CALL))
		return;
	switch (r->kind) {
	case MODEL_PROCESS:
	case MODEL_THREAD:
	case MODEL_CALLER:
		page_open(v, r);
		break;
	case MODEL_CONNECTION:
		if (r->pid)
			page_open(v, r);
		else
			view_say(v, STYLE_NORMAL, "no process is known to own this socket");
		break;
	case MODEL_COMMAND:
	case MODEL_USER:
	case MODEL_CGROUP:
		show_members(v, r);
		break;
	case MODEL_CALL:
		show_callers(v, r->call);
		break;
	}
}

/* Out of what is innermost. */
static void back(struct view *v)
{
	if (v->page.open)
		page_close(v);
	else if (v->call != LT_CALL_NONE)
		v->call = LT_CALL_NONE;
	else if (v->back || v->paused) {
		v->paused = true;
		toggle_pause(v);
	} else {
		view_filter(v, "");
		v->wants.search[0] = 0;
		v->wants.n_tags = 0;
		v->message_ns = 0;
	}
}

static void toggle_totals(struct view *v)
{
	struct model_query q = { .kind = shown_kind(v) };

	v->totals = !v->totals;
	batch_narrow(&v->wants.options, &q);
	view_say(v, STYLE_NORMAL, "%s",
		 !v->totals		? "rates of the interval"
		 : v->back		? "totals are known of the newest reading only"
		 : model_has_totals(&q) ? "totals since the start"
					: "totals are not kept of these rows: they are of the interval");
}

static void toggle_kind(struct view *v, enum model_kind kind)
{
	v->rows_kind = v->rows_kind == kind ? MODEL_PROCESS : kind;
	v->settings.threads = v->rows_kind == MODEL_THREAD;
	v->settings_changed = true;
	if (!view_is_process(v))
		choose_view(v, 0);
}

static void mouse(struct view *v, const struct key *k)
{
	struct table *t = view_table(v);
	const int *tab_x = v->page.open ? v->page_tab_x : v->tab_x;
	int tabs = v->page.open ? PAGE_TABS : (int)column_views_count;

	if (k->button != BUTTON_CLICK) {
		if (t)
			table_move(t, k->button == BUTTON_WHEEL_UP ? -3 : 3, v->now_ns);
		return;
	}
	if (k->y == (v->page.open ? v->page_tabs_y : v->tabs_y)) {
		for (int i = 0; i < tabs; i++) {
			if (k->x < tab_x[i] || k->x >= tab_x[i + 1])
				continue;
			if (v->page.open)
				v->page.tab = (enum page_tab)i;
			else
				choose_view(v, (size_t)i);
		}
	} else if (t && k->y == t->y) {
		for (int i = 0; i < t->n_shown; i++)
			if (k->x >= t->shown[i].x && k->x <= t->shown[i].x + t->shown[i].cells &&
			    t->shown[i].column->show != SHOW_SPARK) {
				table_sort(t, t->shown[i].column);
				v->settings_changed = true;
				break;
			}
	} else if (t && k->y > t->y && k->y <= t->y + t->lines) {
		uint32_t line = t->top + (uint32_t)(k->y - t->y - 1);

		if (line >= t->n)
			return;
		if (t->pinned && line == t->cursor)
			enter(v);
		else
			table_move(t, (int64_t)line - t->cursor, v->now_ns);
	}
}

static void obey(struct view *v, enum key_function function, uint32_t code)
{
	struct table *t = view_table(v);
	int page = t && t->lines > 1 ? t->lines - 1 : 1;

	if (code == K_END && v->back) {
		v->back = 0;
		return;
	}
	if (!t) { /* the heatmap has nothing to move in or sort */
		if (function == DO_LEFT || function == DO_RIGHT)
			page_tab(v, function == DO_LEFT ? -1 : 1);
		if (function != DO_NOTHING && function != DO_BACK && function != DO_QUIT && function != DO_HELP &&
		    function < DO_PAUSE && function != DO_NEXT_VIEW && function != DO_PREVIOUS_VIEW &&
		    function != DO_VIEW)
			return;
		if (function == DO_TAG)
			return;
	}
	v->moved = t && function >= DO_UP && function <= DO_END && function != DO_HOME;
	switch (function) {
	case DO_NOTHING:
		if (code > ' ' && code < 127)
			view_say(v, STYLE_NORMAL, "%c is no key here: ? shows them all", (char)code);
		break;
	case DO_UP:
	case DO_DOWN:
		table_move(t, function == DO_UP ? -1 : 1, v->now_ns);
		break;
	case DO_PAGE_UP:
	case DO_PAGE_DOWN:
		table_move(t, function == DO_PAGE_UP ? -page : page, v->now_ns);
		break;
	case DO_HALF_UP:
	case DO_HALF_DOWN:
		table_move(t, function == DO_HALF_UP ? -(page + 1) / 2 : (page + 1) / 2, v->now_ns);
		break;
	case DO_HOME:
		table_home(t);
		break;
	case DO_END:
		table_move(t, t->n, v->now_ns);
		break;
	case DO_LEFT:
	case DO_RIGHT:
		table_scroll(t, function == DO_LEFT ? -1 : 1);
		break;
	case DO_ENTER:
		enter(v);
		break;
	case DO_BACK:
		back(v);
		break;
	case DO_NEXT_VIEW:
	case DO_PREVIOUS_VIEW: {
		size_t step = function == DO_NEXT_VIEW ? 1 : column_views_count - 1;

		if (v->page.open)
			page_tab(v, function == DO_NEXT_VIEW ? 1 : -1);
		else
			choose_view(v, (v->at + step) % column_views_count);
		break;
	}
	case DO_VIEW:
		choose_view(v, code - '1');
		break;
	case DO_SORT_LEFT:
	case DO_SORT_RIGHT:
		table_sort_move(t, function == DO_SORT_LEFT ? -1 : 1);
		v->settings_changed = true;
		break;
	case DO_REVERSE:
		if (t->sort)
			table_sort(t, t->sort);
		v->settings_changed = true;
		break;
	case DO_SORT_MENU:
		menu_open(v, MODE_SORT);
		break;
	case DO_SEARCH:
		menu_open(v, MODE_SEARCH);
		break;
	case DO_FILTER:
		menu_open(v, MODE_FILTER);
		break;
	case DO_DELAY:
		menu_open(v, MODE_DELAY);
		break;
	case DO_COLUMNS:
		menu_open(v, MODE_COLUMNS);
		break;
	case DO_HELP:
		menu_open(v, MODE_HELP);
		break;
	case DO_SIGNAL:
		menu_open(v, MODE_SIGNAL);
		break;
	case DO_GROUP:
		menu_open(v, MODE_GROUP);
		break;
	case DO_NICE_UP:
	case DO_NICE_DOWN:
		menu_open_nice(v, function == DO_NICE_UP ? 1 : -1);
		break;
	case DO_SEARCH_NEXT:
	case DO_SEARCH_PREVIOUS:
		if (!v->wants.search[0])
			view_say(v, STYLE_WARN, "nothing to search for yet: / asks");
		else if (!table_find(t, &v->wants, function == DO_SEARCH_NEXT ? 1 : -1, false, v->now_ns))
			view_say(v, STYLE_WARN, "not found: %s", v->wants.search);
		break;
	case DO_THREADS:
		if (v->page.open)
			v->page.tab = PAGE_THREADS;
		else
			toggle_kind(v, MODEL_THREAD);
		break;
	case DO_TREE:
		v->wants.tree = v->settings.tree = !v->wants.tree;
		v->settings_changed = true;
		break;
	case DO_KERNEL:
		v->wants.no_kernel = !v->wants.no_kernel;
		v->settings_changed = true;
		view_say(v, STYLE_NORMAL, "kernel threads %s", v->wants.no_kernel ? "hidden" : "shown");
		break;
	case DO_DEAD:
		v->no_dead = !v->no_dead;
		v->settings_changed = true;
		view_say(v, STYLE_NORMAL, "the dead are %s",
			 v->no_dead ? "shown in their last reading only" : "kept for a while");
		break;
	case DO_ACTIVE:
		v->wants.options.active = !v->wants.options.active;
		view_say(v, STYLE_NORMAL, v->wants.options.active ? "only rows that did something" : "all rows");
		break;
	case DO_TOTALS:
		toggle_totals(v);
		break;
	case DO_PAUSE:
		toggle_pause(v);
		break;
	case DO_OLDER:
	case DO_NEWER:
		step_back(v, function == DO_OLDER ? 1 : -1);
		break;
	case DO_OLDER_10:
	case DO_NEWER_10:
		step_back(v, function == DO_OLDER_10 ? 10 : -10);
		break;
	case DO_TAG:
		toggle_tag(v);
		break;
	case DO_REDRAW:
		v->redraw = true;
		break;
	case DO_READ:
		v->read_now = true;
		break;
	case DO_QUIT:
		if (v->page.open)
			page_close(v);
		else
			v->quit = true;
		break;
	}
}

void view_key(struct view *v, const struct key *k)
{
	v->moved = false;
	if (v->mode != MODE_TABLE)
		menu_key(v, k);
	else if (k->code == K_MOUSE)
		mouse(v, k);
	else
		obey(v, key_function(k->code), k->code);
}

void view_draw(struct view *v, struct grid *g)
{
	grid_clear(g);
	draw_frame(v, g);
	if (v->mode != MODE_TABLE)
		menu_draw(v, g);
}
