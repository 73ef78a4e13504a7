/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `lagtop why` and key w, the verdict over an interval: what lags and why, in at most eight sentences, the worst first,
 * each with what to do next; then what was ruled out. A sentence is a row of one table (verdict_rules.c). The WHY
 * column is why.c. Pure: facts in, text out. Texts hold raw names.
 */
#ifndef VERDICT_H
#define VERDICT_H

#include <stdio.h>

#include "facts.h"

#define VERDICT_SENTENCES 8
#define VERDICT_TEXT 400
#define VERDICT_CULPRITS 3

/* What a cause is about; "Not:" names those in which there is none. */
enum verdict_area {
	VERDICT_CPU,
	VERDICT_QUOTA,
	VERDICT_DISK,
	VERDICT_MEMORY,
	VERDICT_LOCKS,
	VERDICT_NETWORK,
	VERDICT_AREAS
};
extern const char *const verdict_area_name[VERDICT_AREAS];

struct verdict_sentence {
	const char *rule;
	char text[VERDICT_TEXT], advice[VERDICT_TEXT];
	char comm[FACTS_COMM];
	uint32_t pid, processes; /* pid: if it is one process */
	uint64_t ns;		 /* thread time lost; 0: not known */
	char culprit[FACTS_COMM];
	uint32_t culprit_pid;
};

struct verdict {
	uint64_t interval_ns, from_ns, to_ns;
	uint32_t readings; /* 0: nothing is known yet */
	bool waits_known;  /* they were watched in all readings */
	struct verdict_sentence sentence[VERDICT_SENTENCES];
	uint32_t n, more; /* more: that were left out */
	uint32_t denied;  /* bit set of 1 << enum verdict_area */
};

/* Finishes the facts. 0 or -ENOMEM. */
int verdict_make(struct verdict *v, struct facts_all *facts);

/* ---- the table of rules ---- */

/* What a rule has found about one name. */
struct finding {
	const struct facts_all *all;
	const struct facts *of;
	const struct verdict_rule *rule;
	uint64_t ns;	  /* lost: in which order sentences come */
	uint64_t part_ns; /* that of which shares are told */
	bool silent;	  /* a peer has kept it waiting for longer than all that it answered */
	const struct facts_call *call;
	int state; /* of the time in that call */
	const struct facts_error *error;
	const struct facts_peer *peer;
	const struct facts_socket *socket;
	const struct facts_disk *disk;
	const struct facts_culprit *culprit[VERDICT_CULPRITS]; /* the greatest first; NULL: no more */
};

struct verdict_rule {
	const char *name;
	uint32_t areas; /* bit set of 1 << enum verdict_area */
	/* It is said however little time it costs; else from VERDICT_LEAST_PERCENT of the interval on. */
	bool always;
	/* Whether it holds; fills in ns and what the texts need. */
	bool (*holds)(struct finding *f);
	const char *sentence, *advice; /* with {words} */
};

#define VERDICT_LEAST_PERCENT 5
/* An area is denied if nothing in it took as much. */
#define VERDICT_DENIED_PERCENT 1

extern const struct verdict_rule verdict_rules[];
extern const size_t verdict_rules_count;
/* verdict_words.c. Writes a text of a rule with its {words} replaced. */
void verdict_expand(char buf[VERDICT_TEXT], const char *text, const struct finding *f);

#endif
