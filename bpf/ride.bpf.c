// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ride-along: flows that the host's own network stack forwards, made fast. Theory of operation
 * ============================================================================================
 * Bridge, routing, nf_conntrack and iptables own every connection and decide over it. We watch what
 * they do to a packet and do the same to the next ones. One program sits where packets come in (the
 * near end: tcx ingress of the uplinks and of the host's ends of containers' veths), one where they
 * go out (the far end: tcx egress of the same interfaces). Between the two lies the kernel's path.
 *
 * Learning takes three packets of one direction:
 *	1. One reaches the far end. Conntrack finds its connection by the tuple that it has now. If
 *	   conntrack calls it assured, an entry is made under the tuple that it came in with: it is
 *	   WANTED.
 *	2. The next one finds that entry at the near end, which writes down where it came in, its
 *	   TTL and its TOS: NOTED. (Only here is that known; and since a near end never makes
 *	   entries, what the host itself receives costs a failed lookup and no memory.)
 *	3. When it reaches the far end, all is known that became of it: addresses, ports, TTL, MACs,
 *	   interface, mark. The entry is LEARNED, and the packets after it take the short way.
 * The two directions are learned apart: conntrack has seen both, or it would not say "assured".
 *
 * Rules decide again. An entry holds for one refresh period (a second) after a packet came out at
 * the far end. Then packets take the kernel's path again until one comes out, which renews the
 * entry and, on its way, conntrack's timers, the bridge's forwarding table and the neighbour entry.
 * If a rule has changed meanwhile and drops it, nothing comes out, nothing is renewed, and the flow
 * ends as it would without us. If it now goes elsewhere, the entry changes with it. It is never our
 * guess that an entry is still right: only a packet that went all the way says so. Nobody needs to
 * tell us of rules, routes, links or neighbours; "flush" (a new generation) only saves the wait.
 *
 * Overtaking. A packet on the kernel's path waits in the backlog of a veth when the next one, on
 * the short way, does not. A fresh decision is therefore first used in the next tick of the clock;
 * the ticks are far longer than the poll in which the backlog is drained.
 *
 * What is unusual stays with the kernel: SYN, FIN and RST (they also end the entries of both
 * directions; conntrack follows the connection's end packet by packet, since it is learned again
 * only while conntrack calls it established), fragments, IP options, an expiring TTL, connections
 * with a helper or with moving sequence numbers, and every packet that is longer than those which
 * were seen to pass: the far end raises that limit, or the kernel says "too big".
 *
 * Window tracking. Conntrack sees one packet in a second, so user space makes it liberal
 * (nf_conntrack_tcp_be_liberal), which nf_flow_table does to its connections for the same reason.
 *
 * The host's own packets to a container have met all of the host's rules when they come to the
 * bridge, so that only the bridge can be saved, which takes less time than a lookup in the cache.
 * But such a packet still has its socket, and the socket can keep what became of its last packet:
 * nothing needs to be parsed or hashed. The near end is here the egress of the bridge. What a
 * container sends to the host itself stays with the kernel: it could only be handed to the
 * bridge's ingress by way of a backlog, where the next packet that is to be decided anew would
 * overtake it.
 *
 * The cache is an LRU, and flushing it is always safe: it holds nothing that the kernel does not
 * know better.
 */
#include "lib/conntrack.h"
#include "lib/ctx_skb.h"
#include "lib/rewrite.h"

#include <linux/netfilter/nf_conntrack_common.h>

#include "underpass/ride.h"

#ifndef AF_INET6
#define AF_INET6 10
#endif

#define CT_TCP_ESTABLISHED 3 /* enum tcp_conntrack, <linux/netfilter/nf_conntrack_tcp.h> */

/* A packet that we sent on its way meets the far end too. It is told by this in skb->cb, which the
 * kernel's path overwrites; a packet that happens to carry it is not learned from, no more. */
#define RIDE_COOKIE 0x75707264

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, UP_RIDE_MAX);
	__type(key, struct up_tuple);
	__type(value, struct up_ride);
} up_rides SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct up_ride_conf);
} up_ride_conf SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, UP_RIDE_IFS);
	__type(key, __u32);
	__type(value, struct up_ride_stats);
} up_ride_stats SEC(".maps");

