/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verdict: each rule of the table says its sentence when it holds, and nothing below it; what comes first, what is
 * left out, what is denied. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/syscall.h>

#include "reading.h"
#include "verdict.h"
#include "verdict_write.h"

#define CALL(name) LT_CALL(LT_ABI_NATIVE, SYS_##name)
#define PID 2211

static struct facts_all facts;
static struct verdict verdict;

static int setup(void **state)
{
	memset(&facts, 0, sizeof(facts));
	return reading_setup(state);
}

static int teardown(void **state)
{
	facts_free(&facts);
	return reading_teardown(state);
}

/* ---- one second of "api" for each rule; permille: how much of it was lost ---- */

static struct sample_work *api(struct sample *s, enum lt_state state, uint64_t permille)
{
	struct sample_work *w;

	reading_process(s, PID, 5, "api");
	w = reading_busy(s, PID, LT_SLEEP, SECOND_NS / 2);

	w->time_ns[LT_SLEEP] -= permille * MS_NS;
	w->time_ns[state] += permille * MS_NS;
	return w;
}

/* 70 and 20 percent of a wait behind those. */
static void because(struct sample *s, uint32_t kind, uint32_t pid, const char *comm, uint64_t permille)
{
	struct sample_because *b;

	s->processes[0].first_because = s->n_because;
	s->processes[0].n_because = 2;
	s->processes[0].focus_since_ns = 1;
	b = sample_add_because(s);
	*b = (struct sample_because){ .kind = kind, .pid = pid, .start_ns = 5, .ns = permille * MS_NS * 7 / 10 };
	strcpy(b->comm, comm);
	b = sample_add_because(s);
	*b = (struct sample_because){ .kind = SAMPLE_BLAME_CPU, .pid = 99, .start_ns = 9, .ns = permille * MS_NS / 5 };
	strcpy(b->comm, "cc1");
}

#define BEHIND(name, state, kind, pid, comm)                                                                           \
	static void name(struct sample *s, uint64_t permille)                                                          \
	{                                                                                                              \
		api(s, state, permille);                                                                               \
		because(s, kind, pid, comm, permille);                                                                 \
	}
BEHIND(behind, LT_PREEMPT, SAMPLE_BLAME_CPU, 3412, "gzip")
BEHIND(behind_own, LT_WAKEQ, SAMPLE_BLAME_CPU, PID, "api")
BEHIND(behind_alike, LT_WAKEQ, SAMPLE_BLAME_CPU, PID + 1, "api")
BEHIND(behind_interrupts, LT_WAKEQ, SAMPLE_BLAME_IRQ, 0, "")
BEHIND(behind_hypervisor, LT_WAKEQ, SAMPLE_BLAME_STEAL, 0, "")
BEHIND(behind_idle, LT_WAKEQ, SAMPLE_BLAME_ASLEEP, 0, "")
BEHIND(throttled, LT_THROTTLED, SAMPLE_BLAME_QUOTA, 0, "")

/* Each had less than is worth its name. */
static void behind_many(struct sample *s, uint64_t permille)
{
	api(s, LT_WAKEQ, permille);
	s->processes[0].focus_since_ns = 1;
	s->processes[0].n_because = 12;
	for (uint32_t i = 0; i < 12; i++) {
		struct sample_because *b = sample_add_because(s);

		*b = (struct sample_because){
			.kind = SAMPLE_BLAME_CPU, .pid = 100 + i, .start_ns = 9, .ns = permille * MS_NS * 8 / 100
		};
		snprintf(b->comm, sizeof(b->comm), "job%u", i);
	}
}

static void behind_unknown(struct sample *s, uint64_t permille)
{
	api(s, LT_WAKEQ, permille);
	because(s, SAMPLE_BLAME_OTHERS, 0, "", permille);
	s->because[1].ns /= 4;
}

/* 70 percent of a wait for locks held by another thread of it, 20 by another process. */
static void held(struct sample *s, enum lt_state state, uint64_t permille)
{
	because(s, SAMPLE_BLAME_HOLDER, PID, "worker-3", permille);
	s->because[0].tid = PID + 4;
	s->because[1].kind = SAMPLE_BLAME_HOLDER;
	s->because[0].state = s->because[1].state = state;
}

static void for_lock(struct sample *s, uint64_t permille)
{
	api(s, LT_LOCK, permille)->contended_lock_ns = permille * MS_NS;
	held(s, LT_LOCK, permille);
}

/* Nothing is said of the rest of the sleeps in futex. */
static void for_somebodys_lock(struct sample *s, uint64_t permille)
{
	api(s, LT_LOCK, 400)->contended_lock_ns = permille * MS_NS;
	because(s, SAMPLE_BLAME_CONTENDED, 0, "", permille);
}

