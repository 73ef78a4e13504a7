/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prometheus's text format 0.0.4: see openmetrics.h. What is not known has no line. A group has the counters of the
 * table, histograms, and those of its columns that are not counters: percentiles, umbrellas, sums.
 */
#include "openmetrics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "format.h"
#include "names.h"

#define LABEL_SIZE OPENMETRICS_LABEL_SIZE
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* node_exporter does not know the types that OpenMetrics added; a counter's family name includes _total. */
static void family(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP lagtop_%s %s.\n# TYPE lagtop_%s %s\n", name, help, name, type);
}

static void counter(FILE *out, const char *name, const char *help, double value)
{
	family(out, name, "counter", help);
	fprintf(out, "lagtop_%s %.15g\n", name, value);
}

static void gauge(FILE *out, const char *name, const char *help, double value)
{
	family(out, name, "gauge", help);
	fprintf(out, "lagtop_%s %.15g\n", name, value);
}

static void percentiles(FILE *out, const char *what, const char *help, const struct model_dist *d)
{
	const struct {
		const char *name;
		uint64_t ns;
	} values[] = { { "p50", d->p50_ns }, { "p90", d->p90_ns }, { "p99", d->p99_ns }, { "max", d->max_ns } };
	char name[64];

	for (size_t i = 0; i < COUNT(values) && d->count; i++) {
		snprintf(name, sizeof(name), "host_%s_%s_seconds", what, values[i].name);
		gauge(out, name, help, (double)values[i].ns / 1e9);
	}
}

/* What was once known stays known: a sum never falls. */
static void add_known(uint64_t *sum, uint64_t n)
{
	if (n != SAMPLE_UNKNOWN)
		*sum = (*sum == SAMPLE_UNKNOWN ? 0 : *sum) + n;
	else if (!*sum)
		*sum = SAMPLE_UNKNOWN;
}

static void add_up(struct openmetrics *om, const struct model_host *h, const struct sample *s)
{
	om->run_ns += h->run_ns;
	om->switches += h->switches;
	om->wakeups += h->wakeups;
	om->forks += h->forks;
	om->calls += h->calls_count;
	om->call_errors += h->call_errors;
	om->tx_bytes += h->tx_bytes;
	om->rx_bytes += h->rx_bytes;
	om->retransmits += h->retransmits == SAMPLE_UNKNOWN ? 0 : h->retransmits;
	om->self_cpu_ns += s->self.cpu_ns;
	om->cost_ns += s->self.cost_ns == SAMPLE_UNKNOWN ? 0 : s->self.cost_ns;
	om->lost.threads += s->lost.threads;
	om->lost.calls += s->lost.calls;
	om->lost.sockets += s->lost.sockets;
	om->lost.exits += s->lost.exits;
	om->lost.switches += s->lost.switches;
	om->lost.torn += s->lost.torn;
	om->lost.events += s->lost.events;
	add_known(&om->lost.requests, s->lost.requests);
	add_known(&om->lost.groups, s->lost.groups);
}

static void print_host(FILE *out, const struct openmetrics *om, const struct model_host *h, const struct sample *s)
{
	const struct {
		const char *name;
		uint64_t n;
	} lost[] = { { "threads", om->lost.threads },	{ "calls", om->lost.calls },
		     { "sockets", om->lost.sockets },	{ "exits", om->lost.exits },
		     { "switches", om->lost.switches }, { "torn", om->lost.torn },
		     { "events", om->lost.events },	{ "requests", om->lost.requests },
		     { "groups", om->lost.groups } };
	char host[LABEL_SIZE], kernel[LABEL_SIZE];

	openmetrics_label(host, s->host);
	openmetrics_label(kernel, s->kernel);
	family(out, "build_info", "gauge", "The lagtop version, host and kernel of the reading");
	fprintf(out, "lagtop_build_info{host=\"%s\",kernel=\"%s\",version=\"" LAGTOP_VERSION "\"} 1\n", host, kernel);
	gauge(out, "reading_timestamp_seconds", "When the reading was taken", (double)s->realtime_ns / 1e9);
	gauge(out, "reading_interval_seconds", "The length of the reading's interval", (double)s->interval_ns / 1e9);
	gauge(out, "host_cpus", "CPUs online", s->cpus_online);
	gauge(out, "host_threads", "Threads alive at the reading", h->threads);
	gauge(out, "host_processes", "Processes alive at the reading", h->processes);
	counter(out, "host_forks_total", "Processes created", (double)om->forks);
	if (s->probe[SAMPLE_SCHED].on) {
		counter(out, "host_run_seconds_total", "Time on CPUs", (double)om->run_ns / 1e9);
		counter(out, "host_switches_total", "Context switches", (double)om->switches);
		counter(out, "host_wakeups_total", "Wakeups from a sleep", (double)om->wakeups);
		percentiles(out, "wakeup", "Wake-up latencies of the interval", &h->wakeup);
	}
	if (s->probe[SAMPLE_SYSCALL].on) {
		counter(out, "host_calls_total", "System calls that returned", (double)om->calls);
		counter(out, "host_call_errors_total", "System calls that failed", (double)om->call_errors);
		if (s->probe[SAMPLE_SCHED].on) /* else it is not known how much of a call was sleep */
			percentiles(out, "calls",
				    "System calls of the interval, not counting their interruptible sleep", &h->calls);
	}
	if (s->probe[SAMPLE_NET].on) {
		counter(out, "host_transmit_bytes_total", "Payload sent over internet sockets", (double)om->tx_bytes);
		counter(out, "host_receive_bytes_total", "Payload received over internet sockets",
			(double)om->rx_bytes);
		counter(out, "host_retransmits_total", "TCP segments retransmitted", (double)om->retransmits);
	}
	counter(out, "self_cpu_seconds_total", "CPU time of lagtop itself", (double)om->self_cpu_ns / 1e9);
	counter(out, "self_cost_seconds_total",
		"CPU time of watching as far as it was measured: lagtop, its BPF programs and what the kernel adds "
		"around them",
		(double)om->cost_ns / 1e9);
	family(out, "lost_total", "counter", "Events that could not be counted");
	for (size_t i = 0; i < COUNT(lost); i++)
		if (lost[i].n != SAMPLE_UNKNOWN)
			fprintf(out, "lagtop_lost_total{what=\"%s\"} %llu\n", lost[i].name,
				(unsigned long long)lost[i].n);
}

