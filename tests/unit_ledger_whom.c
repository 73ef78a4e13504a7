/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who keeps threads asleep, in the ledger: waits that go on at readings, places that others take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <string.h>

#include "fake_kernel.h"

#define MS 1000000ULL

static bool same_holder(const struct lt_whom *a, const struct lt_whom *b)
{
	return a->kind == b->kind && a->tid == b->tid;
}

static struct lt_because *lock_begins(uint32_t slot, uint32_t holder)
{
	struct lt_because *b = &fake_entry(slot, LT_CALL_WHOM)->because;

	fake_record(slot)->sched.focus = 1;
	b->lock = (struct lt_whom){ .kind = LT_WHOM_HOLDER, .tid = holder, .tgid = 10, .start_ns = 1 };
	b->since_ns = fake.now_ns;
	fake_move(slot, LT_LOCK);
	return b;
}

/* As lt_whom_slept does. */
static void lock_ends(uint32_t slot, struct lt_because *b, uint32_t place)
{
	uint64_t stay_ns = fake.now_ns - b->since_ns;
	uint64_t before_ns = same_holder(&b->of[place], &b->lock) ? b->of[place].ns : 0;
	uint32_t before = before_ns ? b->of[place].count : 0;

	if (!before_ns && b->of[place].kind) {
		b->others_ns += b->of[place].ns;
		b->others_count += b->of[place].count;
	}
	fake_wake(slot);
	b->of[place] = b->lock;
	b->of[place].state = LT_LOCK;
	b->of[place].ns = before_ns + stay_ns;
	b->of[place].count = before + 1;
	b->contended_lock_ns += stay_ns;
	fake_switch_in(slot);
}

/* What a thread was charged for in the last reading. tid 0: others. */
static uint64_t charged_ns(uint32_t tid, uint32_t holder)
{
	const struct sample_work *w = fake_work(tid);
	uint64_t ns = 0;

	for (uint32_t i = 0; i < w->n_because; i++) {
		const struct sample_because *b = &fake.sample.because[w->first_because + i];

		if (holder ? b->kind == SAMPLE_BLAME_HOLDER && b->tid == holder : b->kind == SAMPLE_BLAME_SOMEBODY)
			ns += b->ns;
	}
	return ns;
}

/* A wait for a lock goes on at readings, ends, and its holder's place is taken by another. Each ns is charged once. */
static void test_locks_are_held(void **state)
{
	uint32_t slot = fake_born(10, 10);
	struct lt_because *b;

	(void)state;
	fake.now_ns += 2 * MS;
	fake_read(); /* a process that is new is not in focus */
	b = lock_begins(slot, 77);
	for (int i = 0; i < 2; i++) {
		fake.now_ns += 10 * MS;
		fake_read();
		assert_int_equal(charged_ns(10, 77), 10 * MS);
		assert_int_equal(fake_work(10)->contended_lock_ns, 10 * MS);
	}
	fake.now_ns += 5 * MS;
	lock_ends(slot, b, 0);
	fake.now_ns += MS;
	b = lock_begins(slot, 78);
	fake.now_ns += 3 * MS;
	lock_ends(slot, b, 1);
	fake_read();
	assert_int_equal(charged_ns(10, 77), 5 * MS);
	assert_int_equal(charged_ns(10, 78), 3 * MS);
	assert_int_equal(fake_work(10)->contended_lock_ns, 8 * MS);
	/* 79 takes the place of 78, which has waited 4 ms more. */
	b = lock_begins(slot, 78);
	fake.now_ns += 4 * MS;
	lock_ends(slot, b, 1);
	b = lock_begins(slot, 79);
	fake.now_ns += 6 * MS;
	lock_ends(slot, b, 1);
	fake_read();
	assert_int_equal(charged_ns(10, 79), 6 * MS);
	assert_int_equal(charged_ns(10, 78), 0);
	assert_int_equal(charged_ns(10, 0), 4 * MS);
	/* It began before the thread was in focus: nothing is known of it. */
	b = lock_begins(slot, 77);
	b->since_ns--;
	fake.now_ns += 4 * MS;
	fake_read();
	assert_int_equal(charged_ns(10, 77), 0);
	assert_int_equal(fake_work(10)->contended_lock_ns, 0);
	assert_int_equal(fake_work(10)->time_ns[LT_LOCK], 4 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_locks_are_held, fake_setup, fake_teardown),
	};

	return cmocka_run_group_tests_name("ledger: whom", tests, NULL, NULL);
}
