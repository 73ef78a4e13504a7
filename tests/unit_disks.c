/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/diskstats as different kernels and devices write it, and what an interval is made of from it and the programs'
 * table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "column.h"
#include "disks.h"
#include "diskstats.h"
#include "reading.h"

#define VDA "254 0 vda 100 5 800 90 200 7 1600 180 3 250 270 10 1 64 4 6 2\n"

static struct diskstats *parsed;

static int parse(const char *text)
{
	free(parsed);
	return diskstats_parse(text, &parsed);
}

static void a_line(void **state)
{
	(void)state;
	assert_int_equal(parse(" 254       0 vda 100 5 800 90 200 7 1600 180 3 250 270 10 1 64 4 6 2\n"), 1);
	assert_string_equal(parsed->name, "vda");
	assert_int_equal(parsed->major, 254);
	assert_int_equal(parsed->op[LT_DISK_READ].count, 100);
	assert_int_equal(parsed->op[LT_DISK_READ].merged, 5);
	assert_int_equal(parsed->op[LT_DISK_READ].sectors, 800);
	assert_int_equal(parsed->op[LT_DISK_READ].ms, 90);
	assert_int_equal(parsed->op[LT_DISK_WRITE].count, 200);
	assert_int_equal(parsed->op[LT_DISK_WRITE].ms, 180);
	assert_int_equal(parsed->op[LT_DISK_DISCARD].count, 10);
	assert_int_equal(parsed->op[LT_DISK_DISCARD].sectors, 64);
	assert_int_equal(parsed->op[LT_DISK_FLUSH].count, 6);
	assert_int_equal(parsed->op[LT_DISK_FLUSH].ms, 2);
	assert_int_equal(parsed->in_flight, 3);
	assert_int_equal(parsed->busy_ms, 250);
	/* Without discards and flushes, and with numbers that a future kernel may add. */
	assert_int_equal(parse("8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n"), 1);
	assert_int_equal(parsed->op[LT_DISK_WRITE].count, 5);
	assert_int_equal(parsed->op[LT_DISK_FLUSH].count, 0);
	assert_int_equal(parse("8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19"), 1);
	assert_int_equal(parsed->op[LT_DISK_FLUSH].ms, 17);
}

static void partitions_are_left_out(void **state)
{
	static const char numbers[] = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17";
	static const char *const names[] = { "sda",	"sda1",	     "sda12",	     "sdaa",  "sdaa1",
					     "nvme0n1", "nvme0n1p1", "nvme0n12",     "loop1", "loop10",
					     "mmcblk0", "mmcblk0p2", "mmcblk0boot0", "md127", "md127p1",
					     "dm-1",	"dm-10",     "xvda1",	     "xvda2" };
	static const char *const whole[] = { "sda",    "sdaa",	  "nvme0n1",	  "nvme0n12", "loop1",
					     "loop10", "mmcblk0", "mmcblk0boot0", "md127",    "dm-1",
					     "dm-10",  "xvda1",	  "xvda2" };
	char text[4096] = "";

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		sprintf(text + strlen(text), "%4d %7zu %s %s\n", 8, i, names[i], numbers);
	assert_int_equal(parse(text), sizeof(whole) / sizeof(whole[0]));
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		assert_string_equal(parsed[i].name, whole[i]);
}

