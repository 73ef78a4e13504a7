/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The live program on a terminal, judged by what it records: no process that exits while it is paused, or while its
 * terminal accepts no output, may be missing. The screen itself is tested from recorded readings.
 */
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live.h"
#include "sandbox.h"

static char record_path[64];
static pid_t screen_pid;
static int screen = -1;
static char unread[1 << 17]; /* written by lagtop, not yet looked at */
static size_t unread_len;

static int end_screen(void **state)
{
	if (screen_pid) {
		kill(screen_pid, SIGKILL);
		waitpid(screen_pid, NULL, 0);
	}
	if (screen >= 0)
		close(screen);
	screen_pid = 0;
	screen = -1;
	unread_len = 0;
	unlink(record_path);
	return live_end_test(state);
}

/* Reads until `word` was written, and discards everything up to its end; fails the test if that takes 30 s. */
static void until_written(const char *word)
{
	int64_t deadline_ns = live_now_ns() + 30000000000LL;
	char *found;

	while (!(found = memmem(unread, unread_len, word, strlen(word)))) {
		struct pollfd p = { .fd = screen, .events = POLLIN };
		ssize_t got;

		if (unread_len > sizeof(unread) / 2) {
			memmove(unread, unread + unread_len - 256, 256);
			unread_len = 256;
		}
		if (live_now_ns() > deadline_ns || poll(&p, 1, 30000) <= 0)
			fail_msg("the screen does not show %s", word);
		got = read(screen, unread + unread_len, sizeof(unread) - unread_len);
		if (got <= 0)
			fail_msg("lagtop ended before it showed %s", word);
		unread_len += (size_t)got;
	}
	found += strlen(word);
	unread_len -= (size_t)(found - unread);
	memmove(unread, found, unread_len);
}

/* Earlier frames are not counted from now on. */
static void forget_written(void)
{
	struct pollfd p = { .fd = screen, .events = POLLIN };

	while (poll(&p, 1, 0) > 0 && read(screen, unread, sizeof(unread)) > 0)
		;
	unread_len = 0;
}

#define FRAME_END "\033[?2026l"

static void see_frames(int n)
{
	while (n--)
		until_written(FRAME_END);
}

static rlim_t record_limit_bytes = RLIM_INFINITY; /* of the next screen */

static void (*screen_sandbox)(void); /* of the next screen; NULL: none */

static void start_screen(const char *delay, const char *option)
{
	struct rlimit limit = { record_limit_bytes, RLIM_INFINITY };
	const char *lagtop = child_lagtop();
	struct winsize size = { .ws_row = 40, .ws_col = 120 };

	live_need_bpf();
	snprintf(record_path, sizeof(record_path), "/tmp/lagtop-live-%d.rec", getpid());
	screen_pid = forkpty(&screen, NULL, NULL, &size);
	assert_true(screen_pid >= 0);
	if (!screen_pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setenv("TERM", "xterm-256color", 1);
		setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
		setrlimit(RLIMIT_FSIZE, &limit);
		if (screen_sandbox)
			screen_sandbox();
		execl(lagtop, "lagtop", "--budget", "off", "-d", delay, "-w", record_path, option, NULL);
		_exit(127);
	}
	until_written("PID");
}

static void press(const char *keys)
{
	assert_int_equal(write(screen, keys, strlen(keys)), strlen(keys));
}

/* After a request to end: waits until it has ended, and passes its recording to `lagtop --json`. */
static struct child *replay_after_end(int expected)
{
	const char *lagtop = child_lagtop();
	char *argv[] = { (char *)lagtop, (char *)"--json", (char *)"-r", record_path, NULL };
	char block[65536];
	struct child *replay;
	int status;

	while (screen >= 0 && read(screen, block, sizeof(block)) > 0)
		;
	alarm(60); /* of the test program */
	assert_int_equal(waitpid(screen_pid, &status, 0), screen_pid);
	alarm(0);
	screen_pid = 0;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), expected);
	if (screen >= 0)
		close(screen);
	screen = -1;
	replay = child_start(argv, (uid_t)-1);
	assert_non_null(replay);
	return replay;
}

static struct child *replay_after_quit(void)
{
	press("q");
	return replay_after_end(0);
}

