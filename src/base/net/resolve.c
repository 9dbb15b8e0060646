/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resolve.c - Addresses of names, without waiting (c-ares)
 *
 * Theory of operation
 *
 * c-ares says which sockets it has (socket_changed()), and by when it wants to
 * be called; both are put in the loop, and it is called for what is ready. Its
 * sockets are made here, so that they are of the kinds that a sandbox lets
 * through. It is told never to turn to TCP: a truncated answer still has
 * addresses in it, and a datagram may have 1232 bytes (EDNS).
 *
 * A lookup cannot be taken back: one that nobody waits for any more keeps its
 * place until c-ares has done with it, which it does in bounded time.
 */
#include "net/resolve.h"

#include <ares.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/limits.h"
#include "core/list.h"
#include "os/clock.h"
#include "text/text.h"

#define SOCKETS 16 /* of c-ares; it has one for each server */
#define EDNS	1232
#define TRY_MS	2000
#define TRIES	3

struct lookup {
	struct list link; /* free */
	struct resolver *r;
	resolved_fn *fn; /* NULL: nobody waits for it */
	void *ctx;
};

struct watched {
	struct resolver *r;
	struct loop_watch watch;
	int fd; /* -1: free */
};

struct resolver {
	ares_channel channel;
	struct loop *loop;
	struct loop_watch timer;
	struct watched watched[SOCKETS];
	struct list free;
	struct lookup lookup[RESOLVE_LOOKUPS];
	bool closing;
};

/* --- sockets --- */

static ares_socket_t make_socket(int domain, int type, int protocol, void *ctx)
{
	(void)ctx;
	return socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC,
		      protocol == IPPROTO_UDP ? 0 : protocol);
}

static int close_socket(ares_socket_t fd, void *ctx)
{
	(void)ctx;
	return close(fd);
}

static int connect_socket(ares_socket_t fd, const struct sockaddr *a,
			  ares_socklen_t n, void *ctx)
{
	(void)ctx;
	return connect(fd, a, n);
}

static ares_ssize_t receive(ares_socket_t fd, void *b, size_t n, int flags,
			    struct sockaddr *a, ares_socklen_t *len, void *ctx)
{
	(void)ctx;
	return recvfrom(fd, b, n, flags, a, len);
}

/* It has one piece each time. */
static ares_ssize_t transmit(ares_socket_t fd, const struct iovec *v, int n,
			     void *ctx)
{
	(void)ctx;
	return n < 1 ? 0 : send(fd, v[0].iov_base, v[0].iov_len, MSG_NOSIGNAL);
}

static const struct ares_socket_functions functions = {
	.asocket = make_socket,
	.aclose = close_socket,
	.aconnect = connect_socket,
	.arecvfrom = receive,
	.asendv = transmit,
};

/* --- the loop --- */

static void set_timer(struct resolver *r)
{
	struct timeval tv, *next = ares_timeout(r->channel, NULL, &tv);
	uint64_t at = UINT64_MAX;

	if (next)
		at = clock_mono() + (uint64_t)next->tv_sec * NS_PER_SEC +
		     (uint64_t)next->tv_usec * NS_PER_US;
	loop_set(&r->timer, at);
}

static void timer_is_due(void *ctx, uint64_t now)
{
	struct resolver *r = ctx;

	(void)now;
	ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	set_timer(r);
}

static void socket_is_ready(void *ctx, uint64_t now)
{
	struct watched *w = ctx;

	(void)now;
	ares_process_fd(w->r->channel, w->fd, ARES_SOCKET_BAD);
	set_timer(w->r);
}

static struct watched *find(struct resolver *r, int fd)
{
	for (int i = 0; i < SOCKETS; i++)
		if (r->watched[i].fd == fd)
			return &r->watched[i];
	return NULL;
}

/* A socket that finds no place is not read, and its server not heard: the next
 * one is asked.
 */
static void socket_changed(void *ctx, ares_socket_t fd, int readable,
			   int writable)
{
	struct resolver *r = ctx;
	struct watched *w = find(r, fd);

	(void)writable;
	if (!readable) {
		if (w) {
			loop_drop(r->loop, &w->watch);
			w->fd = -1;
		}
		return;
	}
	if (w)
		return;
	w = find(r, -1);
	if (!w)
		return;
	w->watch = (struct loop_watch){ .ready = socket_is_ready, .ctx = w };
	if (loop_add(r->loop, &w->watch, fd) == 0)
		w->fd = fd;
}

/* --- lookups --- */

static int error_of(int status)
{
	switch (status) {
	case ARES_ENOTFOUND:
	case ARES_ENODATA:
	case ARES_EBADNAME:
		return -ENOENT;
	case ARES_ETIMEOUT:
	case ARES_ECONNREFUSED:
		return -ETIMEDOUT;
	case ARES_ENOMEM:
		return -ENOMEM;
	default:
		return -EIO;
	}
}

