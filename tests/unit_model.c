/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of one reading: processes, threads, groups, calls, connections, the host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "column.h"
#include "model_state.h"
#include "reading.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The time of many threads since the start: 64 bits hold two days of 100,000 threads. */
static void sums_stay_at_the_most(void **state)
{
	struct row a = { .net = &row_no_net }, b = { .net = &row_no_net };
	struct row_net own;

	(void)state;
	a.wall_ns = a.time_ns[LT_SLEEP] = INT64_MAX - 5;
	a.time_ns[LT_RUN] = 1;
	b.wall_ns = b.time_ns[LT_SLEEP] = b.time_ns[LT_RUN] = 10;
	for (int i = 0; i < 3; i++)
		row_add(&a, &own, &b);
	assert_true(a.wall_ns == INT64_MAX);
	assert_true(a.time_ns[LT_SLEEP] == INT64_MAX);
	assert_int_equal(a.time_ns[LT_RUN], 31);
}

static void threads_add_up(void **state)
{
	struct sample *s = reading_next(1);
	struct sample_process *p = reading_process(s, 10, 5, "db");
	struct sample_work *w;
	uint64_t sum = 0, count[HIST_BUCKETS] = { 0 };
	struct row *r;

	(void)state;
	p->sockets.retransmits = 3;
	reading_thread(s, 10, LT_POLL);
	w = reading_busy(s, 11, LT_LOCK, 300 * MS_NS);
	reading_dist(s, &w->wakeup, 2000, 90);
	reading_dist(s, &w->wakeup, 40000, 9);
	w->voluntary = 4;
	w->flow[LT_TCP].tx_bytes = 100;
	w = reading_busy(s, 12, LT_DISK, 200 * MS_NS);
	reading_dist(s, &w->wakeup, 2000, 1);
	reading_dist(s, &w->wakeup, 3 * MS_NS, 3);
	w->voluntary = 5;
	w->flow[LT_TCP].tx_bytes = 1;
	w->flow[LT_UNIX].rx_bytes = 7;
	w->connects = 2;
	reading_update(s);
	r = reading_row(10);
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
	assert_int_equal(r->net->flow[LT_TCP].tx_bytes, 101);
	assert_int_equal(r->net->flow[LT_UNIX].rx_bytes, 7);
	assert_int_equal(r->net->connects, 2);
	assert_int_equal(r->net->retransmits, 3);
	assert_int_equal(r->net->srtt_ns, SAMPLE_UNKNOWN);
	assert_int_equal(r->wakeup.count, 103);
	assert_int_equal(r->wakeup.max_ns, 3 * MS_NS);
	reading_assert_near(r->wakeup.p50_ns, 2000);
	reading_assert_near(r->wakeup.p90_ns, 40000);
	reading_assert_near(r->wakeup.p99_ns, 3 * MS_NS);
	assert_int_equal(r->service.count, 0);
	assert_string_equal(r->comm, "db");
	assert_string_equal(r->cmdline, "/bin/db --pid 10");
	assert_int_equal(model_histogram_of(model_sample(reading_model), 10, 5, false, count), 103);
	assert_int_equal(count[hist_bucket(2000)], 91);
	assert_int_equal(model_histogram_of(model_sample(reading_model), 10, 6, false, count),
			 0); /* another process with that pid */
	assert_int_equal(model_histogram_of(model_sample(reading_model), 10, 5, true, count), 0);
}

