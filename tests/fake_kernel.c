/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_kernel.h"

#include "entries.h"
#include "ledger_thread.h"
#include "takers.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#define QUEUE 0x1000	  /* the address of the run queue */
#define CLOCK_BEHIND 7777 /* how far its clock is behind */

struct fake fake;

static struct lt_chunk *chunks[FAKE_CHUNKS];
static struct lt_call_chunk *call_chunks[1];

static uint64_t throttle_clock(void)
{
	uint64_t clock_ns = fake.now_ns - CLOCK_BEHIND;

	return fake.throttle.total_ns + (fake.throttle.since_ns ? clock_ns - fake.throttle.since_ns : 0);
}

static bool throttle_look(void *ctx, struct lt_throttle_look *look)
{
	(void)ctx;
	assert_int_equal(look->queue, QUEUE);
	look->throttle = fake.throttle;
	return !fake.throttle_unknown;
}

void fake_throttle(bool runs)
{
	fake.throttle.total_ns = throttle_clock();
	fake.throttle.since_ns = runs ? fake.now_ns - CLOCK_BEHIND : 0;
}

void fake_open(const struct ledger_names *names)
{
	memset(&fake, 0, sizeof(fake));
	fake.now_ns = FAKE_START_NS;
	for (int i = 0; i < FAKE_CHUNKS; i++)
		chunks[i] = aligned_alloc(64, sizeof(*chunks[i]));
	call_chunks[0] = calloc(1, sizeof(*call_chunks[0]));
	assert_non_null(call_chunks[0]);
	for (int i = 0; i < FAKE_CHUNKS; i++) {
		assert_non_null(chunks[i]);
		memset(chunks[i], 0, sizeof(*chunks[i]));
	}
	fake.memory = (struct ledger_memory){
		.chunks = chunks,
		.call_chunks = call_chunks,
		.n_chunks = FAKE_CHUNKS,
		.n_call_chunks = 1,
		.free = &fake.free,
		.free_calls = &fake.free_calls,
		.renames = &fake.renames,
		.with_sched = true,
		.with_calls = true,
		.throttle = throttle_look,
	};
	ledger_give(&fake.memory, 0, FAKE_RECORDS);
	fake.memory.calls_wanted = FAKE_CALLS;
	fake.memory.pending_bytes = 256 << 20;
	assert_int_equal(entries_add(&fake.memory, 0, LT_CALL_CHUNK), 0);
	entries_feed(&fake.memory);
	fake.ledger = ledger_new(&fake.memory, names);
	assert_non_null(fake.ledger);
	fake_read();
}

void fake_close(void)
{
	ledger_free(fake.ledger);
	sample_free(&fake.sample);
	for (int i = 0; i < FAKE_CHUNKS; i++)
		free(chunks[i]);
	free(call_chunks[0]);
	entries_free(&fake.memory);
}

int fake_setup(void **state)
{
	(void)state;
	fake_open(NULL);
	return 0;
}

int fake_teardown(void **state)
{
	(void)state;
	fake_close();
	return 0;
}

struct lt_record *fake_record(uint32_t slot)
{
	return &chunks[slot >> LT_CHUNK_SHIFT]->record[slot & (LT_CHUNK - 1)];
}

static struct lt_net *chunk_net(uint32_t slot)
{
	return &chunks[slot >> LT_CHUNK_SHIFT]->net[slot & (LT_CHUNK - 1)];
}

struct lt_net *fake_net(uint32_t slot)
{
	fake_record(slot)->calls.uses_net = true;
	return chunk_net(slot);
}

struct lt_parts *fake_parts(uint32_t slot)
{
	fake_record(slot)->sched.uses_parts = true;
	return parts_at(&fake.memory, slot);
}

uint64_t *fake_word(uint32_t slot)
{
	return (uint64_t *)&chunks[slot >> LT_CHUNK_SHIFT]->word[slot & (LT_CHUNK - 1)];
}

static void word_set(uint32_t slot, uint64_t word)
{
	__atomic_store_n(fake_word(slot), word, __ATOMIC_RELEASE);
}

static __u32 *next_record(uint32_t at)
{
	return &fake_record(at - 1)->who.next_free;
}

static __u32 *next_call(uint32_t at)
{
	return &call_chunks[0]->call[at - 1].next;
}

static uint32_t pop(struct lt_stack *stack, __u32 *(*next)(uint32_t at))
{
	uint32_t at = takers_pop(&(struct takers_list){ stack, next });

	assert_true(at);
	return at - 1;
}

