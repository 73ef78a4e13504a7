/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What outlives a reading: totals, exited processes, sparklines; and that memory stays bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "column.h"
#include "model_state.h"
#include "reading.h"

/* Longer than a screen: one life from reading to reading. */
static void totals_add_up(void **state)
{
	struct model_query q = { .kind = MODEL_PROCESS, .totals = true },
			   calls = { .kind = MODEL_CALL, .totals = true };
	struct model_query commands = { .kind = MODEL_COMMAND, .totals = true };
	struct row *r;

	(void)state;
	for (uint32_t i = 1; i <= 3; i++) {
		struct sample *s = reading_next(i);
		struct sample_process *p = reading_process(s, 10, 5, "db");
		struct sample_work *w;

		p->sockets.retransmits = i;
		reading_dist(s, &p->sockets.connect, 1000 << i, 2);
		w = reading_busy(s, 10, LT_SLEEP, i * 100 * MS_NS);
		w->flow[LT_TCP].tx_bytes = i;
		w->connects = 2;
		reading_dist(s, &w->wakeup, 1000 << (i * 3), i);
		reading_dist(s, &w->service, 8000 >> i, 1);
		w->wakeups = 10;
		reading_call(s, w, 3, i, 1000, 11, 1);
		s->threads[s->n_threads - 1].call = 3;
		s->threads[s->n_threads - 1].call_age_ns = 10 - i;
		reading_process(s, 20, 5, "db");
		reading_thread(s, 20, LT_POLL);
		reading_update(s);
	}
	r = reading_rows(&q, 2);
	assert_int_equal(r[0].time_ns[LT_RUN], 600 * MS_NS);
	assert_int_equal(r[0].wall_ns, 3 * SECOND_NS);
	assert_int_equal(r[0].interval_ns, 3 * SECOND_NS);
	assert_int_equal(r[0].wakeups, 30);
	assert_int_equal(r[0].net->retransmits, 6);
	assert_int_equal(r[0].net->flow[LT_TCP].tx_bytes, 6);
	assert_int_equal(r[0].net->connects, 6);
	assert_int_equal(r[0].net->connect.count, 6);
	reading_assert_near(r[0].net->connect.p50_ns, 4000);
	assert_ptr_equal(r[1].net, &row_no_net);
	assert_int_equal(r[0].wakeup.count, 6);
	assert_int_equal(r[0].wakeup.max_ns, 512000);
	reading_assert_near(r[0].wakeup.p50_ns, 64000);
	assert_int_equal(r[0].service.count, 3);
	reading_assert_near(r[0].service.p50_ns, 2000);
	reading_assert_near(r[0].service.p99_ns, 4000);
	assert_string_equal(r[0].comm, "db");
	assert_float_equal(column_value(column_find("wakeups"), &r[0]).real, 30, 0);
	assert_float_equal(column_value(column_find("cpu"), &r[0]).real, 20, 1e-9);
	assert_int_equal(r[1].time_ns[LT_POLL], 3 * SECOND_NS);
	r = reading_rows(&calls, 1);
	assert_float_equal(column_value(column_find("calls"), r).real, 6, 0);
	assert_int_equal(r->calls, 6);
	assert_int_equal(r->call_errors, 3);
	assert_int_equal(r->service.count, 6);
	assert_int_equal(r->errnos[0].count, 3);
	assert_int_equal(r->in_flight, 1);
	assert_int_equal(r->oldest_ns, 7);
	assert_int_equal(r->interval_ns, 3 * SECOND_NS);
	r = reading_rows(&commands, 1);
	assert_float_equal(column_value(column_find("wakeups"), r).real, 30, 0);
	assert_int_equal(r->wall_ns, 6 * SECOND_NS);
	assert_int_equal(r->interval_ns, 3 * SECOND_NS);
	assert_int_equal(r->wakeup.count, 6);
	assert_int_equal(r->net->connects, 6);
	assert_int_equal(r->net->connect.count, 6);
	/* What has no totals is reported as such, and shows the interval. */
	assert_true(model_has_totals(&q) && model_has_totals(&calls) && model_has_totals(&commands));
	calls.one = true;
	calls.pid = 10;
	calls.start_ns = 5;
	assert_false(model_has_totals(&calls));
	assert_int_equal(reading_rows(&calls, 1)->calls, 3);
	q.kind = MODEL_THREAD;
	assert_false(model_has_totals(&q));
	assert_int_equal(reading_rows(&q, 2)[0].time_ns[LT_RUN], 300 * MS_NS);
	/* The interval's rows are unchanged. */
	assert_int_equal(reading_row(10)->time_ns[LT_RUN], 300 * MS_NS);
	assert_int_equal(reading_row(10)->wakeup.count, 3);
	assert_float_equal(column_value(column_find("wakeups"), reading_row(10)).real, 10, 0);
}

