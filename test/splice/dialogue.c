/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dialogue.c - Packets of a dialogue: made, taken through the pair, looked at
 */
#include "dialogue.h"

#include <string.h>

#include "core/bytes.h"
#include "core/rng.h"
#include "splice/syn.h"
#include "wire/build.h"
#include "wire/decode.h"
#include "wire/numbers.h"
#include "wire/tcpopt.h"

#define WRAP 0xfffffff0u /* a number that wraps after the first few bytes */

static struct splice_tuple addresses(struct dialogue *g, enum dir d)
{
	struct splice_tuple t = { .sport = (uint16_t)(d == 0 ? 40000 : 80),
				  .dport = (uint16_t)(d == 0 ? 1080 : 2049) };
	struct oracle_side *o = &g->oracle.side[d];

	memset(t.src, 0, 16);
	t.src[10] = t.src[11] = 0xff;
	if (g->ip6)
		memcpy(t.src, "\x20\x01\x0d\xb8\xff\x80\0\0\xfe\xdc\xba", 11);
	memcpy(t.dst, t.src, 16);
	memcpy(t.src + 12, d == 0 ? "\x0a\xff\x00\x02" : "\xc0\x00\x02\x50", 4);
	memcpy(t.dst + 12, d == 0 ? "\x0a\xff\x00\x01" : "\xc6\x33\x64\x07", 4);
	memcpy(o->peer, t.src, 16);
	memcpy(o->us, t.dst, 16);
	o->peer_port = t.sport;
	o->our_port = t.dport;
	return t;
}

const char *dialogue_start(struct dialogue *g, unsigned variant)
{
	struct splice_tuple tuple[DIR_COUNT];
	struct rng rng = { variant };

	memset(g, 0, sizeof(*g));
	g->variant = variant;
	g->ip6 = variant % 2 != 0;
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++) {
		uint32_t *n[] = { &g->base[d].peer, &g->base[d].ours,
				  &g->base[d].peer_ts, &g->base[d].our_ts };

		for (unsigned i = 0; i < 4; i++)
			*n[i] = variant < 2   ? 0
				: variant < 4 ? WRAP
					      : (uint32_t)rng_next(&rng);
		/* One of them wraps, the others do not. */
		if (variant >= 4 && variant % 4 / 2 == (unsigned)d)
			*n[variant / 4 % 2] = WRAP;
		tuple[d] = addresses(g, d);
		g->socket[d] = (struct splice_socket){
			.snd_una = g->base[d].ours + 1,
			.write_seq = g->base[d].ours + 1,
			.snd_wnd = 65535,
			.rcv_nxt = g->base[d].peer + 1,
			.copied_seq = g->base[d].peer + 1,
			.rcv_wup = g->base[d].peer + 1,
			.rcv_wnd = 65535,
			.room = 65535,
			.ts_recent = g->base[d].peer_ts,
			.tsval = g->base[d].our_ts,
			.open = true,
		};
	}
	g->hops = 64;
	splice_intend(&g->pair, &tuple[0], &tuple[1], g->ip6, variant, 0);
	return kernel_start(g);
}

uint16_t dialogue_mss(const struct dialogue *g)
{
	uint32_t head = g->ip6 ? SPLICE_IP6_MIN : SPLICE_IP4_MIN;

	/* The kernel's way is a loopback device, which takes more than an MSS says. */
	return g->mtu == 0 ? 0 : (uint16_t)(g->mtu - head - SPLICE_TCP_MIN);
}

/* Both ends count alike, but for the client's clock of timestamps. */
static void set_router(struct dialogue *g)
{
	uint32_t clock = g->pair.map.ts_off[DIR_C2S];

	g->base[DIR_C2S].ours = g->base[DIR_S2C].peer;
	g->base[DIR_S2C].ours = g->base[DIR_C2S].peer;
	g->base[DIR_C2S].our_ts = g->base[DIR_S2C].peer_ts;
	g->base[DIR_S2C].our_ts = g->base[DIR_C2S].peer_ts + clock;
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++)
		g->oracle.side[d].mss = dialogue_mss(g);
	g->oracle.side[DIR_S2C].ts_sent = clock;
	g->oracle.router = true;
	g->oracle.ts = (g->pair.flags & SPLICE_PAIR_TS) != 0;
	g->oracle.sack = g->oracle.ecn = true;
	g->spliced = true;
}

