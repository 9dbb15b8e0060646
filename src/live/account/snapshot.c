/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * snapshot.c - From the engine's numbers to a report
 */
#include "account/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "account/account_internal.h"
#include "capture/ring.h"
#include "compare/protocol.h"
#include "dgram/udp.h"
#include "emit/sink.h"
#include "flow/key.h"
#include "lan/prove.h"
#include "lan/sutwire.h"
#include "lan/wire_rules.h"
#include "latency/latency.h"
#include "os/usage.h"
#include "record/health.h"
#include "record/record.h"
#include "redact/redact.h"
#include "report/report.h"
#include "rules/rules.h"
#include "shadow/counters.h"
#include "tally/counters.h"
#include "text/text.h"
#include "wire/decode.h"

static void add(struct report_count *list, size_t *n, const char *name,
		uint64_t v)
{
	if (*n < COUNTS_MAX)
		list[(*n)++] = (struct report_count){ name, v };
}

/* All of a struct's counters. */
static void add_all(struct report_count *list, size_t *n,
		    const struct counter_list *l, const void *base)
{
	for (size_t i = 0; i < l->n; i++)
		add(list, n, l->row[i].name, counter_get(&l->row[i], base));
}

/* A group that is all of a list. */
static void add_group(struct snapshot *f, const char *name,
		      struct report_count *list, const struct counter_list *l,
		      const void *base)
{
	size_t n = 0;

	add_all(list, &n, l, base);
	f->group[f->d.group_count++] =
		(struct report_group){ name, { list, n } };
}

static void fill_flows(struct snapshot *f, const struct shadow_counters *c)
{
	size_t n = 0;
	size_t m = 0;

	for (int i = 1; i < FLOW_END_COUNT; i++) {
		const char *name = flow_end_name((enum flow_end)i);

		if (c->ended[i] != 0)
			f->ended[n++] =
				(struct report_count){ name, c->ended[i] };
		if (c->not_delivered[i] != 0)
			f->lost[m++] =
				(struct report_count){ name,
						       c->not_delivered[i] };
	}
	f->d.flows.seen = c->flows_seen;
	f->d.flows.played = c->flows_played;
	f->d.flows.resumed = c->flows_resumed;
	f->d.flows.ended = (struct report_counts){ f->ended, n };
	f->d.requests.seen = c->requests_seen;
	f->d.requests.delivered = c->requests_delivered;
	f->d.requests.answered = c->requests_answered;
	f->d.not_played = c->ended[FLOW_END_BEHIND];
	f->group[1] = (struct report_group){ "not_delivered", { f->lost, m } };
	n = 0;
	add_all(f->machine, &n, &shadow_counter_list, c);
	f->group[0] = (struct report_group){ "machine", { f->machine, n } };
}

/* Segments with payload that the capture missed, by the bytes of the holes and
 * the mean of what was captured in that direction.
 */
static uint64_t missed(const struct shadow_counters *c)
{
	uint64_t n = 0;

	if (c->client_segments > 0 && c->client_payload > 0)
		n += c->gap_client_bytes * c->client_segments /
		     c->client_payload;
	if (c->prod_segments > 0 && c->prod_payload > 0)
		n += c->gap_prod_bytes * c->prod_segments / c->prod_payload;
	return n;
}

/* What the frames of one wire were; their number is added to @sum. */
static struct report_counts fill_decode(struct snapshot *f,
					const struct engine_stats *st,
					enum engine_source from, uint64_t *sum)
{
	struct report_count *list = f->decode[from];
	size_t n = 0;

	for (int i = 0; i < DECODE_COUNT; i++) {
		uint64_t v = st->decode[from][i];

		*sum += v;
		if (v != 0)
			list[n++] = (struct report_count){
				decode_name((enum decode_result)i), v
			};
	}
	return (struct report_counts){ list, n };
}

