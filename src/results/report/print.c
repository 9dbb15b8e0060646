/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * print.c - Frames as lines of text
 */
#include "report/print.h"

#include <stdio.h>

#include "text/text.h"

#define FLAGS_TEXT 9

/* Flags as tcpdump writes them. */
static const char *flags_text(char *out, unsigned flags)
{
	static const char letter[] = "FSRP.UEW";
	size_t n = 0;

	for (unsigned i = 0; i < 8; i++)
		if (flags & 1u << i)
			out[n++] = letter[i];
	out[n] = '\0';
	return out;
}

void print_ends(const struct ipaddr *src, uint16_t sport,
		const struct ipaddr *dst, uint16_t dport)
{
	char a[TEXT_ENDPOINT];
	char b[TEXT_ENDPOINT];

	printf("%s > %s ", text_endpoint(a, src, sport),
	       text_endpoint(b, dst, dport));
}

void print_tcp(unsigned flags, uint32_t seq, uint32_t ack, uint16_t win,
	       uint32_t len)
{
	char f[FLAGS_TEXT];

	printf("[%s] seq %u", flags_text(f, flags), seq);
	if (flags & TCP_ACK)
		printf(" ack %u", ack);
	printf(" win %u len %u", win, len);
}

void print_decoded(enum decode_result r, const struct decoded *d,
		   uint32_t bytes)
{
	const struct segment *s = &d->seg;

	if (r != DECODE_TCP && r != DECODE_UDP) {
		printf("%s %u bytes\n", decode_name(r), bytes);
		return;
	}
	print_ends(&s->src, s->sport, &s->dst, s->dport);
	if (r == DECODE_TCP)
		print_tcp(s->flags, s->seq, s->ack, s->win, s->len);
	else
		printf("udp len %u", s->len);
	printf("\n");
}
