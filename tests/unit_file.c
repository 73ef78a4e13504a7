/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files at the path that lagtop should write: no other user's file, link, pipe or device is written to, waited for or
 * replaced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "child.h"
#include "file.h"
#include "fixture.h"
#include "record.h"
#include "synthetic.h"

#define OTHER_USER 65534
#define SMALL_BYTES 100

static char folder[] = "/tmp/lagtop-file.XXXXXX";
static char path[64], other[64], replayed[64];
static char errors[2000];

static void put(const char *name, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "precious", 8), 8);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void make_link(void)
{
	put(other, 0600);
	assert_int_equal(symlink(other, path), 0);
}

static void make_dangling(void)
{
	assert_int_equal(symlink(other, path), 0);
}

static void make_second_name(void)
{
	put(other, 0600);
	assert_int_equal(link(other, path), 0);
}

static void make_pipe(void)
{
	assert_int_equal(mkfifo(path, 0600), 0);
}

static void make_folder(void)
{
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chmod(path, 0777), 0);
}

static void make_foreign(void)
{
	put(path, 0666);
	assert_int_equal(chown(path, OTHER_USER, OTHER_USER), 0);
}

static void make_device(void)
{
	assert_int_equal(mknod(path, S_IFCHR | 0600, makedev(1, 3)), 0);
}

static const struct {
	void (*make)(void);
	bool as_root, replaced; /* replaced: renaming over it is safe */
	const char *told;
} places[] = {
	{ make_link, false, false, "it is a symbolic link" },
	{ make_dangling, false, false, "it is a symbolic link" },
	{ make_second_name, false, true, "it has more than one hard link" },
	{ make_pipe, false, false, "it is not a regular file" },
	{ make_folder, false, false, "it is not a regular file" },
	{ make_foreign, true, true, "it belongs to another user" },
	{ make_device, true, false, "it is not a regular file" },
};

static void clean(void)
{
	unlink(path);
	rmdir(path);
	unlink(other);
}

static int lagtop(const char *option, const char *value, bool replay)
{
	char *argv[] = { child_lagtop(),
			 (char *)(uintptr_t)option,
			 (char *)(uintptr_t)value,
			 (char *)(uintptr_t) "--csv",
			 (char *)(uintptr_t) "-n1",
			 replay ? (char *)(uintptr_t) "--replay" : NULL,
			 replayed,
			 NULL };
	struct outcome o = outcome_run(NULL, argv);
	int status = o.status;

	assert_non_null(o.errors);
	snprintf(errors, sizeof(errors), "%s", o.errors);
	outcome_free(&o);
	return status;
}

/* One sentence, status 2, and nothing has changed. */
static void assert_refused(size_t i, const char *option, bool replay)
{
	struct stat before, after;
	char expected[300];

	assert_int_equal(lstat(path, &before), 0);
	assert_int_equal(lagtop(option, path, replay), 2);
	/* A recording may be a folder, but of ours alone. */
	snprintf(expected, sizeof(expected), "lagtop: cannot write to %s: %s\n", path,
		 places[i].make == make_folder && !replay ? "others may write to it" : places[i].told);
	assert_string_equal(errors, expected);
	assert_int_equal(lstat(path, &after), 0);
	assert_memory_equal(&before.st_ino, &after.st_ino, sizeof(before.st_ino));
	assert_int_equal(before.st_mode, after.st_mode);
	assert_int_equal(before.st_size, after.st_size);
	if (places[i].make == make_link || places[i].make == make_second_name) {
		assert_int_equal(stat(other, &after), 0);
		assert_int_equal(after.st_size, 8);
	}
	if (places[i].make == make_dangling)
		assert_int_equal(access(other, F_OK), -1);
}

static void recordings_touch_nothing_foreign(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (places[i].as_root && geteuid())
			continue;
		places[i].make();
		assert_refused(i, "--record", false);
		clean();
	}
}

static void metrics_replace_nothing_but_files(void **state)
{
	struct stat st;

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (places[i].as_root && geteuid())
			continue;
		places[i].make();
		if (places[i].replaced) {
			assert_int_equal(lagtop("--openmetrics", path, true), 0);
			assert_int_equal(stat(path, &st), 0);
			assert_int_equal(st.st_uid, geteuid());
			assert_int_equal(st.st_mode & 07777, 0644);
			assert_true(access(other, F_OK) || (!stat(other, &st) && st.st_size == 8));
		} else {
			assert_refused(i, "--openmetrics", true);
		}
		clean();
	}
}

/* Only its owner can read a recording, whether it is new or replaces a file that others could read. */
static void recordings_are_their_owners(void **state)
{
	struct sample s = { 0 };
	char why[200];
	struct stat st;

	(void)state;
	synthetic_fill(&s, 1);
	for (int old = 0; old < 2; old++) {
		struct record *r;

		if (old)
			put(path, 0644);
		r = record_open(path, why, sizeof(why));
		assert_non_null(r);
		if (old) { /* a start that fails would have changed nothing */
			assert_int_equal(stat(path, &st), 0);
			assert_int_equal(st.st_size, 8);
		}
		assert_int_equal(record_write(r, &s), 0);
		assert_int_equal(record_close(r), 0);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		clean();
	}
	sample_free(&s);
}

static void only_small_files_are_read(void **state)
{
	const char *wrong;
	int fd;

	(void)state;
	assert_int_equal(file_open_small(path, SMALL_BYTES, &wrong), -1);
	assert_null(wrong); /* a missing file is no error */
	make_link();
	fd = file_open_small(path, SMALL_BYTES, &wrong);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(truncate(other, SMALL_BYTES + 1), 0);
	assert_int_equal(file_open_small(path, SMALL_BYTES, &wrong), -1);
	assert_string_equal(wrong, "it is too large");
	clean();
	make_pipe();
	assert_int_equal(file_open_small(path, SMALL_BYTES, &wrong), -1);
	assert_string_equal(wrong, "it is not a regular file");
	clean();
	make_folder();
	assert_int_equal(file_open_small(path, SMALL_BYTES, &wrong), -1);
	assert_string_equal(wrong, "it is not a regular file");
	clean();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recordings_touch_nothing_foreign),
		cmocka_unit_test(metrics_replace_nothing_but_files),
		cmocka_unit_test(recordings_are_their_owners),
		cmocka_unit_test(only_small_files_are_read),
	};
	int failed;

	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/file", folder);
	snprintf(other, sizeof(other), "%s/other", folder);
	snprintf(replayed, sizeof(replayed), "%s/recording", folder);
	fixture_write(replayed, 1, FIXTURE_PLAIN);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	clean();
	unlink(replayed);
	rmdir(folder);
	return failed;
}
