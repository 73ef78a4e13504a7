/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sample: one reading, already subtracted from the reading before. It holds what each thread
 * did in (t_ns − interval_ns, t_ns], complete and self-contained: it has no pointers to outside, so
 * it can be kept, written to a file, read on another machine, and shown in any order.
 *
 * All times are ns. Processes are ordered by pid, then start; each one's threads are contiguous,
 * leader first if it is alive. A thread that did nothing has no work: it spent all of wall_ns in `state`.
 * Texts are offsets into `text`; they are raw bytes from the kernel (hostile), NUL-ended;
 * offset 0 is the empty string. SAMPLE_UNKNOWN in a u64, -1 in an errno-free s64: not known.
 */
#ifndef SAMPLE_H
#define SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "counter.h"
#include "lagtop.h"

#define SAMPLE_NONE UINT32_MAX
#define SAMPLE_UNKNOWN UINT64_MAX

enum sample_family { SAMPLE_SCHED, SAMPLE_SYSCALL, SAMPLE_NET, SAMPLE_TURNS, SAMPLE_DISK, SAMPLE_FAMILIES };
extern const char *const sample_family_name[SAMPLE_FAMILIES];
extern const char *const sample_level_name[LT_LEVELS];

/* A distribution of durations: sparse buckets [first, first + n) of sample.buckets, ascending. */
struct sample_dist {
	uint64_t max_ns; /* exact maximum of the interval; 0 if n == 0 */
	uint32_t first, n;
};

struct sample_bucket {
	uint32_t bucket; /* hist.h */
	uint32_t count;
};

struct sample_errno {
	uint32_t error, count;
};

/* One thread's use of one call. */
struct sample_call {
	uint32_t call; /* LT_CALL(abi, nr) */
	uint32_t errors;
	uint64_t count;	   /* returned in the interval */
	uint64_t total_ns; /* whole durations of those that returned; LT_LEVEL_EXITS: since they left their CPU first */
	uint64_t time_ns;  /* spent in it within the interval, unfinished calls included; likewise */
	uint64_t wait_ns;  /* off-CPU part of time_ns; SAMPLE_UNKNOWN without sched */
	struct sample_dist latency;
	uint32_t first_errno, n_errnos; /* in sample.errnos */
};

/* What a thread did, if it did anything: counters.h has the names. */
struct sample_work {
	union {
		struct {
			COUNTERS_INLINE
			COUNTERS_NET
		};
		uint64_t counter[LT_SOCKET_FIRST];
	};
	union {
		struct {
#define X(NAME, name, ...) struct sample_dist name;
			LT_DISTS_THREAD(X)
#undef X
		};
		struct sample_dist dist[LT_THREAD_DISTS];
	};
	uint32_t first_call, n_calls;	   /* in sample.calls */
	uint32_t first_peer, n_peers;	   /* in sample.peers: whose answers it got */
	uint32_t waker;			   /* pid of who woke it last in the interval; 0: no process, not known */
	uint32_t first_because, n_because; /* in sample.because, in focus: who kept it asleep */
};

struct sample_thread {
	uint32_t tid;
	uint32_t process; /* index into processes */
	uint32_t work;	  /* index into works, or SAMPLE_NONE */
	uint32_t call;	  /* LT_CALL of the current call, or LT_CALL_NONE */
	uint64_t call_age_ns;
	uint64_t wall_ns;  /* lifetime within the interval; Σ time_ns == wall_ns */
	uint64_t start_ns; /* CLOCK_BOOTTIME */
	uint8_t state;	   /* enum lt_state at t_ns; LT_DEAD if it exited in the interval */
	uint8_t flags;
	char comm[16];
};

#define SAMPLE_THREAD_AT_LEAST 1 /* call_age_ns is a lower bound */
#define SAMPLE_THREAD_DEAD 2

/* Turns that are open at t_ns. */
struct sample_open {
	uint64_t n; /* SAMPLE_UNKNOWN: sockets were not looked at */
	uint64_t oldest_ns;
};

