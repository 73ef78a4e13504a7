/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capabilities, through libcap-ng. After the probes are attached, lagtop keeps only those that it uses. */
#include "privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "proc.h"

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#define CAP_BPF 39
#endif

bool privileges_missing(char *why, size_t size)
{
	if (proc_in_user_namespace())
		snprintf(why, size,
			 "this is a user namespace (a rootless container): the kernel does not allow BPF in one; "
			 "run lagtop outside of it");
	else if (capng_get_caps_process() == 0 && (capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN) ||
						   (capng_have_capability(CAPNG_EFFECTIVE, CAP_BPF) &&
						    capng_have_capability(CAPNG_EFFECTIVE, CAP_PERFMON))))
		return false;
	else if (geteuid() == 0)
		snprintf(why, size,
			 "root lacks the capabilities CAP_BPF and CAP_PERFMON here, as in a container: start it "
			 "with --cap-add BPF --cap-add PERFMON, or run lagtop outside of it");
	else
		snprintf(why, size,
			 "this needs root, or the capabilities CAP_BPF and CAP_PERFMON "
			 "(sudo setcap cap_bpf,cap_perfmon+ep lagtop)");
	return true;
}

bool privileges_hidden(char *option, size_t size)
{
	return proc_hides(option, size) &&
	       (capng_get_caps_process() || !capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_PTRACE));
}

int privileges_drop(bool readonly)
{
	int kept[] = { CAP_BPF, CAP_SYS_PTRACE, CAP_KILL, CAP_SYS_NICE };
	bool had[sizeof(kept) / sizeof(kept[0])];
	char option[32];

	if (capng_get_caps_process())
		return -EPERM;
	/* Maps are created as threads need records; CAP_SYS_ADMIN alone allows that too. */
	if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_BPF))
		kept[0] = CAP_SYS_ADMIN;
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		had[i] = capng_have_capability(CAPNG_EFFECTIVE, (unsigned int)kept[i]) && (i < 2 || !readonly);
	had[1] = had[1] && proc_hides(option, sizeof(option));
	capng_clear(CAPNG_SELECT_CAPS);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		if (had[i])
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, (unsigned int)kept[i]);
	}
	if (capng_apply(CAPNG_SELECT_CAPS))
		return -EPERM;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}

const char *privileges_lockdown(char *buf, size_t size)
{
	FILE *f = fopen("/sys/kernel/security/lockdown", "re");
	char text[128] = "", *open, *close;

	snprintf(buf, size, "unknown");
	if (!f)
		return buf;
	/* "none [integrity] confidentiality" */
	if (fgets(text, sizeof(text), f) && (open = strchr(text, '[')) && (close = strchr(open, ']'))) {
		*close = '\0';
		snprintf(buf, size, "%s", open + 1);
	}
	fclose(f);
	return buf;
}
