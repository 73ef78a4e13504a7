/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A key press: a Unicode character, or one of the codes beyond Unicode. */
#ifndef KEY_H
#define KEY_H

#include <stdint.h>

enum {
	K_ESC = 27,
	K_ENTER = '\r',
	K_TAB = '\t',
	K_CTRL = 0x1f,	 /* mask: 'L' & K_CTRL */
	K_UP = 0x110000, /* beyond Unicode */
	K_DOWN,
	K_LEFT,
	K_RIGHT,
	K_PAGE_UP,
	K_PAGE_DOWN,
	K_HOME,
	K_END,
	K_BACKSPACE,
	K_DELETE,
	K_BACKTAB,
	K_MOUSE,
	K_F = 0x110100, /* K_F + 1 is F1 */
};

enum key_button { BUTTON_CLICK, BUTTON_WHEEL_UP, BUTTON_WHEEL_DOWN };

struct key {
	uint32_t code;
	int y, x; /* K_MOUSE */
	enum key_button button;
};

#endif