static void threads_have_rows(void **state)
{
	struct sample *s = reading_next(1);
	struct model_query q = { .kind = MODEL_THREAD };
	struct sample_thread *t;
	struct sample_work *w;
	struct row *r;

	(void)state;
	reading_process(s, 10, 5, "db");
	t = reading_thread(s, 10, LT_LOCK);
	strcpy(t->comm, "db");
	t->call = 202;
	t->call_age_ns = 7 * SECOND_NS;
	t->flags = SAMPLE_THREAD_AT_LEAST;
	w = reading_busy(s, 11, LT_DEAD, 300 * MS_NS);
	reading_dist(s, &w->wakeup, 2000, 90);
	strcpy(s->threads[s->n_threads - 1].comm, "writer");
	reading_process(s, 20, 6, "web");
	reading_thread(s, 20, LT_NET);
	reading_update(s);
	r = reading_rows(&q, 3);
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
	assert_int_equal(r[1].wakeup.count, 90);
	assert_int_equal(r[1].call, LT_CALL_NONE);
	assert_int_equal(r[2].pid, 20);
	q.one = true;
	q.pid = 10;
	q.start_ns = 5;
	r = reading_rows(&q, 2);
	assert_int_equal(r[1].tid, 11);
	q.start_ns = 4;
	reading_rows(&q, 0);
}

/* What a family that is off would have measured is unknown in every row. */
static void families_off(void **state)
{
	struct model_query kinds[] = { { .kind = MODEL_PROCESS }, { .kind = MODEL_THREAD }, { .kind = MODEL_COMMAND } };
	struct sample *s = reading_next(1);

	(void)state;
	s->probe[SAMPLE_NET].on = 0;
	reading_process(s, 10, 5, "db");
	reading_thread(s, 10, LT_POLL);
	reading_update(s);
	for (size_t i = 0; i < COUNT(kinds); i++)
		assert_int_equal(reading_rows(&kinds[i], 1)->off, 1 << SAMPLE_NET);
	assert_true(model_host(reading_model)->net_unknown);
}

static void no_sample_no_rows(void **state)
{
	struct model_query q = { .kind = MODEL_PROCESS };

	(void)state;
	assert_null(model_sample(reading_model));
	for (int kind = 0; kind <= MODEL_CONNECTION; kind++) {
		q.kind = (enum model_kind)kind;
		reading_rows(&q, 0);
	}
	reading_update(reading_next(1));
	assert_non_null(model_sample(reading_model));
	for (int kind = 0; kind <= MODEL_CONNECTION; kind++) {
		q.kind = (enum model_kind)kind;
		reading_rows(&q, 0);
	}
	model_free(NULL);
}

static void group_sample(struct sample *s)
{
	static const struct {
		uint32_t pid, uid;
		const char *comm;
		uint32_t fast, slow;
	} members[] = { { 1, 0, "init", 1, 0 }, { 2, 7, "web", 90, 0 }, { 3, 0, "web", 0, 10 }, { 4, 7, "web", 5, 5 } };

	for (size_t i = 0; i < COUNT(members); i++) {
		struct sample_process *p = reading_process(s, members[i].pid, 1, members[i].comm);
		struct sample_work *w;

		p->uid = members[i].uid;
		p->cgroup = sample_add_text(s, members[i].uid ? "/user" : "/system", members[i].uid ? 5 : 7);
		p->sockets.srtt_ns = i == 0 ? SAMPLE_UNKNOWN : i * 100;
		w = reading_busy(s, members[i].pid, LT_SLEEP, 100 * MS_NS);
		w->flow[LT_TCP].tx_bytes = i == 3 ? 299 : i == 2 ? 99 : 0;
		if (members[i].fast)
			reading_dist(s, &w->wakeup, 2000, members[i].fast);
		if (members[i].slow)
			reading_dist(s, &w->wakeup, 40000, members[i].slow);
		reading_thread(s, 100 + members[i].pid, LT_POLL);
	}
	s->processes[3].flags = SAMPLE_PROCESS_EXITED;
}

