/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exact numbers: what a workload did N times is in the readings N times, never more, never less. */
#include <bpf/bpf.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "live.h"
#include "proc.h"

/* The exited processes of some readings whose parent is `ppid` (-1: any): how many, the sum of their exit codes, how
 * many twice.
 */
struct dead {
	int64_t n, codes, twice, not_zero, wrong_comm;
};

static int compare_identity(const void *a, const void *b)
{
	return memcmp(a, b, 2 * sizeof(int64_t));
}

static struct dead count_dead(struct live *l, size_t from, int64_t ppid, const char *comm)
{
	int64_t(*seen)[2] = calloc(100000, sizeof(*seen));
	struct dead d = {};
	size_t n = 0;

	assert_non_null(seen);
	for (size_t r = from; r < l->n; r++) {
		struct json_object *all = json_object_object_get(l->reading[r], "processes");

		for (size_t i = 0; i < json_object_array_length(all); i++) {
			struct json_object *p = json_object_array_get_idx(all, i);

			if ((ppid >= 0 && live_get(p, "ppid") != ppid) || strcmp(live_text(p, "state"), "exited"))
				continue;
			d.n++;
			d.codes += live_get(p, "exit_code");
			d.not_zero += live_get(p, "exit_code") != 0;
			d.wrong_comm += strcmp(live_text(p, "comm"), comm) != 0;
			assert_true(n < 100000);
			seen[n][0] = live_get(p, "pid");
			seen[n++][1] = live_get(p, "start_ns");
		}
	}
	qsort(seen, n, sizeof(*seen), compare_identity);
	for (size_t i = 1; i < n; i++)
		d.twice += !compare_identity(seen[i - 1], seen[i]);
	free(seen);
	return d;
}

static void compare_dead(struct live *l, const char *what, int64_t ppid, const char *comm, int64_t n, int64_t codes)
{
	struct dead d = count_dead(l, 0, ppid, comm);
	int64_t lost = live_lost(l, 0);

	/* On a machine that starves lagtop something may be lost, but not silently. */
	live_between((double)d.n, (double)(n - lost), (double)n, "%s: exited, of which lost %lld", what,
		     (long long)lost);
	live_compare((double)d.twice, 0, 0, "%s: exited twice", what);
	live_compare((double)d.wrong_comm, 0, 0, "%s: not called %s", what, comm);
	if (d.n == n)
		live_compare((double)d.codes, (double)codes, 0, "%s: sum of exit codes", what);
}

static void test_getppid_of_four_threads(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *load = live_claims(l, "getppid", "4", live_times("1000000", "100000"), NULL);

	(void)state;
	live_compare(live_get(live_process(l->reading[l->n - 1], load->pid), "threads"), 5, 0, "getppid: threads");
	live_verdict();
}

static void test_two_thousand_true(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *load = live_load(NULL, "spawn", "2000", NULL);

	(void)state;
	live_round(load);
	live_past_now(l);
	compare_dead(l, "2,000 × true", load->pid, "true", 2000, 0);
	live_compare((double)live_sum(l, 0, load->pid, "children.execs"), 2000, 0, "called exec, of the parent");
	live_verdict();
}

static void test_fork_and_exit(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	const char *times = live_times("5000", "1000");
	struct child *load = live_load(NULL, "forkexit", times, NULL);
	const char *done = live_round(load);

	(void)state;
	live_past_now(l);
	compare_dead(l, "fork and exit", load->pid, "load", atol(times), child_value(done, "codes"));
	live_compare((double)live_sum(l, 0, load->pid, "children.forks"), (double)atol(times), 0,
		     "began, of the parent");
	live_compare((double)live_sum(l, 0, load->pid, "children.exits"), (double)atol(times), 0,
		     "exited, of the parent");
	live_compare((double)live_sum(l, 0, load->pid, "children.execs"), 0, 0, "called exec, of the parent");
	live_verdict();
}

static int64_t sum_host(struct live *l, size_t from, const char *what)
{
	int64_t sum = 0;

	for (size_t r = from; r < l->n; r++)
		sum += live_get(l->reading[r], what);
	return sum;
}

#define BETWEEN 64 /* exits of others that the last reading counts, but whose rows are in the next one */

