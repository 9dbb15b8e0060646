/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * runner.c - Play dialogues of three endpoints in virtual time
 *
 *	script_runner [-v] FILE.pkt...
 *
 * One file is one scenario and one line of TAP. The notation is packetdrill's,
 * with a sender in front, as there are three:
 *
 *	+0      C S 0:0(0) win 65535 <mss 1460,sackOK,wscale 7>
 *	+0      U S 0:0(0) <mss 1460,sackOK,wscale 7>
 *	+0.001  P S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,wscale 7>
 *	+0      S S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,wscale 7>
 *	+0.001  C . 1:1(0) ack 1 win 512
 *	+0~0.05 U . 1:1(0) ack 1
 *	+0      C P. 1:19(18) ack 1 win 512 "GET / HTTP/1.0\r\n\r\n"
 *	= flows_played 1
 *
 * Senders: C client and P production (both seen on the mirror), S the SUT (on
 * its own wire), U what understudy must send to the SUT.
 *
 * Time. +A is A seconds after the line before (of an expectation: after the
 * effect it met). U +A means within 1 ms after A; +A~B between A and B.
 *
 * Segment. FLAGS FROM:TO(LEN) [ack N] [win N] [urg N] [<options>] ["text"]. All
 * numbers are relative to the initial sequence number of the endpoint that they
 * count; these wrap early. win is the field as sent. Flags: F S R P . U E W.
 * Options: mss N, sackOK, wscale N, TS val N ecr N, sack A:B, fastopen, mptcp,
 * md5, ao. Text: \r \n \0 \xHH \" \\, pieces as "x"*100 "y"; without it LEN bytes
 * of a pattern. For C, P and S also: bad (wrong checksum), cut N (the capture
 * missed the last N bytes), gso N (a super-frame).
 *
 * Expectation. Of a U line only what it names is compared, but for the flags,
 * where PSH does not matter, nor ACK with RST. Options in <> must be there with
 * these values, and no others of the list. Payload always has to be the client's.
 * Bare acks that no line names are allowed (unless `set strict yes`), all else is
 * not.
 *	U data A:B(N)  these bytes, in one or more segments
 *	U quiet        nothing but bare acks until then (+A: for A seconds)
 *	U none         nothing at all until then
 *	U any          whatever was sent up to then is accepted
 *
 * Directives.
 *	conn N [as M]  the next lines are about connection N (1 to 8; first: 1),
 *	               which uses connection M's port, as a later incarnation
 *	set NAME VALUE before the first timed line: see settings.c
 *	repeat N       the lines up to "end", N times, without directives of
 *	               this kind. In round i (from 0) @A in them is A + i, and
 *	               @A*B is A + i*B; in a text @ is a letter
 *	= NAME [>=] V  a counter, or one of: verdict.NAME, reason.NAME, end.NAME,
 *	               unanswered.NAME, flows, pool, timers (occupancy), down-ms
 *	               (how long the SUT was down)
 *
 * What contract.c says is held against every effect. At the end of the file the
 * engine is stopped, and all memory must have come back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define LINE_MAX_LEN 4096
#define REPEAT_LINES 32 /* of a "repeat" */

static bool opts_match(const struct world *w, const struct line *l,
		       const struct seen *s)
{
	const struct tcp_opts *a = &l->opts;
	const struct tcp_opts *b = &s->opts;

	(void)w;
	if (a->has != b->has || a->sacks != b->sacks)
		return false;
	if ((a->has & OPT_HAS_MSS) && a->mss != b->mss)
		return false;
	if ((a->has & OPT_HAS_WSCALE) && a->wscale != b->wscale)
		return false;
	if ((a->has & OPT_HAS_TS) &&
	    (a->tsval != b->tsval || a->tsecr != b->tsecr))
		return false;
	for (int i = 0; i < a->sacks; i++) {
		uint32_t base = s->conn->iss[WHO_SUT];

		if (a->sack[i].left != b->sack[i].left - base ||
		    a->sack[i].right != b->sack[i].right - base)
			return false;
	}
	return true;
}

