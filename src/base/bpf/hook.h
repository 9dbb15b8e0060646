/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hook - A program at the ingress of a device, or at its egress
 */
#ifndef BPF_HOOK_H
#define BPF_HOOK_H

#include <stdbool.h>

/** enum hook_point - Where on a device; of each there is one in clsact */
enum hook_point {
	HOOK_INGRESS,
	HOOK_BEFORE, /* ingress, beside a program of HOOK_INGRESS */
	HOOK_EGRESS,
};

/** struct hook - Where a program was attached; private
 * @ifindex:	Device
 * @point:	Where on it
 * @link:	Of a tcx hook; -1: it is a filter of clsact
 * @pin:	Where the link is pinned; empty: nowhere
 */
struct hook {
	int ifindex;
	enum hook_point point;
	int link;
	char pin[200];
};

/** enum hook_way - Which of the kernel's two ways */
enum hook_way {
	HOOK_BEST, /* tcx where there is, else clsact */
	HOOK_TCX, /* since Linux 6.6; goes with us, if it is not pinned; no other
		     program's setup removes it */
	HOOK_CLSACT, /* stays when we die; goes with the qdisc, which others may remove */
};

/**
 * hook_attach() - Attach a program of tc
 * @h:		Result; to be given to hook_detach() once
 * @prog:	Its descriptor
 * @ifindex:	Device
 * @way:	Which way
 * @pin:	File of a bpffs to which a link of tcx is pinned; NULL: it is
 *		not
 *
 * In front of what is there already. What was pinned there is taken over: the
 * program is exchanged, and no packet misses both.
 *
 * Return: 0 or -Exxx; -EOPNOTSUPP: this kernel has no tcx; -ENAMETOOLONG
 */
int hook_attach(struct hook *h, int prog, int ifindex, enum hook_way way,
		const char *pin);

/**
 * hook_attach_at() - The same, unpinned, anywhere on the device
 * @point:	Where; also in front of what is there already
 */
int hook_attach_at(struct hook *h, int prog, int ifindex, enum hook_way way,
		   enum hook_point point);

/** hook_detach() - Take it and its pin away; a qdisc stays, for others may use
 * it.
 * Return: 0 or -Exxx, -ENOENT: it was gone
 */
int hook_detach(struct hook *h);

/** hook_leave() - Forget it; what is pinned, or a filter of clsact, stays */
void hook_leave(struct hook *h);

/** hook_present() - Is it still there? Return: 1, 0 or -Exxx */
int hook_present(const struct hook *h);

#endif /* BPF_HOOK_H */
