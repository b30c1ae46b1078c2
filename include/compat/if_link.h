/* SPDX-License-Identifier: GPL-2.0-only */
/* Constants of <linux/if_link.h> that are newer than the distribution's kernel headers (Debian
 * 12: 6.1). */
#ifndef UP_COMPAT_IF_LINK_H
#define UP_COMPAT_IF_LINK_H

#define UP_IFLA_NETKIT_PEER_INFO   1 /* Linux 6.7 */
#define UP_IFLA_NETKIT_PEER_POLICY 4
#define UP_IFLA_NETKIT_MODE        5

#define UP_NETKIT_L2   0 /* enum netkit_mode */
#define UP_NETKIT_DROP 2 /* enum netkit_action */

#endif
