/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * readdress - Another address in a frame
 */
#ifndef WIRE_READDRESS_H
#define WIRE_READDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ipaddr.h"

/**
 * readdress() - Write another source or destination into a frame
 * @frame, @cap: Frame, as far as it was captured
 * @l3:		Offset of its IP header, as frame_decode() tells
 * @src:	The source; else the destination
 * @ip:		New address, of the header's version
 *
 * Checksums of IPv4, TCP and UDP are adapted (RFC 1624), so that a right one is
 * right and a wrong one wrong as before; but not that of TCP and UDP behind
 * extension headers of IPv6, and not one that a host has left to its device.
 *
 * Return: 0, or -EBADMSG: there is no such header; the frame is as it was
 */
int readdress(uint8_t *frame, uint32_t cap, uint32_t l3, bool src,
	      const struct ipaddr *ip);

#endif /* WIRE_READDRESS_H */
