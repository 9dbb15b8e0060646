/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * evidence_rig - A connection with secrets on all sides, for tests of evidence
 */
#ifndef TEST_EVIDENCE_RIG_H
#define TEST_EVIDENCE_RIG_H

#include <stdlib.h>
#include <string.h>

#include "evidence/want.h"
#include "wire/build.h"
#include "wire/pseudo.h"

static const char rig_request[] =
	"POST /f?password=qU3ryS3cr3t HTTP/1.1\r\n"
	"Authorization: Bearer b3ar3rT0k3n\r\nContent-Type: text/plain\r\n\r\n"
	"{\"n\":17,\"password\":\"js0nPassw0rd\"}";
static const char rig_answer[] =
	"HTTP/1.1 200 OK\r\nSet-Cookie: sid=c00ki3Valu3; Path=/\r\n"
	"Content-Type: application/json\r\n\r\n{\"price\":10.00,"
	"\"token\":\"t0k3nOfTh3Body\"}";
static const char rig_coded[] =
	"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
	"c0d3dPassw0rd";
static const char *const rig_secret[] = { "qU3ryS3cr3t",    "b3ar3rT0k3n",
					  "js0nPassw0rd",   "c00ki3Valu3",
					  "t0k3nOfTh3Body", "c0d3dPassw0rd" };

/* A frame, as a journal gives it. */
struct rig_frame {
	struct journal_frame f;
	uint8_t bytes[2048];
};

static inline struct report_endpoint rig_end(uint8_t net, uint8_t host,
					     uint16_t port)
{
	const uint8_t b[4] = { 10, net, 0, host };

	return (struct report_endpoint){ ipaddr_from4(b), port };
}

static inline void rig_make_frame(struct rig_frame *out,
				  enum journal_iface iface,
				  const struct report_endpoint *src,
				  const struct report_endpoint *dst,
				  uint32_t seq, uint8_t flags, const void *data,
				  uint32_t len)
{
	struct tcp_header h = { .src = src->ip,
				.dst = dst->ip,
				.sport = src->port,
				.dport = dst->port,
				.seq = seq,
				.ack = 1,
				.flags = flags,
				.ttl = 64,
				.win = 1000 };
	uint32_t n = (uint32_t)build_tcp(out->bytes, &h, data, len, CSUM_FULL);

	memcpy(out->bytes + n, data, len);
	out->f = (struct journal_frame){ .iface = iface,
					 .data = out->bytes,
					 .cap = n + len,
					 .wire = n + len };
}

/* As evidence.c does; of exactly its length, so that a byte too far is seen. */
/* Return: of want_take() */
static inline int rig_give(struct want *w, uint64_t number,
			   const struct rig_frame *f, size_t *room)
{
	uint8_t *copy = malloc(f->f.cap + 1u);
	struct journal_frame j = f->f;
	struct frame_info in = { .data = copy,
				 .cap = j.cap,
				 .wire = j.wire,
				 .link = LINK_ETHERNET,
				 .csum_ok = true,
				 .trusted = true };
	struct decoded d;
	int r = 0;

	memcpy(copy, f->bytes, j.cap);
	copy = realloc(copy, j.cap > 0 ? j.cap : 1u);
	j.data = in.data = copy;
	if (frame_decode(&in, NULL, 0, &d) == DECODE_TCP)
		r = want_take(w, number, &j, &d, room);
	free(copy);
	return r;
}

static inline bool rig_is_left(const struct piece *p)
{
	for (size_t s = 0; s < sizeof(rig_secret) / sizeof(rig_secret[0]); s++)
		for (size_t k = 0; k + 6 <= strlen(rig_secret[s]); k++)
			if (memmem(p->bytes, p->cap, rig_secret[s] + k, 6))
				return true;
	return false;
}

static inline bool rig_is_summed(const struct piece *p)
{
	uint32_t len = p->at + p->len - p->l4;
	uint64_t sum = pseudo_sum(true, &p->src, &p->dst, PROTO_TCP, len);

	return csum_fold(csum_add(sum, p->bytes + p->l4, len)) == 0xffff;
}

struct rig_talk {
	struct report_difference d;
	struct compare_result r;
	struct report_endpoint client;
	const char *said[WANT_SIDES];
	uint32_t isn[WANT_SIDES];
};

static inline void rig_begin(struct rig_talk *t, bool is_coded, uint64_t offset,
			     uint32_t isn)
{
	*t = (struct rig_talk){ .client = rig_end(0, 2, 40000),
				.said = { rig_request, rig_answer,
					  is_coded ? rig_coded : rig_answer } };
	t->d = (struct report_difference){ .client = t->client,
					   .production = rig_end(0, 10, 80),
					   .sut = rig_end(1, 20, 80),
					   .record = 4,
					   .result = &t->r,
					   .detail = "" };
	t->r = (struct compare_result){ .reason = REASON_BODY,
					.offset = offset,
					.bytes = { strlen(t->said[1]),
						   strlen(t->said[2]) } };
	for (unsigned i = 0; i < WANT_SIDES; i++)
		t->isn[i] = isn + i * 1000003u;
}

/* A piece of what a side said: on its wire, and the client's on both. */
static inline void rig_part_of(const struct rig_talk *t, enum want_side side,
			       bool emitted, uint32_t from, uint32_t len,
			       struct rig_frame *f)
{
	const struct report_endpoint *server =
		side == WANT_SUT || emitted ? &t->d.sut : &t->d.production;
	bool client = side == WANT_CLIENT;

	rig_make_frame(f,
		       side == WANT_SUT ? JOURNAL_SUT
		       : emitted	? JOURNAL_EMITTED
		       : client		? JOURNAL_CLIENT
					: JOURNAL_PROD,
		       client ? &t->client : server,
		       client ? server : &t->client, t->isn[side] + from,
		       TCP_ACK | TCP_PSH, t->said[side] + from, len);
}

#endif /* TEST_EVIDENCE_RIG_H */
