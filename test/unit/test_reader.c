/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_reader.c - Unit test of live/reader: what is not by the book, and where in
 * its framing a flow is
 */
#include "reader/reader.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

/* A flow of three exchanges, of which none has been given more than a number. */
struct rig {
	struct flow *f;
	struct exchange x[3];
};

static void begin(struct rig *r)
{
	memset(r, 0, sizeof(*r));
	r->f = calloc(1, sizeof(*r->f));
	for (uint32_t i = 0; i < ARRAY_SIZE(r->x); i++) {
		r->x[i].index = i;
		r->x[i].next = i + 1 < ARRAY_SIZE(r->x) ? &r->x[i + 1] : NULL;
	}
	r->f->x.head = &r->x[0];
	r->f->x.tail = &r->x[2];
	r->f->key.pport = 80;
}

static void end(struct rig *r)
{
	free(r->f);
}

static void what_is_guessed_begins_with_its_first(void)
{
	struct rig r;
	const struct reader *reader;

	begin(&r);
	reader = reader_of((const struct flow *)r.f);
	CHECK(!reader_guesses(reader, 0));
	read_unsure(r.f, REASON_AMBIGUOUS, 5);
	CHECK(reader_guesses(reader, 5) && !reader_guesses(reader, 4));
	read_unsure(r.f, REASON_TUNNEL, 7); /* it was guessed before */
	CHECK(reader->guessed == REASON_AMBIGUOUS);
	CHECK(reader->guessed_from == 5);
	read_unsure(r.f, REASON_TUNNEL, 3);
	CHECK(reader->guessed == REASON_AMBIGUOUS);
	CHECK(reader_guesses(reader, 3) && !reader_guesses(reader, 2));
	read_unsure(r.f, REASON_TUNNEL, UINT32_MAX); /* numbers wrap */
	CHECK(reader->guessed_from == UINT32_MAX);
	end(&r);
}

enum { FIRST = 1, MID = 2, BROKEN = 4 }; /* the flow, before the piece came */

static const struct {
	const char *name;
	enum who who;
	unsigned before;
	uint16_t flags;
	uint8_t odd;
	enum compare_reason spoilt, guessed;
	uint8_t to_odd;
} pieces[] = {
	{ "nothing odd", WHO_SUT, 0, FRAMER_MARK, ODD_NONE, REASON_NONE,
	  REASON_NONE, 0 },
	{ "the SUT's may be split in two ways", WHO_SUT, 0, FRAMER_AMBIGUOUS,
	  ODD_LENGTHS, REASON_NONE, REASON_NONE, 0 },
	{ "production's may", WHO_PROD, 0, FRAMER_AMBIGUOUS, ODD_LENGTHS,
	  REASON_NONE, REASON_AMBIGUOUS, 0 },
	{ "what we do not know, of the SUT", WHO_SUT, 0, FRAMER_AMBIGUOUS,
	  ODD_METHOD, REASON_AMBIGUOUS, REASON_AMBIGUOUS, 0 },
	{ "what we do not know, of production", WHO_PROD, 0, FRAMER_AMBIGUOUS,
	  ODD_BEHIND, REASON_AMBIGUOUS, REASON_AMBIGUOUS, 0 },
	{ "production makes a tunnel", WHO_PROD, 0, FRAMER_TUNNEL | FRAMER_MARK,
	  ODD_NONE, REASON_NONE, REASON_NONE, ODD_P_LEFT },
	{ "the SUT makes a tunnel", WHO_SUT, 0, FRAMER_TUNNEL | FRAMER_MARK,
	  ODD_NONE, REASON_NONE, REASON_NONE, ODD_S_LEFT },
	{ "another protocol", WHO_SUT, 0, FRAMER_TUNNEL, ODD_NONE,
	  REASON_TUNNEL, REASON_NONE, 0 },
	{ "production breaks it", WHO_PROD, 0, FRAMER_TUNNEL | FRAMER_MALFORMED,
	  ODD_STATUS_LINE, REASON_NONE, REASON_NONE, ODD_P_BROKE },
	{ "the SUT breaks it", WHO_SUT, 0, FRAMER_TUNNEL | FRAMER_MALFORMED,
	  ODD_STATUS_LINE, REASON_NONE, REASON_NONE, ODD_S_BROKE },
	{ "the SUT broke it before", WHO_SUT, BROKEN,
	  FRAMER_TUNNEL | FRAMER_MALFORMED, ODD_STATUS_LINE, REASON_NONE,
	  REASON_NONE, 0 },
	{ "the rest of an answer whose request was missed", WHO_PROD,
	  MID | FIRST, FRAMER_TUNNEL | FRAMER_MALFORMED, ODD_STATUS_LINE,
	  REASON_MIDSTREAM, REASON_NONE, 0 },
	{ "the SUT has no such rest", WHO_SUT, MID | FIRST,
	  FRAMER_TUNNEL | FRAMER_MALFORMED, ODD_STATUS_LINE, REASON_NONE,
	  REASON_NONE, ODD_S_BROKE },
	{ "nor has a later answer", WHO_PROD, MID,
	  FRAMER_TUNNEL | FRAMER_MALFORMED, ODD_STATUS_LINE, REASON_NONE,
	  REASON_NONE, ODD_P_BROKE },
	{ "a whole answer, mid-stream, makes no rest", WHO_PROD, FIRST,
	  FRAMER_TUNNEL | FRAMER_MARK, ODD_NONE, REASON_NONE, REASON_NONE,
	  ODD_P_LEFT },
};

