/* SPDX-License-Identifier: BSD-2-Clause */
#include "splice_oracle.h"

#include <string.h>

#include "wire_oracle.h"

/* A packet taken apart. */
struct parts {
	const uint8_t *in;
	bool v6;
	uint32_t hlen; /* of the IP header and what extends it */
	uint32_t total;
	uint32_t tcp_hlen;
};

static uint32_t number(const uint8_t *p, unsigned n)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < n; i++)
		v = v * 256 + p[i];
	return v;
}

static void digits(uint8_t *p, uint32_t v, unsigned n)
{
	for (unsigned i = n; i > 0; i--, v /= 256)
		p[i - 1] = (uint8_t)(v % 256);
}

/* Hop-by-hop and destination options in front of TCP, four and 64 bytes at most. */
static bool walk_v6(struct parts *k)
{
	unsigned kind = k->in[6];

	for (int n = 0; kind != 6; n++) {
		if ((kind != 0 && kind != 60) || n == 4 ||
		    k->total < k->hlen + 8)
			return false;
		kind = k->in[k->hlen];
		k->hlen += (k->in[k->hlen + 1] + 1u) * 8u;
		if (k->hlen > 104)
			return false;
	}
	return true;
}

static bool take_apart(struct parts *k, uint32_t len)
{
	if (len < 20)
		return false;
	k->v6 = k->in[0] >> 4 != 4;
	if (k->v6) {
		if (len < 40)
			return false;
		k->hlen = 40;
		k->total = 40 + number(k->in + 4, 2);
	} else {
		k->hlen = k->in[0] % 16u * 4u;
		k->total = number(k->in + 2, 2);
		/* A part of a datagram. */
		if (number(k->in + 6, 2) % 0x4000 != 0 || k->hlen < 20)
			return false;
	}
	if (len > 65535 && k->total == (k->v6 ? 40 : 0))
		k->total = len;
	if (k->total > len || (k->v6 && !walk_v6(k)))
		return false;
	if (k->total < k->hlen + 20)
		return false;
	k->tcp_hlen = k->in[k->hlen + 12] / 16u * 4u;
	return k->tcp_hlen >= 20 && k->hlen + k->tcp_hlen <= k->total;
}

static void nops(uint8_t *p, unsigned n)
{
	memset(p, 1, n);
}

struct one {
	const struct oracle *o;
	int from;
	bool ack;
	bool syn;
};

/* The option of @n bytes at @p, in the output. */
static bool map_one(const struct one *x, uint8_t *p, unsigned n)
{
	const struct oracle_side *a = &x->o->side[x->from];
	const struct oracle_side *b = &x->o->side[1 - x->from];

	switch (p[0]) {
	case 8:
		if (n != 10)
			return false;
		if (!x->o->ts) {
			nops(p, n);
			return true;
		}
		digits(p + 2, number(p + 2, 4) - a->ts_recv + b->ts_sent, 4);
		if (x->ack)
			digits(p + 6,
			       number(p + 6, 4) - a->ts_sent + b->ts_recv, 4);
		return true;
	case 5:
		if (n < 10 || n % 8 != 2)
			return false;
		if (!x->o->sack)
			nops(p, n);
		for (unsigned i = 2; x->o->sack && x->ack && i < n; i += 4)
			digits(p + i, number(p + i, 4) - a->iss + b->irs, 4);
		return true;
	case 2:
		if (n == 4 && x->syn && b->mss > 0 && number(p + 2, 2) > b->mss)
			digits(p + 2, b->mss, 2);
		return true;
	case 19:
	case 29:
		return false;
	case 30:
	case 34:
	case 172:
	case 174:
		nops(p, n);
		return true;
	default:
		return true;
	}
}

static bool map_list(const struct one *x, uint8_t *p, unsigned n)
{
	unsigned len;

	for (; n > 0 && p[0] != 0; p += len, n -= len) {
		len = 1;
		if (p[0] == 1)
			continue;
		if (n < 2 || p[1] < 2 || p[1] > n)
			return false;
		len = p[1];
		if (!map_one(x, p, len))
			return false;
	}
	return true;
}

static void map_ip(const struct one *x, const struct parts *k, uint8_t *out)
{
	const struct oracle_side *b = &x->o->side[1 - x->from];
	uint8_t hops = 64;

	if (x->o->router)
		hops = (uint8_t)(k->in[k->v6 ? 7 : 8] - 1);
	if (!k->v6) {
		memcpy(out + 12, b->us + 12, 4);
		memcpy(out + 16, b->peer + 12, 4);
		nops(out + 20, k->hlen - 20);
		out[8] = hops;
		if (!x->o->ecn)
			out[1] = (uint8_t)(out[1] / 4 * 4);
		return;
	}
	memcpy(out + 8, b->us, 16);
	memcpy(out + 24, b->peer, 16);
	out[7] = hops;
	if (!x->o->ecn)
		out[1] = (uint8_t)(out[1] / 64 * 64 + out[1] % 16);
	for (uint32_t at = 40; at < k->hlen;) {
		uint32_t n = (k->in[at + 1] + 1u) * 8u;

		memset(out + at + 2, 0, n - 2);
		out[at + 2] = 1;
		out[at + 3] = (uint8_t)(n - 4);
		at += n;
	}
}

