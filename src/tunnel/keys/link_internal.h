/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link_internal - What the files of this room share
 */
#ifndef KEYS_LINK_INTERNAL_H
#define KEYS_LINK_INTERNAL_H

#include "keys/cookie.h"
#include "keys/link.h"

#define NEVER UINT64_MAX

/* First byte of a greeting; the machine's messages have others. */
#define GREETING	 64
#define GREETING_LEN	 (LINK_GREETING - LINK_HEADER - CRYPTO_TAG)
#define PAD_GREETING_LEN 44

#define LOAD_FULL   NS_PER_SEC /* of handshakes that may be answered */
#define LOAD_ONE    (NS_PER_SEC / LINK_ASKS)
#define COOKIE_LIFE (120 * NS_PER_SEC)

/**
 * struct link_asked - A handshake that we asked for
 * @on:		It has no answer yet
 * @tries:	One after the other in vain
 * @again:	When to ask anew
 * @noise:	Its state
 * @msg:	The initiation, without its MACs
 * @mac1:	That was sent on each path
 */
struct link_asked {
	bool on;
	uint32_t tries;
	uint64_t again;
	struct noise noise;
	uint8_t msg[NOISE_INITIATION];
	uint8_t mac1[LINK_PATHS][CRYPTO_MAC];
};

/** struct link_cookie - One that we were given for a path; @until 0: none */
struct link_cookie {
	uint64_t until;
	uint8_t cookie[CRYPTO_MAC];
};

/**
 * struct link_answered - A handshake that the other end asked for
 * @stamp:	Its time: an older one is not answered
 * @msg:	What asked, without its MACs
 * @reply:	What we answered
 * @again:	Times that we may still answer the same by other paths
 */
struct link_answered {
	uint8_t stamp[NOISE_STAMP];
	uint8_t msg[NOISE_INITIATION - 2 * CRYPTO_MAC];
	uint8_t reply[NOISE_RESPONSE];
	uint32_t again;
};

/**
 * struct link_load - How many handshakes are asked for
 * @credit:	Of those that may be answered without a cookie, in ns of their
 *		time
 * @at:		When it was reckoned
 * @secret:	Of the cookies that we give; random since @secret_at
 */
struct link_load {
	uint64_t credit;
	uint64_t at;
	uint64_t secret_at;
	uint8_t secret[CRYPTO_KEY];
};

/**
 * struct link_plain - Of a link without keys
 * @ours, @theirs: The numbers of the two ends
 * @asked:	We want to know @theirs
 * @open:	@theirs is known
 */
struct link_plain {
	uint64_t ours;
	uint64_t theirs;
	bool asked;
	bool open;
};

/**
 * struct link_pad - Of a link under a pad; lives are offsets in it
 * @life:	Ours
 * @peer:	The other end's, the newest that we know; 0: none
 * @since:	What we sent from there on it can take as @peer
 * @from:	What it sent from there on was meant for us
 * @before:	Its life when we were open last; 0: never
 * @open:	It knows us, too
 */
struct link_pad {
	uint64_t life;
	uint64_t peer;
	uint64_t since;
	uint64_t from;
	uint64_t before;
	bool open;
};

/**
 * struct link - An end
 * @c:		How it works; @self is @self
 * @now, @next, @last: Sessions: the one that packets are sent in; the one whose
 *		greeting is waited for; the one before
 * @life:	Random, of this process; @peer_life: the other end's, if
 *		@know_life
 * @silent:	When the first packet was sent that nothing has come after;
 *		NEVER
 * @greet_at:	When to greet anew
 */
struct link {
	struct link_config c;
	struct noise_self self;
	struct session now;
	struct session next;
	struct session last;
	uint64_t life;
	uint64_t peer_life;
	bool know_life;
	uint64_t silent;
	uint64_t greet_at;
	uint64_t stamp; /* of the last initiation, ns since 1970 */
	struct link_asked asked;
	struct link_cookie cookie[LINK_PATHS];
	struct link_answered answered;
	struct link_load load;
	struct link_plain plain;
	struct link_pad pad;
	struct link_counters n;
};

/** link_ask_anew() - Ask for a session, and again when no answer comes */
void link_ask_anew(struct link *l, uint64_t now, struct link_out *out);

/**
 * link_choose_index() - An index of ours, of which the lower half finds one
 * session only. Return: what @random gives
 */
int link_choose_index(const struct link *l, uint32_t *out);

/**
 * link_make_session() - The session that a handshake came to waits for its
 * greeting. Return: 0 or -Exxx
 */
int link_make_session(struct link *l, struct noise *n, bool initiator,
		      uint64_t now);

/* answer.c */
/** link_initiation() - The other end, or somebody, asks for a session */
void link_initiation(struct link *l, const struct link_in *in, uint64_t now,
		     struct link_out *out);

/* plain.c: the same as of link.h, for an end without keys. */
enum link_got plain_input(struct link *l, struct link_in *in, uint64_t now,
			  struct link_out *out);
uint32_t plain_ask(const struct link *l, uint8_t out[LINK_MESSAGE]);
void plain_head(const struct link *l, unsigned path, uint8_t *p);

/* padlink.c: the same, for an end with a pad. */
void padlink_init(struct link *l);
enum link_got padlink_input(struct link *l, struct link_in *in,
			    struct link_out *out);
/** padlink_ask() - A question is about to be asked */
void padlink_ask(struct link *l);
int padlink_seal(struct link *l, unsigned path, uint8_t *p, uint32_t n);
uint32_t padlink_greet(struct link *l, unsigned path, bool answer,
		       uint8_t *out);

#endif /* KEYS_LINK_INTERNAL_H */