static void for_kernel_lock(struct sample *s, uint64_t permille)
{
	api(s, LT_BLOCK, permille);
	held(s, LT_BLOCK, permille);
}

static void for_somebodys_answer(struct sample *s, uint64_t permille)
{
	api(s, LT_POLL, 400)->upstream_ns = permille * MS_NS;
}

/* All of the time, but a tenth, in this call. */
static struct sample_call *lost_in(struct sample *s, uint32_t call, enum lt_state state, uint64_t permille)
{
	struct sample_work *w = api(s, state, permille);
	struct sample_call *c = reading_call(s, w, call, 10, MS_NS, 0, 0);

	c->wait_ns = permille * MS_NS * 9 / 10;
	return c;
}

static void in_fsync(struct sample *s, uint64_t permille)
{
	lost_in(s, CALL(fsync), LT_DISK, permille);
}

static void in_pread(struct sample *s, uint64_t permille)
{
	struct sample_disk *d = sample_add_disk(s);

	d->name = sample_add_text(s, "sda", 3);
	d->busy_ns = SECOND_NS * 97 / 100;
	lost_in(s, CALL(pread64), LT_DISK, permille);
}

static void in_faults(struct sample *s, uint64_t permille)
{
	api(s, LT_DISK, permille)->page_fault_disk_ns = permille * MS_NS * 9 / 10;
}

static void in_memory(struct sample *s, uint64_t permille)
{
	api(s, LT_MEMORY, permille);
}

static void in_reclaim(struct sample *s, uint64_t permille)
{
	api(s, LT_SLEEP, 0)->reclaim_ns = permille * MS_NS;
}

static void in_munmap(struct sample *s, uint64_t permille)
{
	lost_in(s, CALL(munmap), LT_BLOCK, permille);
}

static void in_stat(struct sample *s, uint64_t permille)
{
	lost_in(s, CALL(statfs), LT_BLOCK, permille);
}

static void in_flock(struct sample *s, uint64_t permille)
{
	lost_in(s, CALL(flock), LT_LOCK, permille);
}

static void in_fuse(struct sample *s, uint64_t permille)
{
	lost_in(s, CALL(getdents64), LT_IO, permille);
}

static void in_write(struct sample *s, uint64_t permille)
{
	lost_in(s, CALL(write), LT_IO, permille);
	s->threads[0].call = CALL(write);
	s->threads[0].call_age_ns = 3 * SECOND_NS;
}

static struct sample_connection *connection(struct sample *s, uint8_t state)
{
	struct sample_connection *c = sample_add_connection(s);

	*c = (struct sample_connection){ .proto = LT_TCP,
					 .family = 4,
					 .state = state,
					 .local_port = 8080,
					 .remote_port = 80,
					 .pid = PID,
					 .accept_queue = SAMPLE_UNKNOWN,
					 .accept_queue_max = SAMPLE_UNKNOWN,
					 .accept_oldest_ns = SAMPLE_UNKNOWN,
					 .age_ns = SAMPLE_UNKNOWN };
	inet_pton(AF_INET, "10.0.0.5", c->remote);
	return c;
}

static void in_send(struct sample *s, uint64_t permille)
{
	lost_in(s, CALL(sendto), LT_NET, permille);
	connection(s, TCP_ESTABLISHED)->tx_queue_bytes = 4096;
}

static void in_connect(struct sample *s, uint64_t permille)
{
	lost_in(s, CALL(connect), LT_NET, permille);
	connection(s, TCP_SYN_SENT);
}

static struct sample_peer *peer(struct sample *s, struct sample_work *w, uint16_t port)
{
	struct sample_peer *p = sample_add_peer(s);

	p->of = (struct lt_peer){ .proto = LT_TCP, .family = 4, .port = port };
	inet_pton(AF_INET, "10.0.0.5", p->of.address);
	p->retransmits = p->srtt_ns = p->open.n = SAMPLE_UNKNOWN;
	if (w) {
		w->first_peer = s->n_peers - 1;
		w->n_peers = 1;
	}
	return p;
}

/* Ten answers. */
static void upstream(struct sample *s, uint64_t permille)
{
	struct sample_work *w = api(s, LT_NET, 400);

	if (!permille)
		return;
	reading_dist(s, &w->upstream, permille * MS_NS / 10, 10);
	reading_dist(s, &peer(s, w, 5432)->upstream, permille * MS_NS / 10, 10);
}