/* A row of the table of counters: seconds, or what its unit says. */
static void print_counter(FILE *out, const char *by, enum lt_counter counter, const struct openmetrics_groups *g)
{
	const struct counter_info *info = &counter_info[counter];
	bool state = (int)counter < LT_STATES, time = state || !strcmp(info->unit, "ns");
	const char *base = state ? names_state((uint8_t)counter) : info->name;
	int len = (int)strlen(base);
	char name[80], help[96];

	len -= time && !state ? 3 : 0; /* "_ns" */
	snprintf(name, sizeof(name), "%s_%.*s%s_total", by, len, base, time ? "_seconds" : "");
	snprintf(help, sizeof(help), "%s %.*s, since lagtop began to watch the group",
		 state ? "Time in the state" : "Sum of", len, base);
	family(out, name, "counter", help);
	for (int i = 0; i <= OPENMETRICS_GROUPS; i++)
		if (counter_has(&g->place[i].known, counter))
			fprintf(out, "lagtop_%s{%s=\"%s\"} %.15g\n", name, by, g->place[i].label,
				(double)g->place[i].counter[counter] * (time ? 1e-9 : 1));
}

/* by: NULL for the host. */
static void print_hist(FILE *out, const char *name, const char *by, const char *label, const struct openmetrics_hist *h)
{
	char own[LABEL_SIZE + 32] = "", alone[LABEL_SIZE + 32] = "";

	if (!h->all)
		return;
	if (by) {
		snprintf(own, sizeof(own), "%s=\"%s\",", by, label);
		snprintf(alone, sizeof(alone), "{%s=\"%s\"}", by, label);
	}
	for (int i = 0; i < OPENMETRICS_EDGES; i++)
		fprintf(out, "lagtop_%s_bucket{%sle=\"%.15g\"} %llu\n", name, own,
			(double)(1ULL << (OPENMETRICS_EDGE_FIRST + i)) * 1e-9, (unsigned long long)h->count[i]);
	fprintf(out, "lagtop_%s_bucket{%sle=\"+Inf\"} %llu\n", name, own, (unsigned long long)h->all);
	fprintf(out, "lagtop_%s_sum%s %.15g\nlagtop_%s_count%s %llu\n", name, alone, h->sum_ns * 1e-9, name, alone,
		(unsigned long long)h->all);
}

static void print_hists(FILE *out, const char *by, const struct openmetrics_groups *g)
{
	for (int d = 0; d < OPENMETRICS_DISTS; d++) {
		char name[64], help[160];

		snprintf(name, sizeof(name), "%s_%s_seconds", by ? by : "host", openmetrics_dists[d].name);
		snprintf(help, sizeof(help), "%s; the sum is at most 12.5 %% off", openmetrics_dists[d].help);
		family(out, name, "histogram", help);
		if (!by)
			print_hist(out, name, NULL, NULL, &g->host[d]);
		for (int i = 0; by && i <= OPENMETRICS_GROUPS; i++)
			print_hist(out, name, by, g->place[i].label, &g->place[i].hist[d]);
	}
}

