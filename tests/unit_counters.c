/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every counter of the table, all the way: record, reading, process, thread, group, total, exited processes, history,
 * recording. Loops over the table only: a counter that needs another line anywhere fails here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "column.h"
#include "fake_kernel.h"
#include "history.h"
#include "reading.h"
#include "record.h"

#define PID 70
#define THREADS 2

/* A number for each, of all sizes. */
static uint64_t amount(unsigned counter, uint32_t number)
{
	return (uint64_t)number * (1 + counter) << counter % 40;
}

/* factor: multiple of what one thread did, or of what the process's sockets did. */
static void assert_counted(const struct row *r, uint32_t factor, uint32_t number, bool sockets)
{
	for (unsigned i = 0; i < LT_COUNTERS; i++) {
		uint64_t expected = amount(i, number) * (i < LT_SOCKET_FIRST ? factor : factor / THREADS);

		if (i >= LT_SOCKET_FIRST && !sockets)
			expected = 0;
		if (row_counter(r, i) != expected)
			fail_msg("%s of row kind %d is %llu, not %llu", counter_info[i].name, r->kind,
				 (unsigned long long)row_counter(r, i), (unsigned long long)expected);
	}
}

static void fill(struct sample *s, uint32_t number)
{
	struct sample_process *p;

	reading_begin(s, number);
	p = reading_process(s, PID, PID, "counted");
	for (unsigned i = LT_SOCKET_FIRST; i < LT_COUNTERS; i++)
		p->sockets.counter[i - LT_SOCKET_FIRST] = amount(i, number);
	for (uint32_t t = 0; t < THREADS; t++) {
		struct sample_work *w = reading_busy(s, PID + t, LT_SLEEP, MS_NS);

		for (unsigned i = 0; i < LT_SOCKET_FIRST; i++)
			w->counter[i] = amount(i, number);
		for (int d = 0; d < LT_THREAD_DISTS; d++)
			reading_dist(s, &w->dist[d], (uint64_t)(d + 1) * MS_NS, number);
	}
}

static struct row *only_row(enum model_kind kind, bool totals)
{
	struct model_query q = {
		.kind = kind, .totals = totals, .pid = kind == MODEL_THREAD ? PID : 0, .start_ns = PID
	};
	struct row *rows;

	assert_true(model_rows(reading_model, &q, &rows) >= 1);
	return &rows[0];
}

static void rows_have_every_counter(void **state)
{
	static const enum model_kind kinds[] = { MODEL_PROCESS, MODEL_COMMAND, MODEL_USER, MODEL_CGROUP };
	struct sample *s;

	(void)state;
	for (uint32_t number = 1; number <= 3; number++) {
		s = reading_next(number);
		fill(s, number);
		reading_update(s);
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
			assert_counted(only_row(kinds[i], false), THREADS, number, true);
			assert_counted(only_row(kinds[i], true), THREADS, number * (number + 1) / 2, true);
			for (int d = 0; d < LT_THREAD_DISTS; d++)
				assert_int_equal(only_row(kinds[i], false)->dist[d].count, THREADS * number);
		}
		assert_counted(only_row(MODEL_THREAD, false), 1, number, false);
	}
	/* It exits; its row stays. */
	s = reading_next(4);
	fill(s, 4);
	s->processes[0].flags = SAMPLE_PROCESS_EXITED;
	reading_update(s);
	s = reading_next(5);
	reading_begin(s, 5);
	reading_update(s);
	assert_counted(only_row(MODEL_PROCESS, false), THREADS, 4, true);
	assert_counted(only_row(MODEL_PROCESS, true), THREADS, 10, true);
}