uint32_t fake_fork(uint32_t tgid, uint32_t tid, uint64_t process_start_ns, uint32_t ppid)
{
	uint32_t slot = pop(&fake.free, next_record);
	struct lt_record *r = fake_record(slot);

	/* Nothing of the slot's last thread may be left, except its place in the free list. */
	assert_int_equal(*fake_word(slot), 0);
	assert_int_equal(r->who.tid, 0);
	assert_int_equal(r->calls.calls + r->calls.head[0] + r->sched.voluntary, 0);
	assert_int_equal(r->calls.uses_net + chunk_net(slot)->connects, 0);
	r->who.tid = tid;
	r->who.tgid = tgid;
	r->who.ppid = r->who.birth_ppid = ppid;
	r->who.start_ns = fake.now_ns + FAKE_BOOT_NS;
	r->who.process_start_ns = process_start_ns;
	r->who.born_ns = fake.now_ns;
	r->who.uid = 7;
	strcpy(r->who.comm, "fake");
	r->calls.call = r->calls.interrupted = LT_CALL_NONE;
	word_set(slot, LT_WORD(fake.now_ns, LT_NEW));
	return slot;
}

uint32_t fake_born(uint32_t tgid, uint32_t tid)
{
	uint32_t slot = fake_fork(tgid, tid, tgid, 1);

	fake_wake(slot);
	fake_switch_in(slot);
	return slot;
}

uint32_t fake_seed(uint32_t tgid, uint32_t tid, enum lt_state state)
{
	uint32_t slot = fake_fork(tgid, tid, tgid, 1);
	struct lt_record *r = fake_record(slot);

	r->who.flags |= LT_SEEDED;
	for (int i = 0; i < LT_N_KERNEL; i++)
		r->who.base[i] = r->sched.counter[i] = 100 + 10 * (uint64_t)i;
	word_set(slot, LT_WORD(fake.now_ns, state));
	return slot;
}

/* The throttled part, until now, of the wait that this word began. */
static uint64_t throttled_ns_of(const struct lt_sched *sched, uint64_t word)
{
	return LT_FOR_CPU(LT_WORD_STATE(word)) && sched->wait_queue ? throttle_clock() - sched->wait_throttle_ns : 0;
}

void fake_cut(uint32_t slot, uint64_t word, uint64_t now_ns)
{
	const struct lt_sched *sched = &fake_record(slot)->sched;
	struct lt_cut *cut = &chunks[slot >> LT_CHUNK_SHIFT]->cut[slot & (LT_CHUNK - 1)];
	uint64_t cut_ns = __atomic_load_n(&fake.cut_ns, __ATOMIC_ACQUIRE);

	if (LT_WORD_SINCE(word) >= cut_ns || now_ns < cut_ns)
		return;
	__atomic_store_n((uint64_t *)&cut->at_ns, cut_ns, __ATOMIC_RELEASE);
	__atomic_store_n((uint64_t *)&cut->word, word, __ATOMIC_RELEASE);
	__atomic_store_n((uint64_t *)&cut->throttled_ns, throttled_ns_of(sched, word), __ATOMIC_RELEASE);
	for (int i = 0; i < LT_STATES; i++)
		__atomic_store_n((uint64_t *)&cut->time_ns[i], sched->time_ns[i], __ATOMIC_RELEASE);
}

void fake_move(uint32_t slot, enum lt_state to)
{
	struct lt_record *r = fake_record(slot);
	struct lt_sched *sched = &r->sched;
	uint64_t word = *fake_word(slot), stay_ns = fake.now_ns - LT_WORD_SINCE(word);
	uint64_t throttled_ns = throttled_ns_of(sched, word);
	uint32_t from = LT_WORD_STATE(word);

	fake_cut(slot, word, fake.now_ns);
	if (from < LT_STATES) {
		__atomic_store_n((uint64_t *)&sched->time_ns[from], sched->time_ns[from] + stay_ns - throttled_ns,
				 __ATOMIC_RELEASE);
		sched->time_ns[LT_THROTTLED] += throttled_ns;
	} else if (from == LT_NEW) {
		r->who.born_ns = fake.now_ns;
	}
	sched->wait_queue = QUEUE;
	sched->wait_throttle_ns = throttle_clock();
	sched->wait_clock_ns = fake.throttle.total_ns | fake.throttle.since_ns ? CLOCK_BEHIND : 0;
	if (from == LT_RUN)
		*(to == LT_PREEMPT ? &sched->involuntary : &sched->voluntary) += 1;
	word_set(slot, LT_WORD(fake.now_ns, to));
	if (from == LT_DISK) {
		struct lt_call *waits = fake_entry(slot, LT_CALL_DIST | LT_DIST_DISK_WAIT);

		fake_hist_add(&waits->hist, &waits->hist_max, stay_ns);
		if (sched->page_fault)
			fake_parts(slot)->page_fault_disk_ns += stay_ns;
	}
	if (from == LT_RUN || from >= LT_STATES || !r->calls.enter_ns)
		return;
	if (sched->call_enter_ns != r->calls.enter_ns) {
		sched->call_enter_ns = r->calls.enter_ns;
		sched->call_wait_ns = sched->call_sleep_ns = 0;
	}
	sched->call_wait_ns += stay_ns;
	if (from >= LT_LOCK)
		sched->call_sleep_ns += stay_ns;
}

