/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What outlives the run: --openmetrics, read by the reference client; --fail-if and its exit status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <dirent.h>
#include <json-c/json.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alert.h"
#include "child.h"
#include "fixture.h"
#include "names.h"
#include "openmetrics.h"
#include "record.h"
#include "synthetic.h"

#define SAMPLES_MAX 40000

static char folder[] = "/tmp/lagtop-outputs.XXXXXX";
static char metrics[64], recording[64];
static char errors[4000];

/* Runs ./lagtop with these words; the exit status. Its stderr is in errors, *lines counts its stdout. */
static int lagtop(const char *const *words, int *lines)
{
	char *argv[20] = { child_lagtop() };
	struct outcome o;

	for (int i = 0; words[i]; i++)
		argv[i + 1] = (char *)(uintptr_t)words[i];
	o = outcome_run(NULL, argv);
	assert_non_null(o.errors);
	*lines = (int)o.out_lines;
	snprintf(errors, sizeof(errors), "%s", o.errors);
	outcome_free(&o);
	return o.status;
}

#define LAGTOP(lines, ...) lagtop((const char *const[]){ "--replay", recording, __VA_ARGS__, NULL }, lines)

static char *samples[SAMPLES_MAX]; /* "NAME\tLABELS\tVALUE" */
static int n_samples;

/* Reads the file with Prometheus's own parser. */
static void read_metrics(void)
{
	char *argv[] = { "/usr/bin/python3", "tests/openmetrics.py", metrics, NULL }, *line, *told;
	struct child *c = child_start(argv, (uid_t)-1);

	while (n_samples)
		free(samples[--n_samples]);
	assert_non_null(c);
	child_close_in(c);
	while ((line = child_line(c)) && n_samples < SAMPLES_MAX)
		samples[n_samples++] = strdup(line);
	told = child_errors(c);
	if (child_wait(c))
		fail_msg("not of the format: %s", told);
	free(told);
	child_free(c);
}

/* NAN: there is no such sample. */
static double metric(const char *name, const char *labels)
{
	char wanted[300];
	size_t len = (size_t)snprintf(wanted, sizeof(wanted), "%s\t%s\t", name, labels);

	for (int i = 0; i < n_samples; i++)
		if (!strncmp(samples[i], wanted, len))
			return strtod(samples[i] + len, NULL);
	return NAN;
}

static void assert_metric(const char *name, const char *labels, double expected)
{
	double value = metric(name, labels);

	if (!(fabs(value - expected) <= fabs(expected) * 1e-9))
		fail_msg("%s{%s} is %.12g, not %.12g", name, labels, value, expected);
}

