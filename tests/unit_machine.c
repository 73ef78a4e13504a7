/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The growth of the machine's own counters, from contents of /proc made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"

#define TICK_NS (1000000000ULL / (uint64_t)sysconf(_SC_CLK_TCK))

static struct machine *machine;
static struct sample sample;

static int opened(void **state)
{
	(void)state;
	machine = machine_new(NULL);
	return !machine;
}

static int closed(void **state)
{
	(void)state;
	machine_free(machine);
	sample_free(&sample);
	return 0;
}

static void assert_times(const struct sample_cpu_times *t, const uint64_t ticks[5])
{
	const uint64_t got[] = { t->busy_ns, t->idle_ns, t->irq_ns, t->softirq_ns, t->steal_ns };

	for (int i = 0; i < 5; i++)
		assert_int_equal(got[i], ticks ? ticks[i] * TICK_NS : SAMPLE_UNKNOWN);
}

/* The first reading has nothing to subtract from, nor does one after a file was missing. */
static void test_the_growth(void **state)
{
	(void)state;
	machine_take(machine, PROC_STAT, "cpu 10 0 20 100 5 1 2 3 0 0\n", &sample);
	assert_times(&sample.cpu_times, NULL);
	machine_take(machine, PROC_STAT, "cpu 12 1 23 150 6 2 4 8 0 0\n", &sample);
	assert_times(&sample.cpu_times, (const uint64_t[]){ 2 + 1 + 3 + 1 + 2 + 5, 51, 1, 2, 5 });
	machine_take(machine, PROC_STAT, NULL, &sample);
	assert_times(&sample.cpu_times, NULL);
	machine_take(machine, PROC_STAT, "cpu 13 1 23 150 6 2 4 8 0 0\n", &sample);
	assert_times(&sample.cpu_times, NULL);
	machine_take(machine, PROC_STAT, "cpu 13 1 23 151 6 2 4 8 0 0\n", &sample);
	assert_times(&sample.cpu_times, (const uint64_t[]){ 0, 1, 0, 0, 0 });
}

/* The kernel's idle time does sometimes. */
static void test_times_that_go_backwards(void **state)
{
	(void)state;
	machine_take(machine, PROC_STAT, "cpu 10 0 20 100 50 1 2 3 0 0\n", &sample);
	machine_take(machine, PROC_STAT, "cpu 11 0 20 99 40 1 2 3 0 0\n", &sample);
	assert_times(&sample.cpu_times, (const uint64_t[]){ 1, 0, 0, 0, 0 });
}

static void test_pressure(void **state)
{
	(void)state;
	for (enum sample_resource i = SAMPLE_CPU; i < SAMPLE_RESOURCES; i++) {
		enum proc_machine file = (enum proc_machine)(PROC_PRESSURE + i);
		struct sample_pressure *p = &sample.pressure[i];

		machine_take(machine, file, "some total=100\nfull total=50\n", &sample);
		assert_int_equal(p->some_ns, SAMPLE_UNKNOWN);
		assert_int_equal(p->full_ns, SAMPLE_UNKNOWN);
		machine_take(machine, file, "some total=107\nfull total=50\n", &sample);
		assert_int_equal(p->some_ns, 7000);
		assert_int_equal(p->full_ns,
				 i == SAMPLE_CPU ? SAMPLE_UNKNOWN : 0); /* not counted for the whole machine */
		machine_take(machine, file, "some total=108\n", &sample);
		assert_int_equal(p->some_ns, 1000);
		assert_int_equal(p->full_ns, SAMPLE_UNKNOWN);
		machine_take(machine, file, NULL, &sample);
		assert_int_equal(p->some_ns, SAMPLE_UNKNOWN);
	}
}

static void assert_cpu(uint32_t i, uint32_t cpu, const uint64_t ticks[5])
{
	assert_true(i < sample.n_cpus);
	assert_int_equal(sample.cpus[i].cpu, cpu);
	assert_times(&sample.cpus[i].times, ticks);
}

static void read_stat(const char *text)
{
	sample_clear(&sample);
	machine_take(machine, PROC_STAT, text, &sample);
}

