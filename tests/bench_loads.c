/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Servers under a steady load: each is started with its load generator, on loopback and with its files in memory, and
 * counted from outside, so that nothing in it changes while watchers come and go. For a TCP server each received
 * segment with data is a request: each client has one request in flight.
 */
#include "bench_loads.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "servers.h"

#define BLOCK 4096
#define BLOCK_TEXT "bs=4096"
#define TPCB_STATEMENTS 7

static struct child *server, *client;

/* Reported by the compiling loop. */
static struct compiled {
	double cpu_ns, n;
	bool stop;
} * compiled;

#define REDIS_PORT "16398"

static bool start_redis(void)
{
	char *asks[] = {
		(char *)"redis-benchmark", (char *)"-p", (char *)REDIS_PORT, (char *)"-c", (char *)"50", (char *)"-n",
		(char *)"2000000000",	   (char *)"-t", (char *)"get",	     NULL
	};

	server = servers_redis(REDIS_PORT, NULL);
	if (!server)
		return false;
	client = child_start_in(servers_silence, asks);
	return client != NULL;
}

#define NGINX_PORT "16397"

static bool start_nginx(void)
{
	if (!servers_folder(NULL))
		return false;
	server = servers_nginx(NGINX_PORT,
			       "server { listen 127.0.0.1:" NGINX_PORT "; location / { return 200 \"hello\\n\"; } }");
	if (!server)
		return false;
	client = servers_start(SERVERS_AS_ROOT, "wrk -t 1 -c 50 -d 1000000 http://127.0.0.1:" NGINX_PORT "/");
	return client != NULL;
}

#define POSTGRES_PORT "16396"

static bool start_postgres(const char *kind)
{
	server = servers_postgres(POSTGRES_PORT, 10);
	if (!server)
		return false;
	client = servers_start(servers_postgres_user()->pw_uid,
			       "%spgbench -n -b %s -c 8 -j 1 -T 1000000 -h 127.0.0.1 -p " POSTGRES_PORT
			       " -U bench postgres",
			       servers_postgres_bin(), kind);
	return client != NULL;
}

static bool start_pgbench_select(void)
{
	return start_postgres("select-only");
}

static bool start_pgbench_tpcb(void)
{
	return start_postgres("tpcb-like");
}

/* In the child that becomes the last of a pipeline: its standard input comes from two more. */
static void feed_chain(void)
{
	int from = open("/dev/zero", O_RDONLY | O_CLOEXEC), fds[2];

	for (int i = 0; i < 2; i++) {
		if (from < 0 || pipe2(fds, O_CLOEXEC))
			_exit(126);
		if (!fork()) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			dup2(from, STDIN_FILENO);
			dup2(fds[1], STDOUT_FILENO);
			execlp("dd", "dd", BLOCK_TEXT, "status=none", NULL);
			_exit(127);
		}
		close(from);
		close(fds[1]);
		from = fds[0];
	}
	dup2(from, STDIN_FILENO);
}

static bool start_pipes(void)
{
	char *argv[] = { (char *)"dd", (char *)BLOCK_TEXT, (char *)"of=/dev/null", (char *)"status=none", NULL };

	server = child_start_in(feed_chain, argv);
	return server != NULL;
}

/* In a child that does not exec: compiles one file again and again. */
static void compile_for_ever(void)
{
	servers_silence();
	while (!compiled->stop) {
		struct rusage used;
		pid_t pid = fork();
		int status;

		if (!pid) {
			execlp("gcc", "gcc", "-std=gnu11", "-D_GNU_SOURCE", "-O1", "-Iinclude", "-Itui", "-c",
			       "tui/utf8.c", "-o", "/dev/null", NULL);
			_exit(127);
		}
		if (pid < 0 || wait4(pid, &status, 0, &used) != pid || status)
			_exit(1);
		compiled->cpu_ns += (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e9 +
				    (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e3;
		compiled->n++;
	}
	_exit(0);
}

static bool start_compiler(void)
{
	char *argv[] = { (char *)"true", NULL };

	compiled = mmap(NULL, sizeof(*compiled), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (compiled == MAP_FAILED)
		return false;
	server = child_start_in(compile_for_ever, argv);
	return server != NULL;
}

const struct bench_load bench_loads[] = {
	{ "redis GET", start_redis, REDIS_PORT, 1 },
	{ "nginx", start_nginx, NGINX_PORT, 1 },
	{ "pgbench -S", start_pgbench_select, POSTGRES_PORT, 1 },
	{ "pgbench TPC-B", start_pgbench_tpcb, POSTGRES_PORT, TPCB_STATEMENTS },
	{ "pipe chain", start_pipes, NULL, 1 },
	{ "compiler", start_compiler, NULL, 1 },
};
const size_t n_bench_loads = sizeof(bench_loads) / sizeof(*bench_loads);

static double clock_of(pid_t pid)
{
	struct timespec t;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t))
		return 0;
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

size_t bench_load_pids(pid_t *pids, size_t max)
{
	size_t n = 0;

	if (max)
		pids[n++] = server->pid;
	for (size_t i = 0; i < n; i++) {
		char path[64];
		int pid;
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pids[i], pids[i]);
		f = fopen(path, "r");
		while (f && n < max && fscanf(f, "%d", &pid) == 1)
			pids[n++] = pid;
		if (f)
			fclose(f);
	}
	return n;
}

static double number_after(const char *text, const char *word)
{
	const char *at = strstr(text, word);

	return at ? strtod(at + strlen(word), NULL) : 0;
}

static double segments_received(const char *port)
{
	struct child *ss = servers_start(SERVERS_AS_ROOT, "ss -tinOH sport = :%s", port);
	double n = 0;
	char *line;

	while (ss && (line = child_line(ss)))
		n += number_after(line, "data_segs_in:");
	child_free(ss);
	return n;
}

static double blocks_read(pid_t pid)
{
	char path[64], text[64] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/io", pid);
	f = fopen(path, "r");
	if (!f)
		return 0;
	if (!fgets(text, sizeof(text), f))
		text[0] = '\0';
	fclose(f);
	return number_after(text, "rchar: ") / BLOCK;
}

bool bench_load_count(const struct bench_load *load, struct bench_count *count)
{
	pid_t pids[256];
	size_t n;

	*count = (struct bench_count){};
	if (compiled) {
		count->server_ns = compiled->cpu_ns;
		count->requests = compiled->n;
	} else {
		count->requests = load->port ? segments_received(load->port) : blocks_read(server->pid);
		n = bench_load_pids(pids, sizeof(pids) / sizeof(*pids));
		for (size_t i = 0; i < n; i++)
			count->server_ns += clock_of(pids[i]);
	}
	count->requests /= load->per_request;
	if (client)
		count->client_ns = clock_of(client->pid);
	return servers_is_running(server) && (!client || servers_is_running(client));
}

void bench_load_stop(void)
{
	if (compiled) {
		compiled->stop = true;
		if (server)
			child_wait(server);
		munmap(compiled, sizeof(*compiled));
	}
	compiled = NULL;
	servers_stop(client);
	servers_stop(server);
	client = server = NULL;
	servers_folder_remove();
}
