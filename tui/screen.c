/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The terminal and the loop: the only user of ncurses. Readings, keys, signals and room in the
 * terminal's buffer come through one poll; a frame is drawn into a grid, compared by ncurses with
 * what the terminal shows, and is written in one write. ncurses never sees the terminal: it writes to a
 * memory file. Output that the terminal does not accept at once waits for POLLOUT, and meanwhile no frame is
 * drawn, so a slow or stopped terminal loses frames, never a reading.
 */
#include "screen.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "draw.h"
#include "grow.h"
#include "keys.h"
#include "loop.h"
#include "settings.h"
#include "signals.h"
#include "terminal.h"
#include "utf8.h"
#include "view_reading.h"

#define SEQUENCE_MAX 32 /* characters of a key after its Esc */
#define SYNC_BEGIN "\033[?2026h"
#define SYNC_END "\033[?2026l"
#define ROWS_MAX 500
#define COLS_MAX 1000
#define SELECTED_DARK 237 /* the cursor line's background */
#define SELECTED_LIGHT 253
#define FIRST_NS 100000000ULL /* time until the first reading */
#define LEAVE_MS 1000	      /* how long the last write waits for a stopped terminal, at most */

struct screen {
	struct loop loop; /* must be first */
	struct view view;
	struct grid grid, shown; /* shown: as passed to ncurses */

	SCREEN *curses;
	FILE *out_file, *in_file;
	int out_memory; /* where ncurses writes */
	int tty;	/* O_NONBLOCK */
	int stderr_fd, stderr_memory;
	bool synchronised;			   /* the terminal may support mode 2026 */
	short pair[STYLES], selected_pair[STYLES]; /* selected: under the cursor */
	attr_t attr[STYLES], selected_attr[STYLES];
	cchar_t line[COLS_MAX];

	char *pending; /* output that the terminal has not accepted yet */
	size_t pending_len, pending_at, pending_cap;
	bool dirty;
	uint32_t frame; /* --manual: number of the last one */
};

/* For the crash handler. */
static struct {
	struct termios modes;
	char leave[256];
	size_t leave_len;
	int tty, stderr_fd;
} restore;

/* ---- colours: what a style looks like with 256, 8 and no colours ---- */

struct look {
	short dark, light, eight; /* colour; -1: the terminal's own */
	attr_t attr, mono;	  /* with colours; without */
};

