// SPDX-License-Identifier: GPL-2.0-only
/*
 * The configuration: what a good file becomes, what a bad one is told and
 * where. What a reload would change is in test_config_diff.c.
 */
#include <linux/vgw.h>

#include "tests/config_side.h"

static void assert_addr(const struct addr *a, const char *text)
{
	char buf[ADDR_STRLEN];

	assert_string_equal(addr_format(a, buf, sizeof(buf)), text);
}

static void assert_prefix(const struct prefix *p, const char *text)
{
	char buf[PREFIX_STRLEN];

	assert_string_equal(prefix_format(p, buf, sizeof(buf)), text);
}

static void test_defaults_gateway(void **state)
{
	struct config *c = parse_good("gateway: {}\n");

	assert_int_equal(c->log_level, LOG_LEVEL_INFO);
	assert_string_equal(c->control_socket, "/run/vgw/control.sock");
	assert_null(c->control_group);
	assert_string_equal(c->gateway.name, "vgw0");
	assert_int_equal(c->gateway.local_asn, 45104);
	assert_false(addr_is_set(&c->gateway.router_id));
	assert_int_equal(c->gateway.attachment, CONFIG_VPN_GATEWAY);
	assert_null(c->gateway.vrf);
	assert_int_equal(c->gateway.quota, 50);
	assert_true(c->gateway.auto_advertise);
	assert_false(c->gateway.overlap_allow);
	assert_false(c->gateway.reserved_strict);
	assert_int_equal(c->gateway.profile, CONFIG_PROFILE_NONE);
	assert_int_equal(c->gateway.n_guard + c->gateway.n_protected, 0);
	assert_int_equal(c->gateway.hash.seed, 0);
	assert_int_equal(c->gateway.hash.fields, 0);
	assert_int_equal(c->gateway.hash.idle, 0);
	assert_int_equal(c->gateway.restart_time, 120);
	assert_false(c->gateway.force);
	assert_true(c->transit_overlapping);
	assert_int_equal(c->n_connections + c->n_customer_gateways + c->n_static_routes, 0);
	config_free(c);
}

static void test_defaults_connection(void **state)
{
	struct config *c =
		parse_good(CGS "connections:\n- name: c1\n  customer-gateway: cg1\n" BGP
			       "  bfd: {}\n  tunnels:\n" T1 "  - {name: t2, inside-cidr: 169.254.10.4/30, "
			       "local-address: 203.0.113.1, ike: {psk-file: /psk}}\n"
			       "static-routes:\n- {prefix: 10.9.0.0/16, connection: c1}\n");
	const struct config_connection *conn = &c->connections[0];
	const struct config_tunnel *t1 = &conn->tunnels[0], *t2 = &conn->tunnels[1];

	assert_string_equal(c->customer_gateways[0].site, "cg1");
	assert_int_equal(c->customer_gateways[0].site_id, 1);
	assert_ptr_equal(conn->customer_gateway, &c->customer_gateways[0]);
	assert_int_equal(conn->id, 1);
	assert_int_equal(conn->routing, CONFIG_ROUTING_DESTINATION);
	assert_false(conn->transit_allow);
	assert_int_equal(conn->source_check, VGW_SOURCE_CHECK_SITE);
	assert_int_equal(conn->bgp->hold_time, 30);
	assert_int_equal(conn->bgp->keepalive, 10);
	assert_int_equal(conn->bgp->connect_retry, 5);
	assert_int_equal(conn->bgp->ttl, 255);
	assert_false(conn->bgp->passive || conn->bgp->gtsm || conn->bgp->ipv6);
	assert_true(conn->bgp->ipv4);
	assert_null(conn->bgp->md5_file);
	assert_int_equal(conn->bfd->transmit, 300);
	assert_int_equal(conn->bfd->receive, 300);
	assert_int_equal(conn->bfd->multiplier, 3);
	assert_false(conn->bfd->strict);
	assert_int_equal(conn->bfd->local_port, 0);
	assert_addr(&t1->inside_address, "169.254.10.1");
	assert_addr(&t1->inside_peer, "169.254.10.2");
	assert_string_equal(t1->interface, "t1");
	assert_int_equal(t1->if_id, 0);
	assert_int_equal(t2->if_id, CONFIG_IF_ID_BASE + 2);
	assert_null(t1->ike);
	assert_null(t1->underlay);
	assert_false(addr_is_set(&t1->local_address));
	assert_addr(&t1->remote_address, "198.51.100.2");
	assert_int_equal(t1->weight, 1);
	assert_int_equal(t2->id, 2);
	assert_int_equal(t2->ike->dpd_delay, 10);
	assert_int_equal(t2->ike->rekey_time, 14400);
	assert_int_equal(t2->ike->child_rekey_time, 3600);
	assert_int_equal(t2->ike->version, 2);
	assert_true(t2->ike->initiate);
	assert_false(t2->ike->encap);
	assert_int_equal(c->static_routes[0].weight, 100);
	assert_int_equal(c->static_routes[0].on_fail, VGW_ON_FAIL_REVOKE);
	assert_ptr_equal(c->static_routes[0].connection, conn);
	config_free(c);
}

