/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledger between any two stores of the kernel side: what a thread stores while it changes state, makes calls and
 * gets entries is recorded, and stored again one by one between the loads of a reading. Whatever the order, what the
 * readings say adds up to what the thread did.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "fake_kernel.h"
#include "ledger_thread.h"

/* One of the writer's stores. */
struct store {
	void *to;
	uint64_t value;
	size_t bytes;
};

/* In which order a reading and the writer take turns. */
struct turns {
	uint32_t begin; /* stores before the first load */
	uint32_t load;	/* the number of the load before which `burst` of them come at once */
	uint32_t burst;
	uint32_t every; /* from then on one at so many loads; 0: none */
};

static struct {
	struct store store[512];
	uint32_t n, done, loads;
	struct turns turns;
} steps;

static void write_stores(uint32_t n)
{
	for (; n && steps.done < steps.n; n--, steps.done++)
		memcpy(steps.store[steps.done].to, &steps.store[steps.done].value, steps.store[steps.done].bytes);
}

static void before_load(void)
{
	const struct turns *t = &steps.turns;
	uint32_t load = steps.loads++;

	if (load == t->load)
		write_stores(t->burst);
	else if (load > t->load && t->every && (load - t->load) % t->every == 0)
		write_stores(1);
}

static uint64_t load_stepped(const void *p)
{
	before_load();
	return ledger_load(p);
}

/* The code under test, with the writer between its loads. */
#define ledger_load load_stepped
#define __atomic_load_n(p, order) (before_load(), *(const volatile __typeof__(*(p)) *)(p))
#include "../tui/ledger_thread.c"
#undef ledger_load
#undef __atomic_load_n

static void keep_store(void *to, uint64_t value, size_t bytes)
{
	assert_true(steps.n < sizeof(steps.store) / sizeof(steps.store[0]));
	steps.store[steps.n++] = (struct store){ to, value, bytes };
	memcpy(to, &value, bytes);
}

#define STORE(to, value) keep_store((void *)&(to), (uint64_t)(value), sizeof(to))

/* The thread, and what it has done. */
#define CALLS 3
static struct writer {
	uint32_t slot, tid, turn;
	uint64_t count[CALLS], errors[CALLS], total_ns[CALLS];
} writer;

/* What all readings said. */
static struct {
	uint64_t calls, call_errors, call_total_ns, wall_ns;
	uint64_t count[CALLS], errors[CALLS], total_ns[CALLS], latency[CALLS], named[CALLS];
} said;

static struct lt_cut *writer_cut(void)
{
	return (struct lt_cut *)&fake.memory.chunks[writer.slot >> LT_CHUNK_SHIFT]->cut[writer.slot & (LT_CHUNK - 1)];
}

/* As move() in sched.bpf.c. */
static void store_move(enum lt_state to)
{
	struct lt_record *r = fake_record(writer.slot);
	struct lt_cut *cut = writer_cut();
	uint64_t word = *fake_word(writer.slot), stay_ns = ++fake.now_ns - LT_WORD_SINCE(word);
	uint32_t from = LT_WORD_STATE(word);

	if (LT_WORD_SINCE(word) < fake.cut_ns && fake.now_ns >= fake.cut_ns) {
		STORE(cut->at_ns, fake.cut_ns);
		STORE(cut->throttled_ns, 0);
		STORE(cut->word, word);
		for (int i = 0; i < LT_STATES; i++)
			STORE(cut->time_ns[i], r->sched.time_ns[i]);
	}
	STORE(r->sched.time_ns[from], r->sched.time_ns[from] + stay_ns);
	STORE(*fake_word(writer.slot), LT_WORD(fake.now_ns, to));
	if (from == LT_RUN || !r->calls.enter_ns)
		return;
	if (r->sched.call_enter_ns != r->calls.enter_ns) {
		STORE(r->sched.call_enter_ns, r->calls.enter_ns);
		STORE(r->sched.call_wait_ns, 0);
	}
	STORE(r->sched.call_wait_ns, r->sched.call_wait_ns + stay_ns);
}

static void store_enter(uint32_t call)
{
	struct lt_calls *calls = &fake_record(writer.slot)->calls;

	STORE(calls->call, call);
	STORE(calls->began, LT_BEGAN);
	STORE(calls->enter_ns, ++fake.now_ns);
}

