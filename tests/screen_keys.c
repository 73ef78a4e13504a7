/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every key does what the key table says, checked by the cells that it changes. */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABS_Y 4
#define HEADER_Y 5
#define FIRST_Y 6

static struct vt *open_plain(void)
{
	return session_open(&(struct session){ .rows = 24, .cols = 80 });
}

/* The pid in the row of a line. */
static int pid_at(struct vt *v, int y)
{
	return atoi(vt_line(v, y) + strcspn(vt_line(v, y), "0123456789"));
}

static void cursor_keys_move(void **state)
{
	struct vt *v = open_plain();
	int second = pid_at(v, FIRST_Y + 1);

	(void)state;
	assert_int_equal(session_cursor(v), FIRST_Y);
	session_press(v, "Down", NULL);
	assert_int_equal(session_cursor(v), FIRST_Y + 1);
	session_press(v, "j", "k", "k", NULL);
	assert_int_equal(session_cursor(v), FIRST_Y);
	session_press(v, "j", "Up", "Up", "Up", "Up", NULL);
	assert_int_equal(session_cursor(v), 0); /* the title */
	session_press(v, "End", NULL);
	assert_int_equal(session_cursor(v), 22);
	session_press(v, "g", NULL);
	assert_int_equal(session_cursor(v), FIRST_Y);
	session_press(v, "G", "Home", NULL);
	assert_int_equal(pid_at(v, FIRST_Y + 1), second);
	session_press(v, "PgDn", NULL);
	assert_int_equal(session_cursor(v), FIRST_Y + 16);
	session_press(v, "PgUp", NULL);
	assert_int_equal(session_cursor(v), FIRST_Y);
	session_press(v, "^F", NULL);
	assert_int_equal(session_cursor(v), FIRST_Y + 16);
	session_press(v, "^B", "^D", NULL);
	assert_int_equal(session_cursor(v), FIRST_Y + 8);
	session_press(v, "^U", NULL);
	assert_int_equal(session_cursor(v), FIRST_Y);
}

static void columns_scroll(void **state)
{
	struct vt *v = open_plain();

	(void)state;
	session_line(v, HEADER_Y, "LAG%");
	assert_int_equal(vt_find(v, HEADER_Y, "ERR/s"), -1);
	session_press(v, "Right", "l", "l", "l", "l", NULL);
	assert_int_equal(vt_find(v, HEADER_Y, "LAG%"), -1);
	session_line(v, HEADER_Y, "ERR/s");
	session_line(v, HEADER_Y, "PID USER");
	session_line(v, HEADER_Y, "COMMAND");
	session_press(v, "Left", "h", "h", "h", "h", "h", NULL);
	session_line(v, HEADER_Y, "LAG%");
	/* Scrolled to the far right: the last column is shown, and scrolling ends there. */
	for (int i = 0; i < 12; i++)
		session_press(v, "Right", NULL);
	session_line(v, HEADER_Y, "RX/s");
	assert_string_equal(vt_cell(v, HEADER_Y, 79).text, " ");
	assert_string_equal(vt_cell(v, HEADER_Y, 0).text, "<");
}

static void views_change(void **state)
{
	static const char *const titles[] = { "LAG%",	"WAKEQ%", "CALLS/s▼", "RXTX/s▼",
					      "TIME%▼", "REMOTE", "DEVICE",   "BUSY%▼" };
	struct vt *v = open_plain();
	char key[2] = { 0 };

	(void)state;
	for (int i = 0; i < 8; i++) {
		key[0] = (char)('1' + i);
		session_press(v, key, NULL);
		session_line(v, HEADER_Y, titles[i]);
	}
	session_press(v, "Tab", NULL);
	session_line(v, HEADER_Y, titles[0]);
	session_press(v, "Tab", NULL);
	session_line(v, HEADER_Y, titles[1]);
	session_press(v, "Shift-Tab", NULL);
	session_line(v, HEADER_Y, titles[0]);
	session_press(v, "Shift-Tab", NULL);
	session_line(v, HEADER_Y, titles[7]);
}

