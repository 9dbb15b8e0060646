/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bytes.c - Segments to frames and back, by our own hand
 *
 * What the engine is shown is written here and not by the program's builders, and
 * what it sends is read here and not by its decoder, so that a fault that both
 * have cannot hide. IPv4 and IPv6 without extensions, TCP with the options of RFC
 * 9293, 7323 and 2018.
 */
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "sim.h"

#define ETH 14

const uint8_t mac_client[ETH_LEN] = { 2, 0, 0, 0, 0, 0x0c };
const uint8_t mac_prod[ETH_LEN] = { 2, 0, 0, 0, 0, 0x0a };
const uint8_t mac_sut[ETH_LEN] = { 2, 0, 0, 0, 0, 0x05 };
const uint8_t mac_own[ETH_LEN] = { 2, 0, 0, 0, 0, 0x01 };

static void raw_address(const struct sim *s, enum side side, unsigned client,
			uint8_t *out)
{
	static const uint8_t net[] = { 1, 2, 9 };

	if (!s->v6) {
		out[0] = 10;
		out[1] = net[side];
		out[2] = 0;
		out[3] = (uint8_t)(1 + client);
		return;
	}
	memset(out, 0, 16);
	out[0] = 0xfd;
	out[7] = net[side];
	out[15] = (uint8_t)(1 + client);
}

struct ipaddr frame_address(const struct sim *s, enum side side,
			    unsigned client)
{
	uint8_t b[16];

	raw_address(s, side, client, b);
	return s->v6 ? ipaddr_from6(b) : ipaddr_from4(b);
}

static uint32_t sum(const uint8_t *p, uint32_t n, uint32_t acc)
{
	uint64_t a = acc;
	uint32_t i = 0;

	for (; i + 1 < n; i += 2)
		a += (uint64_t)p[i] << 8 | p[i + 1];
	if (i < n)
		a += (uint64_t)p[i] << 8;
	while (a >> 16)
		a = (a & 0xffff) + (a >> 16);
	return (uint32_t)a;
}

/* Sum of the pseudo header of the IP header at @ip. */
static uint32_t pseudo(const struct sim *s, const uint8_t *ip, uint32_t len)
{
	uint32_t a = s->v6 ? sum(ip + 8, 32, 0) : sum(ip + 12, 8, 0);

	a += 6 + (len & 0xffff) + (len >> 16);
	return a;
}

static uint8_t *put_options(const struct pkt *p, uint8_t *o)
{
	if (p->has & HAS_MSS) {
		*o++ = 2;
		*o++ = 4;
		put_be16(o, p->mss);
		o += 2;
	}
	if (p->has & HAS_WSCALE) {
		*o++ = 1;
		*o++ = 3;
		*o++ = 3;
		*o++ = p->wscale;
	}
	if (p->has & HAS_SACK_OK) {
		*o++ = 1;
		*o++ = 1;
		*o++ = 4;
		*o++ = 2;
	}
	if (p->has & HAS_TS) {
		*o++ = 1;
		*o++ = 1;
		*o++ = 8;
		*o++ = 10;
		put_be32(o, p->tsval);
		put_be32(o + 4, p->tsecr);
		o += 8;
	}
	if (p->sacks > 0) {
		*o++ = 1;
		*o++ = 1;
		*o++ = 5;
		*o++ = (uint8_t)(2 + 8 * p->sacks);
		for (unsigned i = 0; i < p->sacks; i++, o += 8) {
			put_be32(o, p->sack[i].from);
			put_be32(o + 4, p->sack[i].to);
		}
	}
	return o;
}

static uint8_t *put_ip(const struct sim *s, const struct pkt *p, uint8_t *ip,
		       uint32_t l4)
{
	enum side server = p->leg != NULL ? SIDE_SUT : SIDE_PROD;
	uint8_t *src;

	if (s->v6) {
		memset(ip, 0, 40);
		ip[0] = 0x60;
		put_be16(ip + 4, (uint16_t)l4);
		ip[6] = 6;
		ip[7] = 64;
		src = ip + 8;
		raw_address(s, p->up ? SIDE_CLIENT : server,
			    p->up ? p->client : 0, src);
		raw_address(s, p->up ? server : SIDE_CLIENT,
			    p->up ? 0 : p->client, src + 16);
		return ip + 40;
	}
	memset(ip, 0, 20);
	ip[0] = 0x45;
	put_be16(ip + 2, (uint16_t)(20 + l4));
	ip[6] = 0x40;
	ip[8] = 64;
	ip[9] = 6;
	src = ip + 12;
	raw_address(s, p->up ? SIDE_CLIENT : server, p->up ? p->client : 0,
		    src);
	raw_address(s, p->up ? server : SIDE_CLIENT, p->up ? 0 : p->client,
		    src + 4);
	put_be16(ip + 10, (uint16_t)~sum(ip, 20, 0));
	return ip + 20;
}

