/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See synthetic.h. Times add up: each thread's states sum to its wall time. */
#include "synthetic.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t text(struct sample *s, const char *t)
{
	uint32_t at = sample_add_text(s, t, strlen(t));

	assert(at);
	return at;
}

static struct sample_dist dist(struct sample *s, uint64_t a_ns, uint32_t a, uint64_t b_ns, uint32_t b)
{
	struct sample_dist d = { .max_ns = b_ns, .first = s->n_buckets, .n = 2 };
	struct sample_bucket *bucket;

	bucket = sample_add_bucket(s);
	assert(bucket);
	*bucket = (struct sample_bucket){ hist_bucket(a_ns), a };
	bucket = sample_add_bucket(s);
	assert(bucket);
	*bucket = (struct sample_bucket){ hist_bucket(b_ns), b };
	return d;
}

static void add_process(struct sample *s, const struct sample_process *like)
{
	struct sample_process *p = sample_add_process(s);

	assert(p);
	*p = *like;
	p->first_thread = s->n_threads;
}

static void add_thread(struct sample *s, const struct sample_thread *like)
{
	struct sample_thread *t = sample_add_thread(s);

	assert(t);
	*t = *like;
	t->process = s->n_processes - 1;
	s->processes[t->process].n_threads++;
}

static void add_call(struct sample *s, const struct sample_call *like, uint32_t error, uint32_t errors)
{
	struct sample_call *c = sample_add_call(s);
	struct sample_errno *e;

	assert(c);
	*c = *like;
	c->errors = errors;
	c->first_errno = s->n_errnos;
	c->latency = dist(s, 3000, (uint32_t)like->count - 1, 700000, 1);
	if (!errors)
		return;
	e = sample_add_errno(s);
	assert(e);
	*e = (struct sample_errno){ error, errors };
	c->n_errnos = 1;
}

/* 100 reads (3 EAGAIN), 7 writes; 8,008,000 bytes out over tcp, 500 in over udp, 64 over unix. */
static void add_server_work(struct sample *s)
{
	struct sample_work *w = sample_add_work(s);

	assert(w);
	w->time_ns[LT_RUN] = 300000001;
	w->time_ns[LT_WAKEQ] = 20000002;
	w->time_ns[LT_PREEMPT] = 30000003;
	w->time_ns[LT_DISK] = 40000004;
	w->time_ns[LT_BLOCK] = 50000005;
	w->time_ns[LT_LOCK] = 60000006;
	w->time_ns[LT_NET] = 70000007;
	w->time_ns[LT_POLL] = 80000008;
	w->time_ns[LT_SLEEP] = 90000009;
	w->time_ns[LT_IO] = 100000010;
	w->time_ns[LT_OTHER] = 159999945;
	w->wakeup = dist(s, 40000, 90, 12000000, 10);
	w->service = dist(s, 2000, 106, 310000, 1);
	w->accept = dist(s, 30000, 8, 15000000, 1);
	w->voluntary = 101;
	w->involuntary = 11;
	w->wakeups = 102;
	w->migrations = 5;
	w->calls = 107;
	w->call_errors = 3;
	w->call_total_ns = 987654321;
	w->flow[LT_TCP] = (struct lt_flow){ 8008000, 12, 1001, 2 };
	w->flow[LT_UDP] = (struct lt_flow){ 13, 500, 1, 5 };
	w->flow[LT_INET] = (struct lt_flow){ 17, 18, 3, 4 };
	w->flow[LT_UNIX] = (struct lt_flow){ 64, 65, 6, 7 };
	w->flow[LT_PROTO_OTHER] = (struct lt_flow){ 21, 22, 8, 9 };
	w->connects = 4;
	w->accepts = 9;
	w->waker = SYNTHETIC_EXITED;
	w->first_call = s->n_calls;
	w->n_calls = 2;
	add_call(s,
		 &(struct sample_call){ .call = LT_CALL(LT_ABI_NATIVE, 0),
					.count = 100,
					.total_ns = 900000000,
					.time_ns = 800000000,
					.wait_ns = 700000000 },
		 EAGAIN, 3);
	add_call(s,
		 &(struct sample_call){ .call = LT_CALL(LT_ABI_NATIVE, 1),
					.count = 7,
					.total_ns = 87654321,
					.time_ns = 8765432,
					.wait_ns = SAMPLE_UNKNOWN },
		 0, 0);
}

static void add_peer(struct sample *s, const struct sample_peer *peer)
{
	struct sample_peer *p = sample_add_peer(s);

	assert(p);
	*p = *peer;
}

