/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See vt.h. */
#include "vt.h"

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <vterm.h>

#include "utf8.h"

#define DEADLINE_MS 10000
#define MARK "\033]7777;"

static void die(const char *what)
{
	fprintf(stderr, "vt: %s: %s\n", what, strerror(errno));
	abort();
}

/* Fixed terminal modes, whatever terminal the tests were started from. */
static struct termios plain_modes(void)
{
	struct termios t = {
		.c_iflag = ICRNL | IXON | BRKINT,
		.c_oflag = OPOST | ONLCR,
		.c_cflag = CS8 | CREAD | HUPCL,
		.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | IEXTEN,
	};

	t.c_cc[VINTR] = 3;
	t.c_cc[VQUIT] = 28;
	t.c_cc[VERASE] = 127;
	t.c_cc[VKILL] = 21;
	t.c_cc[VEOF] = 4;
	t.c_cc[VSUSP] = 26;
	t.c_cc[VMIN] = 1;
	cfsetispeed(&t, B38400);
	cfsetospeed(&t, B38400);
	return t;
}

static void run_child(const struct vt_start *s)
{
	clearenv();
	/* A process started by posix_spawn (as by make) has the C library's own signals ignored. */
	for (int signal = 32; signal <= 33; signal++)
		syscall(SYS_rt_sigaction, signal, (char[64]){ 0 }, NULL, 8);
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("TZ", "UTC", 1);
	setenv("TERM", s->term ? s->term : "xterm-256color", 1);
	setenv("LANG", s->lang ? s->lang : "C.UTF-8", 1);
	setenv("HOME", "/nonexistent", 1);
	for (int i = 0; s->env && s->env[i]; i++)
		putenv(strdup(s->env[i]));
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execvp(s->argv[0], (char *const *)s->argv);
	_exit(127);
}

struct vt *vt_open(const struct vt_start *s)
{
	struct winsize ws = { .ws_row = (unsigned short)s->rows, .ws_col = (unsigned short)s->cols };
	struct termios modes = plain_modes();
	struct vt *v = calloc(1, sizeof(*v));

	if (!v)
		die("memory");
	v->rows = s->rows;
	v->cols = s->cols;
	v->term = vterm_new(s->rows, s->cols);
	vterm_set_utf8(v->term, !s->lang || strstr(s->lang, "UTF-8"));
	v->screen = vterm_obtain_screen(v->term);
	vterm_screen_enable_altscreen(v->screen, 1);
	vterm_screen_reset(v->screen, 1);
	v->pid = forkpty(&v->fd, NULL, &modes, &ws);
	if (v->pid < 0)
		die("forkpty");
	if (!v->pid)
		run_child(s);
	return v;
}

void vt_close(struct vt *v)
{
	if (!v)
		return;
	if (!v->ended) {
		kill(v->pid, SIGKILL);
		waitpid(v->pid, NULL, 0);
	}
	close(v->fd);
	vterm_free(v->term);
	free(v->bytes);
	free(v);
}

static void keep(struct vt *v, const char *bytes, size_t n)
{
	if (!n)
		return;
	if (v->n_bytes + n > v->cap_bytes) {
		v->cap_bytes = (v->n_bytes + n) * 2;
		v->bytes = realloc(v->bytes, v->cap_bytes);
		if (!v->bytes)
			die("memory");
	}
	memcpy(v->bytes + v->n_bytes, bytes, n);
	v->n_bytes += n;
	vterm_input_write(v->term, bytes, n);
}

/* Frame marks are ours, not the terminal's: they are taken out. */
static void take(struct vt *v, char c)
{
	size_t head = strlen(MARK);

	if (v->n_mark < head ? c == MARK[v->n_mark] : v->n_mark < sizeof(v->mark) - 1) {
		v->mark[v->n_mark++] = c;
		if (c == '\a') {
			v->frame = (uint32_t)strtoul(v->mark + head, NULL, 10);
			v->n_mark = 0;
			memset(v->mark, 0, sizeof(v->mark));
		}
		return;
	}
	keep(v, v->mark, v->n_mark);
	v->n_mark = 0;
	if (c == MARK[0])
		v->mark[v->n_mark++] = c;
	else
		keep(v, &c, 1);
}

/* Reads once. False: the end, or nothing for that long. */
static bool read_some(struct vt *v, int ms)
{
	struct pollfd p = { .fd = v->fd, .events = POLLIN };
	char buf[4096];
	ssize_t n;

	if (poll(&p, 1, ms) <= 0)
		return false;
	n = read(v->fd, buf, sizeof(buf));
	for (ssize_t i = 0; i < n; i++)
		take(v, buf[i]);
	return n > 0;
}

bool vt_wait(struct vt *v, uint32_t frame)
{
	while (v->frame < frame)
		if (!read_some(v, DEADLINE_MS))
			return false;
	return true;
}

bool vt_read_some(struct vt *v)
{
	return read_some(v, DEADLINE_MS);
}

void vt_read(struct vt *v, int ms)
{
	struct timespec now, end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += ms / 1000;
	end.tv_nsec += ms % 1000 * 1000000L;
	for (;;) {
		long left;

		clock_gettime(CLOCK_MONOTONIC, &now);
		left = (end.tv_sec - now.tv_sec) * 1000 + (end.tv_nsec - now.tv_nsec) / 1000000;
		if (left <= 0 || !read_some(v, (int)left))
			return;
	}
}

