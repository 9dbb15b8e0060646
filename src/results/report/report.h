/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report - What a run found, for a person and for a program
 *
 * The caller fills plain structs with numbers; nothing here looks into the
 * engine. Counters come as lists of {name, value}: who keeps counters in an
 * X-macro list hands that list over, and its names are the names in the report.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compare/compare.h"
#include "compare/kind.h"
#include "core/histogram.h"
#include "core/ipaddr.h"
#include "noise/noise.h"
#include "perf/perf.h"

#define REPORT_SCHEMA	1     /* of the JSON lines; grows when a name changes */
#define REPORT_TOP	10    /* destinations and endpoints that are named */
#define REPORT_NOISE	200   /* places of a baseline in a JSON line */
#define REPORT_TEXT_MAX 32768 /* room for any summary */
#define REPORT_LINE_MAX (256u << 10) /* room for any JSON line */
#define REPORT_REQUEST	200 /* bytes of a request line that are shown */

/** struct report_count - One counter */
struct report_count {
	const char *name;
	uint64_t value;
};

/** struct report_counts - A list of counters; @v may be NULL if @n is 0 */
struct report_counts {
	const struct report_count *v;
	size_t n;
};

/**
 * struct report_group - Counters under one name, for what has no place below
 */
struct report_group {
	const char *name;
	struct report_counts counts;
};

/** struct report_sum - An account that must close: @left is @right */
struct report_sum {
	const char *name;
	uint64_t left;
	uint64_t right;
};

/** struct report_endpoint - An address and a port */
struct report_endpoint {
	struct ipaddr ip;
	uint16_t port;
};

/** struct report_map - Production and the SUT that shadows it */
struct report_map {
	struct report_endpoint production;
	struct report_endpoint sut;
};

/**
 * struct report_map_sums - Verdicts of one --map
 * @baseline:	It is a baseline's
 * @each:	Different answers by each of their reasons
 */
struct report_map_sums {
	struct report_map map;
	bool baseline;
	uint64_t verdicts[VERDICT_COUNT];
	uint64_t each[REASON_COUNT];
};

/**
 * struct report_place - Requests that differ, of one endpoint by one reason
 * @name, @name_len: Method and path, or question, captured bytes
 * @map:	Number of the --map
 * @kind:	Where a judge has found them, or all zeroes
 * @n, @over:	Differences, and how many of them may be another endpoint's
 * @since, @last: Time of the first and the last one, ns since 1970
 * @client_port, @udp: Of the first one's flow
 * @sut:	Whom it was played to
 * @request, @request_len: Its first line, captured bytes, with tags; of HTTP.
 *		0: it is not known whole
 */
struct report_place {
	const char *name;
	size_t name_len;
	enum compare_reason reason;
	struct diff_kind kind;
	uint32_t map;
	uint64_t n;
	uint64_t over;
	uint64_t since;
	uint64_t last;
	uint16_t client_port;
	bool udp;
	struct report_endpoint sut;
	const char *request;
	size_t request_len;
};

/** struct report_absorbed - Where the SUT sent what we swallowed */
struct report_absorbed {
	struct report_endpoint dst;
	const char *kind;
	uint64_t n;
};

/**
 * struct report_start - What a run begins with
 * @started:	ns since 1970
 */
struct report_start {
	const char *version;
	const char *command;
	const char *options;
	uint64_t started;
	const struct report_map *map;
	size_t maps;
};

enum { REPORT_PROD, REPORT_SUT, REPORT_SIDES };

/**
 * struct report_side - Latencies of production or of the SUT, ns; NULL: none
 * @connect:	From the SYN to its SYN,ACK
 * @first, @last: From the request's last byte to the answer's first and last
 * @measured:	Requests that are in these
 * @not_measured: The others, by why not
 * @skewed:	Stamps of the two directions contradict each other: none is told
 */
struct report_side {
	const struct histogram *connect;
	const struct histogram *first;
	const struct histogram *last;
	uint64_t measured;
	struct report_counts not_measured;
	bool skewed;
};

/**
 * struct report_difference - One exchange and its verdict
 * @asked:	When the request was here whole, ns since 1970; 0: never
 * @record:	Number of the journal's frame that it began with; 0: not known
 * @index:	Number of the exchange in its flow, from 0
 * @baseline:	It is the baseline's answer, and not the SUT's
 * @detail:	What differs, in words
 * @request, @request_len: First line of the request, captured bytes
 * @prod_ns, @sut_ns: Request's last byte to answer's first, 0: not known
 */