static void silent(struct sample *s, uint64_t permille)
{
	struct sample_peer *p;

	api(s, LT_POLL, 450);
	if (!permille)
		return;
	p = peer(s, NULL, 53);
	p->of.proto = LT_UDP;
	p->open = s->processes[0].sockets.upstream = (struct sample_open){ 1, permille * MS_NS };
	s->processes[0].sockets.first_peer = s->n_peers - 1;
	s->processes[0].sockets.n_peers = 1;
}

static void full(struct sample *s, uint64_t permille)
{
	struct sample_connection *c;

	api(s, LT_SLEEP, 0);
	c = connection(s, TCP_LISTEN);
	c->accept_queue = permille ? 5 : 4;
	c->accept_queue_max = 4;
	c->accept_oldest_ns = permille * MS_NS;
	c->drops = permille ? 12 : 0;
}

static void dropping(struct sample *s, uint64_t permille)
{
	full(s, permille);
	s->connections[0].accept_queue = 0;
}

static void overrun(struct sample *s, uint64_t permille)
{
	struct sample_connection *c;

	api(s, LT_SLEEP, 0);
	c = connection(s, TCP_CLOSE);
	c->proto = LT_UDP;
	c->drops = permille;
}

static void lossy(struct sample *s, uint64_t permille)
{
	api(s, LT_SLEEP, 0);
	s->processes[0].sockets.retransmits = permille;
	connection(s, TCP_ESTABLISHED)->retransmits = permille;
}

static void refused(struct sample *s, uint64_t permille)
{
	reading_call(s, api(s, LT_SLEEP, 0), CALL(connect), 980, 1000, ECONNREFUSED, (uint32_t)permille);
}

static void shot(struct sample *s, uint64_t permille)
{
	api(s, LT_SLEEP, 0);
	s->processes[0].flags = SAMPLE_PROCESS_EXITED;
	s->processes[0].killed_by = permille ? LT_BY_OOM : LT_BY_PROCESS;
}

static void forks(struct sample *s, uint64_t permille)
{
	api(s, LT_SLEEP, 0);
	s->forks = permille;
	s->uptime_ns = 100 * SECOND_NS;
	for (uint32_t i = 0; i < permille; i++) {
		reading_process(s, PID + 1 + i, s->uptime_ns - MS_NS, "child")->ppid = PID;
		s->processes[s->n_processes - 1].flags = SAMPLE_PROCESS_EXITED;
	}
}

