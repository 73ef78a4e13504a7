/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lagtop says, and its exit status, when it cannot do what was asked. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "live.h"

#define NOBODY 65534

/* Runs lagtop to its end: its status, what it wrote to stdout and to stderr. */
struct outcome {
	int status;
	size_t out_lines;
	char *errors;
};

static struct outcome run_lagtop(uid_t uid, const char *option, ...)
{
	char *argv[16] = { getenv("LAGTOP") ? getenv("LAGTOP") : (char *)"./lagtop" };
	struct outcome o = {};
	struct child *c;
	va_list args;

	va_start(args, option);
	for (size_t n = 1; n < 15 && option; n++, option = va_arg(args, const char *))
		argv[n] = (char *)option;
	va_end(args);
	c = child_start(argv, uid);
	assert_non_null(c);
	child_close_in(c);
	while (child_line(c))
		o.out_lines++;
	o.status = child_wait(c);
	o.errors = child_errors(c);
	child_free(c);
	if (o.status == 126 || o.status == 127)
		fail_msg("not started: %s", o.errors);
	return o;
}

/* One line on stderr, nothing on stdout, and that status. `word`: what the sentence must name. */
static void expect_refusal(struct outcome o, int status, const char *word)
{
	size_t len = strlen(o.errors);

	if (o.status != status || o.out_lines || len < 10 || strchr(o.errors, '\n') != o.errors + len - 1 ||
	    !strcasestr(o.errors, word))
		fail_msg("status %d (expected %d), %zu lines on stdout, stderr (expected one line with '%s'): %s",
			 o.status, status, o.out_lines, word, o.errors);
	free(o.errors);
}

#define refuse(status, word, ...) expect_refusal(run_lagtop((uid_t)-1, __VA_ARGS__, NULL), status, word)

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

static void test_not_root(void **state)
{
	(void)state;
	if (geteuid())
		live_skip("not root, so nobody else can be tried");
	expect_refusal(run_lagtop(NOBODY, "--json", "-n", "1", NULL), 1, "CAP_BPF");
	expect_refusal(run_lagtop(NOBODY, "--batch", "-n", "1", NULL), 1, "CAP_BPF");
}

static void test_not_a_terminal(void **state)
{
	(void)state;
	live_need_bpf();
	refuse(1, "terminal", "-n", "1");
	unsetenv("TERM");
	refuse(1, "terminal", "-n", "1");
}

static void test_check(void **state)
{
	struct outcome o;

	(void)state;
	live_need_bpf();
	o = run_lagtop((uid_t)-1, "--check", NULL);
	assert_true(o.status == 0 || o.status == 3);
	assert_true(o.out_lines >= 7); /* kernel, BTF, lockdown, privileges, three families */
	free(o.errors);
	o = run_lagtop((uid_t)-1, "--check", "--no-net", NULL);
	assert_true(o.status == 0 || o.status == 3);
	free(o.errors);
	o = run_lagtop(NOBODY, "--check", NULL);
	assert_int_equal(o.status, 1);
	assert_true(o.out_lines > 2);
	free(o.errors);
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

/* A reader that goes while lagtop waits is noticed at once, not with the next reading in an hour. */
static void test_closed_pipe_while_waiting(void **state)
{
	char *argv[] = { getenv("LAGTOP") ? getenv("LAGTOP") : (char *)"./lagtop", "--json", "--delay", "3600", NULL };
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

		assert_int_equal(live_get(l->reading[i], "schema"), 1);
		live_compare((double)interval_ns, 1e8, getenv("LIVE_EMULATED") ? 1e9 : 5e7, "interval of reading %zu",
			     i + 1);
		assert_true(interval_ns != before_ns);
		before_ns = interval_ns;
	}
	live_verdict();
}

/* A process that goes ends the watch of it, without complaint. */
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
		live_test(test_not_root),
		live_test(test_not_a_terminal),
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
