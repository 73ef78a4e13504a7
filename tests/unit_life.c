/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One record per thread, whoever writes the index meanwhile: bpf/life.bpf.c, compiled for this machine. Each writer
 * runs on a stack of its own and pauses before it looks at the index and before each compare and swap in it; the test
 * walks all orders in which they can continue. And which of a process's threads is its last.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <ucontext.h>

#include "bpf_native.h"

static void writer_pause(void);
static long update(const void *map, const void *key, const void *value);
static long delete (const void *map, const void *key);
static long ignore(const void *to, const void *data, size_t size);

static uint64_t time_ns = 1000;

#define bpf_map_update_elem(map, key, value, flags) update(map, key, value)
#define bpf_map_delete_elem(map, key) delete (map, key)
#define bpf_ktime_get_ns() (++time_ns)
#define bpf_ringbuf_output(ring, data, size, flags) ignore(ring, data, size)
#define bpf_get_current_task_btf() (&forker)
#define bpf_probe_read_kernel_str(to, size, from) read_kernel(to, size, from)
#define bpf_probe_read_user(to, size, from) read_kernel(to, size, from)
#define bpf_seq_write(seq, data, size) ignore(seq, data, size)
/* Where another CPU may come in between. */
#define __sync_val_compare_and_swap(at, old, new)                                                                      \
	((void *)(at) == &lt_free.head ? (void)0 : writer_pause(), __sync_val_compare_and_swap(at, old, new))

static struct task_struct forker;

#include "../bpf/life.bpf.c"

/* ---- what the kernel provides ---- */

static struct lt_chunk chunk;
static struct lt_index_set set; /* every task is in it */
static struct lt_cpu cpu;
static struct {
	uint64_t key;
	uint32_t slot;
} spill;

static bool field_exists(const char *field)
{
	(void)field;
	return true;
}

static long read_kernel(void *to, size_t size, const void *from)
{
	if ((uintptr_t)from < 4096)
		memset(to, 0, size);
	else
		memcpy(to, from, size);
	return 0;
}

static long task_regs(struct task_struct *task)
{
	static struct pt_regs regs;

	(void)task;
	return (long)&regs;
}

/* In the spill. The keys of other maps are shorter, and a compiler that sees one here would warn. */
static bool is_spilled(const void *map, const void *key)
{
	__asm__("" : "+r"(key));
	return map == &lt_spill && !memcmp(&spill.key, key, sizeof(spill.key));
}

static void *lookup(const void *map, const void *key)
{
	if (map == &lt_chunks)
		return *(const uint32_t *)key ? NULL : &chunk;
	if (map == &chunk)
		return &chunk;
	if (map == &lt_cpus)
		return &cpu;
	if (map == &lt_killers)
		return NULL;
	writer_pause();
	if (map == &lt_index)
		return &set;
	return is_spilled(map, key) ? &spill.slot : NULL;
}

/* The spill has room for one. */
static long update(const void *map, const void *key, const void *value)
{
	writer_pause();
	if (map != &lt_spill || spill.key)
		return -17;
	memcpy(&spill.key, key, sizeof(spill.key));
	memcpy(&spill.slot, value, sizeof(spill.slot));
	return 0;
}

static long delete (const void *map, const void *key)
{
	writer_pause();
	if (is_spilled(map, key))
		spill.key = 0;
	return 0;
}

static long ignore(const void *to, const void *data, size_t size)
{
	(void)to;
	(void)data;
	(void)size;
	return 0;
}

/* ---- writers ---- */

#define WRITERS 3
#define STEPS 48

struct writer {
	void (*run)(void);
	ucontext_t context;
	bool over;
	char stack[128 << 10];
};

static struct writer writers[WRITERS];
static struct writer *running; /* NULL: the test itself */
static ucontext_t scheduler;

static void writer_pause(void)
{
	if (running)
		swapcontext(&running->context, &scheduler);
}

static void writer_begin(void)
{
	running->run();
	running->over = true;
}

static void writer_step(struct writer *w)
{
	running = w;
	swapcontext(&scheduler, &w->context);
	running = NULL;
}

static void writer_start(struct writer *w)
{
	w->over = false;
	getcontext(&w->context);
	w->context.uc_stack.ss_sp = w->stack;
	w->context.uc_stack.ss_size = sizeof(w->stack);
	w->context.uc_link = &scheduler;
	makecontext(&w->context, writer_begin, 0);
}

/* Continues the writers in the order that `choice` says, the first one where it says nothing, and notes the choices. */
static int run_in_order(int choice[STEPS], int choices[STEPS])
{
	int n = 0;

	for (;; n++) {
		struct writer *may[WRITERS];
		int n_may = 0;

		for (int i = 0; i < WRITERS; i++)
			if (writers[i].run && !writers[i].over)
				may[n_may++] = &writers[i];
		if (!n_may)
			return n;
		assert_true(n < STEPS);
		choices[n] = n_may;
		writer_step(may[choice[n]]);
	}
}

