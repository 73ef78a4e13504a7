/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the screen requests from its source: sockets are read if their numbers are shown, or if there are few. Which
 * process keys act on: the one shown, in past readings too. Messages about filters and missing probes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "reading.h"
#include "keys.h"
#include "draw.h"
#include "view_reading.h"

#define MANY 6000

static bool asked(const char *view, uint32_t number, bool walked, uint32_t connections)
{
	struct view v = { .live = reading_model };
	struct sample *s = reading_next(number);

	v.tables[0].view = column_view_find(view);
	s->has_connections = walked;
	while (s->n_connections < connections)
		assert_non_null(sample_add_connection(s));
	reading_update(s);
	return view_wants_connections(&v);
}

static void few_are_always_walked(void **state)
{
	(void)state;
	for (uint32_t i = 1; i <= 3; i++)
		assert_true(asked("overview", i, true, 10));
}

static void many_are_walked_where_they_are_shown(void **state)
{
	uint32_t walks = 0, i = 1;

	(void)state;
	assert_false(asked("overview", i++, true, MANY));
	/* When left out, they do not count as few: else every other reading would iterate. */
	for (; i <= 100; i++)
		walks += asked("overview", i, false, 0);
	assert_in_range(walks, 1, 5);
	assert_true(asked("connections", i++, true, MANY));
	assert_true(asked("net", i++, true, MANY));
}

static void press(struct view *v, uint32_t code)
{
	keys_dispatch(v, &(struct key){ .code = code });
	assert_int_equal(view_arrange(v), 0);
}

#define PID 100

/* One process with a thread in a call and a socket. */
static void read_one(struct view *v, uint32_t number, uint64_t start_ns)
{
	struct sample *s = history_take(&v->history);
	struct sample_connection *c;

	reading_begin(s, number);
	reading_process(s, PID, start_ns, "one");
	reading_call(s, reading_busy(s, PID, LT_SLEEP, MS_NS), LT_CALL(LT_ABI_NATIVE, 0), 5, MS_NS, 0, 0);
	s->has_connections = true;
	c = sample_add_connection(s);
	assert_non_null(c);
	*c = (struct sample_connection){ .proto = LT_TCP, .family = 4, .pid = PID };
	assert_int_equal(view_reading(v, s), 0);
}

static void who_took_the_pid_is_not_meant(void **state)
{
	static const struct {
		uint32_t keys[2];
		enum model_kind kind;
	} rows[] = { { { '1' }, MODEL_PROCESS },
		     { { 'H' }, MODEL_THREAD },
		     { { '5', K_ENTER }, MODEL_CALLER },
		     { { '6' }, MODEL_CONNECTION } };
	struct options o = { .delay_s = 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct view v;

		assert_int_equal(view_init(&v, &o, true), 0);
		read_one(&v, 1, SECOND_NS);
		for (int k = 0; k < 2 && rows[i].keys[k]; k++)
			press(&v, rows[i].keys[k]);
		assert_int_equal(table_cursor(view_main(&v))->kind, rows[i].kind);
		press(&v, 'p');
		read_one(&v, 2, SECOND_NS);
		press(&v, 'x');
		assert_int_equal(v.mode, MODE_SIGNAL);
		assert_int_equal(v.menu.n_targets, 1);
		assert_int_equal(v.menu.targets->start_ns, SECOND_NS);
		press(&v, K_ESC);
		/* Now the pid is another process's; the first one is still shown. */
		read_one(&v, 3, SECOND_NS * 2);
		press(&v, 'x');
		assert_int_equal(v.mode, MODE_TABLE);
		assert_int_equal(v.menu.n_targets, 0);
		view_free(&v);
	}
}

/* The command line takes longer filters than the prompt: Esc brings back all of it. */
static void a_long_filter_comes_back_whole(void **state)
{
	struct options o = { .delay_s = 1 };
	char text[400], why[100];
	struct view v;
	size_t at;

	(void)state;
	/* Truncated, it would match everything. */
	snprintf(text, sizeof(text), "pid>0%*s and pid>%d", 300, "", PID);
	o.filter = text;
	o.selection.filter = filter_parse(text, &at, why, sizeof(why));
	assert_non_null(o.selection.filter);
	assert_int_equal(view_init(&v, &o, true), 0);
	read_one(&v, 1, SECOND_NS);
	assert_int_equal(view_main(&v)->n, 0);
	press(&v, '\\');
	press(&v, K_ESC);
	assert_int_equal(view_main(&v)->n, 0);
	press(&v, '\\');
	for (const char *c = "pid>0"; *c; c++)
		press(&v, (uint32_t)*c);
	assert_int_equal(view_main(&v)->n, 1);
	press(&v, K_ESC);
	assert_int_equal(view_main(&v)->n, 0);
	view_free(&v);
	filter_free(o.selection.filter);
}