static void groups_add_up(void **state)
{
	struct sample *s = reading_next(1);
	struct model_query q = { .kind = MODEL_COMMAND };
	struct row *r;

	(void)state;
	group_sample(s);
	reading_update(s);
	r = reading_rows(&q, 2);
	assert_string_equal(r[0].comm, "init");
	assert_int_equal(r[0].processes, 1);
	assert_int_equal(r[0].net->srtt_ns, SAMPLE_UNKNOWN);
	assert_string_equal(r[1].comm, "web");
	assert_int_equal(r[1].kind, MODEL_COMMAND);
	assert_false(r[1].own_user);
	assert_false(r[1].exited);
	assert_int_equal(r[1].processes, 2); /* the third exited; what it did counts */
	assert_int_equal(r[1].threads, 4);
	assert_int_equal(r[1].wall_ns, 6 * SECOND_NS);
	assert_int_equal(r[1].time_ns[LT_RUN], 300 * MS_NS);
	assert_int_equal(r[1].interval_ns, SECOND_NS);
	assert_int_equal(r[1].wakeup.count, 110);
	reading_assert_near(r[1].wakeup.p50_ns, 2000);
	reading_assert_near(r[1].wakeup.p90_ns, 40000);
	assert_int_equal(r[1].net->flow[LT_TCP].tx_bytes, 398);
	assert_int_equal(r[1].net->srtt_ns, (100 + 200 * 100 + 300 * 300 + 200) / 401);
	q.kind = MODEL_USER;
	r = reading_rows(&q, 2);
	assert_int_equal(r[0].uid, 0);
	assert_true(r[0].own_user);
	assert_int_equal(r[0].wakeup.count, 11);
	assert_int_equal(r[1].uid, 7);
	assert_int_equal(r[1].wakeup.count, 100);
	q.kind = MODEL_CGROUP;
	r = reading_rows(&q, 2);
	assert_string_equal(r[0].comm, "/system");
	assert_string_equal(r[1].cgroup, "/user");
	assert_int_equal(r[1].voluntary, 0);
}

/* The sums over all groups are the host's, whatever the grouping. */
/* The row for what is outside of the pid namespace has no user, is in no user's group, and has only its own calls,
 * threads, waits and connections. */
static void outside_is_nobodys(void **state)
{
	struct sample *s = reading_next(1);
	struct model_query q = { .kind = MODEL_USER };
	uint64_t count[HIST_BUCKETS] = { 0 };
	struct sample_work *w;
	struct row *r;

	(void)state;
	reading_process(s, 0, 0, "outside");
	w = reading_busy(s, 5, LT_SLEEP, 300 * MS_NS);
	reading_call(s, w, 1, 3, 1000, 0, 0);
	reading_process(s, 1, 7, "init");
	w = reading_busy(s, 1, LT_SLEEP, 20 * MS_NS);
	reading_call(s, w, 2, 5, 1000, 0, 0);
	reading_dist(s, &w->wakeup, 1000, 9);
	sample_add_connection(s)->pid = 1;
	reading_update(s);
	r = reading_row(0);
	assert_false(r->own_user);
	r = reading_rows(&q, 2);
	for (int i = 0; i < 2; i++)
		assert_int_equal(r[i].time_ns[LT_RUN], (r[i].own_user ? 20 : 300) * MS_NS);
	assert_int_not_equal(r[0].own_user, r[1].own_user);
	q = (struct model_query){ .kind = MODEL_THREAD };
	r = reading_rows(&q, 2);
	assert_false(r[0].own_user);
	assert_true(r[1].own_user);
	q = (struct model_query){ .kind = MODEL_CALL, .one = true };
	assert_int_equal(reading_rows(&q, 1)->calls, 3);
	q.kind = MODEL_THREAD;
	assert_int_equal(reading_rows(&q, 1)->time_ns[LT_RUN], 300 * MS_NS);
	q.kind = MODEL_CONNECTION;
	reading_rows(&q, 0);
	assert_int_equal(model_histogram_of(model_sample(reading_model), 0, 0, false, count), 0);
}