static void compare_dead(const char *what, int64_t ppid, int64_t n, int64_t codes)
{
	struct child *replay = replay_after_quit();
	int64_t dead = 0, sum = 0, lost = 0;

	for (char *line; (line = child_line(replay));) {
		struct json_object *reading = json_tokener_parse(line), *all;

		assert_non_null(reading);
		all = json_object_object_get(reading, "processes");
		for (size_t i = 0; i < json_object_array_length(all); i++) {
			struct json_object *p = json_object_array_get_idx(all, i);

			if (live_get(p, "ppid") != ppid || strcmp(live_text(p, "state"), "exited"))
				continue;
			dead++;
			sum += live_get(p, "exit_code");
		}
		lost += live_get(reading, "lost.threads") + live_get(reading, "lost.exits") +
			live_get(reading, "lost.events");
		json_object_put(reading);
	}
	/* On a machine that starves lagtop something may be lost, but not silently. */
	live_between((double)dead, (double)(n - lost), (double)n, "%s: exited, of which lost %lld", what,
		     (long long)lost);
	if (dead == n)
		live_compare((double)sum, (double)codes, 0, "%s: sum of exit codes", what);
}

/* A recording's readings, by whether system calls were watched: before, meanwhile, after. */
struct watched {
	int readings[3];
	int64_t ns[3];
	int64_t longest_read_ns; /* of read, after */
	int64_t getppids[3];	 /* of one process */
	int64_t io_ns, other_ns; /* of it, meanwhile */
};

static struct watched watched_of(struct child *replay, int64_t pid)
{
	struct watched w = { 0 };
	int phase = 0;

	for (char *line; (line = child_line(replay));) {
		struct json_object *reading = json_tokener_parse(line), *p, *call;
		bool on;

		assert_non_null(reading);
		on = !strcmp(live_text(reading, "probes.syscall.state"), "on");
		phase += phase < 2 && on != (phase != 1);
		w.readings[phase]++;
		w.ns[phase] += live_get(reading, "interval_ns");
		p = live_process(reading, pid);
		call = p && on ? live_call(p, "getppid") : NULL;
		w.getppids[phase] += call ? live_get(call, "count") : 0;
		call = p && phase == 2 ? live_call(p, "read") : NULL;
		if (call && live_get(call, "max_ns") > w.longest_read_ns)
			w.longest_read_ns = live_get(call, "max_ns");
		if (p && !on) {
			assert_int_equal(live_get(p, "calls.count"), LIVE_NULL);
			w.io_ns += live_get(p, "time_ns.io");
			w.other_ns += live_get(p, "time_ns.other");
		}
		json_object_put(reading);
	}
	return w;
}

/* System calls are counted exactly before and after the family is off; meanwhile no number is shown, and what a thread
 * waits for is still known. */
static void test_calls_off_and_on(void **state)
{
	struct child *load;
	struct watched w;

	(void)state;
	start_screen("0.2", NULL);
	load = live_load(NULL, "getppid", "1", "50000", NULL);
	live_round(load);
	forget_written();
	press("F");
	until_written("turned off by key F");
	live_round(load);
	forget_written();
	see_frames(8);
	press("F");
	see_frames(15); /* a few are for keys, the others are readings */
	live_round(load);
	live_round(load);
	forget_written();
	see_frames(5);
	w = watched_of(replay_after_quit(), load->pid);
	live_compare((double)w.getppids[0], 50000, 0, "getppid before it is off");
	live_between(w.readings[1], 2, 1000, "readings meanwhile");
	live_compare((double)w.getppids[2], 100000, 0, "getppid after it is on");
	/* The call that it was in all the time began unseen. */
	live_between((double)w.longest_read_ns, 0, (double)w.ns[1], "the longest read after it is on");
	live_between((double)w.io_ns, 1, 1e15, "its wait for a pipe, meanwhile");
	live_compare((double)w.other_ns, 0, 0, "of unknown kind");
	live_verdict();
}

