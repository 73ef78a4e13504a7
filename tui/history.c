/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last readings in bounded memory: see history.h. Readings are numbered from 1. A series is a process, a connection
 * or the host; each of its rows is valid from one reading to another (`to` not included), newest first. A row that has
 * ended is appended to one list: rows end in order, so that the rows that only the oldest reading needs are always at
 * its head.
 */
#include "history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "grow.h"
#include "history_pack.h"
#include "model.h"
#include "text.h"

#define OPEN UINT32_MAX /* `to` of a row that has not ended */
#define SLOTS 2
#define LOOK_AHEAD 4
#define MALLOC_BYTES 16 /* overhead of a small allocation */
#define HASH_BYTES 32	/* the same for an entry of a hash table */

enum series_kind { SERIES_HOST, SERIES_PROCESS, SERIES_CONNECTION, SERIES_DISK };

/* No padding: it is hashed as bytes. */
struct key {
	uint64_t start_ns; /* of a connection, its network namespace; of a disk, its minor number and direction */
	uint32_t pid;	   /* of a disk, its major number */
	uint32_t twin;	   /* the n-th with the same key in one reading */
	uint8_t kind, proto, family, zero;
	/* The rest is for connections only: other keys have no memory for it. */
	uint16_t local_port, remote_port;
	uint8_t local[16], remote[16];
};

_Static_assert(sizeof(struct key) == 56, "no padding");

static size_t key_bytes(const struct key *key)
{
	return key->kind == SERIES_CONNECTION ? sizeof(*key) : offsetof(struct key, local_port);
}

static bool key_is(const struct key *a, const struct key *b)
{
	return a->kind == b->kind && !memcmp(a, b, key_bytes(b));
}

struct series {
	UT_hash_handle hh;
	struct row_kept *newest;
	uint32_t seen;	/* the last reading that it was in */
	uint32_t place; /* in that reading's order */
	struct key key; /* key_bytes of it */
};

struct row_kept {
	struct row_kept *older, *newer; /* of the same series */
	struct row_kept *next_over;
	struct series *series;
	struct text *texts; /* as history_pack has them; NULL: none */
	uint32_t from, to, n;
	uint8_t bytes[];
};

struct slot {
	struct sample sample;
	uint32_t reading, asked;
};

/* Series in the order of a reading. They stay valid: rows of the newest reading are never dropped. */
struct order {
	struct series **all;
	size_t n, cap, at; /* at: the next one to be looked for */
};

struct history_store {
	uint32_t last; /* number of the newest reading */
	struct series *all;
	struct order now, before; /* of the newest reading and, while it is added, of the one before */
	struct row_kept *over, **over_end;
	uint64_t bytes;	    /* of series, rows and texts */
	struct text *texts; /* of the last process added to this reading */
	struct sample newest;
	struct slot slots[SLOTS];
	uint32_t asked;
	struct history_pack pack;
	struct row_kept **found; /* rows of the reading that is being reassembled */
	size_t cap_found;
	struct sample one;		/* for a single process */
	struct history_moment *moments; /* the oldest first; some before that are not kept any more */
	size_t n_moments, cap_moments;
};

static uint64_t sample_bytes(const struct sample *s)
{
	return s->cap_processes * sizeof(*s->processes) + s->cap_threads * sizeof(*s->threads) +
	       s->cap_works * sizeof(*s->works) + s->cap_calls * sizeof(*s->calls) +
	       s->cap_buckets * sizeof(*s->buckets) + s->cap_errnos * sizeof(*s->errnos) +
	       s->cap_connections * sizeof(*s->connections) + s->cap_peers * sizeof(*s->peers) +
	       s->cap_cpus * sizeof(*s->cpus) + s->cap_disks * sizeof(*s->disks) +
	       s->cap_disk_groups * sizeof(*s->disk_groups) + s->cap_marks * sizeof(*s->marks) + s->cap_text;
}

static uint64_t all_bytes(const struct history_store *st)
{
	uint64_t bytes = st->bytes + sizeof(*st) + sample_bytes(&st->newest) + sample_bytes(&st->one) +
			 st->cap_found * sizeof(*st->found) + st->cap_moments * sizeof(*st->moments) +
			 (st->now.cap + st->before.cap) * sizeof(*st->now.all) +
			 st->pack.cap_words * sizeof(*st->pack.words) + st->pack.cap_bytes + st->pack.cap_texts;

	for (int i = 0; i < SLOTS; i++)
		bytes += sample_bytes(&st->slots[i].sample);
	return bytes;
}

