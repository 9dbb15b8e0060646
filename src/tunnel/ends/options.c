/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.c - The command line of tunnel
 */
#include <errno.h>
#include <string.h>

#include "core/limits.h"
#include "ends/ends.h"
#include "ends/places.h"
#include "keys/keytext.h"
#include "opt/values.h"

/* What IPv4 wants of any device that packets are cut for. */
#define MTU_LEAST 576

#define HOLD (100 * NS_PER_MS)

/* Titles of the help's groups. */
#define DEVICE "The device"
#define WAYS   "The paths"
#define TRUST  "Who the other end is"
#define HOW    "How packets are spread"
#define REST   "The run"

/* --- kinds of one option each --- */

/* ADDR/LEN, whose bits behind the network's are an address's. */
static int get_addr(const char *s, struct ends_net *out)
{
	const char *slash = strchr(s, '/');
	struct ends_net a;
	uint64_t bits;
	bool four;

	if (!slash || value_get_ip(s, (size_t)(slash - s), &a.ip) != 0 ||
	    value_get_number(slash + 1, &bits) != 0)
		return -EINVAL;
	four = ipaddr_is4(&a.ip);
	if (bits > (four ? IPADDR_BITS - IPADDR_4IN6 : IPADDR_BITS))
		return -EINVAL;
	a.bits = (uint8_t)(bits + (four ? IPADDR_4IN6 : 0));
	*out = a;
	return 0;
}

static bool put_net(struct text *t, const struct ends_net *list, unsigned n,
		    unsigned i)
{
	if (i >= n)
		return false;
	value_put_net(t, &list[i].ip, list[i].bits, false);
	return true;
}

static int set_addr(void *field, const struct opt_row *r, const char *v,
		    struct errbuf *e)
{
	struct ends_options *o = field;
	struct ends_net a;

	if (get_addr(v, &a) != 0)
		return opt_bad(e, r, v, "is no address with a length");
	if (o->addrs > 0 && (o->addrs == ENDS_ADDRS ||
			     ipaddr_is4(&a.ip) == ipaddr_is4(&o->addr[0].ip)))
		return opt_bad(e, r, v, "is a second one of its family");
	o->addr[o->addrs++] = a;
	return 0;
}

static bool put_addr(struct text *t, const void *field, const struct opt_row *r,
		     unsigned i)
{
	const struct ends_options *o = field;

	(void)r;
	return put_net(t, o->addr, o->addrs, i);
}

static int set_allow(void *field, const struct opt_row *r, const char *v,
		     struct errbuf *e)
{
	struct ends_options *o = field;
	struct ends_net a;

	if (o->allows == ENDS_ALLOWS)
		return opt_bad(e, r, v, "is one too many");
	if (value_get_net(v, strlen(v), &a.ip, &a.bits) != 0)
		return opt_bad(e, r, v, "is no network");
	o->allow[o->allows++] = a;
	return 0;
}

static bool put_allow(struct text *t, const void *field,
		      const struct opt_row *r, unsigned i)
{
	const struct ends_options *o = field;

	(void)r;
	return put_net(t, o->allow, o->allows, i);
}

static int set_peer(void *field, const struct opt_row *r, const char *v,
		    struct errbuf *e)
{
	struct ends_options *o = field;

	if (keytext_get(v, strlen(v), o->peer) != 0)
		return opt_bad(e, r, v, "is no public key");
	o->has_peer = true;
	return 0;
}

static bool put_peer(struct text *t, const void *field, const struct opt_row *r,
		     unsigned i)
{
	const struct ends_options *o = field;
	char key[KEYTEXT + 1];

	(void)r;
	if (i > 0 || !o->has_peer)
		return false;
	keytext_put(key, o->peer);
	text_add(t, "%s", key);
	return true;
}

static const struct opt_kind kind_addr = { false, set_addr, put_addr };
static const struct opt_kind kind_allow = { false, set_allow, put_allow };
static const struct opt_kind kind_peer = { false, set_peer, put_peer };

