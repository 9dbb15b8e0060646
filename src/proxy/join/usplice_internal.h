/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usplice_internal - What the files of the library share
 *
 * usplice.c, pair.c and passages.c call the others; these call nobody but
 * note.c, which
 * closes sockets by pre.c. Names that begin with usplice_ are exported, and no
 * others.
 */
#ifndef JOIN_USPLICE_INTERNAL_H
#define JOIN_USPLICE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/hook.h"
#include "bpf/way.h"
#include "core/dir.h"
#include "core/ipaddr.h"
#include "core/list.h"
#include "route/router.h"
#include "route/table.h"
#include "join/usplice.h"
#include "splice/over.h"
#include "splice/pair.h"

#define DEVICES_MAX                                                            \
	32 /* beyond them a pair is refused, and a way not followed */
#define PIN_PATH_MAX 160
#define PRE_BUFFER   65536 /* bytes that are relayed at a time */
#define WAYS_KNOWN   256   /* a way that finds no place is asked for again */

/** enum pair_state - Of a struct usplice_pair */
enum pair_state {
	PAIR_FREE,
	PAIR_INTENDED,
	PAIR_CONNECTING, /* intended, and the server was asked by us */
	PAIR_PRE,	 /* spliced, and our sockets are still in it */
	PAIR_SPLICED,
	PAIR_APART, /* its cut is reached: for usplice_unsplice() */
	PAIR_OVER, /* its place may be another's; USPLICE_OVER is still to be told */
};

/**
 * struct usplice_pair - A pair, as the caller has it
 * @s:		Whose
 * @link:	In free, told, or none
 * @late:	In usplice.late, while it is in TIMEWAIT
 * @name:	In the router
 * @user:	The caller's
 * @tuple, @way: Of what the peer of each side sends; how it is reached
 * @fd:		By the direction of what they receive. INTENDED, CONNECTING: the
 *		caller's; PRE, APART: ours; SPLICED, with @has_cut: ours, if
 *		they were made already (back.c); else -1
 * @watched, @looked: Bits by direction: in usplice.epoll; looked into
 * @spoken:	PRE: the server may have said something before it was spliced
 * @hurried:	PRE: its receiver's socket sends at once what it is given
 * @shared:	PRE: the caller has descriptors of the same sockets
 * @sent:	PRE: bytes of each direction that were sent on and still lie in
 *		the socket that has received them
 * @ended:	PRE: the direction has ended, and its receiver was told
 * @error:	Of the note USPLICE_CONNECTED
 * @held:	PRE: the server may have said something behind @extra
 * @has_cut:	No more than @cut bytes cross, by direction
 * @beyond:	PRE: there is something behind @cut
 * @crossed:	APART: bytes that have
 * @mss:	SPLICED, with @has_cut: largest segment of what is sent to each
 *		peer, options of TCP included
 * @extra:	PRE: bytes that the caller will still write to the client
 * @notes:	Bits by enum usplice_event: still to be told
 * @fin, @reset: Bits by direction: of these notes
 * @reason:	With PAIR_OVER
 * @last:	Its counters, when they were last read
 */
struct usplice_pair {
	struct usplice *s;
	struct list link;
	struct list late;
	struct join_name name;
	void *user;
	struct splice_tuple tuple[DIR_COUNT];
	struct join_way way[DIR_COUNT];
	int fd[DIR_COUNT];
	int error;
	uint8_t watched;
	uint8_t looked;
	bool spoken;
	bool held;
	bool hurried[DIR_COUNT];
	bool shared;
	bool has_cut;
	bool beyond;
	uint32_t cut[DIR_COUNT];
	uint32_t crossed[DIR_COUNT];
	uint16_t mss[DIR_COUNT];
	uint32_t sent[DIR_COUNT];
	bool ended[DIR_COUNT];
	uint32_t extra;
	uint8_t state;
	uint8_t notes;
	uint8_t fin;
	uint8_t reset;
	uint8_t reason;
	struct usplice_stats last;
};

/**
 * struct passage - A forward
 * @at, @f:	As the router has it; @f.way follows routes
 */
struct passage {
	struct join_at at;
	struct join_forward f;
};

/** struct served - A server whose connections the program counts; its index is
 * join_server.served. It is never another one's: counts go on when it is back
 */
struct served {
	struct join_at at;
	uint8_t ip[16];
	uint32_t port;
};

/**
 * struct known_way - A way that was asked for
 * @peer, @ours: Of the question; @ours may be none
 * @until:	Good until then, ns
 */
struct known_way {
	struct ipaddr peer;
	struct ipaddr ours;
	struct way way;
	uint64_t until;
};

