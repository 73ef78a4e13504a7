/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model on samples made by hand: percentiles against their definition, sums over threads and
 * groups, calls in flight, totals, the dead, and memory that stays flat.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_state.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECOND_NS 1000000000ULL
#define MS_NS 1000000ULL

/* Builders: each appends to the process or thread appended last. */
static void begin(struct sample *s, uint32_t number)
{
	sample_clear(s);
	s->number = number;
	s->t_ns = number * SECOND_NS;
	s->interval_ns = SECOND_NS;
	s->cpus = 2;
	for (int f = 0; f < SAMPLE_FAMILIES; f++)
		s->probe[f].on = 1;
}

static struct sample_process *process(struct sample *s, uint32_t pid, uint64_t start_ns, const char *comm)
{
	struct sample_process *p = sample_add_process(s);
	char cmdline[64];

	assert_non_null(p);
	p->pid = pid;
	p->ppid = 1;
	p->start_ns = start_ns;
	p->first_thread = s->n_threads;
	p->comm = sample_add_text(s, comm, strlen(comm));
	snprintf(cmdline, sizeof(cmdline), "/bin/%s --pid %u", comm, pid);
	p->cmdline = sample_add_text(s, cmdline, strlen(cmdline));
	p->sockets.retransmits = SAMPLE_UNKNOWN;
	p->sockets.srtt_ns = SAMPLE_UNKNOWN;
	return p;
}

static struct sample_thread *thread(struct sample *s, uint32_t tid, enum lt_state state)
{
	struct sample_process *p = &s->processes[s->n_processes - 1];
	struct sample_thread *t = sample_add_thread(s);

	assert_non_null(t);
	t->tid = tid;
	t->process = s->n_processes - 1;
	t->start_ns = p->start_ns;
	t->wall_ns = s->interval_ns;
	t->state = (uint8_t)state;
	t->work = SAMPLE_NONE;
	t->call = LT_CALL_NONE;
	p->n_threads++;
	p->threads += state != LT_DEAD;
	return t;
}

/* A thread that ran for run_ns and spent the rest in state. */
static struct sample_work *busy(struct sample *s, uint32_t tid, enum lt_state state, uint64_t run_ns)
{
	struct sample_thread *t = thread(s, tid, state);
	struct sample_work *w = sample_add_work(s);

	assert_non_null(w);
	t->work = s->n_works - 1;
	w->time_ns[LT_RUN] = run_ns;
	w->time_ns[state == LT_DEAD ? LT_SLEEP : state] += t->wall_ns - run_ns;
	w->first_call = s->n_calls;
	return w;
}

static void dist(struct sample *s, struct sample_dist *d, uint64_t ns, uint32_t count)
{
	struct sample_bucket *b = sample_add_bucket(s);

	assert_non_null(b);
	*b = (struct sample_bucket){ hist_bucket(ns), count };
	if (d->n == 0)
		d->first = s->n_buckets - 1;
	d->n++;
	if (ns > d->max_ns)
		d->max_ns = ns;
}

/* count calls that returned, each of ns, `errors` of them with `error`. */
static struct sample_call *call(struct sample *s, struct sample_work *w, uint32_t nr, uint32_t count, uint64_t ns,
				uint32_t error, uint32_t errors)
{
	struct sample_call *c = sample_add_call(s);
	struct sample_errno *e;

	assert_non_null(c);
	*c = (struct sample_call){ .call = nr,
				   .errors = errors,
				   .count = count,
				   .total_ns = count * ns,
				   .time_ns = count * ns,
				   .wait_ns = count * ns / 2 };
	if (count)
		dist(s, &c->latency, ns, count);
	if (errors) {
		e = sample_add_errno(s);
		assert_non_null(e);
		*e = (struct sample_errno){ error, errors };
		c->first_errno = s->n_errnos - 1;
		c->n_errnos = 1;
	}
	w->n_calls++;
	w->calls += count;
	w->call_errors += errors;
	w->call_total_ns += count * ns;
	return c;
}

static struct row *rows_of(struct model *m, const struct model_query *q, int expected)
{
	struct row *rows;

	assert_int_equal(model_rows(m, q, &rows), expected);
	return rows;
}

static struct row *find_pid(struct model *m, uint32_t pid)
{
	struct model_query q = { .kind = MODEL_PROCESS };
	struct row *rows;
	int n = model_rows(m, &q, &rows);

	for (int i = 0; i < n; i++)
		if (rows[i].pid == pid)
			return &rows[i];
	return NULL;
}

/* Two samples in turn, as the screen has them; each test begins with fresh ones. */
static struct sample samples[2];
static struct model *m;

static int setup(void **state)
{
	(void)state;
	memset(samples, 0, sizeof(samples));
	m = model_new();
	return m ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	model_free(m);
	sample_free(&samples[0]);
	sample_free(&samples[1]);
	return 0;
}

static struct sample *next_sample(uint32_t number)
{
	struct sample *s = &samples[number & 1];

	begin(s, number);
	return s;
}

static void update(const struct sample *s)
{
	assert_int_equal(model_update(m, s), 0);
}

