/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * password - Passwords against the hashes of crypt(5)
 */
#ifndef CODEC_PASSWORD_H
#define CODEC_PASSWORD_H

#include <stdbool.h>

#define PASSWORD_MOST 255 /* bytes */

/** password_hash_is() - Can passwords be held against this hash here? */
bool password_hash_is(const char *hash);

/**
 * password_is() - Is it the password of this hash?
 *
 * Takes as long as the hash's method wants, milliseconds and more, whether it
 * is or not. For one thread at a time.
 */
bool password_is(const char *hash, const char *password);

#endif /* CODEC_PASSWORD_H */