static const struct look looks[STYLES] = {
	[STYLE_NORMAL] = { -1, -1, -1, 0, 0 },
	[STYLE_DIM] = { 244, 245, -1, 0, A_DIM },
	[STYLE_STRONG] = { -1, -1, -1, A_BOLD, A_BOLD },
	[STYLE_NAME] = { 80, 30, COLOR_CYAN, A_BOLD, A_BOLD },
	[STYLE_HEADER] = { 250, 240, -1, A_UNDERLINE, A_UNDERLINE },
	[STYLE_SORTED] = { 80, 30, COLOR_CYAN, A_UNDERLINE | A_BOLD, A_UNDERLINE | A_BOLD },
	[STYLE_TAB] = { -1, -1, -1, A_REVERSE | A_BOLD, A_REVERSE | A_BOLD },
	[STYLE_KEY] = { 80, 30, COLOR_CYAN, A_BOLD, A_BOLD },
	[STYLE_GOOD] = { 78, 28, COLOR_GREEN, 0, 0 },
	[STYLE_WARN] = { 221, 130, COLOR_YELLOW, A_BOLD, A_BOLD },
	[STYLE_BAD] = { 203, 160, COLOR_RED, A_BOLD, A_BOLD | A_REVERSE },
	[STYLE_SPARK] = { 74, 31, COLOR_CYAN, 0, 0 },
	[STYLE_DEAD] = { 242, 247, -1, A_DIM, A_DIM },
	[STYLE_MATCH] = { 221, 130, COLOR_YELLOW, A_UNDERLINE | A_BOLD, A_UNDERLINE | A_BOLD },
	[STYLE_BOX] = { 244, 245, -1, 0, 0 },
	[STYLE_STATE + LT_RUN] = { 78, 28, COLOR_GREEN, 0, 0 },
	[STYLE_STATE + LT_WAKEQ] = { 203, 160, COLOR_RED, A_BOLD, A_BOLD },
	[STYLE_STATE + LT_PREEMPT] = { 210, 167, COLOR_RED, 0, A_BOLD },
	[STYLE_STATE + LT_THROTTLED] = { 217, 131, COLOR_RED, 0, A_BOLD },
	[STYLE_STATE + LT_DISK] = { 221, 136, COLOR_YELLOW, A_BOLD, A_BOLD },
	[STYLE_STATE + LT_MEMORY] = { 222, 94, COLOR_YELLOW, 0, A_BOLD },
	[STYLE_STATE + LT_BLOCK] = { 215, 130, COLOR_YELLOW, 0, A_BOLD },
	[STYLE_STATE + LT_LOCK] = { 177, 127, COLOR_MAGENTA, A_BOLD, 0 },
	[STYLE_STATE + LT_NET] = { 74, 25, COLOR_BLUE, A_BOLD, 0 },
	[STYLE_STATE + LT_POLL] = { 67, 67, COLOR_BLUE, 0, 0 },
	[STYLE_STATE + LT_SLEEP] = { 240, 249, -1, 0, A_DIM },
	[STYLE_STATE + LT_IO] = { 80, 30, COLOR_CYAN, 0, 0 },
	[STYLE_STATE + LT_OTHER] = { 242, 247, -1, 0, A_DIM },
	[STYLE_HEAT + 0] = { 31, 153, COLOR_BLUE, 0, 0 },
	[STYLE_HEAT + 1] = { 38, 110, COLOR_BLUE, A_BOLD, 0 },
	[STYLE_HEAT + 2] = { 45, 68, COLOR_CYAN, 0, 0 },
	[STYLE_HEAT + 3] = { 81, 25, COLOR_CYAN, A_BOLD, 0 },
	[STYLE_HEAT + 4] = { 159, 17, COLOR_WHITE, A_BOLD, A_BOLD },
};

/* Some terminals describe their background in COLORFGBG: "15;0" is white on black. */
static bool light_background(enum view_theme theme)
{
	const char *env = getenv("COLORFGBG"), *last = env ? strrchr(env, ';') : NULL;
	int background = last ? atoi(last + 1) : 0;

	return theme == THEME_LIGHT || (theme == THEME_AUTO && (background == 7 || background == 15));
}

/* A pair of colours, or 0, the terminal's own, if no more can be allocated. */
static short make_pair(short *next, short colour, short background)
{
	if ((colour < 0 && background < 0) || *next >= COLOR_PAIRS || init_pair(*next, colour, background) == ERR)
		return 0;
	return (*next)++;
}

static void choose_looks(struct screen *s)
{
	enum view_theme theme = s->view.settings.theme;
	const char *no_color = getenv("NO_COLOR");
	bool mono = s->loop.options->no_color || (no_color && *no_color) || theme == THEME_MONO || !has_colors() ||
		    start_color() == ERR || use_default_colors() == ERR;
	bool light = light_background(theme), rich = !mono && COLORS >= 256;
	short next = 1;

	for (int i = 0; i < STYLES; i++) {
		const struct look *l = &looks[i];
		short colour = rich ? (light ? l->light : l->dark) : l->eight;

		s->attr[i] = s->selected_attr[i] = mono ? l->mono : l->attr;
		if (!mono && !rich && (i == STYLE_DIM || i == STYLE_DEAD || i == STYLE_BOX))
			s->attr[i] |= A_DIM;
		s->pair[i] = mono ? 0 : make_pair(&next, colour, -1);
		/* The cursor: a shade of the background if the terminal has shades, else reverse video. */
		if (rich)
			s->selected_pair[i] = make_pair(&next, colour, light ? SELECTED_LIGHT : SELECTED_DARK);
		else
			s->selected_attr[i] = (s->attr[i] & A_BOLD) | A_REVERSE;
	}
}

/* ---- to the terminal ---- */

