/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets: their owners, however they changed hands; round trips; servers with few requests. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "live.h"

#define PATIENCE 100 /* readings */

/* The sockets of a reading that belong to a pid, with an address that names the port. */
static size_t count_connections(struct json_object *reading, int64_t pid, int64_t port, const char *state)
{
	struct json_object *all = json_object_object_get(reading, "connections");
	char end[16];
	size_t n = 0;

	snprintf(end, sizeof(end), ":%lld", (long long)port);
	for (size_t i = 0; all && i < json_object_array_length(all); i++) {
		struct json_object *c = json_object_array_get_idx(all, i);
		const char *local = live_text(c, "local"), *remote = live_text(c, "remote");

		n += live_get(c, "pid") == pid && !strcmp(live_text(c, "state"), state) &&
		     !strncmp(local, "127.0.0.1:", 10) &&
		     (!strcmp(strrchr(local, ':'), end) || !strcmp(strrchr(remote, ':'), end));
	}
	return n;
}

static void test_connections_and_their_owners(void **state)
{
	const char *ready;
	struct child *before = live_load(&ready, "connections", "20", NULL), *after, *apart;
	int64_t before_port = child_value(ready, "port"), after_port, apart_port;
	struct live *l;
	struct json_object *last;

	(void)state;
	live_need_bpf();
	apart = live_load_in_namespace("", "connections 7", &ready);
	apart_port = child_value(ready, "port");
	l = live_start("-d", "0.2", "-v", "connections", NULL);
	after = live_load(&ready, "connections", "30", NULL);
	after_port = child_value(ready, "port");
	live_past_now(l);
	last = l->reading[l->n - 1];
	live_compare((double)count_connections(last, before->pid, before_port, "ESTAB"), 40, 0,
		     "connections from before lagtop");
	live_compare((double)count_connections(last, after->pid, after_port, "ESTAB"), 60, 0,
		     "connections from after lagtop");
	live_compare((double)count_connections(last, apart->pid, apart_port, "ESTAB"), 14, 0,
		     "connections of another namespace");
	live_verdict();
}

static int64_t port_of(const char *address)
{
	return strtoll(strrchr(address, ':') + 1, NULL, 10);
}

/*
 * Between two readings more sockets appear than the walk has room for, and than it visits without a pause: it takes a
 * second pass, and each socket is one row.
 */
static void test_many_connections(void **state)
{
	const char *n_text = getenv("LIVE_EMULATED") ? "700" : "9000", *ready;
	struct live *l = live_start("-d", "3", "-v", "connections", NULL);
	int64_t port, distinct = 0, rows = 0;
	static bool seen[2][65536];
	struct json_object *all;
	struct child *load;

	(void)state;
	load = live_load(&ready, "connections", n_text, NULL);
	port = child_value(ready, "port");
	live_past_now(l);
	all = json_object_object_get(l->reading[l->n - 1], "connections");
	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object *c = json_object_array_get_idx(all, i);
		int64_t local = port_of(live_text(c, "local")), remote = port_of(live_text(c, "remote"));
		bool *its = &seen[local == port][(local == port ? remote : local) & 65535];

		if (live_get(c, "pid") != load->pid || strcmp(live_text(c, "state"), "ESTAB"))
			continue;
		rows++;
		distinct += !*its;
		*its = true;
	}
	live_compare((double)rows, 2 * strtod(n_text, NULL), 0, "many connections: rows");
	live_compare((double)distinct, 2 * strtod(n_text, NULL), 0, "many connections: distinct ones");
	live_verdict();
}

