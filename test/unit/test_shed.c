/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_shed.c - A SUT that serves a part of what production does
 *
 * In virtual time: CLIENTS connections send a request in two segments every so often,
 * production answers at once, and the SUT is one server with a fixed service time behind
 * a kernel that acks at once. What it could serve is known exactly, and so is what it
 * was asked in part.
 */
#include "engine_rig.h"

#define CLIENTS	 16
#define PORT	 5000
#define ISS	 1000u
#define PROD_ISS 500u
#define SUT_ISS	 77u
#define EVERY	 (4 * NS_PER_MS) /* a client's requests; all: 4000 a second */
#define HEAD	 "POST / HTTP/1.1\r\nContent-Length: 1150\r\n\r\n"
#define PIECE	 600u
#define REQUEST	 (sizeof(HEAD) - 1 + 1150)
#define ANSWER	 "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define ANSWERED (sizeof(ANSWER) - 1)
#define LEGS	 20000
#define JOBS	 65536

/** struct leg_end - A connection as the SUT's kernel has it */
struct leg_end {
	uint16_t port;
	uint32_t start; /* first byte's number */
	uint32_t got;
	uint32_t asked; /* requests that are here whole */
	uint32_t said;	/* answers */
	bool open;
};

static struct leg_end legs[LEGS];
static uint32_t leg_n;
static uint32_t job[JOBS]; /* legs, in the order in which they asked */
static uint32_t job_in, job_out;
static uint32_t in_part; /* requests that the SUT has got a part of */
static uint32_t cut;	 /* requests that it was asked, and not let answer */
static uint32_t served;
static uint64_t
	taken_up; /* flows; none where those that are left keep it busy */
static uint64_t free_at; /* when the server is */
static char text[REQUEST + 1];

static struct leg_end *leg_at_port(uint16_t port)
{
	for (uint32_t i = leg_n; i-- > 0;)
		if (legs[i].port == port)
			return legs[i].open ? &legs[i] : NULL;
	return NULL;
}

static void say(struct rig *r, const struct leg_end *l, uint8_t flags,
		const char *what)
{
	uint32_t seq = SUT_ISS + 1 + l->said * (uint32_t)ANSWERED;

	if ((flags & TCP_SYN) != 0)
		seq = SUT_ISS;
	tcp_sut(r, ip(9, 0, 1), 80, ip(1, 0, 1), l->port, seq,
		l->start + l->got, flags, what);
}

static void heard(struct rig *r, const struct effect *e)
{
	struct leg_end *l = leg_at_port(e->sport);

	if ((e->flags & TCP_SYN) != 0) {
		CHECK(leg_n < LEGS);
		l = &legs[leg_n++ % LEGS];
		*l = (struct leg_end){ .port = e->sport,
				       .start = e->seq + 1,
				       .open = true };
		say(r, l, TCP_SYN | TCP_ACK, "");
		return;
	}
	if (l == NULL)
		return;
	if ((e->flags & TCP_RST) != 0) {
		l->open = false;
		in_part += l->got % REQUEST != 0;
		cut += l->asked - l->said;
		return;
	}
	if (e->len == 0)
		return;
	CHECK(e->seq == l->start + l->got);
	l->got += e->len;
	for (; l->got / REQUEST > l->asked; l->asked++) {
		CHECK(job_in - job_out < JOBS);
		job[job_in++ % JOBS] = (uint32_t)(l - legs);
	}
	say(r, l, TCP_ACK, "");
}

/* What was sent since, to the SUT, until nothing more comes of it. */
static void deliver(struct rig *r)
{
	while (r->n > 0) {
		struct effect now[SYNS_MAX];
		uint32_t n = r->n;

		CHECK(n < SYNS_MAX);
		memcpy(now, r->seen, n * sizeof(*now));
		r->n = 0;
		for (uint32_t i = 0; i < n; i++)
			heard(r, &now[i]);
	}
}

/* The server works until @until. */
static void serve(struct rig *r, uint64_t until, uint64_t service)
{
	while (job_out != job_in && free_at + service <= until) {
		struct leg_end *l = &legs[job[job_out++ % JOBS]];

		free_at += service;
		if (!l->open)
			continue;
		say(r, l, TCP_ACK | TCP_PSH, ANSWER);
		l->said++;
		served++;
		deliver(r);
	}
	if (job_out == job_in && free_at < until)
		free_at = until;
}