static void check_full_gateway(const struct config *c)
{
	assert_int_equal(c->log_level, LOG_LEVEL_DEBUG);
	assert_string_equal(c->control_socket, "/tmp/vgw-test.sock");
	assert_string_equal(c->control_group, "adm");
	assert_string_equal(c->gateway.name, "vgw7");
	assert_int_equal(c->gateway.local_asn, 65546);
	assert_addr(&c->gateway.router_id, "10.0.0.1");
	assert_int_equal(c->gateway.attachment, CONFIG_TRANSIT);
	assert_string_equal(c->gateway.vrf, "blue");
	assert_int_equal(c->gateway.quota, 100);
	assert_false(c->gateway.auto_advertise);
	assert_true(c->gateway.overlap_allow);
	assert_true(c->gateway.reserved_strict);
	assert_int_equal(c->gateway.profile, CONFIG_PROFILE_ALIBABA);
	assert_int_equal(c->gateway.n_guard, 2);
	assert_prefix(&c->gateway.guard[0], "172.16.0.0/12");
	assert_prefix(&c->gateway.guard[1], "fd12::/32");
	assert_int_equal(c->gateway.n_protected, 1);
	assert_prefix(&c->gateway.protected[0], "10.1.0.0/16");
	assert_int_equal(c->gateway.hash.seed, UINT32_MAX);
	assert_int_equal(c->gateway.hash.fields, 2);
	assert_int_equal(c->gateway.hash.idle, 3600);
	assert_int_equal(c->gateway.n_ports, 2);
	assert_string_equal(c->gateway.ports[0], "eth1");
	assert_string_equal(c->gateway.ports[1], "eth2.7");
	assert_int_equal(c->gateway.restart_time, 90);
	assert_true(c->gateway.force);
}

static void check_full_tunnel(const struct config_tunnel *t)
{
	assert_string_equal(t->name, "t1");
	assert_prefix(&t->inside, "169.254.10.0/30");
	assert_addr(&t->inside_address, "169.254.10.2");
	assert_addr(&t->inside_peer, "169.254.10.1");
	assert_string_equal(t->interface, "ipsec1");
	assert_int_equal(t->if_id, 17);
	assert_string_equal(t->underlay, "eth0");
	assert_addr(&t->local_address, "203.0.113.1");
	assert_addr(&t->remote_address, "198.51.100.3");
	assert_int_equal(t->weight, 20);
	assert_string_equal(t->ike->psk_file, "/etc/vgw/t1.psk");
	assert_string_equal(t->ike->proposals, "aes256gcm16-prfsha384-ecp384");
	assert_string_equal(t->ike->esp_proposals, "aes256gcm16-ecp384");
	assert_string_equal(t->ike->local_id, "gw.example.org");
	assert_string_equal(t->ike->remote_id, "cg1.example.org");
	assert_int_equal(t->ike->dpd_delay, 5);
	assert_int_equal(t->ike->rekey_time, 7200);
	assert_int_equal(t->ike->child_rekey_time, 1800);
	assert_false(t->ike->initiate);
	assert_true(t->ike->encap);
	assert_int_equal(t->ike->version, 1);
}

static void test_full(void **state)
{
	struct config *c = load_good("config/full.yaml");
	const struct config_bgp *bgp = c->connections[0].bgp;
	const struct config_bfd *bfd = c->connections[0].bfd;
	struct config_connection *connection;

	check_full_gateway(c);
	check_full_tunnel(&c->connections[0].tunnels[0]);
	assert_int_equal(c->n_customer_gateways, 3);
	assert_string_equal(c->customer_gateways[0].description, "rack 4, \xc3\xa9tage 2");
	assert_int_equal(c->customer_gateways[0].asn, 65010);
	assert_int_equal(c->customer_gateways[0].site_id, c->customer_gateways[1].site_id);
	assert_int_not_equal(c->customer_gateways[0].site_id, c->customer_gateways[2].site_id);
	assert_true(c->connections[0].transit_allow);
	assert_int_equal(c->connections[0].source_check, VGW_SOURCE_CHECK_STRICT);
	assert_int_equal(c->connections[2].routing, CONFIG_ROUTING_POLICY);
	assert_int_equal(c->connections[2].source_check, VGW_SOURCE_CHECK_OFF);
	assert_null(c->connections[2].bgp);
	assert_int_equal(bgp->hold_time, 9);
	assert_int_equal(bgp->keepalive, 2);
	assert_int_equal(bgp->connect_retry, 7);
	assert_true(bgp->passive && bgp->gtsm && bgp->ipv6);
	assert_string_equal(bgp->md5_file, "/etc/vgw/md5");
	assert_int_equal(bfd->transmit, 500);
	assert_int_equal(bfd->receive, 400);
	assert_int_equal(bfd->multiplier, 5);
	assert_true(bfd->strict);
	assert_int_equal(bfd->local_port, 50000);
	assert_null(c->connections[1].bfd);
	assert_int_equal(c->connections[0].tunnels[0].health->interval, 2);
	assert_int_equal(c->connections[0].tunnels[0].health->recover, 6);
	assert_int_equal(c->connections[0].tunnels[1].health->retries, 5);
	assert_addr(&c->connections[0].tunnels[1].health->destination, "10.9.9.9");
	assert_addr(&c->connections[2].tunnels[0].inside_address, "fd00:0:0:4::1");
	assert_addr(&c->connections[2].tunnels[0].inside_peer, "fd00:0:0:4::2");
	assert_ptr_equal(config_tunnel_find(c, "t3", &connection), &c->connections[1].tunnels[0]);
	assert_ptr_equal(connection, &c->connections[1]);
	assert_null(config_tunnel_find(c, "t9", NULL));
	assert_int_equal(c->static_routes[1].weight, 0);
	assert_int_equal(c->static_routes[1].on_fail, VGW_ON_FAIL_REVOKE);
	assert_int_equal(c->static_routes[2].on_fail, VGW_ON_FAIL_RESERVE);
	assert_int_equal(c->warnings.n, 0);
	config_free(c);
}

static void test_example(void **state)
{
	struct config *c = load_good("../../Documentation/examples/two-tunnels.yaml");

	assert_int_equal(c->n_connections, 1);
	assert_int_equal(c->connections[0].n_tunnels, 2);
	assert_int_equal(c->warnings.n, 0);
	config_free(c);
}

/* Bad files */

struct bad {
	const char *text;
	unsigned int line, column;
	const char *path, *code;
	const char *says; /* part of the text */
};

