// SPDX-License-Identifier: GPL-2.0-only
#include "fixture.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "core/porttab.h"

/* Interfaces have fixed MACs: 02:00:00:00:00:01 the uplink, :02 the client, :1X container X. */
static const char setup_commands[] =
	"link set lo up\n"
	"link add uplink address 02:00:00:00:00:01 type veth peer name wire\n"
	"link set wire up\n"
	"link set uplink up\n"
	"addr add 192.0.2.1/24 dev uplink\n"
	"addr add 192.0.2.3/24 dev uplink\n"
	"neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev uplink nud permanent\n"
	"route add default via 192.0.2.2\n"
	"route add unreachable 198.51.100.0/24\n"
	"route add prohibit 198.18.0.0/24\n"
	"link add va address 02:75:70:00:00:01 type veth peer name ca\n"
	"link add vb address 02:75:70:00:00:01 type veth peer name cb\n"
	"link add vc address 02:75:70:00:00:01 type veth peer name cc\n"
	"link set ca up\nlink set cb up\nlink set cc up\n"
	"link set va up\nlink set vb up\nlink set vc up\n"
	"addr add 10.215.0.1/32 dev va\n"
	"route add 10.215.0.2/32 dev va\n"
	"route add 10.215.0.3/32 dev vb\n"
	"route add 10.215.0.4/32 dev vc\n"
	/* The same numbers at the end of IPv6 addresses. */
	"addr add 2001:db8::c000:203/120 dev uplink nodad\n"
	"addr add 2001:db8::c000:201/120 dev uplink nodad\n"
	"neigh add 2001:db8::c000:202 lladdr 02:00:00:00:00:02 dev uplink nud permanent\n"
	"route add ::/0 via 2001:db8::c000:202\n"
	"route add unreachable 2001:db8::c633:6400/120\n"
	"route add prohibit 2001:db8::c612:0/120\n"
	"addr add fd00::ad7:1/128 dev va nodad\n"
	"route add fd00::ad7:2/128 dev va\n"
	"route add fd00::ad7:3/128 dev vb\n"
	"route add fd00::ad7:4/128 dev vc\n";

static const char *const veth_names[] = {NULL, "va", "vb", "vc"};
static const uint32_t addresses[] = {0, ADDR_A, ADDR_B, ADDR_C};

static void set_forwarding(const char *family, const char *veth)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/forwarding", family, veth);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("1", file);
	assert_int_equal(fclose(file), 0);
}

/* The kernel finds out a moment later that a link can carry. */
static void make_network(void)
{
	FILE *ip;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	ip = popen("ip -batch -", "w");
	assert_non_null(ip);
	fputs(setup_commands, ip);
	assert_int_equal(pclose(ip), 0);
	for (int i = A; i <= C; i++) {
		set_forwarding("ipv4", veth_names[i]);
		set_forwarding("ipv6", veth_names[i]);
	}
}

/* Of the fixture that is being made: flows, and entries that the flow table has less than two for
 * each. */
static uint32_t flows_max = FLOWS_MAX, entries_missing;

/* The programs of another object file than the one that is built in, for tools/mutate. */
static void open_object(struct fixture *f, const char *path)
{
	static uint8_t object[4 << 20];
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	f->skel = calloc(1, sizeof(*f->skel));
	assert_non_null(f->skel);
	assert_int_equal(underpass_bpf__create_skeleton(f->skel), 0);
	f->skel->skeleton->data_sz = fread(object, 1, sizeof(object), file);
	f->skel->skeleton->data = object;
	fclose(file);
	assert_int_equal(bpf_object__open_skeleton(f->skel->skeleton, NULL), 0);
}