/* Σ of a field over the rows, in all readings, of the end whose local (or remote) port is this, with this owner. */
static int64_t sum_rows(struct live *l, int64_t pid, int64_t port, bool local, const char *path)
{
	char end[16];
	int64_t sum = 0;

	snprintf(end, sizeof(end), ":%lld", (long long)port);
	for (size_t r = 0; r < l->n; r++) {
		struct json_object *all = json_object_object_get(l->reading[r], "connections");

		for (size_t i = 0; all && i < json_object_array_length(all); i++) {
			struct json_object *c = json_object_array_get_idx(all, i);
			const char *at = strrchr(live_text(c, local ? "local" : "remote"), ':');

			if (at && !strcmp(at, end) && live_get(c, "pid") == pid && live_get(c, path) != LIVE_NULL)
				sum += live_get(c, path);
		}
	}
	return sum;
}

/* Connected before lagtop started: they are seen with their owner, and then with their bytes. */
static void check_datagrams(const char *kind, const char *local)
{
	struct child *load = live_load(NULL, "transfer", kind, "send", "1000", "50", NULL);
	struct live *l = live_start("-d", "0.2", "-v", "connections", NULL);
	struct json_object *all;
	int64_t before = 0;

	live_past_now(l);
	all = json_object_object_get(l->reading[l->n - 1], "connections");
	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object *c = json_object_array_get_idx(all, i);

		before += live_get(c, "pid") == load->pid && !strcmp(live_text(c, "proto"), "udp") &&
			  !strncmp(live_text(c, "local"), local, strlen(local)) && live_get(c, "age_ns") == LIVE_NULL;
	}
	live_round(load);
	live_past_now(l);
	live_next(l);
	live_compare((double)before, 2, 0, "%s: sockets from before lagtop", kind);
	live_compare((double)live_sum_connections(l, load->pid, "tx_bytes"), 50000, 0, "%s: their tx bytes", kind);
	live_compare((double)live_sum_connections(l, load->pid, "rx_bytes"), 50000, 0, "%s: their rx bytes", kind);
	live_verdict();
}

static void test_datagram_sockets(void **state)
{
	(void)state;
	live_need_bpf();
	check_datagrams("udp4", "127.0.0.1:");
	live_end_test(NULL);
	check_datagrams("udp6", "[::1]:");
}

/* Inherited by fork and passed over a UNIX socket: the process that uses it owns it. */
static void test_sockets_change_hands(void **state)
{
	struct live *l = live_start("-d", "0.2", "-v", "connections", NULL);
	const char *ready;
	struct child *load = live_load(&ready, "hand-over", "100000", NULL);
	int64_t port = child_value(ready, "port"), inherited = child_value(ready, "inherited");
	int64_t passed = child_value(ready, "passed");

	(void)state;
	live_past_now(l);
	live_compare((double)count_connections(l->reading[l->n - 1], load->pid, port, "ESTAB"), 2, 0,
		     "hand over: ends of who opened them");
	live_round(load);
	live_past_now(l);
	live_compare((double)count_connections(l->reading[l->n - 1], load->pid, port, "ESTAB"), 0, 0,
		     "hand over: left to who opened them");
	live_compare((double)count_connections(l->reading[l->n - 1], inherited, port, "ESTAB"), 1, 0,
		     "hand over: inherited");
	live_compare((double)count_connections(l->reading[l->n - 1], passed, port, "ESTAB"), 1, 0, "hand over: passed");
	live_compare((double)sum_rows(l, inherited, port, false, "tx_bytes"), 100000, 0, "hand over: sent on it");
	live_compare((double)sum_rows(l, passed, port, true, "rx_bytes"), 100000, 0, "hand over: received on it");
	live_compare((double)live_sum(l, 0, inherited, "net.tx_bytes"), 100000, 0, "hand over: the heir's tx bytes");
	live_compare((double)live_sum(l, 0, passed, "net.rx_bytes"), 100000, 0, "hand over: the other's rx bytes");
	live_compare((double)live_sum(l, 0, load->pid, "net.tx_bytes"), 0, 0, "hand over: the opener's tx bytes");
	live_verdict();
}

/* An accepted connection belongs to the listener's owner until the worker uses it, whatever socket had its memory
 * before. */
