/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_shadow_behind.c - Unit test of shadow: flows that are behind, and waits
 *
 * What is shed and taken up again, what is waited for, and what the machine tells
 * or is told beside a flow's segments. The test is the machine's caller, as in
 * test_shadow_messages.c. More than 600 lines: one short test a state.
 */
#include "shadow_rig.h"

/* --- what is shed --- */

/* A SUT that takes half a message: what the client sends stays in the queue. */
static struct flow *deaf_flow(struct rig *r, uint16_t port)
{
	struct flow *f = open_http(r, port);
	struct segment shut = segment(r, WHO_SUT, port, TCP_ACK, 1, 1, 0);

	shut.win = LEN / 2;
	sut_segment(r, &shut);
	return f;
}

static void one_message_alone_is_more_than_the_share(void)
{
	struct rig r;
	struct flow *f;

	rig_init(&r);
	r.lim.flow_share = 1024;
	r.opt.shed = true;
	rig_start(&r);
	f = deaf_flow(&r, CLIENT);
	for (uint32_t seq = 1; f->shed == SHED_NO; seq += LEN)
		ask(&r, f, seq, 1, PART);
	CHECK(f->shed == SHED_WANTED && f->leg.state == LEG_OPEN);
	ask(&r, f, (uint32_t)(f->w.c.nxt - C_ISS), 1, PART);
	CHECK(f->leg.end == FLOW_END_BEHIND);
	rig_end(&r);
}

/* Blocks until the pool is scarce, and a little is left. */
static struct buf *make_scarce(struct rig *r)
{
	struct pool *pool = shadow_pool(r->s);
	struct buf *all = NULL;
	struct buf *fr;

	while (pool_used(pool) <= pool_total(pool) - pool_total(pool) / 8) {
		fr = buf_alloc(pool, 1, BUF_QUEUE);
		fr->next = all;
		all = fr;
	}
	return all;
}

/* In order, and of a leg that goes on behind what was left out: a flow that has
 * bytes waiting, and brings more while the pool is scarce.
 */
static void who_brings_more_while_the_pool_is_scarce_is_shed(void)
{
	for (int i = 0; i < 2; i++) {
		struct buf *all;
		struct rig r;
		struct flow *f;

		start(&r);
		f = deaf_flow(&r, CLIENT);
		ask(&r, f, 1, 1, i == 0 ? PART : WHOLE);
		if (i == 1)
			ask(&r, f, 101, 1, OUT);
		all = make_scarce(&r);
		if (i == 0)
			ask_in(&r, f, 101, 1, LEN, PART);
		ask_in(&r, f, 201, 1, LEN, i == 0 ? PART : WHOLE);
		CHECK(f->shed == SHED_WANTED);
		CHECK(f->leg.ending == FLOW_END_NONE);
		push(&r, f);
		CHECK(f->shed == (i == 0 ? SHED_WANTED : SHED_CUT));
		empty_pool(&r, all);
		rig_end(&r);
	}
}

static void early_bytes_are_shed_as_others(void)
{
	struct span sp = { 0 };
	struct segment seg;
	struct buf *all;
	struct rig r;
	struct flow *f;

	start(&r);
	f = deaf_flow(&r, CLIENT);
	client(&r, f, TCP_ACK, 1, 1, LEN);
	client(&r, f, TCP_ACK, 201, 1, LEN);
	CHECK(f->shed == SHED_NO && f->w.c.held == 1);
	seg = segment(&r, WHO_CLIENT, CLIENT, TCP_ACK, 101, 1, LEN);
	shadow_client(r.s, f, &seg, r.now);
	CHECK(shadow_span(r.s, f, WHO_CLIENT, &seg, r.now, &sp));
	all = make_scarce(&r);
	CHECK(f->shed == SHED_NO);
	CHECK(shadow_span(r.s, f, WHO_CLIENT, &seg, r.now, &sp));
	CHECK(f->shed == SHED_WANTED);
	CHECK(!shadow_span(r.s, f, WHO_CLIENT, &seg, r.now, &sp));
	push(&r, f);
	empty_pool(&r, all);
	rig_end(&r);
}

