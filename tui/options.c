/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line. One table row per option: its name, letter, argument, what it sets, its help.
 * getopt's two tables, the messages and --help are all made from it.
 */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "budget.h"
#include "format.h"
#include "grow.h"
#include "users.h"

#define HISTORY_MAX_MIB 65536
#define PID_LIMIT INT32_MAX
#define MESSAGE_CELLS 2000
#define KEEP_MAX 100000000
#define KEEP_MOST (1ULL << 62)
#define KEEP_LEAST_BYTES (1ULL << 20)
#define READINGS_MAX 1000000 /* in a row, of --fail-if */

/* One row sets a flag (set == NULL) or calls set with the argument, which is NULL if it takes none. */
struct option_row {
	const char *name;
	char letter; /* 0: none */
	const char *arg;
	size_t flag;
	int (*set)(struct options *o, const char *arg);
	const char *help; /* NULL: hidden */
};

/* One line on stderr, whatever bytes the arguments hold. Returns the exit status. */
static int __attribute__((format(printf, 1, 2))) bad(const char *fmt, ...)
{
	char raw[MESSAGE_CELLS * 2], clean[sizeof(raw) * 4];
	va_list args;

	va_start(args, fmt);
	vsnprintf(raw, sizeof(raw), fmt, args);
	va_end(args);
	format_clean(clean, sizeof(clean), raw, MESSAGE_CELLS, true);
	fprintf(stderr, "lagtop: %s\n", clean);
	return 2;
}

/* Decimal digits only: no sign, no space, no 0x. */
static bool parse_number(const char *arg, uint64_t min, uint64_t max, uint64_t *n)
{
	char *end;

	if (*arg < '0' || *arg > '9')
		return false;
	errno = 0;
	*n = strtoull(arg, &end, 10);
	return !*end && !errno && *n >= min && *n <= max;
}

bool options_delay(const char *text, double *delay_s)
{
	char *end;
	double s = strtod(text, &end);

	if (end == text || *end || !(s >= OPTIONS_DELAY_MIN_S && s <= OPTIONS_DELAY_MAX_S))
		return false;
	*delay_s = s;
	return true;
}

static int set_delay(struct options *o, const char *arg)
{
	o->delay_given = true;
	if (!options_delay(arg, &o->delay_s))
		return bad("--delay '%s': expected seconds from %g to %d", arg, OPTIONS_DELAY_MIN_S,
			   OPTIONS_DELAY_MAX_S);
	return 0;
}

static int set_iterations(struct options *o, const char *arg)
{
	if (!parse_number(arg, 1, UINT64_MAX - 1, &o->iterations))
		return bad("--iterations '%s': expected a number of readings, 1 or more", arg);
	return 0;
}

static int set_pids(struct options *o, const char *arg)
{
	char *list = strdup(arg), *rest = list, *word;
	uint64_t pid;
	int status = 0;

	if (!list)
		return bad("out of memory");
	while ((word = strsep(&rest, ","))) {
		if (!parse_number(word, 1, PID_LIMIT, &pid)) {
			status = bad("--pid '%s': expected process ids separated by commas, 1 to %d", arg, PID_LIMIT);
			break;
		}
		if (!GROW(o->selection.pids, o->selection.cap_pids, o->selection.n_pids + 1)) {
			status = bad("out of memory");
			break;
		}
		o->selection.pids[o->selection.n_pids++] = (uint32_t)pid;
	}
	free(list);
	return status;
}

static int set_user(struct options *o, const char *arg)
{
	uint64_t number;
	uint32_t uid;

	if (!users_number(arg, &uid))
		number = uid;
	else if (!parse_number(arg, 0, UINT32_MAX - 1, &number))
		return bad("--user '%s': no such user; expected a user name or a number", arg);
	o->selection.has_uid = true;
	o->selection.uid = (uint32_t)number;
	return 0;
}

static int set_filter(struct options *o, const char *arg)
{
	char why[200];
	size_t at = 0;

	filter_free(o->selection.filter);
	o->filter = arg;
	o->selection.filter = filter_parse(arg, &at, why, sizeof(why));
	return o->selection.filter ? 0 : bad("--filter '%s': at character %zu: %s", arg, at + 1, why);
}

