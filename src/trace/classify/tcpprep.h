/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcpprep - What tcpprep 4.4.3 says of a frame, with its defects
 *
 * For those whose caches must stay as they are. Every rule was found by running
 * the installed program beside this one; see the file's theory of operation for
 * the list of what it gets wrong.
 *
 * The modes that look for hosts read the capture twice: TCPPREP_LEARN for every
 * frame, tcpprep_learnt(), then TCPPREP_SPLIT for every frame. The others read
 * it once, TCPPREP_SPLIT.
 */
#ifndef CLASSIFY_TCPPREP_H
#define CLASSIFY_TCPPREP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "classify/rules.h"

#define TCPPREP_WIRE_MAX 262144u /* longest frame that it takes */

enum tcpprep_pass {
	TCPPREP_LEARN,
	TCPPREP_SPLIT,
};

/** struct tcpprep_frame - A frame as libpcap gives it; @cap at most @wire */
struct tcpprep_frame {
	const uint8_t *data;
	uint32_t cap;
	uint16_t link; /* LINKTYPE_ number */
};

/** struct tcpprep_host - An address that was seen; private */
struct tcpprep_host {
	uint32_t ip;
	uint32_t client;
	uint32_t server;
	uint32_t used;
};

/**
 * struct tcpprep - State; private but for @hosts
 * @r:		Rules, borrowed
 * @host, @slots: Table of IPv4 hosts, the caller's; @slots a power of two
 * @hosts:	In use
 * @six:	All IPv6 hosts: the original takes them for one
 */
struct tcpprep {
	const struct prep_rules *r;
	struct tcpprep_host *host;
	size_t slots;
	size_t hosts;
	uint64_t packets;
	struct tcpprep_host six;
};

/* Why the original gives up: returned as negative numbers. */
enum tcpprep_stop {
	TCPPREP_OK = 0,
	TCPPREP_ROOM,	   /* more than half of the table is full: see grow */
	TCPPREP_BAD_LINK,  /* a link type that it does not read */
	TCPPREP_MAC_LINK,  /* -e and not Ethernet */
	TCPPREP_SHORT,	   /* auto modes: transport header not captured */
	TCPPREP_NO_ROUTER, /* router mode finds no networks of servers */
};

/** tcpprep_why() - A sentence for one of them (positive) */
const char *tcpprep_why(enum tcpprep_stop s);

/**
 * tcpprep_init() - Begin
 * @host, @slots: Zeroed table; may be empty where tcpprep_learns() is false
 */
void tcpprep_init(struct tcpprep *t, const struct prep_rules *r,
		  struct tcpprep_host *host, size_t slots);

/** tcpprep_learns() - Does this mode read the capture twice? */
bool tcpprep_learns(const struct prep_rules *r);

/**
 * tcpprep_grow() - Move to a larger zeroed table; the old one is the caller's
 */
void tcpprep_grow(struct tcpprep *t, struct tcpprep_host *host, size_t slots);

/** tcpprep_link_ok() - Is the link type read, in this mode? Return: 0 or a
 * negative enum tcpprep_stop
 */
int tcpprep_link_ok(const struct prep_rules *r, uint16_t link);

/**
 * tcpprep_frame() - The next frame of a pass
 * @fate:	enum bitcache_fate of the entry, if there is one
 *
 * Return: 1 an entry is written, 0 none is, or a negative enum tcpprep_stop;
 * after -TCPPREP_ROOM grow the table and call again with the same frame
 */
int tcpprep_frame(struct tcpprep *t, enum tcpprep_pass pass,
		  const struct tcpprep_frame *f, unsigned *fate);

/** tcpprep_learnt() - End of TCPPREP_LEARN. Return: 0 or -TCPPREP_NO_ROUTER */
int tcpprep_learnt(struct tcpprep *t);

#endif /* CLASSIFY_TCPPREP_H */
