/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The terminal is restored however lagtop ends; lagtop follows its size; a stopped terminal does not stop lagtop. */
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"

static void assert_restored(struct vt *v, const struct termios *before)
{
	struct termios after = vt_modes(v);

	assert_int_equal(after.c_lflag, before->c_lflag);
	assert_int_equal(after.c_iflag, before->c_iflag);
	assert_int_equal(after.c_oflag, before->c_oflag);
	/* The last bytes: leave the alternate screen, restore cursor and mouse. */
	assert_non_null(memmem(v->bytes, v->n_bytes, "\033[?1049l", 8));
	assert_non_null(memmem(v->bytes, v->n_bytes, "1000l", 5));
	session_hides(v, "PID");
}

/* The pty's modes before lagtop touches them: those that forkpty was given. */
static struct termios fresh_modes(void)
{
	struct vt *v =
		vt_open(&(struct vt_start){ .rows = 5, .cols = 20, .argv = (const char *const[]){ "true", NULL } });
	struct termios t;

	vt_end(v);
	t = vt_modes(v);
	vt_close(v);
	return t;
}

/* What each of the 64 signals does. Stopping ones are tested elsewhere, and SIGKILL cannot be handled. */
static void every_signal_gives_the_terminal_back(void **state)
{
	static const int others[] = { SIGKILL, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU };
	/* Ignored by default, or by lagtop: write() reports a closed pipe and a file at its limit. The last one is the
	 * C library's own (setxid), since there are helper threads. */
	static const int ignored[] = { SIGCHLD, SIGURG, SIGWINCH, SIGCONT, SIGPIPE, SIGXFSZ, 33 };
	struct termios before = fresh_modes();

	(void)state;
	for (int signal = 1; signal < _NSIG; signal++) {
		bool lives = false, skipped = false;
		struct vt *v;
		int status;

		for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
			skipped |= others[i] == signal;
		for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
			lives |= ignored[i] == signal;
		if (skipped)
			continue;
		v = session_open(&(struct session){ .rows = 24 });
		session_shows(v, "PID");
		kill(v->pid, signal);
		if (lives) {
			session_press(v, "Down", NULL);
			vt_keys(v,
				"q"); /* a frame that the signal caused (SIGWINCH, SIGCONT) may come before the end */
		}
		status = vt_end(v);
		if (status != (lives || signal == SIGINT ? 0 : 128 + signal))
			fail_msg("signal %d: status %d", signal, status);
		assert_restored(v, &before);
	}
}

/* Its caller ignored them when it was started. */
static void ignored_signals_stay_ignored(void **state)
{
	static const int signals[] = { SIGHUP, SIGUSR1, SIGINT };
	char script[512];
	struct vt *v;

	(void)state;
	snprintf(script, sizeof(script), "trap '' HUP USR1 INT; exec %s --manual -r %s", child_lagtop(),
		 session_recording(FIXTURE_PLAIN));
	v = vt_open(&(struct vt_start){
		.rows = 24, .cols = 80, .argv = (const char *const[]){ "bash", "--norc", "-c", script, NULL } });
	assert_true(vt_wait(v, 1));
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		kill(v->pid, signals[i]);
	session_press(v, "Down", NULL);
	assert_false(vt_keys(v, "q"));
	assert_int_equal(vt_end(v), 0);
	vt_close(v);
}

static void every_key_and_option_that_ends_it_restores(void **state)
{
	static const struct {
		const char *args[8], *keys;
	} ways[] = {
		{ { NULL }, "q" },
		{ { NULL }, "\033[21~" /* F10 */ },
		{ { NULL }, "\r\033[21~q" },
		{ { NULL }, "\003" /* ^C */ },
		{ { "-n", "2" }, "\016" /* ^N */ },
	};
	struct termios before = fresh_modes();

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct session s = { .rows = 24 };
		struct vt *v;

		memcpy(s.args, ways[i].args, sizeof(s.args));
		v = session_open(&s);
		assert_int_equal(write(v->fd, ways[i].keys, strlen(ways[i].keys)), strlen(ways[i].keys));
		assert_int_equal(vt_end(v), 0);
		assert_restored(v, &before);
	}
}

/* No alternate screen to leave: the shell continues on an empty line. */
static void without_a_second_screen_the_last_line_is_free(void **state)
{
	static const char *const terms[] = { "vt100", "linux" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct vt *v = session_open(&(struct session){ .rows = 24, .term = terms[i] });

		assert_false(vt_keys(v, "q"));
		assert_int_equal(vt_end(v), 0);
		session_shows(v, "PID");
		assert_string_equal(vt_line(v, 23), "");
	}
}

