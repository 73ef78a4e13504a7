/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Servers under a steady load, one at a time: started, counted from outside, stopped without a trace. */
#ifndef BENCH_LOADS_H
#define BENCH_LOADS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct bench_load {
	const char *name;
	bool (*start)(void);
	const char *port;   /* of a TCP server: its requests are counted there */
	double per_request; /* what is counted, for each request */
};

extern const struct bench_load bench_loads[];
extern const size_t n_bench_loads;

/* Since their start: CPU time of the server with all its processes, and of its load generator. */
struct bench_count {
	double requests, server_ns, client_ns;
};

/* False: one of them has ended. */
bool bench_load_count(const struct bench_load *load, struct bench_count *count);
/* The server's processes now; returns how many. */
size_t bench_load_pids(pid_t *pids, size_t max);
/* Also after a start that failed. */
void bench_load_stop(void);

#endif
