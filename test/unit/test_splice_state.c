/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_splice_state.c - Unit test of splice/begin.h and splice/state.h
 *
 * What dialogues (test/splice) do not say: which states follow which, whatever comes,
 * and windows against a model that counts in 64 bits, where nothing wraps.
 */
#include "splice/state.h"

#include <string.h>

#include "check.h"
#include "core/rng.h"
#include "splice/begin.h"
#include "splice/over.h"

#define WIN 1000u

/* Two sockets past their handshake, which have read and written nothing. */
static void sockets(struct splice_socket k[DIR_COUNT], uint32_t base)
{
	for (int d = 0; d < DIR_COUNT; d++)
		k[d] = (struct splice_socket){
			.snd_una = base + 1000u * (unsigned)d + 1,
			.write_seq = base + 1000u * (unsigned)d + 1,
			.snd_wnd = WIN,
			.rcv_nxt = base + 5000u * (unsigned)d + 1,
			.copied_seq = base + 5000u * (unsigned)d + 1,
			.rcv_wup = base + 5000u * (unsigned)d + 1,
			.rcv_wnd = WIN,
			.room = WIN,
			.open = true,
		};
}

static struct splice_pair joined(uint32_t base)
{
	static const struct splice_tuple any = { .sport = 1 };
	struct splice_socket k[DIR_COUNT];
	struct splice_pair p;
	uint32_t events;

	sockets(k, base);
	splice_intend(&p, &any, &any, false, 7, 3);
	CHECK(splice_begin(&p, k, 5, &events) == SPLICE_AGREED);
	CHECK(events == SPLICE_EV_JOINED);
	return p;
}

static void offsets_are_differences_of_counters(void)
{
	struct splice_socket k[DIR_COUNT];
	struct splice_pair p = { 0 };
	uint32_t events;

	sockets(k, 0xfffffff0u);
	k[DIR_C2S].copied_seq = 30;
	k[DIR_C2S].rcv_nxt = k[DIR_C2S].rcv_wup = 40;
	k[DIR_C2S].write_seq = 0xfffffffeu;
	k[DIR_C2S].pending = 5;
	k[DIR_S2C].copied_seq = 7000;
	k[DIR_S2C].write_seq = 9000;
	k[DIR_S2C].pending = 11;
	k[DIR_C2S].ts_recent = 100;
	k[DIR_S2C].ts_recent = 0xfffffff0u;
	k[DIR_C2S].tsval = 0xffffffffu;
	k[DIR_S2C].tsval = 7;
	CHECK(splice_begin(&p, k, 5, &events) == SPLICE_AGREED);
	CHECK(p.map.seq_off[DIR_C2S] == 9011 - 30);
	CHECK(p.map.seq_off[DIR_S2C] == 3u - 7000u);
	CHECK(p.map.ts_off[DIR_C2S] == 8u - 100u);
	CHECK(p.map.ts_off[DIR_S2C] == 0x10u);
	CHECK(p.side[DIR_C2S].tsval == 0xffffffffu);
	CHECK(p.seen == 5 && p.generation == 0);
}

/* What both have agreed on, and only that. */
static void flags_are_of_both(void)
{
	for (unsigned i = 0; i < 64; i++) {
		struct splice_socket k[DIR_COUNT];
		struct splice_pair p = { 0 };
		uint32_t events;
		bool ts = i & 1, sack = (i & 2) && (i & 4);
		bool ecn = (i & 8) && (i & 16);

		sockets(k, i);
		k[0].ts = k[1].ts = ts;
		k[0].sack = i & 2;
		k[1].sack = i & 4;
		k[0].ecn = i & 8;
		k[1].ecn = i & 16;
		CHECK(splice_begin(&p, k, 0, &events) == SPLICE_AGREED);
		CHECK(((p.flags & SPLICE_PAIR_TS) != 0) == ts);
		CHECK(((p.flags & SPLICE_PAIR_SACK) != 0) == sack);
		CHECK(((p.flags & SPLICE_PAIR_ECN) != 0) == ecn);
	}
}