/* As lt_entry_take() in entry.bpf.h: filled in, then linked, then counted. */
static struct lt_call *store_entry(uint32_t call)
{
	struct lt_calls *calls = &fake_record(writer.slot)->calls;
	__u32 *head = &calls->head[call & (LT_CALL_HEADS - 1)], before = *head, after;
	__u16 n = calls->n_entries;
	struct lt_call *entry = fake_entry(writer.slot, call);

	if (calls->n_entries == n)
		return entry;
	after = *head;
	*head = before;
	calls->n_entries = n;
	STORE(*head, after);
	STORE(calls->n_entries, n + 1);
	return entry;
}

/* As leave() in syscall.bpf.c. */
static void store_return(uint32_t error)
{
	struct lt_record *r = fake_record(writer.slot);
	struct lt_calls *calls = &r->calls;
	uint64_t total_ns = ++fake.now_ns - calls->enter_ns, wait_ns = 0;
	struct lt_call *entry = store_entry(calls->call);
	uint32_t bucket = hist_bucket(total_ns), call = calls->call % CALLS;

	if (r->sched.call_enter_ns == calls->enter_ns)
		wait_ns = r->sched.call_wait_ns;
	STORE(calls->seq, calls->seq + 1);
	STORE(calls->enter_ns, 0);
	STORE(calls->calls, calls->calls + 1);
	STORE(calls->call_total_ns, calls->call_total_ns + total_ns);
	STORE(entry->count, entry->count + 1);
	STORE(entry->total_ns, entry->total_ns + total_ns);
	STORE(entry->wait_ns, entry->wait_ns + wait_ns);
	if (error) {
		STORE(calls->call_errors, calls->call_errors + 1);
		STORE(entry->errors, entry->errors + 1);
		STORE(entry->errors_by[0].error, error);
		STORE(entry->errors_by[0].count, entry->errors_by[0].count + 1);
	}
	STORE(entry->latency.count[bucket], entry->latency.count[bucket] + 1);
	STORE(calls->seq, calls->seq + 1);
	writer.count[call]++;
	writer.errors[call] += error != 0;
	writer.total_ns[call] += total_ns;
}

/* Some 100 stores: short calls, one that waits, and at the end one that still does. */
static void store_turn(void)
{
	bool asleep = LT_WORD_STATE(*fake_word(writer.slot)) != LT_RUN;

	if (asleep) {
		store_move(LT_WAKEQ);
		store_move(LT_RUN);
		store_return(0);
	}
	store_enter(0);
	store_return(EAGAIN);
	store_enter(1);
	store_move(LT_NET);
	store_move(LT_WAKEQ);
	store_move(LT_RUN);
	store_return(writer.turn & 1 ? EINTR : 0);
	store_enter(2);
	store_return(0);
	if (writer.turn++ % 3)
		return;
	store_enter(2);
	store_move(LT_LOCK);
}

/* Records a turn and takes it back: nothing has been stored yet. */
static void record_turn(void)
{
	struct lt_record *r = fake_record(writer.slot), record = *r;
	struct lt_cut cut = *writer_cut();
	struct lt_call *entry[CALLS], was[CALLS];
	uint64_t word = *fake_word(writer.slot);

	for (uint32_t i = 0; i < CALLS; i++)
		if ((entry[i] = (struct lt_call *)entry_of(&fake.memory, &r->calls, i)))
			was[i] = *entry[i];
	steps.n = steps.done = 0;
	store_turn();
	for (uint32_t i = 0; i < CALLS; i++) {
		struct lt_call *now = (struct lt_call *)entry_of(&fake.memory, &r->calls, i), fresh = { 0 };

		fresh.call = now->call;
		fresh.next = now->next;
		*now = entry[i] ? was[i] : fresh;
	}
	*r = record;
	*writer_cut() = cut;
	*fake_word(writer.slot) = word;
}

static void add_up(void)
{
	const struct sample_thread *t = fake_thread(writer.tid);
	const struct sample_work *w = fake_work(writer.tid);

	assert_non_null(t);
	said.wall_ns += t->wall_ns;
	if (!w)
		return;
	said.calls += w->calls;
	said.call_errors += w->call_errors;
	said.call_total_ns += w->call_total_ns;
	for (uint32_t i = 0; i < CALLS; i++) {
		const struct sample_call *row = fake_call(writer.tid, i);

		if (!row)
			continue;
		said.count[i] += row->count;
		said.errors[i] += row->errors;
		said.total_ns[i] += row->total_ns;
		said.latency[i] += fake_dist_count(&row->latency);
		said.named[i] += fake_errors(row, EAGAIN) + fake_errors(row, EINTR);
	}
}