/* A process that only sleeps has no sums of its own until it does something: none of its sleep is lost then. */
static void sleep_counts_once_awake(void **state)
{
	static const enum lt_state sleeps[] = { LT_POLL, LT_POLL, LT_NET, LT_POLL };
	struct model_query q = { .kind = MODEL_PROCESS, .totals = true },
			   users = { .kind = MODEL_USER, .totals = true };
	struct row *r;

	(void)state;
	for (uint32_t i = 0; i < 6; i++) {
		struct sample *s = reading_next(i + 1);

		reading_process(s, 30, 5, "db");
		if (i < 4) {
			reading_thread(s, 30, sleeps[i]);
			reading_thread(s, 31, sleeps[i]);
		} else {
			reading_busy(s, 30, LT_LOCK, 100 * MS_NS)->wakeups = 1;
		}
		reading_update(s);
		r = reading_rows(&q, 1);
		assert_int_equal(r->interval_ns, (i + 1) * SECOND_NS);
		assert_int_equal(r->wall_ns, (i < 4 ? 2 * i + 2 : i + 5) * SECOND_NS);
		assert_int_equal(r->time_ns[LT_POLL], (i < 2 ? 2 * i + 2 : i < 3 ? 4 : 6) * SECOND_NS);
		assert_int_equal(r->time_ns[LT_NET], i < 2 ? 0 : 2 * SECOND_NS);
		assert_int_equal(reading_rows(&users, 1)->wall_ns, r->wall_ns);
	}
	assert_int_equal(r->time_ns[LT_LOCK], 2 * 900 * MS_NS);
	assert_int_equal(r->wakeups, 2);
}

static void reused_pid_is_another(void **state)
{
	struct model_query q = { .kind = MODEL_PROCESS, .totals = true };
	struct sample *s = reading_next(1);
	struct row *r;

	(void)state;
	reading_process(s, 10, 5, "old");
	reading_busy(s, 10, LT_SLEEP, 100 * MS_NS);
	reading_update(s);
	s = reading_next(2);
	reading_process(s, 10, 5, "old")->flags = SAMPLE_PROCESS_EXITED;
	reading_busy(s, 10, LT_DEAD, 50 * MS_NS);
	reading_process(s, 10, 6, "new");
	reading_busy(s, 10, LT_SLEEP, 1 * MS_NS);
	reading_update(s);
	r = reading_rows(&q, 2);
	assert_int_equal(r[0].time_ns[LT_RUN], 150 * MS_NS);
	assert_int_equal(r[1].time_ns[LT_RUN], 1 * MS_NS);
	s = reading_next(3);
	reading_process(s, 10, 6, "new");
	reading_busy(s, 10, LT_SLEEP, 1 * MS_NS);
	reading_update(s);
	r = reading_rows(&q, 2);
	assert_string_equal(r[0].comm, "new");
	assert_int_equal(r[0].time_ns[LT_RUN], 2 * MS_NS);
	assert_string_equal(r[1].comm, "old");
	assert_int_equal(r[1].time_ns[LT_RUN], 150 * MS_NS);
	assert_true(r[1].exited);
}