static void flush_pending(struct screen *s)
{
	while (s->pending_at < s->pending_len) {
		ssize_t n = write(s->tty, s->pending + s->pending_at, s->pending_len - s->pending_at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) { /* the terminal is gone */
			s->loop.status = 128 + SIGHUP;
			break;
		}
		s->pending_at += (size_t)n;
	}
	s->pending_at = s->pending_len = 0;
}

/* Appends to the pending output. Without memory the bytes are lost and ncurses redraws everything. */
static void pend(struct screen *s, const char *bytes, size_t len)
{
	if (!GROW(s->pending, s->pending_cap, s->pending_len + len)) {
		clearok(curscr, TRUE);
		return;
	}
	memcpy(s->pending + s->pending_len, bytes, len);
	s->pending_len += len;
}

/* Moves what ncurses wrote from its memory file to the pending bytes. */
static void collect(struct screen *s, bool frame)
{
	off_t len = lseek(s->out_memory, 0, SEEK_CUR);
	char *bytes = len > 0 ? mmap(NULL, (size_t)len, PROT_READ, MAP_SHARED, s->out_memory, 0) : MAP_FAILED;
	char mark[48];

	if (bytes != MAP_FAILED) {
		if (frame && s->synchronised)
			pend(s, SYNC_BEGIN, strlen(SYNC_BEGIN));
		pend(s, bytes, (size_t)len);
		if (frame && s->synchronised)
			pend(s, SYNC_END, strlen(SYNC_END));
		munmap(bytes, (size_t)len);
		lseek(s->out_memory, 0, SEEK_SET);
	}
	if (frame && s->loop.manual)
		pend(s, mark, (size_t)snprintf(mark, sizeof(mark), "\033]7777;%u\007", ++s->frame));
	flush_pending(s);
}

static void put_line(struct screen *s, int y)
{
	const struct cell *cells = &s->grid.cells[y * s->grid.cols];
	cchar_t *line = s->line;
	int n = 0;

	for (int x = 0; x < s->grid.cols; x++) {
		wchar_t ch[2] = { (wchar_t)cells[x].ch, 0 };
		int style = cells[x].style;

		if (!cells[x].ch)
			continue; /* the right half of a wide one */
		if (cells[x].selected)
			setcchar(&line[n++], ch, s->selected_attr[style], s->selected_pair[style], NULL);
		else
			setcchar(&line[n++], ch, s->attr[style], s->pair[style], NULL);
	}
	mvadd_wchnstr(y, 0, line, n);
}

static void draw_screen(struct screen *s)
{
	size_t line_bytes = (size_t)s->grid.cols * sizeof(struct cell);

	draw(&s->view, &s->grid);
	for (int y = 0; y < s->grid.rows; y++) {
		struct cell *old = &s->shown.cells[y * s->grid.cols];

		if (memcmp(old, &s->grid.cells[y * s->grid.cols], line_bytes)) {
			memcpy(old, &s->grid.cells[y * s->grid.cols], line_bytes);
			put_line(s, y);
		}
	}
	curs_set(s->grid.cursor_y >= 0);
	leaveok(stdscr, s->grid.cursor_y < 0);
	if (s->grid.cursor_y >= 0)
		move(s->grid.cursor_y, s->grid.cursor_x);
	refresh();
	collect(s, true);
	s->dirty = false;
}

/* ---- the terminal's modes ---- */

static void modes_on(void)
{
	struct termios t = restore.modes;

	t.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IXON | ISTRIP);
	t.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSANOW, &t); /* does not wait for output in a stopped terminal */
}

static bool has_capability(const char *name)
{
	const char *text = tigetstr(name);

	return text && text != (char *)-1;
}

/* Restores the screen, waiting a limited time for a slow terminal. */
static void leave(struct screen *s)
{
	struct pollfd p = { .fd = s->tty, .events = POLLOUT };
	uint64_t end = loop_clock_ns() + LEAVE_MS * 1000000ULL;

	/* Without an alternate screen, the shell continues below the last frame, on a new line. */
	if (!has_capability("smcup")) {
		move(s->grid.rows - 1, 0);
		clrtoeol();
		refresh();
		memset(s->shown.cells, 0, (size_t)s->grid.rows * (size_t)s->grid.cols * sizeof(struct cell));
	}
	endwin();
	collect(s, false);
	while (s->pending_len && loop_clock_ns() < end && poll(&p, 1, LEAVE_MS / 10) >= 0 &&
	       !(p.revents & (POLLHUP | POLLERR)))
		flush_pending(s);
	s->pending_at = s->pending_len = 0;
	tcsetattr(STDIN_FILENO, TCSANOW, &restore.modes);
}