/* --- rows --- */

static const struct opt_word scheduler_words[] = {
	{ "earliest", MP_EARLIEST }, { "roundrobin", MP_ROUNDROBIN },
	{ "weights", MP_WEIGHTS },   { "copy", MP_COPY },
	{ "pin", MP_PIN },	     { NULL, 0 },
};
static const struct opt_word class_words[] = {
	{ "spread", MP_CLASS_SPREAD },
	{ "pin", MP_CLASS_PIN },
	{ "copy", MP_CLASS_COPY },
	{ NULL, 0 },
};
static const struct opt_word release_words[] = {
	{ "order", MP_RELEASE_ORDER },
	{ "equal", MP_RELEASE_EQUAL },
	{ "off", MP_RELEASE_OFF },
	{ NULL, 0 },
};

static const struct opt_word encap_words[] = {
	{ "udp", ENDS_UDP },
	{ "ipip", ENDS_IPIP },
	{ NULL, 0 },
};

static const struct opt_word offload_words[] = {
	{ "off", ENDS_OFFLOAD_OFF },
	{ "auto", ENDS_OFFLOAD_AUTO },
	{ NULL, 0 },
};

#define AT(member) offsetof(struct ends_options, member)

static const struct opt_row rows[] = {
	{ "dev", 0, &opt_kind_string, AT(dev), "DEV",
	  "name of the device that leads into the tunnel (us0)",
	  .group = DEVICE },
	{ "addr", 0, &kind_addr, 0, "ADDR/LEN", "an address of the device",
	  .group = DEVICE, .flags = OPT_REPEAT },
	{ "mtu", 0, &opt_kind_u32, AT(mtu), "BYTES",
	  "longest packet of the device; without it: what fits into 1500",
	  .group = DEVICE, .most = ENDS_MTU },
	{ "tap", 0, &opt_kind_flag, AT(tap), NULL,
	  "a device of Ethernet, for a bridge; at both ends", .group = DEVICE },
	{ "offload", 0, &opt_kind_word, AT(offload), "auto|off",
	  "let the kernel hand over many packets as one, where it can (auto)",
	  .group = DEVICE, .words = offload_words },
	{ "path", 0, &places_path, 0, "LOCAL|DEV|any,HOST:PORT[,...]",
	  "a path to the far end: from this address, or out of this device, "
	  "or as the routes say; then weight=N, rate=SIZE a second, "
	  "tier=primary|secondary|backup, cap=SIZE",
	  .group = WAYS, .flags = OPT_REPEAT },
	{ "listen", 0, &places_listen, 0, "HOST:PORT",
	  "in place of --path: wait for the other end here", .group = WAYS,
	  .flags = OPT_REPEAT },
	{ "encap", 0, &opt_kind_word, AT(encap), "udp|ipip",
	  "what packets travel in (udp); ipip needs nothing of ours at the "
	  "other end, or a gateway that takes the header off",
	  .group = WAYS, .words = encap_words },
	{ "catch", 0, &opt_kind_string, AT(catch_dev), "DEV",
	  "of ipip: put in order what comes plain by this device, too",
	  .group = WAYS },
	{ "keepalive", 0, &opt_kind_duration, AT(keepalive), "TIME",
	  "a message on every path so often, for a NAT on the way (0: none)",
	  .group = WAYS, .most = 3600 * NS_PER_SEC, .flags = OPT_RUNTIME },
	{ "mark", 0, &opt_kind_u32, AT(mark), "N",
	  "mark of the packets on the paths, for rules of routing",
	  .group = WAYS, .most = UINT32_MAX },
	{ "key", 0, &opt_kind_string, AT(key), "FILE",
	  "our private key, as keygen or wg genkey makes it", .group = TRUST },
	{ "peer", 0, &kind_peer, 0, "KEY", "the other end's public key",
	  .group = TRUST },
	{ "psk", 0, &opt_kind_string, AT(psk), "FILE",
	  "a key that both ends have besides", .group = TRUST },
	{ "pad", 0, &opt_kind_string, AT(pad), "FILE",
	  "in place of keys: a one-time pad of padgen's, of which each end has "
	  "a "
	  "copy; it is used up",
	  .group = TRUST },
	{ "plain", 0, &opt_kind_flag, AT(plain), NULL,
	  "no keys: who sees the packets can read and forge them",
	  .group = TRUST },
	{ "allow", 0, &kind_allow, 0, "NET",
	  "packets with sources in it may come out (networks of --addr)",
	  .group = TRUST, .flags = OPT_REPEAT },
	{ "scheduler", 0, &opt_kind_word, AT(scheduler),
	  "earliest|roundrobin|weights|copy|pin",
	  "which path a packet takes (earliest)", .group = HOW,
	  .words = scheduler_words, .flags = OPT_RUNTIME },
	{ "weight", 0, &opt_kind_u32, AT(weight), "N",
	  "of --scheduler weights: 1 packet on the first path, then N on the "
	  "others (1); weights of paths go before it",
	  .group = HOW, .least = 1, .most = 1000000, .flags = OPT_RUNTIME },
	{ "class", 0, &places_class, 0, "FILTER=spread|pin|copy",
	  "packets that this filter of tcpdump's matches otherwise; the first "
	  "that does counts",
	  .group = HOW, .words = class_words, .flags = OPT_REPEAT },
	{ "release", 0, &opt_kind_word, AT(release), "order|equal|off",
	  "how what arrives is put in order (order)", .group = HOW,
	  .words = release_words, .flags = OPT_RUNTIME },
	{ "buffer-size", 0, &opt_kind_u32, AT(buffer_size), "N",
	  "packets of a connection that wait for one before them at most, then "
	  "all go on (0: as many as there is room for)",
	  .group = HOW, .most = ENDS_HELD, .flags = OPT_RUNTIME },
	{ "hold", 0, &opt_kind_duration, AT(hold), "TIME",
	  "of ipip: how long a connection waits for a segment (100ms; 0: until "
	  "the buffer is full)",
	  .group = HOW, .most = 10 * NS_PER_SEC, .flags = OPT_RUNTIME },
	{ "no-again", 0, &opt_kind_unset, AT(again), NULL,
	  "what was lost is not sent again", .group = HOW,
	  .flags = OPT_RUNTIME },
	{ "ctl", 0, &opt_kind_string, AT(ctl), "PATH",
	  "make a control socket here, for 'understudy ctl'", .group = REST },
	{ "trace", 0, &opt_kind_string, AT(trace), "FILE",
	  "each packet's way and why, as a new pcapng file", .group = REST },
	{ "user", 0, &opt_kind_string, AT(user), "NAME",
	  "become this user when all is open", .group = REST },
	{ "quiet", 'q', &opt_kind_flag, AT(quiet), NULL,
	  "say nothing but errors", .group = REST, .flags = OPT_RUNTIME },
	{ "json", 0, &opt_kind_flag, AT(json), NULL,
	  "the report as a line of JSON", .group = REST },
	{ "check", 0, &opt_kind_flag, AT(check), NULL,
	  "say what stands in the way of each --path, and end", .group = REST },
	{ "help", 'h', &opt_kind_help, 0, NULL, "this text", .group = REST },
};

