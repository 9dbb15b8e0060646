/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * router.c - The program that routes spliced connections, and its tables
 *
 * Theory of operation
 *
 * How pairs come and go is the program's (route/maps.h): here it is asked to,
 * by running one of its parts.
 *
 * Pinned tables lie in the kernel without us, and how many of their places were
 * ever taken lies there, too; a place that was lost by a process which died
 * while it was asking stays lost. A lock on the folder keeps a second process
 * out, and goes with the process.
 */
#include "route/router.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "route/route.skel.h"

#define PIN_MAX	    200	  /* of a path */
#define SWEEP_SHARE 8	  /* of all places a sweep looks at one in so many, */
#define SWEEP_LEAST 1024u /* and at these */

struct router {
	struct route *skel;
	struct ring_buffer *ring;
	int slots;
	int counts;
	int state;
	int forwards;
	int served;
	int folder; /* locked; -1: nothing is pinned */
	uint32_t pairs;
	struct join_event event;
	bool has_event;
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

static int on_event(void *ctx, void *data, size_t size)
{
	struct router *r = ctx;

	if (size < sizeof(r->event))
		return 0;
	memcpy(&r->event, data, sizeof(r->event));
	r->has_event = true;
	return -ECANCELED; /* no more for now */
}

/* Have the folder for us alone. */
static int lock_folder(struct router *r, const char *pin)
{
	if (mkdir(pin, 0700) != 0 && errno != EEXIST)
		return -errno;
	r->folder = open(pin, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->folder < 0)
		return -errno;
	if (flock(r->folder, LOCK_EX | LOCK_NB) == 0)
		return 0;
	return errno == EWOULDBLOCK ? -EBUSY : -errno;
}

static int pin_maps(struct router *r, const char *pin)
{
	const struct {
		const char *name;
		struct bpf_map *map;
	} maps[] = { { "ends", r->skel->maps.join_ends },
		     { "slots", r->skel->maps.join_slots },
		     { "free", r->skel->maps.join_free },
		     { "timewait", r->skel->maps.join_timewait },
		     { "events", r->skel->maps.join_events },
		     { "counts", r->skel->maps.join_counts },
		     { "state", r->skel->maps.join_state },
		     { "forwards", r->skel->maps.join_forwards } };
	char path[PIN_MAX]; /* a bpffs takes no dots in a name */
	int rc = 0;

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]) && rc == 0; i++) {
		int n = snprintf(path, sizeof(path), "%s/%s-%d", pin,
				 maps[i].name, JOIN_LAYOUT);

		if (n >= (int)sizeof(path))
			return -ENAMETOOLONG;
		rc = bpf_map__set_pin_path(maps[i].map, path);
	}
	return rc;
}

int router_state(const struct router *r, struct join_state *s)
{
	uint32_t first = 0;

	return bpf_map_lookup_elem(r->state, &first, s) == 0 ? 0 : -errno;
}

/* How many places were ever taken? */
static uint32_t used(const struct router *r)
{
	struct join_state s;

	return router_state(r, &s) == 0 && s.used < r->pairs ? s.used
							     : r->pairs;
}

/* What is added to our clock of timestamps: the same for all processes until
 * this host starts again, as the clock is, and known to nobody else.
 */
static uint32_t clock_offset(void)
{
	uint32_t h = 2166136261u; /* FNV-1a */
	char id[64];
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, id, sizeof(id)) : 0;

	for (ssize_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)id[i]) * 16777619u;
	if (fd >= 0)
		close(fd);
	return h;
}

/* Those of another process, which listened there. */
static void forget_forwards(struct router *r)
{
	struct join_at at;

	while (bpf_map_get_next_key(r->forwards, NULL, &at) == 0)
		if (bpf_map_delete_elem(r->forwards, &at) != 0)
			break;
}

static int load(struct router *r, const struct router_config *c)
{
	int rc = 0;

	r->skel = route__open();
	if (!r->skel)
		return -errno;
	r->skel->rodata->join_config.limits = c->limits;
	r->skel->rodata->join_config.key = c->key;
	r->skel->rodata->join_config.clock = clock_offset();
	r->skel->rodata->join_config.pairs = c->pairs;
	r->skel->rodata->join_config.mark = c->mark;
	bpf_map__set_max_entries(r->skel->maps.join_ends, 2 * c->pairs);
	bpf_map__set_max_entries(r->skel->maps.join_slots, c->pairs);
	bpf_map__set_max_entries(r->skel->maps.join_free, c->pairs);
	bpf_map__set_max_entries(r->skel->maps.join_timewait, c->pairs);
	if (c->pin)
		rc = lock_folder(r, c->pin);
	if (rc == 0 && c->pin)
		rc = pin_maps(r, c->pin);
	if (rc != 0)
		return rc;
	if (route__load(r->skel) != 0)
		return -errno;
	r->slots = bpf_map__fd(r->skel->maps.join_slots);
	r->counts = bpf_map__fd(r->skel->maps.join_counts);
	r->state = bpf_map__fd(r->skel->maps.join_state);
	r->forwards = bpf_map__fd(r->skel->maps.join_forwards);
	r->served = bpf_map__fd(r->skel->maps.join_served);
	forget_forwards(r);
	r->ring = ring_buffer__new(bpf_map__fd(r->skel->maps.join_events),
				   on_event, r, NULL);
	return !r->ring ? -errno : 0;
}

