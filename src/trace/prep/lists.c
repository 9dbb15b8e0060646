/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lists.c - Networks, hardware addresses and service files as tcpprep writes
 * them
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/ipaddr.h"
#include "opt/list.h"
#include "opt/values.h"
#include "prep/prep.h"

#define LINE_MAX_LEN 1024

static bool net4(const char *s, struct prep_net *n)
{
	unsigned o[4];
	int bits = 32;
	int got =
		sscanf(s, "%u.%u.%u.%u/%d", &o[0], &o[1], &o[2], &o[3], &bits);

	if (got < 4 || bits > 32)
		return false;
	for (int i = 0; i < 4; i++) {
		if (o[i] > 255)
			return false;
		n->b[i] = (uint8_t)o[i];
	}
	n->bits = (uint8_t)(bits < 0 ? 0 : bits);
	return true;
}

/* [ADDR/LEN] or ADDR/LEN; what stands behind the bracket is not looked at. */
static bool net6(char *s, struct prep_net *n)
{
	char *slash;
	int bits = 128;

	if (*s == '[')
		s++;
	s[strcspn(s, "]")] = '\0';
	slash = strchr(s, '/');
	if (slash) {
		*slash = '\0';
		bits = 99; /* what tcpprep takes if no number follows */
		sscanf(slash + 1, "%d", &bits);
	}
	if (bits < 0 || bits > 128 || inet_pton(AF_INET6, s, n->b) != 1)
		return false;
	n->bits = (uint8_t)bits;
	n->v6 = true;
	return true;
}

/* Is the whole item one network, ADDR/LEN, in brackets or not? tcpprep reads as
 * far as it understands, and looks at nothing behind a bracket.
 */
static bool is_whole(const char *s)
{
	bool brackets = s[0] == '[';
	char item[LIST_ITEM];
	struct ipaddr ip;
	uint64_t bits;
	size_t n;

	snprintf(item, sizeof(item), "%s", s + brackets);
	n = strcspn(item, "]");
	if (brackets ? strcmp(item + n, "]") != 0 : item[n] != '\0')
		return false;
	item[n] = '\0';
	n = strcspn(item, "/");
	if (item[n] == '/' && value_get_number(item + n + 1, &bits) != 0)
		return false;
	return value_get_ip(item, n, &ip) == 0;
}

int prep_parse_nets(const char *s, bool tcpprep, struct prep_net *out,
		    struct errbuf *e)
{
	char item[LIST_ITEM];
	int n = 0;
	int rc;

	while ((rc = list_next(&s, item)) == 1) {
		struct prep_net net = { 0 };

		if (n == LIST_MAX)
			return errbuf_set(e, -E2BIG, "more than %d networks",
					  LIST_MAX);
		if (!tcpprep && !is_whole(item))
			return errbuf_set(e, -EINVAL,
					  "no network: %s (ADDR or ADDR/LEN)",
					  item);
		if (!net4(item, &net)) {
			memset(&net, 0, sizeof(net));
			if (!net6(item, &net))
				return errbuf_set(e, -EINVAL, "no network: %s",
						  item);
		}
		out[n++] = net;
	}
	if (rc < 0 || n == 0)
		return errbuf_set(e, -EINVAL, "no list of networks");
	return n;
}

/*
 * Six hexadecimal numbers with colons; what is wrong ends it, and the rest of
 * @mac keeps what was there. Return: whether all six are right.
 */
static bool mac_of(const char *s, struct prep_mac *mac)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	for (int i = 0; i < 6; i++) {
		long v = strtol(s, &end, 16);
		bool last = i == 5 &&
			    (*end == '\0' || isspace((unsigned char)*end));

		if (end == s || v < 0 || v > 255 || (*end != ':' && !last))
			return false;
		mac->b[i] = (uint8_t)v;
		s = end + 1;
	}
	return true;
}

int prep_parse_macs(const char *s, bool tcpprep, struct prep_mac *out,
		    struct errbuf *e)
{
	struct prep_mac mac = { { 0 } };
	char item[LIST_ITEM];
	int n = 0;
	int rc;

	while ((rc = list_next(&s, item)) == 1) {
		if (n == LIST_MAX)
			return errbuf_set(e, -E2BIG, "more than %d addresses",
					  LIST_MAX);
		if (!mac_of(item, &mac) && !tcpprep)
			return errbuf_set(e, -EINVAL, "no hardware address: %s",
					  item);
		out[n++] = mac;
	}
	if (rc < 0 || n == 0)
		return errbuf_set(e, -EINVAL, "no list of hardware addresses");
	return n;
}

/* The first NUMBER/tcp or NUMBER/udp of a line. */
static void service_of(const char *line, bool *tcp, bool *udp)
{
	for (const char *p = line; *p != '\0';) {
		size_t n = strspn(p, "0123456789");
		unsigned long port;

		if (n == 0) {
			p++;
			continue;
		}
		port = strtoul(p, NULL, 10);
		p += n;
		if (strncmp(p, "/tcp", 4) == 0) {
			tcp[port & 0xffff] = true;
			return;
		}
		if (strncmp(p, "/udp", 4) == 0) {
			udp[port & 0xffff] = true;
			return;
		}
		if (strncasecmp(p, "/tcp", 4) == 0 ||
		    strncasecmp(p, "/udp", 4) == 0)
			return; /* tcpprep finds it and does not know it */
	}
}

int prep_parse_services(const char *path, bool *tcp, bool *udp,
			struct errbuf *e)
{
	char line[LINE_MAX_LEN];
	FILE *f = fopen(path, "r");

	if (!f)
		return errbuf_set(e, -errno, "%s: %s", path, strerror(errno));
	memset(tcp, 0, PREP_PORTS * sizeof(*tcp));
	memset(udp, 0, PREP_PORTS * sizeof(*udp));
	while (fgets(line, sizeof(line), f))
		service_of(line, tcp, udp);
	fclose(f);
	return 0;
}
