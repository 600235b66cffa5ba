// SPDX-License-Identifier: GPL-2.0-only
/*
 * Follows the system table and the links: a dump with mark and sweep, then
 * events. Both come through one socket, in the kernel's order.
 *
 * The kernel does not tell everything: IPv4 routes of a device that goes down
 * or away leave silently, and so do those whose preferred source or nexthop
 * object went. The first are forgotten by the link's event, for the others
 * there is a new dump.
 */
#include "sys/rtnl.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/vgw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/log.h"
#include "sys/rtnl_internal.h"

#define EVENT_BUFFER (8 << 20)
#define MESSAGES_A_TURN 64
#define RESYNC_MS 100
#define RESYNC_PAUSE_MS 1000 /* between the beginnings of two dumps */

/* ---- routes ---- */

static void tell_route(struct rtnl *rtnl, const struct rtnl_known *known, bool present)
{
	if (rtnl->ops->route)
		rtnl->ops->route(rtnl->ctx, &known->route, present);
}

static bool same_slot(const struct rtnl_known *a, const struct rtnl_known *b)
{
	return a->tos == b->tos && a->route.metric == b->route.metric;
}

/* Takes *place out of its list and tells. */
static void known_drop(struct rtnl *rtnl, struct rtnl_known **place)
{
	struct rtnl_known *known = *place;

	*place = known->next;
	rtnl->n_routes--;
	tell_route(rtnl, known, false);
	rtnl_publish_unblock(rtnl, &known->route);
	free(known);
}

/*
 * Works on the list of one prefix. The head is a local copy that is put back
 * into the map before anybody is told: a callback may walk the map.
 */
struct list {
	struct rtnl_known *head, *gone;
	struct prefix prefix;
};

static void list_open(struct rtnl *rtnl, const struct prefix *prefix, struct list *list)
{
	list->prefix = *prefix;
	list->head = pmap_get(&rtnl->routes, prefix);
	list->gone = NULL;
}

static void list_take(struct list *list, struct rtnl_known **place)
{
	struct rtnl_known *known = *place;

	*place = known->next;
	known->next = list->gone;
	list->gone = known;
}

/* added may be NULL. */
static void list_close(struct rtnl *rtnl, struct list *list, struct rtnl_known *added)
{
	int error = 0;

	if (added) {
		added->next = list->head;
		list->head = added;
	}
	if (list->head)
		error = pmap_put(&rtnl->routes, &list->prefix, list->head);
	else
		pmap_del(&rtnl->routes, &list->prefix);
	while (list->gone)
		known_drop(rtnl, &list->gone);
	if (error) {
		/* Only a first entry needs memory, so the list is just this one. */
		free(added);
		rtnl_resync(rtnl);
	} else if (added) {
		rtnl->n_routes++;
		tell_route(rtnl, added, true);
	}
}

static struct rtnl_known **list_find_equal(struct list *list, const struct rtnl_known *known)
{
	for (struct rtnl_known **p = &list->head; *p; p = &(*p)->next)
		if (rtnl_known_equal(*p, known))
			return p;
	return NULL;
}

static size_t list_slot_count(struct list *list, const struct rtnl_known *known,
			      struct rtnl_known ***last)
{
	size_t n = 0;

	for (struct rtnl_known **p = &list->head; *p; p = &(*p)->next) {
		if (!same_slot(*p, known))
			continue;
		*last = p;
		n++;
	}
	return n;
}

/* IPv6 tells a grown multipath route as a whole: what shares a next hop is its old self. */
static bool take_old_self(struct list *list, const struct rtnl_known *known)
{
	bool taken = false;

	for (struct rtnl_known **p = &list->head; *p;) {
		if (same_slot(*p, known) && rtnl_known_overlap(*p, known)) {
			list_take(list, p);
			taken = true;
		} else {
			p = &(*p)->next;
		}
	}
	return taken;
}

