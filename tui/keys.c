/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What keys and the mouse do. Motion keys take precedence over top's letters; nothing sends a signal without a menu. */
#include "keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "budget.h"
#include "grow.h"
#include "jump.h"
#include "menu.h"
#include "page.h"
#include "trail.h"

/* ---- moving: these only move the cursor and do not rearrange the rows ---- */

static void move(struct view *v, int by)
{
	table_move(view_table(v), by, v->now_ns);
	v->moved = true;
}

/* Above the first row is the title. */
static void move_line(struct view *v, int by)
{
	if (v->on_title || (by < 0 && !view_table(v)->cursor))
		v->on_title = by < 0;
	else
		move(v, by);
}

static void enter(struct view *v)
{
	if (v->on_title)
		menu_open(v, MODE_SIGNS);
	else if (table_on_fold(view_table(v)))
		table_unfold(view_table(v));
	else
		jump_enter(v);
}

static int page_lines(const struct table *t)
{
	return t->lines > 1 ? t->lines - 1 : 1;
}

static void move_page(struct view *v, int direction)
{
	move(v, direction * page_lines(view_table(v)));
}

static void move_half_page(struct view *v, int direction)
{
	move(v, direction * ((page_lines(view_table(v)) + 1) / 2));
}

static void move_home(struct view *v)
{
	table_home(view_table(v));
}

enum { KEY_END, KEY_LAST_ROW };

/* When a past reading is shown, End returns to the newest. */
static void move_end(struct view *v, int which)
{
	struct table *t = view_table(v);

	if (which == KEY_END && v->back) {
		v->back = 0;
	} else if (t) {
		table_move(t, t->n, v->now_ns);
		v->moved = true;
	}
}

static void scroll(struct view *v, int by)
{
	struct table *t = view_table(v);

	v->moved = t;
	if (t)
		table_scroll(t, by);
	else
		page_tab(v, by);
}

/* ---- closing ---- */

/* Closes the innermost thing that is open. */
static void back(struct view *v)
{
	v->trail.n = 0;
	if (jump_close(v))
		return;
	if (v->back || v->paused) {
		v->paused = false;
		v->back = 0;
	} else {
		view_filter(v, "");
		v->wants.search[0] = 0;
		v->wants.n_tags = 0;
		v->message_ns = 0;
	}
}

static void back_along_trail(struct view *v)
{
	if (!trail_back(v) && !jump_close(v))
		view_say(v, STYLE_NORMAL, "nothing to go back to; Esc clears filter and tags");
}

static void quit(struct view *v)
{
	if (v->page.open)
		back_along_trail(v);
	else
		v->quit = true;
}

/* ---- views ---- */

static void choose_view(struct view *v, int at)
{
	if ((size_t)at >= column_views_count || at >= VIEW_TABLES)
		return;
	v->at = v->settings.view = (size_t)at;
	v->call = LT_CALL_NONE;
	v->disk.open = false;
	v->settings_changed = true;
	v->trail.n = 0;
	if (v->page.open)
		page_close(v);
}

static void step_view(struct view *v, int by)
{
	int n = (int)column_views_count;

	if (v->page.open)
		page_tab(v, by);
	else
		choose_view(v, ((int)v->at + n + by) % n);
}

static void search(struct view *v, int direction)
{
	if (!v->wants.search[0])
		view_say(v, STYLE_WARN, "nothing to search for yet: press /");
	else if (!view_search(v, direction))
		view_say(v, STYLE_WARN, "not found: %s", v->wants.search);
}

static void sort_by_next(struct view *v, int direction)
{
	table_sort_move(view_table(v), direction);
	v->settings_changed = true;
}

static void reverse(struct view *v)
{
	struct table *t = view_table(v);

	if (t->sort)
		table_sort(t, t->sort);
	v->settings_changed = true;
}

static void toggle_tree(struct view *v)
{
	v->wants.tree = v->settings.tree = !v->wants.tree;
	table_release(view_main(v));
	v->settings_changed = true;
}

static void toggle_threads(struct view *v)
{
	if (v->page.open) {
		v->page.tab = PAGE_THREADS;
		return;
	}
	v->rows_kind = v->rows_kind == MODEL_THREAD ? MODEL_PROCESS : MODEL_THREAD;
	v->settings.threads = v->rows_kind == MODEL_THREAD;
	v->settings_changed = true;
	if (!view_is_process(v))
		choose_view(v, 0);
}

