/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fill.c - From the engine's numbers to a report
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/live.h"
#include "cmd/replay.h"
#include "cmd/version.h"

#include "os/log.h"
#include "os/usage.h"
#include "report/report.h"
#include "report/text.h"

#define COUNTS_MAX 128
#define SUMS_MAX   8
#define GROUPS_MAX 10
#define NO_ROUTE   512 /* bytes of a list of networks */
#define COLUMNS	   80

/* Everything that a report_data points to. */
struct filled {
	struct report_data d;
	struct report_count ended[FLOW_END_COUNT];
	struct report_count decode[2][DECODE_COUNT]; /* by source */
	struct report_count machine[COUNTS_MAX];
	struct report_count lost[FLOW_END_COUNT];
	struct report_count frames[COUNTS_MAX];
	struct report_count udp[COUNTS_MAX];
	struct report_count wire[COUNTS_MAX];
	struct report_count others[WIRE_KINDS];
	struct report_count replay[COUNTS_MAX];
	struct report_count input[COUNTS_MAX];
	struct report_absorbed top[ABSORB_MAX];
	struct report_map_sums map[MAP_MAX];
	struct report_place place[ENDPOINTS_MAX];
	struct report_sum sum[SUMS_MAX];
	struct report_count networks[COUNTS_MAX];
	struct report_group group[GROUPS_MAX];
	struct latencies latency;
	struct report_count not_measured[LATENCY_SIDES][LATENCY_WHY_COUNT];
	char no_route[NO_ROUTE];
	struct report_sut sut[MAP_MAX];
};

static void add(struct report_count *list, size_t *n, const char *name,
		uint64_t v)
{
	if (*n < COUNTS_MAX)
		list[(*n)++] = (struct report_count){ name, v };
}

static void fill_flows(struct filled *f, const struct shadow_counters *c)
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
#define X(name) add(f->machine, &n, #name, c->name);
	SHADOW_COUNTERS(X)
#undef X
	f->group[0] = (struct report_group){ "machine", { f->machine, n } };
}

