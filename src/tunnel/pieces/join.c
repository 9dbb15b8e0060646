/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * join.c - Packets of a connection become a long one
 *
 * Theory of operation
 *
 * The way back of cut.c, as the kernel's GRO does it for network cards: a
 * packet that continues the one before it, with the same headers, is put behind
 * it, so that the connection's end gets one packet for many. Cut again it would
 * be the same packets.
 *
 * So a packet is joined only if nothing is lost by it: its own checksums are
 * right (those of a long one are made by the device, and would hide that a byte
 * has changed); its headers are those of the first but for length,
 * identification, sequence number, checksum and PSH; it has no flag but ACK,
 * PSH and ECE, no IPv4 option and no extension header. It continues at the
 * sequence number where the one before ends. Only the last may be shorter than
 * the first; PSH and a shorter one end it.
 *
 * Packets of one connection are never handed on in another order than they
 * came. What is not joined first sends on what is held of its own connection;
 * of which it is not known whose it is (a later fragment), all that is held.
 */
#include "pieces/join.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/bytes.h"
#include "core/csum.h"
#include "wire/segment.h"

#define IP4_HEAD   20u
#define IP6_HEAD   40u
#define IP4_DF	   0x4000u
#define IP4_PARTS  0x3fffu
#define TCP_HEAD   20u
#define UDP_HEAD   8u
#define FLAGS_LESS ((unsigned)~(TCP_ACK | TCP_PSH | TCP_ECE) & 0xff)

/**
 * struct place - Packets of one connection
 * @n:		Bytes at @p; 0: none
 * @next:	Sequence number that continues it
 * @closed:	Nothing more goes behind it
 * @age:	Which was begun first
 */
struct place {
	uint32_t n;
	uint32_t size;
	uint32_t packets;
	uint32_t next;
	bool closed;
	uint64_t age;
	struct join_look look;
	uint8_t *p;
};

struct join {
	bool udp;
	uint64_t ages;
	struct place place[JOIN_PLACES];
	uint8_t room[JOIN_PLACES][VNET_HEADER + JOIN_MOST];
};

size_t join_size(void)
{
	return arena_need(sizeof(struct join));
}

int join_init(struct join **out, struct arena *a, bool udp)
{
	struct join *j = arena_take(a, sizeof(*j));

	if (!j)
		return -ENOMEM;
	j->udp = udp;
	j->ages = 0;
	for (int i = 0; i < JOIN_PLACES; i++)
		j->place[i] = (struct place){ .p = j->room[i] + VNET_HEADER };
	*out = j;
	return 0;
}

/* Sum of the pseudo header of an upper layer of @len bytes. */
static uint64_t pseudo(const uint8_t *p, bool tcp, uint32_t len)
{
	uint64_t sum = p[0] >> 4 == 4 ? csum_add(0, p + 12, 8)
				      : csum_add(0, p + 8, 32);

	return sum + (tcp ? PROTO_TCP : PROTO_UDP) + len;
}

static bool sums_are_right(const uint8_t *p, uint32_t n,
			   const struct join_look *l)
{
	uint64_t sum = pseudo(p, l->tcp, n - l->l4);

	if (!l->tcp && get_be16(p + l->l4 + 6) == 0)
		return false; /* it has none */
	if (p[0] >> 4 == 4 && csum_fold(csum_add(0, p, IP4_HEAD)) != 0xffff)
		return false;
	return csum_fold(csum_add(sum, p + l->l4, n - l->l4)) == 0xffff;
}

/* Addresses, protocol and ports, if there are any. Return: is it such a packet
 * as may be joined, as far as IP goes?
 */
static bool look_ip(const uint8_t *p, uint32_t n, struct join_look *l)
{
	uint8_t proto;
	bool plain;

	if (n >= IP4_HEAD && p[0] >> 4 == 4) {
		l->l4 = (p[0] & 15u) * 4;
		proto = p[9];
		memcpy(l->key, p + 12, 8);
		l->has_key = !(get_be16(p + 6) & IP4_PARTS);
		plain = l->has_key && l->l4 == IP4_HEAD && get_be16(p + 2) == n;
	} else if (n >= IP6_HEAD && p[0] >> 4 == 6) {
		l->l4 = IP6_HEAD;
		proto = p[6];
		memcpy(l->key, p + 8, 32);
		l->has_key = proto == PROTO_TCP || proto == PROTO_UDP ||
			     proto == PROTO_ICMP6;
		plain = get_be16(p + 4) + IP6_HEAD == n;
	} else {
		return false;
	}
	l->key[32] = proto;
	l->tcp = proto == PROTO_TCP;
	if (!l->tcp && proto != PROTO_UDP)
		return false;
	l->has_key = l->has_key && l->l4 >= IP4_HEAD && l->l4 + 4 <= n;
	if (l->has_key)
		memcpy(l->key + 33, p + l->l4, 4);
	return l->has_key && plain;
}

void join_look(const struct join *j, const uint8_t *p, uint32_t n,
	       struct join_look *l)
{
	const uint8_t *l4;

	*l = (struct join_look){ .has_key = false };
	if (!look_ip(p, n, l) || n > JOIN_MOST)
		return;
	l4 = p + l->l4;
	if (l->tcp) {
		if (l->l4 + TCP_HEAD > n || (l4[13] & FLAGS_LESS) ||
		    !(l4[13] & TCP_ACK))
			return;
		l->head = l->l4 + (l4[12] >> 4) * 4u;
		if (l->head < l->l4 + TCP_HEAD)
			return;
	} else {
		if (!j->udp || l->l4 + UDP_HEAD > n ||
		    get_be16(l4 + 4) != n - l->l4)
			return;
		l->head = l->l4 + UDP_HEAD;
	}
	l->whole = l->head < n && sums_are_right(p, n, l);
}

