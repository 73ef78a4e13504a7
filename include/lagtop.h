/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The records that the BPF programs fill and the front end reads through mmap.
 *
 * Everything that happens to a thread is added to that thread's own record, without atomics.
 * Counters only grow; they are not reset while the record is in use. All times are ns of
 * CLOCK_MONOTONIC unless a name says otherwise. A record outlives its thread: it ends in
 * LT_DEAD and is kept until the front end has read it and returned it to the free list.
 *
 * Writers: `sched` only lt_switch, lt_wakeup and lt_wakeup_new (under the run queue's lock, or
 * the thread itself with interrupts off), but its waking_ns and waker only lt_waking (under pi_lock); `calls` and `net`
 * only the thread itself; `who` only lt_newtask and the seeding iterator before the record is published, then the
 * thread itself.
 */
#ifndef LAGTOP_H
#define LAGTOP_H

#include "counters.h"

/* The word: since when (ns) and in which state, in one store. 0: the record is free. */
#define LT_STATE_BITS 4
#define LT_WORD(since_ns, state) ((__u64)(since_ns) << LT_STATE_BITS | (state))
#define LT_WORD_SINCE(word) ((word) >> LT_STATE_BITS)
#define LT_WORD_STATE(word) ((word) & ((1 << LT_STATE_BITS) - 1))
/* A wait for a CPU; how much of it is LT_THROTTLED is known at its end. */
#define LT_FOR_CPU(state) ((state) == LT_WAKEQ || (state) == LT_PREEMPT)

/* Which system call table a number belongs to. */
enum lt_abi { LT_ABI_NATIVE, LT_ABI_COMPAT, LT_ABI_X32, LT_ABI_OTHERS };

/* A call: number and abi in one u32. Numbers above 4094 are folded to 4095 ("#4095" and up). */
#define LT_NR_BITS 12
#define LT_NR_FOLDED ((1 << LT_NR_BITS) - 1)
#define LT_CALL(abi, nr) ((__u32)(abi) << LT_NR_BITS | (nr))
#define LT_CALL_NR(call) ((call)&LT_NR_FOLDED)
#define LT_CALL_ABI(call) ((call) >> LT_NR_BITS & 3)
#define LT_CALL_NONE 0xffffffffU

/* The number of different calls of a thread with an entry of their own; the rest share one, since a program may call
 * any number. */
#define LT_CALLS_LIMIT 128
#define LT_CALL_OTHERS LT_CALL(LT_ABI_OTHERS, LT_NR_FOLDED)

/* The longest event of the current and of the last interval: slot epoch & 1, valid if epoch[] matches. */
struct lt_max {
	__u64 ns[2];
	__u32 epoch[2];
};

/* A maximum and its interval in one word. */
#define LT_MAX_WORD_NS ((1ULL << 48) - 1)
#define LT_MAX_WORD(epoch, ns) ((__u64)(epoch) << 48 | ((ns) < LT_MAX_WORD_NS ? (ns) : LT_MAX_WORD_NS))
#define LT_MAX_WORD_EPOCH(word) ((word) >> 48) /* its low 16 bits */

struct lt_who {
	__u64 task;		/* address of the task_struct: the record's key */
	__u64 born_ns;		/* first wakeup, or seeding */
	__u64 start_ns;		/* thread's start, CLOCK_BOOTTIME */
	__u64 process_start_ns; /* its leader's start, CLOCK_BOOTTIME: with tgid the process's identity */
	/* Equal for threads in the same control groups: the id in the unified hierarchy or, in its root, to cover
	 * version 1, the address of the css_set. */
	__u64 cgroup;
	__u64 cred;		 /* address of its credentials: uid is read again when it differs */
	__u64 base[LT_N_KERNEL]; /* the kernel's counts before the record began; 0 for new threads */
	__u32 tid, tgid;
	union {
		__u32 birth_ppid; /* whose names it inherited */
		__u32 next_free;  /* free list: slot + 1 of the next, 0 at the end */
	};
	__u32 ppid;	   /* at birth; again at exit */
	__u32 uid;	   /* effective; again at switches and exit */
	__s32 exit_status; /* as wait(2) reports it, written at sched_process_exit */
	__u32 flags;
	__u32 changes; /* exec, rename, credentials, control group: read the names again when it differs */
	char comm[16];
};