static uint64_t fates(const struct engine_counters *c)
{
	uint64_t sum = 0;

#define X(name) sum += c->name;
	ENGINE_FATES(X)
#undef X
	return sum;
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
static struct report_counts fill_decode(struct filled *f,
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

static void fill_replay(struct filled *f, const struct live *l,
			const struct engine_counters *c)
{
	const struct replay_counters *r = replay_count(l->replay);
	size_t n = 0;

#define X(name) add(f->replay, &n, #name, r->name);
	REPLAY_COUNTERS(X)
#undef X
	f->group[f->d.group_count++] =
		(struct report_group){ "replay", { f->replay, n } };
	f->sum[4] = (struct report_sum){ "records played", r->records_played,
					 c->frames_mirror };
}

/* Nothing to say where no network was proved, nor was to be. */
static void fill_networks(struct filled *f, const struct live *l)
{
	struct prove *p = engine_prove(l->engine);
	const struct prove_counters *c;
	size_t n = 0;

	if (p == NULL)
		return;
	c = prove_counters(p);
	if (!l->opt->engine.prove_each && c->probes == 0)
		return;
#define X(name) add(f->networks, &n, #name, c->name);
	PROVE_COUNTERS(X)
#undef X
	f->group[f->d.group_count++] =
		(struct report_group){ "networks", { f->networks, n } };
	f->d.no_route = networks_headline(l, f->no_route, sizeof(f->no_route));
}

/* What the guard of the SUT's wire saw; nothing if nobody is played to. */
static void fill_wire(struct filled *f, const struct sutwire *w)
{
	const struct sutwire_stats *s = w != NULL ? sutwire_stats(w) : NULL;
	size_t n = 0;

#define X(name) add(f->wire, &n, #name, s->name);
	if (s != NULL) {
		SUTWIRE_COUNTERS(X)
	}
#undef X
	f->group[f->d.group_count++] =
		(struct report_group){ "sut_wire", { f->wire, n } };
	n = 0;
	for (int k = 0; s != NULL && k < WIRE_KINDS; k++)
		if (s->other_hosts[k] != 0)
			f->others[n++] = (struct report_count){
				wire_rules_name((enum wire_kind)k),
				s->other_hosts[k]
			};
	f->group[f->d.group_count++] =
		(struct report_group){ "other_hosts", { f->others, n } };
}

/* What was odd about the captures; a rerun reads none. */
static void fill_input(struct filled *f, const struct live *l)
{
	size_t n = 0;

	if (!l->reads)
		return;
#define X(name) add(f->input, &n, #name, l->input.name);
	FILE_COUNTERS(X)
#undef X
#define X(name) add(f->input, &n, #name, l->stamps.count.name);
	STAMPS_COUNTERS(X)
#undef X
	add(f->input, &n, "frames_trusted", l->trusted);
	add(f->input, &n, "frames_renamed", l->frames_renamed);
	add(f->input, &n, "frames_unplayable", l->frames_unplayable);
	f->d.input.all = l->input.bytes_all;
	f->d.input.read = l->input.bytes_read;
	f->d.input.damaged = l->input.damaged;
	f->group[f->d.group_count++] =
		(struct report_group){ "input", { f->input, n } };
}

static void fill_engine(struct filled *f, const struct live *l,
			const struct engine_stats *st)
{
	const struct engine_counters *c = &st->count;
	uint64_t decoded = 0;
	size_t k = 0;

	f->d.capture.decode = fill_decode(f, st, ENGINE_MIRROR, &decoded);
	f->group[4] = (struct report_group){
		"sut_frames", fill_decode(f, st, ENGINE_SUT, &decoded)
	};
	f->d.capture.frames = c->frames_mirror;
	f->d.capture.missed = missed(shadow_counters(engine_shadow(l->engine)));
	f->d.capture.delay = &l->delay;
	f->d.absorbed = c->absorbed;
	f->d.refused = c->refused_tcp + c->refused_udp;
	f->sum[0] = (struct report_sum){ "frames decoded",
					 c->frames_mirror + c->frames_sut,
					 decoded };
	f->sum[1] = (struct report_sum){ "frames by fate",
					 c->frames_mirror + c->frames_sut +
						 c->other_legs,
					 fates(c) };
#define X(name) add(f->frames, &k, #name, c->name);
	ENGINE_COUNTERS(X)
#undef X
	f->group[2] = (struct report_group){ "frames", { f->frames, k } };
	k = 0;
#define X(field, name) add(f->udp, &k, name, engine_udp(l->engine)->field);
	UDP_COUNTERS(X)
#undef X
	f->group[3] = (struct report_group){ "datagrams", { f->udp, k } };
	f->d.groups = f->group;
	f->d.group_count = 5;
	fill_wire(f, engine_wire(l->engine));
	if (l->replay != NULL)
		fill_replay(f, l, c);
	fill_input(f, l);
	fill_networks(f, l);
	memcpy(f->d.verdicts, st->verdict, sizeof(f->d.verdicts));
	memcpy(f->d.reasons, st->reason, sizeof(f->d.reasons));
	memcpy(f->d.each, st->each, sizeof(f->d.each));
}

/* How long production and SUT took; of a skewed production nothing is told. */
static void fill_latency(struct filled *f, const struct live *l)
{
	_Static_assert(LATENCY_PROD == (int)REPORT_PROD &&
			       LATENCY_SIDES == (int)REPORT_SIDES,
		       "one numbering of the sides");
	bool skewed;

	engine_latencies(l->engine, &f->latency);
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

static void fill_absorbed(struct filled *f, const struct engine_stats *st)
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

/* Time of day, ns since 1970, at time @now of the engine. */
static uint64_t wall(const struct live *l, uint64_t now)
{
	return l->started + (now - l->begun);
}

static struct report_map map_of(const struct live *l, size_t i)
{
	const struct engine_map *m = &l->opt->engine.map[i];

	return (struct report_map){ { m->prod, m->prod_port },
				    { m->sut, m->sut_port } };
}

static int by_differences(const void *a, const void *b)
{
	const struct report_place *x = a;
	const struct report_place *y = b;

	return x->n < y->n ? 1 : x->n > y->n ? -1 : 0;
}

/* Where answers differ. */
static void fill_places(struct filled *f, const struct live *l,
			const struct engine_stats *st)
{
	f->d.map = f->map;
	f->d.maps = l->opt->engine.maps;
	for (size_t i = 0; i < f->d.maps; i++) {
		f->map[i].map = map_of(l, i);
		memcpy(f->map[i].verdicts, st->map[i].verdict,
		       sizeof(f->map[i].verdicts));
		memcpy(f->map[i].each, st->map[i].each, sizeof(f->map[i].each));
	}
	f->d.place = f->place;
	f->d.places = st->endpoints;
	for (size_t i = 0; i < f->d.places; i++) {
		const struct engine_endpoint *p = &st->endpoint[i];

		f->place[i] = (struct report_place){
			.name = p->name,
			.name_len = p->name_len,
			.reason = (enum compare_reason)p->reason,
			.map = p->map,
			.n = p->n,
			.over = p->over,
			.since = wall(l, p->since),
			.client_port = p->client_port,
			.udp = p->udp,
		};
	}
	qsort(f->place, f->d.places, sizeof(f->place[0]), by_differences);
	/* A replay's journal has the times of both its capture and its run. */
	f->d.frames = l->replay != NULL ? l->opt->file[0] : l->opt->journal;
}

static void fill_emit(struct filled *f, const struct live *l)
{
	struct engine_occupancy occ;
	const struct sink_stats *s = &l->sink->stats;

	f->d.emit.frames = s->frames;
	f->d.emit.bytes = s->bytes;
	f->d.emit.refused = s->refused;
	f->d.emit.errors = s->errors;
	engine_occupancy(l->engine, l->now, &occ);
	f->d.memory.pool_used = occ.pool_used;
	f->d.memory.pool_peak = occ.pool_peak;
	f->d.memory.pool_total = occ.pool_total;
	f->d.memory.flows_used = occ.flows;
	f->d.memory.timers_used = occ.timers;
}

uint64_t live_elapsed(const struct live *l)
{
	if (l->opt->files == 0 || l->has_sut)
		return l->now - l->begun;
	return l->mirror_frames > 0 ? l->now - l->file_begun : 0;
}

uint64_t live_drops(struct live *l)
{
	if (l->mirror_over || !l->has_mirror)
		return l->mirror_drops;
	return ring_stats(&l->mirror)->drops;
}

/* What the SUTs did not answer, and when they were down. */
static void fill_suts(struct filled *f, const struct live *l,
		      const struct engine_stats *st)
{
	for (uint32_t i = 0; i < st->suts; i++) {
		const struct health *h = &st->health[i];

		f->sut[i] = (struct report_sut){
			.ip = st->sut[i],
			.state = health_name(h->state),
			.down = health_down(h, l->now),
			.times = h->times,
		};
	}
	f->d.sut_list = f->sut;
	f->d.suts = st->suts;
	f->d.allow_down = l->opt->allow_down;
	memcpy(f->d.unanswered, st->unanswered, sizeof(f->d.unanswered));
	f->d.after_verdict = &st->after_verdict;
	f->d.stalls = st->count.stalls;
	f->d.stalled = st->stalled;
}

static void fill(struct filled *f, struct live *l)
{
	const struct engine_stats *st = engine_stats(l->engine);
	const struct shadow *s = engine_shadow(l->engine);
	uint64_t verdicts = 0;
	uint64_t reasons = 0;

	memset(f, 0, sizeof(*f));
	f->d.version = VERSION;
	f->d.elapsed = live_elapsed(l);
	f->d.ask_doctor = l->has_sut && l->has_mirror &&
			  l->opt->engine.compare != COMPARE_NONE;
	fill_flows(f, shadow_counters(s));
	fill_engine(f, l, st);
	fill_latency(f, l);
	fill_absorbed(f, st);
	fill_places(f, l, st);
	fill_suts(f, l, st);
	fill_emit(f, l);
	f->d.capture.drops = live_drops(l);
	if (l->has_sut)
		f->d.capture.drops += ring_stats(&l->sut)->drops;
	f->d.behind = shadow_behind(s);
	f->d.cpu = usage_cpu();
	l->lines_told = l->lines != NULL ? lines_lost(l->lines) : 0;
	f->d.report_lost = l->lines_told;
	f->d.journal_lost = l->journal_end.lost_ring + l->journal_end.lost_disk;
	for (int v = 0; v < VERDICT_COUNT; v++) {
		verdicts += st->verdict[v];
		for (int r = 0; r < REASON_COUNT; r++)
			reasons += st->reason[v][r];
	}
	f->sum[2] =
		(struct report_sum){ "verdicts by reason", verdicts, reasons };
	f->sum[3] = (struct report_sum){ "effects sent or given up", l->effects,
					 l->sunk + l->pend_n };
	f->d.sums = f->sum;
	f->d.sum_count = l->replay != NULL ? 5 : 4;
	for (int i = 0; i < LATENCY_SIDES; i++)
		f->sum[f->d.sum_count++] = (struct report_sum){
			i == LATENCY_PROD ? "production timed or not"
					  : "SUT timed or not",
			verdicts, latency_total(&f->latency.side[i])
		};
}

static bool stdout_is_taken(const struct options *o)
{
	return (o->json != NULL && !strcmp(o->json, "-")) ||
	       (o->journal != NULL && !strcmp(o->journal, "-"));
}

void live_report(struct live *l)
{
	static struct filled f;
	static char line[REPORT_LINE_MAX];
	static char text[REPORT_TEXT_MAX];
	size_t n;

	fill(&f, l);
	n = report_text(text, sizeof(text), &f.d);
	if (l->live_line)
		fputs("\r\033[K", stderr);
	fwrite(text, 1, n, stdout_is_taken(l->opt) ? stderr : stdout);
	fflush(stdout);
	if (l->lines == NULL)
		return;
	n = report_json(line, sizeof(line), &f.d);
	if (n > 0)
		lines_write(l->lines, line, n);
}

size_t live_report_json(struct live *l, char *out, size_t size)
{
	static struct filled f;

	fill(&f, l);
	return report_json(out, size, &f.d);
}

void live_start_line(struct live *l)
{
	static char line[REPORT_LINE_MAX];
	static char text[8192];
	struct report_map map[MAP_MAX];
	struct report_start s = { .version = VERSION,
				  .command = l->replay != NULL ? "replay"
							       : "shadow",
				  .options = text,
				  .started = l->started,
				  .map = map,
				  .maps = l->opt->engine.maps };
	size_t n;

	if (l->lines == NULL)
		return;
	if (options_text(l->opt, text, sizeof(text)) < 0)
		text[0] = '\0';
	for (size_t i = 0; i < s.maps; i++)
		map[i] = map_of(l, i);
	n = report_json_start(line, sizeof(line), &s);
	if (n > 0)
		lines_write(l->lines, line, n);
}

/* Lines of other kinds than differences. Return: 0: there is none of this */
static size_t other_json(const struct live *l, const struct engine_event *ev,
			 char *out, size_t size)
{
	struct report_happened h = {
		.at = ev->now - l->begun,
		.flow = ev->flow,
		.client = { ev->client, ev->client_port },
		.production = { ev->prod, ev->prod_port },
		.sut = { ev->sut, ev->sut_port },
		.request = ev->request,
		.request_len = ev->request_len,
	};

	/* As the client, or production, ended it: nothing went wrong. */
	if (ev->kind == EVENT_FLOW_END &&
	    (ev->end == FLOW_END_CLIENT_RST || ev->end == FLOW_END_PROD_RST ||
	     ev->end == FLOW_END_REUSED))
		return 0;
	if (ev->kind == EVENT_FLOW_END) {
		h.what = flow_end_name(ev->end);
		return report_json_flow_end(out, size, &h);
	}
	h.what = ev->up ? "back" : health_name(ev->state);
	h.since = ev->since > l->begun ? ev->since - l->begun : 0;
	return report_json_sut_state(out, size, &h);
}

size_t live_event_json(const struct live *l, const struct engine_event *ev,
		       char *out, size_t size)
{
	struct report_difference d = {
		.flow = ev->flow,
		.client = { ev->client, ev->client_port },
		.production = { ev->prod, ev->prod_port },
		.sut = { ev->sut, ev->sut_port },
		.asked = ev->asked != 0 ? wall(l, ev->asked) : 0,
		.record = ev->record,
		.index = ev->index,
		.result = &ev->result,
		.request = ev->request,
		.request_len = ev->request_len,
		.prod_ns = ev->prod_ns,
		.sut_ns = ev->sut_ns,
	};
	char net[NETWORK_NAME];

	if (ev->kind == EVENT_CLOCK_STEP)
		return report_json_clock_step(out, size, ev->step_ns);
	if (ev->kind == EVENT_NETWORK)
		return report_json_network(
			out, size,
			&(struct report_network){
				.name = networks_name(net, &ev->client,
						      ev->bits),
				.sut = { ev->sut, ev->sut_port },
				.state = ev->up ? "proved"
						: flow_end_name(ev->end) });
	if (ev->kind != EVENT_VERDICT)
		return other_json(l, ev, out, size);
	return report_json_difference(out, size, &d);
}

void live_event_line(struct live *l, const struct engine_event *ev)
{
	static char line[REPORT_LINE_MAX];
	size_t n;

	if (l->lines == NULL)
		return;
	n = live_event_json(l, ev, line, sizeof(line));
	if (n > 0)
		lines_write(l->lines, line, n);
}

void live_progress(struct live *l)
{
	const struct engine_stats *st = engine_stats(l->engine);
	const struct shadow *s = engine_shadow(l->engine);
	uint64_t requests = shadow_counters(s)->requests_seen;
	struct report_live v = {
		.elapsed = live_elapsed(l),
		.flows = shadow_flows(s),
		.rate = requests - l->last_requests,
		.same = st->verdict[VERDICT_IDENTICAL] +
			st->verdict[VERDICT_EQUIVALENT],
		.different = st->verdict[VERDICT_DIFFERENT],
		.behind = hist_quantile(shadow_behind(s), 500),
		.drops = live_drops(l),
	};
	struct winsize ws;
	unsigned cols = COLUMNS;
	char text[256];
	size_t n;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0)
		cols = ws.ws_col;
	n = report_text_live(text, sizeof(text), cols, &v);
	fprintf(stderr, "\r\033[K%.*s", (int)n, text);
	l->last_requests = requests;
}

/* Level none: something was played. */
static bool was_played(const struct live *l)
{
	return shadow_counters(engine_shadow(l->engine))->flows_played +
		       engine_udp(l->engine)->forwarded >
	       0;
}

/* What counts for --max-different. At level none a capture without production's
 * side tells what the SUT should have answered all the same: every request.
 */
static uint64_t different(const struct live *l)
{
	const struct engine_stats *st = engine_stats(l->engine);
	const struct shadow_counters *c =
		shadow_counters(engine_shadow(l->engine));
	const struct udp_counters *u = engine_udp(l->engine);

	if (l->opt->engine.compare != COMPARE_NONE ||
	    st->count.production + st->count.production_datagram > 0)
		return st->verdict[VERDICT_DIFFERENT];
	return c->requests_seen - c->requests_answered + u->exchanges -
	       u->sut_paired;
}

/* By what was compared, or, at level none, answered. */
static int exit_compared(const struct live *l)
{
	const struct engine_stats *st = engine_stats(l->engine);
	const struct options *o = l->opt;
	uint64_t compared = st->verdict[VERDICT_IDENTICAL] +
			    st->verdict[VERDICT_EQUIVALENT] +
			    st->verdict[VERDICT_DIFFERENT];
	uint64_t all = compared + st->verdict[VERDICT_NOT_COMPARED];
	uint64_t least = o->min_compared;

	if (o->min_share)
		least = all * o->min_compared / 1000000;
	if (o->engine.compare == COMPARE_NONE
		    ? !was_played(l)
		    : compared == 0 || compared < least)
		return EXIT_ERROR;
	return different(l) > o->max_different ? EXIT_DIFFERENT : EXIT_SAME;
}

int live_exit_code(const struct live *l)
{
	const struct engine_stats *st = engine_stats(l->engine);
	int code;

	if (l->stopped.s[0] != '\0' || networks_too_many(l))
		return EXIT_ERROR;
	if (l->opt->engine.sut_none)
		return fates(&st->count) == st->count.frames_mirror +
						    st->count.other_legs
			       ? EXIT_SAME
			       : EXIT_ERROR;
	code = exit_compared(l);
	return code == EXIT_SAME && live_was_down(l) ? EXIT_DIFFERENT : code;
}
