/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The users of this machine: see users.h. */
#include "users.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINE_SIZE 4096

/* The first entry of /etc/passwd with that name, or with that number if name is NULL. False: none. */
static bool find_local(const char *name, uint32_t uid, char line[LINE_SIZE], struct passwd *pw)
{
	FILE *file = fopen("/etc/passwd", "re");
	struct passwd *found = NULL;
	bool is = false;

	while (file && !is && !fgetpwent_r(file, pw, line, LINE_SIZE, &found))
		is = name ? !strcmp(found->pw_name, name) : found->pw_uid == uid;
	if (file)
		fclose(file);
	return is;
}

char *users_local_name(uint32_t uid)
{
	char line[LINE_SIZE];
	struct passwd pw;

	return find_local(NULL, uid, line, &pw) ? strdup(pw.pw_name) : NULL;
}

#ifdef LT_STATIC

#define PATIENCE_MS 10000

static int start_getent(const char *key, int out, pid_t *pid)
{
	static const char *const paths[] = { "/usr/bin/getent", "/bin/getent" };
	char *argv[] = { (char[]){ "getent" }, (char[]){ "passwd" }, (char[]){ "--" }, strdup(key), NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, pipe;
	int err = argv[3] ? ENOENT : ENOMEM;

	sigemptyset(&none);
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &pipe);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]) && err == ENOENT; i++)
		err = posix_spawn(pid, paths[i], &files, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	free(argv[3]);
	return err;
}

/* Reads until the end, for at most PATIENCE_MS. False: longer than the line, or later. */
static bool read_line(int fd, char line[LINE_SIZE])
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	struct timespec now, begun;
	size_t n = 0;
	ssize_t got;
	long ms = 0;

	clock_gettime(CLOCK_MONOTONIC, &begun);
	while (ms < PATIENCE_MS && n < LINE_SIZE - 1 && poll(&ready, 1, (int)(PATIENCE_MS - ms)) > 0) {
		got = read(fd, line + n, LINE_SIZE - 1 - n);
		if (got <= 0) {
			line[n] = '\0';
			return !got;
		}
		n += (size_t)got;
		clock_gettime(CLOCK_MONOTONIC, &now);
		ms = (now.tv_sec - begun.tv_sec) * 1000 + (now.tv_nsec - begun.tv_nsec) / 1000000;
	}
	return false;
}

/* What getent says of the key: 0 and its line; ENOENT: it cannot be run; ESRCH: it knows no such user; ETIMEDOUT. */
static int ask_getent(const char *key, char line[LINE_SIZE])
{
	int ends[2], status = 0, err;
	bool whole;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return errno;
	err = start_getent(key, ends[1], &pid);
	close(ends[1]);
	if (!err) {
		whole = read_line(ends[0], line);
		if (!whole)
			kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		err = !whole ? ETIMEDOUT : !WIFEXITED(status) || WEXITSTATUS(status) || !strchr(line, ':') ? ESRCH : 0;
	}
	close(ends[0]);
	return err;
}

int users_name(uint32_t uid, char **name)
{
	char key[16], line[LINE_SIZE];
	int err;

	snprintf(key, sizeof(key), "%u", uid);
	err = ask_getent(key, line);
	*name = NULL;
	if (err == ENOENT)
		*name = users_local_name(uid);
	if (!err)
		*name = strndup(line, strcspn(line, ":"));
	return err == ENOENT || err == ESRCH ? 0 : err;
}

int users_number(const char *name, uint32_t *uid)
{
	char line[LINE_SIZE], *rest = line;
	struct passwd pw;

	if (!*name || strchr(name, ':'))
		return -ENOENT;
	if (find_local(name, 0, line, &pw)) {
		*uid = pw.pw_uid;
		return 0;
	}
	/* A number would be looked up as one. */
	if (ask_getent(name, line) || strcmp(strsep(&rest, ":"), name) != 0 || !strsep(&rest, ":") || !rest)
		return -ENOENT;
	*uid = (uint32_t)strtoul(rest, NULL, 10);
	return 0;
}

#else

int users_name(uint32_t uid, char **name)
{
	struct passwd pw, *found = NULL;
	char *buf = NULL, *more;
	size_t size = 1024;
	int err;

	do {
		more = realloc(buf, size);
		err = more ? getpwuid_r(uid, &pw, more, size, &found) : ENOMEM;
		buf = more ? more : buf;
		size *= 2;
	} while (err == ERANGE && size < 1 << 20);
	*name = !err && found ? strdup(found->pw_name) : NULL;
	free(buf);
	return err;
}

int users_number(const char *name, uint32_t *uid)
{
	struct passwd *user = getpwnam(name);

	if (user)
		*uid = user->pw_uid;
	return user ? 0 : -ENOENT;
}

#endif