static void groups_lose_nothing(void **state)
{
	struct sample *s = reading_next(1);

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		struct sample_work *w;
		char comm[16];

		snprintf(comm, sizeof(comm), "c%u", i % 37);
		reading_process(s, i + 1, i, comm)->uid = i % 11;
		w = reading_busy(s, i + 1, LT_SLEEP, i);
		reading_dist(s, &w->wakeup, i * 100, i + 1);
		reading_dist(s, &w->service, i * 10000 + 30000, 2);
	}
	reading_update(s);
	for (int kind = MODEL_COMMAND; kind <= MODEL_CGROUP; kind++) {
		struct model_query q = { .kind = (enum model_kind)kind };
		struct row *r = reading_rows(&q, kind == MODEL_COMMAND ? 37 : kind == MODEL_USER ? 11 : 1);
		int n = kind == MODEL_COMMAND ? 37 : kind == MODEL_USER ? 11 : 1;
		uint64_t run_ns = 0, waits = 0, calls = 0, processes = 0;

		for (int i = 0; i < n; i++) {
			run_ns += r[i].time_ns[LT_RUN];
			waits += r[i].wakeup.count;
			calls += r[i].service.count;
			processes += r[i].processes;
		}
		assert_int_equal(run_ns, 999 * 1000 / 2);
		assert_int_equal(waits, 1000 * 1001 / 2);
		assert_int_equal(calls, 2000);
		assert_int_equal(processes, 1000);
	}
	assert_int_equal(model_host(reading_model)->wakeup.count, 1000 * 1001 / 2);
	assert_int_equal(model_host(reading_model)->calls.count, 2000);
	assert_int_equal(model_host(reading_model)->run_ns, 999 * 1000 / 2);
	assert_int_equal(model_host(reading_model)->processes, 1000);
}

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

	reading_process(s, 10, 5, "db");
	w = reading_busy(s, 10, LT_SLEEP, 100 * MS_NS);
	reading_call(s, w, 0, 90, 2000, 11, 5);
	reading_call(s, w, 1, 7, 5000, 0, 0);
	w = reading_busy(s, 11, LT_SLEEP, 100 * MS_NS);
	reading_call(s, w, 0, 20, 3 * MS_NS, 4, 6);
	/* In fsync for 10 s, and nothing else. */
	t = reading_thread(s, 12, LT_DISK);
	t->call = 74;
	t->call_age_ns = 10 * SECOND_NS;
	reading_process(s, 20, 6, "web");
	/* Created in the middle of the interval, in a call for 0.2 s. */
	t = reading_thread(s, 20, LT_NET);
	t->wall_ns = 500 * MS_NS;
	t->call = 74;
	t->call_age_ns = 200 * MS_NS;
	w = reading_busy(s, 21, LT_POLL, 100 * MS_NS);
	reading_call(s, w, 0, 1, 2000, 11, 3)->time_ns += 900 * MS_NS; /* it also includes the one in flight */
	s->threads[s->n_threads - 1].call = 0;
	s->threads[s->n_threads - 1].call_age_ns = 900 * MS_NS;
	/* Died in exit: not in flight. */
	t = reading_thread(s, 22, LT_DEAD);
	t->wall_ns = 0;
	t->call = 60;
}

/* Each call's callers add up to the call. */
static void callers_are_the_calls_by_process(void **state)
{
	struct sample *s = reading_next(1);
	struct model_query calls = { .kind = MODEL_CALL }, q = { .kind = MODEL_CALLER };
	struct row call, *rows, *all;
	int n, of;

	(void)state;
	call_sample(s);
	reading_update(s);
	n = model_rows(reading_model, &calls, &all);
	assert_int_equal(n, 3);
	for (int i = 0; i < n; i++) {
		uint64_t count = 0, time_ns = 0, in_flight = 0, errors = 0, of_errnos = 0;

		assert_int_equal(model_rows(reading_model, &calls, &all), n);
		call = all[i];
		q.call = call.call;
		of = model_rows(reading_model, &q, &rows);
		assert_true(of > 0);
		for (int k = 0; k < of; k++) {
			const struct row *r = &rows[k], *process = reading_row(r->pid);

			assert_int_equal(r->kind, MODEL_CALLER);
			assert_int_equal(r->call, call.call);
			assert_int_equal(r->start_ns, process->start_ns);
			assert_string_equal(r->cmdline, process->cmdline);
			count += r->calls;
			time_ns += r->call_time_ns;
			in_flight += r->in_flight;
			errors += r->call_errors;
			for (uint32_t e = 0; e < r->n_errnos; e++)
				of_errnos += r->errnos[e].count;
		}
		assert_int_equal(count, call.calls);
		assert_int_equal(time_ns, call.call_time_ns);
		assert_int_equal(in_flight, call.in_flight);
		assert_int_equal(errors, call.call_errors);
		assert_int_equal(of_errnos, errors);
	}
	q.call = 9999;
	assert_int_equal(model_rows(reading_model, &q, &rows), 0);
	assert_false(model_has_totals(&q));
}

