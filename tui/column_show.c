/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a column's raw value to what is shown, sorted and filtered: rates and shares of the row's own interval (for
 * totals, sums instead of rates), and text for a cell. The value that is sorted is the value that is shown.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "column.h"
#include "format.h"
#include "why.h"

struct value column_value(const struct column *c, const struct row *r)
{
	struct value v = c->raw(r);
	bool rate = c->show == SHOW_RATE || c->show == SHOW_BYTES_RATE;
	double raw = v.type == VALUE_INT ? (double)v.i : 0;

	if (v.type != VALUE_INT || (!rate && c->show != SHOW_SHARE))
		return v;
	v.type = VALUE_REAL;
	if (rate && r->totals)
		v.real = raw;
	else if (r->interval_ns == 0)
		v = (struct value){ .type = VALUE_NONE };
	else
		v.real = raw * (rate ? 1e9 : 100) / (double)r->interval_ns;
	return v;
}

/* Maps the value to a number whose unsigned order is the value's order. */
static uint64_t order_bits(const struct value *v)
{
	uint64_t bits;

	if (v->type == VALUE_INT)
		return (uint64_t)v->i ^ 1ULL << 63;
	memcpy(&bits, &v->real, sizeof(bits));
	return bits >> 63 ? ~bits : bits | 1ULL << 63;
}

/* The row `outside` sums up all processes outside of the pid namespace that is shown. */
static bool is_outside(const struct row *r)
{
	return !r->pid && (r->kind == MODEL_PROCESS || r->kind == MODEL_THREAD || r->kind == MODEL_CALLER);
}

bool column_order_key(const struct column *c, bool reverse, const struct row *r, uint64_t key[COLUMN_KEY])
{
	const struct sample_connection *connection = r->connection;
	struct value v = column_value(c, r);

	if (v.type == VALUE_TEXT || c->flags & COLUMN_IDLE)
		return false;
	key[0] = UINT64_MAX - !is_outside(r);
	if (v.type != VALUE_NONE && !is_outside(r)) {
		key[0] = reverse ? order_bits(&v) : ~order_bits(&v);
		if (key[0] > UINT64_MAX - 2)
			key[0] = UINT64_MAX - 2;
	}
	if (r->disk) {
		key[1] = (uint64_t)r->disk->sample->major << 32 | r->disk->sample->minor;
		key[2] = r->disk->sample->op;
		return true;
	}
	key[1] = (uint64_t)r->pid << 32 | r->tid;
	if (r->cpu)
		key[1] = r->cpu->cpu;
	key[2] = connection ? (uint64_t)connection->local_port << 16 | connection->remote_port : r->start_ns;
	return true;
}

/* Less than zero: a comes before b, both known. Largest first, texts a to z. */
static int value_order(const struct value *a, const struct value *b)
{
	int order;

	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	switch (a->type) {
	case VALUE_INT:
		return (a->i < b->i) - (a->i > b->i);
	case VALUE_REAL:
		return (a->real < b->real) - (a->real > b->real);
	case VALUE_TEXT:
		order = strcasecmp(a->text, b->text);
		return order ? order : strcmp(a->text, b->text);
	case VALUE_NONE:
		break;
	}
	return 0;
}

