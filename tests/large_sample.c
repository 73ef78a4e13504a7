/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Readings of a machine with many processes: see large_sample.h. */
#include "large_sample.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define SECOND_NS 1000000000ULL
#define CALLS 3

static uint32_t noise(uint32_t a, uint32_t b)
{
	uint32_t h = a * 2654435761U ^ b * 2246822519U;

	h ^= h >> 15;
	h *= 0x85ebca6bU;
	return h ^ h >> 13;
}

static struct sample_dist add_dist(struct sample *s, uint32_t seed)
{
	struct sample_dist d = { .first = s->n_buckets, .n = 6 };
	struct sample_bucket *b;

	for (uint32_t i = 0; i < d.n; i++) {
		b = sample_add_bucket(s);
		assert(b);
		*b = (struct sample_bucket){ 20 + 4 * i + seed % 4, 1 + noise(seed, i) % 200 };
	}
	d.max_ns = hist_floor(s->buckets[d.first + d.n - 1].bucket);
	return d;
}

static uint32_t add_work(struct sample *s, uint32_t pid, uint32_t number)
{
	struct sample_work *w = sample_add_work(s);
	uint32_t seed = noise(pid, number);
	struct sample_call *c;

	assert(w);
	w->time_ns[LT_RUN] = seed % 100000000;
	w->time_ns[LT_WAKEQ] = seed / 7 % 10000000;
	w->time_ns[LT_POLL] = SECOND_NS - w->time_ns[LT_RUN] - w->time_ns[LT_WAKEQ];
	w->wakeup = add_dist(s, seed);
	w->service = add_dist(s, seed + 1);
	w->voluntary = w->wakeups = 1 + seed % 500;
	w->calls = 3000 + seed % 1000;
	w->call_total_ns = 40000000 + seed % 1000000;
	w->flow[LT_TCP].tx_bytes = seed % 1000000;
	w->flow[LT_TCP].tx_ops = 1 + seed % 300;
	w->first_call = s->n_calls;
	w->n_calls = CALLS;
	for (uint32_t i = 0; i < CALLS; i++) {
		c = sample_add_call(s);
		assert(c);
		c->call = LT_CALL(LT_ABI_NATIVE, i * 37);
		c->count = 1000 + noise(seed, i) % 300;
		c->total_ns = c->time_ns = 10000000 + seed % 1000000;
		c->latency = add_dist(s, seed + 2 + i);
	}
	return s->n_works - 1;
}

static void add_process(struct sample *s, uint32_t pid, uint64_t start_ns, bool exited, bool active)
{
	struct sample_process *p = sample_add_process(s);
	struct sample_thread *t = sample_add_thread(s);
	char text[80];
	int n;

	assert(p && t);
	*p = (struct sample_process){ .pid = pid,
				      .ppid = 1,
				      .uid = pid % 50,
				      .threads = 1,
				      .first_thread = s->n_threads - 1,
				      .n_threads = 1,
				      .start_ns = start_ns,
				      .flags = exited ? SAMPLE_PROCESS_EXITED : 0 };
	p->sockets.srtt_ns = SAMPLE_UNKNOWN;
	n = snprintf(text, sizeof(text), "worker-%u", pid % 300);
	p->comm = sample_add_text(s, text, (size_t)n);
	n = snprintf(text, sizeof(text), "/usr/lib/app/worker-%u --port %u --verbose", pid % 300, pid);
	p->cmdline = sample_add_text(s, text, (size_t)n);
	n = snprintf(text, sizeof(text), "/system.slice/app-%u.service", pid % 40);
	p->cgroup = sample_add_text(s, text, (size_t)n);
	*t = (struct sample_thread){ .tid = pid,
				     .process = s->n_processes - 1,
				     .work = SAMPLE_NONE,
				     .call = LT_CALL(LT_ABI_NATIVE, 7),
				     .call_age_ns = s->t_ns - start_ns,
				     .wall_ns = SECOND_NS,
				     .start_ns = start_ns,
				     .state = exited ? LT_DEAD : LT_POLL,
				     .flags = exited ? SAMPLE_THREAD_DEAD : 0 };
	snprintf(t->comm, sizeof(t->comm), "worker-%u", pid % 300);
	if (active)
		t->work = add_work(s, pid, s->number);
}

void large_sample_fill(struct sample *s, uint32_t number, uint32_t processes, uint32_t active)
{
	uint32_t slot, every = active ? processes / active : 0, step = processes / 100;

	sample_clear(s);
	s->number = number;
	s->t_ns = 1000000 * SECOND_NS + number * (SECOND_NS + 1234);
	s->interval_ns = SECOND_NS;
	s->realtime_ns = 1795348980 * SECOND_NS + number * SECOND_NS;
	s->uptime_ns = s->t_ns + 5;
	s->cpus_online = 64;
	strcpy(s->host, "big-01");
	strcpy(s->kernel, "6.1.0-56");
	s->unknown = counter_unknown(s->kernel);
	for (uint32_t i = 0; i < SAMPLE_FAMILIES; i++) {
		s->probe[i].on = 1;
		strcpy(s->probe[i].by, "tp_btf");
	}
	for (uint32_t i = 0; i < processes; i++) {
		/* Slot i's process exits every hundredth reading, and another with the same pid starts in the next. */
		slot = (number + i / (step ? step : 1)) / 100;
		add_process(s, 100 + i, (1000 + slot) * SECOND_NS, (number + i / (step ? step : 1)) % 100 == 99,
			    every && (i + number) % every == 0);
	}
}