static int set_focus(struct options *o, const char *arg)
{
	char why[200];
	size_t at = 0;

	filter_free(o->focus_expression);
	o->focus_expression = filter_parse(arg, &at, why, sizeof(why));
	if (!o->focus_expression)
		return bad("--focus '%s': at character %zu: %s", arg, at + 1, why);
	if (!(filter_kinds(o->focus_expression) & 1U << MODEL_PROCESS))
		return bad("--focus '%s': it names a column that processes do not have; --list-columns lists them",
			   arg);
	return 0;
}

/* The names of the columns that mean something for a kind of row, or of all. */
static void column_names(char *buf, size_t size, unsigned int kinds)
{
	size_t at = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < columns_count && at < size; i++)
		if (columns[i].kinds & kinds)
			at += (size_t)snprintf(buf + at, size - at, "%s%s", at ? ", " : "", columns[i].name);
}

static int set_sort(struct options *o, const char *arg)
{
	char names[MESSAGE_CELLS];

	o->sort_reverse = *arg == '-';
	o->sort = column_find(arg + o->sort_reverse);
	if (o->sort)
		return 0;
	column_names(names, sizeof(names), ~0U);
	return bad("--sort '%s': no such column; there are: %s", arg, names);
}

/* The length of a text of that length without the spaces at its end. */
static size_t without_spaces(const char *text, size_t len)
{
	while (len && text[len - 1] == ' ')
		len--;
	return len;
}

/* The N of "EXPR for N", and where the expression ends; without "for N", 1 and the whole length. 0: N is missing or not
 * valid. */
static uint64_t take_readings(const char *arg, size_t *len)
{
	size_t end = without_spaces(arg, strlen(arg)), number = end, word;
	uint64_t n;

	*len = strlen(arg);
	while (number && isdigit((unsigned char)arg[number - 1]))
		number--;
	word = without_spaces(arg, number);
	if (word < 5 || strncasecmp(arg + word - 4, " for", 4) || (word == number && number < end))
		return 1;
	word = without_spaces(arg, word - 4);
	if (number == end)
		return word && strchr("=<>~", arg[word - 1]) ? 1 : 0; /* "comm = for" is an expression */
	*len = word;
	n = strtoull(arg + number, NULL, 10);
	return n < READINGS_MAX ? n : 0;
}

static int set_condition(struct condition *c, const char *option, const char *arg)
{
	char why[200], *expression;
	size_t at = 0, len;

	c->text = arg;
	c->readings = take_readings(arg, &len);
	if (!c->readings)
		return bad("%s '%s': expected 1 to %d readings after for", option, arg, READINGS_MAX - 1);
	expression = strndup(arg, len);
	if (!expression)
		return bad("out of memory");
	filter_free(c->expression);
	c->expression = filter_parse(expression, &at, why, sizeof(why));
	free(expression);
	return c->expression ? 0 : bad("%s '%s': at character %zu: %s", option, arg, at + 1, why);
}

static int set_fail_if(struct options *o, const char *arg)
{
	return set_condition(&o->fail, "--fail-if", arg);
}

static int set_when(struct options *o, const char *arg)
{
	return set_condition(&o->when, "--when", arg);
}

static int set_exec(struct options *o, const char *arg)
{
	o->exec = arg;
	return *arg ? 0 : bad("--exec '': expected a command for /bin/sh");
}

static int set_view(struct options *o, const char *arg)
{
	char names[MESSAGE_CELLS];
	size_t at = 0;

	o->view = column_view_find(arg);
	o->view_given = true;
	if (o->view)
		return 0;
	for (size_t i = 0; i < column_views_count; i++)
		at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s", i ? ", " : "", column_views[i].name);
	return bad("--view '%s': no such view; there are: %s", arg, names);
}

static int set_group(struct options *o, const char *arg)
{
	for (int i = 0; i < SELECTION_GROUPS; i++)
		if (!strcmp(arg, selection_groups[i].name)) {
			o->group = selection_groups[i].kind;
			return 0;
		}
	return bad("--group '%s': expected process, command, user or cgroup", arg);
}

static int set_output(struct options *o, enum options_output output)
{
	if (o->output != OUTPUT_SCREEN && o->output != output)
		return bad("--batch, --json and --csv cannot be combined: choose one");
	o->output = output;
	return 0;
}

static int set_batch(struct options *o, const char *arg)
{
	(void)arg;
	return set_output(o, OUTPUT_BATCH);
}

static int set_json(struct options *o, const char *arg)
{
	(void)arg;
	return set_output(o, OUTPUT_JSON);
}

static int set_csv(struct options *o, const char *arg)
{
	(void)arg;
	return set_output(o, OUTPUT_CSV);
}

