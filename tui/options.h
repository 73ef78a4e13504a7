/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line: one table from which getopt's options and --help are made. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "folder.h"
#include "column.h"
#include "probe.h"
#include "selection.h"
#include "when.h"

#define LAGTOP_VERSION "0.1"
#define OPTIONS_DELAY_MIN_S 0.1
#define OPTIONS_DELAY_MAX_S 3600
#define OPTIONS_WHY_S 5 /* the interval of a verdict */

enum options_output { OUTPUT_SCREEN, OUTPUT_BATCH, OUTPUT_JSON, OUTPUT_CSV, OUTPUT_NONE };

/* EXPR [for N] */
struct condition {
	const char *text;	   /* as typed; NULL: none */
	struct filter *expression; /* parsed, without "for N" */
	uint64_t readings;	   /* N, or 1 */
};

struct options {
	enum options_output output;
	double delay_s;
	bool delay_given, view_given; /* given on the command line, even with the default value */
	uint64_t iterations;	      /* 0: no end */
	struct selection selection;
	const char *filter;	   /* as typed; NULL: none */
	const struct column *sort; /* NULL: the view's own */
	bool sort_reverse;
	const struct column_view *view;
	bool threads, tree, no_mouse, ascii, no_color, readonly, verbose;
	enum model_kind group; /* MODEL_PROCESS: none */
	const char *record, *replay;
	bool streams;		 /* --record -: to standard output */
	struct folder_keep keep; /* of a folder for --record; 0: the default */
	struct when at;		 /* --at; WHEN_NONE: from the beginning */
	uint64_t history_bytes;
	struct probe_options probe;
	const char *openmetrics;	 /* a file to write; NULL: none */
	struct filter *focus_expression; /* --focus; NULL: none */
	struct condition fail, when;	 /* --fail-if, --when */
	const char *exec;		 /* NULL: none */
	bool why;			 /* lagtop why: a verdict over delay_s instead of readings */
	bool check, list_columns, list_keys, help, version;
	bool manual; /* hidden --manual: a key makes a reading (screen tests) */
};

/* Parses argv. 0, or 2 if it is invalid: then one line was written to stderr. No other side effects. */
int options_parse(struct options *o, int argc, char **argv);
void options_free(struct options *o);
void options_help(FILE *out);
/* Parses a delay as in --delay, the prompt and lagtoprc. False: not a number, or out of range. */
bool options_delay(const char *text, double *delay_s);
/* The kind of row that the options ask for: the view's own, or by -H and -g. */
enum model_kind options_kind(const struct options *o);
/* The groups of --openmetrics: command, unless -g says otherwise. */
enum model_kind options_group(const struct options *o);

#endif
