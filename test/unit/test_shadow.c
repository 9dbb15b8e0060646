/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_shadow.c - Unit test of shadow: what the scripts cannot say
 *
 * Calls that find no room for effects, a pool and a table that are full, many
 * SUTs and clients, a caller that comes late. Each test is the machine's caller;
 * it ends with rig_end(): all memory and all timers have come back.
 */
#include "core/histogram.h"
#include "shadow_rig.h"

/* The machine is due at once, and sends @cause when there is room. */
static void comes_later(struct rig *r, enum effect_cause cause)
{
	CHECK(r->n == 0);
	CHECK(shadow_next_timeout(r->s) == 0);
	r->full = false;
	pass(r, 0);
	CHECK(seen(r, cause, NULL) == 1);
}

/* --- no room for effects --- */

static void what_opens_comes_later(void)
{
	struct rig r;
	struct flow *f;

	rig_init(&r);
	rig_start(&r);
	r.full = true;
	f = syn(&r, CLIENT);
	CHECK(f->leg.state == LEG_WAITING);
	comes_later(&r, CAUSE_SYN);
	CHECK(f->leg.state == LEG_SYN_SENT && count(&r)->flows_played == 1);
	rig_end(&r);
}

static void the_handshakes_ack_comes_later(void)
{
	struct rig r;
	struct flow *f;

	rig_init(&r);
	r.opt.timing = true;
	rig_start(&r);
	f = syn(&r, CLIENT);
	prod(&r, f, TCP_SYN | TCP_ACK, 0, 1, 0);
	sut(&r, CLIENT, TCP_SYN | TCP_ACK, 0, 1, 0);
	clear(&r);
	r.full = true;
	client(&r, f, TCP_ACK, 1, 1, 0);
	CHECK(r.n == 0 && shadow_next_timeout(r.s) == 0);
	r.full = false;
	pass(&r, 20 * NS_PER_MS);
	CHECK(sent(&r, CAUSE_ACK));
	rig_end(&r);
}

static void acks_come_later(void)
{
	struct segment wide;
	struct rig r;
	struct flow *f;

	rig_init(&r);
	rig_start(&r);
	f = open_flow(&r, CLIENT);
	prod(&r, f, TCP_ACK, 1, 1, 100);
	sut(&r, CLIENT, TCP_ACK, 1, 1, 100);
	clear(&r);
	r.full = true;
	client(&r, f, TCP_ACK, 1, 101, 0);
	comes_later(&r, CAUSE_ACK);

	clear(&r); /* a repetition of the SUT's */
	r.full = true;
	sut(&r, CLIENT, TCP_ACK, 1, 1, 100);
	comes_later(&r, CAUSE_ACK_DUP);

	clear(&r); /* a window update */
	r.full = true;
	wide = segment(&r, WHO_CLIENT, CLIENT, TCP_ACK, 1, 101, 0);
	wide.win = 65535;
	shadow_client(r.s, f, &wide, r.now);
	push(&r, f);
	comes_later(&r, CAUSE_WINDOW);
	rig_end(&r);
}

static void data_and_fin_come_later(void)
{
	struct rig r;
	struct flow *f;

	rig_init(&r);
	rig_start(&r);
	f = open_flow(&r, CLIENT);
	r.full = true;
	client(&r, f, TCP_ACK, 1, 1, 100);
	comes_later(&r, CAUSE_DATA);
	clear(&r);
	r.full = true;
	client(&r, f, TCP_ACK | TCP_FIN, 101, 1, 0);
	comes_later(&r, CAUSE_FIN);
	rig_end(&r);
}

static void an_end_comes_later(void)
{
	struct effects none = { .n = EFFECTS_MAX };
	struct rig r;
	struct flow *f;

	rig_init(&r);
	rig_start(&r);
	f = open_flow(&r, CLIENT);
	shadow_end(r.s, f, FLOW_END_TLS, r.now, &none);
	CHECK(f->leg.state == LEG_OPEN && count(&r)->ended[FLOW_END_TLS] == 0);
	CHECK(!shadow_resumes(r.s, f));
	/* What the client sends meanwhile is not kept. */
	r.full = true;
	client(&r, f, TCP_ACK, 1, 1, 100);
	CHECK(pool_used(shadow_pool(r.s)) == 0);
	comes_later(&r, CAUSE_RST);
	CHECK(f->leg.state == LEG_NONE && count(&r)->ended[FLOW_END_TLS] == 1);
	/* Whose leg is over is not ended again. */
	shadow_end(r.s, f, FLOW_END_IDLE, r.now, &none);
	CHECK(count(&r)->ended[FLOW_END_IDLE] == 0);
	rig_end(&r);
}

/* A gap, whose RST must go out before the place is given up. */
static void the_end_of_a_gap_comes_later(void)
{
	struct rig r;
	struct flow *f;

	rig_init(&r);
	rig_start(&r);
	f = open_flow(&r, CLIENT);
	prod(&r, f, TCP_ACK, 1, 101, 0);
	r.now += 50 * NS_PER_MS;
	CHECK((f->w.flags & (W_GAP | W_LOST)) == 0);
	pass(&r, 0);
	CHECK(sent(&r, CAUSE_RST) && (f->w.flags & W_LOST) != 0);
	CHECK((r.wants & WANT_SYNC) != 0 && shadow_resumes(r.s, f));

	f = open_flow(&r, CLIENT + 1);
	prod(&r, f, TCP_ACK, 1, 101, 0);
	client(&r, f, TCP_ACK, 201, 1, 100);
	client(&r, f, TCP_ACK, 1, 1, 50); /* in front of the hole */
	pass(&r, 50 * NS_PER_MS);
	CHECK((f->w.flags & W_GAP) != 0 && f->leg.state == LEG_OPEN);
	clear(&r);
	r.full = true;
	sut(&r, CLIENT + 1, TCP_ACK, 1, 51, 0);
	CHECK(f->leg.state == LEG_OPEN && (f->w.flags & W_LOST) == 0);
	comes_later(&r, CAUSE_RST);
	CHECK(f->leg.state == LEG_NONE && (f->w.flags & W_LOST) != 0);
	rig_end(&r);
}

