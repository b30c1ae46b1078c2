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
 * @asked_addr, @asked_port: what the program asked for, network byte order
 * @addr, @port:             where it really goes
 */
struct sock_map {
	__be32 asked_addr, addr;
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

static __always_inline bool is_host_addr(__be32 addr)
{
	return addr_is_loopback(addr) || bpf_map_lookup_elem(&up_local, &addr);
}

/* The IPv4 address that a hook is about: an IPv6 socket may use one too (RFC 4291, 2.5.5.2). */
static __always_inline bool is_mapped(const struct bpf_sock_addr *ctx)
{
	return !ctx->user_ip6[0] && !ctx->user_ip6[1] && ctx->user_ip6[2] == bpf_htonl(0xffff);
}

static __always_inline __be32 sock_addr(const struct bpf_sock_addr *ctx, bool mapped)
{
	return mapped ? ctx->user_ip6[3] : ctx->user_ip4;
}

static __always_inline void sock_set(struct bpf_sock_addr *ctx, bool mapped, __be32 addr,
				     __be16 port)
{
	if (mapped)
		ctx->user_ip6[3] = addr;
	else
		ctx->user_ip4 = addr;
	ctx->user_port = port;
}

/* The published row that a destination names, if the address is the host's. */
static __always_inline const struct up_port_row *sock_row(struct bpf_sock_addr *ctx, __be32 addr)
{
	const struct up_port_half *half = port_half();
	struct up_tuple t = {
		.proto = ctx->protocol,
		.daddr = addr,
		.dport = ctx->user_port,
	};

	if (!half || !port_any(half, t.proto, t.dport) || !is_host_addr(t.daddr))
		return NULL;
	return port_lookup(half, &t);
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
		if (state->map[i].addr == m->addr && state->map[i].port == m->port)
			break;
	if (i == SOCK_REMEMBER)
		i = state->next++ % SOCK_REMEMBER;
	if (i < SOCK_REMEMBER)
		state->map[i] = *m;
}

static __always_inline int redirect(struct bpf_sock_addr *ctx, bool mapped)
{
	const struct up_port_row *row;
	struct up_endpoint *ep;
	struct sock_map m = {};

	if (!in_host(ctx))
		return ALLOW;
	m.asked_addr = sock_addr(ctx, mapped);
	m.asked_port = ctx->user_port;
	row = sock_row(ctx, m.asked_addr);
	ep = row ? endpoint_by_id(row->endpoint) : NULL;
	if (!row || !ep)
		return ALLOW;
	m.addr = ep->addr;
	m.port = port_target(row, m.asked_port);
	remember(ctx, &m);
	sock_set(ctx, mapped, m.addr, m.port);
	count(UP_CNT_SOCK_REDIRECT);
	return ALLOW;
}

/* A name that the kernel reports: put back what the program had asked for. */
static __always_inline int translate(struct bpf_sock_addr *ctx, bool mapped)
{
	struct sock_state *state;

	if (!ctx->sk || !in_host(ctx))
		return ALLOW;
	state = bpf_sk_storage_get(&up_sock_state, ctx->sk, NULL, 0);
	if (!state)
		return ALLOW;
	for (int i = 0; i < SOCK_REMEMBER; i++) {
		const struct sock_map *m = &state->map[i];

		if (m->addr && m->addr == sock_addr(ctx, mapped) &&
		    m->port == (__be16)ctx->user_port) {
			sock_set(ctx, mapped, m->asked_addr, m->asked_port);
			break;
		}
	}
	return ALLOW;
}

SEC("cgroup/connect4")
int up_connect4(struct bpf_sock_addr *ctx)
{
	return redirect(ctx, false);
}

SEC("cgroup/connect6")
int up_connect6(struct bpf_sock_addr *ctx)
{
	return is_mapped(ctx) ? redirect(ctx, true) : ALLOW;
}

SEC("cgroup/sendmsg4")
int up_sendmsg4(struct bpf_sock_addr *ctx)
{
	return redirect(ctx, false);
}

SEC("cgroup/sendmsg6")
int up_sendmsg6(struct bpf_sock_addr *ctx)
{
	return is_mapped(ctx) ? redirect(ctx, true) : ALLOW;
}

SEC("cgroup/recvmsg4")
int up_recvmsg4(struct bpf_sock_addr *ctx)
{
	return translate(ctx, false);
}

SEC("cgroup/recvmsg6")
int up_recvmsg6(struct bpf_sock_addr *ctx)
{
	return is_mapped(ctx) ? translate(ctx, true) : ALLOW;
}

SEC("cgroup/getpeername4")
int up_getpeer4(struct bpf_sock_addr *ctx)
{
	return translate(ctx, false);
}

SEC("cgroup/getpeername6")
int up_getpeer6(struct bpf_sock_addr *ctx)
{
	return is_mapped(ctx) ? translate(ctx, true) : ALLOW;
}

static __always_inline int refuse_bind(void)
{
	count(UP_CNT_BIND_REFUSED);
	bpf_set_retval(-EADDRINUSE);
	return DENY;
}

/*
 * A published port is taken, as if a socket of the host held it. Binding every address conflicts
 * with a row of any address.
 */
static __always_inline int check_bind(struct bpf_sock_addr *ctx, __be32 addr)
{
	const struct up_port_half *half = port_half();
	struct up_tuple t = {.proto = ctx->protocol, .daddr = addr, .dport = ctx->user_port};

	if (!half || !t.dport || !port_any(half, t.proto, t.dport) || !in_host(ctx))
		return ALLOW;
	return !addr || port_lookup(half, &t) ? refuse_bind() : ALLOW;
}

SEC("cgroup/bind4")
int up_bind4(struct bpf_sock_addr *ctx)
{
	return check_bind(ctx, ctx->user_ip4);
}

/* [::] also takes the IPv4 port, and an IPv4-mapped address takes only that. */
SEC("cgroup/bind6")
int up_bind6(struct bpf_sock_addr *ctx)
{
	if (ctx->user_ip6[0] || ctx->user_ip6[1] ||
	    (ctx->user_ip6[2] && ctx->user_ip6[2] != bpf_htonl(0xffff)) ||
	    (!ctx->user_ip6[2] && ctx->user_ip6[3]))
		return ALLOW;
	return check_bind(ctx, ctx->user_ip6[3]);
}
