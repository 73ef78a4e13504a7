/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON into a stream: see json_write.h. Only this thread uses the stream, so it is not locked. */
#include "json_write.h"

#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "grow.h"

static void begin(struct json_writer *w, const char *key)
{
	if (w->comma)
		putc_unlocked(',', w->out);
	w->comma = true;
	if (!key)
		return;
	putc_unlocked('"', w->out);
	fputs_unlocked(key, w->out);
	fputs_unlocked("\":", w->out);
}

void json_open(struct json_writer *w, const char *key, char bracket)
{
	begin(w, key);
	putc_unlocked(bracket, w->out);
	w->comma = false;
}

void json_close(struct json_writer *w, char bracket)
{
	putc_unlocked(bracket, w->out);
	w->comma = true;
}

void json_null(struct json_writer *w, const char *key)
{
	begin(w, key);
	fputs_unlocked("null", w->out);
}

void json_bool(struct json_writer *w, const char *key, bool value)
{
	begin(w, key);
	fputs_unlocked(value ? "true" : "false", w->out);
}

static void put_digits(FILE *out, uint64_t n)
{
	char digits[20], *at = digits + sizeof(digits);

	do
		*--at = (char)('0' + n % 10);
	while (n /= 10);
	fwrite_unlocked(at, 1, (size_t)(digits + sizeof(digits) - at), out);
}

void json_unsigned(struct json_writer *w, const char *key, uint64_t n)
{
	begin(w, key);
	put_digits(w->out, n);
}

void json_signed(struct json_writer *w, const char *key, int64_t n)
{
	begin(w, key);
	if (n < 0)
		putc_unlocked('-', w->out);
	put_digits(w->out, n < 0 ? -(uint64_t)n : (uint64_t)n);
}

void json_thousandths(struct json_writer *w, const char *key, double n)
{
	uint64_t thousandths = n < 1e15 ? (uint64_t)(n * 1000 + 0.5) : 1000000000000000000;

	begin(w, key);
	put_digits(w->out, thousandths / 1000);
	fprintf(w->out, ".%03u", (unsigned)(thousandths % 1000)); /* "%f" would use the locale's decimal point */
}

/* The raw text as UTF-8 in the writer's buffer; "" when out of memory. */
static const char *to_utf8(struct json_writer *w, const char *raw)
{
	if (!GROW(w->utf8, w->utf8_size, strlen(raw) * 3 + 1)) {
		w->out_of_memory = true;
		return "";
	}
	format_utf8(w->utf8, w->utf8_size, raw);
	return w->utf8;
}

void json_text(struct json_writer *w, const char *key, const char *raw)
{
	const unsigned char *c = (const unsigned char *)to_utf8(w, raw), *plain = c;

	begin(w, key);
	putc_unlocked('"', w->out);
	for (; *c; c++) {
		bool c1 = *c == 0xc2 && c[1] < 0xa0; /* U+0080 to U+009F, which terminals interpret */

		if (*c >= ' ' && *c != '"' && *c != '\\' && *c != 0x7f && !c1)
			continue;
		fwrite_unlocked(plain, 1, (size_t)(c - plain), w->out);
		if (*c == '"' || *c == '\\')
			fprintf(w->out, "\\%c", *c);
		else
			fprintf(w->out, "\\u%04x", c1 ? c[1] : *c);
		c += c1;
		plain = c + 1;
	}
	fwrite_unlocked(plain, 1, (size_t)(c - plain), w->out);
	putc_unlocked('"', w->out);
}

void json_writer_free(struct json_writer *w)
{
	free(w->utf8);
	w->utf8 = NULL;
	w->utf8_size = 0;
}
