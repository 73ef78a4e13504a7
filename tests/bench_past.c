/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What history and recording cost: bytes per hour of a recording at 1 Hz of this machine and of a quiet one, and an
 * hour of a made-up machine with 10,000 processes through both: CPU per reading, memory, bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "child.h"
#include "history.h"
#include "large_sample.h"
#include "proc.h"
#include "record.h"

#define HOUR 3600
#define PROCESSES 10000
#define ACTIVE 100
#define HISTORY_BYTES (32ULL << 20)
#define LOOK_EVERY 100 /* readings */

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* 100 processes that sleep and three that start another every second. */
#define QUIET_PROCESSES 107
static const char quiet_server[] =
	"sleep 86400 | build/tests/load herd 100 >/dev/null & for i in 1 2 3; do while sleep 1; do :; done & done; ";

struct recording {
	char path[32];
	int fd;
	struct child *lagtop;
};

/* apart: in a pid namespace of its own, which ends with lagtop; everything else on the machine is one row. */
static bool start_recording(struct recording *r, bool apart, const char *before, int readings)
{
	char script[400];
	char *argv[] = { (char *)"unshare", (char *)"-p", (char *)"-f", (char *)"--mount-proc",
			 (char *)"sh",	    (char *)"-c", script,	NULL };

	snprintf(r->path, sizeof(r->path), "/tmp/lagtop-bench.XXXXXX");
	r->fd = mkstemp(r->path);
	snprintf(script, sizeof(script), "%sexec ./lagtop --csv -n %d -w %s >/dev/null", before, readings, r->path);
	r->lagtop = r->fd < 0 ? NULL : child_start(apart ? argv : argv + 4, (uid_t)-1);
	return r->lagtop;
}

/* Its bytes, or -1. */
static double end_recording(struct recording *r)
{
	struct stat st;
	int status;

	/* Waits for the end of the output, for as long as it takes. */
	r->lagtop->deadline_ms = -1;
	status = child_wait(r->lagtop) || fstat(r->fd, &st);
	child_free(r->lagtop);
	unlink(r->path);
	close(r->fd);
	return status ? -1 : (double)st.st_size;
}

static void print_recording(const char *what, double bytes, int readings)
{
	printf("%-44s %8.0f bytes a reading, %6.1f MB an hour\n", what, bytes / readings,
	       bytes / readings * HOUR / 1e6);
	fflush(stdout);
}

/* What lagtop records in so many seconds: of this machine; of it as one row, with and without a quiet server. */
static int record_live(int readings)
{
	struct recording whole, with, without;
	double bytes[3];

	if (!start_recording(&whole, false, "", readings) || !start_recording(&with, true, quiet_server, readings) ||
	    !start_recording(&without, true, "", readings))
		return 1;
	bytes[0] = end_recording(&whole);
	bytes[1] = end_recording(&with);
	bytes[2] = end_recording(&without);
	if (bytes[0] < 0 || bytes[1] < 0 || bytes[2] < 0)
		return 1;
	print_recording("this machine", bytes[0], readings);
	print_recording("as one row, beside a quiet server", bytes[1], readings);
	print_recording("as one row", bytes[2], readings);
	printf("a quiet server of %d processes: %.1f MB an hour more\n", QUIET_PROCESSES,
	       (bytes[1] - bytes[2]) / readings * HOUR / 1e6);
	fflush(stdout);
	return 0;
}

/* busy: how many of the processes do something in each reading. */
static int replay_an_hour(uint32_t busy)
{
	double history_ms = 0, record_ms = 0, look_ms = 0, start;
	struct history h = { .max_bytes = HISTORY_BYTES };
	uint64_t rss_bytes = 0, held_bytes = 0;
	char path[] = "/dev/shm/lagtop-bench.XXXXXX", why[200];
	int fd = mkostemp(path, O_CLOEXEC), err = 0;
	struct record *r;
	struct stat st;
	uint32_t n;

	r = fd < 0 ? NULL : record_open(path, why, sizeof(why));
	if (fd >= 0)
		unlink(path);
	for (n = 1; r && n <= HOUR && !err; n++) {
		struct sample *s = history_take(&h);

		if (!s)
			break;
		large_sample_fill(s, n, PROCESSES, busy);
		start = cpu_ms();
		err = record_write(r, s);
		record_ms += cpu_ms() - start;
		start = cpu_ms();
		err = history_add(&h) ? 1 : err;
		history_ms += cpu_ms() - start;
		held_bytes = h.bytes > held_bytes ? h.bytes : held_bytes;
		if (n % LOOK_EVERY)
			continue;
		start = cpu_ms();
		err = history_at(&h, h.n - 1) ? err : 1;
		look_ms += cpu_ms() - start;
		rss_bytes = proc_rss_bytes();
	}
	err |= !r || n <= HOUR || fstat(fd, &st);
	if (!err)
		printf("%d processes, %u of them busy, an hour of readings:\n"
		       "  history    %5.2f ms a reading, %.2f ms to look at one; %.1f MiB at most of %llu, the last %u "
		       "readings\n"
		       "  recording  %5.2f ms a reading, %.0f bytes, %.1f MB an hour\n"
		       "  resident   %.1f MiB\n",
		       PROCESSES, busy, history_ms / HOUR, look_ms * LOOK_EVERY / HOUR, (double)held_bytes / (1 << 20),
		       HISTORY_BYTES >> 20, h.n, record_ms / HOUR, (double)st.st_size / HOUR, (double)st.st_size / 1e6,
		       (double)rss_bytes / (1 << 20));
	record_close(r);
	history_free(&h);
	close(fd);
	return err != 0;
}

int bench_past(int readings)
{
	int status = record_live(readings);

	return replay_an_hour(ACTIVE) | status;
}
