/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * out.c - The only way of bytes into a form
 *
 * Theory of operation
 *
 * A form is read by a browser, by a CI system, by a viewer of Markdown: each
 * takes other bytes for orders. What clients and servers sent, and names that
 * the user gave, go through out_text() alone, which knows where they will
 * stand. It works on bytes and has no state, so nothing that stands in front
 * can change what a byte becomes:
 *
 * - bytes that are not printable ASCII become \xNN, so that no control
 *   character, no right-to-left mark and no half of a UTF-8 character comes out
 *   (XML 1.0 has no way to write most of the former);
 * - in XML and HTML the five characters that mean something are entities;
 * - in Markdown each punctuation character has a backslash in front, which
 *   CommonMark (2.4) allows for all of them: no link, no image, no HTML and no
 *   cell begins;
 * - in JSON quotes and backslashes are escaped, and < too, as such a file may
 *   be pasted into a page;
 * - in a URL what RFC 3986 does not allow is percent-encoded.
 *
 * Nothing is kept in memory but a buffer of fixed size.
 */
#include "forms/out.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text/text.h"

void out_flush(struct out *o)
{
	size_t done;

	if (o->error == 0 && o->used > 0)
		o->error =
			outlet_write(&o->outlet, NULL, o->buf, o->used, &done);
	o->used = 0;
}

static void put(struct out *o, const char *p, size_t n)
{
	while (n > 0) {
		size_t room = sizeof(o->buf) - o->used;
		size_t part = n < room ? n : room;

		memcpy(o->buf + o->used, p, part);
		o->used += part;
		p += part;
		n -= part;
		if (o->used == sizeof(o->buf))
			out_flush(o);
	}
}

void out_put(struct out *o, const char *s)
{
	put(o, s, strlen(s));
}

void out_add(struct out *o, const char *format, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (n > 0)
		put(o, text,
		    (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

static const char *entity(uint8_t c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

static bool is_word(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z');
}

static void put_byte(struct out *o, enum out_in in, uint8_t c)
{
	const char *e = in == OUT_XML ? entity(c) : NULL;

	if (in == OUT_URL && !is_word(c) &&
	    (c <= ' ' || c >= 0x7f || !strchr("-._~:/?#[]@!$&()*+,;=%", c)))
		out_add(o, "%%%02X", c);
	else if (c < ' ' || c >= 0x7f)
		out_add(o,
			in == OUT_JSON || in == OUT_MARKDOWN ? "\\\\x%02x"
							     : "\\x%02x",
			c);
	else if (e)
		out_put(o, e);
	else if (in == OUT_JSON && c == '<')
		out_put(o, "\\u003c");
	else if ((in == OUT_MARKDOWN && c != ' ' && !is_word(c)) ||
		 (in == OUT_JSON && (c == '"' || c == '\\')))
		out_add(o, "\\%c", c);
	else
		put(o, (const char *)&c, 1);
}

void out_text(struct out *o, enum out_in in, const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		put_byte(o, in, b[i]);
}

void out_str(struct out *o, enum out_in in, const char *s)
{
	out_text(o, in, s, strlen(s));
}

size_t form_head(const struct form *f)
{
	const char *end = strstr(f->text, "\n\n");

	return end ? (size_t)(end - f->text) : strlen(f->text);
}

bool out_any(const uint64_t verdicts[VERDICT_COUNT])
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < VERDICT_COUNT; i++)
		sum |= verdicts[i];
	return sum != 0;
}

static void add_share(struct text *t, int64_t ppm, bool sign)
{
	uint64_t v = (uint64_t)(ppm < 0 ? -ppm : ppm);

	text_add(t, "%s%llu.%04llu %%",
		 ppm < 0 ? "-"
		 : sign	 ? "+"
			 : "",
		 (unsigned long long)v / 10000, (unsigned long long)v % 10000);
}

const char *form_limit(char out[FORM_LIMIT], const struct report_gate *g)
{
	bool by = g->unit == GATE_BY;
	char n[TEXT_NUMBER];
	struct text t;

	text_begin(&t, out, FORM_LIMIT);
	if (g->unit == GATE_ANSWERS) {
		text_add(&t, "%s", text_number(n, (uint64_t)g->at));
		return out;
	}
	if (g->unit == GATE_LEAK) {
		text_add(&t, "%.1f bytes a request (%.1f to %.1f)",
			 (double)g->at / 1e6, (double)g->low / 1e6,
			 (double)g->high / 1e6);
		return out;
	}
	if (by && g->low == 0 && g->high == 0) {
		text_add(&t, "too few");
		return out;
	}
	add_share(&t, g->at, by);
	text_add(&t, " (");
	add_share(&t, g->low, by);
	text_add(&t, " to ");
	add_share(&t, g->high, by);
	text_add(&t, ")");
	return out;
}

int form_write(enum form_kind kind, int fd, const struct form *f)
{
	static void (*const make[])(struct out * o, const struct form *f) = {
		[FORM_JUNIT] = form_junit,
		[FORM_SUMMARY] = form_summary,
		[FORM_HTML] = form_html,
		[FORM_HAR] = form_har,
	};
	struct out o = { .error = 0, .used = 0 };

	outlet_init(&o.outlet, fd);
	make[kind](&o, f);
	out_flush(&o);
	return o.error;
}
