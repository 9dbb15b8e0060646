/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.c - What the page is told
 */
#include <errno.h>
#include <string.h>

#include "opt/values.h"
#include "page/page.h"
#include "page/page_internal.h"

static const struct opt_row rows[] = {
	{ "listen", 0, &opt_kind_string, offsetof(struct page_options, listen),
	  "ADDR:PORT",
	  "where the page is, on this host only (default 127.0.0.1, any free "
	  "port)",
	  .group = "Options" },
	{ "help", 'h', &opt_kind_help, 0, NULL, "this text",
	  .group = "Options" },
};

static const struct opt_table tables[] = {
	{ rows, sizeof(rows) / sizeof(rows[0]), 0 },
};

static int operand(void *base, const char *word, struct errbuf *e)
{
	struct page_options *o = base;

	if (o->dir)
		return errbuf_set(e, -EINVAL, "%s: there is a folder already",
				  word);
	o->dir = word;
	return 0;
}

const struct opt_command page_command = {
	.name = "page",
	.usage = "page DIR [--listen ADDR:PORT]",
	.about = "Shows in a browser what a run found, of the folder that it "
		 "made with --out.",
	.tables = tables,
	.count = sizeof(tables) / sizeof(tables[0]),
	.operand = operand,
};

int page_where(const char *listen, struct ipaddr *ip, uint16_t *port,
	       struct errbuf *e)
{
	struct ipaddr six = { { 0 } };
	const char *colon = strrchr(listen, ':');
	uint64_t number;
	uint8_t bits;
	int r;

	six.b[15] = 1;
	if (!colon || value_get_number(colon + 1, &number) != 0 ||
	    number > UINT16_MAX)
		return errbuf_set(e, -EINVAL,
				  "--listen %s: write ADDR:PORT, as "
				  "127.0.0.1:8000",
				  listen);
	/* A port of 0 is none to the reader of endpoints. */
	r = listen[0] == '[' && colon > listen + 2 && colon[-1] == ']'
		    ? value_get_ip(listen + 1, (size_t)(colon - listen) - 2, ip)
		    : value_get_net(listen, (size_t)(colon - listen), ip,
				    &bits);
	if (r != 0 ||
	    !(ipaddr_is4(ip) ? ip->b[12] == 127 : ipaddr_eq(ip, &six)))
		return errbuf_set(e, -EINVAL,
				  "--listen %s: only this host's loopback is "
				  "listened at, as 127.0.0.1:%u; to reach it "
				  "from elsewhere use ssh -L",
				  listen, (unsigned)number);
	*port = (uint16_t)number;
	return 0;
}

int page_check(const char *listen, struct errbuf *e)
{
	struct ipaddr ip;
	uint16_t port;

	return page_where(listen, &ip, &port, e);
}

int page_parse(struct page_options *o, int argc, char **argv, struct errbuf *e)
{
	int r;

	*o = (struct page_options){ .dir = NULL };
	r = opt_parse(&page_command, o, argc, argv, NULL, e);
	if (r != 0)
		return r;
	if (!o->dir)
		return errbuf_set(e, -EINVAL,
				  "which run? A folder of --out is missing; "
				  "write 'understudy %s'",
				  page_command.usage);
	return page_check(o->listen ? o->listen : PAGE_LISTEN, e);
}
