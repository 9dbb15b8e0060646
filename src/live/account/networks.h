/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * networks - Clients' networks that the SUT does not answer on its wire
 */
#ifndef ACCOUNT_NETWORKS_H
#define ACCOUNT_NETWORKS_H

#include "config/config.h"
#include "engine/engine.h"

#define NETWORK_NAME 56 /* bytes of ADDRESS/LENGTH */

/**
 * networks_name() - Write a network; @out has NETWORK_NAME bytes. Return: @out
 */
char *networks_name(char *out, const struct ipaddr *net, uint8_t bits);

/** networks_first_line() - Say what may leak, if networks are not proved */
void networks_first_line(const struct options *o);

/** networks_too_many() - Are there more flows without a route than allowed? */
bool networks_too_many(const struct engine *engine, const struct options *o);

/** networks_headline() - If so, the networks' names. Return: @out, or NULL */
const char *networks_headline(const struct engine *engine,
			      const struct options *o, char *out, size_t size);

/** networks_at_end() - Name those that are not played now */
void networks_at_end(const struct engine *engine);

#endif /* ACCOUNT_NETWORKS_H */