static const struct bad bad[] = {
	/* YAML */
	{ "", 0, 0, "", "SYNTAX", "empty" },
	{ "# nothing\n", 0, 0, "", "SYNTAX", "empty" },
	{ "gateway: {name: vgw0\nlog: info\n", 2, 4, "", "SYNTAX", "not YAML" },
	{ "gateway:\n\tname: vgw0\n", 2, 1, "", "SYNTAX", "not YAML" },
	{ "log: info\n---\nlog: info\n", 2, 1, "", "SYNTAX", "one document" },
	{ "gateway: &a {}\ncontrol: *a\n", 2, 10, "", "SYNTAX", "aliases" },
	{ "? {a: b}\n: c\n", 1, 3, "", "SYNTAX", "key" },
	{ "log: info\ncontrol: {group: \xff}\n", 2, 18, "", "SYNTAX", "not YAML" },
	{ "log: [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]\n", 1, 21, "", "SYNTAX", "deep" },
	/* shape */
	{ "just text\n", 1, 1, "", "TYPE", "mapping" },
	{ "loog: info\n", 1, 1, "loog", "UNKNOWN_KEY", "\"log\"" },
	{ "gateway:\n  colour: red\n", 2, 3, "gateway.colour", "UNKNOWN_KEY",
	  "known here: name, local-asn" },
	{ CGS CONN "  - {name: t1, inside-cidr: 169.254.10.0/30, psk: x}\n", 7, 46,
	  "connections[0].tunnels[0].psk", "UNKNOWN_KEY", "inside-cidr" },
	{ GOOD "  local-asn: 65002\n", 8, 3, "connections[0].local-asn", "LOCAL_ASN_MISMATCH",
	  "gateway.local-asn" },
	{ "log: info\nlog: debug\n", 2, 1, "log", "DUPLICATE_KEY", "twice" },
	{ "gateway: [1]\n", 1, 10, "gateway", "TYPE", "found a list" },
	{ "gateway:\n  quota: [5]\n", 2, 10, "gateway.quota", "TYPE", "single value" },
	{ "connections: {}\n", 1, 14, "connections", "TYPE", "a list" },
	{ "connections:\n", 1, 13, "connections", "TYPE", "found nothing" },
	{ "gateway:\n  vrf:\n", 2, 7, "gateway.vrf", "NO_VALUE", "default" },
	{ "gateway:\n  vrf: \"a\\0b\"\n", 2, 8, "gateway.vrf", "VALUE", "control" },
	{ "gateway:\n  \"quota\\0\": 5\n", 2, 3, "gateway.quota", "VALUE", "control" },
	/* values */
	{ "log: loud\n", 1, 6, "log", "VALUE", "error, warning, info, debug" },
	{ "gateway:\n  quota: many\n", 2, 10, "gateway.quota", "VALUE", "\"many\"" },
	{ "gateway:\n  quota: 0\n", 2, 10, "gateway.quota", "VALUE", "from 1" },
	{ "gateway:\n  quota: 050\n", 2, 10, "gateway.quota", "VALUE", "050" },
	{ "gateway:\n  quota: -1\n", 2, 10, "gateway.quota", "VALUE", "-1" },
	{ "gateway:\n  hash: {seed: 4294967296}\n", 2, 16, "gateway.hash.seed", "VALUE",
	  "4294967296" },
	{ "gateway:\n  force: yes\n", 2, 10, "gateway.force", "VALUE", "true or false" },
	{ "gateway: {local-asn: 0}\n", 1, 22, "gateway.local-asn", "ASN_RANGE", "4294967295" },
	{ "gateway: {local-asn: 1.70000}\n", 1, 22, "gateway.local-asn", "ASN_RANGE", "1.70000" },
	{ "gateway: {local-asn: 23456}\n", 1, 22, "gateway.local-asn", "ASN_RESERVED", "6793" },
	{ "gateway: {router-id: 0.0.0.0}\n", 1, 22, "gateway.router-id", "VALUE", "6286" },
	{ "gateway: {router-id: \"::1\"}\n", 1, 22, "gateway.router-id", "VALUE", "IPv4" },
	{ "gateway: {name: averyveryverylongname}\n", 1, 17, "gateway.name", "DEVICE_NAME", "15" },
	{ "gateway: {name: a/b}\n", 1, 17, "gateway.name", "DEVICE_NAME", "a/b" },
	{ "gateway: {name: b, vrf: b}\n", 1, 25, "gateway.vrf", "DUPLICATE", "not a VRF" },
	{ "gateway: {guard: [10.0.0.0/8, 10.0.0.1/8]}\n", 1, 31, "gateway.guard[1]", "HOST_BITS",
	  "10.0.0.1/8" },
	{ "gateway: {guard: [0.0.0.0/0]}\n", 1, 19, "gateway.guard[0]", "GUARD_DEFAULT", "clear" },
	{ "gateway: {guard: [10.0.0.0/8, 10.0.0.0/8]}\n", 1, 31, "gateway.guard[1]", "DUPLICATE",
	  "already" },
	{ "gateway: {ports: [eth0, a/b]}\n", 1, 25, "gateway.ports[1]", "DEVICE_NAME", "a/b" },
	{ "gateway: {ports: [eth0, eth0]}\n", 1, 25, "gateway.ports[1]", "DUPLICATE", "already" },
	{ "gateway: {ports: [vgw0]}\n", 1, 19, "gateway.ports[0]", "VALUE", "itself" },
	{ "gateway: {protected: [\"::/0\"]}\n", 1, 23, "gateway.protected[0]", "PROTECTED_DEFAULT",
	  "refused" },
	{ "gateway: {graceful-restart: {restart-time: 4096}}\n", 1, 44,
	  "gateway.graceful-restart.restart-time", "VALUE", "4095" },
	{ "control: {socket: run.sock}\n", 1, 19, "control.socket", "VALUE", "absolute" },
	/* customer gateways */
	{ "customer-gateways:\n- {address: 198.51.100.2}\n", 2, 3, "customer-gateways[0].name",
	  "MISSING_KEY", "\"name\"" },
	{ "customer-gateways:\n- {name: a b, address: 198.51.100.2}\n", 2, 10,
	  "customer-gateways[0].name", "NAME", "a b" },
	{ "customer-gateways:\n- {name: a, address: 198.51.100}\n", 2, 22,
	  "customer-gateways[0].address", "VALUE", "198.51.100" },
	{ "customer-gateways:\n- {name: a, address: 127.0.0.1}\n", 2, 22,
	  "customer-gateways[0].address", "CUSTOMER_ADDRESS", "" },
	{ "customer-gateways:\n- {name: a, address: 100.64.1.1}\n", 2, 22,
	  "customer-gateways[0].address", "CUSTOMER_ADDRESS", "" },
	{ "customer-gateways:\n- {name: a, address: 198.51.100.2, asn: 45104}\n", 2, 41,
	  "customer-gateways[0].asn", "ASN_RESERVED", "default" },
	{ CGS "- {name: cg1, address: 198.51.100.6}\n", 3, 10, "customer-gateways[1].name",
	  "DUPLICATE", "customer-gateways[0].name" },
	{ CGS "- {name: cg2, address: 198.51.100.2}\n", 3, 24, "customer-gateways[1].address",
	  "DUPLICATE", "customer-gateways[0].address" },
	{ "gateway: {local-asn: 65010}\n" CGS, 3, 43, "customer-gateways[0].asn", "IBGP", "65010" },
	/* connections */
	{ CGS "connections:\n- {name: c1, tunnels: [{name: t, inside-cidr: 169.254.9.0/30}]}\n", 4,
	  3, "connections[0].customer-gateway", "MISSING_KEY", "customer-gateway" },
	{ CGS "connections:\n- {name: c1, customer-gateway: cg1, tunnels: []}\n", 4, 46,
	  "connections[0].tunnels", "MISSING_KEY", "at least one" },
	{ CGS CONN T1 "- name: c1\n  customer-gateway: cg1\n  tunnels:\n" T2, 8, 9,
	  "connections[1].name", "DUPLICATE", "connections[0].name" },
	{ CGS "connections:\n- name: c1\n  customer-gateway: cg9\n  tunnels:\n" T1, 5, 21,
	  "connections[0].customer-gateway", "UNKNOWN_REFERENCE", "there is: cg1" },
	{ "customer-gateways:\n- {name: cg1, address: 198.51.100.2}\n"
	  "connections:\n- name: c1\n"
	  "  customer-gateway: cg1\n" BGP "  tunnels:\n" T1,
	  2, 3, "customer-gateways[0].asn", "MISSING_KEY", "BGP" },
	{ GOOD "  bgp: {hold-time: 2}\n", 8, 20, "connections[0].bgp.hold-time", "BGP_TIMERS",
	  "3" },
	{ GOOD "  bgp: {hold-time: 9, keepalive: 9}\n", 8, 34, "connections[0].bgp.keepalive",
	  "BGP_TIMERS", "less than" },
	{ GOOD "  bgp: {hold-time: 0, keepalive: 9}\n", 8, 34, "connections[0].bgp.keepalive",
	  "BGP_TIMERS", "hold-time 0" },
	{ GOOD "  bgp: {gtsm: true, ttl: 1}\n", 8, 26, "connections[0].bgp.ttl", "GTSM", "5082" },
	{ GOOD "  bgp: {ipv4: false}\n", 8, 15, "connections[0].bgp.ipv4", "NO_FAMILY",
	  "both off" },
	{ GOOD "  bgp: {ttl: 256}\n", 8, 14, "connections[0].bgp.ttl", "VALUE", "255" },
	{ GOOD "  bfd: {transmit: 5}\n", 8, 19, "connections[0].bfd.transmit", "VALUE",
	  "from 10 to 60000" },
	{ GOOD "  bfd: {multiplier: 0}\n", 8, 21, "connections[0].bfd.multiplier", "VALUE",
	  "from 1 to 255" },
	{ GOOD "  bfd: {local-port: 3784}\n", 8, 21, "connections[0].bfd.local-port", "VALUE",
	  "from 49152" },
	{ GOOD "  health-check: {interval: 0}\n", 8, 28, "connections[0].health-check.interval",
	  "VALUE", "1 to 3600" },
	{ GOOD "  health-check: {retries: 256}\n", 8, 27, "connections[0].health-check.retries",
	  "VALUE", "255" },
	{ GOOD "  health-check: {recover: 0}\n", 8, 27, "connections[0].health-check.recover",
	  "VALUE", "255" },
	{ GOOD "  health-check: {destination: 224.0.0.1}\n", 8, 31,
	  "connections[0].health-check.destination", "HEALTH_ADDRESS", "one host" },
	{ GOOD "  health-check: {destination: 'fe80::1'}\n", 8, 31,
	  "connections[0].health-check.destination", "HEALTH_ADDRESS", "one host" },
	{ GOOD "  health-check: {destination: 169.254.10.1}\n", 8, 31,
	  "connections[0].health-check.destination", "HEALTH_ADDRESS", "ask ourselves" },
	{ GOOD "  health-check: {destination: 'fd00:9::1'}\n", 8, 17,
	  "connections[0].health-check.source", "MISSING_KEY", "IPv6" },
	{ GOOD "  health-check: {source: 'fd00:9::1'}\n", 8, 17,
	  "connections[0].health-check.destination", "MISSING_KEY", "IPv6" },
	{ GOOD "  health-check: {source: 'fd00:9::1', destination: 10.0.0.1}\n", 8, 26,
	  "connections[0].health-check.source", "FAMILY", "IPv6 and IPv4" },
	{ CGS CONN "  - {name: t1, inside-cidr: 169.254.10.0/30, health-check: {intervall: 3}}\n",
	  7, 61,
	  "connections[0].tunnels[0].health-check.intervall", "UNKNOWN_KEY", "interval" },
	{ GOOD "  bfd: {recieve: 300}\n", 8, 9, "connections[0].bfd.recieve", "UNKNOWN_KEY",
	  "\"receive\"" },
	/* tunnels */
	{ CGS CONN "  - {name: t1}\n", 7, 5, "connections[0].tunnels[0].inside-cidr", "MISSING_KEY",
	  "" },
	{ CGS CONN "  - {name: t1, inside-cidr: 169.255.0.0/30}\n", 7, 29,
	  "connections[0].tunnels[0].inside-cidr", "TUNNEL_CIDR_RANGE", "169.254.0.0/16" },
	{ CGS CONN "  - {name: t1, inside-cidr: 169.254.10.0/29}\n", 7, 29,
	  "connections[0].tunnels[0].inside-cidr", "TUNNEL_CIDR_MASK",
	  "(169.254.21.0/30 is free)" },
	{ CGS CONN "  - {name: t1, inside-cidr: 169.254.10.1/30}\n", 7, 29,
	  "connections[0].tunnels[0].inside-cidr", "TUNNEL_CIDR_HOST_BITS", "169.254.10.1/30" },
	{ CGS CONN "  - {name: t1, inside-cidr: 169.254.169.252/30}\n", 7, 29,
	  "connections[0].tunnels[0].inside-cidr", "TUNNEL_CIDR_RESERVED", "169.254.169.252/30" },
	{ CGS CONN "  - {name: t1, inside-cidr: 169.254.6.0/30}\ngateway: {reserved: strict}\n", 7,
	  29, "connections[0].tunnels[0].inside-cidr", "TUNNEL_CIDR_RESERVED", "169.254.6.0/30" },
	{ GOOD "  - {name: t2, inside-cidr: 169.254.10.0/30}\n", 8, 29,
	  "connections[0].tunnels[1].inside-cidr", "TUNNEL_CIDR_DUPLICATE",
	  "(169.254.21.0/30 is free)" },
	{ CGS CONN "  - {name: t1, inside-cidr: 169.254.10.0/30, inside-address: 169.254.10.3}\n",
	  7, 62, "connections[0].tunnels[0].inside-address", "INSIDE_ADDRESS", "two hosts" },
	{ GOOD "  - {name: t1, inside-cidr: 169.254.10.4/30}\n", 8, 12,
	  "connections[0].tunnels[1].name", "DUPLICATE", "tunnels[0].name" },
	{ GOOD "  - {name: t2, inside-cidr: 169.254.10.4/30, interface: t1}\n", 8, 57,
	  "connections[0].tunnels[1].interface", "DUPLICATE", "tunnels[0].name" },
	{ CGS CONN "  - {name: vgw0, inside-cidr: 169.254.10.4/30}\n", 7, 12,
	  "connections[0].tunnels[0].name", "DUPLICATE", "gateway.name" },
	{ CGS CONN "  - {name: averyveryverylongname, inside-cidr: 169.254.10.0/30}\n", 7, 5,
	  "connections[0].tunnels[0].interface", "DEVICE_NAME", "\"interface\"" },
	{ CGS CONN "  - {name: t1, if-id: 5, inside-cidr: 169.254.10.0/30}\n"
		   "  - {name: t2, if-id: 5, inside-cidr: 169.254.10.4/30}\n",
	  8, 23, "connections[0].tunnels[1].if-id", "DUPLICATE", "SA" },
	{ CGS CONN "  - {name: t1, if-id: 1979711489, inside-cidr: 169.254.10.0/30}\n", 7, 23,
	  "connections[0].tunnels[0].if-id", "IF_ID", "1979711488" },
	{ CGS CONN "  - {name: t1, inside-cidr: 169.254.10.0/30, weight: 0}\n", 7, 54,
	  "connections[0].tunnels[0].weight", "VALUE", "from 1 to 255" },
	{ CGS CONN "  - {name: t1, inside-cidr: 169.254.10.0/30, local-address: \"2001:db8::1\"}\n",
	  7, 61, "connections[0].tunnels[0].local-address", "FAMILY", "one family" },
	{ CGS CONN
	  "  - {name: t1, inside-cidr: 169.254.10.0/30, local-address: 203.0.113.1, ike: {}}\n",
	  7, 79, "connections[0].tunnels[0].ike.psk-file", "MISSING_KEY", "psk-file" },
	{ CGS CONN "  - {name: t1, inside-cidr: 169.254.10.0/30, ike: {psk-file: /psk}}\n", 7, 5,
	  "connections[0].tunnels[0].local-address", "MISSING_KEY", "local-address" },
	{ CGS CONN
	  "  - {name: t1, inside-cidr: 169.254.10.0/30, if-id: 0, local-address: 203.0.113.1, "
	  "ike: {psk-file: /psk}}\n",
	  7, 53, "connections[0].tunnels[0].if-id", "IF_ID", "leave" },
	/* static routes: line 8 is the section, 9 the first route */
	{ GOOD "static-routes:\n- {prefix: 0.0.0.0/0, tunnel: t1}\n", 9, 12,
	  "static-routes[0].prefix", "DEFAULT_REFUSED", "default" },
	{ GOOD "static-routes:\n- {prefix: 169.254.0.0/16, tunnel: t1}\n", 9, 12,
	  "static-routes[0].prefix", "NEVER_ACCEPT", "link-local" },
	{ GOOD "gateway: {profile: alibaba}\nstatic-routes:\n- {prefix: 100.0.0.0/8, tunnel: t1}\n",
	  10, 12, "static-routes[0].prefix", "RESERVED_RANGE", "100.64.0.0/10" },
	{ GOOD "static-routes:\n- {prefix: 198.51.0.0/16, tunnel: t1}\n", 9, 12,
	  "static-routes[0].prefix", "OUTER_PEER", "own tunnel" },
	{ GOOD "static-routes:\n- {prefix: 10.0.0.0/8, tunnel: t7}\n", 9, 32,
	  "static-routes[0].tunnel", "UNKNOWN_REFERENCE", "there is: t1" },
	{ GOOD "static-routes:\n- {prefix: 10.0.0.0/8, connection: t1}\n", 9, 36,
	  "static-routes[0].connection", "UNKNOWN_REFERENCE", "there is: c1" },
	{ GOOD "static-routes:\n- {prefix: 10.0.0.0/8}\n", 9, 3, "static-routes[0].tunnel",
	  "MISSING_KEY", "nowhere" },
	{ GOOD "static-routes:\n- {prefix: 10.0.0.0/8, tunnel: t1, connection: c1}\n", 9, 48,
	  "static-routes[0].connection", "VALUE", "both" },
	{ GOOD "static-routes:\n- {prefix: 10.0.0.0/8, tunnel: t1, weight: 50}\n", 9, 44,
	  "static-routes[0].weight", "STATIC_WEIGHT", "100 (active) or 0" },
	{ GOOD T2
	  "static-routes:\n- {prefix: 10.0.0.0/8, tunnel: t1}\n"
	  "- {prefix: 10.0.0.0/8, tunnel: t2}\n",
	  11, 3, "static-routes[1]", "STATIC_WEIGHT", "static-routes[0]" },
	{ GOOD "static-routes:\n- {prefix: 10.0.0.0/8, tunnel: t1}\n"
	       "- {prefix: 10.0.0.0/8, connection: c1, weight: 0}\n",
	  10, 3, "static-routes[1]", "STATIC_DUPLICATE", "same tunnel" },
	{ GOOD T2 "static-routes:\n- {prefix: 10.0.0.0/8, tunnel: t1}\n"
		  "- {prefix: 10.0.0.0/8, tunnel: t2, weight: 0, on-fail: reserve}\n",
	  11, 3, "static-routes[1]", "STATIC_ON_FAIL", "one decision" },
	{ GOOD "policy-routes:\n- {source: 10.0.0.0/8, destination: 0.0.0.0/0, tunnel: t1}\n", 9,
	  37, "policy-routes[0].destination", "DEFAULT_REFUSED", "default" },
	{ GOOD "policy-routes:\n- {destination: 10.9.0.0/16, tunnel: t1}\n", 9, 3,
	  "policy-routes[0].source", "MISSING_KEY", "source" },
	{ GOOD "policy-routes:\n- {source: 127.0.0.0/8, destination: 10.9.0.0/16, tunnel: t1}\n",
	  9, 12, "policy-routes[0].source", "NEVER_ACCEPT", "forwarded" },
	{ GOOD "policy-routes:\n- {source: fd01::/16, destination: 10.9.0.0/16, tunnel: t1}\n", 9,
	  12, "policy-routes[0].source", "FAMILY", "no packet has both" },
	{ GOOD "policy-routes:\n- {source: 10.0.0.0/8, destination: 10.9.0.0/16, tunnel: t1, "
	       "priority: -1}\n",
	  9, 72, "policy-routes[0].priority", "VALUE", "whole number" },
	/* the second row comes first in order, yet is the second of the file */
	{ GOOD T2
	  "policy-routes:\n- {source: 10.0.0.0/8, destination: 10.9.0.0/16, tunnel: t1}\n"
	  "- {source: 0.0.0.0/0, destination: 10.8.0.0/16, tunnel: t1, priority: 5, weight: 7}\n",
	  11, 82, "policy-routes[1].weight", "STATIC_WEIGHT", "100 (active) or 0" },
	{ GOOD T2
	  "policy-routes:\n- {source: 10.0.0.0/8, destination: 10.9.0.0/16, tunnel: t1}\n"
	  "- {source: 10.0.0.0/8, destination: 10.9.0.0/16, tunnel: t2}\n",
	  11, 3, "policy-routes[1]", "STATIC_WEIGHT", "policy-routes[0]" },
	/* topology */
	{ CGS "- {name: cg2, address: 198.51.100.6, asn: 65011, site: cg1}\n", 3, 43,
	  "customer-gateways[1].asn", "SITE_ASN_MISMATCH", "AS 65010" },
	{ GOOD BGP "transit-domain: {domains: [a, b]}\n", 8, 8, "connections[0].bgp",
	  "TRANSIT_DOMAIN_BGP", "2 domains" },
	{ GOOD BGP "transit-domain: {overlapping-routing: false}\n", 9, 39,
	  "transit-domain.overlapping-routing", "OVERLAP_REQUIRED", "overlapping" },
	{ CGS CONN "  - {name: t1, inside-cidr: 169.254.10.0/30, local-address: 198.51.100.2}\n", 2,
	  24, "customer-gateways[0].address", "GATEWAY_PEERING", "\"t1\"" },
	{ CGS CONN "  - {name: t1, inside-cidr: 169.254.10.0/30, local-address: 203.0.113.1}\n"
		   "  - {name: t2, inside-cidr: 169.254.10.4/30, remote-address: 203.0.113.1}\n",
	  8, 62, "connections[0].tunnels[1].remote-address", "GATEWAY_PEERING", "\"t1\"" },
	{ "transit-domain: {domains: [a, a]}\n", 1, 31, "transit-domain.domains[1]", "DUPLICATE",
	  "already" },
};

