/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes and connections: exactly those of a workload, on each side. */
#include <math.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "live.h"

static void test_tcp_bytes(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	const char *ready;
	struct child *server = live_load(&ready, "tcp-server", "1", NULL), *client;
	char port[16];
	const char *sent, *got;

	(void)state;
	live_need_net(l);
	snprintf(port, sizeof(port), "%lld", (long long)child_value(ready, "port"));
	client = live_load(NULL, "tcp-client", port, "1", "1001", "8000", NULL);
	assert_true(child_send(server, 'x'));
	sent = live_round(client);
	got = child_line(server);
	assert_non_null(got);
	assert_int_equal(child_value(got, "bytes"), 8008000);
	live_past_now(l);
	live_compare((double)live_sum(l, 0, client->pid, "net.tx_bytes"), 8008000, 0, "TCP client: tx bytes");
	live_compare((double)live_sum(l, 0, client->pid, "net.tcp.tx_bytes"), 8008000, 0, "TCP client: tcp tx bytes");
	live_compare((double)live_sum(l, 0, client->pid, "net.rx_bytes"), 0, 0, "TCP client: rx bytes");
	live_compare((double)live_sum(l, 0, client->pid, "net.tx_ops"), (double)child_value(sent, "ops"), 0,
		     "TCP client: tx operations");
	live_compare((double)live_sum(l, 0, client->pid, "net.connects"), 1, 0, "TCP client: connects");
	live_compare((double)live_sum(l, 0, server->pid, "net.rx_bytes"), 8008000, 0, "TCP server: rx bytes");
	live_compare((double)live_sum(l, 0, server->pid, "net.tcp.rx_bytes"), 8008000, 0, "TCP server: tcp rx bytes");
	live_compare((double)live_sum(l, 0, server->pid, "net.tx_bytes"), 0, 0, "TCP server: tx bytes");
	live_compare((double)live_sum(l, 0, server->pid, "net.rx_ops"), (double)child_value(got, "ops"), 0,
		     "TCP server: rx operations");
	live_verdict();
}

static const struct {
	const char *kind, *proto;
	bool inet;
} kinds[] = {
	{ "tcp4", "tcp", true }, { "tcp6", "tcp", true },   { "udp4", "udp", true },
	{ "udp6", "udp", true }, { "unix", "unix", false }, { "unixd", "unix", false },
};
static const char *const ways[] = { "send",   "sendto",	  "sendmsg", "sendmmsg", "write",
				    "writev", "sendfile", "splice",  "peek",	 "trunc" };
#define KINDS (sizeof(kinds) / sizeof(*kinds))
#define WAYS (sizeof(ways) / sizeof(*ways))

struct amounts {
	int64_t pid, tx_bytes, tx_ops, rx_bytes, rx_ops;
};

static struct amounts transfer(const char *kind, const char *way, const char *size, const char *n)
{
	struct child *load = live_load(NULL, "transfer", kind, way, size, n, NULL);
	const char *done = live_round(load);
	struct amounts a = {
		.pid = load->pid,
		.tx_bytes = child_value(done, "tx_bytes"),
		.tx_ops = child_value(done, "tx_ops"),
		.rx_bytes = child_value(done, "rx_bytes"),
		.rx_ops = child_value(done, "rx_ops"),
	};

	child_close_in(load);
	assert_int_equal(child_wait(load), 0);
	return a;
}

/* Adds a row to the table only if it differs: there are too many that do not. */
static int64_t differs(struct live *l, int64_t pid, const char *path, int64_t oracle, const char *what)
{
	int64_t measured = live_sum(l, 0, pid, path);

	if (measured != oracle)
		live_compare((double)measured, (double)oracle, 0, "%s: %s", what, path);
	return measured != oracle;
}

/* The kernel may split sendfile and splice into messages in any way, so only their bytes have an oracle. */
static int64_t count_differences(struct live *l, size_t kind, const char *way, const struct amounts *a)
{
	char what[64], path[64];
	bool with_ops = strcmp(way, "sendfile") && strcmp(way, "splice");
	int64_t n = 0;

	snprintf(what, sizeof(what), "%s by %s", kinds[kind].kind, way);
	snprintf(path, sizeof(path), "net.%s.tx_bytes", kinds[kind].proto);
	n += differs(l, a->pid, path, a->tx_bytes, what);
	snprintf(path, sizeof(path), "net.%s.rx_bytes", kinds[kind].proto);
	n += differs(l, a->pid, path, a->rx_bytes, what);
	n += differs(l, a->pid, "net.tx_bytes", kinds[kind].inet ? a->tx_bytes : 0, what);
	n += differs(l, a->pid, "net.rx_bytes", kinds[kind].inet ? a->rx_bytes : 0, what);
	if (with_ops && kinds[kind].inet) {
		n += differs(l, a->pid, "net.tx_ops", a->tx_ops, what);
		n += differs(l, a->pid, "net.rx_ops", a->rx_ops, what);
	}
	return n;
}

