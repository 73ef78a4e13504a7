/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process's disk numbers: bytes and faults as the kernel counts them, and each single wait. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
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
static char disk_name[16]; /* "loop3"; "": none */
static bool is_loop;
static char group[64]; /* of version 2; "": none */

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

static void losetup(const char *command)
{
	char settle[80];
	FILE *f = popen(command, "r");

	assert_non_null(f);
	if (fscanf(f, "/dev/%15s", disk_name) != 1)
		*disk_name = '\0';
	pclose(f);
	if (!*disk_name)
		live_skip("no loop device is available");
	/* Others may look at a new device. */
	snprintf(settle, sizeof(settle), "udevadm settle 2>/dev/null; sync /dev/%s", disk_name);
	if (system(settle) < 0)
		live_skip("there is no shell");
}

/* A device that only this test uses. */
static void make_device(const char *options)
{
	char command[200];

	live_need_disk();
	is_loop = true;
	snprintf(command, sizeof(command), "truncate -s 64M " IMAGE " && losetup %s --show -f " IMAGE " 2>&1", options);
	losetup(command);
}

static void need_fio(void)
{
	if (command_number("fio --version >/dev/null 2>&1; echo $?"))
		live_skip(getenv("LIVE_EMULATED") ? "this kernel runs in a guest without fio" : "fio is not installed");
}

/* The i-th of the disks that are there for these tests (LIVE_DISKS, "nvme0n1 nvme1n1"), else a loop device. */
static const char *a_device(int i)
{
	static char path[32];
	const char *disks = getenv("LIVE_DISKS");

	live_need_bpf();
	is_loop = false;
	if (!disks)
		make_device("--direct-io=on");
	else if (sscanf(disks, i ? "%*s %15s" : "%15s", disk_name) != 1)
		fail_msg("LIVE_DISKS names too few disks");
	snprintf(path, sizeof(path), "/dev/%s", disk_name);
	return path;
}

static int end_device(void **state)
{
	char command[80];
	int left = live_end_test(state);

	for (int tries = 0; *group && rmdir(group) && tries < 5000; tries++)
		usleep(1000);
	*group = '\0';
	if (*disk_name && is_loop) {
		snprintf(command, sizeof(command), "losetup -d /dev/%s", disk_name);
		left |= system(command);
	}
	*disk_name = '\0';
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

		if (sscanf(line, "%*u %*u %63s%n", name, &used) != 1 || strcmp(name, disk_name) != 0)
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
		if (!strcmp(live_text(d, "device"), disk_name) && !strcmp(live_text(d, "op"), op))
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

/* On a machine that is too busy /proc/diskstats may be read too late for a reading, which then has no disks. */
static bool all_known(struct live *l, size_t from)
{
	for (size_t r = from; r < l->n; r++)
		if (!json_object_object_get(l->reading[r], "disks"))
			return false;
	return true;
}

#define TRIES 5

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

/* What fio says of its reads' completion latencies, in ns. */
struct fio {
	double median_ns, p99_ns, mean_ns;
	int64_t count;
};

static double number_of(struct json_object *o, const char *path)
{
	struct json_object *found = NULL;

	return json_object_object_get_ex(o, path, &found) ? json_object_get_double(found) : 0;
}

/* fio on the device, in the group, if there is one. */
static struct fio run_fio(const char *options)
{
	struct json_object *said, *o = NULL, *percentiles = NULL;
	char command[512], *text = NULL;
	struct fio fio = { 0 };
	size_t room = 0;
	FILE *f;

	snprintf(command, sizeof(command),
		 "%s%s%s fio --name=t --filename=/dev/%s --size=32M --bs=4k --output-format=json --randseed=7 %s "
		 "2>/dev/null",
		 *group ? "echo $$ >" : "", group, *group ? "/cgroup.procs; exec" : "", disk_name, options);
	f = popen(command, "r");
	assert_non_null(f);
	if (getdelim(&text, &room, 0, f) < 0 || pclose(f))
		fail_msg("fio failed: %s", command);
	said = json_tokener_parse(text);
	if (!json_object_object_get_ex(said, "jobs", &o))
		fail_msg("fio says nothing: %s", command);
	o = json_object_array_get_idx(o, 0);
	if (json_object_object_get_ex(o, "read", &o) && json_object_object_get_ex(o, "clat_ns", &o)) {
		fio.mean_ns = number_of(o, "mean");
		fio.count = (int64_t)number_of(o, "N");
		if (json_object_object_get_ex(o, "percentile", &percentiles)) {
			fio.median_ns = number_of(percentiles, "50.000000");
			fio.p99_ns = number_of(percentiles, "99.000000");
		}
	}
	json_object_put(said);
	free(text);
	return fio;
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
	need_fio();
	make_device("--direct-io=on");
	l = live_start("-d", "0.3", NULL);
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		int64_t before[2][OPS];
		size_t from;

		for (int tries = 0; !tries || (tries < TRIES && !all_known(l, from)); tries++) {
			from = live_mark(l);
			kernel_disk(before[0], before[1]);
			run_fio(runs[i][1]);
			live_past_now(l);
			live_past_now(l);
		}
		compare_counts(l, from, (const int64_t(*)[OPS])before, runs[i][0]);
	}
	live_verdict();
}

