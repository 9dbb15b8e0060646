/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * splice_way - A whole packet through the headers of proxy/splice
 *
 * What the program in the kernel does with a packet, on bytes in memory: headers
 * copied out, the pair moved, the copy mapped and put back.
 */
#ifndef TEST_SPLICE_WAY_H
#define TEST_SPLICE_WAY_H

#include <stdint.h>

#include "splice/head.h"
#include "splice/pair.h"
#include "splice/state.h"

/* What became of a packet. */
enum way_fate {
	WAY_STACK,   /* for our own sockets, unchanged */
	WAY_PEER,    /* mapped */
	WAY_SENDER,  /* a SYN that became the answer to it */
	WAY_DROPPED, /* with a fault */
	WAY_HELD,    /* beyond a cut */
};

struct way_result {
	enum way_fate fate;
	enum splice_fault fault;
	uint32_t events;
	struct splice_segment
		seg; /* as it came; valid if a TCP header was read */
};

/**
 * way_read() - Copy the headers of the packet of @len bytes at @p, an IP header first
 *
 * Return: what is wrong with them
 */
enum splice_fault way_read(const uint8_t *p, uint32_t len,
			   struct splice_head *h, struct splice_segment *s);

/** way_packet() - Take a packet of @pair that comes in direction @d; it is changed in
 * place if it is relayed or answered, else not touched
 */
struct way_result way_packet(struct splice_pair *pair, enum dir d, uint8_t *p,
			     uint32_t len, uint64_t now);

#endif /* TEST_SPLICE_WAY_H */