int router_open(struct router **out, const struct router_config *c,
		struct errbuf *e)
{
	struct router *r;
	int rc;

	if (c->pairs == 0 || c->pairs > JOIN_PAIRS)
		return errbuf_set(e, -EINVAL, "pairs: 1 to %u", JOIN_PAIRS);
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->pairs = c->pairs;
	r->folder = -1;
	libbpf_set_print(print_nothing);
	rc = load(r, c);
	if (rc != 0) {
		router_close(r);
		if (!c->pin)
			return errbuf_set(e, rc, "the splicing program: %s",
					  strerror(-rc));
		return errbuf_set(
			e, rc, "the splicing program, pinned in %s: %s%s",
			c->pin, strerror(-rc),
			rc == -EINVAL ? " (another number of pairs?)" : "");
	}
	*out = r;
	return 0;
}

void router_close(struct router *r)
{
	if (!r)
		return;
	ring_buffer__free(r->ring);
	route__destroy(r->skel);
	if (r->folder >= 0)
		close(r->folder);
	free(r);
}

int router_fd(const struct router *r)
{
	return ring_buffer__epoll_fd(r->ring);
}

void router_tables(const struct router *r, int fd[2])
{
	fd[0] = bpf_map__fd(r->skel->maps.join_ends);
	fd[1] = r->slots;
}

int router_program(const struct router *r)
{
	return bpf_program__fd(r->skel->progs.join_route);
}

/* Return: 0 or -ESTALE */
static int read_slot(const struct router *r, const struct join_name *name,
		     struct join_slot *slot)
{
	if (bpf_map_lookup_elem(r->slots, &name->place, slot) != 0 ||
	    slot->pair.generation != name->generation)
		return -ESTALE;
	return 0;
}

/* Run one of the programs with what it takes for a packet, and may change. */
static int call_program(const struct bpf_program *prog, void *what, uint32_t n,
			uint32_t *said)
{
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = what, .data_size_in = n,
		    .data_out = what, .data_size_out = n, .repeat = 1);
	int rc = bpf_prog_test_run_opts(bpf_program__fd(prog), &o);

	*said = o.retval;
	return rc;
}

int router_intend(struct router *r, const struct splice_tuple *client,
		  const struct splice_tuple *server, bool ip6,
		  const struct join_way way[DIR_COUNT], struct join_name *name,
		  struct join_peer *peer)
{
	struct join_ask a = { .tuple = { *client, *server },
			      .way = { way[DIR_C2S], way[DIR_S2C] },
			      .ip6 = ip6 };
	uint32_t said = 0;
	int rc = call_program(r->skel->progs.join_intend, &a, sizeof(a), &said);

	if (rc != 0)
		return rc;
	if (said != 0)
		return said == JOIN_TAKEN ? -EEXIST : -ENOSPC;
	*name = a.name;
	*peer = a.peer;
	return 0;
}

int router_splice(struct router *r, const struct join_name *name,
		  const uint32_t pending[DIR_COUNT],
		  const uint32_t cut[DIR_COUNT], uint32_t *events)
{
	struct join_call call = { .name = *name,
				  .pending = { pending[DIR_C2S],
					       pending[DIR_S2C] },
				  .has_cut = cut != NULL };
	uint32_t said = 0;
	int rc;

	if (cut)
		memcpy(call.cut, cut, sizeof(call.cut));
	rc = call_program(r->skel->progs.join_splice, &call, sizeof(call),
			  &said);
	if (rc != 0)
		return rc;
	if (said & JOIN_SPLICED) {
		*events = said & ~JOIN_SPLICED;
		return 0;
	}
	if (said == JOIN_NO_PAIR)
		return -ESTALE;
	return said == SPLICE_TS_DIFFER ? -EOPNOTSUPP : -ENOTCONN;
}