/* --- percentiles ---------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void assert_near(uint64_t got, uint64_t exact)
{
	uint64_t off = got > exact ? got - exact : exact - got;

	if (exact < 256)
		assert_true(got < 256);
	else
		assert_true(off * 1000 <= exact * 125);
}

/* Against the definition: the ⌈p·n⌉-th smallest of the values themselves. */
static void percentiles_are_near(void **state)
{
	static const size_t sizes[] = { 1, 2, 3, 9, 10, 11, 99, 100, 101, 1000, 4321 };
	uint64_t values[4321], seed = 88172645463325252ULL;

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		uint64_t count[HIST_BUCKETS] = { 0 };
		size_t n = sizes[i];
		struct model_dist d;

		for (size_t v = 0; v < n; v++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			values[v] = seed >> 30 >> (seed % 27); /* every octave up to 17 s */
			count[hist_bucket(values[v])]++;
		}
		qsort(values, n, sizeof(values[0]), by_value);
		d = model_dist_of(count, values[n - 1]);
		assert_int_equal(d.count, n);
		assert_int_equal(d.max_ns, values[n - 1]);
		assert_false(d.max_at_least);
		assert_near(d.p50_ns, values[(n * 50 + 99) / 100 - 1]);
		assert_near(d.p90_ns, values[(n * 90 + 99) / 100 - 1]);
		assert_near(d.p99_ns, values[(n * 99 + 99) / 100 - 1]);
		assert_true(d.p50_ns <= d.p90_ns && d.p90_ns <= d.p99_ns && d.p99_ns <= d.max_ns);
	}
}

static void percentiles_at_the_edges(void **state)
{
	uint64_t count[HIST_BUCKETS] = { 0 };
	struct model_dist d = model_dist_of(count, 5);

	(void)state;
	assert_int_equal(d.count, 0);
	/* 100 events: the 99th is not the 100th. */
	count[hist_bucket(1000)] = 99;
	count[hist_bucket(1000000)] = 1;
	d = model_dist_of(count, 1000000);
	assert_near(d.p99_ns, 1000);
	assert_int_equal(d.max_ns, 1000000);
	/* 101: it is. */
	count[hist_bucket(1000000)] = 2;
	d = model_dist_of(count, 1000000);
	assert_near(d.p99_ns, 1000000);
	assert_true(d.p99_ns <= 1000000);
	/* The middle of a bucket lies above the only value in it. */
	memset(count, 0, sizeof(count));
	count[hist_bucket(1 << 20)] = 1;
	d = model_dist_of(count, 1 << 20);
	assert_int_equal(d.p50_ns, 1 << 20);
	assert_int_equal(d.p99_ns, 1 << 20);
	/* The maximum was missed, a higher bucket tells. */
	memset(count, 0, sizeof(count));
	count[hist_bucket(1000)] = 99;
	count[hist_bucket(1000000)] = 2;
	d = model_dist_of(count, 2000);
	assert_true(d.max_at_least);
	assert_int_equal(d.max_ns, hist_floor(hist_bucket(1000000)));
	/* It is not known at all. */
	d = model_dist_of(count, 0);
	assert_int_equal(d.max_ns, hist_floor(hist_bucket(1000000) + 1) - 1);
	/* The open end. */
	memset(count, 0, sizeof(count));
	count[HIST_BUCKETS - 1] = 1;
	d = model_dist_of(count, 40 * SECOND_NS);
	assert_int_equal(d.max_ns, 40 * SECOND_NS);
	assert_true(d.p50_ns > 17 * SECOND_NS && d.p50_ns <= 40 * SECOND_NS);
	d = model_dist_of(count, 0);
	assert_true(d.max_at_least);
	assert_int_equal(d.max_ns, 1ULL << 34);
	/* Counts whose product with 99 does not fit. */
	count[0] = UINT64_MAX / 4;
	count[1] = UINT64_MAX / 4;
	count[HIST_BUCKETS - 1] = UINT64_MAX / 4;
	d = model_dist_of(count, 18 * SECOND_NS);
	assert_true(d.p50_ns >= 256 && d.p50_ns < 320);
	assert_true(d.p99_ns > 17 * SECOND_NS);
}

/* --- processes ------------------------------------------------------------------------------ */

