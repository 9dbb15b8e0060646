/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * values.c - Numbers, addresses and words of the command line
 */
#include "opt/values.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/limits.h"

#define ADDR_TEXT 64 /* longest text of an address, with its end */

/* --- words --- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void value_put_word(struct text *t, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_./:=%,+-[]";
	size_t n = strlen(word);

	if (n > 0 && strspn(word, plain) == n) {
		text_add(t, "%s", word);
		return;
	}
	text_add(t, "'");
	for (; *word != '\0'; word++)
		if (*word == '\'')
			text_add(t, "'\\''");
		else
			text_add(t, "%c", *word);
	text_add(t, "'");
}

/* Copy what is quoted at @in to @out, both moved on. Return: 0 or -EINVAL */
static int unquote(char **in, char **out)
{
	char *p = *in;
	char *o = *out;
	char quote = *p++;

	while (*p != quote) {
		if (quote == '"' && *p == '\\' && p[1] != '\0')
			p++;
		if (*p == '\0')
			return -EINVAL;
		*o++ = *p++;
	}
	*in = p + 1;
	*out = o;
	return 0;
}

/* A backslash at the end of a line: the line goes on. */
static bool is_joint(const char *p)
{
	return p[0] == '\\' && p[1] == '\n';
}

static char *skip_blanks(char *p)
{
	while (is_blank(*p) || is_joint(p) || *p == '#') {
		if (*p == '#')
			p += strcspn(p, "\n");
		else
			p += is_joint(p) ? 2 : 1;
	}
	return p;
}

int words_next(char **p, char **word)
{
	char *in = skip_blanks(*p);
	char *out = in;
	char *start = in;

	if (*in == '\0') {
		*p = in;
		return 0;
	}
	while (*in != '\0' && !is_blank(*in)) {
		if (*in == '\'' || *in == '"') {
			if (unquote(&in, &out))
				return -EINVAL;
			continue;
		}
		if (is_joint(in)) {
			in += 2;
			continue;
		}
		if (*in == '\\' && *++in == '\0')
			return -EINVAL;
		*out++ = *in++;
	}
	/* The separator may be where the word's end is written. */
	*p = *in == '\0' ? in : in + 1;
	*out = '\0';
	*word = start;
	return 1;
}

/* --- numbers --- */

/* Digits at *@s, moved on. */
static int get_digits(const char **s, uint64_t *out)
{
	const char *p = *s;
	uint64_t n = 0;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		if (n > (UINT64_MAX - digit) / 10)
			return -ERANGE;
		n = n * 10 + digit;
	}
	*s = p;
	*out = n;
	return 0;
}

/* A unit and what one is worth; the largest comes last. */
struct unit {
	const char *name;
	uint64_t worth;
};

static const struct unit durations[] = {
	{ "ns", 1 },
	{ "us", NS_PER_US },
	{ "ms", NS_PER_MS },
	{ "s", NS_PER_SEC },
	{ "m", 60 * NS_PER_SEC },
	{ "h", 3600 * NS_PER_SEC },
	{ "d", 24 * 3600 * NS_PER_SEC }, /* read, never written */
};

static const struct unit sizes[] = {
	{ "", 1 },
	{ "K", UINT64_C(1) << 10 },
	{ "M", UINT64_C(1) << 20 },
	{ "G", UINT64_C(1) << 30 },
};

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static int get_with_unit(const char *s, const struct unit *u, size_t units,
			 uint64_t plain, uint64_t *out)
{
	uint64_t worth = plain;
	uint64_t n;
	int rc = get_digits(&s, &n);

	if (rc)
		return rc;
	if (*s != '\0') {
		size_t i = 0;

		while (i < units && strcmp(s, u[i].name) != 0)
			i++;
		if (i == units)
			return -EINVAL;
		worth = u[i].worth;
	}
	if (n > UINT64_MAX / worth)
		return -ERANGE;
	*out = n * worth;
	return 0;
}

static void put_with_unit(struct text *t, const struct unit *u, size_t units,
			  uint64_t n)
{
	size_t i = units - 1;

	while (i > 0 && n % u[i].worth != 0)
		i--;
	text_add(t, "%" PRIu64 "%s", n / u[i].worth, u[i].name);
}

