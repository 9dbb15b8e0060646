/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * raw.c - The socket of protocol 4, whatever paths there are
 */
#include "lone/raw.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER	     (4 << 20) /* a burst of several paths */
#define CONTROL	     64
#define TOLD_CONTROL 256
#define TOLD_BYTES   64

/** struct waiting - A packet that is to be sent */
struct waiting {
	uint32_t n;
	struct raw_way way;
	uint8_t data[RAW_PACKET];
};

/** struct message - One of a call, but for its bytes */
struct message {
	struct sockaddr_in addr;
	_Alignas(struct cmsghdr) uint8_t control[CONTROL];
};

struct raw {
	int fd;
	uint32_t unsent;
	unsigned waits;
	struct mmsghdr msg[RAW_BATCH];
	struct message more[RAW_BATCH];
	struct iovec iov[RAW_BATCH];
	struct raw_came came[RAW_BATCH];
	_Alignas(struct cmsghdr) uint8_t told_control[TOLD_CONTROL];
	uint8_t told[TOLD_BYTES];
	struct waiting out[RAW_BATCH];
	uint8_t in[RAW_BATCH][RAW_READ];
};

size_t raw_size(void)
{
	return arena_need(sizeof(struct raw));
}

static int set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) == 0 ? 0
								       : -errno;
}

/* No ICMP message changes what the kernel believes of a path: anybody could
 * forge one, and nobody here finds MTUs.
 */
static int set_up(int fd, uint32_t mark)
{
	int r = set(fd, IPPROTO_IP, IP_HDRINCL, 1);

	if (r == 0)
		r = set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
	if (r == 0)
		r = set(fd, IPPROTO_IP, IP_RECVERR, 1);
	if (r == 0 && mark != 0)
		r = set(fd, SOL_SOCKET, SO_MARK, (int)mark);
	if (r == 0 && set(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER) != 0)
		r = set(fd, SOL_SOCKET, SO_RCVBUF, BUFFER);
	if (r == 0 && set(fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER) != 0)
		r = set(fd, SOL_SOCKET, SO_SNDBUF, BUFFER);
	return r;
}

int raw_open(struct raw **out, struct arena *a, uint32_t mark, struct errbuf *e)
{
	struct raw *w = arena_take(a, sizeof(*w));
	int r;

	assert(w);
	w->fd = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
		       OUTER_PROTO);
	*out = w;
	r = w->fd < 0 ? -errno : set_up(w->fd, mark);
	return r == 0 ? 0
		      : errbuf_set(e, r,
				   "no socket for IP in IP: %s; start as root "
				   "or with CAP_NET_RAW",
				   strerror(-r));
}

void raw_close(struct raw *r)
{
	if (r && r->fd >= 0)
		close(r->fd);
}

int raw_socket(const struct raw *r)
{
	return r->fd;
}

/* --- out --- */

uint8_t *raw_room(struct raw *r)
{
	assert(r->waits < RAW_BATCH);
	return r->out[r->waits].data + OUTER_HEADER;
}

bool raw_full(const struct raw *r)
{
	return r->waits == RAW_BATCH;
}

void raw_send(struct raw *r, const struct raw_way *way, uint32_t n)
{
	struct waiting *w = &r->out[r->waits++];

	assert(r->waits <= RAW_BATCH && n <= ENDS_MTU);
	outer_emit(w->data, w->data + OUTER_HEADER, n, way->local, way->remote);
	w->n = n + OUTER_HEADER;
	w->way = *way;
}

/* Which device it leaves by. Return: bytes of the message */
static size_t put_control(struct message *m, uint32_t ifindex)
{
	struct in_pktinfo info = { .ipi_ifindex = (int)ifindex };
	struct cmsghdr h = { .cmsg_len = CMSG_LEN(sizeof(info)),
			     .cmsg_level = IPPROTO_IP,
			     .cmsg_type = IP_PKTINFO };

	if (ifindex == 0)
		return 0;
	memset(m->control, 0, CMSG_SPACE(sizeof(info)));
	memcpy(m->control, &h, sizeof(h));
	memcpy(m->control + CMSG_LEN(0), &info, sizeof(info));
	return CMSG_SPACE(sizeof(info));
}

static void aim(struct raw *r, unsigned i, void *p, size_t n)
{
	struct message *m = &r->more[i];

	r->iov[i] = (struct iovec){ p, n };
	r->msg[i].msg_hdr = (struct msghdr){
		.msg_name = &m->addr,
		.msg_namelen = sizeof(m->addr),
		.msg_iov = &r->iov[i],
		.msg_iovlen = 1,
	};
}

uint32_t raw_flush(struct raw *r)
{
	unsigned at = 0;
	uint32_t unsent = 0;

	for (unsigned i = 0; i < r->waits; i++) {
		struct waiting *w = &r->out[i];
		struct message *m = &r->more[i];
		size_t n = put_control(m, w->way.ifindex);

		aim(r, i, w->data, w->n);
		m->addr = (struct sockaddr_in){ .sin_family = AF_INET };
		memcpy(&m->addr.sin_addr, w->way.remote, 4);
		r->msg[i].msg_hdr.msg_control = n > 0 ? m->control : NULL;
		r->msg[i].msg_hdr.msg_controllen = n;
	}
	/* One that is refused stops those behind it; it alone is left out. */
	while (at < r->waits) {
		int n = sendmmsg(r->fd, r->msg + at, r->waits - at, 0);

		if (n <= 0)
			unsent++;
		at += n > 0 ? (unsigned)n : 1;
	}
	r->waits = 0;
	return unsent;
}

/* --- in --- */

unsigned raw_receive(struct raw *r, struct raw_came **came)
{
	int n;

	for (unsigned i = 0; i < RAW_BATCH; i++)
		aim(r, i, r->in[i], RAW_READ);
	n = recvmmsg(r->fd, r->msg, RAW_BATCH, 0, NULL);
	for (int i = 0; i < n; i++)
		r->came[i] = (struct raw_came){ r->in[i], r->msg[i].msg_len };
	*came = r->came;
	return n > 0 ? (unsigned)n : 0;
}

bool raw_told(struct raw *r, uint8_t remote[4])
{
	struct iovec iov = { r->told, sizeof(r->told) };
	struct sockaddr_in a = { .sin_family = AF_INET };
	struct mmsghdr m = { .msg_hdr = { .msg_name = &a,
					  .msg_namelen = sizeof(a),
					  .msg_iov = &iov,
					  .msg_iovlen = 1,
					  .msg_control = r->told_control,
					  .msg_controllen = TOLD_CONTROL } };

	if (recvmmsg(r->fd, &m, 1, MSG_ERRQUEUE, NULL) != 1)
		return false;
	memcpy(remote, &a.sin_addr, 4);
	return true;
}
