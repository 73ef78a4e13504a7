/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Twelve lagtops with different options watch one machine, and one another, while stress-ng's stressors run on it,
 * three seconds each. No line that one of them prints, then or later from its recording, may hold an impossible value
 * (impossible.h); each ends by SIGINT with status 0. The first test runs it, the others check the results.
 */
#include <locale.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "impossible_csv.h"
#include "live.h"
#include "sandbox.h"

/* Its maps, a reading of some thousand short-lived processes and 32 MiB of history take a third of this; if memory grew
 * with what the machine does, twelve of them would exceed it long before the end. */
#define RSS_KB_MAX (256 * 1024)
#define RUN_MS 60000 /* stress-ng takes less, three seconds of stressors and the end of their processes */

enum output { JSON, CSV, NOTHING, SCREEN };

static struct watcher {
	const char *name;
	enum output output;
	bool few_records, nobody;
	const char *option[8]; /* "@": its recording */
	struct child *child;   /* NULL: a screen */
	pid_t pid;
	int screen, status;
	int64_t rss_kb;
	FILE *lines; /* of JSON, if there is a recording */
	char recording[40];
	struct impossible json;
	struct impossible_csv csv;
} watchers[] = {
	{ "json", JSON, .option = { "-d", "1", "-w", "@" } },
	{ "json, every 0.1 s", JSON, .option = { "-d", "0.1" } },
	{ "json, every 0.3 s", JSON, .option = { "-d", "0.3" } },
	{ "json without calls", JSON, .option = { "-d", "1", "--no-syscall" } },
	{ "json without net", JSON, .option = { "-d", "0.7", "--no-net" } },
	{ "json without sched", JSON, .option = { "-d", "1", "--no-sched" } },
	{ "json with few records", JSON, .few_records = true, .option = { "-d", "1", "--max-threads", "100" } },
	{ "json as nobody", JSON, .nobody = true, .option = { "-d", "1" } },
	{ "csv of threads", CSV, .option = { "-d", "0.5", "--threads" } },
	{ "csv of commands", CSV, .option = { "-d", "1", "--group", "command" } },
	{ "csv of calls", CSV, .option = { "-d", "1", "-v", "calls" } },
	{ "tree on a screen", SCREEN, .option = { "-d", "0.5", "--tree", "-w", "@" } },
};
#define WATCHERS (sizeof(watchers) / sizeof(*watchers))

/* What runs at the same time. Nothing that changes the machine (CPUs, clocks, power), fills its disks or talks to
 * another. */
static const struct {
	const char *options;
	bool as_root; /* else as the user nobody, without rights */
} stressors[] = {
	{ "--fork 2 --timer 1", false },
	{ "--vfork 2 --nice 1", false },
	{ "--clone 1 --clone-max 200 --epoll 1", false },
	{ "--exec 1 --exec-max 32 --flock 2", false },
	{ "--pthread 1 --pthread-max 64 --udp 1", false },
	{ "--zombie 1 --zombie-max 300 --pipe 1", false },
	{ "--futex 1 --mutex 1 --prctl 1", false },
	{ "--switch 1 --yield 1", false },
	{ "--signal 1 --sigq 1 --kill 1", false },
	{ "--sigsegv 1 --seccomp 1", true },
	{ "--sock 1 --sockpair 1", false },
	{ "--poll 1 --eventfd 1 --timerfd 1", false },
	{ "--mq 1 --msg 1", false },
	{ "--sem 1 --sem-sysv 1 --sigfd 1", false },
	{ "--schedpolicy 1 --affinity 2", false },
	{ "--io 1 --hdd 1 --hdd-bytes 16M", false },
	{ "--aio 1 --io-uring 1 --itimer 1", false },
	{ "--vm 1 --vm-bytes 32M --mmap 1 --mmap-bytes 16M", false },
	{ "--getdent 1 --rename 1 --inotify 1", false },
	{ "--context 1 --cpu 2 --nanosleep 1", false },
	{ "--session 1 --wait 1 --resched 1", false },
	{ "--ptrace 1 --vm-rw 1 --vm-rw-bytes 4M --fifo 1", false },
};
#define STRESSORS (sizeof(stressors) / sizeof(*stressors))

