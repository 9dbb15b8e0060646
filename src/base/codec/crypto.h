/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crypto - The primitives of core/crypto.h, by libcrypto
 */
#ifndef CODEC_CRYPTO_H
#define CODEC_CRYPTO_H

#include "core/crypto.h"

/**
 * crypto_open() - Fetch the algorithms and what they need, for one thread
 *
 * Called before a sandbox closes: libcrypto reads its configuration now, and
 * never a file or a random number later. The table holds until crypto_close().
 *
 * Return: 0, or -EIO: this libcrypto lacks one of them
 */
int crypto_open(void);

/** crypto_close() - Give it back; a second time does nothing */
void crypto_close(void);

/** crypto_table() - The table; between crypto_open() and crypto_close() */
const struct crypto_ops *crypto_table(void);

#endif /* CODEC_CRYPTO_H */