static void test_connections_of_a_worker(void **state)
{
	struct live *l = live_start("-d", "0.2", "-v", "connections", NULL);
	const char *ready;
	struct child *load = live_load(&ready, "worker", "100", NULL);
	int64_t port = child_value(ready, "port"), worker = child_value(ready, "worker");

	(void)state;
	live_past_now(l);
	live_round(load);
	live_past_now(l);
	live_compare((double)sum_rows(l, worker, port, true, "tx_bytes"), 100, 0, "worker: sent by it");
	live_compare((double)sum_rows(l, worker, port, true, "rx_bytes"), 100, 0, "worker: received by it");
	live_compare((double)sum_rows(l, load->pid, port, true, "rx_bytes"), 0, 0, "worker: received by its parent");
	live_compare((double)sum_rows(l, load->pid, port, false, "tx_bytes"), 100, 0, "worker: sent to it");
	live_verdict();
}

/* A socket whose owner has exited has no owner, until a process that inherited it uses it. */
static void test_sockets_of_the_dead(void **state)
{
	struct live *l = live_start("-d", "0.2", "-v", "connections", NULL);
	const char *ready;
	struct child *load = live_load(&ready, "heir", NULL);
	int64_t port = child_value(ready, "port"), heir = child_value(live_round(load), "pid");

	(void)state;
	live_past_now(l);
	live_past_now(l);
	live_compare((double)count_connections(l->reading[l->n - 1], LIVE_NULL, port, "ESTAB"), 2, 0,
		     "sockets of exited processes: without an owner");
	live_round(load);
	live_past_now(l);
	live_compare((double)count_connections(l->reading[l->n - 1], heir, port, "ESTAB"), 2, 0,
		     "of the dead: the heir's ends, once used");
	live_verdict();
}

/* Opened and closed between two readings, a millisecond or less: each has its row, its bytes and its owner. */
static void test_brief_connections(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	const char *ready, *got;
	struct child *server = live_load(&ready, "tcp-server", "200", NULL), *client;
	int64_t port = child_value(ready, "port"), lost = 0;
	char text[16];

	(void)state;
	snprintf(text, sizeof(text), "%lld", (long long)port);
	client = live_load(NULL, "tcp-client", text, "200", "1", "100", NULL);
	assert_true(child_send(server, 'x'));
	live_round(client);
	got = child_line(server);
	assert_int_equal(child_value(got, "bytes"), 20000);
	live_past_now(l);
	live_past_now(l);
	for (size_t r = 0; r < l->n; r++)
		lost += live_get(l->reading[r], "lost.events");
	live_compare((double)sum_rows(l, client->pid, port, false, "tx_bytes"), 20000, 0,
		     "brief: the clients' tx bytes");
	live_compare((double)sum_rows(l, server->pid, port, true, "rx_bytes"), 20000, 0,
		     "brief: the server's rx bytes");
	live_compare((double)lost, 0, 0, "brief: lost events");
	live_verdict();
}

static void check_io_uring(const char *accepting)
{
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *load = live_load(NULL, "ring", "20", "50", "1000", accepting, NULL);
	const char *done = live_round(load);
	double bytes = (double)child_value(done, "bytes"), connects = (double)child_value(done, "connects");
	int64_t delay_ns = 0;

	live_past_now(l);
	live_compare((double)live_sum(l, 0, load->pid, "net.tcp.tx_bytes"), bytes, 0, "io_uring, %s: tx bytes",
		     accepting);
	live_compare((double)live_sum(l, 0, load->pid, "net.tcp.rx_bytes"), bytes, 0, "io_uring, %s: rx bytes",
		     accepting);
	live_compare((double)live_sum(l, 0, load->pid, "net.tx_ops"), 1000, 0, "io_uring, %s: tx operations",
		     accepting);
	live_compare((double)live_sum(l, 0, load->pid, "net.connects"), connects, 0, "io_uring, %s: connects",
		     accepting);
	live_compare((double)live_sum(l, 0, load->pid, "net.accepts"), connects, 0, "io_uring, %s: accepts", accepting);
	for (size_t r = 0; r < l->n; r++) {
		struct json_object *p = live_process(l->reading[r], load->pid);
		int64_t ns = p ? live_get(p, "net.accept_p99_ns") : LIVE_NULL;

		delay_ns = ns > delay_ns ? ns : delay_ns;
	}
	live_between((double)delay_ns, 1, 6e10, "io_uring, %s: how long connections waited", accepting);
	live_verdict();
}

