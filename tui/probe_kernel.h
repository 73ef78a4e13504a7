/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The internals of the probe, shared by probe*.c only: its state, and the functions of each part. */
#ifndef PROBE_KERNEL_H
#define PROBE_KERNEL_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <pthread.h>

#include "blame.h"
#include "budget.h"
#include "calibrate.h"
#include "cost.h"
#include "disks.h"
#include "focus.h"
#include "ledger.h"
#include "lookup.h"
#include "machine.h"
#include "memory.h"
#include "probe.h"
#include "proc.h"
#include "sockets.h"

/* After lagtop.h: the skeleton names its types. */
#include "lagtop.skel.h"

struct family {
	bool on, fixed; /* fixed: attached once, through perf, with a capability that is then dropped */
	char by[16];
	char reason[160]; /* why not; if on: what is missing nevertheless */
};

/* Counters of the BPF programs, summed over the CPUs. */
struct totals {
	uint64_t forks, execs, exits, retransmits;
	uint64_t untracked_born, untracked_died;
	uint64_t lost_calls, lost_sockets, lost_switches, lost_events, lost_requests, lost_groups;
	struct cost_timed self[LT_PROGS];
};

#define PROBE_MOVED 8
#define PROBE_DEPTHS 1024

/* [n]: how often n threads were in a CPU's run queue; the last one: or more. */
/* A control group's queue on a CPU. */
struct probe_throttled {
	uint32_t cpu;
	uint64_t queue;
};

struct probe_depths {
	uint32_t count[PROBE_DEPTHS];
};

/* Free list requests of the BPF programs so far, served and refused, at the last check. */
struct probe_demand {
	uint64_t taken, refused;
};

/* probe_cost.c: its thread owns all but `stop` while it runs and is not done. */
struct probe_cost {
	pthread_t thread;
	bool runs, done, stop;
	int cpu;	 /* where it was measured without the programs */
	uint32_t slices; /* still to be measured with them */
	struct calibrate_series without[CALIBRATE_EVENTS], with[CALIBRATE_EVENTS];
	struct cost_timed timed[LT_PROGS]; /* while it was measured with them */
	bool stale;			   /* the level changed meanwhile */
	struct cost_calibration at[LT_LEVELS];
};

/* The hooks of system calls, if they can be detached and attached. */
enum probe_calls {
	CALLS_NEVER,
	CALLS_ATTACHED,
	CALLS_DETACHED,
	CALLS_BEGIN, /* attached since the last reading */
};

struct probe {
	struct source source; /* first: the source is the probe */
	struct lagtop *skel;
	struct family family[SAMPLE_FAMILIES];
	struct counter_set unknown; /* what this kernel does not provide */
	struct bpf_link *seed_link, *seed_sockets_link, *walk_link;
	struct ring_buffer *events;
	enum source_connections connections;
	struct lt_connection *walked; /* [cap_walked]: written by the socket iterator */
	uint32_t cap_walked;
	struct lt_cpu *of_cpu; /* [n_cpus], as last read, for all possible CPUs */
	int n_cpus;
	const struct lt_runqueue *runqueues; /* [n_runqueues], by the CPUs' numbers: written by the iterator */
	struct lt_runqueue *queues;	     /* [n_runqueues]: as of this reading */
	uint32_t n_runqueues;
	struct bpf_program *runqueues_by; /* NULL: this kernel gives no access to them */
	struct bpf_link *runqueues_link;
	const struct lt_focus *focus_cpus; /* [n_runqueues]; NULL: without the scheduler family */
	struct focus focus;
	struct blame blame;
	struct source_process *asked; /* [n_asked]: whom the user wants in focus */
	uint32_t n_asked;
	uint64_t map_bytes;
	char hidepid[32]; /* the option of /proc that hides other users' processes from us; "": none */

	pthread_mutex_t lock;
	pthread_t drainer;
	bool drainer_runs;
	int stop_fd;

