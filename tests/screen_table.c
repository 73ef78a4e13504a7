// SPDX-License-Identifier: GPL-2.0-or-later
/* Every key of the key table does something that one sees: at every size, with colours and UTF-8, and on a vt100 in
 * the C locale. A key that is new in the table and not here fails. */
#include "stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys.h"

#define STEPS 4

/* What makes the key's work visible, and what undoes it afterwards. */
static const struct trial {
	enum key_function function;
	const char *before[STEPS], *after[STEPS];
} trials[] = {
	{ DO_UP, { "Down", "Down" }, { "Home" } },
	{ DO_DOWN, { NULL }, { "Home" } },
	/* In the connections, whose columns are wider than any screen here. */
	{ DO_LEFT, { "6", "Right" }, { "1" } },
	{ DO_RIGHT, { "6" }, { "Left", "1" } },
	{ DO_PAGE_UP, { "PgDn" }, { "Home" } },
	{ DO_PAGE_DOWN, { NULL }, { "Home" } },
	{ DO_HALF_UP, { "PgDn" }, { "Home" } },
	{ DO_HALF_DOWN, { NULL }, { "Home" } },
	{ DO_HOME, { "Down" }, { NULL } },
	{ DO_END, { NULL }, { "Home" } },
	{ DO_ENTER, { NULL }, { "Esc" } },
	{ DO_BACK, { "Enter" }, { NULL } },
	{ DO_HELP, { NULL }, { "Esc" } },
	{ DO_VIEW, { "Shift-Tab" }, { "1" } },
	{ DO_NEXT_VIEW, { NULL }, { "1" } },
	{ DO_PREVIOUS_VIEW, { NULL }, { "1" } },
	{ DO_SEARCH, { NULL }, { "Esc" } },
	{ DO_SEARCH_NEXT, { "/", "b", "Enter" }, { "Esc", "Home" } },
	{ DO_SEARCH_PREVIOUS, { "/", "b", "Enter" }, { "Esc", "Home" } },
	{ DO_FILTER, { NULL }, { "Esc" } },
	{ DO_SORT_LEFT, { ">" }, { NULL } },
	{ DO_SORT_RIGHT, { NULL }, { "<" } },
	{ DO_SORT_MENU, { NULL }, { "Esc" } },
	{ DO_REVERSE, { NULL }, { "I" } },
	{ DO_TREE, { NULL }, { "t" } },
	{ DO_THREADS, { NULL }, { "H" } },
	{ DO_GROUP, { NULL }, { "Esc" } },
	{ DO_COLUMNS, { NULL }, { "Esc" } },
	{ DO_KERNEL, { NULL }, { "K", "Esc" } },
	{ DO_DEAD, { NULL }, { "D", "Esc" } },
	{ DO_ACTIVE, { NULL }, { "a", "Esc" } },
	{ DO_TOTALS, { NULL }, { "T", "Esc" } },
	{ DO_PAUSE, { NULL }, { "p" } },
	{ DO_OLDER, { NULL }, { "End" } },
	{ DO_NEWER, { "[", "[" }, { "End" } },
	{ DO_OLDER_10, { NULL }, { "End" } },
	{ DO_NEWER_10, { "{" }, { "End" } },
	{ DO_DELAY, { NULL }, { "Esc" } },
	{ DO_TAG, { NULL }, { "Esc", "Home" } },
	{ DO_SIGNAL, { NULL }, { "Esc" } },
	{ DO_NICE_UP, { NULL }, { "Esc" } },
	{ DO_NICE_DOWN, { NULL }, { "Esc" } },
	{ DO_READ, { NULL }, { NULL } },
};

static void press_all(struct vt *v, const char *const keys[STEPS])
{
	for (int i = 0; i < STEPS && keys[i]; i++)
		stage_press(v, keys[i], NULL);
}

/* The screen as text, with the line of the cursor. */
static char *picture(struct vt *v)
{
	char *text = vt_picture(v), *all;

	assert_true(asprintf(&all, "%s%d", text, stage_cursor(v)) > 0);
	free(text);
	return all;
}

static const struct trial *find_trial(const struct key_row *row)
{
	for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++)
		if (trials[i].function == row->function)
			return &trials[i];
	fail_msg("the table has a key that is not tried: %s", row->help ? row->help : "(without help)");
	return NULL;
}