static void odd_lines_are_no_devices(void **state)
{
	static const char *const odd[] = {
		"",
		"\n",
		"\n\n\n",
		"254",
		"254 0",
		"254 0 vda",
		"254 0 vda 1 2 3 4 5 6 7 8 9 10",
		"vda 1 2 3",
		"254 0 vda x 2 3 4 5 6 7 8 9 10 11",
		"254 0 vda -1 2 3 4 5 6 7 8 9 10 11",
		/* A name that is too long is not truncated to another device's. */
		"254 0 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 1 2 3 4 5 6 7 8 9 10 11",
		/* The numbers of the next line are not this one's. */
		"254 0 vda 1 2 3\n 4 5 6 7 8 9 10 11 12 13 14",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		if (parse(odd[i]))
			fail_msg("a device in: %s", odd[i]);
	assert_int_equal(parse("garbage\n" VDA "more\n"), 1);
	/* Too large for 64 bits. */
	assert_int_equal(parse("254 0 vda 99999999999999999999999 2 3 4 5 6 7 8 9 10 11\n"), 1);
	free(parsed);
	parsed = NULL;
}

static struct lt_disk table[LT_DISKS];
static struct disks *disks;
static struct sample sample;

static int opened(void **state)
{
	(void)state;
	memset(table, 0, sizeof(table));
	disks = disks_new(table, NULL);
	return !disks;
}

static int closed(void **state)
{
	(void)state;
	disks_free(disks);
	sample_free(&sample);
	return 0;
}

static void read_at(const char *diskstats, uint32_t epoch)
{
	sample_clear(&sample);
	sample.interval_ns = 1;
	sample.cpus_online = 1;
	disks_ask(disks);
	disks_read(disks, diskstats, epoch, &sample);
	assert_null(sample_check(&sample));
}

/* As lt_complete counts it. */
static void request(uint32_t row, uint32_t minor, enum lt_disk_op op, uint32_t epoch, uint64_t queue_ns,
		    uint64_t service_ns)
{
	const uint64_t ns[LT_DISK_PARTS] = { queue_ns + service_ns, queue_ns, service_ns };
	struct lt_disk *d = &table[row];

	d->key = LT_DISK_KEY(254, minor, op);
	for (int p = 0; p < LT_DISK_PARTS; p++) {
		d->latency[p].count[hist_bucket(ns[p])]++;
		if (LT_MAX_WORD_EPOCH(d->max[p][epoch & 1]) != (epoch & 0xffff) ||
		    LT_MAX_WORD(epoch, ns[p]) > d->max[p][epoch & 1])
			d->max[p][epoch & 1] = LT_MAX_WORD(epoch, ns[p]);
	}
}

static const struct sample_disk *found(const char *name, enum lt_disk_op op)
{
	for (uint32_t i = 0; i < sample.n_disks; i++)
		if (sample.disks[i].op == op && !strcmp(sample_text(&sample, sample.disks[i].name), name))
			return &sample.disks[i];
	return NULL;
}

static uint64_t events(const struct sample_dist *d)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < d->n; i++)
		n += sample.buckets[d->first + i].count;
	return n;
}

static void an_interval(void **state)
{
	const struct sample_disk *d;

	(void)state;
	request(5, 0, LT_DISK_READ, 1, 1000, 50000);
	read_at(VDA, 1);
	assert_false(sample.has_disks);
	assert_int_equal(sample.n_disks, 0);
	for (int i = 0; i < 3; i++)
		request(5, 0, LT_DISK_READ, 2, 2000, 60000 + (uint64_t)i);
	request(77, 0, LT_DISK_WRITE, 2, 3000, 10);
	table[77].carriers = 4;
	/* The times of 32 bits have wrapped. */
	read_at("254 0 vda 103 6 824 95 205 7 1600 179 1 249 280 10 1 64 4 6 2\n", 2);
	assert_true(sample.has_disks);
	assert_int_equal(sample.n_disks, 4);
	d = found("vda", LT_DISK_READ);
	assert_int_equal(d->count, 3);
	assert_int_equal(d->merged, 1);
	assert_int_equal(d->bytes, 24 * 512);
	assert_int_equal(d->time_ns, 5 * MS_NS);
	assert_int_equal(d->busy_ns, 0xffffffffULL * MS_NS);
	assert_int_equal(d->in_flight, 1);
	assert_int_equal(d->carriers, 0);
	assert_int_equal(events(&d->latency[LT_DISK_TOTAL]), 3);
	assert_int_equal(d->latency[LT_DISK_TOTAL].max_ns, 62002);
	assert_int_equal(d->latency[LT_DISK_QUEUE].max_ns, 2000);
	assert_int_equal(d->latency[LT_DISK_SERVICE].max_ns, 60002);
	d = found("vda", LT_DISK_WRITE);
	assert_int_equal(d->count, 5);
	assert_int_equal(d->carriers, 4);
	assert_int_equal(events(&d->latency[LT_DISK_TOTAL]), 1);
	assert_int_equal(events(&found("vda", LT_DISK_FLUSH)->latency[LT_DISK_TOTAL]), 0);
	/* Nothing happens: the rows stay, and nothing is counted twice. */
	read_at("254 0 vda 103 6 824 95 205 7 1600 179 0 249 280 10 1 64 4 6 2\n", 3);
	d = found("vda", LT_DISK_READ);
	assert_int_equal(d->count + d->bytes + d->busy_ns + events(&d->latency[LT_DISK_TOTAL]), 0);
	assert_int_equal(found("vda", LT_DISK_WRITE)->carriers, 0);
}

/* A maximum that was counted in the interval before is not this interval's. */
static void a_maximum_of_the_interval_before(void **state)
{
	(void)state;
	request(5, 0, LT_DISK_READ, 2, 0, 900000);
	read_at(VDA, 1);
	request(5, 0, LT_DISK_READ, 2, 0, 50000);
	read_at(VDA, 2);
	assert_int_equal(events(&found("vda", LT_DISK_READ)->latency[LT_DISK_TOTAL]), 1);
	assert_int_equal(found("vda", LT_DISK_READ)->latency[LT_DISK_TOTAL].max_ns, 0);
}

