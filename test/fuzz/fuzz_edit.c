/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_edit.c - Any frame through cutting and rewriting
 *
 * The first bytes choose what is done, the rest is the frame, in copies of exact
 * size. Asserted: lengths stay in what was promised. What is cut is all of the
 * payload, in order, and fits the wire, and each segment is one that wire/decode
 * takes. A TCP segment or datagram that was whole and right is right after
 * rewriting, and holds what was asked for: addresses, ports, numbers, TTL. The
 * oracle of checksums is wire/decode, which shares none of their code but the sum
 * itself.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "rewrite/cut.h"
#include "rewrite/edit.h"
#include "wire/decode.h"

#define HEAD	  10
#define PORT_MOST 60000
#define PORT_TO	  53

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum decode_result decode(const uint8_t *p, uint32_t len, uint32_t wire,
				 struct decoded *d)
{
	struct frame_info f = {
		.data = p, .cap = len, .wire = wire, .link = LINK_ETHERNET
	};

	return frame_decode(&f, NULL, 0, d);
}

/* Is @seg the segment of @whole that begins @from bytes on? */
static void check_piece(const struct segment *whole, const struct segment *seg,
			uint32_t from)
{
	assert(ipaddr_eq(&seg->src, &whole->src) &&
	       ipaddr_eq(&seg->dst, &whole->dst));
	assert(seg->sport == whole->sport && seg->dport == whole->dport);
	assert(seg->seq == whole->seq + from && seg->ack == whole->ack);
	assert(seg->cap == seg->len && from + seg->len <= whole->len);
	assert(memcmp(seg->data, whole->data + from, seg->len) == 0);
}

static void cut(const uint8_t *p, uint32_t len, uint32_t mtu)
{
	struct decoded whole, d;
	bool known = decode(p, len, len, &whole) == DECODE_TCP &&
		     whole.seg.cap == whole.seg.len;
	struct cut c;
	uint32_t sum = 0;

	if (cut_plan(&c, p, len, mtu) <= 0)
		return;
	for (uint32_t i = 0; i < c.segments; i++) {
		uint8_t *out = malloc(c.head + c.mss);
		uint32_t n = cut_segment(&c, p, i, out);

		assert(n <= c.head + c.mss && n - c.shape.l3 <= mtu);
		if (known) {
			assert(decode(out, n, n, &d) == DECODE_TCP);
			check_piece(&whole.seg, &d.seg, sum);
		}
		sum += n - c.head;
		free(out);
	}
	assert(sum == c.payload && sum > 0);
	assert(!known || sum == whole.seg.len);
}

/* What the head of an input asks for. */
static void choose(struct edit_config *c, const uint8_t *head)
{
	static const uint8_t to4[4] = { 10, 9, 8, 7 };
	static const uint8_t to6[16] = { 0xfd, 9, 8, 7, 6, 5, 4, 3, 2, 1 };
	struct edit_nets *list[] = { &c->src, &c->dst, &c->pnat[0],
				     &c->pnat[1] };

	c->seeded = head[2] & 1;
	c->efcs = head[2] & 2;
	c->trunc = head[2] & 4;
	c->fixcsum = head[2] & 8;
	c->vlan = (head[2] >> 4) % 3;
	c->fixlen = head[2] >> 6;
	c->mtu = 68 + head[3];
	c->ttl = head[4] & 3;
	c->keep_casts = head[4] & 4;
	c->tos = head[4] & 8 ? head[3] : -1;
	c->tclass = head[4] & 16 ? head[3] : -1;
	c->flowlabel = head[4] & 32 ? 0x54321 : -1;
	c->ttl_by = head[5];
	c->fuzz_factor = head[7] >> 1 & 3;
	c->fuzz_seed = head[6];
	c->seq_add = head[7] & 8 ? 0x01234567 : 0;
	c->mac_mask[5] = head[7];
	c->ports = 1;
	c->port[0] = (struct edit_port){ .most = PORT_MOST, .to = PORT_TO };
	for (uint32_t i = 0; i < 4; i++) {
		if (!(head[8] & 1u << i))
			continue;
		list[i]->n = 2;
		list[i]->net[0] = (struct edit_net){
			.from = ipaddr_from4(to4),
			.to = ipaddr_from4(to4),
			.from_bits = 96,
			.to_bits = (uint8_t)(96 + head[9] % 33),
		};
		list[i]->net[1] = (struct edit_net){
			.to = ipaddr_from6(to6),
			.to_bits = (uint8_t)(head[9] % 129),
		};
	}
}

