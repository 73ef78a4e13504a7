/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See fixture.h. What a process does depends only on its row and the number of the reading: no clock, no randomness. */
#include "fixture.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "record.h"

/* arm64 has only the newer call. */
#ifndef SYS_epoll_wait
#define SYS_epoll_wait SYS_epoll_pwait
#endif

#define SECOND_NS 1000000000ULL
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct actor {
	uint32_t pid, ppid, uid, threads;
	const char *comm, *cmdline, *cgroup;
	/* Per mille of the interval, of the first thread; the rest of it is spent in `rest`. */
	uint16_t run, wakeq, preempt, disk, block, lock;
	enum lt_state rest;
	uint32_t calls;	  /* a second */
	uint32_t errors;  /* a second */
	uint64_t wake_ns; /* a typical wait for a CPU */
	uint64_t call_ns; /* a typical call */
	uint32_t tx_kb, rx_kb;
};

/* clang-format off */
static const struct actor actors[] = {
	{ 1, 0, 0, 1, "systemd", "/sbin/init", "/init.scope", 1, 0, 0, 0, 0, 0, LT_POLL, 40, 0, 8000, 2000, 0, 0 },
	{ 2, 0, 0, 1, "kthreadd", "", "/", 0, 0, 0, 0, 0, 0, LT_SLEEP, 0, 0, 0, 0, 0, 0 },
	{ 14, 2, 0, 1, "ksoftirqd/0", "", "/", 4, 1, 0, 0, 0, 0, LT_SLEEP, 0, 0, 12000, 0, 0, 0 },
	{ 15, 2, 0, 1, "rcu_preempt", "", "/", 2, 0, 0, 0, 0, 0, LT_SLEEP, 0, 0, 6000, 0, 0, 0 },
	{ 91, 2, 0, 1, "kworker/1:2-events", "", "/", 3, 1, 0, 0, 0, 0, LT_SLEEP, 0, 0, 14000, 0, 0, 0 },
	{ 207, 2, 0, 1, "jbd2/nvme0n1p1-8", "", "/", 2, 0, 0, 21, 0, 0, LT_SLEEP, 0, 0, 21000, 0, 0, 0 },
	{ 311, 1, 0, 1, "systemd-journal", "/lib/systemd/systemd-journald", "/system.slice/systemd-journald.service",
	  6, 1, 0, 2, 0, 0, LT_POLL, 310, 2, 30000, 5000, 0, 0 },
	{ 402, 1, 61100, 1, "dbus-daemon", "/usr/bin/dbus-daemon --system --nofork", "/system.slice/dbus.service",
	  1, 0, 0, 0, 0, 0, LT_POLL, 22, 4, 9000, 3000, 0, 0 },
	{ 611, 1, 0, 2, "sshd", "sshd: /usr/sbin/sshd -D", "/system.slice/ssh.service",
	  0, 0, 0, 0, 0, 0, LT_POLL, 0, 0, 0, 0, 0, 0 },
	{ 1040, 1, 0, 1, "nginx", "nginx: master process", "/system.slice/nginx.service",
	  0, 0, 0, 0, 0, 0, LT_SLEEP, 1, 0, 0, 1000, 0, 0 },
	{ 1044, 1040, 61033, 1, "nginx", "nginx: worker process", "/system.slice/nginx.service",
	  340, 21, 9, 3, 0, 0, LT_POLL, 18000, 12, 210000, 31000, 8400, 2100 },
	{ 1045, 1040, 61033, 1, "nginx", "nginx: worker process", "/system.slice/nginx.service",
	  310, 19, 6, 1, 0, 0, LT_POLL, 16500, 9, 190000, 29000, 7900, 1900 },
	{ 1301, 1, 61999, 4, "redis-server", "/usr/bin/redis-server 127.0.0.1:6379", "/system.slice/redis.service",
	  120, 4, 1, 0, 0, 0, LT_POLL, 9100, 0, 60000, 4000, 2100, 800 },
	{ 2208, 1, 61110, 1, "postgres", "/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main",
	  "/system.slice/postgresql.service", 2, 0, 0, 0, 0, 0, LT_POLL, 30, 0, 9000, 4000, 0, 0 },
	{ FIXTURE_LAGGARD, 2208, 61110, 3, "postgres", "postgres: checkpointer", "/system.slice/postgresql.service",
	  581, 93, 30, 152, 38, 41, LT_SLEEP, 41200, 2, 3100000, 82000, 1200, 400 },
	{ 2212, 2208, 61110, 1, "postgres", "postgres: background writer", "/system.slice/postgresql.service",
	  31, 6, 1, 44, 1, 0, LT_SLEEP, 900, 0, 90000, 210000, 0, 0 },
	{ 2213, 2208, 61110, 1, "postgres", "postgres: walwriter", "/system.slice/postgresql.service",
	  22, 4, 1, 61, 2, 8, LT_SLEEP, 700, 0, 80000, 1900000, 0, 0 },
	{ 2301, 2208, 61110, 1, "postgres", "postgres: app shop 10.0.0.12(51122) SELECT",
	  "/system.slice/postgresql.service", 210, 17, 8, 22, 4, 63, LT_NET, 5200, 1, 150000, 44000, 900, 120 },
	{ 2302, 2208, 61110, 1, "postgres", "postgres: app shop 10.0.0.12(51124) idle",
	  "/system.slice/postgresql.service", 90, 8, 3, 9, 2, 12, LT_NET, 2100, 0, 130000, 36000, 310, 60 },
	{ 2890, 1, 61001, 42, "java", "/usr/bin/java -Xmx4g -jar /srv/shop/shop.jar --spring.profiles.active=prod",
	  "/system.slice/shop.service", 420, 60, 44, 2, 1, 310, LT_LOCK, 12400, 41, 900000, 22000, 640, 510 },
	{ 3100, 1, 61001, 11, "node", "node /srv/api/server.js", "/system.slice/api.service",
	  190, 12, 7, 0, 0, 30, LT_POLL, 7300, 5, 120000, 9000, 420, 300 },
	{ 3312, 1, 0, 9, "containerd", "/usr/bin/containerd", "/system.slice/containerd.service",
	  4, 1, 0, 0, 0, 20, LT_LOCK, 310, 11, 40000, 3000, 0, 0 },
	{ 3313, 1, 0, 12, "dockerd", "/usr/bin/dockerd -H fd://", "/system.slice/docker.service",
	  3, 0, 0, 0, 0, 20, LT_LOCK, 210, 3, 30000, 4000, 0, 0 },
	{ 4022, 3312, 61472, 8, "grafana", "grafana server --homepath=/usr/share/grafana", "/docker/f00dfeed",
	  12, 2, 1, 0, 0, 10, LT_POLL, 620, 0, 50000, 8000, 12, 30 },
	{ 5001, 611, 61000, 1, "bash", "-bash", "/user.slice/user-1000.slice/session-4.scope",
	  0, 0, 0, 0, 0, 0, LT_IO, 0, 0, 0, 0, 0, 0 },
	{ 5107, 5001, 61000, 1, "vim", "vim notes.txt", "/user.slice/user-1000.slice/session-4.scope",
	  0, 0, 0, 0, 0, 0, LT_POLL, 2, 0, 9000, 2000, 0, 0 },
	{ 29800, 5001, 61002, 1, "make", "make -j16", "/user.slice/user-1000.slice/session-7.scope",
	  3, 1, 0, 0, 0, 0, LT_SLEEP, 120, 3, 40000, 9000, 0, 0 },
	{ FIXTURE_EXITED, 29800, 61002, 1, "cc1", "/usr/lib/gcc/x86_64-linux-gnu/12/cc1 -quiet main.c",
	  "/user.slice/user-1000.slice/session-7.scope", 870, 4, 66, 0, 0, 0, LT_OTHER, 1200, 9, 40000, 22000, 0, 0 },
	{ 30560, 29800, 61002, 1, "cc1", "/usr/lib/gcc/x86_64-linux-gnu/12/cc1 -quiet parse.c",
	  "/user.slice/user-1000.slice/session-7.scope", 850, 5, 71, 1, 0, 0, LT_OTHER, 1400, 9, 52000, 21000, 0, 0 },
	{ 30561, 29800, 61002, 1, "cc1", "/usr/lib/gcc/x86_64-linux-gnu/12/cc1 -quiet util.c",
	  "/user.slice/user-1000.slice/session-7.scope", 840, 6, 69, 2, 0, 0, LT_OTHER, 1300, 8, 47000, 20000, 0, 0 },
	{ 30610, 1, 0, 1, "rsync", "rsync -a /srv/ backup:/srv/", "/system.slice/backup.service",
	  88, 9, 3, 301, 12, 0, LT_NET, 3100, 0, 200000, 610000, 11200, 90 },
	{ 30640, 1, 0, 1, "certbot", "/usr/bin/python3 /usr/bin/certbot renew -q", "/system.slice/certbot.service",
	  20, 1, 1, 3, 0, 0, LT_NET, 410, 202, 60000, 12000, 3, 9 },
	{ FIXTURE_HOSTILE, 5001, 61000, 1, "tame", "tame --name", "/user.slice/user-1000.slice/session-4.scope",
	  10, 1, 0, 0, 0, 0, LT_SLEEP, 90, 0, 30000, 4000, 0, 0 },
	{ 31002, 5001, 0, 1, "lagtop", "lagtop", "/user.slice/user-1000.slice/session-9.scope",
	  6, 1, 0, 0, 0, 0, LT_POLL, 120, 0, 20000, 6000, 0, 0 },
	{ FIXTURE_YOUNG, 5001, 61000, 1, "gzip", "gzip -9 dump.sql", "/user.slice/user-1000.slice/session-4.scope",
	  300, 8, 4, 40, 2, 0, LT_DISK, 400, 0, 60000, 9000, 0, 0 },
};
/* clang-format on */

