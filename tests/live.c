/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "sandbox.h"

#define SESSIONS 4
#define ATTACH_NS 60000000000LL /* lagtop starts in less */

static struct live *sessions[SESSIONS];
static unsigned int out_of_bounds;

void live_skip(const char *reason)
{
	printf("skip: %s\n", reason);
	fflush(stdout);
	skip();
	abort();
}

/* Asks the kernel, not lagtop: a lagtop that wrongly refuses must fail the test, not skip it. */
void live_need_bpf(void)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1 };
	int fd;

	if (geteuid())
		live_skip("not root");
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		live_skip("this kernel has no BTF");
	fd = (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
	if (fd < 0)
		live_skip(errno == ENOSYS ? "this kernel has no BPF" : "this process may not use BPF");
	close(fd);
}

void live_need_real_time(void)
{
	if (getenv("LIVE_EMULATED"))
		live_skip("this kernel runs in emulated time");
}

/* File systems in memory have no device. */
void live_need_disk(void)
{
	struct statfs fs;

	if (statfs("/var/tmp", &fs) || fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC ||
	    fs.f_type == OVERLAYFS_SUPER_MAGIC)
		live_skip("/var/tmp is on no disk");
}

void live_need_program(const char *name)
{
	char command[64];

	snprintf(command, sizeof(command), "command -v %s >/dev/null", name);
	if (!system(command))
		return;
	snprintf(command, sizeof(command), "%s is not installed", name);
	live_skip(command);
}

void live_need_net(struct live *l)
{
	struct json_object *net = json_object_object_get(json_object_object_get(l->reading[0], "probes"), "net");

	if (!strcmp(live_text(net, "state"), "off") && strstr(live_text(net, "reason"), "before Linux 6.4"))
		live_skip("this kernel cannot attach BPF programs to functions");
}

const char *live_times(const char *usual, const char *emulated)
{
	return getenv("LIVE_EMULATED") ? emulated : usual;
}

static struct live *start(void (*sandbox)(void), const char *path, const char *option, va_list args)
{
	/* Workloads here are expensive on purpose; the budget has a test of its own. */
	char *argv[32] = { (char *)path, (char *)"--json", (char *)"--budget", (char *)"off" };
	struct live *l = calloc(1, sizeof(*l));
	size_t n = 4;

	live_need_bpf();
	assert_non_null(l);
	for (const char *next = option; next && n < 31; next = va_arg(args, const char *))
		argv[n++] = (char *)next;
	for (n = 0; n < SESSIONS - 1 && sessions[n]; n++)
		;
	assert_null(sessions[n]);
	sessions[n] = l;
	l->child = child_start_in(sandbox, argv);
	assert_non_null(l->child);
	for (n = 2; argv[n] && argv[n + 1]; n++)
		if (!strcmp(argv[n], "-d"))
			l->child->deadline_ms += (int)(strtod(argv[n + 1], NULL) * 1000);
	return l;
}

static struct live *start_usual(const char *option, va_list args)
{
	bool nobody = getenv("LIVE_NOBODY");
	const char *path = nobody ? sandbox_capable_lagtop() : child_lagtop();

	if (!path)
		live_skip("no file system here keeps file capabilities");
	return start(nobody ? sandbox_nobody : NULL, path, option, args);
}

struct live *live_start(const char *option, ...)
{
	struct live *l;
	va_list args;

	va_start(args, option);
	l = start_usual(option, args);
	va_end(args);
	live_next(l);
	return l;
}

static bool has_timer(pid_t pid)
{
	char path[300], target[64];
	struct dirent *d;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && !found && (d = readdir(dir))) {
		ssize_t len;

		snprintf(path, sizeof(path), "/proc/%d/fd/%s", pid, d->d_name);
		len = readlink(path, target, sizeof(target) - 1);
		target[len < 0 ? 0 : len] = 0;
		found = strstr(target, "[timerfd]");
	}
	if (dir)
		closedir(dir);
	return found;
}

struct live *live_start_unread(const char *option, ...)
{
	int64_t deadline_ns = live_now_ns() + ATTACH_NS;
	struct live *l;
	va_list args;

	va_start(args, option);
	l = start_usual(option, args);
	va_end(args);
	while (!has_timer(l->child->pid))
		if (live_now_ns() > deadline_ns || poll(NULL, 0, 10) < 0)
			fail_msg("lagtop does not begin: %s", child_errors(l->child));
	return l;
}