static void sort_column_moves(void **state)
{
	struct vt *v = open_plain();

	(void)state;
	session_line(v, HEADER_Y, "HURT%▼");
	session_press(v, ">", NULL);
	session_line(v, HEADER_Y, "LAG%▼");
	session_press(v, ">", NULL);
	session_line(v, HEADER_Y, "CPU%▼");
	assert_int_equal(pid_at(v, FIRST_Y), 2211); /* the only one above 100 */
	session_press(v, "<", "<", "<", NULL);
	session_line(v, HEADER_Y, "USER");
	session_press(v, "<", NULL);
	session_line(v, HEADER_Y, "PID▼");
	assert_int_equal(pid_at(v, FIRST_Y), 31002);
	session_press(v, "I", NULL);
	session_line(v, HEADER_Y, "PID▲");
	assert_int_equal(pid_at(v, FIRST_Y), 1);
	/* The menu: the cursor stands on PID; two down is HURT%. */
	session_press(v, "F6", "Down", "Down", "Enter", NULL);
	session_line(v, HEADER_Y, "HURT%▼");
	session_press(v, "s", "Down", "Esc", NULL);
	session_line(v, HEADER_Y, "HURT%▼");
}

/* Where most rows have nothing in the sorted column, those with traffic still come before those without. */
static void rows_alike_follow_the_view(void **state)
{
	struct vt *v = session_open(&(struct session){ .rows = 50, .args = { "-v", "net", "-s", "retrans" } });
	int grafana = session_shows(v, " 4022 "), nobody = session_shows(v, "-bash");

	(void)state;
	session_shows(v, "RETR/s▼");
	assert_true(grafana < nobody);
}

/* At 80 columns it takes at most four keys from the start to sort by what processes wait for, and one more to open a
 * process. */
static void four_keys_show_the_waiting_process(void **state)
{
	static const struct {
		const char *keys, *column;
	} ways[] = {
		{ "1", "HURT%▼" }, { "1>>>", "BLK%▼" }, { "3>", "ERR/s▼" }, { "3>>>", "LOCK%▼" }, { "4>>>", "RETR/s▼" },
	};
	char key[2] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct vt *v = open_plain();

		for (const char *at = ways[i].keys; *at; at++) {
			key[0] = *at;
			session_press(v, key, NULL);
		}
		session_line(v, HEADER_Y, ways[i].column);
		session_press(v, "Enter", NULL);
		session_shows(v, "where its time goes");
		session_press(v, "Esc", NULL);
	}
}

/* Above the first row is the title: Enter says what its signs mean, and nothing else is done there. */
static void the_title_explains_itself(void **state)
{
	struct vt *v = open_plain();

	(void)state;
	session_press(v, "Up", NULL);
	assert_int_equal(session_cursor(v), 0);
	session_press(v, "Up", "Enter", NULL);
	session_line(v, 1, "Reading this screen");
	session_shows(v, "sched \u25cf");
	session_shows(v, "replay ");
	session_hides(v, "The keys to begin with");
	session_press(v, "Esc", "Down", NULL);
	assert_int_equal(session_cursor(v), FIRST_Y);
	session_press(v, "Down", NULL);
	assert_int_equal(session_cursor(v), FIRST_Y + 1);
	/* Another key leaves it; in a page it is the same. */
	session_press(v, "g", "Up", "t", NULL);
	assert_int_equal(session_cursor(v), FIRST_Y);
	session_press(v, "Enter", "Up", "Enter", NULL);
	session_line(v, 1, "Reading this screen");
	session_shows(v, "thread-s/s");
	session_press(v, "Esc", "Esc", NULL);
	assert_int_equal(session_cursor(v), FIRST_Y);
}

