// SPDX-License-Identifier: GPL-2.0-or-later
/* Every key does what the key table says, told by the cells it changes. */
#include "stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABS_Y 4
#define HEADER_Y 5
#define FIRST_Y 6

static struct vt *open_plain(void)
{
	return stage_open(&(struct stage){ .rows = 24, .cols = 80 });
}

/* The pid in the row of a line. */
static int pid_at(struct vt *v, int y)
{
	return atoi(vt_line(v, y) + strspn(vt_line(v, y), " *+"));
}

static void cursor_keys_move(void **state)
{
	struct vt *v = open_plain();
	int second = pid_at(v, FIRST_Y + 1);

	(void)state;
	assert_int_equal(stage_cursor(v), FIRST_Y);
	stage_press(v, "Down", NULL);
	assert_int_equal(stage_cursor(v), FIRST_Y + 1);
	stage_press(v, "j", "k", "k", NULL);
	assert_int_equal(stage_cursor(v), FIRST_Y);
	stage_press(v, "j", "Up", "Up", "Up", NULL);
	assert_int_equal(stage_cursor(v), FIRST_Y);
	stage_press(v, "End", NULL);
	assert_int_equal(stage_cursor(v), 22);
	stage_press(v, "g", NULL);
	assert_int_equal(stage_cursor(v), FIRST_Y);
	stage_press(v, "G", "Home", NULL);
	assert_int_equal(pid_at(v, FIRST_Y + 1), second);
	stage_press(v, "PgDn", NULL);
	assert_int_equal(stage_cursor(v), FIRST_Y + 16);
	stage_press(v, "PgUp", NULL);
	assert_int_equal(stage_cursor(v), FIRST_Y);
	stage_press(v, "^F", NULL);
	assert_int_equal(stage_cursor(v), FIRST_Y + 16);
	stage_press(v, "^B", "^D", NULL);
	assert_int_equal(stage_cursor(v), FIRST_Y + 8);
	stage_press(v, "^U", NULL);
	assert_int_equal(stage_cursor(v), FIRST_Y);
}

static void columns_scroll(void **state)
{
	struct vt *v = open_plain();

	(void)state;
	stage_line(v, HEADER_Y, "LAG%");
	assert_int_equal(vt_find(v, HEADER_Y, "CALL99"), -1);
	stage_press(v, "Right", "l", "l", NULL);
	assert_int_equal(vt_find(v, HEADER_Y, "LAG%"), -1);
	stage_line(v, HEADER_Y, "CALL99");
	stage_line(v, HEADER_Y, "PID USER");
	stage_line(v, HEADER_Y, "COMMAND");
	stage_press(v, "Left", "h", "h", "h", NULL);
	stage_line(v, HEADER_Y, "LAG%");
	/* To the far right: the last column is there, and it ends. */
	for (int i = 0; i < 12; i++)
		stage_press(v, "Right", NULL);
	stage_line(v, HEADER_Y, "RX/s");
	assert_string_equal(vt_cell(v, HEADER_Y, 79).text, " ");
	assert_string_equal(vt_cell(v, HEADER_Y, 0).text, "<");
}

static void views_change(void **state)
{
	static const char *const titles[] = { "LAG%", "WAKEQ%", "CALLS/s▼", "RXTX/s▼", "TIME%▼", "REMOTE" };
	struct vt *v = open_plain();
	char key[2] = { 0 };

	(void)state;
	for (int i = 0; i < 6; i++) {
		key[0] = (char)('1' + i);
		stage_press(v, key, NULL);
		stage_line(v, HEADER_Y, titles[i]);
	}
	stage_press(v, "Tab", NULL);
	stage_line(v, HEADER_Y, titles[0]);
	stage_press(v, "Tab", NULL);
	stage_line(v, HEADER_Y, titles[1]);
	stage_press(v, "Shift-Tab", NULL);
	stage_line(v, HEADER_Y, titles[0]);
	stage_press(v, "Shift-Tab", NULL);
	stage_line(v, HEADER_Y, titles[5]);
}