/* The other end of connections that a program opened: of a thread, how long it waited for answers; of a process, how
 * its connections are. Each leaves the other's fields unknown. */
struct sample_peer {
	struct lt_peer of;
	uint32_t pid;	     /* its process, if that is on this machine; 0: not known */
	uint64_t overlapped; /* of the answers */
	struct sample_dist upstream;
	struct sample_open open;       /* the thread's: n is SAMPLE_UNKNOWN */
	uint64_t retransmits, srtt_ns; /* SAMPLE_UNKNOWN */
};

/* Network numbers of the process, not of a thread. */
struct sample_socket_sums {
	union {
		struct {
			COUNTERS_SOCKET
		};
		uint64_t counter[LT_N_SOCKET];
	};
	uint64_t srtt_ns;	      /* SAMPLE_UNKNOWN: not measured */
	struct sample_dist connect;   /* latencies of connects that succeeded */
	struct sample_open answers;   /* requests received and not answered */
	struct sample_open upstream;  /* requests sent whose answer has not arrived */
	uint32_t first_peer, n_peers; /* in sample.peers: of connections that were looked at */
};

/* Who kept a process in focus waiting. Recorded: append only.
 * For a CPU: CPU: a process that ran; ASLEEP: the CPU was on its way out of idle; QUOTA: its own; OTHERS: not known, or
 * too many to keep.
 * For something else: HOLDER: a thread that held the lock; CONTENDED: whoever held it; then those that ended the
 * sleep: WAKER, a process; TIMER, NETWORK; INTERRUPT: one of these, or another device; SOMEBODY: as OTHERS. */
enum sample_blame {
	SAMPLE_BLAME_CPU,
	SAMPLE_BLAME_IRQ,
	SAMPLE_BLAME_STEAL,
	SAMPLE_BLAME_ASLEEP,
	SAMPLE_BLAME_QUOTA,
	SAMPLE_BLAME_OTHERS,
	SAMPLE_BLAME_HOLDER,
	SAMPLE_BLAME_CONTENDED,
	SAMPLE_BLAME_WAKER,
	SAMPLE_BLAME_TIMER,
	SAMPLE_BLAME_NETWORK,
	SAMPLE_BLAME_INTERRUPT,
	SAMPLE_BLAME_SOMEBODY,
	SAMPLE_BLAMES
};

/* What outputs call them; what it was that they did. */
extern const char *const sample_blame_name[SAMPLE_BLAMES];
extern const char *const sample_blame_by[SAMPLE_BLAMES];

static inline bool sample_blame_for_cpu(uint32_t kind)
{
	return kind <= SAMPLE_BLAME_OTHERS;
}

/* Which processes: pid is one's. */
static inline bool sample_blame_has_pid(uint32_t kind)
{
	return kind == SAMPLE_BLAME_CPU || kind == SAMPLE_BLAME_HOLDER || kind == SAMPLE_BLAME_WAKER;
}

struct sample_because {
	uint32_t kind;	   /* enum sample_blame */
	uint32_t pid;	   /* CPU, HOLDER, WAKER; 0: outside of the pid namespace that is shown */
	uint64_t start_ns; /* with pid: its identity; 0: not known */
	uint64_t ns;
	uint64_t count; /* of sleeps that ended; not for a CPU */
	uint32_t tid;	/* HOLDER: which thread; else 0 */
	uint32_t state; /* enum lt_state: in which it slept; LT_STATES: in several; for a CPU: LT_WAKEQ */
	char comm[16];	/* "": not known */
};

