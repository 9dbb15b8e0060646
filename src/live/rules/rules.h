/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rules - What the user says about two answers: a file of lines, compiled
 *
 *	understudy rules 1
 *	include @nginx
 *	host alias shop.example = shop-next.example
 *	endpoint GET /user/{n}/orders as orders
 *	on *
 *	  header ignore X-Request-Id
 *	  header date Date within 5s
 *	on orders
 *	  json number $.total within 0.005 until 2027-01-31 "ticket 4711"
 *	  version older within 60s
 *	  known k-9f3a2c until 2027-01-31 "two decimals"
 *
 * The grammar is told in rules_read.c. Rules of "on *" count for all endpoints;
 * those of an endpoint come behind them, and of two for one thing the later one
 * counts.
 */
#ifndef RULES_RULES_H
#define RULES_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "rules/json_rule.h"
#include "rules/mask.h"

#define RULES_LINES	   512u /* rules of all files together */
#define RULES_ENDPOINTS	   64u
#define RULES_HEADERS	   512u
#define RULES_COOKIES	   64u
#define RULES_JSON	   128u
#define RULES_MASKS	   32u
#define RULES_ALIASES	   16u
#define RULES_KNOWN	   64u
#define RULES_SECRETS	   64u
#define RULES_REPLIES	   192u
#define RULES_GATES	   64u
#define RULES_VIEW	   64u	/* rules of one sort that one endpoint has */
#define RULES_STEPS	   256u /* of the places of its JSON rules */
#define RULES_VIEW_HEADERS 256u
#define RULES_NAME	   64u /* bytes of a name: field, cookie, endpoint, kind */
#define RULES_TEMPLATE	   128u
#define RULES_REASON	   96u

#define RULES_ALL 0u /* the endpoint that is any */

/* So far a Date and an Expires may be apart without a rule, ns. */
#define RULES_CLOCK INT64_C(5000000000)

enum header_verb {
	HEADER_IGNORE,
	HEADER_SET,   /* a list in any order, over one or several lines */
	HEADER_CASE,  /* without regard to case */
	HEADER_DATE,  /* two moments that differ by little */
	HEADER_CLASS, /* any two values of a class */
};

/* A word about a header field: its name in lower case. */
struct header_rule {
	uint8_t verb;
	uint8_t class; /* HEADER_CLASS: enum value_class */
	uint8_t len;
	char name[RULES_NAME];
	int64_t within_ns; /* HEADER_DATE */
};

enum cookie_verb {
	COOKIE_IGNORE,
	COOKIE_SESSION, /* any two values; attributes count */
	COOKIE_CLASS,	/* any two values of a class */
};

struct cookie_rule {
	uint8_t verb;
	uint8_t class;
	uint8_t len;
	char name[RULES_NAME];
};

/* Production's host is called otherwise at the SUT; both in lower case. */
struct host_alias {
	uint8_t len[2];
	char host[2][RULES_NAME];
};

/* A name whose values are secrets, as it was written. */
struct secret_name {
	uint8_t len;
	char name[RULES_NAME];
};

enum reply_verb {
	REPLY_TYPE,   /* any two values of a type; errors by their text */
	REPLY_SET,    /* an array in any order */
	REPLY_MAP,    /* the same, of pairs */
	REPLY_NUMBER, /* two numbers that differ by little */
};

/**
 * struct reply_rule - How redis's replies to a command are compared
 * @verb:	enum reply_verb
 * @len, @name:	The command, in lower case; of one with others below it both
 *		with | between them: config|get. One alone stands for all below
 * @within_m, @within_e: REPLY_NUMBER: @within_m * 10^@within_e
 */
struct reply_rule {
	uint8_t verb;
	uint8_t len;
	int8_t within_e;
	char name[RULES_NAME];
	uint64_t within_m;
};

/* How much of an endpoint's answers is compared. */
enum rules_level {
	LEVEL_WHOLE,
	LEVEL_STATUS,
	LEVEL_NOTHING,
};

/* What the SUT may have of an object instead of what production serves. */
enum version_verb {
	VERSION_OLDER, /* what production served before, for so long */
	VERSION_NEWER, /* what it serves later */
	VERSION_VERBS
};

