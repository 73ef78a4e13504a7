/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What control groups asked of devices, from the programs' tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include "disks.h"

static struct lt_disk devices[LT_DISKS];
static struct lt_disk_group groups[LT_DISK_GROUPS];
static struct lt_group_name names[LT_GROUP_NAMES];
static struct disks *disks;
static struct sample sample;

static int opened(void **state)
{
	(void)state;
	memset(devices, 0, sizeof(devices));
	memset(groups, 0, sizeof(groups));
	memset(names, 0, sizeof(names));
	disks = disks_new(devices, disk_groups_new(groups, names));
	devices[3].key = LT_DISK_KEY(254, 0, LT_DISK_WRITE);
	devices[4].key = LT_DISK_KEY(254, 16, LT_DISK_WRITE);
	return !disks;
}

static int closed(void **state)
{
	(void)state;
	disks_free(disks);
	sample_free(&sample);
	return 0;
}

#define BOTH "254 0 vda 1 0 8 1 9 0 72 1 0 1 1\n254 16 vdb 1 0 8 1 9 0 72 1 0 1 1\n"

static void read_with(const char *diskstats)
{
	sample_clear(&sample);
	sample.interval_ns = 1;
	sample.cpus_online = 1;
	disks_ask(disks);
	disks_read(disks, diskstats, 1, &sample);
	assert_null(sample_check(&sample));
}

static void moves(uint32_t at, uint64_t id, uint32_t row, uint64_t count, uint64_t bytes)
{
	groups[at].key = LT_DISK_GROUP_KEY(id, row);
	groups[at].count += count;
	groups[at].bytes += bytes;
}

/* parts: as the programs spell it, from its end. */
static void is_called(uint32_t at, uint64_t id, const char *parts, uint32_t bytes)
{
	names[at].id = id;
	memcpy(names[at].parts, parts, bytes);
	names[at].bytes = bytes;
}

static const struct sample_disk *writes(const char *name)
{
	for (uint32_t i = 0; i < sample.n_disks; i++)
		if (sample.disks[i].op == LT_DISK_WRITE && !strcmp(sample_text(&sample, sample.disks[i].name), name))
			return &sample.disks[i];
	fail_msg("no writes to %s", name);
	return NULL;
}

static void expect(const char *disk, uint32_t i, const char *path, uint64_t count, uint64_t bytes)
{
	const struct sample_disk *d = writes(disk);
	const struct sample_disk_group *g = &sample.disk_groups[d->first_group + i];

	assert_true(d->groups_known);
	assert_true(i < d->n_groups);
	assert_string_equal(sample_text(&sample, g->name), path);
	assert_int_equal(g->count, count);
	assert_int_equal(g->bytes, bytes);
}

static void each_device_has_its_own(void **state)
{
	static const char deep[] = "x.service\0system.slice\0", long_part[] = "deep";

	(void)state;
	is_called(7, 900, deep, sizeof(deep) - 1);
	is_called(8, 1, "", 1);
	is_called(9, 901, long_part, sizeof(long_part));
	moves(0, 900, 3, 5, 4096);
	read_with(BOTH);
	assert_int_equal(sample.n_disk_groups, 0); /* it only begins */
	moves(0, 900, 3, 1, 4096);
	moves(1, 1, 3, 2, 8192);
	moves(2, 901, 4, 3, 512);
	moves(3, 902, 4, 4, 1);
	read_with(BOTH);
	assert_int_equal(writes("vda")->n_groups, 2);
	expect("vda", 0, "/", 2, 8192);
	expect("vda", 1, "/system.slice/x.service", 1, 4096);
	assert_int_equal(writes("vdb")->n_groups, 2);
	expect("vdb", 0, "/deep", 3, 512);
	expect("vdb", 1, "", 4, 1); /* its name found no room */
	read_with(BOTH);
	assert_int_equal(sample.n_disk_groups, 0);
}

/* A device may have two rows for a while. */
static void two_rows_of_a_device(void **state)
{
	(void)state;
	devices[5].key = devices[3].key;
	read_with(BOTH);
	moves(0, 900, 3, 1, 10);
	moves(1, 900, 5, 2, 20);
	read_with(BOTH);
	assert_int_equal(writes("vda")->n_groups, 1);
	expect("vda", 0, "", 3, 30);
}

static void idle_rows_are_freed(void **state)
{
	(void)state;
	is_called(7, 900, "a", 2);
	is_called(8, 901, "b", 2);
	moves(0, 900, 3, 1, 1);
	moves(1, 901, 3, 1, 1);
	for (int i = 0; i < 100; i++) {
		moves(1, 901, 3, 1, 1);
		read_with(BOTH);
	}
	assert_int_equal(groups[0].key, 0);
	assert_int_equal(names[7].id, 0);
	assert_int_equal(names[8].id, 901);
	/* Another takes it, and gets only its own. */
	moves(0, 902, 3, 3, 300);
	moves(1, 901, 3, 1, 1);
	read_with(BOTH);
	expect("vda", 0, "", 3, 300);
	expect("vda", 1, "/b", 1, 1);
}

static void rows_of_a_device_that_is_gone(void **state)
{
	(void)state;
	read_with(BOTH);
	moves(0, 900, 3, 1, 1);
	moves(1, 900, 4, 1, 1);
	read_with("254 0 vda 1 0 8 1 9 0 72 1 0 1 1\n");
	assert_int_not_equal(groups[0].key, 0);
	assert_int_equal(groups[1].key, 0);
	assert_int_equal(devices[4].key, 0);
}

/* With version 1 of control groups, their numbers are unknown. */
static void without_charges(void **state)
{
	(void)state;
	disks_free(disks);
	disks = disks_new(devices, NULL);
	read_with(BOTH);
	read_with(BOTH);
	assert_false(writes("vda")->groups_known);
	assert_int_equal(sample.n_disk_groups, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_device_has_its_own, opened, closed),
		cmocka_unit_test_setup_teardown(two_rows_of_a_device, opened, closed),
		cmocka_unit_test_setup_teardown(idle_rows_are_freed, opened, closed),
		cmocka_unit_test_setup_teardown(rows_of_a_device_that_is_gone, opened, closed),
		cmocka_unit_test_setup_teardown(without_charges, opened, closed),
	};

	return cmocka_run_group_tests_name("unit_disk_groups", tests, NULL, NULL);
}