static int order_of(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Gives rows with equal values a fixed order, although the sort is not stable. */
static int tie_order(const struct row *a, const struct row *b)
{
	const struct sample_connection *x = a->connection, *y = b->connection;
	int order = a->cpu && b->cpu ? order_of(a->cpu->cpu, b->cpu->cpu) : 0;

	if (!order)
		order = order_of(a->pid, b->pid);

	if (!order)
		order = order_of(a->tid, b->tid);
	if (!order)
		order = order_of(a->start_ns, b->start_ns);
	if (!order)
		order = strcmp(a->comm, b->comm);
	if (!order)
		order = order_of(a->uid, b->uid);
	if (!order)
		order = order_of(a->call, b->call);
	if (!order && a->disk && b->disk) {
		order = order_of(a->disk->sample->major, b->disk->sample->major);
		if (!order)
			order = order_of(a->disk->sample->minor, b->disk->sample->minor);
		if (!order)
			order = order_of(a->disk->sample->op, b->disk->sample->op);
	}
	if (!order && a->peer && b->peer)
		order = memcmp(a->peer, b->peer, sizeof(*a->peer));
	if (!order && x && y) {
		order = order_of(x->local_port, y->local_port);
		if (!order)
			order = order_of(x->remote_port, y->remote_port);
		if (!order)
			order = memcmp(x->remote, y->remote, sizeof(x->remote));
	}
	return order;
}

int column_compare(const struct column *c, bool reverse, const struct row *a, const struct row *b)
{
	struct value x = column_value(c, a), y = column_value(c, b);
	int order;

	if (is_outside(a) != is_outside(b))
		return is_outside(a) ? 1 : -1;
	if ((x.type == VALUE_NONE) != (y.type == VALUE_NONE))
		return x.type == VALUE_NONE ? 1 : -1;
	if (c->flags & COLUMN_IDLE && a->idle != b->idle)
		return a->idle ? 1 : -1;
	order = value_order(&x, &y);
	if (order)
		return (order < 0) != reverse ? -1 : 1;
	return tie_order(a, b);
}

/* Half an octave, so that a doubling is two heights. */
#define SPARK_STEP 2
/* The level (a bucket of hist.h, + 1) of a power of two. */
#define SPARK_FROM(log2) (((log2)-HIST_MIN_SHIFT) * 4 + 2)

int column_spark_height(enum model_spark which, uint8_t level)
{
	static const struct column_spark durations = { SPARK_FROM(12), 8 }, rates = { SPARK_FROM(10), 12 };

	return column_spark_level(which == MODEL_SPARK_NET ? &rates : &durations, level);
}

int column_spark_level(const struct column_spark *scale, uint8_t level)
{
	int height = level < scale->low ? 0 : (level - scale->low) / scale->step;

	return !level ? 0 : height > 7 ? 8 : 1 + height;
}

struct column_spark column_spark_scale(const struct model_sparkline *s)
{
	struct column_spark scale = { .step = SPARK_STEP };
	uint8_t high = 0;

	for (int i = 0; i < MODEL_SPARK; i++) {
		if (!s->level[i])
			continue;
		if (!scale.low || s->level[i] < scale.low)
			scale.low = s->level[i];
		if (s->level[i] > high)
			high = s->level[i];
	}
	while ((high - scale.low) / scale.step > 7)
		scale.step++;
	return scale;
}

static int spark_format(const struct column *c, const struct row *r, bool utf8, char *buf, size_t size, int cells)
{
	static const char *const blocks[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	const struct model_sparkline *s = r->spark ? &r->spark[c->spark] : NULL;
	struct column_spark scale = { 0 };
	size_t used = 0;
	int n = cells < MODEL_SPARK ? cells : MODEL_SPARK, shown = 0;

	if (s)
		scale = column_spark_scale(s);

	buf[0] = '\0';
	for (int i = MODEL_SPARK - n; s && i < MODEL_SPARK; i++) {
		uint8_t level = s->level[(s->at + i) % MODEL_SPARK];
		const char letter[] = { level ? FORMAT_HEIGHTS[column_spark_level(&scale, level) - 1] : ' ', '\0' };
		const char *glyph = level && utf8 ? blocks[column_spark_level(&scale, level) - 1] : letter;

		if (used + strlen(glyph) >= size)
			break;
		strcpy(buf + used, glyph);
		used += strlen(glyph);
		shown++;
	}
	return shown;
}

/* An estimate has two figures at most: "3.1ms", not "3.14ms". */
static void two_figures(char *number)
{
	char *point = strchr(number, '.'), *end = point ? point + strspn(point + 1, "0123456789") + 1 : NULL;

	if (!point || end - number <= 3)
		return;
	memmove(end - 1, end, strlen(end) + 1);
	if (point[1] < '0' || point[1] > '9')
		memmove(point, point + 1, strlen(point));
}

/* Prints a number; zero is a dot, which the eye skips easily. */
static void number_format(const struct column *c, const struct value *v, bool utf8, char *buf, size_t size)
{
	bool zero = v->type == VALUE_REAL ? !(v->real > 0) : v->i == 0;
	const char *at_least = c->flags & COLUMN_LATENCY && utf8 ? "≥" : ">";
	char text[24];

	if (c->show == SHOW_ID) {
		snprintf(buf, size, "%lld", (long long)v->i);
		return;
	}
	if (zero) {
		snprintf(buf, size, utf8 ? "·" : ".");
		return;
	}
	switch (c->show) {
	case SHOW_SHARE:
		format_percent(text, sizeof(text), v->real);
		break;
	case SHOW_RATE:
		format_count(text, sizeof(text), v->real);
		break;
	case SHOW_BYTES_RATE:
		format_bytes(text, sizeof(text), v->real);
		break;
	case SHOW_COUNT:
		format_count(text, sizeof(text), (double)v->i);
		break;
	case SHOW_BYTES:
		format_bytes(text, sizeof(text), (double)v->i);
		break;
	default:
		format_ns(text, sizeof(text), (uint64_t)v->i);
	}
	if (v->about && !v->at_least)
		two_figures(text);
	snprintf(buf, size, "%s%s", v->at_least ? at_least : v->about ? "~" : "", text);
}

int column_format(const struct column *c, const struct row *r, bool utf8, char *buf, size_t size, int cells)
{
	struct value v;
	char number[32];

	if (size == 0 || cells <= 0) {
		if (size)
			buf[0] = '\0';
		return 0;
	}
	if (c->show == SHOW_SPARK)
		return spark_format(c, r, utf8, buf, size, cells);
	if (c->flags & COLUMN_WHY)
		return why_fit(r, utf8, buf, size, cells);
	v = column_value(c, r);
	if (v.type == VALUE_NONE)
		return format_clean(buf, size, "-", cells, utf8);
	if (v.type == VALUE_TEXT)
		return format_clean(buf, size, v.text, cells, utf8);
	number_format(c, &v, utf8, number, sizeof(number));
	if (format_clean(buf, size, number, INT_MAX, utf8) <= cells)
		return format_clean(buf, size, number, cells, utf8);
	/* A truncated number would read as another number. */
	if (cells >= (int)sizeof(number))
		cells = sizeof(number) - 1;
	memset(number, '#', (size_t)cells);
	number[cells] = '\0';
	return format_clean(buf, size, number, cells, utf8);
}
