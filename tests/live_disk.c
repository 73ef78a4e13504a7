/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process's disk numbers: bytes and faults as the kernel counts them, and each single wait. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "asleep.h"
#include "live.h"
#include "mounts.h"

#define FILE_PATH "/var/tmp/lagtop-live-disk"

static int64_t io_number(int64_t pid, const char *field)
{
	char word[24];

	snprintf(word, sizeof(word), "%s:", field);
	return live_proc(pid, "io", word);
}

/* A thread and a child that have exited before the reading count, too. */
static void test_bytes_and_faults(void **state)
{
	static const char *const fields[] = { "read_bytes", "write_bytes" };
	int64_t pid, child, before[2];
	const char *ready, *done;
	struct child *load;
	struct live *l;
	size_t from;

	(void)state;
	live_need_disk();
	l = live_start("-d", "0.3", NULL);
	load = live_load(&ready, "bytes", FILE_PATH, "256", NULL);
	pid = child_value(ready, "pid");
	asleep_wait(pid);
	from = live_mark(l);
	for (int i = 0; i < 2; i++)
		before[i] = io_number(pid, fields[i]);
	done = live_round(load);
	child = child_value(done, "child");
	asleep_wait(pid);
	live_past_now(l);
	for (int i = 0; i < 2; i++) {
		char path[40];

		snprintf(path, sizeof(path), "disk.%s", fields[i]);
		/* The kernel adds children that were waited for. */
		live_compare((double)live_sum(l, from, pid, path) + (double)live_sum(l, from, child, path),
			     (double)(io_number(pid, fields[i]) - before[i]), 0, "a process, a thread, a child: %s",
			     fields[i]);
	}
	live_compare((double)live_sum(l, from, pid, "disk.major_faults"), (double)child_value(done, "faults"), 0,
		     "a process and a thread: major faults");
	live_between((double)child_value(done, "faults"), 1, 256, "a process and a thread: there were faults");
	live_between((double)live_sum(l, from, child, "disk.read_bytes"), 128 * 4096, 257 * 4096,
		     "a child: read_bytes");
	live_between((double)live_sum(l, from, child, "disk.major_faults"), 1, 257, "a child: major faults");
	live_verdict();
}

static void test_waits(void **state)
{
	const char *ready, *done;
	struct child *load;
	struct live *l;
	int64_t pid, max_ns = 0, ns;
	size_t from;

	(void)state;
	live_need_disk();
	l = live_start("-d", "0.3", "--no-syscall", NULL);
	load = live_load(&ready, "direct", FILE_PATH, live_times("2000", "200"), NULL);
	pid = child_value(ready, "pid");
	asleep_wait(pid);
	from = live_mark(l);
	done = live_round(load);
	asleep_wait(pid);
	live_past_now(l);
	for (size_t r = from; r < l->n; r++) {
		struct json_object *p = live_process(l->reading[r], pid);

		ns = p ? live_get(p, "disk.max_ns") : LIVE_NULL;
		max_ns = ns > max_ns ? ns : max_ns;
	}
	live_compare((double)live_sum(l, from, pid, "disk.count"), (double)child_value(done, "waits"), 0,
		     "waits for a disk: how many");
	live_between((double)live_sum(l, from, pid, "time_ns.disk"), 1, (double)child_value(done, "sum_ns"),
		     "waits for a disk: shorter than the reads, together");
	live_between((double)max_ns, 1, (double)child_value(done, "longest_ns"),
		     "waits for a disk: shorter than the reads, the longest");
	live_verdict();
}

/* ---- block devices, against /proc/diskstats and fio ---- */

#define IMAGE FILE_PATH ".image"
#define OPS 4

static const char *const ops[OPS] = { "read", "write", "discard", "flush" };
static char loop_name[16]; /* "loop3"; "": none */

static int64_t command_number(const char *command)
{
	FILE *f = popen(command, "r");
	long long n = -1;

	assert_non_null(f);
	if (fscanf(f, "%lld", &n) != 1)
		n = -1;
	pclose(f);
	return n;
}

/* A device that only this test uses. */
static void make_device(const char *options)
{
	char command[200], path[64] = "";
	FILE *f;

	live_need_disk();
	if (command_number("fio --version >/dev/null 2>&1; echo $?"))
		live_skip("fio is not installed");
	snprintf(command, sizeof(command), "truncate -s 64M " IMAGE " && losetup %s --show -f " IMAGE " 2>&1", options);
	f = popen(command, "r");
	assert_non_null(f);
	if (fscanf(f, "/dev/%15s", loop_name) != 1)
		*loop_name = '\0';
	pclose(f);
	if (!*loop_name)
		live_skip("no loop device is available");
	/* Others may look at a new device. */
	snprintf(path, sizeof(path), "udevadm settle 2>/dev/null; sync /dev/%s", loop_name);
	if (system(path) < 0)
		live_skip("there is no shell");
}

