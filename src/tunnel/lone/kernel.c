/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel.c - What the kernel does for us: it leads plain packets into our
 * device (--catch), or is all of the tunnel, where nothing is to be put in
 * order
 *
 * Each program's hook is a link of tcx, which goes when our process does,
 * however it ends: without us nobody would read what is led into the device,
 * and the host would hear nothing more of the far end. A filter of clsact
 * would stay.
 *
 * All of the tunnel can be the kernel's if --release is off, nothing is
 * caught, each path has a device, and the kernel has tcx; --offload off
 * forbids it. The process then has the device, and shows and sets what is in
 * the programs' memory, which it sees mapped.
 */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bpf/hook.h"
#include "lone/lone_internal.h"
#include "lone/tc.h"
#include "lone/tc.skel.h"
#include "os/random.h"

_Static_assert(TC_NETS == ENDS_ALLOWS && TC_ADDRS == ENDS_ADDRS &&
		       TC_PATHS == ENDS_PATHS && TC_PATHS == TURN_MOST,
	       "as many as there can be");

/**
 * struct kernel - One that is there
 * @whole:	It is all of the tunnel, but for packets by other devices than
 *		those of the paths, which the process still takes
 * @seen:	What its counters were when they were added to ours
 */
struct kernel {
	struct tc *skel;
	bool whole;
	struct tc_count seen;
	unsigned hooks;
	struct hook hook[ENDS_PATHS + 1];
};

static struct kernel here;

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

static void tell(struct tc *s, const struct lone *t)
{
	const struct ends_options *o = t->o;

	s->rodata->device = if_nametoindex(o->dev);
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

/* The address that packets leave from: the path's own, or its device's. */
static int local_of(const struct lone *t, unsigned i, uint32_t *out)
{
	const struct lone_path *p = &t->path[i];
	struct ifreq r = { .ifr_flags = 0 };
	struct sockaddr_in in;
	int fd, rc = 0;

	memcpy(out, p->way.local, sizeof(*out));
	if (*out != 0)
		return 0;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	strncpy(r.ifr_name, t->o->path[i].dev, IF_NAMESIZE - 1);
	if (fd < 0 || ioctl(fd, SIOCGIFADDR, &r) != 0)
		rc = -errno;
	if (fd >= 0)
		close(fd);
	memcpy(&in, &r.ifr_addr, sizeof(in));
	if (rc == 0)
		memcpy(out, &in.sin_addr, sizeof(*out));
	return rc;
}

static int tell_paths(struct tc *s, const struct lone *t)
{
	int r = random_bytes((void *)&s->rodata->seed, sizeof(s->rodata->seed));

	s->rodata->paths = t->o->paths;
	for (unsigned i = 0; r == 0 && i < t->o->paths; i++) {
		uint32_t local = 0;

		r = local_of(t, i, &local);
		s->rodata->path[i].ifindex = t->path[i].way.ifindex;
		s->rodata->path[i].local = local;
		memcpy((void *)&s->rodata->path[i].remote,
		       t->path[i].way.remote, 4);
	}
	return r;
}

static int attach(struct kernel *k, struct bpf_program *p, uint32_t ifindex,
		  bool egress)
{
	int fd = bpf_program__fd(p);
	struct hook *h = &k->hook[k->hooks];
	int r = hook_attach_at(h, fd, (int)ifindex, HOOK_TCX,
			       egress ? HOOK_EGRESS : HOOK_INGRESS);

	k->hooks += r == 0;
	return r;
}

/* A device that several paths leave by has the program once. */
static int attach_whole(struct kernel *k, const struct lone *t)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < t->o->paths; i++) {
		bool first = true;

		for (unsigned j = 0; j < i; j++)
			first &= t->path[j].way.ifindex !=
				 t->path[i].way.ifindex;
		if (first)
			r = attach(k, k->skel->progs.lone_in,
				   t->path[i].way.ifindex, false);
	}
	return r != 0 ? r
		      : attach(k, k->skel->progs.lone_out,
			       k->skel->rodata->device, true);
}

