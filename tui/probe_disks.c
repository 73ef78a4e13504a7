/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the disk family has to know of a kernel before its programs are loaded, and the tables that they fill.
 */
#include "probe_kernel.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* The bit of a request's flag: since 6.11 by an enum, which renumbered them, and which has a name, rqf_flags, only
 * since some later version; before, the macros of blk-mq.h. */
static uint32_t request_flag(const struct btf *btf, const char *name, uint32_t before)
{
	for (__u32 id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		for (int i = 0; btf_is_enum(t) && i < btf_vlen(t); i++)
			if (!strcmp(btf__name_by_offset(btf, btf_enum(t)[i].name_off), name))
				return 1U << btf_enum(t)[i].val;
	}
	return before;
}

/* Whether block devices are charged to control groups of version 1. */
static bool has_blkio_v1(void)
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char line[512];
	bool has = false;

	while (f && fgets(line, sizeof(line), f)) {
		char *controllers = strchr(line, ':');

		if (controllers)
			controllers[1 + strcspn(controllers + 1, ":")] = '\0';
		has |= controllers && strstr(controllers, "blkio");
	}
	if (f)
		fclose(f);
	return has;
}

bool probe_disks_charged(const struct btf *btf)
{
	return btf__find_by_name_kind(btf, "blkcg", BTF_KIND_STRUCT) > 0 && !has_blkio_v1();
}

void probe_disks_choose(struct probe *p, const struct btf *btf)
{
	struct family *disk = &p->family[SAMPLE_DISK];
	struct lagtop *skel = p->skel;
	bool charged = probe_disks_charged(btf);

	skel->rodata->lt_rqf_flush_seq = request_flag(btf, "__RQF_FLUSH_SEQ", 1 << 4);
	skel->rodata->lt_rqf_io_stat = request_flag(btf, "__RQF_IO_STAT", 1 << 13);
	bpf_map__set_autocreate(skel->maps.lt_disks, disk->on);
	bpf_map__set_autocreate(skel->maps.lt_stamps, disk->on);
	bpf_map__set_autocreate(skel->maps.lt_disk_groups, disk->on && charged);
	bpf_map__set_autocreate(skel->maps.lt_group_names, disk->on && charged);
	if (disk->on && !charged)
		snprintf(disk->reason, sizeof(disk->reason), "what control groups read and write is not known: %s",
			 has_blkio_v1() ? "blkio is of version 1" : "no CONFIG_BLK_CGROUP");
}

static void *map_table(const struct bpf_map *map, size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	return at == MAP_FAILED ? NULL : at;
}

int probe_disks_map(struct probe *p)
{
	const struct lagtop *skel = p->skel;

	if (!p->family[SAMPLE_DISK].on)
		return 0;
	p->disk = map_table(skel->maps.lt_disks, LT_DISKS * sizeof(*p->disk));
	if (!p->disk)
		return -errno;
	if (!bpf_map__autocreate(skel->maps.lt_disk_groups))
		return 0;
	p->disk_group = map_table(skel->maps.lt_disk_groups, LT_DISK_GROUPS * sizeof(*p->disk_group));
	p->group_name = map_table(skel->maps.lt_group_names, LT_GROUP_NAMES * sizeof(*p->group_name));
	return p->disk_group && p->group_name ? 0 : -errno;
}

void probe_disks_free(struct probe *p)
{
	if (p->disk)
		munmap(p->disk, LT_DISKS * sizeof(*p->disk));
	if (p->disk_group)
		munmap(p->disk_group, LT_DISK_GROUPS * sizeof(*p->disk_group));
	if (p->group_name)
		munmap(p->group_name, LT_GROUP_NAMES * sizeof(*p->group_name));
	p->disk = NULL;
	p->disk_group = NULL;
	p->group_name = NULL;
}
