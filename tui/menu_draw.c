/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Menus and prompts drawn: see menu_draw.h. */
#include "menu_draw.h"

#include <stdio.h>
#include <string.h>

#include "control.h"
#include "format.h"
#include "help.h"
#include "menu.h"
#include "utf8.h"
#include "verdict_write.h"

#define HELP_CELLS 92
#define WHY_CELLS 110
#define FOOT_LINES 2	 /* below a list of columns: the full help for the one under the cursor */
#define FOOT_MIN_ROWS 16 /* of the screen */

static void draw_help(struct view *v, struct grid *g)
{
	bool lost = v->mode == MODE_LOST;
	struct help help;
	struct menu *m = &v->menu;
	struct grid_box box;

	if (lost)
		help_lost(&help, v, (g->cols < HELP_CELLS ? g->cols : HELP_CELLS) - 4);
	box = grid_box(g, lost ? help.n : g->rows, HELP_CELLS,
		       lost ? "What was lost: Esc leaves" : "Help: Up and Down scroll, Esc leaves");
	if (v->mode == MODE_SIGNS)
		help_signs(&help, v, box.cols, g->blocks);
	else if (!lost)
		help_make(&help, v, box.cols, g->blocks);
	m->n = help.n;
	m->y = box.y;
	m->lines = box.rows;
	for (int i = 0; i < box.rows && m->top + i < help.n; i++) {
		const struct help_line *line = &help.line[m->top + i];
		int left = line->style == STYLE_STRONG ? 0 : HELP_KEYS_CELLS + 1;

		grid_text(g, box.y + i, box.x, HELP_KEYS_CELLS, STYLE_KEY, line->key);
		grid_text(g, box.y + i, box.x + left, line->len < box.cols - left ? line->len : box.cols - left,
			  line->style, line->text);
	}
	if (m->top + m->lines < m->n)
		grid_text(g, box.y + m->lines, box.x + box.cols - 6, 6, STYLE_KEY, " more ");
}

/* How much of a clean text fits, up to a space if there is one. Returns its bytes. */
static size_t fitting(const char *text, int cells)
{
	char line[VERDICT_TEXT * UTF8_BYTES];
	size_t len = 0, space = 0;

	while (text[len] && len + UTF8_BYTES < sizeof(line)) {
		size_t next = len + 1;

		while (utf8_continues(text[next]))
			next++;
		memcpy(line, text, next);
		line[next] = '\0';
		if (grid_width(line) > cells)
			return space ? space : len ? len : next;
		if (text[len] == ' ' && text[next] != ' ')
			space = len;
		len = next;
	}
	return len;
}

/* A line of the verdict, from `at` on, with those below `top` and above the end of the box. Returns the lines. */
static int draw_why_line(struct view *v, struct grid *g, const struct grid_box *box, const char *text, int at)
{
	enum style style = *text == ' ' ? STYLE_DIM : STYLE_NORMAL;
	int lines = 0, left = *text == ' ' ? 5 : 3;

	while (*text) {
		int y = at + lines - v->menu.top, x = lines ? left : 0;
		size_t len = fitting(text, box->cols - x);
		char line[VERDICT_TEXT * UTF8_BYTES];

		memcpy(line, text, len);
		line[len] = '\0';
		if (y >= 0 && y < box->rows)
			grid_text(g, box->y + y, box->x + x, box->cols - x, style, line);
		text += len + strspn(text + len, " ");
		lines++;
	}
	return lines;
}

static void draw_why(struct view *v, struct grid *g)
{
	char text[VERDICT_TEXT * UTF8_BYTES], title[160], name[96];
	struct menu *m = &v->menu;
	struct grid_box box;

	format_clean(name, sizeof(name), v->page.open ? v->page.row.comm : "", sizeof(name) / 4, g->utf8);
	snprintf(title, sizeof(title), "Why: %s%s%s, Esc leaves", name, *name ? ", " : "",
		 format_ns(text, sizeof(text), v->verdict.interval_ns));
	box = grid_box(g, g->rows, WHY_CELLS, title);
	m->n = 0;
	m->y = box.y;
	m->lines = box.rows;
	for (uint32_t i = 0; verdict_line(&v->verdict, i, g->utf8, text, sizeof(text)); i++)
		m->n += draw_why_line(v, g, &box, text, m->n);
	if (m->top + m->lines < m->n)
		grid_text(g, box.y + m->lines, box.x + box.cols - 6, 6, STYLE_KEY, " more ");
}