static void threads_add_up(void **state)
{
	struct sample *s = next_sample(1);
	struct sample_process *p = process(s, 10, 5, "db");
	struct sample_work *w;
	uint64_t sum = 0, count[HIST_BUCKETS] = { 0 };
	struct row *r;

	(void)state;
	p->sockets.retransmits = 3;
	thread(s, 10, LT_POLL);
	w = busy(s, 11, LT_LOCK, 300 * MS_NS);
	dist(s, &w->runq, 2000, 90);
	dist(s, &w->runq, 40000, 9);
	w->voluntary = 4;
	w->flow[LT_TCP].tx_bytes = 100;
	w = busy(s, 12, LT_DISK, 200 * MS_NS);
	dist(s, &w->runq, 2000, 1);
	dist(s, &w->runq, 3 * MS_NS, 3);
	w->voluntary = 5;
	w->flow[LT_TCP].tx_bytes = 1;
	w->flow[LT_UNIX].rx_bytes = 7;
	w->connects = 2;
	update(s);
	r = find_pid(m, 10);
	assert_int_equal(r->kind, MODEL_PROCESS);
	assert_int_equal(r->wall_ns, 3 * SECOND_NS);
	assert_int_equal(r->time_ns[LT_POLL], SECOND_NS);
	assert_int_equal(r->time_ns[LT_LOCK], 700 * MS_NS);
	assert_int_equal(r->time_ns[LT_DISK], 800 * MS_NS);
	assert_int_equal(r->time_ns[LT_RUN], 500 * MS_NS);
	for (int i = 0; i < LT_STATES; i++)
		sum += r->time_ns[i];
	assert_int_equal(sum, r->wall_ns);
	assert_int_equal(r->voluntary, 9);
	assert_int_equal(r->threads, 3);
	assert_int_equal(r->flow[LT_TCP].tx_bytes, 101);
	assert_int_equal(r->flow[LT_UNIX].rx_bytes, 7);
	assert_int_equal(r->connects, 2);
	assert_int_equal(r->retransmits, 3);
	assert_int_equal(r->srtt_ns, SAMPLE_UNKNOWN);
	assert_int_equal(r->runq.count, 103);
	assert_int_equal(r->runq.max_ns, 3 * MS_NS);
	assert_near(r->runq.p50_ns, 2000);
	assert_near(r->runq.p90_ns, 40000);
	assert_near(r->runq.p99_ns, 3 * MS_NS);
	assert_int_equal(r->service.count, 0);
	assert_string_equal(r->comm, "db");
	assert_string_equal(r->cmdline, "/bin/db --pid 10");
	assert_int_equal(model_histogram(m, 10, 5, false, count), 103);
	assert_int_equal(count[hist_bucket(2000)], 91);
	assert_int_equal(model_histogram(m, 10, 6, false, count), 0); /* another process of that pid */
	assert_int_equal(model_histogram(m, 0, 0, false, count), 103);
	assert_int_equal(model_histogram(m, 10, 5, true, count), 0);
}

static void threads_have_rows(void **state)
{
	struct sample *s = next_sample(1);
	struct model_query q = { .kind = MODEL_THREAD };
	struct sample_thread *t;
	struct sample_work *w;
	struct row *r;

	(void)state;
	process(s, 10, 5, "db");
	t = thread(s, 10, LT_LOCK);
	strcpy(t->comm, "db");
	t->call = 202;
	t->call_age_ns = 7 * SECOND_NS;
	t->flags = SAMPLE_THREAD_AT_LEAST;
	w = busy(s, 11, LT_DEAD, 300 * MS_NS);
	dist(s, &w->runq, 2000, 90);
	strcpy(s->threads[s->n_threads - 1].comm, "writer");
	process(s, 20, 6, "web");
	thread(s, 20, LT_NET);
	update(s);
	r = rows_of(m, &q, 3);
	assert_int_equal(r[0].tid, 10);
	assert_int_equal(r[0].state, LT_LOCK);
	assert_int_equal(r[0].time_ns[LT_LOCK], SECOND_NS);
	assert_int_equal(r[0].call, 202);
	assert_int_equal(r[0].oldest_ns, 7 * SECOND_NS);
	assert_true(r[0].oldest_at_least);
	assert_int_equal(r[1].tid, 11);
	assert_int_equal(r[1].pid, 10);
	assert_true(r[1].exited);
	assert_string_equal(r[1].comm, "writer");
	assert_int_equal(r[1].runq.count, 90);
	assert_int_equal(r[1].call, LT_CALL_NONE);
	assert_int_equal(r[2].pid, 20);
	q.pid = 10;
	q.start_ns = 5;
	r = rows_of(m, &q, 2);
	assert_int_equal(r[1].tid, 11);
	q.start_ns = 4;
	rows_of(m, &q, 0);
}

/* What a family that is off did is not known to any row; what it is asked of, says so. */
static void families_off(void **state)
{
	struct model_query kinds[] = { { .kind = MODEL_PROCESS }, { .kind = MODEL_THREAD }, { .kind = MODEL_COMMAND } };
	struct sample *s = next_sample(1);

	(void)state;
	s->probe[SAMPLE_NET].on = 0;
	process(s, 10, 5, "db");
	thread(s, 10, LT_POLL);
	update(s);
	for (size_t i = 0; i < COUNT(kinds); i++)
		assert_int_equal(rows_of(m, &kinds[i], 1)->off, 1 << SAMPLE_NET);
	assert_true(model_host(m)->net_unknown);
}

static void no_sample_no_rows(void **state)
{
	struct model_query q = { .kind = MODEL_PROCESS };
	uint64_t count[HIST_BUCKETS] = { 0 };

	(void)state;
	assert_null(model_sample(m));
	assert_int_equal(model_histogram(m, 0, 0, true, count), 0);
	for (int kind = 0; kind < MODEL_KINDS; kind++) {
		q.kind = (enum model_kind)kind;
		rows_of(m, &q, 0);
	}
	update(next_sample(1));
	assert_non_null(model_sample(m));
	for (int kind = 0; kind < MODEL_KINDS; kind++) {
		q.kind = (enum model_kind)kind;
		rows_of(m, &q, 0);
	}
	model_free(NULL);
}

/* --- groups --------------------------------------------------------------------------------- */

