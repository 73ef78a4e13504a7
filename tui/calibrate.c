/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "calibrate.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CALLS_OF_BATCH 500
#define WAKES_OF_BATCH 100 /* both ways */

/* Two threads that wake each other in turn; a word is 1 when its thread may go on. */
struct pair {
	uint32_t first, second;
	bool end;
};

static double cpu_ns(clockid_t clock)
{
	struct timespec t = { 0 };

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void wake(uint32_t *word)
{
	__atomic_store_n(word, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void await(uint32_t *word)
{
	while (!__atomic_exchange_n(word, 0, __ATOMIC_SEQ_CST))
		syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static void *second_thread(void *arg)
{
	struct pair *pair = arg;

	for (;;) {
		await(&pair->second);
		if (__atomic_load_n(&pair->end, __ATOMIC_ACQUIRE))
			return NULL;
		wake(&pair->first);
	}
}

int calibrate_pin(int cpu)
{
	cpu_set_t set;

	for (int i = 0; i < 2; i++, cpu = sched_getcpu()) {
		CPU_ZERO(&set);
		if (cpu < 0 || cpu >= CPU_SETSIZE)
			continue;
		CPU_SET(cpu, &set);
		if (!sched_setaffinity(0, sizeof(set), &set))
			return cpu;
	}
	return -EINVAL;
}

static double calls_batch(void)
{
	double start_ns = cpu_ns(CLOCK_THREAD_CPUTIME_ID);

	for (int i = 0; i < CALLS_OF_BATCH; i++)
		syscall(SYS_getppid);
	return (cpu_ns(CLOCK_THREAD_CPUTIME_ID) - start_ns) / CALLS_OF_BATCH;
}

static double wakes_batch(struct pair *pair, clockid_t other)
{
	double start_ns = cpu_ns(CLOCK_THREAD_CPUTIME_ID) + cpu_ns(other);

	for (int i = 0; i < WAKES_OF_BATCH / 2; i++) {
		wake(&pair->second);
		await(&pair->first);
	}
	return (cpu_ns(CLOCK_THREAD_CPUTIME_ID) + cpu_ns(other) - start_ns) / WAKES_OF_BATCH;
}

int calibrate_run(enum calibrate_event event, struct calibrate_series *series, uint32_t batches, const bool *stop)
{
	struct pair pair = { 0 };
	clockid_t other = 0;
	pthread_t thread;
	int err = 0;

	if (event == CALIBRATE_WAKE) {
		err = -pthread_create(&thread, NULL, second_thread, &pair);
		if (err)
			return err;
		err = -pthread_getcpuclockid(thread, &other);
	}
	for (uint32_t i = 0; !err && i < batches && series->n < CALIBRATE_BATCHES; i++) {
		if (__atomic_load_n(stop, __ATOMIC_ACQUIRE))
			break;
		series->ns[series->n++] = event == CALIBRATE_WAKE ? wakes_batch(&pair, other) : calls_batch();
	}
	if (event == CALIBRATE_WAKE) {
		__atomic_store_n(&pair.end, true, __ATOMIC_RELEASE);
		wake(&pair.second);
		pthread_join(thread, NULL);
	}
	return err;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double calibrate_result(const struct calibrate_series *series, double *noise_ns)
{
	struct calibrate_series sorted = *series;

	*noise_ns = 0;
	if (!sorted.n)
		return 0;
	qsort(sorted.ns, sorted.n, sizeof(*sorted.ns), compare);
	*noise_ns = sorted.ns[sorted.n / 2] - sorted.ns[sorted.n / 4];
	return sorted.ns[sorted.n / 4];
}
