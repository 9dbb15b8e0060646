/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page_internal - What the files of page share
 */
#ifndef PAGE_PAGE_INTERNAL_H
#define PAGE_PAGE_INTERNAL_H

#include "page/answer.h"
#include "page/page.h"

/** page_where() - As page_check(), and what it says */
int page_where(const char *listen, struct ipaddr *ip, uint16_t *port,
	       struct errbuf *e);

struct MHD_Daemon;

/**
 * struct server - A page that is shown
 * @fd:		It listens
 * @until:	It ends when this can be read, or its other end is gone
 */
struct server {
	const char *dir;
	int fd;
	int until;
	struct ask_door door;
	struct MHD_Daemon *http;
	char answer[ANSWER_MAX];
};

/** serve_open() - Begin to answer, by the library. Return: 0 or -Exxx */
int serve_open(struct server *s);

/** serve() - Answer until it is to end. Return: 0 or -Exxx */
int serve(struct server *s);

/** serve_close() */
void serve_close(struct server *s);

/* --- files of the page (made of index.html and its like) --- */

/** struct page_file - @p is terminated */
struct page_file {
	const char *type;
	const char *p;
	size_t n;
};

extern const struct page_file page_files[ASK_HEALTH];

#endif /* PAGE_PAGE_INTERNAL_H */