struct sample_process {
	uint32_t pid, ppid, uid;
	uint32_t threads; /* alive at t_ns, or when it exited */
	uint32_t first_thread, n_threads;
	uint64_t start_ns; /* CLOCK_BOOTTIME */
	int32_t exit_code; /* 0–255, −N for signal N; valid if SAMPLE_PROCESS_EXITED */
	uint32_t flags;
	uint32_t comm, cmdline, cgroup; /* texts; cmdline 0: not readable (kernel thread, gone) */
	uint32_t killed_by;		/* enum lt_killed_by: who sent the signal that ended it */
	uint32_t killer_pid;		/* LT_BY_PROCESS */
	uint32_t killer_comm;		/* likewise; text */
	struct sample_socket_sums sockets;
	uint64_t execs;		 /* 1: it called exec in the interval; SAMPLE_UNKNOWN: an old recording */
	uint64_t focus_since_ns; /* CLOCK_BOOTTIME; 0: it was not in focus in the interval */
	uint64_t moved_ns;	 /* waits after it was moved to another CPU, part of SAMPLE_BLAME_OTHERS */
	/* In sample.because, the greatest first. In focus: those for a CPU add up to its time in wakeq, preempt and
	 * throttled; the others are those of its threads. */
	uint32_t first_because, n_because;
};

#define SAMPLE_PROCESS_EXITED 1
#define SAMPLE_PROCESS_KERNEL 2

struct sample_connection {
	uint8_t proto;				  /* enum lt_proto: LT_TCP or LT_UDP */
	uint8_t family;				  /* 4 or 6 */
	uint8_t state;				  /* TCP_* of the kernel */
	uint8_t changed;			  /* its state differs from the last reading's, or it has closed */
	uint16_t local_port, remote_port;	  /* host order */
	uint8_t local[16], remote[16];		  /* network order; IPv4 in the first four */
	uint32_t pid;				  /* 0: no owner known */
	uint8_t role;				  /* enum lt_role: whose turns */
	uint8_t overlapped, zero[2];		  /* its turns are not single requests */
	uint64_t tx_bytes, rx_bytes, retransmits; /* SAMPLE_UNKNOWN: no earlier iteration over the sockets */
	uint64_t turns, turns_ns, turn_max_ns;	  /* likewise; their number, sum and maximum */
	uint64_t srtt_ns, age_ns;		  /* SAMPLE_UNKNOWN */
	uint32_t tx_queue_bytes, rx_queue_bytes;  /* not of listeners */
	uint64_t accept_queue, accept_queue_max;  /* SAMPLE_UNKNOWN: not a listener's */
	uint64_t accept_oldest_ns; /* how long its first connection has waited; SAMPLE_UNKNOWN: none does */
	uint64_t drops;		   /* SAMPLE_UNKNOWN: neither a listener's nor UDP's, or as tx_bytes */
	uint64_t open_ns;	   /* age of its open turn; SAMPLE_UNKNOWN: none */
	uint64_t netns;		   /* inode of the network namespace */
};

/* A block device in one direction. */
struct sample_disk {
	uint32_t major, minor;
	uint32_t name;	      /* text */
	uint8_t op;	      /* enum lt_disk_op */
	uint8_t groups_known; /* who asked for it, by control group; never of flushes */
	uint32_t first_group, n_groups;
	uint64_t count, bytes, merged; /* that ended; merged: into them, before they began */
	uint64_t time_ns;	       /* the total time of those that completed, in whole ms */
	uint64_t carriers;	     /* of count: without data, only carry a flush; SAMPLE_UNKNOWN without the family */
	uint64_t in_flight, busy_ns; /* of the device, in all directions */
	struct sample_dist latency[LT_DISK_PARTS];
};

/* What a control group asked of it, as the kernel charges it. */
struct sample_disk_group {
	uint64_t id;
	uint64_t count, bytes;
	uint32_t name; /* text: its path; 0: not known */
};

struct sample_lost {
	uint64_t threads; /* without a record: alive, or exited in the interval */
	uint64_t calls, sockets, exits, switches, torn, events;
	/* Of block devices, completed without a known latency, without a known control group; SAMPLE_UNKNOWN: an old
	 * recording. */
	uint64_t requests, groups;
};

static inline uint64_t sample_lost_sum(const struct sample_lost *l)
{
	return l->threads + l->calls + l->sockets + l->exits + l->switches + l->torn + l->events +
	       (l->requests == SAMPLE_UNKNOWN ? 0 : l->requests) + (l->groups == SAMPLE_UNKNOWN ? 0 : l->groups);
}