static void an_odd_piece_says_whose_it_is(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		struct framer_piece pc = { .used = 1,
					   .flags = pieces[i].flags,
					   .odd = pieces[i].odd };
		struct exchange *x;
		struct rig r;

		begin(&r);
		x = &r.x[pieces[i].before & FIRST ? 0 : 1];
		if (pieces[i].before & MID)
			r.f->w.flags |= W_MID;
		if (pieces[i].before & BROKEN)
			r.f->framing |= FRAMING_BROKEN_S;
		read_odd(r.f, pieces[i].who, x, &pc);
		CHECK_ROW(x->spoilt == pieces[i].spoilt, pieces[i].name);
		CHECK_ROW(x->odd == pieces[i].to_odd, pieces[i].name);
		CHECK_ROW(reader_of(r.f)->guessed == pieces[i].guessed,
			  pieces[i].name);
		CHECK_ROW(!pieces[i].guessed ||
				  reader_of(r.f)->guessed_from == x->index + 1,
			  pieces[i].name);
		end(&r);
	}
}

static void what_stands_behind_an_answer_has_its_line(void)
{
	struct framer_piece pc = { .used = 1,
				   .flags = FRAMER_TUNNEL | FRAMER_MALFORMED |
					    FRAMER_EXTRA,
				   .odd = ODD_CONTENT };
	struct rig r;

	begin(&r);
	for (int i = 0; i < 3; i++) {
		r.x[i].request_len = 5;
		memcpy(r.x[i].request, i == 1 ? "GET /" : "PUT /", 5);
	}
	read_odd(r.f, WHO_SUT, &r.x[2], &pc); /* one and two stand before it */
	CHECK(r.x[2].odd == (ODD_S_BROKE | ODD_S_EXTRA));
	CHECK(memcmp(r.x[2].request, "GET /", 5) == 0);
	r.x[1].request[0] = 'P';
	read_odd(r.f, WHO_SUT, &r.x[2], &pc); /* it has it already */
	CHECK(r.x[2].request[0] == 'G');
	read_odd(r.f, WHO_SUT, &r.x[0], &pc); /* nothing is known before it */
	CHECK(r.x[0].odd == ODD_S_BROKE && r.x[0].request[0] == 'P');
	end(&r);

	begin(&r);
	r.f->framing |= FRAMING_BROKEN_S;
	read_odd(r.f, WHO_SUT, &r.x[1], &pc); /* it broke before: no line */
	CHECK(r.x[1].odd == 0);
	end(&r);
}

