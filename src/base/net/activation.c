/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * activation.c - Listeners that who started us has opened (sd_listen_fds(3))
 */
#include "net/activation.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/address.h"
#include "text/text.h"

#define FIRST 3 /* SD_LISTEN_FDS_START */

static int option(int fd, int level, int name)
{
	socklen_t n = sizeof(int);
	int v = -1;

	return getsockopt(fd, level, name, &v, &n) == 0 ? v : -1;
}

static const char *why_not(int fd, const struct sockaddr_storage *at)
{
	if (option(fd, SOL_SOCKET, SO_TYPE) != SOCK_STREAM ||
	    option(fd, SOL_SOCKET, SO_ACCEPTCONN) != 1 ||
	    (at->ss_family != AF_INET && at->ss_family != AF_INET6))
		return "is no listener of TCP";
	/* A client of IPv4 would have an address of IPv6 there. */
	if (at->ss_family == AF_INET6 &&
	    option(fd, IPPROTO_IPV6, IPV6_V6ONLY) != 1)
		return "listens for IPv4 and IPv6 at once; write "
		       "BindIPv6Only=ipv6-only, and a listener for each";
	return NULL;
}

static int take(struct activation *a, int fd, struct errbuf *e)
{
	struct sockaddr_storage at = { .ss_family = AF_UNSPEC };
	socklen_t n = sizeof(at);
	const char *why;

	(void)getsockname(fd, (struct sockaddr *)&at, &n);
	why = why_not(fd, &at);
	if (why)
		return errbuf_set(e, -EINVAL, "LISTEN_FDS: descriptor %d %s",
				  fd, why);
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		return errbuf_set(e, -errno, "LISTEN_FDS: descriptor %d: %s",
				  fd, strerror(errno));
	(void)address_get(&at, &a->ip[a->n], &a->port[a->n]);
	a->fd[a->n] = fd;
	a->taken[a->n] = false;
	a->n++;
	return 0;
}

int activation_open(struct activation *a, struct errbuf *e)
{
	const char *pid = getenv("LISTEN_PID");
	const char *fds = getenv("LISTEN_FDS");
	long n;
	int r = 0;

	a->n = 0;
	if (!pid || !fds || strtol(pid, NULL, 10) != (long)getpid())
		return 0;
	n = strtol(fds, NULL, 10);
	if (n < 0 || n > ACTIVATION_MOST)
		return errbuf_set(e, -EINVAL,
				  "LISTEN_FDS=%s: there may be %d at most", fds,
				  ACTIVATION_MOST);
	for (int i = 0; r == 0 && i < n; i++)
		r = take(a, FIRST + i, e);
	return r;
}

int activation_find(struct activation *a, const struct ipaddr *ip,
		    uint16_t port)
{
	for (unsigned i = 0; i < a->n; i++)
		if (!a->taken[i] && a->port[i] == port &&
		    ipaddr_eq(&a->ip[i], ip)) {
			a->taken[i] = true;
			return a->fd[i];
		}
	return -1;
}

int activation_rest(const struct activation *a, struct errbuf *e)
{
	char s[TEXT_ENDPOINT];

	for (unsigned i = 0; i < a->n; i++)
		if (!a->taken[i])
			return errbuf_set(
				e, -EINVAL,
				"LISTEN_FDS has a listener at %s, and "
				"no option names it",
				text_endpoint(s, &a->ip[i], a->port[i]));
	return 0;
}