static void born(void)
{
	writer = (struct writer){ .tid = writer.tid + 1 };
	memset(&said, 0, sizeof(said));
	writer.slot = fake_born(writer.tid, writer.tid);
	said.wall_ns = fake.now_ns;
}

static void check_sums(void)
{
	uint64_t calls = 0, errors = 0, total_ns = 0;

	for (uint32_t i = 0; i < CALLS; i++) {
		assert_int_equal(said.count[i], writer.count[i]);
		assert_int_equal(said.errors[i], writer.errors[i]);
		assert_int_equal(said.total_ns[i], writer.total_ns[i]);
		assert_int_equal(said.latency[i], writer.count[i]);
		assert_int_equal(said.named[i], writer.errors[i]);
		calls += writer.count[i];
		errors += writer.errors[i];
		total_ns += writer.total_ns[i];
	}
	assert_int_equal(said.calls, calls);
	assert_int_equal(said.call_errors, errors);
	assert_int_equal(said.call_total_ns, total_ns);
	assert_int_equal(said.wall_ns, fake.now_ns);
}

/* A turn of the writer, with a reading in the middle of it, and one afterwards. */
static void take_turns(struct turns turns, uint64_t *torn)
{
	uint64_t t_ns = fake.now_ns + 3;

	fake.cut_ns = t_ns;
	record_turn();
	write_stores(turns.begin);
	steps.loads = 0;
	steps.turns = turns;
	fake_read_late(t_ns);
	*torn += fake.sample.lost.torn;
	add_up();
	steps.turns.load = UINT32_MAX;
	write_stores(steps.n);
	fake_read();
	assert_int_equal(fake.sample.lost.torn, 0);
	add_up();
	check_sums();
}

/* Two turns of a new thread: in the first one it gets its entries. */
static void live_and_die(struct turns turns, uint64_t *torn)
{
	born();
	take_turns(turns, torn);
	take_turns(turns, torn);
	fake_die(writer.slot, 0);
	fake_read();
}

static int opened(void **state)
{
	(void)state;
	fake_open(NULL);
	return 0;
}

static int closed(void **state)
{
	(void)state;
	fake_close();
	return 0;
}

#define STORES 110 /* of a turn, at most */
#define LOADS 120  /* of a reading that finds the thread standing still, at most */

/* The writer stands still, wherever it is, until the reading is over. */
static void test_a_writer_that_stands_still(void **state)
{
	uint64_t torn = 0;

	(void)state;
	for (uint32_t begin = 0; begin <= STORES; begin++)
		live_and_die((struct turns){ .begin = begin, .load = UINT32_MAX }, &torn);
	assert_in_range(steps.n, STORES / 2, STORES);
	assert_true(torn > STORES / 8);
}

/* It does so many stores between two of the reading's loads, and stands still before and after. */
static void test_a_burst_between_two_loads(void **state)
{
	static const uint32_t bursts[] = { 1, 2, 3, 5, 9, 17, 33, STORES };
	uint64_t torn = 0;

	(void)state;
	for (uint32_t begin = 0; begin <= STORES; begin++)
		for (uint32_t load = 0; load < LOADS; load++)
			for (size_t i = 0; i < sizeof(bursts) / sizeof(bursts[0]); i++)
				live_and_die((struct turns){ .begin = begin, .load = load, .burst = bursts[i] }, &torn);
	assert_true(torn > 0);
}

/* It goes on, slower than the reading or faster. */
static void test_a_writer_that_goes_on(void **state)
{
	uint64_t torn = 0;

	(void)state;
	for (uint32_t begin = 0; begin <= STORES; begin++)
		for (uint32_t every = 1; every <= LOADS; every++)
			for (uint32_t load = 0; load < every; load += every / 3 + 1)
				live_and_die((struct turns){ .begin = begin, .load = load, .every = every }, &torn);
	assert_true(torn > 0);
}

#define steps_test(f) cmocka_unit_test_setup_teardown(f, opened, closed)

int main(void)
{
	const struct CMUnitTest tests[] = {
		steps_test(test_a_writer_that_stands_still),
		steps_test(test_a_burst_between_two_loads),
		steps_test(test_a_writer_that_goes_on),
	};

	return cmocka_run_group_tests_name("ledger: steps", tests, NULL, NULL);
}
