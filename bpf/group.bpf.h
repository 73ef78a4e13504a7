/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What control groups ask of block devices, by the group of the request's bio. With the memory and io controllers of
 * cgroup version 2 that is the group of the pages, whoever writes them back. A group without the io controller
 * counts as the nearest one above that has it.
 */
#ifndef GROUP_BPF_H
#define GROUP_BPF_H

#include "record.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, LT_DISK_GROUPS);
	__type(key, __u32);
	__type(value, struct lt_disk_group);
} lt_disk_groups SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, LT_GROUP_NAMES);
	__type(key, __u32);
	__type(value, struct lt_group_name);
} lt_group_names SEC(".maps");

#define LT_GROUP_DEPTH 16
#define LT_GROUP_TRIES 16

static __always_inline struct kernfs_node *lt_group_parent(struct kernfs_node *node)
{
	return bpf_core_field_exists(node->__parent) ? BPF_CORE_READ(node, __parent) : BPF_CORE_READ(node, parent);
}

/* The root, which has no parent, has an empty name. */
static __always_inline __u32 lt_group_spell(struct lt_group_name *name, struct kernfs_node *node)
{
	struct kernfs_node *parent;
	__u64 at = 0;
	long n;

	for (int i = 0; i < LT_GROUP_DEPTH; i++) {
		parent = node ? lt_group_parent(node) : NULL;
		if (!parent)
			break;
		n = bpf_probe_read_kernel_str(&name->parts[at & (LT_GROUP_PARTS_BYTES - 1)], LT_GROUP_PART_BYTES,
					      BPF_CORE_READ(node, name));
		if (n <= 0 || at + n > LT_GROUP_PARTS_BYTES)
			break;
		at += n;
		node = parent;
	}
	if (!at)
		name->parts[at++] = 0;
	return at;
}

/* Stores a group's path, once. */
static __noinline int lt_group_name(struct kernfs_node *node, __u64 id)
{
	__u32 first = id * GOLDEN_RATIO >> 32, slot;
	struct lt_group_name *name;
	__u64 found;

	for (__u32 i = 0; i < LT_GROUP_TRIES; i++) {
		slot = (first + i) & (LT_GROUP_NAMES - 1);
		name = bpf_map_lookup_elem(&lt_group_names, &slot);
		if (!name)
			break;
		found = name->id;
		if (found == id)
			break;
		if (found || __sync_val_compare_and_swap(&name->id, 0, id))
			continue;
		first = lt_group_spell(name, node);
		lt_release();
		name->bytes = first;
		break;
	}
	return 0;
}

/* row: of the device and direction; bytes: that were transferred; ended: the whole request has. */
static __noinline int lt_group_add(struct request *rq, __u32 row, __u32 bytes, __u32 ended)
{
	struct bio *bio = BPF_CORE_READ(rq, bio);
	struct cgroup *group = BPF_CORE_READ(bio, bi_blkg, blkcg, cgroup);
	struct kernfs_node *node = BPF_CORE_READ(group, kn);
	__u64 id = node ? BPF_CORE_READ(node, id) : 0, key = LT_DISK_GROUP_KEY(id, row), found;
	__u32 first = key * GOLDEN_RATIO >> 32, slot;
	struct lt_disk_group *to;

	if (!id)
		return 0;
	for (__u32 i = 0; i < LT_GROUP_TRIES; i++) {
		slot = (first + i) & (LT_DISK_GROUPS - 1);
		to = bpf_map_lookup_elem(&lt_disk_groups, &slot);
		if (!to)
			break;
		found = to->key;
		if (!found) {
			found = __sync_val_compare_and_swap(&to->key, 0, key);
			if (!found)
				lt_group_name(node, id);
		}
		if (found && found != key)
			continue;
		__sync_fetch_and_add(&to->bytes, bytes);
		__sync_fetch_and_add(&to->count, ended);
		return 0;
	}
	lt_this_cpu()->lost_groups += ended;
	return 0;
}

#endif
