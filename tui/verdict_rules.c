/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of rules of `lagtop why`: what is said about the processes of one name, when, and what to do next. A rule
 * says only what the facts prove: a cause that is only likely has no rule.
 */
#include "verdict.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>

#include "format.h"
#include "names.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define RUNQ (1U << LT_WAKEQ | 1U << LT_PREEMPT)
#define SECOND_NS 1000000000ULL

#define CULPRIT_LEAST 10 /* percent of a wait for a CPU: from there on who was running is named */
#define MOST 50		 /* percent: "most of it" */
/* A request that has been open for longer is a subscription. */
#define SUBSCRIPTION_NS (60 * SECOND_NS)
#define STORM_PER_S 200
#define RETRANSMITS_PER_S 2
/* With fewer bytes in flight, nothing says that it is this socket whose data is not taken. */
#define SEND_QUEUE_BYTES 4096

static uint64_t part_ns(const struct facts *of, uint32_t states)
{
	uint64_t ns = 0;

	for (int i = 0; i < LT_STATES; i++)
		if (states >> i & 1)
			ns = counter_sum(ns, of->time_ns[i]);
	return ns;
}

static bool is_share(uint64_t ns, uint64_t of_ns, uint32_t percent)
{
	return of_ns && (double)ns * 100 >= (double)of_ns * percent;
}

static bool at_rate(const struct finding *f, uint64_t n, double per_s)
{
	return (double)n * SECOND_NS >= per_s * (double)f->all->interval_ns;
}

/* ---- waits for a CPU ---- */

/* Whether it is known who was running. */
static bool is_named(const struct facts_culprit *c)
{
	if (c->kind == SAMPLE_BLAME_CPU)
		return c->own || c->comm[0];
	return c->kind == SAMPLE_BLAME_IRQ || c->kind == SAMPLE_BLAME_STEAL || c->kind == SAMPLE_BLAME_ASLEEP;
}

/* The greatest of those that count. */
static void take_culprits(struct finding *f, bool (*counts)(const struct facts_culprit *c))
{
	for (int n = 0; n < VERDICT_CULPRITS; n++) {
		const struct facts_culprit *most = NULL;

		for (uint32_t i = 0; i < f->of->n_culprits; i++) {
			const struct facts_culprit *c = &f->of->culprits[i];
			bool had = !counts(c) || !is_share(c->ns, f->part_ns, CULPRIT_LEAST);

			for (int j = 0; j < n; j++)
				had |= f->culprit[j] == c;
			if (!had && (!most || c->ns > most->ns))
				most = c;
		}
		f->culprit[n] = most;
		if (!most)
			break;
	}
}

static bool waits_for_cpu(struct finding *f)
{
	f->ns = f->part_ns = part_ns(f->of, RUNQ);
	take_culprits(f, is_named);
	return f->ns;
}

static bool leads(struct finding *f, enum sample_blame kind, bool own)
{
	return waits_for_cpu(f) && f->culprit[0] && f->culprit[0]->kind == kind && f->culprit[0]->own == own;
}

/* Processes of one name wait for others of that name. */
static bool is_alike(const struct finding *f)
{
	return !memcmp(f->culprit[0]->comm, f->of->comm, FACTS_COMM);
}

static bool cpu_behind(struct finding *f)
{
	return leads(f, SAMPLE_BLAME_CPU, false) && !is_alike(f);
}

static bool cpu_alike(struct finding *f)
{
	return leads(f, SAMPLE_BLAME_CPU, false) && is_alike(f);
}

static bool cpu_own(struct finding *f)
{
	return leads(f, SAMPLE_BLAME_CPU, true);
}

static bool cpu_irq(struct finding *f)
{
	return leads(f, SAMPLE_BLAME_IRQ, false);
}

static bool cpu_steal(struct finding *f)
{
	return leads(f, SAMPLE_BLAME_STEAL, false);
}

