// SPDX-License-Identifier: GPL-2.0-only
/*
 * Links, addresses and device settings. Each change looks first: a request
 * that would change nothing is not sent, so a reload makes no event.
 */
#include "sys/rtnl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/rtnl_internal.h"

static struct nla_policy link_policy[IFLA_MAX + 1] = {
	[IFLA_IFNAME] = { .type = NLA_STRING, .maxlen = IFNAMSIZ },
	[IFLA_MTU] = { .type = NLA_U32 },
	[IFLA_MASTER] = { .type = NLA_U32 },
	[IFLA_LINKINFO] = { .type = NLA_NESTED },
};

static struct nla_policy info_policy[IFLA_INFO_MAX + 1] = {
	[IFLA_INFO_KIND] = { .type = NLA_STRING },
	[IFLA_INFO_DATA] = { .type = NLA_NESTED },
};

static struct nla_policy xfrm_policy[IFLA_XFRM_MAX + 1] = {
	[IFLA_XFRM_IF_ID] = { .type = NLA_U32 },
};

static struct nla_policy vrf_policy[IFLA_VRF_MAX + 1] = {
	[IFLA_VRF_TABLE] = { .type = NLA_U32 },
};

static void copy_string(char *out, size_t size, const struct nlattr *attr)
{
	snprintf(out, size, "%.*s", nla_len(attr), (const char *)nla_data(attr));
}

static void xfrm_parse(struct nlattr *data, struct rtnl_link_details *out)
{
	struct nlattr *attrs[IFLA_XFRM_MAX + 1];

	if (nla_parse_nested(attrs, IFLA_XFRM_MAX, data, xfrm_policy))
		return;
	if (attrs[IFLA_XFRM_IF_ID])
		out->link.if_id = nla_get_u32(attrs[IFLA_XFRM_IF_ID]);
	out->external = attrs[IFLA_XFRM_COLLECT_METADATA] != NULL;
}

static void vrf_parse(struct nlattr *data, struct rtnl_link_details *out)
{
	struct nlattr *attrs[IFLA_VRF_MAX + 1];

	if (!nla_parse_nested(attrs, IFLA_VRF_MAX, data, vrf_policy) && attrs[IFLA_VRF_TABLE])
		out->vrf_table = nla_get_u32(attrs[IFLA_VRF_TABLE]);
}

static void info_parse(struct nlattr *linkinfo, struct rtnl_link_details *out)
{
	struct nlattr *info[IFLA_INFO_MAX + 1];

	if (nla_parse_nested(info, IFLA_INFO_MAX, linkinfo, info_policy) || !info[IFLA_INFO_KIND])
		return;
	copy_string(out->link.kind, sizeof(out->link.kind), info[IFLA_INFO_KIND]);
	if (!info[IFLA_INFO_DATA])
		return;
	if (!strcmp(out->link.kind, "xfrm"))
		xfrm_parse(info[IFLA_INFO_DATA], out);
	else if (!strcmp(out->link.kind, "vrf"))
		vrf_parse(info[IFLA_INFO_DATA], out);
}

bool rtnl_link_parse(const struct nlmsghdr *nlh, struct rtnl_link_details *out)
{
	const struct ifinfomsg *ifi = nlmsg_data(nlh);
	struct nlattr *attrs[IFLA_MAX + 1];

	/* Bridges tell about their ports in messages of family AF_BRIDGE: a device that leaves
	 * its bridge is not gone. */
	if (nlmsg_datalen(nlh) < (int)sizeof(*ifi) || ifi->ifi_family != AF_UNSPEC ||
	    nlmsg_parse((struct nlmsghdr *)nlh, sizeof(*ifi), attrs, IFLA_MAX, link_policy) ||
	    !attrs[IFLA_IFNAME])
		return false;
	memset(out, 0, sizeof(*out));
	out->link.ifindex = (uint32_t)ifi->ifi_index;
	out->link.up = ifi->ifi_flags & IFF_UP;
	out->link.running = out->link.up && ifi->ifi_flags & IFF_RUNNING;
	copy_string(out->link.name, sizeof(out->link.name), attrs[IFLA_IFNAME]);
	if (attrs[IFLA_MTU])
		out->link.mtu = nla_get_u32(attrs[IFLA_MTU]);
	if (attrs[IFLA_MASTER])
		out->link.master = nla_get_u32(attrs[IFLA_MASTER]);
	if (attrs[IFLA_LINKINFO])
		info_parse(attrs[IFLA_LINKINFO], out);
	return true;
}