#define LT_KTHREAD 1	/* kernel thread */
#define LT_SEEDED 2	/* existed before the probes: its waits and calls at that time began earlier */
#define LT_EXECED 8	/* it has called exec: its command line is not its parent's */
#define LT_GROUP_EXIT 4 /* exit_status is the whole process's (exit_group, fatal signal) */
#define LT_LAST 16	/* the exit of this thread ended its process */

/* The throttle clock of a run queue: its total so far, and since when it has been running, on one of the run queue's
 * own clocks; 0: it is stopped. */
struct lt_throttle {
	__u64 total_ns, since_ns;
};

/* lt_throttle's argument and result. */
struct lt_throttle_look {
	__u64 task, queue; /* of a record; wait_queue */
	struct lt_throttle throttle;
	__u64 cpu; /* of the queue */
};

struct lt_sched {
	__u64 time_ns[LT_STATES]; /* completed time in each state; Σ == since − born */
	LT_SCHED_MEMBERS;	  /* counters.h; the kernel's as they were at the last switch-out */
	__u64 call_enter_ns;	  /* enter time of the call that the next three belong to */
	__u64 call_wait_ns;	  /* off-CPU in that call so far */
	__u64 call_sleep_ns;	  /* interruptible sleep, part of it */
	__u32 call_early_ns;	  /* on its CPU in that call before it left first; at most 4 s */
	union {			  /* of the last wait */
		__u8 rt_lock;	  /* in LT_LOCK: for a lock of the kernel, not for one that the call asked for */
		__u8 page_fault;  /* in LT_DISK: in a page fault, not in a call */
	};
	__u8 uses_parts; /* its lt_parts has been written */
	__u8 focus;	 /* its process's slot + 1, set by the front end and lt_newtask; 0: it is not in focus */
	__u8 waits;	 /* slot + 1, | LT_WAITS_*: of the wait for a CPU that is being charged; 0: none is */
	/* When somebody last began to wake it, and who; by lt_waking, under the task's pi_lock. */
	__u64 waking_ns;
	/* tgid << 32 | tid, in the namespace that is shown; 0: it is not in focus, no thread (an interrupt) did, or one
	 * outside. */
	__u64 waker;
	/* The current wait for a CPU: the address of its run queue (0: it is not throttled), that queue's throttle
	 * clock when the wait began, and by how much CLOCK_MONOTONIC is ahead of the clock that it runs on (0: it never
	 * ran). */
	__u64 wait_queue, wait_throttle_ns, wait_clock_ns;
	struct lt_max wakeup_max;
	struct lt_hist wakeup; /* waits from wakeup to CPU */
	/* `waits`: */
	union {
		__u32 wait_cpu; /* where it is counted as waiting */
		__u64 moved_ns; /* LT_WAITS_MOVED: since when it is not */
	};
};

/* Parts of the time in a state. */
struct lt_parts {
	LT_PARTS_MEMBERS;     /* counters.h: of waits and of reclaims that ended */
	__u64 reclaim_run_ns; /* its time on CPUs when the reclaim began that it is in; 0: it is in none */
};

/* The times at a reading's T, saved by the first transition after T: the rest belongs to the next reading. */
struct lt_cut {
	__u64 at_ns;		  /* which T; 0: none yet */
	__u64 word;		  /* since <= T */
	__u64 time_ns[LT_STATES]; /* Σ == since − born */
	__u64 throttled_ns;	  /* of the wait that the word began, up to its end */
};

struct lt_errno_count {
	__u32 error; /* 0: free */
	__u32 count;
};