#define HOSTILE_COMM "\033[2J\007\x9b\xff\xcc\x81"
#define HOSTILE_CMDLINE                                                                                                \
	"\033]0;owned\007\033[31m\033[H\n\r\t\x9b"                                                                     \
	"5;5H\xc2\x9b"                                                                                                 \
	"31m\xe2\x80\xae"                                                                                              \
	"evil\xe6\xbc\xa2\xe5\xad\x97 e\xcc\x81\xff\xfe\033]52;c;aGk=\007"

/* A wobble in [0, 1000), different for each actor, quantity and reading. */
static uint32_t wobble(uint32_t actor, uint32_t what, uint32_t number)
{
	uint32_t h = (actor * 2654435761U) ^ (what * 40503U + 77) ^ (number * 2246822519U);

	h ^= h >> 15;
	h *= 0x85ebca6bU;
	h ^= h >> 13;
	return h % 1000;
}

/* n plus or minus `spread` per mille. */
static uint64_t about(uint64_t n, uint32_t spread, uint32_t wobbled)
{
	return n - n * spread / 1000 + n * spread * 2 / 1000 * wobbled / 1000;
}

static uint32_t add_name(struct sample *s, const char *t)
{
	return sample_add_text(s, t, strlen(t));
}

/* Around a typical duration: most below, some above, few far above. */
static struct sample_dist add_dist(struct sample *s, uint64_t typical_ns, uint32_t count)
{
	struct sample_dist d = { .first = s->n_buckets };
	static const struct {
		uint32_t factor_permille, share_permille;
	} shape[] = { { 120, 180 }, { 250, 420 }, { 500, 300 }, { 1000, 88 }, { 3200, 12 } };

