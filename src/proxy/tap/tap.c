/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tap.c - What goes between us and servers is shown at a device
 *
 * Theory of operation
 *
 * The programs do the work (show.bpf.c); here they are put where they belong:
 * two on each device by which servers are reached, the first of all that is
 * there. The device of the copies must be nobody's, since what is shown bears
 * the addresses of real clients and servers: the host's own stack would take
 * copies for packets. Where they come in, the guard of the SUT's wire keeps it
 * away (bpf/guard.h), and stays when we are gone; where they leave, tap_gate
 * and tap_shut do while we are there.
 *
 * What a connection costs here is one call, which says whose the socket is.
 */
#include "tap/tap.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bpf/guard.h"
#include "bpf/hook.h"
#include "core/rendezvous.h"
#include "tap/show.skel.h"

#define HOOKS	 32
#define AT_LEAST 1024 /* connections that there is room for */

static const struct counter rows[] = { TAP_COUNTERS(COUNTER_ROW,
						    struct tap_counters) };
const struct counter_list tap_counter_list = COUNTER_LIST(rows);

struct tap {
	struct show *skel;
	struct hook hook[2 * HOOKS + 2];
	unsigned hooks;
	int sockets;
	int counts;
	int cpus;
	uint64_t *each; /* of a counter, by processor */
	struct tap_rule rule;
	struct shown servers;
	uint64_t connections;
	uint64_t unknown;
};