/* Who sent the signal that ended a process. Stored in recordings: append only. */
enum lt_killed_by { LT_BY_UNKNOWN, LT_BY_PROCESS, LT_BY_OUTSIDE, LT_BY_KERNEL, LT_BY_OOM, LT_BYS };
struct lt_killer {
	__u32 signal;
	__u32 how; /* enum lt_killed_by */
	__u32 pid; /* LT_BY_PROCESS: its process and that one's name */
	char comm[16];
};

/* The other end of a connection that a program opened. */
#define LT_PEER_ADDRESS 40
struct lt_peer {
	/* IPv4, IPv6 in network order; UNIX: the path, or '@' and the abstract name, truncated to end with a NUL. */
	char address[LT_PEER_ADDRESS];
	__u32 netns; /* not for UNIX */
	__u32 pid;   /* UNIX: the process that listens; 0: not known */
	__u16 port;  /* host order */
	__u8 proto;  /* enum lt_proto; LT_PROTOS: LT_PEER_OTHERS */
	__u8 family; /* 4, 6; 0: UNIX */
};
/* How many peers of a thread have an entry of their own. One that has not answered for LT_PEER_IDLE readings, so that
 * all of its counts have been read, gives its entry to another. */
#define LT_PEERS_LIMIT 64
#define LT_PEER_IDLE 3

#define LT_ERRNOS 3
#define LT_MORE_ERRNOS (HIST_BUCKETS / 2)
#define LT_CALL_ERRNOS 0x80000000U
#define LT_CALL_ARGS 0x40000000U
#define LT_CALL_DIST 0x20000000U /* | enum lt_dist */
#define LT_CALL_KILLER 0x10000000U
#define LT_CALL_PEER 0x08000000U /* | a hash of the peer, LT_PEER_HASH_BITS; all ones: those without an entry */
#define LT_CALL_WHOM 0x04000000U
#define LT_PEER_HASH_BITS 27
#define LT_PEER_OTHERS (LT_CALL_PEER | (LT_CALL_PEER - 1))
#define LT_CALL_SPECIAL (LT_CALL_ERRNOS | LT_CALL_ARGS | LT_CALL_DIST | LT_CALL_KILLER | LT_CALL_PEER | LT_CALL_WHOM)

/* Who kept a thread in focus asleep: who held the lock, else who or what woke it. */
enum lt_whom_kind {
	LT_WHOM_NONE,
	LT_WHOM_HOLDER,	   /* of a lock */
	LT_WHOM_CONTENDED, /* a lock, of an unknown holder */
	LT_WHOM_WAKER,	   /* a process */
	LT_WHOM_TIMER,
	LT_WHOM_NETWORK,
	LT_WHOM_INTERRUPT, /* of another kind, or of one of these */
	LT_WHOM_UNKNOWN,
	LT_WHOM_KINDS
};
struct lt_whom {
	__u64 start_ns; /* its process's */
	__u64 ns;	/* of sleeps that ended */
	__u32 count;
	__u32 tid, tgid; /* in the namespace that is shown; tid: LT_WHOM_HOLDER */
	__u8 kind, state;
	__u16 pad;
};
/* States whose sleeps are charged. */
#define LT_HAS_WHOM(state) ((1 << LT_LOCK | 1 << LT_NET | 1 << LT_POLL | 1 << LT_IO | 1 << LT_BLOCK) >> (state)&1)

#define LT_WHOMS 12
struct lt_because {
	__u64 seq;		/* odd while it is written */
	__u64 since_ns;		/* when the sleep began that the next ones belong to */
	__u64 waker_ns;		/* sched.waking_ns when `waker` was written */
	LT_PARTS_FOCUS_MEMBERS; /* counters.h: of sleeps that ended */
	__u64 others_ns;	/* of those that gave way */
	__u32 others_count;
	__u32 upstream;	      /* its process waited for an answer when the current sleep began */
	struct lt_whom lock;  /* what the current sleep waits for; kind LT_WHOM_NONE: no lock */
	struct lt_whom waker; /* who ends the current sleep */
	struct lt_whom of[LT_WHOMS];
};

