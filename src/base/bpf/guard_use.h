/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard_use - A namespace's interfaces, as guard_use.c reads and judges them
 */
#ifndef BPF_GUARD_USE_H
#define BPF_GUARD_USE_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/guard.h"

/* How an interface is joined to the one that its IFLA_LINK names. */
enum guard_bind {
	BIND_NONE,
	BIND_LOWER,  /* built on it, with a part of its frames (VLAN) */
	BIND_SHARED, /* built on it, with siblings on one wire (macvlan) */
	BIND_PEER,   /* veth */
};

/**
 * struct guard_link - An interface
 * @index:	Its number, not 0
 * @master:	That of the bridge, bond or the like that it belongs to; 0: none
 * @below:	IFLA_LINK; 0: none
 * @foreign:	@below is a number of another namespace
 * @ovs:	A port that Open vSwitch has made itself
 * @address, @route: Beyond IPv6 link-local and multicast
 * @bind:	What it is to @below
 */
struct guard_link {
	int index;
	int master;
	int below;
	bool foreign;
	bool loopback;
	bool ovs;
	bool address;
	bool route;
	enum guard_bind bind;
	char name[GUARD_DEV];
};

struct guard_links {
	struct guard_link *l;
	uint32_t n;
	uint32_t room;
};

/* What an interface of this kind (IFLA_INFO_KIND) is to the one below. */
enum guard_bind guard_bind_of(const char *kind);

/* Is the one with this number in use? Return: 0 and *@why, or -ENODEV */
int guard_judge(const struct guard_links *ls, int index, struct guard_why *why);

#endif /* BPF_GUARD_USE_H */
