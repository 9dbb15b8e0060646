/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor.c - understudy doctor: the way of a packet, hop by hop
 *
 * Theory of operation
 *
 * First the hops that need root: our rights, the mirror's interface, the SUT's
 * wire. Then the privileges go and the sandbox is closed, and only then is a
 * byte looked at that came from outside: what the mirror brings, the SUT, its
 * way back. In both parts the hops stand in the order in which a packet passes
 * them. Each rests on the one before, so the first that fails is the one to
 * fix, and the rest is not asked. All is done as a run does it: an unused
 * interface gets its guard before it is set up, the SUT is asked by the same
 * machine. Nothing is sent on the mirror, and to the SUT only questions and
 * probes.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bpf/guard.h"
#include "bpf/netlink.h"
#include "check/check.h"
#include "check/doctor.h"
#include "os/clock.h"
#include "os/confine.h"
#include "os/exitcode.h"
#include "os/log.h"
#include "os/privileges.h"
#include "text/text.h"
#include "wire/decode.h"

#define LINK_WAIT (2 * NS_PER_SEC) /* for a carrier */
#define POLL_MS	  50
#define LOWER_UP  (1 << 16) /* linux/if.h: up, and the wire is */

/* --- rights --- */

/* struct cap - A capability: its number is that of linux/capability.h. */
struct cap {
	unsigned bit;
	const char *name;
};

/* Our effective capabilities; 0 if they cannot be read. */
static uint64_t capabilities(void)
{
	char line[256];
	uint64_t caps = 0;
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, "CapEff:", 7) == 0)
			caps = strtoull(line + 7, NULL, 16);
	if (f)
		fclose(f);
	return caps;
}

static int hop_rights(void *ctx)
{
	static const struct cap caps[] = { { 13, "CAP_NET_RAW" },
					   { 12, "CAP_NET_ADMIN" },
					   { 39, "CAP_BPF" } };
	uint64_t have = capabilities();

	(void)ctx;
	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		if (have >> caps[i].bit & 1)
			continue;
		hop_fail("rights: %s is missing", caps[i].name);
		return hop_remedy("sudo understudy doctor ...");
	}
	return hop_ok("rights: CAP_NET_RAW, CAP_NET_ADMIN, CAP_BPF");
}

/* What a run will be once all is open. */
static int hop_sandbox(void *ctx)
{
	struct doctor *d = ctx;
	const char *user = privileges_user(d->o->user);
	int landlock = sandbox_landlock();

	if (!sandbox_seccomp()) {
		hop_fail("sandbox: this kernel takes no seccomp filter");
		return hop_remedy("boot a kernel with CONFIG_SECCOMP_FILTER");
	}
	return hop_ok("sandbox: a run becomes %s, under seccomp%s",
		      user ? user : "no other user",
		      landlock > 0 ? " and Landlock"
				   : "; this kernel has no Landlock");
}

/* --- the mirror --- */

/* What doctor_flags() looks for, and what it found. */
struct link_flags {
	int index;
	int flags;
};

static int on_link(void *ctx, const struct nlmsghdr *h)
{
	struct link_flags *l = ctx;
	struct ifinfomsg m;

	if (h->nlmsg_len < NLMSG_HDRLEN + sizeof(m))
		return 0;
	memcpy(&m, (const char *)h + NLMSG_HDRLEN, sizeof(m));
	if (m.ifi_index == l->index)
		l->flags = (int)(m.ifi_flags & INT_MAX);
	return 0;
}

int doctor_flags(const char *ifname)
{
	struct ifinfomsg ask = { .ifi_family = AF_UNSPEC };
	struct link_flags l = { .index = (int)if_nametoindex(ifname),
				.flags = -ENODEV };
	int rc = netlink_dump(RTM_GETLINK, &ask, sizeof(ask), on_link, &l);

	return rc ? rc : l.flags;
}

