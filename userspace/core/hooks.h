/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attaching programs to interfaces and cgroups.
 *
 * An interface has tcx where the kernel does (6.6), else clsact. Which one is probed without side
 * effects, and only "not supported" leads to the fallback. Uplinks and cgroups are attached by
 * links, which are pinned and so outlive the command. The host's end of a veth is attached without
 * a link: the attachment then lives exactly as long as the device, so that a container which dies
 * leaves no pin behind.
 */
#ifndef UP_CORE_HOOKS_H
#define UP_CORE_HOOKS_H

#include <bpf/bpf.h>
#include <stdbool.h>
#include <stdint.h>

struct up_err;

/**
 * up_hook_has_tcx() - does the kernel have tcx?
 * @prog_fd: any loaded program for TC
 *
 * UNDERPASS_NO_TCX in the environment says no, so that the fallback can be tested anywhere.
 */
bool up_hook_has_tcx(int prog_fd);

/**
 * up_hook_uplink() - attach to both directions of an uplink, or swap the programs there
 * @in_fd:   program for what comes in
 * @out_fd:  program for what the host sends
 * @ifindex: the uplink
 * @err:     why it failed
 *
 * Return: 0 or -errno
 */
int up_hook_uplink(int in_fd, int out_fd, int ifindex, struct up_err *err);

/** up_hook_uplink_out() - swap the egress program of an uplink. Return: 0 or -errno */
int up_hook_uplink_out(int out_fd, int ifindex, struct up_err *err);

/**
 * up_hook_child() - attach to a child of an uplink
 * @in_fd:   program for what it receives
 * @out_fd:  program for what it sends, -1 for none
 * @ifindex: the child, in the caller's network namespace
 * @err:     why it failed
 *
 * Return: 0 or -errno
 */
int up_hook_child(int in_fd, int out_fd, int ifindex, struct up_err *err);

/**
 * up_hook_xdp() - attach to an uplink's XDP hook, or swap the program there
 * @prog_fd: the program
 * @ifindex: the uplink
 * @flags:   XDP_FLAGS_DRV_MODE or XDP_FLAGS_SKB_MODE
 * @err:     why it failed
 *
 * Return: 0; -EBUSY or -EEXIST where somebody else's program is there; -EOPNOTSUPP and others where
 * the driver cannot
 */
int up_hook_xdp(int prog_fd, int ifindex, uint32_t flags, struct up_err *err);

/**
 * up_hook_generic_mac() - attach the program that mends what generic XDP leaves (generic.bpf.c) in
 * front of all others, or swap it. Return: 0 or -errno
 */
int up_hook_generic_mac(int prog_fd, int ifindex, struct up_err *err);

/** up_hook_generic_mac_remove() - detach it, where it is attached. Return: 0 or -errno */
int up_hook_generic_mac_remove(int ifindex, struct up_err *err);

/** up_hook_xdp_remove() - detach it, where it is attached. Return: 0 or -errno */
int up_hook_xdp_remove(int ifindex, struct up_err *err);

/** up_hook_uplink_remove() - detach from an uplink by whatever mechanism, XDP too. Return: 0 or
 * -errno */
int up_hook_uplink_remove(int ifindex, struct up_err *err);

/** up_hook_uplink_has() - is the uplink's ingress program attached, by a link of ours or by clsact?
 */
bool up_hook_uplink_has(int ifindex);

/**
 * up_hook_veth() - attach to the ingress of the host's end of a veth
 * @prog_fd: the program
 * @ifindex: the interface
 * @old_fd:  program to be replaced, -1 where none is attached
 * @err:     why it failed
 *
 * Return: 0 or -errno
 */
int up_hook_veth(int prog_fd, int ifindex, int old_fd, struct up_err *err);

/**
 * up_hook_veth_at_once() - the same, by the mechanism that is attached in the shortest time
 * @prog_fd: the program
 * @ifindex: the interface
 * @err:     why it failed
 *
 * Attaching by tcx makes the caller wait for a grace period of RCU, about 13 ms, with the lock of
 * all networking held; clsact takes 0.2 ms, but then costs every packet a little more. Whoever is
 * waited for attaches at once, and calls up_hook_veth_settle() when all else is done. Return: 0 or
 * -errno
 */
int up_hook_veth_at_once(int prog_fd, int ifindex, struct up_err *err);

/**
 * up_hook_veth_settle() - have a process of its own move the program to where it costs least
 *
 * At no time is the interface without the program. Where this fails, or the process is killed, it
 * stays where it is, and works.
 */
void up_hook_veth_settle(int prog_fd, int ifindex);

/** up_hook_veth_remove() - detach it again, by whatever mechanism; the interface may be gone */
void up_hook_veth_remove(int prog_fd, int ifindex);

/** up_hook_veth_has() - is this program attached to the ingress of that interface? */
bool up_hook_veth_has(int prog_fd, int ifindex);

/**
 * up_hook_netkit() - have a program decide what the other end of a netkit sends, or swap the one
 * that does. As at a veth, the attachment lives as long as the device
 * @prog_fd: the program
 * @ifindex: the host's end
 * @old_fd:  program to be replaced, -1 where none is attached
 * @err:     why it failed
 *
 * Return: 0 or -errno
 */
int up_hook_netkit(int prog_fd, int ifindex, int old_fd, struct up_err *err);

/** up_hook_has_netkit() - does the kernel have netkit? @prog_fd: any loaded program for TC */
bool up_hook_has_netkit(int prog_fd);

/** up_hook_netkit_has() - does this program decide what the other end sends? */
bool up_hook_netkit_has(int prog_fd, int ifindex);

/**
 * up_hook_police() - the same for the program that holds an endpoint to its rate, in front of the
 * other one
 */
int up_hook_police(int prog_fd, int ifindex, int old_fd, struct up_err *err);

/** up_hook_police_remove() - detach it, where it is attached */
void up_hook_police_remove(int prog_fd, int ifindex);

/**
 * up_hook_ride() - attach a program of ride-along to one side of an interface, without a link, or
 * swap the one that is there
 * @prog_fd: the program; nothing happens where it is attached already
 * @map_id:  id of a map that this host's programs of ride-along use, and no others: what uses it is
 *           replaced, whichever command or version attached it
 * @ifindex: the interface
 * @out:     what goes out, else what comes in
 * @err:     why it failed
 *
 * Return: 0 or -errno
 */
int up_hook_ride(int prog_fd, uint32_t map_id, int ifindex, bool out, struct up_err *err);

/** up_hook_ride_remove() - detach what uses that map; nothing happens where nothing does */
void up_hook_ride_remove(uint32_t map_id, int ifindex, bool out);

/**
 * up_hook_cgroup() - attach to the root of the cgroup v2 tree, or swap the program there
 * @prog_fd: the program
 * @type:    where
 * @name:    of the pinned link
 * @err:     why it failed
 *
 * The tree need not be mounted. Return: 0 or -errno
 */
int up_hook_cgroup(int prog_fd, enum bpf_attach_type type, const char *name, struct up_err *err);

#endif