/* Which ends are of a flow that was shed, and may be taken up. */
static void who_is_shed_is_known_by_its_end(void)
{
	static const struct {
		enum flow_end end;
		bool shed;
	} row[] = { { FLOW_END_BEHIND, true },
		    { FLOW_END_METHOD, true },
		    { FLOW_END_POOL_FULL, true },
		    { FLOW_END_IDLE, false } };

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct effects out = { .n = 0 };
		struct rig r;
		struct flow *f;

		start(&r);
		f = open_http(&r, CLIENT);
		CHECK(!shadow_is_shed(f));
		f->framing = 0;
		CHECK(!shadow_is_shed(f));
		f->framing = HTTP;
		ask(&r, f, 1, 1, OUT);
		CHECK(shadow_is_shed(f) && f->q.left);
		shadow_end(r.s, f, row[i].end, r.now, &out);
		CHECK(shadow_is_shed(f) == row[i].shed);
		rig_end(&r);
	}
}

/* The SUT's window ends where the first request does: what is cut there leaves
 * nothing to send.
 */
static void a_frame_is_cut_where_the_window_ended(void)
{
	struct segment seg;
	struct span sp = { 0 };
	struct rig r;
	struct flow *f;

	start(&r);
	f = open_http(&r, CLIENT);
	seg = segment(&r, WHO_SUT, CLIENT, TCP_ACK, 1, 1, 0);
	seg.win = LEN;
	sut_segment(&r, &seg);
	seg = segment(&r, WHO_CLIENT, CLIENT, TCP_ACK, 1, 1, 2 * LEN);
	shadow_client(r.s, f, &seg, r.now);
	CHECK(shadow_span(r.s, f, WHO_CLIENT, &seg, r.now, &sp));
	shadow_mark(r.s, f, WHO_CLIENT, C_ISS + 101, r.now);
	shadow_mark(r.s, f, WHO_CLIENT, C_ISS + 201, r.now);
	CHECK(!shadow_span(r.s, f, WHO_CLIENT, &seg, r.now, &sp));
	push(&r, f);
	CHECK(f->leg.snd_nxt == C_ISS + 101 && f->q.send == f->q.head);
	pass(&r, SHADOW_MAX_LAG + SEC);
	CHECK(f->shed == SHED_CUT && f->q.head && !f->q.send);
	CHECK(f->q.head->len == LEN);
	rig_end(&r);
}

/* The SUT says more than it was asked: where the message ends that goes out is
 * not known, nor is the one in turn the last.
 */
static void a_sut_that_is_ahead_is_not_shed_between(void)
{
	struct segment seg;
	struct effects out;
	struct rig r;
	struct flow *f;

	start(&r);
	f = open_http(&r, CLIENT);
	ask(&r, f, 1, 1, PART);
	sut_says(&r, f, 1, 1, true);
	pass(&r, SHADOW_MAX_LAG + SEC);
	CHECK(f->shed == SHED_WANTED && f->leg.state == LEG_OPEN);

	f = open_http(&r, CLIENT + 1);
	ask(&r, f, 1, 1, WHOLE);
	pass(&r, SHADOW_MAX_LAG + SEC);
	CHECK(f->shed == SHED_CUT);
	out = room(&r);
	seg = segment(&r, WHO_SUT, CLIENT + 1, TCP_ACK, 1, 101, LEN);
	CHECK(shadow_sut(r.s, 0, &seg, r.now, &out) == f);
	take(&r, &out);
	spans(&r, f, WHO_SUT, &seg);
	begin(&r, f, WHO_SUT);
	shadow_mark(r.s, f, WHO_SUT, S_ISS + 51, r.now);
	shadow_mark(r.s, f, WHO_SUT, S_ISS + 101, r.now);
	push(&r, f);
	CHECK(f->leg.state == LEG_OPEN);
	rig_end(&r);
}

/* Its FIN was acked with its last request: it ends by closing. */
static void a_flow_whose_fin_is_acked_is_not_shed(void)
{
	struct rig r;
	struct flow *f;

	start(&r);
	f = open_http(&r, CLIENT);
	ask(&r, f, 1, 1, WHOLE);
	client(&r, f, TCP_ACK | TCP_FIN, 101, 1, 0);
	CHECK(sent(&r, CAUSE_FIN));
	pass(&r, SHADOW_MAX_LAG + SEC);
	CHECK(f->shed == SHED_CUT && f->leg.state == LEG_OPEN);
	prod_says(&r, f, 1, 102, true);
	sut_says(&r, f, 1, 102, true);
	CHECK(f->leg.state == LEG_OPEN && f->leg.snd_una == C_ISS + 102);
	rig_end(&r);
}