int router_cut(struct router *r, const struct join_name *name,
	       enum join_cutting what, const uint32_t cut[DIR_COUNT],
	       uint32_t *events)
{
	struct join_cut_call call = { .name = *name, .what = what };
	uint32_t said = 0;
	int rc;

	if (cut)
		memcpy(call.cut, cut, sizeof(call.cut));
	rc = call_program(r->skel->progs.join_cut, &call, sizeof(call), &said);
	if (rc != 0)
		return rc;
	if (said == JOIN_NO_PAIR)
		return -ESTALE;
	if (!(said & JOIN_SPLICED))
		return -EINVAL;
	*events = said & ~JOIN_SPLICED;
	return 0;
}

int router_move(struct router *r, const struct join_name *name,
		const struct join_way way[DIR_COUNT])
{
	struct join_moved m = { .name = *name,
				.way = { way[DIR_C2S], way[DIR_S2C] } };
	uint32_t said = 0;
	int rc = call_program(r->skel->progs.join_move, &m, sizeof(m), &said);

	return rc != 0 ? rc : said == 0 ? 0 : -ESTALE;
}

int router_look(const struct router *r, const struct join_name *name,
		struct splice_pair *p)
{
	struct join_slot slot;
	int rc = read_slot(r, name, &slot);

	if (rc == 0)
		*p = slot.pair;
	return rc;
}

int router_each(const struct router *r, uint32_t *at, struct join_name *name,
		struct splice_pair *p)
{
	uint32_t last = used(r);

	while (*at < last) {
		uint32_t place = (*at)++;
		struct join_slot slot;

		if (bpf_map_lookup_elem(r->slots, &place, &slot) != 0 ||
		    !join_is_taken(slot.pair.generation))
			continue;
		name->place = place;
		name->generation = slot.pair.generation;
		*p = slot.pair;
		return 1;
	}
	return 0;
}

int router_put(struct router *r, const struct join_name *name,
	       const struct splice_pair *p)
{
	struct join_slot slot;
	int rc = read_slot(r, name, &slot);

	if (rc != 0)
		return rc;
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++) {
		struct splice_tuple t = slot.pair.side[d].tuple;

		slot.pair.side[d] = p->side[d];
		slot.pair.side[d].tuple = t;
	}
	slot.pair.map = p->map;
	slot.pair.seen = p->seen;
	slot.pair.since = p->since;
	slot.pair.flags = p->flags;
	return bpf_map_update_elem(r->slots, &name->place, &slot, BPF_F_LOCK) ==
			       0
		       ? 0
		       : -errno;
}

int router_forget(struct router *r, const struct join_name *name)
{
	struct join_call call = { .name = *name };
	uint32_t said = 0;
	int rc = call_program(r->skel->progs.join_forget, &call, sizeof(call),
			      &said);

	return rc != 0 ? rc : said == 0 ? 0 : -ESTALE;
}

void router_sweep(struct router *r, const struct splice_limits *l, uint64_t now,
		  uint32_t *at)
{
	uint32_t last = used(r);
	uint32_t said;
	struct join_look look = { .first = *at < last ? *at : 0,
				  .most = last / SWEEP_SHARE + SWEEP_LEAST,
				  .now = now,
				  .limits = *l };

	if (look.most > last - look.first)
		look.most = last - look.first;
	call_program(r->skel->progs.join_sweep, &look, sizeof(look), &said);
	*at = look.first + look.most;
}

int router_forward(struct router *r, const struct join_at *at,
		   const struct join_forward *f)
{
	if (bpf_map_update_elem(r->forwards, at, f, BPF_ANY) != 0)
		return errno == E2BIG ? -ENOSPC : -errno;
	r->skel->bss->join_passes = 1;
	return 0;
}

int router_served(const struct router *r, uint32_t at, uint64_t *n)
{
	return bpf_map_lookup_elem(r->served, &at, n) == 0 ? 0 : -errno;
}

void router_unforward(struct router *r, const struct join_at *at)
{
	bpf_map_delete_elem(r->forwards, at);
}

int router_next(struct router *r, struct join_event *e)
{
	r->has_event = false;
	ring_buffer__consume(r->ring);
	if (r->has_event)
		*e = r->event;
	return r->has_event;
}

int router_counts(const struct router *r, uint64_t n[JOIN_COUNTS])
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t *each;

	if (cpus < 0)
		return cpus;
	each = calloc((size_t)cpus, sizeof(*each));
	if (!each)
		return -ENOMEM;
	for (uint32_t i = 0; i < JOIN_COUNTS; i++) {
		n[i] = 0;
		if (bpf_map_lookup_elem(r->counts, &i, each) != 0)
			break;
		for (int c = 0; c < cpus; c++)
			n[i] += each[c];
	}
	free(each);
	return 0;
}