/* ---- questions ---- */

static bool name_valid(const char *name)
{
	return name && name[0] && strlen(name) < IFNAMSIZ && !strchr(name, '/');
}

struct link_answer {
	struct rtnl_link_details *details;
	bool found;
};

static void link_row(void *ctx, const struct nlmsghdr *nlh)
{
	struct link_answer *answer = ctx;

	if (nlh->nlmsg_type == RTM_NEWLINK && rtnl_link_parse(nlh, answer->details))
		answer->found = true;
}

static int link_details(struct rtnl *rtnl, const char *name, struct rtnl_link_details *out)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct link_answer answer = { .details = out };
	struct nl_msg *msg;
	int ret;

	if (!name_valid(name))
		return -EINVAL;
	msg = rtnl_msg_new(RTM_GETLINK, 0, &ifi, sizeof(ifi));
	if (msg && nla_put_string(msg, IFLA_IFNAME, name)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	ret = rtnl_call(rtnl, msg, link_row, &answer, NULL, 0);
	if (!ret && !answer.found)
		ret = -ENODEV;
	return ret;
}

int rtnl_link_get(struct rtnl *rtnl, const char *name, struct rtnl_link *out)
{
	struct rtnl_link_details details;
	int ret = link_details(rtnl, name, &details);

	if (!ret)
		*out = details.link;
	return ret;
}

uint32_t rtnl_vrf_table(struct rtnl *rtnl, const char *name)
{
	struct rtnl_link_details details;

	return link_details(rtnl, name, &details) ? 0 : details.vrf_table;
}

struct if_id_search {
	uint32_t if_id;
	char name[16];
};

static void if_id_row(void *ctx, const struct nlmsghdr *nlh)
{
	struct if_id_search *search = ctx;
	struct rtnl_link_details details;

	if (nlh->nlmsg_type == RTM_NEWLINK && rtnl_link_parse(nlh, &details) &&
	    !strcmp(details.link.kind, "xfrm") && details.link.if_id == search->if_id)
		memcpy(search->name, details.link.name, sizeof(search->name));
}

/* Name of the xfrm device that has the if_id, "" if none. */
static void if_id_find(struct rtnl *rtnl, struct if_id_search *search)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };

	rtnl_call(rtnl, rtnl_msg_new(RTM_GETLINK, NLM_F_DUMP, &ifi, sizeof(ifi)), if_id_row, search,
		  NULL, 0);
}

/* ---- making and removing ---- */

static int link_exists(const struct rtnl_link_details *details, const char *kind, uint32_t if_id,
		       char *err, size_t size)
{
	const struct rtnl_link *link = &details->link;

	if (strcmp(link->kind, kind))
		return rtnl_fail(err, size, -EEXIST, "not a device of this kind",
				 "device '%s' exists and is of kind '%s', wanted '%s'", link->name,
				 link->kind[0] ? link->kind : "plain", kind);
	if (details->external)
		return rtnl_fail(err, size, -EEXIST, "it would need an if_id in every route",
				 "xfrm device '%s' exists in external mode", link->name);
	if (link->if_id != if_id)
		return rtnl_fail(err, size, -EEXIST, "delete it or use its if_id",
				 "xfrm device '%s' exists with if_id %u, wanted %u", link->name,
				 link->if_id, if_id);
	return 0;
}

static struct nl_msg *link_msg(const char *name, const char *kind, uint32_t if_id,
			       uint32_t underlay)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct nl_msg *msg =
		rtnl_msg_new(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(ifi));
	struct nlattr *info, *data;

	if (!msg)
		return NULL;
	if (nla_put_string(msg, IFLA_IFNAME, name))
		goto fail;
	info = nla_nest_start(msg, IFLA_LINKINFO);
	if (!info || nla_put_string(msg, IFLA_INFO_KIND, kind))
		goto fail;
	if (if_id) {
		data = nla_nest_start(msg, IFLA_INFO_DATA);
		if (!data || nla_put_u32(msg, IFLA_XFRM_IF_ID, if_id) ||
		    (underlay && nla_put_u32(msg, IFLA_XFRM_LINK, underlay)))
			goto fail;
		nla_nest_end(msg, data);
	}
	nla_nest_end(msg, info);
	return msg;