static void a_retransmission_comes_later(void)
{
	struct rig r;
	struct flow *f;

	rig_init(&r);
	rig_start(&r);
	f = open_flow(&r, CLIENT);
	client(&r, f, TCP_ACK, 1, 1, 100);
	client(&r, f, TCP_ACK, 101, 1, 100);
	CHECK(seen(&r, CAUSE_DATA, NULL) == 2);
	for (int i = 0; i < 2; i++)
		sut(&r, CLIENT, TCP_ACK, 1, 1, 0);
	CHECK(count(&r)->fast_retransmits == 0);
	clear(&r);
	r.full = true;
	sut(&r, CLIENT, TCP_ACK, 1, 1, 0);
	CHECK(r.n == 0 && count(&r)->fast_retransmits == 1);
	CHECK(count(&r)->retransmits == 0);
	r.full = false;
	pass(&r, NS_PER_MS);
	CHECK(seen(&r, CAUSE_DATA_AGAIN, NULL) == 1);
	CHECK(count(&r)->retransmits == 1);
	rig_end(&r);
}

static void a_stray_rst_without_room_is_counted(void)
{
	struct rig r;

	rig_init(&r);
	rig_start(&r);
	r.full = true;
	sut(&r, CLIENT, TCP_ACK, 1, 1, 0);
	CHECK(r.n == 0 && count(&r)->sut_stray == 1);
	CHECK(count(&r)->stray_rst_limited == 1);
	r.full = false;
	sut(&r, CLIENT, TCP_ACK, 1, 1, 0);
	CHECK(seen(&r, CAUSE_STRAY_RST, NULL) == 1);
	CHECK(count(&r)->stray_rst_limited == 1);
	rig_end(&r);
}

/* --- memory --- */

static void an_arena_that_is_too_small_is_refused(void)
{
	struct shadow_options opt = { 0 };
	struct limits lim = { 64, BUF_TOP, 1 << 16, 4 };
	struct shadow *s = NULL;
	struct arena a = { .size = shadow_size(&lim) - 1 };

	CHECK(shadow_init(&s, &a, &lim, &opt, &hash_key, 0) == -ENOMEM);
	CHECK(s == NULL && a.used == 0);
}

/* Its size wraps with the rest's. */
static void a_pool_beyond_all_memory_is_refused(void)
{
	struct shadow_options opt = { 0 };
	struct limits lim = { 64, SIZE_MAX, 1 << 16, 4 };
	struct shadow *s = NULL;

	for (size_t more = 0; more <= 4096; more += 4096) {
		struct arena a = { .size = shadow_size(&lim) + more };

		a.base = aligned_alloc(ARENA_ALIGN, arena_need(a.size));
		if (a.base == NULL)
			abort();
		memset(a.base, 0, arena_need(a.size));
		CHECK(shadow_init(&s, &a, &lim, &opt, &hash_key, 0) == -ENOMEM);
		CHECK(s == NULL);
		free(a.base);
	}
}

static void without_memory_the_leg_ends(void)
{
	struct buf *all;
	struct rig r;
	struct flow *f;
	struct flow *g;

	rig_init(&r);
	rig_start(&r);
	f = open_flow(&r, CLIENT);
	g = open_flow(&r, CLIENT + 1);
	all = fill_pool(&r);
	client(&r, f, TCP_ACK, 1, 1, 100);
	CHECK(f->leg.state == LEG_NONE && sent(&r, CAUSE_RST));
	CHECK(count(&r)->ended[FLOW_END_POOL_FULL] == 1);
	CHECK(count(&r)->client_bytes == 100 && !sent(&r, CAUSE_DATA));
	clear(&r);
	CHECK(shadow_mark(r.s, g, WHO_PROD, P_ISS + 1, r.now) == NULL);
	push(&r, g);
	CHECK(g->leg.state == LEG_NONE && sent(&r, CAUSE_RST));
	CHECK(count(&r)->ended[FLOW_END_POOL_FULL] == 2);
	empty_pool(&r, all);
	rig_end(&r);
}

static void early_segments_that_cannot_be_kept_are_counted(void)
{
	struct buf *all;
	struct rig r;
	struct flow *f;

	rig_init(&r);
	rig_start(&r);
	f = open_flow(&r, CLIENT);
	all = fill_pool(&r);
	client(&r, f, TCP_ACK, 101, 1, 100);
	CHECK(count(&r)->client_full == 1 && count(&r)->client_early == 0);
	prod(&r, f, TCP_ACK, 101, 1, 100);
	CHECK(count(&r)->prod_full == 1 && count(&r)->prod_early == 0);
	sut(&r, CLIENT, TCP_ACK, 101, 1, 100);
	CHECK(count(&r)->sut_full == 1 && count(&r)->prod_full == 1);
	CHECK(f->leg.state == LEG_OPEN && !sent(&r, CAUSE_ACK_DUP));
	empty_pool(&r, all);
	sut(&r, CLIENT, TCP_ACK, 101, 1, 100);
	CHECK(count(&r)->sut_early == 1 && sent(&r, CAUSE_ACK_DUP));
	rig_end(&r);
}

