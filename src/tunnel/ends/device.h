/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device - The TUN device whose packets go through the tunnel
 */
#ifndef ENDS_DEVICE_H
#define ENDS_DEVICE_H

#include "ends/ends.h"

/**
 * device_open() - Make the device, with its addresses, and set it up
 * @mtu:	Longest packet
 *
 * It goes away with the descriptor.
 *
 * Return: descriptor that gives and takes one IP packet a call, or -Exxx with a
 * sentence
 */
int device_open(const struct ends_options *o, uint32_t mtu, struct errbuf *e);

#endif /* ENDS_DEVICE_H */