/* Does the last packet make a pair? */
static const char *begin(struct dialogue *g)
{
	struct splice_pair was = g->pair;
	struct splice_segment s;
	struct splice_head h;
	const char *wrong;

	if (g->dir != DIR_C2S || way_read(g->in, g->len, &h, &s) != 0 ||
	    !splice_is_syn(&s))
		return NULL;
	splice_read_offer(&h, &s.offer);
	splice_begin_syn(&g->pair, &was.side[DIR_C2S].tuple,
			 &was.side[DIR_S2C].tuple, g->ip6, g->variant, &s,
			 g->base[DIR_S2C].peer_ts + 5, dialogue_mss(g), g->now);
	wrong = kernel_begun(g);
	if (wrong != NULL)
		return wrong;
	g->begun = true;
	set_router(g);
	return NULL;
}

/* The last packet goes through the pair, if there is one or will be. */
static const char *pass(struct dialogue *g)
{
	const char *wrong = NULL;
	uint32_t events = 0;

	if (g->begun || !g->forward)
		g->r = way_packet(&g->pair, g->dir, g->out, g->len, g->now);
	if (!g->forward || (g->begun && (g->r.events & SPLICE_EV_REUSED) == 0))
		return NULL;
	events = g->begun ? g->r.events : 0;
	g->r = (struct way_result){ .fate = WAY_STACK };
	g->begun = g->spliced = false;
	wrong = begin(g);
	if (g->begun)
		g->r = way_packet(&g->pair, g->dir, g->out, g->len, g->now);
	g->r.events |= events;
	return wrong;
}

/* The options of a line, in absolute numbers. */
static struct tcp_opts absolute(const struct dialogue *g, enum dir d,
				const struct line *l)
{
	struct tcp_opts o = l->opts;

	o.tsval += g->base[d].peer_ts;
	if ((l->flags & TCP_ACK) != 0)
		o.tsecr += g->base[d].our_ts;
	for (int i = 0; i < o.sacks; i++) {
		o.sack[i].left += g->base[d].ours;
		o.sack[i].right += g->base[d].ours;
	}
	return o;
}

/* Its numbers are compared by expect(). */
static const char *check_answer(struct dialogue *g)
{
	enum dir other = dir_reverse(g->dir);
	const struct splice_side *i = &g->pair.side[g->dir];
	uint32_t win = (i->hi - i->lo) >> i->told;
	uint32_t seq = g->pair.side[other].end - g->oracle.side[other].irs +
		       g->oracle.side[g->dir].iss;
	uint8_t want[PACKET_MAX];

	if (!oracle_answer(&g->oracle, (int)g->dir, g->in, g->len, seq, i->lo,
			   win > 65535 ? 65535 : (uint16_t)win, want))
		return "a packet was answered that cannot be";
	return memcmp(want, g->out, g->len) == 0
		       ? NULL
		       : "the answer is not as the oracle makes it";
}

static const char *send_packet(struct dialogue *g, enum dir d,
			       const struct line *l)
{
	static uint8_t payload[TEXT_MAX];
	const struct splice_tuple *t = &g->pair.side[d].tuple;
	struct tcp_opts o = absolute(g, d, l);
	struct tcp_header h = { .src = ipaddr_from6(t->src),
				.dst = ipaddr_from6(t->dst),
				.sport = t->sport,
				.dport = t->dport,
				.seq = l->seq + g->base[d].peer,
				.flags = (uint8_t)l->flags,
				.ttl = g->forward ? g->hops : 1,
				.win = l->win,
				.urg = l->urg };
	uint8_t frame[BUILD_HDR_MAX], opts[TCP_OPT_MAX];
	uint8_t want[PACKET_MAX];
	const char *wrong;
	size_t n;

	if (g->open)
		return "nothing says what becomes of the packet before";
	for (uint32_t i = 0; i < l->len; i++)
		payload[i] =
			l->data != NULL ? l->data[i] : (uint8_t)(l->seq + i);
	if ((l->flags & TCP_ACK) != 0)
		h.ack = l->ack + g->base[d].ours;
	h.opts = opts;
	h.optlen = tcp_put_options(opts, &o);
	n = build_tcp(frame, &h, payload, l->len, CSUM_FULL) - ETH_HEADER;
	memcpy(g->in, frame + ETH_HEADER, n);
	memcpy(g->in + n, payload, l->len);
	g->len = (uint32_t)n + l->len;
	if (l->bad)
		g->in[n - h.optlen - 3] ^= 0x10;
	g->dir = d;
	memcpy(g->out, g->in, g->len);
	g->open = true;
	wrong = kernel_send(g);
	if (wrong == NULL)
		wrong = pass(g);
	if (wrong == NULL)
		wrong = kernel_check(g);
	if (wrong != NULL)
		return wrong;
	if (g->r.fate == WAY_SENDER)
		return check_answer(g);
	if (g->r.fate != WAY_PEER)
		return memcmp(g->in, g->out, g->len) == 0
			       ? NULL
			       : "a packet that is not relayed was changed";
	if (!g->spliced)
		return "a packet was relayed before the splice";
	if (!oracle_map(&g->oracle, (int)d, g->in, g->len, want))
		return "a packet was relayed that cannot be mapped";
	return memcmp(want, g->out, g->len) == 0
		       ? NULL
		       : "the packet is not as the oracle maps it";
}