static bool matches(const struct world *w, const struct line *l,
		    const struct seen *s)
{
	const struct effect *e = &s->e;
	const struct conn *c = w->cur;
	int any = TCP_PSH;

	if (e->kind != EFFECT_TCP || s->conn != c)
		return false;
	/* Whether a RST acks is nothing to the contract. */
	if ((l->flags & TCP_RST) != 0)
		any |= TCP_ACK;
	if (((e->flags ^ l->flags) & ~any) != 0)
		return false;
	if (l->has_seq &&
	    (e->seq - c->iss[WHO_CLIENT] != l->seq || e->len != l->len))
		return false;
	if (l->has_ack &&
	    ((e->flags & TCP_ACK) == 0 || e->ack - c->iss[WHO_SUT] != l->ack))
		return false;
	if (l->urg != ((e->flags & TCP_URG) != 0 ? e->urg : 0))
		return false;
	if (l->has_win && e->win != l->win)
		return false;
	if (l->has_opts && !opts_match(w, l, s))
		return false;
	return l->data == NULL || memcmp(l->data, s->data, l->len) == 0;
}

/* Complain about the first effect that must not be there. */
static bool no_others(struct world *w, bool acks_too)
{
	for (uint32_t i = 0; i < w->seen; i++) {
		if (seen_is_ack(&w->queue[i]) && !acks_too)
			continue;
		world_fail(w, "nobody asked for: %s",
			   seen_text(w, &w->queue[i]));
		return false;
	}
	return true;
}

/**
 * next_seen() - Wait for the next effect that is not a bare ack to be passed over
 * @l:		Line that waits
 *
 * Return: it, at the head of the queue, or NULL (said)
 */
static struct seen *next_seen(struct world *w, const struct line *l,
			      uint64_t until)
{
	bool want_ack = l->kind == LINE_EXPECT && l->len == 0 &&
			(l->flags & (TCP_SYN | TCP_FIN | TCP_RST)) == 0;

	for (;;) {
		while (w->seen > 0) {
			struct seen *s = &w->queue[0];

			if (!seen_is_ack(s) || w->strict ||
			    (want_ack && matches(w, l, s)))
				return s;
			world_drop(w, 1);
		}
		if (w->failed)
			return NULL;
		if (!world_step(w, until) && w->seen == 0) {
			world_fail(w, "it was not sent");
			return NULL;
		}
	}
}

static void expect(struct world *w, const struct line *l, uint64_t from,
		   uint64_t until)
{
	struct seen *s = next_seen(w, l, until);

	if (s == NULL)
		return;
	if (!matches(w, l, s))
		world_fail(w, "sent instead: %s", seen_text(w, s));
	else if (s->at < from || s->at > until)
		world_fail(w, "sent at +%.6f: %s",
			   (double)(s->at - w->start) / 1e9, seen_text(w, s));
	world_drop(w, 1);
}

static void cover(struct world *w, const struct line *l, uint64_t from,
		  uint64_t until)
{
	uint32_t at = l->seq;

	while (!w->failed && at != l->end) {
		struct seen *s = next_seen(w, l, until);

		if (s == NULL)
			return;
		if (s->conn != w->cur || s->e.len == 0 ||
		    s->e.seq - w->cur->iss[WHO_CLIENT] != at ||
		    s->e.len > l->end - at || s->at < from || s->at > until)
			world_fail(w, "sent instead, from %u on: %s", at,
				   seen_text(w, s));
		at += s->e.len;
		world_drop(w, 1);
	}
}

static void play_timed(struct world *w, const struct line *l)
{
	uint64_t from = w->now + l->from;
	uint64_t until = w->now + l->until;

	switch (l->kind) {
	case LINE_SEGMENT:
		world_advance(w, from);
		if (no_others(w, w->strict)) {
			world_drop(w, w->seen);
			world_send(w, l);
		}
		break;
	case LINE_EXPECT:
		expect(w, l, from, until);
		break;
	case LINE_COVER:
		cover(w, l, from, until);
		break;
	case LINE_NONE:
	case LINE_QUIET:
		world_advance(w, from);
		no_others(w, l->kind == LINE_NONE);
		world_drop(w, w->seen);
		break;
	default:
		world_advance(w, from);
		world_drop(w, w->seen);
		break;
	}
}

