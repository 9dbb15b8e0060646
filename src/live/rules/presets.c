/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * presets.c - Rules that are there already
 *
 * A preset leaves out what two servers of one version say differently of one
 * answer, and nothing that a client acts upon.
 */
#include "rules/rules_internal.h"

#include <string.h>

/* Lists whose order means nothing (RFC 9110 section 5.6.1 and each field's
 * own), names that are compared without case, identifiers of one request, a
 * server's own moments.
 */
static const char http[] =
	"understudy rules 1\n"
	"header ignore Age Connection Keep-Alive\n"
	"header date Date within 5s\n"
	"header date Expires within 5s\n"
	"header set Vary Allow Accept-Ranges Cache-Control\n"
	"header set Access-Control-Allow-Methods Access-Control-Allow-Headers\n"
	"header set Access-Control-Expose-Headers\n"
	"header case Content-Encoding Transfer-Encoding\n"
	"header ignore X-Request-Id X-Correlation-Id Request-Id Traceparent\n"
	"header ignore Tracestate X-Amzn-Trace-Id X-B3-Traceid X-B3-Spanid\n"
	"header ignore Server-Timing X-Runtime X-Response-Time\n";

/* nginx makes an entity tag of a file's time and size, so that two copies of
 * one file have two; a validator is judged with what production served under
 * it.
 */
static const char nginx[] = "understudy rules 1\n"
			    "include @http\n"
			    "header class ETag etag\n"
			    "header class Last-Modified time\n";

/* Apache makes an entity tag of a file's time and size (FileETag), too. */
static const char apache[] = "understudy rules 1\n"
			     "include @http\n"
			     "header class ETag etag\n"
			     "header class Last-Modified time\n"
			     "header set Upgrade\n";

/* unique-id-header, the names that its manual gives it and the cookie of a
 * server; both instances number their servers as they like.
 */
static const char haproxy[] = "understudy rules 1\n"
			      "include @http\n"
			      "header ignore X-Unique-ID Unique-ID\n"
			      "cookie session SERVERID SRV\n";

/* X-Varnish numbers a transaction, Via names the host. What a cache has is not
 * what another one has: an older object is judged by its lifetime.
 */
static const char varnish[] = "understudy rules 1\n"
			      "include @http\n"
			      "header ignore X-Varnish Via\n";

/* What two instances say of themselves, moments, what is drawn by lot, and
 * walks over a table whose order each draws for itself; the same table read at
 * once is a set. A time to live is read a moment later by one of them.
 */
static const char redis[] =
	"understudy rules 1\n"
	"reply type TIME INFO LASTSAVE ROLE HELLO DEBUG LATENCY SLOWLOG\n"
	"reply type CLIENT|ID CLIENT|INFO CLIENT|LIST MEMORY ACL|GENPASS\n"
	"reply type RANDOMKEY SRANDMEMBER HRANDFIELD ZRANDMEMBER SPOP XADD\n"
	"reply type SCAN SSCAN HSCAN ZSCAN OBJECT|IDLETIME COMMAND\n"
	"reply set KEYS SMEMBERS SINTER SUNION SDIFF HKEYS HVALS\n"
	"reply set PUBSUB|CHANNELS ACL|USERS MODULE|LIST\n"
	"reply map HGETALL CONFIG|GET PUBSUB|NUMSUB\n"
	"reply number TTL within 1\n"
	"reply number EXPIRETIME within 1\n"
	"reply number PTTL within 1000\n"
	"reply number PEXPIRETIME within 1000\n";

/* Two servers of one zone, or two caches that were asked the same: times to
 * live are apart by no more than answers are.
 */
static const char dns[] = "understudy rules 1\n"
			  "dns ttl within 5\n";

/* Cookies of the session and of CSRF protection, made for each client; the
 * hidden inputs of forms need no rule.
 */
static const char django[] = "understudy rules 1\n"
			     "include @http\n"
			     "cookie session csrftoken sessionid messages\n"
			     "header set Content-Language\n";

/* An entity tag is made of the body, in which a CSRF token stands, and so is
 * weak: what it stands for is compared.
 */
static const char rails[] = "understudy rules 1\n"
			    "include @http\n"
			    "cookie session _session_id _csrf_token\n"
			    "header class ETag etag\n";

/* express-session, csurf */
static const char express[] = "understudy rules 1\n"
			      "include @http\n"
			      "cookie session connect.sid _csrf XSRF-TOKEN\n"
			      "header class ETag etag\n";

/* Sessions of the container and of Spring Session, and the moment and the
 * request that an error page of JSON names.
 */
static const char spring[] = "understudy rules 1\n"
			     "include @http\n"
			     "cookie session JSESSIONID SESSION XSRF-TOKEN\n"
			     "header ignore X-Application-Context\n"
			     "json time $.timestamp within 5s\n"
			     "json class $.requestId hex\n"
			     "json class $.traceId hex\n";

static const struct {
	const char *name, *text;
} presets[] = {
	{ "@http", http },	 { "@nginx", nginx },	  { "@apache", apache },
	{ "@haproxy", haproxy }, { "@varnish", varnish }, { "@redis", redis },
	{ "@dns", dns },	 { "@django", django },	  { "@rails", rails },
	{ "@express", express }, { "@spring", spring },
};

const char *preset_text(const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof(presets) / sizeof(presets[0]); i++)
		if (strlen(presets[i].name) == n &&
		    memcmp(presets[i].name, name, n) == 0)
			return presets[i].text;
	return NULL;
}
