/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a recording holds: every field of a sample, by name, in the order of the file. */
#ifndef RECORD_FIELDS_H
#define RECORD_FIELDS_H

#include "sample.h"

/* How a field stands in the file: as it is, or as its distance from a number of the reading, so that what only
 * goes on (an age, a whole lifetime) reads the same every second. SAMPLE_UNKNOWN stays itself. */
enum record_base { RECORD_PLAIN, RECORD_BEFORE, RECORD_BELOW }; /* t_ns − value; interval_ns − value */

/* `count` integers of `bytes` each, one after another, at `offset` of the element. */
struct record_field {
	const char *name;
	uint16_t offset, count;
	uint8_t bytes;
	uint8_t base; /* enum record_base; of 8-byte integers only */
};

/* An array of a sample, found at the offsets `array`, `n` and `cap` of struct sample; or, if `single`,
 * the sample itself. */
struct record_section {
	const char *name;
	const struct record_field *fields;
	size_t n_fields, element_bytes;
	bool single;
	size_t array, n, cap;
};

#define RECORD_SECTIONS 9
extern const struct record_section record_sections[RECORD_SECTIONS];

/* What stands in the file for a value, and the value that it stands for: the same function both ways. */
static inline uint64_t record_based(const struct sample *s, uint8_t base, uint64_t n)
{
	if (base == RECORD_PLAIN || n == SAMPLE_UNKNOWN)
		return n;
	return (base == RECORD_BEFORE ? s->t_ns : s->interval_ns) - n;
}

#endif
