/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "impossible_csv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "column.h"

#define ROUNDING 1e-8 /* ten figures of each number */
#define REPAIRED 0.05 /* of a CPU's time: CSV does not show that a missed switch was repaired (lost.switches) */

#define broken(c, rule, format, ...)                                                                                   \
	findings_add(&(c)->found, rule, "%s %s: " format, (c)->time, who(c, cell), __VA_ARGS__)

static int column_at(const struct impossible_csv *c, const char *name)
{
	for (size_t i = 0; i < c->columns; i++)
		if (!strcmp(c->name[i], name))
			return (int)i;
	return -1;
}

static const char *cell_of(const struct impossible_csv *c, char *const *cell, const char *name)
{
	int at = column_at(c, name);

	return at < 0 ? "" : cell[at];
}

/* A number that is known. */
static bool value(const struct impossible_csv *c, char *const *cell, const char *name, double *n)
{
	const char *text = cell_of(c, cell, name);

	*n = strtod(text, NULL);
	return *text;
}

static const char *who(const struct impossible_csv *c, char *const *cell)
{
	static char text[128];

	snprintf(text, sizeof(text), "pid %s tid %s %s%s", cell_of(c, cell, "pid"), cell_of(c, cell, "tid"),
		 cell_of(c, cell, "comm"), cell_of(c, cell, "call"));
	return text;
}

/* Splits a row in place; returns the number of cells. */
static size_t split(char *row, char **cell, size_t max)
{
	size_t n = 0;
	char *from = row, *to;

	for (;;) {
		bool quoted = *from == '"';

		from += quoted;
		to = from;
		if (n < max)
			cell[n] = to;
		n++;
		while (*from && (quoted || *from != ',')) {
			if (quoted && *from == '"' && *++from != '"')
				break;
			*to++ = *from++;
		}
		if (!*from) {
			*to = 0;
			return n;
		}
		*to = 0;
		from++;
	}
}

static void take_header(struct impossible_csv *c, const char *line)
{
	c->header = strdup(line);
	if (!c->header)
		abort();
	c->columns = split(c->header, (char **)c->name, CSV_COLUMNS);
	for (size_t i = 0; i < c->columns && i < CSV_COLUMNS; i++) {
		const struct column *column = column_find(c->name[i]);

		c->is_text[i] = i == 0 || (column && column->show == SHOW_TEXT);
		if (column_at(c, c->name[i]) != (int)i)
			findings_add(&c->found, "two columns of one name", "%s", c->name[i]);
		if (i && !column)
			findings_add(&c->found, "a column that is not in the table of columns", "%s", c->name[i]);
	}
}

static void check_cells(struct impossible_csv *c, char *const *cell, double uptime_ns)
{
	for (size_t i = 0; i < c->columns; i++) {
		const struct column *column = column_find(c->name[i]);
		char *end;
		double n;

		if (c->is_text[i] || !*cell[i])
			continue;
		n = strtod(cell[i], &end);
		if (*end || !isfinite(n))
			broken(c, "not a number", "%s %.40s", c->name[i], cell[i]);
		if (n < (strcmp(c->name[i], "nice") ? 0 : -20) && strcmp(c->name[i], "exit") != 0)
			broken(c, "negative", "%s %s", c->name[i], cell[i]);
		if (column && column->show == SHOW_TIME && strcmp(c->name[i], "calltime") != 0 && n > uptime_ns)
			broken(c, "longer than the uptime", "%s %s", c->name[i], cell[i]);
	}
}

static void check_rising(struct impossible_csv *c, char *const *cell, const char *of, const char *const *rising)
{
	double last = 0, n;
	char name[32];

	for (; *rising; rising++) {
		snprintf(name, sizeof(name), "%s%s", of, *rising);
		if (!value(c, cell, name, &n))
			continue;
		if (n < last)
			broken(c, "percentiles fall", "%s %.10g < %.10g", name, n, last);
		last = n;
	}
}

static void check_most(struct impossible_csv *c, char *const *cell, const char *rule, const char *less,
		       const char *more, double allowed)
{
	double n, most;

	if (value(c, cell, less, &n) && value(c, cell, more, &most) && n > most * (1 + ROUNDING) + allowed)
		broken(c, rule, "%s %.10g > %s %.10g", less, n, more, most);
}

