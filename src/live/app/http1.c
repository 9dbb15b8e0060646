/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http1.c - Where HTTP/1.0 and HTTP/1.1 messages end (RFC 9112)
 *
 * Theory of operation
 *
 * Three streams, one machine of states each. A head is read as it comes:
 * nothing is buffered, only what framing needs is remembered (method code,
 * status, Content-Length, the last transfer coding). Names and values that
 * matter are matched byte by byte against short tables; everything else is
 * skipped eight bytes at a time, up to the next control character
 * (http1_line.c). So the end of a line, a bare CR and a NUL all cost one scan.
 * What tells the length of a body is read byte by byte (http1_length.c). Bodies
 * are not looked at.
 *
 * The length of an answer depends on the method of its request (HEAD, CONNECT),
 * so the client's stream leaves a code of two bits per request in a ring. It
 * does so as soon as the method is read: an answer may come before the rest of
 * its request. The ring keeps the last HTTP1_RING requests, and from which one
 * on all that it had to forget were METHOD_OTHER: so a stream of such answers
 * may lag as far as it likes. What was forgotten before is METHOD_UNKNOWN.
 *
 * What production answers decides what the client's stream is: behind a CONNECT
 * the client's bytes wait for nobody (they are a tunnel if they come before the
 * answer), and 101 or a 2xx to CONNECT makes the rest a tunnel. The SUT's
 * answer decides about the SUT's stream only.
 *
 * Wherever two readers are known to split differently the message is ambiguous,
 * and one reading is followed: the one of RFC 9112 where it has one. Where no
 * reading is left (a chunk size without digits) the stream becomes a tunnel; of
 * an answer it is said that it is malformed.
 *
 * Every decision is made at a byte, never at the end of an input, so the same
 * stream gives the same marks however it is cut.
 */
#include "app/framer.h"

#include <assert.h>
#include <string.h>

#include "app/http1_internal.h"
#include "core/bytes.h"

_Static_assert(sizeof(struct http1) <= FRAMER_STATE_MAX, "state too large");

void http1_ring_push(struct http1 *h, enum method code)
{
	uint32_t at = h->asked % HTTP1_RING;
	unsigned shift = at % 4 * 2;
	uint8_t *cell = &h->ring[at / 4];

	if ((*cell >> shift & 3) != METHOD_OTHER)
		h->plain = h->asked - HTTP1_RING + 1;
	*cell = (uint8_t)((*cell & ~(3u << shift)) | (unsigned)code << shift);
	h->asked++;
}

/**
 * ring_get() - Method code of request @index
 *
 * A request that was not seen yet (a server that speaks first, such as with
 * 408) counts as METHOD_OTHER.
 */
static enum method ring_get(const struct http1 *h, uint32_t index)
{
	uint32_t ago = h->asked - index;
	uint32_t at = index % HTTP1_RING;

	if (ago == 0 || ago > UINT32_MAX / 2)
		return METHOD_OTHER;
	if (ago > HTTP1_RING)
		return index - h->plain > UINT32_MAX / 2 ? METHOD_UNKNOWN
							 : METHOD_OTHER;
	return (enum method)(h->ring[at / 4] >> (at % 4 * 2) & 3);
}

/* The message ends here; what comes next is its successor. */
static void message_end(struct stream *s, struct framer_piece *out)
{
	out->flags |= FRAMER_MARK;
	if (s->flags & F_AMBIGUOUS)
		out->flags |= FRAMER_AMBIGUOUS;
	/* RFC 9112 section 9.3 */
	if ((s->flags & F_CLOSE) || (s->flags & (F_V10 | F_KEEP)) == F_V10)
		out->flags |= FRAMER_CLOSES;
	s->index++;
	s->flags = (s->flags & (F_AMBIGUOUS | F_DOUBT)) ? F_DOUBT : 0;
	out->odd = s->odd;
	s->odd = ODD_NONE;
	s->left = 0;
	s->status = 0;
	stream_enter(s, ST_START, 0);
}