static int set_openmetrics(struct options *o, const char *arg)
{
	o->openmetrics = arg;
	return *arg ? 0 : bad("--openmetrics '': expected the name of a file to write");
}

static int set_record(struct options *o, const char *arg)
{
	o->record = arg;
	o->streams = !strcmp(arg, "-");
	return *arg ? 0 : bad("--record '': expected the name of a file or folder to write to, or - for a pipe");
}

/* A size or a time, by its unit. */
static int set_keep(struct options *o, const char *arg)
{
	static const struct {
		char unit;
		bool time;
		uint64_t each;
	} units[] = {
		{ 'K', false, 1ULL << 10 }, { 'M', false, 1ULL << 20 },	     { 'G', false, 1ULL << 30 },
		{ 'T', false, 1ULL << 40 }, { 'h', true, 3600000000000ULL }, { 'd', true, 24 * 3600000000000ULL },
	};
	size_t len = strlen(arg), i = 0;
	char digits[16];
	uint64_t n;

	while (i < sizeof(units) / sizeof(units[0]) && (!len || arg[len - 1] != units[i].unit))
		i++;
	snprintf(digits, sizeof(digits), "%.*s", len ? (int)len - 1 : 0, arg);
	if (i == sizeof(units) / sizeof(units[0]) || len > sizeof(digits) || !parse_number(digits, 1, KEEP_MAX, &n) ||
	    n > KEEP_MOST / units[i].each || (!units[i].time && n * units[i].each < KEEP_LEAST_BYTES))
		return bad("--keep '%s': expected a size of at least 1M, like 500M or 2G, or a time, like 12h or 7d",
			   arg);
	o->keep = units[i].time ? (struct folder_keep){ .ns = n * units[i].each }
				: (struct folder_keep){ .bytes = n * units[i].each };
	return 0;
}

static int set_replay(struct options *o, const char *arg)
{
	o->replay = arg;
	return *arg ? 0
		    : bad("--replay '': expected the name of a file or folder that --record wrote, or - for a pipe");
}

static int set_at(struct options *o, const char *arg)
{
	if (!when_parse(arg, &o->at))
		return bad("--at '%s': expected a time: 03:15, 03:15:30, 2026-11-22T03:15, -10m before the end, +90s "
			   "after "
			   "the start",
			   arg);
	return 0;
}

static int set_history(struct options *o, const char *arg)
{
	uint64_t mib;

	if (!parse_number(arg, 1, HISTORY_MAX_MIB, &mib))
		return bad("--history '%s': expected MiB, 1 to %d", arg, HISTORY_MAX_MIB);
	o->history_bytes = mib << 20;
	return 0;
}

static int set_budget(struct options *o, const char *arg)
{
	char *end;
	double percent = strtod(arg, &end);

	if (!strcmp(arg, "off"))
		percent = 0;
	else if (end == arg || *end || !(percent >= BUDGET_MIN && percent <= BUDGET_MAX))
		return bad("--budget '%s': expected percent from %g to %d, or off", arg, BUDGET_MIN, BUDGET_MAX);
	o->probe.budget_percent = percent;
	return 0;
}

static int set_max_threads(struct options *o, const char *arg)
{
	uint64_t n;

	if (!parse_number(arg, 1, (uint64_t)LT_CHUNK * LT_CHUNKS, &n))
		return bad("--max-threads '%s': expected a number of threads, 1 to %d", arg, LT_CHUNK * LT_CHUNKS);
	o->probe.max_threads = (uint32_t)n;
	return 0;
}

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
#define DELAY_HELP "time between readings, " TEXT(OPTIONS_DELAY_MIN_S) " to " TEXT(OPTIONS_DELAY_MAX_S) " (default 1)"
#define FLAG(field) offsetof(struct options, field), NULL
#define SET(function) 0, function

