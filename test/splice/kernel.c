/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel.c - The same dialogue through the program in the kernel
 *
 * Each packet is handed to the program by BPF_PROG_TEST_RUN, in half of the variants as
 * one whose bytes a device has summed: the kernel itself then looks whether that sum is
 * still right behind the program. The program has its own pair. After each packet both
 * pairs must be alike, and so must what became of the packet.
 */
#include "dialogue.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/bytes.h"
#include "route/router.h"
#include "wire/numbers.h"

#define LOOPBACK     1u	       /* a device that is always there */
#define SUMMED	     (1u << 2) /* BPF_F_TEST_SKB_CHECKSUM_COMPLETE */
#define ACT_SHOT     2u
#define ACT_REDIRECT 7u
#define ACT_UNSPEC   UINT32_MAX

static struct router *router;
static struct join_name name;
static struct join_at at; /* of the last forward */
static bool has_pair;

/* What became of the last packet. */
static struct {
	uint8_t out[PACKET_MAX];
	uint32_t len;
	uint32_t act;
} last;

static bool summed; /* this kernel knows SUMMED */

static int run(const uint8_t *frame, uint32_t len, uint8_t *out,
	       uint32_t *out_len, uint32_t flags, uint32_t *act)
{
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame, .data_size_in = len,
		    .data_out = out, .data_size_out = *out_len, .repeat = 1,
		    .flags = flags);
	int rc = bpf_prog_test_run_opts(router_program(router), &o);

	*out_len = o.data_size_out;
	*act = o.retval;
	return rc;
}

const char *kernel_open(void)
{
	static struct errbuf e;
	struct router_config c = { .pairs = 4,
				   .limits = { .timewait = UINT64_MAX } };
	uint8_t frame[64] = { 0 }, out[64];
	uint32_t len = sizeof(out), act;

	if (router_open(&router, &c, &e) != 0)
		return e.s;
	summed = run(frame, sizeof(frame), out, &len, SUMMED, &act) == 0;
	return NULL;
}

bool kernel_sums(void)
{
	return summed;
}

void kernel_close(void)
{
	router_close(router);
	router = NULL;
}

static void forget(void)
{
	if (has_pair)
		router_forget(router, &name);
	has_pair = false;
}

const char *kernel_start(const struct dialogue *g)
{
	const struct join_way way[DIR_COUNT] = { { .ifindex = LOOPBACK },
						 { .ifindex = LOOPBACK } };
	struct join_peer peer;

	if (router == NULL)
		return NULL;
	forget();
	router_unforward(router, &at);
	has_pair = router_intend(router, &g->pair.side[DIR_C2S].tuple,
				 &g->pair.side[DIR_S2C].tuple, g->ip6, way,
				 &name, &peer) == 0;
	return has_pair ? NULL : "kernel: the tables take no pair";
}

const char *kernel_forward(const struct dialogue *g)
{
	const struct splice_tuple *c = &g->pair.side[DIR_C2S].tuple;
	const struct splice_tuple *v = &g->pair.side[DIR_S2C].tuple;
	struct join_forward f = {
		.servers = 1, .port_low = v->dport, .ports = 1, .ip6 = g->ip6
	};

	if (router == NULL)
		return NULL;
	forget();
	f.server[0].tuple = *v;
	f.server[0].tuple.dport = 0;
	f.server[0].way.ifindex = LOOPBACK;
	f.server[0].way.mtu = g->mtu;
	memcpy(at.ip, c->dst, sizeof(at.ip));
	at.port = c->dport;
	return router_forward(router, &at, &f) == 0
		       ? NULL
		       : "kernel: the tables take no forward";
}

const char *kernel_begun(struct dialogue *g)
{
	struct join_name n;
	struct splice_pair p;
	uint32_t from = 0;

	if (router == NULL)
		return NULL;
	forget();
	while (!has_pair && router_each(router, &from, &n, &p) == 1)
		has_pair = true;
	if (!has_pair)
		return "kernel: the SYN has made no pair";
	name = n;
	if ((p.flags & SPLICE_PAIR_TS) == 0)
		return NULL;
	g->pair.side[DIR_S2C].tsval +=
		p.map.ts_off[DIR_C2S] - g->pair.map.ts_off[DIR_C2S];
	g->pair.map.ts_off[DIR_C2S] = p.map.ts_off[DIR_C2S];
	return NULL;
}

const char *kernel_splice(const struct dialogue *g)
{
	if (router == NULL || router_put(router, &name, &g->pair) == 0)
		return NULL;
	return "kernel: the pair is gone";
}

/* But for times, and for its name. */
static bool alike(struct splice_pair *a, const struct splice_pair *b)
{
	a->seen = b->seen;
	a->since = b->since;
	a->generation = b->generation;
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* Which way a packet leaves is not told here: both ends are at one device. */
static bool is_fate(uint32_t act, enum way_fate fate)
{
	return act == ACT_REDIRECT ? fate == WAY_PEER || fate == WAY_SENDER
	       : act == ACT_SHOT   ? fate == WAY_DROPPED || fate == WAY_HELD
				   : act == ACT_UNSPEC && fate == WAY_STACK;
}

const char *kernel_send(const struct dialogue *g)
{
	static uint8_t frame[PACKET_MAX];
	uint32_t len = g->len + ETH_HEADER;
	int rc;

	if (router == NULL)
		return NULL;
	put_be16(frame + 12, g->ip6 ? ETHERTYPE_IP6 : ETHERTYPE_IP4);
	memcpy(frame + ETH_HEADER, g->in, g->len);
	last.len = sizeof(last.out);
	rc = run(frame, len, last.out, &last.len,
		 summed && g->variant % 4 >= 2 ? SUMMED : 0, &last.act);
	if (rc == -EBADMSG)
		return "kernel: the sum of all bytes is not right any more";
	return rc != 0 ? "kernel: the program cannot be run" : NULL;
}

const char *kernel_check(const struct dialogue *g)
{
	struct splice_pair p;

	if (router == NULL)
		return NULL;
	if (!is_fate(last.act, g->r.fate))
		return "kernel: another fate";
	if (last.act != ACT_SHOT &&
	    (last.len != g->len + ETH_HEADER ||
	     memcmp(last.out + ETH_HEADER, g->out, g->len) != 0))
		return "kernel: other bytes";
	if (g->forward && !g->begun)
		return NULL;
	if (router_look(router, &name, &p) != 0)
		return "kernel: the pair is gone";
	return alike(&p, &g->pair) ? NULL : "kernel: the pair is another one";
}
