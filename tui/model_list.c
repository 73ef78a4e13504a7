/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of rows: arrays that grow and keep their memory from reading to reading. */
#include "model_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct row_net row_no_net = { .srtt_ns = SAMPLE_UNKNOWN };

int model_reserve(void *array, uint32_t *cap, uint32_t n, size_t size)
{
	uint64_t want = *cap ? *cap : 16;
	void *old, *new;

	if (n <= *cap)
		return 0;
	while (want < n)
		want *= 2;
	if (want > UINT32_MAX)
		return -ENOMEM;
	memcpy(&old, array, sizeof(old));
	new = realloc(old, want * size);
	if (!new)
		return -ENOMEM;
	memcpy(array, &new, sizeof(new));
	*cap = (uint32_t)want;
	return 0;
}

int row_list_reserve(struct row_list *l, uint32_t n)
{
	int err = model_reserve(&l->rows, &l->cap, n, sizeof(*l->rows));

	return err ? err : model_reserve(&l->nets, &l->cap_nets, n, sizeof(*l->nets));
}

void row_list_free(struct row_list *l)
{
	free(l->rows);
	free(l->nets);
}
