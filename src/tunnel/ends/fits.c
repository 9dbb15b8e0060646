/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fits.c - Packets that the tunnel does not take in one piece
 *
 * Theory of operation
 *
 * The device's MTU is set once, while there is the privilege to; what the paths
 * take may be less, and changes. So the rest is done as a router does it.
 * Connections are told in their SYNs, those that go out and those that come in:
 * the MSS of one says what the other side may send. Who sends a longer packet
 * all the same is told by ICMP, at most ANSWERS a second. What may be cut is
 * not held up: then the datagrams are cut, which the kernel does.
 *
 * An answer goes into our device as if it came from the packet's destination.
 * Our own address it cannot have: no host believes a packet from outside that
 * is from itself.
 */
#include "ends/ends_internal.h"
#include "wire/fit.h"

#define LINK_MTU 1500 /* that paths are taken to have */
#define UDP_OVER 8
#define IP4_OVER 20
#define IP6_OVER 40

#define ANSWERS	  100u	/* a second; more too long packets are only dropped */
#define IP6_LEAST 1280u /* that every way of IPv6 takes, cut or not */

uint32_t fits_mtu(const struct ends_options *o, uint32_t overhead)
{
	uint32_t ip = IP4_OVER;
	uint32_t head =
		o->release == MP_RELEASE_EQUAL ? MP_HEADER_TIMED : MP_HEADER;

	for (unsigned i = 0; i < o->paths; i++)
		ip = ipaddr_is4(&o->path[i].remote) ? ip : IP6_OVER;
	for (unsigned i = 0; i < o->listens; i++)
		ip = ipaddr_is4(&o->listen[i].local) ? ip : IP6_OVER;
	return o->mtu != 0 && !o->tap
		       ? o->mtu
		       : LINK_MTU - ip - UDP_OVER - overhead - head;
}

uint32_t fits_limit(const struct ends *t, const uint8_t *p)
{
	uint32_t limit = mp_size_limit(t->mp);

	if (limit == 0 || limit > t->mtu)
		limit = t->mtu;
	return p[0] >> 4 == 6 && limit < IP6_LEAST ? IP6_LEAST : limit;
}

void fits_shorten(struct ends *t, uint8_t *p, uint32_t n)
{
	t->n.mss += fit_mss(p, n, fits_limit(t, p));
}

static bool may_answer(struct ends *t, uint64_t now)
{
	if (now - t->answers_at >= NS_PER_SEC) {
		t->answers_at = now;
		t->answers = 0;
	}
	return t->answers < ANSWERS;
}

bool fits_out(struct ends *t, uint8_t *p, uint32_t n, uint64_t now)
{
	static const struct vnet one = { .kind = VNET_ONE };
	static uint8_t out[VNET_HEADER + FIT_ANSWER6];
	uint32_t limit = fits_limit(t, p);
	uint32_t len;

	if (n <= limit || fit_may_cut(p, n))
		return true;
	t->n.too_big++;
	len = may_answer(t, now) ? fit_answer(p, n, limit, out + VNET_HEADER)
				 : 0;
	if (len == 0 || !effects_write(t, out + VNET_HEADER, len, &one)) {
		t->n.too_big_untold++;
		return false;
	}
	t->answers++;
	return false;
}
