/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tos - DSCP and ECN of an IP packet: IPv4's TOS byte, IPv6's traffic class
 */
#ifndef WIRE_TOS_H
#define WIRE_TOS_H

#include <stdint.h>

/* The two lower bits (RFC 3168 section 5). */
enum tos_ecn {
	ECN_NOT_ECT = 0,
	ECN_ECT1 = 1,
	ECN_ECT0 = 2,
	ECN_CE = 3,
	ECN_BITS = 3,
};

/** tos_of() - Both of a packet of @n bytes; 0: it is none, or not whole */
uint8_t tos_of(const uint8_t *ip, uint32_t n);

/** tos_set_ecn() - Set ECN in a whole header; IPv4's checksum stays right */
void tos_set_ecn(uint8_t *ip, enum tos_ecn ecn);

/**
 * tos_arrive() - Give a packet what its tunnel's header met on the way
 * @outer:	TOS of that header
 *
 * RFC 6040 section 4.2.
 *
 * Return: 0; -ECONNABORTED: the packet must be dropped: the way is congested,
 * and the ends of its connection would not understand the mark
 */
int tos_arrive(uint8_t *ip, uint32_t n, uint8_t outer);

#endif /* WIRE_TOS_H */