static void test_nothing_lost_while_paused(void **state)
{
	struct child *load;
	const char *done;

	(void)state;
	start_screen("0.2", NULL);
	press("p");
	until_written("PAUSED");
	load = live_load(NULL, "forkexit", "5000", NULL);
	done = live_round(load);
	forget_written();
	press("p");
	see_frames(15); /* a few are for keys, the others are readings */
	compare_dead("paused", load->pid, 5000, child_value(done, "codes"));
	live_verdict();
}

static void test_nothing_lost_while_the_terminal_is_blocked(void **state)
{
	struct child *load;
	const char *done;

	(void)state;
	start_screen("0.1", NULL);
	/* The terminal is not read now; its buffer is full after a few readings. */
	load = live_load(NULL, "forkexit", "5000", NULL);
	done = live_round(load);
	see_frames(60); /* the first ones were waiting in the terminal */
	compare_dead("terminal blocked", load->pid, 5000, child_value(done, "codes"));
	live_verdict();
}

/* A child that only waits for its end. */
static pid_t start_child(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return pid;
}

/* Opens the page of a process. */
static void find_process(pid_t pid)
{
	char keys[64];

	snprintf(keys, sizeof(keys), "\\pid=%d\r", pid);
	press(keys);
	until_written("1 of ");
	press("\r");
	until_written("where its time goes");
}

static void test_nice_asks_first(void **state)
{
	pid_t pid = start_child();
	char text[64];

	(void)state;
	start_screen("0.2", NULL);
	find_process(pid);
	press("\033[19~");
	until_written("Change this process's nice value?");
	until_written("nice 0");
	assert_int_equal(getpriority(PRIO_PROCESS, (id_t)pid), 0);
	press("n");
	until_written("nothing was changed");
	assert_int_equal(getpriority(PRIO_PROCESS, (id_t)pid), 0);
	press("\033[19~\033[19~\033[19~\033[18~y");
	snprintf(text, sizeof(text), "nice of %d is 2 now", pid);
	until_written(text);
	assert_int_equal(getpriority(PRIO_PROCESS, (id_t)pid), 2);
	/* A process that exited while the question was open is not mistaken for another. */
	press("\033[19~");
	until_written("Change this process's nice value?");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	press("y");
	until_written("the process is gone");
	press("qq");
}

/* Fails the test if that takes 30 s. */
static void until_dead(pid_t pid)
{
	struct pollfd p = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };

	assert_true(p.fd >= 0);
	assert_int_equal(poll(&p, 1, 30000), 1);
	close(p.fd);
}