static int operand(void *base, const char *word, struct errbuf *e)
{
	struct ends_options *o = base;

	if (o->task == ENDS_TUNNEL && strcmp(word, "keygen") == 0)
		o->task = ENDS_KEYGEN;
	else if (o->task == ENDS_TUNNEL && strcmp(word, "padgen") == 0)
		o->task = ENDS_PADGEN;
	else if (o->words < (o->task == ENDS_KEYGEN   ? 1u
			     : o->task == ENDS_PADGEN ? ENDS_WORDS
						      : 0u))
		o->word[o->words++] = word;
	else
		return errbuf_set(e, -EINVAL,
				  "%s: what is it? write keygen FILE, "
				  "padgen FILE SIZE, or options only",
				  word);
	return 0;
}

static const struct opt_table tables[] = {
	{ rows, sizeof(rows) / sizeof(rows[0]), 0 },
};

const struct opt_command tunnel_command = {
	.name = "tunnel",
	.usage = "tunnel [OPTION...] [@FILE] --addr ADDR/LEN --path WAY...\n"
		 "tunnel [OPTION...] [@FILE] --addr ADDR/LEN --listen "
		 "ADDR:PORT\n"
		 "tunnel keygen FILE\n"
		 "tunnel padgen FILE SIZE [SOURCE]\n"
		 "tunnel --check --path WAY...",
	.tables = tables,
	.count = sizeof(tables) / sizeof(tables[0]),
	.operand = operand,
};