static void size_changed(struct screen *s)
{
	struct winsize ws = { 0 };
	int rows = 24, cols = 80;

	if (!ioctl(s->tty, TIOCGWINSZ, &ws) && ws.ws_row && ws.ws_col) {
		rows = ws.ws_row < ROWS_MAX ? ws.ws_row : ROWS_MAX;
		cols = ws.ws_col < COLS_MAX ? ws.ws_col : COLS_MAX;
	}
	if (grid_resize(&s->grid, rows, cols) || grid_resize(&s->shown, rows, cols)) {
		loop_fail(&s->loop, "screen: %s", strerror(ENOMEM));
		return;
	}
	resize_term(rows, cols);
	erase();
	clearok(curscr, TRUE);
	s->dirty = true;
}

/* Redraws everything: after a suspension, or when something else wrote to the terminal. */
static void repaint(struct screen *s)
{
	size_changed(s);
}

static void suspend(struct screen *s)
{
	sigset_t stop;

	leave(s);
	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	raise(SIGTSTP); /* with the default action, delivered when it is unblocked */
	sigprocmask(SIG_UNBLOCK, &stop, NULL);
	sigprocmask(SIG_BLOCK, &stop, NULL); /* resumed: SIGCONT is pending in the signalfd */
}

/* Only async-signal-safe calls. */
static void last_words(void)
{
	ssize_t written = write(restore.tty, restore.leave, restore.leave_len);

	(void)written; /* even if the write fails, the terminal modes are restored */
	tcsetattr(STDIN_FILENO, TCSANOW, &restore.modes);
	dup2(restore.stderr_fd, STDERR_FILENO);
}

static void catch_crashes(void)
{
	static const char *const names[] = { "sgr0", "rmkx", "cnorm", "rmcup" };
	size_t len = (size_t)snprintf(restore.leave, sizeof(restore.leave), SYNC_END "\033[?1006l\033[?1000l");

	/* Terminals that do not know these modes ignore them, but those without colours may be too old for that. */
	if (!has_colors())
		len = 0;
	for (int i = 0; i < 4; i++) {
		const char *code = tigetstr(names[i]);

		if (code && code != (char *)-1 && len + strlen(code) + 2 < sizeof(restore.leave))
			len += (size_t)snprintf(restore.leave + len, sizeof(restore.leave) - len, "%s", code);
	}
	len += (size_t)snprintf(restore.leave + len, sizeof(restore.leave) - len, "\r\n");
	restore.leave_len = len;
	signals_catch_faults(last_words);
}

