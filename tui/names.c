/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of numbers, looked up once and kept: what the libraries know is asked slowly (libseccomp
 * searches and allocates, getpwuid_r may ask a directory server), and the answers do not change.
 */
#include "names.h"

#include <errno.h>
#include <pwd.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "lagtop.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A number's name in a cache that only grows by what was met. */
struct name {
	uint32_t number;
	UT_hash_handle hh;
	char text[];
};

static const char *cache_find(struct name *cache, uint32_t number)
{
	struct name *n = NULL;

	HASH_FIND(hh, cache, &number, sizeof(number), n);
	return n ? n->text : NULL;
}

static const char *cache_add(struct name **cache, uint32_t number, const char *text)
{
	struct name *n = malloc(sizeof(*n) + strlen(text) + 1);

	if (!n)
		return "?";
	n->number = number;
	strcpy(n->text, text);
	HASH_ADD(hh, *cache, number, sizeof(n->number), n);
	if (!n->hh.tbl) {
		free(n);
		return "?";
	}
	return n->text;
}

static uint32_t arch_of(uint32_t call)
{
	uint32_t native = seccomp_arch_native();

	switch (LT_CALL_ABI(call)) {
	case LT_ABI_COMPAT:
		return native == SCMP_ARCH_AARCH64 ? SCMP_ARCH_ARM : SCMP_ARCH_X86;
	case LT_ABI_X32:
		return SCMP_ARCH_X32;
	default:
		return native;
	}
}

/* Calls newer than libseccomp 2.5; since 424 all architectures share their numbers, but for a few of x86_64. */
static const char *const new_calls[] = {
	"statmount",	"listmount",  "lsm_get_self_attr", "lsm_set_self_attr", "lsm_list_modules", "mseal",
	"setxattrat",	"getxattrat", "listxattrat",	   "removexattrat",	"open_tree_attr",   "file_getattr",
	"file_setattr", "listns",     "rseq_slice_yield",
};
#define FIRST_NEW_CALL 457
#define NEW_X86_64_URETPROBE 335
#define NEW_X86_64_UPROBE 336

static const char *new_call(uint32_t call)
{
	uint32_t nr = LT_CALL_NR(call), arch = arch_of(call);

	if (nr >= FIRST_NEW_CALL && nr < FIRST_NEW_CALL + COUNT(new_calls))
		return new_calls[nr - FIRST_NEW_CALL];
	if (arch != SCMP_ARCH_X86_64 && arch != SCMP_ARCH_X32)
		return NULL;
	return nr == NEW_X86_64_URETPROBE ? "uretprobe" : nr == NEW_X86_64_UPROBE ? "uprobe" : NULL;
}

const char *names_call(uint32_t call)
{
	static struct name *cache;
	const char *known = cache_find(cache, call);
	uint32_t nr = LT_CALL_NR(call);
	char *name, number[16];

	if (known)
		return known;
	if (call == LT_CALL_OTHERS)
		return "others";
	known = new_call(call);
	if (known)
		return known;
	name = seccomp_syscall_resolve_num_arch(arch_of(call), (int)nr);
	snprintf(number, sizeof(number), "#%u", nr);
	known = cache_add(&cache, call, name ? name : number);
	free(name);
	return known;
}

const char *names_abi(uint32_t call)
{
	switch (arch_of(call)) {
	case SCMP_ARCH_X86_64:
		return "x86_64";
	case SCMP_ARCH_X86:
		return "i386";
	case SCMP_ARCH_X32:
		return "x32";
	case SCMP_ARCH_AARCH64:
		return "aarch64";
	case SCMP_ARCH_ARM:
		return "arm";
	default:
		return "native";
	}
}

const char *names_errno(uint32_t error)
{
	static struct name *cache;
	const char *name = NULL;
	char number[16];

	if (!error)
		return "others";
#ifdef __GLIBC__
	name = strerrorname_np((int)error);
#endif
	if (!name) {
		name = cache_find(cache, error);
		if (name)
			return name;
		snprintf(number, sizeof(number), "E%u", error);
		name = cache_add(&cache, error, number);
	}
	return name;
}

const char *names_user(uint32_t uid)
{
	static struct name *cache;
	const char *known = cache_find(cache, uid);
	struct passwd pw, *found = NULL;
	size_t size = 1024;
	char *buf = NULL, *more, number[16];
	int err;

	if (known)
		return known;
	do {
		more = realloc(buf, size);
		if (!more) {
			err = ENOMEM;
			break;
		}
		buf = more;
		err = getpwuid_r(uid, &pw, buf, size, &found);
		size *= 2;
	} while (err == ERANGE && size < 1 << 20);
	snprintf(number, sizeof(number), "%u", uid);
	known = cache_add(&cache, uid, !err && found ? found->pw_name : number);
	free(buf);
	return known;
}

const char *names_state(uint8_t state)
{
	static const char *const names[] = {
#define X(NAME, name, ...) [LT_##NAME] = #name,
		LT_STATE_TABLE(X)
#undef X
			[LT_NEW] = "new",
		[LT_DEAD] = "dead",
	};

	return state < COUNT(names) && names[state] ? names[state] : "?";
}

const char *names_tcp_state(uint8_t state)
{
	static const char *const names[] = {
		NULL,	  "ESTAB",	"SYN-SENT", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT",
		"UNCONN", "CLOSE-WAIT", "LAST-ACK", "LISTEN",	"CLOSING",    "SYN-RECV",   "BOUND",
	};

	return state < COUNT(names) ? names[state] : NULL;
}

const char *names_proto(uint8_t proto)
{
	static const char *const names[] = { "tcp", "udp", "inet", "unix", "other" };

	return proto < COUNT(names) ? names[proto] : "?";
}