static void fill_tunnels(struct snapshot *f, const struct decap_tally *t)
{
	size_t n = 0;

	for (; n < t->n; n++)
		f->tunnel[n] = (struct report_tunnel){
			.kind = decap_name(t->seen[n].kind),
			.keyed = t->seen[n].keyed,
			.taken = t->seen[n].taken,
			.key = t->seen[n].key,
			.frames = t->seen[n].frames,
		};
	if (t->more > 0)
		f->tunnel[n++] = (struct report_tunnel){ .taken = true,
							 .frames = t->more };
	f->d.capture.tunnel = f->tunnel;
	f->d.capture.tunnels = n;
}

static void fill_replay(struct snapshot *f, const struct replay_counters *r,
			const struct engine_counters *c)
{
	add_group(f, "replay", f->replay, &replay_counter_list, r);
	f->sum[4] = (struct report_sum){ "records played", r->records_played,
					 c->frames_mirror };
}

/* Nothing to say where no network was proved, nor was to be. */
static void fill_networks(struct snapshot *f, const struct engine *engine,
			  const struct run_facts *x)
{
	struct prove *p = engine_prove(engine);
	const struct prove_counters *c;

	if (!p)
		return;
	c = prove_counters(p);
	if (!x->opt->engine.prove_each && c->probes == 0)
		return;
	add_group(f, "networks", f->networks, &prove_counter_list, c);
	f->d.no_route = networks_headline(engine, x->opt, f->no_route,
					  sizeof(f->no_route));
}

/* What the guard of the SUT's wire saw; nothing if nobody is played to. */
static void fill_wire(struct snapshot *f, const struct sutwire *w)
{
	const struct sutwire_stats *s = w ? sutwire_stats(w) : NULL;
	size_t n = 0;

	if (s)
		add_all(f->wire, &n, &sutwire_counter_list, s);
	f->group[f->d.group_count++] =
		(struct report_group){ "sut_wire", { f->wire, n } };
	n = 0;
	for (int k = 0; s && k < WIRE_KINDS; k++)
		if (s->other_hosts[k] != 0)
			f->others[n++] = (struct report_count){
				wire_rules_name((enum wire_kind)k),
				s->other_hosts[k]
			};
	f->group[f->d.group_count++] =
		(struct report_group){ "other_hosts", { f->others, n } };
}

/* What was odd about the captures; a rerun reads none. */
static void fill_input(struct snapshot *f, const struct run_facts *x)
{
	size_t n = 0;

	if (!x->read)
		return;
	add_all(f->input, &n, &file_counter_list, &x->read->file);
	add_all(f->input, &n, &stamps_counter_list, &x->read->stamps);
	add(f->input, &n, "frames_trusted", x->read->trusted);
	add(f->input, &n, "frames_renamed", x->read->renamed);
	add(f->input, &n, "frames_unplayable", x->read->unplayable);
	f->d.input.all = x->read->file.bytes_all;
	f->d.input.read = x->read->file.bytes_read;
	f->d.input.damaged = x->read->file.damaged;
	f->group[f->d.group_count++] =
		(struct report_group){ "input", { f->input, n } };
}

/* What sockets brought and took. */
static void fill_sockets(struct snapshot *f, const struct run_facts *x)
{
	if (x->mirror_ring) {
		f->d.capture.not_grown += x->mirror_ring->not_grown;
		add_group(f, "mirror_ring", f->ring[0], &ring_counter_list,
			  x->mirror_ring);
	}
	if (!x->sut_ring)
		return;
	f->d.capture.not_grown += x->sut_ring->not_grown;
	add_group(f, "sut_ring", f->ring[1], &ring_counter_list, x->sut_ring);
	add_group(f, "sink", f->sink, &sink_counter_list, x->sink);
}

