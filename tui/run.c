/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Readings to stdout, without a screen. stdout may block for ever (a stopped reader): every wait also waits for
 * signals.
 */
#include "run.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alert.h"
#include "ask.h"
#include "batch.h"
#include "format.h"
#include "loop.h"
#include "openmetrics.h"
#include "trigger.h"
#include "verdict_write.h"

#define PIPE_CHUNK 4096 /* a pipe that polls as writable accepts this many bytes without blocking */

#define ALERT_STATUS 4
#define LAGS_STATUS 4 /* why */
#define ALERT_CELLS 500

struct run {
	struct loop loop; /* must be first */
	struct model *model;
	struct sample sample;
	struct alert alert;
	struct trigger trigger;
	struct openmetrics metrics;
	struct facts_all facts; /* why */
	bool lags, waits_known, concluded;
	uint64_t chosen_ns; /* why: for how long the focus was chosen */
};

static struct sample *take(struct loop *l)
{
	return &((struct run *)l)->sample;
}

static void conclude(struct run *run);

static void end(struct loop *l, int err)
{
	struct run *run = (struct run *)l;

	if (!err && l->options->why)
		conclude(run);
	else if (err)
		loop_fail(l, "cannot read: %s", strerror(-err));
	else
		l->status = 0;
}

/* Between readings: whether stdout still has a reader. */
static nfds_t prepare(struct loop *l, struct pollfd *fds)
{
	bool writes = l->options->output != OUTPUT_NONE || l->options->streams;

	fds[0] = (struct pollfd){ writes ? STDOUT_FILENO : -1, 0, 0 };
	return 1;
}

static void ready(struct loop *l, const struct pollfd *fds)
{
	if (fds[0].revents & (POLLERR | POLLHUP | POLLNVAL))
		l->status = 0;
}

static void write_out(struct loop *l, const char *text, size_t len)
{
	ssize_t n;

	while (len > 0) {
		struct pollfd out = { STDOUT_FILENO, POLLOUT, 0 };

		loop_wait(l, &out, 1, false);
		if (l->status == LOOP_ON)
			ready(l, &out);
		if (l->status != LOOP_ON)
			return;
		if (!out.revents)
			continue;
		n = write(STDOUT_FILENO, text, len < PIPE_CHUNK ? len : PIPE_CHUNK);
		if (n < 0 && (errno == EPIPE || errno == EIO)) {
			l->status = 0;
			return;
		}
		if (n < 0 && errno != EINTR && errno != EAGAIN) {
			loop_fail(l, "cannot write to stdout: %s", strerror(errno));
			return;
		}
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
}

static int put_reading(FILE *out, struct run *run)
{
	const struct options *o = run->loop.options;

	if (o->output == OUTPUT_JSON)
		return batch_json(out, o, run->model);
	if (o->output == OUTPUT_CSV)
		return batch_csv(out, o, run->model, run->loop.readings == 1);
	return batch_text(out, o, run->model);
}

static int put_verdict(FILE *out, struct run *run)
{
	const struct sample *s = model_sample(run->model);
	struct verdict v;
	int err = verdict_make(&v, &run->facts);

	run->lags = v.n > 0;
	run->waits_known = v.waits_known;
	if (err)
		return err;
	if (run->loop.options->output == OUTPUT_JSON)
		return verdict_json(out, &v, s, run->chosen_ns);
	return verdict_text(out, &v, s);
}

static void output(struct run *run, int (*put)(FILE *out, struct run *run))
{
	size_t len = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &len);
	int err = -ENOMEM;

	if (out) {
		err = put(out, run);
		if (fclose(out) && !err)
			err = -ENOMEM;
	}
	if (err)
		loop_fail(&run->loop, "cannot write a reading: %s", strerror(-err));
	else
		write_out(&run->loop, text, len);
	free(text);
}

/* The verdict ends it. */
static void conclude(struct run *run)
{
	struct loop *l = &run->loop;

	if (!run->facts.readings) {
		loop_fail(l, "%s holds no reading there", l->options->replay);
		return;
	}
	run->concluded = true;
	output(run, put_verdict);
	if (l->status == LOOP_ON && !run->lags && !run->waits_known)
		loop_fail(l, "waits are not known: the sched family is off");
	if (l->status == LOOP_ON)
		l->status = run->lags ? LAGS_STATUS : 0;
}