static void search_finds(void **state)
{
	struct vt *v = open_plain();
	int first;

	(void)state;
	session_press(v, "/", "n", "g", "i", "n", "x", NULL);
	session_line(v, 23, "search: nginx");
	first = pid_at(v, session_cursor(v));
	assert_int_equal(first, 1044);
	session_press(v, "Enter", "n", NULL);
	assert_int_equal(pid_at(v, session_cursor(v)), 1045);
	session_press(v, "N", NULL);
	assert_int_equal(pid_at(v, session_cursor(v)), 1044);
	session_press(v, "F3", "z", "z", "z", "Enter", "n", NULL);
	session_line(v, 23, "not found: zzz");
	/* Escape clears it, Backspace on an empty prompt leaves it. */
	session_press(v, "/", "Bksp", NULL);
	assert_int_equal(vt_find(v, 23, "search: "), -1);
	/* After that there is no last search to repeat, and the next key is a key again. */
	session_press(v, "Esc", "n", NULL);
	session_line(v, 23, "nothing to search for yet");
	session_press(v, "Esc", "N", "j", NULL);
	session_line(v, 23, "nothing to search for yet");
	session_hides(v, "search: ");
}

static void filter_narrows(void **state)
{
	struct vt *v = open_plain();

	(void)state;
	session_press(v, "\\", "p", "o", "s", "t", "g", NULL);
	session_line(v, TABS_Y, "6 of 34");
	session_hides(v, "nginx");
	session_press(v, "Bksp", "Bksp", "Bksp", "Bksp", "Bksp", NULL);
	session_line(v, TABS_Y, "33 of 34");
	session_press(v, "j", "a", "v", "a", "Enter", NULL);
	session_line(v, TABS_Y, "1 of 34");
	session_press(v, "Esc", NULL);
	session_line(v, TABS_Y, "33 of 34");
	session_press(v, "F4", "z", "q", "z", NULL);
	session_line(v, HEADER_Y + 1, "no row matches the filter");
	session_press(v, "Esc", NULL);
	session_hides(v, "no row");
	session_press(v, "F4", "r", "e", "d", "i", "s", "Esc", NULL);
	session_line(v, TABS_Y, "33 of 34");
}

static void a_filter_that_cannot_be_read_says_why(void **state)
{
	struct vt *v = open_plain();

	(void)state;
	session_press(v, "\\", "p", "o", "s", "t", "g", "Enter", NULL);
	session_line(v, TABS_Y, "6 of 34");
	/* The text from the error on is red, followed by the reason. The last valid filter stays in force. */
	session_press(v, "\\", "^U", "c", "p", "u", ">", "x", "y", NULL);
	session_line(v, 23, "filter: cpu>xy  ");
	assert_int_equal(vt_cell(v, 23, 12).fg, -1); /* ">" */
	assert_int_not_equal(vt_cell(v, 23, 13).fg, -1);
	assert_int_equal(vt_cell(v, 23, 14).fg, vt_cell(v, 23, 13).fg);
	session_line(v, TABS_Y, "\\cpu  0 of 34");
	session_press(v, "Enter", NULL);
	session_line(v, 23, "filter: cpu>xy");
	/* Esc cancels. */
	session_press(v, "Esc", NULL);
	assert_int_equal(vt_find(v, 23, "filter"), -1);
	session_line(v, TABS_Y, "\\postg");
	session_line(v, TABS_Y, "6 of 34");
	session_press(v, "\\", "^U", "c", "p", "u", ">", NULL);
	session_line(v, 23, "filter: cpu>  expected");
	session_press(v, "5", "0", "Enter", NULL);
	assert_int_equal(vt_find(v, 23, "filter"), -1);
	session_line(v, TABS_Y, "5 of 34");
	session_line(v, TABS_Y, "\\cpu>…");
	/* A filter on the command line behaves the same. */
	v = session_open(&(struct session){ .args = { "--filter", "postg" } });
	session_line(v, TABS_Y, "6 of 34");
	session_line(v, TABS_Y, "\\postg");
	session_press(v, "F4", NULL);
	session_line(v, 23, "filter: postg");
}

