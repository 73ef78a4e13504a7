/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers and names for display: three significant figures with unit; hostile bytes cleaned. */
#ifndef FORMAT_H
#define FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FORMAT_HEIGHTS "_.-:=+*#" /* of a sparkline, in ASCII */

/* Each prints into buf (size ≥ 16) and returns buf. */
char *format_ns(char *buf, size_t size, uint64_t ns);	  /* "310us", "1.20ms", "17.2s", "3m05", "2h10m", "4d03h" */
char *format_count(char *buf, size_t size, double n);	  /* "812", "41.2k", "1.20M", "3.10G" */
char *format_bytes(char *buf, size_t size, double n);	  /* as format_count, decimal, "512", "1.20M" */
char *format_percent(char *buf, size_t size, double pct); /* "0.3", "16.3", "100", "1600" */

/* Copies at most max_cells columns of a hostile string as clean, printable UTF-8 (ASCII if !utf8):
 * control characters, escapes, C1, broken UTF-8, zero-width, bidi controls and what wcwidth refuses become "?"
 * (newline and tab a space); combining characters are dropped; a wide character is never cut in half.
 * A text that was cut ends in a mark, "\u2026" or "+", so that it is not taken for another name.
 * Returns the cells used. Always NUL-ended. */
int format_clean(char *buf, size_t size, const char *raw, int max_cells, bool utf8);

/* "10.0.0.5:80", "[::1]:80"; family: 4 or 6, address: in network order. Empty if it is none. */
char *format_endpoint(char *buf, size_t size, uint8_t family, const void *address, uint16_t port);

/* Valid UTF-8 for JSON and CSV: broken bytes become U+FFFD, nothing else changes. Returns the length. */
size_t format_utf8(char *buf, size_t size, const char *raw);

#endif