/* Of connected sockets of the host itself. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct up_ride_own);
} up_ride_owns SEC(".maps");

/* Who is attached: written by user space only. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, UP_RIDE_IFS);
	__type(key, __u32);
	__type(value, struct up_ride_if);
} up_ride_ifs SEC(".maps");

char LICENSE[] SEC("license") = "GPL";

static __always_inline const struct up_ride_conf *ride_conf(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&up_ride_conf, &zero);
}

static __always_inline struct up_ride_stats *ride_stats(__u32 key)
{
	return bpf_map_lookup_elem(&up_ride_stats, &key);
}

static __always_inline int slow(const struct __sk_buff *skb, enum up_ride_slow why)
{
	struct up_ride_stats *s = ride_stats(skb->ifindex);

	if (s)
		s->slow[why]++;
	return CTX_NEXT;
}

/* What was forwarded of a direction goes to the counters of the interface where it came in. */
static __always_inline void settle(struct up_ride *e)
{
	struct up_ride_stats *s = e->packets ? ride_stats(e->iif) : NULL;

	if (!s)
		return;
	s->fast += e->packets;
	s->bytes += e->bytes;
	e->packets = 0;
	e->bytes = 0;
}

static __always_inline __u32 ticks(void)
{
	return (__u32)bpf_jiffies64();
}

/* TOS, or traffic class. The headers are in the linear part: they were parsed there. */
static __always_inline __u8 ip_tos(const struct __sk_buff *skb, bool v6)
{
	const __u8 *ip = ctx_data(skb) + PARSE_L3_OFF;

	if ((const void *)(ip + 2) > ctx_end(skb))
		return 0;
	return v6 ? ip[0] << 4 | ip[1] >> 4 : ip[1];
}

/* ---- the near end ---------------------------------------------------------------------------- */

/* A packet of a kind that is never forwarded by us. Return: a reason, or UP_RIDE_SLOW_MAX */
static __always_inline enum up_ride_slow why_not(const struct pkt *p)
{
	__u32 plain = p->v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);

	if (p->frag || p->res == PARSE_LATER_FRAG)
		return UP_RIDE_HEADER;
	if (p->res != PARSE_OK || (p->t.proto != IPPROTO_TCP && p->t.proto != IPPROTO_UDP))
		return UP_RIDE_OTHER;
	if (p->l4_off - p->l3_off != plain)
		return UP_RIDE_HEADER;
	return p->seen & ~UP_SEEN_ACK ? UP_RIDE_CONTROL : UP_RIDE_SLOW_MAX;
}

/* Does a decision hold? From the next tick on, for one period. */
static __always_inline bool is_fresh(const struct up_ride *e, const struct up_ride_conf *conf)
{
	return e->state == UP_RIDE_LEARNED && e->gen == conf->gen &&
	       ticks() - e->decided - 1 < conf->refresh;
}

static __always_inline enum up_ride_slow why_slow(const struct __sk_buff *skb, const struct pkt *p,
						  const struct up_ride *e,
						  const struct up_ride_conf *conf)
{
	if (e->state != UP_RIDE_LEARNED || e->iif != skb->ifindex)
		return UP_RIDE_NEW;
	if (!is_fresh(e, conf))
		return UP_RIDE_REFRESH;
	if (p->ttl <= e->hops)
		return UP_RIDE_TTL;
	return wire_len(skb, p) > e->f.mtu ? UP_RIDE_LONG : UP_RIDE_SLOW_MAX;
}

/* Write down what only the near end knows; but nobody takes a direction over while it is fresh. */
static __always_inline void note(const struct __sk_buff *skb, const struct pkt *p,
				 struct up_ride *e, const struct up_ride_conf *conf)
{
	settle(e);
	if (e->iif != skb->ifindex) {
		if (is_fresh(e, conf))
			return;
		e->iif = skb->ifindex;
	}
	e->ttl = p->ttl;
	e->tos = ip_tos(skb, p->v6);
	if (e->state == UP_RIDE_WANTED)
		e->state = UP_RIDE_NOTED;
}

/* Return: the tuple of the answers, in @ret_pair; false where nothing was known of it */
static __noinline bool forget_one(const struct up_tuple *key, struct up_tuple *ret_pair)
{
	struct up_ride *e = bpf_map_lookup_elem(&up_rides, key);

	if (!e)
		return false;
	settle(e);
	tuple_reverse(&e->f.out, ret_pair);
	ret_pair->ifindex = 0;
	bpf_map_delete_elem(&up_rides, key);
	return true;
}

/* A connection begins or ends: conntrack must see it all. */
static __always_inline void forget(const struct up_tuple *key)
{
	struct up_tuple pair, back;

	if (forget_one(key, &pair))
		forget_one(&pair, &back);
}

/* In the entry, whose memory is at hand; a packet that takes the kernel's path adds it up. A
 * direction of a flow is one CPU's at a time, near enough for a count. */
static __always_inline void ride_count(const struct __sk_buff *skb, struct up_ride *e)
{
	e->packets++;
	e->bytes += skb->len;
}