/* The tunnel's keys come before the connection's, and its inside addresses after both. */
static void test_health(void **state)
{
	struct config *c = parse_good(
		CGS "connections:\n- name: c1\n  customer-gateway: cg1\n"
		    "  health-check: {interval: 5, retries: 4}\n  tunnels:\n" T1
		    "  - {name: t2, inside-cidr: 169.254.10.4/30, health-check: {retries: 7, "
		    "recover: 1, destination: 10.1.2.3}}\n"
		    "  - {name: t3, inside-cidr: 'fd00:0:0:4::/126'}\n"
		    "- name: c2\n  customer-gateway: cg1\n  tunnels:\n"
		    "  - {name: t4, inside-cidr: 169.254.10.8/30, health-check: {}}\n"
		    "  - {name: t5, inside-cidr: 169.254.10.12/30}\n");
	const struct config_tunnel *t = c->connections[0].tunnels;

	assert_int_equal(t[0].health->interval, 5);
	assert_int_equal(t[0].health->retries, 4);
	assert_int_equal(t[0].health->recover, 3);
	assert_addr(&t[0].health->source, "169.254.10.1");
	assert_addr(&t[0].health->destination, "169.254.10.2");
	assert_int_equal(t[1].health->interval, 5);
	assert_int_equal(t[1].health->retries, 7);
	assert_int_equal(t[1].health->recover, 1);
	assert_addr(&t[1].health->source, "169.254.10.5");
	assert_addr(&t[1].health->destination, "10.1.2.3");
	assert_addr(&t[2].health->source, "fd00:0:0:4::1");
	assert_addr(&t[2].health->destination, "fd00:0:0:4::2");
	t = c->connections[1].tunnels;
	assert_int_equal(t[0].health->interval, 3);
	assert_int_equal(t[0].health->retries, 3);
	assert_null(t[1].health);
	config_free(c);
}

