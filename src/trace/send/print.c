/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * print.c - send -v: a line for each frame
 *
 *	0.001000000 eth1 10.0.0.2:4000 > 10.0.0.10:80 [P.] seq 1 ack 1 win 502
 *	len 64
 */
#include <inttypes.h>
#include <stdio.h>

#include "report/print.h"
#include "core/limits.h"
#include "send/send.h"

void send_print(const struct send_run *r, const struct xmit_frame *f,
		uint64_t due)
{
	/* A wrong checksum is no reason to say less of a frame. */
	struct frame_info in = { .data = f->data,
				 .cap = f->len,
				 .wire = f->len,
				 .link = LINK_ETHERNET,
				 .csum_ok = true };
	struct decoded d;
	enum decode_result rc = frame_decode(&in, NULL, 0, &d);

	printf("%" PRIu64 ".%09" PRIu64 " %s ", due / NS_PER_SEC,
	       due % NS_PER_SEC, r->dev[f->port].name);
	print_decoded(rc, &d, f->len);
}
