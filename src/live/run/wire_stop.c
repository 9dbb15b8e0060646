/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire_stop.c - Why the SUT's wire is not ours alone, for a person
 */
#include "run/wire_stop.h"

#include "opt/values.h"
#include "text/text.h"

static bool has_address(const struct sutwire_stop *s)
{
	for (size_t i = ipaddr_is4(&s->ip) ? 12 : 0; i < 16; i++)
		if (s->ip.b[i] != 0)
			return true;
	return false;
}

static void put_place(struct text *t, const struct sutwire_stop *s)
{
	char ip[TEXT_IP];

	if (has_address(s))
		text_add(t, "%s at ", text_ip(ip, &s->ip));
	value_put_mac(t, s->mac);
}

char *wire_stop_said(char out[WIRE_STOP_TEXT], const struct sutwire_stop *s)
{
	char ip[TEXT_IP];
	struct text t;

	text_begin(&t, out, WIRE_STOP_TEXT);
	switch (s->reason) {
	case SUTWIRE_STRANGER:
		text_add(&t, "%s from ", wire_rules_text(s->kind));
		put_place(&t, s);
		break;
	case SUTWIRE_ALSO_SPOKE:
		text_add(&t, "%s, no address that --wire-also gives it, from ",
			 wire_rules_text(s->kind));
		put_place(&t, s);
		break;
	case SUTWIRE_ROUTES:
	case SUTWIRE_ALSO_ROUTES:
		text_add(&t, "the SUT's route to %s leads to ",
			 text_ip(ip, &s->ip));
		value_put_mac(&t, s->mac);
		text_add(&t, s->reason == SUTWIRE_ROUTES
				     ? ", which is neither we nor a SUT"
				     : ", a host of --wire-also");
		break;
	case SUTWIRE_ALSO_CLIENT:
		text_add(&t, "the client %s is in the network of ",
			 text_ip(ip, &s->ip));
		value_put_mac(&t, s->mac);
		text_add(&t, ", a host of --wire-also");
		break;
	default:
		text_add(&t, "%s: ", sutwire_stop_text(s->reason));
		put_place(&t, s);
		break;
	}
	return out;
}

/* Could this have been a bridge or switch that has an address? */
static bool may_be_named(const struct sutwire_stop *s)
{
	if (s->reason != SUTWIRE_STRANGER && s->reason != SUTWIRE_ALSO_SPOKE)
		return false;
	return has_address(s) && !wire_rules_routes(s->kind) &&
	       s->kind != WIRE_CLAIM && s->kind != WIRE_DAD;
}

char *wire_stop_remedy(char out[WIRE_STOP_TEXT], const struct sutwire_stop *s,
		       const char *dev)
{
	char ip[TEXT_IP];
	struct text t;

	text_begin(&t, out, WIRE_STOP_TEXT);
	if (s->reason == SUTWIRE_ALSO_CLIENT) {
		text_add(&t,
			 "it may be that client: take it off the wire of %s, "
			 "or give it an address of another network",
			 dev);
		return out;
	}
	text_add(&t,
		 "take that host off the wire of %s, which must join the SUT "
		 "and us alone",
		 dev);
	if (may_be_named(s)) {
		text_add(&t, "; if it is the bridge itself: --wire-also ");
		value_put_mac(&t, s->mac);
		text_add(&t, ",%s", text_ip(ip, &s->ip));
	}
	return out;
}