static struct history_store *store_of(struct history *h)
{
	if (!h->store) {
		h->store = calloc(1, sizeof(*h->store));
		if (h->store)
			h->store->over_end = &h->store->over;
	}
	return h->store;
}

struct sample *history_take(struct history *h)
{
	struct history_store *st = store_of(h);

	return st ? &st->newest : NULL;
}

static struct series *series_find(const struct history_store *st, const struct key *key)
{
	struct series *series;

	HASH_FIND(hh, st->all, key, key_bytes(key), series);
	return series;
}

static size_t series_size(const struct key *key)
{
	return offsetof(struct series, key) + key_bytes(key);
}

static struct series *series_add(struct history_store *st, const struct key *key)
{
	struct series *series = calloc(1, series_size(key));

	if (!series)
		return NULL;
	memcpy(&series->key, key, key_bytes(key));
	HASH_ADD(hh, st->all, key, key_bytes(key), series);
	if (!series->hh.tbl) {
		free(series);
		return NULL;
	}
	st->bytes += series_size(key) + MALLOC_BYTES + HASH_BYTES;
	return series;
}

static uint64_t row_bytes(const struct row_kept *r)
{
	return sizeof(*r) + r->n + MALLOC_BYTES;
}

static uint64_t text_bytes(const struct text *t)
{
	return sizeof(*t) + t->n + MALLOC_BYTES;
}

/* The texts that were packed last, shared with this series' previous row or the previous process if they are equal. */
static struct text *hold_texts(struct history_store *st, const struct row_kept *before)
{
	const struct history_pack *p = &st->pack;
	struct text *like = before && text_is(before->texts, p->texts, p->n_texts) ? before->texts : st->texts;
	struct text *t = text_new(like, p->texts, p->n_texts);

	if (t && t->holders == 1)
		st->bytes += text_bytes(t);
	return t;
}

static void row_free(struct history_store *st, struct row_kept *r)
{
	st->bytes -= row_bytes(r);
	if (r->texts && r->texts->holders == 1)
		st->bytes -= text_bytes(r->texts);
	text_drop(r->texts);
	free(r);
}

static void row_close(struct history_store *st, struct row_kept *r)
{
	r->to = st->last;
	*st->over_end = r;
	st->over_end = &r->next_over;
}

static bool is_packed(const struct row_kept *r, const struct history_pack *p)
{
	return r->n == p->n_bytes && !memcmp(r->bytes, p->bytes, p->n_bytes) && text_is(r->texts, p->texts, p->n_texts);
}

/* Adds what was packed last as this series' row in the newest reading. 0 or -ENOMEM. */
static int series_is(struct history_store *st, struct series *series)
{
	const struct history_pack *p = &st->pack;
	struct row_kept *before = series->newest, *r;

	series->seen = st->last;
	if (before && before->to == OPEN && is_packed(before, p)) {
		st->texts = before->texts;
		return 0;
	}
	r = malloc(sizeof(*r) + p->n_bytes);
	if (!r)
		return -ENOMEM;
	*r = (struct row_kept){
		.older = before, .series = series, .from = st->last, .to = OPEN, .n = (uint32_t)p->n_bytes
	};
	if (p->n_texts) {
		r->texts = hold_texts(st, before);
		if (!r->texts) {
			free(r);
			return -ENOMEM;
		}
	}
	st->texts = r->texts;
	memcpy(r->bytes, p->bytes, p->n_bytes);
	if (before)
		before->newer = r;
	if (before && before->to == OPEN)
		row_close(st, before);
	series->newest = r;
	st->bytes += row_bytes(r);
	return 0;
}

/* Most of a reading is in the order of the one before, where no hash lookup is needed. NULL: not the next in order. */
static struct series *series_expected(struct history_store *st, const struct key *key)
{
	struct order *o = &st->before;

	for (size_t i = o->at; i < o->n && i < o->at + LOOK_AHEAD; i++)
		if (key_is(&o->all[i]->key, key)) {
			o->at = i + 1;
			return o->all[i];
		}
	return NULL;
}

