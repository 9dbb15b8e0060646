/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * own.c - Is an address one of ours?
 *
 * A listener of "any address" gets what is sent to any of this host's, which
 * come and go. A socket of UDP that is connected sends nothing, but is given
 * the address that it would send from, and to an address of its own host that
 * is this address itself.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front/front_internal.h"

static bool is_any(const struct ipaddr *ip)
{
	static const uint8_t zero[16];

	return memcmp(ip->b + 12, zero, 4) == 0 &&
	       (ipaddr_is4(ip) || memcmp(ip->b, zero, 12) == 0);
}

static bool is_loopback(const struct ipaddr *ip)
{
	static const struct ipaddr six = { { [15] = 1 } };

	return ipaddr_is4(ip) ? ip->b[12] == 127 : ipaddr_eq(ip, &six);
}

static bool is_of_host(const struct ipaddr *ip)
{
	struct sockaddr_storage a;
	socklen_t n = address_put(&a, ip, 9);
	struct ipaddr from;
	uint16_t port;
	bool yes = false;
	int fd = socket(a.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			0);

	if (fd < 0)
		return true;
	if (connect(fd, (struct sockaddr *)&a, n) == 0) {
		n = sizeof(a);
		yes = getsockname(fd, (struct sockaddr *)&a, &n) == 0 &&
		      address_get(&a, &from, &port) == 0 &&
		      ipaddr_eq(&from, ip);
	}
	close(fd);
	return yes;
}

/* Does a listener at @at and @at_port get what is sent to @ip and @port? */
static bool leads_to(const struct ipaddr *at, uint16_t at_port,
		     const struct ipaddr *ip, uint16_t port)
{
	if (at_port != port || ipaddr_is4(at) != ipaddr_is4(ip))
		return false;
	return ipaddr_eq(at, ip) ||
	       (is_any(at) &&
		(is_any(ip) || is_loopback(ip) || is_of_host(ip)));
}

bool own_listens(const struct front *f, const struct ipaddr *ip, uint16_t port)
{
	const struct setup *o = f->o;

	for (unsigned i = 0; i < o->places; i++)
		if (leads_to(&o->place[i].ip, o->place[i].port, ip, port))
			return true;
	return o->metrics_port != 0 &&
	       leads_to(&o->metrics, o->metrics_port, ip, port);
}

/* A connection of ours to ourselves would make another one, and so on. */
int own_servers(const struct front *f, const struct servers *l,
		struct errbuf *e)
{
	char text[TEXT_ENDPOINT];

	for (unsigned p = 0; p < f->o->places; p++)
		for (unsigned i = 0; i < l[p].n; i++) {
			const struct server *s = &l[p].s[i];

			if (!s->gone && own_listens(f, &s->ip, s->port))
				return errbuf_set(
					e, -EINVAL,
					"--forward: %s is a listener of ours; "
					"name a server",
					text_endpoint(text, &s->ip, s->port));
		}
	return 0;
}
