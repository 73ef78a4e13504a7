/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which rows are selected, of what kind, in which order, and how many: for the screen and for all outputs. */
#ifndef SELECTION_H
#define SELECTION_H

#include "filter.h"

struct selection {
	uint32_t *pids; /* -p; NULL: all */
	size_t n_pids, cap_pids;
	bool has_uid; /* -u */
	uint32_t uid;
	struct filter *filter; /* -f, or what was typed; NULL: all */
	bool active;	       /* only rows that did something */
};

/* Whether a row is selected for the screen or the output; the model keeps all rows. */
bool selection_wants(const struct selection *s, const struct row *r);

/* Restricts a query to the processes of -p and -u; s must outlive it. */
void selection_narrow(const struct selection *s, struct model_query *query);

struct selection_order {
	const struct column *sort, *then; /* then: for rows with equal values of the first */
	bool reverse, tree;
	int top; /* at most this many; 0: all */
};

/* The wanted rows of a kind, in order. The caller frees the array; the rows belong to the model. Returns
 * their number, or -ENOMEM. */
int selection_rows(const struct selection *s, enum model_kind kind, const struct selection_order *order,
		   struct model *m, struct row ***rows);

/* What processes can be grouped by; first, each by itself. */
struct selection_group {
	enum model_kind kind;
	const char *name;
};
#define SELECTION_GROUPS 4
extern const struct selection_group selection_groups[SELECTION_GROUPS];
const char *selection_group_name(enum model_kind kind);

#endif