struct live *live_start_as(void (*sandbox)(void), const char *path, const char *option, ...)
{
	struct live *l;
	va_list args;

	va_start(args, option);
	l = start(sandbox, path ? path : child_lagtop(), option, args);
	va_end(args);
	live_next(l);
	return l;
}

bool live_has_preempt_rt(void)
{
	struct utsname name;

	return !uname(&name) && strstr(name.version, "PREEMPT_RT");
}

void live_cut_context(char *line)
{
	char *to = line, *from = line, *context, *end;

	while ((context = strstr(from, "\"context\":{")) && (end = strchr(context, '}'))) {
		memmove(to, from, (size_t)(context - from));
		to += context - from;
		from = end + 1;
	}
	memmove(to, from, strlen(from) + 1);
}

struct json_object *live_next(struct live *l)
{
	char *line = child_line(l->child);
	struct json_object *reading;

	if (!line) {
		char *errors = child_errors(l->child);

		fail_msg("no reading from lagtop: %s", errors ? errors : "");
	}
	reading = json_tokener_parse(line);
	if (!reading)
		fail_msg("not JSON: %.200s", line);
	if (l->n == l->cap) {
		l->cap = l->cap * 2 + 16;
		l->reading = realloc(l->reading, l->cap * sizeof(*l->reading));
		assert_non_null(l->reading);
	}
	l->reading[l->n++] = reading;
	return reading;
}

int64_t live_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int64_t live_reading_ns(struct json_object *reading)
{
	const char *text = live_text(reading, "time");
	struct tm tm = {};
	char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	if (!rest || *rest != '.')
		fail_msg("time: %s", text);
	return timegm(&tm) * 1000000000LL + (int64_t)(strtod(rest, NULL) * 1e9);
}

void live_past_now(struct live *l)
{
	int64_t now_ns = live_now_ns();

	/* `time` is cut to microseconds */
	while (live_reading_ns(live_next(l)) <= now_ns + 1000)
		;
}

size_t live_mark(struct live *l)
{
	live_past_now(l);
	return l->n;
}

int live_stop(struct live *l, int signal_number)
{
	if (signal_number)
		kill(l->child->pid, signal_number);
	return child_wait(l->child);
}

int live_end_test(void **state)
{
	(void)state;
	child_free_all();
	for (size_t i = 0; i < SESSIONS; i++) {
		if (!sessions[i])
			continue;
		for (size_t r = 0; r < sessions[i]->n; r++)
			json_object_put(sessions[i]->reading[r]);
		free(sessions[i]->reading);
		free(sessions[i]);
		sessions[i] = NULL;
	}
	out_of_bounds = 0;
	return 0;
}

static struct json_object *field(struct json_object *o, const char *path, bool *found)
{
	char word[64];

	*found = true;
	while (*path) {
		size_t len = strcspn(path, ".");

		snprintf(word, sizeof(word), "%.*s", (int)len, path);
		if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, word, &o)) {
			*found = false;
			return NULL;
		}
		path += len + (path[len] == '.');
		if (!o)
			return NULL;
	}
	return o;
}

static struct json_object *known_field(struct json_object *o, const char *path)
{
	bool found;
	struct json_object *value = field(o, path, &found);

	if (!found)
		fail_msg("no field %s in %.300s", path, json_object_to_json_string(o));
	return value;
}

int64_t live_get(struct json_object *o, const char *path)
{
	struct json_object *value = known_field(o, path);

	return value ? json_object_get_int64(value) : LIVE_NULL;
}

const char *live_text(struct json_object *o, const char *path)
{
	struct json_object *value = known_field(o, path);

	return value ? json_object_get_string(value) : "";
}

struct json_object *live_process(struct json_object *reading, int64_t pid)
{
	struct json_object *all = known_field(reading, "processes"), *found = NULL;

	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object *p = json_object_array_get_idx(all, i);

		if (live_get(p, "pid") == pid)
			found = p;
	}
	return found;
}

int64_t live_sum(struct live *l, size_t from, int64_t pid, const char *path)
{
	int64_t sum = 0;

	for (size_t r = from; r < l->n; r++) {
		struct json_object *p = live_process(l->reading[r], pid);
		int64_t value = p ? live_get(p, path) : 0;

		sum += value == LIVE_NULL ? 0 : value;
	}
	return sum;
}