static void group_sample(struct sample *s)
{
	static const struct {
		uint32_t pid, uid;
		const char *comm;
		uint32_t fast, slow;
	} members[] = { { 1, 0, "init", 1, 0 }, { 2, 7, "web", 90, 0 }, { 3, 0, "web", 0, 10 }, { 4, 7, "web", 5, 5 } };

	for (size_t i = 0; i < COUNT(members); i++) {
		struct sample_process *p = process(s, members[i].pid, 1, members[i].comm);
		struct sample_work *w;

		p->uid = members[i].uid;
		p->cgroup = sample_add_text(s, members[i].uid ? "/user" : "/system", members[i].uid ? 5 : 7);
		p->sockets.srtt_ns = i == 0 ? SAMPLE_UNKNOWN : i * 100;
		w = busy(s, members[i].pid, LT_SLEEP, 100 * MS_NS);
		w->flow[LT_TCP].tx_bytes = i == 3 ? 299 : i == 2 ? 99 : 0;
		if (members[i].fast)
			dist(s, &w->runq, 2000, members[i].fast);
		if (members[i].slow)
			dist(s, &w->runq, 40000, members[i].slow);
		thread(s, 100 + members[i].pid, LT_POLL);
	}
	s->processes[3].flags = SAMPLE_PROCESS_EXITED;
}

static void groups_add_up(void **state)
{
	struct sample *s = next_sample(1);
	struct model_query q = { .kind = MODEL_COMMAND };
	struct row *r;

	(void)state;
	group_sample(s);
	update(s);
	r = rows_of(m, &q, 2);
	assert_string_equal(r[0].comm, "init");
	assert_int_equal(r[0].processes, 1);
	assert_int_equal(r[0].srtt_ns, SAMPLE_UNKNOWN);
	assert_string_equal(r[1].comm, "web");
	assert_int_equal(r[1].kind, MODEL_COMMAND);
	assert_false(r[1].own_user);
	assert_false(r[1].exited);
	assert_int_equal(r[1].processes, 2); /* the third exited, what it did counts */
	assert_int_equal(r[1].threads, 4);
	assert_int_equal(r[1].wall_ns, 6 * SECOND_NS);
	assert_int_equal(r[1].time_ns[LT_RUN], 300 * MS_NS);
	assert_int_equal(r[1].interval_ns, SECOND_NS);
	assert_int_equal(r[1].runq.count, 110);
	assert_near(r[1].runq.p50_ns, 2000);
	assert_near(r[1].runq.p90_ns, 40000);
	assert_int_equal(r[1].flow[LT_TCP].tx_bytes, 398);
	assert_int_equal(r[1].srtt_ns, (100 + 200 * 100 + 300 * 300 + 200) / 401);
	q.kind = MODEL_USER;
	r = rows_of(m, &q, 2);
	assert_int_equal(r[0].uid, 0);
	assert_true(r[0].own_user);
	assert_int_equal(r[0].runq.count, 11);
	assert_int_equal(r[1].uid, 7);
	assert_int_equal(r[1].runq.count, 100);
	q.kind = MODEL_CGROUP;
	r = rows_of(m, &q, 2);
	assert_string_equal(r[0].comm, "/system");
	assert_string_equal(r[1].cgroup, "/user");
	assert_int_equal(r[1].voluntary, 0);
}

/* The sums over all groups are the host's, whatever the grouping. */
static void groups_lose_nothing(void **state)
{
	struct sample *s = next_sample(1);

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		struct sample_work *w;
		char comm[16];

		snprintf(comm, sizeof(comm), "c%u", i % 37);
		process(s, i + 1, i, comm)->uid = i % 11;
		w = busy(s, i + 1, LT_SLEEP, i);
		dist(s, &w->runq, i * 100, i + 1);
		dist(s, &w->service, i * 10000 + 30000, 2);
	}
	update(s);
	for (int kind = MODEL_COMMAND; kind <= MODEL_CGROUP; kind++) {
		struct model_query q = { .kind = (enum model_kind)kind };
		struct row *r = rows_of(m, &q, kind == MODEL_COMMAND ? 37 : kind == MODEL_USER ? 11 : 1);
		int n = kind == MODEL_COMMAND ? 37 : kind == MODEL_USER ? 11 : 1;
		uint64_t run_ns = 0, waits = 0, calls = 0, processes = 0;

		for (int i = 0; i < n; i++) {
			run_ns += r[i].time_ns[LT_RUN];
			waits += r[i].runq.count;
			calls += r[i].service.count;
			processes += r[i].processes;
		}
		assert_int_equal(run_ns, 999 * 1000 / 2);
		assert_int_equal(waits, 1000 * 1001 / 2);
		assert_int_equal(calls, 2000);
		assert_int_equal(processes, 1000);
	}
	assert_int_equal(model_host(m)->runq.count, 1000 * 1001 / 2);
	assert_int_equal(model_host(m)->calls.count, 2000);
	assert_int_equal(model_host(m)->run_ns, 999 * 1000 / 2);
	assert_int_equal(model_host(m)->processes, 1000);
}

/* --- calls ---------------------------------------------------------------------------------- */