/* What production says while its place is lost is kept if it is all there. */
static void only_whole_payload_of_production_is_held(void)
{
	struct buf *all;
	struct segment seg;
	struct rig r;
	struct flow *f;

	rig_init(&r);
	rig_start(&r);
	f = open_flow(&r, CLIENT);
	CHECK(shadow_hold_prod(r.s, f, NULL, r.now));
	seg = segment(&r, WHO_PROD, CLIENT, TCP_ACK, 101, 1, 0);
	CHECK(shadow_hold_prod(r.s, f, &seg, r.now));
	seg = segment(&r, WHO_PROD, CLIENT, TCP_ACK, 101, 1, 100);
	seg.cap = 99;
	CHECK(shadow_hold_prod(r.s, f, &seg, r.now));
	seg = segment(&r, WHO_PROD, CLIENT, TCP_SYN | TCP_ACK, 0, 1, 100);
	CHECK(shadow_hold_prod(r.s, f, &seg, r.now));
	CHECK(pool_used(shadow_pool(r.s)) == 0);
	all = fill_pool(&r);
	seg = segment(&r, WHO_PROD, CLIENT, TCP_ACK, 101, 1, 100);
	CHECK(!shadow_hold_prod(r.s, f, &seg, r.now));
	empty_pool(&r, all);
	CHECK(shadow_hold_prod(r.s, f, &seg, r.now));
	CHECK(pool_used(shadow_pool(r.s)) > 0);
	/* It is old by now. */
	prod(&r, f, TCP_ACK, 1, 1, 200);
	CHECK(shadow_hold_prod(r.s, f, &seg, r.now));
	CHECK(pool_used(shadow_pool(r.s)) == 0);
	rig_end(&r);
}

/* A flow that is to go is not chosen twice; then there is none left. */
static void a_full_table_plays_no_more(void)
{
	struct effects out = { .n = 0 };
	struct shadow_leg leg = { 0, SERVED, true };
	struct flow_key key = key_of(50000, 0);
	struct segment seg;
	struct rig r;
	uint16_t port = CLIENT;
	struct flow *f;

	rig_init(&r);
	r.lim.flows = 8;
	rig_start(&r);
	for (; port < CLIENT + 6; port++)
		open_flow(&r, port);
	CHECK(count(&r)->victims == 0);
	/* The oldest could resume, until it is the victim. */
	f = shadow_any(r.s);
	sut(&r, CLIENT, TCP_RST | TCP_ACK, 1, 1, 0);
	CHECK(f->leg.end == FLOW_END_SUT_RST && shadow_resumes(r.s, f));
	for (; port < CLIENT + 8; port++) {
		key.cport = port;
		CHECK(syn_of(&r, &key, 0) != NULL);
		CHECK(count(&r)->victims == port - (CLIENT + 5u));
	}
	CHECK(!shadow_resumes(r.s, f));
	CHECK(count(&r)->victims_half_open == 1);
	key.cport = port;
	CHECK(syn_of(&r, &key, 0) == NULL);
	CHECK(count(&r)->flows_not_played == 1 && count(&r)->victims == 2);
	seg = segment(&r, WHO_CLIENT, port, TCP_ACK, 1, 1, 10);
	CHECK(shadow_pickup(r.s, &key, &leg, &seg, r.now, &out) == NULL);
	CHECK(count(&r)->flows_not_played == 2);
	CHECK(count(&r)->flows_midstream == 0 && shadow_flows(r.s) == 8);
	attend(&r);
	CHECK(shadow_flows(r.s) == 6 && syn_of(&r, &key, 0) != NULL);
	CHECK(shadow_flows_peak(r.s) == 8);
	rig_end(&r);
}

/* --- client ports --- */

/* All ports that are alike, or every other one of them, are in use at the SUT. */
static void a_substitute_port_is_free_and_alike(void)
{
	for (uint32_t step = 16; step <= 32; step += 16) {
		struct flow_key key = key_of(1024, 1);
		struct rig r;
		struct flow *f;

		rig_init(&r);
		r.lim.flows = 65536;
		rig_start(&r);
		for (uint32_t p = 1024; p < 65536; p += step)
			syn(&r, (uint16_t)p);
		clear(&r);
		f = syn_of(&r, &key, 0);
		push(&r, f);
		if (step == 16) {
			CHECK(f->leg.state == LEG_NONE && r.n == 0);
			CHECK(count(&r)->ended[FLOW_END_REUSED] == 1);
			CHECK(count(&r)->flows_other_port == 0);
		} else {
			CHECK(r.n == 1 && r.seen[0].cause == CAUSE_SYN);
			CHECK(r.seen[0].sport % 16 == 0);
			CHECK((r.seen[0].sport - 1024) % 32 == 16);
			CHECK(count(&r)->flows_other_port == 1);
		}
		rig_end(&r);
	}
}

/* --- time --- */

/* Its caller was away for so long. */
static void a_long_round_trip_is_a_minute_at_most(void)
{
	struct rig r;
	struct flow *f;

	rig_init(&r);
	rig_start(&r);
	f = syn(&r, CLIENT);
	prod(&r, f, TCP_SYN | TCP_ACK, 0, 1, 0);
	r.now += 3600 * SEC;
	sut(&r, CLIENT, TCP_SYN | TCP_ACK, 0, 1, 0);
	CHECK(f->leg.srtt_us == 60000000);
	client(&r, f, TCP_ACK, 1, 1, 100);
	r.now += 3600 * SEC;
	sut(&r, CLIENT, TCP_ACK, 1, 101, 0);
	CHECK(f->leg.srtt_us == 60000000 && f->leg.state == LEG_OPEN);
	rig_end(&r);
}

