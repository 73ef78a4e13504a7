/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where readings come from: this machine's kernel (probe.c) or a recorded file (record.c). */
#ifndef SOURCE_H
#define SOURCE_H

#include "sample.h"

/* What a live source reports about sockets. Iterating over them costs, reporting them costs more. */
enum source_connections {
	SOURCE_NO_CONNECTIONS,
	SOURCE_ACTIVE_CONNECTIONS, /* those that moved bytes or changed their state */
	SOURCE_ALL_CONNECTIONS,
};

struct source_process {
	uint32_t pid;
	uint64_t start_ns;
};

struct source {
	/* 1: *s is the next reading. 0: no more (end of the file); -EAGAIN: none yet, the file is still being recorded:
	 * *s is unchanged. -errno: failed for good; *s is not valid. */
	int (*read)(struct source *src, struct sample *s);
	/* NULL is legal. */
	void (*close)(struct source *src);
	/* A live source: which connections the next reading should have; NULL for a file. */
	void (*want_connections)(struct source *src, enum source_connections want);
	/* A live source: whether to sample the length of the CPUs' run queues; NULL for a file. */
	void (*want_cpus)(struct source *src, bool want);
	/* Likewise, whether system calls are to be watched, from the next reading on; also NULL if that cannot change.
	 */
	void (*want_calls)(struct source *src, bool want);
	/* Likewise, how much of all CPUs' time it may cost, in percent; 0: any. */
	void (*want_budget)(struct source *src, double percent);
	/* Likewise, which processes are to be looked at closely, besides those that lag most. */
	void (*want_focus)(struct source *src, const struct source_process *processes, uint32_t n);
	/* After read returned the end: what was wrong, or ""; NULL for a live source. */
	const char *(*trouble)(const struct source *src);
	bool live;
	int stream_fd; /* readable when there may be another reading; 0: the source is no stream */
};

static inline void source_close(struct source *src)
{
	if (src)
		src->close(src);
}

static inline const char *source_trouble(const struct source *src)
{
	return src->trouble ? src->trouble(src) : "";
}

#endif
