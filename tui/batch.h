/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The outputs without a screen, all made from the table of columns: --batch, --json, --csv, --list-columns. */
#ifndef BATCH_H
#define BATCH_H

#include <stdio.h>

#include "options.h"

/* The rows that the options ask for, in order. The caller frees the array; the rows belong to the model.
 * Returns their number, or -ENOMEM. */
int batch_rows(const struct options *o, struct model *m, struct row ***rows);

/* Rows as a table with a header, as --batch has it. 0 or -ENOMEM. */
int batch_table(FILE *out, const struct options *o, struct row **rows, int n);

/* Writes one reading to out and flushes. 0, or -errno of the stream (-EPIPE: the reader has closed it). */
int batch_text(FILE *out, const struct options *o, struct model *m);
int batch_json(FILE *out, const struct options *o, struct model *m);
/* A row and the mark that it has caused, as one line of JSON: a process as in batch_json, other rows by their columns.
 */
int batch_json_row(FILE *out, struct model *m, const struct row *r, const struct sample_mark *mark);
int batch_csv(FILE *out, const struct options *o, struct model *m, bool header);

/* What the outputs share: ISO 8601 in UTC with microseconds (returns buf); flush: 0 or -errno. */
#define BATCH_TIME_SIZE 48
char *batch_time(char buf[BATCH_TIME_SIZE], uint64_t realtime_ns);
int batch_finish(FILE *out);

void batch_list_columns(FILE *out);

#endif
