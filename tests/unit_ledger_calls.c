/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls in the ledger: those that returned, those in flight, errors, histograms whose counters wrap, and maxima of past
 * epochs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "fake_kernel.h"
#include "names.h"

#define US 1000ULL
#define MS 1000000ULL
#define READ LT_CALL(LT_ABI_NATIVE, 0)
#define SIGRETURN LT_CALL(LT_ABI_NATIVE, 15)
#define FUTEX LT_CALL(LT_ABI_NATIVE, 202)
#define EXIT_GROUP LT_CALL(LT_ABI_NATIVE, LT_NR_EXIT_GROUP)

static uint32_t slot; /* of thread 10, on a CPU */

static int opened(void **state)
{
	(void)state;
	fake_open(NULL);
	slot = fake_born(10, 10);
	return 0;
}

static void call_once(uint32_t call, uint64_t ns, long ret)
{
	fake_enter(slot, call);
	fake.now_ns += ns;
	fake_return(slot, ret);
}

static void test_each_reading_has_its_own(void **state)
{
	(void)state;
	for (int round = 1; round < 4; round++) {
		for (int i = 0; i < round; i++)
			call_once(READ, 10 * US, 0);
		call_once(FUTEX, 20 * US, -11);
		fake_read();
		assert_int_equal(fake_call(10, READ)->count, round);
		assert_int_equal(fake_call(10, READ)->total_ns, round * 10 * US);
		assert_int_equal(fake_call(10, READ)->time_ns, round * 10 * US);
		assert_int_equal(fake_call(10, READ)->errors, 0);
		assert_int_equal(fake_call(10, FUTEX)->count, 1);
		assert_int_equal(fake_call(10, FUTEX)->errors, 1);
		assert_int_equal(fake_dist_count(&fake_call(10, READ)->latency), round);
		assert_int_equal(fake_work(10)->calls, round + 1);
		assert_int_equal(fake_work(10)->call_errors, 1);
		assert_int_equal(fake_work(10)->call_total_ns, (round * 10 + 20) * US);
		assert_int_equal(fake_thread(10)->call, LT_CALL_NONE);
	}
	fake.now_ns += MS;
	fake_read();
	assert_null(fake_call(10, READ));
}

/* Calls with the same number in other ABIs, and calls that share a chain, are separate. */
static void test_calls_of_one_number(void **state)
{
	static const uint32_t calls[] = { LT_CALL(LT_ABI_NATIVE, 3), LT_CALL(LT_ABI_COMPAT, 3), LT_CALL(LT_ABI_X32, 3),
					  LT_CALL(LT_ABI_NATIVE, 3 + LT_CALL_HEADS),
					  LT_CALL(LT_ABI_NATIVE, 3 + 2 * LT_CALL_HEADS) };
	size_t n = sizeof(calls) / sizeof(calls[0]);

	(void)state;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j <= i; j++)
			call_once(calls[i], US, 0);
	fake_read();
	for (size_t i = 0; i < n; i++)
		assert_int_equal(fake_call(10, calls[i])->count, i + 1);
	assert_int_equal(fake_work(10)->n_calls, n);
}

/* A call of 10 ms on its CPU and 30 ms asleep, over four readings: time and wait now, count and latency at its return.
 */
static void test_a_call_that_goes_on(void **state)
{
	uint64_t time_ns = 0, wait_ns = 0;

	(void)state;
	fake_enter(slot, READ);
	fake.now_ns += 10 * MS;
	fake_read();
	assert_int_equal(fake_call(10, READ)->count, 0);
	assert_int_equal(fake_call(10, READ)->total_ns, 0);
	assert_int_equal(fake_call(10, READ)->time_ns, 10 * MS);
	assert_int_equal(fake_call(10, READ)->wait_ns, 0);
	assert_int_equal(fake_thread(10)->call, READ);
	assert_int_equal(fake_thread(10)->call_age_ns, 10 * MS);
	fake_move(slot, LT_IO);
	for (int i = 1; i < 3; i++) {
		fake.now_ns += 10 * MS;
		fake_read();
		/* Asleep at both readings: the thread's state and call say everything. */
		if (fake_call(10, READ)) {
			assert_int_equal(fake_call(10, READ)->wait_ns, 10 * MS);
			time_ns += fake_call(10, READ)->time_ns;
			wait_ns += fake_call(10, READ)->wait_ns;
		} else {
			time_ns += fake_thread(10)->wall_ns;
			wait_ns += fake_thread(10)->wall_ns;
		}
		assert_int_equal(fake_thread(10)->call, READ);
		assert_int_equal(fake_thread(10)->call_age_ns, (10 + i * 10) * MS);
	}
	assert_int_equal(time_ns, 20 * MS);
	fake.now_ns += 10 * MS;
	fake_wake(slot);
	fake_switch_in(slot);
	fake_return(slot, 1);
	fake_read();
	assert_int_equal(fake_call(10, READ)->count, 1);
	assert_int_equal(fake_call(10, READ)->total_ns, 40 * MS);
	assert_int_equal(time_ns + fake_call(10, READ)->time_ns, 30 * MS);
	assert_int_equal(wait_ns + fake_call(10, READ)->wait_ns, 30 * MS);
	assert_int_equal(fake_call(10, READ)->latency.max_ns, 40 * MS);
	/* The kernel's own time, without the sleep. */
	assert_int_equal(fake_work(10)->service.max_ns, 10 * MS);
	assert_int_equal(fake_thread(10)->call, LT_CALL_NONE);
}

