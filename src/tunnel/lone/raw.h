/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * raw - The socket of protocol 4, whatever paths there are
 *
 * Outer headers are our own on the way out (IP_HDRINCL), so that DF is what the
 * inner packet says; which device a packet leaves by is said with it
 * (IP_PKTINFO). While the socket is open the kernel answers nobody's packet of
 * this protocol with "protocol unreachable".
 */
#ifndef LONE_RAW_H
#define LONE_RAW_H

#include "core/arena.h"
#include "ends/ends.h"
#include "ipip/outer.h"

#define RAW_BATCH  64
#define RAW_PACKET (ENDS_MTU + OUTER_HEADER)
#define RAW_READ   65536u /* bytes of one that came */

struct raw;

/** struct raw_way - @local: all zero: the routes say it; @ifindex likewise */
struct raw_way {
	uint8_t remote[4];
	uint8_t local[4];
	uint32_t ifindex;
};

/** struct raw_came - A packet with its outer header, until the next call */
struct raw_came {
	uint8_t *p;
	uint32_t n;
};

size_t raw_size(void);

/** raw_open() - Return: 0 or -Exxx with a sentence */
int raw_open(struct raw **out, struct arena *a, uint32_t mark,
	     struct errbuf *e);
void raw_close(struct raw *r);
int raw_socket(const struct raw *r);

/**
 * raw_room() - Where the next packet is to lie: ENDS_MTU bytes, in front of
 * which its outer header will be
 */
uint8_t *raw_room(struct raw *r);

/** raw_send() - Send the @n bytes of raw_room() with the next batch */
void raw_send(struct raw *r, const struct raw_way *way, uint32_t n);

/** raw_full() - Is there room for no more before raw_flush()? */
bool raw_full(const struct raw *r);

/** raw_flush() - Send what waits. Return: how many the kernel did not take */
uint32_t raw_flush(struct raw *r);

/** raw_receive() - Take what has come, at most RAW_BATCH. Return: how many */
unsigned raw_receive(struct raw *r, struct raw_came **came);

/**
 * raw_told() - The next error that the network reported
 * @remote:	Set to whom it was about
 *
 * Return: false: there is none
 */
bool raw_told(struct raw *r, uint8_t remote[4]);

#endif /* LONE_RAW_H */
