/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * front_internal - The proxy while it runs
 *
 * run.c calls conn.c, health.c and manage.c; conn.c calls greet.c, which calls
 * it back when it is known whose a connection is, and race.c when it is known
 * where to; connect.c makes a connection to a server of a listener, or to an
 * address for race.c, and calls copy.c.
 */
#ifndef FRONT_FRONT_INTERNAL_H
#define FRONT_FRONT_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "carry/carry.h"
#include "core/arena.h"
#include "core/dir.h"
#include "core/ipaddr.h"
#include "core/list.h"
#include "core/stock.h"
#include "core/wheel.h"
#include "ctl/ctl.h"
#include "ctl/metrics.h"
#include "dial/eyeballs.h"
#include "dial/shares.h"
#include "dial/socks.h"
#include "face/counters.h"
#include "front/front.h"
#include "face/state.h"
#include "front/worker.h"
#include "join/usplice.h"
#include "login/login.h"
#include "net/activation.h"
#include "net/address.h"
#include "net/pp.h"
#include "net/resolve.h"
#include "os/loop.h"
#include "tap/tap.h"
#include "web/web.h"

#define CONN_BESIDE 2	  /* attempts beside the first */
#define LOG_BUFFER  65536 /* bytes of a log that wait to be written */

struct front;
struct conn;

/**
 * struct due - Something to be done at a time; zero is not valid: due_init()
 */
struct due {
	struct timer timer;
	void (*run)(void *ctx);
	void *ctx;
};

/**
 * struct why - A counter and its name: what is counted of a connection, and
 * logged
 */
struct why {
	uint64_t *n; /* NULL: there is none */
	const char *name;
};

#define WHY(f, member) ((struct why){ &(f)->n->member, #member })

/** struct listener - Where clients come in; index as setup.place */
struct listener {
	struct front *f;
	struct loop_watch watch;
	struct due again; /* when there was no descriptor */
	int fd;		  /* -1: closed */
	unsigned place;
};

/**
 * struct health - A server that may be out; index as setup.place, servers.s
 * @watch, @fd:	A connection that asks whether it is back; fd -1: there is none
 * @due:	The next question, or the end of the wait for this one's answer
 */
struct health {
	struct front *f;
	struct loop_watch watch;
	struct due due;
	int fd;
	unsigned place;
	unsigned server;
};

/** enum conn_state - What a connection waits for */
enum conn_state {
	CONN_FREE,
	CONN_HEAD,    /* a header of the PROXY protocol */
	CONN_SOCKS,   /* what the client wants */
	CONN_LOGIN,   /* whether his password is right */
	CONN_RACE,    /* the first of its addresses to answer */
	CONN_CONNECT, /* a server */
	CONN_COPY,    /* either end */
	CONN_CLOSE,   /* both have ended; for the last acks */
	CONN_SPLICED, /* the kernel's word */
	CONN_WEB,     /* a request, or what belongs to it */
};

/** enum conn_how - What has become of it; the first four are final */
enum conn_how {
	CONN_SPLICES,
	CONN_COPIES,
	CONN_REFUSED,
	CONN_FAILED,
	CONN_OPENING,
};

/**
 * struct copy - One whose bytes we carry; of a pool of --copies
 * @made:	@carry was begun once; what it keeps is used again
 * @busy:	In front.busy: there was more to copy
 * @active:	When something was last carried, ns
 */
struct copy {
	struct conn *c;
	struct carry carry;
	bool made;
	struct list busy;
	uint64_t active;
	uint64_t outq_wait;
};

/**
 * struct attempt - One more address that is tried at the same time; @fd -1:
 * none
 * @pair, @unspliced: As struct conn has them
 * @late_at:	Then it has failed
 */
struct attempt {
	struct conn *c;
	struct loop_watch watch;
	int fd;
	struct ipaddr ip;
	struct usplice_pair *pair;
	struct why unspliced;
	uint64_t late_at;
};

/**
 * struct work - What there is of a connection while it needs us: until it is
 * joined, or to its end
 * @watch:	By the direction in which they are read: the client's socket,
 *		the server's
 * @due:	Its limit of the state
 * @until:	Then it must have said where to, and its name be known
 * @late_at:	CONNECT, RACE: then the server has failed
 * @via:	What a header of the PROXY protocol said, if it is known
 * @unspliced:	Without a pair: what it will be copied for
 * @lookup:	RACE: of its name, by family
 * @asking:	They are being asked for: answers wait
 * @silent:	Nobody said, of one
 * @no:		Why an address may not be connected to; n NULL: all may
 * @eyes:	RACE: addresses that may be
 * @beside:	RACE
 * @error:	Of the last one that was tried, -Exxx
 */
