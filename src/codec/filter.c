/* SPDX-License-Identifier: BSD-2-Clause */
#include "codec/filter.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"

/* Files number raw IP otherwise than libpcap does in memory, and not all alike. */
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