/* The first reading of this machine chooses the focus; a recording's are in focus already. */
static void reading_for_why(struct run *run, const struct sample *s)
{
	struct loop *l = &run->loop;
	double step_ns = l->delay_s * 1e9;
	int err;

	if (l->source->live && l->readings == 1) {
		run->chosen_ns = s->interval_ns;
		return;
	}
	err = facts_add(&run->facts, run->model);
	if (err)
		loop_fail(l, "cannot keep a reading: %s", strerror(-err));
	else if ((double)run->facts.interval_ns + step_ns / 2 >= l->options->delay_s * 1e9)
		conclude(run);
}

static void write_metrics(struct run *run)
{
	const struct options *o = run->loop.options;
	int err = o->openmetrics ? openmetrics_write(&run->metrics, o, run->model) : 0;

	if (err)
		loop_fail(&run->loop, "cannot write to %s: %s", o->openmetrics, strerror(-err));
}

/* --fail-if: the rows that have matched it for long enough go to stderr. */
static void check_alert(struct run *run)
{
	const struct options *o = run->loop.options;
	char text[ALERT_CELLS * 4 + 1];
	struct row **rows = NULL;
	int n, failed;

	if (!o->fail.text)
		return;
	n = batch_rows(o, run->model, &rows);
	failed = n < 0 ? n : alert_check(&run->alert, rows, n);
	if (failed > 0) {
		format_clean(text, sizeof(text), o->fail.text, ALERT_CELLS, true);
		fprintf(stderr, "lagtop: --fail-if '%s' matches:\n", text);
		failed = batch_table(stderr, o, rows, failed);
		run->loop.status = failed ? LOOP_ON : ALERT_STATUS;
	}
	free(rows);
	if (failed < 0)
		loop_fail(&run->loop, "cannot check --fail-if: %s", strerror(-failed));
}

static void reading(struct loop *l, struct sample *s)
{
	struct run *run = (struct run *)l;
	int err = model_update(run->model, s);

	if (err) {
		loop_fail(l, "cannot keep a reading: %s", strerror(-err));
		return;
	}
	err = trigger_check(&run->trigger, l->options, run->model, s, loop_clock_ns());
	if (err < 0)
		loop_fail(l, "--when: %s", strerror(-err));
}

static void recorded(struct loop *l, struct sample *s)
{
	struct run *run = (struct run *)l;
	size_t len;
	const void *packed = recorder_packed(l->record, &len);

	if (packed)
		write_out(l, packed, len);
	if (l->status != LOOP_ON)
		return;
	if (l->source->live) {
		struct ask ask = { .n = 0 };

		ask_options(&ask, l->options, run->model); /* without memory those that lag most remain */
		ask_source(&ask, l->source);
	}
	if (l->options->why) {
		reading_for_why(run, s);
		return;
	}
	if (l->options->output != OUTPUT_NONE)
		output(run, put_reading);
	if (l->status == LOOP_ON)
		write_metrics(run);
	if (l->status == LOOP_ON)
		check_alert(run);
}

static const struct loop_sink sink = {
	.take = take, .reading = reading, .recorded = recorded, .end = end, .prepare = prepare, .ready = ready
};

/* Whether it did all that it was asked for: so many readings, or a whole recording. */
static bool is_complete(const struct loop *l)
{
	return !l->status && (l->ended || (l->options->iterations && l->readings >= l->options->iterations));
}

/* The time between readings: of a verdict's interval a part of about a second. */
static double delay_of(const struct options *o)
{
	return o->why ? o->delay_s / ceil(o->delay_s) : o->delay_s;
}

int run_batch(const struct options *o, struct source *src, struct recorder *rec, char *why, size_t why_size)
{
	struct run run = { .loop = { .sink = &sink,
				     .options = o,
				     .source = src,
				     .record = rec,
				     .delay_s = delay_of(o),
				     .status = LOOP_ON,
				     .why = why,
				     .why_size = why_size },
			   .alert = { .expression = o->fail.expression, .readings = o->fail.readings },
			   .facts = { .selection = &o->selection, .self_pid = src->live ? (uint32_t)getpid() : 0 } };
	struct loop *l = &run.loop;

	trigger_init(&run.trigger, o);
	run.model = model_new();
	if (run.model)
		loop_run(l);
	else
		loop_fail(l, "out of memory");
	if (!l->status && o->selection.n_pids && !l->saw_pids && !src->live && l->readings)
		loop_fail(l, "%s holds no process of --pid", o->replay);
	if (!l->status && o->why && o->selection.n_pids && run.facts.readings && !run.concluded) {
		l->status = LOOP_ON; /* the processes of --pid have ended before the interval */
		conclude(&run);
	}
	facts_free(&run.facts);
	alert_free(&run.alert);
	trigger_free(&run.trigger);
	openmetrics_close(&run.metrics, o, is_complete(l));
	model_free(run.model);
	sample_free(&run.sample);
	return l->status;
}