/* Opens our own file description for the terminal, so that O_NONBLOCK does not affect the shell. */
static int open_tty(void)
{
	int fd = open("/proc/self/fd/1", O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

	if (fd < 0 && ttyname(STDOUT_FILENO))
		fd = open(ttyname(STDOUT_FILENO), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) /* we may not open it (su, sudo -u): use the shared one */
		fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (fd >= 0)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return fd;
}

/* ---- setting up ---- */

/* What keyboards send, independent of terminfo: the entry of vt100 has no F5, yet terminals send it. */
static void define_keys(void)
{
	static const struct {
		const char *bytes;
		int key;
	} keys[] = {
		{ "\033[A", KEY_UP },	  { "\033OA", KEY_UP },	    { "\033[B", KEY_DOWN },    { "\033OB", KEY_DOWN },
		{ "\033[C", KEY_RIGHT },  { "\033OC", KEY_RIGHT },  { "\033[D", KEY_LEFT },    { "\033OD", KEY_LEFT },
		{ "\033[H", KEY_HOME },	  { "\033OH", KEY_HOME },   { "\033[F", KEY_END },     { "\033OF", KEY_END },
		{ "\033[1~", KEY_HOME },  { "\033[7~", KEY_HOME },  { "\033[4~", KEY_END },    { "\033[8~", KEY_END },
		{ "\033[3~", KEY_DC },	  { "\033[5~", KEY_PPAGE }, { "\033[6~", KEY_NPAGE },  { "\033[Z", KEY_BTAB },
		{ "\033OP", KEY_F(1) },	  { "\033OQ", KEY_F(2) },   { "\033OR", KEY_F(3) },    { "\033OS", KEY_F(4) },
		{ "\033[11~", KEY_F(1) }, { "\033[12~", KEY_F(2) }, { "\033[13~", KEY_F(3) },  { "\033[14~", KEY_F(4) },
		{ "\033[[A", KEY_F(1) },  { "\033[[B", KEY_F(2) },  { "\033[[C", KEY_F(3) },   { "\033[[D", KEY_F(4) },
		{ "\033[[E", KEY_F(5) },  { "\033[15~", KEY_F(5) }, { "\033[17~", KEY_F(6) },  { "\033[18~", KEY_F(7) },
		{ "\033[19~", KEY_F(8) }, { "\033[20~", KEY_F(9) }, { "\033[21~", KEY_F(10) },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		int known = key_defined(keys[i].bytes);

		if (known == 0 || known > KEY_MAX) /* beyond: a terminfo name that curses does not have */
			define_key(keys[i].bytes, keys[i].key);
	}
}

/* Whether this machine has a description of this terminal type, and it can move its cursor. */
static bool try_type(struct screen *s, const char *type)
{
	struct sigaction stop;

	if (!*type)
		return false;
	sigaction(SIGTSTP, NULL, &stop);
	s->curses = newterm(type, s->out_file, s->in_file);
	sigaction(SIGTSTP, &stop, NULL); /* not the handler of ncurses, which would leave the screen a second time */
	return s->curses && tigetstr("cup");
}

static void forget_type(struct screen *s)
{
	if (s->curses)
		delscreen(s->curses);
	s->curses = NULL;
}

/* The same with the description that lagtop brings along. */
static bool try_builtin(struct screen *s, const char *type)
{
	const char *description = terminal_builtin(type), *was = getenv("TERMINFO");
	char *before = was ? strdup(was) : NULL;
	bool fits;

	if (description)
		setenv("TERMINFO", description, 1);
	fits = description && try_type(s, type);
	if (before)
		setenv("TERMINFO", before, 1);
	else
		unsetenv("TERMINFO");
	free(before);
	return fits;
}

/* A type that this machine does describe; "" if it has none. */
static const char *other_type(struct screen *s)
{
	static const char *const types[] = { "xterm-256color", "xterm", "vt100", "linux", "ansi" };
	bool fits;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		fits = try_type(s, types[i]) || try_builtin(s, types[i]);
		forget_type(s);
		if (fits)
			return types[i];
	}
	return "";
}

/* Starts ncurses for this terminal type, or for a similar one. */
static int open_curses(struct screen *s, const char *term)
{
	char name[64];
	const char *other;

	if (try_type(s, term))
		return 0;
	if (s->curses) {
		loop_fail(&s->loop, "screen: the terminal type \"%s\" cannot move its cursor; use --batch", term);
		return -EINVAL;
	}
	if (try_builtin(s, term))
		return 0;
	for (int i = 0; terminal_like(term, i, name, sizeof(name)); i++) {
		if (try_type(s, name) || try_builtin(s, name)) {
			s->view.now_ns = loop_clock_ns();
			view_say(&s->view, STYLE_WARN, "unknown terminal type \"%s\": drawing as for %s", term, name);
			return 0;
		}
		forget_type(s);
	}
	other = other_type(s);
	s->loop.status = 1;
	snprintf(s->loop.why, s->loop.why_size, "screen: unknown terminal type \"%s\"; try %s%s%s--batch", term,
		 *other ? "TERM=" : "", other, *other ? ", or " : "");
	return -EINVAL;
}

