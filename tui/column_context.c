/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Raw values of the columns about a process's or thread's circumstances (context.h): known here and now, not of the
 * past, nor of those that have exited. */
#include <stddef.h>

#include "column_raw.h"
#include "context.h"

static const struct value unknown = { .type = VALUE_NONE };

static const struct context *context_of_row(const struct row *r)
{
	uint32_t tid = r->kind == MODEL_THREAD ? r->tid : r->pid;

	return r->live && tid ? context_of(tid, r->start_ns) : NULL;
}

static struct value text(const char *raw)
{
	return raw && *raw ? (struct value){ .type = VALUE_TEXT, .text = raw } : unknown;
}

#define CONTEXT(name, known, n)                                                                                        \
	struct value name(const struct row *r)                                                                         \
	{                                                                                                              \
		const struct context *c = context_of_row(r);                                                           \
                                                                                                                       \
		return c && (known) ? (struct value){ .type = VALUE_INT, .i = (int64_t)(n) } : unknown;                \
	}
CONTEXT(raw_last_cpu, true, c->cpu)
CONTEXT(raw_nice, true, c->nice)
CONTEXT(raw_priority, c->priority, c->priority)
CONTEXT(raw_rss, true, c->rss_bytes)
CONTEXT(raw_weight, c->limits.weight != UINT64_MAX, c->limits.weight)
CONTEXT(raw_memory_limit, c->limits.memory_limit_bytes != UINT64_MAX, c->limits.memory_limit_bytes)
CONTEXT(raw_memory_use, c->limits.memory_bytes != UINT64_MAX, c->limits.memory_bytes)

struct value raw_allowed(const struct row *r)
{
	const struct context *c = context_of_row(r);

	return text(c ? c->allowed : NULL);
}

struct value raw_policy(const struct row *r)
{
	const struct context *c = context_of_row(r);

	return text(c ? context_policy(c->policy) : NULL);
}

struct value raw_quota(const struct row *r)
{
	const struct context *c = context_of_row(r);

	if (!c || c->limits.quota_percent <= 0)
		return unknown;
	return (struct value){ .type = VALUE_REAL, .real = c->limits.quota_percent };
}
