/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Out of memory, at every allocation in turn: the caller gets an error and continues, and a reading that succeeds is
 * complete.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fake_kernel.h"
#include "probe_kernel.h"
#include "settings.h"
#include "sockets.h"

/* The allocator's functions, which those below wrap. */
#ifdef __SANITIZE_ADDRESS__
#define OWN(function) __interceptor_##function
#else
#define OWN(function) __libc_##function
#endif
void *OWN(malloc)(size_t size);
void *OWN(calloc)(size_t n, size_t size);
void *OWN(realloc)(void *old, size_t size);

static int64_t left = -1; /* allocations until one fails; negative: all succeed */
static bool failed;

static bool fails(void)
{
	if (left < 0 || left--)
		return false;
	failed = true;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : OWN(malloc)(size);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : OWN(calloc)(n, size);
}

void *realloc(void *old, size_t size)
{
	return fails() ? NULL : OWN(realloc)(old, size);
}

/* Mappings of files fail likewise. */
void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	return fd >= 0 && fails() ? MAP_FAILED : (void *)syscall(SYS_mmap, at, size, protection, flags, fd, offset);
}

static void fail_at(int64_t n)
{
	left = n;
	failed = false;
}

static void fail_no_more(void)
{
	left = -1;
}

#define PROCESSES 40 /* more than a new hash table has buckets for */
#define US 1000ULL
#define READ LT_CALL(LT_ABI_NATIVE, 0)

static void busy(uint32_t slot)
{
	for (uint32_t i = 0; i < 20; i++) {
		fake_enter(slot, LT_CALL(LT_ABI_NATIVE, i));
		fake.now_ns += US << i % 8;
		fake_return(slot, -(long)(i % 5));
	}
}

static void test_ledger(void **state)
{
	int64_t n = 0;

	(void)state;
	do {
		uint32_t slot[PROCESSES];
		struct sample out = { .t_ns = fake.now_ns + 1, .interval_ns = 1, .cpus_online = 1 };
		int err;

		fake_open(NULL);
		for (uint32_t i = 0; i < PROCESSES; i++) {
			slot[i] = fake_born(100 + i, 100 + i);
			busy(slot[i]);
		}
		fail_at(n);
		ledger_drain(fake.ledger, fake.epoch);
		err = ledger_read(fake.ledger, fake.now_ns, fake.epoch, &out);
		fail_no_more();
		assert_true(err == -ENOMEM || !err);
		if (!err) {
			assert_null(sample_check(&out));
			assert_int_equal(out.n_processes, PROCESSES);
			assert_int_equal(out.n_calls, PROCESSES * 20);
		}
		sample_free(&out);
		fake_close();
		n++;
	} while (failed);
	assert_true(n > PROCESSES);
}

static int tell(struct sockets *k, uint32_t pid)
{
	struct lt_event e = { .type = LT_EVENT_CONNECTED, .tgid = pid, .process_start_ns = pid, .value = 1000 };
	struct lt_closed_event closed = { .type = LT_EVENT_CLOSED };
	int err = sockets_event(k, &e, sizeof(e));

	closed.connection.tgid = pid;
	closed.connection.process_start_ns = pid;
	return err ? err : sockets_event(k, &closed, sizeof(closed));
}

static void test_sockets(void **state)
{
	int64_t n = 0;

	(void)state;
	do {
		struct sockets *k = sockets_new(1 << 20);
		struct sample s = { .t_ns = 2, .interval_ns = 1 };
		uint32_t refused = 0;

		assert_non_null(k);
		fail_at(n);
		for (uint32_t pid = 1; pid <= PROCESSES; pid++) {
			int err = tell(k, pid);

			assert_true(!err || err == -ENOMEM);
			refused += err != 0;
		}
		fail_no_more();
		assert_in_range(refused, failed, failed);
		assert_int_equal(sockets_fill(k, &s, UINT64_MAX, true), 0);
		assert_in_range(s.n_connections, PROCESSES - refused, PROCESSES);
		sample_free(&s);
		sockets_free(k);
		n++;
	} while (failed);
	assert_true(n > PROCESSES);
}

static unsigned open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(dir);
	for (struct dirent *d; (d = readdir(dir));)
		n += *d->d_name != '.';
	closedir(dir);
	return n;
}

/* Instead of libbpf's: memory without a kernel map. */
int bpf_map_create(enum bpf_map_type type, const char *name, __u32 key, __u32 value, __u32 n,
		   const struct bpf_map_create_opts *opts)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	(void)type;
	(void)key;
	(void)opts;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)probe_memory_bytes(value, n)), 0);
	return fd;
}

static void test_chunks_leave_no_file_open(void **state)
{
	unsigned before = open_files();
	int64_t n = 0;
	int err;

	(void)state;
	do {
		struct probe p = { .max_records = 0 };
		struct probe_first first;

		fail_at(n++);
		err = probe_memory_begin(&p, &first);
		fail_no_more();
		assert_true(err == -ENOMEM || !err);
		first.walked_fd = -1;
		probe_memory_close(&first);
		probe_memory_free(&p);
		assert_int_equal(open_files(), before);
	} while (failed);
	assert_true(n > 3);
}

static void test_settings_leave_no_file_open(void **state)
{
	char folder[] = "/dev/shm/lagtop-memory.XXXXXX", path[80], *argv[] = { (char *)"lagtop", NULL };
	unsigned before = open_files();
	struct options o;
	struct view v;
	int64_t n = 0;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(folder));
	setenv("XDG_CONFIG_HOME", folder, 1);
	snprintf(path, sizeof(path), "%s/lagtop", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/lagtop/lagtoprc", folder);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("view = net\n", f);
	fclose(f);
	assert_int_equal(options_parse(&o, 1, argv), 0);
	do {
		assert_int_equal(view_init(&v, &o, true), 0);
		fail_at(n++);
		settings_load(&v);
		fail_no_more();
		assert_int_equal(open_files(), before);
		if (!failed)
			assert_string_equal(column_views[v.settings.view].name, "net");
		view_free(&v);
	} while (failed);
	assert_true(n > 2);
	options_free(&o);
	unlink(path);
	rmdir(dirname(path));
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ledger),
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_chunks_leave_no_file_open),
		cmocka_unit_test(test_settings_leave_no_file_open),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
