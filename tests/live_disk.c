/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a process has to do with disks: bytes and faults as the kernel counts them, waits one by one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "asleep.h"
#include "live.h"

#define FILE_PATH "/var/tmp/lagtop-live-disk"

/* File systems in memory have no device. */
static void need_disk(void)
{
	char type[32] = "";
	FILE *df = popen("stat -f -c %T /var/tmp", "r");

	if (!df || fscanf(df, "%31s", type) != 1)
		live_skip("stat does not say what /var/tmp is");
	pclose(df);
	if (!strcmp(type, "tmpfs") || !strcmp(type, "ramfs") || !strcmp(type, "overlayfs"))
		live_skip("/var/tmp is not on a disk");
}

static int64_t io_number(int64_t pid, const char *field)
{
	char word[24];

	snprintf(word, sizeof(word), "%s:", field);
	return live_proc(pid, "io", word);
}

/* A thread and a child that are gone at the reading have counted, too. */
static void test_bytes_and_faults(void **state)
{
	static const char *const fields[] = { "read_bytes", "write_bytes" };
	int64_t pid, child, before[2];
	const char *ready, *done;
	struct child *load;
	struct live *l;
	size_t from;

	(void)state;
	need_disk();
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
	need_disk();
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

int main(void)
{
	static const struct CMUnitTest disk[] = {
		live_test(test_bytes_and_faults),
		live_test(test_waits),
	};

	return live_main(disk);
}