	if (!typical_ns || !count)
		return d;
	for (size_t i = 0; i < COUNT(shape); i++) {
		uint32_t n = (uint32_t)((uint64_t)count * shape[i].share_permille / 1000) + (i == 3);
		uint64_t ns = typical_ns * shape[i].factor_permille / 1000;
		struct sample_bucket *b;

		if (!n)
			continue;
		d.max_ns = ns;
		if (d.n && s->buckets[s->n_buckets - 1].bucket == hist_bucket(ns)) {
			s->buckets[s->n_buckets - 1].count += n;
			continue;
		}
		b = sample_add_bucket(s);
		assert(b);
		*b = (struct sample_bucket){ hist_bucket(ns), n };
		d.n++;
	}
	return d;
}

static const struct {
	uint32_t nr, share; /* per mille of the calls */
	uint32_t factor;    /* duration, in tenths of the actor's typical */
	uint32_t error;
} call_mix[] = {
	{ SYS_epoll_wait, 200, 300, 0 },   { SYS_read, 310, 8, EAGAIN }, { SYS_write, 260, 9, EPIPE },
	{ SYS_futex, 120, 90, ETIMEDOUT }, { SYS_fdatasync, 4, 400, 0 }, { SYS_openat, 60, 10, ENOENT },
	{ SYS_close, 46, 2, 0 },
};

static void add_calls(struct sample *s, struct sample_work *w, uint32_t calls, uint32_t errors, uint64_t typical_ns)
{
	uint32_t left = errors;

	w->first_call = s->n_calls;
	for (size_t i = 0; i < COUNT(call_mix); i++) {
		uint32_t n = calls * call_mix[i].share / 1000;
		struct sample_call *c;

		if (!n)
			continue;
		c = sample_add_call(s);
		assert(c);
		c->call = LT_CALL(LT_ABI_NATIVE, call_mix[i].nr);
		c->count = n;
		c->total_ns = (uint64_t)n * typical_ns * call_mix[i].factor / 40;
		c->time_ns = c->total_ns < SECOND_NS ? c->total_ns : SECOND_NS * 9 / 10;
		c->wait_ns = c->time_ns * 3 / 4;
		c->latency = add_dist(s, typical_ns * call_mix[i].factor / 10, n);
		c->first_errno = s->n_errnos;
		if (call_mix[i].error && left) {
			struct sample_errno *e = sample_add_errno(s);

			assert(e);
			c->errors = left > n ? n : (left + 1) / 2;
			*e = (struct sample_errno){ call_mix[i].error, c->errors };
			c->n_errnos = 1;
			left -= c->errors;
		}
		w->n_calls++;
	}
	w->call_errors = errors - left;
}

#define DISK_WAIT_NS 150000

static struct sample_peer *add_peer(struct sample *s, const char *path, uint8_t host, uint16_t port)
{
	struct sample_peer *p = sample_add_peer(s);

	assert(p);
	p->of = (struct lt_peer){ .netns = path ? 0 : 1,
				  .port = port,
				  .proto = path ? LT_UNIX : LT_TCP,
				  .family = path ? 0 : 4,
				  .address = { 10, 0, 0, (char)host } };
	if (path)
		snprintf(p->of.address, sizeof(p->of.address), "%s", path);
	p->open.n = p->retransmits = p->srtt_ns = SAMPLE_UNKNOWN;
	return p;
}

/* A database on this machine, a slow one on another, and a cache whose answers overlap. */
static void add_peers(struct sample *s, struct sample_work *w, uint64_t ns, uint32_t n)
{
	static const struct {
		const char *path;
		uint8_t host;
		uint16_t port;
		uint32_t times, pid;
	} peers[] = { { "/run/postgresql/.s.PGSQL.5432", 0, 0, 1, 2208 },
		      { NULL, 5, 5432, 40, 0 },
		      { NULL, 12, 6379, 1, 0 } };

	w->first_peer = s->n_peers;
	for (size_t i = 0; i < COUNT(peers); i++) {
		struct sample_peer *p = add_peer(s, peers[i].path, peers[i].host, peers[i].port);

		p->pid = p->of.pid = peers[i].pid;
		p->upstream = add_dist(s, ns * peers[i].times, n / COUNT(peers));
		p->overlapped = i == 2 ? n / COUNT(peers) : 0;
	}
	w->n_peers = s->n_peers - w->first_peer;
}

