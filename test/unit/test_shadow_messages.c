/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_shadow_messages.c - Unit test of shadow: whole messages, and their legs
 *
 * Legs that begin again with a message, that are shed between two, that leave one
 * out, or wait for one: the states that dialogues meet seldom. The test is the
 * machine's caller, and says itself where messages begin and end.
 */
#include "shadow_rig.h"

/* --- what comes with a SYN --- */

static void nothing_is_sent_with_a_ttl_of_0(void)
{
	struct flow_key key = key_of(CLIENT, 0);
	struct shadow_leg leg = { 0, SERVED, true };
	struct effects out = { .n = 0 };
	struct segment seg;
	struct rig r;
	struct flow *f;

	start(&r);
	seg = segment(&r, WHO_CLIENT, CLIENT, TCP_SYN, 0, 0, 0);
	seg.ttl = 0;
	f = shadow_syn(r.s, &key, &leg, &seg, r.now, &out);
	push(&r, f);
	CHECK(r.n == 1 && r.seen[0].ttl == 1);
	rig_end(&r);
}

/* Not cut, not twice, and not behind production's answer. */
static void a_syns_data_is_kept_once_and_whole(void)
{
	struct segment seg;
	struct rig r;
	struct flow *f;

	start(&r);
	f = syn(&r, CLIENT);
	seg = segment(&r, WHO_CLIENT, CLIENT, TCP_SYN, 0, 0, 0);
	shadow_syn_hold(r.s, f, &seg, r.now);
	seg.len = LEN;
	seg.cap = LEN - 1;
	shadow_syn_hold(r.s, f, &seg, r.now);
	CHECK(!f->w.syn_data && shadow_syn_end(f) == C_ISS + 1);
	seg.cap = LEN;
	shadow_syn_hold(r.s, f, &seg, r.now);
	shadow_syn_hold(r.s, f, &seg, r.now);
	CHECK(f->w.syn_data && f->w.c.held == 1);
	CHECK(shadow_syn_end(f) == C_ISS + 1 + LEN);
	/* An older incarnation's number settles nothing. */
	CHECK(!shadow_syn_take(r.s, f, C_ISS) && f->w.syn_data);
	CHECK(shadow_syn_take(r.s, f, C_ISS + 51) && !f->w.syn_data);
	CHECK(!shadow_syn_take(r.s, f, C_ISS + 51));
	CHECK(f->w.c.early->len == 50);

	f = syn(&r, CLIENT + 1);
	prod(&r, f, TCP_SYN | TCP_ACK, 0, 1, 0);
	shadow_syn_hold(r.s, f, &seg, r.now);
	CHECK(!f->w.syn_data && f->w.c.held == 0);
	rig_end(&r);
}

/* What nobody has taken yet is no stream, whoever speaks; and what is dropped is
 * settled.
 */
static void a_syns_data_waits_for_who_takes_it(void)
{
	struct segment seg;
	struct rig r;
	struct flow *f;

	rig_init(&r);
	rig_start(&r);
	f = syn(&r, CLIENT);
	seg = segment(&r, WHO_CLIENT, CLIENT, TCP_SYN, 0, 0, LEN);
	shadow_syn_hold(r.s, f, &seg, r.now);
	spans(&r, f, WHO_CLIENT, NULL);
	CHECK(f->w.syn_data && f->w.c.nxt == C_ISS + 1);
	sut(&r, CLIENT, TCP_RST | TCP_ACK, 0, 1, 0);
	CHECK(f->leg.end == FLOW_END_SUT_REFUSED);
	shadow_lost(r.s, f);
	push(&r, f);
	CHECK(!f->w.syn_data && shadow_syn_end(f) == C_ISS + 1);
	rig_end(&r);
}

/* --- legs that begin again --- */

/* Two requests at once, and the SUT closes behind its first answer. */
static struct flow *closed_between(struct rig *r, uint16_t port)
{
	struct flow *f = open_http(r, port);

	ask(r, f, 1, 1, WHOLE);
	ask(r, f, 101, 1, WHOLE);
	prod_says(r, f, 1, 201, true);
	sut_says(r, f, 1, 101, true);
	judge_all(f);
	return f;
}