/* `lost` in thousandths of a second is enough, `less` is not. */
static const struct rule_case {
	const char *rule;
	void (*fill)(struct sample *s, uint64_t permille);
	uint64_t lost, less;
	const char *sentence;
} cases[] = {
	{ "cpu", behind, 400, 49,
	  "api (2211) waited 400ms for a CPU, 70% of it behind gzip (3412), 20% behind cc1 (99)." },
	{ "cpu_alike", behind_alike, 400, 49,
	  "api (2211) waited 400ms for a CPU, 70% of it behind api (2212), 20% behind cc1 (99)." },
	{ "cpu_own", behind_own, 50, 49,
	  "api (2211) waited 50.0ms for a CPU, 70% of it behind its own threads, 20% behind cc1 (99)." },
	{ "cpu_interrupts", behind_interrupts, 50, 49,
	  "api (2211) waited 50.0ms for a CPU, 70% of it behind interrupts, 20% behind cc1 (99)." },
	{ "cpu_stolen", behind_hypervisor, 50, 49,
	  "api (2211) waited 50.0ms for a CPU, 70% of it while the hypervisor was running something else, 20% behind "
	  "cc1 (99)." },
	{ "cpu_asleep", behind_idle, 50, 49,
	  "api (2211) waited 50.0ms for a CPU, 70% of it while the CPU was waking from idle, 20% behind cc1 (99)." },
	{ "cpu_many", behind_many, 50, 49,
	  "api (2211) waited 50.0ms for a CPU; no single process was running for much of "
	  "that time." },
	{ "cpu_unknown", behind_unknown, 50, 49,
	  "api (2211) waited 50.0ms for a CPU; what was running instead is not known." },
	{ "quota", throttled, 50, 49, "api (2211) was held back 50.0ms by the CPU quota of its control group." },
	{ "disk_sync", in_fsync, 100, 49, "api (2211) waited 100ms for the disk, at least 90% of it in fsync." },
	{ "disk", in_pread, 100, 49,
	  "api (2211) waited 100ms for the disk, at least 90% of it in pread64; sda was busy 97% of the time." },
	{ "disk_faults", in_faults, 100, 49,
	  "api (2211) waited 100ms for the disk because its memory or mapped files were not in memory (page faults)." },
	{ "memory", in_memory, 50, 49, "api (2211) waited 50.0ms for memory." },
	{ "reclaim", in_reclaim, 50, 49, "api (2211) spent 50.0ms reclaiming memory before it could continue." },
	{ "map_lock", in_munmap, 100, 49,
	  "Threads of api (2211) waited 100ms for the process-wide memory-map lock (mmap_lock), at least 90% of it "
	  "in mmap, munmap and the like." },
	{ "kernel_lock", for_kernel_lock, 100, 49,
	  "api (2211) was blocked in the kernel for 100ms, 70% of it for locks held by its own thread worker-3 (2215), "
	  "20% for locks held by cc1 (99)." },
	{ "lock", for_lock, 100, 49,
	  "api (2211) waited 100ms for contended locks, 70% of it for locks held by its own thread worker-3 (2215), "
	  "20% for locks held by cc1 (99)." },
	{ "lock_unknown", for_somebodys_lock, 100, 49,
	  "api (2211) waited 100ms for contended locks; who held them is not known." },
	{ "upstream_unknown", for_somebodys_answer, 100, 49,
	  "api (2211) slept 100ms while answers to its requests had not come; from which peer is not known." },
	{ "block", in_stat, 100, 49, "api (2211) was blocked in the kernel for 100ms, at least 90% of it in statfs." },
	{ "file_lock", in_flock, 100, 49, "api (2211) waited 90.0ms in flock for a file lock that is held." },
	{ "file_system", in_fuse, 100, 49,
	  "api (2211) waited 90.0ms in getdents64 for an answer from a user-space or network file system." },
	{ "write", in_write, 100, 49,
	  "api (2211) waited 90.0ms in write because the reader (of a pipe or terminal, or a user-space file system) "
	  "does not keep up; the longest wait is 3.00s so far." },
	{ "send", in_send, 100, 49,
	  "api (2211) waited 90.0ms in sendto because 10.0.0.5:80 does not receive fast enough." },
	{ "connect", in_connect, 100, 49, "api (2211) waited 90.0ms in connect to 10.0.0.5:80." },
	{ "upstream", upstream, 200, 20, NULL /* by a histogram */ },
	{ "upstream_silent", silent, 400, 49, "api (2211) waits for 10.0.0.5:53 (DNS): no answer for 400ms." },
	{ "backlog", full, 20, 0,
	  "The accept queue of api (2211) at 0.0.0.0:8080 was full (5 of 4); 12 connections were dropped." },
	{ "backlog_drops", dropping, 20, 0,
	  "api (2211) failed to accept some connections at 0.0.0.0:8080; 12 connections were dropped." },
	{ "datagrams_lost", overrun, 7, 0,
	  "api (2211) lost 7 datagrams at 0.0.0.0:8080: its receive buffer was full." },
	{ "retransmits", lossy, 7, 1, "api (2211) retransmitted 7 TCP segments, most of them to 10.0.0.5:80." },
	{ "failing", refused, 490, 48, "490 of 980 connect calls by api (2211) failed with ECONNREFUSED." },
	{ "killed", shot, 1, 0, "api (2211): 1 process was killed by the kernel because memory ran out (OOM)." },
	{ "processes", forks, 300, 199, "api (2211) started 300 processes, 300 a second." },
};
#define CASES (sizeof(cases) / sizeof(cases[0]))

static void judge(void)
{
	assert_int_equal(facts_add(&facts, reading_model), 0);
	assert_int_equal(verdict_make(&verdict, &facts), 0);
}

static const struct verdict_sentence *sentence_of(const char *rule)
{
	for (uint32_t i = 0; i < verdict.n; i++)
		if (!strcmp(verdict.sentence[i].rule, rule))
			return &verdict.sentence[i];
	return NULL;
}

static void try_case(const struct rule_case *c, bool enough)
{
	struct sample *s = reading_next(1);
	const struct verdict_sentence *said;

	c->fill(s, enough ? c->lost : c->less);
	reading_update(s);
	judge();
	said = sentence_of(c->rule);
	if (!enough) {
		assert_null(said);
		return;
	}
	if (!said)
		fail_msg("%s: says %s", c->rule, verdict.n ? verdict.sentence[0].text : "nothing");
	if (c->sentence)
		assert_string_equal(said->text, c->sentence);
	assert_true(said->advice[0]);
	assert_null(strchr(said->text, '{'));
	assert_null(strchr(said->advice, '{'));
	assert_string_equal(said->comm, "api");
}

static void each_rule(void **state)
{
	for (size_t i = 0; i < verdict_rules_count; i++) {
		size_t at = 0;

		while (at < CASES && strcmp(cases[at].rule, verdict_rules[i].name) != 0)
			at++;
		if (at == CASES)
			fail_msg("no case of %s", verdict_rules[i].name);
		for (int enough = 0; enough < 2; enough++) {
			try_case(&cases[at], enough);
			assert_int_equal(teardown(state), 0);
			assert_int_equal(setup(state), 0);
		}
	}
}

