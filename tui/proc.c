/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small readers of /proc. A file that cannot be read means unknown, never an error: processes exit. */
#include "proc.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MACHINE_FILE (16 << 20) /* bytes: /proc/stat has a line for each CPU and a number for each interrupt */
#define CGROUP_FILE (1 << 20)	/* bytes: a path of each hierarchy, 4 KiB at most */

size_t proc_read(int dir, const char *name, char *buf, size_t size)
{
	int fd = openat(dir < 0 ? AT_FDCWD : dir, name, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t got;

	if (fd < 0)
		return 0;
	while (n + 1 < size && (got = read(fd, buf + n, size - 1 - n)) > 0)
		n += (size_t)got;
	close(fd);
	buf[n] = '\0';
	return n;
}

/* Reads a whole small file; ends it with a NUL. Returns the length without it. */
static size_t slurp(const char *path, char *buf, size_t size)
{
	return proc_read(-1, path, buf, size);
}

/* The whole of a file, up to max bytes. */
static size_t read_all(int dir, const char *name, size_t max, char **text)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	size_t n = 0, size = 0;
	ssize_t got = 0;
	char *more;

	*text = NULL;
	if (fd < 0)
		return 0;
	do {
		n += (size_t)got;
		if (n + 1 >= size) {
			size = size ? size * 4 : 512;
			if (size > max + 1)
				size = max + 1;
			more = realloc(*text, size);
			if (!more)
				break;
			*text = more;
		}
		got = read(fd, *text + n, size - 1 - n);
	} while (got > 0);
	close(fd);
	if (n)
		(*text)[n] = '\0';
	else
		free(*text), *text = NULL;
	return n;
}

/* "monotonic SECONDS NANOSECONDS": the seconds may be negative, the nanoseconds not. */
static int64_t clock_offset(const char *text, const char *clock)
{
	const char *line = strstr(text, clock);
	long long s = 0, ns = 0;

	if (!line || sscanf(line + strlen(clock), "%lld %lld", &s, &ns) != 2)
		return 0;
	return s * 1000000000LL + ns;
}

struct proc_clocks proc_clocks(void)
{
	char own[64] = "", children[64] = "", text[256];

	/* The file describes the namespace of future children: before Linux 6.2 that may be another one. */
	if (readlink("/proc/self/ns/time", own, sizeof(own) - 1) < 0 ||
	    readlink("/proc/self/ns/time_for_children", children, sizeof(children) - 1) < 0 || strcmp(own, children) ||
	    !slurp("/proc/self/timens_offsets", text, sizeof(text)))
		return (struct proc_clocks){ 0, 0 };
	return (struct proc_clocks){ clock_offset(text, "monotonic"), clock_offset(text, "boottime") };
}

/* The fields of stat after the name, which is in parentheses and may contain anything: the last ')' ends it. "S ppid"
 * follows. NULL: gone. */
static const char *stat_of(int dir, char *buf, size_t size)
{
	int fd = openat(dir, "stat", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);
	char *after;

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return NULL;
	buf[n] = '\0';
	after = strrchr(buf, ')');
	return after && strlen(after) > 4 ? after + 2 : NULL;
}

/* Field 22, in ticks of the clock; start_ns: by the clocks of our time namespace. */
static bool is_start(const char *stat, uint64_t start_ns)
{
	uint64_t tick_ns = 1000000000ULL / (uint64_t)sysconf(_SC_CLK_TCK);

	for (int i = 3; i < 22 && stat; i++) {
		stat = strchr(stat, ' ');
		stat = stat ? stat + 1 : NULL;
	}
	return stat && strtoull(stat, NULL, 10) == start_ns / tick_ns;
}

static bool is_zombie(const char *stat)
{
	return *stat == 'Z' || *stat == 'X';
}

