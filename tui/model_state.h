/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the model's own files (model*.c) and included only by them. */
#ifndef MODEL_STATE_H
#define MODEL_STATE_H

#include "model.h"

/* Dense counts being summed; only [low, end) can be nonzero. All zero: empty. */
struct tally {
	uint64_t count[HIST_BUCKETS];
	uint64_t events, max_ns;
	uint32_t low, end;
};

void tally_add(struct tally *t, uint32_t bucket, uint64_t count);
void tally_add_dist(struct tally *t, const struct sample *s, const struct sample_dist *d);
void tally_add_tally(struct tally *t, const struct tally *more);
struct model_dist tally_dist(const struct tally *t);
void tally_clear(struct tally *t);

/* A distribution kept for long: only the buckets from the lowest to the highest seen, each in as few bytes as
 * the largest needs. */
struct dist_sum {
	uint8_t *counts; /* of buckets low .. low + n - 1 */
	uint64_t max_ns;
	uint8_t low, n, bytes;
};

int dist_sum_add(struct dist_sum *d, const struct tally *t); /* 0 or -ENOMEM */
uint64_t dist_sum_count(const struct dist_sum *d, uint32_t bucket);
void tally_add_sum(struct tally *t, const struct dist_sum *d);

/* What the model keeps for a process. */
struct life {
	uint32_t pid;
	uint8_t gone; /* readings since it was last in a sample */
	uint8_t slept_state;
	bool fresh; /* this sample is its first */
	uint64_t start_ns;
	struct model_sparkline *spark;		   /* [MODEL_SPARKS]; NULL: it never did anything */
	struct life_last *last;			   /* it exited */
	struct life_total *total;		   /* NULL: it has been in a single sleep, or has only had one row */
	uint64_t slept_wall_ns, slept_interval_ns; /* that sleep */
};

/* Its last row, with the data that it points to. */
struct life_last {
	struct row row;
	struct row_net net;
	char texts[] __attribute__((aligned(8)));
};

/* Its sums since lagtop's start. */
struct life_total {
	struct row_sums sums;
	uint64_t interval_ns;
	struct row_net *net; /* NULL: it never used the network */
	struct dist_sum dist[LT_DISTS];
	struct counter_set unknown;
	uint8_t off, levels;
};

struct row_list {
	struct row *rows;
	struct row_net
		*nets; /* rows[i].net is &nets[i] if the row used the network; untouched memory is never allocated */
	uint32_t n, cap, cap_nets;
};

/* For n rows. 0 or -ENOMEM. */
int row_list_reserve(struct row_list *l, uint32_t n);
void row_list_free(struct row_list *l);

/* Calls being summed, by LT_CALL. */
struct call_slot {
	struct tally latency;
	struct model_errno *errnos;
	uint32_t n_errnos, cap_errnos;
};

#define CALL_KEYS (4 << 12)
struct call_table {
	struct row_list list;
	struct call_slot *slots; /* beside list.rows; they keep their memory when the table is emptied */
	uint32_t cap_slots;
	uint16_t slot_of[CALL_KEYS]; /* slot + 1, 0: none */
};

/* Adds a thread's part in one call; LT_CALL_NONE: in all. 0 or -ENOMEM. */
int call_table_add_thread(struct call_table *c, const struct sample *s, const struct sample_thread *t, uint32_t only);
void call_table_clear(struct call_table *c);
void call_table_free(struct call_table *c);
/* Finishes the rows (percentiles, errnos). More can still be added to the table. */
void call_table_finish(struct call_table *c);

#define ROW_IDENTITY_SIZE offsetof(struct row, interval_ns)

struct model {
	const struct sample *sample;
	struct model_host host;
	uint64_t elapsed_ns; /* all intervals so far */
	struct life **lives; /* by pid, then start: those in the sample and exited ones that are still shown */
	uint32_t n_lives, cap_lives;
	uint32_t n_dead;     /* lives that have a last row */
	struct life **spare; /* the next lives, while they are merged */
	uint32_t cap_spare;
	struct life **life_of; /* by process of the sample */
	uint32_t cap_life_of;
	struct row_list living;		   /* the interval's rows, by process of the sample */
	struct tally dist[LT_DISTS], srtt; /* being added up: of a thread, a process or a group */
	struct call_table calls, calls_total;
	struct model_errno *errnos; /* of the callers */
	uint32_t cap_errnos;
	struct row_disk *disks;
	uint32_t cap_disks;
	struct row_list out[MODEL_KINDS];
	struct group *groups;
	uint32_t cap_groups;
	const struct sample_peer **peers; /* being added up */
	uint32_t cap_peers;
	uint32_t *group_of, *members; /* by process */
	uint32_t cap_group_of, cap_members;
};

/* What a process did since the start, with the identity of `now`, its row of the interval or its last. Percentiles are
 * in l->total->dist. */
void life_sums(const struct life *l, const struct row *now, struct row *sums);

/* A row's network numbers, to be written: those at `own`, all zero or not known if it had none. */
struct row_net *row_use_net(struct row *r, struct row_net *own);
/* Adds what b counted to a, whose network numbers are `own`; identity, percentiles and srtt_ns stay a's. */
void row_add(struct row *a, struct row_net *own, const struct row *b);
/* Fills a row's identity from a process or thread of the sample; its numbers are zero or not known. */
void row_of_process(struct row *r, const struct sample *s, const struct sample_process *p);
/* What was watched in the interval. A row of one interval is new; one of more of them knows what was watched in any. */
void row_watched(struct row *r, const struct sample *s);
void row_watched_too(struct row *r, const struct sample *s);
/* Its calls' durations as far as they are known, once all its calls are counted. */
void row_limit_durations(struct row *r);
/* Adds one thread's interval to a row, whose network numbers are `own`, and to the tallies. */
void row_add_thread(struct row *r, struct row_net *own, const struct sample *s, const struct sample_thread *t,
		    struct tally dist[LT_THREAD_DISTS]);
/* The row's durations, from the tallies, which are empty afterwards. */
void row_take_dists(struct row *r, struct tally dist[LT_THREAD_DISTS]);
/* Whether more than 5 % of its turns overlapped, by its sums and its durations. */
void row_mark_overlapped(struct row *r);

/* The youngest process with that pid: an older one in the interval cannot hold a socket any more. NULL: none. */
const struct row *model_youngest(const struct model *m, uint32_t pid);
/* The rows of the peers of a process, by its place in the sample. Returns their number or -ENOMEM. */
int model_peer_rows(struct model *m, uint32_t process, struct row **rows);

#endif
