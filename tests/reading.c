/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See reading.h. */
#include "reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

void reading_begin(struct sample *s, uint32_t number)
{
	sample_clear(s);
	s->number = number;
	s->t_ns = number * SECOND_NS;
	s->interval_ns = SECOND_NS;
	s->cpus_online = 2;
	s->has_connections = true;
	for (int f = 0; f < SAMPLE_FAMILIES; f++)
		s->probe[f].on = 1;
}

struct sample_process *reading_process(struct sample *s, uint32_t pid, uint64_t start_ns, const char *comm)
{
	struct sample_process *p = sample_add_process(s);
	char cmdline[64];

	assert_non_null(p);
	p->pid = pid;
	p->ppid = 1;
	p->start_ns = start_ns;
	p->first_thread = s->n_threads;
	p->comm = sample_add_text(s, comm, strlen(comm));
	snprintf(cmdline, sizeof(cmdline), "/bin/%s --pid %u", comm, pid);
	p->cmdline = sample_add_text(s, cmdline, strlen(cmdline));
	p->sockets.srtt_ns = SAMPLE_UNKNOWN;
	return p;
}

struct sample_thread *reading_thread(struct sample *s, uint32_t tid, enum lt_state state)
{
	struct sample_process *p = &s->processes[s->n_processes - 1];
	struct sample_thread *t = sample_add_thread(s);

	assert_non_null(t);
	t->tid = tid;
	t->process = s->n_processes - 1;
	t->start_ns = p->start_ns;
	t->wall_ns = s->interval_ns;
	t->state = (uint8_t)state;
	t->work = SAMPLE_NONE;
	t->call = LT_CALL_NONE;
	p->n_threads++;
	p->threads += state != LT_DEAD;
	return t;
}

struct sample_work *reading_busy(struct sample *s, uint32_t tid, enum lt_state state, uint64_t run_ns)
{
	struct sample_thread *t = reading_thread(s, tid, state);
	struct sample_work *w = sample_add_work(s);

	assert_non_null(w);
	t->work = s->n_works - 1;
	w->time_ns[LT_RUN] = run_ns;
	w->time_ns[state == LT_DEAD ? LT_SLEEP : state] += t->wall_ns - run_ns;
	w->first_call = s->n_calls;
	return w;
}

void reading_dist(struct sample *s, struct sample_dist *d, uint64_t ns, uint32_t count)
{
	struct sample_bucket *b = sample_add_bucket(s);

	assert_non_null(b);
	*b = (struct sample_bucket){ hist_bucket(ns), count };
	if (d->n == 0)
		d->first = s->n_buckets - 1;
	d->n++;
	if (ns > d->max_ns)
		d->max_ns = ns;
}

struct sample_call *reading_call(struct sample *s, struct sample_work *w, uint32_t nr, uint32_t count, uint64_t ns,
				 uint32_t error, uint32_t errors)
{
	struct sample_call *c = sample_add_call(s);
	struct sample_errno *e;

	assert_non_null(c);
	*c = (struct sample_call){ .call = nr,
				   .errors = errors,
				   .count = count,
				   .total_ns = count * ns,
				   .time_ns = count * ns,
				   .wait_ns = count * ns / 2 };
	if (count)
		reading_dist(s, &c->latency, ns, count);
	if (errors) {
		e = sample_add_errno(s);
		assert_non_null(e);
		*e = (struct sample_errno){ error, errors };
		c->first_errno = s->n_errnos - 1;
		c->n_errnos = 1;
	}
	w->n_calls++;
	w->calls += count;
	w->call_errors += errors;
	w->call_total_ns += count * ns;
	return c;
}
struct model *reading_model;
static struct sample sample;

int reading_setup(void **state)
{
	(void)state;
	memset(&sample, 0, sizeof(sample));
	reading_model = model_new();
	return reading_model ? 0 : -1;
}

int reading_teardown(void **state)
{
	(void)state;
	model_free(reading_model);
	sample_free(&sample);
	return 0;
}

struct sample *reading_next(uint32_t number)
{
	if (sample.text)
		memset(sample.text, 'x', sample.cap_text);
	reading_begin(&sample, number);
	return &sample;
}

void reading_update(const struct sample *s)
{
	assert_int_equal(model_update(reading_model, s), 0);
}

struct row *reading_rows(const struct model_query *q, int expected)
{
	struct row *rows;

	assert_int_equal(model_rows(reading_model, q, &rows), expected);
	return rows;
}

struct row *reading_row(uint32_t pid)
{
	struct model_query q = { .kind = MODEL_PROCESS };
	struct row *rows;
	int n = model_rows(reading_model, &q, &rows);

	for (int i = 0; i < n; i++)
		if (rows[i].pid == pid)
			return &rows[i];
	return NULL;
}

void reading_assert_near(uint64_t got, uint64_t exact)
{
	uint64_t off = got > exact ? got - exact : exact - got;

	if (exact < 256)
		assert_true(got < 256);
	else
		assert_true(off * 1000 <= exact * 125);
}