static void what_was_not_sent_is_sent_again(void)
{
	const struct effect *e = NULL;
	struct effect again;
	struct effect first;
	struct rig r;
	struct flow *f;

	rig_init(&r);
	rig_start(&r);
	f = open_flow(&r, CLIENT);
	client(&r, f, TCP_ACK, 1, 1, 100);
	CHECK(seen(&r, CAUSE_DATA, &e) == 1);
	first = *e;
	clear(&r);
	shadow_unsent(r.s, &first, r.now);
	pass(&r, 4 * NS_PER_MS);
	CHECK(r.n == 0);
	pass(&r, 3 * NS_PER_MS);
	CHECK(seen(&r, CAUSE_DATA_AGAIN, &e) == 1 && f->leg.tries == 1);
	again = *e;
	/* A bare ack is not repaired, nor what is of no flow. */
	clear(&r);
	again.len = 0;
	again.flags = TCP_ACK;
	shadow_unsent(r.s, &again, r.now);
	again.len = 100;
	again.flow = 0;
	shadow_unsent(r.s, &again, r.now);
	again.flow = f->id + 1; /* another one's, on this tuple */
	shadow_unsent(r.s, &again, r.now);
	again.flow = f->id;
	again.sport++;
	shadow_unsent(r.s, &again, r.now);
	again.sport--;
	pass(&r, 6 * NS_PER_MS);
	CHECK(r.n == 0 && f->leg.tries == 1);
	/* The SUT was not asked: it counts as no try. */
	shadow_unsent(r.s, &again, r.now);
	CHECK(f->leg.tries == 0 && count(&r)->unsent == 6);
	/* What it repeats was acked meanwhile: there is nothing to do. */
	sut(&r, CLIENT, TCP_ACK, 1, 101, 0);
	shadow_unsent(r.s, &again, r.now);
	pass(&r, SEC);
	CHECK(!sent(&r, CAUSE_DATA_AGAIN) && f->leg.tries == 0);
	rig_end(&r);
}

/* --- SUTs --- */

static void any_frame_proves_a_sut_that_was_silent(void)
{
	struct rig r;
	struct flow *f;

	rig_init(&r);
	r.opt.sut_silent = 10 * SEC;
	rig_start(&r);
	syn(&r, CLIENT);
	pass(&r, 5 * SEC);
	shadow_heard(r.s, 0);
	CHECK(!shadow_is_silent(r.s, 0));
	pass(&r, 30 * SEC);
	CHECK(shadow_is_silent(r.s, 0) && !shadow_is_silent(r.s, 1));
	CHECK(count(&r)->sut_silences == 1);
	CHECK(count(&r)->ended[FLOW_END_SUT_SILENT] == 1);
	shadow_heard(r.s, 0);
	CHECK(!shadow_is_silent(r.s, 0));
	f = syn(&r, CLIENT + 1);
	CHECK(f->leg.state == LEG_SYN_SENT);
	rig_end(&r);
}

/* More flows than are looked at in one call, and those of another SUT. */
static void all_legs_of_a_silent_sut_end(void)
{
	const uint16_t first = 2000;
	const uint16_t n = 6000;
	uint64_t calls = 0;
	struct rig r;
	struct flow *f;

	rig_init(&r);
	r.opt.sut_silent = 10 * SEC;
	r.lim.flows = 65536;
	rig_start(&r);
	r.sut = 1;
	open_flow(&r, 1000);
	r.sut = 0;
	f = open_flow(&r, 1001); /* and it has closed */
	client(&r, f, TCP_ACK | TCP_FIN, 1, 1, 0);
	sut(&r, 1001, TCP_ACK | TCP_FIN, 1, 2, 0);
	prod(&r, f, TCP_ACK | TCP_FIN, 1, 2, 0);
	pass(&r, 200 * NS_PER_MS);
	CHECK(f->leg.state == LEG_CLOSED);
	for (uint16_t i = 0; i < n; i++)
		syn(&r, (uint16_t)(first + i));
	r.now += 15 * SEC;
	while (shadow_next_timeout(r.s) <= r.now && calls++ < 2 * n) {
		struct effects out = { .n = 0 };

		shadow_timeout(r.s, r.now, &out);
		take(&r, &out);
		attend(&r);
	}
	CHECK(count(&r)->ended[FLOW_END_SUT_SILENT] == n);
	CHECK(count(&r)->sut_silences == 1);
	CHECK(count(&r)->ended[FLOW_END_CLOSED] == 1);
	CHECK(shadow_flows(r.s) == n + 1u);
	rig_end(&r);
}

/* Its kernel acks, and its server says nothing: it stays silent for those who
 * come, and without them nobody is waited for.
 */
static void a_mute_sut_without_flows_needs_no_call(void)
{
	struct rig r;
	struct flow *f;

	rig_init(&r);
	r.opt.sut_silent = 10 * SEC;
	r.opt.midstream = false;
	rig_start(&r);
	f = open_flow(&r, CLIENT);
	client(&r, f, TCP_ACK, 1, 1, 100);
	shadow_mark(r.s, f, WHO_CLIENT, C_ISS + 101, r.now);
	sut(&r, CLIENT, TCP_ACK, 1, 101, 0);
	prod(&r, f, TCP_ACK, 1, 101, 100);
	shadow_mark(r.s, f, WHO_PROD, P_ISS + 101, r.now);
	pass(&r, 20 * SEC);
	CHECK(shadow_is_silent(r.s, 0) && f->leg.state == LEG_NONE);
	shadow_heard(r.s, 0);
	CHECK(shadow_is_silent(r.s, 0));
	CHECK(shadow_next_timeout(r.s) <= r.now + SEC);
	drop(&r, f);
	CHECK(shadow_next_timeout(r.s) == UINT64_MAX);
	f = syn(&r, CLIENT + 1);
	CHECK(f->leg.state == LEG_SYN_SENT);
	CHECK(shadow_next_timeout(r.s) <= r.now + SEC);
	rig_end(&r);
}