static void sort_column_moves(void **state)
{
	struct vt *v = open_plain();

	(void)state;
	stage_line(v, HEADER_Y, "LAG%▼");
	stage_press(v, ">", NULL);
	stage_line(v, HEADER_Y, "CPU%▼");
	assert_int_equal(pid_at(v, FIRST_Y), 2211); /* the only one above 100 */
	stage_press(v, "<", "<", NULL);
	stage_line(v, HEADER_Y, "USER");
	stage_press(v, "<", NULL);
	stage_line(v, HEADER_Y, "PID▼");
	assert_int_equal(pid_at(v, FIRST_Y), 31002);
	stage_press(v, "I", NULL);
	stage_line(v, HEADER_Y, "PID▲");
	assert_int_equal(pid_at(v, FIRST_Y), 1);
	/* The menu: the cursor stands on PID; two down is LAG%. */
	stage_press(v, "F6", "Down", "Down", "Enter", NULL);
	stage_line(v, HEADER_Y, "LAG%▼");
	stage_press(v, "s", "Down", "Esc", NULL);
	stage_line(v, HEADER_Y, "LAG%▼");
}

/* Where most rows have nothing of what is sorted by, those with traffic still stand above those without. */
static void rows_alike_follow_the_view(void **state)
{
	struct vt *v = stage_open(&(struct stage){ .rows = 50, .args = { "-v", "net", "-s", "retrans" } });
	int grafana = stage_shows(v, " 4022 "), nobody = stage_shows(v, "[kthreadd]");

	(void)state;
	stage_line(v, HEADER_Y, "RETR/s▼");
	assert_true(grafana < nobody);
}

/* Who waits for what, at 80 columns: to sort by it takes at most four keys from the start, into the process one more.
 */
static void four_keys_tell_who_waits(void **state)
{
	static const struct {
		const char *keys, *column;
	} ways[] = {
		{ "1", "LAG%▼" }, { "1>>>", "BLK%▼" }, { "3>", "ERR/s▼" }, { "3>>>", "LOCK%▼" }, { "4>>>", "RETR/s▼" },
	};
	char key[2] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct vt *v = open_plain();

		for (const char *at = ways[i].keys; *at; at++) {
			key[0] = *at;
			stage_press(v, key, NULL);
		}
		stage_line(v, HEADER_Y, ways[i].column);
		stage_press(v, "Enter", NULL);
		stage_shows(v, "where its time goes");
		stage_press(v, "Esc", NULL);
	}
}

static void search_finds(void **state)
{
	struct vt *v = open_plain();
	int first;

	(void)state;
	stage_press(v, "/", "n", "g", "i", "n", "x", NULL);
	stage_line(v, 23, "search: nginx");
	first = pid_at(v, stage_cursor(v));
	assert_int_equal(first, 1044);
	stage_press(v, "Enter", "n", NULL);
	assert_int_equal(pid_at(v, stage_cursor(v)), 1045);
	stage_press(v, "N", NULL);
	assert_int_equal(pid_at(v, stage_cursor(v)), 1044);
	stage_press(v, "F3", "z", "z", "z", "Enter", "n", NULL);
	stage_line(v, 23, "not found: zzz");
	/* Escape forgets it, Backspace on nothing leaves the prompt. */
	stage_press(v, "/", "Bksp", NULL);
	assert_int_equal(vt_find(v, 23, "search: "), -1);
	/* Then there is nothing to find again, and the next key is no text. */
	stage_press(v, "Esc", "n", NULL);
	stage_line(v, 23, "nothing to search for yet");
	stage_press(v, "Esc", "N", "j", NULL);
	stage_line(v, 23, "nothing to search for yet");
	stage_hides(v, "search: ");
}

static void filter_narrows(void **state)
{
	struct vt *v = open_plain();

	(void)state;
	stage_press(v, "\\", "p", "o", "s", "t", "g", NULL);
	stage_line(v, TABS_Y, "6 of 34");
	stage_hides(v, "nginx");
	stage_press(v, "Bksp", "Bksp", "Bksp", "Bksp", "Bksp", NULL);
	stage_line(v, TABS_Y, "34 proc");
	stage_press(v, "j", "a", "v", "a", "Enter", NULL);
	stage_line(v, TABS_Y, "1 of 34");
	stage_press(v, "Esc", NULL);
	stage_line(v, TABS_Y, "34 proc");
	stage_press(v, "F4", "z", "q", "z", NULL);
	stage_line(v, HEADER_Y + 1, "no row fits the filter");
	stage_press(v, "Esc", NULL);
	stage_hides(v, "no row");
	stage_press(v, "F4", "r", "e", "d", "i", "s", "Esc", NULL);
	stage_line(v, TABS_Y, "34 proc");
}

