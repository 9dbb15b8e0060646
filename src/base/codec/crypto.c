/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crypto.c - libcrypto's primitives
 *
 * Theory of operation
 *
 * Fetching an algorithm and making a context cost more than sealing a packet,
 * so both are done once. A context keeps its cipher; a packet gives it its key
 * and its nonce. There is one thread, hence one set of contexts.
 *
 * X25519 goes through a key object of two allocations; it is called a few times
 * in two minutes. libcrypto itself refuses a shared secret of 0 (RFC 7748
 * section 6.1).
 */
#include "codec/crypto.h"

#include <errno.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdbool.h>

static struct {
	EVP_MD *blake2s;
	EVP_MD_CTX *hash;
	EVP_MAC *keyed;
	EVP_CIPHER *aead;
	EVP_CIPHER *stream;
	EVP_CIPHER_CTX *seal;
	EVP_CIPHER_CTX *open;
	EVP_CIPHER_CTX *block;
	EVP_MAC *once;
	EVP_MAC_CTX *poly;
} lib;

static int dh_public(uint8_t out[CRYPTO_KEY], const uint8_t priv[CRYPTO_KEY])
{
	EVP_PKEY *k = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, priv,
						   CRYPTO_KEY);
	size_t n = CRYPTO_KEY;
	int ok = k && EVP_PKEY_get_raw_public_key(k, out, &n) == 1;

	EVP_PKEY_free(k);
	return ok ? 0 : -EIO;
}

static int dh(uint8_t out[CRYPTO_KEY], const uint8_t priv[CRYPTO_KEY],
	      const uint8_t pub[CRYPTO_KEY])
{
	EVP_PKEY *ours = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL,
						      priv, CRYPTO_KEY);
	EVP_PKEY *theirs = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL,
						       pub, CRYPTO_KEY);
	EVP_PKEY_CTX *c = ours ? EVP_PKEY_CTX_new(ours, NULL) : NULL;
	size_t n = CRYPTO_KEY;
	int r = -EIO;

	if (c && theirs && EVP_PKEY_derive_init(c) == 1 &&
	    EVP_PKEY_derive_set_peer(c, theirs) == 1)
		r = EVP_PKEY_derive(c, out, &n) == 1 ? 0 : -EBADMSG;
	EVP_PKEY_CTX_free(c);
	EVP_PKEY_free(theirs);
	EVP_PKEY_free(ours);
	return r;
}

static int hash(uint8_t out[CRYPTO_HASH], const struct crypto_part *part,
		size_t n)
{
	if (EVP_DigestInit_ex(lib.hash, lib.blake2s, NULL) != 1)
		return -EIO;
	for (size_t i = 0; i < n; i++)
		if (EVP_DigestUpdate(lib.hash, part[i].p, part[i].n) != 1)
			return -EIO;
	return EVP_DigestFinal_ex(lib.hash, out, NULL) == 1 ? 0 : -EIO;
}

static int mac(uint8_t out[CRYPTO_MAC], const uint8_t *key, size_t key_len,
	       const void *p, size_t n)
{
	EVP_MAC_CTX *c = EVP_MAC_CTX_new(lib.keyed);
	size_t size = CRYPTO_MAC;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
		OSSL_PARAM_construct_end(),
	};
	size_t got = 0;
	int ok = c && EVP_MAC_init(c, key, key_len, params) == 1 &&
		 EVP_MAC_update(c, p, n) == 1 &&
		 EVP_MAC_final(c, out, &got, CRYPTO_MAC) == 1;

	EVP_MAC_CTX_free(c);
	return ok && got == CRYPTO_MAC ? 0 : -EIO;
}

static int seal(uint8_t *out, const uint8_t key[CRYPTO_KEY],
		const uint8_t nonce[CRYPTO_NONCE], const struct crypto_part *ad,
		const uint8_t *in, size_t n)
{
	EVP_CIPHER_CTX *c = lib.seal;
	int k = 0;

	if (n > INT_MAX || ad->n > INT_MAX)
		return -EIO;
	if (EVP_EncryptInit_ex(c, NULL, NULL, key, nonce) != 1)
		return -EIO;
	if (ad->n > 0 && EVP_EncryptUpdate(c, NULL, &k, ad->p, (int)ad->n) != 1)
		return -EIO;
	k = 0;
	if (n > 0 && EVP_EncryptUpdate(c, out, &k, in, (int)n) != 1)
		return -EIO;
	if (EVP_EncryptFinal_ex(c, out + k, &k) != 1)
		return -EIO;
	if (EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, CRYPTO_TAG,
				out + n) != 1)
		return -EIO;
	return 0;
}

