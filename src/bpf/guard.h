/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard - Make the kernel deaf and dumb on a wire that is ours alone
 *
 * The theory is in guard.c. Everything here needs CAP_NET_ADMIN and CAP_BPF, so
 * it is done at start, before privileges are dropped.
 */
#ifndef BPF_GUARD_H
#define BPF_GUARD_H

#include "os/errbuf.h"

/* Why an interface is taken to be in use. */
#define GUARD_USES(X)                                                          \
	X(GUARD_FREE, "not in use")                                            \
	X(GUARD_ADDRESS, "it has an address")                                  \
	X(GUARD_ROUTE, "a route leads out of it")                              \
	X(GUARD_MASTER, "it belongs to a bridge, bond or other master")        \
	X(GUARD_UPPER, "another interface is built on it")                     \
	X(GUARD_LOOPBACK, "it is the loopback interface")

enum guard_use {
#define X(id, text) id,
	GUARD_USES(X)
#undef X
};

/** guard_use_text() - The reason, as a part of a sentence */
const char *guard_use_text(enum guard_use u);

/**
 * guard_in_use() - Test whether the host uses an interface
 * @ifname:	Interface
 * @use:	Set to why, GUARD_FREE if it is not in use
 *
 * In use: it has an address or a route beyond IPv6 link-local and multicast, or
 * a master or upper device. Such an interface is never changed.
 *
 * Return: 0, or -ENODEV, or another -Exxx of netlink; @use then untouched
 */
int guard_in_use(const char *ifname, enum guard_use *use);

/**
 * guard_attach() - Set the guard on an interface; once is as good as twice
 *
 * Return: 0, or -EBUSY (in use, nothing changed), or -ENODEV, or -Exxx; after
 * a failure no half of it stays
 */
int guard_attach(const char *ifname, struct errbuf *e);

/** guard_present() - Return: 1 both halves are there, 0 not, or -Exxx */
int guard_present(const char *ifname);

/**
 * guard_release() - Lift the guard, and what guard_attach() made for it
 *
 * The clsact qdisc goes too unless somebody else has a filter in it.
 *
 * Return: 0, also if there was none, or -Exxx
 */
int guard_release(const char *ifname, struct errbuf *e);

/**
 * guard_link_up() - Set a guarded interface up
 *
 * Return: 0, or -EPERM if it is down and the guard is not there, or -Exxx
 */
int guard_link_up(const char *ifname, struct errbuf *e);

#endif /* BPF_GUARD_H */