/* Begun before the probes: its age is a lower bound, and its duration is not known when it ends. */
static void test_a_call_that_began_before(void **state)
{
	uint32_t seeded = fake_seed(20, 20, LT_LOCK);
	struct lt_calls *calls = &fake_record(seeded)->calls;

	(void)state;
	calls->call = FUTEX;
	calls->began = LT_BEGAN_EARLIER;
	calls->enter_ns = fake.now_ns;
	fake.now_ns += 5 * MS;
	fake_read();
	assert_int_equal(fake_thread(20)->call, FUTEX);
	assert_int_equal(fake_thread(20)->call_age_ns, 5 * MS);
	assert_int_equal(fake_thread(20)->flags, SAMPLE_THREAD_AT_LEAST);
	fake.now_ns += 5 * MS;
	fake_wake(seeded);
	fake_switch_in(seeded);
	fake_return(seeded, 0);
	fake_enter(seeded, READ);
	fake.now_ns += MS;
	fake_read();
	assert_int_equal(fake_call(20, FUTEX)->count, 1);
	assert_int_equal(fake_call(20, FUTEX)->time_ns, 5 * MS);
	assert_int_equal(fake_call(20, FUTEX)->latency.n, 0);
	assert_int_equal(fake_thread(20)->flags, 0);
	assert_int_equal(fake_thread(20)->call_age_ns, MS);
}

/* How long it has lasted is not known until it leaves its CPU, where the kernel side stores the time. */
static void test_a_call_that_is_not_timed(void **state)
{
	struct lt_calls *calls = &fake_record(slot)->calls;

	(void)state;
	fake_enter(slot, READ);
	calls->enter_ns = LT_UNTIMED;
	fake.now_ns += 2 * MS;
	fake_read();
	assert_int_equal(fake_thread(10)->call, READ);
	assert_int_equal(fake_thread(10)->call_age_ns, 0);
	assert_int_equal(fake_thread(10)->flags, SAMPLE_THREAD_AT_LEAST);
	assert_null(fake_call(10, READ));
	calls->began = LT_BEGAN_LATE;
	calls->enter_ns = fake.now_ns;
	fake_move(slot, LT_IO);
	fake.now_ns += 3 * MS;
	fake_read();
	assert_int_equal(fake_thread(10)->call_age_ns, 3 * MS);
	assert_int_equal(fake_thread(10)->flags, SAMPLE_THREAD_AT_LEAST);
	assert_int_equal(fake_call(10, READ)->time_ns, 3 * MS);
	assert_int_equal(fake_call(10, READ)->wait_ns, 3 * MS);
}