static bool cpu_asleep(struct finding *f)
{
	return leads(f, SAMPLE_BLAME_ASLEEP, false);
}

/* Whether it is known of most of the wait who was running. */
static bool is_charged(const struct finding *f)
{
	uint64_t ns = 0;

	for (uint32_t i = 0; i < f->of->n_culprits; i++)
		if (is_named(&f->of->culprits[i]))
			ns = counter_sum(ns, f->of->culprits[i].ns);
	return is_share(ns, f->ns, MOST);
}

static bool cpu_many(struct finding *f)
{
	return waits_for_cpu(f) && !f->culprit[0] && is_charged(f);
}

static bool cpu_unknown(struct finding *f)
{
	return waits_for_cpu(f) && !f->culprit[0] && !is_charged(f);
}

static bool quota(struct finding *f)
{
	f->ns = f->part_ns = f->of->time_ns[LT_THROTTLED];
	return f->ns;
}

/* ---- uninterruptible waits ---- */

static bool is_one_of(uint32_t call, const char *const *names, size_t n)
{
	const char *name = names_call(call);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* The call in which most of a state's time is known to have been spent. */
static const struct facts_call *most_in(const struct facts *of, int state)
{
	const struct facts_call *most = NULL;

	for (uint32_t i = 0; i < of->n_calls; i++)
		if (of->calls[i].call != LT_CALL_OTHERS &&
		    is_share(of->calls[i].in_ns[state], of->time_ns[state], MOST))
			most = &of->calls[i];
	return most;
}

static bool faults(const struct facts *of)
{
	return is_share(of->counter[COUNTER_page_fault_disk_ns], of->time_ns[LT_DISK], MOST);
}

static bool disk_faults(struct finding *f)
{
	f->ns = f->part_ns = f->of->time_ns[LT_DISK];
	return f->ns && faults(f->of);
}

static const char *const syncs[] = { "fsync", "fdatasync", "msync", "sync", "syncfs", "sync_file_range" };

static bool disk(struct finding *f)
{
	f->ns = f->part_ns = f->of->time_ns[LT_DISK];
	f->call = most_in(f->of, LT_DISK);
	f->state = LT_DISK;
	for (uint32_t i = 0; i < f->all->n_disks; i++)
		if (is_share(f->all->disks[i].busy_ns, f->all->interval_ns, MOST) &&
		    (!f->disk || f->all->disks[i].busy_ns > f->disk->busy_ns))
			f->disk = &f->all->disks[i];
	return f->ns && !faults(f->of) && !(f->call && is_one_of(f->call->call, syncs, COUNT(syncs)));
}

static bool disk_sync(struct finding *f)
{
	return !disk(f) && f->ns && !faults(f->of);
}

static bool memory(struct finding *f)
{
	f->ns = f->part_ns = f->of->time_ns[LT_MEMORY];
	return f->ns;
}

static bool reclaim(struct finding *f)
{
	f->ns = f->part_ns = f->of->counter[COUNTER_reclaim_ns];
	return f->ns;
}

static bool blocked(struct finding *f)
{
	f->ns = f->part_ns = f->of->time_ns[LT_BLOCK];
	f->call = most_in(f->of, LT_BLOCK);
	f->state = LT_BLOCK;
	return f->ns;
}

static bool in_map(const struct facts *of)
{
	return is_share(of->map_block_ns, of->time_ns[LT_BLOCK], MOST);
}

static bool map_lock(struct finding *f)
{
	return blocked(f) && in_map(f->of);
}

static bool holds_for(const struct facts_culprit *c, uint32_t state)
{
	return c->kind == SAMPLE_BLAME_HOLDER && c->state == state && (c->comm[0] || c->own);
}

static bool holds_kernel_lock(const struct facts_culprit *c)
{
	return holds_for(c, LT_BLOCK);
}

static bool kernel_lock(struct finding *f)
{
	if (!blocked(f) || in_map(f->of))
		return false;
	take_culprits(f, holds_kernel_lock);
	return f->culprit[0];
}

static bool block(struct finding *f)
{
	return !kernel_lock(f) && f->ns && !in_map(f->of);
}

/* ---- sleeps in calls in which no program is idle ---- */

/* The call, of those that `is` takes, with the most time in a state. */
static bool sleeps_in(struct finding *f, int state, bool (*is)(uint32_t call))
{
	for (uint32_t i = 0; i < f->of->n_calls; i++) {
		const struct facts_call *c = &f->of->calls[i];

		if (c->in_ns[state] > f->ns && is(c->call)) {
			f->ns = f->part_ns = c->in_ns[state];
			f->call = c;
			f->state = state;
		}
	}
	return f->call;
}

static bool takes_file_lock(uint32_t call)
{
	enum lt_wait wait = facts_call_wait(call);

	return wait == LT_WAIT_FILE_LOCK || wait == LT_WAIT_FCNTL;
}

static bool file_lock(struct finding *f)
{
	return sleeps_in(f, LT_LOCK, takes_file_lock);
}

static bool holds_lock(const struct facts_culprit *c)
{
	return holds_for(c, LT_LOCK);
}

/* Certain to be contention, in focus; without file locks, which are said of everybody. */
static bool contended(struct finding *f)
{
	uint64_t ns = f->of->counter[COUNTER_contended_lock_ns], file_ns = 0;

	for (uint32_t i = 0; i < f->of->n_calls; i++)
		if (takes_file_lock(f->of->calls[i].call))
			file_ns = counter_sum(file_ns, f->of->calls[i].in_ns[LT_LOCK]);
	f->ns = f->part_ns = ns > file_ns ? ns - file_ns : 0;
	take_culprits(f, holds_lock);
	return f->ns;
}

static bool lock(struct finding *f)
{
	return contended(f) && f->culprit[0];
}

static bool lock_unknown(struct finding *f)
{
	return contended(f) && !f->culprit[0];
}

/* open may wait for the other end of a FIFO, the rest of these for messages and randomness, as idle programs do. */
static bool asks_file_system(uint32_t call)
{
	static const char *const others[] = { "open",
					      "openat",
					      "openat2",
					      "creat",
					      "msgrcv",
					      "mq_timedreceive",
					      "mq_timedreceive_time64",
					      "msgsnd",
					      "syslog",
					      "mq_timedsend",
					      "mq_timedsend_time64",
					      "getrandom",
					      "mq_open",
					      "process_vm_readv",
					      "process_vm_writev" };

	return facts_call_wait(call) == LT_WAIT_IO && !is_one_of(call, others, COUNT(others));
}

static bool file_system(struct finding *f)
{
	return sleeps_in(f, LT_IO, asks_file_system);
}

static const char *const writes[] = { "write", "writev", "pwrite64", "pwritev", "pwritev2", "vmsplice", "tee" };

static bool is_write(uint32_t call)
{
	return is_one_of(call, writes, COUNT(writes));
}

static bool write_blocked(struct finding *f)
{
	return sleeps_in(f, LT_IO, is_write);
}

static bool is_send(uint32_t call)
{
	static const char *const sends[] = { "send", "sendto", "sendmsg", "sendmmsg", "sendfile", "sendfile64" };

	return is_write(call) || is_one_of(call, sends, COUNT(sends));
}

static bool send_blocked(struct finding *f)
{
	if (!sleeps_in(f, LT_NET, is_send))
		return false;
	for (uint32_t i = 0; i < f->of->n_sockets; i++) {
		const struct facts_socket *s = &f->of->sockets[i];

		if (s->tx_queue_bytes >= (f->socket ? f->socket->tx_queue_bytes + 1 : SEND_QUEUE_BYTES))
			f->socket = s;
	}
	return true;
}

/* A socket of the remote end that has most of `all`; NULL: none has. */
static const struct facts_socket *most_to(const struct facts *of, uint64_t all,
					  uint64_t (*share)(const struct facts_socket *s))
{
	for (uint32_t i = 0; i < of->n_sockets; i++) {
		uint64_t n = 0;

		if (!share(&of->sockets[i]))
			continue;
		for (uint32_t j = 0; j < of->n_sockets; j++)
			if (!strcmp(of->sockets[i].remote, of->sockets[j].remote))
				n += share(&of->sockets[j]);
		if (is_share(n, all, MOST))
			return &of->sockets[i];
	}
	return NULL;
}

static uint64_t connecting(const struct facts_socket *s)
{
	return s->connecting;
}

static bool is_connect(uint32_t call)
{
	static const char *const names[] = { "connect" };

	return is_one_of(call, names, COUNT(names));
}

static bool connect_blocked(struct finding *f)
{
	uint64_t all = 0;

	if (!sleeps_in(f, LT_NET, is_connect))
		return false;
	for (uint32_t i = 0; i < f->of->n_sockets; i++)
		all += f->of->sockets[i].connecting;
	f->socket = most_to(f->of, all, connecting);
	return true;
}

/* ---- the network ---- */

static uint64_t answers_ns(const struct facts_peer *p)
{
	double ns = 0;

	for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
		uint64_t low_ns = hist_floor(i), high_ns = i + 1 < HIST_BUCKETS ? hist_floor(i + 1) : low_ns;

		ns += (double)p->hist[i] * ((double)low_ns + (double)high_ns) / 2;
	}
	return ns < 0x1p62 ? (uint64_t)ns : 1ULL << 62;
}