/* Choose how the body is delimited (RFC 9112 section 6.3, rules 3 to 8). */
static void body_begin(struct stream *s, bool answer, struct framer_piece *out)
{
	if (s->flags & F_TE) {
		/* Both fields, an HTTP/1.0 peer that cannot know the field, or
		 * a last coding that is not chunked (section 6.1).
		 */
		if (s->flags & F_CL)
			stream_ambiguous(s, ODD_BOTH);
		else if (s->flags & F_V10)
			stream_ambiguous(s, ODD_VERSION);
		else if (!(s->flags & F_CHUNKED))
			stream_ambiguous(s, ODD_CODING);
		if (s->flags & F_CHUNKED) {
			stream_enter(s, ST_SIZE, 0);
			return;
		}
		if (answer) {
			s->st = ST_UNTIL_FIN;
			return;
		}
	}
	if (!(s->flags & F_CL) && answer)
		s->st = ST_UNTIL_FIN;
	else if (s->left > 0)
		s->st = ST_BODY;
	else
		message_end(s, out);
}

static void request_head_end(struct http1 *h, struct stream *s,
			     struct framer_piece *out)
{
	bool framed = (s->flags & F_TE) || s->left > 0;

	if (ring_get(h, s->index) != METHOD_CONNECT) {
		body_begin(s, false, out);
		return;
	}
	/* Content of CONNECT has no meaning (RFC 9110 section 9.3.6). */
	if (framed)
		stream_ambiguous(s, ODD_CONTENT);
	message_end(s, out);
	s->st = ST_CONNECT;
}

/* A 1xx head ends: the answer's own head is still to come. */
static void interim_end(struct stream *s, struct framer_piece *out)
{
	if ((s->flags & F_TE) || s->left > 0)
		stream_ambiguous(s, ODD_CONTENT);
	out->part = FRAMER_INTERIM;
	out->flags &= (uint16_t)~FRAMER_HEAD_END;
	s->flags &= F_BEGUN | F_AMBIGUOUS | F_DOUBT;
	s->left = 0;
	s->status = 0;
	stream_enter(s, ST_START, 0);
}

static void answer_head_end(struct http1 *h, struct stream *s, enum who who,
			    struct framer_piece *out)
{
	struct stream *client = &h->s[WHO_CLIENT];
	uint32_t index = s->index;
	unsigned status = s->status;
	bool framed = (s->flags & F_TE) || s->left > 0;
	enum method code = ring_get(h, index);
	bool switched;

	if (s->flags & F_INTERIM) {
		interim_end(s, out);
		return;
	}
	switched =
		status == 101 || (code == METHOD_CONNECT && status / 100 == 2);
	if (who == WHO_PROD && switched)
		stream_tunnel(client);
	else if (who == WHO_PROD && client->st == ST_CONNECT &&
		 client->index == index + 1)
		client->st = ST_START;

	/* It may have been a HEAD; 101 and 204 have no content, some send it;
	 * and 304 has a Content-Length, but some read chunks.
	 */
	if (code == METHOD_UNKNOWN)
		stream_ambiguous(s, ODD_METHOD);
	else if ((framed && (status == 101 || status == 204)) ||
		 (status == 304 && (s->flags & F_TE)))
		stream_ambiguous(s, ODD_CONTENT);
	if (!switched && code != METHOD_HEAD && status != 204 &&
	    status != 304) {
		body_begin(s, true, out);
	} else {
		message_end(s, out);
		stream_set(s, F_BARE);
	}
	if (switched)
		stream_tunnel(s);
}

void http1_fields_end(struct http1 *h, struct stream *s, enum who who,
		      struct framer_piece *out)
{
	if (s->flags & F_TRAILER) {
		message_end(s, out);
		return;
	}
	out->flags |= FRAMER_HEAD_END;
	if (who == WHO_CLIENT)
		request_head_end(h, s, out);
	else
		answer_head_end(h, s, who, out);
}

/* Take some of @n >= 1 bytes; none only if the state changes. */
static uint32_t step(struct http1 *h, struct stream *s, enum who who,
		     const uint8_t *p, uint32_t n, struct framer_piece *out)
{
	switch ((enum state)s->st) {
	case ST_START:
		return http1_step_start(s, who, p[0], out);
	case ST_METHOD:
		return http1_step_method(h, s, p, n);
	case ST_TARGET:
		return http1_step_target(s, p, n);
	case ST_STATUS:
		return http1_step_status(s, p, n);
	case ST_REASON:
	case ST_VALUE:
		return http1_step_skip(s, p, n, ST_LINE);
	case ST_LINE:
		return http1_step_line(h, s, who, p[0], out);
	case ST_EMPTY:
		return http1_step_empty(h, s, who, p[0], out);
	case ST_NAME:
		return http1_step_name(s, p, n);
	case ST_CL:
		return http1_step_cl(s, p, n);
	case ST_TE:
		return http1_step_te(s, p, n);
	case ST_CONN:
		return http1_step_connection(s, p, n);
	case ST_SIZE:
		return http1_step_size(s, p, n);
	case ST_EXT:
		return http1_step_ext(s, p, n);
	case ST_DATA_END:
		return http1_step_data_end(s, p[0]);
	default:
		assert(false);
		return n;
	}
}

