/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * time.c - Deadlines of connections
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "front/front_internal.h"

#define DUE_AT_ONCE 256 /* then descriptors have their turn */

void due_init(struct due *d, void (*run)(void *ctx), void *ctx)
{
	timer_init(&d->timer);
	d->run = run;
	d->ctx = ctx;
}

void due_at(struct front *f, struct due *d, uint64_t at)
{
	wheel_arm(&f->wheel, &d->timer, at);
}

void due_never(struct front *f, struct due *d)
{
	wheel_disarm(&f->wheel, &d->timer);
}

void due_run(struct front *f)
{
	uint64_t next;

	for (int i = 0; i < DUE_AT_ONCE; i++) {
		struct timer *t = wheel_pop(&f->wheel, f->now);
		struct due *d;

		if (t == NULL)
			break;
		d = list_entry(t, struct due, timer);
		d->run(d->ctx);
	}
	next = wheel_next(&f->wheel);
	if (next != f->armed) {
		loop_set(&f->on_time, next);
		f->armed = next;
	}
}

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
