/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcpprep_internal - Where tcpprep finds IP in a frame, and transport in IP
 */
#ifndef CLASSIFY_TCPPREP_INTERNAL_H
#define CLASSIFY_TCPPREP_INTERNAL_H

#include "classify/tcpprep.h"

/* Link types that it reads (tcpdump.org's LINKTYPE_ numbers). */
enum {
	TP_LINK_ETHERNET = 1,
	TP_LINK_RAW_OLD = 12, /* libpcap's own number, in old files */
	TP_LINK_PPP = 50,
	TP_LINK_RAW = 101,
	TP_LINK_HDLC = 104,
	TP_LINK_SLL = 113,
	TP_LINK_JUNIPER = 178,
};

/**
 * struct tp_ip - An IP header that was captured whole
 * @l3:		The header
 * @len:	Bytes captured from there
 * @hlen:	Bytes of the header, as its own length field says
 * @proto:	Protocol, or the first next header
 * @src, @dst:	Addresses
 */
struct tp_ip {
	const uint8_t *l3;
	uint32_t len;
	uint32_t hlen;
	uint8_t proto;
	bool v6;
	const uint8_t *src;
	const uint8_t *dst;
};

/** tp_find_ip() - Find it. Return: whether there is one */
bool tp_find_ip(const struct tcpprep_frame *f, struct tp_ip *ip);

/**
 * tp_transport() - Follow extension headers
 * @proto:	The last protocol number
 * @off:	Where it says that its header begins, from @l3; may lie behind
 *		the end
 *
 * Return: whether it says that there is one
 */
bool tp_transport(const struct tp_ip *ip, uint8_t *proto, uint32_t *off);

#endif /* CLASSIFY_TCPPREP_INTERNAL_H */
