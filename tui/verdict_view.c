/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verdict_view.h"

#include <errno.h>
#include <unistd.h>

/* While the newest reading is shown, made at most about once a second: it reads all readings of its interval again. */
#define LIVE_NS 900000000ULL
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
	struct facts_all facts = { .selection = &v->wants.selection,
				   .comm = v->page.open ? v->page.row.comm : NULL,
				   .self_pid = v->source_live ? (uint32_t)getpid() : 0 };
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

/* Whether v->verdict is that of the reading that is shown, or of a live one just before it. */
static bool is_current(const struct view *v, uint64_t shown_ns)
{
	if (!v->verdict.readings || v->verdict_ns == shown_ns)
		return v->verdict.readings;
	return !v->back && v->verdict_live && shown_ns > v->verdict_ns && shown_ns - v->verdict_ns < LIVE_NS;
}

int verdict_view_update(struct view *v)
{
	uint64_t shown_ns = history_time(&v->history, v->back);
	struct model *m;
	int err;

	/* Later it may be about other processes. */
	if (v->mode != MODE_WHY)
		v->verdict.readings = 0;
	if (v->mode != MODE_WHY || !model_sample(v->live) || v->back >= v->history.n || is_current(v, shown_ns))
		return 0;
	model_free(v->past);
	v->past = NULL;
	v->past_number = 0;
	m = model_new();
	err = m ? judge(v, m) : -ENOMEM;
	model_free(m);
	v->verdict_ns = shown_ns;
	v->verdict_live = !v->back;
	return err;
}
