/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lagtop says, and its exit status, when it cannot do what was asked. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "live.h"
#include "sandbox.h"

#define refuse(status, word, ...) outcome_refuses(outcome_of(NULL, NULL, __VA_ARGS__, NULL), status, word)

static void test_bad_options(void **state)
{
	(void)state;
	refuse(2, "frobnicate", "--frobnicate");
	refuse(2, "delay", "-d", "0");
	refuse(2, "delay", "-d", "soon");
	refuse(2, "delay", "-d", "3601");
	refuse(2, "x", "-n", "x");
	refuse(2, "nocolumn", "-s", "nocolumn");
	refuse(2, "noview", "-v", "noview");
	refuse(2, "cpu>>", "--json", "-n", "1", "-f", "cpu>>");
	refuse(2, "planet", "-g", "planet");
	refuse(2, "nosuchuser", "-u", "nosuchuser");
	refuse(2, "1x", "-p", "1x");
	refuse(2, "/nonexistent", "--json", "-r", "/nonexistent/file");
	refuse(2, "surplus", "surplus");
}

static void test_no_such_pid(void **state)
{
	(void)state;
	live_need_bpf();
	/* pid_max itself is never given to anyone */
	refuse(1, "4194304", "--json", "-n", "1", "-p", "4194304");
}

static void test_check(void **state)
{
	struct outcome o;

	(void)state;
	live_need_bpf();
	o = outcome_of(NULL, NULL, "--check", NULL);
	assert_true(o.status == 0 || o.status == 3);
	assert_true(o.out_lines >= 7); /* kernel, BTF, lockdown, privileges, three families */
	outcome_free(&o);
	o = outcome_of(NULL, NULL, "--check", "--no-net", NULL);
	assert_true(o.status == 0 || o.status == 3);
	outcome_free(&o);
	o = outcome_of(sandbox_nobody, NULL, "--check", NULL);
	assert_int_equal(o.status, 1);
	assert_true(o.out_lines > 2);
	outcome_free(&o);
}

static void test_family_off_is_null(void **state)
{
	struct live *l = live_start("-d", "0.1", "--no-net", "--no-syscall", NULL);
	struct child *load = live_load(NULL, "getppid", "1", "1000", NULL);
	struct json_object *p;

	(void)state;
	live_round(load);
	live_past_now(l);
	p = live_process(l->reading[l->n - 1], load->pid);
	assert_non_null(p);
	assert_string_equal(live_text(l->reading[0], "probes.net.state"), "off");
	assert_string_equal(live_text(l->reading[0], "probes.syscall.state"), "off");
	assert_string_equal(live_text(l->reading[0], "probes.sched.state"), "on");
	assert_true(strlen(live_text(l->reading[0], "probes.net.reason")) > 5);
	assert_int_equal(live_get(p, "net.tx_bytes"), LIVE_NULL);
	assert_int_equal(live_get(p, "calls.count"), LIVE_NULL);
	assert_int_not_equal(live_get(p, "wall_ns"), LIVE_NULL);
}

static void test_signals(void **state)
{
	static const struct {
		int signal_number, status;
	} ends[] = { { SIGINT, 0 }, { SIGTERM, 143 }, { SIGHUP, 129 } };

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		struct live *l = live_start("-d", "0.1", NULL);

		assert_int_equal(live_stop(l, ends[i].signal_number), ends[i].status);
		live_end_test(NULL);
	}
}

static void test_closed_pipe(void **state)
{
	struct live *l = live_start("-d", "0.1", NULL);
	char *errors;

	(void)state;
	close(l->child->out);
	l->child->out = -1;
	assert_int_equal(live_stop(l, 0), 0);
	errors = child_errors(l->child);
	assert_string_equal(errors, "");
	free(errors);
}

/* When the reader of its output ends, lagtop ends at once, not at the next reading in an hour. */
static void test_closed_pipe_while_waiting(void **state)
{
	char *argv[] = { child_lagtop(), "--json", "--delay", "3600", NULL };
	struct child *c;

	(void)state;
	live_need_bpf();
	c = child_start(argv, (uid_t)-1);
	assert_non_null(c);
	close(c->out);
	c->out = -1;
	assert_int_equal(child_wait(c), 0);
	child_free(c);
}

static void test_iterations(void **state)
{
	struct live *l = live_start("-d", "0.1", "-n", "3", NULL);
	int64_t before_ns = 0;

	(void)state;
	live_next(l);
	live_next(l);
	assert_null(child_line(l->child));
	assert_int_equal(live_stop(l, 0), 0);
	for (size_t i = 0; i < 3; i++) {
		int64_t interval_ns = live_get(l->reading[i], "interval_ns");

		assert_int_equal(live_get(l->reading[i], "schema"), 2);
		live_compare((double)interval_ns, 1e8, getenv("LIVE_EMULATED") ? 1e9 : 5e7, "interval of reading %zu",
			     i + 1);
		assert_true(interval_ns != before_ns);
		before_ns = interval_ns;
	}
	live_verdict();
}

/* When the watched process exits, lagtop ends without an error. */
static void test_watched_process_ends(void **state)
{
	struct child *load = live_load(NULL, "rename", "x", NULL);
	char pid[16];
	struct live *l;

	(void)state;
	snprintf(pid, sizeof(pid), "%d", load->pid);
	l = live_start("-d", "0.1", "-p", pid, NULL);
	assert_int_equal(json_object_array_length(json_object_object_get(l->reading[0], "processes")), 1);
	child_close_in(load);
	assert_int_equal(child_wait(load), 0);
	while (child_line(l->child))
		;
	assert_int_equal(live_stop(l, 0), 0);
}

int main(void)
{
	static const struct CMUnitTest errors[] = {
		live_test(test_bad_options),
		live_test(test_no_such_pid),
		live_test(test_check),
		live_test(test_family_off_is_null),
		live_test(test_signals),
		live_test(test_closed_pipe),
		live_test(test_closed_pipe_while_waiting),
		live_test(test_iterations),
		live_test(test_watched_process_ends),
	};

	return live_main(errors);
}
