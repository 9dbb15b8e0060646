/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_splice.c - Packets through the rewriter of proxy/splice, against the oracle
 *
 * Input: 1 byte of switches, 8 of scales and MSS, 64 of base points, then a packet from
 * its IP header on. Held against: what is mapped, and what a SYN is answered with, is
 * what splice_oracle.h makes of it;
 * what is not is refused by both and unchanged; a packet has at most one fate.
 */
#include "splice/head.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "splice_oracle.h"
#include "splice_way.h"

#define HEAD	  73
#define PKT_LIMIT 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_side(struct oracle_side *a, const uint8_t *n,
		      const uint8_t *small, uint8_t mark)
{
	for (int i = 0; i < 16; i++) {
		a->peer[i] = (uint8_t)(n[i] ^ mark);
		a->us[i] = (uint8_t)(n[15 - i] + mark);
	}
	a->peer_port = get_be16(n + 14);
	a->our_port = get_be16(n + 12);
	a->irs = get_be32(n + 16);
	a->iss = get_be32(n + 20);
	a->ts_recv = get_be32(n + 24);
	a->ts_sent = get_be32(n + 28);
	a->peer_scale = small[0] % 15;
	a->our_scale = small[1] % 15;
	a->mss = get_be16(small + 2);
}

static void read_pair(const uint8_t *data, struct oracle *o,
		      struct splice_pair *p)
{
	memset(p, 0, sizeof(*p));
	read_side(&o->side[0], data + 9, data + 1, 0x5a);
	read_side(&o->side[1], data + 41, data + 5, 0xc3);
	o->router = false;
	o->ts = (data[0] & 2) != 0;
	o->sack = (data[0] & 4) != 0;
	o->ecn = (data[0] & 8) != 0;
	p->flags = SPLICE_PAIR_JOINED | (o->ts ? SPLICE_PAIR_TS : 0) |
		   (o->sack ? SPLICE_PAIR_SACK : 0) |
		   (o->ecn ? SPLICE_PAIR_ECN : 0);
	for (int d = 0; d < DIR_COUNT; d++) {
		const struct oracle_side *a = &o->side[d];
		struct splice_side *i = &p->side[d];

		memcpy(i->tuple.src, a->peer, 16);
		memcpy(i->tuple.dst, a->us, 16);
		i->tuple.sport = a->peer_port;
		i->tuple.dport = a->our_port;
		i->scale = (uint8_t)a->peer_scale;
		i->told = (uint8_t)a->our_scale;
		i->mss = (uint16_t)a->mss;
		i->state = SPLICE_SPLICED;
		p->map.seq_off[d] = o->side[1 - d].iss - a->irs;
		p->map.ts_off[d] = o->side[1 - d].ts_sent - a->ts_recv;
	}
}

static bool same_sum(const uint8_t *a, const uint8_t *b)
{
	uint16_t v = get_be16(a), w = get_be16(b);

	return v == w || (uint16_t)(v + 1) + (uint16_t)(w + 1) == 1;
}

/* But for the twins of zero, which are one checksum. */
static void check_same(uint8_t *got, uint8_t *want, uint32_t len,
		       uint32_t ip_len)
{
	assert(same_sum(got + ip_len + 16, want + ip_len + 16));
	memcpy(got + ip_len + 16, want + ip_len + 16, 2);
	if (got[0] >> 4 == 4) {
		assert(same_sum(got + 10, want + 10));
		memcpy(got + 10, want + 10, 2);
	}
	assert(memcmp(got, want, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct splice_segment s;
	struct splice_head h;
	struct splice_pair p;
	struct oracle o;
	struct way_result r;
	uint8_t want[PKT_LIMIT];
	const struct oracle_side *side;
	uint8_t *copy;
	uint32_t len;
	enum dir d;
	bool good;

	if (size < HEAD + 1 || size - HEAD > PKT_LIMIT)
		return 0;
	len = (uint32_t)size - HEAD;
	d = (data[0] & 1) != 0 ? DIR_S2C : DIR_C2S;
	read_pair(data, &o, &p);
	side = &o.side[d];
	copy = malloc(len);
	if (copy == NULL)
		abort();
	memcpy(copy, data + HEAD, len);
	good = oracle_map(&o, (int)d, copy, len, want);
	r = way_packet(&p, d, copy, len, 1);
	/* A RST may have moved the state; the way is the same. */
	assert(r.fate != WAY_STACK);
	if (r.fate == WAY_SENDER || r.fault == SPLICE_UNANSWERED) {
		assert((r.seg.flags & 0x16) == SPLICE_SYN);
		good = oracle_answer(&o, (int)d, data + HEAD, len,
				     side->iss - o.side[!d].irs, 0, 0, want);
		assert(good == (r.fate == WAY_SENDER));
	} else {
		assert(good == (r.fate == WAY_PEER));
	}
	assert((r.fault == SPLICE_FINE) == good);
	if (good) {
		assert(way_read(copy, len, &h, &s) == SPLICE_FINE);
		check_same(copy, want, len, h.ip_len);
	} else {
		assert(memcmp(copy, data + HEAD, len) == 0);
	}
	free(copy);
	return 0;
}