/* Between two ports of a bridge the packet is addressed to another MAC than the veth's. */
static __always_inline int send(struct __sk_buff *skb, const struct up_ride *e)
{
	__u32 oif = e->f.out.ifindex;

	if (e->f.fwd == UP_FWD_PEER) {
		if (skb->pkt_type && bpf_skb_change_type(skb, 0 /* PACKET_HOST */))
			return CTX_DROP;
		return bpf_redirect_peer(oif, 0);
	}
	skb->mark = e->mark;
	skb->priority = e->priority;
	skb->cb[4] = RIDE_COOKIE;
	return bpf_redirect(oif, 0);
}

static __always_inline int near_end(struct __sk_buff *skb, bool veth)
{
	const struct up_ride_conf *conf = ride_conf();
	enum up_ride_slow why;
	struct up_ride *e;
	struct pkt p;

	ctx_parse(skb, &p);
	why = why_not(&p);
	if (!conf || (!veth && skb->pkt_type) ||
	    (why != UP_RIDE_SLOW_MAX && why != UP_RIDE_CONTROL))
		return slow(skb, why == UP_RIDE_HEADER ? why : UP_RIDE_OTHER);
	if (why == UP_RIDE_CONTROL) {
		forget(&p.t);
		return slow(skb, why);
	}
	e = bpf_map_lookup_elem(&up_rides, &p.t);
	if (!e)
		return slow(skb, UP_RIDE_NEW);
	why = why_slow(skb, &p, e, conf);
	if (why != UP_RIDE_SLOW_MAX) {
		note(skb, &p, e, conf);
		return slow(skb, why);
	}
	ride_count(skb, e);
	return rewrite_hops(skb, &p, &e->f, e->hops) ? CTX_DROP : send(skb, e);
}

SEC("tc")
int up_ride_uplink(struct __sk_buff *skb)
{
	return near_end(skb, false);
}

SEC("tc")
int up_ride_veth(struct __sk_buff *skb)
{
	return near_end(skb, true);
}

/* ---- the host's own packets, at the egress of a bridge --------------------------------------- */

/* The socket of a packet that the host itself sends; only one that is connected has one peer. */
static __always_inline struct bpf_sock *own_sock(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	if (skb->ingress_ifindex || !sk)
		return NULL;
	sk = bpf_sk_fullsock(sk);
	return sk && sk->dst_port ? sk : NULL;
}

static __always_inline bool is_to(const struct __sk_buff *skb, const __u8 mac[6])
{
	const __u16 *to = ctx_data(skb), *want = (const __u16 *)mac;

	return (const void *)(to + 3) <= ctx_end(skb) &&
	       !((to[0] ^ want[0]) | (to[1] ^ want[1]) | (to[2] ^ want[2]));
}

static __always_inline bool own_holds(const struct __sk_buff *skb, const struct up_ride_own *own,
				      const struct up_ride_conf *conf)
{
	return own->bridge == skb->ifindex && own->gen == conf->gen &&
	       ticks() - own->decided < conf->refresh && !skb->vlan_present && is_to(skb, own->mac);
}

/* At once: a socket may be closed before a packet of its own comes that could add it up. */
static __always_inline void own_count(const struct __sk_buff *skb)
{
	struct up_ride_stats *s = ride_stats(skb->ifindex);

	if (!s)
		return;
	s->fast++;
	s->bytes += skb->len;
}

static __always_inline struct up_ride_own *own_of(struct __sk_buff *skb, __u64 flags)
{
	struct bpf_sock *sk = own_sock(skb);

	return sk ? bpf_sk_storage_get(&up_ride_owns, sk, NULL, flags) : NULL;
}

SEC("tc")
int up_ride_bridge(struct __sk_buff *skb)
{
	const struct up_ride_conf *conf = ride_conf();
	struct up_ride_own *own = own_of(skb, BPF_SK_STORAGE_GET_F_CREATE);

	if (skb->ingress_ifindex || !conf)
		return CTX_NEXT;
	if (!own)
		return slow(skb, UP_RIDE_NEW);
	if (!own_holds(skb, own, conf)) {
		own->bridge = skb->ifindex;
		return slow(skb, own->gen ? UP_RIDE_REFRESH : UP_RIDE_NEW);
	}
	own_count(skb);
	skb->cb[4] = RIDE_COOKIE;
	return bpf_redirect(own->oif, 0);
}

/* ---- the far end ----------------------------------------------------------------------------- */

/* The connection that a packet belongs to which leaves with @t. The answer to it is a tuple that
 * conntrack knows. */