/* What a thread waited for a peer, and how the connections to it are; another is a UNIX socket. */
static void add_peers(struct sample *s, struct sample_work *w, struct sample_socket_sums *sums)
{
	static const struct lt_peer tcp = { .address = { 10, 0, 0, 5 }, 71, 0, 5432, LT_TCP, 4 };
	static const struct lt_peer un = { .address = "/run/db.sock", 0, SYNTHETIC_QUIET, 0, LT_UNIX, 0 };

	w->first_peer = s->n_peers;
	w->n_peers = 2;
	add_peer(s, &(struct sample_peer){ .of = tcp,
					   .overlapped = 91,
					   .upstream = dist(s, 300000, 4, 7000000, 2),
					   .open.n = SAMPLE_UNKNOWN,
					   .retransmits = SAMPLE_UNKNOWN,
					   .srtt_ns = SAMPLE_UNKNOWN });
	add_peer(s, &(struct sample_peer){ .of = un,
					   .pid = SYNTHETIC_QUIET,
					   .upstream = dist(s, 500000, 1, 600000, 1),
					   .open.n = SAMPLE_UNKNOWN,
					   .retransmits = SAMPLE_UNKNOWN,
					   .srtt_ns = SAMPLE_UNKNOWN });
	sums->first_peer = s->n_peers;
	sums->n_peers = 1;
	add_peer(s, &(struct sample_peer){ .of = tcp,
					   .pid = SYNTHETIC_EXITED,
					   .open = { 3, 250000000 },
					   .retransmits = 92,
					   .srtt_ns = 93000 });
}

static void add_server(struct sample *s)
{
	add_process(s, &(struct sample_process){ .pid = SYNTHETIC_SERVER,
						 .ppid = 1,
						 .uid = 0,
						 .threads = 2,
						 .start_ns = 5 * SYNTHETIC_SECOND_NS,
						 .comm = text(s, "server"),
						 .cmdline = text(s, "server --fast"),
						 .cgroup = text(s, "/system.slice/server.service") });
	s->processes[s->n_processes - 1].sockets = (struct sample_socket_sums){
		.retransmits = 6, .connect_errors = 1, .srtt_ns = 410000, .connect = dist(s, 200000, 3, 900000, 1)
	};
	add_thread(s, &(struct sample_thread){ .tid = SYNTHETIC_SERVER,
					       .work = s->n_works,
					       .call = LT_CALL(LT_ABI_NATIVE, 0),
					       .call_age_ns = 2 * SYNTHETIC_SECOND_NS,
					       .wall_ns = SYNTHETIC_SECOND_NS,
					       .start_ns = 5 * SYNTHETIC_SECOND_NS,
					       .state = LT_IO,
					       .flags = SAMPLE_THREAD_AT_LEAST,
					       .comm = "server" });
	add_server_work(s);
	add_peers(s, &s->works[s->n_works - 1], &s->processes[s->n_processes - 1].sockets);
	add_thread(s, &(struct sample_thread){ .tid = SYNTHETIC_SERVER + 1,
					       .work = SAMPLE_NONE,
					       .call = LT_CALL_NONE,
					       .wall_ns = SYNTHETIC_SECOND_NS,
					       .start_ns = 6 * SYNTHETIC_SECOND_NS,
					       .state = LT_LOCK,
					       .comm = "worker" });
}

static void add_exited(struct sample *s)
{
	struct sample_work *w;

	add_process(s, &(struct sample_process){ .pid = SYNTHETIC_EXITED,
						 .ppid = SYNTHETIC_SERVER,
						 .uid = 65534,
						 .threads = 1,
						 .start_ns = 99 * SYNTHETIC_SECOND_NS,
						 .exit_code = -9,
						 .flags = SAMPLE_PROCESS_EXITED,
						 .killed_by = LT_BY_PROCESS,
						 .killer_pid = SYNTHETIC_SERVER,
						 .killer_comm = text(s, SYNTHETIC_HOSTILE),
						 .comm = text(s, SYNTHETIC_HOSTILE),
						 .cmdline = text(s, "=evil " SYNTHETIC_HOSTILE),
						 .cgroup = text(s, "/user.slice") });
	s->processes[s->n_processes - 1].sockets = (struct sample_socket_sums){ .srtt_ns = SAMPLE_UNKNOWN };
	add_thread(s, &(struct sample_thread){ .tid = SYNTHETIC_EXITED,
					       .work = s->n_works,
					       .call = LT_CALL_NONE,
					       .wall_ns = 2000000,
					       .start_ns = 99 * SYNTHETIC_SECOND_NS,
					       .state = LT_DEAD,
					       .flags = SAMPLE_THREAD_DEAD,
					       .comm = SYNTHETIC_HOSTILE });
	w = sample_add_work(s);
	assert(w);
	w->time_ns[LT_RUN] = 1900000;
	w->time_ns[LT_WAKEQ] = 100000;
	w->involuntary = 1;
}