static void the_past_has_an_end(void **state)
{
	struct vt *v = session_open(&(struct session){ .args = { "--history", "1" } });
	int back = 0;

	(void)state;
	for (int i = 0; i < 28; i++)
		session_press(v, "^N", NULL);
	for (; back < 40 && vt_find(v, 23, "no older reading") < 0; back++)
		session_press(v, "[", NULL);
	assert_in_range(back, 5, 29); /* how many 1 MiB holds is history.c's; 4 always stay */
}

static void threads_tree_groups(void **state)
{
	struct vt *v = open_plain();

	(void)state;
	session_press(v, "H", NULL);
	session_line(v, HEADER_Y, "TID");
	session_line(v, TABS_Y, "116 of 117");
	session_press(v, "H", "t", NULL);
	assert_int_equal(pid_at(v, FIRST_Y), 1);
	/* A level's line continues as long as it has rows. */
	session_line(v, session_shows(v, " 3312 "), "  ├─containerd");
	session_line(v, session_shows(v, " 4022 "), "  │ └─grafana serve");
	session_line(v, session_shows(v, " 5001 "), "  │ └─-bash");
	session_line(v, session_shows(v, "31002 "), "  │   ├─lagtop");
	session_press(v, "F5", NULL);
	session_hides(v, "└─");
	session_press(v, "c", "Down", "Enter", NULL);
	session_line(v, HEADER_Y, "PROCS");
	session_line(v, TABS_Y, "25 c");
	/* Opening a group shows its members. */
	assert_true(vt_find(v, FIRST_Y, "postgres") >= 0);
	session_press(v, "Enter", NULL);
	session_line(v, TABS_Y, "6 of 34");
	/* The group's name appears once, in full, below its kind. */
	session_press(v, "Esc", "c", "Down", "Down", "Enter", NULL);
	session_line(v, TABS_Y, " user");
	session_line(v, HEADER_Y, "PROCS USER");
	session_hides(v, "COMMAND");
	session_press(v, "c", "End", "Enter", NULL);
	session_line(v, TABS_Y, " cg");
	session_line(v, HEADER_Y, "CGROUP");
	session_hides(v, "COMMAND");
	session_shows(v, "postgresql.service");
}

static void kernel_threads_and_idle_rows_hide(void **state)
{
	struct vt *v = open_plain();

	(void)state;
	session_line(v, TABS_Y, "33 of 34");
	session_press(v, "End", NULL);
	session_hides(v, "[kthreadd]");
	session_press(v, "K", "End", NULL);
	session_line(v, 23, "kernel threads are shown");
	session_line(v, TABS_Y, " 34 proc");
	session_shows(v, "[kthreadd]");
	session_press(v, "K", "Home", NULL);
	/* One that waits for a disk is always shown, and one that is asked for by name, too. */
	session_shows(v, "[jbd2");
	session_press(v, "\\", "k", "t", "h", "Enter", NULL);
	session_shows(v, "[kthreadd]");
	session_press(v, "Esc", "a", NULL);
	session_line(v, 23, "only rows with activity");
	session_press(v, "End", NULL);
	session_hides(v, "-bash");
	session_press(v, "a", NULL);
	session_line(v, TABS_Y, "33 of 34");
}

static void page_opens_and_closes(void **state)
{
	struct vt *v = open_plain();

	(void)state;
	session_press(v, "Enter", NULL);
	session_line(v, 1, "2211");
	session_line(v, 2, "where its time goes");
	session_shows(v, "epoll_wait");
	session_press(v, "Tab", NULL);
	session_shows(v, "2213");
	session_press(v, "Tab", "Tab", NULL);
	session_shows(v, "10.0.0.12:6379");
	session_press(v, "Tab", "Tab", NULL);
	session_shows(v, "wake-up latency");
	session_press(v, "q", NULL);
	session_line(v, HEADER_Y, "LAG%");
	session_press(v, "Enter", "H", NULL);
	session_shows(v, "TID");
	session_press(v, "Esc", NULL);
	session_line(v, HEADER_Y, "LAG%");
	session_press(v, "Enter", "Bksp", NULL);
	session_line(v, HEADER_Y, "LAG%");
}

