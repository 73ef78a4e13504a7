/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where readings come from: this machine's kernel (probe.c) or a recorded file (record.c). */
#ifndef SOURCE_H
#define SOURCE_H

#include "sample.h"

/* What a live source reports of its sockets. Walking them costs, reporting them costs more. */
enum source_connections {
	SOURCE_NO_CONNECTIONS,
	SOURCE_STIRRED, /* those that moved bytes or changed their state */
	SOURCE_ALL_CONNECTIONS,
};

struct source {
	/* Fills *s (cleared by the callee). 1: a reading; 0: no more (end of the file); -EAGAIN: none yet, its
	 * recording goes on; -errno. */
	int (*read)(struct source *src, struct sample *s);
	/* NULL is legal. */
	void (*close)(struct source *src);
	/* A live source: which connections the next reading shall have; NULL for a file. */
	void (*want_connections)(struct source *src, enum source_connections want);
	bool live;
};

static inline void source_close(struct source *src)
{
	if (src)
		src->close(src);
}

#endif