static int files_in_folder(void)
{
	DIR *d = opendir(folder);
	int n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void metrics_of_a_recording(void **state)
{
	struct stat st;
	int lines;

	(void)state;
	fixture_write(recording, 3, FIXTURE_LOSSES);
	assert_int_equal(LAGTOP(&lines, "--openmetrics", metrics), 0);
	assert_string_equal(errors, "");
	assert_int_equal(lines, 0);
	assert_int_equal(files_in_folder(), 2);
	assert_int_equal(stat(metrics, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	read_metrics();
	/* Sums over three readings; values of the last reading. */
	assert_metric("lagtop_host_forks_total", "", 36);
	assert_metric("lagtop_host_retransmits_total", "", 120);
	assert_metric("lagtop_self_cpu_seconds_total", "", 0.012);
	assert_metric("lagtop_self_cost_seconds_total", "", 0.174);
	assert_metric("lagtop_lost_total", "what='switches'", 12);
	assert_metric("lagtop_lost_total", "what='threads'", 9);
	assert_metric("lagtop_host_cpus", "", 16);
	assert_metric("lagtop_reading_timestamp_seconds", "", 1795348983);
	assert_metric("lagtop_build_info", "host='web-07',kernel='6.1.0-56',version='0.1'", 1);
	assert_metric("lagtop_command_processes", "command='postgres'", 6);
	/* It must not overwrite the recording itself. */
	assert_int_equal(stat(recording, &st), 0);
	assert_int_equal(LAGTOP(&lines, "--openmetrics", recording), 2);
	assert_non_null(strstr(errors, "the same file"));
	assert_in_range(n_samples, 2000, 6000);

	assert_int_equal(LAGTOP(&lines, "--openmetrics", metrics, "--csv", "-g", "user", "-n", "1"), 0);
	assert_true(lines > 5);
	read_metrics();
	assert_false(isnan(metric("lagtop_user_lag_ratio", "user='root'")));
	/* Every counter of the table. */
	for (int i = 0; i < LT_COUNTERS; i++) {
		const char *base = i < LT_STATES ? names_state((uint8_t)i) : counter_info[i].name;
		bool time = !strcmp(counter_info[i].unit, "ns");
		char name[80];

		snprintf(name, sizeof(name), "lagtop_user_%.*s%s_total",
			 (int)strlen(base) - (time && i >= LT_STATES) * 3, base, time ? "_seconds" : "");
		assert_false(isnan(metric(name, "user='root'")));
	}
	/* And the numbers of columns computed from them. */
	assert_false(isnan(metric("lagtop_user_blk_ratio", "user='root'")));
	assert_false(isnan(metric("lagtop_user_wakeup_p90_seconds", "user='root'")));
	assert_false(isnan(metric("lagtop_user_calls_max_seconds", "user='root'")));
	assert_false(isnan(metric("lagtop_user_net_tx_bytes_per_second", "user='root'")));
	assert_true(isnan(metric("lagtop_user_calls_count_per_second", "user='root'"))); /* it is calls_per_second */
	assert_int_equal(LAGTOP(&lines, "--openmetrics", metrics, "-g", "cgroup", "--filter", "lag>1"), 0);
	read_metrics();
	assert_false(isnan(metric("lagtop_cgroup_lag_ratio", "cgroup='/system.slice/postgresql.service'")));
	assert_true(isnan(metric("lagtop_cgroup_lag_ratio", "cgroup='/init.scope'")));
	assert_int_equal(LAGTOP(&lines, "--openmetrics", "/nonexistent/x"), 2);
	assert_non_null(strstr(errors, "cannot write to /nonexistent/x"));
}

/* The file remains if lagtop did all that it was asked for. Otherwise it would be exported as if lagtop still ran. */
static void metrics_end_with_the_run(void **state)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	char *argv[] = { child_lagtop(), "--replay", recording, "--openmetrics", metrics, "--json", NULL };
	struct child *c;
	int lines;

	(void)state;
	fixture_write(recording, 40, FIXTURE_PLAIN); /* more than a pipe holds */
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		c = child_start(argv, (uid_t)-1);
		assert_non_null(c);
		assert_non_null(child_line(c));
		assert_non_null(child_line(c)); /* the file of the first reading is complete */
		assert_int_equal(access(metrics, F_OK), 0);
		assert_int_equal(kill(c->pid, signals[i]), 0);
		assert_int_equal(child_wait(c), signals[i] == SIGINT ? 0 : 128 + signals[i]);
		assert_int_equal(access(metrics, F_OK), -1);
		child_free(c);
	}
	assert_int_equal(LAGTOP(&lines, "--openmetrics", metrics, "--fail-if", "lag>1"), 4);
	assert_int_equal(access(metrics, F_OK), -1);
	assert_int_equal(LAGTOP(&lines, "--openmetrics", metrics, "-n", "2"), 0);
	assert_int_equal(access(metrics, F_OK), 0);
	assert_int_equal(files_in_folder(), 2);
}

/* A number of the processes with a command in a line of JSON, added up. */
static double json_sum(const char *line, const char *comm, const char *object, const char *key)
{
	struct json_object *reading = json_tokener_parse(line), *all, *of, *n;
	double sum = 0;

	assert_true(json_object_object_get_ex(reading, "processes", &all));
	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object *p = json_object_array_get_idx(all, i);

		if (strcmp(json_object_get_string(json_object_object_get(p, "comm")), comm))
			continue;
		assert_true(json_object_object_get_ex(p, object, &of) && json_object_object_get_ex(of, key, &n));
		sum += json_object_get_double(n);
	}
	json_object_put(reading);
	return sum;
}