/* Either may be the one that ends the process, and before Linux 6.16 the kernel does not report which. */
static void test_last_two_threads_exit_together(void **state)
{
	const char *times = live_times("2000", "400");
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *load = live_load(NULL, "exit-together", times, NULL);
	size_t from = live_mark(l);
	const char *done = live_round(load);
	int64_t n = atol(times), others;

	(void)state;
	live_past_now(l);
	compare_dead(l, "exit together", load->pid, "load", n, child_value(done, "codes"));
	others = count_dead(l, from, -1, "").n - count_dead(l, from, load->pid, "").n;
	live_between((double)sum_host(l, from, "host.exits"), (double)n,
		     (double)(n + others + BETWEEN + sum_host(l, from, "lost.threads")), "exits, %lld of others",
		     (long long)others);
	live_verdict();
}

static void test_threads(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *load = live_load(NULL, "threads", "3000", NULL);
	size_t from = live_mark(l);
	int64_t lost_threads = 0, lost_calls = 0, lost;

	(void)state;
	live_round(load);
	live_past_now(l);
	for (size_t r = from; r < l->n; r++) {
		lost_threads += live_get(l->reading[r], "lost.threads");
		lost_calls += live_get(l->reading[r], "lost.calls");
	}
	/* The parent has its record. A child created faster than records were added has none: it counts as a lost
	 * thread, and its exit as a lost call. */
	lost = lost_threads < lost_calls ? lost_threads : lost_calls;
	live_compare((double)live_sum_call(l, from, load->pid, "clone3", "count"), 3000, 0, "clone3");
	live_between((double)live_sum_call(l, from, load->pid, "exit", "count"), 3000.0 - (double)lost, 3000,
		     "exit, but %lld lost threads, %lld calls", (long long)lost_threads, (long long)lost_calls);
	live_verdict();
}

static void test_io_uring_rings(void **state)
{
	(void)state;
	live_claims(live_start("-d", "0.2", NULL), "io-uring", "500", NULL);
	live_verdict();
}

/* Both count the same for what happens while both run. */
static void test_two_lagtops(void **state)
{
	struct live *one = live_start("-d", "0.2", NULL), *two = live_start("-d", "0.3", NULL);
	struct child *calls = live_load(NULL, "mixed", "3", "20000", NULL);
	struct child *forks = live_load(NULL, "forkexit", "500", NULL);
	size_t from = live_mark(one);
	const char *done = live_round(calls), *forked = live_round(forks);
	static const char *const fields[] = { "calls.count", "calls.errors", "switches.voluntary", "wakeups" };

	(void)state;
	child_close_in(calls);
	assert_int_equal(child_wait(calls), 0);
	live_past_now(one);
	live_past_now(two);
	live_compare_claims(one, from, calls->pid, done);
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		live_compare((double)live_sum(two, 0, calls->pid, fields[i]),
			     (double)live_sum(one, 0, calls->pid, fields[i]), 0, "two lagtops: %s", fields[i]);
	compare_dead(one, "first of two", forks->pid, "load", 500, child_value(forked, "codes"));
	compare_dead(two, "second of two", forks->pid, "load", 500, child_value(forked, "codes"));
	live_verdict();
}

/* Processes that exit while the output is not read, or long before the next reading, are not lost. */
static void test_output_not_read(void **state)
{
	struct live *l = live_start("-d", "0.1", NULL);
	struct child *load = live_load(NULL, "forkexit", "5000", NULL);
	const char *done = live_round(load);

	(void)state;
	live_past_now(l);
	compare_dead(l, "output not read", load->pid, "load", 5000, child_value(done, "codes"));
	live_verdict();
}

/* 7,000 lives between two readings that are a minute apart. */
static void test_delay_of_a_minute(void **state)
{
	struct live *l = live_start_unread("-d", live_times("60", "20"), NULL);
	struct child *spawn = live_load(NULL, "spawn", live_times("2000", "200"), NULL);
	struct child *fork = live_load(NULL, "forkexit", live_times("5000", "1000"), NULL);
	const char *spawned = live_round(spawn), *forked = live_round(fork);

	(void)state;
	live_past_now(l);
	live_between((double)l->n, 1, 2, "a minute: readings"); /* two if the workloads took that long */
	compare_dead(l, "a minute, true", spawn->pid, "true", child_value(spawned, "ops"), 0);
	compare_dead(l, "a minute, fork", fork->pid, "load", child_value(forked, "ops"), child_value(forked, "codes"));
	live_verdict();
}