/**
 * struct rule - One line
 * @source, @line: Which text it stood in (0 the first that was read), from 1
 * @endpoint:	Whose it is
 * @until_ns:	It does not count from then on, since 1970; INT64_MAX: forever
 * @hits:	How often it was met; rules_hit() counts
 * @alone:	How often nothing but this one made two answers alike
 * @reason:	As it was given, reason_len bytes
 */
struct rule {
	uint16_t source;
	uint16_t endpoint;
	uint32_t line;
	int64_t until_ns;
	uint64_t hits;
	uint64_t alone;
	uint8_t reason_len;
	char reason[RULES_REASON];
};

enum gate_verb {
	GATE_MAX_DIFFERENT,
	GATE_MIN_COMPARED,
	GATE_MAX_SLOWER,
	GATE_MAX_LEAK, /* of a run alone: no line of rules has it */
};

/**
 * struct rules_gate - What is demanded of an endpoint
 * @source, @line: Where it stands, as struct rule has it
 * @permille:	GATE_MAX_SLOWER: of which quantile (500, 900, 990, 999); else 0
 * @share:	@n is in 1/1000000, of 1000000 at most
 */
struct rules_gate {
	uint8_t verb; /* enum gate_verb */
	bool share;
	uint16_t endpoint;
	uint16_t source;
	uint16_t permille;
	uint32_t line;
	uint64_t n;
};

/* A kind of difference that is known. */
struct known_kind {
	uint16_t rule;
	uint8_t len;
	char kind[RULES_NAME];
};

/**
 * struct rules_view - All rules of one endpoint, those that count most last
 *
 * Number i of each sort is line @..._rule[i].
 *
 * @versions:	Bits of enum version_verb: there is such a rule
 * @older_ns:	VERSION_OLDER: so long after production has left it
 */
struct rules_view {
	uint32_t jsons, headers, cookies, masks;
	uint32_t steps; /* of all places of @json */
	const struct json_rule *json[RULES_VIEW];
	const struct cookie_rule *cookie[RULES_VIEW];
	const struct mask *mask[RULES_VIEW];
	const struct header_rule *header[RULES_VIEW_HEADERS];
	uint16_t json_rule[RULES_VIEW];
	uint16_t cookie_rule[RULES_VIEW];
	uint16_t mask_rule[RULES_VIEW];
	uint16_t header_rule[RULES_VIEW_HEADERS];
	enum rules_level level;
	uint8_t versions;
	uint16_t version_rule[VERSION_VERBS];
	int64_t older_ns;
};

/**
 * struct rules_error - What is wrong with a text
 * @line, @column: Where, both from 1; column in bytes
 * @what, @remedy: Two sentences' ends, without a full stop
 * @other:	Line of the same text that it contradicts, or 0
 * @word:	What stands there, cut, with a 0 at its end; may be empty
 */
struct rules_error {
	uint32_t line;
	uint32_t column;
	uint32_t other;
	const char *what;
	const char *remedy;
	char word[48];
};

struct rules;

/** rules_size() - Bytes that rules_init() takes of an arena */
size_t rules_size(void);

/** rules_init() - Make rules that say nothing. Return: 0 or -ENOMEM */
int rules_init(struct rules **out, struct arena *a);

/**
 * rules_read() - Add a text
 * @r:		Rules
 * @p, @n:	Text; it may have any bytes
 * @e:		Set on failure
 *
 * Return: 0, -EINVAL (no such rule, or one that contradicts another of this
 * text), -E2BIG (too many); then @r is as it was
 */
int rules_read(struct rules *r, const char *p, size_t n, struct rules_error *e);

/* Names of all presets, for a sentence. */
#define RULES_PRESETS                                                          \
	"@http, @nginx, @apache, @haproxy, @varnish, @redis, @dns, @django, "  \
	"@rails, @express and @spring"

/** rules_preset() - Add a preset; @name begins with @. As rules_read() */
int rules_preset(struct rules *r, const char *name, size_t n,
		 struct rules_error *e);

/**
 * rules_end() - Nothing is added any more: make the views
 * @now_ns:	Moment of the run, since 1970: what ended before is left out
 *
 * Return: 0, -E2BIG: one endpoint has more than RULES_VIEW of a sort,
 * RULES_VIEW_HEADERS of headers, or RULES_STEPS
 */