/* --- is the client's network proved? --- */

static void a_leg_asks_when_nothing_else_is_in_its_way(void)
{
	struct flow_key key = key_of(CLIENT, 0);
	struct list wait;
	struct rig r;
	struct flow *f;

	rig_init(&r);
	r.opt.proof = true;
	rig_start(&r);
	list_init(&wait);
	shadow_set_ready(r.s, 0, false);
	f = syn_of(&r, &key, 0);
	clear(&r);
	push(&r, f);
	CHECK(f->leg.end == FLOW_END_NOT_READY && (r.wants & WANT_PROOF) == 0);
	shadow_set_ready(r.s, 0, true);
	key.cport++;
	f = syn_of(&r, &key, 0);
	clear(&r);
	push(&r, f);
	CHECK(f->leg.state == LEG_WAITING && r.wants == WANT_PROOF && r.n == 0);
	clear(&r);
	push(&r, f);
	CHECK(r.wants == 0); /* once */
	shadow_gate(r.s, f, GATE_WAIT, &wait);
	pass(&r, 10 * SEC);
	CHECK(f->leg.state == LEG_WAITING && r.n == 0);
	CHECK(wait.next == &f->more);
	shadow_gate(r.s, f, GATE_OPEN, NULL);
	CHECK(list_empty(&wait) && shadow_next_timeout(r.s) == 0);
	pass(&r, 0);
	CHECK(f->leg.state == LEG_SYN_SENT && r.n == 1 &&
	      r.seen[0].cause == CAUSE_SYN);
	rig_end(&r);
}

static void a_leg_ends_as_its_gate_says(void)
{
	static const struct {
		enum flow_gate gate;
		enum flow_end end;
		bool resumes;
	} row[] = { { GATE_LOST, FLOW_END_NO_ROUTE, false },
		    { GATE_LATER, FLOW_END_UNPROVED, true },
		    { GATE_DEAF, FLOW_END_SYN_TIMEOUT, true } };
	struct flow_key key = key_of(CLIENT, 0);
	struct rig r;
	struct flow *f;

	rig_init(&r);
	r.opt.proof = true;
	rig_start(&r);
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		key.cport++;
		f = syn_of(&r, &key, 0);
		push(&r, f);
		clear(&r);
		shadow_gate(r.s, f, row[i].gate, NULL);
		push(&r, f);
		CHECK(f->leg.state == LEG_NONE && r.n == 0);
		CHECK(f->leg.end == row[i].end);
		CHECK(count(&r)->ended[row[i].end] == 1);
		CHECK(shadow_resumes(r.s, f) == row[i].resumes);
	}
	CHECK(count(&r)->flows_played == 0);
	rig_end(&r);
}

static void a_flow_that_ends_while_it_waits_leaves_the_list(void)
{
	struct flow_key key = key_of(CLIENT, 0);
	struct effects out = { .n = 0 };
	struct list wait;
	struct rig r;
	struct flow *f;

	rig_init(&r);
	r.opt.proof = true;
	rig_start(&r);
	list_init(&wait);
	f = syn_of(&r, &key, 0);
	push(&r, f);
	shadow_gate(r.s, f, GATE_WAIT, &wait);
	shadow_end(r.s, f, FLOW_END_STOPPED, r.now, &out);
	CHECK(list_empty(&wait) && out.n == 0);
	rig_end(&r);
}

static void each_syn_without_an_answer_is_told(void)
{
	struct flow_key key = key_of(CLIENT, 0);
	struct rig r;
	struct flow *f;

	rig_init(&r);
	r.opt.proof = true;
	rig_start(&r);
	f = syn_of(&r, &key, 0);
	push(&r, f);
	shadow_gate(r.s, f, GATE_OPEN, NULL);
	push(&r, f);
	clear(&r);
	pass(&r, SEC / 2);
	CHECK((r.wants & WANT_DEAF) == 0);
	pass(&r, SEC);
	CHECK((r.wants & WANT_DEAF) != 0);
	rig_end(&r);
}

/* --- marks --- */

static void a_mark_of_production_is_taken_back_without_a_count(void)
{
	struct rig r;
	struct flow *f;

	rig_init(&r);
	rig_start(&r);
	f = open_flow(&r, CLIENT);
	shadow_unmark(r.s, f, WHO_SUT); /* there is none */
	CHECK(count(&r)->requests_answered == 0);
	client(&r, f, TCP_ACK, 1, 1, 100);
	shadow_mark(r.s, f, WHO_CLIENT, C_ISS + 101, r.now);
	shadow_mark(r.s, f, WHO_PROD, P_ISS + 1, r.now);
	shadow_mark(r.s, f, WHO_SUT, S_ISS + 1, r.now);
	CHECK(count(&r)->requests_answered == 1);
	shadow_unmark(r.s, f, WHO_PROD);
	CHECK(count(&r)->requests_answered == 1);
	CHECK(f->x.marks[WHO_PROD] == 0 && f->x.marks[WHO_SUT] == 1);
	shadow_unmark(r.s, f, WHO_SUT);
	CHECK(count(&r)->requests_answered == 0);
	rig_end(&r);
}

