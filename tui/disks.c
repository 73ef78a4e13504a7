/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Subtracts the devices' numbers as of the last reading: see disks.h. */
#include "disks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "diskstats.h"

#define MS_NS 1000000ULL

struct disks {
	struct lt_disk *table;
	struct disk_groups *groups;
	struct lt_disk now[LT_DISKS]; /* the table as of disks_ask */
	struct lt_hist last[LT_DISKS][LT_DISK_PARTS];
	uint64_t last_carriers[LT_DISKS];
	struct diskstats *devices; /* at the last reading */
	int n_devices;		   /* -1: there was none */
};

/* What ended in the interval, of one device and direction. */
struct ended {
	bool rows[LT_DISKS]; /* its rows of the table */
	uint64_t carriers, requests;
	uint64_t count[LT_DISK_PARTS][HIST_BUCKETS];
	uint64_t max_ns[LT_DISK_PARTS];
};

struct disks *disks_new(struct lt_disk *table, struct disk_groups *groups)
{
	struct disks *k = calloc(1, sizeof(*k));

	if (!k) {
		disk_groups_free(groups);
		return NULL;
	}
	k->table = table;
	k->groups = groups;
	k->n_devices = -1;
	return k;
}

void disks_free(struct disks *k)
{
	if (k) {
		free(k->devices);
		disk_groups_free(k->groups);
	}
	free(k);
}

/* The programs add to the rows meanwhile, to one number at a time. */
void disks_ask(struct disks *k)
{
	for (uint32_t row = 0; k->table && row < LT_DISKS; row++) {
		k->now[row].key = __atomic_load_n(&k->table[row].key, __ATOMIC_ACQUIRE);
		if (k->now[row].key)
			k->now[row] = k->table[row];
	}
	if (k->groups)
		disk_groups_ask(k->groups);
}

/* 0: nothing completed in that interval. */
static uint64_t max_in(const __u64 max[2], uint32_t epoch)
{
	uint64_t word = max[epoch & 1];

	return LT_MAX_WORD_EPOCH(word) == (uint16_t)epoch ? word & LT_MAX_WORD_NS : 0;
}

/* Takes what a row of the table has counted since the last reading. */
static void take(struct disks *k, uint32_t row, uint32_t epoch, struct ended *e)
{
	const struct lt_disk *d = &k->now[row];
	uint64_t max_ns;

	e->carriers += d->carriers - k->last_carriers[row];
	k->last_carriers[row] = d->carriers;
	for (int p = 0; p < LT_DISK_PARTS; p++) {
		for (int b = 0; b < HIST_BUCKETS; b++) {
			uint32_t grown = d->latency[p].count[b] - k->last[row][p].count[b];

			e->count[p][b] += grown;
			e->requests += p == LT_DISK_TOTAL ? grown : 0;
		}
		k->last[row][p] = d->latency[p];
		max_ns = max_in(d->max[p], epoch);
		e->max_ns[p] = max_ns > e->max_ns[p] ? max_ns : e->max_ns[p];
	}
}

/* Two rows may have the same key: an earlier one was freed while the other was being taken. */
static void take_all(struct disks *k, uint64_t key, uint32_t epoch, struct ended *e)
{
	*e = (struct ended){ 0 };
	for (uint32_t row = 0; row < LT_DISKS; row++) {
		e->rows[row] = k->now[row].key == key;
		if (e->rows[row])
			take(k, row, epoch, e);
	}
}

static int add_dist(struct sample *s, struct sample_dist *dist, const uint64_t count[HIST_BUCKETS], uint64_t max_ns)
{
	struct sample_bucket *b;

	dist->first = s->n_buckets;
	for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
		if (!count[i])
			continue;
		b = sample_add_bucket(s);
		if (!b)
			return -ENOMEM;
		*b = (struct sample_bucket){ i, (uint32_t)count[i] };
	}
	dist->n = s->n_buckets - dist->first;
	/* The longest may have completed just after the last reading took its count: then only its bucket is known. */
	if (dist->n && hist_bucket(max_ns) <= s->buckets[s->n_buckets - 1].bucket)
		dist->max_ns = max_ns;
	return 0;
}