int rules_end(struct rules *r, int64_t now_ns);

/**
 * rules_endpoint() - Whose answer is it? After rules_end()
 * @method, @m:	As in the request line
 * @target, @t:	The same; what is behind ? or # does not count
 *
 * Return: the last endpoint that fits, or RULES_ALL
 */
uint32_t rules_endpoint(const struct rules *r, const uint8_t *method, size_t m,
			const uint8_t *target, size_t t);

/** rules_view() - The rules of an endpoint, after rules_end() */
const struct rules_view *rules_view(const struct rules *r, uint32_t endpoint);

/** rules_endpoints() - Endpoints, with RULES_ALL */
uint32_t rules_endpoints(const struct rules *r);

/**
 * rules_endpoint_of() - The same of the first bytes of a request line
 *
 * A path that does not end within them is nobody's.
 */
uint32_t rules_endpoint_of(const struct rules *r, const char *line, size_t n);

/** rules_name() - An endpoint's name, "*" for RULES_ALL; lives as long as @r */
const char *rules_name(const struct rules *r, uint32_t endpoint);

/**
 * rules_sources() - Texts that were read; of a text that is read next the
 * number
 */
uint32_t rules_sources(const struct rules *r);

/** rules_count() - Lines; rules_line() is one of them, below that number */
uint32_t rules_count(const struct rules *r);
const struct rule *rules_line(const struct rules *r, uint32_t i);

/** rules_hit() - Rule @i was met; @alone: without it two answers were different
 */
void rules_hit(struct rules *r, uint32_t i, bool alone);

/** rules_known() - Is this kind of difference of the endpoint known, and by
 * which line?
 *
 * Return: number of the line, or -ENOENT
 */
int rules_known(const struct rules *r, uint32_t endpoint, const char *kind,
		size_t n);

/**
 * rules_header() - The rule for a header field, or NULL
 * @name, @n:	Its name, in any case
 * @number:	Of the view; -1: it needs no rule, as Age, Connection,
 *		Keep-Alive, Date and Expires do not
 */
const struct header_rule *rules_header(const struct rules_view *v,
				       const uint8_t *name, size_t n,
				       int *number);

/**
 * rules_header_alike() - What it says of two values, trimmed
 * @late:	So much later than production the SUT answered, ns, by the
 *		stamps of both; 0: not known. A Date or an Expires may be so
 *		much later, too, or not, as a cache's are
 *
 * HEADER_SET is about all fields of a name: here it says whether these are the
 * same.
 */
bool rules_header_alike(const struct header_rule *r, const uint8_t *a,
			size_t an, const uint8_t *b, size_t bn, int64_t late);

/**
 * rules_reply() - The rule for replies to a command of redis, after rules_end()
 * @line, @n:	The command: words with a blank between them
 * @number:	Set to that of its line, if there is one
 *
 * Return: the last one that fits, or NULL
 */
const struct reply_rule *rules_reply(const struct rules *r, const char *line,
				     size_t n, int *number);

/**
 * rules_dns_ttl() - The rule for times to live of DNS, after rules_end()
 * @within:	Set if there is one: seconds by which two may be apart
 *
 * Return: number of its line, or -1
 */
int rules_dns_ttl(const struct rules *r, uint32_t *within);

/**
 * rules_dns_subset() - The rule for answers of DNS that are parts of a larger
 * set, after rules_end()
 * @within:	Set if there is one: seconds that a record is good for at least,
 *		whatever its time to live
 *
 * Return: number of its line, or -1
 */
int rules_dns_subset(const struct rules *r, uint32_t *within);

/**
 * rules_gates() - What is demanded of endpoints
 * @out:	RULES_GATES pointers, that live as long as @r. Of two for one
 *		thing the later one is there
 *
 * Return: how many
 */
uint32_t rules_gates(const struct rules *r, const struct rules_gate **out);

/** rules_alias() - Host names that mean the same, below rules_aliases() */
uint32_t rules_aliases(const struct rules *r);
const struct host_alias *rules_alias(const struct rules *r, uint32_t i);

/** rules_secret() - Names that "redact" gives, below rules_secrets() */
uint32_t rules_secrets(const struct rules *r);
const struct secret_name *rules_secret(const struct rules *r, uint32_t i);

#endif /* RULES_RULES_H */
