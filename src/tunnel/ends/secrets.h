/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * secrets - Files with a key in them
 */
#ifndef ENDS_SECRETS_H
#define ENDS_SECRETS_H

#include "core/crypto.h"
#include "os/errbuf.h"

/**
 * secrets_read() - Read the key in a file
 *
 * A file that others may read is refused: what is in it is no secret.
 *
 * Return: 0 or -Exxx with a sentence
 */
int secrets_read(const char *path, uint8_t key[CRYPTO_KEY], struct errbuf *e);

#endif /* ENDS_SECRETS_H */
