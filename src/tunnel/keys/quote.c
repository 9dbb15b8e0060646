/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quote.c - Is this the beginning of a datagram that we sent?
 *
 * Theory of operation
 *
 * Who reports an error of the network quotes what it is about (RFC 792, RFC
 * 4443). Anybody can write such a message; only who has seen our datagrams
 * knows the index of a session and its numbers, the numbers of two plain ends,
 * or how far a pad is used. It need not be true then, but it is from somebody
 * who could as well have lost the datagram. What was sent long ago is not asked
 * about any more.
 */
#include <string.h>

#include "core/bytes.h"
#include "keys/link_internal.h"

#define ANY_PATH    ((1u << LINK_PATHS) - 1)
#define RECENT	    65536u     /* numbers of a path */
#define RECENT_PAD  (1u << 22) /* bytes of a pad */
#define PAD_OFFSET  UINT64_C(0xffffffffffff)
#define PLAIN_ASKED 12 /* bytes of a question of a plain end, with its number */
#define ASKED	    8  /* of an initiation, with our index */

static bool of_session(const struct session *s, const uint8_t *p)
{
	uint64_t sent;

	if (!s->used || p[0] != SESSION_TYPE || p[1] >= LINK_PATHS ||
	    get_be16(p + 2) != (uint16_t)s->theirs)
		return false;
	sent = s->sent[p[1]];
	return sent > 0 && (uint32_t)sent - 1 - get_be32(p + 4) < RECENT;
}

static bool of_plain(const struct link *l, const uint8_t *p)
{
	uint8_t head[LINK_HEADER];

	if (!l->plain.open || p[1] >= LINK_PATHS)
		return false;
	plain_head(l, p[1], head);
	return memcmp(head, p, sizeof(head)) == 0;
}

static bool of_pad(const struct link *l, const uint8_t *p)
{
	uint64_t at = get_be64(p) & PAD_OFFSET, used = l->c.pad->at;

	return p[0] == PAD_TYPE && p[1] < LINK_PATHS &&
	       at >= l->c.pad->send.from && at < used && used - at < RECENT_PAD;
}

/* A question that has no answer yet. */
static bool of_question(const struct link *l, const uint8_t *p, uint32_t n)
{
	uint8_t hello[LINK_MESSAGE];

	if (l->c.plain)
		return n >= PLAIN_ASKED && plain_ask(l, hello) > 0 &&
		       memcmp(hello, p, PLAIN_ASKED) == 0;
	return !l->c.pad && l->asked.on && n >= ASKED &&
	       memcmp(l->asked.msg, p, ASKED) == 0;
}

uint32_t link_quotes(const struct link *l, const uint8_t *p, uint32_t n)
{
	bool ours;

	if (n < LINK_HEADER)
		return 0;
	if (of_question(l, p, n))
		return ANY_PATH;
	if (l->c.plain)
		ours = of_plain(l, p);
	else if (l->c.pad)
		ours = of_pad(l, p);
	else
		ours = of_session(&l->now, p) || of_session(&l->next, p) ||
		       of_session(&l->last, p);
	return ours ? 1u << p[1] : 0;
}
