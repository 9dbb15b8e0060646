/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map.c - Values of --map, read and written
 */
#include "config/map.h"

#include <errno.h>
#include <string.h>

#include "opt/values.h"

int value_get_map(const char *s, struct engine_map *m)
{
	const char *eq = strchr(s, '=');
	struct engine_map map = { .bits = 0 };
	uint8_t host;
	int rc;

	if (!eq)
		return -EINVAL;
	rc = value_get_endpoint(s, (size_t)(eq - s), &map.prod, &map.bits,
				&map.prod_port);
	if (rc == 0)
		rc = value_get_endpoint(eq + 1, strlen(eq + 1), &map.sut, &host,
					&map.sut_port);
	if (rc)
		return rc;
	if (host != IPADDR_BITS)
		return -EINVAL;
	if (ipaddr_is4(&map.prod) != ipaddr_is4(&map.sut))
		return -EAFNOSUPPORT;
	*m = map;
	return 0;
}

void value_put_map(struct text *t, const struct engine_map *m)
{
	value_put_net(t, &m->prod, m->bits, true);
	if (m->prod_port != 0)
		text_add(t, ":%u", m->prod_port);
	text_add(t, "=");
	value_put_ip(t, &m->sut, true);
	if (m->sut_port != 0)
		text_add(t, ":%u", m->sut_port);
}
