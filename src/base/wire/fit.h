/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fit - Packets on a way that takes no longer ones
 *
 * Two mends, for who passes IP packets on: connections are told in their first
 * segments how long a packet may be, and who sends a longer one is told by
 * ICMP.
 */
#ifndef WIRE_FIT_H
#define WIRE_FIT_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes of an answer: what every host takes in one piece (RFC 1812 section
 * 4.3.2.3, RFC 4443 section 2.4).
 */
#define FIT_ANSWER4 576
#define FIT_ANSWER6 1280

/**
 * fit_mss() - Lower the MSS that a SYN offers to what a way takes
 * @ip, @n:	An IP packet; changed in place, its checksum by the difference
 * @mtu:	Longest packet, 68 and up
 *
 * A SYN without the option is left alone (its sender takes 536 or 1220 bytes
 * then, RFC 9293 section 3.7.1), and so is a fragment.
 *
 * Return: whether it was changed
 */
bool fit_mss(uint8_t *ip, uint32_t n, uint32_t mtu);

/**
 * fit_answer() - The message that a packet is too long (RFC 1191, RFC 8201)
 * @ip, @n:	The packet, longer than @mtu
 * @mtu:	Longest packet; of IPv6 1280 and up
 * @out:	FIT_ANSWER6 bytes
 *
 * It goes to the packet's source, from its destination: whoever passes it on
 * knows that address to be beyond the way. Nothing answers a packet that may be
 * cut, a later fragment, an error, or one that is not from one host to one
 * host.
 *
 * Return: its length, or 0: there is no answer
 */
uint32_t fit_answer(const uint8_t *ip, uint32_t n, uint32_t mtu, uint8_t *out);

/** fit_may_cut() - Is this an IPv4 packet that may be cut on its way? */
bool fit_may_cut(const uint8_t *ip, uint32_t n);

#endif /* WIRE_FIT_H */
