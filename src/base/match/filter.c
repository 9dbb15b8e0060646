/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter.c - tcpdump's filter expressions, by libpcap
 */
#include "match/filter.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"

/* Files number raw IP otherwise than libpcap does in memory, and not all alike.
 */
static int dlt_of(uint16_t link)
{
	return link == 101 || link == 12 || link == 14 ? DLT_RAW : link;
}

static struct sock_filter *copy_program(const struct bpf_program *p)
{
	struct sock_filter *s = calloc(p->bf_len, sizeof(*s));

	for (unsigned i = 0; s && i < p->bf_len; i++)
		s[i] = (struct sock_filter){ .code = p->bf_insns[i].code,
					     .jt = p->bf_insns[i].jt,
					     .jf = p->bf_insns[i].jf,
					     .k = p->bf_insns[i].k };
	return s;
}

int filter_compile(struct filter *f, const char *expr, uint16_t link,
		   struct errbuf *e)
{
	struct bpf_program *own = calloc(1, sizeof(*own));
	pcap_t *p = pcap_open_dead(dlt_of(link), FRAME_MAX);
	struct sock_filter *s = NULL;
	int rc = -ENOMEM;

	if (own && p) {
		rc = -EINVAL;
		if (pcap_compile(p, own, expr, 1, PCAP_NETMASK_UNKNOWN) == 0) {
			s = own->bf_len <= UINT16_MAX ? copy_program(own)
						      : NULL;
			rc = s ? 0 : -ENOMEM;
			if (rc)
				pcap_freecode(own);
		}
	}
	if (rc) {
		errbuf_set(e, rc, "filter: %s",
			   rc == -EINVAL ? pcap_geterr(p) : strerror(-rc));
		free(own);
	} else {
		f->prog.len = (unsigned short)own->bf_len;
		f->prog.filter = s;
		f->own = own;
	}
	if (p)
		pcap_close(p);
	return rc;
}

/* pcap-filter(7), of libpcap 1.10 */
static const char *const words[] = {
	"and",	     "or",	  "not",       "host",	     "net",
	"mask",	     "port",	  "portrange", "src",	     "dst",
	"inbound",   "outbound",  "on",	       "ifname",     "ifindex",
	"ether",     "fddi",	  "tr",	       "wlan",	     "ip",
	"ip6",	     "arp",	  "rarp",      "decnet",     "tcp",
	"udp",	     "sctp",	  "icmp",      "icmp6",	     "igmp",
	"igrp",	     "pim",	  "ah",	       "esp",	     "vrrp",
	"carp",	     "link",	  "gateway",   "broadcast",  "multicast",
	"less",	     "greater",	  "proto",     "protochain", "vlan",
	"mpls",	     "pppoed",	  "pppoes",    "geneve",     "len",
	"atalk",     "aarp",	  "sca",       "lat",	     "moprc",
	"mopdl",     "iso",	  "stp",       "ipx",	     "netbeui",
	"esis",	     "isis",	  "clnp",      "radio",	     "ra",
	"ta",	     "addr1",	  "addr2",     "addr3",	     "addr4",
	"type",	     "subtype",	  "dir",       "llc",	     "tcpflags",
	"tcp-fin",   "tcp-syn",	  "tcp-rst",   "tcp-push",   "tcp-ack",
	"tcp-urg",   "tcp-ece",	  "tcp-cwr",   "icmptype",   "icmpcode",
	"icmp6type", "icmp6code",
};

static bool is_word(const char *p, size_t n)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i]) == n && memcmp(words[i], p, n) == 0)
			return true;
	return false;
}

/* Addresses, numbers, ranges and prefix lengths are of these alone; so is a
 * name like "cafe.be", which is why a letter needs a colon, or 0x in front of
 * it.
 */
static bool is_number(const char *p, size_t n)
{
	bool hex = memchr(p, ':', n) ||
		   (n > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X'));

	return strspn(p, hex ? "0123456789abcdefABCDEFxX.:/-"
			     : "0123456789./-") >= n;
}

bool filter_has_names(const char *expr)
{
	static const char of_words[] = "abcdefghijklmnopqrstuvwxyz"
				       "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789_.:/-";

	for (const char *p = expr; *p != '\0';) {
		size_t n = strspn(p, of_words);

		if (n > 0 && !is_word(p, n) && !is_number(p, n))
			return true;
		p += n > 0 ? n : 1;
	}
	return false;
}

bool filter_match(const struct filter *f, const uint8_t *p, uint32_t cap,
		  uint32_t wire)
{
	const struct bpf_program *own = f->own;

	return bpf_filter(own->bf_insns, p, wire, cap) != 0;
}

void filter_free(struct filter *f)
{
	if (!f->own)
		return;
	pcap_freecode(f->own);
	free(f->own);
	free(f->prog.filter);
	memset(f, 0, sizeof(*f));
}
