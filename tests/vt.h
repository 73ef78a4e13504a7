/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A terminal without a screen: a program on a pty, what it writes turned into cells by libvterm.
 * Nothing sleeps: with --manual the program ends each frame with its number, and the test reads
 * until the frame it asked for. A deadline only ends what hangs, and fails the test.
 */
#ifndef VT_H
#define VT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <termios.h>

struct vt {
	pid_t pid;
	int fd, rows, cols;
	uint32_t frame; /* the last complete one */
	void *term, *screen;
	char *bytes; /* everything that was written, without frame marks */
	size_t n_bytes, cap_bytes;
	char mark[24]; /* a partial mark */
	size_t n_mark;
	bool ended;
};

struct vt_cell {
	char text[32]; /* UTF-8; "" in the right half of a wide character */
	bool bold, reverse, underline;
	int fg, bg; /* palette index; -1: the terminal's own */
	uint8_t rgb[3], bg_rgb[3];
	int width;
};

struct vt_start {
	int rows, cols;
	const char *term, *lang;
	const char *const *env;	 /* "NAME=value", NULL-ended, or NULL */
	const char *const *argv; /* NULL-ended */
};

/* Starts a program on a new terminal. Fails the test if that is not possible. */
struct vt *vt_open(const struct vt_start *start);
/* Ends the program if it still runs. NULL is legal. */
void vt_close(struct vt *v);

/* Reads until frame `frame` arrived. False: the program ended, or nothing came for 10 s. */
bool vt_wait(struct vt *v, uint32_t frame);
/* Reads what is available. False: the program ended, or nothing came for 10 s. */
bool vt_read_some(struct vt *v);
/* Writes keys and reads until the next frame. */
bool vt_keys(struct vt *v, const char *keys);
/* The same with each key by its name: "Down", "F6", "Esc", "x", "^L", "1". */
bool vt_press(struct vt *v, const char *name);
const char *vt_key_bytes(const char *name, char buf[2]);
bool vt_resize(struct vt *v, int rows, int cols);
/* Reads what comes for at most ms milliseconds without asking for a frame (programs that have no marks). */
void vt_read(struct vt *v, int ms);
/* Reads to the end of the program; its exit status, or 128 + signal; -1: it hangs. */
int vt_end(struct vt *v);
/* The terminal's modes now, as the program left them. */
struct termios vt_modes(const struct vt *v);

/* A line as text, without trailing spaces, valid until the next call; the column of a text in it, or -1. */
const char *vt_line(struct vt *v, int y);
int vt_find(struct vt *v, int y, const char *text);
/* The first line that contains a text, or -1. */
int vt_line_of(struct vt *v, const char *text);
struct vt_cell vt_cell(struct vt *v, int y, int x);
/* The whole screen as lines. The caller frees. */
char *vt_picture(struct vt *v);

#endif
