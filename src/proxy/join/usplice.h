/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usplice - Two TCP connections become one, in the kernel
 *
 * The public header of libunderstudy-splice, and all of it: usplice(3).
 *
 * A proxy takes a client's connection, reads where the client wants to go,
 * connects there, and says how many bytes it will still write to the client.
 * From then on the kernel passes each segment of one end on to the other with
 * its headers rewritten, and TCP goes on between the two ends. The proxy closes
 * its descriptors; nobody is told.
 *
 *	usplice_init()	  the listener, before listen()
 *	usplice_intend()  a client's socket and a new one, before connect()
 *	usplice_connect() the new one, if the library is to wait for it
 *	usplice_splice()  both, once they are connected, or usplice_give()
 *	usplice_write()	  what the proxy still says to the client
 *	usplice_next()	  what has become of them
 *	usplice_cut()	  so much crosses, and no more
 *	usplice_unsplice() and the sockets are the caller's again
 *
 * A struct usplice belongs to one thread, and to the network namespace in which
 * it was opened. No call blocks. Functions return 0 or more, or a negative
 * errno, and then leave their results as they were. Times are in ns.
 */
#ifndef USPLICE_H
#define USPLICE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct usplice;
struct usplice_pair;

/** enum usplice_dir - Where bytes go; indexes arrays */
enum usplice_dir {
	USPLICE_C2S, /* to the server */
	USPLICE_S2C, /* to the client */

	USPLICE_DIRS /* must be last */
};

/* Of usplice_options.flags: how the program is attached. Else by tcx, if there
 * is.
 */
enum {
	USPLICE_TCX = 1 << 0,	 /* by tcx only */
	USPLICE_CLSACT = 1 << 1, /* by clsact only */
};

/**
 * struct usplice_options - What a struct usplice is opened with; 0 is the
 * default of
 *			    each
 * @pairs:	Most pairs at once, up to 65536, which is the default
 * @port_low, @port_high: Ports of ours towards servers; 2048 to 32767. They
 *		must not be those that the kernel gives out
 *		(net.ipv4.ip_local_port_range)
 * @mss:	What usplice_init() lets a listener announce at most; no limit
 * @flags:	USPLICE_
 * @opening:	How long a pair may say nothing before it is spliced; 4 minutes
 * @idle:	The same when it is; 2 hours and 4 minutes
 * @closing:	The same when one of its streams has ended; 4 minutes
 * @timewait:	How long it stays after both have; 4 s
 * @pin:	Folder of a bpffs, which is made in its parent: spliced
 *		connections outlive the process, and those that are there are
 *		taken over. NULL: they end with it
 * @key:	Of the hash by which a client comes to one of several servers
 *		(usplice_forward()); 0, 0: a random one
 * @mark:	Servers are to see the client's address in place of ours: pairs
 *		have it towards them, and what they send to our sockets has this
 *		mark, by which rules lead it to them: one a family, which are
 *		made, with this number and a table of it, and removed by
 *		usplice_close(). Servers must send what is for the client by
 *		this host. 0: they see ours
 * @dev:	Names of devices on which peers' segments come in, NULL behind
 *		the last; NULL: those by which they are reached, which are added
 *		in any case
 *
 * UINT64_MAX as a time is for ever.
 */
struct usplice_options {
	uint32_t pairs;
	uint16_t port_low;
	uint16_t port_high;
	uint16_t mss;
	unsigned flags;
	uint64_t opening;
	uint64_t idle;
	uint64_t closing;
	uint64_t timewait;
	const char *pin;
	uint64_t key[2];
	const char *const *dev;
	uint32_t mark;
};

/** struct usplice_server - One of usplice_forward() */
struct usplice_server {
	const struct sockaddr *addr;
	socklen_t len;
};

/** enum usplice_event - What has become of a pair */
enum usplice_event {
	USPLICE_SPLICED,   /* our sockets are out of it, and closed */
	USPLICE_FIN,	   /* the end of the stream of @dir was relayed */
	USPLICE_RESET,	   /* a RST of @dir was relayed */
	USPLICE_REVIVED,   /* its receiver did not take it: the pair goes on */
	USPLICE_TIMEWAIT,  /* both streams have ended, and both ends know */
	USPLICE_OVER,	   /* the last one: @reason */
	USPLICE_CONNECTED, /* usplice_connect() has ended: @error */
	USPLICE_CUT,	   /* all has crossed: usplice_unsplice() */
};

