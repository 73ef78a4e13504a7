/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Menus and prompts over the table: help, verdict, sort, group, columns, signal and its confirmation, search, filter,
 * delay. */
#include "menu.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "grow.h"
#include "utf8.h"

static bool is_prompt(enum view_mode mode)
{
	return mode == MODE_SEARCH || mode == MODE_FILTER || mode == MODE_DELAY;
}

/* The columns in the column chooser: the chosen ones in their order, then the others that apply. */
int menu_choosable(const struct table *t, const struct column *out[TABLE_COLUMNS])
{
	int n = 0;

	for (int i = 0; i < t->n_chosen; i++)
		out[n++] = t->chosen[i];
	for (size_t i = 0; i < columns_count && n < TABLE_COLUMNS; i++) {
		bool there = !(columns[i].kinds & 1 << t->view->kind);

		for (int k = 0; k < t->n_chosen; k++)
			there |= t->chosen[k] == &columns[i];
		if (!there)
			out[n++] = &columns[i];
	}
	return n;
}

int menu_sortable(const struct table *t, const struct column *out[TABLE_COLUMNS])
{
	const struct column *hurts = column_find("hurts");
	int n = 0, all = table_columns(t, out);
	bool there = !(hurts->kinds & 1 << t->kind);

	for (int i = 0; i < all; i++) {
		there |= out[i] == hurts;
		if (out[i]->show != SHOW_SPARK)
			out[n++] = out[i];
	}
	/* Also where it is not shown. */
	if (!there && n < TABLE_COLUMNS)
		out[n++] = hurts;
	return n;
}

static void menu_reset(struct view *v)
{
	free(v->menu.targets);
	v->menu = (struct menu){ .n = 0 };
}

static int add_target(struct menu *m, const struct row *r)
{
	struct menu_target *t;

	if (!GROW(m->targets, m->cap_targets, (size_t)m->n_targets + 1))
		return -ENOMEM;
	t = &m->targets[m->n_targets++];
	t->pid = r->pid;
	t->start_ns = r->start_ns;
	snprintf(t->name, sizeof(t->name), "%s", *r->cmdline ? r->cmdline : r->comm);
	return 0;
}

/* The processes that it would affect: the tagged ones, else the one under the cursor or of the page. */
static void take_targets(struct view *v)
{
	struct model_query q = { .kind = MODEL_PROCESS, .no_dead = true };
	uint64_t start_ns = 0;
	const struct row *cursor;
	struct row *rows;
	uint32_t pid = 0;
	int n;

	if (v->page.open) {
		if (!v->page.gone && !v->page.row.exited)
			add_target(&v->menu, &v->page.row);
		return;
	}
	cursor = table_cursor(view_main(v));
	if (cursor) {
		pid = cursor->pid;
		start_ns = view_owner(v, cursor);
	}
	if (!v->wants.n_tags && !pid)
		return;
	n = model_rows(v->live, &q, &rows);
	for (int i = 0; i < n; i++) {
		bool meant = v->wants.n_tags ? table_tagged(&v->wants, table_key(&rows[i]))
					     : rows[i].pid == pid && rows[i].start_ns == start_ns;

		if (meant && !rows[i].exited && add_target(&v->menu, &rows[i]))
			return;
	}
}

static bool may_act(struct view *v)
{
	if (v->options->readonly)
		view_say(v, STYLE_WARN, "--readonly: no signals and no renice");
	else if (!v->source_live)
		view_say(v, STYLE_WARN, "this is a recording: its processes cannot be signalled or reniced");
	else
		return true;
	return false;
}

static const char *reason(int err)
{
	return err == -ESRCH ? "the process is gone" : strerror(-err);
}

static void choose_nice(struct menu *m, int by)
{
	int nice = m->nice_then + by;

	m->nice_then = nice < CONTROL_NICE_MIN ? CONTROL_NICE_MIN : nice > CONTROL_NICE_MAX ? CONTROL_NICE_MAX : nice;
}

