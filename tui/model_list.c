/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of rows: arrays that grow and keep their memory from reading to reading. */
#include "model_state.h"

#include <errno.h>
#include <stdlib.h>

#include "grow.h"

const struct row_net row_no_net = { .srtt_ns = SAMPLE_UNKNOWN };

int row_list_reserve(struct row_list *l, uint32_t n)
{
	return GROW(l->rows, l->cap, n) && GROW(l->nets, l->cap_nets, n) ? 0 : -ENOMEM;
}

void row_list_free(struct row_list *l)
{
	free(l->rows);
	free(l->nets);
}