/** enum usplice_reason - Why a pair is over; indexes usplice_counters.over */
enum usplice_reason {
	USPLICE_DONE,	       /* TIMEWAIT has passed */
	USPLICE_NEVER_SPLICED, /* usplice_options.opening has passed */
	USPLICE_IDLE,	       /* .idle has */
	USPLICE_HALF_CLOSED,   /* .closing has */
	USPLICE_LOST, /* before it was spliced, one of its connections broke */

	USPLICE_REASONS /* must be last */
};

/**
 * struct usplice_note - Something has happened
 * @what:	What
 * @pair:	To which pair; with USPLICE_OVER good until the next
 *		usplice_next()
 * @user:	What usplice_intend() was given; of a pair that was taken over
 *		NULL
 * @dir:	Of FIN and RESET
 * @reason:	Of OVER
 * @error:	Of CONNECTED: 0 or -Exxx
 */
struct usplice_note {
	enum usplice_event what;
	struct usplice_pair *pair;
	void *user;
	enum usplice_dir dir;
	enum usplice_reason reason;
	int error;
};

/**
 * struct usplice_stats - What a pair has relayed, by direction, since the
 * splice
 * @segments, @bytes: Relayed; bytes of payload, repeated ones too
 * @acked:	Bytes that their receiver has acked, a FIN counting one. Those
 *		that our own sockets had sent to him are in it
 * @outside:	Of @segments, those that lay in no window
 */
struct usplice_stats {
	uint64_t segments[USPLICE_DIRS];
	uint64_t bytes[USPLICE_DIRS];
	uint64_t acked[USPLICE_DIRS];
	uint64_t outside[USPLICE_DIRS];
};

/**
 * struct usplice_counters - What all pairs came to
 * @spliced:	USPLICE_SPLICED
 * @adopted:	Taken over by usplice_adopt()
 * @over:	By reason
 * @ended:	By usplice_end(), after they were spliced
 * @live:	Spliced, and not over. @spliced + @adopted = @over, but for the
 *		reasons NEVER_SPLICED and LOST, + @ended + @cut + @live
 * @relayed:	Segments
 * @to_stack:	Segments that our own sockets got
 * @dropped:	Segments that could not be relayed: malformed, signed, parts of
 *		datagrams
 * @too_long:	Segments answered with "too big"
 * @challenged:	SYNs of live pairs: they were answered
 * @failed:	Segments that the kernel could not send or change
 * @errors:	Messages of ICMP that were relayed
 * @missed:	Events that did not fit, and were found later
 * @moved:	Pairs whose way to an end has changed
 * @astray:	Pairs to one of whose ends there was no way; they keep their old
 *		one
 * @mended:	Times that a program was attached again which somebody had taken
 *		away
 * @syn_begun:	Connections whose SYN was passed on (usplice_forward()); of the
 *		counters above those of segments and ways have them, too
 * @syn_closed, @syn_reset, @syn_idle, @syn_half_closed, @syn_unopened: How
 *		these have ended: by both ends, by a RST, silent for
 *		usplice_options.idle or .closing, or too long before they were
 *		open
 * @syn_live:	Those that have not, TIMEWAIT counted; of them @syn_opening are
 *		not yet open. @syn_begun = the five + @syn_live
 * @syn_full, @syn_ports: SYNs that the listener got, since there was no room,
 *		or no port
 * @cut:	Ended at a cut
 * @held:	Segments that came from beyond one, or before its sockets were
 *		there: their senders send them again
 */
struct usplice_counters {
	uint64_t spliced;
	uint64_t adopted;
	uint64_t over[USPLICE_REASONS];
	uint64_t ended;
	uint64_t live;
	uint64_t relayed;
	uint64_t to_stack;
	uint64_t dropped;
	uint64_t too_long;
	uint64_t challenged;
	uint64_t failed;
	uint64_t errors;
	uint64_t missed;
	uint64_t moved;
	uint64_t astray;
	uint64_t mended;
	uint64_t syn_begun;
	uint64_t syn_closed;
	uint64_t syn_reset;
	uint64_t syn_idle;
	uint64_t syn_half_closed;
	uint64_t syn_unopened;
	uint64_t syn_live;
	uint64_t syn_opening;
	uint64_t syn_full;
	uint64_t syn_ports;
	uint64_t cut;
	uint64_t held;
};

