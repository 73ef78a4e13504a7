/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Folders of recordings: they stay within their bound whatever the clock and the disk do, a writer that is killed costs
 * at most the reading that it was writing, and all files are one recording.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "folder.h"
#include "mounts.h"
#include "synthetic.h"

#define SECOND_NS SYNTHETIC_SECOND_NS
#define HOUR 3600
#define KILLS 100

static char folder[] = "/dev/shm/lagtop-folder.XXXXXX";
static char why[512];
static const struct when from_the_start = { .kind = WHEN_NONE };

static struct recorder *open_recorder(uint64_t bytes, uint64_t hours)
{
	struct folder_keep keep = { .bytes = bytes, .ns = hours * HOUR * SECOND_NS };
	struct recorder *r = recorder_open(folder, &keep, why, sizeof(why));

	if (!r)
		fail_msg("%s", why);
	return r;
}

/* Writes the reading of that number, taken so many seconds after the first. 0 or -errno. */
static int write_one(struct recorder *r, struct sample *s, uint32_t number, int64_t at_s)
{
	synthetic_fill(s, number);
	s->realtime_ns = SYNTHETIC_REALTIME_NS + (uint64_t)(at_s * (int64_t)SECOND_NS);
	return recorder_write(r, s);
}

static void write_many(struct recorder *r, uint32_t from, uint32_t to, int64_t at_s)
{
	struct sample s = { 0 };

	for (uint32_t i = from; i <= to; i++)
		assert_int_equal(write_one(r, &s, i, at_s + i - from), 0);
	sample_free(&s);
}

/* How many recordings are there, and their bytes. */
static int count_files(uint64_t *bytes)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	struct stat st;
	int n = 0;

	assert_non_null(dir);
	*bytes = 0;
	while ((entry = readdir(dir))) {
		if (!strstr(entry->d_name, ".lag"))
			continue;
		assert_int_equal(fstatat(dirfd(dir), entry->d_name, &st, 0), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		*bytes += (uint64_t)st.st_size;
		n++;
	}
	closedir(dir);
	return n;
}

/* Replays the folder: how many readings; the numbers of the first and the last, which must not have a gap between them.
 */
static uint32_t replay(const struct when *when, uint32_t *first, uint32_t *last)
{
	struct source *src = folder_replay(folder, when, why, sizeof(why));
	struct sample s = { 0 };
	uint32_t n = 0;
	int got;

	*first = *last = 0;
	if (!src)
		return 0;
	while ((got = src->read(src, &s)) == 1) {
		assert_null(sample_check(&s));
		if (n++)
			assert_int_equal(s.number, *last + 1);
		else
			*first = s.number;
		*last = s.number;
	}
	assert_true(got == 0 || got == -EAGAIN);
	source_close(src);
	sample_free(&s);
	return n;
}

static void the_bound_in_bytes_holds(void **state)
{
	const uint64_t bound = 256 << 10;
	struct recorder *r = open_recorder(bound, 0);
	uint32_t first, last, n = 20 * HOUR / 10;
	struct sample s = { 0 };
	uint64_t bytes;
	int files = 0;

	(void)state;
	for (uint32_t i = 1; i <= n; i++) {
		assert_int_equal(write_one(r, &s, i, i * 10LL), 0);
		if (i % 16)
			continue;
		files = count_files(&bytes);
		assert_true(bytes <= bound);
	}
	assert_int_equal(recorder_close(r), 0);
	sample_free(&s);
	/* It was reached, and what is left is the newest. */
	assert_true(files > 4);
	assert_true(bytes > bound / 2);
	assert_true(replay(&from_the_start, &first, &last) > 100);
	assert_int_equal(last, n);
	assert_true(first > n / 10);
}

static void the_bound_in_time_holds(void **state)
{
	uint32_t first, last, n;
	uint64_t bytes;
	struct recorder *r = open_recorder(0, 2);

	(void)state;
	write_many(r, 1, 4 * HOUR, 0);
	assert_int_equal(recorder_close(r), 0);
	n = replay(&from_the_start, &first, &last);
	assert_int_equal(last, 4 * HOUR);
	assert_true(n >= 2 * HOUR && n <= 3 * HOUR);
	/* The time of an earlier run counts, too. */
	r = open_recorder(0, 2);
	write_many(r, 4 * HOUR + 1, 5 * HOUR, 4 * HOUR);
	assert_int_equal(recorder_close(r), 0);
	n = replay(&from_the_start, &first, &last);
	assert_int_equal(last, 5 * HOUR);
	assert_true(n >= 2 * HOUR && n <= 3 * HOUR);
	assert_true(count_files(&bytes) <= 5);
}

