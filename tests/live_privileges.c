/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The least privileges with which lagtop works, those it gives up after attaching, and what the environment cannot make
 * it do. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "live.h"
#include "sandbox.h"

#define STATUS_BYTES 4096
#define CAP_KILL (1ULL << 5)
#define CAP_SYS_NICE (1ULL << 23)
#define CAP_BPF (1ULL << 39)

static const char *capable(void)
{
	const char *path;

	live_need_bpf();
	path = sandbox_capable_lagtop();
	if (!path)
		live_skip("no file system here keeps file capabilities");
	return path;
}

/* False: it has exited. */
static bool read_status(int64_t pid, const char *tid, char text[STATUS_BYTES])
{
	char path[320];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%lld/task/%s/status", (long long)pid, tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, STATUS_BYTES - 1);
	if (fd >= 0)
		close(fd);
	text[n < 0 ? 0 : n] = 0;
	return n > 0;
}

/* Hexadecimal number behind a word of a thread's status. */
static uint64_t status_of(const char *text, const char *word)
{
	const char *at = strstr(text, word);
	unsigned long long value = 0;

	assert_non_null(at);
	assert_int_equal(sscanf(at + strlen(word), "%llx", &value), 1);
	return value;
}

/* Every permanent thread, the drain thread included, holds those and no others, and cannot regain any. */
static void check_held(int64_t pid, uint64_t held)
{
	char path[64], text[STATUS_BYTES];
	struct dirent *d;
	int threads = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%lld/task", (long long)pid);
	dir = opendir(path);
	assert_non_null(dir);
	while ((d = readdir(dir))) {
		/* The threads that measure the cost of an event come and go. */
		if (d->d_name[0] == '.' || !read_status(pid, d->d_name, text))
			continue;
		threads++;
		assert_int_equal(status_of(text, "CapEff:"), held);
		assert_int_equal(status_of(text, "CapPrm:"), held);
		assert_int_equal(status_of(text, "CapInh:"), 0);
		assert_int_equal(status_of(text, "CapAmb:"), 0);
		assert_int_equal(status_of(text, "NoNewPrivs:"), 1);
	}
	closedir(dir);
	assert_true(threads >= 2);
}

static void test_root_drops(void **state)
{
	struct live *l = live_start("-d", "0.1", NULL);
	char self[16], text[STATUS_BYTES];

	(void)state;
	snprintf(self, sizeof(self), "%d", getpid());
	assert_true(read_status(getpid(), self, text));
	check_held(l->child->pid, status_of(text, "CapEff:") & (CAP_BPF | CAP_KILL | CAP_SYS_NICE));
}

static void test_readonly_drops_more(void **state)
{
	struct live *l = live_start("-d", "0.1", "--readonly", NULL);

	(void)state;
	check_held(l->child->pid, CAP_BPF);
}

static void test_file_capabilities(void **state)
{
	const char *path = capable();
	struct live *l = live_start_as(sandbox_nobody, path, "-d", "0.1", NULL);

	(void)state;
	assert_int_equal(live_proc(l->child->pid, "status", "Uid:"), NOBODY);
	check_held(l->child->pid, CAP_BPF);
}

/* As started by systemd with User= and AmbientCapabilities=. */
static void test_ambient_capabilities(void **state)
{
	struct live *l = live_start_as(sandbox_ambient, NULL, "-d", "0.1", NULL);

	(void)state;
	assert_int_equal(live_proc(l->child->pid, "status", "Uid:"), NOBODY);
	check_held(l->child->pid, CAP_BPF);
}

/* Several times as many threads as there were records for: more are added without the privileges of the start. */
static void test_growing_after_the_drop(void **state)
{
	struct live *l = live_start_as(sandbox_nobody, capable(), "-d", "0.2", NULL);
	int64_t maps_bytes = live_get(l->reading[0], "self.map_bytes");
	struct child *crowd = live_load(NULL, "crowd", "5000", NULL);
	struct json_object *last = NULL;
	int64_t threads = 0;

	(void)state;
	live_round(crowd);
	live_past_now(l);
	check_held(l->child->pid, CAP_BPF);
	/* Threads that were created before there were records for them are counted in lost until the task iterator
	 * finds them. */
	for (int n = 0; n < 100 && threads < 5001; n++) {
		last = live_next(l);
		threads = live_get(live_process(last, crowd->pid), "threads");
		assert_true(threads + live_get(last, "lost.threads") >= 5001);
	}
	live_compare((double)threads, 5001, 0, "after the drop: threads");
	live_between((double)live_get(last, "self.map_bytes"), (double)maps_bytes + 1, 1e9,
		     "after the drop: map bytes");
	live_verdict();
}

