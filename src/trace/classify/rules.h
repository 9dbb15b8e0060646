/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rules - What the user said about splitting a capture in two
 *
 * Both manners read the same rules: the exact one of tcpprep (tcpprep.h) and
 * the one per connection (split.h). Arrays are the caller's.
 */
#ifndef CLASSIFY_RULES_H
#define CLASSIFY_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/range.h"

/* How a capture is split. */
enum prep_mode {
	PREP_NONE,
	PREP_BRIDGE, /* by who opened; unknown: see the manner */
	PREP_ROUTER, /* and by networks in which servers were seen */
	PREP_CLIENT, /* unknown hosts are clients */
	PREP_SERVER, /* unknown hosts are servers */
	PREP_FIRST,  /* who was seen first as a source */
	PREP_CIDR,
	PREP_REGEX,
	PREP_PORT,
	PREP_MAC,
};

/* Which frames are sent at all (-x, -X). */
enum prep_pick {
	PICK_ALL,
	PICK_SOURCE,
	PICK_DEST,
	PICK_BOTH,
	PICK_EITHER,
	PICK_PACKETS,
	PICK_FILTER, /* decided by the caller */
};

/** struct prep_net - Prefix of one family; an address of the other is outside
 * @b:		4 or 16 bytes, network order
 * @bits:	Length, 0 to 32 or 128
 */
struct prep_net {
	uint8_t b[16];
	uint8_t bits;
	bool v6;
};

/** struct prep_nets - A list of them */
struct prep_nets {
	const struct prep_net *net;
	size_t n;
};

/** struct prep_mac - Hardware address */
struct prep_mac {
	uint8_t b[6];
};

#define PREP_PORTS 65536u

/**
 * struct prep_rules - All of it
 * @mode:	How to split
 * @ratio:	A host is a server when it acted as one at least this many times
 *		as often as it acted as a client
 * @min_bits, @max_bits: Longest and shortest prefix of a network of servers;
 *		named as tcpprep's options are (-m, -M)
 * @reverse:	What matches is a client, not a server
 * @nonip:	What is not IP goes the other way than it does without
 * @pick, @exclude: Which frames are sent, or are not
 * @split:	Networks of PREP_CIDR
 * @picked:	Networks of @pick
 * @range, @ranges: Numbers of PICK_PACKETS
 * @mac, @macs:	Addresses of PREP_MAC
 * @tcp, @udp:	Server ports, PREP_PORTS of each
 * @match:	For PREP_REGEX: does this source address match?
 * @arg:	Its first argument
 */
struct prep_rules {
	enum prep_mode mode;
	double ratio;
	unsigned min_bits;
	unsigned max_bits;
	bool reverse;
	bool nonip;
	enum prep_pick pick;
	bool exclude;
	struct prep_nets split;
	struct prep_nets picked;
	const struct number_range *range;
	size_t ranges;
	const struct prep_mac *mac;
	size_t macs;
	const bool *tcp;
	const bool *udp;
	bool (*match)(void *arg, const uint8_t *addr, bool v6);
	void *arg;
};

/** prep_nets_have() - Is the address (4 or 16 bytes) in one of the networks? */
bool prep_nets_have(const struct prep_nets *n, const uint8_t *addr, bool v6);

/**
 * prep_number_picked() - Is packet @i, from 1, sent as far as its number goes?
 */
bool prep_number_picked(const struct prep_rules *r, uint64_t i);

/** prep_addrs_picked() - Is a packet with these addresses sent? */
bool prep_addrs_picked(const struct prep_rules *r, const uint8_t *src,
		       const uint8_t *dst, bool v6);

/** prep_mac_listed() - Is the hardware address in the list? */
bool prep_mac_listed(const struct prep_rules *r, const uint8_t *mac);

#endif /* CLASSIFY_RULES_H */
