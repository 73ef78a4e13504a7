/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes JSON directly into a stream, without building a tree. Keys are plain ASCII, NULL
 * inside arrays and for the outermost value. Texts are hostile bytes: they are written as valid
 * UTF-8 without control characters.
 */
#ifndef JSON_WRITE_H
#define JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json_writer {
	FILE *out;
	bool comma; /* needed before the next value */
	char *utf8; /* of the longest text so far */
	size_t utf8_size;
	bool out_of_memory;
};

void json_open(struct json_writer *w, const char *key, char bracket); /* '{' or '[' */
void json_close(struct json_writer *w, char bracket);		      /* '}' or ']' */
void json_null(struct json_writer *w, const char *key);
void json_bool(struct json_writer *w, const char *key, bool value);
void json_unsigned(struct json_writer *w, const char *key, uint64_t n);
void json_signed(struct json_writer *w, const char *key, int64_t n);
/* A non-negative number with three decimals. */
void json_thousandths(struct json_writer *w, const char *key, double n);
void json_text(struct json_writer *w, const char *key, const char *raw);
void json_writer_free(struct json_writer *w);

#endif