/* For how long a question that is open counts. A subscription is too little to say, and too much to deny. */
static uint64_t open_ns(const struct finding *f, const struct facts_peer *p)
{
	if (!p->open)
		return 0;
	if (p->oldest_ns > SUBSCRIPTION_NS)
		return f->all->interval_ns / 100 * VERDICT_DENIED_PERCENT;
	return p->oldest_ns < f->all->interval_ns ? p->oldest_ns : f->all->interval_ns;
}

/* Whose answers took longest in all, with what is open. */
static bool upstream(struct finding *f)
{
	for (uint32_t i = 0; i < f->of->n_peers; i++) {
		const struct facts_peer *p = &f->of->peers[i];
		uint64_t got_ns = answers_ns(p), unanswered_ns = open_ns(f, p);

		if (got_ns + unanswered_ns <= f->ns)
			continue;
		f->ns = got_ns + unanswered_ns;
		f->part_ns = got_ns;
		f->silent = unanswered_ns > got_ns;
		f->peer = p;
	}
	/* One that only sends does not wait. */
	if (f->ns > part_ns(f->of, 1U << LT_NET | 1U << LT_POLL))
		f->ns = part_ns(f->of, 1U << LT_NET | 1U << LT_POLL);
	return f->peer;
}

static bool upstream_slow(struct finding *f)
{
	return upstream(f) && !f->silent;
}