/* The same by requests of our own, also where there is no fio: each is counted by the kernel when its round is done. */
static void test_own_requests(void **state)
{
	static const char *const ways[] = { "calls", "aio", "ring", "fsync", "fsyncs", "discard" };
	const char *path = a_device(0);
	struct live *l;

	(void)state;
	l = live_start("-d", "0.3", NULL);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct child *load = live_load(NULL, "requests", path, ways[i], "200", NULL);
		int64_t before[2][OPS];
		size_t from;

		for (int tries = 0; !tries || (tries < TRIES && !all_known(l, from)); tries++) {
			from = live_mark(l);
			kernel_disk(before[0], before[1]);
			live_round(load);
			live_past_now(l);
			live_past_now(l);
		}
		compare_counts(l, from, (const int64_t(*)[OPS])before, ways[i]);
		live_between((double)sum_disk(l, from, "write", "count") +
				     (double)sum_disk(l, from, "discard", "count"),
			     i < 3 ? 100 : 1, 1e6, "%s: there were requests", ways[i]);
	}
	live_verdict();
}

/* ---- by control group ---- */

/* What a group asked of the device ("": all of them). */
static int64_t of_groups(struct live *l, size_t from, const char *op, const char *path, const char *what)
{
	struct json_object *groups, *g;
	int64_t sum = 0;

	for (size_t r = from; r < l->n; r++) {
		struct json_object *disks = json_object_object_get(l->reading[r], "disks");

		for (size_t i = 0; disks && i < json_object_array_length(disks); i++) {
			struct json_object *d = json_object_array_get_idx(disks, i);

			if (strcmp(live_text(d, "device"), disk_name) != 0 || strcmp(live_text(d, "op"), op) != 0)
				continue;
			groups = json_object_object_get(d, "groups");
			assert_non_null(groups);
			for (size_t j = 0; j < json_object_array_length(groups); j++) {
				g = json_object_array_get_idx(groups, j);
				if (!*path || !strcmp(live_text(g, "cgroup"), path))
					sum += live_get(g, what);
			}
		}
	}
	return sum;
}

static void move_to_group(int64_t pid)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)pid);
	live_write(group, "cgroup.procs", text);
}

