/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * socks.c - A SOCKS server that splices
 *
 *	example_socks PORT
 *
 * Figure 4.2 of the thesis on symmetric TCP splice, as a program for libunderstudy-splice:
 * SOCKS version 5 (RFC 1928), without authentication, CONNECT to addresses. It serves one
 * request after the other; a spliced connection needs it no more. Whoever reaches PORT
 * may use it: it is an example.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <usplice.h>

#include "proxy.h"

/* Replies of RFC 1928 section 6. */
enum {
	GRANTED = 0,
	FAILURE = 1,
	UNREACHABLE = 4,
	REFUSED = 5,
	NO_COMMAND = 7,
	NO_ADDRESS = 8,
};

static bool receive(int fd, uint8_t *b, size_t n)
{
	return recv(fd, b, n, MSG_WAITALL) == (ssize_t)n;
}

/* "No authentication", if the client offers it. */
static bool authenticate(int client)
{
	uint8_t b[257];

	if (!receive(client, b, 2) || b[0] != 5 ||
	    !receive(client, b + 2, b[1]))
		return false;
	b[1] = memchr(b + 2, 0, b[1]) != NULL ? 0 : 0xff;
	return send(client, b, 2, MSG_NOSIGNAL) == 2 && b[1] == 0;
}

/* An address of IPv4, of IPv6, or a name. Return: a reply */
static int read_address(int client, uint8_t kind, struct sockaddr_storage *to,
			socklen_t *n)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	uint8_t name[1 + 255 + 2];

	switch (kind) {
	case 1:
		if (!receive(client, (uint8_t *)&in.sin_addr, 4) ||
		    !receive(client, (uint8_t *)&in.sin_port, 2))
			return FAILURE;
		*n = sizeof(in);
		memcpy(to, &in, sizeof(in));
		return GRANTED;
	case 4:
		if (!receive(client, in6.sin6_addr.s6_addr, 16) ||
		    !receive(client, (uint8_t *)&in6.sin6_port, 2))
			return FAILURE;
		*n = sizeof(in6);
		memcpy(to, &in6, sizeof(in6));
		return GRANTED;
	case 3:
		return receive(client, name, 1) &&
				       receive(client, name + 1, name[0] + 2u)
			       ? NO_ADDRESS
			       : FAILURE;
	default:
		return NO_ADDRESS;
	}
}

/* Where the client wants to go. It is read whole, whatever it is: bytes that are left
 * when we close would make a RST, which may overtake the reply. Return: a reply
 */
static int read_request(int client, struct sockaddr_storage *to, socklen_t *n)
{
	uint8_t b[4];
	int what;

	memset(to, 0, sizeof(*to));
	if (!receive(client, b, 4) || b[0] != 5)
		return FAILURE;
	what = read_address(client, b[3], to, n);
	return b[1] != 1 && what != FAILURE ? NO_COMMAND : what;
}

static const uint8_t *reply(int what)
{
	static uint8_t b[10] = { 5, 0, 0, 1 };

	b[1] = (uint8_t)what;
	return b;
}

static int reply_of(int rc)
{
	return rc == -ECONNREFUSED			   ? REFUSED
	       : rc == -ENETUNREACH || rc == -EHOSTUNREACH ? UNREACHABLE
							   : FAILURE;
}

/* Return: a reply that is still to be sent, 0 if it was */
static int serve_request(struct usplice *u, int client, int server,
			 const struct sockaddr_storage *to, socklen_t n)
{
	const struct sockaddr *a = (const struct sockaddr *)to;
	struct usplice_pair *p;
	int rc = usplice_intend(u, client, server, a, n, NULL, &p);

	if (rc != 0)
		return reply_of(rc);
	rc = connect(server, a, n) == 0 ? 0 : -errno;
	if (rc == 0)
		rc = usplice_splice(p, 10);
	if (rc == 0 && usplice_write(p, reply(GRANTED), 10) != 10)
		rc = -EPIPE;
	if (rc != 0)
		usplice_end(p);
	return rc != 0 ? reply_of(rc) : 0;
}

void serve(struct usplice *u, int client, const char *arg)
{
	struct timeval patience = { .tv_sec = PATIENCE };
	struct sockaddr_storage to;
	socklen_t n = 0;
	int server, what;

	(void)arg;
	setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience,
		   sizeof(patience));
	if (!authenticate(client)) {
		close(client);
		return;
	}
	what = read_request(client, &to, &n);
	if (what == GRANTED) {
		server = socket(to.ss_family, SOCK_STREAM, 0);
		setsockopt(server, SOL_SOCKET, SO_SNDTIMEO, &patience,
			   sizeof(patience));
		what = server < 0 ? FAILURE
				  : serve_request(u, client, server, &to, n);
		close(server);
	}
	if (what != GRANTED)
		send(client, reply(what), 10, MSG_NOSIGNAL);
	/* Spliced: this tells nobody. */
	close(client);
}
