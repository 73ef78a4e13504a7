/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hostile names change nothing outside their own column, and no byte of them reaches the terminal raw. */
#include "session.h"

#include <stdlib.h>
#include <string.h>

#define READINGS 4

static struct vt *open_kind(enum fixture_kind kind, const char *lang, const char *term, const char *keys)
{
	struct vt *v = session_open(&(struct session){
		.rows = 40, .cols = 120, .kind = kind, .lang = lang, .term = term, .args = { "-s", "pid" } });

	for (int i = 0; i < READINGS; i++)
		session_press(v, "^N", NULL);
	for (; *keys; keys++) {
		const char key[2] = { *keys };

		session_press(v, key, NULL);
	}
	return v;
}

/* Cells to the left of `column` agree, line by line, in text and attributes. */
static void compare(const char *lang, const char *term, const char *keys, int first_y, int column)
{
	enum { ROWS = 40, COLS = 120 };
	static struct vt_cell plain[ROWS][COLS];
	struct vt *v = open_kind(FIXTURE_PLAIN, lang, term, keys);
	int differ = 0;

	for (int y = 0; y < ROWS; y++)
		for (int x = 0; x < COLS; x++)
			plain[y][x] = vt_cell(v, y, x);
	v = open_kind(FIXTURE_HOSTILE_NAMES, lang, term, keys);
	for (int y = 0; y < ROWS; y++) {
		for (int x = 0; x < COLS; x++) {
			struct vt_cell c = vt_cell(v, y, x);
			bool same = !strcmp(c.text, plain[y][x].text) && c.bold == plain[y][x].bold &&
				    c.fg == plain[y][x].fg;

			if (same)
				continue;
			differ++;
			if (y < first_y || x < column)
				fail_msg("line %d column %d: \"%s\" was \"%s\"", y, x, c.text, plain[y][x].text);
		}
	}
	assert_true(differ > 0); /* else the hostile name was not on the screen */
}

static int command_column(const char *lang, const char *term)
{
	struct vt *v = open_kind(FIXTURE_PLAIN, lang, term, "");

	return vt_find(v, 5, "COMMAND");
}

static void other_columns_are_untouched(void **state)
{
	(void)state;
	compare("C.UTF-8", "xterm-256color", "", 6, command_column("C.UTF-8", "xterm-256color"));
	compare("C", "vt100", "", 6, command_column("C", "vt100"));
}

/* Only what lagtop itself says: cursor movements, colours, modes. */
static void nothing_raw_arrives(void **state)
{
	static const char *const attacks[] = { "\033]0;", "\033]52", "owned\a",	 "\033[31mevil", "\xff",
					       "\xfe",	  "\x9b",    "\xc2\x9b", "\xe2\x80\xae", "\xcc\x81" };
	static const char *const langs[] = { "C.UTF-8", "C" };

	(void)state;
	for (size_t l = 0; l < 2; l++) {
		struct vt *v = open_kind(FIXTURE_HOSTILE_NAMES, langs[l], "xterm-256color", "/evil");

		session_press(v, "Enter", "Enter", "Tab", "Esc", "c", "Down", "Enter", NULL);
		for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++)
			if (memmem(v->bytes, v->n_bytes, attacks[i], strlen(attacks[i])))
				fail_msg("attack %zu arrives raw with LANG=%s", i, langs[l]);
		/* The name is still shown: its harmless letters are there. */
		assert_non_null(memmem(v->bytes, v->n_bytes, "evil", 4));
	}
}

static void a_page_of_it_is_whole(void **state)
{
	struct vt *v = open_kind(FIXTURE_HOSTILE_NAMES, "C.UTF-8", "xterm-256color", "/evil");

	(void)state;
	session_press(v, "Enter", "Enter", NULL);
	session_line(v, 1, "30700");
	session_line(v, 1, "evil");
	session_line(v, 1, "?]0;owned??[31m");
	session_line(v, 2, "where its time goes");
	session_line(v, 39, "Help");
	assert_string_equal(vt_cell(v, 0, 0).text, "l");
}

/* What is typed comes from a terminal that may be hostile too. */
static void typed_text_is_clean(void **state)
{
	struct vt *v = open_kind(FIXTURE_PLAIN, "C.UTF-8", "xterm-256color", "");

	(void)state;
	session_press(v, "/", NULL);
	assert_true(vt_keys(v, "\xe6\xbc\xa2"));
	assert_true(vt_keys(v, "\x01"));
	assert_true(vt_keys(v, "z"));
	session_line(v, 39, "search: 漢z");
	assert_true(vt_cell(v, 39, 9).width == 2);
	/* On a terminal that cannot show it, messages that quote it are cleaned as well. */
	v = session_open(&(struct session){ .rows = 40, .cols = 120, .args = { "--ascii" } });
	session_press(v, "/", NULL);
	assert_true(vt_keys(v, "\xe6\xbc\xa2"));
	assert_true(vt_keys(v, "\r"));
	session_press(v, "n", NULL);
	session_line(v, 39, "not found: ?");
	assert_true(vt_keys(v, "\\\xe6\xbc\xa2>5"));
	session_line(v, 39, "filter: ");
	for (size_t i = 0; i < v->n_bytes; i++)
		assert_true((unsigned char)v->bytes[i] < 0x80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(other_columns_are_untouched, session_end),
		cmocka_unit_test_teardown(nothing_raw_arrives, session_end),
		cmocka_unit_test_teardown(a_page_of_it_is_whole, session_end),
		cmocka_unit_test_teardown(typed_text_is_clean, session_end),
	};

	return cmocka_run_group_tests_name("screen_hostile", tests, session_setup, session_teardown);
}