/* Takes known over. */
static void route_seen(struct rtnl *rtnl, struct rtnl_known *known, bool replace)
{
	struct rtnl_known **place;
	struct list list;

	known->mark = rtnl->generation;
	list_open(rtnl, &known->route.prefix, &list);
	place = list_find_equal(&list, known);
	if (place) {
		(*place)->mark = known->mark;
		free(known);
		return;
	}
	if (known->route.prefix.addr.family == AF_INET6 && take_old_self(&list, known))
		replace = false;
	if (replace) {
		size_t n = list_slot_count(&list, known, &place);

		/* Which of several was replaced, the event does not say. */
		if (n > 1)
			rtnl_resync(rtnl);
		else if (n)
			list_take(&list, place);
	}
	list_close(rtnl, &list, known);
}

static void route_gone(struct rtnl *rtnl, const struct rtnl_known *known)
{
	struct rtnl_known **place, *old, *rest;
	struct list list;

	list_open(rtnl, &known->route.prefix, &list);
	place = list_find_equal(&list, known);
	if (place) {
		list_take(&list, place);
		list_close(rtnl, &list, NULL);
		return;
	}
	/* One path of an IPv6 multipath route. */
	for (place = &list.head; *place; place = &(*place)->next)
		if (same_slot(*place, known) && rtnl_known_overlap(*place, known))
			break;
	old = *place;
	if (!old || known->route.prefix.addr.family != AF_INET6) {
		if (old || list_slot_count(&list, known, &place))
			rtnl_resync(rtnl);
		return;
	}
	rest = calloc(1, sizeof(*rest) + old->n_hops * sizeof(rest->hops[0]));
	if (!rest) {
		rtnl_resync(rtnl);
		return;
	}
	memcpy(rest, old, sizeof(*rest) + old->n_hops * sizeof(rest->hops[0]));
	if (!rtnl_known_subtract(rest, known) || !rest->n_hops) {
		free(rest);
		rtnl_resync(rtnl);
		return;
	}
	list_take(&list, place);
	list_close(rtnl, &list, rest);
}

static void route_message(struct rtnl *rtnl, const struct nlmsghdr *nlh, bool in_dump)
{
	bool present = nlh->nlmsg_type == RTM_NEWROUTE;
	struct rtnl_known *known;
	int error;

	known = rtnl_known_parse(rtnl, nlh, &error);
	if (!known) {
		if (error)
			rtnl_resync(rtnl);
		return;
	}
	if (known->route.protocol != VGW_RTPROTO) {
		if (present) {
			route_seen(rtnl, known, !in_dump && (nlh->nlmsg_flags & NLM_F_REPLACE));
			return;
		}
		route_gone(rtnl, known);
	} else if (nlh->nlmsg_pid == rtnl->publish.portid && !in_dump) {
		/* The acknowledgement said it already, and before what came after it. */
	} else if (present) {
		rtnl_publish_seen(rtnl, known, in_dump);
	} else if (known->route.type == RTN_UNICAST) {
		rtnl_publish_gone(rtnl, known);
	} else if (nlh->nlmsg_pid != rtnl->sync.portid) {
		rtnl_guard_deleted(rtnl, known);
	}
	free(known);
}

/* Drops what cond() says, prefix by prefix. */
static void routes_drop(struct rtnl *rtnl,
			bool (*cond)(const struct rtnl_known *known, const void *arg),
			const void *arg)
{
	struct prefix key = { 0 };
	struct list list;

	while (pmap_next(&rtnl->routes, &key, NULL)) {
		list_open(rtnl, &key, &list);
		for (struct rtnl_known **p = &list.head; *p;) {
			if (cond(*p, arg))
				list_take(&list, p);
			else
				p = &(*p)->next;
		}
		if (list.gone)
			list_close(rtnl, &list, NULL);
	}
}

static bool not_marked(const struct rtnl_known *known, const void *arg)
{
	return known->mark != *(const uint32_t *)arg;
}

static bool only_through(const struct rtnl_known *known, const void *arg)
{
	uint32_t ifindex = *(const uint32_t *)arg;

	if (known->route.type != RTN_UNICAST || !known->n_hops)
		return false;
	for (size_t i = 0; i < known->n_hops; i++)
		if (known->hops[i].oif != ifindex)
			return false;
	return true;
}

void rtnl_each_route(struct rtnl *rtnl, void (*row)(void *ctx, const struct rtnl_route *route),
		     void *ctx)
{
	struct prefix key = { 0 };
	void *value;

	while (pmap_next(&rtnl->routes, &key, &value))
		for (const struct rtnl_known *known = value; known; known = known->next)
			row(ctx, &known->route);
}