static void a_filter_that_cannot_be_read_says_why(void **state)
{
	struct vt *v = open_plain();

	(void)state;
	stage_press(v, "\\", "p", "o", "s", "t", "g", "Enter", NULL);
	stage_line(v, TABS_Y, "6 of 34");
	/* Where it is: the rest of the text in red, the reason behind it. What could be read last stays meanwhile. */
	stage_press(v, "\\", "^U", "c", "p", "u", ">", "x", "y", NULL);
	stage_line(v, 23, "filter: cpu>xy  ");
	assert_int_equal(vt_cell(v, 23, 12).fg, -1); /* ">" */
	assert_int_not_equal(vt_cell(v, 23, 13).fg, -1);
	assert_int_equal(vt_cell(v, 23, 14).fg, vt_cell(v, 23, 13).fg);
	stage_line(v, TABS_Y, "\\cpu  0 of 34");
	stage_press(v, "Enter", NULL);
	stage_line(v, 23, "filter: cpu>xy");
	/* Esc: never mind. */
	stage_press(v, "Esc", NULL);
	assert_int_equal(vt_find(v, 23, "filter"), -1);
	stage_line(v, TABS_Y, "\\postg");
	stage_line(v, TABS_Y, "6 of 34");
	stage_press(v, "\\", "^U", "c", "p", "u", ">", NULL);
	stage_line(v, 23, "filter: cpu>  expected");
	stage_press(v, "5", "0", "Enter", NULL);
	assert_int_equal(vt_find(v, 23, "filter"), -1);
	stage_line(v, TABS_Y, "5 of 34");
	stage_line(v, TABS_Y, "\\cpu>…");
	/* That of the command line is no other. */
	v = stage_open(&(struct stage){ .args = { "--filter", "postg" } });
	stage_line(v, TABS_Y, "6 of 34");
	stage_line(v, TABS_Y, "\\postg");
	stage_press(v, "F4", NULL);
	stage_line(v, 23, "filter: postg");
}

static void the_past_has_an_end(void **state)
{
	struct vt *v = stage_open(&(struct stage){ .args = { "--history", "1" } });
	int back = 0;

	(void)state;
	for (int i = 0; i < 28; i++)
		stage_press(v, ".", NULL);
	for (; back < 40 && vt_find(v, 23, "no older reading") < 0; back++)
		stage_press(v, "[", NULL);
	assert_in_range(back, 5, 29); /* how many 1 MiB holds is history.c's; 4 always stay */
}

static void threads_tree_groups(void **state)
{
	struct vt *v = open_plain();

	(void)state;
	stage_press(v, "H", NULL);
	stage_line(v, HEADER_Y, "TID");
	stage_line(v, TABS_Y, "117 thr");
	stage_press(v, "H", "t", NULL);
	assert_int_equal(pid_at(v, FIRST_Y), 1);
	/* A level goes on below for as long as it has rows. */
	stage_line(v, stage_shows(v, " 3312 "), "  ├─containerd");
	stage_line(v, stage_shows(v, " 4022 "), "  │ └─grafana serve…");
	stage_line(v, stage_shows(v, " 5001 "), "  │ └─-bash");
	stage_line(v, stage_shows(v, "31002 "), "  │   ├─lagtop");
	stage_press(v, "F5", NULL);
	stage_hides(v, "└─");
	stage_press(v, "c", "Down", "Enter", NULL);
	stage_line(v, HEADER_Y, "PROCS");
	stage_line(v, TABS_Y, "25 cmd");
	/* Into a group: its members. */
	assert_true(vt_find(v, FIRST_Y, "postgres") >= 0);
	stage_press(v, "Enter", NULL);
	stage_line(v, TABS_Y, "6 of 34");
	/* What a group is called stands there once, in full, below what it is. */
	stage_press(v, "Esc", "c", "Down", "Down", "Enter", NULL);
	stage_line(v, TABS_Y, " user");
	stage_line(v, HEADER_Y, "PROCS USER");
	stage_hides(v, "COMMAND");
	stage_press(v, "c", "End", "Enter", NULL);
	stage_line(v, TABS_Y, " cgrp");
	stage_line(v, HEADER_Y, "CGROUP");
	stage_hides(v, "COMMAND");
	stage_shows(v, "postgresql.service");
}