static struct row *call_row(struct row *rows, int n, uint32_t nr)
{
	for (int i = 0; i < n; i++)
		if (rows[i].call == nr)
			return &rows[i];
	fail_msg("no row for call %u", nr);
	return NULL;
}

static void call_sample(struct sample *s)
{
	struct sample_thread *t;
	struct sample_work *w;

	process(s, 10, 5, "db");
	w = busy(s, 10, LT_SLEEP, 100 * MS_NS);
	call(s, w, 0, 90, 2000, 11, 5);
	call(s, w, 1, 7, 5000, 0, 0);
	w = busy(s, 11, LT_SLEEP, 100 * MS_NS);
	call(s, w, 0, 20, 3 * MS_NS, 4, 6);
	/* In fsync for 10 s, and nothing else. */
	t = thread(s, 12, LT_DISK);
	t->call = 74;
	t->call_age_ns = 10 * SECOND_NS;
	process(s, 20, 6, "web");
	/* Came into the interval's middle, in a call since 0.2 s. */
	t = thread(s, 20, LT_NET);
	t->wall_ns = 500 * MS_NS;
	t->call = 74;
	t->call_age_ns = 200 * MS_NS;
	w = busy(s, 21, LT_POLL, 100 * MS_NS);
	call(s, w, 0, 1, 2000, 11, 3)->time_ns += 900 * MS_NS; /* it also stands for the one going on */
	s->threads[s->n_threads - 1].call = 0;
	s->threads[s->n_threads - 1].call_age_ns = 900 * MS_NS;
	/* Died in exit: not in flight. */
	t = thread(s, 22, LT_DEAD);
	t->wall_ns = 0;
	t->call = 60;
}

static void calls_add_up(void **state)
{
	struct sample *s = next_sample(1);
	struct model_query q = { .kind = MODEL_CALL };
	struct row *rows, *r;

	(void)state;
	call_sample(s);
	update(s);
	rows = rows_of(m, &q, 3);
	r = call_row(rows, 3, 0);
	assert_int_equal(r->kind, MODEL_CALL);
	assert_int_equal(r->calls, 111);
	assert_int_equal(r->call_errors, 14);
	assert_int_equal(r->call_total_ns, 91 * 2000 + 20 * 3 * MS_NS);
	assert_int_equal(r->call_time_ns, 91 * 2000 + 20 * 3 * MS_NS + 900 * MS_NS);
	assert_int_equal(r->call_wait_ns, (91 * 2000 + 20 * 3 * MS_NS) / 2);
	assert_int_equal(r->service.count, 111);
	assert_near(r->service.p50_ns, 2000);
	assert_near(r->service.p90_ns, 3 * MS_NS);
	assert_int_equal(r->service.max_ns, 3 * MS_NS);
	assert_int_equal(r->in_flight, 1);
	assert_int_equal(r->oldest_ns, 900 * MS_NS);
	assert_int_equal(r->n_errnos, 2);
	assert_int_equal(r->errnos[0].error, 11);
	assert_int_equal(r->errnos[0].count, 8);
	assert_int_equal(r->errnos[1].error, 4);
	assert_int_equal(r->errnos[1].count, 6);
	assert_int_equal(r->interval_ns, SECOND_NS);
	r = call_row(rows, 3, 74);
	assert_int_equal(r->calls, 0);
	assert_int_equal(r->in_flight, 2);
	assert_int_equal(r->oldest_ns, 10 * SECOND_NS);
	assert_int_equal(r->call_time_ns, SECOND_NS + 200 * MS_NS);
	assert_int_equal(r->call_wait_ns, SECOND_NS + 200 * MS_NS);
	/* Of one process; its row stays while others' calls are asked. */
	q.pid = 20;
	q.start_ns = 6;
	rows = rows_of(m, &q, 2);
	assert_int_equal(call_row(rows, 2, 0)->calls, 1);
	assert_int_equal(call_row(rows, 2, 0)->n_errnos, 1);
	assert_int_equal(call_row(rows, 2, 0)->service.count, 1);
	assert_int_equal(call_row(rows, 2, 74)->call_time_ns, 200 * MS_NS);
	/* Once more: nothing of the last query is left over. */
	rows = rows_of(m, &q, 2);
	assert_int_equal(call_row(rows, 2, 0)->errnos[0].count, 3);
	assert_int_equal(call_row(rows, 2, 0)->service.count, 1);
	/* Of one thread. */
	q = (struct model_query){ .kind = MODEL_CALL, .pid = 10, .start_ns = 5, .tid = 11 };
	rows = rows_of(m, &q, 1);
	assert_int_equal(rows[0].calls, 20);
	q.pid = 99;
	rows_of(m, &q, 0);
}

static void waits_need_sched(void **state)
{
	struct sample *s = next_sample(1);
	struct model_query q = { .kind = MODEL_CALL };
	struct row *rows;

	(void)state;
	call_sample(s);
	s->probe[SAMPLE_SCHED].on = 0;
	s->calls[0].wait_ns = SAMPLE_UNKNOWN;
	update(s);
	rows = rows_of(m, &q, 3);
	assert_int_equal(call_row(rows, 3, 0)->call_wait_ns, SAMPLE_UNKNOWN);
	assert_int_equal(call_row(rows, 3, 74)->call_wait_ns, SAMPLE_UNKNOWN);
	assert_int_equal(call_row(rows, 3, 1)->call_wait_ns, 7 * 2500);
}