/* ---- links and addresses ---- */

const struct rtnl_link *rtnl_device_find(const struct rtnl *rtnl, uint32_t ifindex)
{
	for (const struct rtnl_device *device = rtnl->devices; device; device = device->next)
		if (device->link.ifindex == ifindex)
			return &device->link;
	return NULL;
}

static void tell_link(struct rtnl *rtnl, const struct rtnl_link *link, bool present)
{
	rtnl_publish_link(rtnl, link, present);
	if (rtnl->ops->link)
		rtnl->ops->link(rtnl->ctx, link, present);
}

static bool shared_routes(const struct rtnl *rtnl, uint32_t ifindex)
{
	struct prefix key = { 0 };
	void *value;

	while (pmap_next(&rtnl->routes, &key, &value))
		for (const struct rtnl_known *known = value; known; known = known->next)
			for (size_t i = 0; i < known->n_hops; i++)
				if (known->hops[i].oif == ifindex)
					return true;
	return false;
}

static void link_lost(struct rtnl *rtnl, uint32_t ifindex)
{
	routes_drop(rtnl, only_through, &ifindex);
	/* Multipath routes may have lost a path or died, depending on their other paths. */
	if (shared_routes(rtnl, ifindex))
		rtnl_resync(rtnl);
}

static void link_remove(struct rtnl *rtnl, struct rtnl_device **place)
{
	struct rtnl_device *device = *place;

	*place = device->next;
	link_lost(rtnl, device->link.ifindex);
	tell_link(rtnl, &device->link, false);
	free(device);
}

static struct rtnl_device **link_place(struct rtnl *rtnl, uint32_t ifindex)
{
	struct rtnl_device **p = &rtnl->devices;

	while (*p && (*p)->link.ifindex != ifindex)
		p = &(*p)->next;
	return p;
}

static void link_seen(struct rtnl *rtnl, const struct rtnl_link *link)
{
	struct rtnl_device **place = link_place(rtnl, link->ifindex), *device = *place;
	bool down;

	if (device && strcmp(device->link.name, link->name)) {
		/* Renamed: who waits for a name must learn that the old one is free. */
		struct rtnl_link old = device->link;

		device->link = *link;
		device->mark = rtnl->generation;
		if (rtnl->ops->link)
			rtnl->ops->link(rtnl->ctx, &old, false);
		tell_link(rtnl, link, true);
		return;
	}
	if (!device) {
		device = calloc(1, sizeof(*device));
		if (!device) {
			rtnl_resync(rtnl);
			return;
		}
		*place = device;
		device->mark = rtnl->generation;
		device->link = *link;
		tell_link(rtnl, link, true);
		return;
	}
	device->mark = rtnl->generation;
	if (!memcmp(&device->link, link, sizeof(*link)))
		return;
	down = device->link.up && !link->up;
	device->link = *link;
	if (down)
		link_lost(rtnl, link->ifindex);
	tell_link(rtnl, link, true);
}

static void link_message(struct rtnl *rtnl, const struct nlmsghdr *nlh)
{
	struct rtnl_link_details details;
	struct rtnl_device **place;

	if (!rtnl_link_parse(nlh, &details))
		return;
	if (nlh->nlmsg_type == RTM_NEWLINK) {
		link_seen(rtnl, &details.link);
		return;
	}
	place = link_place(rtnl, details.link.ifindex);
	if (*place)
		link_remove(rtnl, place);
}

static void links_sweep(struct rtnl *rtnl)
{
	for (struct rtnl_device **p = &rtnl->devices; *p;) {
		if ((*p)->mark != rtnl->generation) {
			link_remove(rtnl, p);
				p = &rtnl->devices;
		} else {
			p = &(*p)->next;
		}
	}
}

static void nexthop_gone(struct rtnl *rtnl)
{
	struct prefix key = { 0 };
	void *value;

	while (pmap_next(&rtnl->routes, &key, &value)) {
		for (const struct rtnl_known *known = value; known; known = known->next) {
			if (known->nhid) {
				rtnl_resync(rtnl);
				return;
			}
		}
	}
}