int value_get_number(const char *s, uint64_t *out)
{
	uint64_t n;
	int rc = get_digits(&s, &n);

	if (rc)
		return rc;
	if (*s != '\0')
		return -EINVAL;
	*out = n;
	return 0;
}

int value_get_duration(const char *s, uint64_t *ns)
{
	return get_with_unit(s, durations, COUNT_OF(durations), NS_PER_SEC, ns);
}

void value_put_duration(struct text *t, uint64_t ns)
{
	if (ns == 0)
		text_add(t, "0s");
	else
		put_with_unit(t, durations, COUNT_OF(durations) - 1, ns);
}

int value_get_size(const char *s, uint64_t *bytes)
{
	return get_with_unit(s, sizes, COUNT_OF(sizes), 1, bytes);
}

void value_put_size(struct text *t, uint64_t bytes)
{
	if (bytes == 0)
		text_add(t, "0");
	else
		put_with_unit(t, sizes, COUNT_OF(sizes), bytes);
}

/* Digits and up to so many decimals that @scale is one, in parts of @scale. */
static int get_fixed(const char *s, uint64_t scale, uint64_t *out)
{
	uint64_t whole = 0;
	uint64_t worth = scale / 10;
	int rc = 0;

	if (*s != '.' || s[1] < '0' || s[1] > '9')
		rc = get_digits(&s, &whole);
	if (rc)
		return rc;
	if (whole > UINT64_MAX / scale - 1)
		return -ERANGE;
	whole *= scale;
	if (*s == '.') {
		for (s++; *s >= '0' && *s <= '9' && worth > 0; s++) {
			whole += (uint64_t)(*s - '0') * worth;
			worth /= 10;
		}
	}
	if (*s != '\0')
		return -EINVAL;
	*out = whole;
	return 0;
}

int value_get_thousandths(const char *s, uint64_t *out)
{
	return get_fixed(s, 1000, out);
}

void value_put_thousandths(struct text *t, uint64_t n)
{
	text_add(t, "%" PRIu64 ".%03" PRIu64, n / 1000, n % 1000);
}

int value_get_millionths(const char *s, uint64_t *out)
{
	return get_fixed(s, 1000000, out);
}

void value_put_millionths(struct text *t, uint64_t n)
{
	text_add(t, "%" PRIu64, n / 1000000);
	if (n % 1000000 != 0)
		text_add(t, ".%06" PRIu64, n % 1000000);
}

int value_get_share(const char *s, uint64_t *millionths)
{
	uint64_t n;
	uint64_t whole;
	uint64_t worth = SHARE_ALL / 1000;
	int rc = get_digits(&s, &whole);

	if (rc)
		return rc;
	if (whole > 100)
		return -ERANGE;
	n = whole * (SHARE_ALL / 100);
	if (*s == '.') {
		for (s++; *s >= '0' && *s <= '9' && worth > 0; s++) {
			n += (uint64_t)(*s - '0') * worth;
			worth /= 10;
		}
	}
	if (strcmp(s, "%") != 0)
		return -EINVAL;
	if (n > SHARE_ALL)
		return -ERANGE;
	*millionths = n;
	return 0;
}

void value_put_share(struct text *t, uint32_t millionths)
{
	uint32_t hundredth = SHARE_ALL / 100;

	text_add(t, "%" PRIu32, millionths / hundredth);
	if (millionths % hundredth != 0)
		text_add(t, ".%04" PRIu32, millionths % hundredth);
	text_add(t, "%%");
}

/* --- addresses --- */

int value_get_ip(const char *s, size_t len, struct ipaddr *ip)
{
	char text[ADDR_TEXT];
	uint8_t b[16];

	if (len >= sizeof(text))
		return -EINVAL;
	memcpy(text, s, len);
	text[len] = '\0';
	if (inet_pton(AF_INET, text, b) == 1)
		*ip = ipaddr_from4(b);
	else if (inet_pton(AF_INET6, text, b) == 1)
		*ip = ipaddr_from6(b);
	else
		return -EINVAL;
	return 0;
}

void value_put_ip(struct text *t, const struct ipaddr *ip, bool brackets)
{
	char text[TEXT_IP];
	bool four = ipaddr_is4(ip);

	text_add(t, brackets && !four ? "[%s]" : "%s", text_ip(text, ip));
}