static void request(struct rig *r, uint32_t c, uint32_t k)
{
	uint16_t port = (uint16_t)(PORT + c * 16);
	uint32_t seq = ISS + 1 + k * (uint32_t)REQUEST;
	uint32_t ack = PROD_ISS + 1 + k * (uint32_t)ANSWERED;
	char piece[PIECE + 1];

	memcpy(piece, text, PIECE);
	piece[PIECE] = '\0';
	tcp(r, ip(1, 0, 1), port, ip(2, 0, 1), 80, seq, ack, TCP_ACK, piece);
	deliver(r);
	tcp(r, ip(1, 0, 1), port, ip(2, 0, 1), 80, seq + PIECE, ack,
	    TCP_ACK | TCP_PSH, text + PIECE);
	deliver(r);
	tcp(r, ip(2, 0, 1), 80, ip(1, 0, 1), port, ack, seq + (uint32_t)REQUEST,
	    TCP_ACK | TCP_PSH, ANSWER);
	deliver(r);
}

static void open_all(struct rig *r)
{
	memset(text, 'y', REQUEST);
	memcpy(text, HEAD, sizeof(HEAD) - 1);
	leg_n = job_in = job_out = in_part = cut = served = 0;
	for (uint32_t c = 0; c < CLIENTS; c++) {
		uint16_t port = (uint16_t)(PORT + c * 16);

		syn(r, ip(1, 0, 1), port, ip(2, 0, 1), 80);
		tcp(r, ip(2, 0, 1), 80, ip(1, 0, 1), port, PROD_ISS, ISS + 1,
		    TCP_SYN | TCP_ACK, "");
		tcp(r, ip(1, 0, 1), port, ip(2, 0, 1), 80, ISS + 1,
		    PROD_ISS + 1, TCP_ACK, "");
		deliver(r);
	}
	free_at = r->now;
}

static uint64_t not_compared(struct rig *r, enum compare_reason why)
{
	return engine_stats(r->e)->reason[VERDICT_NOT_COMPARED][why];
}

/* @percent of what is offered is what the SUT can serve. */
static void share(struct rig *r, uint32_t percent, const char *name)
{
	uint64_t service = EVERY * 100 / CLIENTS / percent;
	const uint32_t rounds = 1000; /* 4 seconds */
	uint64_t could = rounds * EVERY / service;
	const struct shadow_counters *m;
	const uint64_t *verdict;

	start(r);
	m = machine(r);
	verdict = engine_stats(r->e)->verdict;
	open_all(r);
	for (uint32_t k = 0; k < rounds; k++)
		for (uint32_t c = 0; c < CLIENTS; c++) {
			request(r, c, k);
			pass(r, EVERY / CLIENTS);
			deliver(r);
			serve(r, r->now, service);
		}
	CHECK_ROW(served >= could * 8 / 10, name);
	if (served < could * 8 / 10)
		printf("# %s: served %u of %llu\n", name, served,
		       (unsigned long long)could);
	CHECK_ROW(in_part == 0 && cut == 0, name);
	CHECK_ROW(m->flows_shed > 0 &&
			  m->flows_shed - m->ended[FLOW_END_BEHIND] <= CLIENTS,
		  name);
	taken_up += m->flows_taken_up;
	CHECK_ROW(verdict[VERDICT_DIFFERENT] == 0, name);
	CHECK_ROW(verdict[VERDICT_IDENTICAL] + CLIENTS >= served, name);
	CHECK_ROW(not_compared(r, REASON_SHED) > 0, name);
	CHECK_ROW(not_compared(r, REASON_SHED) +
				  not_compared(r, REASON_BEHIND) ==
			  verdict[VERDICT_NOT_COMPARED],
		  name);
	stop(r);
	CHECK_ROW(m->requests_seen == rounds * CLIENTS, name);
	check_closed(r);
}

static void test_scarce_pool(void)
{
	static const uint32_t rows[] = { 10, 25, 50, 90 };

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rig r;
		char name[40];

		defaults(&r);
		snprintf(name, sizeof(name), "the pool, share %u", rows[i]);
		add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
		share(&r, rows[i], name);
	}
	CHECK(taken_up > 0);
}

static void test_lag(void)
{
	static const uint32_t rows[] = { 10, 25, 50 };

	taken_up = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rig r;
		char name[40];

		defaults(&r);
		r.cfg.limits.pool = 64u << 20;
		r.cfg.limits.flow_share = 32u << 20;
		r.cfg.shadow.max_lag = NS_PER_SEC / 2;
		snprintf(name, sizeof(name), "the lag, share %u", rows[i]);
		add_map(&r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
		share(&r, rows[i], name);
	}
	CHECK(taken_up > 0);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "a pool that is scarce", test_scarce_pool },
		{ "a lag that is too long", test_lag },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
