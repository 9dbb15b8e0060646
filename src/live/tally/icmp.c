/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmp.c - ICMP of the mirror, by kind (RFC 792, RFC 1191, RFC 4443)
 */
#include "tally/tally.h"

#define CODE_TOO_BIG 4 /* of "unreachable" */

static uint64_t *of_icmp(struct mirror_icmp *c, uint8_t type, uint8_t code)
{
	switch (type) {
	case 8:
		return &c->echo;
	case 0:
		return &c->echo_reply;
	case 3:
		return code == CODE_TOO_BIG ? &c->too_big : &c->unreachable;
	case 11:
		return &c->exceeded;
	case 5:
		return &c->redirect;
	default:
		return &c->other;
	}
}

static uint64_t *of_icmp6(struct mirror_icmp *c, uint8_t type)
{
	switch (type) {
	case 128:
		return &c->echo;
	case 129:
		return &c->echo_reply;
	case 1:
		return &c->unreachable;
	case 2:
		return &c->too_big;
	case 3:
		return &c->exceeded;
	default:
		return &c->other;
	}
}

void tally_icmp(struct engine_stats *st, const struct decoded *d)
{
	if (d->l4_len < 2)
		return;
	if (d->seg.proto == PROTO_ICMP)
		*of_icmp(&st->icmp, d->l4[0], d->l4[1]) += 1;
	else
		*of_icmp6(&st->icmp, d->l4[0]) += 1;
}