static int end_device(void **state)
{
	char command[80];
	int left = live_end_test(state);

	if (*loop_name) {
		snprintf(command, sizeof(command), "losetup -d /dev/%s", loop_name);
		left |= system(command);
	}
	*loop_name = '\0';
	unlink(IMAGE);
	return left;
}

/* What the kernel has counted for the device so far: completed requests and bytes. */
static void kernel_disk(int64_t count[OPS], int64_t bytes[OPS])
{
	static const int at[OPS] = { 0, 4, 11, 15 };
	char line[512], name[64];
	FILE *f = fopen("/proc/diskstats", "r");
	long long n[17];
	int used;

	assert_non_null(f);
	memset(count, 0, OPS * sizeof(*count));
	while (fgets(line, sizeof(line), f)) {
		char *rest = line;

		if (sscanf(line, "%*u %*u %63s%n", name, &used) != 1 || strcmp(name, loop_name) != 0)
			continue;
		rest += used;
		for (int i = 0; i < 17; i++)
			n[i] = strtoll(rest, &rest, 10);
		for (int op = 0; op < OPS; op++) {
			count[op] = n[at[op]];
			bytes[op] = op < 3 ? n[at[op] + 2] * 512 : 0;
		}
	}
	fclose(f);
}

/* A number of the device's row; 0: null, or no row. */
static int64_t of_disk(struct json_object *reading, const char *op, const char *path)
{
	struct json_object *disks = NULL, *d;
	int64_t n = LIVE_NULL;

	if (!json_object_object_get_ex(reading, "disks", &disks))
		fail_msg("no disks");
	for (size_t i = 0; disks && i < json_object_array_length(disks); i++) {
		d = json_object_array_get_idx(disks, i);
		if (!strcmp(live_text(d, "device"), loop_name) && !strcmp(live_text(d, "op"), op))
			n = live_get(d, path);
	}
	return n == LIVE_NULL ? 0 : n;
}

static int64_t sum_disk(struct live *l, size_t from, const char *op, const char *path)
{
	int64_t sum = 0;

	for (size_t r = from; r < l->n; r++)
		sum += of_disk(l->reading[r], op, path);
	return sum;
}

/* Where tracepoints do not fire while pid 1 is current, requests that complete then are missed; elsewhere none are. */
static bool pid1_hides(void)
{
	return getenv("LIVE_EMULATED") == NULL;
}

/* Every request that the kernel counted has a latency, or carried a flush, or is lost. */
static void compare_counts(struct live *l, size_t from, const int64_t before[2][OPS], const char *what)
{
	int64_t count[OPS], bytes[OPS], lost = 0;

	kernel_disk(count, bytes);
	for (size_t r = from; r < l->n; r++)
		lost += live_get(l->reading[r], "lost.requests");
	for (int op = 0; op < OPS; op++) {
		int64_t ended = count[op] - before[0][op], known;

		live_compare((double)sum_disk(l, from, ops[op], "count"), (double)ended, 0, "%s: %s", what, ops[op]);
		live_compare((double)sum_disk(l, from, ops[op], "bytes"), (double)(bytes[op] - before[1][op]), 0,
			     "%s: %s, bytes", what, ops[op]);
		known = sum_disk(l, from, ops[op], "latency.count") + sum_disk(l, from, ops[op], "carriers");
		live_between((double)known, (double)(ended - lost) * (pid1_hides() ? 0.99 : 1) - (pid1_hides() ? 5 : 0),
			     (double)ended, "%s: %s, with a latency", what, ops[op]);
	}
}

/* fio on the device; the median of its reads' completion latencies in ns. */
static double run_fio(const char *options)
{
	struct json_object *said, *o = NULL, *median = NULL;
	char command[400], *text = NULL;
	double median_ns;
	size_t room = 0;
	FILE *f;

	snprintf(command, sizeof(command),
		 "fio --name=t --filename=/dev/%s --size=32M --bs=4k --output-format=json --randseed=7 %s 2>/dev/null",
		 loop_name, options);
	f = popen(command, "r");
	assert_non_null(f);
	if (getdelim(&text, &room, 0, f) < 0 || pclose(f))
		fail_msg("fio failed: %s", command);
	said = json_tokener_parse(text);
	if (!json_object_object_get_ex(said, "jobs", &o))
		fail_msg("fio says nothing: %s", command);
	o = json_object_array_get_idx(o, 0);
	if (json_object_object_get_ex(o, "read", &o) && json_object_object_get_ex(o, "clat_ns", &o) &&
	    json_object_object_get_ex(o, "percentile", &o))
		json_object_object_get_ex(o, "50.000000", &median);
	median_ns = median ? json_object_get_double(median) : 0;
	json_object_put(said);
	free(text);
	return median_ns;
}

