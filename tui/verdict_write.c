/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verdict_write.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#include "batch.h"
#include "format.h"
#include "json_write.h"
#include "utf8.h"

#define SCHEMA 2

/* "CPU, disk" */
static void put_areas(FILE *out, uint32_t areas)
{
	const char *comma = "";

	for (int i = 0; i < VERDICT_AREAS; i++)
		if (areas >> i & 1) {
			fprintf(out, "%s%s", comma, verdict_area_name[i]);
			comma = ", ";
		}
}

/* Without it, the sentences would be taken for all that there is to say. */
static const char *remark(const struct verdict *v)
{
	if (!v->readings)
		return "No reading yet.";
	if (!v->waits_known)
		return "Waits are not known: the sched family is off.";
	return v->n ? NULL : "Nothing lags.";
}

static void put_line(FILE *out, const struct verdict *v, uint32_t line, bool utf8)
{
	const char *advise = utf8 ? "   → " : "   > ";

	if (line < 2 * v->n) {
		if (line % 2)
			fprintf(out, "%s%s", advise, v->sentence[line / 2].advice);
		else
			fprintf(out, "%u. %s", line / 2 + 1, v->sentence[line / 2].text);
		return;
	}
	line -= 2 * v->n;
	if (remark(v) && line-- == 0)
		fputs(remark(v), out);
	else if (v->more && line-- == 0)
		fprintf(out, "And %u more.", v->more);
	else if (v->denied && line == 0) {
		fputs("Not: ", out);
		put_areas(out, v->denied);
		fputc('.', out);
	}
}

bool verdict_line(const struct verdict *v, uint32_t line, bool utf8, char *buf, size_t size)
{
	char raw[VERDICT_TEXT + 16] = "";
	uint32_t lines = 2 * v->n + (remark(v) != NULL) + (v->more > 0) + (v->denied > 0);
	FILE *out = line < lines ? fmemopen(raw, sizeof(raw), "w") : NULL;

	if (!out)
		return false;
	put_line(out, v, line, utf8);
	fclose(out);
	format_clean(buf, size, raw, INT_MAX, utf8);
	return true;
}

static void put_clock(FILE *out, uint64_t realtime_ns)
{
	time_t second = (time_t)(realtime_ns / 1000000000);
	char text[32];
	struct tm tm;

	localtime_r(&second, &tm);
	strftime(text, sizeof(text), "%F %T", &tm);
	fputs(text, out);
}

int verdict_text(FILE *out, const struct verdict *v, const struct sample *s)
{
	bool utf8 = utf8_locale();
	char text[VERDICT_TEXT * 4];

	format_clean(text, sizeof(text), s->host, 64, utf8);
	fprintf(out, "%s, %s from ", text, format_ns((char[16]){ "" }, 16, v->interval_ns));
	put_clock(out, v->from_ns);
	fputc('\n', out);
	for (uint32_t i = 0; verdict_line(v, i, utf8, text, sizeof(text)); i++)
		fprintf(out, "%s\n", text);
	return batch_finish(out);
}

static void put_sentence(struct json_writer *w, const struct verdict_sentence *s)
{
	json_open(w, NULL, '{');
	json_text(w, "rule", s->rule);
	json_text(w, "text", s->text);
	json_text(w, "advice", s->advice);
	json_text(w, "comm", s->comm);
	if (s->pid)
		json_unsigned(w, "pid", s->pid);
	else
		json_null(w, "pid");
	json_unsigned(w, "processes", s->processes);
	if (s->ns)
		json_unsigned(w, "ns", s->ns);
	else
		json_null(w, "ns");
	if (s->culprit[0]) {
		json_open(w, "culprit", '{');
		json_text(w, "comm", s->culprit);
		if (s->culprit_pid)
			json_unsigned(w, "pid", s->culprit_pid);
		else
			json_null(w, "pid");
		json_close(w, '}');
	} else {
		json_null(w, "culprit");
	}
	json_close(w, '}');
}

int verdict_json(FILE *out, const struct verdict *v, const struct sample *s, uint64_t chosen_ns)
{
	struct json_writer w = { .out = out };
	char time[BATCH_TIME_SIZE];

	json_open(&w, NULL, '{');
	json_unsigned(&w, "schema", SCHEMA);
	json_text(&w, "time", batch_time(time, v->to_ns));
	json_text(&w, "host", s->host);
	json_unsigned(&w, "interval_ns", v->interval_ns);
	if (chosen_ns)
		json_unsigned(&w, "focus_chosen_ns", chosen_ns);
	else
		json_null(&w, "focus_chosen_ns");
	json_open(&w, "sentences", '[');
	for (uint32_t i = 0; i < v->n; i++)
		put_sentence(&w, &v->sentence[i]);
	json_close(&w, ']');
	json_unsigned(&w, "left_out", v->more);
	json_open(&w, "not", '[');
	for (int i = 0; i < VERDICT_AREAS; i++)
		if (v->denied >> i & 1)
			json_text(&w, NULL, verdict_area_name[i]);
	json_close(&w, ']');
	json_close(&w, '}');
	fputc('\n', out);
	json_writer_free(&w);
	return w.out_of_memory ? -ENOMEM : batch_finish(out);
}