/* A sum takes more bytes as it grows; its neighbours keep their values. */
static void sums_grow_without_end(void **state)
{
	static const uint32_t counts[] = { 1, 254, 1, 65279, 1, 0x1000000, UINT32_MAX, UINT32_MAX, UINT32_MAX };
	struct model_query q = { .kind = MODEL_PROCESS, .totals = true };
	uint64_t sum = 0;

	(void)state;
	for (uint32_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		uint64_t seen[HIST_BUCKETS] = { 0 };
		struct sample *s = reading_next(i + 1);
		struct sample_work *w;

		reading_process(s, 10, 5, "busy");
		w = reading_busy(s, 10, LT_SLEEP, MS_NS);
		if (i % 2 == 0)
			reading_dist(s, &w->wakeup, 1000, 1);
		reading_dist(s, &w->wakeup, 2000, counts[i]);
		reading_update(s);
		sum += counts[i];
		assert_int_equal(reading_rows(&q, 1)->wakeup.count, sum + i / 2 + 1);
		assert_int_equal(model_histogram_total(reading_model, 10, 5, false, seen), sum + i / 2 + 1);
		assert_int_equal(seen[hist_bucket(2000)], sum);
		assert_int_equal(seen[hist_bucket(1000)], i / 2 + 1);
	}
	assert_true(sum > UINT32_MAX);
}

/* The row of an exited process stays five readings, with its numbers and texts, although its sample is gone. */
static void dead_rows_stay_a_while(void **state)
{
	struct model_query q = { .kind = MODEL_PROCESS };
	struct sample *s = reading_next(1);
	struct sample_process *p = reading_process(s, 10, 5, "brief");
	struct sample_work *w;
	struct row *r;

	(void)state;
	p->flags = SAMPLE_PROCESS_EXITED;
	p->exit_code = -9;
	p->killer_comm = sample_add_text(s, "killer", 6);
	w = reading_busy(s, 10, LT_DEAD, 100 * MS_NS);
	w->flow[LT_TCP].tx_bytes = 100;
	reading_dist(s, &w->wakeup, 2000, 3);
	reading_update(s);
	assert_true(reading_row(10)->exited);
	assert_int_equal(reading_row(10)->exit_code, -9);
	for (uint32_t i = 2; i <= 2 + MODEL_DEAD_ROWS; i++) {
		s = reading_next(i);
		reading_process(s, 7, 1, "stays");
		reading_busy(s, 7, LT_SLEEP, MS_NS)->flow[LT_TCP].tx_bytes = i;
		reading_update(s);
		q.no_dead = false;
		r = reading_rows(&q, i < 2 + MODEL_DEAD_ROWS ? 2 : 1);
		assert_string_equal(r[0].comm, "stays");
		if (i < 2 + MODEL_DEAD_ROWS) {
			assert_int_equal(r[1].pid, 10);
			assert_true(r[1].exited);
			assert_int_equal(r[1].time_ns[LT_RUN], 100 * MS_NS);
			assert_int_equal(r[1].wakeup.count, 3);
			assert_int_equal(r[0].net->flow[LT_TCP].tx_bytes, i);
			assert_int_equal(r[1].net->flow[LT_TCP].tx_bytes, 100);
			assert_string_equal(r[1].comm, "brief");
			assert_string_equal(r[1].cmdline, "/bin/brief --pid 10");
			assert_string_equal(r[1].killer_comm, "killer");
			q.totals = true;
			r = reading_rows(&q, 2);
			assert_string_equal(r[1].comm, "brief");
			assert_int_equal(r[1].wakeup.count, 3);
			q.totals = false;
		}
		q.no_dead = true;
		reading_rows(&q, 1);
	}
}