static void a_flow_met_in_the_middle_is_not_half_open(void)
{
	struct shadow_leg leg = { 0, SERVED, true };
	struct rig r;

	rig_init(&r);
	r.lim.flows = 16; /* of which 2 may be half-open */
	rig_start(&r);
	for (uint16_t i = 0; i < 4; i++) {
		struct flow_key key = key_of((uint16_t)(CLIENT + i), 0);
		struct segment seg =
			segment(&r, WHO_CLIENT, key.cport, TCP_ACK, 1, 1, 10);
		struct effects out = { .n = 0 };

		CHECK(shadow_pickup(r.s, &key, &leg, &seg, r.now, &out) !=
		      NULL);
	}
	CHECK(count(&r)->victims == 0 && count(&r)->flows_midstream == 4);
	rig_end(&r);
}

/* Production had reset when the client's last message came. */
static void a_resumed_flow_ends_as_production_had(void)
{
	struct rig r;
	struct flow *f;

	for (int i = 0; i < 2; i++) {
		rig_init(&r);
		rig_start(&r);
		f = open_flow(&r, CLIENT);
		sut(&r, CLIENT, TCP_RST | TCP_ACK, 1, 1, 0);
		CHECK(f->leg.state == LEG_NONE && shadow_resumes(r.s, f));
		if (i == 0)
			prod(&r, f, TCP_RST | TCP_ACK, 1, 1, 0);
		else
			client(&r, f, TCP_RST, 1, 0, 0);
		clear(&r);
		shadow_restart(r.s, f, C_ISS + 1, P_ISS + 1, true, r.now);
		push(&r, f);
		CHECK(sent(&r, CAUSE_SYN));
		sut(&r, CLIENT, TCP_SYN | TCP_ACK, 0, 1, 0);
		CHECK(sent(&r, CAUSE_RST) && f->leg.state == LEG_NONE);
		CHECK(f->leg.end ==
		      (i == 0 ? FLOW_END_PROD_RST : FLOW_END_CLIENT_RST));
		rig_end(&r);
	}
}

/* Also where copies of different lengths overlap. */
static void every_byte_comes_once(void)
{
	struct rig r;
	struct flow *f;

	rig_init(&r);
	rig_start(&r);
	f = open_flow(&r, CLIENT);
	for (uint32_t seq = 901; seq > 1; seq -= 100) {
		client(&r, f, TCP_ACK, seq, 1, 170);
		prod(&r, f, TCP_ACK, seq, 1, 130);
		sut(&r, CLIENT, TCP_ACK, seq, 1, 190);
	}
	client(&r, f, TCP_ACK, 1, 1, 110);
	prod(&r, f, TCP_ACK, 1, 1, 120);
	sut(&r, CLIENT, TCP_ACK, 1, 1, 130);
	CHECK(f->w.c.nxt == C_ISS + 1071 && f->w.p.nxt == P_ISS + 1031);
	CHECK(f->leg.s.nxt == S_ISS + 1091);
	CHECK(count(&r)->client_bytes == 1070);
	/* A part was there, the rest is new. */
	client(&r, f, TCP_ACK, 1041, 1, 50);
	prod(&r, f, TCP_ACK, 1001, 1, 60);
	sut(&r, CLIENT, TCP_ACK, 1071, 1, 70);
	CHECK(f->w.c.nxt == C_ISS + 1091 && f->w.p.nxt == P_ISS + 1061);
	CHECK(f->leg.s.nxt == S_ISS + 1141);
	rig_end(&r);
}

static void after_an_acked_fin_a_rst_goes_at_once(void)
{
	struct rig r;
	struct flow *f;

	rig_init(&r);
	rig_start(&r);
	f = open_flow(&r, CLIENT);
	client(&r, f, TCP_ACK | TCP_FIN, 1, 1, 0);
	CHECK(sent(&r, CAUSE_FIN));
	client(&r, f, TCP_RST, 2, 0, 0);
	CHECK(!sent(&r, CAUSE_RST)); /* the FIN has to arrive first */
	sut(&r, CLIENT, TCP_ACK, 1, 2, 0);
	CHECK(sent(&r, CAUSE_RST) && count(&r)->rst_deadline == 0);
	CHECK(count(&r)->rst_held == 1);
	rig_end(&r);
}

/* RFC 6298 section 2: us; and Karn's: what was sent twice is not timed. */
static void round_trips_are_smoothed(void)
{
	struct rig r;
	struct flow *f;
	uint32_t seq = 1;

	rig_init(&r);
	rig_start(&r);
	f = syn(&r, CLIENT);
	prod(&r, f, TCP_SYN | TCP_ACK, 0, 1, 0);
	pass(&r, 1500 * NS_PER_MS);
	CHECK(seen(&r, CAUSE_SYN_AGAIN, NULL) == 1);
	sut(&r, CLIENT, TCP_SYN | TCP_ACK, 0, 1, 0);
	CHECK(f->leg.srtt_us == 0);
	for (int i = 0; i < 3; i++, seq += 100) {
		static const uint32_t us[] = { 8000, 16000, 1000 };
		static const uint32_t srtt[] = { 8000, 9000, 8000 };
		static const uint32_t var[] = { 4000, 5000, 5750 };

		client(&r, f, TCP_ACK, seq, 1, 100);
		r.now += us[i] * NS_PER_US;
		sut(&r, CLIENT, TCP_ACK, 1, seq + 100, 0);
		CHECK(f->leg.srtt_us == srtt[i] && f->leg.rttvar_us == var[i]);
	}
	/* Not less than 200 ms, and twice as long each time. */
	clear(&r);
	client(&r, f, TCP_ACK, seq, 1, 100);
	pass(&r, 195 * NS_PER_MS);
	CHECK(!sent(&r, CAUSE_DATA_AGAIN));
	pass(&r, 10 * NS_PER_MS);
	CHECK(seen(&r, CAUSE_DATA_AGAIN, NULL) == 1);
	pass(&r, 385 * NS_PER_MS);
	CHECK(seen(&r, CAUSE_DATA_AGAIN, NULL) == 1);
	pass(&r, 25 * NS_PER_MS);
	CHECK(seen(&r, CAUSE_DATA_AGAIN, NULL) == 2);
	sut(&r, CLIENT, TCP_ACK, 1, seq + 100, 0);
	CHECK(f->leg.srtt_us == 8000 && f->leg.tries == 0);
	rig_end(&r);
}