/* A clock that jumps a year takes nothing away, and the order stays that of writing. */
static void the_clock_may_step(void **state)
{
	static const int64_t steps_s[] = { 0, 365 * 24 * HOUR, -365 * 24 * HOUR, 10, -HOUR };
	struct recorder *r = open_recorder(0, 24);
	uint32_t first, last, at = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(steps_s) / sizeof(steps_s[0]); i++, at += 600)
		write_many(r, at, at + 599, steps_s[i] + at);
	assert_int_equal(recorder_close(r), 0);
	assert_int_equal(replay(&from_the_start, &first, &last), 5 * 600);
	assert_int_equal(first, 1);
	assert_int_equal(last, 5 * 600);
}

static void times_are_found_across_files(void **state)
{
	static const struct {
		const char *at;
		uint32_t number;
	} cases[] = {
		{ "+0s", 1 },
		{ "+2h", 2 * HOUR + 1 },
		{ "-10m", 3 * HOUR - 600 },
		{ "2026-11-22T08:30:00Z", 2 * HOUR - 2100 },
		{ "2026-11-22T07:00:00Z", 1 },
	};
	struct recorder *r = open_recorder(1 << 30, 0);
	uint32_t first, last;
	struct when when;

	(void)state;
	/* 07:05:01 on. */
	write_many(r, 1, 3 * HOUR, 0);
	assert_int_equal(recorder_close(r), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(when_parse(cases[i].at, &when));
		replay(&when, &first, &last);
		if (first < cases[i].number || first > cases[i].number + 1)
			fail_msg("%s: reading %u, not %u", cases[i].at, first, cases[i].number);
		assert_int_equal(last, 3 * HOUR);
	}
	assert_true(when_parse("2026-11-23T00:00:00Z", &when));
	assert_null(folder_replay(folder, &when, why, sizeof(why)));
	assert_non_null(strstr(why, "no reading at or after"));
}

