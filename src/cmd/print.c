/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * print.c - --print: a line for each frame, who sent it and what was done
 *
 *	client      taken       10.0.0.2:4000 > 10.0.0.10:80 [P.] seq 1 ack 1 win
 *	502 len 64
 *
 * (on one line). Frames are taken apart here once more: this is for looking, not
 * for speed.
 */
#include <stdio.h>

#include "cmd/live.h"
#include "cmd/print.h"
#include "report/text.h"

#define FLAGS_TEXT 9

/* Flags as tcpdump writes them. */
static const char *flags_text(char *out, unsigned flags)
{
	static const char letter[] = "FSRP.UEW";
	size_t n = 0;

	for (unsigned i = 0; i < 8; i++)
		if ((flags & 1u << i) != 0)
			out[n++] = letter[i];
	out[n] = '\0';
	return out;
}

static void print_who(const char *who, const char *what)
{
	printf("%-10s  %-11s ", who, what);
}

static void print_ends(const struct ipaddr *src, uint16_t sport,
		       const struct ipaddr *dst, uint16_t dport)
{
	char a[TEXT_ENDPOINT];
	char b[TEXT_ENDPOINT];

	printf("%s > %s ", text_endpoint(a, src, sport),
	       text_endpoint(b, dst, dport));
}

static void print_tcp(unsigned flags, uint32_t seq, uint32_t ack, uint16_t win,
		      uint32_t len)
{
	char f[FLAGS_TEXT];

	printf("[%s] seq %u", flags_text(f, flags), seq);
	if ((flags & TCP_ACK) != 0)
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

void live_print_effect(const struct effect *x)
{
	print_who("emitted", cause_name(x->cause));
	if (x->kind == EFFECT_RAW) {
		printf("%u bytes", x->rawlen);
	} else {
		print_ends(&x->src, x->sport, &x->dst, x->dport);
		if (x->kind == EFFECT_TCP)
			print_tcp(x->flags, x->seq, x->ack, x->win, x->len);
		else
			printf("udp len %u", x->len);
	}
	printf(" sut %u flow %llu\n", x->sut, (unsigned long long)x->flow);
}

void live_print_input(const struct live *l, enum engine_source from,
		      enum engine_kind kind, const struct frame_info *in)
{
	static const char *const sender[] = { "mirror", "client", "production",
					      "SUT" };
	struct frame_info f = *in;
	struct decoded d;
	enum decode_result r;

	/* A wrong checksum is no reason to say less of a frame. */
	f.csum_ok = true;
	r = frame_decode(
		&f, from == ENGINE_MIRROR ? l->opt->engine.vxlan : VXLAN_NONE,
		NULL, l->now, &d);
	if (from == ENGINE_SUT)
		print_who("SUT", kind == ENGINE_ANSWER ? "answer" : "absorbed");
	else
		print_who(sender[kind],
			  kind == ENGINE_NONE ? "ignored" : "taken");
	print_decoded(r, &d, in->wire);
}