static void calls_add_up(void **state)
{
	struct sample *s = reading_next(1);
	struct model_query q = { .kind = MODEL_CALL };
	struct row *rows, *r;

	(void)state;
	call_sample(s);
	reading_update(s);
	rows = reading_rows(&q, 3);
	r = call_row(rows, 3, 0);
	assert_int_equal(r->kind, MODEL_CALL);
	assert_int_equal(r->calls, 111);
	assert_int_equal(r->call_errors, 14);
	assert_int_equal(r->call_total_ns, 91 * 2000 + 20 * 3 * MS_NS);
	assert_int_equal(r->call_time_ns, 91 * 2000 + 20 * 3 * MS_NS + 900 * MS_NS);
	assert_int_equal(r->call_wait_ns, (91 * 2000 + 20 * 3 * MS_NS) / 2);
	assert_int_equal(r->service.count, 111);
	reading_assert_near(r->service.p50_ns, 2000);
	reading_assert_near(r->service.p90_ns, 3 * MS_NS);
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
	/* Of one process; its row stays valid while others' calls are requested. */
	q.one = true;
	q.pid = 20;
	q.start_ns = 6;
	rows = reading_rows(&q, 2);
	assert_int_equal(call_row(rows, 2, 0)->calls, 1);
	assert_int_equal(call_row(rows, 2, 0)->n_errnos, 1);
	assert_int_equal(call_row(rows, 2, 0)->service.count, 1);
	assert_int_equal(call_row(rows, 2, 74)->call_time_ns, 200 * MS_NS);
	/* Once more: nothing is left over from the last query. */
	rows = reading_rows(&q, 2);
	assert_int_equal(call_row(rows, 2, 0)->errnos[0].count, 3);
	assert_int_equal(call_row(rows, 2, 0)->service.count, 1);
	/* Of one thread. */
	q = (struct model_query){ .kind = MODEL_CALL, .one = true, .pid = 10, .start_ns = 5, .tid = 11 };
	rows = reading_rows(&q, 1);
	assert_int_equal(rows[0].calls, 20);
	q.pid = 99;
	reading_rows(&q, 0);
}

static void waits_need_sched(void **state)
{
	struct sample *s = reading_next(1);
	struct model_query q = { .kind = MODEL_CALL };
	struct row *rows;

	(void)state;
	call_sample(s);
	s->probe[SAMPLE_SCHED].on = 0;
	s->calls[0].wait_ns = SAMPLE_UNKNOWN;
	reading_update(s);
	rows = reading_rows(&q, 3);
	assert_int_equal(call_row(rows, 3, 0)->call_wait_ns, SAMPLE_UNKNOWN);
	assert_int_equal(call_row(rows, 3, 74)->call_wait_ns, SAMPLE_UNKNOWN);
	assert_int_equal(call_row(rows, 3, 1)->call_wait_ns, 7 * 2500);
}