static void toggle_kernel(struct view *v)
{
	v->wants.no_kernel = !v->wants.no_kernel;
	v->settings_changed = true;
	view_say(v, STYLE_NORMAL, "kernel threads are %s",
		 v->wants.no_kernel ? "shown while they are busy or lag" : "shown");
}

static void cycle_dead(struct view *v)
{
	static const char *const how[DEAD_MODES] = {
		[DEAD_ALONE] = "shown one by one, for a while",
		[DEAD_SUMMED] = "summed by command and parent",
		[DEAD_ADDED] = "added to their parents",
		[DEAD_HIDDEN] = "not shown",
	};

	v->dead = (v->dead + 1) % DEAD_MODES;
	v->settings_changed = true;
	view_say(v, STYLE_NORMAL, "exited processes are %s", how[v->dead]);
}

static void toggle_active(struct view *v)
{
	v->wants.selection.active = !v->wants.selection.active;
	view_say(v, STYLE_NORMAL, v->wants.selection.active ? "only rows with activity" : "all rows");
}

static void toggle_totals(struct view *v)
{
	struct model_query q = { .kind = view_kind(v) };

	v->totals = !v->totals;
	selection_narrow(&v->wants.selection, &q);
	view_say(v, STYLE_NORMAL, "%s",
		 !v->totals		? "rates of the interval"
		 : v->back		? "totals are known for the newest reading only"
		 : model_has_totals(&q) ? "totals since the start"
					: "no totals are kept for these rows: rates of the interval");
}

/* ---- time ---- */

static void toggle_calls(struct view *v)
{
	const struct sample *s = model_sample(v->live);
	const struct sample_probe *calls = s ? &s->probe[SAMPLE_SYSCALL] : NULL;

	if (!v->source_live || !calls) {
		view_say(v, STYLE_WARN, "this is a recording: nothing to turn off");
		return;
	}
	if (!v->calls_off && !calls->on) {
		view_say(v, STYLE_WARN, "system calls cannot be watched: %s", calls->reason);
		return;
	}
	if (v->calls_fixed) {
		view_say(v, STYLE_WARN, "on this kernel system calls can be left out only by --no-syscall");
		return;
	}
	v->calls_off = !v->calls_off;
	view_say(v, STYLE_NORMAL, "system calls are %s",
		 v->calls_off ? "no longer watched, at no cost" : "watched again");
}

/* The command line's budget, or the default if that is off. */
static void toggle_budget(struct view *v)
{
	double percent = v->options->probe.budget_percent;

	if (!v->source_live) {
		view_say(v, STYLE_WARN, "this is a recording: nothing to limit");
		return;
	}
	v->budget_percent = v->budget_percent > 0 ? 0 : percent > 0 ? percent : BUDGET_DEFAULT;
	if (v->budget_percent > 0)
		view_say(v, STYLE_NORMAL, "watching is limited to %.3g %% of all CPUs' time, and of a busy process's",
			 v->budget_percent);
	else
		view_say(v, STYLE_NORMAL, "the cost of watching is not limited: everything is exact");
}

static void toggle_pause(struct view *v)
{
	v->paused = !v->paused && !v->back;
	v->back = 0;
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

/* The reading that is shown; in a recording that is being written the mark goes with the next one. */
static void set_mark(struct view *v)
{
	const struct history_moment *m = history_moment(&v->history, v->back);

	if (!m)
		return;
	if (!m->marked && v->n_marks < VIEW_MARKS)
		v->marks_ns[v->n_marks++] = m->realtime_ns;
	history_mark(&v->history, m->realtime_ns);
	view_say(v, STYLE_NORMAL, "marked: , and . go to marks");
}

/* To the mark before or after the reading that is shown. In a recording there may be one further on. */
static void jump_mark(struct view *v, int by)
{
	const struct history_moment *m;
	int64_t back = (int64_t)v->back + by;

	for (; (m = back < 0 ? NULL : history_moment(&v->history, (uint32_t)back)) && !m->marked; back += by)
		;
	if (m) {
		v->back = (uint32_t)back;
		v->paused |= !back; /* else the next reading would be shown at once */
	} else if (by > 0) {
		view_say(v, STYLE_NORMAL, "no mark before this reading is kept");
	} else if (v->source_live || v->streams || v->source_ended) {
		view_say(v, STYLE_NORMAL, "no mark after this reading");
	} else {
		v->back = 0;
		v->paused = false;
		v->seek_mark = true;
	}
}

static void read_now(struct view *v)
{
	v->read_now = true;
}

static void redraw(struct view *v)
{
	v->redraw = true;
}

static void save(struct view *v)
{
	v->save = true;
}

/* ---- processes ---- */

static void toggle_tag(struct view *v, int down)
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
			table_move(view_table(v), down, v->now_ns);
			return;
		}
	}
	if (!GROW(w->tags, w->cap_tags, w->n_tags + 1))
		return;
	w->tags[w->n_tags++] = key;
	table_move(view_table(v), down, v->now_ns);
}

