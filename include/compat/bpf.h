/* SPDX-License-Identifier: GPL-2.0-only */
/* Constants of <linux/bpf.h> that are newer than the distribution's kernel headers (Debian
 * 12: 6.1). */
#ifndef UP_COMPAT_BPF_H
#define UP_COMPAT_BPF_H

#define UP_BPF_TCX_INGRESS 46 /* enum bpf_attach_type, Linux 6.6 */
#define UP_BPF_TCX_EGRESS  47
#define UP_BPF_NETKIT_PEER 55 /* Linux 6.7 */

#define UP_TCX_NEXT (-1) /* the next program decides; the same number as TC_ACT_UNSPEC */
#define UP_TCX_DROP 2    /* the same number as TC_ACT_SHOT */

#define UP_BPF_FIB_LOOKUP_SRC (1U << 4) /* Linux 6.7: fill in the source address */

#endif