/* Test whether all bits of @net behind the first @bits are 0. */
static bool tail_is_zero(const struct ipaddr *net, unsigned bits)
{
	for (unsigned i = bits; i < IPADDR_BITS; i++)
		if (net->b[i / 8] & (0x80 >> i % 8))
			return false;
	return true;
}

/* LEN at *@s, moved on, for a prefix of the family of @net. */
static int get_bits(const char **s, const struct ipaddr *net, uint8_t *bits)
{
	unsigned before = ipaddr_is4(net) ? IPADDR_4IN6 : 0;
	uint64_t n;
	int rc = get_digits(s, &n);

	if (rc)
		return rc;
	if (n > IPADDR_BITS - before)
		return -ERANGE;
	if (!tail_is_zero(net, before + (unsigned)n))
		return -EINVAL;
	*bits = (uint8_t)(before + n);
	return 0;
}

int value_get_net(const char *s, size_t len, struct ipaddr *net, uint8_t *bits)
{
	const char *slash = memchr(s, '/', len);
	const char *end = slash ? slash + 1 : s;
	struct ipaddr a;
	uint8_t b = IPADDR_BITS;
	int rc = value_get_ip(s, slash ? (size_t)(slash - s) : len, &a);

	if (rc == 0 && slash)
		rc = get_bits(&end, &a, &b);
	if (rc)
		return rc;
	if (slash && end != s + len)
		return -EINVAL;
	*net = a;
	*bits = b;
	return 0;
}

void value_put_net(struct text *t, const struct ipaddr *net, uint8_t bits,
		   bool brackets)
{
	value_put_ip(t, net, brackets);
	if (bits != IPADDR_BITS)
		text_add(t, "/%d", ipaddr_is4(net) ? bits - IPADDR_4IN6 : bits);
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int value_get_mac(const char *s, uint8_t mac[VALUE_MAC])
{
	uint8_t b[VALUE_MAC];

	if (strlen(s) != 3 * VALUE_MAC - 1)
		return -EINVAL;
	for (int i = 0; i < VALUE_MAC; i++, s += 3) {
		int hi = hex(s[0]);
		int lo = hex(s[1]);

		if (hi < 0 || lo < 0 || (i < VALUE_MAC - 1 && s[2] != ':'))
			return -EINVAL;
		b[i] = (uint8_t)(hi * 16 + lo);
	}
	memcpy(mac, b, VALUE_MAC);
	return 0;
}

void value_put_mac(struct text *t, const uint8_t mac[VALUE_MAC])
{
	text_add(t, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
}

/* Where the address at @s ends: at its bracket, its slash or its port. */
static size_t address_len(const char *s, size_t len)
{
	const char *colon = memchr(s, ':', len);
	const char *slash = memchr(s, '/', len);

	if (slash)
		return (size_t)(slash - s);
	if (colon && memchr(colon + 1, ':', (size_t)(s + len - colon - 1)))
		return len; /* bare IPv6: all colons are its own */
	return colon ? (size_t)(colon - s) : len;
}

int value_get_endpoint(const char *s, size_t len, struct ipaddr *ip,
		       uint8_t *bits, uint16_t *port)
{
	const char *end = s + len;
	bool brackets = len > 0 && s[0] == '[';
	const char *close = brackets ? memchr(s, ']', len) : NULL;
	size_t n = brackets && close ? (size_t)(close - s - 1)
				     : address_len(s, len);
	uint64_t number;
	int rc;

	if (brackets && !close)
		return -EINVAL;
	rc = value_get_ip(s + brackets, n, ip);
	if (rc || (brackets && ipaddr_is4(ip)))
		return -EINVAL;
	s += n + (brackets ? 2 : 0);
	*bits = IPADDR_BITS;
	*port = 0;
	if (s < end && *s == '/') {
		s++;
		rc = get_bits(&s, ip, bits);
		if (rc)
			return rc;
	}
	if (s < end && *s == ':') {
		s++;
		rc = get_digits(&s, &number);
		if (rc || number == 0 || number > UINT16_MAX)
			return rc ? rc : -ERANGE;
		*port = (uint16_t)number;
	}
	return s == end ? 0 : -EINVAL;
}