static void test_io_uring_sockets(void **state)
{
	(void)state;
	check_io_uring("singly");
	live_end_test(NULL);
	check_io_uring("multishot");
}

/* Such connections have no descriptor, but the result has a number that may be that of another. */
static void test_io_uring_accepts_directly(void **state)
{
	struct child *load;
	int64_t known = 0;
	struct live *l;
	size_t from;

	(void)state;
	if (live_field("/proc/sys/kernel/io_uring_disabled", 0) > 0)
		live_skip("io_uring is off (kernel.io_uring_disabled)");
	l = live_start("-d", "0.2", NULL);
	load = live_load(NULL, "ring-direct", "50", NULL);
	from = live_mark(l);
	live_round(load);
	live_past_now(l);
	live_compare((double)live_sum(l, from, load->pid, "net.accepts"), 50, 0, "io_uring, directly: accepts");
	for (size_t r = from; r < l->n; r++) {
		struct json_object *p = live_process(l->reading[r], load->pid);

		known += p && live_get(p, "net.accept_p99_ns") != LIVE_NULL;
	}
	live_compare((double)known, 0, 0, "io_uring, directly: readings that know how long they waited");
	live_verdict();
}

/* i386 programs may accept through socketcall. */
static void test_socketcall(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	struct json_object *p;
	bool delay = false;
	struct child *load;
	const char *done = live_round_int80("socketcall", "200", &load);

	(void)state;
	live_past_now(l);
	live_compare_claims(l, 0, load->pid, done);
	live_compare((double)live_sum(l, 0, load->pid, "net.accepts"), (double)child_value(done, "accepts"), 0,
		     "socketcall: accepts");
	live_compare((double)live_sum(l, 0, load->pid, "net.rx_bytes"), (double)child_value(done, "rx_bytes"), 0,
		     "socketcall: rx bytes");
	for (size_t r = 0; r < l->n; r++) {
		p = live_process(l->reading[r], load->pid);
		delay |= p && live_get(p, "net.accept_p99_ns") > 0;
	}
	live_compare(delay, 1, 0, "socketcall: how long connections waited");
	live_verdict();
}

/* ss -tin of a process's network namespace: the srtt in ns of the connection between two ends; -1: not found. */
static double srtt_by_ss(int64_t pid, const char *local, const char *remote)
{
	char command[64], line[1024], from[64], to[64];
	bool found = false;
	double ms = -1;
	FILE *f;

	snprintf(command, sizeof(command), "nsenter -t %lld -n ss -tinH", (long long)pid);
	f = popen(command, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		const char *rtt = strstr(line, " rtt:");

		if (found && rtt)
			ms = strtod(rtt + 5, NULL);
		found = sscanf(line, "%*s %*d %*d %63s %63s", from, to) == 2 && !strcmp(from, local) &&
			!strcmp(to, remote);
	}
	pclose(f);
	return ms < 0 ? -1 : ms * 1e6;
}