#define LT_ARGS_BYTES 496
/* One (thread, call) pair; chained from lt_calls.head by hash. */
struct lt_call {
	__u32 next; /* index + 1 of the next in the chain or free list; 0: end */
	__u32 call; /* LT_CALL, or special. | LT_CALL_ERRNOS: only more errnos of that call; LT_CALL_ARGS: the command
		       line; LT_CALL_DIST | enum lt_dist: durations that have no place in the record; LT_CALL_KILLER;
		       LT_CALL_PEER | hash: how long a peer takes to answer; LT_CALL_WHOM */
	union {
		struct {
			__u64 count, total_ns, wait_ns; /* returned calls; their duration; off-CPU part */
			struct lt_max max;
			__u32 errors;
			/* The bucket + 1 of the first call, which is not in `latency`: many threads make a call only
			 * once, and another cache line of memory that nobody has used costs as much as the call. */
			__u32 first;
			struct lt_errno_count errors_by[LT_ERRNOS]; /* the first errnos seen */
			struct lt_hist latency;			    /* whole duration */
		};
		struct lt_errno_count more_errors[LT_MORE_ERRNOS];
		struct {
			__u32 args_bytes;	  /* more than LT_ARGS_BYTES: the rest was cut off */
			__u32 args_exec;	  /* when, in us: tells one exec from another; never 0 */
			char args[LT_ARGS_BYTES]; /* as exec got them: each ends with a NUL */
		};
		struct {
			struct lt_max hist_max; /* first: in the cache line of `next` and `call` */
			struct lt_hist hist;
			/* LT_CALL_PEER: */
			struct lt_peer peer;
			__u32 peer_overlapped; /* of the answers in hist */
		};
		struct lt_killer killer; /* of the process that ended with this thread */
		struct lt_because because;
	};
};

/* How closely calls are watched: each level leaves out more than the one before. Recorded: append only. */
enum lt_level {
	LT_LEVEL_EXACT,
	LT_LEVEL_SAMPLED, /* of calls that stay on their CPU one in LT_SAMPLED is timed, at random */
	LT_LEVEL_EXITS,	  /* without sys_enter: counts, errors and off-CPU times, no durations */
	LT_LEVEL_OFF,	  /* without sys_exit, too: in which call a thread sleeps */
	LT_LEVELS
};
#define LT_SAMPLED 16

/* enter_ns of a call that is not timed, as long as it stays on its CPU. Later than any time. */
#define LT_UNTIMED (1ULL << 63)

/* What is known about the beginning of the current call. */
enum lt_began {
	LT_BEGAN,	  /* everything, from sys_enter */
	LT_BEGAN_SAMPLE,  /* likewise; if it does not leave its CPU it stands for LT_SAMPLED calls */
	LT_BEGAN_LATE,	  /* it was not timed: enter_ns is when it first left its CPU */
	LT_BEGAN_EARLIER, /* it was before lagtop started */
	LT_BEGAN_ASLEEP,  /* likewise, without a sys_enter: where seccomp asks a supervisor it may follow,
			     on LT_LEVEL_EXITS it does not */
};

/* What an iteration over the threads does with the calls of those that have a record. */
enum lt_seed_calls { LT_SEED_CALLS_NOT, LT_SEED_CALLS_BEGIN, LT_SEED_CALLS_CHECK };