static void kernel_threads_and_idle_rows_hide(void **state)
{
	struct vt *v = open_plain();

	(void)state;
	stage_press(v, "K", NULL);
	stage_line(v, 23, "kernel threads hidden");
	stage_line(v, TABS_Y, "29 of 34");
	stage_press(v, "K", "a", NULL);
	stage_line(v, 23, "only rows that did something");
	stage_press(v, "End", NULL);
	stage_hides(v, "-bash");
	stage_press(v, "a", NULL);
	stage_line(v, TABS_Y, "34 proc");
}

static void page_opens_and_closes(void **state)
{
	struct vt *v = open_plain();

	(void)state;
	stage_press(v, "Enter", NULL);
	stage_line(v, 1, "2211");
	stage_line(v, 2, "where its time goes");
	stage_shows(v, "epoll_wait");
	stage_press(v, "Tab", NULL);
	stage_shows(v, "2213");
	stage_press(v, "Tab", "Tab", NULL);
	stage_shows(v, "run queue latency");
	stage_press(v, "q", NULL);
	stage_line(v, HEADER_Y, "LAG%");
	stage_press(v, "Enter", "H", NULL);
	stage_shows(v, "TID");
	stage_press(v, "Esc", NULL);
	stage_line(v, HEADER_Y, "LAG%");
	stage_press(v, "Enter", "Bksp", NULL);
	stage_line(v, HEADER_Y, "LAG%");
}

/* CALLS/s of the laggard, as it is printed. */
static char *calls_of_laggard(struct vt *v)
{
	static char text[16];
	int y = stage_shows(v, " 2211 "), x = vt_find(v, HEADER_Y, "CALLS"), n = 0;

	for (int i = 0; i < 7; i++)
		if (strcmp(vt_cell(v, y, x + i).text, " "))
			text[n++] = vt_cell(v, y, x + i).text[0];
	text[n] = 0;
	return text;
}

static void totals_add_up(void **state)
{
	struct vt *v = stage_open(&(struct stage){ .args = { "-s", "lag" } });
	double rate, sum;

	(void)state;
	stage_press(v, ".", ".", ".", NULL);
	rate = atof(calls_of_laggard(v)); /* in thousands a second */
	stage_press(v, "T", NULL);
	stage_line(v, TABS_Y, "totals");
	sum = atof(calls_of_laggard(v));
	assert_true(sum > rate * 3 && sum < rate * 5); /* four readings, each give or take a fifth */
	/* Of the past only the interval is known. */
	stage_press(v, "[", NULL);
	assert_int_equal(vt_find(v, TABS_Y, "totals"), -1);
	assert_true(atof(calls_of_laggard(v)) < rate * 2);
	stage_press(v, "]", "T", NULL);
	assert_int_equal(vt_find(v, TABS_Y, "totals"), -1);
}