static void test_every_way_of_sending(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	struct amounts amounts[KINDS][WAYS];
	int64_t wrong[KINDS] = {};

	(void)state;
	for (size_t k = 0; k < KINDS; k++)
		for (size_t w = 0; w < WAYS; w++)
			amounts[k][w] = transfer(kinds[k].kind, ways[w], "1000", "50");
	live_past_now(l);
	for (size_t k = 0; k < KINDS; k++)
		for (size_t w = 0; w < WAYS; w++)
			wrong[k] += count_differences(l, k, ways[w], &amounts[k][w]);
	for (size_t k = 0; k < KINDS; k++)
		live_compare((double)wrong[k], 0, 0, "%s by %zu ways: wrong numbers", kinds[k].kind, WAYS);
	live_verdict();
}

static void test_sizes(void **state)
{
	static const char *const sizes[] = { "1", "65000", "0" };
	struct live *l = live_start("-d", "0.2", NULL);
	struct amounts amounts[KINDS][3];
	int64_t wrong = 0;

	(void)state;
	for (size_t k = 0; k < KINDS; k++)
		for (size_t s = 0; s < 3; s++)
			if (strcmp(sizes[s], "0") || !strncmp(kinds[k].kind, "udp", 3))
				amounts[k][s] = transfer(kinds[k].kind, "send", sizes[s], "40");
	live_past_now(l);
	for (size_t k = 0; k < KINDS; k++)
		for (size_t s = 0; s < 3; s++)
			if (strcmp(sizes[s], "0") || !strncmp(kinds[k].kind, "udp", 3))
				wrong += count_differences(l, k, "send", &amounts[k][s]);
	live_compare((double)wrong, 0, 0, "1 byte, 65,000 and empty: wrong numbers");
	live_verdict();
}

static void test_connects_and_accepts(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *load = live_load(NULL, "connect", "300", "70", NULL);
	const char *done = live_round(load);
	bool latency = false;

	(void)state;
	live_need_net(l);
	live_past_now(l);
	live_compare((double)live_sum(l, 0, load->pid, "net.connects"), (double)child_value(done, "connects"), 0,
		     "connects");
	live_compare((double)live_sum(l, 0, load->pid, "net.connect_errors"),
		     (double)child_value(done, "connect_errors"), 0, "refused connects");
	live_compare((double)live_sum(l, 0, load->pid, "net.accepts"), (double)child_value(done, "accepts"), 0,
		     "accepts");
	for (size_t r = 0; r < l->n; r++) {
		struct json_object *p = live_process(l->reading[r], load->pid);
		int64_t p99_ns = p ? live_get(p, "net.connect_p99_ns") : LIVE_NULL;

		latency |= p99_ns > 0 && p99_ns < 1000000000;
	}
	live_compare(latency, 1, 0, "a connect's latency is known");
	live_verdict();
}

/* Programs that let connections wait for a known time; the bucket of a histogram is at most 12.5 % off. */
static void test_accept_delay(void **state)
{
	static const char *const waits_us[] = { "0", "3000", "50000" };
	struct live *l = live_start("-d", "0.2", NULL);

	(void)state;
	live_need_net(l);
	for (size_t i = 0; i < sizeof(waits_us) / sizeof(waits_us[0]); i++) {
		size_t from = live_mark(l);
		struct child *load = live_load(NULL, "late_accept", "20", waits_us[i], NULL);
		const char *done = live_round(load);
		double least_ns = (double)child_value(done, "least_ns"), most_ns = (double)child_value(done, "most_ns");
		int64_t longest_ns = LIVE_NULL;

		live_past_now(l);
		for (size_t r = from; r < l->n; r++) {
			struct json_object *p = live_process(l->reading[r], load->pid);
			int64_t p99_ns = p ? live_get(p, "net.accept_p99_ns") : LIVE_NULL;

			assert_true(!p || (p99_ns == LIVE_NULL) == !live_get(p, "net.accepts"));
			longest_ns = p99_ns > longest_ns ? p99_ns : longest_ns;
		}
		live_compare((double)live_sum(l, from, load->pid, "net.accepts"), 20, 0, "late by %s us: accepts",
			     waits_us[i]);
		live_between((double)longest_ns, least_ns * 0.875, most_ns * 1.125, "late by %s us: ns", waits_us[i]);
	}
	live_verdict();
}