bool doctor_carrier(const char *ifname)
{
	uint64_t end = clock_mono() + LINK_WAIT;
	int flags = doctor_flags(ifname);

	while (flags >= 0 && !(flags & LOWER_UP) && clock_mono() < end) {
		clock_pause(POLL_MS * NS_PER_MS);
		flags = doctor_flags(ifname);
	}
	return flags >= 0 && (flags & LOWER_UP);
}

static int hop_mirror_exists(void *ctx)
{
	struct doctor *d = ctx;
	const char *dev = d->o->iface;

	if (if_nametoindex(dev) == 0) {
		hop_fail("mirror: there is no interface %s", dev);
		return hop_remedy("ip -brief link  # and name another with "
				  "-i");
	}
	return hop_ok("mirror: %s is there", dev);
}

/* An unused mirror is made deaf and dumb and set up, as a run does. */
static int mirror_prepare(const char *dev)
{
	struct errbuf e = { "" };
	int rc = guard_attach(dev, &e);

	if (rc == 0)
		rc = guard_link_up(dev, &e);
	if (rc) {
		hop_fail("mirror: %s", e.s);
		return hop_remedy("tc filter show dev %s ingress; tc filter "
				  "show dev %s egress  # who else is there?",
				  dev, dev);
	}
	return hop_ok("mirror: %s is not in use; guarded, nothing leaves it",
		      dev);
}

static int hop_mirror_use(void *ctx)
{
	struct doctor *d = ctx;
	const char *dev = d->o->iface;
	char text[GUARD_WHY_TEXT];
	struct guard_why why;
	int rc = guard_in_use(dev, &why);

	if (rc) {
		hop_fail("mirror: %s: %s", dev, strerror(-rc));
		return hop_remedy("ip -d link show dev %s", dev);
	}
	if (why.use == GUARD_FREE)
		return mirror_prepare(dev);
	if (why.use == GUARD_LOOPBACK && why.where == GUARD_SELF) {
		hop_fail("mirror: clients on %s have loopback addresses, "
			 "which are dropped on a wire",
			 dev);
		return hop_remedy("tcpdump -i %s -w run.pcap  # and then: "
				  "understudy shadow -r run.pcap --client-net "
				  "NET",
				  dev);
	}
	return hop_ok("mirror: %s is in use (%s); it is watched, and "
		      "nothing of ours leaves it",
		      dev, guard_why_text(&why, text));
}

static int hop_mirror_link(void *ctx)
{
	struct doctor *d = ctx;
	const char *dev = d->o->iface;
	int flags = doctor_flags(dev);

	if (flags >= 0 && !(flags & IFF_UP)) {
		hop_fail("mirror: %s is down", dev);
		return hop_remedy("ip link set dev %s up", dev);
	}
	if (!doctor_carrier(dev)) {
		hop_fail("mirror: %s has no carrier", dev);
		return hop_remedy("plug the cable in, or set its other end "
				  "up: ip link set dev PEER up");
	}
	return hop_ok("mirror: %s is up", dev);
}

static int hop_mirror_open(void *ctx)
{
	struct doctor *d = ctx;
	struct guard_why why = { .use = GUARD_FREE };
	struct ring_opts ro = { .ifname = d->o->iface,
				.version = d->o->capture,
				.bytes = d->o->mirror_ring != 0
						 ? d->o->mirror_ring
						 : RING_MIRROR_LEAST,
				.promisc = true };
	struct errbuf e = { "" };
	int rc = filter_compile(&d->filter, d->o->expr, LINK_ETHERNET, &e);

	if (rc) {
		hop_fail("mirror: filter expression '%s': %s", d->o->expr, e.s);
		return hop_remedy("man pcap-filter");
	}
	guard_in_use(d->o->iface, &why);
	ro.outgoing = why.use != GUARD_FREE;
	rc = ro.outgoing
		     ? ends_open(&d->ends, d->o->iface, &d->o->engine.decap, &e)
		     : 0;
	if (rc == 0)
		rc = ring_open(&d->mirror, &ro, &e);
	if (rc) {
		hop_fail("mirror: %s", e.s);
		return hop_remedy("give less with --mirror-ring, or name an "
				  "Ethernet interface with -i");
	}
	return hop_ok("mirror: capture is open%s",
		      ro.outgoing ? ", with what this host sends" : "");
}