/* Pages that a group dirtied are its, although another writes them back; what that one reads itself is not. */
static void test_written_back_for_a_group(void **state)
{
	double least = pid1_hides() ? 0.95 : 1;
	struct child *writer, *other, *reader;
	int64_t before[2][OPS], after[2][OPS];
	const char *path, *ready, *name;
	struct live *l;
	size_t from;

	(void)state;
	live_need_bpf();
	if (access("/sys/fs/cgroup/cgroup.procs", W_OK))
		live_skip("this kernel has its control groups of version 1");
	if (!live_try_write("/sys/fs/cgroup", "cgroup.subtree_control", "+io +memory"))
		live_skip("no controllers io and memory");
	path = a_device(1);
	snprintf(group, sizeof(group), "/sys/fs/cgroup/lagtop-disk-%d", getpid());
	name = group + strlen("/sys/fs/cgroup");
	assert_int_equal(mkdir(group, 0755), 0);
	l = live_start("-d", "0.3", NULL);
	writer = live_load(&ready, "requests", path, "pages", "300", NULL);
	move_to_group(child_value(ready, "pid"));
	other = live_load(NULL, "requests", path, "fsync", "0", NULL);
	reader = live_load(NULL, "requests", path, "calls", "100", NULL);
	for (int tries = 0; !tries || (tries < TRIES && !all_known(l, from)); tries++) {
		from = live_mark(l);
		kernel_disk(before[0], before[1]);
		live_round(writer);
		live_round(other);
		live_round(reader);
		live_past_now(l);
		live_past_now(l);
		kernel_disk(after[0], after[1]);
	}
	live_between((double)of_groups(l, from, "write", name, "bytes"), 300 * 4096 * least, 300 * 4096,
		     "written for the group");
	live_compare((double)of_groups(l, from, "read", name, "count"), 0, 0, "reads of another group");
	for (int op = 0; op < 2; op++) {
		double bytes = (double)(after[1][op] - before[1][op]), count = (double)(after[0][op] - before[0][op]);

		live_between((double)of_groups(l, from, ops[op], "", "bytes"), bytes * least, bytes,
			     "all groups: %s, bytes", ops[op]);
		live_between((double)of_groups(l, from, ops[op], "", "count"), count * least, count, "all groups: %ss",
			     ops[op]);
	}
	live_between((double)(after[0][0] - before[0][0]), 50, 60, "there were reads");
	live_verdict();
}

/* Version 1 charges written pages to whoever writes them back: then nothing is said. */
static void test_groups_of_version_1(void **state)
{
	const char *path;
	struct child *load;
	struct live *l;
	size_t from;

	(void)state;
	live_need_bpf();
	if (!command_number("grep -c :blkio: /proc/self/cgroup"))
		live_skip("this kernel has its control groups of version 2");
	path = a_device(0);
	l = live_start("-d", "0.3", NULL);
	load = live_load(NULL, "requests", path, "calls", "100", NULL);
	for (int tries = 0; !tries || (tries < TRIES && !all_known(l, from)); tries++) {
		from = live_mark(l);
		live_round(load);
		live_past_now(l);
		live_past_now(l);
	}
	live_compare((double)sum_disk(l, from, "read", "count"), 50, 0, "version 1: reads");
	for (size_t r = 0; r < l->n; r++) {
		struct json_object *disks = json_object_object_get(l->reading[r], "disks");

		for (size_t i = 0; disks && i < json_object_array_length(disks); i++)
			assert_null(json_object_object_get(json_object_array_get_idx(disks, i), "groups"));
	}
	live_verdict();
}

/* ---- a device without requests ---- */

static int zram = -1;

static int end_zram(void **state)
{
	int left = live_end_test(state);
	char text[16];

	snprintf(text, sizeof(text), "%d", zram);
	if (zram >= 0 && !live_try_write("/sys/class/zram-control", "hot_remove", text))
		left = -1;
	zram = -1;
	*disk_name = '\0';
	return left;
}