/* A connect that the program abandons is not a failed one. */
static void test_connects_given_up(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *load = live_load(NULL, "give-up", "20", NULL);
	size_t from = live_mark(l);
	const char *done = live_round(load);

	(void)state;
	live_need_net(l);
	live_past_now(l);
	live_compare((double)live_sum(l, from, load->pid, "net.connects"), (double)child_value(done, "connects"), 0,
		     "given up: connects");
	live_compare((double)live_sum(l, from, load->pid, "net.connect_errors"),
		     (double)child_value(done, "connect_errors"), 0, "given up: those that failed");
	live_verdict();
}

/* A counter of a process's network namespace, from a file that has a line of names and a line of values. */
static int64_t counter(int64_t pid, const char *file, const char *group, const char *which)
{
	static char names[8192], values[8192];
	char path[64];
	int64_t found = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%lld/net/%s", (long long)pid, file);
	f = fopen(path, "r");
	while (f && found < 0 && fgets(names, sizeof(names), f) && fgets(values, sizeof(values), f)) {
		char *n_at, *v_at, *name, *value;

		if (strncmp(names, group, strlen(group)))
			continue;
		for (name = strtok_r(names, " \n", &n_at), value = strtok_r(values, " \n", &v_at); name && value;
		     name = strtok_r(NULL, " \n", &n_at), value = strtok_r(NULL, " \n", &v_at))
			if (!strcmp(name, which))
				found = strtoll(value, NULL, 10);
	}
	if (f)
		fclose(f);
	return found;
}

/* The first socket of a reading between these ports, or NULL. remote 0: it is not connected; local −1: one that is in
 * the middle of its connect; remote −1: any. */
static struct json_object *socket_of(struct json_object *reading, const char *proto, int64_t local, int64_t remote)
{
	struct json_object *all = json_object_object_get(reading, "connections");

	for (size_t i = 0; all && i < json_object_array_length(all); i++) {
		struct json_object *c = json_object_array_get_idx(all, i);
		const char *from = strrchr(live_text(c, "local"), ':'), *to = strrchr(live_text(c, "remote"), ':');

		if (!strcmp(live_text(c, "proto"), proto) && (local < 0 || strtoll(from + 1, NULL, 10) == local) &&
		    (remote < 0 || strtoll(to + 1, NULL, 10) == remote) &&
		    (local >= 0 || !strcmp(live_text(c, "state"), "SYN-SENT")))
			return c;
	}
	return NULL;
}

/* Drops of the unconnected socket of a port, over all readings. */
static int64_t dropped_at(struct live *l, const char *proto, int64_t port)
{
	int64_t sum = 0;

	for (size_t r = 0; r < l->n; r++) {
		struct json_object *c = socket_of(l->reading[r], proto, port, 0);

		sum += c && live_get(c, "drops") != LIVE_NULL ? live_get(c, "drops") : 0;
	}
	return sum;
}

/* What /proc/net/udp shows for the socket bound to a port. */
static void udp_by_proc(int64_t pid, int64_t port, int64_t *queued, int64_t *dropped)
{
	char path[64], line[512];
	unsigned at, rx, drops;
	FILE *f;

	*queued = *dropped = -1;
	snprintf(path, sizeof(path), "/proc/%lld/net/udp", (long long)pid);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%*d: %*x:%x %*x:%*x %*x %*x:%x %*x:%*x %*x %*u %*u %*u %*u %*x %u", &at, &rx,
			   &drops) == 3 &&
		    at == port) {
			*queued = rx;
			*dropped = drops;
		}
	fclose(f);
}