/* An estimate of how long calls ran is cut to what the thread ran; what they waited stays exact. */
static void test_an_estimate_that_is_too_long(void **state)
{
	(void)state;
	fake.memory.estimated = true;
	fake_enter(slot, FUTEX);
	fake_move(slot, LT_LOCK);
	fake.now_ns += 4 * MS;
	fake_wake(slot);
	fake_switch_in(slot);
	fake_return(slot, 0);
	call_once(READ, 100 * US, 0);
	/* One in 16 was timed, and it was a long one. */
	fake_entry(slot, READ)->total_ns += 15 * 100 * US;
	fake.now_ns += 400 * US;
	fake_read();
	assert_int_equal(fake_call(10, READ)->total_ns, 1600 * US);
	assert_int_equal(fake_call(10, READ)->time_ns, fake_work(10)->time_ns[LT_RUN]);
	assert_int_equal(fake_call(10, READ)->wait_ns, 0);
	assert_int_equal(fake_call(10, FUTEX)->wait_ns, 4 * MS);
	assert_int_equal(fake_call(10, FUTEX)->time_ns, 4 * MS);
	/* The rest is not the next reading's. */
	call_once(READ, 100 * US, 0);
	fake.now_ns += 400 * US;
	fake_read();
	assert_int_equal(fake_call(10, READ)->time_ns, 100 * US);
}

/* Nothing sees calls return: what is kept of one is valid while its thread sleeps. */
static void test_calls_that_are_not_watched(void **state)
{
	struct lt_calls *calls = &fake_record(slot)->calls;

	(void)state;
	fake.memory.with_calls = false;
	calls->call = FUTEX;
	calls->began = LT_BEGAN_ASLEEP;
	calls->enter_ns = fake.now_ns;
	fake_move(slot, LT_LOCK);
	fake.now_ns += 2 * MS;
	fake_read();
	assert_int_equal(fake_thread(10)->call, FUTEX);
	assert_int_equal(fake_thread(10)->call_age_ns, 2 * MS);
	assert_null(fake_call(10, FUTEX));
	fake_wake(slot);
	fake.now_ns += MS;
	fake_read();
	assert_int_equal(fake_thread(10)->call, LT_CALL_NONE);
	fake_switch_in(slot);
	fake.now_ns += MS;
	fake_read();
	assert_int_equal(fake_thread(10)->call, LT_CALL_NONE);
}

/* Killed inside a call: its time counts up to the exit; it never returned. */
static void test_death_inside_a_call(void **state)
{
	(void)state;
	fake_enter(slot, READ);
	fake_move(slot, LT_IO);
	fake.now_ns += 4 * MS;
	fake_read();
	fake.now_ns += 3 * MS;
	fake_wake(slot);
	fake_switch_in(slot);
	fake_die(slot, 9);
	fake.now_ns += 50 * MS;
	fake_read();
	assert_int_equal(fake_call(10, READ)->count, 0);
	assert_int_equal(fake_call(10, READ)->time_ns, 3 * MS);
	assert_int_equal(fake_call(10, READ)->wait_ns, 3 * MS);
	assert_int_equal(fake_free_calls(), FAKE_CALLS);
}

/* exit_group never returns: it counts when it begins, once, though readings pass before the last switch. */
static void test_exit_counts_once(void **state)
{
	uint64_t count = 0, calls = 0;

	(void)state;
	fake_enter(slot, EXIT_GROUP);
	for (int i = 0; i < 3; i++) {
		fake.now_ns += MS;
		if (i == 2)
			fake_die(slot, 0);
		fake_read();
		count += fake_call(10, EXIT_GROUP)->count;
		calls += fake_work(10)->calls;
		assert_int_equal(fake_call(10, EXIT_GROUP)->time_ns, MS);
	}
	assert_int_equal(count, 1);
	assert_int_equal(calls, 1);
}

/* More errnos than an entry holds: the rest is in a companion. Every reading has its own; the sum is all errors. */
static void test_many_errnos(void **state)
{
	(void)state;
	for (int round = 1; round < 3; round++) {
		uint32_t sum = 0;

		for (int error = 1; error <= 20; error++)
			for (int i = 0; i < error * round; i++)
				call_once(READ, US, -error);
		fake_read();
		assert_int_equal(fake_call(10, READ)->n_errnos, 20);
		for (uint32_t error = 1; error <= 20; error++) {
			assert_int_equal(fake_errors(fake_call(10, READ), error), error * (uint32_t)round);
			sum += error * (uint32_t)round;
		}
		assert_int_equal(fake_call(10, READ)->errors, sum);
		assert_int_equal(fake_work(10)->n_calls, 1);
	}
	call_once(READ, US, -20);
	fake_read();
	assert_int_equal(fake_call(10, READ)->n_errnos, 1);
	assert_int_equal(fake_errors(fake_call(10, READ), 20), 1);
}