#define LT_CALL_HEADS 16
struct lt_calls {
	__u64 seq;	   /* odd while an exit is being written */
	__u64 enter_ns;	   /* when the current call began; 0: in none; LT_UNTIMED */
	__u32 call;	   /* which */
	__u8 began;	   /* enum lt_began */
	__u8 uses_net;	   /* its lt_net has been written */
	__u8 n_entries;	   /* for different calls, `others` among them; only grows */
	__u8 until_timed;  /* LT_LEVEL_SAMPLED: number of the next call that is timed; 0: not drawn yet */
	__u32 interrupted; /* the last one that restart_syscall would resume */
	__u32 to_restart;  /* + 1: the last one that returned so that it may be restarted or fail with EINTR; 0: none */
	__u64 restart_sp;  /* its thread's stack pointer */
	LT_CALLS_MEMBERS;  /* counters.h: returned calls, calls answered by seccomp, and exit */
	__u32 head[LT_CALL_HEADS];
	struct lt_max service_max;
	struct lt_hist service; /* duration minus interruptible sleep */
};

struct lt_net {
	LT_NET_MEMBERS; /* counters.h */
	/* When this call put its first bytes into the peer's UNIX socket: they arrive before the call returns. 0: none
	 * yet. */
	__u64 unix_sent_ns;
	__u64 peers; /* entries of LT_CALL_PEER, without LT_PEER_OTHERS */
};

/* Who speaks first on a socket, and what its last payload was (turns.bpf.h). */
enum lt_role { LT_ROLE_UNKNOWN, LT_ROLE_SERVER, LT_ROLE_CLIENT, LT_ROLE_PAIR };
enum lt_turn { LT_TURN_NONE, LT_TURN_RECEIVED, LT_TURN_SENT };

/* Stored with each internet socket (BPF socket storage). The owner is the process that used it last;
 * accepted sockets inherit the listener's owner until they are used themselves. */
struct lt_socket {
	/* What each message touches: with the kernel's own word before it, one cache line. */
	__u32 task_group;	  /* the owner's tgid in the initial pid namespace, compared at each use; 0: no owner */
	__u32 tgid;		  /* in the namespace that is shown; 0: outside */
	__u64 arrived_ns;	  /* the first bytes that were not read yet; 0: none */
	__u64 turn_ns;		  /* when `turn` began: the first bytes' arrival or departure */
	__u8 role, turn;	  /* enum lt_role, enum lt_turn (turns.bpf.h) */
	__u8 overlapped;	  /* bytes came while a turn was open: this socket's turns are not single requests */
	__u32 retransmits;	  /* segments (atomic: softirq) */
	__u32 upstream;		  /* its turn is counted in lt_upstream_n; 0: it is not (atomic) */
	__u64 tx_bytes, rx_bytes; /* UDP only (atomic): TCP's are in tcp_sock */

	/* Its turns: responses, or answers to a client; the longest since seen_walk, LT_MAX_WORD. */
	__u64 turns_ns, turn_max;
	__u32 turns;
	__u32 seen_walk; /* the last iteration that reported it */
	__u64 process_start_ns;
	__u64 born_ns;	  /* first seen; 0: before lagtop */
	__u64 connect_ns; /* SYN sent */
	/* What the last iteration reported; like seen_walk written only by the iterator. */
	__u64 seen_tx_bytes, seen_rx_bytes, seen_turns_ns;
	__u32 seen_retransmits, seen_drops, seen_turns;
	__u32 seen_state;
};

/* A connection as reported by the iterator and when its socket is destroyed: what it did since the last report. */
struct lt_connection {
	__u64 process_start_ns, born_ns;
	__u64 tx_bytes, rx_bytes;
	__u64 srtt_ns; /* 0: not measured */
	__u64 open_ns; /* since when a turn is open; 0: none is */
	__u64 turns_ns, turn_max_ns;
	__u64 accept_oldest_ns; /* of listeners: when the first connection of the queue was established; 0: none */
	__u32 tgid, retransmits, turns;
	__u32 tx_queue_bytes, rx_queue_bytes; /* not of listeners */
	__u32 accept_queue, accept_queue_max; /* of listeners: connections */
	__u32 drops;			      /* of UDP and listeners: datagrams, connections */
	__u32 netns;
	__u16 local_port, remote_port;	    /* host order */
	__u8 proto, family, state, changed; /* enum lt_proto; 4 or 6; TCP_*; state differs from the last report */
	__u8 role;			    /* enum lt_role: who is to answer */
	__u8 overlapped;
	union {
		struct {
			__u8 local[16], remote[16];
		};
		/* UNIX, of which only the ends that ask are reported, while they wait: as struct lt_peer. */
		struct {
			char peer_address[LT_PEER_ADDRESS];
			__u32 peer_pid;
		};
	};
};