/* Few records: something may be missing, but then it is in `lost`, and what is shown is right. */
static void test_few_records(void **state)
{
	struct live *l = live_start("-d", "0.2", "--max-threads", "16", NULL);
	struct child *crowd = live_load(NULL, "crowd", "500", NULL);
	struct child *load = live_load(NULL, "getppid", "4", "100000", NULL);
	struct json_object *p;
	int64_t count, missing;

	(void)state;
	live_round(load);
	live_past_now(l);
	p = live_process(l->reading[l->n - 1], crowd->pid);
	missing = 501 - (p ? live_get(p, "threads") : 0);
	live_between((double)live_get(l->reading[l->n - 1], "lost.threads"), (double)missing, 1e6,
		     "few records: threads not in the numbers");
	count = live_sum_call(l, 0, load->pid, "getppid", "count");
	live_between((double)count, live_lost(l, 0) ? 0 : 100000, 100000, "few records: getppid");
	live_verdict();
}

/* The runs of its programs, estimated from one in 1,024, match what the readings count: both ends of calls, switches,
 * wakeups, and operations on sockets. Within 10 %: 7,000 runs time themselves, and their choice by the clock's low bits
 * varies by 1.6 % from one time to the next (8 times, idle). */
static void test_own_runs(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *calls = live_load(NULL, "getppid", "2", live_times("3000000", "100000"), NULL);
	struct child *tcp = live_load(NULL, "tcp", "-1", live_times("40000", "4000"), NULL);
	int64_t runs = 0, seen = 0;
	size_t from = live_mark(l);

	(void)state;
	live_need_real_time();
	live_round(calls);
	live_round(tcp);
	live_past_now(l);
	for (size_t r = from; r < l->n; r++) {
		struct json_object *all = json_object_object_get(l->reading[r], "processes");

		runs += live_get(l->reading[r], "self.bpf_runs");
		/* Two programs for a call, two for a wakeup, and two for what is received. */
		seen += 2 * live_get(l->reading[r], "host.calls.count") + live_get(l->reading[r], "host.switches") +
			2 * live_get(l->reading[r], "host.wakeups");
		for (size_t i = 0; i < json_object_array_length(all); i++) {
			struct json_object *p = json_object_array_get_idx(all, i);
			int64_t tx = live_get(p, "net.tx_ops"), rx = live_get(p, "net.rx_ops");

			seen += (tx == LIVE_NULL ? 0 : tx) + (rx == LIVE_NULL ? 0 : 2 * rx);
		}
	}
	live_compare((double)runs, (double)seen, (double)seen / 10, "own cost: runs of programs");
	live_verdict();
}

/* The cost of watching is measured after the first readings, and is at least what was known before. */
static void test_own_cost(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	struct json_object *self, *percent = NULL, *last = NULL;
	double least_ns, all_ns;

	(void)state;
	for (int i = 0; i < 100 && !percent; i++) {
		live_past_now(l);
		last = l->reading[l->n - 1];
		percent = json_object_object_get(json_object_object_get(last, "self"), "cost_percent");
	}
	least_ns = (double)(live_get(last, "self.cpu_ns") + live_get(last, "self.bpf_ns"));
	all_ns = (double)live_get(last, "interval_ns") * (double)live_get(last, "host.cpus");
	live_between(percent ? json_object_get_double(percent) : -1, least_ns * 100 / all_ns - 0.001, 100,
		     "own cost: of the machine");
	self = json_object_object_get(l->reading[0], "self");
	live_between(json_object_object_get(self, "cost_percent") != NULL, 0, 0, "own cost: in the first reading");
	live_verdict();
}

static bool calls_are(const struct live *l, const char *state)
{
	return !strcmp(live_text(l->reading[l->n - 1], "probes.syscall.state"), state);
}

/* More calls than the budget allows: they are no longer watched, which is reported; and counted exactly again
 * afterwards. */