static void intending_forgets_the_pair_before(void)
{
	static const struct splice_tuple c = { .sport = 1 }, s = { .sport = 2 };
	struct splice_pair p;

	memset(&p, 0xff, sizeof(p));
	splice_intend(&p, &c, &s, true, 9, 77);
	CHECK(p.side[DIR_C2S].state == SPLICE_ESTABLISHED);
	CHECK(p.side[DIR_S2C].state == SPLICE_CLOSE);
	CHECK(p.side[DIR_C2S].tuple.sport == 1);
	CHECK(p.side[DIR_S2C].tuple.sport == 2);
	CHECK(p.flags == SPLICE_PAIR_IP6 && p.generation == 9);
	CHECK(p.seen == 77);
	CHECK(p.side[DIR_C2S].segments == 0 && p.side[DIR_S2C].hi == 0);
	CHECK(!splice_is_live(&p) && !splice_in_timewait(&p));
	CHECK(!splice_due(&p, 0, UINT64_MAX));
}

/* --- windows --- */

/* One direction's numbers in 64 bits. */
struct model {
	int64_t lo, hi, end; /* of what comes from the peer */
	int64_t ack, most;   /* its highest ack; what it may ack */
};

static bool model_counts(const struct model *m, int64_t seq, uint32_t len,
			 bool has_ack, bool rst, int64_t ack)
{
	if (seq > m->hi || seq + len < m->lo)
		return false;
	if (!has_ack)
		return rst;
	return ack <= m->most && ack >= m->ack - (1 << 20);
}

static void windows_as_if_nothing_wrapped(void)
{
	struct rng rng = { 3 };
	unsigned in = 0, out = 0;

	for (int i = 0; i < 200000; i++) {
		enum dir d = rng_below(&rng, 2) ? DIR_C2S : DIR_S2C;
		struct splice_pair p = { .flags = SPLICE_PAIR_JOINED };
		struct splice_side *a = &p.side[d];
		struct splice_side *b = &p.side[dir_reverse(d)];
		struct model m = { .lo = (int64_t)1 << 40 };
		int64_t seq, ack, base = (int64_t)(rng_next(&rng) >> 30);
		struct splice_segment s;
		bool counts;

		m.lo += (int64_t)rng_below(&rng, 3) * 0x7fffffff;
		m.hi = m.lo + rng_below(&rng, 100000);
		m.end = m.lo + rng_below(&rng, 100000);
		m.most = base + rng_below(&rng, 100000);
		m.ack = m.most - rng_below(&rng, 2000);
		p.map.seq_off[0] = (uint32_t)rng_next(&rng);
		p.map.seq_off[1] = (uint32_t)rng_next(&rng);
		a->lo = (uint32_t)m.lo;
		a->hi = (uint32_t)m.hi;
		a->end = (uint32_t)m.end;
		a->ack = (uint32_t)m.ack;
		b->end = (uint32_t)m.most - p.map.seq_off[dir_reverse(d)];
		seq = m.lo - 50000 + rng_below(&rng, 200000);
		ack = rng_below(&rng, 20) == 0
			      ? m.ack - (1 << 20) - 1 + rng_below(&rng, 3)
			      : m.most - 1500 + rng_below(&rng, 2000);
		s = (struct splice_segment){
			.seq = (uint32_t)seq,
			.ack = (uint32_t)ack,
			.len = rng_below(&rng, 3) * 700,
			.flags = (uint16_t)((rng_below(&rng, 8) ? SPLICE_ACK
								: 0) |
					    (rng_below(&rng, 2) ? SPLICE_RST
								: 0)),
		};
		counts = model_counts(&m, seq, s.len,
				      (s.flags & SPLICE_ACK) != 0,
				      (s.flags & SPLICE_RST) != 0, ack);
		CHECK(splice_counts(&p, d, &s) == counts);
		in += counts;
		out += !counts;
	}
	CHECK(in > 20000 && out > 20000);
}

