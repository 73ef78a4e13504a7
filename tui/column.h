/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of columns: one row each, from which the screen's table, --batch, --csv, --json,
 * --list-columns, sorting, the column chooser, help and the README's table follow.
 *
 * A column has a raw value (what the JSON contract prints: counts, ns, bytes of the interval) and
 * a shown value (a rate, a share, a percentile), which is also what is sorted and filtered.
 */
#ifndef COLUMN_H
#define COLUMN_H

#include "model.h"

enum value_type { VALUE_NONE, VALUE_INT, VALUE_REAL, VALUE_TEXT };

struct value {
	enum value_type type; /* VALUE_NONE: not known; shown as "-", null in JSON */
	bool at_least;	      /* only a lower bound: printed with ≥, or > for an age */
	bool about;	      /* covers more, or less, than its name says: printed with ~ */
	union {
		int64_t i;
		double real;
		const char *text; /* raw bytes */
	};
};

enum column_show {
	SHOW_TEXT,  /* text as it is */
	SHOW_ID,    /* integer in full */
	SHOW_COUNT, /* count in the interval, three significant figures */
	SHOW_RATE,  /* raw / interval, per second */
	SHOW_BYTES_RATE,
	SHOW_BYTES,
	SHOW_SHARE, /* raw ns / interval, in % */
	SHOW_TIME,  /* ns with unit */
	SHOW_SPARK, /* sparkline */
};

#define COLUMN_LEFT 1	 /* text starts at the left */
#define COLUMN_FIXED 2	 /* identifies the row: does not scroll */
#define COLUMN_LATENCY 4 /* severity by duration */
#define COLUMN_BAD 8	 /* any value above zero deserves attention (retransmits) */
#define COLUMN_LAG 16	 /* share of time in which the row wanted to run and could not */
#define COLUMN_FAILS 32	 /* errors: severity by their share of the calls */
#define COLUMN_IDLE 128	 /* of idle rows grey, and sorted below the others */
#define COLUMN_WHY 64	 /* in fewer words where there is little room; as last column shares it with COMMAND */

struct column {
	const char *name;  /* --sort, --filter, lagtoprc, CSV header: "wake99" */
	const char *title; /* header: "WAKE99" */
	const char *json;  /* path in the process object of --json: "wakeup.p99_ns"; NULL: none */
	uint8_t width;	   /* cells, without the gap */
	enum column_show show;
	uint8_t flags;
	uint16_t kinds; /* bit set of 1 << enum model_kind for which it means something */
	struct value (*raw)(const struct row *r);
	const char *unit;	/* "%", "/s", "ns", "bytes/s" */
	const char *help;	/* one sentence */
	enum model_spark spark; /* of SHOW_SPARK: which */
	const char *metric;	/* its name in OpenMetrics; NULL: as in JSON, or `name` */
};

extern const struct column columns[];
extern const size_t columns_count;

/* NULL: no such column. Case-insensitive, by name or title. */
const struct column *column_find(const char *name);

/* Whether it shows a counter (counters.h) with no change but the division by the interval. */
bool column_is_counter(const struct column *c);

/* Its header for a kind of row: a control group's name is in the column where processes have their command. */
const char *column_title(const struct column *c, enum model_kind kind);

/* How an exited process ended: "exit 1", "-9 by 812 (bash)", "OOM"; raw bytes. Returns buf. */
const char *column_ended(const struct row *r, char *buf, size_t size);

/* The shown value: sorted, filtered, printed. */
struct value column_value(const struct column *c, const struct row *r);

/* Orders two rows by a column's shown value, largest first (texts: a to z); idle rows (COLUMN_IDLE) below the others,
 * unknown values last, and after them the row of what is outside of the pid namespace; ties by pid, tid, start and
 * other identifying fields. `reverse` reverses the order of the values, but not of ties or unknown values. */
int column_compare(const struct column *c, bool reverse, const struct row *a, const struct row *b);

/* The same order as numbers to compare, most significant first, so that many rows can be sorted without reading them
 * repeatedly; if all are equal, column_compare decides. False: the order is not that of one number. */
#define COLUMN_KEY 3
bool column_order_key(const struct column *c, bool reverse, const struct row *r, uint64_t key[COLUMN_KEY]);

/* Prints the shown value, unpadded, as clean UTF-8 (or ASCII) of at most `cells` columns; "·" for zero,
 * "-" for not known. Returns the number of cells. */
int column_format(const struct column *c, const struct row *r, bool utf8, char *buf, size_t size, int cells);

/* How levels of a sparkline are shown: the height of the lowest is 1, each further one is `step` levels. */
struct column_spark {
	uint8_t low, step;
};

/* By the row's own minute, so that its changes are seen. */
struct column_spark column_spark_scale(const struct model_sparkline *s);
/* The height, 1 to 8, of a level (0: nothing measured). */
int column_spark_level(const struct column_spark *scale, uint8_t level);
/* The same on one scale for all, for the meters. */
int column_spark_height(enum model_spark which, uint8_t level);

/* The views: name for --view, title of the tab, kind of row, default columns, default sort, sparkline. */
struct column_view {
	const char *name, *title;
	enum model_kind kind;
	const char *columns; /* names, space-separated; COMMAND last, or before WHY */
	const char *sort;
	enum model_spark spark;
	const char *brief; /* the title on a narrow screen */
};
extern const struct column_view column_views[];
extern const size_t column_views_count;
/* The processes that make a call: no tab of its own, opened from a row of the calls view. */
extern const struct column_view column_callers;
/* The processes that wait for disks: likewise, from a row of the disks view. */
extern const struct column_view column_who;
const struct column_view *column_view_find(const char *name);

#endif