void menu_open_nice(struct view *v, int by)
{
	struct menu *m = &v->menu;
	int err;

	menu_reset(v);
	if (!may_act(v))
		return;
	take_targets(v);
	if (m->n_targets != 1) {
		view_say(v, STYLE_WARN,
			 m->n_targets ? "nice works on one process: Esc clears the tags" : "no running process here");
		return;
	}
	err = control_nice(m->targets->pid, m->targets->start_ns, &m->nice);
	if (err) {
		view_say(v, STYLE_BAD, "nice of %u: %s", m->targets->pid, reason(err));
		return;
	}
	m->nice_then = m->nice;
	v->mode = MODE_NICE;
	choose_nice(m, by);
}

void menu_open(struct view *v, int mode)
{
	const struct column *cols[TABLE_COLUMNS];
	struct table *t = view_table(v);

	menu_reset(v);
	v->input[0] = 0;
	switch (mode) {
	case MODE_SORT:
		v->menu.n = menu_sortable(t, cols);
		for (int i = 0; i < v->menu.n; i++)
			if (cols[i] == t->sort)
				v->menu.cursor = i;
		break;
	case MODE_GROUP:
		if (v->page.open)
			return;
		v->menu.n = SELECTION_GROUPS;
		for (int i = 0; i < SELECTION_GROUPS; i++)
			if (selection_groups[i].kind == v->rows_kind)
				v->menu.cursor = i;
		break;
	case MODE_COLUMNS:
		v->menu.n = menu_choosable(t, cols);
		break;
	case MODE_SIGNAL:
		if (!may_act(v))
			return;
		take_targets(v);
		if (!v->menu.n_targets) {
			view_say(v, STYLE_WARN, "no running process here");
			return;
		}
		v->menu.n = control_signals_count;
		break;
	case MODE_FILTER:
		memcpy(v->filter_kept, v->wants.filter, sizeof(v->filter_kept));
		v->filter_before = view_filter_long(v) ? v->options->filter : v->filter_kept;
		if (v->filter_before ==
		    v->filter_kept) /* else it is too long for the prompt: what is typed replaces it */
			memcpy(v->input, v->filter_kept, sizeof(v->input));
		v->filter_why[0] = 0;
		break;
	default:
		break;
	}
	v->mode = (enum view_mode)mode;
}

static void send_signals(struct view *v)
{
	const struct menu *m = &v->menu;
	int sent = 0, err = 0;

	for (int i = 0; i < m->n_targets; i++) {
		int e = control_signal(m->targets[i].pid, m->targets[i].start_ns, m->signal);

		sent += !e;
		err = e ? e : err;
	}
	if (err)
		view_say(v, STYLE_BAD, "%d of %d signals sent; %s", sent, m->n_targets, reason(err));
	else
		view_say(v, STYLE_NORMAL, "SIG%s sent to %d process%s", sigabbrev_np(m->signal), sent,
			 sent == 1 ? "" : "es");
	v->wants.n_tags = 0;
}

static void send_nice(struct view *v)
{
	const struct menu *m = &v->menu;
	int err = control_renice(m->targets->pid, m->targets->start_ns, m->nice_then);

	if (err)
		view_say(v, STYLE_BAD, "nice of %u: %s", m->targets->pid, reason(err));
	else
		view_say(v, STYLE_NORMAL, "nice of %u is %d now", m->targets->pid, m->nice_then);
	v->wants.n_tags = 0;
}

/* Replaces the chosen columns by these n. */
static void choose_columns(struct table *t, const struct column **cols, int n)
{
	memcpy(t->chosen, cols, (size_t)n * sizeof(*cols));
	t->n_chosen = n;
	t->skip = 0;
}