static void address_gone(struct rtnl *rtnl, const struct nlmsghdr *nlh)
{
	const struct ifaddrmsg *ifa = nlmsg_data(nlh);
	struct prefix key = { 0 };
	struct nlattr *attr;
	struct addr addr = { .family = AF_INET };
	void *value;

	if (nlmsg_datalen(nlh) < (int)sizeof(*ifa))
		return;
	if (rtnl->ops->address_gone)
		rtnl->ops->address_gone(rtnl->ctx, ifa->ifa_index);
	/* Routes with this source went silently; those of IPv6 are told. */
	if (ifa->ifa_family != AF_INET)
		return;
	attr = nlmsg_find_attr((struct nlmsghdr *)nlh, sizeof(*ifa), IFA_LOCAL);
	if (!attr || nla_len(attr) < 4)
		return;
	memcpy(addr.b, nla_data(attr), 4);
	while (pmap_next(&rtnl->routes, &key, &value)) {
		if (key.addr.family != AF_INET)
			break;
		for (const struct rtnl_known *known = value; known; known = known->next) {
			if (known->route.protocol != RTPROT_KERNEL &&
			    addr_equal(&known->source, &addr)) {
				rtnl_resync(rtnl);
				return;
			}
		}
	}
}

/* ---- dumps ---- */

static int dump_send(struct rtnl *rtnl, struct nl_msg *msg)
{
	struct nlmsghdr *nlh;
	ssize_t sent;

	if (!msg)
		return -ENOMEM;
	nlh = nlmsg_hdr(msg);
	nlh->nlmsg_seq = rtnl->dump_seq = ++rtnl->events.seq;
	nlh->nlmsg_pid = rtnl->events.portid;
	do
		sent = send(rtnl->events.fd, nlh, nlh->nlmsg_len, 0);
	while (sent < 0 && errno == EINTR);
	nlmsg_free(msg);
	return sent < 0 ? -errno : 0;
}

static void dump_step(struct rtnl *rtnl, enum rtnl_dump step)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct nl_msg *msg;
	int ret;

	rtnl->dump = step;
	if (step == RTNL_DUMP_LINKS)
		msg = rtnl_msg_new(RTM_GETLINK, NLM_F_DUMP, &ifi, sizeof(ifi));
	else
		msg = rtnl_route_dump_msg(rtnl, step == RTNL_DUMP_IPV4 ? AF_INET : AF_INET6, 0);
	ret = dump_send(rtnl, msg);
	if (!ret)
		return;
	log_warning("system table", "cannot ask for it: %s", strerror(-ret));
	rtnl->dump = RTNL_DUMP_NONE;
	rtnl_resync(rtnl);
}

static void dump_start(struct rtnl *rtnl)
{
	rtnl->generation++;
	rtnl->dump_again = false;
	rtnl->dump_started = loop_now(rtnl->loop);
	rtnl->counters.dumps++;
	dump_step(rtnl, RTNL_DUMP_LINKS);
}

static void dump_done(struct rtnl *rtnl, int error)
{
	enum rtnl_dump step = rtnl->dump;

	/* A table without routes is not there at all; so is a family that is off. */
	if (step != RTNL_DUMP_LINKS &&
	    (error == -ENOENT || error == -EAFNOSUPPORT || error == -EOPNOTSUPP))
		error = 0;
	if (error) {
		log_warning("system table", "cannot read it: %s", strerror(-error));
		rtnl->dump_again = true;
	}
	if (!rtnl->dump_again && step != RTNL_DUMP_IPV6) {
		if (step == RTNL_DUMP_LINKS)
			links_sweep(rtnl);
		dump_step(rtnl, step + 1);
		return;
	}
	rtnl->dump = RTNL_DUMP_NONE;
	if (rtnl->dump_again) {
		rtnl_resync(rtnl);
		return;
	}
	routes_drop(rtnl, not_marked, &rtnl->generation);
	rtnl->synced = true;
	rtnl_publish_dump_done(rtnl);
	if (rtnl->ops->routes_synced)
		rtnl->ops->routes_synced(rtnl->ctx);
}

static void resync_fire(void *ctx)
{
	struct rtnl *rtnl = ctx;

	if (rtnl->dump == RTNL_DUMP_NONE)
		dump_start(rtnl);
}

