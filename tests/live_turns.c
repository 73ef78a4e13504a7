/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How slowly a program answers and is answered: compared with what the client measures and how long the server
 * sleeps. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "live.h"

#define REQUESTS 10
#define NEAR 0.175 /* a percentile is at most 12.5 % off */

struct turns {
	struct child *load;
	int64_t server;
	char address[64]; /* of the server */
	const char *done;
	struct json_object *reading; /* which contains the whole round */
};

static int64_t count(struct json_object *reading, int64_t pid, const char *path)
{
	struct json_object *p = live_process(reading, pid);
	int64_t n = p ? live_get(p, path) : 0;

	return n == LIVE_NULL ? 0 : n;
}

/* One round within one reading. Both sides must count the client's answers. */
static void round_in_reading(struct live *l, struct turns *t)
{
	for (int try = 0; try < 5; try++) {
		size_t from = live_mark(l);

		t->done = live_round(t->load);
		live_past_now(l);
		t->reading = l->reading[from];
		if (l->n == from + 1)
			return;
	}
	fail_msg("a round did not end within a reading");
}

/* The same; each round has other peers. Returns which it was. */
static unsigned int peers_in_reading(struct live *l, struct turns *t, unsigned int round)
{
	for (int try = 0; try < 5; try++, round++) {
		size_t from;

		for (int idle = 0; idle < 3; idle++)
			live_next(l);
		from = live_mark(l);
		t->done = live_round(t->load);
		live_past_now(l);
		t->reading = l->reading[from];
		if (l->n == from + 1)
			return round;
	}
	fail_msg("a round did not end within a reading");
	return 0;
}

static struct turns turns_of(struct live *l, const char *kind, const char *way)
{
	const char *ready;
	struct turns t = { .load = live_load(&ready, "turns", kind, way, NULL) };

	t.server = child_value(ready, "server");
	sscanf(ready, "%*[^=]=%*d address=%63s", t.address);
	round_in_reading(l, &t);
	return t;
}

/* Skips before Linux 6.3: what is read there has arrived at that moment, and a receive that goes on when lagtop starts
 * is not seen. */
static void need_arrivals(struct live *l)
{
	struct json_object *probes, *turns;

	assert_true(json_object_object_get_ex(l->reading[0], "probes", &probes));
	assert_true(json_object_object_get_ex(probes, "turns", &turns));
	if (json_object_object_get_ex(turns, "reason", NULL))
		live_skip("this kernel does not report when bytes arrive");
}

/* At least what the server slept. The client's own numbers have its waits for a CPU and its system calls in them, too.
 */
static void compare_times(const struct turns *t, int64_t pid, const char *what, const char *who)
{
	static const struct {
		const char *name;
		double slept_ns, error;
	} times[] = { { "p50_ns", 2e6, 0.125 }, { "max_ns", 80e6, 0 } };
	char path[64];

	snprintf(path, sizeof(path), "%s.count", what);
	live_compare((double)count(t->reading, pid, path), REQUESTS, 0, "%s: %s", who, path);
	for (int i = 0; i < 2; i++) {
		double client_ns = (double)child_value(t->done, times[i].name);

		snprintf(path, sizeof(path), "%s.%s", what, times[i].name);
		live_between((double)count(t->reading, pid, path), times[i].slept_ns * (1 - times[i].error),
			     client_ns * (1 + times[i].error), "%s: %s", who, path);
	}
}

static void test_both_ends(void **state)
{
	struct live *l = live_start("-d", "2", NULL);
	static const char *const kinds[] = { "tcp", "unix" };

	(void)state;
	live_need_net(l);
	for (size_t i = 0; i < 2; i++) {
		struct turns t = turns_of(l, kinds[i], "plain");

		compare_times(&t, t.server, "turns", kinds[i]);
		compare_times(&t, t.load->pid, "upstream", kinds[i]);
		live_compare((double)count(t.reading, t.load->pid, "turns.count"), 0, 0, "%s: the client's answers",
			     kinds[i]);
		live_compare((double)count(t.reading, t.server, "upstream.count"), 0, 0, "%s: the server's requests",
			     kinds[i]);
		live_compare((double)count(t.reading, t.server, "turns.overlapped"), 0, 0, "%s: overlapped", kinds[i]);
	}
	live_verdict();
}