/* As many as have a counter, and the other errors as errno 0: the sum is all errors. */
static void test_more_errnos_than_fit(void **state)
{
	uint32_t sum = 0;

	(void)state;
	for (int error = 1; error <= LT_ERRNOS + LT_MORE_ERRNOS + 50; error++)
		call_once(READ, US, -error);
	fake_read();
	assert_int_equal(fake_call(10, READ)->n_errnos, LT_ERRNOS + LT_MORE_ERRNOS + 1);
	for (uint32_t error = 0; error <= LT_ERRNOS + LT_MORE_ERRNOS + 50; error++)
		sum += fake_errors(fake_call(10, READ), error);
	assert_int_equal(sum, fake_call(10, READ)->errors);
	assert_int_equal(fake_errors(fake_call(10, READ), 0), 50);
	assert_string_equal(names_errno(0), "others");
	call_once(READ, US, -LT_ERRNOS - LT_MORE_ERRNOS - 60);
	call_once(READ, US, -1);
	fake_read();
	assert_int_equal(fake_errors(fake_call(10, READ), 0), 1);
	assert_int_equal(fake_errors(fake_call(10, READ), 1), 1);
}

#define OTHER(i) LT_CALL(LT_ABI_NATIVE, 500 + (i))

/* Above the limit calls share one row; a call in flight is charged there, once per reading, and its thread shows its
 * own number. */
static void test_others(void **state)
{
	const struct sample_call *others;
	uint64_t time_ns = 0;

	(void)state;
	for (uint32_t i = 0; i < LT_CALLS_LIMIT; i++)
		call_once(OTHER(i), US, -38);
	fake_enter(slot, OTHER(LT_CALLS_LIMIT)); /* the first of them: they have no entry yet */
	for (int i = 0; i < 3; i++) {
		fake.now_ns += MS;
		fake_read();
		others = fake_call(10, LT_CALL_OTHERS);
		assert_int_equal(others->count, 0);
		assert_int_equal(others->time_ns, MS);
		assert_null(fake_call(10, OTHER(LT_CALLS_LIMIT)));
		assert_int_equal(fake_thread(10)->call, OTHER(LT_CALLS_LIMIT));
	}
	fake.now_ns += MS;
	fake_return(slot, -38);
	for (uint32_t i = 0; i < 400; i++)
		call_once(OTHER(LT_CALLS_LIMIT + i), US, i % 2 ? -38 : 0);
	call_once(OTHER(0), US, 0);
	fake_read();
	others = fake_call(10, LT_CALL_OTHERS);
	assert_int_equal(others->count, 401);
	assert_int_equal(others->errors, 201);
	assert_int_equal(fake_errors(others, 38), 201);
	assert_int_equal(others->total_ns, 4 * MS + 400 * US);
	assert_int_equal(others->time_ns, MS + 400 * US);
	assert_int_equal(others->latency.max_ns, 4 * MS);
	assert_int_equal(fake_dist_count(&others->latency), 401);
	assert_int_equal(fake_call(10, OTHER(0))->count, 1);
	assert_int_equal(fake_work(10)->n_calls, 2);
	/* Another one: asleep during readings that do not read its record, and killed in it. */
	fake_enter(slot, OTHER(4000 - 500));
	fake_move(slot, LT_IO);
	for (int i = 0; i < 3; i++) {
		fake.now_ns += MS;
		fake_read();
		time_ns += fake_call(10, LT_CALL_OTHERS) ? fake_call(10, LT_CALL_OTHERS)->time_ns
							 : fake_thread(10)->wall_ns;
	}
	fake.now_ns += MS;
	fake_wake(slot);
	fake_switch_in(slot);
	fake_return(slot, 0);
	fake_die(slot, 0);
	fake_read();
	assert_int_equal(fake_call(10, LT_CALL_OTHERS)->count, 1);
	assert_int_equal(fake_call(10, LT_CALL_OTHERS)->time_ns + time_ns, 4 * MS);
	assert_int_equal(fake_free_calls(), FAKE_CALLS);
}

/* exit_group above the limit: counted there, once. */
static void test_exit_among_others(void **state)
{
	(void)state;
	for (uint32_t i = 0; i <= LT_CALLS_LIMIT; i++)
		call_once(OTHER(i), US, 0);
	fake_read();
	fake_enter(slot, EXIT_GROUP);
	fake.now_ns += MS;
	fake_read();
	assert_int_equal(fake_call(10, LT_CALL_OTHERS)->count, 1);
	assert_int_equal(fake_call(10, LT_CALL_OTHERS)->time_ns, MS);
	assert_int_equal(fake_work(10)->calls, 1);
	fake.now_ns += MS;
	fake_die(slot, 0);
	fake_read();
	assert_int_equal(fake_call(10, LT_CALL_OTHERS)->count, 0);
	assert_int_equal(fake_work(10)->n_calls, 1);
}

