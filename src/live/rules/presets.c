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

const char *preset_text(const char *name, size_t n)
{
	static const struct {
		const char *name, *text;
	} presets[] = { { "@http", http }, { "@nginx", nginx } };

	for (size_t i = 0; i < sizeof(presets) / sizeof(presets[0]); i++)
		if (strlen(presets[i].name) == n &&
		    memcmp(presets[i].name, name, n) == 0)
			return presets[i].text;
	return NULL;
}
