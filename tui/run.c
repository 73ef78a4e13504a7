/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loop without a screen. Readings lie on a grid of absolute times, so delays do not add up;
 * a grid point that was missed is left out, not made up for. stdout may block for ever (a stopped
 * reader): every wait also waits for the signals.
 */
#include "run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "alert.h"
#include "batch.h"
#include "format.h"
#include "openmetrics.h"
#include "signals.h"

#define PIPE_CHUNK 4096 /* a pipe that polls writable takes that much without blocking */

#define ALERT_STATUS 4
#define ALERT_CELLS 500

enum run_end { RUN_ON, RUN_QUIET, RUN_SIGNAL, RUN_FAILED, RUN_ALERT };

struct run {
	const struct options *options;
	struct source *source;
	struct record *record;
	struct model *model;
	struct sample sample;
	struct alert alert;
	struct openmetrics metrics;
	uint64_t readings;
	bool waits; /* a recording that still grows was read to its end */
	bool saw_pids;
	int timer_fd, signal_fd;
	int signal; /* RUN_SIGNAL: which */
	char *why;
	size_t why_size;
};

static enum run_end __attribute__((format(printf, 2, 3))) fail(struct run *run, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(run->why, run->why_size, fmt, args);
	va_end(args);
	return RUN_FAILED;
}

static enum run_end take_signal(struct run *run)
{
	struct signalfd_siginfo info;

	if (read(run->signal_fd, &info, sizeof(info)) != sizeof(info))
		return RUN_ON;
	if (info.ssi_signo == SIGINT)
		return RUN_QUIET;
	run->signal = (int)info.ssi_signo;
	return RUN_SIGNAL;
}

/* Waits until the timer has expired or stdout takes bytes, whichever is asked for. */
static enum run_end wait_for(struct run *run, bool timer, bool *output_ready)
{
	struct pollfd fds[] = {
		{ run->signal_fd, POLLIN, 0 },
		{ run->options->output == OUTPUT_NONE ? -1 : STDOUT_FILENO, timer ? 0 : POLLOUT, 0 },
		{ timer ? run->timer_fd : -1, POLLIN, 0 },
	};
	uint64_t expirations;

	for (;;) {
		if (poll(fds, 3, -1) < 0) {
			if (errno == EINTR)
				continue;
			return fail(run, "cannot wait: %s", strerror(errno));
		}
		if (fds[0].revents)
			return take_signal(run);
		if (fds[1].revents & (POLLERR | POLLHUP | POLLNVAL))
			return RUN_QUIET;
		if (fds[1].revents) {
			*output_ready = true;
			return RUN_ON;
		}
		if (fds[2].revents && read(run->timer_fd, &expirations, sizeof(expirations)) > 0)
			return RUN_ON;
	}
}

static enum run_end write_out(struct run *run, const char *text, size_t len)
{
	enum run_end end;
	bool ready;
	ssize_t n;

	while (len > 0) {
		ready = false;
		end = wait_for(run, false, &ready);
		if (end != RUN_ON)
			return end;
		if (!ready)
			continue;
		n = write(STDOUT_FILENO, text, len < PIPE_CHUNK ? len : PIPE_CHUNK);
		if (n < 0 && (errno == EPIPE || errno == EIO))
			return RUN_QUIET;
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return fail(run, "cannot write to stdout: %s", strerror(errno));
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return RUN_ON;
}

static enum run_end output(struct run *run)
{
	const struct options *o = run->options;
	enum run_end end;
	size_t len = 0;
	char *text = NULL;
	FILE *out;
	int err = -ENOMEM;

	if (o->output == OUTPUT_NONE)
		return RUN_ON;
	out = open_memstream(&text, &len);
	if (out) {
		if (o->output == OUTPUT_JSON)
			err = batch_json(out, o, run->model);
		else if (o->output == OUTPUT_CSV)
			err = batch_csv(out, o, run->model, run->readings == 1);
		else
			err = batch_text(out, o, run->model);
		if (fclose(out) && !err)
			err = -ENOMEM;
	}
	end = err ? fail(run, "cannot write a reading: %s", strerror(-err)) : write_out(run, text, len);
	free(text);
	return end;
}

static enum run_end write_metrics(struct run *run)
{
	const struct options *o = run->options;
	int err = o->openmetrics ? openmetrics_write(&run->metrics, o, run->model) : 0;

	return err ? fail(run, "cannot write to %s: %s", o->openmetrics, strerror(-err)) : RUN_ON;
}

/* --fail-if: the rows that have fulfilled it for long enough go to stderr. */
static enum run_end check_alert(struct run *run)
{
	const struct options *o = run->options;
	char text[ALERT_CELLS * 4 + 1];
	struct row **rows = NULL;
	int n, failed;