/* Processes that exited in earlier readings are shown, but are in no sum of this one. */
static void dead_are_not_counted_again(void **state)
{
	struct model_query q = { .kind = MODEL_COMMAND };
	struct sample *s = reading_next(1);

	(void)state;
	reading_process(s, 10, 5, "brief")->flags = SAMPLE_PROCESS_EXITED;
	reading_busy(s, 10, LT_DEAD, 100 * MS_NS);
	reading_update(s);
	assert_int_equal(reading_rows(&q, 1)->time_ns[LT_RUN], 100 * MS_NS);
	assert_int_equal(reading_rows(&q, 1)->processes, 0);
	assert_true(reading_rows(&q, 1)->exited);
	assert_int_equal(model_host(reading_model)->run_ns, 100 * MS_NS);
	assert_int_equal(model_host(reading_model)->processes, 0);
	reading_update(reading_next(2));
	reading_rows(&q, 0);
	assert_int_equal(model_host(reading_model)->run_ns, 0);
}

/* A storm of short-lived processes: each is shown once, some stay, memory and work stay bounded. */
static void dead_rows_are_bounded(void **state)
{
	struct model_query q = { .kind = MODEL_PROCESS };
	const uint32_t storm = 3 * MODEL_DEAD_MAX;
	struct row *rows;
	int n;

	(void)state;
	for (uint32_t i = 1; i <= 3 * MODEL_DEAD_ROWS; i++) {
		struct sample *s = reading_next(i);

		for (uint32_t pid = 1; pid <= storm; pid++) {
			reading_process(s, pid, i, "brief")->flags = SAMPLE_PROCESS_EXITED;
			reading_busy(s, pid, LT_DEAD, 100);
		}
		reading_update(s);
		n = model_rows(reading_model, &q, &rows);
		assert_in_range(n, storm, storm + (i == 1 ? 0 : MODEL_DEAD_MAX));
		if (i == 2)
			assert_int_equal(n, storm + MODEL_DEAD_MAX);
		assert_int_equal(model_host(reading_model)->run_ns, storm * 100);
	}
	for (uint32_t i = 1; i <= MODEL_DEAD_ROWS + 1; i++)
		reading_update(reading_next(i));
	reading_rows(&q, 0);
	assert_int_equal(reading_model->n_dead, 0);
}

static void sparklines_remember(void **state)
{
	const struct model_sparkline *spark;

	(void)state;
	for (uint32_t i = 1; i <= MODEL_SPARK + 3; i++) {
		struct sample *s = reading_next(i);
		struct sample_work *w;

		reading_process(s, 10, 5, "db");
		w = reading_busy(s, 10, LT_SLEEP, 100 * MS_NS);
		if (i != MODEL_SPARK + 2)
			reading_dist(s, &w->wakeup, i == MODEL_SPARK + 3 ? 5 * MS_NS : 1000, 1);
		w->flow[LT_UDP].rx_bytes = i == MODEL_SPARK + 3 ? 1000000 : 0;
		w->flow[LT_UNIX].rx_bytes = 5000;
		reading_update(s);
		if (i != 2)
			continue;
		spark = &reading_row(10)->spark[MODEL_SPARK_WAKE];
		assert_int_equal(spark->level[spark->at], 0);
		assert_int_equal(spark->level[(spark->at + MODEL_SPARK - 1) % MODEL_SPARK], hist_bucket(1000) + 1);
		assert_int_equal(spark->level[(spark->at + MODEL_SPARK - 3) % MODEL_SPARK], 0);
	}
	spark = reading_row(10)->spark;
	assert_int_equal(spark[MODEL_SPARK_WAKE].level[(spark->at + 59) % 60], hist_bucket(5 * MS_NS) + 1);
	assert_int_equal(spark[MODEL_SPARK_WAKE].level[(spark->at + 58) % 60], 0);
	assert_int_equal(spark[MODEL_SPARK_WAKE].level[spark->at], hist_bucket(1000) + 1);
	assert_int_equal(spark[MODEL_SPARK_NET].level[(spark->at + 59) % 60], hist_bucket(1000000) + 1);
	assert_int_equal(spark[MODEL_SPARK_NET].level[(spark->at + 57) % 60], 0);
	assert_int_equal(spark[MODEL_SPARK_CALL].level[(spark->at + 59) % 60], 0);
}