/* A writer that dies in the middle of anything leaves whole readings, and the next one goes on after them. */
static void a_killed_writer_costs_one_reading(void **state)
{
	uint32_t first, last, before = 0;
	int notes[2], status;
	struct recorder *r;
	pid_t pid;

	(void)state;
	for (int k = 0; k < KILLS; k++) {
		uint32_t written = before, number;

		assert_int_equal(pipe(notes), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (!pid) {
			struct sample s = { 0 };

			r = recorder_open(folder, NULL, why, sizeof(why));
			for (number = before + 1; r && !write_one(r, &s, number, number); number++)
				if (write(notes[1], &number, sizeof(number)) != sizeof(number))
					break;
			_exit(1);
		}
		close(notes[1]);
		/* At least one reading; then at a moment that nobody chose. */
		for (int i = 0; i <= k % 7 && read(notes[0], &number, sizeof(number)) == sizeof(number); i++)
			written = number;
		for (volatile int spin = 0; spin < k * 1000; spin++)
			;
		kill(pid, SIGKILL);
		while (read(notes[0], &number, sizeof(number)) == sizeof(number))
			written = number;
		close(notes[0]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		replay(&from_the_start, &first, &last);
		assert_int_equal(first, 1);
		/* One more may have been written whole before it could say so. */
		assert_in_range(last, written, written + 1);
		before = last;
	}
}

/* The path of the n-th recording, from 1. */
static char *nth_file(int n)
{
	static char path[300];
	DIR *dir = opendir(folder);
	struct dirent *entry;

	assert_non_null(dir);
	path[0] = '\0';
	while ((entry = readdir(dir)))
		if (atoi(entry->d_name) == n)
			snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
	closedir(dir);
	assert_true(*path);
	return path;
}

/* Changes the byte there; from the end if at is negative. */
static void damage(const char *path, off_t at, uint8_t by)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	assert_true(fd >= 0);
	at = lseek(fd, at, at < 0 ? SEEK_END : SEEK_SET);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= by;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

/* Three runs of lagtop, each of `readings` readings: from 0, 999 and 1000 s on. */
static void three_runs(uint32_t readings)
{
	for (int run = 0; run < 3; run++) {
		struct recorder *r = open_recorder(0, 24);

		write_many(r, 1, readings, run ? 998 + run : 0);
		assert_int_equal(recorder_close(r), 0);
	}
}

struct told {
	uint32_t readings, gaps;
	uint64_t gap_ns; /* of the last one */
	char why[SAMPLE_GAP_SIZE], trouble[300];
};

static struct told tell(void)
{
	struct source *src = folder_replay(folder, &from_the_start, why, sizeof(why));
	struct told told = { 0 };
	struct sample s = { 0 };

	if (!src)
		return told;
	while (src->read(src, &s) == 1) {
		told.readings++;
		if (!*s.gap_why)
			continue;
		told.gaps++;
		told.gap_ns = s.gap_ns;
		snprintf(told.why, sizeof(told.why), "%s", s.gap_why);
	}
	snprintf(told.trouble, sizeof(told.trouble), "%s", source_trouble(src));
	source_close(src);
	sample_free(&s);
	return told;
}

/* Time that nobody recorded; not that the clock was set. */
static void gaps_are_told(void **state)
{
	struct recorder *r = open_recorder(0, 24);
	struct told told;

	(void)state;
	write_many(r, 1, 3, 0);
	write_many(r, 4, 6, 2000);
	write_many(r, 7, 9, 5);
	assert_int_equal(recorder_close(r), 0);
	told = tell();
	assert_int_equal(told.readings, 9);
	assert_int_equal(told.gaps, 0);
	r = open_recorder(0, 24); /* another run, from 108 s on; its first interval is a second */
	write_many(r, 1, 2, 108);
	write_many(r, 7, 8, 114); /* four readings found no room */
	assert_int_equal(recorder_close(r), 0);
	told = tell();
	assert_int_equal(told.readings, 13);
	assert_int_equal(told.gaps, 2);
	assert_int_equal(told.gap_ns, 4 * SECOND_NS);
	assert_string_equal(told.why, "nothing was recorded");
	assert_string_equal(told.trouble, "");
}

static void damage_is_told(void **state)
{
	struct told told;

	(void)state;
	three_runs(2);
	damage(nth_file(1), -1, 1);
	told = tell();
	assert_int_equal(told.readings, 5);
	assert_int_equal(told.gaps, 1);
	assert_int_equal(told.gap_ns,
			 998 * SECOND_NS); /* from the end of the first reading to the begin of the third */
	assert_non_null(strstr(told.why, "000001-"));
	assert_non_null(strstr(told.why, "reading 2 is damaged"));
	assert_string_equal(told.trouble, told.why);
	/* The last file ends early: there is no reading after it that could tell. */
	assert_int_equal(truncate(nth_file(3), 30), 0);
	told = tell();
	assert_int_equal(told.readings, 3);
	assert_non_null(strstr(told.trouble, "reading 2 is damaged"));
	damage(nth_file(1), -1, 1);
	told = tell();
	assert_int_equal(told.readings, 4);
	assert_non_null(strstr(told.trouble, "000003-"));
	assert_non_null(strstr(told.trouble, "its header is damaged"));
}

static void newer_recordings_are_refused(void **state)
{
	struct told told;

	(void)state;
	three_runs(2);
	damage(nth_file(2), 14, 0x80); /* the version */
	told = tell();
	assert_int_equal(told.readings, 4);
	assert_int_equal(told.gaps, 1);
	assert_int_equal(told.gap_ns, 998 * SECOND_NS);
	assert_non_null(strstr(told.why, "000002-"));
	assert_non_null(strstr(told.why, "made by a newer lagtop"));
	assert_string_equal(told.trouble, told.why);
	damage(nth_file(1), 14, 0x80);
	damage(nth_file(3), 14, 0x80);
	assert_null(folder_replay(folder, &from_the_start, why, sizeof(why)));
	assert_non_null(strstr(why, "made by a newer lagtop"));
}

/* Goes on in a child whose folder is a file system of its own; false: the child has ended well. */
static bool is_on_small_disk(const char *options)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid) {
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) == 77) {
			puts("skip: this process may not mount");
			skip();
		}
		assert_int_equal(WEXITSTATUS(status), 0);
		return false;
	}
	if (!mounts_unshare() || mount("folder", folder, "tmpfs", 0, options))
		_exit(77);
	return true;
}

/* On a full disk the oldest make room; where nothing can, readings are dropped, and it goes on when there is room
 * again. */
static void a_full_disk_is_survived(void **state)
{
	char path[200];
	uint32_t first, last, dropped;
	uint64_t bytes;
	struct recorder *r;
	struct sample s = { 0 };
	int fd;

	(void)state;
	if (!is_on_small_disk("size=256k,mode=700"))
		return;
	r = open_recorder(1 << 30, 0);
	for (uint32_t i = 1; i <= 3 * HOUR; i++) /* several files in it */
		assert_int_equal(write_one(r, &s, i, i * 10LL), 0);
	assert_int_equal(recorder_dropped(r), 0);
	assert_true(count_files(&bytes) >= 1);
	assert_true(replay(&from_the_start, &first, &last) > 0);
	assert_int_equal(last, 3 * HOUR);
	assert_true(first > 1);
	/* Somebody else takes all. */
	snprintf(path, sizeof(path), "%s/other", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(fd, path, sizeof(path)) > 0)
		;
	for (uint32_t i = 1; i <= 2000; i++) {
		assert_int_equal(write_one(r, &s, 3 * HOUR + i, 3 * HOUR * 10LL + i), 0);
		while (write(fd, path, sizeof(path)) > 0)
			;
	}
	dropped = (uint32_t)recorder_dropped(r);
	assert_true(dropped > 0);
	close(fd);
	unlink(path);
	assert_int_equal(write_one(r, &s, 9 * HOUR, 9 * HOUR), 0);
	assert_int_equal(recorder_dropped(r), dropped);
	assert_int_equal(recorder_close(r), 0);
	_exit(0);
}