/* An iteration over all sockets takes as many passes as its array needs; each socket is reported in one of them. */
struct lt_walking {
	__u32 number; /* of this iteration, from 1; set by the front end */
	__u32 all;    /* also report sockets that did nothing; likewise */
	__u32 n;      /* reported in this pass, including those that found no room */
	__u32 looked; /* sockets */
	__u64 t_ns;   /* T, CLOCK_BOOTTIME: sockets of processes that started later are the next reading's */
};
#define LT_WALK_STRETCH 16384 /* sockets that the kernel visits without a pause: some ms */

/* In the ring of events. */
enum lt_event_type {
	LT_EVENT_LOW,
	LT_EVENT_CONNECTED,
	LT_EVENT_CONNECT_FAILED,
	LT_EVENT_RETRANSMITTED,
	LT_EVENT_CLOSED,
	LT_EVENT_MOVED, /* a process moved to another control group: look up its name before it exits */
};
struct lt_event {
	__u32 type;
	__u32 tgid;
	__u64 process_start_ns;
	__u64 value; /* CONNECTED: its duration in ns; RETRANSMITTED: segments */
};
struct lt_closed_event {
	__u32 type; /* LT_EVENT_CLOSED */
	__u32 pad;
	struct lt_connection connection;
};
#define LT_EVENTS_BYTES (512 * 1024)

/* What looking at one thread returns. */
struct lt_look {
	__u32 tid, ppid;
	__u32 memory_locked; /* reading its memory may block for as long as one of its threads wants */
};

/* A CPU's run queue, as the kernel keeps it, copied at a reading. */
struct lt_runqueue {
	__u64 switches;	 /* since the machine booted; 0: nothing is known */
	__u64 since_ns;	 /* of its record: when the one that runs got the CPU; 0: not known */
	__u32 queued;	 /* threads that could run and do not */
	__u32 runs;	 /* enum lt_runs */
	__u32 tid, tgid; /* LT_RUNS_THREAD: which; 0: outside of the pid namespace that is shown */
	char comm[16];
};

enum lt_runs { LT_RUNS_UNKNOWN, LT_RUNS_IDLE, LT_RUNS_THREAD };

/* Requests of block devices, told apart as /proc/diskstats does. */
enum lt_disk_op { LT_DISK_READ, LT_DISK_WRITE, LT_DISK_DISCARD, LT_DISK_FLUSH, LT_DISK_OPS };
/* A request's time: all of it; until the driver gets it; from then on. */
enum lt_disk_part { LT_DISK_TOTAL, LT_DISK_QUEUE, LT_DISK_SERVICE, LT_DISK_PARTS };

#define LT_DISK_KEY(major, minor, op) (((__u64)(major) << 32 | (__u64)(minor)) << 8 | (op) | 1ULL << 63)
#define LT_DISK_KEY_MAJOR(key) ((__u32)((key) >> 40) & 0x7fffff)
#define LT_DISK_KEY_MINOR(key) ((__u32)((key) >> 8))

/* Completed requests of a device in one direction. The front end frees it when the device is gone. */
struct lt_disk {
	__u64 key;	/* 0: free */
	__u64 carriers; /* writes without data, never issued, that end with a flush */
	__u64 max[LT_DISK_PARTS][2];
	struct lt_hist latency[LT_DISK_PARTS];
};
#define LT_DISKS 128	 /* enough for 32 devices with all four directions */
#define LT_DISK_TRIES 16 /* a row is found within this many */

/* What a control group asked of a device in one direction, whoever submitted it: written pages count for the group that
 * dirtied them. The front end frees it. */
