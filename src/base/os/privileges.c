/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * privileges.c - Give up what only the start needed
 *
 * Theory of operation
 *
 * The order matters. The bounding set can be emptied only while CAP_SETPCAP is
 * held, groups changed only while CAP_SETGID is, so these come before the uid.
 * setresuid() from root clears the permitted set by itself; for a caller that
 * is not root but has file capabilities, capset() does. no_new_privs comes
 * first: it needs nothing and takes set-uid programs out of the picture. A
 * capability that is to stay outlives setresuid() in the permitted set
 * (PR_SET_KEEPCAPS), and capset() makes it effective again and takes all
 * others.
 */
#include "os/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY "nobody"

/* Which of @bits are permitted. */
static uint32_t capabilities_held(uint32_t bits)
{
	struct __user_cap_header_struct h = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct d[2];

	memset(d, 0, sizeof(d));
	return syscall(SYS_capget, &h, d) ? 0 : d[0].permitted & bits;
}

static int capabilities_set(uint32_t bits)
{
	struct __user_cap_header_struct h = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct d[2];

	memset(d, 0, sizeof(d));
	d[0].effective = d[0].permitted = bits;
	return syscall(SYS_capset, &h, d) ? -errno : 0;
}

/* Without CAP_SETPCAP this fails, and then there is nothing to bound. */
static void bounding_clear(void)
{
	for (unsigned long c = 0; prctl(PR_CAPBSET_READ, c, 0, 0, 0) >= 0; c++)
		(void)prctl(PR_CAPBSET_DROP, c, 0, 0, 0);
}

static int user_set(const struct passwd *pw)
{
	if (getuid() == pw->pw_uid && geteuid() == pw->pw_uid)
		return 0;
	if (setgroups(1, &pw->pw_gid) ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid))
		return -errno;
	return 0;
}

/* Return: 1: there are others than @bits; 0: there are not; -Exxx */
static int capabilities_left(uint32_t bits)
{
	struct __user_cap_header_struct h = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct d[2];

	memset(d, 0xff, sizeof(d));
	if (syscall(SYS_capget, &h, d))
		return -errno;
	return (((d[0].effective | d[0].permitted) & ~bits) | d[0].inheritable |
		d[1].effective | d[1].permitted | d[1].inheritable) != 0;
}

int privileges_freeze(struct errbuf *e)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return errbuf_set(e, -errno, "no_new_privs: %s",
				  strerror(errno));
	return 0;
}

/* Become @pw, if that is somebody, with these capabilities and no others. */
static int become(const struct passwd *pw, uint32_t keep, struct errbuf *e)
{
	int rc = 0;

	if (keep != 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
		return errbuf_set(e, -errno, "keepcaps: %s", strerror(errno));
	if (pw) {
		rc = user_set(pw);
		if (rc)
			return errbuf_set(e, rc, "cannot become %s: %s",
					  pw->pw_name, strerror(-rc));
	}
	rc = capabilities_set(keep);
	if (rc)
		return errbuf_set(e, rc, "capset: %s", strerror(-rc));
	if (keep != 0 && prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0))
		return errbuf_set(e, -errno, "keepcaps: %s", strerror(errno));
	if (capabilities_left(keep) != 0 || (pw && setuid(0) == 0))
		return errbuf_set(e, -EPERM, "privileges are still there");
	return 0;
}

static int drop(const char *user, uint32_t keep, struct errbuf *e)
{
	const struct passwd *pw = NULL;
	int rc;

	if (user) {
		pw = getpwnam(user);
		if (!pw)
			return errbuf_set(e, -ENOENT, "no user named %s", user);
		if (pw->pw_uid == 0)
			return errbuf_set(e, -EINVAL, "user %s is root", user);
	}
	rc = privileges_freeze(e);
	if (rc)
		return rc;
	/* Of a set-uid program: who called it. */
	if (!pw && geteuid() != getuid() &&
	    (setresgid(getgid(), getgid(), getgid()) ||
	     setresuid(getuid(), getuid(), getuid())))
		return errbuf_set(e, -errno, "setresuid: %s", strerror(errno));
	bounding_clear();
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return become(pw, keep, e);
}

int privileges_drop(const char *user, struct errbuf *e)
{
	return drop(user, 0, e);
}

int privileges_drop_but_net_admin(const char *user, struct errbuf *e)
{
	return drop(user, capabilities_held(1u << CAP_NET_ADMIN), e);
}

const char *privileges_sudo(void)
{
	const char *sudo = getenv("SUDO_USER");

	return sudo && strcmp(sudo, "root") != 0 ? sudo : NULL;
}

const char *privileges_user(const char *asked)
{
	if (asked || getuid() != 0)
		return asked;
	return privileges_sudo() ? privileges_sudo() : NOBODY;
}