/* CALLS/s of the laggard, as it is printed. */
static char *calls_of_laggard(struct vt *v)
{
	static char text[16];
	int y = session_shows(v, " 2211 "), x = vt_find(v, HEADER_Y, "CALLS"), n = 0;

	for (int i = 0; i < 7; i++)
		if (strcmp(vt_cell(v, y, x + i).text, " "))
			text[n++] = vt_cell(v, y, x + i).text[0];
	text[n] = 0;
	return text;
}

/* From a peer to its process, if that is on this machine. */
static void a_peer_leads_to_its_process(void **state)
{
	struct vt *v = open_plain();

	(void)state;
	session_press(v, "Enter", "Tab", "Tab", "Tab", "Enter", NULL);
	session_shows(v, "the process at this end is not known, or not on this machine");
	session_line(v, 1, "2211");
	session_press(v, "End", "Enter", NULL);
	session_line(v, 1, "2208");
	session_press(v, "Esc", NULL);
	session_line(v, HEADER_Y, "LAG%");
}

static void totals_add_up(void **state)
{
	struct vt *v = session_open(&(struct session){ .args = { "-s", "lag" }, .rows = 24, .cols = 120 });
	double rate, sum;

	(void)state;
	session_press(v, "^N", "^N", "^N", NULL);
	rate = atof(calls_of_laggard(v)); /* in thousands a second */
	session_press(v, "T", NULL);
	session_line(v, TABS_Y, "totals");
	sum = atof(calls_of_laggard(v));
	assert_true(sum > rate * 3 && sum < rate * 5); /* four readings, each plus or minus a fifth */
	/* For past readings only the interval is known. */
	session_press(v, "[", NULL);
	assert_int_equal(vt_find(v, TABS_Y, "totals"), -1);
	assert_true(atof(calls_of_laggard(v)) < rate * 2);
	session_press(v, "]", "T", NULL);
	assert_int_equal(vt_find(v, TABS_Y, "totals"), -1);
}

static void time_stands_and_goes_back(void **state)
{
	struct vt *v = open_plain();

	(void)state;
	session_press(v, "^N", "^N", "p", NULL);
	session_line(v, 0, "PAUSED");
	session_line(v, 0, "12:03:03");
	session_press(v, "^N", NULL);
	session_line(v, 0, "12:03:03");
	session_press(v, "[", NULL);
	session_line(v, 0, "12:03:02");
	session_line(v, 0, "2.00s ago of 3.00s");
	session_press(v, "[", "[", NULL);
	session_line(v, 0, "12:03:01");
	session_line(v, 23, "no older reading");
	session_press(v, "]", NULL);
	session_line(v, 0, "12:03:02");
	session_press(v, "p", NULL);
	session_line(v, 0, "12:03:04");
	assert_int_equal(vt_find(v, 0, "PAUSED"), -1);
	session_press(v, "[", NULL);
	session_line(v, 0, "12:03:03");
	session_press(v, "]", "]", NULL);
	session_line(v, 23, "newest");
	/* Each step is its own reading, and the title says which. */
	for (int i = 5; i <= 12; i++)
		session_press(v, "^N", NULL);
	for (int i = 1; i < 12; i++) {
		char title[64];

		session_press(v, "[", NULL);
		snprintf(title, sizeof(title), "12:03:%02d", 12 - i);
		session_line(v, 0, title);
		snprintf(title, sizeof(title), i < 10 ? "%d.00s ago of 11.0s" : "%d.0s ago of 11.0s", i);
		session_line(v, 0, title);
	}
	session_press(v, "End", NULL);
	/* Ten at a time, no further than the oldest; End first returns to the newest reading, then goes to the last
	 * row. */
	session_press(v, "{", NULL);
	session_line(v, 0, "12:03:02");
	session_press(v, "{", NULL);
	session_line(v, 0, "12:03:01");
	session_press(v, "}", NULL);
	session_line(v, 0, "12:03:11");
	session_press(v, "{", "End", NULL);
	session_line(v, 0, "12:03:12");
}

