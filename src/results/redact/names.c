/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names.c - Names whose values are secrets
 *
 * Case, and what joins the words of a name, say nothing: api_key, X-Api-Key and
 * apiKey are one. A part of a name decides where no harmless name has it.
 */
#include <string.h>

#include "redact/redact_internal.h"

/* Anywhere in a name. */
static const char *const inside[] = {
	"password",	 "passwd",     "passphrase", "passcode",   "passkey",
	"secret",	 "apikey",     "accesskey",  "privatekey", "credential",
	"authorization", "authtoken",  "sessionid",  "csrf",	   "xsrf",
	"creditcard",	 "cardnumber", "authkey",    "signature",  "signingkey",
	"encryptionkey", "masterkey",  "accountkey", "assertion",
};

/* At its end. */
static const char *const behind[] = { "token", "jwt", "sessid", "otp" };

/* All of it. */
static const char *const whole[] = {
	"pwd",		"pass",	      "psw",	      "auth",
	"sid",		"session",    "sig",	      "hmac",
	"pin",		"cvv",	      "cvv2",	      "cvc",
	"cvn",		"ssn",	      "pan",	      "bearer",
	"cardno",	"tokens",     "authcode",     "aspxauth",
	"samlresponse", "connectsid", "securitycode", "recoverycode",
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* In lower case, without what joins words. Return: bytes */
static size_t simplify(const uint8_t *p, size_t n, char *out)
{
	size_t k = 0;

	for (size_t i = 0; i < n && k < NAME_MOST; i++)
		if (is_alnum(p[i]))
			out[k++] = (char)lower(p[i]);
	return k;
}

static bool has(const char *p, size_t n, const char *what)
{
	size_t k = strlen(what);

	for (size_t i = 0; k <= n && i <= n - k; i++)
		if (memcmp(p + i, what, k) == 0)
			return true;
	return false;
}

static bool is(const char *p, size_t n, const char *what)
{
	return strlen(what) == n && memcmp(p, what, n) == 0;
}

static bool is_secret(const char *p, size_t n)
{
	for (size_t i = 0; i < COUNT(inside); i++)
		if (has(p, n, inside[i]))
			return true;
	for (size_t i = 0; i < COUNT(behind); i++) {
		size_t k = strlen(behind[i]);

		if (n >= k && memcmp(p + n - k, behind[i], k) == 0)
			return true;
	}
	for (size_t i = 0; i < COUNT(whole); i++)
		if (is(p, n, whole[i]))
			return true;
	return false;
}

/* Is it one of those that rules name? */
static bool is_told(const struct rules *r, const char *p, size_t n)
{
	for (uint32_t i = 0; r && i < rules_secrets(r); i++) {
		const struct secret_name *s = rules_secret(r, i);
		char name[NAME_MOST];
		size_t k = simplify((const uint8_t *)s->name, s->len, name);

		if (k == n && memcmp(name, p, n) == 0)
			return true;
	}
	return false;
}

enum name_says name_says(const struct redact *r, const uint8_t *p, size_t n)
{
	char name[NAME_MOST];
	size_t k;

	if (n > NAME_MOST)
		return NAME_PLAIN;
	k = simplify(p, n, name);
	if (k == 0)
		return NAME_PLAIN;
	if (is(name, k, "cookie") || is(name, k, "setcookie") ||
	    is(name, k, "cookie2") || is(name, k, "setcookie2"))
		return NAME_COOKIE;
	if (is(name, k, "authorization") || is(name, k, "proxyauthorization"))
		return NAME_AUTH;
	return is_secret(name, k) || is_told(r->rules, name, k) ? NAME_SECRET
								: NAME_PLAIN;
}

bool name_is_attribute(const uint8_t *p, size_t n)
{
	/* RFC 6265 section 4.1, and what browsers know besides. */
	static const char *const attribute[] = {
		"path",	       "domain",  "expires",  "maxage",
		"samesite",    "secure",  "httponly", "priority",
		"partitioned", "version", "comment",
	};
	char name[NAME_MOST];
	size_t k = n <= NAME_MOST ? simplify(p, n, name) : 0;

	for (size_t i = 0; i < COUNT(attribute); i++)
		if (is(name, k, attribute[i]))
			return true;
	return false;
}
