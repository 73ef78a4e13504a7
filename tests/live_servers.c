/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Response times of real servers against what their clients measure themselves, in the same run. What a client measures
 * begins before its request leaves and ends after the answer arrived: no percentile of it is below the one of the
 * upstream times, and that of the upstream times is not below the server's response times. How far it may be above is
 * known where the server takes long by itself.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "live.h"
#include "servers.h"

#define BUCKET 0.125 /* a percentile is at most so much off */
#define CLOSE 0.05

#define REDIS_PORT "16388"
#define NGINX_PORT "16387"
#define POSTGRES_PORT "16386"
#define WRK_CONNECTIONS 10

/* What a client printed, and the reading that has all of it. */
struct run {
	int64_t client;
	char out[16384];
	struct json_object *reading;
};

static void run_once(struct run *r, uid_t uid, const char *command)
{
	struct child *c = servers_start(uid, "%s", command);
	size_t len = 0;
	char *line;

	assert_non_null(c);
	r->client = c->pid;
	while ((line = child_line(c)) && len < sizeof(r->out) - 1)
		len += (size_t)snprintf(r->out + len, sizeof(r->out) - len, "%s\n", line);
	if (child_wait(c))
		fail_msg("%s: status %d: %s", command, child_wait(c), child_errors(c));
}

/* Again until all of it is within one reading. */
static struct run *run_in_reading(struct live *l, uid_t uid, const char *command)
{
	static struct run r;

	for (int try = 0; try < 8; try++) {
		size_t from = live_mark(l);

		memset(r.out, 0, sizeof(r.out));
		run_once(&r, uid, command);
		live_past_now(l);
		r.reading = l->reading[from];
		if (l->n == from + 1)
			return &r;
	}
	fail_msg("%s did not end within a reading", command);
	return NULL;
}

static struct live *start_lagtop(void)
{
	struct live *l = live_start("-d", "3", NULL);

	live_need_net(l);
	return l;
}

static double of(const struct run *r, int64_t pid, const char *path)
{
	struct json_object *p = live_process(r->reading, pid);
	int64_t n = p ? live_get(p, path) : LIVE_NULL;

	if (n == LIVE_NULL)
		fail_msg("%s of %lld is not known", path, (long long)pid);
	return (double)n;
}

/* The answers of all of a server's processes, and how many these are; *p50_ns is that of the one that answered most. */
static double answers_of(const struct run *r, int64_t server, int *n_processes, double *p50_ns)
{
	struct json_object *processes;
	int64_t all = 0, most = 0;

	*p50_ns = *n_processes = 0;
	assert_true(json_object_object_get_ex(r->reading, "processes", &processes));
	for (size_t i = 0; i < json_object_array_length(processes); i++) {
		struct json_object *p = json_object_array_get_idx(processes, i);
		int64_t n = live_get(p, "turns.count");

		if ((live_get(p, "pid") != server && live_get(p, "ppid") != server) || n == LIVE_NULL)
			continue;
		all += n;
		*n_processes += n > 0;
		if (n > most) {
			most = n;
			*p50_ns = (double)live_get(p, "turns.p50_ns");
		}
	}
	return (double)all;
}

/* The peer that answered a process at that address; a UNIX socket's name may have been cut off. */
static struct json_object *peer_at(const struct run *r, int64_t pid, const char *remote)
{
	struct json_object *peers;
	size_t len = strlen(remote) < 39 ? strlen(remote) + 1 : 39;

	assert_true(json_object_object_get_ex(live_process(r->reading, pid), "peers", &peers));
	for (size_t i = 0; i < json_object_array_length(peers); i++) {
		struct json_object *peer = json_object_array_get_idx(peers, i);

		if (live_get(peer, "count") && !strncmp(live_text(peer, "remote"), remote, len))
			return peer;
	}
	fail_msg("%lld has no peer %s", (long long)pid, remote);
	return NULL;
}