/* An exchange is forgotten when it is judged, and the client's acks are past it
 * on both sides.
 */
static void what_is_passed_is_retired(void)
{
	struct rig r;
	struct flow *f;
	struct exchange *x;

	rig_init(&r);
	rig_start(&r);
	f = open_flow(&r, CLIENT);
	client(&r, f, TCP_ACK, 1, 1, 100);
	x = shadow_mark(r.s, f, WHO_CLIENT, C_ISS + 101, r.now);
	prod(&r, f, TCP_ACK, 1, 101, 200);
	shadow_mark(r.s, f, WHO_PROD, P_ISS + 201, r.now);
	sut(&r, CLIENT, TCP_ACK, 1, 101, 50);
	shadow_mark(r.s, f, WHO_SUT, S_ISS + 51, r.now);
	x->flags |= X_JUDGED;
	client(&r, f, TCP_ACK, 101, 200, 0);
	shadow_retire(r.s, f);
	CHECK(f->x.head != NULL && f->x.head == f->x.tail);
	clear(&r);
	client(&r, f, TCP_ACK, 101, 201, 0);
	shadow_retire(r.s, f);
	CHECK(f->x.head == NULL);
	CHECK(f->leg.last_ack_sent == S_ISS + 51);
	rig_end(&r);
}

/* At level timing an ack ends where a frame of the SUT's ended (I9). */
static void a_timed_ack_lies_on_a_frames_end(void)
{
	struct rig r;
	struct flow *f;

	rig_init(&r);
	r.opt.timing = true;
	rig_start(&r);
	f = open_flow(&r, CLIENT);
	client(&r, f, TCP_ACK, 1, 1, 100);
	prod(&r, f, TCP_ACK, 1, 101, 300);
	pass(&r, 10 * NS_PER_MS);
	for (uint32_t seq = 1; seq < 301; seq += 100)
		sut(&r, CLIENT, TCP_ACK, seq, 101, 100);
	client(&r, f, TCP_ACK, 101, 251, 0);
	pass(&r, 30 * NS_PER_MS);
	CHECK(f->leg.last_ack_sent == S_ISS + 201);
	client(&r, f, TCP_ACK, 101, 301, 0);
	pass(&r, 30 * NS_PER_MS);
	CHECK(f->leg.last_ack_sent == S_ISS + 301);
	rig_end(&r);
}

static void without_the_flag_nothing_is_acked(void)
{
	struct rig r;
	struct flow *f;

	rig_init(&r);
	rig_start(&r);
	f = open_flow(&r, CLIENT);
	client(&r, f, TCP_ACK, 1, 1, 100);
	sut(&r, CLIENT, TCP_PSH, 1, 101, 0);
	CHECK(f->leg.snd_una == C_ISS + 1);
	sut(&r, CLIENT, TCP_ACK, 1, 101, 0);
	CHECK(f->leg.snd_una == C_ISS + 101);
	rig_end(&r);
}

/* Its place is lost, so that it need not have one to have ended. */
static void a_fin_of_production_without_a_place_proves_the_clients(void)
{
	struct rig r;
	struct flow *f;

	rig_init(&r);
	rig_start(&r);
	f = open_flow(&r, CLIENT);
	client(&r, f, TCP_ACK, 1, 1, 100);
	sut(&r, CLIENT, TCP_ACK, 1, 101, 0);
	prod(&r, f, TCP_ACK, 1, 101, 100);
	f->w.flags |= W_PLOST;
	prod(&r, f, TCP_ACK | TCP_FIN, 50, 102, 0);
	CHECK(!stream_has(&f->w.p, STREAM_FIN) && (f->w.ev & EV_P_FIN) != 0);
	CHECK(count(&r)->inferred_client_fin == 0);
	pass(&r, 30 * NS_PER_MS);
	CHECK(count(&r)->inferred_client_fin == 1);
	CHECK(count(&r)->gap_client == 0 && sent(&r, CAUSE_FIN));
	rig_end(&r);
}

/* How long after production the SUT got a request; never less than nothing. */
static void behind_is_what_the_sut_acks_later(void)
{
	struct rig r;
	struct flow *f;

	rig_init(&r);
	rig_start(&r);
	f = open_flow(&r, CLIENT);
	client(&r, f, TCP_ACK, 1, 1, 100);
	shadow_mark(r.s, f, WHO_CLIENT, C_ISS + 101, r.now);
	client(&r, f, TCP_ACK, 101, 1, 100);
	shadow_mark(r.s, f, WHO_CLIENT, C_ISS + 201, r.now);
	prod(&r, f, TCP_ACK, 1, 101, 0);
	CHECK(shadow_behind(r.s)->count == 0);
	r.now += 3 * NS_PER_MS;
	sut(&r, CLIENT, TCP_ACK, 1, 201, 0);
	CHECK(shadow_behind(r.s)->count == 1);
	CHECK(shadow_behind(r.s)->max == 3 * NS_PER_MS);
	r.now += 3 * NS_PER_MS;
	prod(&r, f, TCP_ACK, 1, 201, 0);
	CHECK(shadow_behind(r.s)->count == 2 && shadow_behind(r.s)->min == 0);
	CHECK(count(&r)->requests_delivered == 2);
	rig_end(&r);
}

