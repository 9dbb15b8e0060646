/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * catch.c - The far end's plain packets are led into our device
 *
 * The program's hook is a link of tcx, which goes when our process does,
 * however it ends: without us nobody would read what is led into the device,
 * and the host would hear nothing more of the far end. A filter of clsact
 * would stay.
 */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "bpf/hook.h"
#include "lone/plain.h"
#include "lone/plain.skel.h"
#include "lone/lone_internal.h"

_Static_assert(PLAIN_NETS == ENDS_ALLOWS && PLAIN_ADDRS == ENDS_ADDRS,
	       "as many as there can be");

/** struct catch - One that is there */
struct catch
{
	struct plain *skel;
	struct hook hook;
};

static struct catch here;

static uint32_t wire4(const struct ipaddr *a)
{
	uint32_t v;

	memcpy(&v, a->b + 12, sizeof(v));
	return v;
}

/* The bits of a mask of @bits, in the order of the wire */
static uint32_t mask4(unsigned bits)
{
	uint8_t b[4] = { 0 };
	uint32_t v;

	for (unsigned i = 0; i < bits; i++)
		b[i / 8] |= (uint8_t)(0x80 >> i % 8);
	memcpy(&v, b, sizeof(v));
	return v;
}

static void tell(struct plain *s, const struct lone *t, uint32_t device)
{
	const struct ends_options *o = t->o;

	s->rodata->device = device;
	for (unsigned i = 0; i < o->addrs; i++)
		if (ipaddr_is4(&o->addr[i].ip))
			s->rodata->addr[s->rodata->addrs++] =
				wire4(&o->addr[i].ip);
	for (unsigned i = 0; i < o->allows; i++) {
		unsigned bits = o->allow[i].bits;

		if (!ipaddr_is4(&o->allow[i].ip) || bits < IPADDR_4IN6)
			continue;
		s->rodata->net[s->rodata->nets].addr = wire4(&o->allow[i].ip);
		s->rodata->net[s->rodata->nets++].mask =
			mask4(bits - IPADDR_4IN6);
	}
}

int catch_open(struct lone *t, struct errbuf *e)
{
	const char *dev = t->o->catch_dev;
	unsigned in = dev ? if_nametoindex(dev) : 0;
	int r;

	if (!dev)
		return 0;
	if (in == 0)
		return errbuf_set(e, -ENODEV,
				  "--catch %s: there is no such device; 'ip "
				  "link' lists them",
				  dev);
	here.skel = plain__open();
	if (!here.skel)
		return errbuf_set(e, -errno, "--catch: %s", strerror(errno));
	tell(here.skel, t, if_nametoindex(t->o->dev));
	r = plain__load(here.skel);
	if (r == 0)
		r = hook_attach(&here.hook,
				bpf_program__fd(here.skel->progs.lone_catch),
				(int)in, HOOK_TCX, NULL);
	if (r == 0) {
		t->catch = &here;
		return 0;
	}
	plain__destroy(here.skel);
	return errbuf_set(e, r,
			  r == -EOPNOTSUPP
				  ? "--catch %s: this kernel has no tcx; it "
				    "takes Linux 6.6"
				  : "--catch %s: %s; start as root",
			  dev, strerror(-r));
}

void catch_close(struct catch *c)
{
	if (!c)
		return;
	hook_leave(&c->hook);
	plain__destroy(c->skel);
}