static bool is_call(struct json_object *row, const char *call)
{
	const char *slash = strchr(call, '/');
	size_t len = slash ? (size_t)(slash - call) : 0;

	return !strcmp(live_text(row, "name"), slash ? slash + 1 : call) &&
	       (!slash || (!strncmp(live_text(row, "abi"), call, len) && !live_text(row, "abi")[len]));
}

struct json_object *live_call(struct json_object *process, const char *name)
{
	struct json_object *rows = known_field(process, "syscalls");

	for (size_t i = 0; rows && i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);

		if (is_call(row, name))
			return row;
	}
	return NULL;
}

int64_t live_sum_call(struct live *l, size_t from, int64_t pid, const char *call, const char *path)
{
	int64_t sum = 0;

	for (size_t r = from; r < l->n; r++) {
		struct json_object *p = live_process(l->reading[r], pid), *row = p ? live_call(p, call) : NULL, *value;
		bool found;

		value = row ? field(row, path, &found) : NULL; /* an errno that did not occur has no field */
		sum += value ? json_object_get_int64(value) : 0;
	}
	return sum;
}

int64_t live_sum_connections(struct live *l, int64_t pid, const char *path)
{
	int64_t sum = 0;

	for (size_t r = 0; r < l->n; r++) {
		struct json_object *all = json_object_object_get(l->reading[r], "connections");

		for (size_t i = 0; all && i < json_object_array_length(all); i++) {
			struct json_object *c = json_object_array_get_idx(all, i);

			if (live_get(c, "pid") == pid && live_get(c, path) != LIVE_NULL)
				sum += live_get(c, path);
		}
	}
	return sum;
}

/* Not `sockets` nor `switches`: those happen to unrelated processes and are repaired (see pid 1 in live.h). */
int64_t live_lost(struct live *l, size_t from)
{
	static const char *const what[] = { "lost.threads", "lost.calls", "lost.exits", "lost.events" };
	int64_t sum = 0;

	for (size_t r = from; r < l->n; r++)
		for (size_t i = 0; i < sizeof(what) / sizeof(*what); i++)
			if (live_get(l->reading[r], what[i]) > 0) {
				sum += live_get(l->reading[r], what[i]);
				printf("%s: %lld in reading %zu\n", what[i],
				       (long long)live_get(l->reading[r], what[i]), r);
			}
	return sum;
}

/* Linux 7 skips programs of system calls: while another thread is preempted in one, or, of perf's tracepoints, in
 * bpf(2). Older kernels skip none. */
static bool skips_calls(struct json_object *reading)
{
	bool found, explained;

	field(reading, "probes.syscall.reason", &explained);
	return explained || (field(reading, "probes.syscall.by", &found) &&
			     !strcmp(live_text(reading, "probes.syscall.by"), "perf"));
}

/* Where the kernel skips calls and lagtop reports it, that many may be missing, but no more. */
static void compare_calls(struct live *l, size_t from, int64_t measured, int64_t claimed, const char *what)
{
	int64_t lost = 0;

	if (!skips_calls(l->reading[from])) {
		live_compare((double)measured, (double)claimed, 0, "%s", what);
		return;
	}
	for (size_t r = from; r < l->n; r++)
		lost += live_get(l->reading[r], "lost.calls");
	/* Otherwise missing all of them would pass: calls of others may be lost, too. */
	if (lost > claimed / 2)
		lost = claimed / 2;
	live_between((double)measured, (double)(claimed - lost), (double)claimed, "%s, but what is lost", what);
}

void live_compare_claims(struct live *l, size_t from, int64_t pid, const char *done)
{
	char name[64], error[32], path[48], what[128];

	for (const char *at = strstr(done, " call:"); at; at = strstr(at + 1, " call:")) {
		long long count;
		int n = sscanf(at, " call:%63[^= ]=%lld:%31[A-Z0-9]", name, &count, error);

		assert_true(n >= 2);
		compare_calls(l, from, live_sum_call(l, from, pid, name, "count"), count, name);
		snprintf(what, sizeof(what), "%s errors", name);
		compare_calls(l, from, live_sum_call(l, from, pid, name, "errors"), n == 3 ? count : 0, what);
		if (n < 3)
			continue;
		snprintf(path, sizeof(path), "errno.%s", error);
		snprintf(what, sizeof(what), "%s %s", name, error);
		compare_calls(l, from, live_sum_call(l, from, pid, name, path), count, what);
	}
}

