/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sandbox - What a process that reads hostile bytes may still ask of the kernel
 *
 * Built with AddressSanitizer, whose run time needs more, both functions do
 * nothing. Nothing switches them off in another build.
 */
#ifndef OS_SANDBOX_H
#define OS_SANDBOX_H

#include <stdbool.h>

#include "os/errbuf.h"

/* What a process does after its start; each adds its system calls. */
enum {
	SANDBOX_RUN = 1,      /* memory, time, threads' locks, a terminal */
	SANDBOX_WIRES = 2,    /* the packet sockets of a run */
	SANDBOX_WRITE = 4,    /* seek in and cut a file of its own */
	SANDBOX_MAKE = 8,     /* make files as folder_make() does, unlink */
	SANDBOX_READ = 16,    /* open files for reading */
	SANDBOX_BROKER = 32,  /* speak with the broker, or be it */
	SANDBOX_START = 64,   /* start threads, narrow the sandbox */
	SANDBOX_REREAD = 128, /* read a capture at any place */
	SANDBOX_SEND = 256,   /* send a capture, ask the kernel for counters */
	SANDBOX_LOOP = 1024,  /* wait in a loop (os/loop.h) that was opened */
	SANDBOX_REPLACE =
		2048, /* write a file anywhere in it, rename or remove it,
				 * also in a signal's handler */
	SANDBOX_PROGRAM = 512, /* run a program that is loaded, in a thread */
	SANDBOX_DATAGRAMS =
		4096, /* receive and send by the sinks; random numbers */
	SANDBOX_CONTROL = 65536, /* take who connects to the control socket */
	SANDBOX_SOCKETS = 8192,	 /* sockets of TCP and UDP, to anywhere */
	SANDBOX_SPLICE = 16384,	 /* libunderstudy-splice after usplice_open() */
	SANDBOX_APPEND = 32768,	 /* open files as folder_append() does */
	SANDBOX_CHILD =
		131072,	       /* have a child that ends with it, and see how */
	SANDBOX_SYNC = 262144, /* make a file durable */
	SANDBOX_PIPES = 524288,	  /* make pipes, and move what is in them */
	SANDBOX_TABLES = 1048576, /* read and write tables of the kernel's */
	SANDBOX_STORE = 2097152,  /* SQLite, in a folder of its own */
	SANDBOX_SERVE = 4194304,  /* speak with whom SANDBOX_CONTROL takes */
};

#define SANDBOX_RINGS 8
#define SANDBOX_SINKS 12

/**
 * struct sandbox - A process's needs
 * @needs:	SANDBOX_ bits
 * @sink, @sinks: The only sockets that frames, or questions to the kernel, may
 *		be sent by
 * @ring, @rings: Sockets that only bring frames; they may get memory and a
 *		filter
 * @broker:	The socket to the broker; -1: none
 * @control:	The control socket that listens; only with SANDBOX_CONTROL
 */
struct sandbox {
	unsigned needs;
	unsigned sinks;
	int sink[SANDBOX_SINKS];
	unsigned rings;
	int ring[SANDBOX_RINGS];
	int broker;
	int control;
};

/**
 * struct sandbox_place - Where files may be opened yet
 * @fd:		O_PATH descriptor of a folder or a file
 * @make:	Files may be made, cut and removed there; else only read
 */
struct sandbox_place {
	int fd;
	bool make;
};

/**
 * sandbox_files() - Let no file be opened but in these places, by Landlock
 * @place, @n:	Where; none: no file at all
 * @needs:	SANDBOX_ bits. Without SANDBOX_SOCKETS TCP is closed, too, to
 *		listen to and to connect to. Without SANDBOX_CHILD no signal
 *		gets out; with it none is refused here, as the kernel holds a
 *		parent's own end (PR_SET_PDEATHSIG) for a signal of the parent's
 * @e:		Sentence on failure
 *
 * Holds for the calling thread and those that it starts, so it is called before
 * the first is. no_new_privs must be set. A place on no file system (a pipe) is
 * not fenced in by Landlock and needs no rule.
 *
 * Return: 1, or 0 the kernel has no Landlock, or -Exxx
 */
int sandbox_files(const struct sandbox_place *place, unsigned n, unsigned needs,
		  struct errbuf *e);

/**
 * sandbox_calls() - Let no system call through but those that are needed
 * @s:		Needs
 * @e:		Sentence on failure
 *
 * For all threads, and for good: a second call can only narrow it, and only if
 * the first had SANDBOX_START. no_new_privs must be set. What is refused gives
 * -EPERM; what no fault but an intruder's would call ends the process (SIGSYS).
 *
 * Return: 0 or -Exxx
 */
int sandbox_calls(const struct sandbox *s, struct errbuf *e);

/**
 * sandbox_built() - Is the sandbox in this build? Not with AddressSanitizer.
 */
bool sandbox_built(void);

/** sandbox_seccomp() - Can this kernel do what sandbox_calls() asks? */
bool sandbox_seccomp(void);

/** sandbox_landlock() - Version of Landlock in this kernel, 0: none */
int sandbox_landlock(void);

#endif /* OS_SANDBOX_H */
