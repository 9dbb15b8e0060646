/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.c - Numbers, addresses and captured bytes as a person reads them
 */
#include "text/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/bytes.h"
#include "core/limits.h"

#define GROUPS 8 /* of 16 bits in an IPv6 address */

void text_begin(struct text *t, char *buf, size_t size)
{
	*t = (struct text){ .buf = buf, .size = size };
	buf[0] = '\0';
}

void text_add(struct text *t, const char *format, ...)
{
	size_t room = t->size - t->len;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(t->buf + t->len, room, format, ap);
	va_end(ap);
	if (n < 0)
		n = 0;
	if ((size_t)n >= room) {
		t->full = true;
		t->len = t->size - 1;
	} else {
		t->len += (size_t)n;
	}
}

/* First longest run of at least two zero groups (RFC 5952 section 4.2). */
static void zero_run(const uint16_t *g, unsigned *at, unsigned *len)
{
	*at = GROUPS;
	*len = 1;
	for (unsigned i = 0; i < GROUPS; i++) {
		unsigned n = 0;

		while (i + n < GROUPS && g[i + n] == 0)
			n++;
		if (n > *len) {
			*at = i;
			*len = n;
		}
	}
}

char *text_ip(char *out, const struct ipaddr *a)
{
	uint16_t g[GROUPS];
	unsigned at, len;
	struct text t;

	text_begin(&t, out, TEXT_IP);
	if (ipaddr_is4(a)) {
		text_add(&t, "%u.%u.%u.%u", a->b[12], a->b[13], a->b[14],
			 a->b[15]);
		return out;
	}
	for (unsigned i = 0; i < GROUPS; i++)
		g[i] = get_be16(a->b + 2 * i);
	zero_run(g, &at, &len);
	for (unsigned i = 0; i < GROUPS; i++) {
		if (i == at) {
			text_add(&t, "::");
			i += len - 1;
		} else {
			/* "::" has brought the colon already. */
			text_add(&t, "%s%x", i > 0 && i != at + len ? ":" : "",
				 (unsigned)g[i]);
		}
	}
	return out;
}

char *text_endpoint(char *out, const struct ipaddr *a, uint16_t port)
{
	char ip[TEXT_IP];

	snprintf(out, TEXT_ENDPOINT, ipaddr_is4(a) ? "%s:%u" : "[%s]:%u",
		 text_ip(ip, a), (unsigned)port);
	return out;
}

char *text_number(char *out, uint64_t v)
{
	char digits[TEXT_NUMBER];
	int n = snprintf(digits, sizeof(digits), "%" PRIu64, v);
	char *p = out;

	for (int i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			*p++ = ',';
		*p++ = digits[i];
	}
	*p = '\0';
	return out;
}

/* @v in units of @unit: one decimal below 100, none above. */
static void scaled(char *out, uint64_t v, uint64_t unit, const char *name)
{
	uint64_t whole = v / unit;
	uint64_t tenth = (v % unit * 10 + unit / 2) / unit;

	if (tenth == 10) {
		whole++;
		tenth = 0;
	}
	if (whole < 100)
		snprintf(out, TEXT_NUMBER, "%" PRIu64 ".%" PRIu64 " %s", whole,
			 tenth, name);
	else
		snprintf(out, TEXT_NUMBER, "%" PRIu64 " %s",
			 whole + (tenth >= 5), name);
}

char *text_amount(char *out, uint64_t bytes)
{
	static const char *const name[] = { "kB", "MB", "GB", "TB", "PB" };
	uint64_t unit = 1000;
	unsigned i = 0;

	if (bytes < 1000) {
		snprintf(out, TEXT_NUMBER, "%" PRIu64 " B", bytes);
		return out;
	}
	while (i < 4 && bytes / unit >= 1000) {
		unit *= 1000;
		i++;
	}
	scaled(out, bytes, unit, name[i]);
	return out;
}

