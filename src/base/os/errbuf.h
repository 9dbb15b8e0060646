/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * errbuf - A sentence that says what went wrong
 *
 * Libraries are silent: they return -Exxx and, where the number alone would not
 * help a user, leave the sentence in their caller's errbuf.
 */
#ifndef OS_ERRBUF_H
#define OS_ERRBUF_H

/** struct errbuf - Text of the last failure; empty: none */
struct errbuf {
	char s[400];
};

/**
 * errbuf_set() - Write the sentence; cut if too long
 * @e:		Buffer, may be NULL
 * @rc:		Error number, -Exxx
 * @fmt:	As printf()
 *
 * Return: @rc, so that a function can end with "return errbuf_set(...)"
 */
int errbuf_set(struct errbuf *e, int rc, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* OS_ERRBUF_H */