/* What was dropped is in front of the client's FIN: no FIN is sent. */
static void the_fin_of_a_flow_that_was_cut_is_not_sent(void)
{
	struct rig r;
	struct flow *f;

	start(&r);
	f = open_http(&r, CLIENT);
	ask(&r, f, 1, 1, WHOLE);
	pass(&r, SHADOW_MAX_LAG + SEC);
	CHECK(f->shed == SHED_CUT);
	clear(&r);
	client(&r, f, TCP_ACK | TCP_FIN, 101, 1, 0);
	CHECK((f->w.ev & EV_C_FIN) && f->leg.state == LEG_OPEN);
	CHECK(!sent(&r, CAUSE_FIN));
	rig_end(&r);
}

/* --- what is taken up --- */

static struct flow *shed_flow(struct rig *r, uint16_t port)
{
	struct effects out = { .n = 0 };
	struct flow *f = open_http(r, port);

	shadow_end(r->s, f, FLOW_END_BEHIND, r->now, &out);
	CHECK(shadow_is_shed(f));
	return f;
}

/* Each thing that is in the way of a flow that was shed. */
static void what_was_shed_is_taken_up_when_nothing_is_in_its_way(void)
{
	enum {
		NOTHING,
		RESET,
		ENDED,
		FREED,
		OLDER,
		SUT_BEHIND,
		PROD_BEHIND,
		UNKNOWN,
		ALL
	};

	for (int i = 0; i < ALL; i++) {
		struct exchange *x;
		struct rig r;
		struct flow *f;

		start(&r);
		f = shed_flow(&r, CLIENT);
		if (i == RESET)
			client(&r, f, TCP_RST, 1, 0, 0);
		else if (i == ENDED)
			prod(&r, f, TCP_ACK | TCP_FIN, 1, 1, 0);
		else if (i == OLDER || i == PROD_BEHIND) {
			x = exchange_open(&f->x, shadow_pool(r.s), WHO_CLIENT);
			shadow_mark(r.s, f, WHO_CLIENT, C_ISS + 1, r.now);
			if (i == OLDER)
				shadow_mark(r.s, f, WHO_PROD, P_ISS + 1, r.now);
			shadow_mark(r.s, f, WHO_SUT, S_ISS + 1, r.now);
			x->flags |= X_JUDGED;
			if (i == PROD_BEHIND) /* as if it was here */
				exchange_drop(&f->x, shadow_pool(r.s));
			if (i == PROD_BEHIND)
				f->x.marks[WHO_PROD] = 0;
		} else if (i == SUT_BEHIND)
			f->x.marks[WHO_CLIENT] = f->x.marks[WHO_PROD] = 1;
		else if (i == UNKNOWN)
			f->framing |= FRAMING_AMBIGUOUS;
		if (i == FREED)
			f->want |= WANT_FREE;
		ask_in(&r, f, 1, 1, LEN, WHOLE);
		CHECK((f->leg.state == LEG_WAITING) == (i == NOTHING));
		CHECK(count(&r)->flows_taken_up == (i == NOTHING));
		f->want &= (uint16_t)~WANT_FREE;
		rig_end(&r);
	}
}

static void a_flow_is_taken_up_when_there_is_room(void)
{
	struct rig r;
	struct flow *f;

	/* Too many wait for a SYN,ACK. */
	start(&r);
	f = shed_flow(&r, CLIENT);
	for (uint16_t i = 1; i <= 8; i++)
		syn(&r, (uint16_t)(CLIENT + i));
	ask_in(&r, f, 1, 1, LEN, WHOLE);
	CHECK(f->leg.state == LEG_NONE);
	rig_end(&r);

	/* Where nobody is shed for it, the SUT's lag does not matter. */
	start(&r);
	f = open_http(&r, CLIENT + 1);
	ask(&r, f, 1, 1, WHOLE);
	r.now += SHADOW_MAX_LAG;
	sut(&r, CLIENT + 1, TCP_ACK, 1, 101, 0);
	f = shed_flow(&r, CLIENT);
	ask_in(&r, f, 1, 1, LEN, WHOLE);
	CHECK(f->leg.state == LEG_NONE);
	rig_end(&r);

	rig_init(&r);
	rig_start(&r);
	f = open_http(&r, CLIENT + 1);
	ask(&r, f, 1, 1, WHOLE);
	r.now += SHADOW_MAX_LAG;
	sut(&r, CLIENT + 1, TCP_ACK, 1, 101, 0);
	f = shed_flow(&r, CLIENT);
	ask_in(&r, f, 1, 1, LEN, WHOLE);
	CHECK(f->leg.state == LEG_WAITING);
	push(&r, f);
	rig_end(&r);
}

