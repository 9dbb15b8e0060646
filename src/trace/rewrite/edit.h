/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * edit - Rewrite frames of a capture before they are sent
 *
 * What tcprewrite does, under its names. The theory is in edit.c.
 */
#ifndef REWRITE_EDIT_H
#define REWRITE_EDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ipaddr.h"

#define EDIT_MAPS	 64 /* entries of a list of nets, ports or addresses */
#define EDIT_ROOM	 64 /* bytes that a frame may grow by, but for padding */
#define EDIT_FRAME_MAX	 (512u * 1024) /* longest frame that padding makes */
#define EDIT_VLAN_ABSENT (-1)
#define EDIT_DAMAGE_MAX	 16 /* bytes that --fuzz-seed overwrites in a frame */

/** struct edit_net - Addresses in @from become the same in @to */
struct edit_net {
	struct ipaddr from;
	struct ipaddr to;
	uint8_t from_bits; /* as ipaddr_in() takes them */
	uint8_t to_bits;
};

/** struct edit_nets - A list; the first that matches holds */
struct edit_nets {
	uint32_t n;
	struct edit_net net[EDIT_MAPS];
};

/** struct edit_port - Ports @least to @most become @to */
struct edit_port {
	uint16_t least;
	uint16_t most;
	uint16_t to;
};

/** struct edit_mac - One hardware address for another */
struct edit_mac {
	uint8_t from[6];
	uint8_t to[6];
};

enum edit_vlan { EDIT_VLAN_NONE, EDIT_VLAN_ADD, EDIT_VLAN_DEL };
enum edit_fixlen { EDIT_LEN_KEEP, EDIT_LEN_PAD, EDIT_LEN_TRUNC, EDIT_LEN_DEL };
enum edit_ttl { EDIT_TTL_KEEP, EDIT_TTL_SET, EDIT_TTL_ADD, EDIT_TTL_SUB };

/**
 * struct edit_config - What is changed; zeroes: nothing
 * @on:		Something of the following is set
 * @pnat:	Both addresses, of frames of the first and the second interface
 * @src, @dst:	Only sources, only destinations
 * @ends, @end:	Two endpoints: the first takes the place of the client
 * @seeded, @seed: Other addresses for all, the same for the same
 * @keep_casts:	Leave broadcast and multicast addresses of IP alone
 * @keep_mac_casts: The same for hardware addresses
 * @seq_add:	Added to the sequence and acknowledgement numbers of TCP
 * @port, @ports: Ports of TCP and UDP
 * @has_dmac, @dmac, @has_smac, @smac: Hardware addresses, of frames of the
 *		first and of the second interface
 * @mac, @macs:	Single hardware addresses
 * @mac_mask:	Flipped in all hardware addresses but those of groups
 * @vlan:	Add a tag or take the outermost away
 * @vlan_type, @vlan_tci: Of the new tag
 * @ttl, @ttl_by: Time to live and hop limit; kept between 1 and 255
 * @tos, @tclass, @flowlabel: -1: kept
 * @mtu:	Longest IP packet, for @trunc and EDIT_LEN_PAD; 0: no limit
 * @trunc:	Cut what is longer
 * @fixlen:	What is done with records that the capture cut
 * @fixcsum:	Sum anew
 * @efcs:	The last 4 bytes are the frame check sequence
 * @fuzz_factor: One frame of so many is damaged or dropped; 0: none
 * @fuzz_seed:	Which, and how
 */
struct edit_config {
	bool on;
	struct edit_nets pnat[2];
	struct edit_nets src;
	struct edit_nets dst;
	bool ends;
	struct ipaddr end[2];
	bool seeded;
	uint64_t seed;
	bool keep_casts;
	bool keep_mac_casts;
	uint32_t seq_add;
	uint32_t ports;
	struct edit_port port[EDIT_MAPS];
	bool has_dmac[2];
	bool has_smac[2];
	uint8_t dmac[2][6];
	uint8_t smac[2][6];
	uint32_t macs;
	struct edit_mac mac[EDIT_MAPS];
	uint8_t mac_mask[6];
	enum edit_vlan vlan;
	uint16_t vlan_type;
	uint16_t vlan_tci;
	enum edit_ttl ttl;
	uint8_t ttl_by;
	int tos;
	int tclass;
	int32_t flowlabel;
	uint32_t mtu;
	bool trunc;
	enum edit_fixlen fixlen;
	bool fixcsum;
	bool efcs;
	uint32_t fuzz_factor;
	uint64_t fuzz_seed;
};

/**
 * struct edit_stats - What was done
 * @edited:	Frames that were looked at
 * @dropped:	Not sent: EDIT_LEN_DEL
 * @damaged, @lost: By fuzzing: sent otherwise than it was, or not sent
 * @unsummed:	Checksums that could not be made: the payload is not there whole
 */
struct edit_stats {
	uint64_t edited;
	uint64_t dropped;
	uint64_t damaged;
	uint64_t lost;
	uint64_t unsummed;
};

/**
 * edit_ether() - Give a packet without an Ethernet header one
 * @c:		Has hardware addresses for both interfaces
 * @link:	LINK_ number of the capture
 * @p, @len:	Frame; @p has EDIT_ROOM bytes more
 * @port:	Interface that it leaves from
 *
 * Of Linux cooked captures the header is replaced, so are those of BSD
 * loopback; before raw IP it is put.
 *
 * Return: 0; -ENOTSUP no such conversion, or no addresses for it; -EBADMSG too
 * short, or no IP
 */
int edit_ether(const struct edit_config *c, uint16_t link, uint8_t *p,
	       uint32_t *len, unsigned port);

/**
 * edit_frame() - Rewrite one frame
 * @p:		Frame, has room for *@len + EDIT_ROOM bytes, and for
 *		EDIT_FRAME_MAX with EDIT_LEN_PAD
 * @len:	Its length, changed
 * @wire:	Its length on the wire when it was captured
 * @port:	Interface that it leaves from
 *
 * Return: 1 send it, 0 do not
 */
int edit_frame(const struct edit_config *c, struct edit_stats *st, uint8_t *p,
	       uint32_t *len, uint32_t wire, unsigned port);

/**
 * edit_damage() - Damage a frame at random, behind its IP header
 * @seed, @n:	The same two numbers damage the same frame in the same way
 * @len:	Its length; may become less
 *
 * Zeroes, ones or noise over up to EDIT_DAMAGE_MAX bytes at the start, within
 * or at the end of what the IP packet bears (of anything else: of what follows
 * the Ethernet header), or the end is cut off, or all is lost.
 *
 * Return: 1 it was damaged, 0 it is lost, -ENODATA there is nothing to damage
 */
int edit_damage(uint64_t seed, uint64_t n, uint8_t *p, uint32_t *len);

#endif /* REWRITE_EDIT_H */
