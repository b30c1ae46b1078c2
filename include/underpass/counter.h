/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens to packets that are ours and are not simply forwarded. One list makes the enum, the
 * names that "status" prints and the words behind them.
 */
#ifndef UNDERPASS_COUNTER_H
#define UNDERPASS_COUNTER_H

/* clang-format off */
#define UP_COUNTERS(X) \
	X(FLOW_NEW,        "flow_new",        "flows created") \
	X(FLOW_EXPIRED,    "flow_expired",    "flows that ended or timed out") \
	X(FLOW_REUSED,     "flow_reused",     "closed flows reused by a new connection") \
	X(TO_HOST,         "to_host",         "packets of containers handed to the host itself") \
	X(TO_KERNEL,       "to_kernel",       "packets handed to the kernel's own path: not by an uplink") \
	X(SOCK_REDIRECT,   "sock_redirect",   "host sockets sent straight to a container's published port") \
	X(BIND_REFUSED,    "bind_refused",    "binds of the host refused because the port is published") \
	X(HOST_MOVED,      "host_moved",      "connections of the host given another port: a container had theirs") \
	X(ICMP_FORWARDED,  "icmp_forwarded",  "ICMP errors about flows, translated") \
	X(ICMP_SENT,       "icmp_sent",       "ICMP errors sent: TTL expired, too big, unreachable") \
	X(RST_SENT,        "rst_sent",        "TCP resets sent: no such connection") \
	X(DROP_REPLY_RATE, "drop_reply_rate", "ICMP errors and resets not sent: too many in this second") \
	X(DROP_SRC_ADDR,   "drop_src_addr",   "source address is not the container's") \
	X(DROP_SRC_MAC,    "drop_src_mac",    "source MAC is not the container's") \
	X(DROP_DST_MAC,    "drop_dst_mac",    "from outside to a container's own MAC, past the uplink's") \
	X(DROP_ARP,        "drop_arp",        "ARP that speaks for another address") \
	X(DROP_ND,         "drop_nd",         "neighbour discovery that is not a container's to send") \
	X(DROP_NOT_IP,     "drop_not_ip",     "protocol that endpoints do not carry") \
	X(DROP_MALFORMED,  "drop_malformed",  "truncated or inconsistent header") \
	X(DROP_FRAGMENT,   "drop_fragment",   "fragment whose first one was not seen") \
	X(DROP_PROTO,      "drop_proto",      "transport protocol that cannot be masqueraded") \
	X(DROP_NOT_UNICAST,"drop_not_unicast","multicast or broadcast of a container") \
	X(DROP_NO_ENDPOINT,"drop_no_endpoint","sent by an interface that is not (or no longer) an endpoint's") \
	X(DROP_NETWORK,    "drop_network",    "destination is in another network, or outside an internal one") \
	X(DROP_DENIED,     "drop_denied",     "source is denied, or not in the port's allow-list") \
	X(DROP_SRC_RATE,   "drop_src_rate",   "new flow refused: too many from this source in this second") \
	X(DROP_NO_FLOW,    "drop_no_flow",    "packet of no known connection") \
	X(DROP_NO_ROUTE,   "drop_no_route",   "no way to the destination") \
	X(DROP_TTL,        "drop_ttl",        "TTL expired") \
	X(DROP_TOO_BIG,    "drop_too_big",    "larger than the path's MTU") \
	X(DROP_FLOW_QUOTA, "drop_flow_quota", "new flow refused: the endpoint's quota is used up") \
	X(DROP_FLOW_RATE,  "drop_flow_rate",  "new flow refused: too many of the endpoint in this second") \
	X(DROP_FLOW_FULL,  "drop_flow_full",  "new flow refused: the flow table is full") \
	X(DROP_RATE,       "drop_rate",       "sent faster than the endpoint may") \
	X(DROP_SNAT_PORTS, "drop_snat_ports", "new flow refused: no free source port found") \
	X(XDP_DROP,        "xdp_drop",        "packets of denied sources dropped before they became one")
/* clang-format on */

enum up_counter {
#define UP_COUNTER_ENUM(id, name, text) UP_CNT_##id,
	UP_COUNTERS(UP_COUNTER_ENUM)
#undef UP_COUNTER_ENUM
		UP_CNT_MAX
};

#endif
