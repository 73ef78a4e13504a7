/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Readings to stdout, without a screen. stdout may block for ever (a stopped reader): every wait also waits for
 * signals.
 */
#include "run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alert.h"
#include "ask.h"
#include "batch.h"
#include "format.h"
#include "loop.h"
#include "openmetrics.h"

#define PIPE_CHUNK 4096 /* a pipe that polls as writable accepts this many bytes without blocking */

#define ALERT_STATUS 4
#define ALERT_CELLS 500

struct run {
	struct loop loop; /* must be first */
	struct model *model;
	struct sample sample;
	struct alert alert;
	struct openmetrics metrics;
};

static struct sample *take(struct loop *l)
{
	return &((struct run *)l)->sample;
}

static void end(struct loop *l, int err)
{
	if (err)
		loop_fail(l, "cannot read: %s", strerror(-err));
	else
		l->status = 0;
}

/* Between readings: whether stdout still has a reader. */
static nfds_t prepare(struct loop *l, struct pollfd *fds)
{
	fds[0] = (struct pollfd){ l->options->output == OUTPUT_NONE ? -1 : STDOUT_FILENO, 0, 0 };
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

static void output(struct run *run)
{
	const struct options *o = run->loop.options;
	size_t len = 0;
	char *text = NULL;
	FILE *out;
	int err = -ENOMEM;

	if (o->output == OUTPUT_NONE)
		return;
	out = open_memstream(&text, &len);
	if (out) {
		if (o->output == OUTPUT_JSON)
			err = batch_json(out, o, run->model);
		else if (o->output == OUTPUT_CSV)
			err = batch_csv(out, o, run->model, run->loop.readings == 1);
		else
			err = batch_text(out, o, run->model);
		if (fclose(out) && !err)
			err = -ENOMEM;
	}
	if (err)
		loop_fail(&run->loop, "cannot write a reading: %s", strerror(-err));
	else
		write_out(&run->loop, text, len);
	free(text);
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

	if (!o->fail_if)
		return;
	n = batch_rows(o, run->model, &rows);
	failed = n < 0 ? n : alert_check(&run->alert, rows, n);
	if (failed > 0) {
		format_clean(text, sizeof(text), o->fail_if, ALERT_CELLS, true);
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
	if (l->source->live) {
		struct ask ask = { .n = 0 };

		ask_options(&ask, l->options, run->model); /* without memory those that lag most remain */
		ask_source(&ask, l->source);
	}
	output(run);
	if (l->status == LOOP_ON)
		write_metrics(run);
	if (l->status == LOOP_ON)
		check_alert(run);
}

static const struct loop_sink sink = {
	.take = take, .reading = reading, .end = end, .prepare = prepare, .ready = ready
};

int run_batch(const struct options *o, struct source *src, struct recorder *rec, char *why, size_t why_size)
{
	struct run run = { .loop = { .sink = &sink,
				     .options = o,
				     .source = src,
				     .record = rec,
				     .delay_s = o->delay_s,
				     .status = LOOP_ON,
				     .why = why,
				     .why_size = why_size },
			   .alert = { .expression = o->fail_expression, .readings = o->fail_readings } };
	struct loop *l = &run.loop;

	run.model = model_new();
	if (run.model)
		loop_run(l);
	else
		loop_fail(l, "out of memory");
	if (!l->status && o->selection.n_pids && !l->saw_pids && !src->live && l->readings)
		loop_fail(l, "%s holds no process of --pid", o->replay);
	alert_free(&run.alert);
	model_free(run.model);
	sample_free(&run.sample);
	return l->status;
}