static void add_work(struct sample *s, uint32_t i, uint32_t number, uint64_t wall_ns)
{
	const struct actor *a = &actors[i];
	/* A storm every twelve readings: sparklines and heatmaps have something to show. */
	uint64_t storm = number % 12 >= 8 ? 3 : 1;
	struct sample_work *w = sample_add_work(s);
	uint64_t used = 0, calls = about(a->calls, 200, wobble(i, 1, number));
	uint32_t waits;
	const uint16_t share[] = { a->run, a->wakeq, a->preempt, a->disk, a->block, a->lock };
	static const uint8_t state[] = { LT_RUN, LT_WAKEQ, LT_PREEMPT, LT_DISK, LT_BLOCK, LT_LOCK };

	assert(w);
	for (size_t k = 0; k < COUNT(share); k++) {
		uint64_t ns = about(wall_ns * share[k] / 1000, 60, wobble(i, 10 + (uint32_t)k, number));

		if (ns > wall_ns - used)
			ns = wall_ns - used;
		w->time_ns[state[k]] = ns;
		used += ns;
	}
	w->time_ns[a->rest] += wall_ns - used;
	w->voluntary = calls / 9 + a->run;
	w->involuntary = a->preempt * 3U;
	w->wakeups = w->voluntary;
	w->migrations = a->preempt / 4;
	w->wakeup = add_dist(s, about(a->wake_ns * storm, 700, wobble(i, 2, number)), (uint32_t)w->wakeups);
	w->service = add_dist(s, about(a->call_ns * storm, 500, wobble(i, 3, number)), (uint32_t)calls);
	waits = (uint32_t)(w->time_ns[LT_DISK] / (DISK_WAIT_NS * storm));
	w->disk_wait = add_dist(s, DISK_WAIT_NS * storm, waits);
	w->disk_read_bytes = waits * 16384;
	w->disk_write_bytes = waits * 5 / 2 * 4096;
	w->calls = calls;
	w->call_total_ns = calls * a->call_ns / 3;
	w->flow[LT_TCP].tx_bytes = about(a->tx_kb * 1000ULL, 200, wobble(i, 4, number));
	w->flow[LT_TCP].rx_bytes = about(a->rx_kb * 1000ULL, 200, wobble(i, 5, number));
	w->flow[LT_TCP].tx_ops = w->flow[LT_TCP].tx_bytes / 1400;
	w->flow[LT_TCP].rx_ops = w->flow[LT_TCP].rx_bytes / 1400;
	w->accepts = a->tx_kb / 40;
	w->accept = add_dist(s, about(a->wake_ns * storm * 3, 400, wobble(i, 9, number)), (uint32_t)w->accepts);
	w->response = add_dist(s, about(a->call_ns * storm * 9, 500, wobble(i, 10, number)), (uint32_t)w->accepts * 3);
	w->late = add_dist(s, about(a->wake_ns * storm * 2, 400, wobble(i, 11, number)), (uint32_t)w->accepts * 4);
	w->upstream = add_dist(s, about(a->call_ns * storm * 5, 500, wobble(i, 12, number)), (uint32_t)w->accepts);
	add_calls(s, w, (uint32_t)calls, a->errors, a->call_ns);
	if (w->upstream.n)
		add_peers(s, w, about(a->call_ns * storm * 5, 500, wobble(i, 12, number)), (uint32_t)w->accepts);
}

/* How the connections to the slow database are. */
static void add_asked(struct sample *s, struct sample_process *p, uint32_t i, uint32_t number)
{
	struct sample_peer *peer = add_peer(s, NULL, 5, 5432);

	p->sockets.first_peer = s->n_peers - 1;
	p->sockets.n_peers = 1;
	peer->open = (struct sample_open){ wobble(i, 15, number) % 3, 0 };
	peer->open.oldest_ns = peer->open.n ? about(40000000, 500, wobble(i, 16, number)) : 0;
	peer->retransmits = p->sockets.retransmits;
	peer->srtt_ns = about(210000, 400, wobble(i, 17, number));
}