/**
 * usplice_open() - Load the program
 * @out:	Result, for usplice_close()
 * @o:		Options; NULL: defaults
 * @err, @errlen: Room for a sentence that says what went wrong; NULL, 0: none
 *
 * Needs CAP_NET_ADMIN, CAP_BPF and CAP_PERFMON. Memory is about 1 KB a pair.
 *
 * Return: 0; -EBUSY: another process has the tables in @o->pin; -EINVAL: an
 * option is none, or the tables there have another size; -ENODEV; or another
 * -Exxx
 */
int usplice_open(struct usplice **out, const struct usplice_options *o,
		 char *err, size_t errlen);

/**
 * usplice_close() - Be done with it
 *
 * What is pinned goes on. Else spliced connections end: their next segment is
 * answered with a RST. NULL is allowed.
 */
void usplice_close(struct usplice *s);

/** usplice_fd() - A descriptor, the library's, that is readable when
 * usplice_next() is to be called
 */
int usplice_fd(const struct usplice *s);

/**
 * usplice_init() - Prepare a listener (before listen())
 *
 * Accepted sockets inherit what is set: no delay, urgent data in line, and the
 * MSS of the options.
 */
int usplice_init(struct usplice *s, int listener);

/**
 * usplice_intend() - Two sockets will be spliced
 * @client:	Connected; accepted of a listener that usplice_init() has
 *		prepared, if it was ever called
 * @server:	A new one of the same family, not bound, without SO_REUSEADDR:
 *		it gets an address and a port of ours, and what the client's
 *		connection has agreed on
 * @to, @tolen:	Where it will be connected to
 * @user:	For usplice_note.user
 * @out:	Result, for usplice_splice() or usplice_end()
 *
 * Both descriptors stay open, and are the caller's, until then; he may read and
 * write.
 *
 * Return: 0; or why there will be no splice: -EAFNOSUPPORT: the families
 * differ; -EOPNOTSUPP: an end is on this host, or behind a device without
 * Ethernet; -ENETUNREACH, -EHOSTUNREACH: there is no way; -ENOSPC: all pairs
 * are in use; -EADDRINUSE: no port is free; -ENOTCONN; or another -Exxx
 */
int usplice_intend(struct usplice *s, int client, int server,
		   const struct sockaddr *to, socklen_t tolen, void *user,
		   struct usplice_pair **out);

/**
 * usplice_connect() - Connect the server's socket
 *
 * To where usplice_intend() was told. It does not wait: USPLICE_CONNECTED tells
 * how it has ended. Who does without calls connect() himself, and waits.
 *
 * Return: 0 or -Exxx
 */
int usplice_connect(struct usplice_pair *p);

/**
 * usplice_splice() - Splice two sockets
 * @p:		Of usplice_intend(), both connected
 * @extra:	Bytes that usplice_write() will still write to the client
 *
 * The library has copies of both descriptors; the caller may close his, which
 * sends nothing. Nothing may be read from or written to them any more. What
 * comes in until the ends have acked all that was sent to them is relayed by
 * usplice_next().
 *
 * Return: 0; -ENOTCONN: one is not connected any more; -EOPNOTSUPP: only one of
 * them has timestamps. Then nothing has changed
 */
int usplice_splice(struct usplice_pair *p, uint32_t extra);

/**
 * usplice_give() - The same, and the descriptors are the library's
 *
 * The caller forgets their numbers. This is cheaper than usplice_splice(), if
 * they are in no epoll of his; and so is usplice_connect() before it.
 *
 * Return: as usplice_splice(), and then both are still the caller's
 */
int usplice_give(struct usplice_pair *p, uint32_t extra);

/**
 * usplice_write() - Write to the client after the splice
 *
 * Return: bytes that were written, as of send(); -EMSGSIZE: more than was said;
 * -EAGAIN: none now; -EPIPE: it is spliced, or over
 */
ssize_t usplice_write(struct usplice_pair *p, const void *b, size_t n);

/**
 * usplice_cut() - Splice it only for some bytes
 * @p:		Of usplice_intend() or usplice_unsplice(), to be spliced by
 *		usplice_give() with @extra 0; or spliced after such a call
 * @bytes:	How many cross, by direction, counted from what the caller has
 *		read; 2^30 at most. NULL: no more than has come by now
 *
 * No byte and no end of a stream beyond them crosses, and none is lost: who has
 * sent it sends it again. USPLICE_CUT says that all has crossed and was acked,
 * or that the pair could not be joined since there is more than may cross: then
 * usplice_unsplice(). If a segment lies across the cut, less has crossed, and
 * its sender waits for his timer; who splices up to where a sender pauses waits
 * for nothing. Who sends more than may cross, while less than may has come from
 * the other end, ends it at once, as NULL does. A pair with a cut ends with the
 * process, pinned or not; ECN is not used any more after it.
 *
 * Return: 0; -EINVAL: not now; -ERANGE: too many
 */
