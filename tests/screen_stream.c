/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A recording that comes through a pipe, on the screen: the newest reading is shown, and keys never wait for one. */
#include "session.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "record_file.h"
#include "recording_frames.h"

static uint8_t *recording;
static size_t whole, sent; /* bytes */
static int to_lagtop = -1;

static void read_recording(void)
{
	const char *path = session_recording(FIXTURE_PLAIN);
	FILE *f = fopen(path, "re");
	struct stat st;

	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	whole = (size_t)st.st_size;
	free(recording);
	recording = malloc(whole);
	assert_non_null(recording);
	assert_int_equal(fread(recording, 1, whole, f), whole);
	fclose(f);
	sent = 0;
}

static void send_to(size_t end)
{
	assert_int_equal(write(to_lagtop, recording + sent, end - sent), end - sent);
	sent = end;
}

/* Whole frames: the description, or readings. */
static size_t after_frames(int n)
{
	size_t at = sent ? sent : RECORD_HEADER_BYTES;

	while (n--)
		at = recording_frames_end(recording, at);
	return at;
}

static struct vt *open_shell(const char *command)
{
	const char *argv[] = { "/bin/sh", "-c", command, NULL };

	return vt_open(&(struct vt_start){ .rows = 24, .cols = 80, .lang = "C", .argv = argv });
}

/* Reads until a line has the text. */
static void await(struct vt *v, const char *text)
{
	while (vt_line_of(v, text) < 0)
		if (!vt_read_some(v) && vt_line_of(v, text) < 0)
			fail_msg("no \"%s\": %s", text, vt_picture(v));
}

static void type(struct vt *v, const char *key)
{
	assert_int_equal(write(v->fd, key, strlen(key)), strlen(key));
}

/* A shell joins lagtop to this end of a named pipe. */
static struct vt *open_stream(void)
{
	char command[400], fifo[200];
	struct vt *v;

	read_recording();
	snprintf(fifo, sizeof(fifo), "%s.fifo", session_recording(FIXTURE_PLAIN));
	assert_int_equal(mkfifo(fifo, 0600), 0);
	snprintf(command, sizeof(command), "cat %s | XDG_CONFIG_HOME=/nonexistent %s --replay -", fifo, child_lagtop());
	v = open_shell(command);
	to_lagtop = open(fifo, O_WRONLY | O_CLOEXEC);
	unlink(fifo);
	assert_true(to_lagtop >= 0);
	return v;
}

static void the_newest_reading_is_shown(void **state)
{
	struct vt *v = open_stream();
	size_t end;

	(void)state;
	send_to(after_frames(2));
	await(v, "live - web-07 - ");
	await(v, "12:03:01");
	/* Nothing comes, and keys work; the reading grows old. */
	type(v, "?");
	await(v, "this help");
	type(v, "?");
	await(v, "postgres");
	while (vt_line_of(v, "live - web-07 - 0.") >= 0)
		assert_true(vt_read_some(v));
	/* A part of a reading is none. */
	end = after_frames(1);
	send_to(end - 1);
	type(v, "?");
	await(v, "this help");
	type(v, "?");
	await(v, "12:03:01");
	send_to(end);
	await(v, "12:03:02");
	send_to(after_frames(7));
	await(v, "12:03:09");
	type(v, "[");
	await(v, "12:03:08");
	type(v, "]");
	close(to_lagtop);
	await(v, "ENDED - web-07");
	await(v, "no more comes");
	type(v, "q");
	assert_int_equal(vt_end(v), 0);
	vt_close(v);
}

/* More than is shown at once, before anything is drawn. */
static void a_stream_that_was_not_read_is_caught_up_with(void **state)
{
	struct vt *v = open_stream();

	(void)state;
	send_to(after_frames(30));
	close(to_lagtop);
	await(v, "12:03:29");
	await(v, "ENDED");
	type(v, "q");
	assert_int_equal(vt_end(v), 0);
	vt_close(v);
}

static void terminals_are_refused(void **state)
{
	char command[300];
	struct vt *v;

	(void)state;
	snprintf(command, sizeof(command), "%s --replay -", child_lagtop());
	v = open_shell(command);
	assert_int_equal(vt_end(v), 2);
	assert_true(vt_line_of(v, "--replay -: standard input is a terminal") >= 0);
	vt_close(v);
	snprintf(command, sizeof(command), "%s --record - </dev/null", child_lagtop());
	v = open_shell(command);
	assert_int_equal(vt_end(v), 2);
	assert_true(vt_line_of(v, "--record -: standard output is a terminal") >= 0);
	vt_close(v);
	snprintf(command, sizeof(command), "%s --json --replay /dev/tty", child_lagtop());
	v = open_shell(command);
	assert_int_equal(vt_end(v), 2);
	assert_true(vt_line_of(v, "cannot replay /dev/tty: it is a terminal") >= 0);
	vt_close(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_reading_is_shown),
		cmocka_unit_test(a_stream_that_was_not_read_is_caught_up_with),
		cmocka_unit_test(terminals_are_refused),
	};

	return cmocka_run_group_tests_name("screen_stream", tests, session_setup, session_teardown);
}