static uint16_t port_of(uint16_t port)
{
	return port <= PORT_MOST ? PORT_TO : port;
}

/* One address: as it was, or in the net that it was to move into. */
static void check_ip(const struct edit_config *c, const struct edit_nets *l,
		     unsigned port, const struct ipaddr *was,
		     const struct ipaddr *is)
{
	const struct edit_net *m = &l->net[ipaddr_is4(was) ? 0 : 1];

	assert(ipaddr_is4(was) == ipaddr_is4(is));
	if (c->seeded || c->keep_casts)
		return;
	if (l->n > 0)
		assert(ipaddr_in(is, &m->to, m->to_bits));
	else if (c->pnat[port].n == 0)
		assert(ipaddr_eq(was, is));
}

static void check_edit(const struct edit_config *c, unsigned port,
		       const struct segment *was, const struct segment *is)
{
	int ttl = c->ttl == EDIT_TTL_KEEP  ? was->ttl
		  : c->ttl == EDIT_TTL_SET ? c->ttl_by
		  : c->ttl == EDIT_TTL_ADD ? was->ttl + c->ttl_by
					   : was->ttl - c->ttl_by;

	check_ip(c, &c->src, port, &was->src, &is->src);
	check_ip(c, &c->dst, port, &was->dst, &is->dst);
	assert(is->proto == was->proto && is->len == was->len);
	assert(is->proto != PROTO_TCP || is->seq == was->seq + c->seq_add);
	assert(is->sport == port_of(was->sport) &&
	       is->dport == port_of(was->dport));
	if (c->ttl != EDIT_TTL_KEEP)
		ttl = ttl < 1 ? 1 : ttl > 255 ? 255 : ttl;
	assert(is->ttl == ttl);
	assert(memcmp(is->data, was->data, was->len) == 0);
}

static void edit(const struct edit_config *c, const uint8_t *in, uint32_t len,
		 uint32_t wire, unsigned port)
{
	struct edit_stats st = { 0 };
	struct decoded was, is;
	enum decode_result before = decode(in, len, wire, &was), after;
	bool right = wire == len && was.seg.cap == was.seg.len &&
		     (before == DECODE_TCP || before == DECODE_UDP);
	uint32_t n = c->fixlen == EDIT_LEN_PAD ? EDIT_FRAME_MAX : len;
	uint8_t *p = malloc(n + EDIT_ROOM);
	int rc;

	memcpy(p, in, len);
	n = len;
	rc = edit_frame(c, &st, p, &n, wire, port);
	assert(n <= len + EDIT_ROOM ||
	       (c->fixlen == EDIT_LEN_PAD && n <= EDIT_FRAME_MAX + EDIT_ROOM));
	assert(rc == 1 || st.lost == 1 ||
	       (c->fixlen == EDIT_LEN_DEL && st.dropped == 1));
	assert(c->fuzz_factor != 0 || st.lost + st.damaged == 0);
	if (right && !c->efcs && st.unsummed + st.lost + st.damaged == 0) {
		after = decode(p, n, n, &is);
		assert(after != DECODE_BAD_IP_CSUM &&
		       after != DECODE_BAD_L4_CSUM);
		if (!c->trunc && after != DECODE_TOO_DEEP) {
			assert(after == before);
			check_edit(c, port, &was.seg, &is.seg);
		}
	}
	free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct edit_config c = { .on = true, .vlan_type = 0x8100 };
	uint32_t len;
	uint8_t *p;

	if (size < HEAD || size > 4096)
		return 0;
	len = (uint32_t)(size - HEAD);
	p = malloc(len + 1);
	memcpy(p, data + HEAD, len);
	cut(p, len, 68 + get_be16(data) % 1500u);
	free(p);
	choose(&c, data);
	p = malloc(len + 1);
	memcpy(p, data + HEAD, len);
	edit(&c, p, len, len + data[6], data[7] & 1);
	free(p);
	return 0;
}
