/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_prove.c - Networks, asked and answered, lost and found
 *
 * A driver calls the machine when it is due and answers its SYNs as a SUT would:
 * those that @hears lets through, after @delay.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/wheel.h"
#include "lan/prove.h"

#define SYNS_MAX 4096
#define MS	 NS_PER_MS
#define SEC	 NS_PER_SEC

struct rig {
	struct prove *p;
	struct prove_cfg cfg;
	struct prove_sut sut[2];
	struct ipaddr never[2];
	struct arena arena;
	uint64_t now;
	bool controls; /* the SUT answers those */
	bool nets;     /* and those */
	bool elsewhere;
	bool rst; /* by RST */
	uint32_t n;
	struct effect syn[SYNS_MAX];
	uint64_t at[SYNS_MAX];
	uint32_t rsts;
	uint32_t news;
	struct prove_news last;
};

static struct ipaddr four(unsigned a, unsigned b, unsigned c, unsigned d)
{
	uint8_t p[4] = { (uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d };

	return ipaddr_from4(p);
}

static struct ipaddr client(unsigned net, unsigned host)
{
	return four(10, net >> 8 & 255, net & 255, host);
}

static void rig_init(struct rig *r, uint32_t nets, bool each)
{
	memset(r, 0, sizeof(*r));
	r->now = 100 * SEC;
	r->controls = true;
	r->nets = true;
	for (unsigned i = 0; i < 2; i++) {
		r->sut[i].ip = four(192, 168, 0, 20 + i);
		r->sut[i].port = 80;
	}
	r->cfg = (struct prove_cfg){ .sut = r->sut,
				     .suts = 2,
				     .never = r->never,
				     .nets = nets,
				     .each = each,
				     .seed = 7,
				     .key = { { 1, 2 } } };
}

static void rig_start(struct rig *r)
{
	r->arena.size = prove_size(r->cfg.nets);
	r->arena.base = aligned_alloc(ARENA_ALIGN, r->arena.size);
	if (r->arena.base == NULL)
		abort();
	memset(r->arena.base, 0, r->arena.size);
	CHECK(prove_init(&r->p, &r->arena, &r->cfg, r->now) == 0);
	CHECK(r->arena.used == r->arena.size);
}

static void rig_end(struct rig *r)
{
	free(r->arena.base);
}

static bool is_control(const struct effect *x)
{
	return x->src.b[12] == 198 && x->src.b[13] >> 1 == 9;
}

static void news(struct rig *r)
{
	struct prove_news n;

	while (prove_next(r->p, &n)) {
		r->last = n;
		r->news++;
	}
}

static struct segment answer_to(const struct rig *r, const struct effect *x)
{
	return (struct segment){
		.src = x->dst,
		.dst = x->src,
		.sport = x->dport,
		.dport = x->sport,
		.proto = PROTO_TCP,
		.flags = r->rst ? TCP_RST | TCP_ACK : TCP_SYN | TCP_ACK,
		.ack = x->seq + 1,
	};
}

static void take(struct rig *r, const struct effects *out)
{
	for (uint32_t i = 0; i < out->n; i++) {
		const struct effect *x = &out->e[i];
		struct segment g = answer_to(r, x);
		struct effects more = { .n = 0 };

		CHECK(x->kind == EFFECT_TCP && x->cause == CAUSE_PROBE);
		if ((x->flags & TCP_RST) != 0) {
			r->rsts++;
			continue;
		}
		CHECK(x->flags == TCP_SYN && r->n < SYNS_MAX);
		r->syn[r->n] = *x;
		r->at[r->n++] = r->now;
		if (is_control(x) ? !r->controls : !r->nets)
			continue;
		CHECK(prove_segment(r->p, x->sut, &g, !r->elsewhere, r->now,
				    &more));
		take(r, &more);
	}
}

static void pass(struct rig *r, uint64_t ns)
{
	uint64_t until = r->now + ns;
	uint64_t next;

	while ((next = prove_next_timeout(r->p)) <= until) {
		struct effects out = { .n = 0 };

		if (next > r->now)
			r->now = next;
		prove_timeout(r->p, r->now, &out);
		CHECK(out.n <= 4);
		take(r, &out);
		if (r->cfg.nets <= 64) /* it looks at all of them */
			prove_check(r->p, r->now);
		news(r);
	}
	r->now = until;
}

static enum flow_gate ask(struct rig *r, struct ipaddr ip)
{
	return prove_ask(r->p, 0, &ip, r->now).gate;
}

static void a_network_is_proved_by_one_syn(void)
{
	struct rig r;

	rig_init(&r, 16, true);
	rig_start(&r);
	CHECK(ask(&r, client(1, 9)) == GATE_WAIT);
	CHECK(ask(&r, client(1, 8)) == GATE_WAIT);
	pass(&r, 0);
	CHECK(r.n == 1 && r.rsts == 1 && r.news == 1);
	CHECK(r.last.gate == GATE_OPEN && !r.last.tell);
	CHECK(r.last.bits == IPADDR_4IN6 + 24 && r.last.net.b[14] == 1 &&
	      r.last.net.b[15] == 0);
	CHECK(r.syn[0].dport == 80 && ipaddr_eq(&r.syn[0].dst, &r.sut[0].ip));
	CHECK(ask(&r, client(1, 7)) == GATE_OPEN);
	CHECK(ask(&r, client(2, 7)) == GATE_WAIT);
	pass(&r, 600 * SEC);
	CHECK(r.n == 2 && prove_counters(r.p)->proved == 2);
	rig_end(&r);
}

static void a_rst_proves_as_well_and_gets_none(void)
{
	struct rig r;

	rig_init(&r, 16, true);
	r.rst = true;
	rig_start(&r);
	ask(&r, client(1, 9));
	pass(&r, 0);
	CHECK(r.last.gate == GATE_OPEN && r.rsts == 0);
	rig_end(&r);
}

static void an_answer_to_another_hardware_address_does_not(void)
{
	struct rig r;

	rig_init(&r, 16, true);
	r.elsewhere = true;
	rig_start(&r);
	ask(&r, client(1, 9));
	pass(&r, 2 * SEC);
	CHECK(r.last.gate != GATE_OPEN && r.news == 1);
	CHECK(prove_counters(r.p)->elsewhere == PROVE_TRIES);
	rig_end(&r);
}

static void each_sut_has_its_own_networks(void)
{
	struct ipaddr c = client(1, 9);
	struct rig r;

	rig_init(&r, 16, true);
	rig_start(&r);
	ask(&r, c);
	pass(&r, 0);
	CHECK(prove_ask(r.p, 1, &c, r.now).gate == GATE_WAIT);
	pass(&r, 0);
	CHECK(ipaddr_eq(&r.syn[1].dst, &r.sut[1].ip) && r.syn[1].sut == 1);
	CHECK(prove_ask(r.p, 1, &c, r.now).gate == GATE_OPEN);
	rig_end(&r);
}

static void the_probe_is_from_nobody(void)
{
	struct rig r;

	/* All but one of a network were shown, or are a SUT's. */
	rig_init(&r, 4096, true);
	r.never[0] = client(1, 77);
	r.cfg.nevers = 1;
	rig_start(&r);
	for (unsigned i = 0; i < 256; i++) {
		struct ipaddr ip = client(1, i);

		if (i != 77 && i != 133)
			prove_show(r.p, &ip);
	}
	ask(&r, client(1, 9));
	pass(&r, 0);
	CHECK(r.n == 1 && r.syn[0].src.b[15] == 133);
	CHECK(r.last.gate == GATE_OPEN);
	/* And if that one is shown as well, none is asked from. */
	for (unsigned i = 2; i < 254; i++) {
		struct ipaddr ip = client(2, i);

		prove_show(r.p, &ip);
	}
	ask(&r, client(2, 9));
	pass(&r, 0);
	CHECK(r.n == 1 && r.last.gate == GATE_LATER);
	CHECK(prove_counters(r.p)->crowded == 1);
	rig_end(&r);
}

static void it_is_never_an_end_of_the_network(void)
{
	struct rig r;

	rig_init(&r, 2048, true);
	rig_start(&r);
	for (unsigned i = 0; i < 2000; i++)
		ask(&r, client(i, 9));
	pass(&r, SEC);
	CHECK(r.n == 2000);
	for (unsigned i = 0; i < r.n; i++)
		CHECK(r.syn[i].src.b[15] >= 2 && r.syn[i].src.b[15] <= 253);
	rig_end(&r);
}

static void an_ipv6_client_stands_for_its_64(void)
{
	static const uint8_t v6[16] = { 0xfd, 1, [7] = 3, [15] = 1 };
	struct ipaddr a = ipaddr_from6(v6);
	struct ipaddr b = a;
	struct rig r;

	rig_init(&r, 16, true);
	rig_start(&r);
	ask(&r, a);
	pass(&r, 0);
	CHECK(r.n == 1 && memcmp(r.syn[0].src.b, v6, 8) == 0);
	CHECK(memcmp(r.syn[0].src.b + 8, v6 + 8, 8) != 0);
	CHECK(r.last.bits == 64);
	b.b[12] = 9;
	CHECK(ask(&r, b) == GATE_OPEN);
	b.b[7] = 4;
	CHECK(ask(&r, b) == GATE_WAIT);
	rig_end(&r);
}

static void a_lost_network_is_named_and_tried_again(void)
{
	const struct prove_lost *l;
	struct rig r;
	uint64_t began;

	rig_init(&r, 16, true);
	r.nets = false;
	rig_start(&r);
	began = r.now;
	ask(&r, client(1, 9));
	pass(&r, 900 * MS);
	CHECK(r.news == 0 && ask(&r, client(1, 9)) == GATE_WAIT);
	pass(&r, 101 * MS);
	CHECK(r.news == 1 && r.last.gate == GATE_LOST && r.last.tell);
	CHECK(r.n == 6 && r.at[0] == began);
	l = prove_lost(r.p, 0);
	CHECK(l != NULL && l->net.b[14] == 1 && !l->moved);
	CHECK(prove_lost(r.p, 1) == NULL);
	CHECK(ask(&r, client(1, 9)) == GATE_LOST);
	pass(&r, 58 * SEC);
	CHECK(ask(&r, client(1, 9)) == GATE_LOST && r.n == 6);
	pass(&r, 2 * SEC);
	CHECK(ask(&r, client(1, 9)) == GATE_WAIT);
	pass(&r, 2 * SEC);
	CHECK(r.n == 12 && r.last.gate == GATE_LOST && !r.last.tell);
	r.nets = true;
	pass(&r, PROVE_AGAIN);
	CHECK(ask(&r, client(1, 9)) == GATE_WAIT);
	pass(&r, 0);
	CHECK(r.last.gate == GATE_OPEN && r.last.tell);
	CHECK(prove_lost(r.p, 0) == NULL);
	CHECK(prove_counters(r.p)->lost == 2 &&
	      prove_counters(r.p)->regained == 1);
	rig_end(&r);
}

static void a_sut_that_answers_nobody_decides_nothing(void)
{
	struct rig r;

	rig_init(&r, 16, true);
	r.nets = false;
	r.controls = false;
	rig_start(&r);
	ask(&r, client(1, 9));
	pass(&r, 2 * SEC);
	CHECK(r.news == 1 && r.last.gate == GATE_DEAF && !r.last.tell);
	CHECK(prove_counters(r.p)->lost == 0 &&
	      prove_counters(r.p)->undecided == 1);
	/* Nor does one that drops many SYNs: the control is asked each time. */
	ask(&r, client(1, 9));
	pass(&r, 600 * MS); /* one control of it went unanswered */
	r.controls = true;
	pass(&r, 2 * SEC);
	CHECK(r.last.gate == GATE_DEAF && prove_counters(r.p)->lost == 0);
	/* Nor one that dies behind the last SYN. */
	ask(&r, client(1, 9));
	pass(&r, 700 * MS);
	r.controls = false;
	pass(&r, 2 * SEC);
	CHECK(r.last.gate == GATE_DEAF && prove_counters(r.p)->lost == 0);
	r.nets = true;
	CHECK(ask(&r, client(1, 9)) == GATE_WAIT);
	pass(&r, 0);
	CHECK(r.last.gate == GATE_OPEN);
	rig_end(&r);
}

static void silence_proves_it_anew(void)
{
	struct ipaddr c = client(1, 9);
	struct rig r;

	rig_init(&r, 16, true);
	rig_start(&r);
	ask(&r, c);
	pass(&r, 0);
	for (int i = 0; i < PROVE_DEAF - 1; i++)
		prove_deaf(r.p, 0, &c);
	prove_heard(r.p, 0, &c);
	for (int i = 0; i < PROVE_DEAF - 1; i++)
		prove_deaf(r.p, 0, &c);
	pass(&r, 2 * SEC);
	CHECK(r.n == 1); /* not in a row */
	prove_deaf(r.p, 0, &c);
	CHECK(ask(&r, c) == GATE_WAIT);
	pass(&r, 0);
	CHECK(r.n == 2 && r.last.gate == GATE_OPEN);
	/* Its route goes: its clients are the SUT's to answer for. */
	for (int i = 0; i < PROVE_DEAF; i++)
		prove_deaf(r.p, 0, &c);
	r.nets = false;
	pass(&r, 2 * SEC);
	CHECK(r.last.gate == GATE_DEAF && r.last.tell);
	CHECK(ask(&r, c) == GATE_DEAF);
	CHECK(prove_lost(r.p, 0) != NULL && prove_lost(r.p, 0)->moved);
	CHECK(prove_counters(r.p)->moved == 1 &&
	      prove_counters(r.p)->lost == 0);
	/* The SUT answers nobody: it is as it was. */
	r.nets = true;
	pass(&r, PROVE_AGAIN);
	ask(&r, c);
	pass(&r, 0);
	r.nets = r.controls = false;
	for (int i = 0; i < PROVE_DEAF; i++)
		prove_deaf(r.p, 0, &c);
	pass(&r, 2 * SEC);
	CHECK(r.last.gate == GATE_OPEN && ask(&r, c) == GATE_OPEN);
	rig_end(&r);
}

static void an_answer_to_a_client_is_as_good(void)
{
	struct ipaddr c = client(1, 9);
	struct rig r;

	rig_init(&r, 16, true);
	r.nets = false;
	rig_start(&r);
	ask(&r, c);
	pass(&r, 300 * MS);
	prove_heard(r.p, 0, &c);
	news(&r);
	CHECK(r.last.gate == GATE_OPEN && ask(&r, c) == GATE_OPEN);
	pass(&r, 2 * SEC);
	CHECK(r.news == 1);
	/* Also if it comes when the network has been called lost. */
	c = client(2, 9);
	ask(&r, c);
	pass(&r, 2 * SEC);
	CHECK(r.last.gate == GATE_LOST && prove_lost(r.p, 0) != NULL);
	prove_heard(r.p, 0, &c);
	news(&r);
	CHECK(r.last.gate == GATE_OPEN && r.last.tell);
	CHECK(ask(&r, c) == GATE_OPEN && prove_lost(r.p, 0) == NULL);
	CHECK(prove_counters(r.p)->regained == 1);
	rig_end(&r);
}

static void by_default_only_silence_asks(void)
{
	struct ipaddr c = client(1, 9);
	struct rig r;

	rig_init(&r, 16, false);
	r.nets = false;
	rig_start(&r);
	CHECK(ask(&r, c) == GATE_OPEN);
	for (int i = 0; i < PROVE_DEAF; i++) {
		pass(&r, SEC);
		CHECK(r.n == 0);
		prove_deaf(r.p, 0, &c);
	}
	pass(&r, 2 * SEC);
	CHECK(r.last.gate == GATE_LOST && ask(&r, c) == GATE_LOST);
	c = client(2, 9);
	r.controls = false;
	for (int i = 0; i < PROVE_DEAF; i++)
		prove_deaf(r.p, 0, &c);
	pass(&r, 2 * SEC);
	CHECK(r.last.gate == GATE_OPEN && ask(&r, c) == GATE_OPEN);
	rig_end(&r);
}

static void the_rate_is_kept(void)
{
	struct rig r;
	uint32_t late = 0;

	rig_init(&r, 4096, true);
	r.nets = false;
	rig_start(&r);
	for (unsigned i = 0; i < 1200; i++)
		ask(&r, client(i, 9));
	pass(&r, 240 * MS);
	CHECK(r.n == 1200);
	for (uint32_t i = 0; i < r.n; i++) {
		uint32_t same = 0;

		for (uint32_t k = i; k < r.n && r.at[k] < r.at[i] + 10 * MS;
		     k++)
			same++;
		late += same > PROVE_RATE / 100 + 21;
	}
	CHECK(late == 0);
	rig_end(&r);
}

static void what_does_not_fit_is_later(void)
{
	struct rig r;

	rig_init(&r, 4, true);
	rig_start(&r);
	for (unsigned i = 0; i < 4; i++)
		CHECK(ask(&r, client(i, 9)) == GATE_WAIT);
	CHECK(ask(&r, client(4, 9)) == GATE_LATER);
	CHECK(prove_counters(r.p)->full == 1);
	pass(&r, 0);
	/* The one settled longest ago goes. */
	CHECK(ask(&r, client(0, 9)) == GATE_OPEN);
	CHECK(ask(&r, client(4, 9)) == GATE_WAIT);
	CHECK(prove_counters(r.p)->forgotten == 1);
	pass(&r, 0);
	CHECK(ask(&r, client(0, 9)) == GATE_OPEN);
	CHECK(ask(&r, client(1, 9)) == GATE_WAIT);
	rig_end(&r);
}

static void the_queue_has_an_end(void)
{
	struct rig r;

	rig_init(&r, PROVE_NETS, true);
	rig_start(&r);
	for (unsigned i = 0; i < PROVE_QUEUE; i++)
		CHECK(ask(&r, client(i, 9)) == GATE_WAIT);
	CHECK(ask(&r, client(PROVE_QUEUE, 9)) == GATE_LATER);
	CHECK(prove_counters(r.p)->unasked == 1);
	rig_end(&r);
}

static void the_named_are_the_newest(void)
{
	struct rig r;

	rig_init(&r, 256, true);
	r.nets = false;
	rig_start(&r);
	for (unsigned i = 0; i <= PROVE_NAMED; i++)
		ask(&r, client(i, 9));
	pass(&r, 3 * SEC);
	CHECK(prove_counters(r.p)->lost == PROVE_NAMED + 1);
	CHECK(prove_lost(r.p, PROVE_NAMED) == NULL);
	CHECK(prove_lost(r.p, 0)->net.b[14] == 1);
	CHECK(prove_lost(r.p, PROVE_NAMED - 1)->net.b[14] == PROVE_NAMED);
	rig_end(&r);
}

static void the_run_is_drawn_from_its_seed(void)
{
	struct rig a;
	struct rig b;

	rig_init(&a, 64, true);
	rig_init(&b, 64, true);
	rig_start(&a);
	rig_start(&b);
	for (unsigned i = 0; i < 50; i++) {
		ask(&a, client(i, 9));
		ask(&b, client(i, 9));
	}
	pass(&a, SEC);
	pass(&b, SEC);
	CHECK(a.n == b.n && memcmp(a.syn, b.syn, sizeof(a.syn)) == 0);
	rig_end(&a);
	rig_init(&a, 64, true);
	a.cfg.seed = 8;
	rig_start(&a);
	ask(&a, client(0, 9));
	pass(&a, SEC);
	CHECK(a.syn[0].seq != b.syn[0].seq);
	rig_end(&a);
	rig_end(&b);
}

static const struct check_test tests[] = {
	{ "a network is proved by one SYN", a_network_is_proved_by_one_syn },
	{ "a RST proves as well, and gets none",
	  a_rst_proves_as_well_and_gets_none },
	{ "an answer to another hardware address does not",
	  an_answer_to_another_hardware_address_does_not },
	{ "each SUT has its own networks", each_sut_has_its_own_networks },
	{ "the probe is from nobody", the_probe_is_from_nobody },
	{ "it is never an end of the network",
	  it_is_never_an_end_of_the_network },
	{ "an IPv6 client stands for its /64",
	  an_ipv6_client_stands_for_its_64 },
	{ "a lost network is named, and tried again",
	  a_lost_network_is_named_and_tried_again },
	{ "a SUT that answers nobody decides nothing",
	  a_sut_that_answers_nobody_decides_nothing },
	{ "silence proves it anew", silence_proves_it_anew },
	{ "an answer to a client is as good",
	  an_answer_to_a_client_is_as_good },
	{ "by default only silence asks", by_default_only_silence_asks },
	{ "the rate is kept", the_rate_is_kept },
	{ "what does not fit is later", what_does_not_fit_is_later },
	{ "the queue has an end", the_queue_has_an_end },
	{ "the named are the newest", the_named_are_the_newest },
	{ "the run is drawn from its seed", the_run_is_drawn_from_its_seed },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