/* The leg goes on behind what it left out, unless it ends, is cut, or does not
 * know messages any more; and if there is memory.
 */
static void a_leg_goes_on_behind_what_was_left_out(void)
{
	enum { GOES_ON, ENDS, IS_CUT, UNKNOWN, NO_MEMORY, ALL };

	for (int i = 0; i < ALL; i++) {
		struct buf *all = NULL;
		struct rig r;
		struct flow *f;

		start(&r);
		f = open_http(&r, CLIENT);
		ask(&r, f, 1, 1, WHOLE);
		ask(&r, f, 101, 1, OUT);
		if (i == ENDS)
			shadow_no_room(f);
		else if (i == IS_CUT)
			pass(&r, SHADOW_MAX_LAG + SEC);
		else if (i == UNKNOWN)
			f->framing |= FRAMING_AMBIGUOUS;
		else if (i == NO_MEMORY)
			exchange_open(&f->x, shadow_pool(r.s), WHO_CLIENT);
		if (i == NO_MEMORY)
			all = fill_pool(&r);
		CHECK((f->shed == SHED_CUT) == (i == IS_CUT));
		ask_in(&r, f, 201, 1, LEN, WHOLE);
		CHECK(f->q.left == (i != GOES_ON));
		push(&r, f);
		empty_pool(&r, all);
		rig_end(&r);
	}
}

/* --- waits --- */

/* Time passes, and the SUT's wire is read empty all the while. */
static void wait_for(struct rig *r, uint64_t ns)
{
	uint64_t until = r->now + ns;

	while (r->now < until) {
		pass(r, 100 * NS_PER_MS);
		shadow_sut_read(r->s, r->now);
	}
}

static void begin_waits(struct rig *r, uint64_t wait, uint64_t lag)
{
	rig_init(r);
	r->opt.reopen = true;
	r->opt.shed = true;
	r->opt.answer_wait = wait;
	r->opt.max_lag = lag;
	rig_start(r);
}

static void a_wait_ends_once_and_in_its_time(void)
{
	struct shadow_wait w;
	struct exchange *x;
	struct rig r;
	struct flow *f;

	begin_waits(&r, 5 * SEC, 1000 * SEC);
	f = open_http(&r, CLIENT);
	CHECK(!shadow_wait_over(r.s, f, r.now, &w));
	x = ask(&r, f, 1, 1, WHOLE);
	sut(&r, CLIENT, TCP_ACK, 1, 101, 0);
	prod_says(&r, f, 1, 101, true);
	CHECK(f->wait.on && !shadow_wait_over(r.s, f, r.now, &w));
	wait_for(&r, 6 * SEC);
	CHECK(r.wants & WANT_WAIT);
	x->flags |= X_JUDGED;
	CHECK(!shadow_wait_over(r.s, f, r.now, &w));
	x->flags &= (uint16_t)~X_JUDGED;
	CHECK(shadow_wait_over(r.s, f, r.now, &w) == x && !w.flowing);
	x->flags |= X_JUDGED;
	CHECK(!shadow_wait_over(r.s, f, r.now, &w) && f->leg.unheard);
	rig_end(&r);
}

/* Its caller has judged it, and not looked at the flow since. */
static void a_wait_for_what_is_judged_ends_by_itself(void)
{
	struct exchange *x;
	struct rig r;
	struct flow *f;

	begin_waits(&r, 5 * SEC, 1000 * SEC);
	f = open_http(&r, CLIENT);
	x = ask(&r, f, 1, 1, WHOLE);
	sut(&r, CLIENT, TCP_ACK, 1, 101, 0);
	prod_says(&r, f, 1, 101, true);
	clear(&r);
	wait_for(&r, 4900 * NS_PER_MS);
	CHECK(f->wait.on && !(r.wants & WANT_WAIT));
	x->flags |= X_JUDGED;
	wait_for(&r, SEC);
	CHECK(!(r.wants & WANT_WAIT) && !f->wait.on);
	rig_end(&r);
}

/* A byte now and then, for longer than any answer is waited for. */
static void an_answer_that_never_ends_is_late_at_last(void)
{
	struct shadow_wait w;
	struct segment seg;
	struct exchange *x;
	struct rig r;
	struct flow *f;

	begin_waits(&r, 5 * SEC, 1000 * SEC);
	f = open_http(&r, CLIENT);
	x = ask(&r, f, 1, 1, WHOLE);
	sut(&r, CLIENT, TCP_ACK, 1, 101, 0);
	prod_says(&r, f, 1, 101, true);
	for (uint32_t i = 0; !(r.wants & WANT_WAIT) && i < 100; i++) {
		seg = segment(&r, WHO_SUT, CLIENT, TCP_ACK, 1 + i, 101, 1);
		begin(&r, f, WHO_SUT);
		shadow_answering(r.s, f, r.now);
		sut_segment(&r, &seg);
		wait_for(&r, SEC);
	}
	CHECK(shadow_wait_over(r.s, f, r.now, &w) == x && w.flowing);
	rig_end(&r);
}

