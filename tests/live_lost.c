/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every event of a workload is in a row or in `lost`, although records, call entries or space in the ring are short;
 * and on a machine that starves lagtop no number is larger than the interval allows.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lagtop.h"
#include "live.h"

#define OWNERS (1 << 14) /* socket.bpf.h */
#define LISTENING 4096	 /* turns.bpf.h */

static int64_t sum_lost(struct live *l, size_t from, const char *what)
{
	int64_t sum = 0;

	for (size_t r = from; r < l->n; r++)
		sum += live_get(l->reading[r], what);
	return sum;
}

/* The rows have at most what happened, and at least that minus what is in lost. */
static void in_a_row_or_lost(struct live *l, size_t from, int64_t in_rows, const char *lost, int64_t n,
			     const char *what)
{
	live_between((double)in_rows, (double)(n - sum_lost(l, from, lost)), (double)n, "%s, but %s", what, lost);
}

/* All of a workload's claims: no row has more, and what is missing is counted in lost. */
static void calls_in_a_row_or_lost(struct live *l, size_t from, int64_t pid, const char *done)
{
	int64_t claimed = 0, in_rows = 0, too_many = 0;
	char name[64];

	for (const char *at = strstr(done, " call:"); at; at = strstr(at + 1, " call:")) {
		long long n;
		int64_t row;

		assert_int_equal(sscanf(at, " call:%63[^= ]=%lld", name, &n), 2);
		row = live_sum_call(l, from, pid, name, "count");
		too_many += row > n;
		in_rows += row;
		claimed += n;
	}
	live_compare((double)too_many, 0, 0, "rows with more calls than there were");
	in_a_row_or_lost(l, from, in_rows, "lost.calls", claimed, "calls");
}

static int64_t count_exited(struct live *l, size_t from, int64_t ppid)
{
	int64_t n = 0;

	for (size_t r = from; r < l->n; r++) {
		struct json_object *all = json_object_object_get(l->reading[r], "processes");

		for (size_t i = 0; i < json_object_array_length(all); i++) {
			struct json_object *p = json_object_array_get_idx(all, i);

			n += live_get(p, "ppid") == ppid && !strcmp(live_text(p, "state"), "exited");
		}
	}
	return n;
}

static void compare_with_few_records(struct live *l)
{
	struct child *crowd = live_load(NULL, "crowd", "200", NULL); /* takes all that are free */
	struct child *calls = live_load(NULL, "mixed", "3", "5000", NULL);
	struct child *forks = live_load(NULL, "forkexit", "300", NULL);
	struct child *trips = live_load(NULL, "tcp", "-1", "2000", NULL);
	size_t from = live_mark(l);
	const char *done = live_round(calls);

	live_round(forks);
	live_round(trips);
	live_past_now(l);
	calls_in_a_row_or_lost(l, from, calls->pid, done);
	in_a_row_or_lost(l, from, count_exited(l, from, forks->pid), "lost.threads", 300, "processes");
	/* Each round trip is two messages, and a thread waits for each. */
	live_between((double)(live_sum(l, from, trips->pid, "net.tx_ops") + sum_lost(l, from, "lost.sockets")), 4000,
		     1e9, "messages, and lost.sockets");
	live_between((double)(live_sum(l, from, trips->pid, "switches.voluntary") + sum_lost(l, from, "lost.switches")),
		     2000, 1e9, "switches, and lost.switches");
	child_close_in(crowd);
}

static void test_few_records(void **state)
{
	(void)state;
	compare_with_few_records(live_start("-d", "0.2", "--max-threads", "100", NULL));
	live_verdict();
}

static void test_few_entries(void **state)
{
	struct live *l;
	struct child *load;
	const char *done;
	size_t from;

	(void)state;
	setenv("LAGTOP_ENTRIES", "50", 1);
	l = live_start("-d", "0.2", NULL);
	unsetenv("LAGTOP_ENTRIES");
	load = live_load(NULL, "mixed", "3", "20000", NULL);
	from = live_mark(l);
	done = live_round(load);
	live_past_now(l);
	live_between((double)sum_lost(l, from, "lost.calls"), 1, 1e12, "few entries: lost.calls");
	calls_in_a_row_or_lost(l, from, load->pid, done);
	live_verdict();
}

