/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control.c - The control socket of an end: its knobs, and what happens to it
 *
 * Theory of operation
 *
 * The options are the knobs: those of OPT_RUNTIME are changed in the end's own
 * copy, looked at together as at the start, and given to the machine. If
 * anything refuses, the copy is as it was.
 *
 * The thesis (Enhance TCP Performance with Multiple Path Routing, section 3.4)
 * has knobs of its own under /proc/sys/net/ipv4/multipath. They are rows of a
 * second table, over the same options or the end itself, so that its scripts
 * need other words round them and no other names. Its addresses are those of
 * the gateways, in hex as a little-endian machine has them; here they are the
 * two ends of each path.
 *
 * Events are told where they happen; only what becomes of a path is found by
 * looking at the machine when a turn of the loop is over.
 */
#include <errno.h>
#include <string.h>

#include "ends/ends_internal.h"
#include "opt/values.h"
#include "os/clock.h"

/* --- knobs of the thesis; a field with offset 0 is the end --- */

static int set_nodes(void *field, const struct opt_row *r, const char *v,
		     struct errbuf *e)
{
	struct ends *t = field;
	uint64_t n;

	if (value_get_number(v, &n) != 0 || n < 1 || n > ENDS_PATHS)
		return errbuf_set(e, -EINVAL,
				  "%s %s: write a number from 1 to %d", r->name,
				  v, ENDS_PATHS);
	t->nodes = (unsigned)n;
	return 0;
}

static bool put_nodes(struct text *t, const void *field,
		      const struct opt_row *r, unsigned i)
{
	const struct ends *end = field;
	unsigned n = 0;

	(void)r;
	for (unsigned k = 0; k < ENDS_PATHS; k++)
		n += end->path[k].known && !(end->nodes > 0 && k >= end->nodes);
	if (i == 0)
		text_add(t, "%u", n);
	return i == 0;
}

/* 1:W, or W */
static int set_weights(void *field, const struct opt_row *r, const char *v,
		       struct errbuf *e)
{
	uint32_t *weight = field;
	uint64_t n;

	if (value_get_number(strncmp(v, "1:", 2) == 0 ? v + 2 : v, &n) != 0 ||
	    n < r->least || n > r->most)
		return errbuf_set(e, -EINVAL, "%s %s: write 1:N, N from 1 on",
				  r->name, v);
	*weight = (uint32_t)n;
	return 0;
}

static bool put_weights(struct text *t, const void *field,
			const struct opt_row *r, unsigned i)
{
	const uint32_t *weight = field;

	(void)r;
	if (i == 0)
		text_add(t, "1:%u", *weight);
	return i == 0;
}

static bool put_hex(struct text *t, const struct ends *end, unsigned i,
		    bool remote)
{
	const struct ipaddr *a;
	char s[TEXT_IP];

	for (unsigned k = 0; k < ENDS_PATHS; k++) {
		if (!end->path[k].known || i-- > 0)
			continue;
		a = remote ? &end->path[k].way.remote : &end->path[k].way.local;
		if (ipaddr_is4(a))
			text_add(t, "%02x%02x%02x%02x", a->b[15], a->b[14],
				 a->b[13], a->b[12]);
		else
			text_add(t, "%s", text_ip(s, a));
		return true;
	}
	return false;
}

static bool put_src(struct text *t, const void *field, const struct opt_row *r,
		    unsigned i)
{
	(void)r;
	return put_hex(t, field, i, false);
}

static bool put_dest(struct text *t, const void *field, const struct opt_row *r,
		     unsigned i)
{
	(void)r;
	return put_hex(t, field, i, true);
}

static const struct opt_kind kind_nodes = { false, set_nodes, put_nodes };
static const struct opt_kind kind_weights = { false, set_weights, put_weights };
static const struct opt_kind kind_src = { false, NULL, put_src };
static const struct opt_kind kind_dest = { false, NULL, put_dest };

/* Of a value's words the first is written. */
static const struct opt_word multipath_words[] = {
	{ "1", MP_EARLIEST },
	{ "0", MP_PIN },
	{ "on", MP_EARLIEST },
	{ "off", MP_PIN },
	{ "roundrobin", MP_ROUNDROBIN },
	{ "weights", MP_WEIGHTS },
	{ "copy", MP_COPY },
	{ "earliest", MP_EARLIEST },
	{ "pin", MP_PIN },
	{ NULL, 0 },
};
static const struct opt_word buffer_words[] = {
	{ "1", MP_RELEASE_ORDER },     { "0", MP_RELEASE_OFF },
	{ "on", MP_RELEASE_ORDER },    { "off", MP_RELEASE_OFF },
	{ "equal", MP_RELEASE_EQUAL }, { NULL, 0 },
};
static const struct opt_word log_words[] = {
	{ "1", false },	 { "0", true }, { "on", false },
	{ "off", true }, { NULL, 0 },
};

#define AT(member) offsetof(struct ends, set.member)

static const struct opt_row thesis_rows[] = {
	{ "multipath", 0, &opt_kind_word, AT(scheduler), "0|1|SCHEDULER",
	  "whether connections are spread", .words = multipath_words,
	  .flags = OPT_RUNTIME },
	{ "numOfNode", 0, &kind_nodes, 0, "N", "paths that we send on",
	  .flags = OPT_RUNTIME },
	{ "weights", 0, &kind_weights, AT(weight), "1:N",
	  "of the first path and the others", .least = 1, .most = 1000000,
	  .flags = OPT_RUNTIME },
	{ "srcAddr", 0, &kind_src, 0, "ADDR", "our end of each path",
	  .flags = 0 },
	{ "destAddr", 0, &kind_dest, 0, "ADDR", "the far end of each path",
	  .flags = 0 },
	{ "bufferOn", 0, &opt_kind_word, AT(release), "0|1",
	  "whether what arrives is put in order", .words = buffer_words,
	  .flags = OPT_RUNTIME },
	{ "bufferSize", 0, &opt_kind_u32, AT(buffer_size), "N",
	  "packets that a connection may hold", .most = ENDS_HELD,
	  .flags = OPT_RUNTIME },
	{ "log", 0, &opt_kind_switch, AT(quiet), "0|1",
	  "whether it is said what happens", .words = log_words,
	  .flags = OPT_RUNTIME },
};

