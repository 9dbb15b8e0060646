/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * secrets.c - Files with a key in them
 */
#include "ends/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/crypto.h"
#include "ends/ends.h"
#include "keys/keytext.h"
#include "keys/noise.h"
#include "os/folder.h"
#include "os/random.h"

#define FILE_MOST 64 /* bytes that a file of a key may have */

int secrets_read(const char *path, uint8_t key[CRYPTO_KEY], struct errbuf *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char s[FILE_MOST + 1];
	struct stat st;
	ssize_t n;
	int r = 0;

	if (fd < 0)
		return errbuf_set(e, -errno, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) != 0)
		r = errbuf_set(e, -errno, "%s: %s", path, strerror(errno));
	else if (S_ISREG(st.st_mode) && (st.st_mode & 077))
		r = errbuf_set(e, -EACCES,
			       "%s: others can read this key; chmod 600 it, or "
			       "better make another",
			       path);
	n = r == 0 ? read(fd, s, sizeof(s)) : 0;
	if (r == 0 &&
	    (n < 0 || n > FILE_MOST || keytext_get(s, (size_t)n, key) != 0))
		r = errbuf_set(e, -EINVAL,
			       "%s: holds no key; 'understudy tunnel keygen' "
			       "makes one",
			       path);
	close(fd);
	noise_wipe(s, sizeof(s));
	return r;
}

/* X25519's form: RFC 7748 section 5. */
static void clamp(uint8_t key[CRYPTO_KEY])
{
	key[0] &= 248;
	key[31] = (uint8_t)((key[31] & 127) | 64);
}

int ends_keygen(const char *path, struct errbuf *e)
{
	uint8_t key[CRYPTO_KEY] = { 0 }, pub[CRYPTO_KEY];
	char s[KEYTEXT + 2], text[KEYTEXT + 1];
	int fd, r = crypto_open();

	if (r == 0)
		r = random_bytes(key, sizeof(key));
	clamp(key);
	if (r == 0)
		r = crypto_table()->dh_public(pub, key);
	crypto_close();
	if (r != 0)
		return errbuf_set(e, r, "no key could be made: %s",
				  strerror(-r));
	keytext_put(s, key);
	memcpy(s + KEYTEXT, "\n", 2);
	fd = folder_make(AT_FDCWD, path);
	if (fd < 0)
		r = errbuf_set(e, fd, "%s: %s", path, strerror(-fd));
	else if (write(fd, s, KEYTEXT + 1) != KEYTEXT + 1)
		r = errbuf_set(e, -EIO, "%s: could not be written", path);
	if (fd >= 0)
		close(fd);
	if (r == 0) {
		keytext_put(text, pub);
		printf("%s\n", text);
	}
	noise_wipe(key, sizeof(key));
	noise_wipe(s, sizeof(s));
	return r;
}