/* One direction of a device. last: zeros if it is new. */
static int add_op(struct disks *k, const struct diskstats *now, const struct diskstats *last, uint32_t op,
		  uint32_t epoch, struct sample *s)
{
	struct sample_disk disk = { .major = now->major, .minor = now->minor, .op = (uint8_t)op }, *to;
	struct ended e;
	int err = 0;

	take_all(k, LT_DISK_KEY(now->major, now->minor, op), epoch, &e);
	if (!now->op[op].count && !e.requests)
		return 0;
	disk.count = now->op[op].count - last->op[op].count;
	disk.merged = now->op[op].merged - last->op[op].merged;
	disk.bytes = (now->op[op].sectors - last->op[op].sectors) * DISKSTATS_SECTOR_BYTES;
	disk.time_ns = (uint32_t)(now->op[op].ms - last->op[op].ms) * MS_NS;
	disk.busy_ns = (uint32_t)(now->busy_ms - last->busy_ms) * MS_NS;
	disk.in_flight = now->in_flight;
	disk.carriers = k->table ? e.carriers : SAMPLE_UNKNOWN;
	for (int p = 0; p < LT_DISK_PARTS && !err; p++)
		err = add_dist(s, &disk.latency[p], e.count[p], e.max_ns[p]);
	if (!err && k->groups && op != LT_DISK_FLUSH)
		err = disk_groups_take(k->groups, e.rows, s, &disk);
	disk.name = sample_add_text(s, now->name, strlen(now->name));
	to = err || !disk.name ? NULL : sample_add_disk(s);
	if (!to)
		return -ENOMEM;
	*to = disk;
	return 0;
}

/* Counts never decrease: if they did, another device got the same number and name. */
static bool is_same(const struct diskstats *now, const struct diskstats *last)
{
	for (int op = 0; op < LT_DISK_OPS; op++)
		if (now->op[op].count < last->op[op].count || now->op[op].sectors < last->op[op].sectors ||
		    now->op[op].merged < last->op[op].merged)
			return false;
	return now->major == last->major && now->minor == last->minor && !strcmp(now->name, last->name);
}

static const struct diskstats *find_last(const struct disks *k, const struct diskstats *now)
{
	static const struct diskstats none;

	for (int i = 0; i < k->n_devices; i++)
		if (is_same(now, &k->devices[i]))
			return &k->devices[i];
	return &none;
}

/* Rows of devices that diskstats does not have. */
static void free_rows(struct disks *k, const struct diskstats *devices, int n, struct sample *s)
{
	bool here[LT_DISKS] = { false };

	for (uint32_t row = 0; row < LT_DISKS; row++) {
		uint64_t key = k->now[row].key;

		for (int i = 0; key && i < n && !here[row]; i++)
			here[row] = devices[i].major == LT_DISK_KEY_MAJOR(key) &&
				    devices[i].minor == LT_DISK_KEY_MINOR(key);
	}
	if (k->groups)
		disk_groups_tidy(k->groups, here);
	for (uint32_t row = 0; row < LT_DISKS; row++) {
		struct ended e = { 0 };

		if (!k->now[row].key || here[row])
			continue;
		take(k, row, 0, &e);
		s->lost.requests += e.requests;
		__atomic_store_n(&k->table[row].key, 0, __ATOMIC_RELEASE);
	}
}

void disks_read(struct disks *k, const char *diskstats, uint32_t epoch, struct sample *s)
{
	struct diskstats *devices = NULL;
	int n = diskstats ? diskstats_parse(diskstats, &devices) : -ENOENT, err = n < 0 ? n : 0;
	bool begins = k->n_devices < 0;

	for (int i = 0; i < n && !err; i++)
		for (uint32_t op = 0; op < LT_DISK_OPS && !err; op++)
			err = add_op(k, &devices[i], find_last(k, &devices[i]), op, epoch, s);
	if (!err)
		free_rows(k, devices, n, s);
	free(k->devices);
	k->devices = devices;
	k->n_devices = err ? -1 : n;
	s->has_disks = !begins && !err;
	if (!s->has_disks)
		s->n_disks = s->n_disk_groups = 0;
}