/* Adds or removes the column under the cursor. */
static void toggle_column(struct view *v)
{
	const struct column *cols[TABLE_COLUMNS], *c;
	struct table *t = view_table(v);
	int n = menu_choosable(t, cols), at = v->menu.cursor, to;

	if (at >= n)
		return;
	c = cols[at];
	if (at < t->n_chosen && t->n_chosen > 1) {
		memmove(cols + at, cols + at + 1, (size_t)(t->n_chosen - at - 1) * sizeof(*cols));
		choose_columns(t, cols, t->n_chosen - 1);
	} else if (at >= t->n_chosen && t->n_chosen < TABLE_COLUMNS) {
		/* Before the last one, or the last two, which take the rest of the line. */
		to = t->n_chosen ? t->n_chosen - 1 : 0;
		if (to && cols[to]->flags & COLUMN_WHY)
			to--;
		memmove(cols + to + 1, cols + to, (size_t)(at - to) * sizeof(*cols));
		cols[to] = c;
		choose_columns(t, cols, t->n_chosen + 1);
		v->menu.cursor = to;
	}
	v->menu.n = menu_choosable(t, cols);
	v->settings_changed = true;
}

static void move_column(struct view *v, int by)
{
	const struct column *cols[TABLE_COLUMNS], *c;
	struct table *t = view_table(v);
	int at = v->menu.cursor, to = at + by;

	menu_choosable(t, cols);
	if (at >= t->n_chosen || to < 0 || to >= t->n_chosen)
		return;
	c = cols[at];
	cols[at] = cols[to];
	cols[to] = c;
	choose_columns(t, cols, t->n_chosen);
	v->menu.cursor = to;
	v->settings_changed = true;
}

/* Space adds or removes, + and - (or right and left) move. */
static bool columns_key(struct view *v, uint32_t code)
{
	switch (code) {
	case ' ':
	case K_ENTER:
		toggle_column(v);
		return true;
	case '-':
	case K_LEFT:
		move_column(v, -1);
		return true;
	case '+':
	case K_RIGHT:
		move_column(v, 1);
		return true;
	default:
		return false;
	}
}

static void put_cursor(struct view *v, int to)
{
	struct menu *m = &v->menu;

	if (v->mode == MODE_HELP || v->mode == MODE_WHY || v->mode == MODE_LOST || v->mode == MODE_SIGNS) {
		m->top += to - m->cursor;
		if (m->top > m->n - m->lines)
			m->top = m->n - m->lines;
		if (m->top < 0)
			m->top = 0;
		m->cursor = m->top;
		return;
	}
	m->cursor = to < m->n ? to : m->n - 1;
	if (m->cursor < 0)
		m->cursor = 0;
}

void menu_move(struct view *v, int by)
{
	put_cursor(v, v->menu.cursor + by);
}

void menu_move_page(struct view *v, int direction)
{
	menu_move(v, direction * (v->menu.lines > 1 ? v->menu.lines - 1 : 1));
}

void menu_home(struct view *v)
{
	put_cursor(v, 0);
}

void menu_end(struct view *v)
{
	put_cursor(v, v->menu.n - 1);
}

void menu_close(struct view *v)
{
	v->mode = MODE_TABLE;
}

void menu_reverse(struct view *v)
{
	if (v->mode != MODE_SORT)
		return;
	table_sort(view_table(v), view_table(v)->sort);
	v->settings_changed = true;
}

void menu_enter(struct view *v)
{
	const struct column *cols[TABLE_COLUMNS];
	struct table *t = view_table(v);
	int at = v->menu.cursor, n;

	switch (v->mode) {
	case MODE_SORT:
		n = menu_sortable(t, cols);
		if (at < n && cols[at] != t->sort)
			table_sort(t, cols[at]);
		v->settings_changed = true;
		break;
	case MODE_GROUP:
		v->rows_kind = selection_groups[at].kind;
		v->call = LT_CALL_NONE;
		v->settings.threads = false;
		if (!view_is_process(v))
			v->at = 0;
		v->settings_changed = true;
		break;
	case MODE_SIGNAL:
		v->menu.signal = control_signals[at].number;
		v->mode = MODE_CONFIRM;
		return;
	default:
		break;
	}
	v->mode = MODE_TABLE;
}

