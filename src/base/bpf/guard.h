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

/* Why an interface is taken to be in use; %s: struct guard_why.other. */
#define GUARD_USES(X)                                                          \
	X(GUARD_FREE, "not in use")                                            \
	X(GUARD_ADDRESS, "has an address")                                     \
	X(GUARD_ROUTE, "has a route that leads out of it")                     \
	X(GUARD_MASTER, "belongs to %s")                                       \
	X(GUARD_PORT, "has %s as its port")                                    \
	X(GUARD_SWITCH, "is a port of Open vSwitch")                           \
	X(GUARD_UPPER, "carries %s, which is built on it")                     \
	X(GUARD_HIDDEN, "is built on an interface of another namespace")       \
	X(GUARD_LOOPBACK, "is the loopback interface")

enum guard_use {
#define X(id, text) id,
	GUARD_USES(X)
#undef X
};

/* Which interface that is said of; %s: its name. */
#define GUARD_WHERES(X)                                                        \
	X(GUARD_SELF, "it ")                                                   \
	X(GUARD_LOWER, "%s, on which it is built, ")                           \
	X(GUARD_SIBLING, "%s, which shares a wire with it, ")                  \
	X(GUARD_PEER, "%s, its other end, ")

enum guard_where {
#define X(id, text) id,
	GUARD_WHERES(X)
#undef X
};

#define GUARD_DEV      16 /* IFNAMSIZ */
#define GUARD_WHY_TEXT 128

/**
 * struct guard_why - What makes an interface one that is in use
 * @use:	GUARD_FREE: nothing does
 * @where:	What @dev is to the interface that was asked for
 * @dev:	The interface that @use is said of
 * @other:	The one that @use names
 */
struct guard_why {
	enum guard_use use;
	enum guard_where where;
	char dev[GUARD_DEV];
	char other[GUARD_DEV];
};

/**
 * guard_why_text() - The reason, as a sentence without its full stop
 * @out:	GUARD_WHY_TEXT bytes
 *
 * Return: @out
 */
const char *guard_why_text(const struct guard_why *why, char *out);

/**
 * guard_in_use() - Test whether the host uses an interface
 * @ifname:	Interface
 * @why:	Set to why
 *
 * The theory is in guard_use.c. Such an interface is never changed.
 *
 * Return: 0, or -ENODEV, or -E2BIG (more than GUARD_LINKS interfaces), or
 * another -Exxx of netlink; @why then untouched
 */
int guard_in_use(const char *ifname, struct guard_why *why);

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
