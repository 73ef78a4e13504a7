/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Readings as text and as CSV, for pipes and files. Text holds clean characters only. CSV holds valid UTF-8 and the
 * shown values, but not rounded to three figures; it is quoted as in RFC 4180, but lines end in a newline only.
 */
#include "batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "format.h"
#include "utf8.h"

#define CELLS_MAX 4096 /* of one cell: longer command lines are cut */
#define TEXT_COLUMNS 64
#define INDENT_MAX 40 /* levels of a tree */

int batch_rows(const struct options *o, struct model *m, struct row ***rows)
{
	const struct column *own = column_find(o->view->sort);
	struct selection_order order = {
		.sort = o->sort ? o->sort : own, .then = own, .reverse = o->sort_reverse, .tree = o->tree
	};

	return selection_rows(&o->selection, options_kind(o), &order, m, rows);
}

char *batch_time(char buf[BATCH_TIME_SIZE], uint64_t realtime_ns)
{
	time_t second = (time_t)(realtime_ns / 1000000000);
	struct tm tm;
	size_t at;

	gmtime_r(&second, &tm);
	at = strftime(buf, BATCH_TIME_SIZE, "%FT%T", &tm);
	snprintf(buf + at, BATCH_TIME_SIZE - at, ".%06uZ", (unsigned int)(realtime_ns % 1000000000 / 1000));
	return buf;
}

