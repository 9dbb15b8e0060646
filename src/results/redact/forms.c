/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * forms.c - Values that are secrets by their form, whatever their name
 *
 * Card numbers: 13 to 19 digits, alone or with a blank or a hyphen between
 * two, that begin as cards do (ISO/IEC 7812) and whose check digit is right
 * (Luhn). JWTs (RFC 7519): they begin with {" in base64url. Credentials of
 * HTTP (RFC 6750, RFC 7617) behind their scheme, and in a URL in front of its
 * host (RFC 3986 section 3.2.1). Private keys (RFC 7468). Tokens that their
 * issuers made to be found: by their prefix.
 */
#include <string.h>

#include "redact/redact_internal.h"

#define TOKEN_LEAST 8u /* bytes of a bearer's token */
#define URL_MOST    256u

static bool is_token(uint8_t c)
{
	return is_alnum(c) || one_of("-._~+/=", c);
}

static size_t token_end(const struct redact_text *t, size_t i)
{
	while (i < t->n && is_token(t->p[i]))
		i++;
	return i;
}

static bool found(const struct redact_text *t, size_t from, size_t to,
		  struct secret *s)
{
	*s = (struct secret){ from, to, t->cut && to == t->n };
	return true;
}

/* --- numbers of cards --- */

static bool luhn(const uint8_t *digit, unsigned n)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned d = digit[n - 1 - i];

		if (i % 2 == 1)
			d = d * 2 > 9 ? d * 2 - 9 : d * 2;
		sum += d;
	}
	return sum % 10 == 0;
}

static bool card(const struct redact_text *t, size_t i, struct secret *s)
{
	uint8_t digit[19];
	unsigned n = 0;
	size_t end = i, at = i;

	if (t->p[i] < '2' || t->p[i] > '6')
		return false;
	for (; at < t->n; at++) {
		if (is_digit(t->p[at])) {
			if (n == sizeof(digit))
				return false;
			digit[n++] = (uint8_t)(t->p[at] - '0');
			end = at + 1;
		} else if ((t->p[at] != ' ' && t->p[at] != '-') || at != end) {
			break;
		}
	}
	/* What is cut could be one. */
	if (at == t->n && t->cut && n >= 8)
		return found(t, i, t->n, s);
	if (n < 13 || (end < t->n && is_alnum(t->p[end])) || !luhn(digit, n))
		return false;
	return found(t, i, end, s);
}

/* --- schemes --- */

static int base64(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (is_digit(c))
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

/* Is there a colon in what this is the base64 of? So "Basic questions" is none.
 */
static bool has_colon(const uint8_t *p, size_t n)
{
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < n && p[i] != '='; i++) {
		int v = base64(p[i]);

		if (v < 0)
			return false;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			if ((bits >> have & 0xff) == ':')
				return true;
		}
	}
	return false;
}

static bool scheme(const struct redact_text *t, size_t i, struct secret *s)
{
	bool basic = stands(t, i, "basic");
	size_t from, end;

	if (!basic && !stands(t, i, "bearer"))
		return false;
	from = i + (basic ? 5 : 6);
	if (from >= t->n ||
	    (t->p[from] != ' ' && !stands(t, from, "%20") && t->p[from] != '+'))
		return false;
	from += t->p[from] == '%' ? 3 : 1;
	while (from < t->n && t->p[from] == ' ')
		from++;
	end = token_end(t, from);
	if (end - from < TOKEN_LEAST && !(t->cut && end == t->n && end > from))
		return false;
	if (basic && !(t->cut && end == t->n) &&
	    !has_colon(t->p + from, end - from))
		return false;
	return found(t, from, end, s);
}

/* scheme://user:password@host: from the user on */
static bool userinfo(const struct redact_text *t, size_t i, struct secret *s)
{
	size_t at = i + 3;
	bool colon = false;

	if (!stands(t, i, "://"))
		return false;
	for (; at < t->n && at - i < URL_MOST; at++) {
		uint8_t c = t->p[at];

		if (c == '@')
			return colon && found(t, i + 3, at, s);
		colon |= c == ':';
		if (c <= ' ' || one_of("/?#\"'<>", c))
			return false;
	}
	/* user:pass, cut; a port has digits alone */
	return t->cut && at == t->n && colon && !is_digit(t->p[at - 1]) &&
	       found(t, i + 3, at, s);
}

/* --- prefixes --- */

static bool prefix(const struct redact_text *t, size_t i, struct secret *s)
{
	static const struct {
		const char *text;
		uint8_t least; /* bytes with it */
	} known[] = {
		{ "AKIA", 20 },	    { "ASIA", 20 },	{ "AIza", 30 },
		{ "ghp_", 20 },	    { "gho_", 20 },	{ "ghu_", 20 },
		{ "ghs_", 20 },	    { "ghr_", 20 },	{ "github_pat_", 24 },
		{ "glpat-", 16 },   { "xoxb-", 16 },	{ "xoxp-", 16 },
		{ "xoxa-", 16 },    { "xoxr-", 16 },	{ "xoxs-", 16 },
		{ "sk_live_", 16 }, { "sk_test_", 16 }, { "rk_live_", 16 },
		{ "sk-", 24 },	    { "npm_", 24 },	{ "SG.", 24 },
		{ "ya29.", 20 },    { "hvs.", 20 },	{ "eyJ", 16 },
		{ "whsec_", 16 },
	};

	for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++) {
		size_t n = strlen(known[k].text);
		size_t end;

		if (t->n - i < n || memcmp(t->p + i, known[k].text, n) != 0)
			continue;
		end = token_end(t, i);
		if (end - i >= known[k].least || (t->cut && end == t->n))
			return found(t, i, end, s);
	}
	return false;
}

/* Behind -----BEGIN ... PRIVATE KEY-----, up to the end that is its own */
static bool private_key(const struct redact_text *t, size_t i, struct secret *s)
{
	static const char words[] = "private key-----";
	size_t at = i + 10, end;

	if (!stands(t, i, "-----begin"))
		return false;
	while (at < t->n && at - i < 64 && !stands(t, at, words))
		at++;
	if (!stands(t, at, words))
		return t->cut && at == t->n && found(t, i, t->n, s);
	at += sizeof(words) - 1;
	for (end = at; end < t->n; end++)
		if (stands(t, end, "-----end"))
			return found(t, at, end, s);
	return at < t->n && found(t, at, t->n, s);
}

bool form_secret(const struct redact_text *t, size_t i, struct secret *s)
{
	uint8_t c = t->p[i];

	if (c == ':')
		return userinfo(t, i, s);
	if (i > 0 && is_alnum(t->p[i - 1]) &&
	    !(i >= 3 && t->p[i - 3] == '%')) /* behind an escape */
		return false;
	if (c == '-')
		return private_key(t, i, s);
	if (is_digit(c))
		return card(t, i, s);
	return is_alnum(c) && (scheme(t, i, s) || prefix(t, i, s));
}
