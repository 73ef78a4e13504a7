/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine's own counters, subtracted: see machine.h. */
#include "machine.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "grow.h"
#include "lookup.h"

#define WAIT_NS 200000000ULL
#define CPUS_MOST (1 << 16)

/* A CPU at the last reading. */
struct last_cpu {
	uint32_t cpu;
	uint64_t switches; /* SAMPLE_UNKNOWN */
	struct sample_cpu_times times;
};

/* The kernel counters that each number is the sum of. No packet is counted in two of them. */
static const struct {
	enum sample_stack stack;
	const char *group, *name;
	bool optional; /* of IPv6 */
} stack_counters[] = {
	{ STACK_listen_overflows, "TcpExt:", "ListenOverflows", false },
	{ STACK_listen_drops, "TcpExt:", "ListenDrops", false },
	{ STACK_syn_queue_drops, "TcpExt:", "TCPReqQFullDrop", false },
	{ STACK_syn_queue_cookies, "TcpExt:", "TCPReqQFullDoCookies", false },
	{ STACK_syn_cookies_sent, "TcpExt:", "SyncookiesSent", false },
	{ STACK_syn_cookies_received, "TcpExt:", "SyncookiesRecv", false },
	{ STACK_syn_cookies_failed, "TcpExt:", "SyncookiesFailed", false },
	{ STACK_tcp_receive_drops, "TcpExt:", "TCPBacklogDrop", false },
	{ STACK_tcp_receive_drops, "TcpExt:", "TCPRcvQDrop", false },
	{ STACK_tcp_receive_drops, "TcpExt:", "TCPOFODrop", false },
	{ STACK_tcp_receive_drops, "TcpExt:", "TCPZeroWindowDrop", false },
	{ STACK_udp_receive_drops, "Udp:", "RcvbufErrors", false },
	{ STACK_udp_receive_drops, NULL, "Udp6RcvbufErrors", true },
};

struct machine {
	struct lookup *lookup;
	struct disks *disks; /* NULL: left out */
	uint32_t epoch;
	uint64_t reading;	    /* tells answers to this reading's requests from late ones */
	bool asked[PROC_MACHINE];   /* and not yet answered */
	bool awaited[PROC_MACHINE]; /* asked for this reading */
	/* As last read. */
	struct sample_cpu_times cpu_times;
	struct sample_pressure pressure[SAMPLE_RESOURCES];
	struct last_cpu *cpus, *cpus_before; /* of this reading and of the one before, sorted by number */
	uint32_t n_cpus, n_before, cap_cpus, cap_before;
	uint64_t stack[SAMPLE_STACKS];
};

static const struct sample_cpu_times no_times = { SAMPLE_UNKNOWN, SAMPLE_UNKNOWN, SAMPLE_UNKNOWN, SAMPLE_UNKNOWN,
						  SAMPLE_UNKNOWN };
static const struct sample_pressure no_pressure = { SAMPLE_UNKNOWN, SAMPLE_UNKNOWN };

/* In a helper thread. */
static void read_file(struct lookup_request *r)
{
	r->n = proc_machine((enum proc_machine)r->kind, &r->text);
}

struct machine *machine_new(struct disks *disks)
{
	struct machine *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->lookup = lookup_new(read_file);
	if (!m->lookup) {
		free(m);
		return NULL;
	}
	m->disks = disks;
	m->cpu_times = no_times;
	for (int i = 0; i < SAMPLE_RESOURCES; i++)
		m->pressure[i] = no_pressure;
	memset(m->stack, 0xff, sizeof(m->stack));
	return m;
}

void machine_free(struct machine *m)
{
	if (!m)
		return;
	lookup_close(m->lookup);
	free(m->cpus);
	free(m->cpus_before);
	free(m);
}

void machine_ask(struct machine *m, uint32_t epoch)
{
	m->epoch = epoch;
	if (m->disks)
		disks_ask(m->disks);
	m->reading++;
	for (uint32_t i = 0; i < PROC_MACHINE; i++) {
		const struct lookup_request ask = { .kind = i, .tag = m->reading };

		/* A file that blocks its helper is not asked for again until it has answered. */
		m->awaited[i] = !m->asked[i] && (i != PROC_DISKSTATS || m->disks) && !lookup_ask(m->lookup, &ask);
		m->asked[i] |= m->awaited[i];
	}
}

/* The idle time goes backwards now and then: the kernel computes that of a sleeping CPU while others change it. */
static uint64_t delta(uint64_t now, uint64_t last)
{
	if (now == SAMPLE_UNKNOWN || last == SAMPLE_UNKNOWN)
		return SAMPLE_UNKNOWN;
	return now > last ? now - last : 0;
}

static struct sample_cpu_times times_delta(const struct sample_cpu_times *now, struct sample_cpu_times *last)
{
	struct sample_cpu_times d = { delta(now->busy_ns, last->busy_ns), delta(now->idle_ns, last->idle_ns),
				      delta(now->irq_ns, last->irq_ns), delta(now->softirq_ns, last->softirq_ns),
				      delta(now->steal_ns, last->steal_ns) };

	*last = *now;
	return d;
}

/* The CPU in the reading before; NULL: it was offline. *at: where the one with the next lower number was found. */
static struct last_cpu *before(const struct machine *m, uint32_t cpu, uint32_t *at)
{
	while (*at < m->n_before && m->cpus_before[*at].cpu < cpu)
		++*at;
	return *at < m->n_before && m->cpus_before[*at].cpu == cpu ? &m->cpus_before[*at] : NULL;
}

