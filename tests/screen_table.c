/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every key of the key table has a visible effect: at every size, with colours and UTF-8, and on a vt100 in the C
 * locale. A new key in the table that is not tried here fails the test. */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys.h"

#define STEPS 4

/* What makes the key's effect visible, and what undoes it afterwards. */
static const struct trial {
	const char *key; /* the first of its row */
	const char *before[STEPS], *after[STEPS];
} trials[] = {
	{ "Up", { "Down", "Down" }, { "Home" } },
	{ "Down", { NULL }, { "Home" } },
	/* In the connections, whose columns are wider than any screen here. */
	{ "Left", { "6", "Right" }, { "1" } },
	{ "Right", { "6" }, { "Left", "1" } },
	{ "PgUp", { "PgDn" }, { "Home" } },
	{ "PgDn", { NULL }, { "Home" } },
	{ "^U", { "PgDn" }, { "Home" } },
	{ "^D", { NULL }, { "Home" } },
	{ "Home", { "Down" }, { NULL } },
	{ "End", { NULL }, { "Home" } },
	{ "Enter", { NULL }, { "Esc" } },
	{ "Bksp", { "Enter" }, { NULL } },
	{ "Esc", { "Enter" }, { NULL } },
	{ "?", { NULL }, { "Esc" } },
	{ "w", { NULL }, { "Esc" } },
	{ "!", { NULL }, { "Esc" } },
	{ "1", { "Shift-Tab" }, { "1" } },
	{ "4", { "Shift-Tab" }, { "1" } },
	{ "7", { NULL }, { "1" } },
	{ "Tab", { NULL }, { "1" } },
	{ "Shift-Tab", { NULL }, { "1" } },
	{ "/", { NULL }, { "Esc" } },
	{ "n", { "/", "b", "Enter" }, { "Esc", "Home" } },
	{ "N", { "/", "b", "Enter" }, { "Esc", "Home" } },
	{ "\\", { NULL }, { "Esc" } },
	{ "<", { ">" }, { NULL } },
	{ ">", { NULL }, { "<" } },
	{ "s", { NULL }, { "Esc" } },
	{ "I", { NULL }, { "I" } },
	{ "t", { NULL }, { "t" } },
	{ "H", { NULL }, { "H" } },
	{ "c", { NULL }, { "Esc" } },
	{ "C", { NULL }, { "Esc" } },
	{ "K", { NULL }, { "K", "Esc" } },
	{ "D", { NULL }, { "D", "D", "Esc" } },
	{ "a", { NULL }, { "a", "Esc" } },
	{ "T", { NULL }, { "T", "Esc" } },
	{ "p", { NULL }, { "p" } },
	{ "[", { NULL }, { "End" } },
	{ "]", { "[", "[" }, { "End" } },
	{ "{", { NULL }, { "End" } },
	{ "}", { "{" }, { "End" } },
	{ "d", { NULL }, { "Esc" } },
	{ "F", { NULL }, { "Esc" } },
	{ "b", { NULL }, { "Esc" } },
	{ "Space", { NULL }, { "Esc", "Home" } },
	{ "x", { NULL }, { "Esc" } },
	{ "F8", { NULL }, { "Esc" } },
	{ "F7", { NULL }, { "Esc" } },
	{ "W", { NULL }, { "Esc" } },
	{ "m", { "[" }, { "End", "Esc" } },
	{ ",", { NULL }, { "Esc" } },
	{ ".", { "[", "[", "[" }, { "Esc" } },
	{ "^N", { NULL }, { NULL } },
};

static void press_all(struct vt *v, const char *const keys[STEPS])
{
	for (int i = 0; i < STEPS && keys[i]; i++)
		session_press(v, keys[i], NULL);
}

/* The screen as text, with the line of the cursor. */
static char *picture(struct vt *v)
{
	char *text = vt_picture(v), *all;

	assert_true(asprintf(&all, "%s%d", text, session_cursor(v)) > 0);
	free(text);
	return all;
}

static bool is_row(const struct key_row *row, const char *key)
{
	char name[16];

	return !strcmp(key_label(row->keys[0], name), key);
}

static const struct trial *find_trial(const struct key_row *row)
{
	for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++)
		if (is_row(row, trials[i].key))
			return &trials[i];
	fail_msg("the table has a key that is not tried: %s", row->help ? row->help : "(without help)");
	return NULL;
}