struct report_difference {
	uint64_t flow;
	struct report_endpoint client;
	struct report_endpoint production;
	struct report_endpoint sut;
	uint64_t asked;
	uint64_t record;
	uint32_t index;
	bool baseline;
	const struct compare_result *result;
	const char *detail;
	const void *request;
	size_t request_len;
	uint64_t prod_ns;
	uint64_t sut_ns;
};

/**
 * struct report_happened - A flow that ended, or a SUT's new state
 * @what:	Why, or which
 * @at, @since:	When, and from when on it counts, ns since the run began
 * @flow:	0: none
 * @request, @request_len: What a SUT that went down owes
 */
struct report_happened {
	const char *what;
	uint64_t at;
	uint64_t since;
	uint64_t flow;
	struct report_endpoint client;
	struct report_endpoint production;
	struct report_endpoint sut;
	const void *request;
	size_t request_len;
};

/**
 * struct report_sut - How a SUT fared
 * @state:	At the end
 * @down, @times: How long it was down, ns, and how often
 */
struct report_sut {
	struct ipaddr ip;
	const char *state;
	uint64_t down;
	uint32_t times;
};

/**
 * struct report_ruled - Verdicts of an endpoint of the rules
 * @overload:	Of those not compared: the desk had no room
 */
struct report_ruled {
	const char *name;
	uint64_t verdicts[VERDICT_COUNT];
	uint64_t overload;
};

/**
 * struct report_rule - A line of the rules
 * @source, @number: File, or preset, and line
 * @preset:	It is a preset's: nobody minds that it was not needed
 * @hits, @alone: How often it was needed, and how often nothing else was
 */
struct report_rule {
	const char *source;
	uint32_t number;
	bool preset;
	uint64_t hits;
	uint64_t alone;
};

/**
 * struct report_rules - What came of rules
 * @made:	Equivalent answers by what made them so: all of it
 * @handed, @judged: Answers that were handed to the desk, and that it has
 *		judged
 * @versions:	Of production's answers that the desk remembers, and of answers
 *		that wait for a newer one of production's
 * @sessions:	Of cookies that production and the SUT have set differently
 */
struct report_rules {
	struct report_counts made;
	const struct report_ruled *endpoint;
	size_t endpoints;
	const struct report_rule *line;
	size_t lines;
	uint64_t handed;
	uint64_t judged;
	struct report_counts versions;
	struct report_counts sessions;
};

/**
 * struct report_statuses - Statuses of HTTP answers that were compared
 * @pairs:	Both had one
 * @errors:	Both were errors (400 and up)
 * @denied:	The SUT said 401 or 403 where production did not
 */
struct report_statuses {
	uint64_t pairs;
	uint64_t errors;
	uint64_t denied;
};

/**
 * struct report_noise_place - A place in which the baseline differs, or the SUT
 * @name, @name_len: Endpoint, captured bytes
 * @kind, @reason: Where, and how
 * @state:	"quiet", "noise", "more", "opaque"
 * @sut, @baseline, @both, @lone, @strange: As noise_place
 * @ppm:	Chance of so many more by the SUT without a cause, in 1/1000000
 */
struct report_noise_place {
	const char *name;
	size_t name_len;
	struct diff_kind kind;
	enum compare_reason reason;
	const char *state;
	bool excuses;
	uint64_t sut;
	uint64_t baseline;
	uint64_t both;
	uint64_t lone;
	uint64_t strange;
	uint64_t ppm;
};

/**
 * struct report_noise - What a baseline showed
 * @paired:	Answers that were compared on both legs
 * @alone:	On the SUT's only
 * @excused:	Different answers of the SUT's that are noise
 * @lost:	Exchanges whose partner came too late
 * @beyond:	Places, or sets of them, without room: such answers count
 * @place, @places: Those that counted most first
 */
struct report_noise {
	uint64_t paired;
	uint64_t alone;
	uint64_t excused;
	uint64_t lost;
	uint64_t beyond;
	const struct report_noise_place *place;
	size_t places;
};

/**
 * struct report_tunnel - What frames of the mirror came in
 * @kind:	Its name; NULL: one of more than are told apart
 * @keyed, @key: Its VNI, key or session
 * @taken:	It was looked into
 */
struct report_tunnel {
	const char *kind;
	bool keyed;
	bool taken;
	uint32_t key;
	uint64_t frames;
};