static void what_met_two_closed_connections_is_given_up(void)
{
	struct rig r;
	struct flow *f;

	start(&r);
	f = closed_between(&r, CLIENT);
	for (unsigned i = 0; i < 2; i++) {
		r.full = false;
		clear(&r);
		sut_at(&r, f, TCP_FIN | TCP_ACK, i == 0 ? 101 : 1, 101, 0);
		CHECK(f->leg.state == LEG_SYN_SENT && f->q.reopened == i + 1);
		CHECK(f->q.again);
		r.full = true; /* so that the request is not sent on it */
		sut_opens(&r, f);
		CHECK(f->leg.snd_nxt == C_ISS + 101);
	}
	r.full = false;
	sut_at(&r, f, TCP_FIN | TCP_ACK, 1, 101, 0);
	CHECK(f->q.reopened == 2 && count(&r)->resumed_by_close == 2);
	CHECK(f->leg.state == LEG_OPEN);
	rig_end(&r);
}

/* Its RST does not fit in: the leg begins again when it does. */
static void what_begins_again_comes_later(void)
{
	struct rig r;
	struct flow *f;

	start(&r);
	f = closed_between(&r, CLIENT);
	clear(&r);
	r.full = true;
	sut(&r, CLIENT, TCP_FIN | TCP_ACK, 101, 101, 0);
	CHECK(f->leg.state == LEG_OPEN && f->q.reopened == 0 && r.n == 0);
	r.full = false;
	pass(&r, 0);
	CHECK(f->leg.state == LEG_SYN_SENT && sent(&r, CAUSE_RST));
	CHECK(f->q.reopened == 1);
	rig_end(&r);
}

/* A request of which the SUT acks the beginning, on the connection that it has
 * said it would close, may have been done.
 */
static void an_answer_that_closes_is_no_end_yet(void)
{
	struct rig r;
	struct flow *f;

	start(&r);
	f = open_http(&r, CLIENT);
	ask(&r, f, 1, 1, WHOLE);
	ask(&r, f, 101, 1, WHOLE);
	prod_says(&r, f, 1, 201, true);
	sut_says(&r, f, 1, 1, true);
	f->x.at[WHO_SUT]->flags |= X_S_BEGUN;
	shadow_closes(f, true);
	clear(&r);
	push(&r, f);
	CHECK(f->leg.state == LEG_OPEN && (r.wants & WANT_CUT) == 0);
	/* What it acks now is kept: it may have to go out again. */
	sut(&r, CLIENT, TCP_ACK, 101, 201, 0);
	CHECK(f->q.kept && f->q.kept_bytes > 0);
	rig_end(&r);
}

/* Where the pool is scarce nothing is kept for another connection. */
static void a_scarce_pool_keeps_nothing_for_later(void)
{
	struct buf *all;
	struct rig r;
	struct flow *f;

	start(&r);
	f = open_http(&r, CLIENT);
	ask(&r, f, 1, 1, WHOLE);
	ask(&r, f, 101, 1, WHOLE);
	shadow_closes(f, true);
	all = fill_pool(&r);
	sut(&r, CLIENT, TCP_ACK, 1, 201, 0);
	CHECK(!f->q.kept && !f->q.head && f->q.kept_bytes == 0);
	empty_pool(&r, all);
	rig_end(&r);
}

/* Production has ended, or is behind the SUT, or the tuple has a newer flow. */
static void what_production_does_not_answer_begins_no_leg(void)
{
	for (int i = 0; i < 4; i++) {
		struct rig r;
		struct flow *f;

		start(&r);
		f = open_http(&r, CLIENT);
		ask(&r, f, 1, 1, WHOLE);
		ask(&r, f, 101, 1, WHOLE);
		if (i < 3)
			prod_says(&r, f, 1, 201, true);
		sut_says(&r, f, 1, 101, true);
		if (i == 0) /* a newer one, and production began nothing */
			syn_of(&r, &f->key, 50000);
		if (i == 1) /* the same, of an exchange that is not open */
			prod(&r, f, TCP_RST | TCP_ACK, 101, 201, 0);
		if (i == 2) { /* it began */
			prod_says(&r, f, 101, 201, false);
			prod(&r, f, TCP_FIN | TCP_ACK, 201, 201, 0);
		}
		if (i == 3) /* the SUT is ahead of it */
			prod(&r, f, TCP_FIN | TCP_ACK, 1, 201, 0);
		sut(&r, CLIENT, TCP_FIN | TCP_ACK, 101, 101, 0);
		CHECK((f->leg.state == LEG_SYN_SENT) == (i == 2));
		CHECK(count(&r)->resumed_by_close == (i == 2));
		rig_end(&r);
	}
}