/* What ss shows for the socket bound to a port in a process's network namespace; false: there is no ss. */
static bool by_ss(int64_t pid, int64_t port, long long *receive_queue, long long *send_queue, long long *drops)
{
	char command[128], line[512] = "";
	const char *at;
	FILE *f;

	if (system("command -v ss nsenter >/dev/null"))
		return false;
	snprintf(command, sizeof(command), "nsenter -t %lld -n ss -tulnmHO 'sport = :%lld'", (long long)pid,
		 (long long)port);
	f = popen(command, "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	pclose(f);
	at = strstr(line, ",d");
	assert_true(at && sscanf(line, "%*s %*s %lld %lld", receive_queue, send_queue) == 2);
	*drops = strtoll(at + 2, NULL, 10);
	return true;
}

static void compare_with_ss(struct live *l, int64_t pid, int64_t tcp_port, int64_t udp_port)
{
	long long waiting, most, drops, later_drops, bytes, udp_drops, none;
	struct json_object *listener, *datagrams;

	if (!by_ss(pid, tcp_port, &waiting, &most, &drops))
		return;
	live_past_now(l);
	listener = socket_of(l->reading[l->n - 1], "tcp", tcp_port, 0);
	datagrams = socket_of(l->reading[l->n - 1], "udp", udp_port, 0);
	assert_true(listener && datagrams);
	live_compare((double)live_get(listener, "accept_queue"), (double)waiting, 0, "ss: connections to accept");
	live_compare((double)live_get(listener, "accept_queue_max"), (double)most, 0, "ss: most connections to accept");
	by_ss(pid, tcp_port, &waiting, &most, &later_drops);
	live_between((double)dropped_at(l, "tcp", tcp_port), (double)drops, (double)later_drops,
		     "ss: connections dropped");
	by_ss(pid, udp_port, &bytes, &none, &udp_drops);
	live_compare((double)live_get(datagrams, "rx_queue_bytes"), (double)bytes, 0, "ss: datagrams, bytes");
	live_compare((double)dropped_at(l, "udp", udp_port), (double)udp_drops, 0, "ss: datagrams dropped");
}

static int64_t monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* The queues of connections that have been closed. */
static void compare_closed(struct live *l, size_t from)
{
	int64_t queued = 0, closed = 0;

	for (size_t r = from; r < l->n; r++) {
		struct json_object *all = json_object_object_get(l->reading[r], "connections");

		for (size_t i = 0; i < json_object_array_length(all); i++) {
			struct json_object *c = json_object_array_get_idx(all, i);

			if (strcmp(live_text(c, "proto"), "tcp") || strcmp(live_text(c, "state"), "UNCONN"))
				continue;
			closed++;
			queued += live_get(c, "tx_queue_bytes");
		}
	}
	live_between((double)closed, 1, 1e9, "queues: closed");
	live_compare((double)queued, 0, 0, "queues: bytes that closed ones would send");
}

/* Each queue, as the kernel shows it. The SYNs keep being sent, and dropped. */
static void test_queues(void **state)
{
	struct live *l = live_start("-d", "0.2", "-v", "connections", NULL);
	int64_t queued, dropped, udp, port, stream, drops, udp_drops, before, after, asked_ns, got_ns;
	struct json_object *listener, *datagrams, *unread, *on_its_way;
	struct child *load;
	const char *ready;
	size_t from;

	(void)state;
	live_need_net(l);
	load = live_load_in_namespace("", "queues 400 10000", &ready);
	port = child_value(ready, "port");
	udp = child_value(ready, "udp");
	stream = child_value(ready, "stream");
	before = counter(load->pid, "netstat", "TcpExt:", "ListenDrops");
	asked_ns = monotonic_ns();
	live_past_now(l);
	live_next(l);
	got_ns = monotonic_ns();
	udp_by_proc(load->pid, udp, &queued, &dropped);
	after = counter(load->pid, "netstat", "TcpExt:", "ListenDrops");
	listener = socket_of(l->reading[l->n - 1], "tcp", port, 0);
	datagrams = socket_of(l->reading[l->n - 1], "udp", udp, 0);
	unread = socket_of(l->reading[l->n - 1], "tcp", stream, -1);
	on_its_way = socket_of(l->reading[l->n - 1], "tcp", -1, port);
	assert_true(listener && datagrams && unread && on_its_way);
	drops = dropped_at(l, "tcp", port);
	udp_drops = dropped_at(l, "udp", udp);
	live_compare((double)live_get(datagrams, "rx_queue_bytes"), (double)queued, 0, "queues: datagrams, bytes");
	live_between((double)dropped, 1, 400, "queues: datagrams dropped, by the kernel");
	live_compare((double)udp_drops, (double)dropped, 0, "queues: datagrams dropped");
	live_compare((double)live_get(listener, "accept_queue"), 3, 0, "queues: connections to accept");
	live_compare((double)live_get(listener, "accept_queue_max"), 2, 0, "queues: most connections to accept");
	live_between(
		(double)live_get(listener, "accept_oldest_ns"), (double)(asked_ns - child_value(ready, "oldest_ns")),
		(double)(got_ns - child_value(ready, "begun_ns")), "queues: ns of the oldest connection to accept");
	live_compare((double)live_sum(l, 0, load->pid, "net.drops"), (double)(drops + udp_drops), 0,
		     "queues: drops of the process");
	live_compare(live_get(listener, "rx_queue_bytes") == LIVE_NULL, 1, 0, "queues: a listener has no bytes");
	live_between((double)drops, fmax(1, (double)before), (double)after, "queues: connections dropped");
	live_compare((double)live_get(unread, "rx_queue_bytes"), (double)child_value(ready, "unread"), 0,
		     "queues: unread bytes");
	live_compare((double)live_get(on_its_way, "tx_queue_bytes"), (double)child_value(ready, "unsent"), 0,
		     "queues: bytes of a pending connect");
	live_compare(live_get(unread, "drops") == LIVE_NULL, 1, 0, "queues: a connection has no drops");
	compare_with_ss(l, load->pid, port, udp);
	from = l->n;
	child_close_in(load);
	assert_int_equal(child_wait(load), 0);
	live_past_now(l);
	compare_closed(l, from);
	live_verdict();
}

/* In lagtop's network namespace, after a shell's commands. */
static void load_beside(struct live *l, const char *script)
{
	char pid[16];
	char *argv[] = { (char *)"nsenter", (char *)"-t",   pid, (char *)"-n", (char *)"sh",
			 (char *)"-c",	    (char *)script, NULL };
	struct child *load;
	char *ready;

	snprintf(pid, sizeof(pid), "%d", l->child->pid);
	load = child_start(argv, (uid_t)-1);
	assert_non_null(load);
	ready = child_line(load);
	assert_true(ready && !strncmp(ready, "ready", 5));
	child_free(load); /* its pending packets end with it */
}

static void own_network(void)
{
	struct ifreq lo = { .ifr_name = "lo" };
	int fd;

	if (unshare(CLONE_NEWNET))
		_exit(126);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &lo))
		_exit(126);
	lo.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &lo))
		_exit(126);
	close(fd);
}

