/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * setup - The command line of understudy proxy
 */
#ifndef SETUP_SETUP_H
#define SETUP_SETUP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ipaddr.h"
#include "dial/judge.h"
#include "dial/servers.h"
#include "dial/shown.h"
#include "opt/opt.h"
#include "os/errbuf.h"

#define SETUP_LISTENERS	  16
#define SETUP_WORKERS	  32
#define SETUP_PIN	  160	/* bytes of a worker's folder */
#define SETUP_CONNECTIONS 65536 /* most pairs of libunderstudy-splice */

/** enum setup_splice - Of --splice */
enum setup_splice {
	SETUP_AUTO, /* in the kernel where that can be, else by copying */
	SETUP_TC,   /* in the kernel, or not at all */
	SETUP_COPY, /* by copying */
	SETUP_PIPE, /* by splice(2), without copying */
	SETUP_SYN,  /* from the SYN on, and what is not as with auto */
};

/** struct setup_place - Where to listen, and for whom; no @servers: SOCKS, or
 * @http
 */
struct setup_place {
	struct ipaddr ip;
	uint16_t port;
	struct servers servers;
	bool http;
};

/**
 * struct setup - The command line; strings are borrowed, times in ns
 */
struct setup {
	struct setup_place place[SETUP_LISTENERS];
	unsigned places;
	enum setup_splice splice;
	bool transparent;
	const char *pin;
	char pin_own[SETUP_PIN]; /* of setup_share() */
	uint64_t timewait;
	uint32_t port_low;
	uint32_t port_high;
	uint32_t workers;     /* processes */
	uint32_t connections; /* at once; more are refused */
	uint32_t per_client;  /* of them, of one client; 0: all */
	uint32_t copies;      /* of them, copied; more are refused */
	uint32_t failures;    /* in a row, then a server is out; 0: never */
	uint64_t check_every; /* a server that is out */
	uint64_t handshake_timeout;
	uint64_t connect_timeout; /* of one server or address */
	uint64_t idle_timeout;
	uint64_t half_closed_timeout;
	uint64_t drain;
	struct judge_nets allow; /* addresses that clients of SOCKS may reach */
	struct judge_nets deny;	 /* and may not */
	struct judge_nets
		proxy_in; /* who sends a header of the PROXY protocol */
	int proxy_out;	  /* version of one that servers get; 0: none */
	bool has_dns;
	struct ipaddr dns; /* in place of the host's resolvers */
	uint16_t dns_port;
	const char *socks_users;
	const char *tap;	/* where copies go */
	struct shown tap_match; /* of connections to these */
	uint32_t tap_share;	/* of their clients, millionths */
	const char *log;
	const char *log_json;
	const char *ctl;
	struct ipaddr metrics; /* where they are given */
	uint16_t metrics_port; /* 0: nowhere */
	const char *user;
	bool check;
	bool quiet;
	bool json;
	int argc; /* what was read, to be read again */
	char **argv;
	unsigned files; /* of which these are read, too */
	const char *file[OPT_FILES];
};

/** setup_tap_rows - The options of tap.c, for proxy_command */
#define SETUP_TAP_ROWS 3
extern const struct opt_row setup_tap_rows[SETUP_TAP_ROWS];

/** proxy_command - What the command takes */
extern const struct opt_command proxy_command;

/**
 * setup_parse() - Return: 0, 1: help was asked for, -Exxx with a
 * sentence
 */
int setup_parse(struct setup *o, int argc, char **argv, struct errbuf *e);

/* --- again.c: what holds while the proxy runs --- */

/** setup_find() - The listener of @o that is where @p is, and of its kind;
 * NULL: none
 */
const struct setup_place *setup_find(const struct setup *o,
				     const struct setup_place *p);

/**
 * setup_see() - Has nothing changed from @was to @now but what may? Listeners
 * and their servers are not looked at
 *
 * Return: 0, or -EPERM with a sentence
 */
int setup_see(const struct setup *was, const struct setup *now,
	      struct errbuf *e);

/**
 * setup_take() - Let @was be what @now is; setup_see() has said that it may
 * @now:	Has all listeners of @was, and is garbage then
 */
void setup_take(struct setup *was, struct setup *now);

/* --- share.c --- */

/**
 * setup_share() - Make of what all workers have what one of them has
 * @i, @n:	Which one of how many
 *
 * Connections, copies and ports are divided; each has a folder of its own in
 * that of --pin, whose name lies in @o itself, which must stay where it is.
 *
 * Return: 0, or -ENAMETOOLONG with a sentence
 */
int setup_share(struct setup *o, uint32_t i, uint32_t n, struct errbuf *e);

#endif /* SETUP_SETUP_H */
