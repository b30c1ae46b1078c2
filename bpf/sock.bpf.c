// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cgroup hooks for the host's own sockets.
 *
 * Traffic of the host to itself never passes an uplink. Instead, the socket is pointed at the
 * container when it connects (or sends), before a packet or a route exists: no proxy process, no
 * route_localnet, and 127.0.0.1 stays unreachable from the wire. Names are translated back
 * (getpeername, recvmsg), so that the program sees the address that it asked for. What a socket was
 * redirected from is kept in the socket's own storage and goes with it.
 *
 * The hooks are attached to the machine's cgroup root and see the processes of every network
 * namespace; they act only in the host's (its netns cookie).
 */
#include <stdbool.h>

#include "lib/endpoint.h"
#include "lib/port.h"

#define SOCK_REMEMBER 4
#define EADDRINUSE    98

/**
 * struct sock_map - one destination that a socket was redirected from
 * @asked, @asked_port: what the program asked for, network byte order
 * @addr, @port:        where it really goes
 */
struct sock_map {
	struct up_addr asked, addr;
	__be16 asked_port, port;
};

/**
 * struct sock_state - the last destinations of a socket; an unconnected UDP socket has several
 * @next: slot that the next one takes
 */
struct sock_state {
	struct sock_map map[SOCK_REMEMBER];
	__u32 next;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct sock_state);
} up_sock_state SEC(".maps");

#define ALLOW 1
#define DENY  0

static __always_inline bool in_host(struct bpf_sock_addr *ctx)
{
	struct up_config *conf = config();

	return conf && bpf_get_netns_cookie(ctx) == conf->netns_cookie;
}

static __always_inline bool is_host_addr(const struct up_addr *addr)
{
	return up_addr_is_loopback(addr) || bpf_map_lookup_elem(&up_local, addr);
}

/* The address that a hook is about. An IPv6 socket may use IPv4-mapped ones (RFC 4291, 2.5.5.2). */
static __always_inline void sock_get(const struct bpf_sock_addr *ctx, bool six, struct up_addr *ret)
{
	if (!six) {
		*ret = UP_MAPPED(ctx->user_ip4);
		return;
	}
	ret->w[0] = ctx->user_ip6[0];
	ret->w[1] = ctx->user_ip6[1];
	ret->w[2] = ctx->user_ip6[2];
	ret->w[3] = ctx->user_ip6[3];
}

static __always_inline void sock_set(struct bpf_sock_addr *ctx, bool six,
				     const struct up_addr *addr, __be16 port)
{
	if (six) {
		ctx->user_ip6[0] = addr->w[0];
		ctx->user_ip6[1] = addr->w[1];
		ctx->user_ip6[2] = addr->w[2];
		ctx->user_ip6[3] = addr->w[3];
	} else {
		ctx->user_ip4 = addr->w[3];
	}
	ctx->user_port = port;
}

/* The published row that a destination names, if the address is the host's. */
static __always_inline const struct up_port_row *sock_row(struct bpf_sock_addr *ctx,
							  const struct up_addr *addr)
{
	const struct up_port_half *half = port_half();
	struct up_tuple t = {
		.proto = ctx->protocol,
		.daddr = *addr,
		.dport = ctx->user_port,
	};

	if (!half || !port_any(half, t.proto, t.dport) || !is_host_addr(addr))
		return NULL;
	t.sport = bpf_get_prandom_u32(); /* not chosen yet: owners of a shared port take turns */
	return port_lookup(&t);
}

static __always_inline void remember(struct bpf_sock_addr *ctx, const struct sock_map *m)
{
	struct sock_state *state;
	__u32 i;

	if (!ctx->sk)
		return;
	state = bpf_sk_storage_get(&up_sock_state, ctx->sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!state)
		return;
	for (i = 0; i < SOCK_REMEMBER; i++)
		if (up_addr_equal(&state->map[i].addr, &m->addr) && state->map[i].port == m->port)
			break;
	if (i == SOCK_REMEMBER)
		i = state->next++ % SOCK_REMEMBER;
	if (i < SOCK_REMEMBER)
		state->map[i] = *m;
}

/*
 * An address of the endpoint that this socket can reach. A connection that an IPv6 socket makes may
 * turn into IPv4 (the kernel takes a mapped address), a single datagram may not; and an IPv4 socket
 * never turns into IPv6.
 */
static __always_inline bool sock_target(const struct up_endpoint *ep, const struct up_addr *asked,
					bool connect, struct up_addr *ret)
{
	*ret = ep->addr[up_addr_family(asked)];
	if (!up_addr_set(ret) && connect && !up_addr_is_v4(asked))
		*ret = ep->addr[UP_V4];
	return up_addr_set(ret);
}

