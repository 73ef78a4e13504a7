/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Helper threads for lookups that may block: see lookup.h. One of them works, one stands by: when the working one has
 * spent LATE_NS on a request, the other takes over and a new one stands by. A late helper ends when its request
 * returns. No thread waits for a helper: shared data is freed by its last user.
 */
#include "lookup.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define LATE_NS 50000000ULL
#define HELPERS 8	  /* at most, including blocked ones */
#define QUEUE (1 << 16)	  /* waiting requests and answers not yet collected */
#define STACK (512 << 10) /* bytes: name services need much */
#define UNTAKEN (4 << 20) /* bytes of answers not yet collected, at most */

struct lookup {
	void (*work)(struct lookup_request *);
	pthread_mutex_t lock;
	pthread_cond_t changed;		      /* for helpers */
	pthread_cond_t answered;	      /* for the owner */
	struct lookup_request *first, **last; /* waiting */
	struct lookup_request *done, **done_last;
	uint32_t n;	   /* requests queued and not yet collected */
	uint32_t n_free;   /* helpers that are not late */
	uint32_t n_alive;  /* all */
	size_t untaken;	   /* bytes of answers that wait */
	uint64_t turn;	   /* counts the working helper's requests and the take-overs */
	uint64_t since_ns; /* the working helper began; 0: none works */
	bool closed;
};

static uint32_t busy;

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

static void wait_until(struct lookup *l, pthread_cond_t *event, uint64_t ns)
{
	struct timespec t = { .tv_sec = (time_t)(ns / 1000000000ULL), .tv_nsec = (long)(ns % 1000000000ULL) };

	pthread_cond_timedwait(event, &l->lock, &t);
}

static void requests_free(struct lookup_request *r)
{
	for (struct lookup_request *next; r; r = next) {
		next = r->next;
		lookup_done(r);
	}
}

/* Called by the last user, a helper or the owner. The lock is held. */
static void leave(struct lookup *l)
{
	bool last = l->closed && !l->n_alive;

	pthread_mutex_unlock(&l->lock);
	if (!last)
		return;
	requests_free(l->first);
	requests_free(l->done);
	pthread_cond_destroy(&l->changed);
	pthread_cond_destroy(&l->answered);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static void *helper(void *arg);

/* Helpers block all signals. The lock is held. */
static int helper_start(struct lookup *l)
{
	pthread_attr_t attr;
	sigset_t all, old;
	pthread_t thread;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK);
	err = -pthread_create(&thread, &attr, helper, l);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!err) {
		l->n_alive++;
		l->n_free++;
	}
	return err;
}

static bool has_work(const struct lookup *l)
{
	return l->first && l->untaken < UNTAKEN;
}

/* Works on requests until there are none or another helper has taken over. True: it has. The lock is held. */
static bool serve(struct lookup *l)
{
	bool late = false;

	while (!late && has_work(l) && !l->closed) {
		struct lookup_request *r = l->first;
		uint64_t turn = ++l->turn;

		l->first = r->next;
		if (!l->first)
			l->last = &l->first;
		r->next = NULL;
		l->since_ns = now_ns();
		__atomic_add_fetch(&busy, 1, __ATOMIC_RELAXED);
		pthread_mutex_unlock(&l->lock);
		l->work(r);
		pthread_mutex_lock(&l->lock);
		__atomic_sub_fetch(&busy, 1, __ATOMIC_RELAXED);
		*l->done_last = r;
		l->done_last = &r->next;
		l->untaken += r->n;
		pthread_cond_signal(&l->answered);
		late = l->turn != turn;
	}
	if (!late)
		l->since_ns = 0;
	return late;
}

/* A late helper goes on only if there is no other. */
static void *helper(void *arg)
{
	struct lookup *l = arg;
	bool spare = false;

	/* Not the nice value of the drain thread, which may have started it. */
	setpriority(PRIO_PROCESS, (id_t)gettid(), getpriority(PRIO_PROCESS, (id_t)getpid()));
	pthread_mutex_lock(&l->lock);
	while (!l->closed && !spare) {
		if (!has_work(l)) {
			pthread_cond_wait(&l->changed, &l->lock);
		} else if (l->since_ns && now_ns() < l->since_ns + LATE_NS) {
			wait_until(l, &l->changed, l->since_ns + LATE_NS);
		} else {
			l->n_free -= l->since_ns != 0;
			if (l->n_free < 2 && l->n_alive < HELPERS)
				helper_start(l);
			if (serve(l)) {
				l->n_free++;
				spare = l->n_free > 2;
			}
			pthread_cond_signal(&l->changed);
		}
	}
	l->n_free--;
	l->n_alive--;
	leave(l);
	return NULL;
}

struct lookup *lookup_new(void (*work)(struct lookup_request *))
{
	struct lookup *l = calloc(1, sizeof(*l));
	pthread_condattr_t attr;

	if (!l)
		return NULL;
	l->work = work;
	l->last = &l->first;
	l->done_last = &l->done;
	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->changed, &attr);
	pthread_cond_init(&l->answered, &attr);
	pthread_condattr_destroy(&attr);
	return l;
}

void lookup_close(struct lookup *l)
{
	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	l->closed = true;
	pthread_cond_broadcast(&l->changed);
	leave(l);
}

int lookup_ask(struct lookup *l, const struct lookup_request *ask)
{
	struct lookup_request *r;
	int err = 0;

	pthread_mutex_lock(&l->lock);
	if (l->n >= QUEUE)
		err = -EAGAIN;
	else if (!l->n_alive)
		err = helper_start(l);
	r = err ? NULL : calloc(1, sizeof(*r));
	if (r) {
		*r = (struct lookup_request){
			.kind = ask->kind, .number = ask->number, .start_ns = ask->start_ns, .tag = ask->tag, .of = l
		};
		*l->last = r;
		l->last = &r->next;
		l->n++;
		pthread_cond_signal(&l->changed);
	} else if (!err) {
		err = -ENOMEM;
	}
	pthread_mutex_unlock(&l->lock);
	return err;
}

struct lookup_request *lookup_wait(struct lookup *l, uint64_t deadline_ns)
{
	struct lookup_request *r;

	pthread_mutex_lock(&l->lock);
	while (!(r = l->done) && now_ns() < deadline_ns)
		wait_until(l, &l->answered, deadline_ns);
	if (r) {
		l->done = r->next;
		if (!l->done)
			l->done_last = &l->done;
		r->next = NULL;
		l->n--;
		l->untaken -= r->n;
		pthread_cond_signal(&l->changed);
	}
	pthread_mutex_unlock(&l->lock);
	return r;
}

struct lookup_request *lookup_take(struct lookup *l)
{
	return lookup_wait(l, 0);
}

void lookup_done(struct lookup_request *r)
{
	if (r)
		free(r->text);
	free(r);
}

void lookup_answer(struct lookup_request *r, const char *text, size_t n)
{
	free(r->text);
	r->text = malloc(n + 1);
	r->n = r->text ? n : 0;
	if (!r->text) {
		r->err = -ENOMEM;
		return;
	}
	memcpy(r->text, text, n);
	r->text[n] = '\0';
}

bool lookup_late(struct lookup_request *r)
{
	struct lookup *l = r->of;
	bool late;

	pthread_mutex_lock(&l->lock);
	late = l->n_free < l->n_alive;
	pthread_mutex_unlock(&l->lock);
	return late;
}

bool lookup_busy(void)
{
	return __atomic_load_n(&busy, __ATOMIC_RELAXED) != 0;
}