/* Nobody is waited for while this process stands still, not even a SUT. */
static void a_sut_owes_nothing_while_we_stand_still(void)
{
	struct rig r;

	rig_init(&r);
	r.opt.sut_silent = 10 * SEC;
	rig_start(&r);
	syn(&r, CLIENT);
	r.now += 60 * SEC;
	shadow_stalled(r.s, 60 * SEC);
	shadow_check(r.s, r.now);
	pass(&r, 2 * SEC);
	CHECK(!shadow_is_silent(r.s, 0));
	pass(&r, 10 * SEC);
	CHECK(shadow_is_silent(r.s, 0));
	rig_end(&r);
}

/* The SUT is silent, and its answer is waited for yet: it is asked again. When the
 * wait is over its leg ends as those of a silent SUT do.
 */
static void a_silent_sut_is_waited_for(void)
{
	struct effects out = { .n = 0 };
	struct shadow_wait w;
	struct rig r;
	struct flow *f;

	rig_init(&r);
	r.opt.answer_wait = 30 * SEC;
	r.opt.max_lag = 1000 * SEC;
	r.opt.shed = true;
	r.opt.sut_silent = 10 * SEC;
	rig_start(&r);
	f = open_http(&r, CLIENT);
	ask(&r, f, 1, 1, WHOLE);
	prod_says(&r, f, 1, 101, true);
	wait_for(&r, 20 * SEC);
	CHECK(shadow_is_silent(r.s, 0) && f->leg.state == LEG_OPEN);
	CHECK(f->leg.tries > 0);
	clear(&r);
	wait_for(&r, 12 * SEC);
	CHECK(sent(&r, CAUSE_DATA_AGAIN) && (r.wants & WANT_WAIT));
	CHECK(shadow_wait_over(r.s, f, r.now, &w) != NULL);
	judge_all(f);
	shadow_waited(r.s, f, r.now, &out);
	take(&r, &out);
	CHECK(f->leg.end == FLOW_END_SUT_SILENT);
	rig_end(&r);
}

/* Longer than it may lag: what waits for a SUT that says nothing is withheld while
 * its answer is waited for; if not even our SYN is answered, also where that wait is
 * the longer one.
 */
static void a_wait_outlives_the_lag(void)
{
	for (int i = 0; i < 2; i++) {
		struct rig r;
		struct flow *f;

		begin_waits(&r, i == 0 ? 5 * SEC : 50 * SEC, 30 * SEC);
		if (i == 0) {
			f = open_http(&r, CLIENT);
		} else {
			f = syn(&r, CLIENT);
			f->framing = HTTP;
			prod(&r, f, TCP_SYN | TCP_ACK, 0, 1, 0);
		}
		ask(&r, f, 1, 1, WHOLE);
		wait_for(&r, 28 * SEC);
		prod_says(&r, f, 1, 101, true);
		CHECK(f->wait.on);
		wait_for(&r, 4 * SEC);
		CHECK(f->wait.on && f->shed == SHED_NO);
		CHECK(f->leg.state == (i == 0 ? LEG_OPEN : LEG_SYN_SENT));
		rig_end(&r);
	}
}

/* A connection that has begun anew since may lag no longer for that. */
static void a_new_connection_is_no_excuse_for_lag(void)
{
	struct rig r;
	struct flow *f;

	begin_waits(&r, 50 * SEC, 30 * SEC);
	f = open_http(&r, CLIENT);
	ask(&r, f, 1, 1, WHOLE);
	ask(&r, f, 101, 1, WHOLE);
	prod_says(&r, f, 1, 201, true);
	prod_says(&r, f, 101, 201, true);
	wait_for(&r, 28 * SEC);
	sut_says(&r, f, 1, 101, true);
	judge_all(f);
	f->x.tail->flags &= (uint16_t)~X_JUDGED;
	sut(&r, CLIENT, TCP_FIN | TCP_ACK, 101, 101, 0);
	CHECK(f->leg.state == LEG_SYN_SENT && f->wait.on);
	wait_for(&r, 4 * SEC);
	CHECK(f->leg.end == FLOW_END_BEHIND);
	rig_end(&r);
}

