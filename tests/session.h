/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the screen tests share: lagtop on a terminal of vt.h, showing a recording of fixture.h, with --manual. */
#ifndef SESSION_H
#define SESSION_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include "fixture.h"
#include "vt.h"

struct session {
	int rows, cols;	  /* 0: 24x80 */
	const char *term; /* NULL: xterm-256color */
	const char *lang; /* NULL: C.UTF-8 */
	enum fixture_kind kind;
	const char *args[8]; /* further ones of lagtop */
	const char *env[4];
};

/* Group setup and teardown: a folder for recordings and settings, made and removed. */
int session_setup(void **state);
int session_teardown(void **state);
/* Teardown of each test: ends what it left running, and removes the settings it wrote. */
int session_end(void **state);

/* Starts lagtop and waits for its first frame, which shows the first reading. Fails the test if none comes. */
struct vt *session_open(const struct session *s);
/* Presses keys by name, each followed by its frame. Ends with NULL. */
void session_press(struct vt *v, ...) __attribute__((sentinel));
/* The path of a recording of that kind, valid until the next call. */
const char *session_recording(enum fixture_kind kind);
/* The path of lagtoprc in this test's settings. */
const char *session_settings(void);

/* Asserts that the screen equals tests/golden/NAME.txt; with UPDATE_GOLDEN=1 writes it there. */
void session_golden(struct vt *v, const char *name);
/* Asserts that line y contains text. */
void session_line(struct vt *v, int y, const char *text);
/* Asserts that some line contains text, and returns which. */
int session_shows(struct vt *v, const char *text);
void session_hides(struct vt *v, const char *text);
/* The line of the cursor in a table, found by its background; -1: none. */
int session_cursor(struct vt *v);

#endif