/* One mistake in what many tunnels share is one error. */
static void test_health_once(void **state)
{
	struct config_errors errors;

	assert_null(parse(CGS CONN T1 T2 "  health-check: {interval: x, source: 127.0.0.1}\n",
			  &errors));
	assert_int_equal(errors.n, 2);
	config_errors_free(&errors);
	assert_null(parse(CGS CONN T1 T2 "  health-check: {destination: 'fd00:9::1'}\n", &errors));
	assert_int_equal(errors.n, 1);
	config_errors_free(&errors);
}

static bool bad_as_expected(const struct bad *b, const struct config_errors *errors)
{
	const struct config_error *e = errors->n ? &errors->list[0] : NULL;

	return errors->n == 1 && e->line == b->line && e->column == b->column &&
	       !strcmp(e->path, b->path) && !strcmp(e->code, b->code) && strstr(e->text, b->says) &&
	       /* a text that filled its field was cut */
	       strlen(e->text) < sizeof(e->text) - 1;
}

static void test_bad(void **state)
{
	char line[CONFIG_ERROR_STRLEN];
	size_t wrong = 0;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct config_errors errors;
		struct config *config = parse(bad[i].text, &errors);

		if (config || !bad_as_expected(&bad[i], &errors)) {
			print_error("%zu: wanted %u:%u %s %s \"%s\" for:\n%s\n", i, bad[i].line,
				    bad[i].column, bad[i].path, bad[i].code, bad[i].says,
				    bad[i].text);
			for (size_t k = 0; k < errors.n; k++)
				print_error("got %s\n", config_error_format("bad", &errors.list[k],
									    line, sizeof(line)));
			wrong++;
		}
		config_free(config);
		config_errors_free(&errors);
	}
	assert_int_equal(wrong, 0);
}