static int open_terminal(struct screen *s)
{
	const char *term = getenv("TERM");
	bool emulator;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		loop_fail(&s->loop, "screen: standard %s is not a terminal; --batch, --json and --csv do not need one",
			  isatty(STDIN_FILENO) ? "output" : "input");
		return -ENOTTY;
	}
	tcgetattr(STDIN_FILENO, &restore.modes);
	s->tty = restore.tty = open_tty();
	s->out_memory = memfd_create("lagtop-screen", MFD_CLOEXEC);
	s->out_file = s->out_memory >= 0 ? fdopen(s->out_memory, "w") : NULL;
	s->in_file = fdopen(dup(STDIN_FILENO), "r");
	if (s->tty < 0 || !s->out_file || !s->in_file) {
		loop_fail(&s->loop, "screen: %s", strerror(errno));
		return -errno;
	}
	set_escdelay(25);
	if (open_curses(s, term ? term : "")) {
		tcsetattr(STDIN_FILENO, TCSANOW, &restore.modes);
		return -EINVAL;
	}
	typeahead(-1);
	nonl();
	noecho();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	meta(stdscr, TRUE);
	define_keys();
	choose_looks(s);
	if (!s->loop.options->no_mouse && !s->view.settings.no_mouse) {
		mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
		mouseinterval(0);
	}
	emulator = term && strncmp(term, "linux", 5) != 0; /* not the console */
	s->synchronised = emulator && has_colors();
	s->grid.utf8 = !s->loop.options->ascii && utf8_locale();
	/* The console's font lacks most eighth blocks. */
	s->grid.blocks = emulator && s->grid.utf8;
	modes_on();
	catch_crashes();
	size_changed(s);
	return 0;
}

/* Output to stderr while the screen is shown is printed after it. */
static void keep_stderr(struct screen *s)
{
	s->stderr_memory = memfd_create("lagtop-stderr", MFD_CLOEXEC);
	s->stderr_fd = restore.stderr_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (s->stderr_memory >= 0 && s->stderr_fd >= 0)
		dup2(s->stderr_memory, STDERR_FILENO);
}

static void release_stderr(struct screen *s)
{
	char buf[4096];
	ssize_t n;

	if (s->stderr_fd < 0 || s->stderr_memory < 0)
		return;
	fflush(stderr);
	dup2(s->stderr_fd, STDERR_FILENO);
	lseek(s->stderr_memory, 0, SEEK_SET);
	while ((n = read(s->stderr_memory, buf, sizeof(buf))) > 0)
		if (write(STDERR_FILENO, buf, (size_t)n) < 0)
			break;
	close(s->stderr_memory);
	close(s->stderr_fd);
}

/* ---- what happens ---- */

static struct sample *take(struct loop *l)
{
	struct screen *s = (struct screen *)l;
	struct ask ask;

	if (l->source->want_connections)
		l->source->want_connections(l->source, view_wants_connections(&s->view) ? SOURCE_ALL_CONNECTIONS
											: SOURCE_NO_CONNECTIONS);
	if (l->source->want_cpus)
		l->source->want_cpus(l->source, view_kind(&s->view) == MODEL_CPU && !s->view.page.open);
	if (l->source->want_calls)
		l->source->want_calls(l->source, !s->view.calls_off);
	if (l->source->want_budget)
		l->source->want_budget(l->source, s->view.budget_percent);
	view_ask(&s->view, &ask);
	ask_source(&ask, l->source);
	return history_take(&s->view.history);
}

static uint64_t realtime_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void reading(struct loop *l, struct sample *sample)
{
	struct screen *s = (struct screen *)l;
	int err;

	if (l->manual)
		s->view.now_ns = (l->readings - 1) * 1000000000ULL;
	else
		s->view.realtime_ns = realtime_ns();
	err = view_reading(&s->view, sample);
	if (err)
		loop_fail(l, "screen: %s", strerror(-err));
	if (s->view.bell && !s->pending_len)
		pend(s, "\a", 1);
	s->view.bell = false;
	s->dirty = true;
}

static void end(struct loop *l, int err)
{
	struct screen *s = (struct screen *)l;

	(void)err; /* source_trouble has the details */
	s->view.source_ended = true;
	if (*source_trouble(l->source))
		view_say(&s->view, STYLE_WARN, "%s", source_trouble(l->source));
	else if (s->view.streams)
		view_say(&s->view, STYLE_BAD, "no more comes: the lagtop there, or the way to it, has ended");
	s->dirty = true;
}

