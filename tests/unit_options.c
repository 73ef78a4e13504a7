/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line: what each option sets, and one line and status 2 for every error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options.h"

static char complaint[8192]; /* what the last parse wrote to stderr */

/* Parses words separated by spaces; "_" is an empty word. */
static int parse(struct options *o, const char *words)
{
	static char line[1024];
	char *argv[64] = { "lagtop" }, *rest = line, *word;
	FILE *file = tmpfile();
	int argc = 1, status, saved;
	size_t n;

	assert_non_null(file);
	snprintf(line, sizeof(line), "%s", words);
	while ((word = strsep(&rest, " ")))
		if (*word)
			argv[argc++] = strcmp(word, "_") ? word : "";
	fflush(stderr);
	saved = dup(STDERR_FILENO);
	dup2(fileno(file), STDERR_FILENO);
	status = options_parse(o, argc, argv);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(file);
	n = fread(complaint, 1, sizeof(complaint) - 1, file);
	complaint[n] = '\0';
	fclose(file);
	return status;
}

static void defaults(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, ""), 0);
	assert_string_equal(complaint, "");
	assert_int_equal(o.output, OUTPUT_SCREEN);
	assert_true(o.delay_s == 1);
	assert_int_equal(o.iterations, 0);
	assert_int_equal(o.selection.n_pids, 0);
	assert_false(o.selection.has_uid);
	assert_null(o.filter);
	assert_null(o.sort);
	assert_string_equal(o.view->name, "overview");
	assert_int_equal(o.group, MODEL_PROCESS);
	assert_int_equal(o.history_bytes, 32 << 20);
	assert_false(o.probe.connections);
	options_free(&o);
}

/* Longer than a screen: every option has its line. */
static void every_option_sets_its_field(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, "-d 0.25 -n 7 -p 12,3400 -u 65534 -f cpu>5 -s -cpu -v sched -H -b -w out --active "
				   "--history 64 --max-threads 5000 --verbose --no-mouse --readonly --no-sched --ascii "
				   "--no-color --manual"),
			 0);
	assert_true(o.delay_s == 0.25);
	assert_int_equal(o.iterations, 7);
	assert_int_equal(o.selection.n_pids, 2);
	assert_int_equal(o.selection.pids[0], 12);
	assert_int_equal(o.selection.pids[1], 3400);
	assert_true(o.selection.has_uid);
	assert_int_equal(o.selection.uid, 65534);
	assert_string_equal(o.filter, "cpu>5");
	assert_non_null(o.selection.filter);
	assert_string_equal(o.sort->name, "cpu");
	assert_true(o.sort_reverse);
	assert_string_equal(o.view->name, "sched");
	assert_true(o.threads);
	assert_int_equal(o.output, OUTPUT_BATCH);
	assert_string_equal(o.record, "out");
	assert_true(o.selection.active);
	assert_int_equal(o.history_bytes, 64 << 20);
	assert_int_equal(o.probe.max_threads, 5000);
	assert_true(o.verbose && o.probe.verbose && o.no_mouse && o.readonly && o.probe.readonly);
	assert_true(o.probe.off[SAMPLE_SCHED]);
	assert_false(o.probe.off[SAMPLE_SYSCALL] || o.probe.off[SAMPLE_NET]);
	assert_true(o.ascii && o.no_color && o.manual);
	options_free(&o);
	assert_int_equal(parse(&o, "--tree --csv --replay=in"), 0);
	assert_true(o.tree);
	assert_int_equal(o.output, OUTPUT_CSV);
	assert_string_equal(o.replay, "in");
	assert_int_equal(o.at.kind, WHEN_NONE);
	assert_int_equal(parse(&o, "--openmetrics out"), 0);
	assert_string_equal(o.openmetrics, "out");
	assert_int_equal(o.output, OUTPUT_NONE);
	assert_int_equal(options_group(&o), MODEL_COMMAND);
	assert_int_equal(parse(&o, "--fail-if cpu>5 --json"), 0);
	assert_int_equal(o.output, OUTPUT_JSON);
	assert_int_equal(o.fail.readings, 1);
	assert_non_null(o.fail.expression);
	options_free(&o);
	assert_int_equal(parse(&o, "--record -"), 0);
	assert_int_equal(o.output, OUTPUT_NONE);
	options_free(&o);
	assert_int_equal(parse(&o, "--replay in --at -10m"), 0);
	assert_int_equal(o.at.kind, WHEN_BEFORE_END);
	assert_int_equal(o.at.s, 600);
	assert_int_equal(parse(&o, "-g cgroup --no-syscall --no-net"), 0);
	assert_int_equal(options_kind(&o), MODEL_CGROUP);
	assert_true(o.probe.off[SAMPLE_SYSCALL] && o.probe.off[SAMPLE_NET]);
	assert_int_equal(parse(&o, "-H"), 0);
	assert_int_equal(options_kind(&o), MODEL_THREAD);
	assert_int_equal(parse(&o, "-v calls"), 0);
	assert_int_equal(options_kind(&o), MODEL_CALL);
	assert_int_equal(parse(&o, "-j"), 0);
	assert_int_equal(o.output, OUTPUT_JSON);
	assert_true(o.probe.connections);
	assert_int_equal(parse(&o, "--view connections"), 0);
	assert_true(o.probe.connections);
	assert_int_equal(parse(&o, "-u root"), 0);
	assert_int_equal(o.selection.uid, 0);
	assert_int_equal(parse(&o, "--check"), 0);
	assert_true(o.check);
	assert_int_equal(parse(&o, "-V"), 0);
	assert_true(o.version);
	assert_int_equal(parse(&o, "-h"), 0);
	assert_true(o.help);
	assert_int_equal(parse(&o, "--list-columns"), 0);
	assert_true(o.list_columns);
	options_free(&o);
}

