/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a row of the model to the raw values of its columns: column_raw.h. */
#include "column_raw.h"

#include <linux/major.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cgroup.h"
#include "format.h"
#include "names.h"
#include "why.h"

#define SCHED (1 << SAMPLE_SCHED)
#define SYSCALL (1 << SAMPLE_SYSCALL)
#define NET (1 << SAMPLE_NET)
#define TURNS (1 << SAMPLE_TURNS)
#define DISK (1 << SAMPLE_DISK)

static const struct value unknown = { .type = VALUE_NONE };

static struct value number(uint64_t n)
{
	return (struct value){ .type = VALUE_INT, .i = n < INT64_MAX ? (int64_t)n : INT64_MAX };
}

static struct value text(const char *raw)
{
	return (struct value){ .type = VALUE_TEXT, .text = raw };
}

#define TEXT_SIZE 256
_Static_assert(TEXT_SIZE >= WHY_SIZE, "why_say writes so much");
#define ERRNO_SIZE 32 /* " ENOTRECOVERABLE 99.9k" */

static char *text_buffer(void)
{
	static char ring[4][TEXT_SIZE];
	static unsigned at;

	return ring[at++ % 4];
}

/* A number that is measured by the families in `needs`. */
#define NUMBER(name, needs, n)                                                                                         \
	struct value name(const struct row *r)                                                                         \
	{                                                                                                              \
		return r->off & (needs) ? unknown : number(n);                                                         \
	}
/* A duration of a distribution; not known if nothing was measured. */
static struct value duration(const struct model_dist *d, uint64_t ns, bool at_least)
{
	struct value v = number(ns);

	v.at_least = at_least;
	v.about = d->about;
	return d->count ? v : unknown;
}

#define DURATION(name, needs, dist, field)                                                                             \
	struct value name(const struct row *r)                                                                         \
	{                                                                                                              \
		return r->off & (needs) ? unknown : duration(&r->dist, r->dist.field, false);                          \
	}
/* The maximum of a distribution: a lower bound if a higher bucket has a count. */
#define LONGEST(name, needs, dist)                                                                                     \
	struct value name(const struct row *r)                                                                         \
	{                                                                                                              \
		return r->off & (needs) ? unknown : duration(&r->dist, r->dist.max_ns, r->dist.max_at_least);          \
	}
/* A number that may be missing although its family is on. */
#define MAYBE(name, needs, known, n)                                                                                   \
	struct value name(const struct row *r)                                                                         \
	{                                                                                                              \
		return r->off & (needs) || !(known) ? unknown : number(n);                                             \
	}

/* raw_NAME for every row of the table of counters (counters.h), with or without a column; for a state, its time. */
#define COUNTER(name, needs, counter, n)                                                                               \
	struct value raw_##name(const struct row *r)                                                                   \
	{                                                                                                              \
		return r->off & (needs) || counter_has(&r->unknown, counter) ? unknown : number(n);                    \
	}
