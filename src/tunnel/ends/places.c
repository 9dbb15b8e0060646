/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * places.c - Options that name places and what goes there: paths, listeners,
 * classes
 *
 * A host's name is kept as it is written, and looked up when the run begins,
 * before there is anything to lose: what is confined opens no socket to ask by.
 */
#include "ends/places.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "opt/list.h"
#include "opt/values.h"

#define RATE_LEAST  1000u /* bytes a second */
#define RATE_MOST   25000000000u
#define WEIGHT_MOST 1000u

/* ADDR:PORT */
static int get_remote(const char *s, struct ipaddr *ip, uint16_t *port)
{
	uint8_t bits;
	int r = value_get_endpoint(s, strlen(s), ip, &bits, port);

	return r == 0 && bits == IPADDR_BITS && *port != 0 ? 0 : -EINVAL;
}

/* A host's name: letters, digits, dashes and dots, and not only what an address
 * has.
 */
static bool is_host(const char *s, size_t n)
{
	bool letter = false;

	if (n == 0 || n >= ENDS_HOST || s[0] == '-' || s[0] == '.')
		return false;
	for (size_t i = 0; i < n; i++) {
		bool is = (s[i] >= 'a' && s[i] <= 'z') ||
			  (s[i] >= 'A' && s[i] <= 'Z');

		if (!is && (s[i] < '0' || s[i] > '9') && s[i] != '-' &&
		    s[i] != '.')
			return false;
		letter |= is;
	}
	return letter;
}

/* ADDR:PORT, or HOST:PORT, whose address is looked up later; or ADDR */
static int get_far(const char *s, struct ipaddr *ip, uint16_t *port,
		   char host[ENDS_HOST])
{
	const char *colon = strrchr(s, ':');
	uint64_t n;

	if (get_remote(s, ip, port) == 0)
		return 0;
	*port = 0;
	if (value_get_ip(s, strlen(s), ip) == 0)
		return 0;
	if (!colon || !is_host(s, (size_t)(colon - s)) ||
	    value_get_number(colon + 1, &n) != 0 || n == 0 || n > UINT16_MAX)
		return -EINVAL;
	memcpy(host, s, (size_t)(colon - s));
	host[colon - s] = '\0';
	*port = (uint16_t)n;
	return 0;
}

bool places_is_dev(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || n >= ENDS_NAME)
		return false;
	for (; *s != '\0'; s++)
		if (*s <= ' ' || *s > '~' || strchr("/:'\"\\#", *s))
			return false;
	return true;
}

/* LOCAL, DEV or "any" */
static int get_local(const char *s, struct ends_place *p)
{
	if (strcmp(s, "any") == 0)
		return 0;
	if (value_get_ip(s, strlen(s), &p->local) == 0) {
		p->has_local = true;
		return 0;
	}
	if (!places_is_dev(s))
		return -EINVAL;
	memcpy(p->dev, s, strlen(s) + 1);
	return 0;
}

static int get_more(const char *s, struct ends_place *p)
{
	static const char *const tier[] = { [MP_PRIMARY] = "tier=primary",
					    [MP_SECONDARY] = "tier=secondary",
					    [MP_BACKUP] = "tier=backup" };

	uint64_t n;

	if (strncmp(s, "cap=", 4) == 0)
		return value_get_size(s + 4, &p->config.cap);
	if (strncmp(s, "rate=", 5) == 0) {
		if (value_get_size(s + 5, &n) != 0 || n < RATE_LEAST ||
		    n > RATE_MOST)
			return -EINVAL;
		p->config.rate = n;
		return 0;
	}
	if (strncmp(s, "weight=", 7) == 0) {
		if (value_get_number(s + 7, &n) != 0 || n < 1 ||
		    n > WEIGHT_MOST)
			return -EINVAL;
		p->config.weight = (uint32_t)n;
		return 0;
	}
	for (int i = 0; i < 3; i++)
		if (strcmp(s, tier[i]) == 0) {
			p->config.tier = (enum mp_tier)i;
			return 0;
		}
	return -EINVAL;
}

static int set_path(void *field, const struct opt_row *r, const char *v,
		    struct errbuf *e)
{
	struct ends_options *o = field;
	struct ends_place p = { .dev = "" };
	char item[LIST_ITEM];
	const char *at = v;

	if (o->paths == ENDS_PATHS)
		return opt_bad(e, r, v, "is one too many");
	if (list_next(&at, item) != 1 || get_local(item, &p) != 0)
		return opt_bad(e, r, v, "begins with no address or device");
	if (list_next(&at, item) != 1 ||
	    get_far(item, &p.remote, &p.port, p.host) != 0)
		return opt_bad(e, r, v, "lacks the far end's address and port");
	if (p.has_local && p.host[0] == '\0' &&
	    ipaddr_is4(&p.local) != ipaddr_is4(&p.remote))
		return opt_bad(e, r, v,
			       "is IPv4 at one end and IPv6 at the "
			       "other");
	while (list_next(&at, item) == 1)
		if (get_more(item, &p) != 0)
			return opt_bad(e, r, v,
				       "ends with a word that is unknown or "
				       "out of its range");
	o->path[o->paths++] = p;
	return 0;
}

/* A host's name, or the address. */
static void put_end(struct text *t, const struct ends_place *p,
		    const struct ipaddr *ip)
{
	char end[TEXT_ENDPOINT];

	if (p->host[0] != '\0')
		text_add(t, "%s:%u", p->host, p->port);
	else if (p->port == 0)
		value_put_ip(t, ip, false);
	else
		text_add(t, "%s", text_endpoint(end, ip, p->port));
}

