/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names of a process: its command line, its control group, a kernel thread's full name. They are looked up when a
 * change is noticed and answered later. Until then the arguments of exec, the parent's names, the group name of another
 * process in the same group, or the old answer are used. Used by ledger.c only.
 */
#ifndef LEDGER_NAMES_H
#define LEDGER_NAMES_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "ledger.h"
#include "text.h"

/* The names of one process. Zeroed: nothing known, nothing wanted. */
struct naming {
	struct text *cmdline, *cgroup, *comm; /* NULL: not known */
	uint64_t group;			      /* lt_who.cgroup */
	uint32_t args_exec;		      /* lt_call.args_exec of the exec that cmdline belongs to; 0: not known */
	uint8_t wanted, asked;		      /* sets of 1 << enum ledger_name */
	bool execed;			      /* since its creation */
	bool fresh;			      /* a text has changed since the last reading */
};

/* Names of groups, by lt_who.cgroup, kept as long as a process is in them. */
struct naming_group {
	uint64_t group;
	struct text *path;
	bool used;
	UT_hash_handle hh;
};

struct namings {
	const struct ledger_names *from; /* NULL: no lookups */
	struct naming_group *groups;
};

void naming_want(struct naming *n, enum ledger_name name);
/* The process is in this group now. */
void naming_move(struct naming *n, uint64_t group);
/* Starts the lookups that are wanted and not yet running. */
void naming_ask(struct naming *n, const struct namings *all, uint32_t pid, uint64_t start_ns);
void naming_answer(struct naming *n, struct namings *all, const struct ledger_answer *answer);
/* Takes the command line passed to exec, if `args` is of an exec that is not known yet: returns whether it is. */
bool naming_exec(struct naming *n, const struct namings *all, const struct lt_call *args);
/* Fills in unknown names from the parent (NULL: none) and from other processes in the group. */
void naming_guess(struct naming *n, const struct namings *all, const struct naming *parent);
/* Lets both use one copy of equal texts. */
void naming_share(struct naming *n, const struct naming *neighbour);
void naming_forget_comm(struct naming *n);
void naming_free(struct naming *n);

/* Drops the groups for which naming_in_use was not called since the last namings_prune. */
void naming_in_use(struct namings *all, const struct naming *n);
void namings_prune(struct namings *all);
void namings_free(struct namings *all);

#endif
