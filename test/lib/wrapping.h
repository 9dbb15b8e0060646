/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wrapping - Frames as mirrors wrap them
 *
 * Written from the documents that define the headers, and by nothing of src/:
 * what the unit tests, the fuzz target and the live mirror wrap is read back by
 * tshark in test/net/test_decap.py.
 */
#ifndef TEST_WRAPPING_H
#define TEST_WRAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WRAP_ROOM 128 /* bytes that are added, at most */

/* Name, UDP port or 0, bytes behind UDP or IP, EtherType in GRE or 0 */
#define WRAP_KINDS(X)                                                          \
	X(VXLAN, "vxlan", 4789, 8, 0)                                          \
	X(VXLAN_OLD, "vxlan-8472", 8472, 8, 0)                                 \
	X(GENEVE, "geneve", 6081, 16, 0)     /* with an option of 8 bytes */   \
	X(GRE, "gre", 0, 4, 0x6558)	     /* Ethernet, no key */            \
	X(GRE_KEY, "gre-key", 0, 16, 0x6558) /* checksum, key, number */       \
	X(GRE_IP, "gre-ip", 0, 8, 0x0800)    /* IP of either version, key */   \
	X(ERSPAN1, "erspan1", 0, 4, 0x88be)                                    \
	X(ERSPAN2, "erspan2", 0, 16, 0x88be)                                   \
	X(ERSPAN3, "erspan3", 0, 28, 0x22eb) /* with a subheader */            \
	X(MPLS, "mpls", 0, 8, 0)	     /* two labels */                  \
	X(PPPOE, "pppoe", 0, 8, 0)

enum wrap_kind {
#define X(id, name, port, head, type) WRAP_##id,
	WRAP_KINDS(X)
#undef X
		WRAP_COUNT
};

struct wrap_row {
	const char *name;
	uint16_t port;
	uint16_t head;
	uint16_t type;
};

static const struct wrap_row wrap_row[WRAP_COUNT] = {
#define X(id, name, port, head, type) { name, port, head, type },
	WRAP_KINDS(X)
#undef X
};

/**
 * struct wrap - How
 * @v6:		The mirror's own network is IPv6
 * @key:	VNI, key, session or label
 * @cut:	Bytes of the inner frame that are left; 0: all
 * @seq:	Counts up where a header has a number
 */
struct wrap {
	enum wrap_kind kind;
	bool v6;
	uint32_t key;
	uint32_t cut;
	uint32_t seq;
};

static inline void wrap_be16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void wrap_be32(uint8_t *p, uint32_t v)
{
	wrap_be16(p, v >> 16);
	wrap_be16(p + 2, v);
}

