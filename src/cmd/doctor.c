/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor.c - understudy doctor: the way of a packet, hop by hop
 *
 * Theory of operation
 *
 * First the hops that need root: our rights, the mirror's interface, the SUT's
 * wire. Then the privileges go and the sandbox is closed, and only then is a byte
 * looked at that came from outside: what the mirror brings, the SUT, its way
 * back. In both parts the hops stand in the order in which a packet passes them.
 * Each rests on the one before, so the first that fails is the one to mend, and
 * the rest is not asked. All is done as a run does it: an unused interface gets
 * its guard before it is set up, the SUT is asked by the same machine. Nothing is
 * sent on the mirror, and to the SUT only questions and probes.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <net/if.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bpf/guard.h"
#include "bpf/netlink.h"
#include "cmd/cmd.h"
#include "cmd/doctor.h"
#include "cmd/live.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/privileges.h"
#include "os/sandbox.h"
#include "report/text.h"

#define LISTEN_FOR (3 * NS_PER_SEC) /* to the mirror */
#define LINK_WAIT  (2 * NS_PER_SEC) /* for a carrier */
#define POLL_MS	   50
#define LOWER_UP   (1 << 16) /* linux/if.h: up, and the wire is */
#define PLAIN_MAX  1522	     /* longest frame that no offload has joined */

/* --- saying it --- */

static void say(const char *head, const char *fmt, va_list ap)
{
	fputs(head, stdout);
	vprintf(fmt, ap);
	putchar('\n');
	fflush(stdout);
}

int doctor_ok(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("ok    ", fmt, ap);
	va_end(ap);
	return 0;
}

int doctor_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("FAIL  ", fmt, ap);
	va_end(ap);
	return -1;
}

int doctor_mend(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("      mend: ", fmt, ap);
	va_end(ap);
	return -1;
}

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

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "CapEff:", 7) == 0)
			caps = strtoull(line + 7, NULL, 16);
	if (f != NULL)
		fclose(f);
	return caps;
}

static int hop_rights(struct doctor *d)
{
	static const struct cap caps[] = { { 13, "CAP_NET_RAW" },
					   { 12, "CAP_NET_ADMIN" },
					   { 39, "CAP_BPF" } };
	uint64_t have = capabilities();

	(void)d;
	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		if (have >> caps[i].bit & 1)
			continue;
		doctor_fail("rights: %s is missing", caps[i].name);
		return doctor_mend("sudo understudy doctor ...");
	}
	return doctor_ok("rights: CAP_NET_RAW, CAP_NET_ADMIN, CAP_BPF");
}