static void test_srtt_as_ss_has_it(void **state)
{
	struct live *l;
	struct child *load;
	struct json_object *all, *process;
	const char *ready;
	double least = INFINITY, most = 0, connect_ns = 0;
	int rows = 0;

	(void)state;
	live_need_bpf();
	if (access("/dev/net/tun", F_OK))
		live_skip("this kernel has no tun");
	if (access("/usr/bin/ss", X_OK) && access("/bin/ss", X_OK))
		live_skip("ss is not installed");
	l = live_start("-d", "0.2", "-v", "connections", NULL);
	load = live_load_in_namespace("", "far 3 30 10", &ready);
	live_round(load);
	live_past_now(l);
	live_next(l);
	/* Nothing is in flight: both see the same. */
	all = json_object_object_get(l->reading[l->n - 1], "connections");
	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object *c = json_object_array_get_idx(all, i);
		const char *remote = live_text(c, "remote");
		double srtt_ns = (double)live_get(c, "srtt_ns"), oracle_ns;

		if (live_get(c, "pid") != load->pid || strncmp(remote, "10.9.0.", 7))
			continue;
		oracle_ns = srtt_by_ss(load->pid, live_text(c, "local"), remote);
		live_compare(srtt_ns, oracle_ns, 0.2 * oracle_ns, "srtt of %s, by ss", remote);
		live_between(srtt_ns, strncmp(remote, "10.9.0.30:", 10) ? 6e6 : 60e6, 60e9, "srtt of %s, at least",
			     remote);
		least = fmin(least, srtt_ns);
		most = fmax(most, srtt_ns);
		rows++;
	}
	live_compare(rows, 4, 0, "srtt: ends of connections");
	process = live_process(l->reading[l->n - 1], load->pid);
	assert_non_null(process);
	live_between((double)live_get(process, "net.srtt_ns"), least, most, "srtt of the process");
	for (size_t r = 0; r < l->n; r++) {
		process = live_process(l->reading[r], load->pid);
		connect_ns = fmax(connect_ns, process ? (double)live_get(process, "net.connect_p99_ns") : 0);
	}
	live_between(connect_ns, 0.87 * 60e6, 60e9, "connect of 60 ms: p99");
	live_verdict();
}

/* A second between two requests: the call that waits for one takes that long, but it is not the server's call
 * latency. */
static void check_quiet(const char *kind, const char *call)
{
	struct live *l = live_start("-d", "1", NULL);
	const char *ready;
	struct child *load = live_load(&ready, "quiet", kind, "50", NULL);
	int64_t pid = child_value(ready, "pid"), least_ns = INT64_MAX, most_ns = 0;

	live_past_now(l);
	for (int i = 0; i < 5; i++) {
		struct json_object *p, *row;

		live_round(load);
		p = live_process(live_next(l), pid);
		assert_non_null(p);
		if (live_get(p, "calls.count") >= 2 && live_get(p, "calls.p99_ns") < least_ns)
			least_ns = live_get(p, "calls.p99_ns");
		row = live_call(p, call);
		if (row && live_get(row, "max_ns") > most_ns)
			most_ns = live_get(row, "max_ns");
	}
	live_between((double)most_ns, 5e8, 6e10, "quiet by %s: max of %s", kind, call);
	live_between((double)least_ns, 1, 1e6, "quiet by %s: p99 of its calls", kind);
	live_verdict();
}

static void test_a_quiet_server_is_quick(void **state)
{
	(void)state;
	live_need_real_time();
	check_quiet("epoll", "epoll_wait");
	live_end_test(NULL);
	check_quiet("threads", "recvfrom");
}

int main(void)
{
	static const struct CMUnitTest sockets[] = {
		live_test(test_connections_and_their_owners),
		live_test(test_datagram_sockets),
		live_test(test_many_connections),
		live_test(test_sockets_change_hands),
		live_test(test_connections_of_a_worker),
		live_test(test_sockets_of_the_dead),
		live_test(test_brief_connections),
		live_test(test_io_uring_sockets),
		live_test(test_io_uring_accepts_directly),
		live_test(test_socketcall),
		live_test(test_srtt_as_ss_has_it),
		live_test(test_a_quiet_server_is_quick),
	};

	return live_main(sockets);
}
