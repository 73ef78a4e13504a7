/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A blind test of lagtop why: servers with one planted cause each (load_sick.c). Among its sentences must be that of
 * the cause, and no other may be about the server unless it is true as well. What is true of others on a loaded machine
 * is not looked at, but their names may stand in the sentence about a CPU.
 */
#include "live.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OTHERS 5
#define TRIES 3 /* a loaded machine may have eight worse things to say for some seconds */

struct patient {
	const char *name;	    /* of the sickness */
	const char *load;	    /* another workload that is sick; NULL: `sick NAME` */
	const char *comm;	    /* whom the sentence is about */
	const char *rule;	    /* which sentence; NULL: there is none, and none may be invented */
	const char *words;	    /* part of it */
	const char *area;	    /* what must not be denied; NULL: none */
	const char *others[OTHERS]; /* other rules that are true of "sick", "sick-…" */
};

/* clang-format off */
static const struct patient patients[] = {
	{ "neighbour", NULL, "sick", "cpu", "behind sick-hog (", "CPU", { NULL } },
	{ "realtime", NULL, "sick", "cpu", "behind sick-hog (", "CPU", { NULL } },
	{ "nice", NULL, "sick", "cpu", "behind sick-hog (", "CPU", { NULL } },
	{ "threads", NULL, "sick", "cpu_own", "behind its own threads", "CPU", { NULL } },
	{ "quota", NULL, "sick", "quota", "by the CPU quota of its control group", "quota", { NULL } },
	{ "memory", NULL, "sick", "killed", "killed by the kernel because memory ran out (OOM)", "memory",
	  { "memory", "reclaim", "block", "kernel_lock", NULL } },
	{ "fsync", NULL, "sick", "disk_sync", "of it in fdatasync", "disk", { "block", "kernel_lock", NULL } },
	{ "convoy", NULL, "sick", "disk_sync", "of it in fdatasync", "disk", { "block", "kernel_lock", "lock", NULL } },
	{ "maps", NULL, "sick", "map_lock", "for the process-wide memory-map lock (mmap_lock), at least", "locks", { "memory", NULL } },
	{ "flock", NULL, "sick", "file_lock", "in flock for a file lock", "locks", { "lock", NULL } },
	{ "fcntl", NULL, "sick", "file_lock", "in fcntl for a file lock", "locks", { "lock", NULL } },
	{ "pipe", NULL, "sick", "write", "in write because the reader (of a pipe or terminal", NULL, { NULL } },
	{ "fuse", "stat", "load", "file_system", "for an answer from a user-space or network file system", NULL, { NULL } },
	{ "convoy", NULL, "sick", "lock", "for locks held by its own threads", "locks",
	  { "disk_sync", "disk", "block", "kernel_lock", NULL } },
	/* It began before anybody looked: who holds the locks is not known. */
	{ "deadlock", NULL, "sick", NULL, NULL, "locks", { "lock", NULL } },
	{ "upstream", NULL, "sick", "upstream", "(sick-server ", "network", { NULL } },
	{ "dns", NULL, "sick", "upstream_silent", "no answer for", "network", { NULL } },
	{ "datagrams", NULL, "sick", "datagrams_lost", "its receive buffer was full", "network", { NULL } },
	{ "backlog", NULL, "sick-server", "backlog", "was full (2 of 1)", "network",
	  { "backlog_drops", "retransmits", NULL } },
	{ "connect", NULL, "sick", "connect", "in connect to 127.0.0.1:", "network", { "retransmits", "backlog", "backlog_drops", NULL } },
	{ "send", NULL, "sick", "send", "in sendto because 127.0.0.1:", "network", { "retransmits", NULL } },
	{ "loss", NULL, "sick", "retransmits", "TCP segments, most of them to 127.0.0.1:", "network",
	  { "send", "upstream", "upstream_silent", "upstream_unknown", NULL } },
	{ "refused", NULL, "sick", "failing", "connect calls by sick (", NULL, { NULL } },
	{ "files", NULL, "sick", "failing", "failed with EMFILE", NULL, { NULL } },
	{ "storm", NULL, "sick", "processes", "processes, ", NULL, { "block", "kernel_lock", NULL } },
	{ "idle", NULL, "sick", NULL, NULL, NULL, { NULL } },
};
/* clang-format on */
#define PATIENTS (sizeof(patients) / sizeof(patients[0]))

/* On a loaded machine others lag more, and may be in focus instead. */
static struct json_object *ask(bool in_focus)
{
	char *argv[] = { child_lagtop(),      (char *)"why", (char *)"--json",
			 (char *)"-d",	      (char *)"3",   in_focus ? (char *)"--focus" : NULL,
			 (char *)"comm=sick", NULL };
	struct outcome o = outcome_run(NULL, argv);
	struct json_object *verdict = json_tokener_parse(o.last_line ? o.last_line : "");