/* It waits for compilers, mostly. */
static void add_focus(struct sample *s, uint32_t pid)
{
	static const struct {
		uint32_t kind, pid, permille;
		const char *comm;
	} shares[] = { { SAMPLE_BLAME_CPU, 30560, 440, "cc1" },
		       { SAMPLE_BLAME_CPU, 30561, 280, "cc1" },
		       { SAMPLE_BLAME_CPU, FIXTURE_LAGGARD, 120, "postgres" },
		       { SAMPLE_BLAME_ASLEEP, 0, 90, "" },
		       { SAMPLE_BLAME_STEAL, 0, 40, "" },
		       { SAMPLE_BLAME_OTHERS, 0, 30, "" } };
	struct sample_process *p = &s->processes[s->n_processes - 1];
	uint64_t waited_ns = 0;

	if (p->pid != pid)
		return;
	for (uint32_t i = 0; i < p->n_threads; i++)
		if (s->threads[p->first_thread + i].work != SAMPLE_NONE)
			waited_ns += s->works[s->threads[p->first_thread + i].work].time_ns[LT_WAKEQ] +
				     s->works[s->threads[p->first_thread + i].work].time_ns[LT_PREEMPT];
	p->focus_since_ns = 1;
	p->first_because = s->n_because;
	p->n_because = COUNT(shares);
	for (size_t i = 0; i < COUNT(shares); i++) {
		struct sample_because *b = sample_add_because(s);

		assert(b);
		*b = (struct sample_because){ .kind = shares[i].kind,
					      .pid = shares[i].pid,
					      .start_ns = shares[i].pid * 10000000ULL,
					      .ns = waited_ns * shares[i].permille / 1000 };
		snprintf(b->comm, sizeof(b->comm), "%s", shares[i].comm);
	}
}

static void add_actor(struct sample *s, uint32_t i, uint32_t number, enum fixture_kind kind)
{
	const struct actor *a = &actors[i];
	bool exits = a->pid == FIXTURE_EXITED && number == FIXTURE_EXIT_READING;
	bool hostile = a->pid == FIXTURE_HOSTILE && kind == FIXTURE_HOSTILE_NAMES;
	uint64_t wall_ns = exits ? SECOND_NS / 2 : SECOND_NS, start_ns = a->pid * 10000000ULL;
	struct sample_process *p = sample_add_process(s);

	assert(p);
	*p = (struct sample_process){ .pid = a->pid,
				      .ppid = a->ppid,
				      .uid = a->uid,
				      .threads = a->threads,
				      .first_thread = s->n_threads,
				      .n_threads = a->threads,
				      .start_ns = start_ns,
				      .sockets = { .srtt_ns = SAMPLE_UNKNOWN } };
	p->flags = (exits ? SAMPLE_PROCESS_EXITED : 0) | (a->pid == 2 || a->ppid == 2 ? SAMPLE_PROCESS_KERNEL : 0);
	if (exits) {
		p->exit_code = -9;
		p->killed_by = LT_BY_PROCESS;
		p->killer_pid = 5001;
		p->killer_comm = sample_add_text(s, "bash", 4);
	}
	if (a->tx_kb) {
		p->sockets.srtt_ns = about(a->tx_kb > 10000 ? 9000000 : 120000, 300, wobble(i, 6, number));
		p->sockets.retransmits = a->tx_kb > 10000 ? 40 : 0;
	}
	if (a->tx_kb)
		add_asked(s, p, i, number);
	p->comm = add_name(s, hostile ? HOSTILE_COMM : a->comm);
	p->cmdline = add_name(s, hostile ? HOSTILE_CMDLINE : a->cmdline);
	p->cgroup = add_name(s, a->cgroup);
	for (uint32_t t = 0; t < a->threads; t++) {
		struct sample_thread *thread = sample_add_thread(s);

		assert(thread);
		*thread = (struct sample_thread){ .tid = a->pid + t,
						  .process = s->n_processes - 1,
						  .work = SAMPLE_NONE,
						  .call = LT_CALL_NONE,
						  .wall_ns = wall_ns,
						  .start_ns = start_ns,
						  .state = (uint8_t)a->rest };
		snprintf(thread->comm, sizeof(thread->comm), "%s", hostile ? HOSTILE_COMM : a->comm);
		if (exits) {
			thread->state = LT_DEAD;
			thread->flags = SAMPLE_THREAD_DEAD;
		}
		if (a->rest == LT_POLL && !exits) {
			thread->call = LT_CALL(LT_ABI_NATIVE, SYS_epoll_wait);
			thread->call_age_ns = (t + 1) * 1200000000ULL;
		}
		if (t < 2 && (a->run || a->calls)) {
			thread->work = s->n_works;
			add_work(s, i, number, wall_ns);
		}
	}
	add_focus(s, FIXTURE_WAITER);
}

/* Children of make that lived for a tenth of the reading, half of it on a CPU. */
static void add_crowd(struct sample *s, uint32_t number)
{
	for (uint32_t i = 0; i < FIXTURE_CHILDREN; i++) {
		uint32_t pid = 40000 + number * FIXTURE_CHILDREN + i;
		struct sample_process *p = sample_add_process(s);
		struct sample_thread *t = sample_add_thread(s);
		struct sample_work *w = sample_add_work(s);

		assert(p && t && w);
		*p = (struct sample_process){ .pid = pid,
					      .ppid = 29800,
					      .uid = 61002,
					      .first_thread = s->n_threads - 1,
					      .n_threads = 1,
					      .start_ns = pid * 10000000ULL,
					      .flags = SAMPLE_PROCESS_EXITED,
					      .comm = add_name(s, "sh"),
					      .sockets = { .srtt_ns = SAMPLE_UNKNOWN } };
		*t = (struct sample_thread){ .tid = pid,
					     .process = s->n_processes - 1,
					     .work = s->n_works - 1,
					     .call = LT_CALL_NONE,
					     .wall_ns = SECOND_NS / 10,
					     .start_ns = pid * 10000000ULL,
					     .flags = SAMPLE_THREAD_DEAD,
					     .state = LT_DEAD };
		w->time_ns[LT_RUN] = w->time_ns[LT_PREEMPT] = SECOND_NS / 20;
		w->calls = 5;
	}
}