void fake_wake(uint32_t slot)
{
	bool is_new = LT_WORD_STATE(*fake_word(slot)) == LT_NEW;

	fake_move(slot, LT_WAKEQ);
	if (!is_new)
		fake_record(slot)->sched.wakeups++;
}

void fake_hist_add(struct lt_hist *hist, struct lt_max *max, uint64_t ns)
{
	uint32_t i = fake.epoch & 1;

	hist->count[hist_bucket(ns)]++;
	if (max->epoch[i] != fake.epoch) {
		max->epoch[i] = fake.epoch;
		max->ns[i] = ns;
	} else if (ns > max->ns[i]) {
		max->ns[i] = ns;
	}
}

void fake_switch_in(uint32_t slot)
{
	struct lt_sched *sched = &fake_record(slot)->sched;
	uint64_t word = *fake_word(slot);

	if (LT_WORD_STATE(word) == LT_WAKEQ)
		fake_hist_add(&sched->wakeup, &sched->wakeup_max, fake.now_ns - LT_WORD_SINCE(word));
	fake_move(slot, LT_RUN);
}

static struct lt_call *entry_at(uint32_t index)
{
	return &call_chunks[0]->call[index];
}

struct lt_call *fake_entry(uint32_t slot, uint32_t call)
{
	struct lt_calls *calls = &fake_record(slot)->calls;
	__u32 *head = &calls->head[call & (LT_CALL_HEADS - 1)];
	struct lt_call *entry;
	uint32_t index;

	for (uint32_t at = *head; at; at = entry->next) {
		entry = entry_at(at - 1);
		if (entry->call == call)
			return entry;
	}
	if (!(call & LT_CALL_SPECIAL)) {
		if (calls->n_entries >= LT_CALLS_LIMIT && call != LT_CALL_OTHERS)
			return fake_entry(slot, LT_CALL_OTHERS);
		calls->n_entries++;
	}
	index = pop(&fake.free_calls, next_call);
	entry = entry_at(index);
	assert_int_equal(entry->call + entry->count + entry->errors, 0);
	entry->call = call;
	entry->next = *head;
	__atomic_store_n(head, index + 1, __ATOMIC_RELEASE);
	return entry;
}

void fake_enter(uint32_t slot, uint32_t call)
{
	struct lt_calls *calls = &fake_record(slot)->calls;

	calls->call = call;
	calls->began = LT_BEGAN;
	__atomic_store_n((uint64_t *)&calls->enter_ns, fake.now_ns, __ATOMIC_RELEASE);
	if (lt_call_exits(LT_CALL_ABI(call), LT_CALL_NR(call)))
		calls->calls++;
}

static void error_add(uint32_t slot, struct lt_call *entry, uint32_t error)
{
	struct lt_call *more;

	entry->errors++;
	for (int i = 0; i < LT_ERRNOS; i++) {
		if (entry->errors_by[i].error && entry->errors_by[i].error != error)
			continue;
		entry->errors_by[i].error = error;
		entry->errors_by[i].count++;
		return;
	}
	more = fake_entry(slot, entry->call | LT_CALL_ERRNOS);
	for (int i = 0; i < LT_MORE_ERRNOS; i++) {
		if (more->more_errors[i].error && more->more_errors[i].error != error)
			continue;
		more->more_errors[i].error = error;
		more->more_errors[i].count++;
		return;
	}
}