/* Late data of the client's has waited long enough; the answer has not. */
static void late_data_waits_for_the_answer(void)
{
	struct rig r;
	struct flow *f;

	begin_waits(&r, 20 * SEC, 1000 * SEC);
	f = open_http(&r, CLIENT);
	ask(&r, f, 1, 1, WHOLE);
	sut(&r, CLIENT, TCP_ACK, 1, 101, 0);
	prod_says(&r, f, 1, 101, true);
	prod(&r, f, TCP_ACK | TCP_FIN, 101, 101, 0);
	client(&r, f, TCP_ACK, 101, 102, LEN);
	wait_for(&r, 10 * SEC);
	CHECK(f->wait.on && f->leg.hold_passed && f->leg.state == LEG_OPEN);
	CHECK(count(&r)->late_data_dropped == 0);
	rig_end(&r);
}

/* A newer flow has its tuple, and production's answer was not whole: the SUT's is
 * not waited for.
 */
static void a_broken_answer_is_not_waited_for(void)
{
	struct rig r;
	struct flow *f;

	begin_waits(&r, 20 * SEC, 1000 * SEC);
	f = open_http(&r, CLIENT);
	ask(&r, f, 1, 1, WHOLE);
	sut(&r, CLIENT, TCP_ACK, 1, 101, 0);
	prod_says(&r, f, 1, 101, false);
	CHECK(f->wait.on && !f->wait.whole);
	syn_of(&r, &f->key, 50000);
	clear(&r);
	push(&r, f);
	CHECK(f->leg.end == FLOW_END_REUSED && sent(&r, CAUSE_RST));
	rig_end(&r);
}

/* --- what is told, and asked --- */

/* More than a uint32_t has us. */
static void production_takes_an_hour_and_more(void)
{
	struct exchange *x;
	struct rig r;
	struct flow *f;

	start(&r);
	f = open_http(&r, CLIENT);
	x = ask(&r, f, 1, 1, WHOLE);
	r.now += 5000 * SEC;
	prod_says(&r, f, 1, 101, true);
	CHECK(x->p_took == UINT32_MAX);
	rig_end(&r);
}

static struct segment with_ts(struct segment seg, uint32_t tsval)
{
	seg.opts.has = OPT_HAS_TS;
	seg.opts.tsval = tsval;
	return seg;
}

/* A segment without a stamp changes none, and a keepalive in front of our ACK is
 * answered with that.
 */
static void a_sut_may_leave_its_stamp_out(void)
{
	struct flow_key key = key_of(CLIENT, 0);
	struct shadow_leg leg = { 0, SERVED, true };
	struct effects out = { .n = 0 };
	struct segment seg;
	struct rig r;
	struct flow *f;

	start(&r);
	seg = with_ts(segment(&r, WHO_CLIENT, CLIENT, TCP_SYN, 0, 0, 0), 7);
	f = shadow_syn(r.s, &key, &leg, &seg, r.now, &out);
	push(&r, f);
	seg = with_ts(segment(&r, WHO_SUT, CLIENT, TCP_SYN | TCP_ACK, 0, 1, 0),
		      70);
	sut_segment(&r, &seg);
	CHECK((f->leg.flags & L_TS) && f->leg.tsval == 70);
	sut(&r, CLIENT, TCP_ACK, 0, 1, 0);
	CHECK((f->leg.flags & L_HANDSHAKE) && !f->leg.dup_ack);
	seg = with_ts(segment(&r, WHO_SUT, CLIENT, TCP_ACK, 1, 1, 0), 71);
	sut_segment(&r, &seg);
	sut(&r, CLIENT, TCP_ACK, 1, 1, 0);
	CHECK(f->leg.tsval == 71);
	rig_end(&r);
}

static void what_is_closed_is_not_owned(void)
{
	struct segment seg;
	struct rig r;
	struct flow *f;

	start(&r);
	f = open_flow(&r, CLIENT);
	seg = segment(&r, WHO_SUT, CLIENT, TCP_ACK, 1, 1, 0);
	CHECK(shadow_owns(r.s, 0, &seg));
	client(&r, f, TCP_ACK | TCP_FIN, 1, 1, 0);
	sut(&r, CLIENT, TCP_ACK | TCP_FIN, 1, 2, 0);
	prod(&r, f, TCP_ACK | TCP_FIN, 1, 2, 0);
	pass(&r, 200 * NS_PER_MS);
	CHECK(f->leg.state == LEG_CLOSED && !shadow_owns(r.s, 0, &seg));
	rig_end(&r);
}