struct work {
	struct loop_watch watch[DIR_COUNT];
	struct due due;
	uint64_t until;
	uint64_t late_at;
	struct pp via;
	struct why unspliced;
	struct lookup *lookup[EYEBALLS_FAMILIES];
	bool asking;
	bool silent;
	struct why no;
	struct eyeballs eyes;
	struct attempt beside[CONN_BESIDE];
	int error;
};

/**
 * struct wish - What a client of SOCKS, or of HTTP, has said; the log wants it,
 * too
 * @user:	Who he says he is, if he does; good once he is SOCKS_KNOWN
 */
struct wish {
	struct socks socks;
	bool http;	      /* it was a CONNECT of HTTP */
	uint16_t status;      /* with which it is refused; 0: by the code */
	const uint8_t *reply; /* of greet_granted() */
	char user[USERS_NAME + 1];
};

/**
 * struct conn - A client's connection and ours to a server
 *
 * One that is joined has nothing but this: it is what --connections cost.
 *
 * @link:	In front.conns
 * @id:		For manage.c; they grow along front.conns
 * @work:	NULL: it is joined, or refused at once
 * @wish:	NULL: of a --forward, or nothing was said yet
 * @fd:		As @work.watch; -1: closed
 * @place:	Where it came in
 * @client, @client_port: Who it is
 * @share:	In the table of clients; MAP_NONE: it does not count there any
 *		more
 * @server, @server_port: Who was tried last
 * @server_at:	Index of it, while @has_server: it counts as one of its users
 * @tried:	Bits of servers that were
 * @pair:	Of the library; NULL: it will be copied
 * @joined:	The kernel has it, and our sockets are closed
 * @fins:	Bits by direction that the kernel has told of
 * @said:	Bytes by direction that the library counts, and are ours and no
 *		end's
 * @bytes:	By direction, that their receiver has acked
 * @why, @end:	Names of counters: what it was spliced, copied, refused for; how
 *		it ended
 * @began, @began_real, @opened, @ended: ns; 0: not yet
 */
struct conn {
	struct front *f;
	struct list link;
	uint64_t id;
	struct work *work;
	struct wish *wish;
	int fd[DIR_COUNT];
	enum conn_state state;
	enum conn_how how;
	unsigned place;
	struct ipaddr client;
	struct ipaddr server;
	uint16_t client_port;
	uint16_t server_port;
	uint32_t share;
	unsigned server_at;
	uint32_t tried;
	bool has_server;
	bool joined;
	uint8_t fins;
	uint32_t said[DIR_COUNT];
	struct usplice_pair *pair;
	uint64_t bytes[DIR_COUNT];
	const char *why;
	const char *end;
	struct copy *copy;
	struct request *request; /* with @copy; NULL: it has made none */
	uint64_t began;
	uint64_t began_real;
	uint64_t opened;
	uint64_t ended;
};

/**
 * struct request - A client of HTTP whose requests we carry; as many as copies
 * @moved:	When something was last carried, ns
 * @began, @began_real: His request; 0: he has made none
 */
struct request {
	struct web web;
	uint64_t moved;
	uint64_t began;
	uint64_t began_real;
};

/**
 * struct log_file - A log; one line a connection
 * @path:	NULL: there is none
 * @buf:	@len bytes, of whole lines, that are not written yet
 */
struct log_file {
	const char *path;
	int fd;
	uint32_t len;
	char buf[LOG_BUFFER];
};

/**
 * struct front - The proxy; memory is in @arena
 * @o:		What holds now, in @set: manage.c changes it
 * @worker:	NULL: we are no worker, but all of the proxy
 * @n:		@own, or the worker's
 * @clients:	@shares, or those of all workers
 * @splicer:	NULL: nothing is spliced, for @unspliced
 * @now:	Of the callback that runs, ns
 * @conns:	Those in use
 * @busy:	Connections with more to copy
 * @stop_at:	When those that are left are cut; UINT64_MAX: we run
 * @spare:	For one that is refused since all are in use
 */