static int order_add(struct order *o, struct series *series)
{
	if (!GROW(o->all, o->cap, o->n + 1))
		return -ENOMEM;
	series->place = (uint32_t)o->n;
	o->all[o->n++] = series;
	return 0;
}

/* The series of a key, created if there is none; of several with the same key, the first not yet in this reading. */
static struct series *series_now(struct history_store *st, struct key *key)
{
	struct series *series = series_expected(st, key);

	for (; (!series || series->seen == st->last) && (series = series_find(st, key)) && series->seen == st->last;
	     key->twin++)
		;
	/* The next one expected is the one that followed it before, even if others were removed in between. */
	if (series && series->seen + 1 == st->last)
		st->before.at = series->place + 1;
	if (!series)
		series = series_add(st, key);
	return series && !order_add(&st->now, series) ? series : NULL;
}

static int keep_host(struct history_store *st, const struct sample *s)
{
	struct key key = { .kind = SERIES_HOST };
	struct series *series = series_now(st, &key);

	return !series || history_pack_host(&st->pack, s) ? -ENOMEM : series_is(st, series);
}

static int keep_process(struct history_store *st, const struct sample *s, const struct sample_process *p)
{
	struct key key = { .kind = SERIES_PROCESS, .pid = p->pid, .start_ns = p->start_ns };
	struct series *series = series_now(st, &key);

	return !series || history_pack_process(&st->pack, s, p) ? -ENOMEM : series_is(st, series);
}

static int keep_connection(struct history_store *st, const struct sample *s, const struct sample_connection *c)
{
	struct key key = { .kind = SERIES_CONNECTION,
			   .pid = c->pid,
			   .start_ns = c->netns,
			   .local_port = c->local_port,
			   .remote_port = c->remote_port,
			   .proto = c->proto,
			   .family = c->family };
	struct series *series;

	memcpy(key.local, c->local, sizeof(key.local));
	memcpy(key.remote, c->remote, sizeof(key.remote));
	series = series_now(st, &key);
	return !series || history_pack_connection(&st->pack, s, c) ? -ENOMEM : series_is(st, series);
}

static struct key disk_key(uint32_t major, uint32_t minor, uint32_t op)
{
	return (struct key){ .kind = SERIES_DISK, .pid = major, .start_ns = (uint64_t)minor << 8 | op };
}

static int keep_disk(struct history_store *st, const struct sample *s, const struct sample_disk *d)
{
	struct key key = disk_key(d->major, d->minor, d->op);
	struct series *series = series_now(st, &key);

	return !series || history_pack_disk(&st->pack, s, d) ? -ENOMEM : series_is(st, series);
}

static int keep(struct history_store *st, const struct sample *s)
{
	struct order before = st->before;
	struct series *series;
	int err;

	st->before = st->now;
	st->now = before;
	st->before.at = st->now.n = 0;
	st->texts = NULL;
	st->last++;
	err = keep_host(st, s);
	for (uint32_t i = 0; i < s->n_processes && !err; i++)
		err = keep_process(st, s, &s->processes[i]);
	for (uint32_t i = 0; i < s->n_connections && !err; i++)
		err = keep_connection(st, s, &s->connections[i]);
	for (uint32_t i = 0; i < s->n_disks && !err; i++)
		err = keep_disk(st, s, &s->disks[i]);
	for (size_t k = 0; k < st->before.n; k++) {
		series = st->before.all[k];
		if (series->seen != st->last && series->newest && series->newest->to == OPEN)
			row_close(st, series->newest);
	}
	return err;
}

/* Frees the rows that are only in readings before this one. */
static void forget_before(struct history_store *st, uint32_t reading)
{
	struct row_kept *r;

	while ((r = st->over) && r->to <= reading) {
		st->over = r->next_over;
		if (!st->over)
			st->over_end = &st->over;
		if (r->newer) {
			r->newer->older = NULL;
		} else {
			st->bytes -= series_size(&r->series->key) + MALLOC_BYTES + HASH_BYTES;
			HASH_DEL(st->all, r->series);
			free(r->series);
		}
		row_free(st, r);
	}
}