static void all_that_is_missing_is_told_of(void **state)
{
	struct options o = { .delay_s = 1 };

	(void)state;
	for (int n = 1; n <= SAMPLE_FAMILIES; n++) {
		struct sample *s;
		struct view v;

		assert_int_equal(view_init(&v, &o, true), 0);
		s = history_take(&v.history);
		reading_begin(s, 1);
		for (int i = 0; i < n; i++) {
			s->probe[i].on = 0;
			snprintf(s->probe[i].reason, sizeof(s->probe[i].reason), "why %d", i);
		}
		assert_int_equal(view_reading(&v, s), 0);
		assert_non_null(strstr(v.message, "why 0"));
		assert_int_equal(strstr(v.message, "--check") != NULL, n > 1);
		view_free(&v);
	}
}

static void read_at(struct view *v, uint32_t number)
{
	struct sample *s = history_take(&v->history);

	reading_begin(s, number);
	s->realtime_ns = (1000 + number) * SECOND_NS;
	assert_int_equal(view_reading(v, s), 0);
}

/* A mark of an earlier reading is in the next one, and so in the recording, once. */
static void a_mark_by_hand_is_in_the_next_reading(void **state)
{
	struct options o = { .delay_s = 1, .view = &column_views[0] };
	const struct sample *s;
	struct view v;

	(void)state;
	assert_int_equal(view_init(&v, &o, true), 0);
	for (uint32_t n = 1; n <= 3; n++)
		read_at(&v, n);
	press(&v, '[');
	press(&v, 'm');
	press(&v, 'm');
	assert_false(history_moment(&v.history, 0)->marked);
	assert_true(history_moment(&v.history, 1)->marked);
	assert_int_equal(history_at(&v.history, 0)->n_marks, 0);
	read_at(&v, 4);
	s = history_at(&v.history, 0);
	assert_int_equal(s->n_marks, 1);
	assert_int_equal(s->marks[0].kind, SAMPLE_MARK_HAND);
	assert_int_equal(s->marks[0].realtime_ns, 1002 * SECOND_NS);
	read_at(&v, 5);
	assert_int_equal(history_at(&v.history, 0)->n_marks, 0);
	s = history_at(&v.history, 1); /* reassembled */
	assert_int_equal(s->n_marks, 1);
	assert_int_equal(s->marks[0].realtime_ns, 1002 * SECOND_NS);
	for (uint32_t back = 0; back < 5; back++)
		assert_int_equal(history_moment(&v.history, back)->marked, back == 3);
	view_free(&v);
}

/* Few look for it: it is not the first thing on the screen. */
static void what_a_family_does_not_know_is_not_told_of(void **state)
{
	struct options o = { .delay_s = 1 };
	struct sample *s;
	struct view v;

	(void)state;
	assert_int_equal(view_init(&v, &o, true), 0);
	s = history_take(&v.history);
	reading_begin(s, 1);
	for (int i = 0; i < SAMPLE_FAMILIES; i++) {
		s->probe[i].on = 1;
		snprintf(s->probe[i].reason, sizeof(s->probe[i].reason), "not all of it");
	}
	assert_int_equal(view_reading(&v, s), 0);
	assert_string_equal(v.message, "");
	view_free(&v);
}

static void title_of(struct view *v, char text[121])
{
	struct grid g = { .utf8 = true };

	assert_int_equal(grid_resize(&g, 24, 120), 0);
	draw(v, &g);
	for (int x = 0; x < 120; x++)
		text[x] = g.cells[x].ch < 128 ? (char)g.cells[x].ch : '?';
	text[120] = '\0';
	grid_free(&g);
}

static void the_title_says_what_is_recorded_and_how_old_a_replay_is(void **state)
{
	struct options o = { .delay_s = 1, .view = &column_views[0] };
	struct view v;
	char title[121];

	(void)state;
	assert_int_equal(view_init(&v, &o, false), 0);
	read_one(&v, 1, 7);
	title_of(&v, title);
	assert_null(strstr(title, " ago"));
	assert_null(strstr(title, "rec "));
	v.realtime_ns = model_sample(v.live)->realtime_ns + 4ULL * 86400 * 1000000000 + 7200ULL * 1000000000;
	v.recorded_bytes = 12 << 20;
	title_of(&v, title);
	assert_non_null(strstr(title, "replay 4d02h ago"));
	assert_non_null(strstr(title, "rec 12.6M"));
	view_free(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		READING_TEST(few_are_always_walked),
		READING_TEST(many_are_walked_where_they_are_shown),
		cmocka_unit_test(who_took_the_pid_is_not_meant),
		cmocka_unit_test(a_long_filter_comes_back_whole),
		cmocka_unit_test(a_mark_by_hand_is_in_the_next_reading),
		cmocka_unit_test(all_that_is_missing_is_told_of),
		cmocka_unit_test(what_a_family_does_not_know_is_not_told_of),
		cmocka_unit_test(the_title_says_what_is_recorded_and_how_old_a_replay_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