/* The directory of a thread that is still alive. Takes dir; returns it if there is none. */
static int living_thread(int dir)
{
	int tasks = openat(dir, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC), found = -1;
	DIR *list = tasks < 0 ? NULL : fdopendir(tasks);
	char buf[1024];

	for (struct dirent *e; list && found < 0 && (e = readdir(list));) {
		int thread = *e->d_name == '.' ? -1 : openat(tasks, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		const char *stat = thread < 0 ? NULL : stat_of(thread, buf, sizeof(buf));

		if (stat && !is_zombie(stat))
			found = thread;
		else if (thread >= 0)
			close(thread);
	}
	if (list)
		closedir(list);
	else if (tasks >= 0)
		close(tasks);
	if (found < 0)
		return dir;
	close(dir);
	return found;
}

int proc_open(uint32_t pid, uint64_t start_ns)
{
	char buf[1024];
	const char *stat;
	int dir;

	snprintf(buf, sizeof(buf), "/proc/%u", pid);
	dir = open(buf, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	stat = dir < 0 ? NULL : stat_of(dir, buf, sizeof(buf));
	if (stat && (!start_ns || is_start(stat, start_ns + (uint64_t)proc_clocks().boottime_ns)))
		return is_zombie(stat) ? living_thread(dir) : dir;
	if (dir >= 0)
		close(dir);
	return -1;
}

int proc_began(uint32_t pid, uint64_t start_ns)
{
	char buf[1024];
	const char *stat;
	int dir;

	snprintf(buf, sizeof(buf), "/proc/%u", pid);
	dir = open(buf, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	stat = stat_of(dir, buf, sizeof(buf));
	close(dir);
	return stat && is_start(stat, start_ns) ? 0 : -ESRCH;
}

DIR *proc_tasks(uint32_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/task", pid);
	return opendir(path);
}

uint32_t proc_process_of(uint32_t pid)
{
	char path[64], text[1024], *tgid;

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	tgid = slurp(path, text, sizeof(text)) ? strstr(text, "\nTgid:") : NULL;
	return tgid ? (uint32_t)strtoul(tgid + 6, NULL, 10) : 0;
}

bool proc_in_user_namespace(void)
{
	unsigned int inside, outside, count;
	char text[4096];

	/* Only the initial one maps all ids. */
	if (!slurp("/proc/self/uid_map", text, sizeof(text)))
		return false;
	return sscanf(text, "%u %u %u", &inside, &outside, &count) != 3 || count != UINT_MAX;
}

size_t proc_cmdline(int dir, char **text)
{
	static const char cut[] = "\u2026";
	size_t n = read_all(dir, "cmdline", PROC_CMDLINE + sizeof(cut), text);
	bool whole = n <= PROC_CMDLINE;

	if (!whole)
		n = PROC_CMDLINE;
	while (n && ((*text)[n - 1] == '\0' || (*text)[n - 1] == ' '))
		n--;
	for (size_t i = 0; i < n; i++) {
		if (!(*text)[i])
			(*text)[i] = ' ';
	}
	if (*text)
		strcpy(*text + n, whole ? "" : cut);
	return whole ? n : n + sizeof(cut) - 1;
}

/* Chooses the most useful hierarchy: the unified one, then systemd's, then any in which it has a group. */
static int cgroup_rank(const char *controllers, const char *path)
{
	if (!strcmp(path, "/"))
		return 0;
	return !*controllers ? 3 : !strcmp(controllers, "name=systemd") ? 2 : 1;
}

const char *proc_cgroup_of(char *text)
{
	char *save = NULL, *best = NULL;
	int best_rank = -1;

	/* Lines are hierarchy:controllers:path; the unified hierarchy is 0 with no controllers. */
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
		int rank;

		if (!path)
			continue;
		*path++ = '\0';
		rank = cgroup_rank(controllers + 1, path);
		if (rank > best_rank) {
			best = path;
			best_rank = rank;
		}
	}
	return best;
}

size_t proc_cgroup(int dir, char **text)
{
	const char *path = read_all(dir, "cgroup", CGROUP_FILE, text) ? proc_cgroup_of(*text) : NULL;

	if (path)
		memmove(*text, path, strlen(path) + 1);
	return path ? strlen(*text) : 0;
}

size_t proc_comm(int dir, char **text)
{
	size_t n = read_all(dir, "comm", 256, text);

	if (n && (*text)[n - 1] == '\n')
		(*text)[--n] = '\0';
	return n;
}

size_t proc_parent(int dir, char **text)
{
	char buf[1024];
	const char *stat = stat_of(dir, buf, sizeof(buf));

	*text = stat ? strndup(stat + 2, strcspn(stat + 2, " ")) : NULL;
	return *text ? strlen(*text) : 0;
}

/* hidepid of the mount's options, "hidepid=2" or "hidepid=invisible"; members of the option's group see all
 * processes except with "ptraceable". */
static bool options_hide(const char *options, bool (*in_group)(uint32_t gid), char *option, size_t size)
{
	const char *hidepid = strstr(options, "hidepid="), *gid = strstr(options, "gid=");

	if (!hidepid)
		return false;
	snprintf(option, size, "%.*s", (int)strcspn(hidepid, ",\n"), hidepid);
	if (!strcmp(option, "hidepid=0") || !strcmp(option, "hidepid=off"))
		return false;
	return !gid || !in_group || !in_group((uint32_t)strtoul(gid + 4, NULL, 10)) || !strcmp(option, "hidepid=4") ||
	       !strcmp(option, "hidepid=ptraceable");
}

bool proc_hides_of(const char *mountinfo, bool (*in_group)(uint32_t gid), char *option, size_t size)
{
	static const char type[] = " - proc ";
	char line[1024], point[64], *at;
	bool hides = false;

	/* id parent device root mount-point options … - type source options; the last one on /proc counts. */
	for (; *mountinfo; mountinfo += *mountinfo == '\n') {
		size_t len = strcspn(mountinfo, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)len, mountinfo);
		mountinfo += len;
		at = strstr(line, type);
		if (!at || sscanf(line, "%*s %*s %*s %*s %63s", point) != 1 || strcmp(point, "/proc") != 0)
			continue;
		at += strlen(type);
		hides = options_hide(at + strcspn(at, " "), in_group, option, size);
	}
	return hides;
}

static bool in_group(uint32_t gid)
{
	return group_member(gid);
}

bool proc_hides(char *option, size_t size)
{
	char *mounts = NULL;
	bool hides = read_all(AT_FDCWD, "/proc/self/mountinfo", 1 << 20, &mounts) &&
		     proc_hides_of(mounts, in_group, option, size);

	free(mounts);
	return hides;
}

/* Files of our network namespace; without IPv6 there is no snmp6. */
static size_t read_stack(char **text)
{
	static const char *const paths[] = { "/proc/self/net/netstat", "/proc/self/net/snmp", "/proc/self/net/snmp6" };
	size_t n = 0, got;
	char *part, *more;

	*text = NULL;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		got = read_all(AT_FDCWD, paths[i], MACHINE_FILE, &part);
		more = got ? realloc(*text, n + got + 1) : NULL;
		if (more) {
			*text = more;
			memcpy(more + n, part, got + 1);
			n += got;
		}
		free(part);
	}
	return n;
}