static void delay_is_asked_for(void **state)
{
	struct vt *v = open_plain();

	(void)state;
	session_press(v, "d", "2", ".", "5", "Enter", NULL);
	session_line(v, 0, "2.5 s");
	session_press(v, "d", "0", "Enter", NULL);
	session_line(v, 0, "2.5 s");
	session_line(v, 23, "the delay must be");
	session_press(v, "d", "7", "Esc", NULL);
	session_line(v, 0, "2.5 s");
}

static void columns_are_chosen(void **state)
{
	struct vt *v = open_plain();

	(void)state;
	/* The column's help is shown below in full, however long. */
	session_press(v, "C", "Down", "Down", "Down", NULL);
	session_shows(v, "over all threads, so it may exceed 100.");
	session_press(v, "Up", "Up", "Space", "Esc", NULL);
	assert_int_equal(vt_find(v, HEADER_Y, "USER"), -1);
	session_press(v, "s", "Down", NULL);
	session_shows(v, "over all threads, so it may exceed 100.");
	session_press(v, "Esc", NULL);
	/* Now LAG% is third; it moves one to the right, PPID comes in before COMMAND. */
	session_press(v, "F2", "Down", "Down", "+", "Esc", NULL);
	assert_true(vt_find(v, HEADER_Y, "CPU%") < vt_find(v, HEADER_Y, "LAG%"));
	session_press(v, "C", "End", "Home", NULL);
	for (int i = 0; i < 16; i++)
		session_press(v, "Down", NULL);
	session_press(v, "Space", "Esc", NULL);
	for (int i = 0; i < 12; i++)
		session_press(v, "Right", NULL);
	session_line(v, HEADER_Y, "PPID");
	assert_true(vt_find(v, HEADER_Y, "COMMAND") < vt_find(v, HEADER_Y, "WHY"));
}

static void tags_and_signals(void **state)
{
	struct vt *v = open_plain();

	(void)state;
	session_press(v, "Space", NULL);
	assert_string_equal(vt_cell(v, FIRST_Y, 0).text, "*");
	assert_int_equal(session_cursor(v), FIRST_Y + 1);
	session_press(v, "Esc", NULL);
	assert_string_equal(vt_cell(v, FIRST_Y, 0).text, " ");
	session_press(v, "5", "Space", NULL);
	session_line(v, 23, "only processes");
	session_press(v, "1", NULL);
	/* No signal is sent from a recording. */
	session_press(v, "x", NULL);
	session_line(v, 23, "recording");
	session_press(v, "F9", NULL);
	session_line(v, 23, "recording");
	session_press(v, "F7", NULL);
	session_line(v, 23, "recording");
	session_press(v, "F8", NULL);
	session_line(v, 23, "recording");
	v = session_open(&(struct session){ .args = { "--readonly" } });
	session_press(v, "x", NULL);
	session_line(v, 23, "--readonly");
}

static void help_scrolls(void **state)
{
	struct vt *v = open_plain();

	(void)state;
	session_press(v, "?", NULL);
	session_shows(v, "The keys to begin with");
	session_press(v, "PgDn", NULL);
	session_hides(v, "The keys to begin with");
	session_press(v, "Home", NULL);
	session_shows(v, "The keys to begin with");
	session_press(v, "End", NULL);
	session_shows(v, "history");
	session_press(v, "q", NULL);
	session_line(v, HEADER_Y, "LAG%");
	session_press(v, "F1", NULL);
	session_shows(v, "The keys to begin with");
	session_press(v, "?", NULL);
	session_line(v, HEADER_Y, "LAG%");
}

