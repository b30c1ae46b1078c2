/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A straightforward model of the same NAT: a list of flows, searched from its start for every
 * packet, and rules written down as what is to be expected, not as how it is done. It knows the
 * fixture's network and nothing of the programs' tables.
 */
#ifndef UP_TESTS_MODEL_H
#define UP_TESTS_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fixture.h"

#define UPLINK      0 /* in place of an endpoint: where a packet comes from or goes to */
#define TO_HOST     9 /* handed to the host itself */
#define MODEL_FLOWS (FLOWS_MAX + 1)
#define MODEL_FRAGS 4096
#define MODEL_PORTS 8

enum model_kind {
	MODEL_DROP,
	MODEL_NEXT,       /* to the kernel, unchanged */
	MODEL_FORWARD,    /* as @packet */
	MODEL_TTL,        /* answered: TTL expired */
	MODEL_NO_ROUTE,   /* answered: unreachable */
	MODEL_PROHIBITED, /* answered: prohibited */
	MODEL_RST,        /* answered by a reset */
	MODEL_KINDS
};

/* A published port: the host's @host is the container's @port. */
struct model_port {
	int endpoint;
	uint8_t proto;
	uint16_t host, port;
};

/* One side of a flow: what is seen there. For ICMP @sport is the identifier and @dport 0. */
struct model_side {
	int at;
	uint32_t src, dst;
	uint16_t sport, dport;
};

/* From @in to @out; answers come by @out, reversed. */
struct model_flow {
	uint8_t proto;
	int owner;
	struct model_side in, out;
};

struct model_frag {
	struct model_side side;
	uint8_t proto;
	uint16_t id;
};

struct model {
	struct model_flow flows[MODEL_FLOWS];
	size_t n_flows;
	struct model_frag frags[MODEL_FRAGS];
	size_t n_frags;
	struct model_port ports[MODEL_PORTS];
	size_t n_ports;
};

/**
 * struct model_answer - what must come out
 * @kind:     enum model_kind
 * @packet:   for MODEL_FORWARD
 * @from:     for an answer: who gives it
 * @new_port: the flow is new and needs another source port than its own, which is for the programs
 *            to choose: model_adopt() must be told
 */
struct model_answer {
	enum model_kind kind;
	struct packet packet;
	uint32_t from;
	bool new_port;
};

/** model_packet() - a packet comes by @at, an endpoint or UPLINK */
struct model_answer model_packet(struct model *m, struct fixture *f, int at,
				 const struct packet *p);

/** model_adopt() - the last flow was given this source port. Return: may it have it? */
bool model_adopt(struct model *m, uint16_t port, struct model_answer *a);

/**
 * struct model_error - an ICMP error about a packet of a flow, there and on the other side
 * @at:         where it comes by
 * @about:      the packet as it arrived there, and as it was sent
 * @outer:      the error's own header, and what becomes of it
 */
struct model_error {
	int at;
	struct packet about[2], outer[2];
};

/**
 * model_error() - an error about a live flow
 * @answer: about an answer, not about what opened it
 * @router: sent by somebody on the way, where that can be
 *
 * Return: false without a flow that it could be about
 */
bool model_error(const struct model *m, struct fixture *f, size_t index, bool answer, bool router,
		 struct model_error *ret);

/** model_end() - flows end: those of an endpoint, or all (0). Return: how many */
size_t model_end(struct model *m, int endpoint);

/** model_reply() - an answer to a packet of a live flow. Return: where it comes by; -1 without
 * flows */
int model_reply(const struct model *m, struct fixture *f, size_t index, struct packet *ret);

#endif