static bool table_row(bool good, double measured, double oracle, double allowed, const char *what, va_list args)
{
	char text[64];

	vsnprintf(text, sizeof(text), what, args);
	printf("= %-44.44s %16.6g %16.6g %14.6g %12.6g%s\n", text, measured, oracle, measured - oracle, allowed,
	       good ? "" : "  OUT OF BOUNDS");
	fflush(stdout);
	out_of_bounds += !good;
	return good;
}

bool live_compare(double measured, double oracle, double allowed, const char *what, ...)
{
	va_list args;
	bool good;

	va_start(args, what);
	good = table_row(fabs(measured - oracle) <= allowed, measured, oracle, allowed, what, args);
	va_end(args);
	return good;
}

bool live_between(double measured, double low, double high, const char *what, ...)
{
	va_list args;
	bool good;

	va_start(args, what);
	good = table_row(measured >= low && measured <= high, measured, low, high - low, what, args);
	va_end(args);
	return good;
}

void live_verdict(void)
{
	if (out_of_bounds)
		fail_msg("%u comparisons are out of bounds", out_of_bounds);
}

static struct child *load(const char **ready, const char *workload, va_list args)
{
	const char *word[8] = { NULL };
	struct child *c;

	for (size_t n = 0; n < 7 && (word[n] = va_arg(args, const char *)); n++)
		;
	c = child_load(ready, workload, word[0], word[1], word[2], word[3], word[4], word[5], NULL);
	if (!c)
		fail_msg("workload %s", workload);
	return c;
}

struct child *live_load(const char **ready, const char *workload, ...)
{
	struct child *c;
	va_list args;

	va_start(args, workload);
	c = load(ready, workload, args);
	va_end(args);
	return c;
}

const char *live_round_int80(const char *workload, const char *n, struct child **load)
{
	const char *done;

	*load = child_load(NULL, workload, n, NULL);
	done = *load ? child_round(*load) : NULL;
	if (!done)
		live_skip("this kernel or machine has no int 0x80");
	return done;
}

char *live_round(struct child *load)
{
	char *line = child_round(load);

	if (!line) {
		char *errors = child_errors(load);

		fail_msg("a workload failed: %s", errors ? errors : "");
	}
	return line;
}

struct child *live_load_in_namespace(const char *prepare, const char *workload, const char **ready)
{
	char script[512];
	char *argv[] = { (char *)"unshare", (char *)"-n", (char *)"sh", (char *)"-c", script, NULL };
	struct child *c;

	snprintf(script, sizeof(script), "ip link set lo up && %s exec build/tests/load %s", prepare, workload);
	c = child_start(argv, (uid_t)-1);
	assert_non_null(c);
	*ready = child_line(c);
	if (!*ready) {
		char *errors = child_errors(c);

		fail_msg("namespace: %s", errors);
	}
	return c;
}

struct child *live_claims(struct live *l, const char *workload, ...)
{
	const char *done;
	struct child *c;
	va_list args;
	size_t from;

	va_start(args, workload);
	c = load(NULL, workload, args);
	va_end(args);
	from = live_mark(l);
	done = live_round(c);
	live_past_now(l);
	live_compare_claims(l, from, c->pid, done);
	return c;
}

int64_t live_proc(int64_t pid, const char *file, const char *word)
{
	char path[128], line[512];
	int64_t value = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%lld/%s", (long long)pid, file);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, word, strlen(word))) {
			value = strtoll(line + strlen(word), NULL, 10);
			break;
		}
	if (f)
		fclose(f);
	return value;
}

int64_t live_field(const char *path, int i)
{
	char line[1024] = "", *at = line;
	FILE *f = fopen(path, "r");
	int64_t value = -1;

	if (!f)
		return -1;
	if (fgets(line, sizeof(line), f))
		for (char *end; (value = strtoll(at, &end, 10), end != at) && i--; at = end)
			;
	fclose(f);
	return value;
}

bool live_try_write(const char *dir, const char *file, const char *text)
{
	char path[160];
	bool written;
	int fd, err;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	err = errno;
	close(fd);
	errno = err;
	return written;
}

void live_write(const char *dir, const char *file, const char *text)
{
	if (!live_try_write(dir, file, text))
		fail_msg("cannot write %s to %s/%s: %s", text, dir, file, strerror(errno));
}

int live_run(const char *name, const struct CMUnitTest *tests, size_t n)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	cmocka_set_message_output(getenv("CMOCKA_MESSAGE_OUTPUT") ? CM_OUTPUT_TAP : CM_OUTPUT_STDOUT);
	return _cmocka_run_group_tests(name, tests, n, NULL, NULL);
}