/* The first is that of the command line. */
static struct opt_table tables[2] = {
	[1] = { thesis_rows, sizeof(thesis_rows) / sizeof(thesis_rows[0]), 0 },
};
static const struct opt_command knobs = {
	.name = "tunnel",
	.tables = tables,
	.count = sizeof(tables) / sizeof(tables[0]),
};

/* --- changes --- */

/** struct kept - What was before a change */
static struct {
	struct ends_options set;
	unsigned nodes;
} kept;

static int before(void *ctx, const char *name, struct errbuf *e)
{
	const struct ends *t = ctx;

	(void)name;
	(void)e;
	kept.set = t->set;
	kept.nodes = t->nodes;
	return 0;
}

struct mp_config control_config(const struct ends *t)
{
	struct mp_config c = mp_config_default();

	c.scheduler = t->o->scheduler;
	c.release = t->o->release;
	c.weight = t->o->weight;
	c.again = t->o->again;
	c.size = t->o->buffer_size;
	c.timed = t->timed;
	c.ethernet = t->o->tap;
	return c;
}

static int apply(struct ends *t, struct errbuf *e)
{
	struct mp_config c = control_config(t);
	int r = ends_options_check(&t->set, e);

	if (r != 0)
		return r;
	if (c.release == MP_RELEASE_EQUAL && !t->timed)
		return errbuf_set(e, -EPERM,
				  "release equal makes packets longer; start "
				  "both ends with --release equal");
	if (mp_configure(t->mp, &c) != 0)
		return errbuf_set(e, -EINVAL, "the machine refuses that");
	return 0;
}

static int after(void *ctx, const char *name, struct errbuf *e)
{
	struct ends *t = ctx;
	uint64_t now = clock_mono();
	int r = apply(t, e);

	(void)name;
	if (r != 0) {
		t->set = kept.set;
		t->nodes = kept.nodes;
		return r;
	}
	paths_configure(t);
	if (t->set.keepalive != kept.set.keepalive)
		t->greet_at = t->set.keepalive > 0 ? now : UINT64_MAX;
	/* A turn, so that what is due by the change is done. */
	loop_set(&t->on_time, now);
	return 0;
}

int control_open(struct ends *t, struct errbuf *e)
{
	struct ctl_config c = { .path = t->o->ctl,
				.options = &knobs,
				.base = t,
				.before = before,
				.after = after,
				.ctx = t,
				.shown = report_shown(t) };

	if (!t->o->ctl)
		return 0;
	tables[0] = tunnel_command.tables[0];
	tables[0].base = offsetof(struct ends, set);
	return ctl_open(&t->ctl, &t->arena, &c, e);
}

/* --- events --- */

static void tell_path(struct ends *t, const char *name, unsigned i)
{
	const struct wire_way *way = &t->path[i].way;
	char s[TEXT_ENDPOINT];
	struct json j;

	if (!ctl_event(t->ctl, &j, name))
		return;
	json_u64(&j, "path", i);
	json_str(&j, "to", text_endpoint(s, &way->remote, way->port));
	ctl_tell(t->ctl, &j);
}

void control_paths(struct ends *t)
{
	for (unsigned i = 0; t->ctl && i < ENDS_PATHS; i++) {
		struct ends_path *p = &t->path[i];
		bool up = p->added && mp_path_alive(t->mp, i);

		if (up == p->up)
			continue;
		p->up = up;
		tell_path(t,
			  !up	    ? "path_down"
			  : p->once ? "path_back"
				    : "path_up",
			  i);
		p->once = true;
	}
}

/* Only a search that is over, or a black hole, changes a limit. */
static uint64_t searches(const struct ends *t)
{
	const struct mp_counters *n = mp_counters(t->mp);

	return n->size_found + n->size_black;
}

static void tell_mtu(struct ends *t, unsigned i, uint32_t mtu)
{
	struct json j;

	if (!ctl_event(t->ctl, &j, "path_mtu"))
		return;
	json_u64(&j, "path", i);
	json_u64(&j, "mtu", mtu);
	ctl_tell(t->ctl, &j);
}

void control_mtus(struct ends *t)
{
	uint32_t head = t->timed ? MP_HEADER_TIMED : MP_HEADER;

	if (!t->ctl || searches(t) == t->searches)
		return;
	t->searches = searches(t);
	for (unsigned i = 0; i < ENDS_PATHS; i++) {
		struct mp_path_info info;

		mp_path_info(t->mp, i, &info);
		if (info.size == 0 || info.size - head == t->path[i].mtu)
			continue;
		t->path[i].mtu = info.size - head;
		tell_mtu(t, i, info.size - head);
	}
}

void control_moved(struct ends *t, unsigned path)
{
	tell_path(t, "path_moved", path);
}

void control_left(struct ends *t, unsigned path)
{
	tell_path(t, "path_left", path);
}

void control_session(struct ends *t, bool is_new)
{
	struct json j;

	if (ctl_event(t->ctl, &j, is_new ? "peer" : "rekey"))
		ctl_tell(t->ctl, &j);
}