/* Several mistakes of different stages: all of them, in the order of the file. */
static void test_all_errors(void **state)
{
	static const char *const codes[] = {
		"VALUE",	 "UNKNOWN_KEY",	      "MISSING_KEY",	  "CUSTOMER_ADDRESS",
		"NAME",		 "UNKNOWN_REFERENCE", "TUNNEL_CIDR_MASK", "DUPLICATE",
		"STATIC_WEIGHT", "UNKNOWN_REFERENCE"
	};
	struct config_errors errors;
	struct config *config = parse("gateway:\n"
				      "  quota: lots\n"
				      "  colour: red\n"
				      "customer-gateways:\n"
				      "- {address: 127.0.0.1}\n"
				      "connections:\n"
				      "- name: -x\n"
				      "  customer-gateway: cg1\n"
				      "  tunnels:\n"
				      "  - {name: t1, inside-cidr: 169.254.10.0/31}\n"
				      "  - {name: t1, inside-cidr: 169.254.10.4/30}\n"
				      "static-routes:\n"
				      "- {prefix: 10.0.0.0/8, weight: 7, tunnel: t9}\n",
				      &errors);

	assert_null(config);
	assert_int_equal(errors.n, sizeof(codes) / sizeof(codes[0]));
	for (size_t i = 0; i < errors.n; i++) {
		assert_string_equal(errors.list[i].code, codes[i]);
		assert_true(!i || errors.list[i].line >= errors.list[i - 1].line);
	}
	config_errors_free(&errors);
}