static void add_sleepers(struct sample *s)
{
	for (uint32_t i = 0; i < FIXTURE_SLEEPERS; i++) {
		uint32_t pid = FIXTURE_SLEEPER + i;
		struct sample_process *p = sample_add_process(s);
		struct sample_thread *t = sample_add_thread(s);

		assert(p && t);
		*p = (struct sample_process){ .pid = pid,
					      .ppid = 1,
					      .uid = 61002,
					      .threads = 1,
					      .first_thread = s->n_threads - 1,
					      .n_threads = 1,
					      .start_ns = pid * 10000000ULL,
					      .comm = add_name(s, "sleeper"),
					      .sockets = { .srtt_ns = SAMPLE_UNKNOWN } };
		*t = (struct sample_thread){ .tid = pid,
					     .process = s->n_processes - 1,
					     .work = SAMPLE_NONE,
					     .call = LT_CALL_NONE,
					     .wall_ns = SECOND_NS,
					     .start_ns = pid * 10000000ULL,
					     .state = LT_POLL };
	}
}

static void add_connection(struct sample *s, uint32_t pid, uint16_t port, uint32_t number)
{
	struct sample_connection *c = sample_add_connection(s);

	assert(c);
	*c = (struct sample_connection){ .proto = LT_TCP,
					 .family = 4,
					 .state = 1,
					 .local_port = port,
					 .remote_port = (uint16_t)(40000 + pid % 20000),
					 .local = { 10, 0, 0, 7 },
					 .remote = { 10, 0, 0, 12 },
					 .pid = pid,
					 .netns = 4026531840,
					 .age_ns = pid * 1000000ULL,
					 .accept_queue = SAMPLE_UNKNOWN,
					 .accept_queue_max = SAMPLE_UNKNOWN,
					 .accept_oldest_ns = SAMPLE_UNKNOWN,
					 .drops = SAMPLE_UNKNOWN };
	c->tx_bytes = about(900000, 300, wobble(pid, 7, number));
	c->rx_bytes = about(120000, 300, wobble(pid, 8, number));
	c->srtt_ns = about(210000, 400, wobble(pid, 9, number));
	c->open_ns = wobble(pid, 13, number) % 4 ? SAMPLE_UNKNOWN : about(3000000, 500, wobble(pid, 14, number));
	c->retransmits = pid == 30610 ? 40 : 0;
	c->role = wobble(pid, 15, 0) % 3 ? LT_ROLE_SERVER : LT_ROLE_CLIENT;
	c->overlapped = wobble(pid, 16, 0) % 4 == 0;
	c->turns = wobble(pid, 17, number) % 90;
	c->turns_ns = c->turns * about(900000, 600, wobble(pid, 18, number));
	c->turn_max_ns = c->turns ? c->turns_ns / c->turns * 3 : 0;
}

/* An API and its database; a container and a cache that listens for IPv6, too; and in two network namespaces the ends
 * of what are two connections, since each has a loopback of its own. */
static void add_local(struct sample *s)
{
	static const struct {
		uint32_t pid;
		uint16_t local_port, remote_port;
		uint8_t local[16], remote[16];
		uint8_t family, netns, state;
	} ends[] = {
		{ 2208, 5432, 0, { 0 }, { 0 }, 4, 0, 10 },
		{ 3100, 40001, 5432, { 10, 0, 0, 7 }, { 10, 0, 0, 7 }, 4, 0, 1 },
		{ 2301, 5432, 40001, { 10, 0, 0, 7 }, { 10, 0, 0, 7 }, 4, 0, 1 },
		{ 4022, 50000, 6379, { 172, 17, 0, 2 }, { 10, 0, 0, 7 }, 4, 1, 1 },
		{ 1301,
		  6379,
		  50000,
		  { [10] = 0xff, 0xff, 10, 0, 0, 7 },
		  { [10] = 0xff, 0xff, 172, 17, 0, 2 },
		  6,
		  0,
		  1 },
		{ 30610, 50001, 873, { 127, 0, 0, 1 }, { 127, 0, 0, 1 }, 4, 0, 1 },
		{ 4022, 873, 50001, { 127, 0, 0, 1 }, { 127, 0, 0, 1 }, 4, 1, 1 },
	};

	for (uint32_t i = 0; i < s->n_processes; i++)
		if (s->processes[i].pid == 3100)
			s->processes[i].sockets.answers = (struct sample_open){ 1, SECOND_NS };
	s->n_connections = 0;
	for (size_t i = 0; i < COUNT(ends); i++) {
		struct sample_connection *c = sample_add_connection(s);

		assert(c);
		*c = (struct sample_connection){ .proto = LT_TCP,
						 .family = ends[i].family,
						 .state = ends[i].state,
						 .local_port = ends[i].local_port,
						 .remote_port = ends[i].remote_port,
						 .pid = ends[i].pid,
						 .netns = 4026531840 + ends[i].netns,
						 .age_ns = SECOND_NS,
						 .srtt_ns = SAMPLE_UNKNOWN,
						 .accept_queue = SAMPLE_UNKNOWN,
						 .accept_queue_max = SAMPLE_UNKNOWN,
						 .accept_oldest_ns = SAMPLE_UNKNOWN,
						 .drops = SAMPLE_UNKNOWN,
						 .open_ns = SAMPLE_UNKNOWN };
		memcpy(c->local, ends[i].local, sizeof(c->local));
		memcpy(c->remote, ends[i].remote, sizeof(c->remote));
	}
}

