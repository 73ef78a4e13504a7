/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Search in a table, the best match first: a number is a pid or a port, ":5432" a port, a text is looked for in the
 * command's name, the unit or container, the user, then in the command line and the other texts shown.
 */
#ifndef SEARCH_H
#define SEARCH_H

#include "table.h"

#define SEARCH_OWNERS 64 /* processes whose sockets have the port */

/* How well a row matches, the best first. */
enum search_rank {
	SEARCH_PID,
	SEARCH_LISTENS, /* on the port */
	SEARCH_PORT,	/* has, or is, a connection with the port at its own end */
	SEARCH_TO_PORT, /* is a connection with the port at the other end */
	SEARCH_COMMAND,
	SEARCH_COMMAND_BEGINS,
	SEARCH_COMMAND_HAS,
	SEARCH_PID_BEGINS,
	SEARCH_UNIT,
	SEARCH_USER,
	SEARCH_TEXT,
	SEARCH_NONE
};

struct search {
	const char *text;
	bool is_port, is_number;
	uint32_t number;
	struct {
		uint32_t pid;
		bool listens;
	} owners[SEARCH_OWNERS];
	uint32_t n_owners;
};

/* Prepares; text and sample (NULL: none) must stay valid. */
void search_for(struct search *q, const char *text, const struct sample *s);
enum search_rank search_rank(const struct search *q, const struct table *t, const struct row *r);

/* Moves the cursor to the best match, the nearest below the cursor or the row there itself. False: there is none. */
bool search_best(const struct search *q, struct table *t, uint64_t now_ns);
/* The same for the next match after that of the cursor, or the previous one (direction -1). */
bool search_next(const struct search *q, struct table *t, int direction, uint64_t now_ns);

#endif