int usplice_cut(struct usplice_pair *p, const uint32_t bytes[USPLICE_DIRS]);

/**
 * usplice_unsplice() - Have the two sockets, after USPLICE_CUT
 * @fd:		Result: by the direction of what is read from them, the caller's
 *		from now on; they do not block, and send without delay
 * @crossed:	Result: bytes of each direction that have
 *
 * The pair is as before the splice: it can be spliced again, or given to
 * usplice_end(), after which its sockets are those of any program.
 *
 * Return: 0; -EAGAIN: not yet
 */
int usplice_unsplice(struct usplice_pair *p, int fd[USPLICE_DIRS],
		     uint32_t crossed[USPLICE_DIRS]);

/**
 * usplice_end() - Forget a pair; @p is of no value any more
 *
 * Before the splice its sockets are those of any program again. After it, this
 * host answers its next segment with a RST.
 */
void usplice_end(struct usplice_pair *p);

/**
 * usplice_forward() - Pass on SYNs in the kernel
 * @at:		An address of this host and a port, where a listener of the
 *		caller's gets what is not passed on
 * @to, @n:	Servers of the same family, up to 16
 *
 * From then on a client who connects to @at is connected to one of them, by his
 * address (rendezvous hashing), from his first packet on, and no socket and no
 * process of this host sees him: nothing is told of him but in
 * usplice_counters(), and no rule for what comes in at this host holds for him.
 * With usplice_options.pin this outlives the process, until another one opens
 * the folder. His SYN is remembered for 10 s, or for usplice_options.opening,
 * if that is less. The ports of ours towards servers are shared: the upper half
 * is for these connections. What was said of @at before goes, its connections
 * stay.
 *
 * Nobody looks whether a server answers: the caller does, and leaves out one
 * that does not. With @n 0 the listener gets all.
 *
 * Return: 0; -EAFNOSUPPORT, -EOPNOTSUPP, -ENETUNREACH, -EHOSTUNREACH as
 * usplice_intend(); -E2BIG: too many servers; -ENOSPC: 64 are there already; or
 * another -Exxx
 */
int usplice_forward(struct usplice *s, const struct sockaddr *at,
		    socklen_t atlen, const struct usplice_server *to,
		    unsigned n);

/**
 * usplice_served() - How many connections the program has passed on to a server
 * @at, @to:	As usplice_forward() was told; @to need not be of its last list
 * @n:		Result
 *
 * Return: 0; -ENOENT: nothing was ever passed on to it, or there were more than
 * 1,024 servers before it, and it is not counted; or another -Exxx
 */
int usplice_served(const struct usplice *s, const struct sockaddr *at,
		   socklen_t atlen, const struct usplice_server *to,
		   uint64_t *n);

/**
 * usplice_stop() - Pass on no more SYNs; connections that are there go on
 */
void usplice_stop(struct usplice *s);

/**
 * usplice_next() - What has happened
 * @n:		Result
 *
 * It also relays what has come for pairs that are not yet spliced, looks for
 * those that are over, and follows routes and devices: so it is to be called
 * until it returns 0 whenever usplice_fd() is readable. What has happened to a
 * pair twice since the last call is told once. What the kernel tells of spliced
 * pairs may come some milliseconds late, with more of its kind.
 *
 * Return: 1; 0: nothing more for now
 */
int usplice_next(struct usplice *s, struct usplice_note *n);

/** usplice_stats() - What a pair has relayed; of one that is over, all of it
 * but its last segments
 */
int usplice_stats(struct usplice_pair *p, struct usplice_stats *st);

/**
 * usplice_tables() - The tables of pairs, for programs of the kernel
 * @fd:		Descriptors, the library's: where tuples lead to, and pairs.
 *		What lies in them is no part of this interface
 */
void usplice_tables(const struct usplice *s, int fd[2]);

/** usplice_counters() - What all pairs came to */
int usplice_counters(const struct usplice *s, struct usplice_counters *c);

/**
 * usplice_adopt() - Take over a pair that has outlived another process
 * @out:	Result
 *
 * Those that were not spliced yet are lost with their sockets, and forgotten.
 *
 * Return: 1; 0: there are no more
 */
int usplice_adopt(struct usplice *s, struct usplice_pair **out);

#ifdef __cplusplus
}
#endif

#endif /* USPLICE_H */
