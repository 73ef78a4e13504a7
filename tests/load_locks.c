/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waits for locks of known holders: in each round each of the holders takes the lock, and gives it back once the waiter
 * has been asleep for some ms. Also sleeps on futexes that nobody holds: there a holder is whoever ends them.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

#define HOLDERS 3

/* Words around a futex that look like a mutex of a process that is not ours. */
struct words {
	uint32_t before[2], word, count, owner, users, kind, after[3];
};

static union {
	pthread_mutex_t mutex;
	pthread_rwlock_t rwlock;
	sem_t semaphore;
	struct words words __attribute__((aligned(16)));
} lock;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t of_condition = PTHREAD_MUTEX_INITIALIZER;
static int signalled;
static char file_name[] = "/tmp/lagtop_load_locks_XXXXXX";

struct locking {
	const char *name;
	void (*init)(void);
	void (*hold)(void);
	void (*wait)(long i);
	void (*release)(void);
};
static const struct locking *how;

struct worker {
	int asks[2], answers[2]; /* pipes: a byte each */
	_Atomic int tid;
	atomic_int going; /* the waiter is about to wait */
	int64_t waited_ns;
};
static struct worker holders[HOLDERS], waiter;

static void check(int err)
{
	if (err && err != EOWNERDEAD) {
		errno = err;
		load_die("lock");
	}
}

static void mutex_of(int type, int protocol, int robust, int shared)
{
	pthread_mutexattr_t a;

	check(pthread_mutexattr_init(&a));
	check(pthread_mutexattr_settype(&a, type));
	check(pthread_mutexattr_setprotocol(&a, protocol));
	check(pthread_mutexattr_setrobust(&a, robust));
	check(pthread_mutexattr_setpshared(&a, shared));
	check(pthread_mutex_init(&lock.mutex, &a));
}

static void init_normal(void)
{
	mutex_of(PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_PRIVATE);
}

static void init_recursive(void)
{
	mutex_of(PTHREAD_MUTEX_RECURSIVE, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_PRIVATE);
}

static void init_shared(void)
{
	mutex_of(PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_SHARED);
}

static void init_pi(void)
{
	mutex_of(PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_PRIVATE);
}

static void init_robust(void)
{
	mutex_of(PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST, PTHREAD_PROCESS_PRIVATE);
}

static void init_rwlock(void)
{
	check(pthread_rwlock_init(&lock.rwlock, NULL));
}

static void init_none(void)
{
}

static void hold_mutex(void)
{
	check(pthread_mutex_lock(&lock.mutex));
}

static void release_mutex(void)
{
	check(pthread_mutex_unlock(&lock.mutex));
}

static void wait_mutex(long i)
{
	(void)i;
	hold_mutex();
	release_mutex();
}

static void hold_rwlock(void)
{
	check(pthread_rwlock_wrlock(&lock.rwlock));
}

static void release_rwlock(void)
{
	check(pthread_rwlock_unlock(&lock.rwlock));
}

static void wait_rwlock(long i)
{
	check(i & 1 ? pthread_rwlock_rdlock(&lock.rwlock) : pthread_rwlock_wrlock(&lock.rwlock));
	release_rwlock();
}

static void wait_condition(long i)
{
	(void)i;
	check(pthread_mutex_lock(&of_condition));
	while (!signalled)
		check(pthread_cond_wait(&condition, &of_condition));
	signalled = 0;
	check(pthread_mutex_unlock(&of_condition));
}

static void signal_condition(void)
{
	check(pthread_mutex_lock(&of_condition));
	signalled = 1;
	check(pthread_mutex_unlock(&of_condition));
	check(pthread_cond_signal(&condition));
}

static void init_semaphore(void)
{
	if (sem_init(&lock.semaphore, 0, 0))
		load_die("sem_init");
}

static void wait_semaphore(long i)
{
	(void)i;
	while (sem_wait(&lock.semaphore))
		if (errno != EINTR)
			load_die("sem_wait");
}