/* A newer incarnation begins a little behind the older one's end, and has sent more
 * than that: what production acks of it is nearer to the older one's end.
 */
static void what_a_client_has_sent_is_its_own(void)
{
	struct flow_key key = key_of(CLIENT, 0);
	struct segment seg;
	struct flow *older;
	struct flow *newer;
	struct rig r;

	start(&r);
	older = open_flow(&r, CLIENT);
	client(&r, older, TCP_ACK, 1, 1, 1000);
	newer = syn_of(&r, &key, 2000);
	push(&r, newer);
	seg = segment(&r, WHO_CLIENT, CLIENT, TCP_ACK, 2001, 1, 4000);
	shadow_client(r.s, newer, &seg, r.now);
	spans(&r, newer, WHO_CLIENT, &seg);
	push(&r, newer);
	seg = segment(&r, WHO_PROD, CLIENT, TCP_ACK, 1, 2101, 0);
	CHECK(shadow_find_acked(r.s, &key, &seg) == newer);
	seg = segment(&r, WHO_PROD, CLIENT, TCP_ACK, 1, 1001, 0);
	CHECK(shadow_find_acked(r.s, &key, &seg) == older);
	seg = segment(&r, WHO_PROD, CLIENT, TCP_ACK, 1, 1002, 0); /* its FIN */
	CHECK(shadow_find_acked(r.s, &key, &seg) == older);
	rig_end(&r);
}

/* Production's place is lost: what the client acks far ahead of it, it has sent. */
static void a_lost_place_follows_the_clients_acks(void)
{
	struct rig r;
	struct flow *f;

	start(&r);
	f = open_flow(&r, CLIENT);
	prod(&r, f, TCP_ACK, 1, 1, 2 * LEN);
	f->w.flags |= W_PLOST;
	client(&r, f, TCP_ACK, 1, 101, 0); /* production is ahead of it */
	CHECK(f->w.p.nxt == P_ISS + 201 && count(&r)->gap_prod_bytes == 0);
	client(&r, f, TCP_ACK, 1, 0x40000000, 0);
	CHECK(f->w.p.nxt == P_ISS + 201);
	client(&r, f, TCP_ACK, 1, 0x40000200, 0);
	CHECK(f->w.p.nxt == P_ISS + 0x200);
	CHECK(count(&r)->gap_prod_bytes == 0x200 - 201);
	rig_end(&r);
}

/* A bare SYN of production's changes no numbers that are known. */
static void a_late_syn_of_production_changes_nothing(void)
{
	struct rig r;
	struct flow *f;

	start(&r);
	f = open_flow(&r, CLIENT);
	prod(&r, f, TCP_SYN, 500, 0, 0);
	CHECK(f->w.p.nxt == P_ISS + 1);
	rig_end(&r);
}

/* The stamp of what left is its flow's, and is looked for so far and no more. */
static void a_stamp_belongs_to_what_left(void)
{
	const struct effect *e = NULL;
	struct exchange *x = NULL;
	struct effect left;
	struct rig r;
	struct flow *f;
	uint32_t seq = 1;

	rig_init(&r);
	r.lim.pool = 8 * BUF_TOP;
	r.lim.flow_share = 8 * BUF_TOP;
	rig_start(&r);
	f = open_http(&r, CLIENT);
	for (int i = 0; i < 70; i++, seq += 10) {
		clear(&r);
		x = ask_in(&r, f, seq, 1, 10, WHOLE);
		push(&r, f);
	}
	CHECK(seen(&r, CAUSE_DATA, &e) == 1 && e->timed);
	left = *e;
	left.flow++;
	shadow_left(r.s, &left, r.now);
	CHECK(f->leg.left_ts == 0);
	shadow_left(r.s, e, r.now); /* behind 64 others */
	CHECK(f->leg.left_ts == r.now && x->s_left == 0);
	sut(&r, CLIENT, TCP_ACK, 1, seq - 20, 0);
	shadow_left(r.s, &r.seen[0], r.now);
	CHECK(x->s_left == r.now);
	rig_end(&r);
}