static bool translate(int got, wint_t ch, struct key *k)
{
	static const struct {
		wint_t curses;
		uint32_t code;
	} map[] = {
		{ KEY_UP, K_UP },	{ KEY_DOWN, K_DOWN },		{ KEY_LEFT, K_LEFT },
		{ KEY_RIGHT, K_RIGHT }, { KEY_PPAGE, K_PAGE_UP },	{ KEY_NPAGE, K_PAGE_DOWN },
		{ KEY_HOME, K_HOME },	{ KEY_FIND, K_HOME },		{ KEY_END, K_END },
		{ KEY_SELECT, K_END },	{ KEY_ENTER, K_ENTER },		{ KEY_BTAB, K_BACKTAB },
		{ KEY_DC, K_DELETE },	{ KEY_BACKSPACE, K_BACKSPACE },
	};
	MEVENT event;

	*k = (struct key){ .code = ch };
	if (got == OK) {
		if (ch == 127 || ch == 8)
			k->code = K_BACKSPACE;
		else if (ch == '\n')
			k->code = K_ENTER;
		return true;
	}
	if (ch == KEY_MOUSE) {
		if (getmouse(&event) != OK)
			return false;
		k->code = K_MOUSE;
		k->y = event.y;
		k->x = event.x;
		k->button = event.bstate & BUTTON4_PRESSED   ? BUTTON_WHEEL_UP
			    : event.bstate & BUTTON5_PRESSED ? BUTTON_WHEEL_DOWN
							     : BUTTON_CLICK;
		return true;
	}
	if (ch >= KEY_F(1) && ch <= KEY_F(12)) {
		k->code = K_F + ch - KEY_F(0);
		return true;
	}
	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++) {
		if (map[i].curses == ch) {
			k->code = map[i].code;
			return true;
		}
	}
	return false;
}

/* After an Esc: if it begins the sequence of an unknown key, reads that to its end, so that its letters are not taken
 * for keys. An incomplete sequence is pushed back: it was typed. */
static bool skip_sequence(void)
{
	wint_t ch[SEQUENCE_MAX];
	int n = 0, got;

	while ((got = get_wch(&ch[n])) == OK) {
		if (n && ch[n] >= '@' && ch[n] <= '~')
			return true;
		if (!(n ? ch[n] >= ' ' && ch[n] < '@' : ch[n] == '[' || ch[n] == 'O') || ++n == SEQUENCE_MAX)
			break;
	}
	if (got == KEY_CODE_YES)
		ungetch((int)ch[n]);
	else if (got == OK && n < SEQUENCE_MAX)
		unget_wch((wchar_t)ch[n]);
	while (n--)
		unget_wch((wchar_t)ch[n]);
	return false;
}

/* Goes to the newest marked reading of the last n. False: there is none. */
static bool show_mark(struct view *v, uint64_t n)
{
	for (uint32_t back = 0; back < n && back < v->history.n; back++)
		if (history_moment(&v->history, back)->marked) {
			v->back = back;
			v->paused = !back;
			return true;
		}
	return false;
}

/* Reads a recording up to its next mark. A key or a signal ends that. */
static void seek_mark(struct screen *s)
{
	struct loop *l = &s->loop;
	struct pollfd fds[2] = { { STDIN_FILENO, POLLIN, 0 }, { l->signal_fd, POLLIN, 0 } };
	uint64_t before = l->readings;
	bool found = false;

	s->view.seek_mark = false;
	do {
		loop_read(l);
		found = show_mark(&s->view, l->readings - before);
	} while (!found && l->status == LOOP_ON && !l->ended && !l->waits && !poll(fds, 2, 0));
	if (!found && l->ended)
		view_say(&s->view, STYLE_NORMAL, "no mark in the rest of the recording");
}

