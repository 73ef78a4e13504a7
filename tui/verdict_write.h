/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lagtop why: the verdict as text and as JSON. */
#ifndef VERDICT_WRITE_H
#define VERDICT_WRITE_H

#include "verdict.h"

/* Its lines, clean, without a line break: "1. …", its advice, …, "Not: …". line: 0, 1, …; false: there are no more. */
bool verdict_line(const struct verdict *v, uint32_t line, bool utf8, char *buf, size_t size);

/* 0 or -errno of the stream. s: the last reading. chosen_ns: for how long the focus was chosen before; 0: it was not.
 */
int verdict_text(FILE *out, const struct verdict *v, const struct sample *s);
int verdict_json(FILE *out, const struct verdict *v, const struct sample *s, uint64_t chosen_ns);

#endif
