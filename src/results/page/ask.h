/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ask - What does a client of the page want, and may he have it?
 */
#ifndef PAGE_ASK_H
#define PAGE_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/ipaddr.h"

#define ASK_TOKEN 33u  /* 32 hexadecimal digits, with the end of the string */
#define ASK_HOST  64u  /* room for any address with its port */
#define ASK_FIND  128u /* bytes that are looked for */
#define ASK_PATH  1024u

enum ask_what {
	ASK_INDEX,
	ASK_STYLE,
	ASK_SCRIPT,
	ASK_ICON,
	ASK_HEALTH,
	/* From here on with the token. */
	ASK_METRICS,
	ASK_RUN,
	ASK_KINDS,
	ASK_KIND,
	ASK_DIFFERENCE,
	ASK_PACKETS,
	ASK_WHATS
};

/**
 * struct ask_door - Who we are
 * @host, @local: What Host must be: our address with its port, or localhost;
 *		"": that is not ours
 * @token:	What Authorization must have
 */
struct ask_door {
	char host[ASK_HOST];
	char local[ASK_HOST];
	char token[ASK_TOKEN];
};

/**
 * struct ask_said - What a request says; NULL: nothing
 * @target:	As it was sent
 * @origin, @site, @token: Origin, Sec-Fetch-Site, Authorization
 * @twice:	One of these fields came more than once
 * @body:	It has content
 */
struct ask_said {
	const char *method;
	const char *target;
	const char *host;
	const char *origin;
	const char *site;
	const char *token;
	bool twice;
	bool body;
};

/**
 * struct ask_want - What he wants
 * @id:		Of a kind or a difference
 * @from, @n:	Rows of a list
 * @find, @find_len: Any bytes
 */
struct ask_want {
	enum ask_what what;
	int64_t id;
	uint32_t from;
	uint32_t n;
	size_t find_len;
	char find[ASK_FIND];
};

/** ask_door() - Fill in @host and @local */
void ask_door(struct ask_door *d, const struct ipaddr *ip, uint16_t port);

/**
 * ask() - Judge a request
 * @q:		Hostile
 * @out:	Set if it may be answered
 *
 * Return: a status of HTTP (RFC 9110 section 15): 200; 400 (it is no request of
 * ours); 401 (without the token); 403 (another Host or Origin); 404; 405
 */
int ask(const struct ask_door *d, const struct ask_said *q,
	struct ask_want *out);

#endif /* PAGE_ASK_H */
