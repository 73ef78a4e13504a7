/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of numbers: system calls, errors, users, states. All texts stay valid for the program's life. */
#ifndef NAMES_H
#define NAMES_H

#include <stdint.h>

/* "read", or "#470" for an unknown number. call: LT_CALL(abi, nr). */
const char *names_call(uint32_t call);
const char *names_abi(uint32_t call); /* "x86_64", "x86", "x32", "aarch64", "arm" … */

/* "EAGAIN", or "E4242". */
const char *names_errno(uint32_t error);

/* The user's name, or the number if there is no name or it is not known yet. Never blocks; main thread only. */
const char *names_user(uint32_t uid);
/* Once per reading: collects new answers of the name services. */
void names_update(void);

const char *names_state(uint8_t state);	    /* enum lt_state: "run", "wakeq" … "dead" */
const char *names_tcp_state(uint8_t state); /* "ESTAB", as ss prints; NULL: no such state */
const char *names_proto(uint8_t proto);	    /* enum lt_proto: "tcp" … */

const char *names_disk_op(uint8_t op); /* enum lt_disk_op: "read" */

#endif
