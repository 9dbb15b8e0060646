/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options_client.c - Kinds of values that are about clients
 */
#include <errno.h>
#include <string.h>

#include "config/options_internal.h"
#include "opt/values.h"
#include "text/text.h"

static int set_client_net(void *field, const struct opt_row *r, const char *v,
			  struct errbuf *e)
{
	struct options *o = field;
	bool all = strncmp(v, "all,", 4) == 0;
	const char *net = all ? v + 4 : v;
	struct engine_net n;

	if (value_get_net(net, strlen(net), &n.net, &n.bits))
		return opt_bad(e, r, v,
			       "has a bad network (bits behind /len must be "
			       "0)");
	if (o->client_nets == 2 ||
	    (o->client_nets == 1 &&
	     ipaddr_is4(&o->client_net[0].net) == ipaddr_is4(&n.net)))
		return opt_bad(e, r, v, "is a second one of its family");
	o->client_net[o->client_nets++] = n;
	o->client_all |= all;
	return 0;
}

static bool put_client_net(struct text *t, const void *field,
			   const struct opt_row *r, unsigned i)
{
	const struct options *o = field;

	(void)r;
	if (i >= o->client_nets)
		return false;
	text_add(t, "%s", o->client_all ? "all," : "");
	value_put_net(t, &o->client_net[i].net, o->client_net[i].bits, false);
	return true;
}

const struct opt_kind kind_client_net = { false, set_client_net,
					  put_client_net };

static int set_trace(void *field, const struct opt_row *r, const char *v,
		     struct errbuf *e)
{
	struct options *o = field;
	struct option_client c;
	uint8_t bits;

	if (value_get_endpoint(v, strlen(v), &c.ip, &bits, &c.port) ||
	    bits != IPADDR_BITS || c.port == 0)
		return opt_bad(e, r, v,
			       "is no ADDR:PORT of a client (IPv6: "
			       "[ADDR]:PORT)");
	o->trace = c;
	return 0;
}

static bool put_trace(struct text *t, const void *field,
		      const struct opt_row *r, unsigned i)
{
	const struct option_client *c = &((const struct options *)field)->trace;
	char end[TEXT_ENDPOINT];

	(void)r;
	if (i > 0 || c->port == 0)
		return false;
	text_add(t, "%s", text_endpoint(end, &c->ip, c->port));
	return true;
}

const struct opt_kind kind_trace = { false, set_trace, put_trace };