struct front {
	const struct setup *o;
	struct setup set;
	const struct worker *worker;
	struct ctl *ctl;	 /* NULL: there is none */
	struct metrics *metrics; /* the same */
	struct arena arena;
	struct loop *loop;
	struct usplice *splicer;
	struct tap *tap; /* NULL: nothing is shown */
	struct resolver *resolver;
	struct login *login; /* NULL: whoever comes may use SOCKS */
	struct log_file log;
	struct log_file log_json;
	struct why unspliced;
	struct wheel wheel;
	uint64_t armed;
	uint64_t now;
	struct loop_watch on_time;
	struct loop_watch on_signal;
	struct loop_watch on_splicer;
	struct loop_watch on_parent;
	int signals;
	struct hash_key key;
	struct activation activation;
	struct servers servers[SETUP_LISTENERS];
	struct listener listener[SETUP_LISTENERS];
	struct health health[SETUP_LISTENERS][SERVERS_PLACES];
	struct stock places; /* of struct conn */
	struct stock works;
	struct stock wishes;
	struct list conns;
	uint64_t last_id;
	struct list busy;
	struct stock copies;
	struct stock requests;
	uint8_t *buffers; /* of copies */
	struct shares shares;
	struct shares *clients;
	struct due stop_due;
	uint64_t stop_at;
	bool over;
	struct conn spare;
	struct front_counters own;
	struct front_counters *n;
	struct front_state state;
	struct front_view view;
};

/* --- time.c --- */

/** due_init() - Prepare; it is not armed */
void due_init(struct due *d, void (*run)(void *ctx), void *ctx);

/** due_at() - Run it at @at, ns; due_never(): not at all */
void due_at(struct front *f, struct due *d, uint64_t at);
void due_never(struct front *f, struct due *d);

/** due_run() - Run what is due, and arm @f->on_time */
void due_run(struct front *f);

/** half_closed_limit() - How long a connection may say nothing when one of its
 * streams has ended, ns
 */
static inline uint64_t half_closed_limit(const struct setup *o)
{
	return o->half_closed_timeout < o->idle_timeout ? o->half_closed_timeout
							: o->idle_timeout;
}

/* --- passing.c --- */

/** passing_set() - Pass on SYNs, with --splice syn; again after a reload.
 * Return: 0 or -Exxx with a sentence
 */
int passing_set(struct front *f, struct errbuf *e);

/** passing_changed() - Others of a listener's servers may get clients now */
void passing_changed(struct front *f, unsigned place);

/** passing_asks() - Are a listener's servers to be asked if they answer? */
bool passing_asks(const struct front *f, unsigned place);

/** passing_passed() - How many a server was passed on in the kernel */
uint64_t passing_passed(const struct front *f, unsigned place,
			const struct server *v);

/** passing_stop() - Pass on no more */
void passing_stop(struct front *f);

/** passing_holds() - Are there connections that end with us? */
bool passing_holds(const struct front *f);

/* --- look.c --- */

/** front_look() - See what there is to show */
void front_look(const struct front *f, struct front_state *s);

/* --- copy.c --- */

/** copy_begin() - Copy, from now on. Return: false: all copies are in use */
bool copy_begin(struct conn *c);

/** copy_end() - It is copied no more, if it was */
void copy_end(struct conn *c);

/** copy_close() - Close what is kept for others */
void copy_close(struct front *f);

/** copy_run() - Go on, as far as it goes now; @c may be over then */
void copy_run(struct conn *c);

/** copy_due() - Its time has come; @c may be over then */
void copy_due(struct conn *c);

/* --- access.c --- */

/** access_open() - Open both. Return: 0 or -Exxx with a sentence */
int access_open(struct front *f, struct errbuf *e);

/** access_again() - The files may have been moved away: open new ones */
void access_again(struct front *f);

/** access_flush() - Write what waits; access_close(): the last time */
void access_flush(struct front *f);
void access_close(struct front *f);

/** access_line() - A connection has ended */
void access_line(struct conn *c);

/** access_put() - What a line says of a connection */
void access_put(struct json *j, const struct conn *c);

/* --- own.c: addresses that are ours --- */

/** own_listens() - Does one of our listeners get what is sent there? */
bool own_listens(const struct front *f, const struct ipaddr *ip, uint16_t port);

/** own_servers() - Is none of these, of all listeners, one of our listeners?
 * Return: 0, or -EINVAL with a sentence
 */
int own_servers(const struct front *f, const struct servers *l,
		struct errbuf *e);

/* --- greet.c: what is said before there is a server --- */

/**
 * greet_begin() - A client is there: read a PROXY header, if he is to send one
 */
void greet_begin(struct conn *c);

/** greet_wishes() - He is admitted, and says where to */
void greet_wishes(struct conn *c);

/** greet_ready() - The client has said something, or is gone */
void greet_ready(struct conn *c);

/** greet_login() - Is his password right? Of login_fn */
void greet_login(void *ctx, uint32_t who, uint64_t id, bool good);

/** greet_late() - It took too long */
void greet_late(struct conn *c);

/** greet_answer() - Tell a client of SOCKS how his request has ended, if he has
 * made one.
 * Return: he was told, and all that he has said was read
 */