	if (!verdict)
		fail_msg("status %d, no verdict: %s", o.status, o.errors);
	assert_int_equal(o.status, json_object_array_length(json_object_object_get(verdict, "sentences")) ? 4 : 0);
	outcome_free(&o);
	return verdict;
}

/* All of these rules name who was running. */
static bool is_cpu(const char *rule)
{
	return !strncmp(rule, "cpu", 3);
}

/* Waits for a CPU are true of everybody on a loaded machine. */
static bool may_be_said(const struct patient *p, const char *rule)
{
	if (is_cpu(rule) || (p->rule && !strcmp(rule, p->rule)))
		return true;
	for (int i = 0; i < OTHERS && p->others[i]; i++)
		if (!strcmp(rule, p->others[i]))
			return true;
	return false;
}

static bool is_planted(const struct patient *p, const char *comm)
{
	return !strcmp(comm, p->comm) || !strncmp(comm, "sick", 4);
}

/* It says nothing false, and says what is expected. */
static bool says(const struct patient *p, struct json_object *verdict)
{
	struct json_object *sentences = json_object_object_get(verdict, "sentences"),
			   *denied = json_object_object_get(verdict, "not");
	bool right = !p->rule;

	for (size_t i = 0; i < json_object_array_length(sentences); i++) {
		struct json_object *s = json_object_array_get_idx(sentences, i);
		const char *rule = live_text(s, "rule"), *text = live_text(s, "text");

		print_message("# %s\n", text);
		if (!is_planted(p, live_text(s, "comm")))
			continue;
		if (!may_be_said(p, rule))
			fail_msg("not true of it: %s", text);
		right |= p->rule && !strcmp(live_text(s, "comm"), p->comm) && strstr(text, p->words) &&
			 (!strcmp(rule, p->rule) || (is_cpu(rule) && is_cpu(p->rule)));
	}
	for (size_t i = 0; i < json_object_array_length(denied); i++)
		if (p->area && !strcmp(json_object_get_string(json_object_array_get_idx(denied, i)), p->area))
			fail_msg("it denies %s", p->area);
	return right;
}

static bool is_one_of(const char *name, const char *const names[4])
{
	for (int i = 0; i < 4 && names[i]; i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* Skips what this machine does not allow. */
static void need(const struct patient *p)
{
	struct sched_param first = { .sched_priority = 1 }, none = { 0 };
	char place[64];

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		live_skip("there is one CPU only");
	if (is_one_of(p->name, (const char *const[4]){ "fsync", "convoy" }))
		live_need_disk();
	if (is_one_of(p->name, (const char *const[4]){ "quota", "memory" })) {
		snprintf(place, sizeof(place), "/sys/fs/cgroup/%s", p->name[0] == 'q' ? "cpu" : "memory");
		if (access(place, W_OK) && access("/sys/fs/cgroup/cgroup.subtree_control", W_OK))
			live_skip("no control groups are mounted");
	}
	if (p->load && access("/dev/fuse", R_OK | W_OK))
		live_skip("this kernel has no FUSE");
	if (!strcmp(p->name, "realtime")) {
		if (sched_setscheduler(0, SCHED_FIFO, &first))
			live_skip("no real-time scheduling here");
		sched_setscheduler(0, SCHED_OTHER, &none);
	}
	if (p->area && !strcmp(p->area, "network")) {
		struct live *l = live_start("-d", "0.2", NULL);

		live_need_net(l);
		if (strcmp(live_text(l->reading[0], "probes.turns.state"), "on") != 0)
			live_skip("this kernel does not report when bytes arrive");
		live_stop(l, SIGINT);
	}
}

static void test_patient(void **state)
{
	const struct patient *p = *state;
	struct json_object *verdict;
	bool right = false;

	live_need_bpf();
	live_need_real_time();
	need(p);
	if (p->load)
		live_load(NULL, p->name, p->load, NULL);
	else
		live_load(NULL, "sick", p->name, NULL);
	for (int i = 0; i < TRIES && !right; i++) {
		verdict = ask(p->rule && !strcmp(p->rule, "lock"));
		right = says(p, verdict);
		json_object_put(verdict);
	}
	if (!right)
		fail_msg("it does not say: %s", p->words);
}

int main(void)
{
	static struct CMUnitTest why[PATIENTS];

	for (size_t i = 0; i < PATIENTS; i++)
		why[i] = (struct CMUnitTest){ patients[i].name, test_patient, NULL, live_end_test,
					      (void *)&patients[i] };
	return live_main(why);
}