/* Two keys end lagtop or redraw the same screen; all others change the screen. */
static void try_key(struct vt *v, const struct key_row *row, const char *name)
{
	const struct trial *t;
	size_t bytes = v->n_bytes;
	char *before, *after;

	if (is_row(row, "q"))
		return;
	if (is_row(row, "^L")) {
		session_press(v, name, NULL);
		assert_true(v->n_bytes > bytes + (size_t)v->rows * 20);
		return;
	}
	t = find_trial(row);
	if ((is_row(row, "Left") || is_row(row, "Right")) && v->cols >= 200)
		return; /* all columns are visible */
	press_all(v, t->before);
	before = picture(v);
	session_press(v, name, NULL);
	after = picture(v);
	if (!strcmp(before, after))
		fail_msg("%s changes nothing at %dx%d:\n%s", name, v->cols, v->rows, after);
	free(before);
	free(after);
	press_all(v, t->after);
	session_line(v, 0, "lagtop");
}

static void walk(int cols, int rows, const char *term, const char *lang)
{
	struct vt *v = session_open(&(struct session){ .rows = rows, .cols = cols, .term = term, .lang = lang });
	char name[16], view[2] = "1";

	for (int i = 0; i < 12; i++)
		session_press(v, "^N", NULL);
	for (size_t i = 0; i < key_rows_count; i++)
		for (int k = 0; key_does(&key_rows[i]) && k < 4 && key_rows[i].keys[k]; k++)
			try_key(v, &key_rows[i], key_label(key_rows[i].keys[k], name));
	/* Each view, and each tab of the page, appears and can be left. */
	for (; *view <= '8'; view[0]++) {
		session_press(v, view, "^N", NULL);
		session_shows(v, *view == '5'	? "CALL"
				 : *view == '6' ? "LOCAL"
				 : *view == '7' ? "DEVICE"
				 : *view == '8' ? "BUSY%"
						: "PID");
	}
	session_press(v, "1", "Enter", NULL);
	for (int tab = 0; tab < 4; tab++) {
		session_press(v, "Tab", "^N", NULL);
		session_line(v, 1, "postgr");
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

/* Keys that terminfo does not know are not taken for an Esc followed by letters. */
static void unknown_sequences_are_no_keys(void **state)
{
	static const char *const sequences[] = { "\033[1;5A", "\033[24~", "\033[200~", "\033Oz", "\033[?1;2c" };
	struct vt *v = session_open(&(struct session){ .rows = 24, .term = "vt100" });
	char *before, *after;

	(void)state;
	session_press(v, "^N", "Enter", NULL);
	before = vt_picture(v);
	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
		assert_true(vt_keys(v, sequences[i]));
		after = vt_picture(v);
		assert_string_equal(after, before);
		free(after);
	}
	free(before);
}

/* An Esc directly followed by keys that do not form a sequence: each key acts. */
static void keys_after_esc_are_kept(void **state)
{
	struct vt *v = session_open(&(struct session){ .rows = 24 });

	(void)state;
	session_press(v, "^N", "^N", NULL);
	session_line(v, 0, "12:03:03");
	assert_true(vt_keys(v, "\033["));
	session_line(v, 0, "12:03:02");
	session_press(v, "]", NULL);
	assert_true(vt_keys(v, "\033[5"));
	session_line(v, 0, "12:03:02");
	session_line(v, 5, "TIME%");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(at_40x10, session_end),
		cmocka_unit_test_teardown(at_40x10_plain, session_end),
		cmocka_unit_test_teardown(at_80x24, session_end),
		cmocka_unit_test_teardown(at_80x24_plain, session_end),
		cmocka_unit_test_teardown(at_120x40, session_end),
		cmocka_unit_test_teardown(at_120x40_plain, session_end),
		cmocka_unit_test_teardown(at_200x50, session_end),
		cmocka_unit_test_teardown(at_200x50_plain, session_end),
		cmocka_unit_test_teardown(on_the_console, session_end),
		cmocka_unit_test_teardown(unknown_sequences_are_no_keys, session_end),
		cmocka_unit_test_teardown(keys_after_esc_are_kept, session_end),
	};

	return cmocka_run_group_tests_name("screen_table", tests, session_setup, session_teardown);
}