/* The beginning of a request that nobody has opened an exchange for. */
static void bytes_without_an_exchange_have_their_turn(void)
{
	for (int i = 0; i < 3; i++) {
		struct rig r;
		struct flow *f;

		start(&r);
		f = open_http(&r, CLIENT);
		ask(&r, f, 1, 1, WHOLE);
		prod_says(&r, f, 1, 101, true);
		sut_says(&r, f, 1, 101, true);
		judge_all(f);
		r.full = i == 0;
		client(&r, f, TCP_ACK, 101, 101, LEN);
		r.full = false;
		if (i > 0)
			sut(&r, CLIENT, TCP_ACK, 101, 201, 0);
		if (i == 1)
			prod(&r, f, TCP_FIN | TCP_ACK, 101, 201, 0);
		sut(&r, CLIENT, TCP_FIN | TCP_ACK, 101, i == 0 ? 101 : 201, 0);
		CHECK((f->leg.state == LEG_SYN_SENT) == (i == 0));
		rig_end(&r);
	}
}

/* --- a RST of the SUT --- */

static void a_reset_where_production_is_behind_ends_the_leg(void)
{
	struct rig r;
	struct flow *f;

	start(&r);
	f = open_http(&r, CLIENT);
	ask(&r, f, 1, 1, WHOLE);
	ask(&r, f, 101, 1, WHOLE);
	sut_says(&r, f, 1, 101, true);
	sut(&r, CLIENT, TCP_RST | TCP_ACK, 101, 101, 0);
	CHECK(f->leg.end == FLOW_END_SUT_RST);
	rig_end(&r);
}

/* What has its turn is not to be played: the leg rests, if messages are known
 * and production has answered what is in front.
 */
static void a_reset_in_front_of_what_is_left_out_is_no_end(void)
{
	for (int i = 0; i < 3; i++) {
		struct rig r;
		struct flow *f;

		start(&r);
		f = open_http(&r, CLIENT);
		ask(&r, f, 1, 1, WHOLE);
		ask(&r, f, 101, 1, OUT);
		if (i != 2)
			prod_says(&r, f, 1, 101, true);
		sut_says(&r, f, 1, 101, true);
		if (i == 1)
			f->framing |= FRAMING_AMBIGUOUS;
		clear(&r);
		sut(&r, CLIENT, TCP_RST | TCP_ACK, 101, 101, 0);
		CHECK((f->leg.state == LEG_WAITING) == (i == 0));
		CHECK(count(&r)->ended[FLOW_END_METHOD] == (i == 0));
		CHECK(i == 0 || f->leg.end == FLOW_END_SUT_RST);
		rig_end(&r);
	}
}

/* --- what is left out --- */

/* A request that is played, and one that is not. */
static struct flow *left_behind(struct rig *r, uint16_t port, enum ask what)
{
	struct flow *f = open_http(r, port);

	ask(r, f, 1, 1, WHOLE);
	ask(r, f, 101, 1, what);
	CHECK(f->q.left);
	return f;
}

static void what_is_left_out_of_no_leg_changes_none(void)
{
	struct effects out = { .n = 0 };
	struct exchange *x;
	struct rig r;
	struct flow *f;

	start(&r);
	f = open_http(&r, CLIENT); /* ended */
	shadow_end(r.s, f, FLOW_END_SUT_RST, r.now, &out);
	x = exchange_open(&f->x, shadow_pool(r.s), WHO_CLIENT);
	shadow_leave_out(r.s, f, x, C_ISS + 1);
	CHECK((x->flags & X_LEFT) && !f->q.left);
	push(&r, f);

	f = open_http(&r, CLIENT + 1); /* closed */
	client(&r, f, TCP_ACK | TCP_FIN, 1, 1, 0);
	sut(&r, CLIENT + 1, TCP_ACK | TCP_FIN, 1, 2, 0);
	pass(&r, 200 * NS_PER_MS);
	prod(&r, f, TCP_ACK | TCP_FIN, 1, 2, 0);
	pass(&r, 200 * NS_PER_MS);
	CHECK(f->leg.state == LEG_CLOSED);
	x = exchange_open(&f->x, shadow_pool(r.s), WHO_CLIENT);
	shadow_leave_out(r.s, f, x, C_ISS + 1);
	CHECK((x->flags & X_LEFT) && !f->q.left);
	rig_end(&r);
}

/* The SUT owes the answer in front; nobody waits for it longer than a FIN does. */
static void a_fin_behind_what_is_left_out_ends_the_leg(void)
{
	struct rig r;
	struct flow *f;

	start(&r);
	f = left_behind(&r, CLIENT, OUT);
	sut(&r, CLIENT, TCP_ACK, 1, 101, 0);
	client(&r, f, TCP_ACK | TCP_FIN, 201, 1, 0);
	CHECK(f->leg.state == LEG_OPEN);
	pass(&r, 40 * SEC);
	CHECK(f->leg.state == LEG_NONE && f->leg.end == FLOW_END_METHOD);
	CHECK(!sent(&r, CAUSE_FIN) && sent(&r, CAUSE_RST));
	rig_end(&r);
}

