/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a recording holds: every field of a sample, by name, in the order of the file. */
#ifndef RECORD_FIELDS_H
#define RECORD_FIELDS_H

#include "sample.h"

/* `count` integers of `bytes` each, one after another, at `offset` of the element. */
struct record_field {
	const char *name;
	uint16_t offset, count;
	uint8_t bytes;
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

#endif