/* Those two end it, or paint what is there: the others change the picture. */
static void try_key(struct vt *v, const struct key_row *row, const char *name)
{
	const struct trial *t;
	size_t bytes = v->n_bytes;
	char *before, *after;

	if (row->function == DO_QUIT)
		return;
	if (row->function == DO_REDRAW) {
		stage_press(v, name, NULL);
		assert_true(v->n_bytes > bytes + (size_t)v->rows * 20);
		return;
	}
	t = find_trial(row);
	if ((row->function == DO_LEFT || row->function == DO_RIGHT) && v->cols >= 200)
		return; /* all columns are in sight */
	press_all(v, t->before);
	if (row->function == DO_VIEW && *name == '6') /* it stands there already */
		stage_press(v, "1", NULL);
	before = picture(v);
	stage_press(v, name, NULL);
	after = picture(v);
	if (!strcmp(before, after))
		fail_msg("%s changes nothing at %dx%d:\n%s", name, v->cols, v->rows, after);
	free(before);
	free(after);
	press_all(v, t->after);
	stage_line(v, 0, "lagtop");
}

static void walk(int cols, int rows, const char *term, const char *lang)
{
	struct vt *v = stage_open(&(struct stage){ .rows = rows, .cols = cols, .term = term, .lang = lang });
	char name[16], view[2] = "1";

	for (int i = 0; i < 12; i++)
		stage_press(v, ".", NULL);
	for (size_t i = 0; i < key_rows_count; i++)
		for (int k = 0; key_rows[i].function && k < 4 && key_rows[i].keys[k]; k++)
			try_key(v, &key_rows[i], key_label(key_rows[i].keys[k], name));
	/* Each view, and each tab of the page, comes up and goes on. */
	for (; *view <= '6'; view[0]++) {
		stage_press(v, view, ".", NULL);
		stage_shows(v, *view == '5' ? "CALL" : *view == '6' ? "LOCAL" : "PID");
	}
	stage_press(v, "1", "Enter", NULL);
	for (int tab = 0; tab < 4; tab++) {
		stage_press(v, "Tab", ".", NULL);
		stage_line(v, 1, "postgr");
	}
	assert_true(vt_keys(v, "q"));
	assert_false(vt_keys(v, "q"));
	assert_int_equal(vt_end(v), 0);
}

#define AT(cols, rows)                                                                                                 \
	static void at_##cols##x##rows(void **state)                                                                   \
	{                                                                                                              \
		(void)state;                                                                                           \
		walk(cols, rows, "xterm-256color", "C.UTF-8");                                                         \
	}                                                                                                              \
	static void at_##cols##x##rows##_plain(void **state)                                                           \
	{                                                                                                              \
		(void)state;                                                                                           \
		walk(cols, rows, "vt100", "C");                                                                        \
	}
AT(40, 10)
AT(80, 24)
AT(120, 40)
AT(200, 50)

static void on_the_console(void **state)
{
	(void)state;
	walk(80, 25, "linux", "C.UTF-8");
}

/* Keys that terminfo does not know are no Esc with letters behind it. */
static void unknown_sequences_are_no_keys(void **state)
{
	static const char *const sequences[] = { "\033[1;5A", "\033[24~", "\033[200~", "\033Oz", "\033[?1;2c" };
	struct vt *v = stage_open(&(struct stage){ .rows = 24, .term = "vt100" });
	char *before, *after;

	(void)state;
	stage_press(v, ".", "Enter", NULL);
	before = vt_picture(v);
	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
		assert_true(vt_keys(v, sequences[i]));
		after = vt_picture(v);
		assert_string_equal(after, before);
		free(after);
	}
	free(before);
}

/* An Esc with keys right behind it that make no sequence: each is obeyed. */
static void keys_after_esc_are_kept(void **state)
{
	struct vt *v = stage_open(&(struct stage){ .rows = 24 });

	(void)state;
	stage_press(v, ".", ".", NULL);
	stage_line(v, 0, "12:03:03");
	assert_true(vt_keys(v, "\033["));
	stage_line(v, 0, "12:03:02");
	stage_press(v, "]", NULL);
	assert_true(vt_keys(v, "\033[5"));
	stage_line(v, 0, "12:03:02");
	stage_line(v, 5, "TIME%");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(at_40x10, stage_end),
		cmocka_unit_test_teardown(at_40x10_plain, stage_end),
		cmocka_unit_test_teardown(at_80x24, stage_end),
		cmocka_unit_test_teardown(at_80x24_plain, stage_end),
		cmocka_unit_test_teardown(at_120x40, stage_end),
		cmocka_unit_test_teardown(at_120x40_plain, stage_end),
		cmocka_unit_test_teardown(at_200x50, stage_end),
		cmocka_unit_test_teardown(at_200x50_plain, stage_end),
		cmocka_unit_test_teardown(on_the_console, stage_end),
		cmocka_unit_test_teardown(unknown_sequences_are_no_keys, stage_end),
		cmocka_unit_test_teardown(keys_after_esc_are_kept, stage_end),
	};

	return cmocka_run_group_tests_name("screen_table", tests, stage_setup, stage_teardown);
}