static void test_small_ring(void **state)
{
	struct live *l;
	struct child *load;
	size_t from;

	(void)state;
	setenv("LAGTOP_RING", "4096", 1);
	l = live_start("-d", "0.2", NULL);
	unsetenv("LAGTOP_RING");
	live_need_net(l);
	load = live_load(NULL, "connect", "1000", "1000", NULL);
	from = live_mark(l);
	live_round(load);
	live_past_now(l);
	live_between((double)sum_lost(l, from, "lost.events"), 1, 1e12, "small ring: lost.events");
	in_a_row_or_lost(l, from, live_sum(l, from, load->pid, "net.connect_errors"), "lost.events", 1000,
			 "small ring: refused");
	live_compare((double)live_sum(l, from, load->pid, "net.connects"), 2000, 0, "small ring: connects");
	live_verdict();
}

/* The normal ring, while lagtop is stopped and more happens than the ring holds. */
static void test_full_ring(void **state)
{
	const char *n = live_times("15000", "10000");
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *load;
	size_t from;

	(void)state;
	live_need_net(l);
	load = live_load(NULL, "connect", "1000", n, NULL);
	from = live_mark(l);
	assert_int_equal(kill(l->child->pid, SIGSTOP), 0);
	live_round(load);
	assert_int_equal(kill(l->child->pid, SIGCONT), 0);
	live_past_now(l);
	live_between((double)sum_lost(l, from, "lost.events"), 1, 1e12, "full ring: lost.events");
	in_a_row_or_lost(l, from, live_sum(l, from, load->pid, "net.connect_errors"), "lost.events", atol(n),
			 "full ring: refused");
	live_compare((double)live_sum(l, from, load->pid, "net.connects"), 1000 + strtod(n, NULL), 0,
		     "full ring: connects");
	live_verdict();
}

/* The kernel refuses memory for socket storage: the counts in the thread's record are still complete. */
static void test_no_storage_of_sockets(void **state)
{
#define REFUSE "echo 0 2>/dev/null >/proc/sys/net/core/optmem_max"
	struct child *connects, *trips;
	const char *ready;
	struct live *l;
	size_t from;

	(void)state;
	live_need_bpf();
	if (system("unshare -n sh -c '" REFUSE "' 2>/dev/null"))
		live_skip("this kernel has no net.core.optmem_max for each network namespace");
	l = live_start("-d", "0.2", NULL);
	live_need_net(l);
	connects = live_load_in_namespace(REFUSE " &&", "connect 100 200", &ready);
	trips = live_load_in_namespace(REFUSE " &&", "tcp -1 500", &ready);
	from = live_mark(l);
	live_round(connects);
	live_past_now(l);
	in_a_row_or_lost(l, from, live_sum(l, from, connects->pid, "net.connect_errors"), "lost.sockets", 200,
			 "no storage: refused");
	live_compare((double)live_sum(l, from, connects->pid, "net.connects"), 300, 0, "no storage: connects");
	live_compare((double)live_sum(l, from, connects->pid, "net.accepts"), 100, 0, "no storage: accepts");
	from = l->n;
	live_round(trips);
	live_past_now(l);
	live_compare((double)live_sum(l, from, trips->pid, "net.tx_ops"), 1000, 0, "no storage: messages");
	live_between((double)sum_lost(l, from, "lost.sockets"), 2000, 1e12, "no storage: lost.sockets");
	live_verdict();
}

/* The descriptor of one of lagtop's maps. */
static int map_of(struct live *l, const char *name)
{
	char path[300], line[256];
	int found = -1;
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", l->child->pid);
	dir = opendir(path);
	assert_non_null(dir);
	while (found < 0 && (d = readdir(dir))) {
		FILE *f;
		uint32_t id;

		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", l->child->pid, d->d_name);
		f = fopen(path, "r");
		while (f && fgets(line, sizeof(line), f)) {
			struct bpf_map_info info = {};
			uint32_t size = sizeof(info);

			if (sscanf(line, "map_id: %u", &id) != 1)
				continue;
			found = bpf_map_get_fd_by_id(id);
			if (found >= 0 && (bpf_obj_get_info_by_fd(found, &info, &size) || strcmp(info.name, name))) {
				close(found);
				found = -1;
			}
		}
		if (f)
			fclose(f);
	}
	closedir(dir);
	assert_true(found >= 0);
	return found;
}

