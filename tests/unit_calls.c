/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of calls against libseccomp's: the numbers are right on every architecture, and each call has been given a
 * kind. Also names of calls that are newer than that library.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "lagtop.h"
#include "names.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NUMBERS 1024
#define X32_BIT 0x40000000

enum arch { X86_64, I386, ARM64, ARM, X32, ARCHES };
static const uint32_t arches[ARCHES] = { SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_AARCH64, SCMP_ARCH_ARM,
					 SCMP_ARCH_X32 };
static const char *const arch_names[ARCHES] = { "x86_64", "i386", "arm64", "arm", "x32" };

struct table_row {
	const char *name;
	int nr[ARCHES];
	enum lt_wait kind;
};
#define ROW(name, x86_64, i386, arm64, arm, kind) { #name, { x86_64, i386, arm64, arm, NO }, LT_WAIT_##kind },
#define X32_ROW(name, x32, kind) { #name, { NO, NO, NO, NO, x32 }, LT_WAIT_##kind },
static const struct table_row table[] = { LT_CALL_TABLE(ROW) LT_X32_TABLE(X32_ROW) };

/* Its first row, or NULL. */
static const struct table_row *row_of(const char *name)
{
	for (size_t i = 0; i < COUNT(table); i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
	return NULL;
}

static bool other_on_purpose(const char *name)
{
	char word[64];

	snprintf(word, sizeof(word), " %s ", name);
	return strstr(" " LT_CALLS_OTHER, word);
}

static char *name_of(enum arch arch, int nr)
{
	return seccomp_syscall_resolve_num_arch(arches[arch], arch == X32 ? nr | X32_BIT : nr);
}

/* Every call that the library knows the number of, on every architecture. */
static void every_call_has_its_kind(void **state)
{
	int known = 0, without = 0, twice = 0;

	(void)state;
	for (int a = 0; a < ARCHES; a++)
		for (int nr = 0; nr < NUMBERS; nr++) {
			char *name = name_of((enum arch)a, nr);
			bool waits = name && row_of(name), other = name && other_on_purpose(name);

			known += !!name;
			without += name && !waits && !other;
			twice += waits && other;
			if (name && waits == other)
				print_error("%s %d %s: %s\n", arch_names[a], nr, name,
					    waits ? "in the table and `other`" : "no kind");
			free(name);
		}
	assert_true(known > 1500);
	assert_int_equal(without, 0);
	assert_int_equal(twice, 0);
}

static void newer_calls_have_their_kind(void **state)
{
	(void)state;
	for (uint32_t nr = 424; names_call(LT_CALL(LT_ABI_NATIVE, nr))[0] != '#'; nr++) {
		const char *name = names_call(LT_CALL(LT_ABI_NATIVE, nr));

		if (!row_of(name) == !other_on_purpose(name))
			fail_msg("%s has no kind, or two", name);
	}
}

/* A row has the number for each architecture that has the call. */
static void numbers_are_right(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++)
		for (int a = 0; a < ARCHES; a++) {
			const struct table_row *r = &table[i];
			char *name = r->nr[a] == NO ? NULL : name_of((enum arch)a, r->nr[a]);

			if (name && strcmp(name, r->name)) {
				print_error("%s: %d is %s on %s\n", r->name, r->nr[a], name, arch_names[a]);
				wrong++;
			}
			free(name);
		}
	for (int a = 0; a < ARCHES; a++)
		for (int nr = a == X32 ? 512 : 0; nr < NUMBERS; nr++) {
			char *name = name_of((enum arch)a, nr);
			bool found = !name || !row_of(name);

			for (size_t i = 0; name && i < COUNT(table); i++)
				found |= table[i].nr[a] == nr && !strcmp(table[i].name, name);
			if (!found) {
				print_error("%s: its number on %s, %d, is missing\n", name, arch_names[a], nr);
				wrong++;
			}
			free(name);
		}
	assert_int_equal(wrong, 0);
}

static enum lt_wait kind(const char *name)
{
	const struct table_row *r = row_of(name);

	return r ? r->kind : LT_WAIT_OTHER;
}

/* Every call that accesses a file system is of the kind io. */
static void files_are_io(void **state)
{
	static const char *const calls[] = { "stat",	 "newfstatat", "statx",	    "getdents64", "unlink",
					     "unlinkat", "rename",     "renameat2", "mkdir",	  "rmdir",
					     "access",	 "faccessat2", "getxattr",  "setxattr",	  "listxattr",
					     "readlink", "chmod",      "truncate",  "statfs",	  "execve",
					     "mount",	 "umount2",    "setxattrat" };

	(void)state;
	for (size_t i = 0; i < COUNT(calls); i++)
		if (kind(calls[i]) != LT_WAIT_IO)
			fail_msg("%s is not io", calls[i]);
	assert_int_equal(kind("getpid"), LT_WAIT_OTHER);
	assert_int_equal(kind("futex"), LT_WAIT_LOCK);
	assert_int_equal(kind("read"), LT_WAIT_FD);
}

static void new_calls_have_names(void **state)
{
	static const struct {
		uint32_t nr;
		const char *name;
	} calls[] = { { 456, "futex_requeue" },	 { 457, "statmount" }, { 462, "mseal" },
		      { 467, "open_tree_attr" }, { 470, "listns" },    { 471, "rseq_slice_yield" } };

	(void)state;
	for (size_t i = 0; i < COUNT(calls); i++)
		for (int abi = LT_ABI_NATIVE; abi <= LT_ABI_COMPAT; abi++)
			assert_string_equal(names_call(LT_CALL(abi, calls[i].nr)), calls[i].name);
	assert_string_equal(names_call(LT_CALL(LT_ABI_NATIVE, 4000)), "#4000");
	assert_string_equal(names_call(LT_CALL(LT_ABI_COMPAT, 4000)), "#4000");
#ifdef __x86_64__
	assert_string_equal(names_call(LT_CALL(LT_ABI_NATIVE, 335)), "uretprobe");
	assert_string_equal(names_call(LT_CALL(LT_ABI_NATIVE, 336)), "uprobe");
	assert_string_equal(names_call(LT_CALL(LT_ABI_COMPAT, 336)), "perf_event_open");
	assert_string_equal(names_call(LT_CALL(LT_ABI_X32, 0)), "read");
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_has_its_kind), cmocka_unit_test(newer_calls_have_their_kind),
		cmocka_unit_test(numbers_are_right),	   cmocka_unit_test(files_are_io),
		cmocka_unit_test(new_calls_have_names),
	};

	return cmocka_run_group_tests_name("calls", tests, NULL, NULL);
}
