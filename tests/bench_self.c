/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lagtop's own account of its programs (`self` in the JSON: one run in 1,024 times itself) against the
 * kernel's (bpf_stats_enabled), over the same seconds and under a mixed load.
 */
#include <json-c/json.h>
#include <stdio.h>

#include "bench.h"
#include "child.h"

static double self_number(struct json_object *reading, const char *name)
{
	struct json_object *self = json_object_object_get(reading, "self");

	return json_object_get_double(json_object_object_get(self, name));
}

/* Each reading's own sum is compared with the kernel's as of when the reading arrives. */
int bench_self(int readings)
{
	char *argv[] = { (char *)"./lagtop", (char *)"--json", (char *)"-d", (char *)"1",
			 (char *)"--budget", (char *)"off",    NULL };
	struct child *calls = child_load(NULL, "ten", "2000000000", NULL), *pipes, *tcp;
	struct watch_account own = {}, before, after;
	struct child *lagtop;
	char *line;

	pipes = child_load(NULL, "pipe", "-1", "2000000000", NULL);
	tcp = child_load(NULL, "tcp", "-1", "2000000000", NULL);
	if (!calls || !pipes || !tcp || !watch_count_programs(true))
		return 1;
	child_send(calls, 'x');
	child_send(pipes, 'x');
	child_send(tcp, 'x');
	lagtop = child_start(argv, (uid_t)-1);
	if (!lagtop || !child_line(lagtop))
		return 1;
	before = watch_account_of(lagtop->pid);
	for (int i = 0; i < readings && (line = child_line(lagtop)); i++) {
		struct json_object *reading = json_tokener_parse(line);

		own.ns += self_number(reading, "bpf_ns");
		own.runs += self_number(reading, "bpf_runs");
		json_object_put(reading);
	}
	after = watch_account_of(lagtop->pid);
	watch_count_programs(false);
	child_free_all();
	after.ns -= before.ns;
	after.runs -= before.runs;
	printf("%-28s %14s %14s %8s\n", "own cost", "lagtop says", "kernel says", "ratio");
	printf("%-28s %14.0f %14.0f %8.2f\n", "runs of programs", own.runs, after.runs, own.runs / after.runs);
	printf("%-28s %14.0f %14.0f %8.2f\n", "ns in programs", own.ns, after.ns, own.ns / after.ns);
	printf("%-28s %14.1f %14.1f\n", "ns a run", own.ns / own.runs, after.ns / after.runs);
	return 0;
}
