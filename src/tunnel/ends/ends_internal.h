/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ends_internal - One end while it runs
 */
#ifndef ENDS_ENDS_INTERNAL_H
#define ENDS_ENDS_INTERNAL_H

#include "core/arena.h"
#include "ctl/ctl.h"
#include "ends/counters.h"
#include "ends/device.h"
#include "ends/ends.h"
#include "ends/inner.h"
#include "ends/pads.h"
#include "ends/wire.h"
#include "keys/link.h"
#include "match/filter.h"
#include "os/loop.h"
#include "pieces/join.h"
#include "pieces/parts.h"

/**
 * struct ends_path - Where a path leads
 * @known:	@way is known: from the command line, or from an authentic
 *		packet
 * @added:	The machine uses it
 */
struct ends_path {
	bool known;
	bool added;
	bool up;	    /* alive, as far as who watches was told */
	bool once;	    /* it was up before */
	uint32_t mtu;	    /* the same of its MTU; 0: nothing */
	uint32_t told;	    /* errors that the network reported; told.c */
	uint32_t told_size; /* of these, that a datagram is too long */
	struct mp_path_config config;
	struct wire_way way;
};

/** struct ends - An end; all memory is in @arena */
struct ends {
	const struct ends_options *o; /* @set */
	struct ends_options set;      /* control.c changes it while it runs */
	uint64_t searches;	      /* of MTUs, that who watches knows of */
	unsigned nodes;		      /* paths that we send on; 0: all */
	bool timed; /* packets bear a time, as release equal wants */
	struct arena arena;
	struct ctl *ctl; /* or NULL */
	struct pads pads;
	struct link *link;
	struct mp *mp;
	struct wire *wire;
	int device;
	struct device_can can;
	struct join *join;
	struct parts *parts;
	uint16_t frames; /* number of the next one that goes in parts */
	uint32_t mtu;
	struct ends_path path[ENDS_PATHS];
	uint8_t pub[CRYPTO_KEY];
	struct filter filter[ENDS_CLASSES]; /* classes.c */
	struct loop *loop;
	struct loop_watch on_device;
	struct loop_watch on_socket[WIRE_SOCKETS];
	struct loop_watch on_signal;
	struct loop_watch on_time;
	uint64_t armed; /* time that @on_time is set to */
	uint64_t greet_at;
	uint64_t real;	     /* trace.c: time of day less monotonic time, ns */
	uint64_t answers_at; /* fits.c: the second that @answers are of */
	uint32_t answers;
	int signals;
	struct ends_counters n;
	uint8_t packet[VNET_HEADER + JOIN_MOST]; /* of the device */
};

/* paths.c */

/**
 * paths_init() - Take those of the command line, and see that none is a loop
 */
int paths_init(struct ends *t, struct errbuf *e);

/** paths_loops() - Is this a packet of the tunnel, routed into it? */
bool paths_loops(const struct ends *t, const struct inner_head *h);

/** told_take() - Errors that the network reports wait at this socket */
void told_take(struct ends *t, unsigned socket, uint64_t now);

/** paths_from() - Paths that lead where this came from, as bits */
uint32_t paths_from(const struct ends *t, const struct wire_came *came);

/**
 * paths_proved() - An authentic datagram came by path @i from @way, the newest
 */
void paths_proved(struct ends *t, unsigned i, const struct wire_way *way,
		  bool newest, uint64_t now);

/**
 * paths_forget() - Another process is at the other end: all but path @but are
 * void
 */
void paths_forget(struct ends *t, unsigned but, uint64_t now);

/** paths_use() - Let the machine use all that are known */
void paths_use(struct ends *t, uint64_t now);

/** paths_configure() - Let the machine use them as they are configured now */
void paths_configure(struct ends *t);

/* classes.c */

/** classes_open() - Compile the filters. Return: 0 or -Exxx with a sentence */
int classes_open(struct ends *t, struct errbuf *e);
void classes_close(struct ends *t);

/** classes_find() - Of which class is this packet? */
enum mp_class classes_find(const struct ends *t, const uint8_t *p, uint32_t n);

/* fits.c */

/** fits_mtu() - The device's, if it was not given: what fits into LINK_MTU */
uint32_t fits_mtu(const struct ends_options *o, uint32_t overhead);

/** fits_limit() - The longest packet, of the family of @p, that all paths take
 */
uint32_t fits_limit(const struct ends *t, const uint8_t *p);

/** fits_shorten() - Let the ends of a connection send packets that fit */
void fits_shorten(struct ends *t, uint8_t *p, uint32_t n);

/** fits_out() - Does a packet of the device fit? If not, its source is told */
bool fits_out(struct ends *t, uint8_t *p, uint32_t n, uint64_t now);

/* effects.c */

/** effects_do() - Do what a call of the machine wants done */
void effects_do(struct ends *t, struct mp_effects *out, uint64_t now);

/** effects_flush() - Hand on and send what has gathered */
void effects_flush(struct ends *t);

/**
 * effects_write() - Give the device a packet
 * @p, @n:	The packet; VNET_HEADER bytes in front of it are overwritten
 * @v:		What it is to be told of it
 *
 * Return: whether it took it
 */
bool effects_write(struct ends *t, uint8_t *p, uint32_t n,
		   const struct vnet *v);

/* packets.c */

/**
 * packets_take() - Take a packet of the device. Return: how many it was, 0:
 * there is none
 */
uint32_t packets_take(struct ends *t, uint64_t now);

/* trace.c */

/** trace_open() - Make the file, if --trace asks for one */
int trace_open(struct ends *t, struct errbuf *e);

/** trace_start() - Start who writes it */
int trace_start(struct errbuf *e);

/** trace_effect() - Note what is done with a packet */
void trace_effect(struct ends *t, const struct mp_effect *x, uint64_t now);

/** trace_close() - Write the rest */
void trace_close(void);

/* report.c */

/** report_shown() - What is counted, for reports and the control socket */
struct ctl_shown report_shown(struct ends *t);

/** report_end() - Print what was counted so far */
void report_end(struct ends *t);

/* control.c */

/** control_open() - Make the control socket, if --ctl asks for one */
int control_open(struct ends *t, struct errbuf *e);

/** control_config() - How the machine is to work, by the options */
struct mp_config control_config(const struct ends *t);

/* What happened, for who watches. */
void control_paths(struct ends *t);
void control_mtus(struct ends *t);
void control_moved(struct ends *t, unsigned path);
void control_left(struct ends *t, unsigned path);
void control_session(struct ends *t, bool is_new);

#endif /* ENDS_ENDS_INTERNAL_H */
