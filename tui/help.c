/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts of the help: see help.h. All of them are ASCII, but for the signs. */
#include "help.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "format.h"
#include "keys.h"
#include "severity.h"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

static bool is_replay(const struct view *v)
{
	return !v->source_live;
}

static bool is_paused(const struct view *v)
{
	return v->paused;
}

static bool is_past(const struct view *v)
{
	return v->back;
}

static bool is_ended(const struct view *v)
{
	return v->source_ended;
}

static bool is_recording(const struct view *v)
{
	return v->recorded_bytes;
}

static bool differs(const struct view *v)
{
	return v->settings.differs;
}

static bool has_filter(const struct view *v)
{
	return v->wants.filter[0];
}

static bool has_totals(const struct view *v)
{
	return view_totals(v);
}

static bool is_over_budget(const struct view *v)
{
	const struct sample *s = model_sample(view_model(v));

	return s && s->self.over_budget;
}

static bool has_losses(const struct view *v)
{
	for (int i = 0; i < LOSS_KINDS; i++)
		if (v->losses.sum[i])
			return true;
	return false;
}

static bool has_processes(const struct view *v)
{
	return v->page.open || view_is_process(v) || v->call != LT_CALL_NONE || v->disk.open;
}

static bool has_idle(const struct view *v)
{
	return !v->page.open && v->tables[v->at].folded;
}

static bool has_page(const struct view *v)
{
	return v->page.open;
}

static bool has_calls(const struct view *v)
{
	return v->page.open || view_kind(v) == MODEL_CALL || view_kind(v) == MODEL_CALLER ||
	       view_kind(v) == MODEL_THREAD;
}

static bool has_outside(const struct view *v)
{
	const struct sample *s = model_sample(view_model(v));

	return s && s->n_processes && !s->processes[0].pid;
}

static bool has_trail(const struct view *v)
{
	return v->page.open && v->trail.n > 1;
}

/* What is on the screen: the title's signs, those of rows, of numbers, colours. `plain`: without block characters. */
static const struct {
	bool (*shown)(const struct view *v); /* NULL: always */
	const char *sign, *plain_sign, *text, *plain;
} signs[] = {
	{ differs, "lagtop*", NULL, "Columns, sort, view or delay differ from those saved: W saves them.", NULL },
	{ has_trail, "name \u203a", "name >", "Where you came from: Backspace goes back, Esc leaves.", NULL },
	{ is_recording, "\u25cf rec", "rec", "Readings are written to a recording (--record): its size so far.", NULL },
	{ is_replay, "replay", NULL, "A recording is shown, not this machine: how long ago that was.", NULL },
	{ is_ended, "END", NULL, "The recording has no more readings.", NULL },
	{ is_paused, "PAUSED", NULL, "The screen is frozen, readings continue: p resumes.", NULL },
	{ is_past, "ago of", NULL,
	  "An earlier reading, how long ago it was, and how far back readings go: End returns to now.", NULL },
	{ is_over_budget, "over budget", NULL,
	  "Watching costs more than --budget allows, and leaving something out would not help.", NULL },
	{ NULL, "sched \u25cf", "sched on",
	  "A family of probes, watching everything; yellow 1:16, exits, off: calls are watched less closely, to stay "
	  "within the budget (b); an empty circle: not at all.",
	  "A family of probes, watching everything; yellow 1:16, exits, off: calls are watched less closely, to stay "
	  "within the budget (b); OFF: not at all." },
	{ has_filter, "\\text", NULL, "Only rows that match this filter are shown: Esc clears it.", NULL },
	{ has_totals, "totals", NULL, "Sums since the start instead of rates: T.", NULL },
	{ NULL, "cost", NULL,
	  "Share of all CPUs' time that watching takes: lagtop, its BPF programs and what the kernel adds around them "
	  "(> at least, until that is measured); then the cost per run of a program.",
	  NULL },
	{ has_losses, "lost", NULL,
	  "Events that could not be counted and may change a digit on this screen: ! says which.", NULL },
	{ has_processes, "\u2022", "o", "Before a row: in focus, watched closely: who keeps it waiting is known (WHY).",
	  NULL },
	{ has_processes, "\u2020", "+", "Before a row: it has exited; its last numbers are kept for a few readings.",
	  NULL },
	{ has_processes, "*", NULL, "Before a row: tagged with Space, for a signal.", NULL },
	{ has_idle, "12 idle", NULL,
	  "Processes below that line did nothing in the interval, and nobody waits for their answer: Enter on it shows "
	  "them.",
	  NULL },
	{ has_outside, "outside", NULL, "All processes outside of this pid namespace, in one row.", NULL },
	{ NULL, "-", NULL, "Unknown: nothing was measured, or its family is off.", NULL },
	{ NULL, "\u00b7", ".", "Zero.", NULL },
	{ NULL, "~", NULL, "Estimated, or from requests that overlap.", NULL },
	{ NULL, ">  \u2265", ">", "At least: it began before lagtop did, or its histogram knows only a bound.", NULL },
	{ has_page, "thread-s/s", NULL, "Seconds of its threads in a second: the bar's whole length.", NULL },
	{ has_processes, "LAG%", NULL, "Time in which a process wanted to run and could not: RUNQ% + THROT% + BLK%.",
	  NULL },
	{ NULL, "shares in %", NULL, "Thread time over the interval: two threads that wait make 200.", NULL },
	{ NULL, "percentiles", NULL, "From histograms with four buckets per octave: at most 12.5 % off.", NULL },
	{ has_processes, "history", NULL,
	  "The newest reading is on the right; heights are logarithmic, scaled to the row's own last minute: the "
	  "lowest is "
	  "the minimum, printed in front; a doubling raises the bar by at most two steps.",
	  "The newest reading is on the right; from low to high " FORMAT_HEIGHTS
	  ", logarithmic, scaled to the row's own last minute: the lowest is the minimum, printed in front; a doubling "
	  "raises the bar by at most two steps." },
	{ has_calls, "grey", NULL,
	  "Idle: a wait for the next request, for time to pass or for work, while nobody waits for the process's "
	  "answer. "
	  "TIME%, WAIT% and OLDEST of idle calls and threads are grey, and sorted below the others.",
	  NULL },
	{ NULL, "yellow, bold", NULL,
	  "From " TEXT(SEVERITY_WARN_MS) " ms; LAG% from " TEXT(
		  SEVERITY_WARN_LAG) "; ERR/s where a tenth of the calls fail.",
	  NULL },
	{ NULL, "red", NULL, "From " TEXT(SEVERITY_BAD_MS) " ms; LAG% from " TEXT(SEVERITY_BAD_LAG) ".", NULL },
};

