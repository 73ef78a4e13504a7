/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The outputs without a screen but JSON, from a reading made by hand: CSV that an RFC 4180 reader gets back, text
 * without a hostile byte, and the rows that -p, -u, -f, --active, -t, -g and -H select.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "synthetic.h"

static int csv_with_header(FILE *out, const struct options *o, struct model *m)
{
	return batch_csv(out, o, m, true);
}

static int csv_without_header(FILE *out, const struct options *o, struct model *m)
{
	return batch_csv(out, o, m, false);
}

static size_t processes(const char *words)
{
	return json_object_array_length(output_field(output_json(words), "processes"));
}

static void rows_that_are_asked_for(void **state)
{
	(void)state;
	assert_int_equal(processes("-j"), 4);
	assert_int_equal(processes("-j -p 1000"), 1);
	assert_int_equal(processes("-j -p 2,1000,77"), 2);
	assert_int_equal(processes("-j -u nobody"), 1);
	assert_int_equal(processes("-j -u 0"), 3);
	assert_int_equal(processes("-j --active"), 2);
	assert_int_equal(processes("-j --active -u 0"), 1);
	assert_int_equal(processes("-j -f cpu>5"), 1);
	assert_int_equal(processes("-j -f quiet"), 1);
	assert_int_equal(processes("-j -p 1000 -f quiet"), 0);
}

/* The next cell of CSV as RFC 4180 has it; *last: the record ends with it. */
static char *csv_cell(const char **at, bool *last)
{
	static char cell[1000];
	size_t n = 0;

	if (**at == '"') {
		for (++*at; **at != '"' || (*at)[1] == '"'; ++*at) {
			if (**at == '"')
				++*at;
			cell[n++] = **at;
		}
		++*at;
	} else {
		while (**at != ',' && **at != '\n')
			cell[n++] = *(*at)++;
	}
	cell[n] = '\0';
	*last = **at == '\n';
	assert_true(**at == ',' || **at == '\n');
	++*at;
	return cell;
}

static void csv(void **state)
{
	const char *at, *cell;
	int pid_at = -1, comm_at = -1, cpu_at = -1, exit_at = -1, columns_seen = 0, rows = 0, i;
	char pid[20] = "";
	bool last = false;

	(void)state;
	output_sample.processes[0].comm = sample_add_text(&output_sample, "line\nend", 8);
	at = output_of(csv_with_header, "--csv");
	for (i = 0; !last; i++) {
		cell = csv_cell(&at, &last);
		if (i == 0)
			assert_string_equal(cell, "timestamp");
		else
			assert_non_null(column_find(cell));
		pid_at = strcmp(cell, "pid") ? pid_at : i;
		comm_at = strcmp(cell, "comm") ? comm_at : i;
		cpu_at = strcmp(cell, "cpu") ? cpu_at : i;
		exit_at = strcmp(cell, "exit") ? exit_at : i;
	}
	columns_seen = i;
	assert_true(columns_seen > 50);
	while (*at) {
		last = false;
		for (i = 0; !last; i++) {
			cell = csv_cell(&at, &last);
			if (i == 0)
				assert_string_equal(cell, "2026-11-22T07:05:01.123456Z");
			if (i == pid_at)
				snprintf(pid, sizeof(pid), "%s", cell);
			if (i == comm_at && !strcmp(pid, "2000"))
				assert_string_equal(cell, "\"a,b\"\n\x1b[31m\xef\xbf\xbd\xc3\xa9");
			if (i == comm_at && !strcmp(pid, "2"))
				assert_string_equal(cell, "line\nend");
			if (i == cpu_at && !strcmp(pid, "1000"))
				assert_string_equal(cell, "30.0000001");
			if (i == exit_at)
				assert_string_equal(cell, strcmp(pid, "2000") ? "" : "-9");
		}
		assert_int_equal(i, columns_seen);
		rows++;
	}
	assert_int_equal(rows, 4);
	at = output_of(csv_without_header, "--csv -p 1000");
	assert_int_equal(strncmp(at, "2026-11-22T", 11), 0);
	at = output_of(csv_with_header, "--csv -v calls");
	assert_int_equal(strncmp(at, "timestamp,call,nr,abi,", 22), 0);
}

/* The line that holds a text, or NULL. */
static const char *line_with(const char *haystack, const char *needle)
{
	const char *found = strstr(haystack, needle);

	while (found && found > haystack && found[-1] != '\n')
		found--;
	return found;
}