/* Every order. Returns how many there are. */
static int walk(void (*const run[WRITERS])(void), void (*prepare)(void), void (*check)(void))
{
	int choice[STEPS] = { 0 }, choices[STEPS], n, orders = 0;

	do {
		prepare();
		for (int i = 0; i < WRITERS; i++) {
			writers[i].run = run[i];
			if (run[i])
				writer_start(&writers[i]);
		}
		n = run_in_order(choice, choices);
		check();
		orders++;
		while (n > 0 && choice[n - 1] + 1 == choices[n - 1])
			choice[--n] = 0;
		if (n > 0)
			choice[n - 1]++;
	} while (n > 0);
	return orders;
}

/* ---- a thread is created while the iterator comes by, and others end ---- */

#define SLOTS 4
#define OTHER (1ULL << 39) /* the key of a task that is far from those of the test */

static struct signal_struct process;
static struct task_struct newborn, others[2];
static int full;	 /* ways of the set that others have */
static uint32_t spilled; /* tasks that were ever in the spill: whether it is looked at */

static void task_make(struct task_struct *task, int pid)
{
	*task = (struct task_struct){ .pid = pid, .tgid = pid, .group_leader = task, .real_parent = &forker };
	task->signal = &process;
	task->start_boottime = (__u64)pid;
}

/* A set with `full` ways taken, the first by others[0]. */
static void prepare_birth(void)
{
	struct lt_stack empty = { 0 };

	memset(&chunk, 0, sizeof(chunk));
	memset(&set, 0, sizeof(set));
	memset(&cpu, 0, sizeof(cpu));
	memset(&spill, 0, sizeof(spill));
	task_make(&forker, 1);
	task_make(&newborn, 100);
	newborn.__state = TASK_NEW_STATE;
	for (int i = 0; i < 2; i++)
		task_make(&others[i], 200 + i);
	lt_free = empty;
	lt_free.given = SLOTS + 1000;
	for (uint32_t slot = 0; slot < SLOTS; slot++)
		chunk.record[slot].who.next_free = slot + 1 < SLOTS ? slot + 2 : 0;
	lt_free.head = 1;
	lt_spilled = spilled;
	lt_seed_missed = lt_seed_unborn = 0;
	for (int i = 1; i < full; i++)
		set.way[i] = OTHER << LT_SLOT_BITS | 900;
	set.way[0] = lt_key(&others[0]) << LT_SLOT_BITS | 901;
}

static uint64_t record_of(struct task_struct *task)
{
	struct lt_slot s;

	return lt_find(task, &s) ? (uint64_t)(s.record - chunk.record) + 1 : 0;
}

static void run_create(void)
{
	unsigned long long args[] = { (uintptr_t)&newborn, 0 };

	lt_newtask(args);
	writer_pause();
	newborn.__state = 0;
	newborn.on_cpu = 1;
}

static void run_iterate(void)
{
	struct bpf_iter__task at = { .task = &newborn };

	lt_seed(&at);
}

static void run_end_another(void)
{
	lt_index_remove(&others[0]);
}

/* As switch_out in bpf/sched.bpf.c. */
static void last_switch(struct task_struct *task)
{
	struct lt_slot s;

	task->__state = TASK_DEAD;
	writer_pause();
	if (!lt_find(task, &s))
		return;
	lt_index_remove(task);
	*s.word = LT_WORD(bpf_ktime_get_ns(), LT_DEAD);
}

/* Created, and ends at once. */
static void run_live(void)
{
	run_create();
	writer_pause();
	last_switch(&newborn);
}

static int places_of(struct task_struct *task)
{
	int n = spill.key == lt_key(task);

	for (int i = 0; i < LT_INDEX_WAYS; i++)
		n += set.way[i] >> LT_SLOT_BITS == lt_key(task);
	return n;
}

/* How many records that were taken are in that state. */
static int records_in(enum lt_state state)
{
	int n = 0;

	for (int slot = 0; slot < SLOTS; slot++)
		n += chunk.word[slot] && LT_WORD_STATE(chunk.word[slot]) == state;
	return n;
}

static void check_one_record(void)
{
	assert_int_equal(places_of(&newborn), 1);
	assert_int_equal(places_of(&others[0]), 0);
	assert_int_equal(record_of(&newborn), 1 + (uint64_t)records_in(LT_VOID));
	assert_int_equal(lt_free.taken, 1 + records_in(LT_VOID));
	assert_int_equal(chunk.record[record_of(&newborn) - 1].who.tid, 100);
	assert_int_equal(lt_seed_missed + cpu.untracked_born + cpu.lost_switches, 0);
}