/* Sixteen CPUs: an actor that runs on each, some idle; two numbers are missing. */
static void add_cpus(struct sample *s, uint32_t number)
{
	for (uint32_t i = 0; i < s->cpus_online; i++) {
		const struct actor *a = &actors[wobble(i, 30, number) % COUNT(actors)];
		uint64_t busy_ns = about(350000000, 900, wobble(i, 31, number));
		struct sample_cpu *c = sample_add_cpu(s);

		assert(c);
		*c = (struct sample_cpu){ .cpu = i < 8 ? i : i + 2,
					  .queued = i % 5 == 0 ? wobble(i, 32, number) % 4 : 0,
					  .switches = about(2100, 600, wobble(i, 33, number)),
					  .run_ns = SAMPLE_UNKNOWN,
					  .times = { busy_ns, SECOND_NS - busy_ns, 0, busy_ns / 31,
						     number % 12 >= 8 ? busy_ns / 13 : 0 } };
		c->queued_p99 = c->queued + i % 3;
		c->throttled = i % 7 == 3;
		c->runs = a->run && a->pid != FIXTURE_EXITED && a->pid != FIXTURE_YOUNG ? LT_RUNS_THREAD : LT_RUNS_IDLE;
		if (c->runs == LT_RUNS_IDLE)
			continue;
		c->pid = c->tid = a->pid;
		c->run_ns = about(1700000, 900, wobble(i, 34, number));
		snprintf(c->comm, sizeof(c->comm), "%s", a->comm);
	}
}

static void add_probes(struct sample *s, enum fixture_kind kind)
{
	for (int i = 0; i < SAMPLE_FAMILIES; i++) {
		s->probe[i].on = !(kind == FIXTURE_NO_NET && (i == SAMPLE_NET || i == SAMPLE_TURNS));
		snprintf(s->probe[i].by, sizeof(s->probe[i].by), "%s", s->probe[i].on ? "tp_btf" : "");
		snprintf(s->probe[i].reason, sizeof(s->probe[i].reason), "%s",
			 s->probe[i].on	   ? ""
			 : i == SAMPLE_NET ? "left out by --no-net"
					   : "it needs the network probes");
	}
}

static void add_disk(struct sample *s, const char *name, uint32_t minor, enum lt_disk_op op, uint32_t count,
		     uint64_t typical_ns, uint32_t number)
{
	struct sample_disk *d = sample_add_disk(s);

	assert(d);
	*d = (struct sample_disk){ .major = 259, .minor = minor, .op = (uint8_t)op, .in_flight = minor ? 0 : 2 };
	d->name = sample_add_text(s, name, strlen(name));
	d->count = about(count, 300, wobble(minor, 30 + op, number));
	d->bytes = op == LT_DISK_FLUSH ? 0 : d->count * (op == LT_DISK_DISCARD ? 1 << 20 : 16384);
	d->merged = op < LT_DISK_DISCARD ? d->count / 9 : 0;
	d->time_ns = d->count * (typical_ns ? typical_ns : 90000) / 1000000 * 1000000;
	d->busy_ns = about(minor ? 21000000 : 310000000, 200, wobble(minor, 40, number)) / 1000000 * 1000000;
	d->carriers = op == LT_DISK_WRITE && typical_ns ? d->count / 20 : 0;
	if (!typical_ns)
		return;
	d->groups_known = op != LT_DISK_FLUSH;
	d->first_group = s->n_disk_groups;
	d->n_groups = d->groups_known ? 2 : 0;
	for (uint32_t i = 0; i < d->n_groups; i++) {
		static const char *const groups[] = { "/system.slice/postgresql.service", "/user.slice" };
		struct sample_disk_group *group = sample_add_disk_group(s);

		assert(group);
		*group = (struct sample_disk_group){ 71 + i, i ? d->count / 4 : d->count - d->count / 4,
						     i ? d->bytes / 4 : d->bytes - d->bytes / 4,
						     sample_add_text(s, groups[i], strlen(groups[i])) };
	}
	typical_ns = about(typical_ns * (number % 12 >= 8 ? 6 : 1), 300, wobble(minor, 50 + op, number));
	d->latency[LT_DISK_TOTAL] = add_dist(s, typical_ns, (uint32_t)(d->count - d->carriers));
	d->latency[LT_DISK_QUEUE] = add_dist(s, typical_ns / 40, (uint32_t)(d->count - d->carriers));
	d->latency[LT_DISK_SERVICE] = add_dist(s, typical_ns * 39 / 40, (uint32_t)(d->count - d->carriers));
}

