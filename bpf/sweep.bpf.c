// SPDX-License-Identifier: GPL-2.0-only
/*
 * Expiry without a daemon: a BPF timer passes over the flow list slice by slice and deletes what
 * has been idle for as long as its state allows.
 */
#include "lib/snat.h"
#include "lib/flow_end.h"
#include "lib/sweep.h"

#define NSEC_PER_SEC 1000000000ULL
#define SWEEP_CLOCK  1 /* CLOCK_MONOTONIC */

#define SWEEP_SLICES  8
#define SWEEP_TICK_NS 500000000ULL /* so that every slot is passed once in four seconds */

/* Seconds after which a flow is looked at again, however long it may yet live: settings that change
 * at run time take effect that soon. */
#define SWEEP_RECHECK_MAX 300

static __always_inline enum up_timeout tcp_timeout(__u8 orig, __u8 reply)
{
	if ((orig | reply) & UP_SEEN_RST)
		return UP_TMO_TCP_CLOSE;
	if (orig & reply & UP_SEEN_FIN)
		return UP_TMO_TCP_TIME_WAIT;
	if ((orig | reply) & UP_SEEN_FIN)
		return UP_TMO_TCP_FIN_WAIT;
	if (!(reply & UP_SEEN_SYN))
		return UP_TMO_TCP_SYN_SENT;
	return orig & UP_SEEN_ACK ? UP_TMO_TCP_ESTABLISHED : UP_TMO_TCP_SYN_RECV;
}

/* Seconds that a flow may be idle. UDP is a stream once both sides have spoken. */
static __always_inline __u32 flow_timeout(__u8 proto, const struct up_flow *orig,
					  const struct up_flow *reply)
{
	struct up_config *conf = config();
	enum up_timeout t = UP_TMO_ICMP;

	/* Only the container's half is seen of a connection that the host itself takes part in. */
	if (proto == IPPROTO_TCP)
		t = tcp_timeout(orig->seen, reply ? reply->seen : orig->seen);
	else if (proto == IPPROTO_SCTP)
		t = (orig->seen | (reply ? reply->seen : 0)) & UP_SEEN_RST ? UP_TMO_TCP_CLOSE
									   : UP_TMO_SCTP;
	else if (proto == IPPROTO_UDP)
		t = reply && reply->last_seen ? UP_TMO_UDP_STREAM : UP_TMO_UDP;
	return conf && t < UP_TMO_MAX ? conf->timeout[t] : 0;
}

/* Has this flow been idle for as long as its state allows? If not, note when to look again. */
static __noinline bool flow_is_over(struct up_slot *slot, const struct up_flow *orig, __u32 now)
{
	const struct up_flow *reply = orig->fwd == UP_FWD_HOST ? NULL : flow_pair(orig);
	__u32 limit = flow_timeout(slot->key.proto, orig, reply);
	__u32 last = orig->last_seen;

	if (orig->fwd != UP_FWD_HOST && !reply)
		return true;
	if (reply && (__s32)(reply->last_seen - last) > 0)
		last = reply->last_seen;
	if ((__s32)(now - last) >= (__s32)limit)
		return true;
	limit -= now - last;
	slot->check_at = now + (limit < SWEEP_RECHECK_MAX ? limit : SWEEP_RECHECK_MAX);
	return false;
}

struct sweep_slice {
	__u32 first, now;
};

static long sweep_slot(__u32 i, struct sweep_slice *s)
{
	__u32 index = s->first + i;
	struct up_slot *slot = bpf_map_lookup_elem(&up_slots, &index);
	struct up_flow *orig;

	if (!slot)
		return 1;
	if (!slot->used || (__s32)(s->now - slot->check_at) < 0)
		return 0;
	orig = flow_lookup(&slot->key);
	if (!orig || flow_is_over(slot, orig, s->now))
		flow_delete(index, slot, orig);
	return 0;
}

static __always_inline void sweep_slice(struct up_sweep *s)
{
	__u32 len = s->next / SWEEP_SLICES + 1;
	struct sweep_slice slice = {.now = now_sec()};

	if (s->pos >= s->next)
		s->pos = 0;
	slice.first = s->pos;
	s->pos += len;
	bpf_loop(len, sweep_slot, &slice, 0);
}

/* Timer callback. A turn in which user space holds the token is left out. */
static int sweep_tick(void *map __attribute__((unused)), __u32 *key __attribute__((unused)),
		      struct up_sweep *s)
{
	s->now = bpf_ktime_get_ns() / NSEC_PER_SEC;
	if (sweep_take(s)) {
		sweep_slice(s);
		sweep_give(s);
	}
	bpf_timer_start(&s->timer, SWEEP_TICK_NS, 0);
	return 0;
}

/*
 * Start the timer, or have it call this version of the program where it runs already. User space
 * runs this once (BPF_PROG_RUN). The timer is made here and nowhere else: making one allocates
 * memory, and may fail.
 */
SEC("tc")
int up_sweep_start(struct __sk_buff *skb __attribute__((unused)))
{
	struct up_sweep *s = sweep_state();
	long ret;

	if (!s)
		return -1;
	s->now = bpf_ktime_get_ns() / NSEC_PER_SEC;
	ret = bpf_timer_init(&s->timer, &up_sweep, SWEEP_CLOCK);
	if (ret && ret != -EBUSY)
		return ret;
	ret = bpf_timer_set_callback(&s->timer, sweep_tick);
	return ret ? ret : bpf_timer_start(&s->timer, SWEEP_TICK_NS, 0);
}