/* The place in production's answers is found again before what the client had
 * acked already: the SUT is not told an ack of what it has not sent (I8).
 */
static void an_ack_beyond_a_place_found_again_waits(void)
{
	const struct effect *ack = NULL;
	struct rig r;
	struct flow *f;

	rig_init(&r);
	rig_start(&r);
	f = open_flow(&r, CLIENT);
	client(&r, f, TCP_ACK, 1, 1, 100);
	f->w.flags |= W_PLOST;
	sut(&r, CLIENT, TCP_ACK, 1, 101, 50);
	client(&r, f, TCP_ACK, 101, 3001, 0);
	pass(&r, SEC);
	CHECK(f->leg.cli_ack == P_ISS + 3001 &&
	      f->leg.last_ack_sent == S_ISS + 51);
	f->w.flags &= ~(uint32_t)W_PLOST;
	clear(&r);
	sut(&r, CLIENT, TCP_ACK, 51, 101, 1000);
	pass(&r, SEC);
	CHECK(seen(&r, CAUSE_ACK, &ack) == 1 && ack->ack == S_ISS + 1051);
	rig_end(&r);
}

/* In one chain of the table, another tuple's number is not this one's. */
static void equal_numbers_of_two_tuples_are_two_connections(void)
{
	enum { TUPLES = 160 };
	struct flow *f[2 * TUPLES];
	struct rig r;

	rig_init(&r);
	r.lim.flows = 4096;
	rig_start(&r);
	for (unsigned i = 0; i < 2 * TUPLES; i++) {
		struct flow_key key = key_of((uint16_t)(CLIENT + i), 0);

		f[i] = syn_of(&r, &key, i < TUPLES ? 0 : 700);
	}
	for (unsigned i = TUPLES; i < 2 * TUPLES; i++) {
		struct flow_key key = key_of((uint16_t)(CLIENT + i), 0);
		struct flow *newer = syn_of(&r, &key, 0);

		CHECK(newer != f[i] && newer->key.cport == f[i]->key.cport);
	}
	CHECK(count(&r)->client_syn_again == 0);
	CHECK(count(&r)->flows_seen == UINT64_C(3) * TUPLES);
	rig_end(&r);
}

static const struct check_test tests[] = {
	{ "without room: a SYN comes later", what_opens_comes_later },
	{ "without room: the handshake's ack comes later",
	  the_handshakes_ack_comes_later },
	{ "without room: acks come later", acks_come_later },
	{ "without room: data and FIN come later", data_and_fin_come_later },
	{ "without room: an end comes later", an_end_comes_later },
	{ "without room: the end of a gap comes later",
	  the_end_of_a_gap_comes_later },
	{ "without room: a retransmission comes later",
	  a_retransmission_comes_later },
	{ "without room: a stray RST is counted",
	  a_stray_rst_without_room_is_counted },
	{ "an arena that is too small is refused",
	  an_arena_that_is_too_small_is_refused },
	{ "a pool beyond all memory is refused",
	  a_pool_beyond_all_memory_is_refused },
	{ "without memory the leg ends", without_memory_the_leg_ends },
	{ "early segments that cannot be kept are counted",
	  early_segments_that_cannot_be_kept_are_counted },
	{ "only whole payload of production is held",
	  only_whole_payload_of_production_is_held },
	{ "a full table plays no more", a_full_table_plays_no_more },
	{ "a substitute port is free and alike",
	  a_substitute_port_is_free_and_alike },
	{ "a long round trip is a minute at most",
	  a_long_round_trip_is_a_minute_at_most },
	{ "what was not sent is sent again", what_was_not_sent_is_sent_again },
	{ "any frame proves a SUT that was silent",
	  any_frame_proves_a_sut_that_was_silent },
	{ "all legs of a silent SUT end", all_legs_of_a_silent_sut_end },
	{ "a app_stalled SUT without flows needs no call",
	  a_mute_sut_without_flows_needs_no_call },
	{ "a leg asks when nothing else is in its way",
	  a_leg_asks_when_nothing_else_is_in_its_way },
	{ "a leg ends as its gate says", a_leg_ends_as_its_gate_says },
	{ "a flow that ends while it waits leaves the list",
	  a_flow_that_ends_while_it_waits_leaves_the_list },
	{ "each SYN without an answer is told",
	  each_syn_without_an_answer_is_told },
	{ "a mark of production's is taken back without a count",
	  a_mark_of_production_is_taken_back_without_a_count },
	{ "a flow met in the middle is not half-open",
	  a_flow_met_in_the_middle_is_not_half_open },
	{ "a resumed flow ends as production had",
	  a_resumed_flow_ends_as_production_had },
	{ "every byte comes once", every_byte_comes_once },
	{ "after an acked FIN a RST goes at once",
	  after_an_acked_fin_a_rst_goes_at_once },
	{ "round trips are smoothed", round_trips_are_smoothed },
	{ "what is passed is retired", what_is_passed_is_retired },
	{ "a timed ack lies on a frame's end",
	  a_timed_ack_lies_on_a_frames_end },
	{ "without the flag nothing is acked",
	  without_the_flag_nothing_is_acked },
	{ "a FIN of production's without a place proves the client's",
	  a_fin_of_production_without_a_place_proves_the_clients },
	{ "an ack beyond a place found again waits",
	  an_ack_beyond_a_place_found_again_waits },
	{ "equal numbers of two tuples are two connections",
	  equal_numbers_of_two_tuples_are_two_connections },
	{ "behind is what the SUT acks later",
	  behind_is_what_the_sut_acks_later },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
