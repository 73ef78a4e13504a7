/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEADLINE_MS 30000
#define EMULATED_DEADLINE_MS 200000 /* software emulation is many times slower */

static struct child *children;

static void run_child(char *const argv[], uid_t uid, void (*sandbox)(void), int in, int out, int err)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	signal(SIGPIPE, SIG_DFL);
	if (uid != (uid_t)-1 && (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid)))
		_exit(126);
	if (sandbox)
		sandbox();
	execvp(argv[0], argv);
	dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static struct child *start(char *const argv[], uid_t uid, void (*sandbox)(void))
{
	struct child *c = calloc(1, sizeof(*c));
	int in[2] = { -1, -1 }, out[2] = { -1, -1 };

	if (!c)
		return NULL;
	signal(SIGPIPE, SIG_IGN);
	c->err = memfd_create("stderr", MFD_CLOEXEC);
	if (c->err < 0 || pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || (c->pid = fork()) < 0) {
		close(in[0]);
		close(in[1]);
		close(c->err);
		free(c);
		return NULL;
	}
	if (!c->pid)
		run_child(argv, uid, sandbox, in[0], out[1], c->err);
	close(in[0]);
	close(out[1]);
	c->in = in[1];
	c->out = out[0];
	c->deadline_ms = getenv("LIVE_EMULATED") ? EMULATED_DEADLINE_MS : DEADLINE_MS;
	c->next = children;
	children = c;
	return c;
}

struct child *child_start(char *const argv[], uid_t uid)
{
	return start(argv, uid, NULL);
}

struct child *child_start_in(void (*sandbox)(void), char *const argv[])
{
	return start(argv, (uid_t)-1, sandbox);
}

/* Waits for output and takes some. 1: got some; 0: end; -1: none until the deadline. */
static int fill(struct child *c)
{
	struct pollfd p = { .fd = c->out, .events = POLLIN };
	ssize_t got;
	int ready;

	if (c->out < 0)
		return 0;
	while ((ready = poll(&p, 1, c->deadline_ms)) < 0 && errno == EINTR)
		;
	if (ready <= 0)
		return -1;
	if (c->at) {
		memmove(c->bytes, c->bytes + c->at, c->len - c->at);
		c->len -= c->at;
		c->at = 0;
	}
	if (c->cap - c->len < 65536) {
		char *bytes = realloc(c->bytes, c->cap * 2 + 65536);

		if (!bytes)
			return -1;
		c->bytes = bytes;
		c->cap = c->cap * 2 + 65536;
	}
	got = read(c->out, c->bytes + c->len, c->cap - c->len);
	if (got <= 0) {
		close(c->out);
		c->out = -1;
		return 0;
	}
	c->len += (size_t)got;
	return 1;
}

char *child_line(struct child *c)
{
	size_t seen = 0;

	for (;;) {
		char *line = c->bytes ? c->bytes + c->at : NULL, *end;

		end = line ? memchr(line + seen, '\n', c->len - c->at - seen) : NULL;
		if (end) {
			*end = 0;
			c->at = (size_t)(end + 1 - c->bytes);
			return line;
		}
		seen = c->len - c->at;
		if (fill(c) <= 0)
			return NULL;
	}
}

bool child_send(struct child *c, char byte)
{
	return c->in >= 0 && write(c->in, &byte, 1) == 1;
}

void child_close_in(struct child *c)
{
	if (c->in >= 0)
		close(c->in);
	c->in = -1;
}

static void reap(struct child *c)
{
	if (!c->reaped && waitpid(c->pid, &c->status, 0) == c->pid)
		c->reaped = true;
}

int child_wait(struct child *c)
{
	int got;

	child_close_in(c);
	while ((got = fill(c)) > 0)
		;
	if (got < 0) {
		kill(c->pid, SIGKILL);
		reap(c);
		return -1;
	}
	reap(c);
	return WIFEXITED(c->status) ? WEXITSTATUS(c->status) : 128 + WTERMSIG(c->status);
}

char *child_errors(struct child *c)
{
	off_t len = lseek(c->err, 0, SEEK_END);
	char *text = calloc(1, (size_t)len + 1);

	if (text && pread(c->err, text, (size_t)len, 0) != len)
		text[0] = 0;
	return text;
}

void child_free(struct child *c)
{
	struct child **at = &children;

	if (!c)
		return;
	while (*at && *at != c)
		at = &(*at)->next;
	if (*at)
		*at = c->next;
	if (!c->reaped) {
		kill(c->pid, SIGKILL);
		reap(c);
	}
	child_close_in(c);
	if (c->out >= 0)
		close(c->out);
	close(c->err);
	free(c->bytes);
	free(c);
}

void child_free_all(void)
{
	while (children)
		child_free(children);
}

char *child_lagtop(void)
{
	char *path = getenv("LAGTOP");

	return path ? path : (char *)"./lagtop";
}

struct outcome outcome_run(void (*sandbox)(void), char *const argv[])
{
	struct child *c = child_start_in(sandbox, argv);
	struct outcome o = { .status = -1 };
	char *line;

	if (!c)
		return o;
	child_close_in(c);
	while ((line = child_line(c))) {
		o.out_lines++;
		free(o.last_line);
		o.last_line = strdup(line);
	}
	o.status = child_wait(c);
	o.errors = child_errors(c);
	child_free(c);
	return o;
}

void outcome_free(struct outcome *o)
{
	free(o->last_line);
	free(o->errors);
}

static bool starts_with(const char *line, const char *word)
{
	return line && !strncmp(line, word, strlen(word));
}

struct child *child_load(const char **ready, const char *workload, ...)
{
	char *argv[16] = { (char *)"build/tests/load", (char *)workload }, *errors;
	const char *line;
	struct child *c;
	va_list args;

	va_start(args, workload);
	for (size_t n = 2; n < 15 && (argv[n] = va_arg(args, char *)); n++)
		;
	va_end(args);
	c = child_start(argv, (uid_t)-1);
	if (!c)
		return NULL;
	line = child_line(c);
	if (ready)
		*ready = line;
	if (starts_with(line, "ready "))
		return c;
	errors = child_errors(c);
	fprintf(stderr, "load %s is not ready: %s\n", workload, errors ? errors : "");
	free(errors);
	child_free(c);
	return NULL;
}

char *child_round(struct child *c)
{
	char *line;

	if (!child_send(c, 'x'))
		return NULL;
	line = child_line(c);
	return starts_with(line, "done ") ? line : NULL;
}

int64_t child_value(const char *line, const char *key)
{
	size_t len = strlen(key);

	for (const char *at = line; at && (at = strstr(at, key)); at += len)
		if (at > line && at[-1] == ' ' && at[len] == '=')
			return strtoll(at + len + 1, NULL, 10);
	return -1;
}
