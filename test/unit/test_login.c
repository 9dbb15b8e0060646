/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_login.c - Unit test of proxy/login and codec/password
 *
 * Hashes are those of openssl passwd and of Python's crypt. The loop is turned until
 * the thread has answered.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "codec/password.h"
#include "login/login.h"
#include "os/mem.h"

#define SIX                                                                    \
	"$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/"                   \
	"O817G3uBnIFNjnQJuesI"                                                 \
	"68u4OTLiBFdcbYEdFCoEOfaS35inz1"
#define FIVE "$5$abc$OSqb9ntZcf9SFFI.4S35nDi8XY1XNOc09F9bP08hNh9"

static void test_password(void)
{
	CHECK(password_hash_is(SIX) && password_hash_is(FIVE));
	CHECK(!password_hash_is("") && !password_hash_is("*"));
	CHECK(!password_hash_is("secret") && !password_hash_is("$9$x$y"));
	CHECK(password_is(SIX, "Hello world!"));
	CHECK(!password_is(SIX, "Hello world") && !password_is(SIX, ""));
	CHECK(!password_is(SIX, "Hello world!!"));
	CHECK(password_is(FIVE, "tiger") && !password_is(FIVE, "Tiger"));
	/* A hash that is cut, and what crypt() says for "no". */
	CHECK(!password_is("$5$abc$OSqb9ntZcf9SFFI", "tiger"));
	CHECK(!password_is("*0", "x") && !password_is("*1", "x"));
}

static struct users users;

static int parse(const char *text, struct errbuf *e)
{
	size_t n = strlen(text) + 1;
	char *copy = malloc(n);
	int r;

	memcpy(copy, text, n);
	e->s[0] = '\0';
	r = users_parse(&users, copy, e);
	free(copy);
	CHECK((r == 0) == (e->s[0] == '\0'));
	return r;
}

static const struct user *find(const char *name)
{
	return users_find(&users, (const uint8_t *)name,
			  (unsigned)strlen(name));
}

static void test_users(void)
{
	static const struct {
		const char *text;
		const char *says;
	} wrong[] = {
		{ "", "has no user" },
		{ "# nobody\n\n", "has no user" },
		{ "a:" FIVE "\nb", "line 2 is not NAME:HASH" },
		{ "\n:" FIVE, "line 2 is not NAME:HASH" },
		{ "a b:" FIVE, "line 1 has a name of other characters" },
		{ "a:secret", "line 1 has no hash" },
		{ "a:" FIVE "\n#\na:" SIX, "line 3 has a name that was there" },
		{ "a123456789a123456789a123456789abc:" FIVE,
		  "line 1 has a name that is too long" },
	};
	struct errbuf e;

	CHECK(parse("# us\nanna:" SIX "\n\nb-o_b.@x:" FIVE, &e) == 0);
	CHECK(users.n == 2 && strcmp(find("anna")->hash, SIX) == 0);
	CHECK(strcmp(find("b-o_b.@x")->hash, FIVE) == 0);
	CHECK(find("ann") == NULL && find("annaa") == NULL);
	CHECK(find("") == NULL && find("Anna") == NULL);
	CHECK(parse("a123456789a123456789a123456789ab:" FIVE "\n", &e) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		CHECK(parse(wrong[i].text, &e) == -EINVAL);
		CHECK_ROW(strncmp(e.s, wrong[i].says, strlen(wrong[i].says)) ==
				  0,
			  e.s);
	}
}

/* --- the thread --- */

/** struct told - What the loop was told, by question */
static struct {
	unsigned n;
	bool good[2 * LOGIN_QUEUE];
} told;

static void tell(void *ctx, uint32_t who, uint64_t id, bool good)
{
	CHECK(ctx == &told && id == 1000u + who && who < 2 * LOGIN_QUEUE);
	told.good[who] = good;
	told.n++;
}

static bool ask(struct login *l, uint32_t who, const char *name,
		const char *password)
{
	char user[USERS_NAME + 1];
	bool asked =
		login_ask(l, who, 1000 + who, (const uint8_t *)name,
			  (unsigned)strlen(name), (const uint8_t *)password,
			  (unsigned)strlen(password), user);

	if (asked)
		CHECK(strcmp(user, strcmp(name, "anna") == 0 ? name : "") == 0);
	return asked;
}

static void wait_for(struct loop *loop, unsigned n)
{
	while (told.n < n)
		loop_wait(loop, UINT64_MAX);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void test_thread(void)
{
	static struct errbuf e;
	char path[] = "/tmp/test_login.XXXXXX";
	int fd = mkstemp(path);
	struct login *l = NULL;
	struct loop *loop;
	struct arena a;
	uint32_t n = 4;

	CHECK(fd >= 0 && mem_take(&a, login_size(), 0) == 0);
	CHECK(loop_open(&loop) == 0);
	write_file(path, "anna:" FIVE "\n");
	CHECK_ROW(login_open(&l, &a, path, loop, tell, &told, &e) == 0, e.s);
	CHECK(login_start(l, &e) == 0);
	CHECK(ask(l, 0, "anna", "tiger") && ask(l, 1, "anna", "lion"));
	/* The first user's hash is not everybody's. */
	CHECK(ask(l, 2, "otto", "tiger") && ask(l, 3, "", ""));
	wait_for(loop, 4);
	CHECK(told.good[0] && !told.good[1] && !told.good[2] && !told.good[3]);
	/* As many as there may be, and not one more. */
	while (n < 4 + LOGIN_QUEUE && ask(l, n, "anna", "tiger"))
		n++;
	CHECK(n == 4 + LOGIN_QUEUE && !ask(l, n, "anna", "tiger"));
	wait_for(loop, n);
	for (uint32_t i = 4; i < n; i++)
		CHECK(told.good[i]);
	CHECK(ask(l, n, "anna", "tiger"));
	wait_for(loop, n + 1);
	/* Another file: what is wrong changes nothing. */
	write_file(path, "anna:x\n");
	CHECK(login_read(l, &e) == -EINVAL && strstr(e.s, "line 1") != NULL);
	CHECK(ask(l, 0, "anna", "tiger"));
	write_file(path, "anna:" SIX "\n");
	CHECK(login_read(l, &e) == 0);
	login_take(l);
	CHECK(ask(l, 1, "anna", "tiger") && ask(l, 2, "anna", "Hello world!"));
	wait_for(loop, n + 4);
	CHECK(told.good[0] && !told.good[1] && told.good[2]);
	/* Who waits yet is not waited for. */
	for (uint32_t i = 0; i < 8; i++)
		CHECK(ask(l, i, "anna", "tiger"));
	login_close(l);
	loop_close(loop);
	mem_give(&a);
	close(fd);
	CHECK(unlink(path) == 0);
}

static const struct check_test tests[] = {
	{ "passwords", test_password },
	{ "users", test_users },
	{ "the thread", test_thread },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
