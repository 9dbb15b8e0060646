/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vnet - What a TUN device says of a packet, in front of it
 *
 * The header of virtio (virtio 1.2 section 5.1.6), little-endian as
 * TUNSETVNETLE makes it, without num_buffers.
 */
#ifndef PIECES_VNET_H
#define PIECES_VNET_H

#include <stdbool.h>
#include <stdint.h>

#define VNET_HEADER 10

enum vnet_kind {
	VNET_ONE = 0,  /* a packet of its own */
	VNET_TCP4 = 1, /* a long one: segments of one connection */
	VNET_TCP6 = 4,
	VNET_UDP = 5, /* datagrams */
};

/**
 * struct vnet - The header
 * @partial:	The checksum is not made: the sum over all from @start on is to
 *		be put at @start + @at, where that of the pseudo header lies
 * @kind:	Of a long packet each piece has @size bytes of payload, but for
 *		the last, which may have less
 * @ecn:	Of a long TCP segment: it has CWR (RFC 3168)
 * @head:	Bytes of a long one's headers; a hint
 */
struct vnet {
	bool partial;
	bool ecn;
	enum vnet_kind kind;
	uint16_t head;
	uint16_t size;
	uint16_t start;
	uint16_t at;
};

/**
 * vnet_parse() - Read the header
 *
 * Return: 0; -EBADMSG: @n is less than VNET_HEADER, or a kind that nobody asked
 * for (@v untouched)
 */
int vnet_parse(const uint8_t *p, uint32_t n, struct vnet *v);

/** vnet_emit() - Write the header, VNET_HEADER bytes */
void vnet_emit(const struct vnet *v, uint8_t *out);

#endif /* PIECES_VNET_H */