static void behind_a_break_nothing_is_compared(void)
{
	struct rig r;

	begin(&r);
	read_spoil(&r.x[2], REASON_MIDSTREAM);
	read_break(r.f, &r.x[0]);
	CHECK(r.f->framing & FRAMING_BROKEN_S);
	CHECK(r.x[0].spoilt == REASON_NONE && r.x[1].spoilt == REASON_TUNNEL);
	CHECK(r.x[2].spoilt == REASON_MIDSTREAM); /* the first reason stays */
	end(&r);

	begin(&r);
	read_break(r.f, NULL);
	CHECK(r.f->framing & FRAMING_BROKEN_S);
	CHECK(r.x[0].spoilt == REASON_NONE && r.x[1].spoilt == REASON_NONE);
	end(&r);
}

static void two_that_leave_together_do_not_part(void)
{
	static const struct {
		uint8_t odd;
		bool part;
	} rows[] = { { 0, false },
		     { ODD_P_LEFT, true },
		     { ODD_S_LEFT, true },
		     { ODD_P_LEFT | ODD_S_LEFT, false },
		     { ODD_S_BROKE, false } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rig r;

		begin(&r);
		r.x[0].odd = rows[i].odd;
		read_parted(r.f, &r.x[0]);
		CHECK(((r.f->framing & FRAMING_BROKEN_S) != 0) == rows[i].part);
		CHECK((r.x[1].spoilt == REASON_TUNNEL) == rows[i].part);
		end(&r);
	}
}

static void a_stream_that_ends_in_an_answer_cuts_it(void)
{
	static const struct {
		enum who who;
		uint8_t odd;
		enum compare_reason spoilt;
	} rows[] = { { WHO_PROD, 0, REASON_PROD_CUT },
		     { WHO_SUT, 0, REASON_NONE },
		     { WHO_PROD, ODD_P_BROKE, REASON_NONE },
		     { WHO_SUT, ODD_S_BROKE, REASON_NONE },
		     { WHO_PROD, ODD_S_BROKE, REASON_PROD_CUT } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct exchange x = { .odd = rows[i].odd };

		read_cut(&x, rows[i].who);
		CHECK(x.spoilt == rows[i].spoilt);
	}
}

static const struct {
	const char *name;
	uint16_t flags, ev;
	uint8_t odd;
	uint32_t marks; /* production's */
	bool extra;
} extras[] = {
	{ "production has closed", X_S_BEGUN, EV_P_FIN, 0, 1, true },
	{ "it has not", X_S_BEGUN, 0, 0, 1, false },
	{ "behind its answer", X_S_BEGUN, 0, ODD_S_BROKE, 1, true },
	{ "a request has begun", X_S_BEGUN | X_C_BEGUN, 0, ODD_S_BROKE, 1,
	  false },
	{ "a request is whole", X_S_BEGUN | X_HAVE_C, EV_P_FIN, ODD_S_BROKE, 1,
	  false },
	{ "production spoke, too", X_S_BEGUN | X_P_BEGUN, EV_P_FIN, ODD_S_BROKE,
	  1, false },
	{ "the SUT did not speak", 0, EV_P_FIN, ODD_S_BROKE, 1, false },
	{ "production's answers before it are not whole", X_S_BEGUN, EV_P_FIN,
	  ODD_S_BROKE, 0, false },
};

static void what_nobody_asked_for_is_extra(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(extras); i++) {
		struct rig r;

		begin(&r);
		r.x[1].flags = extras[i].flags;
		r.x[1].odd = extras[i].odd;
		r.f->w.ev = extras[i].ev;
		r.f->x.marks[WHO_PROD] = extras[i].marks;
		CHECK_ROW(read_is_extra(r.f, &r.x[1]) == extras[i].extra,
			  extras[i].name);
		end(&r);
	}
}

static void choose(struct rig *r, enum who who, const char *said)
{
	read_choose(r->f, who, (const uint8_t *)said, (uint32_t)strlen(said));
}

static bool begins(const struct rig *r, uint32_t seq, const char *said)
{
	return read_begins(r->f, seq, (const uint8_t *)said,
			   (uint32_t)strlen(said));
}