static void edges_of_the_window(void)
{
	static const struct {
		const char *name;
		uint32_t seq, len, ack;
		uint16_t flags;
		bool counts;
	} rows[] = {
		{ "at the left", 1, 0, 1, SPLICE_ACK, true },
		{ "left of it", 0, 0, 1, SPLICE_ACK, false },
		{ "ends at the left", 0, 1, 1, SPLICE_ACK, true },
		{ "a SYN ends at the left", 0, 0, 1, SPLICE_ACK | SPLICE_SYN,
		  true },
		{ "a FIN ends at the left", 0, 0, 1, SPLICE_ACK | SPLICE_FIN,
		  true },
		{ "at the right", 1001, 0, 1, SPLICE_ACK, true },
		{ "probe at the right", 1001, 1, 1, SPLICE_ACK, true },
		{ "right of it", 1002, 0, 1, SPLICE_ACK, false },
		{ "acks what was not sent", 1, 0, 2, SPLICE_ACK, false },
		{ "an old ack", 1, 0, 1 - (1u << 20), SPLICE_ACK, true },
		{ "too old an ack", 1, 0, 0u - (1u << 20), SPLICE_ACK, false },
		{ "no ack", 1, 1, 0, 0, false },
		{ "no ack, RST", 1, 0, 77, SPLICE_RST, true },
	};
	static const uint32_t bases[] = { 0, 0xfffffc00u, 0x7ffffe00u };

	for (size_t i = 0; i < ARRAY_SIZE(rows) * 3; i++) {
		uint32_t base = bases[i % 3];
		struct splice_pair p = joined(base);
		struct splice_segment s = { .seq = base + rows[i / 3].seq,
					    .ack = base + rows[i / 3].ack,
					    .len = rows[i / 3].len,
					    .flags = rows[i / 3].flags };

		CHECK_ROW(splice_counts(&p, DIR_C2S, &s) == rows[i / 3].counts,
			  rows[i / 3].name);
	}
}

/* A window opens by ack and scale, and a smaller one later takes nothing back. */
static void windows_are_scaled_and_kept(void)
{
	struct splice_pair p = joined(0);
	struct splice_segment s = { .seq = 1, .ack = 1, .flags = SPLICE_ACK };
	uint32_t events;

	p.side[DIR_C2S].scale = 7;
	s.win = 100;
	splice_step(&p, DIR_C2S, &s, 0, &events);
	CHECK(p.side[DIR_S2C].hi == 5001 + 12800);
	s.win = 1;
	splice_step(&p, DIR_C2S, &s, 0, &events);
	CHECK(p.side[DIR_S2C].hi == 5001 + 12800);
	CHECK(p.side[DIR_C2S].hi == 1001);
	/* A SYN's window is not scaled, and a SYN is not believed. */
	s.win = 65535;
	s.flags = SPLICE_ACK | SPLICE_SYN;
	splice_step(&p, DIR_C2S, &s, 0, &events);
	CHECK(p.side[DIR_S2C].hi == 5001 + 12800);
}

/* --- which states follow which --- */

static bool may_follow(uint8_t was, uint8_t is)
{
	static const uint8_t after[SPLICE_STATES] = {
		[SPLICE_CLOSE] = 1 << SPLICE_ESTABLISHED |
				 1 << SPLICE_PRE_SPLICED | 1 << SPLICE_SPLICED,
		[SPLICE_ESTABLISHED] =
			1 << SPLICE_PRE_SPLICED | 1 << SPLICE_SPLICED |
			1 << SPLICE_FIN_RELAYED | 1 << SPLICE_SHUTDOWN,
		[SPLICE_PRE_SPLICED] =
			1 << SPLICE_SPLICED | 1 << SPLICE_FIN_RELAYED |
			1 << SPLICE_SHUTDOWN | 1 << SPLICE_TIMEWAIT,
		[SPLICE_SPLICED] =
			1 << SPLICE_FIN_RELAYED | 1 << SPLICE_TIMEWAIT,
		[SPLICE_FIN_RELAYED] = 1 << SPLICE_SPLICED |
				       1 << SPLICE_SHUTDOWN |
				       1 << SPLICE_TIMEWAIT,
		[SPLICE_SHUTDOWN] = 1 << SPLICE_TIMEWAIT,
		/* A RST that was not taken. */
		[SPLICE_TIMEWAIT] = 1 << SPLICE_SPLICED |
				    1 << SPLICE_FIN_RELAYED |
				    1 << SPLICE_SHUTDOWN,
	};

	return was == is || (after[was] >> is & 1) != 0;
}