static void load(struct fixture *f, bool in_place)
{
	const char *object = getenv("UNDERPASS_TEST_OBJECT");

	if (object)
		open_object(f, object);
	else
		f->skel = underpass_bpf__open();
	assert_non_null(f->skel);
	f->skel->rodata->up_has_kern_ctx = in_place;
	f->skel->rodata->up_has_conntrack = in_place;
	bpf_map__set_max_entries(f->skel->maps.up_flows4, 2 * flows_max - entries_missing);
	bpf_map__set_max_entries(f->skel->maps.up_flows6, 2 * flows_max - entries_missing);
	bpf_map__set_max_entries(f->skel->maps.up_slots, flows_max);
	bpf_map__set_max_entries(f->skel->maps.up_free_slots, flows_max);
	if (underpass_bpf__load(f->skel))
		fail_msg("the programs do not load");
}

static void *map_memory(struct bpf_map *map, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	assert_true(p != MAP_FAILED);
	return p;
}

static void update(struct bpf_map *map, const void *key, const void *value)
{
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_ANY), 0);
}

static void write_conf(struct fixture *f)
{
	struct up_config conf = {
		.abi = UP_ABI_VERSION,
		.snat_lo = 1024,
		.snat_hi = 65535,
		.timeout = {120, 60, 432000, 120, 120, 10, 30, 120, 30, 210},
	};
	uint32_t zero = 0;

	update(f->skel->maps.up_conf, &zero, &conf);
}

static struct up_addr to_addr(bool v6, uint32_t number)
{
	uint8_t bytes[16];

	packet_addr(v6, number, bytes);
	return up_addr_from_bytes(bytes, v6 ? 16 : 4);
}

struct up_addr addr(const struct fixture *f, uint32_t number)
{
	return to_addr(f->v6, number);
}

static void add_local(struct fixture *f, uint32_t number)
{
	uint8_t one = 1;

	for (int v6 = 0; v6 < 2; v6++) {
		struct up_addr a = to_addr(v6, number);

		update(f->skel->maps.up_local, &a, &one);
	}
}

static void add_endpoint(struct fixture *f, int id)
{
	uint32_t key = (uint32_t)id, ifindex = if_nametoindex(veth_names[id]);

	f->veth[id] = (int)ifindex;
	memcpy(f->mac[id], (uint8_t[]){2, 0, 0, 0, 0, (uint8_t)(0x10 + id)}, 6);
	f->endpoints[id] = (struct up_endpoint){
		.state = UP_ENDPOINT_LIVE,
		.ifindex = ifindex,
		.host_if = ifindex,
		.addr = {to_addr(false, addresses[id]), to_addr(true, addresses[id])},
		.gateway = {to_addr(false, GATEWAY), to_addr(true, GATEWAY)},
		.flow_max = flows_max,
		.net = id == C ? 1 : 0,
	};
	memcpy(f->endpoints[id].mac, f->mac[id], 6);
	update(f->skel->maps.up_ep_by_if, &ifindex, &key);
	update(f->skel->maps.up_ep_by_addr, &f->endpoints[id].addr[UP_V4], &key);
	update(f->skel->maps.up_ep_by_addr, &f->endpoints[id].addr[UP_V6], &key);
}

static void start_sweeper(struct fixture *f)
{
	uint8_t packet[64] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet));

	do {
		assert_int_equal(bpf_prog_test_run_opts(
					 bpf_program__fd(f->skel->progs.up_sweep_start), &opts),
				 0);
	} while ((int)opts.retval == -ENOMEM);
	assert_int_equal(opts.retval, 0);
}

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level, (void)fmt, (void)ap;
	return 0;
}

/* from_client() and the like have no fixture at hand. */
static bool building_v6;

static int fixture_begin(void **state, bool in_place, bool v6)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct up_uplink uplink = {
		.addr = {to_addr(false, HOST), to_addr(true, HOST)},
		.mac = {2, 0, 0, 0, 0, 1},
	};
	uint32_t key;

	libbpf_set_print(quiet);
	assert_non_null(f);
	f->v6 = building_v6 = v6;
	make_network();
	load(f, in_place);
	f->ports = map_memory(f->skel->maps.up_ports, sizeof(*f->ports));
	f->endpoints =
		map_memory(f->skel->maps.up_endpoints, UP_ENDPOINT_MAX * sizeof(*f->endpoints));
	memcpy(f->gateway_mac, (uint8_t[])UP_GATEWAY_MAC, 6);
	memcpy(f->uplink_mac, (uint8_t[]){2, 0, 0, 0, 0, 1}, 6);
	memcpy(f->client_mac, (uint8_t[]){2, 0, 0, 0, 0, 2}, 6);
	write_conf(f);
	f->uplink = (int)if_nametoindex("uplink");
	key = (uint32_t)f->uplink;
	update(f->skel->maps.up_uplinks, &key, &uplink);
	for (int id = A; id <= C; id++)
		add_endpoint(f, id);
	add_local(f, HOST);
	add_local(f, HOST2);
	add_local(f, GATEWAY);
	start_sweeper(f);
	*state = f;
	return 0;
}