/* libbpf writes what went wrong to stderr by itself; libraries are silent. */
static int print_nothing(enum libbpf_print_level level, const char *fmt,
			 va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

/* --- the device --- */

/* Do copies come in there, since behind it there is nobody but us? */
static bool shows_here(const char *dev)
{
	struct ethtool_drvinfo d = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq r;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool yes;

	memset(&r, 0, sizeof(r));
	strncpy(r.ifr_name, dev, sizeof(r.ifr_name) - 1);
	r.ifr_data = (void *)&d;
	yes = fd >= 0 && ioctl(fd, SIOCETHTOOL, &r) == 0 &&
	      (strcmp(d.driver, "dummy") == 0 || strcmp(d.driver, "veth") == 0);
	if (fd >= 0)
		close(fd);
	return yes;
}

static int hook_up(struct tap *t, const struct bpf_program *prog, int ifindex,
		   const struct tap_config *c, enum hook_point point)
{
	struct hook *h = &t->hook[t->hooks];
	int rc = hook_attach_at(h, bpf_program__fd(prog), ifindex,
				c->tcx ? HOOK_TCX : HOOK_BEST, point);

	if (rc == 0)
		t->hooks++;
	return rc;
}

/* Shut it for all but copies. */
static int shut(struct tap *t, const struct tap_config *c, int ifindex,
		bool here, struct errbuf *e)
{
	char text[GUARD_WHY_TEXT];
	struct guard_why why;
	int rc = guard_in_use(c->dev, &why);

	if (rc != 0)
		return errbuf_set(e, rc, "--tap %s: %s", c->dev, strerror(-rc));
	if (why.use != GUARD_FREE)
		return errbuf_set(e, -EBUSY,
				  "--tap %s is in use: %s; give it a device of "
				  "its own, as 'ip link add us-tap type veth' "
				  "makes one",
				  c->dev, guard_why_text(&why, text));
	if (here) {
		rc = guard_attach(c->dev, e);
		return rc == 0 ? guard_link_up(c->dev, e) : rc;
	}
	rc = hook_up(t, t->skel->progs.tap_gate, ifindex, c, HOOK_EGRESS);
	if (rc == 0)
		rc = hook_up(t, t->skel->progs.tap_shut, ifindex, c,
			     HOOK_BEFORE);
	return rc == 0 ? 0
		       : errbuf_set(e, rc, "--tap %s: cannot be guarded: %s",
				    c->dev, strerror(-rc));
}

/* --- the programs --- */

_Static_assert(SHOWN_NETS == TAP_NETS, "the program has room for all");

static void mask_of(uint8_t mask[16], unsigned bits)
{
	memset(mask, 0, 16);
	for (unsigned i = 0; i < bits && i < 128; i++)
		mask[i / 8] |= (uint8_t)(0x80u >> i % 8);
}

static void take_rule(struct tap *t, const struct tap_config *c)
{
	struct tap_rule *r = &t->rule;

	t->servers = *c->servers;
	r->key[0] = c->key.k[0];
	r->key[1] = c->key.k[1];
	r->most = (uint32_t)((uint64_t)UINT32_MAX * c->share / TAP_SHARE_ALL);
	r->nets = c->servers->n;
	for (unsigned i = 0; i < r->nets; i++) {
		const struct shown_net *n = &c->servers->net[i];

		memcpy(r->net[i].ip, n->ip.b, 16);
		mask_of(r->net[i].mask, n->bits);
		r->net[i].port = n->port;
		r->net[i].only6 = n->bits < IPADDR_4IN6;
	}
}

static int load(struct tap *t, const struct tap_config *c, int ifindex,
		bool here)
{
	uint32_t room = c->connections < AT_LEAST ? AT_LEAST : c->connections;
	struct tap_device *d;
	int rc = 0;

	t->skel = show__open();
	if (!t->skel)
		return -errno;
	d = (struct tap_device *)&t->skel->rodata->tap_device;
	*d = (struct tap_device){ .rule = t->rule,
				  .ifindex = (uint32_t)ifindex,
				  .out = !here,
				  .syn = c->tables != NULL };
	bpf_map__set_max_entries(t->skel->maps.tap_sockets, 2 * room);
	bpf_map__set_max_entries(t->skel->maps.tap_tuples, 2 * room);
	if (c->tables) {
		rc = bpf_map__reuse_fd(t->skel->maps.join_ends, c->tables[0]);
		if (rc == 0)
			rc = bpf_map__reuse_fd(t->skel->maps.join_slots,
					       c->tables[1]);
	}
	if (rc == 0 && show__load(t->skel) != 0)
		rc = -errno;
	if (rc != 0)
		return rc;
	t->sockets = bpf_map__fd(t->skel->maps.tap_sockets);
	t->counts = bpf_map__fd(t->skel->maps.tap_counts);
	t->cpus = libbpf_num_possible_cpus();
	if (t->cpus < 0)
		return t->cpus;
	t->each = calloc((size_t)t->cpus, sizeof(*t->each));
	return t->each ? 0 : -ENOMEM;
}

static int watch(struct tap *t, const struct tap_config *c, struct errbuf *e)
{
	for (unsigned i = 0; c->at[i]; i++) {
		int ifindex = (int)if_nametoindex(c->at[i]);
		int rc = ifindex == 0 ? -ENODEV : i == HOOKS ? -ENOSPC : 0;

		if (rc == 0)
			rc = hook_up(t, t->skel->progs.tap_in, ifindex, c,
				     HOOK_BEFORE);
		if (rc == 0)
			rc = hook_up(t, t->skel->progs.tap_out, ifindex, c,
				     HOOK_EGRESS);
		if (rc != 0)
			return errbuf_set(e, rc, "--tap: the device %s: %s",
					  c->at[i], strerror(-rc));
	}
	return 0;
}

static int open_all(struct tap *t, const struct tap_config *c, struct errbuf *e)
{
	int ifindex = (int)if_nametoindex(c->dev);
	bool here;
	int rc;

	if (ifindex == 0)
		return errbuf_set(e, -ENODEV,
				  "--tap %s: there is no such device; 'ip link "
				  "add %s type veth' makes it",
				  c->dev, c->dev);
	here = shows_here(c->dev);
	rc = load(t, c, ifindex, here);
	if (rc != 0)
		return errbuf_set(e, rc,
				  "--tap: its programs cannot be loaded: %s; "
				  "run as root",
				  strerror(-rc));
	rc = shut(t, c, ifindex, here, e);
	return rc == 0 ? watch(t, c, e) : rc;
}

int tap_open(struct tap **out, const struct tap_config *c, struct errbuf *e)
{
	struct tap *t = calloc(1, sizeof(*t));
	int rc;

	if (!t)
		return -ENOMEM;
	libbpf_set_print(print_nothing);
	take_rule(t, c);
	rc = open_all(t, c, e);
	if (rc != 0) {
		tap_close(t);
		return rc;
	}
	*out = t;
	return 0;
}

void tap_close(struct tap *t)
{
	if (!t)
		return;
	while (t->hooks > 0)
		(void)hook_detach(&t->hook[--t->hooks]);
	show__destroy(t->skel);
	free(t->each);
	free(t);
}

/* --- connections --- */

static bool is_chosen(const struct tap *t, const struct ipaddr *client,
		      const struct ipaddr *server, uint16_t port)
{
	const struct hash_key key = { { t->rule.key[0], t->rule.key[1] } };

	return shown_is(&t->servers, server, port) &&
	       (uint32_t)(rendezvous_client(&key, client->b) >> 32) <=
		       t->rule.most;
}

void tap_socket(struct tap *t, int fd, const struct ipaddr *client,
		uint16_t client_port, const struct ipaddr *server,
		uint16_t server_port)
{
	struct tap_client c = { .port = client_port,
				.differs = ipaddr_is4(client) !=
					   ipaddr_is4(server) };
	uint64_t cookie = 0;
	socklen_t n = sizeof(cookie);
	int rc = getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &n);

	if (!is_chosen(t, client, server, server_port)) {
		/* It may have been another connection's that never began. */
		if (rc == 0)
			(void)bpf_map_delete_elem(t->sockets, &cookie);
		return;
	}
	memcpy(c.ip, client->b, sizeof(c.ip));
	if (rc == 0)
		rc = bpf_map_update_elem(t->sockets, &cookie, &c, BPF_ANY);
	t->connections++;
	t->unknown += rc != 0;
}

static uint64_t sum(const struct tap *t, uint32_t what)
{
	uint64_t n = 0;

	if (bpf_map_lookup_elem(t->counts, &what, t->each) != 0)
		return 0;
	for (int i = 0; i < t->cpus; i++)
		n += t->each[i];
	return n;
}

void tap_count(const struct tap *t, struct tap_counters *n)
{
	*n = (struct tap_counters){ .connections = t->connections,
				    .unknown = t->unknown,
				    .shown = sum(t, TAP_SHOWN),
				    .lost = sum(t, TAP_LOST),
				    .too_long = sum(t, TAP_TOO_LONG),
				    .odd = sum(t, TAP_ODD),
				    .harmed = sum(t, TAP_HARMED),
				    .stray = sum(t, TAP_STRAY) };
}