static void order_is_held_after_a_cursor_key(void **state)
{
	struct vt *v = session_open(&(struct session){ .args = { "-s", "wake99" } });
	int before[8], changed = 0;

	(void)state;
	session_press(v, "Down", NULL);
	for (int i = 0; i < 8; i++)
		before[i] = pid_at(v, FIRST_Y + i);
	session_press(v, "^N", NULL);
	for (int i = 0; i < 8; i++)
		assert_int_equal(pid_at(v, FIRST_Y + i), before[i]);
	assert_int_equal(pid_at(v, session_cursor(v)), before[1]);
	/* Two seconds later it is sorted again, and the cursor is on the same process. */
	session_press(v, "^N", "^N", "^N", "^N", NULL);
	for (int i = 0; i < 8; i++)
		changed += pid_at(v, FIRST_Y + i) != before[i];
	assert_true(changed > 0);
	assert_int_equal(pid_at(v, session_cursor(v)), before[1]);
}

static void mouse_selects_and_sorts(void **state)
{
	struct vt *v = open_plain();
	char press[64];
	int third = pid_at(v, FIRST_Y + 2);

	(void)state;
	assert_true(vt_keys(v, "\033[<0;20;9M\033[<0;20;9m")); /* line 8, counted from 1 */
	assert_int_equal(session_cursor(v), FIRST_Y + 2);
	assert_true(vt_keys(v, "\033[<0;20;9M\033[<0;20;9m"));
	snprintf(press, sizeof(press), " %d ", third);
	session_line(v, 1, press);
	session_press(v, "Esc", NULL);
	snprintf(press, sizeof(press), "\033[<0;%1$d;%2$dM\033[<0;%1$d;%2$dm", vt_find(v, HEADER_Y, "CPU%") + 2,
		 HEADER_Y + 1);
	assert_true(vt_keys(v, press));
	session_line(v, HEADER_Y, "CPU%▼");
	assert_true(vt_keys(v, press));
	session_line(v, HEADER_Y, "CPU%▲");
	snprintf(press, sizeof(press), "\033[<0;%1$d;%2$dM\033[<0;%1$d;%2$dm", vt_find(v, TABS_Y, "Calls") + 2,
		 TABS_Y + 1);
	assert_true(vt_keys(v, press));
	session_line(v, HEADER_Y, "TIME%");
	assert_true(vt_keys(v, "\033[<65;10;12M"));
	assert_int_equal(session_cursor(v), FIRST_Y + 3);
	assert_true(vt_keys(v, "\033[<64;10;12M"));
	assert_int_equal(session_cursor(v), FIRST_Y);
	/* A sort chosen with the mouse is saved like one chosen with keys. */
	session_press(v, "W", NULL);
	v = open_plain();
	session_line(v, HEADER_Y, "TIME%▼");
	snprintf(press, sizeof(press), "\033[<0;%1$d;%2$dM\033[<0;%1$d;%2$dm", vt_find(v, HEADER_Y, "ERR/s") + 2,
		 HEADER_Y + 1);
	assert_true(vt_keys(v, press));
	session_press(v, "W", NULL);
	v = open_plain();
	session_line(v, HEADER_Y, "ERR/s▼");
	session_press(v, "s", "I", "Esc", "W", NULL);
	v = open_plain();
	session_line(v, HEADER_Y, "ERR/s▲");
}

