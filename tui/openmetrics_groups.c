/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See openmetrics_groups.h. */
#include "openmetrics_groups.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "column.h"
#include "format.h"

#define GONE_NS (3600 * 1000000000ULL)
#define KEY_SIZE 16

const struct openmetrics_dist openmetrics_dists[OPENMETRICS_DISTS] = {
	{ LT_DIST_WAKEUP, "wakeup", "Wake-up latency" },
	{ LT_DIST_SERVICE, "calls", "Durations of system calls without their interruptible sleep" },
	{ LT_DIST_RESPONSE, "turns", "Response time" },
	{ LT_DIST_UPSTREAM, "upstream", "Upstream time" },
};

void openmetrics_label(char buf[OPENMETRICS_LABEL_SIZE], const char *raw)
{
	char text[OPENMETRICS_LABEL_RAW];
	char *to = buf;

	format_utf8(text, sizeof(text), raw);
	for (const char *at = text; *at; at++) {
		if (*at == '\\' || *at == '"' || *at == '\n')
			*to++ = '\\';
		*to++ = *at == '\n' ? 'n' : *at;
	}
	*to = '\0';
}

/* The end of bucket b is that of 2^e ns for every fourth one. */
static void hist_add(struct openmetrics_hist *h, const uint64_t count[HIST_BUCKETS])
{
	uint64_t sum = 0;

	for (uint32_t b = 0, e = 0; b < HIST_BUCKETS; b++) {
		uint64_t low = hist_floor(b), high = b + 1 < HIST_BUCKETS ? hist_floor(b + 1) : low;

		sum += count[b];
		h->sum_ns += (double)count[b] * ((double)low + (double)high) / 2;
		if (e < OPENMETRICS_EDGES && high == 1ULL << (OPENMETRICS_EDGE_FIRST + e))
			h->count[e++] += sum;
	}
	h->all += sum;
}

/* What makes two rows the same group. */
static const char *key_of(enum model_kind kind, const struct row *r, char buf[KEY_SIZE])
{
	if (kind == MODEL_COMMAND)
		return r->comm;
	if (kind == MODEL_CGROUP)
		return r->cgroup;
	snprintf(buf, KEY_SIZE, r->own_user ? "%u" : "-", r->uid);
	return buf;
}

static bool is_taken(const struct openmetrics_groups *g, const char *text)
{
	if (!strcmp(text, "other"))
		return true;
	for (int i = 0; i < OPENMETRICS_GROUPS; i++)
		if (g->place[i].key && !strcmp(text, g->place[i].label))
			return true;
	return false;
}

/* Names may become equal when their invalid bytes are replaced. */
static void name_place(const struct openmetrics_groups *g, char label[OPENMETRICS_LABEL_SIZE], const struct row *r)
{
	char wanted[OPENMETRICS_LABEL_SIZE];
	size_t twins = 1;

	openmetrics_label(wanted, r->kind == MODEL_CGROUP ? r->cgroup : column_find("comm")->raw(r).text);
	memcpy(label, wanted, sizeof(wanted));
	while (is_taken(g, label))
		snprintf(label, OPENMETRICS_LABEL_SIZE, "%.600s#%zu", wanted, ++twins);
}

/* Which place a group has in this reading. */
struct entry {
	UT_hash_handle hh;
	char own[KEY_SIZE];
	const char *key; /* own, the row's or the place's */
	struct openmetrics_place *place;
};

struct reading {
	struct openmetrics_groups *groups;
	enum model_kind kind;
	uint64_t t_ns;
	struct entry *entries, *table; /* all of them; those in the hash */
	size_t n;
};

static struct entry *find(struct reading *r, const char *key)
{
	struct entry *e = NULL;

	if (r->table)
		HASH_FIND_STR(r->table, key, e);
	return e;
}

static int enter(struct reading *r, struct entry *e)
{
	HASH_ADD_KEYPTR(hh, r->table, e->key, strlen(e->key), e);
	return e->hh.tbl ? 0 : -ENOMEM;
}

