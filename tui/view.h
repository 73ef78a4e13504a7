/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the user looks at: which view, page or menu, which reading. Independent of the terminal. view_reading.c adds
 * readings, keys.c changes the view, draw.c draws it.
 *
 * Two models: `live` has seen every reading; `past` is rebuilt from the history when the user steps
 * back or pauses. Everything drawn comes from the one that is shown.
 */
#ifndef VIEW_H
#define VIEW_H

#include "ask.h"
#include "context.h"
#include "crowd.h"
#include "history.h"
#include "key.h"
#include "losses.h"
#include "options.h"
#include "table.h"
#include "trigger.h"
#include "verdict.h"

#define VIEW_TABLES 8
#define VIEW_MARKS 16

enum view_mode {
	MODE_TABLE,
	MODE_HELP,
	MODE_WHY,
	MODE_LOST,
	MODE_SIGNS,
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

enum page_tab { PAGE_CALLS, PAGE_THREADS, PAGE_CONNECTIONS, PAGE_PEERS, PAGE_BECAUSE, PAGE_HEATMAP, PAGE_TABS };

/* The page of one process. */
struct page {
	bool open;
	uint32_t pid;
	uint64_t start_ns;
	enum page_tab tab;
	struct table tables[PAGE_HEATMAP];
	struct row row; /* its numbers; after it has exited, those of its last reading */
	struct row_net net;
	char *texts;		    /* of row, which outlives its sample if the process has exited */
	uint32_t reading;	    /* sample.number of the reading that row was shown in; 0: none */
	bool answers;		    /* it has answered a request while the page was open */
	bool gone;		    /* it has no row in the reading shown */
	char context[CONTEXT_TEXT]; /* in which circumstances it waits; "": not known */
	uint32_t last;		    /* how many readings ago its last one was; UINT32_MAX: not kept */
};

/* A device in one direction, shown above the processes that wait for disks. */
struct view_disk {
	bool open;
	uint32_t major, minor;
	enum lt_disk_op op;
	char name[32];
};

/* Where Enter was pressed: what Backspace goes back to. */
struct trail_place {
	bool page; /* that of a process, else a table */
	uint32_t pid;
	uint64_t start_ns;
	enum page_tab tab;
	size_t at;
	uint32_t call;
	struct view_disk disk;
	enum model_kind rows_kind;
	char filter[TABLE_TEXT];
	uint64_t cursor_key;
	char comm[16]; /* raw; of a page */
};

#define TRAIL_PLACES 16

struct trail {
	struct trail_place place[TRAIL_PLACES]; /* the oldest first */
	int n;
};

/* The target of a signal or a nice value: a copy, so that it remains the process that the user saw. */
struct menu_target {
	uint32_t pid;
	uint64_t start_ns;
	char name[120]; /* raw, not clean */
};

/* A menu: a list with a cursor. */
struct menu {
	int cursor, top, n;
	int y, lines; /* as drawn */
	struct menu_target *targets;
	int n_targets;
	uint32_t cap_targets;
	int signal;	     /* MODE_CONFIRM: what to send */
	int nice, nice_then; /* MODE_NICE: now, and after confirmation */
};

/* Processes that have exited: one by one, summed by command and parent, added to their parents, not shown. */
enum view_dead { DEAD_ALONE, DEAD_SUMMED, DEAD_ADDED, DEAD_HIDDEN, DEAD_MODES };

enum view_theme { THEME_AUTO, THEME_DARK, THEME_LIGHT, THEME_MONO };

/* The settings of lagtoprc, changed by the user's choices on the screen, but not by the command line. */
struct settings {
	enum view_theme theme;
	bool no_mouse;
	double delay_s;
	size_t view;
	bool tree, threads;
	char *saved;  /* the contents of the file, as settings_save would write it; NULL: not known */
	bool differs; /* from the saved settings: shown in the title */
};

struct view {
	const struct options *options;
	struct settings settings;
	struct table_wants wants;
	struct table tables[VIEW_TABLES];
	size_t at;	      /* index into column_views and tables */
	struct table callers; /* replaces tables[at]: the callers of a call */
	uint32_t call;	      /* which; LT_CALL_NONE: none */
	struct view_disk disk;
	struct table who;	   /* replaces tables[at]: who waits for disks */
	enum model_kind rows_kind; /* MODEL_PROCESS, MODEL_THREAD or a group, in the process views */
	bool totals;
	enum view_dead dead;
	struct crowd crowd;
	struct page page;
	struct trail trail;

