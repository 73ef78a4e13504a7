/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables of the kernel side at their bounds, which no workload reaches at will: bpf/disk.bpf.c, bpf/ring.bpf.c and
 * bpf/focus.bpf.h, compiled for this machine. What finds no room is counted, and everything else goes on
 * (bpf/README.md).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "bpf_native.h"

static long refuse(const void *map, const void *data);

static struct task_struct self;
static uint64_t time_ns;

#define bpf_get_current_task_btf() (&self)
#define bpf_get_current_task() ((__u64)&self)
#define bpf_ktime_get_ns() (time_ns)
#define bpf_map_update_elem(map, key, value, flags) refuse(map, key)
#define bpf_map_delete_elem(map, key) refuse(map, key)
#define bpf_ringbuf_output(ring, data, size, flags) refuse(ring, data)
#include "../bpf/record.bpf.h"
#define LICENSE license_of_disk
#define const /* what is set before load is set here */
#include "../bpf/disk.bpf.c"
#undef const
#undef LICENSE
#define LICENSE license_of_ring
#include "../bpf/ring.bpf.c"
#undef LICENSE
#include "../bpf/focus.bpf.h"

/* ---- what the kernel provides ---- */

static struct lt_cpu cpu;
static struct lt_disk disks[LT_DISKS];
static struct lt_flights flights; /* every request and every ring is in this set */

static bool field_exists(const char *field)
{
	(void)field;
	return true;
}

static long read_kernel(void *to, size_t size, const void *from)
{
	memcpy(to, from, size);
	return 0;
}

static long task_regs(struct task_struct *task)
{
	(void)task;
	return 0;
}

static long refuse(const void *map, const void *data)
{
	(void)map;
	(void)data;
	return -7;
}

static void *lookup(const void *map, const void *key)
{
	uint32_t nr = *(const uint32_t *)key;
	void *volatile found = NULL; /* or the compiler takes one for another */

	if (map == &lt_cpus)
		found = &cpu;
	else if (map == &lt_disks && nr < LT_DISKS)
		found = &disks[nr];
	else if (map == &lt_stamps || map == &lt_rings)
		found = &flights;
	return found;
}

static int emptied(void **state)
{
	(void)state;
	memset(&cpu, 0, sizeof(cpu));
	memset(disks, 0, sizeof(disks));
	memset(&flights, 0, sizeof(flights));
	time_ns = 1000000;
	return 0;
}

/* ---- block devices ---- */

static struct gendisk device;
static struct request_queue queue = { .disk = &device };

/* A read that took 100 us, of which the driver had it for the last 40. */
static void read_from(int minor, bool others_come_in_between)
{
	struct request rq = { .q = &queue, .__data_len = 4096, .start_time_ns = time_ns };
	unsigned long long args[] = { (uintptr_t)&rq, 0, 4096 };

	lt_rqf_io_stat = rq.rq_flags = 1;
	device.major = 8;
	device.first_minor = minor;
	time_ns += 60000;
	lt_issue(args);
	for (uint64_t tag = 1; others_come_in_between && tag <= LT_FLIGHT_WAYS; tag++)
		flights.way[tag - 1] = tag << LT_FLIGHT_BITS | 1;
	time_ns += 40000;
	lt_complete_v1(args);
}

static uint64_t requests_of_part(const struct lt_disk *d, enum lt_disk_part part)
{
	uint64_t n = 0;

	for (int i = 0; i < HIST_BUCKETS; i++)
		n += d->latency[part].count[i];
	return n;
}

static uint64_t requests_in(enum lt_disk_part part)
{
	uint64_t n = 0;

	for (int i = 0; i < LT_DISKS; i++)
		n += requests_of_part(&disks[i], part);
	return n;
}

static void test_devices(void **state)
{
	(void)state;
	for (int i = 1; i <= 1000; i++) {
		read_from(i, false);
		assert_int_equal(requests_in(LT_DISK_TOTAL) + cpu.lost_requests, i);
		if (i <= LT_DISKS - LT_DISK_TRIES)
			assert_int_equal(cpu.lost_requests, 0);
	}
	/* A row is looked for in LT_DISK_TRIES places. */
	assert_int_equal(requests_in(LT_DISK_TOTAL), LT_DISKS);
	assert_int_equal(requests_in(LT_DISK_QUEUE), requests_in(LT_DISK_TOTAL));
	assert_int_equal(requests_in(LT_DISK_SERVICE), requests_in(LT_DISK_TOTAL));
	/* The first one's goes on. */
	read_from(1, false);
	assert_int_equal(requests_in(LT_DISK_TOTAL) + cpu.lost_requests, 1001);
	assert_int_equal(requests_of_part(&disks[disk_slot(LT_DISK_KEY(8, 1, LT_DISK_READ))], LT_DISK_TOTAL), 2);
}

/* A request whose stamp was replaced by others' is counted, and is not split. */
static void test_requests_in_flight(void **state)
{
	(void)state;
	read_from(1, true);
	assert_int_equal(requests_in(LT_DISK_TOTAL), 1);
	assert_int_equal(requests_in(LT_DISK_QUEUE), 0);
	assert_int_equal(requests_in(LT_DISK_SERVICE), 0);
	/* In a full set it replaces another's. */
	read_from(1, false);
	assert_int_equal(requests_in(LT_DISK_TOTAL), 2);
	assert_int_equal(requests_in(LT_DISK_QUEUE), 1);
	assert_int_equal(requests_in(LT_DISK_SERVICE), 1);
	assert_int_equal(cpu.lost_requests, 0);
}