fail:
	nlmsg_free(msg);
	return NULL;
}

static int link_add(struct rtnl *rtnl, const char *name, const char *kind, uint32_t if_id,
		    uint32_t underlay, char *err, size_t size)
{
	struct if_id_search other = { .if_id = if_id };
	struct rtnl_link_details details;
	char text[160];
	int ret;

	if (!name_valid(name))
		return rtnl_fail(err, size, -EINVAL, "not a device name", "'%s'", name ? name : "");
	if (!link_details(rtnl, name, &details))
		return link_exists(&details, kind, if_id, err, size);
	ret = rtnl_call(rtnl, link_msg(name, kind, if_id, underlay), NULL, NULL, text,
			sizeof(text));
	if (!ret)
		return 0;
	if (ret == -EOPNOTSUPP)
		return rtnl_fail(err, size, ret, "the kernel has no such kind of device",
				 "cannot make device '%s' of kind '%s' (module %s)", name, kind,
				 if_id ? "xfrm_interface" : kind);
	if (ret == -EEXIST && if_id) {
		if_id_find(rtnl, &other);
		if (other.name[0])
			return rtnl_fail(err, size, ret, "an if_id can have one device",
					 "cannot make '%s': if_id %u belongs to device '%s'", name,
					 if_id, other.name);
	}
	return rtnl_fail(err, size, ret, text, "cannot make device '%s' of kind '%s'", name, kind);
}

int rtnl_link_add_vgw(struct rtnl *rtnl, const char *name, char *err, size_t size)
{
	return link_add(rtnl, name, "vgw", 0, 0, err, size);
}

int rtnl_link_add_xfrm(struct rtnl *rtnl, const char *name, uint32_t if_id, const char *underlay,
		       char *err, size_t size)
{
	struct rtnl_link_details details = { 0 };
	int ret;

	if (!if_id)
		return rtnl_fail(err, size, -EINVAL, "if_id must not be 0", "device '%s'",
				 name ? name : "");
	if (underlay && underlay[0]) {
		ret = link_details(rtnl, underlay, &details);
		if (ret)
			return rtnl_fail(err, size, ret, "", "underlay device '%s' of '%s'",
					 underlay, name ? name : "");
	}
	return link_add(rtnl, name, "xfrm", if_id, details.link.ifindex, err, size);
}

/* What master names; 0 for "". */
static int master_index(struct rtnl *rtnl, const char *name, const char *master, uint32_t *ifindex,
			char *err, size_t size)
{
	struct rtnl_link_details details = { 0 };
	int ret = master[0] ? link_details(rtnl, master, &details) : 0;

	*ifindex = details.link.ifindex;
	return ret ? rtnl_fail(err, size, ret, "", "master '%s' of device '%s'", master, name) : 0;
}

int rtnl_link_set(struct rtnl *rtnl, const char *name, const bool *up, const uint32_t *mtu,
		  const char *master, char *err, size_t size)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct rtnl_link_details now;
	bool new_mtu, new_master;
	uint32_t index = 0;
	struct nl_msg *msg;
	char text[160];
	int ret = link_details(rtnl, name, &now);

	if (ret)
		return rtnl_fail(err, size, ret, "", "device '%s'", name ? name : "");
	if (master && (ret = master_index(rtnl, name, master, &index, err, size)))
		return ret;
	new_mtu = mtu && *mtu != now.link.mtu;
	new_master = master && index != now.link.master;
	if (up && *up != now.link.up) {
		ifi.ifi_change = IFF_UP;
		ifi.ifi_flags = *up ? IFF_UP : 0;
	}
	if (!ifi.ifi_change && !new_mtu && !new_master)
		return 0;
	ifi.ifi_index = (int)now.link.ifindex;
	msg = rtnl_msg_new(RTM_NEWLINK, 0, &ifi, sizeof(ifi));
	if (msg && ((new_mtu && nla_put_u32(msg, IFLA_MTU, *mtu)) ||
		    (new_master && nla_put_u32(msg, IFLA_MASTER, index)))) {
		nlmsg_free(msg);
		msg = NULL;
	}
	ret = rtnl_call(rtnl, msg, NULL, NULL, text, sizeof(text));
	return ret ? rtnl_fail(err, size, ret, text, "cannot set up device '%s'", name) : 0;
}