/* It has its turn, and the client or production has ended. */
static void what_is_left_out_for_good_ends_the_leg(void)
{
	static const struct {
		enum ask what;
		uint16_t ev; /* EV_C_FIN: FIN of the client, and so on */
		bool ends;
	} row[] = {
		{ OUT, EV_C_FIN, false }, /* production may answer it yet */
		{ OUT, EV_P_FIN, true },  { OUT, EV_P_RST, true },
		{ OUT, EV_C_RST, true },  { OUT_PART, EV_C_FIN, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct rig r;
		struct flow *f;

		start(&r);
		f = left_behind(&r, CLIENT, row[i].what);
		prod_says(&r, f, 1, 201, true);
		sut_says(&r, f, 1, 101, true);
		client(&r, f, TCP_ACK, 201, 101, 0);
		CHECK(f->leg.state == LEG_OPEN);
		if (row[i].ev == EV_C_FIN)
			client(&r, f, TCP_ACK | TCP_FIN, 201, 101, 0);
		else if (row[i].ev == EV_C_RST)
			client(&r, f, TCP_RST, 201, 0, 0);
		else if (row[i].ev == EV_P_FIN)
			prod(&r, f, TCP_ACK | TCP_FIN, 101, 201, 0);
		else
			prod(&r, f, TCP_ACK | TCP_RST, 101, 201, 0);
		CHECK((f->leg.state == LEG_NONE) == row[i].ends);
		CHECK(!row[i].ends || f->leg.end == FLOW_END_METHOD);
		rig_end(&r);
	}
}

/* The leg rests behind it, and the client ends or resets there. */
static void a_leg_that_rests_ends_with_the_client(void)
{
	for (int i = 0; i < 2; i++) {
		struct rig r;
		struct flow *f;

		start(&r);
		f = left_behind(&r, CLIENT, OUT);
		prod_says(&r, f, 1, 201, true);
		prod_says(&r, f, 101, 201, true);
		judge_all(f);
		clear(&r);
		sut_says(&r, f, 1, 101, true);
		CHECK(f->leg.state == LEG_WAITING && sent(&r, CAUSE_RST));
		/* Another one is left out; no connection is needed for it. */
		ask(&r, f, 201, 201, OUT);
		prod_says(&r, f, 201, 301, true);
		judge_all(f);
		clear(&r);
		push(&r, f);
		CHECK(f->leg.state == LEG_WAITING && r.n == 0);
		CHECK(f->w.c_iss == C_ISS + 300);
		if (i == 0)
			client(&r, f, TCP_ACK | TCP_FIN, 301, 301, 0);
		else
			client(&r, f, TCP_RST, 301, 0, 0);
		CHECK(f->leg.state == LEG_NONE);
		CHECK(f->leg.end == FLOW_END_METHOD);
		rig_end(&r);
	}
}

/* Without room for its RST the leg goes on until there is; it is passed, and the
 * client has gone on or ended.
 */
static void what_is_left_out_comes_later(void)
{
	for (int i = 0; i < 2; i++) {
		struct rig r;
		struct flow *f;

		start(&r);
		f = left_behind(&r, CLIENT, OUT);
		prod_says(&r, f, 1, 201, true);
		prod_says(&r, f, 101, 201, true);
		judge_all(f);
		if (i == 1)
			client(&r, f, TCP_ACK | TCP_FIN, 201, 201, 0);
		clear(&r);
		r.full = true;
		sut_says(&r, f, 1, 101, true);
		CHECK(f->leg.state == LEG_OPEN && r.n == 0);
		CHECK(shadow_next_timeout(r.s) == 0);
		r.full = false;
		pass(&r, 0);
		CHECK(f->leg.state == (i == 0 ? LEG_WAITING : LEG_NONE));
		CHECK(sent(&r, CAUSE_RST));
		rig_end(&r);
	}
}

/* What is behind it waits until all that is in front has gone out, and been
 * acked.
 */
static void what_is_behind_a_hole_waits_for_the_front(void)
{
	struct segment shut;
	struct rig r;
	struct flow *f;

	start(&r);
	f = left_behind(&r, CLIENT, OUT);
	ask(&r, f, 201, 1, WHOLE);
	CHECK(!f->q.left && f->leg.snd_nxt == C_ISS + 101);
	prod_says(&r, f, 1, 301, true);
	prod_says(&r, f, 101, 301, true);
	judge_all(f);
	sut_says(&r, f, 1, 51, true); /* it acks a part */
	CHECK(f->leg.state == LEG_OPEN && f->leg.snd_una == C_ISS + 51);
	clear(&r);
	sut(&r, CLIENT, TCP_ACK, 101, 101, 0);
	CHECK(f->leg.state == LEG_SYN_SENT && sent(&r, CAUSE_RST));
	CHECK(f->w.c_iss == C_ISS + 200);

	/* Nothing is out, and the SUT lets nothing in. */
	f = open_http(&r, CLIENT + 1);
	shut = segment(&r, WHO_SUT, CLIENT + 1, TCP_ACK, 1, 1, 0);
	shut.win = 0;
	sut_segment(&r, &shut);
	ask(&r, f, 1, 1, WHOLE);
	ask(&r, f, 101, 1, OUT);
	CHECK(f->leg.snd_una == f->leg.snd_nxt && f->q.send && f->q.left);
	CHECK(f->leg.state == LEG_OPEN);
	rig_end(&r);
}

/* Then nothing more of it comes back. */
static void a_sut_that_closes_is_done_with_the_front(void)
{
	struct rig r;
	struct flow *f;

	start(&r);
	f = left_behind(&r, CLIENT, OUT);
	prod_says(&r, f, 1, 201, true);
	prod_says(&r, f, 101, 201, true);
	judge_all(f);
	sut_says(&r, f, 1, 51, true);
	CHECK(f->leg.state == LEG_OPEN);
	sut(&r, CLIENT, TCP_FIN | TCP_ACK, 101, 51, 0);
	CHECK(f->leg.state == LEG_WAITING);
	rig_end(&r);
}

/* It waits for its tuple or its network: what has its turn then is not for it. */
static void a_leg_does_not_start_for_what_is_left_out(void)
{
	struct rig r;
	struct flow *f;

	start(&r);
	f = open_http(&r, CLIENT);
	ask(&r, f, 1, 1, WHOLE);
	ask(&r, f, 101, 1, OUT);
	ask(&r, f, 201, 1, WHOLE);
	prod_says(&r, f, 1, 301, true);
	sut_says(&r, f, 1, 101, true);
	/* Production has not answered what is left out yet. */
	sut(&r, CLIENT, TCP_RST | TCP_ACK, 101, 101, 0);
	clear(&r);
	push(&r, f);
	CHECK(f->leg.state == LEG_WAITING && !sent(&r, CAUSE_SYN));
	rig_end(&r);
}

static const struct check_test tests[] = {
	{ "nothing is sent with a TTL of 0", nothing_is_sent_with_a_ttl_of_0 },
	{ "a SYN's data is kept once and whole",
	  a_syns_data_is_kept_once_and_whole },
	{ "a SYN's data waits for who takes it",
	  a_syns_data_waits_for_who_takes_it },
	{ "what met two closed connections is given up",
	  what_met_two_closed_connections_is_given_up },
	{ "what begins again comes later", what_begins_again_comes_later },
	{ "an answer that closes is no end yet",
	  an_answer_that_closes_is_no_end_yet },
	{ "a scarce pool keeps nothing for later",
	  a_scarce_pool_keeps_nothing_for_later },
	{ "what production does not answer begins no leg",
	  what_production_does_not_answer_begins_no_leg },
	{ "bytes without an exchange have their turn",
	  bytes_without_an_exchange_have_their_turn },
	{ "a reset where production is behind ends the leg",
	  a_reset_where_production_is_behind_ends_the_leg },
	{ "a reset in front of what is left out is no end",
	  a_reset_in_front_of_what_is_left_out_is_no_end },
	{ "what is left out of no leg changes none",
	  what_is_left_out_of_no_leg_changes_none },
	{ "a FIN behind what is left out ends the leg",
	  a_fin_behind_what_is_left_out_ends_the_leg },
	{ "what is left out for good ends the leg",
	  what_is_left_out_for_good_ends_the_leg },
	{ "a leg that rests ends with the client",
	  a_leg_that_rests_ends_with_the_client },
	{ "what is left out comes later", what_is_left_out_comes_later },
	{ "what is behind a hole waits for the front",
	  what_is_behind_a_hole_waits_for_the_front },
	{ "a SUT that closes is done with the front",
	  a_sut_that_closes_is_done_with_the_front },
	{ "a leg does not start for what is left out",
	  a_leg_does_not_start_for_what_is_left_out },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
