/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nothing is saved by itself; what is saved comes back, options override it, and no file is damaged. */
#include "session.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TABS_Y 4
#define HEADER_Y 5
#define LAST_Y 23

static struct vt *open_plain(void)
{
	return session_open(&(struct session){ .rows = 24, .cols = 80 });
}

static const char *settings_folder(void)
{
	static char folder[128];

	snprintf(folder, sizeof(folder), "%s", session_settings());
	*strrchr(folder, '/') = 0;
	return folder;
}

static void make_folders(void)
{
	char config[128];

	snprintf(config, sizeof(config), "%s", settings_folder());
	*strrchr(config, '/') = 0;
	mkdir(config, 0700);
	mkdir(settings_folder(), 0700);
}

static void put(const char *path, const char *text)
{
	FILE *f;

	make_folders();
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static const char *text_of(const char *path)
{
	static char text[8192];
	FILE *f = fopen(path, "re");

	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = 0;
	fclose(f);
	return text;
}

static bool is_starred(struct vt *v)
{
	return vt_find(v, 0, "lagtop*") == 0;
}

static void quit(struct vt *v)
{
	assert_false(vt_keys(v, "q"));
	assert_int_equal(vt_end(v), 0);
}

/* "Press > three times" must work on the second day, too. */
static void nothing_is_saved_by_itself(void **state)
{
	(void)state;
	for (int day = 0; day < 2; day++) {
		struct vt *v = open_plain();

		assert_false(is_starred(v));
		session_press(v, ">", ">", ">", NULL);
		session_line(v, HEADER_Y, "BLK%▼");
		session_press(v, "2", "K", "C", "Down", "Space", "Esc", "d", "3", "Enter", "t", NULL);
		assert_true(is_starred(v));
		quit(v);
		assert_int_equal(access(session_settings(), F_OK), -1);
	}
}

static void what_is_saved_comes_back(void **state)
{
	struct vt *v = open_plain();
	struct stat st;

	(void)state;
	session_press(v, "2", ">", "K", "C", "Down", "Space", "Esc", NULL);
	assert_true(is_starred(v));
	session_press(v, "W", NULL);
	session_line(v, LAST_Y, "saved to /");
	assert_false(is_starred(v));
	assert_int_equal(stat(session_settings(), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	quit(v);
	v = open_plain();
	assert_false(is_starred(v));
	session_line(v, HEADER_Y, "CPU%▼");
	assert_int_equal(vt_find(v, HEADER_Y, "USER"), -1);
	session_line(v, TABS_Y, " 34 proc");
	/* The star means a difference: there and back again leaves nothing to save. */
	session_press(v, ">", NULL);
	assert_true(is_starred(v));
	session_press(v, "<", NULL);
	assert_false(is_starred(v));
	session_press(v, "1", "2", NULL);
	assert_false(is_starred(v));
}

/* Command line options are not saved and not overridden by a setting, even if they repeat the default. */
static void options_win(void **state)
{
	static const struct {
		const char *args[8];
		int y;
		const char *shown;
	} wins[] = {
		{ { "-d", "1" }, 0, " 1 s" },
		{ { "-d", "7" }, 0, " 7 s" },
		{ { "-v", "overview" }, HEADER_Y, "LAG%" },
		{ { "-v", "sched" }, HEADER_Y, "WAKEQ%" },
		{ { "-s", "pid" }, HEADER_Y, "PID" },
		{ { "-t", "-v", "overview" }, HEADER_Y, "PID" },
		{ { NULL }, 0, " 5 s" },
		{ { NULL }, HEADER_Y, "TX/s" },
	};
	static const char saved[] = "view = net\ndelay = 5\nthreads = yes\n";
	struct vt *v;

	(void)state;
	put(session_settings(), saved);
	for (size_t i = 0; i < sizeof(wins) / sizeof(wins[0]); i++) {
		struct session s = { .rows = 24 };

		memcpy(s.args, wins[i].args, sizeof(s.args));
		v = session_open(&s);
		session_line(v, wins[i].y, wins[i].shown);
		assert_false(is_starred(v));
		if (wins[i].args[0] && !strcmp(wins[i].args[0], "-t"))
			assert_int_equal(vt_find(v, HEADER_Y, "TID"), -1);
		quit(v);
	}
	assert_string_equal(text_of(session_settings()), saved);
	/* They are not saved with other settings either. */
	v = session_open(&(struct session){ .args = { "-d", "7", "-s", "pid", "-H", "-v", "overview" } });
	session_press(v, "K", "W", NULL);
	session_line(v, LAST_Y, "saved to /");
	assert_non_null(strstr(text_of(session_settings()), "delay = 5\n"));
	assert_non_null(strstr(text_of(session_settings()), "view = net\n"));
	assert_non_null(strstr(text_of(session_settings()), "threads = yes\n"));
	assert_non_null(strstr(text_of(session_settings()), "kernel_threads = yes\n"));
	assert_null(strstr(text_of(session_settings()), "sort = pid"));
}

static void broken_values_are_reported(void **state)
{
	static const char *const broken[] = {
		"delay = 5x",
		"delay =",
		"delay = 0.05",
		"delay = 3601",
		"delay = nan",
		"delay = 1 s",
		"view = everything",
		"view = callers",
		"theme = pink",
		"mouse = maybe",
		"kernel_threads = 2",
		"tree = yess",
		"nonsense = 1",
		"nonsense",
		"[nowhere]\ncolumns = pid",
		"[net]\nsort = remote",
		"[net]\nsort = netspark",
		"[net]\nsort = nothing",
		"[net]\ncolumns = pid nothing",
		"[net]\ncolumns = pid pid",
		"[net]\nwidth = 3",
	};
	char text[200], told[60];

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct vt *v;

		snprintf(text, sizeof(text), "theme = dark\n%s\n", broken[i]);
		put(session_settings(), text);
		v = open_plain();
		snprintf(told, sizeof(told), "lagtoprc: line %d is not valid", strchr(broken[i], '\n') ? 3 : 2);
		if (vt_find(v, LAST_Y, told) < 0)
			fail_msg("\"%s\" was accepted: %s", broken[i], vt_line(v, LAST_Y));
		/* The file is left as it is, also when W is pressed. */
		session_press(v, ">", "W", NULL);
		session_line(v, LAST_Y, "not saved: lagtoprc: line");
		assert_true(is_starred(v));
		assert_string_equal(text_of(session_settings()), text);
	}
	/* The valid lines apply. */
	put(session_settings(), "view = net\nnonsense = 1\n");
	session_line(open_plain(), HEADER_Y, "TX/s");
}

/* The file was changed after lagtop had read it. */
static void a_file_that_broke_meanwhile_is_spared(void **state)
{
	struct vt *v = open_plain();

	(void)state;
	session_press(v, ">", NULL);
	put(session_settings(), "nonsense = 1\n");
	session_press(v, "W", NULL);
	session_line(v, LAST_Y, "not saved: lagtoprc: line 1");
	assert_string_equal(text_of(session_settings()), "nonsense = 1\n");
	put(session_settings(), "view = net\n");
	session_press(v, "W", NULL);
	session_line(v, LAST_Y, "saved to /");
}

/* lagtoprc is a symbolic link, as in a dotfiles repository: it stays a link, and its target is written.
 */
static void links_are_kept(void **state)
{
	static const struct {
		const char *to;
		bool exists;
	} links[] = { { "../kept", true }, { "../kept", false }, { "%s/../kept", true }, { "hop", true } };
	char to[256], kept[256], hop[256];
	struct stat st;

	(void)state;
	make_folders();
	snprintf(kept, sizeof(kept), "%s/../kept", settings_folder());
	snprintf(hop, sizeof(hop), "%s/hop", settings_folder());
	assert_int_equal(symlink("../kept", hop), 0);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		struct vt *v;

		unlink(kept);
		if (links[i].exists) {
			put(kept, "view = net\n");
			assert_int_equal(chmod(kept, 0640), 0);
		}
		snprintf(to, sizeof(to), links[i].to[0] == '%' ? "%s/../kept" : "%s",
			 links[i].to[0] == '%' ? settings_folder() : links[i].to);
		assert_int_equal(symlink(to, session_settings()), 0);
		v = open_plain();
		session_line(v, HEADER_Y, links[i].exists ? "TX/s" : "LAG%");
		session_press(v, ">", "W", NULL);
		session_line(v, LAST_Y, "saved to /");
		assert_int_equal(lstat(session_settings(), &st), 0);
		assert_true(S_ISLNK(st.st_mode));
		assert_int_equal(lstat(kept, &st), 0);
		assert_true(S_ISREG(st.st_mode));
		assert_int_equal(st.st_mode & 07777, links[i].exists ? 0640 : 0600);
		assert_non_null(strstr(text_of(kept), links[i].exists ? "view = net\n" : "view = overview\n"));
		quit(v);
		unlink(session_settings());
	}
	unlink(kept);
	unlink(hop);
}

/* Other kinds of files are not waited for, read without end, or replaced. */
static void other_places_are_refused(void **state)
{
	static const char *const told[] = { "it is not a regular file", "it is not a regular file",
					    "it belongs to another user" };
	struct stat before, after;

	(void)state;
	make_folders();
	for (int i = 0; i < 3; i++) {
		struct vt *v;

		if (i == 0) {
			assert_int_equal(mkfifo(session_settings(), 0600), 0);
		} else if (i == 1) {
			assert_int_equal(symlink("/dev/zero", session_settings()), 0);
		} else {
			put(session_settings(), "view = net\n");
			if (geteuid() || chown(session_settings(), 65534, 65534))
				break; /* only root can give it away */
		}
		assert_int_equal(lstat(session_settings(), &before), 0);
		v = open_plain();
		if (i < 2)
			session_line(v, LAST_Y, told[i]);
		session_press(v, ">", "W", NULL);
		session_line(v, LAST_Y, "not saved");
		session_line(v, LAST_Y, told[i]);
		assert_int_equal(lstat(session_settings(), &after), 0);
		assert_int_equal(before.st_ino, after.st_ino);
		quit(v);
		unlink(session_settings());
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(nothing_is_saved_by_itself, session_end),
		cmocka_unit_test_teardown(what_is_saved_comes_back, session_end),
		cmocka_unit_test_teardown(options_win, session_end),
		cmocka_unit_test_teardown(broken_values_are_reported, session_end),
		cmocka_unit_test_teardown(a_file_that_broke_meanwhile_is_spared, session_end),
		cmocka_unit_test_teardown(links_are_kept, session_end),
		cmocka_unit_test_teardown(other_places_are_refused, session_end),
	};

	return cmocka_run_group_tests_name("screen_settings", tests, session_setup, session_teardown);
}