static void test_requests(void **state)
{
	static const char *const runs[][2] = {
		{ "psync, direct", "--rw=randrw --direct=1 --ioengine=psync --number_ios=2000" },
		{ "libaio, direct, depth 16",
		  "--rw=randread --direct=1 --ioengine=libaio --iodepth=16 --number_ios=4000" },
		{ "io_uring, direct, depth 8",
		  "--rw=randrw --direct=1 --ioengine=io_uring --iodepth=8 --number_ios=4000" },
		{ "buffered", "--rw=randwrite --ioengine=psync --number_ios=2000 --end_fsync=1" },
		{ "fsync", "--rw=randwrite --ioengine=psync --fsync=4 --number_ios=400" },
		{ "trim", "--rw=randtrim --direct=1 --ioengine=psync --number_ios=200" },
	};
	struct live *l;

	(void)state;
	make_device("--direct-io=on");
	l = live_start("-d", "0.3", NULL);
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		int64_t before[2][OPS];
		size_t from;

		from = live_mark(l);
		kernel_disk(before[0], before[1]);
		run_fio(runs[i][1]);
		live_past_now(l);
		live_past_now(l);
		compare_counts(l, from, (const int64_t(*)[OPS])before, runs[i][0]);
	}
	live_verdict();
}

/* The median wait for a disk of any fio in a reading. */
static int64_t fio_wait_ns(struct json_object *reading)
{
	struct json_object *processes = json_object_object_get(reading, "processes");
	int64_t ns = 0;

	for (size_t i = 0; i < json_object_array_length(processes); i++) {
		struct json_object *p = json_object_array_get_idx(processes, i);

		if (!strcmp(live_text(p, "comm"), "fio") && live_get(p, "disk.count") > 1000)
			ns = live_get(p, "disk.p50_ns");
	}
	return ns;
}

/* For a synchronous read fio's completion latency is the whole call: the request, and around it the system call, the
 * submission, and getting back onto a CPU. The wait for the disk is the other bound: it begins after the request and
 * ends with it. Both medians come from a histogram, at most 12.5 % off. */
static void test_latency(void **state)
{
	double fio_ns, request_ns;
	size_t from, most = 0;
	struct live *l;

	(void)state;
	live_need_real_time();
	make_device("--direct-io=on");
	l = live_start("-d", "2", NULL);
	from = live_mark(l);
	fio_ns = run_fio("--rw=randread --direct=1 --ioengine=psync --number_ios=3000");
	live_past_now(l);
	live_past_now(l);
	for (size_t r = from; r < l->n; r++)
		if (of_disk(l->reading[r], "read", "latency.count") > 1000)
			most = r;
	request_ns = (double)of_disk(l->reading[most], "read", "latency.p50_ns");
	live_between(request_ns, (double)fio_wait_ns(l->reading[most]) * 0.78, fio_ns * 1.225,
		     "a read: half of the waits, the requests, fio");
	live_compare((double)sum_disk(l, from, "read", "queue.count"),
		     (double)sum_disk(l, from, "read", "latency.count"), pid1_hides() ? 30 : 0,
		     "a read: with queue and service apart");
	live_between((double)of_disk(l->reading[most], "read", "service.max_ns"), 1,
		     (double)of_disk(l->reading[most], "read", "latency.max_ns"), "a read: the device is a part of it");
	live_verdict();
}

/* With the family off there are no probes and no rows, but still a process's own numbers. */
static void test_left_out(void **state)
{
	const char *ready;
	struct child *load;
	struct live *l;
	size_t from;

	(void)state;
	live_need_disk();
	l = live_start("-d", "0.3", "--no-disk", NULL);
	load = live_load(&ready, "direct", FILE_PATH, "100", NULL);
	from = live_mark(l);
	live_round(load);
	live_past_now(l);
	assert_string_equal(live_text(l->reading[0], "probes.disk.state"), "off");
	for (size_t r = 0; r < l->n; r++)
		if (json_object_object_get(l->reading[r], "disks"))
			fail_msg("there are disks");
	live_between((double)live_sum(l, from, load->pid, "disk.read_bytes"), 100 * 4096, 101 * 4096,
		     "without the family: bytes of a process");
	live_between((double)live_sum(l, from, load->pid, "disk.count"), 1, 100, "without the family: its waits");
	live_verdict();
}

/* As in a guest without devices: the kernel's list is empty. */
static void without_devices(void)
{
	if (!mounts_unshare() || mount("/dev/null", "/proc/diskstats", NULL, MS_BIND, NULL))
		_exit(2);
}

static void test_no_devices(void **state)
{
	struct live *l;

	(void)state;
	live_need_bpf();
	l = live_start_as(without_devices, NULL, "-d", "0.2", NULL);
	live_past_now(l);
	for (size_t r = 0; r < l->n; r++) {
		struct json_object *disks = json_object_object_get(l->reading[r], "disks");

		if (!json_object_is_type(disks, json_type_array) || json_object_array_length(disks))
			fail_msg("the disks are %s", json_object_to_json_string(disks));
	}
	live_verdict();
}

int main(void)
{
	static const struct CMUnitTest disk[] = {
		live_test(test_bytes_and_faults),
		live_test(test_waits),
		live_test(test_left_out),
		live_test(test_no_devices),
		cmocka_unit_test_teardown(test_requests, end_device),
		cmocka_unit_test_teardown(test_latency, end_device),
	};

	return live_main(disk);
}