/* A state's column: that of run is called CPU. */
static const char *column_of_state(const struct impossible_csv *c, const char *state)
{
	if (!strcmp(state, "run"))
		return "cpu";
	return !strcmp(state, "runq") && column_at(c, "wakeq") >= 0 ? "wakeq" : state;
}

static void check_time(struct impossible_csv *c, char *const *cell)
{
	double wall, n, sum = 0;

	if (!value(c, cell, "wall", &wall) || !c->json || !c->json->n_states)
		return;
	for (size_t i = 0; i < c->json->n_states; i++) {
		const char *name = column_of_state(c, c->json->state[i]);

		if (column_at(c, name) < 0)
			broken(c, "a state without a column", "%s", name);
		value(c, cell, name, &n);
		if (n > wall * (1 + ROUNDING))
			broken(c, "a state above the wall time", "%s %.10g > %.10g", name, n, wall);
		sum += n;
	}
	if (fabs(sum - wall) > wall * ROUNDING)
		broken(c, "the states do not add up to the wall time", "%.10g, wall %.10g", sum, wall);
	if (column_at(c, "tid") >= 0 && wall > 100 * (1 + ROUNDING))
		broken(c, "one thread lived longer than the interval", "%.10g %%", wall);
	value(c, cell, "cpu", &n);
	c->run_sum += n;
	if (c->run_sum > 100 * c->cpus * (1 + REPAIRED)) {
		broken(c, "the machine ran longer than its CPUs", "%.10g %%", c->run_sum);
		c->run_sum = -INFINITY; /* once a reading */
	}
}

static void check_row(struct impossible_csv *c, char *row)
{
	static const char *const of_many[] = { "50", "90", "99", "max", NULL };
	static const char *const of_one[] = { "p50", "p90", "p99", "max", NULL };
	char *cell[CSV_COLUMNS];
	size_t n = split(row, cell, CSV_COLUMNS);
	struct timespec up;

	c->rows++;
	if (n != c->columns || n > CSV_COLUMNS) {
		findings_add(&c->found, "a row does not have the number of cells of the header", "%zu, not %zu: %.100s",
			     n, c->columns, row);
		return;
	}
	if (strcmp(c->time, cell[0]) != 0) {
		snprintf(c->time, sizeof(c->time), "%s", cell[0]);
		c->run_sum = 0;
	}
	clock_gettime(CLOCK_BOOTTIME, &up);
	check_cells(c, cell, (double)up.tv_sec * 1e9 + (double)up.tv_nsec);
	check_rising(c, cell, "runq", of_many);
	check_rising(c, cell, "call", of_many);
	check_rising(c, cell, "", of_one);
	check_most(c, cell, "more errors than calls", "errors", "calls", c->interrupted);
	check_most(c, cell, "a call waits longer than it lasts", "wait", "time", 0);
	check_most(c, cell, "a state above the wall time", "lag", "wall", 0);
	check_time(c, cell);
}

static bool is_utf8(const char *text)
{
	mbstate_t state = { 0 };

	return mbsrtowcs(NULL, &text, 0, &state) != (size_t)-1;
}

void impossible_csv_line(struct impossible_csv *c, const char *line)
{
	size_t had = c->row ? strlen(c->row) : 0, quotes = 0;

	if (!c->header) {
		take_header(c, line);
		return;
	}
	c->row = realloc(c->row, had + strlen(line) + 2);
	if (!c->row)
		abort();
	sprintf(c->row + had, "%s%s", had ? "\n" : "", line);
	for (const char *at = c->row; (at = strchr(at, '"')); at++)
		quotes++;
	if (quotes % 2)
		return;
	if (!is_utf8(c->row))
		findings_add(&c->found, "not UTF-8", "%.100s", c->row);
	check_row(c, c->row);
	free(c->row);
	c->row = NULL;
}

void impossible_csv_free(struct impossible_csv *c)
{
	free(c->header);
	free(c->row);
	memset(c, 0, sizeof(*c));
}
