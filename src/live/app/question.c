/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * question.c - What a DNS query asks for, as in a zone file (RFC 1035 section
 * 5.1)
 */
#include <string.h>

#include "app/framer.h"
#include "core/bytes.h"

#define DNS_HEADER 12

/* A text that is cut where it does not fit. */
struct words {
	char *p;
	size_t n;
	size_t max;
};

static void put(struct words *w, const void *p, size_t n)
{
	if (n > w->max - w->n)
		n = w->max - w->n;
	memcpy(w->p + w->n, p, n);
	w->n += n;
}

static void put_type(struct words *w, uint16_t type)
{
	static const struct {
		uint16_t type;
		const char *name;
	} known[] = { { 1, "A" },      { 2, "NS" },	 { 5, "CNAME" },
		      { 6, "SOA" },    { 12, "PTR" },	 { 15, "MX" },
		      { 16, "TXT" },   { 28, "AAAA" },	 { 33, "SRV" },
		      { 43, "DS" },    { 48, "DNSKEY" }, { 64, "SVCB" },
		      { 65, "HTTPS" }, { 255, "ANY" } };
	char digits[5];
	size_t i = sizeof(digits);

	put(w, " ", 1);
	for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
		if (known[k].type == type) {
			put(w, known[k].name, strlen(known[k].name));
			return;
		}
	/* RFC 3597 section 5 */
	do {
		digits[--i] = (char)('0' + type % 10);
		type /= 10;
	} while (type > 0);
	put(w, "TYPE", 4);
	put(w, digits + i, sizeof(digits) - i);
}

static void put_label(struct words *w, const uint8_t *p, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++) {
		if (p[i] == '.' || p[i] == '\\')
			put(w, "\\", 1);
		put(w, p + i, 1);
	}
	put(w, ".", 1);
}

size_t dns_question(const uint8_t *p, uint32_t len, char *out, size_t size)
{
	struct words w = { out, 0, size };
	uint32_t at = DNS_HEADER;

	/* Over TCP it may be cut, and is not looked at before. */
	if (len <= at || get_be16(p + 4) == 0)
		return 0;
	while (p[at] != 0) {
		if (p[at] >= len - at - 1)
			return 0;
		put_label(&w, p + at + 1, p[at]);
		at += 1u + p[at];
	}
	if (len - at < 1 + 4)
		return 0;
	if (w.n == 0)
		put(&w, ".", 1);
	put_type(&w, get_be16(p + at + 1));
	return w.n;
}