/* A call's EINTR is known only when the handler has returned, perhaps after the reading that counted the call. */
static void test_an_error_comes_later(void **state)
{
	(void)state;
	call_once(READ, US, 0);
	fake_read();
	assert_int_equal(fake_call(10, READ)->errors, 0);
	call_once(SIGRETURN, US, 0);
	fake_interrupted(slot, READ);
	fake_read();
	assert_non_null(fake_call(10, READ));
	assert_int_equal(fake_call(10, READ)->count, 0);
	assert_int_equal(fake_call(10, READ)->errors, 1);
	assert_int_equal(fake_errors(fake_call(10, READ), EINTR), 1);
	assert_int_equal(fake_work(10)->call_errors, 1);
	call_once(READ, US, 0);
	fake_read();
	assert_int_equal(fake_call(10, READ)->errors, 0);
	assert_int_equal(fake_call(10, READ)->n_errnos, 0);
}

/* The command line is stored among the calls, but is not one. */
static void test_arguments_are_no_call(void **state)
{
	struct lt_call *args = fake_entry(slot, LT_CALL_ARGS);

	(void)state;
	args->args_bytes = 4;
	strcpy(args->args, "top");
	call_once(READ, US, 0);
	fake_read();
	assert_int_equal(fake_work(10)->n_calls, 1);
}

/* Durations that few threads have are stored among the calls, too, from the first one on. */
static void test_durations_in_the_pool(void **state)
{
	const struct sample_dist *dist;
	struct lt_call *entry;

	(void)state;
	for (int d = LT_RECORD_DISTS; d < LT_THREAD_DISTS; d++) {
		call_once(READ, US, 0);
		fake_read();
		assert_int_equal(fake_work(10)->dist[d].n, 0);
		entry = fake_entry(slot, LT_CALL_DIST | (uint32_t)d);
		for (uint32_t n = 1; n <= 2; n++) {
			entry->hist.count[hist_bucket(10 * US)] += n;
			entry->hist_max.ns[fake.epoch & 1] = 10 * US + n;
			entry->hist_max.epoch[fake.epoch & 1] = fake.epoch;
			call_once(READ, US, 0);
			fake_read();
			dist = &fake_work(10)->dist[d];
			assert_int_equal(dist->n, 1);
			assert_int_equal(fake.sample.buckets[dist->first].count, n);
			assert_int_equal(dist->max_ns, 10 * US + n);
			assert_int_equal(fake_work(10)->n_calls, 1);
		}
	}
}

static struct lt_call *peer_answers(uint32_t call, uint16_t port, uint32_t times)
{
	struct lt_call *entry = fake_entry(slot, call), *all = fake_entry(slot, LT_CALL_DIST | LT_DIST_UPSTREAM);

	entry->peer = (struct lt_peer){ .port = port, .proto = LT_TCP, .family = 4 };
	for (uint32_t i = 0; i < times; i++) {
		fake_hist_add(&entry->hist, &entry->hist_max, port * US);
		fake_hist_add(&all->hist, &all->hist_max, port * US);
	}
	entry->peer_overlapped += times / 2;
	return entry;
}

static const struct sample_peer *peer_read(uint16_t port, uint32_t expected)
{
	const struct sample_work *w = fake_work(10);

	assert_int_equal(w->n_peers, expected);
	for (uint32_t i = 0; i < w->n_peers; i++)
		if (fake.sample.peers[w->first_peer + i].of.port == port)
			return &fake.sample.peers[w->first_peer + i];
	fail();
	return NULL;
}

