/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzing lagtoprc: any file is accepted or reported, and what was accepted is written so that it is accepted again.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "settings.h"

static char folder[] = "/tmp/lagtop-fuzz.XXXXXX", path[64];

static void remove_folder(void)
{
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	rmdir(folder);
}

static void make_folder(void)
{
	assert(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/lagtop", folder);
	assert(!mkdir(path, 0700));
	snprintf(path, sizeof(path), "%s/lagtop/lagtoprc", folder);
	assert(!setenv("XDG_CONFIG_HOME", folder, 1));
	atexit(remove_folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *argv[] = { (char *)"lagtop", NULL };
	struct options o;
	struct view v;
	int fd;

	if (!*path)
		make_folder();
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
	assert(!options_parse(&o, 1, argv) && !view_init(&v, &o, true));
	if (settings_load(&v)) {
		settings_save(&v);
		view_free(&v);
		assert(!view_init(&v, &o, true));
		assert(settings_load(&v));
	}
	view_free(&v);
	options_free(&o);
	return 0;
}