static struct splice_segment
any_segment(struct rng *r, const struct splice_pair *p, enum dir d)
{
	static const uint16_t flags[] = { SPLICE_ACK,
					  SPLICE_ACK,
					  SPLICE_ACK,
					  SPLICE_ACK | SPLICE_FIN,
					  SPLICE_ACK | SPLICE_FIN,
					  SPLICE_RST,
					  SPLICE_ACK | SPLICE_RST,
					  SPLICE_SYN,
					  SPLICE_ACK | SPLICE_SYN,
					  0 };
	const struct splice_side *i = &p->side[d];
	struct splice_segment s = {
		.seq = i->end - rng_below(r, 3) + rng_below(r, 3),
		.ack = splice_all(p, d) - rng_below(r, 3),
		.len = rng_below(r, 3) ? 0 : rng_below(r, 5),
		.win = (uint16_t)rng_below(r, 2000),
		.flags = flags[rng_below(r, ARRAY_SIZE(flags))],
	};

	if (rng_below(r, 20) == 0)
		s.seq = (uint32_t)rng_next(r);
	if (rng_below(r, 20) == 0)
		s.ack = (uint32_t)rng_next(r);
	return s;
}

static void check_step(struct splice_pair *p, enum dir d,
		       const struct splice_segment *s, uint64_t now,
		       unsigned *reached)
{
	struct splice_pair was = *p;
	bool pre = !splice_is_live(p);
	uint32_t events;
	enum splice_act act = splice_step(p, d, s, now, &events);

	for (int k = 0; k < DIR_COUNT; k++) {
		uint8_t a = was.side[k].state, b = p->side[k].state;

		CHECK(may_follow(a, b) ||
		      (pre && a == SPLICE_SPLICED && b == SPLICE_PRE_SPLICED) ||
		      (pre && a == SPLICE_SHUTDOWN && b <= SPLICE_SPLICED));
		if (a != b)
			*reached |= 1u << b;
		CHECK(p->side[k].acked >= was.side[k].acked);
		CHECK(seq_le(was.side[k].hi, p->side[k].hi));
		CHECK(seq_le(was.side[k].lo, p->side[k].lo));
		CHECK(seq_le(was.side[k].ack, p->side[k].ack));
		CHECK(seq_le(was.side[k].end, p->side[k].end));
	}
	/* Live is live for good; then all is relayed but a SYN: in TIMEWAIT it is
	 * another connection's, else it is answered.
	 */
	CHECK(pre || splice_is_live(p));
	CHECK((act == SPLICE_TO_SENDER) ==
	      (!pre && !splice_in_timewait(&was) &&
	       (s->flags & (SPLICE_SYN | SPLICE_ACK | SPLICE_RST)) ==
		       SPLICE_SYN));
	CHECK((act == SPLICE_TO_STACK) ==
	      (!splice_is_live(p) || (events & SPLICE_EV_REUSED) != 0));
	CHECK(((events & SPLICE_EV_JOINED) != 0) == (pre && splice_is_live(p)));
	CHECK((p->side[0].state == SPLICE_TIMEWAIT) ==
	      (p->side[1].state == SPLICE_TIMEWAIT));
	CHECK(!splice_in_timewait(&was) || p->since == was.since ||
	      (events & SPLICE_EV_REVIVED) != 0);
	CHECK(splice_in_timewait(&was) || !splice_in_timewait(p) ||
	      p->since == now);
	/* What does not count moves nothing. */
	if (!pre && !splice_counts(&was, d, s)) {
		CHECK(p->side[0].state == was.side[0].state);
		CHECK(p->side[1].state == was.side[1].state);
		CHECK(p->side[0].end == was.side[0].end);
		CHECK(p->side[1].end == was.side[1].end);
	}
}