static void map_fixed(const struct one *x, uint8_t *t)
{
	const struct oracle_side *a = &x->o->side[x->from];
	const struct oracle_side *b = &x->o->side[1 - x->from];
	uint64_t win = number(t + 14, 2);

	digits(t, b->our_port, 2);
	digits(t + 2, b->peer_port, 2);
	digits(t + 4, number(t + 4, 4) - a->irs + b->iss, 4);
	if (x->ack)
		digits(t + 8, number(t + 8, 4) - a->iss + b->irs, 4);
	if (!x->o->ecn) {
		t[12] &= 0xfe;
		t[13] &= 0x3f;
	}
	if (x->syn)
		return;
	for (unsigned i = 0; i < a->peer_scale; i++)
		win *= 2;
	for (unsigned i = 0; i < b->our_scale; i++)
		win /= 2;
	digits(t + 14, win > 65535 ? 65535 : (uint32_t)win, 2);
}

/* The field at @at of the @n bytes at @p becomes what makes their sum, with @extra,
 * @sum again.
 */
static void balance(uint8_t *p, uint32_t n, uint32_t at, uint16_t extra,
		    uint16_t sum)
{
	uint8_t pair[4];

	p[at] = p[at + 1] = 0;
	digits(pair, sum, 2);
	digits(pair + 2, (uint16_t)~oracle_sum(extra, p, n), 2);
	digits(p + at, oracle_sum(0, pair, 4), 2);
}

bool oracle_map(const struct oracle *o, int from, const uint8_t *in,
		uint32_t len, uint8_t *out)
{
	struct parts k = { .in = in };
	struct one x = { .o = o, .from = from };
	uint32_t left;
	uint8_t *t;
	uint16_t sum;

	if (!take_apart(&k, len))
		return false;
	if (o->router && in[k.v6 ? 7 : 8] < 2)
		return false;
	memcpy(out, in, len);
	t = out + k.hlen;
	left = k.total - k.hlen;
	x.ack = (t[13] & 0x10) != 0;
	x.syn = (t[13] & 0x02) != 0;
	map_fixed(&x, t);
	if (!map_list(&x, t + 20, k.tcp_hlen - 20))
		return false;
	map_ip(&x, &k, out);
	sum = oracle_sum(oracle_pseudo(in, 6, left), in + k.hlen, left);
	balance(t, left, 16, oracle_pseudo(out, 6, left), sum);
	if (!k.v6)
		balance(out, k.hlen, 10, 0, oracle_sum(0, in, k.hlen));
	return true;
}

bool oracle_answer(const struct oracle *o, int from, const uint8_t *in,
		   uint32_t len, uint32_t seq, uint32_t ack, uint16_t win,
		   uint8_t *out)
{
	const struct oracle_side *a = &o->side[from];
	struct parts k = { .in = in };
	unsigned n;
	uint8_t *t;
	uint16_t sum;

	if (!take_apart(&k, len) || k.total != k.hlen + k.tcp_hlen ||
	    k.hlen != (k.v6 ? 40 : 20))
		return false;
	memcpy(out, in, len);
	t = out + k.hlen;
	n = k.tcp_hlen;
	digits(t, a->our_port, 2);
	digits(t + 2, a->peer_port, 2);
	digits(t + 4, seq, 4);
	digits(t + 8, ack, 4);
	t[12] &= 0xf0;
	t[13] = 0x10;
	digits(t + 14, win, 2);
	digits(t + 18, 0, 2);
	nops(t + 20, n - 20);
	memcpy(out + (k.v6 ? 8 : 12), a->us + (k.v6 ? 0 : 12), k.v6 ? 16 : 4);
	memcpy(out + (k.v6 ? 24 : 16), a->peer + (k.v6 ? 0 : 12),
	       k.v6 ? 16 : 4);
	out[k.v6 ? 7 : 8] = 64;
	sum = oracle_sum(oracle_pseudo(in, 6, n), in + k.hlen, n);
	balance(t, n, 16, oracle_pseudo(out, 6, n), sum);
	if (!k.v6)
		balance(out, k.hlen, 10, 0, oracle_sum(0, in, k.hlen));
	return true;
}
