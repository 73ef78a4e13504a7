/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A recording of this machine: its replay is, byte for byte, what was printed while it was recorded, but for the
 * circumstances of processes, which are not recorded. */
#include "live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READINGS 4

static char path[] = "/tmp/lagtop-live-record.XXXXXX";

static void replay_gives_the_same(void)
{
	char *lagtop = child_lagtop();
	char *live[] = { lagtop,      (char *)"--json", (char *)"-d", (char *)"0.3", (char *)"-n",
			 (char *)"4", (char *)"-w",	path,	      NULL };
	char *replay[] = { lagtop, (char *)"--json", (char *)"-r", path, NULL };
	char *lines[READINGS], *line;
	struct child *c, *load;

	live_need_bpf();
	load = child_load(NULL, "mixed", "2", "1000", NULL);
	assert_non_null(load);
	c = child_start(live, (uid_t)-1);
	assert_non_null(c);
	child_close_in(c);
	for (int i = 0; i < READINGS; i++) {
		assert_non_null(child_round(load));
		line = child_line(c);
		assert_non_null(line);
		lines[i] = strdup(line);
		live_cut_context(lines[i]);
	}
	assert_null(child_line(c));
	assert_int_equal(child_wait(c), 0);
	child_free(c);
	child_free(load);
	c = child_start(replay, (uid_t)-1);
	assert_non_null(c);
	child_close_in(c);
	for (int i = 0; i < READINGS; i++) {
		line = child_line(c);
		assert_non_null(line);
		assert_true(strlen(line) > 10000);
		live_cut_context(line);
		assert_string_equal(line, lines[i]);
		free(lines[i]);
	}
	assert_null(child_line(c));
	assert_int_equal(child_wait(c), 0);
	child_free(c);
}

static void replay_is_what_was_live(void **state)
{
	(void)state;
	replay_gives_the_same();
}

/* Each of the four readings on another level. */
static void replay_has_the_levels(void **state)
{
	(void)state;
	setenv("LAGTOP_LEVELS", "0123", 1);
	replay_gives_the_same();
	unsetenv("LAGTOP_LEVELS");
}

/* Through a pipe, and it goes when nobody reads any more, although the next reading is far away. */
static void a_pipe_is_followed_and_its_end_seen(void **state)
{
	char *lagtop = child_lagtop(), command[400];
	char *shell[] = { (char *)"/bin/sh", (char *)"-c", command, NULL };
	char *seldom[] = { lagtop, (char *)"--record", (char *)"-", (char *)"-d", (char *)"3600", NULL };
	struct child *c;

	(void)state;
	live_need_bpf();
	snprintf(command, sizeof(command), "%s -d 0.3 -n 3 -w - | %s -r - --json", lagtop, lagtop);
	c = child_start(shell, (uid_t)-1);
	assert_non_null(c);
	for (int i = 0; i < 3; i++)
		assert_non_null(child_line(c));
	assert_null(child_line(c));
	assert_int_equal(child_wait(c), 0);
	child_free(c);
	c = child_start(seldom, (uid_t)-1);
	assert_non_null(c);
	close(c->out);
	c->out = -1;
	assert_int_equal(child_wait(c), 0);
	child_free(c);
}

static int remove_file(void **state)
{
	unlink(path);
	return live_end_test(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(replay_is_what_was_live, remove_file),
		cmocka_unit_test_teardown(replay_has_the_levels, remove_file),
		cmocka_unit_test(a_pipe_is_followed_and_its_end_seen),
	};
	int fd = mkstemp(path);

	if (fd < 0)
		return 1;
	close(fd);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