/**
 * struct usplice - The library
 * @router:	The program and its tables
 * @epoll:	What usplice_fd() gives: the router's events, @timer, @watch,
 *		and the sockets of pairs in CONNECTING and PRE
 * @timer, @watch, @routes: A timerfd; changes of routes and hooks; to ask for
 *		routes
 * @device:	Where the program is attached
 * @passage:	Forwards
 * @known:	Ways, by a hash of what they are known for
 * @pairs:	Twice as many as the router has places, since the place of one
 *		that is over may be another's before the caller has asked
 * @by_place:	Who has a place; index into @pairs, UINT32_MAX: nobody that we
 *		know
 * @free, @told, @late: Lists of pairs: free ones; with notes; in TIMEWAIT
 * @last:	USPLICE_OVER was told: free when the caller comes again
 * @next_port:	To be tried
 * @syn_port_low, @syn_ports: Ports of forwards
 * @sweep_at, @follow_at, @follow_syn_at, @adopt_at: Where walks over places,
 *		pairs, and twice places go on; @follow_at is @n_pairs when
 *		routes were followed, @follow_syn_at UINT32_MAX
 * @look_at:	As @follow_at, for ever; @to_look: of all pairs, those that have
 *		to be looked at, since @missed events are lost now
 * @inside:	usplice_next() is at work, or will be called again at once; else
 *		a note must make @epoll readable
 * @has_syn:	There were pairs made of SYNs before us
 * @emptied:	All that @epoll had to tell was taken
 * @listeners, @prepared: How often usplice_init() was called, and for one that
 *		did not listen yet
 * @ticking:	@timer is set
 * @pausing:	The router's events may wake nobody: @timer looks at them
 * @tick_at:	When it is time to look for pairs that are over, ns
 * @peeks:	This kernel lets us look into a socket of TCP at an offset
 */
struct usplice {
	struct router *router;
	struct usplice_options o;
	char pin[PIN_PATH_MAX];
	int epoll;
	int timer;
	int watch;
	int routes;
	struct hook device[DEVICES_MAX];
	unsigned n_devices;
	struct passage passage[JOIN_FORWARDS];
	unsigned n_passages;
	struct served served[JOIN_SERVED];
	uint32_t n_served;
	struct known_way known[WAYS_KNOWN];
	struct usplice_pair *pairs;
	uint32_t n_pairs;
	uint32_t used; /* of @pairs, those that were ever taken */
	uint32_t *by_place;
	struct list free;
	struct list told;
	struct list late;
	struct usplice_pair *last;
	uint16_t next_port;
	uint32_t syn_port_low;
	uint32_t syn_ports; /* 0: nothing was passed on yet */
	uint32_t sweep_at;
	uint32_t follow_at;
	uint32_t follow_syn_at;
	uint32_t adopt_at;
	uint32_t look_at;
	uint32_t to_look;
	uint64_t missed;
	uint32_t live; /* pairs that are not free */
	unsigned listeners;
	unsigned prepared;
	uint64_t tick_at;
	bool inside;
	bool has_syn;
	bool emptied;
	bool ticking;
	bool pausing;
	bool peeks;
	struct usplice_counters counters;
	uint8_t buffer[PRE_BUFFER];
};

/** pairs_told() - Take what the router tells: it is memory, and costs no call.
 * Return: there was something
 */
bool pairs_told(struct usplice *s);

/* --- pair.c --- */

/** pair_address() - A socket's address as tuples have it. Return: 0 or
 * -EAFNOSUPPORT, -EINVAL
 */
int pair_address(const struct sockaddr *a, socklen_t n, uint8_t ip[16],
		 uint16_t *port);

/** pair_bind() - Bind a socket to our end of a tuple, which may have another
 * host's address (@foreign). Return: 0 or -Exxx
 */
int pair_bind(int fd, const struct splice_tuple *t, bool foreign);

/* --- back.c: a pair ends at a cut --- */

/** back_joined() - A pair with a cut was joined: make the sockets that follow;
 * it may be over then
 */
void back_joined(struct usplice_pair *p);

/** back_cut() - Its cut is reached; it may be over then */
void back_cut(struct usplice_pair *p);

/** back_event() - A segment of direction @d has made @events. As back_cut() */
void back_event(struct usplice_pair *p, enum dir d, uint32_t events);

/** back_drop() - Close sockets that were made and are not needed; nobody is
 * told
 */
void back_drop(struct usplice_pair *p);

/* --- passages.c: connections that are passed on from their SYN --- */

/** passages_follow() - Routes have changed: look again how some are reached.
 * Return: there are more
 */
bool passages_follow(struct usplice *s);