/* A peer's entry may get the name of another: what it counted before is not the other's. */
static void test_peers(void **state)
{
	const struct sample_peer *p;
	struct lt_call *entry;

	(void)state;
	peer_answers(LT_CALL_PEER | 1, 80, 3);
	peer_answers(LT_CALL_PEER | 2, 90, 2);
	peer_answers(LT_PEER_OTHERS, 0, 5);
	call_once(READ, US, 0);
	fake_read();
	p = peer_read(80, 3);
	assert_int_equal(fake_dist_count(&p->upstream), 3);
	assert_int_equal(p->upstream.max_ns, 80 * US);
	assert_int_equal(p->overlapped, 1);
	assert_int_equal(p->open.n, SAMPLE_UNKNOWN);
	assert_int_equal(fake_dist_count(&peer_read(90, 3)->upstream), 2);
	p = peer_read(0, 3);
	assert_int_equal(p->of.proto, LT_PROTOS);
	assert_int_equal(fake_dist_count(&p->upstream), 5);
	entry = peer_answers(LT_CALL_PEER | 1, 70, 4);
	entry->call = LT_CALL_PEER | 17; /* the same chain */
	call_once(READ, US, 0);
	fake_read();
	p = peer_read(70, 1);
	assert_int_equal(fake_dist_count(&p->upstream), 4);
	assert_int_equal(p->upstream.max_ns, 70 * US);
	assert_int_equal(p->overlapped, 2);
	call_once(READ, US, 0);
	fake_read();
	assert_int_equal(fake_work(10)->n_peers, 0);
	/* Those of a thread that ends are in the last reading. */
	peer_answers(LT_CALL_PEER | 2, 90, 6);
	fake_die(slot, 0);
	fake_read();
	assert_int_equal(fake_dist_count(&peer_read(90, 1)->upstream), 6);
	assert_int_equal(fake_work(10)->n_calls, 0);
}

/* Buckets and errnos are u32: the difference is right even when a count wraps. */
static void test_counters_wrap(void **state)
{
	struct lt_call *entry;
	uint32_t bucket = hist_bucket(10 * US);

	(void)state;
	call_once(READ, 10 * US, -5);
	entry = fake_entry(slot, READ);
	fake_record(slot)->calls.service.count[bucket] = UINT32_MAX - 1;
	entry->latency.count[bucket] = UINT32_MAX - 1;
	entry->errors = entry->errors_by[0].count = UINT32_MAX - 1;
	fake_record(slot)->calls.call_errors = UINT32_MAX - 1; /* the thread's sum has 64 bits */
	fake_read();
	for (int i = 0; i < 5; i++)
		call_once(READ, 10 * US, -5);
	assert_int_equal(entry->latency.count[bucket], 3);
	fake_read();
	assert_int_equal(fake_dist_count(&fake_call(10, READ)->latency), 5);
	assert_int_equal(fake_dist_count(&fake_work(10)->service), 5);
	assert_int_equal(fake_call(10, READ)->errors, 5);
	assert_int_equal(fake_errors(fake_call(10, READ), 5), 5);
	assert_int_equal(fake_work(10)->call_errors, 5);
	/* Exactly round to zero. */
	entry->latency.count[bucket] = UINT32_MAX;
	call_once(READ, 20 * US, 0);
	fake_read();
	call_once(READ, 10 * US, 0);
	assert_int_equal(entry->latency.count[bucket], 0);
	fake_read();
	assert_int_equal(fake_dist_count(&fake_call(10, READ)->latency), 1);
}

/* Each interval has its own maximum, whatever came before it and whatever came after T. */
static void test_a_maximum_is_its_intervals(void **state)
{
	static const uint64_t longest_ns[] = { 90 * US, 30 * US, 70 * US, 10 * US, 20 * US };

	(void)state;
	for (size_t i = 0; i < sizeof(longest_ns) / sizeof(longest_ns[0]); i++) {
		call_once(READ, 5 * US, 0);
		call_once(READ, longest_ns[i], 0);
		call_once(READ, 6 * US, 0);
		fake_read();
		assert_int_equal(fake_call(10, READ)->latency.max_ns, longest_ns[i]);
		assert_int_equal(fake_work(10)->service.max_ns, longest_ns[i]);
	}
	call_once(READ, 8 * US, 0);
	fake.epoch++;
	call_once(READ, 500 * US, 0);
	fake.epoch--;
	fake_read();
	assert_int_equal(fake_call(10, READ)->latency.max_ns, 8 * US);
	fake_read();
	/* Counted, but the maximum is not yet written: that of two intervals ago must not be used. */
	fake_enter(slot, READ);
	fake_entry(slot, READ)->count++;
	fake_entry(slot, READ)->latency.count[0]++;
	fake_record(slot)->calls.calls++;
	fake_read();
	assert_int_equal(fake_dist_count(&fake_call(10, READ)->latency), 1);
	assert_int_equal(fake_call(10, READ)->latency.max_ns, 0);
}

