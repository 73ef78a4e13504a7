/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers and names for display. Numbers: at most six cells, three significant figures, so that a
 * column never jumps; a nonzero value never prints as zero. Names: whatever name a process
 * sets, the result is safe to write to a terminal (format_clean) or into JSON
 * (format_utf8). Both decode UTF-8 by utf8.h, because mbrtowc depends on the locale; widths are
 * wcwidth's, as in ncurses.
 */
#include "format.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "utf8.h"

#define NSEC_PER_SEC 1000000000ULL

/* Three significant figures of 0.9995 <= n < 999.5. */
static void print_three(char *buf, size_t size, double n, const char *unit)
{
	int decimals = n < 9.995 ? 2 : n < 99.95 ? 1 : 0;

	snprintf(buf, size, "%.*f%s", decimals, n, unit);
}

char *format_ns(char *buf, size_t size, uint64_t ns)
{
	uint64_t s = ns / NSEC_PER_SEC + (ns % NSEC_PER_SEC >= NSEC_PER_SEC / 2), m = (s + 30) / 60, h = (m + 30) / 60;

	if (ns == 0)
		snprintf(buf, size, "0");
	else if (ns < 1000)
		snprintf(buf, size, "%uns", (unsigned)ns);
	else if (ns < 999500)
		print_three(buf, size, (double)ns / 1e3, "us");
	else if (ns < 999500000)
		print_three(buf, size, (double)ns / 1e6, "ms");
	else if (ns < 59950000000)
		print_three(buf, size, (double)ns / 1e9, "s");
	else if (s < 3600)
		snprintf(buf, size, "%um%02u", (unsigned)(s / 60), (unsigned)(s % 60));
	else if (m < 24 * 60)
		snprintf(buf, size, "%uh%02um", (unsigned)(m / 60), (unsigned)(m % 60));
	else if (h < 100 * 24)
		snprintf(buf, size, "%ud%02uh", (unsigned)(h / 24), (unsigned)(h % 24));
	else if (h < 10000 * 24)
		snprintf(buf, size, "%ud", (unsigned)(h / 24));
	else
		snprintf(buf, size, "%uy", (unsigned)(h / 24 / 365));
	return buf;
}

char *format_count(char *buf, size_t size, double n)
{
	static const char units[] = "kMGTPE";
	int unit = -1;

	if (!(n > 0)) {
		snprintf(buf, size, "0");
		return buf;
	}
	while (n >= 999.5 && unit < (int)sizeof(units) - 2) {
		n /= 1000;
		unit++;
	}
	if (unit >= 0) {
		print_three(buf, size, n, (const char[]){ units[unit], '\0' });
	} else if (n < 0.0005) {
		snprintf(buf, size, "<.001");
	} else if (n < 0.9995) {
		snprintf(buf, size, "%.3f", n);
	} else {
		/* "12", not "12.0": a rate over 1.0001 s is rarely whole, but reads better so. */
		double whole = round(n);

		if (fabs(n - whole) < (n < 9.995 ? 0.005 : 0.05))
			snprintf(buf, size, "%.0f", whole);
		else
			print_three(buf, size, n, "");
	}
	return buf;
}

char *format_bytes(char *buf, size_t size, double n)
{
	return format_count(buf, size, n);
}

char *format_percent(char *buf, size_t size, double pct)
{
	if (!(pct > 0))
		snprintf(buf, size, "0");
	else if (pct < 0.05)
		snprintf(buf, size, "<0.1");
	else if (pct < 99.95)
		snprintf(buf, size, "%.1f", pct);
	else if (pct < 99999.5)
		snprintf(buf, size, "%.0f", pct);
	else
		return format_count(buf, size, pct);
	return buf;
}

/* Invisible characters that change how their neighbours look, or hide that there is text. */
static bool is_invisible(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x00ad, 0x00ad },   { 0x061c, 0x061c },   { 0x115f, 0x1160 }, { 0x180e, 0x180e },
		{ 0x200b, 0x200f },   { 0x2028, 0x202e },   { 0x2060, 0x206f }, { 0x3164, 0x3164 },
		{ 0xfeff, 0xfeff },   { 0xffa0, 0xffa0 },   { 0xfff0, 0xfffb }, { 0x1bca0, 0x1bca3 },
		{ 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

/* The mark at the end of a text that was cut; one cell. */
static const char *cut_mark(bool utf8)
{
	return utf8 && wcwidth(0x2026) == 1 ? "\u2026" : "+";
}

/* One character in a form that is safe for a terminal: *bytes, *len and its cells, 0 for those that only change their
 * neighbours. Returns how many bytes of raw it takes. */
static int clean_one(const char *raw, bool utf8, const char **bytes, int *len, int *width)
{
	uint32_t c;
	bool valid;
	int taken = (int)utf8_decode(raw, &c, &valid);

	*bytes = raw;
	*len = taken;
	*width = c >= 0xa0 && valid ? wcwidth((wchar_t)c) : 1;
	if (c == '\n' || c == '\t')
		*bytes = " ";
	else if (!valid || utf8_is_control(c) || is_invisible(c) || *width < 0 || (c >= 0x80 && !utf8 && *width))
		*bytes = "?";
	else
		return taken;
	*len = *width = 1;
	return taken;
}

int format_clean(char *buf, size_t size, const char *raw, int max_cells, bool utf8)
{
	const char *mark = cut_mark(utf8), *bytes;
	size_t used = 0, cut_used = 0;
	int cells = 0, cut_cells = -1, len, width;

	if (size == 0)
		return 0;
	while (*raw) {
		raw += clean_one(raw, utf8, &bytes, &len, &width);
		if (width == 0)
			continue; /* combining */
		if (cells < max_cells && used + strlen(mark) < size) {
			cut_used = used;
			cut_cells = cells;
		}
		if (cells + width > max_cells || used + (size_t)len >= size) {
			used = cut_used;
			cells = cut_cells + 1;
			if (cells)
				used += (size_t)sprintf(buf + used, "%s", mark);
			break;
		}
		memcpy(buf + used, bytes, (size_t)len);
		used += (size_t)len;
		cells += width;
	}
	buf[used] = '\0';
	return cells;
}

size_t format_utf8(char *buf, size_t size, const char *raw)
{
	size_t used = 0;

	if (size == 0)
		return 0;
	while (*raw) {
		const char *bytes = raw;
		uint32_t c;
		bool valid;
		char replacement[UTF8_BYTES];
		size_t len = utf8_decode(raw, &c, &valid);

		raw += len;
		if (!valid) {
			bytes = replacement;
			len = utf8_encode(replacement, c);
		}
		if (used + len >= size)
			break;
		memcpy(buf + used, bytes, len);
		used += len;
	}
	buf[used] = '\0';
	return used;
}

char *format_endpoint(char *buf, size_t size, uint8_t family, const void *address, uint16_t port)
{
	char ip[INET6_ADDRSTRLEN];

	*buf = '\0';
	if (inet_ntop(family == 6 ? AF_INET6 : AF_INET, address, ip, sizeof(ip)))
		snprintf(buf, size, family == 6 ? "[%s]:%u" : "%s:%u", ip, port);
	return buf;
}