static void a_key_that_is_none_is_said(void **state)
{
	struct vt *v = open_plain();

	(void)state;
	session_press(v, "u", NULL);
	session_line(v, 23, "no key u here: ? lists them all");
	session_press(v, "Esc", NULL);
	session_line(v, 23, "Quit");
	/* Nor in a page without a table. */
	session_press(v, "Enter", "Shift-Tab", "u", NULL);
	session_line(v, 23, "no key u here");
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

/* Random keys and sizes, the same every time: it must neither end nor hang, and must work afterwards. */
static void random_keys_do_no_harm(void **state)
{
	static const char *const keys[] = {
		"Up",  "Down",	    "Left",  "Right", "PgUp", "PgDn", "Home", "End", "Enter", "Esc", "Bksp",
		"Tab", "Shift-Tab", "F1",    "F2",    "F3",   "F4",   "F5",   "F6",  "F9",    "1",   "2",
		"3",   "4",	    "5",     "6",     "<",    ">",    "I",    "/",   "\\",    "?",   "t",
		"H",   "c",	    "C",     "K",     "D",    "a",    "T",    "p",   "[",     "]",   "d",
		"{",   "}",	    "Space", "x",     "n",    "N",    "+",    "-",   "s",     "g",   "G",
		"^D",  "^U",	    "^L",    "^N",    "^N",   "m",    ".",    "9",   "cpu",   "漢",  "F",
	};
	uint32_t chance = 12345;

	(void)state;
	for (int run = 0; run < 3; run++) {
		struct vt *v =
			session_open(&(struct session){ .kind = FIXTURE_HOSTILE_NAMES, .lang = run == 2 ? "C" : NULL });

		for (int i = 0; i < 400; i++) {
			chance = chance * 1664525 + 1013904223;
			if (chance >> 16 & 31)
				session_press(v, keys[(chance >> 8) % (sizeof(keys) / sizeof(keys[0]))], NULL);
			else
				assert_true(vt_resize(v, 1 + (int)(chance >> 24) % 60, 1 + (int)(chance >> 9) % 200));
		}
		assert_true(vt_resize(v, 24, 80));
		session_press(v, "Esc", "Esc", "Esc", "Esc", NULL);
		session_line(v, 0, "lagtop");
		session_line(v, 23, "Quit");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(cursor_keys_move, session_end),
		cmocka_unit_test_teardown(columns_scroll, session_end),
		cmocka_unit_test_teardown(views_change, session_end),
		cmocka_unit_test_teardown(sort_column_moves, session_end),
		cmocka_unit_test_teardown(rows_alike_follow_the_view, session_end),
		cmocka_unit_test_teardown(four_keys_show_the_waiting_process, session_end),
		cmocka_unit_test_teardown(the_title_explains_itself, session_end),
		cmocka_unit_test_teardown(search_finds, session_end),
		cmocka_unit_test_teardown(filter_narrows, session_end),
		cmocka_unit_test_teardown(a_filter_that_cannot_be_read_says_why, session_end),
		cmocka_unit_test_teardown(the_past_has_an_end, session_end),
		cmocka_unit_test_teardown(threads_tree_groups, session_end),
		cmocka_unit_test_teardown(kernel_threads_and_idle_rows_hide, session_end),
		cmocka_unit_test_teardown(page_opens_and_closes, session_end),
		cmocka_unit_test_teardown(a_peer_leads_to_its_process, session_end),
		cmocka_unit_test_teardown(totals_add_up, session_end),
		cmocka_unit_test_teardown(time_stands_and_goes_back, session_end),
		cmocka_unit_test_teardown(delay_is_asked_for, session_end),
		cmocka_unit_test_teardown(columns_are_chosen, session_end),
		cmocka_unit_test_teardown(tags_and_signals, session_end),
		cmocka_unit_test_teardown(help_scrolls, session_end),
		cmocka_unit_test_teardown(order_is_held_after_a_cursor_key, session_end),
		cmocka_unit_test_teardown(mouse_selects_and_sorts, session_end),
		cmocka_unit_test_teardown(a_key_that_is_none_is_said, session_end),
		cmocka_unit_test_teardown(quit_keys_quit, session_end),
		cmocka_unit_test_teardown(random_keys_do_no_harm, session_end),
	};

	return cmocka_run_group_tests_name("screen_keys", tests, session_setup, session_teardown);
}
