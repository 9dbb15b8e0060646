/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plain - What the program of plain.bpf.c are told; also included by it
 */
#ifndef LONE_PLAIN_H
#define LONE_PLAIN_H

#include <stdint.h>

#define PLAIN_NETS  32 /* ENDS_ALLOWS */
#define PLAIN_ADDRS 2  /* ENDS_ADDRS */

/** struct plain_net - A network of IPv4, in the order of the wire */
struct plain_net {
	uint32_t addr;
	uint32_t mask;
};

#endif /* LONE_PLAIN_H */