/* --- note.c: which pairs there are, and what is to be told of them --- */

/** pair_take() - A free one, or NULL */
struct usplice_pair *pair_take(struct usplice *s);

/** pair_named() - It has this place from now on; who had it is over */
void pair_named(struct usplice_pair *p, const struct join_name *name);

/** pair_find() - Who has a name? NULL: nobody that we know */
struct usplice_pair *pair_find(struct usplice *s, const struct join_name *n);

/** pair_free() - It is nobody's */
void pair_free(struct usplice_pair *p);

/** pair_note() - Something is to be told of it */
void pair_note(struct usplice_pair *p, enum usplice_event what);

/**
 * pair_over() - It is over; its sockets, if it has any, are closed as @how says
 */
void pair_over(struct usplice_pair *p, enum usplice_reason why);

/** pair_ending() - It is in TIMEWAIT: @what says why */
void pair_ending(struct usplice_pair *p, enum usplice_event what);

/** pair_joined() - Its sockets are out of it, if they still were in */
void pair_joined(struct usplice_pair *p);

/**
 * pair_read() - Read its counters, while it has its place. Return: 0 or -ESTALE
 */
int pair_read(struct usplice_pair *p);

/** tick_set() - Let the timer run out in @ns */
void tick_set(struct usplice *s, uint64_t ns);

/** pause_set() - Look at the router's events, which may wake nobody until then,
 * and tell what is to be told, in JOIN_PAUSE
 */
void pause_set(struct usplice *s);

/* --- pre.c: sockets of pairs, until these are joined --- */

/** pre_peeks() - Does this kernel look into a socket of TCP at an offset? */
bool pre_peeks(void);

/** pre_keep_urgent() - A byte of urgent data is one of the stream, or numbers
 * would be wrong by one; inherited by what a listener accepts
 */
void pre_keep_urgent(int fd);

/** pre_ask() - Connect a socket to whom a tuple is of. Return: 0; -EINPROGRESS;
 * or another -Exxx
 */
int pre_ask(int fd, const struct splice_tuple *t);

/** pre_apart() - A pair that was not joined has its sockets back; what was sent
 * on does not lie in them any more
 */
void pre_apart(struct usplice_pair *p);

/** pre_connect() - Ask the server, and wait for it. Return: 0 or -Exxx */
int pre_connect(struct usplice_pair *p);

/**
 * pre_begin() - Have its sockets: copies of both, or with @give the very ones
 *
 * Return: 0 or -Exxx
 */
int pre_begin(struct usplice_pair *p, bool give);

/** pre_undo() - They are the caller's again, @fd */
void pre_undo(struct usplice_pair *p, const int fd[DIR_COUNT]);

/** pre_first() - Relay what the client has said already, with @unread, and wait
 * for both; the pair may be over then
 */
void pre_first(struct usplice_pair *p, bool unread);

/** pre_relay() - Relay what has come; the pair may be over then */
void pre_relay(struct usplice_pair *p);

/** pre_event() - epoll has told @events of one of its sockets */
void pre_event(struct usplice_pair *p, uint32_t events);

/** pre_unwatch() - The caller's sockets are not waited for any more */
void pre_unwatch(struct usplice_pair *p);

/** pre_measure() - Remember what a socket that follows must be told */
void pre_measure(struct usplice_pair *p);

/** pre_close() - Close our sockets; @silent: nobody is told, else both are */
void pre_close(struct usplice_pair *p, bool silent);

/* --- ways.c: devices and routes --- */

/**
 * ways_open() - Attach to the devices of the options. Return: 0 or -Exxx, with
 * @e
 */
int ways_open(struct usplice *s, struct errbuf *e);

/** ways_close() - Detach, or leave what is pinned */
void ways_close(struct usplice *s);

/** ways_find() - How the peers are reached, by @p->tuple. The program is
 * attached there, and our address towards the server filled in, if it is none.
 * Return: 0 or -Exxx as usplice_intend(), and @p->way is as it was
 */
int ways_find(struct usplice_pair *p);

/**
 * ways_of_tuple() - How the sender of a tuple is reached; from where is filled
 * in, if the tuple does not say. Return: as ways_find()
 */
int ways_of_tuple(struct usplice *s, struct splice_tuple *t,
		  struct join_way *out);

/** ways_unlearn() - Routes or devices have changed */
void ways_unlearn(struct usplice *s);

/** ways_mend() - Attach again where the program was taken away */
void ways_mend(struct usplice *s);

/** ways_follow() - Look again how some pairs' peers are reached. Return: there
 * are more to look at
 */
bool ways_follow(struct usplice *s);

#endif /* JOIN_USPLICE_INTERNAL_H */