/* As if an attacker's threads had taken every free place. No real task has such a key. */
static void fill_index(struct live *l)
{
	int fd = map_of(l, "lt_index");
	struct lt_index_set *sets =
		mmap(NULL, LT_INDEX_SETS * sizeof(*sets), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	assert_ptr_not_equal(sets, MAP_FAILED);
	for (size_t i = 0; i < LT_INDEX_SETS; i++)
		for (size_t way = 0; way < LT_INDEX_WAYS; way++)
			__sync_bool_compare_and_swap(&sets[i].way[way], 0, UINT64_MAX);
	munmap(sets, LT_INDEX_SETS * sizeof(*sets));
	close(fd);
}

/* Inserts until the map is full; key: the first of many that no task has. */
static void fill_hash(struct live *l, const char *name, uint64_t key)
{
	static const char value[256];
	int fd = map_of(l, name);

	while (!bpf_map_update_elem(fd, &key, value, BPF_NOEXIST))
		key++;
	close(fd);
}

#define SPILL (1 << 17)

static int count_spilled(struct live *l)
{
	static uint64_t key[SPILL];
	static uint32_t slot[SPILL];
	uint32_t place, n = SPILL;
	int fd = map_of(l, "lt_spill");

	/* In one batch: get_next_key starts again from the beginning if its key has gone. */
	assert_int_equal(bpf_map_lookup_batch(fd, NULL, &place, key, slot, &n, NULL), -ENOENT);
	close(fd);
	return (int)n;
}

#define PATIENCE 150 /* readings */

/* lagtop has free records for so many threads: births never come faster than it makes more. */
static struct live *start_with_records(const char *threads)
{
	struct json_object *p = NULL;
	struct child *crowd;
	struct live *l;

	setenv("LAGTOP_IDLE", "100000", 1); /* seconds until it gives them back */
	l = live_start("-d", "0.2", NULL);
	unsetenv("LAGTOP_IDLE");
	crowd = live_load(NULL, "crowd", threads, NULL);
	for (int i = 0; i < PATIENCE && (!p || live_get(p, "threads") <= atol(threads)); i++)
		p = live_process(live_next(l), crowd->pid);
	assert_non_null(p);
	assert_int_equal(live_get(p, "threads"), atol(threads) + 1);
	child_close_in(crowd);
	assert_int_equal(child_wait(crowd), 0);
	live_past_now(l);
	return l;
}

/* Records without a place in the index are put into the spill, found there, and removed at exit. */
static void test_full_index(void **state)
{
	struct live *l = start_with_records("2000");
	struct child *crowd, *forks;
	size_t from, began = l->n;
	int most;

	(void)state;
	fill_index(l);
	crowd = live_load(NULL, "crowd", "1000", NULL);
	live_claims(l, "mixed", "8", "500", NULL);
	forks = live_load(NULL, "forkexit", "300", NULL);
	from = live_mark(l);
	live_round(forks);
	live_past_now(l);
	in_a_row_or_lost(l, from, count_exited(l, from, forks->pid), "lost.threads", 300, "full index: processes");
	live_compare((double)live_get(live_process(l->reading[l->n - 1], crowd->pid), "threads"), 1001, 0,
		     "full index: threads");
	live_compare((double)sum_lost(l, began, "lost.threads"), 0, 0, "full index: lost.threads");
	most = count_spilled(l);
	live_between(most, 800, 1e9, "full index: threads in the spill");
	child_close_in(crowd);
	assert_int_equal(child_wait(crowd), 0);
	live_past_now(l);
	live_between(count_spilled(l), 0, most - 500, "full index: when a thousand have exited");
	live_verdict();
}

/* Both are full: no new thread gets a record. */
static void test_full_spill(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);

	(void)state;
	fill_index(l);
	fill_hash(l, "lt_spill", 1ULL << 50);
	compare_with_few_records(l);
	live_between((double)sum_lost(l, 0, "lost.threads"), 100, 1e12, "full spill: lost.threads");
	live_verdict();
}

/* Others' sockets have taken every place of the copies of owners: the owner is in the storage, and a socket that
 * changes hands takes a place. */
