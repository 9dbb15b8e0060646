/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inner - What may go into the tunnel, and what may come out
 */
#ifndef ENDS_INNER_H
#define ENDS_INNER_H

#include "ends/ends.h"

/** struct inner_head - What is to be known of an IP packet */
struct inner_head {
	struct ipaddr src;
	struct ipaddr dst;
	bool udp;	   /* and its ports can be read */
	uint16_t src_port; /* else 0 */
	uint16_t dst_port;
};

/**
 * inner_read() - Read the head of a packet
 *
 * Return: 0, or -EBADMSG: no IPv4 or IPv6 packet of @n bytes (@h untouched)
 */
int inner_read(const uint8_t *p, uint32_t n, struct inner_head *h);

/**
 * inner_ip_at() - Where the packet of IP in a frame of Ethernet begins, behind
 * tags
 *
 * Return: its offset; 0: there is none
 */
uint32_t inner_ip_at(const uint8_t *p, uint32_t n);

/**
 * inner_of_frame() - Read the head of a packet of IP in a frame, which may be
 * padded
 *
 * Return: as inner_read(); -ENOENT: there is no IP in it
 */
int inner_of_frame(const uint8_t *p, uint32_t n, struct inner_head *h);

/** inner_allowed() - Is the source in one of these networks? */
bool inner_allowed(const struct inner_head *h, const struct ends_net *net,
		   unsigned n);

#endif /* ENDS_INNER_H */
