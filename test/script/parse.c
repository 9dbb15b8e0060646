/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse.c - Read the lines of a script
 */
#include "script.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"

struct reader {
	char *p;
	const char *error;
};

static void fail(struct reader *r, const char *why)
{
	if (r->error == NULL)
		r->error = why;
}

static void blanks(struct reader *r)
{
	while (*r->p == ' ' || *r->p == '\t')
		r->p++;
}

static bool take(struct reader *r, const char *s)
{
	size_t n = strlen(s);

	if (strncmp(r->p, s, n) != 0)
		return false;
	r->p += n;
	return true;
}

static void want(struct reader *r, const char *s, const char *why)
{
	if (!take(r, s))
		fail(r, why);
}

/* Take @s if it is the whole next word. */
static bool take_word(struct reader *r, const char *s)
{
	size_t n = strlen(s);

	blanks(r);
	if (strncmp(r->p, s, n) != 0 || isalnum((unsigned char)r->p[n]))
		return false;
	r->p += n;
	blanks(r);
	return true;
}

static uint32_t number(struct reader *r)
{
	unsigned long v;
	char *end;

	blanks(r);
	if (!isdigit((unsigned char)*r->p)) {
		fail(r, "a number is missing");
		return 0;
	}
	v = strtoul(r->p, &end, 0);
	if (v > UINT32_MAX)
		fail(r, "a number is too big");
	r->p = end;
	return (uint32_t)v;
}

/* Seconds with up to nine decimals. */
static uint64_t seconds(struct reader *r)
{
	uint64_t ns = 0;
	uint64_t unit = NS_PER_SEC;

	if (!isdigit((unsigned char)*r->p))
		fail(r, "a time is missing");
	for (; isdigit((unsigned char)*r->p); r->p++)
		ns = ns * 10 + (uint64_t)(*r->p - '0');
	ns *= NS_PER_SEC;
	if (!take(r, "."))
		return ns;
	for (; isdigit((unsigned char)*r->p) && unit > 1; r->p++) {
		unit /= 10;
		ns += (uint64_t)(*r->p - '0') * unit;
	}
	return ns;
}

static void read_flags(struct reader *r, struct line *l)
{
	static const struct {
		char c;
		uint16_t bit;
	} names[] = {
		{ 'F', TCP_FIN }, { 'S', TCP_SYN }, { 'R', TCP_RST },
		{ 'P', TCP_PSH }, { '.', TCP_ACK }, { 'U', TCP_URG },
		{ 'E', TCP_ECE }, { 'W', TCP_CWR },
	};

	blanks(r);
	if (*r->p == '\0' || *r->p == ' ')
		fail(r, "flags are missing");
	for (; *r->p != ' ' && *r->p != '\0'; r->p++) {
		bool known = false;

		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
			if (names[i].c != *r->p)
				continue;
			l->flags |= names[i].bit;
			known = true;
		}
		if (!known) {
			fail(r, "a flag is not one of FSRP.UEW");
			return;
		}
	}
}

/* FROM:TO(LEN); the length says the same again, as a check of the script. */
static void read_range(struct reader *r, struct line *l)
{
	blanks(r);
	if (!isdigit((unsigned char)*r->p))
		return;
	l->has_seq = true;
	l->seq = number(r);
	want(r, ":", "':' is missing");
	l->end = number(r);
	want(r, "(", "'(' is missing");
	if (number(r) != l->end - l->seq)
		fail(r, "FROM:TO(LEN) does not add up");
	want(r, ")", "')' is missing");
	l->len = l->end - l->seq;
	if (l->len > TEXT_MAX)
		fail(r, "payload is too long");
}

static void read_option(struct reader *r, struct tcp_opts *o)
{
	if (take_word(r, "mss")) {
		o->has |= OPT_HAS_MSS;
		o->mss = (uint16_t)number(r);
	} else if (take_word(r, "sackOK")) {
		o->has |= OPT_HAS_SACK_OK;
	} else if (take_word(r, "wscale")) {
		o->has |= OPT_HAS_WSCALE;
		o->wscale = (uint8_t)number(r);
	} else if (take_word(r, "TS")) {
		o->has |= OPT_HAS_TS;
		take_word(r, "val");
		o->tsval = number(r);
		if (!take_word(r, "ecr"))
			fail(r, "ecr is missing");
		o->tsecr = number(r);
	} else if (take_word(r, "fastopen")) {
		o->has |= OPT_HAS_FASTOPEN;
	} else if (take_word(r, "mptcp")) {
		o->has |= OPT_HAS_MPTCP;
	} else if (take_word(r, "md5")) {
		o->has |= OPT_HAS_MD5;
	} else if (take_word(r, "ao")) {
		o->has |= OPT_HAS_AO;
	} else if (take_word(r, "sack") && o->sacks < TCP_SACK_MAX) {
		o->sack[o->sacks].left = number(r);
		want(r, ":", "':' is missing");
		o->sack[o->sacks++].right = number(r);
	} else {
		fail(r, "an option is not known");
	}
}

static void read_options(struct reader *r, struct line *l)
{
	l->has_opts = true;
	blanks(r);
	while (r->error == NULL && !take(r, ">")) {
		read_option(r, &l->opts);
		blanks(r);
		take(r, ",");
		blanks(r);
	}
}