static void sums_are_those_of_json(void **state)
{
	static const struct {
		const char *metric, *object, *key;
		double unit;
	} sums[] = {
		{ "run_seconds_total", "time_ns", "run", 1e-9 },
		{ "disk_seconds_total", "time_ns", "disk", 1e-9 },
		{ "page_fault_disk_seconds_total", "of_which_ns", "page_fault_disk", 1e-9 },
		{ "calls_total", "calls", "count", 1 },
		{ "call_errors_total", "calls", "errors", 1 },
		{ "retransmits_total", "net", "retransmits", 1 },
		{ "wakeup_seconds_count", "wakeup", "count", 1 },
		{ "turns_seconds_count", "turns", "count", 1 },
		{ "upstream_seconds_count", "upstream", "count", 1 },
	};
	char *argv[] = { child_lagtop(), "--replay", recording, "--json", NULL };
	double sum[sizeof(sums) / sizeof(sums[0])] = { 0 };
	struct child *json;
	char *line;
	int lines;

	(void)state;
	fixture_write(recording, 3, FIXTURE_PLAIN);
	assert_int_equal(LAGTOP(&lines, "--openmetrics", metrics), 0);
	read_metrics();
	json = child_start(argv, (uid_t)-1);
	assert_non_null(json);
	for (lines = 0; (line = child_line(json)); lines++)
		for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++)
			sum[i] += json_sum(line, "postgres", sums[i].object, sums[i].key);
	assert_int_equal(lines, 3);
	for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
		char name[64];

		snprintf(name, sizeof(name), "lagtop_command_%s", sums[i].metric);
		assert_true(sum[i] > 0 || i == 2 || i == 5);
		assert_metric(name, "command='postgres'", sum[i] * sums[i].unit);
	}
	assert_metric("lagtop_command_turns_seconds_bucket", "command='postgres',le='+Inf'",
		      metric("lagtop_command_turns_seconds_count", "command='postgres'"));
	assert_metric("lagtop_command_turns_seconds_bucket", "command='postgres',le='17.179869184'",
		      metric("lagtop_command_turns_seconds_count", "command='postgres'"));
	assert_metric("lagtop_command_turns_seconds_bucket", "command='postgres',le='1.024e-06'", 0);
	child_free(json);
}

/* Many commands, with names that need escaping in labels and that become equal when cleaned. */
static void fill_commands(struct sample *s)
{
	static const char *const names[] = { "\"},x{\"",   "back\\slash",  "new\nline", "broken\xff",
					     "broken\xfe", "broken\xff#2", "tab\ttab",	"\xc3\xa9t\xc3\xa9",
					     "{}",	   "# EOF" };
	char name[16];

	synthetic_fill(s, 1);
	s->n_processes = 1;
	s->n_threads = 1;
	for (uint32_t i = 0; i < 1000; i++) {
		struct sample_process *p = sample_add_process(s);
		struct sample_thread *t;

		snprintf(name, sizeof(name), "command %u", i);
		*p = (struct sample_process){
			.pid = 10 + i, .threads = 1, .start_ns = 1, .first_thread = 1 + i, .n_threads = 1
		};
		p->comm = sample_add_text(s, i < 10 ? names[i] : name, strlen(i < 10 ? names[i] : name));
		p->sockets.srtt_ns = SAMPLE_UNKNOWN;
		t = sample_add_thread(s);
		*t = (struct sample_thread){ .tid = 10 + i,
					     .process = 1 + i,
					     .work = SAMPLE_NONE,
					     .call = LT_CALL_NONE,
					     .wall_ns = s->interval_ns,
					     .start_ns = 1,
					     .state = i < 10 ? LT_WAKEQ : LT_SLEEP };
		if (i < 10)
			t->work = (uint32_t)(sample_add_work(s) - s->works);
		if (i < 10)
			s->works[t->work].time_ns[LT_WAKEQ] = s->interval_ns;
	}
}