/* The client's p50, as it prints it, in ns. Other peers, a name service for example, do not matter. */
static void compare_with_client(const struct run *r, int64_t server, const char *remote, double client_p50_ns,
				const char *who)
{
	struct json_object *peer = peer_at(r, r->client, remote);
	double p50_ns = (double)live_get(peer, "p50_ns"), p99_ns = (double)live_get(peer, "p99_ns"), response_p50_ns;
	double late_p99_ns = of(r, r->client, "turns.late_p99_ns");
	int n;
	double answers = answers_of(r, server, &n, &response_p50_ns);

	live_between(p50_ns, 0, client_p50_ns * (1 + BUCKET + CLOSE) + 1000, "%s: upstream p50 and the client's", who);
	live_between(client_p50_ns, 0, (p99_ns + late_p99_ns) * (1 + BUCKET + CLOSE) + 1000,
		     "%s: client's p50, upstream and late p99", who);
	/* wrk ends without reading the last answer of each connection. */
	live_between(answers, (double)live_get(peer, "count"), (double)live_get(peer, "count") + WRK_CONNECTIONS,
		     "%s: answers, sent and received", who);
	/* One process of several has only its share of the requests. */
	live_between(response_p50_ns, 1, (n > 1 ? p99_ns : p50_ns) * (1 + 2 * BUCKET + CLOSE),
		     "%s: response p50 and upstream", who);
}

/* The n-th (from 0) cell of the CSV line that begins with "GET", in ns. */
static double redis_ns(const char *out, const char *name, int n)
{
	const char *at = strstr(out, name);

	if (!at)
		fail_msg("no %s in %s", name, out);
	for (int i = 0; i < n; i++)
		at = strchr(at, ',') ? strchr(at, ',') + 1 : "";
	return strtod(*at == '"' ? at + 1 : at, NULL) * 1e6;
}

static void test_redis(void **state)
{
	static const struct {
		const char *name, *options;
		double turns;
	} loads[] = { { "-c 1", "-c 1 -n 4000", 4000 },
		      { "-c 50", "-c 50 -n 20000", 20000 },
		      { "-P 16", "-c 50 -P 16 -n 40000", 2500 } };
	struct child *redis;
	struct live *l;

	(void)state;
	live_need_program("redis-server");
	live_need_program("redis-benchmark");
	l = start_lagtop();
	redis = servers_redis(REDIS_PORT, "--enable-debug-command");
	assert_non_null(redis);
	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		char command[128];
		struct run *r;

		snprintf(command, sizeof(command), "redis-benchmark -p " REDIS_PORT " --csv -t get %s",
			 loads[i].options);
		r = run_in_reading(l, SERVERS_AS_ROOT, command);
		compare_with_client(r, redis->pid, "127.0.0.1:" REDIS_PORT, redis_ns(r->out, "\"GET\"", 4),
				    loads[i].name);
		/* It asks for the server's configuration, too. */
		live_between(of(r, redis->pid, "turns.count"), loads[i].turns, loads[i].turns + 10, "%s: turns",
			     loads[i].name);
		live_between(of(r, redis->pid, "turns.overlapped"), 0, loads[i].turns / 20, "%s: overlapped",
			     loads[i].name);
	}
	live_verdict();
}

/* A command that takes 20 ms: what server and client measure is the same. */
static void test_slow_redis(void **state)
{
	struct child *redis;
	double client_ns;
	struct live *l;
	struct run *r;

	(void)state;
	live_need_program("redis-server");
	live_need_program("redis-benchmark");
	l = start_lagtop();
	redis = servers_redis(REDIS_PORT, "--enable-debug-command");
	assert_non_null(redis);
	r = run_in_reading(l, SERVERS_AS_ROOT, "redis-benchmark -p " REDIS_PORT " --csv -c 1 -n 40 debug sleep 0.02");
	client_ns = redis_ns(r->out, "\"debug sleep 0.02\"", 4);
	live_between(of(r, redis->pid, "turns.p50_ns"), 20e6 * (1 - BUCKET), client_ns * (1 + BUCKET),
		     "slow: response");
	live_between(of(r, r->client, "upstream.p50_ns"), 20e6 * (1 - BUCKET), client_ns * (1 + BUCKET),
		     "slow: upstream");
	live_verdict();
}