/* Only the connecting end has turns: DNS, for example. */
static void test_datagrams(void **state)
{
	struct live *l = live_start("-d", "2", NULL);
	struct turns t;

	(void)state;
	live_need_net(l);
	t = turns_of(l, "udp", "plain");
	compare_times(&t, t.load->pid, "upstream", "udp");
	live_verdict();
}

/* The only connection of a process in a reading. */
static struct json_object *connection_of(struct json_object *reading, int64_t pid)
{
	struct json_object *all, *c, *found = NULL;

	assert_true(json_object_object_get_ex(reading, "connections", &all));
	for (size_t i = 0; i < json_object_array_length(all); i++) {
		c = json_object_array_get_idx(all, i);
		if (live_get(c, "pid") != pid || !strcmp(live_text(c, "state"), "LISTEN"))
			continue;
		assert_null(found);
		found = c;
	}
	return found;
}

/* A connection's turns are those of its process. */
static void compare_connection(const struct turns *t, int64_t pid, const char *what, const char *other,
			       const char *kind)
{
	struct json_object *c = connection_of(t->reading, pid);
	char path[64];

	assert_non_null(c);
	snprintf(path, sizeof(path), "%s.count", what);
	live_compare((double)live_get(c, path), REQUESTS, 0, "%s: %s", kind, path);
	snprintf(path, sizeof(path), "%s.max_ns", what);
	live_compare((double)live_get(c, path), (double)count(t->reading, pid, path), 0, "%s: %s", kind, path);
	snprintf(path, sizeof(path), "%s.mean_ns", what);
	live_between((double)live_get(c, path), 11.4e6, (double)child_value(t->done, "sum_ns") / REQUESTS, "%s: %s",
		     kind, path);
	snprintf(path, sizeof(path), "%s.open", what);
	live_compare((double)live_get(c, path), 0, 0, "%s: %s", kind, path);
	assert_int_equal(live_get(c, other), LIVE_NULL);
}

static void test_connection(void **state)
{
	struct live *l = live_start("-d", "2", NULL);
	struct turns t;

	(void)state;
	live_need_net(l);
	t = turns_of(l, "tcp", "plain");
	compare_connection(&t, t.server, "turns", "upstream", "tcp");
	compare_connection(&t, t.load->pid, "upstream", "turns", "tcp");
	round_in_reading(l, &t); /* the longest of this interval, not of the last */
	compare_connection(&t, t.server, "turns", "upstream", "again");
	t = turns_of(l, "udp", "plain");
	compare_connection(&t, t.load->pid, "upstream", "turns", "udp");
	live_verdict();
}

/* The connection is older than lagtop: the ports tell which end is the server. */
static void test_older_connection(void **state)
{
	struct turns t;
	const char *ready;
	struct live *l;

	(void)state;
	t.load = live_load(&ready, "turns", "tcp", "plain", NULL);
	t.server = child_value(ready, "server");
	l = live_start("-d", "2", NULL);
	live_need_net(l);
	need_arrivals(l);
	round_in_reading(l, &t);
	compare_times(&t, t.server, "turns", "older");
	compare_times(&t, t.load->pid, "upstream", "older");
	live_verdict();
}

static void test_two_threads(void **state)
{
	struct live *l = live_start("-d", "2", NULL);
	struct turns t;

	(void)state;
	live_need_net(l);
	t = turns_of(l, "tcp", "threads");
	compare_times(&t, t.server, "turns", "reader and writer");
	live_verdict();
}

/* The answers belong to the process that has the socket, not to the one that accepted it. */
static void test_socket_handed_over(void **state)
{
	struct live *l = live_start("-d", "2", NULL);
	struct json_object *processes;
	int64_t child = 0;
	struct turns t;

	(void)state;
	live_need_net(l);
	t = turns_of(l, "tcp", "handed");
	assert_true(json_object_object_get_ex(t.reading, "processes", &processes));
	for (size_t i = 0; i < json_object_array_length(processes); i++) {
		struct json_object *p = json_object_array_get_idx(processes, i);

		if (live_get(p, "ppid") == t.server)
			child = live_get(p, "pid");
	}
	compare_times(&t, child, "turns", "handed over");
	live_compare((double)count(t.reading, t.server, "turns.count"), 0, 0, "handed over: who accepted");
	live_verdict();
}

