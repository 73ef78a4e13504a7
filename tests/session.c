/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See session.h. */
#include "session.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"

#define READINGS 30

static char folder[64];
static bool written[FIXTURE_KINDS];
static struct vt *open_now;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int session_setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/lagtop-screen-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

int session_teardown(void **state)
{
	(void)state;
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *session_settings(void)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/config/lagtop/lagtoprc", folder);
	return path;
}

int session_end(void **state)
{
	(void)state;
	vt_close(open_now);
	open_now = NULL;
	unlink(session_settings());
	return 0;
}

const char *session_recording(enum fixture_kind kind)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%d.lagtop", folder, (int)kind);
	if (!written[kind])
		fixture_write(path, READINGS, kind);
	written[kind] = true;
	return path;
}

struct vt *session_open(const struct session *s)
{
	static char config[128];
	const char *argv[16] = { child_lagtop(), "--manual", "-r", session_recording(s->kind) }, *env[8] = { config };
	struct vt_start start = { .rows = s->rows ? s->rows : 24,
				  .cols = s->cols ? s->cols : 80,
				  .term = s->term,
				  .lang = s->lang,
				  .env = env,
				  .argv = argv };
	int n = 0;

	snprintf(config, sizeof(config), "XDG_CONFIG_HOME=%s/config", folder);
	for (int i = 0; i < 8 && s->args[i]; i++)
		argv[4 + i] = s->args[i];
	for (; n < 4 && s->env[n]; n++)
		env[1 + n] = s->env[n];
	/* On the console ncurses loads libgpm, which leaks and is unloaded: no suppression can name it. */
	if (s->term && !strcmp(s->term, "linux"))
		env[1 + n] = "ASAN_OPTIONS=detect_leaks=0";
	vt_close(open_now);
	open_now = vt_open(&start);
	if (!vt_wait(open_now, 1))
		fail_msg("no first frame: %.*s", (int)open_now->n_bytes, open_now->bytes);
	return open_now;
}

void session_press(struct vt *v, ...)
{
	const char *name;
	va_list ap;

	va_start(ap, v);
	while ((name = va_arg(ap, const char *)))
		if (!vt_press(v, name))
			fail_msg("no frame after key %s", name);
	va_end(ap);
}

static char *read_whole(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = calloc(1, 1 << 18);

	if (f && text)
		text[fread(text, 1, (1 << 18) - 1, f)] = 0;
	if (f)
		fclose(f);
	return text;
}

void session_golden(struct vt *v, const char *name)
{
	char path[256], *picture = vt_picture(v), *golden;
	bool update = getenv("UPDATE_GOLDEN") != NULL;

	snprintf(path, sizeof(path), "tests/golden/%s.txt", name);
	if (update) {
		FILE *f;

		mkdir("tests/golden", 0755);
		f = fopen(path, "we");
		assert_non_null(f);
		fputs(picture, f);
		assert_int_equal(fclose(f), 0);
	}
	golden = read_whole(path);
	if (strcmp(picture, golden)) {
		fprintf(stderr, "# %s differs; UPDATE_GOLDEN=1 rewrites it. It is now:\n%s", path, picture);
		free(picture);
		free(golden);
		fail_msg("%s differs", path);
	}
	free(picture);
	free(golden);
}

void session_line(struct vt *v, int y, const char *text)
{
	if (vt_find(v, y, text) < 0)
		fail_msg("line %d has no \"%s\": %s", y, text, vt_line(v, y));
}

int session_shows(struct vt *v, const char *text)
{
	int y = vt_line_of(v, text);

	if (y < 0) {
		char *picture = vt_picture(v);

		fprintf(stderr, "%s", picture);
		free(picture);
		fail_msg("nowhere on the screen: \"%s\"", text);
	}
	return y;
}

void session_hides(struct vt *v, const char *text)
{
	int y = vt_line_of(v, text);

	if (y >= 0)
		fail_msg("on the screen: \"%s\": %s", text, vt_line(v, y));
}

int session_cursor(struct vt *v)
{
	for (int y = 0; y < v->rows; y++) {
		struct vt_cell first = vt_cell(v, y, 0), last = vt_cell(v, y, v->cols - 1);

		if ((first.bg >= 0 && last.bg >= 0) || (first.reverse && last.reverse))
			return y;
	}
	return -1;
}
