/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Subtracts the control groups' numbers as of the last reading: see disk_groups.h. */
#include "disk_groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define IDLE_READINGS 60 /* so many without a request: its row is freed */

struct counts {
	uint64_t count, bytes;
};

struct disk_groups {
	struct lt_disk_group *table;
	struct lt_group_name *names;
	struct lt_disk_group now[LT_DISK_GROUPS]; /* as of disk_groups_ask */
	struct counts last[LT_DISK_GROUPS];
	uint8_t idle[LT_DISK_GROUPS]; /* readings */
};

struct disk_groups *disk_groups_new(struct lt_disk_group *groups, struct lt_group_name *names)
{
	struct disk_groups *g = calloc(1, sizeof(*g));

	if (g) {
		g->table = groups;
		g->names = names;
	}
	return g;
}

void disk_groups_free(struct disk_groups *g)
{
	free(g);
}

void disk_groups_ask(struct disk_groups *g)
{
	for (uint32_t i = 0; i < LT_DISK_GROUPS; i++) {
		g->now[i].key = __atomic_load_n(&g->table[i].key, __ATOMIC_ACQUIRE);
		g->now[i].count = __atomic_load_n(&g->table[i].count, __ATOMIC_RELAXED);
		g->now[i].bytes = __atomic_load_n(&g->table[i].bytes, __ATOMIC_RELAXED);
	}
}

/* The path is stored from its end. Returns its text; 0: not known. */
static uint32_t add_name(const struct disk_groups *g, struct sample *s, uint64_t id)
{
	char path[LT_GROUP_PARTS_BYTES + LT_GROUP_PART_BYTES + 2], parts[LT_GROUP_PARTS_BYTES + LT_GROUP_PART_BYTES];
	const struct lt_group_name *name = NULL;
	size_t at = 0, bytes;

	for (uint32_t i = 0; i < LT_GROUP_NAMES && !name; i++)
		if (__atomic_load_n(&g->names[i].id, __ATOMIC_ACQUIRE) == id)
			name = &g->names[i];
	bytes = name ? __atomic_load_n(&name->bytes, __ATOMIC_ACQUIRE) : 0;
	if (!bytes || bytes > sizeof(parts))
		return 0;
	memcpy(parts, name->parts, bytes);
	parts[bytes - 1] = '\0';
	if (bytes == 1)
		path[at++] = '/';
	for (size_t end = bytes - 1; end;) {
		size_t begin = end;

		while (begin && parts[begin - 1])
			begin--;
		path[at++] = '/';
		memcpy(path + at, parts + begin, end - begin);
		at += end - begin;
		end = begin ? begin - 1 : 0;
	}
	return sample_add_text(s, path, at);
}

static int by_bytes(const void *a, const void *b)
{
	const struct sample_disk_group *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* The group's element of that device: two rows of the table may be of the same device. */
static struct sample_disk_group *element(struct sample *s, const struct sample_disk *to, uint64_t id)
{
	for (uint32_t i = to->first_group; i < s->n_disk_groups; i++)
		if (s->disk_groups[i].id == id)
			return &s->disk_groups[i];
	return sample_add_disk_group(s);
}

int disk_groups_take(struct disk_groups *g, const bool rows[LT_DISKS], struct sample *s, struct sample_disk *to)
{
	to->first_group = s->n_disk_groups;
	to->groups_known = true;
	for (uint32_t i = 0; i < LT_DISK_GROUPS; i++) {
		const struct lt_disk_group *now = &g->now[i];
		uint64_t count = now->count - g->last[i].count, bytes = now->bytes - g->last[i].bytes;
		struct sample_disk_group *group;

		if (!now->key || !rows[LT_DISK_GROUP_ROW(now->key) & (LT_DISKS - 1)])
			continue;
		g->idle[i] = count || bytes ? 0 : g->idle[i] + (g->idle[i] < UINT8_MAX);
		if (!count && !bytes)
			continue;
		g->last[i] = (struct counts){ now->count, now->bytes };
		group = element(s, to, LT_DISK_GROUP_ID(now->key));
		if (!group)
			return -ENOMEM;
		group->id = LT_DISK_GROUP_ID(now->key);
		group->count += count;
		group->bytes += bytes;
	}
	to->n_groups = s->n_disk_groups - to->first_group;
	for (uint32_t i = 0; i < to->n_groups; i++) {
		struct sample_disk_group *group = &s->disk_groups[to->first_group + i];

		group->name = add_name(g, s, group->id);
	}
	if (to->n_groups)
		qsort(s->disk_groups + to->first_group, to->n_groups, sizeof(*s->disk_groups), by_bytes);
	return 0;
}

static bool is_used(const struct disk_groups *g, uint64_t id)
{
	for (uint32_t i = 0; i < LT_DISK_GROUPS; i++)
		if (LT_DISK_GROUP_ID(__atomic_load_n(&g->table[i].key, __ATOMIC_ACQUIRE)) == id)
			return true;
	return false;
}

void disk_groups_tidy(struct disk_groups *g, const bool here[LT_DISKS])
{
	bool freed = false;

	for (uint32_t i = 0; i < LT_DISK_GROUPS; i++) {
		uint64_t key = g->now[i].key;

		if (!key || (here[LT_DISK_GROUP_ROW(key) & (LT_DISKS - 1)] && g->idle[i] < IDLE_READINGS))
			continue;
		__atomic_store_n(&g->table[i].key, 0, __ATOMIC_RELEASE);
		/* Its numbers go on growing for the next group. */
		g->last[i].count = __atomic_load_n(&g->table[i].count, __ATOMIC_RELAXED);
		g->last[i].bytes = __atomic_load_n(&g->table[i].bytes, __ATOMIC_RELAXED);
		g->idle[i] = 0;
		freed = true;
	}
	for (uint32_t i = 0; freed && i < LT_GROUP_NAMES; i++) {
		if (!g->names[i].id || is_used(g, g->names[i].id))
			continue;
		g->names[i].bytes = 0;
		__atomic_store_n(&g->names[i].id, 0, __ATOMIC_RELEASE);
	}
}