static void add_connections(struct sample *s)
{
	static const uint8_t loopback6[16] = { [15] = 1 };
	struct sample_connection *c = sample_add_connection(s);

	assert(c);
	*c = (struct sample_connection){ .proto = LT_TCP,
					 .family = 4,
					 .state = 1,
					 .local_port = 80,
					 .remote_port = 43210,
					 .local = { 1, 2, 3, 4 },
					 .remote = { 5, 6, 7, 8 },
					 .pid = SYNTHETIC_SERVER,
					 .tx_bytes = 8008000,
					 .rx_bytes = 12,
					 .retransmits = 6,
					 .srtt_ns = 410000,
					 .age_ns = 7 * SYNTHETIC_SECOND_NS,
					 .tx_queue_bytes = 31,
					 .rx_queue_bytes = 32,
					 .accept_queue = SAMPLE_UNKNOWN,
					 .accept_queue_max = SAMPLE_UNKNOWN,
					 .accept_oldest_ns = SAMPLE_UNKNOWN,
					 .drops = SAMPLE_UNKNOWN,
					 .netns = 4026531840 };
	c = sample_add_connection(s);
	assert(c);
	*c = (struct sample_connection){ .proto = LT_TCP,
					 .family = 6,
					 .state = 10,
					 .local_port = 80,
					 .pid = 0,
					 .srtt_ns = SAMPLE_UNKNOWN,
					 .age_ns = SAMPLE_UNKNOWN,
					 .accept_queue = 3,
					 .accept_queue_max = 2,
					 .open_ns = SAMPLE_UNKNOWN,
					 .accept_oldest_ns = 1234567,
					 .netns = 4026531841 };
	memcpy(c->local, loopback6, sizeof(loopback6));
	s->has_connections = true;
	s->drops_known = 1;
}

/* One busy with the server's second thread; one idle, which was offline in the reading before. */
static void add_cpus(struct sample *s)
{
	struct sample_cpu *c = sample_add_cpu(s);

	assert(c);
	*c = (struct sample_cpu){ .cpu = 3,
				  .runs = LT_RUNS_THREAD,
				  .comm = "worker",
				  .pid = SYNTHETIC_SERVER,
				  .tid = SYNTHETIC_SERVER + 1,
				  .queued = 81,
				  .queued_p99 = 82,
				  .throttled = 90,
				  .run_ns = 83,
				  .switches = 84,
				  .times = { 85, 86, 87, 88, 89 } };
	c = sample_add_cpu(s);
	assert(c);
	*c = (struct sample_cpu){ .cpu = 4095,
				  .runs = LT_RUNS_IDLE,
				  .queued = SAMPLE_NONE,
				  .queued_p99 = SAMPLE_NONE,
				  .throttled = SAMPLE_NONE,
				  .run_ns = SAMPLE_UNKNOWN,
				  .switches = SAMPLE_UNKNOWN,
				  .times = { SAMPLE_UNKNOWN, SAMPLE_UNKNOWN, SAMPLE_UNKNOWN, SAMPLE_UNKNOWN,
					     SAMPLE_UNKNOWN } };
}

/* Of the server, which is in focus: two others, and the quota. */
static void add_marks(struct sample *s)
{
	const struct sample_mark all[] = {
		{ s->realtime_ns - 3 * SYNTHETIC_SECOND_NS, SAMPLE_MARK_HAND, 0, "", "" },
		{ s->realtime_ns, SAMPLE_MARK_WHEN, SYNTHETIC_SERVER, "wake99>5ms", "server" },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct sample_mark *m = sample_add_mark(s);

		assert(m);
		*m = all[i];
	}
}

static void add_because(struct sample *s)
{
	static const struct sample_because all[] = {
		{ .kind = SAMPLE_BLAME_CPU,
		  .pid = SYNTHETIC_QUIET,
		  .start_ns = 50 * SYNTHETIC_SECOND_NS,
		  .ns = 91,
		  .comm = "quiet",
		  .state = LT_WAKEQ },
		{ .kind = SAMPLE_BLAME_CPU,
		  .pid = SYNTHETIC_KTHREAD,
		  .start_ns = 1,
		  .ns = 92,
		  .comm = "kthreadd",
		  .state = LT_WAKEQ },
		{ .kind = SAMPLE_BLAME_QUOTA, .ns = 93, .state = LT_WAKEQ },
	};
	struct sample_process *server = &s->processes[1];

	assert(server->pid == SYNTHETIC_SERVER);
	server->focus_since_ns = 94;
	server->moved_ns = 95;
	server->first_because = s->n_because;
	server->n_because = sizeof(all) / sizeof(all[0]);
	for (uint32_t i = 0; i < server->n_because; i++) {
		struct sample_because *b = sample_add_because(s);

		assert(b);
		*b = all[i];
	}
}

