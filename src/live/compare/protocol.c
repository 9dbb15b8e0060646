/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * protocol.c - The table of protocols
 */
#include "compare/protocol.h"

#include <assert.h>

#include "compare/compare_internal.h"

const struct protocol protocols[PROTOCOL_COUNT] = {
	[PROTOCOL_BYTES] = { "bytes", &framer_quiet, &compare_stream,
			     &describe_bytes },
	[PROTOCOL_HTTP1] = { "http1", &framer_http1, &compare_http,
			     &describe_answer },
	[PROTOCOL_DNS_TCP] = { "dns_tcp", &framer_dns_tcp, &compare_dns_stream,
			       &describe_dns },
	[PROTOCOL_REDIS] = { "redis", &framer_redis, &compare_reply,
			     &describe_reply },
	[PROTOCOL_DATAGRAM] = { "datagram", NULL, &compare_datagram,
				&describe_datagram },
	[PROTOCOL_DNS] = { "dns", NULL, &compare_dns, &describe_dns },
};

const struct protocol *protocol_of(const struct framer_ops *framer)
{
	for (unsigned i = 0; i < PROTOCOL_COUNT; i++)
		if (protocols[i].framer == framer)
			return &protocols[i];
	assert(false);
	return &protocols[PROTOCOL_BYTES];
}
