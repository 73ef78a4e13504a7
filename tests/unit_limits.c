/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory limits from the files of both versions of control groups, in a directory tree made by the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "memory.h"

#define MIB (1ULL << 20)

static char root[64];

static void put(const char *file, const char *text)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, file);
	for (char *at = path + strlen(root) + 1; (at = strchr(at, '/')); *at++ = '/') {
		*at = '\0';
		assert_true(!mkdir(path, 0700) || errno == EEXIST);
	}
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static int opened(void **state)
{
	(void)state;
	strcpy(root, "/tmp/lagtop-limits-XXXXXX");
	assert_non_null(mkdtemp(root));
	put("proc/meminfo", "MemTotal:        8388608 kB\nMemFree:  1 kB\n");
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int closed(void **state)
{
	(void)state;
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct memory look(void)
{
	struct memory m;

	memory_look(&m, root);
	return m;
}

static void test_no_limit(void **state)
{
	struct memory m = look();

	(void)state;
	assert_int_equal(m.ram_bytes, 8192 * MIB);
	assert_true(m.limit_bytes == UINT64_MAX && m.free_bytes == UINT64_MAX);
	put("proc/self/cgroup", "0::/a/b\n");
	put("proc/self/mountinfo", "31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
	put("sys/fs/cgroup/a/memory.max", "max\n");
	put("sys/fs/cgroup/a/b/memory.max", "max\n");
	m = look();
	assert_true(m.limit_bytes == UINT64_MAX && m.free_bytes == UINT64_MAX);
	assert_int_equal(memory_share(&m, 32, 8), 256 * MIB);
	assert_true(memory_has(&m, 1 << 30));
	assert_int_equal(memory_for_past(&m, 32 * MIB, 5 * MIB), 32 * MIB);
	/* Nothing can be read: no limit, and the machine's memory is unknown. */
	put("proc/meminfo", "");
	m = look();
	assert_int_equal(m.ram_bytes, 0);
	assert_true(memory_share(&m, 32, 8) == UINT64_MAX / 8);
}

/* The tightest on the way up; cache counts as free; memory.high is a limit, too. */
static void test_version_2(void **state)
{
	struct memory m;

	(void)state;
	put("proc/self/cgroup", "1:name=systemd:/a/b/c\n0::/a/b/c\n");
	put("proc/self/mountinfo", "30 23 0:1 / / rw - ext4 /dev/root rw\n"
				   "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
	put("sys/fs/cgroup/a/memory.max", "104857600\n");
	put("sys/fs/cgroup/a/memory.current", "62914560\n");
	put("sys/fs/cgroup/a/b/memory.max", "max\n");
	put("sys/fs/cgroup/a/b/c/memory.max", "209715200\n");
	put("sys/fs/cgroup/a/b/c/memory.current", "1048576\n");
	m = look();
	assert_int_equal(m.limit_bytes, 100 * MIB);
	assert_int_equal(m.free_bytes, 40 * MIB);
	put("sys/fs/cgroup/a/memory.stat", "anon 1\ninactive_file 10485760\nactive_file 10485760\nfile 999999999\n");
	m = look();
	assert_int_equal(m.free_bytes, 60 * MIB);
	assert_int_equal(memory_share(&m, 32, 8), 100 * MIB / 8);
	assert_true(memory_has(&m, 40 * MIB));
	assert_false(memory_has(&m, 50 * MIB));
	/* The history may have what is free above a quarter, and shrinks by what is missing to it. */
	assert_int_equal(memory_for_past(&m, 100 * MIB, 0), 35 * MIB);
	put("sys/fs/cgroup/a/memory.current", "104857600\n");
	m = look();
	assert_int_equal(m.free_bytes, 20 * MIB);
	assert_int_equal(memory_for_past(&m, 32 * MIB, 20 * MIB), 15 * MIB);
	assert_int_equal(memory_for_past(&m, 32 * MIB, 2 * MIB), 0);
	put("sys/fs/cgroup/a/b/c/memory.high", "2097152\n");
	m = look();
	assert_int_equal(m.limit_bytes, 2 * MIB);
	assert_int_equal(m.free_bytes, 1 * MIB);
}

static void test_version_1(void **state)
{
	struct memory m;

	(void)state;
	put("proc/self/cgroup", "11:cpu,cpuacct:/x\n4:hugetlb,memory:/docker/id\n0::/other\n");
	put("proc/self/mountinfo", "35 31 0:32 /docker/id /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
				   "36 31 0:33 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n");
	/* Our own group is mounted, as in a container. */
	put("sys/fs/cgroup/memory/memory.limit_in_bytes", "41943040\n");
	put("sys/fs/cgroup/memory/memory.usage_in_bytes", "41943040\n");
	put("sys/fs/cgroup/memory/memory.stat", "cache 5\ntotal_inactive_file 1048576\ntotal_active_file 1048576\n");
	put("sys/fs/cgroup/cpu/memory.limit_in_bytes", "1\n");
	m = look();
	assert_int_equal(m.limit_bytes, 40 * MIB);
	assert_int_equal(m.free_bytes, 2 * MIB);
	/* "No limit" is a number above all memory. */
	put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
	m = look();
	assert_true(m.limit_bytes == UINT64_MAX);
}

#define limits_test(f) cmocka_unit_test_setup_teardown(f, opened, closed)

int main(void)
{
	const struct CMUnitTest tests[] = {
		limits_test(test_no_limit),
		limits_test(test_version_2),
		limits_test(test_version_1),
	};

	return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
