/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tap.c - Options of proxy: what is shown, and where
 */
#include <errno.h>
#include <string.h>

#include "opt/kind.h"
#include "opt/values.h"
#include "setup/setup.h"
#include "text/text.h"

#define GROUP "Copies for understudy shadow"

/* The row says where the list lies. */
static int set_match(void *field, const struct opt_row *r, const char *v,
		     struct errbuf *e)
{
	struct shown *l = field;
	struct shown_net *n = &l->net[l->n];

	if (l->n == SHOWN_NETS)
		return opt_bad(e, r, v, "is one too many");
	n->port = 0;
	if (value_get_endpoint(v, strlen(v), &n->ip, &n->bits, &n->port) != 0)
		return opt_bad(e, r, v, "is no address or network");
	l->n++;
	return 0;
}

static bool put_match(struct text *t, const void *field,
		      const struct opt_row *r, unsigned i)
{
	const struct shown *l = field;

	(void)r;
	if (i >= l->n)
		return false;
	value_put_net(t, &l->net[i].ip, l->net[i].bits, l->net[i].port != 0);
	if (l->net[i].port != 0)
		text_add(t, ":%u", l->net[i].port);
	return true;
}

static const struct opt_kind kind_match = { false, set_match, put_match };

#define AT(member) offsetof(struct setup, member)

const struct opt_row setup_tap_rows[SETUP_TAP_ROWS] = {
	{ "tap", 0, &opt_kind_string, AT(tap), "DEV",
	  "show here what goes between us and servers, as from their clients: "
	  "a mirror port",
	  .group = GROUP },
	{ "tap-match", 0, &kind_match, AT(tap_match), "NET[:PORT]",
	  "only what goes to such servers", .group = GROUP,
	  .flags = OPT_REPEAT },
	{ "tap-share", 0, &opt_kind_share, AT(tap_share), "SHARE",
	  "only so many of the clients, each with all connections (100%)",
	  .group = GROUP, .most = SHARE_ALL },
};