static void time_stands_and_goes_back(void **state)
{
	struct vt *v = open_plain();

	(void)state;
	stage_press(v, ".", ".", "p", NULL);
	stage_line(v, 0, "PAUSED");
	stage_line(v, 0, "12:03:03");
	stage_press(v, ".", NULL);
	stage_line(v, 0, "12:03:03");
	stage_press(v, "[", NULL);
	stage_line(v, 0, "12:03:02");
	stage_line(v, 0, "2.00s ago of 3.00s");
	stage_press(v, "[", "[", NULL);
	stage_line(v, 0, "12:03:01");
	stage_line(v, 23, "no older reading");
	stage_press(v, "]", NULL);
	stage_line(v, 0, "12:03:02");
	stage_press(v, "p", NULL);
	stage_line(v, 0, "12:03:04");
	assert_int_equal(vt_find(v, 0, "PAUSED"), -1);
	stage_press(v, "[", NULL);
	stage_line(v, 0, "12:03:03");
	stage_press(v, "]", "]", NULL);
	stage_line(v, 23, "newest");
	/* Each step is its own reading, and the title says which. */
	for (int i = 5; i <= 12; i++)
		stage_press(v, ".", NULL);
	for (int i = 1; i < 12; i++) {
		char title[64];

		stage_press(v, "[", NULL);
		snprintf(title, sizeof(title), "12:03:%02d", 12 - i);
		stage_line(v, 0, title);
		snprintf(title, sizeof(title), i < 10 ? "%d.00s ago of 11.0s" : "%d.0s ago of 11.0s", i);
		stage_line(v, 0, title);
	}
	stage_press(v, "End", NULL);
	/* Ten at a time, no further than there is; End comes back to now before it is the last row. */
	stage_press(v, "{", NULL);
	stage_line(v, 0, "12:03:02");
	stage_press(v, "{", NULL);
	stage_line(v, 0, "12:03:01");
	stage_press(v, "}", NULL);
	stage_line(v, 0, "12:03:11");
	stage_press(v, "{", "End", NULL);
	stage_line(v, 0, "12:03:12");
}

static void delay_is_asked_for(void **state)
{
	struct vt *v = open_plain();

	(void)state;
	stage_press(v, "d", "2", ".", "5", "Enter", NULL);
	stage_line(v, 0, "2.5 s");
	stage_press(v, "d", "0", "Enter", NULL);
	stage_line(v, 0, "2.5 s");
	stage_line(v, 23, "a delay is");
	stage_press(v, "d", "7", "Esc", NULL);
	stage_line(v, 0, "2.5 s");
}

static void columns_are_chosen(void **state)
{
	struct vt *v = open_plain();

	(void)state;
	/* What a column is stands below in full, however long. */
	stage_press(v, "C", "Down", "Down", NULL);
	stage_shows(v, "added up, so it may exceed 100.");
	stage_press(v, "Up", "Space", "Esc", NULL);
	assert_int_equal(vt_find(v, HEADER_Y, "USER"), -1);
	stage_press(v, "s", NULL);
	stage_shows(v, "added up, so it may exceed 100.");
	stage_press(v, "Esc", NULL);
	/* Now LAG% is second; it moves one to the right, PPID comes in before COMMAND. */
	stage_press(v, "F2", "Down", "+", "Esc", NULL);
	assert_true(vt_find(v, HEADER_Y, "CPU%") < vt_find(v, HEADER_Y, "LAG%"));
	stage_press(v, "C", "End", "Home", NULL);
	for (int i = 0; i < 13; i++)
		stage_press(v, "Down", NULL);
	stage_press(v, "Space", "Esc", NULL);
	for (int i = 0; i < 12; i++)
		stage_press(v, "Right", NULL);
	stage_line(v, HEADER_Y, "PPID");
}

static void tags_and_signals(void **state)
{
	struct vt *v = open_plain();

	(void)state;
	stage_press(v, "Space", NULL);
	assert_string_equal(vt_cell(v, FIRST_Y, 0).text, "*");
	assert_int_equal(stage_cursor(v), FIRST_Y + 1);
	stage_press(v, "Esc", NULL);
	assert_string_equal(vt_cell(v, FIRST_Y, 0).text, " ");
	stage_press(v, "5", "Space", NULL);
	stage_line(v, 23, "only processes");
	stage_press(v, "1", NULL);
	/* No signal is sent from a recording. */
	stage_press(v, "x", NULL);
	stage_line(v, 23, "recording");
	stage_press(v, "F9", NULL);
	stage_line(v, 23, "recording");
	stage_press(v, "F7", NULL);
	stage_line(v, 23, "recording");
	stage_press(v, "F8", NULL);
	stage_line(v, 23, "recording");
	v = stage_open(&(struct stage){ .args = { "--readonly" } });
	stage_press(v, "x", NULL);
	stage_line(v, 23, "--readonly");
}