/* Reads until a text is on the screen; nothing for 10 s fails. */
static void wait_for(struct vt *v, const char *text)
{
	while (vt_line_of(v, text) < 0)
		if (!vt_read_some(v))
			fail_msg("never came: %s", text);
}

/* Only a process whose parent does job control can be suspended: a shell. */
static void suspends_and_comes_back(void **state)
{
	struct termios before = fresh_modes();
	size_t before_bytes;
	char script[512];
	struct vt *v;

	(void)state;
	snprintf(script, sizeof(script), "%s --manual -r %s; echo it is stopped; read x; fg >/dev/null; echo status $?",
		 child_lagtop(), session_recording(FIXTURE_PLAIN));
	v = vt_open(&(struct vt_start){
		.rows = 24, .cols = 80, .argv = (const char *const[]){ "bash", "--norc", "-mc", script, NULL } });
	assert_true(vt_wait(v, 1));
	assert_int_equal(write(v->fd, "\032", 1), 1);
	wait_for(v, "it is stopped");
	before_bytes = v->n_bytes;
	assert_int_equal(vt_modes(v).c_lflag, before.c_lflag);
	session_hides(v, "PID");
	assert_int_equal(write(v->fd, "\n", 1), 1);
	assert_true(vt_wait(v, v->frame + 1));
	/* It enters the alternate screen without leaving it again first, which would overwrite the shell's lines. */
	assert_non_null(memmem(v->bytes + before_bytes, v->n_bytes - before_bytes, "\033[?1049h", 8));
	assert_null(memmem(v->bytes + before_bytes, v->n_bytes - before_bytes, "\033[?1049l", 8));
	session_shows(v, "PID");
	session_press(v, "Down", NULL);
	assert_int_equal(session_cursor(v), 7);
	assert_true((vt_modes(v).c_lflag & ICANON) == 0);
	assert_int_equal(write(v->fd, "q", 1), 1);
	wait_for(v, "status 0");
	assert_int_equal(vt_end(v), 0);
	vt_close(v);
}

static void a_closed_terminal_ends_it(void **state)
{
	struct vt *v = session_open(&(struct session){ .rows = 24 });
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), status;

	(void)state;
	assert_int_equal(dup2(null, v->fd), v->fd); /* the last descriptor of the master side goes */
	close(null);
	alarm(20); /* of the test program: a process that stays is a failure, not a hang */
	assert_int_equal(waitpid(v->pid, &status, 0), v->pid);
	alarm(0);
	v->ended = true;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 128 + SIGHUP);
}

static void follows_the_size(void **state)
{
	static const int sizes[][2] = { { 40, 120 }, { 10, 40 }, { 50, 200 },  { 5, 20 },
					{ 2, 10 },   { 1, 1 },	 { 100, 300 }, { 24, 80 } };
	struct vt *v = session_open(&(struct session){ .rows = 24 });

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_true(vt_resize(v, sizes[i][0], sizes[i][1]));
		if (sizes[i][0] >= 10) {
			session_line(v, 0, "lagtop");
			session_line(v, sizes[i][0] - 1, "Help");
			session_shows(v, "PID");
		}
		session_press(v, "Enter", "Tab", "Tab", "Tab", "?", "Esc", "s", "Esc", "C", "Esc", "/", "Esc", "Esc",
			      NULL);
	}
	session_golden(v, "80x24-resized");
	/* A wide character where there is no space left for it. */
	session_press(v, "\\", "\xe6\xbc\xa2", "Enter", NULL);
	assert_true(vt_resize(v, 2, 133));
	assert_true(vt_resize(v, 24, 80));
	session_shows(v, "漢");
}

/* Bytes that the program has read, from any file. */
static unsigned long long bytes_read(struct vt *v)
{
	unsigned long long n = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/io", v->pid);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "rchar: %llu", &n), 1);
	fclose(f);
	return n;
}

/* Whether it waits: for a key, or for the terminal. */
static bool is_asleep(struct vt *v)
{
	char path[64], state = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", v->pid);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%*d (lagtop) %c", &state), 1);
	fclose(f);
	return state == 'S';
}

/* 24 readings in two views of up to 10 kB: many times what a pty holds. Every key is read although no frame is. */
static void fill_terminal(struct vt *v)
{
	for (int i = 0; i < 48; i++) {
		unsigned long long before = bytes_read(v);

		assert_int_equal(write(v->fd, i % 2 ? "\016" : i % 4 ? "1" : "5", 1), 1);
		for (int tries = 0; bytes_read(v) == before || !is_asleep(v); tries++) {
			assert_true(tries < 10000);
			poll(NULL, 0, 1);
		}
	}
}