/* Processes come, go, vanish unseen and reuse pids for a long time; the model keeps only the last ones. */
static void memory_stays_flat(void **state)
{
	(void)state;
	for (uint32_t i = 1; i <= 2000; i++) {
		struct sample *s = reading_next(i);

		for (uint32_t pid = 1; pid <= 20; pid++) {
			struct sample_process *p = reading_process(s, pid, pid < 4 ? 1 : i, "x");

			reading_dist(s, &reading_busy(s, pid, LT_SLEEP, i)->wakeup, pid * i, 1);
			if (pid % 2 && pid >= 4) /* eight of them; the others vanish unseen */
				p->flags = SAMPLE_PROCESS_EXITED;
		}
		reading_update(s);
		assert_true(reading_model->n_lives <= 20 + 8 * MODEL_DEAD_ROWS);
	}
	assert_int_equal(reading_model->n_lives, 20 + 8 * MODEL_DEAD_ROWS);
	assert_true(reading_model->cap_lives <= 256 && reading_model->living.cap <= 256);
}

static struct sample_process *child(struct sample *s, uint32_t pid, uint64_t start_ns, uint64_t execs)
{
	struct sample_process *p = reading_process(s, pid, start_ns, "sh");

	p->ppid = 10;
	p->execs = execs;
	reading_thread(s, pid, LT_POLL);
	return p;
}

/* Children that begin, call exec and exit are their parent's; one that is older than lagtop's first reading has not
 * begun in it, nor is the youngest process of a pid the parent of an older one. */
static void children_count_for_their_parent(void **state)
{
	struct sample *s = reading_next(1);
	struct row *r;

	(void)state;
	s->uptime_ns = 100 * SECOND_NS;
	reading_process(s, 10, 5, "make");
	reading_thread(s, 10, LT_POLL);
	child(s, 20, 50 * SECOND_NS, 0);
	child(s, 21, 99 * SECOND_NS + 1, 1)->flags = SAMPLE_PROCESS_EXITED;
	reading_update(s);
	r = reading_row(10);
	assert_int_equal(r->forks, 1);
	assert_int_equal(r->execs, 1);
	assert_int_equal(r->exits, 1);
	/* The clock of a start is not exactly that of a reading: new ones count once. */
	s = reading_next(2);
	s->uptime_ns = 101 * SECOND_NS;
	reading_process(s, 10, 5, "make");
	reading_thread(s, 10, LT_POLL);
	child(s, 20, 50 * SECOND_NS, 1);
	child(s, 22, 100 * SECOND_NS - 5, 0);
	child(s, 23, 100 * SECOND_NS + 5, 1);
	reading_update(s);
	r = reading_row(10);
	assert_int_equal(r->forks, 2);
	assert_int_equal(r->execs, 2);
	assert_int_equal(r->exits, 0);
	/* Of an old recording. */
	s = reading_next(3);
	s->uptime_ns = 102 * SECOND_NS;
	reading_process(s, 10, 5, "make");
	reading_thread(s, 10, LT_POLL);
	child(s, 23, 100 * SECOND_NS + 5, SAMPLE_UNKNOWN);
	child(s, 24, 101 * SECOND_NS + 5, SAMPLE_UNKNOWN);
	reading_update(s);
	r = reading_row(10);
	assert_int_equal(r->forks, 1);
	assert_int_equal(r->execs, SAMPLE_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		READING_TEST(totals_add_up),
		READING_TEST(sleep_counts_once_awake),
		READING_TEST(reused_pid_is_another),
		READING_TEST(sums_grow_without_end),
		READING_TEST(children_count_for_their_parent),
		READING_TEST(dead_rows_stay_a_while),
		READING_TEST(dead_are_not_counted_again),
		READING_TEST(dead_rows_are_bounded),
		READING_TEST(sparklines_remember),
		READING_TEST(memory_stays_flat),
	};

	return cmocka_run_group_tests_name("model_life", tests, NULL, NULL);
}
