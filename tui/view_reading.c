/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adds readings to the view: the newest, or a past one, and arranges their rows. */
#include "view_reading.h"

#include <errno.h>
#include <malloc.h>

#include "format.h"
#include "memory.h"
#include "page.h"
#include "verdict_view.h"

/* Moves `past` to the reading `back` ago: one step if it is directly before that, else through as many
 * readings as a sparkline shows. */
static int look_back(struct view *v)
{
	const struct sample *s = v->back ? history_at(&v->history, v->back) : NULL;
	uint32_t from = v->back, number = s ? s->number : 0; /* s is valid only until two others are asked for */

	if (!s || (v->past && v->past_number == number))
		return 0;
	if (!v->past || v->past_number + 1 != number) {
		model_free(v->past);
		v->past = model_new();
		if (!v->past)
			return -ENOMEM;
		while (from + 1 < v->history.n && from - v->back < MODEL_SPARK)
			from++;
	}
	for (uint32_t back = from;; back--) {
		const struct sample *older = history_at(&v->history, back);
		int err = older ? model_update(v->past, older) : -ENOMEM;

		if (err || back == v->back) {
			v->past_number = number;
			return err;
		}
	}
}

static void forget_past(struct view *v)
{
	model_free(v->past);
	v->past = NULL;
	v->past_number = 0;
}

/* Whether a family has gone on or off since the last reading; the first reading is not compared. */
static bool families_changed(struct view *v, const struct sample *s)
{
	uint8_t on = 0;
	bool changed;

	for (int i = 0; i < SAMPLE_FAMILIES; i++)
		on |= (uint8_t)(s->probe[i].on << i);
	changed = v->history.n <= 1 || on != v->families_on;
	v->families_on = on;
	return changed;
}

/* A single message about families that are off: the first, and whether there are more. What one that is on does not
 * know concerns few, and --check says it. */
static void say_missing(struct view *v, const struct sample *s)
{
	int n = 0, first = 0;

	for (int i = SAMPLE_FAMILIES - 1; i >= 0; i--)
		if (!s->probe[i].on && *s->probe[i].reason) {
			first = i;
			n++;
		}
	if (n)
		view_say(v, STYLE_WARN, "%s off%s: %s", sample_family_name[first], n > 1 ? " (more: --check)" : "",
			 s->probe[first].reason);
}

/* Marks set by hand go into the next reading, which is recorded. 0 or -ENOMEM. */
static int add_marks(struct view *v, struct sample *s)
{
	struct sample_mark *m;

	for (uint32_t i = 0; i < v->n_marks; i++) {
		m = sample_add_mark(s);
		if (!m)
			return -ENOMEM;
		*m = (struct sample_mark){ .realtime_ns = v->marks_ns[i], .kind = SAMPLE_MARK_HAND };
	}
	v->n_marks = 0;
	return 0;
}

/* --when. 0 or -errno. */
static int check_trigger(struct view *v, struct sample *s)
{
	int n = trigger_check(&v->trigger, v->options, v->live, s, v->now_ns);

	if (n <= 0)
		return n;
	v->bell = true;
	view_say(v, STYLE_WARN, "%s: %s", s->marks[s->n_marks - (uint32_t)n].expr,
		 s->marks[s->n_marks - (uint32_t)n].text);
	return 0;
}

static void say_gap(struct view *v, const struct sample *s)
{
	char ns[24];

	if (*s->gap_why)
		view_say(v, STYLE_WARN, "a gap of %s: %s", format_ns(ns, sizeof(ns), s->gap_ns), s->gap_why);
}

#define DRIFT_MOST 10000 /* clocks drift apart by less than one in so many */

static void note_arrival(struct view *v, const struct sample *s)
{
	int64_t took_ns = (int64_t)(v->now_ns - s->t_ns);

	v->stream_ns += (int64_t)(s->interval_ns / DRIFT_MOST);
	if (!v->history.n || took_ns < v->stream_ns)
		v->stream_ns = took_ns;
}

/* Near a memory limit past readings are dropped first. Returns whether some are dropped now. */
static bool past_shrinks(struct view *v)
{
	struct memory room;
	bool shrinks;

	memory_look(&room, "");
	v->history.max_bytes = memory_for_past(&room, v->history_bytes, v->history.bytes);
	shrinks = v->history.n > HISTORY_MIN && v->history.max_bytes < v->history.bytes;
	if (shrinks && !v->past_shrank)
		view_say(v, STYLE_WARN, "close to the control group's memory limit: older readings are dropped");
	return v->past_shrank = shrinks;
}

int view_reading(struct view *v, struct sample *s)
{
	bool frozen = v->paused || v->back, shrinks = past_shrinks(v);
	int err;

	if (v->streams)
		note_arrival(v, s);
	/* The past model points into a sample: clears the model before that sample is freed. */
	if (!frozen || shrinks || v->back + HISTORY_MIN >= v->history.n)
		forget_past(v);
	err = add_marks(v, s);
	if (!err)
		err = model_update(v->live, s);
	if (!err)
		err = check_trigger(v, s);
	losses_add(&v->losses, s);
	v->asked.n = 0;
	if (!err && v->source_live)
		err = ask_options(&v->asked, v->options, v->live);
	if (!err)
		err = history_add(&v->history);
	if (err)
		return err;
	if (shrinks)
		malloc_trim(0);
	if (families_changed(v, s))
		say_missing(v, s);
	say_gap(v, s);
	if (frozen && v->history.n > 1) {
		v->back++;
		if (v->back >= v->history.n) {
			v->back = v->history.n - 1;
			view_say(v, STYLE_WARN,
				 "memory for past readings is full (--history): this is now the oldest one");
		}
	}
	return view_arrange(v);
}

int view_arrange(struct view *v)
{
	struct model_query q = {
		.kind = view_kind(v), .totals = view_totals(v), .no_dead = v->dead != DEAD_ALONE, .call = v->call
	};
	uint32_t current = UINT32_MAX;
	struct row *rows;
	int n, err;

	err = verdict_view_update(v);
	if (!err)
		err = look_back(v);
	if (err)
		return err;
	if (!model_sample(view_model(v)))
		return 0;
	if (v->page.open)
		return page_arrange(v);
	selection_narrow(&v->wants.selection, &q);
	n = model_rows(view_model(v), &q, &rows);
	if (n < 0)
		return n;
	if (q.kind == MODEL_PROCESS)
		current = model_sample(view_model(v))->n_processes;
	if (q.kind == MODEL_PROCESS && v->dead == DEAD_SUMMED && !q.totals)
		n = crowd_sum(&v->crowd, rows, (uint32_t)n, &rows);
	if (q.kind == MODEL_PROCESS && v->dead == DEAD_ADDED && !q.totals)
		n = crowd_add(&v->crowd, rows, (uint32_t)n, &rows);
	if (n < 0)
		return n;
	v->wants.no_dead = v->dead == DEAD_HIDDEN;
	view_main(v)->unknown = (q.kind == MODEL_CONNECTION && !model_sample(view_model(v))->has_connections) ||
				(q.kind == MODEL_DISK && !model_sample(view_model(v))->has_disks) ||
				(q.kind == MODEL_CPU && !n);
	return table_arrange(view_main(v), q.kind, rows, (uint32_t)n, current < (uint32_t)n ? current : (uint32_t)n,
			     &v->wants, v->now_ns);
}