static bool happened;
static size_t succeeded; /* runs of stress-ng */

static char *lagtop_of(const struct watcher *w)
{
	const char *path = w->nobody ? sandbox_capable_lagtop() : getenv("LAGTOP");

	return (char *)(path ? path : "./lagtop");
}

static void start_watcher(struct watcher *w)
{
	static const char *const form[] = { [JSON] = "--json", [CSV] = "--csv", [SCREEN] = "--no-mouse" };
	char *argv[16] = { lagtop_of(w), (char *)form[w->output] };
	struct winsize size = { .ws_row = 40, .ws_col = 120 };

	for (size_t i = 0; w->option[i]; i++) {
		bool file = !strcmp(w->option[i], "@");

		if (file) {
			strcpy(w->recording, "/tmp/lagtop-soak.XXXXXX");
			close(mkstemp(w->recording));
			w->lines = tmpfile();
			assert_non_null(w->lines);
		}
		argv[i + 2] = file ? w->recording : (char *)w->option[i];
	}
	w->json.names_begin = "stress-ng-";
	w->csv.json = &watchers[0].json;
	w->csv.interrupted = 20;
	w->csv.cpus = (double)sysconf(_SC_NPROCESSORS_ONLN);
	w->screen = -1;
	if (w->output != SCREEN) {
		w->child = child_start_in(w->nobody && sandbox_capable_lagtop() ? sandbox_nobody : NULL, argv);
		assert_non_null(w->child);
		w->pid = w->child->pid;
		return;
	}
	w->pid = forkpty(&w->screen, NULL, NULL, &size);
	assert_true(w->pid >= 0);
	if (!w->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setenv("TERM", "xterm-256color", 1);
		setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
		execv(argv[0], argv);
		_exit(127);
	}
}

/* Checks the next line; false: there is no more. */
static bool take_line(struct watcher *w)
{
	char *line = child_line(w->child);

	if (!line)
		return false;
	if (w->output == CSV)
		impossible_csv_line(&w->csv, line);
	else
		impossible_line(&w->json, line);
	if (w->lines)
		fprintf(w->lines, "%s\n", line);
	return true;
}

static bool has_line(const struct child *c)
{
	return c->bytes && memchr(c->bytes + c->at, '\n', c->len - c->at);
}

/* Takes its available output; false: it ended. */
static bool take_output(struct watcher *w)
{
	char frame[65536];

	if (w->output == SCREEN)
		return read(w->screen, frame, sizeof(frame)) > 0;
	do
		if (!take_line(w))
			return false;
	while (has_line(w->child));
	return true;
}

/* Takes all output until c's ends. */
static void watch_until_end_of(struct child *c)
{
	int64_t deadline_ns = live_now_ns() + RUN_MS * 1000000LL;

	while (c->out >= 0) {
		struct pollfd p[WATCHERS + 1] = { [WATCHERS] = { c->out, POLLIN, 0 } };
		char ignored[4096];

		for (size_t i = 0; i < WATCHERS; i++)
			p[i] = (struct pollfd){ watchers[i].child ? watchers[i].child->out : watchers[i].screen, POLLIN,
						0 };
		if (poll(p, WATCHERS + 1, RUN_MS) <= 0 || live_now_ns() > deadline_ns)
			fail_msg("stress-ng does not end");
		for (size_t i = 0; i < WATCHERS; i++)
			if (p[i].revents && !take_output(&watchers[i]))
				fail_msg("lagtop (%s) ended: %s", watchers[i].name,
					 watchers[i].child ? child_errors(watchers[i].child) : "");
		if (p[WATCHERS].revents && read(c->out, ignored, sizeof(ignored)) <= 0) {
			close(c->out);
			c->out = -1;
		}
	}
}

