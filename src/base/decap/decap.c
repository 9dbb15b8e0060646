/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decap.c - From a mirror's frame to a segment, whatever tunnel it came in
 *
 * Theory of operation
 *
 * A frame is decoded as it is (wire/decode.h). If that gives a datagram of a
 * tunnel's port, IP protocol 47 or labels, the header behind it is read
 * (tunnel.c), and what it carries is a frame of its own, decoded the same way;
 * so DECAP_STEPS times at most. What is no tunnel by its own header, or has
 * another key than the one that was asked for, stays what it is.
 *
 * Who copies a frame may cut it, and then gives the tunnel's header the length
 * of what is left. Nobody knows the length that the inner frame had on its wire
 * but its own IP header: that is believed (frame_info.cut), and the bytes that
 * are missing count as not captured. So a copy that was cut is a gap, and never
 * shorter data.
 *
 * A GRE packet whose checksum is right has the sum 0, so that of any end of it
 * follows from what is in front: the inner frame's own checksum needs no second
 * walk over its payload.
 *
 * A frame whose outer fragments were put together lies in the buffer of the
 * reassembly, which holds one datagram: fragments inside of it are dropped.
 */
#include "decap/decap.h"

#include <assert.h>
#include <string.h>

#include "wire/numbers.h"
#include "wire/segment.h"

/**
 * struct carried - What an outer header carries
 * @p, @cap, @wire: Its bytes, those captured, those on the wire
 */
struct carried {
	const uint8_t *p;
	uint32_t cap;
	uint32_t wire;
};

const char *decap_name(enum decap_kind kind)
{
	static const char *const name[DECAP_KINDS] = {
#define X(id, str) [id] = (str),
		DECAP_KIND_LIST(X)
#undef X
	};

	assert(kind < DECAP_KINDS);
	return name[kind];
}

static bool wants(const struct decap *how, enum decap_kind kind)
{
	return (how->kinds >> kind & 1) != 0;
}

/* The tunnel in a datagram, by its port. */
static bool in_udp(const struct decap *how, uint16_t port,
		   const struct carried *c, struct tunnel *t)
{
	bool vxlan = how->port != 0
			     ? port == how->port
			     : port == VXLAN_PORT || port == VXLAN_PORT_OLD;
	bool geneve = port == (how->port != 0 ? how->port : GENEVE_PORT);

	if (vxlan && wants(how, DECAP_VXLAN) && tunnel_vxlan(c->p, c->cap, t))
		return true;
	return geneve && wants(how, DECAP_GENEVE) &&
	       tunnel_geneve(c->p, c->cap, t);
}

/* The tunnel that a decoded frame carries, if it is one that is looked into. */
static bool tunnel_of(const struct decap *how, enum decode_result r,
		      const struct frame_info *in, const struct decoded *d,
		      struct carried *c, struct tunnel *t)
{
	bool sum;

	if (r == DECODE_UDP || (r == DECODE_BAD_L4_CSUM && d->no_sum)) {
		*c = (struct carried){ d->seg.data, d->seg.cap, d->seg.len };
		return in_udp(how, d->seg.dport, c, t);
	}
	if (r != DECODE_IP_OTHER || d->seg.proto != PROTO_GRE)
		return false;
	*c = (struct carried){ d->l4, d->l4_len, d->l4_wire };
	sum = c->cap == c->wire && !in->csum_ok && !in->trusted;
	return tunnel_gre(c->p, c->cap, sum, t) && wants(how, t->kind);
}

/* Note the tunnel @t. Return: false if it has another key. */
static bool note(const struct decap *how, const struct tunnel *t,
		 struct decap_found *found)
{
	if (found->tunnels == 0) {
		found->outer = *t;
		found->other_key =
			how->keyed && (!t->keyed || t->key != how->key);
		if (found->other_key)
			return false;
	}
	found->tunnels++;
	return true;
}

/* Is there a frame in the frame that @d was? Then @in becomes that. */
static bool step_in(const struct decap *how, enum decode_result r,
		    const struct decoded *d, struct frame_info *in,
		    struct decap_found *found)
{
	struct carried c;
	struct tunnel t;

	if (r == DECODE_NOT_IP) {
		c = (struct carried){ d->l4, d->l4_len, d->l4_wire };
		if (d->type == 0 || !tunnel_labels(d->type, c.p, c.cap, &t))
			return false;
	} else {
		if (found->tunnels == how->most ||
		    !tunnel_of(how, r, in, d, &c, &t) || !note(how, &t, found))
			return false;
		in->cut = true;
	}
	assert(t.skip <= c.cap);
	in->zero = t.zero ? c.p : NULL;
	in->data = c.p + t.skip;
	in->cap = c.cap - t.skip;
	in->wire = c.wire - t.skip;
	in->link = t.link;
	return true;
}

static enum decode_result decode(const struct frame_info *in,
				 struct frag_table *frags, uint64_t now,
				 struct decoded *d, bool *open)
{
	if (!open)
		return frame_decode(in, frags, now, d);
	return frame_decode_open(in, frags, now, d, open);
}

enum decode_result decap_frame(const struct frame_info *in,
			       const struct decap *how,
			       struct frag_table *frags, uint64_t now,
			       struct decoded *d, bool *open,
			       struct decap_found *found)
{
	enum decode_result r = decode(in, frags, now, d, open);
	struct frame_info inner = *in;
	uint32_t l3 = d->l3;
	bool whole = false;

	found->tunnels = 0;
	found->other_key = false;
	for (unsigned n = 0; n < DECAP_STEPS; n++) {
		if (!step_in(how, r, d, &inner, found))
			break;
		whole |= d->reassembled;
		r = decode(&inner, whole ? NULL : frags, now, d, open);
	}
	d->l3 = l3;
	d->reassembled |= whole;
	return r;
}

void decap_count(struct decap_tally *t, const struct decap_found *f)
{
	uint32_t i = 0;

	if (f->tunnels == 0 && !f->other_key)
		return;
	while (i < t->n && (t->seen[i].kind != f->outer.kind ||
			    t->seen[i].keyed != f->outer.keyed ||
			    t->seen[i].key != f->outer.key ||
			    t->seen[i].taken == f->other_key))
		i++;
	if (i == DECAP_SEEN) {
		t->more++;
		return;
	}
	if (i == t->n)
		t->seen[t->n++] = (struct decap_seen){
			.kind = f->outer.kind,
			.keyed = f->outer.keyed,
			.taken = !f->other_key,
			.key = f->outer.key,
		};
	t->seen[i].frames++;
}
