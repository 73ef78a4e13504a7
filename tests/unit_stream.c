/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recordings through a pipe: in pieces of any size, never waiting for more; what ends a stream is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "folder.h"
#include "fixture.h"
#include "synthetic.h"

#define READINGS 5

static char why[512], path[64];
static uint8_t *bytes; /* of a stream of READINGS readings */
static size_t n_bytes, end_of[READINGS];

static int make_stream(void **state)
{
	struct recorder *r = recorder_open("-", NULL, why, sizeof(why));
	struct sample s = { 0 };
	const void *packed;
	size_t len;

	(void)state;
	assert_non_null(r);
	for (uint32_t i = 0; i < READINGS; i++) {
		fixture_fill(&s, i + 1, FIXTURE_PLAIN);
		assert_int_equal(recorder_write(r, &s), 0);
		packed = recorder_packed(r, &len);
		assert_non_null(packed);
		bytes = realloc(bytes, n_bytes + len);
		assert_non_null(bytes);
		memcpy(bytes + n_bytes, packed, len);
		n_bytes += len;
		end_of[i] = n_bytes;
	}
	sample_free(&s);
	assert_int_equal(recorder_close(r), 0);
	return 0;
}

static void put(int fd, size_t from, size_t to)
{
	assert_int_equal(write(fd, bytes + from, to - from), to - from);
}

/* Opens the read end of a pipe by its name, as a shell's <() does, with the first reading in it. */
static struct source *open_pipe(int *to)
{
	static const struct when from_the_start = { .kind = WHEN_NONE };
	struct source *src;
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
	put(ends[1], 0, end_of[0]);
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
	src = folder_replay(path, &from_the_start, why, sizeof(why));
	if (!src)
		fail_msg("%s", why);
	close(ends[0]);
	assert_true(src->stream_fd > 0);
	*to = ends[1];
	return src;
}

static void pieces_become_readings(void **state)
{
	struct sample s = { 0 };
	int to, err;
	struct source *src = open_pipe(&to);
	uint32_t n = 1;

	(void)state;
	assert_int_equal(src->read(src, &s), 1);
	assert_int_equal(s.number, 1);
	for (size_t at = end_of[0]; at < n_bytes;) {
		size_t next = at + 1 + at % 611 < n_bytes ? at + 1 + at % 611 : n_bytes;

		assert_int_equal(src->read(src, &s), -EAGAIN);
		put(to, at, next);
		at = next;
		while (n < READINGS && at >= end_of[n]) {
			assert_int_equal(src->read(src, &s), 1);
			assert_int_equal(s.number, ++n);
			assert_null(sample_check(&s));
		}
	}
	assert_int_equal(n, READINGS);
	err = src->read(src, &s);
	assert_int_equal(err, -EAGAIN);
	close(to);
	assert_int_equal(src->read(src, &s), 0);
	assert_string_equal(source_trouble(src), "");
	source_close(src);
	sample_free(&s);
}

static void what_ends_it_is_said(void **state)
{
	struct sample s = { 0 };
	int to;
	struct source *src = open_pipe(&to);

	(void)state;
	put(to, end_of[0], end_of[1] - 1);
	close(to);
	assert_int_equal(src->read(src, &s), 1);
	assert_int_equal(src->read(src, &s), 0);
	assert_non_null(strstr(source_trouble(src), "in the middle of reading 2"));
	source_close(src);

	src = open_pipe(&to);
	bytes[end_of[0] + 30] ^= 1;
	put(to, end_of[0], n_bytes);
	bytes[end_of[0] + 30] ^= 1;
	assert_int_equal(src->read(src, &s), 1);
	assert_int_equal(src->read(src, &s), 0);
	assert_non_null(strstr(source_trouble(src), "reading 2 is damaged"));
	source_close(src);

	/* Lengths that no frame has are not waited for. */
	src = open_pipe(&to);
	assert_int_equal(write(to,
			       "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
			       "\xff\xff\xff\xff\xff\xff\xff\xff",
			       24),
			 24);
	assert_int_equal(src->read(src, &s), 1);
	assert_int_equal(src->read(src, &s), 0);
	assert_non_null(strstr(source_trouble(src), "reading 2 is damaged"));
	source_close(src);
	sample_free(&s);
}

/* The program as a filter: a line per reading as it comes, and a signal ends it while none does. */
static void batch_follows(void **state)
{
	char *argv[] = { child_lagtop(), "--json", "--replay", "-", NULL };
	struct child *c = child_start(argv, (uid_t)-1);
	int keep;

	(void)state;
	assert_non_null(c);
	put(c->in, 0, end_of[0]);
	assert_non_null(child_line(c));
	put(c->in, end_of[0], end_of[2]);
	assert_non_null(child_line(c));
	assert_non_null(child_line(c));
	put(c->in, end_of[2], end_of[3] - 1);
	keep = dup(c->in); /* child_wait closes the other */
	assert_int_equal(kill(c->pid, SIGTERM), 0);
	assert_int_equal(child_wait(c), 128 + SIGTERM);
	close(keep);
	child_free(c);

	c = child_start(argv, (uid_t)-1);
	assert_non_null(c);
	put(c->in, 0, n_bytes);
	child_close_in(c);
	for (int i = 0; i < READINGS; i++)
		assert_non_null(child_line(c));
	assert_null(child_line(c));
	assert_int_equal(child_wait(c), 0);
	child_free(c);
}

static int drop_stream(void **state)
{
	(void)state;
	free(bytes);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_become_readings),
		cmocka_unit_test(what_ends_it_is_said),
		cmocka_unit_test(batch_follows),
	};

	return cmocka_run_group_tests_name("stream", tests, make_stream, drop_stream);
}
