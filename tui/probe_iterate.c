/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs an iterator's program over all objects. */
#include "probe_kernel.h"

#include <errno.h>
#include <unistd.h>

int probe_iterate(struct bpf_link *link)
{
	int fd = bpf_iter_create(bpf_link__fd(link)), err;
	ssize_t n;
	char c;

	if (fd < 0)
		return fd;
	/* EAGAIN: the kernel or the program wants a pause. */
	while ((n = read(fd, &c, sizeof(c))) > 0 || (n < 0 && errno == EAGAIN))
		;
	err = n < 0 ? -errno : 0;
	close(fd);
	return err;
}