/* In a network of its own, with a loopback only. A stressor that this kernel cannot run does not count. */
static void stress(const char *options, bool as_root)
{
	char script[512];
	char *argv[] = { (char *)"unshare", (char *)"-n", (char *)"sh", (char *)"-c", script, NULL };
	struct child *c;
	int status;

	snprintf(script, sizeof(script),
		 "ip link set lo up && cd /tmp && exec %s stress-ng --timeout 3 --quiet %s 2>&1",
		 as_root ? "" : "setpriv --reuid 65534 --regid 65534 --clear-groups", options);
	c = child_start(argv, (uid_t)-1);
	assert_non_null(c);
	child_close_in(c);
	watch_until_end_of(c);
	status = child_wait(c);
	printf("# stress-ng %s: status %d\n", options, status);
	if (status < 0 || status == 1 || status > 4)
		fail_msg("stress-ng %s: status %d", options, status);
	succeeded += !status;
	child_free(c);
}

/* Takes two more readings, quiet ones, from each that prints. */
static void rest(void)
{
	for (size_t i = 0; i < WATCHERS; i++) {
		uint64_t until = watchers[i].json.readings + 2;

		while (watchers[i].output == JSON && watchers[i].json.readings < until)
			if (!take_line(&watchers[i]))
				fail_msg("no reading from lagtop (%s)", watchers[i].name);
	}
}

static void end_watcher(struct watcher *w)
{
	if (w->output == SCREEN) {
		while (take_output(w))
			;
		waitpid(w->pid, &w->status, 0);
		w->pid = 0;
		w->status = WIFEXITED(w->status) ? WEXITSTATUS(w->status) : 128 + WTERMSIG(w->status);
		return;
	}
	while (take_line(w))
		;
	w->status = child_wait(w->child);
	impossible_end(&w->json);
}

static void test_stressors_run(void **state)
{
	(void)state;
	live_need_bpf();
	live_need_program("stress-ng");
	setlocale(LC_ALL, "C.UTF-8");
	for (size_t i = 0; i < WATCHERS; i++)
		start_watcher(&watchers[i]);
	rest();
	for (size_t i = 0; i < STRESSORS; i++)
		stress(stressors[i].options, stressors[i].as_root);
	rest();
	for (size_t i = 0; i < WATCHERS; i++) {
		watchers[i].rss_kb = live_proc(watchers[i].pid, "status", "VmHWM:");
		kill(watchers[i].pid, SIGINT);
	}
	for (size_t i = 0; i < WATCHERS; i++)
		end_watcher(&watchers[i]);
	assert_true(succeeded > STRESSORS / 2);
	happened = true;
}

static void need_that_it_happened(void)
{
	if (!happened)
		live_skip("the stressors did not run");
}

static void test_no_value_is_impossible(void **state)
{
	size_t found = 0;

	(void)state;
	need_that_it_happened();
	for (size_t i = 0; i < WATCHERS; i++) {
		const struct watcher *w = &watchers[i];

		printf("# %s: %llu readings, %llu processes, %llu rows\n", w->name,
		       (unsigned long long)w->json.readings, (unsigned long long)w->json.processes,
		       (unsigned long long)w->csv.rows);
		findings_print(&w->json.found, w->name);
		findings_print(&w->csv.found, w->name);
		found += w->json.found.n + w->csv.found.n;
		assert_true(w->output != JSON || w->json.processes > 1000);
		assert_true(w->output != CSV || w->csv.rows > 1000);
	}
	assert_int_equal(found, 0);
}

/* Each lagtop that has enough records sees every stressor, however short-lived. */
static void test_every_stressor_is_seen(void **state)
{
	char copy[128], *word, *rest, comm[16];

	(void)state;
	need_that_it_happened();
	for (size_t i = 0; i < STRESSORS; i++) {
		snprintf(copy, sizeof(copy), "%s", stressors[i].options);
		for (rest = copy; (word = strsep(&rest, " "));) {
			if (*word != '-' || strstr(word, "-max") || strstr(word, "-bytes"))
				continue;
			snprintf(comm, sizeof(comm), "stress-ng-%s", word + 2);
			for (size_t w = 0; w < WATCHERS; w++)
				if (watchers[w].output == JSON && !watchers[w].few_records &&
				    !impossible_saw(&watchers[w].json, comm))
					fail_msg("lagtop (%s) saw no %s", watchers[w].name, comm);
		}
	}
}