/**
 * struct report_data - All sums of a run
 * @elapsed:	ns
 * @ask_doctor:	A run on wires compares: doctor finds out why it did not
 * @unmapped:	Frames came, and none was of what --map names
 * @again:	Options of a replay to the same SUT; NULL: there is none
 * @verdicts, @reasons: Answers by verdict, and by verdict and first reason
 * @each:	Different answers by each of their reasons
 * @statuses:	Of them, and of the others that were compared
 * @map:	One for each --map; fewer than two are not shown in the text
 * @place:	Sorted, most frequent first; REPORT_TOP of them are shown
 * @frames:	File with the clients' frames, that can be played again; NULL:
 *		none
 * @rules:	What came of --rules; NULL: there are none
 * @noise:	What a baseline showed; NULL: there is none
 * @unanswered:	Different answers by how the SUT failed to give them
 * @after_verdict: How much too late those came that came, ns
 * @sut_list, @suts: SUTs
 * @allow_down:	One may be down for so long, ns
 * @quic:	Datagrams of QUIC
 * @alone:	Datagrams behind a first answer that one server alone sent
 * @stalls, @stalled: How often this process stood still, and for how long, ns
 * @behind, @delay, @own: Distributions in ns; NULL: not measured. @own: from
 *		the capture of a client's segment to the hand-over of what came
 *		of it
 * @side:	Latencies of production and of the SUT
 * @not_played:	Flows that were ended for being behind
 * @input:	Bytes of captures, those that could be read, damaged places; a
 *		headline that says so if these are not all
 * @top:	Sorted, largest first; REPORT_TOP of them are shown
 * @no_route:	Networks that the SUT does not answer, if too many flows were of
 *		such; NULL: not
 * @missed:	Segments with payload that the mirror did not show
 * @cpu:	ns of processor time
 * @report_lost, @journal_lost: Lines and records that were lost
 */
struct report_data {
	const char *version;
	uint64_t elapsed;
	bool ask_doctor;
	bool unmapped;
	const char *again;
	struct {
		uint64_t seen;
		uint64_t played;
		uint64_t resumed;
		struct report_counts ended;
	} flows;
	struct {
		uint64_t seen;
		uint64_t delivered;
		uint64_t answered;
	} requests;
	uint64_t verdicts[VERDICT_COUNT];
	uint64_t reasons[VERDICT_COUNT][REASON_COUNT];
	uint64_t each[REASON_COUNT];
	struct report_statuses statuses;
	const struct report_map_sums *map;
	size_t maps;
	const struct report_place *place;
	size_t places;
	const char *frames;
	const struct report_rules *rules;
	const struct report_noise *noise;
	uint64_t unanswered[UNANSWERED_COUNT];
	const struct histogram *after_verdict;
	const struct report_sut *sut_list;
	size_t suts;
	uint64_t allow_down;
	uint64_t quic;
	uint64_t alone;
	uint64_t stalls;
	uint64_t stalled;
	const struct histogram *behind;
	uint64_t not_played;
	struct {
		uint64_t frames;
		uint64_t drops;
		uint64_t missed;
		const struct histogram *delay;
		struct report_counts decode;
		const struct report_tunnel *tunnel;
		size_t tunnels;
		uint64_t not_grown; /* rings without their larger memory */
	} capture;
	struct {
		uint64_t frames;
		uint64_t bytes;
		uint64_t refused;
		uint64_t errors;
	} emit;
	struct {
		uint64_t all;
		uint64_t read;
		uint64_t damaged;
	} input;
	uint64_t absorbed;
	uint64_t refused; /* of these */
	const struct report_absorbed *top;
	size_t tops;
	const char *no_route;
	const struct histogram *own;
	struct report_side side[REPORT_SIDES];
	struct {
		uint64_t pool_used;
		uint64_t pool_peak;
		uint64_t pool_total;
		uint64_t flows_used;
		uint64_t timers_used;
	} memory;
	uint64_t cpu;
	uint64_t report_lost;
	uint64_t journal_lost;
	const struct report_sum *sums;
	size_t sum_count;
	const struct report_group *groups;
	size_t group_count;
};

/** struct report_live - What the line of progress says */
struct report_live {
	uint64_t elapsed; /* ns */
	uint64_t flows;	  /* in the table */
	uint64_t rate;	  /* requests a second */
	uint64_t same;	  /* identical and equivalent */
	uint64_t different;
	uint64_t not_compared;
	uint64_t behind; /* ns */
	uint64_t drops;
	uint64_t journal_lost; /* records */
};

/** report_compared() - Answers that were compared */
uint64_t report_compared(const struct report_data *d);

/** report_sums_closed() - Does every account close? */
bool report_sums_closed(const struct report_data *d);

/* JSON lines. Each returns the bytes written, or 0 if @size is too small. */