/* Dispatches all available keys. */
static void read_keys(struct screen *s)
{
	struct key k;
	wint_t ch;
	int got, err;

	s->dirty = true;
	while (s->loop.status == LOOP_ON && (got = get_wch(&ch)) != ERR) {
		if (!translate(got, ch, &k) || (k.code == K_ESC && skip_sequence()))
			continue;
		keys_dispatch(&s->view, &k);
		if (s->view.read_now && s->loop.manual)
			loop_read(&s->loop);
		s->view.read_now = false;
		if (s->view.seek_mark)
			seek_mark(s);
		if (s->loop.status != LOOP_ON)
			return;
		err = s->view.moved ? 0 : view_arrange(&s->view);
		if (err)
			loop_fail(&s->loop, "screen: %s", strerror(-err));
		if (s->view.quit)
			s->loop.status = 0;
		if (s->view.delay_changed) {
			s->loop.delay_s = s->view.delay_s;
			loop_set_timer(&s->loop);
		}
		s->view.delay_changed = false;
		if (s->view.redraw)
			repaint(s);
		s->view.redraw = false;
		if (s->view.save)
			settings_save(&s->view);
		if (s->view.settings_changed)
			settings_compare(&s->view);
		s->view.settings_changed = s->view.save = false;
	}
}

static bool take_signal(struct loop *l, int number)
{
	struct screen *s = (struct screen *)l;

	switch (number) {
	case SIGTSTP:
		suspend(s);
		return true;
	case SIGCONT: /* also after a SIGSTOP, which cannot be caught */
		modes_on();
		repaint(s);
		return true;
	case SIGWINCH:
		size_changed(s);
		return true;
	default:
		return false;
	}
}

static nfds_t prepare(struct loop *l, struct pollfd *fds)
{
	struct screen *s = (struct screen *)l;

	s->view.recorded_bytes = recorder_bytes(l->record);
	if (s->dirty && !s->pending_len)
		draw_screen(s);
	fds[0] = (struct pollfd){ STDIN_FILENO, POLLIN, 0 };
	fds[1] = (struct pollfd){ s->tty, s->pending_len ? POLLOUT : 0, 0 };
	return 2;
}

static void ready(struct loop *l, const struct pollfd *fds)
{
	struct screen *s = (struct screen *)l;

	if (!l->manual)
		s->view.now_ns = loop_clock_ns();
	if (fds[0].revents & POLLIN)
		read_keys(s);
	s->dirty |= s->view.streams && !s->view.source_ended; /* its age */
	if (l->status == LOOP_ON &&
	    (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL) || fds[1].revents & (POLLHUP | POLLERR)))
		l->status = 128 + SIGHUP;
	if (fds[1].revents & POLLOUT)
		flush_pending(s);
}

static const struct loop_sink sink = {
	.interactive = true,
	.first_ns = FIRST_NS,
	.take = take,
	.reading = reading,
	.end = end,
	.signal = take_signal,
	.prepare = prepare,
	.ready = ready,
};

int screen_run(const struct options *o, struct source *src, struct recorder *rec, char *why, size_t why_size)
{
	struct screen s = { .loop = { .sink = &sink,
				      .options = o,
				      .source = src,
				      .record = rec,
				      .manual = o->manual,
				      .status = LOOP_ON,
				      .why = why,
				      .why_size = why_size },
			    .tty = -1,
			    .stderr_fd = -1,
			    .stderr_memory = -1,
			    .out_memory = -1 };

	if (view_init(&s.view, o, src->live)) {
		loop_fail(&s.loop, "screen: %s", strerror(ENOMEM));
		goto out;
	}
	s.view.calls_fixed = !src->want_calls;
	s.view.streams = src->stream_fd;
	settings_load(&s.view);
	if (open_terminal(&s))
		goto out;
	keep_stderr(&s);
	s.loop.delay_s = s.view.delay_s;
	loop_run(&s.loop);
	leave(&s);
	signals_release_faults();
	release_stderr(&s);
out:
	if (s.curses)
		delscreen(s.curses);
	if (s.out_file)
		fclose(s.out_file);
	if (s.in_file)
		fclose(s.in_file);
	if (s.tty >= 0)
		close(s.tty);
	view_free(&s.view);
	grid_free(&s.grid);
	grid_free(&s.shown);
	free(s.pending);
	return s.loop.status;
}