/* A request that comes in two parts 5 ms apart is not a single turn, and is marked as such. */
static void test_overlapping_turns(void **state)
{
	struct live *l = live_start("-d", "2", NULL);
	struct turns t;

	(void)state;
	live_need_net(l);
	need_arrivals(l);
	t = turns_of(l, "tcp", "parts");
	live_compare((double)count(t.reading, t.server, "turns.count"), REQUESTS, 0, "parts: answers");
	/* The mark stays; a server that is late reads both parts of a request as if they had come at once. */
	live_between((double)count(t.reading, t.server, "turns.overlapped"), 1, REQUESTS, "parts: overlapped");
	live_verdict();
}

/* It reads 20 ms after the arrival. Of pages TCP itself tells when they were read, from the second round on. */
static void test_late_reader(void **state)
{
	struct live *l = live_start("-d", "2", NULL);
	static const char *const ways[] = { "late", "pages" };

	(void)state;
	live_need_net(l);
	need_arrivals(l);
	for (size_t i = 0; i < 2; i++) {
		struct turns t = turns_of(l, "tcp", ways[i]);
		double late_ns;

		round_in_reading(l, &t);
		late_ns = (double)count(t.reading, t.server, "turns.late_p99_ns");
		live_between(late_ns, 20e6 * (1 - NEAR), (double)child_value(t.done, "max_ns") * (1 + NEAR),
			     "%s: p99 of late", ways[i]);
	}
	live_verdict();
}

/* A request that hangs is shown immediately, at both ends, with its age. */
static void test_open_turn(void **state)
{
	struct live *l = live_start("-d", "0.5", NULL);
	static const char *const kinds[] = { "tcp", "unix" };

	(void)state;
	live_need_net(l);
	for (size_t i = 0; i < 2; i++) {
		const char *ready;
		struct child *load = live_load(&ready, "turns", kinds[i], "never", NULL);
		int64_t server = child_value(ready, "server"), begun_ns, asked_ns, at_ns;
		struct json_object *r;

		begun_ns = live_now_ns();
		live_round(load);
		asked_ns = live_now_ns();
		live_past_now(l);
		live_next(l);
		r = live_next(l);
		at_ns = live_reading_ns(r);
		live_compare((double)count(r, server, "turns.open"), 1, 0, "%s: requests not answered", kinds[i]);
		live_compare((double)count(r, load->pid, "upstream.open"), 1, 0, "%s: requests sent", kinds[i]);
		live_between((double)count(r, server, "turns.oldest_ns"), (double)(at_ns - asked_ns) - 1e6,
			     (double)(at_ns - begun_ns) + 1e6, "%s: age of the request", kinds[i]);
		live_between((double)count(r, load->pid, "upstream.oldest_ns"), (double)(at_ns - asked_ns) - 1e6,
			     (double)(at_ns - begun_ns) + 1e6, "%s: age at the client", kinds[i]);
		live_compare((double)count(r, load->pid, "turns.open"), 0, 0, "%s: the client has none to answer",
			     kinds[i]);
		if (i) /* connections are those of internet sockets */
			continue;
		live_compare((double)live_get(connection_of(r, server), "turns.oldest_ns"),
			     (double)count(r, server, "turns.oldest_ns"), 0, "the connection's");
		live_compare((double)live_get(connection_of(r, load->pid), "upstream.open"), 1, 0, "the connection's");
	}
	live_verdict();
}

static struct json_object *peers_of(struct json_object *reading, int64_t pid, size_t expected)
{
	struct json_object *peers = NULL, *p = live_process(reading, pid);

	assert_non_null(p);
	assert_true(json_object_object_get_ex(p, "peers", &peers));
	assert_int_equal(json_object_array_length(peers), expected);
	return json_object_array_get_idx(peers, 0);
}