static void add_kernels_own(struct sample *s)
{
	s->cpu_times = (struct sample_cpu_times){ 66, 67, 68, 69, 70 };
	for (uint32_t i = 0; i < SAMPLE_RESOURCES; i++)
		s->pressure[i] = (struct sample_pressure){ 71 + 2 * i, 72 + 2 * i };
	for (uint32_t i = 0; i < SAMPLE_STACKS; i++)
		s->stack[i] = 81 + i;
}

static void add_disk(struct sample *s)
{
	struct sample_disk *d = sample_add_disk(s);

	assert(d);
	*d = (struct sample_disk){ .major = 259,
				   .minor = 3,
				   .name = text(s, "nvme0n1"),
				   .op = LT_DISK_WRITE,
				   .count = 81,
				   .bytes = 82,
				   .merged = 83,
				   .time_ns = 84,
				   .carriers = 85,
				   .in_flight = 86,
				   .busy_ns = 87 };
	for (int i = 0; i < LT_DISK_PARTS; i++) {
		struct sample_bucket *b = sample_add_bucket(s);

		assert(b);
		*b = (struct sample_bucket){ 20 + (uint32_t)i, 80 };
		d->latency[i] =
			(struct sample_dist){ .max_ns = hist_floor(b->bucket) + 1, .first = s->n_buckets - 1, .n = 1 };
	}
	d->groups_known = true;
	d->first_group = 0;
	d->n_groups = 1;
	*sample_add_disk_group(s) = (struct sample_disk_group){
		.id = 90, .name = text(s, "/system.slice/x.service"), .count = 88, .bytes = 89
	};
	s->has_disks = true;
}

void synthetic_fill(struct sample *s, uint32_t number)
{
	sample_clear(s);
	s->t_ns = 100 * SYNTHETIC_SECOND_NS + number * SYNTHETIC_SECOND_NS;
	s->interval_ns = SYNTHETIC_SECOND_NS;
	s->realtime_ns = SYNTHETIC_REALTIME_NS + (number - 1) * SYNTHETIC_SECOND_NS;
	s->uptime_ns = s->t_ns + 41;
	s->number = number;
	s->cpus_online = 2;
	strcpy(s->host, "web-07");
	strcpy(s->kernel, "6.1.0-56");
	for (int i = 0; i < SAMPLE_FAMILIES; i++) {
		s->probe[i].on = 1;
		snprintf(s->probe[i].by, sizeof(s->probe[i].by), "tp_btf%d", i);
	}
	s->unknown = counter_unknown(s->kernel);
	counter_put(&s->unknown, LT_THROTTLED);
	s->forks = 42;
	s->execs = 43;
	s->exits = 44;
	s->retransmits = 45;
	s->lost = (struct sample_lost){ 51, 52, 53, 54, 55, 56, 57, 58, 59 };
	s->self = (struct sample_self){ 61, 62, 63, 64, 65, 30012345, 66, 67, true };
	add_kernels_own(s);
	add_process(s, &(struct sample_process){ .pid = SYNTHETIC_KTHREAD,
						 .threads = 1,
						 .start_ns = 1,
						 .flags = SAMPLE_PROCESS_KERNEL,
						 .comm = text(s, "kthreadd") });
	s->processes[0].sockets.srtt_ns = SAMPLE_UNKNOWN;
	add_thread(s, &(struct sample_thread){ .tid = SYNTHETIC_KTHREAD,
					       .work = SAMPLE_NONE,
					       .call = LT_CALL_NONE,
					       .wall_ns = SYNTHETIC_SECOND_NS,
					       .start_ns = 1,
					       .state = LT_SLEEP,
					       .comm = "kthreadd" });
	add_server(s);
	add_exited(s);
	add_process(s, &(struct sample_process){ .pid = SYNTHETIC_QUIET,
						 .ppid = SYNTHETIC_SERVER,
						 .uid = 0,
						 .threads = 1,
						 .start_ns = 50 * SYNTHETIC_SECOND_NS,
						 .comm = text(s, "quiet"),
						 .cmdline = text(s, "quiet"),
						 .cgroup = text(s, "/") });
	s->processes[s->n_processes - 1].sockets.srtt_ns = SAMPLE_UNKNOWN;
	add_thread(s, &(struct sample_thread){ .tid = SYNTHETIC_QUIET,
					       .work = SAMPLE_NONE,
					       .call = LT_CALL_NONE,
					       .wall_ns = SYNTHETIC_SECOND_NS,
					       .start_ns = 50 * SYNTHETIC_SECOND_NS,
					       .state = LT_SLEEP,
					       .comm = "quiet" });
	add_connections(s);
	add_cpus(s);
	add_disk(s);
	add_because(s);
	add_marks(s);
}
