/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Servers on loopback, with their files in memory and in a folder of their own, one folder at a time. They end with
 * their parent; what they print is not read.
 */
#ifndef SERVERS_H
#define SERVERS_H

#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>

#include "child.h"

#define SERVERS_AS_ROOT ((uid_t)-1)

/* A folder in memory; owner NULL: root's. NULL: it cannot be made. */
const char *servers_folder(const struct passwd *owner);
const char *servers_folder_path(void); /* "" if there is none */
void servers_folder_remove(void);      /* with all that is in it; also if there is none */

/* Starts a program of words without blanks in them. */
struct child *servers_start(uid_t uid, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Runs one to its end; false: it failed, its errors are printed. */
bool servers_run(struct child *c);
bool servers_is_running(const struct child *c);
/* In a child whose output is not read: for child_start_in. */
void servers_silence(void);

/* Each returns when it listens on 127.0.0.1. NULL: it does not start here. */
struct child *servers_redis(const char *port, const char *options);
/* http: the inside of its http block. The folder must be there. */
struct child *servers_nginx(const char *port, const char *http);
/* PostgreSQL with a database for pgbench at that scale; also on a UNIX socket in the folder. */
struct child *servers_postgres(const char *port, int scale);
const struct passwd *servers_postgres_user(void);
/* Where its programs are, with a slash at the end; "": in PATH. */
const char *servers_postgres_bin(void);

/* Gently: what is killed leaves its shared memory behind. NULL is legal. */
void servers_stop(struct child *c);

#endif
