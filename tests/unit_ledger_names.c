/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of processes: when they are looked up, what is shown until the answer comes, and what a late answer must not
 * change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "fake_kernel.h"

#define MS 1000000ULL

/* A fake /proc: its answers, how often it was asked for a command line, and the requests that are not answered yet. */
static uint32_t asked, n_questions;
static struct ledger_answer questions[1024];
static uint32_t new_parent;
static const char *cmdline;

static bool name_ask(void *ctx, enum ledger_name name, uint32_t pid, uint64_t start_ns, uint64_t group)
{
	(void)ctx;
	asked += name == LEDGER_CMDLINE;
	assert_true(n_questions < sizeof(questions) / sizeof(questions[0]));
	questions[n_questions++] =
		(struct ledger_answer){ .name = name, .pid = pid, .start_ns = start_ns, .group = group };
	return true;
}

static void answer(uint32_t i)
{
	char text[64];

	switch (questions[i].name) {
	case LEDGER_CMDLINE:
		snprintf(text, sizeof(text), "%s %u", cmdline, questions[i].pid);
		break;
	case LEDGER_CGROUP:
		snprintf(text, sizeof(text), "/group%llu", (unsigned long long)questions[i].group);
		break;
	case LEDGER_COMM:
		snprintf(text, sizeof(text), "whole name of %u", questions[i].pid);
		break;
	default:
		snprintf(text, sizeof(text), "%u", new_parent);
	}
	questions[i].text = text;
	questions[i].n = strlen(text);
	ledger_answer(fake.ledger, &questions[i]);
}

static void answer_all(void)
{
	for (uint32_t i = 0; i < n_questions; i++)
		answer(i);
	n_questions = 0;
}

/* A reading, and another one after the answers. */
static void read_twice(void)
{
	fake_read();
	answer_all();
	fake.now_ns += MS;
	fake_read();
}

static int named_by(const struct ledger_names *names)
{
	asked = n_questions = 0;
	cmdline = "./fake";
	fake_open(names);
	return 0;
}

static int named(void **state)
{
	static const struct ledger_names names = { .ask = name_ask };

	(void)state;
	return named_by(&names);
}

static int named_hidden(void **state)
{
	static const struct ledger_names names = { .ask = name_ask, .hidden = true };

	(void)state;
	return named_by(&names);
}

static const char *cmdline_of(uint32_t pid)
{
	return sample_text(&fake.sample, fake_process(pid)->cmdline);
}

static const char *cgroup_of(uint32_t pid)
{
	return sample_text(&fake.sample, fake_process(pid)->cgroup);
}

static const char *comm_of(uint32_t pid)
{
	return sample_text(&fake.sample, fake_process(pid)->comm);
}

static void in_group(uint32_t slot, uint64_t group)
{
	fake_record(slot)->who.cgroup = group;
}

static void exec(uint32_t slot, const char *args, uint32_t n)
{
	struct lt_record *r = fake_record(slot);
	struct lt_call *entry = fake_entry(slot, LT_CALL_ARGS);

	r->who.flags |= LT_EXECED;
	r->who.changes++;
	entry->args_bytes = n;
	entry->args_exec = (uint32_t)fake.now_ns | 1;
	memcpy(entry->args, args, n < LT_ARGS_BYTES ? n : LT_ARGS_BYTES);
}

/* Looked up once, and again after a change, but not for processes that only sleep. */
static void test_names_are_asked_for_when_they_change(void **state)
{
	uint32_t slot = fake_born(10, 10);

	(void)state;
	in_group(slot, 7);
	fake_read();
	assert_string_equal(cmdline_of(10), "");
	assert_int_equal(fake_process(10)->cmdline, 0);
	answer_all();
	fake_move(slot, LT_POLL);
	fake.now_ns += MS;
	fake_read();
	assert_string_equal(cmdline_of(10), "./fake 10");
	assert_string_equal(cgroup_of(10), "/group7");
	answer_all();
	for (int i = 0; i < 5; i++)
		fake_read();
	assert_int_equal(n_questions, 0);
	cmdline = "./other";
	strcpy(fake_record(slot)->who.comm, "other");
	fake_record(slot)->who.uid = 8;
	fake_record(slot)->who.changes++;
	fake_wake(slot);
	read_twice();
	assert_string_equal(cmdline_of(10), "./other 10");
	assert_string_equal(comm_of(10), "other");
	assert_int_equal(fake_process(10)->uid, 8);
}

/* Any program may write over its command line: it has to run for that. */
static void test_a_new_title(void **state)
{
	uint32_t slot = fake_born(10, 10);

	(void)state;
	read_twice();
	cmdline = "fake: new title";
	fake.now_ns += MS;
	fake_move(slot, LT_POLL);
	read_twice();
	assert_string_equal(cmdline_of(10), "fake: new title 10");
}