/* The terminal is not read: frames are skipped, keys still work, and what is shown afterwards is the newest. */
static void a_stopped_terminal_stops_nothing(void **state)
{
	struct vt *v = session_open(&(struct session){ .rows = 50, .cols = 200 });
	uint32_t first = v->frame;

	(void)state;
	fill_terminal(v);
	while (vt_line_of(v, "12:03:25") < 0)
		assert_true(vt_wait(v, v->frame + 1));
	session_shows(v, "LAG%");
	assert_in_range(v->frame - first, 1, 30);
}

/* If it is ended while nothing reads the terminal, it does not hang either: output that is not read in time is dropped.
 */
static void a_stopped_terminal_does_not_block_the_end(void **state)
{
	struct vt *v = session_open(&(struct session){ .rows = 50, .cols = 200 });
	int status;

	(void)state;
	fill_terminal(v);
	kill(v->pid, SIGTERM);
	alarm(20); /* of the test program */
	assert_int_equal(waitpid(v->pid, &status, 0), v->pid);
	alarm(0);
	v->ended = true;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 128 + SIGTERM);
}

/* One sentence with a way out, before anything is drawn. */
static void unfit_terminals_are_refused(void **state)
{
	static const char *const terms[] = { "no-such-terminal", "foobar", "dumb", "" };
	static const char *const env[] = { "ASAN_OPTIONS=detect_leaks=0",
					   NULL }; /* ncurses leaks an unfit description */

	(void)state;
	for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++) {
		const char *const argv[] = { child_lagtop(), "--manual", "-r", session_recording(FIXTURE_PLAIN), NULL };
		struct vt *v = vt_open(
			&(struct vt_start){ .rows = 24, .cols = 80, .term = terms[i], .env = env, .argv = argv });

		assert_int_equal(vt_end(v), 1);
		assert_non_null(memmem(v->bytes, v->n_bytes, terms[i], strlen(terms[i])));
		assert_non_null(memmem(v->bytes, v->n_bytes, "--batch", 7));
		assert_int_equal(memmem(v->bytes, v->n_bytes, "TERM=xterm-256color, or", 23) != NULL,
				 strcmp(terms[i], "dumb") != 0);
		assert_null(memchr(v->bytes, '\033', v->n_bytes));
		vt_close(v);
	}
}

/* Treated as the type that it emulates, with a message. */
static void unknown_emulators_are_served(void **state)
{
	static const char *const terms[] = { "xterm-no-such", "foot-no-such", "tmux-no-such", "vt100-no-such" };
	char word[120];

	(void)state;
	for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++) {
		struct vt *v = session_open(&(struct session){ .rows = 24, .term = terms[i] });

		session_shows(v, " 2211 ");
		snprintf(word, sizeof(word), "unknown terminal type \"%s\": drawing as for ", terms[i]);
		session_shows(v, word);
		session_press(v, "^N", "Down", NULL);
	}
}

static void colours_follow_the_options(void **state)
{
	struct vt *v = session_open(&(struct session){ .rows = 24 });
	int y, x;

	(void)state;
	/* LAG% of the laggard is severe: shown by colour and bold. */
	y = session_shows(v, "2211");
	x = vt_find(v, 5, "LAG%") + 3;
	assert_true(vt_cell(v, y, x).fg >= 0);
	assert_true(vt_cell(v, y, x).bold);
	v = session_open(&(struct session){ .env = { "NO_COLOR=1" } });
	assert_int_equal(vt_cell(v, y, x).fg, -1);
	assert_true(vt_cell(v, y, x).bold);
	v = session_open(&(struct session){ .args = { "--no-color" } });
	assert_int_equal(vt_cell(v, y, x).fg, -1);
	v = session_open(&(struct session){ .term = "xterm" }); /* eight */
	assert_in_range(vt_cell(v, y + 1, x).fg, 0, 15);
	assert_true(vt_cell(v, y + 1, x).bold);
	v = session_open(&(struct session){ .term = "vt100" });
	assert_null(memmem(v->bytes, v->n_bytes, "\033[38", 4));
	assert_null(memmem(v->bytes, v->n_bytes, "2026", 4));
	assert_null(memmem(v->bytes, v->n_bytes, "1000", 4));
	/* The background is the terminal's own. */
	v = session_open(&(struct session){ .rows = 24 });
	assert_int_equal(vt_cell(v, 0, 0).bg, -1);
	assert_int_equal(vt_cell(v, 10, 40).bg, -1);
}

/* Some calls fail in every program: only processes in which every tenth fails get the colour. */
static void failing_calls_stand_out(void **state)
{
	struct vt *v = session_open(&(struct session){ .rows = 40, .cols = 120 });
	int x = vt_find(v, session_shows(v, "ERR/s"), "ERR/s") + 4, many = session_shows(v, " 30640 "),
	    few = session_shows(v, " 2890 ");

	(void)state;
	assert_string_not_equal(vt_cell(v, few, x).text, " ");
	assert_int_equal(vt_cell(v, few, x).fg, -1);
	assert_false(vt_cell(v, few, x).bold);
	assert_int_not_equal(vt_cell(v, many, x).fg, -1);
	assert_true(vt_cell(v, many, x).bold);
}

