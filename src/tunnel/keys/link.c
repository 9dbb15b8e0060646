/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link.c - Handshakes and sessions of an end
 *
 * Theory of operation
 *
 * The end that begins asks for a handshake on all of its paths, again after
 * LINK_TRY_AGAIN, and for a new one every LINK_REKEY, used or not, so that the
 * other end can always send. It also asks when a packet that is always answered
 * was not for LINK_SILENCE: the other end may have been started anew, and
 * cannot say so. The end that answers only answers.
 *
 * The same initiation comes by several paths. The first is answered; a
 * repetition, equal but for its MACs, gets the same answer again, because the
 * way back of the first may be broken. Any other one must bear a later time.
 *
 * A handshake makes a session, but packets go on in the one before until the
 * new one's greeting has come. A greeting says which process an end is, by a
 * random number of its start: the machine keeps its numbers when the keys
 * change and begins anew when the other end does. So a session brings packets
 * only after its greeting.
 *
 *	begins				answers
 *	  initiation  ------------------->
 *	  <-------------------  response	(next session)
 *	  greeting    ------------------->	(now session, opened)
 *	  <-------------------  greeting
 *	(now session, opened)
 *
 * Of sessions there are three: now, next, and the one before now, in which late
 * packets are still taken as long as the other end is the same process.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/bytes.h"
#include "keys/link_internal.h"

size_t link_size(void)
{
	return arena_need(sizeof(struct link));
}

int link_init(struct link **out, struct arena *a, const struct link_config *c,
	      uint64_t now)
{
	struct link *l;
	uint64_t life[2];
	int r = c->random(life, sizeof(life));

	assert(c->plain || c->pad || c->self);
	if (r != 0)
		return r;
	l = arena_take(a, sizeof(*l));
	if (!l)
		return -ENOMEM;
	*l = (struct link){ .c = *c, .silent = NEVER, .greet_at = NEVER };
	if (!c->plain && !c->pad)
		l->self = *c->self;
	l->c.self = &l->self;
	l->life = life[0];
	l->plain.ours = life[1];
	l->asked.again = c->role == LINK_BEGINS ? now : NEVER;
	l->load.credit = LOAD_FULL;
	l->load.at = now;
	if (c->pad)
		padlink_init(l);
	*out = l;
	return 0;
}

void link_wipe(struct link *l)
{
	noise_wipe(l, sizeof(*l));
}

/* --- sessions --- */

static bool is_alive(const struct session *s, uint64_t now)
{
	return s->used && now - s->since < LINK_LIFE;
}

static void drop(struct session *s)
{
	noise_wipe(s, sizeof(*s));
}

int link_choose_index(const struct link *l, uint32_t *out)
{
	uint32_t i;
	int r = l->c.random(&i, sizeof(i));

	while ((l->now.used && (uint16_t)i == (uint16_t)l->now.ours) ||
	       (l->next.used && (uint16_t)i == (uint16_t)l->next.ours) ||
	       (l->last.used && (uint16_t)i == (uint16_t)l->last.ours))
		i++;
	*out = i;
	return r;
}

static struct session *find(struct link *l, const uint8_t *p, uint64_t now)
{
	struct session *s[] = { &l->now, &l->next, &l->last };
	uint16_t i = session_index(p);

	for (int k = 0; k < 3; k++)
		if (is_alive(s[k], now) && (uint16_t)s[k]->ours == i)
			return s[k];
	return NULL;
}

int link_make_session(struct link *l, struct noise *n, bool initiator,
		      uint64_t now)
{
	uint32_t ours = n->ours, theirs = n->theirs;
	struct noise_keys k;
	int r = noise_split(&l->self, n, initiator, &k);

	if (r == 0) {
		drop(&l->next);
		l->next.used = true;
		l->next.ours = ours;
		l->next.theirs = theirs;
		l->next.since = now;
		l->next.keys = k;
	}
	noise_wipe(&k, sizeof(k));
	return r;
}