static void play_conn(struct world *w, const struct line *l)
{
	unsigned n = (unsigned)strtoul(l->word[0], NULL, 10);
	unsigned as = 0;

	if (l->words == 3 && strcmp(l->word[1], "as") == 0)
		as = (unsigned)strtoul(l->word[2], NULL, 10);
	if (n == 0 || n >= CONNS || as >= CONNS)
		world_fail(w, "connections are 1 to %d", CONNS - 1);
	else
		world_conn(w, n, as);
}

static void play_line(struct world *w, const struct line *l)
{
	switch (l->kind) {
	case LINE_CONN:
		play_conn(w, l);
		break;
	case LINE_SET:
		if (w->began || !world_set(w, l))
			world_fail(w, "not a setting, or too late");
		break;
	case LINE_ASSERT:
		world_assert(w, l);
		break;
	default:
		if (w->began || world_begin(w))
			play_timed(w, l);
		break;
	}
}

/* One line of a script; it is written over. */
static void play_text(struct world *w, char *text)
{
	struct line l;
	const char *error;
	bool empty;

	error = line_parse(text, &l, &empty);
	l.number = w->line;
	if (error != NULL)
		world_fail(w, "%s", error);
	else if (!empty)
		play_line(w, &l);
	free(l.data);
}

/* @in with each @A or @A*B as the number that it is in a round. */
static bool in_round(const char *in, unsigned round, char *out)
{
	bool quoted = false;
	size_t n = 0;

	while (*in != '\0' && n < LINE_MAX_LEN - 24) {
		unsigned long a;
		unsigned long b = 1;
		char *end;

		if (*in == '"' && in[-1] != '\\')
			quoted = !quoted;
		if (quoted || *in != '@') {
			out[n++] = *in++;
			continue;
		}
		a = strtoul(in + 1, &end, 10);
		if (end[0] == '*')
			b = strtoul(end + 1, &end, 10);
		n += (size_t)snprintf(out + n, 24, "%lu", a + b * round);
		in = end;
	}
	out[n] = '\0';
	return *in == '\0';
}

/* The lines up to "end", @times times; a failure names the line and the round. */
static void play_repeat(struct world *w, FILE *in, unsigned times)
{
	static char lines[REPEAT_LINES][LINE_MAX_LEN];
	static char text[LINE_MAX_LEN];
	unsigned first = w->line;
	unsigned n = 0;

	for (;; n++) {
		if (n == REPEAT_LINES ||
		    fgets(lines[n], LINE_MAX_LEN, in) == NULL) {
			world_fail(w, "a repeat without an end, or too long");
			return;
		}
		if (strcmp(lines[n], "end\n") == 0)
			break;
	}
	for (unsigned i = 0; i < times; i++) {
		for (unsigned k = 0; k < n; k++) {
			w->line = first + 1 + k;
			if (!in_round(lines[k], i, text))
				world_fail(w, "the line is too long");
			play_text(w, text);
			if (!w->failed)
				continue;
			printf("# in round %u of the repeat\n", i);
			return;
		}
	}
	w->line = first + n + 1;
}

bool script_run(const char *path, bool verbose)
{
	static char text[LINE_MAX_LEN];
	unsigned times;
	struct world *w = calloc(1, sizeof(*w));
	FILE *in = fopen(path, "r");
	bool ok;

	if (w == NULL || in == NULL) {
		printf("# %s: cannot be read\n", path);
		free(w);
		return false;
	}
	w->path = path;
	w->verbose = verbose;
	world_defaults(w);
	world_conn(w, 1, 0);
	while (!w->failed && fgets(text, sizeof(text), in) != NULL) {
		w->line++;
		if (sscanf(text, "repeat %u", &times) == 1)
			play_repeat(w, in, times);
		else
			play_text(w, text);
	}
	fclose(in);
	if (!w->failed)
		no_others(w, w->strict);
	world_end(w);
	ok = !w->failed && w->sent > 0;
	free(w);
	return ok;
}

int main(int argc, char **argv)
{
	bool verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
	int first = verbose ? 2 : 1;
	int bad = 0;

	printf("1..%d\n", argc - first);
	for (int i = first; i < argc; i++) {
		bool ok = script_run(argv[i], verbose);

		bad += !ok;
		printf("%sok %d - %s\n", ok ? "" : "not ", i - first + 1,
		       argv[i]);
	}
	return bad > 0 || argc == first;
}