static void fill_engine(struct snapshot *f, const struct engine *engine,
			const struct run_facts *x,
			const struct engine_stats *st)
{
	const struct engine_counters *c = &st->count;
	uint64_t refused = 0;
	uint64_t decoded = 0;
	size_t k = 0;

	f->d.capture.decode = fill_decode(f, st, ENGINE_MIRROR, &decoded);
	f->group[4] = (struct report_group){
		"sut_frames", fill_decode(f, st, ENGINE_SUT, &decoded)
	};
	fill_tunnels(f, &st->tunnels);
	f->d.capture.frames = c->frames_mirror;
	f->d.capture.missed = missed(shadow_counters(engine_shadow(engine)));
	f->d.capture.delay = x->delay;
	f->d.absorbed = c->absorbed;
	f->d.unmapped = c->not_mapped > 0 &&
			c->client + c->production + c->client_datagram == 0;
	f->d.refused = c->refused_tcp + c->refused_udp;
	f->sum[0] = (struct report_sum){ "frames decoded",
					 c->frames_mirror + c->frames_sut,
					 decoded };
	f->sum[1] = (struct report_sum){ "frames by fate",
					 c->frames_mirror + c->frames_sut +
						 c->other_legs,
					 counter_sum(&engine_fate_list, c) };
	add_all(f->frames, &k, &engine_counter_list, c);
	for (int v = 0; v < VERDICT_COUNT; v++)
		refused += st->records.refused[v];
	if (refused > 0)
		add(f->frames, &k, "records_refused", refused);
	f->group[2] = (struct report_group){ "frames", { f->frames, k } };
	k = 0;
	add_all(f->udp, &k, &udp_counter_list, engine_udp(engine));
	f->group[3] = (struct report_group){ "datagrams", { f->udp, k } };
	f->d.groups = f->group;
	f->d.group_count = 5;
	f->d.quic = c->quic;
	f->d.alone = engine_udp(engine)->stream_prod +
		     engine_udp(engine)->stream_sut;
	add_group(f, "mirror_icmp", f->icmp, &mirror_icmp_list, &st->icmp);
	fill_wire(f, engine_wire(engine));
	if (x->replay)
		fill_replay(f, x->replay, c);
	fill_input(f, x);
	fill_networks(f, engine, x);
	fill_sockets(f, x);
	memcpy(f->d.verdicts, st->verdict, sizeof(f->d.verdicts));
	memcpy(f->d.reasons, st->reason, sizeof(f->d.reasons));
	memcpy(f->d.each, st->each, sizeof(f->d.each));
}

/* How long production and SUT took; of a skewed production nothing is told. */
static void fill_latency(struct snapshot *f, const struct engine *engine)
{
	_Static_assert(LATENCY_PROD == (int)REPORT_PROD &&
			       LATENCY_SIDES == (int)REPORT_SIDES,
		       "one numbering of the sides");
	bool skewed;

	engine_latencies(engine, &f->latency);
	skewed = latency_skewed(&f->latency);
	if (skewed)
		latency_distrust(&f->latency.side[LATENCY_PROD]);
	for (int i = 0; i < LATENCY_SIDES; i++) {
		const struct latency_side *s = &f->latency.side[i];
		struct report_count *why = f->not_measured[i];
		size_t n = 0;

		for (int w = 0; w < LATENCY_WHY_COUNT; w++)
			if (w != LATENCY_MEASURED)
				why[n++] = (struct report_count){
					latency_why_name((enum latency_why)w),
					s->why[w]
				};
		f->d.side[i] = (struct report_side){
			.connect = &s->connect,
			.first = &s->first,
			.last = &s->last,
			.measured = s->why[LATENCY_MEASURED],
			.not_measured = { why, n },
			.skewed = skewed && i == LATENCY_PROD,
		};
	}
	f->d.own = &f->latency.own;
}

static const char *proto_name(uint8_t proto)
{
	switch (proto) {
	case PROTO_TCP:
		return "tcp";
	case PROTO_UDP:
		return "udp";
	case PROTO_ICMP:
	case PROTO_ICMP6:
		return "icmp";
	default:
		return "ip";
	}
}