/* --- what outlives a sample ----------------------------------------------------------------- */

static void totals_add_up(void **state)
{
	struct model_query q = { .kind = MODEL_PROCESS, .totals = true },
			   calls = { .kind = MODEL_CALL, .totals = true };
	struct model_query commands = { .kind = MODEL_COMMAND, .totals = true };
	struct row *r;

	(void)state;
	for (uint32_t i = 1; i <= 3; i++) {
		struct sample *s = next_sample(i);
		struct sample_work *w;

		process(s, 10, 5, "db")->sockets.retransmits = i;
		w = busy(s, 10, LT_SLEEP, i * 100 * MS_NS);
		dist(s, &w->runq, 1000 << (i * 3), i);
		dist(s, &w->service, 8000 >> i, 1);
		w->wakeups = 10;
		call(s, w, 3, i, 1000, 11, 1);
		s->threads[s->n_threads - 1].call = 3;
		s->threads[s->n_threads - 1].call_age_ns = 10 - i;
		process(s, 20, 5, "db");
		thread(s, 20, LT_POLL);
		update(s);
	}
	r = rows_of(m, &q, 2);
	assert_int_equal(r[0].time_ns[LT_RUN], 600 * MS_NS);
	assert_int_equal(r[0].wall_ns, 3 * SECOND_NS);
	assert_int_equal(r[0].interval_ns, 3 * SECOND_NS);
	assert_int_equal(r[0].wakeups, 30);
	assert_int_equal(r[0].retransmits, 6);
	assert_int_equal(r[0].runq.count, 6);
	assert_int_equal(r[0].runq.max_ns, 512000);
	assert_near(r[0].runq.p50_ns, 64000);
	assert_int_equal(r[0].service.count, 3);
	assert_near(r[0].service.p50_ns, 2000);
	assert_near(r[0].service.p99_ns, 4000);
	assert_string_equal(r[0].comm, "db");
	assert_int_equal(r[1].time_ns[LT_POLL], 3 * SECOND_NS);
	r = rows_of(m, &calls, 1);
	assert_int_equal(r->calls, 6);
	assert_int_equal(r->call_errors, 3);
	assert_int_equal(r->service.count, 6);
	assert_int_equal(r->errnos[0].count, 3);
	assert_int_equal(r->in_flight, 1);
	assert_int_equal(r->oldest_ns, 7);
	assert_int_equal(r->interval_ns, 3 * SECOND_NS);
	r = rows_of(m, &commands, 1);
	assert_int_equal(r->wall_ns, 6 * SECOND_NS);
	assert_int_equal(r->interval_ns, 3 * SECOND_NS);
	assert_int_equal(r->runq.count, 6);
	/* What has no totals says so, and is the interval's. */
	assert_true(model_has_totals(&q) && model_has_totals(&calls) && model_has_totals(&commands));
	calls.pid = 10;
	calls.start_ns = 5;
	assert_false(model_has_totals(&calls));
	assert_int_equal(rows_of(m, &calls, 1)->calls, 3);
	q.kind = MODEL_THREAD;
	assert_false(model_has_totals(&q));
	assert_int_equal(rows_of(m, &q, 2)[0].time_ns[LT_RUN], 300 * MS_NS);
	/* The interval's rows are still its own. */
	assert_int_equal(find_pid(m, 10)->time_ns[LT_RUN], 300 * MS_NS);
	assert_int_equal(find_pid(m, 10)->runq.count, 3);
}

static void reused_pid_is_another(void **state)
{
	struct model_query q = { .kind = MODEL_PROCESS, .totals = true };
	struct sample *s = next_sample(1);
	struct row *r;

	(void)state;
	process(s, 10, 5, "old");
	busy(s, 10, LT_SLEEP, 100 * MS_NS);
	update(s);
	s = next_sample(2);
	process(s, 10, 5, "old")->flags = SAMPLE_PROCESS_EXITED;
	busy(s, 10, LT_DEAD, 50 * MS_NS);
	process(s, 10, 6, "new");
	busy(s, 10, LT_SLEEP, 1 * MS_NS);
	update(s);
	r = rows_of(m, &q, 2);
	assert_int_equal(r[0].time_ns[LT_RUN], 150 * MS_NS);
	assert_int_equal(r[1].time_ns[LT_RUN], 1 * MS_NS);
	s = next_sample(3);
	process(s, 10, 6, "new");
	busy(s, 10, LT_SLEEP, 1 * MS_NS);
	update(s);
	r = rows_of(m, &q, 2);
	assert_string_equal(r[0].comm, "new");
	assert_int_equal(r[0].time_ns[LT_RUN], 2 * MS_NS);
	assert_string_equal(r[1].comm, "old");
	assert_int_equal(r[1].time_ns[LT_RUN], 150 * MS_NS);
	assert_true(r[1].exited);
}