bool vt_keys(struct vt *v, const char *keys)
{
	uint32_t next = v->frame + 1;
	size_t len = strlen(keys);

	if (write(v->fd, keys, len) != (ssize_t)len)
		return false;
	return vt_wait(v, next);
}

const char *vt_key_bytes(const char *name, char buf[2])
{
	static const struct {
		const char *name, *bytes;
	} keys[] = {
		{ "Up", "\033OA" },    { "Down", "\033OB" }, { "Right", "\033OC" }, { "Left", "\033OD" },
		{ "Home", "\033OH" },  { "End", "\033OF" },  { "PgUp", "\033[5~" }, { "PgDn", "\033[6~" },
		{ "Esc", "\033" },     { "Enter", "\r" },    { "Tab", "\t" },	    { "Shift-Tab", "\033[Z" },
		{ "Bksp", "\177" },    { "Del", "\033[3~" }, { "Space", " " },	    { "F1", "\033OP" },
		{ "F2", "\033OQ" },    { "F3", "\033OR" },   { "F4", "\033OS" },    { "F5", "\033[15~" },
		{ "F6", "\033[17~" },  { "F7", "\033[18~" }, { "F8", "\033[19~" },  { "F9", "\033[20~" },
		{ "F10", "\033[21~" },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strcmp(keys[i].name, name))
			return keys[i].bytes;
	if (name[0] == '^' && name[1]) {
		buf[0] = name[1] & 0x1f;
		buf[1] = 0;
		return buf;
	}
	return name;
}

bool vt_press(struct vt *v, const char *name)
{
	char buf[2];

	return vt_keys(v, vt_key_bytes(name, buf));
}

bool vt_resize(struct vt *v, int rows, int cols)
{
	struct winsize ws = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols };
	uint32_t next = v->frame + 1;

	v->rows = rows;
	v->cols = cols;
	vterm_set_size(v->term, rows, cols);
	if (ioctl(v->fd, TIOCSWINSZ, &ws))
		die("TIOCSWINSZ");
	return vt_wait(v, next);
}

int vt_end(struct vt *v)
{
	int status;

	while (read_some(v, DEADLINE_MS))
		;
	for (int tries = 0; waitpid(v->pid, &status, WNOHANG) == 0; tries++) {
		/* The pty ends a moment before the program. */
		if (tries == DEADLINE_MS)
			return -1;
		poll(NULL, 0, 1);
	}
	v->ended = true;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct termios vt_modes(const struct vt *v)
{
	struct termios t;

	if (tcgetattr(v->fd, &t))
		die("tcgetattr");
	return t;
}

static int colour(struct vt *v, VTermColor c, bool foreground, uint8_t rgb[3])
{
	bool own = foreground ? VTERM_COLOR_IS_DEFAULT_FG(&c) : VTERM_COLOR_IS_DEFAULT_BG(&c);
	int index = !own && VTERM_COLOR_IS_INDEXED(&c) ? c.indexed.idx : -1;

	vterm_screen_convert_color_to_rgb(v->screen, &c);
	rgb[0] = c.rgb.red;
	rgb[1] = c.rgb.green;
	rgb[2] = c.rgb.blue;
	return index;
}

struct vt_cell vt_cell(struct vt *v, int y, int x)
{
	struct vt_cell out = { .width = 1 };
	VTermScreenCell cell;
	size_t at = 0;

	if (!vterm_screen_get_cell(v->screen, (VTermPos){ .row = y, .col = x }, &cell))
		return out;
	for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell.chars[i] && cell.chars[i] != (uint32_t)-1; i++)
		at += utf8_encode(out.text + at, cell.chars[i]);
	if (!at && cell.chars[0] != (uint32_t)-1)
		out.text[0] = ' ';
	out.width = cell.width;
	out.bold = cell.attrs.bold;
	out.reverse = cell.attrs.reverse;
	out.underline = cell.attrs.underline != 0;
	out.fg = colour(v, cell.fg, true, out.rgb);
	out.bg = colour(v, cell.bg, false, out.bg_rgb);
	return out;
}

const char *vt_line(struct vt *v, int y)
{
	static char line[8192];
	size_t at = 0;

	for (int x = 0; x < v->cols && at < sizeof(line) - 64; x++) {
		struct vt_cell c = vt_cell(v, y, x);

		memcpy(line + at, c.text, strlen(c.text));
		at += strlen(c.text);
	}
	while (at && line[at - 1] == ' ')
		at--;
	line[at] = 0;
	return line;
}

int vt_find(struct vt *v, int y, const char *text)
{
	const char *line = vt_line(v, y), *hit = strstr(line, text);
	int x = 0;

	if (!hit)
		return -1;
	for (const char *s = line; s < hit; s++)
		x += !utf8_continues(*s);
	return x;
}

int vt_line_of(struct vt *v, const char *text)
{
	for (int y = 0; y < v->rows; y++)
		if (vt_find(v, y, text) >= 0)
			return y;
	return -1;
}

char *vt_picture(struct vt *v)
{
	size_t cap = (size_t)v->rows * (size_t)v->cols * 4 + (size_t)v->rows + 1, at = 0;
	char *out = malloc(cap);

	if (!out)
		die("memory");
	for (int y = 0; y < v->rows; y++)
		at += (size_t)snprintf(out + at, cap - at, "%s\n", vt_line(v, y));
	return out;
}