static void labels_are_bounded_and_clean(void **state)
{
	struct openmetrics om = { 0 };
	struct options o;
	char *argv[] = { "lagtop", "--openmetrics", metrics, NULL };
	struct model *m = model_new();
	struct sample s = { 0 };

	(void)state;
	fill_commands(&s);
	assert_null(sample_check(&s));
	assert_int_equal(options_parse(&o, 3, argv), 0);
	assert_int_equal(model_update(m, &s), 0);
	assert_int_equal(openmetrics_write(&om, &o, m), 0);
	if (getenv("METRICS_KEPT")) /* for node_exporter_test.sh */
		assert_int_equal(link(metrics, getenv("METRICS_KEPT")), 0);
	read_metrics();
	assert_metric("lagtop_command_lag_ratio", "command='\"},x{\"'", 1);
	assert_metric("lagtop_command_lag_ratio", "command='back\\\\slash'", 1);
	assert_metric("lagtop_command_lag_ratio", "command='new\\nline'", 1);
	assert_metric("lagtop_command_lag_ratio", "command='tab\\ttab'", 1);
	assert_metric("lagtop_command_lag_ratio", "command='\xc3\xa9t\xc3\xa9'", 1);
	assert_metric("lagtop_command_lag_ratio", "command='broken\xef\xbf\xbd'", 1);
	assert_metric("lagtop_command_lag_ratio", "command='broken\xef\xbf\xbd#2'", 1);
	assert_metric("lagtop_command_lag_ratio", "command='broken\xef\xbf\xbd#2#2'", 1);
	assert_metric("lagtop_command_lag_ratio", "command='{}'", 1);
	assert_metric("lagtop_command_sleep_seconds_total", "command='other'", 901 * (double)s.interval_ns / 1e9);
	assert_in_range(n_samples, 100,
			200 + (columns_count + LT_COUNTERS + OPENMETRICS_DISTS * (OPENMETRICS_EDGES + 3)) *
					(OPENMETRICS_GROUPS + 1));
	openmetrics_close(&om, &o, true);
	options_free(&o);
	model_free(m);
	sample_free(&s);
}

static void fail_if(void **state)
{
	int lines;

	(void)state;
	fixture_write(recording, 5, FIXTURE_PLAIN);
	assert_int_equal(LAGTOP(&lines, "--fail-if", "pid=2211 and lag>10"), 4);
	assert_int_equal(lines, 0);
	assert_non_null(strstr(errors, "--fail-if 'pid=2211 and lag>10' matches:\n"));
	assert_non_null(strstr(errors, "postgres: checkpointer\n"));
	assert_null(strstr(errors, "nginx"));
	assert_int_equal(LAGTOP(&lines, "--csv", "-p", "2211", "--fail-if", "lag>10 for 3"), 4);
	assert_int_equal(lines, 1 + 3);
	assert_int_equal(LAGTOP(&lines, "--fail-if", "lag>10 for 6"), 0);
	assert_string_equal(errors, "");
	assert_int_equal(LAGTOP(&lines, "--fail-if", "lag>10", "-p", "2"), 0);
	assert_int_equal(LAGTOP(&lines, "--fail-if", "lag>100000"), 0);
	assert_int_equal(LAGTOP(&lines, "-g", "user", "--fail-if", "lag>10 for 5"), 4);
	assert_int_equal(LAGTOP(&lines, "-v", "connections", "--fail-if", "tx>1 FOR  5 "), 4);
	assert_int_equal(LAGTOP(&lines, "-v", "connections", "--fail-if", "lag>1"), 2);
	assert_non_null(strstr(errors, "not in this table"));
	/* In the command line, not "for N". */
	assert_int_equal(LAGTOP(&lines, "--fail-if", "command~\"for 9\""), 0);
	assert_int_equal(LAGTOP(&lines, "--fail-if", "lag>1 for 0"), 2);
	assert_int_equal(LAGTOP(&lines, "--fail-if", "lag>1 for"), 2);
	assert_int_equal(LAGTOP(&lines, "--fail-if", "lag>100000 for "), 2);
	assert_int_equal(LAGTOP(&lines, "--fail-if", "x for"), 2);
	assert_non_null(strstr(errors, "readings after for"));
	assert_int_equal(LAGTOP(&lines, "--fail-if", "comm = for"), 0);
	assert_int_equal(LAGTOP(&lines, "--fail-if", "comm =  for "), 0);
	assert_int_equal(LAGTOP(&lines, "--fail-if", "lag>1 for 99999999999999999999"), 2);
	assert_int_equal(LAGTOP(&lines, "--fail-if", "lag> for 3"), 2);
	assert_non_null(strstr(errors, "at character 5"));
	/* Exits in the third reading. */
	assert_int_equal(LAGTOP(&lines, "--fail-if", "pid=30551 for 3"), 4);
	assert_int_equal(LAGTOP(&lines, "--fail-if", "pid=30551 for 4"), 0);
}

