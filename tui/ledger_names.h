/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a process is called: its command line, its control group, a kernel thread's whole name. Asked for when
 * something tells of a change, answered later; meanwhile what exec was given, what the parent is called, who else is
 * in the same group, or the old answer. Used by ledger.c only.
 */
#ifndef LEDGER_NAMES_H
#define LEDGER_NAMES_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "ledger.h"
#include "text.h"

/* One process's. Zeroed it knows nothing and wants nothing. */
struct naming {
	struct text *cmdline, *cgroup, *comm; /* NULL: not known */
	uint64_t group;			      /* lt_who.cgroup */
	uint32_t args_exec;		      /* lt_call.args_exec of the one that cmdline is of; 0: not known */
	uint8_t wanted, asked;		      /* sets of 1 << enum ledger_name */
	bool execed;			      /* since its birth */
	bool fresh;			      /* a text is new since the last reading */
};

/* Names of groups, by lt_who.cgroup, as long as a process is in them. */
struct naming_group {
	uint64_t group;
	struct text *path;
	bool used;
	UT_hash_handle hh;
};

struct namings {
	const struct ledger_names *from; /* NULL: nobody to ask */
	struct naming_group *groups;
};

void naming_want(struct naming *n, enum ledger_name name);
/* It is in this group now. */
void naming_move(struct naming *n, uint64_t group);
/* Puts the questions that are wanted and not yet put. */
void naming_ask(struct naming *n, const struct namings *all, uint32_t pid, uint64_t start_ns);
void naming_answer(struct naming *n, struct namings *all, const struct ledger_answer *answer);
/* The command line that exec was given, if `args` is of an exec that is not known yet. */
void naming_exec(struct naming *n, const struct namings *all, const struct lt_call *args);
/* What is not known yet, of the parent (NULL: none) and of others in the group. */
void naming_guess(struct naming *n, const struct namings *all, const struct naming *parent);
/* One text for both where they say the same. */
void naming_share(struct naming *n, const struct naming *neighbour);
void naming_forget_comm(struct naming *n);
void naming_free(struct naming *n);

/* Forgets the groups in which, since the last call, nobody was seen by naming_in_use. */
void naming_in_use(struct namings *all, const struct naming *n);
void namings_prune(struct namings *all);
void namings_free(struct namings *all);

#endif