static bool upstream_silent(struct finding *f)
{
	return upstream(f) && f->silent;
}

/* It asked, and nothing is known of whom. */
static bool upstream_unknown(struct finding *f)
{
	if (upstream(f))
		return false;
	f->ns = f->part_ns = f->of->counter[COUNTER_upstream_ns];
	return f->ns;
}

/* The listener, with a queue that was seen full or without, that dropped most. */
static bool drops_connections(struct finding *f, bool full)
{
	for (uint32_t i = 0; i < f->of->n_sockets; i++) {
		const struct facts_socket *s = &f->of->sockets[i];

		if (s->proto == LT_TCP && s->state == TCP_LISTEN && (full || s->drops) &&
		    (s->queue > s->queue_max) == full && (!f->socket || s->drops > f->socket->drops))
			f->socket = s;
	}
	if (f->socket)
		f->ns = f->socket->oldest_ns < f->all->interval_ns ? f->socket->oldest_ns : f->all->interval_ns;
	return f->socket;
}

static bool backlog(struct finding *f)
{
	return drops_connections(f, true);
}

static bool backlog_drops(struct finding *f)
{
	return drops_connections(f, false);
}

static bool datagrams_lost(struct finding *f)
{
	for (uint32_t i = 0; i < f->of->n_sockets; i++) {
		const struct facts_socket *s = &f->of->sockets[i];

		if (s->proto != LT_TCP && s->drops > (f->socket ? f->socket->drops : 0))
			f->socket = s;
	}
	return f->socket;
}