static bool same_ip(const struct place *h, const uint8_t *p, uint32_t l4)
{
	const uint8_t *q = h->p;

	if (l4 == IP6_HEAD)
		return memcmp(q, p, 4) == 0 && memcmp(q + 6, p + 6, 34) == 0;
	/* Who may be cut needs its identification: it must count. */
	if (!(get_be16(p + 6) & IP4_DF) &&
	    (uint16_t)(get_be16(q + 4) + h->packets) != get_be16(p + 4))
		return false;
	return memcmp(q, p, 2) == 0 && memcmp(q + 6, p + 6, 4) == 0 &&
	       memcmp(q + 12, p + 12, 8) == 0;
}

static bool same_tcp(const struct place *h, const uint8_t *p,
		     const struct join_look *l)
{
	const uint8_t *a = h->p + l->l4, *b = p + l->l4;

	return get_be32(b + 4) == h->next && memcmp(a + 8, b + 8, 5) == 0 &&
	       !((a[13] ^ b[13]) & ~TCP_PSH) &&
	       memcmp(a + 14, b + 14, 2) == 0 &&
	       memcmp(a + 18, b + 18, l->head - l->l4 - 18) == 0;
}

/* May @p go behind what the place of its connection has? */
static bool continues(const struct place *h, const uint8_t *p, uint32_t n,
		      const struct join_look *l)
{
	return l->whole && !h->closed && h->packets < JOIN_COUNT &&
	       l->head == h->look.head && n - l->head <= h->size &&
	       h->n + n - l->head <= JOIN_MOST && same_ip(h, p, l->l4) &&
	       (!l->tcp || same_tcp(h, p, l));
}

static bool is_of(const struct place *h, const struct join_look *l)
{
	return memcmp(h->look.key, l->key, JOIN_KEY) == 0;
}

int join_any(const struct join *j)
{
	int oldest = -1;

	for (int i = 0; i < JOIN_PLACES; i++)
		if (j->place[i].n > 0 &&
		    (oldest < 0 || j->place[i].age < j->place[oldest].age))
			oldest = i;
	return oldest;
}

int join_first(const struct join *j, const uint8_t *p, uint32_t n,
	       const struct join_look *l)
{
	bool room = false;

	if (!l->has_key)
		return join_any(j);
	for (int i = 0; i < JOIN_PLACES; i++) {
		const struct place *h = &j->place[i];

		room |= h->n == 0;
		if (h->n > 0 && is_of(h, l))
			return continues(h, p, n, l) ? -1 : i;
	}
	return l->whole && !room ? join_any(j) : -1;
}

static void begin(struct join *j, struct place *h, const uint8_t *p, uint32_t n,
		  const struct join_look *l)
{
	h->n = 0;
	h->look = *l;
	h->size = n - l->head;
	h->packets = 0;
	h->closed = false;
	h->age = j->ages++;
	memcpy(h->p, p, l->head);
	h->n = l->head;
}

bool join_add(struct join *j, const uint8_t *p, uint32_t n,
	      const struct join_look *l)
{
	struct place *h = NULL;

	if (!l->whole)
		return false;
	for (int i = 0; i < JOIN_PLACES && (!h || h->n == 0); i++)
		if (j->place[i].n == 0 || is_of(&j->place[i], l))
			h = &j->place[i];
	assert(h);
	if (h->n == 0)
		begin(j, h, p, n, l);
	memcpy(h->p + h->n, p + l->head, n - l->head);
	h->n += n - l->head;
	h->packets++;
	h->closed = n - l->head < h->size;
	if (l->tcp) {
		h->next = get_be32(p + l->l4 + 4) + (n - l->head);
		h->p[l->l4 + 13] |= p[l->l4 + 13] & TCP_PSH;
		h->closed |= (p[l->l4 + 13] & TCP_PSH) != 0;
	}
	assert(h->n <= JOIN_MOST);
	return true;
}

uint32_t join_take(struct join *j, int place, uint8_t **out, struct vnet *v,
		   uint32_t *packets)
{
	struct place *h = &j->place[place];
	uint32_t l4 = h->look.l4, n = h->n;
	bool tcp = h->look.tcp;
	uint8_t *p = h->p;

	assert(n > 0);
	h->n = 0;
	*out = p;
	*packets = h->packets;
	*v = (struct vnet){ .kind = VNET_ONE };
	if (h->packets == 1)
		return n;
	*v = (struct vnet){ .partial = true,
			    .kind = !tcp	     ? VNET_UDP
				    : p[0] >> 4 == 4 ? VNET_TCP4
						     : VNET_TCP6,
			    .head = (uint16_t)h->look.head,
			    .size = (uint16_t)h->size,
			    .start = (uint16_t)l4,
			    .at = tcp ? 16 : 6 };
	if (p[0] >> 4 == 4) {
		put_be16(p + 2, (uint16_t)n);
		put_be16(p + 10, 0);
		put_be16(p + 10,
			 (uint16_t)~csum_fold(csum_add(0, p, IP4_HEAD)));
	} else {
		put_be16(p + 4, (uint16_t)(n - IP6_HEAD));
	}
	if (!tcp)
		put_be16(p + l4 + 4, (uint16_t)(n - l4));
	put_be16(p + l4 + v->at, csum_fold(pseudo(p, tcp, n - l4)));
	return n;
}
