/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pp.c - Headers of the PROXY protocol, versions 1 and 2
 */
#include "net/pp.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/bytes.h"
#include "opt/values.h"
#include "text/text.h"

/* Section 2.2. */
static const uint8_t mark2[12] = { 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
				   0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a };
#define HEAD2 16

enum { LOCAL = 0x20, PROXY = 0x21 };
enum { UNSPEC = 0, TCP4 = 0x11, TCP6 = 0x21, UNIX_STREAM = 0x31 };

/* --- version 1 --- */

/* The next word of a line, up to a blank or the end. Return: false: it is empty
 */
static bool next_word(const char **p, const char *end, const char **word,
		      size_t *n)
{
	const char *at = *p;

	*word = at;
	while (at < end && *at != ' ')
		at++;
	*n = (size_t)(at - *word);
	*p = at < end ? at + 1 : at;
	return *n > 0;
}

/* Digits, without zeros in front. */
static int take_port(const char *s, size_t n, uint16_t *out)
{
	uint32_t v = 0;

	if (n == 0 || n > 5 || (n > 1 && s[0] == '0'))
		return -EPROTO;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -EPROTO;
		v = v * 10 + (uint32_t)(s[i] - '0');
	}
	if (v > UINT16_MAX)
		return -EPROTO;
	*out = (uint16_t)v;
	return 0;
}

static int take_ip(const char *s, size_t n, bool four, struct ipaddr *out)
{
	struct ipaddr a;
	bool text4 = !memchr(s, ':', n);

	/* A 0 would end the text before its end. */
	if (n >= TEXT_IP || memchr(s, 0, n) || value_get_ip(s, n, &a) != 0 ||
	    text4 != four)
		return -EPROTO;
	*out = a;
	return 0;
}

/* An address of IPv6 may hold one of IPv4: then both have to. */
static bool is_mixed(const struct pp *p)
{
	return ipaddr_is4(&p->src) != ipaddr_is4(&p->dst);
}

/* What stands behind "PROXY TCPx ". */
static int take_ends(const char *p, const char *end, bool four, struct pp *out)
{
	struct pp got = { .known = true };
	const char *w[4];
	size_t n[4];

	for (int i = 0; i < 4; i++)
		if (!next_word(&p, end, &w[i], &n[i]))
			return -EPROTO;
	/* Neither a fifth word nor a blank behind the fourth. */
	if (w[3] + n[3] != end)
		return -EPROTO;
	if (take_ip(w[0], n[0], four, &got.src) != 0 ||
	    take_ip(w[1], n[1], four, &got.dst) != 0 ||
	    take_port(w[2], n[2], &got.sport) != 0 ||
	    take_port(w[3], n[3], &got.dport) != 0 || is_mixed(&got))
		return -EPROTO;
	*out = got;
	return 0;
}

static int read1(const uint8_t *b, size_t n, struct pp *out)
{
	static const char unknown[] = "PROXY UNKNOWN";
	size_t most = n < PP_V1_MOST ? n : PP_V1_MOST;
	const uint8_t *lf = memchr(b, '\n', most);
	const char *s = (const char *)b;
	const char *end;
	bool four;

	if (!lf)
		return n < PP_V1_MOST ? 0 : -EPROTO;
	if (lf == b || lf[-1] != '\r')
		return -EPROTO;
	end = (const char *)lf - 1;
	if (end - s >= 13 && memcmp(s, unknown, 13) == 0 &&
	    (end - s == 13 || s[13] == ' ')) {
		*out = (struct pp){ .known = false };
		return (int)(lf - b) + 1;
	}
	if (end - s < 11 || memcmp(s, "PROXY TCP", 9) != 0 || s[10] != ' ' ||
	    (s[9] != '4' && s[9] != '6'))
		return -EPROTO;
	four = s[9] == '4';
	if (take_ends(s + 11, end, four, out) != 0)
		return -EPROTO;
	return (int)(lf - b) + 1;
}

/* --- version 2 --- */

static int take2(const uint8_t *b, size_t len, struct pp *out)
{
	struct pp got = { .known = false };
	size_t ip = b[13] == TCP4 ? 4 : 16;
	const uint8_t *p = b + HEAD2;

	if (b[12] != LOCAL && b[12] != PROXY)
		return -EPROTO;
	if (b[12] == LOCAL || b[13] == UNSPEC || b[13] == UNIX_STREAM) {
		*out = got;
		return 0;
	}
	if ((b[13] != TCP4 && b[13] != TCP6) || len < 2 * ip + 4)
		return -EPROTO;
	got.known = true;
	got.src = ip == 4 ? ipaddr_from4(p) : ipaddr_from6(p);
	got.dst = ip == 4 ? ipaddr_from4(p + ip) : ipaddr_from6(p + ip);
	got.sport = get_be16(p + 2 * ip);
	got.dport = get_be16(p + 2 * ip + 2);
	if (is_mixed(&got))
		return -EPROTO;
	*out = got;
	return 0;
}

static int read2(const uint8_t *b, size_t n, struct pp *out)
{
	size_t len;

	if (n < HEAD2)
		return 0;
	len = get_be16(b + 14);
	if (HEAD2 + len > PP_V2_MOST)
		return -EMSGSIZE;
	if (n < HEAD2 + len)
		return 0;
	return take2(b, len, out) == 0 ? (int)(HEAD2 + len) : -EPROTO;
}

int pp_read(const uint8_t *b, size_t n, struct pp *out)
{
	static const char mark1[] = "PROXY ";
	size_t k1 = n < 6 ? n : 6;
	size_t k2 = n < sizeof(mark2) ? n : sizeof(mark2);

	if (memcmp(b, mark1, k1) == 0)
		return k1 < 6 ? 0 : read1(b, n, out);
	if (memcmp(b, mark2, k2) == 0)
		return read2(b, n, out);
	return -EPROTO;
}

/* --- made --- */

static size_t make2(const struct pp *p, uint8_t *out)
{
	size_t ip = ipaddr_is4(&p->src) ? 4 : 16;

	memcpy(out, mark2, sizeof(mark2));
	out[12] = PROXY;
	out[13] = ip == 4 ? TCP4 : TCP6;
	put_be16(out + 14, (uint16_t)(2 * ip + 4));
	memcpy(out + HEAD2, p->src.b + 16 - ip, ip);
	memcpy(out + HEAD2 + ip, p->dst.b + 16 - ip, ip);
	put_be16(out + HEAD2 + 2 * ip, p->sport);
	put_be16(out + HEAD2 + 2 * ip + 2, p->dport);
	return HEAD2 + 2 * ip + 4;
}

size_t pp_make(int version, const struct pp *p, uint8_t out[PP_MADE])
{
	bool four = ipaddr_is4(&p->src);
	char src[TEXT_IP], dst[TEXT_IP];
	struct text t;
	char line[PP_MADE + 1];

	assert(p->known && four == ipaddr_is4(&p->dst));
	if (version == 2)
		return make2(p, out);
	text_begin(&t, line, sizeof(line));
	text_add(&t, "PROXY TCP%c %s %s %u %u\r\n", four ? '4' : '6',
		 text_ip(src, &p->src), text_ip(dst, &p->dst), p->sport,
		 p->dport);
	assert(!t.full);
	memcpy(out, line, t.len);
	return t.len;
}