static uint64_t retransmits(const struct facts_socket *s)
{
	return s->retransmits;
}

static bool sent_again(struct finding *f)
{
	f->socket = most_to(f->of, f->of->counter[COUNTER_retransmits], retransmits);
	return at_rate(f, f->of->counter[COUNTER_retransmits], RETRANSMITS_PER_S);
}

/* ---- errors, ends, births ---- */

/* From which rate on, and from which share of the calls on, an error is worth a sentence. Errors by which programs
 * learn that there is nothing to do are not. */
static const struct {
	int error;
	double per_s;
	uint32_t percent;
} failures[] = {
	{ EAGAIN, 1e18, 0 },	  { EINTR, 1e18, 0 },	   { EINPROGRESS, 1e18, 0 },
	{ EALREADY, 1e18, 0 },	  { ETIMEDOUT, 1e18, 0 },  { ECHILD, 1e18, 0 },
	{ ENODATA, 1e18, 0 },	  { EINVAL, 1000, 90 },	   { ENOENT, 500, 90 },
	{ ENOTTY, 1000, 90 },	  { ENOTDIR, 500, 90 },	   { EBADF, 1000, 90 },
	{ EEXIST, 500, 90 },	  { EMFILE, 1, 1 },	   { ENFILE, 1, 1 },
	{ ENOSPC, 1, 1 },	  { EDQUOT, 1, 1 },	   { EIO, 1, 1 },
	{ EROFS, 1, 1 },	  { ENOMEM, 1, 1 },	   { ECONNREFUSED, 1, 5 },
	{ EHOSTUNREACH, 0.2, 1 }, { ENETUNREACH, 1, 20 },  { ECONNRESET, 1, 5 },
	{ EPIPE, 1, 5 },	  { EADDRNOTAVAIL, 1, 5 }, { EPERM, 20, 50 },
	{ EACCES, 20, 50 },
};

static bool is_failure(const struct finding *f, const struct facts_error *e, const struct facts_call *c)
{
	double per_s = 100;
	uint32_t percent = 50;

	for (size_t i = 0; i < COUNT(failures); i++)
		if ((uint32_t)failures[i].error == e->error) {
			per_s = failures[i].per_s;
			percent = failures[i].percent;
		}
	return at_rate(f, e->count, per_s) && is_share(e->count, c->count, percent);
}

static bool failing(struct finding *f)
{
	for (uint32_t i = 0; i < f->of->n_errors; i++) {
		const struct facts_error *e = &f->of->errors[i];
		const struct facts_call *c = f->of->calls;

		while (c < f->of->calls + f->of->n_calls && c->call != e->call)
			c++;
		if (c == f->of->calls + f->of->n_calls || !is_failure(f, e, c) ||
		    (f->error && e->count <= f->error->count))
			continue;
		f->error = e;
		f->call = c;
	}
	return f->error;
}

static bool killed(struct finding *f)
{
	return f->of->killed_for_memory;
}

static bool storm(struct finding *f)
{
	return at_rate(f, f->of->started, STORM_PER_S);
}

/* ---- the table ---- */

#define A(area) (1U << VERDICT_##area)

