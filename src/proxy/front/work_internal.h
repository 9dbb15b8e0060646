/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * work_internal - We are a worker: what our parent is told
 */
#ifndef FRONT_WORK_INTERNAL_H
#define FRONT_WORK_INTERNAL_H

#include "front/worker.h"

struct front;

/** work_open() - Hear what the parent asks. Return: 0 or -Exxx */
int work_open(struct front *f);

/** work_says() - Tell it WORKER_UP or WORKER_OVER, and show what there is */
void work_says(struct front *f, enum worker_said what);

/** work_event() - Tell it what has happened to a server of a listener */
void work_event(struct front *f, const char *what, const char *server,
		const char *listener);

#endif /* FRONT_WORK_INTERNAL_H */
