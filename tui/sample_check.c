/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks a sample from an untrusted source: every index, range, text and enumeration that the
 * rest of the program uses without checks. Ranges may not overlap, so that the work of summing
 * them is proportional to their size.
 */
#include "sample.h"

#include <string.h>

#define TCP_STATES 13 /* the kernel's TCP_MAX_STATES, 14 since 6.9 with TCP_BOUND_INACTIVE */

static bool range_fits(uint32_t first, uint32_t n, uint32_t total)
{
	return n == 0 || (uint64_t)first + n <= total;
}

/* *buckets: of all distributions so far. */
static bool dist_fits(const struct sample *s, const struct sample_dist *d, uint64_t *buckets)
{
	*buckets += d->n;
	if (d->n > HIST_BUCKETS || !range_fits(d->first, d->n, s->n_buckets) || *buckets > s->n_buckets)
		return false;
	for (uint32_t i = 0; i < d->n; i++)
		if (s->buckets[d->first + i].bucket >= HIST_BUCKETS ||
		    (i && s->buckets[d->first + i].bucket <= s->buckets[d->first + i - 1].bucket))
			return false;
	return true;
}

static bool call_number_fits(uint32_t call)
{
	return call < LT_CALL(LT_ABI_X32 + 1, 0) || call == LT_CALL_OTHERS;
}

static bool text_fits(const struct sample *s, uint32_t offset)
{
	return offset == 0 || offset < s->n_text;
}

/* Used as a floating-point number for means. */
static bool srtt_fits(uint64_t srtt_ns)
{
	return srtt_ns == SAMPLE_UNKNOWN || srtt_ns <= INT64_MAX;
}

static bool ended(const char *text, size_t size)
{
	return memchr(text, '\0', size);
}

static const char *check_host(const struct sample *s)
{
	unsigned char has_connections, has_disks, drops_known;

	memcpy(&has_connections, &s->has_connections, 1);
	memcpy(&has_disks, &s->has_disks, 1);
	memcpy(&drops_known, &s->drops_known, 1);
	if (!s->interval_ns || !s->cpus_online || has_connections > 1 || has_disks > 1 || drops_known > 1)
		return "its header is out of range";
	if (!ended(s->host, sizeof(s->host)) || !ended(s->kernel, sizeof(s->kernel)))
		return "a name has no end";
	for (int i = 0; i < SAMPLE_FAMILIES; i++) {
		if (!ended(s->probe[i].by, sizeof(s->probe[i].by)) ||
		    !ended(s->probe[i].reason, sizeof(s->probe[i].reason)))
			return "a probe's text has no end";
		if (s->probe[i].level >= LT_LEVEL_OFF)
			return "a probe's level is unknown";
	}
	if (s->n_text && (s->text[0] || s->text[s->n_text - 1]))
		return "its texts have no end";
	return NULL;
}

static const char *check_processes(const struct sample *s, uint64_t *buckets)
{
	const struct sample_process *p, *before = NULL;
	uint64_t peers = 0;
	uint32_t threads = 0;
	uint64_t because = 0;

	for (uint32_t i = 0; i < s->n_processes; i++, before = p) {
		p = &s->processes[i];
		if (before && (before->pid > p->pid || (before->pid == p->pid && before->start_ns >= p->start_ns)))
			return "its processes are not in order";
		if (!text_fits(s, p->comm) || !text_fits(s, p->cmdline) || !text_fits(s, p->cgroup))
			return "a process's text is not there";
		if (p->killed_by >= LT_BYS || !text_fits(s, p->killer_comm))
			return "a process's killer is of an unknown kind";
		if (!srtt_fits(p->sockets.srtt_ns))
			return "a process's round-trip time is out of range";
		if (!dist_fits(s, &p->sockets.connect, buckets))
			return "a process's histogram is not there";
		if (!range_fits(p->first_because, p->n_because, s->n_because))
			return "whom a process waited for is not there";
		because += p->n_because;
		if (because > s->n_because)
			return "two processes share those whom they waited for";
		if (!range_fits(p->first_thread, p->n_threads, s->n_threads))
			return "a process's threads are not there";
		for (uint32_t t = 0; t < p->n_threads; t++)
			if (s->threads[p->first_thread + t].process != i)
				return "a thread belongs to two processes";
		threads += p->n_threads;
		peers += p->sockets.n_peers;
		if (!range_fits(p->sockets.first_peer, p->sockets.n_peers, s->n_peers) || peers > s->n_peers)
			return "a process's peers are not there";
	}
	return threads == s->n_threads ? NULL : "a thread has no process";
}

static const char *check_threads(const struct sample *s)
{
	const struct sample_thread *t;
	uint64_t calls = 0, peers = 0, because = 0;
	uint32_t works = 0;

	for (uint32_t i = 0; i < s->n_threads; i++) {
		t = &s->threads[i];
		if (t->work != SAMPLE_NONE && t->work >= s->n_works)
			return "a thread's work is not there";
		works += t->work != SAMPLE_NONE;
		if (works > s->n_works)
			return "two threads share their work";
		calls += t->work == SAMPLE_NONE ? 0 : s->works[t->work].n_calls;
		peers += t->work == SAMPLE_NONE ? 0 : s->works[t->work].n_peers;
		because += t->work == SAMPLE_NONE ? 0 : s->works[t->work].n_because;
		if (calls > s->n_calls || peers > s->n_peers || because > s->n_because)
			return "two threads share their calls, peers or those whom they waited for";
		if (t->state >= LT_STATES && t->state != LT_NEW && t->state != LT_DEAD)
			return "a thread's state is unknown";
		if (t->call != LT_CALL_NONE && !call_number_fits(t->call))
			return "a thread's call is unknown";
		if (!ended(t->comm, sizeof(t->comm)))
			return "a thread's name has no end";
	}
	return NULL;
}

