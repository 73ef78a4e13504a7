/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "taskstats.h"

#include <linux/genetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct message {
	struct nlmsghdr header;
	struct genlmsghdr generic;
	char attributes[4096];
};

/* One attribute to a family; its answer, in the same place. */
static void ask(int fd, struct message *m, uint16_t family, uint8_t command, uint16_t type, const void *data, size_t n)
{
	struct nlattr *a = (struct nlattr *)m->attributes;
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	size_t size = NLMSG_HDRLEN + GENL_HDRLEN + NLA_ALIGN(NLA_HDRLEN + n);

	memset(m, 0, sizeof(*m));
	m->header =
		(struct nlmsghdr){ .nlmsg_len = (uint32_t)size, .nlmsg_type = family, .nlmsg_flags = NLM_F_REQUEST };
	m->generic = (struct genlmsghdr){ .cmd = command, .version = 1 };
	*a = (struct nlattr){ .nla_len = (uint16_t)(NLA_HDRLEN + n), .nla_type = type };
	memcpy(a + 1, data, n);
	assert_int_equal(sendto(fd, m, size, 0, (struct sockaddr *)&kernel, sizeof(kernel)), size);
	assert_true(recv(fd, m, sizeof(*m), 0) > 0);
	assert_int_not_equal(m->header.nlmsg_type, NLMSG_ERROR);
}

/* Among the attributes in so many bytes; each has its length before its data. */
static const struct nlattr *find(const void *attributes, size_t size, uint16_t type)
{
	const struct nlattr *a = attributes;

	for (size_t at = 0; at + NLA_HDRLEN <= size && a->nla_len >= NLA_HDRLEN; at += NLA_ALIGN(a->nla_len)) {
		a = (const void *)((const char *)attributes + at);
		if ((a->nla_type & NLA_TYPE_MASK) == type)
			return a;
	}
	fail_msg("no attribute %d", type);
	return NULL;
}

static const struct nlattr *find_in(const struct nlattr *a, uint16_t type)
{
	return find(a + 1, a->nla_len - NLA_HDRLEN, type);
}

static const struct nlattr *find_first(const struct message *m, uint16_t type)
{
	return find(m->attributes, m->header.nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN, type);
}

struct taskstats taskstats_of(int64_t tid)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	struct taskstats stats = { 0 };
	uint32_t number = (uint32_t)tid;
	const struct nlattr *found;
	struct message m;
	size_t n;

	assert_true(fd >= 0);
	ask(fd, &m, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME, TASKSTATS_GENL_NAME,
	    sizeof(TASKSTATS_GENL_NAME));
	found = find_first(&m, CTRL_ATTR_FAMILY_ID);
	ask(fd, &m, *(const uint16_t *)(found + 1), TASKSTATS_CMD_GET, TASKSTATS_CMD_ATTR_PID, &number, sizeof(number));
	found = find_in(find_first(&m, TASKSTATS_TYPE_AGGR_PID), TASKSTATS_TYPE_STATS);
	n = found->nla_len - NLA_HDRLEN;
	memcpy(&stats, found + 1, n < sizeof(stats) ? n : sizeof(stats));
	close(fd);
	return stats;
}