char *text_time(char *out, uint64_t ns)
{
	uint64_t s = ns / NS_PER_SEC;

	if (ns < NS_PER_US)
		snprintf(out, TEXT_NUMBER, "%" PRIu64 " ns", ns);
	else if (ns < NS_PER_MS)
		scaled(out, ns, NS_PER_US, "us");
	else if (ns < NS_PER_SEC)
		scaled(out, ns, NS_PER_MS, "ms");
	else if (s < 60)
		scaled(out, ns, NS_PER_SEC, "s");
	else if (s < 3600)
		snprintf(out, TEXT_NUMBER, "%" PRIu64 " min %" PRIu64 " s",
			 s / 60, s % 60);
	else
		snprintf(out, TEXT_NUMBER, "%" PRIu64 " h %" PRIu64 " min",
			 s / 3600, s / 60 % 60);
	return out;
}

char *text_when(char *out, uint64_t ns)
{
	static const unsigned in_year[] = { 31, 28, 31, 30, 31, 30,
					    31, 31, 30, 31, 30, 31 };
	uint64_t secs = ns / NS_PER_SEC;
	unsigned day = (unsigned)(secs / 86400);
	unsigned year = 1970;
	unsigned month = 0;

	for (;; year++) {
		bool leap =
			(year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
		unsigned days = leap ? 366 : 365;

		if (day >= days) {
			day -= days;
			continue;
		}
		for (; day >= in_year[month] + (leap && month == 1); month++)
			day -= in_year[month] + (leap && month == 1);
		break;
	}
	snprintf(out, TEXT_NUMBER, "%04u-%02u-%02uT%02u:%02u:%02u.%09uZ",
		 year % 10000, (month + 1) % 100, (day + 1) % 100,
		 (unsigned)(secs % 86400 / 3600) % 100,
		 (unsigned)(secs % 3600 / 60) % 100,
		 (unsigned)(secs % 60) % 100, (unsigned)(ns % NS_PER_SEC));
	return out;
}

char *text_date(char *out, uint64_t ns)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char s[TEXT_NUMBER];
	unsigned m;

	text_when(s, ns);
	m = (unsigned)(s[5] - '0') * 10 + (unsigned)(s[6] - '0') - 1;
	snprintf(out, TEXT_NUMBER, "%.2s/%.3s/%.4s:%.8s +0000", s + 8,
		 months + 3 * (m < 12 ? m : 0), s, s + 11);
	return out;
}

char *text_share(char *out, uint64_t part, uint64_t whole)
{
	uint64_t p = 0;

	/* Both halved until the product fits: the quotient stays. */
	for (uint64_t a = part, b = whole; b > 0; a /= 2, b /= 2) {
		if (a > UINT64_MAX / 10000)
			continue;
		p = a * 10000 / b;
		break;
	}
	if (part >= whole && whole > 0)
		snprintf(out, TEXT_NUMBER, "100 %%");
	else if (part == 0)
		snprintf(out, TEXT_NUMBER, "0 %%");
	else if (p == 0)
		snprintf(out, TEXT_NUMBER, "<0.01 %%");
	else
		snprintf(out, TEXT_NUMBER, "%" PRIu64 ".%02" PRIu64 " %%",
			 p < 10000 ? p / 100 : 99, p < 10000 ? p % 100 : 99);
	return out;
}

/* Return: bytes of the character's printable form at @form. */
static size_t printable(char *form, uint8_t c)
{
	static const char hex[] = "0123456789abcdef";

	if (c == '\\') {
		form[0] = form[1] = '\\';
		return 2;
	}
	if (c >= 0x20 && c < 0x7f) {
		form[0] = (char)c;
		return 1;
	}
	form[0] = '\\';
	form[1] = 'x';
	form[2] = hex[c >> 4];
	form[3] = hex[c & 15];
	return 4;
}

char *text_safe(char *out, size_t size, const void *p, size_t len)
{
	const uint8_t *in = p;
	size_t used = 0;
	size_t whole = 0; /* up to here "..." fits behind it */
	char form[4];

	for (size_t i = 0; i < len; i++) {
		size_t n = printable(form, in[i]);

		if (used + n >= size) {
			memcpy(out + whole, "...", 4);
			return out;
		}
		memcpy(out + used, form, n);
		used += n;
		if (used + 3 < size)
			whole = used;
	}
	out[used] = '\0';
	return out;
}