size_t proc_machine(enum proc_machine file, char **text)
{
	static const char *const paths[PROC_MACHINE] = {
		[PROC_STAT] = "/proc/stat",
		[PROC_DISKSTATS] = "/proc/diskstats",
		[PROC_PRESSURE + SAMPLE_CPU] = "/proc/pressure/cpu",
		[PROC_PRESSURE + SAMPLE_MEMORY] = "/proc/pressure/memory",
		[PROC_PRESSURE + SAMPLE_IO] = "/proc/pressure/io",
	};

	size_t n = file == PROC_STACK ? read_stack(text) : read_all(AT_FDCWD, paths[file], MACHINE_FILE, text);

	/* A machine without devices has an empty file, which is not the same as none. */
	if (!*text && file == PROC_DISKSTATS && !access(paths[file], R_OK))
		*text = strdup("");
	return n;
}

/* The next number of a line, times `unit`; false: no more on the line. */
static bool next_number(const char **at, uint64_t unit, uint64_t *n)
{
	char *end;

	*at += strspn(*at, " ");
	if (!isdigit((unsigned char)**at))
		return false;
	*n = strtoull(*at, &end, 10);
	*n = *n > COUNTER_MOST / unit ? COUNTER_MOST : *n * unit;
	*at = end;
	return true;
}

/* The word at *at, which moves past it; false: no more on the line. */
static bool next_word(const char **at, const char **word, size_t *n)
{
	*word = *at + strspn(*at, " \t");
	*n = strcspn(*word, " \t\n");
	*at = *word + *n;
	return *n;
}

static bool is_word(const char *word, size_t n, const char *is)
{
	return n == strlen(is) && !memcmp(word, is, n);
}