/* A row of the dead stays five readings, with its numbers and texts, although its sample is long gone. */
static void dead_rows_stay_a_while(void **state)
{
	struct model_query q = { .kind = MODEL_PROCESS };
	struct sample *s = next_sample(1);
	struct sample_process *p = process(s, 10, 5, "brief");
	struct row *r;

	(void)state;
	p->flags = SAMPLE_PROCESS_EXITED;
	p->exit_code = -9;
	dist(s, &busy(s, 10, LT_DEAD, 100 * MS_NS)->runq, 2000, 3);
	update(s);
	assert_true(find_pid(m, 10)->exited);
	assert_int_equal(find_pid(m, 10)->exit_code, -9);
	for (uint32_t i = 2; i <= 2 + MODEL_DEAD_ROWS; i++) {
		s = next_sample(i);
		process(s, 7, 1, "stays");
		thread(s, 7, LT_SLEEP);
		update(s);
		memset(samples[(i - 1) & 1].text, 'x', samples[(i - 1) & 1].cap_text);
		q.no_dead = false;
		r = rows_of(m, &q, i < 2 + MODEL_DEAD_ROWS ? 2 : 1);
		assert_string_equal(r[0].comm, "stays");
		if (i < 2 + MODEL_DEAD_ROWS) {
			assert_int_equal(r[1].pid, 10);
			assert_true(r[1].exited);
			assert_int_equal(r[1].time_ns[LT_RUN], 100 * MS_NS);
			assert_int_equal(r[1].runq.count, 3);
			assert_string_equal(r[1].comm, "brief");
			assert_string_equal(r[1].cmdline, "/bin/brief --pid 10");
			q.totals = true;
			r = rows_of(m, &q, 2);
			assert_string_equal(r[1].comm, "brief");
			assert_int_equal(r[1].runq.count, 3);
			q.totals = false;
		}
		q.no_dead = true;
		rows_of(m, &q, 1);
	}
}

/* The dead of earlier readings are shown, but belong to no sum of this one. */
static void dead_are_not_counted_again(void **state)
{
	struct model_query q = { .kind = MODEL_COMMAND };
	struct sample *s = next_sample(1);

	(void)state;
	process(s, 10, 5, "brief")->flags = SAMPLE_PROCESS_EXITED;
	busy(s, 10, LT_DEAD, 100 * MS_NS);
	update(s);
	assert_int_equal(rows_of(m, &q, 1)->time_ns[LT_RUN], 100 * MS_NS);
	assert_int_equal(rows_of(m, &q, 1)->processes, 0);
	assert_true(rows_of(m, &q, 1)->exited);
	assert_int_equal(model_host(m)->run_ns, 100 * MS_NS);
	assert_int_equal(model_host(m)->processes, 0);
	update(next_sample(2));
	rows_of(m, &q, 0);
	assert_int_equal(model_host(m)->run_ns, 0);
}

static void sparklines_remember(void **state)
{
	const struct model_sparkline *spark;

	(void)state;
	for (uint32_t i = 1; i <= MODEL_SPARK + 3; i++) {
		struct sample *s = next_sample(i);
		struct sample_work *w;

		process(s, 10, 5, "db");
		w = busy(s, 10, LT_SLEEP, 100 * MS_NS);
		if (i != MODEL_SPARK + 2)
			dist(s, &w->runq, i == MODEL_SPARK + 3 ? 5 * MS_NS : 1000, 1);
		w->flow[LT_UDP].rx_bytes = i == MODEL_SPARK + 3 ? 1000000 : 0;
		w->flow[LT_UNIX].rx_bytes = 5000;
		update(s);
		if (i != 2)
			continue;
		spark = &find_pid(m, 10)->spark[MODEL_SPARK_RUNQ];
		assert_int_equal(spark->level[spark->at], 0);
		assert_int_equal(spark->level[(spark->at + MODEL_SPARK - 1) % MODEL_SPARK], hist_bucket(1000) + 1);
		assert_int_equal(spark->level[(spark->at + MODEL_SPARK - 3) % MODEL_SPARK], 0);
	}
	spark = find_pid(m, 10)->spark;
	assert_int_equal(spark[MODEL_SPARK_RUNQ].level[(spark->at + 59) % 60], hist_bucket(5 * MS_NS) + 1);
	assert_int_equal(spark[MODEL_SPARK_RUNQ].level[(spark->at + 58) % 60], 0);
	assert_int_equal(spark[MODEL_SPARK_RUNQ].level[spark->at], hist_bucket(1000) + 1);
	assert_int_equal(spark[MODEL_SPARK_NET].level[(spark->at + 59) % 60], hist_bucket(1000000) + 1);
	assert_int_equal(spark[MODEL_SPARK_NET].level[(spark->at + 57) % 60], 0);
	assert_int_equal(spark[MODEL_SPARK_CALL].level[(spark->at + 59) % 60], 0);
}

/* Processes come, go, vanish unseen and reuse pids for a long time; the model keeps but the last ones. */
static void memory_stays_flat(void **state)
{
	(void)state;
	for (uint32_t i = 1; i <= 2000; i++) {
		struct sample *s = next_sample(i);

		for (uint32_t pid = 1; pid <= 20; pid++) {
			struct sample_process *p = process(s, pid, pid < 4 ? 1 : i, "x");

			dist(s, &busy(s, pid, LT_SLEEP, i)->runq, pid * i, 1);
			if (pid % 2 && pid >= 4) /* eight of them; the others vanish unseen */
				p->flags = SAMPLE_PROCESS_EXITED;
		}
		update(s);
		assert_true(m->n_lives <= 20 + 8 * MODEL_DEAD_ROWS);
	}
	assert_int_equal(m->n_lives, 20 + 8 * MODEL_DEAD_ROWS);
	assert_true(m->cap_lives <= 256 && m->living.cap <= 256);
}