void fake_return(uint32_t slot, long ret)
{
	struct lt_record *r = fake_record(slot);
	struct lt_calls *calls = &r->calls;
	uint64_t total_ns = fake.now_ns - calls->enter_ns, wait_ns = 0, sleep_ns = 0;
	struct lt_call *entry = fake_entry(slot, calls->call);

	if (r->sched.call_enter_ns == calls->enter_ns) {
		wait_ns = r->sched.call_wait_ns;
		sleep_ns = r->sched.call_sleep_ns;
	}
	__atomic_store_n((uint64_t *)&calls->seq, calls->seq + 1, __ATOMIC_RELEASE);
	__atomic_store_n((uint64_t *)&calls->enter_ns, 0, __ATOMIC_RELEASE);
	calls->calls++;
	calls->call_total_ns += total_ns;
	entry->count++;
	entry->total_ns += total_ns;
	entry->wait_ns += wait_ns;
	if (ret < 0) {
		calls->call_errors++;
		error_add(slot, entry, (uint32_t)-ret);
	}
	__atomic_store_n((uint64_t *)&calls->seq, calls->seq + 1, __ATOMIC_RELEASE);
	if (calls->began)
		return;
	fake_hist_add(&entry->latency, &entry->max, total_ns);
	if (entry->count == 1) { /* the first one is kept elsewhere */
		entry->first = hist_bucket(total_ns) + 1;
		entry->latency.count[entry->first - 1]--;
	}
	fake_hist_add(&calls->service, &calls->service_max, total_ns - sleep_ns);
}

void fake_interrupted(uint32_t slot, uint32_t call)
{
	struct lt_calls *calls = &fake_record(slot)->calls;

	__atomic_store_n((uint64_t *)&calls->seq, calls->seq + 1, __ATOMIC_RELEASE);
	calls->call_errors++;
	error_add(slot, fake_entry(slot, call), EINTR);
	__atomic_store_n((uint64_t *)&calls->seq, calls->seq + 1, __ATOMIC_RELEASE);
}

void fake_die(uint32_t slot, int status)
{
	fake_record(slot)->who.exit_status = status;
	fake_record(slot)->who.flags |= LT_LAST; /* counts only when no other thread of the process is left */
	fake_move(slot, LT_DEAD);
}

uint32_t fake_free_records(void)
{
	static bool seen[FAKE_RECORDS];
	uint32_t n = 0;

	memset(seen, 0, sizeof(seen));
	for (uint32_t at = (uint32_t)fake.free.head; at; at = fake_record(at - 1)->who.next_free, n++) {
		assert_in_range(at, 1, FAKE_RECORDS);
		assert_false(seen[at - 1]);
		seen[at - 1] = true;
	}
	assert_int_equal(fake.free.given - fake.free.taken, n);
	return n;
}

uint32_t fake_free_calls(void)
{
	static bool seen[FAKE_CALLS];
	uint32_t n = 0;

	memset(seen, 0, sizeof(seen));
	for (uint32_t at = (uint32_t)fake.free_calls.head; at; at = entry_at(at - 1)->next, n++) {
		assert_in_range(at, 1, FAKE_CALLS);
		assert_false(seen[at - 1]);
		seen[at - 1] = true;
	}
	assert_int_equal(fake.free_calls.given - fake.free_calls.taken, n);
	return n;
}

/* Its rows add up to no more than its calls, and their errnos to no more than the errors. */
static void check_calls(const struct sample *s, const struct sample_work *w)
{
	uint64_t calls = 0, errors = 0, total_ns = 0;

	for (uint32_t i = 0; i < w->n_calls; i++) {
		const struct sample_call *c = &s->calls[w->first_call + i];
		uint64_t by_errno = 0;

		for (uint32_t e = 0; e < c->n_errnos; e++)
			by_errno += s->errnos[c->first_errno + e].count;
		assert_true(by_errno <= c->errors);
		calls += c->count;
		errors += c->errors;
		total_ns += c->total_ns;
	}
	assert_true(calls <= w->calls);
	assert_true(errors <= w->call_errors);
	assert_true(total_ns <= w->call_total_ns);
}

const struct sample *fake_read(void)
{
	return fake_read_late(__atomic_load_n(&fake.now_ns, __ATOMIC_ACQUIRE));
}

