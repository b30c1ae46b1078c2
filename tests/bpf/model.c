// SPDX-License-Identifier: GPL-2.0-only
#include "model.h"

#include <netinet/in.h>
#include <string.h>

#define LATER(p) ((p)->frag & 0x1fff)
#define ROUTER   0xcb007163 /* 203.0.113.99 */

static const uint32_t address_of[] = {HOST, ADDR_A, ADDR_B, ADDR_C};

static int container_with(uint32_t addr)
{
	for (int id = A; id <= C; id++)
		if (address_of[id] == addr)
			return id;
	return 0;
}

static bool is_host(uint32_t addr)
{
	return addr == HOST || addr == HOST2 || addr == GATEWAY;
}

/* A answers B, in another network. */
static bool joined(int a, int b)
{
	return (a == C) == (b == C);
}

/* What a packet looks like where it comes in. An echo's identifier is its requester's port. */
static struct model_side side_of(int at, const struct packet *p)
{
	struct model_side s = {at, p->src, p->dst, p->sport, p->dport};

	if (p->proto != IPPROTO_ICMP)
		return s;
	s.sport = p->icmp_type == 8 ? p->sport : 0;
	s.dport = p->icmp_type == 8 ? 0 : p->sport;
	return s;
}

static struct model_side turned(const struct model_side *s)
{
	return (struct model_side){s->at, s->dst, s->src, s->dport, s->sport};
}

static bool same(const struct model_side *a, const struct model_side *b)
{
	return a->at == b->at && a->src == b->src && a->dst == b->dst && a->sport == b->sport &&
	       a->dport == b->dport;
}

/* The flow that a packet belongs to; *ret_to is what the packet becomes. */
static struct model_flow *find(struct model *m, uint8_t proto, const struct model_side *s,
			       struct model_side *ret_to)
{
	for (size_t i = 0; i < m->n_flows; i++) {
		struct model_flow *flow = &m->flows[i];
		struct model_side answer = turned(&flow->out);

		if (flow->proto != proto)
			continue;
		if (same(&flow->in, s)) {
			*ret_to = flow->out;
			return flow;
		}
		if (flow->out.at != TO_HOST && same(&answer, s)) {
			*ret_to = turned(&flow->in);
			return flow;
		}
	}
	return NULL;
}

static bool opens(const struct packet *p)
{
	if (LATER(p))
		return false;
	switch (p->proto) {
	case IPPROTO_TCP:
		return (p->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
	case IPPROTO_SCTP:
		return p->flags == 1; /* INIT */
	case IPPROTO_ICMP:
		return p->icmp_type == 8;
	default:
		return true;
	}
}

static const struct model_port *published(const struct model *m, uint8_t proto, uint16_t port)
{
	for (size_t i = 0; i < m->n_ports; i++)
		if (m->ports[i].proto == proto && m->ports[i].host == port)
			return &m->ports[i];
	return NULL;
}

static size_t flows_of(const struct model *m, int owner)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_flows; i++)
		n += m->flows[i].owner == owner;
	return n;
}

/* May a flow leave like this? Its answers must be nobody else's. */
static bool is_free(struct model *m, uint8_t proto, const struct model_side *out)
{
	struct model_side answer = turned(out), to;

	if (find(m, proto, &answer, &to))
		return false;
	/* On the way out by an address of the host, its published ports are its own. */
	return out->at != UPLINK || !published(m, proto, out->sport);
}

static struct model_answer forwarded(struct fixture *f, const struct packet *p,
				     const struct model_side *to)
{
	struct model_answer a = {.kind = MODEL_FORWARD};

	a.packet = to->at == UPLINK ? out_by_uplink(f, p) : into(f, to->at, p);
	a.packet.src = to->src;
	a.packet.dst = to->dst;
	a.packet.sport = p->proto == IPPROTO_ICMP ? to->sport | to->dport : to->sport;
	a.packet.dport = to->dport;
	return a;
}

static uint32_t speaker(int at, const struct packet *p)
{
	return at == UPLINK ? p->dst : GATEWAY;
}

/* Errors are about what has a transport header. */
static struct model_answer answered(int at, const struct packet *p, enum model_kind kind)
{
	struct model_answer a = {.kind = kind, .from = speaker(at, p)};

	if (LATER(p))
		a.kind = MODEL_DROP;
	return a;
}

static struct model_answer plainly(enum model_kind kind)
{
	return (struct model_answer){.kind = kind};
}

static struct model_answer unknown(const struct packet *p)
{
	bool reset = p->proto == IPPROTO_TCP && !p->frag && !(p->flags & TCP_RST);