static char unescape(struct reader *r)
{
	char hex[3] = { 0 };
	char c = *r->p++;

	if (c != '\\')
		return c;
	c = *r->p++;
	switch (c) {
	case 'r':
		return '\r';
	case 'n':
		return '\n';
	case '0':
		return '\0';
	case 'x':
		for (int i = 0; i < 2 && isxdigit((unsigned char)*r->p); i++)
			hex[i] = *r->p++;
		return (char)strtoul(hex, NULL, 16);
	case '\0':
		r->p--;
		return '\0';
	default:
		return c;
	}
}

/* One or more pieces "text" or "text"*N, behind the opening quote of the first */
static void read_text(struct reader *r, struct line *l)
{
	uint32_t have = 0;

	l->data = calloc(1, TEXT_MAX);
	if (l->data == NULL)
		abort();
	do {
		uint32_t start = have;
		uint32_t times = 1;
		uint32_t size;

		while (*r->p != '"' && *r->p != '\0' && have < TEXT_MAX)
			l->data[have++] = (uint8_t)unescape(r);
		want(r, "\"", "the closing quote is missing");
		if (take(r, "*"))
			times = number(r);
		size = have - start;
		if (times == 0 || times > (TEXT_MAX - start) / (size + 1))
			fail(r, "a text is too long");
		for (; r->error == NULL && times > 1; times--) {
			memcpy(l->data + have, l->data + start, size);
			have += size;
		}
		blanks(r);
	} while (r->error == NULL && take(r, "\""));
	if (have != l->len)
		fail(r, "the text has not the length that FROM:TO says");
}

static void read_segment(struct reader *r, struct line *l)
{
	read_flags(r, l);
	read_range(r, l);
	for (blanks(r); r->error == NULL && *r->p != '\0'; blanks(r)) {
		if (take_word(r, "ack")) {
			l->has_ack = true;
			l->ack = number(r);
		} else if (take_word(r, "win")) {
			l->has_win = true;
			l->win = (uint16_t)number(r);
		} else if (take_word(r, "urg")) {
			l->urg = (uint16_t)number(r);
		} else if (take_word(r, "gso")) {
			l->gso = (uint16_t)number(r);
		} else if (take_word(r, "cut")) {
			l->cut = number(r);
		} else if (take_word(r, "bad")) {
			l->bad = true;
		} else if (take(r, "<")) {
			read_options(r, l);
		} else if (take(r, "\"")) {
			read_text(r, l);
		} else {
			fail(r, "this is not part of a segment");
		}
	}
	if (l->kind == LINE_SEGMENT && !l->has_seq)
		fail(r, "a segment has no FROM:TO(LEN)");
}

static void read_timed(struct reader *r, struct line *l)
{
	l->from = seconds(r);
	l->until = l->from + NS_PER_MS;
	if (take(r, "~"))
		l->until = seconds(r);
	if (take_word(r, "C")) {
		l->who = WHO_CLIENT;
	} else if (take_word(r, "P")) {
		l->who = WHO_PROD;
	} else if (take_word(r, "S")) {
		l->who = WHO_SUT;
	} else if (take_word(r, "U")) {
		l->kind = LINE_EXPECT;
	} else {
		fail(r, "the sender is not C, P, S or U");
		return;
	}
	if (l->kind == LINE_EXPECT && take_word(r, "none"))
		l->kind = LINE_NONE;
	else if (l->kind == LINE_EXPECT && take_word(r, "quiet"))
		l->kind = LINE_QUIET;
	else if (l->kind == LINE_EXPECT && take_word(r, "any"))
		l->kind = LINE_ANY;
	else if (l->kind == LINE_EXPECT && take_word(r, "data")) {
		l->kind = LINE_COVER;
		read_range(r, l);
	} else {
		read_segment(r, l);
	}
	if (*r->p != '\0')
		fail(r, "something follows");
}

static void read_words(struct reader *r, struct line *l)
{
	for (blanks(r); *r->p != '\0'; blanks(r)) {
		size_t n = strcspn(r->p, " \t");

		if (l->words == WORDS || n >= WORD_SIZE) {
			fail(r, "too many or too long words");
			return;
		}
		memcpy(l->word[l->words++], r->p, n);
		r->p += n;
	}
	if (l->words == 0)
		fail(r, "a directive says nothing");
}

/* Cut the comment and the blanks off the end; '#' in a text is none. */
static void trim(char *s)
{
	bool text = false;
	size_t n;

	for (char *p = s; *p != '\0'; p++) {
		if (*p == '\\' && text && p[1] != '\0')
			p++;
		else if (*p == '"')
			text = !text;
		else if (*p == '#' && !text)
			*p = '\0';
		if (*p == '\0')
			break;
	}
	n = strlen(s);
	while (n > 0 && isspace((unsigned char)s[n - 1]))
		s[--n] = '\0';
}

const char *line_parse(char *text, struct line *l, bool *empty)
{
	struct reader r = { .p = text };

	trim(text);
	*l = (struct line){ .kind = LINE_SEGMENT };
	blanks(&r);
	*empty = *r.p == '\0';
	if (*empty)
		return NULL;
	if (take(&r, "+")) {
		read_timed(&r, l);
		return r.error;
	}
	if (take_word(&r, "conn"))
		l->kind = LINE_CONN;
	else if (take_word(&r, "set"))
		l->kind = LINE_SET;
	else if (take(&r, "="))
		l->kind = LINE_ASSERT;
	else
		return "this is neither a time nor a directive";
	read_words(&r, l);
	return r.error;
}