/* The wheel moves; a click moves the cursor; a click on the cursor is Enter. */
static void list_mouse(struct view *v, const struct key *k)
{
	struct menu *m = &v->menu;
	int item = m->top + k->y - m->y;

	if (k->button != BUTTON_CLICK)
		menu_move(v, k->button == BUTTON_WHEEL_UP ? -1 : 1);
	else if (k->y < m->y || k->y >= m->y + m->lines || item >= m->n)
		return;
	else if (item == m->cursor)
		menu_enter(v);
	else
		put_cursor(v, item);
}

static void set_delay(struct view *v)
{
	if (!v->input[0])
		return;
	if (!options_delay(v->input, &v->delay_s)) {
		view_say(v, STYLE_WARN, "the delay must be %.1f to %d seconds", OPTIONS_DELAY_MIN_S,
			 OPTIONS_DELAY_MAX_S);
		return;
	}
	v->settings.delay_s = v->delay_s;
	v->delay_changed = v->settings_changed = true;
}

/* Appends a character to the prompt as UTF-8, if it is printable. */
static bool append(char *input, uint32_t ch)
{
	size_t len = strlen(input), bytes;
	char utf8[UTF8_BYTES];

	if (utf8_is_control(ch) || ch > UTF8_MAX)
		return false;
	bytes = utf8_encode(utf8, ch);
	if (len + bytes >= TABLE_TEXT)
		return false;
	memcpy(input + len, utf8, bytes);
	input[len + bytes] = '\0';
	return true;
}

static void prompt_key(struct view *v, uint32_t code)
{
	struct table *t = view_table(v);
	size_t len = strlen(v->input);
	bool changed = false;

	if (code == K_ESC) {
		if (v->mode == MODE_FILTER) /* an invalid filter: the one before stays */
			view_filter(v, v->filter_before);
		if (v->mode == MODE_SEARCH)
			v->wants.search[0] = 0;
		v->mode = MODE_TABLE;
		return;
	}
	if (code == K_ENTER || code == '\n') {
		if (v->mode == MODE_DELAY)
			set_delay(v);
		if (v->mode == MODE_FILTER && v->filter_why[0])
			return; /* invalid: the prompt says why */
		v->mode = MODE_TABLE;
		return;
	}
	if (code == K_BACKSPACE) {
		if (!len) {
			v->mode = MODE_TABLE;
			return;
		}
		do
			v->input[--len] = 0;
		while (len && utf8_continues(v->input[len]));
		changed = true;
	} else if (code == ('U' & K_CTRL)) {
		v->input[0] = 0;
		changed = true;
	} else if ((code == K_UP || code == K_DOWN) && v->mode == MODE_SEARCH) {
		view_search(v, code == K_UP ? -1 : 1);
	} else {
		changed = append(v->input, code);
	}
	if (!changed)
		return;
	if (v->mode == MODE_FILTER) {
		view_filter(v, v->input);
		table_release(t);
	}
	if (v->mode == MODE_SEARCH) {
		memcpy(v->wants.search, v->input, sizeof(v->input));
		if (v->input[0])
			view_search(v, 0);
	}
}

/* Only y confirms. F7 and F8 change the nice value further. */
static void confirm_key(struct view *v, uint32_t code)
{
	bool nice = v->mode == MODE_NICE;

	if (nice && (code == K_F + 7 || code == K_F + 8)) {
		choose_nice(&v->menu, code == K_F + 8 ? 1 : -1);
		return;
	}
	v->mode = MODE_TABLE;
	if (code != 'y' && code != 'Y')
		view_say(v, STYLE_NORMAL, nice ? "nothing was changed" : "nothing was sent");
	else if (nice)
		send_nice(v);
	else
		send_signals(v);
}

bool menu_key(struct view *v, const struct key *k)
{
	if (v->mode == MODE_CONFIRM || v->mode == MODE_NICE)
		confirm_key(v, k->code);
	else if (is_prompt(v->mode))
		prompt_key(v, k->code);
	else if (k->code == K_MOUSE)
		list_mouse(v, k);
	else if (v->mode != MODE_COLUMNS || !columns_key(v, k->code))
		return false;
	return true;
}
