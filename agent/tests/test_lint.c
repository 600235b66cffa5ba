// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules over the golden files of lint/: "N-name.yaml" breaks rule N and its
 * messages, complete with line and column, are in "N-name.txt"; "N-name-ok.yaml"
 * is at the edge, legal, and has none. "N-name-second.yaml" is the second gateway
 * of a host whose first one is "N-name-first-ok.yaml". Every rule of the table has
 * files of both kinds, and with force exactly the topology rules become warnings.
 */
#include <dirent.h>

#include "core/lint.h"
#include "core/profile.h"
#include "tests/config_side.h"

#define FILES_MAX 256

static char *files[FILES_MAX];
static size_t n_files;
static char messages[256 * 1024]; /* of all files, for the completeness */

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_files(void **state)
{
	DIR *dir = opendir(beside("lint"));
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		size_t n = strlen(entry->d_name);

		if (n > 5 && !strcmp(entry->d_name + n - 5, ".yaml") && n_files < FILES_MAX)
			files[n_files++] = strdup(entry->d_name);
	}
	if (dir)
		closedir(dir);
	qsort(files, n_files, sizeof(files[0]), compare);
	return n_files ? 0 : -1;
}

static int free_files(void **state)
{
	while (n_files)
		free(files[--n_files]);
	return 0;
}

static const char *golden(const char *file, const char *suffix)
{
	char name[PATH_MAX / 2];

	snprintf(name, sizeof(name), "lint/%.*s%s", (int)(strlen(file) - 5), file, suffix);
	return beside(name);
}

static bool ends_with(const char *file, const char *suffix)
{
	size_t n = strlen(file), m = strlen(suffix);

	return n > m && !strcmp(file + n - m, suffix);
}

static bool is_ok_file(const char *file)
{
	return ends_with(file, "-ok.yaml");
}

static size_t append(char *out, size_t size, const char *file, const struct config_errors *list,
		     const char *behind)
{
	char line[CONFIG_ERROR_STRLEN];
	size_t n = strlen(out);

	for (size_t i = 0; i < list->n && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%s\n",
				      config_error_format(file, &list->list[i], line, sizeof(line)),
				      behind);
	return n;
}

/* What the second file does only in the company of the first: "vgwctl check FIRST SECOND". */
static void judge_together(const char *file, struct config *config, bool force, char *out,
			   size_t size)
{
	char first[256];
	struct config_errors errors;
	struct lint_file pair[2] = {{.name = first}, {.name = file, .config = config}};

	snprintf(first, sizeof(first), "%.*s-first-ok.yaml",
		 (int)(strlen(file) - strlen("-second.yaml")), file);
	pair[0].config = config_load(golden(first, ".yaml"), &errors);
	assert_non_null(pair[0].config);
	lint_together(pair, 2);
	assert_int_equal(pair[0].found.n, 0);
	for (size_t i = 0; i < pair[1].found.n; i++) {
		struct config_error *e = &pair[1].found.list[i];
		const struct lint_rule *rule = lint_rule_find(e->code);
		struct config_errors one = {.list = e, .n = 1};
		bool warning = force && rule && rule->severity == LINT_TOPOLOGY;

		config_position(golden(file, ".yaml"), e->path, &e->line, &e->column);
		append(out, size, file, &one, warning ? " (warning)" : "");
	}
	config_errors_free(&pair[1].found);
	config_errors_free(&errors);
	config_free(pair[0].config);
}

/* What "vgwctl check FILE" says. */
static void judge(const char *file, bool force, char *out, size_t size)
{
	struct config_errors errors;
	const char *path = golden(file, ".yaml");
	struct config *config = force ? config_load_forced(path, &errors)
				      : config_load(path, &errors);

	*out = '\0';
	append(out, size, file, &errors, "");
	if (config)
		append(out, size, file, &config->warnings, " (warning)");
	if (config && ends_with(file, "-second.yaml"))
		judge_together(file, config, force, out, size);
	config_errors_free(&errors);
	config_free(config);
}

