/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device - What an interface can do, and what it says that it has sent
 */
#ifndef XMIT_DEVICE_H
#define XMIT_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "os/errbuf.h"

#define DEVICE_NAMELEN 16

/**
 * struct device - An interface
 * @name, @index: Which
 * @mtu:	Longest IP packet
 * @up:		It is up and has a carrier
 * @ethernet:	Its frames begin with an Ethernet header
 * @tso:	It cuts super-frames of TCP, or passes them on
 * @super_max:	Longest super-frame that it takes
 * @redirect:	It takes frames that XDP redirects to it: 1 yes, 0 no, -Exxx it
 *		cannot be asked (the kernel is older than 6.3)
 * @mac:	Hardware address
 */
struct device {
	char name[DEVICE_NAMELEN];
	int index;
	uint32_t mtu;
	bool up;
	bool ethernet;
	bool tso;
	uint32_t super_max;
	int redirect;
	uint8_t mac[6];
};

/** struct device_counter - Its own statistics */
struct device_counter {
	uint64_t tx_packets;
	uint64_t tx_bytes;
	uint64_t tx_dropped;
	uint64_t tx_errors;
};

/** device_socket() - Open what the kernel is asked by. Return: it, or -Exxx */
int device_socket(void);

/** device_ask() - Examine an interface, by @fd of device_socket()
 *
 * Return: 0, -ENODEV or -Exxx
 */
int device_ask(struct device *d, int fd, const char *ifname, struct errbuf *e);

/** device_count() - Read its statistics, by @fd. Return: 0, -ENODEV or -Exxx */
int device_count(const struct device *d, int fd, struct device_counter *c);

#endif /* XMIT_DEVICE_H */
