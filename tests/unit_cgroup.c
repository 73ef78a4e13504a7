/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The readable names of control groups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "cgroup.h"
#include "proc.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void names_are_readable(void **state)
{
	static const char *const cases[][2] = {
		{ "", "" },
		{ "/", "/" },
		{ "/init.scope", "init.scope" },
		{ "/system.slice/nginx.service", "nginx.service" },
		{ "/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service" },
		{ "/system.slice/dev-disk-by\\x2dlabel.swap", "dev-disk-by-label.swap" },
		{ "/user.slice/user-1000.slice/session-4.scope", "user 1000 session-4" },
		{ "/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service", "foo.service" },
		{ "/docker/" ID, "docker 0123456789ab" },
		{ "/system.slice/docker-" ID ".scope", "docker 0123456789ab" },
		{ "/machine.slice/libpod-" ID ".scope", "podman 0123456789ab" },
		{ "/kubepods/besteffort/pod1e2d3c4b-1111-2222-3333-444455556666/" ID, "pod 1e2d3c4b 0123456789ab" },
		{ "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1e2d3c4b_1111_2222.slice/"
		  "cri-containerd-" ID ".scope",
		  "pod 1e2d3c4b 0123456789ab" },
		{ "/kubepods/besteffort/pod1e2d3c4b-1111-2222-3333-444455556666", "pod 1e2d3c4b" },
		{ "/lxc/web/init.scope", "lxc web" },
		{ "/lxc.payload.db/system.slice/x.service", "lxc db" },
		{ "/machine.slice/libpod-" ID ".scope/container", "podman 0123456789ab" },
		{ "/system.slice/docker-" ID ".scope/init.scope", "docker 0123456789ab" },
		{ "/docker/" ID "/system.slice/cron.service", "docker 0123456789ab" },
		{ "/docker/ffffffffffffffffffffffffffffffff/docker/" ID "/a/b", "docker 0123456789ab" },
		{ "/kubepods/besteffort/pod1e2d3c4b-1111-2222-3333-444455556666/" ID "/inner",
		  "pod 1e2d3c4b 0123456789ab" },
		{ "/machine.slice/libpod-conmon-" ID ".scope", "libpod-conmon-" ID ".scope" },
		{ "/my/own/group", "group" },
		{ "/docker/short", "short" },
	};
	char buf[128];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(cgroup_name(buf, sizeof(buf), cases[i][0]), cases[i][1]);
}

/* A process is in one group per hierarchy; the most useful one is shown. */
static void one_group_of_several(void **state)
{
	static const char *const cases[][2] = {
		{ "0::/system.slice/nginx.service\n", "/system.slice/nginx.service" },
		{ "0::/\n", "/" },
		{ "12:memory:/docker/1\n1:name=systemd:/docker/2\n0::/docker/3\n", "/docker/3" },
		{ "12:memory:/docker/1\n1:name=systemd:/docker/2\n0::/\n", "/docker/2" },
		{ "12:cpu,cpuacct:/\n11:memory:/docker/1\n1:name=systemd:/\n0::/\n", "/docker/1" },
		{ "2:freezer:/\n1:name=systemd:/\n", "/" },
		{ "1:name=systemd:/a:b\n", "/a:b" },
		{ "not a line", "" },
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *path;

		snprintf(text, sizeof(text), "%s", cases[i][0]);
		path = proc_cgroup_of(text);
		assert_string_equal(path ? path : "", cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_readable),
		cmocka_unit_test(one_group_of_several),
	};

	return cmocka_run_group_tests_name("unit_cgroup", tests, NULL, NULL);
}
