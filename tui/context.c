/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In which circumstances a process waits: see context.h. */
#include "context.h"

#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "format.h"
#include "lookup.h"
#include "proc.h"

#define WAIT_NS 50000000ULL /* at most, per reading */
#define CGROUP_BYTES (64 << 10)
#define HELPERS_SHARE 50 /* of one CPU's time, helpers use one part in so many */

const char *context_policy(uint32_t policy)
{
	static const char *const names[] = { "other", "fifo", "rr", "batch", NULL, "idle", "deadline", "ext" };

	return policy < sizeof(names) / sizeof(names[0]) ? names[policy] : NULL;
}

/* ---- reading ---- */

/* How many CPUs a list like "0-3,8" has. */
static uint32_t count_cpus(const char *list)
{
	unsigned long n = 0, first, last;
	char *end;

	while (*list >= '0' && *list <= '9') {
		first = last = strtoul(list, &end, 10);
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		n += last >= first ? last - first + 1 : 0;
		list = end + (*end == ',');
	}
	return (uint32_t)n;
}

static void read_allowed(struct context *c, int dir)
{
	char status[8192], *list;
	size_t len;

	if (!proc_read(dir, "status", status, sizeof(status)) || !(list = strstr(status, "\nCpus_allowed_list:\t")))
		return;
	list = strchr(list, '\t') + 1;
	len = strcspn(list, "\n");
	list[len] = '\0';
	c->n_allowed = count_cpus(list);
	if (len >= sizeof(c->allowed)) {
		len = sizeof(c->allowed) - 1 - strlen("\u2026");
		strcpy(list + len, "\u2026");
	}
	snprintf(c->allowed, sizeof(c->allowed), "%s", list);
}

bool context_read(struct context *c, int dir, const struct cgroup_mounts *mounts)
{
	long nice, cpu, pages;
	unsigned int priority, policy;
	char stat[1024], *at, *groups;

	memset(c, 0, sizeof(*c));
	if (!proc_read(dir, "stat", stat, sizeof(stat)) || !(at = strrchr(stat, ')')))
		return false;
	if (sscanf(at + 1,
		   " %*c" /* 4 to 18 */ " %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d"
		   " %ld" /* 20 to 23 */ " %*d %*d %*u %*u"
		   " %ld" /* 25 to 38 */ " %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*d"
		   " %ld %u %u",
		   &nice, &pages, &cpu, &priority, &policy) != 5)
		return false;
	c->nice = (int32_t)nice;
	c->cpu = (int32_t)cpu;
	c->policy = policy;
	c->priority = priority;
	c->rss_bytes = pages > 0 ? (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
	read_allowed(c, dir);
	groups = malloc(CGROUP_BYTES);
	if (!groups || !proc_read(dir, "cgroup", groups, CGROUP_BYTES))
		cgroup_limits_read(&c->limits, mounts, "");
	else
		cgroup_limits_read(&c->limits, mounts, groups);
	free(groups);
	return true;
}

/* ---- in words ---- */

__attribute__((format(printf, 2, 3))) static void add(char buf[CONTEXT_TEXT], const char *format, ...)
{
	size_t len = strlen(buf);
	va_list ap;

	if (len)
		len += (size_t)snprintf(buf + len, CONTEXT_TEXT - len, "; ");
	if (len >= CONTEXT_TEXT)
		return;
	va_start(ap, format);
	vsnprintf(buf + len, CONTEXT_TEXT - len, format, ap);
	va_end(ap);
}

void context_text(const struct context *c, char buf[CONTEXT_TEXT])
{
	const struct cgroup_limits *l = &c->limits;
	uint32_t online = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
	char bytes[64];

	buf[0] = '\0';
	add(buf, "on CPU %d of %u%s", c->cpu, online, c->n_allowed == 1 ? ", pinned" : "");
	if (c->n_allowed > 1 && c->n_allowed < online)
		add(buf, "%u CPUs allowed", c->n_allowed);
	if (c->policy == SCHED_FIFO || c->policy == SCHED_RR)
		add(buf, "%s %u", context_policy(c->policy), c->priority);
	else if (c->policy != SCHED_OTHER && context_policy(c->policy))
		add(buf, "%s", context_policy(c->policy));
	if (c->nice)
		add(buf, "nice %d", c->nice);
	if (l->weight != UINT64_MAX)
		add(buf, "weight %llu in %s", (unsigned long long)l->weight, l->group);
	if (l->quota_percent > 0)
		add(buf, "quota %.3g %%", l->quota_percent);
	format_bytes(bytes, sizeof(bytes), (double)c->rss_bytes);
	add(buf, "RSS %s", bytes);
	if (l->memory_limit_bytes != UINT64_MAX && l->memory_bytes != UINT64_MAX)
		add(buf, "memory %.3g of %.3g MiB", (double)l->memory_bytes / (1 << 20),
		    (double)l->memory_limit_bytes / (1 << 20));
}

/* ---- asking ---- */

struct asked {
	struct asked_key {
		uint64_t tid, start_ns;
	} key;
	bool waits, known, wanted; /* for an answer; there was one; asked about since the last update */
	uint64_t reading;	   /* when it was asked about last */
	struct context context;
	UT_hash_handle hh;
};

static struct asked *all;
static struct lookup *lookup;
static uint64_t reading, deadline_ns; /* 0: nobody has waited in this reading yet */
static uint64_t asked_ns;	      /* when all were asked about anew */
static uint64_t spent_ns;	      /* by helpers since then */

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static struct cgroup_mounts mounts;

static void find_mounts(void)
{
	cgroup_mounts_read(&mounts, "");
}

/* In a helper thread: nothing here may stop the one that reads and draws. */
static void look(struct lookup_request *r)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	uint64_t before_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	int dir = proc_open(r->number, r->start_ns);
	struct context c;

	pthread_once(&once, find_mounts);
	if (dir >= 0 && context_read(&c, dir, &mounts))
		lookup_answer(r, (const char *)&c, sizeof(c));
	if (dir >= 0)
		close(dir);
	__atomic_add_fetch(&spent_ns, clock_ns(CLOCK_THREAD_CPUTIME_ID) - before_ns, __ATOMIC_RELAXED);
}