static void help_scrolls(void **state)
{
	struct vt *v = open_plain();

	(void)state;
	stage_press(v, "?", NULL);
	stage_shows(v, "Moving");
	stage_press(v, "PgDn", NULL);
	stage_hides(v, "Moving");
	stage_press(v, "Home", NULL);
	stage_shows(v, "Moving");
	stage_press(v, "End", NULL);
	stage_shows(v, "history");
	stage_press(v, "q", NULL);
	stage_line(v, HEADER_Y, "LAG%");
	stage_press(v, "F1", NULL);
	stage_shows(v, "Moving");
	stage_press(v, "?", NULL);
	stage_line(v, HEADER_Y, "LAG%");
}

static void order_is_held_after_a_cursor_key(void **state)
{
	struct vt *v = stage_open(&(struct stage){ .args = { "-s", "wake99" } });
	int before[8], changed = 0;

	(void)state;
	stage_press(v, "Down", NULL);
	for (int i = 0; i < 8; i++)
		before[i] = pid_at(v, FIRST_Y + i);
	stage_press(v, ".", ".", NULL);
	for (int i = 0; i < 8; i++)
		assert_int_equal(pid_at(v, FIRST_Y + i), before[i]);
	assert_int_equal(pid_at(v, stage_cursor(v)), before[1]);
	/* Three readings later it is sorted again, and the cursor is on the same process. */
	stage_press(v, ".", ".", ".", ".", NULL);
	for (int i = 0; i < 8; i++)
		changed += pid_at(v, FIRST_Y + i) != before[i];
	assert_true(changed > 0);
	assert_int_equal(pid_at(v, stage_cursor(v)), before[1]);
}

static void mouse_selects_and_sorts(void **state)
{
	struct vt *v = open_plain();
	char press[64];
	int third = pid_at(v, FIRST_Y + 2);

	(void)state;
	assert_true(vt_keys(v, "\033[<0;20;9M\033[<0;20;9m")); /* line 8, counted from 1 */
	assert_int_equal(stage_cursor(v), FIRST_Y + 2);
	assert_true(vt_keys(v, "\033[<0;20;9M\033[<0;20;9m"));
	snprintf(press, sizeof(press), " %d ", third);
	stage_line(v, 1, press);
	stage_press(v, "Esc", NULL);
	snprintf(press, sizeof(press), "\033[<0;%1$d;%2$dM\033[<0;%1$d;%2$dm", vt_find(v, HEADER_Y, "CPU%") + 2,
		 HEADER_Y + 1);
	assert_true(vt_keys(v, press));
	stage_line(v, HEADER_Y, "CPU%▼");
	assert_true(vt_keys(v, press));
	stage_line(v, HEADER_Y, "CPU%▲");
	snprintf(press, sizeof(press), "\033[<0;%1$d;%2$dM\033[<0;%1$d;%2$dm", vt_find(v, TABS_Y, "Calls") + 2,
		 TABS_Y + 1);
	assert_true(vt_keys(v, press));
	stage_line(v, HEADER_Y, "TIME%");
	assert_true(vt_keys(v, "\033[<65;10;12M"));
	assert_int_equal(stage_cursor(v), FIRST_Y + 3);
	assert_true(vt_keys(v, "\033[<64;10;12M"));
	assert_int_equal(stage_cursor(v), FIRST_Y);
	/* What one sorted by with the mouse is saved like what keys chose. */
	stage_press(v, "W", NULL);
	v = open_plain();
	stage_line(v, HEADER_Y, "TIME%▼");
	snprintf(press, sizeof(press), "\033[<0;%1$d;%2$dM\033[<0;%1$d;%2$dm", vt_find(v, HEADER_Y, "ERR/s") + 2,
		 HEADER_Y + 1);
	assert_true(vt_keys(v, press));
	stage_press(v, "W", NULL);
	v = open_plain();
	stage_line(v, HEADER_Y, "ERR/s▼");
	stage_press(v, "s", "I", "Esc", "W", NULL);
	v = open_plain();
	stage_line(v, HEADER_Y, "ERR/s▲");
}

static void a_key_that_is_none_is_said(void **state)
{
	struct vt *v = open_plain();

	(void)state;
	stage_press(v, "u", NULL);
	stage_line(v, 23, "u is no key here: ? shows them all");
	stage_press(v, "Esc", NULL);
	stage_line(v, 23, "Quit");
	/* Nor in a page without a table. */
	stage_press(v, "Enter", "Shift-Tab", "u", NULL);
	stage_line(v, 23, "u is no key here");
}