static void check_none_is_left(void)
{
	assert_int_equal(places_of(&newborn), 0);
	assert_int_equal(records_in(LT_DEAD), 1);
	assert_int_equal(lt_free.taken, 1 + records_in(LT_VOID));
	assert_int_equal(cpu.untracked_born + cpu.lost_switches, 0);
}

/* A way becomes free, or all but one are taken, or all: then the spill is used. */
static void test_birth(void **state)
{
	static void (*const birth[])(void) = { run_create, run_iterate, run_end_another };
	static void (*const life[])(void) = { run_live, run_iterate, NULL };
	static const int taken[] = { 1, LT_INDEX_WAYS - 1, LT_INDEX_WAYS };

	(void)state;
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		full = taken[i];
		spilled = i == 0;
		print_message("# %d of %d taken: %d orders\n", full, LT_INDEX_WAYS,
			      walk(birth, prepare_birth, check_one_record) +
				      walk(life, prepare_birth, check_none_is_left));
	}
}

/* ---- the iterator finds a thread whose creation was missed, and which ends; another takes its place ---- */

static void prepare_end(void)
{
	prepare_birth();
	newborn.__state = 0;
}

static void run_end(void)
{
	last_switch(&newborn);
}

#define SLOT_OF_ANOTHER (SLOTS - 1)

static void run_add_another(void)
{
	lt_index_add(&others[1], SLOT_OF_ANOTHER);
}

static void check_only_the_other(void)
{
	assert_int_equal(places_of(&newborn), 0);
	assert_int_equal(places_of(&others[1]), 1);
	assert_int_equal(record_of(&others[1]), SLOT_OF_ANOTHER + 1);
	assert_int_equal(records_in(LT_DEAD), lt_free.taken);
}

static void test_end(void **state)
{
	static void (*const end[])(void) = { run_end, run_iterate, run_add_another };

	(void)state;
	full = 1;
	spilled = 0;
	print_message("# %d orders\n", walk(end, prepare_end, check_only_the_other));
}

/* ---- the last thread of a process ---- */

static void die(struct task_struct *task, bool tells, bool group_dead)
{
	unsigned long long args[] = { (uintptr_t)task, group_dead };

	if (tells)
		lt_pexit(args);
	else
		lt_pexit_5_15(args);
}

static uint32_t flags_of(struct task_struct *task)
{
	return chunk.record[record_of(task) - 1].who.flags & LT_LAST;
}

/* Two threads of a process end on two CPUs; both see that no thread lives. tells: the tracepoint says which one was
 * the last, since Linux 6.16. One of another process, which has the same place in the table, ends in between. */
static void end_together(bool tells, bool in_between)
{
	static struct signal_struct another;
	unsigned long long args[2] = { 0 };

	full = 1;
	spilled = 0;
	prepare_birth();
	process.live.counter = another.live.counter = 0;
	others[0].group_leader = &newborn;
	others[0].tgid = newborn.tgid;
	others[1].signal = &another;
	others[1].start_boottime = newborn.start_boottime + GONE; /* with the same ... */
	others[1].tgid = newborn.tgid;				  /* ... place */
	set.way[0] = 0;
	for (int i = 0; i < 3; i++) {
		args[0] = (uintptr_t)(i ? &others[i - 1] : &newborn);
		lt_newtask(args);
	}
	die(&newborn, tells, false);
	if (in_between)
		die(&others[1], tells, true);
	die(&others[0], tells, true);
}

static void test_last_thread(void **state)
{
	(void)state;
	end_together(false, false);
	assert_int_equal(cpu.exits, 1);
	assert_int_equal(flags_of(&newborn), LT_LAST);
	assert_int_equal(flags_of(&others[0]), 0);
	end_together(true, false);
	assert_int_equal(cpu.exits, 1);
	assert_int_equal(flags_of(&newborn), 0);
	assert_int_equal(flags_of(&others[0]), LT_LAST);
	end_together(true, true);
	assert_int_equal(cpu.exits, 2);
	assert_int_equal(flags_of(&newborn), 0);
	assert_int_equal(flags_of(&others[0]), LT_LAST);
	assert_int_equal(flags_of(&others[1]), LT_LAST);
}

/* A thread that ends before others of its process, whichever hook reports it. */
static void test_not_the_last(void **state)
{
	(void)state;
	prepare_birth();
	newborn.start_boottime = 999; /* no other has it */
	process.live.counter = 1;
	die(&newborn, false, false);
	die(&newborn, true, false);
	assert_int_equal(cpu.exits, 0);
}

int main(void)
{
	static const struct CMUnitTest life[] = {
		cmocka_unit_test(test_birth),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_last_thread),
		cmocka_unit_test(test_not_the_last),
	};

	return cmocka_run_group_tests(life, NULL, NULL);
}