/* A device disappears, and another one appears with its number. */
static void devices_come_and_go(void **state)
{
	(void)state;
	read_at(VDA, 1);
	request(9, 16, LT_DISK_READ, 2, 10, 20);
	read_at(VDA "254 16 vdb 5 0 40 1 0 0 0 0 0 1 1 0 0 0 0 0 0\n", 2);
	assert_int_equal(found("vdb", LT_DISK_READ)->count, 5); /* everything since it appeared */
	assert_null(found("vdb", LT_DISK_WRITE));		/* it never did */
	request(9, 16, LT_DISK_READ, 3, 10, 20);
	read_at(VDA, 3);
	assert_null(found("vdb", LT_DISK_READ));
	assert_int_equal(table[9].key, 0);
	assert_int_equal(sample.lost.requests, 1);
	request(9, 16, LT_DISK_READ, 4, 10, 20);
	read_at(VDA "254 16 vdb 2 0 16 1 0 0 0 0 0 1 1 0 0 0 0 0 0\n", 4);
	assert_int_equal(found("vdb", LT_DISK_READ)->count, 2);
	assert_int_equal(events(&found("vdb", LT_DISK_READ)->latency[LT_DISK_TOTAL]), 1);
	read_at(VDA "254 16 vdb 1 0 8 1 0 0 0 0 0 1 1 0 0 0 0 0 0\n", 5);
	assert_int_equal(found("vdb", LT_DISK_READ)->count, 1); /* counts never decrease: it is yet another one */
}

/* Two rows with one key, after one between them was freed. */
static void rows_of_one_device_add_up(void **state)
{
	(void)state;
	read_at(VDA, 1);
	request(1, 0, LT_DISK_READ, 2, 0, 50000);
	request(2, 0, LT_DISK_READ, 2, 0, 70000);
	read_at(VDA, 2);
	assert_int_equal(events(&found("vda", LT_DISK_READ)->latency[LT_DISK_SERVICE]), 2);
	assert_int_equal(found("vda", LT_DISK_READ)->latency[LT_DISK_SERVICE].max_ns, 70000);
}

static void a_file_that_did_not_come(void **state)
{
	(void)state;
	read_at(VDA, 1);
	read_at(NULL, 2);
	assert_false(sample.has_disks);
	read_at(VDA, 3); /* of two intervals: only the baseline */
	assert_false(sample.has_disks);
	read_at(VDA, 4);
	assert_true(sample.has_disks);
}

/* Without the programs the counts are still known. */
static void without_a_table(void **state)
{
	(void)state;
	disks_free(disks);
	disks = disks_new(NULL, NULL);
	read_at(VDA, 1);
	read_at("254 0 vda 101 5 808 90 200 7 1600 180 3 250 270 10 1 64 4 6 2\n", 2);
	assert_int_equal(found("vda", LT_DISK_READ)->count, 1);
	assert_int_equal(found("vda", LT_DISK_READ)->carriers, SAMPLE_UNKNOWN);
}

#define disks_test(f) cmocka_unit_test_setup_teardown(f, opened, closed)

static void assert_note(const struct row *r, const char *expected)
{
	assert_string_equal(column_find("note")->raw(r).text, expected);
}

/* What a row of a block device needs a word about. */
static void device_notes(void **state)
{
	struct sample_disk vda = { .major = 253, .op = LT_DISK_WRITE, .count = 3 }, loop = vda;
	struct row_disk disk = { .sample = &vda };
	struct row r = { .kind = MODEL_DISK, .disk = &disk };

	(void)state;
	assert_note(&r, "no latency: passes its requests on");
	vda.carriers = 3;
	assert_note(&r, "only carries flushes");
	disk.latency[LT_DISK_TOTAL].count = 3;
	assert_note(&r, "");
	disk.sample = &loop;
	assert_note(&r, "");
	loop.major = 7;
	assert_note(&r, "also counted where its file is");
	loop.count = 0;
	assert_note(&r, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(device_notes),
		cmocka_unit_test(a_line),
		cmocka_unit_test(partitions_are_left_out),
		cmocka_unit_test(odd_lines_are_no_devices),
		disks_test(an_interval),
		disks_test(a_maximum_of_the_interval_before),
		disks_test(devices_come_and_go),
		disks_test(rows_of_one_device_add_up),
		disks_test(a_file_that_did_not_come),
		disks_test(without_a_table),
	};

	return cmocka_run_group_tests_name("disks", tests, NULL, NULL);
}