/* Its greeting came: from now on it is the session. */
static void open_session(struct link *l, uint64_t life, struct link_out *out)
{
	bool same = l->know_life && l->peer_life == life;

	assert(l->next.used);
	drop(&l->last);
	if (same)
		l->last = l->now;
	drop(&l->now);
	l->now = l->next;
	drop(&l->next);
	l->n.sessions++;
	l->n.restarts += l->know_life && !same;
	out->restart = l->know_life && !same;
	out->opened = true;
	l->peer_life = life;
	l->know_life = true;
	l->greet_at = NEVER;
	l->asked.tries = 0;
	l->asked.again =
		l->c.role == LINK_BEGINS ? l->now.since + LINK_REKEY : NEVER;
}

/* --- handshake: who begins --- */

void link_ask_anew(struct link *l, uint64_t now, struct link_out *out)
{
	struct link_asked *a = &l->asked;
	uint64_t wait =
		a->tries < LINK_TRIES ? LINK_TRY_AGAIN : LINK_TRY_SELDOM;
	uint32_t jitter = 0;

	/* Two ends that were started together do not stay in step. */
	(void)l->c.random(&jitter, sizeof(jitter));
	a->again = now + wait + jitter % (wait / 4);
	a->tries++;
	l->silent = NEVER;
	l->n.asks++;
	out->ask = true;
}

static void initiate(struct link *l, uint64_t now, uint64_t real,
		     struct link_out *out)
{
	struct link_asked *a = &l->asked;
	uint8_t priv[CRYPTO_KEY], stamp[NOISE_STAMP];
	uint32_t ours;
	int r = l->c.random(priv, sizeof(priv));

	if (r == 0)
		r = link_choose_index(l, &ours);
	/* A clock that was set back must not make ours an old one. */
	l->stamp = real > l->stamp ? real : l->stamp + 1;
	noise_stamp(stamp, l->stamp);
	if (r == 0)
		r = noise_initiate(&l->self, &a->noise, priv, ours, stamp,
				   a->msg);
	a->on = r == 0;
	noise_wipe(priv, sizeof(priv));
	link_ask_anew(l, now, out);
	out->ask = a->on;
}

uint32_t link_ask(struct link *l, unsigned path, uint8_t out[LINK_MESSAGE])
{
	const struct link_cookie *k = &l->cookie[path];

	if (l->c.plain)
		return plain_ask(l, out);
	if (l->c.pad)
		return padlink_greet(l, path, true, out);
	if (!l->asked.on)
		return 0;
	memcpy(out, l->asked.msg, NOISE_INITIATION);
	if (noise_mac(&l->self, out, NOISE_INITIATION,
		      k->until > 0 ? k->cookie : NULL) != 0)
		return 0;
	memcpy(l->asked.mac1[path], out + NOISE_INITIATION - 2 * CRYPTO_MAC,
	       CRYPTO_MAC);
	return NOISE_INITIATION;
}

static void response(struct link *l, const struct link_in *in, uint64_t now,
		     struct link_out *out)
{
	int r;

	if (!l->asked.on) {
		l->n.stray++;
		return;
	}
	if (!noise_mac1_good(&l->self, in->p, in->n)) {
		l->n.bad_mac++;
		return;
	}
	r = noise_responded(&l->self, &l->asked.noise, in->p);
	if (r == 0)
		r = link_make_session(l, &l->asked.noise, true, now);
	if (r != 0) {
		*(r == -EBADMSG ? &l->n.forged : &l->n.failed) += 1;
		return;
	}
	l->n.answered++;
	l->asked.on = false;
	l->greet_at = now + LINK_GREET;
	out->greet = true;
}

/* That a question of ours is answered is told by mac1, which nobody else has
 * seen sent. It is the same on all paths, and the cookie is for the address
 * that the question came from: so whose it is says where the answer came from.
 */
static void cookie(struct link *l, const struct link_in *in, uint64_t now)
{
	bool taken = false;

	for (unsigned i = 0; l->asked.on && i < LINK_PATHS; i++) {
		struct link_cookie *k = &l->cookie[i];

		if (!(in->ways >> i & 1) ||
		    cookie_taken(&l->self, in->p, l->asked.mac1[i],
				 k->cookie) != 0)
			continue;
		k->until = now + COOKIE_LIFE;
		taken = true;
	}
	*(taken ? &l->n.cookies : &l->n.stray) += 1;
}

