/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In which circumstances a process waits for a CPU: see context.h. */
#include "context.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "format.h"
#include "lookup.h"
#include "proc.h"

#define GROUPS "/sys/fs/cgroup"
#define WAIT_NS 20000000ULL
#define PATH_BYTES 4352

struct context {
	struct lookup *lookup;
	uint32_t pid;
	uint64_t start_ns;
	bool asked; /* no answer yet */
	char text[CONTEXT_TEXT];
};

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

/* How many CPUs a list like "0-3,8" has. */
static unsigned long count_cpus(const char *list)
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
	return n;
}

/* The CPU and those it may use, nice value, policy. */
static void add_scheduling(int dir, char buf[CONTEXT_TEXT])
{
	static const char *const policies[] = { "", "fifo", "rr", "batch", "", "idle", "deadline", "ext" };
	long nice = 0, cpu = -1, priority = 0, policy = 0, online = sysconf(_SC_NPROCESSORS_ONLN);
	char stat[1024], status[8192], *at;
	unsigned long allowed = 0;

	if (!proc_read(dir, "stat", stat, sizeof(stat)) || !(at = strrchr(stat, ')')))
		return;
	if (sscanf(at + 1,
		   " %*c" /* 4 to 18 */ " %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d"
		   " %ld" /* 20 to 38 */ " %*d %*d %*u %*u %*d %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u "
		   "%*u %*d %ld %ld %ld",
		   &nice, &cpu, &priority, &policy) != 4)
		return;
	at = proc_read(dir, "status", status, sizeof(status)) ? strstr(status, "\nCpus_allowed_list:") : NULL;
	if (at)
		allowed = count_cpus(at + strcspn(at, "\t") + 1);
	add(buf, "on CPU %ld of %ld%s", cpu, online, allowed == 1 ? ", pinned" : "");
	if (allowed > 1 && allowed < (unsigned long)online)
		add(buf, "%lu CPUs allowed", allowed);
	if (policy == SCHED_FIFO || policy == SCHED_RR)
		add(buf, "%s %ld", policies[policy], priority);
	else if (policy > 0 && policy < (long)(sizeof(policies) / sizeof(policies[0])) && *policies[policy])
		add(buf, "%s", policies[policy]);
	if (nice)
		add(buf, "nice %ld", nice);
}

/* A file of the group, or of the nearest group above it that has it, which `path` is cut off to. */
static bool read_group(const char *groups, char *path, const char *name, char *text, size_t size)
{
	char file[PATH_BYTES + 64];

	for (;;) {
		char *last = strrchr(path, '/');

		snprintf(file, sizeof(file), "%s%s/%s", groups, path, name);
		if (proc_read(-1, file, text, size))
			return true;
		if (!last)
			return false;
		*last = '\0';
	}
}

static void add_weight(const char *groups, const char *group, char buf[CONTEXT_TEXT])
{
	char path[PATH_BYTES], text[64];

	snprintf(path, sizeof(path), "%s", group);
	if (read_group(groups, path, "cpu.weight", text, sizeof(text)) && *path)
		add(buf, "weight %ld in %s", atol(text), strrchr(path, '/') + 1);
}

/* The tightest of the group's and those above it. */
static void add_quota(const char *groups, const char *group, char buf[CONTEXT_TEXT])
{
	double quota, period, tightest = 0;
	char path[PATH_BYTES], text[64], *last;

	snprintf(path, sizeof(path), "%s", group);
	while (read_group(groups, path, "cpu.max", text, sizeof(text))) {
		if (sscanf(text, "%lf %lf", &quota, &period) == 2 && period > 0 &&
		    (tightest <= 0 || quota / period < tightest))
			tightest = quota / period;
		last = strrchr(path, '/');
		if (!last)
			break;
		*last = '\0';
	}
	if (tightest > 0)
		add(buf, "quota %.3g %%", tightest * 100);
}

/* Its own memory; what its group uses of the tightest limit. */
static void add_memory(int dir, const char *groups, const char *group, char buf[CONTEXT_TEXT])
{
	double limit = 0, tightest = 0, used = 0;
	char path[PATH_BYTES], text[64], of[64], *last;
	unsigned long resident;

	if (proc_read(dir, "statm", text, sizeof(text)) && sscanf(text, "%*u %lu", &resident) == 1) {
		format_bytes(of, sizeof(of), (double)resident * (double)sysconf(_SC_PAGESIZE));
		add(buf, "RSS %s", of);
	}
	snprintf(path, sizeof(path), "%s", group);
	while (read_group(groups, path, "memory.max", text, sizeof(text))) {
		if (sscanf(text, "%lf", &limit) == 1 && (tightest <= 0 || limit < tightest)) {
			char copy[PATH_BYTES];

			snprintf(copy, sizeof(copy), "%s", path);
			tightest = limit;
			used = read_group(groups, copy, "memory.current", text, sizeof(text)) ? atof(text) : 0;
		}
		last = strrchr(path, '/');
		if (!last)
			break;
		*last = '\0';
	}
	if (tightest > 0)
		add(buf, "memory %.3g of %.3g MiB", used / (1 << 20), tightest / (1 << 20));
}

void context_text(int dir, const char *groups, char buf[CONTEXT_TEXT])
{
	char *group;

	buf[0] = '\0';
	add_scheduling(dir, buf);
	if (proc_cgroup(dir, &group) && strlen(group) < PATH_BYTES && !strstr(group, "/..")) {
		add_weight(groups, group, buf);
		add_quota(groups, group, buf);
		add_memory(dir, groups, group, buf);
	}
	free(group);
}

/* In a helper thread: nothing here may stop the one that reads and draws. */
static void look(struct lookup_request *r)
{
	int dir = proc_open(r->number, r->start_ns);
	char text[CONTEXT_TEXT] = "";

	if (dir >= 0) {
		context_text(dir, access(GROUPS "/cgroup.controllers", F_OK) ? GROUPS "/unified" : GROUPS, text);
		close(dir);
	}
	lookup_answer(r, text, strlen(text));
}

struct context *context_new(void)
{
	struct context *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->lookup = lookup_new(look);
	if (!c->lookup) {
		free(c);
		return NULL;
	}
	return c;
}

void context_free(struct context *c)
{
	if (!c)
		return;
	lookup_close(c->lookup);
	free(c);
}

static void take(struct context *c, struct lookup_request *r)
{
	if (r->number == c->pid && r->start_ns == c->start_ns) {
		snprintf(c->text, sizeof(c->text), "%s", r->text ? r->text : "");
		c->asked = false;
	}
	lookup_done(r);
}

const char *context_look(struct context *c, uint32_t pid, uint64_t start_ns)
{
	bool fresh = pid != c->pid || start_ns != c->start_ns;
	struct lookup_request ask = { .number = pid, .start_ns = start_ns }, *r;
	struct timespec t;

	while ((r = lookup_take(c->lookup)))
		take(c, r);
	if (fresh) {
		c->pid = pid;
		c->start_ns = start_ns;
		c->text[0] = '\0';
		c->asked = false;
	}
	if (!c->asked)
		c->asked = !lookup_ask(c->lookup, &ask);
	clock_gettime(CLOCK_MONOTONIC, &t);
	while (fresh && c->asked &&
	       (r = lookup_wait(c->lookup, (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec + WAIT_NS)))
		take(c, r);
	return c->text;
}