static void help_title(struct help *h, const char *title)
{
	if (h->n < HELP_LINES)
		h->line[h->n++] = (struct help_line){ .text = title, .len = (int)strlen(title), .style = STYLE_STRONG };
}

void help_text(struct help *h, const char *key, const char *text, int cells)
{
	if (cells < 10)
		cells = 10;
	while (*text && h->n < HELP_LINES) {
		struct help_line *line = &h->line[h->n++];
		int len = (int)strlen(text);

		if (len > cells) {
			len = cells;
			while (len > 0 && text[len] != ' ')
				len--;
			if (!len)
				len = cells;
		}
		*line = (struct help_line){ .text = text, .len = len };
		snprintf(line->key, sizeof(line->key), "%s", key);
		key = "";
		text += len + strspn(text + len, " ");
	}
}

/* Adds a text that is kept in h. */
__attribute__((format(printf, 4, 5))) static void help_format(struct help *h, const char *key, int cells,
							      const char *format, ...)
{
	size_t room = sizeof(h->texts) - h->used;
	va_list ap;
	int len;

	va_start(ap, format);
	len = vsnprintf(h->texts + h->used, room, format, ap);
	va_end(ap);
	if (len < 0 || (size_t)len >= room)
		return;
	help_text(h, key, h->texts + h->used, cells);
	h->used += (size_t)len + 1;
}

/* "Up k", "F6 s" */
static void key_names(const struct key_row *k, char *buf, size_t size)
{
	char name[16];
	size_t len = 0;

	buf[0] = 0;
	for (int i = 0; i < 4 && k->keys[i] && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s", i ? " " : "", key_label(k->keys[i], name));
}

/* All, or those that most users need. */
static void help_keys(struct help *h, int cells, bool first)
{
	char keys[HELP_KEYS_CELLS + 1];

	for (size_t i = 0; i < key_rows_count; i++) {
		if (!key_rows[i].help || (first && !(key_rows[i].flags & KEY_FIRST)))
			continue;
		key_names(&key_rows[i], keys, sizeof(keys));
		if (!key_does(&key_rows[i]))
			help_title(h, key_rows[i].help);
		else
			help_text(h, keys, key_rows[i].help, cells);
	}
}

static void add_signs(struct help *h, const struct view *v, int right, bool blocks)
{
	help_title(h, "Reading this screen");
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (!signs[i].shown || signs[i].shown(v))
			help_text(h, !blocks && signs[i].plain_sign ? signs[i].plain_sign : signs[i].sign,
				  !blocks && signs[i].plain ? signs[i].plain : signs[i].text, right);
}

void help_signs(struct help *h, const struct view *v, int cells, bool blocks)
{
	h->n = 0;
	h->used = 0;
	add_signs(h, v, cells - HELP_KEYS_CELLS - 1, blocks);
}

void help_make(struct help *h, const struct view *v, int cells, bool blocks)
{
	int right = cells - HELP_KEYS_CELLS - 1;

	h->n = 0;
	h->used = 0;
	help_title(h, "The keys to begin with");
	help_keys(h, right, true);
	add_signs(h, v, right, blocks);
	help_keys(h, right, false);
	help_title(h, "Columns");
	for (size_t i = 0; i < columns_count; i++)
		help_text(h, columns[i].title, columns[i].help, right);
}

void help_lost(struct help *h, const struct view *v, int cells)
{
	const struct sample *s = model_sample(view_model(v));
	int right = cells - HELP_KEYS_CELLS - 1;

	h->n = 0;
	h->used = 0;
	for (int i = 0; s && i < LOSS_KINDS; i++) {
		uint64_t now = losses_of(s, (enum loss)i);
		time_t since = (time_t)(v->losses.since_ns[i] / 1000000000);
		char n[24], sum[24], when[32];
		struct tm tm;

		if (!v->losses.sum[i] && (!now || now == SAMPLE_UNKNOWN))
			continue;
		format_count(n, sizeof(n), now == SAMPLE_UNKNOWN ? 0 : (double)now);
		format_count(sum, sizeof(sum), (double)v->losses.sum[i]);
		localtime_r(&since, &tm);
		strftime(when, sizeof(when), "%H:%M:%S", &tm);
		help_format(h, loss_texts[i].name, right, "%s: %s in this reading, %s since %s.", loss_texts[i].what,
			    now ? n : "none", sum, when);
		help_format(h, "", right, "%s.", loss_texts[i].touches);
	}
	if (!h->n)
		help_text(h, "", "Nothing was lost: every event was counted.", right);
	else
		help_text(h, "",
			  "The tabs' line shows \"lost\" only while it can change one of three digits on screen.",
			  right);
}
