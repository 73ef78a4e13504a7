/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the user looks at: which view, page or menu, which reading. Knows no terminal. view_reading.c brings readings
 * in, keys.c changes it, draw.c draws it.
 *
 * Two models: `live` has seen every reading; `past` is made anew from the history when one looks
 * back or pauses. Everything drawn comes from the one that is shown.
 */
#ifndef VIEW_H
#define VIEW_H

#include "history.h"
#include "key.h"
#include "options.h"
#include "table.h"

#define VIEW_TABLES 8

enum view_mode {
	MODE_TABLE,
	MODE_HELP,
	MODE_SORT,
	MODE_GROUP,
	MODE_COLUMNS,
	MODE_SIGNAL,
	MODE_CONFIRM,
	MODE_NICE,
	MODE_SEARCH,
	MODE_FILTER,
	MODE_DELAY,
};

enum page_tab { PAGE_CALLS, PAGE_THREADS, PAGE_CONNECTIONS, PAGE_HEATMAP, PAGE_TABS };

/* The page of one process. */
struct page {
	bool open;
	uint32_t pid;
	uint64_t start_ns;
	enum page_tab tab;
	struct table tables[PAGE_HEATMAP];
	struct row row; /* its own numbers; when it is gone, those of its last reading */
	struct row_net net;
	char *texts;	  /* of row: gone, it outlives its sample */
	uint32_t reading; /* sample.number of the reading that row was shown in; 0: none */
	bool gone;	  /* no row of it in the reading shown */
	uint32_t last;	  /* readings ago of its last one, UINT32_MAX: not kept */
};

/* A process that a signal or a nice value is meant for: a copy, so that it stays whom one saw. */
struct menu_target {
	uint32_t pid;
	uint64_t start_ns;
	char name[120]; /* as it calls itself: not clean */
};

/* A menu: a list with a cursor. */
struct menu {
	int cursor, top, n;
	int y, lines; /* as drawn */
	struct menu_target *targets;
	int n_targets;
	int signal;	     /* MODE_CONFIRM: what to send */
	int nice, nice_then; /* MODE_NICE: now, and if one agrees */
};

enum view_theme { THEME_AUTO, THEME_DARK, THEME_LIGHT, THEME_MONO };

/* What lagtoprc says, or the user chose on the screen since: what the command line asks for is not kept. */
struct settings {
	enum view_theme theme;
	bool no_mouse;
	double delay_s;
	size_t view;
	bool tree, threads;
	char *saved;  /* what is in the file, as settings_save would write it; NULL: not known */
	bool differs; /* from what is saved: the title says so */
};

struct view {
	const struct options *options;
	struct settings settings;
	struct table_wants wants;
	struct table tables[VIEW_TABLES];
	size_t at;		   /* index into column_views and tables */
	struct table callers;	   /* in place of tables[at]: who makes a call */
	uint32_t call;		   /* which; LT_CALL_NONE: none */
	enum model_kind rows_kind; /* MODEL_PROCESS, MODEL_THREAD or a group, in the process views */
	bool totals, no_dead;
	struct page page;

	enum view_mode mode;
	struct menu menu;
	char input[TABLE_TEXT]; /* of a prompt */
	struct filter *filter;	/* of the text typed, our own; the last that could be read */
	char filter_why[100];	/* why the text being typed cannot be read; "": it can */
	size_t filter_at;	/* the byte where */
	char filter_kept[TABLE_TEXT];
	const char *filter_before; /* what Esc brings back: filter_kept, or the command line's if that is longer */

	struct model *live, *past;
	uint32_t past_number; /* sample.number that past has seen last; 0: none */
	struct history history;
	uint64_t history_bytes; /* wanted for it */
	bool past_shrank;	/* at the last reading, for want of memory */
	bool paused;
	uint32_t back; /* readings ago */

	double delay_s;
	bool delay_changed, quit, redraw, read_now, settings_changed, save;
	bool moved; /* the last key only moved the cursor: the rows are as they were */
	bool source_live, source_ended;
	uint64_t now_ns; /* the clock of held orders and messages; set before each call */

	char message[200];
	uint64_t message_ns; /* shown until */
	enum style message_style;

	int tabs_y, tab_x[VIEW_TABLES + 1]; /* as drawn, for the mouse */
	int page_tabs_y, page_tab_x[PAGE_TABS + 1];
};

/* Without memory -ENOMEM. The options must outlive the view. */
int view_init(struct view *v, const struct options *o, bool live);
void view_free(struct view *v);

struct model *view_model(const struct view *v);	   /* the one shown */
struct table *view_main(struct view *v);	   /* that of the view, whatever page is open over it */
struct table *view_table(struct view *v);	   /* the one the cursor is in; NULL: none (heatmap) */
bool view_wants_connections(const struct view *v); /* the sockets are looked at, or cheap to walk */
bool view_totals(const struct view *v);		   /* totals are asked for, and known: not of the past */
bool view_is_process(const struct view *v);	   /* a view of processes, threads or groups */
enum model_kind view_kind(const struct view *v);   /* that of the rows of view_main */
/* Takes a filter's text. False: it cannot be read, filter_why says why, the filter before stays. */
bool view_filter(struct view *v, const char *text);
/* wants.filter is only the beginning of the command line's. */
bool view_filter_long(const struct view *v);
/* When the process of a row began, in the reading shown; 0: it is not known. */
uint64_t view_owner(const struct view *v, const struct row *r);
void view_say(struct view *v, enum style style, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