static void host_adds_up(void **state)
{
	const struct model_host *h = model_host(reading_model);

	(void)state;
	for (uint32_t i = 1; i <= MODEL_SPARK + 5; i++) {
		struct sample *s = reading_next(i);
		struct sample_work *w;

		s->has_connections = false; /* round-trip times are the processes' */
		s->forks = 3;
		s->retransmits = 9;
		reading_process(s, 10, 5, "db")->sockets.srtt_ns = 400000;
		w = reading_busy(s, 10, LT_SLEEP, 600 * MS_NS);
		w->voluntary = 5;
		w->involuntary = 2;
		w->calls = 50;
		w->flow[LT_TCP].tx_bytes = 1000;
		w->flow[LT_UNIX].tx_bytes = 7;
		reading_process(s, 11, 5, "web")->sockets.srtt_ns = 100;
		w = reading_busy(s, 11, LT_POLL, 200 * MS_NS);
		w->flow[LT_UDP].rx_bytes = 24;
		w->calls = i;
		reading_process(s, 12, 5, "idle");
		reading_thread(s, 12, LT_SLEEP);
		reading_update(s);
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
	} list[] = { { 10, 100 }, { 0, 200 }, { 99, 300 }, { 10, 400 }, { 99, 0 } };
	struct model_query q = { .kind = MODEL_CONNECTION };
	struct sample *s = reading_next(1);
	struct row *r;

	(void)state;
	reading_process(s, 10, 5, "old")->flags = SAMPLE_PROCESS_EXITED;
	reading_thread(s, 10, LT_DEAD)->wall_ns = 0;
	reading_process(s, 10, 6, "new")->uid = 33;
	reading_thread(s, 10, LT_NET);
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
	reading_update(s);
	r = reading_rows(&q, 5);
	for (size_t i = 0; i < COUNT(list); i++) {
		assert_int_equal(column_find("traffic")->raw(&r[i]).i, list[i].tx_bytes);
		assert_int_equal(column_find("srtt")->raw(&r[i]).type, i ? VALUE_INT : VALUE_NONE);
		assert_int_equal(i ? column_find("srtt")->raw(&r[i]).i : 0, 1000 * i);
	}
	assert_string_equal(r[0].comm, "new");
	assert_int_equal(r[0].uid, 33);
	assert_true(r[0].own_user);
	assert_int_equal(r[0].net->flow[LT_TCP].tx_bytes, 100);
	assert_ptr_equal(r[0].connection, &s->connections[0]);
	assert_false(r[1].own_user);
	assert_int_equal(r[1].net->flow[LT_UDP].tx_bytes, 200);
	assert_string_equal(r[2].comm, "");
	assert_int_equal(r[2].pid, 99);
	assert_int_equal(r[2].connection->retransmits, 2);
	q.one = true;
	q.pid = 10;
	r = reading_rows(&q, 2);
	assert_int_equal(r[1].net->flow[LT_UDP].tx_bytes, 400);
	reading_assert_near(model_host(reading_model)->srtt_p50_ns, 2000);
}

static void shown(const char *column, const struct row *r, const char *want)
{
	char buf[32];

	column_format(column_find(column), r, false, buf, sizeof(buf), 20);
	assert_string_equal(buf, want);
}

/* More than 5 % of the turns overlapped: their times say so, and no others do. */
static void overlapped_turns_are_marked(void **state)
{
	static const struct {
		uint32_t overlapped;
		const char *p50;
	} steps[] = { { 0, "2.00ms" }, { 5, "2.00ms" }, { 6, "~2.0ms" } };
	const struct model_query queries[] = { { .kind = MODEL_PROCESS, .no_dead = true },
					       { .kind = MODEL_PROCESS, .no_dead = true, .totals = true },
					       { .kind = MODEL_THREAD },
					       { .kind = MODEL_COMMAND } };

	(void)state;
	for (uint32_t i = 0; i < COUNT(steps); i++)
		for (uint32_t q = 0; q < COUNT(queries); q++) {
			struct sample *s = reading_next(1 + i * COUNT(queries) + q);
			struct sample_work *w;
			struct row *r;

			reading_process(s, 10 + i, 5, "web");
			w = reading_busy(s, 10 + i, LT_POLL, MS_NS);
			reading_dist(s, &w->response, 2 * MS_NS, 100);
			reading_dist(s, &w->late, 2 * MS_NS, 100);
			reading_dist(s, &w->upstream, 2 * MS_NS, 1000);
			w->turns_overlapped = steps[i].overlapped;
			w->upstream_overlapped = steps[i].overlapped;
			reading_update(s);
			r = reading_rows(&queries[q], 1);
			shown("respmax", r, steps[i].p50);
			assert_int_equal(column_value(column_find("resp99"), r).about, steps[i].overlapped > 5);
			assert_false(column_value(column_find("upst99"), r).about);
			assert_false(column_value(column_find("late99"), r).about);
		}
}