static struct asked *find(uint32_t tid, uint64_t start_ns)
{
	struct asked_key key = { tid, start_ns };
	struct asked *a;

	HASH_FIND(hh, all, &key, sizeof(key), a);
	return a;
}

static void ask(struct asked *a)
{
	const struct lookup_request r = { .number = (uint32_t)a->key.tid, .start_ns = a->key.start_ns };

	if (!lookup)
		lookup = lookup_new(look);
	a->waits = lookup && !lookup_ask(lookup, &r);
	a->reading = reading;
}

static void take(struct lookup_request *r)
{
	struct asked *a = find(r->number, r->start_ns);

	if (a) {
		a->waits = false;
		a->known = r->n == sizeof(a->context);
		if (a->known)
			memcpy(&a->context, r->text, sizeof(a->context));
	}
	lookup_done(r);
}

static struct asked *asked_new(uint32_t tid, uint64_t start_ns)
{
	struct asked *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->key = (struct asked_key){ tid, start_ns };
	HASH_ADD(hh, all, key, sizeof(a->key), a);
	if (!a->hh.tbl) {
		free(a);
		return NULL;
	}
	ask(a);
	return a;
}

const struct context *context_of(uint32_t tid, uint64_t start_ns)
{
	struct asked *a = find(tid, start_ns);
	struct lookup_request *r;

	if (!a)
		a = asked_new(tid, start_ns);
	if (!a)
		return NULL;
	a->wanted = true;
	if (a->waits && a->reading == reading && !deadline_ns)
		deadline_ns = clock_ns(CLOCK_MONOTONIC) + WAIT_NS;
	while (a->waits && (r = a->reading == reading ? lookup_wait(lookup, deadline_ns) : lookup_take(lookup)))
		take(r);
	return a->known ? &a->context : NULL;
}

void context_update(void)
{
	struct lookup_request *r;
	struct asked *a, *next;
	uint64_t now_ns, spent;

	reading++;
	deadline_ns = 0;
	if (!all || !lookup)
		return;
	while ((r = lookup_take(lookup)))
		take(r);
	now_ns = clock_ns(CLOCK_MONOTONIC);
	spent = __atomic_load_n(&spent_ns, __ATOMIC_RELAXED);
	if (now_ns < asked_ns + spent * HELPERS_SHARE)
		return;
	__atomic_sub_fetch(&spent_ns, spent, __ATOMIC_RELAXED);
	asked_ns = now_ns;
	HASH_ITER(hh, all, a, next)
	{
		if (a->wanted && !a->waits)
			ask(a);
		if (a->wanted || a->waits) {
			a->wanted = false;
			continue;
		}
		HASH_DELETE(hh, all, a);
		free(a);
	}
}
