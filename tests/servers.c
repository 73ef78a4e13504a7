/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "servers.h"

#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOLDER "/dev/shm/lagtop-servers.XXXXXX"

static char folder[] = FOLDER;
static bool has_folder;

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

const char *servers_folder(const struct passwd *owner)
{
	strcpy(folder, FOLDER);
	has_folder = mkdtemp(folder) != NULL;
	return has_folder && (!owner || !chown(folder, owner->pw_uid, owner->pw_gid)) ? folder : NULL;
}

const char *servers_folder_path(void)
{
	return has_folder ? folder : "";
}

void servers_folder_remove(void)
{
	if (has_folder)
		nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	has_folder = false;
}

struct child *servers_start(uid_t uid, const char *format, ...)
{
	char text[1024], *argv[64], *rest = NULL;
	size_t n = 0;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (char *word = strtok_r(text, " ", &rest); word && n < 63; word = strtok_r(NULL, " ", &rest))
		argv[n++] = word;
	argv[n] = NULL;
	return child_start(argv, uid);
}

bool servers_is_running(const struct child *c)
{
	siginfo_t info = {};

	return !waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) && !info.si_pid;
}

bool servers_run(struct child *c)
{
	bool good = c && !child_wait(c);
	char *errors = c && !good ? child_errors(c) : NULL;

	if (errors)
		fprintf(stderr, "%s", errors);
	free(errors);
	child_free(c);
	return good;
}

void servers_silence(void)
{
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	dup2(nowhere, STDOUT_FILENO);
	dup2(nowhere, STDERR_FILENO);
}

/* Waits until a server listens at the port; NULL: it has failed. */
static struct child *when_listening(struct child *server, const char *port)
{
	for (int i = 0; server && i < 500 && servers_is_running(server); i++) {
		struct child *ss = servers_start(SERVERS_AS_ROOT, "ss -tlnH sport = :%s", port);
		bool found = ss && child_line(ss);

		child_free(ss);
		if (found)
			return server;
		usleep(20000);
	}
	servers_stop(server);
	return NULL;
}

struct child *servers_redis(const char *port, const char *options)
{
	char *argv[] = { (char *)"redis-server",
			 (char *)"--port",
			 (char *)port,
			 (char *)"--bind",
			 (char *)"127.0.0.1",
			 (char *)"--save",
			 (char *)"",
			 (char *)options,
			 (char *)(options ? "yes" : NULL),
			 NULL };

	return when_listening(child_start_in(servers_silence, argv), port);
}

struct child *servers_nginx(const char *port, const char *http)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/nginx.conf", folder);
	f = fopen(path, "w");
	if (!f)
		return NULL;
	fprintf(f,
		"daemon off; master_process off; pid %s/pid; error_log /dev/null;\n"
		"events { worker_connections 1024; }\n"
		"http { access_log off; keepalive_requests 2000000000; client_body_temp_path %s; proxy_temp_path %s;\n"
		"%s }\n",
		folder, folder, folder, http);
	if (fclose(f))
		return NULL;
	return when_listening(servers_start(SERVERS_AS_ROOT, "nginx -c %s", path), port);
}

const struct passwd *servers_postgres_user(void)
{
	const struct passwd *user = getpwnam("postgres");

	return user ? user : getpwnam("nobody");
}

/* Debian keeps the server's programs out of PATH. */
const char *servers_postgres_bin(void)
{
	static char dir[256];
	glob_t found = {};

	dir[0] = '\0';
	if (!glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found) && found.gl_pathc)
		snprintf(dir, sizeof(dir), "%.*s", (int)strlen(found.gl_pathv[found.gl_pathc - 1]) - 6,
			 found.gl_pathv[found.gl_pathc - 1]);
	globfree(&found);
	return dir;
}

/* It refuses to run as root. fsync in memory is free: what it costs here is CPU time alone. */
struct child *servers_postgres(const char *port, int scale)
{
	const struct passwd *user = servers_postgres_user();
	const char *bin = servers_postgres_bin();
	struct child *server;

	if (!user || !servers_folder(user) ||
	    !servers_run(servers_start(user->pw_uid, "%sinitdb -D %s/db -A trust -U bench --no-sync", bin, folder)))
		return NULL;
	server = when_listening(servers_start(user->pw_uid,
					      "%spostgres -D %s/db -k %s -p %s -c listen_addresses=127.0.0.1 "
					      "-c autovacuum=off -c max_wal_size=256MB",
					      bin, folder, folder, port),
				port);
	if (server &&
	    servers_run(servers_start(user->pw_uid, "%spgbench -i -q -s %d -h 127.0.0.1 -p %s -U bench postgres", bin,
				      scale, port)))
		return server;
	servers_stop(server);
	return NULL;
}

void servers_stop(struct child *c)
{
	if (c && !c->reaped) {
		kill(c->pid, SIGINT);
		child_wait(c);
	}
	child_free(c);
}