/* Each bad line: status 2, one line on stderr that names what is wrong and what is allowed. Longer than a screen: a
 * table of cases. */
static void bad_lines(void **state)
{
	static const struct {
		const char *line, *names, *allows;
	} bad[] = {
		{ "-d 0", "'0'", "0.1 to 3600" },
		{ "-d 3600.5", "'3600.5'", "0.1 to 3600" },
		{ "-d nan", "'nan'", "0.1 to 3600" },
		{ "-d 1s", "'1s'", "0.1 to 3600" },
		{ "-d _", "''", "0.1 to 3600" },
		{ "-n 0", "'0'", "1 or more" },
		{ "-n -3", "'-3'", "1 or more" },
		{ "-n 99999999999999999999", "'99999999999999999999'", "1 or more" },
		{ "-p 0", "'0'", "1 to 2147483647" },
		{ "-p 1,,2", "'1,,2'", "commas" },
		{ "-p 1,x", "'1,x'", "process ids" },
		{ "-p 2147483648", "'2147483648'", "1 to 2147483647" },
		{ "-u no-such-user-here", "'no-such-user-here'", "a number" },
		{ "-s nonsense", "'nonsense'", "wake99" },
		{ "-s -", "'-'", "pid, " },
		{ "-v tables", "'tables'", "overview, sched, syscalls, net, calls, connections" },
		{ "-g pid", "'pid'", "process, command, user or cgroup" },
		{ "--when wake99>", "--when 'wake99>'", "at character" },
		{ "--when device=sda", "--when", "not in this table" },
		{ "--exec true", "--exec", "--when" },
		{ "--record - --json", "--record -", "nothing else" },
		{ "--record - --keep 2G --replay x", "--record", "--replay" },
		{ "--at 03:15", "--at", "--replay" },
		{ "--replay in --at noon", "'noon'", "03:15" },
		{ "--history 0", "'0'", "1 to 65536" },
		{ "--history 1e3", "'1e3'", "1 to 65536" },
		{ "--max-threads 2000000", "'2000000'", "1 to 1048576" },
		{ "-f cpu>>", "'cpu>>': at character 5", "a value" },
		{ "-f inflight>1", "'inflight>1'", "--list-columns" },
		{ "-w _", "''", "a file or folder to write" },
		{ "-r _", "''", "--record" },
		{ "-b -j", "--batch, --json and --csv", "choose one" },
		{ "--csv -b", "--batch, --json and --csv", "choose one" },
		{ "-w a -r b", "--record and --replay", "choose one" },
		{ "--no-sched -r b", "--no-sched and --replay", "what was recorded" },
		{ "-r b --no-syscall", "--no-syscall and --replay", "what was recorded" },
		{ "-r b --no-net --json", "--no-net and --replay", "what was recorded" },
		{ "-r b --max-threads 9", "--max-threads and --replay", "what was recorded" },
		{ "-r b --check", "--check and --replay", "what was recorded" },
		{ "-H -t", "--threads, --tree and --group", "choose one" },
		{ "-t -g user", "--threads, --tree and --group", "choose one" },
		{ "-j -H", "--json", "one object per process" },
		{ "-b -t -v calls", "--view calls", "no processes" },
		{ "--no-net --no-sched --no-syscall", "--no-sched, --no-syscall and --no-net", "remove one" },
		{ "-v calls -s ppid", "'ppid'", "inflight" },
		{ "--json=3", "--json", "takes no value" },
		{ "--delay", "--delay", "--delay SECS" },
		{ "-d", "--delay", "--delay SECS" },
		{ "-x", "'-x'", "--help" },
		{ "--nonsense", "'--nonsense'", "--help" },
		{ "--no-s", "'--no-s'", "ambiguous" },
		{ "top", "'top'", "--help" },
		{ "-d 1 -- -x", "'-x'", "--help" },
		{ "why --csv", "why and --csv", "combined" },
		{ "why -H", "why and --threads", "combined" },
		{ "why -n 3", "why and --iterations", "combined" },
		{ "why -s cpu", "why and --sort", "combined" },
		{ "why -d 0", "'0'", "0.1 to 3600" },
		{ "why --at 03:15", "--at", "--replay" },
		{ "why why", "'why'", "--help" },
		{ "-p 1 why", "'why'", "--help" },
	};
	struct options o;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse(&o, bad[i].line) != 2)
			fail_msg("'%s' was accepted", bad[i].line);
		if (!strstr(complaint, bad[i].names) || !strstr(complaint, bad[i].allows))
			fail_msg("'%s': said '%s', not %s and %s", bad[i].line, complaint, bad[i].names, bad[i].allows);
		if (strncmp(complaint, "lagtop: ", 8) || strchr(complaint, '\n') != complaint + strlen(complaint) - 1)
			fail_msg("'%s': not one line: '%s'", bad[i].line, complaint);
		options_free(&o);
	}
}

