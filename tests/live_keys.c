/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the ticket ("api is slow") to the cause on the screen in three keys: the search for the name, which is typed and
 * ends with Enter, counts as the first, Enter opens the page of what was found, w says why. Of the sick servers
 * (load_sick.c), each called "api", the cause, what it waits for and who keeps it waiting must be read for fifteen, on
 * a small and on a large terminal. Nothing else is chosen: lagtop starts as it does for everybody.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "live.h"
#include "vt.h"

#define RIGHT 15
#define PATIENCE_MS 30000 /* for a text on the screen */
#define LOOK_MS 100

struct patient {
	const char *name;    /* of the sickness */
	const char *comm;    /* in the ticket */
	const char *says[3]; /* on the screen, in this order; NULL: no more */
};

/* clang-format off */
static const struct patient patients[] = {
	{ "neighbour", "api", { "waited", "for a CPU", "behind api-hog (" } },
	{ "realtime", "api", { "waited", "for a CPU", "behind api-hog (" } },
	{ "nice", "api", { "waited", "for a CPU", "behind api-hog (" } },
	{ "threads", "api", { "for a CPU", "behind its own threads" } },
	{ "quota", "api", { "by the CPU quota of its control group" } },
	{ "memory", "api", { "killed by the kernel because memory ran out (OOM)" } },
	{ "fsync", "api", { "for the disk", "in fdatasync" } },
	{ "convoy", "api", { "for the disk", "in fdatasync" } },
	{ "maps", "api", { "for the process-wide memory-map lock (mmap_lock)" } },
	{ "flock", "api", { "in flock for a file lock" } },
	{ "fcntl", "api", { "in fcntl for a file lock" } },
	{ "pipe", "api", { "in write because the reader (of a pipe" } },
	{ "upstream", "api", { "waited", "127.0.0.1:", "(api-server " } },
	{ "dns", "api", { "127.0.0.1:", "no answer for" } },
	{ "datagrams", "api", { "lost", "its receive buffer was full" } },
	{ "backlog", "api-server", { "127.0.0.1:", "was full (2 of 1)" } },
	{ "connect", "api", { "in connect to 127.0.0.1:" } },
	{ "send", "api", { "in sendto because 127.0.0.1:" } },
	{ "loss", "api", { "TCP segments, most of them to 127.0.0.1:" } },
	{ "refused", "api", { "connect calls by api (", "ECONNREFUSED" } },
	{ "files", "api", { "failed with EMFILE" } },
	{ "storm", "api", { "processes, " } },
};
/* clang-format on */
#define PATIENTS (sizeof(patients) / sizeof(patients[0]))

static struct vt *screen;

static int end_screen(void **state)
{
	vt_close(screen);
	screen = NULL;
	return live_end_test(state);
}

/* The screen as one line of words: sentences are broken to fit into a box. */
static char *words_shown(void)
{
	static const char border[] = "\u2502";
	char *text = vt_picture(screen), *to = text;

	for (const char *at = text; *at;) {
		size_t skip = strspn(at, " \n|");

		if (!strncmp(at, border, sizeof(border) - 1))
			skip = sizeof(border) - 1;
		if (!skip)
			*to++ = *at++;
		else if (to > text && to[-1] != ' ')
			*to++ = ' ';
		at += skip;
	}
	*to = '\0';
	return text;
}

static bool shows_all(const char *const *says)
{
	char *text = words_shown(), *at = text;

	for (int i = 0; i < 3 && says[i] && at; i++)
		at = strstr(at, says[i]);
	free(text);
	return at;
}

/* Whether the screen comes to show these texts. */
static bool comes(const char *const says[3])
{
	for (int left_ms = PATIENCE_MS; left_ms > 0; left_ms -= LOOK_MS) {
		vt_read(screen, LOOK_MS);
		if (shows_all(says))
			return true;
	}
	return false;
}

static void press(const char *keys)
{
	assert_int_equal(write(screen->fd, keys, strlen(keys)), strlen(keys));
}

/* Lagtop as it starts, on a terminal of that size, once it shows processes. */
static void open_screen(int rows, int cols)
{
	const char *const argv[] = { child_lagtop(), NULL };
	const char *const env[] = { "XDG_CONFIG_HOME=/nonexistent", NULL };

	screen = vt_open(&(struct vt_start){
		.rows = rows, .cols = cols, .term = "xterm-256color", .lang = "C.UTF-8", .env = env, .argv = argv });
	assert_true(comes((const char *const[3]){ "COMMAND", "root" }));
}

/* Whether the machine allows to plant it. */
static bool planted(const struct patient *p)
{
	return child_load(NULL, "sick", p->name, p->comm[3] ? "api" : p->comm, NULL);
}

/* From the ticket to the cause. */
static bool found(const struct patient *p, int rows, int cols)
{
	char search[32], title[32], *text;
	const char *const says[3] = { title };
	bool right;

	if (!planted(p)) {
		print_message("# %s: cannot be planted here\n", p->name);
		return false;
	}
	open_screen(rows, cols);
	snprintf(search, sizeof(search), "/%s\r", p->comm);
	snprintf(title, sizeof(title), "Why: %s, ", p->comm); /* of nobody else */
	press(search);
	press("\r");
	press("w");
	right = comes(says) && comes(p->says);
	print_message("# %s: %s\n", p->name, right ? "right" : "wrong");
	if (!right) {
		text = vt_picture(screen);
		print_message("%s\n", text);
		free(text);
	}
	end_screen(NULL);
	return right;
}

static void test_size(int rows, int cols)
{
	int n = 0;

	live_need_bpf();
	live_need_real_time();
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		live_skip("there is one CPU only");
	for (size_t i = 0; i < PATIENTS; i++)
		n += found(&patients[i], rows, cols);
	live_compare(n, PATIENTS, PATIENTS - RIGHT, "causes read with three keys, %dx%d", cols, rows);
	live_verdict();
}

static void test_small(void **state)
{
	(void)state;
	test_size(24, 80);
}

static void test_large(void **state)
{
	(void)state;
	test_size(45, 160);
}

int main(void)
{
	const struct CMUnitTest keys[] = {
		cmocka_unit_test_teardown(test_small, end_screen),
		cmocka_unit_test_teardown(test_large, end_screen),
	};

	return live_main(keys);
}
