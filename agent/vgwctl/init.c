// SPDX-License-Identifier: GPL-2.0-only
/*
 * "init [--profile NAME]": a commented configuration to start from. It passes
 * "check" as it is; addresses, numbers and prefixes are examples to be replaced.
 */
#include <errno.h>
#include <string.h>

#include "core/profile.h"
#include "vgwctl/cli.h"

static const struct profile *find_profile(const char *name)
{
	for (enum config_profile p = CONFIG_PROFILE_ALIBABA; p <= CONFIG_PROFILE_GCP; p++)
		if (!strcmp(profile_get(p)->name, name))
			return profile_get(p);
	return NULL;
}

static void print_head(FILE *out, const struct profile *profile)
{
	fprintf(out, "# Configuration of vgwd: one connection with two tunnels to %s.\n",
		profile ? profile->title : "a data center");
	fputs("# Addresses, AS numbers, prefixes and files are examples. Then:\n"
	      "#   vgwctl check --verbose FILE    what is wrong with it, every value in force\n",
	      out);
	if (!profile)
		return;
	fprintf(out, "#\n# What to know about %s:\n", profile->title);
	for (const struct profile_fact *fact = profile->facts; fact->text; fact++)
		fprintf(out, "# - %s\n#   (%s)\n", fact->text, fact->source);
}

static void print_refused(FILE *out, const struct profile *profile)
{
	if (!profile || !profile->our_asn)
		return;
	fputs("  # The other side accepts none of", out);
	for (size_t i = 0; profile->our_asn[i][0]; i++) {
		const uint32_t *range = profile->our_asn[i];

		fprintf(out, "%s %u", i ? "," : "", range[0]);
		if (range[1] != range[0])
			fprintf(out, "-%u", range[1]);
	}
	fprintf(out, "\n  # (%s).\n", profile->asn_source);
}

static void print_gateway(FILE *out, const struct profile *profile)
{
	fputs("\ngateway:\n"
	      "  name: vgw0\n"
	      "  # Our AS number, the same for all connections.\n",
	      out);
	print_refused(out, profile);
	fputs("  local-asn: 65001\n"
	      "  # Ranges of the other side that must never leave in clear text, whatever\n"
	      "  # happens: also while no route to them is known.\n"
	      "  guard: [10.20.0.0/16]\n"
	      "  # Our own networks. A peer that announces one of them is not believed.\n"
	      "  protected: [172.20.0.0/16]\n"
	      "  # Prefixes that may be learned; the session stays up when there are more.\n"
	      "  quota: 50\n",
	      out);
}

static void print_customer(FILE *out, const struct profile *profile, const char *name)
{
	uint32_t asn = profile && profile->peer_asn ? profile->peer_asn : 65010;

	fprintf(out,
		"\ncustomer-gateways:\n"
		"  # Address and AS number cannot be changed later.\n"
		"  - name: %s\n"
		"    address: 198.51.100.1\n"
		"    asn: %u%s\n",
		name, asn, profile && profile->peer_asn ? " # its default" : "");
	if (profile)
		fprintf(out,
			"    # Gives the values below that are commented out, and refuses what\n"
			"    # the other side would refuse.\n"
			"    profile: %s\n",
			profile->name);
}

/* What the profile gives to a section, to be seen and to be changed. */
static void print_values(FILE *out, const struct profile *profile, const char *section,
			 const char *indent)
{
	size_t n = strlen(section);

	for (const struct profile_value *v = profile ? profile->values : NULL; v && v->key; v++)
		if (!strncmp(v->key, section, n) && v->key[n] == '.')
			fprintf(out, "%s# %s: %s # %s\n", indent, v->key + n + 1, v->text,
				v->source);
}

static void print_tunnel(FILE *out, const struct profile *profile, const char *name,
			 unsigned int number)
{
	fprintf(out,
		"      - name: %s-t%u\n"
		"        inside-cidr: 169.254.21.%u/30\n"
		"        local-address: 203.0.113.1\n"
		"        remote-address: 198.51.100.%u\n"
		"        ike:\n"
		"          psk-file: /etc/vgw/%s-t%u.psk\n",
		name, number, (number - 1) * 4, number, name, number);
	print_values(out, profile, "ike", "          ");
}

static void print_connection(FILE *out, const struct profile *profile, const char *name)
{
	fprintf(out,
		"\nconnections:\n"
		"  - name: %s\n"
		"    customer-gateway: %s\n"
		"    bgp:\n"
		"      ipv4: true\n",
		name, name);
	print_values(out, profile, "bgp", "      ");
	if (!profile || !profile->no_bfd)
		fputs("    # If the other side speaks BFD, a path that fails while its SA stays\n"
		      "    # is found in a second:\n"
		      "    # bfd: {}\n",
		      out);
	fputs("    tunnels:\n"
	      "      # Both carry traffic. The blocks are taken by all large clouds; with\n"
	      "      # \"inside-cidr: auto\" one is chosen.\n",
	      out);
	fprintf(out, "      # The first host is %s, the second one %s.\n",
		profile && profile->first_host ? "the other side" : "this gateway",
		profile && profile->first_host ? "this gateway" : "the other side");
	print_tunnel(out, profile, name, 1);
	print_tunnel(out, profile, name, 2);
}

int init_run(struct cli *cli, struct request *request)
{
	const struct profile *profile = cli->profile ? find_profile(cli->profile) : NULL;
	const char *name = profile ? profile->name : "dc1";

	if (cli->profile && !profile) {
		cli_usage_error(cli, "--profile: \"%s\" is none of alibaba, aws, azure, gcp",
				cli->profile);
		return CLI_USAGE;
	}
	if (cli->json) {
		cli_usage_error(cli, "init: writes YAML, not JSON");
		return CLI_USAGE;
	}
	print_head(cli->out, profile);
	print_gateway(cli->out, profile);
	print_customer(cli->out, profile, name);
	print_connection(cli->out, profile, name);
	if (fflush(cli->out) || ferror(cli->out))
		return cli_fail(cli, "cannot write: %s", strerror(errno));
	return CLI_OK;
}
