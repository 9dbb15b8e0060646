/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cut.c - A long packet of a device becomes those that go on a wire
 *
 * Theory of operation
 *
 * A device that is asked to (IFF_VNET_HDR, TUNSETOFFLOAD) hands over up to 64
 * KB of a connection as one packet, as the kernel hands them to a network card.
 * The pieces are what the card would send: each has the headers of the whole,
 * with its own length, sequence number and checksum; IPv4's identification
 * counts; of the flags CWR stands on the first piece only (RFC 3168 section
 * 6.1.2), PSH and FIN on the last only.
 *
 * The checksum of the whole is not made, but the sum of its pseudo header lies
 * at its place. A piece's differs from that by the length alone; so addresses
 * are not looked at, and a routing header, behind which the destination is
 * another, needs no care.
 */
#include "pieces/cut.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/bytes.h"
#include "core/csum.h"
#include "wire/segment.h"

#define IP4_HEAD  20u
#define IP6_HEAD  40u
#define IP4_PARTS 0x3fffu /* more fragments, and an offset */
#define TCP_HEAD  20u
#define TCP_SUM	  16u
#define UDP_HEAD  8u
#define UDP_SUM	  6u

/* Where the checksum of the upper layer lies in it. */
static uint32_t sum_at(bool tcp)
{
	return tcp ? TCP_SUM : UDP_SUM;
}

/* Is this a packet of that kind, whose upper layer begins where @v says? */
static bool is_kind(const struct vnet *v, const uint8_t *p, uint32_t n)
{
	uint8_t version = p[0] >> 4;
	bool tcp = v->kind != VNET_UDP;
	uint32_t least = tcp ? TCP_HEAD : UDP_HEAD;

	if (!v->partial || v->size == 0 || v->at != sum_at(tcp) ||
	    v->start + least > n)
		return false;
	if (version == 4)
		return v->kind != VNET_TCP6 && v->start >= IP4_HEAD &&
		       v->start == (p[0] & 15u) * 4 &&
		       p[9] == (tcp ? PROTO_TCP : PROTO_UDP) &&
		       !(get_be16(p + 6) & IP4_PARTS);
	return version == 6 && v->kind != VNET_TCP4 && v->start >= IP6_HEAD;
}

static int begin_one(struct cut *c, const struct vnet *v, const uint8_t *p,
		     uint32_t n)
{
	if (v->partial && v->start + v->at + 2u > n)
		return -EBADMSG;
	*c = (struct cut){
		.p = p, .n = n, .l4 = v->partial ? v->start : n, .head = v->at
	};
	return 0;
}

int cut_begin(struct cut *c, const struct vnet *v, const uint8_t *p, uint32_t n,
	      uint32_t most)
{
	struct cut t = { .p = p, .n = n, .l4 = v->start, .size = v->size };

	if (n == 0)
		return -EBADMSG;
	if (v->kind == VNET_ONE)
		return begin_one(c, v, p, n);
	if (!is_kind(v, p, n))
		return -EBADMSG;
	t.tcp = v->kind != VNET_UDP;
	t.head = t.l4 + (t.tcp ? (p[t.l4 + 12] >> 4) * 4u : UDP_HEAD);
	if (t.head < t.l4 + UDP_HEAD || t.head >= n)
		return -EBADMSG;
	if (t.tcp && t.head < t.l4 + TCP_HEAD)
		return -EBADMSG;
	if (t.tcp && most > t.head && t.size > most - t.head)
		t.size = most - t.head;
	t.sum = get_be16(p + t.l4 + sum_at(t.tcp));
	*c = t;
	return 0;
}

uint32_t cut_length(const struct cut *c)
{
	uint32_t rest;

	if (c->size == 0)
		return c->done ? 0 : c->n;
	rest = c->n - c->head - c->at;
	if (rest == 0)
		return 0;
	return c->head + (rest < c->size ? rest : c->size);
}

/* A packet of its own: all that it may lack is its checksum. */
static void write_one(const struct cut *c, uint8_t *out)
{
	uint16_t sum;

	memcpy(out, c->p, c->n);
	if (c->l4 == c->n)
		return;
	sum = (uint16_t)~csum_fold(csum_add(0, out + c->l4, c->n - c->l4));
	/* 0 would say that a datagram has none; to TCP both are the same. */
	put_be16(out + c->l4 + c->head, sum == 0 ? 0xffff : sum);
}

static void ip_head(const struct cut *c, uint8_t *out, uint32_t len)
{
	if (out[0] >> 4 == 6) {
		put_be16(out + 4, (uint16_t)(len - IP6_HEAD));
		return;
	}
	put_be16(out + 2, (uint16_t)len);
	put_be16(out + 4, (uint16_t)(get_be16(out + 4) + c->count));
	put_be16(out + 10, 0);
	put_be16(out + 10, (uint16_t)~csum_fold(csum_add(0, out, c->l4)));
}

static void tcp_head(const struct cut *c, uint8_t *tcp, bool last)
{
	put_be32(tcp + 4, get_be32(tcp + 4) + c->at);
	if (c->count > 0)
		tcp[13] &= (uint8_t)~TCP_CWR;
	if (!last)
		tcp[13] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
}

static void write_piece(const struct cut *c, uint8_t *out)
{
	uint32_t len = cut_length(c);
	uint32_t all = c->n - c->l4;
	uint8_t *l4 = out + c->l4;
	uint64_t sum;

	memcpy(out, c->p, c->head);
	memcpy(out + c->head, c->p + c->head + c->at, len - c->head);
	ip_head(c, out, len);
	if (c->tcp)
		tcp_head(c, l4, c->head + c->at + (len - c->head) == c->n);
	else
		put_be16(l4 + 4, (uint16_t)(len - c->l4));
	put_be16(l4 + sum_at(c->tcp), 0);
	sum = csum_swap16(c->sum, (uint16_t)all, (uint16_t)(len - c->l4));
	sum = (uint16_t)~csum_fold(csum_add(sum, l4, len - c->l4));
	put_be16(l4 + sum_at(c->tcp), sum == 0 ? 0xffff : (uint16_t)sum);
}

void cut_skip(struct cut *c)
{
	assert(cut_length(c) > 0);
	c->done = true;
	if (c->size > 0)
		c->at += cut_length(c) - c->head;
	c->count++;
}

void cut_next(struct cut *c, uint8_t *out)
{
	assert(cut_length(c) > 0);
	if (c->size == 0)
		write_one(c, out);
	else
		write_piece(c, out);
	cut_skip(c);
}
