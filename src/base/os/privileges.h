/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * privileges - Give up what only the start needed
 *
 * Root is needed to open packet sockets, to load the guard and to set a link
 * up. An open packet socket, its mapped ring and its statistics need nothing.
 */
#ifndef OS_PRIVILEGES_H
#define OS_PRIVILEGES_H

#include "os/errbuf.h"

/**
 * privileges_freeze() - Get no more than there are (no_new_privs). Return: 0,
 * -Exxx
 */
int privileges_freeze(struct errbuf *e);

/**
 * privileges_drop() - Become an ordinary user for good
 * @user:	Login name to become; NULL: stay who we are
 * @e:		Sentence on failure
 *
 * Sets no_new_privs, empties the bounding, ambient, inheritable, permitted and
 * effective sets, and takes @user's uid and gid with no other group. Proves it:
 * a way back that still opens is an error. Call it before any thread is made:
 * Linux keeps capabilities per thread. The caller must end on failure, since
 * part of it may have been done.
 *
 * Return: 0, or -ENOENT (no such user), or -EINVAL (@user is root), or -EPERM
 */
int privileges_drop(const char *user, struct errbuf *e);

/**
 * privileges_drop_but_net_admin() - The same, but CAP_NET_ADMIN stays, if it
 * was there
 */
int privileges_drop_but_net_admin(const char *user, struct errbuf *e);

/**
 * privileges_user() - Whom a process of ours becomes when all is open
 * @asked:	Who was asked for (--user); NULL: nobody was
 *
 * Return: @asked; else for root who called sudo, or nobody; NULL: it stays who
 * it is
 */
const char *privileges_user(const char *asked);

/** privileges_sudo() - Who called sudo, and is not root; NULL: nobody did */
const char *privileges_sudo(void);

#endif /* OS_PRIVILEGES_H */