	/* Under lock. */
	struct memory room; /* at the last check, minus what was allocated since */
	uint64_t chunk_bytes, call_chunk_bytes, idle_looked_ns;
	uint64_t least_records, least_since_ns; /* the fewest that were free since then */
	uint32_t idle_records;			/* chunks of them that may be freed */
	struct ledger_memory memory;
	struct ledger *ledger;
	struct lookup *lookup; /* processes' names */
	struct machine *machine;
	struct ledger_names names;
	struct lt_event moved[PROBE_MOVED]; /* since the last drain */
	uint32_t n_moved;
	struct sockets *sockets;
	bool sample_cpus;		   /* set without the lock */
	struct probe_throttled *throttled; /* run queues without quota, in which threads wait, as of this reading */
	size_t n_throttled, cap_throttled;
	struct probe_depths *depths; /* [n_runqueues], since the last reading; NULL: none wanted yet */
	uint32_t n_depths;	     /* samples */
	uint64_t events_lost;	     /* for lack of memory */
	uint32_t max_records;	     /* 0: grow as needed */
	uint32_t records_ahead;	     /* kept free besides */
	struct probe_demand records_demand, calls_demand;
	uint64_t seeded_ns, untracked_base, untracked_died_base;
	uint64_t cpus_changed_ns;
	long cpus_online; /* at the last check */

	struct disks *disks; /* NULL: left out */
	/* The programs' tables, LT_* of each; NULL: they are not loaded. */
	struct lt_disk *disk;
	struct lt_disk_group *disk_group;
	struct lt_group_name *group_name;
	struct totals last;
	struct proc_clocks clocks;
	uint64_t t_ns, cpu_ns;
	uint32_t number;
	struct probe_cost cost;
	enum probe_calls calls;
	enum lt_level level; /* of system calls, now */
	enum lt_level shown; /* the least exact since the last reading */
	bool calls_unwanted;
	char calls_reason[160]; /* of the family when it is exact */
	const char *levels;	/* for tests: a digit for each reading, its level; NULL: as wanted */
	struct budget budget;	/* its levels are enum lt_level */
	double calls_ns;	/* what calls cost in the last interval */
	char over[160];		/* why the budget has changed the level */
};

/* Writes the sentence and returns err. */
int __attribute__((format(printf, 4, 5))) probe_fail(char *why, size_t size, int err, const char *format, ...);

/* The same for an error of the kernel: "the kernel refuses WHAT: …", with advice. */
int probe_refused(char *why, size_t size, int err, const char *what);

/* Whether the kernel's types can be read, in words for --check. */
const char *probe_btf(void);

/* probe_load.c: opens, loads and attaches; a family that fails is off, with its reason. probe_close frees
 * everything, also after a failure. 0 or -errno with why. */
int probe_load(struct probe *p, const struct probe_options *o, char *why, size_t why_size);

/* Attaches the programs of a family that were loaded, those of one target or (NULL) all: 0, or -errno and the family is
 * off. */
int probe_attach(struct probe *p, int family, const char *target);
void probe_detach(struct probe *p, int family, const char *target);
/* The programs that are attached only while something is in focus; without them some waits are `moved`. */
void probe_attach_focus(struct probe *p, bool on);

/* probe_family.c: how closely system calls are watched. After a reading: judges it by the budget, and goes to the level
 * that is wanted then. */
void probe_family_begin(struct probe *p);
void probe_family_next(struct probe *p, struct sample *s);

/* probe_iterate.c: runs an iterator's program over all objects. 0 or -errno. */
int probe_iterate(struct bpf_link *link);

/* Runs skipped since the programs were loaded, by family; last those of programs that all families need. */
void probe_skipped(const struct probe *p, uint64_t skipped[SAMPLE_FAMILIES + 1]);

/* The first inner map of each kind, or -1: the outer maps are loaded with them as prototypes. */
struct probe_first {
	int records_fd, calls_fd, walked_fd;
};

