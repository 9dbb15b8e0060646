/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * values - Numbers, addresses and words of the command line, read and written
 *
 * What a value_put_ function writes, its value_get_ twin reads as the same
 * number. Readers take the whole string or fail with -EINVAL (-ERANGE: too
 * large), and leave their result alone then.
 */
#ifndef OPT_VALUES_H
#define OPT_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/ipaddr.h"
#include "text/text.h"

#define SHARE_ALL 1000000u /* 100 %, in millionths */
#define VALUE_MAC 6	   /* bytes of a hardware address */

/** value_put_word() - Add a word, quoted so that words_next() gives it back */
void value_put_word(struct text *t, const char *word);

/**
 * words_next() - Take the next word of a text, as a shell would
 * @p:		Text, moved on; the word is unquoted in place
 * @word:	Set to the word
 *
 * Blanks and newlines separate; '...', "..." and \ quote; # at the beginning of
 * a word starts a comment that ends with the line.
 *
 * Return: 1, 0 at the end, -EINVAL if a quotation is not closed
 */
int words_next(char **p, char **word);

/** value_get_number() - A decimal number */
int value_get_number(const char *s, uint64_t *out);

/** value_get_thousandths() - A number with up to 3 decimals, in thousandths */
int value_get_thousandths(const char *s, uint64_t *out);
void value_put_thousandths(struct text *t, uint64_t n);

/** value_get_millionths() - The same with up to 6 decimals, in millionths */
int value_get_millionths(const char *s, uint64_t *out);
void value_put_millionths(struct text *t, uint64_t n);

/** value_get_duration() - ns; units ns, us, ms, s, m, h, d; without one: s */
int value_get_duration(const char *s, uint64_t *ns);
void value_put_duration(struct text *t, uint64_t ns);

/** value_get_size() - Bytes; units K, M, G are powers of 1024 */
int value_get_size(const char *s, uint64_t *bytes);
void value_put_size(struct text *t, uint64_t bytes);

/** value_get_share() - N% with up to 4 decimals, in millionths, to SHARE_ALL */
int value_get_share(const char *s, uint64_t *millionths);
void value_put_share(struct text *t, uint32_t millionths);

/** value_get_ip() - An address of @len characters, without brackets */
int value_get_ip(const char *s, size_t len, struct ipaddr *ip);

/** value_put_ip() - Write one; [brackets] around IPv6 if @brackets */
void value_put_ip(struct text *t, const struct ipaddr *ip, bool brackets);

/**
 * value_get_net() - ADDR[/LEN]
 * @bits:	Length as ipaddr_in() takes it; without /LEN: IPADDR_BITS
 *
 * Bits behind the prefix must be 0.
 */
int value_get_net(const char *s, size_t len, struct ipaddr *net, uint8_t *bits);
void value_put_net(struct text *t, const struct ipaddr *net, uint8_t bits,
		   bool brackets);

/** value_get_mac() - Six pairs of hexadecimal digits with colons */
int value_get_mac(const char *s, uint8_t mac[VALUE_MAC]);
void value_put_mac(struct text *t, const uint8_t mac[VALUE_MAC]);

/**
 * value_get_endpoint() - ADDR[/LEN][:PORT] in @len characters
 * @bits:	As value_get_net()
 * @port:	0: there is none
 *
 * IPv6 is written [addr]:port, [addr]/len:port or, without a port, addr/len.
 */
int value_get_endpoint(const char *s, size_t len, struct ipaddr *ip,
		       uint8_t *bits, uint16_t *port);

#endif /* OPT_VALUES_H */