struct lt_disk_group {
	__u64 key; /* the group's id and the device's row in the table above; 0: free */
	__u64 count, bytes;
};
#define LT_DISK_GROUPS 1024
#define LT_DISK_ROW_BITS 7
#define LT_DISK_GROUP_KEY(id, row) ((__u64)(id) << LT_DISK_ROW_BITS | (row))
#define LT_DISK_GROUP_ID(key) ((key) >> LT_DISK_ROW_BITS)
#define LT_DISK_GROUP_ROW(key) ((__u32)(key) & ((1 << LT_DISK_ROW_BITS) - 1))

#define LT_GROUP_PARTS_BYTES 512 /* the rest is cut off */
#define LT_GROUP_PART_BYTES 128
/* A group's path, from its own name up; each part ends with a NUL. It outlives the group. */
struct lt_group_name {
	__u64 id;    /* 0: free */
	__u32 bytes; /* of all parts; 0: being written */
	char parts[LT_GROUP_PARTS_BYTES + LT_GROUP_PART_BYTES];
};
#define LT_GROUP_NAMES 256

/*
 * Who runs while a process in focus waits for a CPU. On each CPU, for each slot: how many of its threads wait, and the
 * sum of the times since when; at each switch n * now - sum is charged to the one that ran, and sum becomes n * now. So
 * the charges add up to the waits, to the ns. All under the run queue's lock. Charges only grow.
 */
#define LT_FOCUS_SLOTS 16
#define LT_WAITS_SLOT_BITS 5
#define LT_WAITS_SLOT ((1 << LT_WAITS_SLOT_BITS) - 1)
#define LT_WAITS_QUOTA 0x20 /* counted in `quotas`, too */
#define LT_WAITS_MOVED 0x40 /* it was moved to another CPU: the rest of its wait is LT_BLAME_MOVED */
/* Culprits that are not processes with a row of their own. OUTSIDE: all those outside of the pid namespace that is
 * shown, whose tgid and start are 0. OTHERS: processes without room, threads without a record. */
enum lt_blame {
	LT_BLAME_OUTSIDE,
	LT_BLAME_ASLEEP,
	LT_BLAME_IRQ,
	LT_BLAME_STEAL,
	LT_BLAME_QUOTA,
	LT_BLAME_MOVED,
	LT_BLAME_OTHERS,
	LT_BLAMES
};

struct lt_culprit {
	__u64 start_ns; /* the process's */
	__u32 tgid;	/* in the namespace that is shown; 0: outside */
	__u32 used; /* when it was last charged, in ms, | 1; 0: free. In a full set the oldest gives way to OTHERS */
	__u64 ns[LT_FOCUS_SLOTS];
};

#define LT_CULPRIT_WAYS 4
#define LT_CULPRIT_SET_BITS 5
#define LT_CULPRIT_SETS (1 << LT_CULPRIT_SET_BITS)
#define LT_CULPRITS (LT_CULPRIT_SETS * LT_CULPRIT_WAYS)
#define LT_FOCUS_GONE 8
struct lt_focus {
	__u64 seq; /* odd while it is written */
	__u64 charged_ns;
	__u64 looked_ns, irq_ns, steal_ns; /* the run queue's own sums, and when they were read; 0: never */
	__u32 busy;			   /* bit set of slots with waiting threads */
	__u32 gone_n;			   /* written by other CPUs; so is gone[] */
	/* Time << LT_WAITS_SLOT_BITS | slot + 1: a thread that waited here runs elsewhere; 0: free. */
	__u64 gone[LT_FOCUS_GONE];
	__u32 n[LT_FOCUS_SLOTS];
	__u64 sum_ns[LT_FOCUS_SLOTS];
	/* Of those threads, how many may be without quota; the sum of their queue's throttle clocks likewise. */
	__u32 quotas[LT_FOCUS_SLOTS];
	__u64 quota_queue[LT_FOCUS_SLOTS], quota_sum_ns[LT_FOCUS_SLOTS], quota_clock_ns[LT_FOCUS_SLOTS];
	__u64 blame_ns[LT_BLAMES][LT_FOCUS_SLOTS];
	struct lt_culprit culprit[LT_CULPRITS];
};