/* probe_memory.c: creates the first chunks. */
uint32_t probe_memory_bound(const char *name);
int probe_memory_begin(struct probe *p, struct probe_first *first);
/* Puts the first chunks into the loaded outer maps, and creates as many as the machine's threads need. */
int probe_memory_publish(struct probe *p, const struct probe_first *first);
void probe_memory_close(const struct probe_first *first);
/* Keeps some of each kind free, as far as the memory limits allow. */
void probe_memory_grow(struct probe *p);
/* Frees what was not needed for a while. */
void probe_memory_give_back(struct probe *p, uint64_t now_ns);
void probe_memory_free(struct probe *p);
/* Creates and maps an array map of n elements. Returns its fd or -errno; *at is its memory. */
int probe_memory_create(const char *name, size_t size, uint32_t n, uint32_t flags, void **at);
void probe_memory_unmap(void *at, size_t size, uint32_t n);
uint64_t probe_memory_bytes(size_t size, uint32_t n);

/* A thread that takes no signals. 0 or -errno. */
int probe_thread(pthread_t *thread, void *(*run)(void *), void *arg);

/* probe_cost.c: before the programs are loaded, after it and before they are attached, after each reading. */
void probe_cost_begin(struct probe *p);
void probe_cost_loaded(struct probe *p);
void probe_cost_slice(struct probe *p);
/* The level is another one: its cost is to be measured. */
void probe_cost_again(struct probe *p);
/* By the present level's calibration, or until it has one by that of the level nearest to it. */
const struct cost_calibration *probe_cost_now(const struct probe *p);
/* What a call costs at a level, as a share of what it costs at the present one; negative: not known. */
double probe_cost_share(const struct probe *p, enum lt_level level);
/* Measures everything at once, and prints it. */
void probe_cost_check(struct probe *p, FILE *out);
void probe_cost_free(struct probe *p);

/* probe_disks.c: whether requests are charged to control groups of version 2; before load; after load. */
bool probe_disks_charged(const struct btf *btf);
void probe_disks_choose(struct probe *p, const struct btf *btf);
int probe_disks_map(struct probe *p); /* 0 or -errno */
void probe_disks_free(struct probe *p);

/* probe_names.c: */
int probe_names_start(struct probe *p);
void probe_names_moved(struct probe *p, const struct lt_event *event);
/* Takes the answers so far, and the events. */
void probe_names_take(struct probe *p);

/* probe_sockets.c: creates the first array for the socket iterator's output. */
int probe_sockets_begin(struct probe *p, struct probe_first *first);
/* Puts it into its outer map. */
int probe_sockets_publish(struct probe *p, int fd);
/* Attaches the iterators, and gives sockets that are older than the probes their owner. */
int probe_sockets_start(struct probe *p);
void probe_sockets_want(struct probe *p, enum source_connections want);
/* Iterates over sockets if connections are wanted; moves all that sockets reported into the sample. 0 or -errno. */
int probe_sockets_read(struct probe *p, struct sample *s);
void probe_sockets_free(struct probe *p);

/* probe_focus.c: after the load, */
int probe_focus_start(struct probe *p);
void probe_focus_free(struct probe *p);
/* right after T, now_ns; when the threads were read; and when the reading is whole. 0 or -ENOMEM. */
int probe_focus_read(struct probe *p, uint64_t now_ns);
int probe_focus_fill(struct probe *p, struct sample *s);
void probe_focus_choose(struct probe *p, const struct sample *s);
void probe_focus_ask(struct probe *p, const struct source_process *asked, uint32_t n);

/* probe_cpus.c: where a CPU is among the values of a per-CPU map, which has those that are possible; or -EINVAL. */
int probe_cpus_place(uint32_t cpu);

/* Before load: how many run queues there can be, and by which program this kernel lets them be read. */
void probe_cpus_choose(struct probe *p, const struct btf *btf);
int probe_cpus_start(struct probe *p);
/* A thread waits in a queue that has no quota left. Without memory it is not counted. */
void probe_cpus_throttled(struct probe *p, const struct lt_throttle_look *look);

/* Copies all run queues. 0 or -errno. */
int probe_cpus_read(struct probe *p);
/* Counts their lengths now, and what they were since the last reading. */
void probe_cpus_sample(struct probe *p);
void probe_cpus_fill(struct probe *p, struct sample *s);
void probe_cpus_free(struct probe *p);

#endif