struct sample_self {
	uint64_t cpu_ns, bpf_ns; /* in the interval; bpf_ns estimated from timed runs, SAMPLE_UNKNOWN */
	uint64_t bpf_runs;	 /* program runs in the interval, estimated likewise */
	uint64_t rss_bytes, map_bytes;
	/* SAMPLE_UNKNOWN: not calibrated yet. CPU time of watching in the interval: cpu_ns, bpf_ns and what the kernel
	 * adds around the programs; the part of it per call, and per switch with the wakeups. */
	uint64_t cost_ns, per_call_ns, per_switch_ns;
	uint8_t over_budget; /* it costs more than it may, and leaving something out would not help */
};

/* A CPU's times as /proc/stat counts them, in clock ticks. All are SAMPLE_UNKNOWN, or none. */
struct sample_cpu_times {
	uint64_t busy_ns;		       /* all but idle; the last three are part of it */
	uint64_t idle_ns;		       /* iowait included */
	uint64_t irq_ns, softirq_ns, steal_ns; /* interrupts, softirqs, what the hypervisor took */
};

/* A CPU that is online, by number. What it did since the reading before is not known if it was offline then. */
struct sample_cpu {
	uint32_t cpu;
	uint8_t runs; /* enum lt_runs, at t_ns */
	char comm[16];
	uint32_t pid, tid;   /* LT_RUNS_THREAD: which; pid 0: outside of the pid namespace that is shown */
	uint32_t queued;     /* threads that wait for it at t_ns; SAMPLE_NONE */
	uint32_t queued_p99; /* of samples taken during the interval; SAMPLE_NONE */
	uint32_t throttled;  /* control groups with threads that wait for quota there at t_ns; SAMPLE_NONE */
	uint64_t run_ns;     /* how long that thread has been running; SAMPLE_UNKNOWN */
	uint64_t switches;   /* SAMPLE_UNKNOWN */
	struct sample_cpu_times times;
};

/* For how long some or all of the threads with work were stalled, as /proc/pressure counts it. */
struct sample_pressure {
	uint64_t some_ns, full_ns; /* SAMPLE_UNKNOWN */
};

enum sample_resource { SAMPLE_CPU, SAMPLE_MEMORY, SAMPLE_IO, SAMPLE_RESOURCES };
extern const char *const sample_resource_name[SAMPLE_RESOURCES];

/* What the network stack dropped, as the kernel counts it for lagtop's own network namespace. X(name): the sum of one
 * or more kernel counters (machine.c). */
#define SAMPLE_STACK(X)                                                                                                \
	X(listen_overflows)  /* connections: the listener's accept queue was full */                                   \
	X(listen_drops)	     /* connections and SYNs: those above, and for other reasons */                            \
	X(syn_queue_drops)   /* SYNs: the listener's SYN queue was full */                                             \
	X(syn_queue_cookies) /* the same, but answered with a cookie */                                                \
	X(syn_cookies_sent)                                                                                            \
	X(syn_cookies_received)                                                                                        \
	X(syn_cookies_failed)                                                                                          \
	X(tcp_receive_drops) /* segments that found no room in a socket's queues */                                    \
	X(udp_receive_drops) /* datagrams likewise */

enum sample_stack {
#define X(name) STACK_##name,
	SAMPLE_STACK(X)
#undef X
		SAMPLE_STACKS
};

enum sample_mark_kind { SAMPLE_MARK_HAND, SAMPLE_MARK_WHEN, SAMPLE_MARKS };
extern const char *const sample_mark_name[SAMPLE_MARKS];

/* A moment worth finding again: of this reading, or of an earlier one that was marked later. */
struct sample_mark {
	uint64_t realtime_ns; /* of the reading that is meant */
	uint32_t kind;
	uint32_t pid; /* 0: of none */
	char expr[64], text[64];
};

struct sample_probe {
	uint8_t on;
	uint8_t level;	  /* of system calls: enum lt_level, the least exact of the interval */
	char by[16];	  /* "tp_btf", "fexit"; empty if off */
	char reason[160]; /* why it is off; if on: what is missing nevertheless, or empty */
};