	return plainly(reset ? MODEL_RST : MODEL_DROP);
}

static struct model_frag *find_fragment(struct model *m, const struct packet *p,
					const struct model_side *s)
{
	for (size_t i = 0; i < m->n_frags; i++) {
		struct model_frag *g = &m->frags[i];

		if (g->id == p->frag_id && g->proto == p->proto && g->side.at == s->at &&
		    g->side.src == s->src && g->side.dst == s->dst)
			return g;
	}
	return NULL;
}

static void note_fragment(struct model *m, const struct packet *p, const struct model_side *s)
{
	struct model_frag *g;

	if (!p->frag || LATER(p))
		return;
	g = find_fragment(m, p, s);
	if (!g && m->n_frags < MODEL_FRAGS)
		g = &m->frags[m->n_frags++];
	if (g)
		*g = (struct model_frag){*s, p->proto, p->frag_id};
}

/* A later fragment belongs to whatever the last first one with its identification did. */
static bool place_fragment(struct model *m, const struct packet *p, struct model_side *s)
{
	const struct model_frag *g = find_fragment(m, p, s);

	if (!g)
		return false;
	s->sport = g->side.sport;
	s->dport = g->side.dport;
	return true;
}

static struct model_answer follow(struct model *m, struct fixture *f, const struct packet *p,
				  const struct model_side *s, const struct model_side *to)
{
	note_fragment(m, p, s);
	if (to->at == TO_HOST)
		return plainly(MODEL_NEXT);
	return p->ttl <= 1 ? answered(s->at, p, MODEL_TTL) : forwarded(f, p, to);
}

static bool has_room(const struct model *m, int owner)
{
	return m->n_flows < FLOWS_MAX && flows_of(m, owner) < FLOWS_MAX;
}

/* A new flow. Without a free port the programs choose another, or refuse where it must stay. */
static struct model_answer begin(struct model *m, struct fixture *f, const struct packet *p,
				 const struct model_flow *flow)
{
	struct model_answer a;
	bool taken = !is_free(m, flow->proto, &flow->out);

	if (!has_room(m, flow->owner) || (taken && flow->proto == IPPROTO_SCTP))
		return plainly(MODEL_DROP);
	m->flows[m->n_flows++] = *flow;
	a = follow(m, f, p, &flow->in, &flow->out);
	a.new_port = taken;
	return a;
}

static struct model_answer to_host(struct model *m, const struct packet *p,
				   const struct model_side *s, int from)
{
	struct model_flow flow = {p->proto, from, *s, {.at = TO_HOST}};

	if (!LATER(p) && has_room(m, from))
		m->flows[m->n_flows++] = flow;
	return plainly(MODEL_NEXT);
}

static struct model_answer to_published(struct model *m, struct fixture *f, const struct packet *p,
					const struct model_side *s, const struct model_port *port)
{
	struct model_flow flow = {p->proto, s->at == UPLINK ? port->endpoint : s->at, *s, *s};

	flow.out.at = port->endpoint;
	flow.out.dst = address_of[port->endpoint];
	flow.out.dport = port->port;
	if (s->at == port->endpoint)
		flow.out.src = GATEWAY;
	return begin(m, f, p, &flow);
}

static struct model_answer to_outside(struct model *m, struct fixture *f, const struct packet *p,
				      const struct model_side *s)
{
	struct model_flow flow = {p->proto, s->at, *s, *s};

	if (p->dst == NET_UNREACHABLE)
		return answered(s->at, p, MODEL_NO_ROUTE);
	if (p->dst == NET_PROHIBITED)
		return answered(s->at, p, MODEL_PROHIBITED);
	if (p->ttl <= 1)
		return answered(s->at, p, MODEL_TTL);
	if (!opens(p))
		return unknown(p);
	flow.out.at = UPLINK;
	flow.out.src = HOST;
	return begin(m, f, p, &flow);
}

static struct model_answer from_a_container(struct model *m, struct fixture *f,
					    const struct packet *p, const struct model_side *s)
{
	int to = container_with(p->dst);
	struct model_flow flow = {p->proto, s->at, *s, *s};
	const struct model_port *port;

	if (p->src != address_of[s->at])
		return plainly(MODEL_DROP);
	if (to && !joined(s->at, to))
		return plainly(MODEL_DROP);
	if (to) {
		flow.out.at = to;
		return opens(p) ? begin(m, f, p, &flow) : unknown(p);
	}
	if (!is_host(p->dst))
		return to_outside(m, f, p, s);
	port = opens(p) ? published(m, p->proto, p->dport) : NULL;
	return port ? to_published(m, f, p, s, port) : to_host(m, p, s, s->at);
}

