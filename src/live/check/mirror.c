/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mirror.c - The hops of what the mirror brings
 *
 * Theory of operation
 *
 * Frames are listened to until both directions have been seen, and some payload
 * if it is TCP, for some seconds at most. What they were is counted, and the
 * hops ask for the counts in the order in which a frame would be lost: no
 * frame, none that the expression takes, wrong checksums, none of --map, one
 * direction, TLS.
 */
#include <inttypes.h>

#include "check/doctor.h"
#include "engine/engine.h"
#include "os/clock.h"
#include "text/text.h"
#include "wire/decode.h"

#define TUNNEL_TEXT 32
#define LISTEN_FOR  (3 * NS_PER_SEC)
#define POLL_MS	    50
#define PLAIN_MAX   1522 /* longest frame that no offload has joined */
#define FEW	    10	 /* less than one in so many is not told */
#define PAYLOADS    8	 /* so many tell whether it is TLS */

/* RFC 8446 section 5.1: a record's type, and its version, 3.0 to 3.4 */
enum {
	TLS_HEAD = 5,
	TLS_FIRST = 20,
	TLS_LAST = 23,
	TLS_MAJOR = 3,
	TLS_MINOR_MOST = 4,
};

/* Does it begin with a record of TLS (RFC 8446 section 5.1)? */
static bool is_tls(const struct segment *s)
{
	return s->cap >= TLS_HEAD && s->data[0] >= TLS_FIRST &&
	       s->data[0] <= TLS_LAST && s->data[1] == TLS_MAJOR &&
	       s->data[2] <= TLS_MINOR_MOST;
}

/* A multicast says nothing of whom --map should name. */
static bool is_group(const struct ipaddr *ip)
{
	return ipaddr_is4(ip) ? ip->b[12] >= 224 : ip->b[0] == 0xff;
}

static void look_at_segment(struct doctor *d, const struct segment *s)
{
	bool to = false;
	bool from = false;

	for (uint32_t i = 0; i < d->o->engine.maps; i++) {
		const struct engine_map *m = &d->o->engine.map[i];
		bool dst = engine_is_prod(m, &s->dst, s->dport);
		bool src = engine_is_prod(m, &s->src, s->sport);

		to |= dst;
		from |= src;
		if ((dst || src) && s->proto == PROTO_TCP) {
			d->tcp[i] = true;
			d->payloads[i] += s->len > 0;
			d->tls[i] += is_tls(s);
		}
		if (!dst && !src &&
		    (ipaddr_eq(&m->sut, &s->src) ||
		     ipaddr_eq(&m->sut, &s->dst)) &&
		    !ipaddr_in(&m->sut, &m->prod, m->bits))
			d->sut_in_mirror = true;
	}
	networks_seen(d, s, to, from);
	d->to_prod += to;
	d->to_client += from && !to;
	d->mapped += to || from;
	if (!to && !from && !d->has_other && !is_group(&s->dst)) {
		d->other = s->dst;
		d->other_port = s->dport;
		d->has_other = true;
	}
}

/* Is there something in the frame that would be found if it were looked for? */
static void look_for_tunnel(struct doctor *d, const struct frame_info *in)
{
	static const struct decap all = { .kinds = DECAP_ALL,
					  .most = DECAP_DEEP };
	struct decap_found found;
	struct decoded dec;

	decap_frame(in, &all, NULL, 0, &dec, NULL, &found);
	decap_count(&d->hidden, &found);
}

static void look_at_frame(struct doctor *d, const struct frame_info *in)
{
	struct decap_found found;
	struct decoded dec;
	enum decode_result r;

	d->frames++;
	if (in->wire > d->longest)
		d->longest = in->wire;
	if (!filter_match(&d->filter, in->data, in->cap, in->wire))
		return;
	d->matched++;
	r = decap_frame(in, &d->o->engine.decap, NULL, 0, &dec, NULL, &found);
	decap_count(&d->tunnels, &found);
	if (found.tunnels == 0)
		look_for_tunnel(d, in);
	d->wrong_sums += r == DECODE_BAD_L4_CSUM || r == DECODE_BAD_IP_CSUM;
	if (r != DECODE_TCP && r != DECODE_UDP)
		return;
	look_at_segment(d, &dec.seg);
}

static void look_at_all(struct doctor *d)
{
	struct ring_frame f;

	ring_wait(&d->mirror, POLL_MS);
	while (ring_next(&d->mirror, &f)) {
		look_at_frame(d, &f.info);
		ring_done(&d->mirror);
	}
}

void doctor_listen(struct doctor *d, uint64_t wait)
{
	uint64_t end = clock_mono() + wait;

	while (clock_mono() < end)
		look_at_all(d);
}

/* Is enough seen to tell what the hops ask? */
static bool is_heard(const struct doctor *d)
{
	uint64_t payloads = 0;
	bool tcp = false;

	for (uint32_t i = 0; i < d->o->engine.maps; i++) {
		tcp |= d->tcp[i];
		payloads += d->payloads[i];
	}
	return d->to_prod > 0 && d->to_client > 0 &&
	       (!tcp || payloads >= PAYLOADS);
}

