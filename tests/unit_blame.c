/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who keeps whom waiting: charges of CPUs subtracted, merged, and of waits that go on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "blame.h"

#define CPUS 2

static struct lt_focus cpu[CPUS];
static struct lt_runqueue runs[CPUS];
static struct blame blame;

static int setup(void **state)
{
	(void)state;
	memset(cpu, 0, sizeof(cpu));
	memset(runs, 0, sizeof(runs));
	return blame_init(&blame, CPUS);
}

static int teardown(void **state)
{
	(void)state;
	blame_free(&blame);
	return 0;
}

static uint64_t start_of(void *ctx, uint32_t pid)
{
	(void)ctx;
	return pid * 10;
}

static void read_at(uint64_t now_ns)
{
	assert_int_equal(blame_read(&blame, cpu, runs, start_of, NULL, now_ns), 0);
}

static int64_t charged(uint32_t slot, uint32_t kind, uint32_t pid)
{
	int64_t ns = 0;
	int found = 0;

	for (uint32_t i = 0; i < blame.n; i++) {
		const struct blame_charge *c = &blame.charges[i];

		assert_true(c->ns > 0);
		if (i && c->slot == c[-1].slot)
			assert_true(c->ns <= c[-1].ns);
		if (c->slot == slot && c->kind == kind && c->pid == pid) {
			ns = c->ns;
			found++;
		}
	}
	assert_true(found <= 1);
	return ns;
}

static int64_t sum(uint32_t slot)
{
	int64_t ns = 0;

	for (uint32_t i = 0; i < blame.n; i++)
		ns += blame.charges[i].slot == slot ? blame.charges[i].ns : 0;
	return ns;
}

static void charge(int c, int entry, uint32_t pid, uint32_t slot, uint64_t ns)
{
	cpu[c].seq += 2;
	cpu[c].culprit[entry].used = 1;
	cpu[c].culprit[entry].tgid = pid;
	cpu[c].culprit[entry].start_ns = pid * 10;
	cpu[c].culprit[entry].ns[slot] += ns;
}

static void over_cpus_and_readings(void **state)
{
	(void)state;
	charge(0, 0, 7, 3, 100);
	charge(1, 5, 7, 3, 20);
	charge(1, 6, 8, 3, 300);
	charge(1, 6, 8, 4, 1);
	cpu[1].blame_ns[LT_BLAME_QUOTA][3] = 50;
	cpu[1].blame_ns[LT_BLAME_MOVED][3] = 5;
	cpu[1].blame_ns[LT_BLAME_OTHERS][3] = 6;
	read_at(1000);
	assert_int_equal(charged(3, SAMPLE_BLAME_CPU, 7), 120);
	assert_int_equal(charged(3, SAMPLE_BLAME_CPU, 8), 300);
	assert_int_equal(charged(3, SAMPLE_BLAME_QUOTA, 0), 50);
	assert_int_equal(charged(3, SAMPLE_BLAME_OTHERS, 0), 11);
	assert_int_equal(blame.moved_ns[3], 5);
	assert_int_equal(charged(4, SAMPLE_BLAME_CPU, 8), 1);
	charge(0, 0, 7, 3, 1);
	read_at(2000);
	assert_int_equal(charged(3, SAMPLE_BLAME_CPU, 7), 1);
	assert_int_equal(blame.n, 1);
	assert_int_equal(blame.moved_ns[3], 0);
	read_at(3000);
	assert_int_equal(blame.n, 0);
}

/* An entry's next process: what the one before had is among the others, but was reported under its name. */
static void an_entry_changes_hands(void **state)
{
	(void)state;
	charge(0, 0, 7, 3, 100);
	read_at(1000);
	charge(0, 0, 7, 3, 30);
	cpu[0].blame_ns[LT_BLAME_OTHERS][3] += 130; /* 7's, then 9's */
	cpu[0].culprit[0].ns[3] = 0;
	charge(0, 0, 9, 3, 50);
	cpu[0].blame_ns[LT_BLAME_OTHERS][3] += 50;
	cpu[0].culprit[0].ns[3] = 0;
	charge(0, 0, 8, 3, 20);
	read_at(2000);
	assert_int_equal(charged(3, SAMPLE_BLAME_OTHERS, 0), 80);
	assert_int_equal(charged(3, SAMPLE_BLAME_CPU, 8), 20);
	assert_int_equal(sum(3), 100);
}

