/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Live tests: `lagtop --json` as a child, its readings, and comparisons with the numbers of the kernel or of the
 * workload itself. A comparison is a line of a table (measured, oracle, difference, allowed) that the runner prints;
 * live_verdict fails the test if a line was out of bounds. pid 1 is never compared: on some virtual machines no
 * tracepoint fires while it is current.
 */
#ifndef LIVE_H
#define LIVE_H

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include "child.h"

#define LIVE_NULL INT64_MIN /* null in the JSON: not known */

struct live {
	struct child *child;
	struct json_object **reading; /* all of them, oldest first */
	size_t n, cap;
};

/* Skips the running test, with the reason, where nothing can be measured: not root, no BPF, no BTF. */
void live_need_bpf(void);
/* Skips under software emulation (LIVE_EMULATED), whose clock is unreliable. */
void live_need_real_time(void);
void live_need_disk(void);
/* How often a workload does something: usually, or under emulation, where everything takes many times longer. */
const char *live_times(const char *usual, const char *emulated);
void live_skip(const char *reason) __attribute__((noreturn));
void live_need_program(const char *name); /* in PATH */

/* `lagtop --json` and these options, after its first reading: everything that follows is counted. With LIVE_NOBODY in
 * the environment user nobody starts it, with file capabilities. */
struct live *live_start(const char *option, ...) __attribute__((sentinel));
/* The same before its first reading, which counts everything that follows: lagtop's timer begins after its probes. */
struct live *live_start_unread(const char *option, ...) __attribute__((sentinel));
/* live_start in a sandbox (sandbox.h; NULL: none), and another program than usual (NULL: no other). */
struct live *live_start_as(void (*sandbox)(void), const char *path, const char *option, ...) __attribute__((sentinel));
/* Skips where lagtop says that this kernel cannot have the net family. */
void live_need_net(struct live *l);
/* Whether the kernel's spin locks sleep: waits for them are waits for locks, also within futex. */
bool live_has_preempt_rt(void);
/* Cuts out of a JSON line what a recording does not hold: the circumstances of processes, "context". */
void live_cut_context(char *line);
struct json_object *live_next(struct live *l); /* the next reading; fails the test if none comes */
void live_past_now(struct live *l);	       /* reads until a reading that was taken after this call */
/* The same, and the number of readings so far: what is done from now on is in the readings from there. */
size_t live_mark(struct live *l);
int live_stop(struct live *l, int signal_number); /* exit status; l stays valid until the test ends */
int live_end_test(void **state);		  /* teardown of each test: frees and kills what it left */

/* The process in a reading, or NULL. With several of one pid the last. */
struct json_object *live_process(struct json_object *reading, int64_t pid);
struct json_object *live_call(struct json_object *process, const char *name); /* a row of its calls, or NULL */
/* A number by its path, "net.tx_bytes"; LIVE_NULL if null; a missing field fails the test. */
int64_t live_get(struct json_object *o, const char *path);
const char *live_text(struct json_object *o, const char *path); /* "" if null */
/* Its sum over the readings from the from-th on, for one process; nulls count as 0. */
int64_t live_sum(struct live *l, size_t from, int64_t pid, const char *path);
/* The same for a call: "getppid" or "i386/getpid", and a field of its row; "errno.EBADF" is one too. */
int64_t live_sum_call(struct live *l, size_t from, int64_t pid, const char *call, const char *path);
/* The same over the connections that are its own. */
int64_t live_sum_connections(struct live *l, int64_t pid, const char *path);
/* Σ of what `lost` says is missing from the numbers, over these readings. */
int64_t live_lost(struct live *l, size_t from);
/* Compares every `call:…` of a workload's `done` line. */
void live_compare_claims(struct live *l, size_t from, int64_t pid, const char *done);

/* One line of the table. Equal within `allowed`, which is in the unit of the numbers. */
bool live_compare(double measured, double oracle, double allowed, const char *what, ...)
	__attribute__((format(printf, 4, 5)));
/* low ≤ measured ≤ high */
bool live_between(double measured, double low, double high, const char *what, ...)
	__attribute__((format(printf, 4, 5)));
void live_verdict(void);

/* One round of a workload after a mark, and its claims compared. */
struct child *live_claims(struct live *l, const char *workload, ...) __attribute__((sentinel));

struct child *live_load(const char **ready, const char *workload, ...) __attribute__((sentinel));
/* The same, after a shell's commands, in a network namespace of its own. */
struct child *live_load_in_namespace(const char *prepare, const char *workload, const char **ready);
/* A round of a workload that calls through int 0x80, in *load; skips the test where that cannot be. */
const char *live_round_int80(const char *workload, const char *n, struct child **load);
char *live_round(struct child *load); /* fails the test where child_round would return NULL */

int64_t live_now_ns(void);			      /* CLOCK_REALTIME */
int64_t live_reading_ns(struct json_object *reading); /* its `time`, likewise */
/* Number in /proc/PID/FILE behind a word ("voluntary_ctxt_switches:"), or -1. */
int64_t live_proc(int64_t pid, const char *file, const char *word);
/* The i-th number (from 0) of the first line of a file, or -1. */
int64_t live_field(const char *path, int i);
/* Writes a file of a control group or of /sys; fails the test where it cannot. */
void live_write(const char *dir, const char *file, const char *text);
bool live_try_write(const char *dir, const char *file, const char *text); /* false: it cannot, see errno */

#define live_main(tests) live_run(#tests, tests, sizeof(tests) / sizeof(*(tests)))
int live_run(const char *name, const struct CMUnitTest *tests, size_t n);
#define live_test(f) cmocka_unit_test_teardown(f, live_end_test)

#endif
