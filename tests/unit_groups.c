/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which control group a request counts for: bpf/group.bpf.h, compiled for this machine, with requests made by hand.
 * However many groups there are, each request is in a row or in `lost`.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <string.h>

#include "bpf_native.h"

static long read_kernel(void *to, size_t size, const void *from)
{
	if (!from) {
		memset(to, 0, size);
		return -14;
	}
	memcpy(to, from, size);
	return 0;
}

static bool field_exists(const char *field)
{
	(void)field;
	return true;
}

static long task_regs(struct task_struct *task)
{
	(void)task;
	return 0;
}

static long read_text(char *to, size_t size, const char *from)
{
	size_t n = strnlen(from, size - 1);

	memcpy(to, from, n);
	to[n] = '\0';
	return (long)n + 1;
}

#define bpf_probe_read_kernel_str(to, size, from) read_text(to, size, from)
#include "../bpf/group.bpf.h"

static struct lt_disk_group rows[LT_DISK_GROUPS];
static struct lt_group_name names[LT_GROUP_NAMES];
static struct lt_cpu this_cpu;

static void *lookup(const void *map, const void *key)
{
	uint32_t nr = *(const uint32_t *)key;

	if (map == &lt_cpus)
		return &this_cpu;
	if (map == &lt_disk_groups)
		return nr < LT_DISK_GROUPS ? &rows[nr] : NULL;
	return map == &lt_group_names && nr < LT_GROUP_NAMES ? &names[nr] : NULL;
}

/* A request that a group asked for has ended. */
static void end_of(uint64_t group)
{
	static struct kernfs_node root = { .id = 1, .name = "" };
	struct kernfs_node node = { .id = group, .name = "service", .__parent = &root };
	struct cgroup cgroup = { .kn = &node };
	struct cgroup_subsys_state blkcg = { .cgroup = &cgroup };
	struct blkcg_gq queue = { .blkcg = &blkcg };
	struct bio bio = { .bi_blkg = &queue };
	struct request rq = { .bio = &bio };

	lt_group_add(&rq, 3, 4096, 1);
}

static int begin(void **state)
{
	(void)state;
	memset(rows, 0, sizeof(rows));
	memset(names, 0, sizeof(names));
	memset(&this_cpu, 0, sizeof(this_cpu));
	return 0;
}

static uint64_t counted(uint64_t *bytes)
{
	uint64_t n = 0;

	*bytes = 0;
	for (int i = 0; i < LT_DISK_GROUPS; i++) {
		n += rows[i].count;
		*bytes += rows[i].bytes;
	}
	return n;
}

static void test_few_groups(void **state)
{
	uint64_t bytes;

	(void)state;
	for (uint64_t i = 0; i < 300; i++)
		end_of(100 + i % 3);
	assert_int_equal(counted(&bytes), 300);
	assert_int_equal(bytes, 300 * 4096);
	assert_int_equal(this_cpu.lost_groups, 0);
	for (int i = 0; i < LT_DISK_GROUPS; i++) {
		assert_true(!rows[i].key || rows[i].count == 100);
		assert_true(!rows[i].key || LT_DISK_GROUP_ROW(rows[i].key) == 3);
	}
}

static void test_more_groups_than_rows(void **state)
{
	uint64_t bytes;

	(void)state;
	for (int round = 0; round < 2; round++)
		for (uint64_t i = 0; i < 3 * LT_DISK_GROUPS; i++)
			end_of(100 + i);
	assert_in_range(counted(&bytes), LT_DISK_GROUPS, 2 * LT_DISK_GROUPS);
	assert_int_equal(bytes, 4096 * counted(&bytes));
	assert_int_equal(counted(&bytes) + this_cpu.lost_groups, 6 * LT_DISK_GROUPS);
}

int main(void)
{
	static const struct CMUnitTest groups[] = {
		cmocka_unit_test_setup(test_few_groups, begin),
		cmocka_unit_test_setup(test_more_groups_than_rows, begin),
	};

	return cmocka_run_group_tests(groups, NULL, NULL);
}