static int load(struct kernel *k, const struct lone *t, uint32_t in)
{
	int r;

	k->skel = tc__open();
	if (!k->skel)
		return -errno;
	bpf_program__set_autoload(k->skel->progs.lone_catch, !k->whole);
	bpf_program__set_autoload(k->skel->progs.lone_in, k->whole);
	bpf_program__set_autoload(k->skel->progs.lone_out, k->whole);
	tell(k->skel, t);
	r = k->whole ? tell_paths(k->skel, t) : 0;
	if (r == 0)
		r = tc__load(k->skel);
	if (r == 0)
		r = k->whole ? attach_whole(k, t)
			     : attach(k, k->skel->progs.lone_catch, in, false);
	return r;
}

void kernel_close(struct kernel *k)
{
	if (!k)
		return;
	while (k->hooks > 0)
		hook_leave(&k->hook[--k->hooks]);
	tc__destroy(k->skel);
	k->skel = NULL;
}

static int open_catch(struct lone *t, struct errbuf *e)
{
	const char *dev = t->o->catch_dev;
	unsigned in = if_nametoindex(dev);
	int r;

	if (in == 0)
		return errbuf_set(e, -ENODEV,
				  "--catch %s: there is no such device; 'ip "
				  "link' lists them",
				  dev);
	here = (struct kernel){ .whole = false };
	r = load(&here, t, in);
	if (r == 0) {
		t->kernel = &here;
		return 0;
	}
	kernel_close(&here);
	return errbuf_set(e, r,
			  r == -EOPNOTSUPP
				  ? "--catch %s: this kernel has no tcx; it "
				    "takes Linux 6.6"
				  : "--catch %s: %s; start as root",
			  dev, strerror(-r));
}

int kernel_open(struct lone *t, struct errbuf *e)
{
	if (t->o->catch_dev)
		return open_catch(t, e);
	if (t->o->release != MP_RELEASE_OFF ||
	    t->o->offload == ENDS_OFFLOAD_OFF)
		return 0;
	for (unsigned i = 0; i < t->o->paths; i++)
		if (t->path[i].way.ifindex == 0)
			return 0;
	here = (struct kernel){ .whole = true };
	if (load(&here, t, 0) == 0) {
		t->kernel = &here;
		kernel_configure(t);
	} else {
		kernel_close(&here); /* the process does it */
	}
	return 0;
}

bool kernel_whole(const struct lone *t)
{
	return t->kernel && t->kernel->whole;
}

void kernel_configure(struct lone *t)
{
	if (!kernel_whole(t))
		return;
	for (unsigned i = 0; i < ENDS_PATHS; i++)
		t->kernel->skel->bss->weight[i] = t->weight[i];
	t->kernel->skel->bss->pin = t->o->scheduler == MP_PIN;
}

/* What was counted since we looked last. */
static void add(uint64_t *ours, const uint64_t *counted, uint64_t *seen)
{
	uint64_t now = *(const volatile uint64_t *)counted;

	*ours += now - *seen;
	*seen = now;
}

void kernel_count(struct lone *t)
{
	const struct tc_count *c;
	struct tc_count *s;

	if (!kernel_whole(t))
		return;
	c = &t->kernel->skel->bss->tc_counted;
	s = &t->kernel->seen;
	add(&t->n.read, &c->read, &s->read);
	add(&t->n.looped, &c->looped, &s->looped);
	add(&t->n.not_ip4, &c->not_ip4, &s->not_ip4);
	add(&t->n.unsent, &c->unsent, &s->unsent);
	add(&t->n.came, &c->came, &s->came);
	add(&t->n.bad, &c->bad, &s->bad);
	add(&t->n.cut, &c->cut, &s->cut);
	add(&t->n.not_allowed, &c->not_allowed, &s->not_allowed);
	add(&t->n.not_written, &c->not_written, &s->not_written);
	add(&t->n.written, &c->written, &s->written);
	for (unsigned i = 0; i < t->o->paths; i++) {
		struct lone_path_counters *n = &t->path[i].n;

		add(&n->sent, &c->path[i].sent, &s->path[i].sent);
		add(&n->sent_bytes, &c->path[i].sent_bytes,
		    &s->path[i].sent_bytes);
		add(&n->came, &c->path[i].came, &s->path[i].came);
	}
}