/* ---- io_uring ---- */

#define RING 0xffff888012345640ULL
#define ANOTHER_RING 0xffff8880aaaaaa40ULL
#define MOST_IN_RING ((1 << LT_RING_COUNT_BITS) - 1)

/* More requests of a kind than are counted do not run into the next kind, and end without a trace. */
static void test_requests_of_a_ring(void **state)
{
	uint64_t kept = 0;

	(void)state;
	assert_int_not_equal(ring_add(RING, LT_RING_NET), 0);
	for (int i = 0; i < MOST_IN_RING; i++) {
		kept = ring_add(RING, LT_RING_DISK);
		assert_int_not_equal(kept, 0);
	}
	assert_int_equal(ring_add(RING, LT_RING_DISK), 0);
	assert_int_equal(LT_RING_COUNT(lt_ring_counts(RING), LT_RING_DISK), MOST_IN_RING);
	assert_int_equal(LT_RING_COUNT(lt_ring_counts(RING), LT_RING_NET), 1);
	ring_sub(KEPT);
	for (int i = 0; i < MOST_IN_RING; i++)
		ring_sub(KEPT | kept);
	assert_int_equal(lt_ring_counts(RING), LT_RING_ONE(LT_RING_NET));
}

/* A completion that found no room was one of them: all are dropped, and what ends later takes nothing away from those
 * that are counted since. */
static void test_a_ring_without_room(void **state)
{
	uint64_t before, since;

	(void)state;
	before = ring_add(RING, LT_RING_DISK);
	ring_add(ANOTHER_RING, LT_RING_IO);
	for (int i = 0; i < 20; i++) {
		ring_add(RING, LT_RING_NET);
		ring_drop(RING);
		assert_int_equal(lt_ring_counts(RING), 0);
		ring_sub(KEPT | before);
		assert_int_equal(lt_ring_counts(RING), 0);
	}
	ring_drop(RING); /* there is nothing to drop */
	since = ring_add(RING, LT_RING_DISK);
	ring_sub(KEPT | before);
	assert_int_equal(lt_ring_counts(RING), LT_RING_ONE(LT_RING_DISK));
	ring_sub(KEPT | since);
	assert_int_equal(lt_ring_counts(RING), 0);
	assert_int_equal(lt_ring_counts(ANOTHER_RING), LT_RING_ONE(LT_RING_IO));
}

/* A set that four other rings use: what this one's requests wait for is not known, until one of the others rests. */
static void test_rings(void **state)
{
	uint64_t kept[LT_FLIGHT_WAYS];

	(void)state;
	for (uint64_t i = 0; i < LT_FLIGHT_WAYS; i++)
		kept[i] = ring_add(ANOTHER_RING + (i << 6), LT_RING_IO);
	assert_int_equal(ring_add(RING, LT_RING_DISK), 0);
	assert_int_equal(lt_ring_counts(RING), 0);
	for (uint64_t i = 0; i < LT_FLIGHT_WAYS; i++)
		assert_int_equal(lt_ring_counts(ANOTHER_RING + (i << 6)), LT_RING_ONE(LT_RING_IO));
	ring_sub(KEPT | kept[1]);
	assert_int_not_equal(ring_add(RING, LT_RING_DISK), 0);
	assert_int_equal(lt_ring_counts(RING), LT_RING_ONE(LT_RING_DISK));
}

/* ---- who ran while processes in focus waited ---- */

/* Every ns is in an entry or in `others`, and the last ones that ran have theirs. */
static void test_culprits(void **state)
{
	static struct lt_focus focus;
	uint64_t sum = 0, now_ns = 1ULL << 30;
	uint32_t entries = 0;

	(void)state;
	for (uint32_t pid = 1; pid <= 1000; pid++) {
		uint32_t at = culprit_of(&focus, pid, pid, now_ns += 10 << 20);

		assert_true(at < LT_CULPRITS);
		assert_int_equal(focus.culprit[at].tgid, pid);
		focus.culprit[at].ns[3] += pid;
		/* One that runs all the time stays. */
		at = culprit_of(&focus, 5000, 1, now_ns += 1 << 20);
		focus.culprit[at].ns[0]++;
	}
	assert_int_equal(focus.culprit[culprit_of(&focus, 5000, 1, now_ns)].ns[0], 1000);
	assert_int_equal(focus.culprit[culprit_of(&focus, 1000, 1000, now_ns)].ns[3], 1000);
	for (int i = 0; i < LT_CULPRITS; i++) {
		sum += focus.culprit[i].ns[3];
		entries += focus.culprit[i].used != 0;
	}
	assert_int_equal(entries, LT_CULPRITS);
	assert_int_equal(sum + focus.blame_ns[LT_BLAME_OTHERS][3], 1000 * 1001 / 2);
}

int main(void)
{
	static const struct CMUnitTest bounds[] = {
		cmocka_unit_test_setup(test_devices, emptied),
		cmocka_unit_test_setup(test_requests_in_flight, emptied),
		cmocka_unit_test_setup(test_requests_of_a_ring, emptied),
		cmocka_unit_test_setup(test_a_ring_without_room, emptied),
		cmocka_unit_test_setup(test_rings, emptied),
		cmocka_unit_test(test_culprits),
	};

	return cmocka_run_group_tests(bounds, NULL, NULL);
}