uint32_t frame_put(const struct sim *s, const struct pkt *p, uint8_t *out)
{
	uint8_t opts[60];
	uint32_t optlen = (uint32_t)(put_options(p, opts) - opts);
	uint32_t l4;
	uint8_t *t;

	while (optlen % 4 != 0)
		opts[optlen++] = 0;
	l4 = 20 + optlen + p->len;
	memcpy(out,
	       p->leg != NULL ? mac_own
	       : p->up	      ? mac_prod
			      : mac_client,
	       ETH_LEN);
	memcpy(out + 6,
	       p->leg != NULL ? mac_sut
	       : p->up	      ? mac_client
			      : mac_prod,
	       ETH_LEN);
	put_be16(out + 12, s->v6 ? 0x86dd : 0x0800);
	t = put_ip(s, p, out + ETH, l4);
	memset(t, 0, 20);
	put_be16(t, p->up ? p->cport : SERVER_PORT);
	put_be16(t + 2, p->up ? SERVER_PORT : p->cport);
	put_be32(t + 4, p->seq);
	put_be32(t + 8, p->ack);
	t[12] = (uint8_t)((20 + optlen) / 4 << 4);
	t[13] = p->flags;
	put_be16(t + 14, p->win);
	memcpy(t + 20, opts, optlen);
	memcpy(t + 20 + optlen, p->data, p->len);
	put_be16(t + 16, (uint16_t)~sum(t, l4, pseudo(s, out + ETH, l4)));
	if (p->bad) /* one bit, which the sum does not say */
		t[4 + p->seq % (l4 - 4)] ^= (uint8_t)(1u << p->seq % 8);
	return (uint32_t)(t - out) + l4;
}

static const char *get_options(struct pkt *p, const uint8_t *o, uint32_t n)
{
	while (n > 0 && o[0] != 0) {
		uint32_t len = 1;

		if (o[0] != 1) {
			if (n < 2 || o[1] < 2 || o[1] > n)
				return "option length";
			len = o[1];
		}
		if (o[0] == 2 && len == 4) {
			p->has |= HAS_MSS;
			p->mss = get_be16(o + 2);
		} else if (o[0] == 3 && len == 3) {
			p->has |= HAS_WSCALE;
			p->wscale = o[2];
		} else if (o[0] == 4 && len == 2) {
			p->has |= HAS_SACK_OK;
		} else if (o[0] == 8 && len == 10) {
			p->has |= HAS_TS;
			p->tsval = get_be32(o + 2);
			p->tsecr = get_be32(o + 6);
		} else if (o[0] == 5 && (len - 2) % 8 == 0 && len <= 34) {
			p->sacks = (uint8_t)((len - 2) / 8);
			for (unsigned i = 0; i < p->sacks; i++)
				p->sack[i] =
					(struct iv){ get_be32(o + 2 + 8 * i),
						     get_be32(o + 6 + 8 * i) };
		} else if (o[0] != 1) {
			return "an option that nobody offered";
		}
		o += len;
		n -= len;
	}
	return NULL;
}

/* Index of the client whose raw address this is, or CLIENTS. */
static unsigned client_of(const struct sim *s, const uint8_t *a)
{
	uint8_t b[16];

	for (unsigned i = 0; i < CLIENTS; i++) {
		raw_address(s, SIDE_CLIENT, i, b);
		if (memcmp(a, b, s->v6 ? 16 : 4) == 0)
			return i;
	}
	return CLIENTS;
}

static const char *check_ip(const struct sim *s, const uint8_t *b, uint32_t len,
			    uint32_t *l4)
{
	const uint8_t *ip = b + ETH;

	if (len < (s->v6 ? 74u : 54u))
		return "short";
	if (memcmp(b, mac_sut, ETH_LEN) != 0)
		return "I1: not to the SUT's hardware address";
	if (memcmp(b + 6, mac_own, ETH_LEN) != 0)
		return "I1: not from our own hardware address";
	if (get_be16(b + 12) != (s->v6 ? 0x86dd : 0x0800) ||
	    ip[0] != (s->v6 ? 0x60 : 0x45))
		return "I31: type or version";
	if (ip[s->v6 ? 6 : 9] != 6)
		return "I31: protocol";
	*l4 = len - ETH - (s->v6 ? 40 : 20);
	if (s->v6 ? get_be16(ip + 4) != *l4 : get_be16(ip + 2) != *l4 + 20)
		return "I31: IP length";
	if (!s->v6 && sum(ip, 20, 0) != 0xffff)
		return "I31: IP checksum";
	return NULL;
}

struct pkt *frame_get(const struct sim *s, const uint8_t *b, uint32_t len,
		      const char **why)
{
	const uint8_t *ip = b + ETH;
	const uint8_t *t = ip + (s->v6 ? 40 : 20);
	uint8_t sut[16];
	uint32_t l4 = 0;
	uint32_t head;
	struct pkt *p;

	*why = check_ip(s, b, len, &l4);
	if (*why != NULL)
		return NULL;
	head = (uint32_t)(t[12] >> 4) * 4;
	*why = "I31: TCP checksum";
	if (sum(t, l4, pseudo(s, ip, l4)) != 0xffff)
		return NULL;
	*why = "I31: TCP header length";
	if (head < 20 || head > l4)
		return NULL;
	*why = "I1: not to the SUT's address";
	raw_address(s, SIDE_SUT, 0, sut);
	if (memcmp(ip + (s->v6 ? 24 : 16), sut, s->v6 ? 16 : 4) != 0 ||
	    get_be16(t + 2) != SERVER_PORT)
		return NULL;
	p = pkt_new(l4 - head);
	p->up = true;
	p->client = client_of(s, ip + (s->v6 ? 8 : 12));
	p->cport = get_be16(t);
	p->seq = get_be32(t + 4);
	p->ack = get_be32(t + 8);
	p->flags = t[13];
	p->win = get_be16(t + 14);
	memcpy(p->data, t + head, p->len);
	*why = get_options(p, t + 20, head - 20);
	if (*why == NULL)
		return p;
	pkt_drop(p);
	return NULL;
}
