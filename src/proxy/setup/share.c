/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * share.c - What one of several workers has
 */
#include <errno.h>

#include "setup/setup.h"
#include "text/text.h"

/* Part @i of @n of @all. */
static uint32_t part(uint32_t all, uint32_t i, uint32_t n)
{
	return all / n + (i < all % n);
}

int setup_share(struct setup *o, uint32_t i, uint32_t n, struct errbuf *e)
{
	uint32_t ports = o->port_high - o->port_low + 1;
	struct text t;

	for (uint32_t k = 0; k < i; k++)
		o->port_low += part(ports, k, n);
	o->port_high = o->port_low + part(ports, i, n) - 1;
	o->connections = part(o->connections, i, n);
	o->copies = part(o->copies, i, n);
	if (!o->pin)
		return 0;
	text_begin(&t, o->pin_own, sizeof(o->pin_own));
	text_add(&t, "%s/%u", o->pin, i);
	if (t.full)
		return errbuf_set(e, -ENAMETOOLONG, "--pin %s: too long",
				  o->pin);
	o->pin = o->pin_own;
	return 0;
}
