/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page - What a run finds, in a browser: understudy page, and --listen of a run
 *
 * See serve.c.
 */
#ifndef PAGE_PAGE_H
#define PAGE_PAGE_H

#include <stdint.h>

#include "core/ipaddr.h"
#include "opt/opt.h"
#include "os/errbuf.h"

/**
 * struct page_options - What is told
 * @dir:	Folder of --out
 * @listen:	ADDR:PORT; NULL: PAGE_LISTEN
 */
struct page_options {
	const char *dir;
	const char *listen;
};

#define PAGE_LISTEN "127.0.0.1:0"

extern const struct opt_command page_command;

/** page_parse() - As options_parse(). Return: 0, 1 (help), -EINVAL */
int page_parse(struct page_options *o, int argc, char **argv, struct errbuf *e);

/** page_check() - Is it an address of this host's loopback, with a port?
 *
 * Return: 0 or -EINVAL with a sentence
 */
int page_check(const char *listen, struct errbuf *e);

/** page_run() - Show a folder until a signal. Return: 0 or -Exxx with a
 * sentence
 */
int page_run(const struct page_options *o, struct errbuf *e);

struct page;

/**
 * page_start() - Show the folder of a run, by a process of its own
 * @o:		The folder is there
 * @user:	Whom it becomes; NULL: it stays who it is, without privileges
 * @url:	Where it is, PAGE_URL bytes
 *
 * Before the first thread is made. It ends with us, or by page_stop().
 *
 * Return: 0 or -Exxx with a sentence
 */
#define PAGE_URL 128
int page_start(struct page **out, const struct page_options *o,
	       const char *user, char url[PAGE_URL], struct errbuf *e);

/** page_stop() - End it. NULL: nothing */
void page_stop(struct page *p);

#endif /* PAGE_PAGE_H */