/* Where only root can count every call, other users get a message; root does not. */
static void test_other_users_learn_what_is_missing(void **state)
{
	const char *path = capable();
	struct live *root = live_start("-d", "0.1", NULL),
		    *nobody = live_start_as(sandbox_nobody, path, "-d", "0.1", NULL);
	bool by_perf = !strcmp(live_text(root->reading[0], "probes.syscall.by"), "perf");
	struct json_object *calls, *ignored;

	(void)state;
	calls = json_object_object_get(json_object_object_get(nobody->reading[0], "probes"), "syscall");
	assert_string_equal(live_text(calls, "state"), "on");
	assert_string_equal(live_text(calls, "by"), "tp_btf");
	if (by_perf)
		assert_non_null(strstr(live_text(calls, "reason"), "tracefs"));
	else
		assert_false(json_object_object_get_ex(calls, "reason", &ignored));
}

/* True if the process has a file mapped whose path holds `word`. */
static bool has_mapped(int64_t pid, const char *word, char *where, size_t size)
{
	char path[64], line[512], *file;
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%lld/maps", (long long)pid);
	f = fopen(path, "r");
	assert_non_null(f);
	while (!found && fgets(line, sizeof(line), f)) {
		file = strchr(line, '/');
		found = file && strstr(file, word);
		if (found && where)
			snprintf(where, size, "%.*s", (int)strcspn(file, "\n"), file);
	}
	fclose(f);
	return found;
}

static void preload(const char *library)
{
	setenv("LD_PRELOAD", library, 1);
	setenv("LD_AUDIT", library, 1);
}

/* A library preloaded by the test: lagtop loads it without capabilities, but not with them. */
static void test_environment_loads_no_code(void **state)
{
	const char *path = capable();
	struct live *plain, *privileged;
	char library[256];

	(void)state;
	assert_true(has_mapped(getpid(), "libcmocka", library, sizeof(library)));
	preload(library);
	plain = live_start("-d", "0.1", NULL);
	privileged = live_start_as(sandbox_nobody, path, "-d", "0.1", NULL);
	unsetenv("LD_PRELOAD");
	unsetenv("LD_AUDIT");
	assert_true(has_mapped(plain->child->pid, "libcmocka", NULL, 0));
	assert_true(has_mapped(privileged->child->pid, "libcap-ng", NULL, 0));
	assert_false(has_mapped(privileged->child->pid, "libcmocka", NULL, 0));
}

/* Files are opened with the rights of the user who started lagtop. */
static void test_files_are_the_callers(void **state)
{
	const char *path = capable();
	char dir[] = "/tmp/lagtop-live-XXXXXX", file[64];
	struct outcome o;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/x.lag", dir);
	outcome_refuses(outcome_of(sandbox_nobody, path, "--json", "-n", "1", "-w", file, NULL), 2, file);
	assert_int_equal(access(file, F_OK), -1);
	o = outcome_of(NULL, NULL, "--json", "-n", "1", "-d", "0.1", "-w", file, NULL);
	assert_int_equal(o.status, 0);
	outcome_free(&o);
	outcome_refuses(outcome_of(sandbox_nobody, path, "--json", "-r", file, NULL), 2, file);
	unlink(file);
	rmdir(dir);
}

int main(void)
{
	static const struct CMUnitTest privileges[] = {
		live_test(test_root_drops),
		live_test(test_readonly_drops_more),
		live_test(test_file_capabilities),
		live_test(test_ambient_capabilities),
		live_test(test_growing_after_the_drop),
		live_test(test_other_users_learn_what_is_missing),
		live_test(test_environment_loads_no_code),
		live_test(test_files_are_the_callers),
	};

	return live_main(privileges);
}
