/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * values - Numbers, addresses and words of the command line, read and written
 *
 * What a value_put_ function writes, its value_get_ twin reads as the same
 * number. Readers take the whole string or fail with -EINVAL (-ERANGE: too
 * large), and leave their result alone then.
 */
#ifndef CMD_VALUES_H
#define CMD_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/ipaddr.h"
#include "engine/engine.h"
#include "report/text.h"

#define SHARE_ALL 1000000u /* 100 %, in millionths */

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

/** value_get_duration() - ns; units ns, us, ms, s, m, h; without one: s */
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
int value_get_mac(const char *s, uint8_t mac[ETH_LEN]);
void value_put_mac(struct text *t, const uint8_t mac[ETH_LEN]);

/**
 * value_get_map() - PROD[/LEN][:PORT]=SUT[:PORT]
 *
 * IPv6 is written [addr]:port, [addr]/len:port or, without a port, addr/len.
 * Return: 0, -EINVAL, or -EAFNOSUPPORT: one is IPv4, the other IPv6
 */
int value_get_map(const char *s, struct engine_map *m);
void value_put_map(struct text *t, const struct engine_map *m);

#endif /* CMD_VALUES_H */