/* The metric unit of a column's unit, and the factor between them. */
static const struct metric_unit {
	const char *unit, *suffix;
	double factor;
} metric_units[] = {
	{ "%", "_ratio", 0.01 },
	{ "ns", "_seconds", 1e-9 },
	{ "bytes/s", "_bytes_per_second", 1 },
	{ "/s", "_per_second", 1 },
	{ "", "", 1 },
};

static const struct metric_unit *unit_of(const struct column *c)
{
	for (size_t i = 0; i < COUNT(metric_units); i++)
		if (!strcmp(metric_units[i].unit, c->unit))
			return &metric_units[i];
	return NULL;
}

static bool is_metric(const struct column *c, enum model_kind kind)
{
	return c->kinds & 1 << kind && c->kinds & 1 << MODEL_COMMAND && c->show != SHOW_TEXT && unit_of(c) &&
	       !column_is_counter(c);
}

/* As in --json: "wakeup.p99_ns" is wakeup_p99_seconds. */
static void metric_name(char *name, size_t size, const char *by, const struct column *c)
{
	const char *base = c->metric ? c->metric : c->json ? c->json : c->name, *suffix = unit_of(c)->suffix;
	size_t len = strlen(base);

	len -= len > 3 && !strcmp(base + len - 3, "_ns") ? 3 : 0;
	len -= len > 6 && !strncmp(base + len - 6, "_bytes", 6) && !strncmp(suffix, "_bytes", 6) ? 6 : 0;
	snprintf(name, size, "%s_%.*s%s", by, (int)len, base, suffix);
	for (char *at = name; *at; at++)
		*at = *at == '.' ? '_' : *at;
}

static void print_column(FILE *out, const char *by, const struct column *c, const struct openmetrics_groups *g)
{
	char name[80], help[400];

	metric_name(name, sizeof(name), by, c);
	snprintf(help, sizeof(help), "%.*s", (int)strlen(c->help) - 1, c->help); /* family() ends it */
	family(out, name, "gauge", help);
	for (int i = 0; i < OPENMETRICS_GROUPS; i++) {
		const struct row *r = g->place[i].row;
		struct value v = r ? column_value(c, r) : (struct value){ .type = VALUE_NONE };

		if (v.type == VALUE_INT || v.type == VALUE_REAL)
			fprintf(out, "lagtop_%s{%s=\"%s\"} %.15g\n", name, by, g->place[i].label,
				(v.type == VALUE_INT ? (double)v.i : v.real) * unit_of(c)->factor);
	}
}

static void print_groups(FILE *out, enum model_kind kind, const struct openmetrics_groups *g)
{
	const char *by = selection_group_name(kind);

	for (size_t i = 0; i < LT_COUNTERS; i++)
		print_counter(out, by, (enum lt_counter)i, g);
	print_hists(out, by, g);
	for (size_t i = 0; i < columns_count; i++)
		if (is_metric(&columns[i], kind))
			print_column(out, by, &columns[i], g);
}

/* The selected groups get a place in the order of LAG%. 0 or -ENOMEM. */
static int add_groups(struct openmetrics *om, const struct options *o, struct model *m)
{
	const struct column *lag = column_find("lag");
	const struct selection_order worst = { .sort = lag, .then = lag };
	enum model_kind kind = options_group(o);
	struct row **rows = NULL;
	int n, err;

	if (!om->groups) {
		om->groups = calloc(1, sizeof(*om->groups));
		if (!om->groups)
			return -ENOMEM;
		strcpy(om->groups->place[OPENMETRICS_GROUPS].label, "other");
	}
	n = selection_rows(&o->selection, kind, &worst, m, &rows);
	if (n < 0)
		return n;
	err = openmetrics_groups_add(om->groups, &o->selection, kind, rows, (size_t)n, m);
	free(rows);
	return err;
}

static void print_file(FILE *out, const struct openmetrics *om, const struct options *o, struct model *m)
{
	print_host(out, om, model_host(m), model_sample(m));
	print_hists(out, NULL, om->groups);
	print_groups(out, options_group(o), om->groups);
}

int openmetrics_write(struct openmetrics *om, const struct options *o, struct model *m)
{
	struct file_fresh file;
	int err;

	err = add_groups(om, o, m);
	if (err)
		return err;
	add_up(om, model_host(m), model_sample(m));
	/* The temporary name does not end in ".prom": the collector ignores it. The collector runs as another user. */
	err = file_fresh_open(&file, o->openmetrics, 0644);
	if (err)
		return err;
	print_file(file.out, om, o, m);
	err = file_fresh_commit(&file, o->openmetrics);
	om->written |= !err;
	return err;
}

void openmetrics_close(struct openmetrics *om, const struct options *o, bool keep)
{
	if (om->written && !keep)
		unlink(o->openmetrics);
	if (om->groups)
		openmetrics_groups_free(om->groups);
	free(om->groups);
}