/* Whom it asked, how long that took, and which process of this machine it was. */
static void test_peer(void **state)
{
	struct live *l = live_start("-d", "2", NULL);
	static const char *const kinds[] = { "tcp", "unix", "udp" };
	struct json_object *peer;
	struct turns t;

	(void)state;
	live_need_net(l);
	for (size_t i = 0; i < 3; i++) {
		t = turns_of(l, kinds[i], "plain");
		peer = peers_of(t.reading, t.load->pid, 1);
		assert_string_equal(live_text(peer, "proto"), kinds[i]);
		assert_string_equal(live_text(peer, "remote"), t.address);
		live_compare((double)live_get(peer, "count"), REQUESTS, 0, "%s: peer: answers", kinds[i]);
		live_compare((double)live_get(peer, "max_ns"), (double)count(t.reading, t.load->pid, "upstream.max_ns"),
			     0, "%s: peer: longest", kinds[i]);
		live_compare((double)live_get(peer, "p50_ns"), (double)count(t.reading, t.load->pid, "upstream.p50_ns"),
			     0, "%s: peer: p50", kinds[i]);
		/* A UNIX socket knows who called listen(). */
		live_compare((double)live_get(peer, "pid"), (double)(i == 1 ? t.load->pid : t.server), 0,
			     "%s: peer: its process", kinds[i]);
		live_compare((double)live_get(peer, "retransmits"), i ? (double)LIVE_NULL : 0, 0,
			     "%s: peer: retransmits", kinds[i]);
	}
	live_verdict();
}

/* A request that hangs is one of its peer, too. */
static void test_open_peer(void **state)
{
	static const char *const kinds[] = { "tcp", "unix" };
	struct live *l = live_start("-d", "0.5", NULL);

	(void)state;
	live_need_net(l);
	for (size_t i = 0; i < 2; i++) {
		const char *ready;
		struct child *load = live_load(&ready, "turns", kinds[i], "never", NULL);
		int64_t server = child_value(ready, "server");
		struct json_object *r, *peer;
		char address[64];

		assert_int_equal(sscanf(ready, "%*[^=]=%*d address=%63s", address), 1);
		live_round(load);
		live_past_now(l);
		r = live_next(l);
		peer = peers_of(r, load->pid, 1);
		assert_string_equal(live_text(peer, "remote"), address);
		live_compare((double)live_get(peer, "pid"), (double)(i ? load->pid : server), 0,
			     "%s: peer: its process", kinds[i]);
		live_compare((double)live_get(peer, "open"), 1, 0, "%s: peer: open", kinds[i]);
		live_compare((double)live_get(peer, "oldest_ns"), (double)count(r, load->pid, "upstream.oldest_ns"), 0,
			     "%s: peer: its age", kinds[i]);
	}
	live_verdict();
}

#define MANY 200
#define NAMED 64 /* LT_PEERS_LIMIT */

/* Whatever a program connects to, so many of its peers have names, those of this round; the rest are others. */
static void compare_peers(const struct turns *t, unsigned int round)
{
	struct json_object *peers = NULL;
	int64_t sum = 0, named = 0, wrong = 0, lost = live_get(t->reading, "lost.sockets");
	char prefix[32];

	snprintf(prefix, sizeof(prefix), "127.%u.", round);
	assert_true(json_object_object_get_ex(live_process(t->reading, t->load->pid), "peers", &peers));
	for (size_t i = 0; i < json_object_array_length(peers); i++) {
		struct json_object *peer = json_object_array_get_idx(peers, i);
		const char *remote = live_text(peer, "remote");
		int64_t n = live_get(peer, "count");

		sum += n;
		if (!n || !strcmp(remote, "others"))
			continue;
		named++;
		wrong += n != 1 || strncmp(remote, prefix, strlen(prefix));
	}
	live_between((double)count(t->reading, t->load->pid, "upstream.count"), (double)(MANY - lost), MANY,
		     "round %u: answers", round);
	live_between((double)sum, (double)(MANY - lost), MANY, "round %u: answers of all peers", round);
	live_compare((double)wrong, 0, 0, "round %u: peers with another's numbers", round);
	live_between((double)named, round == 1 ? NAMED : 1, NAMED, "round %u: peers with a name", round);
}

static void test_many_peers(void **state)
{
	struct live *l = live_start("-d", "1", NULL);
	const char *ready;
	struct turns t = { .load = live_load(&ready, "peers", "200", NULL) };
	unsigned int round = 1;

	(void)state;
	live_need_net(l);
	for (int i = 0; i < 3; i++) {
		round = peers_in_reading(l, &t, round);
		compare_peers(&t, round);
		/* Those that do not answer any more give their places to others. */
		for (int idle = 0; idle < 3; idle++)
			live_next(l);
		round++;
	}
	live_verdict();
}

