/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes and connections: exactly those that a workload sent and received, each on its own side. */
#include <stdio.h>

#include "live.h"

static void test_tcp_bytes(void **state)
{
	struct live *l = live_start("-d", "0.2", NULL);
	const char *ready;
	struct child *server = live_load(&ready, "tcp-server", "1", NULL), *client;
	char port[16];
	const char *sent, *got;

	(void)state;
	snprintf(port, sizeof(port), "%lld", (long long)child_value(ready, "port"));
	client = live_load(NULL, "tcp-client", port, "1", "1001", "8000", NULL);
	assert_true(child_send(server, 'x'));
	sent = live_round(client);
	got = child_line(server);
	assert_non_null(got);
	assert_int_equal(child_value(got, "bytes"), 8008000);
	live_past_now(l);
	live_compare((double)live_sum(l, 0, client->pid, "net.tx_bytes"), 8008000, 0, "TCP client: tx bytes");
	live_compare((double)live_sum(l, 0, client->pid, "net.tcp.tx_bytes"), 8008000, 0, "TCP client: tcp tx bytes");
	live_compare((double)live_sum(l, 0, client->pid, "net.rx_bytes"), 0, 0, "TCP client: rx bytes");
	live_compare((double)live_sum(l, 0, client->pid, "net.tx_ops"), (double)child_value(sent, "ops"), 0,
		     "TCP client: tx operations");
	live_compare((double)live_sum(l, 0, client->pid, "net.connects"), 1, 0, "TCP client: connects");
	live_compare((double)live_sum(l, 0, server->pid, "net.rx_bytes"), 8008000, 0, "TCP server: rx bytes");
	live_compare((double)live_sum(l, 0, server->pid, "net.tcp.rx_bytes"), 8008000, 0, "TCP server: tcp rx bytes");
	live_compare((double)live_sum(l, 0, server->pid, "net.tx_bytes"), 0, 0, "TCP server: tx bytes");
	live_compare((double)live_sum(l, 0, server->pid, "net.rx_ops"), (double)child_value(got, "ops"), 0,
		     "TCP server: rx operations");
	live_verdict();
}

int main(void)
{
	static const struct CMUnitTest net[] = {
		live_test(test_tcp_bytes),
	};

	return live_main(net);
}