static void post_semaphore(void)
{
	if (sem_post(&lock.semaphore))
		load_die("sem_post");
}

/* A mutex by its looks, but its owner is the first process: Go's and others' locks have any words behind theirs. */
static void init_words(void)
{
	lock.words = (struct words){ .word = 2, .count = 0, .owner = 1, .users = 1, .kind = 0 };
}

static void hold_words(void)
{
	__atomic_store_n(&lock.words.word, 2, __ATOMIC_SEQ_CST);
}

static void wait_words(long i)
{
	(void)i;
	while (__atomic_load_n(&lock.words.word, __ATOMIC_SEQ_CST) == 2)
		syscall(SYS_futex, &lock.words.word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 2, NULL, NULL, 0);
}

static void wake_words(void)
{
	__atomic_store_n(&lock.words.word, 0, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &lock.words.word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
}

/* Go's note: 0 until it is woken. */
static void hold_note(void)
{
	__atomic_store_n(&lock.words.word, 0, __ATOMIC_SEQ_CST);
}

static void wait_note(long i)
{
	(void)i;
	while (!__atomic_load_n(&lock.words.word, __ATOMIC_SEQ_CST))
		syscall(SYS_futex, &lock.words.word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0);
}

static void wake_note(void)
{
	__atomic_store_n(&lock.words.word, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &lock.words.word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
}

/* flock belongs to an open file: each thread has its own. */
static __thread int own_file = -1;

static void init_file(void)
{
	int fd = mkstemp(file_name);

	if (fd < 0 || close(fd))
		load_die(file_name);
}

static void hold_file(void)
{
	if (own_file < 0)
		own_file = open(file_name, O_RDWR | O_CLOEXEC);
	if (own_file < 0 || flock(own_file, LOCK_EX))
		load_die("flock");
}

static void release_file(void)
{
	if (flock(own_file, LOCK_UN))
		load_die("flock");
}

static void wait_file(long i)
{
	(void)i;
	hold_file();
	release_file();
}

static const struct locking lockings[] = {
	{ "normal", init_normal, hold_mutex, wait_mutex, release_mutex },
	{ "recursive", init_recursive, hold_mutex, wait_mutex, release_mutex },
	{ "shared", init_shared, hold_mutex, wait_mutex, release_mutex },
	{ "pi", init_pi, hold_mutex, wait_mutex, release_mutex },
	{ "robust", init_robust, hold_mutex, wait_mutex, release_mutex },
	{ "rwlock", init_rwlock, hold_rwlock, wait_rwlock, release_rwlock },
	{ "flock", init_file, hold_file, wait_file, release_file },
	{ "words", init_words, hold_words, wait_words, wake_words },
	{ "condition", init_none, init_none, wait_condition, signal_condition },
	{ "semaphore", init_semaphore, init_none, wait_semaphore, post_semaphore },
	{ "note", init_none, hold_note, wait_note, wake_note },
};

static void put(int fd)
{
	if (write(fd, "x", 1) != 1)
		load_die("write");
}

static bool get(int fd)
{
	char byte;

	return read(fd, &byte, 1) == 1;
}

static void *run_holder(void *arg)
{
	struct worker *w = arg;
	char name[16];

	snprintf(name, sizeof(name), "holder-%d", (int)(w - holders));
	prctl(PR_SET_NAME, name);
	w->tid = gettid();
	put(w->answers[1]);
	while (get(w->asks[0])) {
		how->hold();
		put(w->answers[1]);
		if (!get(w->asks[0]))
			break;
		how->release();
		put(w->answers[1]);
	}
	return NULL;
}

static void *run_waiter(void *arg)
{
	struct worker *w = arg;

	prctl(PR_SET_NAME, "waiter");
	w->tid = gettid();
	put(w->answers[1]);
	for (long i = 0; get(w->asks[0]); i++) {
		int64_t since_ns = load_now_ns();

		w->going = 1;
		how->wait(i);
		w->waited_ns += load_now_ns() - since_ns;
		put(w->answers[1]);
	}
	return NULL;
}

static bool asleep(int tid)
{
	char path[64], line[256], *end;
	FILE *f;
	bool is;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	f = fopen(path, "re");
	if (!f)
		load_die(path);
	end = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
	is = end && end[1] && end[2] == 'S';
	fclose(f);
	return is;
}

static void begin(struct worker *w, void *(*run)(void *))
{
	if (pipe2(w->asks, O_CLOEXEC) || pipe2(w->answers, O_CLOEXEC))
		load_die("pipe");
	load_thread(run, w);
	get(w->answers[0]);
}

static void one_wait(struct worker *holder, long ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	put(holder->asks[1]);
	get(holder->answers[0]);
	waiter.going = 0;
	put(waiter.asks[1]);
	while (!waiter.going || !asleep(waiter.tid))
		sched_yield();
	while (nanosleep(&t, &t) && errno == EINTR)
		;
	put(holder->asks[1]);
	get(holder->answers[0]);
	get(waiter.answers[0]);
}

static void run_locks(char **arg)
{
	long rounds = load_number(arg[1]), ms = load_number(arg[2]);

	for (size_t i = 0; i < sizeof(lockings) / sizeof(*lockings); i++)
		if (!strcmp(lockings[i].name, arg[0]))
			how = &lockings[i];
	if (!how)
		load_die(arg[0]);
	how->init();
	for (int i = 0; i < HOLDERS; i++)
		begin(&holders[i], run_holder);
	begin(&waiter, run_waiter);
	load_ready("waiter=%d holders=%d,%d,%d", waiter.tid, holders[0].tid, holders[1].tid, holders[2].tid);
	while (load_go()) {
		waiter.waited_ns = 0;
		for (long i = 0; i < rounds; i++)
			for (int h = 0; h < HOLDERS; h++)
				one_wait(&holders[h], ms * (h + 1));
		load_done(rounds * HOLDERS, "waited_ns=%lld", (long long)waiter.waited_ns);
	}
	unlink(file_name);
}

/* One link: passes each byte on; the last one only after so many ms. */
static void pass(int from, int to, long ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (get(from)) {
		if (ms)
			nanosleep(&t, NULL);
		put(to);
	}
	_exit(0);
}

static void run_chain(char **arg)
{
	long rounds = load_number(arg[0]), ms = load_number(arg[1]);
	int first[2], second[2], last[2];
	pid_t pid[2];

	if (pipe2(first, O_CLOEXEC) || pipe2(second, O_CLOEXEC) || pipe2(last, O_CLOEXEC))
		load_die("pipe");
	pid[0] = load_fork();
	if (!pid[0]) {
		close(first[1]);
		pass(first[0], second[1], 0);
	}
	pid[1] = load_fork();
	if (!pid[1]) {
		close(first[1]);
		close(second[1]);
		pass(second[0], last[1], ms);
	}
	load_ready("pids=%d,%d,%d", getpid(), pid[0], pid[1]);
	while (load_go()) {
		struct timespec t = { .tv_nsec = ms * 1000000 };

		for (long i = 0; i < rounds; i++) {
			nanosleep(&t, NULL);
			put(first[1]);
			get(last[0]);
		}
		load_done(rounds, "ms=%ld", ms);
	}
}

const struct workload load_locks[] = {
	{ "chain", "N MS", run_chain, "a byte goes N times around three processes, two of which sleep for so many ms" },
	{ "locks", "normal|recursive|shared|pi|robust|rwlock|flock|words|condition|semaphore|note ROUNDS MS", run_locks,
	  "in each round, a thread waits for a lock that three others hold in turn, for so many ms, twice and three "
	  "times "
	  "as many" },
	{ 0 },
};
