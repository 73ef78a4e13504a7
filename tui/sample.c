/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory of a sample: growing arrays, kept from reading to reading. */
#include "sample.h"

#include <stdlib.h>
#include <string.h>

#include "grow.h"

const char *const sample_family_name[SAMPLE_FAMILIES] = { "sched", "syscall", "net", "turns", "disk" };
const char *const sample_level_name[LT_LEVELS] = { "exact", "1:16", "exits", "off" };
_Static_assert(LT_SAMPLED == 16, "the name says so");
const char *const sample_resource_name[SAMPLE_RESOURCES] = { "cpu", "memory", "io" };

const char *const sample_blame_name[SAMPLE_BLAMES] = { "cpu",  "irq",	"steal", "asleep", "quota", "others", "lock",
						       "lock", "waker", "waker", "waker",  "waker", "waker" };
const char *const sample_blame_by[SAMPLE_BLAMES] = {
	[SAMPLE_BLAME_HOLDER] = "holder",   [SAMPLE_BLAME_WAKER] = "process",	    [SAMPLE_BLAME_TIMER] = "timer",
	[SAMPLE_BLAME_NETWORK] = "network", [SAMPLE_BLAME_INTERRUPT] = "interrupt",
};
const char *const sample_mark_name[SAMPLE_MARKS] = { "hand", "when" };

#define SAMPLE_ADD(what, plural)                                                                                       \
	struct sample_##what *sample_add_##what(struct sample *s)                                                      \
	{                                                                                                              \
		if (!GROW(s->plural, s->cap_##plural, s->n_##plural + (size_t)1))                                      \
			return NULL;                                                                                   \
		memset(&s->plural[s->n_##plural], 0, sizeof(*s->plural));                                              \
		return &s->plural[s->n_##plural++];                                                                    \
	}

SAMPLE_ADD(process, processes)
SAMPLE_ADD(thread, threads)
SAMPLE_ADD(work, works)
SAMPLE_ADD(call, calls)
SAMPLE_ADD(bucket, buckets)
SAMPLE_ADD(errno, errnos)
SAMPLE_ADD(connection, connections)
SAMPLE_ADD(peer, peers)
SAMPLE_ADD(because, because)
SAMPLE_ADD(cpu, cpus)
SAMPLE_ADD(disk, disks)
SAMPLE_ADD(disk_group, disk_groups)
SAMPLE_ADD(mark, marks)

uint32_t sample_add_text(struct sample *s, const char *bytes, size_t len)
{
	uint32_t at = s->n_text ? s->n_text : 1; /* 0 is no text */

	if (len == 0 || len > UINT32_MAX / 4 || !GROW(s->text, s->cap_text, at + len + 1))
		return 0;
	s->text[0] = '\0';
	memcpy(s->text + at, bytes, len);
	s->text[at + len] = '\0';
	s->n_text = at + (uint32_t)len + 1;
	return at;
}

void sample_clear(struct sample *s)
{
	struct sample keep = {
		.processes = s->processes,
		.threads = s->threads,
		.works = s->works,
		.calls = s->calls,
		.buckets = s->buckets,
		.errnos = s->errnos,
		.connections = s->connections,
		.peers = s->peers,
		.because = s->because,
		.cpus = s->cpus,
		.disks = s->disks,
		.disk_groups = s->disk_groups,
		.marks = s->marks,
		.text = s->text,
		.cap_processes = s->cap_processes,
		.cap_threads = s->cap_threads,
		.cap_works = s->cap_works,
		.cap_calls = s->cap_calls,
		.cap_buckets = s->cap_buckets,
		.cap_errnos = s->cap_errnos,
		.cap_connections = s->cap_connections,
		.cap_peers = s->cap_peers,
		.cap_because = s->cap_because,
		.cap_cpus = s->cap_cpus,
		.cap_disks = s->cap_disks,
		.cap_disk_groups = s->cap_disk_groups,
		.cap_marks = s->cap_marks,
		.cap_text = s->cap_text,
	};

	*s = keep;
}

void sample_free(struct sample *s)
{
	free(s->processes);
	free(s->threads);
	free(s->works);
	free(s->calls);
	free(s->buckets);
	free(s->errnos);
	free(s->connections);
	free(s->peers);
	free(s->because);
	free(s->cpus);
	free(s->disks);
	free(s->disk_groups);
	free(s->marks);
	free(s->text);
	memset(s, 0, sizeof(*s));
}