/* For a thread that exited during the reading, both: it has no next reading. */
static void test_the_maximum_of_the_dead(void **state)
{
	(void)state;
	call_once(READ, 8 * US, 0);
	fake.epoch++;
	call_once(READ, 500 * US, 0);
	fake_die(slot, 0);
	fake.epoch--;
	fake_read();
	assert_int_equal(fake_call(10, READ)->latency.max_ns, 500 * US);
}

/* The switch back to its CPU was missed, so the next call has the wait of the one before; it is clipped to the call's
 * time. */
static void test_a_wait_is_part_of_the_time(void **state)
{
	(void)state;
	fake_enter(slot, READ);
	fake_move(slot, LT_IO);
	fake.now_ns += 100 * MS;
	fake_return(slot, 0);
	fake_enter(slot, READ);
	fake_read();
	assert_int_equal(fake_call(10, READ)->time_ns, 100 * MS);
	fake_move(slot, LT_RUN);
	fake.now_ns += MS;
	fake_move(slot, LT_IO);
	fake.now_ns += 10 * MS;
	fake_wake(slot);
	fake_switch_in(slot);
	fake_return(slot, 0);
	fake_read();
	assert_int_equal(fake_call(10, READ)->time_ns, 11 * MS);
	assert_in_range(fake_call(10, READ)->wait_ns, 10 * MS, 11 * MS);
}

/* Bytes, connects and accepts, by kind of socket. */
static void test_flows(void **state)
{
	struct lt_net *net = fake_net(slot);

	(void)state;
	for (uint64_t round = 1; round < 3; round++) {
		for (uint64_t i = 0; i < LT_PROTOS; i++) {
			net->flow[i].tx_bytes += round * (i + 1);
			net->flow[i].rx_bytes += round * (i + 2);
			net->flow[i].tx_ops += round * (i + 3);
			net->flow[i].rx_ops += round * (i + 4);
		}
		net->connects += (uint32_t)round;
		net->accepts += 2 * (uint32_t)round;
		fake_read();
		for (uint64_t i = 0; i < LT_PROTOS; i++) {
			assert_int_equal(fake_work(10)->flow[i].tx_bytes, round * (i + 1));
			assert_int_equal(fake_work(10)->flow[i].rx_bytes, round * (i + 2));
			assert_int_equal(fake_work(10)->flow[i].tx_ops, round * (i + 3));
			assert_int_equal(fake_work(10)->flow[i].rx_ops, round * (i + 4));
		}
		assert_int_equal(fake_work(10)->connects, round);
		assert_int_equal(fake_work(10)->accepts, 2 * round);
	}
	/* Counters that wrap. */
	net->connects = UINT32_MAX;
	fake_read();
	net->connects += 3;
	fake_read();
	assert_int_equal(fake_work(10)->connects, 3);
	/* Nothing of them is left for the slot's next thread. */
	fake_die(slot, 0);
	fake_read();
	assert_int_equal(fake_born(11, 11), slot);
	fake_net(slot)->accepts++;
	fake_read();
	assert_int_equal(fake_work(11)->connects, 0);
	assert_int_equal(fake_work(11)->accepts, 1);
}

#define calls_test(f) cmocka_unit_test_setup_teardown(f, opened, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		calls_test(test_each_reading_has_its_own),   calls_test(test_calls_of_one_number),
		calls_test(test_a_call_that_goes_on),	     calls_test(test_a_call_that_began_before),
		calls_test(test_a_call_that_is_not_timed),   calls_test(test_an_estimate_that_is_too_long),
		calls_test(test_calls_that_are_not_watched), calls_test(test_death_inside_a_call),
		calls_test(test_exit_counts_once),	     calls_test(test_many_errnos),
		calls_test(test_more_errnos_than_fit),	     calls_test(test_others),
		calls_test(test_exit_among_others),	     calls_test(test_an_error_comes_later),
		calls_test(test_arguments_are_no_call),	     calls_test(test_counters_wrap),
		calls_test(test_durations_in_the_pool),	     calls_test(test_peers),
		calls_test(test_a_maximum_is_its_intervals), calls_test(test_the_maximum_of_the_dead),
		calls_test(test_a_wait_is_part_of_the_time), calls_test(test_flows),
	};

	return cmocka_run_group_tests_name("ledger: calls", tests, NULL, NULL);
}