static const char *check_works(const struct sample *s, uint64_t *buckets)
{
	const struct sample_call *c;
	const struct sample_work *w;
	uint64_t errnos = 0;

	for (uint32_t i = 0; i < s->n_works; i++) {
		w = &s->works[i];
		if (!range_fits(w->first_call, w->n_calls, s->n_calls))
			return "a thread's calls are not there";
		if (!range_fits(w->first_peer, w->n_peers, s->n_peers))
			return "a thread's peers are not there";
		if (!range_fits(w->first_because, w->n_because, s->n_because))
			return "whom a thread waited for is not there";
		for (uint32_t d = 0; d < LT_THREAD_DISTS; d++)
			if (!dist_fits(s, &w->dist[d], buckets))
				return "a thread's histogram is not there";
	}
	for (uint32_t i = 0; i < s->n_calls; i++) {
		c = &s->calls[i];
		errnos += c->n_errnos;
		if (!range_fits(c->first_errno, c->n_errnos, s->n_errnos) || errnos > s->n_errnos)
			return "a call's errors are not there";
		if (!call_number_fits(c->call))
			return "a call is unknown";
		if (!dist_fits(s, &c->latency, buckets))
			return "a call's histogram is not there";
	}
	return NULL;
}

static const char *check_peers(const struct sample *s, uint64_t *buckets)
{
	const struct sample_peer *p;

	for (uint32_t i = 0; i < s->n_peers; i++) {
		p = &s->peers[i];
		if (p->of.proto > LT_PROTOS || (p->of.family && p->of.family != 4 && p->of.family != 6) ||
		    !ended(p->of.address, sizeof(p->of.address)))
			return "a peer is of an unknown kind";
		if (!srtt_fits(p->srtt_ns))
			return "a peer's round-trip time is out of range";
		if (!dist_fits(s, &p->upstream, buckets))
			return "a peer's histogram is not there";
	}
	return NULL;
}

static const char *check_connections(const struct sample *s)
{
	const struct sample_connection *c;

	for (uint32_t i = 0; i < s->n_connections; i++) {
		c = &s->connections[i];
		if (c->proto >= LT_PROTOS || (c->family != 4 && c->family != 6) || c->state > TCP_STATES ||
		    c->role > LT_ROLE_PAIR || c->overlapped > 1)
			return "a connection is of an unknown kind";
		if (!srtt_fits(c->srtt_ns))
			return "a connection's round-trip time is out of range";
	}
	return NULL;
}

static const char *check_because(const struct sample *s)
{
	for (uint32_t i = 0; i < s->n_because; i++)
		if (s->because[i].kind >= SAMPLE_BLAMES || s->because[i].state > LT_STATES ||
		    !ended(s->because[i].comm, sizeof(s->because[i].comm)))
			return "it is not known whom a process waited for";
	return NULL;
}

static const char *check_cpus(const struct sample *s)
{
	for (uint32_t i = 0; i < s->n_cpus; i++) {
		const struct sample_cpu *c = &s->cpus[i];

		if (i && c->cpu <= s->cpus[i - 1].cpu)
			return "its CPUs are not in order";
		if (c->runs > LT_RUNS_THREAD)
			return "what a CPU does is unknown";
		if (!ended(c->comm, sizeof(c->comm)))
			return "a thread's name has no end";
	}
	return NULL;
}

static const char *check_disks(const struct sample *s, uint64_t *buckets)
{
	const struct sample_disk *d;
	uint64_t groups = 0;

	for (uint32_t i = 0; i < s->n_disks; i++) {
		d = &s->disks[i];
		groups += d->n_groups;
		if (!range_fits(d->first_group, d->n_groups, s->n_disk_groups) || groups > s->n_disk_groups ||
		    d->groups_known > 1)
			return "a disk's control groups are not there";
		if (d->op >= LT_DISK_OPS)
			return "a disk's direction is unknown";
		if (!text_fits(s, d->name))
			return "a disk's name is not there";
		for (int p = 0; p < LT_DISK_PARTS; p++)
			if (!dist_fits(s, &d->latency[p], buckets))
				return "a disk's histogram is not there";
	}
	for (uint32_t i = 0; i < s->n_disk_groups; i++)
		if (!text_fits(s, s->disk_groups[i].name))
			return "a control group's name is not there";
	return NULL;
}

static const char *check_marks(const struct sample *s)
{
	for (uint32_t i = 0; i < s->n_marks; i++)
		if (s->marks[i].kind >= SAMPLE_MARKS || !ended(s->marks[i].expr, sizeof(s->marks[i].expr)) ||
		    !ended(s->marks[i].text, sizeof(s->marks[i].text)))
			return "a mark is of an unknown kind";
	return NULL;
}

const char *sample_check(const struct sample *s)
{
	const char *wrong = check_host(s);
	uint64_t buckets = 0;

	if (!wrong)
		wrong = check_processes(s, &buckets);
	if (!wrong)
		wrong = check_threads(s);
	if (!wrong)
		wrong = check_works(s, &buckets);
	if (!wrong)
		wrong = check_disks(s, &buckets);
	if (!wrong)
		wrong = check_peers(s, &buckets);
	if (!wrong)
		wrong = check_connections(s);
	if (!wrong)
		wrong = check_because(s);
	if (!wrong)
		wrong = check_marks(s);
	return wrong ? wrong : check_cpus(s);
}
