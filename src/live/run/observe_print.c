/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * observe_print.c - --print and --trace: what comes in, and what is done
 *
 *	 0.001204 client      taken       10.0.0.2:4000 > 10.0.0.10:80 [P.]
 *	seq 1 ack 1 win 502 len 64
 *
 * (on one line). The time is in seconds from the start. With --trace only one
 * client's connection has lines, its verdicts among them. Frames are taken
 * apart here once more: this is for looking, not for speed.
 */
#include <stdio.h>

#include "compare/compare.h"
#include "decap/decap.h"
#include "effect/effect.h"
#include "flow/key.h"
#include "report/print.h"
#include "run/run_internal.h"
#include "text/text.h"

static void print_who(const struct run *run, const char *who, const char *what)
{
	printf("%9.6f %-10s  %-11s ",
	       (double)(run->now - run->epoch.begun) / 1e9, who, what);
}

/* Is @ip:@port the client that is traced, or are all? */
static bool is_traced(const struct run *run, const struct ipaddr *ip,
		      uint16_t port)
{
	const struct option_client *c = &run->opt->trace;

	return c->port == 0 || (port == c->port && ipaddr_eq(ip, &c->ip));
}

static void print_effect(struct run *run, const struct effect *x,
			 const uint8_t *dst)
{
	(void)dst;
	if (x->kind == EFFECT_RAW ? run->opt->trace.port != 0
				  : !is_traced(run, &x->src, x->sport))
		return;
	print_who(run, "emitted", cause_name(x->cause));
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
	struct decap_found found;
	struct decoded d;
	enum decode_result r;

	/* A wrong checksum is no reason to say less of a frame. */
	f.csum_ok = true;
	if (i->from == ENGINE_MIRROR)
		r = decap_frame(&f, &run->opt->engine.decap, NULL, run->now, &d,
				NULL, &found);
	else
		r = frame_decode(&f, NULL, run->now, &d);
	if (run->opt->trace.port != 0 &&
	    ((r != DECODE_TCP && r != DECODE_UDP) ||
	     (!is_traced(run, &d.seg.src, d.seg.sport) &&
	      !is_traced(run, &d.seg.dst, d.seg.dport))))
		return;
	if (i->from == ENGINE_SUT)
		print_who(run, "SUT",
			  i->kind == ENGINE_ANSWER ? "answer" : "absorbed");
	else
		print_who(run, sender[i->kind],
			  i->kind == ENGINE_NONE ? "ignored" : "taken");
	print_decoded(r, &d, i->frame->wire);
}

/* Verdicts and ends, of a connection that is traced. */
static void print_item(struct run *run, const struct engine_item *t)
{
	const struct exchange_record *x = t->exchange;
	const struct engine_event *ev = t->event;

	if (run->opt->trace.port == 0)
		return;
	if (t->kind == EVENT_VERDICT &&
	    is_traced(run, &x->client, x->client_port)) {
		print_who(run, "verdict",
			  verdict_name((enum verdict)x->verdict));
		printf("request %u, %s, status %u and %u, flow %llu\n",
		       x->index, reason_name((enum compare_reason)x->reason),
		       x->status[0], x->status[1], (unsigned long long)x->flow);
	}
	if (t->kind == EVENT_FLOW_END &&
	    is_traced(run, &ev->client, ev->client_port)) {
		print_who(run, "flow", "ended");
		printf("%s, flow %llu\n", flow_end_name(ev->end),
		       (unsigned long long)ev->flow);
	}
}

const struct observer_ops observe_print = {
	.input = print_input,
	.effect = print_effect,
	.told = print_item,
};