static __always_inline struct nf_conn *ct_of(struct __sk_buff *skb, const struct up_tuple *t,
					     struct ct_opts *opts)
{
	struct bpf_sock_tuple k = {};

	if (!up_has_conntrack)
		return NULL;
	opts->netns_id = CT_NETNS_CURRENT;
	opts->l4proto = t->proto;
	if (up_addr_is_v4(&t->saddr)) {
		k.ipv4.saddr = t->daddr.w[3];
		k.ipv4.daddr = t->saddr.w[3];
		k.ipv4.sport = t->dport;
		k.ipv4.dport = t->sport;
		return bpf_skb_ct_lookup(skb, &k, sizeof(k.ipv4), opts, sizeof(*opts));
	}
	__builtin_memcpy(k.ipv6.saddr, &t->daddr, sizeof(k.ipv6.saddr));
	__builtin_memcpy(k.ipv6.daddr, &t->saddr, sizeof(k.ipv6.daddr));
	k.ipv6.sport = t->dport;
	k.ipv6.dport = t->sport;
	return bpf_skb_ct_lookup(skb, &k, sizeof(k.ipv6), opts, sizeof(*opts));
}

#define CT_WANT (IPS_CONFIRMED | IPS_ASSURED)
#define CT_BAR  (IPS_DYING | IPS_SEQ_ADJUST | IPS_HELPER | IPS_TEMPLATE)

/* May packets of this connection pass unseen? Not where something reads or changes its payload. */
static __always_inline bool ct_is_plain(struct nf_conn *ct, __u8 proto,
					const struct up_ride_conf *conf)
{
	struct nf_ct_ext *ext = ct->ext;

	if ((ct->status & (CT_WANT | CT_BAR)) != CT_WANT)
		return false;
	if (proto == IPPROTO_TCP && ct->proto.tcp.state != CT_TCP_ESTABLISHED)
		return false;
	if (bpf_core_field_exists(ct->mark) && conf->skip_mark && ct->mark & conf->skip_mark)
		return false;
	return !ext || !BPF_CORE_READ(ext, offset[0]); /* NF_CT_EXT_HELPER */
}

static __always_inline struct up_addr ct_addr(const __be32 u3[4], bool v6)
{
	struct up_addr a = UP_MAPPED(u3[0]);

	if (v6)
		__builtin_memcpy(&a, u3, sizeof(a));
	return a;
}

static __always_inline void ct_read(struct up_tuple *key, struct nf_conntrack_tuple *t, __u8 proto,
				    bool v6)
{
	__be32 src[4], dst[4];

	bpf_core_read(src, sizeof(src), &t->src.u3);
	bpf_core_read(dst, sizeof(dst), &t->dst.u3);
	__builtin_memset(key, 0, sizeof(*key));
	key->saddr = ct_addr(src, v6);
	key->daddr = ct_addr(dst, v6);
	key->sport = BPF_CORE_READ(t, src.u.all);
	key->dport = BPF_CORE_READ(t, dst.u.all);
	key->proto = proto;
}

/* The tuple that a packet came in with, where its connection is one to be cached. */
static __noinline bool came_in_as(struct __sk_buff *skb, const struct pkt *p, struct up_tuple *key)
{
	const struct up_ride_conf *conf = ride_conf();
	struct ct_opts opts = {};
	struct nf_conn *ct = conf ? ct_of(skb, &p->t, &opts) : NULL;
	bool plain;

	if (!ct)
		return false;
	plain = ct_is_plain(ct, p->t.proto, conf);
	if (plain &&
	    opts.dir) /* found by its reply tuple: the packet is of the original direction */
		ct_read(key, &ct->tuplehash[0].tuple, p->t.proto, p->v6);
	else if (plain)
		ct_read(key, &ct->tuplehash[1].tuple, p->t.proto, p->v6);
	bpf_ct_release(ct);
	return plain;
}

static __always_inline void want(const struct up_tuple *key, const struct pkt *p)
{
	struct up_ride fresh = {.f.out = p->t, .state = UP_RIDE_WANTED};

	bpf_map_update_elem(&up_rides, key, &fresh, BPF_NOEXIST);
}

/* What became of the packet at hand. Return: false where it is nothing that we can do too */
static __always_inline bool describe(struct __sk_buff *skb, const struct pkt *p,
				     const struct up_tuple *key, const struct up_ride *e,
				     struct up_ride *now, enum up_fwd fwd)
{
	const __u8 *eth = ctx_data(skb);