static void history_and_recording_have_every_counter(void **state)
{
	char path[] = "/dev/shm/lagtop-counters.XXXXXX", why[256];
	struct history h = { .max_bytes = 16 << 20 };
	struct sample expected = { 0 }, back = { 0 };
	int fd = mkstemp(path);
	struct record *r;
	struct source *src;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	r = record_open(path, why, sizeof(why));
	assert_non_null(r);
	for (uint32_t number = 1; number <= 2; number++) {
		fill(&expected, number);
		assert_int_equal(record_write(r, &expected), 0);
		fill(history_take(&h), number);
		assert_int_equal(history_add(&h), 0);
	}
	assert_int_equal(record_close(r), 0);
	src = record_replay(path, why, sizeof(why));
	assert_non_null(src);
	fill(&expected, 1);
	assert_int_equal(src->read(src, &back), 1);
	assert_memory_equal(back.works[1].counter, expected.works[1].counter, sizeof(expected.works[1].counter));
	assert_memory_equal(back.processes[0].sockets.counter, expected.processes[0].sockets.counter,
			    sizeof(expected.processes[0].sockets.counter));
	assert_memory_equal(&back.unknown, &(struct counter_set){ { 0 } }, sizeof(back.unknown));
	assert_non_null(history_at(&h, 1));
	assert_memory_equal(history_at(&h, 1)->works[1].counter, expected.works[1].counter,
			    sizeof(expected.works[1].counter));
	assert_memory_equal(history_at(&h, 1)->processes[0].sockets.counter, expected.processes[0].sockets.counter,
			    sizeof(expected.processes[0].sockets.counter));
	source_close(src);
	unlink(path);
	history_free(&h);
	sample_free(&expected);
	sample_free(&back);
}

static __u64 *part_of(uint32_t slot, uint32_t part)
{
	if (part < LT_N_PARTS_THREAD)
		return &fake_parts(slot)->counter[part];
	fake_record(slot)->sched.focus = 1;
	return &fake_entry(slot, LT_CALL_WHOM)->because.counter[part - LT_N_PARTS_THREAD];
}

/* Adds to what the record counts, except for the states, whose sum must be the lifetime. */
static void count_more(uint32_t slot, uint32_t number)
{
	struct lt_record *r = fake_record(slot);
	struct lt_net *net = fake_net(slot);

	for (unsigned i = LT_SCHED_FIRST; i < LT_PARTS_FIRST; i++)
		r->sched.counter[i - LT_SCHED_FIRST] += amount(i, number);
	for (unsigned i = LT_PARTS_FIRST; i < LT_CALLS_FIRST; i++)
		*part_of(slot, i - LT_PARTS_FIRST) += amount(i, number);
	for (unsigned i = LT_CALLS_FIRST; i < LT_NET_FIRST; i++)
		r->calls.counter[i - LT_CALLS_FIRST] += amount(i, number);
	for (unsigned i = LT_NET_FIRST; i < LT_SOCKET_FIRST; i++)
		net->counter[i - LT_NET_FIRST] += amount(i, number);
}

static void readings_have_every_counter(void **state)
{
	uint32_t slots[2];

	(void)state;
	fake_open(NULL);
	slots[0] = fake_seed(10, 10, LT_RUN);
	slots[1] = fake_fork(20, 20, 20, 1);
	fake.now_ns += MS_NS;
	fake_wake(slots[1]);
	fake_read(); /* a process that is new is not in focus */
	for (uint32_t number = 1; number <= 3; number++) {
		uint64_t longer_ns = amount(LT_CALLS_FIRST, number); /* than any part of a state */

		for (int i = 0; i < 2; i++) {
			fake.now_ns += longer_ns;
			for (unsigned to = LT_DISK; to <= LT_NET; to++) {
				fake_move(slots[i], to);
				fake.now_ns += longer_ns;
			}
			fake_move(slots[i], LT_RUN);
			count_more(slots[i], number);
		}
		fake.now_ns += longer_ns;
		fake_read();
		for (unsigned i = LT_SCHED_FIRST; i < LT_SOCKET_FIRST; i++) {
			for (uint32_t tid = 10; tid <= 20; tid += 10) {
				/* fake_move counted a switch of its own. */
				uint64_t own = i == COUNTER_voluntary && (tid == 10 || number > 1);

				if (fake_work(tid)->counter[i] != amount(i, number) + own)
					fail_msg("%s of %u is %llu, not %llu", counter_info[i].name, tid,
						 (unsigned long long)fake_work(tid)->counter[i],
						 (unsigned long long)(amount(i, number) + own));
			}
		}
	}
	fake_close();
}

/* A column that shows a counter has the counter's name; each counter has a unit. */
static void counters_are_named(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LT_COUNTERS; i++) {
		assert_non_null(counter_info[i].name);
		assert_true(*counter_info[i].name && *counter_info[i].unit);
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(counter_info[i].name, counter_info[k].name);
	}
	for (int i = 0; i < LT_DISTS; i++)
		assert_non_null(counter_dist_name[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		READING_TEST(rows_have_every_counter),
		cmocka_unit_test(history_and_recording_have_every_counter),
		cmocka_unit_test(readings_have_every_counter),
		cmocka_unit_test(counters_are_named),
	};

	return cmocka_run_group_tests_name("counters", tests, NULL, NULL);
}
