/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connects the parts: options, a source of readings, a recording, and the screen or the batch loop. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "batch.h"
#include "file.h"
#include "keys.h"
#include "lookup.h"
#include "proc.h"
#include "run.h"
#include "screen.h"
#include "signals.h"
#include "utf8.h"

#ifdef __aarch64__
#define MACHINE "arm64"
#else
#define MACHINE "x86-64"
#endif
#ifdef LT_STATIC
#define LINKED "static"
#else
#define LINKED "with this machine's libraries"
#endif

#define WHY_SIZE 512

#define RUNTIME_FAILURE 1
#define BAD_OPTION 2

static int complain(const char *why, int status)
{
	fprintf(stderr, "lagtop: %s\n", why);
	return status;
}

static int check_pids(const struct options *o)
{
	char why[WHY_SIZE];
	uint32_t process;

	for (size_t i = 0; i < o->selection.n_pids; i++) {
		process = proc_process_of(o->selection.pids[i]);
		if (process == o->selection.pids[i])
			continue;
		if (process)
			snprintf(why, sizeof(why), "--pid %u: this is a thread of process %u; use that number",
				 o->selection.pids[i], process);
		else
			snprintf(why, sizeof(why), "--pid %u: no such process", o->selection.pids[i]);
		return complain(why, RUNTIME_FAILURE);
	}
	return 0;
}

static int show(const struct options *o, struct source *src, struct recorder *rec)
{
	char why[WHY_SIZE] = "";
	int status;

	if (o->output == OUTPUT_SCREEN)
		status = screen_run(o, src, rec, why, sizeof(why));
	else
		status = run_batch(o, src, rec, why, sizeof(why));
	if (*why)
		complain(why, status);
	if (!src->live && *source_trouble(src)) {
		snprintf(why, sizeof(why), "%s: %s", o->replay, source_trouble(src));
		status = complain(why, RUNTIME_FAILURE);
	}
	return status;
}

/* Whether both exist and are the same file, whatever their names. */
static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	if (!a || !b)
		return false;
	return !strcmp(a, b) || (!stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

/* Standard input is the recording: keys come from the terminal that lagtop was started from. */
static bool take_keys(char *why, size_t why_size)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);

	if (fd >= 0 && dup2(fd, STDIN_FILENO) >= 0) {
		close(fd);
		return true;
	}
	snprintf(why, why_size, "--replay -: no terminal for the keys: %s; --batch, --json and --csv need none",
		 strerror(errno));
	return false;
}

static int run(const struct options *o)
{
	const char *wrong = o->openmetrics ? file_replaceable(o->openmetrics) : NULL;
	struct source *src = NULL;
	struct recorder *rec = NULL;
	char why[WHY_SIZE] = "";
	bool from_input = o->replay && !strcmp(o->replay, "-");
	uint64_t dropped;
	int status, err;

	if (o->output == OUTPUT_SCREEN && (!isatty(STDOUT_FILENO) || (!from_input && !isatty(STDIN_FILENO))))
		return complain("this is not a terminal; --batch, --json and --csv need none", RUNTIME_FAILURE);
	if (o->streams && isatty(STDOUT_FILENO))
		return complain("--record -: standard output is a terminal; lead it through a pipe: "
				"ssh HOST lagtop --record - | lagtop --replay -",
				BAD_OPTION);
	if (from_input && isatty(STDIN_FILENO))
		return complain("--replay -: standard input is a terminal; a recording comes through a pipe: "
				"ssh HOST lagtop --record - | lagtop --replay -",
				BAD_OPTION);
	if (wrong) {
		snprintf(why, sizeof(why), "cannot write to %s: %s", o->openmetrics, wrong);
		return complain(why, BAD_OPTION);
	}
	if (same_file(o->openmetrics, o->replay) || same_file(o->openmetrics, o->record))
		return complain("--openmetrics and the recording name the same file", BAD_OPTION);
	if (!o->replay && check_pids(o))
		return RUNTIME_FAILURE;
	if (o->record) {
		rec = recorder_open(o->record, &o->keep, why, sizeof(why));
		if (!rec)
			return complain(why, BAD_OPTION);
	}
	/* Opening a pipe for --replay may block for ever: signals end that wait with their default action. */
	if (o->replay)
		src = folder_replay(o->replay, &o->at, why, sizeof(why));
	if (src && from_input && o->output == OUTPUT_SCREEN && !take_keys(why, sizeof(why))) {
		source_close(src);
		return complain(why, RUNTIME_FAILURE);
	}
	signals_block(o->output == OUTPUT_SCREEN);
	if (!o->replay)
		src = probe_open(&o->probe, why, sizeof(why));
	status = src ? show(o, src, rec) : complain(why, o->replay ? BAD_OPTION : RUNTIME_FAILURE);
	source_close(src);
	dropped = recorder_dropped(rec);
	err = recorder_close(rec);
	if (err) {
		snprintf(why, sizeof(why), "cannot write to %s: %s", o->record, strerror(-err));
		status = complain(why, RUNTIME_FAILURE);
	}
	if (dropped) {
		snprintf(why, sizeof(why), "%s: no room on the disk: %llu readings were not recorded", o->record,
			 (unsigned long long)dropped);
		status = complain(why, RUNTIME_FAILURE);
	}
	return status;
}

/* If a standard stream is closed, the next opened file would get its descriptor. */
static void open_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			abort();
}

/* The arrays of a reading grow by doubling: in their own mappings they leave no holes in the heap. */
static void keep_heap_dense(void)
{
#ifdef M_MMAP_THRESHOLD
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
#endif
}

/* The encoding of texts. Not LC_NUMERIC: the decimal point stays a point. */
static void choose_locale(void)
{
	static const char *const variables[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *wanted = NULL;

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]) && (!wanted || !*wanted); i++)
		wanted = getenv(variables[i]);
	/* The terminal has UTF-8, but this machine lacks its locale. */
	if (!setlocale(LC_CTYPE, "") && wanted && (strcasestr(wanted, "utf-8") || strcasestr(wanted, "utf8")))
		setlocale(LC_CTYPE, "C.UTF-8");
#ifdef LT_STATIC
	/* The C library would load a library of this machine for any other encoding. */
	if (!utf8_locale())
		setlocale(LC_CTYPE, "C");
#endif
}

static int act(const struct options *o)
{
	char why[WHY_SIZE];
	int status = 0, err;

	if (o->check)
		status = probe_check(&o->probe, stdout);
	else if (o->help)
		options_help(stdout);
	else if (o->version)
		puts("lagtop " LAGTOP_VERSION " (" MACHINE ", " LINKED ", compiler " __VERSION__ ")");
	else if (o->list_columns)
		batch_list_columns(stdout);
	else if (o->list_keys)
		keys_list(stdout);
	else
		return run(o);
	err = batch_finish(stdout);
	if (!err || err == -EPIPE)
		return status;
	snprintf(why, sizeof(why), "cannot write to stdout: %s", strerror(-err));
	return complain(why, RUNTIME_FAILURE);
}

/* A helper thread that is blocked in a library may hold a lock that exit(3) needs. */
static void leave_helpers(int status)
{
	if (!lookup_busy())
		return;
	fflush(stdout);
	fflush(stderr);
	_exit(status);
}

int main(int argc, char **argv)
{
	struct options o;
	int status;

	open_streams();
	keep_heap_dense();
	choose_locale();
	signal(SIGPIPE, SIG_IGN); /* write() reports both */
	signal(SIGXFSZ, SIG_IGN);
	status = options_parse(&o, argc, argv);
	if (!status)
		status = act(&o);
	options_free(&o);
	leave_helpers(status);
	return status;
}