/* CPU numbers with gaps; one goes offline, another comes online; for one that returns the time in between is not
 * known. */
static void test_cpus_come_and_go(void **state)
{
	(void)state;
	read_stat("cpu 0 0 0 0 0 0 0 0\ncpu0 1 0 0 5 0 0 0 0\ncpu7 1 0 0 5 0 0 0 0\ncpu4000 9 0 0 0 0 0 0 0\n");
	assert_int_equal(sample.n_cpus, 3);
	assert_cpu(0, 0, NULL);
	assert_cpu(2, 4000, NULL);
	read_stat("cpu0 1 0 0 6 0 0 0 0\ncpu4000 10 0 1 0 0 1 1 2\ncpu4001 77 0 0 0 0 0 0 0\n");
	assert_int_equal(sample.n_cpus, 3);
	assert_cpu(0, 0, (const uint64_t[]){ 0, 1, 0, 0, 0 });
	assert_cpu(1, 4000, (const uint64_t[]){ 6, 0, 1, 1, 2 });
	assert_cpu(2, 4001, NULL);
	read_stat("cpu0 2 0 0 6 0 0 0 0\ncpu7 3 0 0 5 0 0 0 0\ncpu4001 78 0 0 0 0 0 0 0\n");
	assert_cpu(0, 0, (const uint64_t[]){ 1, 0, 0, 0, 0 });
	assert_cpu(1, 7, NULL);
	assert_cpu(2, 4001, (const uint64_t[]){ 1, 0, 0, 0, 0 });
	read_stat(NULL);
	assert_int_equal(sample.n_cpus, 0);
}

/* A number that appears twice, or out of order, is ignored; and there are never too many CPUs. */
static void test_hostile_cpus(void **state)
{
	char *text, *at;

	(void)state;
	read_stat("cpu1 1 0 0 0 0 0 0 0\ncpu1 2 0 0 0 0 0 0 0\ncpu0 3 0 0 0 0 0 0 0\ncpu2 4 0 0 0 0 0 0 0\n");
	assert_int_equal(sample.n_cpus, 2);
	assert_cpu(1, 2, NULL);
	at = text = malloc(100000 * 40);
	assert_non_null(text);
	for (int i = 0; i < 100000; i++)
		at += sprintf(at, "cpu%d 1 0 0 0 0 0 0 0\n", i);
	read_stat(text);
	free(text);
	assert_int_equal(sample.n_cpus, 1 << 16);
	assert_null(sample_check(&sample) ? strstr(sample_check(&sample), "CPU") : NULL);
}

#define MANY 1024
#define READINGS 300 /* until it must have succeeded once */

/* A run queue's numbers go to the CPU of that number. */
static void test_queues(void **state)
{
	static struct lt_runqueue queues[MANY];
	char *text = malloc(MANY * 40), *at = text;

	(void)state;
	assert_non_null(text);
	for (int i = 0; i < MANY; i++)
		at += sprintf(at, "cpu%d 1 0 0 0 0 0 0 0\n", i * 3);
	for (uint32_t i = 0; i < MANY; i++)
		queues[i] = (struct lt_runqueue){ .switches = 1000 + i, .queued = i, .runs = LT_RUNS_IDLE };
	queues[30].runs = LT_RUNS_THREAD;
	queues[30].tgid = 5;
	queues[30].tid = 6;
	queues[30].since_ns = 70;
	memset(queues[30].comm, 'x', sizeof(queues[30].comm));
	queues[33].switches = 0; /* nothing is known */
	for (int n = 0; n < 2; n++) {
		read_stat(text);
		sample.t_ns = 100;
		machine_queues(machine, queues, MANY, &sample);
		assert_int_equal(sample.n_cpus, MANY);
		for (uint32_t i = 0; i < MANY; i++) {
			const struct sample_cpu *c = &sample.cpus[i];
			bool known = c->cpu < MANY && c->cpu != 33;

			assert_int_equal(c->queued, known ? c->cpu : SAMPLE_NONE);
			assert_int_equal(c->switches, known && n ? 2 * c->cpu : SAMPLE_UNKNOWN);
			assert_int_equal(c->runs, !known	 ? LT_RUNS_UNKNOWN
						  : c->cpu == 30 ? LT_RUNS_THREAD
								 : LT_RUNS_IDLE);
			assert_int_equal(c->run_ns, c->cpu == 30 ? 30 : SAMPLE_UNKNOWN);
			assert_int_equal(c->pid, c->cpu == 30 ? 5 : 0);
			assert_int_equal(c->tid, c->cpu == 30 ? 6 : 0);
			assert_int_equal(strlen(c->comm), c->cpu == 30 ? 15 : 0);
		}
		for (uint32_t i = 0; i < MANY; i++)
			queues[i].switches += queues[i].switches ? 2 * i : 0;
	}
	free(text);
}