/* It does each bio at once: the kernel counts them, but there is no request to time. */
static void test_without_requests(void **state)
{
	int64_t before[2][OPS];
	char dir[64], path[32];
	struct child *load;
	struct live *l;
	size_t from;

	(void)state;
	live_need_bpf();
	if (access("/sys/class/zram-control/hot_add", R_OK))
		live_skip("this kernel has no zram");
	zram = (int)live_field("/sys/class/zram-control/hot_add", 0);
	assert_true(zram >= 0);
	snprintf(disk_name, sizeof(disk_name), "zram%d", zram);
	snprintf(dir, sizeof(dir), "/sys/block/%s", disk_name);
	snprintf(path, sizeof(path), "/dev/%s", disk_name);
	live_write(dir, "disksize", "16777216");
	l = live_start("-d", "0.3", NULL);
	load = live_load(NULL, "requests", path, "calls", "200", NULL);
	for (int tries = 0; !tries || (tries < TRIES && !all_known(l, from)); tries++) {
		from = live_mark(l);
		kernel_disk(before[0], before[1]);
		live_round(load);
		live_past_now(l);
		live_past_now(l);
	}
	for (int op = 0; op < 2; op++) {
		int64_t count[OPS], bytes[OPS];

		kernel_disk(count, bytes);
		live_between((double)(count[op] - before[0][op]), 100, 200, "zram: %ss, by the kernel", ops[op]);
		live_compare((double)sum_disk(l, from, ops[op], "count"), (double)(count[op] - before[0][op]), 0,
			     "zram: %ss", ops[op]);
		live_compare((double)sum_disk(l, from, ops[op], "bytes"), (double)(bytes[op] - before[1][op]), 0,
			     "zram: %ss, bytes", ops[op]);
		live_compare((double)sum_disk(l, from, ops[op], "latency.count"), 0, 0, "zram: %ss with a latency",
			     ops[op]);
		live_compare((double)sum_disk(l, from, ops[op], "latency.p99_ns"), 0, 0, "zram: %ss, no percentile",
			     ops[op]);
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
	need_fio();
	make_device("--direct-io=on");
	l = live_start("-d", "2", NULL);
	from = live_mark(l);
	fio_ns = run_fio("--rw=randread --direct=1 --ioengine=psync --number_ios=3000").median_ns;
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

/* ---- a device that is slow ---- */

static char under[16]; /* the loop device below; "": none */

/* A loop device over another that the kernel lets read ten times a second: for the upper one, that is its device's
 * time. The limit is a group's, of either version. */
static void make_slow_device(void)
{
	bool first = !access("/sys/fs/cgroup/blkio", W_OK);
	char command[160], text[64];
	struct stat st;

	snprintf(group, sizeof(group), "/sys/fs/cgroup/%slagtop-disk-%d", first ? "blkio/" : "", getpid());
	if (!first)
		live_try_write("/sys/fs/cgroup", "cgroup.subtree_control", "+io");
	if (mkdir(group, 0755)) {
		*group = '\0';
		live_skip("there are no control groups");
	}
	make_device("");
	snprintf(under, sizeof(under), "%s", disk_name);
	snprintf(text, sizeof(text), "/dev/%s", under);
	assert_int_equal(stat(text, &st), 0);
	snprintf(text, sizeof(text), first ? "%u:%u 10" : "%u:%u riops=10", major(st.st_rdev), minor(st.st_rdev));
	if (!live_try_write(group, first ? "blkio.throttle.read_iops_device" : "io.max", text))
		live_skip("this kernel does not limit block devices");
	snprintf(command, sizeof(command), "losetup --direct-io=on --show -f /dev/%s 2>&1", under);
	losetup(command);
}

static int end_slow_device(void **state)
{
	int left = live_end_test(state);
	char command[80];

	if (*under && strcmp(under, disk_name) != 0) {
		snprintf(command, sizeof(command), "losetup -d /dev/%s", disk_name);
		left |= system(command);
		snprintf(disk_name, sizeof(disk_name), "%s", under);
	}
	*under = '\0';
	return left | end_device(state);
}

/* What fio and the kernel add before and after the requests, in the calls by which it asks and waits: their time on a
 * CPU and waiting for one. */
static int64_t around_ns(struct json_object *reading)
{
	static const char *const calls[] = { "pread64", "io_submit", "io_getevents", "io_uring_enter" };
	struct json_object *processes = json_object_object_get(reading, "processes");
	int64_t ns = 0;

	for (size_t i = 0; i < json_object_array_length(processes); i++) {
		struct json_object *p = json_object_array_get_idx(processes, i), *row;

		if (strcmp(live_text(p, "comm"), "fio") != 0)
			continue;
		ns += live_get(p, "time_ns.wakeq") + live_get(p, "time_ns.preempt");
		for (size_t c = 0; c < sizeof(calls) / sizeof(calls[0]); c++) {
			row = live_call(p, calls[c]);
			ns += row ? live_get(row, "total_ns") - live_get(row, "wait_ns") : 0;
		}
	}
	return ns;
}

/* fio's run, and the one reading that has all of its requests; NULL: there is none. */
static struct json_object *run_in_a_reading(struct live *l, const char *options, struct fio *fio)
{
	struct json_object *all = NULL;
	size_t from = live_mark(l);

	*fio = run_fio(options);
	live_past_now(l);
	for (size_t r = from; r < l->n; r++)
		if (of_disk(l->reading[r], "read", "count") == fio->count)
			all = l->reading[r];
	return all;
}

/* Where a device takes 100 ms and more, fio's completion latency is its requests', but for what is around them: on
 * average; at most twice that for half of them, and all of it for one. Percentiles may have the histogram's error, and
 * all 10 % of noise. */
static void test_latency_of_a_slow_device(void **state)
{
	static const char *const engines[] = { "psync", "libaio --iodepth=4", "io_uring --iodepth=4" };
	struct live *l;

	(void)state;
	live_need_real_time();
	need_fio();
	make_slow_device();
	l = live_start("-d", "5", NULL);
	for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
		struct json_object *all = NULL;
		char options[120];
		struct fio fio;
		double each_ns;

		snprintf(options, sizeof(options), "--rw=randread --direct=1 --number_ios=20 --ioengine=%s",
			 engines[i]);
		for (int tries = 0; tries < 5 && !all; tries++)
			all = run_in_a_reading(l, options, &fio);
		if (!all)
			fail_msg("%s: its requests are never in one reading", engines[i]);
		each_ns = (double)around_ns(all) / (double)fio.count;
		live_compare((double)of_disk(all, "read", "latency.count"), (double)fio.count, pid1_hides() ? 1 : 0,
			     "%s: requests", engines[i]);
		live_between((double)of_disk(all, "read", "time_ns") / (double)fio.count, (fio.mean_ns - each_ns) * 0.9,
			     fio.mean_ns * 1.1, "%s: the mean", engines[i]);
		live_between((double)of_disk(all, "read", "latency.p50_ns"),
			     (fio.median_ns - 2 * each_ns) * 0.875 * 0.9, fio.median_ns * 1.125 * 1.1,
			     "%s: half of them", engines[i]);
		/* p99 of 20 requests is the slowest one, and fio may have spent any part of its time waiting for a CPU:
		 * on a busy machine more than half a second. So fio's median is the only safe lower bound. */
		live_between((double)of_disk(all, "read", "latency.p99_ns"),
			     (double)of_disk(all, "read", "latency.p50_ns"), fio.p99_ns * 1.125 * 1.1,
			     "%s: 99 %% of them", engines[i]);
		live_between(fio.median_ns, 8e7, 1e10, "%s: the device is slow", engines[i]);
	}
	live_verdict();
}

/* With the family off there are no probes and no rows, but still a process's own numbers. */
static void test_left_out(void **state)
{
	const char *ready, *done;
	struct child *load;
	struct live *l;
	size_t from;

	(void)state;
	live_need_disk();
	l = live_start("-d", "0.3", "--no-disk", NULL);
	load = live_load(&ready, "direct", FILE_PATH, "100", NULL);
	from = live_mark(l);
	done = live_round(load);
	live_past_now(l);
	assert_string_equal(live_text(l->reading[0], "probes.disk.state"), "off");
	for (size_t r = 0; r < l->n; r++)
		if (json_object_object_get(l->reading[r], "disks"))
			fail_msg("there are disks");
	live_between((double)live_sum(l, from, load->pid, "disk.read_bytes"), 100 * 4096, 101 * 4096,
		     "without the family: bytes of a process");
	/* A device that answers at once lets nobody wait. */
	live_compare((double)live_sum(l, from, load->pid, "disk.count"), (double)child_value(done, "waits"), 0,
		     "without the family: its waits");
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
		cmocka_unit_test_teardown(test_own_requests, end_device),
		cmocka_unit_test_teardown(test_written_back_for_a_group, end_device),
		cmocka_unit_test_teardown(test_groups_of_version_1, end_device),
		cmocka_unit_test_teardown(test_without_requests, end_zram),
		cmocka_unit_test_teardown(test_requests, end_device),
		cmocka_unit_test_teardown(test_latency, end_device),
		cmocka_unit_test_teardown(test_latency_of_a_slow_device, end_slow_device),
	};

	return live_main(disk);
}