static const struct option_row option_table[] = {
	{ "delay", 'd', "SECS", SET(set_delay), DELAY_HELP },
	{ "iterations", 'n', "N", SET(set_iterations), "stop after N readings" },
	{ "pid", 'p', "PID[,PID...]", SET(set_pids), "only these processes" },
	{ "user", 'u', "USER", SET(set_user), "only this user's processes" },
	{ "filter", 'f', "EXPR", SET(set_filter), "only rows that match EXPR, such as: cpu>5 and user=root" },
	{ "focus", 0, "EXPR", SET(set_focus), "look closely at these processes, besides those that lag most" },
	{ "sort", 's', "COLUMN", SET(set_sort), "sort by this column; -COLUMN reverses the sort" },
	{ "view", 'v', "NAME", SET(set_view), "overview, sched, syscalls, net, calls, connections, disks, cpus" },
	{ "threads", 'H', NULL, FLAG(threads), "one row per thread" },
	{ "tree", 't', NULL, FLAG(tree), "parents and children" },
	{ "group", 'g', "BY", SET(set_group), "one row per process, command, user or cgroup" },
	{ "batch", 'b', NULL, SET(set_batch), "plain text table to stdout" },
	{ "json", 'j', NULL, SET(set_json), "one JSON object per reading, one line each, to stdout" },
	{ "csv", 0, NULL, SET(set_csv), "one CSV row per process and reading, with a header" },
	{ "openmetrics", 0, "FILE", SET(set_openmetrics),
	  "write counters and histograms for node_exporter, in the groups of -g" },
	{ "fail-if", 0, "EXPR", SET(set_fail_if), "exit with status 4 when a row matches, or 'EXPR for N' readings" },
	{ "when", 0, "EXPR", SET(set_when), "mark the reading when a row matches, or 'EXPR for N' readings; goes on" },
	{ "exec", 0, "CMD", SET(set_exec), "run CMD then, with the row as JSON on its input" },
	{ "record", 'w', "FILE|DIR|-", SET(set_record),
	  "also write every reading to FILE, to files in DIR, or to a pipe" },
	{ "keep", 0, "SIZE|TIME", SET(set_keep), "how much of the past a --record DIR keeps: 2G, 7d (default 1G)" },
	{ "replay", 'r', "FILE|DIR|-", SET(set_replay), "show a recording, or what comes through a pipe" },
	{ "at", 0, "TIME", SET(set_at), "where to start: 03:15, 2026-11-22T03:15, -10m (before its last reading)" },
	{ "budget", 0, "PCT|off", SET(set_budget),
	  "limit on its cost, % of all CPUs' or a busy process's time (default 5)" },
	{ "active", 0, NULL, FLAG(selection.active), "only rows with activity in the interval" },
	{ "history", 0, "MIB", SET(set_history), "memory for past readings (default 32)" },
	{ "max-threads", 0, "N", SET(set_max_threads), "track at most N threads (default: as many as needed)" },
	{ "verbose", 0, NULL, FLAG(verbose), "libbpf's messages, on stderr; with a screen, after it closes" },
	{ "no-mouse", 0, NULL, FLAG(no_mouse), "leave the mouse to the terminal" },
	{ "readonly", 0, NULL, FLAG(readonly), "no signals, no renice" },
	{ "no-sched", 0, NULL, FLAG(probe.off[SAMPLE_SCHED]), "do not load the scheduler probes" },
	{ "no-syscall", 0, NULL, FLAG(probe.off[SAMPLE_SYSCALL]), "do not load the system call probes" },
	{ "no-turns", 0, NULL, FLAG(probe.off[SAMPLE_TURNS]), "do not measure response times" },
	{ "no-net", 0, NULL, FLAG(probe.off[SAMPLE_NET]), "do not load the network probes" },
	{ "no-disk", 0, NULL, FLAG(probe.off[SAMPLE_DISK]), "do not load the disk probes or read disk statistics" },
	{ "ascii", 0, NULL, FLAG(ascii), "only ASCII characters" },
	{ "no-color", 0, NULL, FLAG(no_color), "no colours" },
	{ "check", 0, NULL, FLAG(check), "report what works here, and why the rest does not" },
	{ "list-columns", 0, NULL, FLAG(list_columns), "every column: name, unit, help" },
	{ "list-keys", 0, NULL, FLAG(list_keys), "every key and what it does" },
	{ "help", 'h', NULL, FLAG(help), "this text" },
	{ "version", 'V', NULL, FLAG(version), "name and version" },
	{ "manual", 0, NULL, FLAG(manual), NULL },
};

#define OPTIONS (sizeof(option_table) / sizeof(option_table[0]))
#define LONG_VALUE 256 /* getopt's value of the table's first row, above every letter */

static const struct option_row *row_of(int value)
{
	if (value >= LONG_VALUE && value < LONG_VALUE + (int)OPTIONS)
		return &option_table[value - LONG_VALUE];
	for (size_t i = 0; i < OPTIONS; i++)
		if (value && option_table[i].letter == value)
			return &option_table[i];
	return NULL;
}