/* A row that does not match in between starts again; readings of different rows do not add up. */
/* Response times of a recording: in --fail-if, --filter and CSV, with their units. */
/* How many marks each of so many lines of JSON has, as digits. */
static const char *marks_of(struct child *c, int readings)
{
	static char counts[64];
	struct json_object *o, *marks;
	const char *line;
	int i;

	for (i = 0; i < readings && (line = child_line(c)); i++) {
		o = json_tokener_parse(line);
		assert_true(json_object_object_get_ex(o, "marks", &marks));
		counts[i] = (char)('0' + json_object_array_length(marks));
		json_object_put(o);
	}
	counts[i] = '\0';
	return counts;
}

static char fifo[80], runs[80], input[30000];

/* Starts lagtop with a command that leaves a byte, and then waits until somebody opens the other end of a pipe. */
static struct child *start_when(const char *output, const char *when)
{
	static char command[300];
	char *argv[] = { child_lagtop(), "--replay", recording, (char *)(uintptr_t)output,
			 "-g",		 "process",  "--when",	(char *)(uintptr_t)when,
			 "--exec",	 command,    NULL };
	struct child *c;

	if (!strcmp(output, "--batch"))
		argv[5] = "command";
	snprintf(fifo, sizeof(fifo), "%s/fifo", folder);
	snprintf(runs, sizeof(runs), "%s/runs", folder);
	snprintf(command, sizeof(command), "printf x >>%s; cat >%s", runs, fifo);
	unlink(fifo);
	unlink(runs);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	c = child_start(argv, (uid_t)-1);
	assert_non_null(c);
	return c;
}

/* Takes what the command got as its input, and how often it ran. */
static int64_t end_when(struct child *c)
{
	struct stat st;
	FILE *f;

	assert_int_equal(child_wait(c), 0); /* although the command waits */
	child_free(c);
	f = fopen(fifo, "re");
	assert_non_null(f);
	input[fread(input, 1, sizeof(input) - 1, f)] = '\0';
	fclose(f);
	assert_int_equal(stat(runs, &st), 0);
	unlink(fifo);
	unlink(runs);
	return st.st_size;
}

/* A row is marked when it begins to match; lagtop goes on, whatever the command does. */
static void when_marks_and_goes_on(void **state)
{
	struct child *c;

	(void)state;
	fixture_write(recording, 6, FIXTURE_PLAIN);
	c = start_when("--json", "cpu>1 and pid=2211 for 3");
	assert_string_equal(marks_of(c, 6), "001000");
	assert_int_equal(end_when(c), 1);
	assert_non_null(strstr(input, "\"kind\":\"when\",\"expr\":\"cpu>1 and pid=2211 for 3\",\"pid\":2211,"
				      "\"text\":\"postgres\""));
	assert_non_null(strstr(input, "\"row\":{\"pid\":2211,\"ppid\":2208,"));
}