static void test_owners_of_others(void **state)
{
	const uint64_t of_another = 1ULL << LT_SLOT_BITS | 1;
	struct live *l = live_start("-d", "0.2", "-v", "connections", "--no-turns", NULL);
	struct child *trips, *hands;
	int64_t inherited, passed;
	const char *ready;
	size_t from;
	int fd;

	(void)state;
	live_need_net(l);
	trips = live_load(NULL, "tcp", "-1", "2000", NULL);
	hands = live_load(&ready, "hand-over", "100000", NULL);
	inherited = child_value(ready, "inherited");
	passed = child_value(ready, "passed");
	from = live_mark(l);
	fd = map_of(l, "lt_owners");
	for (uint32_t i = 0; i < OWNERS; i++)
		assert_int_equal(bpf_map_update_elem(fd, &i, &of_another, BPF_ANY), 0);
	close(fd);
	live_round(trips);
	live_round(hands);
	live_past_now(l);
	live_compare((double)live_sum(l, from, trips->pid, "net.tx_ops"), 4000, 0, "owners: messages");
	live_compare((double)live_sum(l, from, trips->pid, "net.rx_ops"), 4000, 0, "owners: messages received");
	live_compare((double)live_sum_connections(l, inherited, "tx_bytes"), 100000, 0, "owners: sent by the heir");
	live_compare((double)live_sum_connections(l, passed, "rx_bytes"), 100000, 0, "owners: received by the other");
	live_compare((double)sum_lost(l, from, "lost.sockets"), 0, 0, "owners: lost.sockets");
	live_verdict();
}

/* More listeners than are remembered: those left out are counted. */
static void test_many_listeners(void **state)
{
	struct live *l;

	(void)state;
	live_need_bpf();
	live_load(NULL, "listeners", "5000", NULL);
	l = live_start("-d", "0.2", NULL);
	live_need_net(l);
	live_past_now(l);
	live_between((double)sum_lost(l, 0, "lost.sockets"), 5000 - LISTENING, 1e12, "listeners: lost.sockets");
	live_verdict();
}

/* The signal that ended a process is still known. */
static void test_too_many_with_deadly_signals(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *load = live_load(NULL, "killed", "15", NULL);
	struct json_object *p = NULL;
	int64_t pid;

	(void)state;
	fill_hash(l, "lt_killers", 1 << 23); /* no pid is that large */
	pid = child_value(live_round(load), "pid");
	live_past_now(l);
	for (size_t r = 0; r < l->n && !p; r++)
		p = live_process(l->reading[r], pid);
	assert_non_null(p);
	live_compare((double)live_get(p, "killed_by.signal"), 15, 0, "too many signals: signal");
	assert_string_equal(live_text(p, "killed_by.by"), "");
	assert_int_equal(live_get(p, "killed_by.pid"), LIVE_NULL);
	live_verdict();
}

/* A process of one thread cannot have lived longer than the interval. */
static int impossible(struct json_object *reading)
{
	struct json_object *all = json_object_object_get(reading, "processes");
	int64_t interval_ns = live_get(reading, "interval_ns");
	int n = 0;

	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object *p = json_object_array_get_idx(all, i);

		if (live_get(p, "threads") == 1 && !strcmp(live_text(p, "state"), "alive") &&
		    !strcmp(live_text(p, "comm"), "load"))
			n += live_get(p, "wall_ns") > interval_ns;
	}
	return n;
}

static void test_overload(void **state)
{
	struct live *l = live_start("-d", "0.5", NULL);
	char n[24];
	struct child *spin, *herd;
	int longer = 0;

	(void)state;
	snprintf(n, sizeof(n), "%ld", 30 * sysconf(_SC_NPROCESSORS_ONLN));
	herd = live_load(NULL, "busy", "200", "20", NULL);
	spin = live_load(NULL, "spin", "-1", n, "0", NULL);
	for (int i = 0; i < 6; i++) {
		struct json_object *reading = live_next(l);
		int64_t cpus_ns = live_get(reading, "host.cpus") * live_get(reading, "interval_ns");

		longer += impossible(reading);
		/* A missed switch is repaired by the run queue's clock, which differs by some µs. */
		live_between((double)live_get(reading, "host.run_ns"), 0, 1.001 * (double)cpus_ns,
			     "overload: time on CPUs");
	}
	child_close_in(spin);
	child_close_in(herd);
	live_compare(longer, 0, 0, "overload: processes of one thread that lived longer than the interval");
	live_verdict();
}

int main(void)
{
	static const struct CMUnitTest lost[] = {
		live_test(test_few_records),
		live_test(test_few_entries),
		live_test(test_full_index),
		live_test(test_full_spill),
		live_test(test_small_ring),
		live_test(test_full_ring),
		live_test(test_no_storage_of_sockets),
		live_test(test_owners_of_others),
		live_test(test_many_listeners),
		live_test(test_too_many_with_deadly_signals),
		live_test(test_overload),
	};

	return live_main(lost);
}