bool proc_stack_counter(const char *text, const char *group, const char *name, uint64_t *n)
{
	const char *word, *values;
	size_t len;

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		const char *at = text;

		if (!next_word(&at, &word, &len) || !is_word(word, len, group ? group : name))
			continue;
		if (!group)
			return next_number((at += strspn(at, " \t"), &at), 1, n);
		/* The line that follows has the values, in the same order. */
		values = at + strcspn(at, "\n");
		values += *values == '\n';
		if (!next_word(&values, &word, &len) || !is_word(word, len, group))
			return false;
		while (next_word(&at, &word, &len) && next_number(&values, 1, n))
			if (is_word(word, len, name))
				return true;
		return false;
	}
	return false;
}

/* "cpu3 user nice system idle iowait irq softirq steal guest guest_nice"; user and nice include the guests'. */
static bool cpu_line(const char *at, uint32_t *cpu, struct sample_cpu_times *times)
{
	enum { IDLE = 3, IOWAIT, IRQ, SOFTIRQ, STEAL, FIELDS };
	uint64_t tick_ns = 1000000000ULL / (uint64_t)sysconf(_SC_CLK_TCK), field[FIELDS], nr = PROC_CPU_ALL;

	if (strncmp(at, "cpu", 3) != 0)
		return false;
	at += 3;
	if (*at != ' ' && (!next_number(&at, 1, &nr) || nr >= PROC_CPU_ALL))
		return false;
	for (int i = 0; i < FIELDS; i++)
		if (!next_number(&at, tick_ns, &field[i]))
			return false;
	*cpu = (uint32_t)nr;
	*times = (struct sample_cpu_times){ .idle_ns = counter_sum(field[IDLE], field[IOWAIT]),
					    .irq_ns = field[IRQ],
					    .softirq_ns = field[SOFTIRQ],
					    .steal_ns = field[STEAL] };
	for (int i = 0; i < FIELDS; i++)
		if (i != IDLE && i != IOWAIT)
			times->busy_ns = counter_sum(times->busy_ns, field[i]);
	return true;
}

bool proc_cpu_of(const char **line, uint32_t *cpu, struct sample_cpu_times *times)
{
	const char *at;

	while (*(at = *line)) {
		*line += strcspn(at, "\n");
		*line += **line == '\n';
		if (cpu_line(at, cpu, times))
			return true;
	}
	return false;
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=MICROSECONDS" */
static uint64_t pressure_ns(const char *text, const char *which)
{
	const char *line = strstr(text, which), *total = line ? strstr(line, "total=") : NULL;
	uint64_t ns;

	if (!total || total > line + strcspn(line, "\n"))
		return SAMPLE_UNKNOWN;
	total += strlen("total=");
	return next_number(&total, 1000, &ns) ? ns : SAMPLE_UNKNOWN;
}

struct sample_pressure proc_pressure_of(const char *text)
{
	return (struct sample_pressure){ pressure_ns(text, "some "), pressure_ns(text, "full ") };
}

uint32_t proc_threads(void)
{
	char text[128], *slash;

	if (!slurp("/proc/loadavg", text, sizeof(text)))
		return 0;
	slash = strchr(text, '/');
	return slash ? (uint32_t)strtoul(slash + 1, NULL, 10) : 0;
}

void proc_ephemeral_ports(uint16_t *first, uint16_t *last)
{
	unsigned int from, to;
	char text[64];

	if (slurp("/proc/sys/net/ipv4/ip_local_port_range", text, sizeof(text)) &&
	    sscanf(text, "%u %u", &from, &to) == 2 && from <= to && to <= UINT16_MAX) {
		*first = (uint16_t)from;
		*last = (uint16_t)to;
	}
}

uint64_t proc_rss_bytes(void)
{
	char text[128], *space;

	if (!slurp("/proc/self/statm", text, sizeof(text)))
		return 0;
	space = strchr(text, ' ');
	return space ? strtoull(space + 1, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

uint64_t proc_map_bytes(int fd)
{
	static const char label[] = "\nmemlock:";
	char path[64], text[1024], *at;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	if (!slurp(path, text, sizeof(text)))
		return 0;
	at = strstr(text, label);
	return at ? strtoull(at + sizeof(label) - 1, NULL, 10) : 0;
}