/* The exit status of lagtop while a round of requests is answered, of which the slowest takes 80 ms. */
static int status_if(struct turns *t, const char *rows, const char *expr)
{
	char pid[16], *argv[] = { child_lagtop(), (char *)"--batch",   (char *)"-d", (char *)"1",
				  (char *)"-n",	  (char *)"5",	       (char *)"-p", pid,
				  (char *)rows,	  (char *)"--fail-if", (char *)expr, NULL };
	struct child *lagtop;
	int status;

	snprintf(pid, sizeof(pid), "%lld", (long long)t->server);
	lagtop = child_start(argv, (uid_t)-1);
	assert_non_null(lagtop);
	assert_non_null(child_line(lagtop)); /* its first reading */
	t->done = live_round(t->load);
	status = child_wait(lagtop);
	child_free(lagtop);
	return status;
}

static void test_fails_if_slow(void **state)
{
	static const char *const rows[] = { "--active", "--threads", "--tree", "--group=command" };
	struct live *l = live_start("-d", "1", NULL);
	const char *ready;
	struct turns t = { .load = live_load(&ready, "turns", "tcp", "plain", NULL) };

	(void)state;
	live_need_net(l);
	t.server = child_value(ready, "server");
	for (size_t i = 0; i < 4; i++)
		live_compare(status_if(&t, rows[i], "resp99>40ms and turns>0"), 4, 0, "%s: a slow answer", rows[i]);
	live_compare(status_if(&t, rows[0], "resp99>20s or late99>20s or topen>5"), 0, 0, "no slow answer");
	live_verdict();
}

/* With --no-turns they are not known; the rest of the network family is. */
static void test_left_off(void **state)
{
	struct live *l = live_start("-d", "1", "--no-turns", NULL);
	struct json_object *server;
	struct turns t;

	(void)state;
	live_need_net(l);
	t = turns_of(l, "tcp", "plain");
	server = live_process(t.reading, t.server);
	assert_int_equal(live_get(server, "turns.count"), LIVE_NULL);
	assert_int_equal(live_get(server, "turns.open"), LIVE_NULL);
	assert_int_equal(live_get(server, "upstream.count"), LIVE_NULL);
	assert_int_equal(live_get(server, "turns.overlapped"), LIVE_NULL);
	live_compare((double)live_get(server, "net.tcp.tx_bytes"), REQUESTS, 0, "no turns: bytes of the answers");
	assert_string_equal(live_text(t.reading, "probes.turns.state"), "off");
	assert_string_equal(live_text(t.reading, "probes.turns.reason"), "left out by --no-turns");
	assert_string_equal(live_text(t.reading, "probes.net.state"), "on");
	live_verdict();
}

/* A closed connection has no open turn, even if it was never answered. */
static void test_closed_turn(void **state)
{
	struct live *l = live_start("-d", "0.5", NULL);
	const char *ready;
	struct child *load = live_load(&ready, "turns", "tcp", "never", NULL);
	int64_t server = child_value(ready, "server");

	(void)state;
	live_need_net(l);
	live_round(load);
	live_past_now(l);
	live_compare((double)count(live_next(l), server, "turns.open"), 1, 0, "open: before the close");
	child_close_in(load);
	assert_int_equal(child_wait(load), 0);
	live_past_now(l);
	live_compare((double)count(l->reading[l->n - 1], load->pid, "upstream.open"), 0, 0, "closed: the client's");
	live_compare((double)count(live_next(l), server, "turns.open"), 0, 0, "closed: the server's");
	live_verdict();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		live_test(test_both_ends),     live_test(test_datagrams),	   live_test(test_older_connection),
		live_test(test_two_threads),   live_test(test_socket_handed_over), live_test(test_overlapping_turns),
		live_test(test_late_reader),   live_test(test_open_turn),	   live_test(test_closed_turn),
		live_test(test_peer),	       live_test(test_open_peer),	   live_test(test_many_peers),
		live_test(test_fails_if_slow), live_test(test_left_off),	   live_test(test_connection),
	};

	return live_main(tests);
}