static __always_inline int redirect(struct bpf_sock_addr *ctx, bool six, bool connect)
{
	const struct up_port_row *row;
	struct up_endpoint *ep;
	struct sock_map m = {};

	if (!in_host(ctx))
		return ALLOW;
	sock_get(ctx, six, &m.asked);
	m.asked_port = ctx->user_port;
	row = sock_row(ctx, &m.asked);
	ep = row ? endpoint_by_id(row->endpoint) : NULL;
	if (!row || !ep || !sock_target(ep, &m.asked, connect, &m.addr))
		return ALLOW;
	m.port = port_target(row, m.asked_port);
	remember(ctx, &m);
	sock_set(ctx, six, &m.addr, m.port);
	count(UP_CNT_SOCK_REDIRECT);
	return ALLOW;
}

/* A name that the kernel reports: put back what the program had asked for. */
static __always_inline int translate(struct bpf_sock_addr *ctx, bool six)
{
	struct sock_state *state;
	struct up_addr addr;

	if (!ctx->sk || !in_host(ctx))
		return ALLOW;
	state = bpf_sk_storage_get(&up_sock_state, ctx->sk, NULL, 0);
	if (!state)
		return ALLOW;
	sock_get(ctx, six, &addr);
	for (int i = 0; i < SOCK_REMEMBER; i++) {
		const struct sock_map *m = &state->map[i];

		if (m->port && m->port == (__be16)ctx->user_port &&
		    up_addr_equal(&m->addr, &addr)) {
			sock_set(ctx, six, &m->asked, m->asked_port);
			break;
		}
	}
	return ALLOW;
}

SEC("cgroup/connect4")
int up_connect4(struct bpf_sock_addr *ctx)
{
	return redirect(ctx, false, true);
}

SEC("cgroup/connect6")
int up_connect6(struct bpf_sock_addr *ctx)
{
	return redirect(ctx, true, true);
}

SEC("cgroup/sendmsg4")
int up_sendmsg4(struct bpf_sock_addr *ctx)
{
	return redirect(ctx, false, false);
}

SEC("cgroup/sendmsg6")
int up_sendmsg6(struct bpf_sock_addr *ctx)
{
	return redirect(ctx, true, false);
}

SEC("cgroup/recvmsg4")
int up_recvmsg4(struct bpf_sock_addr *ctx)
{
	return translate(ctx, false);
}

SEC("cgroup/recvmsg6")
int up_recvmsg6(struct bpf_sock_addr *ctx)
{
	return translate(ctx, true);
}

SEC("cgroup/getpeername4")
int up_getpeer4(struct bpf_sock_addr *ctx)
{
	return translate(ctx, false);
}

SEC("cgroup/getpeername6")
int up_getpeer6(struct bpf_sock_addr *ctx)
{
	return translate(ctx, true);
}

static __always_inline int refuse_bind(void)
{
	count(UP_CNT_BIND_REFUSED);
	bpf_set_retval(-EADDRINUSE);
	return DENY;
}

/* Does binding this address take what a row of any kind has? */
static __always_inline bool bind_conflicts(const struct up_port_half *half,
					   const struct up_tuple *t)
{
	const struct up_addr any4 = UP_ANY_V4, any6 = UP_ANY;
	const struct up_port_row *row;

	/* Every address: also the ones that have rows of their own. */
	if (up_addr_equal(&t->daddr, &any6) ||
	    (up_addr_equal(&t->daddr, &any4) && half->kinds & UP_PORT_KIND_ONE))
		return true;
	row = port_lookup(t);
	return row && !(row->flags & UP_PORT_UNRESERVED);
}

/*
 * A published port is taken, as if a socket of the host held it. [::] also takes the IPv4 port, and
 * an IPv4-mapped address takes only that.
 */
static __always_inline int check_bind(struct bpf_sock_addr *ctx, bool six)
{
	const struct up_port_half *half = port_half();
	struct up_tuple t = {.proto = ctx->protocol, .dport = ctx->user_port};

	if (!half || !t.dport || !port_bit(half->kept, t.proto, t.dport) || !in_host(ctx))
		return ALLOW;
	sock_get(ctx, six, &t.daddr);
	return bind_conflicts(half, &t) ? refuse_bind() : ALLOW;
}

SEC("cgroup/bind4")
int up_bind4(struct bpf_sock_addr *ctx)
{
	return check_bind(ctx, false);
}

SEC("cgroup/bind6")
int up_bind6(struct bpf_sock_addr *ctx)
{
	return check_bind(ctx, true);
}