static void states_follow_the_table_whatever_comes(void)
{
	struct rng rng = { 9 };
	unsigned reached = 0;

	for (int i = 0; i < 30000; i++) {
		static const struct splice_tuple any = { .sport = 1 };
		struct splice_socket k[DIR_COUNT];
		struct splice_pair p;
		uint32_t events;

		sockets(k, (uint32_t)rng_next(&rng));
		k[DIR_C2S].pending = rng_below(&rng, 3);
		k[DIR_S2C].pending = rng_below(&rng, 2);
		splice_intend(&p, &any, &any, false, 1, 0);
		CHECK(splice_begin(&p, k, 0, &events) == SPLICE_AGREED);
		for (uint64_t n = 1; n < 30; n++) {
			enum dir d = rng_below(&rng, 2) ? DIR_C2S : DIR_S2C;
			struct splice_segment s = any_segment(&rng, &p, d);

			check_step(&p, d, &s, n, &reached);
		}
	}
	CHECK(reached == (1u << SPLICE_PRE_SPLICED | 1u << SPLICE_SPLICED |
			  1u << SPLICE_FIN_RELAYED | 1u << SPLICE_SHUTDOWN |
			  1u << SPLICE_TIMEWAIT));
}

/* A segment of a pair with cuts. Return: the cut was reached */
static bool check_cut(struct splice_pair *p, enum dir d,
		      const struct splice_segment *s, uint64_t now)
{
	enum dir o = dir_reverse(d);
	struct splice_pair was = *p;
	bool live = splice_is_live(p);
	uint32_t events;
	enum splice_act act = splice_step(p, d, s, now, &events);

	CHECK(act != SPLICE_TO_NOBODY || live);
	if (act == SPLICE_TO_PEER && splice_end(s) != s->seq &&
	    !(s->flags & SPLICE_RST))
		CHECK(seq_le(splice_end(s), was.side[d].cut));
	if (splice_has_cut(p)) {
		CHECK(seq_le(p->side[d].cut, was.side[d].cut));
		CHECK(seq_le(was.side[d].end, p->side[d].cut) || !live);
	}
	if (!(events & SPLICE_EV_CUT))
		return false;
	CHECK(!splice_is_live(p));
	if (!live)
		return true;
	CHECK(seq_le(seqmap_seq(&p->map, o, was.side[o].cut),
		     (s->flags & SPLICE_ACK) ? s->ack : was.side[d].ack) ||
	      was.side[d].ack == seqmap_seq(&p->map, o, was.side[o].cut));
	CHECK((p->side[d].state == SPLICE_ESTABLISHED) ==
	      ((was.flags & SPLICE_PAIR_READY) != 0 &&
	       (act != SPLICE_TO_NOBODY)));
	return true;
}

