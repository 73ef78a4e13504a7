/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Users by number and by name, as the machine's name services know them. Both may ask a server and block. The static
 * program runs `getent` for it: the C library would load the services' libraries, which crash if they are of another
 * version.
 */
#ifndef USERS_H
#define USERS_H

#include <stdint.h>

/* The name in *name, to be freed; NULL: the user has none. 0 or a positive errno. */
int users_name(uint32_t uid, char **name);

/* 0, or -ENOENT: there is no such user. */
int users_number(const char *name, uint32_t *uid);

/* Only what /etc/passwd says; does not ask a server. NULL: nothing. To be freed. */
char *users_local_name(uint32_t uid);

#endif