static void test_signals_ask_first(void **state)
{
	pid_t pid = start_child();
	int status;

	(void)state;
	start_screen("0.2", NULL);
	find_process(pid);
	press("x\r");
	until_written("Send SIGTERM to this process?");
	press("\r");
	until_written("nothing was sent");
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	press("x\ry");
	until_written("SIGTERM sent to 1 process");
	until_dead(pid);
	assert_int_equal(waitpid(pid, &status, WNOHANG), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static void test_readonly_says_why_not(void **state)
{
	pid_t pid = start_child();

	(void)state;
	start_screen("0.2", "--readonly");
	find_process(pid);
	press("\033[19~");
	until_written("--readonly: no signals and no renice");
	assert_int_equal(getpriority(PRIO_PROCESS, (id_t)pid), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* By a signal, or because its terminal disappeared: the recording is complete. */
static void test_recording_is_complete_however_it_ends(void **state)
{
	static const int signals[] = {
		SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGALRM, SIGPWR, 0
	}; /* 0: the terminal is closed */

	(void)state;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct child *replay;
		int readings = 0;

		start_screen("0.1", NULL);
		see_frames(3);
		if (signals[i]) {
			assert_int_equal(kill(screen_pid, signals[i]), 0);
		} else {
			close(screen);
			screen = -1;
		}
		replay = replay_after_end(128 + (signals[i] ? signals[i] : SIGHUP));
		while (child_line(replay))
			readings++;
		assert_int_equal(child_wait(replay), 0);
		assert_true(readings > 0);
		child_free(replay);
		unread_len = 0;
	}
}

#define FIRST_TRIES 10

/* The first screen comes soon, whatever the delay. The reading itself says how long its interval was; a machine that
 * stalls now and then may make one of them long, but not every one. */
static void test_the_first_screen_comes_at_once(void **state)
{
	int64_t interval_ns = INT64_MAX;

	(void)state;
	for (int i = 0; i < FIRST_TRIES && interval_ns >= 500000000; i++) {
		struct json_object *reading;
		struct child *replay;

		start_screen("600", NULL);
		unread_len = 0;
		replay = replay_after_quit();
		reading = json_tokener_parse(child_line(replay));
		assert_non_null(reading);
		interval_ns = live_get(reading, "interval_ns");
		json_object_put(reading);
		child_free(replay);
	}
	live_between((double)interval_ns, 1, 500000000, "the first interval");
	live_verdict();
}

/* A full disk, or here a size limit: it says so on the restored terminal, and what was written is intact. */
static void test_a_recording_that_finds_no_room_ends_it(void **state)
{
	struct termios after;
	struct child *replay;
	int readings = 0;

	(void)state;
	record_limit_bytes = 128 * 1024;
	start_screen("0.1", "--no-net");
	record_limit_bytes = RLIM_INFINITY;
	until_written("File too large");
	assert_int_equal(tcgetattr(screen, &after), 0);
	assert_true(after.c_lflag & ICANON);
	assert_true(after.c_lflag & ECHO);
	replay = replay_after_end(1);
	while (child_line(replay))
		readings++;
	assert_int_equal(child_wait(replay), 0);
	assert_true(readings > 0);
	child_free(replay);
	unread_len = 0;
}

static int end_limited_screen(void **state)
{
	int err = end_screen(state);

	screen_sandbox = NULL;
	sandbox_remove_memory_group();
	return err;
}

/* Under a memory limit the history is dropped first, then calls are counted in lost; lagtop is not killed. */
static void test_under_a_memory_limit_the_past_goes_first(void **state)
{
	int64_t shed_ns, lost_before = 0, lost_after = 0;
	struct child *calls, *replay;

	(void)state;
	live_need_bpf();
	if (!sandbox_memory_group("41943040"))
		live_skip("no control group with a limit of memory can be made here");
	screen_sandbox = sandbox_in_memory_group;
	start_screen("0.1", "--history=300");
	live_load(NULL, "busy", "300", "50", NULL);
	until_written("older readings are dropped");
	shed_ns = live_now_ns();
	calls = live_load(NULL, "numbers", "300", "1000", "1", "1", NULL);
	for (int i = 0; i < 10; i++) {
		live_round(calls);
		forget_written();
		see_frames(2);
	}
	replay = replay_after_quit();
	for (char *line; (line = child_line(replay));) {
		struct json_object *reading = json_tokener_parse(line);

		assert_non_null(reading);
		*(live_reading_ns(reading) < shed_ns ? &lost_before : &lost_after) += live_get(reading, "lost.calls");
		json_object_put(reading);
	}
	assert_int_equal(child_wait(replay), 0);
	live_between((double)lost_after, 1, 1e12, "under a limit: calls lost after");
	/* The first load alone makes 60,000 a second; others on the machine may lose some thousands at any time. */
	live_between((double)lost_before, 0, (double)lost_after / 10, "under a limit: calls lost before readings");
	live_verdict();
}

int main(void)
{
	static const struct CMUnitTest screens[] = {
		cmocka_unit_test_teardown(test_calls_off_and_on, end_screen),
		cmocka_unit_test_teardown(test_nothing_lost_while_paused, end_screen),
		cmocka_unit_test_teardown(test_nothing_lost_while_the_terminal_is_blocked, end_screen),
		cmocka_unit_test_teardown(test_nice_asks_first, end_screen),
		cmocka_unit_test_teardown(test_signals_ask_first, end_screen),
		cmocka_unit_test_teardown(test_readonly_says_why_not, end_screen),
		cmocka_unit_test_teardown(test_recording_is_complete_however_it_ends, end_screen),
		cmocka_unit_test_teardown(test_a_recording_that_finds_no_room_ends_it, end_screen),
		cmocka_unit_test_teardown(test_under_a_memory_limit_the_past_goes_first, end_limited_screen),
		cmocka_unit_test_teardown(test_the_first_screen_comes_at_once, end_screen),
	};

	return live_main(screens);
}
