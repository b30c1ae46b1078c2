/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nf_conntrack, asked through its kfuncs (net/netfilter/nf_conntrack_bpf.c, Linux 5.18). Everything
 * here is optional: the functions are weak, and members are found by the kernel's own type
 * information, so that only those need to be named that are read.
 */
#ifndef UP_BPF_CONNTRACK_H
#define UP_BPF_CONNTRACK_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* As of the first version; later ones are longer. */
struct ct_opts {
	__s32 netns_id;
	__s32 error;
	__u8 l4proto, dir;
	__u8 reserved[2];
};

#define CT_NETNS_CURRENT (-1) /* BPF_F_CURRENT_NETNS */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

union nf_inet_addr {
	__be32 all[4];
};

union nf_conntrack_man_proto {
	__be16 all;
};

struct nf_conntrack_man {
	union nf_inet_addr u3;
	union nf_conntrack_man_proto u;
};

struct nf_conntrack_tuple {
	struct nf_conntrack_man src;
	struct {
		union nf_inet_addr u3;
		union {
			__be16 all;
		} u;
	} dst;
};

struct nf_conntrack_tuple_hash {
	struct nf_conntrack_tuple tuple;
};

struct ip_ct_tcp {
	__u8 state;
};

union nf_conntrack_proto {
	struct ip_ct_tcp tcp;
};

struct nf_ct_ext {
	__u8 offset[1];
};

struct nf_conn {
	struct nf_conntrack_tuple_hash tuplehash[2];
	unsigned long status;
	__u32 mark;
	struct nf_ct_ext *ext;
	union nf_conntrack_proto proto;
};

#pragma clang attribute pop

extern struct nf_conn *bpf_skb_ct_lookup(struct __sk_buff *skb, struct bpf_sock_tuple *t, __u32 len,
					 struct ct_opts *opts, __u32 opts_len) __ksym __weak;
extern void bpf_ct_release(struct nf_conn *ct) __ksym __weak;

/* Does the kernel let us ask nf_conntrack? Set by the loader. */
const volatile bool up_has_conntrack = false;

#endif
