/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the processes of a selection did over several readings, as far as it says why something lags: the times of
 * waiting, the calls, the answers that were waited for, the listeners. What short-lived processes of one name did is
 * added up at once, the others' at the end. Pure: a model in, sums out.
 *
 * All times are ns, summed over threads. Texts are raw.
 */
#ifndef FACTS_H
#define FACTS_H

#include "calls.h"
#include "selection.h"

#define FACTS_COMM 16
#define FACTS_PEER 120

/* A process that had CPUs for which these waited, or locks; own: one of these, or another thread of it. */
struct facts_culprit {
	uint32_t kind; /* enum sample_blame */
	bool own;
	uint32_t state;	       /* HOLDER: LT_LOCK, LT_BLOCK */
	uint32_t tid;	       /* HOLDER: the only thread; 0: several */
	char comm[FACTS_COMM]; /* "": not known, or no process; HOLDER: of its thread */
	uint32_t pid;	       /* the one that had most of it */
	uint32_t processes;    /* at least; 1: only that one */
	uint64_t ns, pid_ns;
};

struct facts_call {
	uint32_t call;
	uint64_t count, errors, time_ns;
	/* Time in a state that is known to have been spent in this call: never more than there was. */
	uint64_t in_ns[LT_STATES];
	uint64_t oldest_ns; /* of those in flight at the last reading */
};

struct facts_error {
	uint32_t call, error;
	uint64_t count;
};

/* A peer that was asked for something, and what it answered. */
struct facts_peer {
	uint32_t hash; /* of name and proto */
	char name[FACTS_PEER];
	uint8_t proto;
	char comm[FACTS_COMM]; /* its process, if that is on this machine */
	uint32_t pid;
	uint64_t hist[HIST_BUCKETS], count, max_ns; /* the answers */
	uint64_t open, oldest_ns;		    /* at the last reading */
};

/* One of its sockets that others cannot reach, or whose data is not read. */
struct facts_socket {
	uint32_t hash; /* of proto and addresses */
	char local[FACTS_PEER], remote[FACTS_PEER];
	uint8_t proto, state;
	uint64_t drops, retransmits;
	uint64_t connecting;				      /* readings in which it was in SYN_SENT */
	uint64_t queue, queue_max, oldest_ns, tx_queue_bytes; /* the most */
};

/* Processes of one name. */
struct facts {
	char comm[FACTS_COMM];
	uint32_t pid; /* the one that lagged most */
	uint32_t processes;
	uint64_t lag_ns, most_lag_ns; /* of all, of that one */
	uint64_t time_ns[LT_STATES];
	uint64_t counter[LT_COUNTERS];	     /* those that are known, the states' times among them */
	uint64_t map_block_ns;		     /* of LT_BLOCK, at least: in calls that change the memory map */
	uint64_t killed_for_memory, started; /* processes: killed; started by these */
	struct facts_culprit *culprits;
	struct facts_call *calls;
	struct facts_error *errors;
	struct facts_peer *peers;
	struct facts_socket *sockets;
	uint32_t n_culprits, n_calls, n_errors, n_peers, n_sockets;
	uint32_t cap_culprits, cap_calls, cap_errors, cap_peers, cap_sockets;
};

struct facts_disk {
	char name[32];
	uint64_t busy_ns;
};

struct facts_all {
	const struct selection *selection;    /* NULL: all processes */
	const char *comm;		      /* only of this name; NULL: of any */
	uint64_t interval_ns, from_ns, to_ns; /* of the readings; CLOCK_REALTIME */
	uint32_t self_pid; /* lagtop itself, which is left out; 0: what is read is not this machine */
	uint32_t readings;
	bool asked_before; /* a connected UDP socket from before lagtop, without a turn: it may wait for an answer */
	uint8_t families;  /* bit set: on in all readings */
	uint8_t levels;	   /* of calls: bit set of enum lt_level */
	uint64_t forks;
	uint64_t pressure_ns[SAMPLE_RESOURCES]; /* some; SAMPLE_UNKNOWN */
	struct facts_disk disks[LT_DISKS];
	uint32_t n_disks;
	struct facts *of; /* after facts_finish by name; before, private */
	uint32_t n, cap;
	struct facts_index *index; /* private */
};

/* Adds the model's last reading. 0 or -ENOMEM. */
/* Whether a call changes the memory map: what it is blocked by is the map's lock. */
bool facts_call_maps(uint32_t call);
/* What a sleep in a call waits for. */
enum lt_wait facts_call_wait(uint32_t call);

int facts_add(struct facts_all *a, struct model *m);
/* No more readings: processes of one name become one. 0 or -ENOMEM. */
int facts_finish(struct facts_all *a);
void facts_free(struct facts_all *a); /* zeroed is legal */

#endif