/* --- packets --- */

static enum link_got greeting(struct link *l, struct session *s,
			      const uint8_t *p, struct link_out *out)
{
	uint64_t life = get_be64(p + 4);

	if (s == &l->next)
		open_session(l, life, out);
	out->greet_back = p[1] != 0;
	l->n.greetings++;
	return LINK_PROOF;
}

static enum link_got packet(struct link *l, struct link_in *in, uint64_t now,
			    struct link_out *out)
{
	struct session *s = in->n >= LINK_HEADER ? find(l, in->p, now) : NULL;
	int r;

	if (!s) {
		*(in->n >= LINK_HEADER ? &l->n.unknown : &l->n.bad) += 1;
		return LINK_NOTHING;
	}
	r = session_open(s, l->self.ops, in->p, in->n, &in->newest);
	if (r != 0) {
		*(r == -EBADMSG	   ? &l->n.forged
		  : r == -EALREADY ? &l->n.replayed
		  : r == -EINVAL   ? &l->n.bad
				   : &l->n.failed) += 1;
		return LINK_NOTHING;
	}
	in->path = in->p[1];
	in->off = LINK_HEADER;
	in->len = in->n - LINK_HEADER - CRYPTO_TAG;
	l->silent = NEVER;
	/* A path leads where packets of the newest session come from. */
	in->newest = in->newest && s != &l->last;
	if (in->len == GREETING_LEN && in->p[LINK_HEADER] == GREETING)
		return greeting(l, s, in->p + LINK_HEADER, out);
	if (s == &l->next) {
		l->n.early++;
		return LINK_NOTHING;
	}
	l->n.data++;
	return LINK_PACKET;
}

static bool is_message(const struct link_in *in, enum noise_type type,
		       uint32_t len)
{
	return in->n == len && in->p[0] == type && in->p[1] == 0 &&
	       in->p[2] == 0 && in->p[3] == 0;
}

bool link_is_cookie(const struct link_in *in)
{
	return is_message(in, NOISE_TYPE_COOKIE, COOKIE_REPLY);
}

enum link_got link_input(struct link *l, struct link_in *in, uint64_t now,
			 struct link_out *out)
{
	assert(in->from_len <= LINK_FROM);
	l->n.came++;
	if (l->c.plain)
		return plain_input(l, in, now, out);
	if (l->c.pad)
		return padlink_input(l, in, out);
	if (in->n > 0 && in->p[0] == SESSION_TYPE)
		return packet(l, in, now, out);
	if (is_message(in, NOISE_TYPE_INITIATION, NOISE_INITIATION))
		link_initiation(l, in, now, out);
	else if (is_message(in, NOISE_TYPE_RESPONSE, NOISE_RESPONSE))
		response(l, in, now, out);
	else if (link_is_cookie(in))
		cookie(l, in, now);
	else
		l->n.bad++;
	return LINK_NOTHING;
}

uint32_t link_overhead(const struct link *l)
{
	return l->c.plain ? LINK_HEADER : LINK_HEADER + CRYPTO_TAG;
}

static int seal_in(struct link *l, struct session *s, unsigned path, uint8_t *p,
		   uint32_t n, bool asks, uint64_t now)
{
	int r = 0;

	assert(path < LINK_PATHS);
	if (l->c.plain)
		plain_head(l, path, p);
	else if (l->c.pad)
		r = padlink_seal(l, path, p, n);
	else
		r = session_seal(s, l->self.ops, path, p, n);
	if (r != 0)
		return r;
	if (asks && l->silent == NEVER)
		l->silent = now;
	return (int)(n + link_overhead(l));
}

int link_seal(struct link *l, unsigned path, uint8_t *p, uint32_t n, bool asks,
	      uint64_t now)
{
	if (!link_open(l, now))
		return -ENOTCONN;
	return seal_in(l, &l->now, path, p, n, asks, now);
}

