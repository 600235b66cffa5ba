/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What fib keeps of one gateway. Private to sys/fib*.c: fib.c has life,
 * settings, tunnels and the order of work, fib_group.c the interned groups,
 * fib_route.c routes and their batches, fib_policy.c policy routes, fib_port.c ports.
 */
#ifndef VGW_SYS_FIB_STATE_H
#define VGW_SYS_FIB_STATE_H

#include "lib/ptable.h"
#include "sys/fib.h"

#define FIB_CLASSES 3
#define FIB_GROUP_BUCKETS 4096
#define FIB_REFUSALS 64

/* Does the module hold it? MAYBE: an earlier life may have left it, or an answer was lost. */
enum held { HELD_NO, HELD_MAYBE, HELD_YES };

enum route_state { ROUTE_CLEAN, ROUTE_DIRTY, ROUTE_SENT, ROUTE_REFUSED };

struct fib_group {
	struct fib_group *next; /* of its bucket */
	uint32_t id, hash, slot;
	uint32_t refs; /* routes that lead to it in the module, or will once a batch is answered */
	uint32_t sending; /* requests under way that set it */
	bool fresh; /* set in this generation */
	bool deleting; /* its deletion is under way: nobody may take it any more */
	int error; /* the module refused it, with this */
	char *text;
	uint32_t n_members;
	struct kernel_member members[]; /* sorted by tunnel */
};

struct fib_tunnel {
	uint32_t id;
	enum held held;
	bool fresh, dirty, sent, doomed; /* doomed: waits until no group has it */
	struct kernel_tunnel is; /* what the module holds or is being told */
};

/* One prefix and class; there are up to millions. The class is that of the table it is in. */
struct route {
	union {
		struct ptable_node node;
		struct {
			uint32_t chain;
			uint8_t len;
			uint8_t held : 2, state : 2;
			uint8_t again : 1; /* dirtied while sent */
			uint8_t told : 1; /* its refusal was reported */
			uint8_t why; /* refused: index of fib->refusals */
			uint8_t on_fail;
		};
	};
	uint32_t prev, next; /* dirty or refused; references */
	uint32_t group; /* slot of the one that the module has for it, if held; 0: none */
};

/* A handle of a route's table and, in ROUTE_CLASS, its class. */
#define ROUTE_CLASS_SHIFT 29
#define ROUTE_CLASS (3u << ROUTE_CLASS_SHIFT)

struct route_list {
	uint32_t first, last;
	size_t n;
};

struct fib_port {
	struct fib_port *next;
	uint32_t ifindex;
	bool wanted, held, sent, refused;
};

struct policy {
	struct kernel_policy is; /* name, and what it is being told */
	struct fib_group *group; /* that the module has for it, if held */
	struct fib_group *next; /* that it shall have, while it is to be told */
	uint8_t on_fail; /* that the module has, if held */
	uint8_t held;
	bool wanted, refused, told;
};

/* All policy routes, in their order. The list changes only while no batch is under way. */
struct policy_list {
	struct policy *list;
	size_t n, in_flight, refused;
	bool dirty;
};

struct refusal {
	int error;
	char text[128];
};

enum fib_phase { FIB_STOPPED, FIB_STARTING, FIB_RUNNING };

struct fib {
	struct loop *loop;
	struct kernel *kernel;
	struct fib_ops ops;
	void *ctx;
	struct loop_timer *kick, *retry;

	uint32_t ifindex;
	enum fib_phase phase;
	uint64_t epoch; /* answers to requests of an earlier one mean nothing */
	size_t outstanding; /* requests of every epoch: the last one frees a dead fib */
	size_t in_flight; /* of this epoch */
	unsigned int depth;
	bool dead, started, idle_told;

	uint32_t generation;
	bool generation_open, commit_wanted, commit_sent, restart_wanted;
	bool telling; /* everything() has more */

	uint32_t quota;
	struct kernel_hash hash;
	struct prefix *guards;
	size_t n_guards;
	bool has_settings, settings_dirty;

	struct fib_tunnel **tunnels; /* by id */
	size_t n_tunnels, room_tunnels, n_dirty_tunnels;

	struct fib_group *groups[FIB_GROUP_BUCKETS];
	size_t n_groups;
	uint32_t next_group;
	/* By slot, from 1; a free slot holds the number of the next one, odd. */
	struct fib_group **group_slots;
	uint32_t n_group_slots, free_group_slot;

	struct fib_port *ports; /* wanted, or held by the module */
	bool ports_dirty;

	struct ptable routes[FIB_CLASSES];
	struct route_list dirty, refused;
	struct policy_list policies;
	size_t batches_in_flight;
	size_t untold; /* refused routes not reported yet */
	bool full; /* no room for one more dynamic prefix until something goes */
	uint8_t full_why;
	size_t allowance; /* so many more were seen to fit all the same */
	bool retry_refused;
	struct refusal refusals[FIB_REFUSALS];
	unsigned int n_refusals;
	struct kernel_route batch[KERNEL_ROUTES_MAX];

	struct fib_counters counters;
};

/* The context of a request; object means nothing once the epoch is over. */
struct fib_request {
	struct fib *fib;
	uint64_t epoch;
	void *object;
};

/* fib.c */
struct fib_request *fib_request_new(struct fib *fib, void *object);
/* Counts the request as answered. False: it is of an earlier epoch, ignore it; the caller ends
 * with fib_leave() in any case. Frees the request. */
bool fib_request_enter(struct fib_request *request);
void fib_enter(struct fib *fib);
void fib_leave(struct fib *fib);
/* One more, or one less, request under way that has a context of its own. */
void fib_sent(struct fib *fib);
bool fib_answered(struct fib *fib, uint64_t epoch);
void fib_kick(struct fib *fib);
/* True: the error is of the connection or passes by itself, and what to do about it is done. */
bool fib_passing_error(struct fib *fib, const char *what, int error, const char *text);
/* The module does not hold what it should: begin anew, soon. */
void fib_replay(struct fib *fib, const char *reason);
void fib_tunnels_recheck(struct fib *fib);
bool fib_tunnel_held(const struct fib *fib, uint32_t id);

/* fib_group.c */
static inline struct fib_group *fib_group_at(const struct fib *fib, uint32_t slot)
{
	return slot ? fib->group_slots[slot] : NULL;
}

/* With one more reference, and known to the module (or on the way). NULL on no memory. */
struct fib_group *fib_group_get(struct fib *fib, const struct kernel_member *members, uint32_t n);
void fib_group_put(struct fib *fib, struct fib_group *group);
int fib_group_adopt(struct fib *fib, const struct kernel_group *row);
void fib_groups_committed(struct fib *fib);
bool fib_groups_have(const struct fib *fib, uint32_t tunnel);
void fib_groups_clear(struct fib *fib);

/* fib_route.c */
void fib_routes_init(struct fib *fib);
/* Sends what is dirty, as far as the window goes. */
void fib_routes_pump(struct fib *fib);
void fib_routes_committed(struct fib *fib);
void fib_routes_tell(struct fib *fib); /* refusals that stand */
void fib_routes_clear(struct fib *fib);

/* fib_policy.c */
void fib_policies_pump(struct fib *fib);
void fib_policies_committed(struct fib *fib);
void fib_policies_clear(struct fib *fib);

/* fib_port.c */
void fib_ports_pump(struct fib *fib);
/* The module holds none that we know of; what is wanted stays. */
void fib_ports_forget(struct fib *fib);
void fib_ports_free(struct fib *fib);

#endif