static void what_waits_for_production_is_known(void)
{
	struct rig r;
	struct flow *f;

	start(&r);
	f = open_http(&r, CLIENT);
	CHECK(!shadow_waits_for_production(f));
	client(&r, f, TCP_ACK, 1, 101, LEN); /* it acks what is not here */
	CHECK(f->q.send && shadow_waits_for_production(f));
	f->w.flags |= W_PLOST;
	CHECK(!shadow_waits_for_production(f));
	f->w.flags &= ~(uint32_t)W_PLOST;
	/* Its numbers begin in front of the SYN: it proves nothing. */
	f = syn(&r, CLIENT + 1);
	client(&r, f, TCP_ACK, 0, 1, LEN);
	CHECK(f->q.send && !(f->w.ev & EV_C_ACK));
	CHECK(!shadow_waits_for_production(f));
	rig_end(&r);
}

/* All ports that are alike are in use but its own: it begins again from that. */
static void without_another_port_its_own_will_do(void)
{
	struct flow *mine = NULL;
	struct rig r;

	rig_init(&r);
	r.opt.shed = true;
	r.lim.flows = 65536;
	rig_start(&r);
	mine = shed_flow(&r, 1024);
	for (uint32_t p = 1040; p < 65536; p += 16) {
		struct flow *f = syn(&r, (uint16_t)p);

		sut(&r, (uint16_t)p, TCP_SYN | TCP_ACK, 0, 1, 0);
		CHECK(f->leg.state == LEG_OPEN);
	}
	clear(&r);
	ask_in(&r, mine, 1, 1, LEN, WHOLE);
	CHECK(mine->leg.other_port);
	push(&r, mine);
	CHECK(mine->leg.state == LEG_SYN_SENT || mine->leg.state == LEG_NONE);
	CHECK(r.n == 1 && r.seen[0].cause == CAUSE_SYN);
	CHECK(r.seen[0].sport == 1024 && mine->eport == 1024);
	rig_end(&r);
}

static const struct check_test tests[] = {
	{ "one message alone is more than the share",
	  one_message_alone_is_more_than_the_share },
	{ "who brings more while the pool is scarce is shed",
	  who_brings_more_while_the_pool_is_scarce_is_shed },
	{ "early bytes are shed as others", early_bytes_are_shed_as_others },
	{ "who is shed is known by its end", who_is_shed_is_known_by_its_end },
	{ "a frame is cut where the window ended",
	  a_frame_is_cut_where_the_window_ended },
	{ "a SUT that is ahead is not shed between",
	  a_sut_that_is_ahead_is_not_shed_between },
	{ "a flow whose FIN is acked is not shed",
	  a_flow_whose_fin_is_acked_is_not_shed },
	{ "the FIN of a flow that was cut is not sent",
	  the_fin_of_a_flow_that_was_cut_is_not_sent },
	{ "what was shed is taken up when nothing is in its way",
	  what_was_shed_is_taken_up_when_nothing_is_in_its_way },
	{ "a flow is taken up when there is room",
	  a_flow_is_taken_up_when_there_is_room },
	{ "a leg goes on behind what was left out",
	  a_leg_goes_on_behind_what_was_left_out },
	{ "a wait ends once and in its time",
	  a_wait_ends_once_and_in_its_time },
	{ "a wait for what is judged ends by itself",
	  a_wait_for_what_is_judged_ends_by_itself },
	{ "an answer that never ends is late at last",
	  an_answer_that_never_ends_is_late_at_last },
	{ "a SUT owes nothing while we stand still",
	  a_sut_owes_nothing_while_we_stand_still },
	{ "a silent SUT is waited for", a_silent_sut_is_waited_for },
	{ "a wait outlives the lag", a_wait_outlives_the_lag },
	{ "a new connection is no excuse for lag",
	  a_new_connection_is_no_excuse_for_lag },
	{ "late data waits for the answer", late_data_waits_for_the_answer },
	{ "a broken answer is not waited for",
	  a_broken_answer_is_not_waited_for },
	{ "production takes an hour and more",
	  production_takes_an_hour_and_more },
	{ "a SUT may leave its stamp out", a_sut_may_leave_its_stamp_out },
	{ "what is closed is not owned", what_is_closed_is_not_owned },
	{ "what a client has sent is its own",
	  what_a_client_has_sent_is_its_own },
	{ "a lost place follows the client's acks",
	  a_lost_place_follows_the_clients_acks },
	{ "a late SYN of production's changes nothing",
	  a_late_syn_of_production_changes_nothing },
	{ "a stamp belongs to what left", a_stamp_belongs_to_what_left },
	{ "what waits for production is known",
	  what_waits_for_production_is_known },
	{ "without another port its own will do",
	  without_another_port_its_own_will_do },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
