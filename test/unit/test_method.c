/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_method.c - Unit test of app/method.h
 */
#include "app/method.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

static enum method_is is(const char *list, const char *request)
{
	size_t n = strlen(request);
	uint8_t *copy = malloc(n > 0 ? n : 1);
	enum method_is r;

	memcpy(copy, request, n);
	r = method_is(list, copy, (uint32_t)n);
	free(copy);
	return r;
}

static void a_method_is_a_whole_name(void)
{
	static const struct {
		const char *list;
		const char *request;
		enum method_is is;
	} rows[] = {
		{ "GET", "GET / HTTP/1.1\r\n", METHOD_IN },
		{ "POST,GET", "GET ", METHOD_IN },
		{ METHODS_SAFE, "TRACE /", METHOD_IN },
		{ METHODS_SAFE, "HEAD /", METHOD_IN },
		{ METHODS_SAFE, "POST /", METHOD_OUT },
		{ METHODS_SAFE, "DELETE /", METHOD_OUT },
		{ "GET", "GETX /", METHOD_OUT },
		{ "GET", "GE /", METHOD_OUT },
		{ "GET", "get /", METHOD_OUT },
		{ "GETX", "GET /", METHOD_OUT },
		{ "XGET", "GET /", METHOD_OUT },
		{ "GET", " GET /", METHOD_OUT },
		{ "GET", "", METHOD_UNSURE },
		{ "GET", "GE", METHOD_UNSURE },
		{ "GET", "GET", METHOD_UNSURE },
		{ "HEAD,GET", "G", METHOD_UNSURE },
		{ "GET", "P", METHOD_OUT },
		{ "GET", "GETX", METHOD_OUT },
		{ "GET,GETX", "GETX", METHOD_UNSURE },
		{ "GET,GETX", "GETX ", METHOD_IN },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		CHECK_ROW(is(rows[i].list, rows[i].request) == rows[i].is,
			  rows[i].request);
}

static void a_list_is_tokens(void)
{
	static const char *const good[] = { "GET", METHODS_SAFE, "a,B-1,M!" };
	static const char *const bad[] = {
		"", ",", "GET,", ",GET", "GET,,A", "GET A", "GET;A", "G\x80"
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		CHECK_ROW(method_list_good(good[i]), good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_ROW(!method_list_good(bad[i]), bad[i]);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "a method is a whole name", a_method_is_a_whole_name },
		{ "a list is tokens", a_list_is_tokens },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
