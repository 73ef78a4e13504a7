/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one run of lagtop's programs takes longer than an empty one at the same hook, and than one that reads the clock:
 * all are attached at the same time, while two threads wake each other by a pipe, and the kernel counts their time.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "bench_floor.skel.h"
#include "child.h"

static const struct {
	const char *hook, *own;
} hooks[] = {
	{ "sched_switch", "lt_switch" }, { "sched_waking", "lt_waking" }, { "sched_wakeup", "lt_wakeup" },
	{ "sys_enter", "lt_enter" },	 { "sys_exit", "lt_exit" },
};
#define HOOKS (sizeof(hooks) / sizeof(*hooks))

/* Those that are compared, by a descriptor of each program; -1: it is not there. */
enum { EMPTY, CLOCK, OWN, OTHER, COMPARED };
static int program[COMPARED][HOOKS];
static struct watch_account before[COMPARED][HOOKS];
static struct series taken[COMPARED][HOOKS]; /* ns; of OWN and OTHER above EMPTY */

static struct bench_floor *floor_of(int which)
{
	struct bench_floor *f = bench_floor__open();
	char name[32];

	if (!f)
		return NULL;
	f->rodata->read_clock = which == CLOCK;
	if (bench_floor__load(f) || bench_floor__attach(f))
		return NULL;
	for (size_t i = 0; i < HOOKS; i++) {
		snprintf(name, sizeof(name), "floor_%s", hooks[i].hook);
		program[which][i] = bpf_program__fd(bpf_object__find_program_by_name(f->obj, name));
	}
	return f;
}

static void take_program(int which, uint32_t id)
{
	struct bpf_prog_info info = {};
	uint32_t size = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
		return;
	/* Some hooks have one program for each form of their arguments. */
	for (size_t i = 0; i < HOOKS; i++) {
		size_t n = strlen(hooks[i].own);

		if (!strncmp(info.name, hooks[i].own, n) && (!info.name[n] || strchr("_", info.name[n])) &&
		    strcmp(info.name, "lt_wakeup_new") != 0) {
			program[which][i] = fd;
			return;
		}
	}
	close(fd);
}

static struct child *lagtop_of(int which, const char *path)
{
	char dir[64], file[320], line[128];
	char *argv[] = { (char *)path, (char *)"--json", (char *)"--budget", (char *)"off", NULL };
	struct child *c = child_start(argv, (uid_t)-1);
	struct dirent *d;
	DIR *fds;

	if (c && !child_line(c)) {
		argv[2] = NULL; /* older ones have no budget */
		c = child_start(argv, (uid_t)-1);
		if (c && !child_line(c))
			return NULL;
	}
	if (!c)
		return NULL;
	snprintf(dir, sizeof(dir), "/proc/%d/fdinfo", c->pid);
	fds = opendir(dir);
	while (fds && (d = readdir(fds))) {
		FILE *f;
		unsigned int id;

		snprintf(file, sizeof(file), "%s/%s", dir, d->d_name);
		f = fopen(file, "r");
		while (f && fgets(line, sizeof(line), f))
			if (sscanf(line, "prog_id: %u", &id) == 1)
				take_program(which, id);
		if (f)
			fclose(f);
	}
	if (fds)
		closedir(fds);
	return c;
}

static struct watch_account account_of(int fd)
{
	struct bpf_prog_info info = {};
	uint32_t size = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
		return (struct watch_account){};
	return (struct watch_account){ (double)info.run_time_ns, (double)info.run_cnt };
}

static void count(bool ends)
{
	for (size_t i = 0; i < HOOKS; i++) {
		double empty_ns = 0;

		for (int w = 0; w < COMPARED; w++) {
			struct watch_account now = account_of(program[w][i]), *last = &before[w][i];
			double ns = now.runs > last->runs ? (now.ns - last->ns) / (now.runs - last->runs) : 0;

			if (w == EMPTY)
				empty_ns = ns;
			if (ends && now.runs > last->runs)
				series_add(&taken[w][i], w == EMPTY ? ns : ns - empty_ns);
			*last = now;
		}
	}
}

static void print_programs(void)
{
	static const char *const titles[COMPARED] = { "an empty one", "reads the clock", "lagtop's", "the other's" };

	printf("ns per run by the kernel's count; beside an empty one: above it. Median ± half its 95 %% interval\n\n"
	       "%-14s",
	       "");
	for (int w = 0; w < COMPARED; w++)
		printf(" %16s", w < OTHER || taken[OTHER][0].n ? titles[w] : "");
	printf("\n");
	for (size_t i = 0; i < HOOKS; i++) {
		printf("%-14s", hooks[i].hook);
		for (int w = 0; w < COMPARED; w++)
			if (taken[w][i].n)
				printf(" %9.1f ±%5.1f", series_median(&taken[w][i]), series_spread(&taken[w][i]));
		printf("\n");
	}
}

int bench_programs(int rounds, const char *other)
{
	struct bench_floor *empty, *clock;
	struct child *load;
	bool stats;

	memset(program, -1, sizeof(program));
	empty = floor_of(EMPTY);
	clock = floor_of(CLOCK);
	load = child_load(NULL, "pipe", "1", "8000", NULL);
	stats = empty && clock && load && lagtop_of(OWN, child_lagtop()) && (!other || lagtop_of(OTHER, other)) &&
		watch_count_programs(true);
	if (!stats)
		fprintf(stderr, "bench: the programs do not run here\n");
	for (int round = 0; stats && round < rounds && child_round(load); round++)
		count(round); /* the first is to warm up */
	watch_count_programs(false);
	child_free_all();
	bench_floor__destroy(clock);
	bench_floor__destroy(empty);
	if (stats)
		print_programs();
	return !stats;
}
