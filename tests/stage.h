/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the screen tests share: lagtop on a terminal of vt.h, showing a recording of fixture.h, with --manual. */
#ifndef STAGE_H
#define STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include "fixture.h"
#include "vt.h"

struct stage {
	int rows, cols;	  /* 0: 24x80 */
	const char *term; /* NULL: xterm-256color */
	const char *lang; /* NULL: C.UTF-8 */
	enum fixture_kind kind;
	const char *args[8]; /* further ones of lagtop */
	const char *env[4];
};

/* Group setup and teardown: a folder for recordings and settings, made and removed. */
int stage_setup(void **state);
int stage_teardown(void **state);
/* Teardown of each test: ends what it left, and forgets the settings it made. */
int stage_end(void **state);

/* Starts lagtop and waits for its first frame, which shows the first reading. Fails the test if none comes. */
struct vt *stage_open(const struct stage *s);
/* Keys by name, one after the other, each with its frame. Ends with NULL. */
void stage_press(struct vt *v, ...) __attribute__((sentinel));
/* The path of a recording of that kind, valid until the next call. */
const char *stage_recording(enum fixture_kind kind);
/* The path of lagtoprc in this test's settings. */
const char *stage_settings(void);

/* The screen is as tests/golden/NAME.txt says; with UPDATE_GOLDEN=1 it is written there. */
void stage_golden(struct vt *v, const char *name);
/* Line y holds text. */
void stage_line(struct vt *v, int y, const char *text);
/* Some line holds text: which. */
int stage_shows(struct vt *v, const char *text);
void stage_hides(struct vt *v, const char *text);
/* The line of the cursor in a table, told by its background; -1: none. */
int stage_cursor(struct vt *v);

#endif