	if (!o->fail_if)
		return RUN_ON;
	n = batch_rows(o, run->model, &rows);
	failed = n < 0 ? n : alert_check(&run->alert, rows, n);
	if (failed > 0) {
		format_clean(text, sizeof(text), o->fail_if, ALERT_CELLS, true);
		fprintf(stderr, "lagtop: --fail-if '%s' is fulfilled:\n", text);
		failed = batch_table(stderr, o, rows, failed);
		failed = failed ? failed : 1;
	}
	free(rows);
	return failed < 0 ? fail(run, "cannot check --fail-if: %s", strerror(-failed)) : failed ? RUN_ALERT : RUN_ON;
}

/* Whether one of -p's processes is still there; notes that one was. */
static bool pids_alive(struct run *run, const struct sample *s)
{
	bool alive = false;
	uint32_t p;
	size_t i;

	for (p = 0; p < s->n_processes; p++)
		for (i = 0; i < run->options->selection.n_pids; i++)
			if (s->processes[p].pid == run->options->selection.pids[i]) {
				run->saw_pids = true;
				alive |= !(s->processes[p].flags & SAMPLE_PROCESS_EXITED);
			}
	return alive;
}

/* One reading, from the source to stdout. */
static enum run_end take_reading(struct run *run)
{
	struct sample *s = &run->sample;
	const struct options *o = run->options;
	enum run_end end;
	bool alive;
	int err;

	err = run->source->read(run->source, s);
	run->waits = err == -EAGAIN;
	if (run->waits)
		return RUN_ON;
	if (err < 0)
		return fail(run, "cannot read: %s", strerror(-err));
	if (err == 0)
		return RUN_QUIET;
	run->readings++;
	err = run->record ? record_write(run->record, s) : 0;
	if (err)
		return fail(run, "cannot write to %s: %s", o->record, strerror(-err));
	err = model_update(run->model, s);
	if (err)
		return fail(run, "cannot keep a reading: %s", strerror(-err));
	alive = pids_alive(run, s);
	end = output(run);
	if (end == RUN_ON)
		end = write_metrics(run);
	if (end == RUN_ON)
		end = check_alert(run);
	if (end != RUN_ON)
		return end;
	if (o->selection.n_pids && !alive && (run->source->live || run->saw_pids))
		return RUN_QUIET;
	return o->iterations && run->readings >= o->iterations ? RUN_QUIET : RUN_ON;
}

/* Starts the grid: the first reading a delay from now. */
static int start_timer(struct run *run)
{
	uint64_t delay_ns = (uint64_t)(run->options->delay_s * 1e9), first_ns;
	struct itimerspec grid = { 0 };
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	first_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec + delay_ns;
	grid.it_value.tv_sec = (time_t)(first_ns / 1000000000);
	grid.it_value.tv_nsec = (long)(first_ns % 1000000000);
	grid.it_interval.tv_sec = (time_t)(delay_ns / 1000000000);
	grid.it_interval.tv_nsec = (long)(delay_ns % 1000000000);
	run->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	return run->timer_fd < 0 ? -1 : timerfd_settime(run->timer_fd, TFD_TIMER_ABSTIME, &grid, NULL);
}

int run_batch(const struct options *o, struct source *src, struct record *rec, char *why, size_t why_size)
{
	struct run run = { .options = o,
			   .source = src,
			   .record = rec,
			   .timer_fd = -1,
			   .why = why,
			   .why_size = why_size,
			   .alert = { .expression = o->fail_expression, .readings = o->fail_readings } };
	enum run_end end = RUN_ON;
	bool unused;

	run.signal_fd = signals_open(false);
	run.model = model_new();
	if (run.signal_fd < 0 || start_timer(&run))
		end = fail(&run, "cannot wait for signals and time: %s", strerror(errno));
	else if (!run.model)
		end = fail(&run, "out of memory");
	while (end == RUN_ON) {
		if (src->live || run.waits)
			end = wait_for(&run, true, &unused);
		if (end == RUN_ON)
			end = take_reading(&run);
	}
	if (end == RUN_QUIET && o->selection.n_pids && !run.saw_pids && !src->live && run.readings)
		end = fail(&run, "%s holds no process of --pid", o->replay);
	alert_free(&run.alert);
	model_free(run.model);
	sample_free(&run.sample);
	if (run.timer_fd >= 0)
		close(run.timer_fd);
	if (run.signal_fd >= 0)
		close(run.signal_fd);
	switch (end) {
	case RUN_FAILED:
		return 1;
	case RUN_SIGNAL:
		return 128 + run.signal;
	case RUN_ALERT:
		return ALERT_STATUS;
	default:
		return 0;
	}
}