static int by_count(const void *a, const void *b)
{
	const struct report_absorbed *x = a;
	const struct report_absorbed *y = b;

	return x->n < y->n ? 1 : x->n > y->n ? -1 : 0;
}

static void fill_absorbed(struct snapshot *f, const struct engine_stats *st)
{
	for (uint32_t i = 0; i < st->absorbed_n; i++) {
		const struct engine_absorbed *a = &st->absorbed[i];

		f->top[i].dst.ip = a->dst;
		f->top[i].dst.port = a->port;
		f->top[i].kind = proto_name(a->proto);
		f->top[i].n = a->n;
	}
	qsort(f->top, st->absorbed_n, sizeof(f->top[0]), by_count);
	f->d.top = f->top;
	f->d.tops = st->absorbed_n;
}

uint64_t epoch_wall(const struct run_epoch *t, uint64_t now)
{
	return t->started + (now - t->begun);
}

struct report_map snapshot_map(const struct options *o, size_t i)
{
	const struct engine_map *m = &o->engine.map[i];

	return (struct report_map){ { m->prod, m->prod_port },
				    { m->sut, m->sut_port } };
}

int snapshot_by_name(const char *a, size_t n, const char *b, size_t m)
{
	int r = memcmp(a, b, n < m ? n : m);

	return r != 0 || n == m ? r : n < m ? -1 : 1;
}

static void fill_emit(struct snapshot *f, const struct engine *engine,
		      const struct run_facts *x)
{
	struct engine_occupancy occ;
	const struct sink_stats *s = x->sink;

	f->d.emit.frames = s->frames;
	f->d.emit.bytes = s->bytes;
	f->d.emit.refused = s->refused;
	f->d.emit.errors = s->errors;
	engine_occupancy(engine, x->now, &occ);
	f->d.memory.pool_used = occ.pool_used;
	f->d.memory.pool_peak = occ.pool_peak;
	f->d.memory.pool_total = occ.pool_total;
	f->d.memory.flows_used = occ.flows;
	f->d.memory.timers_used = occ.timers;
}

/* What the SUTs did not answer, and when they were down. */
static void fill_suts(struct snapshot *f, const struct run_facts *x,
		      const struct engine_stats *st)
{
	for (uint32_t i = 0; i < st->suts; i++) {
		const struct health *h = &st->health[i];

		f->sut[i] = (struct report_sut){
			.ip = st->sut[i],
			.state = health_name(h->state),
			.down = health_down(h, x->now),
			.times = h->times,
		};
	}
	f->d.sut_list = f->sut;
	f->d.suts = st->suts;
	f->d.allow_down = x->opt->allow_down;
	memcpy(f->d.unanswered, st->unanswered, sizeof(f->d.unanswered));
	f->d.after_verdict = &st->after_verdict;
	f->d.stalls = st->count.stalls;
	f->d.stalled = st->stalled;
}

/* Whose text a line stood in; a preset's: NULL */
static const char *source_of(const struct options *o, uint32_t number)
{
	for (uint32_t i = 0; i < o->sources; i++)
		if (o->source[i].number == number)
			return o->source[i].name;
	return NULL;
}

static void fill_versions(struct snapshot *f, const struct refer_stats *st)
{
	const struct report_count c[SNAPSHOT_VERSIONS] = {
		{ "noted", st->notes },
		{ "note_refused", st->notes_refused },
		{ "held", st->held },
		{ "held_full", st->held_full },
		{ "taken_back", st->taken_back },
		{ "parts_held", st->parts.held },
		{ "parts_held_full", st->parts.held_full },
		{ "parts_taken_back", st->parts.taken_back },
	};
	const struct report_count s[SNAPSHOT_SESSIONS] = {
		{ "cookies", st->given },
		{ "cookies_pushed", st->given_pushed },
		{ "tokens", st->tokens },
		{ "tokens_pushed", st->tokens_pushed },
	};

	memcpy(f->versions, c, sizeof(c));
	memcpy(f->sessions, s, sizeof(s));
}