static int keep_moment(struct history *h, const struct sample *s)
{
	struct history_store *st = h->store;

	if (st->n_moments > 2 * (size_t)h->n + HISTORY_MIN) {
		memmove(st->moments, st->moments + st->n_moments - h->n, h->n * sizeof(*st->moments));
		st->n_moments = h->n;
	}
	if (!GROW(st->moments, st->cap_moments, st->n_moments + 1))
		return -ENOMEM;
	st->moments[st->n_moments++] = (struct history_moment){ .t_ns = s->t_ns,
								.realtime_ns = s->realtime_ns,
								.interval_ns = s->interval_ns,
								.gap_ns = s->gap_ns,
								.gap = *s->gap_why };
	return 0;
}

void history_mark(struct history *h, uint64_t realtime_ns)
{
	struct history_store *st = h->store;
	struct history_moment *newest = &st->moments[st->n_moments - 1], *m = newest;

	while (m > newest - (h->n - 1) && realtime_ns <= m->realtime_ns - m->interval_ns)
		m--;
	if (realtime_ns <= m->realtime_ns - m->interval_ns || realtime_ns > m->realtime_ns)
		m = newest;
	m->marked = true;
}

int history_add(struct history *h)
{
	struct history_store *st = h->store;
	int err = keep_moment(h, &st->newest);

	if (!err)
		err = keep(st, &st->newest);
	if (err)
		return err;
	h->n++;
	for (uint32_t i = 0; i < st->newest.n_marks; i++)
		history_mark(h, st->newest.marks[i].realtime_ns);
	while ((h->bytes = all_bytes(st)) > h->max_bytes && h->n > HISTORY_MIN)
		forget_before(st, st->last - --h->n + 1);
	return 0;
}

static const struct row_kept *row_at(const struct series *series, uint32_t reading)
{
	const struct row_kept *r = series ? series->newest : NULL;

	while (r && r->from > reading)
		r = r->older;
	return r && reading < r->to ? r : NULL;
}

static int by_key(const void *a, const void *b)
{
	const struct key *x = &(*(struct row_kept *const *)a)->series->key;
	const struct key *y = &(*(struct row_kept *const *)b)->series->key;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->start_ns > y->start_ns) - (x->start_ns < y->start_ns);
}

/* The rows of a reading: the host, the processes in order, the connections, the disks. Returns their number, or
 * -ENOMEM. */
static ssize_t find_rows(struct history_store *st, uint32_t reading)
{
	size_t all = HASH_COUNT(st->all), n = 0;
	const struct row_kept *r;
	struct series *series, *next;

	if (!GROW(st->found, st->cap_found, all))
		return -ENOMEM;
	HASH_ITER(hh, st->all, series, next)
	{
		r = row_at(series, reading);
		if (r)
			st->found[n++] = (struct row_kept *)(uintptr_t)r;
	}
	qsort(st->found, n, sizeof(*st->found), by_key);
	return (ssize_t)n;
}

static int unpack(struct history_store *st, const struct row_kept *r, struct sample *s)
{
	switch (r->series->key.kind) {
	case SERIES_HOST:
		return history_unpack_host(&st->pack, r->bytes, r->n, s);
	case SERIES_PROCESS:
		return history_unpack_process(&st->pack, r->bytes, r->n, r->texts ? r->texts->bytes : "", s);
	case SERIES_DISK:
		return history_unpack_disk(&st->pack, r->bytes, r->n, r->texts ? r->texts->bytes : "", s);
	default:
		return history_unpack_connection(&st->pack, r->bytes, r->n, s);
	}
}

static int put_together(struct history_store *st, uint32_t reading, struct sample *s)
{
	ssize_t n = find_rows(st, reading);
	int err = n < 0 ? (int)n : 0;

	sample_clear(s);
	for (ssize_t i = 0; i < n && !err; i++)
		err = unpack(st, st->found[i], s);
	return err;
}

struct sample *history_at(const struct history *h, uint32_t back)
{
	struct history_store *st = h->store;
	struct slot *slot;
	uint32_t reading;