static void options_and_themes_take_effect(void **state)
{
	struct vt *v = session_open(&(struct session){ .rows = 24 });

	(void)state;
	assert_non_null(memmem(v->bytes, v->n_bytes, "1000h", 5));
	assert_int_equal(vt_cell(v, 6, 0).bg, 237);
	v = session_open(&(struct session){ .args = { "--no-mouse" }, .env = { "COLORFGBG=0;15" } });
	assert_null(memmem(v->bytes, v->n_bytes, "1000h", 5));
	assert_int_equal(vt_cell(v, 6, 0).bg, 253); /* a light terminal: a light cursor */
	v = session_open(&(struct session){ .args = { "--ascii" }, .kind = FIXTURE_HOSTILE_NAMES });
	session_press(v, "^N", "Enter", "Tab", "Tab", "Tab", "?", "End", NULL);
	for (size_t i = 0; i < v->n_bytes; i++)
		assert_true((unsigned char)v->bytes[i] < 0x80);
	/* -n: ends after that many readings. */
	v = session_open(&(struct session){ .args = { "-n", "2" } });
	assert_false(vt_keys(v, "\016"));
	assert_int_equal(vt_end(v), 0);
}

/* The mark of exited processes in the table is the one that the help explains. */
static void the_help_explains_the_signs(void **state)
{
	static const struct {
		const char *option, *dead, *told, *heights;
	} cases[] = {
		{ "--no-mouse", "\u2020", "\u2020              Before a row: it has exited",
		  "heights are logarithmic" },
		{ "--ascii", "+", "+              Before a row: it has exited", "from low to high _.-:=+*#" },
	};
	int y;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct vt *v = session_open(&(struct session){ .rows = 60, .cols = 120, .args = { cases[i].option } });

		session_press(v, "^N", "^N", NULL); /* FIXTURE_EXIT_READING */
		y = session_shows(v, " 30551 ");
		assert_string_equal(vt_cell(v, y, 0).text, cases[i].dead);
		session_press(v, "?", NULL);
		session_shows(v, cases[i].told);
		session_shows(v, cases[i].heights);
		session_hides(v, cases[1 - i].told);
	}
}

static void one_write_a_frame(void **state)
{
	struct vt *v = session_open(&(struct session){ .rows = 24 });
	size_t before = v->n_bytes;
	const char *begin, *end;

	(void)state;
	session_press(v, "^N", NULL);
	begin = memmem(v->bytes + before, v->n_bytes - before, "\033[?2026h", 8);
	end = memmem(v->bytes + before, v->n_bytes - before, "\033[?2026l", 8);
	assert_ptr_equal(begin, v->bytes + before);
	assert_ptr_equal(end, v->bytes + v->n_bytes - 8);
	/* A key that changes nothing costs next to nothing. */
	before = v->n_bytes;
	session_press(v, "]", "]", NULL);
	before = v->n_bytes;
	session_press(v, "]", NULL);
	assert_true(v->n_bytes - before < 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(every_signal_gives_the_terminal_back, session_end),
		cmocka_unit_test_teardown(ignored_signals_stay_ignored, session_end),
		cmocka_unit_test_teardown(every_key_and_option_that_ends_it_restores, session_end),
		cmocka_unit_test_teardown(without_a_second_screen_the_last_line_is_free, session_end),
		cmocka_unit_test_teardown(suspends_and_comes_back, session_end),
		cmocka_unit_test_teardown(a_closed_terminal_ends_it, session_end),
		cmocka_unit_test_teardown(follows_the_size, session_end),
		cmocka_unit_test_teardown(a_stopped_terminal_stops_nothing, session_end),
		cmocka_unit_test_teardown(a_stopped_terminal_does_not_block_the_end, session_end),
		cmocka_unit_test_teardown(unfit_terminals_are_refused, session_end),
		cmocka_unit_test_teardown(unknown_emulators_are_served, session_end),
		cmocka_unit_test_teardown(colours_follow_the_options, session_end),
		cmocka_unit_test_teardown(failing_calls_stand_out, session_end),
		cmocka_unit_test_teardown(options_and_themes_take_effect, session_end),
		cmocka_unit_test_teardown(the_help_explains_the_signs, session_end),
		cmocka_unit_test_teardown(one_write_a_frame, session_end),
	};

	return cmocka_run_group_tests_name("screen_terminal", tests, session_setup, session_teardown);
}
