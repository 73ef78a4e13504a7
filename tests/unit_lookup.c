/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helper threads for lookups that may block: if some are blocked, others are still answered and no caller waits. */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include "lookup.h"

enum { PROMPT, STUCK, LARGE };
#define LARGE_BYTES (1 << 20)
#define BOUND 8
#define HANGS_S 60

static sem_t let_go;
static unsigned stuck, answered;
static bool late; /* as seen by the last request that did not block */

static void work(struct lookup_request *r)
{
	char text[32];

	if (r->kind == STUCK) {
		__atomic_add_fetch(&stuck, 1, __ATOMIC_SEQ_CST);
		while (sem_wait(&let_go) && errno == EINTR)
			;
	}
	if (r->kind == LARGE) {
		char *large = calloc(1, LARGE_BYTES);

		assert_non_null(large);
		lookup_answer(r, large, LARGE_BYTES);
		free(large);
	} else {
		late = r->kind == PROMPT && lookup_late(r);
		snprintf(text, sizeof(text), "%u", r->number);
		lookup_answer(r, text, strlen(text));
	}
	__atomic_add_fetch(&answered, 1, __ATOMIC_SEQ_CST);
}

/* Fails the test instead of hanging. */
static void pause_until(time_t deadline_s)
{
	static const struct timespec pause = { .tv_nsec = 100000 };

	assert_true(time(NULL) < deadline_s);
	nanosleep(&pause, NULL);
}

static unsigned count_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	unsigned n = 0;

	assert_non_null(dir);
	for (struct dirent *d; (d = readdir(dir));)
		n += *d->d_name != '.';
	closedir(dir);
	return n;
}

/* Helpers of the previous test may still be ending. */
static int opened(void **state)
{
	time_t deadline_s = time(NULL) + HANGS_S;

	while (count_threads() > 1)
		pause_until(deadline_s);
	stuck = answered = 0;
	sem_init(&let_go, 0, 0);
	*state = lookup_new(work);
	return !*state;
}

static int closed(void **state)
{
	lookup_close(*state);
	return 0;
}

static void ask(struct lookup *l, uint32_t kind, uint32_t number)
{
	const struct lookup_request r = { .kind = kind, .number = number, .start_ns = number * 3ULL, .tag = ~0ULL };

	assert_int_equal(lookup_ask(l, &r), 0);
}

static struct lookup_request *take(struct lookup *l)
{
	time_t deadline_s = time(NULL) + HANGS_S;
	struct lookup_request *r;

	while (!(r = lookup_take(l)))
		pause_until(deadline_s);
	return r;
}

static void wait_for(const unsigned *count, unsigned n)
{
	time_t deadline_s = time(NULL) + HANGS_S;

	while (__atomic_load_n(count, __ATOMIC_SEQ_CST) < n)
		pause_until(deadline_s);
}

/* Waiting ends with an answer, or at the deadline. */
static void test_waiting(void **state)
{
	struct lookup *l = *state;
	struct lookup_request *r;

	ask(l, PROMPT, 3);
	r = lookup_wait(l, UINT64_MAX);
	assert_non_null(r);
	assert_int_equal(r->number, 3);
	lookup_done(r);
	ask(l, STUCK, 4);
	wait_for(&stuck, 1);
	assert_null(lookup_wait(l, 1));
	sem_post(&let_go);
	r = lookup_wait(l, UINT64_MAX);
	assert_int_equal(r->number, 4);
	lookup_done(r);
}

static void test_answers(void **state)
{
	struct lookup *l = *state;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < 1000; i++)
		ask(l, PROMPT, i);
	for (uint32_t i = 0; i < 1000; i++) {
		struct lookup_request *r = take(l);

		assert_int_equal(r->start_ns, r->number * 3ULL);
		assert_int_equal(r->tag, ~0ULL);
		assert_int_equal(strtoul(r->text, NULL, 10), r->number);
		assert_int_equal(r->text[r->n], '\0');
		sum += r->number;
		lookup_done(r);
	}
	assert_int_equal(sum, 1000 * 999 / 2);
	assert_null(lookup_take(l));
}

