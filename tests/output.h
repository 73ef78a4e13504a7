/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the outputs without a screen write for a reading made by hand, and their JSON. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <json-c/json.h>
#include <stdint.h>
#include <stdio.h>

#include "batch.h"

extern struct sample output_sample;
extern struct model *output_model;	   /* of the last output */
extern struct json_object *output_reading; /* the last JSON, */
extern char *output_written;		   /* and the last output as it was written */

typedef int output_writer(FILE *out, const struct options *o, struct model *m);

/* Setup and teardown of each test. */
int output_refill(void **state);
int output_drop(void **state);

/* The output of `write` for the sample with these options, words separated by spaces. Valid until the next one. */
const char *output_of(output_writer *write, const char *words);
struct json_object *output_json(const char *words);

/* The field at a path; its absence fails the test. NULL: null. */
struct json_object *output_field(struct json_object *o, const char *path);
int64_t output_number(struct json_object *o, const char *path);
const char *output_string(struct json_object *o, const char *path);
struct json_object *output_element(struct json_object *o, const char *list, const char *key, int64_t value);

struct output_expected {
	const char *path;
	int64_t value; /* OUTPUT_NULL: null */
};
#define OUTPUT_NULL INT64_MIN

void output_compare(struct json_object *o, const struct output_expected *e, size_t n);
#define OUTPUT_COMPARE(o, table) output_compare(o, table, sizeof(table) / sizeof((table)[0]))

#endif