	__builtin_memset(now, 0, sizeof(*now));
	now->hops = e->ttl - p->ttl;
	if ((const void *)(eth + sizeof(now->f.eth)) > ctx_end(skb) || now->hops > 1 ||
	    e->tos != ip_tos(skb, p->v6))
		return false;
	now->f.out = p->t;
	now->f.out.ifindex = skb->ifindex;
	flow_diffs(&now->f, key);
	__builtin_memcpy(now->f.eth, eth, sizeof(now->f.eth));
	now->f.fwd = fwd;
	now->iif = e->iif;
	now->mark = skb->mark;
	now->priority = skb->priority;
	now->ttl = e->ttl;
	now->tos = e->tos;
	now->state = UP_RIDE_LEARNED;
	return true;
}

static __always_inline bool same_words(const void *a, const void *b, __u32 bytes)
{
	const __u32 *x = a, *y = b;
	__u32 differ = 0;

	for (__u32 i = 0; i < bytes / sizeof(*x); i++)
		differ |= x[i] ^ y[i];
	return !differ;
}

static __always_inline bool same_fate(const struct up_ride *a, const struct up_ride *b)
{
	return a->state == b->state && a->hops == b->hops && a->mark == b->mark &&
	       a->priority == b->priority && a->f.fwd == b->f.fwd &&
	       same_words(&a->f.out, &b->f.out, sizeof(a->f.out)) &&
	       same_words(a->f.eth, b->f.eth, sizeof(a->f.eth));
}

/* A packet came out. What it says is new is written whole, so that nobody sees half of it. */
static __noinline void learn(struct __sk_buff *skb, const struct pkt *p, const struct up_tuple *key,
			     struct up_ride *e, enum up_fwd fwd)
{
	const struct up_ride_conf *conf = ride_conf();
	__u32 len = wire_len(skb, p);
	struct up_ride now;

	if (!conf || !describe(skb, p, key, e, &now, fwd))
		return;
	if (same_fate(e, &now)) {
		if (e->gen == conf->gen && ticks() - e->decided <= conf->refresh) {
			e->f.mtu = len > e->f.mtu ? len : e->f.mtu;
			return;
		}
		e->f.mtu = len;
		e->decided = ticks();
		e->gen = conf->gen;
		return;
	}
	now.f.mtu = len;
	now.decided = ticks();
	now.gen = conf->gen;
	bpf_map_update_elem(&up_rides, key, &now, BPF_ANY);
}

/* It came out of the bridge: what its socket keeps holds for a period. */
static __noinline void learn_own(struct __sk_buff *skb)
{
	const struct up_ride_conf *conf = ride_conf();
	struct up_ride_own *own = own_of(skb, 0);

	if (!own || !conf || bpf_skb_load_bytes(skb, 0, own->mac, sizeof(own->mac)))
		return;
	own->oif = skb->ifindex;
	own->decided = ticks();
	own->gen = conf->gen;
}

/* A bridge that does not know where a container is floods its ports: what the others get says
 * nothing. */
static __always_inline bool is_at_home(const struct __sk_buff *skb)
{
	__u32 key = skb->ifindex;
	const struct up_ride_if *row = bpf_map_lookup_elem(&up_ride_ifs, &key);

	return row && (row->kind != UP_RIDE_VETH || is_to(skb, row->mac));
}

/* What the host itself sends has come in nowhere; it is learned from where it went to a bridge. */
static __always_inline int far_end(struct __sk_buff *skb, enum up_fwd fwd)
{
	struct up_tuple key;
	struct up_ride *e;
	struct pkt p;

	if (skb->cb[4] == RIDE_COOKIE) {
		skb->cb[4] = 0;
		return CTX_NEXT;
	}
	if (!skb->ingress_ifindex && (fwd != UP_FWD_PEER || !own_of(skb, 0)))
		return CTX_NEXT;
	ctx_parse(skb, &p);
	if (why_not(&p) != UP_RIDE_SLOW_MAX || !is_at_home(skb) || !came_in_as(skb, &p, &key))
		return CTX_NEXT;
	if (!skb->ingress_ifindex) {
		learn_own(skb);
		return CTX_NEXT;
	}
	e = bpf_map_lookup_elem(&up_rides, &key);
	if (!e)
		want(&key, &p);
	else if (e->state != UP_RIDE_WANTED)
		learn(skb, &p, &key, e, fwd);
	return CTX_NEXT;
}

/* Into the container behind this veth. */
SEC("tc")
int up_ride_peer(struct __sk_buff *skb)
{
	return far_end(skb, UP_FWD_PEER);
}

/* Out by this interface, through its queueing discipline. */
SEC("tc")
int up_ride_queue(struct __sk_buff *skb)
{
	return far_end(skb, UP_FWD_QUEUE);
}
