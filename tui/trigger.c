/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --when and --exec: see trigger.h. */
#include "trigger.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "batch.h"
#include "names.h"

#define EXEC_LEAST_NS 10000000000ULL

extern char **environ;

void trigger_init(struct trigger *t, const struct options *o)
{
	*t = (struct trigger){ .alert = {
				       .expression = o->when.expression, .readings = o->when.readings, .once = true } };
}

static struct sample_mark *add_mark(struct sample *s, const struct options *o, const struct row *r)
{
	struct sample_mark *m = sample_add_mark(s);

	if (!m)
		return NULL;
	*m = (struct sample_mark){ .realtime_ns = s->realtime_ns, .kind = SAMPLE_MARK_WHEN, .pid = r->pid };
	snprintf(m->expr, sizeof(m->expr), "%s", o->when.text);
	snprintf(m->text, sizeof(m->text), "%s", r->kind == MODEL_CALL ? names_call(r->call) : r->comm ? r->comm : "");
	return m;
}

/* A file in memory with the mark and the row: whether the command reads it or not, nobody waits. -errno. */
static int write_input(struct model *m, const struct row *r, const struct sample_mark *mark)
{
	int fd = memfd_create("lagtop-row", MFD_CLOEXEC), err;
	FILE *out = fd < 0 ? NULL : fdopen(dup(fd), "w");

	err = out ? batch_json_row(out, m, r, mark) : -errno;
	if (out && fclose(out) && !err)
		err = -errno;
	if (!err && lseek(fd, 0, SEEK_SET))
		err = -errno;
	if (err && fd >= 0)
		close(fd);
	return err ? err : fd;
}

/* In a session of its own, with signals as a shell has them. 0 or -errno. */
static int spawn(struct trigger *t, const struct options *o, int input)
{
	char *argv[] = { (char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c", (char *)(uintptr_t)o->exec, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t how;
	sigset_t none, all;
	int err;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&how);
	err = posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
	err |= posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (o->output == OUTPUT_SCREEN)
		err |= posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	err |= posix_spawnattr_setsigmask(&how, &none) | posix_spawnattr_setsigdefault(&how, &all);
	err |= posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
	err = err ? ENOMEM : posix_spawn(&t->child, "/bin/sh", &files, &how, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&how);
	return -err;
}

static int run_command(struct trigger *t, const struct options *o, struct model *m, const struct row *r,
		       const struct sample_mark *mark, uint64_t now_ns)
{
	int input, err;

	if (t->child || (t->ran_ns && now_ns - t->ran_ns < EXEC_LEAST_NS))
		return 0;
	input = write_input(m, r, mark);
	if (input < 0)
		return input;
	err = spawn(t, o, input);
	close(input);
	if (err)
		t->child = 0;
	t->ran_ns = now_ns ? now_ns : 1;
	return err;
}

int trigger_check(struct trigger *t, const struct options *o, struct model *m, struct sample *s, uint64_t now_ns)
{
	struct row **rows = NULL;
	struct sample_mark *mark;
	int n, err = 0;

	if (!t->alert.expression)
		return 0;
	if (t->child && waitpid(t->child, NULL, WNOHANG)) /* also if somebody else has reaped it */
		t->child = 0;
	n = batch_rows(o, m, &rows);
	n = n < 0 ? n : alert_check(&t->alert, rows, n);
	n = n < TRIGGER_MARKS ? n : TRIGGER_MARKS;
	for (int i = 0; i < n && !err; i++) {
		mark = add_mark(s, o, rows[i]);
		err = mark ? 0 : -ENOMEM;
		if (mark && !i && o->exec)
			err = run_command(t, o, m, rows[0], mark, now_ns);
	}
	free(rows);
	return err ? err : n;
}

void trigger_free(struct trigger *t)
{
	alert_free(&t->alert);
}