static int open_sealed(uint8_t *out, const uint8_t key[CRYPTO_KEY],
		       const uint8_t nonce[CRYPTO_NONCE],
		       const struct crypto_part *ad, const uint8_t *in,
		       size_t n)
{
	EVP_CIPHER_CTX *c = lib.open;
	uint8_t tag[CRYPTO_TAG];
	int k = 0;

	if (n < CRYPTO_TAG)
		return -EBADMSG;
	n -= CRYPTO_TAG;
	if (n > INT_MAX || ad->n > INT_MAX)
		return -EIO;
	for (size_t i = 0; i < CRYPTO_TAG; i++)
		tag[i] = in[n + i];
	if (EVP_DecryptInit_ex(c, NULL, NULL, key, nonce) != 1 ||
	    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, CRYPTO_TAG, tag) != 1)
		return -EIO;
	if (ad->n > 0 && EVP_DecryptUpdate(c, NULL, &k, ad->p, (int)ad->n) != 1)
		return -EIO;
	k = 0;
	if (n > 0 && EVP_DecryptUpdate(c, out, &k, in, (int)n) != 1)
		return -EIO;
	return EVP_DecryptFinal_ex(c, out + k, &k) == 1 ? 0 : -EBADMSG;
}

static int block(uint8_t out[CRYPTO_BLOCK], const uint8_t key[CRYPTO_KEY],
		 const uint8_t counter[16])
{
	static const uint8_t zero[CRYPTO_BLOCK];
	int k = 0;

	if (EVP_EncryptInit_ex(lib.block, NULL, NULL, key, counter) != 1 ||
	    EVP_EncryptUpdate(lib.block, out, &k, zero, CRYPTO_BLOCK) != 1)
		return -EIO;
	return k == CRYPTO_BLOCK ? 0 : -EIO;
}

static int poly(uint8_t out[CRYPTO_TAG], const uint8_t key[CRYPTO_KEY],
		const void *p, size_t n)
{
	size_t got = 0;

	if (EVP_MAC_init(lib.poly, key, CRYPTO_KEY, NULL) != 1 ||
	    EVP_MAC_update(lib.poly, p, n) != 1 ||
	    EVP_MAC_final(lib.poly, out, &got, CRYPTO_TAG) != 1)
		return -EIO;
	return got == CRYPTO_TAG ? 0 : -EIO;
}

static const struct crypto_ops ops = {
	.dh_public = dh_public,
	.dh = dh,
	.hash = hash,
	.mac = mac,
	.seal = seal,
	.open = open_sealed,
	.block = block,
	.poly = poly,
};

const struct crypto_ops *crypto_table(void)
{
	return &ops;
}

static bool fetch(void)
{
	lib.blake2s = EVP_MD_fetch(NULL, "BLAKE2S-256", NULL);
	lib.keyed = EVP_MAC_fetch(NULL, "BLAKE2SMAC", NULL);
	lib.aead = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
	lib.stream = EVP_CIPHER_fetch(NULL, "ChaCha20", NULL);
	lib.hash = EVP_MD_CTX_new();
	lib.seal = EVP_CIPHER_CTX_new();
	lib.open = EVP_CIPHER_CTX_new();
	lib.block = EVP_CIPHER_CTX_new();
	lib.once = EVP_MAC_fetch(NULL, "POLY1305", NULL);
	lib.poly = lib.once ? EVP_MAC_CTX_new(lib.once) : NULL;
	return lib.blake2s && lib.keyed && lib.aead && lib.stream && lib.hash &&
	       lib.seal && lib.open && lib.block && lib.poly;
}

int crypto_open(void)
{
	if (fetch() &&
	    EVP_EncryptInit_ex2(lib.seal, lib.aead, NULL, NULL, NULL) == 1 &&
	    EVP_DecryptInit_ex2(lib.open, lib.aead, NULL, NULL, NULL) == 1 &&
	    EVP_EncryptInit_ex2(lib.block, lib.stream, NULL, NULL, NULL) == 1)
		return 0;
	crypto_close();
	return -EIO;
}

void crypto_close(void)
{
	EVP_MAC_CTX_free(lib.poly);
	EVP_MAC_free(lib.once);
	EVP_CIPHER_CTX_free(lib.block);
	EVP_CIPHER_CTX_free(lib.open);
	EVP_CIPHER_CTX_free(lib.seal);
	EVP_MD_CTX_free(lib.hash);
	EVP_CIPHER_free(lib.stream);
	EVP_CIPHER_free(lib.aead);
	EVP_MAC_free(lib.keyed);
	EVP_MD_free(lib.blake2s);
	OPENSSL_cleanse(&lib, sizeof(lib));
}