uint32_t link_greet(struct link *l, unsigned path, bool answer, uint8_t *out,
		    uint64_t now)
{
	struct session *s = is_alive(&l->next, now) ? &l->next : &l->now;
	uint8_t *p = out + LINK_HEADER;
	int r;

	/* Who answers has not heard the next one's greeting yet. */
	if (l->c.role == LINK_ANSWERS)
		s = &l->now;
	if (l->c.pad)
		return padlink_greet(l, path, answer, out);
	if (l->c.plain ? !l->plain.open : !is_alive(s, now))
		return 0;
	memset(p, 0, GREETING_LEN);
	p[0] = GREETING;
	p[1] = answer;
	put_be32(p + 4, (uint32_t)(l->life >> 32));
	put_be32(p + 8, (uint32_t)l->life);
	r = seal_in(l, s, path, out, GREETING_LEN, answer, now);
	return r > 0 ? (uint32_t)r : 0;
}

bool link_open(const struct link *l, uint64_t now)
{
	if (l->c.pad)
		return l->pad.open;
	return l->c.plain ? l->plain.open : is_alive(&l->now, now);
}

/* --- time --- */

static uint64_t silent_at(const struct link *l)
{
	if (l->c.role != LINK_BEGINS || l->silent == NEVER)
		return NEVER;
	return l->silent + LINK_SILENCE;
}

/* Secrets do not outlive their use. */
static void expire(struct link *l, uint64_t now)
{
	struct session *s[] = { &l->last, &l->now, &l->next };

	for (int i = 0; i < 3; i++)
		if (s[i]->used && !is_alive(s[i], now))
			drop(s[i]);
	/* Without a session there is none before it. */
	if (!l->now.used)
		drop(&l->last);
}

void link_timeout(struct link *l, uint64_t now, uint64_t real,
		  struct link_out *out)
{
	expire(l, now);
	for (int i = 0; i < LINK_PATHS; i++)
		if (l->cookie[i].until <= now)
			l->cookie[i].until = 0;
	if (now >= silent_at(l)) {
		l->n.silences++;
		l->asked.again = now;
	}
	if (now >= l->asked.again) {
		if (l->c.pad)
			padlink_ask(l);
		if (l->c.plain || l->c.pad)
			link_ask_anew(l, now, out);
		else
			initiate(l, now, real, out);
		l->plain.asked = l->c.plain;
	}
	if (now >= l->greet_at) {
		out->greet = is_alive(&l->next, now);
		l->greet_at = out->greet ? now + LINK_GREET : NEVER;
	}
}

uint64_t link_next_timeout(const struct link *l)
{
	const struct session *s[] = { &l->last, &l->now, &l->next };
	uint64_t t = l->asked.again;

	for (int i = 0; i < 3; i++)
		if (s[i]->used && s[i]->since + LINK_LIFE < t)
			t = s[i]->since + LINK_LIFE;
	t = silent_at(l) < t ? silent_at(l) : t;
	return l->greet_at < t ? l->greet_at : t;
}

const struct link_counters *link_counters(const struct link *l)
{
	return &l->n;
}

const char *link_check(const struct link *l)
{
	const struct link_counters *n = &l->n;

#define PLUS(T, field, unit, help) +n->field
	/* A repetition is counted twice: as one that asked, and as such. */
	if (n->came + n->asked_again != 0 LINK_FATES(PLUS, ))
		return "a datagram has no fate, or two";
#undef PLUS
	if ((l->c.plain || l->c.pad) &&
	    (l->now.used || l->next.used || l->asked.on))
		return "a session without keys";
	if (l->pad.open && (l->pad.peer == 0 || l->pad.before != l->pad.peer))
		return "a pad's link is open to nobody";
	if (l->last.used && !l->now.used)
		return "a session before none";
	if (l->now.used && !l->know_life)
		return "a session was opened without a greeting";
	if (l->now.used && l->next.used &&
	    (uint16_t)l->now.ours == (uint16_t)l->next.ours)
		return "two sessions have one index";
	if (l->c.role == LINK_ANSWERS &&
	    (l->asked.on || l->asked.again != NEVER || l->n.asks > 0))
		return "the end that answers has asked";
	if (l->load.credit > LOAD_FULL)
		return "more handshakes than there may be";
	return NULL;
}