static bool opts_match(const struct dialogue *g, enum dir to,
		       const struct line *l, const struct tcp_opts *b)
{
	const struct tcp_opts *a = &l->opts;
	uint32_t ours = g->base[to].our_ts;
	uint32_t peer = (l->flags & TCP_ACK) != 0 ? g->base[to].peer_ts : 0;

	if (a->has != b->has || a->sacks != b->sacks)
		return false;
	if ((a->has & OPT_HAS_MSS) && a->mss != b->mss)
		return false;
	if ((a->has & OPT_HAS_WSCALE) && a->wscale != b->wscale)
		return false;
	if ((a->has & OPT_HAS_TS) &&
	    (a->tsval != b->tsval - ours || a->tsecr != b->tsecr - peer))
		return false;
	for (int i = 0; i < a->sacks; i++)
		if (a->sack[i].left != b->sack[i].left - g->base[to].peer ||
		    a->sack[i].right != b->sack[i].right - g->base[to].peer)
			return false;
	return true;
}

/* What was relayed is what a U line says, and a whole and right packet. */
static const char *expect(struct dialogue *g, const struct line *l)
{
	enum dir to = g->answered ? g->dir : dir_reverse(g->dir);
	enum way_fate want = g->answered ? WAY_SENDER : WAY_PEER;
	uint8_t hops = SPLICE_HOPS;
	struct frame_info f = {
		.data = g->out, .cap = g->len, .wire = g->len, .link = LINK_RAW
	};
	struct decoded d;

	if (!g->open || g->r.fate != want)
		return g->r.fate == WAY_STACK	 ? "it went to the stack"
		       : g->r.fate == WAY_SENDER ? "it was answered"
		       : g->r.fate == WAY_HELD	 ? "it was held"
						 : "it was dropped";
	if (g->forward && !g->answered)
		hops = (uint8_t)(g->hops - 1);
	g->open = g->answered = false;
	if (l->bad)
		return frame_decode(&f, NULL, 0, &d) == DECODE_BAD_L4_CSUM
			       ? NULL
			       : "its checksum is not wrong any more";
	if (frame_decode(&f, NULL, 0, &d) != DECODE_TCP)
		return "what was relayed is no good segment";
	if (d.seg.flags != l->flags)
		return "other flags";
	if (l->has_seq &&
	    (d.seg.seq - g->base[to].ours != l->seq || d.seg.len != l->len))
		return "another seq or length";
	if (l->has_ack && d.seg.ack - g->base[to].peer != l->ack)
		return "another ack";
	if (l->has_win && d.seg.win != l->win)
		return "another window";
	if (d.seg.urg != l->urg)
		return "another urgent pointer";
	if (d.seg.ttl != hops)
		return "another hop limit";
	return opts_match(g, to, l, &d.seg.opts) ? NULL : "other options";
}

const char *dialogue_line(struct dialogue *g, const struct line *l)
{
	switch (l->kind) {
	case LINE_SEGMENT:
		g->now += l->from;
		if (l->who == WHO_PROD)
			return "the sender is not C, S or U";
		return send_packet(g, l->who == WHO_CLIENT ? DIR_C2S : DIR_S2C,
				   l);
	case LINE_EXPECT:
		return expect(g, l);
	case LINE_SET:
		return dialogue_set(g, l);
	case LINE_ASSERT:
		return dialogue_assert(g, l);
	default:
		return "this has no meaning here";
	}
}