static void put_place(struct text *t, const struct ends_place *p)
{
	static const char *const tier[] = { "", ",tier=secondary",
					    ",tier=backup" };

	if (p->has_local)
		value_put_ip(t, &p->local, false);
	else
		text_add(t, "%s", p->dev[0] != '\0' ? p->dev : "any");
	text_add(t, ",");
	put_end(t, p, &p->remote);
	text_add(t, "%s", tier[p->config.tier]);
	if (p->config.weight > 0)
		text_add(t, ",weight=%u", p->config.weight);
	if (p->config.rate > 0) {
		text_add(t, ",rate=");
		value_put_size(t, p->config.rate);
	}
	if (p->config.cap > 0) {
		text_add(t, ",cap=");
		value_put_size(t, p->config.cap);
	}
}

static bool put_path(struct text *t, const void *field, const struct opt_row *r,
		     unsigned i)
{
	const struct ends_options *o = field;

	(void)r;
	if (i >= o->paths)
		return false;
	put_place(t, &o->path[i]);
	return true;
}

static int set_listen(void *field, const struct opt_row *r, const char *v,
		      struct errbuf *e)
{
	struct ends_options *o = field;
	struct ends_place p = { .dev = "" };

	if (o->listens == ENDS_LISTEN)
		return opt_bad(e, r, v, "is one too many");
	if (get_far(v, &p.local, &p.port, p.host) != 0 || p.port == 0)
		return opt_bad(e, r, v, "is no address with a port");
	if (o->listens == 1 && p.host[0] == '\0' &&
	    o->listen[0].host[0] == '\0' &&
	    ipaddr_is4(&p.local) == ipaddr_is4(&o->listen[0].local))
		return opt_bad(e, r, v, "is a second one of its family");
	o->listen[o->listens++] = p;
	return 0;
}

static bool put_listen(struct text *t, const void *field,
		       const struct opt_row *r, unsigned i)
{
	const struct ends_options *o = field;

	(void)r;
	if (i >= o->listens)
		return false;
	put_end(t, &o->listen[i], &o->listen[i].local);
	return true;
}

/* FILTER=WORD; a filter may have = in it, the word has none. */
static int set_class(void *field, const struct opt_row *r, const char *v,
		     struct errbuf *e)
{
	struct ends_options *o = field;
	const char *is = strrchr(v, '=');
	struct ends_class *c = &o->class[o->classes];
	int class;

	if (o->classes == ENDS_CLASSES)
		return opt_bad(e, r, v, "is one too many");
	if (!is || is == v || is - v >= ENDS_FILTER)
		return opt_bad(e, r, v, "is no filter with a word behind =");
	if (opt_choose(r, is + 1, &class, e) != 0)
		return -EINVAL;
	*c = (struct ends_class){ .class = (enum mp_class) class };
	memcpy(c->filter, v, (size_t)(is - v));
	o->classes++;
	return 0;
}

static bool put_class(struct text *t, const void *field,
		      const struct opt_row *r, unsigned i)
{
	const struct ends_options *o = field;
	char value[ENDS_FILTER + 16];
	struct text v;

	if (i >= o->classes)
		return false;
	text_begin(&v, value, sizeof(value));
	text_add(&v, "%s=", o->class[i].filter);
	opt_put_chosen(&v, r, (int)o->class[i].class);
	value_put_word(t, value);
	return true;
}

const struct opt_kind places_path = { false, set_path, put_path };
const struct opt_kind places_listen = { false, set_listen, put_listen };
const struct opt_kind places_class = { false, set_class, put_class };

/* --- names --- */

/* The first address that the resolver has of a family, or of any. */
static int look_up(const struct ends_place *p, const char *option,
		   struct ipaddr *out, struct errbuf *e)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *list = NULL;
	int r;

	if (p->has_local)
		hints.ai_family = ipaddr_is4(&p->local) ? AF_INET : AF_INET6;
	r = getaddrinfo(p->host, NULL, &hints, &list);
	if (r != 0 || !list)
		return errbuf_set(e, -ENOENT,
				  "%s ...%s:%u: %s; write its address, or mend "
				  "the resolver",
				  option, p->host, p->port,
				  r != 0 ? gai_strerror(r) : "no address");
	if (list->ai_family == AF_INET) {
		struct sockaddr_in in;
		uint8_t b[4];

		memcpy(&in, list->ai_addr, sizeof(in));
		memcpy(b, &in.sin_addr, sizeof(b));
		*out = ipaddr_from4(b);
	} else {
		struct sockaddr_in6 in6;

		memcpy(&in6, list->ai_addr, sizeof(in6));
		memcpy(out->b, &in6.sin6_addr, sizeof(out->b));
	}
	freeaddrinfo(list);
	return 0;
}

int places_look_up(struct ends_options *o, struct errbuf *e)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < o->paths; i++)
		if (o->path[i].host[0] != '\0')
			r = look_up(&o->path[i], "--path", &o->path[i].remote,
				    e);
	for (unsigned i = 0; r == 0 && i < o->listens; i++)
		if (o->listen[i].host[0] != '\0')
			r = look_up(&o->listen[i], "--listen",
				    &o->listen[i].local, e);
	if (r == 0 && o->listens == 2 &&
	    ipaddr_is4(&o->listen[0].local) == ipaddr_is4(&o->listen[1].local))
		return errbuf_set(e, -EINVAL,
				  "--listen %s: is a second one of its family; "
				  "write its address",
				  o->listen[1].host);
	return r;
}