/* What listeners dropped: the open ones, and the last drops of those that closed. */
static int64_t dropped_by_listeners(struct live *l)
{
	int64_t sum = 0;

	for (size_t r = 0; r < l->n; r++) {
		struct json_object *all = json_object_object_get(l->reading[r], "connections");

		for (size_t i = 0; i < json_object_array_length(all); i++) {
			struct json_object *c = json_object_array_get_idx(all, i);
			int64_t drops = live_get(c, "drops");

			sum += !strcmp(live_text(c, "proto"), "tcp") && drops != LIVE_NULL ? drops : 0;
		}
	}
	return sum;
}

/* The totals of lagtop's network namespace, whose counters start at 0 here. */
static void test_network_stack(void **state)
{
	static const struct {
		const char *path, *file, *group, *name;
	} totals[] = {
		{ "listen_overflows", "netstat", "TcpExt:", "ListenOverflows" },
		{ "listen_drops", "netstat", "TcpExt:", "ListenDrops" },
		{ "syn_queue_drops", "netstat", "TcpExt:", "TCPReqQFullDrop" },
		{ "syn_queue_cookies", "netstat", "TcpExt:", "TCPReqQFullDoCookies" },
		{ "syn_cookies_sent", "netstat", "TcpExt:", "SyncookiesSent" },
		{ "syn_cookies_received", "netstat", "TcpExt:", "SyncookiesRecv" },
		{ "syn_cookies_failed", "netstat", "TcpExt:", "SyncookiesFailed" },
		{ "udp_receive_drops", "snmp", "Udp:", "RcvbufErrors" },
	};
	struct live *l;
	bool firewall;

	(void)state;
	live_need_bpf();
	l = live_start_as(own_network, NULL, "-d", "0.2", NULL);
	load_beside(l, "exec build/tests/load queues 400 10000");
	firewall = !system("command -v nft >/dev/null");
	for (int cookies = 0; firewall && cookies < 2; cookies++) {
		char script[400];

		snprintf(script, sizeof(script),
			 "echo %d >/proc/sys/net/ipv4/tcp_syncookies; nft 'table ip t { chain c { type filter hook "
			 "input priority 0; "
			 "tcp flags & (syn|ack) == (syn|ack) drop; }; }'; exec build/tests/load half-open 8",
			 cookies);
		load_beside(l, script);
	}
	live_past_now(l);
	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
		int64_t kernel = counter(l->child->pid, totals[i].file, totals[i].group, totals[i].name), sum = 0;
		char path[64];

		snprintf(path, sizeof(path), "host.net.own_namespace.%s", totals[i].path);
		for (size_t r = 0; r < l->n; r++)
			sum += live_get(l->reading[r], path);
		live_compare((double)sum, (double)kernel, 0, "%s", totals[i].path);
		if (!strcmp(totals[i].name, "ListenDrops"))
			live_compare((double)dropped_by_listeners(l), (double)kernel, 0, "listen_drops, by listener");
		if (i < 2 || strstr(totals[i].path, "udp") || (firewall && i < 5))
			assert_true(kernel > 0);
	}
	live_verdict();
}