bool greet_answer(struct conn *c, enum socks_code code);

/**
 * greet_granted() - Make the reply that we are connected. Return: its length,
 * 0: none
 */
uint32_t greet_granted(struct conn *c);

/** greet_server() - Say to the server whose connection it is, if that is
 * wanted. Return: false: it does not take it
 */
bool greet_server(struct conn *c);

/* --- connect.c --- */

/** conn_connect() - Try the next server of its listener */
void conn_connect(struct conn *c);

/**
 * connect_to() - Try @c->server
 *
 * Return: 0: it is on its way; -EXDEV: it must be spliced, and cannot be; or
 * -Exxx; with no descriptor: there was none
 */
int connect_to(struct conn *c);

/** connect_intend() - Prepare the splice of what will be connected, if there
 * can be one; else *@pair is NULL, and *@unspliced why
 */
void connect_intend(struct conn *c, int fd, const struct sockaddr_storage *to,
		    socklen_t len, struct usplice_pair **pair,
		    struct why *unspliced);

/** connect_drop() - The server that was tried is left alone */
void connect_drop(struct conn *c);

/** connect_ready() - The server has answered: @error, 0 or -Exxx;
 * connect_late(): it has not, at connect_look_at(), ns
 */
void connect_ready(struct conn *c, int error);
void connect_late(struct conn *c);
uint64_t connect_look_at(const struct conn *c);

/* --- race.c --- */

/** race_begin() - A client of SOCKS has said where to */
void race_begin(struct conn *c);

/** race_go() - Go on, as far as it goes now; @c may be over then */
void race_go(struct conn *c);

/** race_failed() - Its server socket has; race_due(): its time has come */
void race_failed(struct conn *c, int error);
void race_due(struct conn *c);

/** race_end() - Nothing is asked or tried beside it any more */
void race_end(struct conn *c);

/** race_pair_over() - The library has let go of a pair of one that opens */
void race_pair_over(struct conn *c, const struct usplice_pair *p);

/* --- conn.c --- */

/** conn_is_web() - Is it of a --http? */
static inline bool conn_is_web(const struct conn *c)
{
	return c->f->o->place[c->place].http;
}

/** conn_forwards() - Is it of a --forward? Else of --socks */
static inline bool conn_forwards(const struct conn *c)
{
	return c->f->servers[c->place].n > 0;
}

/** conn_watch() - Wait for a socket of it, if it is not yet waited for */
void conn_watch(struct conn *c, enum dir d);

/** conn_close() - Close one; @reset: by a RST. Closed ones are left alone */
void conn_close(struct conn *c, enum dir d, bool reset);

/** conn_error() - What has happened to one: 0 or -Exxx */
int conn_error(const struct conn *c, enum dir d);

/** conn_settle() - What becomes of it, once for all */
void conn_settle(struct conn *c, enum conn_how how, struct why why);

/** conn_accept() - Take what clients have opened */
void conn_accept(struct listener *l);

/** conn_note() - The library has something to tell */
void conn_note(struct front *f, const struct usplice_note *n);

/** conn_admit() - It is known whose it is: go on, or refuse it */
void conn_admit(struct conn *c);

/** conn_give_up() - It comes to nothing. @code: for a client of SOCKS */
void conn_give_up(struct conn *c, enum conn_how how, struct why why,
		  enum socks_code code);

/** conn_over() - A connection that was joined or copied has come to its end */
void conn_over(struct conn *c, struct why end);

/** conn_stop() - It ends with us: what it does not need us for goes on */
void conn_stop(struct conn *c);

/** conn_kill() - End it now, whatever it does */
void conn_kill(struct conn *c);

/** conn_bytes() - Bring @c->bytes up to now */
void conn_bytes(struct conn *c);

/** conn_rest() - It needs us no more: only the kernel's word counts */
void conn_rest(struct conn *c);

/** conn_leave() - It is no user of its server any more */
void conn_leave(struct conn *c);

/** conn_holds() - Does it need us yet? */
bool conn_holds(const struct conn *c);

/* --- health.c --- */

void health_init(struct front *f);

/** health_begin() - Ask those that are asked while they are in, too */
void health_begin(struct front *f);

/** health_failed(), health_good() - What came of a connection to a server */
void health_failed(struct front *f, unsigned place, unsigned server);
void health_good(struct front *f, unsigned place, unsigned server);

/** health_changed() - There may be another server in this place, or none */
void health_changed(struct front *f, unsigned place, unsigned server);

/* --- run.c --- */

/** front_stop() - Accept nothing more, and end when all have; again: now */
void front_stop(struct front *f);

#endif /* FRONT_FRONT_INTERNAL_H */