static void quit_keys_quit(void **state)
{
	static const char *const keys[] = { "q", "\033[21~", "\003" };

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct vt *v = open_plain();

		assert_false(vt_keys(v, keys[i]));
		assert_int_equal(vt_end(v), 0);
	}
}

/* Keys and sizes without sense: it must neither end nor hang, and be whole afterwards. The same ones every time. */
static void senseless_keys_do_no_harm(void **state)
{
	static const char *const keys[] = {
		"Up",  "Down",	    "Left",  "Right", "PgUp", "PgDn", "Home", "End", "Enter", "Esc", "Bksp",
		"Tab", "Shift-Tab", "F1",    "F2",    "F3",   "F4",   "F5",   "F6",  "F9",    "1",   "2",
		"3",   "4",	    "5",     "6",     "<",    ">",    "I",    "/",   "\\",    "?",   "t",
		"H",   "c",	    "C",     "K",     "D",    "a",    "T",    "p",   "[",     "]",   "d",
		"{",   "}",	    "Space", "x",     "n",    "N",    "+",    "-",   "s",     "g",   "G",
		"^D",  "^U",	    "^L",    ".",     ".",    ".",    ".",    "9",   "cpu",   "漢",
	};
	uint32_t chance = 12345;

	(void)state;
	for (int run = 0; run < 3; run++) {
		struct vt *v =
			stage_open(&(struct stage){ .kind = FIXTURE_HOSTILE_NAMES, .lang = run == 2 ? "C" : NULL });

		for (int i = 0; i < 400; i++) {
			chance = chance * 1664525 + 1013904223;
			if (chance >> 16 & 31)
				stage_press(v, keys[(chance >> 8) % (sizeof(keys) / sizeof(keys[0]))], NULL);
			else
				assert_true(vt_resize(v, 1 + (int)(chance >> 24) % 60, 1 + (int)(chance >> 9) % 200));
		}
		assert_true(vt_resize(v, 24, 80));
		stage_press(v, "Esc", "Esc", "Esc", "Esc", NULL);
		stage_line(v, 0, "lagtop");
		stage_line(v, 23, "Quit");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(cursor_keys_move, stage_end),
		cmocka_unit_test_teardown(columns_scroll, stage_end),
		cmocka_unit_test_teardown(views_change, stage_end),
		cmocka_unit_test_teardown(sort_column_moves, stage_end),
		cmocka_unit_test_teardown(rows_alike_follow_the_view, stage_end),
		cmocka_unit_test_teardown(four_keys_tell_who_waits, stage_end),
		cmocka_unit_test_teardown(search_finds, stage_end),
		cmocka_unit_test_teardown(filter_narrows, stage_end),
		cmocka_unit_test_teardown(a_filter_that_cannot_be_read_says_why, stage_end),
		cmocka_unit_test_teardown(the_past_has_an_end, stage_end),
		cmocka_unit_test_teardown(threads_tree_groups, stage_end),
		cmocka_unit_test_teardown(kernel_threads_and_idle_rows_hide, stage_end),
		cmocka_unit_test_teardown(page_opens_and_closes, stage_end),
		cmocka_unit_test_teardown(totals_add_up, stage_end),
		cmocka_unit_test_teardown(time_stands_and_goes_back, stage_end),
		cmocka_unit_test_teardown(delay_is_asked_for, stage_end),
		cmocka_unit_test_teardown(columns_are_chosen, stage_end),
		cmocka_unit_test_teardown(tags_and_signals, stage_end),
		cmocka_unit_test_teardown(help_scrolls, stage_end),
		cmocka_unit_test_teardown(order_is_held_after_a_cursor_key, stage_end),
		cmocka_unit_test_teardown(mouse_selects_and_sorts, stage_end),
		cmocka_unit_test_teardown(a_key_that_is_none_is_said, stage_end),
		cmocka_unit_test_teardown(quit_keys_quit, stage_end),
		cmocka_unit_test_teardown(senseless_keys_do_no_harm, stage_end),
	};

	return cmocka_run_group_tests_name("screen_keys", tests, stage_setup, stage_teardown);
}