static void read_golden(const char *file, char *out, size_t size)
{
	FILE *f = fopen(golden(file, ".txt"), "r");
	size_t n;

	/* The first line is the license. */
	n = f && fgets(out, (int)size, f) ? fread(out, 1, size - 1, f) : 0;
	out[n] = '\0';
	if (f)
		fclose(f);
}

static void test_golden(void **state)
{
	static char said[16384], expected[16384];
	size_t wrong = 0;

	for (size_t i = 0; i < n_files; i++) {
		judge(files[i], false, said, sizeof(said));
		read_golden(files[i], expected, sizeof(expected));
		strncat(messages, said, sizeof(messages) - strlen(messages) - 1);
		if (is_ok_file(files[i]) == !*said && !strcmp(said, expected))
			continue;
		print_error("%s: expected\n%ssaid\n%s", files[i], expected, said);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

/* A rule that no file breaks, or none is at the edge of, is not tested. */
static void test_every_rule(void **state)
{
	size_t missing = 0;

	for (const struct lint_rule *r = lint_rules; r->code; r++) {
		char wanted[64], prefix[16];
		bool edge = false;

		assert_ptr_equal(lint_rule_find(r->code), r);
		snprintf(wanted, sizeof(wanted), "[%s, rule %s]", r->code, r->rule);
		snprintf(prefix, sizeof(prefix), "%s-", r->rule);
		for (size_t i = 0; i < n_files; i++)
			edge |= is_ok_file(files[i]) && !strncmp(files[i], prefix, strlen(prefix));
		if (strstr(messages, wanted) && edge)
			continue;
		print_error("%s, rule %s: no file %s\n", r->code, r->rule,
			    edge ? "breaks it" : "is at its edge");
		missing++;
	}
	assert_int_equal(missing, 0);
}

/* Of a line: "... [CODE, rule N]" with or without " (warning)". */
static const struct lint_rule *rule_of(const char *line, size_t len)
{
	char code[64] = "";
	const char *bracket = memrchr(line, '[', len);

	if (bracket)
		sscanf(bracket, "[%63[A-Z_]", code);
	return lint_rule_find(code);
}

static void check_severity(const char *text, bool forced)
{
	for (size_t len; *text; text += len + 1) {
		const struct lint_rule *rule;
		bool warning;

		len = strcspn(text, "\n");
		rule = rule_of(text, len);
		warning = len > 9 && !memcmp(text + len - 9, "(warning)", 9);
		if (rule && warning != (rule->severity == LINT_ADVICE ||
					(forced && rule->severity == LINT_TOPOLOGY)))
			fail_msg("%s: severity is %s, but: %.*s", rule->code,
				 lint_severity_name(rule->severity), (int)len, text);
	}
}

/* The table's severity is what happens. */
static void test_severity(void **state)
{
	static char said[16384];

	for (size_t i = 0; i < n_files; i++) {
		judge(files[i], false, said, sizeof(said));
		check_severity(said, false);
		judge(files[i], true, said, sizeof(said));
		check_severity(said, true);
		if (is_ok_file(files[i]))
			assert_string_equal(said, "");
	}
}

/* Several gateways */

#define GATEWAY(name, asn) \
	"gateway: {name: " name ", local-asn: " asn "}\ncontrol: {socket: /" name "}\n"
#define GATEWAY_VRF(name, asn, vrf)                                     \
	"gateway: {name: " name ", local-asn: " asn ", vrf: " vrf "}\n" \
	"control: {socket: /" name "}\n"
#define CUSTOMER(address) "customer-gateways: [{name: a, address: " address ", asn: 65010}]\n"
#define TUNNEL(bgp, name, inside, local)                  \
	"connections: [{name: c, customer-gateway: a" bgp \
	", tunnels: [{name: " name ", inside-cidr: " inside ", local-address: " local "}]}]\n"
#define CONNECTION(bgp, inside, local) TUNNEL(bgp, "t", inside, local)
#define IKE ", ike: {psk-file: /k}"

static void together(const char *a, const char *b, const char *code, const char *path)
{
	struct lint_file pair[2] = {{.name = "a.yaml", .config = parse_good(a)},
				    {.name = "b.yaml", .config = parse_good(b)}};
	size_t n = lint_together(pair, 2);

	assert_int_equal(n, code ? 1 : 0);
	assert_int_equal(pair[0].found.n, 0);
	if (code) {
		assert_string_equal(pair[1].found.list[0].code, code);
		assert_string_equal(pair[1].found.list[0].path, path);
		assert_non_null(strstr(pair[1].found.list[0].text, "a.yaml"));
	}
	for (size_t i = 0; i < 2; i++) {
		config_errors_free(&pair[i].found);
		config_free(pair[i].config);
	}
}

static void test_together(void **state)
{
	const char *a = GATEWAY("vgw0", "65001") CUSTOMER("198.51.100.2")
		TUNNEL(", bgp: {}", "t0", "169.254.10.0/30", "203.0.113.1");
	const char *ike = GATEWAY("vgw0", "65001") CUSTOMER("198.51.100.2")
		TUNNEL("", "t0", "169.254.10.0/30", "203.0.113.1, interface: e0" IKE);

	/* 16: same peer, one number; another peer, any number; another domain, any number */
	together(a,
		 GATEWAY("vgw1", "65002") CUSTOMER("198.51.100.2")
			 CONNECTION(", bgp: {}", "169.254.10.4/30", "203.0.113.2"),
		 "SHARED_PEER_ASN", "gateway.local-asn");
	together(a,
		 GATEWAY("vgw1", "65001") CUSTOMER("198.51.100.2")
			 CONNECTION(", bgp: {}", "169.254.10.4/30", "203.0.113.2"),
		 NULL, NULL);
	together(a,
		 GATEWAY("vgw1", "65002") CUSTOMER("198.51.100.3")
			 CONNECTION(", bgp: {}", "169.254.10.4/30", "203.0.113.2"),
		 NULL, NULL);
	together(a,
		 GATEWAY("vgw1", "65002") CUSTOMER("198.51.100.2")
			 CONNECTION("", "169.254.10.4/30", "203.0.113.2"),
		 NULL, NULL);
	together(a,
		 GATEWAY_VRF("vgw1", "65002", "blue") CUSTOMER("198.51.100.2")
			 CONNECTION(", bgp: {}", "169.254.10.4/30", "203.0.113.2"),
		 NULL, NULL);
	/* 15, both ways round */
	together(a,
		 GATEWAY("vgw1", "65001") CUSTOMER("203.0.113.1")
			 CONNECTION("", "169.254.10.4/30", "203.0.113.2"),
		 "GATEWAY_PEERING", "customer-gateways[0].address");
	together(a,
		 GATEWAY("vgw1", "65001") CUSTOMER("198.51.100.3")
			 CONNECTION("", "169.254.10.4/30", "198.51.100.2"),
		 "GATEWAY_PEERING", "");
	/* 39 and names */
	together(a,
		 GATEWAY("vgw1", "65001") CUSTOMER("198.51.100.3")
			 CONNECTION("", "169.254.10.0/30", "203.0.113.2"),
		 "TUNNEL_CIDR_DUPLICATE", "connections[0].tunnels[0].inside-cidr");
	together(a, "gateway: {name: vgw0}\ncontrol: {socket: /other}\n", "DUPLICATE",
		 "gateway.name");
	together(a, "gateway: {name: vgw1}\ncontrol: {socket: /vgw0}\n", "DUPLICATE",
		 "control.socket");
	/* What is the host's: devices, if-ids (the default numbers too), strongSwan's names */
	together(a,
		 GATEWAY("vgw1", "65001") CUSTOMER("198.51.100.3")
			 TUNNEL("", "t0", "169.254.10.4/30", "203.0.113.2"),
		 "DUPLICATE", "connections[0].tunnels[0].interface");
	together(ike,
		 GATEWAY("vgw1", "65001") CUSTOMER("198.51.100.3")
			 TUNNEL("", "t1", "169.254.10.4/30", "203.0.113.2" IKE),
		 "DUPLICATE", "connections[0].tunnels[0].if-id");
	together(ike,
		 GATEWAY("vgw1", "65001") CUSTOMER("198.51.100.3")
			 TUNNEL("", "t0", "169.254.10.4/30",
				"203.0.113.2, interface: e1, if-id: 9" IKE),
		 "DUPLICATE", "connections[0].tunnels[0].name");
	together(ike,
		 GATEWAY("vgw1", "65001") CUSTOMER("198.51.100.3")
			 TUNNEL("", "t1", "169.254.10.4/30", "203.0.113.2, if-id: 9" IKE),
		 NULL, NULL);
}

/* Each gateway has a socket of its own without being told. */
static void test_default_socket(void **state)
{
	static const struct {
		const char *text, *socket;
	} cases[] = {
		{"gateway: {}\n", "/run/vgw/control.sock"},
		{"gateway: {name: vgw0}\n", "/run/vgw/control.sock"},
		{"gateway: {name: vgw1}\n", "/run/vgw/control-vgw1.sock"},
		{"gateway: {name: abcdefghijklmno}\n", "/run/vgw/control-abcdefghijklmno.sock"},
		{"gateway: {name: vgw1}\ncontrol: {socket: /s}\n", "/s"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config *c = parse_good(cases[i].text);

		assert_string_equal(c->control_socket, cases[i].socket);
		config_free(c);
	}
}

/* Allocation */

static char *many_auto(unsigned int from, unsigned int to, const char *more)
{
	size_t room = 64 * 1024, n;
	char *text = malloc(room);

	assert_non_null(text);
	n = (size_t)snprintf(text, room, CGS "connections:\n");
	for (unsigned int i = from; i < to; i++)
		n += (size_t)snprintf(text + n, room - n,
				      "- name: c%u\n  customer-gateway: cg1\n  tunnels:\n"
				      "  - {name: x%u, inside-cidr: auto}\n",
				      i, i);
	snprintf(text + n, room - n, "%s", more);
	return text;
}

static struct config *parse_many(unsigned int from, unsigned int to, const char *more)
{
	char *text = many_auto(from, to, more);
	struct config *config = parse_good(text);

	free(text);
	return config;
}

/* All different (the loader refuses doubles), all legal on each cloud, the same every time. */
static void test_auto_all(void **state)
{
	struct config *a = parse_many(0, 128, ""), *b = parse_many(0, 128, "");

	for (size_t i = 0; i < 128; i++) {
		const struct prefix *inside = &a->connections[i].tunnels[0].inside;

		assert_true(prefix_equal(inside, &b->connections[i].tunnels[0].inside));
		for (unsigned int p = CONFIG_PROFILE_ALIBABA; p <= CONFIG_PROFILE_GCP; p++)
			assert_null(profile_inside_check(p, inside));
		for (size_t j = 0; j < i; j++)
			assert_false(prefix_equal(inside, &a->connections[j].tunnels[0].inside));
	}
	config_free(a);
	config_free(b);
}

/* A longer file is the shorter one and more: nothing that was there moves. */
static void test_auto_additions(void **state)
{
	struct config *all = parse_many(0, 128, "");

	for (unsigned int n = 1; n < 128; n += 9) {
		struct config *some = parse_many(0, n, "");

		for (unsigned int i = 0; i < n; i++)
			assert_true(prefix_equal(&some->connections[i].tunnels[0].inside,
						 &all->connections[i].tunnels[0].inside));
		config_free(some);
	}
	config_free(all);
}

/* One too many, and blocks that are written out are nobody else's. */
static void test_auto_taken(void **state)
{
	char *text = many_auto(0, 129, "");
	struct config_errors errors;
	struct config *c;

	assert_null(parse(text, &errors));
	assert_int_equal(errors.n, 1);
	assert_string_equal(errors.list[0].code, "TUNNEL_CIDR_FULL");
	assert_string_equal(errors.list[0].path, "connections[128].tunnels[0].inside-cidr");
	config_errors_free(&errors);
	free(text);
	c = parse_many(0, 127,
		       "- name: w\n  customer-gateway: cg1\n  tunnels:\n"
		       "  - {name: w, inside-cidr: 169.254.22.4/30}\n");
	for (unsigned int i = 0; i < 127; i++)
		assert_false(prefix_equal(&c->connections[i].tunnels[0].inside,
					  &c->connections[127].tunnels[0].inside));
	config_free(c);
}

/* Profiles */

#define PEER(profile)                                       \
	"gateway: {local-asn: 65001}\ncustomer-gateways:\n" \
	"- {name: cg1, address: 198.51.100.2, asn: 65010, profile: " profile "}\n"
#define WITH_IKE(ike)                                                                          \
	"  - {name: t1, inside-cidr: auto, local-address: 203.0.113.1, ike: {psk-file: /p" ike \
	"}}\n"

/* Absent: the profile's; given: the file's; neither: the default. */
static void test_profile_values(void **state)
{
	struct config *c = parse_good(PEER("azure") CONN WITH_IKE("") "  bgp: {}\n");

	assert_int_equal(c->connections[0].bgp->hold_time, 180);
	assert_int_equal(c->connections[0].bgp->keepalive, 60);
	assert_int_equal(c->connections[0].bgp->connect_retry, 5);
	assert_string_equal(c->connections[0].tunnels[0].ike->proposals,
			    "aes256gcm16-prfsha384-ecp384");
	config_free(c);
	c = parse_good(PEER("azure") CONN WITH_IKE(", proposals: x") "  bgp: {hold-time: 90}\n");
	assert_int_equal(c->connections[0].bgp->hold_time, 90);
	assert_int_equal(c->connections[0].bgp->keepalive, 30);
	assert_string_equal(c->connections[0].tunnels[0].ike->proposals, "x");
	assert_string_equal(c->connections[0].tunnels[0].ike->esp_proposals, "aes256gcm16-ecp384");
	config_free(c);
	c = parse_good(PEER("aws") CONN WITH_IKE(", rekey-time: 7200"));
	assert_int_equal(c->connections[0].tunnels[0].ike->rekey_time, 7200);
	assert_int_equal(c->connections[0].tunnels[0].ike->child_rekey_time, 3000);
	assert_int_equal(c->connections[0].tunnels[0].inside_address.b[3] & 3, 2);
	config_free(c);
	c = parse_good(PEER("none") CONN WITH_IKE("") "  bgp: {}\n");
	assert_int_equal(c->connections[0].bgp->hold_time, 30);
	assert_null(c->connections[0].tunnels[0].ike->proposals);
	config_free(c);
}

/* Nothing without a source. */
static void test_profile_sources(void **state)
{
	for (unsigned int p = CONFIG_PROFILE_ALIBABA; p <= CONFIG_PROFILE_GCP; p++) {
		const struct profile *profile = profile_get(p);

		for (const struct profile_value *v = profile->values; v->key; v++)
			assert_true(v->text[0] && v->source[0]);
		assert_non_null(profile->facts[0].text);
		for (const struct profile_fact *f = profile->facts; f->text; f++)
			assert_true(f->source && f->source[0]);
		assert_int_equal(!profile->our_asn, !profile->asn_source);
	}
	assert_null(profile_get(CONFIG_PROFILE_NONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),		cmocka_unit_test(test_every_rule),
		cmocka_unit_test(test_severity),	cmocka_unit_test(test_together),
		cmocka_unit_test(test_default_socket),
		cmocka_unit_test(test_auto_all),	cmocka_unit_test(test_auto_additions),
		cmocka_unit_test(test_auto_taken),	cmocka_unit_test(test_profile_values),
		cmocka_unit_test(test_profile_sources),
	};

	return cmocka_run_group_tests(tests, list_files, free_files);
}