/* ---- the table ---- */

#define TABLE KEY_NEEDS_TABLE
#define COUNTS KEY_COUNTS
#define HOLDS KEY_HOLDS
#define FIRST KEY_FIRST

/* clang-format off */
#define DO(f) { .plain = f }
#define WITH(f, n) { .with = f, .arg = n }
const struct key_row key_rows[] = {
	/* action, flags, keys */
	{ .help = "Moving" },
	{ WITH(move_line, -1), TABLE, { K_UP, 'k' }, .help = "up one row; above the first is the title: Enter explains it", .in_list = WITH(menu_move, -1) },
	{ WITH(move_line, 1), TABLE, { K_DOWN, 'j' }, .help = "down one row", .in_list = WITH(menu_move, 1) },
	{ WITH(scroll, -1), 0, { K_LEFT, 'h' }, .help = "columns to the left" },
	{ WITH(scroll, 1), 0, { K_RIGHT, 'l' }, .help = "columns to the right" },
	{ WITH(move_page, -1), TABLE, { K_PAGE_UP, 'B' & K_CTRL }, .help = "up one page", .in_list = WITH(menu_move_page, -1) },
	{ WITH(move_page, 1), TABLE, { K_PAGE_DOWN, 'F' & K_CTRL }, .help = "down one page", .in_list = WITH(menu_move_page, 1) },
	{ WITH(move_half_page, -1), TABLE, { 'U' & K_CTRL }, .help = "up half a page", .in_list = WITH(menu_move_page, -1) },
	{ WITH(move_half_page, 1), TABLE, { 'D' & K_CTRL }, .help = "down half a page", .in_list = WITH(menu_move_page, 1) },
	{ DO(move_home), TABLE, { K_HOME, 'g' }, .help = "first row; the table stays at its top", .in_list = DO(menu_home) },
	{ WITH(move_end, KEY_END), COUNTS, { K_END, 'G' }, .help = "last row; in the past, End: back to now", .in_list = DO(menu_end) },
	{ DO(enter), TABLE | HOLDS | FIRST, { K_ENTER }, .help = "open the row: its process (of a CPU: the one running; of a connection: the other end; of a culprit: the culprit), group, disk, or a call's callers", .in_list = DO(menu_enter) },
	{ DO(back_along_trail), FIRST, { K_BACKSPACE }, .help = "back to where Enter was pressed, up to 16 steps", .in_list = DO(menu_close) },
	{ DO(back), FIRST, { K_ESC }, .help = "out of the page; in the table: clear filter and tags", .in_list = DO(menu_close) },

	{ .help = "Views" },
	{ WITH(menu_open, MODE_HELP), FIRST, { '?', K_F + 1 }, .help = "this help", .label = "Help", .in_list = DO(menu_close) },
	{ WITH(menu_open, MODE_WHY), FIRST, { 'w' }, .help = "what lagged in the last 5 s, and why; in a page: of its process", .label = "Why" },
	{ WITH(menu_open, MODE_LOST), 0, { '!' }, .help = "what was lost: which, how many, whose numbers, since when", .in_list = DO(menu_close) },
	{ WITH(choose_view, 0), COUNTS, { '1', '2', '3' }, .help = "overview, sched, syscalls (processes by their calls)" },
	{ WITH(choose_view, 3), COUNTS, { '4', '5', '6' }, .help = "net, calls (system calls over all processes), connections" },
	{ WITH(choose_view, 6), COUNTS, { '7', '8' }, .help = "disks, CPUs" },
	{ WITH(step_view, 1), FIRST, { K_TAB }, .help = "next view" },
	{ WITH(step_view, -1), 0, { K_BACKTAB }, .help = "previous view" },
	{ WITH(menu_open, MODE_SEARCH), TABLE | HOLDS | FIRST, { '/', K_F + 3 }, .help = "search while typing: command, pid, :port, unit, container, user", .label = "Search" },
	{ WITH(search, 1), TABLE, { 'n' }, .help = "next match" },
	{ WITH(search, -1), TABLE, { 'N' }, .help = "previous match" },
	{ WITH(menu_open, MODE_FILTER), TABLE | FIRST, { '\\', K_F + 4 }, .help = "only rows that match: a word, or cpu>5 and user=root", .label = "Filter" },
	{ WITH(sort_by_next, -1), TABLE, { '<' }, .help = "sort by the column to the left" },
	{ WITH(sort_by_next, 1), TABLE, { '>' }, .help = "sort by the column to the right" },
	{ WITH(menu_open, MODE_SORT), TABLE | FIRST, { 's', K_F + 6 }, .help = "menu of columns to sort by", .label = "Sort" },
	{ DO(reverse), TABLE, { 'I' }, .help = "reverse the sort", .in_list = DO(menu_reverse) },
	{ DO(toggle_tree), TABLE | FIRST, { 't', K_F + 5 }, .help = "parents and children", .label = "Tree", .page_label = "" },
	{ DO(toggle_threads), TABLE | FIRST, { 'H' }, .help = "one row per thread", .label = "Threads" },
	{ WITH(menu_open, MODE_GROUP), TABLE, { 'c' }, .help = "group by command, user, cgroup", .label = "Group", .page_label = "" },
	{ WITH(menu_open, MODE_COLUMNS), TABLE, { 'C', K_F + 2 }, .help = "choose columns", .label = "Columns" },
	{ DO(toggle_kernel), TABLE, { 'K' }, .help = "show or hide idle kernel threads" },
	{ DO(cycle_dead), TABLE, { 'D' }, .help = "exited processes: one by one, summed by command and parent, added to their parents, or not at all" },
	{ DO(toggle_active), TABLE, { 'a' }, .help = "only rows with activity" },
	{ DO(toggle_totals), TABLE, { 'T' }, .help = "rates, or totals since the start" },

	{ .help = "Time" },
	{ DO(toggle_pause), 0, { 'p' }, .help = "freeze the screen; readings continue", .label = "Pause" },
	{ WITH(step_back, 1), FIRST, { '[' }, .help = "one reading back" },
	{ WITH(step_back, -1), 0, { ']' }, .help = "one reading forward" },
	{ WITH(step_back, 10), 0, { '{' }, .help = "ten readings back" },
	{ WITH(step_back, -10), 0, { '}' }, .help = "ten readings forward" },
	{ DO(set_mark), 0, { 'm' }, .help = "mark this reading, in the recording, too (--record)" },
	{ WITH(jump_mark, 1), 0, { ',' }, .help = "to the mark before" },
	{ WITH(jump_mark, -1), 0, { '.' }, .help = "to the next mark; in a recording that may be further on" },
	{ WITH(menu_open, MODE_DELAY), 0, { 'd' }, .help = "time between readings" },
	{ DO(toggle_budget), 0, { 'b' }, .help = "keep to the budget (--budget), or watch everything exactly" },
	{ DO(toggle_calls), 0, { 'F' }, .help = "turn watching of system calls on or off (off costs nothing)" },

	{ .help = "Processes" },
	{ WITH(toggle_tag, 1), TABLE, { ' ' }, .help = "tag the process", .in_list = WITH(menu_move_page, 1) }, /* as in every pager */
	{ WITH(menu_open, MODE_SIGNAL), HOLDS, { 'x', K_F + 9 }, .help = "send a signal: pick one, then confirm", .label = "Signal" },
	{ WITH(menu_open_nice, 1), HOLDS, { K_F + 8 }, .help = "raise the nice value (lower priority): asks first" },
	{ WITH(menu_open_nice, -1), HOLDS, { K_F + 7 }, .help = "lower the nice value (higher priority): asks first" },

	{ .help = "Leaving" },
	{ DO(save), 0, { 'W' }, .help = "save columns, sort, view, delay; * in the title: not saved" },
	{ DO(redraw), 0, { 'L' & K_CTRL }, .help = "redraw the screen" },
	{ DO(quit), FIRST, { 'q', K_F + 10 }, .help = "quit; in a page: back", .label = "Quit", .page_label = "Back", .in_list = DO(menu_close) },
	{ DO(read_now), 0, { 'N' & K_CTRL }, .help = NULL }, /* --manual: the next reading, now */
};
/* clang-format on */
const size_t key_rows_count = sizeof(key_rows) / sizeof(key_rows[0]);

