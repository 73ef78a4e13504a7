/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs that a test or the bench starts: pipes to stdin and from stdout, stderr kept aside. Nothing
 * here waits for time to pass: a line, the end of the output or the end of the program is awaited,
 * and a deadline only ends what hangs. All children die with their parent.
 */
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct child {
	pid_t pid;
	int in, out; /* ours: write to its stdin, read from its stdout; -1: closed */
	int err;     /* a memory file */
	int status;  /* as of waitpid, once reaped */
	bool reaped;
	int deadline_ms; /* without output for so long it counts as hung; increased for slow programs */
	char *bytes;	 /* read, not yet handed out */
	size_t len, at, cap;
	struct child *next; /* all that were started and not freed */
};

/* argv[0] with a slash is a path, else it is searched for in PATH. uid -1: unchanged. NULL: out of memory or
 * processes. */
struct child *child_start(char *const argv[], uid_t uid);
/* The same in a sandbox (sandbox.h): called in the child before it becomes the program; may _exit(126). */
struct child *child_start_in(void (*sandbox)(void), char *const argv[]);

/* The path of the lagtop to test: $LAGTOP, or ./lagtop. */
char *child_lagtop(void);

/* The next line without its newline, valid until the next call; NULL: end of output, or none until its deadline. */
char *child_line(struct child *c);

bool child_send(struct child *c, char byte);
void child_close_in(struct child *c);
int child_wait(struct child *c); /* drains its output; exit status, or 128 + signal; -1: hangs, was killed */
/* What it wrote to stderr so far, NUL-ended; the caller frees. */
char *child_errors(struct child *c);
void child_free(struct child *c); /* kills and reaps it if necessary; NULL is legal */
void child_free_all(void);

/* A program run to its end with empty input: exit status as of child_wait, and its output. */
struct outcome {
	int status;
	size_t out_lines;
	char *last_line, *errors; /* of stdout; all of stderr */
};

struct outcome outcome_run(void (*sandbox)(void), char *const argv[]); /* sandbox: NULL, or as for child_start_in */
void outcome_free(struct outcome *o);

/* A workload of tests/load.c, set up: *ready (may be NULL) is its `ready` line. NULL: it failed. */
struct child *child_load(const char **ready, const char *workload, ...) __attribute__((sentinel));
/* Runs one round: writes a byte, returns the `done` line, valid until the next line is read; NULL: it failed. */
char *child_round(struct child *c);
/* key=NUMBER in a line; -1: not there. */
int64_t child_value(const char *line, const char *key);

#endif
