/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cut - A long packet of a device becomes those that go on a wire
 */
#ifndef PIECES_CUT_H
#define PIECES_CUT_H

#include <stdbool.h>
#include <stdint.h>

#include "pieces/vnet.h"

/** struct cut - A packet that is being cut; opaque */
struct cut {
	const uint8_t *p;
	uint32_t n;
	uint32_t l4;	/* where TCP or UDP begins, or what is summed */
	uint32_t head;	/* bytes of all headers; of a short one @vnet.at */
	uint32_t size;	/* payload of a piece; 0: it is a short one */
	uint32_t at;	/* payload that was given out */
	uint16_t count; /* pieces that were */
	uint16_t sum;	/* of the pseudo header, with the whole length */
	bool tcp;
	bool done;
};

/**
 * cut_begin() - Begin to cut a packet, or to finish the checksum of a short one
 * @v:		What the device said of it
 * @p, @n:	An IP packet of exactly @n bytes; it stays where it is
 * @most:	Longest packet that is wanted. TCP is cut that short if it must
 *		be; a datagram is nobody's to cut
 *
 * Return: 0; -EBADMSG: the packet is not what @v says (@c untouched)
 */
int cut_begin(struct cut *c, const struct vnet *v, const uint8_t *p, uint32_t n,
	      uint32_t most);

/** cut_length() - Length of the next piece, 0: there is none any more */
uint32_t cut_length(const struct cut *c);

/** cut_next() - Write it; there is one. @out: cut_length() bytes */
void cut_next(struct cut *c, uint8_t *out);

/** cut_skip() - Leave it out; there is one */
void cut_skip(struct cut *c);

#endif /* PIECES_CUT_H */