static void test_budget(void **state)
{
	struct live *l = live_start("-d", "0.2", "--budget", "1", NULL);
	struct child *load = live_load(NULL, "getppid", "1", "2000000000", NULL);

	(void)state;
	live_need_real_time();
	child_send(load, 'x');
	for (int i = 0; i < 100 && !calls_are(l, "off"); i++)
		live_next(l);
	live_between(calls_are(l, "off"), 1, 1, "budget: calls are off");
	assert_non_null(strstr(live_text(l->reading[l->n - 1], "probes.syscall.reason"), "over the budget of 1 %"));
	live_compare((double)live_get(l->reading[l->n - 1], "host.calls.count"), (double)LIVE_NULL, 0,
		     "budget: calls meanwhile");
	live_verdict();
}

#define MAPS 4096

/* A lagtop's maps, each once, and their memory as reported by the kernel. */
struct maps {
	uint32_t id[MAPS];
	size_t n;
	int64_t bytes;
};

/* The maps of records have no descriptors in lagtop, but are in maps of maps. */
static void add_map(struct maps *m, uint32_t id)
{
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info), inner;
	char file[32];
	int fd;

	for (size_t i = 0; i < m->n; i++)
		if (m->id[i] == id)
			return;
	assert_true(m->n < MAPS);
	m->id[m->n++] = id;
	fd = bpf_map_get_fd_by_id(id);
	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &len), 0);
	snprintf(file, sizeof(file), "fdinfo/%d", fd);
	m->bytes += live_proc(getpid(), file, "memlock:");
	for (uint32_t key = 0; info.type == BPF_MAP_TYPE_ARRAY_OF_MAPS && key < info.max_entries; key++)
		if (!bpf_map_lookup_elem(fd, &key, &inner) && inner)
			add_map(m, inner);
	close(fd);
}

/* For this lagtop only: others may run at the same time. */
static int64_t map_bytes(int64_t pid)
{
	static struct maps m;
	char path[300], line[256];
	struct dirent *d;
	uint32_t id;
	DIR *dir;
	FILE *f;

	memset(&m, 0, sizeof(m));
	snprintf(path, sizeof(path), "/proc/%lld/fdinfo", (long long)pid);
	dir = opendir(path);
	assert_non_null(dir);
	while ((d = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%lld/fdinfo/%s", (long long)pid, d->d_name);
		f = fopen(path, "r");
		while (f && fgets(line, sizeof(line), f))
			if (sscanf(line, "map_id: %u", &id) == 1)
				add_map(&m, id);
		if (f)
			fclose(f);
	}
	closedir(dir);
	return m.bytes;
}

/* The kernel memory that lagtop reports for itself is what the kernel reports. It may be 8 MiB, 2 KiB per thread, and
 * 512 bytes for each different call that a thread has made: the C library makes three when a thread starts; ten are
 * allowed for all others, and 2 MiB for threads that came and went meanwhile. */
static void test_kernel_memory(void **state)
{
	enum { CROWD = 5000 };
	int64_t bytes, at_last, threads = CROWD + proc_threads();
	struct live *l = live_start("-d", "0.2", NULL);
	struct json_object *last;

	(void)state;
	live_load(NULL, "crowd", "5000", NULL);
	live_past_now(l);
	last = l->reading[l->n - 1];
	/* It may still be adding some. */
	do {
		at_last = live_get(last, "self.map_bytes");
		bytes = map_bytes(l->child->pid);
		last = live_next(l);
	} while (live_get(last, "self.map_bytes") != at_last);
	live_compare((double)live_get(last, "self.map_bytes"), (double)bytes, (double)bytes / 100, "kernel memory");
	live_between((double)bytes, 1,
		     (10 << 20) + 2048.0 * (double)threads + 512.0 * (3 * CROWD + 10 * (double)(threads - CROWD)),
		     "kernel memory for %lld threads", (long long)threads);
	live_verdict();
}

int main(void)
{
	static const struct CMUnitTest counts[] = {
		live_test(test_getppid_of_four_threads),
		live_test(test_two_thousand_true),
		live_test(test_fork_and_exit),
		live_test(test_last_two_threads_exit_together),
		live_test(test_threads),
		live_test(test_io_uring_rings),
		live_test(test_two_lagtops),
		live_test(test_output_not_read),
		live_test(test_delay_of_a_minute),
		live_test(test_few_records),
		live_test(test_own_runs),
		live_test(test_own_cost),
		live_test(test_budget),
		live_test(test_kernel_memory),
	};

	return live_main(counts);
}
