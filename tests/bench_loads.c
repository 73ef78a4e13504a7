/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Servers under a steady load: each is started with its load generator, on loopback and with its files in memory, and
 * counted from outside, so that nothing in it changes while watchers come and go. For a TCP server each received
 * segment with data is a request: each client has one request in flight.
 */
#include "bench_loads.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"

#define SCRATCH "/dev/shm/lagtop-bench.XXXXXX"
#define BLOCK 4096
#define BLOCK_TEXT "bs=4096"
#define TPCB_STATEMENTS 7

static struct child *server, *client;
static char scratch[] = SCRATCH;
static bool has_scratch;

/* Reported by the compiling loop. */
static struct compiled {
	double cpu_ns, n;
	bool stop;
} * compiled;

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static bool make_scratch(const struct passwd *owner)
{
	strcpy(scratch, SCRATCH);
	has_scratch = mkdtemp(scratch) != NULL;
	return has_scratch && (!owner || !chown(scratch, owner->pw_uid, owner->pw_gid));
}

/* Starts a program of words without blanks in them. */
static struct child *__attribute__((format(printf, 2, 3))) start_text(uid_t uid, const char *format, ...)
{
	char text[1024], *argv[64], *rest = NULL;
	size_t n = 0;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (char *word = strtok_r(text, " ", &rest); word && n < 63; word = strtok_r(NULL, " ", &rest))
		argv[n++] = word;
	argv[n] = NULL;
	return child_start(argv, uid);
}

#define AS_ROOT ((uid_t)-1)

static bool is_running(const struct child *c)
{
	siginfo_t info = {};

	return !waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) && !info.si_pid;
}

static bool run_text(struct child *c)
{
	bool good = c && !child_wait(c);
	char *errors = c && !good ? child_errors(c) : NULL;

	if (errors)
		fprintf(stderr, "%s", errors);
	free(errors);
	child_free(c);
	return good;
}

/* Waits until a server listens at the port, or has failed. */
static bool listens(const char *port)
{
	for (int i = 0; i < 500 && is_running(server); i++) {
		struct child *ss = start_text(AS_ROOT, "ss -tlnH sport = :%s", port);
		bool found = ss && child_line(ss);

		child_free(ss);
		if (found)
			return true;
		usleep(20000);
	}
	return false;
}

#define REDIS_PORT "16398"

/* For a child whose output is not read. */
static void silence(void)
{
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	dup2(nowhere, STDOUT_FILENO);
	dup2(nowhere, STDERR_FILENO);
}

static bool start_redis(void)
{
	char *redis[] = { (char *)"redis-server", (char *)"--port", (char *)REDIS_PORT, (char *)"--bind",
			  (char *)"127.0.0.1",	  (char *)"--save", (char *)"",		NULL };
	char *asks[] = {
		(char *)"redis-benchmark", (char *)"-p", (char *)REDIS_PORT, (char *)"-c", (char *)"50", (char *)"-n",
		(char *)"2000000000",	   (char *)"-t", (char *)"get",	     NULL
	};

	server = child_start_in(silence, redis);
	if (!server || !listens(REDIS_PORT))
		return false;
	client = child_start_in(silence, asks);
	return client != NULL;
}

#define NGINX_PORT "16397"

static bool start_nginx(void)
{
	char path[64];
	FILE *f;

	if (!make_scratch(NULL))
		return false;
	snprintf(path, sizeof(path), "%s/nginx.conf", scratch);
	f = fopen(path, "w");
	if (!f)
		return false;
	fprintf(f,
		"daemon off; master_process off; pid %s/pid; error_log /dev/null;\n"
		"events { worker_connections 1024; }\n"
		"http { access_log off; keepalive_requests 2000000000; server { listen 127.0.0.1:" NGINX_PORT ";\n"
		"location / { return 200 \"hello\\n\"; } } }\n",
		scratch);
	if (fclose(f))
		return false;
	server = start_text(AS_ROOT, "nginx -c %s", path);
	if (!server || !listens(NGINX_PORT))
		return false;
	client = start_text(AS_ROOT, "wrk -t 1 -c 50 -d 1000000 http://127.0.0.1:" NGINX_PORT "/");
	return client != NULL;
}

#define POSTGRES_PORT "16396"

/* Debian keeps the server's programs out of PATH. */
static void find_postgres(char *dir, size_t size)
{
	glob_t found = {};

	dir[0] = '\0';
	if (!glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found) && found.gl_pathc)
		snprintf(dir, size, "%.*s", (int)strlen(found.gl_pathv[found.gl_pathc - 1]) - 6,
			 found.gl_pathv[found.gl_pathc - 1]);
	globfree(&found);
}

/* It refuses to run as root. fsync in memory is free: only CPU time is measured. */
static bool start_postgres(const char *kind)
{
	const struct passwd *user = getpwnam("postgres");
	char bin[256];

	if (!user)
		user = getpwnam("nobody");
	find_postgres(bin, sizeof(bin));
	if (!user || !make_scratch(user) ||
	    !run_text(start_text(user->pw_uid, "%sinitdb -D %s/db -A trust -U bench --no-sync", bin, scratch)))
		return false;
	server = start_text(user->pw_uid,
			    "%spostgres -D %s/db -k %s -p " POSTGRES_PORT
			    " -c listen_addresses=127.0.0.1 -c autovacuum=off -c max_wal_size=256MB",
			    bin, scratch, scratch);
	if (!server || !listens(POSTGRES_PORT) ||
	    !run_text(start_text(user->pw_uid,
				 "%spgbench -i -q -s 10 -h 127.0.0.1 -p " POSTGRES_PORT " -U bench postgres", bin)))
		return false;
	client = start_text(user->pw_uid,
			    "%spgbench -n -b %s -c 8 -j 1 -T 1000000 -h 127.0.0.1 -p " POSTGRES_PORT
			    " -U bench postgres",
			    bin, kind);
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
	silence();
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
	struct child *ss = start_text(AS_ROOT, "ss -tinOH sport = :%s", port);
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
	return is_running(server) && (!client || is_running(client));
}

/* Not by SIGKILL, which would leave shared memory behind. */
static void stop(struct child *c)
{
	if (c && !c->reaped) {
		kill(c->pid, SIGINT);
		child_wait(c);
	}
	child_free(c);
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
	stop(client);
	stop(server);
	client = server = NULL;
	if (has_scratch)
		nftw(scratch, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	has_scratch = false;
}
