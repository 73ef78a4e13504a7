/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "impossible.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uthash.h>

#define REMEMBERED 100 /* readings for which exited processes are remembered */
#define IN_BETWEEN 64  /* exits whose row and count may be in different readings at both ends */

/* A process in a reading, for the rules that span several readings. */
struct identity {
	struct {
		int64_t pid, start_ns;
	} key;
	uint64_t reading; /* the last one that it was in */
	int64_t threads;
	bool exited;
	UT_hash_handle hh;
};

/* One reading on its way through the rules. */
struct checking {
	struct impossible *c;
	const char *who; /* what is being checked, for the examples */
	int64_t interval_ns, cpus, uptime_ns;
	int64_t run_ns, untold_calls;
	bool switches_lost; /* in this reading or the last */
	struct json_object *reading, *host;
};

#define broken(k, rule, format, ...)                                                                                   \
	findings_add(&(k)->c->found, rule, "reading %llu %s: " format, (unsigned long long)(k)->c->readings, (k)->who, \
		     __VA_ARGS__)
#define LL(n) ((long long)(n))

static struct json_object *member(struct json_object *o, const char *key)
{
	struct json_object *value = NULL;

	if (json_object_is_type(o, json_type_object))
		json_object_object_get_ex(o, key, &value);
	return value;
}

/* A number that is known; one that is missing breaks a rule, null does not. */
static bool number(struct checking *k, struct json_object *o, const char *key, int64_t *n)
{
	struct json_object *value = NULL;

	*n = 0;
	if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, key, &value))
		broken(k, "a field of the contract is missing", "%s", key);
	else if (value && !json_object_is_type(value, json_type_int))
		broken(k, "a number is not an integer", "%s: %s", key, json_object_to_json_string(value));
	else if (value)
		*n = json_object_get_int64(value);
	return value;
}

