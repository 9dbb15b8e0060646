/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * front - understudy proxy
 */
#ifndef FRONT_FRONT_H
#define FRONT_FRONT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ipaddr.h"
#include "dial/judge.h"
#include "dial/servers.h"
#include "opt/opt.h"
#include "os/errbuf.h"

#define FRONT_LISTENERS	  16
#define FRONT_CONNECTIONS 65536 /* most pairs of libunderstudy-splice */

/** enum front_splice - Of --splice */
enum front_splice {
	FRONT_AUTO, /* in the kernel where that can be, else by copying */
	FRONT_TC,   /* in the kernel, or not at all */
	FRONT_COPY, /* by copying */
	FRONT_SYN,  /* from the SYN on, and what is not as with auto */
};

/** struct front_place - Where to listen, and for whom; no @servers: SOCKS */
struct front_place {
	struct ipaddr ip;
	uint16_t port;
	struct servers servers;
};

/**
 * struct front_options - The command line; strings are borrowed, times in ns
 */
struct front_options {
	struct front_place place[FRONT_LISTENERS];
	unsigned places;
	enum front_splice splice;
	const char *pin;
	uint64_t timewait;
	uint32_t port_low;
	uint32_t port_high;
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

/** proxy_command - What the command takes */
extern const struct opt_command proxy_command;

/**
 * front_options_parse() - Return: 0, 1: help was asked for, -Exxx with a
 * sentence
 */
int front_options_parse(struct front_options *o, int argc, char **argv,
			struct errbuf *e);

/**
 * front_run() - Be a proxy until a signal says that it is enough
 *
 * Return: 0 or -Exxx with a sentence
 */
int front_run(const struct front_options *o, struct errbuf *e);

/** front_check() - Say on standard output what stands in a splice's way.
 * Return: 0, or -1: something does
 */
int front_check(const struct front_options *o);

#endif /* FRONT_FRONT_H */
