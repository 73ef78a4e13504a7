/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --fail-if. A row is the same from reading to reading if its key is: a process by pid and start, a group by its name,
 * a connection by its two ends. Only rows that match the expression are counted; one that does not match, or is
 * missing, starts again from 0.
 */
#include "alert.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define KEY_SIZE 320

struct alert_row {
	UT_hash_handle hh;
	uint64_t readings;
	char key[];
};

static size_t print_key(char key[KEY_SIZE], const struct row *r)
{
	const struct sample_connection *c = r->connection;
	int n;

	switch (r->kind) {
	case MODEL_PROCESS:
	case MODEL_THREAD:
		n = snprintf(key, KEY_SIZE, "%u %u %llu", r->pid, r->tid, (unsigned long long)r->start_ns);
		break;
	case MODEL_CALL:
		n = snprintf(key, KEY_SIZE, "%u", r->call);
		break;
	case MODEL_CPU:
		n = snprintf(key, KEY_SIZE, "%u", r->cpu->cpu);
		break;
	case MODEL_DISK:
		n = snprintf(key, KEY_SIZE, "%u:%u %u", r->disk->sample->major, r->disk->sample->minor,
			     r->disk->sample->op);
		break;
	case MODEL_CONNECTION: {
		/* The fields that do not change, as raw bytes: the key is not text. */
		struct {
			uint64_t netns;
			uint32_t pid;
			uint16_t local_port, remote_port;
			uint8_t local[16], remote[16], proto, family, zero[6];
		} end = { c->netns, c->pid, c->local_port, c->remote_port, { 0 }, { 0 }, c->proto, c->family, { 0 } };

		memcpy(end.local, c->local, sizeof(end.local));
		memcpy(end.remote, c->remote, sizeof(end.remote));
		memcpy(key, &end, sizeof(end));
		return sizeof(end);
	}
	default:
		n = snprintf(key, KEY_SIZE, "%u %s", r->uid, r->comm);
	}
	return n < KEY_SIZE ? (size_t)n : KEY_SIZE - 1;
}

static void free_counts(struct alert_row *counts)
{
	struct alert_row *c, *next;

	HASH_ITER(hh, counts, c, next)
	{
		HASH_DEL(counts, c);
		free(c);
	}
}

/* Counts one more reading of this row: moves it from the old counts to the new ones. NULL: out of memory. */
static struct alert_row *count(struct alert *a, struct alert_row **now, const struct row *r)
{
	char key[KEY_SIZE];
	size_t len = print_key(key, r);
	struct alert_row *c;

	HASH_FIND(hh, a->counts, key, len, c);
	if (c) {
		HASH_DEL(a->counts, c);
	} else {
		c = calloc(1, sizeof(*c) + len + 1);
		if (!c)
			return NULL;
		memcpy(c->key, key, len);
	}
	c->readings++;
	HASH_ADD(hh, *now, key, len, c);
	if (!c->hh.tbl) {
		free(c);
		return NULL;
	}
	return c;
}

int alert_check(struct alert *a, struct row **rows, int n)
{
	struct alert_row *now = NULL, *c;
	struct row *row;
	int failed = 0, err = 0;

	for (int i = 0; i < n && !err; i++) {
		row = rows[i];
		if (!filter_holds(a->expression, row))
			continue;
		c = count(a, &now, row);
		if (!c) {
			err = -ENOMEM;
		} else if (a->once ? c->readings == a->readings : c->readings >= a->readings) {
			rows[i] = rows[failed];
			rows[failed++] = row;
		}
	}
	free_counts(a->counts);
	a->counts = now;
	return err ? err : failed;
}

void alert_free(struct alert *a)
{
	free_counts(a->counts);
	a->counts = NULL;
}