static void nothing_beyond_a_cut_crosses_whatever_comes(void)
{
	struct rng rng = { 29 };
	unsigned cuts = 0;

	for (int i = 0; i < 30000; i++) {
		static const struct splice_tuple any = { .sport = 1 };
		struct splice_socket k[DIR_COUNT];
		struct splice_pair p;
		uint32_t events;

		sockets(k, (uint32_t)rng_next(&rng));
		k[DIR_C2S].has_cut = k[DIR_S2C].has_cut = true;
		k[DIR_C2S].cut = rng_below(&rng, 3);
		k[DIR_S2C].cut = 1 + rng_below(&rng, 8);
		splice_intend(&p, &any, &any, false, 1, 0);
		CHECK(splice_begin(&p, k, 0, &events) == SPLICE_AGREED);
		for (uint64_t n = 1; n < 30; n++) {
			enum dir d = rng_below(&rng, 2) ? DIR_C2S : DIR_S2C;
			const uint32_t cut[DIR_COUNT] = { p.side[DIR_C2S].cut,
							  p.side[DIR_S2C].cut };
			struct splice_segment s = any_segment(&rng, &p, d);

			if (rng_below(&rng, 8) == 0)
				CHECK(splice_ready(&p, cut));
			if (check_cut(&p, d, &s, n)) {
				cuts++;
				break;
			}
			if (splice_in_timewait(&p))
				break;
		}
	}
	CHECK(cuts > 1000);
}

static void timewait_is_due_after_its_time(void)
{
	struct splice_pair p = joined(0);

	splice_to_timewait(&p, 100);
	CHECK(!splice_due(&p, 50, 149));
	CHECK(splice_due(&p, 50, 150));
}

static void silence_ends_a_pair(void)
{
	static const struct splice_limits l = {
		.opening = 10, .idle = 1000, .closing = 100, .timewait = 50
	};
	static const struct splice_limits none = { .timewait = 50 };
	static const struct splice_tuple any = { .sport = 1 };
	struct splice_pair p = joined(0);

	/* It was seen at 5. */
	CHECK(splice_is_over(&p, &l, 1004) == SPLICE_GOES_ON);
	CHECK(splice_is_over(&p, &l, 1005) == SPLICE_IDLE);
	p.side[DIR_S2C].state = SPLICE_FIN_RELAYED;
	CHECK(splice_is_over(&p, &l, 104) == SPLICE_GOES_ON);
	CHECK(splice_is_over(&p, &l, 105) == SPLICE_HALF_CLOSED);
	CHECK(splice_is_over(&p, &none, UINT64_MAX) == SPLICE_GOES_ON);
	p.side[DIR_S2C].state = SPLICE_SPLICED;
	p.side[DIR_C2S].state = SPLICE_SHUTDOWN;
	CHECK(splice_is_over(&p, &l, 105) == SPLICE_HALF_CLOSED);
	splice_to_timewait(&p, 200);
	p.seen = 240;
	CHECK(splice_is_over(&p, &l, 249) == SPLICE_GOES_ON);
	CHECK(splice_is_over(&p, &l, 250) == SPLICE_DONE);
	CHECK(splice_is_over(&p, &none, 250) == SPLICE_DONE);
	splice_intend(&p, &any, &any, false, 1, 20);
	CHECK(splice_is_over(&p, &l, 29) == SPLICE_GOES_ON);
	CHECK(splice_is_over(&p, &l, 30) == SPLICE_NEVER_JOINED);
	CHECK(splice_is_over(&p, &none, UINT64_MAX) == SPLICE_GOES_ON);
	p.side[0].state = p.side[1].state = SPLICE_PRE_SPLICED;
	CHECK(splice_is_over(&p, &l, 30) == SPLICE_NEVER_JOINED);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "offsets are differences of counters",
		  offsets_are_differences_of_counters },
		{ "flags are of both", flags_are_of_both },
		{ "intending forgets the pair before",
		  intending_forgets_the_pair_before },
		{ "edges of the window", edges_of_the_window },
		{ "windows as if nothing wrapped",
		  windows_as_if_nothing_wrapped },
		{ "windows are scaled and kept", windows_are_scaled_and_kept },
		{ "states follow the table, whatever comes",
		  states_follow_the_table_whatever_comes },
		{ "TIMEWAIT is due after its time",
		  timewait_is_due_after_its_time },
		{ "nothing beyond a cut crosses, whatever comes",
		  nothing_beyond_a_cut_crosses_whatever_comes },
		{ "silence ends a pair", silence_ends_a_pair },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
