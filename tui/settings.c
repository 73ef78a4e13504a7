// SPDX-License-Identifier: GPL-2.0-or-later
/* lagtoprc: see settings.h. One table row per setting; [view] sections hold columns and sort order. */
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "settings.h"

#define PATH_SIZE 4096
#define LINE_COLUMNS 12 /* names on a line: inih takes lines of at most 200 bytes */

static const char *const themes[] = { "auto", "dark", "light", "mono" };

/* The file's path; make: its folders are made. False: there is no place for it. */
static bool settings_path(char path[PATH_SIZE], bool make)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int n;

	if (config && *config == '/')
		n = snprintf(path, PATH_SIZE, "%s", config);
	else if (home && *home == '/')
		n = snprintf(path, PATH_SIZE, "%s/.config", home);
	else
		return false;
	if (n > PATH_SIZE - 32)
		return false;
	if (make)
		mkdir(path, 0700);
	strcat(path, "/lagtop");
	if (make)
		mkdir(path, 0755);
	strcat(path, "/lagtoprc");
	return true;
}

/* A file being parsed: columns of a view may come on several lines. */
struct parse {
	struct view *view;
	bool seen[VIEW_TABLES];
};

static int find_name(const char *const *names, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (!strcasecmp(names[i], name))
			return i;
	return -1;
}

static bool parse_bool(const char *text, bool *out)
{
	static const char *const words[] = { "no", "yes", "off", "on", "false", "true", "0", "1" };
	int i = find_name(words, 8, text);

	if (i >= 0)
		*out = i & 1;
	return i >= 0;
}

static void set_threads(struct view *v, bool yes)
{
	v->settings.threads = yes;
	if (yes && v->rows_kind == MODEL_PROCESS) /* --group wins */
		v->rows_kind = MODEL_THREAD;
}

static bool set_general(struct view *v, const char *name, const char *value)
{
	const struct column_view *view;
	bool yes;
	int i;

	if (!strcmp(name, "theme")) {
		i = find_name(themes, 4, value);
		if (i >= 0)
			v->settings.theme = (enum view_theme)i;
		return i >= 0;
	}
	if (!strcmp(name, "view")) {
		view = column_view_find(value);
		if (!view || (size_t)(view - column_views) >= VIEW_TABLES)
			return false;
		v->settings.view = (size_t)(view - column_views);
		if (v->options->view == &column_views[0] && !v->options->sort) /* --view and --sort win */
			v->at = v->settings.view;
		return true;
	}
	if (!strcmp(name, "delay")) {
		if (!options_delay(value, &v->settings.delay_s))
			return false;
		if (v->delay_s == 1) /* --delay wins */
			v->delay_s = v->settings.delay_s;
		return true;
	}
	if (!parse_bool(value, &yes))
		return false;
	if (!strcmp(name, "mouse"))
		v->settings.no_mouse = !yes;
	else if (!strcmp(name, "kernel_threads"))
		v->wants.no_kernel = !yes;
	else if (!strcmp(name, "dead_rows"))
		v->no_dead = !yes;
	else if (!strcmp(name, "tree"))
		v->wants.tree |= v->settings.tree = yes;
	else if (!strcmp(name, "threads"))
		set_threads(v, yes);
	else
		return false;
	return true;
}

static bool set_view(struct parse *r, const struct column_view *view, const char *name, const char *value)
{
	size_t at = (size_t)(view - column_views);
	struct view *v = r->view;
	const struct column *c;
	struct table *t;

	if (at >= VIEW_TABLES)
		return false;
	t = &v->tables[at];
	if (!strcmp(name, "columns")) {
		if (!r->seen[at])
			t->n_chosen = 0;
		r->seen[at] = true;
		if (table_choose(t, value))
			return true;
		t->n_chosen = 0;
		table_choose(t, view->columns);
		return false;
	}
	if (strcmp(name, "sort"))
		return false;
	c = column_find(value + (*value == '-'));
	if (!c)
		return false;
	t->kept_sort = c;
	t->kept_reverse = *value == '-';
	if (!(v->options->sort && v->at == at)) { /* --sort wins */
		t->sort = t->kept_sort;
		t->reverse = t->kept_reverse;
	}
	return true;
}

static int take_line(void *user, const char *section, const char *name, const char *value)
{
	struct parse *r = user;
	const struct column_view *view = column_view_find(section);

	if (view)
		return set_view(r, view, name, value);
	return !*section && set_general(r->view, name, value);
}

void settings_load(struct view *v)
{
	struct parse r = { .view = v };
	char path[PATH_SIZE];
	int line;

	if (!settings_path(path, false) || access(path, F_OK))
		return;
	line = ini_parse(path, take_line, &r);
	if (!line)
		return;
	v->settings.broken = true;
	if (line > 0)
		view_say(v, STYLE_WARN, "lagtoprc line %d is not understood; the file stays as it is", line);
	else
		view_say(v, STYLE_WARN, "lagtoprc cannot be read");
}

static void write_settings(FILE *f, const struct view *v)
{
	fprintf(f, "# lagtop's settings: rewritten when they change on the screen\n");
	fprintf(f, "theme = %s\n", themes[v->settings.theme]);
	fprintf(f, "mouse = %s\n", v->settings.no_mouse ? "no" : "yes");
	fprintf(f, "view = %s\n", column_views[v->settings.view].name);
	fprintf(f, "delay = %g\n", v->settings.delay_s);
	fprintf(f, "kernel_threads = %s\n", v->wants.no_kernel ? "no" : "yes");
	fprintf(f, "dead_rows = %s\n", v->no_dead ? "no" : "yes");
	fprintf(f, "tree = %s\n", v->settings.tree ? "yes" : "no");
	fprintf(f, "threads = %s\n", v->settings.threads ? "yes" : "no");
	for (size_t i = 0; i < column_views_count && i < VIEW_TABLES; i++) {
		const struct table *t = &v->tables[i];

		fprintf(f, "\n[%s]", column_views[i].name);
		for (int k = 0; k < t->n_chosen; k++)
			fprintf(f, "%s %s", k % LINE_COLUMNS ? "" : "\ncolumns =", t->chosen[k]->name);
		fprintf(f, "\n");
		if (t->kept_sort)
			fprintf(f, "sort = %s%s\n", t->kept_reverse ? "-" : "", t->kept_sort->name);
	}
}

void settings_save(struct view *v)
{
	char path[PATH_SIZE], fresh[PATH_SIZE + 8];
	FILE *f;
	int fd;

	if (v->settings.broken || !settings_path(path, true))
		return;
	snprintf(fresh, sizeof(fresh), "%s.XXXXXX", path);
	fd = mkostemp(fresh, O_CLOEXEC);
	f = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (f) {
		bool bad;

		write_settings(f, v);
		bad = fflush(f) || ferror(f);
		bad |= fclose(f) != 0;
		if (!bad && !rename(fresh, path))
			return;
	}
	v->settings.broken = true; /* said once is enough */
	view_say(v, STYLE_WARN, "settings are not kept: %s", strerror(errno));
	if (fd >= 0)
		unlink(fresh);
}
