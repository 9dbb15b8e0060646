/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ends.c - The ends of tunnels that come in on an interface with an address
 *
 * Theory of operation
 *
 * Linux answers a datagram to a port without a socket by ICMP port unreachable,
 * and a protocol that nobody takes by protocol unreachable, in both cases once
 * it finds no socket. A filter that lets nothing pass throws the packet away
 * after the socket was found; so nothing is queued, and nobody ever reads. The
 * packet socket of the capture has its copy before that.
 */
#include "capture/ends.h"

#include <errno.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netinet/in.h>

/* Only what comes by @ifname, and of that nothing is kept. */
static int deaf(int fd, const char *ifname)
{
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog prog = { .len = 1, .filter = &none };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) ||
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, ifname,
		       (socklen_t)strlen(ifname)))
		return -errno;
	return 0;
}

static int take_port(int family, int fd, uint16_t port)
{
	struct sockaddr_in four = { .sin_family = AF_INET,
				    .sin_port = htons(port) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
				    .sin6_port = htons(port) };
	int one = 1;

	if (family == AF_INET)
		return bind(fd, (struct sockaddr *)&four, sizeof(four)) ? -errno
									: 0;
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&six, sizeof(six)))
		return -errno;
	return 0;
}

/* One end: of UDP if there is a @port, else of GRE. */
static int end_open(struct ends *t, int family, const char *ifname,
		    uint16_t port)
{
	int fd = port != 0 ? socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0)
			   : socket(family, SOCK_RAW | SOCK_CLOEXEC, PROTO_GRE);
	int rc;

	if (fd < 0)
		return errno == EAFNOSUPPORT ? 0 : -errno;
	rc = deaf(fd, ifname);
	if (rc == 0 && port != 0)
		rc = take_port(family, fd, port);
	if (rc == 0) {
		t->fd[t->n++] = fd;
		return 0;
	}
	close(fd);
	return rc == -EADDRINUSE ? 0 : rc;
}

int ends_open(struct ends *t, const char *ifname, const struct decap *how,
	      struct errbuf *e)
{
	const struct {
		unsigned kinds;
		uint16_t port;
	} end[] = {
		{ 1u << DECAP_VXLAN, how->port != 0 ? how->port : VXLAN_PORT },
		{ 1u << DECAP_VXLAN, how->port != 0 ? 0 : VXLAN_PORT_OLD },
		{ 1u << DECAP_GENEVE,
		  how->port != 0 ? how->port : GENEVE_PORT },
		{ 1u << DECAP_GRE | 1u << DECAP_ERSPAN, 0 },
	};
	static const int family[] = { AF_INET, AF_INET6 };

	_Static_assert(2 * sizeof(end) / sizeof(end[0]) == ENDS_MAX,
		       "all have a place");
	t->n = 0;
	for (unsigned i = 0; i < sizeof(end) / sizeof(end[0]); i++) {
		bool gre = (end[i].kinds & 1u << DECAP_GRE);

		if (!(how->kinds & end[i].kinds) || (!gre && end[i].port == 0))
			continue;
		for (unsigned k = 0; k < 2; k++) {
			int rc = end_open(t, family[k], ifname, end[i].port);

			if (rc == 0)
				continue;
			ends_close(t);
			return errbuf_set(e, rc,
					  "%s: cannot take what comes in its "
					  "tunnels: %s",
					  ifname, strerror(-rc));
		}
	}
	return 0;
}

void ends_close(struct ends *t)
{
	while (t->n > 0)
		close(t->fd[--t->n]);
}