static int apply(struct options *o, const struct option_row *row, const char *arg)
{
	if (row->set)
		return row->set(o, arg);
	*(bool *)((char *)o + row->flag) = true;
	return 0;
}

enum model_kind options_kind(const struct options *o)
{
	if (o->view->kind != MODEL_PROCESS)
		return o->view->kind;
	return o->threads ? MODEL_THREAD : o->group;
}

enum model_kind options_group(const struct options *o)
{
	return o->group == MODEL_PROCESS ? MODEL_COMMAND : o->group;
}

/* An option that was given and is about this machine's probes. NULL: none. */
static const char *probe_option(const struct options *o)
{
	static char name[32];

	for (int i = 0; i < SAMPLE_FAMILIES; i++) {
		snprintf(name, sizeof(name), "--no-%s", sample_family_name[i]);
		if (o->probe.off[i])
			return name;
	}
	return o->probe.max_threads ? "--max-threads" : o->check ? "--check" : NULL;
}

/* lagtop why takes those options that say whom, when and for how long to watch. */
static int check_why(struct options *o)
{
	const struct {
		const char *name;
		bool given;
	} others[] = {
		{ "--batch", o->output == OUTPUT_BATCH },
		{ "--csv", o->output == OUTPUT_CSV },
		{ "--iterations", o->iterations },
		{ "--sort", o->sort },
		{ "--view", o->view_given },
		{ "--threads", o->threads },
		{ "--tree", o->tree },
		{ "--group", o->group != MODEL_PROCESS },
		{ "--openmetrics", o->openmetrics },
		{ "--fail-if", o->fail.text },
		{ "--when", o->when.text },
		{ "--check", o->check },
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (others[i].given)
			return bad("why and %s cannot be combined", others[i].name);
	if (!o->delay_given)
		o->delay_s = OPTIONS_WHY_S;
	if (o->output == OUTPUT_SCREEN)
		o->output = OUTPUT_BATCH;
	return 0;
}

/* Whether the rows of the table have its columns. */
static bool fits(const struct options *o, const struct condition *c)
{
	return !c->expression || filter_kinds(c->expression) & 1U << options_kind(o);
}

/* Options that are valid individually, but not together. */
static int check_together(const struct options *o)
{
	bool grouped = o->group != MODEL_PROCESS;
	bool arranged = o->threads || o->tree || grouped;
	char names[MESSAGE_CELLS];

	if (o->threads + o->tree + grouped > 1)
		return bad("--threads, --tree and --group cannot be combined: choose one");
	if (arranged && o->output == OUTPUT_JSON)
		return bad(
			"--json has one object per process: it cannot be combined with --threads, --tree or --group");
	if (arranged && o->output != OUTPUT_SCREEN && o->view->kind != MODEL_PROCESS)
		return bad("--view %s has no processes: it cannot be combined with --threads, --tree or --group",
			   o->view->name);
	if (o->record && o->replay)
		return bad("--record and --replay cannot be combined: choose one");
	if (o->streams && o->output != OUTPUT_NONE)
		return bad("--record - writes the recording to standard output: nothing else can go there");
	if ((o->keep.bytes || o->keep.ns) && !o->record)
		return bad("--keep needs --record: it says how much a folder of recordings may hold");
	if (o->at.kind != WHEN_NONE && !o->replay)
		return bad("--at needs --replay: it is a time in a recording");
	if (o->replay && probe_option(o))
		return bad("%s and --replay cannot be combined: a recording is what was recorded", probe_option(o));
	if (o->probe.off[SAMPLE_SCHED] && o->probe.off[SAMPLE_SYSCALL] && o->probe.off[SAMPLE_NET])
		return bad("--no-sched, --no-syscall and --no-net together leave nothing to show: remove one");
	if (o->sort && !(o->sort->kinds & 1U << options_kind(o))) {
		column_names(names, sizeof(names), 1U << options_kind(o));
		return bad("--sort '%s': no such column in this table; there are: %s", o->sort->name, names);
	}
	if (o->selection.filter && !(filter_kinds(o->selection.filter) & 1U << options_kind(o)))
		return bad("--filter '%s': one of its columns is not in this table; --list-columns lists them",
			   o->filter);
	if (o->exec && !o->when.text)
		return bad("--exec needs --when, which says when to run it");
	if (!fits(o, &o->fail))
		return bad("--fail-if '%s': one of its columns is not in this table; --list-columns lists them",
			   o->fail.text);
	if (!fits(o, &o->when))
		return bad("--when '%s': one of its columns is not in this table; --list-columns lists them",
			   o->when.text);
	return 0;
}

/* What the probe needs to know of the other options. */
static void tell_probe(struct options *o)
{
	o->probe.verbose = o->verbose;
	o->probe.readonly = o->readonly;
	if (o->view->kind == MODEL_CONNECTION || o->why)
		o->probe.connections = SOURCE_ALL_CONNECTIONS;
	else if (o->output == OUTPUT_JSON || o->view->spark == MODEL_SPARK_NET || o->fail.text || o->when.text ||
		 o->openmetrics)
		o->probe.connections = SOURCE_ACTIVE_CONNECTIONS;
	o->probe.cpus = o->view->kind == MODEL_CPU;
}

int options_parse(struct options *o, int argc, char **argv)
{
	struct option longs[OPTIONS + 1] = { { 0 } };
	char shorts[2 * OPTIONS + 2] = ":", *to = shorts + 1;
	const struct option_row *row;
	int value, status;

	*o = (struct options){
		.delay_s = 1,
		.history_bytes = 32 << 20,
		.probe.budget_percent = BUDGET_DEFAULT,
		.view = &column_views[0],
		.group = MODEL_PROCESS,
	};
	for (size_t i = 0; i < OPTIONS; i++) {
		row = &option_table[i];
		longs[i].name = row->name;
		longs[i].has_arg = row->arg ? required_argument : no_argument;
		longs[i].val = LONG_VALUE + (int)i;
		if (row->letter) {
			*to++ = row->letter;
			if (row->arg)
				*to++ = ':';
		}
	}
	if (argc > 1 && !strcmp(argv[1], "why")) {
		o->why = true;
		argc--;
		argv++;
	}
	opterr = 0;
	optind = 0; /* glibc: restart, also after an earlier parse */
	while ((value = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		row = row_of(value == '?' || value == ':' ? optopt : value);
		if (value == ':')
			return bad("--%s needs a value: --%s %s", row->name, row->name, row->arg);
		if (value == '?' && row)
			return bad("--%s takes no value", row->name);
		if (value == '?' && optopt)
			return bad("unknown option '-%c'; see lagtop --help", optopt);
		if (value == '?')
			return bad("unknown or ambiguous option '%s'; see lagtop --help", argv[optind - 1]);
		status = apply(o, row, optarg);
		if (status)
			return status;
	}
	if (optind < argc)
		return bad("unexpected argument '%s'; see lagtop --help", argv[optind]);
	if (o->help || o->version || o->list_columns || o->list_keys)
		return 0;
	status = o->why ? check_why(o) : 0;
	if (status)
		return status;
	if (o->output == OUTPUT_SCREEN && (o->openmetrics || o->fail.text || o->streams))
		o->output = OUTPUT_NONE;
	status = check_together(o);
	tell_probe(o);
	return status;
}

void options_free(struct options *o)
{
	filter_free(o->selection.filter);
	filter_free(o->fail.expression);
	filter_free(o->when.expression);
	filter_free(o->focus_expression);
	free(o->selection.pids);
	*o = (struct options){ 0 };
}

void options_help(FILE *out)
{
	const struct option_row *row;
	char name[40];

	fputs("Usage: lagtop [options]\n"
	      "       lagtop why [options]\n"
	      "Shows which processes wait, and for what: a CPU, the disk, a lock or the network.\n"
	      "why: says in sentences what lags and why, over the next " TEXT(
		      OPTIONS_WHY_S) " seconds (--delay) or those of a\n"
				     "recording (--replay, --at); --json has more.\n\n",
	      out);
	for (size_t i = 0; i < OPTIONS; i++) {
		row = &option_table[i];
		if (!row->help)
			continue;
		snprintf(name, sizeof(name), "--%s%s%s", row->name, row->arg ? " " : "", row->arg ? row->arg : "");
		if (row->letter)
			fprintf(out, "  -%c, %-22s %s\n", row->letter, name, row->help);
		else
			fprintf(out, "      %-22s %s\n", name, row->help);
	}
	fputs("\nExit status: 0 done; 1 it could not run, or a process of --pid does not exist; 2 a bad option;\n"
	      "3 --check: only part works; 4 --fail-if: a row matched, why: something lags;\n"
	      "128 + N ended by signal N.\n",
	      out);
}