static void add_mark(struct sample *s, enum sample_mark_kind kind, uint64_t ago_ns, const char *expr, const char *text)
{
	struct sample_mark *m = sample_add_mark(s);

	assert(m);
	*m = (struct sample_mark){ .realtime_ns = s->realtime_ns - ago_ns, .kind = kind };
	snprintf(m->expr, sizeof(m->expr), "%s", expr);
	snprintf(m->text, sizeof(m->text), "%s", text);
}

static void add_marks(struct sample *s, enum fixture_kind kind)
{
	if (kind != FIXTURE_MARKS)
		return;
	if (s->number == 10 || s->number == 20)
		add_mark(s, SAMPLE_MARK_WHEN, 0, "wake99>50ms", s->number == 10 ? "nginx" : "\033[31mgzip");
	if (s->number == 25)
		add_mark(s, SAMPLE_MARK_HAND, 3 * SECOND_NS, "", "");
}

static void add_host(struct sample *s, uint32_t number, enum fixture_kind kind)
{
	s->cpus_online = 16;
	snprintf(s->host, sizeof(s->host), "web-07");
	snprintf(s->kernel, sizeof(s->kernel), "6.1.0-56");
	add_probes(s, kind);
	s->unknown = counter_unknown(s->kernel);
	s->forks = 12;
	s->execs = 9;
	s->exits = 11;
	s->retransmits = 40;
	s->self = (struct sample_self){ 4000000, 21000000, 178000, 9 << 20, 21 << 20, 58000000, 512, 730, false };
	s->cpu_times =
		(struct sample_cpu_times){ 5600000000, 10400000000, 0, about(190000000, 300, wobble(1, 20, number)),
					   number % 12 >= 8 ? 420000000 : 0 };
	s->stack[STACK_listen_drops] = number % 12 >= 8 ? 12 : 0;
	for (uint32_t i = 0; i < SAMPLE_RESOURCES; i++) {
		static const uint64_t some_ns[SAMPLE_RESOURCES] = { 47000000, 2400000, 131000000 };

		s->pressure[i].some_ns = about(some_ns[i], 400, wobble(i, 21, number));
		s->pressure[i].full_ns = i == SAMPLE_CPU ? 0 : s->pressure[i].some_ns / 3;
	}
	if (kind == FIXTURE_LOSSES) {
		s->lost = (struct sample_lost){ .threads = 3, .switches = 4 };
		memset(s->pressure, 0xff, sizeof(s->pressure));
		memset(s->stack, 0xff, sizeof(s->stack));
		memset(&s->cpu_times, 0xff, sizeof(s->cpu_times));
	}
}

void fixture_fill(struct sample *s, uint32_t number, enum fixture_kind kind)
{
	static const uint32_t disk_ops[LT_DISK_OPS] = { 4100, 2300, 3, 110 };
	static const uint32_t owners[] = { 1044, 1045, 1301, 2301, 2302, 2890, 3100, 30610 };

	uint64_t after_ns =
		number * SECOND_NS + (kind == FIXTURE_GAP && number >= FIXTURE_AFTER_GAP ? 100 * SECOND_NS : 0);

	sample_clear(s);
	s->number = number;
	s->interval_ns = SECOND_NS;
	s->t_ns = 1000000 * SECOND_NS + after_ns;
	s->uptime_ns = 1047600 * SECOND_NS + after_ns;
	s->realtime_ns = FIXTURE_REALTIME_NS + after_ns;
	add_marks(s, kind);
	add_host(s, number, kind);
	for (uint32_t i = 0; i < COUNT(actors); i++)
		if ((actors[i].pid != FIXTURE_EXITED || number <= FIXTURE_EXIT_READING) &&
		    (actors[i].pid != FIXTURE_YOUNG || (kind == FIXTURE_BIRTH && number >= FIXTURE_BIRTH_READING)))
			add_actor(s, i, number, kind);
	if (kind == FIXTURE_CROWD)
		add_crowd(s, number);
	if (kind == FIXTURE_IDLE)
		add_sleepers(s);
	if (kind != FIXTURE_LOSSES)
		add_cpus(s, number);
	s->has_connections = kind != FIXTURE_LOSSES;
	s->drops_known = s->has_connections;
	for (size_t i = 0; s->has_connections && i < COUNT(owners); i++)
		add_connection(s, owners[i], (uint16_t)(i < 2 ? 443 : 5432 + i), number);
	if (kind == FIXTURE_LOCAL)
		add_local(s);
	s->has_disks = kind != FIXTURE_LOSSES;
	for (uint32_t op = 0; s->has_disks && op < LT_DISK_OPS; op++)
		add_disk(s, "nvme0n1", 0, op, disk_ops[op], op == LT_DISK_DISCARD ? 900000 : 120000, number);
	for (uint32_t op = 0; s->has_disks && op < LT_DISK_DISCARD; op++)
		add_disk(s, "dm-0", 4, op, disk_ops[op] / 3, 0, number);
}

void fixture_write(const char *path, uint32_t readings, enum fixture_kind kind)
{
	struct sample s = { 0 };
	char why[256] = "";
	struct record *r = record_open(path, why, sizeof(why));

	if (!r)
		fprintf(stderr, "%s\n", why);
	assert(r);
	for (uint32_t number = 1; number <= readings; number++) {
		fixture_fill(&s, number, kind);
		assert(!record_write(r, &s));
	}
	assert(!record_close(r));
	sample_free(&s);
}
