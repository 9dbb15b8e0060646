/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ctl - A process that runs is asked, told and watched
 *
 * A Unix socket in the loop of a process. Its user hands over what there is:
 * options (opt/opt.h), whose rows of OPT_RUNTIME may be changed; counters, in
 * groups; and what it wants to be asked before and told after a change. Who
 * connects must be root or who started the process.
 *
 * A process may have requests of its own, in a table. Each request
 * (ctl/request.h) has one answer: "ok N", a newline and N bytes of
 * lines; or "error" and a sentence. The answer to watch is "events", and behind
 * it they come, a line of JSON each, until either side closes.
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"
#include "core/counters.h"
#include "ctl/counters.h"
#include "opt/opt.h"
#include "os/errbuf.h"
#include "os/loop.h"
#include "text/json.h"

#define CTL_CLIENTS 8 /* at a time; full: the next is refused (full) */
#define CTL_ANSWER  (192u << 10) /* bytes; longer: an error instead (no_room) */
#define CTL_EVENT   4096	 /* bytes; a longer event is none */
/* Bytes that wait for one client. Before they are gone no further request of
 * his is read; who watches and has no room for an event is closed (slow).
 */
#define CTL_QUEUE (CTL_ANSWER + 1024)
#define CTL_NOTE  80

/**
 * struct ctl_item - One struct of a group
 * @counters, @gauges: Where; valid until the next is looked for
 * @note:	What a person wants to know of it beside its number, such as an
 *		address; printable ASCII, and may be empty
 */
struct ctl_item {
	const void *counters;
	const void *gauges;
	char note[CTL_NOTE];
};

/**
 * struct ctl_group - Structs of counters of one kind
 * @name:	[a-z_], of JSON and Prometheus
 * @title:	For a person
 * @numbers:	There may be structs with a number below it; 0: one without
 * @counters:	Of each, or NULL
 * @gauges:	What goes up and down, or NULL. Beside the units of struct
 *		counter: "bool", "bytes/s", "us"
 * @find:	Number @i, or false: there is none
 */
struct ctl_group {
	const char *name;
	const char *title;
	unsigned numbers;
	const struct counter_list *counters;
	const struct counter_list *gauges;
	bool (*find)(void *ctx, unsigned i, struct ctl_item *out);
};

/**
 * struct ctl_shown - What can be shown
 * @type:	[a-z]: "type" in JSON; names in Prometheus begin with
 *		understudy_TYPE_
 * @ctx:	Of all find()
 */
struct ctl_shown {
	const char *type;
	const struct ctl_group *group;
	size_t groups;
	void *ctx;
};

/**
 * struct ctl_call - A request of the process's own
 * @name:	[a-z]
 * @usage:	How it is written, name included
 * @run:	Called with the rest of the line; adds its answer to @out, whole
 *		lines. Return: 0 or -Exxx with a sentence
 */
struct ctl_call {
	const char *name;
	const char *usage;
	int (*run)(void *ctx, const char *words, struct text *out,
		   struct errbuf *e);
};

/**
 * struct ctl_config - What a control socket serves
 * @path:	Where it is made, with mode 0600. One that nobody listens at any
 *		more is replaced
 * @options, @base: What get and set know, and the struct of the rows
 * @before:	Asked before option @name is changed, or NULL
 * @after:	Told of it. If it refuses, it puts back what was
 * @call, @calls: Requests of its own
 * @ctx:	Of all of these
 */
struct ctl_config {
	const char *path;
	const struct opt_command *options;
	void *base;
	int (*before)(void *ctx, const char *name, struct errbuf *e);
	int (*after)(void *ctx, const char *name, struct errbuf *e);
	const struct ctl_call *call;
	size_t calls;
	void *ctx;
	struct ctl_shown shown;
};

struct ctl;

/** ctl_size() - Arena bytes of a control socket */
size_t ctl_size(void);

/**
 * ctl_open() - Make the socket and listen
 * @out:	In the arena
 * @c:		Copied; what it points to is borrowed
 *
 * Return: 0 or -Exxx with a sentence. ctl_close() takes it back, but the
 * socket's file stays: to remove it takes rights that a process has no more
 */
int ctl_open(struct ctl **out, struct arena *a, const struct ctl_config *c,
	     struct errbuf *e);
void ctl_close(struct ctl *c);

/** ctl_serve() - Serve it from a loop. Return: 0 or -Exxx */
int ctl_serve(struct ctl *c, struct loop *l);

/** ctl_fd() - The socket that listens, for SANDBOX_CONTROL; NULL: -1 */
int ctl_fd(const struct ctl *c);

/** ctl_watched() - Does somebody watch? NULL: nobody */
bool ctl_watched(const struct ctl *c);

/**
 * ctl_event() - Begin an event, if somebody watches
 * @c:		May be NULL
 * @j:		Set to a line with the event's name and time
 *
 * Return: whether there is anything to do; then ctl_tell() ends the line
 */
bool ctl_event(struct ctl *c, struct json *j, const char *name);
void ctl_tell(struct ctl *c, struct json *j);

/** ctl_counters() - What was counted */
const struct ctl_counters *ctl_counters(const struct ctl *c);

/* show.c: the same forms for a report of one's own */

/** ctl_show_text() - For a person: all gauges, and counters that are not 0 */
void ctl_show_text(const struct ctl_shown *s, struct text *t);

/** ctl_show_json() - One line. Return: its bytes, or 0: it did not fit */
size_t ctl_show_json(const struct ctl_shown *s, char *buf, size_t size);

/**
 * ctl_show_prometheus() - Prometheus's text format 0.0.4
 *
 * Names are understudy_TYPE_GROUP_NAME, counters' with _total; a number is a
 * label with the group's name, and its note the label "to".
 */
void ctl_show_prometheus(const struct ctl_shown *s, struct text *t);

/* client.c: understudy ctl */

/** struct ctl_options - Its command line; strings are borrowed */
struct ctl_options {
	const char *path;
	char request[512];
};

extern const struct opt_command ctl_command;

/**
 * ctl_options_parse() - Return: 0, 1: help was asked for, -Exxx with a sentence
 */
int ctl_options_parse(struct ctl_options *o, int argc, char **argv,
		      struct errbuf *e);

/**
 * ctl_ask() - Send the request and print the answer to stdout, or events as
 * they come
 *
 * Return: 0; 1: it was answered with an error, which is the sentence; -Exxx
 * with a sentence: it was not answered
 */
int ctl_ask(const struct ctl_options *o, struct errbuf *e);

#endif /* CTL_CTL_H */
