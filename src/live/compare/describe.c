/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * describe.c - Differences in words
 *
 * Texts are made of what a comparison kept, by who tells of it; the comparison
 * makes none. What is captured in them is printable, or a backslash and its
 * number.
 */
#include <assert.h>
#include <string.h>

#include "compare/compare_internal.h"

/* Bytes of what is shown of one side, with tags in it. */
#define SHOWN 160u

/* Text that is cut where it does not fit. */
struct words {
	char *p;
	size_t n;
	const struct redact *by;
};

static void put(struct words *w, const char *text)
{
	while (*text != '\0' && w->n < COMPARE_DETAIL - 1)
		w->p[w->n++] = *text++;
	w->p[w->n] = '\0';
}

/* Next of several. */
static void put_next(struct words *w)
{
	if (w->n > 0)
		put(w, "; ");
}

static void put_number(struct words *w, uint64_t v, unsigned base)
{
	char text[21] = "";
	size_t at = sizeof(text) - 1;

	do {
		text[--at] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v > 0);
	put(w, text + at);
}

/* --- answers of a stream --- */

static void put_excerpt(struct words *w, const uint8_t *p, unsigned n)
{
	static const char hex[] = "0123456789abcdef";

	put(w, "\"");
	for (unsigned i = 0; i < n; i++) {
		char text[5] = { '\\', 'x', hex[p[i] >> 4], hex[p[i] & 15] };

		if (p[i] != '"' && p[i] != '\\' && p[i] >= ' ' && p[i] <= '~') {
			text[0] = (char)p[i];
			text[1] = '\0';
		}
		put(w, text);
	}
	put(w, "\"");
}

/* Of a head: what is not printable is a dot. */
static void put_shown(struct words *w, const uint8_t *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const char text[2] = { p[i] >= ' ' && p[i] <= '~' ? (char)p[i]
								  : '.' };

		put(w, text);
	}
}

static void put_value(struct words *w, const struct compare_field *f,
		      unsigned side)
{
	const struct redact_text t = { .p = f->value[side],
				       .n = f->len[side],
				       .to = f->len[side],
				       .cut = f->len[side] == COMPARE_SHOWN,
				       .name = (const char *)f->name,
				       .name_len = f->name_len };
	uint8_t shown[SHOWN];

	if (!f->has[side]) {
		put(w, "missing");
		return;
	}
	put(w, "\"");
	put_shown(w, shown,
		  (unsigned)redact_put(w->by, &t, shown, sizeof(shown)));
	put(w, "\"");
}

/* One side of what the streams have where they differ. */
static void put_seen(struct words *w, const struct compare_excerpt *x,
		     unsigned side)
{
	uint8_t all[COMPARE_FRONT + COMPARE_EXCERPT];
	uint8_t shown[SHOWN];
	const struct redact_text t = {
		.p = all,
		.n = (size_t)x->fronts + x->n[side],
		.from = x->fronts,
		.to = (size_t)x->fronts + x->n[side],
		.headless = x->from > x->fronts,
		.cut = x->n[side] == COMPARE_EXCERPT,
	};

	memcpy(all, x->front, x->fronts);
	memcpy(all + x->fronts, x->p[side], x->n[side]);
	put_excerpt(w, shown,
		    (unsigned)redact_put(w->by, &t, shown, sizeof(shown)));
}

/* name: "production's" / "the SUT's" */
static void put_field(struct words *w, const struct compare_field *f)
{
	if (!f->known)
		return;
	put_shown(w, f->name, f->name_len);
	put(w, ": ");
	put_value(w, f, 0);
	put(w, " / ");
	put_value(w, f, 1);
}

/* json $.a value: "production's" / "the SUT's". In values there are tags
 * already (judge/place.c).
 */
static void put_place(struct words *w, const struct case_place *p)
{
	uint8_t shown[SHOWN];
	unsigned n = 0;

	while (n < CASE_PLACE && p->name[n] != '\0')
		n++;
	put(w, case_judge_name((enum case_judge)p->judge));
	put(w, " ");
	put_shown(
		w, shown,
		(unsigned)redact_all(w->by, p->name, n, shown, sizeof(shown)));
	put(w, " ");
	put(w, case_change_name((enum case_change)p->change));
	put(w, ": ");
	for (unsigned i = 0; i < 2; i++) {
		if (i == 1)
			put(w, " / ");
		if (p->has[i])
			put_excerpt(w, p->value[i], p->len[i]);
		else
			put(w, "missing");
	}
}