int hop_mirror_traffic(void *ctx)
{
	struct doctor *d = ctx;
	uint64_t end = clock_mono() + LISTEN_FOR;

	while (clock_mono() < end && !is_heard(d))
		look_at_all(d);
	if (d->frames == 0) {
		hop_fail("mirror: no frame came in for %d s",
			 (int)(LISTEN_FOR / NS_PER_SEC));
		return hop_remedy("ask production something; if nothing comes, "
				  "make the switch mirror production's port to "
				  "this one; watch it with: tcpdump -ni %s",
				  d->o->iface);
	}
	hop_ok("mirror: %" PRIu64 " frames seen, up to %u bytes%s", d->frames,
	       d->longest,
	       d->longest > PLAIN_MAX
		       ? " (joined by GRO or TSO; taken as they are)"
		       : "");
	if (d->matched == 0 && d->o->engine.decap.kinds != 0) {
		hop_fail("mirror: the filter expression '%s' matches none of "
			 "them, and it is about the frames around those of "
			 "--decap",
			 d->o->expr);
		return hop_remedy("drop it; --map says what is played");
	}
	if (d->matched == 0) {
		hop_fail("mirror: the filter expression '%s' matches none "
			 "of them",
			 d->o->expr);
		return hop_remedy(
			"tcpdump -ni %s '%s'  # and correct it; tags of "
			"VLANs are off before it looks, so no 'vlan'",
			d->o->iface, d->o->expr);
	}
	return 0;
}

int hop_checksums(void *ctx)
{
	struct doctor *d = ctx;

	if (d->wrong_sums * FEW < d->matched)
		return 0;
	hop_fail("mirror: %" PRIu64 " of %" PRIu64 " frames have a wrong "
		 "checksum",
		 d->wrong_sums, d->matched);
	return hop_remedy("ethtool -K DEV tx off  # on the host or switch that "
			  "copies them before its card has filled them in");
}

/* A tunnel as --decap takes it. */
static const char *tunnel_text(char *out, const struct decap_seen *s)
{
	struct text t;

	text_begin(&t, out, TUNNEL_TEXT);
	text_add(&t, "%s", decap_name(s->kind));
	if (s->keyed)
		text_add(&t, ":%u", s->key);
	return out;
}

int hop_mapped(void *ctx)
{
	struct doctor *d = ctx;
	char other[TEXT_ENDPOINT], option[TUNNEL_TEXT];

	if (d->mapped > 0 && d->tunnels.n > 0)
		return hop_ok("mirror: %" PRIu64 " frames named by --map; the "
			      "first came in %s",
			      d->mapped,
			      tunnel_text(option, &d->tunnels.seen[0]));
	if (d->mapped > 0)
		return hop_ok("mirror: %" PRIu64 " frames named by --map",
			      d->mapped);
	hop_fail("mirror: none of the frames is from or to what --map "
		 "names");
	if (d->hidden.n > 0)
		return hop_remedy("--decap %s  # the mirror's frames are "
				  "inside of that",
				  tunnel_text(option, &d->hidden.seen[0]));
	if (d->has_other)
		return hop_remedy(
			"correct --map; seen is for example %s",
			text_endpoint(other, &d->other, d->other_port));
	return hop_remedy(
		"ask production something: no TCP and no UDP was seen; "
		"else tcpdump -ni %s  # and correct --map",
		d->o->iface);
}

int hop_directions(void *ctx)
{
	struct doctor *d = ctx;
	bool no_answer = d->to_client == 0;

	if (d->to_prod > 0 && !no_answer)
		return hop_ok("mirror: both directions are seen");
	hop_fail("mirror: only what %s is seen",
		 no_answer ? "clients send" : "production sends");
	return hop_remedy("make the switch mirror both directions of "
			  "production's port (receive and transmit)");
}

int hop_tls(void *ctx)
{
	struct doctor *d = ctx;
	char prod[TEXT_ENDPOINT];

	for (uint32_t i = 0; i < d->o->engine.maps; i++) {
		const struct engine_map *m = &d->o->engine.map[i];

		if (d->tls[i] == 0 || d->tls[i] * FEW < d->payloads[i])
			continue;
		hop_fail("mirror: what clients speak to %s is TLS, which "
			 "cannot be played",
			 text_endpoint(prod, &m->prod, m->prod_port));
		return hop_remedy("mirror the wire behind what ends TLS (load "
				  "balancer, proxy), and name its server with "
				  "--map");
	}
	return 0;
}

int hop_sut_apart(void *ctx)
{
	struct doctor *d = ctx;
	if (!d->sut_in_mirror)
		return hop_ok("mirror: the SUT is not on it");
	hop_fail("mirror: a SUT's address shows up on it");
	return hop_remedy("take the SUT off production's network: its only "
			  "wire must be %s",
			  d->o->sut_dev);
}