static void next_cpus(struct machine *m)
{
	struct last_cpu *cpus = m->cpus_before;
	uint32_t cap = m->cap_before;

	m->cpus_before = m->cpus;
	m->n_before = m->n_cpus;
	m->cap_before = m->cap_cpus;
	m->cpus = cpus;
	m->cap_cpus = cap;
	m->n_cpus = 0;
}

/* Without memory the CPU is left out. */
static void add_cpu(struct machine *m, uint32_t cpu, const struct sample_cpu_times *now, uint32_t *at, struct sample *s)
{
	const struct last_cpu *last = before(m, cpu, at);
	struct sample_cpu_times then = last ? last->times : no_times;
	struct sample_cpu *row;

	if (!GROW(m->cpus, m->cap_cpus, m->n_cpus + 1) || !(row = sample_add_cpu(s)))
		return;
	m->cpus[m->n_cpus++] = (struct last_cpu){ .cpu = cpu, .switches = SAMPLE_UNKNOWN, .times = *now };
	*row = (struct sample_cpu){ .cpu = cpu,
				    .queued = SAMPLE_NONE,
				    .queued_p99 = SAMPLE_NONE,
				    .throttled = SAMPLE_NONE,
				    .run_ns = SAMPLE_UNKNOWN,
				    .switches = SAMPLE_UNKNOWN,
				    .times = times_delta(now, &then) };
}

static void take_stat(struct machine *m, const char *text, struct sample *s)
{
	struct sample_cpu_times all = no_times, times;
	uint32_t cpu, at = 0;

	next_cpus(m);
	while (text && proc_cpu_of(&text, &cpu, &times)) {
		bool next = !m->n_cpus || cpu > m->cpus[m->n_cpus - 1].cpu;

		if (cpu == PROC_CPU_ALL)
			all = times;
		else if (next && m->n_cpus < CPUS_MOST)
			add_cpu(m, cpu, &times, &at, s);
	}
	s->cpu_times = times_delta(&all, &m->cpu_times);
}

void machine_queues(struct machine *m, const struct lt_runqueue *queues, uint32_t n, struct sample *s)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < s->n_cpus; i++) {
		struct sample_cpu *row = &s->cpus[i];
		const struct lt_runqueue *q = row->cpu < n ? &queues[row->cpu] : NULL;
		const struct last_cpu *last = before(m, row->cpu, &at);

		if (!q || !q->switches)
			continue;
		m->cpus[i].switches = q->switches;
		row->switches = delta(q->switches, last ? last->switches : SAMPLE_UNKNOWN);
		row->queued = q->queued;
		row->runs = (uint8_t)q->runs;
		row->pid = q->tgid;
		row->tid = q->tid;
		memcpy(row->comm, q->comm, sizeof(row->comm));
		row->comm[sizeof(row->comm) - 1] = '\0';
		if (q->since_ns)
			row->run_ns = s->t_ns > q->since_ns ? s->t_ns - q->since_ns : 0;
	}
}

static void take_stack(struct machine *m, const char *text, struct sample *s)
{
	uint64_t now[SAMPLE_STACKS] = { 0 }, n;

	for (size_t i = 0; i < sizeof(stack_counters) / sizeof(stack_counters[0]); i++) {
		uint64_t *to = &now[stack_counters[i].stack];
		bool found = text && proc_stack_counter(text, stack_counters[i].group, stack_counters[i].name, &n);

		if (found && *to != SAMPLE_UNKNOWN)
			*to = counter_sum(*to, n);
		else if (!found && !(text && stack_counters[i].optional))
			*to = SAMPLE_UNKNOWN;
	}
	for (int i = 0; i < SAMPLE_STACKS; i++)
		s->stack[i] = delta(now[i], m->stack[i]);
	memcpy(m->stack, now, sizeof(now));
}

void machine_take(struct machine *m, enum proc_machine file, const char *text, struct sample *s)
{
	struct sample_pressure now, *last;

	if (file == PROC_STAT) {
		take_stat(m, text, s);
		return;
	}
	if (file == PROC_STACK) {
		take_stack(m, text, s);
		return;
	}
	if (file == PROC_DISKSTATS) {
		if (m->disks)
			disks_read(m->disks, text, m->epoch, s);
		return;
	}
	now = text ? proc_pressure_of(text) : no_pressure;
	if (file == PROC_PRESSURE + SAMPLE_CPU) /* meaningless for the whole machine: the kernel prints 0 */
		now.full_ns = SAMPLE_UNKNOWN;
	last = &m->pressure[file - PROC_PRESSURE];
	s->pressure[file - PROC_PRESSURE] =
		(struct sample_pressure){ delta(now.some_ns, last->some_ns), delta(now.full_ns, last->full_ns) };
	*last = now;
}

void machine_read(struct machine *m, struct sample *s)
{
	bool taken[PROC_MACHINE] = { false };
	struct lookup_request *r;
	struct timespec t;
	uint64_t deadline_ns;
	int left = 0;

	clock_gettime(CLOCK_MONOTONIC, &t);
	deadline_ns = (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec + WAIT_NS;
	for (int i = 0; i < PROC_MACHINE; i++)
		left += m->awaited[i];
	while (left && (r = lookup_wait(m->lookup, deadline_ns))) {
		m->asked[r->kind] = false;
		if (r->tag == m->reading) {
			machine_take(m, (enum proc_machine)r->kind, r->text, s);
			taken[r->kind] = true;
			left--;
		}
		lookup_done(r);
	}
	for (int i = 0; i < PROC_MACHINE; i++)
		if (!taken[i])
			machine_take(m, (enum proc_machine)i, NULL, s);
}