/* If some never return, others are answered, and later ones too. */
static void test_stuck_ones_cost_their_thread(void **state)
{
	struct lookup *l = *state;

	for (uint32_t i = 0; i < BOUND - 1; i++) {
		ask(l, STUCK, 1000);
		ask(l, PROMPT, i);
	}
	for (uint32_t i = 0; i < BOUND - 1; i++) {
		struct lookup_request *r = take(l);

		assert_int_equal(r->number, i);
		lookup_done(r);
	}
	ask(l, PROMPT, 7);
	lookup_done(take(l));
	wait_for(&stuck, BOUND - 1);
	assert_true(lookup_busy());
	assert_true(late); /* the last request that did not block saw it */
	for (uint32_t i = 0; i < BOUND - 1; i++)
		sem_post(&let_go);
	for (uint32_t i = 0; i < BOUND - 1; i++)
		lookup_done(take(l));
	assert_null(lookup_take(l));
}

/* More blocked requests than helpers: no more threads, and all continue when one returns. */
static void test_the_bound(void **state)
{
	struct lookup *l = *state;

	for (uint32_t i = 0; i < 3 * BOUND; i++)
		ask(l, STUCK, i);
	ask(l, PROMPT, 100);
	wait_for(&stuck, BOUND);
	assert_int_equal(count_threads(), 1 + BOUND); /* the stand-by helper is started first */
	assert_int_equal(__atomic_load_n(&stuck, __ATOMIC_SEQ_CST), BOUND);
	assert_null(lookup_take(l));
	for (uint32_t i = 0; i < 3 * BOUND; i++)
		sem_post(&let_go);
	for (uint32_t i = 0; i < 3 * BOUND + 1; i++)
		lookup_done(take(l));
}

/* Too many requests are refused, and accepted again when there is room. */
static void test_the_queue_is_bounded(void **state)
{
	const struct lookup_request r = { .kind = PROMPT };
	struct lookup *l = *state;
	uint32_t n = 0;

	while (!lookup_ask(l, &r))
		n++;
	assert_int_equal(lookup_ask(l, &r), -EAGAIN);
	assert_int_equal(n, 1 << 16);
	lookup_done(take(l));
	assert_int_equal(lookup_ask(l, &r), 0);
}

/* Long answers that are not collected do not pile up. */
static void test_answers_are_bounded(void **state)
{
	struct lookup *l = *state;

	for (uint32_t i = 0; i < 20; i++)
		ask(l, LARGE, i);
	wait_for(&answered, 4);
	for (int i = 0; i < 1000; i++)
		sched_yield();
	assert_true(__atomic_load_n(&answered, __ATOMIC_SEQ_CST) <= 5);
	for (uint32_t i = 0; i < 20; i++) {
		struct lookup_request *r = take(l);

		assert_int_equal(r->n, LARGE_BYTES);
		lookup_done(r);
	}
}

/* Closing does not wait; for a helper that returns later nothing was freed too early. */
static void test_closing_does_not_wait(void **state)
{
	struct lookup *l = lookup_new(work);

	(void)state;
	assert_non_null(l);
	for (uint32_t i = 0; i < 3; i++)
		ask(l, STUCK, i);
	wait_for(&stuck, 2);
	lookup_close(l);
	for (uint32_t i = 0; i < 3; i++)
		sem_post(&let_go);
	wait_for(&answered, 2);
	lookup_close(NULL);
}

#define lookup_test(f) cmocka_unit_test_setup_teardown(f, opened, closed)

int main(void)
{
	const struct CMUnitTest tests[] = {
		lookup_test(test_answers),
		lookup_test(test_waiting),
		lookup_test(test_stuck_ones_cost_their_thread),
		lookup_test(test_the_bound),
		lookup_test(test_the_queue_is_bounded),
		lookup_test(test_answers_are_bounded),
		lookup_test(test_closing_does_not_wait),
	};

	return cmocka_run_group_tests_name("lookup", tests, NULL, NULL);
}