	if (back >= h->n)
		return NULL;
	if (!back)
		return &st->newest;
	reading = st->last - back;
	slot = &st->slots[0];
	for (int i = 0; i < SLOTS && slot->reading != reading; i++)
		if (st->slots[i].reading == reading || st->slots[i].asked < slot->asked)
			slot = &st->slots[i];
	slot->asked = ++st->asked;
	if (slot->reading == reading)
		return &slot->sample;
	slot->reading = put_together(st, reading, &slot->sample) ? 0 : reading;
	return slot->reading ? &slot->sample : NULL;
}

/* A series' row in that reading, to unpack it alone into st->one; NULL: it is not in it. */
static const struct row_kept *row_alone(const struct history *h, uint32_t back, const struct key *key)
{
	struct history_store *st = h->store;

	if (back >= h->n)
		return NULL;
	sample_clear(&st->one);
	return row_at(series_find(st, key), st->last - back);
}

uint64_t history_histogram(const struct history *h, uint32_t back, uint32_t pid, uint64_t start_ns, enum lt_dist dist,
			   uint64_t count[HIST_BUCKETS])
{
	struct key key = { .kind = SERIES_PROCESS, .pid = pid, .start_ns = start_ns };
	struct history_store *st = h->store;
	const struct row_kept *r = row_alone(h, back, &key);

	if (!r || unpack(st, r, &st->one))
		return 0;
	return model_histogram_of(&st->one, pid, start_ns, dist, count);
}

uint64_t history_disk_histogram(const struct history *h, uint32_t back, uint32_t major, uint32_t minor,
				enum lt_disk_op op, enum lt_disk_part part, uint64_t count[HIST_BUCKETS])
{
	struct key key = disk_key(major, minor, op);
	struct history_store *st = h->store;
	const struct row_kept *r = row_alone(h, back, &key);

	if (!r || unpack(st, r, &st->one) || !st->one.n_disks)
		return 0;
	return model_histogram_add(&st->one, &st->one.disks[0].latency[part], count);
}

const struct sample *history_process(const struct history *h, uint32_t back, uint32_t pid, uint64_t start_ns)
{
	struct key host = { .kind = SERIES_HOST }, key = { .kind = SERIES_PROCESS, .pid = pid, .start_ns = start_ns };
	struct history_store *st = h->store;
	const struct row_kept *of_host = row_alone(h, back, &host), *r = row_alone(h, back, &key);

	if (!of_host || !r || unpack(st, of_host, &st->one) || unpack(st, r, &st->one))
		return NULL;
	return &st->one;
}

uint32_t history_last(const struct history *h, uint32_t back, uint32_t pid, uint64_t start_ns)
{
	struct key key = { .kind = SERIES_PROCESS, .pid = pid, .start_ns = start_ns };
	const struct history_store *st = h->store;
	const struct series *series = back < h->n ? series_find(st, &key) : NULL;
	const struct row_kept *r = series ? series->newest : NULL;
	uint32_t reading;

	while (r && r->from > st->last - back)
		r = r->older;
	if (!r)
		return UINT32_MAX;
	reading = r->to - 1 < st->last - back ? r->to - 1 : st->last - back;
	return st->last - reading < h->n ? st->last - reading : UINT32_MAX;
}

const struct history_moment *history_moment(const struct history *h, uint32_t back)
{
	const struct history_store *st = h->store;

	return back < h->n ? &st->moments[st->n_moments - 1 - back] : NULL;
}

uint64_t history_time(const struct history *h, uint32_t back)
{
	const struct history_moment *m = history_moment(h, back);

	return m ? m->t_ns : 0;
}

static void free_series(struct history_store *st)
{
	struct row_kept *older;
	struct series *series, *next;

	HASH_ITER(hh, st->all, series, next)
	{
		for (struct row_kept *r = series->newest; r; r = older) {
			older = r->older;
			row_free(st, r);
		}
		HASH_DEL(st->all, series);
		free(series);
	}
}

void history_free(struct history *h)
{
	struct history_store *st = h->store;

	if (st) {
		free_series(st);
		sample_free(&st->newest);
		for (int i = 0; i < SLOTS; i++)
			sample_free(&st->slots[i].sample);
		sample_free(&st->one);
		history_pack_free(&st->pack);
		free(st->now.all);
		free(st->before.all);
		free(st->found);
		free(st->moments);
		free(st);
	}
	*h = (struct history){ .max_bytes = h->max_bytes };
}