#define STATE_COUNTER(NAME, name, ...) COUNTER(name, SCHED, LT_##NAME, r->time_ns[LT_##NAME])
#define SCHED_COUNTER(name, ...) COUNTER(name, SCHED, COUNTER_##name, r->name)
#define CALLS_COUNTER(name, ...)                                                                                       \
	__attribute__((unused)) struct value raw_##name(const struct row *r)                                           \
	{                                                                                                              \
		struct value v = number(r->name);                                                                      \
                                                                                                                       \
		v.about = COUNTER_##name == COUNTER_call_total_ns && row_estimated(r);                                 \
		return row_counter(r, COUNTER_##name) == SAMPLE_UNKNOWN ? unknown : v;                                 \
	}
#define NET_COUNTER(name, ...) COUNTER(name, NET, COUNTER_##name, r->net->name)
LT_STATE_TABLE(STATE_COUNTER)
LT_COUNTERS_KERNEL(SCHED_COUNTER)
LT_COUNTERS_SCHED(SCHED_COUNTER)
LT_COUNTERS_PARTS(SCHED_COUNTER)
LT_COUNTERS_CALLS(CALLS_COUNTER)
LT_COUNTERS_NET(NET_COUNTER)
LT_COUNTERS_SOCKET(NET_COUNTER)

/* Nobody runs on an idle CPU. */
#define RUNS(r) ((r)->kind != MODEL_CPU || (r)->cpu->runs == LT_RUNS_THREAD)
/* Nor is a peer always known, or a culprit a process. */
#define HAS_PID(r)                                                                                                     \
	(RUNS(r) && ((r)->kind != MODEL_PEER || (r)->pid) &&                                                           \
	 ((r)->kind != MODEL_CULPRIT || (sample_blame_has_pid((r)->because->kind) && (r)->pid)))
MAYBE(raw_pid, 0, HAS_PID(r), r->pid)
MAYBE(raw_tid, 0, RUNS(r) && (r->kind != MODEL_CULPRIT || r->tid), r->tid)
NUMBER(raw_ppid, 0, r->ppid)
MAYBE(raw_uid, 0, r->own_user, r->uid)
NUMBER(raw_start, 0, r->start_ns)
NUMBER(raw_threads, 0, r->threads)
NUMBER(raw_processes, 0, r->processes)
/* Not kept since the start. */
MAYBE(raw_forks, 0, !r->totals, r->forks)
MAYBE(raw_execs, 0, !r->totals && r->execs != SAMPLE_UNKNOWN, r->execs)
MAYBE(raw_exits, 0, !r->totals, r->exits)
MAYBE(raw_waker, SCHED, r->waker, r->waker)

struct value raw_user(const struct row *r)
{
	return r->own_user ? text(names_user(r->uid)) : unknown;
}

/* A thread that waits for AIO waits for a disk, a socket or a pipe; the kernel does not say for which. */
static const char *thread_state(const struct row *r)
{
	const char *call = r->state == LT_POLL && r->call != LT_CALL_NONE ? names_call(r->call) : "";

	return !strncmp(call, "io_getevents", 12) || !strncmp(call, "io_pgetevents", 13) ? "poll disk?"
											 : names_state(r->state);
}

struct value raw_state(const struct row *r)
{
	const char *name;

	switch (r->kind) {
	case MODEL_THREAD:
		return r->off & SCHED && !r->exited ? unknown : text(thread_state(r));
	case MODEL_CONNECTION:
		name = r->connection->proto == LT_TCP || r->connection->state == 1
			       ? names_tcp_state(r->connection->state)
			       : NULL;
		return name ? text(name) : unknown;
	default:
		return text(r->exited ? "exited" : "alive");
	}
}

struct value raw_exit_code(const struct row *r)
{
	return r->exited ? (struct value){ .type = VALUE_INT, .i = r->exit_code } : unknown;
}

const char *column_ended(const struct row *r, char *buf, size_t size)
{
	if (r->exit_code >= 0)
		snprintf(buf, size, "exit %d", r->exit_code);
	else if (r->killed_by == LT_BY_OOM)
		snprintf(buf, size, "OOM");
	else if (r->killed_by == LT_BY_PROCESS && r->killer_pid != r->pid)
		snprintf(buf, size, "%d by %u (%s)", r->exit_code, r->killer_pid, r->killer_comm);
	else
		snprintf(buf, size, "%d%s", r->exit_code,
			 r->killed_by == LT_BY_PROCESS	 ? " by itself"
			 : r->killed_by == LT_BY_OUTSIDE ? " by outside"
			 : r->killed_by == LT_BY_KERNEL	 ? " by the kernel"
							 : "");
	return buf;
}

struct value raw_ended(const struct row *r)
{
	return r->exited ? text(column_ended(r, text_buffer(), TEXT_SIZE)) : unknown;
}

struct value raw_comm(const struct row *r)
{
	if (r->kind == MODEL_CGROUP && !r->comm[0])
		return unknown;
	if (r->kind == MODEL_CGROUP)
		return text(cgroup_name(text_buffer(), TEXT_SIZE, r->comm));
	return text(r->kind != MODEL_USER ? r->comm : r->own_user ? names_user(r->uid) : "");
}

/* Kernel threads have none; for other processes an empty one means not known. */
struct value raw_cmdline(const struct row *r)
{
	return *r->cmdline || r->kernel ? text(r->cmdline) : unknown;
}

struct value raw_cgroup(const struct row *r)
{
	return *r->cgroup ? text(r->cgroup) : unknown;
}

/* In a narrow column the program's name is more useful than its path. */
static const char *without_path(const char *cmdline)
{
	size_t end = strcspn(cmdline, " "), at = end;

	while (at && cmdline[at - 1] != '/')
		at--;
	return *cmdline == '/' && at < end ? cmdline + at : cmdline;
}

/* The command line; [comm] for kernel threads; the thread's own name if it is not the leader. */
struct value raw_command(const struct row *r)
{
	size_t len = strlen(r->comm);
	char *buf;

	if (r->kind == MODEL_PEER && !*r->comm)
		return unknown;
	if (!RUNS(r))
		return r->cpu->runs == LT_RUNS_IDLE ? text("(idle)") : unknown;
	if (r->kernel && len && len < TEXT_SIZE - 2) {
		buf = text_buffer();
		buf[0] = '[';
		memcpy(buf + 1, r->comm, len);
		memcpy(buf + 1 + len, "]", 2);
		return text(buf);
	}
	if (r->cmdline[0] && ((r->kind != MODEL_THREAD && r->kind != MODEL_CPU) || r->tid == r->pid))
		return text(without_path(r->cmdline));
	return raw_comm(r);
}

NUMBER(raw_wall, SCHED, r->wall_ns)
/* Sums of states. Times that are not known add nothing. */
#define RUNQ(r) ((r)->time_ns[LT_WAKEQ] + (r)->time_ns[LT_PREEMPT])
#define BLK(r) ((r)->time_ns[LT_DISK] + (r)->time_ns[LT_MEMORY] + (r)->time_ns[LT_BLOCK])
NUMBER(raw_lag, SCHED, RUNQ(r) + r->time_ns[LT_THROTTLED] + BLK(r))

/* Its own threads' time, as far as it is known, and its clients'. */
struct value raw_hurts(const struct row *r)
{
	struct value lag = raw_lag(r);

	if (lag.type == VALUE_NONE)
		return r->slower_ns ? number(r->slower_ns) : unknown;
	return number(counter_sum((uint64_t)lag.i, r->slower_ns));
}
NUMBER(raw_runq, SCHED, RUNQ(r))
NUMBER(raw_blk, SCHED, BLK(r))

MAYBE(raw_lockc, SCHED, KNOWN(r, COUNTER_contended_lock_ns) && r->in_focus, r->contended_lock_ns)
MAYBE(raw_upst, SCHED | TURNS, KNOWN(r, COUNTER_upstream_ns) && r->in_focus, r->upstream_ns)

struct value raw_waits_in(const struct row *r)
{
	if (r->kind != MODEL_CULPRIT)
		return unknown;
	if (sample_blame_for_cpu(r->because->kind))
		return text("cpu");
	return text(r->because->state < LT_STATES ? names_state((uint8_t)r->because->state) : "some");
}

MAYBE(raw_charged, 0, r->kind == MODEL_CULPRIT, r->because->ns)

struct value raw_part(const struct row *r)
{
	if (r->kind != MODEL_CULPRIT || !r->charged_ns)
		return unknown;
	return (struct value){ .type = VALUE_REAL, .real = 100 * (double)r->because->ns / (double)r->charged_ns };
}

struct value raw_why(const struct row *r)
{
	char *buf = text_buffer();

	return why_say(r, buf) ? text(buf) : unknown;
}

NUMBER(raw_wakeup_count, SCHED, r->wakeup.count)
DURATION(raw_wakeup_p50, SCHED, wakeup, p50_ns)
DURATION(raw_wakeup_p90, SCHED, wakeup, p90_ns)
DURATION(raw_wakeup_p99, SCHED, wakeup, p99_ns)
LONGEST(raw_wakeup_max, SCHED, wakeup)

MAYBE(raw_disk_waits, SCHED, KNOWN(r, COUNTER_disk_read_bytes), r->disk_wait.count)
DURATION(raw_disk_p50, SCHED, disk_wait, p50_ns)
DURATION(raw_disk_p90, SCHED, disk_wait, p90_ns)
DURATION(raw_disk_p99, SCHED, disk_wait, p99_ns)
LONGEST(raw_disk_max, SCHED, disk_wait)

/* Of calls' durations: an estimate, if only a part of the calls were timed. */
#define OF_CALLS(name, needs, known, n)                                                                                \
	struct value name(const struct row *r)                                                                         \
	{                                                                                                              \
		struct value v = (known) ? number(n) : unknown;                                                        \
                                                                                                                       \
		v.about = row_estimated(r);                                                                            \
		return r->off & (needs) ? unknown : v;                                                                 \
	}
/* A call that never returns (exit) counts but has no duration. */
OF_CALLS(raw_call_average, SYSCALL, row_has_sums(r) && r->calls && r->call_total_ns, r->call_total_ns / r->calls)

struct value raw_average(const struct row *r)
{
	const struct sample_disk *d = r->disk ? r->disk->sample : NULL;

	if (!d)
		return raw_call_average(r);
	return d->count && d->time_ns ? number(d->time_ns / d->count) : unknown;
}

/* Without the scheduler family it is not known how much of a call was sleep. */
DURATION(raw_service_p50, SCHED | SYSCALL, service, p50_ns)
DURATION(raw_service_p90, SCHED | SYSCALL, service, p90_ns)
DURATION(raw_service_p99, SCHED | SYSCALL, service, p99_ns)
LONGEST(raw_service_max, SCHED | SYSCALL, service)

struct value raw_call(const struct row *r)
{
	return r->call == LT_CALL_NONE ? unknown : text(names_call(r->call));
}

static bool has_number(const struct row *r)
{
	return r->call != LT_CALL_NONE && r->call != LT_CALL_OTHERS;
}

struct value raw_abi(const struct row *r)
{
	return has_number(r) ? text(names_abi(r->call)) : unknown;
}

MAYBE(raw_number, 0, has_number(r), LT_CALL_NR(r->call))
/* For a device's requests. */
#define REQUEST(name, part, field, inexact)                                                                            \
	struct value name(const struct row *r)                                                                         \
	{                                                                                                              \
		const struct model_dist *d = r->disk ? &r->disk->latency[LT_DISK_##part] : NULL;                       \
                                                                                                                       \
		return !d || r->off & DISK ? unknown : duration(d, d->field, inexact);                                 \
	}
REQUEST(raw_queue_p50, QUEUE, p50_ns, false)
REQUEST(raw_queue_p99, QUEUE, p99_ns, false)
REQUEST(raw_queue_max, QUEUE, max_ns, d->max_at_least)
REQUEST(raw_in_device_p50, SERVICE, p50_ns, false)
REQUEST(raw_in_device_p99, SERVICE, p99_ns, false)
REQUEST(raw_in_device_max, SERVICE, max_ns, d->max_at_least)
REQUEST(raw_request_p50, TOTAL, p50_ns, false)
REQUEST(raw_request_p90, TOTAL, p90_ns, false)
REQUEST(raw_request_p99, TOTAL, p99_ns, false)
REQUEST(raw_request_max, TOTAL, max_ns, d->max_at_least)
DURATION(raw_call_p50, SYSCALL, service, p50_ns)
DURATION(raw_call_p90, SYSCALL, service, p90_ns)
DURATION(raw_call_p99, SYSCALL, service, p99_ns)
LONGEST(raw_call_max, SYSCALL, service)

/* For a device's requests, or for a call. */
#define LATENCY_OF(what)                                                                                               \
	struct value raw_latency_##what(const struct row *r)                                                           \
	{                                                                                                              \
		return r->disk ? raw_request_##what(r) : raw_call_##what(r);                                           \
	}
LATENCY_OF(p50)
LATENCY_OF(p90)
LATENCY_OF(p99)
LATENCY_OF(max)

struct value raw_device(const struct row *r)
{
	return text(r->comm);
}

struct value raw_op(const struct row *r)
{
	return r->disk ? text(names_disk_op(r->disk->sample->op)) : unknown;
}

MAYBE(raw_requests, 0, r->disk, r->disk->sample->count)
MAYBE(raw_request_bytes, 0, r->disk, r->disk->sample->bytes)
MAYBE(raw_merged, 0, r->disk, r->disk->sample->merged)
MAYBE(raw_carriers, DISK, r->disk && r->disk->sample->carriers != SAMPLE_UNKNOWN, r->disk->sample->carriers)

/* Why a device has no latency. */
struct value raw_note(const struct row *r)
{
	const struct sample_disk *d = r->disk ? r->disk->sample : NULL;

	if (!d)
		return unknown;
	if (d->count && d->major == LOOP_MAJOR)
		return text("also counted where its file is");
	if (r->off & DISK || !d->count || r->disk->latency[LT_DISK_TOTAL].count)
		return text("");
	return text(d->carriers == d->count ? "only carries flushes" : "no latency: passes its requests on");
}
static OF_CALLS(call_ran, SYSCALL, row_has_sums(r), r->call_time_ns)
	MAYBE(raw_call_wait, SYSCALL | SCHED, r->call_wait_ns != SAMPLE_UNKNOWN, r->call_wait_ns)

	/* Where it is not known how long calls ran, they took at least what they waited. */
	struct value raw_call_time(const struct row *r)
{
	struct value v = call_ran(r);

	if (v.type != VALUE_NONE)
		return v;
	v = raw_call_wait(r);
	v.at_least = true;
	return v.i ? v : unknown;
}

struct value raw_in_flight(const struct row *r)
{
	if (r->disk)
		return number(r->disk->sample->in_flight);
	return r->off & SYSCALL ? unknown : number(r->in_flight);
}

struct value raw_oldest(const struct row *r)
{
	struct value v = number(r->oldest_ns);

	v.at_least = r->oldest_at_least;
	return !r->in_flight || (v.at_least && !v.i) ? unknown : v;
}

/* "EAGAIN 1.2k EINTR 3", the most frequent first. */
struct value raw_errnos(const struct row *r)
{
	char *buf = text_buffer(), count[16];
	size_t used = 0;

	if (r->off & SYSCALL)
		return unknown;
	buf[0] = '\0';
	for (uint32_t i = 0; i < r->n_errnos && used < TEXT_SIZE - ERRNO_SIZE; i++) {
		format_count(count, sizeof(count), (double)r->errnos[i].count);
		used += (size_t)snprintf(buf + used, TEXT_SIZE - used, "%s%s %s", used ? " " : "",
					 names_errno(r->errnos[i].error), count);
	}
	return text(buf);
}

/* Accepts are counted when the call returns. */
MAYBE(raw_accepted, NET, !(r->off & SYSCALL) && !counter_has(&r->unknown, COUNTER_accepts), r->net->accepts)

/* Internet sockets, or one connection. Unix sockets and others are separate. */
#define INET(field) (r->net->flow[LT_TCP].field + r->net->flow[LT_UDP].field + r->net->flow[LT_INET].field)
NUMBER(raw_traffic, NET, INET(tx_bytes) + INET(rx_bytes))
NUMBER(raw_tx, NET, INET(tx_bytes))
NUMBER(raw_rx, NET, INET(rx_bytes))
NUMBER(raw_tx_ops, NET, INET(tx_ops))
NUMBER(raw_rx_ops, NET, INET(rx_ops))
DURATION(raw_connect_p99, NET, net->connect, p99_ns)
DURATION(raw_accept_p99, NET | SYSCALL, accept, p99_ns)

/* A connection has the turns of one side. */
#define TURNS_OF(r, who) (!(r)->connection || (r)->connection->role == (who))
MAYBE(raw_turns, TURNS, TURNS_OF(r, LT_ROLE_SERVER), r->response.count)
DURATION(raw_response_p50, TURNS, response, p50_ns)
DURATION(raw_response_p90, TURNS, response, p90_ns)
DURATION(raw_response_p99, TURNS, response, p99_ns)
LONGEST(raw_response_max, TURNS, response)
DURATION(raw_late_p99, TURNS, late, p99_ns)
MAYBE(raw_upstream_count, TURNS, TURNS_OF(r, LT_ROLE_CLIENT), r->upstream.count)
DURATION(raw_upstream_p50, TURNS, upstream, p50_ns)
DURATION(raw_upstream_p99, TURNS, upstream, p99_ns)
LONGEST(raw_upstream_max, TURNS, upstream)

/* Of a connection. */
static struct value mean(const struct row *r, const struct model_dist *d)
{
	return r->off & TURNS || !r->connection || !d->count ? unknown
							     : duration(d, r->connection->turns_ns / d->count, false);
}

struct value raw_response_mean(const struct row *r)
{
	return mean(r, &r->response);
}

struct value raw_upstream_mean(const struct row *r)
{
	return mean(r, &r->upstream);
}

MAYBE(raw_upstream_open, TURNS, r->open_upstream.n != SAMPLE_UNKNOWN, r->open_upstream.n)
MAYBE(raw_upstream_oldest, TURNS, r->open_upstream.n && r->open_upstream.n != SAMPLE_UNKNOWN,
      r->open_upstream.oldest_ns)
MAYBE(raw_answers_open, TURNS, r->open_answers.n != SAMPLE_UNKNOWN, r->open_answers.n)

struct value raw_answers_oldest(const struct row *r)
{
	if (r->connection)
		return r->connection->open_ns == SAMPLE_UNKNOWN ? unknown : number(r->connection->open_ns);
	return r->off & TURNS || !r->open_answers.n || r->open_answers.n == SAMPLE_UNKNOWN
		       ? unknown
		       : number(r->open_answers.oldest_ns);
}

struct value raw_retrans(const struct row *r)
{
	if (!r->connection)
		return raw_retransmits(r);
	return r->connection->retransmits == SAMPLE_UNKNOWN ? unknown : number(r->connection->retransmits);
}

static uint64_t srtt_ns(const struct row *r)
{
	return r->connection ? r->connection->srtt_ns : r->net->srtt_ns;
}

MAYBE(raw_srtt, NET, srtt_ns(r) != SAMPLE_UNKNOWN, srtt_ns(r))

struct value raw_proto(const struct row *r)
{
	if (r->peer)
		return r->peer->proto < LT_PROTOS ? text(names_proto(r->peer->proto)) : unknown;
	return r->connection ? text(names_proto(r->connection->proto)) : unknown;
}

static struct value endpoint(uint8_t family, const void *address, uint16_t port)
{
	char *buf = format_endpoint(text_buffer(), TEXT_SIZE, family, address, port);

	return *buf ? text(buf) : unknown;
}

/* A UNIX socket's name may have been cut off. */
static struct value peer_name(const struct lt_peer *p)
{
	size_t len = strnlen(p->address, sizeof(p->address));
	char *buf = text_buffer();

	if (p->proto == LT_PROTOS)
		return text("others");
	if (p->family)
		return endpoint(p->family, p->address, p->port);
	snprintf(buf, TEXT_SIZE, "%.*s%s", (int)len, p->address, len + 1 == sizeof(p->address) ? "..." : "");
	return text(buf);
}

struct value raw_local(const struct row *r)
{
	return r->connection ? endpoint(r->connection->family, r->connection->local, r->connection->local_port)
			     : unknown;
}

struct value raw_remote(const struct row *r)
{
	const struct sample_connection *c = r->connection;

	if (r->peer)
		return peer_name(r->peer);
	return c ? endpoint(c->family, c->remote, c->remote_port) : unknown;
}

MAYBE(raw_age, 0, r->connection && r->connection->age_ns != SAMPLE_UNKNOWN, r->connection->age_ns)
/* A listener's queue holds connections, not bytes. */
static bool has_bytes(const struct sample_connection *c)
{
	return c && c->state != TCP_LISTEN;
}

MAYBE(raw_tx_queue, 0, has_bytes(r->connection), r->connection->tx_queue_bytes)
MAYBE(raw_rx_queue, 0, has_bytes(r->connection), r->connection->rx_queue_bytes)
MAYBE(raw_accept_queue, 0, r->connection && r->connection->accept_queue != SAMPLE_UNKNOWN, r->connection->accept_queue)
MAYBE(raw_accept_max, 0, r->connection && r->connection->accept_queue_max != SAMPLE_UNKNOWN,
      r->connection->accept_queue_max)
MAYBE(raw_accept_oldest, 0, r->connection && r->connection->accept_oldest_ns != SAMPLE_UNKNOWN,
      r->connection->accept_oldest_ns)

struct value raw_drops(const struct row *r)
{
	if (!r->connection)
		return r->drops_known ? raw_receive_drops(r) : unknown;
	return r->connection->drops == SAMPLE_UNKNOWN ? unknown : number(r->connection->drops);
}

#define CPU_NUMBER(name, none, field) MAYBE(name, 0, r->cpu && r->cpu->field != (none), r->cpu->field)
MAYBE(raw_cpu_number, 0, r->cpu, r->cpu->cpu)
CPU_NUMBER(raw_cpu_busy, SAMPLE_UNKNOWN, times.busy_ns)
CPU_NUMBER(raw_cpu_idle, SAMPLE_UNKNOWN, times.idle_ns)
CPU_NUMBER(raw_cpu_irq, SAMPLE_UNKNOWN, times.irq_ns)
CPU_NUMBER(raw_cpu_softirq, SAMPLE_UNKNOWN, times.softirq_ns)
CPU_NUMBER(raw_cpu_steal, SAMPLE_UNKNOWN, times.steal_ns)
CPU_NUMBER(raw_cpu_switches, SAMPLE_UNKNOWN, switches)
CPU_NUMBER(raw_cpu_queued, SAMPLE_NONE, queued)
CPU_NUMBER(raw_cpu_queued_p99, SAMPLE_NONE, queued_p99)
CPU_NUMBER(raw_cpu_throttled, SAMPLE_NONE, throttled)
CPU_NUMBER(raw_cpu_ran, SAMPLE_UNKNOWN, run_ns)

struct value raw_busy(const struct row *r)
{
	return r->disk ? number(r->disk->sample->busy_ns) : raw_cpu_busy(r);
}

/* A sparkline's value is its newest level: that is what is sorted. */
static struct value spark(const struct row *r, enum model_spark which)
{
	const struct model_sparkline *s = r->spark ? &r->spark[which] : NULL;

	if (!s)
		return r->kind == MODEL_PROCESS ? number(0) : unknown;
	return number(s->level[(s->at + MODEL_SPARK - 1) % MODEL_SPARK]);
}

struct value raw_wake_spark(const struct row *r)
{
	return spark(r, MODEL_SPARK_WAKE);
}

struct value raw_call_spark(const struct row *r)
{
	return spark(r, MODEL_SPARK_CALL);
}

struct value raw_response_spark(const struct row *r)
{
	return spark(r, MODEL_SPARK_RESPONSE);
}

struct value raw_net_spark(const struct row *r)
{
	return spark(r, MODEL_SPARK_NET);
}