/* The Internet checksum, with its field 0 (RFC 1071). */
static inline uint16_t wrap_sum(const uint8_t *p, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* The tunnel's own header, @h, in front of @n bytes that lie behind it. */
static inline void wrap_tunnel(struct wrap *w, uint8_t *h, size_t n,
			       uint16_t ip_type)
{
	const struct wrap_row *r = &wrap_row[w->kind];

	memset(h, 0, r->head);
	switch (w->kind) {
	case WRAP_VXLAN:
	case WRAP_VXLAN_OLD:
		h[0] = 0x08;
		wrap_be32(h + 4, w->key << 8);
		return;
	case WRAP_GENEVE:
		h[0] = 2; /* words of options */
		wrap_be16(h + 2, 0x6558);
		wrap_be32(h + 4, w->key << 8);
		wrap_be16(h + 8, 0x0107); /* class of an option, of type 1 */
		h[10] = 1;
		h[11] = 1; /* word */
		return;
	default:
		break;
	}
	wrap_be16(h + 2, w->kind == WRAP_GRE_IP ? ip_type : r->type);
	switch (w->kind) {
	case WRAP_GRE_KEY:
		wrap_be16(h, 0xb000);
		wrap_be32(h + 8, w->key);
		wrap_be32(h + 12, w->seq++);
		wrap_be16(h + 4, wrap_sum(h, r->head + n));
		return;
	case WRAP_GRE_IP:
		wrap_be16(h, 0x2000);
		wrap_be32(h + 4, w->key);
		return;
	case WRAP_ERSPAN2:
		wrap_be16(h, 0x1000);
		wrap_be32(h + 4, w->seq++);
		wrap_be16(h + 8, 0x1000 | 100); /* version 1, VLAN 100 */
		wrap_be16(h + 10, w->key);
		wrap_be32(h + 12, 5); /* index */
		return;
	case WRAP_ERSPAN3:
		wrap_be16(h, 0x1000);
		wrap_be32(h + 4, w->seq++);
		wrap_be16(h + 8, 0x2000 | 100);
		wrap_be16(h + 10, w->key);
		wrap_be32(h + 12, 12345);  /* time */
		wrap_be16(h + 18, 0x0001); /* O: a subheader follows */
		wrap_be32(h + 20, 0x0c000000);
		return;
	default: /* no flag, no field */
		return;
	}
}

/* Outer Ethernet and IP, in front of @n bytes. Return: their length */
static inline size_t wrap_outer(const struct wrap *w, uint8_t *p, size_t n,
				uint8_t proto)
{
	static const uint8_t eth[12] = { 2, 0, 0, 0, 7, 2, 2, 0, 0, 0, 7, 1 };
	uint8_t *ip = p + 14;

	memcpy(p, eth, sizeof(eth));
	wrap_be16(p + 12, w->v6 ? 0x86dd : 0x0800);
	if (w->v6) {
		memset(ip, 0, 40);
		ip[0] = 0x60;
		wrap_be16(ip + 4, (uint32_t)n);
		ip[6] = proto;
		ip[7] = 64;
		wrap_be32(ip + 8, 0xfd000007);
		ip[23] = 1;
		wrap_be32(ip + 24, 0xfd000007);
		ip[39] = 2;
		return 54;
	}
	memset(ip, 0, 20);
	ip[0] = 0x45;
	wrap_be16(ip + 2, (uint32_t)n + 20);
	ip[8] = 64;
	ip[9] = proto;
	wrap_be32(ip + 12, 0x0a070001);
	wrap_be32(ip + 16, 0x0a070002);
	wrap_be16(ip + 10, wrap_sum(ip, 20));
	return 34;
}

/* Labels lie between Ethernet's header and IP's. */
static inline size_t wrap_label(struct wrap *w, uint8_t *out, const uint8_t *f,
				size_t len)
{
	bool six = f[12] == 0x86;

	memcpy(out, f, 12);
	memcpy(out + 22, f + 14, len - 14);
	if (w->kind == WRAP_MPLS) {
		wrap_be16(out + 12, 0x8847);
		wrap_be32(out + 14, w->key << 12 | 64);
		wrap_be32(out + 18, (w->key + 1) << 12 | 0x100 | 64);
	} else {
		wrap_be16(out + 12, 0x8864);
		wrap_be16(out + 14, 0x1100);
		wrap_be16(out + 16, w->key);
		wrap_be16(out + 18, (uint32_t)len - 14 + 2);
		wrap_be16(out + 20, six ? 0x0057 : 0x0021);
	}
	return len + 8;
}

/**
 * wrap_frame() - Wrap a frame
 * @out:	@len + WRAP_ROOM bytes
 * @f, @len:	An Ethernet frame without a tag, of IP where there are labels or
 *		WRAP_GRE_IP
 *
 * Return: bytes written
 */
static inline size_t wrap_frame(struct wrap *w, uint8_t *out, const uint8_t *f,
				size_t len)
{
	const struct wrap_row *r = &wrap_row[w->kind];
	uint16_t type = (uint16_t)(f[12] << 8 | f[13]);
	size_t udp = r->port != 0 ? 8 : 0;
	size_t n;
	uint8_t *h;

	if (w->cut != 0 && w->cut < len)
		len = w->cut;
	if (w->kind == WRAP_MPLS || w->kind == WRAP_PPPOE)
		return wrap_label(w, out, f, len);
	if (w->kind == WRAP_GRE_IP) {
		f += 14;
		len -= 14;
	}
	n = wrap_outer(w, out, udp + r->head + len, udp > 0 ? 17 : 47);
	h = out + n + udp;
	memcpy(h + r->head, f, len);
	wrap_tunnel(w, h, len, type);
	if (udp > 0) {
		wrap_be16(out + n, 49152 + (w->seq++ & 0xfff));
		wrap_be16(out + n + 2, r->port);
		wrap_be16(out + n + 4, (uint32_t)(udp + r->head + len));
		wrap_be16(out + n + 6, 0);
	}
	return n + udp + r->head + len;
}

#endif /* TEST_WRAPPING_H */
