/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of counters: every number that is summed over threads, processes, groups and
 * readings, one row each. The record, its reading and subtraction, the sums, the recording, the
 * history and the outputs are loops over these rows, never lists of names.
 *
 * A row: name, unit, the first Linux version that has it (0: all that lagtop supports), and
 * what feeds it. Rows of LT_COUNTERS_KERNEL are fed by a field of struct task_struct, copied at
 * each switch-out and at the seeding of a thread; the field is declared in bpf/kernel.h. All other
 * rows are incremented where the event happens. A recording stores each under its name: never
 * reuse a name for another number. The order of rows within a part does not matter; append new ones.
 */
#ifndef LAGTOP_COUNTERS_H
#define LAGTOP_COUNTERS_H

#include "hist.h"

/* What a thread is doing: exactly one at a time. A state's counter is the time spent in it, in ns.
 * X(NAME, name, since, what it means) */
#define LT_STATE_TABLE(X)                                                                                              \
	X(RUN, run, 0, "on a CPU")                                                                                     \
	X(WAKEQ, wakeq, 0, "woken or new, waiting for a CPU")                                                          \
	X(PREEMPT, preempt, 0, "runnable, preempted")                                                                  \
	X(THROTTLED, throttled, 0, "runnable, the CPU quota of its control group is used up")                          \
	X(DISK, disk, 0, "uninterruptible, in_iowait; asleep in io_uring_enter for a disk")                            \
	X(MEMORY, memory, 0, "uninterruptible, stalled for memory")                                                    \
	X(BLOCK, block, 0, "any other uninterruptible wait")                                                           \
	X(LOCK, lock, 0, "asleep in futex, flock, fcntl(F_SETLKW), semop; RT lock")                                    \
	X(NET, net, 0, "asleep in a socket call, in read, write and the like on a socket, in io_uring_enter for one")  \
	X(POLL, poll, 0, "asleep in epoll, poll, select, io_getevents, io_uring_enter if not for a disk, net or io")   \
	X(SLEEP, sleep, 0, "asleep in nanosleep, pause, wait*, vfork; idle kernel threads")                            \
	X(IO, io, 0, "asleep in read, write and the like, or io_uring_enter, for pipes, ttys, files, message queues")  \
	X(OTHER, other, 0, "any other sleep; stopped, traced, parked, frozen")

/* Fed by the field of task_struct with that name. */
#define LT_COUNTERS_KERNEL(X)                                                                                          \
	X(voluntary, "switches", 0, nvcsw)                                                                             \
	X(involuntary, "switches", 0, nivcsw)                                                                          \
	X(major_faults, "faults", 0, maj_flt)                                                                          \
	X(disk_read_bytes, "bytes", 0, ioac.read_bytes)                                                                \
	X(disk_write_bytes, "bytes", 0, ioac.write_bytes)                                                              \
	X(migrations, "migrations", 0, se.nr_migrations)

#define LT_COUNTERS_SCHED(X) X(wakeups, "wakeups", 0, "lt_wakeup: from a sleep to wakeq")

/* Parts of the time in some states, whose bit set stands last: of any thread; of those in focus, in struct lt_because.
 */
#define LT_PARTS_THREAD(X)                                                                                             \
	X(page_fault_disk_ns, "ns", 0, 1 << LT_DISK) /* lt_switch: in page faults, not in a call */                    \
	X(reclaim_ns, "ns", 0, 1 << LT_RUN)	     /* lt_reclaim_*: freeing memory for itself */
#define LT_PARTS_FOCUS(X)                                                                                              \
	X(contended_lock_ns, "ns", 0, 1 << LT_LOCK)	    /* lt_whom_slept: for a lock that somebody holds */        \
	X(upstream_ns, "ns", 0, 1 << LT_NET | 1 << LT_POLL) /* lt_whom_slept: while an answer was waited for */

#define LT_COUNTERS_PARTS(X) LT_PARTS_THREAD(X) LT_PARTS_FOCUS(X)