/* --- the host ------------------------------------------------------------------------------- */

static void host_adds_up(void **state)
{
	const struct model_host *h = model_host(m);

	(void)state;
	for (uint32_t i = 1; i <= MODEL_SPARK + 5; i++) {
		struct sample *s = next_sample(i);
		struct sample_work *w;

		s->forks = 3;
		s->retransmits = 9;
		process(s, 10, 5, "db")->sockets.srtt_ns = 400000;
		w = busy(s, 10, LT_SLEEP, 600 * MS_NS);
		w->voluntary = 5;
		w->involuntary = 2;
		w->calls = 50;
		w->flow[LT_TCP].tx_bytes = 1000;
		w->flow[LT_UNIX].tx_bytes = 7;
		process(s, 11, 5, "web")->sockets.srtt_ns = 100;
		w = busy(s, 11, LT_POLL, 200 * MS_NS);
		w->flow[LT_UDP].rx_bytes = 24;
		w->calls = i;
		process(s, 12, 5, "idle");
		thread(s, 12, LT_SLEEP);
		update(s);
	}
	assert_int_equal(h->run_ns, 800 * MS_NS);
	assert_int_equal(h->switches, 7);
	assert_int_equal(h->processes, 3);
	assert_int_equal(h->threads, 3);
	assert_int_equal(h->forks, 3);
	assert_int_equal(h->retransmits, 9);
	assert_int_equal(h->tx_bytes, 1000);
	assert_int_equal(h->rx_bytes, 24);
	assert_int_equal(h->calls_count, 50 + MODEL_SPARK + 5);
	assert_true(h->srtt_p50_ns < 256);
	assert_int_equal(h->minute.n, MODEL_SPARK);
	assert_int_equal(h->minute.at, 5);
	assert_int_equal(h->minute.cpu_permille[4], 400);
	assert_int_equal(h->minute.calls_per_s[4], 50 + MODEL_SPARK + 5);
	assert_int_equal(h->minute.calls_per_s[5], 50 + 6);
	assert_int_equal(h->minute.net_bytes_per_s[0], 1024);
}

static void connections_find_their_owner(void **state)
{
	static const struct {
		uint32_t pid;
		uint64_t tx_bytes;
	} list[] = { { 10, 100 }, { 0, 200 }, { 99, 300 }, { 10, 400 } };
	struct model_query q = { .kind = MODEL_CONNECTION };
	struct sample *s = next_sample(1);
	struct row *r;

	(void)state;
	process(s, 10, 5, "old")->flags = SAMPLE_PROCESS_EXITED;
	thread(s, 10, LT_DEAD)->wall_ns = 0;
	process(s, 10, 6, "new")->uid = 33;
	thread(s, 10, LT_NET);
	for (size_t i = 0; i < COUNT(list); i++) {
		struct sample_connection *c = sample_add_connection(s);

		assert_non_null(c);
		c->proto = i % 2 ? LT_UDP : LT_TCP;
		c->pid = list[i].pid;
		c->tx_bytes = list[i].tx_bytes;
		c->srtt_ns = i ? 1000 * i : SAMPLE_UNKNOWN;
		c->retransmits = i;
		c->age_ns = SAMPLE_UNKNOWN;
	}
	s->has_connections = true;
	update(s);
	r = rows_of(m, &q, 4);
	assert_string_equal(r[0].comm, "new");
	assert_int_equal(r[0].uid, 33);
	assert_true(r[0].own_user);
	assert_int_equal(r[0].flow[LT_TCP].tx_bytes, 100);
	assert_int_equal(r[0].srtt_ns, SAMPLE_UNKNOWN);
	assert_ptr_equal(r[0].connection, &s->connections[0]);
	assert_false(r[1].own_user);
	assert_int_equal(r[1].flow[LT_UDP].tx_bytes, 200);
	assert_string_equal(r[2].comm, "");
	assert_int_equal(r[2].pid, 99);
	assert_int_equal(r[2].retransmits, 2);
	q.pid = 10;
	r = rows_of(m, &q, 2);
	assert_int_equal(r[1].flow[LT_UDP].tx_bytes, 400);
	assert_near(model_host(m)->srtt_p50_ns, 2000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percentiles_are_near),
		cmocka_unit_test(percentiles_at_the_edges),
		TEST(threads_add_up),
		TEST(threads_have_rows),
		TEST(families_off),
		TEST(no_sample_no_rows),
		TEST(groups_add_up),
		TEST(groups_lose_nothing),
		TEST(calls_add_up),
		TEST(waits_need_sched),
		TEST(totals_add_up),
		TEST(reused_pid_is_another),
		TEST(dead_rows_stay_a_while),
		TEST(dead_are_not_counted_again),
		TEST(sparklines_remember),
		TEST(memory_stays_flat),
		TEST(host_adds_up),
		TEST(connections_find_their_owner),
	};

	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
