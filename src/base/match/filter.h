/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter - tcpdump's filter expressions (libpcap)
 *
 * A compiled filter runs in the kernel, attached to a ring, or here, on frames
 * of a file. On a live wire the kernel takes the outermost VLAN tag out of a
 * frame before the program sees it, so "vlan" never matches there.
 */
#ifndef MATCH_FILTER_H
#define MATCH_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

#include "os/errbuf.h"

/** struct filter - A compiled filter; @prog may be handed to a socket */
struct filter {
	struct sock_fprog prog;
	void *own; /* libpcap's, for filter_match() */
};

/**
 * struct link_filter - The filter for one link type, compiled ahead
 * @rc:		0, or why there is none, with the sentence in @e
 */
struct link_filter {
	struct filter f;
	int rc;
	struct errbuf e;
};

/**
 * filter_compile() - Compile an expression
 * @f:		Set on success; filter_free() it
 * @expr:	Expression; "" matches everything
 * @link:	LINK_ number of the frames
 * @e:		Sentence on failure, libpcap's
 *
 * Return: 0, or -EINVAL (the expression), or -ENOMEM
 */
int filter_compile(struct filter *f, const char *expr, uint16_t link,
		   struct errbuf *e);

/**
 * filter_has_names() - Might compiling it look a name up: a host, a port, a
 * protocol?
 *
 * Every word counts that is no number, no address, and no word of
 * pcap-filter(7).
 */
bool filter_has_names(const char *expr);

/**
 * filter_match() - Run a filter over a frame
 * @f:		Filter
 * @p:		Frame
 * @cap, @wire:	Bytes there, bytes on the wire
 *
 * Return: true if it matches
 */
bool filter_match(const struct filter *f, const uint8_t *p, uint32_t cap,
		  uint32_t wire);

/** filter_free() - Free it; a filter of zeroes is left alone */
void filter_free(struct filter *f);

#endif /* MATCH_FILTER_H */