/* What the next byte @c is, in a state that lines() reads. */
static enum framer_part part_of(const struct stream *s, uint8_t c)
{
	bool eol = c == '\r' || c == '\n';

	switch ((enum state)s->st) {
	case ST_SIZE:
	case ST_EXT:
	case ST_DATA_END:
		return FRAMER_FRAMING;
	case ST_START:
		return eol ? FRAMER_FRAMING : FRAMER_HEAD;
	case ST_LINE:
	case ST_EMPTY:
		if ((s->flags & F_TRAILER) && eol)
			return FRAMER_FRAMING;
		break;
	default:
		break;
	}
	if (s->flags & F_TRAILER)
		return FRAMER_TRAILER;
	return (s->flags & F_INTERIM) ? FRAMER_INTERIM : FRAMER_HEAD;
}

/* Read heads, chunk lines and trailers until the part or the message ends. */
static void lines(struct http1 *h, struct stream *s, enum who who,
		  const uint8_t *p, uint32_t n, struct framer_piece *out)
{
	uint32_t i = 0;

	while (i < n && s->st < ST_BODY &&
	       !(out->flags & (FRAMER_MARK | FRAMER_HEAD_END))) {
		enum framer_part now = part_of(s, p[i]);

		if (i > 0 && now != out->part)
			break;
		out->part = now;
		i += step(h, s, who, p + i, n - i, out);
		if (now == FRAMER_HEAD && (s->flags & F_INTERIM))
			out->part = FRAMER_INTERIM;
	}
	out->used = i;
}

static void take_body(struct stream *s, uint32_t n, struct framer_piece *out)
{
	out->part = FRAMER_BODY;
	out->used = n < s->left ? n : (uint32_t)s->left;
	s->left -= out->used;
	if (s->left > 0)
		return;
	if (s->st == ST_BODY)
		message_end(s, out);
	else
		s->st = ST_DATA_END;
}

static void http1_feed(void *st, enum who who, const uint8_t *p, uint32_t n,
		       struct framer_piece *out)
{
	struct http1 *h = st;
	struct stream *s = &h->s[who];

	*out = (struct framer_piece){ .used = n,
				      .part = FRAMER_OPAQUE,
				      .index = s->index };
	if (s->st == ST_CONNECT)
		stream_tunnel(s);
	if (s->st < ST_BODY)
		lines(h, s, who, p, n, out);
	else if (s->st == ST_BODY || s->st == ST_CHUNK)
		take_body(s, n, out);
	else if (s->st == ST_UNTIL_FIN)
		out->part = FRAMER_BODY;

	/* A broken request: who knows what the server took it for. Behind an
	 * answer that was split in one of two ways the other way may be well.
	 */
	if (s->flags & F_MALFORMED) {
		if (who == WHO_CLIENT || (s->flags & F_DOUBT)) {
			s->odd = ODD_BEHIND;
			stream_set(s, F_AMBIGUOUS);
		} else {
			out->flags |= FRAMER_MALFORMED;
			if ((s->flags & F_BARE) && s->odd == ODD_STATUS_LINE)
				out->flags |= FRAMER_EXTRA;
		}
	}
	if ((s->flags & F_AMBIGUOUS) && !(out->flags & FRAMER_MARK))
		out->flags |= FRAMER_AMBIGUOUS;
	if (!(out->flags & FRAMER_MARK))
		out->odd = s->odd;
	if (s->st == ST_TUNNEL)
		out->flags |= FRAMER_TUNNEL;
	if (s->st == ST_UNTIL_FIN)
		out->flags |= FRAMER_UNTIL_FIN;
}

static void http1_init(void *st, bool mid)
{
	(void)mid; /* each stream begins with a message: no difference */
	memset(st, 0, sizeof(struct http1));
}

static uint16_t http1_fin(void *st, enum who who)
{
	struct http1 *h = st;
	struct stream *s = &h->s[who];
	bool begun = (s->flags & F_BEGUN);
	bool whole = s->st == ST_UNTIL_FIN;

	stream_clear(s, F_BEGUN);
	stream_tunnel(s);
	if (whole)
		return FRAMER_MARK;
	return begun ? FRAMER_TUNNEL : 0;
}

