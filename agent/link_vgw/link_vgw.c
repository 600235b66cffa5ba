// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plugin of ip(8) for links of kind "vgw": options of "ip link add", the line
 * of "ip -d link show", and help. ip looks for it as "link_vgw.so" in its
 * library directory and in it for the symbol vgw_link_util.
 *
 * iproute2 installs no header for its plugins. What is declared here is the
 * part of its binary interface that a link kind needs; ip gives the functions
 * when it loads the file.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/vgw.h>
#include <stdio.h>
#include <string.h>

struct link_util {
	struct link_util *next; /* ip's list of known kinds */
	const char *id;
	int maxattr;
	int (*parse_opt)(struct link_util *lu, int argc, char **argv, struct nlmsghdr *n);
	void (*print_opt)(struct link_util *lu, FILE *out, struct rtattr *attrs[]);
	void (*print_xstats)(struct link_util *lu, FILE *out, struct rtattr *xstats);
	void (*print_help)(struct link_util *lu, int argc, char **argv, FILE *out);
	int (*parse_ifla_xstats)(struct link_util *lu, int argc, char **argv);
	int (*print_ifla_xstats)(struct nlmsghdr *n, void *arg);
};

/* ip's own; the values below are those of iproute2 6.1. */
int addattr32(struct nlmsghdr *n, int maxlen, int type, __u32 data);
int get_u32(__u32 *value, const char *arg, int base);
int print_color_uint(int output_type, int color, const char *key, const char *fmt,
		     unsigned int value);
int print_color_0xhex(int output_type, int color, const char *key, const char *fmt,
		      unsigned long long value);

#define PRINT_ANY 4 /* text or JSON, as ip was asked */
#define COLOR_NONE 6
/* What ip leaves for a request. */
#define REQUEST_SIZE 1024

extern struct link_util vgw_link_util;

static void usage(FILE *out)
{
	fputs("Usage: ... vgw [ quota COUNT ]\n"
	      "               [ hash-seed SEED ]\n"
	      "\n"
	      "Where: COUNT := largest number of prefixes learned by BGP, 0 for no limit\n"
	      "                (default 50)\n"
	      "       SEED  := seed of the flow hash, a 32-bit number; gateways with the same\n"
	      "                seed put both directions of a flow into the same bucket\n",
	      out);
}

static int option_fail(const char *option, const char *value)
{
	if (value)
		fprintf(stderr, "vgw: %s \"%s\" is not a 32-bit number\n", option, value);
	else
		fprintf(stderr, "vgw: %s needs a value\n", option);
	return -1;
}

static int vgw_parse_opt(struct link_util *lu, int argc, char **argv, struct nlmsghdr *n)
{
	for (; argc > 0; argc -= 2, argv += 2) {
		int attr;
		__u32 value;

		if (!strcmp(argv[0], "quota")) {
			attr = IFLA_VGW_QUOTA;
		} else if (!strcmp(argv[0], "hash-seed")) {
			attr = IFLA_VGW_HASH_SEED;
		} else {
			if (strcmp(argv[0], "help"))
				fprintf(stderr, "vgw: unknown option \"%s\"\n", argv[0]);
			usage(stderr);
			return -1;
		}
		if (argc < 2 || get_u32(&value, argv[1], 0))
			return option_fail(argv[0], argc < 2 ? NULL : argv[1]);
		if (addattr32(n, REQUEST_SIZE, attr, value))
			return -1;
	}
	return 0;
}

static __u32 attr_u32(const struct rtattr *attr)
{
	__u32 value;

	memcpy(&value, RTA_DATA(attr), sizeof(value));
	return value;
}

static int attr_is_u32(const struct rtattr *attr)
{
	return attr && RTA_PAYLOAD(attr) >= sizeof(__u32);
}

static void vgw_print_opt(struct link_util *lu, FILE *out, struct rtattr *attrs[])
{
	if (!attrs)
		return;
	if (attr_is_u32(attrs[IFLA_VGW_QUOTA]))
		print_color_uint(PRINT_ANY, COLOR_NONE, "quota", "quota %u ",
				 attr_u32(attrs[IFLA_VGW_QUOTA]));
	if (attr_is_u32(attrs[IFLA_VGW_HASH_SEED]))
		print_color_0xhex(PRINT_ANY, COLOR_NONE, "hash_seed", "hash-seed %#llx ",
				  attr_u32(attrs[IFLA_VGW_HASH_SEED]));
}

static void vgw_print_help(struct link_util *lu, int argc, char **argv, FILE *out)
{
	usage(out);
}

struct link_util vgw_link_util = {
	.id = "vgw",
	.maxattr = IFLA_VGW_MAX,
	.parse_opt = vgw_parse_opt,
	.print_opt = vgw_print_opt,
	.print_help = vgw_print_help,
};