/** report_json_start() - {"schema":1,"type":"start",...} */
size_t report_json_start(char *out, size_t size, const struct report_start *s);

/** report_json_difference() - {"schema":1,"type":"difference",...} */
size_t report_json_difference(char *out, size_t size,
			      const struct report_difference *d);

/** report_json_clock_step() - {"schema":1,"type":"clock_step",...} */
size_t report_json_clock_step(char *out, size_t size, int64_t step_ns);
/**
 * struct report_network - Clients' network that is not played, or is again
 * @name:	ADDRESS/LENGTH
 * @sut:	Who does not answer it on its wire, and the port that was asked
 * @state:	"no_route": it never did; "syn_timeout": it did and does no
 *		more; "proved": it does
 */
struct report_network {
	const char *name;
	struct report_endpoint sut;
	const char *state;
};

/** report_json_network() - {"schema":1,"type":"network",...} */
size_t report_json_network(char *out, size_t size,
			   const struct report_network *n);
/** report_json_flow_end() - {"schema":1,"type":"flow_end",...} */
size_t report_json_flow_end(char *out, size_t size,
			    const struct report_happened *h);

/** report_json_sut_state() - {"schema":1,"type":"sut_state",...} */
size_t report_json_sut_state(char *out, size_t size,
			     const struct report_happened *h);

/** report_json() - {"schema":1,"type":"report",...} */
size_t report_json(char *out, size_t size, const struct report_data *d);

/**
 * report_learn() - The rules that would have made a run quiet, each with its
 * counts
 * @n:		What was found in it
 * @baseline:	There was one: rules are of its noise alone
 *
 * A text of rules (rules.h). Return: bytes written; rules that do not fit are
 * left out
 */
#define REPORT_LEARN (256u << 10) /* room for any */
size_t report_learn(char *out, size_t size, struct noise *n, bool baseline);

/**
 * struct report_times - How long an endpoint took, by one metric
 * @name:	Endpoint; "*": all, "other": those beyond
 * @production:	Whose it is, NULL: of all entries of --map
 * @error:	What the instrument may be wrong by, ns
 */
struct report_times {
	const char *name;
	const struct report_endpoint *production;
	enum perf_metric metric;
	uint64_t error;
	struct perf_row row;
};

/* What became of a gate; reports use these names. */
#define REPORT_GATES(X)                                                        \
	X(GATE_PASSED, "passed")                                               \
	X(GATE_FAILED, "failed")                                               \
	X(GATE_UNDECIDED, "undecided")

enum report_gate_state {
#define X(id, name) id,
	REPORT_GATES(X)
#undef X
		GATE_STATES
};

enum report_gate_unit {
	GATE_BY, /* a share that is more or less, in 1/1000000; an interval */
	GATE_SHARE,   /* a share of all, in 1/1000000; an interval */
	GATE_ANSWERS, /* answers; @low and @high do not count */
	GATE_LEAK,    /* bytes in 1000000 requests; an interval */
	GATE_UNITS
};

/** report_gate_name() - As reports spell it */
const char *report_gate_name(enum report_gate_state s);

/**
 * struct report_gate - A demand, and what came of it
 * @name:	As its option is, "--max-slower p99:10%"
 * @endpoint:	Of the rules; NULL: of the run
 * @unit:	What @limit, @low, @at and @high are
 * @needs:	About so many answers would tell, or are missing; 0: not known
 */
struct report_gate {
	const char *name;
	const char *endpoint;
	enum report_gate_state state;
	enum report_gate_unit unit;
	uint64_t needs;
	int64_t limit;
	int64_t low;
	int64_t at;
	int64_t high;
};

/** report_json_times(), report_json_gate() - As JSON lines of their own */
size_t report_json_times(char *out, size_t size, const struct report_times *r);
size_t report_json_gate(char *out, size_t size, const struct report_gate *g);

/**
 * report_text_times() - A table of @n rows: the quantiles p50 and p99
 */
size_t report_text_times(char *out, size_t size, const struct report_times *r,
			 unsigned n);

/** report_text_gate() - A line of a demand */
size_t report_text_gate(char *out, size_t size, const struct report_gate *g);

/* Text. Each returns the bytes written; what does not fit is cut. */

/** report_text() - The summary, lines of at most TEXT_COLUMNS */
size_t report_text(char *out, size_t size, const struct report_data *d);

/**
 * report_text_live() - Progress in less than @columns, without a line end
 *
 * Whole items are left out from the right where it is too narrow.
 */
size_t report_text_live(char *out, size_t size, unsigned columns,
			const struct report_live *l);

#endif /* REPORT_REPORT_H */
