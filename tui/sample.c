/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory of a sample: eight growing arrays, kept from reading to reading. */
#include "sample.h"

#include <stdlib.h>
#include <string.h>

const char *const sample_family_name[SAMPLE_FAMILIES] = { "sched", "syscall", "net" };

/* Makes room for `more` elements after n; returns the element at n, or NULL. */
static void *grow(void *arrayp, uint32_t n, uint32_t *cap, uint32_t more, size_t size)
{
	void *array;
	uint64_t want = *cap ? *cap : 64;

	memcpy(&array, arrayp, sizeof(array));
	while (want < (uint64_t)n + more)
		want *= 2;
	if (want > UINT32_MAX / 2)
		return NULL;
	if (want != *cap) {
		array = realloc(array, want * size);
		if (!array)
			return NULL;
		memcpy(arrayp, &array, sizeof(array));
		*cap = (uint32_t)want;
	}
	return (char *)array + (size_t)n * size;
}

#define SAMPLE_ADD(what, plural)                                                                                       \
	struct sample_##what *sample_add_##what(struct sample *s)                                                      \
	{                                                                                                              \
		struct sample_##what *e = grow(&s->plural, s->n_##plural, &s->cap_##plural, 1, sizeof(*e));            \
		if (e) {                                                                                               \
			memset(e, 0, sizeof(*e));                                                                      \
			s->n_##plural++;                                                                               \
		}                                                                                                      \
		return e;                                                                                              \
	}

SAMPLE_ADD(process, processes)
SAMPLE_ADD(thread, threads)
SAMPLE_ADD(work, works)
SAMPLE_ADD(call, calls)
SAMPLE_ADD(bucket, buckets)
SAMPLE_ADD(errno, errnos)
SAMPLE_ADD(connection, connections)

uint32_t sample_add_text(struct sample *s, const char *bytes, size_t len)
{
	char *to;
	uint32_t at;

	if (len == 0 || len > UINT32_MAX / 4)
		return 0;
	if (s->n_text == 0) {
		to = grow(&s->text, 0, &s->cap_text, 1, 1);
		if (!to)
			return 0;
		*to = '\0';
		s->n_text = 1;
	}
	to = grow(&s->text, s->n_text, &s->cap_text, (uint32_t)len + 1, 1);
	if (!to)
		return 0;
	memcpy(to, bytes, len);
	to[len] = '\0';
	at = s->n_text;
	s->n_text += (uint32_t)len + 1;
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
		.text = s->text,
		.cap_processes = s->cap_processes,
		.cap_threads = s->cap_threads,
		.cap_works = s->cap_works,
		.cap_calls = s->cap_calls,
		.cap_buckets = s->cap_buckets,
		.cap_errnos = s->cap_errnos,
		.cap_connections = s->cap_connections,
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
	free(s->text);
	memset(s, 0, sizeof(*s));
}