int batch_finish(FILE *out)
{
	if (fflush(out) || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}

static void print_summary(FILE *out, const struct model *m)
{
	const struct model_host *h = model_host(m);
	const struct sample *s = model_sample(m);
	double seconds = (double)h->interval_ns / 1e9;
	time_t second = (time_t)(s->realtime_ns / 1000000000);
	char text[32], why[SAMPLE_GAP_SIZE * 4];
	struct tm tm;
	uint64_t n;

	if (*s->gap_why) {
		format_clean(why, sizeof(why), s->gap_why, SAMPLE_GAP_SIZE, false);
		fprintf(out, "gap of %s: %s\n", format_ns(text, sizeof(text), s->gap_ns), why);
	}
	localtime_r(&second, &tm);
	strftime(text, sizeof(text), "%F %T", &tm);
	fprintf(out, "%s", text);
	if (s->probe[SAMPLE_SCHED].on) {
		format_percent(text, sizeof(text), 100.0 * (double)h->run_ns / ((double)h->interval_ns * h->cpus));
		fprintf(out, "  cpu %s%%", text);
		if (h->wakeup.count)
			fprintf(out, "  wake-up p99 %s", format_ns(text, sizeof(text), h->wakeup.p99_ns));
	}
	if (s->probe[SAMPLE_SYSCALL].on)
		fprintf(out, "  %s calls/s", format_count(text, sizeof(text), (double)h->calls_count / seconds));
	n = sample_lost_sum(&s->lost);
	if (n)
		fprintf(out, "  lost %s", format_count(text, sizeof(text), (double)n));
	fputc('\n', out);
}

/* The view's columns that a line of text can show. A command line may be of any length: it comes last. */
static size_t text_columns(const struct column_view *view, enum model_kind kind, const struct column **chosen)
{
	char name[32];
	const char *at = view->columns;
	const struct column *c;
	size_t n = 0, len;

	while (*at && n < TEXT_COLUMNS) {
		len = strcspn(at, " ");
		snprintf(name, sizeof(name), "%.*s", (int)len, at);
		at += len + (at[len] == ' ');
		c = column_find(name);
		if (c && c->kinds & 1U << kind && c->show != SHOW_SPARK)
			chosen[n++] = c;
	}
	if (n > 1 && chosen[n - 1]->flags & COLUMN_WHY) {
		c = chosen[n - 1];
		chosen[n - 1] = chosen[n - 2];
		chosen[n - 2] = c;
	}
	return n;
}

static void print_cell(FILE *out, const struct column *c, const char *text, int cells, int width, bool last)
{
	int pad = width > cells ? width - cells : 0;

	if (c->flags & COLUMN_LEFT)
		fprintf(out, "%s%*s", text, last ? 0 : pad, "");
	else
		fprintf(out, "%*s%s", pad, "", text);
	if (!last)
		fputc(' ', out);
}

int batch_table(FILE *out, const struct options *o, struct row **rows, int n)
{
	bool utf8 = !o->ascii && utf8_locale();
	const struct column *chosen[TEXT_COLUMNS];
	int width[TEXT_COLUMNS], cells;
	size_t columns_shown = text_columns(o->view, options_kind(o), chosen);
	char *text = malloc(CELLS_MAX * 4 + 1);

	if (!text)
		return -ENOMEM;
	for (size_t c = 0; c < columns_shown; c++) {
		width[c] = chosen[c]->width;
		for (int i = 0; i < n; i++) {
			cells = column_format(chosen[c], rows[i], utf8, text, CELLS_MAX * 4 + 1, CELLS_MAX);
			if (cells > width[c])
				width[c] = cells;
		}
	}
	for (size_t c = 0; c < columns_shown; c++) {
		const char *title = column_title(chosen[c], options_kind(o));

		print_cell(out, chosen[c], title, (int)strlen(title), width[c], c + 1 == columns_shown);
	}
	fputc('\n', out);
	for (int i = 0; i < n; i++) {
		for (size_t c = 0; c < columns_shown; c++) {
			cells = column_format(chosen[c], rows[i], utf8, text, CELLS_MAX * 4 + 1, CELLS_MAX);
			if (o->tree && c + 1 == columns_shown)
				fprintf(out, "%*s",
					(int)(rows[i]->depth < INDENT_MAX ? rows[i]->depth : INDENT_MAX) * 2, "");
			print_cell(out, chosen[c], text, cells, width[c], c + 1 == columns_shown);
		}
		fputc('\n', out);
	}
	free(text);
	return 0;
}

int batch_text(FILE *out, const struct options *o, struct model *m)
{
	struct row **rows = NULL;
	int n = batch_rows(o, m, &rows), err;

	if (n < 0)
		return n;
	print_summary(out, m);
	err = batch_table(out, o, rows, n);
	fputc('\n', out);
	free(rows);
	return err ? err : batch_finish(out);
}

/* RFC 4180: quoted if it holds a comma, a quote or a line break; quotes are doubled. */
static int csv_text(FILE *out, const char *raw)
{
	size_t size = strlen(raw) * 3 + 1;
	char *text = malloc(size);

	if (!text)
		return -ENOMEM;
	format_utf8(text, size, raw);
	if (!text[strcspn(text, ",\"\r\n")]) {
		fputs(text, out);
	} else {
		fputc('"', out);
		for (char *at = text; *at; at++) {
			if (*at == '"')
				fputc('"', out);
			fputc(*at, out);
		}
		fputc('"', out);
	}
	free(text);
	return 0;
}

static bool in_csv(const struct column *c, enum model_kind kind)
{
	return c->kinds & 1U << kind && c->show != SHOW_SPARK;
}

static int csv_row(FILE *out, const struct row *r, const char *when)
{
	struct value v;
	int err;

	fputs(when, out);
	for (size_t i = 0; i < columns_count; i++) {
		if (!in_csv(&columns[i], r->kind))
			continue;
		fputc(',', out);
		v = column_value(&columns[i], r);
		if (v.type == VALUE_INT) {
			fprintf(out, "%lld", (long long)v.i);
		} else if (v.type == VALUE_REAL) {
			fprintf(out, "%.10g", v.real);
		} else if (v.type == VALUE_TEXT) {
			err = csv_text(out, v.text);
			if (err)
				return err;
		}
	}
	fputc('\n', out);
	return 0;
}

int batch_csv(FILE *out, const struct options *o, struct model *m, bool header)
{
	const struct sample *s = model_sample(m);
	char when[BATCH_TIME_SIZE];
	struct row **rows = NULL;
	int n, err = 0;

	n = batch_rows(o, m, &rows);
	if (n < 0)
		return n;
	batch_time(when, s->realtime_ns);
	if (header) {
		fputs("timestamp", out); /* `time` is a column of calls */
		for (size_t c = 0; c < columns_count; c++)
			if (in_csv(&columns[c], options_kind(o)))
				fprintf(out, ",%s", columns[c].name);
		fputc('\n', out);
	}
	for (int i = 0; i < n && !err; i++)
		err = csv_row(out, rows[i], when);
	free(rows);
	return err ? err : batch_finish(out);
}

void batch_list_columns(FILE *out)
{
	for (size_t i = 0; i < columns_count; i++)
		fprintf(out, "%-12s %-8s %s\n", columns[i].name, columns[i].unit ? columns[i].unit : "",
			columns[i].help);
}