static void draw_item(struct view *v, struct grid *g, int y, int x, int cells, int item)
{
	const struct column *cols[TABLE_COLUMNS];
	const struct table *t = view_table(v);
	char buf[160];
	int n;

	switch (v->mode) {
	case MODE_SORT:
		n = menu_sortable(t, cols);
		if (item >= n)
			break;
		grid_text(g, y, x + 1, 11, cols[item] == t->sort ? STYLE_SORTED : STYLE_KEY, cols[item]->title);
		grid_text(g, y, x + 13, cells - 13, STYLE_NORMAL, cols[item]->help);
		break;
	case MODE_COLUMNS:
		n = menu_choosable(t, cols);
		if (item >= n)
			break;
		grid_text(g, y, x, 3, STYLE_KEY, item < t->n_chosen ? "[x]" : "[ ]");
		grid_text(g, y, x + 4, 14, item < t->n_chosen ? STYLE_STRONG : STYLE_DIM, cols[item]->title);
		grid_text(g, y, x + 19, cells - 19, item < t->n_chosen ? STYLE_NORMAL : STYLE_DIM, cols[item]->help);
		break;
	case MODE_GROUP:
		grid_text(g, y, x + 1, cells - 1, STYLE_NORMAL, selection_groups[item].name);
		break;
	case MODE_SIGNAL:
		snprintf(buf, sizeof(buf), "%2d %-5s %s", control_signals[item].number, control_signals[item].name,
			 control_signals[item].help);
		grid_text(g, y, x + 1, cells - 1, STYLE_NORMAL, buf);
		break;
	default:
		break;
	}
}

static void draw_foot(struct view *v, struct grid *g, int y, int x, int cells)
{
	const struct column *cols[TABLE_COLUMNS];
	const struct table *t = view_table(v);
	int n = v->mode == MODE_SORT ? menu_sortable(t, cols) : menu_choosable(t, cols);
	struct help help = { .n = 0 };

	if (v->menu.cursor < n)
		help_text(&help, "", cols[v->menu.cursor]->help, cells);
	for (int i = 0; i < help.n && i < FOOT_LINES; i++)
		grid_text(g, y + i, x, help.line[i].len, STYLE_STRONG, help.line[i].text);
}

static void draw_list(struct view *v, struct grid *g)
{
	static const struct {
		const char *title;
		int cols;
	} kinds[] = {
		[MODE_SORT] = { "Sort by: Enter selects, I reverses", 76 },
		[MODE_GROUP] = { "One row per", 24 },
		[MODE_COLUMNS] = { "Columns: Space adds or removes, + and - move, Esc leaves", 80 },
		[MODE_SIGNAL] = { "Signal", 56 },
	};
	struct menu *m = &v->menu;
	bool of_columns = v->mode == MODE_SORT || v->mode == MODE_COLUMNS;
	int foot = of_columns && g->rows >= FOOT_MIN_ROWS ? FOOT_LINES : 0;
	struct grid_box box = grid_box(g, m->n + foot, kinds[v->mode].cols, kinds[v->mode].title);

	m->y = box.y;
	m->lines = box.rows - foot;
	if (m->cursor < m->top)
		m->top = m->cursor;
	if (m->cursor >= m->top + m->lines)
		m->top = m->cursor - m->lines + 1;
	for (int i = 0; i < m->lines && m->top + i < m->n; i++) {
		draw_item(v, g, box.y + i, box.x, box.cols, m->top + i);
		if (m->top + i == m->cursor)
			grid_select(g, box.y + i, box.x, box.cols);
	}
	if (foot)
		draw_foot(v, g, box.y + m->lines, box.x, box.cols);
	if (m->top + m->lines < m->n)
		grid_text(g, box.y + box.rows, box.x + box.cols - 6, 6, STYLE_KEY, " more ");
}

static int draw_words(struct grid *g, int y, int x, int right, const char *key, const char *text)
{
	x += grid_text(g, y, x, right - x, STYLE_KEY, key);
	return x + grid_text(g, y, x, right - x, STYLE_NORMAL, text);
}