#define STACK(overflows, drops, rcvq, udp)                                                                             \
	"TcpExt: SyncookiesSent SyncookiesRecv SyncookiesFailed ListenOverflows ListenDrops TCPBacklogDrop "           \
	"TCPRcvQDrop "                                                                                                 \
	"TCPOFODrop TCPZeroWindowDrop TCPReqQFullDoCookies TCPReqQFullDrop\n"                                          \
	"TcpExt: 1 2 3 " overflows " " drops " 4 " rcvq " 6 7 8 9\nUdp: InDatagrams RcvbufErrors\nUdp: 5 " udp "\n"

static void test_the_network_stack(void **state)
{
	(void)state;
	machine_take(machine, PROC_STACK, STACK("10", "20", "5", "30") "Udp6RcvbufErrors\t5\n", &sample);
	for (int i = 0; i < SAMPLE_STACKS; i++)
		assert_int_equal(sample.stack[i], SAMPLE_UNKNOWN);
	machine_take(machine, PROC_STACK, STACK("11", "23", "10", "37") "Udp6RcvbufErrors\t16\n", &sample);
	assert_int_equal(sample.stack[STACK_listen_overflows], 1);
	assert_int_equal(sample.stack[STACK_listen_drops], 3);
	assert_int_equal(sample.stack[STACK_tcp_receive_drops], 5);
	assert_int_equal(sample.stack[STACK_udp_receive_drops], 18);
	assert_int_equal(sample.stack[STACK_syn_queue_drops], 0);
	/* An older kernel does not have all of them. */
	machine_take(machine, PROC_STACK, "TcpExt: ListenDrops\nTcpExt: 24\n", &sample);
	assert_int_equal(sample.stack[STACK_listen_drops], 1);
	assert_int_equal(sample.stack[STACK_listen_overflows], SAMPLE_UNKNOWN);
	assert_int_equal(sample.stack[STACK_tcp_receive_drops], SAMPLE_UNKNOWN);
	machine_take(machine, PROC_STACK, NULL, &sample);
	assert_int_equal(sample.stack[STACK_listen_drops], SAMPLE_UNKNOWN);
}

static bool all_known(void)
{
	bool known = sample.cpu_times.busy_ns != SAMPLE_UNKNOWN;

	for (int i = 0; i < SAMPLE_STACKS; i++)
		known &= sample.stack[i] != SAMPLE_UNKNOWN;
	return known && (sample.pressure[SAMPLE_CPU].some_ns != SAMPLE_UNKNOWN || access("/proc/pressure/cpu", R_OK));
}

/* This machine's files, through the helper thread. A reading does not wait long for that: on a busy machine one file or
 * another is late now and then, and its numbers are unknown twice. */
static void test_a_reading(void **state)
{
	(void)state;
	machine_ask(machine, 0);
	machine_read(machine, &sample);
	assert_times(&sample.cpu_times, NULL);
	for (int i = 0; i < READINGS && !all_known(); i++) {
		machine_ask(machine, 0);
		machine_read(machine, &sample);
	}
	assert_true(all_known());
}

#define machine_test(f) cmocka_unit_test_setup_teardown(f, opened, closed)

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_the_growth),	     machine_test(test_times_that_go_backwards),
		machine_test(test_pressure),	     machine_test(test_the_network_stack),
		machine_test(test_cpus_come_and_go), machine_test(test_hostile_cpus),
		machine_test(test_queues),	     machine_test(test_a_reading),
	};

	return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