/* --- together --- */

/* The network that an address is in. */
static struct ends_net net_of(struct ends_net a)
{
	for (unsigned i = 0; i < IPADDR_BITS; i++)
		if (i >= a.bits)
			a.ip.b[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	return a;
}

static int check_trust(const struct ends_options *o, struct errbuf *e)
{
	if (o->plain && (o->key || o->has_peer || o->psk))
		return errbuf_set(e, -EINVAL,
				  "--plain goes without --key, --peer and "
				  "--psk");
	if (o->pad && (o->plain || o->key || o->has_peer || o->psk))
		return errbuf_set(e, -EINVAL,
				  "--pad goes without --key, --peer, --psk and "
				  "--plain");
	if (o->pad)
		return 0;
	if (!o->plain && !o->key)
		return errbuf_set(e, -EINVAL,
				  "no key; make one by 'understudy tunnel "
				  "keygen FILE' and give --key FILE, or "
				  "--plain to do without");
	if (!o->plain && !o->has_peer)
		return errbuf_set(e, -EINVAL,
				  "who is the other end? give --peer with the "
				  "public key that it prints");
	return 0;
}

/* What IP in IP has not: a session, keys, feedback. */
static int check_ipip(const struct ends_options *o, struct errbuf *e)
{
	if (!o->plain || o->pad || o->key || o->has_peer || o->psk)
		return errbuf_set(e, -EINVAL,
				  "--encap ipip has no keys: who sees the "
				  "packets can read and forge them; say so by "
				  "--plain alone");
	if (o->tap || o->trace || o->classes > 0 || o->keepalive > 0)
		return errbuf_set(e, -EINVAL,
				  "--encap ipip goes without --tap, --class, "
				  "--keepalive and --trace");
	for (unsigned i = 0; i < o->paths; i++) {
		const struct ends_place *p = &o->path[i];

		if (p->port != 0 || p->host[0] != '\0' ||
		    !ipaddr_is4(&p->remote) ||
		    (p->has_local && !ipaddr_is4(&p->local)))
			return errbuf_set(e, -EINVAL,
					  "--path: of --encap ipip is "
					  "LOCAL|DEV|any,ADDRESS; IPv4, and no "
					  "port");
		if (p->config.rate > 0 || p->config.cap > 0 ||
		    p->config.tier != MP_PRIMARY)
			return errbuf_set(e, -EINVAL,
					  "--path: of the words behind it "
					  "--encap ipip takes weight= alone");
	}
	if (o->scheduler == MP_EARLIEST || o->scheduler == MP_COPY)
		return errbuf_set(e, -EINVAL,
				  "--encap ipip measures no path; give "
				  "--scheduler roundrobin, weights or pin");
	if (o->release == MP_RELEASE_EQUAL)
		return errbuf_set(e, -EINVAL,
				  "--encap ipip has no times: --release is "
				  "order or off");
	return 0;
}

static int check_udp(const struct ends_options *o, struct errbuf *e)
{
	if (o->catch_dev)
		return errbuf_set(e, -EINVAL,
				  "--catch is for --encap ipip, whose packets "
				  "may come plain");
	for (unsigned i = 0; i < o->paths; i++)
		if (o->path[i].port == 0)
			return errbuf_set(e, -EINVAL,
					  "--path: lacks the far end's port; "
					  "write ...,ADDRESS:PORT");
	return 0;
}

int ends_options_check(const struct ends_options *o, struct errbuf *e)
{
	if (o->task == ENDS_KEYGEN && o->words == 0)
		return errbuf_set(e, -EINVAL,
				  "keygen: where to? write keygen FILE");
	if (o->task == ENDS_PADGEN && o->words < 2)
		return errbuf_set(e, -EINVAL,
				  "padgen: where to, how long? write padgen "
				  "FILE SIZE");
	if (o->task != ENDS_TUNNEL)
		return 0;
	if (o->check && o->paths == 0)
		return errbuf_set(
			e, -EINVAL,
			"--check: of which way? give --path for each");
	if (o->encap == ENDS_UDP && check_udp(o, e) != 0)
		return -EINVAL;
	if (o->check)
		return o->encap == ENDS_UDP
			       ? 0
			       : errbuf_set(e, -EINVAL,
					    "--check knows no --encap ipip");
	if (o->encap == ENDS_IPIP && o->paths == 0)
		return errbuf_set(e, -EINVAL,
				  "where to? --encap ipip needs a --path for "
				  "each gateway, at either end");
	if (o->paths == 0 && o->listens == 0)
		return errbuf_set(e, -EINVAL,
				  "where is the other end? give --path for "
				  "each way to it, or --listen to wait for "
				  "it");
	if (o->paths > 0 && o->listens > 0)
		return errbuf_set(e, -EINVAL,
				  "one end has --path, the other --listen; "
				  "leave one of them out");
	if (o->addrs == 0 && !o->tap)
		return errbuf_set(e, -EINVAL,
				  "the device has no address; give --addr "
				  "ADDR/LEN, or --tap for a bridge");
	if (o->mtu != 0 && o->mtu < MTU_LEAST)
		return errbuf_set(e, -EINVAL,
				  "--mtu %u: is too small; write a number from "
				  "%d to %d",
				  o->mtu, MTU_LEAST, ENDS_MTU);
	if (o->keepalive > 0 && o->keepalive < NS_PER_SEC)
		return errbuf_set(
			e, -EINVAL,
			"--keepalive: more than one message a second; "
			"write 1s or more");
	if (!places_is_dev(o->dev))
		return errbuf_set(e, -EINVAL,
				  "--dev %s: is no device's name; write up to "
				  "%d letters and digits",
				  o->dev, ENDS_NAME - 1);
	for (unsigned i = 0; i < o->paths; i++)
		if (strcmp(o->path[i].dev, o->dev) == 0)
			return errbuf_set(e, -EINVAL,
					  "--path %s,...: leads into the "
					  "tunnel itself; name the device of "
					  "a real way",
					  o->dev);
	return o->encap == ENDS_IPIP ? check_ipip(o, e) : check_trust(o, e);
}

int ends_options_parse(struct ends_options *o, int argc, char **argv,
		       struct errbuf *e)
{
	int rc;

	*o = (struct ends_options){ .dev = "us0",
				    .weight = 1,
				    .again = true,
				    .hold = HOLD,
				    .offload = ENDS_OFFLOAD_AUTO };
	rc = opt_parse(&tunnel_command, o, argc, argv, NULL, e);
	if (rc != 0)
		return rc;
	/* The other end is on our device's networks, if nothing else is said;
	 * behind a bridge may be any.
	 */
	if (o->allows == 0 && !o->tap)
		for (unsigned i = 0; i < o->addrs; i++)
			o->allow[o->allows++] = net_of(o->addr[i]);
	return ends_options_check(o, e);
}