/* Shows which processes will be affected before anything is done. */
static void draw_confirm(struct view *v, struct grid *g)
{
	const struct menu *m = &v->menu;
	bool nice = v->mode == MODE_NICE;
	int lines = m->n_targets < 8 ? m->n_targets : 8, y, x, right;
	char buf[256], name[160];
	struct grid_box box;

	if (nice)
		snprintf(buf, sizeof(buf), "Change this process's nice value?");
	else
		snprintf(buf, sizeof(buf), "Send SIG%s to %s?", sigabbrev_np(m->signal),
			 m->n_targets == 1 ? "this process" : "these processes");
	box = grid_box(g, lines + 2, 60, buf);
	right = box.x + box.cols;
	for (int i = 0; i < lines; i++) {
		format_clean(name, sizeof(name), m->targets[i].name, box.cols - 9, g->utf8);
		snprintf(buf, sizeof(buf), "%7u  %s", m->targets[i].pid, name);
		grid_text(g, box.y + i, box.x, box.cols, STYLE_STRONG, buf);
	}
	if (m->n_targets > lines) {
		snprintf(buf, sizeof(buf), "and %d more", m->n_targets - lines);
		grid_text(g, box.y + lines, box.x + 9, box.cols - 9, STYLE_DIM, buf);
	}
	if (nice) {
		snprintf(buf, sizeof(buf), "nice %d %s %d", m->nice, g->blocks ? "\u2192" : "->", m->nice_then);
		x = box.x + (box.cols > 45 ? 9 : 0);
		x += grid_text(g, box.y + lines, x, right - x, STYLE_WARN, buf) + 3;
		x = draw_words(g, box.y + lines, x, right, "F8", " nicer  ");
		draw_words(g, box.y + lines, x, right, "F7", " less nice");
	}
	y = box.y + box.rows - 1;
	x = draw_words(g, y, box.x, right, "y ", nice ? "changes it; " : "sends it; ");
	grid_text(g, y, x, right - x, STYLE_NORMAL, "any other key does not");
}

static void draw_prompt(struct view *v, struct grid *g)
{
	static const char *const labels[] = {
		[MODE_SEARCH] = "search: ", [MODE_FILTER] = "filter: ", [MODE_DELAY] = "delay in seconds: "
	};
	bool bad = v->mode == MODE_FILTER && v->filter_why[0];
	size_t good = bad ? v->filter_at : strlen(v->input);
	char part[TABLE_TEXT], clean[TABLE_TEXT * 2], *tail;
	int y = g->rows - 1, x;

	grid_fill(g, y, 0, g->cols, ' ', STYLE_NORMAL);
	x = 1 + grid_text(g, y, 1, g->cols - 1, STYLE_KEY, labels[v->mode]);
	snprintf(part, sizeof(part), "%.*s", (int)good, v->input);
	format_clean(clean, sizeof(clean), part, sizeof(part), g->utf8);
	tail = clean;
	while (*tail && grid_width(tail) > g->cols - x - 1) /* keeps the end of the input visible */
		do
			tail++;
		while (utf8_continues(*tail));
	x += grid_text(g, y, x, g->cols - x - 1, STYLE_STRONG, tail);
	if (bad) { /* from the error onwards */
		format_clean(clean, sizeof(clean), v->input + good, g->cols - x - 1, g->utf8);
		x += grid_text(g, y, x, g->cols - x - 1, STYLE_BAD, clean);
	}
	g->cursor_y = y;
	g->cursor_x = x;
	if (bad && g->cols - x > 12) { /* it may quote the input */
		format_clean(clean, sizeof(clean), v->filter_why, g->cols - x - 2, g->utf8);
		grid_text(g, y, x + 2, g->cols - x - 2, STYLE_WARN, clean);
	}
}

void menu_draw(struct view *v, struct grid *g)
{
	if (v->mode == MODE_HELP || v->mode == MODE_LOST || v->mode == MODE_SIGNS)
		draw_help(v, g);
	else if (v->mode == MODE_WHY)
		draw_why(v, g);
	else if (v->mode == MODE_CONFIRM || v->mode == MODE_NICE)
		draw_confirm(v, g);
	else if (v->mode == MODE_SEARCH || v->mode == MODE_FILTER || v->mode == MODE_DELAY)
		draw_prompt(v, g);
	else
		draw_list(v, g);
}
