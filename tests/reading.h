/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Samples made by hand and a model fed with them, for the model's tests. Each builder appends to the
 * process or thread appended last; a failure fails the test.
 */
#ifndef READING_H
#define READING_H

#include "model.h"

#define SECOND_NS 1000000000ULL
#define MS_NS 1000000ULL

/* Empties a sample: reading `number`, one second, two CPUs, all families on. */
void reading_begin(struct sample *s, uint32_t number);
struct sample_process *reading_process(struct sample *s, uint32_t pid, uint64_t start_ns, const char *comm);
/* A thread that did nothing. */
struct sample_thread *reading_thread(struct sample *s, uint32_t tid, enum lt_state state);
/* A thread that ran for run_ns and spent the rest in state. */
struct sample_work *reading_busy(struct sample *s, uint32_t tid, enum lt_state state, uint64_t run_ns);
/* count more durations of ns, in growing order. */
void reading_dist(struct sample *s, struct sample_dist *d, uint64_t ns, uint32_t count);
/* count calls that returned, each of ns, `errors` of them with `error`. */
struct sample_call *reading_call(struct sample *s, struct sample_work *w, uint32_t nr, uint32_t count, uint64_t ns,
				 uint32_t error, uint32_t errors);

/* A model, new for each test, and one sample that is reused for each reading, as by the screen: nothing may depend on
 * its former contents. */
extern struct model *reading_model;
int reading_setup(void **state);
int reading_teardown(void **state);
struct sample *reading_next(uint32_t number);
void reading_update(const struct sample *s);

/* The rows of a query, of which there must be `expected`; an interval's process row, or NULL. */
struct row *reading_rows(const struct model_query *q, int expected);
struct row *reading_row(uint32_t pid);

/* Within the error of a histogram. */
void reading_assert_near(uint64_t got, uint64_t exact);

#define READING_TEST(name) cmocka_unit_test_setup_teardown(name, reading_setup, reading_teardown)

#endif