static void check_retransmits(const char *loss, const char *mtu, const char *messages)
{
	char prepare[256], argv_pid[16], port[16];
	char *argv[] = { (char *)"nsenter",	     (char *)"-t",	   argv_pid, (char *)"-n",
			 (char *)"build/tests/load", (char *)"tcp-client", port,     (char *)"1",
			 (char *)messages,	     (char *)"1400",	   NULL };
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *server, *client;
	const char *ready, *line;
	int64_t oracle, later, handshakes;

	snprintf(prepare, sizeof(prepare),
		 "ip link set lo mtu %s && nft add table inet t && nft add chain inet t c "
		 "'{ type filter hook input priority 0; }' && nft add rule inet t c tcp dport '>=' 1 numgen random mod "
		 "100 '<' %s drop &&",
		 mtu, loss);
	server = live_load_in_namespace(prepare, "tcp-server 1", &ready);
	snprintf(argv_pid, sizeof(argv_pid), "%d", server->pid);
	snprintf(port, sizeof(port), "%lld", (long long)child_value(ready, "port"));
	client = child_start(argv, (uid_t)-1);
	line = child_line(client);
	assert_true(line && !strncmp(line, "ready", 5));
	assert_true(child_send(server, 'x'));
	live_round(client);
	line = child_line(server);
	assert_non_null(line);
	/* The last FIN may still be in flight, and be retransmitted. */
	live_past_now(l);
	oracle = counter(server->pid, "snmp", "Tcp:", "RetransSegs");
	/* A retransmitted SYN+ACK has no tcp_retransmit_skb event: no socket, so no owner. */
	handshakes = counter(server->pid, "netstat", "TcpExt:", "TCPSynRetrans");
	live_past_now(l);
	later = counter(server->pid, "snmp", "Tcp:", "RetransSegs");
	live_between((double)oracle, 1, 1e9, "%s %% loss, mtu %s: RetransSegs", loss, mtu);
	live_between((double)(live_sum(l, 0, client->pid, "net.retransmits") +
			      live_sum(l, 0, server->pid, "net.retransmits")),
		     (double)(oracle - handshakes), (double)later, "%s %% loss, mtu %s: retransmits", loss, mtu);
	/* The iterator lags behind events that happen meanwhile. */
	live_next(l);
	live_compare((double)live_sum_connections(l, client->pid, "retransmits"),
		     (double)live_sum(l, 0, client->pid, "net.retransmits"), 0, "%s %% loss, mtu %s: of the connection",
		     loss, mtu);
	live_compare((double)live_sum(l, 0, client->pid, "net.tcp.tx_bytes"), 1400.0 * strtod(messages, NULL), 0,
		     "%s %% loss, mtu %s: tx bytes", loss, mtu);
}

static void test_retransmits(void **state)
{
	(void)state;
	live_need_bpf();
	if (access("/usr/sbin/nft", X_OK))
		live_skip("nft is not installed");
	check_retransmits("2", "65536", "30000");
	live_verdict();
	live_end_test(NULL);
	check_retransmits("2", "1500", "5000");
	live_verdict();
	live_end_test(NULL);
	check_retransmits("10", "1500", "1000");
	live_verdict();
}

int main(void)
{
	static const struct CMUnitTest net[] = {
		live_test(test_tcp_bytes),    live_test(test_every_way_of_sending),
		live_test(test_sizes),	      live_test(test_connects_and_accepts),
		live_test(test_accept_delay), live_test(test_connects_given_up),
		live_test(test_retransmits),  live_test(test_network_stack),
		live_test(test_queues),
	};

	return live_main(net);
}
