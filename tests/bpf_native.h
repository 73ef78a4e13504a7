/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests that include a file of bpf/ and compile it for this machine, one each, since it defines what the kernel
 * would provide. The test defines read_kernel, field_exists, task_regs, and the maps' functions, as far as the file
 * calls them.
 */
#ifndef BPF_NATIVE_H
#define BPF_NATIVE_H

/* What clang defines when it compiles for BPF, and what the verifier needs. */
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#ifdef __clang__
#pragma clang diagnostic ignored "-Wunknown-attributes"
#pragma clang diagnostic ignored "-Wignored-attributes"
#else
#pragma GCC diagnostic ignored "-Woverride-init"
#endif
#if defined(__aarch64__)
#define __TARGET_ARCH_arm64
#else
#define __TARGET_ARCH_x86
#endif
#include "../bpf/kernel.h"

static bool field_exists(const char *field);
static long read_kernel(void *to, size_t size, const void *from);
static long task_regs(struct task_struct *task);
static void *lookup(const void *map, const void *key);

#undef bpf_core_field_exists
#undef bpf_core_type_size
#undef bpf_core_field_offset
#undef bpf_core_type_id_kernel
#undef BPF_CORE_READ_BITFIELD
#define bpf_core_field_exists(...) field_exists(#__VA_ARGS__)
#define bpf_core_type_size(type) sizeof(type)
#define bpf_core_field_offset(type, field) offsetof(type, field)
#define bpf_core_type_id_kernel(type) 0
#define BPF_CORE_READ_BITFIELD(from, field) ((from)->field)
#define __builtin_preserve_access_index(expression) (expression)
#define bpf_probe_read_kernel(to, size, from) read_kernel(to, size, from)
#define bpf_rdonly_cast(object, type) ((void *)(object))
#define bpf_task_pt_regs(task) task_regs(task)
#define bpf_map_lookup_elem(map, key) lookup(map, key)

#endif