const char *key_label(uint32_t code, char buf[16])
{
	static const struct {
		uint32_t code;
		const char *name;
	} names[] = {
		{ K_UP, "Up" },		 { K_DOWN, "Down" },	     { K_LEFT, "Left" },   { K_RIGHT, "Right" },
		{ K_PAGE_UP, "PgUp" },	 { K_PAGE_DOWN, "PgDn" },    { K_HOME, "Home" },   { K_END, "End" },
		{ K_BACKSPACE, "Bksp" }, { K_DELETE, "Del" },	     { K_ENTER, "Enter" }, { K_ESC, "Esc" },
		{ K_TAB, "Tab" },	 { K_BACKTAB, "Shift-Tab" }, { ' ', "Space" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].code == code)
			return names[i].name;
	if (code > K_F)
		snprintf(buf, 16, "F%u", code - K_F);
	else if (code < ' ')
		snprintf(buf, 16, "^%c", (char)(code + '@'));
	else
		snprintf(buf, 16, "%c", (char)code);
	return buf;
}

void keys_list(FILE *out)
{
	char buf[16];

	for (const struct key_row *row = key_rows; row < key_rows + key_rows_count; row++) {
		if (!row->help)
			continue;
		for (int k = 0; k < 4 && row->keys[k]; k++)
			fprintf(out, "%s%s", k ? " " : "", key_label(row->keys[k], buf));
		fprintf(out, "%s%s\n", key_does(row) ? "\t" : "", row->help);
	}
}

