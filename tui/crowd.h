/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many short-lived processes: those that exited in a reading, summed by command and parent, or added to their parents.
 */
#ifndef CROWD_H
#define CROWD_H

#include "model.h"

#define CROWD_NAME 40

struct crowd {
	struct row *rows;
	struct row_net *nets;
	char (*names)[CROWD_NAME];
	const struct row **exited; /* to be sorted */
	uint32_t cap_rows, cap_nets, cap_names, cap_exited;
};

/* Copies n rows of processes of one reading, those that exited as sums: a row's pid is then that of the parent, without
 * a start, its comm "sh x 12"; it has no latencies. *out is valid until the next call, as long as rows are. Returns
 * their number, or -ENOMEM. */
int crowd_sum(struct crowd *c, const struct row *rows, uint32_t n, struct row **out);
/* Copies n rows of one reading, by pid and start, those that exited added to the nearest parent that lives, the
 * latencies apart; without one they stay. The rest as above. */
int crowd_add(struct crowd *c, const struct row *rows, uint32_t n, struct row **out);
void crowd_free(struct crowd *c);

#endif