/* "    50%    1.23ms" */
static double wrk_ns(const char *out)
{
	const char *at = strstr(out, "50%");
	char *unit;
	double n;

	if (!at)
		fail_msg("no 50%% in %s", out);
	n = strtod(at + 3, &unit);
	return n * (*unit == 'u' ? 1e3 : *unit == 'm' ? 1e6 : 1e9);
}

static void test_nginx(void **state)
{
	struct child *nginx;
	struct live *l;
	struct run *r;

	(void)state;
	live_need_program("nginx");
	live_need_program("wrk");
	l = start_lagtop();
	assert_non_null(servers_folder(NULL));
	nginx = servers_nginx(NGINX_PORT,
			      "server { listen 127.0.0.1:" NGINX_PORT "; location / { return 200 \"hello\\n\"; } }");
	assert_non_null(nginx);
	r = run_in_reading(l, SERVERS_AS_ROOT, "wrk -t 1 -c 10 -d 1 --latency http://127.0.0.1:" NGINX_PORT "/");
	compare_with_client(r, nginx->pid, "127.0.0.1:" NGINX_PORT, wrk_ns(r->out), "wrk");
	live_verdict();
}

/* A proxy in front of a server that takes 50 ms: three processes and the client agree, with TLS, too. */
static void test_proxy(void **state)
{
	static const char *const schemes[] = { "http", "https" };
	const char *folder, *ready;
	struct child *slow, *nginx;
	char http[1024], command[128], remote[32];
	struct live *l;

	(void)state;
	live_need_program("nginx");
	live_need_program("wrk");
	live_need_program("openssl");
	l = start_lagtop();
	slow = live_load(&ready, "http", "50", NULL);
	snprintf(remote, sizeof(remote), "127.0.0.1:%d", (int)child_value(ready, "port"));
	folder = servers_folder(NULL);
	assert_non_null(folder);
	assert_true(servers_run(servers_start(SERVERS_AS_ROOT,
					      "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost "
					      "-keyout %s/key -out %s/cert",
					      folder, folder)));
	snprintf(http, sizeof(http),
		 "server { listen 127.0.0.1:" NGINX_PORT "; location / { proxy_pass http://%s; } }\n"
		 "server { listen 127.0.0.2:" NGINX_PORT " ssl; ssl_certificate %s/cert; ssl_certificate_key %s/key; "
		 "location / { proxy_pass http://%s; } }",
		 remote, folder, folder, remote);
	nginx = servers_nginx(NGINX_PORT, http);
	assert_non_null(nginx);
	for (int i = 0; i < 2; i++) {
		struct json_object *peer;
		double client_ns;
		struct run *r;

		snprintf(command, sizeof(command), "wrk -t 1 -c 1 -d 1 --latency %s://127.0.0.%d:" NGINX_PORT "/",
			 schemes[i], i + 1);
		r = run_in_reading(l, SERVERS_AS_ROOT, command);
		client_ns = wrk_ns(r->out) * (1 + BUCKET + CLOSE);
		live_between(of(r, slow->pid, "turns.p50_ns"), 50e6 * (1 - BUCKET), client_ns, "%s: the slow server",
			     schemes[i]);
		live_between(of(r, nginx->pid, "upstream.p50_ns"), 50e6 * (1 - BUCKET), client_ns,
			     "%s: the proxy's upstream", schemes[i]);
		live_between(of(r, nginx->pid, "turns.p50_ns"), 50e6 * (1 - BUCKET), client_ns,
			     "%s: the proxy's response", schemes[i]);
		live_between(of(r, r->client, "upstream.p50_ns"), 50e6 * (1 - BUCKET), client_ns,
			     "%s: the client's upstream", schemes[i]);
		peer = peer_at(r, nginx->pid, remote);
		live_compare((double)live_get(peer, "pid"), slow->pid, 0, "%s: the proxy's peer", schemes[i]);
		live_compare((double)live_get(peer, "count"), of(r, nginx->pid, "upstream.count"), 0, "%s: its answers",
			     schemes[i]);
	}
	live_verdict();
}

