/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pp - Headers of the PROXY protocol, versions 1 and 2: read and made
 *
 * W. Tarreau, "The PROXY protocol". It stands in front of a connection's first
 * byte and says whose connection it is. No input or output.
 */
#ifndef NET_PP_H
#define NET_PP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/ipaddr.h"

#define PP_V1_MOST 107 /* bytes of a header of version 1, with its end */
#define PP_V2_MOST (16 + 2048) /* what we take; most of it would be TLVs */
#define PP_MADE	   PP_V1_MOST  /* bytes that pp_make() needs at most */

/**
 * struct pp - Whose connection it is
 * @known:	Else the proxy before us speaks for itself (LOCAL), or did not
 *		say (UNKNOWN, UNSPEC, AF_UNIX), and the rest is 0
 * @src, @dst:	The client, and where he connected to; of one family
 */
struct pp {
	bool known;
	uint16_t sport;
	uint16_t dport;
	struct ipaddr src;
	struct ipaddr dst;
};

/**
 * pp_read() - Read a header
 * @b, @n:	What has come so far
 * @out:	Result; what version 2 has behind the addresses is skipped
 *
 * Return: the header's length; 0: more is needed; -EPROTO: this is none;
 * -EMSGSIZE: one that is too long
 */
int pp_read(const uint8_t *b, size_t n, struct pp *out);

/** pp_make() - Make a header of version 1 or 2 for a known connection. Return:
 * its length
 */
size_t pp_make(int version, const struct pp *p, uint8_t out[PP_MADE]);

#endif /* NET_PP_H */
