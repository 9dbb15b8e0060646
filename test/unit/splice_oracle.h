/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * splice_oracle - Header mapping the slow way, to test proxy/splice against
 *
 * Written from the thesis's equations (5.3, 5.4.1) and the RFCs, over fields and lists
 * of options, with checksums summed over the whole packet. It shares nothing with the
 * rewriter but the numbers of the struct below.
 */
#ifndef TEST_SPLICE_ORACLE_H
#define TEST_SPLICE_ORACLE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct oracle_side - One connection, as the thesis names what it needs
 * @peer, @us:	Addresses, IPv4 ones in the last 4 bytes
 * @irs, @iss:	splice_irs and splice_iss of the interface
 * @ts_recv, @ts_sent: last_recvTs and last_sentTs
 * @peer_scale:	Scale of the peer's windows
 * @our_scale:	Scale that we told the peer
 * @mss:	Most that a SYN to the peer may announce, 0: anything
 */
struct oracle_side {
	uint8_t peer[16];
	uint8_t us[16];
	uint16_t peer_port;
	uint16_t our_port;
	uint32_t irs;
	uint32_t iss;
	uint32_t ts_recv;
	uint32_t ts_sent;
	unsigned peer_scale;
	unsigned our_scale;
	unsigned mss;
};

/** struct oracle - Two of them: 0 the client's, 1 the server's; @router: no socket of
 * ours was ever an end, and hop limits count down
 */
struct oracle {
	struct oracle_side side[2];
	bool router;
	bool ts;
	bool sack;
	bool ecn;
};

/**
 * oracle_map() - Map a packet
 * @from:	Side on which it comes in
 * @in, @len:	Packet, from its IP header on
 * @out:	Result, @len bytes
 *
 * Return: true; false: it cannot be mapped, @out is of no value
 */
bool oracle_map(const struct oracle *o, int from, const uint8_t *in,
		uint32_t len, uint8_t *out);

/**
 * oracle_answer() - What is sent back for a SYN of a pair that is live
 * @seq, @ack, @win: Numbers that it is to have
 *
 * As oracle_map(). Return: false: it has data, or options of IP
 */
bool oracle_answer(const struct oracle *o, int from, const uint8_t *in,
		   uint32_t len, uint32_t seq, uint32_t ack, uint16_t win,
		   uint8_t *out);

#endif /* TEST_SPLICE_ORACLE_H */