/* Waits of 100 ms each: by disk, 20 processes of different names; the files and calls of a rule of their own last. */
static void worst_of_each_rule_first(void **state)
{
	struct sample *s = reading_next(1);
	char name[16];

	(void)state;
	for (uint32_t i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "slow%02u", i);
		reading_process(s, 100 + i, 5, name);
		reading_busy(s, 100 + i, LT_DISK, (500 - i) * MS_NS);
	}
	reading_process(s, 200, 5, "poor");
	reading_busy(s, 200, LT_MEMORY, 900 * MS_NS);
	reading_process(s, 201, 5, "wrong");
	reading_call(s, reading_busy(s, 201, LT_SLEEP, MS_NS), CALL(openat), 1000, 10, EMFILE, 900);
	reading_update(s);
	judge();
	assert_int_equal(verdict.n, VERDICT_SENTENCES);
	assert_int_equal(verdict.more, 22 - VERDICT_SENTENCES);
	for (uint32_t i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "slow%02u", 19 - i);
		assert_string_equal(verdict.sentence[i].comm, name);
		assert_int_equal(verdict.sentence[i].ns, (519 - i) * MS_NS);
	}
	assert_string_equal(verdict.sentence[6].rule, "memory");
	assert_string_equal(verdict.sentence[7].rule, "failing");
}

/* Long-lived ones over two readings, and short-lived ones, of one name are one sentence. */
static void one_sentence_a_name(void **state)
{
	(void)state;
	for (uint32_t reading = 1; reading <= 2; reading++) {
		struct sample *s = reading_next(reading);

		for (uint32_t i = 0; i < 4; i++) {
			reading_process(s, 100 * reading * (i > 1) + i, 5, "worker");
			reading_busy(s, i, i > 1 ? LT_DEAD : LT_BLOCK, 950 * MS_NS);
			if (i > 1) {
				s->processes[i].flags = SAMPLE_PROCESS_EXITED;
				s->works[i].time_ns[LT_SLEEP] = 0;
				s->works[i].time_ns[LT_BLOCK] = 50 * MS_NS;
			}
		}
		reading_update(s);
		assert_int_equal(facts_add(&facts, reading_model), 0);
	}
	assert_int_equal(verdict_make(&verdict, &facts), 0);
	assert_int_equal(verdict.n, 1);
	assert_string_equal(verdict.sentence[0].text, "worker (6 processes) was blocked in the kernel for 400ms.");
	assert_int_equal(verdict.sentence[0].pid, 0);
	assert_int_equal(verdict.interval_ns, 2 * SECOND_NS);
}

static uint32_t areas(int first, ...)
{
	uint32_t set = 0;
	va_list list;

	va_start(list, first);
	for (int area = first; area >= 0; area = va_arg(list, int))
		set |= 1U << area;
	va_end(list);
	return set;
}

/* What is neither said nor little enough to be denied, what the machine's own pressure contradicts, and what was not
 * watched, is not denied. */