/* Far more mistakes than are shown: not slow, and the list says that it is cut. */
static void many_errors(const char *head, const char *format)
{
	struct config_errors errors;
	size_t room = 60000, n = strlen(head);
	char *text = malloc(room);

	assert_non_null(text);
	strcpy(text, head);
	for (unsigned int i = 0; n < room - 32; i++)
		n += (size_t)snprintf(text + n, room - n, format, i);
	assert_null(config_parse(text, n, &errors));
	assert_int_equal(errors.n, 256);
	assert_string_equal(errors.list[255].code, "TOO_MANY");
	config_errors_free(&errors);
	free(text);
}

static void test_many_errors(void **state)
{
	many_errors("", "k%u: 1\n");
	many_errors("static-routes:\n", "- {prefix: %u}\n");
}

static void test_files(void **state)
{
	struct config_errors errors;
	char buf[CONFIG_ERROR_STRLEN];
	char *big = malloc(2 * 1024 * 1024);

	assert_null(config_load("/nonexistent/vgw.yaml", &errors));
	assert_int_equal(errors.n, 1);
	assert_string_equal(config_error_format("/nonexistent/vgw.yaml", &errors.list[0], buf,
						sizeof(buf)),
			    "/nonexistent/vgw.yaml: No such file or directory [FILE]");
	config_errors_free(&errors);
	assert_null(config_load("/", &errors));
	assert_string_equal(errors.list[0].code, "FILE");
	config_errors_free(&errors);
	assert_non_null(big);
	memset(big, '#', 2 * 1024 * 1024);
	assert_null(config_parse(big, 2 * 1024 * 1024, &errors));
	assert_string_equal(errors.list[0].code, "FILE");
	config_errors_free(&errors);
	free(big);
	assert_null(parse("gateway:\n  quota: x\n", &errors));
	assert_string_equal(config_error_format("f.yaml", &errors.list[0], buf, sizeof(buf)),
			    "f.yaml:2:10: gateway.quota: a whole number from 1 to 10000000 is "
			    "expected, not \"x\" [VALUE]");
	config_errors_free(&errors);
}

