/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tunnel - The headers of VXLAN, GENEVE, GRE and ERSPAN, and labels
 *
 * Each function is given what an outer header carries and tells where the inner
 * frame begins. What is malformed, of another version, or carries no frame is
 * no tunnel: it stays the datagram that it is.
 */
#ifndef DECAP_TUNNEL_H
#define DECAP_TUNNEL_H

#include <stdbool.h>
#include <stdint.h>

/* What a mirror may wrap its frames in. */
#define DECAP_KIND_LIST(X)                                                     \
	X(DECAP_VXLAN, "vxlan")	  /* RFC 7348 */                               \
	X(DECAP_GENEVE, "geneve") /* RFC 8926 */                               \
	X(DECAP_GRE, "gre")	  /* RFC 2784, 2890 */                         \
	X(DECAP_ERSPAN,                                                        \
	  "erspan") /* draft-foschiano-erspan-03, types I to III */

enum decap_kind {
#define X(id, name) id,
	DECAP_KIND_LIST(X)
#undef X
		DECAP_KINDS
};

/* UDP ports: what IANA gave, and what Linux took for VXLAN before. */
#define VXLAN_PORT     4789
#define VXLAN_PORT_OLD 8472
#define GENEVE_PORT    6081
#define PROTO_GRE      47

/**
 * struct tunnel - A tunnel's header
 * @kind:	DECAP_ number
 * @keyed:	It has a key
 * @key:	VXLAN and GENEVE: the network's identifier; GRE: its key;
 *		ERSPAN: the session
 * @skip:	Bytes from its first to the inner frame's first, at most those
 *		captured
 * @link:	LINK_ number of the inner frame
 * @zero:	Its checksum covers all that was captured, and is right: the sum
 *		of that is 0 (modulo 2^16 - 1)
 */
struct tunnel {
	enum decap_kind kind;
	bool keyed;
	uint32_t key;
	uint32_t skip;
	uint16_t link;
	bool zero;
};

/**
 * tunnel_vxlan(), tunnel_geneve() - The payload of a datagram
 * @p, @cap:	Captured bytes of it
 *
 * Return: false if it is none of these, or none that carries a frame
 */
bool tunnel_vxlan(const uint8_t *p, uint32_t cap, struct tunnel *t);
bool tunnel_geneve(const uint8_t *p, uint32_t cap, struct tunnel *t);

/**
 * tunnel_gre() - The payload of IP protocol 47: GRE, or ERSPAN in it
 * @sum:	Test its checksum (RFC 2784 section 2.3), if it has one: all of
 *		it was captured
 */
bool tunnel_gre(const uint8_t *p, uint32_t cap, bool sum, struct tunnel *t);

/**
 * tunnel_labels() - What follows an EtherType of MPLS (RFC 3032) or of a PPPoE
 * session (RFC 2516)
 * @type:	It
 * @t:		@skip and @link are set
 *
 * Return: false if no IP follows
 */
bool tunnel_labels(uint16_t type, const uint8_t *p, uint32_t cap,
		   struct tunnel *t);

#endif /* DECAP_TUNNEL_H */