static void what_it_is_not(void **state)
{
	static const struct {
		enum lt_state state;
		uint64_t ms;
		uint64_t cpu_pressure_ms;
		int off;
		uint32_t said;
	} tries[] = {
		{ LT_DISK, 9, 0, -1, 0 },
		{ LT_DISK, 10, 0, -1, 1U << VERDICT_DISK },
		{ LT_DISK, 100, 0, -1, 1U << VERDICT_DISK },
		{ LT_THROTTLED, 10, 0, -1, 1U << VERDICT_QUOTA },
		{ LT_DISK, 9, 10, -1, 1U << VERDICT_CPU },
		{ LT_DISK, 9, 9, -1, 0 },
		{ LT_SLEEP, 9, 0, SAMPLE_TURNS, 1U << VERDICT_NETWORK },
		{ LT_SLEEP, 9, 0, SAMPLE_SCHED,
		  1U << VERDICT_CPU | 1U << VERDICT_QUOTA | 1U << VERDICT_DISK | 1U << VERDICT_MEMORY },
	};

	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		struct sample *s = reading_next(1);

		api(s, tries[i].state, tries[i].ms);
		s->pressure[SAMPLE_CPU].some_ns = tries[i].cpu_pressure_ms * MS_NS;
		if (tries[i].off >= 0)
			s->probe[tries[i].off].on = 0;
		reading_update(s);
		judge();
		assert_int_equal(verdict.denied,
				 areas(VERDICT_CPU, VERDICT_QUOTA, VERDICT_DISK, VERDICT_MEMORY, VERDICT_NETWORK, -1) &
					 ~tries[i].said);
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

/* Programs are idle in these; a question without an answer for minutes is a subscription. */
static void idle_is_no_lag(void **state)
{
	struct sample *s = reading_next(1);
	struct sample_peer *p;

	(void)state;
	lost_in(s, CALL(read), LT_IO, 400);
	p = peer(s, NULL, 6379);
	p->open = s->processes[0].sockets.upstream = (struct sample_open){ 1, 61 * SECOND_NS };
	s->processes[0].sockets.first_peer = 0;
	s->processes[0].sockets.n_peers = 1;
	reading_process(s, PID + 1, 5, "fifo");
	reading_call(s, reading_busy(s, PID + 1, LT_IO, 0), CALL(openat), 1, MS_NS, 0, 0)->wait_ns = SECOND_NS;
	reading_process(s, PID + 2, 5, "pool");
	reading_call(s, reading_busy(s, PID + 2, LT_LOCK, 0), CALL(futex), 1, MS_NS, 0, 0)->wait_ns = SECOND_NS;
	reading_process(s, PID + 3, 5, "server");
	reading_call(s, reading_busy(s, PID + 3, LT_NET, 0), CALL(accept4), 1, MS_NS, 0, 0)->wait_ns = SECOND_NS;
	reading_call(s, reading_busy(s, PID + 4, LT_POLL, 0), CALL(epoll_wait), 900, MS_NS, EAGAIN, 900);
	reading_process(s, PID + 5, 5, "kworker/0:0")->flags = SAMPLE_PROCESS_KERNEL;
	reading_busy(s, PID + 5, LT_DISK, 0);
	reading_process(s, PID + 6, 5, "sender"); /* it asks, but does not wait */
	reading_busy(s, PID + 6, LT_SLEEP, 0);
	p = peer(s, NULL, 514);
	p->open = s->processes[s->n_processes - 1].sockets.upstream = (struct sample_open){ 1, SECOND_NS };
	s->processes[s->n_processes - 1].sockets.first_peer = s->n_peers - 1;
	s->processes[s->n_processes - 1].sockets.n_peers = 1;
	reading_update(s);
	judge();
	if (verdict.n)
		fail_msg("says %s", verdict.sentence[0].text);
}

/* How much of a wait was in a call is what cannot have been elsewhere: here the thread waited for the disk in two. */
static void no_call_is_guessed(void **state)
{
	struct sample *s = reading_next(1);
	struct sample_work *w = api(s, LT_DISK, 100);

	(void)state;
	reading_call(s, w, CALL(fsync), 10, MS_NS, 0, 0)->wait_ns = 60 * MS_NS;
	reading_call(s, w, CALL(pread64), 10, MS_NS, 0, 0)->wait_ns = 60 * MS_NS;
	w->time_ns[LT_WAKEQ] = 20 * MS_NS;
	w->time_ns[LT_SLEEP] -= 20 * MS_NS;
	reading_process(s, PID + 1, 5, "waiter");
	reading_call(s, reading_busy(s, PID + 1, LT_BLOCK, 950 * MS_NS), CALL(futex), 9, MS_NS, 0, 0)->wait_ns =
		SECOND_NS;
	reading_update(s);
	judge();
	assert_string_equal(verdict.sentence[1].text, "waiter (2212) was blocked in the kernel for 50.0ms.");
	assert_string_equal(verdict.sentence[0].text, "api (2211) waited 100ms for the disk.");
}

/* Beside others a thread waits for a CPU wherever it is: that does not hide in which call it waited for the disk. */
static void on_a_loaded_machine(void **state)
{
	struct sample *s = reading_next(1);
	struct sample_work *w = api(s, LT_DISK, 100);

	(void)state;
	w->time_ns[LT_PREEMPT] = w->time_ns[LT_SLEEP];
	w->time_ns[LT_SLEEP] = 0;
	reading_call(s, w, CALL(fdatasync), 10, MS_NS, 0, 0)->wait_ns = 150 * MS_NS;
	reading_call(s, w, CALL(pwrite64), 10, MS_NS, 0, 0)->wait_ns = 10 * MS_NS;
	w->page_fault_disk_ns = 5 * MS_NS;
	reading_update(s);
	judge();
	assert_string_equal(verdict.sentence[1].text,
			    "api (2211) waited 100ms for the disk, at least 85% of it in fdatasync.");
}

/* Two calls, of which neither has most of it, change the memory map. */
static void map_and_unmap(void **state)
{
	struct sample *s = reading_next(1);
	struct sample_work *w = api(s, LT_BLOCK, 400);

	(void)state;
	reading_call(s, w, CALL(mmap), 10, MS_NS, 0, 0)->wait_ns = 180 * MS_NS;
	reading_call(s, w, CALL(munmap), 10, MS_NS, 0, 0)->wait_ns = 200 * MS_NS;
	reading_update(s);
	judge();
	assert_string_equal(verdict.sentence[0].rule, "map_lock");
	assert_non_null(strstr(verdict.sentence[0].text, "at least 95% of it in mmap, munmap and the like"));
}

/* Out of focus it is unknown who was running: to say that nobody ran for long would be invented. */
static void out_of_focus(void **state)
{
	struct sample *s = reading_next(1);

	(void)state;
	api(s, LT_WAKEQ, 400);
	reading_update(s);
	judge();
	assert_string_equal(verdict.sentence[0].rule, "cpu_unknown");
	assert_string_equal(verdict.sentence[0].advice,
			    "To find out, put it in focus: move the cursor to it, or use --focus pid=2211.");
}

/* Several are put in focus by a name, unless a shell could take it for something else. */
static void several_in_focus(void **state)
{
	static const char *const advice[][2] = { { "nginx", "--focus comm=nginx." },
						 { "a;reboot", "--focus pid=PID." } };

	for (int try = 0; try < 2; try++) {
		struct sample *s = reading_next(1);

		for (uint32_t i = 0; i < 2; i++) {
			reading_process(s, PID + i, 5, advice[try][0]);
			reading_busy(s, PID + i, LT_WAKEQ, SECOND_NS / 2);
		}
		reading_update(s);
		judge();
		assert_non_null(strstr(verdict.sentence[0].advice, advice[try][1]));
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

/* With several processes of one name, no pid is named: it could be any of them. */
static void no_pid_of_several(void **state)
{
	struct sample *s = reading_next(1);

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		reading_process(s, PID + i, 5, "api");
		reading_busy(s, PID + i, LT_BLOCK, SECOND_NS / 2);
	}
	reading_update(s);
	judge();
	assert_non_null(strstr(verdict.sentence[0].advice, "/proc/PID/task/"));
	assert_int_equal(verdict.sentence[0].processes, 2);
}

static void ask(struct sample *s, uint32_t peer_at, uint64_t open_ns)
{
	s->peers[peer_at].open = s->processes[0].sockets.upstream = (struct sample_open){ 1, open_ns };
	s->processes[0].sockets.first_peer = peer_at;
	s->processes[0].sockets.n_peers = 1;
}

/* A server that has not answered for longer than a question usually takes may hang: it is not said, nor denied. */
static void a_subscription_is_doubtful(void **state)
{
	struct sample *s = reading_next(1);

	(void)state;
	api(s, LT_POLL, 450);
	peer(s, NULL, 6379);
	ask(s, 0, 61 * SECOND_NS);
	reading_update(s);
	judge();
	assert_int_equal(verdict.n, 0);
	assert_int_equal(verdict.denied, areas(VERDICT_CPU, VERDICT_QUOTA, VERDICT_DISK, VERDICT_MEMORY, -1));
}

/* What is still open is no part of the time that answers took. */
static void answers_are_those_that_came(void **state)
{
	char alone[VERDICT_TEXT] = "";

	for (uint64_t open_ms = 0; open_ms <= 300; open_ms += 150) {
		struct sample *s = reading_next(1);

		upstream(s, 200);
		if (open_ms)
			ask(s, 0, open_ms * MS_NS);
		reading_update(s);
		judge();
		assert_int_equal(verdict.n, 1);
		if (open_ms > 200)
			assert_string_equal(verdict.sentence[0].text,
					    "api (2211) waits for 10.0.0.5:5432: no answer for 300ms.");
		else if (open_ms)
			assert_string_equal(verdict.sentence[0].text, alone);
		else
			strcpy(alone, verdict.sentence[0].text);
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

/* A queue that dropped connections, but was not seen full, is not said to have been full; nor is one said twice. */
static void full_or_not(void **state)
{
	for (int seen = 0; seen < 2; seen++) {
		struct sample *s = reading_next(1);

		(seen ? full : dropping)(s, 20);
		reading_update(s);
		judge();
		assert_int_equal(verdict.n, 1);
		assert_string_equal(verdict.sentence[0].rule, seen ? "backlog" : "backlog_drops");
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

static struct sample_connection *connection_to(struct sample *s, uint8_t state, uint16_t local_port, uint8_t host)
{
	struct sample_connection *c = connection(s, state);

	c->local_port = local_port;
	c->remote[3] = host;
	return c;
}

/* Bytes on their way are nothing special: they do not tell where a call sends to. */
static void no_receiver_is_guessed(void **state)
{
	struct sample *s = reading_next(1);

	(void)state;
	lost_in(s, CALL(sendto), LT_NET, 100);
	connection(s, TCP_ESTABLISHED)->tx_queue_bytes = 4095;
	reading_update(s);
	judge();
	assert_string_equal(verdict.sentence[0].text,
			    "api (2211) waited 90.0ms in sendto because the other end does not receive fast enough.");
}

/* A connect is to where most connections are on their way in most readings, by whatever port; else to anywhere. */
static void where_it_connects_to(void **state)
{
	for (int spread = 0; spread < 2; spread++) {
		for (uint32_t reading = 1; reading <= 3; reading++) {
			struct sample *s = reading_next(reading);

			lost_in(s, CALL(connect), LT_NET, 100);
			connection_to(s, TCP_SYN_SENT, (uint16_t)(1000 + reading),
				      (uint8_t)(spread ? reading : reading / 3 + 5));
			reading_update(s);
			assert_int_equal(facts_add(&facts, reading_model), 0);
		}
		assert_int_equal(verdict_make(&verdict, &facts), 0);
		assert_string_equal(verdict.sentence[0].text,
				    spread ? "api (2211) waited 270ms in connect."
					   : "api (2211) waited 270ms in connect to 10.0.0.5:80.");
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

/* Three of many are not most of them. */
static void losses_everywhere(void **state)
{
	struct sample *s = reading_next(1);

	(void)state;
	api(s, LT_SLEEP, 0);
	s->processes[0].sockets.retransmits = 200;
	for (uint8_t i = 0; i < 100; i++)
		connection_to(s, TCP_ESTABLISHED, 1000 + i, i)->retransmits = i ? 1 + (i < 99) : 3;
	reading_update(s);
	judge();
	assert_string_equal(verdict.sentence[0].text, "api (2211) retransmitted 200 TCP segments.");
}

static const char *last_line(void)
{
	static char text[VERDICT_TEXT * 4];
	uint32_t line = 0;

	text[0] = '\0';
	verdict.denied = 0;
	while (verdict_line(&verdict, line, false, text, sizeof(text)))
		line++;
	assert_int_equal(line, 1);
	return text;
}

/* Those are said in a sentence of their own. */
static void file_locks_once(void **state)
{
	struct sample *s = reading_next(1);

	(void)state;
	in_flock(s, 100);
	s->works[0].contended_lock_ns = 90 * MS_NS;
	reading_update(s);
	judge();
	assert_int_equal(verdict.n, 1);
	assert_string_equal(verdict.sentence[0].rule, "file_lock");
}

/* "Nothing lags" is said only of what was watched. */
static void what_is_not_known(void **state)
{
	(void)state;
	memset(&verdict, 0, sizeof(verdict));
	assert_string_equal(last_line(), "No reading yet.");
	for (int on = 0; on < 2; on++) {
		struct sample *s = reading_next(1);

		api(s, LT_SLEEP, 0);
		s->probe[SAMPLE_SCHED].on = (uint8_t)on;
		reading_update(s);
		judge();
		assert_int_equal(verdict.waits_known, on);
		assert_string_equal(last_line(),
				    on ? "Nothing lags." : "Waits are not known: the sched family is off.");
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_rule, setup, teardown),
		cmocka_unit_test_setup_teardown(worst_of_each_rule_first, setup, teardown),
		cmocka_unit_test_setup_teardown(one_sentence_a_name, setup, teardown),
		cmocka_unit_test_setup_teardown(what_it_is_not, setup, teardown),
		cmocka_unit_test_setup_teardown(idle_is_no_lag, setup, teardown),
		cmocka_unit_test_setup_teardown(no_call_is_guessed, setup, teardown),
		cmocka_unit_test_setup_teardown(on_a_loaded_machine, setup, teardown),
		cmocka_unit_test_setup_teardown(map_and_unmap, setup, teardown),
		cmocka_unit_test_setup_teardown(out_of_focus, setup, teardown),
		cmocka_unit_test_setup_teardown(several_in_focus, setup, teardown),
		cmocka_unit_test_setup_teardown(no_pid_of_several, setup, teardown),
		cmocka_unit_test_setup_teardown(a_subscription_is_doubtful, setup, teardown),
		cmocka_unit_test_setup_teardown(answers_are_those_that_came, setup, teardown),
		cmocka_unit_test_setup_teardown(full_or_not, setup, teardown),
		cmocka_unit_test_setup_teardown(no_receiver_is_guessed, setup, teardown),
		cmocka_unit_test_setup_teardown(where_it_connects_to, setup, teardown),
		cmocka_unit_test_setup_teardown(losses_everywhere, setup, teardown),
		cmocka_unit_test_setup_teardown(file_locks_once, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_known, setup, teardown),
	};

	return cmocka_run_group_tests_name("unit_verdict", tests, NULL, NULL);
}