#define LT_COUNTERS_CALLS(X)                                                                                           \
	X(calls, "calls", 0, "lt_exit; exit and exit_group: lt_enter")                                                 \
	X(call_errors, "calls", 0, "lt_exit")                                                                          \
	X(call_total_ns, "ns", 0, "lt_exit: whole durations")

/* Payload of one protocol, both directions, in the order of struct lt_flow. */
#define LT_COUNTERS_FLOW(X, proto)                                                                                     \
	X(proto##_tx_bytes, "bytes", 0, "lt_send")                                                                     \
	X(proto##_rx_bytes, "bytes", 0, "lt_recv")                                                                     \
	X(proto##_tx_ops, "messages", 0, "lt_send")                                                                    \
	X(proto##_rx_ops, "messages", 0, "lt_recv")

/* Flows first, in the order of enum lt_proto. */
#define LT_COUNTERS_NET(X)                                                                                             \
	LT_COUNTERS_FLOW(X, tcp)                                                                                       \
	LT_COUNTERS_FLOW(X, udp)                                                                                       \
	LT_COUNTERS_FLOW(X, inet)                                                                                      \
	LT_COUNTERS_FLOW(X, unix)                                                                                      \
	LT_COUNTERS_FLOW(X, proto_other)                                                                               \
	X(connects, "connections", 0, "lt_sock_state: SYN sent")                                                       \
	X(accepts, "connections", 0, "lt_exit of accept")                                                              \
	X(turns_overlapped, "turns", 0, "lt_send: responses on sockets whose turns overlap")                           \
	X(upstream_overlapped, "turns", 0, "lt_recv: answers on sockets whose turns overlap")

/* Per process, not per thread: what sockets report outside of any thread's context. */
#define LT_COUNTERS_SOCKET(X)                                                                                          \
	X(retransmits, "segments", 0, "lt_retransmit")                                                                 \
	X(connect_errors, "connections", 0, "lt_sock_state")                                                           \
	X(receive_drops, "packets", 0, "lt_walk: of sockets; not known between readings of the connections")

/* Durations: a histogram and the interval's maximum. X(NAME, name, part of the record, what feeds it): that part holds
 * `struct lt_hist name` and `struct lt_max name_max`. */
#define LT_DISTS_RECORD(X)                                                                                             \
	X(WAKEUP, wakeup, sched, "lt_switch: from a wakeup to running")                                                \
	X(SERVICE, service, calls, "lt_exit: a call's duration without its interruptible sleep")
/* Those of few threads: in an entry of the pool (LT_CALL_DIST), taken on first use. X(NAME, name, what feeds it) */
#define LT_DISTS_POOL(X)                                                                                               \
	X(ACCEPT, accept, "lt_exit of accept: from established to accepted")                                           \
	X(DISK_WAIT, disk_wait, "move: a wait in the state disk that ended")                                           \
	X(RESPONSE, response, "lt_send on an accepted socket: from a request's arrival to the answer's first byte")    \
	X(LATE, late, "lt_recv: from the arrival of a request or an answer to its being read")                         \
	X(UPSTREAM, upstream, "lt_recv on a connected socket: from a request's first byte to the answer's arrival")
#define LT_DISTS_THREAD(X) LT_DISTS_RECORD(X) LT_DISTS_POOL(X)
/* Per process: what sockets report outside of any thread's context. */
#define LT_DISTS_PROCESS(X) X(CONNECT, connect, sockets, "lt_sock_state: SYN sent to established")

/* The unix macro of gnu dialects would replace a row's name. */
#undef unix

enum lt_state {
#define X(NAME, ...) LT_##NAME,
	LT_STATE_TABLE(X)
#undef X
		LT_STATES,
	LT_NEW = 13,  /* record taken, thread not yet woken for the first time */
	LT_DEAD = 14, /* last switch done: final state */
	LT_VOID = 15, /* record allocated, never published: free it without reading */
};

/* Counters by number: the states' times, then the rows above, part by part. */
enum lt_counter {
	LT_COUNTERS_BEFORE = LT_STATES - 1,
#define X(name, ...) COUNTER_##name,
	LT_COUNTERS_KERNEL(X) LT_COUNTERS_SCHED(X) LT_COUNTERS_PARTS(X) LT_COUNTERS_CALLS(X) LT_COUNTERS_NET(X)
		LT_COUNTERS_SOCKET(X)
#undef X
			LT_COUNTERS
};

/* How many rows of each part, and its first counter. */
#define LT_ONE(...) +1
#define LT_N_KERNEL (0 LT_COUNTERS_KERNEL(LT_ONE))
#define LT_N_SCHED (LT_N_KERNEL LT_COUNTERS_SCHED(LT_ONE)) /* the kernel's first */
#define LT_N_PARTS_THREAD (0 LT_PARTS_THREAD(LT_ONE))
#define LT_N_PARTS_FOCUS (0 LT_PARTS_FOCUS(LT_ONE))
#define LT_N_PARTS (LT_N_PARTS_THREAD + LT_N_PARTS_FOCUS)
#define LT_N_CALLS (0 LT_COUNTERS_CALLS(LT_ONE))
#define LT_N_NET (0 LT_COUNTERS_NET(LT_ONE))
#define LT_N_SOCKET (0 LT_COUNTERS_SOCKET(LT_ONE))
#define LT_SCHED_FIRST LT_STATES
#define LT_PARTS_FIRST (LT_SCHED_FIRST + LT_N_SCHED)
#define LT_CALLS_FIRST (LT_PARTS_FIRST + LT_N_PARTS)
#define LT_NET_FIRST (LT_CALLS_FIRST + LT_N_CALLS)
#define LT_SOCKET_FIRST (LT_NET_FIRST + LT_N_NET)

enum lt_dist {
#define X(NAME, ...) LT_DIST_##NAME,
	LT_DISTS_THREAD(X) LT_DISTS_PROCESS(X)
#undef X
		LT_DISTS
};
#define LT_RECORD_DISTS (0 LT_DISTS_RECORD(LT_ONE))
#define LT_POOL_DISTS (0 LT_DISTS_POOL(LT_ONE))
#define LT_THREAD_DISTS (LT_RECORD_DISTS + LT_POOL_DISTS)

enum lt_proto { LT_TCP, LT_UDP, LT_INET, LT_UNIX, LT_PROTO_OTHER, LT_PROTOS };

struct lt_flow {
	__u64 tx_bytes, rx_bytes, tx_ops, rx_ops;
};

/* A part's counters as members by name and as an array. */
#define LT_COUNTER_MEMBER(name, ...) __u64 name;
#define LT_SCHED_MEMBERS                                                                                               \
	union {                                                                                                        \
		struct {                                                                                               \
			LT_COUNTERS_KERNEL(LT_COUNTER_MEMBER) LT_COUNTERS_SCHED(LT_COUNTER_MEMBER)                     \
		};                                                                                                     \
		__u64 counter[LT_N_SCHED];                                                                             \
	}
#define LT_PARTS_MEMBERS                                                                                               \
	union {                                                                                                        \
		struct {                                                                                               \
			LT_PARTS_THREAD(LT_COUNTER_MEMBER)                                                             \
		};                                                                                                     \
		__u64 counter[LT_N_PARTS_THREAD];                                                                      \
	}
#define LT_PARTS_FOCUS_MEMBERS                                                                                         \
	union {                                                                                                        \
		struct {                                                                                               \
			LT_PARTS_FOCUS(LT_COUNTER_MEMBER)                                                              \
		};                                                                                                     \
		__u64 counter[LT_N_PARTS_FOCUS];                                                                       \
	}
#define LT_CALLS_MEMBERS                                                                                               \
	union {                                                                                                        \
		struct {                                                                                               \
			LT_COUNTERS_CALLS(LT_COUNTER_MEMBER)                                                           \
		};                                                                                                     \
		__u64 counter[LT_N_CALLS];                                                                             \
	}
#define LT_NET_MEMBERS                                                                                                 \
	union {                                                                                                        \
		struct {                                                                                               \
			LT_COUNTERS_NET(LT_COUNTER_MEMBER)                                                             \
		};                                                                                                     \
		struct lt_flow flow[LT_PROTOS];                                                                        \
		__u64 counter[LT_N_NET];                                                                               \
	}

#endif