static void a_client_tells_how_it_is_read(void)
{
	struct rig r;

	begin(&r);
	CHECK(!read_framer(r.f) && !read_is_quiet(r.f, WHO_CLIENT));
	choose(&r, WHO_SUT, "220 here\r\n"); /* it spoke first */
	CHECK(read_framer(r.f) == &framer_quiet);
	CHECK(r.f->framing & FRAMING_SUT_CHOSE);
	CHECK(read_is_quiet(r.f, WHO_CLIENT) && read_is_quiet(r.f, WHO_PROD));
	CHECK(!(r.f->framing & FRAMING_MARKED));
	choose(&r, WHO_CLIENT, "GET / HTTP/1.1\r\n");
	CHECK(read_framer(r.f) != &framer_quiet);
	CHECK(r.f->framing & FRAMING_MARKED);
	CHECK(!read_is_quiet(r.f, WHO_CLIENT) && !read_is_quiet(r.f, WHO_PROD));
	r.f->framing |= FRAMING_C_TUNNEL | FRAMING_QUIET_S;
	CHECK(read_is_quiet(r.f, WHO_CLIENT) && !read_is_quiet(r.f, WHO_PROD));
	CHECK(read_is_quiet(r.f, WHO_SUT));
	r.f->framing = FRAMING_QUIET_P;
	CHECK(read_is_quiet(r.f, WHO_PROD) && !read_is_quiet(r.f, WHO_SUT));
	CHECK(!(reader_of(r.f)->flags & R_IS_TLS));
	choose(&r, WHO_CLIENT, "\x16\x03\x01\x01\x05\x01\x00\x01");
	CHECK(reader_of(r.f)->flags & R_IS_TLS);
	end(&r);
}

static void a_message_begins_where_none_is_read(void)
{
	struct rig r;

	begin(&r);
	CHECK(!begins(&r, 100, "")); /* nothing */
	CHECK(begins(&r, 100, "GET / HTTP/1.1\r\n"));
	CHECK(!begins(&r, 100, "\x01\x02\x03\x04 no protocol"));
	CHECK(!read_follows(r.f, 0)); /* no framer yet */
	choose(&r, WHO_CLIENT, "GET / HTTP/1.1\r\n");
	r.f->w.c.nxt = 100;
	CHECK(read_follows(r.f, 100) && !read_follows(r.f, 101));
	CHECK(begins(&r, 100, "GET / HTTP/1.1\r\n"));
	r.f->x.at[WHO_CLIENT] = &r.x[0];
	CHECK(read_follows(r.f, 100)); /* its message has not begun */
	r.x[0].flags |= X_C_BEGUN;
	CHECK(!read_follows(r.f, 100));
	CHECK(!begins(&r, 100, "GET / HTTP/1.1\r\n")); /* inside of it */
	/* A hole in a head: where one is in it is not known. */
	CHECK(begins(&r, 300, "GET / HTTP/1.1\r\n"));
	r.f->framing |= FRAMING_C_TUNNEL;
	CHECK(!read_follows(r.f, 100));
	CHECK(begins(&r, 100, "GET / HTTP/1.1\r\n"));
	end(&r);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "what is guessed begins with its first",
		  what_is_guessed_begins_with_its_first },
		{ "an odd piece says whose it is",
		  an_odd_piece_says_whose_it_is },
		{ "what stands behind an answer has its line",
		  what_stands_behind_an_answer_has_its_line },
		{ "behind a break nothing is compared",
		  behind_a_break_nothing_is_compared },
		{ "two that leave together do not part",
		  two_that_leave_together_do_not_part },
		{ "a stream that ends in an answer cuts it",
		  a_stream_that_ends_in_an_answer_cuts_it },
		{ "what nobody asked for is extra",
		  what_nobody_asked_for_is_extra },
		{ "a client tells how it is read",
		  a_client_tells_how_it_is_read },
		{ "a message begins where none is read",
		  a_message_begins_where_none_is_read },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
