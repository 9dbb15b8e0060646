/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device - The device whose packets go through the tunnel
 */
#ifndef ENDS_DEVICE_H
#define ENDS_DEVICE_H

#include "ends/ends.h"

/**
 * struct device_can - What the kernel can do with it
 * @vnet:	Each packet has a header in front (pieces/vnet.h), both ways
 * @tcp:	It gives and takes long packets of TCP
 * @udp:	The same of UDP
 */
struct device_can {
	bool vnet;
	bool tcp;
	bool udp;
};

/** device_mtu() - Its longest packet, if the tunnel takes @mtu */
uint32_t device_mtu(const struct ends_options *o, uint32_t mtu);

/**
 * device_open() - Make the device, with its addresses, and set it up
 * @mtu:	What the tunnel takes
 * @can:	Set to what it can, of what is wanted
 *
 * It goes away with the descriptor.
 *
 * Return: descriptor that gives and takes one packet of IP a call (--tap: a
 * frame of Ethernet), or -Exxx with a sentence
 */
int device_open(const struct ends_options *o, uint32_t mtu,
		struct device_can *can, struct errbuf *e);

#endif /* ENDS_DEVICE_H */
