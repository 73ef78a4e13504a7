/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What JSON says of system calls that are watched less closely (enum lt_level): estimates, and null for the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "synthetic.h"

static struct sample sample;
static struct json_object *reading;

static int drop(void **state)
{
	(void)state;
	json_object_put(reading);
	reading = NULL;
	sample_free(&sample);
	return 0;
}

static struct json_object *field(struct json_object *o, const char *path)
{
	char copy[100], *rest = copy, *key;

	snprintf(copy, sizeof(copy), "%s", path);
	while ((key = strsep(&rest, ".")))
		if (!json_object_object_get_ex(o, key, &o))
			fail_msg("no field %s", path);
	return o;
}

static struct json_object *element(struct json_object *o, const char *list, const char *key, int64_t value)
{
	struct json_object *array = field(o, list), *e;

	for (size_t i = 0; i < json_object_array_length(array); i++) {
		e = json_object_array_get_idx(array, i);
		if (json_object_get_int64(field(e, key)) == value)
			return e;
	}
	fail_msg("no %s with %s %lld", list, key, (long long)value);
	return NULL;
}

#define UNKNOWN INT64_MIN

struct expected {
	const char *path;
	int64_t value; /* UNKNOWN: null */
};

static void assert_fields(struct json_object *o, const struct expected *e, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct json_object *f = field(o, e[i].path);

		if (f ? e[i].value == UNKNOWN || json_object_get_int64(f) != e[i].value : e[i].value != UNKNOWN)
			fail_msg("%s is %s", e[i].path, json_object_to_json_string(f));
	}
}

#define FIELDS(o, expected) assert_fields(o, expected, sizeof(expected) / sizeof((expected)[0]))

/* A process of the synthetic sample with so many times its calls. */
static struct json_object *at_level(enum lt_level level, uint32_t times)
{
	char *argv[] = { "lagtop", "-j", NULL }, *output = NULL;
	struct model *model = model_new();
	struct options o;
	size_t len = 0;
	FILE *out = open_memstream(&output, &len);

	synthetic_fill(&sample, 1);
	sample.probe[SAMPLE_SYSCALL].level = (uint8_t)level;
	for (uint32_t i = 0; i < sample.n_works; i++)
		sample.works[i].calls *= times;
	for (uint32_t i = 0; i < sample.n_calls; i++)
		sample.calls[i].count *= times;
	assert_int_equal(options_parse(&o, 2, argv), 0);
	assert_null(sample_check(&sample));
	assert_int_equal(model_update(model, &sample), 0);
	assert_int_equal(batch_json(out, &o, model), 0);
	fclose(out);
	options_free(&o);
	model_free(model);
	json_object_put(reading);
	reading = json_tokener_parse(output);
	free(output);
	assert_non_null(reading);
	return element(reading, "processes", "pid", SYNTHETIC_SERVER);
}

/* What a level leaves out is null; an estimate says so, and is null if it is made from few calls. */
static void json_levels(void **state)
{
	static const struct expected none[] = {
		{ "calls.count", 107 },	     { "calls.errors", 3 },	  { "calls.total_ns", UNKNOWN },
		{ "calls.p50_ns", UNKNOWN }, { "calls.p99_ns", UNKNOWN }, { "calls.max_ns", UNKNOWN },
	};
	static const struct expected call_none[] = {
		{ "count", 100 },	{ "errors", 3 },	  { "errno.EAGAIN", 3 }, { "total_ns", UNKNOWN },
		{ "time_ns", UNKNOWN }, { "wait_ns", 700000000 }, { "p50_ns", UNKNOWN }, { "p99_ns", UNKNOWN },
		{ "max_ns", UNKNOWN },	{ "in_flight", 1 },
	};
	static const enum lt_level levels[] = { LT_LEVEL_SAMPLED, LT_LEVEL_EXITS };
	struct json_object *p;

	(void)state;
	for (int i = 0; i < 2; i++) {
		p = at_level(levels[i], 1);
		FIELDS(p, none);
		FIELDS(element(p, "syscalls", "nr", 0), call_none);
		assert_int_equal(json_object_get_boolean(field(p, "calls.estimated")), !i);
		assert_int_equal(json_object_get_boolean(field(reading, "host.calls.estimated")), !i);
		assert_null(field(reading, "host.calls.p99_ns"));
		assert_string_equal(json_object_get_string(field(reading, "probes.syscall.level")),
				    i ? "exits" : "1:16");
	}
	p = at_level(LT_LEVEL_SAMPLED, 1000);
	assert_int_equal(json_object_get_int64(field(element(p, "syscalls", "nr", 0), "total_ns")), 900000000);
	assert_non_null(field(p, "calls.p99_ns"));
	assert_true(json_object_get_boolean(field(p, "calls.estimated")));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_teardown(json_levels, drop) };

	return cmocka_run_group_tests_name("levels", tests, NULL, NULL);
}
