/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * address.c - Addresses as the kernel takes them, and listeners
 */
#include "net/address.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "text/text.h"

socklen_t address_put(struct sockaddr_storage *out, const struct ipaddr *ip,
		      uint16_t port)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(port) };
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(port) };

	memset(out, 0, sizeof(*out));
	if (ipaddr_is4(ip)) {
		memcpy(&in.sin_addr, ip->b + 12, 4);
		memcpy(out, &in, sizeof(in));
		return sizeof(in);
	}
	memcpy(&in6.sin6_addr, ip->b, 16);
	memcpy(out, &in6, sizeof(in6));
	return sizeof(in6);
}

int address_get(const struct sockaddr_storage *a, struct ipaddr *ip,
		uint16_t *port)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (a->ss_family == AF_INET) {
		memcpy(&in, a, sizeof(in));
		*ip = ipaddr_from4((const uint8_t *)&in.sin_addr);
		*port = ntohs(in.sin_port);
	} else if (a->ss_family == AF_INET6) {
		memcpy(&in6, a, sizeof(in6));
		*ip = ipaddr_from6(in6.sin6_addr.s6_addr);
		*port = ntohs(in6.sin6_port);
	} else {
		return -EAFNOSUPPORT;
	}
	return 0;
}

int address_bind(const struct ipaddr *ip, uint16_t port, bool shared,
		 struct errbuf *e)
{
	struct sockaddr_storage a;
	socklen_t n = address_put(&a, ip, port);
	char s[TEXT_ENDPOINT];
	int one = 1;
	int fd = socket(a.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			0);
	int rc;

	if (fd < 0)
		return errbuf_set(e, -errno, "no socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (shared)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	if (a.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&a, n) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return errbuf_set(e, rc,
			  "cannot listen at %s: %s; give an address of this "
			  "host and a port that is free",
			  text_endpoint(s, ip, port), strerror(-rc));
}