const struct verdict_rule verdict_rules[] = {
	{ "cpu", A(CPU), false, cpu_behind, "{who} waited {time} for a CPU, {culprits}.",
	  "Give {culprit} less weight (nice, CPUWeight=; chrt -p shows whether it is real-time), or give {comm} its "
	  "own CPUs." },
	{ "cpu_alike", A(CPU), false, cpu_alike, "{who} waited {time} for a CPU, {culprits}.",
	  "There are more runnable processes than CPUs that they may use: start fewer at a time, or give them more "
	  "CPUs." },
	{ "cpu_own", A(CPU), false, cpu_own, "{who} waited {time} for a CPU, {culprits}.",
	  "There are more runnable threads than CPUs that they may use: use fewer, or give it more CPUs." },
	{ "cpu_interrupts", A(CPU), false, cpu_irq, "{who} waited {time} for a CPU, {culprits}.",
	  "/proc/interrupts and /proc/softirqs name them; move them to other CPUs (smp_affinity, RPS)." },
	{ "cpu_stolen", A(CPU), false, cpu_steal, "{who} waited {time} for a CPU, {culprits}.",
	  "The host of this virtual machine is short of CPUs: ask whoever runs it." },
	{ "cpu_asleep", A(CPU), false, cpu_asleep, "{who} waited {time} for a CPU, {culprits}.",
	  "Disable deep idle states (cpupower idle-set -D, PM QoS) if this latency matters." },
	{ "cpu_many", A(CPU), false, cpu_many,
	  "{who} waited {time} for a CPU; no single process was running for much of "
	  "that time.",
	  "Sort by CPU% to see what runs; taskset -cp {pid} shows which CPUs it may use." },
	{ "cpu_unknown", A(CPU), false, cpu_unknown,
	  "{who} waited {time} for a CPU; what was running instead is not known.",
	  "To find out, put it in focus: move the cursor to it, or use --focus {focus}." },
	{ "quota", A(QUOTA), false, quota, "{who} was held back {time} by the CPU quota of its control group.",
	  "Raise the quota (cpu.max, cpu.cfs_quota_us, CPUQuota=), or use fewer threads." },
	{ "disk_sync", A(DISK), false, disk_sync, "{who} waited {time} for the disk{in}{disk}.",
	  "Sync less often (batches, group commit), or use a faster disk; view disks shows who else uses it." },
	{ "disk", A(DISK), false, disk, "{who} waited {time} for the disk{in}{disk}.",
	  "View disks shows which device is slow, and who uses it; more page cache avoids reads." },
	{ "disk_faults", A(DISK) | A(MEMORY), false, disk_faults,
	  "{who} waited {time} for the disk because its memory or mapped files were not in memory (page faults).",
	  "It needs more memory: see memory.max, memory.high of its control group, and swap." },
	{ "memory", A(MEMORY), false, memory, "{who} waited {time} for memory.",
	  "It needs more memory: see memory.max, memory.high of its control group, and swap." },
	{ "reclaim", A(MEMORY), false, reclaim, "{who} spent {time} reclaiming memory before it could continue.",
	  "It needs more memory: see memory.max, memory.high of its control group." },
	{ "map_lock", A(LOCKS), false, map_lock,
	  "Threads of {who} waited {time} for the process-wide memory-map lock (mmap_lock), at least {maps} of it in "
	  "mmap, munmap and the like.",
	  "Map and unmap less often (malloc arenas, M_MMAP_THRESHOLD), or from fewer threads of one process." },
	{ "kernel_lock", A(LOCKS), false, kernel_lock, "{who} was blocked in the kernel for {time}, {culprits}{in}.",
	  "Find out what {culprit} was doing meanwhile: as root, /proc/PID/task/*/stack shows it." },
	{ "block", 0, false, block, "{who} was blocked in the kernel for {time}{in}.",
	  "As root, /proc/{pid}/task/*/stack shows the kernel function it is stuck in: a kernel lock, NFS, a driver." },
	{ "lock", A(LOCKS), false, lock, "{who} waited {time} for contended locks, {culprits}.",
	  "Find out what the holder does meanwhile (gdb -p {pid}, thread apply all bt): hold the lock for less time, "
	  "or split it; threads that wait for each other are a deadlock." },
	{ "lock_unknown", A(LOCKS), false, lock_unknown,
	  "{who} waited {time} for contended locks; who held them is not known.",
	  "gdb -p {pid}, thread apply all bt, shows which locks: hold them for less time, or split them." },
	{ "file_lock", A(LOCKS), false, file_lock, "{who} waited {time} in {call} for a file lock that is held{age}.",
	  "lslocks shows who holds it." },
	{ "file_system", 0, false, file_system,
	  "{who} waited {time} in {call} for an answer from a user-space or network file system{age}.",
	  "See which program or server serves it (mount, FUSE), and whether that one hangs." },
	{ "write", 0, false, write_blocked,
	  "{who} waited {time} in {call} because the reader (of a pipe or terminal, or a user-space file system) "
	  "does not keep up{age}.",
	  "ls -l /proc/{pid}/fd shows where it writes; for a pipe, lsof shows who reads." },
	{ "send", A(NETWORK), false, send_blocked,
	  "{who} waited {time} in {call} because {remote} does not receive fast enough.",
	  "The receiver reads too slowly, or the network loses packets: view connections shows its queues." },
	{ "connect", A(NETWORK), false, connect_blocked, "{who} waited {time} in connect{to}.",
	  "The address may be wrong, a firewall may drop packets, or the server's accept queue is full." },
	{ "upstream", A(NETWORK), false, upstream_slow,
	  "{who} waited for {peer}: {answers} answers took {time} added up, median {median}, maximum {slowest}.",
	  "The other end is slow, or far away: look there; tab Peers of its page shows each." },
	{ "upstream_silent", A(NETWORK), false, upstream_silent, "{who} waits for {peer}: no answer for {oldest}.",
	  "The other end hangs, or packets are lost: look there; for DNS, try another server in resolv.conf." },
	{ "upstream_unknown", A(NETWORK), false, upstream_unknown,
	  "{who} slept {time} while answers to its requests had not come; from which peer is not known.",
	  "Tab Peers of its page shows whom it asks; ss -tnp, which connections are open." },
	{ "backlog", A(NETWORK), true, backlog, "The accept queue of {who} at {local} was full ({queue}){drops}.",
	  "It accepts too slowly: more workers, or a longer queue (listen, net.core.somaxconn)." },
	{ "backlog_drops", A(NETWORK), true, backlog_drops,
	  "{who} failed to accept some connections at {local}{drops}.",
	  "It may have accepted too slowly for a moment: more workers, or a longer queue (listen, "
	  "net.core.somaxconn)." },
	{ "datagrams_lost", A(NETWORK), true, datagrams_lost,
	  "{who} lost {dropped} datagrams at {local}: its receive buffer was full.",
	  "It reads too slowly: more workers, or a larger buffer (SO_RCVBUF, net.core.rmem_max)." },
	{ "retransmits", A(NETWORK), true, sent_again, "{who} retransmitted {again} TCP segments{mostly}.",
	  "Packets are lost on the way, or the other end is gone: tc -s qdisc, ethtool -S, ping." },
	{ "failing", 0, true, failing, "{failed} of {calls} {call} calls by {who} failed with {errno}.",
	  "man 2 {call} says what {errno} means; strace -p {pid} -e {call} shows the arguments." },
	{ "killed", A(MEMORY), true, killed, "{who}: {killed} killed by the kernel because memory ran out (OOM).",
	  "Give its control group or the machine more memory; journalctl -k shows what used it." },
	{ "processes", 0, true, storm, "{who} started {started} processes, {rate} a second.",
	  "Starting a process costs more than the work that most of them do: keep workers, or do it all in one "
	  "process." },
};
const size_t verdict_rules_count = COUNT(verdict_rules);
