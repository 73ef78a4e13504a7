/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lagtop's own account of its programs (`self` in the JSON: one run in 1,024 times itself) against the
 * kernel's (bpf_stats_enabled), over the same seconds and under a mixed load.
 */
#include <dirent.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "child.h"

#define STATS "/proc/sys/kernel/bpf_stats_enabled"

struct account {
	double ns, runs;
};

static bool set_stats(const char *value)
{
	FILE *f = fopen(STATS, "w");

	if (!f)
		return false;
	fputs(value, f);
	return !fclose(f);
}

/* What the kernel has booked on all programs that a process holds, each by one descriptor. */
static struct account kernel_account(pid_t pid)
{
	char path[300], line[256];
	struct account sum = {};
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		FILE *f;
		double n;

		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", pid, d->d_name);
		f = fopen(path, "r");
		while (f && fgets(line, sizeof(line), f)) {
			if (sscanf(line, "run_time_ns: %lf", &n) == 1)
				sum.ns += n;
			if (sscanf(line, "run_cnt: %lf", &n) == 1)
				sum.runs += n;
		}
		if (f)
			fclose(f);
	}
	if (dir)
		closedir(dir);
	return sum;
}

static double self_number(struct json_object *reading, const char *name)
{
	struct json_object *self = json_object_object_get(reading, "self");

	return json_object_get_double(json_object_object_get(self, name));
}

/* A reading's sum of its own is compared with the kernel's at the moment when the reading arrives. */
int bench_self(int readings)
{
	char *argv[] = { (char *)"./lagtop", (char *)"--json", (char *)"-d", (char *)"1", NULL };
	struct child *calls = child_load(NULL, "ten", "2000000000", NULL), *pipes;
	struct account own = {}, before, after;
	struct child *lagtop;
	char *line;

	pipes = child_load(NULL, "pipe", "-1", "2000000000", NULL);
	if (!calls || !pipes || !set_stats("1"))
		return 1;
	child_send(calls, 'x');
	child_send(pipes, 'x');
	lagtop = child_start(argv, (uid_t)-1);
	if (!lagtop || !child_line(lagtop))
		return 1;
	before = kernel_account(lagtop->pid);
	for (int i = 0; i < readings && (line = child_line(lagtop)); i++) {
		struct json_object *reading = json_tokener_parse(line);

		own.ns += self_number(reading, "bpf_ns");
		own.runs += self_number(reading, "bpf_runs");
		json_object_put(reading);
	}
	after = kernel_account(lagtop->pid);
	set_stats("0");
	child_free_all();
	after.ns -= before.ns;
	after.runs -= before.runs;
	printf("%-28s %14s %14s %8s\n", "own cost", "lagtop says", "kernel says", "ratio");
	printf("%-28s %14.0f %14.0f %8.2f\n", "runs of programs", own.runs, after.runs, own.runs / after.runs);
	printf("%-28s %14.0f %14.0f %8.2f\n", "ns in programs", own.ns, after.ns, own.ns / after.ns);
	printf("%-28s %14.1f %14.1f\n", "ns a run", own.ns / own.runs, after.ns / after.runs);
	return 0;
}
