/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ends - understudy tunnel
 */
#ifndef ENDS_ENDS_H
#define ENDS_ENDS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/crypto.h"
#include "core/ipaddr.h"
#include "multipath/multipath.h"
#include "opt/opt.h"
#include "os/errbuf.h"

#define ENDS_PATHS   MP_PATHS
#define ENDS_ADDRS   2	/* of the device: one of a family */
#define ENDS_ALLOWS  32 /* networks whose packets may come out */
#define ENDS_LISTEN  2	/* a socket of each family */
#define ENDS_NAME    16 /* bytes of a device's name, with its end */
#define ENDS_MTU     9000
#define ENDS_HOST    254 /* bytes of a host's name, with its end */
#define ENDS_FILTER  256 /* the same of a filter */
#define ENDS_CLASSES 8
#define ENDS_WORDS   3
#define ENDS_HELD    4096 /* packets that may be held for one before them */

struct ctl_shown;

/** struct ends_net - An address and how much of it names its network */
struct ends_net {
	struct ipaddr ip;
	uint8_t bits;
};

/**
 * struct ends_place - A path as the command line has it
 * @dev:	Device that it leaves by; empty: the routes say it
 * @local:	Address that it leaves from, if @has_local
 * @host:	Name of @remote, or of @local where we listen, which is not
 *		known before it is looked up; empty: the address was given
 * @port:	0: none was given, as ENDS_IPIP wants it
 */
struct ends_place {
	char dev[ENDS_NAME];
	bool has_local;
	struct ipaddr local;
	struct ipaddr remote;
	uint16_t port;
	char host[ENDS_HOST];
	struct mp_path_config config;
};

/** struct ends_class - Packets that go another way than the rest */
struct ends_class {
	char filter[ENDS_FILTER];
	enum mp_class class;
};

/* What packets travel in. */
enum ends_encap {
	ENDS_UDP,  /* the machine's header, with a program at either end */
	ENDS_IPIP, /* RFC 2003, with anybody who takes that (lone/lone.h) */
};

/* Are many packets handed over as one, where the kernel can? */
enum ends_offload {
	ENDS_OFFLOAD_OFF,
	ENDS_OFFLOAD_AUTO,
};

/* What is asked for in place of a tunnel. */
enum ends_task {
	ENDS_TUNNEL,
	ENDS_KEYGEN, /* FILE */
	ENDS_PADGEN, /* FILE SIZE [SOURCE] */
};

/** struct ends_options - The command line; strings are borrowed */
struct ends_options {
	const char *dev;
	struct ends_net addr[ENDS_ADDRS];
	unsigned addrs;
	uint32_t mtu; /* 0: follows from the paths */
	struct ends_place path[ENDS_PATHS];
	unsigned paths;
	struct ends_place listen[ENDS_LISTEN];
	unsigned listens;
	uint32_t mark;
	enum ends_offload offload;
	bool tap; /* frames of Ethernet, not packets of IP */
	enum ends_encap encap;
	const char *catch_dev; /* by which plain packets come; or NULL */
	uint64_t hold;	       /* ns, of ENDS_IPIP; 0: for ever */
	bool plain;
	const char *key;
	bool has_peer;
	uint8_t peer[CRYPTO_KEY];
	const char *psk;
	const char *pad;
	struct ends_net allow[ENDS_ALLOWS];
	unsigned allows;
	enum mp_scheduler scheduler;
	uint32_t weight;
	struct ends_class class[ENDS_CLASSES];
	unsigned classes;
	enum mp_release release;
	bool again;
	uint32_t
		buffer_size; /* packets that a lane may hold; 0: all that may */
	uint64_t keepalive;  /* ns; 0: none */
	const char *ctl;
	const char *trace;
	const char *user;
	bool quiet;
	bool json;
	bool check;
	enum ends_task task;
	const char *word[ENDS_WORDS]; /* of the task */
	unsigned words;
};

/** tunnel_command - What the command takes */
extern const struct opt_command tunnel_command;

/**
 * ends_options_check() - Do they go together? Return: 0 or -EINVAL with a
 * sentence
 */
int ends_options_check(const struct ends_options *o, struct errbuf *e);

/**
 * ends_options_parse() - Return: 0, 1: help was asked for, -Exxx with a
 * sentence
 */
int ends_options_parse(struct ends_options *o, int argc, char **argv,
		       struct errbuf *e);

/**
 * ends_keygen() - Make a private key in a new file, and print its public one
 *
 * Return: 0 or -Exxx with a sentence
 */
int ends_keygen(const char *path, struct errbuf *e);

/**
 * ends_padgen() - Make a one-time pad in a new file
 * @size:	Bytes of both halves, as text
 * @source:	Where its bytes are from; NULL: the kernel
 *
 * Return: 0 or -Exxx with a sentence
 */
int ends_padgen(const char *path, const char *size, const char *source,
		struct errbuf *e);

/**
 * ends_check() - Say what stands in the way of each path; nothing is sent
 *
 * Return: 0: nothing; -EHOSTUNREACH: something, which was said; -Exxx with a
 * sentence
 */
int ends_check(const struct ends_options *o, struct errbuf *e);

/** ends_print() - What a tunnel counted, as its options say: text, JSON or none
 */
void ends_print(const struct ends_options *o, const struct ctl_shown *shown);

/**
 * ends_run() - Be an end until a signal says that it is enough
 *
 * Return: 0 or -Exxx with a sentence
 */
int ends_run(const struct ends_options *o, struct errbuf *e);

#endif /* ENDS_ENDS_H */