/* However many processes run, a reading looks up a limited number, all of them in turn. */
static void test_titles_in_turn(void **state)
{
	enum { PROCESSES = 300, BOUND = 128 };
	static bool seen[PROCESSES];
	uint32_t slots[PROCESSES], n_seen = 0;
	int readings = 0;

	(void)state;
	for (uint32_t i = 0; i < PROCESSES; i++)
		slots[i] = fake_born(10 + i, 10 + i);
	fake_read();
	answer_all();
	for (; n_seen < PROCESSES && readings < 10; readings++) {
		fake.now_ns += MS;
		for (uint32_t i = 0; i < PROCESSES; i++)
			fake_move(slots[i], readings % 2 ? LT_RUN : LT_POLL);
		fake_read();
		assert_true(n_questions <= BOUND);
		for (uint32_t i = 0; i < n_questions; i++) {
			n_seen += !seen[questions[i].pid - 10];
			seen[questions[i].pid - 10] = true;
		}
		answer_all();
	}
	assert_int_equal(n_seen, PROCESSES);
	assert_true(readings <= PROCESSES / BOUND + 2);
	/* One that changed need not wait for its turn: these three are never in one. */
	for (uint32_t i = 0; i < PROCESSES; i++)
		fake_move(slots[i], readings % 2 ? LT_RUN : LT_POLL);
	for (uint32_t i = 0; i < PROCESSES; i += PROCESSES / 3)
		fake_record(slots[i])->who.changes++;
	fake.now_ns += MS;
	fake_read();
	n_seen = 0;
	for (uint32_t i = 0; i < n_questions; i++)
		n_seen += questions[i].name == LEDGER_CMDLINE && (questions[i].pid - 10) % (PROCESSES / 3) == 0;
	assert_int_equal(n_seen, 3);
}

/* A process whose files block for ever is not looked up again; what exec was given is still known. */
static void test_no_answer(void **state)
{
	uint32_t slot = fake_fork(10, 10, 10, 1);

	(void)state;
	exec(slot, "cc\0-c\0", 6);
	fake_wake(slot);
	fake_switch_in(slot);
	for (int i = 0; i < 20; i++) {
		fake.now_ns += MS;
		fake_read();
		assert_string_equal(cmdline_of(10), "cc -c");
	}
	assert_int_equal(asked, 1);
	assert_int_equal(n_questions, 2);
	exec(slot, "ld\0", 3);
	fake.now_ns += MS;
	fake_read();
	assert_string_equal(cmdline_of(10), "ld");
	assert_int_equal(asked, 1);
}

/* Longer than what exec leaves room for: cut, with a mark. */
static void test_a_long_command_line(void **state)
{
	static char args[LT_ARGS_BYTES];
	uint32_t slot = fake_fork(10, 10, 10, 1);

	(void)state;
	memset(args, 'x', sizeof(args));
	exec(slot, args, 2000);
	fake_wake(slot);
	fake_switch_in(slot);
	fake_read();
	assert_int_equal(strlen(cmdline_of(10)), LT_ARGS_BYTES + strlen("\u2026"));
	assert_non_null(strstr(cmdline_of(10), "x\u2026"));
	answer_all();
	fake_read();
	assert_string_equal(cmdline_of(10), "./fake 10");
}

/* Where /proc hides it, what exec was given is secret, too. */
static void test_hidden_names(void **state)
{
	uint32_t parent = fake_born(10, 10), slot = fake_fork(11, 11, 11, 10), other = fake_fork(12, 12, 12, 10);

	(void)state;
	(void)parent;
	read_twice();
	assert_string_equal(cmdline_of(10), "./fake 10");
	fake_wake(other);
	fake_switch_in(other);
	fake_read();
	assert_int_equal(fake_process(12)->cmdline, 0); /* not its parent's either */
	exec(slot, "psql\0--password=SECRET\0", 23);
	fake_wake(slot);
	fake_switch_in(slot);
	fake.now_ns += MS;
	fake_read();
	assert_int_equal(fake_process(11)->cmdline, 0);
	fake_die(slot, 0);
	fake_read();
	assert_int_equal(fake_process(11)->cmdline, 0);
}

/* Moved while it sleeps: no name instead of the old one, then the new one. */
static void test_a_new_group(void **state)
{
	uint32_t slot = fake_born(10, 10);

	(void)state;
	in_group(slot, 7);
	fake_move(slot, LT_POLL);
	read_twice();
	assert_string_equal(cgroup_of(10), "/group7");
	in_group(slot, 8);
	fake_record(slot)->who.changes++;
	fake.renames++;
	fake.now_ns += MS;
	fake_read();
	assert_string_equal(cgroup_of(10), "");
	answer_all();
	fake_read();
	assert_string_equal(cgroup_of(10), "/group8");
}

/* Moved twice: the answer for the first group is not used for the second. */
static void test_an_answer_that_is_late(void **state)
{
	uint32_t slot = fake_born(10, 10);

	(void)state;
	in_group(slot, 7);
	fake_read();
	in_group(slot, 8);
	answer_all();
	fake.now_ns += MS;
	fake_read();
	assert_string_equal(cgroup_of(10), "");
	answer_all();
	fake_read();
	assert_string_equal(cgroup_of(10), "/group8");
}