/* First what a switch touches, in four cache lines, then what a call touches, in two. */
struct lt_record {
	struct lt_sched sched;
	struct lt_who who;
	struct lt_calls calls __attribute__((aligned(16)));
} __attribute__((aligned(16))); /* with 64, one more counter could cost each thread a whole cache line */

/* Records come in chunks, created by the front end as needed. Kept apart: the words, packed densely; and what most
 * threads never use, so that its memory stays untouched. */
#define LT_CHUNK_SHIFT 10
#define LT_CHUNK (1 << LT_CHUNK_SHIFT)
#define LT_CHUNKS 1024
struct lt_chunk {
	__u64 word[LT_CHUNK];
	struct lt_record record[LT_CHUNK];
	struct lt_net net[LT_CHUNK];
	struct lt_parts parts[LT_CHUNK];
	struct lt_cut cut[LT_CHUNK];
};
/* 179 MB for 100,000 threads. What does not fit here goes to a pool, from which a thread allocates on first use. */
_Static_assert(sizeof(struct lt_chunk) <= 1792 * LT_CHUNK, "a thread's record stays small");

#define LT_CALL_CHUNK_SHIFT 11
#define LT_CALL_CHUNK (1 << LT_CALL_CHUNK_SHIFT)
#define LT_CALL_CHUNKS 4096
struct lt_call_chunk {
	struct lt_call call[LT_CALL_CHUNK];
};

/* Task address → slot: sets of eight words, (address bits 6..45) << LT_SLOT_BITS | slot + 1; 0: free. */
#define LT_SLOT_BITS 24
#define LT_INDEX_WAYS 8
#define LT_INDEX_SET_BITS 15
#define LT_INDEX_SETS (1 << LT_INDEX_SET_BITS)
struct lt_index_set {
	__u64 way[LT_INDEX_WAYS];
};

/* A free list: Treiber stack, tag << 32 | slot + 1. `taken` and `given` only grow. */
struct lt_stack {
	__u64 head;
	__u64 taken;   /* by the BPF programs */
	__u64 given;   /* by the front end */
	__u64 low;     /* the front end is woken when given − taken falls below it */
	__u64 refused; /* requests of the BPF programs that found none */
};

enum lt_prog {
	LT_PROG_SWITCH,
	LT_PROG_WAKING,
	LT_PROG_WAKEUP,
	LT_PROG_ENTER,
	LT_PROG_EXIT,
	LT_PROG_SEND,
	LT_PROG_RECV,
	LT_PROG_ISSUE,
	LT_PROG_COMPLETE,
	LT_PROG_READY,
	LT_PROG_RING,
	LT_PROGS
};

#define LT_SELF_MASK 1023 /* one run in 1,024 times itself */

/* One per CPU, written only by that CPU (nested programs may lose an increment of `self`). */
struct lt_cpu {
	__u64 forks, execs, exits; /* processes */
	__u64 retransmits;	   /* segments */
	__u64 untracked_born;	   /* threads for which no record was free */
	__u64 untracked_died;
	__u64 lost_calls;    /* of threads without a record; no call entry free; enter or exit unmatched */
	__u64 lost_sockets;  /* socket events without owner, or of a thread without a record */
	__u64 lost_switches; /* of threads without a record; missed switch-ins, switch-outs or wakeups, repaired */
	__u64 lost_events;
	__u64 lost_requests; /* that ended without a row for their device, or without a known start */
	__u64 lost_groups;   /* requests whose control group found no room for a row */
	struct {
		__u64 runs, ns; /* timed runs and their time */
		__u64 turns;	/* all runs, where they are counted */
	} self[LT_PROGS];
} __attribute__((aligned(64)));

#endif