static void assert_warning(const char *text, const char *code, const char *path)
{
	struct config *config = parse_good(text);

	assert_int_equal(config->warnings.n, 1);
	assert_string_equal(config->warnings.list[0].code, code);
	assert_string_equal(config->warnings.list[0].path, path);
	assert_true(config->warnings.list[0].line > 0);
	assert_int_equal(config->gateway.force,
			 strstr(config->warnings.list[0].text, "because of gateway.force)") != NULL);
	config_free(config);
}

#define IKE_SAME(name, net) \
	"  - {name: " name ", inside-cidr: 169.254.10." net "/30, local-address: 203.0.113.1, " \
	"ike: {psk-file: /p}}\n"
#define FORCE "gateway: {force: true}\n"

static void test_warnings(void **state)
{
	assert_warning(GOOD BGP "  routing: policy\n", "ROUTING_MODE", "connections[0].routing");
	assert_warning(GOOD "gateway: {guard: [198.51.0.0/16]}\n", "GUARD_COVERS_PEER",
		       "gateway.guard[0]");
	assert_warning(CGS CONN IKE_SAME("t1", "0") IKE_SAME("t2", "4"), "IKE_IDENTITY",
		       "connections[0].tunnels[1].ike");
	assert_warning(CGS "- {name: cg2, address: 198.51.100.6, asn: 65011, site: cg1}\n" FORCE,
		       "SITE_ASN_MISMATCH", "customer-gateways[1].asn");
	assert_warning(GOOD BGP "transit-domain: {domains: [a, b]}\n" FORCE, "TRANSIT_DOMAIN_BGP",
		       "connections[0].bgp");
	assert_warning(GOOD BGP "transit-domain: {overlapping-routing: false}\n" FORCE,
		       "OVERLAP_REQUIRED", "transit-domain.overlapping-routing");
	assert_warning(CGS CONN "  - {name: t1, inside-cidr: 169.254.10.0/30, local-address: "
				"198.51.100.2}\n" FORCE,
		       "GATEWAY_PEERING", "customer-gateways[0].address");
	assert_warning(GOOD "static-routes:\n- {prefix: 198.51.0.0/16, tunnel: t1}\n" FORCE,
		       "OUTER_PEER", "static-routes[0].prefix");
}

/* What is next to a rule and not in it. */
static void test_neighbours(void **state)
{
	static const char *const good[] = {
		GOOD "transit-domain: {domains: [a, b]}\n", /* no BGP */
		GOOD BGP "transit-domain: {domains: [a]}\n",
		GOOD "transit-domain: {overlapping-routing: false}\n",
		GOOD
		"static-routes:\n- {prefix: 0.0.0.0/1, tunnel: t1}\n"
		"- {prefix: 100.64.0.0/10, tunnel: t1}\n"
		"- {prefix: 10.0.0.0/8, tunnel: t1, weight: 0}\n",
		CGS CONN "  - {name: t1, inside-cidr: 169.254.6.0/30}\n"
			 "  - {name: t2, inside-cidr: 169.254.169.248/30}\n",
		CGS "- {name: cg2, address: 198.51.100.6, asn: 65011}\n",
		CGS "- {name: cg2, address: 198.51.100.6, site: cg1}\n",
		GOOD "  bgp: {hold-time: 0}\n",
		GOOD "  bgp: {hold-time: 3, keepalive: 1}\n",
		"gateway: {guard: [], protected: []}\nconnections: []\n",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		config_free(parse_good(good[i]));
}

static void test_policy_routes(void **state)
{
	struct config *config = parse_good(
		GOOD T2 "policy-routes:\n"
			"- {source: 0.0.0.0/0, destination: 10.1.0.0/16, tunnel: t1}\n"
			"- {source: 10.0.0.0/8, destination: 10.2.0.0/16, tunnel: t1}\n"
			"- {source: fd01::/16, destination: fd02::/16, connection: c1, priority: 7}\n"
			"- {source: 0.0.0.0/0, destination: 10.1.0.0/16, tunnel: t2, weight: 0}\n"
			"- {source: 10.0.0.0/8, destination: 10.3.0.0/16, tunnel: t1}\n");
	/* in order: row, priority, sequence */
	static const uint32_t wanted[5][3] = {
		{ 2, 7, 1 }, { 0, 100, 1 }, { 3, 100, 1 }, { 1, 100, 2 }, { 4, 100, 3 },
	};

	assert_int_equal(config->n_policy_routes, 5);
	for (size_t i = 0; i < 5; i++) {
		const struct config_policy_route *policy = &config->policy_routes[i];

		assert_int_equal(policy->row, wanted[i][0]);
		assert_int_equal(policy->priority, wanted[i][1]);
		assert_int_equal(policy->sequence, wanted[i][2]);
	}
	assert_int_equal(config->policy_routes[2].to.weight, 0);
	assert_int_equal(config->policy_routes[0].to.on_fail, VGW_ON_FAIL_REVOKE);
	config_free(config);
	config = parse_good(GOOD "gateway: {profile: alibaba}\npolicy-routes:\n"
				 "- {source: 10.0.0.0/8, destination: 10.2.0.0/16, tunnel: t1}\n");
	assert_int_equal(config->policy_routes[0].to.on_fail, VGW_ON_FAIL_RESERVE);
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults_gateway),
		cmocka_unit_test(test_defaults_connection),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_health),
		cmocka_unit_test(test_health_once),
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_all_errors),
		cmocka_unit_test(test_many_errors),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_neighbours),
		cmocka_unit_test(test_policy_routes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