/* The sums by process, against the sample's threads. */
static void check_activity(const struct sample *s)
{
	for (uint32_t i = 0; i < s->n_processes; i++) {
		const struct ledger_activity *a = &ledger_activity(fake.ledger)[i];
		struct ledger_activity sum = { 0 };

		for (uint32_t j = 0; j < s->processes[i].n_threads; j++) {
			const struct sample_thread *t = &s->threads[s->processes[i].first_thread + j];
			static const struct sample_work nothing;
			const struct sample_work *w = t->work == SAMPLE_NONE ? &nothing : &s->works[t->work];
			uint64_t ns[LT_VOID + 1] = { 0 };

			memcpy(ns, w->time_ns, sizeof(w->time_ns));
			if (t->work == SAMPLE_NONE)
				ns[t->state] = t->wall_ns;
			else
				sum.run_ns += ns[LT_RUN];
			sum.calls += w->calls;
			sum.switches += w->voluntary + w->involuntary;
			sum.for_cpu_ns += ns[LT_WAKEQ] + ns[LT_PREEMPT] + ns[LT_THROTTLED];
			sum.lag_ns += ns[LT_WAKEQ] + ns[LT_PREEMPT] + ns[LT_THROTTLED] + ns[LT_DISK] + ns[LT_MEMORY] +
				      ns[LT_BLOCK];
		}
		assert_memory_equal(a, &sum, sizeof(sum));
	}
}

const struct sample *fake_read_late(uint64_t t_ns)
{
	struct sample *s = &fake.sample;
	uint32_t epoch = fake.epoch++;

	sample_clear(s);
	s->t_ns = t_ns;
	s->interval_ns = t_ns > fake.t_ns ? t_ns - fake.t_ns : 1;
	s->cpus_online = 1;
	assert_int_equal(ledger_read(fake.ledger, t_ns, epoch, s), 0);
	fake.t_ns = t_ns;
	assert_null(sample_check(s));
	check_activity(s);
	for (uint32_t i = 0; i < s->n_threads; i++) {
		const struct sample_thread *t = &s->threads[i];
		uint64_t sum_ns = 0, in_calls_ns = 0, waited_ns = 0;

		assert_true(t->wall_ns <= s->interval_ns);
		if (t->work == SAMPLE_NONE)
			continue;
		check_calls(s, &s->works[t->work]);
		for (uint32_t c = 0; c < s->works[t->work].n_calls; c++) {
			in_calls_ns += s->calls[s->works[t->work].first_call + c].time_ns;
			waited_ns += s->calls[s->works[t->work].first_call + c].wait_ns;
		}
		assert_true(in_calls_ns <= t->wall_ns);
		if (!fake.memory.with_sched)
			continue;
		for (int state = 0; state < LT_STATES; state++)
			sum_ns += s->works[t->work].time_ns[state];
		assert_int_equal(sum_ns, t->wall_ns);
		assert_true(waited_ns <= t->wall_ns - s->works[t->work].time_ns[LT_RUN]);
		assert_true(in_calls_ns - waited_ns <= s->works[t->work].time_ns[LT_RUN]);
	}
	return s;
}

const struct sample_process *fake_process(uint32_t pid)
{
	for (uint32_t i = fake.sample.n_processes; i > 0; i--)
		if (fake.sample.processes[i - 1].pid == pid)
			return &fake.sample.processes[i - 1];
	return NULL;
}

const struct sample_thread *fake_thread(uint32_t tid)
{
	for (uint32_t i = fake.sample.n_threads; i > 0; i--)
		if (fake.sample.threads[i - 1].tid == tid)
			return &fake.sample.threads[i - 1];
	return NULL;
}

const struct sample_work *fake_work(uint32_t tid)
{
	const struct sample_thread *t = fake_thread(tid);

	return t && t->work != SAMPLE_NONE ? &fake.sample.works[t->work] : NULL;
}

const struct sample_call *fake_call(uint32_t tid, uint32_t call)
{
	const struct sample_work *w = fake_work(tid);

	for (uint32_t i = 0; w && i < w->n_calls; i++)
		if (fake.sample.calls[w->first_call + i].call == call)
			return &fake.sample.calls[w->first_call + i];
	return NULL;
}

uint32_t fake_errors(const struct sample_call *call, uint32_t error)
{
	for (uint32_t i = 0; i < call->n_errnos; i++)
		if (fake.sample.errnos[call->first_errno + i].error == error)
			return fake.sample.errnos[call->first_errno + i].count;
	return 0;
}

uint64_t fake_dist_count(const struct sample_dist *dist)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < dist->n; i++)
		n += fake.sample.buckets[dist->first + i].count;
	return n;
}