	enum view_mode mode;
	struct menu menu;
	char input[TABLE_TEXT]; /* of a prompt */
	struct filter *filter;	/* the last valid filter that was typed */
	char filter_why[100];	/* why the text being typed is invalid; "": it is valid */
	size_t filter_at;	/* offset of the error */
	char filter_kept[TABLE_TEXT];
	const char *filter_before; /* what Esc restores: filter_kept, or the command line's if that is longer */

	struct ask asked;	/* by the options, as of the newest reading */
	struct verdict verdict; /* MODE_WHY: over the last readings */
	uint64_t verdict_ns;	/* history_time of its last reading */
	bool verdict_live;	/* that was the newest one */
	struct model *live, *past;
	uint32_t past_number; /* sample.number that past has seen last; 0: none */
	struct history history;
	uint64_t history_bytes; /* wanted for the history */
	bool past_shrank;	/* at the last reading, for lack of memory */
	bool paused;
	uint32_t back; /* readings ago */

	struct losses losses;
	struct trigger trigger;	       /* --when */
	bool bell;		       /* it has marked a reading */
	uint64_t marks_ns[VIEW_MARKS]; /* set by hand since the last reading: realtime_ns of the readings meant */
	uint32_t n_marks;
	bool seek_mark;		 /* a replay is to be read on to the next mark */
	uint64_t recorded_bytes; /* to --record; 0: no recording is written */
	uint64_t realtime_ns;	 /* now; 0: not known (--manual) */

	double delay_s;
	bool delay_changed, quit, redraw, read_now, settings_changed, save;
	bool on_title; /* the cursor is: Enter explains it */
	bool moved;    /* the last key only moved the cursor: the rows are unchanged */
	bool source_live, source_ended;
	bool streams;	       /* the source is another lagtop, through a pipe */
	int64_t stream_ns;     /* the shortest time from its clock at a reading to ours when it came */
	double budget_percent; /* 0: none */
	bool calls_off;	       /* wanted: system calls are not watched */
	bool calls_fixed;      /* the source cannot turn them off */
	uint8_t families_on;   /* in the newest reading, a bit each */
	uint64_t now_ns;       /* the clock of held orders and messages; set before each call */

	char message[200];
	uint64_t message_ns; /* shown until */
	enum style message_style;

	int tabs_y, tab_x[VIEW_TABLES + 1]; /* as drawn, for the mouse */
	int page_tabs_y, page_tab_x[PAGE_TABS + 1];
};

/* Without memory -ENOMEM. The options must outlive the view. */
int view_init(struct view *v, const struct options *o, bool live);
void view_free(struct view *v);

struct model *view_model(const struct view *v); /* the one shown */
struct table *view_main(struct view *v);	/* that of the view, even under an open page */
struct table *view_table(struct view *v);	/* the one the cursor is in; NULL: none (heatmap) */
/* Whom to look at closely: the page's and the cursor's process, those of the options, and tagged ones. */
void view_ask(struct view *v, struct ask *ask);
bool view_wants_connections(const struct view *v); /* connections are shown, or there are few enough to read them */
bool view_totals(const struct view *v);		   /* totals are wanted and known: not for past readings */
bool view_is_process(const struct view *v);	   /* a view of processes, threads or groups */
enum model_kind view_kind(const struct view *v);   /* that of the rows of view_main */
/* Sets a filter by its text. False: it is invalid, filter_why says why, and the old filter stays. */
bool view_filter(struct view *v, const char *text);
/* wants.filter is only the beginning of the command line's filter. */
bool view_filter_long(const struct view *v);
/* The start of a row's process, in the reading shown; 0: not known. */
uint64_t view_owner(const struct view *v, const struct row *r);
/* How late the newest reading of a stream is: the clocks of two machines differ, so the fastest one took no time. */
uint64_t view_stream_age(const struct view *v);
/* Moves the cursor to a match of wants.search: the best (0), the next (1) or the previous (-1). False: there is none.
 */
bool view_search(struct view *v, int direction);
void view_say(struct view *v, enum style style, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