void rtnl_resync(struct rtnl *rtnl)
{
	uint64_t now = loop_now(rtnl->loop), next = rtnl->dump_started + RESYNC_PAUSE_MS;

	if (rtnl->dump != RTNL_DUMP_NONE) {
		rtnl->dump_again = true;
		return;
	}
	if (rtnl->resync_timer && !loop_timer_pending(rtnl->resync_timer))
		loop_timer_start(rtnl->resync_timer,
				 now + RESYNC_MS < next ? next - now : RESYNC_MS);
}

/* ---- messages ---- */

static bool from_dump(const struct rtnl *rtnl, const struct nlmsghdr *nlh)
{
	return rtnl->dump != RTNL_DUMP_NONE && nlh->nlmsg_seq == rtnl->dump_seq &&
	       nlh->nlmsg_pid == rtnl->events.portid;
}

static void message(struct rtnl *rtnl, const struct nlmsghdr *nlh)
{
	bool in_dump = from_dump(rtnl, nlh);

	if (in_dump && (nlh->nlmsg_flags & NLM_F_DUMP_INTR))
		rtnl->dump_again = true;
	switch (nlh->nlmsg_type) {
	case NLMSG_DONE:
	case NLMSG_ERROR:
		if (in_dump)
			dump_done(rtnl, rtnl_error(nlh, NULL, 0));
		break;
	case RTM_NEWLINK:
	case RTM_DELLINK:
		link_message(rtnl, nlh);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		route_message(rtnl, nlh, in_dump);
		break;
	case RTM_DELNEXTHOP:
		nexthop_gone(rtnl);
		break;
	case RTM_DELADDR:
		address_gone(rtnl, nlh);
		break;
	default:
		break;
	}
}

static void overrun(struct rtnl *rtnl)
{
	rtnl->counters.overruns++;
	log_info("system table", "events were lost, reading it again");
	rtnl_resync(rtnl);
}

static void events_ready(void *ctx, unsigned int events)
{
	struct rtnl *rtnl = ctx;

	for (int i = 0; i < MESSAGES_A_TURN; i++) {
		ssize_t n = recv(rtnl->events.fd, rtnl->events_buffer, RTNL_BUFFER_SIZE, MSG_TRUNC);
		struct nlmsghdr *nlh = (struct nlmsghdr *)rtnl->events_buffer;
		int left = (int)n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0 || n > RTNL_BUFFER_SIZE) {
			overrun(rtnl);
			if (n < 0 && errno != ENOBUFS)
				return;
			continue;
		}
		for (; nlmsg_ok(nlh, left); nlh = nlmsg_next(nlh, &left))
			message(rtnl, nlh);
	}
}

int rtnl_follow(struct rtnl *rtnl)
{
	static const int groups[] = { RTNLGRP_LINK, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
				      RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_NEXTHOP };
	int ret = rtnl_socket_open(&rtnl->events, true, EVENT_BUFFER);

	if (ret)
		return ret;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (setsockopt(rtnl->events.fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i],
			       sizeof(groups[i]))) {
			ret = -errno;
			rtnl_follow_stop(rtnl);
			return ret;
		}
	rtnl->events_io = loop_io_new(rtnl->loop, rtnl->events.fd, events_ready, rtnl);
	rtnl->resync_timer = loop_timer_new(rtnl->loop, resync_fire, rtnl);
	if (!rtnl->events_io || !rtnl->resync_timer) {
		rtnl_follow_stop(rtnl);
		return -ENOMEM;
	}
	loop_io_set(rtnl->events_io, LOOP_READ);
	dump_start(rtnl);
	return 0;
}

static void list_free(void *value)
{
	struct rtnl_known *known = value, *next;

	for (; known; known = next) {
		next = known->next;
		free(known);
	}
}

void rtnl_follow_stop(struct rtnl *rtnl)
{
	loop_io_free(rtnl->events_io);
	loop_timer_free(rtnl->resync_timer);
	rtnl->events_io = NULL;
	rtnl->resync_timer = NULL;
	rtnl_socket_close(&rtnl->events);
	pmap_clear(&rtnl->routes, list_free);
	while (rtnl->devices) {
		struct rtnl_device *device = rtnl->devices;

		rtnl->devices = device->next;
		free(device);
	}
}
