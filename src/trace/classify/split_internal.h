/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * split_internal - Records of split.c and questions.c
 */
#ifndef CLASSIFY_SPLIT_INTERNAL_H
#define CLASSIFY_SPLIT_INTERNAL_H

#include "classify/split.h"
#include "core/map.h"

enum {
	SAYS_NOTHING,
	SAYS_CLIENT,
	SAYS_SERVER,
};

/* Which side is the client; 0: not known. */
enum {
	CLIENT_A = 1,
	CLIENT_B = 2,
};

/** struct conn_key - Two endpoints, the smaller first; no padding */
struct conn_key {
	struct ipaddr a;
	struct ipaddr b;
	uint16_t a_port;
	uint16_t b_port;
	uint32_t proto;
};

/** struct conn - A connection that is followed
 * @in:		Link of the map
 * @first:	CLIENT_: who was seen first
 * @handshake, @content: CLIENT_: what they say
 * @answered:	An ACK was seen
 * @recent:	Used since the hand came by
 */
struct conn {
	struct conn_key key;
	uint32_t serial;
	uint32_t in;
	uint8_t first;
	uint8_t handshake;
	uint8_t content;
	bool answered;
	bool recent;
};

/** struct frag - A datagram in parts */
struct frag {
	struct ipaddr src;
	struct ipaddr dst;
	uint32_t id;
	uint32_t entry;
	uint8_t proto;
	bool used;
};

/** struct question - A connection that did not show its client */
struct question {
	struct conn_key key;
	uint32_t serial;
	uint32_t first;
};

/** struct endpoint - An address and port, or (port 0) a host, that acted */
struct endpoint {
	struct ipaddr ip;
	uint32_t port; /* protocol << 16 | port */
	uint32_t client;
	uint32_t server;
	uint32_t in; /* link of the map */
};

/** struct endpoints - All of a kind, in the order in which they were met */
struct endpoints {
	struct endpoint *at;
	struct map map;
	uint32_t room;
	uint32_t n;
};

/** struct questions - What is asked of the whole capture */
struct questions {
	struct question *question;
	struct endpoints endpoint;
	struct endpoints host;
	uint32_t room; /* for questions */
	uint32_t n;
	bool sorted;
};

struct split {
	const struct prep_rules *r;
	struct bitcache *states;
	struct conn *conn;
	struct map map; /* over @conn */
	struct frag *frag;
	struct questions q;
	uint32_t flows;
	uint32_t used;
	uint32_t hand;
	uint32_t serial;
	struct split_counters n;
};

/** split_ports_say() - CLIENT_, by the user's server ports; 0: nothing */
int split_ports_say(const struct prep_rules *r, const struct conn_key *k);

/** split_decide() - Write a connection's state; once
 * @client:	0: side A is the client, 1: side B
 */
void split_decide(struct split *s, uint32_t serial, int client,
		  enum split_level l);

/** questions_size(), questions_init() - Arena bytes, and taking them, beside a
 * table of @flows connections
 */
size_t questions_size(uint32_t flows);
void questions_init(struct questions *q, struct arena *a, uint32_t flows,
		    const struct hash_key *key);

/** questions_learn() - A connection whose client is known */
void questions_learn(struct split *s, const struct conn_key *k, int client);

/** questions_ask() - One whose client is not */
void questions_ask(struct split *s, const struct conn_key *k, uint32_t serial,
		   int first);

/** questions_answer() - Decide all that were asked */
void questions_answer(struct split *s);

#endif /* CLASSIFY_SPLIT_INTERNAL_H */