static void test_all_end_quietly(void **state)
{
	bool all = true;

	(void)state;
	need_that_it_happened();
	for (size_t i = 0; i < WATCHERS; i++) {
		const char *errors = watchers[i].child ? child_errors(watchers[i].child) : "";

		if (watchers[i].status || *errors)
			printf("# %s: status %d: %s\n", watchers[i].name, watchers[i].status, errors);
		all &= !watchers[i].status && !*errors;
	}
	assert_true(all);
}

static void test_memory_is_bounded(void **state)
{
	(void)state;
	need_that_it_happened();
	for (size_t i = 0; i < WATCHERS; i++)
		live_between((double)watchers[i].rss_kb, 1, RSS_KB_MAX, "most KiB resident: %s", watchers[i].name);
	live_verdict();
}

/* A recording is complete but for `context`: its replay is what was printed; one made by a screen has nothing
 * impossible either. */
static void replay(struct watcher *w)
{
	char *argv[] = { lagtop_of(w), (char *)"--json", (char *)"-r", w->recording, NULL };
	struct child *c = child_start(argv, (uid_t)-1);
	struct impossible again = { 0 };
	char *line, *live = NULL;
	size_t size = 0, differ = 0;

	assert_non_null(c);
	child_close_in(c);
	rewind(w->lines);
	while ((line = child_line(c))) {
		ssize_t len = w->output == JSON ? getline(&live, &size, w->lines) : -1;

		impossible_line(&again, line);
		if (len <= 0)
			continue;
		live[len - 1] = '\0';
		live_cut_context(live);
		live_cut_context(line);
		differ += strcmp(line, live) != 0;
	}
	if (child_wait(c))
		fail_msg("the replay of %s: %s", w->name, child_errors(c));
	impossible_end(&again);
	findings_print(&again.found, w->name);
	printf("# replay of %s: %llu readings, %zu differ\n", w->name, (unsigned long long)again.readings, differ);
	assert_true(again.readings >= w->json.readings && again.readings >= STRESSORS * 3);
	assert_int_equal(differ, 0);
	assert_int_equal(again.found.n, 0);
	impossible_free(&again);
	free(live);
}

/* The same readings thread by thread. */
static void replay_threads(struct watcher *w)
{
	char *argv[] = { lagtop_of(w), (char *)"--csv", (char *)"--threads", (char *)"-r", w->recording, NULL };
	struct child *c = child_start(argv, (uid_t)-1);
	struct impossible_csv csv = { .json = &watchers[0].json, .cpus = w->csv.cpus, .interrupted = 20 };
	char *line;

	assert_non_null(c);
	child_close_in(c);
	while ((line = child_line(c)))
		impossible_csv_line(&csv, line);
	assert_int_equal(child_wait(c), 0);
	findings_print(&csv.found, w->name);
	assert_true(csv.rows > 1000);
	assert_int_equal(csv.found.n, 0);
	impossible_csv_free(&csv);
}

static void test_recordings_say_the_same(void **state)
{
	(void)state;
	need_that_it_happened();
	for (size_t i = 0; i < WATCHERS; i++)
		if (watchers[i].lines) {
			replay(&watchers[i]);
			replay_threads(&watchers[i]);
		}
}

static int end_all(void **state)
{
	for (size_t i = 0; i < WATCHERS; i++) {
		if (watchers[i].output == SCREEN && watchers[i].pid > 0) {
			kill(watchers[i].pid, SIGKILL);
			waitpid(watchers[i].pid, NULL, 0);
		}
		if (*watchers[i].recording)
			unlink(watchers[i].recording);
		impossible_free(&watchers[i].json);
		impossible_csv_free(&watchers[i].csv);
	}
	return live_end_test(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stressors_run),	       cmocka_unit_test(test_no_value_is_impossible),
		cmocka_unit_test(test_every_stressor_is_seen), cmocka_unit_test(test_all_end_quietly),
		cmocka_unit_test(test_memory_is_bounded),      cmocka_unit_test(test_recordings_say_the_same),
	};

	setvbuf(stdout, NULL, _IOLBF, 0);
	return cmocka_run_group_tests(tests, NULL, end_all);
}
