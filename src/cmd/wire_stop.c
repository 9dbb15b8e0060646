/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire_stop.c - Why the SUT's wire is not ours alone, for a person
 */
#include "cmd/wire_stop.h"

#include "cmd/values.h"
#include "report/text.h"

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
	case SUTWIRE_ROUTES:
		text_add(&t, "the SUT sends to ");
		value_put_mac(&t, s->mac);
		text_add(&t, ", which is neither we nor a SUT, what is for %s",
			 text_ip(ip, &s->ip));
		break;
	default:
		text_add(&t, "%s: ", sutwire_stop_text(s->reason));
		put_place(&t, s);
		break;
	}
	return out;
}

char *wire_stop_mend(char out[WIRE_STOP_TEXT], const struct sutwire_stop *s,
		     const char *dev)
{
	struct text t;

	(void)s;
	text_begin(&t, out, WIRE_STOP_TEXT);
	text_add(&t,
		 "take that host off the wire of %s, which must join the "
		 "SUT and us alone",
		 dev);
	return out;
}