static void hostile_arguments_are_clean_on_stderr(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, "-v \x1b]0;evil\x07\n\xff"), 2);
	assert_null(strchr(complaint, '\x1b'));
	assert_null(strchr(complaint, '\x07'));
	assert_ptr_equal(strchr(complaint, '\n'), complaint + strlen(complaint) - 1);
	options_free(&o);
}

static void a_verdict(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, "why"), 0);
	assert_true(o.why && o.delay_s == OPTIONS_WHY_S && o.output == OUTPUT_BATCH);
	assert_int_equal(o.probe.connections, SOURCE_ALL_CONNECTIONS);
	options_free(&o);
	assert_int_equal(parse(&o, "why -j -d 2.5 -p 12 -u 0 -f cpu>5 --no-turns"), 0);
	assert_true(o.why && o.delay_s == 2.5 && o.output == OUTPUT_JSON && o.selection.n_pids == 1);
	options_free(&o);
	assert_int_equal(parse(&o, "-d 2"), 0);
	assert_false(o.why);
	options_free(&o);
}

static void help_lists_every_option(void **state)
{
	static const char *const names[] = {
		"--delay SECS",	   "--iterations N", "--pid PID[,PID...]",
		"--user USER",	   "--filter EXPR",  "--sort COLUMN",
		"--view NAME",	   "--threads",	     "--tree",
		"--group BY",	   "--batch",	     "--json",
		"--csv",	   "--record FILE",  "--replay FILE",
		"--active",	   "--at TIME",	     "--history MIB",
		"--max-threads N", "--verbose",	     "--no-mouse",
		"--readonly",	   "--no-sched",     "--no-syscall",
		"--no-net",	   "--ascii",	     "--no-color",
		"--check",	   "--list-columns", "--help",
		"--version",
	};
	char *text = NULL, *line, *rest;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	options_help(out);
	fclose(out);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strstr(text, names[i]))
			fail_msg("--help does not name %s", names[i]);
	assert_null(strstr(text, "--manual"));
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if (strlen(line) > 100)
			fail_msg("--help has a long line: %s", line);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),  cmocka_unit_test(every_option_sets_its_field),
		cmocka_unit_test(bad_lines), cmocka_unit_test(hostile_arguments_are_clean_on_stderr),
		cmocka_unit_test(a_verdict), cmocka_unit_test(help_lists_every_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