static struct model_answer from_outside(struct model *m, struct fixture *f, const struct packet *p,
					const struct model_side *s)
{
	const struct model_port *port;

	port = opens(p) && is_host(p->dst) ? published(m, p->proto, p->dport) : NULL;
	return port ? to_published(m, f, p, s, port) : plainly(MODEL_NEXT);
}

struct model_answer model_packet(struct model *m, struct fixture *f, int at, const struct packet *p)
{
	struct model_side s = side_of(at, p), to;

	if (LATER(p)) {
		s.sport = s.dport = 0;
		if (place_fragment(m, p, &s) && find(m, p->proto, &s, &to))
			return follow(m, f, p, &s, &to);
	} else if (find(m, p->proto, &s, &to)) {
		return follow(m, f, p, &s, &to);
	}
	return at == UPLINK ? from_outside(m, f, p, &s) : from_a_container(m, f, p, &s);
}

bool model_adopt(struct model *m, uint16_t port, struct model_answer *a)
{
	struct model_flow flow = m->flows[--m->n_flows];

	flow.out.sport = port;
	if (port < 1024 || !is_free(m, flow.proto, &flow.out))
		return false;
	m->flows[m->n_flows++] = flow;
	a->packet.sport = port;
	return true;
}

size_t model_end(struct model *m, int endpoint)
{
	size_t kept = 0, n = m->n_flows;

	for (size_t i = 0; i < n; i++) {
		const struct model_flow *flow = &m->flows[i];

		if (endpoint && flow->in.at != endpoint && flow->out.at != endpoint)
			m->flows[kept++] = *flow;
	}
	m->n_flows = kept;
	return n - kept;
}

int model_reply(const struct model *m, struct fixture *f, size_t index, struct packet *ret)
{
	const struct model_flow *flow;
	struct model_side s;

	if (!m->n_flows)
		return -1;
	flow = &m->flows[index % m->n_flows];
	if (flow->out.at == TO_HOST)
		return -1;
	s = turned(&flow->out);
	*ret = s.at == UPLINK ? from_client(flow->proto, s.sport, s.dport)
			      : from_container(f, s.at, flow->proto, s.dst, s.sport, s.dport);
	ret->src = s.src;
	ret->dst = s.dst;
	ret->flags = flow->proto == IPPROTO_SCTP ? 2 : TCP_SYN | TCP_ACK;
	if (flow->proto == IPPROTO_ICMP) {
		ret->icmp_type = 0;
		ret->sport = s.dport;
	}
	return s.at;
}

/* A packet of a flow as one side has it. */
static struct packet of_side(struct fixture *f, uint8_t proto, const struct model_side *s)
{
	struct packet p = from_container(f, A, proto, s->dst, s->sport, s->dport);

	p.src = s->src;
	if (proto != IPPROTO_ICMP)
		return p;
	p.icmp_type = s->sport ? 8 : 0;
	p.sport = s->sport | s->dport;
	return p;
}

/* Whoever receives a packet, or a router on its way, tells the sender, as it knows the sender. */
bool model_error(const struct model *m, struct fixture *f, size_t index, bool answer, bool router,
		 struct model_error *ret)
{
	const struct model_flow *flow;
	struct model_side arrived, sent;
	struct packet *outer = ret->outer;

	if (!m->n_flows || m->flows[index % m->n_flows].out.at == TO_HOST)
		return false;
	flow = &m->flows[index % m->n_flows];
	arrived = answer ? turned(&flow->in) : flow->out;
	sent = answer ? turned(&flow->out) : flow->in;
	ret->at = arrived.at;
	ret->about[0] = of_side(f, flow->proto, &arrived);
	ret->about[1] = of_side(f, flow->proto, &sent);
	outer[0] = arrived.at == UPLINK
			   ? from_client(IPPROTO_ICMP, 0, 0)
			   : from_container(f, arrived.at, IPPROTO_ICMP, arrived.src, 0, 0);
	outer[0].src = arrived.at == UPLINK && router ? ROUTER : arrived.dst;
	outer[0].dst = arrived.src;
	outer[1] = sent.at == UPLINK ? out_by_uplink(f, &outer[0]) : into(f, sent.at, &outer[0]);
	outer[1].src = outer[0].src == arrived.dst ? sent.dst : outer[0].src;
	outer[1].dst = sent.src;
	return true;
}