/* What a run will be once all is open. */
static int hop_sandbox(struct doctor *d)
{
	const char *user = live_user(d->o);
	int landlock = sandbox_landlock();

	if (!sandbox_seccomp()) {
		doctor_fail("sandbox: this kernel takes no seccomp filter");
		return doctor_mend("boot a kernel with CONFIG_SECCOMP_FILTER");
	}
	return doctor_ok("sandbox: a run becomes %s, under seccomp%s",
			 user != NULL ? user : "no other user",
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

static int hop_mirror_exists(struct doctor *d)
{
	const char *dev = d->o->iface;

	if (if_nametoindex(dev) == 0) {
		doctor_fail("mirror: there is no interface %s", dev);
		return doctor_mend("ip -brief link  # and name another with "
				   "-i");
	}
	return doctor_ok("mirror: %s is there", dev);
}

/* An unused mirror is made deaf and dumb and set up, as a run does. */
static int mirror_prepare(const char *dev)
{
	struct errbuf e = { "" };
	int rc = guard_attach(dev, &e);

	if (rc == 0)
		rc = guard_link_up(dev, &e);
	if (rc) {
		doctor_fail("mirror: %s", e.s);
		return doctor_mend("tc filter show dev %s ingress; tc filter "
				   "show dev %s egress  # who else is there?",
				   dev, dev);
	}
	return doctor_ok("mirror: %s is not in use; guarded, nothing leaves it",
			 dev);
}

static int hop_mirror_use(struct doctor *d)
{
	const char *dev = d->o->iface;
	char text[GUARD_WHY_TEXT];
	struct guard_why why;
	int rc = guard_in_use(dev, &why);

	if (rc) {
		doctor_fail("mirror: %s: %s", dev, strerror(-rc));
		return doctor_mend("ip -d link show dev %s", dev);
	}
	if (why.use == GUARD_FREE)
		return mirror_prepare(dev);
	return doctor_ok("mirror: %s is in use (%s); it is watched, and "
			 "nothing of ours leaves it",
			 dev, guard_why_text(&why, text));
}

static int hop_mirror_link(struct doctor *d)
{
	const char *dev = d->o->iface;
	int flags = doctor_flags(dev);

	if (flags >= 0 && !(flags & IFF_UP)) {
		doctor_fail("mirror: %s is down", dev);
		return doctor_mend("ip link set dev %s up", dev);
	}
	if (!doctor_carrier(dev)) {
		doctor_fail("mirror: %s has no carrier", dev);
		return doctor_mend("plug the cable in, or set its other end "
				   "up: ip link set dev PEER up");
	}
	return doctor_ok("mirror: %s is up", dev);
}

static int hop_mirror_open(struct doctor *d)
{
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
		doctor_fail("mirror: filter expression '%s': %s", d->o->expr,
			    e.s);
		return doctor_mend("man pcap-filter");
	}
	guard_in_use(d->o->iface, &why);
	ro.outgoing = why.use != GUARD_FREE;
	rc = ring_open(&d->mirror, &ro, &e);
	if (rc) {
		doctor_fail("mirror: %s", e.s);
		return doctor_mend("give less with --mirror-ring, or name an "
				   "Ethernet interface with -i");
	}
	return doctor_ok("mirror: capture is open%s",
			 ro.outgoing ? ", with what this host sends" : "");
}

static bool is_prod(const struct engine_map *m, const struct ipaddr *ip,
		    uint16_t port)
{
	return (m->prod_port == 0 || m->prod_port == port) &&
	       ipaddr_in(ip, &m->prod, m->bits);
}

static void look_at_segment(struct doctor *d, const struct segment *s)
{
	bool to = false;
	bool from = false;

	for (uint32_t i = 0; i < d->o->engine.maps; i++) {
		const struct engine_map *m = &d->o->engine.map[i];
		bool dst = is_prod(m, &s->dst, s->dport);
		bool src = is_prod(m, &s->src, s->sport);

		to |= dst;
		from |= src;
		if (dst || src)
			d->tcp[i] |= s->proto == PROTO_TCP;
		if (!dst && !src &&
		    (ipaddr_eq(&m->sut, &s->src) ||
		     ipaddr_eq(&m->sut, &s->dst)) &&
		    !ipaddr_in(&m->sut, &m->prod, m->bits))
			d->sut_in_mirror = true;
	}
	networks_seen(d, s, to, from);
	d->to_prod += to;
	d->to_client += from && !to;
	d->mapped += to || from;
	if (!to && !from && !d->has_other) {
		d->other = s->dst;
		d->other_port = s->dport;
		d->has_other = true;
	}
}

static void look_at_frame(struct doctor *d, const struct frame_info *in)
{
	struct decoded dec;
	enum decode_result r;

	d->frames++;
	if (in->wire > d->longest)
		d->longest = in->wire;
	if (!filter_match(&d->filter, in->data, in->cap, in->wire))
		return;
	d->matched++;
	r = frame_decode(in, d->o->engine.vxlan, NULL, 0, &dec);
	if (r != DECODE_TCP && r != DECODE_UDP)
		return;
	if (r == DECODE_UDP && dec.seg.dport == 4789)
		d->tunnel++;
	look_at_segment(d, &dec.seg);
}

static void look_at_all(struct doctor *d)
{
	struct ring_frame f;

	ring_wait(&d->mirror, POLL_MS);
	while (ring_next(&d->mirror, &f)) {
		look_at_frame(d, &f.info);
		ring_done(&d->mirror);
	}
}

void doctor_listen(struct doctor *d, uint64_t wait)
{
	uint64_t end = clock_mono() + wait;

	while (clock_mono() < end)
		look_at_all(d);
}

static int hop_mirror_traffic(struct doctor *d)
{
	uint64_t end = clock_mono() + LISTEN_FOR;

	while (clock_mono() < end && !(d->to_prod > 0 && d->to_client > 0))
		look_at_all(d);
	if (d->frames == 0) {
		doctor_fail("mirror: no frame came in for %d s",
			    (int)(LISTEN_FOR / NS_PER_SEC));
		return doctor_mend("make the switch mirror production's port "
				   "to this one; watch it with: tcpdump -ni %s",
				   d->o->iface);
	}
	doctor_ok("mirror: %" PRIu64 " frames seen, up to %u bytes%s",
		  d->frames, d->longest,
		  d->longest > PLAIN_MAX
			  ? " (joined by GRO or TSO; taken as they are)"
			  : "");
	if (d->matched == 0) {
		doctor_fail("mirror: the filter expression '%s' matches none "
			    "of them",
			    d->o->expr);
		return doctor_mend("tcpdump -ni %s '%s'  # and correct it; "
				   "tagged frames want 'vlan and ...'",
				   d->o->iface, d->o->expr);
	}
	return 0;
}

static int hop_mapped(struct doctor *d)
{
	char other[TEXT_ENDPOINT];

	if (d->mapped > 0)
		return doctor_ok("mirror: %" PRIu64 " frames named by --map",
				 d->mapped);
	doctor_fail("mirror: none of the frames is from or to what --map "
		    "names");
	if (d->tunnel > 0 && d->o->engine.vxlan == VXLAN_NONE)
		return doctor_mend("add --vxlan any  # the mirror's frames "
				   "are inside VXLAN");
	if (d->has_other)
		return doctor_mend(
			"correct --map; seen is for example %s",
			text_endpoint(other, &d->other, d->other_port));
	return doctor_mend("tcpdump -ni %s  # and correct --map", d->o->iface);
}

static int hop_directions(struct doctor *d)
{
	bool no_answer = d->to_client == 0;

	if (d->to_prod > 0 && !no_answer)
		return doctor_ok("mirror: both directions are seen");
	doctor_fail("mirror: only what %s is seen",
		    no_answer ? "clients send" : "production sends");
	return doctor_mend("make the switch mirror both directions of "
			   "production's port (receive and transmit)");
}

static int hop_sut_apart(struct doctor *d)
{
	if (!d->sut_in_mirror)
		return doctor_ok("mirror: the SUT is not on it");
	doctor_fail("mirror: a SUT's address shows up on it");
	return doctor_mend("take the SUT off production's network: its only "
			   "wire must be %s",
			   d->o->sut_dev);
}

/* --- the sandbox --- */

/* From here on as a run is, but without files. */
static int hop_confine(struct doctor *d)
{
	bool has_sut = !d->o->engine.sut_none;
	struct sandbox s = { .needs = SANDBOX_RUN | SANDBOX_WIRES,
			     .sink = has_sut ? d->packet.fd : -1,
			     .broker = -1 };
	struct errbuf e = { "" };
	int rc;

	s.rings = ring_fds(&d->mirror, s.ring);
	if (has_sut)
		s.rings += ring_fds(&d->wire_ring, s.ring + s.rings);
	rc = privileges_drop(live_user(d->o), &e);
	if (rc == 0)
		rc = sandbox_files(NULL, 0, &e);
	if (rc >= 0)
		rc = sandbox_calls(&s, &e);
	if (rc == 0)
		return 0;
	doctor_fail("sandbox: %s", e.s);
	return doctor_mend("name a user with --user, and see what else "
			   "confines this process: /proc/self/status");
}

/* --- all of it --- */

static const struct hop way[] = {
	{ false, hop_rights },	       { false, hop_sandbox },
	{ false, hop_mirror_exists },  { false, hop_mirror_use },
	{ false, hop_mirror_link },    { false, hop_mirror_open },
	{ true, hop_wire_exists },     { true, hop_wire_free },
	{ true, hop_wire_guard },      { true, hop_wire_link },
	{ true, hop_wire_open },       { false, hop_confine },
	{ false, hop_mirror_traffic }, { false, hop_mapped },
	{ false, hop_directions },     { true, hop_sut_apart },
	{ true, hop_neighbour },       { true, hop_route_back },
	{ true, hop_networks },	       { true, hop_listening },
	{ true, hop_strangers },
};

static int examine(const struct options *o)
{
	struct doctor *d = calloc(1, sizeof(*d));
	int rc = d == NULL ? -1 : 0;

	if (d == NULL) {
		log_line(LOG_ERROR, "no memory");
		return EXIT_ERROR;
	}
	d->o = o;
	for (size_t i = 0; rc == 0 && i < sizeof(way) / sizeof(way[0]); i++)
		if (!way[i].sut || !o->engine.sut_none)
			rc = way[i].check(d);
	ring_close(&d->mirror);
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
	return doctor_ok("%s: there is no guard of ours on it now", dev);
}

int cmd_doctor(int argc, char **argv)
{
	struct errbuf e = { "" };
	struct options o;
	int rc = options_parse(&o, argc, argv, OPTIONS_DOCTOR, &e);

	if (rc == 1) {
		options_usage(OPTIONS_DOCTOR);
		return EXIT_SAME;
	}
	if (rc == 0)
		rc = options_check(&o, OPTIONS_DOCTOR, &e);
	if (rc) {
		log_line(LOG_ERROR, "%s", e.s);
		return EXIT_ERROR;
	}
	return o.release != NULL ? release(o.release) : examine(&o);
}
