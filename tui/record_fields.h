/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a recording holds: every field of a sample, by name, in the order of the file. */
#ifndef RECORD_FIELDS_H
#define RECORD_FIELDS_H

#include "sample.h"

/* How a field is stored: as it is, or as its difference from a number of the reading, so that values that only grow
 * with time (an age, a lifetime) are the same in every reading. SAMPLE_UNKNOWN is stored as it is. */
enum record_base {
	RECORD_PLAIN,
	RECORD_BEFORE, /* t_ns − value */
	RECORD_BELOW,  /* interval_ns − value */
	RECORD_LATER,  /* as it is; files that are older than the field read as SAMPLE_UNKNOWN instead of 0 */
};

/* `count` integers of `bytes` each, one after another, at `offset` of the element. */
struct record_field {
	const char *name;
	uint16_t offset, count;
	uint8_t bytes;
	uint8_t base;	 /* enum record_base; of 8-byte integers only */
	uint8_t counter; /* enum lt_counter, or RECORD_NO_COUNTER */
};
#define RECORD_NO_COUNTER 255
_Static_assert(LT_COUNTERS < RECORD_NO_COUNTER, "a counter's number is a byte");

/* An array of a sample, found at the offsets `array`, `n` and `cap` of struct sample; or, if `single`,
 * the sample itself. */
struct record_section {
	const char *name;
	const struct record_field *fields;
	size_t n_fields, element_bytes;
	bool single;
	size_t array, n, cap;
};

#define RECORD_SECTIONS 15
extern const struct record_section record_sections[RECORD_SECTIONS];

/* A field of a section of version 1, and the n consecutive fields that replace it. */
struct record_old {
	const char *section, *name;
	const char *const *now;
	size_t n;
};
extern const struct record_old record_olds[];
extern const size_t record_olds_count;

/* A thread's state as version 1 numbered it; UINT8_MAX: it has none of that number. */
uint8_t record_state_of_v1(uint8_t state);

/* Converts a value to its stored form and back: the same function for both directions. */
static inline uint64_t record_based(const struct sample *s, uint8_t base, uint64_t n)
{
	if (base == RECORD_PLAIN || base == RECORD_LATER || n == SAMPLE_UNKNOWN)
		return n;
	return (base == RECORD_BEFORE ? s->t_ns : s->interval_ns) - n;
}

#endif
