/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rules_internal - What the files of rules share
 */
#ifndef RULES_INTERNAL_H
#define RULES_INTERNAL_H

#include "rules/rules.h"

#define LEVEL_UNSET UINT8_MAX

/* A method (empty: any), and segments: bytes, {n}, {CLASS}, {} or *. */
struct endpoint {
	uint8_t method_len;
	uint8_t template_len;
	uint8_t name_len;
	char method[16];
	char template[RULES_TEMPLATE];
	char name[RULES_NAME + 1];
};

/* What may be said of DNS, and its line; @has: something is. */
enum dns_verb { DNS_RULE_TTL, DNS_RULE_SUBSET, DNS_RULES };

struct dns_rule {
	bool has;
	uint16_t line;
	uint32_t within; /* seconds */
};

/* Everything that a text can add, so that it can be taken back. */
struct rules_counts {
	uint32_t lines, endpoints, headers, cookies, jsons, masks, aliases,
		knowns, secrets, replies, gates;
	uint16_t sources;
	uint8_t level[RULES_ENDPOINTS];	      /* or LEVEL_UNSET */
	uint16_t level_line[RULES_ENDPOINTS]; /* the line that says so */
	uint8_t versions[RULES_ENDPOINTS];    /* bits of version_verb */
	uint16_t version_line[RULES_ENDPOINTS][VERSION_VERBS];
	int64_t older_ns[RULES_ENDPOINTS];
	struct dns_rule dns[DNS_RULES];
};

/* Each sort's rules, and number of the line of each. */
struct rules {
	int64_t now_ns; /* of rules_end() */
	struct rules_counts n;
	struct rule line[RULES_LINES];
	struct endpoint endpoint[RULES_ENDPOINTS];
	struct header_rule header[RULES_HEADERS];
	struct cookie_rule cookie[RULES_COOKIES];
	struct json_rule json[RULES_JSON];
	struct mask mask[RULES_MASKS];
	struct host_alias alias[RULES_ALIASES];
	struct known_kind known[RULES_KNOWN];
	struct secret_name secret[RULES_SECRETS];
	struct reply_rule reply[RULES_REPLIES];
	struct rules_gate gate[RULES_GATES];
	uint16_t header_line[RULES_HEADERS];
	uint16_t cookie_line[RULES_COOKIES];
	uint16_t json_line[RULES_JSON];
	uint16_t mask_line[RULES_MASKS];
	uint16_t reply_line[RULES_REPLIES];
	struct rules_view view[RULES_ENDPOINTS];
};

/* A line that is read. */
struct scan {
	const char *p;
	size_t n;
	size_t at;
	struct rules_error *e;
};

/* A word of it. */
struct word {
	const char *p;
	size_t n;
	size_t at;
};

/* rules_words.c: each returns 0, or sets the error and returns -EINVAL or
 * -E2BIG.
 */
int word_fail(struct scan *s, size_t at, size_t n, int rc, const char *what,
	      const char *remedy);
bool word_next(struct scan *s,
	       struct word *w); /* false: the line has no more */
bool word_is(const struct word *w, const char *text);
int word_need(struct scan *s, struct word *w, const char *what);
int word_name(struct scan *s, const struct word *w, char *name, uint8_t *len,
	      bool lower);
int word_duration(struct scan *s, int64_t *ns);		    /* "within 5s" */
int word_tolerance(struct scan *s, uint64_t *m, int8_t *e); /* "within 0.5" */
int word_class(struct scan *s, uint8_t *class);
int word_place(struct scan *s, struct place *out);

/* Who reads a text: line by line, each by its verb. */
struct parser {
	struct rules *r;
	struct scan s;
	struct rule line; /* of the one that is read */

	bool nested; /* it is a preset */
};

/* rules_verbs.c: one line each, behind its verb; 0, or the error is set. */
int verb_full(struct parser *p, const char *what); /* sets it */
int verb_contradicts(struct parser *p, const struct word *w, uint16_t line);
/* Is that line of this text, for the same endpoint? */
bool verb_is_beside(const struct parser *p, uint16_t line);
/* Is a word the beginning of "until" or of a reason, which end a list? */
bool verb_ends_list(const struct word *w);
int verb_header(struct parser *p);
int verb_cookie(struct parser *p);
int verb_json(struct parser *p);
int verb_text(struct parser *p);
int verb_compare(struct parser *p);
int verb_known(struct parser *p);
int verb_version(struct parser *p);
int verb_host(struct parser *p);
int verb_redact(struct parser *p);
int verb_reply(struct parser *p); /* rules_reply.c */
int verb_dns(struct parser *p);	  /* rules_dns.c */
int verb_gate(struct parser *p);  /* rules_gates.c */

/* presets.c: the text of a preset, or NULL */
const char *preset_text(const char *name, size_t n);

#endif /* RULES_INTERNAL_H */