static struct openmetrics_place *free_place(struct openmetrics_groups *g)
{
	for (int i = 0; i < OPENMETRICS_GROUPS; i++)
		if (!g->place[i].key)
			return &g->place[i];
	return NULL;
}

static int take_place(struct reading *r, struct entry *e, const struct row *row)
{
	struct openmetrics_place *place = free_place(r->groups);

	e->place = &r->groups->place[OPENMETRICS_GROUPS];
	if (!place)
		return 0;
	memset(place, 0, sizeof(*place));
	name_place(r->groups, place->label, row);
	place->key = strdup(e->key);
	e->place = place;
	return place->key ? 0 : -ENOMEM;
}

/* Those that have a place keep it; the selected ones get one, if there is one. */
static int find_places(struct reading *r, struct row **rows, size_t n)
{
	int err = 0;

	for (int i = 0; i < OPENMETRICS_GROUPS && !err; i++) {
		struct openmetrics_place *place = &r->groups->place[i];

		place->row = NULL;
		if (place->key && r->t_ns > place->seen_ns && r->t_ns - place->seen_ns > GONE_NS) {
			free(place->key);
			*place = (struct openmetrics_place){ .key = NULL }; /* no longer printed */
		}
		if (!place->key)
			continue;
		r->entries[r->n] = (struct entry){ .key = place->key, .place = place };
		err = enter(r, &r->entries[r->n++]);
	}
	for (size_t i = 0; i < n && !err; i++) {
		struct entry *e = &r->entries[r->n], *known;

		e->key = key_of(r->kind, rows[i], e->own);
		known = find(r, e->key);
		if (!known) {
			r->n++;
			err = take_place(r, e, rows[i]);
			err = err ? err : enter(r, e);
			known = e;
		}
		if (known->place != &r->groups->place[OPENMETRICS_GROUPS])
			known->place->row = rows[i];
	}
	return err;
}

static void add_process(struct reading *r, const struct sample *s, const struct row *process, bool wanted)
{
	char own[KEY_SIZE];
	struct entry *e = wanted ? find(r, key_of(r->kind, process, own)) : NULL;
	struct openmetrics_place *place = e ? e->place : NULL;

	for (int d = 0; d < OPENMETRICS_DISTS; d++) {
		uint64_t count[HIST_BUCKETS] = { 0 };

		if (!model_histogram_of(s, process->pid, process->start_ns, openmetrics_dists[d].dist, count))
			continue;
		hist_add(&r->groups->host[d], count);
		if (place)
			hist_add(&place->hist[d], count);
	}
	for (unsigned i = 0; i < LT_COUNTERS && place; i++) {
		uint64_t n = row_counter(process, (enum lt_counter)i);

		if (n == SAMPLE_UNKNOWN)
			continue;
		counter_put(&place->known, i);
		place->counter[i] = counter_sum(place->counter[i], n);
	}
	if (place)
		place->seen_ns = r->t_ns;
}

int openmetrics_groups_add(struct openmetrics_groups *g, const struct selection *s, enum model_kind kind,
			   struct row **rows, size_t n, struct model *m)
{
	struct model_query all = { .kind = MODEL_PROCESS, .no_dead = true }, narrow = all;
	struct reading r = { .groups = g, .kind = kind, .t_ns = model_sample(m)->t_ns };
	struct row *processes;
	int n_processes = model_rows(m, &all, &processes), err;

	if (n_processes < 0)
		return n_processes;
	r.entries = calloc(n + OPENMETRICS_GROUPS, sizeof(*r.entries));
	if (!r.entries)
		return -ENOMEM;
	err = find_places(&r, rows, n);
	selection_narrow(s, &narrow);
	for (int i = 0; i < n_processes && !err; i++)
		add_process(&r, model_sample(m), &processes[i],
			    !narrow.wants || narrow.wants(narrow.context, &processes[i]));
	HASH_CLEAR(hh, r.table);
	free(r.entries);
	return err;
}

void openmetrics_groups_free(struct openmetrics_groups *g)
{
	for (int i = 0; i < OPENMETRICS_GROUPS; i++)
		free(g->place[i].key);
}
