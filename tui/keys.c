// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of keys. Motion keys win over top's letters; nothing here kills without a menu. */
#include <stdio.h>

#include "keys.h"

const struct key_row key_rows[] = {
	{ .help = "Moving" },
	{ DO_UP, { K_UP, 'k' }, NULL, "up one row" },
	{ DO_DOWN, { K_DOWN, 'j' }, NULL, "down one row" },
	{ DO_LEFT, { K_LEFT, 'h' }, NULL, "columns to the left" },
	{ DO_RIGHT, { K_RIGHT, 'l' }, NULL, "columns to the right" },
	{ DO_PAGE_UP, { K_PAGE_UP, 'B' & K_CTRL }, NULL, "up one page" },
	{ DO_PAGE_DOWN, { K_PAGE_DOWN, 'F' & K_CTRL }, NULL, "down one page" },
	{ DO_HALF_UP, { 'U' & K_CTRL }, NULL, "up half a page" },
	{ DO_HALF_DOWN, { 'D' & K_CTRL }, NULL, "down half a page" },
	{ DO_HOME, { K_HOME, 'g' }, NULL, "first row, and stay at the top" },
	{ DO_END, { K_END, 'G' }, NULL, "last row; in the past, End: back to now" },
	{ DO_ENTER, { K_ENTER }, NULL, "into the process, the group, or who makes the call" },
	{ DO_BACK, { K_ESC, K_BACKSPACE }, NULL, "back; in the table: forget filter and tags" },

	{ .help = "Views" },
	{ DO_HELP, { '?', K_F + 1 }, "Help", "this help" },
	{ DO_VIEW, { '1', '2', '3' }, NULL, "overview, sched, syscalls" },
	{ DO_VIEW, { '4', '5', '6' }, NULL, "net, calls, connections" },
	{ DO_NEXT_VIEW, { K_TAB }, NULL, "next view" },
	{ DO_PREVIOUS_VIEW, { K_BACKTAB }, NULL, "previous view" },
	{ DO_SEARCH, { '/', K_F + 3 }, "Search", "search while typing" },
	{ DO_SEARCH_NEXT, { 'n' }, NULL, "next match" },
	{ DO_SEARCH_PREVIOUS, { 'N' }, NULL, "previous match" },
	{ DO_FILTER, { '\\', K_F + 4 }, "Filter", "only rows for which it holds: a word, or cpu>5 and user=root" },
	{ DO_SORT_LEFT, { '<' }, NULL, "sort by the column to the left" },
	{ DO_SORT_RIGHT, { '>' }, NULL, "sort by the column to the right" },
	{ DO_SORT_MENU, { 's', K_F + 6 }, "Sort", "menu of columns to sort by" },
	{ DO_REVERSE, { 'I' }, NULL, "turn the order round" },
	{ DO_TREE, { 't', K_F + 5 }, "Tree", "parents and children" },
	{ DO_THREADS, { 'H' }, "Threads", "one row per thread" },
	{ DO_GROUP, { 'c' }, "Group", "group by command, user, cgroup" },
	{ DO_COLUMNS, { 'C', K_F + 2 }, "Columns", "choose columns" },
	{ DO_KERNEL, { 'K' }, NULL, "hide or show kernel threads" },
	{ DO_DEAD, { 'D' }, NULL, "keep the dead for a while, or not" },
	{ DO_ACTIVE, { 'a' }, NULL, "only rows that did something" },
	{ DO_TOTALS, { 'T' }, NULL, "rates, or totals since the start" },

	{ .help = "Time" },
	{ DO_PAUSE, { 'p' }, "Pause", "hold the picture; readings go on" },
	{ DO_OLDER, { '[' }, NULL, "one reading back" },
	{ DO_NEWER, { ']' }, NULL, "one reading forward" },
	{ DO_OLDER_10, { '{' }, NULL, "ten readings back" },
	{ DO_NEWER_10, { '}' }, NULL, "ten readings forward" },
	{ DO_DELAY, { 'd' }, NULL, "time between readings" },

	{ .help = "Processes" },
	{ DO_TAG, { ' ' }, NULL, "tag the process" },
	{ DO_SIGNAL, { 'x', K_F + 9 }, "Signal", "send a signal: menu, then confirm" },
	{ DO_NICE_UP, { K_F + 8 }, NULL, "nicer, lower priority: asks first" },
	{ DO_NICE_DOWN, { K_F + 7 }, NULL, "less nice, higher priority: asks first" },

	{ .help = "Leaving" },
	{ DO_REDRAW, { 'L' & K_CTRL }, NULL, "paint the screen anew" },
	{ DO_QUIT, { 'q', K_F + 10 }, "Quit", "quit; in a page: back" },
	{ DO_READ, { '.' }, NULL, NULL }, /* --manual: the next reading, now */
};
const size_t key_rows_count = sizeof(key_rows) / sizeof(key_rows[0]);

enum key_function key_function(uint32_t code)
{
	if (code == '\n')
		code = K_ENTER;
	for (size_t i = 0; i < key_rows_count; i++)
		for (int k = 0; k < 4 && key_rows[i].keys[k]; k++)
			if (key_rows[i].keys[k] == code)
				return key_rows[i].function;
	return DO_NOTHING;
}

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
		fprintf(out, "%s%s\n", row->function ? "\t" : "", row->help);
	}
}