bool key_does(const struct key_row *row)
{
	return row->action.plain || row->action.with;
}

/* which: the key's place among those of its row. */
static const struct key_row *find_key(uint32_t code, int *which)
{
	if (code == '\n')
		code = K_ENTER;
	for (size_t i = 0; i < key_rows_count; i++)
		for (int k = 0; k < 4 && key_rows[i].keys[k]; k++)
			if (key_rows[i].keys[k] == code) {
				*which = k;
				return &key_rows[i];
			}
	return NULL;
}

static void act(struct view *v, const struct key_action *action, int more)
{
	if (action->plain)
		action->plain(v);
	else if (action->with)
		action->with(v, action->arg + more);
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
	if (k->y == 0) {
		menu_open(v, MODE_SIGNS);
	} else if (k->y == (v->page.open ? v->page_tabs_y : v->tabs_y)) {
		for (int i = 0; i < tabs; i++) {
			if (k->x < tab_x[i] || k->x >= tab_x[i + 1])
				continue;
			if (v->page.open)
				v->page.tab = (enum page_tab)i;
			else
				choose_view(v, i);
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

		if (line >= t->n + (t->idle > 0))
			return;
		if (line == t->cursor)
			enter(v);
		else
			table_move(t, (int64_t)line - t->cursor, v->now_ns);
	}
}

void keys_dispatch(struct view *v, const struct key *k)
{
	int which;
	const struct key_row *row = find_key(k->code, &which);

	v->moved = false;
	if (v->mode != MODE_TABLE) {
		if (!menu_key(v, k) && row)
			act(v, &row->in_list, 0);
	} else if (k->code == K_MOUSE) {
		v->on_title = false;
		mouse(v, k);
	} else if (row) {
		if (row->flags & KEY_HOLDS && view_table(v))
			table_hold(view_table(v), v->now_ns);
		v->on_title &= row->action.with == move_line || row->action.plain == enter;
		if (view_table(v) || !(row->flags & KEY_NEEDS_TABLE))
			act(v, &row->action, row->flags & KEY_COUNTS ? which : 0);
	} else if (k->code > ' ' && k->code < 127) {
		view_say(v, STYLE_NORMAL, "no key %c here: ? lists them all", (char)k->code);
	}
}