/* Requests of many streams on one connection: no turn is a single request. They are sent at their own times, so that
 * some arrive while the first has no answer. */
static void test_http2(void **state)
{
	const char *ready;
	struct child *nginx;
	char http[512];
	struct live *l;
	struct run *r;

	(void)state;
	live_need_program("nginx");
	live_need_program("h2load");
	l = start_lagtop();
	live_load(&ready, "http", "200", NULL);
	assert_non_null(servers_folder(NULL));
	snprintf(http, sizeof(http),
		 "server { listen 127.0.0.1:" NGINX_PORT " http2; location / { proxy_pass http://127.0.0.1:%d; } }",
		 (int)child_value(ready, "port"));
	nginx = servers_nginx(NGINX_PORT, http);
	assert_non_null(nginx);
	r = run_in_reading(l, SERVERS_AS_ROOT, "h2load -n 100 -c 1 -m 100 --rps 400 http://127.0.0.1:" NGINX_PORT "/");
	live_between(of(r, nginx->pid, "turns.overlapped"), of(r, nginx->pid, "turns.count") / 20 + 1, 1e9,
		     "HTTP/2: overlapped");
	live_verdict();
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

#define TRANSACTIONS 400 /* of each client */
#define CLIENTS 4

/* The median of the third column, us, of what pgbench wrote: "pgbench_log.PID". */
static double pgbench_ns(const char *folder, int64_t pid)
{
	static double us[CLIENTS * TRANSACTIONS];
	char path[128];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/log.%lld", folder, (long long)pid);
	f = fopen(path, "r");
	assert_non_null(f);
	while (n < CLIENTS * TRANSACTIONS && fscanf(f, "%*s %*s %lf %*[^\n]", &us[n]) == 1)
		n++;
	fclose(f);
	assert_int_equal(n, CLIENTS * TRANSACTIONS);
	qsort(us, n, sizeof(*us), by_size);
	return us[n / 2 - 1] * 1e3;
}

static void test_postgres(void **state)
{
	static const char *const ways[] = { "TCP", "UNIX" };
	const char *folder;
	struct child *postgres;
	struct live *l;

	(void)state;
	live_need_program("pgbench");
	if (!*servers_postgres_bin())
		live_need_program("initdb");
	l = start_lagtop();
	postgres = servers_postgres(POSTGRES_PORT, 1);
	assert_non_null(postgres);
	folder = servers_folder_path();
	for (int i = 0; i < 2; i++) {
		char command[256], remote[128];
		struct json_object *peer;
		struct run *r;

		snprintf(command, sizeof(command),
			 "%spgbench -n -S -c %d -t %d -l --log-prefix=%s/log -h %s -p " POSTGRES_PORT
			 " -U bench postgres",
			 servers_postgres_bin(), CLIENTS, TRANSACTIONS, folder, i ? folder : "127.0.0.1");
		r = run_in_reading(l, servers_postgres_user()->pw_uid, command);
		snprintf(remote, sizeof(remote), "%s/.s.PGSQL." POSTGRES_PORT, i ? folder : "");
		if (!i)
			snprintf(remote, sizeof(remote), "127.0.0.1:" POSTGRES_PORT);
		compare_with_client(r, postgres->pid, remote, pgbench_ns(folder, r->client), ways[i]);
		peer = peer_at(r, r->client, remote);
		/* Each connection begins with some turns of its own. */
		live_between((double)live_get(peer, "count"), CLIENTS * TRANSACTIONS,
			     CLIENTS * TRANSACTIONS + 10 * (CLIENTS + 1), "%s: turns", ways[i]);
		if (i)
			live_compare((double)live_get(peer, "pid"), postgres->pid, 0, "%s: who listens", ways[i]);
	}
	live_verdict();
}

static int end(void **state)
{
	int err = live_end_test(state);

	servers_folder_remove();
	return err;
}

#define server_test(f) cmocka_unit_test_teardown(f, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		server_test(test_redis), server_test(test_slow_redis), server_test(test_nginx),
		server_test(test_proxy), server_test(test_http2),      server_test(test_postgres),
	};

	return live_main(tests);
}