static void other_files_are_left_alone(void **state)
{
	static const char *const names[] = { "notes.lag", "000001-20261122T070501Z.lag.bak", "0-20261122T070501Z.lag",
					     "000001-2026112xT070501Z.lag", "000005-20261122T070501Z.lag" };
	uint32_t first, last;
	char path[200];
	struct recorder *r;
	struct stat st;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		/* The last has the name of a recording and is a link. */
		if (i + 1 < sizeof(names) / sizeof(names[0]))
			assert_int_equal(close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
		else
			assert_int_equal(symlink("/etc/passwd", path), 0);
	}
	r = open_recorder(0, 1);
	assert_null(recorder_open(folder, NULL, why, sizeof(why)));
	assert_non_null(strstr(why, "another lagtop is recording to it"));
	write_many(r, 1, 5 * HOUR, 0);
	assert_int_equal(recorder_close(r), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		assert_int_equal(lstat(path, &st), 0);
	}
	assert_true(replay(&from_the_start, &first, &last) > HOUR);
	assert_int_equal(last, 5 * HOUR);
}

/* No inode for a file of its own: the oldest recordings make room for it, and nothing is lost silently. */
static void no_room_for_a_file(void **state)
{
	struct sample s = { 0 };
	uint32_t first, last;
	struct recorder *r;
	char path[200];

	(void)state;
	if (!is_on_small_disk("size=4m,mode=700,nr_inodes=6"))
		return;
	r = open_recorder(1 << 30, 0);
	for (uint32_t i = 1; i <= 3; i++) /* a file each */
		assert_int_equal(write_one(r, &s, i, i * (int64_t)HOUR), 0);
	assert_int_equal(recorder_close(r), 0);
	for (int i = 0; i < 10; i++) {
		snprintf(path, sizeof(path), "%s/other%d", folder, i);
		close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	}
	r = open_recorder(1 << 30, 0);
	for (uint32_t i = 4; i <= 6; i++)
		assert_int_equal(write_one(r, &s, i, i * (int64_t)HOUR), 0);
	assert_int_equal(recorder_dropped(r), 0);
	assert_int_equal(recorder_close(r), 0);
	replay(&from_the_start, &first, &last);
	assert_int_equal(last, 6);
	_exit(0);
}

/* Where others can put files, or turn a name to another place, nothing is recorded. */
static void folders_of_others_are_refused(void **state)
{
	char link[sizeof(folder) + 8];

	(void)state;
	assert_int_equal(chmod(folder, 0770), 0);
	assert_null(recorder_open(folder, NULL, why, sizeof(why)));
	assert_non_null(strstr(why, "others may write to it"));
	assert_int_equal(chmod(folder, 0755), 0);
	snprintf(link, sizeof(link), "%s.link", folder);
	assert_int_equal(symlink(folder, link), 0);
	assert_null(recorder_open(link, NULL, why, sizeof(why)));
	assert_non_null(strstr(why, "it is a symbolic link"));
	unlink(link);
	assert_int_equal(recorder_close(recorder_open(folder, NULL, why, sizeof(why))), 0);
	if (geteuid())
		return;
	assert_int_equal(chown(folder, 4242, 4242), 0);
	assert_null(recorder_open(folder, NULL, why, sizeof(why)));
	assert_non_null(strstr(why, "it belongs to another user"));
}

static int make_folder(void **state)
{
	(void)state;
	strcpy(strrchr(folder, '.'), ".XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	(void)state;
	while (dir && (entry = readdir(dir)))
		if (*entry->d_name != '.')
			unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
	return rmdir(folder);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_bound_in_bytes_holds),
		TEST(the_bound_in_time_holds),
		TEST(the_clock_may_step),
		TEST(times_are_found_across_files),
		TEST(a_killed_writer_costs_one_reading),
		TEST(gaps_are_told),
		TEST(damage_is_told),
		TEST(newer_recordings_are_refused),
		TEST(a_full_disk_is_survived),
		TEST(other_files_are_left_alone),
		TEST(no_room_for_a_file),
		TEST(folders_of_others_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
