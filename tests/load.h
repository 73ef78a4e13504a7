/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workloads with known numbers, for the live tests and the bench. A workload sets itself up and
 * prints `ready [key=value …]`; each byte on stdin then makes it do its work exactly once and print
 * `done ops=N cpu_ns=N wall_ns=N [key=value …]`; the end of stdin ends it with status 0.
 * Sleepers only print `ready pid=PID` and stay in their call until they are killed.
 */
#ifndef LOAD_H
#define LOAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct workload {
	const char *name, *args; /* args: for the help; its words are counted */
	void (*run)(char **arg);
	const char *help;
};

/* One table per file, each ended by an empty row. */
extern const struct workload load_calls[], load_sched[], load_sleep[], load_net[], load_life[], load_edges[];
extern const struct workload load_disk[], load_sockets[], load_fuse[], load_names[], load_kill[], load_turns[],
	load_ring[], load_requests[], load_sick[], load_locks[];

void load_ready(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool load_go(void); /* waits for a byte and starts the clocks; false: stdin ended */
/* Stops the clocks and prints them. cpu_ns is the process's own, with its reaped children. */
void load_done(long ops, const char *format, ...) __attribute__((format(printf, 2, 3)));
void load_die(const char *what) __attribute__((noreturn)); /* perror and exit 1 */

long load_number(const char *text);
int64_t load_now_ns(void); /* CLOCK_MONOTONIC */
void load_pin(long cpu);   /* the calling thread; -1: anywhere */
pthread_t load_thread(void *(*run)(void *), void *arg);
pid_t load_fork(void); /* a child that dies with its parent */

#endif