/* Parent and children live and die between two readings, in a group that was empty before. */
static void test_the_group_of_the_short_lived(void **state)
{
	uint32_t shell, child, other;

	(void)state;
	fake_read();
	shell = fake_fork(11, 11, 11, 1);
	in_group(shell, 9);
	fake_wake(shell);
	ledger_moved(fake.ledger, 11, fake_record(shell)->who.process_start_ns);
	assert_int_equal(n_questions, 2);
	child = fake_fork(12, 12, 12, 11);
	in_group(child, 9);
	fake_wake(child);
	other = fake_fork(13, 13, 13, 11);
	in_group(other, 10);
	fake_wake(other);
	answer_all();
	fake.now_ns += MS;
	fake_die(shell, 0);
	fake_die(child, 0);
	fake_die(other, 0);
	fake_read();
	assert_string_equal(cgroup_of(11), "/group9");
	assert_string_equal(cgroup_of(12), "/group9");
	assert_string_equal(cgroup_of(13), "");
}

/* A kernel thread's name is longer than its 15 bytes; a process whose first thread has exited still has its name. */
static void test_whole_names(void **state)
{
	uint32_t worker = fake_fork(10, 10, 10, 2), second = fake_fork(20, 21, 20, 1);

	(void)state;
	fake_record(worker)->who.flags |= LT_KTHREAD;
	fake_wake(worker);
	fake_wake(second);
	read_twice();
	assert_int_equal(asked, 1); /* a kernel thread has no command line */
	assert_string_equal(comm_of(10), "whole name of 10");
	assert_string_equal(comm_of(20), "whole name of 20");
	/* It calls exec: the thread takes the first one's place. */
	fake_record(second)->who.tid = 20;
	strcpy(fake_record(second)->who.comm, "new");
	fake_record(second)->who.changes++;
	fake_move(second, LT_POLL);
	fake.now_ns += MS;
	fake_read();
	assert_string_equal(comm_of(20), "new");
}

/* Another thread may rename one that sleeps. */
static void test_name_of_a_sleeper(void **state)
{
	uint32_t slot = fake_born(10, 10);

	(void)state;
	fake_move(slot, LT_POLL);
	fake.now_ns += MS;
	fake_read();
	strcpy(fake_record(slot)->who.comm, "other");
	fake_record(slot)->who.changes++;
	fake.renames++;
	fake.now_ns += MS;
	fake_read();
	assert_string_equal(sample_text(&fake.sample, fake_process(10)->comm), "other");
}

/* Exited before /proc was read: what exec was given, else the parent's name. */
static void test_names_of_the_short_lived(void **state)
{
	uint32_t parent = fake_born(10, 10), child, grandchild;

	(void)state;
	in_group(parent, 10);
	read_twice();
	child = fake_fork(11, 11, 11, 10);
	grandchild = fake_fork(12, 12, 12, 10);
	in_group(child, 10);
	fake_wake(child);
	fake_wake(grandchild);
	exec(grandchild, "cc\0-c\0\0\0", 8);
	fake.now_ns += MS;
	fake_die(child, 0);
	fake_die(grandchild, 0);
	fake_read();
	assert_string_equal(cmdline_of(11), "./fake 10");
	assert_string_equal(sample_text(&fake.sample, fake_process(11)->cgroup), "/group10");
	assert_string_equal(cmdline_of(12), "cc -c");
	assert_int_equal(fake_free_calls(), FAKE_CALLS);
}

/* Children of exited processes have a new parent; that of others is not looked up. */
static void test_a_parent_that_dies_first(void **state)
{
	uint32_t parent = fake_born(10, 10), child = fake_fork(11, 11, 11, 10), other = fake_fork(12, 12, 12, 11);

	(void)state;
	fake_wake(child);
	fake_wake(other);
	fake_read();
	assert_int_equal(fake_process(11)->ppid, 10);
	new_parent = 1;
	answer_all();
	fake_die(parent, 0);
	read_twice();
	assert_int_equal(fake_process(11)->ppid, 1);
	assert_int_equal(fake_process(12)->ppid, 11);
}

#define hidden_test(f) cmocka_unit_test_setup_teardown(f, named_hidden, fake_teardown)
#define names_test(f) cmocka_unit_test_setup_teardown(f, named, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		names_test(test_names_are_asked_for_when_they_change),
		names_test(test_a_new_title),
		names_test(test_titles_in_turn),
		names_test(test_no_answer),
		names_test(test_a_long_command_line),
		hidden_test(test_hidden_names),
		names_test(test_a_new_group),
		names_test(test_an_answer_that_is_late),
		names_test(test_the_group_of_the_short_lived),
		names_test(test_whole_names),
		names_test(test_names_of_the_short_lived),
		names_test(test_name_of_a_sleeper),
		names_test(test_a_parent_that_dies_first),
	};

	return cmocka_run_group_tests_name("ledger_names", tests, NULL, NULL);
}
