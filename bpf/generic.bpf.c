// SPDX-License-Identifier: GPL-2.0-only
/*
 * tcx ingress of an uplink that has generic XDP, in front of everything else.
 *
 * Where a packet has less room than XDP is promised, generic XDP works on a copy
 * (netif_skb_check_for_xdp(), Linux 6.9), and the copy's mac_len is 0: skb_copy_header() does not
 * copy it. TC programs then find the IP header where the Ethernet header should be. This one puts
 * things right: bpf_skb_change_head() makes room in front and sets mac_len, and what was there
 * comes back. Others' programs profit too.
 */
#include "lib/ctx_skb.h"

struct sk_buff___mac {
	__u16 mac_len;
} __attribute__((preserve_access_index));

SEC("tc")
int up_generic_mac(struct __sk_buff *skb)
{
	struct sk_buff___mac *kern;
	__u8 eth[ETH_HLEN];

	if (!up_has_kern_ctx) /* Linux 6.2; without it, there are no such copies either */
		return CTX_NEXT;
	kern = bpf_cast_to_kern_ctx(skb);
	if (BPF_CORE_READ(kern, mac_len))
		return CTX_NEXT;
	if (bpf_skb_load_bytes_relative(skb, 0, eth, sizeof(eth), BPF_HDR_START_MAC) ||
	    bpf_skb_change_head(skb, sizeof(eth), 0) ||
	    bpf_skb_store_bytes(skb, 0, eth, sizeof(eth), 0))
		return CTX_DROP;
	return CTX_NEXT;
}