static void fill_rules(struct snapshot *f, const struct run_facts *x,
		       const struct refer_stats *st)
{
	const struct rules *r = x->opt->engine.by;

	if (!r)
		return;
	for (unsigned m = 0; m < CASE_MADE_COUNT; m++)
		f->made[m] = (struct report_count){
			case_made_name((enum case_made)m), st->made[m]
		};
	fill_versions(f, st);
	for (uint32_t i = 0; i < rules_endpoints(r); i++) {
		f->endpoint[i] =
			(struct report_ruled){ .name = rules_name(r, i),
					       .overload = st->overload[i] };
		memcpy(f->endpoint[i].verdicts, st->verdict[i],
		       sizeof(st->verdict[i]));
	}
	for (uint32_t i = 0; i < rules_count(r); i++) {
		const struct rule *l = rules_line(r, i);
		const char *name = source_of(x->opt, l->source);

		f->line[i] = (struct report_rule){
			.source = name ? name : "preset",
			.number = l->line,
			.preset = !name,
			.hits = l->hits,
			.alone = l->alone,
		};
	}
	f->rules = (struct report_rules){
		.made = { f->made, CASE_MADE_COUNT },
		.endpoint = f->endpoint,
		.endpoints = rules_endpoints(r),
		.line = f->line,
		.lines = rules_count(r),
		.versions = { f->versions, SNAPSHOT_VERSIONS },
		.sessions = { f->sessions, SNAPSHOT_SESSIONS },
		.handed = st->handed,
		.judged = st->judged,
	};
	f->d.rules = &f->rules;
}

void snapshot_fill(struct snapshot *f, const struct engine *engine,
		   const struct run_facts *x)
{
	const struct engine_stats *st = engine_stats(engine);
	const struct shadow *s = engine_shadow(engine);
	uint64_t verdicts = 0;
	uint64_t reasons = 0;

	memset(f, 0, sizeof(*f));
	f->d.version = VERSION;
	f->d.elapsed = x->elapsed;
	f->d.ask_doctor = x->live && x->opt->engine.compare != COMPARE_NONE;
	fill_flows(f, shadow_counters(s));
	fill_engine(f, engine, x, st);
	fill_latency(f, engine);
	fill_absorbed(f, st);
	snapshot_places(f, x, st);
	fill_suts(f, x, st);
	fill_emit(f, engine, x);
	f->d.statuses =
		(struct report_statuses){ st->status.pairs, st->status.errors,
					  st->status.denied };
	fill_rules(f, x, &st->refer);
	snapshot_noise(f, engine, x);
	f->d.capture.drops = x->drops;
	f->d.behind = shadow_behind(s);
	f->d.cpu = usage_cpu();
	f->d.report_lost = x->lines_lost;
	f->d.journal_lost = x->journal_lost;
	for (int v = 0; v < VERDICT_COUNT; v++) {
		verdicts += st->verdict[v];
		for (int r = 0; r < REASON_COUNT; r++)
			reasons += st->reason[v][r];
	}
	f->sum[2] =
		(struct report_sum){ "verdicts by reason", verdicts, reasons };
	f->sum[3] = (struct report_sum){ "effects sent or given up", x->effects,
					 x->sunk };
	f->d.sums = f->sum;
	f->d.sum_count = x->replay ? 5 : 4;
	for (int i = 0; i < LATENCY_SIDES; i++)
		f->sum[f->d.sum_count++] = (struct report_sum){
			i == LATENCY_PROD ? "production timed or not"
					  : "SUT timed or not",
			verdicts + engine_open_sut(engine),
			latency_total(&f->latency.side[i])
		};
	if (x->opt->engine.by)
		f->sum[f->d.sum_count++] = (struct report_sum){
			"cases judged or owed", st->refer.handed,
			st->refer.judged + st->refer.lost + engine_out(engine)
		};
}