int fixture_in_place(void **state)
{
	return fixture_begin(state, true, false);
}

int fixture_by_helper(void **state)
{
	return fixture_begin(state, false, false);
}

int fixture_large(void **state)
{
	int ret;

	flows_max = FLOWS_LARGE;
	ret = fixture_begin(state, true, false);
	flows_max = FLOWS_MAX;
	return ret;
}

int fixture_tight(void **state)
{
	int ret;

	entries_missing = 1;
	ret = fixture_begin(state, true, false);
	entries_missing = 0;
	return ret;
}

int fixture_v6_in_place(void **state)
{
	return fixture_begin(state, true, true);
}

int fixture_v6_by_helper(void **state)
{
	return fixture_begin(state, false, true);
}

int fixture_end(void **state)
{
	struct fixture *f = *state;

	munmap(f->ports, sizeof(*f->ports));
	munmap(f->endpoints, UP_ENDPOINT_MAX * sizeof(*f->endpoints));
	underpass_bpf__destroy(f->skel);
	free(f);
	return 0;
}

int run_bytes(struct fixture *f, struct bpf_program *prog, int ifindex, const uint8_t *data,
	      size_t len)
{
	struct __sk_buff ctx = {
		.ifindex = (uint32_t)ifindex, .ingress_ifindex = 0, .mark = f->mark_in};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = data, .data_size_in = (uint32_t)len,
		    .data_out = f->out, .data_size_out = sizeof(f->out), .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .ctx_out = &ctx, .ctx_size_out = sizeof(ctx));

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(prog), &opts), 0);
	f->len = opts.data_size_out;
	f->mark = ctx.mark;
	return (int)opts.retval;
}

int run_uplink(struct fixture *f, const struct packet *p)
{
	uint8_t buf[PACKET_MAX];
	size_t len = packet_build(p, buf);

	return run_bytes(f, f->skel->progs.up_uplink_in, f->uplink, buf, len);
}

int run_veth(struct fixture *f, int endpoint, const struct packet *p)
{
	uint8_t buf[PACKET_MAX];
	size_t len = packet_build(p, buf);

	return run_bytes(f, f->skel->progs.up_veth_in, f->veth[endpoint], buf, len);
}

void publish(struct fixture *f, int endpoint, const char *spec)
{
	cleanup_publish_list struct up_publish_list list = {};

	assert_int_equal(up_portspec_parse(spec, &list, NULL), 0);
	assert_int_equal(up_porttab_add(f->ports, (uint16_t)endpoint, list.pubs, list.n, NULL), 0);
}

int publish_all(struct fixture *f, int endpoint, const struct up_publish *pubs, size_t n)
{
	return up_porttab_add(f->ports, (uint16_t)endpoint, pubs, n, NULL);
}

static bool owned(const struct up_port_row *row, void *arg)
{
	return row->endpoint == *(int *)arg;
}

void unpublish(struct fixture *f, int endpoint)
{
	up_porttab_remove(f->ports, owned, &endpoint);
}

size_t l4_at(const struct fixture *f)
{
	return 14 + (f->v6 ? 40 : 20);
}

uint16_t word_at(const struct fixture *f, size_t offset)
{
	return (uint16_t)(f->out[offset] << 8 | f->out[offset + 1]);
}

uint64_t counter(struct fixture *f, enum up_counter id)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t values[256], sum = 0;
	uint32_t key = id;

	assert_in_range(cpus, 1, 256);
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.up_counters), &key, values),
			 0);
	for (int i = 0; i < cpus; i++)
		sum += values[i];
	return sum;
}

