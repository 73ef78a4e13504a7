/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replacements for an unknown terminal type, by its name alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <string.h>

#include "terminal.h"

/* Asserts the replacements' names, in order, a space after each. */
static void assert_like(const char *term, const char *expected)
{
	char all[400] = "", name[64];

	for (int i = 0; i < 10 && terminal_like(term, i, name, sizeof(name)); i++) {
		strcat(all, name);
		strcat(all, " ");
	}
	assert_string_equal(all, expected);
}

static void parts_are_cut_off(void **state)
{
	(void)state;
	assert_like("xterm-ghostty", "xterm-256color xterm xterm-256color xterm ");
	assert_like("screen.rxvt-x", "screen.rxvt-256color screen.rxvt screen-256color screen screen-256color screen ");
	assert_like("vt100+fnkeys", "vt100-256color vt100 ");
	assert_like("linux-16color", "linux-256color linux ");
}

static void emulators_are_what_they_descend_from(void **state)
{
	(void)state;
	assert_like("foot", "xterm-256color xterm ");
	assert_like("alacritty-direct", "alacritty-256color alacritty xterm-256color xterm ");
	assert_like("xterm", "xterm-256color xterm ");
	assert_like("tmux-256color", "tmux-256color tmux screen-256color screen ");
	assert_like("screen", "screen-256color screen ");
}

/* With them and the names above every common terminal is drawn on where there is no terminfo. */
static void descriptions_are_brought_along(void **state)
{
	static const char *const types[] = { "xterm-256color", "screen-256color", "linux", "vt100" };

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		assert_non_null(terminal_builtin(types[i]));
		assert_memory_equal(terminal_builtin(types[i]), "b64:", 4);
	}
	assert_null(terminal_builtin("dumb"));
	assert_null(terminal_builtin(""));
}

static void the_rest_is_like_nothing(void **state)
{
	char name[8];

	(void)state;
	assert_like("foobar", "");
	assert_like("dumb", "");
	assert_like("", "");
	assert_like("-", "");
	assert_like("footling", "");
	assert_like("foo", "");
	/* A name that would be truncated is not returned. */
	assert_false(terminal_like("xterm-kitty", 0, name, sizeof(name)));
	assert_true(terminal_like("xterm-kitty", 1, name, sizeof(name)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_are_cut_off),
		cmocka_unit_test(emulators_are_what_they_descend_from),
		cmocka_unit_test(descriptions_are_brought_along),
		cmocka_unit_test(the_rest_is_like_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