int rtnl_link_del(struct rtnl *rtnl, const char *name, char *err, size_t size)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct rtnl_link_details now;
	char text[160];
	int ret = link_details(rtnl, name, &now);

	if (ret == -ENODEV)
		return 0;
	if (!ret) {
		text[0] = '\0';
		ifi.ifi_index = (int)now.link.ifindex;
		ret = rtnl_call(rtnl, rtnl_msg_new(RTM_DELLINK, 0, &ifi, sizeof(ifi)), NULL, NULL,
				text, sizeof(text));
		if (ret == -ENODEV)
			return 0;
	}
	return ret ? rtnl_fail(err, size, ret, "", "cannot delete device '%s'", name ? name : "") :
		     0;
}

/* ---- addresses ---- */

static int address_set(struct rtnl *rtnl, bool add, const char *name, const struct addr *address,
		       uint8_t len, char *err, size_t size)
{
	struct ifaddrmsg ifa = { .ifa_family = address->family, .ifa_prefixlen = len };
	int bytes = (int)addr_bits(address->family) / 8;
	char text[160], what[ADDR_STRLEN];
	struct rtnl_link_details link;
	struct nl_msg *msg;
	int ret;

	addr_format(address, what, sizeof(what));
	if (!bytes || len > addr_bits(address->family))
		return rtnl_fail(err, size, -EINVAL, "", "address %s/%u of device '%s'", what, len,
				 name ? name : "");
	ret = link_details(rtnl, name, &link);
	if (!add && ret == -ENODEV)
		return 0;
	if (ret)
		return rtnl_fail(err, size, ret, "", "address %s/%u: device '%s'", what, len,
				 name ? name : "");
	ifa.ifa_index = link.link.ifindex;
	/* A tunnel has nobody to find a duplicate, and the address must be usable at once. */
	if (address->family == AF_INET6)
		ifa.ifa_flags = IFA_F_NODAD;
	msg = rtnl_msg_new(add ? RTM_NEWADDR : RTM_DELADDR,
			   add ? NLM_F_CREATE | NLM_F_EXCL : 0, &ifa, sizeof(ifa));
	if (msg && (nla_put(msg, IFA_LOCAL, bytes, address->b) ||
		    nla_put(msg, IFA_ADDRESS, bytes, address->b))) {
		nlmsg_free(msg);
		msg = NULL;
	}
	ret = rtnl_call(rtnl, msg, NULL, NULL, text, sizeof(text));
	if (!ret || (add && ret == -EEXIST) || (!add && ret == -EADDRNOTAVAIL))
		return 0;
	return rtnl_fail(err, size, ret, text, "cannot %s address %s/%u of device '%s'",
			 add ? "add" : "delete", what, len, name);
}

int rtnl_address_add(struct rtnl *rtnl, const char *name, const struct addr *address, uint8_t len,
		     char *err, size_t size)
{
	return address_set(rtnl, true, name, address, len, err, size);
}

int rtnl_address_del(struct rtnl *rtnl, const char *name, const struct addr *address, uint8_t len,
		     char *err, size_t size)
{
	return address_set(rtnl, false, name, address, len, err, size);
}

/* ---- sysctl ---- */

static int conf_open(unsigned int family, const char *device, const char *key)
{
	char path[160];
	int n, fd;

	if ((family != 4 && family != 6) || !name_valid(device) || device[0] == '.' || !key[0] ||
	    key[0] == '.' || strchr(key, '/'))
		return -EINVAL;
	n = snprintf(path, sizeof(path), "/proc/sys/net/ipv%u/conf/%s/%s", family, device, key);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int rtnl_conf_get(unsigned int family, const char *device, const char *key, long *value)
{
	int fd = conf_open(family, device, key);
	char text[32], *end;
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -EIO;
	text[n] = '\0';
	errno = 0;
	*value = strtol(text, &end, 10);
	return errno || end == text ? -EINVAL : 0;
}
