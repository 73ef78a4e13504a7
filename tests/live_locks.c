/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who keeps processes in focus asleep, against workloads in which that is known. */
#include "live.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 30
#define HOLDERS 3
#define WAITS (ROUNDS * HOLDERS)
#define HOLD_MS 3

static struct json_object *because_of(struct json_object *reading, int64_t pid)
{
	struct json_object *p = live_process(reading, pid), *focus, *list;

	if (!p || !json_object_object_get_ex(p, "focus", &focus) || !focus ||
	    !json_object_object_get_ex(focus, "because", &list))
		return NULL;
	return list;
}

/* Σ of a field of what a process was charged for its sleeps in lock, over the readings from the from-th on: of one
 * kind; by that ("": null; NULL: whatever); and of one thread or process if `key` is not NULL. */
static int64_t charged(struct live *l, size_t from, int64_t pid, const char *field, const char *kind, const char *by,
		       const char *key, int64_t id)
{
	struct json_object *list, *b;
	int64_t sum = 0;

	for (size_t i = from; i < l->n; i++) {
		list = because_of(l->reading[i], pid);
		for (size_t j = 0; list && j < json_object_array_length(list); j++) {
			b = json_object_array_get_idx(list, j);
			if (!strcmp(live_text(b, "kind"), kind) && (!by || !strcmp(live_text(b, "by"), by)) &&
			    !strcmp(live_text(b, "state"), "lock") && (!key || live_get(b, key) == id))
				sum += live_get(b, field);
		}
	}
	return sum;
}

static void await_focus(struct live *l, int64_t pid)
{
	while (!because_of(live_next(l), pid))
		;
}

static int64_t number_of(const char *line, const char *key)
{
	const char *at = line ? strstr(line, key) : NULL;

	return at ? strtoll(at + strlen(key), NULL, 10) : -1;
}

struct locking {
	struct live *l;
	size_t from;
	int64_t pid, waited_ns;
	int64_t holder[HOLDERS];
};

/* A round of the workload while it is in focus. */
static void run(struct locking *t, const char *kind)
{
	char rounds[16], ms[16];
	const char *ready, *done;
	struct child *load;

	live_need_bpf();
	snprintf(rounds, sizeof(rounds), "%d", ROUNDS);
	snprintf(ms, sizeof(ms), "%d", HOLD_MS);
	t->l = live_start("-d", "0.5", "--focus", "command~\"load locks\"", NULL);
	load = live_load(&ready, "locks", kind, rounds, ms, NULL);
	t->pid = load->pid;
	ready = ready ? strstr(ready, "holders=") : NULL;
	assert_non_null(ready);
	assert_int_equal(
		sscanf(ready, "holders=%" SCNd64 ",%" SCNd64 ",%" SCNd64, &t->holder[0], &t->holder[1], &t->holder[2]),
		HOLDERS);
	await_focus(t->l, t->pid);
	t->from = live_mark(t->l);
	done = live_round(load);
	t->waited_ns = number_of(done, "waited_ns=");
	live_past_now(t->l);
}

/* Each wait is one sleep; a missed event may part one, or leave some ms out. A holder that is not known is none;
 * another one is never said. */
#define APART (WAITS / 20)

static void test_holder(const char *kind)
{
	struct locking t = { 0 };
	int64_t lock_ns, held_ns, all = 0, expected;

	run(&t, kind);
	lock_ns = live_sum(t.l, t.from, t.pid, "time_ns.lock");
	held_ns = charged(t.l, t.from, t.pid, "ns", "lock", "holder", NULL, 0);
	live_between((double)lock_ns, 0.9e6 * HOLD_MS * ROUNDS * 6, (double)t.waited_ns, "%s: asleep for it", kind);
	live_compare((double)live_sum(t.l, t.from, t.pid, "of_which_ns.contended_lock"), (double)lock_ns,
		     (double)lock_ns * 0.05, "%s: contended, asleep for it", kind);
	live_compare((double)held_ns, (double)lock_ns, (double)lock_ns * 0.1, "%s: held, asleep for it", kind);
	for (int i = 0; i < HOLDERS; i++) {
		int64_t n = charged(t.l, t.from, t.pid, "count", "lock", "holder", "tid", t.holder[i]);

		expected = (int64_t)HOLD_MS * 1000000 * ROUNDS * (i + 1);
		live_between((double)charged(t.l, t.from, t.pid, "ns", "lock", "holder", "tid", t.holder[i]),
			     (double)expected * 0.95, (double)expected + (double)t.waited_ns - 6e6 * HOLD_MS * ROUNDS,
			     "%s: held by holder-%d", kind, i);
		live_between((double)n, ROUNDS * 0.9, ROUNDS + APART, "%s: waits for holder-%d", kind, i);
		all += n;
	}
	live_compare((double)charged(t.l, t.from, t.pid, "count", "lock", "holder", NULL, 0), (double)all, 0,
		     "%s: waits for a holder, for one of the three", kind);
	live_verdict();
}

#define TEST_HOLDER(kind)                                                                                              \
	static void test_##kind(void **state)                                                                          \
	{                                                                                                              \
		(void)state;                                                                                           \
		test_holder(#kind);                                                                                    \
	}
TEST_HOLDER(normal)
TEST_HOLDER(recursive)
TEST_HOLDER(shared)
TEST_HOLDER(pi)
TEST_HOLDER(robust)
TEST_HOLDER(rwlock)

/* Nobody is said to hold it. contended: it looks like a lock; else it must not. */
static void test_nobody(const char *kind, bool contended)
{
	struct locking t = { 0 };
	int64_t lock_ns, contended_ns, woken_ns;

	run(&t, kind);
	lock_ns = live_sum(t.l, t.from, t.pid, "time_ns.lock");
	contended_ns = live_sum(t.l, t.from, t.pid, "of_which_ns.contended_lock");
	woken_ns = charged(t.l, t.from, t.pid, "ns", "waker", "process", "pid", t.pid);
	live_between((double)lock_ns, 0.9e6 * HOLD_MS * ROUNDS * 6, (double)t.waited_ns, "%s: asleep", kind);
	live_compare((double)charged(t.l, t.from, t.pid, "count", "lock", "holder", NULL, 0), 0, 0,
		     "%s: waits for a holder", kind);
	live_compare((double)contended_ns, contended ? (double)lock_ns : 0,
		     contended || live_has_preempt_rt() ? (double)lock_ns * 0.05 : 0, "%s: contended", kind);
	if (!contended)
		live_between((double)woken_ns, (double)lock_ns * 0.95, (double)lock_ns * 1.001,
			     "%s: ended by its own threads", kind);
	live_verdict();
}

#define TEST_NOBODY(kind, contended)                                                                                   \
	static void test_##kind(void **state)                                                                          \
	{                                                                                                              \
		(void)state;                                                                                           \
		test_nobody(#kind, contended);                                                                         \
	}
TEST_NOBODY(words, true)
TEST_NOBODY(flock, true)
TEST_NOBODY(condition, false)
TEST_NOBODY(semaphore, false)
TEST_NOBODY(note, false)

static const struct CMUnitTest locks[] = {
	live_test(test_normal),	   live_test(test_recursive), live_test(test_shared), live_test(test_pi),
	live_test(test_robust),	   live_test(test_rwlock),    live_test(test_words),  live_test(test_flock),
	live_test(test_condition), live_test(test_semaphore), live_test(test_note),
};

int main(void)
{
	return live_main(locks);
}