static void waits_that_go_on(void **state)
{
	(void)state;
	cpu[0].n[3] = 2; /* since 600 and 700 */
	cpu[0].sum_ns[3] = 1300;
	cpu[0].busy = 1 << 3;
	cpu[0].seq = 2;
	runs[0] = (struct lt_runqueue){ .runs = LT_RUNS_THREAD, .tgid = 7 };
	read_at(1000);
	assert_int_equal(charged(3, SAMPLE_BLAME_CPU, 7), 700);
	assert_int_equal(blame.charges[0].start_ns, 70);
	assert_int_equal(blame.waiting, 1 << 3);
	/* Nothing has changed but the time. */
	read_at(1100);
	assert_int_equal(charged(3, SAMPLE_BLAME_CPU, 7), 200);
	/* 7 ran until 1150; of that, interrupts took 10. One got the CPU, the other waits for an idle CPU. */
	charge(0, 0, 7, 3, 990);
	cpu[0].blame_ns[LT_BLAME_IRQ][3] = 10;
	cpu[0].n[3] = 1;
	cpu[0].sum_ns[3] = 1150;
	runs[0] = (struct lt_runqueue){ .runs = LT_RUNS_IDLE };
	read_at(1200);
	assert_int_equal(sum(3), 150);
	assert_int_equal(charged(3, SAMPLE_BLAME_CPU, 7), 90);
	assert_int_equal(charged(3, SAMPLE_BLAME_IRQ, 0), 10);
	assert_int_equal(charged(3, SAMPLE_BLAME_ASLEEP, 0), 50);
}

/* What was charged too early is not below 0, and the sum stays right. */
static void never_below_zero(void **state)
{
	(void)state;
	cpu[0].n[3] = 1;
	cpu[0].busy = 1 << 3;
	cpu[0].seq = 2;
	runs[0] = (struct lt_runqueue){ .runs = LT_RUNS_THREAD, .tgid = 7 };
	read_at(1000);
	assert_int_equal(charged(3, SAMPLE_BLAME_CPU, 7), 1000);
	charge(0, 0, 8, 3, 1100); /* it was 8 */
	cpu[0].n[3] = 0;
	cpu[0].busy = 0;
	read_at(1200);
	assert_int_equal(sum(3), 100);
	assert_int_equal(charged(3, SAMPLE_BLAME_CPU, 8), 100);
}

static volatile bool stop;

static void *writer(void *arg)
{
	(void)arg;
	while (!stop) {
		__atomic_fetch_add(&cpu[1].seq, 1, __ATOMIC_SEQ_CST);
		cpu[1].sum_ns[3] += 1000;
		cpu[1].culprit[4].used = 1;
		cpu[1].culprit[4].ns[3] += 1000;
		__atomic_fetch_add(&cpu[1].seq, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

/* A copy that was torn would make sums wrong: here each charge moves `sum`, too. */
static void while_it_is_written(void **state)
{
	pthread_t thread;
	int64_t all = 0;

	(void)state;
	cpu[1].n[3] = 1;
	cpu[1].busy = 1 << 3;
	cpu[1].seq = 2;
	stop = false;
	assert_int_equal(pthread_create(&thread, NULL, writer, NULL), 0);
	for (uint64_t now_ns = 1ULL << 40; now_ns < (1ULL << 40) + 3000; now_ns++) {
		read_at(now_ns);
		all += sum(3);
	}
	stop = true;
	pthread_join(thread, NULL);
	read_at((1ULL << 40) + 3000);
	all += sum(3);
	assert_int_equal(all, (1ULL << 40) + 3000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(over_cpus_and_readings, setup, teardown),
		cmocka_unit_test_setup_teardown(an_entry_changes_hands, setup, teardown),
		cmocka_unit_test_setup_teardown(waits_that_go_on, setup, teardown),
		cmocka_unit_test_setup_teardown(never_below_zero, setup, teardown),
		cmocka_unit_test_setup_teardown(while_it_is_written, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