static void a_command_runs_once_at_a_time(void **state)
{
	struct json_object *o, *row, *member;
	struct child *c;

	(void)state;
	fixture_write(recording, 6, FIXTURE_CROWD); /* new rows in every reading */
	c = start_when("--json", "cpu>1");
	assert_int_equal(strspn(marks_of(c, 6), "12345678"), 6);
	assert_int_equal(end_when(c), 1);
	/* Rows of other kinds have their columns. */
	assert_int_equal(end_when(start_when("--batch", "cpu>1 and comm=postgres")), 1);
	o = json_tokener_parse(input);
	assert_true(json_object_object_get_ex(o, "pid", &member));
	assert_null(member);
	assert_true(json_object_object_get_ex(o, "row", &row));
	assert_true(json_object_object_get_ex(row, "comm", &member));
	assert_string_equal(json_object_get_string(member), "postgres");
	json_object_put(o);
}

static void answers_too_slow(void **state)
{
	int lines;

	(void)state;
	fixture_write(recording, 5, FIXTURE_PLAIN);
	assert_int_equal(LAGTOP(&lines, "--fail-if", "resp99>15ms and turns>0 for 4"), 4);
	assert_non_null(strstr(errors, "rsync"));
	assert_null(strstr(errors, "redis"));
	assert_int_equal(LAGTOP(&lines, "--fail-if", "resp99>15ms for 5"), 0);
	assert_int_equal(LAGTOP(&lines, "--fail-if", "resp99>20s or respmax>20s or upst99>20s"), 0);
	assert_int_equal(LAGTOP(&lines, "--csv", "-n", "1", "--filter", "resp99>15ms"), 0);
	assert_int_equal(lines, 1 + 1);
	assert_int_equal(LAGTOP(&lines, "-v", "connections", "--fail-if", "resp>5ms or upst>5ms"), 0);
	assert_int_equal(LAGTOP(&lines, "-v", "connections", "--fail-if", "resp>300us and turns>0"), 4);
	assert_int_equal(LAGTOP(&lines, "-v", "connections", "--fail-if", "resp99>1us"), 2);
}

static void in_a_row(void **state)
{
	static const char *const matching[] = { "ab", "a", "b", "b", "ab", "ab" };
	static const char *const failed[] = { "", "", "", "", "b", "b" };
	char why[200];
	size_t at;
	struct filter *f = filter_parse("lag>0", &at, why, sizeof(why));
	struct alert alert = { .expression = f, .readings = 3 };

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct row a = { .kind = MODEL_PROCESS,
				 .pid = 1,
				 .interval_ns = 1,
				 .net = &row_no_net,
				 .comm = "a",
				 .cmdline = "",
				 .cgroup = "" };
		struct row b = a, *rows[2] = { &a, &b };
		int n;

		b.pid = 2;
		a.time_ns[LT_WAKEQ] = strchr(matching[i], 'a') ? 1 : 0;
		b.time_ns[LT_WAKEQ] = strchr(matching[i], 'b') ? 1 : 0;
		n = alert_check(&alert, rows, 2);
		assert_int_equal(n, strlen(failed[i]));
		if (n)
			assert_ptr_equal(rows[0], &b);
	}
	alert_free(&alert);
	filter_free(f);
}

static int remove_all(void **state)
{
	(void)state;
	while (n_samples)
		free(samples[--n_samples]);
	unlink(metrics);
	unlink(recording);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metrics_of_a_recording),
		cmocka_unit_test(metrics_end_with_the_run),
		cmocka_unit_test(sums_are_those_of_json),
		cmocka_unit_test(labels_are_bounded_and_clean),
		cmocka_unit_test(fail_if),
		cmocka_unit_test(when_marks_and_goes_on),
		cmocka_unit_test(a_command_runs_once_at_a_time),
		cmocka_unit_test(answers_too_slow),
		cmocka_unit_test(in_a_row),
	};

	if (!mkdtemp(folder))
		return 1;
	snprintf(metrics, sizeof(metrics), "%s/lagtop.prom", folder);
	snprintf(recording, sizeof(recording), "%s/lagtop.lag", folder);
	return cmocka_run_group_tests(tests, NULL, remove_all);
}