/* The table's next key, of the one family and then of the other; NULL: the first. */
static bool next_flow(struct fixture *f, const struct up_tuple *prev, struct up_tuple *ret)
{
	struct up_tuple4 prev4, next4;

	if (prev && !up_addr_is_v4(&prev->daddr))
		return !bpf_map_get_next_key(bpf_map__fd(f->skel->maps.up_flows6), prev, ret);
	if (prev)
		prev4 = up_tuple_narrow(prev);
	if (bpf_map_get_next_key(bpf_map__fd(f->skel->maps.up_flows4), prev ? &prev4 : NULL,
				 &next4))
		return !bpf_map_get_next_key(bpf_map__fd(f->skel->maps.up_flows6), NULL, ret);
	*ret = up_tuple_widen(&next4);
	return true;
}

unsigned int flow_entries(struct fixture *f)
{
	struct up_tuple key, *prev = NULL, last;
	unsigned int n = 0;

	for (; next_flow(f, prev, &key); n++) {
		last = key;
		prev = &last;
	}
	return n;
}

bool flow_find(struct fixture *f, const struct up_tuple *key, struct up_flow *ret)
{
	struct up_tuple4 key4 = up_tuple_narrow(key);

	if (up_addr_is_v4(&key->daddr))
		return !bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.up_flows4), &key4, ret);
	return !bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.up_flows6), key, ret);
}

int flow_replace(struct fixture *f, const struct up_tuple *key, const struct up_flow *flow)
{
	struct up_tuple4 key4 = up_tuple_narrow(key);

	if (up_addr_is_v4(&key->daddr))
		return bpf_map_update_elem(bpf_map__fd(f->skel->maps.up_flows4), &key4, flow,
					   BPF_EXIST);
	return bpf_map_update_elem(bpf_map__fd(f->skel->maps.up_flows6), key, flow, BPF_EXIST);
}

uint32_t reap(struct fixture *f, struct up_reap r)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = &r, .data_size_in = sizeof(r),
		    .data_out = &r, .data_size_out = sizeof(r));

	do {
		assert_int_equal(
			bpf_prog_test_run_opts(bpf_program__fd(f->skel->progs.up_reap), &opts), 0);
	} while (r.busy);
	return r.matched;
}

uint32_t clock_now(struct fixture *f)
{
	struct up_sweep s;
	uint32_t zero = 0;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(f->skel->maps.up_sweep), &zero, &s), 0);
	return s.now;
}

void next_second(struct fixture *f)
{
	const struct timespec poll = {.tv_nsec = 5000000};
	uint32_t start = clock_now(f);

	for (int ms = 0; ms < 5000; ms += 5) {
		if (clock_now(f) != start)
			return;
		nanosleep(&poll, NULL);
	}
	fail_msg("the programs' clock stands still");
}

struct up_tuple tuple(int ifindex, const struct packet *p)
{
	bool reply = p->proto == IPPROTO_ICMP && p->icmp_type == 0;

	return (struct up_tuple){
		.saddr = to_addr(p->v6, p->src),
		.daddr = to_addr(p->v6, p->dst),
		.sport = htons(reply ? 0 : p->sport),
		.dport = htons(reply ? p->sport : p->dport),
		.ifindex = (uint32_t)ifindex,
		.proto = packet_proto(p),
	};
}

struct up_tuple reversed(const struct up_tuple *t)
{
	return (struct up_tuple){
		.saddr = t->daddr,
		.daddr = t->saddr,
		.sport = t->dport,
		.dport = t->sport,
		.ifindex = t->ifindex,
		.proto = t->proto,
	};
}

/* Every flow has both directions, each the other's reverse, a slot that knows it, and is counted.
 */