#define SAMPLE_GAP_SIZE 160

struct sample {
	uint64_t t_ns, interval_ns;
	uint64_t realtime_ns; /* CLOCK_REALTIME at t_ns */
	uint64_t uptime_ns;   /* CLOCK_BOOTTIME at t_ns */
	uint32_t number;      /* 1 for the first */
	uint32_t cpus_online;
	char host[65], kernel[65];
	struct sample_probe probe[SAMPLE_FAMILIES];
	uint64_t forks, execs, exits; /* processes */
	uint64_t retransmits;	      /* segments, whole host */
	struct sample_lost lost;
	struct sample_self self;
	struct sample_cpu_times cpu_times; /* of all CPUs */
	struct sample_pressure pressure[SAMPLE_RESOURCES];
	uint64_t stack[SAMPLE_STACKS]; /* SAMPLE_UNKNOWN */
	bool has_connections;	       /* connections were read for this reading */
	bool has_disks;		       /* and so were the disks */
	bool drops_known; /* connections were read for the reading before, too: receive_drops are the interval's */
	struct counter_set unknown; /* they are 0 below, which is meaningless */
	/* Of a replay, not recorded: the time before the interval of which there is no reading, and why; 0 and "":
	 * none. */
	uint64_t gap_ns;
	char gap_why[SAMPLE_GAP_SIZE];
	bool live; /* read here and now: /proc has more about its processes; not recorded */

	struct sample_process *processes;
	struct sample_thread *threads;
	struct sample_work *works;
	struct sample_call *calls;
	struct sample_bucket *buckets;
	struct sample_errno *errnos;
	struct sample_connection *connections;
	struct sample_peer *peers;
	struct sample_because *because;
	struct sample_cpu *cpus; /* none: not known */
	struct sample_disk *disks;
	struct sample_disk_group *disk_groups;
	struct sample_mark *marks;
	char *text;
	uint32_t n_processes, n_threads, n_works, n_calls, n_buckets, n_errnos, n_connections, n_peers, n_because,
		n_cpus, n_disks, n_disk_groups, n_marks, n_text;
	uint32_t cap_processes, cap_threads, cap_works, cap_calls, cap_buckets, cap_errnos, cap_connections, cap_peers,
		cap_because, cap_cpus, cap_disks, cap_disk_groups, cap_marks, cap_text;
};

/* Empties a sample but keeps its memory for the next reading. */
void sample_clear(struct sample *s);
/* Frees what it owns, but not s itself. A zeroed sample is valid. */
void sample_free(struct sample *s);

/* Each appends one zeroed element and returns it; NULL: out of memory. Earlier pointers may move. */
struct sample_process *sample_add_process(struct sample *s);
struct sample_thread *sample_add_thread(struct sample *s);
struct sample_work *sample_add_work(struct sample *s);
struct sample_call *sample_add_call(struct sample *s);
struct sample_bucket *sample_add_bucket(struct sample *s);
struct sample_errno *sample_add_errno(struct sample *s);
struct sample_connection *sample_add_connection(struct sample *s);
struct sample_peer *sample_add_peer(struct sample *s);
struct sample_because *sample_add_because(struct sample *s);
struct sample_cpu *sample_add_cpu(struct sample *s);
struct sample_disk *sample_add_disk(struct sample *s);
struct sample_disk_group *sample_add_disk_group(struct sample *s);
struct sample_mark *sample_add_mark(struct sample *s);
/* Copies len bytes and a NUL; returns the offset, or 0 when out of memory or len is 0. */
uint32_t sample_add_text(struct sample *s, const char *bytes, size_t len);

/* NULL if every index, range, text and enumeration is valid; else what is wrong (sample_check.c). */
const char *sample_check(const struct sample *s);

static inline const char *sample_text(const struct sample *s, uint32_t offset)
{
	return s->text && offset < s->n_text ? s->text + offset : "";
}

#endif