static bool http1_skip(void *st, enum who who, uint32_t n)
{
	struct http1 *h = st;
	struct stream *s = &h->s[who];

	if (s->st == ST_UNTIL_FIN || s->st == ST_TUNNEL)
		return true;
	if ((s->st == ST_BODY || s->st == ST_CHUNK) && n < s->left) {
		s->left -= n;
		return true;
	}
	s->st = ST_LOST;
	return false;
}

static void http1_resync(void *st, enum who who, uint32_t index)
{
	struct http1 *h = st;

	h->s[who] = (struct stream){ .index = index };
	if (who != WHO_CLIENT)
		return;
	if (index - h->asked > UINT32_MAX / 2) {
		h->asked = index; /* back: a request begins anew */
		return;
	}
	/* The methods of the requests in the hole are not known. */
	if (index - h->asked > HTTP1_RING) {
		h->asked = index - HTTP1_RING;
		h->plain = h->asked;
	}
	while (h->asked != index)
		http1_ring_push(h, METHOD_UNKNOWN);
}

/**
 * http1_begins() - Test for a token, a space and a target
 *
 * A first line that is there whole must name its version; one that is not is
 * believed. Before the space only capital letters are believed. Empty lines
 * alone are rather the end of the message before: chunks end so.
 */
static bool http1_begins(const uint8_t *p, uint32_t n)
{
	const uint8_t *lf;
	uint32_t i = 0, word, len;

	while (i < n && (p[i] == '\r' || p[i] == '\n'))
		i++;
	p += i;
	n -= i;
	for (word = 0; word < n && http1_tchar[p[word]] != 0; word++)
		if (word == METHOD_MAX)
			return false;
	if (word == n) {
		for (i = 0; i < n; i++)
			if (p[i] < 'A' || p[i] > 'Z')
				return false;
		return n > 0;
	}
	if (word == 0 || p[word] != ' ')
		return false;
	if (word + 1 < n && p[word + 1] <= ' ')
		return false;
	lf = memchr(p, '\n', n);
	if (!lf)
		return true;
	len = (uint32_t)(lf - p);
	if (len > 0 && p[len - 1] == '\r')
		len--;
	return len >= word + 10 && get_be64(p + len - 8) >> 8 == WORD_HTTP1 &&
	       p[len - 9] == ' ';
}

/* HTTP Method Registry (RFC 9110 section 16.1), but PRI. */
static const char methods[][18] = {
	"GET",
	"POST",
	"HEAD",
	"PUT",
	"DELETE",
	"OPTIONS",
	"PATCH",
	"CONNECT",
	"TRACE",
	"PROPFIND",
	"PROPPATCH",
	"MKCOL",
	"COPY",
	"MOVE",
	"LOCK",
	"UNLOCK",
	"REPORT",
	"SEARCH",
	"ACL",
	"BASELINE-CONTROL",
	"BIND",
	"CHECKIN",
	"CHECKOUT",
	"LABEL",
	"LINK",
	"MERGE",
	"MKACTIVITY",
	"MKCALENDAR",
	"MKREDIRECTREF",
	"MKWORKSPACE",
	"ORDERPATCH",
	"REBIND",
	"UNBIND",
	"UNCHECKOUT",
	"UNLINK",
	"UPDATE",
	"UPDATEREDIRECTREF",
	"VERSION-CONTROL",
};

/* A piece of a body, or of a request line that was cut, may look like a token
 * and a space: only a method that is registered is believed, and only a whole
 * one. An empty line in front of it is rather the end of the message before. A
 * client whose methods are others is not picked up mid-stream.
 */
static bool http1_restarts(const uint8_t *p, uint32_t n)
{
	if (!http1_begins(p, n))
		return false;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		size_t len = strlen(methods[i]);

		if (n > len && p[len] == ' ' && memcmp(p, methods[i], len) == 0)
			return true;
	}
	return false;
}

const struct framer_ops framer_http1 = {
	.name = "http1",
	.size = sizeof(struct http1),
	.init = http1_init,
	.feed = http1_feed,
	.fin = http1_fin,
	.skip = http1_skip,
	.resync = http1_resync,
	.begins = http1_begins,
	.restarts = http1_restarts,
};