static unsigned take_addresses(const struct ares_addrinfo *res,
			       struct ipaddr a[RESOLVE_ADDRESSES])
{
	const struct ares_addrinfo_node *i = res->nodes;
	struct sockaddr_in6 in6;
	struct sockaddr_in in;
	unsigned n = 0;

	for (; i && n < RESOLVE_ADDRESSES; i = i->ai_next) {
		if (i->ai_family == AF_INET) {
			memcpy(&in, i->ai_addr, sizeof(in));
			a[n++] = ipaddr_from4((const uint8_t *)&in.sin_addr);
		} else if (i->ai_family == AF_INET6) {
			memcpy(&in6, i->ai_addr, sizeof(in6));
			a[n++] = ipaddr_from6(in6.sin6_addr.s6_addr);
		}
	}
	return n;
}

static void answered(void *ctx, int status, int timeouts,
		     struct ares_addrinfo *res)
{
	struct lookup *l = ctx;
	struct ipaddr a[RESOLVE_ADDRESSES];
	unsigned n = 0;
	int rc = 0;
	resolved_fn *fn = l->fn;

	(void)timeouts;
	if (status == ARES_SUCCESS)
		n = take_addresses(res, a);
	else
		rc = error_of(status);
	if (res)
		ares_freeaddrinfo(res);
	l->fn = NULL;
	list_add_tail(&l->r->free, &l->link);
	if (fn && !l->r->closing)
		fn(l->ctx, rc == 0 && n == 0 ? -ENOENT : rc, a, n);
}

int resolver_ask(struct resolver *r, const char *name, int family,
		 resolved_fn *fn, void *ctx, struct lookup **out)
{
	const struct ares_addrinfo_hints hints = {
		.ai_family = family,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = ARES_AI_NOSORT,
	};
	struct lookup *l;

	if (list_empty(&r->free))
		return -ENOSPC;
	l = list_entry(r->free.next, struct lookup, link);
	list_del(&l->link);
	l->fn = fn;
	l->ctx = ctx;
	*out = l;
	ares_getaddrinfo(r->channel, name, NULL, &hints, answered, l);
	set_timer(r);
	return 0;
}

void resolver_drop(struct lookup *l)
{
	assert(l->fn);
	l->fn = NULL;
}

/* --- begin and end --- */

static int set_server(struct resolver *r, const struct ipaddr *server,
		      uint16_t port)
{
	char s[TEXT_ENDPOINT];
	int rc = ares_set_servers_ports_csv(r->channel,
					    text_endpoint(s, server, port));

	return rc == ARES_SUCCESS ? 0 : error_of(rc);
}

static int open_channel(struct resolver *r)
{
	char lookups[] = "fb";
	struct ares_options o = {
		.flags = ARES_FLAG_IGNTC | ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH,
		.timeout = TRY_MS,
		.tries = TRIES,
		.ednspsz = EDNS,
		.lookups = lookups,
		.sock_state_cb = socket_changed,
		.sock_state_cb_data = r,
	};
	int rc = ares_library_init(ARES_LIB_INIT_ALL);

	if (rc == ARES_SUCCESS)
		rc = ares_init_options(
			&r->channel, &o,
			ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
				ARES_OPT_EDNSPSZ | ARES_OPT_LOOKUPS |
				ARES_OPT_SOCK_STATE_CB);
	if (rc != ARES_SUCCESS)
		return error_of(rc);
	ares_set_socket_functions(r->channel, &functions, NULL);
	return 0;
}

int resolver_open(struct resolver **out, struct loop *loop,
		  const struct ipaddr *server, uint16_t port, struct errbuf *e)
{
	struct resolver *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return errbuf_set(e, -ENOMEM, "no memory for a resolver");
	r->loop = loop;
	r->timer = (struct loop_watch){ .ready = timer_is_due, .ctx = r };
	list_init(&r->free);
	for (int i = 0; i < SOCKETS; i++) {
		r->watched[i].r = r;
		r->watched[i].fd = -1;
	}
	for (int i = 0; i < RESOLVE_LOOKUPS; i++) {
		r->lookup[i].r = r;
		list_add_tail(&r->free, &r->lookup[i].link);
	}
	rc = open_channel(r);
	if (rc == 0 && server)
		rc = set_server(r, server, port);
	if (rc == 0)
		rc = loop_timer(loop, &r->timer);
	if (rc != 0) {
		resolver_close(r);
		return errbuf_set(e, rc, "no resolver: %s", strerror(-rc));
	}
	*out = r;
	return 0;
}

void resolver_close(struct resolver *r)
{
	if (!r)
		return;
	r->closing = true;
	if (r->channel)
		ares_destroy(r->channel);
	loop_drop(r->loop, &r->timer);
	ares_library_cleanup();
	free(r);
}
