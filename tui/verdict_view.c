/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verdict_view.h"

#include <errno.h>

#define INTERVAL_NS (OPTIONS_WHY_S * 1000000000ULL)

/* How many readings the interval takes: at least one. */
static uint32_t readings_of(const struct history *h, uint32_t back)
{
	uint64_t end_ns = history_time(h, back);
	uint32_t n = 1;

	while (back + n < h->n && end_ns - history_time(h, back + n) < INTERVAL_NS)
		n++;
	return n;
}

static int judge(struct view *v, struct model *m)
{
	struct facts_all facts = { .selection = &v->wants.selection };
	uint32_t from = v->back + readings_of(&v->history, v->back);
	int err = 0;

	while (from-- > v->back && !err) {
		const struct sample *s = history_at(&v->history, from);

		err = s ? model_update(m, s) : -ENOMEM;
		if (!err)
			err = facts_add(&facts, m);
	}
	if (!err)
		err = verdict_make(&v->verdict, &facts);
	facts_free(&facts);
	return err;
}

int verdict_view_update(struct view *v)
{
	const struct sample *newest = model_sample(v->live);
	struct model *m;
	int err;

	if (v->mode != MODE_WHY || !newest || v->back >= v->history.n ||
	    (v->verdict_number == newest->number && v->verdict_back == v->back && v->verdict.interval_ns))
		return 0;
	model_free(v->past);
	v->past = NULL;
	v->past_number = 0;
	m = model_new();
	err = m ? judge(v, m) : -ENOMEM;
	model_free(m);
	v->verdict_number = newest->number;
	v->verdict_back = v->back;
	return err;
}
