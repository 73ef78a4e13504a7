/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine's own counters, subtracted: see machine.h. */
#include "machine.h"

#include <stdlib.h>
#include <time.h>

#include "lookup.h"

#define WAIT_NS 200000000ULL

struct machine {
	struct lookup *lookup;
	uint64_t reading;	  /* tells answers to this reading's requests from late ones */
	bool asked[PROC_MACHINE]; /* and not yet answered */
	/* As last read. */
	struct sample_cpu_times cpu_times;
	struct sample_pressure pressure[SAMPLE_RESOURCES];
};

static const struct sample_cpu_times no_times = { SAMPLE_UNKNOWN, SAMPLE_UNKNOWN, SAMPLE_UNKNOWN, SAMPLE_UNKNOWN,
						  SAMPLE_UNKNOWN };
static const struct sample_pressure no_pressure = { SAMPLE_UNKNOWN, SAMPLE_UNKNOWN };

/* In a helper thread. */
static void read_file(struct lookup_request *r)
{
	r->n = proc_machine((enum proc_machine)r->kind, &r->text);
}

struct machine *machine_new(void)
{
	struct machine *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->lookup = lookup_new(read_file);
	if (!m->lookup) {
		free(m);
		return NULL;
	}
	m->cpu_times = no_times;
	for (int i = 0; i < SAMPLE_RESOURCES; i++)
		m->pressure[i] = no_pressure;
	return m;
}

void machine_free(struct machine *m)
{
	if (!m)
		return;
	lookup_close(m->lookup);
	free(m);
}

void machine_ask(struct machine *m)
{
	m->reading++;
	for (uint32_t i = 0; i < PROC_MACHINE; i++) {
		const struct lookup_request ask = { .kind = i, .tag = m->reading };

		/* A file that blocks its helper is not asked for again until it has answered. */
		if (!m->asked[i])
			m->asked[i] = !lookup_ask(m->lookup, &ask);
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

static void take_stat(struct machine *m, const char *text, struct sample *s)
{
	struct sample_cpu_times all = no_times, times;
	uint32_t cpu;

	while (text && proc_cpu_of(&text, &cpu, &times))
		if (cpu == PROC_CPU_ALL)
			all = times;
	s->cpu_times = times_delta(&all, &m->cpu_times);
}

void machine_take(struct machine *m, enum proc_machine file, const char *text, struct sample *s)
{
	struct sample_pressure now, *last;

	if (file == PROC_STAT) {
		take_stat(m, text, s);
		return;
	}
	now = text ? proc_pressure_of(text) : no_pressure;
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
		left += m->asked[i];
	while (left && (r = lookup_wait(m->lookup, deadline_ns))) {
		m->asked[r->kind] = false;
		if (r->tag == m->reading) {
			machine_take(m, (enum proc_machine)r->kind, r->text, s);
			taken[r->kind] = true;
		}
		lookup_done(r);
		left--;
	}
	for (int i = 0; i < PROC_MACHINE; i++)
		if (!taken[i])
			machine_take(m, (enum proc_machine)i, NULL, s);
}
