/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * password.c - Passwords against the hashes of crypt(5) (libcrypt)
 */
#include "codec/password.h"

#include <crypt.h>
#include <string.h>

bool password_hash_is(const char *hash)
{
	int r = crypt_checksalt(hash);

	/* Without a dollar any word would be one, of 1979. */
	return hash[0] == '$' &&
	       (r == CRYPT_SALT_OK || r == CRYPT_SALT_METHOD_LEGACY);
}

/* How long it takes tells nothing of where they differ. */
static bool is_same(const char *a, const char *b)
{
	size_t n = strlen(a);
	unsigned char differs = 0;

	if (strlen(b) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		differs |= (unsigned char)(a[i] ^ b[i]);
	return differs == 0;
}

bool password_is(const char *hash, const char *password)
{
	static struct crypt_data d;
	const char *made = crypt_rn(password, hash, &d, sizeof(d));
	bool same = made && is_same(made, hash);

	explicit_bzero(&d, sizeof(d));
	return same;
}
