/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The probe's inside, shared by probe*.c only: its state, and what each part does for the others. */
#ifndef PROBE_KERNEL_H
#define PROBE_KERNEL_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <pthread.h>

#include "ledger.h"
#include "probe.h"
#include "sockets.h"

/* After lagtop.h: the skeleton names its types. */
#include "lagtop.skel.h"

struct family {
	bool on;
	char by[16];
	char reason[160]; /* why not; if on: what is missing all the same */
};

/* Counters of the kernel side, added up over the CPUs. */
struct totals {
	uint64_t forks, execs, exits, retransmits;
	uint64_t untracked_born, untracked_died;
	uint64_t lost_calls, lost_sockets, lost_switches, lost_events;
	uint64_t self_runs, self_ns;
};

struct probe {
	struct source source; /* first: the source is the probe */
	struct lagtop *skel;
	struct family family[SAMPLE_FAMILIES];
	struct bpf_link *seed_link, *seed_sockets_link, *walk_link;
	struct ring_buffer *events;
	enum source_connections connections;
	uint64_t map_bytes;

	pthread_mutex_t lock;
	pthread_t drainer;
	bool drainer_runs;
	int stop_fd;

	/* Under lock. */
	struct ledger_memory memory;
	struct ledger *ledger;
	struct sockets *sockets;
	uint64_t events_lost; /* no memory for them */
	uint32_t max_records; /* 0: grow as needed */
	uint64_t seeded_ns, untracked_base, untracked_died_base;

	struct totals last;
	uint64_t t_ns, cpu_ns;
	uint32_t number;
};

/* Writes the sentence and returns err. */
int __attribute__((format(printf, 4, 5))) probe_fail(char *why, size_t size, int err, const char *format, ...);

/* The same for what the kernel answered: "the kernel refuses WHAT: …", with what to do about it. */
int probe_refused(char *why, size_t size, int err, const char *what);

/* probe_load.c: opens, loads and attaches; a family that fails is off, with its reason. What was made stays for
 * probe_close, also on failure. 0 or -errno with why. */
int probe_load(struct probe *p, const struct probe_options *o, char *why, size_t why_size);

/* By family, those of all families last, since they were loaded. */
void probe_skipped(const struct probe *p, uint64_t skipped[SAMPLE_FAMILIES + 1]);

/* probe_memory.c: makes the first chunk of each kind; the outer maps are loaded with them as prototypes. */
int probe_memory_begin(struct probe *p, int *records_fd, int *calls_fd);
/* Hands the loaded outer maps their first chunks, and makes as many as the machine's threads need. */
int probe_memory_publish(struct probe *p, int records_fd, int calls_fd);
/* Keeps some of each kind free. */
void probe_memory_grow(struct probe *p);
void probe_memory_free(struct probe *p);
uint64_t probe_memory_left(const struct lt_stack *stack);

#endif
