/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of users: this test is the name service, which is slow, unavailable, or back again. */
#include <errno.h>
#include <pwd.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include "lagtop.h"
#include "lookup.h"
#include "names.h"

#define HANGS_S 60

enum { SLOW = 70001, DOWN = 80001, NOBODYS = 90001 };
static sem_t answer;
static unsigned questions, service_up;

/* Instead of the C library's. */
int getpwuid_r(uid_t uid, struct passwd *pw, char *buf, size_t size, struct passwd **result)
{
	__atomic_add_fetch(&questions, 1, __ATOMIC_SEQ_CST);
	*result = NULL;
	if (uid >= SLOW && uid < DOWN)
		while (sem_wait(&answer) && errno == EINTR)
			;
	if (uid >= NOBODYS)
		return 0;
	if (uid >= DOWN && !__atomic_load_n(&service_up, __ATOMIC_SEQ_CST))
		return EIO;
	snprintf(buf, size, "name-of-%u", uid);
	pw->pw_name = buf;
	*result = pw;
	return 0;
}

static void update_until(uint32_t uid, const char *name)
{
	static const struct timespec pause = { .tv_nsec = 1000000 };
	time_t deadline_s = time(NULL) + HANGS_S;

	for (names_update(); strcmp(names_user(uid), name) != 0; names_update()) {
		assert_true(time(NULL) < deadline_s);
		nanosleep(&pause, NULL);
	}
}

/* The machine's own file is used at once, the service when it answers. */
static void test_a_service_that_does_not_answer(void **state)
{
	const char *shown = names_user(0);

	(void)state;
	sem_init(&answer, 0, 0);
	assert_string_equal(shown, "root");
	for (uint32_t uid = SLOW; uid < SLOW + 5; uid++) { /* would wait for ever */
		char number[16];

		snprintf(number, sizeof(number), "%u", uid);
		assert_string_equal(names_user(uid), number);
	}
	update_until(0, "name-of-0");	    /* the service's answer replaces it */
	assert_string_equal(shown, "root"); /* rows may still show it */
	for (uint32_t uid = SLOW; uid < SLOW + 5; uid++)
		sem_post(&answer);
	for (uint32_t uid = SLOW; uid < SLOW + 5; uid++) {
		char name[24];

		snprintf(name, sizeof(name), "name-of-%u", uid);
		update_until(uid, name);
	}
}

/* A failure is not final. */
static void test_a_service_that_comes_back(void **state)
{
	time_t deadline_s = time(NULL) + HANGS_S;
	unsigned before = questions;

	(void)state;
	assert_string_equal(names_user(DOWN), "80001");
	while (__atomic_load_n(&questions, __ATOMIC_SEQ_CST) < before + 2) { /* it is queried again */
		assert_true(time(NULL) < deadline_s);
		update_until(DOWN, "80001");
	}
	__atomic_store_n(&service_up, 1, __ATOMIC_SEQ_CST);
	update_until(DOWN, "name-of-80001");
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Readings in quick succession do not query it each time, but twice a second, although it answers between them. */
static void test_nobody_by_that_number(void **state)
{
	static const struct timespec pause = { .tv_nsec = 1000000 };
	unsigned before = questions;
	double began = seconds();

	(void)state;
	assert_string_equal(names_user(NOBODYS), "90001");
	for (int i = 0; i < 100; i++) {
		names_update();
		nanosleep(&pause, NULL);
	}
	assert_string_equal(names_user(NOBODYS), "90001");
	assert_in_range(questions, before, before + 2 + (unsigned)(2 * (seconds() - began)));
}

#define MANY 20000

/* Like those of subordinate ids: each has a text that stays valid, whatever the service does, and the queue to it is
 * bounded. */
static void test_many_users(void **state)
{
	static const char *text[MANY];
	unsigned before = questions;
	char number[16];

	(void)state;
	for (uint32_t i = 0; i < MANY; i++)
		text[i] = names_user(NOBODYS + 1 + i);
	names_update();
	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(number, sizeof(number), "%u", NOBODYS + 1 + i);
		assert_ptr_equal(names_user(NOBODYS + 1 + i), text[i]);
		assert_string_equal(text[i], number);
	}
	assert_in_range(questions, before, before + 2 * MANY);
}

static void check_number(const char *(*name)(uint32_t), uint32_t number)
{
	const char *text = name(number);

	assert_in_range(strlen(text), 1, 63);
	assert_ptr_equal(name(number), text);
}

/* Any process may call any number and get any error. */
static void test_every_number_of_calls_and_errnos(void **state)
{
	(void)state;
	for (uint32_t abi = LT_ABI_NATIVE; abi <= LT_ABI_OTHERS; abi++)
		for (uint32_t nr = 0; nr <= LT_NR_FOLDED; nr++)
			check_number(names_call, LT_CALL(abi, nr));
	for (uint32_t error = 0; error <= 4095; error++)
		check_number(names_errno, error);
	assert_string_equal(names_call(LT_CALL(LT_ABI_NATIVE, 4000)), "#4000");
	assert_string_equal(names_errno(4095), "E4095");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_service_that_does_not_answer),
		cmocka_unit_test(test_a_service_that_comes_back),
		cmocka_unit_test(test_nobody_by_that_number),
		cmocka_unit_test(test_many_users),
		cmocka_unit_test(test_every_number_of_calls_and_errnos),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