static const char *text(struct json_object *o, const char *key)
{
	struct json_object *value = member(o, key);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

static bool ends_with(const char *key, const char *end)
{
	size_t len = strlen(key), end_len = strlen(end);

	return len >= end_len && !strcmp(key + len - end_len, end);
}

/* A point in time or the duration of one thing, not a sum of several. */
static bool is_one_time(const char *key)
{
	static const char *const sums[] = { "total_ns", "time_ns", "wait_ns", "wall_ns", "run_ns", "cpu_ns", "bpf_ns" };

	for (size_t i = 0; i < sizeof(sums) / sizeof(*sums); i++)
		if (!strcmp(key, sums[i]))
			return false;
	return ends_with(key, "_ns");
}

/* p50_ns ≤ p90_ns ≤ p99_ns ≤ max_ns, known exactly when something was counted. */
static void check_dist(struct checking *k, struct json_object *o)
{
	static const char *const rising[] = { "p50_ns", "p90_ns", "p99_ns", "max_ns" };
	int64_t last = 0, n;

	for (size_t i = 0; i < sizeof(rising) / sizeof(*rising); i++) {
		struct json_object *value = member(o, rising[i]);

		n = value ? json_object_get_int64(value) : last;
		if (n < last)
			broken(k, "percentiles fall", "%s %lld < %lld", rising[i], LL(n), LL(last));
		last = n;
	}
}

/* What is true of every number, wherever it appears. */
static void check_numbers(struct checking *k, const char *key, struct json_object *o)
{
	int64_t n;

	if (json_object_is_type(o, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(o); i++)
			check_numbers(k, key, json_object_array_get_idx(o, i));
	} else if (json_object_is_type(o, json_type_object)) {
		json_object_object_foreach(o, name, value) check_numbers(k, name, value);
		check_dist(k, o);
	} else if (json_object_is_type(o, json_type_int)) {
		n = json_object_get_int64(o);
		if (n < (strcmp(key, "nice") ? 0 : -20) && strcmp(key, "exit_code") != 0)
			broken(k, "negative", "%s %lld", key, LL(n));
		if (n == INT64_MAX)
			broken(k, "a counter went below zero", "%s %s", key, json_object_to_json_string(o));
		else if (is_one_time(key) && n > k->uptime_ns)
			broken(k, "longer than the uptime", "%s %lld", key, LL(n));
	} else if (json_object_is_type(o, json_type_double) &&
		   (strcmp(key, "cost_percent") != 0 || json_object_get_double(o) < 0)) {
		broken(k, "a number is not an integer", "%s", key);
	}
}

/* Σ of the states that are known; false: none is. */
static bool sum_states(struct checking *k, struct json_object *states, int64_t wall_ns, int64_t *sum)
{
	struct impossible *c = k->c;
	bool known = false;

	*sum = 0;
	if (!json_object_is_type(states, json_type_object))
		return false;
	json_object_object_foreach(states, name, value)
	{
		int64_t ns = json_object_get_int64(value);

		if (ns > wall_ns)
			broken(k, "a state above the wall time", "%s %lld > %lld", name, LL(ns), LL(wall_ns));
		if (c->readings == 1 && c->processes == 1 && c->n_states < IMPOSSIBLE_STATES)
			snprintf(c->state[c->n_states++], sizeof(c->state[0]), "%s", name);
		known |= value != NULL;
		*sum += ns;
	}
	return known;
}

static struct json_object *calls_probe(const struct checking *k)
{
	return member(member(k->reading, "probes"), "syscall");
}

/* Whether every call of the interval is in the reading; where none is watched, only those that a thread sleeps in. */
static bool calls_are_counted(const struct checking *k)
{
	return !strcmp(text(calls_probe(k), "state"), "on");
}

/* Otherwise a call has no age before it first sleeps. */
static bool calls_are_timed(const struct checking *k)
{
	return calls_are_counted(k) && !strcmp(text(calls_probe(k), "level"), "exact");
}

static bool makes_threads(struct json_object *p)
{
	struct json_object *calls = member(p, "syscalls");

	for (size_t i = 0; calls && i < json_object_array_length(calls); i++) {
		const char *name = text(json_object_array_get_idx(calls, i), "name");

		/* io_uring's workers are threads of its process */
		if (!strncmp(name, "clone", 5) || !strncmp(name, "io_uring", 8) || !strcmp(name, "others"))
			return true;
	}
	return !calls;
}

/* A part of a state's time is no longer than that; null counts as 0. */
static void check_parts(struct checking *k, struct json_object *p)
{
	static const char *const part_of[][2] = { { "reclaim", "run" },
						  { "page_fault_disk", "disk" },
						  { "contended_lock", "lock" } };

	for (size_t i = 0; i < sizeof(part_of) / sizeof(*part_of); i++) {
		int64_t part_ns = json_object_get_int64(member(member(p, "of_which_ns"), part_of[i][0]));
		int64_t whole_ns = json_object_get_int64(member(member(p, "time_ns"), part_of[i][1]));

		if (part_ns > whole_ns)
			broken(k, "a part is longer than the whole", "%s %lld > %lld", part_of[i][0], LL(part_ns),
			       LL(whole_ns));
	}
}

static void check_time(struct checking *k, struct json_object *p, bool one_thread)
{
	int64_t wall_ns, sum, run_ns;

	check_parts(k, p);

	if (!number(k, p, "wall_ns", &wall_ns))
		return;
	if (!sum_states(k, member(p, "time_ns"), wall_ns, &sum))
		broken(k, "wall time without states", "%lld", LL(wall_ns));
	else if (sum != wall_ns)
		broken(k, "the states do not add up to the wall time", "%lld, wall %lld", LL(sum), LL(wall_ns));
	number(k, member(p, "time_ns"), "run", &run_ns);
	if (run_ns > k->cpus * k->interval_ns)
		broken(k, "a process ran longer than all CPUs", "%lld of %lld", LL(run_ns),
		       LL(k->cpus * k->interval_ns));
	if (one_thread && wall_ns > k->interval_ns)
		broken(k, "one thread lived longer than the interval", "%lld of %lld", LL(wall_ns), LL(k->interval_ns));
	k->run_ns += run_ns;
}

/* A process's calls added up. */
struct call_sums {
	int64_t count, errors, total_ns, time_ns, wait_ns, in_flight, interrupted;
	bool waits; /* wait_ns is known */
};

static void check_errnos(struct checking *k, struct json_object *call, const char *name, int64_t errors)
{
	struct json_object *by = member(call, "errno");
	int64_t sum = 0;

	if (!json_object_is_type(by, json_type_object))
		return;
	json_object_object_foreach(by, error, value)
	{
		if (!json_object_get_int64(value))
			broken(k, "an error that did not happen", "%s %s", name, error);
		sum += json_object_get_int64(value);
	}
	if (sum > errors)
		broken(k, "more errnos than errors", "%s %lld > %lld", name, LL(sum), LL(errors));
}

static void check_call(struct checking *k, struct json_object *call, struct call_sums *sums)
{
	int64_t count, errors, total_ns, time_ns, wait_ns, in_flight, oldest_ns, interrupted;
	const char *name = text(call, "name");
	bool waits, timed;

	number(k, call, "count", &count);
	number(k, call, "errors", &errors);
	number(k, call, "total_ns", &total_ns);
	timed = number(k, call, "time_ns", &time_ns);
	number(k, call, "in_flight", &in_flight);
	waits = number(k, call, "wait_ns", &wait_ns);
	interrupted = json_object_get_int64(member(member(call, "errno"), "EINTR"));
	if (errors - interrupted > count)
		broken(k, "more errors than calls", "%s %lld > %lld", name, LL(errors), LL(count));
	if (waits && timed && wait_ns > time_ns)
		broken(k, "a call waits longer than it lasts", "%s %lld > %lld", name, LL(wait_ns), LL(time_ns));
	if (in_flight && !number(k, call, "oldest_ns", &oldest_ns) && calls_are_timed(k))
		broken(k, "a call in flight without an age", "%s", name);
	if (total_ns / (count ? count : 1) > k->uptime_ns)
		broken(k, "calls longer than the uptime", "%s %lld in %lld", name, LL(total_ns), LL(count));
	check_errnos(k, call, name, errors);
	sums->count += count;
	sums->errors += errors;
	sums->total_ns += total_ns;
	sums->time_ns += time_ns;
	sums->wait_ns += wait_ns;
	sums->in_flight += in_flight;
	sums->interrupted += interrupted;
	sums->waits &= waits;
}

/* part: the sum of a table's rows, never more than the whole; the difference is in `lost`. */
static void check_part(struct checking *k, int64_t part, struct json_object *whole, const char *key)
{
	int64_t n;

	number(k, whole, key, &n);
	if (part > n)
		broken(k, "the calls add up to more than the process's", "%s %lld > %lld", key, LL(part), LL(n));
	if (!strcmp(key, "count"))
		k->untold_calls += n - part;
}

static void check_calls(struct checking *k, struct json_object *p, int64_t threads)
{
	struct json_object *rows = member(p, "syscalls"), *calls = member(p, "calls"), *wall = member(p, "wall_ns");
	int64_t count, errors, run_ns, wall_ns = json_object_get_int64(wall);
	struct call_sums sums = { .waits = true };

	if (!rows)
		return;
	for (size_t i = 0; i < json_object_array_length(rows); i++)
		check_call(k, json_object_array_get_idx(rows, i), &sums);
	number(k, calls, "count", &count);
	number(k, calls, "errors", &errors);
	if (errors - sums.interrupted > count)
		broken(k, "more errors than calls", "%lld > %lld", LL(errors), LL(count));
	check_part(k, sums.count, calls, "count");
	check_part(k, sums.errors, calls, "errors");
	check_part(k, sums.total_ns, calls, "total_ns");
	if (sums.in_flight > threads)
		broken(k, "more calls in flight than threads", "%lld > %lld", LL(sums.in_flight), LL(threads));
	if (!wall)
		return;
	run_ns = json_object_get_int64(member(member(p, "time_ns"), "run"));
	if (sums.time_ns > wall_ns)
		broken(k, "more time in calls than there was", "%lld of %lld", LL(sums.time_ns), LL(wall_ns));
	sums.waits &= !k->switches_lost;
	if (sums.waits && sums.wait_ns > wall_ns - run_ns)
		broken(k, "calls waited while their thread ran", "%lld of %lld", LL(sums.wait_ns),
		       LL(wall_ns - run_ns));
	if (sums.waits && sums.time_ns - sums.wait_ns > run_ns)
		broken(k, "calls ran while their thread waited", "%lld of %lld", LL(sums.time_ns - sums.wait_ns),
		       LL(run_ns));
}

static struct identity *identity_of(struct impossible *c, int64_t pid, int64_t start_ns)
{
	struct identity key = { .key = { pid, start_ns } }, *i;

	HASH_FIND(hh, c->identities, &key.key, sizeof(key.key), i);
	if (i)
		return i;
	i = calloc(1, sizeof(*i));
	if (!i)
		abort();
	i->key = key.key;
	HASH_ADD(hh, c->identities, key, sizeof(i->key), i);
	return i;
}

/* A process appears once per reading, and never again after its end. Returns whether it can have had only one
 * thread. */
static bool check_identity(struct checking *k, struct json_object *p, int64_t threads)
{
	struct impossible *c = k->c;
	bool exited = !strcmp(text(p, "state"), "exited"), one_thread;
	int64_t pid, start_ns, code;
	struct identity *i;

	number(k, p, "pid", &pid);
	number(k, p, "start_ns", &start_ns);
	i = identity_of(c, pid, start_ns);
	if (i->reading == c->readings)
		broken(k, "a process appears twice in a reading", "started %lld", LL(start_ns));
	if (i->exited)
		broken(k, "a process that had exited", "started %lld", LL(start_ns));
	if (!exited && !threads)
		broken(k, "a process without a thread", "%s", text(p, "state"));
	if (!exited != !member(p, "exit_code"))
		broken(k, "an exit code of a live process, or none of an exited one", "%s", text(p, "state"));
	if (!member(p, "killed_by") != (!exited || !number(k, p, "exit_code", &code) || code >= 0))
		broken(k, "killed and not killed", "%s", text(p, "state"));
	one_thread = threads <= 1 && (!i->reading || i->threads <= 1) && calls_are_counted(k) && !makes_threads(p);
	i->reading = c->readings;
	i->threads = threads;
	i->exited = exited;
	c->exited += exited;
	return one_thread;
}

static void keep_name(struct impossible *c, const char *comm)
{
	if (!c->names_begin || strncmp(comm, c->names_begin, strlen(c->names_begin)) != 0 || impossible_saw(c, comm) ||
	    c->n_names == IMPOSSIBLE_NAMES)
		return;
	snprintf(c->name[c->n_names++], sizeof(c->name[0]), "%s", comm);
}

static void check_process(struct checking *k, struct json_object *p)
{
	char who[64];
	int64_t threads;
	bool one_thread;

	snprintf(who, sizeof(who), "pid %lld (%s)", LL(json_object_get_int64(member(p, "pid"))), text(p, "comm"));
	k->who = who;
	k->c->processes++;
	keep_name(k->c, text(p, "comm"));
	check_numbers(k, "", p);
	number(k, p, "threads", &threads);
	one_thread = check_identity(k, p, threads);
	check_time(k, p, one_thread);
	check_calls(k, p, threads);
	k->who = "";
}

/* No process disappears silently: one that was alive is there, or `lost` counts missed exits. */
static void check_vanished(struct checking *k)
{
	struct impossible *c = k->c;
	struct identity *i, *next;

	HASH_ITER(hh, c->identities, i, next)
	{
		if (i->reading + 1 == c->readings && !i->exited)
			broken(k, "a process vanished", "pid %lld, started %lld", LL(i->key.pid), LL(i->key.start_ns));
		if (i->reading + (i->exited ? REMEMBERED : 1) < c->readings) {
			HASH_DEL(c->identities, i);
			free(i);
		}
	}
}

/* Σ over the processes of a number at a path of two words or one. */
static int64_t sum_of(struct json_object *processes, const char *outer, const char *inner)
{
	int64_t sum = 0;

	for (size_t i = 0; i < json_object_array_length(processes); i++) {
		struct json_object *p = json_object_array_get_idx(processes, i);

		sum += json_object_get_int64(inner ? member(member(p, outer), inner) : member(p, outer));
	}
	return sum;
}

static void check_sum(struct checking *k, const char *what, struct json_object *whole, int64_t sum)
{
	if (json_object_is_type(whole, json_type_boolean)) /* whether it is estimated */
		return;
	if (whole && json_object_get_int64(whole) != sum)
		broken(k, "the host is not the sum of its processes", "%s %s, sum %lld", what,
		       json_object_get_string(whole), LL(sum));
}

/* Numbers that the host counts on its own, including processes that are not known. */
static bool is_hosts_own(const char *key)
{
	return !strcmp(key, "retransmits") || ends_with(key, "_ns");
}

static void check_host(struct checking *k, struct json_object *processes)
{
	struct json_object *run = member(k->host, "run_ns");

	if (k->run_ns > k->cpus * k->interval_ns && !k->switches_lost)
		broken(k, "the machine ran longer than its CPUs", "%lld of %lld, lost %s", LL(k->run_ns),
		       LL(k->cpus * k->interval_ns), json_object_to_json_string(member(k->reading, "lost")));
	check_sum(k, "run_ns", run, k->run_ns);
	check_sum(k, "wakeups", member(k->host, "wakeups"), sum_of(processes, "wakeups", NULL));
	check_sum(k, "switches", member(k->host, "switches"),
		  sum_of(processes, "switches", "voluntary") + sum_of(processes, "switches", "involuntary"));
	json_object_object_foreach(k->host, outer, part)
	{
		if (!json_object_is_type(part, json_type_object) || !strcmp(outer, "pressure"))
			continue;
		json_object_object_foreach(part, inner, value) if (!is_hosts_own(inner))
			check_sum(k, inner, value, sum_of(processes, outer, inner));
	}
}

static void check_reading(struct checking *k)
{
	struct json_object *lost = member(k->reading, "lost"), *processes = member(k->reading, "processes");
	struct impossible *c = k->c;
	int64_t lost_calls, exits, lost_exits, lost_threads, lost_switches, cpu_ns;

	k->host = member(k->reading, "host");
	number(k, k->reading, "interval_ns", &k->interval_ns);
	number(k, k->host, "cpus", &k->cpus);
	number(k, k->host, "exits", &exits);
	number(k, lost, "calls", &lost_calls);
	number(k, lost, "exits", &lost_exits);
	number(k, lost, "threads", &lost_threads);
	number(k, lost, "switches", &lost_switches);
	k->switches_lost = lost_switches || c->switches_lost;
	c->switches_lost = lost_switches;
	number(k, member(k->reading, "self"), "cpu_ns", &cpu_ns);
	if (!json_object_is_type(processes, json_type_array) || !k->interval_ns || !k->cpus) {
		broken(k, "no reading", "%.100s", json_object_to_json_string(k->reading));
		return;
	}
	json_object_object_foreach(k->reading, key, value) if (value != processes) check_numbers(k, key, value);
	for (size_t i = 0; i < json_object_array_length(processes); i++)
		check_process(k, json_object_array_get_idx(processes, i));
	if (cpu_ns > k->cpus * k->interval_ns)
		broken(k, "lagtop took more than all CPUs", "%lld of %lld", LL(cpu_ns), LL(k->cpus * k->interval_ns));
	c->untold_calls += k->untold_calls;
	c->lost_calls += lost_calls; /* read after the records: at any time at least what they miss */
	if (c->untold_calls > c->lost_calls)
		broken(k, "calls are neither in a row nor lost", "%lld so far, lost %lld", LL(c->untold_calls),
		       LL(c->lost_calls));
	check_vanished(k);
	check_host(k, processes);
	c->exits += exits;
	c->untold += lost_exits + lost_threads;
}

/* Not JSON, not UTF-8, or with bytes that a terminal would interpret: NULL. */
static struct json_object *parse(struct checking *k, const char *line)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *reading;

	if (!tokener)
		abort();
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	reading = json_tokener_parse_ex(tokener, line, -1);
	if (!reading) {
		broken(k, "not JSON", "%s at %.100s", json_tokener_error_desc(json_tokener_get_error(tokener)),
		       line + json_tokener_get_parse_end(tokener));
	}
	json_tokener_free(tokener);
	for (const char *at = line; *at && *at != '\n'; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			broken(k, "a control character", "%d", *at);
	return reading;
}

void impossible_line(struct impossible *c, const char *line)
{
	struct checking k = { .c = c, .who = "" };
	struct timespec up;

	clock_gettime(CLOCK_BOOTTIME, &up);
	k.uptime_ns = up.tv_sec * 1000000000LL + up.tv_nsec;
	c->readings++;
	k.reading = parse(&k, line);
	if (k.reading)
		check_reading(&k);
	json_object_put(k.reading);
}

void impossible_end(struct impossible *c)
{
	int64_t unseen = c->exits - c->exited;

	if (unseen > c->untold + IN_BETWEEN || unseen < -IN_BETWEEN)
		findings_add(&c->found, "exits without a row, or rows without an exit",
			     "%lld exits, %lld rows, %lld lost", LL(c->exits), LL(c->exited), LL(c->untold));
}

bool impossible_saw(const struct impossible *c, const char *name)
{
	for (size_t i = 0; i < c->n_names; i++)
		if (!strcmp(c->name[i], name))
			return true;
	return false;
}

void impossible_free(struct impossible *c)
{
	struct identity *i, *next;

	HASH_ITER(hh, c->identities, i, next)
	{
		HASH_DEL(c->identities, i);
		free(i);
	}
	memset(c, 0, sizeof(*c));
}