/* --- the sandbox --- */

/* From here on as a run is, but without files. */
static int hop_confine(void *ctx)
{
	struct doctor *d = ctx;
	struct confine c = { .user = privileges_user(d->o->user),
			     .box = { .needs = SANDBOX_RUN | SANDBOX_WIRES,
				      .broker = -1 },
			     .quiet = true };
	struct errbuf e = { "" };
	int rc;

	c.box.rings = ring_fds(&d->mirror, c.box.ring);
	if (!d->o->engine.sut_none) {
		c.box.sink[c.box.sinks++] = d->packet.fd;
		c.box.rings +=
			ring_fds(&d->wire_ring, c.box.ring + c.box.rings);
	}
	rc = confine(&c, CONFINE_EARLY, &e);
	if (rc == 0)
		rc = confine(&c, CONFINE_FINAL, &e);
	if (rc == 0)
		return 0;
	hop_fail("sandbox: %s", e.s);
	return hop_remedy("name a user with --user, and see what else "
			  "confines this process: /proc/self/status");
}

/* A run that has all else would end with these. */
static int hop_files(void *ctx)
{
	struct doctor *d = ctx;
	struct errbuf e = { "" };

	if (options_new_files(d->o, &e) == 0)
		return 0;
	hop_fail("files: %s", e.s);
	return hop_remedy("name another file, or make its folder: mkdir -p");
}

/* --- all of it --- */

static const struct hop way[] = {
	{ 0, hop_rights },
	{ 0, hop_sandbox },
	{ 0, hop_files },
	{ 0, hop_mirror_exists },
	{ 0, hop_mirror_use },
	{ 0, hop_mirror_link },
	{ 0, hop_mirror_open },
	{ DOCTOR_SUT, hop_wire_exists },
	{ DOCTOR_SUT, hop_wire_free },
	{ DOCTOR_SUT, hop_wire_guard },
	{ DOCTOR_SUT, hop_wire_link },
	{ DOCTOR_SUT, hop_wire_open },
	{ 0, hop_confine },
	{ 0, hop_mirror_traffic },
	{ 0, hop_checksums },
	{ 0, hop_mapped },
	{ 0, hop_directions },
	{ 0, hop_tls },
	{ DOCTOR_SUT, hop_sut_apart },
	{ DOCTOR_SUT, hop_neighbour },
	{ DOCTOR_SUT, hop_route_back },
	{ DOCTOR_SUT, hop_networks },
	{ DOCTOR_SUT, hop_listening },
	{ DOCTOR_SUT, hop_strangers },
};

static int examine(const struct options *o)
{
	struct doctor *d = calloc(1, sizeof(*d));
	int rc;

	if (!d) {
		log_line(LOG_ERROR, "no memory");
		return EXIT_ERROR;
	}
	d->o = o;
	rc = hops_walk(way, sizeof(way) / sizeof(way[0]),
		       o->engine.sut_none ? 0 : DOCTOR_SUT, d);
	ring_close(&d->mirror);
	ends_close(&d->ends);
	filter_free(&d->filter);
	doctor_wire_close(d);
	free(d);
	if (rc == 0)
		printf("all is well\n");
	return rc == 0 ? EXIT_SAME : EXIT_ERROR;
}

static int release(const char *dev)
{
	struct errbuf e = { "" };

	if (guard_release(dev, &e)) {
		log_line(LOG_ERROR,
			 "%s; name a guarded interface (tc qdisc show), as "
			 "root",
			 e.s);
		return EXIT_ERROR;
	}
	return hop_ok("%s: there is no guard of ours on it now", dev);
}

int check_run(const struct options *o)
{
	return o->release ? release(o->release) : examine(o);
}
