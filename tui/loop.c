/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loop of readings: see loop.h. */
#include "loop.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "context.h"
#include "names.h"
#include "signals.h"

uint64_t loop_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void loop_fail(struct loop *l, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(l->why, l->why_size, format, args);
	va_end(args);
	l->status = 1;
}

/* Readings are at multiples of the delay: a late one does not shift the next, and a missed one is skipped. */
int loop_set_timer(struct loop *l)
{
	uint64_t delay_ns = (uint64_t)(l->delay_s * 1e9), first_ns = delay_ns;
	struct itimerspec grid = { 0 };

	if (l->manual)
		return 0;
	if (!l->readings && l->sink->first_ns && l->sink->first_ns < delay_ns)
		first_ns = l->sink->first_ns;
	first_ns += loop_clock_ns();
	grid.it_value.tv_sec = (time_t)(first_ns / 1000000000);
	grid.it_value.tv_nsec = (long)(first_ns % 1000000000);
	grid.it_interval.tv_sec = (time_t)(delay_ns / 1000000000);
	grid.it_interval.tv_nsec = (long)(delay_ns % 1000000000);
	return timerfd_settime(l->timer_fd, TFD_TIMER_ABSTIME, &grid, NULL) ? -errno : 0;
}

static void take_signals(struct loop *l)
{
	struct signalfd_siginfo info;

	while (l->status == LOOP_ON && read(l->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGINT)
			l->status = 0;
		else if (!l->sink->signal || !l->sink->signal(l, (int)info.ssi_signo))
			l->status = 128 + (int)info.ssi_signo;
	}
}

bool loop_wait(struct loop *l, struct pollfd *fds, nfds_t n, bool timer)
{
	int stream_fd = l->ended || !timer || !l->source->stream_fd ? -1 : l->source->stream_fd;
	bool at_once = stream_fd >= 0 && l->arrived; /* more than was read may be in memory already */
	struct pollfd all[LOOP_FDS + 3];
	uint64_t expirations;

	memcpy(all, fds, n * sizeof(*fds));
	all[n] = (struct pollfd){ l->signal_fd, POLLIN, 0 };
	all[n + 1] = (struct pollfd){ timer ? l->timer_fd : -1, POLLIN, 0 };
	all[n + 2] = (struct pollfd){ stream_fd, POLLIN, 0 };
	while (poll(all, n + 3, at_once ? 0 : -1) < 0) {
		if (errno == EINTR)
			continue;
		loop_fail(l, "cannot wait: %s", strerror(errno));
		return false;
	}
	memcpy(fds, all, n * sizeof(*fds));
	l->arrived |= all[n + 2].revents;
	if (all[n].revents)
		take_signals(l);
	return l->status == LOOP_ON && all[n + 1].revents &&
	       read(l->timer_fd, &expirations, sizeof(expirations)) == sizeof(expirations);
}

/* Whether one of -p's processes is still present; remembers whether one was. */
static bool pids_alive(struct loop *l, const struct sample *s)
{
	const struct selection *of = &l->options->selection;
	bool alive = false;

	for (uint32_t p = 0; p < s->n_processes; p++)
		for (size_t i = 0; i < of->n_pids; i++)
			if (s->processes[p].pid == of->pids[i]) {
				l->saw_pids = true;
				alive |= !(s->processes[p].flags & SAMPLE_PROCESS_EXITED);
			}
	return alive;
}

/* The processes of -p have exited or never existed. In a recording, the user may still step back. */
static bool pids_gone(struct loop *l, const struct sample *s)
{
	if (!l->options->selection.n_pids || pids_alive(l, s))
		return false;
	return l->source->live || (l->saw_pids && !l->sink->interactive);
}

void loop_read(struct loop *l)
{
	const struct options *o = l->options;
	struct sample *s;
	bool gone;
	int err;

	if (l->ended)
		return;
	s = l->sink->take(l);
	if (!s) {
		loop_fail(l, "cannot keep a reading: %s", strerror(ENOMEM));
		return;
	}
	err = l->source->read(l->source, s);
	l->waits = err == -EAGAIN;
	if (l->waits)
		return;
	if (err < 0 && l->source->live) {
		loop_fail(l, "cannot read: %s", strerror(-err));
		return;
	}
	if (err <= 0) {
		l->ended = true;
		l->sink->end(l, err);
		return;
	}
	l->readings++;
	names_update();
	context_update();
	gone = pids_gone(l, s);
	l->sink->reading(l, s);
	if (l->status != LOOP_ON)
		return;
	err = l->record ? recorder_write(l->record, s) : 0;
	if (err) {
		loop_fail(l, "cannot write to %s: %s", o->record, strerror(-err));
		return;
	}
	if (l->sink->recorded)
		l->sink->recorded(l, s);
	if (l->status == LOOP_ON && (gone || (o->iterations && l->readings >= o->iterations)))
		l->status = 0;
}

/* All that has come through a stream: the newest reading is the one that is shown. */
static void read_stream(struct loop *l)
{
	for (int i = 0; l->arrived && i < LOOP_AT_ONCE && l->status == LOOP_ON; i++) {
		loop_read(l);
		l->arrived = !l->waits && !l->ended;
	}
}

static void run(struct loop *l)
{
	struct pollfd fds[LOOP_FDS];
	bool timed = l->source->live || l->sink->interactive;

	l->arrived = l->source->stream_fd; /* with the header that was read */
	if (l->status == LOOP_ON && !l->source->live && !l->source->stream_fd &&
	    l->sink->interactive) /* its first reading is already available */
		loop_read(l);
	while (l->status == LOOP_ON) {
		nfds_t n;
		bool now;

		if (!timed && !l->waits && !l->source->stream_fd) {
			loop_read(l);
			continue;
		}
		n = l->sink->prepare(l, fds);
		now = loop_wait(l, fds, n, true);
		if (l->status == LOOP_ON)
			l->sink->ready(l, fds);
		if (l->source->stream_fd)
			read_stream(l);
		else if (now && l->status == LOOP_ON)
			loop_read(l);
	}
}

void loop_run(struct loop *l)
{
	l->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	l->signal_fd = signals_open(l->options->output == OUTPUT_SCREEN);
	if (l->timer_fd < 0 || l->signal_fd < 0 || loop_set_timer(l))
		loop_fail(l, "cannot wait for signals and time: %s", strerror(errno));
	else
		run(l);
	if (l->timer_fd >= 0)
		close(l->timer_fd);
	if (l->signal_fd >= 0)
		close(l->signal_fd);
}