static void put_answer(struct words *w, const struct compare_result *r)
{
	const struct compare_evidence *v = &r->evidence;

	if (v->place.judge != CASE_NOBODY) {
		put_place(w, &v->place);
		return;
	}
	if (r->reasons & reason_bit(REASON_MALFORMED)) {
		put(w, "not by the book: ");
		put(w, framer_odd_text((enum framer_odd)v->odd));
	}
	if ((r->reasons & reason_bit(REASON_EXTRA)) && v->extra)
		put(w, "bytes behind an answer that has no content");
	if (r->reasons & reason_bit(REASON_HEAD_TOO_LONG)) {
		put_next(w);
		put(w, "more than ");
		put_number(w, COMPARE_HEAD * COMPARE_SUT, 10);
		put(w, " bytes or ");
		put_number(w, COMPARE_FIELDS * COMPARE_SUT, 10);
		put(w, " fields");
	}
	if (r->reasons & reason_bit(REASON_HEADER)) {
		put_next(w);
		put_field(w, &v->field);
	}
	if (!(r->reasons & OF_LANE) || v->seen.from == UINT64_MAX)
		return;
	put_next(w);
	put(w, "from byte ");
	put_number(w, v->seen.from, 10);
	put(w, ": ");
	put_seen(w, &v->seen, 0);
	put(w, " / ");
	put_seen(w, &v->seen, 1);
}

static void answer(const struct compare_result *r, const struct redact *by,
		   char *out)
{
	struct words w = { .p = out, .by = by };

	out[0] = '\0';
	put_answer(&w, r);
}

/* Method and path, without query and version. */
static size_t method_and_path(const char *line, size_t n)
{
	const char *space = memchr(line, ' ', n);
	size_t i = space ? (size_t)(space - line) + 1 : n;

	while (i < n && line[i] != '?' && line[i] != '#' && line[i] != ' ')
		i++;
	return i;
}

const struct describe_ops describe_answer = { .endpoint = method_and_path,
					      .difference = answer };
const struct describe_ops describe_bytes = { .difference = answer };

/* --- redis --- */

static size_t command(const char *line, size_t n)
{
	const char *space = memchr(line, ' ', n);

	return space ? (size_t)(space - line) : n;
}

/* an error / a string; from byte 0: "..." / "..." */
static void reply(const struct compare_result *r, const struct redact *by,
		  char *out)
{
	const struct compare_evidence *v = &r->evidence;
	struct words w = { .p = out, .by = by };

	out[0] = '\0';
	if (v->reply[0] != v->reply[1]) {
		put(&w, reply_type_name(v->reply[0]));
		put(&w, " / ");
		put(&w, reply_type_name(v->reply[1]));
	}
	put_answer(&w, r);
}

const struct describe_ops describe_reply = { .endpoint = command,
					     .difference = reply };

/* --- datagrams --- */

static void datagram(const struct compare_result *r, const struct redact *by,
		     char *out)
{
	(void)r;
	(void)by;
	out[0] = '\0';
}

const struct describe_ops describe_datagram = { .difference = datagram };

/* "WHAT: production 0xA, SUT 0xB" or in decimal. */
static void put_both(struct words *w, const struct compare_evidence *v,
		     unsigned base)
{
	put(w, base == 16 ? ": production 0x" : ": production ");
	put_number(w, v->dns_has[0], base);
	put(w, base == 16 ? ", SUT 0x" : ", SUT ");
	put_number(w, v->dns_has[1], base);
}

static void dns(const struct compare_result *r, const struct redact *by,
		char *out)
{
	static const char *const what[] = {
		[COMPARE_DNS_NOTHING] = "",
		[COMPARE_DNS_NO_PROD] = "production's message cannot be read",
		[COMPARE_DNS_NO_SUT] = "SUT's message cannot be read",
		[COMPARE_DNS_ID] = "id",
		[COMPARE_DNS_RCODE] = "rcode",
		[COMPARE_DNS_FLAGS] = "flags",
		[COMPARE_DNS_QUESTION] = "question",
		[COMPARE_DNS_OPT] = "OPT",
		[COMPARE_DNS_ANSWER] = "answer",
		[COMPARE_DNS_AUTHORITY] = "authority",
		[COMPARE_DNS_ADDITIONAL] = "additional",
		[COMPARE_DNS_TTL] = "TTL",
	};
	const struct compare_evidence *v = &r->evidence;
	struct words w = { .p = out, .by = by };

	assert(v->dns <= COMPARE_DNS_TTL);
	put(&w, what[v->dns]);
	switch ((enum compare_dns)v->dns) {
	case COMPARE_DNS_ID:
	case COMPARE_DNS_RCODE:
	case COMPARE_DNS_TTL:
		put_both(&w, v, 10);
		break;
	case COMPARE_DNS_FLAGS:
		put_both(&w, v, 16);
		break;
	case COMPARE_DNS_ANSWER:
	case COMPARE_DNS_AUTHORITY:
	case COMPARE_DNS_ADDITIONAL:
		put_both(&w, v, 10);
		put(&w, " records; number ");
		put_number(&w, (uint64_t)v->dns_at + 1, 10);
		put(&w, " differs");
		break;
	default:
		break;
	}
}

const struct describe_ops describe_dns = { .request = dns_question,
					   .difference = dns };
