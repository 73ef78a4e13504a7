/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "synthetic.h"

struct sample output_sample;
struct model *output_model;
char *output_written;

const char *output_of(output_writer *write, const char *words)
{
	static char line[500];
	char *argv[32] = { "lagtop" }, *rest = line, *word;
	struct options o;
	size_t len = 0;
	int argc = 1;
	FILE *out;

	snprintf(line, sizeof(line), "%s", words);
	while ((word = strsep(&rest, " ")))
		if (*word)
			argv[argc++] = word;
	assert_int_equal(options_parse(&o, argc, argv), 0);
	model_free(output_model);
	output_model = model_new();
	assert_non_null(output_model);
	assert_null(sample_check(&output_sample));
	assert_int_equal(model_update(output_model, &output_sample), 0);
	free(output_written);
	output_written = NULL;
	out = open_memstream(&output_written, &len);
	assert_non_null(out);
	assert_int_equal(write(out, &o, output_model), 0);
	fclose(out);
	options_free(&o);
	return output_written;
}

int output_refill(void **state)
{
	(void)state;
	synthetic_fill(&output_sample, 1);
	return 0;
}

struct json_object *output_reading;

int output_drop(void **state)
{
	(void)state;
	json_object_put(output_reading);
	output_reading = NULL;
	free(output_written);
	output_written = NULL;
	model_free(output_model);
	output_model = NULL;
	sample_free(&output_sample);
	return 0;
}

struct json_object *output_json(const char *words)
{
	const char *text = output_of(batch_json, words);

	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' && *c != '\n')
			fail_msg("a control character in JSON: %02x", (unsigned char)*c);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	json_object_put(output_reading);
	output_reading = json_tokener_parse(text);
	assert_non_null(output_reading);
	return output_reading;
}

struct json_object *output_field(struct json_object *o, const char *path)
{
	char copy[100], *rest = copy, *key;

	snprintf(copy, sizeof(copy), "%s", path);
	while ((key = strsep(&rest, ".")))
		if (!json_object_object_get_ex(o, key, &o))
			fail_msg("no field %s", path);
	return o;
}

int64_t output_number(struct json_object *o, const char *path)
{
	struct json_object *n = output_field(o, path);

	if (!json_object_is_type(n, json_type_int))
		fail_msg("%s is not a number: %s", path, json_object_to_json_string(n));
	return json_object_get_int64(n);
}

const char *output_string(struct json_object *o, const char *path)
{
	struct json_object *t = output_field(o, path);

	if (!json_object_is_type(t, json_type_string))
		fail_msg("%s is not a text: %s", path, json_object_to_json_string(t));
	return json_object_get_string(t);
}

struct json_object *output_element(struct json_object *o, const char *list, const char *key, int64_t value)
{
	struct json_object *array = output_field(o, list), *e;

	for (size_t i = 0; i < json_object_array_length(array); i++) {
		e = json_object_array_get_idx(array, i);
		if (json_object_get_int64(output_field(e, key)) == value)
			return e;
	}
	fail_msg("no %s with %s %lld", list, key, (long long)value);
	return NULL;
}

void output_compare(struct json_object *o, const struct output_expected *e, size_t n)
{
	for (size_t i = 0; i < n && e[i].path; i++) {
		if (e[i].value == OUTPUT_NULL) {
			if (output_field(o, e[i].path))
				fail_msg("%s is %s, not null", e[i].path,
					 json_object_to_json_string(output_field(o, e[i].path)));
		} else if (output_number(o, e[i].path) != e[i].value) {
			fail_msg("%s is %lld, not %lld", e[i].path, (long long)output_number(o, e[i].path),
				 (long long)e[i].value);
		}
	}
}
