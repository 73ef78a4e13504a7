/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of processes that change, are hidden, or cannot be read. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "live.h"
#include "mounts.h"
#include "sandbox.h"

/* A process whose memory is locked by one of its threads, for good: reads of its files in /proc block for ever. lagtop
 * continues to read, names the other processes, and ends on request. */
static void test_a_process_that_blocks_its_readers(void **state)
{
	struct child *stuck = NULL, *other;
	const char *ready;
	struct live *l;

	(void)state;
	live_need_bpf();
	stuck = live_load(&ready, "memory-locked", NULL);
	if (!strstr(ready, "fuse=1"))
		live_skip("this kernel has no FUSE");
	l = live_start("-d", "0.2", NULL);
	other = live_load(NULL, "rename", "other", NULL);
	live_past_now(l);
	live_past_now(l);
	assert_non_null(live_process(l->reading[l->n - 1], stuck->pid));
	assert_string_equal(live_text(live_process(l->reading[l->n - 1], other->pid), "cmdline"),
			    "build/tests/load rename other");
	assert_int_equal(live_stop(l, SIGTERM), 128 + SIGTERM);
}

/* A program writes over its command line, as setproctitle does. */
static void test_a_new_title(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	struct child *load = live_load(NULL, "title", "a-long-word-to-write-over", NULL);

	(void)state;
	live_past_now(l);
	live_past_now(l);
	for (int i = 1; i <= 3; i++) {
		char title[32];

		snprintf(title, sizeof(title), "title %d", i);
		live_round(load);
		live_past_now(l); /* looked up */
		live_past_now(l); /* answered */
		assert_string_equal(live_text(live_process(l->reading[l->n - 1], load->pid), "cmdline"), title);
	}
}

static void hide_processes(void)
{
	if (!mounts_unshare() || mount("proc", "/proc", "proc", 0, "hidepid=2"))
		_exit(126);
	sandbox_nobody();
}

/* Where /proc hides the processes of others: neither their files nor the arguments of exec are shown. */
static void test_hidden_processes(void **state)
{
	const char *path = sandbox_capable_lagtop();
	struct child *load[2];
	struct live *l;

	(void)state;
	live_need_bpf();
	if (!path)
		live_skip("no file system here takes file capabilities");
	load[0] = live_load(NULL, "rename", "secret-1", NULL);
	l = live_start_as(hide_processes, path, "-d", "0.2", NULL);
	load[1] = live_load(NULL, "rename", "secret-2", NULL);
	live_past_now(l);
	live_past_now(l);
	for (int i = 0; i < 2; i++) {
		struct json_object *p = live_process(l->reading[l->n - 1], load[i]->pid), *cmdline;

		assert_non_null(p);
		assert_true(json_object_object_get_ex(p, "cmdline", &cmdline));
		assert_null(cmdline);
	}
}

int main(void)
{
	static const struct CMUnitTest names[] = {
		live_test(test_a_process_that_blocks_its_readers),
		live_test(test_a_new_title),
		live_test(test_hidden_processes),
	};

	return live_main(names);
}