void assert_flows_consistent(struct fixture *f)
{
	int slots = bpf_map__fd(f->skel->maps.up_slots);
	struct up_tuple key, *prev = NULL, last;
	uint32_t counted[4] = {0};

	for (; next_flow(f, prev, &key); last = key, prev = &last) {
		struct up_flow flow, pair;
		struct up_tuple other;
		struct up_slot slot;

		assert_true(flow_find(f, &key, &flow));
		assert_int_equal(bpf_map_lookup_elem(slots, &flow.slot, &slot), 0);
		assert_int_equal(slot.used, 1);
		if (flow.fwd != UP_FWD_HOST) {
			other = reversed(&flow.out);
			assert_true(flow_find(f, &other, &pair));
			other = reversed(&pair.out);
			assert_memory_equal(&other, &key, sizeof(key));
			assert_int_equal(flow.slot, pair.slot);
			assert_int_not_equal(flow.orig, pair.orig);
		}
		if (flow.orig) {
			assert_memory_equal(&slot.key, &key, sizeof(key));
			counted[flow.owner]++;
		}
	}
	for (int id = A; id <= C; id++)
		assert_int_equal(f->endpoints[id].flows, counted[id]);
}

static void edit_conf(struct fixture *f,
		      void (*edit)(struct up_config *conf, uint32_t a, uint32_t b), uint32_t a,
		      uint32_t b)
{
	int fd = bpf_map__fd(f->skel->maps.up_conf);
	struct up_config conf;
	uint32_t zero = 0;

	assert_int_equal(bpf_map_lookup_elem(fd, &zero, &conf), 0);
	edit(&conf, a, b);
	update(f->skel->maps.up_conf, &zero, &conf);
}

static void edit_timeout(struct up_config *conf, uint32_t which, uint32_t seconds)
{
	conf->timeout[which] = seconds;
}

static void edit_range(struct up_config *conf, uint32_t lo, uint32_t hi)
{
	conf->snat_lo = (uint16_t)lo;
	conf->snat_hi = (uint16_t)hi;
}

void set_timeout(struct fixture *f, enum up_timeout which, uint32_t seconds)
{
	edit_conf(f, edit_timeout, which, seconds);
}

void set_snat_range(struct fixture *f, uint16_t lo, uint16_t hi)
{
	edit_conf(f, edit_range, lo, hi);
}

void wait_until(struct fixture *f, bool (*cond)(struct fixture *f), int ms)
{
	const struct timespec poll = {.tv_nsec = 5000000};

	for (; ms > 0; ms -= 5) {
		if (cond(f))
			return;
		nanosleep(&poll, NULL);
	}
	fail_msg("a condition did not become true in time");
}

struct packet from_client(uint8_t proto, uint16_t sport, uint16_t dport)
{
	return (struct packet){
		.eth = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2},
		.v6 = building_v6,
		.ttl = 64,
		.proto = proto,
		.src = CLIENT,
		.dst = HOST,
		.sport = sport,
		.dport = dport,
		.flags = TCP_SYN,
		.payload = 11,
		.fill = 3,
	};
}

struct packet from_container(struct fixture *f, int endpoint, uint8_t proto, uint32_t dst,
			     uint16_t sport, uint16_t dport)
{
	struct packet p = {
		.v6 = building_v6,
		.ttl = 64,
		.proto = proto,
		.src = addresses[endpoint],
		.dst = dst,
		.sport = sport,
		.dport = dport,
		.icmp_type = 8,
		.flags = TCP_SYN,
		.payload = 32,
		.fill = 7,
	};

	memcpy(p.eth, f->gateway_mac, 6);
	memcpy(p.eth + 6, f->mac[endpoint], 6);
	return p;
}

struct packet into(struct fixture *f, int endpoint, const struct packet *p)
{
	struct packet q = *p;

	memcpy(q.eth, f->mac[endpoint], 6);
	memcpy(q.eth + 6, f->gateway_mac, 6);
	q.dst = addresses[endpoint];
	q.ttl--;
	return q;
}

struct packet out_by_uplink(struct fixture *f, const struct packet *p)
{
	struct packet q = *p;

	memcpy(q.eth, f->client_mac, 6);
	memcpy(q.eth + 6, f->uplink_mac, 6);
	q.ttl--;
	return q;
}