static struct sample_work *answers(struct sample *s, uint32_t pid, uint64_t ns, uint32_t n)
{
	struct sample_work *w;

	reading_process(s, pid, 5, "web");
	w = reading_busy(s, pid, LT_POLL, MS_NS);
	w->time_ns[LT_WAKEQ] = 3 * MS_NS;
	w->time_ns[LT_POLL] -= 3 * MS_NS;
	if (n)
		reading_dist(s, &w->response, ns, n);
	return w;
}

static double hurts(uint32_t pid)
{
	struct value v = column_value(column_find("hurts"), reading_row(pid));

	assert_int_equal(v.type, VALUE_REAL);
	return v.real;
}

/* Both have the same command. */
static double group_hurts(void)
{
	struct model_query q = { .kind = MODEL_COMMAND };

	return column_value(column_find("hurts"), reading_rows(&q, 1)).real;
}

/* In the order of the overview. */
static bool comes_first(uint32_t pid, uint32_t before)
{
	const struct column *sort = column_find(column_views[0].sort);
	struct row first = *reading_row(pid);

	return column_compare(sort, false, &first, reading_row(before)) < 0;
}

/* LAG%, and what clients wait more than they are used to. */
static void what_hurts(void **state)
{
	struct sample_work *w;
	struct sample *s;

	(void)state;
	for (uint32_t i = 1; i <= 7; i++) {
		s = reading_next(i);
		answers(s, 10, i == 3 ? 900 * MS_NS : 2 * MS_NS, 250); /* once slow: the median is not */
		answers(s, 20, 2 * MS_NS, i > 3 ? 250 : 0);
		reading_update(s);
		assert_true(i == 3 || hurts(10) < 0.31);
	}
	s = reading_next(8);
	answers(s, 10, 400 * MS_NS, 250);
	w = answers(s, 20, 400 * MS_NS, 250); /* it has answered in four readings before: what is usual is not known */
	w->time_ns[LT_POLL] -= 10 * MS_NS;
	w->time_ns[LT_DISK] += 10 * MS_NS;
	reading_update(s);
	assert_true(hurts(20) > 1.29 && hurts(20) < 1.31);
	/* Three in 250 are the slowest hundredth: each waited about 398 ms longer. */
	assert_true(hurts(10) > 3 * 39.8 * 0.85 && hurts(10) < 3 * 39.8 * 1.15);
	assert_true(group_hurts() > hurts(10) + hurts(20) - 0.01 && group_hurts() < hurts(10) + hurts(20) + 0.01);
	assert_true(comes_first(10, 20));
	s = reading_next(9);
	answers(s, 10, 3 * MS_NS, 250);
	w = answers(s, 20, 2 * MS_NS, 250);
	w->time_ns[LT_POLL] -= 10 * MS_NS;
	w->time_ns[LT_DISK] += 10 * MS_NS;
	reading_update(s);
	assert_true(hurts(10) < 0.31);
	assert_true(comes_first(20, 10));
	s = reading_next(10);
	answers(s, 10, 0, 0);
	reading_update(s);
	assert_true(hurts(10) < 0.31);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		READING_TEST(sums_stay_at_the_most),
		READING_TEST(threads_add_up),
		READING_TEST(threads_have_rows),
		READING_TEST(families_off),
		READING_TEST(no_sample_no_rows),
		READING_TEST(groups_add_up),
		READING_TEST(outside_is_nobodys),
		READING_TEST(groups_lose_nothing),
		READING_TEST(callers_are_the_calls_by_process),
		READING_TEST(calls_add_up),
		READING_TEST(waits_need_sched),
		READING_TEST(host_adds_up),
		READING_TEST(connections_find_their_owner),
		READING_TEST(overlapped_turns_are_marked),
		READING_TEST(what_hurts),
	};

	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
