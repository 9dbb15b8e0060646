/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * observe_print.c - --print: a line for each frame, who sent it and what was
 * done
 *
 *	client      taken       10.0.0.2:4000 > 10.0.0.10:80 [P.] seq 1
 *	ack 1 win 502 len 64
 *
 * (on one line). Frames are taken apart here once more: this is for looking,
 * not for speed.
 */
#include <stdio.h>

#include "effect/effect.h"
#include "report/print.h"
#include "run/run_internal.h"

static void print_who(const char *who, const char *what)
{
	printf("%-10s  %-11s ", who, what);
}

static void print_effect(struct run *run, const struct effect *x,
			 const uint8_t *dst)
{
	(void)run;
	(void)dst;
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

static void print_input(struct run *run, const struct run_input *i)
{
	static const char *const sender[] = { "mirror", "client", "production",
					      "SUT" };
	struct frame_info f = *i->frame;
	struct decoded d;
	enum decode_result r;

	/* A wrong checksum is no reason to say less of a frame. */
	f.csum_ok = true;
	r = frame_decode(&f,
			 i->from == ENGINE_MIRROR ? run->opt->engine.vxlan
						  : VXLAN_NONE,
			 NULL, run->now, &d);
	if (i->from == ENGINE_SUT)
		print_who("SUT",
			  i->kind == ENGINE_ANSWER ? "answer" : "absorbed");
	else
		print_who(sender[i->kind],
			  i->kind == ENGINE_NONE ? "ignored" : "taken");
	print_decoded(r, &d, i->frame->wire);
}

const struct observer_ops observe_print = {
	.input = print_input,
	.effect = print_effect,
};