static void text_is_clean(void **state)
{
	static const char *const lines[] = {
		"-b",	       "-b --ascii",	 "-b -H",     "-b -t",	     "-b -g command",
		"-b -v sched", "-b -v syscalls", "-b -v net", "-b -v calls", "-b -v connections"
	};
	const char *out;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		out = output_of(batch_text, lines[i]);
		assert_non_null(strstr(out, "lost 495"));
		for (const char *c = out; *c; c++)
			if (((unsigned char)*c < ' ' && *c != '\n') || *c == 127 || *c == (char)0xff ||
			    (strstr(lines[i], "ascii") && (unsigned char)*c > 126))
				fail_msg("%s prints byte %02x", lines[i], (unsigned char)*c);
	}
}

static void text_tables(void **state)
{
	const char *out = output_of(batch_text, "-b"), *server, *exited, *quiet;

	(void)state;
	assert_non_null(strstr(out, "cpu 15.1%  wake-up p99 11.5ms  107 calls/s  lost 495\n"));
	assert_non_null(strstr(out, "PID"));
	server = line_with(out, "server --fast");
	exited = line_with(out, "=evil");
	assert_non_null(server);
	assert_true(server < exited); /* the higher LAG% */
	assert_non_null(strstr(server, "30.0"));
	assert_non_null(strstr(server, "11.5ms"));
	out = output_of(batch_text, "-b -s -pid");
	assert_true(line_with(out, "[kthreadd]") < line_with(out, "server --fast"));
	assert_true(line_with(out, "server --fast") < line_with(out, "quiet"));
	out = output_of(batch_text, "-b -t -s pid");
	server = line_with(out, "server --fast");
	quiet = line_with(out, "  quiet");
	assert_non_null(quiet);
	assert_true(server < quiet && quiet < line_with(out, "  =evil"));
	assert_true(line_with(out, "  =evil") < line_with(out, "[kthreadd]"));
	out = output_of(batch_text, "-b -H -p 1000");
	assert_non_null(line_with(out, "worker"));
	assert_null(line_with(out, "quiet"));
	out = output_of(batch_text, "-b -g user");
	assert_non_null(line_with(out, "nobody"));
	assert_null(line_with(out, "server --fast"));
}

/* With -p and -u, groups and calls are those of the selected processes. */
static void sums_are_of_the_rows_chosen(void **state)
{
	const char *out;

	(void)state;
	out = output_of(batch_text, "-b -g user -p 1000,3000");
	assert_non_null(line_with(out, "root"));
	assert_null(line_with(out, "nobody"));
	out = output_of(batch_text, "-b -g command -u nobody");
	assert_null(line_with(out, "server"));
	out = output_of(batch_text, "-b -v calls -p 3000,2000");
	assert_null(line_with(out, "read"));
	out = output_of(batch_text, "-b -v calls -u nobody");
	assert_null(line_with(out, "read"));
	out = output_of(batch_text, "-b -v calls -p 1000");
	assert_non_null(line_with(out, "read"));
}

static void list_columns(void **state)
{
	char *list = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&list, &len);

	(void)state;
	batch_list_columns(out);
	fclose(out);
	for (size_t i = 0; i < columns_count; i++) {
		assert_non_null(strstr(list, columns[i].name));
		assert_non_null(strstr(list, columns[i].help));
	}
	free(list);
}

static void a_stream_that_fails_is_told(void **state)
{
	FILE *full = fopen("/dev/full", "we");
	struct options o;
	char *argv[] = { "lagtop", "-b", NULL };

	(void)state;
	output_of(batch_text, "-b");
	assert_non_null(full);
	assert_int_equal(options_parse(&o, 2, argv), 0);
	assert_true(batch_text(full, &o, output_model) < 0);
	assert_true(batch_json(full, &o, output_model) < 0);
	assert_true(batch_csv(full, &o, output_model, true) < 0);
	options_free(&o);
	fclose(full);
}
int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rows_that_are_asked_for, output_refill, output_drop),
		cmocka_unit_test_setup_teardown(csv, output_refill, output_drop),
		cmocka_unit_test_setup_teardown(text_is_clean, output_refill, output_drop),
		cmocka_unit_test_setup_teardown(text_tables, output_refill, output_drop),
		cmocka_unit_test_setup_teardown(sums_are_of_the_rows_chosen, output_refill, output_drop),
		cmocka_unit_test_setup_teardown(list_columns, output_refill, output_drop),
		cmocka_unit_test_setup_teardown(a_stream_that_fails_is_told, output_refill, output_drop),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
